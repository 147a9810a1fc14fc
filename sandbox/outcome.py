"""What became of a run, as a value."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox._records import field, record
from sandbox.errors import ConversionError, JSError, Paused, SandboxError, Stalled, UsageError
from sandbox.limits import Usage
from sandbox.stop import Stop, stop_in
from sandbox.trace import CallEvent, CommentEvent, ConsoleEvent, Event, Mutation, Unavailable, Variables

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._driver import Steps
    from sandbox._execution import Execution
    from sandbox._runs import Run
    from sandbox.pause import PausedCall
    from sandbox.previews import Style
    from sandbox.snapshot import Snapshot

__all__ = ["Outcome"]

_CODE_LINE: Final = r"[> ] *\d* \|"


@record(frozen=True, slots=True)
class Outcome:
    """What became of a run: it has a value, or failed, or is paused; and how it came to that.

    Attributes:
        value: What it gave; `undefined` if it gave nothing. None also where it failed or is paused.
        error: What it failed with: an error of the program, a limit, or a result that cannot be converted. None: it did
            not fail.
        paused: The calls whose answers it waits for; empty: it is over.
        snapshot: The sandbox as it waits for them. None: it is over.
        usage: What its sandbox has used so far, all runs of this life together.
        stopped: The `Stop` of a host function that has ended it, whose value it gave; None: nobody has.
        events: What it did, in order: console entries, calls of the host, comments. After a pause, since then.
        events_dropped: How many more there were than are kept.
        lines: How often each of its lines was executed, in the order of the first time; empty unless asked for.
        variables: Those that it declares at its top, with the values they had in the end, or have at the pause.
        mutations: What it has changed of the `context` it was given, since it began.
    """

    value: Any = None
    error: SandboxError | None = None
    paused: tuple[PausedCall, ...] = ()
    snapshot: Snapshot | None = None
    usage: Usage = field(default_factory=Usage)
    stopped: Stop | None = None
    events: tuple[Event, ...] = ()
    events_dropped: int = 0
    lines: Mapping[int, int] = field(default_factory=dict)
    variables: Variables = field(default_factory=Variables)
    mutations: tuple[Mutation, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None and not self.paused

    def unwrap(self) -> Any:  # noqa: ANN401 - any value
        """The value.

        Raises:
            SandboxError: The error, if there is one; `Paused`, if it is paused.
        """
        if self.error is not None:
            raise self.error
        if self.paused:
            raise Paused(self.paused, self.snapshot)
        return self.value

    @property
    def calls(self) -> tuple[CallEvent, ...]:
        """The calls of the host among the events."""
        return tuple(event for event in self.events if isinstance(event, CallEvent))

    @property
    def console(self) -> tuple[ConsoleEvent, ...]:
        """The console entries among the events."""
        return tuple(event for event in self.events if isinstance(event, ConsoleEvent))

    def to_dict(self) -> dict[str, Any]:
        """All of it but the snapshot, made of what JSON has; see `json_ready` for values that JSON lacks.

        Parts that are empty are left out, but for `ok`, `value` of a run that has one, and `usage`.
        """
        from sandbox.previews import json_ready

        told: dict[str, Any] = {"ok": self.ok}
        if self.ok:
            told["value"] = json_ready(self.value)
        if self.error is not None:
            told["error"] = _error(self.error)
        if self.stopped is not None:
            told["stopped"] = self.stopped.reason
            told |= {"stopped_at": _place(self.stopped)} if self.stopped.stack else {}
        if self.paused:
            told["paused"] = [
                {"name": each.name, "arguments": json_ready(each.arguments), "reason": each.reason, "token": each.token}
                for each in self.paused
            ]
        if self.events:
            told["events"] = [_event(event) for event in self.events]
        if self.events_dropped:
            told["events_dropped"] = self.events_dropped
        if self.lines:
            told["lines"] = {str(line): count for line, count in self.lines.items()}
        if self.variables:
            told["variables"] = {name: self._variable(name) for name in self.variables}
        if self.mutations:
            told["mutations"] = [
                {"path": list(each.path), "before": json_ready(each.before), "after": json_ready(each.after)}
                for each in self.mutations
            ]
        from dataclasses import asdict  # takes long to import

        told["usage"] = asdict(self.usage)
        return told

    def preview(self, *, max_bytes: int = 4_000, style: Style = "json") -> str:
        """What a model, or a person, wants to know of it, as text of bounded length.

        That is its value, or its error with the place it comes from; what it has written to the console; its calls of
        the host; its variables; what it has changed. Times and usage are left out: `to_dict` has them. What has no room
        is left out as `sandbox.previews.preview` does it, so the text is valid.

        Args:
            max_bytes: The longest text, in bytes of UTF-8; 64 at least.
            style: `"json"`, or `"js"`.

        Raises:
            ValueError: There is no such style, or no room.
        """
        from sandbox.previews import preview

        told: dict[str, Any] = {"ok": self.ok}
        if self.ok:
            told["value"] = self.value
        if self.error is not None:
            told["error"] = _bare(_error(self.error))
        if self.stopped is not None and self.stopped.stack:
            told["stopped"] = {"reason": self.stopped.reason} | _bare(_place(self.stopped))
        if self.paused:
            told["paused"] = [f"{each.name}: {each.reason}" if each.reason else each.name for each in self.paused]
        if self.console:
            told["console"] = [event.text for event in self.console]
        if self.calls:
            told["calls"] = [_call(event) for event in self.calls]
        if self.variables:
            told["variables"] = {
                name: f"<{value.reason}>" if isinstance(value, Unavailable) else value
                for name, value in self.variables.items()
            }
        if self.mutations:
            told["changes"] = {_path(each.path): each.after for each in self.mutations}
        return preview(told, max_bytes=max_bytes, style=style)

    def to_json(self, *, indent: int | None = None) -> str:
        """`to_dict` as text."""
        return json.dumps(self.to_dict(), indent=indent)

    def _variable(self, name: str) -> dict[str, Any]:
        from sandbox.previews import json_ready

        value = self.variables[name]
        told: dict[str, Any] = {"type": self.variables.type(name)}
        return told | ({"reason": value.reason} if isinstance(value, Unavailable) else {"value": json_ready(value)})


def failed(error: SandboxError, usage: Usage) -> Outcome:
    """The outcome of a run that has raised something.

    Raises:
        UsageError: It is the embedder's fault, and the outcome of no program.
    """
    if isinstance(error, Paused):
        return Outcome(paused=error.calls, snapshot=error.snapshot, usage=usage)
    if isinstance(error, UsageError) and not isinstance(error, ConversionError):
        raise error
    return Outcome(error=error, usage=usage)


class Report:
    """Makes the outcome of a run, whichever face runs it.

    Attributes:
        run: The run, once it has begun; None: it never did.
    """

    def __init__(self, steps: Callable[[Run], Steps[Any]], execution: Execution | None = None) -> None:
        """Begin one.

        Args:
            steps: Gives the steps of the run.
            execution: What was asked of the run; None: its value alone.
        """
        self._steps = steps
        self._execution = execution
        self.run: Run | None = None

    def steps(self, run: Run) -> Steps[Any]:
        """The steps of the run."""
        self.run = run
        return self._steps(run)

    @property
    def command(self) -> Command:
        """What a run begins with that takes no steps, since it is inside a host function."""
        assert self._execution is not None
        return self._execution.command

    @staticmethod
    def of_nested(value: object, usage: Usage) -> Outcome:
        """Such a run has given something; nothing of it was watched."""
        return Outcome(value, usage=usage)

    def finished(self, value: object, usage: Usage) -> Outcome:
        """The run has given something."""
        return self._with_trace(Outcome(value, usage=usage))

    def raised(self, error: BaseException, usage: Usage) -> Outcome:
        """The run has raised something.

        Raises:
            BaseException: It is the outcome of no program.
        """
        if (stop := stop_in(error)) is not None:
            return self._with_trace(Outcome(stop.value, usage=usage, stopped=stop))
        if not isinstance(error, SandboxError):
            raise error
        return self._with_trace(failed(error, usage))

    def _with_trace(self, outcome: Outcome) -> Outcome:
        execution = self._execution
        if execution is None:
            return outcome
        trace, context = execution.watched, execution.watched.context
        return Outcome(
            value=outcome.value,
            error=outcome.error,
            paused=outcome.paused,
            snapshot=outcome.snapshot,
            usage=outcome.usage,
            stopped=outcome.stopped,
            events=trace.events(),
            events_dropped=trace.dropped,
            lines={} if self.run is None else trace.lines(self.run.id),
            variables=Variables(execution.variables),
            mutations=() if context is None else context.conclude(is_over=not outcome.paused),
        )


# --- parts, as JSON has them ------------------------------------------------------------------------------------------


def _error(error: SandboxError) -> dict[str, Any]:
    told: dict[str, Any] = {"class": type(error).__name__}
    if isinstance(error, JSError):
        told |= {"name": error.name or "Error", "message": error.message}
        if error.hint:
            told["hint"] = error.hint
    else:
        told["message"] = str(error)
    if isinstance(error, JSError) or (isinstance(error, Stalled) and error.stack):
        told |= _place(error)
    return told


def _place(what: JSError | Stalled | Stop) -> dict[str, Any]:
    """Where it was."""
    place, told = what.place, dict[str, Any]()
    if place is not None:
        told |= {"file": place.file, "line": place.line, "column": place.column}
    return told | {"frame": what.render(), "stack": what.stack}


def _bare(told: dict[str, Any]) -> dict[str, Any]:
    """Of a place its code alone: the rest of a frame stands beside it."""
    told.pop("stack", None)
    frame = told.pop("frame", "")
    code = "\n".join(line for line in frame.split("\n") if re.match(_CODE_LINE, line))
    return told | ({"code": code} if code else {})


def _event(event: Event) -> dict[str, Any]:
    from sandbox.previews import json_ready

    told: dict[str, Any] = {"time": event.time, "seconds": round(event.seconds, 6)}
    if event.line is not None:
        told |= {"line": event.line, "file": event.file}
    match event:
        case ConsoleEvent():
            return {"event": "console", "level": event.level, "text": event.text} | told
        case CallEvent():
            answer = {"error": _brief(event.error)} if event.error is not None else {"value": json_ready(event.value)}
            more = {"outcome": event.outcome, "duration_seconds": round(event.duration_seconds, 6)}
            return (
                {"event": "call", "name": event.name, "arguments": json_ready(event.arguments)} | answer | more | told
            )
        case CommentEvent():
            return {"event": "comment", "text": event.text} | told


def _call(event: CallEvent) -> dict[str, Any]:
    told = {"name": event.name, "arguments": list(event.arguments)}
    return told | ({"error": _brief(event.error)} if event.error is not None else {"value": event.value})


def _brief(error: BaseException) -> str:
    return str(error) if isinstance(error, SandboxError) else f"{type(error).__name__}: {error}"


def _path(path: tuple[str | int, ...]) -> str:
    first, *rest = path
    return str(first) + "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in rest)
