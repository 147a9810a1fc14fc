"""The host's half of a snapshot, as plain data: what it knows of a guest that the guest's memory does not say."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any, Final

from sandbox._abi import CAP_MESSAGE_BYTES, FIRST_DYNAMIC_OP, Clock, Mode
from sandbox._records import NamedTuple
from sandbox.errors import SnapshotCorrupt

_MAX_NUMBER: Final = (1 << 53) - 1
_U32: Final = (1 << 32) - 1


class SavedOperation(NamedTuple):
    """Something of the embedder that the guest can call.

    Attributes:
        op: Its number.
        label: Where the embedder has put it, by which it is found again: a global's name, or what the encoding of a
            global comes to, such as `db.find`; empty: it has come in another way, and is lost with its sandbox.
        name: Of the function.
        mode: Whether the guest is answered at once.
        references: Function objects in the guest that stand for it.
        parameters: See `HostOperation`.
    """

    op: int
    label: str
    name: str
    mode: int
    references: int
    parameters: int


class SavedRequest(NamedTuple):
    """Something the guest waits for.

    Attributes:
        number: Of the request, in the guest.
        op: What was asked for; 0: the host's own awaitable.
        name: Of that.
        at_ms: When it is due; None: it waits for no time.
        message: The arguments, as the guest sent them; None: the host did not keep them.
        answer: The answer that the guest has not been told, as a message; None: there is none yet.
        outcome: Of the answer; a `Status`.
    """

    number: int
    op: int
    name: str
    at_ms: float | None = None
    message: bytes | None = None
    answer: bytes | None = None
    outcome: int = 0


class SavedPause(NamedTuple):
    """Why a request has no answer: a host function has paused it; see `Suspension`.

    Attributes:
        number: Of the request.
        token: Of the pause.
        run: The number of the run that was paused.
        message: What the function said.
    """

    number: int
    token: str
    run: int
    message: bytes


class SavedRun(NamedTuple):
    """What is asked of a run beyond its value.

    Attributes:
        number: Of the run.
        message: See `Watched.save`.
    """

    number: int
    message: bytes


class State(NamedTuple):
    """All of it.

    Attributes:
        clock: Which one the guest reads; a `Clock`.
        now_ms: The time on it.
        resolution_ms: Its steps.
        locale: Of the sandbox.
        time_zone: Likewise.
        is_seeded: Whether its random numbers were made repeatable.
        last_run: The highest number of a run.
        runs: Those that nobody has seen the end of.
        abandoned: Those that the guest is to forget.
        next_op: The number of the next operation.
        next_exception: Likewise of exceptions that are kept.
        next_request: Likewise of requests of the host's own.
        names: Globals that the embedder has set.
        handles: What the host still needs of what it held of the guest.
        operations: What the guest holds.
        requests: What it waits for, in order.
        pauses: Which of these the host has paused.
        paused_run: The number of the run that was paused, where that is why there is a snapshot; else 0.
        watched: Those of the runs that are told of.
        capabilities: What each capability notes of itself, by stem.
    """

    clock: int
    now_ms: float
    resolution_ms: int
    locale: str | None
    time_zone: str
    is_seeded: bool
    last_run: int
    runs: tuple[int, ...]
    abandoned: tuple[int, ...]
    next_op: int
    next_exception: int
    next_request: int
    names: tuple[str, ...]
    handles: tuple[int, ...]
    operations: tuple[SavedOperation, ...]
    requests: tuple[SavedRequest, ...]
    pauses: tuple[SavedPause, ...]
    paused_run: int
    watched: tuple[SavedRun, ...]
    capabilities: dict[str, Any]

    def plain(self) -> dict[str, Any]:
        """It as maps, arrays and scalars."""
        values = self._asdict()
        return {**values, **{name: _rows(values[name]) for name in _ROWS}}

    @classmethod
    def from_plain(cls, plain: object) -> State:
        """Read it, believing nothing.

        Raises:
            SnapshotCorrupt: That is no state.
        """
        if type(plain) is not dict or set(plain) != set(_CHECKS):
            raise SnapshotCorrupt("its state has other parts")
        for name, is_right in _CHECKS.items():
            if not is_right(plain[name]):
                raise SnapshotCorrupt(f"its state has no valid {name}")
        values: dict[str, Any] = {key: tuple(value) if type(value) is list else value for key, value in plain.items()}
        values.update((name, tuple(kind(*row) for row in plain[name])) for name, kind in _ROWS.items())
        asked = {request.number for request in values["requests"] if request.message is not None}
        if not asked.issuperset(pause.number for pause in values["pauses"]):
            raise SnapshotCorrupt("its state has a pause of no call")
        values["now_ms"] = float(values["now_ms"])
        return cls(**values)


_ROWS: Final[dict[str, Callable[..., Any]]] = {
    "operations": SavedOperation,
    "requests": SavedRequest,
    "pauses": SavedPause,
    "watched": SavedRun,
}


def _rows(items: Iterable[Any]) -> list[list[Any]]:
    return [list(item) for item in items]


_Check = Callable[[Any], bool]


def _whole(least: int, most: int) -> _Check:
    return lambda value: type(value) is int and least <= value <= most


def _is_text(value: object) -> bool:
    return type(value) is str


def _is_time(value: object) -> bool:
    return type(value) in (int, float) and not math.isnan(value)  # type: ignore[arg-type] # a number


def _is_message(value: object) -> bool:
    return type(value) is bytes and 0 < len(value) <= CAP_MESSAGE_BYTES


def _or_none(check: _Check) -> _Check:
    return lambda value: value is None or check(value)


def _all(check: _Check) -> _Check:
    return lambda value: type(value) is list and all(map(check, value)) and len(set(value)) == len(value)


def _table(*checks: _Check) -> _Check:
    """Whether it is rows of these, whose first parts differ."""

    def is_right(value: object) -> bool:
        if type(value) is not list:
            return False
        for row in value:
            if type(row) is not list or len(row) != len(checks):
                return False
            if not all(check(part) for check, part in zip(checks, row, strict=True)):
                return False
        return len({row[0] for row in value}) == len(value)

    return is_right


_is_number: Final = _whole(0, _MAX_NUMBER)
_is_id: Final = _whole(1, _U32)
_CHECKS: Final[dict[str, _Check]] = {
    "clock": _whole(0, max(Clock)),
    "now_ms": lambda value: _is_time(value) and 0 <= value < _MAX_NUMBER,
    "resolution_ms": _whole(0, 3_600_000),
    "locale": _or_none(_is_text),
    "time_zone": _is_text,
    "is_seeded": lambda value: type(value) is bool,
    "last_run": _whole(0, 1 << 31),
    "runs": _all(_is_id),
    "abandoned": _all(_is_id),
    "next_op": _whole(FIRST_DYNAMIC_OP, 1 << 31),
    "next_exception": _whole(1, _MAX_NUMBER),
    "next_request": _is_id,
    "names": _all(_is_text),
    "handles": _all(_is_id),
    "operations": _table(
        _whole(FIRST_DYNAMIC_OP, (1 << 31) - 1), _is_text, _is_text, _whole(0, max(Mode)), _is_id, _is_number
    ),
    "requests": _table(
        _is_id,
        _whole(0, (1 << 31) - 1),
        _is_text,
        _or_none(_is_time),
        _or_none(_is_message),
        _or_none(_is_message),
        _whole(0, 4),
    ),
    "pauses": _table(_is_id, _is_text, _whole(0, _U32), _is_message),
    "paused_run": _whole(0, _U32),
    "watched": _table(_is_id, _is_message),
    "capabilities": lambda value: type(value) is dict and all(map(_is_text, value)),
}
