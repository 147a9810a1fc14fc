// JSON.stringify as ECMA-262 has it, step by step, and what compares it, and the two readers, with the engine's.
const quote = (text) =>
  '"' +
  text.replace(/["\\\u0000-\u001f]|[\ud800-\udbff](?![\udc00-\udfff])|(?<![\ud800-\udbff])[\udc00-\udfff]/g, (c) => {
    const short = { '"': '\\"', "\\": "\\\\", "\b": "\\b", "\f": "\\f", "\n": "\\n", "\r": "\\r", "\t": "\\t" }[c];
    return short ?? "\\u" + c.charCodeAt(0).toString(16).padStart(4, "0");
  }) +
  '"';

const isBoxed = (type, value) => {
  try {
    type.prototype.valueOf.call(value);
    return typeof value === "object";
  } catch {
    return false;
  }
};

function reference(value, replacer, space) {
  const stack = [];
  let list, call;
  if (typeof replacer === "function") call = replacer;
  else if (Array.isArray(replacer)) {
    list = [];
    for (let i = 0; i < replacer.length; i++) {
      let key = replacer[i];
      if (typeof key === "number" || isBoxed(String, key) || isBoxed(Number, key)) key = String(key);
      if (typeof key === "string" && !list.includes(key)) list.push(key);
    }
  }
  if (isBoxed(Number, space)) space = Number(space);
  else if (isBoxed(String, space)) space = String(space);
  let gap = "";
  if (typeof space === "number") gap = " ".repeat(Math.min(10, Math.max(0, Math.trunc(space))));
  else if (typeof space === "string") gap = space.slice(0, 10);
  const write = (holder, key, indent) => {
    let value = holder[key];
    if ((typeof value === "object" && value !== null) || typeof value === "function" || typeof value === "bigint") {
      const toJSON = value.toJSON;
      if (typeof toJSON === "function") value = toJSON.call(value, key);
    }
    if (call) value = call.call(holder, key, value);
    if (isBoxed(Number, value)) value = Number(value);
    else if (isBoxed(String, value)) value = String(value);
    else if (isBoxed(BigInt, value)) value = BigInt.prototype.valueOf.call(value);
    else if (isBoxed(Boolean, value)) value = Boolean.prototype.valueOf.call(value);
    if (value === null) return "null";
    if (typeof value === "boolean") return String(value);
    if (typeof value === "string") return quote(value);
    if (typeof value === "number") return Number.isFinite(value) ? String(value) : "null";
    if (typeof value === "bigint") throw new TypeError("BigInt are forbidden in JSON.stringify");
    if (typeof value !== "object") return undefined;
    if (stack.includes(value)) throw new TypeError("circular reference");
    stack.push(value);
    const inner = indent + gap, parts = [], isArray = Array.isArray(value);
    if (isArray) {
      const length = value.length;
      for (let i = 0; i < length; i++) parts.push(write(value, String(i), inner) ?? "null");
    } else {
      for (const key of list ?? Object.keys(value)) {
        const text = write(value, key, inner);
        if (text !== undefined) parts.push(quote(key) + (gap ? ": " : ":") + text);
      }
    }
    stack.pop();
    const [open, close] = isArray ? "[]" : "{}";
    if (!parts.length) return open + close;
    return gap ? `${open}\n${inner}${parts.join(",\n" + inner)}\n${indent}${close}` : open + parts.join(",") + close;
  };
  return write({ "": value }, "", "");
}

// What a program sees of a call: its value, or its error, and what it was asked meanwhile.
globalThis.told = [];
function seen(run) {
  told.length = 0;
  let outcome;
  try {
    outcome = run();
  } catch (error) {
    outcome = error instanceof Error ? `${error.name}: ${error.message}` : error;
  }
  return { outcome, told: told.join() };
}

// A proxy that tells what it is asked.
const watched = (target, name = "") =>
  new Proxy(target, new Proxy({}, { get: (_, trap) => (_, ...rest) => {
    told.push(name + trap + (typeof rest[0] === "string" ? ":" + rest[0] : ""));
    return Reflect[trap](target, ...rest);
  } }));

