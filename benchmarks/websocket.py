"""What WebSockets cost: `python -m benchmarks.websocket`, beside a client in Python and Node where it is installed.

Every client runs the same exchanges with the same server, over loopback: an echo at a time, echoes with some messages
on their way, and messages in one direction, small texts and large buffers. Compression is off.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from sandbox import Limits, Sandbox, WebSockets

# What programs do, in a guest and in Node: the seconds from the first message to the last.
_PROGRAM = """
async function exchange(address, kind, count, size, ahead) {
  const socket = new WebSocket(`${address}/${kind}?count=${count}&size=${size}`);
  socket.binaryType = "arraybuffer";
  await new Promise((done, failed) => { socket.onopen = done; socket.onerror = failed; });
  const message = size > 1000 ? new Uint8Array(size) : "x".repeat(size);
  const began = performance.now();
  await new Promise((done) => {
    let sent = 0, got = 0;
    const last = kind === "up" ? 1 : count;
    const send = () => {
      if (kind === "up") {
        while (sent < count && socket.bufferedAmount < 1 << 20) { socket.send(message); sent++; }
        if (sent < count) setTimeout(send, 0);
      } else if (kind === "echo" && sent < count) {
        socket.send(message);
        sent++;
      }
    };
    socket.onmessage = () => { if (++got === last) done(); else if (kind === "echo") send(); };
    for (let i = 0; i < (kind === "echo" ? ahead : 1); i++) send();
  });
  const seconds = (performance.now() - began) / 1000;
  socket.close();
  return seconds;
}
"""


@dataclass(frozen=True, slots=True)
class Exchange:
    """One row.

    Attributes:
        title: What it says.
        kind: echo, up or down, as seen by the client.
        count: How many messages.
        size: Of each, in bytes.
        ahead: How many are on their way at one time, of an echo.
    """

    title: str
    kind: str
    count: int
    size: int
    ahead: int = 1


def exchanges(messages: int) -> list[Exchange]:
    """All rows, for so many small messages; 100 MB of large ones where there are 50,000."""
    large = max(1, messages // 32)
    return [
        Exchange("echo of 40 bytes, one at a time", "echo", max(1, messages // 10), 40),
        Exchange("echo of 40 bytes, 64 on their way", "echo", messages, 40, 64),
        Exchange("40 bytes, sent", "up", messages, 40),
        Exchange("40 bytes, received", "down", messages, 40),
        Exchange("echo of 64 KiB, 16 on their way", "echo", large, 1 << 16, 16),
        Exchange("64 KiB, sent", "up", large, 1 << 16),
        Exchange("64 KiB, received", "down", large, 1 << 16),
    ]


async def _serve(socket: Any) -> None:  # noqa: ANN401 - a connection of the server
    kind, _, query = socket.request.path.removeprefix("/").partition("?")
    count, size = (int(part.partition("=")[2]) for part in query.split("&"))
    if kind == "down":
        message = bytes(size) if size > 1000 else "x" * size
        for _ in range(count):
            await socket.send(message)
    elif kind == "up":
        for _ in range(count):
            await socket.recv()
        await socket.send("all")
    else:
        async for message in socket:
            await socket.send(message)
    await socket.wait_closed()


@contextmanager
def serving() -> Iterator[str]:
    """The server, on a thread of its own; yields its address."""
    from websockets.asyncio.server import serve

    addresses: list[str] = []
    begun, loop = threading.Event(), asyncio.new_event_loop()
    end = asyncio.Event()

    async def run() -> None:
        async with serve(_serve, "127.0.0.1", 0, compression=None, max_size=None) as server:
            addresses.append(f"ws://127.0.0.1:{next(iter(server.sockets)).getsockname()[1]}")
            begun.set()
            await end.wait()

    thread = threading.Thread(target=lambda: loop.run_until_complete(run()))
    thread.start()
    begun.wait()
    try:
        yield addresses[0]
    finally:
        loop.call_soon_threadsafe(end.set)
        thread.join()
        loop.close()


def in_sandbox(address: str, exchange: Exchange) -> float:
    """Seconds in a guest."""
    grant = WebSockets(["127.0.0.1:*"], private=["127.0.0.0/8"])
    with Sandbox(websocket=grant, limits=Limits(cpu_seconds=None, wall_seconds=None)) as box:
        box.eval(_PROGRAM)
        seconds: float = box.call("exchange", address, exchange.kind, exchange.count, exchange.size, exchange.ahead)
    return seconds


def in_python(address: str, exchange: Exchange) -> float:
    """Seconds in a program in Python, with the library that the host uses as well."""
    from websockets.asyncio.client import connect

    async def run() -> float:
        message = bytes(exchange.size) if exchange.size > 1000 else "x" * exchange.size
        url = f"{address}/{exchange.kind}?count={exchange.count}&size={exchange.size}"
        async with connect(url, compression=None, max_size=None, proxy=None) as socket:
            began = time.perf_counter()
            sends = {"up": exchange.count, "echo": min(exchange.ahead, exchange.count), "down": 0}[exchange.kind]
            for _ in range(sends):
                await socket.send(message)
            for got in range(1 if exchange.kind == "up" else exchange.count):
                await socket.recv()
                if exchange.kind == "echo" and got < exchange.count - sends:
                    await socket.send(message)
            return time.perf_counter() - began

    return asyncio.run(run())


def in_node(address: str, exchange: Exchange) -> float:
    """Seconds in Node, with its own WebSocket."""
    node = shutil.which("node")
    assert node is not None
    arguments = json.dumps([address, exchange.kind, exchange.count, exchange.size, exchange.ahead])
    code = f"{_PROGRAM}\nexchange(...{arguments}).then(seconds => {{ console.log(seconds); process.exit(); }});"
    command = [node, "--no-warnings", "--experimental-websocket", "-e", code]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def clients() -> dict[str, Callable[[str, Exchange], float]]:
    """Who is measured; the first is what the others are compared with."""
    found: dict[str, Callable[[str, Exchange], float]] = {"Python": in_python, "sandbox": in_sandbox}
    if shutil.which("node"):
        found["Node"] = in_node
    return found


def line(exchange: Exchange, client: str, seconds: float, base: float) -> str:
    """One line of the report."""
    rate = exchange.count / seconds
    megabytes = f"{rate * exchange.size / 1e6:7.0f} MB/s" if exchange.size > 1000 else " " * 12
    return f"{exchange.title:36} {client:8} {rate:9,.0f} a second {megabytes} {seconds / base:6.1f} x"


def main(arguments: list[str] | None = None) -> None:
    """Measure all of it: the best of some rounds, in which the clients take turns."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.websocket", description=__doc__)
    parser.add_argument("--messages", type=int, default=50_000)
    parser.add_argument("--rounds", type=int, default=3)
    options = parser.parse_args(arguments)
    measured = clients()
    with serving() as address:
        for exchange in exchanges(options.messages):
            best = dict.fromkeys(measured, float("inf"))
            for _ in range(options.rounds):
                for name, run in measured.items():
                    best[name] = min(best[name], run(address, exchange))
            base = next(iter(best.values()))
            for name, seconds in best.items():
                print(line(exchange, name, seconds, base), flush=True)


if __name__ == "__main__":
    main()
