"""Hooks that fail, that are given up, and that never come to decide."""

from __future__ import annotations

import threading
from functools import partial
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread
import pytest

from sandbox import Call, CallLimits, Capability, HostFunction, Limits, Sandbox, undefined
from sandbox.errors import RunInterrupted, WallLimitExceeded
from tests.called import FUNCTIONS
from tests.faces import evaluate

ESCAPES = [
    "try { add(1, 2) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "try { await later(1) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "try { waited(1) } catch (e) { leak(String(e)) } finally { leak('finally') } leak('after')",
    "later(1).then(leak, leak).finally(() => leak('finally')); await never()",
]


@pytest.mark.parametrize("code", ESCAPES)
@pytest.mark.parametrize("when", ["on_call", "on_result"])
@pytest.mark.parametrize("is_asynchronous", [False, True], ids=["plain", "async"])
def test_what_a_hook_raises_is_the_embedders(face: str, code: str, when: str, is_asynchronous: bool) -> None:
    leaked: list[str] = []

    def hook(_call: Call) -> None:
        raise LookupError("of the hook")

    async def hook_later(_call: Call) -> None:
        await anyio.lowlevel.checkpoint()
        raise LookupError("of the hook")

    hooks = dict.fromkeys(("add", "later", "waited"), hook_later if is_asynchronous else hook)
    with pytest.raises(LookupError, match="of the hook"):
        functions = {**FUNCTIONS, "leak": lambda value: leaked.append(str(value))}
        evaluate(face, code, functions=functions, **{when: hooks})
    # What waits for an asynchronous one is told that its run has ended, as ever.
    assert set(leaked) <= {"AbortError: the run that waited for this was ended", "finally", "after"}
    assert leaked == [] or "await" in code


def test_a_hook_that_decides_nothing_known(face: str) -> None:
    with pytest.raises(TypeError, match="a hook returns an Answer, a Deny or None, not bool"):
        evaluate(face, "try { add(1, 2) } catch {}", functions=FUNCTIONS, on_call=lambda _call: True)


def test_the_sandbox_goes_on_after_a_hook_has_failed() -> None:
    hooks = iter([LookupError(), None])

    def hook(_call: Call) -> None:
        if (error := next(hooks)) is not None:
            raise error

    with Sandbox(functions=FUNCTIONS, on_call=hook) as box:
        with pytest.raises(LookupError):
            box.eval("add(1, 2)")
        assert box.eval("add(1, 2)") == 3


def test_a_failure_in_a_nested_use_ends_the_outer_run() -> None:
    def outer() -> str:
        try:
            box.eval("add(1, 2)")
        except Exception:  # noqa: BLE001 - any that it could be
            return "caught"
        return "nothing"

    def hook(_call: Call) -> None:
        raise LookupError("of the hook")

    with Sandbox(functions={**FUNCTIONS, "outer": outer}, on_call={"add": hook}) as box:
        with pytest.raises(LookupError, match="of the hook"):
            box.eval("try { outer() } catch {} 'leaked'")
        assert box.eval("1 + 1") == 2


def test_what_is_no_exception_passes(face: str) -> None:
    def hook(_call: Call) -> None:
        raise KeyboardInterrupt

    for code in ("add(1, 2)", "await later(1)"):
        with pytest.raises(KeyboardInterrupt):
            evaluate(face, code, functions=FUNCTIONS, on_call=hook)


# --- hooks and calls that are given up --------------------------------------------------------------------------------


def test_a_rollback_with_a_timer_whose_hook_waits() -> None:
    """What was pending before the run that is undone is answered after it."""
    opened = threading.Event()

    async def hook(_call: Call) -> None:
        await anyio.to_thread.run_sync(opened.wait)

    with Sandbox(
        functions={"open": opened.set, "pause": HostFunction(partial(anyio.sleep, 0.03), wait=True)},
        on_call={"setTimeout": hook},
        on_limit="rollback",
        limits=Limits(wall_seconds=0.5),
    ) as box:
        box.eval("globalThis.fired = 0; setTimeout(() => { fired++ }, 1); 0")
        with pytest.raises(WallLimitExceeded):
            box.eval("open(); pause(); await new Promise(() => setTimeout(() => {}, 1e6))")
        box.run_until_idle()
        assert box.eval("fired") == 1


def test_calls_that_wait_for_a_place_and_are_given_up() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, limits=Limits(concurrent_calls=1, wall_seconds=0.3)) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("await Promise.all([never(), never(), later(1)])")
        assert [call.outcome for call in calls] == ["cancelled"] * 3
        assert calls[1].host_seconds < 0.2


def test_hooks_that_were_begun_and_never_awaited_are_closed() -> None:
    calls: list[Call] = []

    async def hook(call: Call) -> None:
        raise AssertionError("nobody starts it")

    def watch(call: Call) -> Any:
        calls.append(call)
        return hook(call)

    with Sandbox(functions=FUNCTIONS, on_call=watch, limits=Limits(concurrent_calls=1, wall_seconds=0.3)) as box:
        with pytest.raises(AssertionError):
            box.eval("never()")
        box.interrupt()
    assert [call.outcome for call in calls] == ["cancelled"]


def test_what_goes_on_after_it_was_cancelled_changes_nothing() -> None:
    """A function that shields itself ends some time after its run, when its call has its end already."""
    calls: list[Call] = []
    answered: list[Call] = []
    over = threading.Event()

    async def stubborn() -> str:
        with anyio.CancelScope(shield=True):
            await anyio.sleep(0.2)
        over.set()
        return "too late"

    options: dict[str, Any] = {"on_call": calls.append, "on_result": answered.append}
    with Sandbox(functions={"f": stubborn}, limits=Limits(wall_seconds=0.1), **options) as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("f()")
        assert (calls[0].outcome, answered) == ("cancelled", [])
        assert over.wait(5)
        assert box.eval("1 + 1") == 2
    assert (calls[0].outcome, calls[0].value, answered) == ("cancelled", undefined, [])
    assert box.usage.calls["f"].calls == 1


def test_an_interrupt_ends_a_hook_that_a_plain_call_waits_for() -> None:
    async def hook(_call: Call) -> None:
        threading.Timer(0.02, box.interrupt).start()
        await anyio.sleep_forever()

    with Sandbox(functions=FUNCTIONS, on_call=hook) as box, pytest.raises(RunInterrupted):
        box.eval("add(1, 2)")


def test_arguments_that_cannot_cross_are_refused_before_hooks() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, call_limits={"*": CallLimits(calls=2)}) as box:
        code = "try {{ await {}(new Date(NaN)) }} catch (e) {{ e.name }}"
        assert box.eval(code.format("later")) == "TypeError"
        assert box.eval(code.format("add")) == "TypeError"
        assert calls == []
        assert (box.usage.calls["add"].failed, box.usage.calls["later"].failed) == (1, 1)


class Odd(Capability):
    stem = "odd"

    def handlers(self) -> Any:
        return {"f": lambda *_: 1}

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        return [arguments[5]]


def test_a_description_that_fails_leaves_the_arguments() -> None:
    seen: list[Any] = []
    with Sandbox(capabilities=[Odd()], on_call=lambda call: seen.append(call.arguments)) as box:
        assert box.eval("odd.f(1, 2)") == 1
    assert seen == [[1, 2]]
