// The parser and compiler: texts with every form of the language, by eval and new Function, mostly only compiled.

const FORMS = [
  "var a = 1, b; let c = a ?? 2; const d = c; a += 1; b = a++ + --c; a <<= 2; b >>>= 1; d",
  "var a = 5, b = 3, c; a **= 2; b &&= a; c ||= b; a ^= b | 7; a %= 9; a -= ~b; c ??= 3; [a, b, c]",
  "if (x > 1) y = 2; else if (x === 1) { y = 3 } else y = 4",
  "for (var i = 0, n = 10; i < n; i++) { if (i % 2) continue; if (i > 8) break; } i",
  "outer: for (const a of [1, 2]) { for (const k in { p: 1 }) { if (a > 1) continue outer; else break; } }",
  "do { x--; } while (x > 0); while (x < 3) x++; block: { if (x) break block; x = 9; } ;",
  "switch (x) { case 1: case 2: y = 1; break; case 'three': { let z = 3; y = z; } default: y = 0; }",
  "try { throw new Error('no') } catch ({ message }) { y = message } finally { x = 1 }",
  "try { y() } catch { x = 2 } try { if (x) throw x } catch (e) { try { throw e } finally { y = e } }",
  "const { a, b: { c = 5, ...rest } = {}, ['d' + x]: e, 'f-g': f } = { a: 1, d1: 2 }; [a, e, f, rest]",
  "let p, q, r; [p, , q = 4, ...r] = [1, 2, , 3]; ({ p, q: r[0] = 2, ...z } = { p: q }); [r, p] = [p, r]",
  "function plain(a, b = a * 2, { c, d = 1 } = {}, [e] = [0], ...rest) { return a + b + arguments.length } plain(1)",
  "const f1 = (a) => a * 2, f2 = a => ({ a }), f3 = async () => { await 1 }, f4 = async x => await x; f1(2)",
  "const f5 = ({ a }, [b]) => a || b, f6 = (...all) => all, f7 = (a = 1, b = () => a) => b(), f8 = () => {}; f7()",
  "function* g(n) { const got = yield n; yield* [1, got]; return 3 } [...g(5)]",
  "async function* ag() { for await (const v of [1]) yield await v; yield* ag() } ag.name",
  "class A { #p = 1; static s = 2; static #q() { return 1 } get v() { return this.#p } set v(n) { this.#p = n }\n" +
    "  static { A.t = A.#q() } } new A().v + A.t",
  "class B extends Array { constructor(...all) { super(...all); this.z = super.length } async m() {} *g() {}\n" +
    "  async *h() {} ['k' + 1]() {} has(o) { return #r in o } #r; static x; 'quoted' = 1; 3 = 4 } new B(1, 2).z",
  "var a = 1, o = { a, b: 1, ['c']: 2, 3: 4, 'd': 5, get f() { return 1 }, set f(v) {}, ...{ h: 1 } }; o?.b + o?.['c']",
  "({ m() { return super.toString }, async n() {}, *g() {}, async *ag() {}, __proto__: null, async: 1, if: 3 })",
  "var o = {}, a, b; x = a ? b : o, y = (a, b), z = typeof a === 'undefined' || void 0 && !a; delete o.p; 'p' in o",
  "`text ${x + `inner ${y}`} \\u{41} \\n ${ { a: 1 }.a }` + String.raw`\\x ${1}` + 'q\\'\\x41\\u0042\\\n' + \"d\"",
  "/[/\\]]+(?<n>a|b)\\k<n>/giu.test(x) ? /=/ : x / 2 / 3; 0x1F + 0b11 + 0o17 + 1_000.5e-3 + .5 + 10n.toString().length",
  "() => { new Foo; new Foo.Bar(1, ...xs)(2); a?.b?.[c]?.(d); a.b.c[d].e(f)(g); (() => {})(); !function () {}() }",
  "(function () { return new.target ? this : void 0 })(); (class { static m() { return this } }).m().name",
  "async () => { for await (const x of y) { try { await x } finally { await z } } return await Promise.all([1]) }",
  "var async = 1, of = 2, get = 3, set = 4, \\u0061bc = 5, größe = 6; async + of + get; // comment\n/* block\n */ ;;",
  "x = y\n++z\nif (x) ; else y\nvar q = function named() { 'use strict'; return this === undefined }\nq()",
  "function hoist() { return later() } function later() { var v = 1; { function w() {} let v = 2 } return v } hoist()",
  "for (let i = 0, fs = []; i < 3; fs.push(() => i), i++);" +
    "for (const [k, { v }] of Object.entries({ p: { v: 1 } })) k + v",
];
const BROKEN = [
  "let a; let a;", "if (", "x = ;", "function (", "({ a: 1, , })", "`open ${", "'open", "/(/", "await 1", "{ return",
  "break", "1 = 2", "class { }", "'use strict'; with (a) {}", "for (let x of a b);", "a => {}()", "super()", "const q;",
  "\\u{110000}", "a?.b = 1", "class A { constructor() {} constructor() {", "({ a = 1 })", "let [a, a]", "continue",
  "case 1:", "#p in {}",
];

