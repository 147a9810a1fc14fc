"""A guest without a driver, for tests of the layers below it: commands go in, events are looked at, nothing waits."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterator, Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

from sandbox._abi import Clock, Mode, Verb
from sandbox._events import Crashed, Event, Failed, Finished, Requested, Stopped
from sandbox._guest import Guest
from sandbox._iterators import IteratorSteps
from sandbox._settings import Settings
from sandbox.errors import ConversionError, SandboxError
from sandbox.limits import Limits
from tests.fake_owner import Owner

if TYPE_CHECKING:
    from sandbox.values import JSFunction

FUEL = 1 << 40
SEED = 7


class Functions(Owner):
    """Gives every function it is asked to bind an op of its own; a queued one when it is in `queued`."""

    def __init__(self) -> None:
        super().__init__()
        self.queued: set[Callable[..., Any]] = set()

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        self.bound.append(function)
        mode = Mode.QUEUE if function in self.queued else Mode.CALL
        return 300 + len(self.bound) - 1, mode, getattr(function, "__name__", ""), 0

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any], /) -> tuple[int, Mode, str, int]:
        assert isinstance(iterator, Iterator)
        self.bound.append(IteratorSteps(iterator))
        return 300 + len(self.bound) - 1, Mode.CALL, "next", 0


class Bare:
    """One guest and what is needed to talk to it.

    Attributes:
        guest: The guest.
        owner: Knows the functions.
        seen: Events that were reported in the middle of turns.
        polls: How often the guest let the host look.
        on_poll: Called at each of these.
    """

    def __init__(self, *, seed: int = SEED, poll_interval: int = 0, **limits: Any) -> None:
        self.owner = Functions()
        self.seen: list[Event] = []
        self.polls = 0
        self.on_poll: Callable[[], None] = lambda: None
        self.runs = 0
        self.limits = Limits(**limits)
        settings = Settings(seed, 1e12, Clock.VIRTUAL, poll_interval)
        self.guest = Guest(
            self.limits, settings, self.owner, on_sync=self._sync, on_events=self.seen.extend, on_poll=self._poll
        )

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.guest.close()

    def _sync(self, op: int, arguments: list[Any] | ConversionError, /) -> Any:
        if isinstance(arguments, ConversionError):
            raise arguments
        return self.owner.bound[op - 300](*arguments)

    def _poll(self) -> None:
        self.polls += 1
        self.on_poll()

    def arm(self, cpu_seconds: float | None = 10.0, fuel: int = FUEL) -> None:
        self.guest.arm(cpu_seconds, fuel)

    def eval(self, code: str, *, cpu_seconds: float | None = 10.0, fuel: int = FUEL) -> list[Event]:
        """Run a script in a turn of its own and return everything that happened."""
        if not self.guest.instance.depth:
            self.arm(cpu_seconds, fuel)
        self.runs += 1
        return self.guest.eval(self.runs, code, "main.js")

    def value(self, code: str, **budget: Any) -> Any:
        """The value of a script that finishes in one turn; what it fails with is raised."""
        return outcome(self.eval(code, **budget), self.runs)

    def error(self, code: str, **budget: Any) -> SandboxError:
        """What a script fails with."""
        try:
            value = self.value(code, **budget)
        except SandboxError as error:
            return error
        raise AssertionError(f"no error but {value!r}")

    def define(self, name: str, value: object) -> None:
        """Set a global."""
        self.arm()
        self.guest.access(0, Verb.SET, 0, name, value)

    def collect(self) -> None:
        """Run the guest's garbage collector."""
        self.arm()
        self.guest.instance.call("collect")

    def drop(self, functions: Sequence[JSFunction]) -> None:
        """Release guest functions."""
        self.arm()
        self.guest.release([function.handle for function in functions])

    def heap_bytes(self) -> int:
        """What the guest's heap holds after a collection."""
        self.collect()
        held: int = self.guest.instance.control.heap_bytes
        return held


def outcome(events: list[Event], run: int | None = None) -> Any:
    """The value of a run that finished in a turn; without a number, of the first one.

    Raises:
        SandboxError: What it failed with, or what ended the turn.
        AssertionError: The run did not come to an end.
    """
    for event in events:
        match event:
            case Finished(number, value) if run in (None, number):
                return value
            case Failed(number, error) if run in (None, number):
                raise error
            case Crashed(_, error):
                raise error
            case _:
                pass
    raise AssertionError(f"no outcome in {events}")


def stops(events: list[Event]) -> list[Stopped]:
    """How a turn was ended by force."""
    return [event for event in events if isinstance(event, Stopped)]


def requests(events: list[Event]) -> list[Requested]:
    """What the guest asked for."""
    return [event for event in events if isinstance(event, Requested)]
