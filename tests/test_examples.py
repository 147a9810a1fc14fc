"""The examples do what they say, each as a process of its own."""

from __future__ import annotations

import os
import re
import shutil
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


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        (
            "grading",
            [
                "Ada: right",
                "Bob: JSError: Error: sorted([10,9,1]) gives [1,10,9]",
                "Cem: CpuLimitExceeded: ",
                "Dan: JSSyntaxError: ",
                "Eve: ",
            ],
        ),
        ("library", ["<p>A <strong>small</strong> library, <code>imported</code> from a file.</p>", "&lt;script&gt;"]),
        (
            "model_code",
            ["attempt 2 failed:", "> 2 | return best.name.toUpperCase()", "'count': 42, 'revenue': 178.5"],
        ),
        ("notebook", ["[2] ['Rome', 'Bern', 'Oslo']", "--> cell 3:1:60", "{'Bern': 0, 'Oslo': -7, 'Rome': 8}"]),
        ("plugins", ["'text': 'HOW ARE YOU?'", "Counter: fine 2", "Greedy: MemoryLimitExceeded"]),
        (
            "recorded",
            ["asked: rateOf(0), rateOf(1)", "before the last answer there were 4 rates", "the same failure: True"],
        ),
        ("rows", ["{'id': 8, 'email': 'user4@example.com'}", "9 rows were read"]),
        (
            "rules",
            ["'no expression' cannot be saved", "order 1: large order", "order 2: the rule 'typo' failed: cannot read"],
        ),
        (
            "tenants",
            [
                'acme 20: 200 {"total":76.5}',
                'globex 3: 200 {"total":15,"calls":1}',
                "initech 1: 503 ",
                "nobody 1: 404 ",
            ],
        ),
    ],
)
def test_use_cases(name: str, shown: list[str]) -> None:
    text = output(f"examples.{name}")
    assert [line for line in shown if line not in text] == []


def test_every_example_is_run() -> None:
    """Here, by the tests of the documents (`demo`) or of serving (`customers`); `paused_store` is what others share."""
    run = Path(__file__).read_text("utf-8")
    names = {path.stem for path in (ROOT / "examples").glob("*.py")} - {"customers", "demo", "paused_store"}
    assert [name for name in sorted(names) if f'"{name}"' not in run and f"examples.{name}" not in run] == []


@pytest.mark.skipif(shutil.which("chromium") is None, reason="no Chromium is installed")
def test_a_page_of_a_shop() -> None:
    shown = ["Ordered: Sencha", "Failed to fetch", "GET document 200", "GET fetch refused"]
    assert output("examples.shop_page").splitlines() == shown


def test_an_agent() -> None:
    text = output("examples.agent")
    shown = (
        "declare function orders(customer?: string | null): Promise<Order[]>;",
        '"message": "cannot read property \'cents\' of undefined", "file": "turn 2", "line": 3, "column": 44',
        '"class": "CpuLimitExceeded"',
        "--- the answer\nAda spent most: 13348.31",
    )
    assert [each for each in shown if each not in text] == []


def test_very_many_paused_programs_while_workers_are_killed() -> None:
    """`SANDBOX_PAUSED=10000` makes it long; `python -m examples.many` shows how far it is."""
    kills = str(max(int(PAUSED) // 100, 3))
    text = output("examples.many", "--count", PAUSED, "--workers", "2", "--kills", kills)
    killed = re.search(r"resumed [\d,]+ times: [\d,]+ a second, (\d+) workers killed", text)
    assert killed is not None, text
    assert int(killed[1]) > 0
    assert text.endswith("nothing lost, nothing twice\n")
