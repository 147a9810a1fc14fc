"""TextEncoder and TextDecoder."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

from sandbox import Limits, Sandbox

if TYPE_CHECKING:
    from sandbox import ConsoleEntry

TEXTS = [
    "",
    "abc",
    "\x00\x7f",
    "é",
    "ß水",
    "€",
    "\N{GRINNING FACE}",
    "a\N{GRINNING FACE}b",
    "\ufeffa",
    "\uffff",
    "\U0010ffff",
]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_go_both_ways(box: Sandbox, text: str) -> None:
    box.globals["text"] = text

    assert box.eval("new TextEncoder().encode(text)") == text.encode()
    assert box.eval("new TextDecoder('utf-8', { ignoreBOM: true }).decode(new TextEncoder().encode(text))") == text


@pytest.mark.parametrize(
    ("text", "data"),
    [
        ("'\\ud800'", b"\xef\xbf\xbd"),
        ("'\\udc00'", b"\xef\xbf\xbd"),
        ("'a\\ud800b'", b"a\xef\xbf\xbdb"),
        ("'\\udc00\\ud800'", b"\xef\xbf\xbd\xef\xbf\xbd"),
        ("'\\ud83d\\ude00'", b"\xf0\x9f\x98\x80"),
        ("", b""),
        ("undefined", b""),
        ("null", b"null"),
        ("12", b"12"),
        ("[1, 'é']", b"1,\xc3\xa9"),
    ],
)
def test_encode(box: Sandbox, text: str, data: bytes) -> None:
    assert box.eval(f"new TextEncoder().encode({text})") == data


@pytest.mark.parametrize(
    ("text", "room", "read", "written", "data"),
    [
        ("'abc'", 3, 3, 3, b"abc"),
        ("'abc'", 5, 3, 3, b"abc\0\0"),
        ("'abc'", 2, 2, 2, b"ab"),
        ("'abc'", 0, 0, 0, b""),
        ("''", 1, 0, 0, b"\0"),
        ("'aé'", 2, 1, 1, b"a\0"),
        ("'aé'", 3, 2, 3, b"a\xc3\xa9"),
        ("'水'", 2, 0, 0, b"\0\0"),
        ("'\\u{1f600}x'", 4, 2, 4, b"\xf0\x9f\x98\x80"),
        ("'\\u{1f600}x'", 3, 0, 0, b"\0\0\0"),
        ("'\\u{1f600}x'", 5, 3, 5, b"\xf0\x9f\x98\x80x"),
        ("'\\ud800x'", 4, 2, 4, b"\xef\xbf\xbdx"),
        ("'\\ud800x'", 2, 0, 0, b"\0\0"),
    ],
)
def test_encode_into(box: Sandbox, text: str, room: int, read: int, written: int, data: bytes) -> None:
    counts, filled = box.eval(f"const b = new Uint8Array({room}); [new TextEncoder().encodeInto({text}, b), b]")

    assert counts == {"read": read, "written": written}
    assert filled == data


def test_encode_into_a_part_of_a_buffer(box: Sandbox) -> None:
    assert (
        box.eval("const b = new Uint8Array(6); new TextEncoder().encodeInto('abc', b.subarray(2, 4)); b")
        == b"\0\0ab\0\0"
    )


@pytest.mark.parametrize(
    "target", ["new Uint16Array(1)", "new ArrayBuffer(1)", "[]", "null", "new Uint8ClampedArray(1)"]
)
def test_encode_into_wants_bytes(refused: Callable[[str], str], target: str) -> None:
    assert refused(f"new TextEncoder().encodeInto('a', {target})").startswith("TypeError TypeError: Failed to execute")


# Bytes, and what they are with one U+FFFD for each maximal part of a sequence (Encoding Standard, UTF-8 decoder).
MALFORMED = [
    ("80", "\ufffd"),
    ("c0 80", "\ufffd\ufffd"),
    ("c1 bf", "\ufffd\ufffd"),
    ("c2", "\ufffd"),
    ("c2 41", "\ufffdA"),
    ("c2 c2 a9", "\ufffd\xa9"),
    ("e0 80 80", "\ufffd\ufffd\ufffd"),
    ("e0 9f bf", "\ufffd\ufffd\ufffd"),
    ("e1 80", "\ufffd"),
    ("e1 80 41", "\ufffdA"),
    ("e1 80 c2 a9", "\ufffd\xa9"),
    ("ed a0 80", "\ufffd\ufffd\ufffd"),
    ("ed bf bf", "\ufffd\ufffd\ufffd"),
    ("f0 80 80 80", "\ufffd\ufffd\ufffd\ufffd"),
    ("f0 90 80", "\ufffd"),
    ("f0 90 80 41", "\ufffdA"),
    ("f0 90 41", "\ufffdA"),
    ("f4 90 80 80", "\ufffd\ufffd\ufffd\ufffd"),
    ("f5 80 80 80", "\ufffd\ufffd\ufffd\ufffd"),
    ("fe ff", "\ufffd\ufffd"),
    ("41 ff 42", "A\ufffdB"),
]


@pytest.mark.parametrize(("data", "text"), MALFORMED)
def test_malformed_bytes(box: Sandbox, data: str, text: str) -> None:
    box.globals["bytes"] = bytes.fromhex(data)

    assert box.eval("new TextDecoder().decode(bytes)") == text
    failure = "try { new TextDecoder('utf-8', { fatal: true }).decode(bytes) } catch (error) { error.name }"
    assert box.eval(failure) == "TypeError"


STREAM = """
(bytes, sizes, options) => {
  const decoder = new TextDecoder("utf-8", options);
  let text = "", at = 0;
  for (const size of sizes) text += decoder.decode(bytes.subarray(at, at += size), { stream: true }) + "|";
  return text + decoder.decode(bytes.subarray(at));
}
"""


@pytest.mark.parametrize(
    ("data", "sizes", "text"),
    [
        ("e6 b0 b4", [1, 1, 1], "||水|"),
        ("e6 b0 b4", [2], "|水"),
        ("f0 9f 98 80", [1, 1, 1, 1], "|||\N{GRINNING FACE}|"),
        ("f0 9f 98 80 41", [3, 2], "|\N{GRINNING FACE}A|"),
        ("41 c3 a9 42", [2, 1], "A|é|B"),
        ("c3", [1], "|\ufffd"),
        ("f0 9f", [1, 1], "||\ufffd"),
        ("e6 41", [1, 1], "|\ufffdA|"),
        ("e0 80", [1, 1], "|\ufffd\ufffd|"),
        ("ed a0 80", [1, 1, 1], "|\ufffd\ufffd|\ufffd|"),
        ("f4 90", [1, 1], "|\ufffd\ufffd|"),
        ("c3 c3 a9", [1, 1], "|\ufffd|é"),
        ("c3 a9", [0, 1, 0, 1], "|||é|"),
        # The mark at the beginning of a stream is taken away once, wherever it is cut.
        ("ef bb bf 41", [1, 1, 1, 1], "|||A|"),
        ("ef bb bf ef bb bf", [3, 3], "|\ufeff|"),
        ("41 ef bb bf", [1, 3], "A|\ufeff|"),
        ("ef bb bf", [], ""),
    ],
)
def test_streams(box: Sandbox, data: str, sizes: list[int], text: str) -> None:
    assert box.call(box.eval(STREAM), bytes.fromhex(data), sizes, {}) == text


@pytest.mark.parametrize("size", [1, 2, 3, 5])
def test_a_stream_is_the_same_in_pieces(box: Sandbox, size: int) -> None:
    text = "aé水\N{GRINNING FACE}\ufeff" * 7
    sizes = [size] * (len(text.encode()) // size)

    assert box.call(box.eval(STREAM), text.encode(), sizes, {"fatal": True}).replace("|", "") == text


# What texts are made of: runs longer and shorter than the blocks of 16 and 64 bytes that are looked at together.
CHARACTERS = ["\x80", "\xff", "\u07ff", "水", "\ud7ff", "\uffff", "\N{GRINNING FACE}", "\U0010ffff"]
PARTS = [
    *(b"x" * length for length in (1, 2, 15, 16, 17, 63, 64, 65, 130)),
    *(character.encode() * count for character in CHARACTERS for count in (1, 2, 9)),
]
BROKEN = [*(bytes.fromhex(data) for data, _ in MALFORMED), b"\x80" * 70, b"\xff" * 17, b"\xf0\x9f\x98" * 6]
LATIN = [b"x" * 3, b"x" * 40, "é".encode(), "\xff\x80".encode() * 9, b"\x7f"]
FATAL = """
bytes => { try { return new TextDecoder("utf-8", { fatal: true }).decode(bytes) } catch (error) { return error.name } }
"""


def _some(source: random.Random, parts: list[bytes]) -> bytes:
    return b"".join(source.choices(parts, k=source.randrange(12)))


@pytest.mark.parametrize("parts", [PARTS, [*PARTS, *BROKEN], LATIN], ids=["valid", "broken", "Latin-1"])
def test_texts_of_any_kind_in_any_pieces(box: Sandbox, parts: list[bytes]) -> None:
    source, decode, fatal = random.Random(1), box.eval(STREAM), box.eval(FATAL)
    for _ in range(300):
        data = _some(source, parts)
        sizes = [source.choice([0, 1, 2, 3, 16, 40]) for _ in range(source.randrange(5))]
        text = data.decode(errors="replace")

        assert decode(data, sizes, {"ignoreBOM": True}).replace("|", "") == text, (data, sizes)
        assert fatal(data) == ("TypeError" if "\ufffd" in text else text), data


def test_texts_longer_than_a_piece_of_work(box: Sandbox) -> None:
    source, decode = random.Random(2), box.eval(STREAM)
    for parts in (PARTS, [*PARTS, *BROKEN], LATIN, [b"\x80"], ["水".encode()]):
        data = b"".join(_some(source, parts) for _ in range(9000))

        assert decode(data, [], {}) == data.decode(errors="replace")


ENCODE = """
(text, room) => {
  const bytes = new Uint8Array(room);
  return [new TextEncoder().encode(text), new TextEncoder().encodeInto(text, bytes), bytes];
}
"""
UNITS = ["x", "xyz" * 9, "\x80", "\xff" * 20, "\u07ff", "\u0800", "水" * 11, "\uffff", "\U0001f600"]
LONE = ["\ud800", "\udbff", "\udc00", "\udfff"]


@pytest.mark.parametrize("units", [UNITS[:4], UNITS, [*UNITS, *LONE]], ids=["Latin-1", "valid", "lone surrogates"])
def test_any_text_is_encoded(box: Sandbox, units: list[str]) -> None:
    """Into a buffer, as much of it as fits."""
    source, encode = random.Random(3), box.eval(ENCODE)
    for _ in range(200):
        text = "".join(source.choices(units, k=source.randrange(12)))
        # Halves of a pair that have met are one.
        text = text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
        pieces = [("\ufffd" if "\ud800" <= char < "\ue000" else char).encode() for char in text]
        data = b"".join(pieces)
        room = source.randrange(len(data) + 3)
        fitting = max(count for count in range(len(text) + 1) if len(b"".join(pieces[:count])) <= room)
        written = b"".join(pieces[:fitting])
        counts = {"read": sum(1 + (char > "\uffff") for char in text[:fitting]), "written": len(written)}

        assert encode(text, room) == [data, counts, written.ljust(room, b"\0")]


def test_the_mark_is_kept_when_asked_for(box: Sandbox) -> None:
    data = b"\xef\xbb\xbfa"

    assert box.call(box.eval(STREAM), data, [1, 1, 1], {"ignoreBOM": True}) == "||\ufeff|a"
    assert box.call(box.eval(STREAM), data, [], {}) == "a"


def test_a_decoder_begins_anew_after_the_end_of_a_stream(box: Sandbox) -> None:
    code = """
    const decoder = new TextDecoder("utf-8", { fatal: true });
    const mark = new Uint8Array([0xef, 0xbb, 0xbf]), half = new Uint8Array([0xc3]);
    const texts = [decoder.decode(mark), decoder.decode(mark), decoder.decode(half, { stream: true })];
    try { decoder.decode() } catch (error) { texts.push(error.name) }
    texts.push(decoder.decode(new Uint8Array([0x41])));
    try { decoder.decode(new Uint8Array([0xff]), { stream: true }) } catch (error) { texts.push(error.name) }
    texts.push(decoder.decode(new Uint8Array([0x42])));
    texts
    """
    assert box.eval(code) == ["", "", "", "TypeError", "A", "TypeError", "B"]


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("undefined", ""),
        ("bytes", "abcdef"),
        ("bytes.buffer", "abcdef"),
        ("bytes.subarray(1, 3)", "bc"),
        ("new DataView(bytes.buffer, 2, 3)", "cde"),
        ("new Uint16Array(bytes.buffer, 2)", "cdef"),
        ("new Uint8ClampedArray(bytes)", "abcdef"),
        ("new Float64Array(0)", ""),
        ("new DataView(new ArrayBuffer(0))", ""),
        ("(() => { const b = new ArrayBuffer(4); b.transfer(); return b })()", ""),
        ("(() => { const b = new Uint8Array(4); b.buffer.transfer(); return b })()", ""),
    ],
)
def test_sources_of_bytes(box: Sandbox, source: str, text: str) -> None:
    code = "const bytes = new Uint8Array([97, 98, 99, 100, 101, 102]);"

    assert box.eval(f"{code} new TextDecoder().decode({source})") == text


@pytest.mark.parametrize("source", ["null", "'text'", "1", "[97]", "{}", "new Proxy(new Uint8Array(1), {})"])
def test_other_sources_are_refused(refused: Callable[[str], str], source: str) -> None:
    assert refused(f"new TextDecoder().decode({source})") == (
        "TypeError TypeError: Failed to execute 'decode' on 'TextDecoder': "
        "parameter 1 is not of type 'ArrayBuffer' or 'ArrayBufferView'."
    )


@pytest.mark.parametrize(
    "label",
    [
        "utf-8",
        "utf8",
        "UTF-8",
        " utf-8\\t\\n\\f\\r",
        "unicode-1-1-utf-8",
        "unicode11utf8",
        "unicode20utf8",
        "x-unicode20utf8",
    ],
)
def test_labels(box: Sandbox, label: str) -> None:
    assert box.eval(f"new TextDecoder('{label}').encoding") == "utf-8"


@pytest.mark.parametrize(
    "label", ["", "utf", "utf-32", "latin", "utf-8\\0", "\\u00a0utf-8", "\\vutf-8", "__proto__", "ut\\u212b-8"]
)
def test_other_labels_are_refused(refused: Callable[[str], str], label: str) -> None:
    assert refused(f"new TextDecoder('{label}')").startswith(
        "RangeError RangeError: Failed to construct 'TextDecoder': "
    )


def test_attributes(box: Sandbox) -> None:
    read = "(decoder => [decoder.encoding, decoder.fatal, decoder.ignoreBOM])"

    assert box.eval(f"{read}(new TextDecoder())") == ["utf-8", False, False]
    assert box.eval(f"{read}(new TextDecoder('utf8', {{ fatal: 1, ignoreBOM: 'x' }}))") == ["utf-8", True, True]
    assert box.eval("new TextEncoder().encoding") == "utf-8"


LONG = {
    "new TextDecoder().decode(bytes).length": (0xFF, [0, 30_000_000, 30_000_000]),
    "new TextDecoder('big5').decode(bytes).length": (0xA7, [0, 15_000_000, 30_000_000]),
    "new TextEncoder().encodeInto('é'.repeat(2e7), bytes).written": (0, [0, 30_000_000, 30_000_000]),
}


@pytest.mark.parametrize(
    ("act", "outcome"),
    [("bytes.buffer.transfer(0)", 0), ("0", 1), ("bytes.fill(65)", 2)],
    ids=["taken away", "left alone", "changed"],
)
@pytest.mark.parametrize("code", LONG)
def test_the_host_may_run_the_guest_meanwhile(code: str, act: str, outcome: int) -> None:
    """When the guest polls; what was begun with bytes that may have changed is then done again."""
    heard: list[str] = []

    def hear(entry: ConsoleEntry) -> None:
        heard.append(entry.text)
        box.eval(f"{act}; 0")

    byte, outcomes = LONG[code]
    with Sandbox(console=hear, limits=Limits(memory_bytes=256 << 20)) as box:
        box.eval(f"var bytes = new Uint8Array(3e7).fill({byte}); 0")
        assert box.eval(f"console.log('now'); {code}") == outcomes[outcome]
    assert heard == ["now"]
