// The parser and compiler: texts with every form of the language, by eval and new Function, mostly only compiled.

const FORMS = [
  "var a = 1, b; let c = a ?? 2; const d = c; a += 1; b = a++ + --c; a <<= 2; b >>>= 1; a **= 2; b &&= a; c ||= b; b ??= 3; d",
  "if (x > 1) y = 2; else if (x === 1) { y = 3 } else y = 4",
  "for (var i = 0, n = 10; i < n; i++) { if (i % 2) continue; if (i > 8) break; } i",
  "outer: for (const a of [1, 2]) { inner: for (const k in { p: 1 }) { if (a > 1) continue outer; else break inner; } }",
  "do { x--; } while (x > 0); while (x < 3) x++; block: { if (x) break block; x = 9; } ;",
  "switch (x) { case 1: case 2: y = 1; break; case 'three': { let z = 3; y = z; } default: y = 0; }",
  "try { throw new Error('no') } catch ({ message }) { y = message } finally { x = 1 } try { y() } catch { x = 2 }",
  "const { a, b: { c = 5, ...rest } = {}, ['d' + x]: e, 'f-g': f } = { a: 1, d1: 2 }; [x, , y = 4, ...z] = [1, 2]; [a, e, f, rest]",
  "function plain(a, b = a * 2, { c, d = 1 } = {}, [e] = [0], ...rest) { return a + b + arguments.length + rest.length } plain(1, 2)",
  "const f1 = (a) => a * 2, f2 = a => ({ a }), f3 = async () => { await 1 }, f4 = async x => await x, f5 = ({ a }, [b]) => a || b; f1(2)",
  "function* g(n) { const got = yield n; yield* [1, got]; return 3 } async function* ag() { for await (const v of g(1)) yield v } [...g(5)]",
  "class A { #p = 1; static s = 2; static #q() { return 1 } get v() { return this.#p } set v(n) { this.#p = n } static { A.t = A.#q() } }" +
    "class B extends A { constructor(...all) { super(...all); this.z = super.v } async m() {} *g() {} async *h() {} ['k' + 1]() {} has(o) { return #r in o } #r }" +
    "new B().z + A.t",
  "const o = { a, b: 1, ['c']: 2, 3: 4, 'd e': 5, get f() { return 1 }, set f(v) {}, m() { return super.toString }, async n() {}, *g() {}, ...{ h: 1 }, __proto__: null }; o?.b + o?.['c']",
  "x = a ? b : c, y = (a, b), z = typeof a === 'undefined' || void 0 && !a != ~b; delete o.p; 'p' in o && o instanceof Object",
  "`text ${a + `inner ${b}`} \\u{41} \\n ${ { a: 1 }.a }` + String.raw`\\x ${1}` + 'q\\'\\x41\\u0042\\\n' + \"d\"",
  "/[/\\]]+(?<n>a|b)\\k<n>/giu.test(x) ? /=/ : x / 2 / 3; 0x1F + 0b11 + 0o17 + 1_000.5e-3 + .5 + 10n.toString().length",
  "new Foo; new Foo.Bar(1, ...xs)(2); a?.b?.[c]?.(d); a.b.c[d].e(f)(g); (function () { return new.target })(); (() => {})(); !function () {}()",
  "async () => { for await (const x of y) { try { await x } finally { await z } } return await Promise.all([1, await 2]) }",
  "let async = 1, of = 2, get = 3, set = 4, \\u0061bc = 5; var let1; async + of + get + set; // trailing comment\n/* block\n */ ;;",
  "x = y\n++z\nif (a) ; else b\nvar q = function named() { 'use strict'; return this === undefined }\nq()",
  "function hoisted() { return later() } function later() { var v = 1; { function v2() {} let v = 2; } return v } hoisted()",
  "for (let i = 0, fs = []; i < 3; fs.push(() => i), i++); for (const [k, { v }] of Object.entries({ p: { v: 1 } })) k + v; for (x.y in {}) ;",
];
const BROKEN = [
  "let a; let a;", "if (", "x = ;", "function (", "({ a: 1, , })", "`open ${", "'open", "/(/", "await 1", "return", "break", "1 = 2",
  "class { }", "'use strict'; with (a) {}", "for (let x of a b) ;", "a => { } ()", "new.target", "super()", "const q;", "\\u{110000}", "yield: { let }",
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
  try { input.log?.({ total${i}, order, at: ${i} * 1.5e2 }); } catch (error) { if (!(error instanceof RangeError)) throw error; }
  const sorted = [...names].sort(([a], [b]) => (order === "asc" ? (a < b ? -1 : 1) : b < a ? -1 : 1)).map(([k, v]) => k + v.length);
  return { total: Math.round(total${i} * 100) / 100, names: sorted.slice(0, limit).join(", "), count: rows.length | 0 };`;
}
function script(count) {
  let text = '"use strict";\nconst reports = {};\n';
  for (let i = 0; i < count; i++) {
    text += `reports.r${i} = function report${i}(input) {\n${body(i)}\n};\n`;
    text += `class Report${i} ${i ? `extends Report${i - 1} ` : ""}{ #n = ${i}; get n() { return this.#n; } make(input) { return reports.r${i}(input); } }\n`;
  }
  return text + `({ reports, last: new Report${count - 1}() });`;
}
const table = (n) => `const table = [${Array.from({ length: n }, (_, i) => `{ id: ${i}, name: "n${i}", list: [${i}, ${i / 4}, -${i}], on: ${i % 2 === 0} }`)}]; table.length`;

