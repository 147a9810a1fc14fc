"""What the converter refuses: values without a form, budgets, hostile messages."""

from __future__ import annotations

import re
import tracemalloc
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox._abi import Tag
from sandbox.errors import ConversionError, GuestProtocolError, JSError
from sandbox.values import JSMap, JSSet, undefined
from tests.fake_owner import codec, ext, generally_encoded, packed, round_trip


class Plain:
    """An object of an embedder's that is nothing in particular."""


@dataclass
class Point:
    """A record of an embedder's."""

    x: object
    y: float


REFUSED: list[tuple[object, str, str]] = [
    (Plain(), "$", "Plain"),
    ([1, [Plain()]], "$[1][0]", "Plain"),
    ({"users": [0, 1, 2, {"name": Plain()}]}, "$.users[3].name", "Plain"),
    ({"odd key": {"": Plain()}}, "$['odd key']['']", "Plain"),
    ({"x" * 200: Plain()}, f"$['{'x' * 64}…']", "Plain"),
    ({1: Plain()}, "$['1']", "Plain"),
    (JSMap([(1, 2), (Plain(), 3)]), "$[1]", "Plain"),
    (JSSet([1, Plain()]), "$[1]", "Plain"),
    (Point(Plain(), 1), "$.x", "Plain"),
    (JSError("m", properties={"p": Plain()}), "$.p", "Plain"),
    ({"a": {None: 1}}, "$.a", "a mapping with a key of type NoneType"),
    ({"a": {True: 1}}, "$.a", "a mapping with a key of type bool"),
    ({"a": {(1,): 1}}, "$.a", "a mapping with a key of type tuple"),
    ({"a": {1: 1, "1": 2}}, "$.a", "two keys of the same text"),
    ([datetime(2024, 1, 1)], "$[0]", "a datetime without a time zone"),  # noqa: DTZ001
    ([timedelta(1)], "$[0]", r"send value.total_seconds\(\)"),
    ([1j], "$[0]", "complex"),
    ([re.compile(b"a")], "$[0]", "a pattern over bytes"),
    ([memoryview(bytes(4)).cast("B", (2, 2))], "$[0]", "2 dimensions"),
]


@pytest.mark.parametrize(
    ("value", "path", "reason"), REFUSED, ids=lambda value: repr(value).partition(" at 0x")[0][:40]
)
def test_refusals_name_the_path(value: object, path: str, reason: str) -> None:
    with pytest.raises(ConversionError, match=reason) as caught:
        codec().encode(value)

    assert caught.value.path == path


def test_a_refusal_leaves_the_codec_usable() -> None:
    converter = codec()
    with pytest.raises(ConversionError):
        converter.encode([{"a": 1}, datetime(2024, 1, 1)])  # noqa: DTZ001

    assert converter.encode([{"a": 1}, []]) == b"\0\x92\x81\xa1a\x01\x90"


DECODED_REFUSALS: list[tuple[bytes, str, str]] = [
    (ext(Tag.RESPONSE, b"\x80"), "$", "a Response"),
    (b"\x92\x01" + ext(Tag.DATE, b"\xcb\x7f\xf8\0\0\0\0\0\0"), "$[1]", "an invalid Date"),
    (b"\x81\xa1a" + ext(Tag.DATE, b"\xcb\x43\x3e\xb2\x08\xc2\xdc\0\0"), "$.a", "outside the years 1 to 9999"),
    (ext(Tag.MAP, b"\x94\x01\x01\x02" + ext(Tag.HEADERS, b"\x90")), "$[1]", "Headers"),
    (ext(Tag.ERROR, b"\x96\xa1E\xc0\xc0\xc0\xc0\x81\xa5cause" + ext(Tag.REQUEST, b"")), "$.cause", "a Request"),
    (b"\x91" + ext(Tag.SPARSE_ARRAY, b"\x06\x81\x05" + ext(Tag.FORM_DATA, b"")), "$[0][5]", "FormData"),
    (b"\x91" + ext(Tag.MAP, b"\x94\x01\x01\x01\x01"), "$[0][1]", "the same as another one"),
    (ext(Tag.SET, b"\x92\xa1a\xa1a"), "$[1]", "a key that is the same"),
]


