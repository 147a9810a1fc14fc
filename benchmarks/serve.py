"""What serving costs: `python -m benchmarks.serve`, beside Starlette and Node where they are installed.

Requests one after another, called as ASGI applications and over loopback under uvicorn; 100 MB in both directions with
the resident memory that takes; messages through a WebSocket.
"""

from __future__ import annotations

import argparse
import asyncio
import http.client
import importlib.util
import shutil
import subprocess
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sandbox import AsyncSandbox, Limits

_PROGRAM = """
const chunk = new Uint8Array(1 << 16).fill(65);
serve({
  async fetch(request, server) {
    const {pathname, searchParams} = new URL(request.url);
    if (pathname === "/hello") return new Response(`hello ${searchParams.get("name")}`);
    if (pathname === "/down") {
      let left = 1600;
      return new Response(new ReadableStream({pull(c) { if (left-- > 0) c.enqueue(chunk); else c.close(); }}));
    }
    if (pathname === "/up") {
      let size = 0;
      for await (const piece of request.body) size += piece.length;
      return new Response(String(size));
    }
    if (server.upgrade(request)) return;
  },
  websocket: {message(socket, message) { socket.send(message); }},
});
"""
_NODE = """
require("node:http").createServer((request, response) => {
  const name = new URL(request.url, "http://localhost").searchParams.get("name");
  const body = `hello ${name}`;
  response.writeHead(200, {"Content-Type": "text/plain", "Content-Length": body.length});
  response.end(body);
}).listen(0, "127.0.0.1", function () { console.log(this.address().port); });
"""
_BYTES = 1600 << 16


def _scope(path: str, kind: str = "http", method: str = "GET") -> dict[str, Any]:
    path, _, query = path.partition("?")
    return {
        "type": kind,
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": path,
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "headers": [(b"host", b"localhost")],
        "root_path": "",
        "server": ("127.0.0.1", 80),
        "client": ("127.0.0.1", 1),
        "subprotocols": [],
    }


def _starlette() -> Any:  # noqa: ANN401 - an application
    from starlette.applications import Starlette
    from starlette.responses import PlainTextResponse
    from starlette.routing import Route

    async def hello(request: Any) -> PlainTextResponse:  # noqa: ANN401 - Starlette's
        return PlainTextResponse(f"hello {request.query_params['name']}")

    return Starlette(routes=[Route("/hello", hello)])


async def _ask(app: Any) -> None:  # noqa: ANN401 - an application
    asked = asyncio.Event()

    async def receive() -> dict[str, Any]:
        if asked.is_set():
            await asyncio.sleep(60)
        asked.set()
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:  # noqa: ANN401 - a message
        pass

    await app(_scope("/hello?name=you"), receive, send)


async def _direct(app: Any, count: int) -> tuple[float, float]:  # noqa: ANN401 - an application
    """Seconds and CPU seconds of one request."""
    for _ in range(20):
        await _ask(app)
    began, cpu_began = time.perf_counter(), time.process_time()
    for _ in range(count):
        await _ask(app)
    return (time.perf_counter() - began) / count, (time.process_time() - cpu_began) / count


def _over_http(port: int, count: int) -> float:
    connection = http.client.HTTPConnection("127.0.0.1", port)

    def ask() -> None:
        connection.request("GET", "/hello?name=you")
        assert connection.getresponse().read() == b"hello you"

    for _ in range(20):
        ask()
    began = time.perf_counter()
    for _ in range(count):
        ask()
    return (time.perf_counter() - began) / count


@contextmanager
def _uvicorn(app: Any) -> Iterator[int]:  # noqa: ANN401 - an application
    import uvicorn

    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=lambda: asyncio.run(server.serve()))
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()[1]
    server.should_exit = True
    thread.join()


