"""What the tests of records share."""

from __future__ import annotations

from pathlib import Path

import sandbox
from sandbox import Replayed, Sandbox
from sandbox.cli._report import json_value


def again(path: Path) -> Replayed:
    """Replay a record, twice."""
    first = sandbox.replay(path).run()
    second = sandbox.replay(path).run()
    assert (first.events, first.turns, first.fuel, first.logs) == (
        second.events,
        second.turns,
        second.fuel,
        second.logs,
    )
    assert list(map(plain, first.results)) == list(map(plain, second.results))
    return first


def plain(value: object) -> str:
    """A value in a form that can be compared: objects of the guest are equal when they look the same."""
    return repr(json_value(value))


def live(box: Sandbox, code: str) -> object:
    """What a program ends with: a value or an exception."""
    try:
        return box.eval(code)
    except sandbox.SandboxError as error:
        return error
