// Records: JSON in both directions, arrays of objects passed through the usual methods, and the operations on objects.

const CITIES = ["Lisbon", "Oslo", "Turin", "Gdańsk", "Quito", "Hué"];
const STATES = ["new", "paid", "sent", "returned"];

function orders(count) {
  let state = 17;
  const random = (limit) => (state = (state * 16807) % 2147483647) % limit;
  return Array.from({ length: count }, (_, i) => ({
    id: i + 1,
    customer: { name: `Customer ${random(40)}`, city: CITIES[random(6)], vip: random(5) === 0, age: 18 + random(60) },
    items: Array.from({ length: 1 + random(4) }, (_, k) => ({
      sku: "SKU-" + random(90), price: random(10000) / 100, quantity: 1 + random(3), position: k,
    })),
    state: STATES[random(4)],
    note: random(3) ? null : 'said "yes"\n\tand left \u2028 \\ ',
    tags: ["a", "b", "c"].slice(random(3)),
    discount: random(4) === 0 ? undefined : random(30) / 100,
  }));
}

function writing(list) {
  const plain = JSON.stringify(list);
  const pretty = JSON.stringify(list.slice(0, 20), null, 2);
  const some = JSON.stringify(list.slice(0, 30), ["id", "customer", "name", "items", "price"]);
  const replaced = JSON.stringify(list.slice(0, 20), (key, value) => (typeof value === "number" ? value * 2 : value),
    "\t");
  class Money {
    constructor(cents) { this.cents = cents; }
    toJSON() { return (this.cents / 100).toFixed(2); }
  }
  const special = JSON.stringify({
    money: [new Money(1999), new Money(5)], when: new Date(Date.UTC(2024, 1, 29)), nothing: undefined, f() {},
    odd: [NaN, Infinity, -0, 1e21, 1e-7, undefined, () => 1], set: new Set([1]), "key \ud800": "\u0007\ud83d\ude00",
  });
  return { plain, shown: [plain.length, pretty.length, some.length, replaced.length, special].join() };
}

function reading(plain) {
  const copy = JSON.parse(plain);
  const revived = JSON.parse(plain.slice(0, plain.indexOf('},{"id":12,') + 1) + "]", (key, value) =>
    key === "price" ? Math.round(value * 100) : key === "tags" ? undefined : value);
  const values = JSON.parse('[1, -2.5e3, 0.1, "\\u00e9\\n\\/", true, false, null, {"a": {"b": [[], {}]}}, 1e10, -0]');
  copy[0].customer.name += "!";
  return [copy.length, copy.at(-1).items.length, revived.length, revived[0].items[0].price, "tags" in revived[1],
    JSON.stringify(values)].join();
}

function passing(list) {
  const open = list.filter((order) => order.state !== "returned" && order.customer.age > 30);
  const totals = open.map(({ id, items, discount = 0, customer: { name, ...rest } }) => ({
    id, name, ...rest, total: items.reduce((sum, { price, quantity }) => sum + price * quantity, 0) * (1 - discount),
  }));
  totals.sort((a, b) => b.total - a.total || a.id - b.id);
  const lines = list.flatMap((order) => order.items.map((item) => ({ ...item, order: order.id })));
  const dear = lines.filter((line) => line.price > 50).map((line) => line.sku);
  const best = totals.slice(0, 5).map(({ id, total }) => `${id}:${total.toFixed(2)}`);
  return [totals.length, best.join(" "), lines.length, new Set(dear).size, totals.some((t) => t.vip),
    lines.every((line) => line.quantity > 0), list.find((order) => order.note)?.id, list.findIndex((o) => o.id === 77),
    list.reduceRight((n, order) => n + (order.customer?.address?.street ?? order.tags?.length), 0)].join();
}

function grouping(list) {
  const byCity = {};
  for (const order of list) (byCity[order.customer.city] ??= []).push(order);
  const counts = list.reduce((all, { state }) => ({ ...all, [state]: (all[state] ?? 0) + 1 }), {});
  const groups = Object.groupBy(list, ({ customer }) => (customer.vip ? "vip" : "other"));
  const byAge = Map.groupBy(list, (order) => Math.floor(order.customer.age / 10));
  const index = new Map(list.map((order) => [order.id, order]));
  let revenue = 0;
  for (const [city, all] of Object.entries(byCity)) {
    for (const { items } of all) for (const item of items) revenue += item.price * item.quantity * city.length;
  }
  return [Object.keys(byCity).sort().join("/"), JSON.stringify(counts), groups.vip.length, groups.other.length,
    [...byAge.keys()].sort().join(""), index.get(9).state, revenue.toFixed(2)].join();
}

