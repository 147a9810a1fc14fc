"""What a sandbox in a daemon costs beside one here, and beside an echo of msgpack over one socket.

    python -m benchmarks.remote

Each number is the least of several rounds, in microseconds; all of them take turns.
"""

from __future__ import annotations

import socket
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from pathlib import Path

import msgpack

import sandbox
from sandbox import Sandbox

_ROUNDS = 7
_CALLS = 300


def _echo(sock: socket.socket) -> None:
    with sock:
        unpacker = msgpack.Unpacker()
        while data := sock.recv(1 << 16):
            unpacker.feed(data)
            for message in unpacker:
                sock.sendall(msgpack.packb(message))


def _timed(work: Callable[[], object]) -> float:
    began = time.perf_counter()
    for _ in range(_CALLS):
        work()
    return (time.perf_counter() - began) / _CALLS * 1e6


def main() -> None:
    """Measure and print."""
    path = str(Path(tempfile.mkdtemp()) / "s")
    command = [sys.executable, "-m", "sandbox", "daemon", "--socket", path, "--workers", "1"]
    daemon = subprocess.Popen(command, stderr=subprocess.PIPE)
    assert daemon.stderr is not None
    daemon.stderr.readline()
    ours, theirs = socket.socketpair()
    threading.Thread(target=_echo, args=(theirs,), daemon=True).start()
    unpacker = msgpack.Unpacker()

    def echo() -> None:
        ours.sendall(msgpack.packb(["eval", "1 + 1"]))
        while True:
            unpacker.feed(ours.recv(1 << 16))
            for _ in unpacker:
                return

    def plus(a: int, b: int) -> int:
        return a + b

    given = {"plus": plus}
    with sandbox.connect(path) as remote, remote.sandbox(functions=given) as far, Sandbox(functions=given) as near:
        rows: dict[str, Callable[[], object]] = {
            "echo of msgpack": echo,
            "eval here": lambda: near.eval("1 + 1"),
            "eval in a daemon": lambda: far.eval("1 + 1"),
            "eval that calls the host, here": lambda: near.eval("plus(1, 2)"),
            "eval that calls the host, in a daemon": lambda: far.eval("plus(1, 2)"),
            "a new sandbox and one eval, here": lambda: _use(near=True, remote=remote),
            "a new sandbox and one eval, in a daemon": lambda: _use(near=False, remote=remote),
        }
        best = dict.fromkeys(rows, float("inf"))
        for _ in range(_ROUNDS):
            for name, work in rows.items():
                best[name] = min(best[name], _timed(work))
    for name, microseconds in best.items():
        print(f"{name:42} {microseconds:8.1f} us   {microseconds / best['echo of msgpack']:6.1f} echoes")
    print(f"eval: {best['eval in a daemon'] / best['eval here']:.1f} times as long as here")
    ours.close()
    daemon.terminate()
    daemon.wait()


def _use(*, near: bool, remote: sandbox.Remote) -> None:
    if near:
        with Sandbox() as box:
            box.eval("1 + 1")
    else:
        with remote.sandbox() as box:
            box.eval("1 + 1")


if __name__ == "__main__":
    main()
