"""Programs that recurse without end, or deeper than any stack: through calls, built-in functions and texts."""

from __future__ import annotations

DEEP = 200_000

# `N` is a depth that no stack of ours has.
_PROGRAMS = {
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
    "proxy traps": "const p = new Proxy({}, {get: (t, k, r) => r[k]}); p.x",
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
}

_BUILT_INS = {
    "Reflect.construct": "class A { constructor() { Reflect.construct(A, []) } } new A()",
    "new of bound functions": "let f = class {}; for (let i = 0; i < N; i++) { f = f.bind(); delete f.name } new f()",
    "instanceof of bound functions": """
        let f = class {}; for (let i = 0; i < N; i++) { f = f.bind(); delete f.name } ({}) instanceof f
    """,
    "call of call": "function f() { return f.call.call(f) } f()",
    "apply of apply": "function f() { return Reflect.apply(f.apply, f, [null, []]) } f()",
    "a field": "class A { x = new A() } new A()",
    "constructors of parents": "let C = class {}; for (let i = 0; i < 2e4; i++) C = class extends C {}; new C()",
    "super() of parents": """
        let C = class {};
        for (let i = 0; i < 2e4; i++) { const P = C; C = class extends P { constructor() { super() } } }
        new C()
    """,
    "with": "const f = Function('o', 'with (o) return x'), o = { get [Symbol.unscopables]() { f(o) }, x: 1 }; f(o)",
    "using": "const f = () => { using x = { [Symbol.dispose]() { f() } } }; f()",
    "a promise's constructor": """
        const p = Promise.resolve(1);
        Object.defineProperty(p, 'constructor', { get() { return Promise.resolve(p) } });
        Promise.resolve(p)
    """,
    "Array.from and a function": "const f = () => Array.from([1], f); f()",
    "Array.from and an iterator": "const o = { [Symbol.iterator]() { return Array.from(o) } }; Array.from(o)",
    "Array.from and a constructor": "function F() { Array.from.call(F, [1]) } new F()",
    "Array.of": "function F() { Array.of.call(F, 1) } new F()",
    "species": """
        class A extends Array { static get [Symbol.species]() { return B } }
        class B { constructor() { new A(1).map((x) => x) } }
        new B()
    """,
    "concat": "const o = { get [Symbol.isConcatSpreadable]() { return [].concat(o) } }; [].concat(o)",
    "toLocaleString": "const a = [{ toLocaleString() { return a.toLocaleString() } }]; a.toLocaleString()",
    "toLocaleString of arrays": "let a = []; for (let i = 0; i < N; i++) a = [a]; a.toLocaleString()",
    "flatMap": "const f = () => [1].flatMap(f); f()",
    "set of a typed array": "const f = () => new Uint8Array(1).set({ length: 1, get 0() { return f() } }); f()",
    "fill of a typed array": "const u = new Uint8Array(1), o = { valueOf() { u.fill(o) } }; u.fill(o)",
    "a typed array": "const o = { length: 1, get 0() { new Uint8Array(o) } }; new Uint8Array(o)",
    "a Map": "const o = { [Symbol.iterator]() { new Map(o) } }; new Map(o)",
    "union of Sets": "const o = { get size() { return new Set().union(o) } }; new Set().union(o)",
    "Object.assign": "const o = { get x() { return Object.assign({}, o) } }; Object.assign({}, o)",
    "Object.entries": "const o = { get x() { return Object.entries(o) } }; Object.entries(o)",
    "Object.fromEntries": "const o = { [Symbol.iterator]() { Object.fromEntries(o) } }; Object.fromEntries(o)",
    "Object.defineProperties": "const o = { get x() { Object.defineProperties({}, o) } }; o.x",
    "a descriptor": "const f = () => Object.defineProperty({}, 'x', { get get() { f() } }); f()",
    "String.raw": "const o = { get raw() { String.raw(o) } }; String.raw(o)",
    "split": "const o = { [Symbol.split]() { ''.split(o) } }; ''.split(o)",
    "exec": "const r = /a/; r.exec = () => r.test('a'); r.test('a')",
    "matchAll": "const r = /a/g, f = () => 'a'.matchAll(r); Object.defineProperty(r, 'constructor', { get: f }); f()",
    "a regexp's flags": "const r = /a/; Object.defineProperty(r, 'global', { get: () => r.flags }); r.flags",
    "a Date as JSON": "const d = new Date(); d.toISOString = () => JSON.stringify(d); JSON.stringify(d)",
    "Number": "const o = { valueOf() { return Number(o) } }; Number(o)",
    "Math.max": "const o = { valueOf() { return Math.max(o, 1) } }; Math.max(o, 1)",
    "a shift": "const o = { valueOf() { return o << 1 } }; o << 1",
    "a comparison": "const o = { valueOf() { return o < o } }; o < o",
    "equality": "const o = { valueOf() { return o == 1 } }; o == 1",
    "an error's cause": "const o = { get cause() { new Error('x', o) } }; new Error('x', o)",
    "an AggregateError": "const o = { [Symbol.iterator]() { new AggregateError(o) } }; new AggregateError(o)",
    "generators of generators": """
        function* g(it) { yield* it } let it = []; for (let i = 0; i < 2e4; i++) it = g(it); it.next()
    """,
    "a has trap": "const p = new Proxy({}, { has: () => 'x' in p }); 'x' in p",
    "an ownKeys trap": "const p = new Proxy({}, { ownKeys: () => Reflect.ownKeys(p) }); Object.keys(p)",
    "a getPrototypeOf trap": "const p = new Proxy({}, { getPrototypeOf: () => p instanceof Map }); p instanceof Map",
    "a defineProperty trap": """
        const f = () => Object.defineProperty(p, 'x', { value: 1 }), p = new Proxy({}, { defineProperty: f }); f()
    """,
    "a getOwnPropertyDescriptor trap": """
        const f = () => Object.getOwnPropertyDescriptor(p, 'x'), p = new Proxy({}, { getOwnPropertyDescriptor: f }); f()
    """,
    "an apply trap": "const p = new Proxy(() => 1, { apply: () => p() }); p()",
    "a construct trap": "const P = new Proxy(class {}, { construct: () => new P() }); new P()",
}

