"""The decoders of the Encoding Standard, byte by byte and as it words them, for comparison.

A decoder here is a handler with the standard's own variables. It is slow, and has nothing in common with the guest's
decoders but the tables.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable
from functools import cache
from typing import Any, Final

from wasm import encodings

END: Final = -1  # the standard's end-of-queue
ERROR: Final = "error"
FINISHED: Final = "finished"

Step = list[int] | str | None  # code points; an error; nothing yet


@cache
def tables() -> dict[str, Any]:
    """What `wasm/encodings.toml` holds."""
    return tomllib.loads(encodings.TABLE.read_text(encoding="utf-8"))


@cache
def _index(name: str) -> list[int]:
    return encodings.index(name, tables()["index"][name])


@cache
def _ranges() -> list[tuple[int, int]]:
    return encodings.gb18030_ranges(tables()["gb18030_ranges"]["corrections"])


def _code_point(name: str, pointer: int) -> int:
    points = _index(name)
    return points[pointer] if 0 <= pointer < len(points) else 0


class Queue:
    """An I/O queue of bytes. What is given back are the bytes that were read last."""

    def __init__(self, data: bytes) -> None:
        self._data = data
        self._at = 0

    def read(self) -> int:
        if self._at == len(self._data):
            return END
        self._at += 1
        return self._data[self._at - 1]

    def restore(self, *values: int) -> None:
        given = bytes(value for value in values if value != END)
        self._at -= len(given)
        assert self._data.startswith(given, self._at)


class SingleByte:
    def __init__(self, entry: dict[str, str]) -> None:
        self._row = encodings.single_byte(entry["codec"], entry.get("corrections", ""))

    def handle(self, queue: Queue, byte: int) -> Step:
        if byte == END:
            return FINISHED
        if byte < 0x80:
            return [byte]
        return [point] if (point := self._row[byte - 0x80]) else ERROR


class UserDefined:
    def handle(self, queue: Queue, byte: int) -> Step:
        return FINISHED if byte == END else [byte if byte < 0x80 else 0xF780 + byte - 0x80]


class Gb18030:
    first = second = third = 0

    def handle(self, queue: Queue, byte: int) -> Step:
        if byte == END:
            finished = not (self.first or self.second or self.third)
            self.first = self.second = self.third = 0
            return FINISHED if finished else ERROR
        if self.third:
            first, second, third = self.first, self.second, self.third
            self.first = self.second = self.third = 0
            if not 0x30 <= byte <= 0x39:
                queue.restore(second, third, byte)
                return ERROR
            pointer = (first - 0x81) * 12600 + (second - 0x30) * 1260 + (third - 0x81) * 10 + byte - 0x30
            if 39419 < pointer < 189000 or pointer > 1237575:
                return ERROR
            if pointer >= 189000:
                return [0x10000 + pointer - 189000]
            start, point = [entry for entry in _ranges() if entry[0] <= pointer][-1]
            return [point + pointer - start]
        if self.second:
            if 0x81 <= byte <= 0xFE:
                self.third = byte
                return None
            queue.restore(self.second, byte)
            self.first = self.second = 0
            return ERROR
        if self.first:
            if 0x30 <= byte <= 0x39:
                self.second = byte
                return None
            lead, self.first = self.first, 0
            point = 0
            if 0x40 <= byte <= 0x7E or 0x80 <= byte <= 0xFE:
                point = _code_point("gb18030", (lead - 0x81) * 190 + byte - (0x40 if byte < 0x7F else 0x41))
            return _or_again(queue, byte, point)
        if byte < 0x80:
            return [byte]
        if byte == 0x80:
            return [0x20AC]
        if byte == 0xFF:
            return ERROR
        self.first = byte
        return None


def _or_again(queue: Queue, byte: int, point: int) -> Step:
    """A code point; without one an error, after which an ASCII byte is read again."""
    if point:
        return [point]
    if byte < 0x80:
        queue.restore(byte)
    return ERROR


class TwoBytes:
    """Big5, EUC-KR and Shift_JIS: a lead byte and a trail byte."""

    lead = 0

    def handle(self, queue: Queue, byte: int) -> Step:
        if byte == END:
            finished, self.lead = not self.lead, 0
            return FINISHED if finished else ERROR
        if self.lead:
            lead, self.lead = self.lead, 0
            points = self.pair(lead, byte)
            return points if len(points) > 1 else _or_again(queue, byte, points[0])
        if byte < 0x80:
            return [byte]
        point = self.alone(byte)
        if point is not None:
            return [point] if point > 0 else ERROR
        self.lead = byte
        return None

    def pair(self, lead: int, byte: int) -> list[int]:
        raise NotImplementedError

    def alone(self, byte: int) -> int | None:
        """What a first byte stands for: -1 for nothing; None: it is a lead byte."""
        return None if 0x81 <= byte <= 0xFE else -1


class Big5(TwoBytes):
    _PAIRS: Final = {1133: [0xCA, 0x304], 1135: [0xCA, 0x30C], 1164: [0xEA, 0x304], 1166: [0xEA, 0x30C]}

    def pair(self, lead: int, byte: int) -> list[int]:
        if not (0x40 <= byte <= 0x7E or 0xA1 <= byte <= 0xFE):
            return [0]
        pointer = (lead - 0x81) * 157 + byte - (0x40 if byte < 0x7F else 0x62)
        return self._PAIRS.get(pointer) or [_code_point("big5", pointer)]


class EucKr(TwoBytes):
    def pair(self, lead: int, byte: int) -> list[int]:
        return [_code_point("euc_kr", (lead - 0x81) * 190 + byte - 0x41) if 0x41 <= byte <= 0xFE else 0]


class ShiftJis(TwoBytes):
    def alone(self, byte: int) -> int | None:
        if 0xA1 <= byte <= 0xDF:
            return 0xFF61 - 0xA1 + byte
        if byte == 0x80:
            return byte
        return None if 0x81 <= byte <= 0x9F or 0xE0 <= byte <= 0xFC else -1

    def pair(self, lead: int, byte: int) -> list[int]:
        if not (0x40 <= byte <= 0x7E or 0x80 <= byte <= 0xFC):
            return [0]
        pointer = (lead - (0x81 if lead < 0xA0 else 0xC1)) * 188 + byte - (0x40 if byte < 0x7F else 0x41)
        return [0xE000 - 8836 + pointer if 8836 <= pointer <= 10715 else _code_point("jis0208", pointer)]


class EucJp:
    lead = 0
    jis0212 = False

    def handle(self, queue: Queue, byte: int) -> Step:
        if byte == END:
            finished, self.lead, self.jis0212 = not self.lead, 0, False
            return FINISHED if finished else ERROR
        if self.lead == 0x8E and 0xA1 <= byte <= 0xDF:
            self.lead = 0
            return [0xFF61 - 0xA1 + byte]
        if self.lead == 0x8F and 0xA1 <= byte <= 0xFE:
            self.jis0212, self.lead = True, byte
            return None
        if self.lead:
            lead, self.lead = self.lead, 0
            point = 0
            if 0xA1 <= lead <= 0xFE and 0xA1 <= byte <= 0xFE:
                point = _code_point("jis0212" if self.jis0212 else "jis0208", (lead - 0xA1) * 94 + byte - 0xA1)
            self.jis0212 = False
            return _or_again(queue, byte, point)
        if byte < 0x80:
            return [byte]
        if byte in {0x8E, 0x8F} or 0xA1 <= byte <= 0xFE:
            self.lead = byte
            return None
        return ERROR


class Iso2022Jp:
    state = output = "ASCII"
    lead = 0
    flag = False

    def handle(self, queue: Queue, byte: int) -> Step:
        step: Step = getattr(self, self.state.lower().replace(" ", "_"))(queue, byte)
        return step

    def _text(self, byte: int, point: int) -> Step:
        if byte == 0x1B:
            self.state = "escape start"
            return None
        if byte == END:
            return FINISHED
        self.flag = False
        return [point] if point >= 0 else ERROR

    def ascii(self, queue: Queue, byte: int) -> Step:
        return self._text(byte, byte if byte < 0x80 and byte not in {0x0E, 0x0F} else -1)

    def roman(self, queue: Queue, byte: int) -> Step:
        special = {0x5C: 0xA5, 0x7E: 0x203E}
        return self._text(byte, special.get(byte, byte if byte < 0x80 and byte not in {0x0E, 0x0F} else -1))

    def katakana(self, queue: Queue, byte: int) -> Step:
        return self._text(byte, 0xFF61 - 0x21 + byte if 0x21 <= byte <= 0x5F else -1)

    def lead_byte(self, queue: Queue, byte: int) -> Step:
        if 0x21 <= byte <= 0x7E:
            self.flag, self.lead, self.state = False, byte, "trail byte"
            return None
        return self._text(byte, -1)

    def trail_byte(self, queue: Queue, byte: int) -> Step:
        self.state = "escape start" if byte == 0x1B else "lead byte"
        if 0x21 <= byte <= 0x7E:
            point = _code_point("jis0208", (self.lead - 0x21) * 94 + byte - 0x21)
            return [point] if point else ERROR
        return ERROR

    def escape_start(self, queue: Queue, byte: int) -> Step:
        if byte in {0x24, 0x28}:
            self.lead, self.state = byte, "escape"
            return None
        queue.restore(byte)
        self.flag, self.state = False, self.output
        return ERROR

    def escape(self, queue: Queue, byte: int) -> Step:
        lead, self.lead = self.lead, 0
        states = {(0x28, 0x42): "ASCII", (0x28, 0x4A): "Roman", (0x28, 0x49): "katakana", (0x24, 0x40): "lead byte"}
        state = states.get((lead, byte)) or ("lead byte" if (lead, byte) == (0x24, 0x42) else None)
        if state:
            self.state = self.output = state
            flag, self.flag = self.flag, True
            return ERROR if flag else None
        queue.restore(lead, byte)
        self.flag, self.state = False, self.output
        return ERROR


class Utf16:
    lead_byte = lead_surrogate = -1

    def __init__(self, *, big: bool) -> None:
        self._big = big

    def handle(self, queue: Queue, byte: int) -> Step:
        if byte == END:
            finished = self.lead_byte < 0 and self.lead_surrogate < 0
            self.lead_byte = self.lead_surrogate = -1
            return FINISHED if finished else ERROR
        if self.lead_byte < 0:
            self.lead_byte = byte
            return None
        first, self.lead_byte = self.lead_byte, -1
        unit = first << 8 | byte if self._big else byte << 8 | first
        if self.lead_surrogate >= 0:
            lead, self.lead_surrogate = self.lead_surrogate, -1
            if 0xDC00 <= unit <= 0xDFFF:
                return [0x10000 + ((lead - 0xD800) << 10) + unit - 0xDC00]
            queue.restore(first, byte)
            return ERROR
        if 0xD800 <= unit <= 0xDBFF:
            self.lead_surrogate = unit
            return None
        return ERROR if 0xDC00 <= unit <= 0xDFFF else [unit]


_DECODERS: Final[dict[str, Callable[[], Any]]] = {
    "big5": Big5,
    "euc_jp": EucJp,
    "euc_kr": EucKr,
    "gb18030": Gb18030,
    "iso_2022_jp": Iso2022Jp,
    "shift_jis": ShiftJis,
    "user_defined": UserDefined,
    "utf16be": lambda: Utf16(big=True),
    "utf16le": lambda: Utf16(big=False),
}


def decode(name: str, data: bytes) -> str:
    """Decode by the standard, with U+FFFD for errors and any byte order mark kept.

    Args:
        name: Of an encoding, as `wasm/encodings.toml` has it, but "utf-8" and "replacement".
        data: The bytes.
    """
    entry = tables()["encoding"][name]
    decoder = _DECODERS[entry["kind"]]() if "kind" in entry else SingleByte(entry)
    queue = Queue(data)
    points: list[int] = []
    step: Any
    while (step := decoder.handle(queue, queue.read())) != FINISHED:
        points += [0xFFFD] if step == ERROR else step or []
    return "".join(map(chr, points))
