"""What outcomes tell of a program that is paused and goes on: as much as of one that never was, here and elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Deny, Mutation, Outcome, Sandbox, Snapshot, undefined
from sandbox.errors import UsageError
from sandbox.trace import CallEvent, CommentEvent, ConsoleEvent, TraceOption, Unavailable
from tests.faces import FACES
from tests.later_lives import written
from tests.pause.runs import ASK

ALL: tuple[TraceOption, ...] = ("console", "calls", "variables", "lines", "comments")
PROGRAM = """let total = 1;
console.log("first");
user.city = "Quebec";
// Somebody has to know.
const answer = await ask(5);
for (let i = 0; i < 2; i++) total += answer;
console.log("second");
user.tags.push(await add(1, 2));
return total"""


async def add(a: int, b: int) -> int:
    return a + b


FUNCTIONS: dict[str, Callable[..., Any]] = {**ASK, "add": add}


def given() -> dict[str, Any]:
    return {"user": {"city": "Lima", "tags": ["new"]}}


def told(outcome: Outcome) -> list[tuple[Any, ...]]:
    """The events, in short."""
    shown: list[tuple[Any, ...]] = []
    for event in outcome.events:
        match event:
            case ConsoleEvent():
                shown.append((event.line, event.text))
            case CallEvent():
                shown.append((event.line, event.name, event.arguments, event.outcome, event.value))
            case CommentEvent():
                shown.append((event.line, event.text))
    return shown


def check_first(first: Outcome, context: dict[str, Any]) -> None:
    assert told(first) == [
        (2, "first"),
        (4, "Somebody has to know."),
        (5, "ask", (5,), "paused", undefined),
    ]
    assert dict(first.variables) == {"total": 1}
    assert dict(first.lines) == {1: 1, 2: 1, 3: 1, 5: 1}
    assert first.mutations == (Mutation(("user", "city"), "Lima", "Quebec"),)
    assert context == given()  # what is changed in place is, when the program has ended


def check_second(second: Outcome, first: Outcome) -> None:
    assert second.unwrap() == 85
    assert told(second) == [
        (None, "ask", (5,), "value", 42),
        (7, "second"),
        (8, "add", (1, 2), "value", 3),
    ]
    seconds = [event.seconds for event in (*first.events, *second.events)]
    assert seconds == sorted(seconds)
    assert dict(second.variables) == {"total": 85, "answer": 42}
    assert dict(second.lines) == {1: 1, 2: 1, 3: 1, 5: 1, 6: 1, 7: 1, 8: 1, 9: 1}
    assert second.mutations == (
        Mutation(("user", "city"), "Lima", "Quebec"),
        Mutation(("user", "tags", 1), undefined, 3),
    )


@pytest.mark.parametrize("face", FACES)
def test_in_one_sandbox(face: str) -> None:
    context = given()
    user = context["user"]
    arguments: dict[str, Any] = {"context": context, "sync": "inplace", "trace": ALL}

    def check(first: Outcome, second: Outcome) -> None:
        check_second(second, first)
        assert context["user"] is user
        assert user == {"city": "Quebec", "tags": ["new", 3]}

    if face == "blocking":
        with Sandbox(functions=FUNCTIONS) as box:
            outcome = box.execute(PROGRAM, **arguments)
            check_first(outcome, context)
            check(outcome, box.resume(42))
        return

    async def main() -> None:
        async with AsyncSandbox(functions=FUNCTIONS) as box:
            outcome = await box.execute(PROGRAM, **arguments)
            check_first(outcome, context)
            check(outcome, await box.resume(42))

    anyio.run(main, backend=face)


@pytest.mark.parametrize("face", FACES)
def test_elsewhere(face: str, carry: Callable[[Snapshot], Snapshot]) -> None:
    context, others = given(), given()
    with Sandbox(functions=FUNCTIONS) as box:
        first = box.execute(PROGRAM, context=context, sync="inplace", trace=ALL)
    check_first(first, context)
    assert first.snapshot is not None
    snapshot = carry(first.snapshot)
    if face == "blocking":
        with Sandbox.restore(snapshot, functions=FUNCTIONS) as life:
            check_second(life.resume(42, context=others), first)
    else:

        async def main() -> Outcome:
            async with AsyncSandbox.restore(snapshot, functions=FUNCTIONS) as life:
                return await life.resume(42, context=others)

        check_second(anyio.run(main, backend=face), first)
    assert others == {"user": {"city": "Quebec", "tags": ["new", 3]}}
    assert context == given()


def test_without_its_objects_changes_are_told(carry: Callable[[Snapshot], Snapshot]) -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        first = box.execute(PROGRAM, context=given(), sync="diff", trace=ALL)
    assert first.snapshot is not None
    with Sandbox.restore(carry(first.snapshot), functions=FUNCTIONS) as life:
        check_second(life.resume(42), first)


def test_other_objects_take_the_changes() -> None:
    context, others = given(), {"user": {"city": "Oslo", "tags": []}, "more": 1}
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute(PROGRAM, context=context, sync="inplace")
        box.resume(42, context=others)
    assert (context, others) == (given(), {"user": {"city": "Quebec", "tags": ["new", 3]}, "more": 1})


def test_several_pauses() -> None:
    code = """const got = [];
