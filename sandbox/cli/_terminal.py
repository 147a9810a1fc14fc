"""Where the command writes: two streams, colors when a person looks, and guest text that cannot steer the terminal."""

from __future__ import annotations

import os
import re
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
    from rich.console import Console

    from sandbox.capabilities import ConsoleEntry

RED: Final = "\x1b[31m"
GREEN: Final = "\x1b[32m"
YELLOW: Final = "\x1b[33m"
BOLD: Final = "\x1b[1m"
DIM: Final = "\x1b[2m"
_RESET: Final = "\x1b[0m"
_ERASE_LINE: Final = "\r\x1b[K"

# Control characters but for line ends and tabs, and what reorders or hides text: bidirectional marks, line separators,
# language tags.
_STEERING: Final = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]|\r(?!\n)|[\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff]|[\U000e0000-\U000e007f]"
)
_LONE_SURROGATE: Final = re.compile("[\ud800-\udfff]")
_WIDTH_WITHOUT_TERMINAL: Final = 120
_PROGRESS_DELAY_SECONDS: Final = 0.25
# How often a status line is drawn, and how long nothing must have been written before it is.
_STATUS_SECONDS: Final = 1.0
_QUIET_SECONDS: Final = 1.5

# Console methods that leave no text of their own.
_SILENT: Final = frozenset({"groupEnd", "time", "countReset", "clear"})
_LEVEL_STYLES: Final = {"warn": YELLOW, "error": RED, "debug": DIM}


class Terminal:
    """The command's output. Every write is flushed: what was printed before a failure is there, and in order."""

    def __init__(self, out: TextIO, err: TextIO, *, color: bool | None = None) -> None:
        """Use two streams.

        Args:
            out: For results and the console's ordinary output.
            err: For errors, warnings and traces.
            color: Whether to use colors; None: when the stream is a terminal and the environment does not object.
        """
        self._streams: Final = (out, err)
        self._person: Final = (_isatty(out), _isatty(err))
        self._color: Final = tuple(_wants_color(person) if color is None else color for person in self._person)
        self._line: _StatusLine | None = None
        for stream in self._streams:
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    @property
    def out(self) -> TextIO:
        """The stream of results."""
        return self._streams[0]

    @property
    def output_color(self) -> bool:
        """Whether it gets colors."""
        return self._color[0]

    @property
    def is_person(self) -> bool:
        """Whether a person reads it."""
        return self._person[0]

    @property
    def error_color(self) -> bool:
        """Whether the error stream gets colors."""
        return self._color[1]

    def columns(self, *, error: bool = False) -> int | None:
        """How wide the screen is that one of the streams goes to; None: it goes to none, or that is not known."""
        if not self._person[error]:
            return None
        given = os.environ.get("COLUMNS", "")
        if given.isdecimal() and int(given) > 0:
            return int(given)
        try:
            return os.get_terminal_size(self._streams[error].fileno()).columns or None
        except (OSError, ValueError):
            return None

    def write(self, text: str, *, error: bool = False, style: str = "", trusted: bool = False) -> None:
        """Write a text and a line end.

        Args:
            text: On a terminal, what could steer it is shown as an escape sequence.
            error: Write it to the error stream.
            style: A color for all of it.
            trusted: The text is the command's own, escapes and all.
        """
        stream = self._streams[error]
        if self._line is not None:
            self._line.hide()
        text = _LONE_SURROGATE.sub("\ufffd", text)
        if self._person[error] and not trusted:
            text = harmless(text)
        if style and self._color[error]:
            text = f"{style}{text}{_RESET}"
        stream.write(f"{text}\n")
        stream.flush()

    def console(self, *, error: bool = False) -> Console:
        """One of the streams as a console of rich's, for tables and bars."""
        from rich.console import Console  # takes as long to import as a small program runs

        person = self._person[error]
        return Console(
            file=self._streams[error],
            force_terminal=person,
            color_system="auto" if self._color[error] else None,
            width=None if person else _WIDTH_WITHOUT_TERMINAL,
            highlight=False,
        )

    def entry(self, entry: ConsoleEntry) -> None:
        """Write what a console method prints: warnings, errors, traces and failed assertions to the error stream."""
        text = _entry_text(entry)
        if text is not None:
            error = entry.level in ("warn", "error")
            self.write(text, error=error, style=_LEVEL_STYLES.get(entry.level, ""))

    @contextmanager
    def progress(self, text: str) -> Iterator[None]:
        """Show a line to a waiting person, if what happens inside takes noticeably long; it vanishes afterwards."""
        if not self._person[1]:
            yield
            return
        line = _ProgressLine(self._streams[1], f"{DIM}{text}{_RESET}" if self._color[1] else text)
        timer = threading.Timer(_PROGRESS_DELAY_SECONDS, line.show)
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()
            line.end()

    @contextmanager
    def status(self, text: Callable[[float], str]) -> Iterator[None]:
        """Tell a waiting person what goes on, in a line that goes away when anything is written, and at the end.

        Args:
            text: The line, by the seconds since the beginning.
        """
        if not all(self._person):
            yield
            return
        line = self._line = _StatusLine(self._streams[1], text, DIM if self._color[1] else "")
        try:
            yield
        finally:
            self._line = None
            line.end()


