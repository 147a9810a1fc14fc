"""Where the modules of a `Runtime` come from: a resolver and a loader of the embedder, and sources by name."""

from __future__ import annotations

import inspect
from collections.abc import Awaitable, Callable
from typing import Final

from sandbox.modules.source import Importer, ModuleSource

STATIC: Final = "jsrun://static/"
_SHORT: Final = "static:"


class Modules:
    """A resolver of modules, as the option `modules` of a sandbox takes one.

    Attributes:
        resolver: Names a module by a URL, from a specifier and its referrer; None or "": it is a static one.
        loader: Gives the source behind a URL; may be an `async def`.
        static: Sources by name.
    """

    def __init__(self, on_loop: Callable[[Callable[..., Awaitable[str]]], Callable[..., Awaitable[str]]]) -> None:
        """Begin without modules.

        Args:
            on_loop: Makes of an `async def` one that runs on the embedder's event loop.
        """
        self.resolver: Callable[[str, str], str | None] | None = None
        self.loader: Callable[[str], str | Awaitable[str]] | None = None
        self.static: dict[str, str] = {}
        self._on_loop = on_loop

    def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
        """See `ModuleResolver`."""
        if self.resolver is not None and (url := self.resolver(specifier, importer.path or ".")):
            return url
        name = specifier.removeprefix(_SHORT).removeprefix(STATIC)
        if name in self.static:
            return STATIC + name
        raise LookupError(f"Module resolution denied for {specifier}. Did you call add_static_module()?")

    def load(self, key: str, /) -> ModuleSource | Awaitable[ModuleSource]:
        """See `ModuleResolver`."""
        name = key.removeprefix(STATIC)
        if name != key and name in self.static:
            return ModuleSource(self.static[name], filename=key)
        if self.loader is None:
            raise LookupError(f"No module loader for {key}")
        source = self.loader(key)
        if isinstance(source, str):
            return ModuleSource(source, filename=key)

        async def given() -> str:
            return await source

        async def loaded() -> ModuleSource:
            try:
                return ModuleSource(await self._on_loop(given)(), filename=key)
            finally:
                if inspect.iscoroutine(source):
                    source.close()  # where it was not begun

        return loaded()
