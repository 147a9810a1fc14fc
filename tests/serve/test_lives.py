"""Programs that answer requests in another life: restored, forked, and what stays behind."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, JSError, Limits, Request, Sandbox, Snapshot
from tests.serve.asgi import ask, lifespan, session, until, websocket
from tests.serve.conftest import PROGRAM, Client, close, first, read

BACKENDS = ("asyncio", "trio")


class Lives:
    """Sandboxes of one face, and their other lives."""

    def __init__(self, face: str) -> None:
        self.is_blocking = face == "blocking"
        self.face = face

    @asynccontextmanager
    async def new(self, **options: Any) -> AsyncIterator[Client]:
        async with self._open(Sandbox(**options) if self.is_blocking else AsyncSandbox(**options)) as client:
            loaded = client.box.module(PROGRAM, filename="program.js")
            if not self.is_blocking:
                await loaded
            yield client

    @asynccontextmanager
    async def restored(self, client: Client, **options: Any) -> AsyncIterator[Client]:
        taken = client.box.snapshot()
        snapshot = Snapshot.from_bytes((taken if self.is_blocking else await taken).to_bytes())
        async with self._open(type(client.box).restore(snapshot, **options)) as other:
            yield other

    @asynccontextmanager
    async def forked(self, client: Client) -> AsyncIterator[Client]:
        twin = client.box.fork()
        async with self._open(twin if self.is_blocking else await twin) as other:
            yield other

    @asynccontextmanager
    async def _open(self, box: Any) -> AsyncIterator[Client]:
        if self.is_blocking:
            with box:
                yield Client(box)
        else:
            async with box:
                yield Client(box)


@pytest.fixture
def lives(face: str) -> Callable[[Callable[[Lives], Any]], None]:
    def run(work: Callable[[Lives], Any]) -> None:
        anyio.run(work, Lives(face), backend="asyncio" if face == "blocking" else face)

    return run


Run = Callable[[Callable[[Lives], Any]], None]

# What is left of a run is told in the turns of the next one that waits.
WAIT = "await new Promise(done => setTimeout(done, 1));"


def test_a_restored_program_serves_at_once(lives: Run) -> None:
    async def work(lives: Lives) -> None:
        async with lives.new() as client:
            assert [await client.text("GET", "/counter") for _ in range(2)] == ["1", "2"]
            async with lives.restored(client) as other:
                assert await other.text("GET", "/counter") == "3"
                assert await other.text("POST", "/echo", body=iter([b"a", b"b"])) == "ab"
                assert await other.text("GET", "/stream") == "onetwothree"
            assert await client.text("GET", "/counter") == "3", "a life of its own"

    lives(work)


def test_a_fork_for_each_request(lives: Run) -> None:
    async def work(lives: Lives) -> None:
        async with lives.new(limits=Limits(cpu_seconds=0.2)) as client:
            for path in ("/counter", "/counter", "/spins", "/counter"):
                async with lives.forked(client) as twin:
                    if path == "/spins":
                        with pytest.raises(Exception, match="CPU"):
                            await twin.ask("GET", path)
                    else:
                        assert await twin.text("GET", path) == "1", "no request sees another one"
            assert await client.text("GET", "/counter") == "1"

    lives(work)


def test_numbers_are_given_once(lives: Run) -> None:
    async def work(lives: Lives) -> None:
        async with lives.new() as client:
            for _ in range(3):
                await client.text("GET", "/counter")
            async with lives.restored(client) as other, lives.forked(other) as twin:
                assert twin.box._serve.begin().number == 4

    lives(work)


def test_responses_in_progress_stay_behind(lives: Run) -> None:
    async def work(lives: Lives) -> None:
        async with lives.new() as client:
            response = await client.ask("GET", "/stream")
            assert await first(response) == b"one"
            endless = await client.ask("GET", "/endless")
            await first(endless)
            async with lives.restored(client) as other:
                before = other.box.unfinished
                assert len(before) == 2
                assert await other.until(WAIT + "seen.cancelled === 'AbortError'")
                for run in before:
                    outcome = other.box.finish(run)
                    assert (outcome if lives.is_blocking else await outcome) == 0
                assert other.box.usage.pending_requests == 0
                assert other.box._serve.open == {}
            assert await read(response) == b"twothree", "they go on in the old life"
            await close(endless)

    lives(work)


def test_requests_without_an_answer_are_aborted(lives: Run) -> None:
    async def work(lives: Lives) -> None:
        async with lives.new() as client, anyio.create_task_group() as tasks:
            if lives.is_blocking:

                async def ask_aside() -> None:
                    def call() -> None:
                        with pytest.raises(Exception, match="wall"):
                            client.box.dispatch(Request("GET", "http://app.test/aborts"), timeout=1)

                    await anyio.to_thread.run_sync(call)

                tasks.start_soon(ask_aside)
            else:
                tasks.start_soon(client.ask, "GET", "/aborts")
            while not await client.eval("!!seen.waits"):
                await anyio.sleep(0.005)
            async with lives.restored(client) as other:
                assert await other.until(WAIT + "seen.aborts === 1 && seen.any")
            assert await client.eval("seen.aborts") == 0
            tasks.cancel_scope.cancel()

    lives(work)


def test_a_body_that_was_being_read_breaks_off(lives: Run) -> None:
    program = """
    serve({async fetch(request) {
      globalThis.got = await request.text().catch((error) => error.message);
      return new Response(got);
    }});
    """

    async def work(lives: Lives) -> None:
        taken: list[Snapshot] = []
        async with lives.new() as client:
            await client.eval(program)
            if lives.is_blocking:

                def chunks() -> Any:
                    yield b"a"
                    taken.append(client.box.snapshot())
                    yield b"b"

                assert await client.text("POST", "/", body=chunks()) == "ab"
            else:

                async def chunks_later() -> Any:
                    yield b"a"
                    taken.append(await client.box.snapshot())
                    yield b"b"

                assert await client.text("POST", "/", body=chunks_later()) == "ab"
            async with lives._open(type(client.box).restore(taken[0])) as other:
                assert await other.until(WAIT + "globalThis.got !== undefined")
                assert await other.eval("got") == (
                    "the sandbox was restored from a snapshot, without the clients of its program"
                )
                assert await other.text("POST", "/", body=b"c") == "c"

    lives(work)


@pytest.mark.parametrize("backend", BACKENDS)
@pytest.mark.parametrize("is_fork", [False, True], ids=["restored", "forked"])
def test_websockets_of_the_old_life_are_closed(backend: str, *, is_fork: bool) -> None:
    async def main() -> None:
        box = AsyncSandbox()
        app = box.asgi(PROGRAM)
        async with lifespan(app):
            async with session(app, websocket()) as one, session(app, websocket()) as two:
                for each in (one, two):
                    await each.say("websocket.connect")
                    assert (await each.hear())["type"] == "websocket.accept"
                await one.say("websocket.receive", text="hi")
                assert await one.hear() == {"type": "websocket.send", "text": "hi"}
                assert box.usage.pending_requests == 1, "the question whether they are lost, once for all of them"
                other = await box.fork() if is_fork else AsyncSandbox.restore(await box.snapshot())
                async with lifespan(other.asgi()):
                    await until(lambda: other.usage.turns > 0)
                    assert await Client(other).until(WAIT + "seen.closed !== undefined")
                    seen = await other.eval("[seen.error, seen.closed]")
                    assert seen[0] == "the connection was lost"
                    assert seen[1][1:] == [1006, "", 3, 0]
                    assert other.usage.pending_requests == 0
                    status, _, body = await ask(other.asgi(), "GET", "/counter")
                    assert (status, body) == (200, b"1")
                await one.say("websocket.receive", text="still there")
                assert await one.hear() == {"type": "websocket.send", "text": "still there"}
                for each in (one, two):
                    await each.say("websocket.disconnect", code=1000)
            await until(lambda: box.usage.pending_requests == 0)
            assert await box.eval("seen.closed.slice(1)") == [1000, "", 3, 0]

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_the_question_outlives_the_run_that_asked(backend: str) -> None:
    async def main() -> None:
        box = AsyncSandbox(limits=Limits(cpu_seconds=0.2))
        errors: list[BaseException] = []
        app = box.asgi(
            """
            globalThis.seen = [];
            serve({
              fetch(request, server) { server.upgrade(request); for (;;); },
              websocket: {message: () => {}, close: (socket, code) => { seen.push(code); }},
            });
            """,
            on_error=errors.append,
        )
        async with lifespan(app), session(app, websocket()) as one:
            await one.say("websocket.connect")
            assert (await one.hear())["type"] == "websocket.accept"
            await until(lambda: errors)
            async with await box.fork() as twin:
                assert await Client(twin).until(WAIT + "seen.length > 0")
                assert await twin.eval("seen") == [1006]
            await one.say("websocket.disconnect", code=1000)

    anyio.run(main, backend=backend)


@pytest.mark.parametrize("backend", BACKENDS)
def test_an_application_goes_on_with_what_was_left(backend: str) -> None:
    """Timers, and calls that are made again, wait for no request."""
    calls: list[str] = []

    async def tell(what: str) -> None:
        calls.append(what)

    async def for_ever() -> None:
        await anyio.sleep_forever()

    async def main() -> None:
        async with AsyncSandbox(functions={"tell": tell, "hang": for_ever}) as box:
            await box.eval(
                "setTimeout(() => tell('by a timer'), 20); hang().then(() => tell('again'));"
                "serve({fetch: () => new Response('here')}); 0"
            )
            snapshot = await box.snapshot()

        async def hang() -> None:
            return None

        app = AsyncSandbox.restore(snapshot, functions={"tell": tell, "hang": hang}).asgi()
        async with lifespan(app):
            await until(lambda: sorted(calls) == ["again", "by a timer"])
            assert (await ask(app, "GET", "/"))[2] == b"here"

    anyio.run(main, backend=backend)


def test_a_program_that_serves_nothing_does_so_in_every_life() -> None:
    with Sandbox() as box, box.fork() as twin, pytest.raises(Exception, match="answers no requests"):
        twin.dispatch(Request("GET", "http://app.test/"))


def test_a_close_handler_that_throws_is_the_business_of_the_first_run() -> None:
    async def main() -> None:
        box = AsyncSandbox()
        app = box.asgi(
            "serve({fetch: (r, server) => void server.upgrade(r), websocket: {close() { throw Error('closing'); }}})",
            on_error=lambda error: None,
        )
        async with lifespan(app), session(app, websocket()) as one:
            await one.say("websocket.connect")
            assert (await one.hear())["type"] == "websocket.accept"
            async with await box.fork() as twin:
                with pytest.raises(JSError, match="closing"):
                    await twin.run_until_idle()
                assert await twin.eval("1") == 1
            await one.say("websocket.disconnect", code=1000)

    anyio.run(main)
