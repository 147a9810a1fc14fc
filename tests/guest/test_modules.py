"""The loader in the guest takes nothing that programs can replace, and does not depend on what they replaced."""

from __future__ import annotations

import pytest

from sandbox import JSError, Sandbox
from sandbox.modules import Importer, ModuleSource

SOURCES: dict[str, str | ModuleSource] = {
    "a.js": "import b from './b.js'; export * from './c.cjs'; export default [b, import.meta.url]",
    "b.js": "await import('./d.json'); export default 'b'",
    "c.cjs": ModuleSource("exports.c = require('./d.json').d", kind="commonjs"),
    "d.json": ModuleSource('{"d": 1}', kind="json"),
}

# Every method and getter of the built-in prototypes keeps a record of being called, and so do planted properties.
POISON = """
(() => {
  const { apply, defineProperty, getOwnPropertyDescriptor, ownKeys } = Reflect;
  const reached = globalThis.reached = Object.setPrototypeOf([], null);
  const record = (what) => { reached[reached.length] = what; };
  for (const name of ["Map", "Array", "String", "RegExp", "Promise", "Symbol", "Error", "TypeError", "Object"]) {
    const { prototype } = globalThis[name];
    for (const key of ownKeys(prototype)) {
      const property = getOwnPropertyDescriptor(prototype, key);
      if (!property.configurable || key === "constructor") continue;
      const what = `${name}.prototype.${String(key)}`;
      if (typeof property.value === "function") {
        const { value } = property;
        property.value = function () { record(what); return apply(value, this, arguments); };
      } else if (property.get) {
        const { get } = property;
        property.get = function () { record(what); return apply(get, this, []); };
      }
      defineProperty(prototype, key, property);
    }
  }
  for (const key of ["then", "path", "directory", "parent", "waiters", "cell", "linked", "type", "exports", "value",
                     "get", "set", "0", "1", "record", "isEntry", "turn", "id"]) {
    defineProperty(Object.prototype, key, {
      __proto__: null, configurable: true, get() { record(`get ${key}`); }, set() { record(`set ${key}`); },
    });
  }
  reached.length = 0;
})()
"""


def test_modules_reach_nothing_of_the_program() -> None:
    with Sandbox(modules=SOURCES) as box:
        box.eval(POISON)
        assert box.import_module("a.js") == {"c": 1, "default": ["b", "file:///a.js"]}
        assert box.module("export {default} from './b.js'", filename="/m.js") == {"default": "b"}
        with pytest.raises(JSError):
            box.module("import './none.js'")
        # The last one is what every Error is asked for on its way out.
        assert list(box.eval("({__proto__: null, ...reached})").values()) == ["Error.prototype.stack"]


def test_a_replaced_map_does_not_confuse_modules() -> None:
    with Sandbox(modules=SOURCES) as box:
        box.eval("""
            for (const name of ['get', 'set', 'has', 'delete', 'forEach']) Map.prototype[name] = () => { throw 1 };
            Promise.prototype.then = () => { throw 2 };
            Object.keys = JSON.parse = () => { throw 3 };
            globalThis.Promise = globalThis.Map = undefined;
        """)
        assert box.import_module("c.cjs")["c"] == 1
        assert box.module("export {c} from './c.cjs'") == {"c": 1}


def test_programs_cannot_reach_the_loader() -> None:
    seen = []

    def loader(specifier: str, importer: Importer) -> str | None:
        seen.append(specifier)
        return None

    with Sandbox(modules=loader) as box:
        for name in ("sandbox:native", "sandbox:modules.js", "./modules.js", "sandbox:index.js"):
            assert "cannot find module" in box.eval(f"import('{name}').catch(e => e.message)")
        assert box.eval("Object.keys(globalThis).filter(k => /require|module|process/.test(k)).length") == 0
    assert seen == ["sandbox:native", "sandbox:modules.js", "./modules.js", "sandbox:index.js"]
