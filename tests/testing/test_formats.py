"""Reports for other programs, and what differs between two texts."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest

from sandbox._stack import Frame
from sandbox.testing import Report, SuiteResult, TestError, TestResult
from sandbox.testing.diff import render_diff
from sandbox.testing.formats import to_json, to_junit, to_tap

SOURCES = {"/a.test.js": "one\ntwo\nthree"}
ERROR = TestError(
    "AssertionError", "no \x1b[31mred\x00", (Frame(None, "/a.test.js", 2, 1),), "toBe", "1\n2", "1\n3", sources=SOURCES
)
REPORT = Report(
    [
        SuiteResult(
            "/a.test.js",
            [
                TestResult(("s", "fails # <&>"), "failed", 1.5, (ERROR,), 2, "/a.test.js", 2),
                TestResult(("passes",), "passed", 1.0),
                TestResult(("skipped",), "skipped"),
                TestResult(("todo",), "todo"),
            ],
            console=["said"],
        ),
        SuiteResult("/b.test.js", errors=[TestError("Error", "broken")]),
    ],
    12.0,
)


def test_json() -> None:
    data = json.loads(to_json(REPORT))
    assert (data["total"], data["failed"], data["success"], data["exitCode"]) == (4, 1, False, 2)
    test = data["suites"][0]["tests"][0]
    assert (test["fullName"], test["suitePath"], test["status"]) == ("s > fails # <&>", ["s"], "failed")
    assert test["errors"][0]["place"] == {"file": "/a.test.js", "line": 2, "column": 1}
    assert "> 2 | two" in test["errors"][0]["rendered"]
    assert "\x1b" not in test["errors"][0]["rendered"]


def test_junit() -> None:
    root = ElementTree.fromstring(to_junit(REPORT))
    assert (root.get("tests"), root.get("failures"), root.get("errors")) == ("4", "1", "1")
    case = root.find("testsuite/testcase")
    assert case is not None
    assert (case.get("name"), case.get("classname")) == ("fails # <&>", "/a.test.js > s")
    assert (case.get("file"), case.get("line")) == ("a.test.js", "2")
    failure = case.find("failure")
    assert failure is not None
    assert failure.get("message") == "no red\ufffd"
    assert "- 2" in (failure.text or "")
    assert [each.get("message") for each in root.iter("skipped")] == ["skipped", "todo"]
    assert root.findtext("testsuite/system-out") == "said"


def test_tap() -> None:
    lines = to_tap(REPORT).split("\n")
    assert [line for line in lines if not line.startswith("  ")] == [
        "TAP version 14",
        "not ok 1 - /a.test.js > s > fails \\# <&>",
        "ok 2 - /a.test.js > passes",
        "ok 3 - /a.test.js > skipped # SKIP",
        "not ok 4 - /a.test.js > todo # TODO",
        "not ok 5 - /b.test.js",
        "1..5",
    ]
    assert '  wanted: "1\\n2"' in lines


@pytest.mark.parametrize(
    ("suites", "code"),
    [
        ([], 0),
        ([SuiteResult("a", [TestResult(("a",), "passed")])], 0),
        ([SuiteResult("a", [TestResult(("a",), "failed")])], 1),
        ([SuiteResult("a", [TestResult(("a",), "failed")], [ERROR])], 2),
    ],
)
def test_the_exit_code(suites: list[SuiteResult], code: int) -> None:
    assert Report(suites).exit_code == code


def test_what_differs() -> None:
    before, after = "\n".join(map(str, range(20))), "\n".join(map(str, [*range(10), "x", *range(11, 20)]))
    lines = render_diff(before, after).split("\n")
    assert lines == [
        "- Expected", "+ Received", "", "  5", "  6", "  7", "  8", "  9", "- 10", "+ x",
        "  11", "  12", "  13", "  14", "  15",
    ]  # fmt: skip


def test_the_part_of_a_line_that_differs_is_marked() -> None:
    shown = render_diff('"name": "Ada"', '"name": "Adam"', color=True)
    assert '\x1b[32m+ "name": "Ada\x1b[7mm\x1b[27m"\x1b[0m' in shown


def test_a_difference_steers_no_terminal_and_has_an_end() -> None:
    assert "\x1b" not in render_diff("a\x1b[2J", "b\x07")
    assert len(render_diff("\n".join("a" * 5000), "\n".join("b" * 5000)).split("\n")) < 130


def test_an_error_shows_its_difference_and_its_code() -> None:
    shown = ERROR.render()
    assert shown.index("- 2") < shown.index("> 2 | two")
    assert "\x1b" not in shown
