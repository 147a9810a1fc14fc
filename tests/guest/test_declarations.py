"""`bindings/types/sandbox.d.ts` and the live globals are the same, member by member, in both directions."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.declarations import DeclarationError, Interface, guest_declarations, parse

if TYPE_CHECKING:
    from sandbox import Sandbox

DECLARED = guest_declarations()
INTERFACES = sorted(name for name, object_ in DECLARED.objects.items() if "prototype" in object_.members)

# What an object has of its own, or of its class, in the words of `_member`.
MEMBERS = """
(object, left) => {
  const members = {};
  for (const key of Reflect.ownKeys(object)) {
    const name = typeof key === "symbol" ? "[" + key.description + "]" : key;
    if (left.includes(name)) continue;
    const { value, writable, get, set } = Object.getOwnPropertyDescriptor(object, key);
    if (typeof value === "function") members[name] = "method " + value.length;
    else if (get) members[name] = set ? "property" : "readonly";
    else members[name] = writable ? "data" : "constant " + value;
  }
  return members;
}
"""
PARENT = """
(constructor) => {
  const parent = Object.getPrototypeOf(constructor.prototype).constructor;
  const own = Object.getPrototypeOf(constructor);
  // A DOMException is an Error, but its constructor inherits nothing.
  const inherits = own === parent || (own === Function.prototype && [Object, Error].includes(parent));
  return inherits ? parent.name : "two parents";
}
"""
CONSTRUCTED = """
(constructor) => {
  try {
    new constructor();
  } catch (error) {
    if (/Illegal constructor/.test(error.message)) return null;
  }
  return constructor.length;
}
"""

CLASSES = {*INTERFACES, "Error"}
# Members that are declared where TypeScript has them, and live elsewhere.
OF_INSTANCES = {("Event", "isTrusted")}  # a property of every event that no program can replace
ITERABLES = {"Iterable": "[Symbol.iterator]", "AsyncIterable": "[Symbol.asyncIterator]"}


def _members(name: str, interface: Interface) -> dict[str, str]:
    """Members by name, in the words of the live ones."""
    described = {}
    for member in interface.members.values():
        if member.name in ("", "new", "prototype") or (name, member.name) in OF_INSTANCES:
            continue
        if member.kind == "method":
            described[member.name] = f"method {member.required}"
        elif member.kind == "readonly" and member.type.isdecimal():
            described[member.name] = f"constant {member.type}"
        else:
            described[member.name] = member.kind
    return described


@pytest.mark.parametrize("name", INTERFACES)
class TestAnInterface:
    """Of each interface that is a global."""

    def test_members(self, box: Sandbox, name: str) -> None:
        interface = DECLARED.interfaces[name]
        declared = _members(name, interface)
        declared |= {ITERABLES[base]: "method 0" for base in interface.extends if base in ITERABLES}
        live = box.eval(f"({MEMBERS})({name}.prototype, ['constructor', '[Symbol.toStringTag]'])")

        assert live == declared

    def test_static_members(self, box: Sandbox, name: str) -> None:
        live = box.eval(f"({MEMBERS})({name}, ['length', 'name', 'prototype'])")

        assert live == _members(name, DECLARED.objects[name])

    def test_its_parent(self, box: Sandbox, name: str) -> None:
        # The others are dictionaries, of which there is nothing at run time.
        parents = [base for base in DECLARED.interfaces[name].extends if base in CLASSES]

        assert box.eval(f"({PARENT})({name})") == (parents or ["Object"])[0]

    def test_its_constructor(self, box: Sandbox, name: str) -> None:
        declared = DECLARED.objects[name].members.get("new")

        assert box.eval(f"({CONSTRUCTED})({name})") == (declared and declared.required)

    def test_its_name(self, box: Sandbox, name: str) -> None:
        assert DECLARED.objects[name].members["prototype"].type == name
        assert box.eval(f"[{name}.name, {name}.prototype[Symbol.toStringTag]]") == [name, name]


NAMESPACES = {"console": "Console"}
INSTANCES = {name: type_ for name, type_ in DECLARED.variables.items() if type_ in INTERFACES}


@pytest.mark.parametrize(("name", "type_"), NAMESPACES.items())
def test_a_namespace(box: Sandbox, name: str, type_: str) -> None:
    live = box.eval(f"({MEMBERS})({name}, ['[Symbol.toStringTag]'])")

    assert DECLARED.variables[name] == type_
    assert live == _members(type_, DECLARED.interfaces[type_])


@pytest.mark.parametrize(("name", "type_"), INSTANCES.items())
def test_an_object_of_an_interface(box: Sandbox, name: str, type_: str) -> None:
    assert box.eval(f"Object.getPrototypeOf({name}) === {type_}.prototype && Reflect.ownKeys({name}).length === 0")


@pytest.mark.parametrize(("name", "required"), DECLARED.functions.items())
def test_a_function(box: Sandbox, name: str, required: int) -> None:
    assert box.eval(f"[{name}.name, {name}.length]") == [name, required]


def test_other_variables() -> None:
    """Accessors of the global object, which tests of their own show."""
    others = DECLARED.variables.keys() - NAMESPACES.keys() - INSTANCES.keys()

    assert others == {"self", "onerror", "onunhandledrejection", "onrejectionhandled"}
    assert DECLARED.objects.keys() == set(INTERFACES)


def test_what_objects_have_of_their_own(box: Sandbox) -> None:
    for name, member in OF_INSTANCES:
        assert member in DECLARED.interfaces[name].members
        assert box.eval(f"Reflect.ownKeys(new {name}('x'))") == [member]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("interface A { b: string; c(): void }", "A b:property c:method 0"),
        ("interface A<T> extends B<T>, C { readonly b?: { d: 1; e(x: any): void }; }", "A<B,C b:readonly"),
        ("interface A { b(c: (d: 1, e: 2) => void, f?: Map<1, 2>, ...g: any[]): 1; b(): 2 }", "A b:method 0"),
        ("interface A { b(this: C, /* d; */ e: '}', [f, g]: [1, 2]): void; /** h: 1; */ }", "A b:method 2"),
        (
            "interface A { <T>(b: T): void; new (c: 1): A; [Symbol.iterator](): D }",
            "A :method 1 new:method 1 [Symbol.iterator]:method 0",
        ),
        ("type A = 'b' | { c: 1 };\ndeclare var d: { readonly e: 1 };\ndeclare var f: d;", "d e:readonly; f"),
        ("declare function a<T extends () => 1>(b: T): T;\ndeclare function a(): 1;", "a 0"),
    ],
)
def test_the_reader(source: str, text: str) -> None:
    read = parse(source)
    parts = []
    for name, interface in (read.interfaces | read.objects).items():
        bases = "<" + ",".join(interface.extends) if interface.extends else ""
        members = [
            f"{member.name}:{member.kind}" + (f" {member.required}" if member.kind == "method" else "")
            for member in interface.members.values()
        ]
        parts.append(" ".join([name + bases, *members]))
    parts += read.variables
    parts += [f"{name} {required}" for name, required in read.functions.items()]

    assert "; ".join(parts) == text


@pytest.mark.parametrize(
    "source",
    [
        "class A {}",
        "interface A { b }",
        "interface A { get b(): 1 }",
        "interface A { b: 1; b: 2 }",
        "interface A { b: 1; b(): 2 }",
        "interface A {} interface A {}",
        "interface A { b: { c: 1; }",
        "interface A { b: 1) }",
        "declare var a: 1; declare var a: 2;",
        "declare var a;",
        "declare const a: 1;",
        "a",
    ],
)
def test_the_reader_leaves_nothing_out(source: str) -> None:
    with pytest.raises(DeclarationError):
        parse(source)
