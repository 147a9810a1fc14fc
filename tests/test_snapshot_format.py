"""Snapshots as bytes: the layout that ARCHITECTURE.md promises, and all that is wrong with other bytes."""

from __future__ import annotations

import hashlib
import struct
import tracemalloc
import zlib
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import msgpack
import pytest

from sandbox import Limits, Sandbox, Snapshot, _snapshot_format, _store
from sandbox._snapshot_format import CHUNK_BYTES, Packed
from sandbox.errors import (
    MemoryLimitExceeded,
    SnapshotCorrupt,
    SnapshotError,
    SnapshotMismatch,
    SnapshotUntrusted,
)

KEY = b"a key of sixteen bytes and more"


async def _ask(*_arguments: object) -> None:
    raise NotImplementedError


def _taken() -> Snapshot:
    with Sandbox(functions={"ask": _ask}, seed=1) as box:
        box.eval("globalThis.n = 41; ask({a: [1]}, () => n); setTimeout(() => 0, 1e6); 0")
        return box.snapshot()


@pytest.fixture(scope="module")
def packed() -> Packed:
    return _snapshot_format.read(_taken().to_bytes(), None)


def _restore(data: bytes, **options: Any) -> None:
    async def ask(*_arguments: object) -> None:
        return None

    with Sandbox.restore(
        Snapshot.from_bytes(data), functions={"ask": ask}, limits=Limits(cpu_seconds=0.5), **options
    ) as life:
        assert life.eval("n + 1") == 42


@pytest.fixture
def stays_small() -> Iterator[None]:
    """What is refused is refused before memory is taken for it."""
    tracemalloc.start()
    yield
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 32 << 20


def test_the_layout() -> None:
    """Read with nothing but the description in ARCHITECTURE.md."""
    with Sandbox() as box:
        box.eval("globalThis.a = Array.from({length: 200000}, (_, i) => 'row ' + i); 0")
        snapshot = box.snapshot()
        instance = box._driver.guest.instance
        memory = bytes(instance._memory[: instance.memory_bytes()])
        image = instance.image
    data = snapshot.to_bytes(key=KEY)
    assert data[:8] == b"\x89SBX\r\n\x1a\n"
    version, flags, abi, sha256, memory_bytes, page, runs, state_bytes, chunks, rest = struct.unpack(
        "<HHI32sQIIQII", data[8:80]
    )
    assert (version, flags, abi, sha256.hex(), page, rest) == (1, 1, 1, image.sha256, 4096, 0)
    assert memory_bytes == len(memory)
    at = 80 + state_bytes
    state = msgpack.unpackb(data[80:at])
    assert sorted(state) == ["host", "sealed"]
    places = [struct.unpack_from("<II", data, at + 8 * index) for index in range(runs)]
    at += 8 * runs
    sizes = [struct.unpack_from("<II", data, at + 8 * index) for index in range(chunks)]
    at += 8 * chunks
    assert chunks > 1
    pages = b""
    for size, length in sizes:
        pages += zlib.decompress(data[at : at + length])
        at += length
        assert len(pages) % CHUNK_BYTES == size % CHUNK_BYTES
    assert data[at : at + 32] == hashlib.sha256(data[:at]).digest()
    assert len(data) == at + 64
    store = _store.Store(image, 64 << 20)
    rebuilt = bytearray(store.memory[: store.memory_bytes()]).ljust(memory_bytes, b"\0")
    store.delete()
    position = 0
    for first, count in places:
        begin, size = first * 4096, count * 4096
        changed = int.from_bytes(rebuilt[begin : begin + size]) ^ int.from_bytes(pages[position : position + size])
        rebuilt[begin : begin + size] = changed.to_bytes(size)
        position += size
    assert position == len(pages)
    assert bytes(rebuilt) == memory


def test_writing_is_deterministic() -> None:
    snapshot = _taken()
    assert snapshot.to_bytes() == snapshot.to_bytes() == Snapshot.from_bytes(snapshot.to_bytes()).to_bytes()


