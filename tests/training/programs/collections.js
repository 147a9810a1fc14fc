// Collections: every method of arrays, maps and sets, iterator helpers, and data structures built of them.

function sequence(count, seed = 5) {
  const list = [];
  for (let i = 0, v = seed; i < count; i++) list.push((v = (v * 75 + 74) % 65537) % 1000);
  return list;
}

function stacksAndQueues() {
  const list = sequence(300), queue = [], out = [];
  for (const v of list) {
    queue.push(v);
    if (v % 3 === 0) out.push(queue.shift());
    if (v % 5 === 0) queue.unshift(v, v + 1);
    if (v % 7 === 0) out.push(queue.pop());
  }
  queue.splice(2, 5, "a", "b");
  queue.splice(-3, 1);
  out.length -= 2;
  return [queue.length, out.length, queue.indexOf("b"), out[10], queue.slice(-4).join(), queue.concat(out, [[1]], 2).length].join();
}

function sorting() {
  const list = sequence(200, 9), words = list.map((v) => "w" + (v % 60)), objects = list.map((v, i) => ({ v: v % 20, i }));
  const numeric = [...list].sort((a, b) => a - b), plain = list.slice().sort(), text = words.toSorted();
  objects.sort((a, b) => a.v - b.v);
  const stable = objects.every((o, i) => i === 0 || objects[i - 1].v < o.v || objects[i - 1].i < o.i);
  const merge = (a, b) => {
    const out = [];
    let i = 0, j = 0;
    while (i < a.length && j < b.length) out.push(a[i] <= b[j] ? a[i++] : b[j++]);
    return out.concat(a.slice(i), b.slice(j));
  };
  const halves = (all) => (all.length < 2 ? all : merge(halves(all.slice(0, all.length >> 1)), halves(all.slice(all.length >> 1))));
  const quick = list.slice();
  (function part(from, to) {
    if (from >= to) return;
    const pivot = quick[(from + to) >> 1];
    let i = from, j = to;
    while (i <= j) {
      while (quick[i] < pivot) i++;
      while (quick[j] > pivot) j--;
      if (i <= j) { const t = quick[i]; quick[i++] = quick[j]; quick[j--] = t; }
    }
    part(from, j);
    part(i, to);
  })(0, quick.length - 1);
  return [numeric[7], plain[7], text[7], stable, String(halves(list)) === String(numeric), quick.join() === numeric.join()].join();
}

function methods() {
  const list = sequence(150, 3), sparse = [1, , 3, undefined, null, NaN], nested = [1, [2, [3, [4]]], list.slice(0, 4)];
  const zeros = new Array(50).fill(0).map((_, i) => i * 2), filled = Array(6).fill("x", 1, 4);
  let sum = 0;
  list.forEach((v, i, all) => { sum += v * (i & 3) + (all === list ? 1 : 0); });
  for (const [i, v] of list.entries()) if (i % 10 === 0) sum -= v;
  for (const i in zeros) sum += +i;
  for (let i = 0; i < list.length; i++) { if (list.includes(i)) sum++; sum += list.indexOf(i) + list.lastIndexOf(i); }
  const found = [list.find((v) => v > 900), list.findIndex((v) => v > 900), list.findLast((v) => v < 50), list.findLastIndex((v) => v < 50)];
  return [sum, found, sparse.includes(NaN), sparse.indexOf(NaN), 1 in sparse, nested.flat().length, nested.flat(Infinity).join("."),
    list.reverse()[0], list.at(-2), list.with(3, -1)[3], list.toReversed()[1], list.toSpliced(1, 140, 0).join(), filled.join(),
    list.some((v) => v === 5), list.every((v) => v >= 0), Array.of(7, 8).concat(9).join("+"), Array.isArray(list), sparse.join("-"),
    list.reduceRight((a, v) => (a * 3 + v) % 997, 0), zeros.copyWithin(0, 40).slice(0, 3), [...zeros.keys()].length,
    Array.from("abc", (c) => c + c), Array.from({ length: 3 }), Array.from(new Set(list)).length, [3, 1, 2].toString()].join();
}

