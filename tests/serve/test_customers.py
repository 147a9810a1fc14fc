"""The example of customers' scripts: a sandbox for each request, and what one customer does wrong is no one else's."""

from __future__ import annotations

import logging

import anyio
import pytest

from examples import customers
from sandbox import Pool
from tests.serve.asgi import ask, lifespan, session, websocket


async def get(host: str, path: str = "/", body: bytes = b"") -> tuple[int, bytes]:
    status, _, answer = await ask(customers.app, "POST", path, body, headers=[(b"host", host.encode())])
    return status, answer


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_customers(backend: str, caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with lifespan(customers.app):
            assert sorted(customers.pools) == ["loop.example", "mug.example", "tea.example"]
            assert await get("tea.example:8000", "/a") == (200, b"tea, visit 1, /a")
            assert await get("loop.example") == (500, b"Internal Server Error")
            assert await get("tea.example", "/b") == (200, b"tea, visit 1, /b")
            assert await get("mug.example", body=b"hi") == (200, b'{"said":"hi"}')
            assert await get("typo.example") == await get("other.example") == (404, b"")
            async with session(customers.app, websocket(headers=[])) as one:
                assert await one.hear() == {"type": "websocket.close"}
        assert customers.pools == {}

    caplog.set_level(logging.WARNING, "customers")
    anyio.run(main, backend=backend)

    said = [record.getMessage() for record in caplog.records if record.name == "customers"]
    assert said[0].startswith("typo.example: SyntaxError")
    assert said[1].startswith("loop.example: the CPU time limit of 0.2 seconds was reached")
    assert len(said) == 2


@pytest.mark.parametrize("max_waiting", [0, 1], ids=["PoolFull", "PoolTimeout"])
def test_too_many(max_waiting: int, monkeypatch: pytest.MonkeyPatch) -> None:
    async def main() -> None:
        async with lifespan(customers.app):
            script = "serve({fetch: () => new Response('free')})"
            with Pool(script, size=1, warm=0, max_waiting=max_waiting, timeout=0.01) as small:
                monkeypatch.setitem(customers.pools, "small.example", small)
                async with small.take():
                    assert await get("small.example") == (503, b"")
                assert await get("small.example") == (200, b"free")

    anyio.run(main)
