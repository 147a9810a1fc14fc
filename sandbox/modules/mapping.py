"""Modules from a mapping, and from whatever else the `modules` option of a sandbox takes."""

from __future__ import annotations

import os
from collections.abc import Awaitable, Callable, Generator, Mapping, Sequence
from typing import Any, Final, TypeAlias, cast

from sandbox._languages import sources_for
from sandbox._records import record, replace
from sandbox.modules.addresses import absolute, is_url, map_of
from sandbox.modules.source import Importer, Kind, ModuleLoader, ModuleResolver, ModuleSource
from sandbox.modules.specifiers import join, suffix

Sources: TypeAlias = Mapping[str, "str | bytes | ModuleSource"]
Modules: TypeAlias = "Sources | ModuleLoader | ModuleResolver"
"""What one entry of the `modules` option of a sandbox may be; a sequence of them is asked in order."""

Answer: TypeAlias = "str | bytes | ModuleSource | None"
Offer: TypeAlias = "tuple[str, Callable[[], Answer | Awaitable[Answer]]]"
"""The key of a module, and what gives its source; None: there is none after all."""
Finder: TypeAlias = Callable[[str, Importer, tuple[str, ...]], "Offer | None"]
"""Finds the module for a specifier, an importer and conditions; None: not mine."""


_KINDS: Final[dict[str, Kind]] = {".json": "json", ".cts": "commonjs"}


class MappedModules:
    """Serves the sources of a mapping.

    The keys `lib/math.js`, `./lib/math.js` and `/lib/math.js` are the same module, which programs may import by its
    path or by its bare name. A key that is a URL stands for itself. `./x.js` is also the key `x.ts`, as TypeScript has
    it, where there is no `x.js`. Where a source says in its last comment where its
    source map is, and the mapping has that as well, it is used.

    Args:
        sources: Specifier -> source. A copy is made.

    Raises:
        TypeError: A key or a source has the wrong type.
        ValueError: Two keys are the same module.
    """

    def __init__(self, sources: Sources) -> None:
        self._sources: dict[str, ModuleSource] = {}
        for specifier, source in sources.items():
            if not isinstance(specifier, str):
                raise TypeError(f"the names in modules must be str, not {type(specifier).__name__}")
            key = _key(specifier)
            if key in self._sources:
                raise ValueError(f"modules has {key!r} twice")
            self._sources[key] = checked(source, key)

    def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
        """See `ModuleResolver`."""
        key = _key(absolute(specifier, importer.resolve_dir))
        return next((each for each in (key, *sources_for(key)) if each in self._sources), None)

    def load(self, key: str, /) -> ModuleSource:
        """See `ModuleResolver`."""
        source = self._sources[key]
        if source.source_map is not None:
            return source
        found = self._sources.get(map_of(source.code, key) or "")
        return source if found is None else replace(source, source_map=found.code)


def finders(modules: Modules | Sequence[Modules] | None) -> tuple[Finder, ...]:
    """What is asked for modules, in order.

    Args:
        modules: The option of a sandbox.

    Raises:
        TypeError: It, or an entry of it, is nothing that gives modules.
        ValueError: See `MappedModules`.
    """
    if modules is None:
        return ()
    if isinstance(modules, Sequence) and not isinstance(modules, str | bytes | ModuleResolver):
        return tuple(_finder(entry) for entry in modules)
    return (_finder(modules),)


def _finder(modules: object) -> Finder:
    if isinstance(modules, ModuleResolver):
        return _of_resolver(modules)
    if isinstance(modules, Mapping):
        return _of_resolver(MappedModules(modules))
    if callable(modules):
        return _of_loader(modules)
    advice = "; SourceTree and NodeModules serve folders" if isinstance(modules, str | os.PathLike) else ""
    raise TypeError(
        "modules must be a mapping of sources, a loader, a resolver, or a sequence of these, "
        f"not {type(modules).__name__}{advice}"
    )


def _of_resolver(resolver: ModuleResolver) -> Finder:
    def find(specifier: str, importer: Importer, conditions: tuple[str, ...]) -> Offer | None:
        key = resolver.resolve(specifier, importer, conditions=conditions)
        return None if key is None else (key, lambda: resolver.load(key))

    return find


def _of_loader(loader: ModuleLoader) -> Finder:
    """A loader says whether it has a module only when it is asked for the source, so it claims all of them."""
    from inspect import iscoroutinefunction  # takes long to import

    call = getattr(loader, "__call__", None)  # noqa: B004 - its kind is asked, not whether it exists
    is_asynchronous = iscoroutinefunction(loader) or iscoroutinefunction(call)

    def find(specifier: str, importer: Importer, conditions: tuple[str, ...]) -> Offer:
        key = absolute(specifier, importer.resolve_dir)
        if is_asynchronous:
            return key, lambda: _Call(lambda: cast("Awaitable[Answer]", loader(specifier, importer)))
        return key, lambda: loader(specifier, importer)

    return find


@record(frozen=True, slots=True)
class _Call(Awaitable["Answer"]):
    """A call of an `async def` that begins when it is awaited: nothing is left behind when it never is."""

    begin: Callable[[], Awaitable[Answer]]

    def __await__(self) -> Generator[Any, Any, Answer]:
        return self.begin().__await__()


def checked(source: object, key: str) -> ModuleSource:
    """A source as a `ModuleSource`. A plain text whose key ends with `.json` is JSON, with `.cts` CommonJS.

    Raises:
        TypeError: It is none.
    """
    if isinstance(source, str | bytes):
        return ModuleSource(source, kind=_KINDS.get(suffix(key), "module"))
    if not isinstance(source, ModuleSource):
        raise TypeError(f"the source of a module must be str, bytes or ModuleSource, not {type(source).__name__}")
    return source


def _key(specifier: str) -> str:
    return specifier if is_url(specifier) else join("/", specifier) or "/"
