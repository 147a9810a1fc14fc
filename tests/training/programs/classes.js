// Classes and functions: inheritance, private members, accessors, prototypes by hand, closures, proxies, symbols.

class Shape {
  static made = 0;
  static #registry = new Map();
  static create(kind, ...sizes) { return new (Shape.#registry.get(kind) ?? Shape)(...sizes); }
  static register(kind, type) { Shape.#registry.set(kind, type); return type; }
  static { this.origin = Object.freeze({ x: 0, y: 0 }); }
  #label = "shape";
  x = 0;
  y = 0;
  constructor(label) { Shape.made++; if (label) this.#label = label; }
  get label() { return this.#label; }
  set label(text) { this.#label = String(text).trim(); }
  #check(other) { return #label in other && other.#label === this.#label; }
  same(other) { return this.#check(other); }
  area() { return 0; }
  move(dx = 1, dy = dx) { this.x += dx; this.y += dy; return this; }
  describe() { return `${this.label} ${this.area().toFixed(1)} at ${this.x},${this.y}`; }
  [Symbol.toPrimitive](hint) { return hint === "number" ? this.area() : this.describe(); }
  get [Symbol.toStringTag]() { return "Shape"; }
}
class Box extends Shape {
  constructor(width, height = width) { super("box"); Object.assign(this, { width, height }); }
  area() { return this.width * this.height; }
  describe() { return "[" + super.describe() + "]"; }
}
class Cube extends Box {
  #depth;
  constructor(size) { super(size); this.#depth = size; this.label = " cube "; }
  get volume() { return super.area() * this.#depth; }
  area() { return 6 * super.area(); }
  static unit() { return new this(1); }
}
class Disc extends Shape {
  radius = 2;
  constructor(radius) { super("disc"); this.radius = radius; }
  area = () => 3 * this.radius ** 2;
}
for (const [kind, type] of Object.entries({ Box, Cube, Disc })) Shape.register(kind, type);

function shapes() {
  let sum = 0, text = "";
  const all = [];
  for (let i = 1; i <= 150; i++) all.push(Shape.create(["Box", "Cube", "Disc", "None"][i % 4], i % 7, (i % 5) + 1));
  for (const shape of all) {
    sum += shape.move(2).area() + +shape + (shape instanceof Box ? 1 : 0) + (shape instanceof Cube ? shape.volume : 0);
    if (shape.same(all[0])) sum += 1;
    text = `${shape}` + Object.prototype.toString.call(shape);
  }
  return sum + text + Cube.unit().describe() + (Shape.made > 0) + Object.keys(all[3]).join() + (Shape.origin.x = 0);
}

function Account(owner, balance) { this.owner = owner; this.balance = balance; }
Account.prototype.deposit = function (amount) { this.balance += amount; return this; };
Account.prototype.toString = function () { return this.owner + ":" + this.balance; };
function Savings(owner, balance, rate) { Account.call(this, owner, balance); this.rate = rate; }
Savings.prototype = Object.create(Account.prototype, { constructor: { value: Savings, writable: true } });
Savings.prototype.deposit = function () { Account.prototype.deposit.apply(this, arguments); this.count = (this.count | 0) + 1; return this; };

function prototypes() {
  let total = 0;
  for (let i = 0; i < 200; i++) {
    const account = i % 2 ? new Savings("s" + i, i, 0.1) : new Account("a" + i, i);
    account.deposit(10).deposit(i);
    total += account.balance + String(account).length + (account.count ?? 0) + (account.constructor === Savings ? 1 : 0);
    total += Object.getPrototypeOf(account).hasOwnProperty("deposit") && Account.prototype.isPrototypeOf(account) ? 1 : 0;
  }
  return total;
}

const Serializable = (Base) => class extends Base { save() { return JSON.stringify(this); } };
const Observable = (Base) => class extends Base {
  #listeners = new Set();
  on(listener) { this.#listeners.add(listener); return () => this.#listeners.delete(listener); }
  emit(...values) { for (const listener of this.#listeners) listener.apply(this, values); }
};
class Model extends Observable(Serializable(Object)) {
  constructor(fields) { super(); Object.assign(this, fields); }
  set(key, value) { const old = this[key]; this[key] = value; this.emit(key, value, old); return this; }
}

function mixins() {
  const model = new Model({ name: "m", size: 1 }), seen = [];
  const off = model.on(function (key, now, old) { seen.push(key + (now - old) + this.name); });
  model.on((...all) => { if (all.length > 2) seen.push(all.length); });
  for (let i = 0; i < 60; i++) { model.set("size", i * i); if (i === 40) off(); }
  return seen.length + seen[20] + model.save();
}

const curry = (f) => function next(...given) { return given.length >= f.length ? f(...given) : (...more) => next(...given, ...more); };
const compose = (...steps) => (value) => steps.reduceRight((result, step) => step(result), value);
function counter(start = 0, { step = 1, limit = Infinity } = {}) {
  let count = start;
  return { next: () => (count = Math.min(count + step, limit)), reset() { count = start; }, get value() { return count; } };
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

function proxies() {
  const log = [];
  const target = { a: 1, b: { c: 2 } };
  const deep = (object) => new Proxy(object, {
    get: (from, key, self) => { const value = Reflect.get(from, key, self); return typeof value === "object" ? deep(value) : value ?? 0; },
    set(to, key, value) { log.push(key); return Reflect.set(to, key, value * 2); },
    has: (of, key) => key.startsWith("a") || Reflect.has(of, key),
    deleteProperty: (of, key) => Reflect.deleteProperty(of, key),
    ownKeys: (of) => Reflect.ownKeys(of).filter((key) => key !== "b"),
  });
  const seen = deep(target), call = new Proxy(total, { apply: (f, self, values) => Reflect.apply(f, self, values) + 1 });
  let sum = 0;
  for (let i = 0; i < 40; i++) {
    seen.x = i;
    seen.b.c = i;
    sum += seen.b.c + seen.missing + ("abc" in seen ? 1 : 0) + ("b" in seen ? 1 : 0) + call(1, 2) + Object.keys(seen).length;
    delete seen.x;
  }
  return sum + log.length + Reflect.construct(Box, [2, 3]).area() + Reflect.has(target, "a");
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
  const manual = { n: 0, [Symbol.iterator]() { return this; }, next() { return { done: this.n > 20, value: this.n++ }; } };
  return [sum, ref.deref()[own], seen.has(kept[1]), first, third, rest.length, Math.max(...manual), { from: 1 } instanceof Range,
    own.description, Symbol.for("k") === Symbol.for("k"), `${{ toString: () => "ts" }}`, { valueOf: () => 20 } * 2 + 2].join();
}

function run() {
  let hash = 1;
  for (let round = 0; round < 26; round++) {
    const text = [shapes(), prototypes(), mixins(), closures(), proxies(), symbols()].join("|");
    for (let i = 0; i < text.length; i++) hash = (hash * 33 + text.charCodeAt(i)) % 1000000007;
  }
  return hash;
}
