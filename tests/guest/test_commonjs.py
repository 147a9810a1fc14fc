"""CommonJS modules: what they see, what they give to others, cycles and failures."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import JSError, Limits, Sandbox
from sandbox.errors import CpuLimitExceeded, JSSyntaxError
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
        (
            "require('./waits.mjs')",
            "cannot require './waits.mjs': module '/waits.mjs' has a top-level await; use import()",
        ),
        (
            "require('./deep.mjs')",
            "cannot require './deep.mjs': module '/waits.mjs' has a top-level await; use import()",
        ),
        ("require('./cycle.mjs')", "module '/main.cjs' is being executed"),
        ("require('./lacks.mjs')", "cannot find module 'none' (imported from /lacks.mjs, imported from /main.cjs)"),
        ("require('./unlinked.mjs')", "Could not find export 'nothing' in module '/plain.mjs'"),
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
        "waits.mjs": "globalThis.times = -1; await 0",
        "deep.mjs": "import './waits.mjs'; globalThis.times = -1",
        "cycle.mjs": "import './main.cjs'",
        "lacks.mjs": "import 'none'",
        "unlinked.mjs": "import {nothing} from './plain.mjs'",
        "plain.mjs": "",
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


ECMASCRIPT = {
    "plain.mjs": "export let n = 1; export const up = () => ++n",
    "default.mjs": "export default 5; export let n = 1; export const up = () => ++n",
    "says.mjs": "export const __esModule = false; export default 3",
    "whole.mjs": "const whole = () => 7; export {whole as 'module.exports', whole as default}",
    "graph.mjs": "import {n} from './plain.mjs'; import {x} from './cycle.mjs'; export const g = () => n + x",
    "cycle.mjs": "import './graph.mjs'; import d from './data.json'; export const x = d.n",
    "old.mjs": "import old from './old.cjs'; export {old}",
    "old.cjs": "exports.n = require('./plain.mjs').n",
    "data.json": '{"n": 40}',
    "compiled.cjs": "exports.__esModule = true; exports.default = 8",
}


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("Object.keys(require('./plain.mjs'))", ["n", "up"]),
        ("require('./plain.mjs').up() + require('plain.mjs').n", 4),
        ("const m = require('./default.mjs'); m.up(); [Object.keys(m), m.default, m.n, m.__esModule]", None),
        ("require('./default.mjs') === require('default.mjs')", True),
        ("Object.prototype.toString.call(require('./default.mjs'))", "[object Module]"),
        ("require('./says.mjs').__esModule", False),
        ("require('./whole.mjs')()", 7),
        ("require('./graph.mjs').g()", 41),
        ("require('./old.mjs').old.n", 1),
        ("require('./plain.mjs') === global.plain", True),
        ("require('./compiled.cjs').default", 8),
    ],
)
def test_ecmascript_modules_are_required(code: str, value: object) -> None:
    main = f"global.result = eval({code!r})"
    entry = "import * as plain from './plain.mjs'; globalThis.plain = plain; export default await import('./main.cjs')"
    with Sandbox(modules=_sources({"main.cjs": main, "entry.mjs": entry, **ECMASCRIPT})) as box:
        box.import_module("entry.mjs")
        result = box.eval("result")
        assert result == ([["__esModule", "default", "n", "up"], 5, 2, True] if value is None else value)


def test_a_module_that_an_import_has_loaded_is_evaluated_when_it_is_required() -> None:
    sources = {
        "all.mjs": "import {up, n} from './plain.mjs'; import seen from './main.cjs'; up(); export default [seen, n]",
        "main.cjs": "module.exports = require('./plain.mjs').up()",
        **ECMASCRIPT,
    }
    assert _exports(sources, "all.mjs") == {"default": [2, 3]}


def test_an_evaluation_that_failed_stays_failed() -> None:
    sources = {"throws.mjs": "globalThis.times = (globalThis.times ?? 0) + 1; throw new Error('at ' + times)"}
    with Sandbox(modules=_sources({"main.cjs": "require('./throws.mjs')", **sources})) as box:
        for _ in range(3):
            with pytest.raises(JSError, match="at 1"):
                box.import_module("main.cjs")


def test_a_module_cannot_be_required_by_what_it_calls() -> None:
    sources = {
        "m.mjs": "import {check} from './n.mjs'; export default check()",
        "n.mjs": "import go from './again.cjs'; export const check = () => { try { go() } catch (e) { return e } }",
        "again.cjs": "module.exports = () => require('./m.mjs')",
    }
    assert str(_exports(sources, "m.mjs")["default"]) == "TypeError: module '/m.mjs' is being evaluated"


def test_required_modules_that_fail_leave_nothing() -> None:
    sources = {
        "main.cjs": "module.exports = name => { try { require(name) } catch {} }",
        "unlinked.mjs": "import {nothing} from './empty.mjs'",
        "lacks.mjs": "import 'none'",
        "empty.mjs": "",
    }
    with Sandbox(modules=_sources(sources)) as box:
        fail = box.import_module("main.cjs")["default"]

        def use(times: int) -> int:
            for name in ("unlinked.mjs", "lacks.mjs") * times:
                fail(name)
            return box.usage.heap_bytes

        use(30)
        before = use(10)
        assert use(200) <= before + 4000


def test_a_required_module_that_was_cut_off_is_loaded_again() -> None:
    sources = {
        "main.cjs": "exports.read = () => require('./top.mjs').default",
        "top.mjs": "import './spin.mjs'; export default 1",
        "spin.mjs": "if (!globalThis.go) for (;;);",
    }
    with Sandbox(modules=_sources(sources), limits=Limits(cpu_seconds=0.05)) as box:
        read = box.import_module("main.cjs")["read"]
        for _ in range(2):
            with pytest.raises(CpuLimitExceeded):
                read()
        box.eval("globalThis.go = true")
        assert read() == 1


def test_a_module_that_was_cut_off_after_its_importer_failed_is_loaded_again() -> None:
    sources = {
        "main.mjs": "import './throws.mjs'; import './spin.mjs'",
        "throws.mjs": "throw new Error('mine')",
        "spin.mjs": "if (!globalThis.go) for (;;); export default 1",
    }
    with Sandbox(modules=_sources(sources), limits=Limits(cpu_seconds=0.05)) as box:
        with pytest.raises(JSError, match="mine"):
            box.import_module("main.mjs")
        with pytest.raises(CpuLimitExceeded):
            box.import_module("spin.mjs")
        box.eval("globalThis.go = true")
        assert box.import_module("spin.mjs") == {"default": 1}


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

    sources = {"main.cjs": "require('./all.mjs')", "all.mjs": "import 'other'"}
    modules: list[Any] = [_sources(sources), later]
    with Sandbox(modules=modules) as box:
        for _ in range(2):
            with pytest.raises(JSError, match="cannot require 'other': its source comes later; use import"):
                box.import_module("main.cjs")
        box.eval("import('other').then(() => 0)")
        assert box.import_module("main.cjs") == {"default": {}}


def test_deep_requires_of_both_kinds_end() -> None:
    def loader(specifier: str, importer: Importer) -> ModuleSource:
        if len(specifier) % 2:
            return ModuleSource(f"import '{specifier}x'")
        return ModuleSource(f"try {{ require('{specifier}x') }} catch (e) {{ exports.e = e }}", kind="commonjs")

    with Sandbox(modules=loader) as box:
        box.import_module("xx")
        assert box.eval("1") == 1


def test_deep_requires_are_a_range_error() -> None:
    def loader(specifier: str, importer: Importer) -> ModuleSource:
        return ModuleSource(f"try {{ require('{specifier}x') }} catch (e) {{ module.exports = e }}", kind="commonjs")

    with Sandbox(modules=loader) as box:
        box.eval("globalThis.depth = 0")
        box.import_module("x")
        assert box.eval("1") == 1
