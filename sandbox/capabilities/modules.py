"""Modules for the guest: what its specifiers name, and their sources."""

from __future__ import annotations

import itertools
from collections.abc import Awaitable, Callable, Iterator, Mapping
from types import CoroutineType
from typing import TYPE_CHECKING, Any, ClassVar, Final, get_args

from sandbox._languages import language_of
from sandbox._records import record
from sandbox.capabilities.base import Handler, NumberingCapability
from sandbox.modules.addresses import directory_of, is_url
from sandbox.modules.mapping import Answer, Finder, Offer, checked
from sandbox.modules.source import Importer, Kind, ModuleSource
from sandbox.modules.specifiers import join

if TYPE_CHECKING:
    from sandbox._languages import Language
    from sandbox._origins import Offered

_CONDITIONS: Final = frozenset({"import", "require"})
_TYPES: Final = frozenset({"", "json", "text", "bytes"})
_PROGRAMS: Final = frozenset({"module", "commonjs"})
_KINDS: Final = frozenset(get_args(Kind))
# A source that was begun is asked for at once; only a guest that is cut off in between leaves one behind.
_MAX_BEGUN: Final = 64
# Names are kept with sources that are still to come. No file system knows longer ones.
_MAX_NAME_CHARS: Final = 1 << 14

Compile = Callable[[str, str, "Language | None", "Offered | None"], str]
"""Gives the JavaScript of a source: its filename, its text, what it is written in, and its source map."""


@record(frozen=True, slots=True)
class _Begun:
    """A source that is still to come.

    Attributes:
        source: Gives it.
        key: Of the module.
        kind: What the import attribute asks for; empty: nothing.
        others: Who else can be asked.
    """

    source: Awaitable[Answer]
    key: str
    kind: str
    others: Iterator[Offer]

    def close(self) -> None:
        """Close a coroutine that nobody has awaited, or Python warns of it."""
        source = getattr(self, "source", None)  # what made it may have been interrupted
        if isinstance(source, CoroutineType):
            from inspect import CORO_CREATED, getcoroutinestate  # takes long to import

            if getcoroutinestate(source) == CORO_CREATED:
                source.close()

    __del__ = close


class Modules(NumberingCapability):
    """Serves modules. Nothing is kept of what the guest asks for: it says itself where it imports from."""

    stem: ClassVar[str] = "modules"
    titles: ClassVar[Mapping[str, str]] = {"resolve": "import.resolve", "load": "import", "fetch": "import.wait"}

    def __init__(self, finders: tuple[Finder, ...], compile: Compile) -> None:
        """Make the capability.

        Args:
            finders: Who is asked, in order; none: there are no modules.
            compile: Makes of every source what the guest gets; any thread.
        """
        super().__init__()
        self._finders = finders
        self._compile = compile
        self._begun: dict[int, _Begun] = {}
        self._last: tuple[object, Iterator[Offer]] = (None, iter(()))

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {"resolve": self._resolve, "load": self._load, "fetch": self._fetch}

    def close(self) -> None:
        """See `Capability`. Garbage is finalized in any order, so sources do not wait for it to end."""
        while self._begun:
            self._begun.popitem()[1].close()

    def _resolve(self, specifier: object, path: object, directory: object, condition: object) -> str | bool | None:
        if not self._finders:
            return False
        question = (specifier, path, directory, condition)
        offers = self._offers(question)
        offer = next(offers, None)
        if offer is None:
            return None
        # The source of what was resolved is usually asked for next.
        self._last = (question, itertools.chain((offer,), offers))
        return offer[0]

    def _load(
        self, specifier: object, path: object, directory: object, condition: object, kind: object, may_wait: object
    ) -> object:
        if kind not in _TYPES:
            raise ValueError("no such type of module")
        question = (specifier, path, directory, condition)
        (last, offers), self._last = self._last, (None, iter(()))
        if last != question:
            offers = self._offers(question)
        return self._next(offers, kind, may_wait=bool(may_wait))

    def _next(self, offers: Iterator[Offer], kind: str, *, may_wait: bool = True) -> object:
        """The first source that is offered, or the number of one that is still to come; 0: of one nobody waits for."""
        from inspect import isawaitable  # takes long to import

        for key, give in offers:
            source = give()
            if isawaitable(source):
                begun = _Begun(source, key, kind, offers)
                if not may_wait:
                    return 0
                number = next(self._numbers)
                self._begun[number] = begun
                if len(self._begun) > _MAX_BEGUN:
                    del self._begun[next(iter(self._begun))]
                return number
            if source is not None:
                return self._served(key, checked(source, key), kind)
        return None

    def _fetch(self, number: object) -> Awaitable[object]:
        begun = self._begun.pop(number, None) if isinstance(number, int) else None
        if begun is None:
            raise LookupError("no such source")
        return self._finish(begun)

    async def _finish(self, begun: _Begun) -> object:
        source = await begun.source
        if source is not None:
            return self._served(begun.key, checked(source, begun.key), begun.kind)
        answer = self._next(begun.others, begun.kind)
        return await self._fetch(answer) if isinstance(answer, int) else answer

    def _offers(self, question: tuple[object, ...]) -> Iterator[Offer]:
        specifier, path, directory, condition = question
        if not isinstance(specifier, str) or not isinstance(path, str) or condition not in _CONDITIONS:
            raise TypeError("a module is asked for by specifier, path, directory and condition")
        if directory is not None and not isinstance(directory, str):
            raise TypeError("a directory must be text")
        if max(len(specifier), len(path), len(directory or "")) > _MAX_NAME_CHARS:
            raise ValueError("the name of a module is too long")
        importer = Importer(path, directory_of(path) if directory is None else directory)
        for find in self._finders:
            offer = find(specifier, importer, (condition,))
            if offer is not None:
                yield offer

    def _served(self, key: str, source: ModuleSource, kind: str) -> list[Any]:
        kind = kind or source.kind
        if kind not in _KINDS:
            raise ValueError(f"a module cannot be of the kind {kind!r}")
        filename = key if source.filename is None else source.filename
        directory = source.resolve_dir
        if directory is not None and not is_url(directory):
            directory = join("/", directory)
        code = source.code
        if kind == "bytes":
            code = code.encode("utf-8") if isinstance(code, str) else bytes(code)
        elif not isinstance(code, str):
            code = _text(code, key)
        if isinstance(code, str):
            language = (source.language or language_of(key)) if kind in _PROGRAMS else "js"
            code = self._compile(filename, code, language, source.source_map)
        return [key, code, filename, directory, kind]


def _text(code: bytes, key: str) -> str:
    try:
        return code.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"the module {key!r} is not UTF-8 text (byte {error.start:,})") from None
