"""Programs whose answers must be the same, compiled and interpreted, to the place where an error was thrown."""

from __future__ import annotations

from typing import Final

# Operands of every type, and those at the borders of the fast paths.
_VALUES: Final = (
    "[0, -0, 1, -1, 7, -7, 31, 32, 2147483647, -2147483648, 2147483648, 4294967296, 1e300, 0.5, -1.5, NaN, Infinity, "
    "-Infinity, '5', '', 'x', true, false, null, undefined, [3], {}, 10n, -3n, "
    "{valueOf() { return 4; }}, {valueOf() { throw new RangeError('no'); }}, Symbol.iterator]"
)
_SHOW: Final = (
    "const show = (v) => typeof v === 'bigint' ? v + 'n' : Object.is(v, -0) ? '-0' : typeof v + ':' + "
    "(typeof v === 'object' && v ? Array.isArray(v) ? '[' + v.length + ']' : '{}' : String(v));"
)
_BINARY: Final = (
    ["+", "-", "*", "/", "%", "**", "<<", ">>", ">>>", "&", "|", "^", "<", "<=", ">", ">=", "==", "!=", "===", "!==", "&&", "||", "??", "instanceof", "in"]
)  # fmt: skip
_UNARY: Final = (
    "-a",
    "+a",
    "~a",
    "!a",
    "typeof a",
    "a++ + ':' + a",
    "--a",
    "a ? 1 : 2",
    "a == null",
    "a === undefined",
    "void a",
)


def _each(parameters: str, body: str, loops: str) -> str:
    return (
        f"{_SHOW} const values = {_VALUES}; function f({parameters}) {{ return {body}; }} function run() {{ const out = [];"
        f" {loops} try {{ out.push(show(f({parameters}))); }} catch (error) {{ out.push(String(error)); }}"
        " return out.join('|'); }"
    )


BINARY: Final = {
    f"a {operator} b": _each("a, b", f"a {operator} b", "for (const a of values) for (const b of values)")
    for operator in _BINARY
}
CONSTANT: Final = {
    f"a {operator} {constant}": _each("a", f"a {operator} {constant}", "for (const a of values)")
    for operator in ("+", "-", "*", "/", "%", "|", ">>>", "<<", "<", "===", "==", "!==")
    for constant in ("1", "0.5", "-1", "null", "'x'", "true")
}
UNARY: Final = {text: _each("a", text, "for (const a of values)") for text in _UNARY}

