"""Where the command writes: two streams, colors when a person looks, and guest text that cannot steer the terminal."""

from __future__ import annotations

import os
import re
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TextIO

if TYPE_CHECKING:
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
_PROGRESS_DELAY_SECONDS: Final = 0.25

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
        for stream in self._streams:
            if hasattr(stream, "reconfigure"):
                stream.reconfigure(errors="backslashreplace")

    @property
    def error_color(self) -> bool:
        """Whether the error stream gets colors."""
        return self._color[1]

    def write(self, text: str, *, error: bool = False, style: str = "", trusted: bool = False) -> None:
        """Write a text and a line end.

        Args:
            text: On a terminal, what could steer it is shown as an escape sequence.
            error: Write it to the error stream.
            style: A color for all of it.
            trusted: The text is the command's own, escapes and all.
        """
        stream = self._streams[error]
        text = _LONE_SURROGATE.sub("\ufffd", text)
        if self._person[error] and not trusted:
            text = harmless(text)
        if style and self._color[error]:
            text = f"{style}{text}{_RESET}"
        stream.write(f"{text}\n")
        stream.flush()

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
