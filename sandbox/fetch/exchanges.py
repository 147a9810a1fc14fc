"""The fetches of one sandbox: where their tasks run, what the guest may ask of them, how many there may be."""

from __future__ import annotations

import importlib
from collections.abc import Awaitable, Callable, Iterator
from typing import TYPE_CHECKING, Any, Final, TypeVar

import anyio.to_thread

from sandbox.fetch.adapters import Adapter, HandlerAdapter
from sandbox.fetch.exchange import Exchange, Said
from sandbox.fetch.failures import FetchFailure
from sandbox.network.tasks import Tasks

if TYPE_CHECKING:
    from sandbox.fetch.grant import Fetch
    from sandbox.fetch.hops import Hop, RedirectMode

# Responses that are not read to their end, 128 KiB each at most; the one that was left alone for longest goes first.
MOST_OPEN: Final = 256

_T = TypeVar("_T")


class Exchanges(Tasks[Exchange]):
    """Runs fetches, each in a task of its own."""

    def __init__(self, grant: Fetch, numbers: Iterator[int]) -> None:
        """Begin with none; `numbers` says what they are called, none of them twice in a sandbox's life."""
        super().__init__(numbers)
        self._grant = grant
        self._adapter: Adapter | None = None

    async def _begin(self) -> None:
        self._adapter = await self._make_adapter()

    async def _end(self) -> None:
        if self._adapter is not None:
            await self._adapter.aclose()

    # --- what the guest asks ---

    async def send(self, hop: Hop, redirect: RedirectMode) -> Said:
        """Begin a fetch."""
        tasks = await self._group()
        if tasks is None:
            raise FetchFailure("dropped")
        assert self._adapter is not None
        self._make_room()
        exchange = Exchange(next(self._numbers), self._grant, self._adapter, hop, redirect)
        self._open[exchange.number] = exchange
        tasks.start_soon(exchange.run)
        return await self._ask(exchange, exchange.begin)

    async def write(self, number: int, chunk: bytes | None) -> Said:
        """Give the next chunk of a request's body; None: there are no more."""
        exchange = self._found(number)
        return await self._ask(exchange, lambda: exchange.write(chunk))

    async def read(self, number: int) -> list[Any]:
        """Ask for more of a response's body."""
        exchange = self._found(number)
        return await self._ask(exchange, exchange.read)

    async def drop(self, number: int) -> None:
        """Give up a fetch."""
        if (exchange := self._open.pop(number, None)) is not None:
            exchange.cancel()

    def _found(self, number: int) -> Exchange:
        exchange = self._find(number)
        if exchange is None:
            raise FetchFailure("dropped")
        return exchange

    async def _ask(self, exchange: Exchange, question: Callable[[], Awaitable[_T]]) -> _T:
        self._use(exchange)
        try:
            answer = await question()
        except BaseException:
            self._give_up(exchange)
            raise
        if exchange.is_done():
            self._open.pop(exchange.number, None)
        return answer

    def _make_room(self) -> None:
        self._give_up_undone()
        while len(self._open) >= MOST_OPEN:
            idle = [exchange for exchange in self._open.values() if not exchange.asked]
            if not idle:
                return
            self._give_up(min(idle, key=lambda exchange: exchange.used))

    async def _make_adapter(self) -> Adapter:
        if self._grant.transport is not None:
            return HandlerAdapter(self._grant.transport, self._grant.timeout)
        # It brings an HTTP library, which most programs do without, and whose import would hold up the loop.
        module = await anyio.to_thread.run_sync(importlib.import_module, "sandbox.fetch.network")
        adapter: Adapter = module.NetworkAdapter(self._grant)
        return adapter
