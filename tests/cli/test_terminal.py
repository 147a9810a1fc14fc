"""Terminals, signals and pipes: what a hostile guest prints stays text, and everything ends in good order."""

from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import threading

import pytest

from sandbox.cli import main
from sandbox.cli._terminal import Terminal, harmless
from tests.cli.command import COMMAND


class Screen(io.StringIO):
    """A stream that says a person looks at it."""

    def __init__(self) -> None:
        super().__init__()
        self.flushed = threading.Event()

    def isatty(self) -> bool:
        return True

    def flush(self) -> None:
        self.flushed.set()


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("\x1b[2J\x1b]0;title\x07", "\\x1b[2J\\x1b]0;title\\x07"),
        ("a\rb\r\nc\td", "a\\rb\r\nc\td"),
        ("\x9b31m\x7f\x00", "\\x9b31m\\x7f\\x00"),
        ("a\u202eb\u2066c\u200f", "a\\u202eb\\u2066c\\u200f"),
        ("\u2028\ufeff\U000e0041", "\\u2028\\ufeff\\U000e0041"),
        ("é 字 👩\u200d🚀 \xa0", "é 字 👩\u200d🚀 \xa0"),
    ],
    ids=["sequences", "returns", "controls", "directions", "invisible", "text"],
)
def test_guest_text_cannot_steer_a_terminal(text: str, shown: str) -> None:
    screen, log = Screen(), io.StringIO()

    Terminal(screen, log).write(text)
    Terminal(screen, log).write(text, error=True)

    assert harmless(text) == shown
    assert screen.getvalue() == shown + "\n"
    assert log.getvalue() == text + "\n"


@pytest.mark.parametrize(
    ("environment", "color", "expected"),
    [
        ({}, None, True),
        ({}, False, False),
        ({"NO_COLOR": "1"}, None, False),
        ({"TERM": "dumb"}, None, False),
        ({"NO_COLOR": "1", "FORCE_COLOR": "1"}, None, False),
    ],
)
def test_colors(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], color: bool | None, expected: bool
) -> None:
    monkeypatch.setenv("TERM", "xterm")
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    screen = Screen()

    terminal = Terminal(screen, screen, color=color)
    terminal.write("x", style="\x1b[31m")

    assert screen.getvalue() == ("\x1b[31mx\x1b[0m\n" if expected else "x\n")
    assert terminal.error_color is expected


def test_how_wide_a_screen_is(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "72")
    screen, log = Screen(), io.StringIO()
    assert Terminal(screen, log).columns() == 72
    assert Terminal(screen, log).columns(error=True) is None

    monkeypatch.setenv("COLUMNS", "wide")
    assert Terminal(screen, log).columns() is None  # what is no terminal has no size


def test_code_is_cut_to_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "60")
    screen, log = Screen(), io.StringIO()
    for stream in (screen, log):
        monkeypatch.setattr("sys.stderr", stream)
        assert main(["eval", "--no-color", f"nope('{'x' * 200}')"]) == 1

    assert max(map(len, screen.getvalue().splitlines())) == 59
    assert max(map(len, log.getvalue().splitlines())) == 107
    assert "> 1 | nope('xxx" in screen.getvalue()


def test_color_can_be_forced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FORCE_COLOR", "1")
    log = io.StringIO()

    Terminal(log, log).write("x", style="\x1b[31m")

    assert log.getvalue() == "\x1b[31mx\x1b[0m\n"


def test_a_slow_start_shows_a_line_that_vanishes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._PROGRESS_DELAY_SECONDS", 0.0)
    screen = Screen()

    with Terminal(io.StringIO(), screen, color=False).progress("Preparing ..."):
        assert screen.flushed.wait(10)

    assert screen.getvalue() == "Preparing ...\r\x1b[K"


def test_a_quick_start_shows_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._PROGRESS_DELAY_SECONDS", 3600.0)
    screen = Screen()

    with Terminal(io.StringIO(), screen).progress("Preparing ..."):
        pass

    assert screen.getvalue() == ""


def test_a_status_goes_away_when_something_is_written(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._STATUS_SECONDS", 0.001)
    monkeypatch.setattr("sandbox.cli._terminal._QUIET_SECONDS", 0.0)
    screen = Screen()
    terminal = Terminal(screen, screen, color=False)

    with terminal.status(lambda seconds: f"running {seconds >= 0}"):
        assert screen.flushed.wait(10)
        monkeypatch.setattr("sandbox.cli._terminal._QUIET_SECONDS", 3600.0)
        terminal.write("text")

    shown = screen.getvalue()
    assert shown.startswith("\r\x1b[Krunning True")
    assert shown.endswith("\r\x1b[Ktext\n")


@pytest.mark.parametrize("person", [(True, False), (False, True), (False, False)])
def test_a_status_is_for_people(monkeypatch: pytest.MonkeyPatch, person: tuple[bool, bool]) -> None:
    monkeypatch.setattr("sandbox.cli._terminal._STATUS_SECONDS", 0.0)
    streams = [Screen() if each else io.StringIO() for each in person]
    before = threading.active_count()

    with Terminal(*streams).status(lambda _seconds: "running"):
        assert threading.active_count() == before

    assert [stream.getvalue() for stream in streams] == ["", ""]


@pytest.mark.skipif(sys.platform == "win32", reason="signals work differently there")
@pytest.mark.parametrize(
    "code", ["for (;;);", "await new Promise(done => setTimeout(done, 1e6))"], ids=["busy", "waiting"]
)
def test_ctrl_c(code: str) -> None:
    process = subprocess.Popen(
        [*COMMAND, "run", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        # Whoever starts the tests in the background may have had the signal ignored.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    assert process.stdin is not None and process.stdout is not None
    process.stdin.write(f"console.log('started'); {code}")
    process.stdin.close()
    process.stdin = None

    assert process.stdout.readline() == "started\n"  # it streams: this comes while the guest runs
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)

    assert (process.returncode, out, err) == (130, "", "Interrupted\n")


@pytest.mark.skipif(sys.platform == "win32", reason="pipes work differently there")
def test_a_reader_that_goes_away_ends_the_program() -> None:
    process = subprocess.Popen(
        [*COMMAND, "eval", "for (let i = 0;; i++) console.log(i)"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None

    assert process.stdout.readline() == "0\n"
    process.stdout.close()
    process.stdout = None
    _, err = process.communicate(timeout=30)

    assert (process.returncode, err) == (141, "")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no pseudo-terminals")
def test_on_a_terminal_errors_are_colored_and_guests_tamed() -> None:
    import pty

    parent, child = pty.openpty()
    code = "console.log('\\x1b[2J'); console.warn('careful'); null.x"
    process = subprocess.Popen(
        [*COMMAND, "eval", code], stdout=child, stderr=child, env={**os.environ, "TERM": "xterm"}
    )
    os.close(child)
    output = b""
    try:
        while chunk := os.read(parent, 65_536):
            output += chunk
    except OSError:
        pass  # how Linux says that the other side is closed
    os.close(parent)

    assert process.wait() == 1
    assert b"\\x1b[2J\r\n" in output
    assert b"\x1b[2J" not in output
    assert b"\x1b[33mcareful\x1b[0m" in output
    assert b"Uncaught \x1b[1m\x1b[31mTypeError" in output
