"""Long strings and buffers of the guest, which are read past msgpack."""

from __future__ import annotations

import tracemalloc
from array import array

import pytest

from sandbox import Sandbox
from sandbox._abi import Element, Tag
from sandbox._blobs import Other, read
from sandbox.errors import GuestProtocolError
from tests.fake_owner import codec, ext, generally_decoded, generally_encoded
from tests.shapes import shape

BLOBS: list[object] = [
    b"x" * 5_000,
    "x" * 70_000,
    "\u00e9\ud800" * 20_000,
    array("d", [0.5]) * 1_000,
    ["path", b"x" * 5_000],
    [0, 127, None, True, False, "", "x" * 31, "x" * 70_000, array("f", [0.5]) * 2_000],
]


@pytest.mark.parametrize("value", BLOBS, ids=lambda value: repr(value)[:30])
def test_they_are_read_as_the_general_way_reads_them(value: object) -> None:
    message = generally_encoded(value)

    assert shape(read(memoryview(message)[1:])) == shape(generally_decoded(message))
    assert shape(codec().decode(message)) == shape(generally_decoded(message))


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\x80",
        b"\xc6\0\0\0",
        b"\xc6\0\0\0\2x",
        b"\xc6\0\0\0\1xx",
        b"\xdb\xff\xff\xff\xffx",
        b"\x91",
        b"\x91\x91\x01",
        b"\x92\xa1a",
        b"\xc9\0\0\0\1" + bytes((Tag.DATE,)) + b"x",
        ext(Tag.BIGINT, b"x"),
    ],
)
def test_everything_else_is_left_to_others(body: bytes) -> None:
    with pytest.raises(Other):
        read(memoryview(body))


@pytest.mark.parametrize(
    "body",
    [
        b"\xdb\0\0\0\1\xff",
        ext(Tag.TYPED_ARRAY, b""),
        ext(Tag.TYPED_ARRAY, bytes((Element.INT16, 0))),
    ],
)
def test_malformed_ones_are_refused(body: bytes) -> None:
    with pytest.raises(GuestProtocolError, match="malformed"):
        read(memoryview(body))


@pytest.mark.parametrize("code", ["data", "take('name', data)", "take(text)"])
def test_they_are_copied_once(code: str) -> None:
    size = 4 << 20
    with Sandbox(functions={"take": lambda *arguments: arguments and None}) as box:
        box.eval(f"const data = new Uint8Array({size}), text = 'x'.repeat({size})")
        box.eval(code)
        tracemalloc.start()
        try:
            result = box.eval(code)
            peak = tracemalloc.get_traced_memory()[1]
        finally:
            tracemalloc.stop()

    assert result is None or len(result) == size
    assert size <= peak < 1.2 * size


def test_a_value_does_not_refer_to_the_guest() -> None:
    with Sandbox() as box:
        value = box.eval("const data = new Uint8Array(100_000).fill(1); data")
        box.eval("data.fill(2); data")
        numbers = box.eval("new Float64Array(10_000).fill(1)")
        box.eval("new Float64Array(10_000).fill(2)")

    assert value == b"\1" * 100_000
    assert numbers.tolist() == [1.0] * 10_000
