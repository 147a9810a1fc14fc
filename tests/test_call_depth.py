"""How deep calls of every form go by default, with either meter. `docs/limits.md` gives these figures."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.bare_guest import Bare

if TYPE_CHECKING:
    from sandbox.limits import Metering

# Each counts its calls in `n`, and calls without end.
PLAIN = {
    "a function": "function f() { n++; f() } f()",
    "one argument": "function f(a) { n++; return f(a + 1) + 1 } f(0)",
    "two arguments": "function f(a, b) { n++; return f(a + 1, b) + 1 } f(0, 1)",
    "three arguments": "function f(a, b, c) { n++; return f(a + 1, b, c) + 1 } f(0, 1, 2)",
    "four arguments": "function f(a, b, c, d) { n++; return f(a + 1, b, c, d) + 1 } f(0, 1, 2, 3)",
    "five arguments": "function f(a, b, c, d, e) { n++; return f(a + 1, b, c, d, e) + 1 } f(0, 1, 2, 3, 4)",
    "arguments that are left out": "function f(a, b, c, d, e) { n++; return f() + 1 } f()",
    "five arguments and five locals": """
        function f(a, b, c, d, e) {
            n++;
            const v = a + b, w = b + c, x = c + d, y = d + e, z = v + w;
            return f(v, w, x, y, z) + v + w + x + y + z;
        }
        f(0, 1, 2, 3, 4)
    """,
    "a tail call": "function f(a) { n++; return f(a + 1) } f(0)",
    "mutual": "function f(a) { n++; return g(a) + 1 } function g(a) { n++; return f(a) + 1 } f(0)",
    "two calls": "function f(a) { n++; return a < 0 ? a : f(a + 1) + f(a + 2) } f(0)",
    "a call in an argument": "function f(a, b) { n++; return f(a, f(a, b + 1)) } f(0, 1)",
    "a function expression": "const f = function (a) { n++; return f(a + 1) + 1 }; f(0)",
    "a named function expression": "(function f(a, b) { n++; return f(a + 1, b) + 1 })(0, 1)",
    "an arrow function": "const f = (a, b, c) => { n++; return f(a, b, c) + 1 }; f(0, 1, 2)",
    "a method": "({ m(a) { n++; return this.m(a + 1) + 1 } }).m(0)",
    "a method of five": "({ m(a, b, c, d, e) { n++; return this.m(a, b, c, d, e) + 1 } }).m(0, 1, 2, 3, 4)",
    "an optional call": "({ m(a) { n++; return this?.m?.(a + 1) + 1 } }).m(0)",
    "a method of a class": "class A { m(a) { n++; return this.m(a + 1) + 1 } } new A().m(0)",
    "a static method": "class A { static m(a) { n++; return A.m(a + 1) + 1 } } A.m(0)",
    "a private method": "class A { #m(a) { n++; return this.#m(a + 1) + 1 } go() { this.#m(0) } } new A().go()",
    "super": "class A { m(a) { n++; return this.m(a) } } class B extends A { m(a) { n++; super.m(a) } } new B().m(0)",
    "a getter": "({ get x() { n++; return this.x + 1 } }).x",
    "a closure": "const make = (k) => function f(a) { n++; const g = () => a + k; return f(a + 1) + g() }; make(1)(0)",
    "default parameters": "function f(a = 1, b = 2) { n++; return f(a, b) + 1 } f()",
    "a default parameter that calls": "const f = (a = (n++, f())) => a; f()",
    "rest parameters": "function f(...a) { n++; return f(1, 2) + 1 } f(1, 2)",
    "arguments": "function f(a) { n++; return f(arguments.length) + 1 } f(0)",
    "destructuring": "function f({ a, b }) { n++; return f({ a, b }) + 1 } f({ a: 1, b: 2 })",
    "try and finally": "function f(a) { n++; try { return f(a + 1) + 1 } finally { a } } f(0)",
    "try and catch": "function f(a) { n++; try { return f(a + 1) + 1 } catch (error) { throw error } } f(0)",
    "a loop": """
        const tree = {}; tree.all = [tree];
        function f(node, depth, path) {
            n++;
            for (let i = 0; i < node.all.length; i++) { const each = node.all[i]; f(each, depth + 1, path) }
        }
        f(tree, 0, '')
    """,
    "for of": "const all = []; all.push(all); function f(a, b) { n++; for (const each of a) f(each, b + 1) } f(all, 0)",
    "for in": "function f(a) { n++; for (const key in { x: 1 }) f(a + 1) } f(0)",
    "switch": "function f(a) { n++; switch (a & 1) { case 0: return f(a + 1) + 1; default: return f(a + 1) } } f(0)",
    "a tagged template": "const f = (s, a) => { n++; return f`x${a}` + 1 }; f`x${0}`",
    "spread": "function f(a, b) { n++; return f(...[a, b]) + 1 } f(0, 1)",
    "spread rest": "function f(...a) { n++; return f(...a) + 1 } f(0, 1)",
    "new": "function F(a) { n++; this.x = new F(a + 1) } new F(0)",
    "new of a class": "class A { constructor(a) { n++; this.x = new A(a + 1) } } new A(0)",
    "new of a derived class": "class A extends Object { constructor(a) { n++; super(); this.x = new A(a) } } new A(0)",
    "an async function": "async function f(a) { n++; await f(a + 1) } f(0).catch(() => {})",
    "an async arrow function": "const f = async (a) => { n++; await f(a + 1) }; f(0).catch(() => {})",
    "an async method": "({ async m(a) { n++; await this.m(a + 1) } }).m(0).catch(() => {})",
    "yield*": "function* f(a) { n++; yield* f(a + 1) } f(0).next()",
    "call": "function f(a) { n++; return f.call(null, a + 1) + 1 } f(0)",
}

# One more function of the engine's is on the stack for each of these, or two of the program's.
BUILT_IN = {
    "apply": ("function f(a) { n++; return f.apply(null, [a + 1]) + 1 } f(0)", 4500),
    "Reflect.apply": ("function f(a) { n++; return Reflect.apply(f, null, [a + 1]) + 1 } f(0)", 4500),
    "a bound function": ("function g(a) { n++; return f(a + 1) + 1 } const f = g.bind(null); f(0)", 4500),
    "a bound argument": ("function g(a, b) { n++; return f(b + 1) + 1 } const f = g.bind(null, 1); f(0)", 4500),
    "next": ("function* f(a) { n++; yield f(a + 1).next().value } f(0).next()", 4500),
    "map": ("function f() { n++; return [1].map(f) } f()", 4500),
    "reduce": ("function f() { n++; return [1, 2].reduce(f) } f()", 4000),
    "valueOf": ("const o = { valueOf() { n++; return +this } }; +o", 4000),
    "replace": ("function f() { n++; return 'a'.replace('a', f) } f()", 4000),
    "a setter": ("({ set x(v) { n++; this.x = v } }).x = 1", 3000),
    "a function within": ("function f(a) { n++; const g = () => f(a + 1); return g() + 1 } f(0)", 3000),
    "eval": ("globalThis.s = 'n++; eval(s)'; eval(s)", 3000),
    "forEach": ("const t = [1]; function f(a) { n++; t.forEach((each) => f(a + each)) } f(0)", 2500),
    "a template": ("const o = { toString() { n++; return `${this}` } }; `${o}`", 1500),
    "sort": ("function f() { n++; return [1, 2].sort(f) } f()", 1500),
}


def depth_of(code: str, metering: Metering) -> int:
    counted = f"var n = 0; try {{ {code} }} catch (error) {{ if (!(error instanceof RangeError)) throw error }} n"
    with Bare(metering=metering) as bare:
        depth: int = bare.value(counted)
        return depth


@pytest.mark.parametrize("code", PLAIN.values(), ids=PLAIN)
def test_plain_calls_go_five_thousand_deep(metering: Metering, code: str) -> None:
    assert depth_of(code, metering) >= 5000


@pytest.mark.parametrize(("code", "depth"), BUILT_IN.values(), ids=BUILT_IN)
def test_calls_through_built_in_functions_go_some_thousands_deep(metering: Metering, code: str, depth: int) -> None:
    assert depth_of(code, metering) >= depth


def test_a_call_takes_what_its_arguments_and_locals_take() -> None:
    few, many = (
        depth_of(f"function f(a) {{ n++; {locals_} return f(a + 1) + 1 }} f(0)", "fuel")
        for locals_ in ("", f"let {', '.join(f'x{i} = {i}' for i in range(100))};")
    )
    assert 1000 < many < few / 2
