"""Each matcher of the test environment: what it holds for, what it does not hold for, and what it says then."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from sandbox import JSError, Sandbox
from sandbox.browser.methods import MATCHERS, PAGE_MATCHERS

# Expressions that hold.
HOLDS = """
expect(NaN).toBe(NaN)
expect(0).not.toBe(-0)
expect("a").toBe("a")
expect({}).not.toBe({})
expect(NaN).toEqual(NaN)
expect(0).not.toEqual(-0)
expect({ a: undefined, b: 2 }).toEqual({ b: 2 })
expect({ b: 2 }).toEqual({ a: undefined, b: 2 })
expect([undefined]).toEqual([,])
expect([1, [2, { a: 3 }]]).toEqual([1, [2, { a: 3 }]])
expect([1, 2]).not.toEqual([1, 2, 3])
expect({ 0: 1, length: 1 }).not.toEqual([1])
expect(new Date(5)).toEqual(new Date(5))
expect(new Date(5)).not.toEqual(new Date(6))
expect(new Date(NaN)).toEqual(new Date(NaN))
expect(/a/g).toEqual(/a/g)
expect(/a/g).not.toEqual(/a/i)
expect(new Map([[1, { a: 1 }], [{ k: 1 }, 2]])).toEqual(new Map([[{ k: 1 }, 2], [1, { a: 1 }]]))
expect(new Map([[1, 2]])).not.toEqual(new Map([[1, 3]]))
expect(new Map([[1, undefined]])).not.toEqual(new Map([[2, undefined]]))
expect(new Set([1, { a: 1 }])).toEqual(new Set([{ a: 1 }, 1]))
expect(new Set([{ a: 1 }, { a: 1 }])).not.toEqual(new Set([{ a: 1 }, { a: 2 }]))
expect(new Set([1])).not.toEqual(new Set([1, 2]))
expect(new Uint8Array([1, 2])).toEqual(new Uint8Array([1, 2]))
expect(new Uint8Array([1, 2])).not.toEqual(new Uint16Array([1, 2]))
expect(new Float64Array([NaN])).toEqual(new Float64Array([NaN]))
expect(new Float64Array([0])).not.toEqual(new Float64Array([-0]))
expect(new Uint8Array([1]).buffer).toEqual(new Uint8Array([1]).buffer)
expect(new Uint8Array([1]).buffer).not.toEqual(new Uint8Array([2]).buffer)
expect(new DataView(new Uint8Array([1, 2]).buffer, 1)).toEqual(new DataView(new Uint8Array([2]).buffer))
expect(new Error("a", { cause: 1 })).toEqual(new Error("a", { cause: 1 }))
expect(new Error("a", { cause: 1 })).not.toEqual(new Error("a", { cause: 2 }))
expect(new Error("a")).not.toEqual(new TypeError("a"))
expect(new AggregateError([1], "a")).not.toEqual(new AggregateError([2], "a"))
expect({ [Symbol.for("x")]: 1 }).toEqual({ [Symbol.for("x")]: 1 })
expect({ [Symbol.for("x")]: 1 }).not.toEqual({ [Symbol.for("x")]: 2 })
expect({ [Symbol.for("x")]: 1 }).not.toEqual({})
expect(new URL("http://a/b")).toEqual(new URL("http://a/b"))
expect(new URL("http://a/b")).not.toEqual(new URL("http://a/c"))
expect(new Headers({ a: "1" })).toEqual(new Headers({ A: "1" }))
expect(new Headers({ a: "1" })).not.toEqual(new Headers({ A: "2" }))
expect(new Blob(["a"])).not.toEqual(new Blob(["b"]))
expect(Object(1)).toEqual(Object(1))
expect(Object("a")).not.toEqual(Object("b"))
expect(Object(1n)).toEqual(Object(1n))
expect(10n).toEqual(10n)
expect(10n).not.toEqual(10)
expect(() => {}).not.toEqual(() => {})
expect(Promise.resolve()).not.toEqual(Promise.resolve())
expect(ring(1)).toEqual(ring(1))
expect(ring(1)).not.toEqual(ring(2))
expect(new Proxy({ a: 1 }, {})).toEqual({ a: 1 })
expect(new Point(1)).toEqual({ x: 1 })
expect(Object.create(null, { x: { value: 1, enumerable: true } })).toEqual({ x: 1 })
expect(new Point(1)).not.toStrictEqual({ x: 1 })
expect(new Point(1)).toStrictEqual(new Point(1))
expect({ a: undefined }).not.toStrictEqual({})
expect([undefined]).not.toStrictEqual([,])
expect([, 1]).toStrictEqual([, 1])
expect({ a: { b: 1, c: 2 }, d: [{ e: 1, f: 2 }] }).toMatchObject({ a: { b: 1 }, d: [{ e: 1 }] })
expect({ d: [1, 2] }).not.toMatchObject({ d: [1] })
expect({}).not.toMatchObject({ a: undefined })
expect(new Point(1)).toMatchObject({ x: 1 })
expect(new Date(1)).toMatchObject(new Date(1))
expect(new Date(1)).not.toMatchObject(new Date(2))
expect(1).toBeTruthy()
expect("").toBeFalsy()
expect(null).toBeNull()
expect(undefined).not.toBeNull()
expect(undefined).toBeUndefined()
expect(null).toBeDefined()
expect(NaN).toBeNaN()
expect("a").not.toBeNaN()
expect(2).toBeGreaterThan(1)
expect(2n).toBeGreaterThan(1)
expect(1).not.toBeGreaterThan(1)
expect(1).toBeGreaterThanOrEqual(1)
expect(1).toBeLessThan(2)
expect(1).toBeLessThanOrEqual(1)
expect(0.1 + 0.2).toBeCloseTo(0.3)
expect(0.1 + 0.2).toBeCloseTo(0.3, 10)
expect(1.006).not.toBeCloseTo(1)
expect(Infinity).toBeCloseTo(Infinity)
expect(Infinity).not.toBeCloseTo(-Infinity)
expect([]).toBeInstanceOf(Array)
expect(1).not.toBeInstanceOf(Number)
expect(1).toBeTypeOf("number")
expect({ a: 1 }).toBeOneOf([1, { a: 1 }])
expect(3).toSatisfy((n) => n % 3 === 0)
expect("abc").toContain("b")
expect([1, NaN]).toContain(NaN)
expect([0]).toContain(-0)
expect([{}]).not.toContain({})
expect(new Set([1])).toContain(1)
expect([{ a: 1 }]).toContainEqual({ a: 1 })
expect("abc").toHaveLength(3)
expect(new Uint8Array(2)).toHaveLength(2)
expect(() => {}).toHaveLength(0)
expect({ a: { b: [{ c: 1 }] } }).toHaveProperty("a.b[0].c", 1)
expect({ a: { b: 1 } }).toHaveProperty(["a", "b"])
expect({ "a.b": 1 }).toHaveProperty(["a.b"], 1)
expect({ a: undefined }).toHaveProperty("a")
expect({ a: 1 }).not.toHaveProperty("b")
expect({ a: 1 }).not.toHaveProperty("a.b.c")
expect({ a: 1 }).not.toHaveProperty("a", 2)
expect("abc").toMatch("b")
expect("abc").toMatch(/^A/i)
expect("abc").not.toMatch(/z/)
expect(() => { throw new TypeError("no way") }).toThrow()
expect(() => { throw new TypeError("no way") }).toThrow("way")
expect(() => { throw new TypeError("no way") }).toThrow(/^no/)
expect(() => { throw new TypeError("no way") }).toThrow(TypeError)
expect(() => { throw new TypeError("no way") }).toThrow(new Error("no way"))
expect(() => { throw new TypeError("no way") }).not.toThrow(RangeError)
expect(() => { throw new TypeError("no way") }).toThrow(expect.objectContaining({ message: "no way" }))
expect(() => { throw "text" }).toThrow("tex")
expect(() => {}).not.toThrow()
expect(() => { throw new DOMException("a", "AbortError") }).toThrowError("a")
expect({ a: 1, b: "x" }).toEqual({ a: expect.any(Number), b: expect.any(String) })
expect([1n, true, () => {}, Symbol()]).toEqual([BigInt, Boolean, Function, Symbol].map(expect.any))
expect([]).toEqual(expect.any(Array))
expect({}).toEqual(expect.any(Object))
expect(0).toEqual(expect.anything())
expect(null).not.toEqual(expect.anything())
expect({ a: 1, b: { c: 2 } }).toEqual(expect.objectContaining({ b: expect.objectContaining({ c: 2 }) }))
expect({ a: 1 }).toEqual(expect.not.objectContaining({ a: 2 }))
expect([1, 2, 3]).toEqual(expect.arrayContaining([3, 1]))
expect([1, 2]).toEqual(expect.not.arrayContaining([3]))
expect([1, 2]).toEqual(expect.arrayOf(expect.any(Number)))
expect([1, "a"]).toEqual(expect.not.arrayOf(expect.any(Number)))
expect("abc").toEqual(expect.stringContaining("b"))
expect("abc").toEqual(expect.not.stringContaining("z"))
expect("abc").toEqual(expect.stringMatching(/^a/g))
expect("abc").toEqual(expect.stringMatching("b"))
expect({ n: 0.1 + 0.2 }).toEqual({ n: expect.closeTo(0.3, 5) })
expect(new Map([["a", 1]])).toEqual(new Map([["a", expect.any(Number)]]))
await expect(Promise.resolve(4)).resolves.toBe(4)
await expect(Promise.resolve(4)).resolves.not.toBe(5)
await expect(Promise.reject(new TypeError("x"))).rejects.toThrow("x")
await expect(Promise.reject(new TypeError("x"))).rejects.toThrow(TypeError)
await expect(Promise.reject(4)).rejects.toBe(4)
await expect(() => Promise.reject(4)).rejects.not.toBe(5)
expect(0).not.toBeTruthy()
expect(1).not.toBeFalsy()
expect(null).not.toBeUndefined()
expect(undefined).not.toBeDefined()
expect(undefined).toBeNullable()
expect(0).not.toBeNullable()
expect([{ a: 1 }]).not.toContainEqual({ a: 2 })
expect(1).not.toBeGreaterThanOrEqual(2)
expect(2).not.toBeLessThan(2)
expect(3n).not.toBeLessThanOrEqual(2)
expect(null).not.toBeTypeOf("null")
expect(4).not.toSatisfy((n) => n > 4)
expect(4).not.toBeOneOf([1])
expect([]).not.toHaveLength(1)
expect(called).toHaveBeenCalled()
expect(fn()).not.toHaveBeenCalled()
expect(called).not.toHaveBeenCalledOnce()
expect(once).toHaveBeenCalledOnce()
expect(called).toHaveBeenCalledTimes(3)
expect(called).not.toHaveBeenCalledTimes(2)
expect(called).toHaveBeenCalledWith(1, { a: expect.any(Number) })
expect(called).not.toHaveBeenCalledWith(1)
expect(called).toHaveBeenLastCalledWith()
expect(called).not.toHaveBeenLastCalledWith(undefined)
expect(called).toHaveBeenNthCalledWith(2, NaN)
expect(called).not.toHaveBeenNthCalledWith(4)
expect(called).toHaveReturned()
expect(fn(() => { throw 1 })).not.toHaveReturned()
expect(called).toHaveReturnedTimes(2)
expect(called).not.toHaveReturnedTimes(3)
expect(called).toHaveReturnedWith({ n: 1 })
expect(called).not.toHaveReturnedWith({ n: 3 })
expect(called).toHaveLastReturnedWith({ n: 0 })
expect(called).not.toHaveLastReturnedWith({ n: 1 })
expect(called).toHaveNthReturnedWith(1, { n: 1 })
expect(called).not.toHaveNthReturnedWith(2, undefined)
expect(() => { throw new Error("a") }).not.toThrowError("b")
""".strip().split("\n")

# Expressions that do not, and a piece of what is said.
FAILS = [
    ("expect(1).toBe(2)", "Expected: 2\nReceived: 1"),
    ("expect({}).toBe({})", "two objects: toEqual"),
    ("expect(1).not.toBe(1)", "Expected: not 1"),
    ("expect(0).toBe(-0)", "Expected: -0\nReceived: 0"),
    ("expect(5).toEqual(6)", "expect(received).toEqual(expected)"),
    ("expect([undefined]).toStrictEqual([,])", "expect(received).toStrictEqual(expected)"),
    ("expect({a: undefined}).not.toEqual({})", "Expected: not {}"),
    ("expect(1).toBeNull()", "Received: 1"),
    ("expect(1).toBeGreaterThan(1)", "Expected: > 1\nReceived: 1"),
    ("expect('a').toBeGreaterThan(1)", 'received must be a number or a bigint, and is "a"'),
    ("expect([1]).toContain(2)", "Expected to contain: 2"),
    ("expect(5).toContain(2)", "received must be a string or iterable"),
    ("expect('ab').toHaveLength(1)", "Received length: 2"),
    ("expect({a: 1}).toHaveProperty('b', 1)", "no such property"),
    ("expect({}).toHaveProperty('')", "Expected to have it"),
    ("expect('a').toMatch(/b/)", "Expected pattern: /b/"),
    ("expect(() => {}).toThrow('x')", "did not throw"),
    ("expect(() => { throw new Error('a') }).toThrow('b')", 'Expected: a message with "b"'),
    ("expect(() => { throw new Error('a') }).not.toThrow()", "Expected: not an error"),
    ("expect(1).toThrow()", "received must be a function"),
    ("expect(1).toBeInstanceOf(Array)", "Expected class: Array"),
    ("expect(1).toBeInstanceOf('a')", "expected must be a class"),
    ("expect(2).toBeOneOf([1, 3])", "one of ["),
    ("expect(2).toSatisfy(n => n > 2)", "to satisfy"),
    ("await expect(4).resolves.toBe(4)", "received is no promise"),
    ("await expect(Promise.reject(4)).resolves.toBe(4)", "rejected instead of resolved: 4"),
    ("await expect(Promise.resolve(4)).rejects.toBe(4)", "resolved instead of rejected: 4"),
    ("await expect(Promise.resolve(4)).resolves.toBe(5)", "expect(received).resolves.toBe(expected)"),
    ("expect(1).toHaveBeenCalled()", "needs a mock or a spy"),
    ("expect(called).toHaveBeenCalledOnce()", "Received calls: 3"),
    ("expect(called).toHaveBeenNthCalledWith(0)", "calls are counted from 1"),
    ("expect(called).toHaveReturnedTimes(3)", "Received returns: 2"),
    ("expect(fn()).toHaveBeenCalledWith(1)", "It was not called"),
    ("expect.unreachable('no')", "no"),
    ("expect(Infinity).toBeCloseTo(1)", "to 2 digits"),
]

PRELUDE = """
import { expect, mock, fn, spyOn } from "sandbox:test";
globalThis.expect = expect; globalThis.mock = mock; globalThis.fn = fn; globalThis.spyOn = spyOn;
globalThis.ring = (n) => { const a = { n, list: [] }; a.self = a; a.list.push(a); return a; };
globalThis.called = fn((n, given) => { if (n !== n) throw new Error("NaN"); return { n: given?.a ?? 0 } });
called(1, { a: 1 }); try { called(NaN) } catch {} called();
globalThis.once = fn(); once();
globalThis.Point = class Point { constructor(x) { this.x = x; } };
"""


@pytest.fixture(scope="module")
def tested() -> Iterator[Sandbox]:
    with Sandbox(testing=True) as box:
        box.module(PRELUDE)
        yield box


@pytest.mark.parametrize("code", HOLDS)
def test_what_holds(tested: Sandbox, code: str) -> None:
    assert tested.eval(f"{code}; true") is True


def test_every_matcher_holds_for_something_and_not_for_something_else(tested: Sandbox) -> None:
    names = tested.eval("""
        const names = new Set();
        for (let at = expect(1); at !== Object.prototype && at !== null; at = Object.getPrototypeOf(at))
          for (const name of Object.getOwnPropertyNames(at)) if (/^to[A-Z]/.test(name)) names.add(name);
        [...names].filter((name) => !name.includes("Snapshot") && name !== "toBeEven" && name !== "toComeTo")
    """)
    names = set(names) - MATCHERS.keys() - PAGE_MATCHERS.keys()
    assert len(names) > 35
    held = {name for name in names for line in HOLDS if f").{name}(" in line or f"resolves.{name}(" in line}
    failed = {name for name in names for line in HOLDS if f"not.{name}(" in line}
    assert (names - held, names - failed) == (set(), set())


@pytest.mark.parametrize(("code", "text"), FAILS)
def test_what_does_not_hold(tested: Sandbox, code: str, text: str) -> None:
    with pytest.raises(JSError) as caught:
        tested.eval(code)
    assert text in caught.value.message


def test_an_error_says_what_was_compared(tested: Sandbox) -> None:
    result = tested.eval(
        "try { expect({a: 1}).toEqual({a: 2}) } catch (error) {"
        " ({name: error.name, isError: error instanceof Error, ...error.matcherResult}) }"
    )
    assert result == {
        "name": "AssertionError",
        "isError": True,
        "message": "expect(received).toEqual(expected)",
        "pass": False,
        "expected": '{\n  "a": 2,\n}',
        "actual": '{\n  "a": 1,\n}',
    } | {"name": "toEqual"}


def test_matchers_of_the_program(tested: Sandbox) -> None:
    tested.eval("""
      expect.extend({
        toBeEven(received) {
          return { pass: received % 2 === 0, message: () => `${received} is ${this.isNot ? "" : "not "}even` };
        },
        async toComeTo(received, expected) { return { pass: await received === expected, message: () => "other" } },
      });
    """)
    tested.eval("expect(2).toBeEven(); expect(3).not.toBeEven(); expect({n: 2}).toEqual({n: expect.toBeEven()})")
    tested.eval("expect([3]).toEqual([expect.not.toBeEven()])")
    tested.eval("await expect(Promise.resolve(1)).toComeTo(1); await expect(Promise.resolve(2)).resolves.toBeEven()")
    for code, text in [
        ("expect(3).toBeEven()", "3 is not even"),
        ("expect(2).not.toBeEven()", "2 is even"),
        ("await expect(Promise.resolve(1)).toComeTo(2)", "other"),
        ("expect.extend({bad: 1})", "not a function"),
        ("expect.extend({none() {}}); expect(1).none()", "must return {pass, message}"),
    ]:
        with pytest.raises(JSError, match=text):
            tested.eval(code)


def test_what_programs_replace_changes_nothing() -> None:
    """The environment takes nothing from where programs can reach."""
    with Sandbox(testing=True) as box:
        box.module(PRELUDE)
        box.eval("""
          Array.prototype.push = Map.prototype.get = Object.keys = () => { throw new Error("replaced") };
          Array.prototype[Symbol.iterator] = String.prototype.concat = () => { throw new Error("replaced") };
          Promise.prototype.then = () => { throw new Error("replaced") };
          Object.defineProperty(Object.prototype, "0", { set() { throw new Error("set") } });
        """)
        box.eval("const map = () => new Map().set(1, [2]); expect(map()).toEqual(map()); const f = fn(); f(1)")
        box.eval("expect(f).toHaveBeenCalledWith(1)")
        with pytest.raises(JSError, match="toEqual"):
            box.eval("expect([1]).toEqual([2])")


@pytest.mark.parametrize(
    ("code", "text"),
    [
        ("'a\"b\\\\'", '"a\\"b\\\\"'),
        ("[1, [2]]", "[\n  1,\n  [\n    2,\n  ],\n]"),
        ("({b: 1, a: -0, [Symbol('s')]: null})", '{\n  "a": -0,\n  "b": 1,\n  [Symbol(s)]: null,\n}'),
        ("[]", "[]"),
        ("new Map([[1, {}]])", "Map {\n  1 => {},\n}"),
        ("new Set(['a'])", 'Set {\n  "a",\n}'),
        ("new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("new Date(NaN)", "Date { NaN }"),
        ("/a/gi", "/a/gi"),
        ("new TypeError('x', {cause: 1})", '[TypeError: x] {\n  "cause": 1,\n}'),
        ("new Uint8Array([1])", "Uint8Array [\n  1,\n]"),
        ("[,1]", "[\n  <hole>,\n  1,\n]"),
        ("new Point(1)", 'Point {\n  "x": 1,\n}'),
        ("Object.create(null)", "[Object: null prototype] {}"),
        ("function f() {}", "[Function f]"),
        ("fn()", "[MockFunction fn]"),
        ("1n", "1n"),
        ("ring(1)", '{\n  "list": [\n    [Circular],\n  ],\n  "n": 1,\n  "self": [Circular],\n}'),
        ("expect.any(String)", "Any<String>"),
        ("expect.not.stringContaining('a')", 'NotStringContaining "a"'),
        ("expect.objectContaining({a: 1})", 'ObjectContaining {\n  "a": 1,\n}'),
        ("expect.anything()", "Anything"),
        ("new URL('http://a/?b#c')", None),
    ],
)
def test_values_as_text(tested: Sandbox, code: str, text: str | None) -> None:
    shown: Any = tested.eval(
        f"expect.extend({{shows(value) {{ return {{pass: false, message: () => this.utils.stringify(value)}} }}}});"
        f"try {{ expect({code}).shows() }} catch (error) {{ error.message }}"
    )
    assert shown == text if text is not None else shown.startswith("URL {")


def test_without_the_grant_there_is_no_such_module(box: Sandbox) -> None:
    with pytest.raises(JSError, match="cannot find module 'sandbox:test'"):
        box.module("import 'sandbox:test'")
    assert box.eval("typeof describe + typeof expect") == "undefinedundefined"
