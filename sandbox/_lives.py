"""One life of a sandbox after another: what the host knows of a guest is written down, and taken up again elsewhere.

The memory is the guest's half; see `_memory_copy`. Everything here happens while no turn runs.
"""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Iterator, Mapping
from types import BuiltinFunctionType, FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final, Literal, NoReturn

from sandbox._abi import CAP_FIRST_HOST_REQUEST, FIRST_DYNAMIC_OP, Mode, Status
from sandbox._callables import HostOperation, can_be_paused, operation_of
from sandbox._codec import Codec
from sandbox._detached import Detached
from sandbox._events import Encoded, Returned
from sandbox._labels import Labels
from sandbox._pausing import Claim, Suspension
from sandbox._pending import Aborted
from sandbox._records import NamedTuple, field, record, replace
from sandbox._runs import Run
from sandbox._snapshot_state import SavedOperation, SavedPause, SavedRequest, SavedRun, State
from sandbox._weights import host_bytes
from sandbox.errors import (
    ConversionError,
    GuestProtocolError,
    JSError,
    LimitExceeded,
    Paused,
    SnapshotCorrupt,
    SnapshotError,
    UsageError,
)
from sandbox.exposure import Anchor
from sandbox.functions import HostFunction
from sandbox.values import JSHandle, JSMap, JSSet, undefined

if TYPE_CHECKING:
    from sandbox._clock import Clock
    from sandbox._memory_copy import Origin
    from sandbox._observer import Observer
    from sandbox._operations import Operations
    from sandbox._requests import Requests
    from sandbox._serving import PendingCall
    from sandbox._turns import Turns
    from sandbox._watched import Watched
    from sandbox.limits import Limits
    from sandbox.snapshot import Snapshot

OnPending = Literal["call", "hold"]
"""What becomes of host calls that were pending when a snapshot was taken."""

Find = Callable[[SavedOperation], HostOperation]

# What is one function and nothing else.
_FUNCTIONS: Final = frozenset({FunctionType, BuiltinFunctionType, MethodType, HostFunction})


@record(frozen=True, slots=True, kw_only=True)
class Past:
    """What a new sandbox continues from.

    Attributes:
        origin: Gives the memory.
        state: The host's half.
        secrets: Of capabilities, by stem.
        find: Gives the operations that continue those of the other life.
        pending: Whether pending calls are made again, or wait for the embedder to answer.
        claims: Who may answer paused calls, by token; of those that are not here, anybody.
    """

    origin: Origin
    state: State
    secrets: Mapping[str, Any]
    find: Find
    pending: OnPending
    claims: Mapping[str, Claim] = field(default_factory=dict)