def test_cut_off() -> None:
    for data in (_taken().to_bytes(), _taken().to_bytes(key=KEY)):
        lengths = {*range(200), *range(200, len(data), 97), len(data) - 1, len(data) - 32, len(data) - 33}
        for length in lengths:
            with pytest.raises(SnapshotError):
                Snapshot.from_bytes(data[:length])
            with pytest.raises(SnapshotError):
                Snapshot.from_bytes(data[:length], key=KEY)
        with pytest.raises(SnapshotCorrupt):
            Snapshot.from_bytes(data + b"\0")


def test_flipped_bits() -> None:
    data = _taken().to_bytes()
    for place in {*range(400), *range(400, len(data), 41), *range(len(data) - 40, len(data))}:
        changed = bytearray(data)
        changed[place] ^= 1 << place % 8
        with pytest.raises(SnapshotError):
            Snapshot.from_bytes(changed)
    signed = _taken().to_bytes(key=KEY)
    for place in {*range(400), *range(400, len(signed), 83)}:
        changed = bytearray(signed)
        changed[place] ^= 1 << place % 8
        with pytest.raises(SnapshotError):
            Snapshot.from_bytes(changed, key=KEY)


def _resealed(data: bytes, place: int, form: str, value: int) -> bytes:
    """With another number in the header, and the right checksum."""
    changed = bytearray(data[:-32])
    struct.pack_into(form, changed, place, value)
    return bytes(changed) + hashlib.sha256(changed).digest()


HEADERS = {
    "another format": (8, "<H", 2, SnapshotMismatch, "has format 2, this package reads 1"),
    "an unknown flag": (10, "<H", 2, SnapshotCorrupt, "."),
    "signed, without a signature": (10, "<H", 1, SnapshotCorrupt, "."),
    "another ABI": (12, "<I", 9, SnapshotMismatch, "speaks ABI 9"),
    "no memory": (48, "<Q", 0, SnapshotCorrupt, "impossible memory"),
    "half a page of memory": (48, "<Q", (4 << 20) + 1, SnapshotCorrupt, "impossible memory"),
    "more than all memory": (48, "<Q", 1 << 40, SnapshotCorrupt, "impossible memory"),
    "other pages": (56, "<I", 16384, SnapshotCorrupt, "impossible memory"),
    "very many runs": (60, "<I", 0xFFFFFFFF, SnapshotCorrupt, "."),
    "no runs": (60, "<I", 0, SnapshotCorrupt, "."),
    "a huge state": (64, "<Q", 1 << 62, SnapshotCorrupt, "."),
    "no state": (64, "<Q", 0, SnapshotCorrupt, "."),
    "very many chunks": (72, "<I", 0xFFFFFFFF, SnapshotCorrupt, "."),
    "no chunks": (72, "<I", 0, SnapshotCorrupt, "."),
    "something in the gap": (76, "<I", 1, SnapshotCorrupt, "."),
}


@pytest.mark.usefixtures("stays_small")
@pytest.mark.parametrize("place, form, value, error, text", HEADERS.values(), ids=HEADERS)
def test_headers_that_lie(place: int, form: str, value: int, error: type[SnapshotError], text: str) -> None:
    with pytest.raises(error, match=text):
        Snapshot.from_bytes(_resealed(_taken().to_bytes(), place, form, value))


def test_another_image(packed: Packed) -> None:
    data = _snapshot_format.write(replace(packed, image=bytes(32)), None)
    with pytest.raises(SnapshotMismatch, match="another build of the guest"):
        _restore(data)


def _bomb() -> bytes:
    stream = zlib.compressobj(9)
    return b"".join([*(stream.compress(bytes(1 << 20)) for _ in range(512)), stream.flush()])


def _run_of(packed: Packed, *runs: tuple[int, int], chunk: bytes | None = None, size: int | None = None) -> Packed:
    pages = sum(count for _, count in runs) * 4096
    data = zlib.compress(bytes(pages)) if chunk is None else chunk
    return replace(packed, runs=runs, chunks=[(pages if size is None else size, data)])


