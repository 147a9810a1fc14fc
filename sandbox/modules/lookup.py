"""Which file of a `node_modules` folder a specifier means: the search that Node describes, and what bundlers add."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from sandbox._languages import sources_for
from sandbox.modules.addresses import is_url
from sandbox.modules.browser import Replacement, file_replacement, package_replacement
from sandbox.modules.exports import export_target, import_target, refuse_encoded_separators
from sandbox.modules.manifest import Manifest, Manifests
from sandbox.modules.specifiers import below, is_path, join, names_directory, parent

if TYPE_CHECKING:
    from sandbox.modules.confined import ConfinedFiles

# What a specifier may leave out: for `require` as in Node, for an import as in bundlers.
_REQUIRED: Final = (".js", ".json", ".ts", ".cts", ".tsx", ".jsx")
_IMPORTED: Final = (".js", ".mjs", ".json", ".cjs", ".ts", ".mts", ".tsx", ".jsx", ".cts")
_NAME: Final = re.compile(r"(@[^/\\%]+/[^/\\%]+|[^@./\\%][^/\\%]*)(/.*)?", re.DOTALL)


class PackageLookup:
    """Finds files by specifiers.

    Args:
        files: Where to look.
        mount: The `node_modules` directory, a path of the guest.
        tops: This and the other directories that packages may lie in.
        nothing: The key of the module that stands for what a package turns off.
        browser: Whether the fields and maps named `browser` count.
    """

    manifests: Manifests

    def __init__(self, files: ConfinedFiles, mount: str, tops: frozenset[str], *, nothing: str, browser: bool) -> None:
        self.manifests = Manifests(files, tops)
        self._files = files
        self._mount = mount
        self._tops = tops
        self._nothing = nothing
        self._browser = browser

    def find(self, specifier: str, directory: str, conditions: frozenset[str]) -> str | None:
        """The real path of the file; None: there is none.

        Args:
            specifier: A checked one.
            directory: Where the importer's relative specifiers start; it may lie outside of the mount.
            conditions: Those that hold; `import` or `require` is among them.

        Raises:
            LookupError: A package does not export this, or exports a file that it does not have.
            PermissionError: A link leads outside.
            ValueError: The specifier or a `package.json` is wrong.
        """
        scope = self._scope(directory)
        if is_path(specifier):
            path = join(directory, specifier)
            if path is None or below(path, self._mount) is None:
                return None
            return self._at(path, scope, conditions, only_directory=names_directory(specifier))
        if specifier.startswith("#"):
            return self._private(scope[0], specifier, conditions) if scope else None
        instead = package_replacement(scope, specifier) if self._browser else None
        return self._instead(instead, conditions) if instead else self._bare(specifier, directory, conditions)

    def _scope(self, directory: str) -> list[Manifest]:
        return self.manifests.above(directory) if below(directory, self._mount) is not None else []

    # --- packages -----------------------------------------------------------------------------------------------------

    def _bare(
        self, specifier: str, directory: str, conditions: frozenset[str], *, replaced: bool = False
    ) -> str | None:
        match = _NAME.fullmatch(specifier)
        if match is None or is_url(specifier):
            return None
        name, subpath = match[1], "." + (match[2] or "")
        scope = self._scope(directory)
        if scope and scope[0].named and scope[0].name == name and scope[0].exports is not None:
            return self._served(self._exported(scope[0], subpath, conditions), conditions, replaced=replaced)
        for holder in self._holders(directory):
            entry = self._files.find(f"{holder}/{name}")
            if entry is None or entry.is_file:
                found = self._complete(f"{holder}/{name}", conditions) if subpath == "." else None
                if found:
                    return found
                continue
            found = self._in_package(entry.path, name, subpath, conditions, replaced=replaced)
            if found or "require" not in conditions:
                return found
        return None

    def _holders(self, directory: str) -> Iterator[str]:
        """The `node_modules` directories that a directory sees, the nearest first."""
        if below(directory, self._mount) is not None:
            while directory != self._mount:
                if not directory.endswith("/node_modules"):
                    yield f"{directory}/node_modules"
                elif directory in self._tops:
                    yield directory
                directory = self._mount if directory in self._tops else parent(directory)
        yield self._mount

    def _in_package(
        self, directory: str, name: str, subpath: str, conditions: frozenset[str], *, replaced: bool
    ) -> str | None:
        manifest = self.manifests.of(directory)
        if manifest and manifest.exports is not None:
            return self._served(self._exported(manifest, subpath, conditions), conditions, replaced=replaced)
        if subpath == ".":
            found = self._main(directory, conditions)
            return found and self._served(found, conditions, replaced=replaced)
        refuse_encoded_separators(name, subpath)
        path = join(directory, subpath)
        scope = [manifest] if manifest else []
        only_directory = names_directory(subpath)
        return path and self._at(path, scope, conditions, only_directory=only_directory, replaced=replaced)

    def _exported(self, manifest: Manifest, subpath: str, conditions: frozenset[str]) -> str:
        return self._target(manifest, subpath, export_target(manifest, subpath, conditions))

    def _private(self, manifest: Manifest, specifier: str, conditions: frozenset[str]) -> str | None:
        target = import_target(manifest, specifier, conditions)
        if target.startswith("./"):
            return self._served(self._target(manifest, specifier, target), conditions)
        return self._bare(target, manifest.directory, conditions)

    def _target(self, manifest: Manifest, name: str, target: str) -> str:
        path = join(manifest.directory, target)
        found = path and self._file(path)
        if not found:
            raise LookupError(f"package {manifest.name!r} has no file {target!r}, which {name!r} stands for")
        return found

    # --- files --------------------------------------------------------------------------------------------------------

    def _at(
        self,
        path: str,
        scope: list[Manifest],
        conditions: frozenset[str],
        *,
        only_directory: bool = False,
        replaced: bool = False,
    ) -> str | None:
        """The file for a path that may leave out the extension or name a directory.

        A replacement may also stand for a file that is not there: `scope` is who may say so.
        """
        found = (None if only_directory else self._complete(path, conditions)) or self._main(path, conditions)
        if found:
            return self._served(found, conditions, replaced=replaced)
        instead = file_replacement(scope, path) if self._browser and not replaced else None
        return self._instead(instead, conditions) if instead else None

    def _complete(self, path: str, conditions: frozenset[str]) -> str | None:
        found = self._file(path) or self._file(path, _IMPORTED if "import" in conditions else _REQUIRED)
        return found or self._file("", sources_for(path))

    def _index(self, directory: str, conditions: frozenset[str]) -> str | None:
        return self._file(f"{directory}/index", _IMPORTED if "import" in conditions else _REQUIRED)

    def _file(self, path: str, endings: Sequence[str] = ("",)) -> str | None:
        for ending in endings:
            entry = self._files.find(path + ending)
            if entry and entry.is_file:
                return entry.path
        return None

    def _main(self, path: str, conditions: frozenset[str]) -> str | None:
        """The file that a directory stands for."""
        entry = self._files.find(path)
        if entry is None or entry.is_file:
            return None
        manifest = self.manifests.of(entry.path)
        entries = manifest.entries if manifest else {}
        esm = "import" in conditions
        fields = [*(["browser"] if self._browser else []), *(["module"] if esm else []), "main"]
        for field in fields:
            target = field in entries and join(entry.path, entries[field])
            found = target and (self._complete(target, conditions) or self._index(target, conditions))
            if found:
                return found
        found = self._index(entry.path, conditions)
        if found or "module" not in entries:
            return found
        target = join(entry.path, entries["module"])
        return target and self._complete(target, conditions)

    # --- replacements -------------------------------------------------------------------------------------------------

    def _served(self, path: str, conditions: frozenset[str], *, replaced: bool = False) -> str | None:
        """The file, or what its package puts in its place: once, so that packages cannot send each other around."""
        found = file_replacement(self.manifests.above(parent(path)), path) if self._browser and not replaced else None
        return self._instead(found, conditions) if found else path

    def _instead(self, replacement: Replacement, conditions: frozenset[str]) -> str | None:
        manifest, target = replacement
        if target is False:
            return self._nothing
        if is_path(target):
            path = join(manifest.directory, target)
            return path and self._at(path, [], conditions, replaced=True)
        return self._bare(target, manifest.directory, conditions, replaced=True)
