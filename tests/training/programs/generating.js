// Generators and iterators: lazy sequences, walks of trees, coroutines, delegation, spreading and destructuring of all.

function* naturals() { for (let i = 0; ; i++) yield i; }
function* take(n, source) { for (const v of source) { if (n-- <= 0) return "cut"; yield v; } }
function* walk(tree) { if (tree) { yield* walk(tree.left); yield tree.key; yield* walk(tree.right); } }
function* averager() {
  let sum = 0, count = 0;
  try {
    while (true) { try { sum += yield count && sum / count; count++; } catch (error) { sum -= error; } }
  } finally { sum = 0; }
}
function build(from, to) {
  if (from > to) return null;
  const key = (from + to) >> 1;
  return { key, left: build(from, key - 1), right: build(key + 1, to) };
}

function generators() {
  const list = [...take(60, naturals())], mean = averager();
  let last = mean.next().value;
  for (const v of list) last = mean.next(v * 3).value;
  last += mean.throw(60).value + (mean.return(9).done ? 1 : 0);
  const keys = Array.from(walk(build(1, 90)));
  const [a, b, ...rest] = take(6, naturals());
  const pairs = new Map(take(5, (function* () { for (const n of naturals()) yield [n, n * n]; })()));
  return [list.length, last, keys.length, keys[45], a + b + rest.length, pairs.get(4),
    Object.entries({ ...[...take(3, "wxyz")] })].join();
}

function* guarded(log) {
  try {
    const inner = yield* (function* () {
      try { yield 1; yield 2; } catch (error) {
        log.push("inner " + error);
        return "caught";
      } finally { log.push("left"); }
    })();
    log.push(inner);
    const close = (value) => { log.push("closed"); return { done: true, value }; };
    yield* { [Symbol.iterator]: () => ({ next: () => ({ value: 8 }), return: close }) };
  } finally {
    log.push("end");
  }
}
function delegating() {
  const log = [];
  const first = guarded(log), second = guarded(log), third = guarded(log);
  log.push(first.next().value, first.throw("e").value, first.return(4).value);
  log.push(second.next().value, second.return(5).done, third.throw === second.throw);
  try { third.throw(new Error("early")); } catch (error) { log.push(error.message, third.next().done); }
  return log.join();
}

function scheduler() {
  const log = [];
  function* task(name, steps) {
    for (let i = 0; i < steps; i++) { const got = yield name + i; if (got % 7 === 0) log.push(got); }
    return name;
  }
  const ready = [task("a", 20), task("b", 35), task("c", 10)];
  for (let tick = 0; ready.length > 0; tick++) {
    const current = ready.shift(), { done, value } = current.next(tick);
    if (done) log.push(value + tick); else ready.push(current);
  }
  return log.join("");
}

function* permutations(items, n = items.length) {
  if (n <= 1) { yield items.slice(); return; }
  for (let i = 0; i < n; i++) {
    yield* permutations(items, n - 1);
    const k = n % 2 ? 0 : i;
    [items[n - 1], items[k]] = [items[k], items[n - 1]];
  }
}
const pipeline = (source, ...steps) => steps.reduce((values, step) => step(values), source);
const map = (f) => function* (values) { for (const value of values) yield f(value); };
const filter = (f) => function* (values) { for (const value of values) if (f(value)) yield value; };
const chunk = (size) => function* (values) {
  let part = [];
  for (const value of values) if (part.push(value) === size) { yield part; part = []; }
  if (part.length > 0) yield part;
};
function* zip(...sources) {
  const iterators = sources.map((source) => source[Symbol.iterator]());
  for (;;) {
    const results = iterators.map((iterator) => iterator.next());
    if (results.some(({ done }) => done)) return results.length;
    yield results.map(({ value }) => value);
  }
}

class Matrix {
  constructor(width, height) {
    this.rows = Array.from({ length: height }, (_, y) => Array.from({ length: width }, (_, x) => x * y));
  }
  *[Symbol.iterator]() { for (const row of this.rows) yield* row; }
  *entries() {
    for (const [y, row] of this.rows.entries()) for (const [x, value] of row.entries()) yield [x, y, value];
  }
  static *diagonal({ rows }) { for (let i = 0; i < rows.length; i++) yield rows[i][i]; }
}

function sequences() {
  const even = pipeline(take(90, naturals()), filter((n) => n % 2 === 0), map((n) => n * n), chunk(4));
  const matrix = new Matrix(9, 6), pairs = [...zip("abcdef", new Set([1, 2, 3, 4]), naturals())];
  let sum = 0;
  for (const [x, y, value] of matrix.entries()) sum += x + y * value;
  const [first, [, second], ...others] = even, [...letters] = "héllo 😀", object = { ...pairs[2] };
  const orders = new Set([...permutations([1, 2, 3, 4])].map((order) => order.join("")));
  const max = Math.max(...matrix, ...Matrix.diagonal(matrix)),
    joined = Array.from(zip([1, 2], [3, 4]), ([a, b]) => a * b);
  return [first, second, others.length, letters.length, object[1], orders.size, [...orders][7], max, joined, sum,
    pairs.at(-1)].join();
}

const SECTIONS = [generators, delegating, scheduler, sequences];

function run() {
  let hash = 4;
  for (let round = 0; round < 100; round++) {
    for (const section of SECTIONS) for (const c of section()) hash = (hash * 31 + c.codePointAt(0)) % 2147483647;
  }
  return hash;
}
