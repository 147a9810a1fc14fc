"""What becomes of each kind of value at the boundary, as tables: `test_conversions.py` executes every row.

`python -m tests.conversions` writes them into docs/values.md. Rows are texts of both languages, so that the page shows
what the test runs.
"""

from __future__ import annotations

import math
import re
import sys
from array import array
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from pathlib import Path
from types import MappingProxyType, SimpleNamespace
from typing import Any, Final, NamedTuple
from uuid import UUID

from sandbox import (
    URL,
    BigInt,
    Blob,
    File,
    JSAsyncIterator,
    JSError,
    JSFunction,
    JSIterator,
    JSMap,
    JSPromise,
    JSSet,
    RegExp,
    undefined,
)

PAGE: Final = Path(__file__).parents[1] / "docs" / "values.md"


class Refused(NamedTuple):
    """A `ConversionError` in place of a value; the path is that of the value alone."""

    path: str
    reason: str


class Out(NamedTuple):
    """A row of the table from the guest to Python.

    Attributes:
        javascript: An expression.
        python: An expression of what it becomes; the name of a class stands for any instance of it.
        note: What the two texts do not say.
    """

    javascript: str
    python: str | Refused
    note: str = ""


class In(NamedTuple):
    """A row of the table from Python to the guest.

    Attributes:
        python: An expression.
        javascript: An expression that is true of the `value` it becomes.
        back: An expression of what comes back when the guest returns it; None: an equal value of the same type.
        note: What the texts do not say.
    """

    python: str
    javascript: str | Refused
    back: str | None = None
    note: str = ""


@dataclass
class Point:
    """A record of an embedder's."""

    x: int
    y: float


class Color(Enum):
    """An enum of an embedder's."""

    RED = "red"


def greet() -> str:
    """A function of an embedder's."""
    return "hello"


async def later() -> int:
    """A coroutine of an embedder's."""
    return 1


async def rows() -> AsyncIterator[int]:
    """An async generator of an embedder's."""
    yield 1


# What the expressions of Python may name.
NAMES: Final[dict[str, Any]] = {
    "BigInt": BigInt,
    "Blob": Blob,
    "Color": Color,
    "Decimal": Decimal,
    "File": File,
    "Fraction": Fraction,
    "JSAsyncIterator": JSAsyncIterator,
    "JSError": JSError,
    "JSFunction": JSFunction,
    "JSIterator": JSIterator,
    "JSMap": JSMap,
    "JSPromise": JSPromise,
    "JSSet": JSSet,
    "MappingProxyType": MappingProxyType,
    "Point": Point,
    "RegExp": RegExp,
    "SimpleNamespace": SimpleNamespace,
    "URL": URL,
    "UTC": UTC,
    "UUID": UUID,
    "array": array,
    "date": date,
    "datetime": datetime,
    "deque": deque,
    "greet": greet,
    "inf": math.inf,
    "later": later,
    "nan": math.nan,
    "re": re,
    "rows": rows,
    "time": time,
    "timedelta": timedelta,
    "undefined": undefined,
}


def python_value(expression: str) -> Any:
    """What an expression of a row stands for; a new object each time."""
    return eval(expression, {**NAMES})


