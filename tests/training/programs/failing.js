// Failing: errors thrown, caught, wrapped and read, the engine's own, and the less common operators and statements.

class ValidationError extends Error {
  static from(problems) { return new this(`${problems.length} problems`, { cause: problems }); }
  constructor(message, { field = "none", ...options } = {}) {
    super(message, options);
    this.name = "ValidationError";
    this.field = field;
  }
  get short() { return `${this.name}(${this.field})`; }
}
class HttpError extends Error {
  constructor(status, ...rest) {
    super(...rest);
    Object.setPrototypeOf(this, new.target.prototype);
    Error.captureStackTrace?.(this, HttpError);
    this.status = status;
  }
  get name() { return this.constructor.name; }
  toJSON() {
    const { name, status, message } = this;
    return { name, status, message, traced: typeof this.stack === "string" };
  }
}
class NotFound extends ValidationError { name = "NotFound"; }
function OldError(code) {
  if (!(this instanceof OldError)) return new OldError(code);
  this.code = code;
  this.stack = new Error("old").stack;
}
OldError.prototype = Object.create(Error.prototype, { name: { value: "OldError" } });

function validate(user) {
  const problems = [];
  const check = (ok, field, message = `bad ${field}`) => {
    if (!ok) problems.push(new ValidationError(message, { field }));
  };
  check(typeof user.name === "string" && user.name.length > 2, "name");
  check(Number.isInteger(user.age) && user.age >= 0, "age", `age ${user.age} is no age`);
  check(/^\S+@\S+$/.test(user.email ?? ""), "email");
  if (problems.length === 1) throw problems[0];
  if (problems.length > 1) throw new AggregateError(problems, "several");
  return user.name;
}

function validations() {
  const seen = { fine: 0, one: 0, several: 0 }, fields = [];
  for (let i = 0; i < 90; i++) {
    try {
      validate({ name: i % 4 ? "name" + i : "n", age: i % 6 === 5 ? i / 2 : i, email: i % 5 ? `u${i}@x` : undefined });
      seen.fine++;
    } catch (error) {
      if (error instanceof AggregateError) { seen.several++; fields.push(...error.errors.map((e) => e.field[0])); }
      else if (error instanceof ValidationError) { seen.one++; fields.push(error.short.length); }
      else throw error;
    }
  }
  const wrapped = ValidationError.from([1, 2]), missing = new NotFound("x", { cause: wrapped });
  return [JSON.stringify(seen), fields.join(""), wrapped.cause.length, String(missing), missing.cause.message,
    "cause" in missing, Object.keys(missing).join(), OldError(7).code, `${OldError(8)}`, OldError(9) instanceof Error,
    typeof OldError(1).stack, JSON.stringify(new HttpError(404, "gone")), `${new HttpError(500)}`,
    Error.prototype.toString.call({ name: "N", message: "m" })].join();
}

const MISTAKES = [
  () => undefined.name, () => null[0], () => (void 0)(), () => { const o = {}; o.method(); }, () => missing,
  () => { const c = 1; c = 2; }, () => new (class { constructor() { this.x(); } })(), () => [].reduce((a) => a),
  () => new Array(-1), () => "x".repeat(-1), () => (1).toFixed(200), () => JSON.parse("{bad"),
  () => JSON.parse('{"a": [1, 2,]}'), () => JSON.parse(""), () => { const a = {}; a.a = a; return JSON.stringify(a); },
  () => decodeURIComponent("%E0%"), () => new RegExp("("), () => BigInt(1.5), () => 1n + 1, () => Symbol() + "",
  () => { "use strict"; undeclared = 1; }, () => { "use strict"; Object.freeze([1]).push(2); },
  () => Object.defineProperty(Object.freeze({}), "a", { value: 1 }), () => ({}) instanceof 5, () => "a" in "b",
  () => { let { a } = null; return a; }, () => { let [a] = {}; return a; }, () => [...5], () => new Map([1]),
  () => new 3(), () => { tooEarly; let tooEarly; }, () => class extends null { constructor() { this.x = 1; } }.call(),
  () => Reflect.ownKeys(1), () => new Proxy({}, null), () => Object.create(1), () => eval("let let = 1"),
  () => (function f() { return f() + 1; })(), () => new Date(NaN).toISOString(), () => structuredClone(() => 1),
  () => { throw undefined; }, () => { throw { code: 5 }; }, () => { throw "text"; }, () => Promise(),
  () => new Intl.Missing(), () => [].at.call(null),
];

function mistakes() {
  const kinds = [];
  for (const mistake of MISTAKES) {
    try { kinds.push("no:" + typeof mistake()); } catch (error) {
      const kind = error instanceof TypeError ? 1 : error instanceof Error ? 2 : typeof error;
      kinds.push(error?.constructor?.name ?? String(error), kind);
      if (kind < 3 && typeof error.stack === "string" && error.message.length > 0) kinds.push(typeof error.stack);
    }
  }
  return kinds.join(" ");
}

