"""The tables `exports` and `imports` of packages: what they stand for, and what they may not say."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.modules import NodeModules
from tests.modules.folders import CJS, ESM, OUTSIDE, key, plant, short

FILES = {
    f"p/{name}": ""
    for name in (
        "main.js",
        "esm.mjs",
        "cjs.cjs",
        "browser.js",
        "lib/a.js",
        "lib/b/c.js",
        "lib/internal/x.js",
        "lib/a.css.js",
        "index.js",
    )
}
DUAL = {"import": "./esm.mjs", "require": "./cjs.cjs"}
NOT_EXPORTED = r"^package 'p' does not export '{}'$"
INVALID = r"^package 'p': '{}' has an invalid target, "
DEEP: Any = "./main.js"
for _ in range(100):
    DEEP = {"default": DEEP}


@pytest.mark.parametrize(
    ("exports", "specifier", "imported", "required"),
    [
        # How the table is written.
        ("./main.js", "p", "main.js", "main.js"),
        ({".": "./main.js"}, "p", "main.js", "main.js"),
        (["./main.js"], "p", "main.js", "main.js"),
        ({"default": "./main.js"}, "p", "main.js", "main.js"),
        (DUAL, "p", "esm.mjs", "cjs.cjs"),
        ({".": DUAL}, "p", "esm.mjs", "cjs.cjs"),
        # Conditions, in the package's order.
        ({"default": "./main.js", "import": "./esm.mjs"}, "p", "main.js", "main.js"),
        ({"module": "./esm.mjs", "default": "./main.js"}, "p", "esm.mjs", "main.js"),
        ({"node": "./main.js", "browser": "./browser.js", "default": "./main.js"}, "p", "browser.js", "browser.js"),
        ({"browser": DUAL, "default": "./main.js"}, "p", "esm.mjs", "cjs.cjs"),
        ({"worker": {"node": "./main.js"}, "default": "./browser.js"}, "p", "browser.js", "browser.js"),
        ({"production": "./main.js", "development": "./browser.js"}, "p", "main.js", "main.js"),
        ({"import": {"types": "./x.d.ts", "default": "./esm.mjs"}, "default": "./main.js"}, "p", "esm.mjs", "main.js"),
        ({".": [{"node": "./main.js"}, "./browser.js"]}, "p", "browser.js", "browser.js"),
        ({".": ["bad", "./main.js"]}, "p", "main.js", "main.js"),
        ({".": ["./main.js", "./browser.js"]}, "p", "main.js", "main.js"),
        ({".": [None, "./main.js"]}, "p", "main.js", "main.js"),
        ({"import": [{"node": "./browser.js"}], "default": "./main.js"}, "p", "main.js", "main.js"),
        # Subpaths and patterns.
        ({"./a": "./lib/a.js"}, "p/a", "lib/a.js", "lib/a.js"),
        ({"./a": DUAL}, "p/a", "esm.mjs", "cjs.cjs"),
        ({"./a": "./lib//a.js"}, "p/a", "lib/a.js", "lib/a.js"),
        ({"./*": "./lib/*.js"}, "p/a", "lib/a.js", "lib/a.js"),
        ({"./*": "./lib/*.js"}, "p/b/c", "lib/b/c.js", "lib/b/c.js"),
        ({"./*.js": "./lib/*.js"}, "p/a.js", "lib/a.js", "lib/a.js"),
        ({"./*.js": "./lib/*.js", "./*": "./*"}, "p/a.js", "lib/a.js", "lib/a.js"),
        ({"./*": "./main.js", "./b/*": "./lib/b/*.js"}, "p/b/c", "lib/b/c.js", "lib/b/c.js"),
        ({"./*": None, "./a": "./lib/a.js"}, "p/a", "lib/a.js", "lib/a.js"),
        ({"./*": "./lib/*/*.js", "./x/*": "./lib/*.css.js"}, "p/x/a", "lib/a.css.js", "lib/a.css.js"),
        ({"./*": "./lib/b/*.js", "./*c": "./lib/*a.js"}, "p/xc", None, None),
        ({"./lib/*": "./lib/*", "./lib/internal/*": None}, "p/lib/a.js", "lib/a.js", "lib/a.js"),
        ({"./f/*": {"import": "./lib/*.js", "require": "./*.cjs"}}, "p/f/cjs", None, "cjs.cjs"),
        ({"./package.json": "./package.json"}, "p/package.json", "package.json", "package.json"),
    ],
)
def test_exports(tmp_path: Path, exports: Any, specifier: str, imported: str | None, required: str | None) -> None:
    packages = NodeModules(plant(tmp_path, {**FILES, "p/package.json": {"exports": exports, "main": "index.js"}}))

    for conditions, found in ((ESM, imported), (CJS, required)):
        if found is None:
            with pytest.raises(LookupError, match=r"^package 'p' has no file './"):
                key(packages, specifier, conditions=conditions)
        else:
            assert key(packages, specifier, conditions=conditions) == f"/node_modules/p/{found}"


@pytest.mark.parametrize("conditions", [ESM, CJS])
@pytest.mark.parametrize(
    ("exports", "specifier", "error", "text"),
    [
        ("./main.js", "p/lib/a.js", LookupError, NOT_EXPORTED.format("./lib/a.js")),
        ("./main.js", "p/package.json", LookupError, NOT_EXPORTED.format("./package.json")),
        ("./main.js", "p/", LookupError, NOT_EXPORTED.format("./")),
        ({"./a": "./lib/a.js"}, "p", LookupError, NOT_EXPORTED.format(".")),
        ({"./a": "./lib/a.js"}, "p/a.js", LookupError, NOT_EXPORTED.format("./a.js")),
        ({"./*": "./lib/*.js"}, "p/", LookupError, NOT_EXPORTED.format("./")),
        ({"./a": None, "./*": "./lib/*.js"}, "p/a", LookupError, NOT_EXPORTED.format("./a")),
        (
            {"./*": "./lib/*", "./internal/*": None},
            "p/internal/x.js",
            LookupError,
            NOT_EXPORTED.format("./internal/x.js"),
        ),
        ({"node": "./main.js"}, "p", LookupError, NOT_EXPORTED.format(".")),
        ({"browser": None, "default": "./main.js"}, "p", LookupError, NOT_EXPORTED.format(".")),
        ({}, "p", LookupError, NOT_EXPORTED.format(".")),
        ([], "p", LookupError, NOT_EXPORTED.format(".")),
        ({".": []}, "p", LookupError, NOT_EXPORTED.format(".")),
        ({"./*/*": "./lib/*.js"}, "p/a/b", LookupError, NOT_EXPORTED.format("./a/b")),
        ({"./lib/": "./lib/"}, "p/lib/a.js", LookupError, NOT_EXPORTED.format("./lib/a.js")),
        ("./absent.js", "p", LookupError, r"^package 'p' has no file './absent.js', which '.' stands for$"),
        ("./main", "p", LookupError, r"^package 'p' has no file './main', "),
        ("./lib", "p", LookupError, r"^package 'p' has no file './lib', "),
        ("./", "p", LookupError, r"^package 'p' has no file './', "),
        ("./\0", "p", LookupError, r"^package 'p' has no file './\\x00', "),
        ("main.js", "p", ValueError, INVALID.format(".")),
        ("q", "p", ValueError, INVALID.format(".")),
        ("/etc/passwd", "p", ValueError, INVALID.format(".")),
        ("../q/main.js", "p", ValueError, INVALID.format(".")),
        ("./../q/main.js", "p", ValueError, INVALID.format(".")),
        ("./lib/../main.js", "p", ValueError, INVALID.format(".")),
        ("./lib/./a.js", "p", ValueError, INVALID.format(".")),
        ("./lib\\..\\a.js", "p", ValueError, INVALID.format(".")),
        ("./%2e%2E/a.js", "p", ValueError, INVALID.format(".")),
        ("./.%2e/a.js", "p", ValueError, INVALID.format(".")),
        ("./node_modules/q/a.js", "p", ValueError, INVALID.format(".")),
        ("./lib/NODE_modules/q.js", "p", ValueError, INVALID.format(".")),
        ("./n%6fde_modules/q.js", "p", ValueError, INVALID.format(".")),
        ("./lib%2fa.js", "p", ValueError, r"^package 'p': './lib%2fa.js' contains an encoded path separator$"),
        ("./lib%5Ca.js", "p", ValueError, r"encoded path separator$"),
        ("https://host/x.js", "p", ValueError, INVALID.format(".")),
        (7, "p", ValueError, INVALID.format(".")),
        (True, "p", ValueError, INVALID.format(".")),
        ({".": {"import": 7, "require": False}}, "p", ValueError, INVALID.format(".")),
        (["a", "b"], "p", ValueError, INVALID.format(".")),
        (["a", {"node": "./main.js"}], "p", ValueError, INVALID.format(".")),
        (["a", None], "p", LookupError, NOT_EXPORTED.format(".")),
        ({"./a*": "./main.js"}, "p/a", LookupError, NOT_EXPORTED.format("./a")),
        ({"./a*a": "./main.js"}, "p/a", LookupError, NOT_EXPORTED.format("./a")),
        ({"./a/": "./main.js"}, "p/a/", LookupError, NOT_EXPORTED.format("./a/")),
        ({"./*": "./lib/*"}, "p/../a.js", ValueError, r"^package 'p': './../a.js' is no path inside the package$"),
        ({"./*": "./lib/*"}, "p/b/../../main.js", ValueError, r" is no path inside the package$"),
        ({"./*": "./lib/*"}, "p/%2e%2e/main.js", ValueError, r" is no path inside the package$"),
        ({"./*": "./lib/*"}, "p/node_modules/x.js", ValueError, r" is no path inside the package$"),
        ({"./*": "./lib/*"}, "p/b%2Fc.js", ValueError, r"encoded path separator$"),
        (
            {".": "./main.js", "import": "./esm.mjs"},
            "p",
            ValueError,
            r"^package 'p': exports mix subpaths",
        ),
        ({".": {"0": "./main.js"}}, "p", ValueError, r"^package 'p': '.' has a number as a condition$"),
        (DEEP, "p", ValueError, r"^package 'p': the conditions of '.' are nested too deeply$"),
    ],
)
def test_exports_that_are_refused(
    tmp_path: Path, conditions: tuple[str, ...], exports: Any, specifier: str, error: type[Exception], text: str
) -> None:
    files = {**FILES, "p/package.json": {"exports": exports, "main": "index.js"}, "q/main.js": "", "main.js": OUTSIDE}
    packages = NodeModules(plant(tmp_path, files))

    with pytest.raises(error, match=text):
        key(packages, specifier, conditions=conditions)


def test_encoded_separators_without_exports(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"^package 'a': './lib%2futil.js' contains an encoded path separator$"):
        key(NodeModules(plant(tmp_path, {"a/lib/util.js": ""})), "a/lib%2futil.js")


OWN = {
    **FILES,
    "p/package.json": {
        "name": "p",
        "exports": {".": "./main.js", "./a": DUAL},
        "imports": {
            "#a": "./lib/a.js",
            "#dual": DUAL,
            "#dep": {"node": "fs", "default": "q"},
            "#dep/*": "q/*.js",
            "#fs": "fs",
            "#node": "node:fs",
            "#self": "p/a",
            "#lib/*.js": "./lib/*.js",
            "#null": None,
            "#up": "../q/index.js",
            "#abs": "/etc/passwd",
            "#url": "https://host/",
            "#modules": "./node_modules/q/index.js",
            "#gone": "./gone.js",
            "#a2": "#a",
        },
    },
    "p/node_modules/q/index.js": "",
    "p/node_modules/q/x.js": "",
    "p/typed/package.json": {"type": "module"},
    "p/typed/x.js": "",
    "other/package.json": {"name": "p"},
    "other/index.js": "",
    "p2/package.json": {"name": "alias", "exports": "./x.js"},
    "p2/x.js": "",
    "alias/index.js": "",
}


@pytest.mark.parametrize(
    ("specifier", "directory", "imported", "required"),
    [
        ("p", "p/lib", "p/main.js", "p/main.js"),
        ("p/a", "p/lib", "p/esm.mjs", "p/cjs.cjs"),
        ("p", "p/typed", "p/main.js", "p/main.js"),
        ("p", "other", "p/main.js", "p/main.js"),
        ("alias", "p2", "p2/x.js", "p2/x.js"),
        ("alias", "other", "alias/index.js", "alias/index.js"),
        ("#a", "p/lib/b", "p/lib/a.js", "p/lib/a.js"),
        ("#dual", "p", "p/esm.mjs", "p/cjs.cjs"),
        ("#dep", "p", "p/node_modules/q/index.js", "p/node_modules/q/index.js"),
        ("#dep/x", "p/lib", "p/node_modules/q/x.js", "p/node_modules/q/x.js"),
        ("#fs", "p", None, None),
        ("#self", "p", "p/esm.mjs", "p/cjs.cjs"),
        ("#lib/b/c.js", "p", "p/lib/b/c.js", "p/lib/b/c.js"),
        ("#a2", "p", None, None),
    ],
)
def test_what_a_package_says_to_itself(
    tmp_path: Path, specifier: str, directory: str, imported: str | None, required: str | None
) -> None:
    packages = NodeModules(plant(tmp_path, OWN))
    found = [short(key(packages, specifier, f"/node_modules/{directory}", kind)) for kind in (ESM, CJS)]

    assert found == [imported, required]


@pytest.mark.parametrize(
    ("specifier", "directory", "error", "text"),
    [
        ("#", "p", LookupError, "^package 'p' does not define the import '#'$"),
        ("#none", "p", LookupError, "^package 'p' does not define the import '#none'$"),
        ("#null", "p", LookupError, "does not define the import"),
        ("#a", "p/typed", LookupError, "^package 'typed' does not define the import '#a'$"),
        ("#up", "p", ValueError, "^package 'p': '#up' has an invalid target, '../q/index.js'$"),
        ("#abs", "p", ValueError, "has an invalid target"),
        ("#url", "p", ValueError, "has an invalid target"),
        ("#node", "p", ValueError, "has an invalid target"),
        ("#modules", "p", ValueError, "has an invalid target"),
        ("#lib/../main.js", "p", ValueError, "is no path inside the package"),
        ("#gone", "p", LookupError, "^package 'p' has no file './gone.js', which '#gone' stands for$"),
        ("p/lib/a.js", "p", LookupError, "^package 'p' does not export './lib/a.js'$"),
    ],
)
def test_what_a_package_may_not_say_to_itself(
    tmp_path: Path, specifier: str, directory: str, error: type[Exception], text: str
) -> None:
    with pytest.raises(error, match=text):
        key(NodeModules(plant(tmp_path, OWN)), specifier, f"/node_modules/{directory}")
