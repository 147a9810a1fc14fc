"""What the two sides hold of each other: operations, kept exceptions, awaitables, and what lives in the guest."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import AsyncIterable, Awaitable, Callable, Hashable, Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox import _abi
from sandbox._abi import Mode, Tag
from sandbox._callables import HostOperation, key_of, operation_of
from sandbox._events import closed
from sandbox._granted import Granted, show_answer_of, show_of
from sandbox._pace import Pace
from sandbox._records import NamedTuple, field, record
from sandbox.errors import ConversionError, LimitExceeded
from sandbox.limits import DEFAULT_LIMITS
from sandbox.values import Generation, HandleOwner, JSAsyncIterator, JSFunction, JSHandle, JSIterator, JSPromise

if TYPE_CHECKING:
    from sandbox._encode import Labels
    from sandbox._snapshot_state import SavedOperation, State
    from sandbox.capabilities.base import Capability, Operation

_MAX_KEPT_EXCEPTIONS: Final = 256
_MAX_KEPT_TRACEBACKS: Final = 16
_MAX_KEPT_BYTES: Final = 4 << 20
_HELD: Final[dict[int, type[JSPromise | JSIterator | JSAsyncIterator]]] = {
    Tag.PROMISE: JSPromise,
    Tag.ITERATOR: JSIterator,
    Tag.ASYNC_ITERATOR: JSAsyncIterator,
}
_DROP: Final = "Raise Limits.handles, or drop guest functions, promises and iterators that are no longer needed."


class Entry(NamedTuple):
    """What is known of a callable before the guest gets it.

    Attributes:
        name: What hooks, limits and logs call it.
        function: The callable, which lives as long as it is known.
        capability: The one whose operation it is; None: it is a host function.
        operation: The name of the operation.
    """

    name: str
    function: Callable[..., Any]
    capability: Capability | None = None
    operation: str = ""


@record(slots=True)
class _Before:
    """What there was at a mark, and what has changed since.

    Attributes:
        capabilities: Set the state of each capability back.
        exceptions: Those that were kept.
        made: See `Operations`.
        taken: Likewise.
        told: Handles of before that the guest was told to release since.
        operations: Those that were bound or unbound since, with their references at the mark; 0: there was no such op.
    """

    capabilities: list[Callable[[], object]]
    exceptions: dict[int, tuple[BaseException, int]]
    made: int
    taken: int
    told: list[tuple[int, Generation]] = field(default_factory=list)
    operations: dict[int, tuple[HostOperation, int]] = field(default_factory=dict)


class Operations:
    """The op table of one sandbox, the exceptions its guest may throw again, and what the host holds of the guest.

    Functions are bound and dropped from any thread, the table is read by the thread that runs the turn.

    Attributes:
        dropped: Handles the host no longer holds, of which the guest has not been told yet; any thread may add one.
        made: How many handles of the guest the host was ever given.
        refused: How many of them were more than it may hold; nothing holds them.
        granted: The capabilities.
        served: See `EncodeOwner`.
        pace: Likewise; whoever runs the turns looks at it.
        answering: The name of the call that is being answered; empty: of none that is watched.
        answered_bytes: About what the arguments take of the request that is being answered.
        labels: See `EncodeOwner`.
        names: Globals that the embedder has set.
        promise: Makes a request that an awaitable will answer; see `EncodeOwner`. Set by whoever runs the turns.
        forget: Takes one back.
    """

    promise: Callable[[Awaitable[Any]], int]
    forget: Callable[[int], None]

    def __init__(
        self,
        capabilities: Iterable[Capability],
        handle_owner: HandleOwner,
        most_bound: int = DEFAULT_LIMITS.handles,
        late: Iterable[str] = (),
        make_late: Callable[[str], Capability] | None = None,
    ) -> None:
        """Begin with the fixed ops, each of which is made when the guest asks for it.

        Args:
            capabilities: See `Granted`.
            handle_owner: What the guest's functions, promises and iterators belong to.
            most_bound: How many of the embedder's functions and iterators the guest may hold at one time, and how many
                of its own the host.
            late: Likewise.
            make_late: Likewise.
        """
        self._most_bound: Final = most_bound
        self.dropped: deque[tuple[int, Generation]] = deque()
        self._handle_owner: HandleOwner | None = handle_owner
        self._generation = Generation()
        self._before: _Before | None = None
        self.granted: Granted = Granted(capabilities, late, make_late)
        self.made: int = 0
        self.refused: int = 0
        self._taken = 0
        self._table: dict[int, Operation] = {}
        self._ops: dict[Hashable, int] = {}
        self._entries: dict[Hashable, Entry] = {}
        self._next_op = _abi.FIRST_DYNAMIC_OP
        self.served: object = None
        self.answering = ""
        self.pace: Pace = Pace()
        self.labels: Labels | None = None
        self.names: set[str] = set()
        self.answered_bytes = 0
        self._exceptions: dict[int, tuple[BaseException, int]] = {}
        self._kept_bytes = 0
        self._next_exception = 1
        self._lock = threading.Lock()

    def get(self, op: int) -> Operation | None:
        """The operation behind a number; None when the guest made it up or it was released. In a turn."""
        return self._table.get(op) or self._fixed(op)

    def _fixed(self, op: int) -> Operation | None:
        self._table |= self.granted.operations_beside(op)
        return self._table.get(op)

    def enter(self, function: Callable[..., Any], entry: Entry) -> None:
        """Say what there is to know of a callable before the guest gets it; any thread."""
        self._entries.setdefault(key_of(function), entry)

    def bind(self, function: Callable[..., Any]) -> tuple[int, Mode, str, int]:
        """Give a callable an op; see `EncodeOwner.bind`."""
        from sandbox.exposure import Anchor  # programs that are given no functions do without

        if type(function) is Anchor:
            anchor = id(function)
            return self._bind(
                anchor,
                lambda: HostOperation("", Mode.CALL, function, function_name="", parameters=0, key=anchor),
                function,
            )
        return self._bind(key_of(function), lambda: self._known(operation_of(function)), function)

    def _known(self, operation: HostOperation) -> HostOperation:
        """An operation with all that was said of its function."""
        entry = self._entries.get(operation.key)
        if entry is not None:
            operation.name = entry.name
            if entry.capability is not None:
                operation.service = entry.capability.services().get(entry.operation)
                operation.is_quiet = entry.operation in entry.capability.quiet
                operation.show = show_of(entry.capability, entry.operation)
                operation.show_answer = show_answer_of(entry.capability, entry.operation)
        return operation

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any]) -> tuple[int, Mode, str, int]:
        """Give the steps of an iterator an op; see `EncodeOwner.bind_steps`."""
        key = ("steps", id(iterator))
        return self._bind(key, lambda: _steps_of(iterator, key, f"{self.answering}.next" if self.answering else "next"))

    def _bind(
        self, key: Hashable, make: Callable[[], HostOperation], function: object = None
    ) -> tuple[int, Mode, str, int]:
        made = None if key in self._ops else make()  # calls the embedder's code, so outside the lock
        with self._lock:
            op = self._ops.get(key)
            if op is None:
                if len(self._ops) >= self._most_bound:
                    raise ConversionError(
                        "$", f"a function or iterator beyond the handles limit of {self._most_bound:,}"
                    )
                op = self._ops[key] = self._next_op
                self._next_op += 1
                self._table[op] = made or make()
            operation = self._table[op]
            assert isinstance(operation, HostOperation)
            self._note(op, operation)
            operation.references += 1
        if self.labels is not None:
            operation.label = operation.label or self.labels.next(function, operation.function_name)
        return op, operation.mode, operation.function_name, operation.parameters

    def unbind(self, op: int) -> Operation | None:
        """The guest has collected one function object of this op, or never got it.

        Returns:
            The operation, when that was the last one.
        """
        with self._lock:
            operation = self._table.get(op)
            if not isinstance(operation, HostOperation):
                return None
            self._note(op, operation)
            operation.references -= 1
            if operation.references:
                return None
            del self._table[op]
            self._ops.pop(operation.key, None)
            return operation

    def bound(self) -> int:
        """How many of the embedder's functions and iterators the guest holds."""
        return len(self._ops)

    def keep_exception(self, error: BaseException) -> int:
        """Keep an exception of the host; the oldest are forgotten when they are many or hold on to much.

        Their tracebacks, which hold on to what the guest gave, are forgotten earlier.
        """
        number = self._next_exception
        self._next_exception += 1
        weight = self.served_bytes()
        self._exceptions[number] = error, weight
        self._kept_bytes += weight
        older, _ = self._exceptions.get(number - _MAX_KEPT_TRACEBACKS, (None, 0))
        while older is not None and older.__traceback__ is not None:
            older.__traceback__ = None
            older = older.__cause__ or older.__context__
        while len(self._exceptions) > (_MAX_KEPT_EXCEPTIONS if self._kept_bytes <= _MAX_KEPT_BYTES else 1):
            self._kept_bytes -= self._exceptions.pop(next(iter(self._exceptions)))[1]
        return number

    def served_bytes(self) -> int:
        """About what the guest gave for the answer that is being written, in bytes of the host."""
        if self.served is None:
            return self.answered_bytes
        from sandbox._weights import host_bytes  # many programs ask the host for nothing

        return host_bytes(self.served)

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child, and neither are the tasks of services."""
        self._lock = threading.Lock()
        self.granted.after_fork(self._table)
        for key, entry in self._entries.items():
            if entry.capability is not None and key in self._ops:
                self._table[self._ops[key]].service = entry.capability.services().get(entry.operation)

    def close(self) -> None:
        """Let go of what is kept for the guest, which is gone; idempotent."""
        self._exceptions.clear()
        self._kept_bytes = 0
        self._handle_owner = None
        self.promise = self.forget = closed
        self.pace.on_begin = self.pace.on_steps = None
        self._table.clear()
        self.granted.close()

    def target(self, op: int) -> object:
        """An exposed object; see `DecodeOwner`."""
        from sandbox.exposure import Anchor

        operation = self._table.get(op)
        if operation is None or not isinstance(operation.handler, Anchor):
            raise LookupError(op)
        return operation.handler.target

    def exception(self, number: int) -> BaseException | None:
        """A kept exception."""
        kept = self._exceptions.get(number)
        return None if kept is None else kept[0]

    def excess(self) -> LimitExceeded:
        """What ends a run in which the guest gave more than may be held; it counts no more."""
        self.refused = 0
        return LimitExceeded(self._most_bound, self._most_bound + 1, "handles", advice=_DROP)

    def handle_of(self, held: JSHandle) -> int:
        """The guest's number for something of its own; see `EncodeOwner`.

        Raises:
            ConversionError: It belongs to another sandbox, or was released.
        """
        if held.owner is not self._handle_owner:
            raise ConversionError("$", f"a {type(held).__name__} of another sandbox")
        if held.undone:
            raise ConversionError("$", f"a {type(held).__name__} of a run that was rolled back")
        if held.released:
            raise ConversionError("$", f"a {type(held).__name__} that was released")
        return held.handle

    def held(self, tag: Tag, handle: int, name: str) -> JSHandle:
        """A function, promise or iterator of the guest; see `DecodeOwner`."""
        self.made += 1
        if self.live() > self._most_bound:
            self.refused += 1
            self.dropped.append((handle, self._generation))
            raise ConversionError(
                "$", f"a function, promise or iterator beyond the handles limit of {self._most_bound:,}"
            )
        owner = self._handle_owner
        assert owner is not None
        if tag is Tag.FUNCTION:
            return JSFunction(owner, handle, name, self._generation)
        return _HELD[tag](owner, handle, self._generation)

    def release(self, handle: int, generation: Generation) -> None:
        """Write down a handle that the host no longer holds; any thread, at any moment."""
        if not generation.undone:
            self.dropped.append((handle, generation))

    def take_dropped(self) -> list[int]:
        """The handles to tell the guest of."""
        dropped = [self.dropped.popleft() for _ in range(len(self.dropped))]
        dropped = [entry for entry in dropped if not entry[1].undone]
        if self._before is not None:
            self._before.told += [entry for entry in dropped if entry[1] is not self._generation]
        self._taken += len(dropped)
        return [handle for handle, _ in dropped]

    def live(self) -> int:
        """How many handles of the guest the host holds."""
        return self.made - self._taken - len(self.dropped)

    # --- in another life; while no turn runs ---

    def save(self, secrets: dict[str, Any]) -> dict[str, Any]:
        """What a snapshot must know; see `State` for the names, and `Capability.save` for secrets."""
        from sandbox._snapshot_state import SavedOperation  # few sandboxes have one

        rows = ((op, each) for op, each in self._table.items() if isinstance(each, HostOperation))
        return {
            "next_op": self._next_op,
            "next_exception": self._next_exception,
            "names": tuple(self.names),
            "operations": tuple(
                SavedOperation(op, each.label, each.function_name, int(each.mode), each.references, each.parameters)
                for op, each in rows
            ),
            "capabilities": self.granted.save(secrets),
        }

    def shared(self) -> dict[int, HostOperation]:
        """The functions that a twin can call as well, by op. The steps of an iterator are the business of one guest."""
        return {
            op: each for op, each in self._table.items() if isinstance(each, HostOperation) and not each.is_stateful
        }

    def load(self, state: State, find: Callable[[SavedOperation], HostOperation], secrets: Mapping[str, Any]) -> None:
        """Take up what `save` noted.

        Args:
            state: Of the other life.
            find: Makes the operation that is one of that life.
            secrets: Those of capabilities that came along.

        Raises:
            ValueError: A capability has noted no such thing.
        """
        self._next_op, self._next_exception = state.next_op, state.next_exception
        self.names.update(state.names)
        self.made += len(state.handles)
        for saved in state.operations:
            operation = self._known(find(saved))
            if operation.key in self._ops:  # one function in two places
                operation.key = operation.key, saved.op
            self._table[saved.op] = operation
            self._ops[operation.key] = saved.op
        self.granted.load(state.capabilities, secrets)

    # --- going back; while no turn runs ---

    def mark(self) -> None:
        """Remember this moment until `keep` or `undo`. Handles made from now on are of a new generation."""
        self._generation = Generation()
        self._before = _Before(
            self.granted.checkpoint(),
            self._exceptions.copy(),
            self.made,
            self._taken,
        )

    def keep(self) -> None:
        """Forget the mark."""
        self._before = None

    def undo(self) -> list[HostOperation]:
        """Go back to the mark: what the guest held then it holds again, and what the host has dropped since it drops.

        Returns:
            The operations that were not there.
        """
        before, self._before = self._before, None
        assert before is not None
        self._generation.undone, self._generation = True, Generation()
        for _ in range(len(self.dropped)):
            if not (entry := self.dropped.popleft())[1].undone:
                self.dropped.append(entry)
        self.made, self._taken, self._exceptions = before.made, before.taken, before.exceptions
        self._kept_bytes = sum(weight for _, weight in self._exceptions.values())
        self.dropped.extendleft(reversed(before.told))
        for restore in before.capabilities:
            restore()
        changed = before.operations.items()
        with self._lock:
            for op, (operation, references) in changed:
                if not references:
                    self._table.pop(op, None)
                    self._ops.pop(operation.key, None)
            for op, (operation, references) in changed:
                if references:
                    operation.references = references
                    self._table[op] = operation
                    self._ops[operation.key] = op
        return [operation for operation, references in before.operations.values() if not references]

    def _note(self, op: int, operation: HostOperation) -> None:
        """Remember how often an operation was held at the mark; before that changes."""
        if self._before is not None:
            self._before.operations.setdefault(op, (operation, operation.references))


def _steps_of(iterator: Iterator[Any] | AsyncIterable[Any], key: Hashable, name: str) -> HostOperation:
    if isinstance(iterator, AsyncIterable):
        from sandbox._streams import StreamSteps  # brings an event loop, which most programs do without

        steps = StreamSteps(iterator)
        return HostOperation(
            name,
            Mode.QUEUE,
            steps,
            function_name="next",
            parameters=0,
            key=key,
            is_stateful=True,
            service=steps,
        )
    from sandbox._iterators import IteratorSteps  # most programs do without

    return HostOperation(
        name, Mode.CALL, IteratorSteps(iterator), function_name="next", parameters=0, key=key, is_stateful=True
    )
