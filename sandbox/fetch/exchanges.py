"""The fetches of one sandbox: where their tasks run, what the guest may ask of them, how many there may be."""

from __future__ import annotations

import importlib
import itertools
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio
import anyio.abc
import anyio.to_thread

from sandbox.fetch.adapters import Adapter, HandlerAdapter
from sandbox.fetch.exchange import Exchange, Said
from sandbox.fetch.failures import FetchFailure

if TYPE_CHECKING:
    from sandbox.fetch.grant import Fetch
    from sandbox.fetch.hops import Hop, RedirectMode

# Responses that are not read to their end, 128 KiB each at most; the one that was left alone for longest goes first.
MOST_OPEN: Final = 256
_CLOSE_SECONDS: Final = 2.0

_T = TypeVar("_T")


class Exchanges:
    """Runs fetches in a task group of its own, which lives as long as the sandbox; a `Service`.

    Everything but the constructor happens on the event loop.
    """

    def __init__(self, grant: Fetch, numbers: Iterator[int]) -> None:
        """Begin with none; `numbers` says what they are called, none of them twice in a sandbox's life."""
        self._grant = grant
        self._adapter: Adapter | None = None
        self._open: dict[int, Exchange] = {}
        self._numbers = numbers
        self._uses = itertools.count(1)
        self._tasks: anyio.abc.TaskGroup | None = None
        self._ready: anyio.Event | None = None
        self._is_stopped = False

    # --- the service ---

    async def serve(self) -> None:
        """Run fetches until `stop`; then end them and close all connections."""
        if self._is_stopped:
            return
        try:
            self._adapter = await self._make_adapter()
            if self._is_stopped:
                return
            async with anyio.create_task_group() as self._tasks:
                self._begin()
                await anyio.sleep_forever()
        except BaseExceptionGroup as group:
            interrupts, _ = group.split(KeyboardInterrupt)
            if interrupts is not None:
                raise KeyboardInterrupt from None
            raise
        finally:
            self._is_stopped = True
            self._open.clear()
            self._begin()
            if self._adapter is not None:
                with anyio.move_on_after(_CLOSE_SECONDS, shield=True):
                    await self._adapter.aclose()

    def _begin(self) -> None:
        """Have those go on that wait for the task group, or for the news that there is none."""
        if self._ready is not None:
            self._ready.set()

    def stop(self) -> None:
        """See `Service`."""
        self._is_stopped = True
        if self._tasks is not None:
            self._tasks.cancel_scope.cancel()
        self._begin()

    # --- what the guest asks ---

    async def send(self, hop: Hop, redirect: RedirectMode) -> Said:
        """Begin a fetch."""
        tasks = await self._group()
        assert self._adapter is not None
        self._make_room()
        exchange = Exchange(next(self._numbers), self._grant, self._adapter, hop, redirect)
        self._open[exchange.number] = exchange
        tasks.start_soon(exchange.run)
        return await self._ask(exchange, exchange.begin)

    async def write(self, number: int, chunk: bytes | None) -> Said:
        """Give the next chunk of a request's body; None: there are no more."""
        exchange = self._find(number)
        return await self._ask(exchange, lambda: exchange.write(chunk))

    async def read(self, number: int) -> list[Any]:
        """Ask for more of a response's body."""
        exchange = self._find(number)
        return await self._ask(exchange, exchange.read)

    async def drop(self, number: int) -> None:
        """Give up a fetch."""
        if (exchange := self._open.pop(number, None)) is not None:
            exchange.cancel()

    def _find(self, number: int) -> Exchange:
        exchange = self._open.get(number)
        if exchange is None or exchange.is_undone:
            raise FetchFailure("dropped")
        return exchange

    # --- between turns; any thread ---

    def disown(self, number: int) -> None:
        """The guest needs this one no more: it ends with `drop`, or when there is another."""
        if (exchange := self._open.get(number)) is not None:
            exchange.is_undone = True

    def note(self) -> dict[int, int]:
        """What there is, and how far the guest has asked of each."""
        return {number: exchange.used for number, exchange in self._open.copy().items()}

    def undo(self, noted: dict[int, int]) -> None:
        """Go back to that: what was begun or asked since is of no use to the guest, which knows nothing of it."""
        for number, exchange in self._open.copy().items():
            exchange.is_undone = exchange.is_undone or noted.get(number) != exchange.used

    # --- the books ---

    async def _group(self) -> anyio.abc.TaskGroup:
        if self._tasks is None and not self._is_stopped:
            self._ready = self._ready or anyio.Event()
            await self._ready.wait()
        if self._tasks is None or self._is_stopped:
            raise FetchFailure("dropped")
        return self._tasks

    async def _ask(self, exchange: Exchange, question: Callable[[], Awaitable[_T]]) -> _T:
        exchange.used = next(self._uses)
        try:
            answer = await question()
        except BaseException:
            self._open.pop(exchange.number, None)
            exchange.cancel()
            raise
        if exchange.is_done():
            self._open.pop(exchange.number, None)
        return answer

    def _make_room(self) -> None:
        for exchange in [exchange for exchange in self._open.values() if exchange.is_undone]:
            del self._open[exchange.number]
            exchange.cancel()
        while len(self._open) >= MOST_OPEN:
            idle = [exchange for exchange in self._open.values() if not exchange.asked]
            if not idle:
                return
            oldest = min(idle, key=lambda exchange: exchange.used)
            del self._open[oldest.number]
            oldest.cancel()

    async def _make_adapter(self) -> Adapter:
        if self._grant.transport is not None:
            return HandlerAdapter(self._grant.transport, self._grant.timeout)
        # It brings an HTTP library, which most programs do without, and whose import would hold up the loop.
        module = await anyio.to_thread.run_sync(importlib.import_module, "sandbox.fetch.network")
        adapter: Adapter = module.NetworkAdapter(self._grant)
        return adapter
