"""Short ways for whole objects come to what the long ones do, which a proxy takes: listing, copying, iterating."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

OBJECTS = {
    "none": "({})",
    "plain": "({ a: 1, b: 'x', c: [1], d: null, e: undefined })",
    "indexes": "({ b: 1, 2: 'two', a: 2, 1: 'one', 4294967294: 3, 4294967295: 4, '-0': 5, '01': 6 })",
    "symbols": "({ [Symbol.iterator]: 1, a: 2, [Symbol.for('s')]: 3, b: 4 })",
    "what is hidden": "Object.defineProperties({ a: 1 }, { b: { value: 2 }, c: { value: 3, enumerable: true } })",
    "a getter": "({ a: 1, get b() { return 2 }, c: 3 })",
    "a setter": "({ a: 1, set b(x) {}, c: 3 })",
    "what was deleted": "(() => { const o = { a: 1, b: 2, c: 3 }; delete o.a; o.a = 4; delete o.b; return o })()",
    "a class": "new (class { x = 1; #p = 2; y = { p: 3 }; m() {} })",
    "a class with private names only": "new (class { #a = 1; #b() { return this.#a } })",
    "what is inherited": "Object.create({ a: 1 }, { b: { value: 2, enumerable: true } })",
    "no prototype": "Object.assign(Object.create(null), { a: 1, b: 2 })",
    "__proto__ as a key": "({ ['__proto__']: 1, a: 2 })",
    "frozen": "Object.freeze({ a: 1, b: 2 })",
    "sealed": "Object.seal({ a: 1 })",
    "an array": "Object.assign([1, , 3], { x: 4 })",
    "a function": "Object.assign(function f(a) {}, { x: 1 })",
    "a text": "Object.assign(Object('ab'), { x: 1 })",
    "a date": "Object.assign(new Date(0), { x: 1 })",
    "an error": "Object.assign(new Error('e'), { x: 1 })",
    "arguments": "(function () { return arguments })(1, 2)",
    "a typed array": "new Uint8Array([1, 2])",
    "a prototype": "(() => { class A { m() {} } A.prototype.x = 1; return A.prototype })()",
    "many": "Object.fromEntries(Array.from({ length: 1025 }, (_, i) => ['k' + i, i]))",
    "as many as go at once": "Object.fromEntries(Array.from({ length: 1024 }, (_, i) => ['k' + i, i]))",
    "regular expression's groups": "/(?<y>a)(?<x>b)?/.exec('a').groups",
    "JSON": 'JSON.parse(\'{"a":{"b":1},"__proto__":2}\')',
}
USES = {
    "keys": "Object.keys(o)",
    "values": "Object.values(o)",
    "entries": "Object.entries(o)",
    "a copy": "({ ...o })",
    "a copy behind others": "({ a: 'before', x: 'x', ...o, b: 'after' })",
    "a copy of a copy": "({ ...{ ...o }, ...o })",
    "a copy over a getter": "({ get a() { return 'never' }, ...o })",
    "a copy without a prototype": "({ __proto__: null, ...o })",
    "a copy with another prototype": "({ __proto__: { set a(x) { throw 1 } }, ...o })",
    "the rest": "(({ a, ...rest }) => rest)(o)",
    "the rest but some": "(({ a, c, x, [1]: one, ['b']: b, ...rest }) => rest)(o)",
    "all as rest": "(({ ...rest }) => rest)(o)",
    "back from entries": "Object.fromEntries(Object.entries(o))",
}
# What a value is, with its keys in order, their attributes, and its prototype.
DESCRIBED = """
const described = (value, prototype) => {
  if (typeof value !== "object" || value === null) return typeof value + String(value);
  const from = Object.getPrototypeOf(value);
  const isUsual = from === Object.prototype || from === Array.prototype;
  return [Array.isArray(value), isUsual || from && Object.keys(from).join(), Object.isExtensible(value),
    ...Reflect.ownKeys(value).map((key) => {
      const { value: inner, get, set, ...rest } = Object.getOwnPropertyDescriptor(value, key);
      return String(key) + ":" + described(inner) + !!get + !!set + JSON.stringify(rest);
    })].join("|");
};
const same = (make, use) => described(use(make())) === described(use(new Proxy(make(), {})));
"""


@pytest.mark.parametrize("use", USES)
def test_objects_are_listed_and_copied(box: Sandbox, use: str) -> None:
    box.eval(DESCRIBED)
    for name, made in OBJECTS.items():
        assert box.eval(f"same(() => {made}, (o) => {USES[use]})") is True, name


def test_a_text_has_its_characters_as_properties(box: Sandbox) -> None:
    assert box.eval("({ ...'ab\\u4e00', ...5, ...null, ...true, ...10n, ...Symbol() })") == {
        "0": "a",
        "1": "b",
        "2": "\u4e00",
    }
    assert box.eval("(({ length, 1: b, ...rest }) => [length, b, rest])('abc')") == [3, "b", {"0": "a", "2": "c"}]
    assert box.eval("({ ...('a'.repeat(9000) + 'b').slice(8999) })") == {"0": "a", "1": "b"}


def test_copies_are_independent(box: Sandbox) -> None:
    assert box.eval("""
        const from = { a: 1, b: { c: 2 } }, one = { ...from }, two = { ...from };
        one.a = 5; one.d = 6; delete two.b; from.e = 7; Object.defineProperty(one, "b", { enumerable: false });
        JSON.stringify([from, one, two, one.b === from.b, { ...one }])
    """) == '[{"a":1,"b":{"c":2},"e":7},{"a":5,"d":6},{"a":1},true,{"a":5,"d":6}]'  # fmt: skip


def test_what_has_been_listed_is_as_it_was_then(box: Sandbox) -> None:
    assert box.eval("""
        const o = { a: 1, b: 2 }, keys = Object.keys(o), values = Object.values(o), entries = Object.entries(o);
        o.c = 3; o.a = 9; keys.push("z"); entries[0].push("y");
        JSON.stringify([keys, values, entries, keys.length, Object.keys(o), Object.keys({}).length, Object.keys("ab")])
    """) == '[["a","b","z"],[1,2],[["a",1,"y"],["b",2]],3,["a","b","c"],0,["0","1"]]'  # fmt: skip


def test_keys_of_entries(box: Sandbox) -> None:
    assert box.eval("""
        const o = Object.fromEntries([["b", 1], [2, 2], ["a", 3], ["b", 4], [Symbol.iterator, 5], ["__proto__", 6],
          [{}, 7], [null, 8], [1.5, 9], new Map([[0, "never"]]), { 0: "x", 1: "y" }]);
        const keys = Reflect.ownKeys(o).map(String);
        JSON.stringify([keys, Object.values(o), Object.getPrototypeOf(o) === Object.prototype])
    """) == (
        '[["2","b","a","__proto__","[object Object]","null","1.5","undefined","x","Symbol(Symbol.iterator)"],'
        '[2,4,3,6,7,8,9,null,"y"],true]'
    )  # fmt: skip


FUNCTIONS = {
    "function f(a, b) {}": '["length","name","prototype"] 2 f',
    "(a, b = 1, c) => 1": '["length","name"] 1 ',
    "async function g() {}": '["length","name"] 0 g',
    "function* h(...rest) {}": '["length","name","prototype"] 0 h',
    "({ m() {} }).m": '["length","name"] 0 m',
    "({ 1() {} })[1]": '["length","name"] 0 1',
    "({ [Symbol('s')]() {} })[Object.getOwnPropertySymbols({})[0]] ?? (() => 1)": '["length","name"] 0 ',
    "Object.getOwnPropertyDescriptor({ get x() { return 1 } }, 'x').get": '["length","name"] 0 get x',
    "class A { constructor(a) {} static s() {} }": '["length","name","prototype","s"] 1 A',
    "class { static name = 5 }": '["length","name","prototype"] 0 5',
    "new Function('a', 'return a')": '["length","name","prototype"] 1 anonymous',
}


@pytest.mark.parametrize("code", FUNCTIONS)
def test_functions_have_a_length_and_a_name(box: Sandbox, code: str) -> None:
    box.eval(f"const tested = [{code}][0]")
    told = "JSON.stringify(Reflect.ownKeys(tested)) + ' ' + tested.length + ' ' + tested.name"
    assert box.eval(told) == FUNCTIONS[code]
    attributes = "JSON.stringify(Object.getOwnPropertyDescriptor(tested, 'length'))"
    assert box.eval(attributes).endswith('"writable":false,"enumerable":false,"configurable":true}')


SPECIES = {
    "[1, 2].map(String).constructor === Array": True,
    "class A extends Array {} new A(1, 2).map(String) instanceof A && new A(1, 2).filter(String) instanceof A": True,
    "const a = [1]; a.constructor = undefined; a.map(String).constructor === Array": True,
    "const a = [1]; a.constructor = { [Symbol.species]: class { constructor(n) { this.n = n } } }; a.map(String).n": 1,
    "Array.prototype.constructor = class { static [Symbol.species] = Date }; [].filter(String) instanceof Date": True,
    "Object.defineProperty(Array, Symbol.species, { value: Date }); [].map(String) instanceof Date": True,
    "Object.defineProperty(Array, Symbol.species, { get: () => null }); [5].map(String)[0]": "5",
    "let told = 0; Object.defineProperty(Array, Symbol.species, { get() { told++ } }); [1].map(String); told": 1,
    "Object.setPrototypeOf([1], null), [].slice.call(Object.setPrototypeOf([1], null))[0]": 1,
    "const a = [1, 2]; Object.setPrototypeOf(a, class extends Array {}.prototype); a.map(String).length": 2,
    "[1, , 3].map((x) => x).length + [, 1].map((x) => x).hasOwnProperty(0)": 3,
    "[].concat([1], [2])[1] + [1, 2, 3].splice(1, 1)[0] + [[1]].flat()[0] + [3].flatMap((x) => [x, x]).length": 7,
}


@pytest.mark.parametrize("code", SPECIES)
def test_copies_of_arrays_are_of_their_species(box: Sandbox, code: str) -> None:
    assert box.eval(code) == SPECIES[code]


GROWING = {
    "[1, , 3].map((x) => x + 1)": ["0=2,2=4", 3],
    "[1, , 3, 4].filter((x) => x > 1)": ["0=3,1=4", 2],
    "const a = [1, 2, 3]; a.filter((x) => a.push(x) < 9)": ["0=1,1=2,2=3", 3],
    "const a = [1, 2, 3, 4]; a.filter(() => { a.length = 2; return true })": ["0=1,1=2", 2],
    "const a = [1, 2, 3]; a.map((x, i) => { if (!i) a.length = 1; return x })": ["0=1", 3],
    "const a = []; a.length = 2 ** 32 - 1; a.slice(-2)": ["", 2],
    "const a = [0]; a.length = 2 ** 31 + 1; a.slice(-2)": ["", 2],
    "[1, 2].slice(0)": ["0=1,1=2", 2],
    "give(() => []).filter(() => true)": ["0=5,1=6", 2],
    "give(() => Array(3)).filter(() => true)": ["0=5,1=6", 3],
    "give(() => [7, 8, 9]).filter(() => true)": ["0=5,1=6,2=9", 3],
    "give(() => Object.freeze([])).filter(() => true)": "TypeError",
    "give(() => Object.preventExtensions([])).filter(() => true)": "TypeError",
    "give(() => Object.defineProperty([], 'length', { writable: false })).filter(() => true)": "TypeError",
    "give(() => Object.defineProperty([], 0, { value: 1 })).filter(() => true)": "TypeError",
    "give(() => Object.defineProperty(Array(2), 'length', { writable: false })).map((x) => x)": ["0=5,1=6", 2],
    "give((n) => (told = n, [])).map((x) => x); [told]": ["0=2", 1],
    "Object.defineProperty(Object.prototype, 0, { set() { throw 1 } }); [5].filter(() => true)": ["0=5", 1],
}
_GIVE = """
var told;
const give = (species) => {
  const given = [5, 6];
  given.constructor = { [Symbol.species]: function (n) { return species(n) } };
  return given;
};
"""


@pytest.mark.parametrize("code", GROWING)
def test_arrays_that_built_in_functions_make(box: Sandbox, code: str) -> None:
    box.eval(_GIVE)
    shown = "[Object.entries(made).map((pair) => pair.join('=')).join(), made.length]"
    box.eval(f"let made, error; try {{ made = (0, eval)({code!r}) }} catch (thrown) {{ error = thrown.name }}")
    assert box.eval(f"error ?? {shown}") == GROWING[code]


ITERATORS = {
    "[...[1, 2]].join()": "1,2",
    "const [a, , b = 3] = [1, 2]; a + b": 4,
    "let n = 0; for (const x of [1, 2, 3]) { if (x === 2) break; n += x } n": 1,
    "const a = [1]; let n = 0; for (const x of a) if (n++ < 3) a.push(x); a.length": 4,
    "Array.prototype[Symbol.iterator] = function* () { yield 'own' }; const [x] = [1]; [...[1]] + x": "ownown",
    "[][Symbol.iterator]().__proto__.next = () => ({ done: true }); [...[1]].length": 0,
    "const a = [1]; a[Symbol.iterator] = [].keys; [...a, ...a][0]": 0,
    "[...Array.prototype.values.call({ length: 2, 0: 'x' })].length": 2,
    "let told = ''; [][Symbol.iterator]().__proto__.return = () => (told += 'r', {}); const [x] = [1, 2]; told": "r",
    "try { for (const x of { [Symbol.iterator]: [].values }) ; 'empty' } catch (error) { error.name }": "empty",
    "try { const [x] = null } catch (error) { error.name }": "TypeError",
    "new Map([[1, 2], [3, 4]]).get(3) + Object.fromEntries([['a', 1]]).a": 5,
}


@pytest.mark.parametrize("code", ITERATORS)
def test_iterators_over_arrays(box: Sandbox, code: str) -> None:
    assert box.eval(code) == ITERATORS[code]
