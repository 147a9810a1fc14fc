// Memory: small objects and large ones, cycles that only the collector ends, dictionaries that grow, weak references.

class Node {
  children = [];
  constructor(name, parent = null) { this.name = name; this.parent = parent; parent?.children.push(this); }
  get path() { return this.parent ? this.parent.path + "/" + this.name : this.name; }
  *descendants() { for (const child of this.children) { yield child; yield* child.descendants(); } }
}
function trees() {
  const root = new Node("root"), level = [root];
  for (let depth = 0; depth < 4; depth++) {
    for (const node of level.splice(0)) for (let i = 0; i < 4; i++) level.push(new Node("n" + i, node));
  }
  let length = 0;
  for (const node of root.descendants()) if (node.children.length === 0) length += node.path.length;
  const ring = Array.from({ length: 300 }, (_, i) => ({ i, next: null, previous: null, label: `ring ${i}` }));
  ring.forEach((item, i) => { item.next = ring[(i + 1) % ring.length]; item.previous = ring.at(i - 1); });
  let at = ring[0];
  for (let i = 0; i < 500; i++) at = i % 3 ? at.next : at.previous.previous;
  return length + at.label;
}

// What can be part of a cycle: functions, generators that have begun, promises, proxies, maps, errors, arguments.
function cycles() {
  let kept = 0;
  for (let i = 0; i < 60; i++) {
    const hub = { i, list: [], map: new Map(), set: new Set(), text: "hub " + i };
    const generator = (function* () { try { yield hub; yield i; } finally { kept += hub.i; } })();
    generator.next();
    const { promise, resolve } = Promise.withResolvers();
    (async () => { await promise; kept += hub.list.length; })();
    const asynchronous = (async function* () { yield hub; })();
    hub.map.set(hub, hub.set).set("self", () => hub.list);
    hub.set.add(hub.map).add(generator).add(new WeakMap([[hub, { hub }]])).add(new WeakRef(hub));
    hub.list.push(hub, resolve, asynchronous, new Proxy(hub, { get: () => hub }),
      (function () { return arguments; })(hub, i));
    hub.bound = hub.map.get.bind(hub.map, hub);
    hub.iterators = [hub.list.values(), hub.map.entries(), hub.text.matchAll(/u/g),
      hub.list.values().map((v) => [v, hub])];
    hub.error = Object.assign(new Error("in " + i), { hub });
    hub.view = new DataView(new ArrayBuffer(64));
    hub.bytes = Object.assign(new Uint8Array(hub.view.buffer), { hub });
    hub[Symbol("own")] = class { static hub = hub; #hub = hub; };
    if (hub.bound() !== hub.set || hub.list[4][1] !== i) kept += 1e6;
  }
  return kept;
}

function dictionaries() {
  const counts = {}, index = new Map(), seen = Object.create(null);
  let text = "", state = 1;
  for (let i = 0; i < 2500; i++) {
    state = (state * 69069 + 5) >>> 0;
    const key = "key" + (state >>> 22), other = `${key}:${i & 7}`;
    counts[key] = (counts[key] | 0) + 1;
    index.set(other, (index.get(other) ?? 0) + i);
    if (i % 3 === 0) seen[state % 700] = i;
    if (key in seen || seen[i] !== undefined) text += i % 10;
  }
  let most = "", removed = 0;
  for (const key in counts) if (most === "" || counts[key] > counts[most]) most = key;
  for (const key of Object.keys(counts)) if (counts[key] < 3 && delete counts[key]) removed++;
  for (const key of index.keys()) if (key.endsWith("3")) index.delete(key);
  const numbered = Object.keys(seen), rope = "a rope of some length as a key, " + text;
  counts[rope] = index.size;
  index.set(rope + "!", 1);
  return [most, removed, index.size, numbered.length, numbered[5], counts["a rope of some length as a key, " + text],
    index.get(rope + "!")].join();
}

function shapes() {
  const all = [];
  let sum = 0;
  for (let i = 0; i < 160; i++) {
    const item = { id: i };
    for (let k = 0; k < i % 9; k++) item["field" + ((i + k) % 23)] = k / 2;
    if (i % 5 === 0) item.extra = { list: [i] };
    if (i % 7 === 0) Object.setPrototypeOf(item, { inherited: i });
    if (i % 11 === 0) delete item.id;
    all.push(item);
  }
  for (const item of all) sum += (item.field3 ?? 1) + (item.id || 0) + (item.inherited ?? 0)
    + (item.extra?.list[0] ?? 0);
  for (const item of all) for (const key in item) sum += key.length;
  return sum + JSON.stringify(all.slice(7, 12));
}

function large() {
  const list = [], sparse = [], text = [];
  for (let i = 0; i < 6000; i++) list.push(i ^ 5);
  for (let i = 0; i < 200; i++) sparse[i * 50] = i;
  sparse.length = 9000;
  const halves = list.map((v) => v / 2).filter((v) => v % 1 === 0), copy = [...list, ...halves],
    bytes = new Uint8Array(20000).fill(3);
  for (let i = 0; i < 900; i++) text.push("line " + i + " of a text that is put together");
  const whole = text.join("\n"), cut = whole.split("\n").filter((line) => line.includes("77"));
  const nested = JSON.parse("[".repeat(200) + "]".repeat(200)),
    matrix = Array.from({ length: 40 }, () => new Array(40).fill(0.5));
  let depth = 0;
  for (let at = nested; at; at = at[0]) depth++;
  const sums = sparse.reduce((a, b) => a + b, 0) + Object.keys(sparse).length + sparse.indexOf(100) + (7 in sparse);
  return [halves.length, copy.length, bytes.subarray(9, 99).reduce((a, b) => a + b), whole.length, cut.length, depth,
    sums, matrix.flat().reduce((a, b) => a + b), list.slice(-2), Math.max.apply(null, list.slice(0, 900)),
    copy.splice(100, 5000).length].join();
}

function weak() {
  const registry = new FinalizationRegistry(() => {}), kept = [], side = new WeakMap(), marked = new WeakSet();
  let alive = 0;
  for (let i = 0; i < 200; i++) {
    const object = { i };
    registry.register(object, i, object);
    side.set(object, { back: object, i });
    if (i % 2) marked.add(object);
    if (i % 4 === 0) kept.push(new WeakRef(object), object);
    if (i % 5 === 0) registry.unregister(object);
  }
  for (let i = 0; i < kept.length; i += 2) alive += kept[i].deref() === kept[i + 1] ? side.get(kept[i + 1]).i : 1e6;
  return alive + (marked.has(kept[1]) ? 1 : 0) + (side.delete(kept[1]) ? 1 : 0);
}

const SECTIONS = [trees, cycles, dictionaries, shapes, large, weak];

function run() {
  let text = "";
  for (let round = 0; round < 5; round++) text += SECTIONS.map((section) => section()).join("|");
  let hash = 2;
  for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) >>> 0;
  return hash;
}
