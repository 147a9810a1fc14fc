"""Sizes and times as people write them."""

from __future__ import annotations

import pytest

from sandbox.cli._amounts import parse_bytes, parse_seconds, show_amount


@pytest.mark.parametrize(
    ("text", "size"),
    [
        ("1", 1),
        ("64MB", 64 << 20),
        ("64 MiB", 64 << 20),
        ("64m", 64 << 20),
        ("256KB", 256 << 10),
        ("1.5g", 3 << 29),
        ("0.5K", 512),
        ("7b", 7),
    ],
)
def test_sizes(text: str, size: int) -> None:
    assert parse_bytes(text) == size


@pytest.mark.parametrize("text", ["", "MB", "-1", "1e3", "64XB", "0x10", "1,000", "0.0001K", "64MBs", "\u0661"])
def test_what_is_no_size(text: str) -> None:
    with pytest.raises(ValueError, match=r"size|whole number"):
        parse_bytes(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("5", 5.0),
        ("0.25s", 0.25),
        ("500ms", 0.5),
        ("2m", 120.0),
        ("1h", 3600.0),
        (" .5 S ", 0.5),
        ("none", float("inf")),
    ],
)
def test_times(text: str, seconds: float) -> None:
    assert parse_seconds(text) == seconds


@pytest.mark.parametrize("text", ["", "s", "-1", "inf", "nan", "5 days", "1:30"])
def test_what_is_no_time(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        parse_seconds(text)


@pytest.mark.parametrize(
    ("number", "unit", "text"),
    [
        (64 << 20, "bytes", "64 MB"),
        (1000, "bytes", "1000 bytes"),
        (1.5 * (1 << 30), "bytes", "1.5 GB"),
        (0.05, "seconds", "0.05 s"),
        (5.012, "seconds", "5.01 s"),
        (3600, "seconds", "3600 s"),
        (1_000_000, "fuel", "1,000,000"),
        (3, "handles", "3 handles"),
    ],
)
def test_amounts_are_shown_as_people_write_them(number: float, unit: str, text: str) -> None:
    assert show_amount(number, unit) == text
