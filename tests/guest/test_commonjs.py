"""CommonJS modules: what they see, what they give to others, cycles and failures."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import JSError, Sandbox
from sandbox.errors import JSSyntaxError
from sandbox.modules import Importer, ModuleSource


def _sources(sources: dict[str, str]) -> dict[str, ModuleSource]:
    """`.cjs` files are CommonJS, `.json` files JSON, all others ECMAScript modules."""
    kinds: dict[str, Any] = {"cjs": "commonjs", "json": "json"}
    return {
        name: ModuleSource(code, kind=kinds.get(name.rpartition(".")[2], "module")) for name, code in sources.items()
    }


def _exports(sources: dict[str, str], specifier: str = "main.cjs") -> Any:
    with Sandbox(modules=_sources(sources)) as box:
        return box.import_module(specifier)


@pytest.mark.parametrize(
    ("code", "exports"),
    [
        ("exports.a = 1; exports['b-c'] = 2", {"default": {"a": 1, "b-c": 2}, "a": 1}),
        ("module.exports = 5", {"default": 5}),
        ("module.exports = null", {"default": None}),
        ("", {"default": {}}),
        ("this.a = exports === this && module.exports === this", {"default": {"a": True}, "a": True}),
        ("exports.default = 1; exports.a = 2", {"default": {"default": 1, "a": 2}, "a": 2}),
        ("exports.__esModule = true; exports.default = 1; exports.a = 2", {"default": 1, "a": 2}),
        ("exports.__esModule = true; exports.a = 2", {"default": {"__esModule": True, "a": 2}, "a": 2}),
        ("Object.defineProperty(exports, 'a', {get: () => 3, enumerable: true})", {"default": {"a": 3}, "a": 3}),
        ("Object.defineProperty(exports, 'a', {value: 3})", {"default": {}}),
        ("module.exports = Object.create({a: 1})", {"default": {}}),
        ("module.exports = [7]", {"default": [7]}),
        ("exports.é = 1; exports.$_ = 2; exports['1x'] = 3", {"default": {"é": 1, "$_": 2, "1x": 3}, "é": 1, "$_": 2}),
        ("module.exports = [__filename, __dirname]", {"default": ["/main.cjs", "/"]}),
        ("module.exports = [module.id, module.filename, module.path, module.loaded]",
         {"default": ["/main.cjs", "/main.cjs", "/", False]}),
        ("module.exports = process.env.NODE_ENV", {"default": "production"}),
        ("module.exports = global === globalThis", {"default": True}),
        ("module.exports = typeof undeclared + (() => arguments.length)()", {"default": "undefined7"}),
        ("var leaked = 1; module.exports = 'leaked' in globalThis", {"default": False}),
        ("with ({a: 1}) module.exports = a", {"default": 1}),
        ("'use strict'; module.exports = (function () { return this })() === undefined", {"default": True}),
        ("#!/usr/bin/env node\nmodule.exports = 1", {"default": 1}),
        ("module.exports = 1 // a comment that ends the text", {"default": 1}),
        ("return; module.exports = 1", {"default": {}}),
        ("module.exports = require('./data.json').n", {"default": 4}),
        ("module.exports = require('./data.json') === require('data.json')", {"default": True}),
        ("module.exports = require('./one.cjs') === require('/one.cjs')", {"default": True}),
        ("module.exports = require.resolve('./one.cjs')", {"default": "/one.cjs"}),
        ("exports.before = 1; exports.seen = require('./back.cjs').seen", None),
    ],
)  # fmt: skip
def test_what_importers_get(code: str, exports: dict[str, Any] | None) -> None:
    found = _exports(
        {
            "main.cjs": code,
            "one.cjs": "module.exports = {}",
            "data.json": '{"n": 4}',
            "back.cjs": "exports.seen = {...require('./main.cjs')}",
        }
    )
    if exports is None:
        assert found["seen"] == {"before": 1}
    else:
        assert found == exports


def test_it_is_executed_once_for_all_importers() -> None:
    sources = {
        "a.cjs": "globalThis.times = (globalThis.times ?? 0) + 1; module.exports = {times}",
        "b.cjs": "module.exports = require('./a.cjs')",
        "c.mjs": "import a from './a.cjs'; import b from './b.cjs'; import {times} from './a.cjs'; export {times};"
        "export default a === b && a === (await import('./a.cjs')).default",
    }
    assert _exports(sources, "c.mjs") == {"default": True, "times": 1}


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("require('none')", "cannot find module 'none' (imported from /main.cjs)"),
        ("require('./module.mjs')", "cannot require './module.mjs': it is an ECMAScript module"),
        ("require(5)", "the specifier is not a string"),
        ("require()", "the specifier is not a string"),
        ("require('./throws.cjs')", "Error: thrown"),
        ("require('./broken.json')", "SyntaxError"),
        ("throw new RangeError('mine')", "RangeError: mine"),
    ],
)
def test_failures_reach_the_importer_and_are_not_kept(code: str, text: str) -> None:
    sources = {
        "main.cjs": f"globalThis.times = (globalThis.times ?? 0) + 1; {code}",
        "module.mjs": "export default 1",
        "throws.cjs": "throw new Error('thrown')",
        "broken.json": "{",
        "catches.cjs": f"try {{ {code} }} catch (error) {{ module.exports = String(error) }}",
    }
    with Sandbox(modules=_sources(sources)) as box:
        for _ in range(2):
            with pytest.raises(JSError) as caught:
                box.import_module("main.cjs")
            assert text in str(caught.value)
        assert box.eval("times") == 2
        assert text.partition(" (")[0] in box.import_module("catches.cjs")["default"]


def test_a_module_that_was_imported_cannot_be_required_either() -> None:
    all_of_them = "import './m.mjs'; import './main.cjs'"
    sources = {"m.mjs": "export default 1", "main.cjs": "require('./m.mjs')", "all.mjs": all_of_them}
    with pytest.raises(JSError, match="it is an ECMAScript module"):
        _exports(sources, "all.mjs")


@pytest.mark.parametrize("code", ["\n\n  throw new Error('x')", "#!shebang\n\n  throw new Error('x')"])
def test_lines_and_columns_are_those_of_the_source(code: str) -> None:
    with pytest.raises(JSError) as caught:
        _exports({"main.cjs": code})
    assert [(frame.file, frame.line, frame.column) for frame in caught.value.frames] == [("/main.cjs", 3, 9)]


@pytest.mark.parametrize(("code", "place"), [("let x = ;", (1, 9)), ("\nlet = ;", (2, 7)), ("(", (2, 1))])
def test_syntax_errors(code: str, place: tuple[int, int]) -> None:
    with pytest.raises(JSSyntaxError) as caught:
        _exports({"main.cjs": code})
    frame = caught.value.frames[0]
    assert (frame.file, frame.line, frame.column) == ("/main.cjs", *place)


def test_functions_require_and_import_later() -> None:
    sources = {
        "lib/main.cjs": "exports.later = () => require('./two.cjs'); exports.imports = () => import('./two.cjs')",
        "lib/two.cjs": "exports.two = 2",
    }
    with Sandbox(modules=_sources(sources)) as box:
        main = box.import_module("lib/main.cjs")
        assert main["later"]() == {"two": 2}
        assert main["imports"]()["two"] == 2


def test_conditions() -> None:
    asked = []

    class Resolver:
        def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
            asked.append((specifier, importer.path, conditions))
            return f"/{specifier}/{conditions[0]}"

        def load(self, key: str, /) -> ModuleSource:
            return ModuleSource("module.exports = require('b')" if key.startswith("/a") else "", kind="commonjs")

    with Sandbox(modules=Resolver()) as box:
        box.import_module("a")
    assert asked == [("a", "", ("import",)), ("b", "/a/import", ("require",))]


def test_a_source_that_takes_time_cannot_be_required() -> None:
    async def later(specifier: str, importer: Importer) -> str:
        return ""

    modules: list[Any] = [_sources({"main.cjs": "require('other')"}), later]
    with Sandbox(modules=modules) as box, pytest.raises(JSError, match="cannot require 'other': its source comes late"):
        box.import_module("main.cjs")


def test_deep_requires_are_a_range_error() -> None:
    def loader(specifier: str, importer: Importer) -> ModuleSource:
        return ModuleSource(f"try {{ require('{specifier}x') }} catch (e) {{ module.exports = e }}", kind="commonjs")

    with Sandbox(modules=loader) as box:
        box.eval("globalThis.depth = 0")
        box.import_module("x")
        assert box.eval("1") == 1
