"""One guest program's life, without I/O: commands go in, events come out.

There is no event loop, thread or clock here. A command (`eval`, `call`, `settle`, ...) runs one turn of the guest on
the calling thread and returns what happened in it. Two things cannot wait for the turn's end and are given as
callables: the handler of synchronous requests, and `on_events`, which gets what happened before such a request.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, Final

from sandbox import _abi, _events, _failures
from sandbox._abi import CAP_REENTRY, FRAME_HEADER_BYTES, Op, Reason, Status, Verb
from sandbox._codec import Codec
from sandbox._events import (
    TOLD,
    Cancelled,
    Crashed,
    Encoded,
    Event,
    Failed,
    Finished,
    Released,
    Requested,
    Returned,
    State,
    Stopped,
    Uncaught,
    told,
)
from sandbox._instance import OUT_OF_BUDGET, STACK_OVERFLOW, Instance, Trap
from sandbox._labels import Labels
from sandbox._wire import path_step
from sandbox.errors import (
    ConversionError,
    EngineCrashed,
    GuestProtocolError,
    JSError,
    LimitExceeded,
    MemoryLimitExceeded,
    SandboxBusy,
    SandboxClosed,
    SandboxError,
    SandboxPoisoned,
    StackLimitExceeded,
    UnhandledRejection,
)
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._codec import Owner
    from sandbox._events import SyncHandler
    from sandbox._memory_copy import Origin
    from sandbox._settings import Settings
    from sandbox.limits import Limits

_REASONS: Final = frozenset(map(int, Reason))
_HEADER: Final = struct.Struct("<III")
_OUT_OF_MEMORY, _INTERNAL = "out of memory", "InternalError"  # what the engine says; the first in SyntaxErrors as well
_BATCH_BYTES: Final = 1 << 14  # of frames decoded at one time, holes of arrays included: events take far more room
_NANOSECONDS: Final = 1_000_000_000
_OK, _FINISH, _POLL = int(Status.OK), int(Op.FINISH), int(Op.POLL)  # as numbers, which compare sooner than members
_READY, _RUNNING, _POISONED = State.READY, State.RUNNING, State.POISONED


class Guest:
    """A guest program. One thread at a time; commands are refused while a turn runs, unless that turn called the host.

    Attributes:
        state: Where it is in its life.
        instance: The wasm instance below.
    """

    def __init__(
        self,
        limits: Limits,
        settings: Settings,
        owner: Owner,
        *,
        on_sync: SyncHandler,
        on_events: Callable[[list[Event]], None],
        on_poll: Callable[[], None],
        origin: Origin | None = None,
    ) -> None:
        """Start a guest.

        Args:
            limits: Its budgets; memory, stack and message sizes are enforced here.
            settings: Seed, clock, and what makes the instance.
            owner: Knows functions and exceptions that cross; see `Codec`.
            on_sync: Answers synchronous requests.
            on_events: Gets the events that precede a synchronous request or a poll, and the first ones of very many.
            on_poll: Called every `poll_interval` checks; what it raises unwinds the guest.
            origin: The memory it continues from, for `resume` to be its first command; None: it is a new one.
        """
        self.state: str = _READY
        self._poisoned_by = ""
        self._limits = limits
        self._owner = owner
        self._codec = Codec(owner, limits, error_detail=settings.error_detail)
        self._on_sync = on_sync
        self._on_events = on_events
        self._on_poll = on_poll
        # Not between the writing of a message and its reading, where a finalizer of the embedder may run as anywhere.
        self._may_write = True
        make = settings.make_instance or Instance
        self.instance: Instance = make(limits.memory_bytes, self._host_call, limits.metering, origin)
        control = self.instance.control
        settings.write(control, limits)
        self._stack_bytes: int = control.stack_limit_bytes
        if origin is None:
            self.instance.call("start")
            if settings.zone:
                self.instance.set_zone(self._codec.encode_many(settings.zone))
        self.instance.limit_heap(None)
        self._failed_allocations = control.failed_allocations

    # --- commands: each is one turn ---

    def eval(self, run: int, code: str, filename: str, what: int = 0, receiver: int = 0) -> list[Event]:
        """Evaluate a script as `Evaluation` says; `Finished` or `Failed` follows. `receiver` makes the run's value."""
        rest = (what, receiver) if receiver else (what,) if what else ()
        return self._turn("eval", self._codec.encode_many(filename, code, *rest), run)

    def module(self, run: int, specifier: str | None, code: str | None, filename: str | None) -> list[Event]:
        """Import a module, by specifier or as a source of its own; the value of the run is its namespace."""
        return self._turn("module", self._codec.encode_many(specifier, code, filename), run)

    def call(self, run: int, target: int | str, this: object, arguments: Sequence[object]) -> list[Event]:
        """Call a function by handle, 0 for what bindings answer, or its dotted path from globalThis."""
        return self._turn("call", self._codec.encode_many(target, this, list(arguments)), run)

    def access(self, run: int, verb: Verb, handle: int, key: str, value: object = None) -> list[Event]:
        """Read, write, delete, test or list properties of the object behind a handle; 0: of globalThis."""
        if verb in (Verb.SET, Verb.FREEZE) and not handle:
            self._owner.labels = Labels(key, value)
        try:
            message = self._codec.encode_many(int(verb), handle, key, value)
        finally:
            self._owner.labels = None
        return self._turn("access", message, run)

    def resume(self, handles: Sequence[int]) -> list[Event]:
        """Begin with the memory of another life: limits and seed are this one's, and no other handles are held."""
        return self._turn("resume", self._codec.encode_many(*handles))

    def define(self, run: int, name: str, value: object, *, is_frozen: bool = False) -> list[Event]:
        """Set a global; a path in a `ConversionError` begins with its name."""
        try:
            return self.access(run, Verb.FREEZE if is_frozen else Verb.SET, 0, name, value)
        except ConversionError as error:
            raise ConversionError(f"${path_step(name)}{error.path[1:]}", error.reason) from None

    def settle(self, request: int, value: object, *, aborted: bool = False) -> list[Event]:
        """Answer a request; an exception as value makes it fail.

        Args:
            request: Its number.
            value: The answer.
            aborted: Whether the exception says that the run which asked was ended. Such a rejection is told at once
                when nobody handles it; any other when no run is left that could still do so.
        """
        if isinstance(value, Encoded):
            return self._turn("settle", value.message, request, value.outcome)
        message, is_refused = self._codec.encode_answer(value.value if isinstance(value, Returned) else value)
        failed = is_refused or isinstance(value, BaseException)
        outcome = Status.ABORTED if aborted else Status.FAILED if failed else Status.OK
        return self._turn("settle", message, request, outcome)

    def release(self, handles: Sequence[int]) -> list[Event]:
        """Drop handles the host no longer holds."""
        return self._turn("release", self._codec.encode_many(*handles))

    def abandon(self, run: int) -> list[Event]:
        """Forget a run that nobody waits for; what it left unhandled is told."""
        return self._turn("abandon", b"", run)

    # --- the turn ---

    def _turn(self, export: str, message: bytes, *numbers: int) -> list[Event]:
        instance = self.instance
        nested = instance.depth > 0
        if self.state is not _READY and not (nested and self.state is _RUNNING):
            raise self.refusal()
        if nested and instance.depth > CAP_REENTRY:
            raise SandboxBusy("host functions call back into the guest too deeply")
        if not self._may_write:
            raise SandboxBusy
        self._may_write = False
        try:
            try:
                instance.write(message)
            except MemoryError:
                raise MemoryLimitExceeded(self._limits.memory_bytes, instance.memory_bytes()) from None
            except GuestProtocolError:
                self.state = _POISONED
                raise
            self.state = _RUNNING
            try:
                status = instance.call(export, (*numbers, len(message)))
            finally:
                if not nested and self.state is _RUNNING:
                    self.state = _READY
            try:
                events = self._drain()
            except GuestProtocolError:
                if instance.pending is None or nested:
                    raise
                events = []
            if instance.pending is not None and not nested:
                self._raise_pending(events)
            if status != _OK:
                raise self.broken(f"the guest refused a message of the host (status {status})")
        except Trap as trap:
            return self._end(trap, nested)
        else:
            return events
        finally:
            self._may_write = True

    def _end(self, trap: Trap, nested: bool) -> list[Event]:
        """What a guest that has trapped leaves behind."""
        self.state = _POISONED
        events = self._last_words()
        if self.instance.pending is None:
            return [*events, self._crash(trap)]
        # That it trapped means nothing: it was told to stop before.
        if not nested:
            self._raise_pending(events)
        return events

    def _raise_pending(self, events: list[Event]) -> None:
        """Raise what an import left, after what happened before it has been heard."""
        error, self.instance.pending = self.instance.pending, None
        assert error is not None
        if self.instance.is_broken:
            self.state = _POISONED
        self._on_events([event for event in events if not isinstance(event, Stopped)])
        raise error

    def refusal(self) -> SandboxError:
        """Why a command cannot be taken now."""
        if self.state is State.CLOSED:
            return SandboxClosed()
        if self.state is _POISONED:
            return SandboxPoisoned(*([self._poisoned_by] if self._poisoned_by else ()))
        return SandboxBusy()

    def poison(self, reason: str) -> None:
        """Refuse every command from now on, for a reason that each refusal tells; the first one stands."""
        self.state = _POISONED
        self._poisoned_by = self._poisoned_by or f"the sandbox was poisoned: {reason}; make a new one"

    def broken(self, text: str) -> GuestProtocolError:
        """Poison a guest that has broken the ABI; returns what to raise."""
        self.state = _POISONED
        return GuestProtocolError(text)

    def _last_words(self) -> list[Event]:
        """What a guest sent without asking for an answer before it trapped, console entries above all."""
        try:
            return self._drain(lambda event: isinstance(event, Requested) and event.id == 0)
        except SandboxError:  # the trap came while a frame was moved
            return []

    def _crash(self, trap: Trap) -> Crashed:
        if trap.code == STACK_OVERFLOW:
            return Crashed(False, StackLimitExceeded(self._stack_bytes))
        is_out_of_budget = trap.code in OUT_OF_BUDGET
        if not is_out_of_budget and self.instance.control.failed_allocations != self._failed_allocations:
            return Crashed(False, self._memory_error())
        return Crashed(is_out_of_budget, EngineCrashed(f"the engine trapped: {trap}"))

    def _memory_error(self) -> MemoryLimitExceeded:
        return MemoryLimitExceeded(self._limits.memory_bytes, self.instance.memory_bytes())

    def _drain(self, is_wanted: Callable[[Event], bool] | None = None) -> list[Event]:
        """Read the frames of the outbox; of very many, the first ones are given to `on_events`.

        Args:
            is_wanted: Which events count; by default all.
        """
        instance, codec = self.instance, self._codec
        control = instance.control
        length, reason = control.outbox_bytes, control.reason
        if not length and not reason:
            return []
        if reason and reason not in _REASONS:
            raise self.broken("the guest was stopped for no known reason")
        try:
            frames = instance.read(control.outbox, length)
        except GuestProtocolError:
            self.state = _POISONED
            raise
        control.outbox_bytes = 0
        events: list[Event] = []
        failure: BaseException | None = None
        position, heard = 0, codec.most_items
        codec.spare_items = heard
        while position < length:
            if events and position - codec.spare_items + heard > _BATCH_BYTES:
                frames = bytes(frames)  # whoever hears of them may run the guest, whose memory it is
                heard, failed, events = codec.spare_items - position, self._tell(events), []
                failure = failure or failed
            start = position + FRAME_HEADER_BYTES
            if start > length:
                raise self.broken("the guest wrote half a frame")
            op, number, size = _HEADER.unpack_from(frames, position)
            end = start + size
            if end > length:
                raise self.broken("the guest wrote a frame longer than its outbox")
            try:
                event = self._event(op, number, frames[start:end])
            except GuestProtocolError:
                self.state = _POISONED
                raise
            position = end + (-size & 3)
            if is_wanted is None or is_wanted(event):
                events.append(event)
        if failure is not None:
            self._tell(events)
            raise failure
        if reason and instance.depth == 0:
            control.reason = Reason.NONE
            events.append(Stopped(Reason(reason)))
        return events

    def _tell(self, events: list[Event]) -> BaseException | None:
        """Hand events over; returns what that raised, for what follows them counts as well."""
        may_write, self._may_write = self._may_write, True
        try:
            return self._on_events(events)
        except BaseException as error:
            if self.state is _POISONED:
                raise
            return error
        finally:
            self._may_write = may_write

    def _event(self, op: int, number: int, message: bytes | memoryview) -> Event:
        if op == _FINISH:
            try:
                return Finished(number, self._codec.decode(message))
            except (ConversionError, LimitExceeded) as error:
                return Failed(number, error.with_traceback(None))
        if op == Op.FAIL:
            return Failed(number, self._thrown(message))
        if op == Op.UNCAUGHT:
            thrown = self._thrown(message)
            if number == 1 and isinstance(thrown, JSError):
                thrown = UnhandledRejection.from_thrown(thrown.value)
            return Uncaught(thrown)
        if op == Op.CANCEL:
            return Cancelled(number)
        if op == Op.RELEASE:
            return Released(number)
        if op in TOLD and (event := told(op, number, self._codec.decode(message))) is not None:
            return event
        try:
            if number and (self.instance.control.reason or (self.instance.depth and self.instance.control.interrupt)):
                raise ConversionError("$", "of a run that was stopped")
            is_call = number and op >= _abi.FIRST_DYNAMIC_OP
            return Requested(number, op, self._arguments(message), bytes(message) if is_call else b"")
        except ConversionError as refusal:
            return Requested(number, op, refusal.with_traceback(None))
        except LimitExceeded:  # whoever asks for its answer is ended before there is one
            return Requested(number, op, ConversionError("$", "there was no time to read it"))

    def _thrown(self, message: bytes | memoryview) -> SandboxError:
        control = self.instance.control
        try:
            value = self._codec.decode_thrown(message)
        except LimitExceeded as error:
            return error.with_traceback(None)
        # Whether memory ran out is a fact of the allocator; what the guest says only tells which failure it was.
        # A guest that is being stopped throws as well: then only the allocator's own text stands for memory.
        is_own_text = isinstance(value, JSError) and value.message == _OUT_OF_MEMORY
        is_odd = value is None or value is undefined or (isinstance(value, JSError) and value.js_class == _INTERNAL)
        is_out_of_memory = control.failed_allocations != self._failed_allocations and (
            is_own_text or (is_odd and not control.reason)
        )
        if is_out_of_memory:
            self._failed_allocations = control.failed_allocations
            return self._memory_error()
        return _failures.thrown(value)

    def _arguments(self, message: bytes | memoryview) -> list[Any]:
        arguments: list[Any] = self._codec.decode(message)
        if type(arguments) is not list:
            raise self.broken("the guest sent arguments that are no array")
        return arguments

    # --- the import ---

    def _host_call(self, op: int, message: bytes | memoryview) -> tuple[int, bytes | None]:
        instance, codec = self.instance, self._codec
        control = instance.control
        arguments: list[Any] | ConversionError | None = None
        self._may_write, codec.spare_items = True, codec.most_items
        try:
            if op != _POLL:  # before anything else can run the guest, whose memory the message may be
                try:
                    arguments = self._arguments(message)
                except ConversionError as refusal:
                    arguments = refusal.with_traceback(None)  # which would keep what was read so far
                except LimitExceeded as error:
                    raise error.with_traceback(None)  # noqa: B904 - likewise
                except GuestProtocolError:
                    self.state = _POISONED
                    raise
            if control.outbox_bytes or control.reason:
                self._on_events(self._drain())
            if arguments is None:
                self._on_poll()
                return _OK, None
            try:
                answer, status = self._on_sync(op, arguments), _OK
            except Exception as error:
                if self.state is _POISONED:
                    raise
                answer, status = error, Status.FAILED
            if self.state is _POISONED:
                return Status.STOP, None
            self._owner.served = arguments
            try:
                reply, is_refused = codec.encode_answer(answer)
            finally:
                self._owner.served = None
            if len(reply) > control.inbox_bytes and not instance.reserve(len(reply)):
                raise self._memory_error()
        except Trap as trap:  # where it was asked for room
            self.state = _POISONED
            self._on_events([self._crash(trap)])
            return Status.STOP, None
        else:
            return Status.FAILED if is_refused else status, reply
        finally:
            self._may_write = False
            if self.state is _POISONED:
                # The frames below stand on a heap that must not be used, or are those of an attacker.
                instance.halt()

    # --- time and memory ---

    def arm(self, cpu_seconds: float | None, fuel: int, wall: float = math.inf, spare_fuel: int = 0) -> None:
        """Set what the next turn may use: guest time, and the hard stop behind it; see `Instance.arm`."""
        control = self.instance.control
        control.cpu_used_ns = control.interrupt = 0
        control.cpu_budget_ns = 0 if cpu_seconds is None else int(cpu_seconds * _NANOSECONDS) or 1
        self._failed_allocations = control.failed_allocations
        self.instance.arm(fuel, cpu_seconds, wall, spare_fuel)

    def cpu_seconds(self) -> float:
        """Guest time of the last turn."""
        used: int = self.instance.control.cpu_used_ns
        return used / _NANOSECONDS

    def interrupt(self) -> None:
        """Stop the running turn at its next poll. May be called from any thread, and from a signal handler."""
        if self.state is not State.CLOSED:
            self.instance.control.interrupt = 1

    def set_virtual_now(self, milliseconds: float) -> None:
        """Set the virtual clock, in milliseconds since the time origin."""
        self.instance.control.virtual_now_ms = milliseconds

    # --- going back ---

    def checkpoint(self) -> Callable[[], None]:
        """Copy all that the guest is, between two turns; returns what makes it that again, also after a crash.

        Raises:
            MemoryError: The host has no room for the copy.
        """
        copy = self.instance.checkpoint()

        def restore() -> None:
            self.instance.restore(copy)
            self.state = _READY

        return restore

    def close(self) -> None:
        """Free the guest; idempotent.

        Raises:
            SandboxBusy: A turn is running.
        """
        if self.instance.depth:
            raise SandboxBusy("a sandbox cannot be closed while its guest runs")
        is_sound, self.state = self.state is not _POISONED, State.CLOSED
        self.instance.close(is_sound=is_sound)
        self.instance.on_host_call = self._on_sync = self._on_events = self._on_poll = _events.closed
