"""Where the guest's requests reach the host, those answered at once and those answered later: one place for all.

A run without an observer takes the short way: the handler is called. With one, a `Course` says what comes when, and is
taken through its steps here: in the turn, as far as nothing has to be awaited or the guest waits anyway, and on the
event loop.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Generator, Sequence
from contextlib import suppress
from functools import partial
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import CAP_FIRST_HOST_REQUEST, Mode
from sandbox._awaitables import Startable, close
from sandbox._callables import can_be_paused
from sandbox._events import Requested, returned
from sandbox._pausing import Ended, misplaced
from sandbox._pending import Aborted
from sandbox.capabilities.base import Due, Later, Malformed, Operation
from sandbox.errors import CapabilityDenied, ConversionError, Paused
from sandbox.pause import Pause
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._clock import Clock
    from sandbox._guest import Guest
    from sandbox._holds import Hold
    from sandbox._observer import Course, Observer, Waits, Watch
    from sandbox._operations import Operations
    from sandbox._requests import Requests
    from sandbox._runs import Run

_CALL: Final = Mode.CALL


class Calls:
    """Serves the requests of one guest. In a turn, if nothing else is said.

    Attributes:
        guest: The guest; set by whoever runs the turns.
        count: How many calls were made.
    """

    guest: Guest

    def __init__(
        self,
        operations: Operations,
        requests: Requests,
        clock: Clock,
        hold: Hold,
        call_host: Callable[[Callable[..., Any], Sequence[Any]], Any],
    ) -> None:
        """Make one.

        Args:
            operations: What can be asked for.
            requests: The book of what is answered later.
            clock: The sandbox's clock.
            hold: Where a turn waits.
            call_host: Calls a function of the embedder in the middle of a turn.
        """
        self.count = 0
        self._operations = operations
        self._requests = requests
        self._clock = clock
        self._hold = hold
        self._call_host = call_host

    def answer(self, run: Run, op: int, arguments: list[Any] | ConversionError) -> Any:  # noqa: ANN401 - any value
        """Answer a request in the middle of a turn.

        Args:
            run: The run whose turn it is.
            op: What is asked for.
            arguments: What the guest gave, or why that has no Python form.

        Raises:
            Exception: What the guest is to throw.
            BaseException: Else, what ends the run.
        """
        operation = self._operations.get(op)
        if operation is None or operation.mode is not _CALL or operation.is_sent:
            raise arguments if isinstance(arguments, ConversionError) else LookupError("no such host function")
        watch = None if run.observer is None else self._watch(run.observer, operation)
        if isinstance(arguments, ConversionError):
            self._refuse(run, watch, arguments)
            raise arguments
        self.count += 1
        if watch is not None:
            return self._watched(
                run, operation, watch, arguments, partial(self._call, operation, operation.handler, arguments)
            )
        answer = self._call(operation, operation.handler, arguments)
        if operation.waits and hasattr(answer, "__await__"):
            return self._hold.answer(answer, run.deadline)
        return answer

    def tell(self, run: Run, op: int, arguments: list[Any] | ConversionError) -> None:
        """Take what the guest wants no answer to; arguments as for `answer`.

        Raises:
            BaseException: What the handler raises: it ends the run.
        """
        operation = self._operations.get(op)
        if operation is None or not operation.is_sent:
            raise self.guest.broken("the guest wants no answer to what has one")
        watch = None if run.observer is None else self._watch(run.observer, operation)
        if isinstance(arguments, ConversionError):
            self._refuse(run, watch, arguments)
        elif watch is None:
            self._requests.call(self._call(operation, operation.handler, arguments))
        else:
            self._tell_watched(run, operation, watch, arguments)

    def request(self, run: Run, asked: Requested) -> None:
        """Write down a request that is answered later, and begin to answer it.

        Raises:
            BaseException: What ends the run.
        """
        number, op, arguments = asked.id, asked.op, asked.arguments
        operation = self._operations.get(op)
        requests = self._requests
        if number >= CAP_FIRST_HOST_REQUEST or number in requests:
            raise self.guest.broken("the guest made a request under a number that is not free")
        if operation is not None and operation.mode is not Mode.QUEUE:
            raise self.guest.broken("the guest waits for what is answered at once")
        is_service = operation is not None and operation.service is not None
        refusal = requests.admit(asked, run, is_service=is_service, can_pause=can_be_paused(operation))
        if operation is None:
            requests.answer(number, refusal or LookupError("no such host function"))
            return
        watch = None if run.observer is None else self._watch(run.observer, operation)
        if refusal is None and isinstance(arguments, ConversionError):
            refusal = arguments
        if refusal is not None or isinstance(arguments, ConversionError):
            assert refusal is not None
            requests.answer(number, refusal)
            self._refuse(run, watch, refusal, arguments)
            return
        self._serve(run, number, operation, watch, arguments)

    def repeat(self) -> None:
        """Ask again, in a turn, for what was pending in another life of the sandbox and nobody has answered."""
        self._requests.must_repeat = False
        for pending in self._requests.pending():
            if not pending.must_repeat:
                continue
            pending.must_repeat, run = False, pending.run
            operation = self._operations.get(pending.op)
            if operation is None:
                self._requests.answer(pending.number, LookupError("no such host function"))
                continue
            watch = None if run.observer is None else self._watch(run.observer, operation)
            if watch is not None and pending.is_approved:
                watch = watch._replace(before=())
            self._serve(run, pending.number, operation, watch, list(pending.arguments))

    def _serve(self, run: Run, number: int, operation: Operation, watch: Watch | None, arguments: list[Any]) -> None:
        """Begin to answer a request that was written down."""
        requests = self._requests
        self.count += 1
        if operation.service is not None:
            requests.serve(id(operation), operation.service)
            operation.service = None
        try:
            answer = operation.handler(*arguments) if watch is None else self._begin(run, operation, watch, arguments)
        except Malformed as error:
            raise self.guest.broken(f"malformed arguments of {operation.name}: {error}") from None
        except (Exception, Pause) as error:  # noqa: BLE001 - the guest's program decides what to do about it
            requests.answer(number, error)
            return
        requests.answer_with(number, answer, self._clock.alarm_ms)

    # --- watched ---

    def _tell_watched(self, run: Run, operation: Operation, watch: Watch, arguments: list[Any]) -> None:
        """The course of what has no answer. What it leaves to do is done, whatever a hook says afterwards."""
        was_told = False

        def perform() -> Any:  # noqa: ANN401 - any value
            nonlocal was_told
            was_told = True
            self._requests.call(self._call(operation, operation.handler, arguments))
            return undefined

        with suppress(CapabilityDenied):  # nobody hears of it
            self._watched(run, operation, watch, arguments, perform)
        if not was_told and operation.withhold is not None:
            self._requests.call(self._call(operation, operation.withhold, arguments))

    def _watched(
        self, run: Run, operation: Operation, watch: Watch, arguments: list[Any], perform: Callable[[], Any]
    ) -> Any:  # noqa: ANN401 - any value
        """The whole course of a call in the middle of a turn, which waits for what has to be awaited."""
        course = self._course(run, operation, watch, arguments, perform, waits=operation.waits)
        steps = course.steps()
        try:
            awaitable = next(steps)
            while True:
                course.began = time.perf_counter()
                try:
                    value = self._hold.answer(awaitable, run.deadline)
                except Aborted:  # the turn is being ended
                    steps.close()
                    raise
                except BaseException as error:  # noqa: BLE001 - it is the course's
                    awaitable = steps.throw(error)
                else:
                    awaitable = steps.send(value)
        except StopIteration:
            return course.value()

    def _begin(self, run: Run, operation: Operation, watch: Watch, arguments: list[Any]) -> Any:  # noqa: ANN401 - any value
        """The course of a call as far as it goes in the turn: gives the answer, or what stands for the rest."""
        course = self._course(run, operation, watch, arguments, lambda: operation.handler(*arguments), waits=True)
        steps = course.steps()
        try:
            return _Rest(run, course, steps, next(steps), self._clock).answer()
        except StopIteration:
            value = course.value()
            return value if course.due is None else course.due

    def _watch(self, observer: Observer, operation: Operation) -> Watch | None:
        name = self._operations.answering = operation.name
        if observer.goes_by_labels:
            name = getattr(operation, "label", "") or name
        return observer.watch(name, is_quiet=operation.is_quiet)

    def _course(
        self,
        run: Run,
        operation: Operation,
        watch: Watch,
        arguments: list[Any],
        perform: Callable[[], Any],
        *,
        waits: bool,
    ) -> Course:
        from sandbox._observer import Course  # where there is an observer, so is its module

        show, shown = operation.show, arguments
        if show is not None:
            try:
                shown = show(arguments)
            except Exception:  # noqa: BLE001 - they were not checked, and the handler is going to refuse them
                shown = list(arguments)
        assert run.observer is not None
        return Course(
            run.observer,
            watch,
            run,
            shown,
            perform,
            self._call_host,
            show_answer=operation.show_answer,
            waits=waits,
        )

    def _refuse(
        self, run: Run, watch: Watch | None, refusal: Exception, arguments: list[Any] | ConversionError | None = None
    ) -> None:
        """Have it recorded that a call was refused before anything was done."""
        if watch is not None and run.observer is not None:
            call = run.observer.begin(run, watch, arguments if isinstance(arguments, list) else [])
            call.error = refusal
            run.observer.end(run, watch, call, "refused")

    def _call(self, operation: Operation, function: Callable[..., Any], arguments: list[Any]) -> Any:  # noqa: ANN401 - any value
        try:
            return self._call_host(function, arguments)
        except Paused as paused:
            raise Ended(misplaced(paused)) from None
        except Malformed as error:
            raise self.guest.broken(f"malformed arguments of {operation.name}: {error}") from None


class _Rest(Startable, Awaitable[Any]):
    """The rest of a call: on the event loop, while something is awaited, and where a `Later` is answered."""

    def __init__(self, run: Run, course: Course, steps: Waits, awaitable: Awaitable[Any] | Later, clock: Clock) -> None:
        self._run = run
        self._course = course
        self._steps = steps
        self._awaitable: Awaitable[Any] | Later | None = awaitable
        self._clock = clock
        course.invoke = _call

    def answer(self) -> Startable:
        """What answers the request, as far as that is known."""
        later = self._awaitable
        return _Later(self, later, self._go_on) if isinstance(later, Later) else self

    def __await__(self) -> Generator[Any, Any, Any]:
        return self._take().__await__()

    async def _take(self) -> Any:  # noqa: ANN401 - any value
        course, steps = self._course, self._steps
        awaitable, self._awaitable = self._awaitable, None
        if awaitable is None:
            return None  # it was closed on its way here, and nobody wants the outcome
        try:
            while not isinstance(awaitable, Later):
                course.began = time.perf_counter()
                try:
                    value = await awaitable
                except BaseException as error:  # noqa: BLE001 - it is the course's
                    awaitable = steps.throw(error)
                else:
                    awaitable = steps.send(value)
        except StopIteration:
            return self._value()
        self._awaitable = awaitable
        return self.answer()

    def _go_on(self, value: object) -> object:
        """A `Later` was answered; gives the answer of the call, or what it waits for next."""
        if self._awaitable is None:
            return None  # it was closed meanwhile
        self._awaitable = None
        try:
            if isinstance(value, BaseException):
                self._awaitable = self._steps.throw(value)
            else:
                self._awaitable = self._steps.send(value)
        except StopIteration:
            try:
                return returned(self._value())
            except Exception as error:  # noqa: BLE001 - the answer of the request
                return error
        except BaseException as error:  # noqa: BLE001 - raised where the run is
            return error
        return self.answer()

    def _value(self) -> Any:  # noqa: ANN401 - any value
        value, due = self._course.value(), self._course.due
        return value if due is None else Due(self._clock.alarm_ms(due.at_ms), due.value)

    def close(self) -> None:
        """See `Startable`. It may be on its way on the loop, where it is going to be cancelled."""
        awaitable, self._awaitable = self._awaitable, None
        try:
            if awaitable is not None:
                close(awaitable)
                self._steps.close()
            else:
                self._course.end("cancelled")
        except Ended as ended:
            tell_embedder(self._run, ended.error)


class _Later(Later, Startable):
    """An answer that somebody else gives to a call that is watched."""

    def __init__(self, rest: _Rest, later: Later, go_on: Callable[[object], object]) -> None:
        def begin(answer: Callable[[Any], None]) -> None:
            later.begin(lambda value: answer(go_on(value)))

        super().__init__(begin, later.cancel, later.holds_time, later.outlives_run)
        self._rest = rest

    def close(self) -> None:
        """See `Startable`."""
        self._rest.close()


def tell_embedder(run: Run, error: BaseException) -> None:
    """Report what has failed while no turn could raise it: it ends its run; if that has ended, Python is told."""
    if not run.done:
        run.force(error)
        run.wake()
    else:
        sys.unraisablehook(
            SimpleNamespace(
                exc_type=type(error),
                exc_value=error,
                exc_traceback=error.__traceback__,
                err_msg="Exception ignored in an observer of a sandbox",
                object=None,
            )
        )


def _call(function: Callable[..., Any], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - any value
    """On the event loop, what interrupts a function of the embedder is the loop's business."""
    return function(*arguments)
