"""Random lives of sandboxes, with hostile programs and real functions of the host, are recorded and lived again.

`SANDBOX_REPLAYS=2000` makes it long.
"""

from __future__ import annotations

import gc
import os
from pathlib import Path
from random import Random
from typing import Any, Final

import pytest

import sandbox
from sandbox import AsyncSandbox, Sandbox
from sandbox._replay.entries import Entry, Kind
from sandbox.errors import RecordError, RecordTruncated
from tests.replay.tamper import entries, tampered
from tests.soak import session
from tests.soak.canary import Canary
from tests.soak.lives import Life
from tests.soak.session import Tally, live

LIVES: Final = int(os.environ.get("SANDBOX_REPLAYS", "40"))
_FIRST: Final = 1000
_SLACK_SECONDS: Final = 1000.0  # what is late is told elsewhere
_PARTS: Final = 4


@pytest.fixture
def recorded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the sandboxes of the soak are recorded."""
    path = tmp_path / "life.record"

    def recorded(make: Any) -> Any:
        return lambda **options: make(**options, record=path)

    monkeypatch.setattr(session, "Sandbox", recorded(Sandbox))
    monkeypatch.setattr(session, "AsyncSandbox", recorded(AsyncSandbox))
    return path


@pytest.mark.parametrize("part", range(_PARTS))
def test_lives_are_lived_again(part: int, recorded: Path) -> None:
    events, complete = 0, 0
    for seed in range(_FIRST + part, _FIRST + LIVES, _PARTS):
        live(Life.from_seed(seed), Canary(), Tally(), _SLACK_SECONDS, lambda _: None)
        gc.collect()
        replayed = 0
        for _ in range(2):
            replayed = 0
            try:
                with sandbox.replay(recorded).start() as moment:
                    while moment.step() is not None:
                        replayed += 1
                complete += 1
            except RecordTruncated:  # it could not be made, or was not closed, and something still knows it
                pass
            except RecordError as error:
                raise AssertionError(f"life {seed} differs: {error}") from error
        events += replayed
    assert events > LIVES // _PARTS * 10
    assert complete > LIVES // _PARTS // 4


def test_one_byte_of_an_answer(recorded: Path) -> None:
    """What is changed is found at that event or later, or has changed nothing that the guest does."""
    numbers, found = Random(_FIRST), 0
    for seed in range(_FIRST, _FIRST + max(10, LIVES // 10)):
        live(Life.from_seed(seed), Canary(), Tally(), _SLACK_SECONDS, lambda _: None)
        gc.collect()
        answers = [index for index, entry in enumerate(entries(recorded)) if entry.kind is Kind.WRITE]
        for at in numbers.sample(answers, min(3, len(answers))):

            def change(index: int, entry: Entry, at: int = at) -> Entry:
                if index != at or len(entry.values[0]) < 2:
                    return entry
                message = bytearray(entry.values[0])
                message[numbers.randrange(1, len(message))] ^= 1 << numbers.randrange(8)
                return Entry(Kind.WRITE, entry.times, (bytes(message),))

            changed = tampered(recorded, change)
            before = number_of_events(recorded, at)
            try:
                sandbox.replay(changed).run()
            except sandbox.errors.ReplayDiverged as error:
                found += 1
                assert error.event >= before - 1
            except RecordError:
                pass
    assert found > 5


def number_of_events(path: Path, end: int) -> int:
    """How many events there are before an entry."""
    from sandbox._replay.timeline import Timeline

    timeline = Timeline()
    for entry in entries(path)[:end]:
        timeline.feed(entry)
    return timeline.count
