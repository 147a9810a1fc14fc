"""Built-in functions that run on for long: the CPU limit ends them where they are, on time, and the sandbox lives.

Each of these runs no bytecode while it works, or so little for its cost that the polls of bytecode come too late.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import itertools
import zlib

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import ConversionError, CpuLimitExceeded, FuelLimitExceeded, SandboxPoisoned

CPU_SECONDS = 0.05
LATE_SECONDS = 0.1
ATTEMPTS = 4  # the machine may be busy: it is late only if it is so each time

_ENDLESS = "{length: 2 ** 53 - 1}"
_SPARSE = "const a = []; a.length = 4e9;"
_NAMES = "Array.from({{length: {}}}, (_, i) => '{}' + i)"
_TYPED = "const a = new Float64Array(1e6), b = new Float32Array(1e6);"
_WIDE = "const o = {}; for (let i = 0; i < 2e4; i++) o['k' + i] = 1;"
_PUMP = (
    "const pump = async (stream, bytes, ...more) => { const writer = stream.writable.getWriter();"
    "let { readable } = stream; for (const next of more) readable = readable.pipeThrough(next);"
    "readable.pipeTo(new WritableStream()); for (;;) await writer.write(bytes) };"
)
_DEEP = "let o = {}; for (let i = 0; i < 2e4; i++) o = Object.create(o);"

ROWS = {
    # Arrays, and what is none but has a length.
    **{
        name: f"Array.prototype.{name}.call({_ENDLESS}, {arguments})"
        for name, arguments in {
            "copyWithin": "0, 1",
            "every": "() => 1",
            "find": "() => 0",
            "flat": "",
            "forEach": "() => 0",
            "includes": "1",
            "indexOf": "1",
            "join": "''",
            "lastIndexOf": "1",
            "reverse": "",
            "shift": "",
            "sort": "",
            "splice": "0, 1",
            "toLocaleString": "",
        }.items()
    },
    **{
        f"{name} of a sparse array": f"{_SPARSE} a.{name}()"
        for name in ("flat", "indexOf", "join", "reverse", "slice", "sort")
    },
    "concat of a sparse array": f"{_SPARSE} [].concat(a)",
    "splice of a sparse array": f"{_SPARSE} a.splice(1, 4e9)",
    "a proxy of an endless array": f"[].indexOf.call(new Proxy({_ENDLESS}, {{}}), 1)",
    "fill of what keeps nothing": f"[].fill.call(new Proxy({_ENDLESS}, {{set: () => true}}), 1)",
    "String.raw": f"String.raw({{raw: {_ENDLESS}}})",
    "sort of strings": "const a = Array.from({length: 2e5}, (_, i) => 'x'.repeat(20) + i); for (;;) a.toSorted()",
    "shift of a long array": "const a = Array(1e6).fill(1); for (;;) { a.shift(); a.push(1) }",
    "unshift of a long array": "const a = Array(1e6).fill(1); for (;;) { a.unshift(1); a.pop() }",
    "indexOf in a long array": "const a = Array(1e6).fill(1); for (;;) a.indexOf(2)",
    "lastIndexOf in a long array": "const a = Array(1e6).fill(1); for (;;) a.lastIndexOf(2)",
    "includes in a long array": "const a = Array(1e6).fill(1); for (;;) a.includes(2)",
    "reverse of a long array": "const a = Array(1e6).fill(1); for (;;) a.reverse()",
    # Typed arrays.
    **{
        f"{name} of a typed array": f"{_TYPED} for (;;) a.{name}({arguments})"
        for name, arguments in {
            "copyWithin": "0, 1",
            "fill": "1",
            "includes": "1",
            "indexOf": "1",
            "join": "",
            "lastIndexOf": "1",
            "reverse": "",
            "set": "b",
            "slice": "",
            "sort": "",
        }.items()
    },
    "sort of a large typed array": "new Float64Array(4e6).map(Math.random).sort()",
    "slice of a buffer": "const a = new ArrayBuffer(1e7); for (;;) a.slice()",
    # What makes a rejection of an exception, and is called again.
    **{
        name: f"for (;;) {code}"
        for name, code in {
            "an executor": "new Promise(() => { for (;;); })",
            "Promise.try": "Promise.try(() => { for (;;); })",
            "a getter of then": "Promise.resolve({get then() { for (;;); }})",
            "a getter of then of a member": "Promise.all([{get then() { for (;;); }}])",
            "an iterator of promises": "Promise.any({get [Symbol.iterator]() { for (;;); }})",
            "an async generator": "(async function* () { for (;;); })().next()",
            "a specifier": "import({toString() { for (;;); }})",
        }.items()
    },
    # Bodies and blobs.
    "joining the bytes of a blob": "const b = new Blob([new Uint8Array(8e6), 'a'.repeat(1e6)]); for (;;) b.bytes()",
    "copying the parts of a blob": "const b = new Uint8Array(1e7); for (;;) new Blob([b, 'a', b])",
    "searching in quadratic time for a boundary": (
        "const b = '-'.repeat(1e6) + 'b', headers = {'content-type': 'multipart/form-data;boundary=' + b};"
        "new Response('-'.repeat(4e6), {headers}).formData()"
    ),
    "form fields": (
        "const t = 'a=%41&'.repeat(2e5), headers = {'content-type': 'application/x-www-form-urlencoded'};"
        "for (;;) new Response(t, {headers}).formData()"
    ),
    "data: URLs": "const u = 'data:;base64,' + 'YWJj'.repeat(1e6); for (;;) fetch(u)",
    # Texts.
    "indexOf in quadratic time": "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')",
    "lastIndexOf in quadratic time": "'a'.repeat(4e6).lastIndexOf('a'.repeat(2e6) + 'b')",
    "includes in quadratic time": "'a'.repeat(4e6).includes('a'.repeat(2e6) + 'b')",
    "split in quadratic time": "'a'.repeat(4e6).split('a'.repeat(2e6) + 'b')",
    "replaceAll in quadratic time": "'a'.repeat(4e6).replaceAll('a'.repeat(2e6) + 'b', '')",
    "startsWith": "const a = 'a'.repeat(2e6), b = 'a'.repeat(2e6); for (;;) a.startsWith(b)",
    "split into characters": "'ab'.repeat(2e6).split('')",
    "toUpperCase": "'\\u00df'.repeat(5e6).toUpperCase()",
    "normalize": "'\\u1e9b\\u0323'.repeat(1e6).normalize('NFKC')",
    "normalize of marks in quadratic time": "('a' + '\\u0323\\u0307'.repeat(1e6)).normalize()",
    "normalize of marks that stay": "('a' + '\\u0307'.repeat(1e6)).normalize()",
    "localeCompare": "for (;;) '\\u1e9b'.repeat(1e6).localeCompare('\\u1e9b'.repeat(1e6))",
    "comparing": "const a = 'x'.repeat(4e6), b = 'x'.repeat(4e6); for (;;) a === b",
    "ordering": "const a = 'x'.repeat(4e6), b = 'x'.repeat(4e6); for (;;) a < b",
    "comparing ropes": "let a = 'x'.repeat(2e6), b = a; a += 'y'; b += 'y'; for (;;) (a + 'z') === (b + 'z')",
    "trim": "const a = ' '.repeat(4e6); for (;;) a.trim()",
    "isWellFormed": "const a = '\\ud83d\\ude00'.repeat(2e6); for (;;) a.isWellFormed()",
    "keys": "const o = {}, a = 'x'.repeat(4e6); for (let i = 0;; i++) o[a + i]",
    "repeat": "for (;;) 'ab'.repeat(4e6)",
    "repeat of one character": "for (;;) 'a'.repeat(8e6)",
    "padStart": "for (;;) 'a'.padStart(8e6, 'abc')",
    "appending": "let s = 'x'.repeat(1e6); for (;;) (s + 'y').charCodeAt(0)",
    "encodeURIComponent": "for (;;) encodeURIComponent('\\u4e00'.repeat(3e5))",
    "decodeURIComponent": "decodeURIComponent('%61'.repeat(6e6))",
    "spread": "[...'a'.repeat(3e6)]",
    "fromCharCode": "const a = new Uint16Array(60000); for (;;) String.fromCharCode.apply(null, a)",
    "Date.parse": "for (;;) Date.parse('x'.repeat(1e6))",
    # JSON.
    "JSON.parse of numbers": "JSON.parse('[' + '1,'.repeat(2e6) + '1]')",
    "JSON.parse of objects": "JSON.parse('[' + '{\"a\":1},'.repeat(1e6) + '1]')",
    "JSON.parse of escapes": "for (;;) JSON.parse('\"' + '\\\\n'.repeat(2e6) + '\"')",
    "JSON.parse of spaces": "for (;;) JSON.parse(' '.repeat(4e6) + '1')",
    "JSON.stringify of an array": "JSON.stringify(Array(1e6).fill({a: 1}))",
    "JSON.stringify of a sparse array": f"{_SPARSE} JSON.stringify(a)",
    "JSON.stringify of control characters": "JSON.stringify('\\u0001'.repeat(4e6))",
    "JSON.stringify of a deep array": """
        let a = []; for (let i = 0; i < 1e5; i++) a = [a]; for (;;) try { JSON.stringify(a) } catch {}
    """,
    # Programs.
    "a long sum": "eval('1+'.repeat(2e6) + '1')",
    "a long array": "eval('[' + '1,'.repeat(2e6) + ']')",
    "what is no program": "for (;;) try { new Function('x', '\\\\') } catch {}",
    "many statements": "eval('a=1;'.repeat(5e5))",
    "many variables": f"eval({_NAMES.format('1e5', 'var v')}.join(';'))",
    "many names of a block": f"eval('{{' + {_NAMES.format('4e4', 'let v')}.join(';') + '}}')",
    "many private names": f"for (;;) eval('class A {{' + {_NAMES.format('3e4', '#v')}.join(';') + '}}')",
    "many parameters": f"for (;;) eval('(function(' + {_NAMES.format('2e4', 'v')}.join() + '){{}})')",
    "many names of the function around": f"for (;;) eval('function f() {{' + {_NAMES.format('2e4', 'let v')}.join(';')"
    f" + '; return () => {{' + {_NAMES.format('2e4', 'v')}.join(';') + '}} }}')",
    # Regular expressions.
    "compiling": "for (;;) new RegExp('a'.repeat(2e6))",
    "compiling alternatives": "new RegExp('a|'.repeat(2e5))",
    "compiling a lookbehind": "new RegExp('(?<=' + 'a'.repeat(5e5) + ')')",
    "backtracking": "/(a*)*\\1b/.test('a'.repeat(40))",
    "nested counts": "/(?:a{1,1000}){1,1000}b/.test('a'.repeat(5000))",
    "empty loops": "/(?:(?:){1000000}){1000000}/.test('')",
    "a repetition": "const s = 'a'.repeat(2e6); for (;;) /b[^c]*d|^[^c]*$/.test(s)",
    "a repetition that gives back": "/a*a*a*c/.test('a'.repeat(1e5))",
    "a repetition that takes more": "/a*?a*?a*?c/.test('a'.repeat(1e5))",
    "a repeated group": "const s = 'a'.repeat(2e6); for (;;) /^(?:aa)+c/.test(s)",
    "a search for one of two": "const s = 'a'.repeat(2e7); for (;;) /[bc]/.test(s)",
    "characters beyond 255": "const s = 'a'.repeat(2e6) + '\\u4e00'; for (;;) /^[a\\u4e00]*c/.test(s)",
    "pieces": "const s = 'a'.repeat(2e6); for (;;) s.split(/aa/)",
    "replacements": "const s = 'a'.repeat(2e6); for (;;) s.replace(/a/g, 'b')",
    "replacements by a built-in function": "const s = 'a'.repeat(2e6); for (;;) s.replace(/a/g, String)",
    # Large integers.
    "multiplying": "let a = (1n << 500000n) - 1n; for (;;) a * a",
    "dividing": "const a = (1n << 1000000n) - 1n, b = (1n << 500000n) - 1n; for (;;) a / b",
    "raising": "for (;;) 3n ** 500000n",
    "printing": "((1n << 1000000n) - 1n).toString()",
    "parsing": "BigInt('9'.repeat(290000))",
    # Encodings.
    "decoding": "const b = new Uint8Array(4e7).fill(65); for (;;) new TextDecoder().decode(b)",
    "decoding what is no text": "const b = new Uint8Array(4e7).fill(255); for (;;) new TextDecoder().decode(b)",
    "decoding two bytes each": "const b = new Uint8Array(4e7).fill(0xb0); for (;;) new TextDecoder('euc-kr').decode(b)",
    "decoding units": "const b = new Uint16Array(2e7).fill(0xd800); for (;;) new TextDecoder('utf-16le').decode(b)",
    "encoding": "const s = '\\u6c34'.repeat(2e7); for (;;) new TextEncoder().encode(s)",
    "encoding into a buffer": "const s = '\\xe9'.repeat(2e7), b = new Uint8Array(4e7);"
    "for (;;) new TextEncoder().encodeInto(s, b)",
    "compressing": f"{_PUMP} const b = new Uint32Array(4e6).map((_, i) => i * i >> 7);"
    "return pump(new CompressionStream('gzip'), b)",
    "decompressing": f"{_PUMP} const b = Uint8Array.from(atob('BOMB'), (c) => c.charCodeAt()), d = 'deflate';"
    "return pump(new DecompressionStream(d), b, new DecompressionStream(d), new DecompressionStream(d))",
    # Objects and collections.
    **{
        f"Object.{name}": f"{_WIDE} for (;;) Object.{name}({arguments})"
        for name, arguments in {"assign": "{}, o", "entries": "o", "freeze": "o", "keys": "o"}.items()
    },
    "for in": f"{_WIDE} for (;;) for (const k in o) break",
    "spread of an object": f"{_WIDE} for (;;) ({{...o}})",
    "a long chain of prototypes": f"{_DEEP} for (;;) o.x",
    "a long chain of prototypes, written": f"{_DEEP} for (;;) o.x &&= 1",
    "a long chain of prototypes, looked through": f"{_DEEP} for (;;) 'x' in o",
    "a long chain of prototypes, of an instance": f"{_DEEP} for (;;) o instanceof Array",
    "a long chain of prototypes, set": f"{_DEEP} const p = {{}}; for (;;) {{ p.__proto__ = o; p.__proto__ = null }}",
    "keys of a proxy": "Reflect.ownKeys(new Proxy({}, {ownKeys: () => Array.from({length: 1e5}, (_, i) => 'k' + i)}))",
    "resizing under many views": "const b = new ArrayBuffer(8, {maxByteLength: 16}), a = [];"
    "for (let i = 0; i < 2e4; i++) a.push(new Uint8Array(b)); for (let i = 0;; i++) b.resize(i % 8)",
    "unregistering": "const r = new FinalizationRegistry(() => {}), a = [];"
    "for (let i = 0; i < 1e4; i++) { const o = {}; a.push(o); r.register(o, 1, o) } for (;;) r.unregister({})",
    "a union": "const s = new Set(Array(5e4).keys()); for (;;) s.union(s)",
    "a Set without end": "new Set([1]).isSupersetOf({size: 1, has() {}, keys: () => ({next: () => ({value: 1})})})",
    "groupBy": "Object.groupBy({[Symbol.iterator]: () => ({next: () => ({})})}, x => x)",
    "zip": "Iterator.zip({[Symbol.iterator]: () => ({next: () => ({value: [1]})})})",
}


@functools.cache
def _bomb() -> str:
    """Zeros, compressed three times."""
    return base64.b64encode(zlib.compress(zlib.compress(zlib.compress(bytes(1 << 27), 9), 9), 9)).decode()


@pytest.mark.alone
@pytest.mark.parametrize("code", ROWS.values(), ids=ROWS)
def test_it_ends_on_time_and_the_sandbox_lives(code: str) -> None:
    code = code.replace("BOMB", _bomb()) if "BOMB" in code else code
    used: list[float] = []
    for _ in range(ATTEMPTS):
        with Sandbox(limits=Limits(cpu_seconds=CPU_SECONDS, wall_seconds=20, memory_bytes=256 << 20)) as box:
            with pytest.raises(CpuLimitExceeded) as caught:
                box.eval(f"(() => {{ {code} }})()" if "eval(" not in code else code)
            assert box.eval("1 + 1") == 2
        assert caught.value.used is not None
        used.append(caught.value.used)
        if used[-1] <= CPU_SECONDS + LATE_SECONDS:
            return
    pytest.fail(f"it was late each time: {used}")


# Of all rows, those in which the host has to wait longest for its next look.
_SLOWEST = [
    "nested counts",
    "backtracking",
    "a long chain of prototypes, looked through",
    "Object.freeze",
    "localeCompare",
    "JSON.stringify of control characters",
    "normalize",
    "trim",
    "startsWith",
    "includes in quadratic time",
    "join of a typed array",
    "copyWithin of a typed array",
    "decoding",
    "decoding what is no text",
    "decoding two bytes each",
    "encoding",
    "encoding into a buffer",
]


def _longest(box: Sandbox, code: str) -> int:
    """The most fuel that is burnt between two looks of the host, or up to the end."""
    turns = box._driver.turns
    looks: list[int] = []
    look = turns._on_poll

    def on_poll() -> None:
        looks.append(turns.guest.instance.fuel())
        look()

    turns._on_poll = on_poll
    with contextlib.suppress(FuelLimitExceeded, SandboxPoisoned, ConversionError):
        box.eval(code)
    looks.append(turns.guest.instance.fuel())
    return max(before - after for before, after in itertools.pairwise(looks))


@pytest.mark.parametrize("name", _SLOWEST)
def test_the_host_looks_at_its_signals_meanwhile(name: str) -> None:
    """And fills the tank behind the limits of time, which lasts for 2.2e9 even when these are reached."""
    with Sandbox(limits=Limits(fuel=2_500_000_000, cpu_seconds=20, wall_seconds=20, memory_bytes=256 << 20)) as box:
        assert _longest(box, ROWS[name]) < 2_000_000_000


_MEMBERS = 500_000


@pytest.mark.parametrize("order", [f"let i = 0; i < {_MEMBERS}; i++", f"let i = {_MEMBERS}; i-- > 0;"])
def test_the_host_looks_while_the_keys_of_a_large_object_are_listed(order: str) -> None:
    """What takes a second for two million of them."""
    with Sandbox(limits=Limits(memory_bytes=256 << 20, max_nodes=2 * _MEMBERS)) as box:
        box.eval(f"var o = {{}}; for ({order}) o[i] = i; 0")
        for code in ("Object.keys(o)", "Object.values(o)", "Reflect.ownKeys(o)", "JSON.stringify(o)", "({...o})"):
            assert _longest(box, f"{code}; 0") < 250_000_000, code
        assert _longest(box, "o") < 250_000_000


# What is done in linear time, though the engine had a list to go through for each.
LINEAR = {
    "objects with keys of their own": "const a = []; for (let i = 0; i < N; i++) a.push({['k' + i]: 1})",
    "WeakRefs of one object": "const a = [], o = {}; for (let i = 0; i < N; i++) a.push(new WeakRef(o)); a.length = 0",
    "WeakMaps of one object": "const a = [], o = [[{}, 1]]; for (let i = 0; i < N; i++) a.push(new WeakMap(o)); 0",
    "registrations of one object": "const a = [], o = {}; for (let i = 0; i < N; i++) "
    "{ const r = new FinalizationRegistry(() => {}); r.register(o, 1); a.push(r) } a.length = 0",
}


@pytest.mark.parametrize("code", LINEAR.values(), ids=LINEAR)
def test_it_takes_linear_time(code: str) -> None:
    fuel = []
    for count in (2000, 20_000):
        with Sandbox(limits=Limits(memory_bytes=256 << 20)) as box:
            box.eval(f"(() => {{ {code.replace('N', str(count))} }})()")
            fuel.append(box.usage.fuel)
    assert fuel[1] < fuel[0] * 10 * 1.5


def test_no_catch_sees_it() -> None:
    with Sandbox(limits=Limits(cpu_seconds=CPU_SECONDS)) as box:
        for code in ("new RegExp('a|'.repeat(2e5))", "'a'.repeat(4e6).indexOf('a'.repeat(2e6) + 'b')"):
            with pytest.raises(CpuLimitExceeded):
                box.eval(f"var seen = 0; for (;;) try {{ {code} }} catch {{ seen++ }} finally {{ seen++ }}")
            assert box.eval("seen") == 0
