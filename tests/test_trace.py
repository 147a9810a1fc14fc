"""Lines and comments: told by the engine, and never at the price of another result."""

from __future__ import annotations

from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, CommentEvent, Limits, Sandbox
from sandbox._abi import CAP_TRACED_COMMENTS, CAP_TRACED_LINES
from sandbox._trace import comments_at

EVERYTHING: Any = {"console", "calls", "variables", "lines", "comments"}

LINES: dict[str, tuple[str, dict[int, int]]] = {
    "in order of the first time": (
        "const r = f(3);\nfunction f(n) {\n  if (n > 1)\n    return f(n - 1);\n  return 1;\n}\nr",
        {1: 1, 3: 3, 4: 2, 5: 1, 7: 1},
    ),
    "a loop": ("let n = 0;\nfor (let i = 0; i < 5; i++) {\n  n += i;\n}\nn", {1: 1, 2: 1, 3: 5, 5: 1}),
    "what begins on one line counts once": ("let a = 1; a = 2; a = 3\na", {1: 1, 2: 1}),
    "arrows on lines of their own": ("[1, 2].map(x =>\n  x + 1)\n", {1: 1, 2: 2}),
    "arrows on the line of a statement": ("[1, 2].map(x => ({id: x}))", {1: 1}),
    "no semicolons": ("const f = (a) => a + 1\nconst g = (a) => (a)\nf(g(1))", {1: 1, 2: 1, 3: 1}),
    "after await": ("let a = 1\nawait 0\na = 2", {1: 1, 2: 1, 3: 1}),
    "until it throws": ("let a = 1\nnull.x\na = 2", {1: 1, 2: 1}),
    "branches": ("if (false)\n  1\nelse\n  2\nswitch (1) {\n  case 1:\n    3\n}", {1: 1, 4: 1, 5: 1, 7: 1}),
    "classes": (
        "class A {\n  x = 1\n  m() {\n    return 2\n  }\n  static {\n    3\n  }\n}\nnew A().m()",
        {1: 1, 7: 1, 10: 1, 4: 1},
    ),
    "labels": ("a: for (;;) {\n  break a\n}", {1: 1, 2: 1}),
    "generators": ("function* g() {\n  yield 1;\n  yield 2\n}\n[...g()]", {5: 1, 2: 1, 3: 1}),
    "other line ends": ("let a = 1\r\na = 2\u2028a = 3", {1: 1, 2: 1, 3: 1}),
    "try": ("try {\n  throw 1\n} catch {\n  2\n} finally {\n  3\n}", {1: 1, 2: 1, 4: 1, 6: 1}),
    "directives": ("'use strict'\nlet a = 1", {1: 1, 2: 1}),
    "nothing": ("", {}),
}


@pytest.mark.parametrize(("code", "lines"), LINES.values(), ids=LINES)
def test_lines(code: str, lines: dict[int, int]) -> None:
    with Sandbox() as box:
        found = box.execute(code, trace={"lines"})
    assert dict(found.lines) == lines
    assert list(found.lines) == list(lines)


def test_only_the_program_counts_and_only_while_it_runs() -> None:
    with Sandbox() as box:
        box.execute("function early() {\n\n\n  return 1\n}", trace={"lines"})
        found = box.execute("early();\nnew Function('\\n\\n\\n\\n1')();\neval('\\n\\n1')", trace={"lines"})
        assert dict(found.lines) == {1: 1, 2: 1, 3: 1}
        assert box.execute("1").lines == {}


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_runs_at_the_same_time_are_told_apart(backend: str) -> None:
    async def main() -> None:
        async def pause() -> None:
            await anyio.lowlevel.checkpoint()

        async with AsyncSandbox(functions={"pause": pause}) as box, anyio.create_task_group() as tasks:

            async def one(times: int) -> None:
                code = f"for (let i = 0; i < {times}; i++)\n  await pause()"
                found = await box.execute(code, trace={"lines"}, filename="the same")
                assert dict(found.lines) == {1: 1, 2: times}

            for times in range(1, 6):
                tasks.start_soon(one, times)

    anyio.run(main, backend=backend)


