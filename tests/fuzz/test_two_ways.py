"""Programs at random show the same by the engine's short ways, by those around them, and while they are traced.

What programs are made of is in `tests/fuzz/two_ways/`. `SANDBOX_TWO_WAYS=100000` runs many of them.
`SANDBOX_TWO_WAYS_ENGINE` names a program that evaluates a file and has `print`, such as the engine without its patches:
what that one shows is then compared as well.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Final

import pytest

from sandbox import Limits, Sandbox
from sandbox._abi import Evaluation
from tests.fuzz.two_ways.statements import program, scripts

COUNT: Final = int(os.environ.get("SANDBOX_TWO_WAYS", "80"))
ENGINE: Final = os.environ.get("SANDBOX_TWO_WAYS_ENGINE")
_BATCH: Final = 40
_LIMITS: Final = Limits(memory_bytes=256 << 20, cpu_seconds=100, wall_seconds=200)
_EVERYTHING: Final = Evaluation.NAMES | Evaluation.PLACES | Evaluation.LINES | Evaluation.COMMENTS


def _shown(script: str, traced: bool = False) -> list[str]:
    with Sandbox(limits=_LIMITS) as box:
        if not traced:
            return list(box.eval(script))
        kept = script.replace("\nresults }", "\nvar found = results }")
        box._perform(box._driver.eval(kept, "programs.js", _EVERYTHING))
        return list(box.eval("found"))


def _elsewhere(script: str, directory: Path) -> list[str]:
    assert ENGINE is not None
    file = directory / "programs.js"
    file.write_text(script.replace("\nresults }", "\nprint(JSON.stringify(results)) }"), encoding="utf-8")
    done = subprocess.run([ENGINE, file], capture_output=True, text=True, check=True)
    return list(json.loads(done.stdout))


@pytest.mark.parametrize("first", range(0, COUNT, _BATCH))
def test_programs_show_the_same_in_both_spellings(first: int, tmp_path: Path) -> None:
    seeds = range(first, first + _BATCH)
    both = scripts(seeds)
    expected = _shown(both.short)
    others = {"in its long spelling": _shown(both.long), "traced": _shown(both.short, traced=True)}
    if ENGINE:
        others[ENGINE] = _elsewhere(both.short, tmp_path)
    for what, found in others.items():
        for seed, one, other in zip(seeds, expected, found, strict=True):
            assert other == one, f"program {seed} {what}"


def test_programs_are_the_same_each_time_and_come_to_something() -> None:
    assert program(7) == program(7) != program(8)
    shown = _shown(scripts(range(_BATCH)).short)
    assert sum(len(each.split("\n")) for each in shown) > 3 * _BATCH