class Lives(NamedTuple):
    """Ends one life of a sandbox and begins another, by way of its parts.

    Attributes:
        limits: Its budgets.
        clock: Its clock.
        operations: What it can ask for.
        requests: What it waits for.
        turns: What runs it.
        locale: Its locale.
        time_zone: Its time zone, by name.
        is_seeded: Whether its random numbers were made repeatable.
        last_run: Gives the highest number of a run.
        observer: What watches its calls.
    """

    limits: Limits
    clock: Clock
    operations: Operations
    requests: Requests
    turns: Turns
    locale: str | None
    time_zone: str
    is_seeded: bool
    last_run: Callable[[], int]
    observer: Observer | None

    # --- written down ---

    def twin(self, pending: OnPending) -> Past:
        """What a twin begins with; it must be made while nothing runs here."""
        state, secrets = self.save()
        view = self.turns.guest.instance.view()
        find = by_op(self.operations.shared())
        return Past(origin=view, state=state, secrets=secrets, find=find, pending=pending)

    def snapshot(self, paused_run: int = 0) -> Snapshot:
        """All of it, and the guest's memory; while nothing runs.

        Args:
            paused_run: See `State`.
        """
        from sandbox.snapshot import Snapshot  # most programs do without

        instance = self.turns.guest.instance
        state, secrets = self.save(paused_run)
        claims = {each.pause.token: each.pause.claim for each in self.requests.pending() if each.pause is not None}
        return Snapshot(instance.image, instance.copy(), state, secrets, claims)

    def pause(self, run: Run) -> None:
        """End a run that waits for paused calls, in the place of a turn; it can be continued here and elsewhere."""
        number = 0 if run.idle else run.id
        snapshot = self.snapshot(number)
        self.turns.paused_run = number
        run.fail(Paused(snapshot.paused, snapshot, number))

    def leave_open(self, number: int, trace: Watched | None = None) -> None:
        """Write down a run whose end nobody has seen, so that another one can continue it, with what is told of it."""
        run = self.turns.unfinished[number] = Run(number, self.limits, None, None, self.observer)
        run.entered = run.has_run = run.ended = True
        run.trace = trace

    def save(self, paused_run: int = 0) -> tuple[State, dict[str, Any]]:
        """What the host knows, and what must not be written down for everybody."""
        turns, secrets = self.turns, dict[str, Any]()
        codec = Codec(Detached(), self.limits)
        unheard, times = self.requests.unheard(), self.requests.alarms.times()
        handles: set[int] = {handle for kept in turns.resumption for handle in kept}
        requests, pauses = [], []
        for pending in self.requests.pending():
            handles.update(_handles_in(pending.arguments))
            answer, outcome = None, Status.OK
            if pending.number in unheard:
                answer, outcome = _encoded(codec, unheard[pending.number])
            elif (pause := pending.pause) is not None and not pending.aborted:
                pauses.append(SavedPause(pending.number, pause.token, pause.run, pause.message))
            at_ms = times.get(pending.number)
            requests.append(
                SavedRequest(
                    pending.number,
                    pending.op,
                    turns.serving.name_of(pending.op),
                    at_ms,
                    pending.message or None,
                    answer,
                    int(outcome),
                )
            )
        runs = {run.id: run for run in turns.runs.copy().values() if run.has_run and not run.done and not run.idle}
        runs.update((number, run) for number, run in turns.unfinished.items() if not run.done)
        watched = [(number, run.trace) for number, run in sorted(runs.items()) if run.trace is not None]
        state = State(
            clock=int(self.clock.kind),
            now_ms=self.clock.now_ms(),
            resolution_ms=self.clock.resolution_ms,
            locale=self.locale,
            time_zone=self.time_zone,
            is_seeded=self.is_seeded,
            last_run=self.last_run(),
            runs=tuple(sorted(runs)),
            abandoned=tuple(turns.abandoned),
            next_request=self.requests.next_number,
            handles=tuple(sorted(handles)),
            requests=tuple(requests),
            pauses=tuple(pauses),
            paused_run=paused_run,
            watched=tuple(SavedRun(number, trace.save()) for number, trace in watched),
            **self.operations.save(secrets),
        )
        return state, secrets

    # --- taken up ---

    def load(self, past: Past) -> None:
        """Take up what another sandbox has left; the guest has its memory.

        Raises:
            SnapshotCorrupt: The state cannot be that of a sandbox.
            LimitExceeded: There is more of something than the limits allow.
        """
        state, limits = past.state, self.limits
        _check_limits(state, limits)
        try:
            self.operations.load(state, past.find, past.secrets)
        except (ValueError, TypeError) as error:
            raise SnapshotCorrupt("its state is not that of a sandbox") from error
        turns = self.turns
        watched = _watched(state) if state.watched else {}
        for number in state.runs:
            self.leave_open(number, watched.get(number))
        turns.paused_run = state.paused_run
        turns.abandoned.extend(state.abandoned)
        turns.resumption.append(state.handles)
        self.requests.next_number = max(state.next_request, CAP_FIRST_HOST_REQUEST)
        pauses = {pause.number: pause for pause in state.pauses}
        for saved in state.requests:
            self._ask_again(saved, past, pauses.get(saved.number))

    def pending_calls(self) -> tuple[PendingCall, ...]:
        """See `Serving`."""
        return self.turns.serving.pending_calls()

    def unfinished(self) -> tuple[int, ...]:
        """The runs of another life that nobody has seen the end of."""
        return tuple(sorted(self.turns.unfinished))

    def watched(self, number: int | None) -> Watched | None:
        """What is told of such a run, if it goes on; None: nothing, or there is none."""
        run = None if number is None else self.turns.unfinished.get(number)
        return None if run is None else run.trace

    def paused_run(self) -> int:
        """The run that was paused last; 0: none was."""
        return self.turns.paused_run

    def take_over(self, run: Run) -> None:
        """Have a run continue one of another life."""
        before = self.turns.unfinished.pop(run.id, None)
        if before is None:
            raise UsageError(f"there is no unfinished run {run.id}")
        run.has_run = True
        run.done, run.value, run.error, run.forced = before.done, before.value, before.error, before.forced
        run.was_stopped, run.trace = before.was_stopped, before.trace

    def _ask_again(self, saved: SavedRequest, past: Past, pause: SavedPause | None) -> None:
        requests, number = self.requests, saved.number
        if (number >= CAP_FIRST_HOST_REQUEST) != (saved.op == 0):
            raise SnapshotCorrupt("its state has a request under a number that is not free")
        run = Run(0, self.limits, None, None, self.observer)
        run.entered = run.ended = True  # whichever run comes first is told the answer
        arguments = [] if saved.message is None else _arguments(self.operations, self.limits, saved.message)
        pending = requests.add(number, run, host_bytes(arguments) + len(saved.message or b""), saved.op)
        pending.arguments, pending.message = arguments, saved.message or b""
        if saved.answer is not None:
            requests.answer(number, Encoded(saved.answer, Status(saved.outcome)))
        elif saved.at_ms is not None:
            requests.answer_at(number, self.clock.alarm_ms(saved.at_ms), undefined)
        elif saved.message is None or saved.op < FIRST_DYNAMIC_OP:
            requests.answer(number, self.operations.granted.lost(saved.op))
        elif pause is not None:
            claim = past.claims.get(pause.token) or Claim()
            pending.pause = Suspension(pause.token, pause.run, pause.message, claim)
            pending.is_held = pending.can_pause = requests.has_paused = True
        else:
            pending.must_repeat, pending.is_held = past.pending == "call", past.pending == "hold"
            pending.can_pause = can_be_paused(self.operations.get(saved.op))
            requests.must_repeat |= pending.must_repeat


