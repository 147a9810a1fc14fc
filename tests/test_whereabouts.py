"""Where a program was when its host ended it, and where it hangs."""

from __future__ import annotations

import json
import pickle
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Outcome, Sandbox, Stop
from sandbox.errors import Stalled
from tests.faces import FACES


def answer(value: object) -> None:
    raise Stop(value, reason="known")


async def answer_later(value: object) -> None:
    await anyio.lowlevel.checkpoint()
    raise Stop(value)


async def pay(amount: int) -> int:
    return amount


FUNCTIONS: dict[str, Any] = {"answer": answer, "later": answer_later, "pay": pay}


def outcome(face: str, code: str, **arguments: Any) -> Outcome:
    if face == "blocking":
        with Sandbox(functions=FUNCTIONS) as box:
            return box.execute(code, **arguments)

    async def main() -> Outcome:
        async with AsyncSandbox(functions=FUNCTIONS) as box:
            return await box.execute(code, **arguments)

    return anyio.run(main, backend=face)


# A program, and its calls: function, line, column.
STOPS: dict[str, tuple[str, list[tuple[str | None, int, int]]]] = {
    "at the top": ("1;\n  answer(1)", [(None, 2, 3)]),
    "in functions": (
        "function f() {\n  'é'; answer(1)\n}\nconst g = () => f();\ng()",
        [("f", 2, 8), ("g", 4, 17), (None, 5, 1)],
    ),
    "in a callback": ("[1].map(function each() { answer(1) })", [("each", 1, 27), (None, 1, 5)]),
    "in a getter": ("const o = {\n  get x() { answer(1) }\n};\no.x", [("get x", 2, 13), (None, 4, 1)]),
    "after an await": ("async function f() {\n  await pay(1);\n  answer(1)\n}\nawait f()", [("f", 3, 3)]),
    "awaited": ("1;\nawait later(1)", [(None, 2, 7)]),
    "awaited in functions": (
        "async function f() {\n  await 0;\n  await later(1)\n}\nconst g = async () => { await f() };\nawait g()",
        [("f", 3, 9), ("g", 5, 31), (None, 6, 7)],
    ),
    "awaited later": ("const p = later(1);\nlet n = 0;\nawait p", [(None, 3, 7)]),
    "awaited by nobody": ("later(1);\nawait new Promise(() => {})", []),
    "Error is not asked": (
        "Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = 0;\nanswer(1)",
        [(None, 2, 1)],
    ),
}


def check(found: Outcome, calls: list[tuple[str | None, int, int]]) -> None:
    stop = found.stopped
    assert stop is not None
    assert [(each.function, each.line) for each in stop.frames] == [call[:2] for call in calls]
    if calls:
        assert stop.place is not None
        assert (stop.place.file, stop.place.line, stop.place.column) == ("p.js", *calls[0][1:])
        assert f"> {calls[0][1]} |" in stop.render()


@pytest.mark.parametrize(("code", "calls"), STOPS.values(), ids=STOPS)
def test_where_a_program_is_stopped(code: str, calls: list[tuple[str | None, int, int]]) -> None:
    check(outcome("blocking", code, filename="p.js"), calls)
    check(outcome("blocking", code, filename="p.js", trace=()), calls)


@pytest.mark.parametrize("face", FACES)
def test_on_each_face(face: str) -> None:
    for code, calls in (STOPS["in functions"], STOPS["awaited in functions"]):
        check(outcome(face, code, filename="p.js"), calls)


def test_in_terms_of_what_was_written() -> None:
    found = outcome("blocking", "enum E { A }\nconst f = (a: E): void => {\n  answer(a)\n};\nf(E.A)", language="ts")
    assert found.stopped is not None
    assert [each.line for each in found.stopped.frames] == [3, 5]
    assert "answer(a)" in found.stopped.render()


def test_how_an_outcome_tells_it() -> None:
    found = outcome("blocking", "let a = 1;\nanswer(a)", filename="p.js")
    told = found.to_dict()
    assert (told["stopped"], told["stopped_at"]["line"], told["stopped_at"]["file"]) == ("known", 2, "p.js")
    shown = json.loads(found.preview())["stopped"]
    assert (shown["reason"], shown["line"]) == ("known", 2)
    assert "> 2 | answer(a)" in shown["code"]
    copy: Stop = pickle.loads(pickle.dumps(found.stopped))
    assert found.stopped is not None
    assert (copy.frames, copy.place, copy.render()) == (
        found.stopped.frames,
        found.stopped.place,
        found.stopped.render(),
    )


def test_one_stop_for_many_runs_has_the_place_of_the_last() -> None:
    stop = Stop(1)

    def end() -> None:
        raise stop

    async def end_later() -> None:
        raise stop

    with Sandbox(functions={"end": end, "endLater": end_later}) as box:
        for code, line in (("\n\nend()", 3), ("end()", 1), ("\nawait endLater()", 2)):
            assert box.execute(code).stopped is stop
            assert stop.place is not None
            assert stop.place.line == line
        box.execute("endLater(); await new Promise(() => {})")
        assert (stop.stack, stop.place) == ("", None)


# --- programs that hang -----------------------------------------------------------------------------------------------

