// Collections: every method of arrays, maps and sets, iterator helpers.

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
  return [queue.length, out.length, queue.indexOf("b"), out[10], queue.slice(-4).join(),
    queue.concat(out, [[1]], 2).length].join();
}

function sorting() {
  const list = sequence(200, 9), words = list.map((v) => "w" + (v % 60)),
    objects = list.map((v, i) => ({ v: v % 20, i }));
  const numeric = [...list].sort((a, b) => a - b), plain = list.slice().sort(), text = words.toSorted();
  objects.sort((a, b) => a.v - b.v);
  const stable = objects.every((o, i) => i === 0 || objects[i - 1].v < o.v || objects[i - 1].i < o.i);
  const merge = (a, b) => {
    const out = [];
    let i = 0, j = 0;
    while (i < a.length && j < b.length) out.push(a[i] <= b[j] ? a[i++] : b[j++]);
    return out.concat(a.slice(i), b.slice(j));
  };
  const halves = (all) => (all.length < 2 ? all
    : merge(halves(all.slice(0, all.length >> 1)), halves(all.slice(all.length >> 1))));
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
  return [numeric[7], plain[7], text[7], stable, String(halves(list)) === String(numeric),
    quick.join() === numeric.join()].join();
}

function methods() {
  const list = sequence(150, 3), sparse = [1, , 3, undefined, null, NaN], nested = [1, [2, [3, [4]]], list.slice(0, 4)];
  const zeros = new Array(50).fill(0).map((_, i) => i * 2), filled = Array(6).fill("x", 1, 4);
  let sum = 0;
  list.forEach((v, i, all) => { sum += v * (i & 3) + (all === list ? 1 : 0); });
  for (const [i, v] of list.entries()) if (i % 10 === 0) sum -= v;
  for (const i in zeros) sum += +i;
  for (let i = 0; i < list.length; i++) { if (list.includes(i)) sum++; sum += list.indexOf(i) + list.lastIndexOf(i); }
  const found = [list.find((v) => v > 900), list.findIndex((v) => v > 900), list.findLast((v) => v < 50),
    list.findLastIndex((v) => v < 50)];
  return [sum, found, sparse.includes(NaN), sparse.indexOf(NaN), 1 in sparse, nested.flat().length,
    nested.flat(Infinity).join("."), list.reverse()[0], list.at(-2), list.with(3, -1)[3], list.toReversed()[1],
    list.toSpliced(1, 140, 0).join(), filled.join(), list.some((v) => v === 5), list.every((v) => v >= 0), Array.of(7,
    8).concat(9).join("+"), Array.isArray(list), sparse.join("-"), list.reduceRight((a, v) => (a * 3 + v) % 997, 0),
    zeros.copyWithin(0, 40).slice(0, 3), [...zeros.keys()].length, Array.from("abc", (c) => c + c),
    Array.from({ length: 3 }), Array.from(new Set(list)).length, [3, 1, 2].toString()].join();
}

function mapsAndSets() {
  const list = sequence(250, 21), counts = new Map(), seen = new Set();
  for (const v of list) counts.set(v % 40, (counts.get(v % 40) ?? 0) + 1);
  for (const v of list) { if (seen.has(v)) seen.delete(v); else seen.add("k" + (v % 90)).add(v); }
  const top = [...counts].sort(([a, x], [b, y]) => y - x || a - b).slice(0, 3),
    keys = new Map([[NaN, 1], ["1", 2], [1, 3], [seen, 4]]);
  counts.forEach((count, key) => { if (count < 3) counts.delete(key); });
  let total = 0;
  for (const [key, count] of counts) total += key * count;
  for (const value of seen) total += typeof value === "string" ? 1 : value;
  const even = new Set(list.filter((v) => v % 2 === 0)), third = new Set(list.filter((v) => v % 3 === 0));
  return [top.join("/"), total, counts.size, seen.size, keys.get(NaN) + keys.get(1) + keys.get(seen),
    even.union(third).size, even.intersection(third).size, even.difference(third).size,
    even.symmetricDifference(third).size, even.isSubsetOf(third), third.isDisjointFrom(new Set([1])),
    Math.max(...counts.values()), [...counts.keys()].length].join();
}

function iterators() {
  const numbers = function* () { for (let i = 1; ; i++) yield i; };
  const lazy = numbers().filter((n) => n % 3).map((n) => n * n).drop(4).take(50);
  const total = lazy.reduce((a, b) => a + b), flat = ["a b", "c"].values().flatMap((s) => s.split(" ")).toArray();
  return [total, flat, Iterator.from(new Set([3, 4])).some((v) => v > 3), [5, 6].values().find((v) => v > 5),
    numbers().take(9).toArray()].join();
}

const SECTIONS = [stacksAndQueues, sorting, methods, mapsAndSets, iterators];

function run() {
  let hash = 17;
  for (let round = 0; round < 15; round++) {
    for (const section of SECTIONS) for (const c of section()) hash = (hash * 37 + c.charCodeAt(0)) % 2147483647;
  }
  return hash;
}
