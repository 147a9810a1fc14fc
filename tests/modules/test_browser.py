"""What packages put in place of their files and of others outside of Node."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox.modules import NodeModules
from tests.modules.folders import CJS, ESM, key, plant, short

NOTHING = "/node_modules/.nothing.cjs"


BROWSER = {
    "text/package.json": {"main": "main.js", "module": "module.js", "browser": "./browser.js"},
    **{f"text/{name}.js": "" for name in ("main", "module", "browser")},
    "map/package.json": {
        "main": "lib/index",
        "module": "module.js",
        "browser": {
            "./lib/index.js": "./lib/browser.js",
            "./lib/node": "./lib/browser-node",
            "lib/bare.js": "./lib/browser.js",
            "./lib/off.js": False,
            "./lib/dir": "./lib/browser.js",
            "./lib/gone.js": "./lib/browser.js",
            "./lib/gone": "./lib/browser.js",
            "./lib/outside.js": "../text/main.js",
            "./lib/package.js": "text",
            "./lib/loop.js": "./lib/loop.js",
            "./lib/ping.js": "./lib/pong.js",
            "./lib/pong.js": "./lib/ping.js",
            "./lib/elsewhere.js": "back",
            "fs": False,
            "crypto": "./lib/browser.js",
            "util": "text",
            "text/main.js": "./lib/browser.js",
            "absent": "also-absent",
        },
    },
    "map/module.js": "",
    "map/typed/package.json": {"type": "module"},
    "map/typed/x.js": "",
    **{
        f"map/lib/{name}.js": ""
        for name in (
            *("index", "browser", "node", "browser-node", "bare", "off", "dir/index", "outside", "package", "loop"),
            *("ping", "pong", "elsewhere"),
        )
    },
    "back/package.json": {"browser": {"./index.js": "map/lib/elsewhere.js"}},
    "back/index.js": "",
    "exported/package.json": {"exports": "./main.js", "browser": {"./main.js": "./browser.js"}},
    "exported/main.js": "",
    "exported/browser.js": "",
}
MAP = "/node_modules/map"


@pytest.mark.parametrize(
    ("specifier", "directory", "imported", "required", "without"),
    [
        ("text", "/", "text/browser.js", "text/browser.js", "text/main.js"),
        ("map", "/", "map/module.js", "map/lib/browser.js", "map/lib/index.js"),
        ("./lib/index.js", MAP, "map/lib/browser.js", "map/lib/browser.js", "map/lib/index.js"),
        ("./lib", MAP, "map/lib/browser.js", "map/lib/browser.js", "map/lib/index.js"),
        ("map/lib/index", "/", "map/lib/browser.js", "map/lib/browser.js", "map/lib/index.js"),
        ("./lib/node", MAP, "map/lib/browser-node.js", "map/lib/browser-node.js", "map/lib/node.js"),
        ("./lib/node.js", MAP, "map/lib/browser-node.js", "map/lib/browser-node.js", "map/lib/node.js"),
        ("./bare", f"{MAP}/lib", "map/lib/browser.js", "map/lib/browser.js", "map/lib/bare.js"),
        ("./off.js", f"{MAP}/lib", ".nothing.cjs", ".nothing.cjs", "map/lib/off.js"),
        ("./dir", f"{MAP}/lib", "map/lib/browser.js", "map/lib/browser.js", "map/lib/dir/index.js"),
        ("./gone.js", f"{MAP}/lib", "map/lib/browser.js", "map/lib/browser.js", None),
        ("map/lib/gone.js", "/", "map/lib/browser.js", "map/lib/browser.js", None),
        ("../lib/gone", f"{MAP}/typed", "map/lib/browser.js", "map/lib/browser.js", None),
        ("./outside", f"{MAP}/lib", "text/main.js", "text/main.js", "map/lib/outside.js"),
        ("./package", f"{MAP}/lib", "text/browser.js", "text/browser.js", "map/lib/package.js"),
        ("./loop", f"{MAP}/lib", "map/lib/loop.js", "map/lib/loop.js", "map/lib/loop.js"),
        ("./ping", f"{MAP}/lib", "map/lib/pong.js", "map/lib/pong.js", "map/lib/ping.js"),
        ("./elsewhere", f"{MAP}/lib", "back/index.js", "back/index.js", "map/lib/elsewhere.js"),
        ("fs", MAP, ".nothing.cjs", ".nothing.cjs", None),
        ("node:fs", MAP, ".nothing.cjs", ".nothing.cjs", None),
        ("fs", f"{MAP}/typed", ".nothing.cjs", ".nothing.cjs", None),
        ("fs", "/node_modules/text", None, None, None),
        ("fs", "/", None, None, None),
        ("crypto", MAP, "map/lib/browser.js", "map/lib/browser.js", None),
        ("util", MAP, "text/browser.js", "text/browser.js", None),
        ("text/main.js", MAP, "map/lib/browser.js", "map/lib/browser.js", "text/main.js"),
        ("absent", MAP, None, None, None),
        ("exported", "/", "exported/browser.js", "exported/browser.js", "exported/main.js"),
    ],
)
def test_browser_fields(
    tmp_path: Path, specifier: str, directory: str, imported: str | None, required: str | None, without: str | None
) -> None:
    plant(tmp_path, BROWSER)
    packages = NodeModules(tmp_path)
    found = [short(key(packages, specifier, directory, kind)) for kind in (ESM, CJS)]

    assert found == [imported, required]
    assert short(key(NodeModules(tmp_path, conditions=()), specifier, directory, CJS)) == without


def test_what_is_turned_off_is_an_empty_module(tmp_path: Path) -> None:
    source = NodeModules(tmp_path).load(NOTHING)

    assert (source.code, source.kind, source.filename) == ("", "commonjs", NOTHING)
