"""Web IDL: the shape of interfaces and operations, brands, and how arguments are converted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

# The attributes of a property: w(ritable), e(numerable), c(onfigurable), g(etter), s(etter).
FLAGS = """
(object, key) => {
  const { writable, enumerable, configurable, get, set } = Object.getOwnPropertyDescriptor(object, key);
  const attributes = { w: writable, e: enumerable, c: configurable, g: get, s: set };
  return Object.keys(attributes).filter((flag) => attributes[flag]).join("");
}
"""


@pytest.mark.parametrize(
    ("target", "key", "flags"),
    [
        ("globalThis", "URL", "wc"),
        ("globalThis", "TextDecoder", "wc"),
        ("globalThis", "Performance", "wc"),
        ("globalThis", "console", "wc"),
        ("globalThis", "setTimeout", "wec"),
        ("globalThis", "structuredClone", "wec"),
        ("globalThis", "atob", "wec"),
        ("globalThis", "reportError", "wec"),
        ("globalThis", "crypto", "ecg"),
        ("globalThis", "performance", "ecgs"),
        ("globalThis", "self", "ecgs"),
        ("URL", "parse", "wec"),
        ("URL", "prototype", ""),
        ("URL", "length", "c"),
        ("URL.prototype", "href", "ecgs"),
        ("URL.prototype", "origin", "ecg"),
        ("URL.prototype", "toJSON", "wec"),
        ("URL.prototype", "constructor", "wc"),
        ("URL.prototype", "[toStringTag]", "c"),
        ("URLSearchParams.prototype", "append", "wec"),
        ("URLSearchParams.prototype", "forEach", "wec"),
        ("URLSearchParams.prototype", "[iterator]", "wc"),
        ("TextEncoder.prototype", "encoding", "ecg"),
        ("console", "log", "wec"),
        ("console", "[toStringTag]", "c"),
        ("Object.getPrototypeOf(new URLSearchParams().keys())", "next", "wec"),
        ("Object.getPrototypeOf(new URLSearchParams().keys())", "[toStringTag]", "c"),
    ],
)
def test_attributes_of_properties(box: Sandbox, target: str, key: str, flags: str) -> None:
    name = f"Symbol.{key[1:-1]}" if key.startswith("[") else f"'{key}'"

    assert box.eval(f"({FLAGS})({target}, {name})") == flags


@pytest.mark.parametrize(
    ("function", "name", "length"),
    [
        ("URL", "URL", 1),
        ("URL.canParse", "canParse", 1),
        ("URLSearchParams", "URLSearchParams", 0),
        ("URLSearchParams.prototype.set", "set", 2),
        ("URLSearchParams.prototype.delete", "delete", 1),
        ("URLSearchParams.prototype.forEach", "forEach", 1),
        ("URLSearchParams.prototype[Symbol.iterator]", "entries", 0),
        ("TextDecoder", "TextDecoder", 0),
        ("TextDecoder.prototype.decode", "decode", 0),
        ("TextEncoder.prototype.encodeInto", "encodeInto", 2),
        ("crypto.getRandomValues", "getRandomValues", 1),
        ("crypto.randomUUID", "randomUUID", 0),
        ("setTimeout", "setTimeout", 1),
        ("setInterval", "setInterval", 1),
        ("clearTimeout", "clearTimeout", 0),
        ("structuredClone", "structuredClone", 1),
        ("queueMicrotask", "queueMicrotask", 1),
        ("reportError", "reportError", 1),
        ("atob", "atob", 1),
        ("console.log", "log", 0),
        ("Object.getOwnPropertyDescriptor(URL.prototype, 'href').get", "get href", 0),
        ("Object.getOwnPropertyDescriptor(URL.prototype, 'href').set", "set href", 1),
        ("Object.getOwnPropertyDescriptor(globalThis, 'crypto').get", "get crypto", 0),
    ],
)
def test_names_and_lengths(box: Sandbox, function: str, name: str, length: int) -> None:
    assert box.eval(f"[({function}).name, ({function}).length]") == [name, length]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("new URL('a:b')", "[object URL]"),
        ("new URLSearchParams()[Symbol.iterator]()", "[object URLSearchParams Iterator]"),
        ("new TextEncoder", "[object TextEncoder]"),
        ("crypto", "[object Crypto]"),
        ("performance", "[object Performance]"),
        ("console", "[object console]"),
    ],
)
def test_tags(box: Sandbox, value: str, text: str) -> None:
    assert box.eval(f"Object.prototype.toString.call({value})") == text


@pytest.mark.parametrize(
    "function",
    ["setTimeout", "atob", "structuredClone", "console.log", "URL.parse", "URLSearchParams.prototype.get"],
)
def test_operations_are_no_constructors_and_show_no_source(
    box: Sandbox, refused: Callable[[str], str], function: str
) -> None:
    assert refused(f"new {function}('a')").startswith("TypeError TypeError: ")
    assert "[native code]" in box.eval(f"Function.prototype.toString.call({function})")


@pytest.mark.parametrize(
    "code",
    [
        "Object.getOwnPropertyDescriptor(URL.prototype, 'href').get.call({})",
        "Object.getOwnPropertyDescriptor(URL.prototype, 'href').set.call({}, 'a:')",
        "Object.getOwnPropertyDescriptor(URL.prototype, 'searchParams').get.call(undefined)",
        "URL.prototype.toJSON.call(new URLSearchParams)",
        "URLSearchParams.prototype.append.call(new URL('a:'), 'a', 'b')",
        "URLSearchParams.prototype.keys.call([])",
        "URLSearchParams.prototype.forEach.call(new Map, () => {})",
        "URLSearchParams.prototype.sort.call(Object.create(URLSearchParams.prototype))",
        "Object.getOwnPropertyDescriptor(URLSearchParams.prototype, 'size').get.call([])",
        "new URLSearchParams('a=1').keys().next.call({})",
        "TextEncoder.prototype.encode.call({}, 'a')",
        "TextDecoder.prototype.decode.call(new TextEncoder)",
        "crypto.getRandomValues.call({}, new Uint8Array(1))",
        "crypto.randomUUID.call(undefined)",
        "performance.now.call({})",
        "Object.getOwnPropertyDescriptor(Performance.prototype, 'timeOrigin').get.call({})",
    ],
)
def test_methods_insist_on_their_object(refused: Callable[[str], str], code: str) -> None:
    text = refused(code)

    assert text in ("TypeError TypeError: Illegal invocation", "TypeError TypeError: invalid 'in' operand")


@pytest.mark.parametrize("object_", ["Object.create(globalThis)", "new Proxy(globalThis, {})"])
@pytest.mark.parametrize("name", ["self", "navigator", "performance", "crypto", "onerror"])
def test_attributes_insist_on_the_global_object(refused: Callable[[str], str], object_: str, name: str) -> None:
    assert refused(f"{object_}.{name}") == "TypeError TypeError: Illegal invocation"


# Browsers refuse that. Node does not, and programs written for it put operations into objects of their own.
@pytest.mark.parametrize("operation", ["atob('')", "setTimeout(() => {})", "structuredClone(1)", "fetch('data:,')"])
def test_operations_may_be_called_on_other_objects(box: Sandbox, operation: str) -> None:
    box.eval(f"Object.create(globalThis).{operation}; undefined")


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("URL('a:b')", "TypeError TypeError: "),
        ("TextEncoder()", "TypeError TypeError: "),
        ("new Crypto", "TypeError TypeError: Illegal constructor"),
        ("new Performance", "TypeError TypeError: Illegal constructor"),
        ("new URL", "TypeError TypeError: Failed to construct 'URL': 1 argument required, but only 0 present."),
        ("setTimeout()", "TypeError TypeError: Failed to execute 'setTimeout' on 'Window': 1 argument required"),
        (
            "new URLSearchParams().set('a')",
            "TypeError TypeError: Failed to execute 'set' on 'URLSearchParams': 2 arguments required, but only 1",
        ),
        (
            "structuredClone()",
            "TypeError TypeError: Failed to execute 'structuredClone' on 'Window': 1 argument required",
        ),
        ("atob()", "TypeError TypeError: Failed to execute 'atob' on 'Window': 1 argument required"),
        ("reportError()", "TypeError TypeError: Failed to execute 'reportError' on 'Window': 1 argument required"),
        ("new URLSearchParams().forEach(1)", "TypeError TypeError: Failed to execute 'forEach' on 'URLSearchParams': "),
    ],
)
def test_calls_without_new_or_arguments(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("new URLSearchParams([[1, null]]).toString()", "1=null"),
        ("new URLSearchParams({ toString: () => 'x=1' }).get('toString')", "() => 'x=1'"),
        ("new URLSearchParams('a=1').get({ toString: () => 'a' })", "1"),
        ("new URLSearchParams([['\\ud800', '\\udc00x']]).toString()", "%EF%BF%BD=%EF%BF%BDx"),
        ("new URLSearchParams('a').has('a', undefined)", True),
        ("new TextDecoder(undefined, null).fatal", False),
        ("new TextDecoder('utf-8', { fatal: 'yes', ignoreBOM: 0 }).fatal", True),
        ("new TextDecoder('utf-8', () => {}).ignoreBOM", False),
        ("new TextDecoder('utf-8', Object.create({ fatal: 1 })).fatal", True),
        ("structuredClone(1, null)", 1),
        ("structuredClone(1, { transfer: undefined })", 1),
        ("structuredClone(1, { transfer: new Set() })", 1),
    ],
)
def test_conversions(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        (
            "new URL(Symbol())",
            "TypeError TypeError: Failed to construct 'URL': Cannot convert a Symbol value to a string",
        ),
        ("new URLSearchParams().append('a', Symbol())", "TypeError TypeError: Failed to execute 'append'"),
        ("new URL({ toString() { throw new RangeError('mine') } })", "RangeError RangeError: mine"),
        ("new URLSearchParams([1])", "TypeError TypeError: Failed to construct 'URLSearchParams': "),
        ("new URLSearchParams([['a']])", "TypeError TypeError: Failed to construct 'URLSearchParams': Each pair"),
        (
            "new URLSearchParams([['a', 'b', 'c']])",
            "TypeError TypeError: Failed to construct 'URLSearchParams': Each pair",
        ),
        (
            "new URLSearchParams({ [Symbol.iterator]: 1 })",
            "TypeError TypeError: Failed to construct 'URLSearchParams': ",
        ),
        ("new URLSearchParams({ [Symbol.iterator]: () => 1 })", "TypeError TypeError: Failed to construct"),
        (
            "new URLSearchParams({ [Symbol.iterator]: () => ({ next: () => 1 }) })",
            "TypeError TypeError: Failed to construct",
        ),
        ("new TextDecoder('utf-8', 1)", "TypeError TypeError: Failed to construct 'TextDecoder': "),
        ("new TextDecoder('utf-8', { get fatal() { throw new RangeError('mine') } })", "RangeError RangeError: mine"),
        (
            "structuredClone(1, { transfer: 1 })",
            "TypeError TypeError: Failed to execute 'structuredClone' on 'Window': ",
        ),
        (
            "structuredClone(1, { transfer: [1] })",
            "TypeError TypeError: Failed to execute 'structuredClone' on 'Window': ",
        ),
        (
            "clearTimeout(1n)",
            "TypeError TypeError: Failed to execute 'clearTimeout' on 'Window': Cannot convert a bigint",
        ),
        ("setTimeout(() => {}, Symbol())", "TypeError TypeError: Failed to execute 'setTimeout' on 'Window': "),
    ],
)
def test_refused_arguments(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


@pytest.mark.parametrize(
    ("delay", "due"),
    [
        ("-1", 0),
        ("NaN", 0),
        ("Infinity", 0),
        ("2 ** 31", 0),
        ("2 ** 32 + 5", 5),
        ("7.9", 7),
        ("'12'", 12),
        ("null", 0),
        ("undefined", 0),
        ("[3]", 3),
        ("{ valueOf: () => 4 }", 4),
    ],
)
def test_a_long_is_32_bits_wide(box: Sandbox, delay: str, due: int) -> None:
    code = f"new Promise(done => setTimeout(() => done(performance.now()), {delay}))"

    assert box.eval(code) == due


def test_replaceable_attributes(box: Sandbox) -> None:
    assert box.eval("performance = 1; self = 2; [performance, self, typeof globalThis.crypto]") == [1, 2, "object"]
    assert box.eval("'use strict'; try { crypto = 1 } catch (error) { error.name }") == "TypeError"


def test_the_members_of_a_dictionary_are_read_in_order(box: Sandbox) -> None:
    code = """
    const read = [];
    new TextDecoder("utf-8", { get ignoreBOM() { read.push("ignoreBOM") }, get fatal() { read.push("fatal") } });
    read
    """
    assert box.eval(code) == ["fatal", "ignoreBOM"]
