"""asgi(): lifespan, http, and nonsense, by messages as a server would send them; under asyncio and trio."""

from __future__ import annotations

import logging
import random
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, JSError
from sandbox.errors import CpuLimitExceeded, NotServing, SandboxClosed, Stalled, UsageError, WallLimitExceeded
from tests.serve.asgi import Message, Session, ask, http, lifespan, session, until, websocket
from tests.serve.conftest import PROGRAM, App, until_guest

# --- lifespan ---


@pytest.mark.parametrize(
    ("program", "error", "text"),
    [
        ("1", NotServing, "the program answers no requests"),
        ("throw new Error('not today')", JSError, "Error: not today"),
        ("serve(", JSError, "SyntaxError"),
    ],
)
@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_program_that_does_not_start(backend: str, program: str, error: type[Exception], text: str) -> None:
    async def main() -> None:
        app = App(program)
        async with session(app.asgi, {"type": "lifespan"}) as life:
            await life.say("lifespan.startup")
            answer = await life.hear()
        assert answer["type"] == "lifespan.startup.failed"
        assert answer["message"].startswith(text)
        assert isinstance(app.errors[0], error)
        assert app.box.closed

    anyio.run(main, backend=backend)


def test_exports_need_not_leave_the_sandbox(serving: Callable[..., None]) -> None:
    program = """
        export const held = new WeakMap();
        await new Promise(done => setTimeout(done, 1));
        export default new class { #private = 'kept'; fetch() { return new Response(this.#private); } };
    """

    async def work(app: App) -> None:
        assert (await ask(app.asgi, "GET", "/"))[2] == b"kept"

    serving(work, program=program)


def test_a_sandbox_that_was_entered_before() -> None:
    async def main() -> None:
        async with AsyncSandbox() as box:
            await box.eval("serve({fetch: () => new Response('here')})")
            app = box.asgi()
            async with lifespan(app):
                assert (await ask(app, "GET", "/"))[2] == b"here"
            assert (await ask(app, "GET", "/"))[2] == b"here", "it needs no lifespan"
            assert not box.closed

    anyio.run(main)


def test_without_lifespan() -> None:
    async def main() -> None:
        app = App()
        assert await ask(app.asgi, "GET", "/hello") == (503, _plain(19), b"Service Unavailable")
        assert isinstance(app.errors[0], UsageError)

    anyio.run(main)


def test_another_kind_of_scope() -> None:
    with pytest.raises(UsageError, match="scope"):
        anyio.run(App().asgi, {"type": "smtp"}, None, None)  # type: ignore[arg-type] # nothing is said


def test_a_closed_sandbox() -> None:
    box = AsyncSandbox()
    anyio.run(box.aclose)
    with pytest.raises(SandboxClosed):
        box.asgi()


# --- http ---


def _plain(length: int) -> dict[bytes, bytes]:
    return {b"content-type": b"text/plain; charset=utf-8", b"content-length": str(length).encode()}


@pytest.mark.parametrize(
    ("method", "path", "parts", "status", "body"),
    [
        ("PUT", "/hello?c=%2F&d", [b""], 201, b"PUT http://app.test/hello?c=%2F&d null"),
        ("POST", "/echo", [b"whole"], 200, b"whole"),
        ("POST", "/echo", [b"in", b"", b"parts"], 200, b"inparts"),
        ("POST", "/count", [bytes(70_000)] * 5, 200, b'{"bytes":350000,"largest":70000}'),
        ("POST", "/unread", [b"a", b"b", b"c"], 200, b"I did not look"),
        ("GET", "/stream", [b""], 200, b"onetwothree"),
        ("GET", "/breaks", [b""], 200, b"onetwo (broken off)"),
        ("HEAD", "/hello", [b""], 201, b""),
        ("GET", "/status?204", [b""], 204, b""),
        ("GET", "/exact", [b""], 200, b"1234567890"),
        ("GET", "/long", [b""], 200, b"12345 (broken off)"),
        ("GET", "/short", [b""], 200, b"12345 (broken off)"),
        ("GET", "/upgrade", [b""], 426, b"false"),
    ],
)
def test_requests(
    serving: Callable[..., None], method: str, path: str, parts: list[bytes], status: int, body: bytes
) -> None:
    async def work(app: App) -> None:
        got = await ask(app.asgi, method, path, *parts)
        assert (got[0], got[2]) == (status, body)
        assert [type(error) for error in app.errors] == {
            "/breaks": [JSError], "/long": [ValueError], "/short": [ValueError],
        }.get(path, [])  # fmt: skip

    serving(work)


