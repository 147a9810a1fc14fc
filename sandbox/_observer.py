"""What an embedder wants to know of the guest's calls, and to decide about them: hooks, limits, logs, by name."""

from __future__ import annotations

import itertools
import threading
import time
from collections.abc import Callable, Generator, Iterable, Mapping
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any, Final, Protocol

from sandbox._awaitables import Timed
from sandbox._pausing import Ended, misplaced
from sandbox._records import NamedTuple, record
from sandbox.calls import Answer, Call, Deny, Hook, HookOption, Outcome, payload_bytes
from sandbox.capabilities.base import Due, Later
from sandbox.errors import CallLimitExceeded, CapabilityDenied
from sandbox.limits import CallLimits, CallUsage
from sandbox.pause import Pause, pause_in
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox.audit import AuditLog

# Names are the embedder's, who may make functions with names of the guest's choice.
MOST_NAMES: Final = 1000
_OTHERS: Final = "(others)"
EVERY: Final = "**"  # the pattern of limits that one run is given for all of its calls; it fits as "*" does
_sandboxes = itertools.count(1)


@record(slots=True)
class Meter:
    """What a run has used of one of the call limits."""

    calls: int = 0
    bytes: int = 0
    seconds: float = 0.0


@record(slots=True)
class _Total:
    """As `CallUsage`, while it grows."""

    calls: int = 0
    failed: int = 0
    bytes_in: int = 0
    bytes_out: int = 0
    host_seconds: float = 0.0


_TOTAL: Final = tuple(_Total.__annotations__)


class Metered(Protocol):
    """A run.

    Attributes:
        id: Its number.
        meters: What it has used of the call limits, by pattern; made when first needed.
    """

    id: int
    meters: dict[str, Meter]


class Watch(NamedTuple):
    """What concerns one operation.

    Attributes:
        name: The operation's.
        before: Hooks to ask first.
        after: Hooks to ask about the answer.
        limits: Call limits, by pattern.
        logs: Where its calls are recorded.
        timeout: The longest the host may work on one call, in seconds; None: any time.
    """

    name: str
    before: tuple[Hook, ...]
    after: tuple[Hook, ...]
    limits: tuple[tuple[str, CallLimits], ...]
    logs: tuple[CallLog, ...]
    timeout: float | None


class CallLog(Protocol):
    """Where calls are recorded; an `AuditLog` is one."""

    @property
    def ops(self) -> Iterable[str]:
        """The names or patterns of what it records."""

    def begin(self, sandbox: int, call: Call, /) -> None:
        """A call is made."""

    def end(self, sandbox: int, call: Call, /) -> None:
        """It has ended."""

    def after_fork(self) -> None:
        """Whatever thread held its lock, it is not in the child."""


