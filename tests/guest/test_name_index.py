"""Names: found in time that does not grow with how many there are, and the right one of those that are alike.

A function of a few names is searched, one of many has a table; so each program stands among many others here.
"""

from __future__ import annotations

import contextlib
import re

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import JSError, MemoryLimitExceeded

MANY = 40
LISTS = {
    "VARS": "".join(f"var v{i} = {i};" for i in range(MANY)),
    "LETS": "".join(f"let l{i} = {i};" for i in range(MANY)),
    "FIELDS": "".join(f"#p{i} = {i};" for i in range(MANY)),
    "NAMES": ",".join(f"l{i}" for i in range(MANY)),
}


def filled(code: str) -> str:
    for word, names in LISTS.items():
        code = code.replace(word, names)
    return code


VALUES: dict[str, tuple[str, object]] = {
    "of the function": ("(() => { VARS LETS return v7 + l9 })()", 16),
    "of the function, from one within": ("(() => { VARS LETS return (() => () => v7 + l9)()() })()", 16),
    "of a block": ("(() => { LETS { let l3 = 'in'; return l3 } })()", "in"),
    "after a block": ("(() => { LETS { let l3 = 'in' } return l3 })()", 3),
    "of blocks side by side": ("(() => { LETS let s = 0; { let x = 1; s += x } { let x = 2; s += x } return s })()", 3),
    "of a block around, later": ("(() => { LETS { var read = () => late } let late = 5; return read() })()", 5),
    "of a loop": ("(() => { LETS var f = []; for (let i = 0; i < 2; i++) f.push(() => i); return f[0]() })()", 0),
    "of a catch": ("(() => { LETS let e = 1; try { throw 2 } catch (e) { var got = e } return [e, got] })()", [1, 2]),
    "a var in a block": ("(() => { LETS { { var deep = 4 } } return deep })()", 4),
    "a function in a block": ("(() => { LETS { function g() { return 6 } } return g() })()", 6),
    "a function twice": ("(() => { LETS { function g() { return 1 } function g() { return 2 } return g() } })()", 2),
    "a parameter": ("((p) => { VARS LETS return p })(8)", 8),
    "a parameter that is a var too": ("(function (p) { VARS var p; return p })(8)", 8),
    "a parameter's default": ("((a, b = () => a) => { VARS LETS return b() })(3)", 3),
    "a var behind a parameter's default": ("((a = 1, b = () => a) => { VARS var a = 2; return [a, b()] })()", [2, 1]),
    "arguments": ("(function () { VARS LETS return arguments.length })(1, 2)", 2),
    "arguments of the one around": ("(function () { VARS return (() => arguments[1])() })(1, 2)", 2),
    "the function's own": ("(function self(n) { VARS return n ? self(n - 1) : typeof self })(2)", "function"),
    "this": ("(function () { VARS LETS return (() => typeof this)() }).call(1)", "object"),
    "of a class, within": ("(() => { LETS class C { me() { return C } } return new C().me() === C })()", True),
    "in a with": ("(function (o) { VARS with (o) { return [v3, v4] } })({ v3: 'o' })", ["o", 4]),
    "in a closure in a with": ("(function (o) { LETS with (o) { return (() => [l3, l4])() } })({ l3: 'o' })", ["o", 4]),
    "a let in a with": ("(function (o) { LETS with (o) { let l3 = 'in'; return l3 } })({ l3: 'o' })", "in"),
    "set in a with": ("(function (o) { VARS with (o) { v3 = v4 = 9 } return [o.v3, v3, v4] })({ v3: 0 })", [9, 3, 9]),
    "in an eval": ("(function () { VARS LETS return eval('v7 + l9') })()", 16),
    "of an eval": ("(function () { VARS LETS eval('var fresh = 2'); return fresh })()", 2),
    "of an eval, over one outside": (
        "(function () { var v3 = 'far'; return (function () { LETS eval('var v3 = 1'); return v3 })() })()",
        1,
    ),
    "in an eval in an eval": ("(function () { LETS return eval('let z = 1; eval(\"l9 + z\")') })()", 10),
    "of an eval of many": ("(function () { eval('VARS'); return (() => v7)() })()", 7),
    "in an eval in a with": ("(function (o) { VARS with (o) { return eval('[v3, v4]') } })({ v3: 'o' })", ["o", 4]),
    "private": ("(() => { class C { FIELDS sum() { return this.#p7 + this.#p9 } } return new C().sum() })()", 16),
    "private, a pair": (
        "(() => { class C { FIELDS get #x() { return 1 } set #x(v) { this.#p0 = v }"
        " go() { this.#x = 5; return [this.#x, this.#p0] } } return new C().go() })()",
        [1, 5],
    ),
    "private of the class around": (
        "(() => { class A { #x = 1; static B = class { FIELDS get(a) { return a.#x } } };"
        " return new A.B().get(new A()) })()",
        1,
    ),
    "global": ("VARS LETS v7 + l9", 16),
}  # fmt: skip

