"""Files that are cut off, damaged or made up: a typed error, and nothing else happens."""

from __future__ import annotations

import random
import resource
import zlib
from pathlib import Path
from typing import Any, Final

import msgpack
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import sandbox
from sandbox import Replayed, Sandbox
from sandbox._replay.entries import Entry, Kind, TimesReader, TimesWriter
from sandbox._replay.files import _HEAD, MAGIC, RecordWriter, read
from sandbox.errors import RecordError, RecordTruncated
from tests.replay.tamper import entries, write

_SEED: Final = 5
_FLIPS: Final = 120
_SWAPS: Final = 80


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A record with all kinds of entries."""
    path = tmp_path_factory.mktemp("records") / "x.record"
    with Sandbox(functions={"add": lambda a, b: a + b}, on_limit="rollback", record=path) as box:
        box.eval(
            "console.log('x'.repeat(500)); let n = 0; for (let i = 0; i < 30; i++) n = add(n, i); setTimeout(() => n++)"
        )
        box.run_until_idle()
        with pytest.raises(sandbox.SandboxError):
            box.eval("for (;;) n++", fuel=5_000_000)
        box.eval("n")
    return path


def outcome(path: Path) -> Replayed | RecordError:
    """What comes of a record: what it replays to, or a typed error; anything else is a failure."""
    try:
        record = sandbox.replay(path)
        listed = sum(1 for _ in record.events())
        replayed = record.run()
    except RecordError as error:
        assert str(error)
        return error
    assert replayed.events == listed
    return replayed


def test_the_record_itself(path: Path) -> None:
    replayed = outcome(path)
    assert isinstance(replayed, Replayed)
    assert replayed.results[-1] == 436
    assert {Kind.COPY, Kind.RESTORE, Kind.TRAP} <= {entry.kind for entry in entries(path)}


def test_cut_off_anywhere(path: Path, tmp_path: Path) -> None:
    """What comes before is replayed; the error says that this is not all."""
    data, cut = path.read_bytes(), tmp_path / "cut.record"
    beginnings = 0
    for length in [*range(0, 200, 7), *range(200, len(data), len(data) // 60)]:
        cut.write_bytes(data[:length])
        error = outcome(cut)
        assert isinstance(error, RecordTruncated if length >= len(MAGIC) else RecordError), (length, error)
        beginnings += len(entries(cut)) > 0 if length >= len(MAGIC) else 0
    assert beginnings > 40


@pytest.mark.parametrize("data", [b"", b"x", MAGIC[:-1], b"\0" * 1000, b"MZ" * 50, b'{"a": 1}'], ids=range(6))
def test_no_record_at_all(data: bytes, tmp_path: Path) -> None:
    (tmp_path / "x").write_bytes(data)
    with pytest.raises(RecordError, match="no record of a sandbox"):
        sandbox.replay(tmp_path / "x")


def test_bits_that_have_flipped(path: Path, tmp_path: Path) -> None:
    """Every one is noticed, wherever it is."""
    data, flipped = bytearray(path.read_bytes()), tmp_path / "flipped.record"
    numbers = random.Random(_SEED)
    for _ in range(_FLIPS):
        at, bit = numbers.randrange(len(data)), 1 << numbers.randrange(8)
        data[at] ^= bit
        flipped.write_bytes(data)
        data[at] ^= bit
        assert isinstance(outcome(flipped), RecordError)


def test_chunks_that_are_missing_or_swapped(path: Path, tmp_path: Path) -> None:
    data = path.read_bytes()[len(MAGIC) :]
    chunks = []
    while data:
        length = _HEAD.size + _HEAD.unpack_from(data)[0]
        chunks.append(data[:length])
        data = data[length:]
    assert len(chunks) > 5
    changed = tmp_path / "x.record"
    for index in range(len(chunks) - 1):
        for order in (
            chunks[:index] + chunks[index + 1 :],
            [*chunks[:index], *chunks[index : index + 2][::-1], *chunks[index + 2 :]],
        ):
            changed.write_bytes(MAGIC + b"".join(order))
            with pytest.raises(RecordError, match="damaged"):
                list(read(changed))


def test_what_follows_the_end(path: Path, tmp_path: Path) -> None:
    (tmp_path / "x.record").write_bytes(path.read_bytes() + b"x")
    with pytest.raises(RecordError, match="after the end"):
        sandbox.replay(tmp_path / "x.record").run()


def test_entries_in_another_order(path: Path, tmp_path: Path) -> None:
    """With checksums that are right: whatever the guest is told, it stays inside its instance, and it ends."""
    numbers, before = random.Random(_SEED), entries(path)
    kinds: set[str] = set()
    for _ in range(_SWAPS):
        changed = before.copy()
        for _ in range(numbers.choice([1, 1, 2, 5])):
            one, other = numbers.randrange(1, len(changed)), numbers.randrange(1, len(changed))
            match numbers.randrange(3):
                case 0:
                    changed[one], changed[other] = changed[other], changed[one]
                case 1:
                    changed.insert(one, changed[other])
                case _:
                    del changed[one]
        kinds.add(type(outcome(write(tmp_path / "x.record", changed))).__name__)
    assert "ReplayDiverged" in kinds
    assert kinds <= {"ReplayDiverged", "RecordError", "RecordTruncated", "Replayed"}


def test_values_that_are_others(path: Path, tmp_path: Path) -> None:
    """Likewise with numbers and bytes changed at random."""
    numbers, before = random.Random(_SEED), entries(path)
    for _ in range(_SWAPS):
        changed = before.copy()
        index = numbers.randrange(1, len(changed))
        entry = changed[index]
        changed[index] = Entry(entry.kind, entry.times, tuple(_other(value, numbers) for value in entry.values))
        outcome(write(tmp_path / "x.record", changed))
    with Sandbox() as box:
        assert box.eval("1 + 1") == 2


def _other(value: Any, numbers: random.Random) -> Any:
    match value:
        case bytes() if value:
            at = numbers.randrange(len(value))
            return value[:at] + bytes([numbers.randrange(256)]) + value[at + numbers.randrange(2) :]
        case int():
            return numbers.choice(
                [0, 1, value + 1, max(value - 1, 0), value * 2, 1 << 31, (1 << 32) - 1, (1 << 64) - 1]
            )
        case str():
            return numbers.choice(["eval", "start", "collect", "boot", "", value])
    return value


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    items=st.lists(
        st.one_of(
            st.binary(max_size=30),
            st.recursive(
                st.none()
                | st.booleans()
                | st.integers(-(1 << 63), (1 << 64) - 1)
                | st.floats()
                | st.binary(max_size=20)
                | st.text(max_size=10),
                lambda inner: st.lists(inner, max_size=5) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
                max_leaves=12,
            ).map(msgpack.packb),
        ),
        max_size=8,
    )
)
def test_made_up_contents(items: list[bytes], path: Path, tmp_path: Path) -> None:
    """Chunks that are right and hold anything."""
    made, checksum, data = tmp_path / "made.record", 0, MAGIC
    head = msgpack.packb((Kind.HEAD, b"", entries(path)[0].values[0]))
    for item in [head, *items]:
        if item:
            checksum = zlib.crc32(item, checksum)
            data += _HEAD.pack(len(item), len(item), checksum) + item
    made.write_bytes(data)
    assert isinstance(outcome(made), RecordError)


@pytest.mark.parametrize(
    ("length", "full", "packed"),
    [
        (0, 0, b""),
        (5, 4, b"abcde"),
        (10, 1 << 21, b"x" * 10),
        (11, 20, zlib.compress(b"abc")),
        (len(zlib.compress(bytes(1 << 20))), 1 << 10, zlib.compress(bytes(1 << 20))),
        (4, 1000, b"junk"),
        (1 << 31, (1 << 32) - 1, b""),
    ],
    ids=["empty", "shrinks", "large", "short", "bomb", "junk", "huge"],
)
def test_made_up_chunks(length: int, full: int, packed: bytes, tmp_path: Path) -> None:
    made = tmp_path / "made.record"
    made.write_bytes(MAGIC + _HEAD.pack(length, full, zlib.crc32(packed)) + packed)
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    with pytest.raises(RecordError):
        sandbox.replay(made)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200_000


@given(told=st.lists(st.tuples(st.integers(0, 1), st.integers(0, (1 << 62) - 1)), max_size=40))
def test_times(told: list[tuple[int, int]]) -> None:
    """They come out as they went in, also where the clock was set back."""
    told = [(clock, now // 1000 * 1000 if clock else now) for clock, now in told]
    writer = TimesWriter()
    for clock, now in told:
        writer.add(clock, now)
    assert list(TimesReader().read(writer.take())) == told
    assert writer.take() == b""


@pytest.mark.parametrize("told", [b"\x80", b"\xff" * 11, b"\x01\x80"])
def test_times_that_are_none(told: bytes) -> None:
    with pytest.raises(RecordError, match="time"):
        list(TimesReader().read(told))


def test_times_alone_are_written_too(tmp_path: Path) -> None:
    """A guest that only reads the clock fills no memory of the host."""
    writer = RecordWriter(tmp_path / "x.record", 1 << 20)
    for number in range(20_000):
        writer.add_time(1, number * 10_000)
        assert len(writer._buffer) < 1 << 17
        assert len(writer._times.pending) <= 1 << 13
    writer.close()
    writer.close()
    writer.add(Kind.INTERRUPT)
    writer.flush()
    assert not writer.is_open
