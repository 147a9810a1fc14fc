"""Rows 14 to 17: programs that hoard, in the guest and through the guest in the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.corpus.case import Case, Row, cases

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    from benchmarks.hostile.stage import Stage

ROWS = [
    Row(14, "hoards of every kind of object", beside="tests/test_memory.py"),
    Row(15, "the same, given up and begun again for ever"),
    Row(16, "memory so full that no Error object fits", beside="tests/fuzz/test_out_of_memory.py"),
    Row(17, "floods of timers, host calls, fetches and log lines", beside="tests/fetch/test_lifetimes.py"),
]

_SMALL = 32 << 20


def _hoard(item: str) -> str:
    return f"{{ const all = []; for (;;) all.push({item}) }}"


def _wait_for_ever(stage: Stage) -> Mapping[str, Callable[..., Awaitable[None]]]:
    async def wait(*_: object) -> None:
        import asyncio

        await asyncio.Event().wait()

    return {"wait": wait}


_CONSOLE = "if (typeof console == 'undefined') 'not offered'; else "
_TIMERS = "typeof setTimeout == 'undefined' ? 'not offered' : "

CASES = [
    *cases(
        14,
        "memory",
        {
            "ArrayBuffers": _hoard("new ArrayBuffer(1e6)"),
            "resizable buffers": "{ const all = []; for (;;) { "
            "const b = new ArrayBuffer(1, {maxByteLength: 1e6}); b.resize(1e6); all.push(b) } }",
            "typed arrays": _hoard("new Float64Array(1e5)"),
            "strings": _hoard("'x'.repeat(1e5) + all.length"),
            "objects": _hoard("{}"),
            "arrays": _hoard("[1, 2, 3]"),
            "closures": "{ let f = () => 0; for (;;) { const g = f; f = () => g } }",
            "bound functions": "{ let f = () => 0; for (;;) f = f.bind() }",
            "prototypes": "{ let o = {}; for (;;) o = Object.create(o) }",
            "symbols": _hoard("Symbol('s' + all.length)"),
            "atoms": "{ const o = {}; for (let i = 0; ; i++) o['k' + i] = i }",
            "a Map": "{ const m = new Map(); for (let i = 0; ; i++) m.set(i, i) }",
            "WeakRefs": _hoard("new WeakRef({})"),
            "generators": "{ function* g() { yield 1 } const all = []; for (;;) { const i = g(); i.next(); "
            "all.push(i) } }",
            "promises": _hoard("new Promise(() => {})"),
            "functions": _hoard("new Function('/*' + 'x'.repeat(1e5) + '*/ return ' + all.length)"),
            "errors": _hoard("new Error('x')"),
            "regexps": _hoard("new RegExp('a' + all.length)"),
            "BigInts": _hoard("(1n << 10000n) + BigInt(all.length)"),
            "one string": "{ let s = 'x'; for (;;) s += s.replace(/x/g, 'xx') }",
        },
        memory_bytes=_SMALL,
        seconds=2,
    ),
    *cases(
        14,
        "memory js",
        {
            "one big buffer": "new ArrayBuffer(2 ** 30); 0",
            "an impossible buffer": "new ArrayBuffer(2 ** 40); 0",
            "one big array": "new Array(1e8).fill(0).length",
            "one big string": "'x'.repeat(2 ** 29).length",
            "spread": "[...Array(1e8).keys()].length",
        },
        memory_bytes=_SMALL,
        seconds=2,
    ),
    *cases(
        15,
        "cpu",
        {
            "buffers": "for (;;) { try { const a = []; for (;;) a.push(new ArrayBuffer(1e5)) } catch {} }",
            "strings": "for (;;) { try { const a = []; for (;;) a.push('x'.repeat(1e5) + a.length) } catch {} }",
            "objects": "for (;;) { try { const a = []; for (;;) a.push({}) } catch {} }",
            "closures": "for (;;) { try { let f = () => 0; for (;;) { const g = f; f = () => g } } catch {} }",
            "a finally": "for (;;) { try { const a = []; for (;;) a.push([]) } finally { continue } }",
        },
        memory_bytes=_SMALL,
        seconds=0.5,
    ),
    *cases(
        16,
        "memory",
        {
            "small arrays": "{ const all = []; for (;;) all.push([]) }",
            "thrown again": "{ const all = []; try { for (;;) all.push([]) } catch (error) { throw error } }",
            "in a getter": "{ const all = []; const o = {get x() { for (;;) all.push([]) }}; o.x }",
            "small after large": "{ const all = []; try { for (;;) all.push(new ArrayBuffer(1e5)) } catch {} "
            "for (;;) all.push([]) }",
        },
        memory_bytes=_SMALL,
        seconds=2,
    ),
    *cases(
        17,
        "value js limit",
        {
            "timers": _TIMERS + "(() => { try { for (let i = 0; i < 1e5; i++) setTimeout(() => {}, 1e9) } "
            "catch (error) { return error.name } return 'all' })()",
        },
        values=("RangeError", "all"),
        seconds=5,
    ),
    Case(
        17,
        "host calls",
        "(async () => { try { for (let i = 0; i < 1e5; i++) wait().catch(() => {}) } catch (error) { return "
        "error.name } "
        "return 'all' })()",
        frozenset({"value", "limit", "js"}),
        how="settle",
        values=("RangeError", "all"),
        functions=_wait_for_ever,
        seconds=5,
        waits=True,
    ),
    *cases(
        17,
        "value js limit memory",
        {
            "fetches": "typeof fetch == 'undefined' ? Promise.resolve('not offered') : "
            "(async () => { const all = []; for (let i = 0; "
            "i < 1e5; i++) all.push(fetch('https://example.com/' + i).then(() => 'answered', () => 'refused')); "
            "return [...new Set(await Promise.all(all))].join() })()",
        },
        how="settle",
        values=("refused",),
        seconds=5,
    ),
    Case(
        17,
        "host calls with holes",
        "(() => { let last; for (;;) last = [last, wait(Array(700000))] })()",
        frozenset({"wall", "memory", "limit", "cpu"}),
        functions=_wait_for_ever,
        seconds=2,
        waits=True,
    ),
    *cases(
        17,
        "output cpu",
        {
            "log lines": _CONSOLE + "for (;;) console.log('a line of some length, as they come')",
            "large log lines": _CONSOLE + "{ const line = 'x'.repeat(1e6); for (;;) console.log(line) }",
        },
        seconds=1,
    ),
    *cases(
        17,
        "value output memory js",
        {"one huge log line": _CONSOLE + "console.log('x'.repeat(5e8)); 0"},
        seconds=1,
    ),
]