def _watched(state: State) -> dict[int, Watched]:
    from sandbox._watched import Watched  # not all programs are watched

    return {saved.number: Watched.load(saved.message) for saved in state.watched}


def _check_limits(state: State, limits: Limits) -> None:
    pending = sum(request.answer is None for request in state.requests)
    for name, held, limit in (
        ("pending requests", pending, limits.pending_requests),
        ("handles", max(len(state.operations), len(state.handles)), limits.handles),
    ):
        if held > limit:
            raise _too_small(name, held, limit)


def _too_small(name: str, held: int, limit: int) -> LimitExceeded:
    return LimitExceeded(limit, held, name, advice="Restore it with higher limits.")


def by_label(state: State, values: Mapping[str, object], limits: Limits) -> Find:
    """Finds operations among globals that the embedder gives anew.

    Raises:
        SnapshotError: Functions are missing.
        ConversionError: A global cannot be converted.
    """
    wanted = {each.label for each in state.operations if each.label}
    found: dict[str, Callable[..., Any]] = {}
    for name, value in values.items():
        if type(value) in _FUNCTIONS:
            found[name] = value  # type: ignore[assignment] # it is one
        elif name in wanted or name in state.names:
            collector = _Collector(name, value)
            Codec(collector, limits).encode(value)
            found.update(collector.found)
    missing = sorted(wanted - set(found))
    if missing:
        raise SnapshotError(
            f"its program holds host functions that were not given: {', '.join(missing)}; "
            "give them as functions= or globals= under these names",
            missing,
        )

    def find(saved: SavedOperation) -> HostOperation:
        function = found.get(saved.label)
        if function is None:
            made = _lost(saved)
        elif type(function) is Anchor:
            made = HostOperation("", Mode.CALL, function, function_name="", parameters=0, key=id(function))
        else:
            made = operation_of(function)
        return _as_saved(made, saved)

    return find