class Observer:
    """Hooks, call limits and logs of a sandbox, or of one run. Any thread."""

    def __init__(
        self,
        on_call: Mapping[str, Hook],
        on_result: Mapping[str, Hook],
        call_limits: Mapping[str, CallLimits],
        logs: tuple[CallLog, ...],
        *,
        goes_by_labels: bool = False,
    ) -> None:
        """Make one; the mappings are by name or pattern. By labels: functions go by the names of their globals."""
        self.goes_by_labels = goes_by_labels
        self._on_call = on_call
        self._on_result = on_result
        self._call_limits = call_limits
        self._logs = logs
        self._id = next(_sandboxes)
        self._numbers = itertools.count(1)
        self._watches: dict[str, Watch | None] = {}
        self._totals: dict[str, _Total] = {}
        # Reentrant, since a finalizer of the embedder may use the sandbox.
        self._lock = threading.RLock()

    @staticmethod
    def of_run(observer: Observer | None, log: CallLog | None, limits: CallLimits | None) -> Observer | None:
        """What a sandbox has, and what one of its runs has beside that; None: nothing."""
        if log is None and limits is None:
            return observer
        own = {} if limits is None else {EVERY: limits}
        logs = () if log is None else (log,)
        if observer is None:
            return Observer({}, {}, own, logs, goes_by_labels=True)
        joined = Observer(
            observer._on_call, observer._on_result, {**observer._call_limits, **own}, (*observer._logs, *logs)
        )
        joined._id, joined._numbers = observer._id, observer._numbers
        joined._totals, joined._lock = observer._totals, observer._lock
        return joined

    def watch(self, name: str, *, is_quiet: bool = False) -> Watch | None:
        """What concerns an operation; None: nothing does.

        Args:
            name: The operation's.
            is_quiet: Whether only what names it literally does.
        """
        try:
            return self._watches[name]
        except KeyError:
            watch = self._find(name, is_quiet=is_quiet)
            if len(self._watches) < MOST_NAMES:
                self._watches[name] = watch
            return watch

    def _find(self, name: str, *, is_quiet: bool) -> Watch | None:
        def fits(pattern: str) -> bool:
            return pattern == name if is_quiet else fnmatchcase(name, pattern)

        before = tuple(hook for pattern, hook in self._on_call.items() if fits(pattern))
        after = tuple(hook for pattern, hook in self._on_result.items() if fits(pattern))
        limits = tuple(item for item in self._call_limits.items() if fits(item[0]))
        logs = tuple(log for log in self._logs if any(map(fits, log.ops)))
        if not (before or after or limits or logs):
            return None
        timeout = min((each.timeout for _, each in limits if each.timeout is not None), default=None)
        return Watch(name, before, after, limits, logs, timeout)

    def begin(self, run: Metered, watch: Watch, arguments: list[Any]) -> Call:
        """A call is made: it is numbered, recorded, and counted.

        Raises:
            Ended: It is more than the run may ask for, or it could not be recorded.
        """
        size = payload_bytes(arguments)
        call = Call(
            number=next(self._numbers),
            run=run.id,
            name=watch.name,
            arguments=arguments,
            time=time.time(),
            bytes_in=size,
        )
        try:
            for log in watch.logs:
                log.begin(self._id, call)
        except Exception as error:  # noqa: BLE001 - it is the embedder's, and must not be the guest's
            raise Ended(error) from None
        excess = self._count(run, watch, 1, size, 0.0) if watch.limits else None
        if excess is not None:
            call.error = excess
            self.end(run, watch, call, "refused")
            raise Ended(excess)
        return call

    def end(self, run: Metered, watch: Watch, call: Call, outcome: Outcome) -> None:
        """A call has ended; whatever has become of it, this is called once.

        Raises:
            Ended: The run has used more than it may, or the end could not be recorded.
        """
        call.outcome = outcome
        excess = None
        if watch.limits and outcome != "refused":
            excess = self._count(run, watch, 0, call.bytes_out, call.host_seconds)
            if excess is not None:
                call.error, call.value, call.outcome = excess, undefined, "error"
        self._add(call)
        try:
            for log in watch.logs:
                log.end(self._id, call)
        except Exception as error:  # noqa: BLE001 - the same
            raise Ended(error) from None
        if excess is not None:
            raise Ended(excess)

    def is_first(self, course: Course) -> bool:
        """Whether a call has not ended yet, which it has then."""
        with self._lock:
            was_over, course.is_over = course.is_over, True
            return not was_over

    def usage(self) -> dict[str, CallUsage]:
        """What the calls of each operation came to."""
        with self._lock:
            return {name: CallUsage(**{key: getattr(at, key) for key in _TOTAL}) for name, at in self._totals.items()}

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child."""
        self._lock = threading.RLock()
        for log in self._logs:
            log.after_fork()

    def _count(self, run: Metered, watch: Watch, calls: int, size: int, seconds: float) -> CallLimitExceeded | None:
        """Count for every limit that concerns it; which one was exceeded."""
        excess = None
        with self._lock:
            for pattern, limits in watch.limits:
                meter = run.meters.setdefault(pattern, Meter())
                was_used_up = calls and limits.seconds is not None and meter.seconds >= limits.seconds
                meter.calls += calls
                meter.bytes += size
                meter.seconds += seconds
                for limit, used, unit in (
                    (limits.calls, meter.calls, "calls"),
                    (limits.bytes, meter.bytes, "bytes"),
                    (limits.seconds, meter.seconds, "seconds"),
                ):
                    is_over = limit is not None and used > limit
                    if excess is None and limit is not None and (is_over or (unit == "seconds" and was_used_up)):
                        option = "max_host_calls" if pattern == EVERY else f"call_limits[{pattern!r}]"
                        advice = f"Raise {option}, or let the program ask for less."
                        excess = CallLimitExceeded(limit, used, unit, advice=advice, op=watch.name)
        return excess

    def _add(self, call: Call) -> None:
        with self._lock:
            total = self._totals.get(call.name)
            if total is None:
                name = call.name if len(self._totals) < MOST_NAMES else _OTHERS
                total = self._totals.setdefault(name, _Total())
            total.calls += 1
            total.failed += call.error is not None
            total.bytes_in += call.bytes_in
            total.bytes_out += call.bytes_out
            total.host_seconds += call.host_seconds


Waits = Generator[Any, Any, None]


class Course:
    """One call from its hooks to its end. It waits for nothing itself: whoever takes its steps does.

    Attributes:
        call: The call, as hooks see it.
        is_over: Whether the call has ended, be it that the host goes on for it.
        due: When the guest is to be answered, if that is not now.
        invoke: Calls a function of the embedder. Whoever takes the steps may set it.
        began: When what the last step gave was begun, by `time.perf_counter`; whoever takes them sets it.
    """

    call: Call

    def __init__(
        self,
        observer: Observer,
        watch: Watch,
        run: Metered,
        arguments: list[Any],
        perform: Callable[[], Any],
        invoke: Callable[..., Any],
        *,
        show_answer: Callable[[Any], Any] | None,
        waits: bool,
    ) -> None:
        """Begin a call; see `Observer.begin`.

        Args:
            observer: Whose it is.
            watch: What concerns it.
            run: The run it belongs to.
            arguments: What hooks see of its arguments.
            perform: Does it.
            invoke: See the class.
            show_answer: See `Operation`.
            waits: Whether an awaitable that it answers is waited for.
        """
        self._created = time.perf_counter()
        self.began: float | None = None
        self.call = observer.begin(run, watch, arguments)
        self.due: Due | None = None
        self.invoke = invoke
        self._observer = observer
        self._watch = watch
        self._run = run
        self._perform = perform
        self._show_answer = show_answer
        self._answer: Any = undefined
        self.is_over = self._is_working = False
        self._failure: Exception | None = None
        self._waits = waits

    def steps(self) -> Waits:
        """Yields what has to be awaited, an awaitable or a `Later`, and wants its value or exception.

        Raises:
            Ended: See `Observer.end`; or a hook has failed.
            BaseException: What is no `Exception`.
        """
        call = self.call
        outcome: Outcome = "cancelled"
        try:
            decision = yield from self._ask(self._watch.before)
            if decision is None:
                outcome = yield from self._do()
                if self.is_over:
                    return
                try:
                    decision = yield from self._ask(self._watch.after)
                except Pause as pause:
                    raise Ended(misplaced(pause)) from None
            if isinstance(decision, Deny):
                outcome, call.value, call.bytes_out, self.due = "denied", undefined, 0, None
                call.error = self._failure = CapabilityDenied(call.name, decision.reason)
            elif isinstance(decision, Answer):
                outcome, call.value, call.error, self.due = "replaced", decision.value, None, None
                self._answer, self._failure = call.value, None
                call.bytes_out = payload_bytes(call.value)
        except BaseException as error:
            outcome = "cancelled" if pause_in(error) is None else "paused"
            if not self.is_over and not isinstance(error, GeneratorExit):
                call.error = error.error if isinstance(error, Ended) else error
            raise
        finally:
            self.end(outcome)

    def end(self, outcome: Outcome) -> None:
        """It has ended, if it has not before; any thread.

        Raises:
            Ended: See `Observer.end`.
        """
        if self._observer.is_first(self):
            self._spend()
            self.call.wall_seconds = time.perf_counter() - self._created
            self._observer.end(self._run, self._watch, self.call, outcome)

    def value(self) -> Any:  # noqa: ANN401 - any value
        """The answer, after the last step.

        Raises:
            Exception: Why there is none.
        """
        if self._failure is not None:
            raise self._failure
        return self._answer

    def _do(self) -> Generator[Any, Any, Outcome]:
        call = self.call
        self._is_working, self.began = True, time.perf_counter()
        error: Exception | None = None
        value = shown = undefined
        try:
            value = self._perform()
            if self._waits and hasattr(value, "__await__"):
                self._spend()
                timeout = self._watch.timeout
                value = yield value if timeout is None else Timed(value, timeout, call.name)
            elif isinstance(value, Later):
                self._spend()
                value = yield value
        except Exception as failure:  # noqa: BLE001 - the guest's program decides what to do about it
            error = self._failure = failure
        else:
            if isinstance(value, Due):
                self.due, value = value, value.value
            self._answer = value
            shown = value if self._show_answer is None else self._show_answer(value)
            if self._show_answer is not None and isinstance(shown, Exception):
                error, shown = shown, undefined
        finally:
            self._spend()
            self._is_working = False
        outcome: Outcome = "value" if error is None else "denied" if isinstance(error, CapabilityDenied) else "error"
        if not self.is_over:
            call.outcome, call.value, call.error = outcome, shown, error
            call.bytes_out = 0 if self._failure is not None else payload_bytes(self._answer)
            call.wall_seconds = time.perf_counter() - self._created
        return outcome

    def _spend(self) -> None:
        """Count the time that the host has worked since."""
        began, self.began = self.began, None
        if self._is_working and began is not None:
            self.call.host_seconds += time.perf_counter() - began

    def _ask(self, hooks: Iterable[Hook]) -> Generator[Any, Any, Answer | Deny | None]:
        """Ask hooks, in order, until one decides."""
        for hook in hooks:
            try:
                decision: Any = self.invoke(hook, (self.call,))
                if hasattr(decision, "__await__"):
                    decision = yield decision
                if decision is not None and not isinstance(decision, Answer | Deny):
                    raise TypeError(f"a hook returns an Answer, a Deny or None, not {type(decision).__name__}")
            except Exception as error:  # noqa: BLE001 - it is the embedder's, and must not be the guest's
                raise Ended(error) from None
            if decision is not None:
                return decision
        return None


# --- options ----------------------------------------------------------------------------------------------------------


def observer_of(
    on_call: HookOption | None,
    on_result: HookOption | None,
    call_limits: Mapping[str, CallLimits] | None,
    audit: AuditLog | Iterable[AuditLog] | None,
) -> Observer:
    """What options of a sandbox ask for.

    Raises:
        TypeError: An option has the wrong type.
    """
    return Observer(_hooks("on_call", on_call), _hooks("on_result", on_result), _limits(call_limits), _logs(audit))


def _limits(given: object) -> dict[str, CallLimits]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise TypeError(f"call_limits must be a mapping of names, not {type(given).__name__}")
    for name, limits in given.items():
        if not isinstance(name, str) or not isinstance(limits, CallLimits):
            raise TypeError("call_limits maps names, or patterns of names, to CallLimits")
    return dict(given)


def _hooks(option: str, given: HookOption | None) -> dict[str, Hook]:
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        given = {"*": given}
    for name, hook in given.items():
        if not isinstance(name, str):
            raise TypeError(f"the names in {option} must be str, not {type(name).__name__}")
        if not callable(hook):
            raise TypeError(f"{option} must be a callable, or a mapping of names to callables")
    return dict(given)


def _logs(given: object) -> tuple[AuditLog, ...]:
    from sandbox.audit import AuditLog

    if given is None:
        return ()
    logs = (given,) if isinstance(given, AuditLog) else tuple(given) if isinstance(given, Iterable) else (given,)
    for log in logs:
        if not isinstance(log, AuditLog):
            raise TypeError(f"audit must be an AuditLog or several, not {type(log).__name__}")
    return logs
