"""Limits of requests: each has a budget of its own, and `on_limit` says what is left behind."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Limits, Request
from sandbox.errors import (
    CpuLimitExceeded,
    FuelLimitExceeded,
    RunInterrupted,
    SandboxPoisoned,
    WallLimitExceeded,
)
from tests.serve.conftest import PROGRAM, Client, read

Served = Callable[..., Any]
_CPU = Limits(cpu_seconds=0.2)


def test_each_request_has_its_own_budget(served: Served) -> None:
    async def work(client: Client) -> None:
        for _ in range(3):
            with pytest.raises(CpuLimitExceeded):
                await client.ask("GET", "/spins")
            assert await client.text("GET", "/unread") == "I did not look"
        assert await client.text("GET", "/counter") == "4"

    served(work, limits=_CPU)


def test_rollback(served: Served) -> None:
    async def work(client: Client) -> None:
        assert await client.text("GET", "/counter") == "1"
        with pytest.raises(CpuLimitExceeded) as caught:
            await client.ask("GET", "/spins")
        assert caught.value.rolled_back
        assert await client.text("GET", "/counter") == "2"

    served(work, limits=_CPU, on_limit="rollback")


def test_poison(served: Served) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(CpuLimitExceeded):
            await client.ask("GET", "/spins")
        with pytest.raises(SandboxPoisoned):
            await client.ask("GET", "/unread")

    served(work, limits=_CPU, on_limit="poison")


@pytest.mark.parametrize(
    ("budget", "path", "error"),
    [
        ({"timeout": 0.1}, "/slow?5000", WallLimitExceeded),
        ({"timeout": 0.1}, "/spins", WallLimitExceeded),
        ({"fuel": 1_000_000}, "/spins", FuelLimitExceeded),
    ],
)
def test_budgets_of_one_request(served: Served, budget: dict[str, Any], path: str, error: type[Exception]) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(error):
            await client.ask("GET", path, **budget)

    served(work)


def test_the_time_of_a_response_counts(served: Served) -> None:
    """A reader that dawdles does not keep a request for ever."""

    async def work(client: Client) -> None:
        response = await client.ask("GET", "/endless", timeout=0.7)
        await anyio.sleep(0.8)
        with pytest.raises(WallLimitExceeded):
            await read(response)
        assert await client.text("GET", "/unread") == "I did not look"

    served(work)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_requests_at_one_time_are_rolled_back_together(backend: str) -> None:
    async def main() -> None:
        outcomes: dict[str, Any] = {}

        async def ask(path: str) -> None:
            try:
                outcomes[path] = await box.dispatch(Request("GET", f"http://a.test{path}"))
            except Exception as error:  # noqa: BLE001 - that is what is looked at
                outcomes[path] = error

        async with AsyncSandbox(limits=_CPU, on_limit="rollback") as box:
            await box.module(PROGRAM)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, "/slow?3000")
                await Client(box).until("1")
                tasks.start_soon(ask, "/spins")
            assert isinstance(outcomes["/spins"], CpuLimitExceeded)
            assert isinstance(outcomes["/slow?3000"], RunInterrupted)
            assert outcomes["/slow?3000"].rolled_back
            assert (await Client(box).text("GET", "/counter")) == "1"

    anyio.run(main, backend=backend)