# What is done to a proxy of a proxy of a proxy, none of which has a trap.
_PROXIES = {
    "get": "p.x",
    "set": "p.x = 1",
    "has": "'x' in p",
    "deleteProperty": "delete p.x",
    "defineProperty": "Object.defineProperty(p, 'x', { value: 1 })",
    "getOwnPropertyDescriptor": "Object.getOwnPropertyDescriptor(p, 'x')",
    "ownKeys": "Object.keys(p)",
    "for in": "for (const key in p);",
    "getPrototypeOf": "Object.getPrototypeOf(p)",
    "setPrototypeOf": "Object.setPrototypeOf(p, null)",
    "isExtensible": "Object.isFrozen(p)",
    "preventExtensions": "Object.freeze(p)",
    "apply": "p()",
    "construct": "new p()",
}

# What makes an iterator of an iterator.
_ITERATORS = {
    "map": "it.map((x) => x)",
    "filter": "it.filter((x) => x)",
    "take": "it.take(1)",
    "drop": "it.drop(0)",
    "flatMap": "it.flatMap((x) => [[1]])",
    "Iterator.concat": "Iterator.concat(it)",
}

_TEXTS = {
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
    "names of methods": "eval('class A{['.repeat(N))",
    "a regexp's classes": "new RegExp('[a--'.repeat(N), 'v')",
}

# Name -> a program that throws.
SHAPES = {
    **_PROGRAMS,
    **_BUILT_INS,
    **{
        f"{name} of proxies": f"let p = function () {{}}; for (let i = 0; i < N; i++) p = new Proxy(p, {{}}); {use}"
        for name, use in _PROXIES.items()
    },
    **{
        f"{name} of iterators": f"let it = [[1]].values(); for (let i = 0; i < N; i++) it = {made}; it.next()"
        for name, made in _ITERATORS.items()
    },
    "return of iterators": "let it = [1].values(); for (let i = 0; i < N; i++) it = it.map((x) => x); it.return()",
    **_TEXTS,
}


def code_of(body: str, depth: int = DEEP) -> str:
    return f"const N = {depth}; {body}"
