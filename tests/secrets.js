// All text a program can lay its hands on: names, values, sources and descriptions of everything reachable, and what is
// said when things fail. The host's functions are in `names`.
const texts = new Set();
const seen = new Set();
const say = (value) => {
  try {
    texts.add(String(value).slice(0, 2000));
  } catch {}
};

function sayError(error, depth = 0) {
  if (depth > 4) return;
  if (error === null || (typeof error !== "object" && typeof error !== "function")) return say(error);
  for (const key of ["name", "message", "stack", "code", "fileName", "lineNumber", "traceback", "path"]) {
    try {
      if (error[key] !== undefined) say(error[key]);
    } catch {}
  }
  for (const key of ["cause", "errors"]) {
    try {
      const inner = error[key];
      for (const each of Array.isArray(inner) ? inner : [inner]) if (each) sayError(each, depth + 1);
    } catch {}
  }
  walk(error, 3);
}

function walk(object, left) {
  if (object === null || (typeof object !== "object" && typeof object !== "function")) return say(object);
  if (seen.has(object) || left === 0 || object === texts || object === seen) return;
  seen.add(object);
  if (object instanceof Promise) object.then(undefined, sayError);
  if (typeof object === "function") say(Function.prototype.toString.call(object));
  say(Object.prototype.toString.call(object));
  for (const key of Reflect.ownKeys(object)) {
    say(typeof key === "symbol" ? key.description : key);
    let value;
    try {
      const descriptor = Reflect.getOwnPropertyDescriptor(object, key);
      for (const accessor of [descriptor.get, descriptor.set]) if (accessor) walk(accessor, left - 1);
      value = object[key];
    } catch (error) {
      sayError(error);
      continue;
    }
    walk(value, left - 1);
  }
  walk(Object.getPrototypeOf(object), left - 1);
}

const attempt = async (action) => {
  try {
    const value = await action();
    walk(value, 4);
  } catch (error) {
    sayError(error);
  }
};

walk(globalThis, 12);
walk(Function("return this")(), 12);
walk((() => {}).constructor.constructor, 4);
walk(new Error("here"), 4);
walk((function () { return arguments })(), 4);

for (const name of names) {
  for (const args of [[], [1], [{}], [undefined, "x", Symbol.iterator]]) await attempt(() => globalThis[name](...args));
}
if (globalThis.vault) {
  walk(vault, 6);
  await attempt(() => vault.fail());
  await attempt(() => vault.path);
  await attempt(() => vault.__class__);
}

const specifiers = [
  "/good.js", "/bad.js", "/throws.js", "/bytes.js", "/common.cjs", "/directory", "/out.js", "/missing.js", "package",
  "broken", "missing", "../../../etc/passwd", "/etc/passwd", "file:///etc/passwd", "node:fs", "data:text/javascript,1",
  "", ".", "..", "/", "//", "\0", "a\0b", "\ud800", "x".repeat(5000), "/" + "y/".repeat(3000), "C:\\windows", "package/missing",
  "package/package.json", "#x", "http://localhost/x.js",
];
for (const specifier of specifiers) {
  await attempt(() => import(specifier));
  await attempt(() => import(specifier, {with: {type: "json"}}));
  await attempt(() => import(specifier, {with: {type: "text"}}));
}

const failing = [
  () => crypto.getRandomValues(new Uint8Array(1 << 20)),
  () => structuredClone(() => {}),
  () => new URL("nothing"),
  () => new TextDecoder("nothing"),
  () => atob("\u0100"),
  () => setTimeout(),
  () => queueMicrotask(1),
  () => JSON.parse("{"),
  () => new Function("("),
  () => eval("throw new Error('inner')"),
  () => null.x,
  () => undefinedName,
  () => (function f() { f() })(),
  () => new Array(-1),
  () => "x".repeat(2 ** 40),
  () => new ArrayBuffer(2 ** 50),
  () => 1n / 0n,
  () => Reflect.construct(1),
  () => new WebAssembly.Module(),
  () => process.env,
  () => require("fs"),
];
for (const action of failing) await attempt(action);

console.log(new Error("logged"), globalThis);
console.trace("traced");
console.table([{a: new Error("in a table")}]);
say(performance.timeOrigin);
[...texts];
