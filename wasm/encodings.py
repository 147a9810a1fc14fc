"""The tables of the legacy encodings, made of the codecs of the Python that builds.

`wasm/encodings.toml` names the encodings of the Encoding Standard, their labels, the codec that each is made of, and
where the standard differs from that codec. Its checksum is that of the result, so every Python makes the same guest or
none.
"""

from __future__ import annotations

import tomllib
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any, Final

from wasm.cache import digest, sha256, write_atomically
from wasm.errors import BuildError

TABLE: Final = Path(__file__).resolve().parent / "encodings.toml"
HEADER: Final = "encoding_tables.h"
NOTICE: Final = "Made by wasm/encodings.py from Python's codecs and wasm/encodings.toml."

_FIRST_HIGH: Final = 0x80  # the bytes above ASCII, of which single-byte encodings have a table
_CONTROLS_END: Final = 0xA0
_GB18030_LINEAR: Final = 39420  # pointers of four bytes in the Basic Multilingual Plane
_A_LINE: Final = 16


def header(cache: Path, path: Path = TABLE) -> Path:
    """A directory that holds the tables as `encoding_tables.h`.

    Args:
        cache: The build cache.
        path: The table of encodings.

    Raises:
        BuildError: The table cannot be read, or the codecs of this Python give other tables than the pinned ones.
    """
    text = path.read_text(encoding="utf-8")
    directory = cache / "sources" / f"encodings-{digest(text, Path(__file__).read_text(encoding='utf-8'))[:32]}"
    if not (directory / HEADER).is_file():
        try:
            raw = tomllib.loads(text)
            pinned, rendered = raw["sha256"], render(raw).encode()
        except (KeyError, TypeError, ValueError, LookupError) as error:
            raise BuildError(f"{path.name}: {error!r}") from error
        if sha256(rendered) != pinned:
            raise BuildError(
                f"the codecs of this Python make tables of encodings with the sha256 {sha256(rendered)}, and "
                f"{path.name} pins {pinned}; build with another version of Python"
            )
        write_atomically(directory / HEADER, rendered)
    return directory


