"""What a fetch is to the rest of a sandbox: backpressure, limits, rollbacks, forks, exceptions of the embedder."""

from __future__ import annotations

import os
from collections.abc import AsyncIterable, AsyncIterator, Callable, Iterator
from typing import Any

import anyio
import pytest

from sandbox import Fetch, JSError, Limits, Request, Response, Sandbox
from sandbox.errors import LimitExceeded, UsageError
from tests.child import in_child
from tests.fetch.servers import until

Run = Callable[..., Any]


class Source:
    """A body that counts the chunks that were taken of it, and knows how it ended."""

    def __init__(self) -> None:
        self.taken = 0
        self.ended = False

    async def __aiter__(self) -> AsyncIterator[bytes]:
        try:
            while True:
                self.taken += 1
                yield bytes(100_000)
        finally:
            self.ended = True


def test_the_reader_sets_the_pace(run: Run) -> None:
    """What is read ahead of the program is 128 KiB, and one chunk that is on its way."""
    source = Source()
    code = """
        const reader = (await fetch("https://a.test/")).body.getReader();
        let got = 0;
        while (got < 1e6) got += (await reader.read()).value.length;
        await new Promise(done => setTimeout(done, 50));
        got
    """
    got = run(code, fetch=lambda _request: Response(body=aiter(source)))

    assert source.taken * 100_000 <= got + (1 << 17) + 100_000
    assert until(lambda: source.ended)


def test_the_writer_waits(run: Run) -> None:
    """A program goes on with its body as whoever answers reads it."""
    seen: list[int] = []

    async def slow(request: Request) -> Response:
        assert isinstance(request.body, AsyncIterable)
        async for chunk in request.body:
            seen.append(len(chunk))
            if len(seen) == 3:
                return Response(413, body="enough")
        return Response()

    code = """
        let made = 0, cancelled = false;
        const body = new ReadableStream({
          pull(c) { made++; c.enqueue(new Uint8Array(1000)) },
          cancel() { cancelled = true },
        }, {highWaterMark: 0});
        const r = await fetch("https://a.test/", {method: "POST", duplex: "half", body});
        await new Promise(done => setTimeout(done, 0));
        [r.status, await r.text(), made <= 6, cancelled]
    """
    assert run(code, fetch=slow) == [413, "enough", True, True]
    assert seen == [1000] * 3


def test_one_at_a_time_is_enough(run: Run) -> None:
    """Steps of a body need no room of their own among the concurrent calls."""

    async def echo(request: Request) -> Response:
        return Response(body=str(len(await request.read())))

    code = """
        const chunk = new Uint8Array(10);
        const body = () => new ReadableStream({i: 0, pull(c) { this.i++ < 5 ? c.enqueue(chunk) : c.close() }});
        const post = () => fetch("https://a.test/", {method: "POST", duplex: "half", body: body()}).then(r => r.text());
        await Promise.all([post(), post(), post()])
    """
    assert run(code, fetch=echo, limits=Limits(concurrent_calls=1, wall_seconds=10)) == ["50"] * 3


def test_concurrent_calls_count_them(run: Run) -> None:
    active = most = 0

    async def count(_request: Request) -> Response:
        nonlocal active, most
        active += 1
        most = max(most, active)
        await anyio.sleep(0.02)
        active -= 1
        return Response()

    code = "(await Promise.all(Array.from({length: 20}, () => fetch('https://a.test/')))).length"
    assert run(code, fetch=count, limits=Limits(concurrent_calls=4)) == 20
    assert most == 4


def test_pending_requests_count_them(run: Run) -> None:
    code = "(await Promise.allSettled(Array.from({length: 30}, () => fetch('https://a.test/')))).map(r => r.status)"
    states = run(code, fetch=lambda _request: Response(), limits=Limits(pending_requests=10))

    assert (states.count("fulfilled"), states.count("rejected")) == (10, 20)


@pytest.mark.parametrize("kind", ["plain", "async"])
def test_what_answers_may_be_plain_or_not(run: Run, kind: str) -> None:
    async def later(request: Request) -> Response:
        await anyio.lowlevel.checkpoint()
        return Response(202, {"X-A": request.headers["x-b"]}, f"{request.method} {request.url}", "Fine")

    def now(request: Request) -> Response:
        return Response(202, {"X-A": request.headers["x-b"]}, f"{request.method} {request.url}", "Fine")

    code = """
        const r = await fetch("http://h:81/?q#f", {headers: {"X-B": "c"}});
        [r.status, r.statusText, r.headers.get("x-a"), await r.text()]
    """
    assert run(code, fetch=later if kind == "async" else now) == [202, "Fine", "c", "GET http://h:81/?q"]


def test_a_function_that_follows_redirects_itself(run: Run) -> None:
    code = "const r = await fetch('https://a.test/'); [r.url, r.redirected]"
    told = run(code, fetch=lambda _request: Response(url="https://b.test/x#y"))

    assert told == ["https://b.test/x", True]


def test_what_a_function_raises(run: Run) -> None:
    def fail(_request: Request) -> Response:
        raise PermissionError("not today")

    code = "fetch('https://a.test/').catch(e => [e.name, e.message, e.cause.message])"
    assert run(code, fetch=fail) == ["TypeError", "fetch failed", "not today"]
    with pytest.raises(JSError) as caught:
        run("await fetch('https://a.test/')", fetch=fail)
    assert caught.value.__cause__ is not None
    assert isinstance(caught.value.__cause__.__cause__, PermissionError)


