"""TextEncoder and TextDecoder."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

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
    "label", ["", "utf", "utf-16", "latin1", "utf-8\\0", "\\u00a0utf-8", "\\vutf-8", "__proto__", "ut\\u212b-8"]
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