def render(raw: dict[str, Any]) -> str:
    """The tables in C.

    Args:
        raw: What `encodings.toml` holds.
    """
    encodings: dict[str, dict[str, str]] = raw["encoding"]
    single = [name for name, entry in encodings.items() if "codec" in entry]
    names = [*(name for name in encodings if name not in single), *single]
    kinds = [*dict.fromkeys(encodings[name]["kind"] for name in names if name not in single), "single_byte"]
    labels = {label: name for name, entry in encodings.items() for label in entry["labels"].split()}
    indexes = {name: index(name, entry) for name, entry in raw["index"].items()}
    rows = [single_byte(encodings[name]["codec"], encodings[name].get("corrections", "")) for name in single]
    out = [f"/* {NOTICE} DO NOT EDIT. */", "#include <stdint.h>", ""]
    out += ["typedef enum EncodingKind {", *(f"    ENCODING_{kind.upper()}," for kind in kinds), "} EncodingKind;", ""]
    out += [f"enum {{ ENCODINGS = {len(names)}, ENCODING_LABELS = {len(labels)} }};", ""]
    out += ["/* The includer declares `Encoding`, see wasm/src/legacy.h. */"]
    out += ["static const Encoding encodings[ENCODINGS] = {"]
    for name in names:
        kind = encodings[name].get("kind", "single_byte")
        out.append(f'    {{"{name}", ENCODING_{kind.upper()}, {single.index(name) if name in single else 0}}},')
    out += ["};", "", "/* In the order of their bytes. */"]
    out += ["static const struct { const char *label; uint8_t encoding; } encoding_labels[ENCODING_LABELS] = {"]
    out += [f'    {{"{label}", {names.index(labels[label])}}},' for label in sorted(labels)]
    out += ["};", "", "/* Code points of the bytes above ASCII; 0: there is none. */"]
    out += [f"static const uint16_t single_byte_tables[{len(rows)}][{_FIRST_HIGH}] = {{"]
    for row in rows:
        out += ["    {", *_numbers(row), "    },"]
    out += ["};", ""]
    for name, points in indexes.items():
        out += [
            "/* Code points by pointer, in the lower 16 bits; 0: there is none. */",
            f"enum {{ INDEX_{name.upper()}_LENGTH = {len(points)} }};",
            f"static const uint16_t index_{name}[INDEX_{name.upper()}_LENGTH] = {{",
            *_numbers(point & 0xFFFF for point in points),
            "};",
        ]
        if max(points) > 0xFFFF:
            bits = bytearray((len(points) + 7) // 8)
            for pointer, point in enumerate(points):
                bits[pointer >> 3] |= (point >> 16 == 2) << (pointer & 7)
            out += ["/* Which of them are in plane 2, a bit for each. */"]
            out += [f"static const uint8_t index_{name}_plane_2[{len(bits)}] = {{", *_numbers(bits), "};"]
        out += [""]
    ranges = gb18030_ranges(raw["gb18030_ranges"]["corrections"])
    out += ["/* Runs of code points that take four bytes in gb18030. */"]
    out += [f"enum {{ GB18030_RANGES = {len(ranges)} }};"]
    out += ["static const struct { uint16_t pointer, code_point; } gb18030_ranges[GB18030_RANGES] = {"]
    out += [f"    {{{pointer}, {point:#x}}}," for pointer, point in ranges]
    out += ["};", ""]
    return "\n".join(out)


def single_byte(codec: str, corrections: str = "") -> list[int]:
    """The code points of the bytes 0x80 to 0xFF in a single-byte encoding; 0: none.

    A control of C1 that the codec leaves undefined is itself.

    Args:
        codec: Python's name.
        corrections: `byte:code point` in hex.
    """
    row = []
    for byte in range(_FIRST_HIGH, 256):
        point = _decoded(bytes([byte]), codec)
        row.append(point or (byte if byte < _CONTROLS_END else 0))
    for byte, point in _pairs(corrections):
        row[byte - _FIRST_HIGH] = point
    return row


def index(name: str, entry: dict[str, Any]) -> list[int]:
    """The code points of an index of the standard, by pointer; 0: none.

    Args:
        name: Of the index, as in `encodings.toml`.
        entry: `codec`, `length`, and `corrections`: pointers, each with the code points in hex that begin there.
    """
    sequence = _SEQUENCES[name]
    points = [_decoded(sequence(pointer), entry["codec"]) for pointer in range(entry["length"])]
    for start, end in entry.get("empty", ()):
        points[start:end] = [0] * (end - start)
    for pointer, run in entry.get("corrections", ()):
        for offset, point in enumerate(run.split()):
            points[pointer + offset] = int(point, 16)
    return points


def gb18030_ranges(corrections: str) -> list[tuple[int, int]]:
    """Where a run of code points begins among the pointers of four bytes: pointer and code point."""
    points = [_decoded(four_bytes(pointer), "gb18030") for pointer in range(_GB18030_LINEAR)]
    for pointer, point in _pairs(corrections):
        points[pointer] = point
    return [
        (pointer, point) for pointer, point in enumerate(points) if pointer == 0 or point != points[pointer - 1] + 1
    ]


def four_bytes(pointer: int) -> bytes:
    """How gb18030 writes a pointer of four bytes."""
    return bytes(
        [pointer // 12600 + 0x81, pointer // 1260 % 10 + 0x30, pointer // 10 % 126 + 0x81, pointer % 10 + 0x30]
    )


def _pairs(text: str) -> Iterable[tuple[int, int]]:
    """`place:code point`, both in hex, of each word."""
    for word in text.split():
        place, _, point = word.partition(":")
        yield int(place, 16), int(point, 16)


def _decoded(data: bytes, codec: str) -> int:
    """The one code point that some bytes stand for; 0: it is none, or more."""
    try:
        text = data.decode(codec)
    except UnicodeDecodeError:
        return 0
    return ord(text) if len(text) == 1 else 0


def _trail(offset: int, gap: int, second: int) -> int:
    """A second byte: some begin anew after the first `gap` of them."""
    return offset + 0x40 if offset < gap else offset - gap + second


# How an index's pointer is written in the encoding it is made of.
_SEQUENCES: Final[dict[str, Callable[[int], bytes]]] = {
    "big5": lambda p: bytes([p // 157 + 0x81, _trail(p % 157, 0x3F, 0xA1)]),
    "euc_kr": lambda p: bytes([p // 190 + 0x81, p % 190 + 0x41]),
    "gb18030": lambda p: bytes([p // 190 + 0x81, _trail(p % 190, 0x3F, 0x80)]),
    "jis0208": lambda p: bytes([p // 188 + (0x81 if p < 31 * 188 else 0xC1), _trail(p % 188, 0x3F, 0x80)]),
    "jis0212": lambda p: bytes([0x8F, p // 94 + 0xA1, p % 94 + 0xA1]),
}


def _numbers(values: Iterable[int]) -> list[str]:
    """Lines of C."""
    texts = [f"{value:#x}" for value in values]
    return [f"    {','.join(texts[at : at + _A_LINE])}," for at in range(0, len(texts), _A_LINE)]