@pytest.mark.parametrize("answer", [None, "text", b"bytes", {"status": 200}])
def test_what_is_no_response(run: Run, answer: Any) -> None:
    code = "fetch('https://a.test/').catch(e => e.cause.message)"
    assert "must give a Response" in run(code, fetch=lambda _request: answer)


@pytest.mark.parametrize("body", [1, ["text"], [1]])
def test_what_is_no_body(run: Run, body: Any) -> None:
    code = "fetch('https://a.test/').then(r => r.text()).catch(e => [e.name, e.cause.name])"
    assert run(code, fetch=lambda _request: Response(body=body)) == ["TypeError", "TypeError"]


def test_keyboard_interrupt_reaches_python(run: Run) -> None:
    def interrupt(_request: Request) -> Response:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run("try { await fetch('https://a.test/') } catch {}", fetch=interrupt)


def test_a_generator_is_closed_in_the_task_that_entered_it(run: Run) -> None:
    """What a body holds across a yield, such as a task group, is left by the task that entered it."""
    left: list[bool] = []

    async def body() -> AsyncIterator[bytes]:
        async with anyio.create_task_group():
            try:
                while True:
                    yield bytes(200_000)
            finally:
                left.append(True)

    run("const r = await fetch('https://a.test/'); await r.body.cancel()", fetch=lambda _request: Response(body=body()))
    assert until(lambda: left == [True])


def test_a_plain_iterator_is_closed(run: Run) -> None:
    left: list[bool] = []

    def body() -> Iterator[bytes]:
        try:
            while True:
                yield bytes(200_000)
        finally:
            left.append(True)

    run("await fetch('https://a.test/'); 0", fetch=lambda _request: Response(body=body()))
    assert until(lambda: left == [True])


# --- rollbacks ---


def test_a_rollback_gives_up_what_was_read_since() -> None:
    """The guest knows nothing of it, and must not go on where it has not been."""
    limits = Limits(wall_seconds=5, cpu_seconds=0.2)
    sources: list[Source] = []

    def answer(_request: Request) -> Response:
        sources.append(Source())
        return Response(body=aiter(sources[-1]))

    with Sandbox(fetch=answer, limits=limits, on_limit="rollback") as box:
        box.eval("var get = async () => (await fetch('https://a.test/')).body.getReader(); var kept, read; 0")
        box.eval("kept = await get(); read = await get(); 0")
        with pytest.raises(LimitExceeded):
            box.eval("await read.read(); await read.read(); const since = await get(); for (;;) {}")

        assert box.eval("(await kept.read()).value.length > 0")
        box.eval("await read.read(); await kept.cancel()")  # what had come with the answer, the guest has had
        assert box.eval("read.read().catch(e => e.cause.code)") == "dropped"
        assert box.eval("(await (await get()).read()).value.length > 0")
        assert len(sources) == 4
        assert sources[2].ended


# --- forks ---


@pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")
def test_both_sides_of_a_fork_go_on() -> None:
    program = """
        import logging, os, sys, warnings
        from sandbox import Fetch, Sandbox
        from tests.fetch.servers import scripted

        warnings.simplefilter("ignore", DeprecationWarning)
        small = b"HTTP/1.1 200 OK\\r\\ncontent-length: 2\\r\\n\\r\\nok"
        big = b"HTTP/1.1 200 OK\\r\\ncontent-length: 9000000\\r\\n\\r\\n" + bytes(9_000_000)
        with scripted(lambda head: big if b"/big" in head else small) as server:
            grant = Fetch(["127.0.0.1:*"], private=True)
            box = Sandbox(fetch=grant, globals={"base": f"http://127.0.0.1:{server.port}/"})
            box.eval("await (await fetch(base)).text()")
            box.eval("var begun = await fetch(base + 'big'); 0")
            child = os.fork()
            if not child:
                logging.disable()  # of what takes long
                assert box.eval("begun.text().catch(e => e.cause.code)") == "dropped"
                assert box.eval("await (await fetch(base)).text()") == "ok"
                box.close()
                os._exit(0)
            assert os.waitpid(child, 0)[1] == 0
            assert box.eval("(await begun.bytes()).length") == 9_000_000
            assert box.eval("await (await fetch(base)).text()") == "ok"
            box.close()
            print("parent")
    """
    assert in_child(program) == "parent"


# --- what is installed ---


def test_without_an_http_library(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.fetch.has_http", lambda: False)
    with pytest.raises(UsageError, match=r"quickjs-sandbox\[fetch\]"):
        Sandbox(fetch=Fetch(["*"]))
    with Sandbox(fetch=lambda _request: Response(body="ok")) as box:
        assert box.eval("await (await fetch('https://a.test/')).text()") == "ok"


def test_nothing_of_it_is_loaded_without_a_grant() -> None:
    program = """
        import sys
        from sandbox import Sandbox
        with Sandbox() as box:
            box.eval("fetch('https://a.test/').catch(String)")
        print(sorted({"anyio", "httpcore", "sandbox.http", "sandbox.fetch.hops"} & sys.modules.keys()))
    """
    assert in_child(program) == "[]"
