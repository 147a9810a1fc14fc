"""What a snapshot has of a run that is told of: all of it, and nothing that is believed."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from sandbox import JSMap, expose, undefined
from sandbox._codec import Codec
from sandbox._detached import DETACHED, Detached
from sandbox._watched import Watched
from sandbox.context import Context, Sync
from sandbox.errors import SnapshotCorrupt
from sandbox.limits import CallLimits, Limits

CYCLE: list[Any] = [1]
CYCLE.append(CYCLE)


class Thing:
    x = 1


# What a program was given, what is kept of that, and the paths of what is not.
GIVEN: dict[str, tuple[Any, Any, set[tuple[str | int, ...]]]] = {
    "plain values": ({"a": [1, 2.5, None, True, "x", b"y"]}, {"a": [1, 2.5, None, True, "x", b"y"]}, set()),
    "tuples, with a function": ((1, (2,), len), [1, [2], undefined], {("v", 2)}),
    "a date": (datetime(2020, 1, 1, tzinfo=UTC), datetime(2020, 1, 1, tzinfo=UTC), set()),
    "a function": (len, undefined, {("v",)}),
    "a function inside": ({"f": [1, len]}, {"f": [1, undefined]}, {("v", "f", 1)}),
    "an exposed object": ({"o": expose(Thing(), "x"), "n": 1}, {"o": undefined, "n": 1}, {("v", "o")}),
    "a map of functions": ({"m": JSMap([(1, len)])}, {"m": undefined}, {("v", "m")}),
    "what is no value at all": ({"o": object()}, {"o": undefined}, {("v", "o")}),
}


def _listed(value: Any) -> Any:
    """As it comes back."""
    return list(value) if type(value) is tuple else value


@pytest.mark.parametrize(("given", "kept", "left_out"), GIVEN.values(), ids=GIVEN)
def test_what_goes_along(given: Any, kept: Any, left_out: set[tuple[str | int, ...]]) -> None:
    watched = Watched({"calls", "variables"}, Context({"v": given}, "diff"), CallLimits(calls=7, timeout=1.5))
    watched.names, watched.meter.calls = ["a", "b"], 3
    again = Watched.load(watched.save())
    assert (again.options, again.names, again.began) == (watched.options, ["a", "b"], watched.began)
    assert (again.limits, again.meter.calls) == (CallLimits(calls=7, timeout=1.5), 3)
    assert again.context is not None
    assert (again.context.sync, again.context.before) == ("diff", {"v": kept})
    again.context.after = {"v": list(map(_listed, given)) if type(given) is tuple else given}
    assert again.context.conclude() == ()  # and what was left out is not compared
    assert {tuple(path) for path in DETACHED.decode(watched.save())["left_out"]} == left_out


def test_what_holds_itself() -> None:
    for given in ([CYCLE], [CYCLE, len]):
        again = Watched.load(Watched((), Context({"v": given}, "diff"), None).save())
        assert again.context is not None
        (inner, *_) = again.context.before["v"]
        assert inner[1] is inner


@pytest.mark.parametrize("sync", ["none", "diff", "inplace"])
def test_nothing_is_kept_that_is_not_compared(sync: Sync) -> None:
    again = Watched.load(Watched((), Context({"v": 1}, sync), None).save())
    assert again.context is not None
    assert again.context.watched == (() if sync == "none" else ("v",))
    assert Watched.load(Watched((), None, None).save()).context is None


def test_what_is_too_much_for_a_message_is_left_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox._watched.DETACHED", Codec(Detached(), Limits(max_nodes=100)))
    again = Watched.load(Watched({"calls"}, Context({"v": list(range(200))}, "diff"), None).save())
    assert again.context is not None
    assert again.options == {"calls"}
    assert again.context.watched == ()


def said(**changes: Any) -> bytes:
    """A message with other parts."""
    watched = Watched({"calls"}, Context({"v": 1}, "diff"), CallLimits(calls=1))
    return DETACHED.encode({**DETACHED.decode(watched.save()), **changes})


ODD: dict[str, bytes] = {
    "no message": b"",
    "no map": DETACHED.encode([1]),
    "another part": said(more=1),
    "options that there are not": said(trace=["everything"]),
    "options that are no texts": said(trace=[1]),
    "names that are none": said(names=[1]),
    "no time": said(began="now"),
    "a time that is none": said(began=float("nan")),
    "no code": said(code=None),
    "no mode": said(sync="both"),
    "no values": said(before=[1]),
    "paths that are none": said(left_out=[1]),
    "paths of other steps": said(left_out=[[None]]),
    "limits that are none": said(limits=[1]),
    "negative limits": said(limits=[-1, 0, None]),
    "no number of calls": said(limits=[1, "a", None]),
    "no timeout": said(limits=[1, 0, 0]),
}


@pytest.mark.parametrize("message", ODD.values(), ids=ODD)
def test_other_messages_are_refused(message: bytes) -> None:
    with pytest.raises(SnapshotCorrupt):
        Watched.load(message)
