"""Everything this package raises.

    SandboxError
    ├── GuestError                       the program failed; its author is to blame
    │   ├── JSError                      it threw: name, message, stack, frames, cause, properties, value
    │   │   ├── JSSyntaxError            it could not be parsed
    │   │   └── UnhandledRejection       nobody handled a promise's rejection
    │   ├── Stalled                      it waits for what can never happen
    │   └── NotServing                   it answers no requests
    ├── LimitExceeded                    a budget ran out: limit, used, unit
    │   ├── MemoryLimitExceeded
    │   ├── FuelLimitExceeded
    │   ├── CpuLimitExceeded             also a TimeoutError
    │   ├── WallLimitExceeded            also a TimeoutError
    │   ├── StackLimitExceeded
    │   ├── OutputLimitExceeded
    │   └── CallLimitExceeded            it asked more of the host than `call_limits` allows: op
    ├── CapabilityError                  the host refused or failed a request of the guest: op
    │   ├── CapabilityDenied             also a PermissionError
    │   └── HostCallFailed               the original exception is the `__cause__`
    ├── Paused                           a host function has paused it: calls, snapshot, run
    ├── RunInterrupted                   the embedder called `interrupt`, or another run was rolled back
    ├── GuestProtocolError               the guest broke the ABI; the sandbox is poisoned
    ├── EngineCrashed                    the engine trapped; the sandbox is poisoned, or rolled back
    ├── PoolFull                         as many wait for a sandbox of the pool as may
    ├── PoolTimeout                      none came free in time; also a TimeoutError
    ├── WorkerLost                       the process that ran a job ended before it had an answer: attempts
    ├── RemoteError                      a daemon could not do it: `sandbox.remote.errors` has these
    ├── ArtifactError                    the compiled guest is missing, or made for another ABI
    ├── SnapshotError                    a snapshot cannot be used here: missing
    │   ├── SnapshotCorrupt              it is damaged, or none
    │   ├── SnapshotMismatch             it was taken of another guest, or by another version
    │   └── SnapshotUntrusted            it is not signed with the key that was given
    ├── RecordError                      a record is damaged, or was made with another image
    │   ├── RecordTruncated              it ends before its run did
    │   └── ReplayDiverged               the guest did something else: event, expected, actual, line
    └── UsageError                       the embedder is to blame
        ├── SandboxClosed
        ├── SandboxBusy                  a turn is running, on this thread or another
        │   └── NamespaceInUse           somebody else has the sandbox of this name
        ├── SandboxPoisoned              an earlier failure left the guest unusable
        └── ConversionError              a value that cannot cross: path, reason; also a TypeError

Which limit was reached is decided from facts of the host, never from what the guest says. Every error can be pickled;
what belongs to a live sandbox becomes text then, and an exception of the host that cannot be pickled is left out.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self

from sandbox._origins import Located, Traceable
from sandbox._portable import Portable
from sandbox._stack import Frame
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox.pause import PausedCall

__all__ = [
    "ArtifactError",
    "CallLimitExceeded",
    "CapabilityDenied",
    "CapabilityError",
    "ConversionError",
    "CpuLimitExceeded",
    "EngineCrashed",
    "Frame",
    "FuelLimitExceeded",
    "GuestError",
    "GuestProtocolError",
    "HostCallFailed",
    "JSError",
    "JSSyntaxError",
    "LimitExceeded",
    "MemoryLimitExceeded",
    "NamespaceInUse",
    "NotServing",
    "OutputLimitExceeded",
    "Paused",
    "PoolFull",
    "PoolTimeout",
    "RecordError",
    "RecordTruncated",
    "ReplayDiverged",
    "RunInterrupted",
    "SandboxBusy",
    "SandboxClosed",
    "SandboxError",
    "SandboxPoisoned",
    "SnapshotCorrupt",
    "SnapshotError",
    "SnapshotMismatch",
    "SnapshotUntrusted",
    "StackLimitExceeded",
    "Stalled",
    "UnhandledRejection",
    "UsageError",
    "WallLimitExceeded",
    "WorkerLost",
]


ErrorDetail = Literal["class", "message", "traceback"]
"""What the guest sees of an exception of the host: its class and a fixed text, its message, or its traceback too."""


class SandboxError(Portable, Exception):
    """Base of everything this package raises.

    Attributes:
        rolled_back: Whether nothing of the run that raised it is left in the sandbox; see `on_limit` of `Sandbox`.
    """

    rolled_back: bool = False
    _text: ClassVar[str] = ""

    def __init__(self, text: str = "") -> None:
        super().__init__(text or self._text)


class GuestError(SandboxError):
    """The guest's program failed. What it says is the guest's own text: safe to show to its author."""


class JSError(Traceable, GuestError):
    """An Error of the guest, or something else that it threw.

    As a value (`eval("new Error('x')")`) and as an exception it is the same class; it goes back into the guest as the
    Error it was. When a host function's exception came back through the guest, that exception is the `__cause__`.

    Attributes:
        name: The Error's `name`, such as `"TypeError"`; empty when something else was thrown.
        message: The Error's message, or a short text of what was thrown.
        stack: The guest's stack as text, one call a line; may be empty.
        properties: The Error's own properties beyond these, `cause` and `errors` among them.
        js_class: The built-in class it is an instance of, whatever its `name` says.
        sources: Sources by file name, of the sandbox; once `frames` was read, also what they point into.
        frames: The stack, parsed, in terms of what a program was made from; see `docs/errors.md`.
        place: The innermost frame in the program, whose column counts characters; None: it is not known.
        hint: What to do about it, where that is known: of a program in Markdown, or in another language than was said.
    """

    def __init__(
        self,
        message: str = "",
        *,
        name: str = "Error",
        stack: str = "",
        js_class: str = "Error",
        properties: Mapping[str, Any] | None = None,
    ) -> None:
        super().__init__(message)
        self.name = name
        self.message = message
        self.stack = stack
        self.js_class = js_class
        self.properties: dict[str, Any] = dict(properties or {})
        self.sources: Mapping[str, str] = {}

    @classmethod
    def from_thrown(cls, value: object) -> Self:
        """Wrap whatever the guest threw: an Error keeps all it has, anything else becomes `value`."""
        if isinstance(value, JSError):
            error = cls.__new__(cls, *value.args)
            error.__dict__.update(value.__dict__)
            error.__cause__ = value.__cause__
            return error
        from sandbox._brief import brief  # who raises an error has the time for it

        error = cls(brief(value), name="", js_class="")
        error.__dict__["_thrown"] = value
        return error

    @property
    def value(self) -> Any:  # noqa: ANN401 - a guest may throw anything
        """What was thrown: this error itself, or the value that was not an Error (`throw 42`)."""
        return self.__dict__.get("_thrown", self)

    @property
    def cause(self) -> Any:  # noqa: ANN401 - a cause may be anything
        """The Error's `cause`, `undefined` when it has none."""
        return self.properties.get("cause", undefined)

    def _shown(self, source: str | None, *, color: bool, columns: int | None) -> str:
        from sandbox import _causes  # for terminals only

        shown = _causes.render(self, source, color=color, columns=columns)
        return f"{shown}\nhint: {self.hint}" if self.hint else shown

    def __str__(self) -> str:
        return ": ".join(part for part in (self.name, self.message) if part) or "Error"

    def __repr__(self) -> str:
        return f"{type(self).__name__}({str(self)!r})"


