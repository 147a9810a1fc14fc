"""Hooks that pause calls, and what is asked and told of those in each life."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import (
    Answer,
    AuditLog,
    Call,
    Deny,
    Pause,
    Sandbox,
)
from sandbox.errors import (
    UsageError,
)
from tests.later_lives import written
from tests.pause.runs import ASK


def _pause_large(call: Call) -> None:
    if call.arguments[0] > 100:
        raise Pause("too large", limit=100)


async def _pause_large_later(call: Call) -> None:
    await anyio.lowlevel.checkpoint()
    _pause_large(call)


@pytest.mark.parametrize("hook", [_pause_large, _pause_large_later], ids=["plain", "async"])
def test_a_hook_pauses_and_the_function_is_called_when_it_may_proceed(hook: Callable[[Call], Any]) -> None:
    paid: list[int] = []

    async def pay(amount: int) -> str:
        paid.append(amount)
        return f"paid {amount}"

    functions = {"pay": pay}
    with Sandbox(functions=functions, on_call=hook) as box:
        outcome = box.execute("[await pay(5), await pay(500)].join()")
    assert (paid, outcome.paused[0].details) == ([5], {"limit": 100})
    assert outcome.snapshot is not None
    with Sandbox.restore(written(outcome.snapshot), functions=functions, on_call=hook) as life:
        assert life.resume(proceed=True).unwrap() == "paid 5,paid 500"
    assert paid == [5, 500]


def test_to_proceed_in_thesame_sandbox() -> None:
    calls: list[int] = []

    async def pay(amount: int) -> int:
        calls.append(amount)
        if len(calls) == 1:
            raise Pause("first time")
        return amount

    with Sandbox(functions={"pay": pay}) as box:
        assert box.execute("await pay(7)").paused
        assert box.resume(proceed=True).unwrap() == 7
        assert box.execute("await pay(8)").unwrap() == 8
        with pytest.raises(UsageError, match="no call is paused"):
            box.resume()
    assert calls == [7, 7, 8]


def test_a_hook_that_decides_is_asked_in_every_life() -> None:
    """Only the call that may proceed is not asked about."""

    def hook(call: Call) -> Answer | Deny | None:
        if call.arguments == ["ask me"]:
            raise Pause
        return Deny("never")

    async def function(text: str) -> str:
        return text

    options: dict[str, Any] = {"functions": {"f": function}, "on_call": hook}
    with Sandbox(**options) as box:
        outcome = box.execute("const a = await f('ask me'); a + await f('other').catch(e => `: ${e.message}`)")
    assert outcome.snapshot is not None
    with Sandbox.restore(outcome.snapshot, **options) as life:
        assert life.resume(proceed=True).unwrap() == "ask me: f: never"


def test_the_audit_log_tells_of_pauses() -> None:
    entries: list[Any] = []
    log = AuditLog(entries.append)
    with Sandbox(functions=ASK, audit=log) as box:
        assert box.execute("await ask(1)").paused
        assert [(entry.event, entry.outcome) for entry in entries] == [("call", None), ("result", "paused")]
        assert box.resume(proceed=True).paused
    assert [entry.outcome for entry in entries if entry.event == "result"] == ["paused", "paused"]