PAGES: dict[str, tuple[Callable[[Packed], Packed], str]] = {
    "that are no zlib stream": (lambda p: _run_of(p, (0, 1), chunk=b"nonsense"), "cannot be decompressed"),
    "that end too early": (lambda p: _run_of(p, (0, 2), chunk=zlib.compress(bytes(4096))), "cannot be decompressed"),
    "that go on": (lambda p: _run_of(p, (0, 1), chunk=zlib.compress(bytes(8192))), "cannot be decompressed"),
    "that explode": (lambda p: _run_of(p, (0, 1), chunk=_bomb()), "cannot be decompressed"),
    "outside the memory": (lambda p: _run_of(p, (p.memory_bytes // 4096, 1)), "outside its memory"),
    "far outside": (lambda p: _run_of(p, (0xFFFFFFFF, 1)), "outside its memory"),
    "out of order": (lambda p: _run_of(p, (5, 1), (4, 1)), "outside its memory"),
    "twice": (lambda p: _run_of(p, (4, 2), (5, 1)), "outside its memory"),
    "in a run of none": (lambda p: _run_of(p, (4, 0)), "outside its memory"),
    "fewer than there are": (lambda p: _run_of(p, (4, 2), size=4096), "more or fewer pages"),
    "in a huge chunk": (
        lambda p: _run_of(p, (0, 1025), chunk=zlib.compress(bytes(1025 * 4096))),
        "impossible pages",
    ),
}


@pytest.mark.usefixtures("stays_small")
@pytest.mark.parametrize("change, text", PAGES.values(), ids=PAGES)
def test_pages(packed: Packed, change: Callable[[Packed], Packed], text: str) -> None:
    with pytest.raises(SnapshotCorrupt, match=text):
        _restore(_snapshot_format.write(change(packed), None))


@pytest.mark.usefixtures("stays_small")
def test_a_bomb_within_the_format_is_bounded_by_the_memory_limit(packed: Packed) -> None:
    count = (1 << 30) // CHUNK_BYTES
    chunks = [(CHUNK_BYTES, zlib.compress(bytes(CHUNK_BYTES)))] * count
    pages = count * CHUNK_BYTES // 4096
    data = _snapshot_format.write(replace(packed, memory_bytes=1 << 30, runs=[(0, pages)], chunks=chunks), None)
    assert len(data) < 3 << 20
    with pytest.raises(MemoryLimitExceeded):
        _restore(data)


def test_less_memory_than_a_guest_has(packed: Packed) -> None:
    with pytest.raises(SnapshotCorrupt, match="less memory than a guest"):
        _restore(_snapshot_format.write(replace(packed, memory_bytes=1 << 16, runs=(), chunks=()), None))


def _state(packed: Packed, **changes: object) -> bytes:
    host = {**packed.state["host"], **changes}
    return _snapshot_format.write(replace(packed, state={**packed.state, "host": host}), None)


ODD: list[tuple[str, object]] = [
    ("clock", 2),
    ("clock", "real"),
    ("now_ms", float("nan")),
    ("now_ms", -1.0),
    ("now_ms", float("inf")),
    ("now_ms", True),
    ("resolution_ms", 1 << 40),
    ("locale", 5),
    ("locale", "../../etc/passwd"),
    ("time_zone", None),
    ("time_zone", "../../etc/passwd"),
    ("is_seeded", 1),
    ("last_run", -1),
    ("last_run", 1 << 40),
    ("runs", [0]),
    ("runs", [1, 1]),
    ("runs", "1"),
    ("abandoned", [1.5]),
    ("next_op", 3),
    ("next_exception", 0),
    ("next_request", 0),
    ("names", [b"n"]),
    ("handles", [-1]),
    ("handles", [[]]),
    ("operations", [[256, "ask", "ask", 1, 1]]),
    ("operations", [[5, "ask", "ask", 1, 1, 0]]),
    ("operations", [[256, "ask", "ask", 7, 1, 0]]),
    ("operations", [[256, "ask", "ask", 1, 0, 0]]),
    ("operations", [[256, "ask", "ask", 1, 1, 0]] * 2),
    ("operations", {"256": "ask"}),
    ("requests", [[1, 256, "ask", None, b"", None, 0]]),
    ("requests", [[1, 256, "ask", None, b"\0\xc1", None, 0]]),
    ("requests", [[1, 256, "ask", None, b"\0\x01", None, 0]]),
    ("requests", [[1, 256, "ask", None, b"\0\xdd\xff\xff\xff\xff", None, 0]]),
    ("requests", [[1, 24, "timers.sleep", float("nan"), None, None, 0]]),
    ("requests", [[1, 24, "timers.sleep", "soon", None, None, 0]]),
    ("requests", [[1, 256, "ask", None, None, b"\0\x01", 9]]),
    ("requests", [[1 << 31, 256, "ask", None, b"\0\x90", None, 0]]),
    ("requests", [[5, 0, "awaitable", None, None, None, 0]]),
    ("capabilities", []),
    ("capabilities", {"fetch": "many"}),
    ("capabilities", {"fetch": -1, "modules": 0}),
    ("capabilities", {"random": b"short"}),
    ("capabilities", {"random": b"\xff" * 2500}),
    ("capabilities", {"crypto": [1, 2, 3]}),
    ("capabilities", {"console": 1}),
]


@pytest.mark.parametrize("name, value", ODD, ids=[f"{name}-{index}" for index, (name, _) in enumerate(ODD)])
def test_states_that_are_none(packed: Packed, name: str, value: object) -> None:
    with pytest.raises(SnapshotError):
        _restore(_state(packed, **{name: value}))


STATES: dict[str, object] = {
    "nothing": None,
    "other parts": {"host": {}, "sealed": None, "more": 1},
    "an empty half": {"host": {}, "sealed": None},
    "a list": [1, 2],
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_states_of_another_shape(packed: Packed, state: object) -> None:
    with pytest.raises(SnapshotCorrupt, match="other parts"):
        Snapshot.from_bytes(_snapshot_format.write(replace(packed, state=state), None))


@pytest.mark.parametrize("state", [b"\xc1", b"\xdd\xff\xff\xff\xff", b"\x91" * 100_000, b"", b"\x01\x02"])
def test_states_that_are_no_msgpack(packed: Packed, state: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(msgpack, "packb", lambda *_arguments, **_options: state)
    data = _snapshot_format.write(packed, None)
    monkeypatch.undo()
    with pytest.raises(SnapshotCorrupt):
        Snapshot.from_bytes(data)


def test_odd_but_possible(packed: Packed) -> None:
    """What a guest that owns its engine may have brought about works, or fails in the guest."""
    rows = packed.state["host"]["requests"]
    for requests in (
        [],
        [*rows, [77, 256, "ask", None, b"\0\x90", None, 0]],
        [*rows, [78, 24, "timers.sleep", 5.0, None, None, 0], [79, 24, "timers.sleep", float("inf"), None, None, 0]],
        [*rows, [80, 9999, "?", None, b"\0\x90", None, 0], [1 << 31, 0, "awaitable", None, None, None, 0]],
        [*rows, [81, 48, "fetch.send", None, b"\0\x90", None, 0], [82, 41, "?", None, None, None, 0]],
        [*rows, [83, 256, "ask", None, b"\0\x90", b"\0\x01", 0]],
    ):
        _restore(_state(packed, requests=requests))


def test_secrets_that_are_none(packed: Packed) -> None:
    for sealed in (5, b"", b"x" * 15, b"x" * 40):
        data = _snapshot_format.write(replace(packed, state={**packed.state, "sealed": sealed}), KEY)
        with pytest.raises(SnapshotCorrupt, match=r"secrets|state cannot be read"):
            Snapshot.from_bytes(data, key=KEY)
        assert Snapshot.from_bytes(data).runs == ()


def test_seals() -> None:
    for secrets in ({}, {"crypto": b"s" * 32}, {"a": b"x" * 1000}):
        sealed = _snapshot_format.seal(secrets, KEY)
        assert _snapshot_format.unseal(sealed, KEY) == secrets
        assert sealed != _snapshot_format.seal(secrets, KEY)
        assert b"s" * 8 not in sealed


def test_only_signed_ones_pass_with_a_key() -> None:
    data = _taken().to_bytes()
    forged = bytearray(data)
    struct.pack_into("<H", forged, 10, 1)
    with pytest.raises(SnapshotUntrusted):
        Snapshot.from_bytes(bytes(forged) + bytes(32), key=KEY)
