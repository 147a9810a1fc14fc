"""What is typed, without anything installed: lines of a terminal or a pipe, until an input is finished."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, TextIO

from sandbox import Sandbox
from sandbox._session import is_unfinished

if TYPE_CHECKING:
    from sandbox._languages import Language

PROMPT: Final = "> "
MORE: Final = "... "
_YES: Final = ("", "y", "yes")


class PipeReader:
    """Inputs of a stream that is no terminal. Nothing is prompted for."""

    def __init__(self, stream: TextIO, language: Language | None = None) -> None:
        """Read a stream of what is written in a language."""
        self._stream: Final = stream
        self._language: Final = language

    def read(self) -> str | None:
        """The next input; what is not finished at the end is one as well."""
        return _gather(lambda _prompt: _line_of(self._stream), self._language)

    def read_all(self) -> str:
        """All that is left."""
        return self._stream.read()

    def agree(self, _question: str) -> bool:
        """Nobody is there to disagree."""
        return True


class LineReader:
    """Inputs of a terminal, line by line."""

    def __init__(self, ask: Callable[[str], str] = input, language: Language | None = None) -> None:
        """Ask by Python's `input`, which edits lines where the system can, for what is written in a language."""
        self._ask: Final = ask
        self._language: Final = language

    def read(self) -> str | None:
        """The next input; Ctrl-D ends the session.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        try:
            return _gather(self._line, self._language)
        except KeyboardInterrupt:
            sys.stdout.write("\n")
            raise

    def read_all(self) -> str:
        """Lines until Ctrl-D.

        Raises:
            KeyboardInterrupt: Ctrl-C.
        """
        lines: list[str] = []
        while (line := self._line("")) is not None:
            lines.append(line)
        return "\n".join(lines)

    def agree(self, question: str) -> bool:
        """Whether the answer is yes, or none."""
        try:
            return self._ask(f"{question} [Y/n] ").strip().lower() in _YES
        except (EOFError, KeyboardInterrupt):
            return False

    def _line(self, prompt: str) -> str | None:
        try:
            return self._ask(prompt)
        except EOFError:
            return None


def _line_of(stream: TextIO) -> str | None:
    line = stream.readline()
    return line.removesuffix("\n") if line else None


def _gather(line: Callable[[str], str | None], language: Language | None) -> str | None:
    text = line(PROMPT)
    if text is None or text.lstrip().startswith("."):
        return text
    while is_unfinished(text, Sandbox, language):
        more = line(MORE)
        if more is None:
            break
        text = f"{text}\n{more}"
    return text
