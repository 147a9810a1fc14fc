"""What came of tests, as text for other programs: JSON, JUnit's XML, TAP."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, Final
from xml.etree import ElementTree

if TYPE_CHECKING:
    from sandbox._stack import Frame
    from sandbox.testing.results import Report, SuiteResult, TestError, TestResult

_MAX_CONSOLE_CHARS: Final = 100_000
# What XML 1.0 cannot have (section 2.2).
_NOT_XML: Final = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


def to_json(report: Report) -> str:
    """One JSON object."""
    return json.dumps(plain(report), indent=2)


def plain(report: Report) -> dict[str, Any]:
    """Likewise, as plain data."""
    return {
        "success": report.is_ok,
        "exitCode": report.exit_code,
        "total": report.total,
        **{status: report.count(status) for status in ("passed", "failed", "skipped", "todo")},
        "duration": round(report.duration_ms, 3),
        "seed": report.seed,
        "suites": [_suite(suite) for suite in report.suites],
        **({} if report.coverage is None else {"coverage": report.coverage.summary()}),
    }


def _suite(suite: SuiteResult) -> dict[str, Any]:
    return {
        "file": suite.file,
        "success": suite.is_ok,
        "duration": round(suite.duration_ms, 3),
        "errors": [_error(error) for error in suite.errors],
        "tests": [_test(test) for test in suite.tests],
        "snapshots": dict(suite.snapshots),
        "console": suite.console,
        "runner": suite.runner,
    }


def _test(test: TestResult) -> dict[str, Any]:
    return {
        "name": test.name,
        "suitePath": list(test.path[:-1]),
        "fullName": test.full_name,
        "status": test.status,
        "duration": round(test.duration_ms, 3),
        "attempts": test.attempts,
        "line": test.line,
        "errors": [_error(error) for error in test.errors],
    }


def _error(error: TestError) -> dict[str, Any]:
    place = error.place
    return {
        "name": error.name,
        "message": error.message,
        "stack": [str(frame) for frame in error.frames],
        "matcherName": error.matcher,
        "expected": error.expected,
        "actual": error.received,
        "place": None if place is None else _place(place),
        "rendered": error.render(),
    }


def _place(frame: Frame) -> dict[str, Any]:
    return {"file": frame.file, "line": frame.line, "column": frame.column}


def to_junit(report: Report) -> str:
    """The XML that continuous integration reads."""
    root = ElementTree.Element(
        "testsuites",
        name="sandbox test",
        tests=str(report.total),
        failures=str(report.count("failed")),
        errors=str(sum(len(suite.errors) for suite in report.suites)),
        time=f"{report.duration_ms / 1000:.6f}",
    )
    for suite in report.suites:
        _junit_suite(root, suite)
    ElementTree.indent(root)
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=True)


def _junit_suite(root: ElementTree.Element, suite: SuiteResult) -> None:
    skipped = suite.count("skipped") + suite.count("todo")
    element = ElementTree.SubElement(
        root,
        "testsuite",
        name=_xml(suite.file),
        tests=str(len(suite.tests)),
        failures=str(suite.count("failed")),
        errors=str(len(suite.errors)),
        skipped=str(skipped),
        time=f"{suite.duration_ms / 1000:.6f}",
    )
    for test in suite.tests:
        case = ElementTree.SubElement(
            element,
            "testcase",
            classname=_xml(" > ".join((suite.file, *test.path[:-1]))),
            name=_xml(test.name),
            time=f"{test.duration_ms / 1000:.6f}",
        )
        if test.line is not None:
            case.set("file", _xml(suite.file.removeprefix("/")))
            case.set("line", str(test.line))
        if test.status in ("skipped", "todo"):
            ElementTree.SubElement(case, "skipped", message=test.status)
        for error in test.errors:
            _junit_error(case, "failure", error)
    for error in suite.errors:
        case = ElementTree.SubElement(element, "testcase", classname=_xml(suite.file), name=_xml(suite.file), time="0")
        _junit_error(case, "error", error)
    if suite.console:
        written = "\n".join(suite.console)[:_MAX_CONSOLE_CHARS]
        ElementTree.SubElement(element, "system-out").text = _xml(written)


def _junit_error(case: ElementTree.Element, kind: str, error: TestError) -> None:
    first = error.message.partition("\n")[0]
    element = ElementTree.SubElement(case, kind, message=_xml(first), type=_xml(error.name or "thrown"))
    element.text = _xml(error.render())


def _xml(text: str) -> str:
    """A text without escape sequences of terminals and without what XML cannot have."""
    return _NOT_XML.sub("\ufffd", re.sub("\x1b\\[[0-9;]*m", "", text))


def to_tap(report: Report) -> str:
    """TAP, version 14."""
    lines = ["TAP version 14"]
    number = 0
    for suite in report.suites:
        for test in suite.tests:
            number += 1
            lines += _tap_point(number, f"{suite.file} > {test.full_name}", test)
        for error in suite.errors:
            number += 1
            lines += [f"not ok {number} - {_tap(suite.file)}", *_yaml(error)]
    lines.append(f"1..{number}")
    return "\n".join(lines)


def _tap_point(number: int, name: str, test: TestResult) -> list[str]:
    directive = {"skipped": " # SKIP", "todo": " # TODO"}.get(test.status, "")
    is_ok = test.status in ("passed", "skipped")
    point = f"{'ok' if is_ok else 'not ok'} {number} - {_tap(name)}{directive}"
    return [point, *(line for error in test.errors for line in _yaml(error))]


def _tap(text: str) -> str:
    return _NOT_XML.sub("\ufffd", text).replace("\\", "\\\\").replace("#", "\\#").replace("\n", " ").replace("\r", " ")


def _yaml(error: TestError) -> list[str]:
    place = error.place
    fields = {
        "message": error.message,
        "severity": "fail",
        **({"at": str(place)} if place is not None else {}),
        **({"wanted": error.expected, "found": error.received} if error.expected is not None else {}),
    }
    # Every JSON text is YAML.
    return ["  ---", *(f"  {key}: {json.dumps(value)}" for key, value in fields.items()), "  ..."]