function isSame(one, other) {
  if (typeof one !== "object" || one === null || typeof other !== "object" || other === null) return Object.is(one, other);
  const keys = Reflect.ownKeys(one), others = Reflect.ownKeys(other);
  const described = (object, key) => {
    const { value, ...rest } = Object.getOwnPropertyDescriptor(object, key);
    return Object.entries(rest).join();
  };
  return Array.isArray(one) === Array.isArray(other) && Object.getPrototypeOf(one) === Object.getPrototypeOf(other) &&
    keys.length === others.length &&
    keys.every((key, i) => key === others[i] && described(one, key) === described(other, key) && isSame(one[key], other[key]));
}

// The texts, alone and as a part of another, that are read otherwise where a reviver has a look: by the engine's own reader.
globalThis.readOtherwise = (texts) =>
  texts.flatMap((text) => [text, `--${text}7`.slice(2, -1)]).filter((text) => {
    const one = seen(() => JSON.parse(text)), other = seen(() => JSON.parse(text, (_, value) => value));
    return !isSame(one, other);
  });

// What is written: a name, and how to make it. Some of it tells what it is asked, some changes while it is written.
const WRITTEN = {
  "scalars": () => [1, -0, 1.5, 1e21, 1e-7, NaN, -Infinity, true, false, null, undefined, () => 1, Symbol(), 'x', ''],
  "members that are left out": () => ({ a: undefined, b: () => 1, c: Symbol(), d: 1, [Symbol()]: 2, e: class {} }),
  "keys that are indexes": () => ({ b: 1, 2: 1, a: 2, 1: 2, 4294967294: 1, 4294967295: 2, '-1': 3, '01': 4 }),
  "a getter": () => ({ get a() { told.push('a'); return 1 }, b: 2 }),
  "a getter that adds": () => ({ a: 1, get b() { this.d = 1; this.a = 5; return 2 }, c: 3 }),
  "a getter that deletes": () => ({ get a() { delete this.b; delete this.c; return 1 }, b: 2, c: 3, d: { e: 1 } }),
  "a getter that hides": () => ({ get a() { Object.defineProperty(this, 'b', { enumerable: false }); return 1 }, b: 2, c: 3 }),
  "a getter that throws": () => ({ get a() { throw new Error('a') }, b: 1 }),
  "a deleted key": () => (() => { const o = { a: 1, b: 2, c: 3 }; delete o.a; o.d = { e: 1 }; return o })(),
  "what is inherited": () => Object.create({ a: 1 }, { b: { value: 2, enumerable: true }, c: { value: 3 } }),
  "a deleted key that is inherited": () => (() => { const o = Object.create({ b: 7 }); o.a = { toJSON() { delete o.b; return 1 } }; o.b = 2; return o })(),
  "toJSON": () => ({ a: { toJSON(key) { told.push(key, typeof key); return { b: 1 } } }, d: [{ toJSON(key) { return key } }] }),
  "toJSON of a class": () => new (class A { x = 1; toJSON() { return [this.x, { toJSON: () => 2 }] } }),
  "toJSON that is no function": () => ({ a: { toJSON: 1 }, b: { toJSON: null, x: 1 } }),
  "toJSON by a getter": () => ({ a: { get toJSON() { told.push('got'); return () => 1 } } }),
  "toJSON that changes the holder": () => (() => { const o = { a: { toJSON() { o.b = 9; o.z = 1; delete o.c; return 1 } }, b: 1, c: 2, d: 3 }; return o })(),
  "toJSON that shortens an array": () => (() => { const a = [{ toJSON() { a.length = 1; return 0 } }, 1, 2]; return a })(),
  "toJSON that lengthens an array": () => (() => { const a = [{ toJSON() { a.push(7); a[1] = 8; return 0 } }, 1]; return a })(),
  "toJSON that writes itself": () => (() => { const o = { a: 1, toJSON() { const { toJSON, ...rest } = o; return JSON.stringify(rest) } }; return [o, o] })(),
  "a date": () => [new Date(0), { d: new Date(NaN) }],
  "boxed values": () => [Object(1), Object('x'), Object(false), { a: Object(2) }],
  "a boxed value with its own valueOf": () => [Object.assign(Object(1), { valueOf() { told.push('v'); return 3 } }), Object.assign(Object('x'), { toString() { return 'y' } })],
  "a BigInt": () => ({ a: 1, b: [1n] }),
  "a boxed BigInt": () => [Object(1n)],
  "holes": () => [1, , 3, ...Array(2)],
  "a sparse array": () => (() => { const a = []; a[5] = 1; a.x = 2; return a })(),
  "an array of another prototype": () => Object.setPrototypeOf([1, , 2], { 1: 'inherited' }),
  "collections": () => [new Map([[1, 2]]), new Set([1]), new Uint8Array([1, 2]), /x/, new Error('e'), Math.max],
  "arguments": () => (function () { return arguments })(1, { a: 2 }),
  "a null prototype": () => Object.assign(Object.create(null), { a: 1, b: [] }),
  "a cycle": () => (() => { const o = { a: {} }; o.a.b = [o]; return o })(),
  "a cycle through an array": () => (() => { const a = [[]]; a[0].push(a); return a })(),
  "twice the same": () => (() => { const o = { a: 1 }; return [o, o, { o }] })(),
  "a proxy": () => watched({ a: 1, b: { c: 2 } }),
  "a proxy of an array": () => ({ a: watched([1, watched({ b: 2 }, 'inner ')], 'outer ') }),
  "a proxy as prototype": () => Object.setPrototypeOf({ a: 1, o: {} }, watched({ b: 2 })),
  "texts": () => [...'"\\\b\f\n\r\t\u0001\u001f\u007f\ud800', '\ud800\udc00', '\udc00\ud800x', '—"—', 'é\n', 'x'.repeat(9000) + '"' + '—'],
  "keys to escape": () => ({ '"': 1, '—\n': 2, '\ud800': 3, '': 4, ['k'.repeat(5000)]: 5 }),
  "ropes": () => (() => { let s = ''; for (let i = 0; i < 3000; i++) s += 'ab"'; return [s, { [s]: s }] })(),
  "a text alone": () => 'x',
  "nothing": () => undefined,
  "a function": () => () => 1,
  "depth": () => (() => { let v = 1; for (let i = 0; i < 100; i++) v = i % 2 ? [v] : { v, i }; return v })(),
  "what is frozen": () => Object.freeze({ a: Object.freeze([1, { b: 2 }]) }),
  "a prototype": () => (() => { class A {} A.prototype.x = { y: 1 }; return A.prototype })(),
  "floats": () => Array.from({ length: 200 }, (_, i) => i / 8 - i * i / 3),
};

const REPLACERS = {
  "none": () => undefined,
  "a tracing one": () => function (key, value) { told.push(key, typeof key, Array.isArray(this)); return value },
  "one that drops": () => (key, value) => (typeof value === 'number' ? undefined : value),
  "one that changes the holder": () => function (key, value) { if (key === 'a') this.zz = 1; return value },
  "one that replaces": () => (key, value) => (key === 'a' || key === '0' ? { x: 1 } : value),
  "a list": () => ['b', 'a', 'a', 1, Object('c'), {}, 'x'],
  "an empty list": () => [],
};

// The names of what the engine writes, or asks, otherwise with a replacer.
globalThis.writtenOtherwise = (replacer) =>
  Object.entries(WRITTEN).flatMap(([name, make]) => [undefined, 2, "--"].filter((space) => {
    const one = seen(() => JSON.stringify(make(), REPLACERS[replacer](), space));
    const other = seen(() => reference(make(), REPLACERS[replacer](), space));
    return one.outcome !== other.outcome || one.told !== other.told;
  }).map((space) => [name, space]));

Object.keys(REPLACERS);