function body(i) {
  return `  // Step ${i} of the report.
  const { rows = [], options: { limit = ${10 + i}, order = "asc" } = {} } = input;
  let total${i} = 0, names = new Map();
  for (const [index, row] of rows.entries()) {
    if (!row || row.skip === true) continue;
    const price = Number(row.price ?? 0) * (1 + row.tax / 100), key = \`\${row.group}-\${index % ${i + 2}}\`;
    total${i} += row.quantity > ${i} ? price * row.quantity : -price;
    names.set(key, [...(names.get(key) ?? []), row.name?.trim().toLowerCase()]);
    switch (row.kind) {
      case "sale": case "refund": total${i} -= row.kind === "refund" ? 2 * price : 0; break;
      case /^x/.test(row.kind) && row.kind: throw new TypeError("kind " + row.kind);
      default: if (index >= limit) return { total: total${i}, names: [...names.keys()].join(", ") };
    }
  }
  try { input.log?.({ total${i}, order, at: ${i} * 1.5e2 }); }
  catch (error) { if (!(error instanceof RangeError)) throw error; }
  const sign = order === "asc" ? 1 : -1, sorted = [...names].sort(([a], [b]) => (a < b ? -sign : sign));
  const names${i} = sorted.map(([k, v]) => k + v.length).slice(0, limit);
  return { total: Math.round(total${i} * 100) / 100, names: names${i}.join() };`;
}
function script(count) {
  let text = '"use strict";\nconst reports = {};\n';
  for (let i = 0; i < count; i++) {
    text += `reports.r${i} = function report${i}(input) {\n${body(i)}\n};\nclass Report${i} `;
    text += `${i ? `extends Report${i - 1} ` : ""}{ #n = ${i}; get n() { return this.#n; } `;
    text += `make(input) { return reports.r${i}(input); } }\n`;
  }
  return text + `({ reports, last: new Report${count - 1}() });`;
}
const range = (n, f) => Array.from({ length: n }, (_, i) => f(i));
const row = (i) => `{ id: ${i}, name: "n${i}", list: [${i}, ${i / 4}, -${i}], on: ${i % 2 === 0} }`;
const table = (n) => `[${range(n, row)}].length`;
// More variables, constants and functions than one byte can number.
const variable = (i) => `let v${i} = "constant ${i}", f${i} = (x) => x + v${i}.length + ${i * 1e6 + 0.5};`;
const wide = (n) => `${range(n, variable).join("\n")}
  let sum = 0;
  for (let i = 0; i < 3; i++) { if (i === 1) { ${range(n, (i) => `sum += f${i}(i); v${i} += i;`).join(" ")} } }
  sum`;

const AsyncFunction = (async () => {}).constructor, GeneratorFunction = (function* () {}).constructor;
function compiled() {
  const out = [];
  for (const form of FORMS) {
    const sloppy = new Function("x", "y", "z", form), nested = new Function("z", `return () => { ${form}\n}`);
    out.push(sloppy.length, typeof nested(), String(sloppy).length);
  }
  const generator = new GeneratorFunction("n", "yield n; yield* [n]");
  out.push(typeof new AsyncFunction("a", "await a; return a"), [...generator(2)]);
  return out.join("");
}
function broken() {
  let names = "";
  for (const text of BROKEN) {
    try { (0, eval)("(function () {" + text + "\n})"); names += "fine"; } catch (error) { names += error.name[0]; }
  }
  return names;
}
function evaluated(local) {
  const indirect = eval, made = (0, eval)(script(4)), input = { rows: range(12, (i) => (
    { price: i * 1.5, tax: 20, quantity: i % 4, group: "g" + (i % 3), name: ` N${i} `, kind: "sale" })) };
  const sum = new Function("a", "b = 2", "...c", "return a + b + c.length"), out = [];
  for (const text of [
    FORMS[0], FORMS[14], FORMS[16], table(60), wide(140), "l: { break l } 'end'", "typeof local",
    "var q1 = 5; { let q1 = 6 } q1",
    "[...(function* () { try { yield 1; yield 2 } finally { yield 3 } })()]",
    "(class { static x = [1, 2].map((v) => v ** 2) }).x",
    "(({ a: [, b = 7] = [], ...r }) => b + Object.keys(r).length)({ c: 1, d: 2 })", "`${[1].map((n) => `<${n}>`)}`",
    `[${range(270, (i) => i + ".5")}].length`, `[${range(270, (i) => "() => " + i)}].at(-1)()`,
    "implicit = 3; implicit += 4; delete globalThis.implicit",
  ]) out.push(indirect(text));
  const { reports, last } = made;
  out.push(sum(1), sum(1, 1, 1, 1), direct(local, 2));
  return [reports.r1(input).total, last.make(input).names, last.n, out].join();
}
function direct(a, b) {
  var c = a, d = [];
  let e = b;
  eval("var f = a + 1; c += f; e *= 2; a = c; d.push(() => f++); function g(n) { return n + e }");
  f += 2;
  const inner = () => eval("c++; (() => { e--; return [a, c, e, d[0](), typeof f] })()");
  const seen = [inner(), f, g(1), delete f, typeof f, eval("'use strict'; var h = 1; h"), typeof h];
  return [...seen, arguments[0] === a, eval("arguments.length")];
}

function run() {
  let hash = 3;
  for (let round = 0; round < 5; round++) {
    const text = compiled() + broken() + evaluated(round);
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  }
  return hash;
}
