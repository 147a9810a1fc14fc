"""The flags that grant something: nothing is reached without them, and with them what they name."""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
from websockets.sync.server import ServerConnection, serve

from tests.cli.command import program, run

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="there is no DirectoryFiles")


class _Handler(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "4")
        self.end_headers()
        self.wfile.write(b"here")

    def log_message(self, *_: Any) -> None:
        pass


@contextmanager
def _running(server: Any) -> Iterator[int]:
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield server.socket.getsockname()[1]
    finally:
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def http_port() -> Iterator[int]:
    with HTTPServer(("127.0.0.1", 0), _Handler) as server, _running(server) as port:
        yield port


@pytest.fixture
def ws_port() -> Iterator[int]:
    threads: list[threading.Thread] = []

    def echo(socket: ServerConnection) -> None:
        threads.append(threading.current_thread())
        for message in socket:
            socket.send(message)

    with serve(echo, "127.0.0.1", 0) as server, _running(server) as port:
        yield port
    for thread in threads:
        thread.join()


_FETCH = "await fetch('http://127.0.0.1:PORT/').then(r => r.text(), e => e.cause.code)"
_SOCKET = """await new Promise(done => {
  const socket = new WebSocket('ws://127.0.0.1:PORT');
  socket.onopen = () => socket.send('hello');
  socket.onmessage = ({data}) => { done(data); socket.close(); };
  socket.onerror = () => done('error');
})"""
_LOOPBACK = ["--allow-private", "127.0.0.0/8"]


@pytest.mark.parametrize(
    ("flags", "fetched", "connected"),
    [
        ([], "denied", "error"),
        (["--allow-net", "127.0.0.1:*"], "address", "error"),
        (["--allow-net", "127.0.0.1:*", "--allow-private", "10.0.0.0/8"], "address", "error"),
        (["--allow-net", "127.0.0.1:*", *_LOOPBACK], "here", "hello"),
        (["--allow-net", "http://127.0.0.1:*", *_LOOPBACK], "here", "error"),
        (["--allow-net", "ws://127.0.0.1:*", *_LOOPBACK], "denied", "hello"),
        (["--allow-net", "example.com", "--allow-net", "127.0.0.1:*", *_LOOPBACK], "here", "hello"),
        (["--allow-net", "example.com", *_LOOPBACK], "denied", "error"),
    ],
)
def test_the_network(
    capsys: pytest.CaptureFixture[str], http_port: int, ws_port: int, flags: list[str], fetched: str, connected: str
) -> None:
    code = f"[{_FETCH.replace('PORT', str(http_port))}, {_SOCKET.replace('PORT', str(ws_port))}].join(' ')"
    assert run(capsys, "eval", *flags, code) == (0, f"{fetched} {connected}\n", "")


_FILES = """
import { readFile, readdir, writeFile } from "node:fs/promises";
const text = (work) => work.then(String, (error) => error.code);
console.log(await text(readFile("/in/a.txt", "utf8")), await text(readFile("in/a.txt", "utf8")));
console.log(await text(writeFile("/in/b.txt", "b").then(() => "written")));
console.log(await text(writeFile("/out/b.txt", "b").then(() => "written")));
console.log(await text(readFile("/other/c.txt", "utf8")), await text(readdir("/").then((names) => names.sort())));
"""


@pytest.mark.parametrize(
    ("flags", "lines"),
    [
        (["--allow-read", "in"], ["a a", "EROFS", "ENOENT", "ENOENT in"]),
        (["--allow-read", "./in/", "--allow-write", "out"], ["a a", "EROFS", "written", "ENOENT in,out"]),
        (["--allow-write", "in"], ["a a", "written", "ENOENT", "ENOENT in"]),
        (["--allow-read", "in", "--allow-write", "in"], ["a a", "written", "ENOENT", "ENOENT in"]),
        (["--allow-read", "/in=other"], ["ENOENT ENOENT", "EROFS", "ENOENT", "ENOENT in"]),
        (["--allow-read", "."], ["a a", "EROFS", "EROFS", "c in,other,out,program.js"]),
        (["--allow-read", "/=in"], ["ENOENT ENOENT", "EROFS", "EROFS", "ENOENT a.txt"]),
        (["--allow-read", "/other=../{name}/other"], ["ENOENT ENOENT", "ENOENT", "ENOENT", "c other"]),
    ],
)
def test_files(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    flags: list[str],
    lines: list[str],
) -> None:
    for name in ("in/a.txt", "out/x.txt", "other/c.txt"):
        (tmp_path / name).parent.mkdir()
        (tmp_path / name).write_text(Path(name).name[0], "utf-8")
    program(tmp_path, _FILES)
    monkeypatch.chdir(tmp_path)
    flags = [flag.format(name=tmp_path.name) for flag in flags]
    status, out, err = run(capsys, "run", "--esm", *flags, "program.js")
    assert (status, out.splitlines(), err) == (0, lines, "")
    assert (tmp_path / "in/b.txt").exists() == (lines[1] == "written")
    assert (tmp_path / "out/b.txt").exists() == (lines[2] == "written")


def test_without_grants_there_are_no_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "run", "--esm", program(tmp_path, _FILES))
    assert status == 1
    assert "node:fs/promises" in err


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (["--allow-net", "a b"], "--allow-net:"),
        (["--allow-net", "a.example", "--allow-private", "nonsense"], "--allow-private:"),
        (["--allow-private", "127.0.0.0/8"], "--allow-private:"),
        (["--allow-read", "nowhere"], "--allow-read: nowhere:"),
        (["--allow-write", "nowhere"], "--allow-write: nowhere:"),
        (["--allow-read", ".."], "say under which path"),
        (["--allow-read", "/a/../b=."], "--allow-read:"),
        (["--allow-read", ""], "--allow-read: a directory has a name"),
        (["--allow-write", "/data="], "--allow-write: a directory has a name"),
        (["--allow-read", "/data=.", "--allow-write", "/data=.."], "--allow-write: the program would find both"),
    ],
)
def test_flags_that_make_no_sense(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], flags: list[str], text: str
) -> None:
    file = program(tmp_path, "1")
    for command in (["eval", "1"], ["run", file], ["serve", file]):
        status, out, err = run(capsys, command[0], *flags, command[1])
        assert (status, out) == (2, "")
        assert text in err