@pytest.mark.parametrize(
    ("path", "status", "error"),
    [
        ("/throws", 500, JSError),
        ("/nothing", 500, JSError),
        ("/hangs", 500, Stalled),
        ("/spins", 500, CpuLimitExceeded),
        ("/slow?9999", 504, WallLimitExceeded),
    ],
)
def test_failures_tell_the_client_nothing(
    serving: Callable[..., None], path: str, status: int, error: type[Exception]
) -> None:
    text = {500: b"Internal Server Error", 504: b"Gateway Timeout"}[status]

    async def work(app: App) -> None:
        assert await ask(app.asgi, "GET", path) == (status, _plain(len(text)), text)
        assert [type(each) for each in app.errors] == [error]
        assert (await ask(app.asgi, "GET", "/unread"))[0] == 200

    serving(work, budget={"timeout": 0.7})


def test_failures_are_logged(caplog: pytest.LogCaptureFixture) -> None:
    async def main() -> None:
        async with AsyncSandbox() as box:
            await box.module(PROGRAM, filename="program.js")
            assert (await ask(box.asgi(), "GET", "/throws"))[0] == 500

    with caplog.at_level(logging.ERROR, "sandbox.serve"):
        anyio.run(main)
    assert "RangeError: out of it" in caplog.text
    assert "program.js:" in caplog.text


def test_headers_that_belong_to_the_connection_are_the_servers(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        _, headers, body = await ask(app.asgi, "GET", "/headers")
        assert headers == {b"content-type": b"text/plain;charset=UTF-8", b"x-keep": b"yes", b"content-length": b"1"}
        assert body == b"x"

    serving(work)


@pytest.mark.parametrize(
    ("scope", "url"),
    [
        (http("GET", "/a%2Fb"), "http://app.test/a%2Fb"),
        (http("GET", "/", headers=[], server=("127.0.0.1", 81)), "http://127.0.0.1:81/"),
        (http("GET", "/", headers=[], server=None), "http://localhost/"),
        (http("GET", "/", headers=[], server=("::1", 8000)), "http://[::1]:8000/"),
        (http("GET", "/", scheme="https"), "https://app.test/"),
        (http("GET", "/\u00e9 x", raw_path=None), "http://app.test/%C3%A9%20x"),
        (http("OPTIONS", "*"), "http://app.test/"),
        (http("GET", "/", headers=[(b"host", b"a b")]), None),
        (http("GET", "/", headers=[(b"host", b"a/b")]), None),
        (http("GET", "/", headers=[(b"host", b"u@b")]), None),
        (http("G T", "/"), None),
        (http("GET", "/", headers=[(b"host", b"a"), (b"x\n", b"y")]), None),
        (http("GET", "/", scheme="gopher"), None),
    ],
)
def test_what_becomes_of_a_scope(serving: Callable[..., None], scope: Message, url: str | None) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, scope) as one:
            await one.say("http.request")
            start, body = await one.hear(), await one.hear()
        if url is None:
            assert (start["status"], body["body"]) == (400, b"Bad Request")
        else:
            assert body["body"] == url.encode()

    serving(work, program="serve({fetch: r => new Response(r.url)})")


