"""Rows 36 and 39: programs that go for the engine itself, and for the boundary behind it."""

from __future__ import annotations

from tests.corpus.case import Row, cases

ROWS = [
    Row(36, "messages that make no sense, as far as a program can go", beside="tests/owned"),
    Row(39, "memory corruption: buffers and arrays that change in use"),
]

_ENDS = "value js cpu memory conversion stalled limit"


def _each(statements: str) -> str:
    return f"(() => {{ {statements}; return 'done' }})()"


CASES = [
    *cases(
        36,
        "value",
        {
            "no way in": "['guest', 'hooks', '__sandbox', 'op', 'ops', 'sandbox', 'host_call', '__host', "
            "'std', 'os', 'scriptArgs'].filter(name => name in globalThis).join()",
        },
        values=("",),
    ),
    *cases(
        36,
        "value js conversion",
        {
            "bytes that look like a message": "new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff, 0xc7, 0xff, 0x7f])",
            "a million lengths": "Array.from({length: 1000}, () => new Uint8Array([0xdd, 0xff, 0xff, 0xff, 0xff]))",
            "keys like tags": "({'\\u0000': 1, $ref: 0, $type: 'function', __handle: 7, _handle: 7, then: 1, "
            "ext: [1, 2]})",
            "a forged handle": "({handle: 4294967295, id: -1, promise: 1e9})",
            "a species of its own": "Object.setPrototypeOf([1, 2], new Proxy([], {get() { return 2 ** 32 }}))",
            "an array that is a typed array's prototype": "Object.setPrototypeOf([1], Uint8Array.prototype)",
            "a Date without a time": "Object.setPrototypeOf({}, Date.prototype)",
            "a Map without entries": "Object.setPrototypeOf({}, Map.prototype)",
            "an Error without anything": "Object.create(Error.prototype)",
            "a shrunk view": "(() => { const b = new ArrayBuffer(64, {maxByteLength: 128}), v = new Uint8Array(b); "
            "b.resize(8); return v })()",
            "a detached view": "(() => { const v = new Uint8Array(8); v.buffer.transfer(); return [v.length] })()",
            "a view that shrinks meanwhile": "(() => { const b = new ArrayBuffer(64, {maxByteLength: 128}); "
            "return [{get a() { b.resize(0); return 1 }}, new Uint8Array(b)] })()",
        },
        how="take",
    ),
    *cases(
        39,
        _ENDS,
        {
            "shrunk in a constructor": _each(
                "const b = new ArrayBuffer(1024, {maxByteLength: 2048}); "
                "new Uint8Array(b, {valueOf() { b.resize(0); return 0 }}, {valueOf() { b.resize(8); return 512 }})"
            ),
            "shrunk in fill": _each(
                "const b = new ArrayBuffer(1e6, {maxByteLength: 2e6}), a = new Uint8Array(b); "
                "a.fill({valueOf() { b.resize(1); return 65 }}, 0, {valueOf() { return 1e6 }})"
            ),
            "shrunk in sort": _each(
                "const b = new ArrayBuffer(4096, {maxByteLength: 8192}), a = new Float64Array(b); "
                "let n = 0; a.sort((x, y) => { if (n++ == 3) b.resize(0); return y - x })"
            ),
            "grown in sort": _each(
                "const b = new ArrayBuffer(64, {maxByteLength: 1e6}), a = new Uint8Array(b); "
                "a.sort(() => { b.resize(1e6); return -1 })"
            ),
            "shrunk in set": _each(
                "const b = new ArrayBuffer(256, {maxByteLength: 512}), a = new Uint8Array(b); "
                "a.set({length: 256, get 0() { b.resize(0); return 1 }, 255: 7})"
            ),
            "shrunk in slice": _each(
                "const b = new ArrayBuffer(4096, {maxByteLength: 8192}), a = new Uint8Array(b); "
                "a.constructor = {[Symbol.species]: function (n) { b.resize(16); return new Uint8Array(n) }}; "
                "a.slice(0)"
            ),
            "shrunk in copyWithin": _each(
                "const b = new ArrayBuffer(4096, {maxByteLength: 8192}), a = new Uint8Array(b); "
                "a.copyWithin({valueOf() { b.resize(8); return 0 }}, 2048, 4096)"
            ),
            "shrunk in join": _each(
                "const b = new ArrayBuffer(4096, {maxByteLength: 8192}), a = new Uint8Array(b); "
                "a.join({toString() { b.resize(0); return ',' }})"
            ),
            "shrunk in lastIndexOf": _each(
                "const b = new ArrayBuffer(4096, {maxByteLength: 8192}), a = new Uint8Array(b); "
                "a.lastIndexOf(0, {valueOf() { b.resize(0); return 4095 }})"
            ),
            "shrunk in with": _each(
                "const b = new ArrayBuffer(64, {maxByteLength: 128}), a = new Uint8Array(b); "
                "a.with(63, {valueOf() { b.resize(0); return 1 }})"
            ),
            "shrunk in Atomics": "typeof Atomics == 'undefined' ? 'not offered' : "
            + _each(
                "const b = new ArrayBuffer(64, {maxByteLength: 128}), a = new Int32Array(b); "
                "Atomics.store(a, {valueOf() { b.resize(0); return 15 }}, 1); Atomics.add(a, 0, 1)"
            ),
            "shrunk under a DataView": _each(
                "const b = new ArrayBuffer(64, {maxByteLength: 128}), v = new DataView(b); "
                "v.setFloat64({valueOf() { b.resize(4); return 56 }}, 1)"
            ),
            "transferred in a callback": _each(
                "const a = new Uint8Array(1e5); a.forEach((x, i) => { if (i == 5) a.buffer.transfer(8) }); "
                "a.map(x => x)"
            ),
            "transferred in a decoder": "typeof TextDecoder == 'undefined' ? 'not offered' : "
            + _each(
                "const a = new Uint8Array(1e5); "
                "new TextDecoder().decode(a, {get stream() { a.buffer.transfer(); return false }})"
            ),
            "an array shortened in sort": _each(
                "const a = Array.from({length: 1000}, (_, i) => ({i})); "
                "a.sort((x, y) => { a.length = 0; a.push(1); return y.i - x.i })"
            ),
            "an array shortened in splice": _each(
                "const a = Array(1000).fill(1); a.splice(0, {valueOf() { a.length = 3; return 900 }}, "
                "...Array(500).fill(2))"
            ),
            "an array shortened in concat": _each(
                "const a = Array(1000).fill({}); a.constructor = {[Symbol.species]: function () { a.length = 0; "
                "return [] }}; "
                "a.concat(a)"
            ),
            "an array shortened in map": _each(
                "const a = Array(1000).fill({}); a.map((x, i) => { a.length = 1000 - i })"
            ),
            "an array shortened in join": _each(
                "const a = [{toString() { a.length = 0; return 'x' }}, {}, {}]; a.join()"
            ),
            "an array shortened in apply": _each(
                "const a = Array(500).fill({}); Object.defineProperty(a, 3, {get() { a.length = 4; return 1 }}); "
                "Math.max.apply(null, a)"
            ),
            "an array shortened in indexOf": _each(
                "const a = Array(1000).fill(1); a.indexOf(2, {valueOf() { a.length = 0; return 0 }})"
            ),
            "a Map changed in forEach": _each(
                "const m = new Map([[1, 1], [2, 2]]); let n = 0; m.forEach((v, k) => { m.delete(k); if (n++ < "
                "1e3) m.set(n, n) })"
            ),
            "a Set cleared in its iterator": _each(
                "const s = new Set([1, 2, 3]), i = s.values(); i.next(); s.clear(); for (let n = 0; n < 1e3; "
                "n++) s.add(n); [...i]"
            ),
            "a Set of sets": "typeof Set.prototype.union == 'undefined' ? 'not offered' : "
            + _each(
                "const s = new Set([1, 2, 3]); s.union({size: 3, has() { s.clear() }, keys() { s.clear(); "
                "return [].values() }})"
            ),
            "a generator that runs itself": _each(
                "let g; g = (function* () { try { g.next() } catch {} try { g.return() } catch {} yield 1 })(); [...g]"
            ),
            "an async generator closed while open": _each(
                "const g = (async function* () { try { yield 1 } finally { g.return(); g.throw(1) } })(); "
                "g.next(); g.return().catch(() => {}); g.next().catch(() => {})"
            ),
            "finalizers": _each(
                "const r = new FinalizationRegistry(held => { r.register({}, held) }); "
                "for (let i = 0; i < 2e4; i++) { const o = {}; r.register(o, i, o); if (i % 3) r.unregister(o) }"
            ),
            "weak references": _each(
                "const all = []; for (let i = 0; i < 2e4; i++) { all.push(new WeakRef({i})); all[i >> 1].deref() } "
                "const w = new WeakMap(); let k = {}; for (let i = 0; i < 2e4; i++) { const n = {}; w.set(k, "
                "n); k = n }"
            ),
            "a RegExp recompiled in use": _each(
                "const r = /(a)|b/g; 'ab'.repeat(100).replace(r, () => { r.compile('(c)(d)(e)', 'y'); return '' })"
            ),
            "lastIndex changed in use": _each(
                "const r = /a/y; r.lastIndex = {valueOf() { r.compile('(?:)'); return 2 ** 31 }}; r.exec('aaaa')"
            ),
            "arguments and their parameters": _each(
                "(function (a, b) { arguments.length = 2 ** 31; a = 1; delete arguments[0]; "
                "Object.freeze(arguments); return [...arguments].length })(1, 2)"
            ),
            "a getter that deletes itself": _each(
                "const o = {get x() { delete o.x; delete Object.prototype.y; o.x = 1; return o }}; o.x.x; ({...o})"
            ),
            "a prototype changed in a lookup": _each(
                "const p = new Proxy({}, {has() { Object.setPrototypeOf(o, null); return true }, get() { o = null }}); "
                "let o = Object.create(p); 'x' in o; with_(o); function with_(v) { return v.y }"
            ),
            "JSON with a changing holder": _each(
                "JSON.parse('[[1,2],[3,4]]', function (k, v) { if (Array.isArray(this)) this.length = 1; return v }); "
                "const a = [1, {toJSON() { a.length = 0; return 1 }}, 3]; JSON.stringify(a)"
            ),
            "strings built on freed ropes": _each(
                "let s = ''; for (let i = 0; i < 1e5; i++) { s = s + i; if (i % 1000 == 0) s = s.slice(-10) } s.at(-1)"
            ),
            "symbols as keys of freed objects": _each(
                "let o = {}; for (let i = 0; i < 2e4; i++) { o[Symbol(i)] = o; if (i % 100 == 0) o = {} }"
            ),
        },
        seconds=1,
        memory_bytes=64 << 20,
    ),
]
