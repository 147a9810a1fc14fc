"""What a model runs, and what it is told of it: one description and one form of answer for all libraries of tools."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox import JSError, Sandbox
from sandbox._languages import Language, check_language
from sandbox.compat._waiting import in_thread
from sandbox.errors import SandboxClosed, SandboxError
from sandbox.previews import bounded

if TYPE_CHECKING:
    from sandbox import ConsoleEntry

NAME: Final = "run_javascript"
_DESCRIPTION: Final = (
    "Run JavaScript in a sandbox without files or network, unless some were granted. The value of the last expression, "
    "or of a `return` at the top level, is the result; `await` works there too, and console output is returned. Time "
    "and memory are limited."
)
MAX_BYTES: Final = 16_000
_LEAST_BYTES: Final = 100
_EXCERPT_CHARS: Final = 2_000
_NAMES: Final[dict[Language, str]] = {
    "js": "JavaScript",
    "jsx": "JavaScript with JSX",
    "ts": "TypeScript",
    "tsx": "TypeScript with JSX",
}
_MOST_ENTRIES: Final = 1_000


def described(language: Language | None) -> str:
    """What a model is told of a tool that runs programs in a language; None: in JavaScript."""
    name = _NAMES[language or "js"]
    types = " Types are erased and not checked." if language in ("ts", "tsx") else ""
    return _DESCRIPTION.replace("JavaScript", name) + types


class Session:
    """A sandbox whose console is kept. Any thread."""

    def __init__(
        self, options: Mapping[str, Any], max_bytes: int = MAX_BYTES, language: Language | None = None
    ) -> None:
        """Make one.

        Args:
            options: Those of `Sandbox`, but for `console`, whose entries are part of the answers.
            max_bytes: About how long an answer may be; what is longer is cut where its structure allows it.
            language: What programs are written in; None: JavaScript.

        Raises:
            TypeError: `Sandbox` has no such option, or it is `console`; or `language` is no text.
            ValueError: `max_bytes` is less than 100, or there is no such language.
        """
        check_language(language)
        if max_bytes < _LEAST_BYTES:
            raise ValueError(f"max_bytes must be at least {_LEAST_BYTES}, not {max_bytes}")
        if "console" in options:
            raise TypeError("console entries are part of the answers: the option console cannot be given")
        self._max_bytes = max_bytes
        self._filename = f"program.{language or 'js'}"
        self._entries: list[str] = []
        self.box = Sandbox(**options, console=self._keep)

    def _keep(self, entry: ConsoleEntry) -> None:
        if len(self._entries) < _MOST_ENTRIES:
            self._entries.append(f"{entry.level}: {entry}" if entry.level in ("warn", "error") else str(entry))

    def run(self, code: str) -> dict[str, Any]:
        """Run a program; what came of it, as JSON.

        Returns:
            `ok`; `value`, or an `error` with `type`, `message`, and where it is known `code`, an excerpt of the
            program; `console`, a list of texts; `truncated`, where something was left out; and `usage`.

        Raises:
            SandboxClosed: It was closed.
            BaseException: Whatever a host function raised that is no `Exception`.
        """
        self._entries.clear()
        told: dict[str, Any]
        try:
            value = self.box.execute(code, filename=self._filename, trace=()).unwrap()
            value, is_cut = bounded(value, max_bytes=self._max_bytes)
            told = {"ok": True, "value": value}
        except SandboxClosed:
            raise
        except SandboxError as error:
            told, is_cut = {"ok": False, "error": _told(error, self._max_bytes)}, False
        console, is_console_cut = bounded(list(self._entries), max_bytes=self._max_bytes)
        usage = self.box.usage
        told["console"] = console
        if is_cut or is_console_cut or len(self._entries) == _MOST_ENTRIES:
            told["truncated"] = True
        told["usage"] = {"cpu_seconds": round(usage.cpu_seconds, 6), "memory_bytes": usage.memory_bytes}
        return told

    async def run_async(self, code: str) -> dict[str, Any]:
        """The same on a worker thread. A cancel point, which stops the program."""
        return await in_thread(self.box, lambda: self.run(code))

    def close(self) -> None:
        """Free the sandbox; idempotent."""
        self.box.close()


class Programs:
    """Runs programs, each in a sandbox of its own, or all in one that keeps its variables. Any thread."""

    def __init__(
        self, options: Mapping[str, Any], *, persistent: bool, max_bytes: int, language: Language | None = None
    ) -> None:
        """Say how programs are run.

        Args:
            options: See `Session`.
            persistent: Whether all run in one sandbox.
            max_bytes: See `Session`.
            language: See `Session`.

        Raises:
            TypeError: As `Session`.
            ValueError: As `Session`.
        """
        self._options = dict(options)
        self._max_bytes, self._language = max_bytes, language
        first = self._new()  # wrong options are told at once
        self._session = first if persistent else None
        if not persistent:
            first.close()

    def run(self, code: str) -> dict[str, Any]:
        """Run a program; see `Session.run`."""
        if self._session is not None:
            return self._session.run(code)
        session = self._new()
        try:
            return session.run(code)
        finally:
            session.close()

    async def run_async(self, code: str) -> dict[str, Any]:
        """The same on a worker thread. A cancel point, which stops the program."""
        if self._session is not None:
            return await self._session.run_async(code)
        session = self._new()
        try:
            return await session.run_async(code)
        finally:
            session.close()

    def _new(self) -> Session:
        return Session(self._options, self._max_bytes, self._language)

    def close(self) -> None:
        """Free the sandbox that keeps variables; idempotent."""
        if self._session is not None:
            self._session.close()


def _told(error: SandboxError, max_bytes: int) -> dict[str, str]:
    """An error for a model: what it was, and where in its program."""
    kind = (error.name or "Error") if isinstance(error, JSError) else type(error).__name__
    message, _ = bounded(error.message if isinstance(error, JSError) else str(error), max_bytes=max_bytes)
    told = {"type": kind, "message": message}
    if isinstance(error, JSError) and error.frames:
        told["code"] = error.render()[:_EXCERPT_CHARS]
    return told


def missing(what: str, extra: str) -> ImportError:
    """What is raised where a library is not installed.

    Args:
        what: The library.
        extra: What brings it.
    """
    return ImportError(f"{what} is not installed: pip install 'quickjs-sandbox[{extra}]'")
