"""The contract of capabilities: named operations the guest may ask for, each with a handler on the host.

The capabilities of this package and those of its users are made in the same way. Those of the package have operations
with fixed numbers (`wasm/abi.toml`) and a face in `bindings/`. Those of users are given to a sandbox with the option
`capabilities`; their operations get numbers in that sandbox, and their face is their `source`.
"""

from __future__ import annotations

import os
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Final, Generic, Protocol, Self, TypeVar

from sandbox._records import NamedTuple, record

if TYPE_CHECKING:
    from sandbox._abi import Mode


class Due(NamedTuple):
    """An answer that is given when a time has come; a handler returns it instead of the value.

    Attributes:
        at_ms: When, in milliseconds since the sandbox's time origin, on the sandbox's clock.
        value: The answer.
    """

    at_ms: float
    value: Any = None


@record(slots=True, eq=False)
class Later:
    """An answer that somebody else gives; a handler returns it instead of the value.

    Nothing is done for it meanwhile, so it takes none of the places of `Limits.concurrent_calls`.

    Attributes:
        begin: Called after the turn, on the thread that owns the loop, with the function that gives the answer, a value
            or an exception; once, on that thread.
        cancel: Called there too, when the guest wants the answer no more, or never will.
        holds_time: Whether a virtual clock stands still meanwhile.
        outlives_run: Whether it goes on when the run that asked is ended by force.
    """

    begin: Callable[[Callable[[Any], None]], object]
    cancel: Callable[[], object]
    holds_time: bool = True
    outlives_run: bool = False


class Malformed(Exception):
    """Arguments that only a guest can send which has broken the ABI. It is poisoned."""


Handler = Callable[..., Any | Awaitable[Any] | Due | Later]


class Service(Protocol):
    """What an operation needs while the guest holds it; both methods are called on the event loop."""

    async def serve(self) -> None:
        """Started with the first request."""

    def stop(self) -> None:
        """The guest holds the operation no more, or is gone: `serve` must end."""


@record(slots=True)
class Operation:
    """Something the guest can ask for.

    Attributes:
        name: As hooks, limits, logs and errors call it, such as `"crypto.subtle.digest"`.
        mode: Whether the guest is answered at once or later.
        handler: Gets the guest's arguments. In mode `CALL` it returns the answer. In mode `QUEUE` it may also return an
            awaitable of it, a `Due` or a `Later`. An `Exception` becomes an Error of the guest, but for `Malformed`.
            What has no answer may return a function, which is called on the event loop when the turn is over.
        references: Function objects in the guest that stand for this operation.
        service: What is started with the first request and stopped with the last function object; None: nothing, or
            it was started.
        waits: Whether the guest waits for an awaitable that the handler returns, in mode `CALL`.
        is_sent: Whether the guest tells the host something, and gets no answer at all.
        is_quiet: Whether hooks, limits and logs see it only where they name it literally.
        show: Describes its arguments to them; None: they are what the guest gave.
        show_answer: Likewise its answer; see `Capability.show_answer`.
        withhold: Called in place of the handler of what is sent, where a hook has decided; see `WorkingCapability`.
    """

    name: str
    mode: Mode
    handler: Handler
    references: int = 0
    service: Service | None = None
    waits: bool = False
    is_sent: bool = False
    is_quiet: bool = False
    show: Callable[[list[Any]], list[Any]] | None = None
    show_answer: Callable[[Any], Any] | None = None
    withhold: Handler | None = None


