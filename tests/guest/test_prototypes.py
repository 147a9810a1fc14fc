"""What prototypes say about the properties that objects get by assignment, before and after it has been remembered."""

from __future__ import annotations

import pytest

from sandbox import Sandbox

# `make()` has made objects with a, b and c before `change`, so that all that can be remembered of them is.
_PROGRAM = """
globalThis.log = [];
const top = {}, middle = Object.create(top);
class C { constructor() { this.a = 1; this.b = 2; this.c = 3 } }
class D extends C { constructor() { super(); this.d = 4 } }
Object.setPrototypeOf(C.prototype, middle);
const make = (K = D) => Object.entries(new K()).join(' ');
make(); make(); make();
"""

_ALL = "a,1 b,2 c,3 d,4"

CHANGES = {
    "": [_ALL],
    "Object.defineProperty(C.prototype, 'b', {set(v) { log.push(v) }})": ["a,1 c,3 d,4", 2],
    "Object.defineProperty(D.prototype, 'b', {set(v) { log.push(v) }})": ["a,1 c,3 d,4", 2],
    "Object.defineProperty(middle, 'c', {set(v) { log.push(v) }})": ["a,1 b,2 d,4", 3],
    "Object.defineProperty(top, 'a', {set(v) { log.push(v) }})": ["b,2 c,3 d,4", 1],
    "Object.defineProperty(Object.prototype, 'd', {set(v) { log.push(v) }})": ["a,1 b,2 c,3", 4],
    "Object.defineProperty(top, 'b', {value: 0, writable: true})": [_ALL],
    "Object.defineProperty(top, 'b', {value: 0})": ["TypeError"],
    "Object.defineProperty(top, 'b', {get() {}})": ["TypeError"],
    "top.b = 0; Object.freeze(top)": ["TypeError"],
    "Object.freeze(top)": [_ALL],
    "Object.setPrototypeOf(top, {set c(v) { log.push(v) }})": ["a,1 b,2 d,4", 3],
    "Object.setPrototypeOf(C.prototype, null)": [_ALL],
    "Object.setPrototypeOf(middle, new Proxy({}, {set(t, k, v) { log.push(k, v); return true }}))": [
        "", "a", 1, "b", 2, "c", 3, "d", 4
    ],
    "Object.setPrototypeOf(middle, Object.create([]))": [_ALL],
    "D.prototype = {set d(v) { log.push(v) }}; globalThis.E = class extends D {}": [_ALL],
    "Object.defineProperty(top, 'b', {set() {}, configurable: true}); make(); delete top.b": [_ALL],
    "const o = {}; Object.defineProperty(o, 'd', {set(v) { log.push(v) }}); Object.setPrototypeOf(middle, o)": [
        "a,1 b,2 c,3", 4
    ],
}  # fmt: skip


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_prototype_says_holds_at_once(change: str) -> None:
    with Sandbox() as box:
        box.eval(_PROGRAM)
        box.eval(change)
        for _ in range(3):
            assert (
                box.eval("log.length = 0; var made; try { made = make() } catch (e) { made = e.name }; [made, ...log]")
                == CHANGES[change]
            )


def test_what_becomes_a_prototype_later_is_one() -> None:
    with Sandbox() as box:
        assert box.eval("""
            const heard = [], make = base => { const o = Object.create(base); o.x = 1; return Object.keys(o).length };
            const base = {}, counts = [make(base), make(base)];
            const deeper = {};
            Object.setPrototypeOf(base, deeper);
            counts.push(make(base));
            Object.defineProperty(deeper, 'x', {set(v) { heard.push(v) }});
            [...counts, make(base), heard.join()]
        """) == [1, 1, 1, 0, "1"]


def test_a_prototype_that_gets_properties_itself() -> None:
    """What it gets by assignment says something about those that have it."""
    with Sandbox() as box:
        assert box.eval("""
            const results = [];
            for (let i = 0; i < 4; i++) {
                const scope = {}, inner = Object.create(scope);
                inner.x = i; delete inner.x;
                scope.a = 1;
                Object.defineProperty(scope, 'x', {value: 'kept', configurable: true});
                try { 'use strict'; inner.x = 2 } catch {}
                inner.a = 5;
                results.push(inner.x, inner.a, Object.keys(inner).join());
            }
            results.join(' ')
        """) == " ".join(["kept 5 a"] * 4)


@pytest.mark.parametrize("prototype", ["Object", "Array"])
def test_an_element_of_a_prototype_is_asked(prototype: str) -> None:
    with Sandbox() as box:
        box.eval("var heard = '', put = value => { const list = []; list[0] = value; return list.length }; put(1)")
        box.eval(f"Object.defineProperty({prototype}.prototype, 0, {{set(v) {{ heard += v }}, configurable: true}})")
        assert box.eval("[put(2), heard].join()") == "0,2"
        assert (
            box.eval("var list = []; list.push(3); `${list.length} ${Object.hasOwn(list, 0)} ${heard}`") == "1 false 23"
        )
        box.eval(f"delete {prototype}.prototype[0]")
        assert box.eval("[put(4), heard].join()") == "1,23"