function shaping(list) {
  let checks = 0;
  for (const order of list) {
    const { customer, items: [first, ...others], ...head } = order;
    const copy = Object.assign({}, head, { [`city_${customer.city}`]: 1, count: others.length });
    if ("note" in copy) delete copy.note;
    copy.state = copy["state"].toUpperCase();
    const swapped = Object.fromEntries(Object.entries(customer).map(([key, value]) => [key + "_", value]));
    for (const key in copy) if (Object.hasOwn(copy, key)) checks += key.length;
    checks += Object.keys(swapped).length + Object.values(copy).length + (swapped.vip_ ? 1 : 0) + first.position;
    checks += copy.hasOwnProperty("note") || copy.missing !== undefined ? 1000 : 0;
  }
  return checks;
}

function objects() {
  let out = 0;
  for (let i = 0; i < 120; i++) {
    const point = {
      x: i, y: i * 2, get sum() { return this.x + this.y; }, set scale(by) { this.x *= by; this.y *= by; },
    };
    point.scale = 2;
    Object.defineProperty(point, "hidden", { value: i, enumerable: false, writable: false, configurable: true });
    const frozen = Object.freeze({ ...point, nested: { deep: [i] } });
    frozen.x = -1;
    const child = Object.create(point, { own: { value: 1, enumerable: true } });
    child.x = 5;
    const bag = {};
    for (let k = 0; k < 12; k++) bag["k" + ((i * k) % 30)] = k;
    for (let k = 0; k < 6; k++) delete bag["k" + k];
    const { x: left = 3, z: depth = 4, ...more } = frozen;
    out += frozen.sum + left + depth + Object.keys(more).length + child.sum + Object.keys(bag).length + point.hidden;
    out += Object.getOwnPropertyNames(point).length + Reflect.ownKeys(child).length + (Object.isFrozen(frozen) ? 1 : 0);
    out += Object.getOwnPropertyDescriptor(point, "sum").get ? 1 : 0;
    out += Object.entries(Object.getOwnPropertyDescriptors({ a: 1, b: 2 })).length + structuredEqual(more, { ...more });
    out += locked(bag);
  }
  return out;
}

const KEY = Symbol("key");
function locked(bag) {
  const sealed = Object.seal({ a: 1, [KEY]: 2, ...bag }), fixed = Object.preventExtensions({ b: 1 }),
    base = { inherited: 1 };
  const object = Object.defineProperties({ __proto__: base, own: 1 }, {
    twice: { get() { return this.own * 2; }, enumerable: true, configurable: true }, constant: { value: 7 },
  });
  sealed.a = 5;
  sealed.late = delete sealed.a;
  fixed.c = 1;
  object.own += object.twice;
  let keys = "";
  for (const key in object) keys += key;
  const symbols = Object.getOwnPropertySymbols(sealed),
    flags = [Object.isSealed(sealed), Object.isExtensible(fixed), "c" in fixed];
  return keys.length + symbols.length + sealed[KEY] + sealed.a + flags.filter(Boolean).length + object.own
    + (object.__proto__ === base) +
    object.propertyIsEnumerable("constant") + Object.is(object.constant, 7)
      + Object.keys(Object.assign(sealed, { a: 1 })).length;
}

function structuredEqual(a, b) {
  if (a === b) return 1;
  if (typeof a !== "object" || typeof b !== "object" || a === null || b === null) return 0;
  const keys = Object.keys(a);
  if (keys.length !== Object.keys(b).length) return 0;
  return keys.every((key) => key in b && structuredEqual(a[key], b[key])) ? 1 : 0;
}

function run() {
  const results = [];
  for (let round = 0; round < 4; round++) {
    const list = orders(150 + round);
    const { plain, shown } = writing(list);
    results.push(shown, reading(plain), passing(list), grouping(list), shaping(list), objects());
    results.push(structuredEqual(list, JSON.parse(plain)), structuredEqual(JSON.parse(plain), JSON.parse(plain)));
  }
  const text = results.join(";");
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) | 0;
  return `${hash}/${text.length}`;
}
