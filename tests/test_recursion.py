"""Recursion of every kind ends in an error that the guest can catch, and never in a trap."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox._guest import State
from sandbox.errors import ConversionError, JSError
from tests.bare_guest import Bare

if TYPE_CHECKING:
    from sandbox.limits import Metering

ERRORS = {"RangeError", "InternalError", "SyntaxError"}
DEEP = 200_000

# Each throws; `N` is a depth that no stack of ours has.
SHAPES = {
    "calls": "(function f() { return f() + 1 })()",
    "calls with arguments": "(function f(...a) { return f(...a.slice(-9), 1) + 1 })()",
    "methods": "({m() { return this.m() + 1 }}).m()",
    "arrows": "const f = () => f() + 1; f()",
    "mutual": "function a() { return b() + 1 } function b() { return a() + 1 } a()",
    "constructors": "class A { constructor() { new A() } } new A()",
    "apply": "(function f() { return f.apply(this, [1]) + 1 })()",
    "Reflect": "(function f() { return Reflect.apply(f, null, []) + 1 })()",
    "bound functions": "let f = () => 1; for (let i = 0; i < N; i++) { f = f.bind(); delete f.name } f()",
    "getters": "const o = {get x() { return this.x + 1 }}; o.x",
    "setters": "const o = {set x(v) { this.x = v }}; o.x = 1",
    "proxies": "let p = {}; for (let i = 0; i < N; i++) p = new Proxy(p, {}); p.x",
    "proxy traps": "const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x",
    "proxied calls": "let p = () => 1; for (let i = 0; i < N; i++) p = new Proxy(p, {}); p()",
    "toString": "const o = {toString() { return `${this}` }}; `${o}`",
    "valueOf": "const o = {valueOf() { return +this }}; +o",
    "toPrimitive": "const o = {[Symbol.toPrimitive]() { return +this }}; +o",
    "nested arrays as text": "let a = []; for (let i = 0; i < N; i++) a = [a]; String(a)",
    "join": "let a = []; for (let i = 0; i < N; i++) a = [a]; a.join()",
    "flat": "let a = []; for (let i = 0; i < N; i++) a = [a]; a.flat(Infinity)",
    "sort": "const f = () => [2, 1].sort(f); f()",
    "map": "const f = () => [1].map(f); f()",
    "forEach": "const f = () => new Map([[1, 1]]).forEach(f); f()",
    "replace": "const f = () => 'a'.replace('a', f); f()",
    "regexp replace": "const f = () => 'a'.replace(/a/, f); f()",
    "JSON.parse": "JSON.parse('['.repeat(N))",
    "JSON.parse of objects": "JSON.parse('{\"a\":'.repeat(N))",
    "a reviver": "const f = () => JSON.parse('[1]', f); f()",
    "toJSON": "const o = {toJSON() { return JSON.stringify(this) }}; JSON.stringify(o)",
    "structuredClone": "const o = {get x() { return structuredClone(this) }}; structuredClone(o)",
    "generators": "function* g() { yield* g() } [...g()]",
    **{
        f"a chain of {name}": f"let a = [1].values(); for (let i = 0; i < N / 4; i++) a = a.{name}({given}); a.next()"
        for name, given in {"map": "x => x", "filter": "() => 1", "take": "9", "drop": "0"}.items()
    },
    "a chain of flatMap": "let a = [1].values(); "
    "for (let i = 0; i < N / 4; i++) { const b = a; a = [1].values().flatMap(() => b) } a.next()",
    "a chain of concat": "let a = [1].values(); for (let i = 0; i < N / 4; i++) a = Iterator.concat(a); a.next()",
    "a chain of from": "let a = [1].values(); "
    "for (let i = 0; i < N / 4; i++) { const b = a; a = Iterator.from({next: () => b.next()}) } a.next()",
    "iterators": "const o = {[Symbol.iterator]() { return [...this] }}; [...o]",
    "spread": "const o = {get x() { return {...this} }}; ({...o})",
    "eval": "globalThis.s = 'eval(s)'; eval(s)",
    "Function": "globalThis.s = 'return Function(s)()'; Function(s)()",
    "instanceof": "class A { static [Symbol.hasInstance](x) { return x instanceof A } } 1 instanceof A",
    "thrown in catch": "(function f() { try { null.x } catch { f() } })()",
    "finally": "(function f() { try { return f() + 1 } finally { null } })()",
    "stack traces": "Error.prepareStackTrace = () => new Error('x').stack; (function f() { f() })()",
    "a tagged template": "const f = () => f`x`; f()",
    "default arguments": "const f = (a = f()) => a; f()",
    "destructuring": "const o = {get x() { const {x} = this; return x }}; o.x",
    "async functions": "(async function f() { await f() })(); (function f() { f() })()",
    "a regexp": "new RegExp('(?:'.repeat(N))",
    "a regexp's groups": "new RegExp('('.repeat(N))",
    "an alternation": "new RegExp('(a|'.repeat(N))",
    # The parser.
    "parentheses": "eval('('.repeat(N))",
    "brackets": "eval('['.repeat(N))",
    "braces": "eval('{'.repeat(N))",
    "objects": "eval('({a:'.repeat(N))",
    "templates": "eval('`${'.repeat(N))",
    "arrow functions": "eval('x=>'.repeat(N))",
    "signs": "eval('-'.repeat(N))",
    "negations": "eval('!'.repeat(N))",
    "conditions": "eval('a?'.repeat(N))",
    "assignments": "eval('a='.repeat(N))",
    "powers": "eval('2**'.repeat(N))",
    "functions": "eval('function f(){'.repeat(N))",
    "classes": "eval('class A extends '.repeat(N))",
    "new": "eval('new '.repeat(N))",
    "patterns": "eval('let ' + '['.repeat(N))",
    "statements": "eval('if(1)'.repeat(N))",
    "blocks of try": "eval('try{'.repeat(N))",
    "awaits": "eval('async()=>' + 'await '.repeat(N))",
    "optional chains": "eval('a' + '?.[a'.repeat(N))",
}


def code_of(body: str, depth: int = DEEP) -> str:
    return f"const N = {depth}; {body}"


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_it_ends_in_an_error(metering: Metering, body: str) -> None:
    with Bare(metering=metering) as bare:
        error = bare.error(f"{{ {code_of(body)} }}")

        assert isinstance(error, JSError), error
        assert error.name in ERRORS, error
        assert bare.guest.state is State.READY
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("body", SHAPES.values(), ids=SHAPES)
def test_the_guest_can_catch_it(body: str) -> None:
    code = f"(() => {{ try {{ {code_of(body)} }} catch (error) {{ return error.name }} return 'nothing' }})()"
    with Bare() as bare:
        assert bare.value(code) in ERRORS
        assert bare.value(code) in ERRORS


# Recursion inside the conversion of a result or an argument, whose own depth is bounded.
@pytest.mark.parametrize(
    "code",
    [
        "let a = []; for (let i = 0; i < 1e5; i++) a = [a]; a",
        "let o = {}; for (let i = 0; i < 1e5; i++) o = {o}; o",
        "let m = new Map(); for (let i = 0; i < 1e5; i++) m = new Map([[1, m]]); m",
        "let e = new Error(); for (let i = 0; i < 1e5; i++) e = new Error('x', {cause: e}); e",
        "let e = new Error(); for (let i = 0; i < 1e5; i++) e = new Error('x', {cause: e}); throw e",
        "const o = {get x() { return Object.create({}, Object.getOwnPropertyDescriptors(o)) }}; o",
        "const p = () => new Proxy([], {get: (t, k) => k === 'length' ? 1 : p()}); p()",
    ],
)
def test_values_without_end(code: str) -> None:
    with Bare() as bare:
        error = bare.error(code)
        assert bare.guest.state is State.READY, error
        assert isinstance(error, JSError | ConversionError), error
        assert bare.value("1 + 1") == 2


@pytest.mark.parametrize("nesting", [1, 490])
def test_values_are_converted_at_any_depth_of_the_stack(nesting: int) -> None:
    """Encoding and decoding need room of their own where the guest's stack has just ended."""
    code = f"""
        const value = JSON.parse('['.repeat({nesting}) + ']'.repeat({nesting}));
        let calls = 0;
        function f() {{
            try {{ f() }} catch (error) {{
                try {{ g(value) }} catch {{}}
                if (++calls < 50) throw error;
            }}
        }}
        f();
        calls
    """
    with Bare() as bare:
        bare.define("g", lambda value: value)
        assert bare.value(code) == 50
        assert bare.value("1 + 1") == 2


