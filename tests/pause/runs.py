"""What tests of pauses share: a function that asks somebody, and the two halves of a run that it pauses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox import (
    Outcome,
    Pause,
    Sandbox,
    Snapshot,
)
from tests.later_lives import written


async def ask(*arguments: object) -> Any:
    raise Pause("somebody has to answer", count=len(arguments))


ASK: dict[str, Callable[..., Any]] = {"ask": ask}


def paused(code: str, **options: Any) -> Outcome:
    """The outcome of a program that is paused; its sandbox is gone."""
    with Sandbox(**{"functions": ASK, **options}) as box:
        outcome = box.execute(code)
    assert outcome.paused, outcome
    return outcome


def resumed(
    before: Outcome, *answer: Any, carry: Callable[[Snapshot], Snapshot] = written, functions: Any = ASK, **how: Any
) -> Outcome:
    """What comes of a paused program in a sandbox of its own."""
    assert before.snapshot is not None
    with Sandbox.restore(carry(before.snapshot), functions=functions) as life:
        return life.resume(*answer, **how)