const INPUT = { rows: Array.from({ length: 12 }, (_, i) => ({ price: i * 1.5, tax: 20, quantity: i % 4, group: "g" + (i % 3), name: ` N${i} `, kind: "sale" })) };

function compiled() {
  const out = [];
  for (const form of FORMS) {
    const AsyncFunction = (async () => {}).constructor;
    const made = [new Function("x", "y", "z", "o", form.replace(/const |let /g, "var ")), new Function(`"use strict"; return () => { ${form.replace(/\bdelete o\.p/, "0")} }`.replace(/\[x, , y/, "var xs; [xs, , y"))];
    out.push(made[0].length, typeof made[1], typeof new AsyncFunction("a", "await a; return a"), String(made[0]).length);
  }
  return out.join("");
}
function broken() {
  return BROKEN.map((text) => { try { (0, eval)("(function () {" + text + "\n})"); return "fine"; } catch (error) { return error.name; } }).join();
}
function evaluated(n) {
  const indirect = eval, made = (0, eval)(script(4)), local = n;
  const direct = eval("local * 2 + ((k) => k + local)(1)"), sum = new Function("a", "b = 2", "...c", "return a + b + c.length");
  return [made.reports.r1(INPUT).total, made.last.make(INPUT).names, made.last.n, direct, sum(1), sum(1, 1, 1, 1), indirect(table(60)),
    indirect("(class { static x = [1, 2].map((v) => v ** 2) })").x, indirect("typeof local"), indirect("var q1 = 5; { let q1 = 6 } q1"),
    indirect("[...(function* () { try { yield 1; yield 2 } finally { yield 3 } })()]"), indirect(FORMS[11]), indirect("l: { break l } 'end'"),
    indirect("(({ a: [, b = 7] = [], ...r }) => b + Object.keys(r).length)({ c: 1, d: 2 })"), indirect("`${[1, 2].map((n) => `<${n}>`).join('')}`")].join();
}

function run() {
  let hash = 3;
  for (let round = 0; round < 9; round++) {
    const text = compiled() + broken() + evaluated(round);
    for (let i = 0; i < text.length; i++) hash = (Math.imul(hash, 31) + text.charCodeAt(i)) | 0;
  }
  return hash;
}