ERRORS: dict[str, tuple[str, str]] = {
    "a let twice": ("(() => { LETS let l3 })", "redefinition"),
    "a let and a var": ("(() => { LETS var l3 })", "redefinition"),
    "a var and a let": ("(() => { VARS let v3 })", "redefinition"),
    "a var in a block over a let": ("(() => { LETS { var l3 } })", "redefinition"),
    "a var of a block, then a let": ("(() => { LETS { var x } let x })", "redefinition"),
    "a let over a parameter": ("((p) => { LETS let p })", "redefinition"),
    "a let over a catch": ("(() => { LETS try {} catch (e) { let e } })", "redefinition"),
    "a constant": ("(() => { LETS const c = 1; (() => { c = 2 })() })()", "read-only"),
    "a let of the program twice": ("LETS let l3", "redefinition"),
    "no such name": ("(() => { VARS LETS return nowhere })()", "nowhere is not defined"),
    "no such name any more": ("(() => { LETS { let gone = 1 } return gone })()", "gone is not defined"),
    "too early": ("(() => { LETS early; let early })()", "initial"),
    "private twice": ("class C { FIELDS #p3 }", "private class field is already defined"),
    "no such private name": ("class C { FIELDS get() { return this.#q } }", "undefined private field"),
}  # fmt: skip

MODULES = {
    "many": "LETS export { NAMES }",
    "again": "export { NAMES } from 'many'",
    "star": "export * from 'many'; export const l3 = 'nearer'",
    "both": "export * from 'many'; export * from 'other'",
    "other": "export const l3 = 'other', own = 1",
}
IMPORTS: dict[str, tuple[str, object]] = {
    "of a module": ("import { NAMES } from 'many'; export default l7 + l9", 16),
    "handed on": ("import { NAMES } from 'again'; export default l7 + l9", 16),
    "of all of a module": ("import * as all from 'many'; export default Object.keys(all).length + all.l9", MANY + 9),
    "nearer than a star": ("import { l3, l4 } from 'star'; export default [l3, l4]", ["nearer", 4]),
    "of two stars": ("import * as all from 'both'; export default ['l3' in all, all.own, all.l4]", [False, 1, 4]),
    "used in a function": ("import { NAMES } from 'many'; export default (() => () => l9)()()", 9),
    "of the module, in an eval": ("LETS export default eval('l7 + l9')", 16),
    "imported, and of a block": (
        "import { l3 } from 'many'; { let l3 = 'in'; var got = l3 } export default [l3, got]",
        [3, "in"],
    ),
    "imported, and of a function": (
        "import { l3 } from 'many'; export default (() => { var l3 = 'in'; return l3 })()",
        "in",
    ),
    "a function before its line": ("LETS export default late(); function late() { return l9 }", 9),
}
BAD_IMPORTS: dict[str, tuple[str, str]] = {
    "exported twice": ("LETS export { NAMES }; export { l3 }", "duplicate exported name 'l3'"),
    "exported as one name": ("LETS export { NAMES, l4 as l3 }", "duplicate exported name 'l3'"),
    "imported twice": ("import { NAMES, l3 } from 'many'", "duplicate import binding"),
    "imported and declared": ("import { NAMES } from 'many'; let l3", "redefinition"),
    "imported and a class": ("import { l3 } from 'many'; class l3 {}", "redefinition"),
    "imported and a function": ("import { l3 } from 'many'; function l3() {}", "redefinition"),
    "imported and a var": ("import { l3 } from 'many'; var l3", "redefinition"),
    "imported and a var of a block": ("import { l3 } from 'many'; { var l3 }", "redefinition"),
    "declared, then imported": ("let l3; import { l3 } from 'many'", "duplicate import binding"),
    "a var, then imported": ("{ var l3 } import { l3 } from 'many'", "duplicate import binding"),
    "no such export": ("import { NAMES, none } from 'many'", "Could not find export 'none'"),
    "of two stars, named": ("import { l3 } from 'both'", "ambiguous"),
    "exported, but nowhere": ("LETS export { NAMES, none }", "exported variable 'none' does not exist"),
}