@pytest.mark.parametrize(("body", "path", "reason"), DECODED_REFUSALS, ids=[row[2] for row in DECODED_REFUSALS])
@pytest.mark.parametrize("flag", [0, 1])
def test_values_of_the_guest_without_a_form(body: bytes, path: str, reason: str, flag: int) -> None:
    with pytest.raises(ConversionError, match=reason) as caught:
        codec().decode(bytes((flag,)) + body)

    assert caught.value.path == path


def test_sparse_arrays_have_undefined_holes() -> None:
    message = b"\0" + ext(Tag.SPARSE_ARRAY, b"\x04\x82\x01\xa1b\x03\x90")

    assert codec().decode(message) == [undefined, "b", undefined, []]


def test_endless_ranges_are_refused_at_once() -> None:
    with pytest.raises(ConversionError, match="the max_nodes limit"):
        codec().encode(range(10**15))


def test_repeated_large_values_are_refused_before_they_are_copied() -> None:
    large_text, large_bytes = "x" * (1 << 20), b"x" * (1 << 20)
    rows = [[large_text] * 1000, [large_bytes] * 1000, [{"k": large_text} for _ in range(1000)], {"a": {large_text: 1}}]

    tracemalloc.start()
    try:
        for row in rows[:3]:
            with pytest.raises(ConversionError, match="the message_bytes limit"):
                codec().encode(row)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 200 << 20
    assert len(codec().encode(rows[3])) > 1 << 20


def test_the_deepest_value_needs_no_python_stack() -> None:
    value: Any = 1
    for _ in range(500):
        value = [value]
    nested: Any = 1
    for _ in range(250):
        nested = JSMap([([], nested)])

    assert codec().encode(value) == b"\0" + b"\x91" * 500 + b"\x01"
    assert generally_encoded(value) == codec().encode(value)
    with pytest.raises(ConversionError, match="nested deeper"):
        codec().encode([value])
    result = round_trip(nested)
    for _ in range(250):
        (result,) = result.values()
    assert result == 1


# Hostile messages.

