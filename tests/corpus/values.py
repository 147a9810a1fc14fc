"""Rows 18 to 25: values that are hard to convert, and worlds that were broken to make it harder."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from tests.corpus.case import Case, Row, cases

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from typing import Any

    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(18, "results of billions of elements", beside="tests/test_codec_refusals.py"),
    Row(19, "small results that unfold into huge ones", beside="tests/test_codec_refusals.py"),
    Row(20, "cycles", beside="tests/test_conversions.py"),
    Row(21, "code that runs while a value is converted", beside="tests/test_globals.py"),
    Row(22, "lone surrogates and NUL, everywhere a text can be", beside="tests/test_conversions.py"),
    Row(23, "numbers at the edges", beside="tests/test_conversions.py"),
    Row(24, "a broken world: built-ins replaced, deleted, frozen", beside="tests/guest/test_poisoned_globals.py"),
    Row(25, "keys with a meaning, given by the host", beside="tests/test_conversions.py"),
]


def _block(statements: str) -> str:
    return f"(() => {{ {statements} }})()"


def _shape_of(code: str, check: Callable[[Any], bool]) -> Callable[[Stage], object]:
    def drive(stage: Stage) -> object:
        return check(stage.session.take(code, object))

    return drive


def _number(code: str, wanted: float | int) -> Case:
    """A number that crosses exactly: sign, and whether it is one, included."""

    def check(value: Any) -> bool:
        if isinstance(wanted, float) and math.isnan(wanted):
            return isinstance(value, float) and math.isnan(value)
        same_sign = not isinstance(wanted, float) or math.copysign(1, value) == math.copysign(1, wanted)
        return bool(value == wanted) and same_sign

    def drive(stage: Stage) -> object:
        return check(stage.session.eval(code))

    return Case(23, code, "", frozenset({"value"}), values=(True,), driver=drive)


def _texts(stage: Stage) -> object:
    """A text that the guest gave comes back to it as the same."""
    session = stage.session
    kept = True
    for code in ("'\\ud800'", "'\\udc00x'", "'a\\0b'"):
        session.put("back", session.eval(code))
        kept = kept and session.eval(f"back === {code}") is True
    return kept


def _is_one_list_forty_deep(value: Any) -> bool:
    for _ in range(40):
        if not isinstance(value, list) or len(value) != 2:
            return False
        value = value[0]
    return True


def _give(value: object) -> Callable[[Stage], Mapping[str, Callable[..., Any]]]:
    return lambda stage: {"give": lambda: value}


def _works_as_before(code: str) -> Callable[[Stage], object]:
    """Break the guest's world, then use all that crosses."""

    def drive(stage: Stage) -> object:
        session = stage.session
        session.eval("var given = typeof add == 'function' ? add : (a, b) => a + b; var made; 0")
        stage.caught(lambda: session.eval(f"{code}; 0"))
        values = session.take("[1, {a: given(1, 1)}, 'text']", list)
        session.put("put_here", [1, {"b": 2}])
        back = session.take("put_here", list)
        return values == [1, {"a": 2}, "text"] and back == [1, {"b": 2}] and session.eval("given(20, 22)") == 42

    return drive


def _add(stage: Stage) -> Mapping[str, Callable[..., Any]]:
    return {"add": lambda a, b: a + b}


BROKEN: dict[str, str] = {
    "String and JSON": "globalThis.String = () => 'x'; globalThis.JSON = null; globalThis.BigInt = null",
    "toString and valueOf": "Object.prototype.toString = Object.prototype.valueOf = () => { throw 1 }",
    "iterators and methods": "Array.prototype[Symbol.iterator] = () => { throw 1 }; "
    "Array.prototype.push = Array.prototype.map = null",
    "an accessor of arrays": "Object.defineProperty(Array.prototype, 0, {get() { throw 1 }, set() { throw 1 }})",
    "accessors of objects": "for (const key of ['value', 'a', 'b']) "
    "Object.defineProperty(Object.prototype, key, {get() { throw 1 }, set() { throw 1 }})",
    "then": "Promise.prototype.then = () => { throw 1 }; globalThis.Promise = null",
    "call and apply": "Function.prototype.call = Function.prototype.apply = null",
    "species": "for (const C of [Array, Promise, RegExp, Map]) "
    "Object.defineProperty(C, Symbol.species, {get() { throw 1 }})",
    "stack traces": "Error.prepareStackTrace = () => { throw 1 }; Error.stackTraceLimit = {valueOf() { throw 1 }}",
    "frozen prototypes": "Object.freeze(Object.prototype); Object.freeze(Array.prototype); "
    "Object.freeze(Function.prototype)",
    "every global deleted": "for (const name of Object.getOwnPropertyNames(globalThis)) "
    "if (!['given', 'made', 'kept', 'globalThis'].includes(name)) try { delete globalThis[name] } catch {}",
    "a proxy behind the globals": "globalThis.__proto__ = new Proxy({}, {get() { throw 1 }, has() { throw 1 }})",
}

