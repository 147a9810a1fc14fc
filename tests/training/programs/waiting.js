// Waiting: promises and their combinators, async functions, timers, errors through await, async iteration.

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
    async enter() {
      if (this.#free > 0) this.#free--;
      else await new Promise((resolve) => this.#waiting.push(resolve));
    }
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

async function* pages(count) {
  let cursor = 0;
  try {
    for (; cursor < count; cursor++) {
      await null;
      yield { cursor, items: Array.from({ length: 3 }, (_, i) => cursor * 3 + i) };
    }
  } finally {
    await sleepTurns(1);
  }
}
async function* mapped(source, f) { for await (const value of source) yield f(value); }

async function streams() {
  let sum = 0;
  for await (const { items } of pages(15)) for (const item of items) { if (item === 7) continue; sum += item; }
  for await (const n of mapped(pages(20), async ({ cursor }) => cursor * 2)) { if (n > 24) break; sum += n; }
  for await (const n of [1, Promise.resolve(2), 3]) sum += n;
  const source = {
    [Symbol.asyncIterator]() { let i = 0; return { next: async () => ({ done: i >= 10, value: i++ }) }; },
  };
  for await (const n of source) sum += n;
  const iterator = pages(9);
  const [one, two] = await Promise.all([iterator.next(), iterator.next()]);
  const end = await iterator.return("end");
  return [sum, one.value.cursor, two.value.items[1], end.value,
    (await Array.fromAsync(mapped([4, 5], (n) => n * n))).join()].join();
}

const after = (ms, value) => new Promise((resolve) => setTimeout(resolve, ms, value));
async function timers() {
  const log = [];
  const ticker = setInterval(() => { log.push("i"); if (log.length > 2) clearInterval(ticker); }, 0);
  const cancelled = setTimeout(() => log.push("never"), 5000);
  await after(0);
  clearTimeout(cancelled);
  const winner = await Promise.race([after(500, "late"), after(1, "soon")]);
  while (log.length < 3) await after(0);
  return log.join("") + winner;
}

async function deep(n) { return n === 0 ? 0 : 1 + (await deep(n - 1)); }

async function run() {
  const results = [];
  for (let round = 0; round < 34; round++) {
    results.push(await sequential(), await together(), await chains(), await queued());
    results.push(await streams(), await deep(40), await Promise.resolve(round).then((n) => sleepTurns(n)) ?? "none");
  }
  results.push(await timers());
  const text = results.join("|");
  let hash = 0;
  for (let i = 0; i < text.length; i++) hash = (hash * 31 + text.charCodeAt(i)) >>> 0;
  return hash;
}
