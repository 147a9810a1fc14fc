"""The contract of capabilities: named operations the guest may ask for, each with a handler on the host."""

from __future__ import annotations

import itertools
import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, TypeVar

if TYPE_CHECKING:
    from sandbox._abi import Mode


@dataclass(frozen=True, slots=True)
class Due:
    """An answer that is given when a time has come; a handler returns it instead of the value.

    Attributes:
        at_ms: When, in milliseconds since the sandbox's time origin, on the sandbox's clock.
        value: The answer.
    """

    at_ms: float
    value: Any = None


class Malformed(Exception):
    """Arguments that only a guest can send which has broken the ABI. It is poisoned."""


Handler = Callable[..., Any | Awaitable[Any] | Due]


class Service(Protocol):
    """What an operation needs while the guest holds it; both methods are called on the event loop."""

    async def serve(self) -> None:
        """Started with the first request."""

    def stop(self) -> None:
        """The guest holds the operation no more, or is gone: `serve` must end."""


@dataclass(slots=True)
class Operation:
    """Something the guest can ask for.

    Attributes:
        name: As it appears in errors and usage, such as `"timers.sleep"`.
        mode: Whether the guest is answered at once or later.
        handler: Gets the guest's arguments. In mode `CALL` it returns the answer. In mode `QUEUE` it may also return an
            awaitable of it or a `Due`. An `Exception` becomes an Error of the guest, but for `Malformed`. What has
            no answer may return a function, which is called on the event loop when the turn is over.
        references: Function objects in the guest that stand for this operation.
        service: What is started with the first request and stopped with the last function object; None: nothing, or
            it was started.
        waits: Whether the guest waits for an awaitable that the handler returns, in mode `CALL`.
        is_sent: Whether the guest tells the host something, and gets no answer at all.
    """

    name: str
    mode: Mode
    handler: Handler
    references: int = 0
    service: Service | None = None
    waits: bool = False
    is_sent: bool = False


class Capability(ABC):
    """A set of operations behind one stem. One object serves one sandbox."""

    stem: ClassVar[str]

    @abstractmethod
    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each operation, by the operation's name."""

    def services(self) -> Mapping[str, Service]:
        """What is started with the first request of an operation, by its name, and stopped with the sandbox.

        Asked for once, and again in a forked child, where no service goes on.
        """
        return {}

    def checkpoint(self) -> Callable[[], object]:
        """Note the state that the guest's requests change, while no turn runs.

        Returns:
            What sets that state back, for a sandbox that is rolled back. Nothing has to be set back by default.
        """
        return _nothing

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what was begun for the guest, which is gone; idempotent."""


def _nothing() -> None:
    """There is no such state."""


class Work(Service, Protocol):
    """What goes on for a guest between its turns: see `sandbox.network.tasks`."""

    def note(self) -> Any:  # noqa: ANN401 - its own
        """What the guest knows of it; while no turn runs."""

    def undo(self, noted: Any, /) -> object:  # noqa: ANN401 - the same
        """Go back to that."""


_W = TypeVar("_W", bound=Work)
# What belongs to the event loop of the process this one was forked from is left alone, not closed.
_lost: Final[list[object]] = []


class WorkingCapability(Capability, Generic[_W]):
    """A capability that goes on between the guest's turns, from the first request that begins something.

    Attributes:
        begins: The name of that operation.
    """

    begins: ClassVar[str]

    def __init__(self, *, is_granted: bool) -> None:
        """Begin with nothing; what is not granted never begins."""
        self._is_granted = is_granted
        self._numbers = itertools.count(1)
        self._begun: _W | None = None
        self._process = os.getpid()

    @abstractmethod
    def _begin(self, numbers: Iterator[int]) -> _W:
        """Make what goes on. It may bring an event loop, which most programs do without."""

    def work(self) -> _W:
        """What goes on for this sandbox."""
        if self._begun is None:
            self._begun = self._begin(self._numbers)
        return self._begun

    def services(self) -> Mapping[str, Service]:
        """See `Capability`."""
        if self._begun is not None and self._process != os.getpid():
            _lost.append(self._begun)
            self._begun = None
        self._process = os.getpid()
        return {self.begins: _Working(self.work, self._end)} if self._is_granted else {}

    def checkpoint(self) -> Callable[[], object]:
        """See `Capability`: what the guest will not know of is given up."""
        noted = None if self._begun is None else self._begun.note()

        def undo() -> None:
            if self._begun is not None:
                self._begun.undo(noted or {})

        return undo

    def _end(self) -> None:
        if self._begun is not None:
            self._begun.stop()


class _Working:
    """The service behind the operation that begins something."""

    def __init__(self, work: Callable[[], Work], end: Callable[[], None]) -> None:
        self._work = work
        self.stop = end

    async def serve(self) -> None:
        """See `Service`."""
        await self._work().serve()
