"""What modules are made of, and the contract of whoever finds them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, Literal, Protocol, runtime_checkable

from sandbox._records import record

if TYPE_CHECKING:
    from sandbox._languages import Language
    from sandbox._origins import Offered

Kind = Literal["module", "commonjs", "json", "text", "bytes", "builtin"]
"""How a source is read: as an ECMAScript module, as CommonJS, or as a default export of that type.

That of `"builtin"` is the name of a module of the bindings, such as `node:fs/promises`.
"""


@record(frozen=True, slots=True)
class ModuleSource:
    """The text of one module, and where it stands.

    Paths are those of the guest: absolute, with forward slashes, and none of the host's.

    Attributes:
        code: The source text; bytes are UTF-8, except for the kind `"bytes"`.
        filename: What stacks and `import.meta.url` call it; None: its key.
        resolve_dir: The directory that its relative imports start from; None: that of `filename`.
        kind: How it is read, unless an import attribute says so.
        language: What it is written in, `"ts"` for example; None: what its filename ends with says.
        source_map: The JSON of its source map, or a function that gives it, or None. The function is called when
            somebody looks at the stack of an error, on that thread. None: the map that the last comment of the source
            holds, if it holds one.
    """

    code: str | bytes
    filename: str | None = None
    resolve_dir: str | None = None
    kind: Kind = "module"
    language: Language | None = None
    source_map: Offered | None = None


@record(frozen=True, slots=True)
class Importer:
    """The module or script that asks.

    Attributes:
        path: Its path in the guest, or the filename of a script; empty: the embedder, by `import_module`.
        resolve_dir: The directory that its relative specifiers start from.
    """

    path: str
    resolve_dir: str


ModuleLoader = Callable[
    [str, Importer], "str | bytes | ModuleSource | Awaitable[str | bytes | ModuleSource | None] | None"
]
"""Gives the source for a specifier and its importer; None: not mine. May be an `async def`."""


@runtime_checkable
class ModuleResolver(Protocol):
    """Finds modules. `resolve` names a module by its key, `load` gives the source; each key is loaded once.

    Both may raise: the import fails with the text, and the exception is the `__cause__` of the JSError. Neither may
    give anything outside of what the resolver is for, whatever the specifier is: it comes from the guest.
    """

    def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
        """The key of a module, an absolute path in the guest or a URL; None: not mine.

        Args:
            specifier: As it stands in the program.
            importer: Who asks.
            conditions: `("import",)` or `("require",)`.
        """

    def load(self, key: str, /) -> ModuleSource | Awaitable[ModuleSource]:
        """The source behind a key that `resolve` gave."""
