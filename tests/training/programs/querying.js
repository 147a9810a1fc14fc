// A query language over records, from text to tokens, tree and answer, and a printer that lays trees out in lines.

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
  accept(value) {
    if (this.token.value !== value || this.token.kind === "string") return false;
    this.next();
    return true;
  }
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
    if (this.accept("order") && this.accept("by")) {
      query.order = { by: this.expect("word"), sign: this.accept("desc") ? -1 : 1 };
    }
    if (this.accept("limit")) query.limit = this.expect("number");
    this.expect("end");
    return query;
  }
  or() { let left = this.and(); while (this.accept("or")) left = { type: "or", left, right: this.and() }; return left; }
  and() {
    let left = this.not();
    while (this.accept("and")) left = { type: "and", left, right: this.not() };
    return left;
  }
  not() {
    if (this.accept("not")) return { type: "not", of: this.not() };
    if (this.accept("(")) {
      const inner = this.or();
      if (!this.accept(")")) throw new SyntaxError("expected )");
      return inner;
    }
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
  const compare = (a, b) => (a < b ? -1 : a > b ? 1 : 0);
  if (order) found.sort((a, b) => compare(look(a, order.by), look(b, order.by)) * order.sign);
  const show = (row) => fields.map((f) => (f === "*" ? Object.values(row).length : look(row, f))).join(":");
  return found.slice(0, limit).map(show).join(" ");
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
  if (Array.isArray(value)) return group("[", indent(...value.flatMap((v, i) => [i ? "," : "", "line", document(v)])),
    "line", "]");
  if (value === null || typeof value !== "object") return JSON.stringify(value) ?? "none";
  return group("{", indent(...Object.entries(value).flatMap(([k, v], i) => [i ? "," : "", "line", k + ": ",
    document(v)])), "line", "}");
}

const QUERIES = [
  'select name, age where age > 20 and (city.name = "Oslo" or not tags has "x") order by age desc limit 9',
    "select * limit 3",
  'select name where tags has "y" and age <= 40 or city.zip != 3 and not (age >= 30) order by name',
    'select id where nothing = "a"',
  'select id, city.zip where age < 35 and age > 25 order by city.zip', "select", 'select name where age ~ 4',
    'select name where city = "x',
];

function run() {
  const rows = Array.from({ length: 70 }, (_, id) => ({
    id, name: "p" + ((id * 37) % 101), age: 18 + ((id * 13) % 50),
      city: { name: ["Oslo", "Bergen"][id % 2], zip: id % 7 },
    tags: id % 3 ? ["x"] : ["y", "z"],
  }));
  const results = [];
  for (let round = 0; round < 14; round++) {
    for (const query of QUERIES) {
      try { results.push(select(query, rows)); } catch (error) { results.push(error.name + error.message); }
    }
    const lines = layout(document(rows.slice(0, 24)), 60 + round).split("\n");
    results.push(lines.length, lines[9], layout(document(new Query(QUERIES[0]).parse()), 40).length);
  }
  return results.join("|").split("").reduce((hash, c) => (hash * 31 + c.charCodeAt(0)) | 0, 1);
}
