"""What fresh processes measure, on an engine made of Python."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks import fresh, workloads


class CountingEngine:
    """Counts the sandboxes that live; its one answer to anything is `answer`."""

    def __init__(self, answer: int = 2) -> None:
        self.answer = answer
        self.live = 0

    def version(self) -> str:
        return "1"

    def open_session(self, functions: object) -> CountingEngine:
        self.live += 1
        return self

    def eval(self, code: str) -> object:
        return self.answer

    def close(self) -> None:
        self.live -= 1


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> CountingEngine:
    counting = CountingEngine()
    monkeypatch.setattr(fresh, "load", lambda name: counting)
    return counting


def test_first_eval_is_timed_and_closed(engine: CountingEngine) -> None:
    assert fresh.first_eval("any")["seconds"] > 0
    assert engine.live == 0


def test_first_eval_checks_the_answer(engine: CountingEngine) -> None:
    engine.answer = 3
    with pytest.raises(SystemExit, match="gave 3"):
        fresh.first_eval("any")


def test_nothing_of_the_suite_is_timed_beside_the_adapter() -> None:
    program = (
        "import sys; from benchmarks import fresh; fresh.first_eval('portable');"
        "ours = {name for name in sys.modules if name.startswith('benchmarks')};"
        "assert ours == {'benchmarks', 'benchmarks.fresh', 'benchmarks.engines', 'benchmarks.engines.portable'}, ours"
    )
    subprocess.run([sys.executable, "-c", program], check=True, timeout=30, cwd=Path(fresh.__file__).parents[1])


@pytest.mark.parametrize("subject", workloads.COMMANDS)
def test_the_command_is_timed(subject: str) -> None:
    assert 0 < fresh.command(subject)["seconds"] < 30


def test_a_command_that_says_something_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(workloads.COMMANDS, "eval", (["eval", "1"], "2"))
    with pytest.raises(SystemExit, match="sandbox eval 1 printed"):
        fresh.command("eval")


def test_memory_is_what_the_sandboxes_after_the_first_added(
    engine: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    def mapped() -> dict[str, int]:
        return {"rss_bytes": 1000 + 70 * engine.live, "pss_bytes": 500 + 50 * engine.live}

    monkeypatch.setattr(fresh, "_mapped_bytes", mapped)
    assert fresh.memory("any", 20) == {"rss_bytes": 70, "pss_bytes": 50, "count": 20}
    assert engine.live == 21


def test_sandboxes_that_hold_too_much_are_not_opened_further(
    engine: CountingEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        fresh, "_mapped_bytes", lambda: dict.fromkeys(("rss_bytes", "pss_bytes"), engine.live * fresh.MAX_BYTES // 250)
    )
    with pytest.raises(SystemExit, match="300 sandboxes hold more than 8 GB"):
        fresh.memory("any", 10_000)
    assert engine.live == 301


def test_memory_is_read_in_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    smaps = tmp_path / "smaps_rollup"
    smaps.write_text("55d0-7ffe ---p 00000000 00:00 0 [rollup]\nRss:    12 kB\nPss:     7 kB\nPss_Anon:  3 kB\n")
    monkeypatch.setattr(fresh, "_SMAPS", smaps)
    assert fresh._mapped_bytes() == {"rss_bytes": 12 * 1024, "pss_bytes": 7 * 1024}


def test_systems_without_smaps_say_so(engine: CountingEngine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fresh, "_SMAPS", tmp_path / "missing")
    with pytest.raises(SystemExit, match="lacks"):
        fresh.memory("any", 1)
    assert engine.live == 0
