"""Putting a sandbox aside: what its program still waits for and has planned ends, and all else stays.

The program is told of its calls that they were aborted, in turns of its own, under limits. Timers are forgotten by the
binding that has them. Neither is relied on for safety: a guest that owns its engine may do as it likes with its memory.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import FIRST_DYNAMIC_OP
from sandbox.errors import GuestError, RunInterrupted
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._driver import Driver, Steps
    from sandbox._runs import Run
    from sandbox._snapshot_state import State

# What is aborted may ask for more, for this often.
_ROUNDS: Final = 8


def putting_aside(driver: Driver) -> Iterator[Callable[[Run], Steps[Any]]]:
    """The runs that put a sandbox aside, one after the other; those in progress are interrupted first."""
    driver.stop(RunInterrupted("the sandbox was put aside"))
    for _ in range(_ROUNDS):
        if not driver.lives.requests.host_calls():
            break
        yield lambda run: _abort_calls(driver, run)
    yield lambda run: driver.drive(run, lambda number: driver.guest.call(number, 0, undefined, ["timers.clear"]))


def _abort_calls(driver: Driver, run: Run) -> Steps[None]:
    requests = driver.lives.requests
    requests.abort(requests.host_calls())
    with suppress(GuestError):  # what the program makes of it is nobody's business any more
        yield from driver.settle_leftovers(run)


def without_calls(state: State) -> State:
    """What the host knows of a sandbox that was put aside: functions of the embedder are not waited for any more."""
    return state._replace(
        runs=(),
        abandoned=(*state.abandoned, *state.runs),
        requests=tuple(each for each in state.requests if 0 < each.op < FIRST_DYNAMIC_OP),
        pauses=(),
        paused_run=0,
    )