CASES = [
    *cases(
        18,
        "conversion memory",
        {
            "a sparse array": "new Array(2 ** 32 - 1)",
            "a wide array": "Array(3e6)",
            "a proxy of an array": "new Proxy([], {get: (t, key) => key == 'length' ? 2 ** 32 - 1 : 1})",
            "a proxy without end": "new Proxy([], {get: () => Infinity})",
            "a large string": "'x'.repeat(1e8)",
            "a deep array": _block("let v = []; for (let i = 0; i < 2e5; i++) v = [v]; return v"),
            "a deep object": _block("let v = {}; for (let i = 0; i < 2e5; i++) v = {v}; return v"),
        },
        how="take",
        memory_bytes=128 << 20,
        seconds=1,
    ),
    *cases(
        18,
        "conversion memory cpu",
        {
            "ten million keys": _block("const o = {}; for (let i = 0; i < 1e7; i++) o['k' + i] = i; return o"),
            "two million members": _block("const o = {}; for (let i = 0; i < 2e6; i++) o[i] = i; return o"),
        },
        how="take",
        memory_bytes=128 << 20,
        seconds=1,
    ),
    *cases(18, "value conversion", {"a proxy of a length": "new Proxy({length: 2 ** 53}, {})"}, how="take"),
    Case(
        19,
        "a list of itself twice, 40 times",
        ends=frozenset({"value", "conversion", "limit"}),
        driver=_shape_of(
            _block("let a = []; for (let i = 0; i < 40; i++) a = [a, a]; return a"), _is_one_list_forty_deep
        ),
        values=(True,),
        seconds=1,
    ),
    *cases(
        19,
        "value conversion memory",
        {
            "a megabyte a million times": _block("const s = 'x'.repeat(1e6); return Array(1e6).fill(s)"),
            "a megabyte five thousand times": _block("const s = 'x'.repeat(1e6); return Array(5000).fill(s)"),
            "a list a million times": _block("const s = Array(1000).fill(0); return Array(1e5).fill(s)"),
            "a buffer a million times": _block("const s = new Uint8Array(1e6); return Array(1e5).fill(s)"),
        },
        how="take",
        memory_bytes=64 << 20,
        seconds=1,
    ),
    *cases(
        20,
        "value conversion js",
        {
            "an array": _block("const a = []; a.push(a, {a}); return a"),
            "an object": _block("const o = {}; o.o = o; return o"),
            "a Map": _block("const m = new Map(); m.set(m, m); return m"),
            "a Set": _block("const s = new Set(); s.add(s); return s"),
            "an Error": _block("const e = new Error('x'); e.cause = e; return e"),
            "through a getter": "({get self() { return this }})",
            "a getter that makes more": "({get more() { return {__proto__: this, a: 1} }})",
        },
        how="take",
    ),
    *cases(
        21,
        "cpu",
        {
            "a getter loops": "({get a() { for (;;); }})",
            "a proxy loops": "new Proxy({a: 1}, {ownKeys() { for (;;); }})",
            "a then loops": "({then() { for (;;); }})",
        },
        how="take",
    ),
    *cases(
        21,
        "js conversion",
        {
            "a getter throws": "({get a() { throw new Error('the original') }})",
            "a proxy throws": "new Proxy({}, {ownKeys() { throw new Error('the original') }})",
            "a revoked proxy": _block("const {proxy, revoke} = Proxy.revocable({}, {}); revoke(); return proxy"),
        },
        how="take",
    ),
    *cases(
        21,
        "value conversion",
        {
            "a getter mutates": _block(
                "const a = [{get x() { a.length = 0; a.push(...Array(1000)); return 1 }}, 2]; return a"
            ),
            "a getter grows": _block(
                "const o = {get a() { for (let i = 0; i < 1e4; i++) o['n' + i] = i; return 1 }, b: 2}; return o"
            ),
            "a getter evals": "({get a() { return eval('[1, 2, 3]') }})",
        },
        how="take",
    ),
    *cases(21, "value cpu", {"toJSON": "({toJSON: () => { for (;;); }, a: 1})"}, how="take"),
    *cases(
        21,
        "conversion limit",
        {
            "a symbol": "Symbol()",
            "a WeakMap": "new WeakMap()",
            "an invalid Date": "new Date(NaN)",
        },
        how="take",
    ),
    Case(
        21,
        "a getter calls the host",
        "({get a() { return add(1, 2) }, get b() { return add(3, 4) }})",
        frozenset({"value"}),
        how="take",
        values=({"a": 3, "b": 7},),
        functions=_add,
    ),
    Case(22, "values", ends=frozenset({"value", "conversion", "js"}), values=(True,), driver=_texts),
    *cases(
        22,
        "value js conversion refused",
        {
            "a key": "({'\\ud800': 1, 'a\\0': 2})",
            "a function's name": "[Object.defineProperty(() => 1, 'name', {value: '\\ud800\\0'}).name]",
            "an error's message": _block("throw new Error('\\ud800\\0')"),
            "an error's name": _block("const e = new Error('x'); e.name = '\\udc00\\0'; throw e"),
            "thrown": _block("throw '\\ud800\\0'"),
            "source": "eval('1 + \\ud800')",
            "a URL": "typeof URL == 'undefined' ? 'not offered' : [new URL('http://a/\\ud800\\0').href]",
            "a symbol": "[Symbol('\\ud800').toString()]",
        },
        how="take",
    ),
    *cases(
        22,
        "js refused limit",
        {"a module's name": "import('\\ud800\\0').then(() => 'loaded')"},
        how="settle",
    ),
    *(
        _number(code, wanted)
        for code, wanted in {
            "-0": -0.0,
            "NaN": math.nan,
            "Infinity": math.inf,
            "-Infinity": -math.inf,
            "2 ** 53 - 1": 2**53 - 1,
            "2 ** 53": 2**53,
            "2 ** 53 + 2": 2**53 + 2,
            "2 ** 63": 2**63,
            "1e308 * 10": math.inf,
            "5e-324": 5e-324,
            "2n ** 63n": 2**63,
            "-(2n ** 64n)": -(2**64),
            "10n ** 5000n": 10**5000,
        }.items()
    ),
    *(
        Case(
            24,
            name,
            ends=frozenset({"value"}),
            values=(True,),
            driver=_works_as_before(code),
            wipes=True,
            timed=False,
        )
        for name, code in BROKEN.items()
    ),
    *(
        Case(
            24,
            f"{name}, with host functions",
            ends=frozenset({"value"}),
            values=(True,),
            driver=_works_as_before(code),
            functions=_add,
            wipes=True,
            timed=False,
        )
        for name, code in BROKEN.items()
    ),
    *cases(
        25,
        "value",
        {
            "__proto__": "(() => { const o = give(); return Object.getPrototypeOf(o) === Object.prototype "
            "&& ({}).polluted === undefined && Object.hasOwn(o, '__proto__') })()",
            "constructor": "(() => { const o = give(); return Object.hasOwn(o, 'constructor') && o.constructor "
            "=== 1 })()",
            "an accessor meets a key": "(() => { let ran = 0; Object.defineProperty(Object.prototype, 'secret', "
            "{set() { ran++ }, configurable: true}); const o = give(); delete Object.prototype.secret; "
            "return ran === 0 && o.secret === 's' })()",
        },
        values=(True,),
        functions=_give({"__proto__": {"polluted": 1}, "constructor": 1, "secret": "s", "bytes": b"b"}),
    ),
    Case(
        25,
        "then",
        "(async () => (await give()).then)()",
        frozenset({"value"}),
        how="settle",
        values=(1,),
        functions=_give({"then": 1}),
    ),
]
