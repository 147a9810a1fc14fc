"""The programs the guest's profile is taken with: each gives the checksum another engine gives, every time."""

from __future__ import annotations

from pathlib import Path

import pytest

from sandbox import Sandbox

PROGRAMS = Path(__file__).with_name("programs")

# What V8 (Node.js 22) says of each: `run()` in a fresh process.
CHECKSUMS: dict[str, int | str] = {
    "classes": 977921559,
    "collections": 829025426,
    "compiling": 92399377,
    "failing": 3827848183,
    "machines": 1138715038,
    "matching": 384514767,
    "numbers": -2058756848,
    "platform": 933645642,
    "records": "1437362163/1811",
    "rendering": 1795565811,
    "texts": 123454372,
    "waiting": 1217564088,
}


def test_every_program_has_a_checksum() -> None:
    assert sorted(path.stem for path in PROGRAMS.iterdir()) == sorted(CHECKSUMS)


@pytest.mark.parametrize("stem", sorted(CHECKSUMS))
def test_a_program_does_the_same_work_each_time(stem: str) -> None:
    with Sandbox() as box:
        box.eval(PROGRAMS.joinpath(stem + ".js").read_text("utf-8"))
        assert [box.eval("run()"), box.eval("run()")] == [CHECKSUMS[stem]] * 2
