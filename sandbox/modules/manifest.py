"""The `package.json` files of a tree: read once, checked, remembered up to a bound."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final, Literal

from sandbox._records import record
from sandbox.modules.specifiers import parent

if TYPE_CHECKING:
    from sandbox.modules.confined import ConfinedFiles

_REMEMBERED: Final = 4096


@record(frozen=True, slots=True)
class Manifest:
    """What a `package.json` says. Of values that have no meaning where they stand, nothing is kept.

    Attributes:
        directory: The directory it stands in, as a path of the guest.
        name: The package's own name for itself, else its directory's.
        named: Whether it has a name of its own.
        type: What its `.js` files are; None: it does not say.
        exports: The `exports` as they stand; None: there are none.
        imports: The `imports`.
        entries: The file that each of `main`, `module` and `browser` names.
        replacements: The `browser` map: files and packages to use instead; False: nothing.
    """

    directory: str
    name: str
    named: bool
    type: Literal["module", "commonjs"] | None
    exports: Any
    imports: Mapping[str, Any]
    entries: Mapping[str, str]
    replacements: Mapping[str, str | Literal[False]]


class Manifests:
    """Finds the `package.json` that holds for a file.

    Args:
        files: Where to read.
        tops: Directories above which no `package.json` is looked for.

    Ask only for directories that exist: what is remembered is bounded, but an answer for each path that a guest can
    think of would drive out the others.
    """

    def __init__(self, files: ConfinedFiles, tops: frozenset[str]) -> None:
        self._files = files
        self._tops = tops
        self.of: Callable[[str], Manifest | None] = lru_cache(_REMEMBERED)(self._read)

    def above(self, directory: str) -> list[Manifest]:
        """Those of a directory and of the directories above it, up to the edge of the package; the nearest first."""
        found: list[Manifest] = []
        while not directory.endswith("/node_modules"):
            manifest = self.of(directory)
            if manifest:
                found.append(manifest)
            if directory in self._tops or directory == "/":
                break
            directory = parent(directory)
        return found

    def _read(self, directory: str) -> Manifest | None:
        path = f"{directory.rstrip('/')}/package.json"
        entry = self._files.find(path)
        if entry is None or not entry.is_file:
            return None
        try:
            fields = json.loads(self._files.read(path).decode("utf-8-sig"))
        except (ValueError, RecursionError) as error:
            raise ValueError(f"package {_name(directory)!r}: {path!r} is not valid JSON") from error
        if not isinstance(fields, dict):
            raise ValueError(f"package {_name(directory)!r}: {path!r} is not a JSON object")  # noqa: TRY004 - its content
        return _manifest(directory, fields)


def _manifest(directory: str, fields: dict[str, Any]) -> Manifest:
    name, kind, imports, browser = (fields.get(field) for field in ("name", "type", "imports", "browser"))
    named = isinstance(name, str) and bool(name)
    texts = {field: fields[field] for field in ("main", "module", "browser") if field in fields}
    return Manifest(
        directory=directory,
        name=str(name) if named else _name(directory),
        named=named,
        type=kind if kind in ("module", "commonjs") else None,
        exports=fields.get("exports"),
        imports=imports if isinstance(imports, dict) else {},
        entries={field: text for field, text in texts.items() if isinstance(text, str) and text},
        replacements={
            key: value
            for key, value in (browser.items() if isinstance(browser, dict) else ())
            if value is False or (isinstance(value, str) and value)
        },
    )


def _name(directory: str) -> str:
    """What to call a package by its directory: the last part, with its scope."""
    scope, _, name = directory.rpartition("/")
    scope = scope.rpartition("/")[2]
    return f"{scope}/{name}" if scope.startswith("@") else name or "/"
