"""Snapshots as bytes. Nothing here knows what is in them; ARCHITECTURE.md has the layout, for other languages.

Reading allocates nothing before the checksum has been compared, and never more than the header says there is.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
import zlib
from collections.abc import Callable, Iterable, Sequence
from itertools import count
from typing import Any, Final

import msgpack

from sandbox import _abi
from sandbox._records import record
from sandbox.errors import SnapshotCorrupt, SnapshotMismatch, SnapshotUntrusted

MAGIC: Final = b"\x89SBX\r\n\x1a\n"
FORMAT: Final = 1
PAGE_BYTES: Final = 4096
CHUNK_BYTES: Final = 4 << 20
# The fastest: on heaps of programs the next levels take up to five times as long for a result of the same size.
_LEVEL: Final = 1
_SIGNED: Final = 1
_HEADER: Final = struct.Struct("<8sHHI32sQIIQII")
_PAIR: Final = struct.Struct("<II")
_DIGEST_BYTES: Final = 32
_NONCE_BYTES: Final = 16
_HALF_PAIRS: Final = "surrogatepass"  # names are texts of JavaScript, which may end in the middle of a character
_WASM_PAGE_BYTES: Final = 1 << 16

Map = Callable[[Callable[[Any], Any], Sequence[Any]], Iterable[Any]]


@record(frozen=True, slots=True)
class Packed:
    """What the bytes hold, still compressed.

    Attributes:
        image: SHA-256 of the guest.
        memory_bytes: Size of its memory.
        state: Plain data.
        runs: First page and number of pages of each run that differs from the image's initial memory.
        chunks: These pages one after another, each byte XORed with the image's: size and zlib stream of each piece.
    """

    image: bytes
    memory_bytes: int
    state: Any
    runs: Sequence[tuple[int, int]]
    chunks: Sequence[tuple[int, bytes]]


def compress(chunk: bytes) -> tuple[int, bytes]:
    """One piece of pages."""
    return len(chunk), zlib.compress(chunk, _LEVEL)


def decompress(chunk: tuple[int, bytes]) -> bytes:
    """Undo it; never more bytes than it says there are.

    Raises:
        SnapshotCorrupt: It does not hold these.
    """
    size, data = chunk
    stream = zlib.decompressobj()
    try:
        pages = stream.decompress(data, size)
        if len(pages) == size and (stream.eof or not stream.decompress(stream.unconsumed_tail, 1)) and stream.eof:
            return pages
    except zlib.error:
        pass
    raise SnapshotCorrupt("its pages cannot be decompressed")


def write(packed: Packed, key: bytes | None) -> bytes:
    """The bytes.

    Args:
        packed: What they are to hold.
        key: Signs them; None: they are not signed.
    """
    state = _packed(packed.state)
    header = _HEADER.pack(
        MAGIC, FORMAT, _SIGNED if key is not None else 0, _abi.VERSION, packed.image, packed.memory_bytes, PAGE_BYTES,
        len(packed.runs), len(state), len(packed.chunks), 0,
    )  # fmt: skip
    runs = b"".join(_PAIR.pack(*run) for run in packed.runs)
    table = b"".join(_PAIR.pack(size, len(data)) for size, data in packed.chunks)
    body = b"".join((header, state, runs, table, *(data for _, data in packed.chunks)))
    body += hashlib.sha256(body).digest()
    return body if key is None else body + _signature(body, key)


def read(data: bytes | bytearray | memoryview, key: bytes | None) -> Packed:
    """What bytes hold.

    Raises:
        SnapshotCorrupt: They are damaged, or none of ours.
        SnapshotMismatch: They have another version.
        SnapshotUntrusted: They are not signed with the key.
    """
    view = memoryview(data).cast("B")
    if len(view) < _HEADER.size + _DIGEST_BYTES or bytes(view[: len(MAGIC)]) != MAGIC:
        raise SnapshotCorrupt("these bytes are no snapshot, or only its beginning")
    _, version, flags, abi, image, memory_bytes, page_bytes, run_count, state_bytes, chunk_count, rest = _HEADER.unpack(
        view[: _HEADER.size]
    )
    if version != FORMAT:
        raise SnapshotMismatch(f"it has format {version}, this package reads {FORMAT}")
    is_signed = bool(flags & _SIGNED)
    end = len(view) - (_DIGEST_BYTES if is_signed else 0)
    if key is not None and (not is_signed or end < 0 or not _is_right(view, end, key)):
        raise SnapshotUntrusted("it was not signed with this key" if is_signed else "it is not signed")
    end -= _DIGEST_BYTES
    tables = _HEADER.size + state_bytes
    at = tables + _PAIR.size * (run_count + chunk_count)
    if flags & ~_SIGNED or rest or end < at or hashlib.sha256(view[:end]).digest() != view[end : end + _DIGEST_BYTES]:
        raise SnapshotCorrupt("it is damaged: its checksum is another one")
    if abi != _abi.VERSION:
        raise SnapshotMismatch(f"it was taken of a guest that speaks ABI {abi}, this package speaks {_abi.VERSION}")
    if page_bytes != PAGE_BYTES or memory_bytes % _WASM_PAGE_BYTES or not 0 < memory_bytes <= 1 << 32:
        raise SnapshotCorrupt("it has an impossible memory")
    pairs = list(_PAIR.iter_unpack(view[tables:at]))
    runs, sizes = pairs[:run_count], pairs[run_count:]
    _check_runs(runs, memory_bytes // PAGE_BYTES, sum(size for size, _ in sizes))
    chunks = []
    for size, length in sizes:
        if size > CHUNK_BYTES or length > end - at:
            raise SnapshotCorrupt("it has impossible pages")
        chunks.append((size, bytes(view[at : at + length])))
        at += length
    if at != end:
        raise SnapshotCorrupt("it is longer than it says")
    return Packed(image, memory_bytes, _unpacked(bytes(view[_HEADER.size : tables])), runs, chunks)


def _check_runs(runs: Sequence[tuple[int, int]], pages: int, chunk_bytes: int) -> None:
    reached = total = 0
    for first, length in runs:
        if first < reached or not length or first + length > pages:
            raise SnapshotCorrupt("it has pages outside its memory")
        reached = first + length
        total += length
    if total * PAGE_BYTES != chunk_bytes:
        raise SnapshotCorrupt("it has more or fewer pages than it says")


def _packed(state: object) -> bytes:
    packed: bytes = msgpack.packb(state, use_bin_type=True, unicode_errors=_HALF_PAIRS)
    return packed


def _unpacked(state: bytes) -> object:
    try:
        checker = msgpack.Unpacker(max_buffer_size=max(len(state), 1))
        checker.feed(state)
        checker.skip()  # lists are made as long as they say they are: see first that they speak the truth
        return msgpack.unpackb(state, unicode_errors=_HALF_PAIRS)
    except (ValueError, TypeError, OverflowError, RecursionError, msgpack.UnpackException):
        raise SnapshotCorrupt("its state cannot be read") from None


# --- keys: one that the embedder has, and one for each use made of it ---


def _use(key: bytes, use: bytes) -> bytes:
    return hmac.digest(key, b"sandbox snapshot: " + use, "sha256")


def _signature(body: bytes | memoryview, key: bytes) -> bytes:
    return hmac.digest(_use(key, b"sign"), body, "sha256")


def _is_right(view: memoryview, end: int, key: bytes) -> bool:
    return hmac.compare_digest(_signature(view[:end], key), bytes(view[end:]))


def seal(secrets: object, key: bytes) -> bytes:
    """Secrets that only who has the key can read. They are not protected from changes: the signature does that."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + _masked(_packed(secrets), nonce, key)


def unseal(sealed: object, key: bytes) -> object:
    """What was sealed.

    Raises:
        SnapshotCorrupt: Nothing was.
    """
    if type(sealed) is not bytes or len(sealed) < _NONCE_BYTES:
        raise SnapshotCorrupt("its secrets cannot be read")
    return _unpacked(_masked(sealed[_NONCE_BYTES:], sealed[:_NONCE_BYTES], key))


def _masked(data: bytes, nonce: bytes, key: bytes) -> bytes:
    """HMAC-SHA256 in counter mode, under a nonce that is never used twice."""
    sealing, mask = _use(key, b"seal"), b""
    for block in count():
        if len(mask) >= len(data):
            break
        mask += hmac.digest(sealing, nonce + block.to_bytes(8, "little"), "sha256")
    return bytes(each ^ other for each, other in zip(data, mask, strict=False))
