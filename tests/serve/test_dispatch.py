"""dispatch, on every face: what a program answers, in whole and in pieces, and how requests end."""

from __future__ import annotations

import itertools
import time
from collections.abc import AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, Headers, JSError, Limits, Request, Sandbox
from sandbox.errors import NotServing, SandboxClosed, Stalled
from tests.serve.conftest import Client, chunks_of, close, first, read

Served = Callable[..., Any]
_REFUSED = "The fetch handler "


def test_a_response(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("PUT", "/hello?c=%2F%20&d", headers={"X-A": "a"})

        assert (response.status, response.status_text) == (201, "Made")
        assert response.header_pairs == (("X-B", "b"), ("Content-Type", "text/plain;charset=UTF-8"))
        assert await read(response) == b"PUT http://app.test/hello?c=%2F%20&d a"

    served(work)


@pytest.mark.parametrize(
    ("path", "sent", "expected"),
    [
        ("/echo", bytes(range(256)) * 10, bytes(range(256)) * 10),
        ("/nobody", b"", b"nullnull"),
        ("/unread", b"x" * 100, b"I did not look"),
        ("/later", b"read while the response is given", b"read while the response is given"),
    ],
)
@pytest.mark.parametrize("is_stream", [False, True])
def test_bodies_of_requests(
    served: Served, is_blocking: bool, path: str, sent: bytes, expected: bytes, is_stream: bool
) -> None:
    async def pieces() -> AsyncIterator[bytes]:
        for start in range(0, len(sent), 100):
            yield sent[start : start + 100]

    def parts() -> Iterator[bytes]:
        for start in range(0, len(sent), 100):
            yield sent[start : start + 100]

    async def work(client: Client) -> None:
        body: Any = sent if not is_stream else parts() if is_blocking else pieces()
        expected_now = b"[object ReadableStream]null" if path == "/nobody" and is_stream else expected
        assert await read(await client.ask("POST", path, body=body)) == expected_now

    served(work)


def test_a_large_body_of_bytes_comes_in_pieces(served: Served) -> None:
    async def work(client: Client) -> None:
        assert await client.text("POST", "/count", body=bytes(5 << 20)) == '{"bytes":5242880,"largest":1048576}'

    served(work)


def test_the_body_of_a_request_is_taken_as_the_program_reads(served: Served, is_blocking: bool) -> None:
    taken = 0

    def parts() -> Iterator[bytes]:
        nonlocal taken
        for _ in range(100):
            taken += 1
            yield b"x"

    async def pieces() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    async def work(client: Client) -> None:
        program = """
            serve({async fetch(request) {
              const reader = request.body.getReader();
              for (let i = 0; i < 3; i++) await reader.read();
              return new Response("enough");
            }});
        """
        await client.eval(program)
        assert await client.text("POST", "/", body=parts() if is_blocking else pieces()) == "enough"

    served(work)
    assert taken <= 4


def test_a_body_that_fails(served: Served, is_blocking: bool) -> None:
    def parts() -> Iterator[bytes]:
        yield b"x"
        raise ValueError("no more")

    async def pieces() -> AsyncIterator[bytes]:
        for part in parts():
            yield part

    async def work(client: Client) -> None:
        with pytest.raises(JSError, match="no more"):
            await client.ask("POST", "/echo", body=parts() if is_blocking else pieces())
        assert await client.text("POST", "/echo", body=b"on") == "on"

    served(work)


def test_chunks(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        assert [chunk async for chunk in chunks_of(response)] == [b"one", b"two", b"three"]

    served(work)


def test_a_chunk_comes_when_there_is_one(served: Served) -> None:
    async def work(client: Client) -> None:
        times = [time.monotonic() async for _ in chunks_of(await client.ask("GET", "/paused"))]
        assert len(times) == 5
        assert all(later - earlier > 0.015 for earlier, later in itertools.pairwise(times))

    served(work)


def test_a_body_that_breaks_off_gives_what_came_before(served: Served) -> None:
    async def work(client: Client) -> None:
        got = []
        with pytest.raises(JSError, match="broken off") as caught:
            async for chunk in chunks_of(await client.ask("GET", "/breaks")):
                got.append(chunk)  # noqa: PERF401 - it fails on the way
        assert got == [b"one", b"two"]
        assert caught.value.frames[0].file == "program.js"

    served(work)


def test_the_reader_sets_the_pace(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/endless")
        taken = 0
        while taken < 10_000:
            taken += len(await first(response))
        await anyio.sleep(0.05)
        assert await client.eval("seen.pulls") <= taken // 1000 + 3
        await close(response)
        assert await client.until("seen.cancelled === 'AbortError'")
        assert await client.text("GET", "/unread") == "I did not look"

    served(work)


def test_a_response_that_nobody_has_any_more(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/endless")
        await first(response)
        del response
        await anyio.lowlevel.checkpoint()
        assert await client.until("seen.cancelled === 'AbortError'")
        assert client.box._driver._operations.get  # the box is alive
        assert client.box._serve.open == {}

    served(work)


def test_many_that_are_given_up(served: Served) -> None:
    async def work(client: Client) -> None:
        for _ in range(25):
            response = await client.ask("GET", "/endless")
            await first(response)
            await close(response)
        assert await client.text("GET", "/unread") == "I did not look"
        assert await client.until("true")
        assert client.box._serve.open == {}
        assert client.box.usage.pending_requests == 0

    served(work)


@pytest.mark.parametrize(("path", "byte", "size"), [("/text", b"x", 2_000_000), ("/big", b"\7", 7_000_000)])
def test_large_responses(served: Served, path: str, byte: bytes, size: int) -> None:
    async def work(client: Client) -> None:
        assert await read(await client.ask("GET", path)) == byte * size

    served(work)


@pytest.mark.parametrize(("method", "path", "status"), [
    ("GET", "/status?204", 204), ("GET", "/status?304", 304), ("HEAD", "/hello", 201), ("HEAD", "/endless", 200),
])  # fmt: skip
def test_responses_without_a_body(served: Served, method: str, path: str, status: int) -> None:
    async def work(client: Client) -> None:
        response = await client.ask(method, path)
        assert (response.status, response.body) == (status, b"")

    served(work)


def test_cookies_stay_apart(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/cookies")
        assert isinstance(response.headers, Headers)
        assert response.headers.get_all("set-cookie") == ["a=1", "b=2", "c=3"]

    served(work)


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/nothing", f"TypeError: {_REFUSED}did not return a Response (got undefined)"),
        ("/wrong", f"TypeError: {_REFUSED}did not return a Response (got another object)"),
        ("/used", f"TypeError: {_REFUSED}returned a Response whose body has been used"),
        ("/failure", f"TypeError: {_REFUSED}returned a Response that stands for a failure"),
        ("/throws", "RangeError: out of it"),
        ("/rejects", "TypeError: later"),
        ("/missing", "TypeError: not a function"),
    ],
)
def test_failures(served: Served, path: str, expected: str) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(JSError) as caught:
            await client.ask("GET", path)
        assert str(caught.value) == expected
        if path == "/throws":
            assert (caught.value.frames[0].function, caught.value.frames[0].file) == ("thrower", "program.js")
        assert await client.text("GET", "/unread") == "I did not look"

    served(work)


def test_a_stream_that_fails_at_once(served: Served) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(JSError, match="bad start"):
            await read(await client.ask("GET", "/badStart"))

    served(work)


def test_a_handler_that_never_answers_is_found_out(served: Served) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(Stalled):
            await client.ask("GET", "/hangs")

    served(work)


def test_without_a_handler(served: Served) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(NotServing, match="must call serve"):
            await client.ask("GET", "/")

    served(work, program="1")


def test_a_handler_can_be_replaced(served: Served) -> None:
    async def work(client: Client) -> None:
        assert await client.text("GET", "/") == "exported"
        await client.eval("serve({fetch: () => new Response('served')})")
        assert await client.text("GET", "/") == "served"
        await client.eval("serve({name: 'again', fetch() { return new Response(this.name) }})")
        assert await client.text("GET", "/") == "again"

    served(work, program="export default {fetch: () => new Response('exported')}")


def test_no_websocket_without_one_that_asks(served: Served) -> None:
    async def work(client: Client) -> None:
        assert await client.text("GET", "/upgrade") == "false"

    served(work)


def test_requests_do_not_wait_for_each_other() -> None:
    async def main() -> None:
        async with AsyncSandbox() as box:
            client = Client(box)
            await box.eval("""
                serve({async fetch(request) {
                  const ms = Number(new URL(request.url).search.slice(1));
                  if (ms) await new Promise((done) => setTimeout(done, ms));
                  return new Response(String(ms));
                }});
            """)
            order: list[str] = []

            async def one(ms: int) -> None:
                order.append(await client.text("GET", f"/?{ms}"))

            begun = time.monotonic()
            async with anyio.create_task_group() as tasks:
                for ms in range(400, 600, 10):
                    tasks.start_soon(one, ms)
                await anyio.sleep(0.05)
                order.append(await client.text("GET", "/?0"))
            assert order[0] == "0"
            assert sorted(order[1:]) == [str(ms) for ms in range(400, 600, 10)]
            assert time.monotonic() - begun < 5, "the sum is ten seconds"

    anyio.run(main, backend="trio")


def test_threads_do_not_wait_for_each_other() -> None:
    program = "serve({async fetch(r) { if (r.url.endsWith('wait')) await new Promise(d => { globalThis.go = d }); "
    with Sandbox() as box:
        box.eval(program + "else globalThis.go?.(); return new Response(r.url); }})")

        async def main() -> None:
            async with anyio.create_task_group() as tasks:
                answers: list[bytes] = []

                async def ask(path: str) -> None:
                    request = Request("GET", f"http://a.test/{path}")
                    answers.append((await anyio.to_thread.run_sync(box.dispatch, request)).content())

                tasks.start_soon(ask, "wait")
                with anyio.fail_after(5):
                    while b"http://a.test/wait" not in answers:
                        await ask("quick")

        # Without a timer or a call pending, what waits would be stalled at once.
        box.eval("setTimeout(() => {}, 5000)")
        anyio.run(main)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_whoever_waits_can_go_away(backend: str, request: pytest.FixtureRequest) -> None:
    from tests.serve.conftest import PROGRAM

    async def main() -> None:
        async with AsyncSandbox() as box:
            await box.module(PROGRAM)
            client = Client(box)
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(client.ask, "GET", "/aborts")
                assert await client.until("seen.waits")
                tasks.cancel_scope.cancel()
            assert await client.until("seen.aborts === 1 && seen.any")
            with anyio.move_on_after(0.02):
                await client.ask("GET", "/ignores")
            assert await client.until("seen.finished"), "the handler goes on"
            assert await box.eval("seen.aborts") == 1

    anyio.run(main, backend=backend)


def test_closing_the_sandbox_ends_responses(served: Served, is_blocking: bool) -> None:
    async def work(client: Client) -> Any:
        response = await client.ask("GET", "/endless")
        await first(response)
        return response

    response = served(work)

    async def go_on() -> None:
        await read(response)

    with pytest.raises(SandboxClosed):
        anyio.run(go_on)


@pytest.mark.parametrize(
    ("request_", "error"),
    [
        ("GET /", TypeError),
        (Request("BAD METHOD", "http://a.test/"), ValueError),
        (Request("GET", "/relative"), ValueError),
        (Request("GET", "file:///etc/passwd"), ValueError),
        (Request("POST", "http://a.test/", body=5), TypeError),  # type: ignore[arg-type] # on purpose
        (None, TypeError),
    ],
)
def test_what_is_no_request(request_: Any, error: type[Exception]) -> None:
    with Sandbox() as box:
        box.eval("serve({async fetch(r) { await r.text(); return new Response() }})")
        with pytest.raises(error):
            box.dispatch(request_)
        assert box.dispatch(Request("GET", "http://a.test/")).status == 200


def test_chunks_that_come_asynchronously_need_the_other_face() -> None:
    async def chunks() -> AsyncIterator[bytes]:
        yield b""

    with Sandbox() as box, pytest.raises(TypeError, match="AsyncSandbox"):
        box.dispatch(Request("POST", "http://a.test/", body=chunks()))


def test_a_request_inside_a_host_function_is_refused() -> None:
    def nested() -> int:
        return box.dispatch(Request("GET", "http://a.test/")).status

    with Sandbox(functions={"nested": nested}, limits=Limits(wall_seconds=5)) as box:
        box.eval("serve({fetch: () => new Response()})")
        with pytest.raises(JSError, match="host function"):
            box.eval("nested()")


@pytest.mark.parametrize(
    ("body", "expected"),
    [(b"a", b"a"), ("\u00e9", b"\xc3\xa9"), ([b"a", b"b"], b"ab")],
)
def test_all_of_a_response(body: Any, expected: bytes) -> None:
    from sandbox import Response

    assert Response(body=body).content() == expected
    assert anyio.run(Response(body=body).read) == expected
