"""One case in the process that it may take down: run it, and look at everything that must have been left unharmed."""

from __future__ import annotations

import gc
import resource
import threading
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any, cast

from benchmarks.engines.base import Budget
from benchmarks.hostile.kinds import REFUSALS, TIME
from tests.corpus.case import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from benchmarks.engines.base import BoundedAdapter, BoundedSession, SnapshotAdapter
    from tests.corpus.case import Case

_STATUS = Path("/proc/self/status")
_CLEAR_REFS = Path("/proc/self/clear_refs")
_MAX_TEXT = 160
_JOIN_SECONDS = 5.0
_BREATH_SECONDS = 0.5


class Stage:
    """What a case's driver works with.

    Attributes:
        adapter: The engine.
        case: The case.
        session: The sandbox under attack, with the case's functions and limits.
        threads: Those that may still use a sandbox when the case is over; they are waited for before it is closed.
    """

    def __init__(self, adapter: BoundedAdapter, case: Case) -> None:
        """Open the sandbox.

        Raises:
            NotImplementedError: The engine has no such thing.
        """
        self.adapter = adapter
        self.case = case
        self.threads: list[threading.Thread] = []
        self._opened: list[BoundedSession] = []
        self.session: BoundedSession = self.open(case.functions(self) if case.functions else {})

    def open(self, functions: Mapping[str, Callable[..., Any]] | None = None) -> BoundedSession:
        """Another sandbox under the case's limits."""
        budget = Budget(self.case.memory_bytes, self.case.limit_seconds, self.case.waits)
        session = self.adapter.open_session(functions or {}, budget, self.case.loader)
        self._opened.append(session)
        return session

    def snapshot(self) -> bytes:
        """The sandbox under attack as a snapshot.

        Raises:
            NotImplementedError: The engine has no such thing.
        """
        return self.snapshots().snapshot(self.session)

    def restore(self, data: bytes, functions: Mapping[str, Callable[..., Any]] | None = None) -> BoundedSession:
        """Another sandbox under the case's limits, made of a snapshot.

        Raises:
            NotImplementedError: The engine has no such thing.
        """
        budget = Budget(self.case.memory_bytes, self.case.limit_seconds, self.case.waits)
        session = self.snapshots().restore(data, functions or {}, budget)
        self._opened.append(session)
        return session

    def snapshots(self) -> SnapshotAdapter:
        """The part of the adapter that concerns them.

        Raises:
            NotImplementedError: The engine has no such thing.
        """
        if not hasattr(self.adapter, "restore"):
            raise NotImplementedError("it has no snapshots")
        return cast("SnapshotAdapter", self.adapter)

    def close(self) -> str:
        """Close every sandbox, whatever became of it; "value", or the kind of the first failure."""
        for thread in self.threads:
            thread.join(_JOIN_SECONDS)
        kinds = [self.caught(session.close) for session in reversed(self._opened)]
        return next((kind for kind in kinds if kind not in {"value", "closed"}), "value")

    def caught(self, action: Callable[[], object]) -> str:
        """Do something that may fail; returns "value", or the kind of what was raised."""
        try:
            action()
        except Exception as error:  # noqa: BLE001 - its kind is what is asked for
            return self.adapter.kind_of(error)
        return "value"


class HostSignalError(BaseException):
    """What a host function raises to see whether it comes back; no `Exception`, like Ctrl-C."""


def attempt(adapter: BoundedAdapter, case: Case) -> dict[str, Any]:
    """Put an engine to a case.

    Returns:
        `kind`, of `benchmarks.hostile.kinds`; `text` of the error or the value; `right`, whether the value is one of
        the case's; `seconds` that it took; `bytes` by which resident memory grew; `after`, what became of the sandbox:
        "usable", "dead" (and says so) or what is wrong with it; `other`, the same of a second sandbox; `closing`, how
        closing it went.
    """
    try:
        stage = Stage(adapter, case)
    except NotImplementedError as error:
        return {"kind": NOT_OFFERED, "text": str(error)}
    other = adapter.open_session({})
    other.eval("globalThis.mine = 'mine'; 0")
    if not case.closes:
        stage.session.eval("globalThis.kept = 'kept'; 0")
    gc.collect()
    resident = _reset_peak()
    seconds = _Stopwatch(case.waits)
    found = _outcome(stage, case)
    found |= {"seconds": seconds.read(), "bytes": max(0, _status("VmHWM") - resident)}
    found["after"] = "closed" if case.closes else _state(stage, "'kept'" if case.wipes else "kept")
    found["other"] = _works(adapter, other, "mine")
    found["closing"] = stage.close()
    other.close()
    return found


