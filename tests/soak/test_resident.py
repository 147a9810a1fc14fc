"""Whether what a process holds has grown."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from tests.soak.resident import Sample, growth

_MIB = 1 << 20
_AT_REST = Sample(seconds=0, rss_bytes=100 * _MIB, objects=40_000, threads=9, descriptors=11, mappings=370, programs=0)


def _samples(field: str, values: list[int]) -> list[Sample]:
    fields: list[dict[str, Any]] = [{field: value} for value in values]
    return [replace(_AT_REST, seconds=number, **changed) for number, changed in enumerate(fields)]


@pytest.mark.parametrize(
    ("field", "values", "grown"),
    [
        ("rss_bytes", [100 * _MIB] * 40, False),
        ("rss_bytes", [50 * _MIB] * 8 + [100 * _MIB] * 32, False),  # the warm-up
        ("rss_bytes", [100 * _MIB + number % 3 * 20 * _MIB for number in range(40)], False),  # comes and goes
        ("rss_bytes", [100 * _MIB + number * _MIB // 4 for number in range(40)], False),  # within what is tolerated
        ("rss_bytes", [100 * _MIB + number * _MIB for number in range(40)], True),
        ("rss_bytes", [1000 * _MIB + number * _MIB for number in range(40)], False),  # a share of what there is
        ("rss_bytes", [100 * _MIB] * 30 + [120 * _MIB] * 10, True),
        ("objects", [40_000 + 50 * number for number in range(40)], False),
        ("objects", [40_000 + 500 * number for number in range(40)], True),
        ("threads", [9] * 20 + [14] * 20, True),
        ("threads", [9] * 20 + [12] * 20, False),
        ("descriptors", [11 + number for number in range(40)], True),
        ("mappings", [370 + 10 * number for number in range(40)], True),
        ("rss_bytes", [_MIB, 100 * _MIB, 200 * _MIB], False),  # too few to tell
    ],
)
def test_growth(field: str, values: list[int], grown: bool) -> None:
    found = growth(_samples(field, values))
    assert [text.split()[0] for text in found] == ([field] if grown else [])


def test_a_sample_of_this_process() -> None:
    sample = Sample.take(1.5, 3)
    assert sample.rss_bytes > 10 * _MIB
    assert sample.threads >= 1
    assert sample.descriptors >= 3
    assert sample.mappings > 10
    assert (sample.seconds, sample.programs) == (1.5, 3)