HOSTILE: dict[str, bytes] = {
    "nothing": b"",
    "no value": b"\0",
    "unknown flag": b"\x02\xc0",
    "all flags": b"\xff\xc0",
    "two values": b"\0\x01\x01",
    "unused code": b"\0\xc1",
    "short string": b"\0\xa5ab",
    "not UTF-8": b"\0\xa2\xff\xff",
    "truncated number": b"\0\xcb\0",
    "endless array": b"\0\xdd\xff\xff\xff\xff",
    "endless map": b"\0\xdf\xff\xff\xff\xff",
    "endless bin": b"\0\xc6\xff\xff\xff\xff",
    "endless string": b"\0\xdb\xff\xff\xff\xff",
    "endless extension": b"\0\xc9\xff\xff\xff\xff\x06",
    "nested endless arrays": b"\0" + b"\xdd\0\x10\0\0" * 400,
    "many nested endless arrays": b"\0" + b"\xdd\x01\0\0\0" * 100_000,
    "a million levels": b"\0" + b"\x91" * 1_000_000 + b"\xc0",
    "int key": b"\0\x81\x01\x01",
    "list key": b"\0\x81\x90\x01",
    "reference without flag": b"\0\x91\xd4\x03\0",
    "reference to the future": b"\x01\x91\xd4\x03\x05",
    "negative reference": b"\x01\x91\xd4\x03\xff",
    "reference to text": b"\x01\x91" + ext(Tag.REFERENCE, b"\xa1a"),
    "tag 0": b"\0\xd4\0\0",
    "tag 127": b"\0\xd4\x7f\0",
    "handle": b"\0\xd4\x1b\x01",
    "host function": b"\0" + ext(Tag.HOST_FUNCTION, packed([1, 0, "f", 0])),
    "undefined with payload": b"\0\xd4\x01\0",
    "date of text": b"\0" + ext(Tag.DATE, b"\xa1a"),
    "date with more": b"\0" + ext(Tag.DATE, b"\xcb" + bytes(9)),
    "regexp flags": b"\0" + ext(Tag.REGEXP, packed(["a", "zz"])),
    "regexp parts": b"\0" + ext(Tag.REGEXP, packed(["a"])),
    "regexp of a map": b"\0" + ext(Tag.REGEXP, packed({})),
    "map of a number": b"\0" + ext(Tag.MAP, b"\x01"),
    "half an entry": b"\0" + ext(Tag.MAP, b"\x91\x01"),
    "bytes after a set": b"\0" + ext(Tag.SET, b"\x90\x90"),
    "short error": b"\0" + ext(Tag.ERROR, packed(["Error", "", "", ""])),
    "error of numbers": b"\0" + ext(Tag.ERROR, packed([1, 2, 3, 4, 5, {}])),
    "error of lists": b"\0" + ext(Tag.ERROR, packed(["E", [], None, None, None, {}])),
    "error without properties": b"\0" + ext(Tag.ERROR, packed(["E", None, None, None, None, []])),
    "error with a text id": b"\0" + ext(Tag.ERROR, packed(["E", None, None, None, "x", {}])),
    "empty typed array": b"\0" + ext(Tag.TYPED_ARRAY, b""),
    "unknown element": b"\0" + ext(Tag.TYPED_ARRAY, b"\x7f\0"),
    "part of an element": b"\0" + ext(Tag.TYPED_ARRAY, b"\x0b\0"),
    "half a float16": b"\0" + ext(Tag.TYPED_ARRAY, b"\x09\0"),
    "function of text": b"\0" + ext(Tag.FUNCTION, packed(["a", "b"])),
    "function of nothing": b"\0" + ext(Tag.FUNCTION, b""),
    "sparse without length": b"\0" + ext(Tag.SPARSE_ARRAY, b"\xc0\x80"),
    "sparse with a long length": b"\0" + ext(Tag.SPARSE_ARRAY, b"\xcf" + b"\xff" * 8 + b"\x80"),
    "sparse with a length beyond the budget": b"\0" + ext(Tag.SPARSE_ARRAY, b"\xce\xff\xff\xff\xff\x81\x05\x01"),
    "sparse with more indexes than its length": b"\0" + ext(Tag.SPARSE_ARRAY, b"\x01\x82\0\x01\0\x01"),
    "sparse beyond its length": b"\0" + ext(Tag.SPARSE_ARRAY, b"\x01\x81\x01\x01"),
    "sparse with text keys": b"\0" + ext(Tag.SPARSE_ARRAY, b"\x01\x81\xa1a\x01"),
    "timestamp of the wrong size": b"\0\xd4\xff\0",
}


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_messages(message: bytes) -> None:
    with pytest.raises(GuestProtocolError):
        codec().decode(message)


@pytest.mark.parametrize("message", HOSTILE.values(), ids=HOSTILE)
def test_hostile_messages_that_claim_references(message: bytes) -> None:
    if message == b"\0\x91\xd4\x03\0":
        result = codec().decode(b"\x01" + message[1:])
        assert result[0] is result  # with the flag it is an array that holds itself
    elif message[:1] == b"\0":
        with pytest.raises(GuestProtocolError):
            codec().decode(b"\x01" + message[1:])


