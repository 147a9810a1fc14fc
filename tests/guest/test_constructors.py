"""Classes and constructors: fields where there are some, and room for what objects come to have."""

from __future__ import annotations

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import JSError, MemoryLimitExceeded

CLASSES = """
class Plain { constructor(x) { this.x = x } }
class Derived extends Plain { constructor(x) { super(x); this.y = 1 } }
class Field extends Derived { z = 5; constructor() { const f = () => super(3); f() } }
class Evaluated extends Plain { constructor() { (() => eval('super(4)'))() } }
class EvaluatedField extends Plain { f = 6; constructor() { eval('super(4)') } }
class Private extends Plain { #p = 7; get p() { return this.#p } }
class Silent extends Private { }
class Static { static s = 1 }
class Computed { ['k'] = 2 }
class Method { #m() { return 9 } call() { return this.#m() } }
class Below extends Method { constructor() { super() } }
class Other { constructor() { return { other: 1 } } }
class OtherField extends Other { f = 2 }
class OtherBelow extends Other { constructor() { super() } }
class Builtin extends Map { constructor() { super([[1, 2]]); this.a = this.b = this.c = 1 } }
class List extends Array { constructor() { super(); this.push(1, 2); this.name = 'list' } }
class Nested { constructor() { this.inner = new (class { deep = 1; constructor() { this.more = 2 } })() } }
function Old(x) { this.x = x; this.y = 2; this.z = 3 }
function OldBelow() { Old.call(this, 1); this.w = 4 }
OldBelow.prototype = Object.create(Old.prototype);
"""

MADE = {
    "Plain(1)": {"x": 1},
    "Derived(2)": {"x": 2, "y": 1},
    "Field()": {"x": 3, "y": 1, "z": 5},
    "Evaluated()": {"x": 4},
    "EvaluatedField()": {"x": 4, "f": 6},
    "Private(1)": {"x": 1},
    "Static()": {},
    "Computed()": {"k": 2},
    "Other()": {"other": 1},
    "OtherField()": {"other": 1, "f": 2},
    "OtherBelow()": {"other": 1},
    "Nested()": {"inner": {"deep": 1, "more": 2}},
    "Old(1)": {"x": 1, "y": 2, "z": 3},
    "OldBelow()": {"x": 1, "y": 2, "z": 3, "w": 4},
}


@pytest.mark.parametrize("what", MADE)
def test_an_object_has_what_its_class_says(what: str) -> None:
    with Sandbox() as box:
        box.eval(CLASSES)
        for _ in range(3):  # the second one knows how many properties the first one had
            assert box.eval(f"JSON.parse(JSON.stringify(new {what}))") == MADE[what]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("[new Private(1).p, new Silent(1).p, new Below().call()]", [7, 7, 9]),
        ("const b = new Builtin(); [b.get(1), b.a + b.b + b.c, b instanceof Map]", [2, 3, True]),
        ("const l = new List(); [l.length, l.name, Array.isArray(l), l[1]]", [2, "list", True, 2]),
        ("const o = Reflect.construct(Plain, [1], Old); [o.x, o instanceof Old, o instanceof Plain]", [1, True, False]),
        ("Object.getPrototypeOf(new OldBelow()) === OldBelow.prototype", True),
        ("const p = new Plain(1); p.y = 2; delete p.x; Object.setPrototypeOf(p, null); Object.keys(p)", ["y"]),
        ("Old.prototype = { q: 1 }; new Old(1).q", 1),
        ("Old.prototype = 5; Object.getPrototypeOf(new Old(1)) === Object.prototype", True),
        ("const b = Old.bind(null, 8); const o = new b(); [o.x, o instanceof Old]", [8, True]),
        ("const p = new Proxy(Plain, {}); [new p(3).x, new p(3) instanceof Plain]", [3, True]),
        ("class A { constructor(n) { for (let i = 0; i < n; i++) this['k' + i] = i } } "
         "[3, 40, 1, 13, 12].map((n) => Object.keys(new A(n)).length)", [3, 40, 1, 13, 12]),
        ("class A { constructor() { this.a = this.b = this.c = 1; Object.freeze(this) } } new A(); new A().a = 2", 2),
        ("function* g() {} try { new g() } catch (e) { e.name }", "TypeError"),
    ],
)  # fmt: skip
def test_how_objects_are_made(code: str, expected: object) -> None:
    with Sandbox() as box:
        box.eval(CLASSES)
        box.eval("for (let i = 0; i < 3; i++) { new Plain(1); new Old(1); new Builtin(); new List() }")
        assert box.eval(code) == expected


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("Plain()", "class constructors must be invoked with 'new'"),
        ("new (class extends Plain { constructor() { } })()", "this is not initialized"),
        ("new (class extends Plain { constructor() { super(); super() } })()", "can be initialized only once"),
        ("new (class extends Plain { constructor() { super(); return 1 } })()", "undefined"),
        ("new (class { f = (() => { throw new Error('field') })() })()", "field"),
    ],
)
def test_what_constructors_refuse(code: str, message: str) -> None:
    with Sandbox() as box:
        box.eval(CLASSES)
        with pytest.raises(JSError, match=message):
            box.eval(code)


def test_a_prototype_goes_with_its_last_object() -> None:
    with Sandbox(limits=Limits(memory_bytes=12 << 20)) as box:
        made = "class C { constructor() { this.a = this.b = this.c = 1 } static big = new Uint8Array(1 << 18) }"
        for _ in range(200):
            box.eval(f"(() => {{ {made} new C(); new C() }})()")
        assert box.usage.heap_bytes < 8 << 20


def test_objects_without_memory() -> None:
    with Sandbox(limits=Limits(memory_bytes=12 << 20)) as box:
        box.eval("class C { constructor() { this.a = this.b = this.c = this.d = this.e = 1 } } new C(); 0")
        with pytest.raises(MemoryLimitExceeded):
            box.eval("const all = []; for (;;) all.push(new C())")
        assert box.eval("Object.keys(new C()).length") == 5