def _outcome(stage: Stage, case: Case) -> dict[str, Any]:
    session = stage.session
    try:
        if case.driver is not None:
            value = case.driver(stage)
        elif case.how == "take":
            value = session.take(case.code, object)
        else:
            value = getattr(session, case.how)(case.code)
    except NotImplementedError as error:
        return {"kind": NOT_OFFERED, "text": str(error)}
    except HostSignalError as error:
        return {"kind": "host", "text": _cut(error)}
    except BaseException as error:  # noqa: BLE001 - whatever an engine raises is looked at
        return {"kind": stage.adapter.kind_of(error), "text": f"{type(error).__name__}: {_cut(error)}"}
    if isinstance(value, str) and value == NOT_OFFERED:
        return {"kind": NOT_OFFERED, "text": "the guest has no such thing"}
    right = not case.values or any(_same(value, wanted) for wanted in case.values)
    return {"kind": "value", "text": "" if right and case.values else _cut(value), "right": right}


def _same(value: object, wanted: object) -> bool:
    return value == wanted and isinstance(value, bool) == isinstance(wanted, bool)


def _cut(value: object) -> str:
    """The beginning of a value's text; building the whole of it may take all memory there is."""
    if isinstance(value, str | int | float | BaseException | None):
        text = str(value)[:_MAX_TEXT] if not isinstance(value, int) or value.bit_length() < 1000 else "an int"
        return text.encode("ascii", "backslashreplace").decode().splitlines()[0] if text else ""
    return type(value).__name__


def _state(stage: Stage, kept: str) -> str:
    """What became of the sandbox: it works as before, or is dead and says so at every use."""
    first = _works(stage.adapter, stage.session, kept, "kept")
    if first == "usable":
        return first
    is_marked_dead = getattr(stage.adapter, "is_marked_dead", None)
    if is_marked_dead is not None:
        return "dead" if is_marked_dead(stage.session) else first
    time.sleep(_BREATH_SECONDS)  # what was stopped may still be on its way out, on a thread of the engine's
    second, third = (_works(stage.adapter, stage.session, kept, "kept") for _ in range(2))
    says_so = second == third and second.partition(":")[0] in REFUSALS - TIME | {"dead"}
    return "dead" if says_so else third


def _works(adapter: BoundedAdapter, session: BoundedSession, expression: str, wanted: str = "mine") -> str:
    try:
        value = session.eval(f"{expression} + [40, 2].reduce((sum, n) => sum + n)")
    except BaseException as error:  # noqa: BLE001 - whatever an engine raises is looked at
        kind = adapter.kind_of(error)
        return f"{kind}: {type(error).__name__}: {_cut(error)}"
    return "usable" if value == f"{wanted}42" else f"gives {_cut(value)!r}"


class _Stopwatch:
    """Time since it was made: what the process has burnt, or for waits what went by.

    What the process burnt can be more than went by, where an engine has busy threads of its own: the smaller counts.
    """

    def __init__(self, waits: bool) -> None:
        self._waits = waits
        self._cpu, self._wall = time.process_time(), time.perf_counter()

    def read(self) -> float:
        wall, cpu = time.perf_counter() - self._wall, time.process_time() - self._cpu
        return wall if self._waits else min(wall, cpu)


def _reset_peak() -> int:
    """Begin a new peak of resident memory, which is returned; elsewhere than on Linux the peak only ever grows."""
    if not _CLEAR_REFS.exists():
        return _status("VmHWM")
    _CLEAR_REFS.write_text("5", encoding="ascii")
    return _status("VmRSS")


def _status(name: str) -> int:
    if not _STATUS.exists():
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for line in _STATUS.read_text(encoding="ascii", errors="replace").splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) * 1024
    raise OSError(f"/proc/self/status has no {name}")
