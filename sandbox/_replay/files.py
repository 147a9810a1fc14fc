"""Records as files: chunks with checksums, each of which can be read as soon as it was written.

A chunk is a head (length, length before compression, checksum) and a part of the stream of entries. Its checksum counts
the one before in, so that chunks cannot be lost, swapped or taken from another record without being noticed.
"""

from __future__ import annotations

import os
import struct
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO, Final

import msgpack

from sandbox._abi import CAP_MESSAGE_BYTES
from sandbox._replay.entries import VERSION, Entry, Kind, TimesReader, TimesWriter, check
from sandbox.errors import RecordError, RecordTruncated

MAGIC: Final = b"sandbox record\r\n"
_HEAD: Final = struct.Struct("<III")
_BUFFER_BYTES: Final = 1 << 16
_CHUNK_BYTES: Final = 1 << 20
# Less than this gains nothing from compression.
_LEAST_COMPRESSED_BYTES: Final = 256
_MOST_TIMES_BYTES: Final = 1 << 12
_MOST_HEAD_BYTES: Final = 1 << 16
_MOST_ITEMS: Final = 64
_CLOEXEC: Final = getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_BINARY", 0)


class RecordWriter:
    """Appends entries to a new file, as one thread at a time.

    What goes wrong with the file ends the record, never a run: `error` says so, and what was written can be read.

    Attributes:
        path: The file.
        written_bytes: How long it is.
        error: Why the record ended before it was closed; None: it did not.
        is_open: Whether it goes on.
    """

    def __init__(self, path: str | os.PathLike[str], max_bytes: int) -> None:
        """Make the file, or empty it. Only its owner can read it: it holds what crossed the boundary.

        Args:
            path: Where.
            max_bytes: Its longest length; the record ends there.

        Raises:
            OSError: It cannot be made.
        """
        self.path = Path(path)
        self.written_bytes = 0
        self.error: Exception | None = None
        self._max_bytes = max_bytes
        self._buffer = bytearray()
        self._times = TimesWriter()
        self._pack = msgpack.Packer().pack
        self._checksum = 0
        self._process = os.getpid()
        self._file: int | None = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | _CLOEXEC, 0o600)
        self.is_open = True
        self._write(MAGIC)

    def add(self, kind: Kind, *values: Any) -> None:  # noqa: ANN401 - what msgpack takes
        """Append an entry; it is in the file after `flush`, or when many have come."""
        if self.is_open:
            self._buffer += self._pack((kind, self._times.take(), *values))
            if len(self._buffer) > _BUFFER_BYTES:
                self.flush()

    def add_time(self, clock: int, nanoseconds: int) -> None:
        """Note what the guest was told; it is part of the next entry."""
        self._times.add(clock, nanoseconds)
        if len(self._times.pending) > _MOST_TIMES_BYTES:
            self.add(Kind.TIMES)

    def flush(self) -> None:
        """Write what was appended."""
        if os.getpid() != self._process:
            self.close()  # the file is the parent's
            return
        data, self._buffer = self._buffer, bytearray()
        for start in range(0, len(data), _CHUNK_BYTES):
            part = bytes(data[start : start + _CHUNK_BYTES])
            packed = zlib.compress(part, 1) if len(part) >= _LEAST_COMPRESSED_BYTES else part
            if len(packed) >= len(part):
                packed = part
            self._checksum = zlib.crc32(packed, self._checksum)
            self._write(_HEAD.pack(len(packed), len(part), self._checksum) + packed)

    def _write(self, data: bytes) -> None:
        if self._file is None:
            return
        if self.written_bytes + len(data) > self._max_bytes:
            self.abandon(RecordError(f"the record has reached its limit of {self._max_bytes:,} bytes"))
            return
        self.written_bytes += len(data)
        try:
            while data:
                data = data[os.write(self._file, data) :]
        except OSError as error:
            self.abandon(error)

    def abandon(self, error: Exception) -> None:
        """End the record here, and say why; what was appended and not written is lost."""
        if self.is_open:
            self.error = error
            self.close()

    def end(self, why: str) -> None:
        """End the record as intended; idempotent."""
        if self.is_open:
            self.add(Kind.END, why)
            self.flush()
            self.close()

    def close(self) -> None:
        """Let go of the file; idempotent."""
        self.is_open = False
        self._buffer.clear()
        file, self._file = self._file, None
        if file is not None:
            os.close(file)

    def __del__(self) -> None:
        # Not the instance's finalizer: in one collection they come in any order.
        if getattr(self, "is_open", False):
            self.end("dropped")


def read(path: str | os.PathLike[str]) -> Iterator[Entry]:
    """The entries of a record, of which the first is its head; each is checked before it is given.

    Raises:
        OSError: The file cannot be read.
        RecordError: It is no record, or damaged; what comes before that was given.
        RecordTruncated: It ends before the record did: its writer was stopped, or writes still.
    """
    with Path(path).open("rb") as file:
        if file.read(len(MAGIC)) != MAGIC:
            raise RecordError("the file is no record of a sandbox")
        times = TimesReader()
        unpacker = msgpack.Unpacker(
            max_buffer_size=CAP_MESSAGE_BYTES + _CHUNK_BYTES + _MOST_HEAD_BYTES,
            max_array_len=_MOST_ITEMS,
            max_map_len=_MOST_ITEMS,
            max_ext_len=0,
            raw=False,
        )
        is_first = True
        for part in _parts(file):
            try:
                unpacker.feed(part)
                for items in unpacker:
                    entry = check(items, times)
                    if is_first != (entry.kind is Kind.HEAD):
                        raise RecordError("a head at the wrong place")
                    is_first = False
                    yield entry
                    if entry.kind is Kind.END:
                        if file.read(1):
                            raise RecordError("more after the end of the record")
                        return
            except (ValueError, TypeError, msgpack.UnpackException, RecursionError):
                raise RecordError("the record is damaged: what is no entry") from None
        raise RecordTruncated


def _parts(file: BinaryIO) -> Iterator[bytes]:
    checksum = 0
    while head := file.read(_HEAD.size):
        if len(head) < _HEAD.size:
            raise RecordTruncated
        length, full_length, expected = _HEAD.unpack(head)
        if not 0 < length <= full_length <= _CHUNK_BYTES:
            raise RecordError("the record is damaged: a chunk of an impossible length")
        packed = file.read(length)
        if len(packed) < length:
            raise RecordTruncated
        checksum = zlib.crc32(packed, checksum)
        if checksum != expected:
            raise RecordError("the record is damaged: a chunk with a wrong checksum")
        yield packed if length == full_length else _decompressed(packed, full_length)


def _decompressed(packed: bytes, length: int) -> bytes:
    decompressor = zlib.decompressobj()
    try:
        data = decompressor.decompress(packed, length)
    except zlib.error:
        data = b""
    if len(data) != length or not decompressor.eof or decompressor.unused_data:
        raise RecordError("the record is damaged: a chunk that cannot be decompressed")
    return data


def head_of(entry: Entry) -> dict[str, Any]:
    """What the first entry says of the record.

    Raises:
        RecordError: It is of another version of the format, or says nothing that could be.
    """
    head: dict[str, Any] = entry.values[0]
    if head.get("version") != VERSION:
        raise RecordError(f"the record has format {head.get('version')!r}, this package reads {VERSION}")
    return head