@contextmanager
def _node() -> Iterator[int]:
    node = shutil.which("node")
    assert node is not None
    with subprocess.Popen([node, "-e", _NODE], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        yield int(process.stdout.readline())
        process.kill()


def _resident_mb() -> float:
    (line,) = (line for line in Path("/proc/self/status").read_text("utf-8").splitlines() if line.startswith("VmRSS"))
    return int(line.split()[1]) / 1024


async def _stream(app: Any, path: str) -> tuple[float, float, float]:  # noqa: ANN401 - an application
    """Megabytes a second, resident megabytes before and at most."""
    before = most = _resident_mb()
    left, got = (1600 if path == "/up" else 0), 0
    piece = bytes(1 << 16)
    began = time.perf_counter()

    async def receive() -> dict[str, Any]:
        nonlocal left
        if left < 0:
            await asyncio.sleep(60)
        left -= 1
        return {"type": "http.request", "body": piece if left >= 0 else b"", "more_body": left > 0}

    async def send(message: Any) -> None:  # noqa: ANN401 - a message
        nonlocal got, most
        got += len(message.get("body", b""))
        most = max(most, _resident_mb())

    await app(_scope(path, method="POST" if path == "/up" else "GET"), receive, send)
    seconds = time.perf_counter() - began
    assert got == (_BYTES if path == "/down" else len(str(_BYTES)))
    return _BYTES / seconds / 1e6, before, most


async def _messages(app: Any, count: int) -> float:  # noqa: ANN401 - an application
    """Messages a second, there and back."""
    back = 0
    done = asyncio.Event()
    to_send = iter(range(count + 1))

    async def receive() -> dict[str, Any]:
        number = next(to_send, None)
        if number == 0:
            return {"type": "websocket.connect"}
        if number is None:
            await done.wait()
            return {"type": "websocket.disconnect", "code": 1000}
        return {"type": "websocket.receive", "text": "a message of some forty characters or so"}

    async def send(message: Any) -> None:  # noqa: ANN401 - a message
        nonlocal back
        back += message["type"] == "websocket.send"
        if back == count:
            done.set()

    began = time.perf_counter()
    await app(_scope("/socket", "websocket"), receive, send)
    return count / (time.perf_counter() - began)


def _row(name: str, seconds: float, base: float) -> None:
    print(f"{name:44} {seconds * 1e6:8.0f} us {seconds / base:6.1f} x")


async def _in_process(work: Callable[[Any], Awaitable[None]]) -> None:
    limits = Limits(cpu_seconds=None, wall_seconds=None)
    async with AsyncSandbox(limits=limits) as box:
        await box.eval(_PROGRAM)
        await work(box.asgi())


def main() -> None:
    """Measure all of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--requests", type=int, default=1000)
    parser.add_argument("--messages", type=int, default=50_000)
    options = parser.parse_args()
    has_starlette = importlib.util.find_spec("starlette") is not None

    async def measure(app: Any) -> None:  # noqa: ANN401 - an application
        plain = await _direct(_starlette(), options.requests) if has_starlette else (1.0, 1.0)
        ours = await _direct(app, options.requests)
        for index, kind in enumerate(("", ", CPU time")):
            _row(f"ASGI calls{kind}: Starlette", plain[index], plain[index])
            _row(f"ASGI calls{kind}: sandbox", ours[index], plain[index])
        for path in ("/up", "/down"):
            speed, before, most = await _stream(app, path)
            print(f"100 MB {path:38} {speed:8.0f} MB/s, resident {before:.0f} MB, at most {most:.0f} MB")
        rate = await _messages(app, options.messages)
        print(f"{options.messages} messages, there and back {'':14} {rate:8.0f} a second")

    asyncio.run(_in_process(measure))
    base = 1.0
    if has_starlette:
        with _uvicorn(_starlette()) as port:
            base = _over_http(port, options.requests)
            _row("uvicorn: Starlette", base, base)
    with _uvicorn(AsyncSandbox().asgi(_PROGRAM)) as port:
        _row("uvicorn: sandbox", _over_http(port, options.requests), base)
    if shutil.which("node"):
        with _node() as port:
            _row("node:http", _over_http(port, options.requests), base)


if __name__ == "__main__":
    main()
