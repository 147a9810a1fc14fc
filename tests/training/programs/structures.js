// Data structures and algorithms: lists, heaps, caches, tries, graphs, tables that are filled, searches.

function sequence(count, seed = 5) {
  const list = [];
  for (let i = 0, v = seed; i < count; i++) list.push((v = (v * 75 + 74) % 65537) % 1000);
  return list;
}

class LinkedList {
  #head = null; size = 0;
  add(value) { this.#head = { value, next: this.#head }; this.size++; return this; }
  reverse() {
    let back = null;
    for (let n = this.#head; n;) { const next = n.next; n.next = back; back = n; n = next; }
    this.#head = back;
    return this;
  }
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
    if (this.map.has(key)) {
      const v = this.map.get(key);
      this.map.delete(key);
      this.map.set(key, v);
      this.hits++;
      return v;
    }
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
  const list = new LinkedList(), heap = new Heap((a, b) => a < b), cache = new Cache(25), trie = new Trie(),
    sorted = [];
  for (const v of sequence(120, 8)) {
    list.add(v);
    heap.push(v);
    cache.get(v % 40, (k) => k * k);
    trie.add((v * 7).toString(20));
  }
  while (heap.items.length) sorted.push(heap.pop());
  return [[...list.reverse()].slice(0, 3), list.size, sorted.slice(0, 5), cache.hits, [...trie.under("1")].length,
    [...trie.under("zz")].length].join();
}

function graphs() {
  const size = 60, edges = new Map(), parent = Array.from({ length: size }, (_, i) => i),
    weights = sequence(size * 3, 4);
  const root = (x) => (parent[x] === x ? x : (parent[x] = root(parent[x])));
  for (let i = 0; i < size * 2; i++) {
    const from = i % size, to = (i * 7 + weights[i]) % size;
    for (const [a, b] of [[from, to], [to, from]]) {
      if (!edges.has(a)) edges.set(a, []);
      edges.get(a).push({ to: b, cost: 1 + (weights[i] % 9) });
    }
    if (weights[i] % 2) parent[root(from)] = root(to);
  }
  const distance = new Array(size).fill(Infinity), heap = new Heap((a, b) => a[0] < b[0]);
  heap.push([(distance[0] = 0), 0]);
  while (heap.items.length > 0) {
    const [d, at] = heap.pop();
    if (d > distance[at]) continue;
    for (const { to, cost } of edges.get(at) ?? []) if (d
      + cost < distance[to]) heap.push([(distance[to] = d + cost), to]);
  }
  const order = [], visited = new Set([0]), queue = [0];
  while (queue.length) {
    const at = queue.shift();
    order.push(at);
    for (const { to } of edges.get(at)) if (!visited.has(to)) { visited.add(to); queue.push(to); }
  }
  const grid = Array.from({ length: 16 },
    (_, r) => [..."#..#.....#.....#"].map((c, i) => ((r * 5 + i) % 11 === 0 ? "#" : c)));
  const flood = (r, c) => {
    if (grid[r]?.[c] !== ".") return 0;
    grid[r][c] = "o";
    return 1 + flood(r + 1, c) + flood(r - 1, c) + flood(r, c + 1) + flood(r, c - 1);
  };
  return [distance.reduce((a, b) => a + b), order.slice(0, 12), new Set(parent.map(root)).size, flood(5, 5),
    grid[5].join("")].join();
}

function dynamic() {
  const memo = {}, ways = (n) => (n <= 1 ? 1 : (memo[n] ??= (ways(n - 1) + ways(n - 2)) % 10007)),
    counts = [1, ...new Array(200).fill(0)];
  for (const coin of [1, 5, 10, 25, 50]) for (let i = coin; i <= 200; i++) counts[i] += counts[i - coin];
  const permute = (rest, done = []) => (rest.length
    ? rest.flatMap((v, i) => permute(rest.filter((_, k) => k !== i), [...done, v])) : [done.join("")]);
  const chunk = (list, n) => Array.from({ length: Math.ceil(list.length / n) }, (_, i) => list.slice(i * n, i * n + n));
  const transpose = (rows) => rows[0].map((_, i) => rows.map((row) => row[i])), rows = chunk(sequence(48), 8);
  return [ways(150), counts[200], permute([1, 2, 3, 4]).length, transpose(rows)[2].join(),
    rows.map((r) => Math.max(...r)).join()].join();
}

const SECTIONS = [structures, graphs, dynamic];

function run() {
  let hash = 17;
  for (let round = 0; round < 30; round++) {
    for (const section of SECTIONS) for (const c of section()) hash = (hash * 37 + c.charCodeAt(0)) % 2147483647;
  }
  return hash;
}
