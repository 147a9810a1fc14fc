"""An interactive session with a sandbox: one script after another, as a person types them.

Its half in the guest is `bindings/session.js`. What a script declares by `let`, `const`, `class` or `var` may be
declared anew by a later one, and its value is shown and stays in the guest, so it need not be one that can leave it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox.errors import JSSyntaxError, SandboxError

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._languages import Language
    from sandbox._sandbox import Sandbox

# The target of a call that stands for what bindings answer to the host.
_ENTRY: Final = 0
# Names are wanted between two keys that a person presses.
_NAMES_SECONDS: Final = 0.5
_MOST_NAMES: Final = 500


class Session:
    """A session with one sandbox; like the sandbox, for one thread at a time."""

    def __init__(self, box: Sandbox) -> None:
        """Begin a session; the sandbox stays the caller's to close."""
        self._box: Final = box
        self._driver: Final = box._driver

    @property
    def is_lost(self) -> bool:
        """Whether the sandbox can do nothing any more but be closed."""
        return self._driver.is_poisoned

    def evaluate(self, code: str, filename: str, language: Language | None = None) -> str | None:
        """Evaluate a script, and wait if it awaits something.

        Its value becomes the global `_`, unless the program has one of its own. A promise is not waited for.

        Args:
            code: The source text.
            filename: What stacks call it.
            language: As for `Sandbox.eval`.

        Returns:
            The value as the console shows it; None: it is undefined.

        Raises:
            BaseException: As `Sandbox.eval`.
        """

        def evaluating(number: int) -> Any:  # noqa: ANN401 - events of the guest
            script = self._driver.compile(filename, code, language)
            return self._asking("session.evaluate", script, filename)(number)

        text = self._box._perform(evaluating)
        return text if isinstance(text, str) else None

    def show(self, value: object) -> str:
        """A value as the console shows it.

        Raises:
            BaseException: As `Sandbox.call`.
        """
        return str(self._box._perform(self._asking("session.inspect", value)))

    def names(self, path: Sequence[str], prefix: str) -> list[str]:
        """The names that can follow a path, own ones first; no getter and no Proxy is asked.

        Args:
            path: Property names, from a variable on; empty: variables and globals are wanted.
            prefix: What the names begin with.

        Returns:
            At most some hundred; none, if the guest cannot answer in time.
        """
        try:
            found = self._box._perform(self._asking("session.names", list(path), prefix), timeout=_NAMES_SECONDS)
        except SandboxError:
            return []
        texts = found if isinstance(found, list) else []
        return [text for text in texts[:_MOST_NAMES] if isinstance(text, str) and text.isprintable()]

    def _asking(self, question: str, *arguments: object) -> Command:
        return lambda number: self._driver.guest.call(number, _ENTRY, None, (question, *arguments))


def is_unfinished(code: str, make: type[Sandbox], language: Language | None = None) -> bool:
    """Whether a script lacks only an end: more lines could make it one that can be parsed.

    It is parsed by the engine, in a sandbox of its own that is left before anything of it runs.

    Args:
        code: The source text.
        make: Makes the sandbox.
        language: As for `Sandbox.eval`.
    """
    with make() as box:
        try:
            box.eval(f"throw 0;{code}", filename="<input>", language=language)
        except JSSyntaxError as error:
            return _is_at_the_end(error, code)
        except SandboxError:
            return False
    return False


# What the engine says of a token without an end; the place is the token's beginning.
_ENDLESS: Final = ("unexpected end of comment",)
# What the engine says of text in quotes or backticks, and what is said of it in TypeScript and JSX.
_UNENDED: Final = frozenset({"unexpected end of string", "unexpected '`'"})
_TOO_EARLY: Final = "the program ends too early"
_STRINGS: Final = re.compile(rb"""'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*"|`(?:[^`\\]|\\.)*`|//.*""")
_QUOTE: Final = re.compile(rb"['\"]")
_PREFIX: Final = len("throw 0;")


def _is_at_the_end(error: JSSyntaxError, code: str) -> bool:
    if error.message.startswith(_ENDLESS):
        return True
    place = error.frames[0] if error.frames else None
    if place is None or place.line is None or place.column is None:
        return False
    lines = code.encode("utf-8", "surrogatepass").split(b"\n")  # columns are counted in bytes
    line, column = place.line - 1, place.column - 1 - (_PREFIX if place.line == 1 else 0)
    rest = b"\n".join([lines[line][max(column, 0) :], *lines[line + 1 :]]) if line < len(lines) else b""
    if error.message in _UNENDED:
        return rest.startswith(b"`")
    if error.message == _TOO_EARLY and _QUOTE.search(_STRINGS.sub(b"", lines[-1])):
        return False  # another line does not end a text in quotes
    return not rest.strip()