def test_a_thousand_overflows_leave_the_guest_as_it_was() -> None:
    count = "(() => { let depth = 0; try { (function f() { depth++; f() })() } catch {} return depth })()"
    with Bare() as bare:
        first = bare.value(count)
        held = bare.heap_bytes()
        for _ in range(1000):
            assert isinstance(bare.error("(function f() { return f() + 1 })()"), JSError)

        assert bare.value(count) == first
        assert bare.heap_bytes() < held + 4096
        assert first >= 5000


def test_a_smaller_stack_is_a_smaller_depth() -> None:
    count = "(() => { let depth = 0; try { (function f() { depth++; f() })() } catch {} return depth })()"
    depths = []
    for stack_bytes in (64 << 10, 256 << 10, None, 1 << 30):
        with Bare(stack_bytes=stack_bytes) as bare:
            depths.append(bare.value(count))
            assert bare.value("try { JSON.parse('['.repeat(3e5)) } catch (error) { error.name }") in ERRORS

    assert depths[0] < depths[1] < depths[2] == depths[3]


def test_json_is_written_without_recursion() -> None:
    with Bare() as bare:
        assert bare.value("let a = []; for (let i = 0; i < 5000; i++) a = [a]; JSON.stringify(a).length") == 10_002


def test_a_long_list_is_freed_without_recursion() -> None:
    with Bare(memory_bytes=512 << 20) as bare:
        assert bare.value("let list = null; for (let i = 0; i < 1e6; i++) list = {list}; list = null; 7") == 7
        assert bare.value("1 + 1") == 2
