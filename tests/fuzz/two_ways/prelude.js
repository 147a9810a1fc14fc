// What random programs are made of, and how they show what they come to. Each script has all of this to itself.
const shown = [];
let steps = 0;
const tick = () => { if (++steps > 250) throw new RangeError('steps') };
const show = (v, depth = 0) => {
  switch (typeof v) {
    case 'number': return Object.is(v, -0) ? '-0' : String(v);
    case 'string': return v.length > 60 ? `${v.length}:${v.slice(0, 9)}:${v.slice(-9)}` : JSON.stringify(v);
    case 'bigint': return v + 'n';
    case 'symbol': return `Symbol(${v.description})`;
    case 'function': return 'f';
    case 'object': break;
    default: return String(v);
  }
  if (v === null) return 'null';
  if (depth > 3) return '...';
  if (v instanceof Error) return v.name;
  if (v instanceof Map || v instanceof ListMap)
    return `M[${[...v.entries()].map(e => show(e, depth + 1))}]`;
  const array = Array.isArray(v), parts = [];
  const keys = Reflect.ownKeys(v);
  for (const key of keys.slice(0, 25)) {
    const d = Reflect.getOwnPropertyDescriptor(v, key);
    if (!d) continue;
    const flags = (d.writable ? '' : 'r') + (d.enumerable ? '' : 'h') + (d.configurable ? '' : 'p');
    parts.push(`${typeof key === 'symbol' ? show(key) : key}${flags}=${'value' in d ? show(d.value, depth + 1) : 'accessor'}`);
  }
  return `${array ? '[' : '{'}${keys.length} ${parts.join()}${Object.isExtensible(v) ? '' : '!'}`;
};
const log = v => { if (shown.length < 400) shown.push(show(v)); return v };
const k = name => name.slice(0, 1) + name.slice(1);
const same = (a, b) => [a].indexOf(b) === 0;
const ob = v => v !== null && typeof v === 'object' ? v : {};
const ar = v => Array.isArray(v) ? v : [v, , v];
const st = v => typeof v === 'string' ? v : typeof v === 'symbol' ? 's' : show(v);
const safe = f => { try { return f() } catch (e) { log(e); return e instanceof RangeError ? 1 : e.name } };
const fn = v => typeof v === 'function' ? v : x => x;
const literal = pairs => {
  const made = {};
  for (const [key, value] of pairs)
    Object.defineProperty(made, key, {value, writable: true, enumerable: true, configurable: true});
  return made;
};
const walk = v => Array.isArray(v) && v[Symbol.iterator] === Array.prototype.values ? (function* () { for (let i = 0; i < v.length; i++) yield v[i] })() : v;
class LongRegExp extends RegExp {
  #source;
  constructor(source, flags) {
    super(typeof source === 'string' ? `(?=)(?:${source})` : source, flags);
    this.#source = typeof source === 'string' ? new RegExp(source, flags).source : source.source;
  }
  get source() { return this.#source }
}
class ListMap {
  #list = [];
  #find(key) { return this.#list.findIndex(e => e[0] === key || e[0] !== e[0] && key !== key) }
  set(key, v) {
    const at = this.#find(key);
    if (at < 0) this.#list.push([key === 0 ? 0 : key, v]); else this.#list[at][1] = v;
    return this;
  }
  get(key) { const at = this.#find(key); return at < 0 ? undefined : this.#list[at][1] }
  has(key) { return this.#find(key) >= 0 }
  delete(key) { const at = this.#find(key); if (at >= 0) this.#list.splice(at, 1); return at >= 0 }
  get size() { return this.#list.length }
  entries() { return this.#list.map(e => [...e])[Symbol.iterator]() }
  [Symbol.iterator]() { return this.entries() }
  get [Symbol.toStringTag]() { return 'Map' }
}
Function.prototype.toString = () => 'f';
const many = (count, make) => { const all = []; for (let i = 0; i < count; i++) all.push(make(i)); return all };
const mayhem = depth => {
  const kept = [];
  for (let i = 0; i < 60; i++) {
    const proto = {['p' + i % 7]: i, kept};
    const made = Object.create(proto);
    made['q' + i % 5] = i;
    made.r = proto;
    if (i % 3) kept.push(made); else kept.length = 0;
  }
  return kept.length;
};
const symbols = [Symbol('a'), Symbol('b'), Symbol.for('c')];
const keys = [0, -0, 1, -1, 1.5, NaN, 2 ** 31, 2 ** 31 - 1, -(2 ** 31), 2 ** 32, 2 ** 53, 1e300, Infinity, '', '0', 'a', 'length',
  'a'.repeat(9000), '\u4e00', 0n, 1n, -1n, 2n ** 31n, 2n ** 64n, -(2n ** 64n), true, false, null, undefined, ...symbols, {}, [], show];
const results = [];
const reset = () => { shown.length = 0; steps = 0 };
const run = program => {
  reset();
  try { const value = program(); steps = 0; log(value) } catch (e) { steps = 0; shown.push('threw ' + (e instanceof Error ? e.name : show(e))) }
  results.push(shown.join('\n'));
};