def test_messages_beyond_the_budgets() -> None:
    with pytest.raises(GuestProtocolError, match="message_bytes"):
        codec(message_bytes=10).decode(b"\0\xaa" + b"x" * 10)
    with pytest.raises(GuestProtocolError, match="max_nodes"):
        codec(max_nodes=100).decode(b"\0\xdc\x01\0" + b"\x90" * 256)
    with pytest.raises(GuestProtocolError, match="max_nodes"):
        codec(max_nodes=100).decode(b"\x01\xdc\x01\0" + b"\x90" * 256)
    assert len(codec(max_nodes=300).decode(b"\0\xdc\x01\0" + b"\x90" * 256)) == 256


@pytest.mark.parametrize("nested", [Tag.MAP, Tag.SET, Tag.ERROR], ids=lambda tag: tag.name)
def test_extensions_inside_extensions_need_no_c_stack(nested: Tag) -> None:
    body = b"\xc0"
    for _ in range(2_000):
        inner = {
            Tag.MAP: b"\x92\x01" + body,
            Tag.SET: b"\x91" + body,
            Tag.ERROR: b"\x96\xa1E\xc0\xc0\xc0\xc0\x81\xa5cause" + body,
        }[nested]
        body = b"\xc9" + len(inner).to_bytes(4, "big") + bytes((nested,)) + inner

    with pytest.raises(GuestProtocolError, match="nested too deeply"):
        codec().decode(b"\0" + body)


def decoded_or_refused(message: bytes) -> None:
    """Decode; anything raised but the two typed errors fails the test."""
    converter = codec(max_nodes=10_000)
    with suppress(ConversionError, GuestProtocolError):
        converter.decode(message)


@pytest.mark.parametrize(
    "message",
    [
        b"\0" + b"\xdd\0\x0f\0\0" * 1_000,
        b"\0" + b"\xdd\0\x01\0\0" * 200_000,
        b"\x01" + b"\xdd\0\0\xff\xff" * 200_000,
        b"\0" + b"\xde\xff\xff" * 300_000,
        b"\0\xdd\0\x06\x1a\x80" + b"\x90" * 400_000,
        b"\0" + ext(Tag.SPARSE_ARRAY, b"\xce\x00\x0f\x42\x00\x80"),
        b"\0\xdc\x03\xe8" + ext(Tag.SPARSE_ARRAY, b"\xcd\xff\xff\x80") * 1_000,
    ],
    ids=["arrays", "more arrays", "referenced arrays", "maps", "empty arrays", "one sparse", "many sparse"],
)
def test_memory_stays_in_proportion(message: bytes) -> None:
    converter = codec()
    tracemalloc.start()
    try:
        decoded_or_refused(message)
        with pytest.raises((ConversionError, GuestProtocolError)):
            converter.decode(message + b"\0")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < (64 << 20) + 80 * len(message)


_LONG = "x" * (40 << 20)


@pytest.mark.parametrize(
    "value",
    [_LONG, [_LONG], {"a": _LONG}, [[_LONG]], [1, {"a": _LONG}], ([_LONG],)],
    ids=["text", "list", "dict", "list in list", "dict in list", "tuple"],
)
def test_what_is_too_long_is_refused_before_it_is_encoded(value: object) -> None:
    converter = codec(message_bytes=1 << 20)
    tracemalloc.start()
    try:
        with pytest.raises(ConversionError, match="message_bytes"):
            converter.encode_many(value)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert peak < 4 << 20


@pytest.mark.parametrize("code", ["Map.groupBy('text', Object)", "new Set([1n, 2, Object(3), Object(1n)])"])
def test_objects_that_are_one_value_in_python_are_no_keys(code: str) -> None:
    """A String object is its text, so that a Map can have two of them, and a JSMap cannot."""
    with Sandbox() as box:
        with pytest.raises(ConversionError) as caught:
            box.eval(code)
        assert (caught.value.path, caught.value.reason) == ("$[3]", "a key that is the same as another one in Python")
        with pytest.raises(JSError) as thrown:
            box.eval(f"throw Object.assign(new Error(), {{value: {code}}})")
        assert len(thrown.value.properties["value"]) == 4
        assert box.eval("1 + 1") == 2
