"""The bytes of xJet's runners: frames, and the packets in them. No input or output.

A client sends 14 bytes, the id of the runner, and then frames, as the server does from the beginning: a length (u32,
big endian) and as many bytes. To the server these are a program (UTF-8), which ends with the 14 bytes of the id of the
suite; to the client they are one packet. In packets numbers are little endian, and texts have their length before them
(u32).

| Bytes | What a packet has |
|---|---|
| 1 | kind, in the low four bits |
| 14 | the suite's id, padded with zeros |
| 14 | the runner's id |
| u16, text | when, ISO 8601 |
| | log: u8 level, message, ancestry, u32 line, u32 column, u16 and a text: the source |
| | error: a JSON text |
| | status: u8 type (bits 0 to 4), todo (bit 5), skipped (bit 6); u32 duration, ancestry, description |
| | event: u8 type, passed (bit 5); u32 duration, ancestry, description, a JSON text: the errors |
"""

from __future__ import annotations

import json
import struct
from collections.abc import Iterator
from datetime import UTC, datetime
from enum import IntEnum
from typing import Any, Final

from sandbox._records import record

ID_BYTES: Final = 14
MAX_FRAME_BYTES: Final = 32 << 20
_LENGTH: Final = struct.Struct(">I")
_TODO, _SKIPPED, _PASSED, _TYPE = 1 << 5, 1 << 6, 1 << 5, 0x1F


class Kind(IntEnum):
    """What a packet is."""

    LOG = 1
    ERROR = 2
    STATUS = 3
    EVENT = 4


class Type(IntEnum):
    """What a status or an event is about."""

    TEST = 1
    DESCRIBE = 2
    END_SUITE = 3
    START_SUITE = 4


class PacketError(ValueError):
    """Bytes that are no packet, or a frame that is too long."""


@record(frozen=True, slots=True, kw_only=True)
class Packet:
    """A packet; fields that its kind has not are as they are by default.

    Attributes:
        kind: What it is.
        suite: The id of the suite.
        runner: The id of the runner.
        timestamp: When it was made.
        type: Of a status or an event.
        level: Of a log: 1 error, 2 warning, 3 information, 4 debugging.
        text: The message of a log, the JSON of an error, the errors of an event.
        ancestry: Names of the suites around, joined by commas; in events of xJet 1.1 by nothing.
        description: The name of a test or a suite.
        duration: In milliseconds.
        is_todo: Of a status.
        is_skipped: Of a status.
        is_passed: Of an event; xJet 1.1 never says so: a test has passed that has no errors.
        line: Of a log.
        column: Of a log.
        source: Of a log.
    """

    kind: Kind
    suite: str
    runner: str
    timestamp: str
    type: Type = Type.TEST
    level: int = 3
    text: str = ""
    ancestry: str = ""
    description: str = ""
    duration: int = 0
    is_todo: bool = False
    is_skipped: bool = False
    is_passed: bool = False
    line: int = 0
    column: int = 0
    source: str = ""


def encode_packet(packet: Packet) -> bytes:
    """A packet as bytes.

    Raises:
        PacketError: An id or the timestamp is too long, or a number too large.
    """
    stamp = packet.timestamp.encode()
    try:
        head = bytes([packet.kind]) + _id(packet.suite) + _id(packet.runner) + struct.pack("<H", len(stamp)) + stamp
        if packet.kind is Kind.ERROR:
            return head + _text(packet.text)
        if packet.kind is Kind.LOG:
            source = packet.source.encode("utf-8", "surrogatepass")
            place = struct.pack("<IIH", packet.line, packet.column, len(source)) + source
            return head + bytes([packet.level]) + _text(packet.text) + _text(packet.ancestry) + place
        if packet.kind is Kind.STATUS:
            bits = packet.type | _TODO * packet.is_todo | _SKIPPED * packet.is_skipped
            end = b""
        else:
            bits, end = packet.type | _PASSED * packet.is_passed, _text(packet.text)
        return (
            head + struct.pack("<BI", bits, packet.duration) + _text(packet.ancestry) + _text(packet.description) + end
        )
    except (struct.error, ValueError) as error:
        raise PacketError(str(error)) from None