HANGS: dict[str, tuple[str, list[tuple[str | None, int]]]] = {
    "nobody resolves it": ("1;\nawait new Promise(() => {})", [(None, 2)]),
    "somebody could": ("let done;\nconst p = new Promise(f => { done = f });\nawait p", [(None, 3)]),
    "in a function": ("async function f() {\n  await new Promise(() => {})\n}\nawait f()", [("f", 2), (None, 4)]),
    "after other calls": (
        "async function f() {\n  await pay(1);\n  await new Promise(() => {})\n}\nasync function g() {\n"
        "  await pay(2);\n  await f();\n}\nawait g()",
        [("f", 3), ("g", 7), (None, 9)],
    ),
    "after other calls, held": (
        "const all = [];\nconst never = () => { const p = new Promise(() => {}); all.push(p); return p };\n"
        "async function f() {\n  await pay(1);\n  await never()\n}\nawait f()",
        [("f", 5), (None, 7)],
    ),
    "an arrow": ("const f = async () => {\n  await new Promise(() => {})\n};\nawait f()", [("f", 2), (None, 4)]),
    "called now and awaited later": (
        "async function f() { await new Promise(() => {}) }\nconst p = f();\nawait pay(1);\nawait p",
        [("f", 1), (None, 4)],
    ),
    "the last value": ("async function f() { await new Promise(() => {}) }\nf()", [("f", 1)]),
    "all of several": ("await Promise.all([pay(1), new Promise(() => {})])", [(None, 1)]),
    "a thenable": ("await {then() {}}", [(None, 1)]),
    "itself": ("const p = (async () => { await 0; await p })();\nawait p", [(None, 1), (None, 2)]),
    "no function": ("new Promise(() => {})", []),
    "in vain": ("(async () => { await new Promise(() => {}) })();\nnew Promise(() => {})", []),
}


@pytest.mark.parametrize(("code", "calls"), HANGS.values(), ids=HANGS)
def test_where_a_program_hangs(code: str, calls: list[tuple[str | None, int]]) -> None:
    error = outcome("blocking", code, filename="p.js").error
    assert type(error) is Stalled
    found = [(each.function, each.line) for each in error.frames]
    assert found == calls
    assert (error.place and error.place.line) == (calls[0][1] if calls else None)
    copy: Stalled = pickle.loads(pickle.dumps(error))
    assert (copy.frames, copy.render()) == (error.frames, error.render())


GOES_ON = {
    "others hang, at addresses that are used again": (
        "async function never() { await new Promise(() => {}) }\n"
        "for (let i = 0; i < 20; i++) { never(); await pay(i) }\n"
        "await new Promise(() => {})",
        [(None, 3)],
    ),
    "in functions": (
        "async function never() { await new Promise(() => {}) }\n"
        "async function f() { for (let i = 0; i < 20; i++) { never(); await pay(i); await 0 } return 1 }\n"
        "await f(); await f();\nawait new Promise(() => {})",
        [(None, 4)],
    ),
    "it waits for the first of two": (
        "async function never() { await new Promise(() => {}) }\n"
        "await Promise.race([never(), pay(1)]);\nawait Promise.any([never(), pay(2)]);\n"
        "await new Promise(() => {})",
        [(None, 4)],
    ),
    "it is a thenable of the program's that hangs": (
        "async function never() { await new Promise(() => {}) }\nconst p = never();\n"
        "for (let i = 0; i < 50; i++) await (async () => { await pay(i) })();\nawait p",
        [("never", 1), (None, 4)],
    ),
}


@pytest.mark.parametrize(("code", "calls"), GOES_ON.values(), ids=GOES_ON)
def test_what_has_gone_on_does_not_hang(code: str, calls: list[tuple[str | None, int]]) -> None:
    error = outcome("blocking", code).error
    assert isinstance(error, Stalled)
    assert [(each.function, each.line) for each in error.frames] == calls


@pytest.mark.parametrize("face", FACES)
def test_hanging_on_each_face(face: str) -> None:
    found = outcome(face, HANGS["after other calls"][0], filename="p.js")
    told = found.to_dict()["error"]
    assert (told["class"], told["line"], told["column"]) == ("Stalled", 3, 9)
    assert "> 3 |   await new Promise" in json.loads(found.preview())["error"]["code"]


def test_each_run_has_its_own() -> None:
    """Also where many functions hang that nobody waits for."""
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute("async function never() { await new Promise(() => {}) } for (let i = 0; i < 100; i++) never()")
        for line in (1, 2, 3):
            error = box.execute("\n" * (line - 1) + "await never()").error
            assert isinstance(error, Stalled)
            assert [each.line for each in error.frames] == [1, line]
        with pytest.raises(Stalled) as caught:
            box.eval("\nawait never()", filename="e.js")
        assert str(caught.value.frames[-1]) == "e.js:2:7"


def test_many_that_hang_cost_little() -> None:
    code = (
        "async function f(n) { await pay(0); return n ? await f(n - 1) : await new Promise(() => {}) }\n"
        "const held = []; for (let i = 0; i < 2000; i++) held.push((async () => { await new Promise(() => {}) })());\n"
        "await f(50)"
    )
    error = outcome("blocking", code).error
    assert isinstance(error, Stalled)
    assert error.frames[0].line == 1
    assert len(error.frames) <= 64


def test_looking_for_what_hangs_has_an_end() -> None:
    """However much there is to look through."""
    code = (
        "let done; const p = new Promise(f => { done = f }); const held = [];\n"
        "async function f() { await p }\n"
        "for (let i = 0; i < 20; i++) { const q = f(); held.push(q); for (let j = 0; j < 300; j++) q.then(() => j) }\n"
        "for (let i = 0; i < 3000; i++) held.push(f());\n"
        "await held.at(-1)"
    )
    with Sandbox() as box:
        before = box.execute(code.replace("await held.at(-1)", "0"))
        cpu_seconds = before.usage.cpu_seconds
        found = box.execute("await held.at(-1)", timeout=10)
        assert isinstance(found.error, Stalled)
        assert [each.line for each in found.error.frames] == [2, 1]
        assert found.usage.cpu_seconds - cpu_seconds < 1