for (let i = 0; i < 3; i++) {
  console.log(i);
  got.push(await ask(i));
}
user.got = got;"""
    context = given()
    with Sandbox(functions=FUNCTIONS) as box:
        parts = [box.execute(code, context=context, sync="inplace", trace=ALL)]
        while parts[-1].paused:
            snapshot = parts[-1].snapshot
            assert snapshot is not None
            parts.append(box.resume(len(parts) * 10))
    assert [[event.text for event in part.console] for part in parts] == [["0"], ["1"], ["2"], []]
    assert [part.variables.get("got") for part in parts] == [[], [10], [10, 20], [10, 20, 30]]
    assert [dict(part.lines) for part in parts[:3]] == [{1: 1, 2: 1, 3: n, 4: n} for n in range(1, 4)]
    assert dict(parts[3].lines) == {1: 1, 2: 1, 3: 3, 4: 3, 6: 1}
    assert [len(part.mutations) for part in parts] == [0, 0, 0, 1]
    assert context["user"]["got"] == [10, 20, 30]


def test_what_was_not_asked_for_is_not_told_later() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute(PROGRAM, context=given(), trace=())
        found = box.resume(42)
        assert (found.value, found.events, dict(found.variables), dict(found.lines)) == (85, (), {}, {})
        with pytest.raises(UsageError):
            box.resume(1)


def test_a_run_of_eval_has_a_value_and_no_more() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        with pytest.raises(Exception, match="paused"):
            box.eval("const a = await ask(1); console.log(1); a")
        found = box.resume(7)
        assert (found.value, found.events, dict(found.variables)) == (7, (), {})


def test_answers_that_are_errors_are_told() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute("let no; try { await ask(1) } catch (error) { no = error.message }")
        found = box.resume(error=PermissionError("not you"))
    (call,) = found.calls
    assert (call.outcome, repr(call.error)) == ("error", "PermissionError('not you')")
    assert found.variables["no"] == "not you"


def test_a_later_part_that_fails_tells_as_much() -> None:
    context = given()
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute("let a = 1; user.city = 'Q'; await ask(); a = 2; null.x", context=context, sync="inplace")
        found = box.resume()
        assert str(found.error) == "TypeError: cannot read property 'x' of null"
        assert dict(found.variables) == {"a": 2}
        assert context["user"]["city"] == "Q"
        box.execute("let b = 1; await ask(); b = 2; for (;;);")
        found = box.resume(timeout=0.05)
        assert (type(found.error).__name__, found.variables["b"]) == ("WallLimitExceeded", 2)


def test_runs_at_the_same_time_have_their_own(carry: Callable[[Snapshot], Snapshot]) -> None:
    async def main() -> list[Outcome]:
        async with AsyncSandbox(functions=FUNCTIONS) as box:
            found = [
                await box.execute(f"let v{n} = {n}; console.log({n}); v{n} = await ask({n}); console.log(-{n})")
                for n in range(1, 4)
            ]
            later = [await box.resume(10 * n, call=found[n - 1].paused[-1].token) for n in (3, 1, 2)]
        assert [dict(each.variables) for each in found] == [{"v1": 1}, {"v2": 2}, {"v3": 3}]
        return later

    later = anyio.run(main)
    assert [[event.text for event in each.console] for each in later] == [["-3"], ["-1"], ["-2"]]
    assert [dict(each.variables) for each in later] == [{"v3": 30}, {"v1": 10}, {"v2": 20}]


def test_a_twin_goes_on_with_what_was_told() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        first = box.execute(PROGRAM, context=given(), sync="diff", trace=ALL)
        with box.fork() as twin:
            check_second(twin.resume(42), first)


# --- at the pause nothing of the program runs -------------------------------------------------------------------------

UNSEEN = {
    "a getter": "const v = {get x() { note('x'); return 1 }, y: 2}",
    "a getter of a class": "const v = new (class { get x() { note('x') } z = 1 })()",
    "a proxy": "const v = new Proxy({}, {get() { note('get') }, ownKeys() { note('keys'); return [] }})",
    "a proxy of an array": "const v = new Proxy([1], {get(a, b) { note('get'); return a[b] }})",
    "toJSON": "const v = {toJSON() { note('json') }}",
    "an array with a getter": "const v = [1, 2]; Object.defineProperty(v, 1, {get() { note('x') }})",
    "an error": "const v = Object.defineProperty(new Error('a'), 'cause', {get() { note('cause') }})",
    "an iterator": "const v = {*[Symbol.iterator]() { note('iterated') }}[Symbol.iterator]()",
    "a global that is a getter": "const v = 1; Object.defineProperty(globalThis, 'user', {get() { note('user') }})",
    "Object.prototype": "const v = {a: 1}; Object.defineProperty(Object.prototype, 'then', {get() { note('then') }})",
    "Array.prototype": "const v = [,1]; Object.defineProperty(Array.prototype, 0, {get() { note('0') }, set() {}})",
    "a symbol": "const v = Symbol(), w = {get x() { note('x') }}",
}


@pytest.mark.parametrize("code", UNSEEN.values(), ids=UNSEEN)
def test_the_program_does_not_see_that_it_is_looked_at(code: str) -> None:
    watched = f"globalThis.seen = []; const note = what => {{ seen.push(what) }}; {code}; await ask(); seen.join()"
    with Sandbox(functions=FUNCTIONS) as box:
        found = box.execute(watched, context=given(), sync="diff")
        assert "v" in found.variables
        assert box.resume().unwrap() == ""


def test_what_only_the_program_could_tell_is_unavailable() -> None:
    code = "const plain = {get x() { return 1 }, y: 2}, odd = new Proxy({}, {}), f = () => 7; await ask(); 0"
    with Sandbox(functions=FUNCTIONS) as box:
        found = box.execute(code)
        assert found.variables["plain"] == {"x": undefined, "y": 2}
        assert isinstance(found.variables["odd"], Unavailable)
        assert found.variables["f"]() == 7
        later = box.resume()
        assert later.variables["plain"] == {"x": 1, "y": 2}


def test_a_promise_that_is_looked_at_is_the_programs_business() -> None:
    """Nobody else has handled its rejection."""
    code = (
        "let fail; const p = new Promise((_, reject) => { fail = reject });"
        "globalThis.told = 0; addEventListener('unhandledrejection', e => { told++; e.preventDefault() });"
        "await ask(); fail(1); await new Promise(done => setTimeout(done, 1)); told"
    )
    with Sandbox(functions=FUNCTIONS, clock="virtual") as box:
        assert box.execute(code).variables.type("p") == "Promise"
        assert box.resume().unwrap() == 1


def test_hooks_hear_of_no_look() -> None:
    heard: list[str] = []

    def hook(call: Any) -> Deny | None:
        heard.append(call.name)
        return None

    with Sandbox(functions=FUNCTIONS, on_call=hook) as box:
        box.execute("const v = {get x() { return add(1, 2) }}; await ask()")
        assert heard == ["ask"]


# --- what a snapshot has of it ----------------------------------------------------------------------------------------


def test_functions_of_a_context_are_given_again() -> None:
    def context(times: int) -> dict[str, Any]:
        return {"db": {"find": lambda key: key * times, "rows": [1]}, "f": len}

    code = "await ask(); db.rows.push(db.find('x').length); db.more = f([1, 2]); db.rows"
    with Sandbox(functions=FUNCTIONS) as box:
        first = box.execute(code, context=context(2), sync="diff")
    assert first.snapshot is not None
    with Sandbox.restore(written(first.snapshot), functions=FUNCTIONS, globals=context(3)) as life:
        found = life.resume()
    assert found.unwrap() == [1, 3]
    assert {each.path: each.after for each in found.mutations} == {("db", "rows", 1): 3, ("db", "more"): 2}


def test_wrong_contexts() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        box.execute("await ask()")
        for wrong in ([1], {1: 2}):
            with pytest.raises(TypeError, match="context"):
                box.resume(context=wrong)  # type: ignore[arg-type]
        assert box.resume(5, context={"unknown": 1}).unwrap() == 5
