"""A short soak, and that one tells what goes wrong: a check that cannot fail would be none."""

from __future__ import annotations

import gc
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import pytest
from rich.console import Console

from sandbox import Limits, Sandbox
from sandbox.errors import EngineCrashed, GuestProtocolError, SandboxBusy, SandboxClosed
from tests.soak import __main__ as command
from tests.soak import report
from tests.soak.canary import Canary
from tests.soak.lives import Life, Step
from tests.soak.session import InvariantBroken, Tally, live
from tests.soak.supervisor import Order, supervise

if TYPE_CHECKING:
    from pathlib import Path

_SLACK_SECONDS = 20.0  # other tests may run beside these


class _NoCanary(Canary):
    """One that hears nothing: what is under test would stop it too."""

    def __init__(self) -> None: ...

    def check(self) -> None: ...

    def carry(self, value: Any) -> None: ...


def _live(life: Life) -> None:
    live(life, _NoCanary(), Tally(), _SLACK_SECONDS, lambda step: None)
    gc.collect()


def test_a_short_soak(tmp_path: Path) -> None:
    result = supervise(Order(seed=1, threads=4, seconds=30, lives=120, slack_seconds=_SLACK_SECONDS), tmp_path)
    assert result.failures == []
    assert result.is_complete
    assert result.tally["sandboxes"] == 120
    outcomes = result.tally["outcomes"]
    expected = {"value", "JSError", "JSSyntaxError", "answers afterwards", "WallLimitExceeded", "MemoryLimitExceeded"}
    assert not expected - set(outcomes)
    assert result.samples[-1].programs == result.tally["programs"] > 200


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main([f"--output={tmp_path}", "--lives=3", "--minutes=0.2", f"--slack={_SLACK_SECONDS}"]) == 0
    assert "everything held" in capsys.readouterr().out
    assert {"soak.json", "journal"} <= {path.name for path in tmp_path.iterdir()}
    assert command.main(["--life", "1", "2", f"--slack={_SLACK_SECONDS}"]) == 0
    assert "life 2: " in capsys.readouterr().out


def test_a_crash_leaves_behind_what_was_running(tmp_path: Path) -> None:
    order = Order(seed=1, threads=4, seconds=5, lives=None, slack_seconds=1)
    result = supervise(order, tmp_path, worker="tests.soak.crashing_worker")
    assert not result.is_complete
    assert not result.is_good
    before, crash = result.failures
    assert before["title"] == "before"
    assert crash["title"] == "the process ended (SIGABRT) in life 7 at step 2, life 8 at step 0"
    assert "crashing_worker.py" in crash["traceback"]
    console = Console(record=True, width=120, quiet=True)
    report.show(result, console)


@pytest.mark.parametrize(
    "kind", [EngineCrashed, GuestProtocolError, SandboxBusy, SandboxClosed, ValueError, RecursionError]
)
def test_what_must_not_be_raised_is_a_finding(kind: type[Exception], monkeypatch: pytest.MonkeyPatch) -> None:
    def raises(*_: object, **__: object) -> None:
        raise kind("this")

    monkeypatch.setattr(Sandbox, "eval", raises)
    with pytest.raises(kind, match=r"^this$"):
        _live(_life("blocking"))


def _life(face: str) -> Life:
    """A life of some programs, on a face, with ordinary limits."""
    plans = (Life.from_seed(seed) for seed in range(1000))
    life = next(life for life in plans if life.face == face and len(life.steps) > 2)
    return replace(life, limits=Limits(cpu_seconds=0.05, wall_seconds=0.5))


def test_a_wrong_answer_is_a_finding(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Sandbox, "eval", lambda self, code, **options: 3)
    with pytest.raises(InvariantBroken, match=r"1 \+ 1 is 3"):
        _live(_life("blocking"))


def test_a_late_end_is_a_finding() -> None:
    life = replace(_life("blocking"), steps=(Step("eval", "for (;;);", 1),))
    with pytest.raises(InvariantBroken, match="s of CPU time, with a limit of"):
        live(life, _NoCanary(), Tally(), -1.0, lambda step: None)


def test_a_canary_notices() -> None:
    canary = Canary()
    canary.check()
    canary.carry({"a": [1, -0.0, {"b": None}]})
    with pytest.raises(AssertionError), pytest.MonkeyPatch.context() as patch:
        patch.setattr(canary, "_carry", lambda value: 1)
        canary.carry(1.0)
    canary.box.eval("count = 0")
    with pytest.raises(AssertionError):
        canary.check()
    canary.close()
