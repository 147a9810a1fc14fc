"""The suite's server is there while tests need it, and programs of the server profile reach it."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.wpt import __main__ as command
from tests.wpt import adapter, server

# Stands in the place of a checkout's command: a process of its own listens on every port, and answers with a file.
_WPT = """
import json, pathlib, subprocess, sys
assert sys.argv[1:4] == ["serve", "--no-h2", "--config"]
ports = sum(json.loads(pathlib.Path(sys.argv[4]).read_text())["ports"].values(), [])
child = '''
import socket, sys, threading
def serve(listener):
    while True:
        client = listener.accept()[0]
        client.recv(4096)
        client.sendall(b"HTTP/1.1 200 OK\\\\r\\\\nContent-Length: 4\\\\r\\\\n\\\\r\\\\nhere")
        client.close()
for port in sys.argv[1:]:
    threading.Thread(target=serve, args=[socket.create_server(("127.0.0.1", int(port)))]).start()
'''
subprocess.run([sys.executable, "-c", child, *map(str, ports)])
"""
_RUNNER = """
import json, pathlib, sys
out = sys.argv[sys.argv.index("--out") + 1]
area = {"files": 0, "files_all_pass": 0, "pass": 0, "subtests": 0, "pass_rate": None}
pathlib.Path(out).write_text(json.dumps({"results": [], "areas": {" ".join(sys.argv): area}}))
"""


@pytest.fixture
def ports(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Free ports, which the server is told to have."""
    listeners = [socket.create_server(("127.0.0.1", 0)) for _ in range(3)]
    free: list[int] = [listener.getsockname()[1] for listener in listeners]
    for listener in listeners:
        listener.close()
    monkeypatch.setitem(server.CONFIGURATION, "ports", {"http": free[:2], "ws": free[2:]})
    return free


def _is_free(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) != 0


def test_it_is_there_for_as_long_as_it_is_needed(
    ports: list[int], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "wpt").write_text(_WPT, encoding="utf-8")
    program = tmp_path / "program.js"
    origin = f"http://localhost:{ports[0]}"
    program.write_text(
        f"//#WPT-SCRIPT a.js\nfetch('{origin}/x').then(response => response.text()).then(console.log);"
        "new WebSocket('ws://localhost:1').onerror = event => console.log(event.type)",
        encoding="utf-8",
    )
    with server.running(tmp_path):
        assert not any(map(_is_free, ports))
        adapter.main(["--server", origin, str(program)])
    assert sorted(capsys.readouterr().out.splitlines()) == ["error", "here"]
    assert all(map(_is_free, ports))


def test_a_program_of_the_core_reaches_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    adapter.run("//#WPT-SCRIPT a.js\nfetch('http://localhost:8000/').catch(error => console.log(error.cause.code))")
    assert capsys.readouterr().out == "denied\n"


def test_a_server_that_does_not_start(ports: list[int], tmp_path: Path) -> None:
    with pytest.raises(RuntimeError, match="does not start"), server.running(tmp_path):
        pass
    taken = pytest.raises(RuntimeError, match=f"port {ports[1]}")
    with socket.create_server(("127.0.0.1", ports[1])), taken, server.running(tmp_path):
        pass


def test_the_runner_is_told_of_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    @contextmanager
    def running(checkout: Path) -> Iterator[str]:
        assert checkout == tmp_path
        yield "http://server.test:1"

    monkeypatch.setattr(server, "running", running)
    runner = tmp_path / "runner.py"
    runner.write_text(_RUNNER, encoding="utf-8")
    arguments = ["--wpt", str(tmp_path), "--runner", str(runner), "--profile", "server", "websockets/Send-data.any.js"]
    assert command.main(arguments) == 1
    told, missing = capsys.readouterr().out.splitlines()[:2]
    assert "tests.wpt.adapter --server http://server.test:1 --server http://server.test:1 --skip-variant h2|wss" in told
    assert missing == "not run: websockets/Send-data.any.js"
