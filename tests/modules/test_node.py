"""Packages: which file a specifier means in a `node_modules` folder, and what kind it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.modules import ModuleResolver, NodeModules
from tests.modules.folders import CJS, ESM, key, plant, short

PLAIN = {
    "a/package.json": {"main": "./lib/main"},
    "a/lib/main.js": "",
    "a/lib/util.js": "",
    "a/lib/util/index.js": "",
    "a/lib/data.json": "{}",
    "a/lib/new.mjs": "",
    "a/lib/old.cjs": "",
    "a/lib/dir/index.js": "",
    "a/lib/mixed.mjs": "",
    "a/lib/mixed/index.js": "",
    "a/lib/named.js/index.js": "",
    "a/inner/package.json": {"main": "../lib/util.js", "module": "./inner.esm.js"},
    "a/inner/inner.esm.js": "",
    "a/node_modules/b/index.js": "",
    "b/package.json": {},
    "b/index.js": "",
    "b/only-here.js": "",
    "@s/p/package.json": {"main": "p.js"},
    "@s/p/p.js": "",
    "@s/p/sub/q.js": "",
    "no-manifest/index.js": "",
    "main-is-directory/package.json": {"main": "lib"},
    "main-is-directory/lib/index.js": "",
    "main-is-gone/package.json": {"main": "gone.js"},
    "main-is-gone/index.js": "",
    "main-is-wrong/package.json": {"main": 7, "module": {}, "browser": [], "name": 3, "imports": 1},
    "main-is-wrong/index.js": "",
    "only-module/package.json": {"module": "m.js"},
    "only-module/m.js": "export {}",
    "both/package.json": {"main": "c.js", "module": "m.js"},
    "both/c.js": "",
    "both/m.js": "export {}",
    "index-json/index.json": "{}",
    "index-mjs/index.mjs": "",
    "single.js": "",
    "fs/index.js": "",
    "null/package.json": {"main": "a\0b", "browser": {"./\0": "\0"}},
    "empty/package.json": {"exports": None},
    "empty/index.js": "",
}


@pytest.mark.parametrize("conditions", [ESM, CJS])
@pytest.mark.parametrize(
    ("specifier", "directory", "found"),
    [
        ("a", "/", "a/lib/main.js"),
        ("a", "/anywhere/else", "a/lib/main.js"),
        ("a", "https://host", "a/lib/main.js"),
        ("a/package.json", "/", "a/package.json"),
        ("a/lib/util", "/", "a/lib/util.js"),
        ("a/lib/util/", "/", "a/lib/util/index.js"),
        ("a/lib/data", "/", "a/lib/data.json"),
        ("a/lib/dir", "/", "a/lib/dir/index.js"),
        ("a/lib/named.js", "/", "a/lib/named.js/index.js"),
        ("a/lib", "/", None),
        ("a/lib/absent", "/", None),
        ("a/../b/index.js", "/", "b/index.js"),
        ("a/../../node_modules/b", "/", "b/index.js"),
        ("./util", "/node_modules/a/lib", "a/lib/util.js"),
        ("./util.js", "/node_modules/a/lib", "a/lib/util.js"),
        ("./util/", "/node_modules/a/lib", "a/lib/util/index.js"),
        ("..", "/node_modules/a/lib", "a/lib/main.js"),
        ("../", "/node_modules/a/lib", "a/lib/main.js"),
        (".", "/node_modules/a/lib/dir", "a/lib/dir/index.js"),
        ("./dir/.", "/node_modules/a/lib", "a/lib/dir/index.js"),
        ("/node_modules/a/lib/dir", "/", "a/lib/dir/index.js"),
        ("./node_modules/a", "/", "a/lib/main.js"),
        ("./x.js", "/", None),
        ("../../../x.js", "/node_modules/a", None),
        ("b", "/node_modules/a/lib", "a/node_modules/b/index.js"),
        ("b", "/node_modules/a/node_modules/b", "a/node_modules/b/index.js"),
        ("b", "/node_modules/@s/p", "b/index.js"),
        ("b", "/node_modules", "b/index.js"),
        ("@s/p", "/", "@s/p/p.js"),
        ("@s/p/sub/q", "/", "@s/p/sub/q.js"),
        ("@s", "/", None),
        ("@s/", "/", None),
        ("no-manifest", "/", "no-manifest/index.js"),
        ("main-is-directory", "/", "main-is-directory/lib/index.js"),
        ("main-is-gone", "/", "main-is-gone/index.js"),
        ("main-is-wrong", "/", "main-is-wrong/index.js"),
        ("only-module", "/", "only-module/m.js"),
        ("index-json", "/", "index-json/index.json"),
        ("single", "/", "single.js"),
        ("single.js", "/", "single.js"),
        ("empty", "/", "empty/index.js"),
        ("null", "/", None),
        ("absent", "/", None),
        ("absent/x", "/", None),
        ("fs", "/", "fs/index.js"),
        ("path", "/", None),
        ("node:fs", "/", None),
        ("https://host/a", "/", None),
        ("file:///node_modules/a", "/", None),
        ("data:text/javascript,1", "/", None),
        ("C:/a", "/", None),
        ("", "/", None),
        ("@", "/", None),
        ("@/", "/", None),
        ("@/x", "/", None),
        ("@s/..", "/", None),
        ("@../p", "/", None),
        (".a", "/", None),
        (".bin/x", "/", None),
        ("...", "/", None),
        ("a\\lib", "/", None),
        ("a%2flib", "/", None),
        ("%61", "/", None),
        ("#x", "/", None),
        ("#x", "/node_modules/no-manifest", None),
    ],
)
def test_plain_packages(
    tmp_path: Path, conditions: tuple[str, ...], specifier: str, directory: str, found: str | None
) -> None:
    assert short(key(NodeModules(plant(tmp_path, PLAIN)), specifier, directory, conditions)) == found


@pytest.mark.parametrize(
    ("specifier", "directory", "imported", "required"),
    [
        ("both", "/", "both/m.js", "both/c.js"),
        ("a/inner", "/", "a/inner/inner.esm.js", "a/lib/util.js"),
        ("./inner", "/node_modules/a", "a/inner/inner.esm.js", "a/lib/util.js"),
        ("a/lib/new", "/", "a/lib/new.mjs", None),
        ("a/lib/old", "/", "a/lib/old.cjs", None),
        ("a/lib/new.mjs", "/", "a/lib/new.mjs", "a/lib/new.mjs"),
        ("a/lib/mixed", "/", "a/lib/mixed.mjs", "a/lib/mixed/index.js"),
        ("index-mjs", "/", "index-mjs/index.mjs", None),
        ("b/only-here.js", "/node_modules/a", None, "b/only-here.js"),
    ],
)
def test_where_import_and_require_differ(
    tmp_path: Path, specifier: str, directory: str, imported: str | None, required: str | None
) -> None:
    packages = NodeModules(plant(tmp_path, PLAIN))

    assert [short(key(packages, specifier, directory, kind)) for kind in (ESM, CJS)] == [imported, required]


BY_CONDITIONS = {
    "modern/package.json": {"type": "module", "exports": "./m.js"},
    "modern/m.js": "import { add } from 'both'; export default add(1); export const seven = 7",
    "both/package.json": {"exports": {"module-sync": "./m.mjs", "import": "./other.mjs", "default": "./c.cjs"}},
    "both/m.mjs": "let sum = 0; export const add = n => sum += n",
    "both/other.mjs": "",
    "both/c.cjs": "",
    "user/index.js": "const m = require('modern'), { add } = require('both');"
    "exports.all = [m.__esModule, m.default, m.seven, add(1)]",
}


def test_modules_that_packages_have_for_both_are_one(tmp_path: Path) -> None:
    with Sandbox(modules=NodeModules(plant(tmp_path, BY_CONDITIONS))) as box:
        code = "import { all } from 'user'; import { add } from 'both'; export default [...all, add(1)]"
        assert box.module(code) == {"default": [True, 1, 7, 2, 3]}


def test_a_mount(tmp_path: Path) -> None:
    packages = NodeModules(plant(tmp_path, PLAIN), mount="/vendor/npm")

    assert key(packages, "a") == "/vendor/npm/a/lib/main.js"
    assert key(packages, "b", "/vendor/npm/a/lib") == "/vendor/npm/a/node_modules/b/index.js"
    assert key(packages, "/node_modules/a/lib/main.js") is None
    assert packages.load("/vendor/npm/a/lib/main.js").kind == "commonjs"


@pytest.mark.parametrize("mount", ["node_modules", "/", "/a/", "/a/../b", "", "/a//b", "./a"])
def test_a_mount_is_an_absolute_path(tmp_path: Path, mount: str) -> None:
    with pytest.raises(ValueError, match=r"^a mount is an absolute path below the top"):
        NodeModules(tmp_path, mount=mount)


def test_the_root_is_a_directory(tmp_path: Path) -> None:
    with pytest.raises(NotADirectoryError):
        NodeModules(tmp_path / "absent")


def test_packages_are_resolvers(tmp_path: Path) -> None:
    assert isinstance(NodeModules(tmp_path), ModuleResolver)


# --- kinds ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "content", "manifest", "kind"),
    [
        ("a.js", "module.exports = 1", {}, "commonjs"),
        ("a.js", "module.exports = 1", None, "commonjs"),
        ("a.js", "export default 1", {}, "module"),
        ("a.js", "export default 1", None, "module"),
        ("a.js", "// export default 1", {}, "commonjs"),
        ("a.js", "module.exports = 1", {"type": "module"}, "module"),
        ("a.js", "export default 1", {"type": "commonjs"}, "module"),
        ("a.js", "1", {"type": "commonjs"}, "commonjs"),
        ("a.js", b"'\xff'; export {}", {}, "module"),
        ("lib/a.js", "1", {"type": "module"}, "module"),
        ("node_modules/q/a.js", "1", {"type": "module"}, "commonjs"),
        ("a.mjs", "module.exports = 1", {}, "module"),
        ("a.cjs", "export default 1", {"type": "module"}, "commonjs"),
        ("a.json", "1", {"type": "module"}, "json"),
        ("a", "1", {}, "commonjs"),
        ("a", "1", {"type": "module"}, "module"),
        ("a.wasm", b"\0asm", {}, "bytes"),
        ("a.html", "<p>", {}, "text"),
    ],
)
def test_kinds(tmp_path: Path, name: str, content: str | bytes, manifest: dict[str, Any] | None, kind: str) -> None:
    files: dict[str, Any] = {f"p/{name}": content, "../package.json": {"type": "module"}}
    if manifest is not None:
        files["p/package.json"] = manifest
    packages = NodeModules(plant(tmp_path / "folder", files))

    found = key(packages, f"p/{name}")

    assert found == f"/node_modules/p/{name}"
    assert packages.load(found).kind == kind
