"""What is told of a run: its events in order, its variables, and what it has changed of the objects it was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

from sandbox._records import field, record
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox.calls import Outcome as Ending

__all__ = ["CallEvent", "CommentEvent", "ConsoleEvent", "Event", "Mutation", "TraceOption", "Unavailable", "Variables"]

TraceOption = Literal["console", "calls", "variables", "lines", "comments"]
"""What `execute` writes down: console entries; calls of the host; the values that variables of the top level have in
the end; how often each line was executed; the comments that were passed."""


@record(frozen=True, slots=True, kw_only=True)
class _Event:
    """What all events say.

    Attributes:
        line: Where in the program, from 1; None: it is not known.
        file: The name of that program.
        time: When, in seconds since the epoch.
        seconds: The same, from the beginning of the run; it never decreases from one event to the next.
    """

    line: int | None = None
    file: str | None = None
    time: float = 0.0
    seconds: float = 0.0


@record(frozen=True, slots=True, kw_only=True)
class ConsoleEvent(_Event):
    """The program wrote to its console.

    Attributes:
        level: `"log"`, `"info"`, `"warn"`, `"error"` or `"debug"`.
        text: What it would print.
        type: See `ConsoleEntry`.
    """

    level: str
    text: str
    type: str = "output"


@record(frozen=True, slots=True, kw_only=True)
class CallEvent(_Event):
    """The program called the host: a function of the embedder, or a capability.

    Attributes:
        name: See `Call`.
        arguments: What it gave; a short text in place of all of them where they are many bytes.
        outcome: How the call has ended, see `Call`; None: it had not when the run was over.
        value: Its answer; `undefined` where there is none.
        error: Why it has none.
        duration_seconds: Time from the call until its answer.
    """

    name: str
    arguments: tuple[Any, ...] = ()
    outcome: Ending | None = None
    value: Any = undefined
    error: BaseException | None = None
    duration_seconds: float = 0.0


@record(frozen=True, slots=True, kw_only=True)
class CommentEvent(_Event):
    """The program came to a statement with a comment before it.

    Attributes:
        text: The comment, without what marks it as one.
    """

    text: str


Event = ConsoleEvent | CallEvent | CommentEvent


@record(frozen=True, slots=True)
class Mutation:
    """A difference between what a program was given and what it has left.

    Attributes:
        path: Where: the name of the object in the context, then keys and indexes.
        before: What stood there; `undefined`: nothing.
        after: What stands there now; `undefined`: nothing.
    """

    path: tuple[str | int, ...]
    before: Any
    after: Any


@record(frozen=True, slots=True)
class Unavailable:
    """A variable whose value has no form in Python, or too large a one.

    Attributes:
        reason: Why.
    """

    reason: str


@record(frozen=True, slots=True)
class Variables(Mapping[str, Any]):
    """The variables that a script declares at its top, by name, with the values they had when its run was over.

    Those without a value yet, because the script did not get that far, are not among them.
    """

    values_by_name: Mapping[str, Any] = field(default_factory=dict)

    def __getitem__(self, name: str) -> Any:  # noqa: ANN401 - any value
        return self.values_by_name[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self.values_by_name)

    def __len__(self) -> int:
        return len(self.values_by_name)

    def type(self, name: str) -> str:
        """What the value is in JavaScript, such as `"number"` or `"Map"`; see `sandbox.previews.type_name`.

        Raises:
            KeyError: There is no such variable.
        """
        from sandbox.previews import type_name

        value = self[name]
        return "unavailable" if isinstance(value, Unavailable) else type_name(value)

    def preview(self, name: str, *, max_bytes: int = 400) -> str:
        """The value as a text of bounded length, as JavaScript would write it; see `sandbox.previews.preview`.

        Raises:
            KeyError: There is no such variable.
        """
        from sandbox.previews import preview

        value = self[name]
        if isinstance(value, Unavailable):
            return f"undefined /* {value.reason.replace('*/', '*')[: max_bytes // 2]} */"
        return preview(value, max_bytes=max_bytes, style="js")