def by_op(operations: Mapping[int, HostOperation]) -> Find:
    """Finds operations among those of a twin."""

    def find(saved: SavedOperation) -> HostOperation:
        made = operations.get(saved.op)
        if made is None:
            made = _lost(saved)
        return _as_saved(made, saved)

    return find


def _as_saved(made: HostOperation, saved: SavedOperation) -> HostOperation:
    """An operation as the guest knows it; a function object of the guest is asked in the same way for ever."""
    return replace(
        made,
        function_name=saved.name,
        mode=Mode(saved.mode),
        references=saved.references,
        parameters=saved.parameters,
        label=saved.label,
    )


def _lost(saved: SavedOperation) -> HostOperation:
    """An operation that nothing continues."""
    return HostOperation(
        saved.name, Mode.CALL, _Lost(saved.name), function_name="", parameters=0, key=("lost", saved.op)
    )


class _Lost:
    """Stands for a function or an iterator that stayed behind."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __call__(self, *_arguments: object) -> NoReturn:
        raise LookupError(f"the host function {self._name!r} stayed behind when the sandbox was restored")


def _arguments(operations: Operations, limits: Limits, message: bytes) -> list[Any]:
    """Read again what the guest sent, in another life; it may be anybody's bytes."""
    refused = operations.refused
    try:
        arguments = Codec(operations, limits).decode(message)
    except (ConversionError, GuestProtocolError) as error:
        if operations.refused != refused:
            raise _too_small("handles", operations.live(), limits.handles) from None
        raise SnapshotCorrupt("its state has a request with odd arguments") from error
    if type(arguments) is not list:
        raise SnapshotCorrupt("its state has a request without arguments")
    return arguments


def _handles_in(arguments: object) -> Iterator[int]:
    """What a request holds of the guest."""
    seen: set[int] = set()
    left: list[Any] = [arguments]
    while left:
        value = left.pop()
        if isinstance(value, JSHandle):
            yield value.handle
        elif isinstance(value, list | tuple | set | dict | JSMap | JSSet | JSError) and id(value) not in seen:
            seen.add(id(value))
            left += (*value.keys(), *value.values()) if isinstance(value, dict | JSMap) else ()
            left += value if isinstance(value, list | tuple | set | JSSet) else ()
            left += value.properties.values() if isinstance(value, JSError) else ()


def _encoded(codec: Codec, value: object) -> tuple[bytes, Status]:
    """An answer that the guest has not been told, as it will be told."""
    if isinstance(value, Encoded):
        return value.message, value.outcome
    if isinstance(value, BaseException) and not isinstance(value, Exception):
        value = Aborted()
    message, is_refused = codec.encode_answer(value.value if isinstance(value, Returned) else value)
    failed = is_refused or isinstance(value, BaseException)
    return message, Status.ABORTED if isinstance(value, Aborted) else Status.FAILED if failed else Status.OK


class _Collector(Detached):
    """Sees which functions there are in a global."""

    def __init__(self, name: str, value: object) -> None:
        self.found: dict[str, Callable[..., Any]] = {}
        self._labels = Labels(name, value)

    def bind(self, function: Callable[..., Any], /) -> tuple[int, Mode, str, int]:
        name = "" if type(function) is Anchor else operation_of(function).function_name
        self.found[self._labels.next(function, name)] = function
        return 0, Mode.CALL, name, 0

    def bind_steps(self, iterator: Iterator[Any] | AsyncIterable[Any], /) -> tuple[int, Mode, str, int]:
        self._labels.next(iterator, "next")
        return 0, Mode.CALL, "", 0