class JSSyntaxError(JSError):
    """The guest's program, or a text it evaluated, is not JavaScript. The first frame says where."""


class UnhandledRejection(JSError):
    """A promise of the guest was rejected and nobody handled it. The reason is this error, or its `value`."""


class Stalled(Located, GuestError):
    """The program waits for a promise that nothing can settle any more: no job, timer or host call is left.

    Attributes:
        stack: Where it waits, as a stack of asynchronous functions: the innermost `await` first; empty: in none.
        frames: The same, parsed; see `JSError`.
        place: Likewise.
    """

    def __init__(self, detail: str = "") -> None:
        text = "the program waits for a promise that can never settle: no timer and no host call is pending"
        super().__init__(f"{text} ({detail})" if detail else text)
        self.detail = detail

    def _portable_state(self, done: dict[int, Any], depth: int) -> tuple[Any, Any]:
        self._settle_frames()
        return super()._portable_state(done, depth)


class NotServing(GuestError):
    """The program answers no requests: it has not called `serve`, and exports no `default` with a `fetch`."""

    _text: ClassVar[str] = "the program answers no requests: it must call serve({fetch}), or export default {fetch}"


class LimitExceeded(SandboxError):
    """A budget ran out.

    Attributes:
        limit: The budget.
        used: What was used when it was noticed, None when that is not known; may be slightly above the limit.
        unit: Of both: `"bytes"`, `"seconds"`, `"fuel"`.
        advice: What to do about it.
    """

    resource: ClassVar[str] = "resource"
    default_unit: ClassVar[str] = ""
    default_advice: ClassVar[str] = "Raise the limit, or give the program less to do."

    def __init__(self, limit: float, used: float | None = None, unit: str = "", *, advice: str = "") -> None:
        self.limit: float = limit
        self.used: float | None = used
        self.unit: str = unit or self.default_unit
        self.advice: str = advice or self.default_advice
        from sandbox._brief import amount  # as for `JSError`

        spent = "" if used is None else f" ({amount(used, self.unit)} used)"
        super().__init__(f"the {self.resource} limit of {amount(limit, self.unit)} was reached{spent}. {self.advice}")