def test_an_answer_that_is_there_at_once_costs_no_more(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        sent: list[Message] = []
        requests = asked = looks = 0
        runner = app.box._runner
        look = runner.seconds_to_leftovers

        async def receive() -> Message:
            nonlocal asked
            asked += 1
            if asked > requests:
                await anyio.sleep_forever()
            return {"type": "http.request"}

        async def send(message: Any) -> None:
            sent.append(message)

        async def counted() -> float:
            nonlocal looks
            looks += 1
            return await look()

        runner.seconds_to_leftovers = counted  # type: ignore[method-assign] # it goes on as before
        for _ in range(3):
            requests += 1
            await app.asgi(http("GET", "/hello"), receive, send)
            await anyio.wait_all_tasks_blocked()
        assert [message.get("status") for message in sent] == [201, None] * 3
        assert asked == 3, "nobody listens for a client that goes away"
        assert looks == 0, "nobody looks for what the requests have left"
        requests += 1
        await app.asgi(http("GET", "/slow?1"), receive, send)
        assert asked == 5, "somebody listens while the program works"

    serving(work)


def test_a_client_that_goes_away(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, http("GET", "/aborts")) as one:
            await one.say("http.request")
            await until_guest(app, "seen.waits")
            await one.say("http.disconnect")
            await until_guest(app, "seen.aborts === 1 && seen.any")
            with pytest.raises(anyio.EndOfStream):
                await one.hear()
        assert app.errors == []
        assert await app.box.eval("seen.aborts") == 1

    serving(work)


def test_a_client_that_goes_away_from_a_stream(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, http("GET", "/endless")) as one:
            await one.say("http.request")
            for _ in range(5):
                await one.hear()
            pulls = await app.box.eval("seen.pulls")
            assert pulls < 9, "a client that does not read holds the program up"
            await one.say("http.disconnect")
            await until_guest(app, "seen.cancelled")
            with pytest.raises(anyio.EndOfStream):
                for _ in range(5):
                    await one.hear()

    serving(work)


def test_a_client_that_goes_away_from_its_body(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        async with session(app.asgi, http("POST", "/echo")) as one:
            await one.say("http.request", body=b"half", more_body=True)
            await one.say("http.disconnect")
            await until_guest(app, "globalThis.failure === 'the client has gone away'")
        assert app.errors == []

    program = """
        serve({async fetch(request) {
          await request.text().catch(error => { globalThis.failure = error.message; });
          return new Response("nobody hears this");
        }});
    """
    serving(work, program=program)


def test_timers_fire_between_requests(serving: Callable[..., None]) -> None:
    async def work(app: App) -> None:
        with anyio.fail_after(5):
            while int((await ask(app.asgi, "GET", "/"))[2]) < 3:
                await anyio.sleep(0.05)
        await until(lambda: app.errors)
        assert str(app.errors[0]) == "Error: in a timer"

    program = """
        let n = 0;
        setInterval(() => n++, 20);
        setTimeout(() => { throw new Error("in a timer"); }, 50);
        serve({fetch: () => new Response(String(n))});
    """
    serving(work, program=program)


# --- nonsense ---

_TEXTS = ["", "close", "throw", "x", "\ud800", "\N{SNOWMAN}" * 100]


def _random_scope(random_: random.Random) -> Message:
    paths = [
        "/hello",
        "/echo",
        "/stream",
        "/breaks",
        "/socket",
        "/socket?flood",
        "/refuse",
        "/throws",
        "/",
        "//",
        "/%",
        "/\\",
    ]
    scope = (
        websocket if random_.random() < 0.5 else lambda path: http(random_.choice(["GET", "POST", "HEAD", "*"]), path)
    )(random_.choice(paths))
    for _ in range(random_.randrange(3)):
        key, value = random_.choice([
            ("headers", [(b"host", random_.randbytes(4))]), ("headers", [(b"", b"")]),
            ("query_string", random_.randbytes(9)), ("raw_path", random_.randbytes(9)), ("raw_path", None),
            ("server", None), ("subprotocols", []), ("scheme", "x"), ("extensions", None),
        ])  # fmt: skip
        scope[key] = value
    return scope


def _random_message(random_: random.Random) -> Message:
    return random_.choice([
        {"type": "http.request", "body": random_.randbytes(20), "more_body": random_.random() < 0.5},
        {"type": "http.request"},
        {"type": "http.disconnect"},
        {"type": "websocket.connect"},
        {"type": "websocket.receive", "text": random_.choice(_TEXTS)},
        {"type": "websocket.receive", "bytes": random_.randbytes(5), "text": None},
        {"type": "websocket.disconnect", "code": random_.choice([None, 1000, 1006, 4999])},
        {"type": "websocket.disconnect"},
    ])  # fmt: skip


@pytest.mark.parametrize("seed", range(4))
def test_messages_at_random(serving: Callable[..., None], seed: int) -> None:
    """Whatever a server says, in whatever order: the sandbox goes on, and keeps nothing of it."""
    random_ = random.Random(seed)

    async def drain(one: Session) -> None:
        try:
            while True:
                await one.hear()
        except (anyio.EndOfStream, anyio.ClosedResourceError):
            return

    async def work(app: App) -> None:
        for _ in range(25):
            async with session(app.asgi, _random_scope(random_)) as one, anyio.create_task_group() as tasks:
                tasks.start_soon(drain, one)
                for _ in range(random_.randrange(6)):
                    await one.say(
                        **{"kind" if key == "type" else key: value for key, value in _random_message(random_).items()}
                    )
                    if random_.random() < 0.3:
                        await anyio.sleep(0.001)
                await anyio.sleep(0.002)
                tasks.cancel_scope.cancel()
        await until(lambda: not app.box._serve.open)
        assert app.box._serve.sockets._open == {}
        assert (await ask(app.asgi, "GET", "/unread"))[2] == b"I did not look"

    serving(work)