class _StatusLine:
    """A line that is drawn again every second by a thread of its own, unless something was written just before."""

    def __init__(self, stream: TextIO, text: Callable[[float], str], style: str) -> None:
        self._stream, self._text, self._style = stream, text, style
        self._lock = threading.Lock()
        self._began = self._written = time.monotonic()
        self._shown = False
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._draw, daemon=True)
        self._thread.start()

    def _draw(self) -> None:
        while not self._ended.wait(_STATUS_SECONDS):
            with self._lock:
                if time.monotonic() - self._written < _QUIET_SECONDS or self._ended.is_set():
                    continue
                line = self._text(time.monotonic() - self._began)
                end = _RESET if self._style else ""
                self._stream.write(f"{_ERASE_LINE}{self._style}{line}{end}")
                self._stream.flush()
                self._shown = True

    def hide(self) -> None:
        with self._lock:
            self._written = time.monotonic()
            if self._shown:
                self._stream.write(_ERASE_LINE)
                self._stream.flush()
                self._shown = False

    def end(self) -> None:
        self._ended.set()
        self.hide()
        self._thread.join()


class _ProgressLine:
    """A line that is shown at most once, and never after its end."""

    def __init__(self, stream: TextIO, text: str) -> None:
        self._stream, self._text = stream, text
        self._lock = threading.Lock()
        self._shown = self._ended = False

    def show(self) -> None:
        with self._lock:
            if not self._ended:
                self._shown = True
                self._stream.write(self._text)
                self._stream.flush()

    def end(self) -> None:
        with self._lock:
            self._ended = True
            if self._shown:
                self._stream.write(_ERASE_LINE)
                self._stream.flush()


def harmless(text: str) -> str:
    """Text in which nothing steers a terminal."""
    return _STEERING.sub(lambda match: match[0].encode("unicode_escape").decode("ascii"), text)


def _entry_text(entry: ConsoleEntry) -> str | None:
    """What an entry prints; None: nothing, not even an empty line."""
    if entry.type in _SILENT or (entry.type == "group" and not entry.text):
        return None
    text = entry.text
    if entry.type == "trace":
        heading = f"Trace: {text}" if text else "Trace"
        text = f"{heading}\n{entry.fields.get('stack', '')}".rstrip("\n")
    indent = "  " * entry.group_depth
    return "\n".join(indent + line for line in text.split("\n")) if indent else text


def _isatty(stream: TextIO) -> bool:
    try:
        return stream.isatty()
    except ValueError:  # a closed stream
        return False


def _wants_color(person: bool) -> bool:
    """See no-color.org and its counterpart force-color.org."""
    if os.environ.get("NO_COLOR"):
        return False
    if os.environ.get("FORCE_COLOR"):
        return True
    return person and os.environ.get("TERM") != "dumb"


def discard_output() -> None:
    """After a broken pipe: let the interpreter flush its streams into nothing when it exits."""
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except (OSError, ValueError):
            os.dup2(nowhere, stream.fileno())
    os.close(nowhere)
