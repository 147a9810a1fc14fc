"""What has no counterpart in JavaScript and is written in other words: enums, namespaces, parameter properties."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.errors import JSSyntaxError
from sandbox.typescript import transform

# A name, a program, and what its last expression is.
PROGRAMS: list[tuple[str, str, Any]] = [
    ("numbers", "enum A { X, Y, Z } JSON.stringify(A)", '{"0":"X","1":"Y","2":"Z","X":0,"Y":1,"Z":2}'),
    ("initializers", "enum A { X = 5, Y, Z = -1, W } [A.X, A.Y, A.Z, A.W, A[6]]", [5, 6, -1, 0, "Y"]),
    ("strings", "enum A { X = 'x', Y = `y`, Z = 'a' + X } JSON.stringify(A)", '{"X":"x","Y":"y","Z":"ax"}'),
    ("names in quotes", "enum A { 'a-b' = 1, c, ['d'] = 4 } [A['a-b'], A.c, A.d, A[4]]", [1, 2, 4, "d"]),
    ("members in initializers", "enum A { X = 1 << 2, Y = X | 1, Z = A.X, W } [A.Y, A.Z, A.W]", [5, 4, 5]),
    ("computed", "enum A { X = 'abc'.length, Y } [A.X, A.Y]", [3, 4]),
    ("floats", "enum A { X = 1.5, Y } [A.X, A.Y]", [1.5, 2.5]),
    ("const enum", "const enum A { X = 1, Y } A.Y", 2),
    ("merged enums", "enum A { X = 1 }\nenum A { Y = 2, Z = X } [A.X, A.Y, A.Z]", [1, 2, 1]),
    ("enums in blocks", "function f() { enum A { X = 7 } return A.X } { enum A { X = 8 } } f()", 7),
    ("empty enum", "enum A {} JSON.stringify(A)", "{}"),
    ("comments and lines", "enum A {\n  // one\n  X = 1, /* two */\n  Y,\n}\n[A.X, A.Y]", [1, 2]),
    ("namespace", "namespace N { export const a = 1; const b = 2; export function f(): number { return a + b } } [N.a, N.f()]", [1, 3]),
    ("private names", "namespace N { const a = 1 } 'a' in N", False),
    ("variables", "namespace N { export let a = 1; export function up() { a++ } } N.up(); N.a += 5; N.up(); N.a", 8),
    ("patterns", "namespace N { export const { a, b: [c = 3] } = { a: 1, b: [] as number[] } } [N.a, N.c]", [1, 3]),
    ("classes", "namespace N { export abstract class A<T> { x = 1 } export class B extends A<void> {} } new N.B().x", 1),
    ("nested names", "namespace A.B.C { export const x: number = 1 } A.B.C.x", 1),
    ("nested namespaces", "namespace A { export namespace B { export enum E { X = 4 } } } A.B.E.X", 4),
    ("merged namespaces", "namespace A { export const x = 1 } namespace A { export const y = A.x + 1 } A.y", 2),
    ("with a class", "class A { y = A.x } namespace A { export const x = 1 } new A().y", 1),
    ("with a function", "function A() { return A.x } namespace A { export let x = 1 } A()", 1),
    ("types alone", "namespace A { export interface B {} type C = 1 } typeof A", "undefined"),
    ("module", "module A { export const x = 1 } A.x", 1),
    ("alias", "namespace A.B { export const x = 1 } import C = A.B; C.x", 1),
    ("properties", "class A { constructor(public x: number, readonly y = 2, z?: number) {} } JSON.stringify(new A(1))", '{"x":1,"y":2}'),
    ("before the body", "class A { z = 1; constructor(private x: number) { this.z = this.x } } new A(5).z", 5),
    ("derived", "class B { b = 1 } class A extends B { constructor(public x: number) { super(); this.b = x } } new A(3).b", 3),
    ("no semicolon", "class B {} class A extends B { constructor(public x: number) { super()\nthis.x++ } } new A(3).x", 4),
    ("order", "class A { b = 1; constructor(public a: number) {} } Object.keys(new A(1)).join()", "a,b"),
]  # fmt: skip

# A name, a program, the message, and the column where it points to.
REFUSED: list[tuple[str, str, str, int]] = [
    ("type arguments of a template", "f<() => A, B>`c`", "these type arguments look like comparisons: write (f<...>) in parentheses before a template", 2),
    ("decorator", "@a class B {}", "decorators are not supported; call the function yourself, on the class or the method", 1),
    ("decorator of a member", "class B { @a m() {} }", "decorators are not supported; call the function yourself, on the class or the method", 11),
    ("decorator of a parameter", "class B { m(@a b) {} }", "decorators are not supported; call the function yourself, on the class or the method", 13),
    ("accessor", "class B { accessor a = 1 }", "fields with 'accessor' are not supported; write get and set", 11),
    ("enum member", "enum A { X = 'x', Y }", "this member of an enum needs an initializer, for it follows one with a string", 19),
    ("no super", "class A extends B { constructor(public x) { if (x) super() } }", "a constructor with parameter properties needs 'super()' as a statement", 21),
    ("syntax", "let a = ;", "unexpected '='", 7),
    ("unfinished", "f(", "the program ends too early", 3),
]  # fmt: skip


@pytest.mark.parametrize(("source", "expected"), [row[1:] for row in PROGRAMS], ids=[row[0] for row in PROGRAMS])
def test_what_it_does(source: str, expected: object) -> None:
    code, mappings = transform(source, language="ts", filename="a.ts")
    assert code.count("\n") == source.count("\n")
    assert list(mappings or ()) == sorted(mappings or ())
    with Sandbox() as box:
        assert box.eval(code) == expected


@pytest.mark.parametrize(("source", "message", "column"), [row[1:] for row in REFUSED], ids=[row[0] for row in REFUSED])
def test_what_is_refused(source: str, message: str, column: int) -> None:
    with pytest.raises(JSSyntaxError) as caught:
        transform(f"\n{source}", language="ts", filename="dir/a.ts")
    assert caught.value.message == message
    assert [(frame.file, frame.line, frame.column) for frame in caught.value.frames] == [("dir/a.ts", 2, column)]
    assert f"--> dir/a.ts:2:{column}" in caught.value.render()


@pytest.mark.parametrize(
    ("source", "code"),
    [
        ("import a = require('b'); a()", "const  a = require('b'); a()"),
        ("import a = require('b'); let c: a.D", "let c"),
        ("import type a = require('b'); 1", "1"),
        ("import a = b.c; let d: a", "let d"),
        ("export = a", "module.exports = a"),
        ("export import a = b.c", "export const  a = b.c"),
        ("export enum A {}", "export var A; (function (A) {})(A || (A = {}));"),
        ("export namespace A {}", ""),
        ("export type * from 'a'", ""),
        ("export type * as a from 'a'", ""),
        ("export * from 'a'", "export * from 'a'"),
    ],
)
def test_modules(source: str, code: str) -> None:
    assert " ".join(transform(source, language="ts", filename="a.ts").code.split()) == " ".join(code.split())


def test_mappings_lead_back() -> None:
    source = "enum A { X = 1, Y = f(X) } let b: number = A.Y"
    code, mappings = transform(source, language="ts", filename="a.ts")
    assert mappings is not None
    for text in ("= 1", "f(", "let b", "A.Y"):
        line, column = 0, code.index(text)
        last = max(entry for entry in mappings if entry[:2] <= (line, column))
        assert source[last[3] + column - last[1] :].startswith(text)
