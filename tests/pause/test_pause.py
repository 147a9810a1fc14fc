"""Pauses: runs that end without their program's knowledge, and go on with an answer, here or elsewhere."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    AsyncSandbox,
    Call,
    JSError,
    Outcome,
    Pause,
    Sandbox,
    Snapshot,
)
from sandbox.errors import (
    CallLimitExceeded,
    Paused,
    UsageError,
)
from tests.pause.runs import ASK, paused, resumed


def test_what_is_told_of_a_pause(carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("const answer = await ask('A-17', {amount: 3}, () => 1); `answer: ${answer}`")

    (call,) = outcome.paused
    assert (outcome.ok, outcome.value, outcome.error) == (False, None, None)
    assert (call.name, call.reason) == ("ask", "somebody has to answer")
    assert call.arguments[:2] == ("A-17", {"amount": 3})
    assert call.arguments[2].startswith("<function")
    assert len(bytes.fromhex(call.token)) == 16
    assert outcome.snapshot is not None
    snapshot = carry(outcome.snapshot)
    assert snapshot.paused == outcome.paused
    assert snapshot.pending == ("ask",)
    assert snapshot.runs == (call.run,)


@pytest.mark.parametrize(
    ("how", "value"),
    [
        ({"value": {"id": [1, None]}}, "value {'id':[1,null]}"),
        ({}, "value undefined"),
        ({"value": None}, "value null"),
        ({"error": PermissionError("not today")}, "NotAllowedError: not today"),
        ({"error": ValueError("too much")}, "RangeError: too much"),
    ],
    ids=["object", "nothing", "null", "denied", "failed"],
)
def test_answers(how: dict[str, Any], value: str, carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused(
        "let text; "
        "try { text = 'value ' + JSON.stringify(await ask(1)) } catch (e) { text = `${e.name}: ${e.message}` }; "
        "text.replaceAll('\"', \"'\")"
    )
    assert resumed(outcome, carry=carry, **how).unwrap() == value


def test_a_program_is_paused_again_and_again(carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("const all = []; for (let i = 0; i < 4; i++) all.push(await ask(i)); all.join()")
    tokens = set()
    for step in range(4):
        (call,) = outcome.paused
        assert call.arguments == (step,)
        tokens.add(call.token)
        outcome = resumed(outcome, f"a{step}", carry=carry)
    assert outcome.unwrap() == "a0,a1,a2,a3"
    assert len(tokens) == 4


@pytest.mark.parametrize("order", [(0, 1, 2), (2, 0, 1), (1, 2, 0)], ids=str)
def test_several_calls_are_answered_one_by_one(order: tuple[int, ...], carry: Callable[[Snapshot], Snapshot]) -> None:
    outcome = paused("(await Promise.all([1, 2, 3].map(ask))).join()")
    calls = outcome.paused
    assert [call.arguments[0] for call in calls] == [1, 2, 3]
    with pytest.raises(UsageError, match="3 calls are paused"):
        resumed(outcome, 1, carry=carry)
    for count, index in enumerate(order, 1):
        outcome = resumed(outcome, f"to {index + 1}", call=calls[index].token, carry=carry)
        assert {call.token for call in outcome.paused} == {calls[each].token for each in order[count:]}
    assert outcome.unwrap() == "to 1,to 2,to 3"


def test_eval_call_and_module_raise_it() -> None:
    with Sandbox(functions=ASK) as box:
        box.eval("const twice = async n => 2 * await ask(n)")
        for begin in (
            lambda: box.eval("await twice(1)"),
            lambda: box.call("twice", 1),
            lambda: box.eval("twice")(1),
            lambda: box.module("export default await twice(1)"),
        ):
            with pytest.raises(Paused, match=r"^the run is paused: ask: somebody has to answer$") as caught:
                begin()
            (call,) = caught.value.calls
            assert box.unfinished == (call.run,) == (caught.value.run,)
            assert box.eval("1 + 1") == 2  # the sandbox can be used meanwhile
            outcome = box.resume(21)
            assert outcome.unwrap() in (42, {"default": 42})
            assert len(box.unfinished) == 0


def test_what_the_sandbox_goes_on_with_is_its_own(carry: Callable[[Snapshot], Snapshot]) -> None:
    """Globals, console, options: a restored sandbox is one as any other, and can be used when the run is over."""
    outcome = paused("let n = 1; n += await ask(); console.log('n is', n); n")
    entries: list[str] = []
    assert outcome.snapshot is not None
    with Sandbox.restore(
        carry(outcome.snapshot), functions=ASK, console=lambda entry: entries.append(entry.text)
    ) as life:
        assert life.resume(5).unwrap() == 6
        assert life.eval("n * 2") == 12
    assert entries == ["n is 6"]


def test_calls_can_be_answered_by_hand() -> None:
    outcome = paused("await ask(1) + 1")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, functions=ASK) as life:
        (call,) = life.pending
        assert call.pause == outcome.paused[0]
        call.settle(41)
        assert life.finish(life.unfinished[0]) == 42


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_face(backend: str) -> None:
    async def main() -> None:
        async with AsyncSandbox(functions=ASK) as box:
            outcome = await box.execute("await ask(1) + await ask(2)")
            assert outcome.paused[0].arguments == (1,)
            outcome = await box.resume(1)
            with pytest.raises(Paused):
                outcome.unwrap()
        assert outcome.snapshot is not None
        async with AsyncSandbox.restore(outcome.snapshot, functions=ASK) as life:
            outcome = await life.resume(41)
            assert outcome.unwrap() == 42
            failed = await life.execute("throw new TypeError('x')")
            assert isinstance(failed.error, JSError)

    anyio.run(main, backend=backend)


def test_tasks_of_one_sandbox_are_paused_each_for_itself() -> None:
    release = threading.Event()

    async def slow() -> str:
        await anyio.to_thread.run_sync(release.wait)
        return "slow"

    async def main() -> None:
        outcomes: dict[str, Outcome] = {}
        async with AsyncSandbox(functions={**ASK, "slow": slow}) as box, anyio.create_task_group() as tasks:

            async def run(name: str, code: str) -> None:
                outcomes[name] = await box.execute(code)

            tasks.start_soon(run, "slow", "await slow()")
            await run("asks", "await ask(1)")
            assert outcomes["asks"].paused
            assert "slow" not in outcomes
            release.set()
        assert outcomes["slow"].unwrap() == "slow"

    anyio.run(main)


# What execute was given, what resume is given, and how many more calls there may be, or what stops one that takes long.
CALL_LIMITS: dict[str, tuple[dict[str, Any], dict[str, Any], int | str]] = {
    "what is left": ({"max_host_calls": 4}, {}, 3),
    "nothing is left": ({"max_host_calls": 1}, {}, 0),
    "others": ({"max_host_calls": 1}, {"max_host_calls": 2}, 2),
    "the longest call": ({"call_timeout": 0.02}, {}, "TimeoutError"),
    "a longer one, and what is left": (
        {"call_timeout": 100, "max_host_calls": 2},
        {"call_timeout": 0.02},
        "TimeoutError",
    ),
    "some where there were none": ({}, {"max_host_calls": 1}, 1),
}


@pytest.mark.parametrize(("given", "how", "rest"), CALL_LIMITS.values(), ids=CALL_LIMITS)
def test_limits_of_calls_go_on_unless_others_are_given(
    given: dict[str, Any], how: dict[str, Any], rest: int | str, carry: Callable[[Snapshot], Snapshot]
) -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    made: list[int] = []
    functions: dict[str, Any] = {**ASK, "one": lambda: made.append(1), "never": never}
    code = "await ask(); if (COUNT) for (;;) one(); return await never().catch(error => error.name)"
    options: dict[str, Any] = {"functions": functions, "globals": {"COUNT": type(rest) is int}}
    with Sandbox(**options) as box:
        before = box.execute(code, trace=(), **given)
    found = resumed(before, 1, carry=carry, functions=functions, **how)
    if type(rest) is int:
        assert isinstance(found.error, CallLimitExceeded)
        assert len(made) == rest
    else:
        assert found.unwrap() == rest


def test_a_call_that_proceeds_is_counted_once(carry: Callable[[Snapshot], Snapshot]) -> None:
    def hook(call: Call) -> None:
        raise Pause

    async def pay(amount: int) -> int:
        return amount

    options: dict[str, Any] = {"functions": {"pay": pay}, "on_call": hook}
    with Sandbox(**options) as box:
        before = box.execute("await pay(7)", max_host_calls=1)
    assert before.snapshot is not None
    with Sandbox.restore(carry(before.snapshot), **options) as life:
        found = life.resume(proceed=True)
    assert found.unwrap() == 7
    assert [(call.name, call.outcome, call.value) for call in found.calls] == [("pay", "value", 7)]


def test_limits_that_are_none_answer_nothing() -> None:
    with Sandbox(functions=ASK) as box:
        box.execute("await ask()")
        with pytest.raises(ValueError, match="calls"):
            box.resume(1, max_host_calls=-1)
        assert box.resume(2, max_host_calls=0).unwrap() == 2
