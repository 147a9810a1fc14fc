"""The programs the guest's profile is taken with: each gives the checksum another engine gives, every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import Sandbox

PROGRAMS = Path(__file__).with_name("programs")

# What V8 says of each: `TZ=UTC node`, of version 22, and `run()` after the text was evaluated.
CHECKSUMS: dict[str, int | str] = {
    "bytes": -1616360358,
    "classes": 410564316,
    "collections": 1440927923,
    "compiling": -1499760391,
    "failing": 426187412,
    "functions": 330888694,
    "generating": 1932332600,
    "machines": -1042410630,
    "matching": 384514767,
    "numbers": 528961792,
    "older": 1821625852,
    "platform": 2157013266,
    "querying": 866558491,
    "records": "1999201765/1815",
    "remembering": 4858602,
    "rendering": -103684139,
    "simulating": 1766409524,
    "structures": 498524844,
    "texts": 258225578,
    "waiting": 3289962244,
}


def test_every_program_has_a_checksum() -> None:
    assert sorted(path.stem for path in PROGRAMS.iterdir()) == sorted(CHECKSUMS)


@pytest.mark.parametrize("stem", sorted(CHECKSUMS))
def test_a_program_does_the_same_work_each_time(stem: str) -> None:
    with Sandbox() as box:
        box.eval(PROGRAMS.joinpath(stem + ".js").read_text("utf-8"))
        assert [box.eval("run()"), box.eval("run()")] == [CHECKSUMS[stem]] * 2