OUT: Final[Mapping[str, tuple[Out, ...]]] = {
    "undefined, null, booleans": (
        Out("undefined", "undefined", "the one `Undefined`; false, like `None`"),
        Out("null", "None"),
        Out("true", "True"),
    ),
    "Numbers": (
        Out("42", "42"),
        Out("6 / 2", "3", "whole numbers are `int`"),
        Out("2 ** 53 - 1", "9007199254740991"),
        Out("2 ** 53", "9007199254740992.0", "`float` from here on: such a number may have been rounded"),
        Out("1.5", "1.5"),
        Out("-0", "-0.0"),
        Out("NaN", "nan"),
        Out("-Infinity", "-inf"),
        Out("new Number(5)", "5", "objects around primitives are the primitives, as in JSON"),
    ),
    "BigInts": (
        Out("10n", "BigInt(10)"),
        Out("-(2n ** 64n)", "BigInt(-18446744073709551616)"),
    ),
    "Strings": (
        Out("'text'", "'text'"),
        Out("'\\u{1F600}'", "'\\U0001F600'"),
        Out("'\\uD83D'", "'\\ud83d'", "half a pair survives"),
    ),
    "Arrays": (
        Out("[1, [2, null]]", "[1, [2, None]]"),
        Out("[1, , 3]", "[1, undefined, 3]", "holes are `undefined`"),
        Out("Object.assign([], {5000: 1})", "[undefined] * 5000 + [1]"),
        Out("Object.assign([1], {extra: 2})", "[1]", "other properties of an array are left out"),
        Out("new (class Stack extends Array {})(1, 2)", "[1, 2]"),
        Out("new Proxy([1], {})", "[1]"),
        Out(
            "new Array(2 ** 31)",
            Refused("$", "a sparse array with more values and holes than the max_nodes limit"),
        ),
    ),
    "Objects": (
        Out("({a: 1, b: {c: 2}})", "{'a': 1, 'b': {'c': 2}}", "own enumerable properties"),
        Out("({b: 1, 10: 2, a: 3, 9: 4})", "{'9': 4, '10': 2, 'b': 1, 'a': 3}", "in JavaScript's order"),
        Out("({get x() { return 1 }, set y(_) {}})", "{'x': 1, 'y': undefined}", "getters run, under the limits"),
        Out("new (class Point { x = 1; #y = 2; move() {} })", "{'x': 1}"),
        Out("Object.create({inherited: 1}, {own: {value: 2, enumerable: true}, hidden: {value: 3}})", "{'own': 2}"),
        Out("({[Symbol('key')]: 1, a: 2})", "{'a': 2}", "symbols are no keys of a dict"),
        Out('JSON.parse(\'{"__proto__": 1, "constructor": 2}\')', "{'__proto__': 1, 'constructor': 2}"),
        Out("Object.create(null)", "{}"),
        Out("({toJSON() { return 1 }}).toJSON()", "1"),
        Out("new Proxy({a: 1}, {})", "{'a': 1}"),
        Out("(function () { return arguments })(1, 2)", "{'0': 1, '1': 2}"),
        Out("({get x() { throw new RangeError('mine') }})", Refused("", "mine"), "what a getter throws is thrown"),
    ),
    "Map and Set": (
        Out("new Map([['a', 1], [1, 2], [true, 3], [1n, 4]])", "JSMap([('a', 1), (1, 2), (True, 3), (BigInt(1), 4)])"),
        Out("new Map([[{id: 1}, [2]]]).keys().next().value", "{'id': 1}"),
        Out("new Map([[NaN, 1], [undefined, 2], [null, 3]])", "JSMap([(nan, 1), (undefined, 2), (None, 3)])"),
        Out("new Set([1, '1', true])", "JSSet([1, '1', True])"),
        Out("new Set([new Set()])", "JSSet([JSSet()])"),
    ),
    "Date and RegExp": (
        Out("new Date(0)", "datetime(1970, 1, 1, tzinfo=UTC)"),
        Out("new Date(-1)", "datetime(1969, 12, 31, 23, 59, 59, 999000, tzinfo=UTC)"),
        Out("new Date(NaN)", Refused("$", "an invalid Date")),
        Out("new Date(8.64e15)", Refused("$", "a Date outside the years 1 to 9999")),
        Out("/a+/gi", "RegExp('a+', 'gi')"),
    ),
    "Errors": (
        Out("new TypeError('no')", "JSError('no', name='TypeError', js_class='TypeError')", "as a value"),
        Out("Object.assign(new Error('no'), {code: 7})", "JSError('no', properties={'code': 7})"),
        Out(
            "new Error('no', {cause: new RangeError('why')})",
            "JSError('no', properties={'cause': JSError('why', name='RangeError', js_class='RangeError')})",
        ),
        Out(
            "new AggregateError([1, 2], 'all')",
            "JSError('all', name='AggregateError', js_class='AggregateError', properties={'errors': [1, 2]})",
        ),
        Out("new (class Mine extends SyntaxError { name = 'Mine' })('no').name", "'Mine'"),
        Out("new DOMException('gone', 'AbortError')", "JSError('gone', name='AbortError', js_class='DOMException')"),
    ),
    "Bytes": (
        Out("new Uint8Array([1, 255])", "b'\\x01\\xff'"),
        Out("new Uint8Array([1, 2, 3]).subarray(1)", "b'\\x02\\x03'", "what the view shows"),
        Out("new ArrayBuffer(2)", "b'\\x00\\x00'"),
        Out("new SharedArrayBuffer(2)", "b'\\x00\\x00'"),
        Out("new Int8Array([-1])", "memoryview(array('b', [-1]))"),
        Out("new Uint8ClampedArray([300])", "memoryview(b'\\xff')"),
        Out("new Int16Array([-1])", "memoryview(array('h', [-1]))"),
        Out("new Uint16Array([1])", "memoryview(array('H', [1]))"),
        Out("new Int32Array([-1])", "memoryview(array('i', [-1]))"),
        Out("new Uint32Array([1])", "memoryview(array('I', [1]))"),
        Out("new BigInt64Array([-1n])", "memoryview(array('q', [-1]))"),
        Out("new BigUint64Array([1n])", "memoryview(array('Q', [1]))"),
        Out("new Float16Array([0.5])", "memoryview(array('f', [0.5]))", "Python has no view of half floats"),
        Out("new Float32Array([0.5])", "memoryview(array('f', [0.5]))"),
        Out("new Float64Array([0.5])", "memoryview(array('d', [0.5]))"),
        Out("new DataView(new ArrayBuffer(2), 1)", "memoryview(b'\\x00')"),
        Out(
            "(buffer => (buffer.transfer(), buffer))(new ArrayBuffer(2))",
            Refused("$", "a detached ArrayBuffer"),
        ),
    ),
    "Functions": (
        Out("x => x", "JSFunction"),
        Out("class A {}", "JSFunction"),
        Out("async function* rows() {}", "JSFunction"),
        Out("Math.max", "JSFunction"),
    ),
    "Shared references and cycles": (
        Out("(one => [one, one])({})", "(lambda one: [one, one])({})"),
        Out("(loop => (loop.self = loop, loop))({})", "(lambda loop: loop.update(self=loop) or loop)({})"),
        Out("(map => map.set('self', map))(new Map())", "(lambda map: map.update({'self': map}) or map)(JSMap())"),
    ),
    "Promises and iterators": (
        Out("({later: Promise.resolve(1)})", "{'later': JSPromise}", "one that is the result of a run is waited for"),
        Out("[1].values()", "JSIterator"),
        Out("(function* () { yield 1 })()", "JSIterator"),
        Out("(async function* () { yield 1 })()", "JSAsyncIterator"),
        Out("({async *[Symbol.asyncIterator]() { yield 1 }})", "JSAsyncIterator"),
    ),
    "URL": (
        Out("new URL('https://example.com/a/../b?q=1')", "URL('https://example.com/b?q=1')", "its `href`, a `str`"),
    ),
    "Blob and File": (
        Out("new Blob(['ab', new Uint8Array([1])], {type: 'text/plain'})", "Blob(b'ab\\x01', 'text/plain')"),
        Out("new Blob(['abc']).slice(1)", "Blob(b'bc')"),
        Out("new File(['a'], 'a.txt', {lastModified: 5})", "File(b'a', '', 'a.txt', 5)"),
        Out("(blob => [blob, [blob]])(new Blob(['a']))", "(lambda blob: [blob, [blob]])(Blob(b'a'))"),
    ),
    "No counterpart": (
        Out("new FormData()", Refused("$", "FormData; send its entries")),
        Out("new Headers()", Refused("$", "Headers; send their entries")),
        Out("new Request('https://example.com')", Refused("$", "a Request; send its parts")),
        Out("new Response()", Refused("$", "a Response; send its parts")),
        Out("Symbol('s')", Refused("$", "a symbol")),
        Out("Object(Symbol('s'))", Refused("$", "a symbol")),
        Out("[new FinalizationRegistry(() => {})]", Refused("$[0]", "a weak collection or reference")),
        Out("({list: [0, Symbol.iterator]})", Refused("$.list[1]", "a symbol")),
        Out("({'odd key': new WeakMap()})", Refused("$['odd key']", "a weak collection or reference")),
        Out("new Map([[1, new WeakRef({})]])", Refused("$[0]", "a weak collection or reference")),
    ),
}

