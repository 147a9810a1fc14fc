"""Modules on both faces: where they come from, what is shared, what fails, and what a hostile program gets."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Awaitable, Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, JSError, JSFunction, Limits, Sandbox, undefined
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    JSSyntaxError,
    LimitExceeded,
    MemoryLimitExceeded,
    SandboxBusy,
    Stalled,
    WallLimitExceeded,
)
from sandbox.modules import Importer, ModuleSource

Step = tuple[str, str] | tuple[str, str, dict[str, Any]]


def _blocking(steps: list[Step], options: dict[str, Any]) -> list[Any]:
    results = []
    with Sandbox(**options) as box:
        for method, argument, *keywords in steps:
            try:
                results.append(getattr(box, method)(argument, **(keywords[0] if keywords else {})))
            except Exception as error:  # noqa: BLE001 - it is what is looked at
                results.append(error)
    return results


def _asynchronous(steps: list[Step], options: dict[str, Any]) -> list[Any]:
    async def run() -> list[Any]:
        results = []
        async with AsyncSandbox(**options) as box:
            for method, argument, *keywords in steps:
                try:
                    results.append(await getattr(box, method)(argument, **(keywords[0] if keywords else {})))
                except Exception as error:  # noqa: BLE001 - it is what is looked at
                    results.append(error)
        return results

    return anyio.run(run)


Run = Callable[..., list[Any]]


@pytest.fixture(params=[_blocking, _asynchronous], ids=["Sandbox", "AsyncSandbox"])
def run(request: pytest.FixtureRequest) -> Run:
    """Take steps (method, argument, keyword arguments) in one sandbox; results and errors."""
    return lambda *steps, **options: request.param(list(steps), options)


SOURCES: dict[str, str | ModuleSource] = {
    "lib/math.js": "export const sq = x => x * x; export default import.meta.url",
    "counter": "export let n = 0; export const up = () => ++n; globalThis.evaluated = (globalThis.evaluated ?? 0) + 1",
    "cycle/a": "import {b} from './b'; export const a = 'a', both = () => a + b",
    "cycle/b": "import {both} from './a'; export const b = 'b'; export {both}",
    "star": "export * from 'lib/math.js'; export * as counter from 'counter'; export {n as again} from './counter'",
    "waits": "export const v = await new Promise(done => setTimeout(done, 1, 'late'))",
    "rejects": "await 0; throw new Error('no')",
    "throws": "throw new Error('at once')",
    "d.json": '{"a": [1]}',
    "requires": ModuleSource(
        "const m = require('lib/math.js'), c = require('counter');"
        "module.exports = [m.sq(4), m.default, m.__esModule, 1 + c.n]",
        kind="commonjs",
    ),
    "requires waits": ModuleSource("require('waits')", kind="commonjs"),
    "requires throws": ModuleSource("require('throws')", kind="commonjs"),
}


@pytest.mark.parametrize(
    ("method", "code", "value"),
    [
        ("module", "export default 1", {"default": 1}),
        ("module", "export const a = 1, b = [2]; export let c", {"a": 1, "b": [2], "c": None}),
        ("module", "1", {}),
        ("module", "import {sq} from 'lib/math.js'; export default sq(4)", {"default": 16}),
        ("module", "export * from '/cycle/b'; export {both as f} from './cycle/a'; ", None),
        ("module", "import {both} from 'cycle/a'; export default both()", {"default": "ab"}),
        ("module", "import * as s from 'star'; export default Object.keys(s)", {"default": ["again", "counter", "sq"]}),
        ("module", "import {n, up} from 'counter'; up(); up(); export default n", {"default": 2}),
        ("module", "export {v} from 'waits'", {"v": "late"}),
        ("module", "export const v = await 5; export default await import('waits')", None),
        ("module", "export default (await import('d.json', {with: {type: 'json'}})).default", {"default": {"a": [1]}}),
        ("module", "import d from 'd.json'; export default d.a", {"default": [1]}),
        ("module", "import d from 'd.json' with {type: 'text'}; export default d.length", {"default": 10}),
        ("module", "import d from 'd.json' with {type: 'bytes'}; export default d[0]", {"default": 123}),
        ("module", "import d from 'd.json' with {type: 'bytes'}; export default d.buffer.immutable", {"default": True}),
        ("module", "import d from 'd.json' with {type: 'bytes'}; export default d", {"default": b'{"a": [1]}'}),
        ("module", "export default import.meta.url", {"default": "file:///%3Cmodule%201%3E"}),
        ("module", "export default this === undefined", {"default": True}),
        ("import_module", "lib/math.js", None),
        ("import_module", "./lib/../waits", {"v": "late"}),
        ("eval", "import('lib/math.js').then(m => m.default)", "file:///lib/math.js"),
        ("eval", "(await import('./lib/math.js')) === await import('/lib/math.js')", True),
        ("eval", "await import('throws').catch(() => {}); import('throws').catch(e => e.message)", "at once"),
        ("eval", "Promise.all([import('counter'), import('counter')]).then(() => evaluated)", 1),
        ("import_module", "requires", {"default": [16, "file:///lib/math.js", True, 1]}),
        ("eval", "import('requires').then(m => m.default[3])", 1),
        ("module", "import {up} from 'counter'; import r from 'requires'; up(); export default r[3]", {"default": 1}),
    ],
)
def test_values(run: Run, method: str, code: str, value: Any) -> None:
    (got,) = run((method, code), modules=SOURCES)
    assert not isinstance(got, BaseException), got
    assert (
        value is None
        or {k: v for k, v in got.items() if v or k != "c"} == {k: v for k, v in value.items() if v or k != "c"}
        if isinstance(got, dict)
        else got == value
    )


@pytest.mark.parametrize("beginning", ["", "await 0; "])
def test_a_namespace_with_a_then_is_a_namespace(run: Run, beginning: str) -> None:
    (got,) = run(("module", f"{beginning}export function then(done) {{ done(7) }} export const x = 1"))
    assert got["x"] == 1
    assert isinstance(got["then"], JSFunction)


def test_functions_and_namespaces_of_a_namespace(run: Run) -> None:
    (namespace,) = run(("import_module", "star"), modules=SOURCES)
    assert isinstance(namespace["sq"], JSFunction)
    assert namespace["again"] == 0 and namespace["counter"]["n"] == 0


def test_an_exported_function_can_be_called() -> None:
    with Sandbox(modules=SOURCES) as box:
        up = box.import_module("counter")["up"]
        assert [up(), up(), box.import_module("counter")["n"]] == [1, 2, 2]


@pytest.mark.parametrize(
    ("method", "code", "error", "text"),
    [
        ("module", "import 'none'", JSError, "TypeError: cannot find module 'none' (imported from <module 1>)"),
        ("import_module", "none", JSError, "TypeError: cannot find module 'none'"),
        ("eval", "import('none')", JSError, "TypeError: cannot find module 'none' (imported from <eval 1>)"),
        (
            "module",
            "import {x} from 'counter'",
            JSSyntaxError,
            "SyntaxError: Could not find export 'x' in module '/counter'",
        ),
        ("module", "export const a = ;", JSSyntaxError, "SyntaxError: unexpected token in expression: ';'"),
        ("module", "import 'throws'", JSError, "Error: at once"),
        ("module", "import 'rejects'", JSError, "Error: no"),
        ("import_module", "requires throws", JSError, "Error: at once"),
        (
            "import_module",
            "requires waits",
            JSError,
            "TypeError: cannot require 'waits': module '/waits' has a top-level await; use import()"
            " (imported from /requires waits)",
        ),
        ("module", "throw new Error('mine')", JSError, "Error: mine"),
        ("module", "await null; throw 5", JSError, "5"),
        ("module", "await new Promise(() => {})", Stalled, ""),
        ("module", "for (;;);", CpuLimitExceeded, ""),
        ("module", "export default Symbol()", Exception, "a symbol"),
        ("module", "import 'd.json' with {type: 'css'}", JSError, "TypeError: unknown import type 'css'"),
        (
            "module",
            "import 'd.json' with {mode: 'json'}",
            JSSyntaxError,
            "SyntaxError: unknown import attribute 'mode'",
        ),
        ("eval", "import('d.json', {with: {mode: 'json'}})", JSError, "TypeError: unknown import attribute 'mode'"),
        ("module", "import 'counter' with {type: 'json'}", JSSyntaxError, "SyntaxError: unexpected token: 'export'"),
        ("eval", "import 'counter'", JSSyntaxError, ""),
        ("eval", "import(Symbol())", JSError, "TypeError"),
    ],
)
def test_failures(run: Run, method: str, code: str, error: type[Exception], text: str) -> None:
    got, after, fresh = run(
        (method, code), ("import_module", "lib/math.js"), ("eval", "1"), modules=SOURCES, limits=Limits(cpu_seconds=0.2)
    )
    assert isinstance(got, error)
    assert str(got).startswith(text) if error is not Exception else text in str(got)
    assert "sq" in after and fresh == 1


@pytest.mark.parametrize(
    ("method", "argument", "budget", "error"),
    [
        ("module", "for (;;);", {"timeout": 0.05}, WallLimitExceeded),
        ("module", "for (;;);", {"fuel": 10_000_000}, FuelLimitExceeded),
        ("import_module", "spin", {"timeout": 0.05}, WallLimitExceeded),
        ("import_module", "spin", {"fuel": 10_000_000}, FuelLimitExceeded),
        ("import_module", "waits for ever", {"timeout": 0.05}, WallLimitExceeded),
    ],
)
def test_budgets(run: Run, method: str, argument: str, budget: dict[str, Any], error: type[Exception]) -> None:
    sources = {"spin": "for (;;);", "waits for ever": "await new Promise(done => setTimeout(done, 1e6))"}
    (got,) = run((method, argument, budget), modules=sources)
    assert isinstance(got, error)


@pytest.mark.parametrize(
    ("method", "arguments", "error"),
    [
        ("module", (1,), TypeError),
        ("module", ("1", {"filename": 1}), TypeError),
        ("import_module", (None,), TypeError),
        ("import_module", ("x", {"timeout": 0}), ValueError),
        ("module", ("1", {"fuel": -1}), ValueError),
    ],
)
def test_misuse(run: Run, method: str, arguments: tuple[Any, ...], error: type[Exception]) -> None:
    (got,) = run((method, *arguments))
    assert isinstance(got, error)


def test_without_modules(run: Run) -> None:
    for error in run(("module", "import 'x'"), ("eval", "import('x')"), ("import_module", "x")):
        assert "cannot find module 'x': this sandbox has no modules" in str(error)


# --- who imports whom ---


def test_loaders_see_the_filename_and_then_the_resolved_paths(run: Run) -> None:
    sources = {"/foo/bar.js": "../one.js", "../one.js": "./foo/hello.js", "./foo/hello.js": ""}
    seen = []

    def loader(specifier: str, importer: Importer) -> ModuleSource:
        seen.append((specifier, importer.path, importer.resolve_dir))
        code = f"import {sources[specifier]!r}" if sources[specifier] else "globalThis.hello = true"
        directory = "/foo" if "foo" in specifier else "/"
        return ModuleSource(code, resolve_dir=directory)

    results = run(("module", "import '/foo/bar.js'", {"filename": "main.js"}), ("eval", "hello"), modules=loader)
    assert results == [{}, True]
    assert seen == [
        ("/foo/bar.js", "main.js", "/"),
        ("../one.js", "/foo/bar.js", "/foo"),
        ("./foo/hello.js", "/one.js", "/"),
    ]


@pytest.mark.parametrize(
    ("method", "code", "filename", "asked"),
    [
        ("eval", "import('./x')", "src/main.js", "/src/x"),
        ("eval", "import('../x')", "/src/main.js", "/x"),
        ("eval", "import('./x')", None, "/x"),
        ("module", "import './x'", "src/deep/main.js", "/src/deep/x"),
        ("module", "import '/x'", "src/main.js", "/x"),
        ("module", "import './x'", "https://h/a/main.js", "https://h/a/x"),
        ("module", "export default await (() => import('./x'))()", "/src/main.js", "/src/x"),
    ],
)
def test_relative_specifiers(run: Run, method: str, code: str, filename: str | None, asked: str) -> None:
    (namespace,) = run(
        (method, code, {"filename": filename}), modules={asked: "globalThis.found = import.meta.url; export default 1"}
    )
    assert not isinstance(namespace, Exception), namespace


def test_a_function_of_a_module_imports_from_its_own_directory(run: Run) -> None:
    sources = {"a/m.js": "export const go = () => import('./n.js'); export let n", "a/n.js": "export default 'a/n'"}
    steps = [("eval", f"globalThis.m = await import('/a/m.js'); {i}; 0") for i in range(3)]
    assert run(*steps, ("eval", "m.go().then(n => n.default)"), modules=sources)[-1] == "a/n"


@pytest.mark.parametrize("text", ["eval(code)", "(0, eval)(code)", "new Function('return ' + code)()"])
def test_a_text_without_a_file_imports_from_the_directory_of_who_runs_it(text: str) -> None:
    code = f"const code = \"import('./n.js')\"; export const go = () => {text}; export default await go()"
    with Sandbox(modules={"a/n.js": "export default 5", "a/m.js": code}) as box:
        assert box.import_module("a/m.js")["default"] == {"default": 5}
        assert box.eval("import('/a/m.js').then(m => m.go()).then(n => n.default)") == 5
        with pytest.raises(JSError, match=r"cannot find module './n.js' \(imported from /b.js\)"):
            box.eval("eval(\"import('./n.js')\")", filename="/b.js")


def test_an_entry_that_has_ended_still_imports() -> None:
    with Sandbox(modules={"a/n.js": "export default 5"}) as box:
        go = box.module("export default () => import('./n.js')", filename="/a/main.js")["default"]
        for _ in range(3):
            box.module("1")
        gc.collect()
        assert go() == {"default": 5}


def test_two_modules_of_one_filename_have_each_their_own_meta() -> None:
    with Sandbox() as box:
        code = "import.meta.n = {}; export const own = () => import.meta.n === undefined ? -1 : import.meta.n; "
        first = box.module(code.format(1), filename="same.js")["own"]
        box.module(code.format(2), filename="same.js")
        assert first() == 1


@pytest.mark.parametrize(
    ("specifier", "resolved"),
    [
        ("./x.js", "file:///lib/x.js"),
        ("/a b?c#d%é", "file:///a%20b%3Fc%23d%25%C3%A9"),
        ("https://h/x", "https://h/x"),
        ("bare", "file:///bare"),
    ],
)
def test_meta(specifier: str, resolved: str) -> None:
    code = "export const {filename, dirname, url} = import.meta; export const r = import.meta.resolve("
    code += f"{specifier!r})"
    with Sandbox(modules=lambda specifier, importer: "") as box:
        assert box.module(code, filename="/lib/main.js") == {
            "filename": "/lib/main.js",
            "dirname": "/lib",
            "url": "file:///lib/main.js",
            "r": resolved,
        }
    with Sandbox(modules={}) as box, pytest.raises(JSError, match="cannot find module"):
        box.module(code, filename="/lib/main.js")


# --- loaders ---


async def _slow(specifier: str, importer: Importer) -> str | None:
    await anyio.lowlevel.checkpoint()
    return None if specifier == "none" else f"export default {specifier!r}"


def _promised(specifier: str, importer: Importer) -> Awaitable[str | None]:
    return _slow(specifier, importer)


@pytest.mark.parametrize("loader", [_slow, _promised, [_slow], [lambda specifier, importer: None, _promised]])
def test_sources_that_take_time(run: Run, loader: Any) -> None:
    module, other, imported, missing = run(
        ("module", "import a from 'a'; import b from './b'; export default [a, b]"),
        ("eval", "Promise.all(['a', 'c'].map(n => import(n))).then(all => all.map(m => m.default))"),
        ("import_module", "a"),
        ("import_module", "none"),
        modules=loader,
    )
    assert [module, other, imported] == [{"default": ["a", "./b"]}, ["a", "c"], {"default": "a"}]
    assert "cannot find module 'none'" in str(missing)


@pytest.mark.parametrize("is_slow", [False, True])
def test_a_loader_that_fails_is_asked_again(run: Run, is_slow: bool) -> None:
    calls = []

    def plain(specifier: str, importer: Importer) -> str:
        calls.append(specifier)
        if len(calls) == 1:
            raise OSError("the disk is on fire")
        return "export default 7"

    async def slow(specifier: str, importer: Importer) -> str:
        await anyio.lowlevel.checkpoint()
        return plain(specifier, importer)

    first, second, third = run(
        *[("module", "export {default} from './x'", {"filename": "/m.js"})] * 3, modules=slow if is_slow else plain
    )
    assert str(first) == "Error: the disk is on fire (imported from /m.js)"
    assert isinstance(first.__cause__, OSError)
    assert [second, third] == [{"default": 7}] * 2
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("broken", "message"),
    [
        ("export let y = 1", "Could not find export 'x'"),
        ("export let x = ;", "unexpected token"),
        (None, "cannot find module './dep'"),
        ("import 'none'; export let x", "cannot find module 'none'"),
    ],
)
def test_what_could_not_be_loaded_or_linked_is_loaded_again(run: Run, broken: str | None, message: str) -> None:
    dep = [broken]
    calls = []

    def loader(specifier: str, importer: Importer) -> str | None:
        calls.append(specifier)
        return {"./top": "import {x} from './dep'; import './other'; export default x", "./other": ""}.get(
            specifier, dep[0] if specifier == "./dep" else None
        )

    first, again = run(("import_module", "./top"), ("import_module", "./top"), modules=loader)
    assert message in str(first) and message in str(again)
    count = calls.count("./dep")
    assert count == 1 if "none" in message else count == 2

    def repaired(specifier: str, importer: Importer) -> str | None:
        source = loader(specifier, importer)
        if specifier == "./dep":
            dep[0] = "export let x = 1"
        return source

    dep[0] = broken
    if "none" not in message:
        assert run(("import_module", "./top"), ("import_module", "./top"), modules=repaired)[1] == {"default": 1}


def test_other_modules_work_after_a_failed_link() -> None:
    sources = {"good": "export let g = 1", "bad": "import {g} from 'good'; import {nope} from 'good'; export {g}"}
    with Sandbox(modules=sources) as box:
        for _ in range(3):
            with pytest.raises(JSSyntaxError):
                box.import_module("bad")
            assert box.import_module("good") == {"g": 1}


@pytest.mark.anyio
async def test_programs_that_ask_at_once_share_one_load() -> None:
    calls = []

    async def loader(specifier: str, importer: Importer) -> str:
        calls.append(specifier)
        await released.wait()
        return "export const order = []"

    async def program(number: int) -> None:
        await box.eval(f"import('slow').then(m => m.order.push({number}))")

    released = anyio.Event()
    async with AsyncSandbox(modules=loader) as box:
        async with anyio.create_task_group() as tasks:
            for number in range(3):
                tasks.start_soon(program, number)
                while box.usage.turns <= number:
                    await anyio.lowlevel.checkpoint()
            released.set()
        assert await box.eval("import('slow').then(m => m.order)") == [0, 1, 2]
    assert calls == ["slow"]


@pytest.mark.anyio
async def test_a_load_goes_on_for_others_when_who_asked_first_is_gone() -> None:
    calls = []

    async def loader(specifier: str, importer: Importer) -> str:
        calls.append(specifier)
        if len(calls) == 1:
            await anyio.sleep_forever()
        return "export default 1"

    async with AsyncSandbox(modules=loader) as box, anyio.create_task_group() as tasks:

        async def first() -> None:
            with pytest.raises(WallLimitExceeded):
                await box.eval("import('slow')", timeout=0.05)

        async def second() -> None:
            assert await box.eval("import('slow').then(m => m.default)") == 1

        tasks.start_soon(first)
        while not calls:
            await anyio.lowlevel.checkpoint()
        tasks.start_soon(second)
    assert calls == ["slow", "slow"]


def test_modules_that_waited_can_be_imported_by_others(run: Run) -> None:
    sources = {"top": "import {v} from 'waits'; export {v}; export let w = v", **SOURCES}
    steps = [("module", "import {v, w} from 'top'; export default v + w"), ("eval", "import('top').then(m => m.v)")] * 2
    assert run(*steps, modules=sources) == [{"default": "latelate"}, "late"] * 2


def test_a_chain_of_importers_is_told(run: Run) -> None:
    sources = {f"m{i}": f"import './m{i + 1}'" for i in range(20)}
    (short,) = run(("module", "import './m18'", {"filename": "main.js"}), modules=sources)
    assert str(short).endswith(
        "cannot find module './m20' (imported from /m19, imported from /m18, imported from main.js)"
    )
    (long,) = run(("import_module", "m0"), modules=sources)
    assert str(long).count("imported from") == 12


def test_a_syntax_error_shows_the_source_of_its_module(run: Run) -> None:
    (error,) = run(("module", "import './lib/bad.js'"), modules={"lib/bad.js": "// first\nlet x = ;\n"})
    assert isinstance(error, JSSyntaxError)
    assert (error.frames[0].file, error.frames[0].line) == ("/lib/bad.js", 2)
    assert "> 2 | let x = ;" in error.render()


def test_an_error_of_a_module_has_frames_of_the_program_only(run: Run) -> None:
    (error,) = run(
        ("module", "import './bad.js'"), modules={"bad.js": "const f = () => {\n  throw new Error('x') };\nf()"}
    )
    assert [(frame.file, frame.line) for frame in error.frames] == [("/bad.js", 2), ("/bad.js", 3)]


# --- nested ---

NESTED = {
    "a": "export default 1",
    "outer": "hostImport('a'); export default 2",
    "self": "hostImport('self'); export default 3",
    "cycle": "import 'back'; export default 1",
    "back": "hostImport('cycle')",
    "waits": "await 1",
}


@pytest.mark.parametrize(
    ("method", "code", "outcome"),
    [
        ("eval", "hostImport('a').default", 1),
        ("module", "export default hostImport('a').default", {"default": 1}),
        ("import_module", "outer", {"default": 2}),
        ("import_module", "self", "'/self' is being evaluated"),
        ("import_module", "cycle", "'/cycle' is being evaluated"),
        ("eval", "hostImport('none')", "cannot find module 'none'"),
    ],
)
def test_a_host_function_imports(method: str, code: str, outcome: Any) -> None:
    with Sandbox(modules=NESTED) as box:
        box.function(box.import_module, name="hostImport")
        for _ in range(2):
            try:
                result = getattr(box, method)(code)
            except JSError as error:
                result = str(error)
            assert outcome in result if isinstance(outcome, str) else result == outcome
        assert box.import_module("a") == {"default": 1}


def test_two_nested_imports_that_fail_share_a_module() -> None:
    sources: dict[str, str | ModuleSource] = {
        "outer": "import './shared'; import './calls.cjs'; import {none} from './shared'",
        "inner": "import './shared'; import {none} from './shared'",
        "shared": "import './deep'; export let x",
        "deep": "export let y",
        "calls.cjs": ModuleSource("try { hostImport('inner') } catch (e) { exports.e = e.name }", kind="commonjs"),
    }
    with Sandbox(modules=sources) as box:
        box.function(box.import_module, name="hostImport")
        for _ in range(20):
            with pytest.raises(JSSyntaxError):
                box.import_module("outer")
            box.module("export let filler = 1")
        assert box.import_module("shared") == {"x": undefined}


def test_a_host_function_cannot_wait_for_a_module() -> None:
    with Sandbox(modules=NESTED) as box:
        box.function(box.import_module, name="hostImport")
        with pytest.raises(JSError) as caught:
            box.eval("hostImport('waits')")
        assert isinstance(caught.value.__cause__, SandboxBusy)
        assert box.eval("hostImport('waits')") == {}  # evaluated meanwhile


# --- what ends by force ---


def test_a_module_that_was_cut_off_is_loaded_again() -> None:
    calls = []

    def loader(specifier: str, importer: Importer) -> str | None:
        calls.append(specifier)
        return {"./top": "import './spin'; export default 1", "./spin": "if (!globalThis.go) for (;;);"}[specifier]

    with Sandbox(modules=loader, limits=Limits(cpu_seconds=0.05)) as box:
        for _ in range(2):
            with pytest.raises(CpuLimitExceeded):
                box.import_module("./top")
        box.eval("globalThis.go = true")
        assert box.import_module("./top") == {"default": 1}
    assert calls == ["./top", "./spin"] * 3


def test_a_commonjs_module_that_was_cut_off_is_executed_again() -> None:
    source = ModuleSource("exports.a = 1; if (!globalThis.go) for (;;); exports.b = 2", kind="commonjs")
    requirer = ModuleSource("exports.read = () => require('./spin.cjs').b", kind="commonjs")
    with Sandbox(modules={"spin.cjs": source, "r.cjs": requirer}, limits=Limits(cpu_seconds=0.05)) as box:
        read = box.import_module("r.cjs")["read"]
        with pytest.raises(CpuLimitExceeded):
            read()
        box.eval("globalThis.go = true")
        assert read() == 2


# --- hostile programs ---


def _chain(form: str, length: int) -> dict[str, str]:
    return {f"m{i}": form % (i + 1) for i in range(length)} | {f"m{length}": "export let x = 1"}


@pytest.mark.parametrize("form", ["import './m%d'", "export {x} from './m%d'", "export * from './m%d'"])
def test_long_chains(form: str) -> None:
    with Sandbox(modules=_chain(form, 700)) as box:
        box.import_module("m0")


@pytest.mark.parametrize("form", ["import './m%d'", "export * from './m%d'"])
def test_chains_that_are_too_long(form: str) -> None:
    with Sandbox(modules=_chain(form, 32_000), limits=Limits(cpu_seconds=None, wall_seconds=60)) as box:
        with pytest.raises(JSError, match="RangeError: Maximum call stack size exceeded"):
            box.import_module("m0")
        assert box.import_module("m31999") is not None


HOSTILE: dict[str, Any] = {
    "a chain of 5,000 imports": (_chain("import './m%d'", 5000), "import './m0'"),
    "a chain of 5,000 exports": (_chain("export {x} from './m%d'", 5000), "import './m0'"),
    "a chain of 5,000 stars": (_chain("export * from './m%d'", 5000), "export * from './m0'"),
    "a thousand cycles": (
        {f"m{i}": f"import './m{(i + 1) % 1000}'; import './m{i * 7 % 1000}'" for i in range(1000)},
        "import './m3'",
    ),
    "a cycle of exports": (
        {f"m{i}": f"import {{x}} from './m{(i + 1) % 900}'; export {{x}}" for i in range(900)},
        "import './m3'",
    ),
    "ten thousand imports": (
        lambda specifier, importer: "",
        "".join(f"import './m{i}';" for i in range(10_000)),
    ),
    "many exports": ({}, f"let a; export {{{','.join(f'a as a{i}' for i in range(60_000))}}}"),
    "a chain without end": (lambda specifier, importer: f"import '.{importer.path}x'", "import './x'"),
    "CommonJS without end": (
        lambda specifier, importer: ModuleSource(f"require('{specifier}x')", kind="commonjs"),
        "import './x'",
    ),
    "a null character": ({}, "import '\\0'"),
    "a lone surrogate": ({}, "import '\\ud800'"),
    "a surrogate for a loader": (lambda specifier, importer: "", "import './\\ud800'; throw new Error()"),
    "a megabyte": ({}, f"import '{'x' * 1_000_000}'"),
    "dots": ({}, f"import '{'../' * 100_000}x'"),
    "a name of the bindings": ({}, "import 'sandbox:native'"),
    "no name": ({}, "import ''"),
    "a large source": (lambda specifier, importer: "//" + "x" * (40 << 20), "import './x'"),
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_programs_end_and_leave_the_sandbox_alive(what: str) -> None:
    modules, code = HOSTILE[what]
    with Sandbox(modules=modules, limits=Limits(cpu_seconds=1)) as box:
        try:
            box.module(code)
        except (JSError, ConversionError, LimitExceeded) as error:
            assert len(str(error)) < 5000
        assert box.eval("1") == 1
        assert box.module("export default 2") == {"default": 2}


@pytest.mark.parametrize(
    "code",
    [
        "for (let i = 0; ; i++) await import('./ok' + i)",
        "for (let i = 0; ; i++) try { await import('./bad' + i) } catch {}",
        "const all = []; for (let i = 0; ; i++) all.push(import('none' + i).catch(() => {}))",
    ],
)
def test_imports_without_end(code: str) -> None:
    def loader(specifier: str, importer: Importer) -> str | None:
        return "" if "ok" in specifier else "let x = ;" if "bad" in specifier else None

    with Sandbox(modules=loader, limits=Limits(cpu_seconds=0.3, memory_bytes=16 << 20)) as box:
        with pytest.raises((CpuLimitExceeded, MemoryLimitExceeded)):
            box.eval(code)
        assert box.eval("1") == 1


def test_importing_is_deterministic() -> None:
    def fuel() -> int:
        with Sandbox(modules=SOURCES, seed=1) as box:
            box.module("import 'star'; import './cycle/a'; export default await import('throws').catch(() => 1)")
            return box.usage.fuel

    assert fuel() == fuel()


def test_nothing_is_left_of_entries() -> None:
    entries = ("export default () => 1", "import 'star'; export let x", "throw 1", "import 'none'", "(", "await 1")

    def use(times: int) -> int:
        for code in entries * times:
            with contextlib.suppress(JSError):
                box.module(code)
        gc.collect()
        box.module("1")
        return box.usage.heap_bytes

    with Sandbox(modules=SOURCES) as box:
        use(30)
        before = use(10)
        assert use(100) <= before + 4000


def test_a_turn_is_enough_when_all_sources_are_there() -> None:
    with Sandbox(modules=SOURCES) as box:
        box.module("import 'star'; import './cycle/a'")
        assert box.usage.turns == 1


@pytest.mark.parametrize("depth", [1, 3])
def test_any_number_of_sources_may_come_later(depth: int) -> None:
    async def load(specifier: str, _importer: Importer) -> str:
        await anyio.lowlevel.checkpoint()
        level, _, number = specifier.partition("/")
        return f"export {{default}} from '{int(level) + 1}/{number}'" if int(level) < depth else "export default 1"

    with Sandbox(modules=load) as box:
        code = "".join(f"import n{i} from '1/{i}'; " for i in range(200)) + "export const last = n199"
        assert box.module(code) == {"last": 1}