class Capability(ABC):
    """Something a program can use: operations of the host under one name, which nobody has who was not given it.

    A subclass names it, says in `handlers` what can be asked, and checks what comes in: arguments are the guest's. An
    object serves one sandbox and goes with it.

        class Shelf(Capability):
            stem = "shelf"

            def handlers(self):
                return {"read": self.read}

            def read(self, name):
                ...

        with Sandbox(capabilities=[Shelf()]) as box:
            box.eval("shelf.read('a')")

    Attributes:
        stem: Its name: that of the global which the guest gets, and the beginning of what hooks, limits and logs call
            its operations (`"shelf.read"`).
        source: The guest's side, JavaScript: an expression whose value is a function. It is called once, before any
            program runs, with an object that has the operations as functions; what it returns is the global. Empty: the
            global is that object.
        titles: What hooks, limits and logs call operations, by the operation's name, where it is not `stem.name`.
        quiet: Operations that they see only where they name them literally: pieces that mean nothing to users.
    """

    stem: ClassVar[str]
    source: ClassVar[str] = ""
    titles: ClassVar[Mapping[str, str]] = {}
    quiet: ClassVar[frozenset[str]] = frozenset()

    @abstractmethod
    def handlers(self) -> Mapping[str, Handler]:
        """The handler of each operation, by the operation's name.

        An `async def` gives the guest a promise, any other callable is called on the thread that runs the guest, which
        waits. An `Exception` is thrown in the guest, as for host functions. Asked for once.
        """

    def services(self) -> Mapping[str, Service]:
        """What is started with the first request of an asynchronous operation, by its name.

        It is stopped with the sandbox, or when the guest holds the operation no more. Asked for once, and again in a
        forked child, where no service goes on.
        """
        return {}

    def checkpoint(self) -> Callable[[], object]:
        """Note the state that the guest's requests change, while no turn runs.

        Asked for at the beginning of each run that may have to be undone (`on_limit="rollback"`).

        Returns:
            What sets that state back, for a sandbox that is rolled back. Nothing has to be set back by default.
        """
        return _nothing

    def save(self, secrets: dict[str, Any]) -> Any:  # noqa: ANN401 - plain data
        """What a snapshot of the sandbox must know, as maps, lists and scalars, while no turn runs.

        Args:
            secrets: Takes, under the stem, what must not be written down for everybody.
        """
        return None

    def load(self, saved: Any, secret: Any) -> None:  # noqa: ANN401 - plain data
        """Take up what `save` noted in another life of the sandbox, and the secret if it came along; before any turn.

        Raises:
            ValueError: Nothing that `save` could have noted.
        """
        if saved is not None:
            raise ValueError(saved)

    def lost(self, operation: str) -> Any:  # noqa: ANN401 - any value
        """The answer to a request that was pending in another life of the sandbox, or an exception."""
        return ConnectionAbortedError(f"{self.stem}.{operation} was pending when a snapshot was taken, and is lost")

    def close(self) -> None:  # noqa: B027 - most have nothing to close
        """Let go of what was begun for the guest, which is gone; idempotent."""

    def show(self, operation: str, arguments: list[Any]) -> list[Any]:
        """Describe the arguments of an operation to hooks and logs: as users know them, without what is secret.

        Args:
            operation: The name of the operation.
            arguments: What the guest gave. They were not checked.
        """
        return arguments

    def show_answer(self, operation: str, answer: Any) -> Any:  # noqa: ANN401 - any value
        """Describe the answer of an operation to hooks and logs, as `show` its arguments.

        Args:
            operation: The name of the operation.
            answer: What the guest is going to get.

        Returns:
            What they see; an exception, where the answer says that the operation has failed.
        """
        return answer


def _nothing() -> None:
    """There is no such state."""


class Numbers:
    """Gives out numbers, from 1 on, none of them twice in all lives of a sandbox."""

    last: int

    def __init__(self) -> None:
        self.last = 0

    def __iter__(self) -> Self:
        return self

    def __next__(self) -> int:
        self.last += 1
        return self.last

    def load(self, last: object) -> None:
        """Go on after a number.

        Raises:
            ValueError: It is none.
        """
        if type(last) is not int or not 0 <= last < 1 << 53:
            raise ValueError(last)
        self.last = last


class NumberingCapability(Capability):
    """A capability of things that the guest knows by numbers. These stay behind when the sandbox goes on elsewhere."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self._numbers = Numbers()

    def save(self, secrets: dict[str, Any]) -> Any:  # noqa: ANN401 - plain data
        """See `Capability`: nothing later goes by a number that was given out."""
        return self._numbers.last

    def load(self, saved: Any, secret: Any) -> None:  # noqa: ANN401 - plain data
        """See `Capability`."""
        self._numbers.load(saved)


def checked_parts(arguments: tuple[object, ...], count: int) -> tuple[object, ...]:
    """What a guest has sent, so many parts."""
    if len(arguments) != count:
        raise Malformed(f"there must be {count} parts")
    return arguments


def checked_number(value: object) -> int:
    """The number by which a guest calls something."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise Malformed("what it means is known by a number")
    return value


class Work(Service, Protocol):
    """What goes on for a guest between its turns: see `sandbox.network.tasks`."""

    def note(self) -> Any:  # noqa: ANN401 - its own
        """What the guest knows of it; while no turn runs."""

    def undo(self, noted: Any, /) -> object:  # noqa: ANN401 - the same
        """Go back to that."""


_W = TypeVar("_W", bound=Work)
# What belongs to the event loop of the process this one was forked from is left alone, not closed.
_lost: Final[list[object]] = []


class WorkingCapability(NumberingCapability, Generic[_W]):
    """A capability that goes on between the guest's turns, from the first request that begins something.

    Attributes:
        begins: The name of that operation.
    """

    begins: ClassVar[str]

    def __init__(self, *, is_granted: bool) -> None:
        """Begin with nothing; what is not granted never begins."""
        super().__init__()
        self._is_granted = is_granted
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

    def withheld(self) -> Mapping[str, Handler]:
        """What is called in place of a handler where a hook has denied or answered what the guest gets no answer to.

        By the operation's name, with the same arguments and rules. The guest is not told, so its books and the host's
        must agree as if all had been done. Asked for once.
        """
        return {}

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
