"""structuredClone: what is copied, how, and what is refused."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox


@pytest.mark.parametrize(
    "value",
    [
        "undefined",
        "null",
        "true",
        "-0",
        "NaN",
        "10n",
        "'text'",
        "'\\ud800'",
        "[]",
        "[1, [2, { a: 3 }]]",
        "{ a: 1, b: { c: [null] } }",
        "new Map([['a', 1], [{ k: 1 }, new Set([1])]])",
        "new Set(['a', [1]])",
        "new Date(86400000)",
        "new Date(NaN)",
        "/a+/giy",
        "/x/v",
        "new Boolean(false)",
        "new Number(-0)",
        "new String('text')",
        "Object(1n)",
        "new ArrayBuffer(3)",
        "new Uint8Array([1, 2])",
        "new Float16Array([1.5])",
        "new BigInt64Array([1n])",
        "new DataView(new ArrayBuffer(3), 1)",
        "[, 1,,]",
        "Object.assign([1], { key: 'v' })",
        "Object.assign(new Array(4294967295), { 7: 1 })",
        "{ __proto__: null, a: 1 }.a",
        "{ ['__proto__']: 1, constructor: 2 }",
    ],
)
def test_copies_look_like_their_originals(logged: Callable[[str], list[str]], value: str) -> None:
    original, copy = logged(f"const v = ({value}); console.log(v); console.log(structuredClone(v))")

    assert copy == original


@pytest.mark.parametrize(
    ("code", "value"),
    [
        # What a copy is not.
        ("const o = { a: [] }; const c = structuredClone(o); c !== o && c.a !== o.a", True),
        ("Object.getPrototypeOf(structuredClone(new (class A { x = 1 })))  === Object.prototype", True),
        ("Object.getPrototypeOf(structuredClone(Object.create(null))) === Object.prototype", True),
        ("structuredClone(new (class extends Array {})(3)).constructor === Array", True),
        ("structuredClone(new (class extends Map {})).constructor === Map", True),
        ("structuredClone(new (class extends Date {})(5)).constructor === Date", True),
        ("Object.keys(structuredClone(Object.defineProperty({ a: 1 }, 'hidden', { value: 1 })))", ["a"]),
        ("Object.getOwnPropertySymbols(structuredClone({ [Symbol('s')]: 1 })).length", 0),
        ("structuredClone(Object.freeze({ a: 1 })).a = 2", 2),
        ("Object.isFrozen(structuredClone(Object.freeze([1])))", False),
        ("JSON.stringify(Object.getOwnPropertyDescriptor(structuredClone({ get a() { return 5 } }), 'a'))",
         '{"value":5,"writable":true,"enumerable":true,"configurable":true}'),
        ("const r = /a/g; r.lastIndex = 3; structuredClone(r).lastIndex", 0),
        ("Object.keys(structuredClone(Object.assign(new Date, { note: 1 })))", []),
        ("Object.keys(structuredClone(Object.assign(new Map, { note: 1 })))", []),
        # Order.
        ("Object.keys(structuredClone({ b: 1, a: {}, 2: 1, 1: [] })).join()", "1,2,b,a"),
        ("[...structuredClone(new Map([['b', {}], ['a', 1]])).keys()].join()", "b,a"),
        ("[...structuredClone(new Set([3, {}, 1]))].map(String).join()", "3,[object Object],1"),
        ("const r = []; structuredClone({ get a() { r.push(1) }, get b() { r.push(2) } }); r.join()", "1,2"),
        # Identity.
        ("const o = {}; o.self = o; const c = structuredClone(o); c.self === c", True),
        ("const a = []; a[0] = [a]; const c = structuredClone(a); c[0][0] === c", True),
        ("const m = new Map; m.set(m, m); const c = structuredClone(m); c.get(c) === c", True),
        ("const s = new Set; s.add(s); const c = structuredClone(s); c.has(c)", True),
        ("const x = {}; const c = structuredClone([x, { x }, new Set([x])]); c[0] === c[1].x && c[2].has(c[0])", True),
        ("const d = new Date; const c = structuredClone([d, d]); c[0] === c[1]", True),
        ("const e = new Error; e.cause = e; const c = structuredClone(e); c.cause === c", True),
        # Buffers.
        ("const b = new ArrayBuffer(8); const c = structuredClone([new Uint8Array(b, 2, 3), new DataView(b, 1), b]);"
         "[c[0].buffer === c[2], c[1].buffer === c[2], c[0].byteOffset, c[0].length, c[1].byteOffset, c[2] !== b]",
         [True, True, 2, 3, 1, True]),
        ("const b = new ArrayBuffer(2, { maxByteLength: 5 }); const c = structuredClone(b);"
         "[c.resizable, c.byteLength, c.maxByteLength]", [True, 2, 5]),
        ("const b = new Uint8Array([1, 2]); const c = structuredClone(b); b[0] = 9; c[0]", 1),
        ("structuredClone(new Uint8Array(0)).buffer.byteLength", 0),
        # What the program's own code does meanwhile.
        ("const o = { get a() { delete this.b; return 1 }, b: 2 }; Object.keys(structuredClone(o)).join()", "a"),
        ("const o = { get a() { this.z = 1; return 1 } }; Object.keys(structuredClone(o)).join()", "a"),
        ("const a = [1, 2]; Object.defineProperty(a, 0, { get() { a.length = 1; return 7 }, enumerable: true });"
         "structuredClone(a).join()", "7,"),
    ],
)  # fmt: skip
def test_copies(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


@pytest.mark.parametrize(
    ("error", "name", "message", "made_by"),
    [
        ("new Error('m')", "Error", "m", "Error"),
        ("new TypeError('m')", "TypeError", "m", "TypeError"),
        ("new EvalError('m')", "EvalError", "m", "EvalError"),
        ("new RangeError('m')", "RangeError", "m", "RangeError"),
        ("new ReferenceError('m')", "ReferenceError", "m", "ReferenceError"),
        ("new SyntaxError('m')", "SyntaxError", "m", "SyntaxError"),
        ("new URIError('m')", "URIError", "m", "URIError"),
        ("new AggregateError([1], 'm')", "AggregateError", "m", "AggregateError"),
        ("new (class Mine extends RangeError {})('m')", "RangeError", "m", "RangeError"),
        ("Object.assign(new Error('m'), { name: 'TypeError' })", "TypeError", "m", "TypeError"),
        ("Object.assign(new Error('m'), { name: 'Mine' })", "Error", "m", "Error"),
        ("Object.assign(new Error, { message: 5 })", "Error", "5", "Error"),
        ("new DOMException('m', 'AbortError')", "AbortError", "m", "DOMException"),
    ],
)
def test_errors(box: Sandbox, error: str, name: str, message: str, made_by: str) -> None:
    code = (
        f"const e = {error}; const c = structuredClone(e); [c.name, c.message, c.constructor.name, c.stack === e.stack]"
    )

    assert box.eval(code) == [name, message, made_by, True]


def test_the_contents_of_errors(box: Sandbox) -> None:
    code = """
    const e = structuredClone(new AggregateError([{ a: 1 }], "m", { cause: [1] }));
    const { enumerable } = Object.getOwnPropertyDescriptor(e, "cause");
    [e.errors[0].a, e.cause[0], enumerable, "extra" in structuredClone(Object.assign(new Error, { extra: 1 }))]
    """
    assert box.eval(code) == [1, 1, False, False]
    assert box.eval("'message' in Object.getOwnPropertyDescriptors(structuredClone(new Error))") is False


@pytest.mark.parametrize(
    "value",
    [
        "() => {}",
        "class A {}",
        "Symbol('s')",
        "Object(Symbol('s'))",
        "new WeakMap",
        "new WeakSet",
        "new WeakRef({})",
        "Promise.resolve()",
        "new Proxy({}, {})",
        "(function* () {})()",
        "new Map().keys()",
        "[].values()",
        "new URL('a:b')",
        "new URLSearchParams",
        "new TextDecoder",
        "crypto",
        "performance",
        "(() => { const b = new ArrayBuffer(1); b.transfer(); return b })()",
        "(() => { const b = new Uint8Array(1); b.buffer.transfer(); return b })()",
        "[{ deep: [() => {}] }]",
        "new Map([[1, () => {}]])",
        "new Error('m', { cause: () => {} })",
    ],
)
def test_what_cannot_be_cloned(refused: Callable[[str], str], value: str) -> None:
    text = refused(f"structuredClone({value})")

    assert text.startswith("DOMException DataCloneError: Failed to execute 'structuredClone' on 'Window': ")
    assert text.endswith(" could not be cloned.")


def test_an_error_of_the_program_comes_through(refused: Callable[[str], str]) -> None:
    assert refused("structuredClone({ get a() { throw new RangeError('mine') } })") == "RangeError RangeError: mine"


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("const b = new ArrayBuffer(3); const c = structuredClone(b, { transfer: [b] });"
         "[c.byteLength, b.byteLength, b.detached, c === b]", [3, 0, True, False]),
        ("const u = new Uint8Array([1, 2, 3]);"
         "const c = structuredClone({ u: u.subarray(1) }, { transfer: [u.buffer] });"
         "[c.u.length, c.u[0], c.u.byteOffset, u.length]", [2, 2, 1, 0]),
        ("const b = new ArrayBuffer(3); structuredClone(1, { transfer: [b] }); b.detached", True),
        ("const b = new ArrayBuffer(3); const c = structuredClone(new Map([[b, b]]), { transfer: [b] });"
         "const [[k, v]] = c; [k === v, k.byteLength]", [True, 3]),
        ("const b = new ArrayBuffer(2, { maxByteLength: 5 }); structuredClone(b, { transfer: [b] }).maxByteLength", 5),
        ("const b = new ArrayBuffer(3); const c = structuredClone([b, [b]], { transfer: new Set([b]) });"
         "c[0] === c[1][0] && c[0].byteLength === 3", True),
    ],
)  # fmt: skip
def test_transfers(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


@pytest.mark.parametrize(
    "transfer",
    ["[{}]", "[new Uint8Array(1)]", "[b, b]", "[() => {}]", "[new Proxy(b, {})]", "[gone]", "[b, gone]"],
)
def test_a_refused_transfer_detaches_nothing(box: Sandbox, transfer: str) -> None:
    code = f"""
    const b = new ArrayBuffer(1), gone = new ArrayBuffer(1);
    gone.transfer();
    let name;
    try {{ structuredClone(b, {{ transfer: {transfer} }}) }} catch (error) {{ name = error.name }}
    [name, b.detached]
    """
    assert box.eval(code) == ["DataCloneError", False]


def test_a_failed_walk_detaches_nothing(box: Sandbox) -> None:
    code = """
    const b = new ArrayBuffer(1);
    try { structuredClone([b, () => {}], { transfer: [b] }) } catch {}
    b.detached
    """
    assert box.eval(code) is False


def test_depth_costs_no_stack(box: Sandbox) -> None:
    code = """
    let o = { end: true };
    for (let i = 0; i < 20_000; i++) o = i % 2 ? [o] : { o };
    let c = structuredClone(o), depth = 0;
    for (; c.end === undefined; depth++) c = Array.isArray(c) ? c[0] : c.o;
    depth
    """
    assert box.eval(code) == 20_000


def test_a_view_whose_length_follows_its_buffer_still_does(box: Sandbox) -> None:
    code = """
    const make = (View) => new View(new ArrayBuffer(4, { maxByteLength: 16 }));
    [Uint8Array, Uint16Array, DataView].map((View) => {
      const view = make(View);
      const copies = [structuredClone(view), structuredClone(view, { transfer: [view.buffer] })];
      return copies.map((copy) => { copy.buffer.resize(8); return copy.byteLength }).join();
    }).join(" ")
    """
    assert box.eval(code) == "8,8 8,8 8,8"


@pytest.mark.parametrize(
    "view", ["new Uint8Array(buffer, 8)", "new DataView(buffer, 8)", "new Uint8Array(buffer, 8, 4)"]
)
def test_a_view_outside_of_its_buffer_is_refused(refused: Callable[[str], str], view: str) -> None:
    code = f"const buffer = new ArrayBuffer(16, {{ maxByteLength: 32 }}); const view = {view}; buffer.resize(4);"

    assert refused(code + "structuredClone(view)").startswith("DOMException DataCloneError: ")


def test_platform_objects_are_refused_by_name(refused: Callable[[str], str]) -> None:
    text = refused("structuredClone([new Event('x')])")

    assert text == (
        "DOMException DataCloneError: Failed to execute 'structuredClone' on 'Window': "
        "The Event object could not be cloned."
    )


def test_a_clone_inside_a_getter_of_another_is_on_its_own(box: Sandbox) -> None:
    code = """
    structuredClone({ get a() { return structuredClone({ b: [1] }, { transfer: [new ArrayBuffer(1)] }).b }, c: 2 })
    """

    assert box.eval(code) == {"a": [1], "c": 2}


def test_a_buffer_that_cannot_change_cannot_be_transferred(refused: Callable[[str], str]) -> None:
    code = "const buffer = new ArrayBuffer(8).transferToImmutable();"

    assert refused(code + "structuredClone(buffer, { transfer: [buffer] })").startswith("DOMException DataCloneError: ")
