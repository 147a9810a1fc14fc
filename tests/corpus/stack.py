"""Rows 1 to 5: recursion of every kind ends in an error that the program can catch."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.case import STACK_ERRORS, Case, Row, cases, caught

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(1, "calls without end, 1,000 times over", beside="tests/test_recursion.py"),
    Row(2, "source nested 200,000 deep, and other source that is none", beside="tests/test_recursion.py"),
    Row(3, "JSON nested 200,000 deep, both ways", beside="tests/test_recursion.py"),
    Row(4, "chains of proxies, bound functions, getters, conversions", beside="tests/test_recursion.py"),
    Row(5, "host and guest calling each other 10,000 deep", beside="tests/test_functions.py"),
]

_OVERFLOWS = 1000
_PLAIN_CALLS = 5000


def _overflow_again_and_again(stage: Stage) -> object:
    code = caught("(function f() { return f() + 1 })()")
    names = {stage.session.eval(code) for _ in range(_OVERFLOWS)}
    return names <= set(STACK_ERRORS)


def _as_deep_as_before(stage: Stage) -> object:
    count = "(() => { let n = 0; try { (function f() { n++; f() })() } catch {} return n })()"
    depths = [stage.session.eval(count) for _ in range(50)]
    return isinstance(depths[0], int) and all(isinstance(n, int) and n >= 0.5 * depths[0] for n in depths)


def _again(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    return {"again": lambda: stage.session.eval("again()")}


def _again_caught(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    return {"again": lambda: stage.session.eval("try { again() } catch (error) { error.name }")}


_NAMES = STACK_ERRORS
_ENDED = (*STACK_ERRORS, "no error")  # of what is deep and has an end, which an engine may reach
_DEEP = "let v = []; for (let i = 0; i < 2e5; i++) v = [v];"

CASES = [
    Case(
        1,
        "caught each time",
        ends=frozenset({"value"}),
        values=(True,),
        driver=_overflow_again_and_again,
        seconds=1,
        timed=False,
    ),
    Case(
        1,
        "as deep as before",
        ends=frozenset({"value"}),
        values=(True,),
        driver=_as_deep_as_before,
        seconds=1,
        timed=False,
    ),
    Case(
        1,
        "5,000 plain calls",
        f"function f(n) {{ return n ? 1 + f(n - 1) : 0 }} f({_PLAIN_CALLS})",
        frozenset({"value"}),
        values=(_PLAIN_CALLS,),
        ours=True,
    ),
    *cases(
        1,
        "js",
        {
            "a function": "(function f() { f() })()",
            "an arrow function": "const f = () => f() + 1; f()",
            "a constructor": "class A { constructor() { new A() } }; new A()",
            "a sort callback": "const f = () => [2, 1].sort(f); f()",
            "a replace callback": "const f = () => 'a'.replace('a', f); f()",
            "a generator": "function* g() { yield* g() }; [...g()]",
            "eval": "globalThis.s = 'eval(s)'; eval(s)",
            "flat": "const a = []; a.push(a); a.flat(Infinity)",
            "instanceof": "class A { static [Symbol.hasInstance](x) { return x instanceof A } }; 1 instanceof A",
        },
    ),
    *cases(
        2,
        "value",
        {
            "parentheses": caught("eval('('.repeat(2e5))"),
            "brackets": caught("eval('['.repeat(2e5))"),
            "braces": caught("eval('{'.repeat(2e5))"),
            "templates": caught("eval('`${'.repeat(2e5))"),
            "arrows": caught("eval('x=>'.repeat(2e5))"),
            "signs": caught("eval('-'.repeat(2e5))"),
            "conditions": caught("eval('a?'.repeat(2e5))"),
            "a regexp of groups": caught("new RegExp('('.repeat(1e6))"),
        },
        values=_NAMES,
        seconds=1,
    ),
    *cases(
        2,
        "js",
        {
            "the whole program": "(" * 200_000,
            "a program of blocks": "{" * 200_000,
            "an unfinished program": "1 +",
            "a NUL": "1\0+",
            "a lone surrogate": "\ud800",
            "a bad eval": "eval('1 +')",
            "a name twice": "let a; let a",
        },
        seconds=1,
    ),
    *cases(
        3,
        "value",
        {
            "parse": caught("JSON.parse('['.repeat(3e5))"),
            "parse objects": caught("JSON.parse('{\"a\":'.repeat(3e5))"),
            "a reviver": caught("const f = () => JSON.parse('[1]', f); f()"),
            "toJSON": caught("const o = {toJSON() { return JSON.stringify(this) }}; JSON.stringify(o)"),
            "stringify": caught(f"{_DEEP} JSON.stringify(v)"),
            "stringify objects": caught("let v = {}; for (let i = 0; i < 2e5; i++) v = {v}; JSON.stringify(v)"),
        },
        values=_ENDED,
        seconds=1,
        memory_bytes=64 << 20,
    ),
    *cases(
        3,
        "value conversion js cpu",
        {
            "structuredClone": "typeof structuredClone == 'undefined' ? 'not offered' : "
            f"(() => {{ {_DEEP} structuredClone(v); return 0 }})()",
        },
        memory_bytes=64 << 20,
    ),
    *cases(
        4,
        "value",
        {
            "proxies": caught("let p = {}; for (let i = 0; i < 1e5; i++) p = new Proxy(p, {}); p.x"),
            "proxy traps": caught("const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x"),
            "bound functions": caught(
                "let f = () => 1; for (let i = 0; i < 1e5; i++) { f = f.bind(); delete f.name } f()"
            ),
            "closures": caught("let f = () => 1; for (let i = 0; i < 5e4; i++) { const g = f; f = () => g() } f()"),
            "getters": caught("const o = {get a() { return this.a }}; o.a"),
            "toString": caught("const o = {toString() { return '' + this }}; '' + o"),
            "toPrimitive": caught("const o = {[Symbol.toPrimitive]() { return +this }}; +o"),
            "arrays as text": caught(f"{_DEEP} String(v)"),
            "structuredClone": "typeof structuredClone == 'undefined' ? 'not offered' : "
            + caught("const o = {get x() { return structuredClone(this) }}; structuredClone(o)"),
        },
        values=_ENDED,
        seconds=1,
        memory_bytes=64 << 20,
    ),
    Case(5, "not caught", "again()", frozenset({"js", "busy", "stack", "limit"}), functions=_again, seconds=2),
    Case(
        5,
        "caught by the guest",
        "try { again() } catch (error) { error.name }; 'survived'",
        frozenset({"value", "js", "busy", "stack", "limit"}),
        functions=_again_caught,
        seconds=2,
    ),
]
