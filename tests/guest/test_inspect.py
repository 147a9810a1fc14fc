"""Values as text: what `console.log` writes for one of them."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import ConsoleEntry, Sandbox

Logged = Callable[[str], list[str]]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("undefined", "undefined"),
        ("null", "null"),
        ("true", "true"),
        ("-0", "-0"),
        ("NaN", "NaN"),
        ("1e21", "1e+21"),
        ("10n", "10n"),
        ("Symbol('s')", "Symbol(s)"),
        ("Symbol()", "Symbol()"),
        ("[]", "[]"),
        ("[1, 'a', [2, [3, [4, [5]]]]]", "[ 1, 'a', [ 2, [ 3, [Array] ] ] ]"),
        ("[,, 1,,]", "[ <2 empty items>, 1, <1 empty item> ]"),
        ("Object.assign([1], { key: 'v', [-1]: 2 })", "[ 1, key: 'v', '-1': 2 ]"),
        ("({})", "{}"),
        (
            "({ a: 1, 'b-c': 2, 3: 4, [Symbol('k')]: 5, __proto__: null })",
            "[Object: null prototype] { '3': 4, a: 1, 'b-c': 2, [Symbol(k)]: 5 }",
        ),
        ("({ a: { b: { c: { d: 1 } } } })", "{ a: { b: { c: [Object] } } }"),
        (
            "({ a: 1, get b() { return 1 }, set c(v) {}, get d() { return 1 }, set d(v) {} })",
            "{ a: 1, b: [Getter], c: [Setter], d: [Getter/Setter] }",
        ),
        ("Object.defineProperty({}, 'hidden', { value: 1 })", "{}"),
        (
            "(() => { const o = { n: 1 }; o.self = o; o.list = [o]; return o })()",
            "<ref *1> { n: 1, self: [Circular *1], list: [ [Circular *1] ] }",
        ),
        ("new (class Point { constructor() { this.x = 1 } })", "Point { x: 1 }"),
        ("new (class A extends Map {})([[1, 2]])", "A(1) [Map] { 1 => 2 }"),
        ("new (class extends (class Base {}) {})", "Base {}"),
        ("({ [Symbol.toStringTag]: 'Tag' })", "{ [Symbol(Symbol.toStringTag)]: 'Tag' }"),
        ("new (class Foo { get [Symbol.toStringTag]() { return 'bar' } })", "Foo {}"),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("Object.create({ inherited: 1 })", "{}"),
        ("Object.create(class Q {}.prototype)", "Q {}"),
        ("new Map([['a', 1], [{ k: 1 }, new Set([1])]])", "Map(2) { 'a' => 1, { k: 1 } => Set(1) { 1 } }"),
        ("new Map", "Map(0) {}"),
        ("new Set(['a', [1]])", "Set(2) { 'a', [ 1 ] }"),
        ("new Set([[1, [2, [3]]]])", "Set(1) { [ 1, [ 2, [Array] ] ] }"),
        ("new WeakMap", "WeakMap { <items unknown> }"),
        ("new WeakSet", "WeakSet { <items unknown> }"),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("new Date(NaN)", "Invalid Date"),
        ("Object.assign(new Date(0), { note: 1 })", "1970-01-01T00:00:00.000Z { note: 1 }"),
        (r"/a\/b/gi", r"/a\/b/gi"),
        ("Object.assign(/x/, { k: 1 })", "/x/ { k: 1 }"),
        ("function named(a, b) {}", "[Function: named]"),
        ("() => {}", "[Function (anonymous)]"),
        ("(function () {})", "[Function (anonymous)]"),
        ("async function later() {}", "[AsyncFunction: later]"),
        ("function* gen() {}", "[GeneratorFunction: gen]"),
        ("async function* agen() {}", "[AsyncGeneratorFunction: agen]"),
        ("Object.assign(function f() {}, { k: 1 })", "[Function: f] { k: 1 }"),
        ("class A {}", "[class A]"),
        ("class B extends Array {}", "[class B extends Array]"),
        ("class extends null {}", "[class (anonymous)]"),
        ("Object.assign(class S {}, { count: 1 })", "[class S] { count: 1 }"),
        ("Math.max", "[Function: max]"),
        ("new Number(-0)", "[Number: -0]"),
        ("new String('ab')", "[String: 'ab']"),
        ("Object.assign(new String('ab'), { k: 1 })", "[String: 'ab'] { k: 1 }"),
        ("new Boolean(false)", "[Boolean: false]"),
        ("Object(1n)", "[BigInt: 1n]"),
        ("Object(Symbol('s'))", "[Symbol: Symbol(s)]"),
        ("Promise.resolve({ a: 1 })", "Promise { { a: 1 } }"),
        ("new Promise(() => {})", "Promise { <pending> }"),
        ("new Proxy({ a: 1 }, {})", "{ a: 1 }"),
        ("new Proxy(function f() {}, {})", "[Function: f]"),
        ("new Uint8Array([1, 2])", "Uint8Array(2) [ 1, 2 ]"),
        ("new Float64Array(2)", "Float64Array(2) [ 0, 0 ]"),
        ("new BigInt64Array([1n])", "BigInt64Array(1) [ 1n ]"),
        ("new (class Sub extends Uint8Array {})(1)", "Sub(1) [Uint8Array] [ 0 ]"),
        ("new ArrayBuffer(3)", "ArrayBuffer { [Uint8Contents]: <00 00 00>, byteLength: 3 }"),
        ("(function () { return arguments })(1, 'a')", "[Arguments] { '0': 1, '1': 'a' }"),
        ("new Array(3)", "[ <3 empty items> ]"),
        ("new URLSearchParams('a=1&b=2')", "URLSearchParams { 'a' => '1', 'b' => '2' }"),
        ("new URLSearchParams", "URLSearchParams {}"),
        ("JSON", "Object [JSON] {}"),
        ("Math", "Object [Math] {}"),
        ("[undefined, null]", "[ undefined, null ]"),
        ("[function f() {}, class C {}, Symbol.iterator]", "[ [Function: f], [class C], Symbol(Symbol.iterator) ]"),
        (r"({ text: 'line one is long enough\nline two' })", r"{ text: 'line one is long enough\nline two' }"),
        ("[[], {}, new Map, new Set]", "[ [], {}, Map(0) {}, Set(0) {} ]"),
        ("[[[[]]]]", "[ [ [ [] ] ] ]"),
        ("[[[[1]]]]", "[ [ [ [Array] ] ] ]"),
        ("({ a: [{ b: { c: {} } }] })", "{ a: [ { b: [Object] } ] }"),
        ("({ 'ключ': 1, valid_id: 2, '9x': 3 })", "{ 'ключ': 1, valid_id: 2, '9x': 3 }"),
        ("[new Date(0), /x/, null, undefined, -0]", "[ 1970-01-01T00:00:00.000Z, /x/, null, undefined, -0 ]"),
        ("[1, 2, 3].values()", "Object [Array Iterator] {}"),
        ("new Map([[1, 2]]).keys()", "Object [Map Iterator] {}"),
    ],
)
def test_values_on_one_line(logged: Logged, value: str, text: str) -> None:
    assert logged(f"console.log(({value}))") == [text]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (
            "Array.from({ length: 8 }, (_, i) => 'item' + i)",
            "[\n  'item0', 'item1',\n  'item2', 'item3',\n  'item4', 'item5',\n  'item6', 'item7'\n]",
        ),
        ("[1.5, -2.25, 3, 4, 5, 6, 7]", "[\n  1.5, -2.25, 3,\n    4,     5, 6,\n    7\n]"),
        ("['漢字', 'ab', 'c', 'd', 'e', 'f', 'g']", "[\n  '漢字', 'ab',\n  'c',    'd',\n  'e',    'f',\n  'g'\n]"),
        ("['a'.repeat(40), 'b'.repeat(40)]", "[\n  '" + "a" * 40 + "',\n  '" + "b" * 40 + "'\n]"),
        ("({ a: 'x'.repeat(70), b: 1 })", "{\n  a: '" + "x" * 70 + "',\n  b: 1\n}"),
        (
            "({ key: 'a'.repeat(40) + '\\n' + 'b'.repeat(40) })",
            "{\n  key: '" + "a" * 40 + "\\n' +\n    '" + "b" * 40 + "'\n}",
        ),
    ],
)
def test_values_on_several_lines(logged: Logged, value: str, text: str) -> None:
    assert logged(f"console.log(({value}))") == [text]


def test_nested_objects_are_indented(logged: Logged) -> None:
    code = """
    const row = { name: 'n'.repeat(30), tags: new Set(['a'.repeat(30), 'b'.repeat(30)]), next: { id: 1 } };
    row.back = row;
    console.dir({ rows: [row] }, { depth: 3 });
    """
    text = f"""\
    {{
      rows: [
        <ref *1> {{
          name: '{"n" * 30}',
          tags: Set(2) {{
            '{"a" * 30}',
            '{"b" * 30}'
          }},
          next: {{ id: 1 }},
          back: [Circular *1]
        }}
      ]
    }}"""
    assert logged(code) == [dedent(text)]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (r"'a\nb\t\\\x07\u{1f600}\ud800'", "'a\\nb\\t\\\\\\x07\N{GRINNING FACE}\\ud800'"),
        (r"'it\'s'", '"it\'s"'),
        (r"""'it\'s "q"'""", '`it\'s "q"`'),
        (r"""'\'"`'""", "'\\'\"`'"),
        ("'x'.repeat(10_003)", "'" + "x" * 10_000 + "'... 3 more characters"),
        ("'x'.repeat(10_001)", "'" + "x" * 10_000 + "'... 1 more character"),
    ],
)
def test_strings_inside_of_objects_are_quoted(logged: Logged, value: str, text: str) -> None:
    assert logged(f"console.log(new Set([{value}]))")[0].split("{", 1)[1].strip(" \n}") == text


def test_a_string_by_itself_is_not_quoted(logged: Logged) -> None:
    assert logged(r"""console.log("it's", 'a\n"b"')""") == ['it\'s a\n"b"']


@pytest.mark.parametrize(
    ("value", "end"),
    [
        ("Array(100).fill(0)", "0\n]"),
        ("Array(101).fill(0)", "... 1 more item\n]"),
        ("Array(250).fill(0)", "... 150 more items\n]"),
        ("new Uint8Array(102)", "... 2 more items\n]"),
        ("new Set(Array(103).keys())", "... 3 more items\n}"),
        ("new Map(Array.from({ length: 101 }, (_, i) => [i, i]))", "... 1 more item\n}"),
        ("new ArrayBuffer(102)", "00 ... 2 more bytes>,\n  byteLength: 102\n}"),
    ],
)
def test_long_collections_are_cut(logged: Logged, value: str, end: str) -> None:
    assert logged(f"console.log({value})")[0].endswith(end)


def test_a_huge_sparse_array_costs_nothing(logged: Logged) -> None:
    assert logged("const a = []; a[4294967294] = 1; console.log(a)") == ["[ <4294967294 empty items>, 1 ]"]


def test_promises_show_what_they_hold(logged: Logged) -> None:
    code = "const p = Promise.reject(1); p.catch(() => {}); console.log(p, Promise.resolve('a'), new Promise(() => {}))"

    assert logged(code) == ["Promise { <rejected> 1 } Promise { 'a' } Promise { <pending> }"]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        ("new Error('m')", "Error: m\n    at f (main.js:1:29)\n    at <eval> (main.js:1:1)"),
        ("new TypeError", "TypeError\n    at f (main.js:1:"),
        ("new (class Mine extends Error {})('m')", "Mine [Error]: m\n"),
        ("Object.assign(new Error('m'), { name: 'Custom' })", "Custom: m\n    at f"),
        ("Object.defineProperty(new Error('m'), 'stack', { value: 1 })", "[Error: m]"),
        ("Object.assign(new Error('m'), { stack: 'made up' })", "[made up]"),
        ("Object.assign(new Error('m'), { code: 7 })", "Error: m\n    at f (main.js:1:43)\n"),
        ("new DOMException('m', 'AbortError')", "DOMException [AbortError]: m\n    at f"),
    ],
)
def test_errors(box: Sandbox, entries: list[ConsoleEntry], error: str, text: str) -> None:
    box.eval(f"(function f() {{ console.log({error}) }})()", filename="main.js")

    assert entries[0].text.startswith(text)


def test_a_long_message_is_cut(logged: Logged) -> None:
    text = logged("console.log(new Error('a'.repeat(100_000)))")[0]

    assert text.startswith("Error: " + "a" * 16_000)
    assert "a... 83680 more characters (cut)\n    at <eval>" in text


def test_an_error_shows_its_cause_and_properties(logged: Logged) -> None:
    code = """
    const bare = (error) => Object.assign(error, { stack: "" });
    console.log(bare(new Error("outer", { cause: bare(new RangeError("inner")) })));
    console.log(bare(Object.assign(new AggregateError([1, 2], "many"), { code: 7 })));
    console.log({ error: bare(new Error("m")) });
    """
    assert logged(code) == [
        "[Error: outer] { [cause]: [RangeError: inner] }",
        "[AggregateError: many] { code: 7, [errors]: [ 1, 2 ] }",
        "{ error: [Error: m] }",
    ]


@pytest.mark.parametrize(
    "value",
    [
        "{ get a() { ran() } }",
        "new Proxy({}, { get: ran, ownKeys: ran, getPrototypeOf: ran, getOwnPropertyDescriptor: ran, has: ran })",
        "new Proxy([], { get: ran, ownKeys: ran, getPrototypeOf: ran, getOwnPropertyDescriptor: ran, has: ran })",
        "{ toString: ran, valueOf: ran, toJSON: ran, inspect: ran, [Symbol.toPrimitive]: ran }",
        "{ get [Symbol.toStringTag]() { ran() } }",
        "Object.create({ get constructor() { ran() } })",
        "Object.create(new Proxy({}, { get: ran, getPrototypeOf: ran, getOwnPropertyDescriptor: ran }))",
        "Object.assign(function () {}, { toString: ran })",
        "Object.defineProperty(function () {}, 'name', { get: ran })",
        "Object.defineProperty(new Error, 'message', { get: ran })",
        "Object.defineProperty(new Error, 'stack', { get: ran })",
        "Object.assign(new Map([[1, 2]]), { entries: ran, [Symbol.iterator]: ran })",
        "Object.assign(new Date, { toISOString: ran })",
        "Object.defineProperty(/x/, 'flags', { get: ran })",
        "Object.assign(Promise.resolve(1), { then: ran })",
    ],
)
def test_formatting_runs_nothing_of_the_program(box: Sandbox, logged: Logged, value: str) -> None:
    code = f"globalThis.runs = 0; const ran = () => {{ runs++ }}; const value = {value};"
    texts = logged(
        code + "console.log(value); console.log([value]); console.log('%o %O %j %s', value, value, value, value)"
    )

    assert len(texts) == 3
    assert box.eval("runs") == 0


def test_a_revoked_proxy(logged: Logged) -> None:
    code = "const { proxy, revoke } = Proxy.revocable({}, {}); revoke(); console.log(proxy, [proxy])"

    assert logged(code) == ["<Revoked Proxy> [ <Revoked Proxy> ]"]


@pytest.mark.parametrize(
    ("value", "depth", "text"),
    [
        ("{ a: { b: { c: { d: 1 } } } }", "null", "{\n  a: { b: { c: { d: 1 } } }\n}"),
        ("{ a: { b: 1 } }", "0", "{ a: [Object] }"),
        ("[[[[[1]]]]]", "3", "[\n  [ [ [ [Array] ] ] ]\n]"),
        ("{ a: { b: { c: { d: 1 } } } }", "undefined", "{ a: { b: { c: [Object] } } }"),
        ("[[[[[1]]]]]", "Infinity", "[\n  [\n    [ [ [ 1 ] ] ]\n  ]\n]"),
    ],
)
def test_depth_of_dir(logged: Logged, value: str, depth: str, text: str) -> None:
    assert logged(f"console.dir({value}, {{ depth: {depth} }})") == [text]


def test_depth_has_an_end(logged: Logged) -> None:
    text = logged("let o = {}; for (let i = 0; i < 5000; i++) o = { o }; console.dir(o, { depth: null })")[0]

    assert "[Object]" in text
    assert text.count("o: ") == 101
