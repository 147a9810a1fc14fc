"""Stops: the host ends a program with a value of its own, and the program has no part in it."""

from __future__ import annotations

import pickle
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Call, Outcome, Sandbox, Stop
from tests.faces import FACES


def answer(value: object) -> None:
    raise Stop(value, reason="the answer is known")


async def answer_later(value: object) -> None:
    await anyio.lowlevel.checkpoint()
    raise Stop(value)


async def answer_in_a_group(value: object) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(answer_later, value)


FUNCTIONS: dict[str, Any] = {"answer": answer, "answerLater": answer_later, "answerInAGroup": answer_in_a_group}

PROGRAMS = {
    "at once": "let a = 1; answer(7); a = 2",
    "nothing catches it": "let a = 1; try { answer(7) } catch { a = 2 } finally { a = 3 }",
    "no iterator is closed": "let a = 1; for (let x of (function* () { try { yield } finally { a = 2 } })()) answer(7)",
    "awaited": "let a = 1; try { await answerLater(7) } catch { a = 2 } finally { a = 3 }",
    "in a group": "let a = 1; await answerInAGroup(7).catch(() => { a = 2 })",
    "nobody waits for it": "let a = 1; answerLater(7); await new Promise(() => {})",
    "in a callback": "let a = 1; [1].map(() => answer(7)); a = 2",
    "in a microtask": "let a = 1; Promise.resolve().then(() => answer(7)).finally(() => { a = 2 }); await 0; await 0",
}


@pytest.mark.parametrize("face", FACES)
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_a_run_is_ended_with_a_value(face: str, code: str) -> None:
    def check(found: Outcome, after: Any) -> None:
        assert (found.ok, found.value, found.error) == (True, 7, None)
        assert isinstance(found.stopped, Stop)
        assert dict(found.variables) == {"a": 1}
        assert after == 1  # the sandbox can be used

    if face == "blocking":
        with Sandbox(functions=FUNCTIONS) as box:
            check(box.execute(code), box.eval("a"))
        return

    async def main() -> None:
        async with AsyncSandbox(functions=FUNCTIONS) as box:
            check(await box.execute(code), await box.eval("a"))

    anyio.run(main, backend=face)


def test_what_is_told_of_a_run_that_was_stopped() -> None:
    code = """const a = 10, b = 20;
let c = 30;
const finish = () => {
  try { answer(a + b) } catch { c = 0 } finally { c = 1 }
};
if (c === 30) {
  finish();
}
c = 2;"""
    with Sandbox(functions=FUNCTIONS) as box:
        found = box.execute(code, trace={"calls", "lines", "variables"})
    assert (found.ok, found.value, found.error) == (True, 30, None)
    assert [(call.name, call.arguments, call.line, call.outcome) for call in found.calls] == [
        ("answer", (30,), 4, "cancelled")
    ]
    assert list(found.lines) == [1, 2, 3, 6, 7, 4]
    variables = dict(found.variables)
    assert found.variables.type("finish") == "function"
    del variables["finish"]
    assert variables == {"a": 10, "b": 20, "c": 30}
    assert found.to_dict()["stopped"] == "the answer is known"


FORGERIES = {
    "an error of that name": "class Stop extends Error {}; throw new Stop('7')",
    "an object of that shape": "throw {name: 'Stop', value: 7, reason: ''}",
    "a value of that shape": "({stopped: true, value: 7})",
    "text": "'Stop(7)'",
}


@pytest.mark.parametrize("code", FORGERIES.values(), ids=FORGERIES)
def test_no_program_can_pass_for_one(code: str) -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        assert box.execute(code).stopped is None


def test_eval_raises_it() -> None:
    with Sandbox(functions=FUNCTIONS) as box:
        for code in ("answer({a: [1]})", "await answerInAGroup({a: [1]})"):
            with pytest.raises(Stop) as caught:
                box.eval(code)
            assert caught.value.value == {"a": [1]}


def test_hooks_may_stop() -> None:
    def hook(call: Call) -> None:
        raise Stop(call.arguments)

    for option in ("on_call", "on_result"):
        options: dict[str, Any] = {option: hook}
        with Sandbox(functions={"f": lambda *_: 1}, **options) as box:
            assert box.execute("try { f(1, 2) } catch {} 5").value == [1, 2]


def test_other_calls_are_cancelled() -> None:
    cancelled: list[bool] = []

    async def wait() -> None:
        try:
            await anyio.sleep_forever()
        except BaseException:
            cancelled.append(True)
            raise

    async def main() -> None:
        async with AsyncSandbox(functions={**FUNCTIONS, "wait": wait}) as box:
            found = await box.execute("wait(); await answerLater(1)")
            assert found.stopped is not None
        assert cancelled == [True]

    anyio.run(main)


def test_it_is_pickled_and_has_a_reason() -> None:
    copy: Stop = pickle.loads(pickle.dumps(Stop({"a": 1}, reason="enough")))
    assert (copy.value, copy.reason, str(copy)) == ({"a": 1}, "enough", "enough")
    assert not isinstance(copy, Exception)
    with pytest.raises(TypeError):
        Stop(1, reason=2)  # type: ignore[arg-type]
