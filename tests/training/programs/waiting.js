// Waiting: promises and their combinators, async functions, generators as iterators and coroutines, async iteration.

const sleepTurns = async (turns) => { for (let i = 0; i < turns; i++) await null; };

async function fetchRecord(id) {
  await sleepTurns(id % 3);
  if (id % 11 === 10) throw new RangeError(`no record ${id}`);
  return { id, name: `record ${id}`, parent: id >> 1 };
}

async function withRetry(work, attempts = 3) {
  for (let attempt = 1; ; attempt++) {
    try {
      return await work(attempt);
    } catch (error) {
      if (attempt >= attempts) throw new Error("gave up", { cause: error });
    } finally {
      await undefined;
    }
  }
}

async function sequential() {
  const seen = [];
  for (let id = 0; id < 60; id++) {
    try {
      const { name, parent } = await fetchRecord(id);
      seen.push(name.length + parent);
    } catch ({ name, message }) {
      seen.push(name[0] + message.length);
    }
  }
  const retried = await withRetry(async (attempt) => { if (attempt < 3) throw new Error("not yet"); return attempt; });
  const failed = await withRetry(() => fetchRecord(10)).catch((error) => error.cause.message);
  return seen.join("") + retried + failed;
}

async function together() {
  const ids = Array.from({ length: 30 }, (_, i) => i);
  const settled = await Promise.allSettled(ids.map(fetchRecord));
  const good = settled.filter((s) => s.status === "fulfilled").map((s) => s.value.id);
  const all = await Promise.all(good.map(async (id) => (await fetchRecord(id)).parent));
  const first = await Promise.race([sleepTurns(5).then(() => "slow"), sleepTurns(2).then(() => "fast")]);
  const any = await Promise.any([Promise.reject(new Error("a")), fetchRecord(10), fetchRecord(4)]);
  const none = await Promise.any([Promise.reject(1), Promise.reject(2)]).catch((error) => error.errors.join("+"));
  const broken = await Promise.all([fetchRecord(1), fetchRecord(21)]).then(() => "?", (error) => error.message);
  const { promise, resolve } = Promise.withResolvers();
  queueMicrotask(() => resolve(all.length));
  return [good.length, all.reduce((a, b) => a + b), first, any.id, none, broken, await promise].join();
}

function chains() {
  let chain = Promise.resolve(1);
  const order = [];
  for (let i = 0; i < 80; i++) {
    chain = chain.then((n) => { if (i % 16 === 15) throw n; return i % 4 ? n + i : Promise.resolve(n * 2 % 1009); })
      .catch((n) => n - 1).finally(() => { order.push(i % 10); });
  }
  const thenable = { then(resolve) { order.push("t"); resolve(5); } };
  return chain.then(async (n) => n + (await thenable)).then((n) => n + order.join(""));
}

async function queued() {
  const log = [];
  queueMicrotask(() => log.push("m1"));
  Promise.resolve().then(() => log.push("p1")).then(() => log.push("p2"));
  (async () => { log.push("a1"); await null; log.push("a2"); })();
  log.push("s");
  await sleepTurns(4);
  class Semaphore {
    #free; #waiting = [];
    constructor(count) { this.#free = count; }
    async enter() { if (this.#free > 0) this.#free--; else await new Promise((resolve) => this.#waiting.push(resolve)); }
    leave() { const next = this.#waiting.shift(); if (next) next(); else this.#free++; }
  }
  const gate = new Semaphore(3);
  let running = 0, most = 0;
  await Promise.all(Array.from({ length: 24 }, async (_, i) => {
    await gate.enter();
    most = Math.max(most, ++running);
    await sleepTurns(i % 4);
    running--;
    gate.leave();
  }));
  return log.join() + most;
}

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
  return [list.length, last, keys.length, keys[45], a + b + rest.length, pairs.get(4), Object.entries({ ...[...take(3, "wxyz")] })].join();
}

function scheduler() {
  const log = [];
  function* task(name, steps) { for (let i = 0; i < steps; i++) { const got = yield name + i; if (got % 7 === 0) log.push(got); } return name; }
  const ready = [task("a", 20), task("b", 35), task("c", 10)];
  for (let tick = 0; ready.length > 0; tick++) {
    const current = ready.shift(), { done, value } = current.next(tick);
    if (done) log.push(value + tick); else ready.push(current);
  }
  return log.join("");
}

async function* pages(count) {
  let cursor = 0;
  try { while (cursor < count) { await null; yield { cursor, items: Array.from({ length: 3 }, (_, i) => cursor * 3 + i) }; cursor++; } }
  finally { await sleepTurns(1); }
}
async function* mapped(source, f) { for await (const value of source) yield f(value); }

async function streams() {
  let sum = 0;
  for await (const { items } of pages(15)) for (const item of items) { if (item === 7) continue; sum += item; }
  for await (const n of mapped(pages(20), async ({ cursor }) => cursor * 2)) { if (n > 24) break; sum += n; }
  for await (const n of [1, Promise.resolve(2), 3]) sum += n;
  const source = { [Symbol.asyncIterator]() { let i = 0; return { next: async () => ({ done: i >= 10, value: i++ }) }; } };
  for await (const n of source) sum += n;
  const iterator = pages(9);
  const [one, two] = await Promise.all([iterator.next(), iterator.next()]);
  const end = await iterator.return("end");
  return [sum, one.value.cursor, two.value.items[1], end.value, (await Array.fromAsync(mapped([4, 5], (n) => n * n))).join()].join();
}

async function deep(n) { return n === 0 ? 0 : 1 + (await deep(n - 1)); }

async function run() {
  const results = [];
  for (let round = 0; round < 28; round++) {
    results.push(await sequential(), await together(), await chains(), await queued(), generators(), scheduler());
    results.push(await streams(), await deep(40), await Promise.resolve(round).then((n) => sleepTurns(n)) ?? "none");
  }
  const text = results.join("|");
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
  return hash;
}
