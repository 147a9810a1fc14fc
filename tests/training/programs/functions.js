// Functions: closures, currying, arguments of all kinds, recursion, proxies, reflection, symbols, iterators by hand.

const curry = (f) => function next(...given) {
  return given.length >= f.length ? f(...given) : (...more) => next(...given, ...more);
};
const compose = (...steps) => (value) => steps.reduceRight((result, step) => step(result), value);
function counter(start = 0, { step = 1, limit = Infinity } = {}) {
  let count = start;
  return {
    next: () => (count = Math.min(count + step, limit)), reset() { count = start; }, get value() { return count; },
  };
}
function total() { let sum = 0; for (let i = 0; i < arguments.length; i++) sum += arguments[i]; return sum; }

function closures() {
  const add = curry((a, b, c) => a + b + c), work = compose((x) => x * 2, add(1)(2), Math.abs), made = [];
  for (let i = 0; i < 80; i++) made.push(() => i * i);
  const c = counter(5, { step: 3, limit: 400 });
  let sum = 0;
  for (const f of made) {
    sum += f() + work(-f()) + c.next() + total(1, 2, f()) + total.call(null, 1, 2) + total.apply(null, [1, 2, 3]);
    sum += total.bind(null, 4, 5)(6) + Math.max(...[1, f(), 3]) + ((a, b = a, ...rest) => a + b + rest.length)(1);
    sum += (function fact(n) { return n < 2 ? 1 : n * fact(n - 1); })(6);
  }
  c.reset();
  return sum + c.value;
}

// What is captured and written to, by functions of both kinds.
function captured() {
  var a = 1, b = "", c = 2.5, d = null, e = 0;
  let f = 0, g = [], h = true;
  const steps = [
    function () { a++; b += a; return a; }, () => { c *= 1.5; d = c; return (e = a = a + 1); },
    () => { b = b.slice(-9); d = a; c = c > 1e6 ? 2.5 : c; a = d % 1000; },
    () => { f++; h = !h; g = [...g, f]; return g.length; }, function step() {
      return (d ??= 7), (e += f), step.length + e;
    },
  ];
  for (let i = 0; i < 100; i++) steps[i % steps.length]();
  const later = [];
  for (let i = 0; i < 20; i++) later.push({ get: () => i, add(n) { i += n; return i; } });
  for (const { get, add } of later) e += add(2) + get();
  for (var k = 0; k < 3; k++) later.push({ get: () => k });
  return [a, b, c > 1e3, d === c, e, f, g.length, h, later.at(-1).get()].join();
}
function many(a, b, c, d, e, f = a + b, g = () => a, ...rest) {
  if (a > 0) { d = a; e = d + 1; c ||= e; b &&= c; f += e; }
  var sum = a + b + c + d + e + f + g() + rest.length;
  return sum;
}
function swapped(a, b, c, d) {
  for (var i = 0; i < 4; i++) { var t = a; a = b; b = c; c = d; d = t + i; }
  return arguments.length + a * 8 + b * 4 + c * 2 + d;
}
function memo(f, keyOf = (...given) => given.join()) {
  const seen = new Map();
  return Object.assign((...given) => {
    const key = keyOf(...given);
    if (!seen.has(key)) seen.set(key, f(...given));
    return seen.get(key);
  }, { seen, clear() { seen.clear(); } });
}
function recursions() {
  const fib = memo((n) => (n < 2 ? n : fib(n - 1) + fib(n - 2))),
    plain = (n) => (n < 2 ? n : plain(n - 1) + plain(n - 2));
  const hanoi = (n, from, to, by) => (n === 0 ? 0 : hanoi(n - 1, from, by, to) + 1 + hanoi(n - 1, by, to, from));
  const ackermann = (m, n) => (m === 0 ? n + 1 : n === 0 ? ackermann(m - 1, 1) : ackermann(m - 1, ackermann(m, n - 1)));
  const even = (n) => n === 0 || odd(n - 1), odd = (n) => n !== 0 && even(n - 1);
  const isObject = (value) => value && typeof value === "object";
  const count = (value) => (isObject(value) ? Object.values(value).reduce((n, v) => n + count(v), 1) : 1);
  const size = fib(60) % 1e6;
  fib.clear();
  return [size, fib.seen.size, plain(15), hanoi(8, "a", "b", "c"), ackermann(2, 5), even(80),
    count({ a: [1, { b: [2, 3] }], c: {} }), many(1, 2, 3), many(0, 1, 2, 3, 4), many(5, 4, 3, 2, 1, 0, () => 1, 8, 9),
    many.length, many.name, swapped(1, 2, 3, 4), swapped(9, 8)].join();
}

class Pair {
  constructor(a, b) { this.a = a; this.b = b; }
  get sum() { return this.a + this.b; }
}
function proxies() {
  const log = [];
  const target = { a: 1, b: { c: 2 } };
  const deep = (object) => new Proxy(object, {
    get: (from, key, self) => {
      const value = Reflect.get(from, key, self);
      return typeof value === "object" ? deep(value) : value ?? 0;
    },
    set(to, key, value) { log.push(key); return Reflect.set(to, key, value * 2); },
    has: (of, key) => key.startsWith("a") || Reflect.has(of, key),
    deleteProperty: (of, key) => Reflect.deleteProperty(of, key),
    ownKeys: (of) => Reflect.ownKeys(of).filter((key) => key !== "b"),
  });
  const seen = deep(target);
  const call = new Proxy(total, { apply: (f, self, values) => Reflect.apply(f, self, values) + 1 });
  let sum = 0;
  for (let i = 0; i < 40; i++) {
    seen.x = i;
    seen.b.c = i;
    sum += seen.b.c + seen.missing + ("abc" in seen ? 1 : 0) + ("b" in seen ? 1 : 0);
    sum += call(1, 2) + Object.keys(seen).length;
    delete seen.x;
  }
  return sum + log.length + Reflect.construct(Pair, [2, 3]).sum + Reflect.has(target, "a");
}

class Range {
  constructor(from, to, step = 1) { Object.assign(this, { from, to, step }); }
  *[Symbol.iterator]() { for (let i = this.from; i < this.to; i += this.step) yield i; }
  static [Symbol.hasInstance](value) { return "from" in value; }
}
function symbols() {
  const weak = new WeakMap(), kept = [], own = Symbol("own");
  let sum = 0;
  for (const i of new Range(0, 100)) { const key = { [own]: i }; kept.push(key); weak.set(key, i); }
  for (const key of kept) sum += weak.get(key) + key[own] + (weak.has({}) ? 1 : 0);
  const ref = new WeakRef(kept[5]), seen = new WeakSet(kept);
  const [first, , third, ...rest] = new Range(3, 40, 4);
  const manual = {
    n: 0, [Symbol.iterator]() { return this; }, next() { return { done: this.n > 20, value: this.n++ }; },
  };
  return [sum, ref.deref()[own], seen.has(kept[1]), first, third, rest.length, Math.max(...manual),
    { from: 1 } instanceof Range, own.description, Symbol.for("k") === Symbol.for("k"), `${{ toString: () => "ts" }}`,
    { valueOf: () => 20 } * 2 + 2].join();
}

function run() {
  let hash = 1;
  for (let round = 0; round < 40; round++) {
    const text = [closures(), captured(), recursions(), proxies(), symbols()].join("|");
    for (let i = 0; i < text.length; i++) hash = (hash * 33 + text.charCodeAt(i)) % 1000000007;
  }
  return hash;
}