class MemoryLimitExceeded(LimitExceeded):
    """The guest needed more memory than it may have."""

    resource = "memory"
    default_unit = "bytes"
    default_advice = "Raise Limits.memory_bytes, or let the program hold less at one time."


class FuelLimitExceeded(LimitExceeded):
    """The guest ran more instructions than it may. Deterministic: it happens at the same place every time."""

    resource = default_unit = "fuel"
    default_advice = "Raise Limits.fuel, or give the program less to do."


class CpuLimitExceeded(LimitExceeded, TimeoutError):
    """The guest ran longer than it may, waits for the host not counted."""

    resource = "CPU time"
    default_unit = "seconds"
    default_advice = "Raise Limits.cpu_seconds, or give the program less to do."


class WallLimitExceeded(LimitExceeded, TimeoutError):
    """The run took longer than it may, waits for the host and for timers included."""

    resource = "wall time"
    default_unit = "seconds"
    default_advice = "Raise Limits.wall_seconds or the call's timeout, or make what the program waits for faster."


class StackLimitExceeded(LimitExceeded):
    """The guest's stack ended where the engine could not turn that into a RangeError of the program's own."""

    resource = "stack"
    default_unit = "bytes"
    default_advice = "Raise Limits.stack_bytes, or let the program recurse less deeply."


class OutputLimitExceeded(LimitExceeded):
    """The guest wrote more to the console than it may."""

    resource = "output"
    default_unit = "bytes"
    default_advice = "Raise Limits.output_bytes, or let the program print less."


class CallLimitExceeded(LimitExceeded):
    """The guest asked the host for more than it may: for too many calls, bytes, or seconds of work.

    Attributes:
        op: What it asked for last, such as `"fetch"`.
    """

    resource = "host call"
    default_unit = "calls"
    default_advice = "Raise the call limit, or let the program ask for less."

    def __init__(
        self, limit: float, used: float | None = None, unit: str = "", *, advice: str = "", op: str = ""
    ) -> None:
        super().__init__(limit, used, unit, advice=advice)
        self.op = op


class CapabilityError(SandboxError):
    """A request of the guest was refused or failed on the host. The guest saw only a class and a text from a table.

    Attributes:
        op: The operation, such as `"fetch.open"`.
        reason: Why, in words for the embedder.
    """

    def __init__(self, op: str, reason: str) -> None:
        super().__init__(f"{op}: {reason}")
        self.op: str = op
        self.reason: str = reason


class CapabilityDenied(CapabilityError, PermissionError):
    """No grant of the sandbox allows what the guest asked for, or a hook has denied it."""


class HostCallFailed(CapabilityError):
    """A host function failed in a way that is not the guest's business; the original is the `__cause__`."""


class Paused(SandboxError):
    """A host function has raised `Pause`: the run waits for an answer, and goes on with `resume`.

    Attributes:
        calls: The calls that wait for answers.
        snapshot: The sandbox at this moment, to go on from, elsewhere and later.
        run: The number of the run.
    """

    def __init__(self, calls: Sequence[PausedCall] = (), snapshot: Any = None, run: int = 0) -> None:  # noqa: ANN401 - a `Snapshot`, of a layer above
        super().__init__("the run is paused: " + "; ".join(f"{call.name}: {call.reason}" for call in calls))
        self.calls: tuple[PausedCall, ...] = tuple(calls)
        self.snapshot: Any = snapshot
        self.run: int = run


