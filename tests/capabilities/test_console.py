"""The console: typed entries, in order, bounded."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import ConsoleEntry, Limits, Sandbox
from sandbox.capabilities import Console
from sandbox.capabilities.base import Malformed
from sandbox.errors import OutputLimitExceeded


def _entries(code: str, **options: Any) -> list[ConsoleEntry]:
    entries: list[ConsoleEntry] = []
    with Sandbox(console=entries.append, **options) as box:
        box.eval(code)
    return entries


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("console.log('a', 1)", [("output", "log", "a 1", 0)]),
        ("console.info('a')", [("output", "info", "a", 0)]),
        ("console.warn('a')", [("output", "warn", "a", 0)]),
        ("console.error('a')", [("output", "error", "a", 0)]),
        ("console.debug('a')", [("output", "debug", "a", 0)]),
        ("console.log()", [("output", "log", "", 0)]),
        ("console.log('%s is %d', 'x', 4.5, 'more')", [("output", "log", "x is 4.5 more", 0)]),
        ("console.assert(true, 'a')", []),
        ("console.assert(false, 'a')", [("assert", "error", "Assertion failed: a", 0)]),
        ("console.dir(1)", [("dir", "log", "1", 0)]),
        ("console.clear()", [("clear", "log", "", 0)]),
        (
            "console.group('outer'); console.log('in'); console.groupEnd(); console.log('out')",
            [
                ("group", "log", "outer", 0),
                ("output", "log", "in", 1),
                ("groupEnd", "log", "", 0),
                ("output", "log", "out", 0),
            ],
        ),
    ],
)
def test_entries(code: str, expected: list[tuple[str, str, str, int]]) -> None:
    entries = _entries(code)
    assert [(entry.type, entry.level, entry.text, entry.group_depth) for entry in entries] == expected


def test_counts_and_timers_say_more() -> None:
    entries = {
        entry.type: entry
        for entry in _entries("console.count('c'); console.time('t'); console.timeEnd('t')", clock="virtual")
    }
    assert entries["count"].fields == {"label": "c", "count": 1}
    assert entries["timeEnd"].fields == {"label": "t", "duration_ms": 0}


def test_a_trace_has_a_stack() -> None:
    (entry,) = _entries("function here() { console.trace('t') }; here()")
    assert (entry.type, entry.level) == ("trace", "error")
    assert "here" in entry.fields.get("stack", "") + entry.text


def test_str_indents_by_group() -> None:
    assert str(ConsoleEntry("output", text="a\nb", group_depth=2)) == "    a\n    b"
    assert str(ConsoleEntry("output", text="a")) == "a"


def test_nobody_listens() -> None:
    with Sandbox() as box:
        assert box.eval("console.log('x'); 1") == 1


def test_entries_of_a_failing_program_are_delivered() -> None:
    entries: list[ConsoleEntry] = []
    with Sandbox(console=entries.append, limits=Limits(cpu_seconds=0.05)) as box:
        for code in (
            "console.log('before'); throw 1",
            "console.log('before'); while (true);",
            "console.log('before'); 1 + {",
        ):
            with pytest.raises(Exception):  # noqa: B017 - each fails in its own way
                box.eval(code)
    assert [entry.text for entry in entries] == ["before", "before"]


class _Meter:
    output_bytes = 0
    trace = None


def test_what_the_host_counts() -> None:
    meter = _Meter()
    seen: list[ConsoleEntry] = []
    console = Console(seen.append, 400)
    console.meter = meter
    write = console.handlers()["write"]
    write({"type": "output", "level": "log", "text": "x" * 10, "groupDepth": 0})
    assert meter.output_bytes == 266
    with pytest.raises(OutputLimitExceeded) as caught:
        write({"type": "output", "text": "y" * 100})
    assert (caught.value.limit, caught.value.used) == (400, 622)
    assert len(seen) == 1


@pytest.mark.parametrize(
    "raw",
    [
        {},
        {"type": "output", "groupDepth": -1},
        {"type": "output", "groupDepth": 2**40},
        {"type": "trace", "level": ""},
    ],
)
def test_odd_entries_are_made_harmless(raw: dict[str, Any]) -> None:
    seen: list[ConsoleEntry] = []
    console = Console(seen.append, None)
    console.handlers()["write"](raw)
    (entry,) = seen
    assert isinstance(entry.type, str)
    assert isinstance(entry.text, str)
    assert len(str(entry)) < 10_000


@pytest.mark.parametrize(
    "arguments",
    [
        [],
        [{}, {}],
        [None],
        [["type"]],
        [{"type": None}],
        [{"type": "shout"}],
        [{"type": "output", "level": "fatal"}],
        [{"type": []}],
        [{"text": 5}],
        [{"groupDepth": 1.5}],
        [{"groupDepth": True}],
        [{"count": "1"}],
        [{"label": ["x"] * 1000}],
        [{"x" * 1000: "y"}],
    ],
)
def test_what_no_binding_sends_is_malformed(arguments: list[object]) -> None:
    seen: list[ConsoleEntry] = []
    with pytest.raises(Malformed):
        Console(seen.append, None).handlers()["write"](*arguments)
    assert seen == []
