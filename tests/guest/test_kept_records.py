"""Objects of the same shape cross by what is known of it, and come out as those that are looked at one by one."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import JSIterator, Limits, Sandbox
from sandbox.errors import ConversionError
from sandbox.values import undefined

OBJECTS = {
    "none": "({})",
    "scalars": "({ i: -33, j: 2 ** 31, k: -(2 ** 40), f: 1.5, g: -0, t: true, n: null, s: 'x', w: 'ü€' })",
    "nested": "({ a: { b: { c: [1, { d: 2 }] }, e: [] }, f: [[], [{}]], g: 1 })",
    "key of 31 characters": "({ ['k'.repeat(31)]: 1, after: 2 })",
    "key of 32 characters": "({ ['k'.repeat(32)]: 1, after: 2 })",
    "key that is no ASCII": "({ 'ü': 1, '日本': 2, a: 3 })",
    "key that is Latin-1": "({ '\\x7f': 1, '\\x80': 2 })",
    "empty key": "({ '': 1 })",
    "indexes": "({ b: 1, 2: 'two', a: 2, 1: 'one' })",
    "large indexes": "({ b: 1, 4294967294: 3, 4294967295: 4, 4000000000: 5, '01': 6 })",
    "symbols": "({ [Symbol('s')]: 1, a: 2 })",
    "what is hidden": "Object.defineProperties({ a: 1 }, { b: { value: 2 }, c: { value: 3, enumerable: true } })",
    "a getter": "({ a: 1, get b() { return 2 }, c: 3 })",
    "what was deleted": "(() => { const o = { a: 1, b: 2, c: 3 }; delete o.b; o.d = 4; return o })()",
    "sixteen": "Object.fromEntries(Array.from({ length: 16 }, (_, i) => ['k' + i, i]))",
    "seventeen": "Object.fromEntries(Array.from({ length: 17 }, (_, i) => ['k' + i, i]))",
    "a class": "new (class { x = 1; #p = 2; y = { p: 3 }; m() {} })",
    "a class below": "new (class B extends class A { a = 1 } { b = 2 })",
    "no prototype": "Object.assign(Object.create(null), { a: 1, b: 2 })",
    "frozen": "Object.freeze({ a: 1, b: 2 })",
    "a prototype": "(() => { const p = { a: 1 }; Object.create(p); p.b = 2; return p })()",
}


@pytest.mark.parametrize("what", OBJECTS)
def test_an_object_crosses_as_its_text_says(what: str) -> None:
    with Sandbox() as box:
        box.eval(f"const make = () => {OBJECTS[what]}")
        for _ in range(2):
            told = [json.loads(text) for text in box.eval("[make(), make()].map(o => JSON.stringify(o))")]
            assert box.eval("[make(), make()]") == told
            assert list(box.eval("make()")) == box.eval("Object.keys(make())")


# Reading `o.first.x` does something to `o`, of which `first` has been read, and `b` and `c` have not.
CHANGES: dict[str, dict[str, Any]] = {
    "": {"b": 1, "c": 2},
    "o.b = 'changed'": {"b": "changed", "c": 2},
    "delete o.b": {"b": undefined, "c": 2},
    "o.d = 3": {"b": 1, "c": 2},
    "delete o.b; o.b = 5": {"b": 5, "c": 2},
    "Object.defineProperty(o, 'c', { get() { return 'got' } })": {"b": 1, "c": "got"},
    "Object.defineProperty(o, 'c', { enumerable: false })": {"b": 1, "c": 2},
    "o.c = { deep: [o.b] }": {"b": 1, "c": {"deep": [1]}},
    "Object.freeze(o)": {"b": 1, "c": 2},
    "Object.setPrototypeOf(o, { *[Symbol.iterator]() {}, next() {} })": {"b": 1, "c": 2},
    "for (const key of Object.keys(o)) delete o[key]": {"b": undefined, "c": undefined},
    "for (let i = 0; i < 40; i++) o['k' + i] = i": {"b": 1, "c": 2},
    "for (let i = 0; i < 3000; i++) globalThis.last = [{ ['k' + i]: last }]": {"b": 1, "c": 2},
}


@pytest.mark.parametrize("change", CHANGES)
def test_an_object_that_changes_while_it_is_written(change: str) -> None:
    with Sandbox() as box:
        box.eval(f"""
            var last = null;
            const make = active => {{
                const o = {{ first: {{ get x() {{ if (active) {{ {change} }} return 0 }} }}, b: 1, c: 2 }};
                return o;
            }}
        """)
        plain = {"first": {"x": 0}, "b": 1, "c": 2}
        assert box.eval("[make(false), make(true), make(false)]") == [
            plain,
            {"first": {"x": 0}, **CHANGES[change]},
            plain,
        ]


def test_an_array_that_changes_while_it_is_written() -> None:
    with Sandbox() as box:
        assert box.eval("const a = [1, { get x() { a[2] = 'c'; return 0 } }, 2, 3]; a") == [1, {"x": 0}, "c", 3]
        assert box.eval("const b = [1, { get x() { b.length = 3; return 0 } }, 2, 3]; b") == [1, {"x": 0}, 2, undefined]
        assert box.eval("const d = [1, { get x() { d.length = 9; return 0 } }, 2, 3]; d") == [1, {"x": 0}, 2, 3]
        assert box.eval("const e = [{ get x() { e.push(5); delete e[1]; return 0 } }, 2]; e") == [{"x": 0}, undefined]


@pytest.mark.parametrize("key", ["iterator", "asyncIterator"])
def test_what_becomes_an_iterator_is_one(key: str) -> None:
    with Sandbox() as box:
        box.eval("class Base {} class Row extends Base { constructor() { super(); this.a = 1 } }")
        assert box.eval("[new Row(), new Row()]") == [{"a": 1}] * 2
        box.eval(f"Base.prototype[Symbol.{key}] = function () {{ return this }}; Base.prototype.next = () => ({{}})")
        assert not isinstance(box.eval("new Row()"), dict)
        box.eval(f"delete Base.prototype[Symbol.{key}]")
        assert box.eval("new Row()") == {"a": 1}
        own = box.eval(f"Object.assign(new Row(), {{ [Symbol.{key}]() {{ return this }}, next() {{}} }})")
        assert not isinstance(own, dict)
        assert isinstance(
            box.eval("({ [Symbol.iterator]() { return this }, next: () => ({ done: true }) })"), JSIterator
        )


def test_objects_that_are_referred_to_twice_stay_one() -> None:
    with Sandbox() as box:
        shared, again, both = box.eval("const one = { a: { b: 1 } }; [one, { one, a: one.a }, [one, one]]")
        assert again["one"] is shared
        assert again["a"] is shared["a"]
        assert both[0] is both[1] is shared


def test_limits_name_the_place() -> None:
    with Sandbox(limits=Limits(message_bytes=4096, max_nodes=500)) as box:
        with pytest.raises(ConversionError, match="message_bytes") as caught:
            box.eval("Array.from({ length: 9 }, (_, i) => ({ id: i, text: 'x'.repeat(700) }))")
        assert caught.value.path == "$[5].text"
        with pytest.raises(ConversionError, match="max_nodes") as caught:
            box.eval("Array.from({ length: 300 }, (_, i) => ({ id: i }))")
        assert caught.value.path == "$[249].id"
        with pytest.raises(ConversionError, match="symbol") as caught:
            box.eval("[{ id: 1 }, { id: Symbol() }]")
        assert caught.value.path == "$[1].id"


def test_a_class_that_nothing_refers_to_is_collected() -> None:
    """What is kept of its shape does not hold it beyond the next collection."""
    with Sandbox() as box:
        box.eval("let gone = 0; const registry = new FinalizationRegistry(() => gone++)")
        box.eval("(() => { class Row { a = 1 } registry.register(Row.prototype); return [new Row(), new Row()] })()")
        box.eval("for (let i = 0; i < 20; i++) { let last; for (let j = 0; j < 20000; j++) last = { last } } 0")
        assert box.eval("await null; gone") == 1
