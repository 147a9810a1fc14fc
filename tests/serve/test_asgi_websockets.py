"""asgi(): WebSockets, by messages as a server would send them; under asyncio and trio."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import JSError, Limits
from sandbox.errors import CpuLimitExceeded
from tests.serve.asgi import Session, ask, session, until, websocket
from tests.serve.conftest import App, until_guest


async def connect(one: Session) -> None:
    await one.say("websocket.connect")
    assert await one.hear() == {"type": "websocket.accept", "subprotocol": "chat", "headers": [(b"x-socket", b"yes")]}


def test_messages(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket("/socket?greet")) as one:
            await one.say("websocket.connect")
            await one.say("websocket.receive", text="early", bytes=None)
            assert (await one.hear())["type"] == "websocket.accept"
            assert await one.hear() == {"type": "websocket.send", "text": "hello"}
            assert await one.hear() == {"type": "websocket.send", "text": "early"}
            await one.say("websocket.receive", bytes=b"\x89PNG\0\xff")
            assert await one.hear() == {"type": "websocket.send", "bytes": b"\x89PNG\0\xff"}
            await one.say("websocket.receive", text="")
            assert await one.hear() == {"type": "websocket.send", "text": ""}
            await one.say("websocket.disconnect", code=1000, reason="bye")
            await until(lambda: one.is_done)
        assert await app.box.eval("seen.closed") == [3, 1000, "bye", 3, 0]
        assert app.errors == []

    serving(work)


@pytest.mark.parametrize(
    ("message", "close", "seen", "errors"),
    [
        ("close", (4001, "as asked"), [1, 4001, "as asked", 3, 0], []),
        ("throw", (1011, ""), [1, 1011, "", 3, 0], [JSError]),
        ("spin", (1011, ""), [1, 1011, "", 3, 0], [CpuLimitExceeded]),
    ],
)
def test_how_it_is_closed_from_here(
    serving: Callable[..., None], message: str, close: tuple[int, str], seen: list[Any], errors: list[Any]
) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket()) as one:
            await connect(one)
            await one.say("websocket.receive", text=message)
            got = await one.hear()
            assert got == {"type": "websocket.close", "code": close[0], "reason": close[1]}
            await until(lambda: one.is_done)
        assert await app.box.eval("seen.closed") == seen
        assert [type(error) for error in app.errors] == errors

    serving(work)


def test_a_connection_that_is_lost(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket()) as one:
            await connect(one)
            await one.say("websocket.disconnect", code=1006)
            await until(lambda: one.is_done)
        assert await app.box.eval("[seen.error, seen.closed]") == ["the connection was lost", [0, 1006, "", 3, 0]]

    serving(work)


def test_a_server_that_stops(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket()) as one:
            await connect(one)
        assert await app.box.eval("seen.closed") == [0, 1001, "", 3, 0]

    serving(work)


def test_a_slow_handler_holds_nothing_up(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket()) as one:
            await connect(one)
            for text in ("slow", "a", "b"):
                await one.say("websocket.receive", text=text)
            assert [(await one.hear())["text"] for _ in range(3)] == ["a", "b", "slow"]

    serving(work)


def test_what_is_sent_between_events(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket("/socket?ticks")) as one:
            await connect(one)
            assert [(await one.hear())["text"] for _ in range(3)] == ["tick"] * 3

    serving(work)


def test_backpressure(serving: Callable[..., None]) -> None:
    """A client that does not read: the program is told, nothing more is taken, and it is told when there is room."""

    async def work(app: App) -> None:
        async with session(app.asgi, websocket("/socket?flood")) as one:
            await connect(one)
            for _ in range(12):
                assert len((await one.hear())["text"]) == 100_000
            with anyio.move_on_after(0.3) as waiting:
                await one.hear()
            assert waiting.cancelled_caught
            assert await app.box.eval("seen.flood") == [10, -1]
            assert await app.box.eval("seen.drained")

    serving(work)


@pytest.mark.parametrize(
    ("path", "extensions", "messages"),
    [
        ("/refuse", {}, [{"type": "websocket.close", "code": 1000}]),
        ("/refuse", {"websocket.http.response": {}}, ["websocket.http.response.start", "websocket.http.response.body"]),
        ("/throws", {}, [{"type": "websocket.close", "code": 1011}]),
        ("/throws", {"websocket.http.response": {}}, ["websocket.http.response.start", "websocket.http.response.body"]),
    ],
)
def test_requests_that_are_refused(
    serving: Callable[..., None], path: str, extensions: dict[str, Any], messages: list[Any]
) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket(path, extensions=extensions)) as one:
            await one.say("websocket.connect")
            for expected in messages:
                got = await one.hear()
                assert expected == (got if isinstance(expected, dict) else got["type"])
                assert got.get("status") in (None, 403 if path == "/refuse" else 500)

    serving(work)


def test_what_fails_after_the_upgrade(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket("/socket?fails")) as one:
            await connect(one)
            await until(lambda: app.errors)
        assert str(app.errors[0]) == "Error: after the upgrade"

    serving(work)


def test_a_rollback_ends_what_was_opened_since(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, websocket()) as old, session(app.asgi, websocket()) as new:
            await connect(old)
            await until_guest(app, "true")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(ask, app.asgi, "GET", "/slow?9999")
                await anyio.sleep(0.05)
                await connect(new)
                tasks.start_soon(ask, app.asgi, "GET", "/spins")
                assert (await new.hear())["code"] == 1011
            await old.say("websocket.receive", text="still here")
            assert (await old.hear())["text"] == "still here"

    serving(work, on_limit="rollback", limits=Limits(cpu_seconds=0.2))
