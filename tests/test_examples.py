"""The examples do what they say, each as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAUSED = os.environ.get("SANDBOX_PAUSED", "60")


def output(*arguments: str) -> str:
    """What a module of `examples` prints."""
    done = subprocess.run(
        [sys.executable, "-m", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        encoding="utf-8",
        env={**os.environ, "PYTHONIOENCODING": "utf-8"},
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "approval",
            [
                "approve this transfer: 900 to Grace? True",
                "first answer: True False",
                "('done', ['Ada: 20', 'Grace: 900', 'Alan: refused'])",
                "transferred: ['20 to Ada', '900 to Grace']",
            ],
        ),
        ("assistant", ["May I call deleteMail(2)?", "Deleted 2 of 3.", "left: {1: 'May'}"]),
        (
            "workflow",
            [
                "ship ['A-17', 1] -> {'error': 'no courier today'}",
                "('done', 'A-17: charge(A-17, 20), ship(A-17, 2)')",
            ],
        ),
    ],
)
def test_paused_programs(name: str, shown: list[str]) -> None:
    text = output(f"examples.{name}")
    assert [line for line in shown if line not in text] == []


def test_very_many_paused_programs_while_workers_are_killed() -> None:
    """`SANDBOX_PAUSED=10000` makes it long; `python -m examples.many` shows how far it is."""
    kills = str(max(int(PAUSED) // 100, 3))
    text = output("examples.many", "--count", PAUSED, "--workers", "2", "--kills", kills)
    killed = re.search(r"resumed [\d,]+ times: [\d,]+ a second, (\d+) workers killed", text)
    assert killed is not None, text
    assert int(killed[1]) > 0
    assert text.endswith("nothing lost, nothing twice\n")
