"""A directory of sources as modules."""

from __future__ import annotations

import os
from typing import Final

from sandbox._languages import ENDINGS, sources_for
from sandbox.modules.addresses import map_of
from sandbox.modules.confined import MAX_BYTES, ConfinedFiles
from sandbox.modules.manifest import Manifests
from sandbox.modules.source import Importer, Kind, ModuleSource
from sandbox.modules.specifiers import below, check, is_path, join, names_directory, parent, suffix

KINDS: Final[dict[str, Kind]] = {
    ".mjs": "module",
    ".mts": "module",
    ".cjs": "commonjs",
    ".cts": "commonjs",
    ".json": "json",
}
TYPED_BY_PACKAGE: Final = frozenset({".js", ".ts", ".tsx", ".jsx"})
"""The endings of what is a module or CommonJS as its package says."""
_BYTE_ORDER_MARK: Final = b"\xef\xbb\xbf"


class SourceTree:
    """Serves the files below a directory, and none outside of it, as modules.

    A module's key is its path inside the directory, after the prefix: with `prefix="@/"` the file `lib/x.js` is
    `/@/lib/x.js`, and programs say `@/lib/x`, or `./x` beside it. A file is looked for under the name as it is
    written, under that of its source (`x.ts` for `x.js`, as TypeScript has it), then with each extension, then as the
    index of a directory. Symbolic links are followed where they stay
    inside. Files are read when they are imported; each `package.json` is read once.

    `.mjs` and `.js` files are ECMAScript modules, `.cjs` files are CommonJS, as are `.js` files whose nearest
    `package.json` says `"type": "commonjs"`. So it is with `.mts`, `.ts`, `.tsx`, `.jsx` and `.cts`. Files of other
    extensions are text, unless an import attribute says otherwise. The `.map` file that a file names in its last
    comment is read when somebody looks at the stack of an error; programs do not get it.

    May be used by several sandboxes and threads.

    Args:
        root: The directory on the host.
        prefix: Where it stands in the guest. Paths below it are served; bare names as well, when it does not begin
            with a slash.
        extensions: Files with other extensions are not served, so that what else lies in the directory stays private.
        max_bytes: Size of the largest file.

    Raises:
        NotADirectoryError: `root` is no directory.
        ValueError: The prefix is no plain path.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        prefix: str = "/",
        extensions: tuple[str, ...] = (".js", ".mjs", ".cjs", ".json", *ENDINGS),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        check(prefix)
        self._bare = "" if prefix.startswith("/") else prefix.rstrip("/") + "/"
        top = join("/", prefix)
        if top is None or top.strip("/") != prefix.strip("/"):
            raise ValueError(f"a prefix is a plain path, not {prefix!r}")
        self._top = top
        self._extensions = extensions
        self._files = ConfinedFiles({top: root}, max_bytes=max_bytes)
        self._manifests = Manifests(self._files, frozenset({top}))

    def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
        """The key of a file, a path below the prefix; None: there is none, or the specifier is not for this tree.

        Args:
            specifier: As it stands in the program.
            importer: Who asks; its `resolve_dir` is where relative specifiers start.
            conditions: Makes no difference here.

        Raises:
            PermissionError: The specifier, or a link behind it, leads out of the tree.
            ValueError: The specifier cannot name a file.
        """
        check(specifier)
        if is_path(specifier):
            path = join(importer.resolve_dir, specifier)
        elif self._bare and f"{specifier}/".startswith(self._bare):
            path = join("/", specifier)
            if path is None or below(path, self._top) is None:
                raise PermissionError("module specifier escapes the source tree")
        else:
            return None
        if path is None or below(path, self._top) is None:
            return None
        return self._find(path, only_directory=names_directory(specifier))

    def load(self, key: str, /) -> ModuleSource:
        """The source behind a key that `resolve` gave.

        Raises:
            FileNotFoundError: The file is gone.
            PermissionError: A link has come in its way that leads out of the tree.
            OSError: The file is too large, or the host cannot read it.
        """
        if suffix(key) not in self._extensions:
            raise FileNotFoundError(f"cannot find the file {key!r}")
        return module_source(key, self._files.read(key), self._kind(key), self._files)

    def _find(self, path: str, *, only_directory: bool) -> str | None:
        if not only_directory:
            for candidate in (path, *sources_for(path), *(path + extension for extension in self._extensions)):
                found = self._file(candidate)
                if found:
                    return found
        for extension in self._extensions:
            found = self._file(f"{path.rstrip('/')}/index{extension}")
            if found:
                return found
        return None

    def _file(self, path: str) -> str | None:
        if suffix(path) not in self._extensions:
            return None
        entry = self._files.find(path)
        # The extension that counts is that of the file itself, not of a link to it.
        return entry.path if entry and entry.is_file and suffix(entry.path) in self._extensions else None

    def _kind(self, path: str) -> Kind:
        if suffix(path) not in TYPED_BY_PACKAGE:
            return KINDS.get(suffix(path), "text")
        nearest = next(iter(self._manifests.above(parent(path))), None)
        return "commonjs" if nearest and nearest.type == "commonjs" else "module"


def module_source(path: str, content: bytes, kind: Kind, files: ConfinedFiles) -> ModuleSource:
    """The source of a file, without the marks that only readers of files understand; lines and columns stay.

    Args:
        path: Of the file.
        content: Of the file.
        kind: How it is read.
        files: Those among which its source map is, if anybody asks for it.
    """
    if kind != "bytes":
        content = content.removeprefix(_BYTE_ORDER_MARK)
    if kind == "commonjs" and content.startswith(b"#!"):
        content = b"//" + content[2:]
    named = map_of(content, path)
    source_map = None if named is None else lambda: _map_in(named, files)
    return ModuleSource(code=content, filename=path, kind=kind, source_map=source_map)


def _map_in(path: str, files: ConfinedFiles) -> bytes | None:
    """A source map of the folders. What is called otherwise stays private."""
    entry = files.find(path) if suffix(path) == ".map" else None
    return files.read(entry.path) if entry and entry.is_file and suffix(entry.path) == ".map" else None
