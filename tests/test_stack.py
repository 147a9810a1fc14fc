"""How a stack is shown to the author of the program: whose frames, how many, and how much of a long line."""

from __future__ import annotations

import pytest

from sandbox import _stack
from sandbox._stack import Frame

TIMER = (
    Frame("tick", "main.js", 1, 5),
    Frame("apply", None, None, None),
    Frame("runNext", "sandbox:timers.js", 136, 36),
)
DEEP = tuple(Frame("f", "main.js", 1, 2) for _ in range(150))


def stack_lines(frames: tuple[Frame, ...], sources: dict[str, str] | None = None) -> list[str]:
    rendered = _stack.render("Error: m", frames, sources or {}, None, color=False)
    return [line.strip() for line in rendered.splitlines() if line.strip().startswith(("at ", "..."))]


@pytest.mark.parametrize(
    ("frames", "lines"),
    [
        (TIMER, ["at tick (main.js:1:5)"]),
        (TIMER[1:], []),
        (TIMER[:2], ["at tick (main.js:1:5)"]),
        (TIMER[1:2], ["at apply (native)"]),
        (
            (Frame("map", None, None, None), Frame(None, "main.js", 1, 1)),
            ["at map (native)", "at main.js:1:1"],
        ),
        (DEEP, ["at f (main.js:1:2) [150 times]"]),
        ((*DEEP, Frame(None, "main.js", 3, 1)), ["at f (main.js:1:2) [150 times]", "at main.js:3:1"]),
        (
            tuple(Frame(None, "main.js", line, 1) for line in range(1, 31)),
            [*(f"at main.js:{line}:1" for line in range(1, 11)), "... 20 more"],
        ),
    ],
    ids=[
        "bindings",
        "only bindings",
        "hidden bindings",
        "only engine",
        "engine",
        "recursion",
        "recursion from a call",
        "many",
    ],
)
def test_frames_that_are_shown(frames: tuple[Frame, ...], lines: list[str]) -> None:
    assert stack_lines(frames) == lines


def test_a_program_may_be_named_like_a_binding() -> None:
    assert stack_lines(TIMER[2:], {"sandbox:timers.js": "x"}) == ["at runNext (sandbox:timers.js:136:36)"]


@pytest.mark.parametrize(
    ("line", "column", "shown", "caret"),
    [
        ("a" * 120, 1, "a" * 100 + "…", 0),
        ("a" * 300, 200, "…" + "a" * 100 + "…", 67),
        ("a" * 300, 300, "…" + "a" * 67, 67),
        ("a" * 100, 1, "a" * 100, 0),
    ],
    ids=["right", "both", "left", "fits"],
)
def test_long_lines_show_where_they_are_cut(line: str, column: int, shown: str, caret: int) -> None:
    frames = (Frame(None, "main.js", 1, column),)

    rendered = _stack.render("m", frames, {"main.js": line}, None, color=False).splitlines()

    assert rendered[2] == f"> 1 | {shown}"
    assert rendered[3] == "    | " + " " * caret + "^"


def test_lines_around_show_their_beginning_where_they_end_before_the_window() -> None:
    frames = (Frame(None, "main.js", 2, 200),)
    source = f"first({'1' * 300})\n{'a' * 300}\n\nlast()"

    rendered = _stack.render("m", frames, {"main.js": source}, None, color=False, columns=40).splitlines()

    assert [line.rstrip() for line in rendered[2:7]] == [
        "  1 | …" + "1" * 32 + "…",
        "> 2 | …" + "a" * 32 + "…",
        "    | " + " " * 22 + "^",
        "  3 |",
        "  4 | last()",
    ]


@pytest.mark.parametrize(
    ("line", "column", "columns", "shown", "caret"),
    [
        ("a" * 300, 1, 80, "a" * 72 + "…", 0),
        ("a" * 300, 200, 80, "…" + "a" * 72 + "…", 49),
        ("a" * 300, 300, 80, "…" + "a" * 49, 49),
        ("字" * 300, 300, 80, "…" + "字" * 36 + "…", 49),
        ("\t" * 30 + "a" * 300, 41, 40, "…" + " " * 8 + "a" * 24 + "…", 19),
        ("\x1b" * 30, 16, 40, "…" + "\\x1b" * 8 + "…", 21),
        ("a" * 72, 72, 80, "…" + "a" * 49, 49),
        ("a" * 60, 1, 80, "a" * 60, 0),
        ("a" * 60, 30, 5, "…" + "a" * 20 + "…", 14),
    ],
    ids=["right", "both", "left", "wide", "tabs", "controls", "nearly", "fits", "narrow"],
)
def test_code_fits_into_a_terminal(line: str, column: int, columns: int, shown: str, caret: int) -> None:
    frames = (Frame(None, "main.js", 1, column),)

    rendered = _stack.render("m", frames, {"main.js": line}, None, color=False, columns=columns).splitlines()

    assert rendered[2] == f"> 1 | {shown}"
    assert rendered[3] == "    | " + " " * caret + "^"
    assert all(_stack._columns(each) <= max(columns, 28) for each in rendered)
