"""TextDecoder for the encodings other than UTF-8, held against the standard's own algorithms."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import TYPE_CHECKING, Final

import pytest

from sandbox import Sandbox
from tests.encodings_standard import decode, tables
from wasm import encodings

if TYPE_CHECKING:
    from sandbox import JSFunction

ENCODINGS: Final = {name: entry for name, entry in tables()["encoding"].items() if name not in {"utf-8", "replacement"}}
SEVERAL_BYTES: Final = [name for name, entry in ENCODINGS.items() if "kind" in entry]

# Chunk sizes; all that is left is the last chunk.
DECODE: Final = """
((name, bytes, sizes) => {
  const decoder = new TextDecoder(name, { ignoreBOM: true });
  let text = "", at = 0;
  for (const size of sizes) text += decoder.decode(bytes.subarray(at, at += size), { stream: true });
  return text + decoder.decode(bytes.subarray(at));
})
"""
FATAL: Final = """
((name, bytes) => {
  try { return new TextDecoder(name, { fatal: true, ignoreBOM: true }).decode(bytes) } catch (e) { return e.name }
})
"""


@pytest.fixture(scope="module")
def guest() -> Iterator[Sandbox]:
    with Sandbox() as box:
        yield box


@pytest.fixture(scope="module")
def decoded(guest: Sandbox) -> JSFunction:
    function: JSFunction = guest.eval(DECODE)
    return function


@pytest.mark.parametrize("name", ENCODINGS)
def test_labels(guest: Sandbox, name: str) -> None:
    labels = ENCODINGS[name]["labels"].split()
    read = "labels => labels.map(label => new TextDecoder(label).encoding)"
    spelled = [*labels, *(label.upper() for label in labels), *(f"\t {label}\r\n\f" for label in labels)]

    assert set(guest.call(guest.eval(read), spelled)) == {name}


def test_the_replacement_encoding_decodes_nothing(guest: Sandbox) -> None:
    labels = tables()["encoding"]["replacement"]["labels"].split()
    refused = "labels => labels.map(label => { try { new TextDecoder(label) } catch (e) { return e.name } })"

    assert set(guest.call(guest.eval(refused), labels)) == {"RangeError"}


@pytest.mark.parametrize("name", ENCODINGS)
def test_each_byte(decoded: JSFunction, name: str) -> None:
    data = bytes(range(256))

    assert decoded(name, data, []) == decode(name, data)


@pytest.mark.parametrize("name", [name for name in SEVERAL_BYTES if not name.startswith("utf-16")])
def test_each_pair_of_bytes(decoded: JSFunction, name: str) -> None:
    prefix = b"\x1b$B" if name == "iso-2022-jp" else b""
    for lead in range(0x21 if prefix else 0x80, 0x100):
        data = prefix + b"".join(bytes([lead, trail, 0x0A, 0x0A]) for trail in range(256))

        assert decoded(name, data, []) == decode(name, data)


def test_each_row_of_jis_x_0212(decoded: JSFunction) -> None:
    for lead in range(0x80, 0x100):
        data = b"".join(bytes([0x8F, lead, trail, 0x0A, 0x0A]) for trail in range(256))

        assert decoded("euc-jp", data, []) == decode("euc-jp", data)


def test_sequences_of_four_bytes(decoded: JSFunction) -> None:
    pointers = [*range(39430), *range(188990, 189010), *range(1237560, 1237590), 7457, 11329, 1259999]
    data = bytearray()
    for pointer in pointers:
        data += encodings.four_bytes(pointer)

    expected = "".join(decode("gb18030", bytes(data[at : at + 4])) for at in range(0, len(data), 4))
    assert decoded("gb18030", bytes(data), []) == expected


# What sequences are made of, where bytes taken at random seldom are one.
PARTS: Final = {
    "iso-2022-jp": b"\x1b $ ( B J I @ \x1b$B \x1b(J !~ 0! \x0e \xff".split(b" "),
    "gb18030": b"0 9 \x81 \xfe \x84 1 \xff \x80 A \xb0 \xe3".split(b" "),
    "utf-16le": b"\x00 \xd8 \xdc \xdf A \xfe \xff".split(b" "),
}


def _bytes(name: str, source: random.Random) -> bytes:
    """Bytes of which many belong together."""
    parts = PARTS.get({"gbk": "gb18030", "utf-16be": "utf-16le"}.get(name, name), [])
    if parts and source.random() < 0.7:
        return b"".join(source.choices(parts, k=source.randrange(12)))
    pool = [*range(256), *range(0x80, 0x100), 0x8E, 0x8F, 0x41, 0x7F, 0xA1]
    return bytes(source.choices(pool, k=source.randrange(12)))


@pytest.mark.parametrize("name", ENCODINGS)
def test_any_bytes_in_any_pieces(guest: Sandbox, decoded: JSFunction, name: str) -> None:
    source = random.Random(name)
    fatal = guest.eval(FATAL)
    for _ in range(150):
        data = _bytes(name, source)
        sizes = [source.randrange(4) for _ in range(source.randrange(8))]
        expected = decode(name, data)

        assert decoded(name, data, sizes) == expected, (data, sizes)
        assert fatal(name, data) == ("TypeError" if "\ufffd" in expected else expected), data


@pytest.mark.parametrize("name", ["windows-1251", *SEVERAL_BYTES])
def test_long_texts(decoded: JSFunction, name: str) -> None:
    source = random.Random(name)
    data = b"".join(_bytes(name, source) + b"plain text, \xb0\xa1\xb0\xa1 " * source.randrange(3) for _ in range(9000))
    assert len(data) > 2 * 65536  # the guest looks at its limits after each piece of that size

    assert decoded(name, data, []) == decode(name, data)


@pytest.mark.parametrize(
    ("name", "data", "texts"),
    [
        ("utf-16le", b"\xff\xfeA\0", ["A", "\ufeffA"]),
        ("utf-16be", b"\xfe\xff\0A", ["A", "\ufeffA"]),
        ("utf-16le", b"\xfe\xff", ["\ufffe", "\ufffe"]),
        ("utf-16le", b"\xff\xfe\xff\xfe", ["\ufeff", "\ufeff\ufeff"]),
        ("utf-16le", b"\xff\xfe", ["", "\ufeff"]),
        ("gb18030", b"\x84\x31\x95\x33A", ["\ufeffA", "\ufeffA"]),
        ("windows-1252", b"\xef\xbb\xbf", ["ï»¿", "ï»¿"]),
    ],
)
@pytest.mark.parametrize("size", [1, 2, 3, 9])
def test_byte_order_marks(guest: Sandbox, name: str, data: bytes, texts: list[str], size: int) -> None:
    code = """
    (name, bytes, size) => [false, true].map((ignoreBOM) => {
      const decoder = new TextDecoder(name, { ignoreBOM });
      const decode = (start, stream) => decoder.decode(bytes.subarray(start, start + size), { stream });
      let twice = "";
      for (let turn = 0; turn < 2; turn++) {
        for (let at = 0; at < bytes.length; at += size) twice += decode(at, true);
        twice += decoder.decode();
      }
      return twice;
    })
    """
    assert guest.call(guest.eval(code), name, data, size) == [text * 2 for text in texts]


def test_a_fatal_decoder_can_be_used_again(guest: Sandbox) -> None:
    code = """
    (chunks) => {
      const decoder = new TextDecoder("shift_jis", { fatal: true });
      return chunks.map(([bytes, stream]) => {
        try { return decoder.decode(bytes, { stream }) } catch (error) { return error.name }
      });
    }
    """
    chunks = [[b"\x82", True], [b"\xa0\x82", True], [b"", False], [b"\x82\xa0", False]]
    chunks += [[b"\xff", True], [b"\xa0\x41", True], [b"\x42", False]]
    texts = ["", "あ", "TypeError", "あ", "TypeError", "TypeError", "B"]

    assert guest.call(guest.eval(code), chunks) == texts
