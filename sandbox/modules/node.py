"""Packages of a `node_modules` folder as modules."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from sandbox.modules.confined import MAX_BYTES, ConfinedFiles
from sandbox.modules.lookup import PackageLookup
from sandbox.modules.source import Importer, Kind, ModuleSource
from sandbox.modules.specifiers import check, join, parent, suffix
from sandbox.modules.syntax import has_module_syntax
from sandbox.modules.tree import KINDS, TYPED_BY_PACKAGE, module_source

# No file, but what a package gets in place of a module that its `browser` map turns off.
_NOTHING: Final = "/.nothing.cjs"


class NodeModules:
    """Serves the packages of a `node_modules` folder, as Node finds them, and no file outside of it.

    `exports`, `imports`, `main`, nested folders, links and self-references work as in Node; `module` and `browser`
    as in bundlers, since packages write them for those. Relative specifiers may leave out extensions and name
    directories, in both kinds of modules. A module's key is its real path inside the folder, after the mount.

    Programs anywhere in the guest may import packages by name. Names that no package has, those of Node's own modules
    among them, are left to the next resolver. Package files are read when they are imported; what a `package.json`
    says is remembered, so a folder that changes wants a new `NodeModules`.

    TypeScript and JSX, which linked packages of workspaces have, are found too: `x.ts` for `./x`, and for `./x.js`.

    A `.js`, `.ts`, `.tsx` or `.jsx` file is an ECMAScript module if its nearest `package.json` says `"type": "module"`,
    or if it has the syntax of one; else it is CommonJS. Files with unknown extensions are text, unless an import
    attribute says otherwise.

    May be used by several sandboxes and threads.

    Args:
        root: The folder on the host.
        conditions: Those of `exports` and `imports` that hold, besides `default`, `module-sync`, `import` or `require`,
            and, for an import, `module`. The fields and maps named `browser` count if `"browser"` is among them.
        mount: The absolute path that the folder has in the guest.
        allow: More folders that links may lead to, as in workspaces. They appear in the guest as directories of
            `.linked` in the mount, under their own names.
        max_bytes: Size of the largest file.

    Raises:
        NotADirectoryError: A folder is none.
        ValueError: The mount is no absolute path.
    """

    def __init__(
        self,
        root: str | os.PathLike[str],
        *,
        conditions: tuple[str, ...] = ("worker", "browser", "production"),
        mount: str = "/node_modules",
        allow: Sequence[str | os.PathLike[str]] = (),
        max_bytes: int = MAX_BYTES,
    ) -> None:
        check(mount)
        if not mount.startswith("/") or join("/", mount) != mount or mount == "/":
            raise ValueError(f"a mount is an absolute path below the top, not {mount!r}")
        self._conditions = frozenset(conditions)
        self._nothing = mount + _NOTHING
        roots: dict[str, str | os.PathLike[str]] = {mount: root}
        for folder in allow:
            name = path = f"{mount}/.linked/{os.path.basename(os.path.realpath(folder)) or 'top'}"  # noqa: PTH119
            while path in roots:
                path = f"{name}-{len(roots)}"
            roots[path] = folder
        self._files = ConfinedFiles(roots, max_bytes=max_bytes)
        self._lookup = PackageLookup(
            self._files, mount, frozenset(roots), nothing=self._nothing, browser="browser" in conditions
        )

    def resolve(
        self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...] = ("import",)
    ) -> str | None:
        """The key of a module, a path below the mount; None: no package has it, or it is not for this folder.

        Args:
            specifier: As it stands in the program.
            importer: Who asks; its `resolve_dir` decides which packages it sees.
            conditions: `("import",)` or `("require",)`.

        Raises:
            LookupError: The package is there, but does not export this, or exports a file that it does not have.
            PermissionError: A link leads out of the folder.
            ValueError: The specifier cannot name a module, or a `package.json` is wrong; the text names the package.
        """
        check(specifier)
        hold = self._conditions | {"module-sync", *conditions, *(("module",) if "import" in conditions else ())}
        return self._lookup.find(specifier, join(importer.resolve_dir, ".") or "/", hold)

    def load(self, key: str, /) -> ModuleSource:
        """The source behind a key that `resolve` gave.

        Raises:
            FileNotFoundError: The file is gone.
            PermissionError: A link has come in its way that leads out of the folder.
            OSError: The file is too large, or the host cannot read it.
            ValueError: The nearest `package.json` is wrong.
        """
        if key == self._nothing:
            return ModuleSource(code="", filename=key, kind="commonjs")
        content = self._files.read(key)
        return module_source(key, content, self._kind(key, content), self._files)

    def _kind(self, path: str, content: bytes) -> Kind:
        ending = suffix(path)
        if ending and ending not in TYPED_BY_PACKAGE:
            return "bytes" if ending == ".wasm" else KINDS.get(ending, "text")
        nearest = next(iter(self._lookup.manifests.above(parent(path))), None)
        if nearest and nearest.type == "module":
            return "module"
        # Packages give bundlers modules by `module` fields and conditions whatever their type says.
        return "module" if has_module_syntax(content.decode("utf-8", "replace")) else "commonjs"
