// Machines: a virtual machine, a state machine, a query language over records, a pretty printer, a difference of texts.

const OP = { PUSH: 0, ADD: 1, SUB: 2, MUL: 3, LOAD: 4, STORE: 5, JUMP: 6, JZ: 7, LESS: 8, CALL: 9, RET: 10, DUP: 11, SWAP: 12, OUT: 13, HALT: 14 };

function assemble(text) {
  const labels = {}, code = [];
  const lines = text.split("\n").map((line) => line.replace(/;.*/, "").trim()).filter(Boolean);
  for (const line of lines) {
    if (line.endsWith(":")) { labels[line.slice(0, -1)] = code.length; continue; }
    const [name, argument] = line.split(/\s+/);
    code.push(OP[name.toUpperCase()]);
    if (argument !== undefined) code.push(isNaN(argument) ? argument : Number(argument));
  }
  return code.map((word) => (typeof word === "string" ? labels[word] : word));
}

function execute(code, limit) {
  const stack = [], memory = new Array(8).fill(0), calls = [], out = [];
  let pc = 0, steps = 0;
  for (;;) {
    if (++steps > limit) throw new Error("too many steps");
    switch (code[pc++]) {
      case OP.PUSH: stack.push(code[pc++]); break;
      case OP.ADD: { const b = stack.pop(); stack.push(stack.pop() + b); break; }
      case OP.SUB: { const b = stack.pop(); stack.push(stack.pop() - b); break; }
      case OP.MUL: { const b = stack.pop(); stack.push((stack.pop() * b) % 65521); break; }
      case OP.LOAD: stack.push(memory[code[pc++]]); break;
      case OP.STORE: memory[code[pc++]] = stack.pop(); break;
      case OP.JUMP: pc = code[pc]; break;
      case OP.JZ: pc = stack.pop() ? pc + 1 : code[pc]; break;
      case OP.LESS: { const b = stack.pop(); stack.push(stack.pop() < b ? 1 : 0); break; }
      case OP.CALL: calls.push(pc + 1); pc = code[pc]; break;
      case OP.RET: pc = calls.pop(); break;
      case OP.DUP: stack.push(stack[stack.length - 1]); break;
      case OP.SWAP: { const top = stack.length - 1, t = stack[top]; stack[top] = stack[top - 1]; stack[top - 1] = t; break; }
      case OP.OUT: out.push(stack.pop()); break;
      case OP.HALT: return out.join() + ":" + steps;
      default: throw new Error(`bad code at ${pc - 1}`);
    }
  }
}

const PROGRAM = `
  push 1
  store 0           ; product
  push 0
  store 1           ; counter
loop:
  load 1
  push 220
  less
  jz done
  call step
  jump loop
step:
  load 1
  push 1
  add
  dup
  store 1
  load 0
  swap
  mul
  push 3
  add
  store 0
  ret
done:
  load 0
  out
  halt`;

const LIGHTS = {
  idle: { coin: ["ready", (m) => m.coins++], kick: ["broken"] },
  ready: { push: ["idle", (m) => m.passed++], coin: ["ready", (m) => m.coins++], kick: ["broken", (m) => (m.coins = 0)] },
  broken: { fix: ["idle"], "*": ["broken", (m) => m.ignored++] },
};
function turnstile(events) {
  const machine = { state: "idle", coins: 0, passed: 0, ignored: 0, history: [] };
  for (const event of events) {
    const rule = LIGHTS[machine.state][event] ?? LIGHTS[machine.state]["*"];
    if (!rule) { machine.ignored++; continue; }
    const [next, action] = rule;
    action?.(machine);
    if (next !== machine.state) machine.history.push(next[0]);
    machine.state = next;
  }
  return machine.history.join("") + machine.coins + machine.passed + machine.ignored;
}

// select name, age where age > 20 and (city = "Oslo" or not tags has "x") order by age desc limit 5
class Query {
  constructor(text) { this.text = text; this.at = 0; this.next(); }
  next() {
    const { text } = this;
    while (this.at < text.length && text.charCodeAt(this.at) <= 32) this.at++;
    const start = this.at, c = text[this.at];
    if (c === undefined) return (this.token = { kind: "end" });
    if (c >= "0" && c <= "9") {
      while (text[this.at] >= "0" && text[this.at] <= "9") this.at++;
      return (this.token = { kind: "number", value: +text.slice(start, this.at) });
    }
    if (c === '"') {
      this.at = text.indexOf('"', start + 1) + 1;
      if (this.at === 0) throw new SyntaxError(`open string at ${start}`);
      return (this.token = { kind: "string", value: text.slice(start + 1, this.at - 1) });
    }
    if ((c | 32, c >= "a" && c <= "z")) {
      while (/[a-z_.]/.test(text.charAt(this.at))) this.at++;
      return (this.token = { kind: "word", value: text.substring(start, this.at) });
    }
    this.at += text.startsWith("!=", start) || text.startsWith(">=", start) || text.startsWith("<=", start) ? 2 : 1;
    return (this.token = { kind: "sign", value: text.slice(start, this.at) });
  }
  accept(value) { if (this.token.value !== value || this.token.kind === "string") return false; this.next(); return true; }
  expect(kind) {
    const { token } = this;
    if (token.kind !== kind) throw new SyntaxError(`expected ${kind}, got ${token.value ?? "end"}`);
    this.next();
    return token.value;
  }
  parse() {
    const query = { fields: [], where: null, order: null, limit: Infinity };
    if (!this.accept("select")) throw new SyntaxError("expected select");
    do query.fields.push(this.accept("*") ? "*" : this.expect("word")); while (this.accept(","));
    if (this.accept("where")) query.where = this.or();
    if (this.accept("order") && this.accept("by")) query.order = { by: this.expect("word"), sign: this.accept("desc") ? -1 : 1 };
    if (this.accept("limit")) query.limit = this.expect("number");
    this.expect("end");
    return query;
  }
  or() { let left = this.and(); while (this.accept("or")) left = { type: "or", left, right: this.and() }; return left; }
  and() { let left = this.not(); while (this.accept("and")) left = { type: "and", left, right: this.not() }; return left; }
  not() {
    if (this.accept("not")) return { type: "not", of: this.not() };
    if (this.accept("(")) { const inner = this.or(); if (!this.accept(")")) throw new SyntaxError("expected )"); return inner; }
    const field = this.expect("word"), sign = this.token.value;
    this.next();
    const kind = this.token.kind;
    if (kind !== "number" && kind !== "string") throw new SyntaxError(`no value after ${sign}`);
    return { type: "test", field, sign, value: this.expect(kind) };
  }
}

