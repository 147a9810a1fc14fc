"""How a task takes a sandbox of a pool and gives it back, under asyncio and trio."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable
from contextlib import suppress
from typing import TYPE_CHECKING, TypeVar

import anyio
import anyio.lowlevel
import anyio.to_thread

from sandbox import _interrupts
from sandbox._asynchronous import soon

if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncSandbox
    from sandbox.pool.admission import Admission, Ticket

_T = TypeVar("_T")


async def wait(admission: Admission, owner: object, timeout: float | None) -> Ticket:  # noqa: ASYNC109 - of the queue
    """Wait for a place. A cancel point if it has to wait.

    Raises:
        PoolTimeout: None came free in time.
        SandboxClosed: The pool is closed.
    """
    _interrupts.at_checkpoints_only(wait, finish)
    changed, loop, races = anyio.Event(), anyio.lowlevel.current_token(), _interrupts.errors_of_a_race()

    def wake() -> None:
        with suppress(*races):
            changed.set()

    ticket = admission.enter(lambda: soon(loop, wake), None, owner)
    try:
        if ticket.phase == "waiting":
            with anyio.move_on_after(math.inf if timeout is None else timeout):
                await changed.wait()
            admission.give_up(ticket, timeout)
        admission.check(ticket)
    except BaseException:
        admission.leave(ticket)
        raise
    return ticket


async def finish(box: AsyncSandbox, last: Callable[[], Awaitable[None]]) -> None:
    """Do the last things with a sandbox, whatever cancels the task meanwhile, and leave it."""
    try:
        with anyio.CancelScope(shield=True):
            await last()
    finally:
        await box.__aexit__()


async def in_worker(function: Callable[[], _T]) -> _T:
    """Call what may take long on a worker thread. It is waited for, whatever cancels the task meanwhile."""
    with anyio.CancelScope(shield=True):
        return await anyio.to_thread.run_sync(function)
    raise AssertionError  # a shield ends with the block