class RunInterrupted(SandboxError):
    """`Sandbox.interrupt` ended the run, or the rollback of another run that was in progress."""

    _text: ClassVar[str] = "the run was interrupted"


class GuestProtocolError(SandboxError):
    """The guest broke the ABI: it owns its engine, or this package has a bug. The sandbox is poisoned."""


class EngineCrashed(SandboxError):
    """The engine trapped for no reason that a limit explains.

    Its heap may be damaged: the sandbox is poisoned, or rolled back with `on_limit="rollback"`.
    """


class PoolFull(SandboxError):
    """As many wait for a sandbox of the pool as may: `max_waiting`."""


class PoolTimeout(SandboxError, TimeoutError):
    """No sandbox of the pool came free in time."""


class WorkerLost(SandboxError):
    """The process that ran a job ended before it had an answer: it was killed, ran out of memory, or crashed.

    Attributes:
        attempts: How often the job was begun.
    """

    def __init__(self, attempts: int = 1) -> None:
        again = f", {attempts} times in a row" if attempts > 1 else ""
        super().__init__(f"the process that ran the job ended before it had an answer{again}")
        self.attempts = attempts


class ArtifactError(SandboxError):
    """The compiled guest cannot be used: it is missing, damaged, or made for another ABI. Build it again."""


class SnapshotError(SandboxError):
    """A snapshot cannot be restored here. Nothing was made.

    Attributes:
        missing: Names of host functions that its guest holds and that were not given.
    """

    _text: ClassVar[str] = "the snapshot cannot be restored here"

    def __init__(self, text: str = "", missing: Sequence[str] = ()) -> None:
        super().__init__(text)
        self.missing: tuple[str, ...] = tuple(missing)


class SnapshotCorrupt(SnapshotError):
    """The bytes are no snapshot, were cut off or changed, or say what cannot be."""

    _text: ClassVar[str] = "the snapshot is damaged"


class SnapshotMismatch(SnapshotError):
    """The snapshot was taken of another build of the guest, or by another version of this package."""

    _text: ClassVar[str] = "the snapshot is of another version"


class SnapshotUntrusted(SnapshotError):
    """A key was given, and the snapshot is not signed with it."""

    _text: ClassVar[str] = "the snapshot is not signed with the key"


class RecordError(SandboxError):
    """A record cannot be replayed: it is damaged, or was made with another image; or could not be written on."""


class RecordTruncated(RecordError):
    """A record ends before its run did: its process ended, or still writes. What there is of it was replayed."""

    _text: ClassVar[str] = "the record was cut off"


class ReplayDiverged(RecordError):
    """The guest did not do what its record says.

    Attributes:
        event: The number of the last event before.
        expected: What the record says, in a few words.
        actual: What the guest did.
        line: Where its program was, as its stack says, innermost first; empty when that cannot be known.
    """

    def __init__(self, event: int, expected: str, actual: str, line: str = "") -> None:
        place = f"\n{line}" if line else ""
        super().__init__(f"after event {event:,} the record has {expected}, but the guest {actual}{place}")
        self.event: int = event
        self.expected: str = expected
        self.actual: str = actual
        self.line: str = line


class UsageError(SandboxError):
    """The embedder used this package in a way it does not allow. Nothing was changed."""


class SandboxClosed(UsageError):
    """The sandbox, or the function's sandbox, was closed."""

    _text: ClassVar[str] = "the sandbox is closed"


class SandboxBusy(UsageError):
    """A turn is running: a sandbox serves one turn at a time."""

    _text: ClassVar[str] = "the sandbox is running; it serves one turn at a time"


class NamespaceInUse(SandboxBusy):
    """Somebody else uses this namespace: one at a time does."""


class SandboxPoisoned(UsageError):
    """An earlier crash, or a limit with `on_limit="poison"`, left the heap in an unknown state; make a new sandbox."""

    _text: ClassVar[str] = "the sandbox was poisoned by an earlier failure; make a new one"


class ConversionError(UsageError, TypeError):
    """A value cannot cross between Python and the guest.

    Attributes:
        path: Where in the value, as in `$.users[3].name`; `$` is the value itself.
        reason: What cannot cross, and why.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(f"{reason} (at {path})")
        self.path = path
        self.reason = reason
