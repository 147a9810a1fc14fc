"""Rows 6 to 13: programs that never end, in bytecode, in the engine's own loops, in jobs and in waits."""

from __future__ import annotations

from tests.corpus.case import Row, cases

ROWS = [
    Row(6, "a loop that catches whatever stops it", beside="tests/test_limits.py"),
    Row(7, "array functions over 2^53 or 4 billion elements", beside="tests/test_limits.py"),
    Row(8, "quadratic and long work on strings", beside="tests/test_limits.py"),
    Row(9, "regular expressions that backtrack without end"),
    Row(10, "BigInts of a million digits"),
    Row(11, "microtasks without end, and a million of them"),
    Row(12, "thenables that lead to themselves"),
    Row(13, "a `then` on Object.prototype that loops, met by the host's answer"),
]

_HUGE = "{length: 2 ** 53 - 1}"

CASES = [
    *cases(
        6,
        "cpu",
        {
            "while": "while (true) {}",
            "catch and finally": "for (;;) { try { for (;;); } catch {} finally { for (;;); } }",
            "continue in finally": "for (;;) try { for (;;); } catch {} finally { continue }",
            "a generator's finally": "function* g() { try { yield } finally { for (;;); } } for (const x of g()) break",
            "a label": "a: for (;;) try { for (;;); } finally { continue a }",
            "an iterator without end": "[...{[Symbol.iterator]: () => ({next: () => ({done: false})})}]",
            "Array.from": "Array.from({[Symbol.iterator]: () => ({next: () => ({done: false})})}, () => 0)",
        },
        memory_bytes=256 << 20,
    ),
    *cases(
        7,
        "cpu memory js",
        {
            "indexOf": f"[].indexOf.call({_HUGE}, 1)",
            "lastIndexOf": f"[].lastIndexOf.call({_HUGE}, 1)",
            "includes": f"[].includes.call({_HUGE}, 1)",
            "reverse": f"[].reverse.call({_HUGE})",
            "copyWithin": f"[].copyWithin.call({_HUGE}, 0, 1)",
            "join": f"[].join.call({_HUGE}, '')",
            "fill": f"[].fill.call({_HUGE}, 0)",
            "at every": f"[].every.call({_HUGE}, () => true)",
            "a proxy's indexOf": f"[].indexOf.call(new Proxy({_HUGE}, {{}}), 1)",
            "sort": "const a = []; a.length = 4e9; a.sort()",
            "slice": "const a = []; a.length = 4e9; a.slice()",
            "concat": "const a = []; a.length = 4e9; [].concat(a)",
            "flat": "const a = []; a.length = 4e9; a.flat()",
            "sparse join": "const a = []; a.length = 4e9; a.join()",
            "splice": "const a = []; a.length = 4e9; a.splice(1, 4e9)",
            "String.raw": f"String.raw({{raw: {_HUGE}}})",
            "typed fill": "const a = new Uint8Array(5e7); for (;;) a.fill(1)",
            "typed set": "const a = new Float64Array(5e6), b = new Uint8Array(5e6); for (;;) a.set(b)",
            "typed sort": "const a = new Float64Array(3e6).map((_, i) => -i); for (;;) a.sort()",
            "typed join": "new Uint8Array(5e7).join()",
            "keys": "const o = {}; for (let i = 0; i < 2e5; i++) o['k' + i] = 1; for (;;) Object.keys(o)",
        },
        memory_bytes=256 << 20,
    ),
    *cases(
        8,
        "value cpu memory conversion js",
        {
            "indexOf": "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
            "split": "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b').length",
            "replaceAll": "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '').length",
            "replace with the text before": "'a'.repeat(1e5).replace(/a/g, '$`').length",
            "normalize": "'\\u1e9b\\u0323'.repeat(5e6).normalize('NFKD').length",
            "normalize marks": "('a' + '\\u0323\\u0307'.repeat(5e6)).normalize('NFC').length",
            "localeCompare": "'\\u1e9b'.repeat(5e6).localeCompare('\\u1e9b'.repeat(5e6))",
            "toUpperCase": "'\\u00df'.repeat(2e7).toUpperCase().length",
            "split characters": "'a'.repeat(5e7).split('').length",
            "repeat": "for (;;) 'ab'.repeat(5e7)",
            "padStart": "for (;;) 'a'.padStart(1e8, 'abc')",
            "JSON.parse": "JSON.parse('[' + '1,'.repeat(1e7) + '1]').length",
            "JSON.stringify": "JSON.stringify(Array(5e6).fill(1)).length",
            "a long sum": "eval('1+'.repeat(3e6) + '1')",
            "comparing": "const a = 'x'.repeat(2e7), b = 'x'.repeat(2e7); for (;;) a == b",
        },
        memory_bytes=256 << 20,
    ),
    *cases(
        9,
        "value cpu",
        {
            "nested stars": "/^(a+)+$/.test('a'.repeat(50) + '!')",
            "a back reference": "/(a*)*\\1b/.test('a'.repeat(40))",
            "dots": "/(.*)*x/.test('a'.repeat(40))",
            "lookbehind": "/(?<=(a+)+$)b/.test('a'.repeat(40) + 'b')",
            "counted": "/(?:a{1,1000}){1,1000}b/.test('a'.repeat(5000))",
            "quadratic": "/a*b/.test('a'.repeat(5e5))",
            "empty loops": "/(?:(?:){1000000}){1000000}/.test('')",
        },
    ),
    *cases(
        9,
        "cpu",
        {
            "sticky": "const r = /a|ab/y; for (;;) { r.lastIndex = 0; r.test('ab') }",
            "a replaced exec": "RegExp.prototype.exec = () => ({index: 0, length: 1, 0: ''}); 'a'.replace(/a/g, 'b')",
        },
        memory_bytes=256 << 20,
    ),
    *cases(
        10,
        "value cpu memory js",
        {
            "a power": "String(typeof 3n ** 1000000n)",
            "a tower": "let n = 3n; for (;;) n = n ** 3n",
            "printed": "((1n << 1000000n) - 1n).toString().length",
            "parsed": "typeof BigInt('9'.repeat(1e6))",
            "squared": "const a = (1n << 900000n) - 1n; for (;;) a * a",
            "divided": "const a = (1n << 900000n) - 1n, b = (1n << 450000n) - 1n; for (;;) a / b",
            "shifted": "typeof (1n << (1n << 40n))",
        },
        memory_bytes=64 << 20,
    ),
    *cases(
        11,
        "cpu",
        {
            "then": "new Promise(() => { (function f() { Promise.resolve().then(f) })() })",
            "await": "(async () => { for (;;) await 0 })()",
            "an async generator": "(async () => { for await (const x of (async function* () { for (;;) yield 1 "
            "})()); })()",
            "after an await": "(async () => { await 0; for (;;); })()",
        },
        how="settle",
    ),
    *cases(
        11,
        "value",
        {
            "a million awaits": "(async () => { let n = 0; for (let i = 0; i < 1e6; i++) n += await 1; return n })()",
        },
        how="settle",
        values=(1_000_000,),
        seconds=10,
    ),
    *cases(
        12,
        "time js stalled",
        {
            "itself": "(async () => await {then(resolve) { this.then(resolve) }})()",
            "itself again": "(async () => await {then(resolve) { resolve(this) }})()",
            "a cycle": "(async () => { const a = {then(f) { f(b) }}, b = {then(f) { f(a) }}; return await a })()",
            "a loop": "(async () => await {then() { for (;;); }})()",
        },
        how="settle",
    ),
    *cases(
        12,
        "stalled wall value",
        {"nothing": "new Promise(() => {})", "its own promise": "(async () => { await new Promise(() => {}) })()"},
        how="settle",
        waits=True,
    ),
    *cases(
        13,
        "cpu",
        {
            "a getter": "(async () => { Object.defineProperty(Object.prototype, 'then', {get() { for (;;); }}); "
            "return typeof (await give()) })()",
            "a function": "(async () => { Object.prototype.then = () => { for (;;); }; return typeof (await "
            "give()) })()",
        },
        how="settle",
        functions=lambda stage: {"give": _give},
        wipes=True,
    ),
]


async def _give() -> dict[str, object]:
    return {"a": 1, "b": b"bytes"}
