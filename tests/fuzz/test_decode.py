"""The decoder against messages that no honest guest sends: arbitrary bytes, and real messages damaged in every way.

It may raise its two errors and nothing else, its two ways must agree, and what it makes on the way is bounded.
"""

from __future__ import annotations

import random
import tracemalloc
from array import array
from contextlib import suppress
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from sandbox._codec import Codec
from sandbox.errors import ConversionError, GuestProtocolError
from sandbox.limits import Limits
from tests.bare_guest import Bare
from tests.fake_owner import Owner, generally_decoded, generally_encoded
from tests.shapes import shape

GRAPHS = Path(__file__).parents[1] / "guest" / "graphs.js"
MAX_NODES = 10_000
LIMITS = Limits(max_nodes=MAX_NODES, message_bytes=1 << 20)
CODEC = Codec(Owner(), LIMITS)
# What decoding may hold at its peak, in bytes: an Error of a dozen bytes is an exception with attributes and a dict.
BYTES_EACH_BYTE = 250
BYTES_EACH_NODE = 64
BYTES_ANYWAY = 32 << 10


# What is read past msgpack.
LONG = [
    generally_encoded(value)
    for value in (
        b"x" * 5_000,
        "\u00e9" * 4_000,
        array("h", [7]) * 3_000,
        ["to", 1, None, b"y" * 5_000, "z" * 70_000],
    )
]


@cache
def corpus() -> list[bytes]:
    """Messages that a real guest sent, of every kind it has."""
    messages: list[bytes] = []
    with Bare() as bare:
        bare.eval(GRAPHS.read_text("utf-8"))
        decode = bare.guest._codec.decode

        def record(message: bytes | bytearray | memoryview) -> Any:
            messages.append(bytes(message))
            return decode(message)

        bare.guest._codec.decode = record  # type: ignore[method-assign]
        for seed in range(120):
            bare.value(f"make({seed})")
    return sorted(set(messages), key=len)[:100] + LONG


HEADS = bytes((0x00, 0x7F, 0x80, 0x81, 0x8F, 0x90, 0x91, 0x9F, 0xA0, 0xA1, 0xBF, *range(0xC0, 0x100)))


def damaged(rng: random.Random, message: bytes) -> bytes:
    """A message with a few of its bytes changed, lost, repeated or taken from another one."""
    data = bytearray(message)
    for _ in range(rng.randint(1, 4)):
        at = rng.randrange(len(data) + 1)
        match rng.randrange(8):
            case 0:
                data[at : at + 1] = bytes((rng.randrange(256),))
            case 1:
                data[at : at + 1] = bytes((rng.choice(HEADS),))
            case 2:
                del data[at : at + rng.randint(1, 8)]
            case 3:
                data[at:at] = data[at : at + rng.randint(1, 64)] * rng.randint(1, 4)
            case 4:
                other = rng.choice(corpus())
                data[at : at + rng.randint(0, 8)] = other[rng.randrange(len(other)) :][: rng.randint(1, 64)]
            case 5:
                data[at : at + 4] = rng.choice([b"\xff\xff\xff\xff", b"\0\0\0\0", b"\x7f\xff\xff\xff", b"\0\1\0\0"])
            case 6:
                data[at:at] = bytes((0xC7, min(255, len(data) - at), rng.randrange(32)))
            case _:
                data[:1] = bytes((rng.randrange(3),))
    return bytes(data)


def arbitrary(rng: random.Random) -> bytes:
    size = rng.choice([4, 16, 64, 600, 5000])
    return bytes((rng.randrange(2),)) + bytes(
        rng.choice(HEADS) if rng.random() < 0.5 else rng.randrange(256) for _ in range(size)
    )


def decoded(message: bytes) -> tuple[bool, Any]:
    """Whether there is a value, and the value or the error."""
    try:
        return True, CODEC.decode(message)
    except (ConversionError, GuestProtocolError) as error:
        return False, error


def messages(seed: int, count: int) -> list[bytes]:
    rng = random.Random(seed)
    kinds = [corpus()] * 8 + [LONG]
    return [arbitrary(rng) if rng.random() < 0.2 else damaged(rng, rng.choice(rng.choice(kinds))) for _ in range(count)]


def test_the_corpus_is_valid() -> None:
    assert len(corpus()) == 104
    for message in corpus():
        assert decoded(message)[0], message


@pytest.mark.parametrize("seed", range(8))
def test_messages_are_decoded_or_refused(seed: int) -> None:
    values = 0
    for message in messages(seed, 1_000):
        has_value, value = decoded(message)
        values += has_value
        if message[:1] == b"\0":
            check_agreement(message, has_value, value)
        with suppress(GuestProtocolError):  # what is thrown is read past all refusals
            CODEC.decode_thrown(message)
    assert 20 < values < 900


def check_agreement(message: bytes, has_value: bool, value: Any) -> None:
    """The quick way and the general one say the same."""
    try:
        other = generally_decoded(message)
    except (ConversionError, GuestProtocolError) as error:
        # msgpack's own timestamps, type 255, become mere numbers on the quick way; no guest sends them.
        assert not has_value or any(text in str(error) for text in ("max_nodes", "type 255")), (message, error)
    else:
        assert has_value, (message, value)
        assert shape(value) == shape(other), message


@pytest.mark.parametrize("seed", range(100, 102))
def test_memory_stays_in_proportion(seed: int) -> None:
    wanted = messages(seed, 400)

    def peak_bytes(message: bytes) -> int:
        before = tracemalloc.get_traced_memory()[0]
        tracemalloc.reset_peak()
        outcome = decoded(message)
        used = tracemalloc.get_traced_memory()[1] - before
        del outcome
        return used

    tracemalloc.start()
    try:
        for message in wanted:
            # The first time a key may be one too many for Python's own table of such texts, which grows by megabytes.
            used = min(peak_bytes(message), peak_bytes(message))
            assert used < BYTES_ANYWAY + BYTES_EACH_BYTE * len(message) + BYTES_EACH_NODE * MAX_NODES, message
    finally:
        tracemalloc.stop()