# What stands in << >> comes once for each name: $i is its number, $j that of another.
GROWING = {
    "vars": "(() => { <<var v$i = $i; v$i;>> })()",
    "lets": "(() => { <<let v$i = () => v$j;>> })()",
    "blocks": "(() => { <<{ const x = $i; x }>> })()",
    "vars of blocks": "(() => { <<{ var v$i } let w$i;>> })()",
    "assignments": "(function () { <<let v$i; v$i = 1;>> })()",
    "classes": "(() => { <<class C$i { m() { return C$j } }>> })()",
    "private names": "class C { <<#v$i;>> m() { <<this.#v$i;>> } }",
    "names around": "(() => { <<let v$i;>> return () => { <<v$i;>> } })()",
    "an eval": "(() => { <<let v$i;>> return eval('v1') })()",
    "globals": "<<let v$i = $i; var w$i = v$i;>>",
    "exports": "let a; export { <<a as a$i,>> }",
    "exported one by one": "<<export let v$i = $i; export function f$i() { return v$i }>>",
    "handed on": "export { <<v$i,>> } from 'source'",
    "imports": "import { <<v$i,>> } from 'source'; <<v$i;>>",
    "stars": "export * from 'source'; export * from 'star'",
}


def grown(code: str, size: int) -> str:
    def repeated(match: re.Match[str]) -> str:
        return "".join(match[1].replace("$i", str(i)).replace("$j", str(i * 7 % size)) for i in range(size))

    return re.sub("<<(.*?)>>", repeated, code)


@pytest.mark.parametrize("what", VALUES)
def test_the_name_that_is_meant_is_found(what: str) -> None:
    code, expected = VALUES[what]
    with Sandbox() as box:
        assert box.eval(filled(code)) == expected


@pytest.mark.parametrize("what", ERRORS)
def test_what_cannot_be_is_an_error(what: str) -> None:
    code, message = ERRORS[what]
    with Sandbox() as box:
        with pytest.raises(JSError, match=message):
            box.eval(filled(code))
        assert box.eval("1") == 1


@pytest.mark.parametrize("what", IMPORTS)
def test_the_names_of_modules(what: str) -> None:
    code, expected = IMPORTS[what]
    with Sandbox(modules={name: filled(text) for name, text in MODULES.items()}) as box:
        assert box.module(filled(code))["default"] == expected


@pytest.mark.parametrize("what", BAD_IMPORTS)
def test_what_modules_cannot_be(what: str) -> None:
    code, message = BAD_IMPORTS[what]
    with Sandbox(modules={name: filled(text) for name, text in MODULES.items()}) as box:
        with pytest.raises(JSError, match=message):
            box.module(filled(code))
        assert box.module("export default 1") == {"default": 1}


@pytest.mark.parametrize("what", GROWING)
def test_four_times_as_many_names_are_four_times_as_much_work(what: str) -> None:
    def fuel(size: int) -> int:
        modules = {"source": grown("<<export let v$i;>>", size), "star": "export * from 'source'"}
        with Sandbox(modules=modules, seed=1) as box:
            before = box.usage.fuel
            box.module(grown(GROWING[what], size))
            return box.usage.fuel - before

    assert fuel(6000) < 4.6 * fuel(1500)


@pytest.mark.parametrize("kilobytes", [20, 50, 100, 150, 200, 300, 400, 600])
def test_names_without_memory(kilobytes: int) -> None:
    code = grown(GROWING["exported one by one"], 400)
    with Sandbox(limits=Limits(memory_bytes=12 << 20)) as box:
        with pytest.raises(MemoryLimitExceeded):
            box.eval("globalThis.held = []; for (;;) held.push(new Uint8Array(1000))")
        box.eval(f"held.length -= {kilobytes}; 0")
        with contextlib.suppress(MemoryLimitExceeded):
            assert len(box.module(code)) == 800
        box.eval("held = null")
        assert len(box.module(code)) == 800
