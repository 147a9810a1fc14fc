"""The command `daemon`: where it listens, whom it refuses to serve, what it tells, and how it ends."""

from __future__ import annotations

import signal
import subprocess
import urllib.request
from pathlib import Path
from typing import Any

import pytest

import sandbox
from sandbox.remote.errors import ConnectionLost
from tests.cli.command import COMMAND, run


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        ([], "say where to listen"),
        (["--tcp", "127.0.0.1:0"], "--tcp needs --token-file"),
        (["--tcp", "0.0.0.0:0", "--token-file", "TOKENS"], "needs --tls-cert"),
        (["--tcp", "nowhere", "--token-file", "TOKENS"], "an address is HOST:PORT"),
        (["--tcp", "127.0.0.1:0", "--token-file", "OPEN"], "others may read it"),
        (["--tcp", "127.0.0.1:0", "--token-file", "NONE"], "No such file"),
        (["--socket", "FILE"], "no socket"),
        (["--socket", "s", "--tls-key", "TOKENS"], "--tls-key needs --tls-cert"),
        (["--socket", "s", "--tls-cert", "TOKENS"], "TOKENS"),
        (["--socket", "s", "--max-memory", "much"], "is not a size"),
        (["--socket", "s", "--workers", "0"], "--workers"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_what_it_refuses(
    flags: list[str], told: str, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for name, mode in (("TOKENS", 0o600), ("OPEN", 0o644), ("FILE", 0o600)):
        Path(name).write_text("alice " + "a" * 20)
        Path(name).chmod(mode)
    status, out, err = run(capsys, "daemon", *flags)
    assert (status, out) == (2, "")
    assert told in err


def start(*flags: str) -> tuple[subprocess.Popen[str], list[str]]:
    process = subprocess.Popen(
        [*COMMAND, "daemon", *flags],
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stderr is not None
    lines = [process.stderr.readline() for _ in range(1 + ("--metrics" in flags))]
    return process, lines


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT], ids=lambda number: number.name)
def test_it_serves_and_waits_for_what_runs(tmp_path: Path, number: Any) -> None:
    path, tokens = tmp_path / "s", tmp_path / "tokens"
    tokens.write_text("alice " + "a" * 20)
    tokens.chmod(0o600)
    flags = ["--socket", str(path), "--tcp", "127.0.0.1:0", "--token-file", str(tokens), "--metrics", "127.0.0.1:0"]
    process, (first, second) = start(*flags, "--workers", "1")
    assert first.startswith(f"Listening at {path} and tcp://127.0.0.1:")
    with sandbox.connect(first.split()[4].rstrip(","), token="a" * 20) as remote:
        with remote.sandbox() as box:
            assert box.eval("1 + 1") == 2
            with urllib.request.urlopen(second.split()[-1]) as answer:
                assert b"sandbox_sandboxes 1\n" in answer.read()
            process.send_signal(number)
            assert process.stderr is not None
            assert process.stderr.readline() == "Stopping: waiting for 1 sandbox\n"
            assert box.eval("2 + 2") == 4
        assert process.wait(20) == 0
    process.stderr.close()
    assert not path.exists()
    with pytest.raises(ConnectionLost):
        sandbox.connect(path).__enter__()


def test_a_second_signal_ends_it_at_once(tmp_path: Path) -> None:
    process, _ = start("--socket", str(tmp_path / "s"), "--workers", "1")
    with sandbox.connect(tmp_path / "s") as remote, remote.sandbox() as box:
        box.eval("1")
        assert process.stderr is not None
        process.terminate()
        process.stderr.readline()
        process.terminate()
        assert process.wait(20) == 0
        with pytest.raises(ConnectionLost):
            box.eval("1")
    process.stderr.close()


def test_two_at_one_place(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    process, _ = start("--socket", str(tmp_path / "s"), "--workers", "1")
    status, _, err = run(capsys, "daemon", "--socket", str(tmp_path / "s"))
    assert status == 2
    assert "another daemon listens" in err
    process.terminate()
    process.wait(20)
    assert process.stderr is not None
    process.stderr.close()