function mapsAndSets() {
  const list = sequence(250, 21), counts = new Map(), seen = new Set();
  for (const v of list) counts.set(v % 40, (counts.get(v % 40) ?? 0) + 1);
  for (const v of list) { if (seen.has(v)) seen.delete(v); else seen.add("k" + (v % 90)).add(v); }
  const top = [...counts].sort(([a, x], [b, y]) => y - x || a - b).slice(0, 3), keys = new Map([[NaN, 1], ["1", 2], [1, 3], [seen, 4]]);
  counts.forEach((count, key) => { if (count < 3) counts.delete(key); });
  let total = 0;
  for (const [key, count] of counts) total += key * count;
  for (const value of seen) total += typeof value === "string" ? 1 : value;
  const even = new Set(list.filter((v) => v % 2 === 0)), third = new Set(list.filter((v) => v % 3 === 0));
  return [top.join("/"), total, counts.size, seen.size, keys.get(NaN) + keys.get(1) + keys.get(seen), even.union(third).size,
    even.intersection(third).size, even.difference(third).size, even.symmetricDifference(third).size, even.isSubsetOf(third),
    third.isDisjointFrom(new Set([1])), Math.max(...counts.values()), [...counts.keys()].length].join();
}

class LinkedList {
  #head = null; size = 0;
  add(value) { this.#head = { value, next: this.#head }; this.size++; return this; }
  reverse() { let back = null; for (let n = this.#head; n;) { const next = n.next; n.next = back; back = n; n = next; } this.#head = back; return this; }
  *[Symbol.iterator]() { for (let node = this.#head; node !== null; node = node.next) yield node.value; }
}
class Heap {
  constructor(less) { this.less = less; this.items = []; }
  push(value) {
    const a = this.items;
    let i = a.push(value) - 1;
    for (let up; i > 0 && this.less(a[i], a[(up = (i - 1) >> 1)]); i = up) [a[i], a[up]] = [a[up], a[i]];
  }
  pop() {
    const a = this.items, top = a[0], last = a.pop();
    if (a.length === 0) return top;
    a[0] = last;
    for (let i = 0, k; (k = 2 * i + 1) < a.length; i = k) {
      if (k + 1 < a.length && this.less(a[k + 1], a[k])) k++;
      if (!this.less(a[k], a[i])) break;
      const t = a[i]; a[i] = a[k]; a[k] = t;
    }
    return top;
  }
}
class Cache {
  constructor(limit) { this.limit = limit; this.map = new Map(); this.hits = 0; }
  get(key, make) {
    if (this.map.has(key)) { const v = this.map.get(key); this.map.delete(key); this.map.set(key, v); this.hits++; return v; }
    if (this.map.size >= this.limit) this.map.delete(this.map.keys().next().value);
    const made = make(key);
    this.map.set(key, made);
    return made;
  }
}
class Trie {
  root = {};
  add(word) { let node = this.root; for (const c of word) node = node[c] ??= {}; node.end = true; }
  *under(prefix, node = [...prefix].reduce((n, c) => n?.[c], this.root)) {
    if (!node) return;
    if (node.end) yield prefix;
    for (const c of Object.keys(node)) if (c !== "end") yield* this.under(prefix + c, node[c]);
  }
}

function structures() {
  const list = new LinkedList(), heap = new Heap((a, b) => a < b), cache = new Cache(25), trie = new Trie(), sorted = [];
  for (const v of sequence(120, 8)) { list.add(v); heap.push(v); cache.get(v % 40, (k) => k * k); trie.add((v * 7).toString(20)); }
  while (heap.items.length) sorted.push(heap.pop());
  return [[...list.reverse()].slice(0, 3), list.size, sorted.slice(0, 5), cache.hits, [...trie.under("1")].length, [...trie.under("zz")].length].join();
}

function graphs() {
  const size = 60, edges = new Map(), parent = Array.from({ length: size }, (_, i) => i), weights = sequence(size * 3, 4);
  const root = (x) => (parent[x] === x ? x : (parent[x] = root(parent[x])));
  for (let i = 0; i < size * 2; i++) {
    const from = i % size, to = (i * 7 + weights[i]) % size;
    for (const [a, b] of [[from, to], [to, from]]) { if (!edges.has(a)) edges.set(a, []); edges.get(a).push({ to: b, cost: 1 + (weights[i] % 9) }); }
    if (weights[i] % 2) parent[root(from)] = root(to);
  }
  const distance = new Array(size).fill(Infinity), heap = new Heap((a, b) => a[0] < b[0]);
  heap.push([(distance[0] = 0), 0]);
  while (heap.items.length > 0) {
    const [d, at] = heap.pop();
    if (d > distance[at]) continue;
    for (const { to, cost } of edges.get(at) ?? []) if (d + cost < distance[to]) heap.push([(distance[to] = d + cost), to]);
  }
  const order = [], visited = new Set([0]), queue = [0];
  while (queue.length) { const at = queue.shift(); order.push(at); for (const { to } of edges.get(at)) if (!visited.has(to)) { visited.add(to); queue.push(to); } }
  const grid = Array.from({ length: 16 }, (_, r) => [..."#..#.....#.....#"].map((c, i) => ((r * 5 + i) % 11 === 0 ? "#" : c)));
  const flood = (r, c) => { if (grid[r]?.[c] !== ".") return 0; grid[r][c] = "o"; return 1 + flood(r + 1, c) + flood(r - 1, c) + flood(r, c + 1) + flood(r, c - 1); };
  return [distance.reduce((a, b) => a + b), order.slice(0, 12), new Set(parent.map(root)).size, flood(5, 5), grid[5].join("")].join();
}

function dynamic() {
  const memo = {}, ways = (n) => (n <= 1 ? 1 : (memo[n] ??= (ways(n - 1) + ways(n - 2)) % 10007)), counts = [1, ...new Array(200).fill(0)];
  for (const coin of [1, 5, 10, 25, 50]) for (let i = coin; i <= 200; i++) counts[i] += counts[i - coin];
  const permute = (rest, done = []) => (rest.length ? rest.flatMap((v, i) => permute(rest.filter((_, k) => k !== i), [...done, v])) : [done.join("")]);
  const chunk = (list, n) => Array.from({ length: Math.ceil(list.length / n) }, (_, i) => list.slice(i * n, i * n + n));
  const transpose = (rows) => rows[0].map((_, i) => rows.map((row) => row[i])), rows = chunk(sequence(48), 8);
  return [ways(150), counts[200], permute([1, 2, 3, 4]).length, transpose(rows)[2].join(), rows.map((r) => Math.max(...r)).join()].join();
}

function iterators() {
  const numbers = function* () { for (let i = 1; ; i++) yield i; };
  const lazy = numbers().filter((n) => n % 3).map((n) => n * n).drop(4).take(50);
  const total = lazy.reduce((a, b) => a + b), flat = ["a b", "c"].values().flatMap((s) => s.split(" ")).toArray();
  return [total, flat, Iterator.from(new Set([3, 4])).some((v) => v > 3), [5, 6].values().find((v) => v > 5), numbers().take(9).toArray()].join();
}

const SECTIONS = [stacksAndQueues, sorting, methods, mapsAndSets, structures, graphs, dynamic, iterators];

function run() {
  let hash = 17;
  for (let round = 0; round < 12; round++) {
    for (const section of SECTIONS) for (const c of section()) hash = (hash * 37 + c.charCodeAt(0)) % 2147483647;
  }
  return hash;
}