IN: Final[Mapping[str, tuple[In, ...]]] = {
    "undefined, None, booleans": (
        In("undefined", "value === undefined"),
        In("None", "value === null"),
        In("True", "value === true"),
    ),
    "Numbers": (
        In("42", "value === 42"),
        In("5.0", "value === 5", "5"),
        In("1.5", "value === 1.5"),
        In("-0.0", "Object.is(value, -0)"),
        In("nan", "Number.isNaN(value)"),
        In("inf", "value === Infinity"),
        In("2**53 - 1", "value === Number.MAX_SAFE_INTEGER"),
        In("2**53", "value === 2n ** 53n", "BigInt(2**53)", "never a rounded number"),
        In("-(10**30)", "value === -(10n ** 30n)", "BigInt(-(10**30))"),
        In("BigInt(1)", "value === 1n"),
    ),
    "Strings": (
        In("'text'", "value === 'text'"),
        In("'\\U0001F600'", "value === '\\u{1F600}'"),
        In("'\\ud83d'", "value === '\\uD83D'"),
    ),
    "Sequences": (
        In("[1, [2, None]]", "Array.isArray(value) && value[1][1] === null"),
        In("(1, 2)", "Array.isArray(value) && value.length === 2", "[1, 2]"),
        In("range(3)", "value.join() === '0,1,2'", "[0, 1, 2]"),
        In("deque([1, 2])", "value.join() === '1,2'", "[1, 2]"),
        In("range(10**9)", Refused("$", "more values than the max_nodes limit of 1,000,000")),
    ),
    "Mappings and records": (
        In("{'a': 1}", "Object.getPrototypeOf(value) === Object.prototype && value.a === 1"),
        In("{2: 'b', 1: 'a'}", "Object.keys(value).join() === '1,2'", "{'1': 'a', '2': 'b'}", "int keys become text"),
        In("{'__proto__': 1}", "Object.hasOwn(value, '__proto__') && value instanceof Object"),
        In("{1: 'a', '1': 'b'}", Refused("$", "a mapping with two keys of the same text")),
        In("{(1, 2): 3}", Refused("$", "a mapping with a key of type tuple; keys are strings or ints, or use JSMap")),
        In("MappingProxyType({'a': 1})", "value.a === 1", "{'a': 1}", "any `Mapping`"),
        In("Point(1, 2.5)", "value.x + value.y === 3.5", "{'x': 1, 'y': 2.5}", "any dataclass"),
        In("Color.RED", "value === 'red'", "'red'", "the value of an `Enum`"),
        In("JSMap([('a', 1), ([], 2)])", "value instanceof Map && [...value.values()].join() === '1,2'"),
    ),
    "Sets": (
        In("{1}", "value instanceof Set && value.has(1)", "JSSet([1])"),
        In("frozenset('a')", "value.has('a')", "JSSet(['a'])"),
        In("{'a': 1}.keys()", "value.has('a')", "JSSet(['a'])", "any `Set`"),
        In("JSSet([1, True, '1'])", "[...value].map(each => typeof each).join() === 'number,boolean,string'"),
    ),
    "Dates and patterns": (
        In("datetime(2024, 2, 29, 12, tzinfo=UTC)", "value.toISOString() === '2024-02-29T12:00:00.000Z'"),
        In(
            "datetime(2024, 1, 1, 0, 0, 0, 1999, tzinfo=UTC)",
            "value.getMilliseconds() === 1",
            "datetime(2024, 1, 1, 0, 0, 0, 1000, tzinfo=UTC)",
            "a Date counts milliseconds",
        ),
        In("datetime(2024, 2, 29)", Refused("$", "a datetime without a time zone; attach one, such as datetime.UTC")),
        In("RegExp('a+', 'i')", "value.test('AA') && value.flags === 'i'"),
        In("re.compile('a', re.M)", "value instanceof RegExp && value.multiline", "RegExp('a', 'm')"),
        In(
            "re.compile('(?P<n>a)')",
            Refused("$", "a pattern in syntax that JavaScript lacks; use RegExp(source, flags)"),
        ),
    ),
    "Exceptions": (
        In(
            "ValueError('no')",
            "value instanceof RangeError && value.message === 'no'",
            "JSError('no', name='RangeError', js_class='RangeError')",
        ),
        In(
            "PermissionError(13, 'no', '/etc/shadow')",
            "value instanceof DOMException && value.name === 'NotAllowedError' && !value.message.includes('/')",
            "JSError('no', name='NotAllowedError', js_class='DOMException')",
        ),
        In(
            "JSError('no', name='Mine', js_class='TypeError', properties={'code': 7})",
            "value instanceof TypeError && value.name === 'Mine' && value.code === 7",
        ),
        In(
            "ExceptionGroup('all', [ValueError('a')])",
            "value instanceof AggregateError && value.errors[0].message === 'a'",
            "JSError('all', name='AggregateError', js_class='AggregateError', properties="
            "{'errors': [JSError('a', name='RangeError', js_class='RangeError')]})",
        ),
    ),
    "Bytes": (
        In("b'\\x01\\xff'", "value instanceof Uint8Array && value[1] === 255"),
        In("bytearray(b'a')", "value instanceof Uint8Array", "b'a'"),
        In("memoryview(b'abcd')[::2]", "value.length === 2 && value[1] === 99", "b'ac'"),
        In("array('f', [0.5])", "value instanceof Float32Array && value[0] === 0.5", "memoryview(array('f', [0.5]))"),
        In("array('q', [-1])", "value instanceof BigInt64Array && value[0] === -1n", "memoryview(array('q', [-1]))"),
        In(
            "memoryview(bytes(4)).cast('B', (2, 2))",
            Refused("$", "a buffer of 2 dimensions; flatten it, or send its rows"),
        ),
    ),
    "Functions": (
        In("greet", "typeof value === 'function' && value() === 'hello' && value.name === 'greet'", "JSFunction"),
        In("str.upper", "value('a') === 'A'", "JSFunction"),
    ),
    "Shared references and cycles": (
        In("(lambda one: [one, one])({})", "value[0] === value[1]"),
        In("(lambda loop: loop.update(self=loop) or loop)({})", "value.self.self === value"),
    ),
    "Awaitables and iterators": (
        In("[later()]", "value[0] instanceof Promise", back="[JSPromise]"),
        In("iter([1, 2])", "[...value].join() === '1,2'", back="JSIterator"),
        In("(n for n in (1, 2))", "value[Symbol.iterator]() === value && value.next().value === 1", back="JSIterator"),
        In("rows()", "value[Symbol.asyncIterator]() === value", back="JSAsyncIterator"),
    ),
    "Texts": (
        In("URL('https://example.com/b')", "value instanceof URL && value.pathname === '/b'"),
        In("Decimal('1.50')", "value === '1.50'", back="'1.50'"),
        In("UUID(int=1)", "value === '00000000-0000-0000-0000-000000000001'", back="str(UUID(int=1))"),
        In("date(2024, 2, 29)", "value === '2024-02-29'", back="'2024-02-29'"),
        In("time(12, 30)", "value === '12:30:00'", back="'12:30:00'"),
    ),
    "Blob and File": (
        In("Blob(b'ab', 'text/plain')", "value instanceof Blob && value.size === 2 && value.type === 'text/plain'"),
        In("File(b'ab', name='a.txt', last_modified_ms=5)", "value instanceof File && value.lastModified === 5"),
        In("(lambda blob: [blob, blob])(Blob(b'a'))", "value[0] === value[1] && value[0].size === 1"),
    ),
    "No counterpart": (
        In("object()", Refused("$", "a value of type object; send its parts, or expose its methods")),
        In(
            "{'list': [0, SimpleNamespace()]}",
            Refused("$.list[1]", "a value of type types.SimpleNamespace; send its parts, or expose its methods"),
        ),
        In("1j", Refused("$", "a value of type complex; send its two parts")),
        In("Fraction(1, 3)", Refused("$", "a value of type fractions.Fraction; send its parts, or expose its methods")),
        In("timedelta(1)", Refused("$", "a value of type datetime.timedelta; send value.total_seconds()")),
    ),
}