const look = (row, path) => path.split(".").reduce((value, key) => value?.[key], row);
function holds(node, row) {
  switch (node.type) {
    case "or": return holds(node.left, row) || holds(node.right, row);
    case "and": return holds(node.left, row) && holds(node.right, row);
    case "not": return !holds(node.of, row);
    default: {
      const value = look(row, node.field);
      switch (node.sign) {
        case "=": return value === node.value;
        case "!=": return value !== node.value;
        case ">": return value > node.value;
        case "<": return value < node.value;
        case ">=": return value >= node.value;
        case "<=": return value <= node.value;
        case "has": return Boolean(value?.includes(node.value));
        default: throw new TypeError(`unknown comparison ${node.sign}`);
      }
    }
  }
}
function select(text, rows) {
  const { fields, where, order, limit } = new Query(text).parse();
  let found = where ? rows.filter((row) => holds(where, row)) : [...rows];
  if (order) found.sort((a, b) => (look(a, order.by) < look(b, order.by) ? -1 : look(a, order.by) > look(b, order.by) ? 1 : 0) * order.sign);
  return found.slice(0, limit).map((row) => fields.map((f) => (f === "*" ? Object.values(row).length : look(row, f))).join(":")).join(" ");
}

// A document is a string, "line", or a group; a group is laid flat when it fits.
const group = (...parts) => ({ parts }), indent = (...parts) => ({ parts, deeper: 2 });
const flatten = (doc) => (doc === "line" ? " " : typeof doc === "string" ? doc : doc.parts.map(flatten).join(""));
function layout(doc, width, depth = 0, column = { at: 0 }) {
  if (typeof doc === "string" && doc !== "line") { column.at += doc.length; return doc; }
  if (doc === "line") { column.at = depth; return "\n" + " ".repeat(depth); }
  const flat = flatten(doc);
  if (!doc.deeper && column.at + flat.length <= width) { column.at += flat.length; return flat; }
  let text = "";
  for (const part of doc.parts) text += layout(part, width, depth + (doc.deeper ?? 0), column);
  return text;
}
function document(value) {
  if (Array.isArray(value)) return group("[", indent(...value.flatMap((v, i) => [i ? "," : "", "line", document(v)])), "line", "]");
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "none";
  return group("{", indent(...Object.entries(value).flatMap(([k, v], i) => [i ? "," : "", "line", k + ": ", document(v)])), "line", "}");
}

function difference(a, b) {
  const table = Array.from({ length: a.length + 1 }, () => new Array(b.length + 1).fill(0));
  for (let i = a.length - 1; i >= 0; i--) {
    for (let j = b.length - 1; j >= 0; j--) table[i][j] = a[i] === b[j] ? table[i + 1][j + 1] + 1 : Math.max(table[i + 1][j], table[i][j + 1]);
  }
  const out = [];
  let i = 0, j = 0;
  while (i < a.length || j < b.length) {
    if (i < a.length && j < b.length && a[i] === b[j]) { out.push(" " + a[i++]); j++; }
    else if (j >= b.length || (i < a.length && table[i + 1][j] >= table[i][j + 1])) out.push("-" + a[i++]);
    else out.push("+" + b[j++]);
  }
  return out;
}

const QUERIES = [
  'select name, age where age > 20 and (city.name = "Oslo" or not tags has "x") order by age desc limit 9', "select * limit 3",
  'select name where tags has "y" and age <= 40 or city.zip != 3 and not (age >= 30) order by name', 'select id where nothing = "a"',
  'select id, city.zip where age < 35 and age > 25 order by city.zip', "select", 'select name where age ~ 4', 'select name where city = "x',
];

function run() {
  const rows = Array.from({ length: 70 }, (_, id) => ({
    id, name: "p" + ((id * 37) % 101), age: 18 + ((id * 13) % 50), city: { name: ["Oslo", "Bergen"][id % 2], zip: id % 7 }, tags: id % 3 ? ["x"] : ["y", "z"],
  }));
  const code = assemble(PROGRAM), results = [];
  for (let round = 0; round < 11; round++) {
    results.push(execute(code, 1e5), turnstile(Array.from({ length: 300 }, (_, i) => ["coin", "push", "push", "kick", "fix"][(i * i + round) % 5])));
    for (const query of QUERIES) {
      try { results.push(select(query, rows)); } catch (error) { results.push(error.name + error.message); }
    }
    const printed = layout(document(rows.slice(0, 24)), 60 + round), lines = printed.split("\n");
    const changed = lines.slice(0, 60).filter((_, i) => i % 9).map((line, i) => (i % 7 ? line : line.toUpperCase()));
    const changes = difference(lines.slice(0, 60), changed);
    results.push(lines.length, lines[9], changes.length, changes.filter((line) => line[0] === "+").join("").length);
  }
  return results.join("|").split("").reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) | 0, 1);
}
