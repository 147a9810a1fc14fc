// Classes: inheritance, private members, accessors, static ones, mixins, prototypes by hand, actions by name.

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
Savings.prototype.deposit = function () {
  Account.prototype.deposit.apply(this, arguments);
  this.count = (this.count | 0) + 1;
  return this;
};

function prototypes() {
  let total = 0;
  for (let i = 0; i < 200; i++) {
    const account = i % 2 ? new Savings("s" + i, i, 0.1) : new Account("a" + i, i);
    account.deposit(10).deposit(i);
    total += account.balance + String(account).length + (account.count ?? 0)
      + (account.constructor === Savings ? 1 : 0);
    if (Object.getPrototypeOf(account).hasOwnProperty("deposit")) total += Account.prototype.isPrototypeOf(account) ? 1
      : 0;
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

class Temperature {
  static #made = 0;
  static get made() { return Temperature.#made; }
  static set made(count) { Temperature.#made = count; }
  #kelvin;
  unit = "K";
  constructor(value) { this.celsius = value; Temperature.made++; }
  get celsius() { return this.#kelvin - 273; }
  set celsius(value) { this.#kelvin = value + 273; }
  set #raw(value) { this.#kelvin = value; }
  get #raw() { return this.#kelvin; }
  raise(by) { this.#raw += by; this.#kelvin++; return this; }
  valueOf() { return this.#kelvin; }
  toString() { return `${this.celsius}°`; }
  toJSON() { return { k: this.#kelvin }; }
  static compare(a, b) { return a - b; }
  equals(other) { return other instanceof Temperature && this.#kelvin === other.#kelvin; }
}
class Oven extends Temperature {
  log = [];
  constructor(value, name = "oven") {
    super(value);
    this.name = name;
    if (value > 400) return { tooHot: true, log: [] };
  }
  get celsius() { return super.celsius; }
  set celsius(value) { super.celsius = value; this.seen = (this.seen ?? 0) + 1; super.last = value; }
  raise(by) { this.log.push(by); return super.raise(by / 2); }
  static compare(...pair) { return -super.compare(...pair); }
}

function temperatures() {
  Temperature.made = 0;
  const all = [];
  let hot = 0;
  for (let i = 0; i < 90; i++) {
    const one = i % 2 ? new Temperature((i * 37) % 100) : new Oven((i * 53) % 450, i % 4 ? undefined : "o" + i);
    if (one.tooHot) { hot++; continue; }
    one.raise(i % 5).celsius -= 1;
    all.push(one);
  }
  all.sort(Temperature.compare);
  const [first, second] = all, ovens = all.filter((one) => one instanceof Oven).sort(Oven.compare);
  return [hot, Temperature.made, first, second + 0, all[5] < all[50], first.equals(second), JSON.stringify(ovens[3]),
    ovens[0].seen, ovens[1].last, ovens[2].log.length, all.reduce((sum, one) => sum + one, 0),
    Object.hasOwn(ovens[0], "last")].join();
}

// Handlers by name, dispatched by computed members.
class Store {
  static actions = { add: "items", drop: "items", rename: "title" };
  state = { items: [], title: "none" };
  #past = [];
  get [Symbol.toStringTag]() { return "Store"; }
  onAdd(items, { id, ...rest }) { return [...items, { id, ...rest, n: items.length }]; }
  onDrop(items, { id }) { return items.filter((item) => item.id !== id); }
  onRename(_, { to = "untitled" } = {}) { return to; }
  dispatch(type, payload) {
    const key = Store.actions[type], method = `on${type[0].toUpperCase()}${type.slice(1)}`;
    if (!key || typeof this[method] !== "function") throw new TypeError(`unknown ${type}`);
    this.#past.push(this.state);
    this.state = Object.freeze({ ...this.state, [key]: this[method](this.state[key], payload) });
    return this;
  }
  undo(steps = 1) { while (steps-- > 0 && this.#past.length) this.state = this.#past.pop(); return this; }
  static select = { count: ({ items }) => items.length, last: ({ items }) => items.at(-1)?.id ?? "none" };
}
function actions() {
  const store = new Store();
  let failed = 0, shown = "";
  for (let i = 0; i < 60; i++) {
    try {
      store.dispatch(["add", "add", "drop", "rename", "none"][i % 5], i % 10 === 3 ? undefined
        : { id: (i * 7) % 12, to: "t" + i, extra: i });
    } catch (error) { failed += error.message.length; }
    if (i % 15 === 14) store.undo(i % 4);
    shown = Object.entries(Store.select).map(([name, f]) => name + f(store.state)).join() + store.state.title;
  }
  return failed + shown + store;
}

function run() {
  let hash = 1;
  for (let round = 0; round < 20; round++) {
    const text = [shapes(), prototypes(), mixins(), temperatures(), actions()].join("|");
    for (let i = 0; i < text.length; i++) hash = (hash * 33 + text.charCodeAt(i)) % 1000000007;
  }
  return hash;
}