COMMENTS: dict[str, tuple[str, list[tuple[int | None, str]]]] = {
    "before a statement": ("// first\n1", [(1, "first")]),
    "after one, when the next begins": ("1 // a\n2", [(1, "a")]),
    "blocks": ("/* a\n * b */\n1", [(1, "a\nb")]),
    "as often as it is passed": ("for (let i = 0; i < 2; i++) {\n  // in\n  i\n}", [(2, "in")] * 2),
    "not inside an expression": ("const o = [/* a */ 1]", []),
    "not where no code comes": ("if (false) {\n  // never\n  1\n}", []),
    "not in texts": ("const s = '// a', t = `/* b */`; 1", []),
    "several": ("// a\n/* b */ // c\n1", [(1, "a"), (2, "b"), (2, "c")]),
    "of functions": ("function f() {\n  // in f\n  return 1\n}\nf()", [(2, "in f")]),
    "other alphabets": ("// é😀\n1", [(1, "é😀")]),
}


@pytest.mark.parametrize(("code", "comments"), COMMENTS.values(), ids=COMMENTS)
def test_comments(code: str, comments: list[tuple[int | None, str]]) -> None:
    with Sandbox() as box:
        found = box.execute(code, trace={"comments"})
    assert [(event.line, event.text) for event in found.events if isinstance(event, CommentEvent)] == comments


def test_comments_of_any_text() -> None:
    for text in (b"/*", b"//", b"/", b"/**/", b"\xe2\x80", b"/* a", b"//\n//"):
        comments_at(text, 0)
        comments_at(text, len(text) + 5)


def test_they_are_bounded() -> None:
    with Sandbox(limits=Limits(cpu_seconds=30)) as box:
        found = box.execute("for (let i = 0; i < 30000; i++) {\n  // c\n  i\n}", trace={"comments"})
        assert len(found.events) + found.events_dropped == CAP_TRACED_COMMENTS
        code = "1;\n" * (CAP_TRACED_LINES + 100)
        assert CAP_TRACED_LINES - 5 <= len(box.execute(code, trace={"lines"}).lines) <= CAP_TRACED_LINES


# --- traced or not, a program does the same; `python -m tests.test262 --traced` shows it with ECMAScript's suite ------

PROGRAMS = {
    "values": "let s = 0; for (const x of [1, 2, 3]) { // c\n s += x }\n s",
    "completion values": "1; if (false) 2; {}",
    "of loops": "var i = 0; do { i++; continue } while (i < 3)",
    "of try": "try { 1 } finally { 2 }",
    "of switch": "switch (1) { case 1: 'a'; break; default: 'b' }",
    "names of functions": "const f = () => {}, g = class {}; [f.name, g.name]",
    "errors": "function f() {\n null.x }\n\n f()",
    "syntax": "let a\n let a",
    "side effects": "log(1);\n(() => {\n log(2) })();\n log(3); throw 4",
    "texts of functions": "String(function f() { /* a */ return 1 // b\n })",
    "generators": "function* g() { try {\n yield 1 } finally {\n log('f') } }\n for (const x of g()) { log(x); break }",
    "async": "const r = [];\nfor await (const x of [1, Promise.resolve(2)]) {\n r.push(x) }\n r",
    "labels": "a: for (;;) {\n b: for (;;) {\n continue a2 => 1 }",
    "arrows": "[1].map(x => ({id: x})).map(\n({id}) =>\n id)",
    "asi": "let x = 1\nlet y = x\n++x\n;[x, y]",
    "with": "with ({a: 1}) {\n a }",
}


def told(code: str, *, traced: bool) -> tuple[Any, ...]:
    """What a program does that anybody can see, traced or not."""
    logged: list[Any] = []
    with Sandbox(functions={"log": logged.append}, limits=Limits(cpu_seconds=10)) as box:
        found = box.execute(code, filename="x.js", trace=EVERYTHING if traced else ())
    error = found.error
    shown = (type(error), str(error), getattr(error, "stack", "")) if error is not None else None
    return repr(found.value), shown, logged


@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_traced_or_not_it_does_the_same(code: str) -> None:
    assert told(code, traced=True) == told(code, traced=False)
