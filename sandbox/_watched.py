"""What is told of a run, what it was given and how often it may call, from its first turn to its end, over all pauses.

A run that is paused goes on with the next part. What a snapshot needs of it is one message, of plain values; the
embedder's own objects stay behind.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox._detached import DETACHED
from sandbox._observer import EVERY, Meter, Metered
from sandbox._records import replace
from sandbox._trace import TRACE_OPTIONS, Trace
from sandbox.context import Context, Sync
from sandbox.errors import ConversionError, GuestProtocolError, SnapshotCorrupt
from sandbox.limits import CallLimits, limits_of_run
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox.trace import TraceOption

_SCALARS: Final = frozenset({type(None), bool, int, float, str, bytes})
_PARTS: Final = frozenset({"trace", "names", "began", "code", "sync", "before", "left_out", "limits"})


class Watched(Trace):
    """One part of a run, with what it has from those before.

    Attributes:
        context: What the run was given; None: nothing.
        limits: Of its calls; None: none of its own.
        meter: What it has used of these.
    """

    def __init__(self, options: Collection[TraceOption], context: Context | None, limits: CallLimits | None) -> None:
        """Begin with the first part.

        Args:
            options: What is written down.
            context: See the class.
            limits: See the class.
        """
        super().__init__(options)
        self.context = context
        self.limits = limits
        self.meter: Meter = Meter()

    def next_part(self) -> Watched:
        """What is told after a pause: events of its own, and all else goes on."""
        other = Watched(self.options, self.context, self.limits)
        other.meter = self.meter
        self.hand_over(other)
        return other

    def limit(self, max_host_calls: int | None, call_timeout: float | None) -> None:
        """Take limits in place of those it has; of calls, none was made yet.

        Raises:
            TypeError: As `CallLimits`.
            ValueError: Likewise.
        """
        given = limits_of_run(max_host_calls, call_timeout)
        if given is None:
            return
        old = self.limits or CallLimits()
        if max_host_calls is not None:
            self.meter = Meter()
        self.limits = replace(
            old,
            calls=old.calls if max_host_calls is None else given.calls,
            timeout=old.timeout if call_timeout is None else given.timeout,
        )

    def count_in(self, run: Metered) -> None:
        """Have a run use what its limits have left."""
        run.meters[EVERY] = self.meter

    # --- as a part of snapshots ---

    def save(self) -> bytes:
        """All of it but events, in a message."""
        context, limits = self.context, self.limits
        before, left_out = ({}, []) if context is None else _plain(context.before)
        said = {
            "trace": sorted(self.options),
            "names": self.names,
            "began": self.began,
            "code": self._code if "comments" in self.options else "",
            "sync": None if context is None else context.sync,
            "before": before,
            "left_out": left_out,
            "limits": None if limits is None else [limits.calls, self.meter.calls, limits.timeout],
        }
        try:
            return DETACHED.encode(said)
        except ConversionError:  # it is too much for one message: what it was given is not compared then
            return DETACHED.encode({**said, "code": "", "before": {}, "left_out": []})

    @classmethod
    def load(cls, message: bytes) -> Self:
        """Read what `save` gave, believing nothing.

        Raises:
            SnapshotCorrupt: It is none.
        """
        try:
            said = DETACHED.decode(message)
        except (ConversionError, GuestProtocolError) as error:
            raise SnapshotCorrupt("its state has a run that cannot be read") from error
        if not _is_said(said):
            raise SnapshotCorrupt("its state has a run with odd parts")
        limits, calls = None, 0
        if said["limits"] is not None:
            most, calls, timeout = said["limits"]
            try:
                limits = CallLimits(calls=most, timeout=timeout)
            except (TypeError, ValueError) as error:
                raise SnapshotCorrupt("its state has a run with odd limits") from error
        sync: Sync | None = said["sync"]
        left_out = [tuple(path) for path in said["left_out"]]
        context = None if sync is None else Context.restored(sync, said["before"], left_out)
        watched = cls(said["trace"], context, limits)
        watched.meter.calls = calls
        watched.names, watched.began = said["names"], float(said["began"])
        watched.read(said["code"])
        return watched


def _is_said(said: Any) -> bool:  # noqa: ANN401 - whatever was decoded
    if type(said) is not dict or set(said) != _PARTS:
        return False
    limits, left_out = said["limits"], said["left_out"]
    return (
        _are_texts(said["trace"])
        and set(said["trace"]) <= TRACE_OPTIONS
        and _are_texts(said["names"])
        and type(said["began"]) in (int, float)
        and math.isfinite(said["began"])
        and type(said["code"]) is str
        and said["sync"] in (None, "none", "diff", "inplace")
        and type(said["before"]) is dict
        and type(left_out) is list
        and all(type(path) is list and {str, int}.issuperset(map(type, path)) for path in left_out)
        and (limits is None or (type(limits) is list and len(limits) == 3 and type(limits[1]) is int))
    )


def _are_texts(value: object) -> bool:
    return type(value) is list and {str}.issuperset(map(type, value))


def _plain(before: Mapping[str, Any]) -> tuple[dict[str, Any], list[list[str | int]]]:
    """What a program was given as far as it can go along, and the paths of what cannot: functions and other objects."""
    values = dict(before)
    try:
        DETACHED.encode(values)
    except ConversionError:
        left_out: list[list[str | int]] = []
        copy: dict[str, Any] = _without(values, (), left_out, {})
        return copy, left_out
    return values, []


def _without(value: Any, path: tuple[str | int, ...], left_out: list[list[str | int]], copies: dict[int, Any]) -> Any:  # noqa: ANN401 - any value
    if type(value) in _SCALARS:
        return value
    if id(value) in copies:
        return copies[id(value)]
    made: Any
    if type(value) is dict:
        copies[id(value)] = made = {}
        made.update((key, _without(each, (*path, str(key)), left_out, copies)) for key, each in value.items())
        return made
    if type(value) is list or type(value) is tuple:
        copies[id(value)] = made = []
        made += [_without(each, (*path, index), left_out, copies) for index, each in enumerate(value)]
        return made
    try:
        DETACHED.encode(value)
    except ConversionError:
        left_out.append(list(path))
        return undefined
    return value