OTHERS: Final = {
    "sums in variables": "function run() { let i = 2147483640, s = 0; for (let n = 0; n < 20; n++) { i++; s += i; } return [i, s]; }",
    "a sum that becomes text": "function run() { let s = 1; for (let n = 0; n < 3; n++) s += n === 1 ? 'x' : 2; return s; }",
    "a variable while its alias waits": "function run() { let a = {n: 1}; const f = () => 5; let b = [a, a = {n: 2}, a, f()]; return b.map(x => x.n ?? x); }",
    "the old value and the new": "function run() { let a = 1; const r = [a++, a, ++a, a--, a]; let t = '5'; return [...r, t++, t]; }",
    "closures that share": "function run() { let n = 0; const up = () => ++n, get = () => n; up(); n += 5; up(); return [get(), n]; }",
    "closures of each turn": "function run() { const all = []; for (let i = 0; i < 3; i++) all.push(() => i++ * 10); return all.map(f => f() + f()); }",
    "arguments": "function f(a) { a = 5; arguments[0]++; return [a, arguments.length, arguments[1]]; } function g(a) { 'use strict'; a = 9; return arguments[0]; } function run() { return [f(1, 2), f(), g(3)]; }",
    "rest, spread and defaults": "function f(a, b = a + 1, ...c) { return [a, b, c]; } function run() { return [f(1), f(1, 2, 3, 4), f(...[7, undefined, 8])]; }",
    "missing and surplus arguments": "function f(a, b) { return [a, b]; } function run() { return [f(), f(1), f(1, 2, 3)]; }",
    "arguments that are written": "function f(n) { let s = 0; while (n--) s += n; return s; } function run() { const x = {}; function g(o) { o = [o]; return o; } return [f(5), g(x)[0] === x]; }",
    "this": "function f() { return typeof this; } function g() { 'use strict'; return typeof this; } function run() { return [f.call(1), g.call(1), f.call(undefined) === 'object', g.call(undefined)]; }",
    "classes": "class A { #p = 1; static s = 2; constructor(x) { this.x = x; } get y() { return this.x + this.#p; } set y(v) { this.x = v; } m() { return 'A' + this.y; } } class B extends A { constructor() { super(4); this.z = 1; } m() { return 'B' + super.m(); } } function run() { const b = new B; b.y = 9; return [b.m(), A.s, b.x, b.z, b instanceof A]; }",
    "a class without new": "class A { constructor() {} } function run() { try { A(); } catch (e) { return String(e); } }",
    "this before super": "class A {} class B extends A { constructor(early) { if (early) this.x = 1; super(); } } function run() { try { new B(1); } catch (e) { return [String(e), new B(0) instanceof A]; } }",
    "a property on shapes that change": "function get(o) { return o.x; } function run() { const p = {x: 'p'}, o = Object.create(p); const r = [get(o), get(o)]; p.x = 'q'; r.push(get(o)); o.x = 'own'; r.push(get(o)); delete o.x; r.push(get(o)); delete p.x; r.push(get(o)); Object.defineProperty(p, 'x', {get() { return 'getter'; }, configurable: true}); r.push(get(o)); Object.setPrototypeOf(o, {x: 'new'}); r.push(get(o)); return r; }",
    "a property far up": "function get(o) { return o.far; } function run() { class A {} class B extends A {} class C extends B {} const c = new C; const r = [get(c)]; A.prototype.far = 1; r.push(get(c), get(c)); B.prototype.far = 2; r.push(get(c)); delete B.prototype.far; r.push(get(c)); return r; }",
    "writing what changes": "function put(o, v) { o.x = v; } function run() { 'use strict'; const r = []; const all = [{x: 1}, {}, {y: 1}, Object.create({set x(v) { r.push('set ' + v); }}), Object.create(Object.freeze({x: 3}))]; for (let n = 0; n < 3; n++) for (const o of all) { try { put(o, n); } catch (e) { r.push(String(e)); } r.push(o.x); } return r; }",
    "adding the same properties": "function P(a, b) { this.a = a; this.b = b; } function make(n) { return {n, m: n + 1, ['k' + n]: 1}; } function run() { const r = []; for (let i = 0; i < 20; i++) { const p = new P(i, -i); if (i === 10) Object.defineProperty(P.prototype, 'b', {set(v) { this.c = v; }, configurable: true}); r.push(JSON.stringify(p), JSON.stringify(make(i))); } return r; }",
    "objects that take no more": "'use strict'; function put(o) { o.q = 1; return o.q; } function run() { const r = []; for (let i = 0; i < 6; i++) { const o = {}; if (i > 3) Object.preventExtensions(o); try { r.push(put(o)); } catch (e) { r.push(String(e)); } } return r; }",
    "properties of what has none": "function get(o) { return o.x; } function run() { return [get(1), get('s'), get(true), ...[null, undefined].map(v => { try { get(v); } catch (e) { return String(e) + e.stack; } })]; }",
    "lengths": "function n(o) { return o.length; } function run() { return [n([1, 2]), n('abc'), n('a'.repeat(9000) + 'b'), n({length: 7}), n(new Uint8Array(3)), n(() => 1)]; }",
    "elements": "function at(a, i) { return a[i]; } function run() { const all = [[1, , 3], 'abc', new Float64Array([0.5, NaN]), new Uint32Array([4294967295, 1]), new Int32Array([-5]), new Uint16Array([65535]), new Uint8ClampedArray([300]), new Float32Array([0.1]), {1: 'x'}]; const r = []; for (const a of all) for (const i of [0, 1, 2, -1, 1.5, '0', 'length']) r.push(at(a, i)); return r.map(String); }",
    "writing elements": "function put(a, i, v) { a[i] = v; } function run() { const r = []; for (const a of [[1, 2], new Float64Array(2), new Uint8Array(2), new Int32Array(2), {}]) { for (const [i, v] of [[0, 5], [1, 'x'], [2, 1.5], [5, 9], ['k', 1]]) put(a, i, v); r.push(JSON.stringify(a), Object.keys(a).length); } return r; }",
    "chained and computed writes": "function run() { const o = {a: [1, 2]}, k = 'a'; let x; o.b = x = o[k][1] += 5; o[k].n = o[k][0]++; return [JSON.stringify(o), x, o.a.n, o.a[0]]; }",
    "loops that end early": "function run() { const r = []; outer: for (let i = 0; i < 4; i++) { for (let j = 0; ; j++) { if (j === i) continue outer; if (i === 3) break outer; r.push(i * 10 + j); } } let n = 0; do { n += 2; } while (n < 7); return [r, n]; }",
    "iterators and what closes them": "function* g() { try { yield 1; yield 2; } finally { log.push('closed'); } } const log = []; function run() { for (const v of g()) { if (v === 1) break; } for (const v of [5, 6]) log.push(v); for (const [k, v] of new Map([[1, 2]])) log.push(k + v); return log; }",
    "for in": "function run() { const r = []; for (const k in Object.assign(Object.create({z: 1}), {a: 1, b: 2})) r.push(k); return r; }",
    "destructuring": "function run() { const [a, , b = 5, ...c] = [1, 2, undefined, 4, 5]; const {x, y: {z} = {z: 3}, ...w} = {x: 1, q: 2}; return [a, b, c, x, z, w.q]; }",
    "exceptions": "function f(n) { try { if (n === 1) throw new Error('one'); if (n === 2) return 'two'; null.x; } catch (e) { return e.message; } finally { log.push(n); } } const log = []; function run() { return [f(1), f(2), f(3), log]; }",
    "exceptions through many": "function f(n) { if (!n) throw new TypeError('deep'); return [n, f(n - 1)]; } function run() { const kept = {}; try { f(5); } catch (e) { return [e.message, e.stack, kept !== null]; } }",
    "where an error is": "function f(a,\\n  b) {\\n  const c = a.x;\\n  return c.\\n    missing(b);\\n}\\nfunction run() {\\n  try { f({x: {}}, 1); } catch (e) { return e.stack; }\\n}".replace("\\n", "\n"),
    "variables before they are": "function run() { const r = []; const f = () => late; try { f(); } catch (e) { r.push(String(e)); } let late = 1; r.push(f()); try { x = 1; let x; } catch (e) { r.push(String(e)); } return r; }",
    "globals": "var g = 1; let l = 2; function f() { return [g, l, typeof nowhere]; } function run() { const r = [f(), f()]; g = 5; l = 6; globalThis.added = 1; r.push(f()); try { nowhere; } catch (e) { r.push(String(e)); } globalThis.nowhere = 3; r.push(f()); delete globalThis.nowhere; r.push(f()); return r; }",
    "switch on texts": "function f(v) { switch (v) { case 'a': return 1; case 'bc': return 2; case '': return 3; case 'd': case 'e': return 4; default: return 5; } } function run() { return ['a', 'b' + 'c', '', 'd', 'e', 'f', 1, null, {}, 'xa'.slice(1)].map(f); }",
    "switch on numbers": "function f(v) { switch (v) { case 0: return 'no'; case 1: case 2: return 'few'; case 1e9: return 'many'; case -1: return 'less'; default: return 'other'; } } function run() { return [0, -0, 1, 2, 1e9, -1, 0.5, '1', NaN, null, true].map(f); }",
    "switch": "function f(v) { switch (v) { case 1: return 'one'; case '1': return 'text'; case null: case undefined: return 'none'; default: return 'other'; } } function run() { return [1, '1', null, undefined, 2, NaN, {}].map(f); }",
    "optional chaining": "function f(o) { return [o?.a?.b, o?.m?.(1), o?.[0] ?? 'd']; } function run() { return [f(null), f({a: {b: 1}, m: x => x}), f([7])]; }",
    "labels, commas and conditions": "function run() { let n = 0; const r = (n++, n > 0 && n < 5 || n === 9) ? [n, -n] : 0; return [r, !n, !!n, n ? 'y' : 'n']; }",
    "text of many pieces": "function run() { let s = ''; for (let i = 0; i < 3000; i++) s += String.fromCharCode(97 + i % 26); let h = 0; for (let i = 0; i < s.length; i++) h = (h * 31 + s.charCodeAt(i)) | 0; return [h, s.length, s[2999], s.charCodeAt(-1), s.charCodeAt(3000)]; }",
    "built-in methods": "function run() { const a = []; for (let i = 0; i < 30; i++) a.push(i, -i); a.push(); return [a.length, a.pop(), Math.sqrt(2), Math.floor(-0.5), Math.abs('3'), Math.sin(NaN), a.map((x, i) => x * i).reduce((x, y) => x + y)]; }",
    "push to what is odd": "function push(a, v) { try { return a.push(v); } catch (e) { return String(e); } } function run() { class L extends Array {} const l = new L; return [push([], 1), push(l, 1), l.length, push(Object.freeze([1]), 2), push({push: v => -v}, 3)]; }",
    "recursion without end": "function f(n) { return f(n + 1) + 1; } function run() { try { f(0); } catch (e) { return e.constructor.name; } }",
    "regular expressions and templates": "function run() { const t = (s, ...v) => s.raw.join('|') + v; return [/a(b)/.exec('xab')[1], `a${1 + 1}b`, t`x${1}y\\n`, 'a-b'.replace(/-/g, m => m + m)]; }",
    "a collection in the middle": "function f(n) { const o = {n}; o.self = o; return n ? [o, f(n - 1)] : o; } function run() { let last; for (let i = 0; i < 200; i++) last = f(20); let d = 0; for (let p = last; Array.isArray(p); p = p[1]) d += p[0].self.n; return d; }",
    "bigint loops": "function run() { let a = 1n; for (let i = 0; i < 70; i++) a *= 2n; a++; return [String(a), String(-a), a > 5, a == 1]; }",
    "generators and promises beside it": "function* g(n) { for (let i = 0; i < n; i++) yield i * i; } function sum(n) { let s = 0; for (const v of g(n)) s += v; return s; } function run() { return sum(10); }",
}  # fmt: skip

ALL: Final = BINARY | CONSTANT | UNARY | OTHERS