def decode_packet(data: bytes) -> Packet:
    """Read a packet.

    Raises:
        PacketError: It is none.
    """
    reader = _Reader(data)
    try:
        kind = Kind(reader.number("<B") & 0x0F)
        suite, runner = (reader.take(ID_BYTES).rstrip(b"\0").decode() for _ in range(2))
        known: dict[str, Any] = {"kind": kind, "suite": suite, "runner": runner, "timestamp": reader.text("<H")}
        if kind is Kind.ERROR:
            known["text"] = reader.text()
        elif kind is Kind.LOG:
            known |= {"level": reader.number("<B"), "text": reader.text(), "ancestry": reader.text()}
            known |= {"line": reader.number("<I"), "column": reader.number("<I"), "source": reader.text("<H")}
        else:
            bits = reader.number("<B")
            known |= {"type": Type(bits & _TYPE), "duration": reader.number("<I")}
            known |= {"ancestry": reader.text(), "description": reader.text()}
            if kind is Kind.STATUS:
                known |= {"is_todo": bool(bits & _TODO), "is_skipped": bool(bits & _SKIPPED)}
            else:
                known |= {"is_passed": bool(bits & _PASSED), "text": reader.text()}
    except (ValueError, struct.error) as error:
        raise PacketError(f"no packet: {error}") from None
    return Packet(**known)


def encode_error(
    name: str, message: str, stack: str, suite: str, runner: str, *, timestamp: str | None = None
) -> bytes:
    """The packet that says that a suite could not be run.

    Args:
        name: Of the error.
        message: What it says.
        stack: Its stack, as text.
        suite: The id of the suite.
        runner: The id of the runner.
        timestamp: When; None: now.
    """
    stamp = (
        datetime.now(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z") if timestamp is None else timestamp
    )
    text = json.dumps({"name": name, "message": message, "stack": stack})
    return encode_packet(Packet(kind=Kind.ERROR, suite=suite, runner=runner, timestamp=stamp, text=text))


def frame(payload: bytes) -> bytes:
    """Bytes with their length before them.

    Raises:
        PacketError: They are too many.
    """
    if len(payload) > MAX_FRAME_BYTES:
        raise PacketError(f"a frame has at most {MAX_FRAME_BYTES:,} bytes, not {len(payload):,}")
    return _LENGTH.pack(len(payload)) + payload


class Frames:
    """Finds the frames in what comes, however it is cut."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._rest = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        """Take more bytes; gives the frames that are complete.

        Raises:
            PacketError: One says that it is too long.
        """
        self._rest += data
        while len(self._rest) >= _LENGTH.size:
            (length,) = _LENGTH.unpack_from(self._rest)
            if length > MAX_FRAME_BYTES:
                raise PacketError(f"a frame has at most {MAX_FRAME_BYTES:,} bytes, not {length:,}")
            end = _LENGTH.size + length
            if len(self._rest) < end:
                return
            payload = bytes(self._rest[_LENGTH.size : end])
            del self._rest[:end]
            yield payload


def _id(text: str) -> bytes:
    data = text.encode()
    if len(data) > ID_BYTES:
        raise PacketError(f"an id has at most {ID_BYTES} bytes: {text!r}")
    return data.ljust(ID_BYTES, b"\0")


def _text(text: str) -> bytes:
    data = text.encode("utf-8", "surrogatepass")
    return struct.pack("<I", len(data)) + data


class _Reader:
    """Reads numbers and texts, one after the other."""

    def __init__(self, data: bytes) -> None:
        self._data, self._at = data, 0

    def take(self, count: int) -> bytes:
        end = self._at + count
        if end > len(self._data):
            raise ValueError("it ends too early")
        part, self._at = self._data[self._at : end], end
        return part

    def number(self, layout: str) -> int:
        value: int = struct.unpack(layout, self.take(struct.calcsize(layout)))[0]
        return value

    def text(self, layout: str = "<I") -> str:
        return self.take(self.number(layout)).decode("utf-8", "replace")