function order(kind) {
  const log = [];
  const inner = () => {
    try {
      log.push("try");
      if (kind === 1) throw new Error("1");
      if (kind === 2) return "returned";
      for (const x of [1, 2, 3]) { try { if (x === 2) { if (kind === 3) continue; break; } } finally { log.push(x); } }
      return "end";
    } catch (error) {
      log.push("catch");
      if (kind === 1) throw new Error("again", { cause: error });
    } finally {
      log.push("finally");
      if (kind === 4) return "overridden";
    }
  };
  try { log.push(inner()); } catch ({ message, cause: { message: first } }) { log.push(message, first); }
  return log.join();
}

function closing() {
  let closed = 0;
  const source = {
    [Symbol.iterator]: () => (
      { i: 0, next() { return { done: false, value: this.i++ }; }, return() { closed++; return {}; } }),
  };
  for (const v of source) if (v > 3) break;
  try { for (const v of source) if (v > 2) throw v; } catch (v) { closed += v * 10; }
  const [a, b] = source;
  (() => { for (const v of source) if (v) return; })();
  const generator = (function* () { try { yield 1; yield 2; } finally { closed += 100; } })();
  for (const v of generator) { if (v === 1) break; }
  return closed + a + b;
}

function operators() {
  function all() {
    arguments[0] = "changed";
    return Array.prototype.slice.call(arguments, 1).length + [...arguments].join("") + arguments.length;
  }
  function strict(a) { "use strict"; arguments[0] = 9; return a; }
  const box = {
    list: [1, 2], toString() { throw new TypeError("text"); },
    get bad() { throw new RangeError("getter"); }, set bad(v) { throw v; },
  };
  let out = all("a", "b", 3) + strict(1), caught = 0;
  for (let i = 0; i < 40; i++) {
    try { if (i % 2) box.bad; else box.bad = "set"; } catch (error) {
      caught += error === "set" ? 1 : error.message.length;
    }
    try { `${box}`; } catch { caught++; } finally { caught += 2; }
    out += typeof [undefined, null, 1, "s", true, 1n, Symbol.iterator, all, {}][i % 9] === "object" ? "o" : "";
    switch (["red", "green", "blue", "", "gray"][i % 5]) {
      case "red": caught += 1; break;
      case "green": caught += 2;
      case "blue": { caught += 3; break; }
      case "": continue;
      default: caught -= 1;
    }
    delete box.list[i % 3];
    out = out.slice(-60) + (0 in box.list) + ("list" in box) + (delete box["none"]) + (void i) + !!box.list;
  }
  outer: for (let i = 0; ; i++) {
    for (let j = 0; j < 5; j++) {
      if (j === 3 && i < 6) continue outer;
      if (i * j > 20) break outer;
      caught += (i, j);
    }
  }
  return out + caught;
}

const fallible = (i) => {
  if (i % 3 === 0) throw Object.assign(new Error(`item ${i}`), { code: "E" + (i % 7), retry: i % 2 === 0 });
  return i;
};
function results() {
  const wrap = (f) => (...given) => {
    try { return { ok: true, value: f(...given) }; } catch (error) { return { ok: false, error }; }
  };
  const safe = wrap(fallible), depth = (n) => {
    try { return n === 0 ? fallible(0) : depth(n - 1); } finally { count++; }
  };
  let count = 0, text = "";
  for (let i = 1; i < 120; i++) {
    const { ok, value, error } = safe(i);
    if (ok) count += value;
    else if (error.retry) text += error.code;
    else count -= error.message.length;
  }
  try { depth(60); } catch (error) {
    text += error.stack.includes("depth") + error.stack.split("\n").length.constructor.name;
  }
  const nested = [1, 2, 3].reduce((cause, n) => new Error("level " + n, { cause }), undefined);
  for (let e = nested; e; e = e.cause) text += e.message;
  return count + text;
}

async function rejected() {
  const seen = [];
  for (let i = 0; i < 30; i++) {
    await (async () => fallible(i))().then((v) => seen.push(v), (error) => seen.push(error.code));
    try { await Promise.reject(new TypeError("t" + i)); } catch (error) { seen.push(error.message); }
  }
  return seen.join("");
}

async function run() {
  const shown = [];
  for (let round = 0; round < 15; round++) {
    shown.push(validations(), mistakes(), order(round % 5), closing(), operators(), results(), await rejected());
  }
  let hash = 5;
  for (const c of shown.join("|")) hash = (Math.imul(hash, 33) ^ c.charCodeAt(0)) >>> 0;
  return hash;
}
