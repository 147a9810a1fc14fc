"""The tables of the legacy encodings."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from wasm import encodings
from wasm.cache import sha256
from wasm.errors import BuildError

RAW = tomllib.loads(encodings.TABLE.read_text(encoding="utf-8"))


def test_the_codecs_of_this_python_make_the_pinned_tables() -> None:
    assert sha256(encodings.render(RAW).encode()) == RAW["sha256"]


@pytest.mark.parametrize(
    ("codec", "corrections", "byte", "point"),
    [
        ("cp1252", "", 0x80, 0x20AC),
        ("cp1252", "", 0x81, 0x81),  # a control that Windows leaves undefined
        ("cp1253", "", 0xAA, 0),
        ("cp1253", "aa:41", 0xAA, 0x41),
        ("koi8_u", "ae:45e be:40e", 0xAE, 0x45E),
    ],
)
def test_single_byte_tables(codec: str, corrections: str, byte: int, point: int) -> None:
    assert encodings.single_byte(codec, corrections)[byte - 0x80] == point


@pytest.mark.parametrize(
    ("name", "pointer", "point"),
    [
        ("big5", 942, 0x43F0),
        ("big5", 1001, 0x21D53),
        ("big5", 1133, 0),
        ("big5", 5024, 0x3000),
        ("euc_kr", 0, 0xAC02),
        ("gb18030", 6555, 0x3000),
        ("gb18030", 7182, 0xFE10),
        ("gb18030", 23845, 0x9FBB),
        ("jis0208", 0, 0x3000),
        ("jis0208", 8836, 0),
        ("jis0208", 10744, 0x7E8A),
        ("jis0212", 116, 0xFF5E),
    ],
)
def test_indexes(name: str, pointer: int, point: int) -> None:
    assert encodings.index(name, RAW["index"][name])[pointer] == point


def test_ranges_of_gb18030() -> None:
    ranges = encodings.gb18030_ranges(RAW["gb18030_ranges"]["corrections"])

    assert ranges[:3] == [(0, 0x80), (36, 0xA5), (38, 0xA9)]
    assert (7457, 0xE7C7) in ranges
    assert ranges[-1] == (39394, 0xFFE6)


def test_every_label_has_one_encoding() -> None:
    labels = [label for entry in RAW["encoding"].values() for label in entry["labels"].split()]

    assert len(labels) == len(set(labels)) == 228
    assert len(RAW["encoding"]) == 40


def test_other_tables_than_the_pinned_ones_are_refused(tmp_path: Path) -> None:
    table = tmp_path / "encodings.toml"
    table.write_text(encodings.TABLE.read_text(encoding="utf-8").replace("ae:45e", "ae:45f"), encoding="utf-8")

    with pytest.raises(BuildError, match=r"pins .*; build with another version of Python"):
        encodings.header(tmp_path, table)


def test_a_table_that_lacks_something_is_refused(tmp_path: Path) -> None:
    table = tmp_path / "encodings.toml"
    table.write_text("[encoding]\n", encoding="utf-8")

    with pytest.raises(BuildError, match="sha256"):
        encodings.header(tmp_path, table)
