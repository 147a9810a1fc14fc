"""What goes on for a guest between its turns: tasks of their own, as many as it has things open."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Final, Generic, Protocol, TypeVar

import anyio
import anyio.abc

_CLOSE_SECONDS: Final = 2.0


class Signal:
    """Wakes whoever waits for a change."""

    def __init__(self) -> None:
        self._event = anyio.Event()

    def set(self) -> None:
        """Something has changed."""
        event, self._event = self._event, anyio.Event()
        event.set()

    async def wait(self) -> None:
        """Wait until something has changed."""
        await self._event.wait()


class Open(Protocol):
    """Something that a guest has open.

    Attributes:
        number: What the guest calls it.
        used: When it was last asked for something, as a count.
        is_undone: Whether the guest has forgotten of it what it was told; any thread may set it, between turns.
    """

    number: int
    used: int
    is_undone: bool

    def cancel(self) -> None:
        """Nobody is interested any more."""


_O = TypeVar("_O", bound=Open)


class Tasks(Generic[_O]):
    """What a guest has open, and the task group it runs in, which lives as long as the sandbox; a `Service`.

    Everything but the constructor happens on the event loop, if it does not say otherwise.
    """

    def __init__(self, numbers: Iterator[int]) -> None:
        """Begin with none; `numbers` says what they are called, none of them twice in a sandbox's life."""
        self._open: dict[int, _O] = {}
        self._numbers = numbers
        self._uses = itertools.count(1)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._ready: anyio.Event | None = None
        self._is_stopped = False

    # --- the service ---

    async def serve(self) -> None:
        """Run tasks until `stop`; then end them."""
        if self._is_stopped:
            return
        try:
            await self._begin()
            if self._is_stopped:
                return
            async with anyio.create_task_group() as self._tasks:
                self._go_on()
                await anyio.sleep_forever()
        except BaseExceptionGroup as group:
            interrupts, _ = group.split(KeyboardInterrupt)
            if interrupts is not None:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._is_stopped = True
            self._open.clear()
            self._go_on()
            with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                await self._end()

    def stop(self) -> None:
        """See `Service`."""
        self._is_stopped = True
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        self._go_on()

    async def _begin(self) -> None:
        """Make what the tasks need."""

    async def _end(self) -> None:
        """Close it, when all of them have ended."""

    def _go_on(self) -> None:
        """Have those go on that wait for the task group, or for the news that there is none."""
        if self._ready is not None:
            self._ready.set()

    async def _group(self) -> anyio.abc.TaskGroup | None:
        """The task group; None: there is none any more."""
        if self._tasks is None and not self._is_stopped:
            self._ready = self._ready or anyio.Event()
            await self._ready.wait()
        return None if self._is_stopped else self._tasks

    # --- the books ---

    def _find(self, number: int) -> _O | None:
        """What the guest calls by a number, unless it has forgotten some of it."""
        found = self._open.get(number)
        return None if found is None or found.is_undone else found

    def _use(self, used: _O) -> None:
        used.used = next(self._uses)

    def _give_up(self, given_up: _O) -> None:
        self._open.pop(given_up.number, None)
        given_up.cancel()

    def _give_up_undone(self) -> None:
        for undone in [each for each in self._open.values() if each.is_undone]:
            self._give_up(undone)

    # --- between turns; any thread ---

    def disown(self, number: int) -> None:
        """The guest needs this one no more."""
        if (found := self._open.get(number)) is not None:
            found.is_undone = True

    def note(self) -> dict[int, int]:
        """What there is, and how far the guest has asked of each."""
        return {number: each.used for number, each in self._open.copy().items()}

    def undo(self, noted: dict[int, int]) -> None:
        """Go back to that: what was begun or asked since is of no use to the guest, which knows nothing of it."""
        for number, each in self._open.copy().items():
            each.is_undone = each.is_undone or noted.get(number) != each.used
