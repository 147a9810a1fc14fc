"""Pauses, outcomes and paused calls as values: pickled, crafted, read."""

from __future__ import annotations

import pickle
from typing import Any

import pytest

from sandbox import (
    Outcome,
    Pause,
    PausedCall,
    Sandbox,
    Snapshot,
)
from sandbox.errors import (
    Paused,
    SnapshotCorrupt,
)
from tests.pause.runs import ASK, paused


@pytest.mark.parametrize(
    "value",
    [
        Pause("why", amount=3),
        Pause(),
        Paused([PausedCall("00", "ask", (1,), "why", {"a": 1}, 2)], None, 2),
        PausedCall("00", "ask", ([1],), "why", {"a": 1}, 2),
        Outcome(paused=(PausedCall("00", "ask"),)),
    ],
    ids=repr,
)
def test_they_can_be_pickled(value: Any) -> None:
    copy = pickle.loads(pickle.dumps(value))
    assert type(copy) is type(value)
    assert repr(copy) == repr(value)
    if isinstance(value, Pause):
        assert (copy.reason, copy.details) == (value.reason, value.details)
    if isinstance(value, Paused):
        assert (copy.calls, copy.run) == (value.calls, value.run)


def test_the_error_travels_with_its_snapshot() -> None:
    with Sandbox(functions=ASK) as box, pytest.raises(Paused) as caught:
        box.eval("await ask(1)")
    arrived = pickle.loads(pickle.dumps(caught.value))
    with Sandbox.restore(arrived.snapshot, functions=ASK) as life:
        assert life.resume(2).unwrap() == 2


def test_a_reason_is_text() -> None:
    with pytest.raises(TypeError, match="reason must be a str"):
        Pause(3)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "change",
    [
        {"pauses": [[99, "00", 2, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b""]]},
        {"pauses": [[2, 0, 2, b"\xc0"]]},
        {"pauses": [[2, "00", -1, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b"\xc0"], [2, "01", 2, b"\xc0"]]},
        {"pauses": "none"},
        {"paused_run": -1},
        {"pauses": [[2, "00", 2, b"\xc0"]]},
        {"pauses": [[2, "00", 2, b"\x93\x01\x02\x03"]]},
        {"pauses": [[2, "00", 2, b"\xff\xff"]]},
    ],
    ids=str,
)
def test_crafted_pauses_are_refused(change: dict[str, Any]) -> None:
    import msgpack

    from sandbox import _snapshot_format

    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    packed = _snapshot_format.read(outcome.snapshot.to_bytes(), None)
    (pause,) = packed.state["host"]["pauses"]
    change = {
        key: [[pause[0] if row[0] == 2 else row[0], *row[1:]] for row in value] if isinstance(value, list) else value
        for key, value in change.items()
    }
    packed.state["host"].update(change)
    assert msgpack.packb(packed.state)
    data = _snapshot_format.write(packed, None)
    with pytest.raises(SnapshotCorrupt):
        Sandbox.restore(Snapshot.from_bytes(data), functions=ASK).pending  # noqa: B018 - it reads them


def test_a_crafted_run_is_only_a_number() -> None:
    """Whatever run a snapshot says was paused, an answer that nobody waits for ends nothing."""
    from sandbox import _snapshot_format

    outcome = paused("await ask(1)")
    assert outcome.snapshot is not None
    packed = _snapshot_format.read(outcome.snapshot.to_bytes(), None)
    packed.state["host"]["pauses"][0][2] = 77
    packed.state["host"].update(paused_run=78, runs=[])
    with Sandbox.restore(Snapshot.from_bytes(_snapshot_format.write(packed, None)), functions=ASK) as life:
        assert life.resume(1).unwrap() is None
        assert life.eval("2") == 2
