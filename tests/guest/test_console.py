"""The Console Standard: what kind of entry each method makes, with which text and fields; caps; the stack of trace."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox import ConsoleEntry, Sandbox

Logged = Callable[[str], list[str]]
# Type, level, text, group depth, fields.
Row = tuple[str, str, str, int, dict[str, Any]]


def _row(entry: ConsoleEntry) -> Row:
    return entry.type, entry.level, entry.text, entry.group_depth, dict(entry.fields)


@pytest.mark.parametrize(
    ("code", "rows"),
    [
        ("console.log('a', 1)", [("output", "log", "a 1", 0, {})]),
        ("console.info('a')", [("output", "info", "a", 0, {})]),
        ("console.warn('a')", [("output", "warn", "a", 0, {})]),
        ("console.error('a')", [("output", "error", "a", 0, {})]),
        ("console.debug('a')", [("output", "debug", "a", 0, {})]),
        ("console.log()", [("output", "log", "", 0, {})]),
        ("console.dirxml({ a: 1 }, [])", [("output", "log", "{ a: 1 } []", 0, {})]),
        ("console.dir({ a: 1 }, {})", [("dir", "log", "{ a: 1 }", 0, {})]),
        ("console.dir('text')", [("dir", "log", "'text'", 0, {})]),
        ("console.dir()", [("dir", "log", "undefined", 0, {})]),
        ("console.clear()", [("clear", "log", "", 0, {})]),
        ("console.assert(true, 'a')", []),
        ("console.assert()", [("assert", "error", "Assertion failed", 0, {})]),
        ("console.assert(0, 'a %d', 1)", [("assert", "error", "Assertion failed: a 1", 0, {})]),
        ("console.assert('', { a: 1 })", [("assert", "error", "Assertion failed { a: 1 }", 0, {})]),
        ("console.table(1)", [("output", "log", "1", 0, {})]),
        (
            "console.count(); console.count('x'); console.count(undefined)",
            [
                ("count", "log", "default: 1", 0, {"label": "default", "count": 1}),
                ("count", "log", "x: 1", 0, {"label": "x", "count": 1}),
                ("count", "log", "default: 2", 0, {"label": "default", "count": 2}),
            ],
        ),
        (
            "console.count('x'); console.countReset('x'); console.count('x')",
            [
                ("count", "log", "x: 1", 0, {"label": "x", "count": 1}),
                ("countReset", "log", "", 0, {"label": "x"}),
                ("count", "log", "x: 1", 0, {"label": "x", "count": 1}),
            ],
        ),
        ("console.countReset('x')", [("output", "warn", "Count for 'x' does not exist", 0, {})]),
        ("console.count('__proto__')", [("count", "log", "__proto__: 1", 0, {"label": "__proto__", "count": 1})]),
        (
            "console.group('a', 1); console.log('b'); console.groupCollapsed(); console.log('c'); console.groupEnd();"
            "console.groupEnd(); console.groupEnd(); console.log('d')",
            [
                ("group", "log", "a 1", 0, {"label": "a 1", "collapsed": False}),
                ("output", "log", "b", 1, {}),
                ("group", "log", "", 1, {"label": "", "collapsed": True}),
                ("output", "log", "c", 2, {}),
                ("groupEnd", "log", "", 1, {}),
                ("groupEnd", "log", "", 0, {}),
                ("output", "log", "d", 0, {}),
            ],
        ),
        (
            "console.group(); console.clear(); console.log('a')",
            [
                ("group", "log", "", 0, {"label": "", "collapsed": False}),
                ("clear", "log", "", 0, {}),
                ("output", "log", "a", 0, {}),
            ],
        ),
        ("console.timeEnd('x')", [("output", "warn", "No such label 'x' for console.timeEnd()", 0, {})]),
        ("console.timeLog()", [("output", "warn", "No such label 'default' for console.timeLog()", 0, {})]),
        (
            "console.time('x'); console.time('x')",
            [
                ("time", "log", "", 0, {"label": "x", "duration_ms": 0}),
                ("output", "warn", "Label 'x' already exists for console.time()", 0, {}),
            ],
        ),
        (
            "console.time(); await new Promise(go => setTimeout(go, 12)); console.timeLog('default', { a: 1 });"
            "await new Promise(go => setTimeout(go, 1500)); console.timeEnd(); console.timeEnd()",
            [
                ("time", "log", "", 0, {"label": "default", "duration_ms": 0}),
                ("timeLog", "log", "default: 12ms { a: 1 }", 0, {"label": "default", "duration_ms": 12}),
                ("timeEnd", "log", "default: 1.512s", 0, {"label": "default", "duration_ms": 1512}),
                ("output", "warn", "No such label 'default' for console.timeEnd()", 0, {}),
            ],
        ),
    ],
)
def test_entries(box: Sandbox, entries: list[ConsoleEntry], code: str, rows: list[Row]) -> None:
    box.eval(code)

    assert [_row(entry) for entry in entries] == rows


def test_methods_need_no_object(logged: Logged) -> None:
    assert logged("const { log, count } = console; log('a'); count()") == ["a", "default: 1"]


def test_trace_has_the_stack_of_the_caller(box: Sandbox, entries: list[ConsoleEntry]) -> None:
    box.eval("function inner() {\n  console.trace('at %d', 1);\n}\ninner();", filename="main.js")

    assert _row(entries[0]) == (
        "trace",
        "error",
        "at 1",
        0,
        {"stack": "    at inner (main.js:2:11)\n    at <eval> (main.js:4:1)"},
    )


def test_trace_leaves_prepare_stack_trace_alone(box: Sandbox, entries: list[ConsoleEntry]) -> None:
    code = "let ran = 0; const mine = () => { ran++; return 'mine' }; Error.prepareStackTrace = mine; console.trace();"

    assert box.eval(code + "[ran, Error.prepareStackTrace === mine]") == [0, True]
    assert "mine" not in entries[0].fields["stack"]


def test_a_label_is_converted_and_may_fail(refused: Callable[[str], str], entries: list[ConsoleEntry]) -> None:
    for method in ("count", "countReset", "time", "timeLog", "timeEnd"):
        assert refused(f"console.{method}(Symbol())").startswith("TypeError TypeError: Failed to execute")
        assert refused(f"console.{method}({{ toString() {{ throw new RangeError('mine') }} }})") == (
            "RangeError RangeError: mine"
        )
    assert entries == []


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("console.log('a'.repeat(70_000))", "... 4528 more characters (cut)"),
        ("console.log('é'.repeat(40_000))", "... 7264 more characters (cut)"),
        ("console.log('\\u{1f600}'.repeat(20_000))", " more characters (cut)"),
        ("console.log(Array(20).fill('a'.repeat(5000)).join())", " more characters (cut)"),
        ("console.log({ a: 'b'.repeat(9000), c: Array(90).fill('d'.repeat(9000)) })", " more characters (cut)"),
        ("console.log(...Array(200).fill('a'.repeat(1000)))", " more characters (cut)"),
        ("console.dir(Array(100).fill('a'.repeat(5000)))", " more characters (cut)"),
        ("console.assert(false, 'a'.repeat(70_000))", " more characters (cut)"),
        ("console.group('a'.repeat(70_000))", " more characters (cut)"),
    ],
)
def test_the_text_of_an_entry_is_cut(entries: list[ConsoleEntry], box: Sandbox, code: str, text: str) -> None:
    box.eval(code)

    assert entries[0].text.endswith(text)
    assert 40_000 < len(entries[0].text.encode("utf-8", "surrogatepass")) <= 65_536
    assert len(str(entries[0].fields.get("label", ""))) <= 1024


def test_a_cut_never_splits_a_character(logged: Logged) -> None:
    for pad in range(4):
        logged(f"console.log('a'.repeat({pad}) + '\\u{{1f600}}'.repeat(30_000))")[0].encode("utf-8")


def test_a_text_at_the_cap_is_whole(logged: Logged) -> None:
    assert logged("console.log('a'.repeat(65_536))") == ["a" * 65_536]


def test_output_goes_on_when_formatting_was_interrupted_by_an_error(
    refused: Callable[[str], str], logged: Logged
) -> None:
    refused("console.table([], { [Symbol.iterator]() { throw new Error('mine') } })")

    assert logged("console.log('next')") == ["next"]


@pytest.mark.parametrize("count", [0, 1, 2, 255])
def test_many_arguments(logged: Logged, count: int) -> None:
    assert logged(f"console.log(...Array({count}).keys())") == [" ".join(map(str, range(count)))]