# --- the page ---------------------------------------------------------------------------------------------------------


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _code(text: str) -> str:
    return f"`{_cell(text)}`"


def _result(result: str | Refused) -> str:
    if isinstance(result, str):
        return _code(result)
    return f"refused at {_code(result.path)}: {_cell(result.reason)}" if result.path else "refused"


def _note(row: Out | In) -> str:
    back = f"back: {_code(row.back)}" if isinstance(row, In) and row.back is not None else ""
    return "; ".join(filter(None, (back, _cell(row.note))))


def _table(families: Mapping[str, tuple[Out, ...]] | Mapping[str, tuple[In, ...]], heads: tuple[str, str]) -> str:
    lines = [f"| {heads[0]} | {heads[1]} | |", "|---|---|---|"]
    for family, rows in families.items():
        lines.append(f"| **{family}** | | |")
        lines += [f"| {_code(row[0])} | {_result(row[1])} | {_note(row)} |".replace("|  |", "| |") for row in rows]
    return "\n".join(lines)


def written_page(text: str) -> str:
    """The page with its tables written anew."""
    tables = {
        "out": _table(OUT, ("JavaScript", "Python")),
        "in": _table(IN, ("Python", "JavaScript")),
    }
    fill: Callable[[re.Match[str]], str] = lambda match: f"{match[1]}\n\n{tables[match[2]]}\n\n{match[3]}"  # noqa: E731
    return re.sub(r"(<!-- table: (out|in) -->).*?(<!-- end of table -->)", fill, text, flags=re.DOTALL)


if __name__ == "__main__":
    sys.stdout.write(f"writing {PAGE}\n")
    PAGE.write_text(written_page(PAGE.read_text("utf-8")), "utf-8")
