"""One `execute`, or what follows a pause of it: what its run is told of, and a look at what it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final, Self

from sandbox._abi import Evaluation, Verb
from sandbox._commands import nothing
from sandbox._driver import Turn
from sandbox._events import State
from sandbox._observer import EVERY, Meter, Observer
from sandbox._runs import Run
from sandbox._trace import TRACE_OPTIONS
from sandbox._watched import Watched
from sandbox.context import Context, Sync
from sandbox.errors import Paused, RunInterrupted, SandboxClosed, SandboxError
from sandbox.limits import limits_of_run
from sandbox.stop import stop_in
from sandbox.trace import TraceOption, Unavailable

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._driver import Driver, Steps
    from sandbox._events import Event
    from sandbox._languages import Language
    from sandbox._serving import PendingCall
    from sandbox._turns import Turns
    from sandbox.limits import Limits

# Looking at variables runs getters of the program's objects, on no account but this.
_LOOK_SECONDS: Final = 1.0
_FIRST_SECONDS: Final = 0.5


class Execution:
    """What is asked of one part of a run beyond its value.

    Attributes:
        watched: What is told of it, and what it was given.
        command: What it begins with.
        variables: What the variables of its top level were in the end, or are at the pause.
    """

    def __init__(
        self, driver: Driver, watched: Watched, go: Callable[[Run], Steps[Any]], command: Command = nothing
    ) -> None:
        """Prepare one.

        Args:
            driver: Of the sandbox.
            watched: See the class.
            go: Gives the steps of the run, to its outcome.
            command: See the class; by default it goes on.
        """
        self.watched = watched
        self.command = command
        self.variables: dict[str, Any] = {}
        self._driver = driver
        self._go = go

    @classmethod
    def of_script(
        cls,
        driver: Driver,
        code: str,
        filename: str | None,
        language: Language | None,
        *,
        trace: Collection[TraceOption],
        context: Mapping[str, Any] | None,
        sync: Sync,
        strict: bool | None,
        max_host_calls: int | None,
        call_timeout: float | None,
    ) -> Self:
        """Prepare the first part; the arguments are those of `Sandbox.execute`.

        Raises:
            TypeError: One has the wrong type.
            ValueError: There is no such option, or a number is out of range.
        """
        if isinstance(trace, str) or not set(trace) <= TRACE_OPTIONS:
            raise ValueError(f"trace is a collection of {', '.join(sorted(TRACE_OPTIONS))}, not {trace!r}")
        given = None if context is None else Context(context, sync)
        is_strict = bool(given and given.fixed) if strict is None else strict
        watched = Watched(trace, given, limits_of_run(max_host_calls, call_timeout))
        what = Evaluation.RETURN | watched.flags | (Evaluation.STRICT if is_strict else 0)
        command = driver.eval(code, filename, what, language=language, on_compiled=watched.read)
        if given is not None:
            command = driver.with_globals(given.values, given.fixed, command)

        def steps(run: Run) -> Steps[Any]:
            execution._watch(run)
            return driver.drive(run, command)

        execution = cls(driver, watched, steps, command)
        return execution

    @classmethod
    def of_pause(
        cls,
        driver: Driver,
        watched: Watched,
        go: Callable[[Run], Steps[Any]],
        *,
        context: Mapping[str, Any] | None,
        max_host_calls: int | None,
        call_timeout: float | None,
    ) -> Self:
        """Prepare what follows a pause; see `Sandbox.resume`.

        Args:
            driver: Of the sandbox.
            watched: What is told of it.
            go: Gives the steps, which begin with the answer.
            context: Objects in place of those that the first part was given.
            max_host_calls: In place of what is left.
            call_timeout: In place of the one before.
        """

        def steps(run: Run) -> Steps[Any]:
            if context is not None and watched.context is not None:
                watched.context.give(context)
            watched.limit(max_host_calls, call_timeout)
            execution._watch(run)
            return go(run)

        execution = cls(driver, watched, steps)
        return execution

    def steps(self, run: Run) -> Steps[Any]:
        """The steps of a run from where it is to its outcome, and then of looking at what it leaves."""
        turns = self._driver.turns
        if self.watched.context is not None:
            self.watched.context.after = {}
        try:
            value = yield from self._go(run)
        except GeneratorExit:
            raise
        except BaseException as error:
            is_paused = isinstance(error, Paused) and error.run == run.id
            if is_paused or self._wants_to_look(error):
                yield Turn(lambda: self._look(turns, run, is_over=not is_paused))
            raise
        if self._wants_to_look(None):
            yield Turn(self._look, turns, run)
        return value

    def _watch(self, run: Run) -> None:
        watched = run.trace = self.watched
        if "calls" in watched.options or watched.limits is not None:
            log = watched if "calls" in watched.options else None
            run.observer = Observer.of_run(run.observer, log, watched.limits)
        if watched.limits is not None:
            watched.count_in(run)

    def _wants_to_look(self, error: BaseException | None) -> bool:
        """Whether the guest is to be asked what the run leaves."""
        if isinstance(error, Paused | RunInterrupted | SandboxClosed):
            return False
        if error is not None and not isinstance(error, SandboxError) and stop_in(error) is None:
            return False
        watched = self.watched
        is_named = bool(watched.names) and "variables" in watched.options
        return is_named or bool(watched.context and watched.context.watched)

    def _look(self, turns: Turns, run: Run, *, is_over: bool = True) -> None:
        """Ask the guest, in the place of a turn. Nothing that it answers, or does meanwhile, changes the outcome.

        Where the run goes on later, no code of the program runs for it.
        """
        beside = _Beside(turns, self._driver.limits, run, Verb.BINDINGS if is_over else Verb.LOOK)
        watched, context = self.watched, self.watched.context
        if "variables" in watched.options:
            self.variables = beside.each_binding(watched.names)
        if context is None:
            return
        if not is_over:  # of these the global variable is meant, whatever the program has declared
            found = beside.each_binding([name for name in context.watched if name not in watched.names])
            context.after = {name: value for name, value in found.items() if not isinstance(value, Unavailable)}
            return
        for name in context.watched:
            value = beside.ask(partial(turns.guest.access, verb=Verb.GET, handle=0, key=name))
            if not isinstance(value, Unavailable):
                context.after[name] = value


def answering(
    driver: Driver,
    call: PendingCall,
    value: object,
    error: Exception | None,
    *,
    proceed: bool,
    is_unfinished: bool,
) -> Callable[[Run], Steps[Any]]:
    """Gives the steps that answer a paused call, and take its run on; see `Sandbox.resume`.

    Args:
        driver: Of the sandbox.
        call: The call.
        value: What it gives.
        error: What it fails with; None: it does not.
        proceed: Whether the function is called in place of that.
        is_unfinished: Whether a run waits for it; else all that there is to do is done.
    """

    def steps(run: Run) -> Steps[Any]:
        if proceed:
            call.proceed_in(run)
            run.meters.setdefault(EVERY, Meter()).calls -= 1  # which was counted, and is again
        elif error is not None:
            call.reject(error)
        else:
            call.settle(value)
        if run.trace is not None and not proceed:
            run.trace.answered(call.name, call.arguments, value, error)
        return (yield from driver.finish(run) if is_unfinished else driver.run_until_idle(run))

    return steps


class _Beside:
    """Asks a guest on the account of nobody, as the run that is over."""

    def __init__(self, turns: Turns, limits: Limits, run: Run, verb: Verb) -> None:
        self._turns = turns
        self._limits = limits
        self._run = run
        self._verb = verb
        self._ends = time.monotonic() + _LOOK_SECONDS

    def each_binding(self, names: list[str]) -> dict[str, Any]:
        """Variables that have a value; of each that has no form here, why."""
        if not names:
            return {}
        found = self.bindings(names, _FIRST_SECONDS)
        if not isinstance(found, Unavailable):
            return found
        each = {name: self.bindings([name]) for name in names}
        return {
            name: found if isinstance(found, Unavailable) else found[name]
            for name, found in each.items()
            if isinstance(found, Unavailable) or name in found
        }

    def bindings(self, names: list[str], seconds: float = _LOOK_SECONDS) -> dict[str, Any] | Unavailable:
        """Variables that have a value."""
        found = self.ask(lambda number: self._turns.guest.access(number, self._verb, 0, "", names), seconds, _are_pairs)
        if isinstance(found, Unavailable):
            return found
        pairs: dict[str, Any] = dict(zip(found[::2], found[1::2], strict=True))
        return pairs

    def ask(
        self,
        command: Callable[[int], list[Event]],
        seconds: float = _LOOK_SECONDS,
        is_answer: Callable[[object], bool] | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """What the guest answers, or why it does not."""
        turns, run = self._turns, self._run
        left = min(self._ends - time.monotonic(), seconds)
        if left <= 0:
            return Unavailable("there was no time to read it")
        if turns.guest.state is not State.READY:
            return Unavailable("the sandbox cannot be used any more")
        other = Run(run.id, self._limits, left, None, run.observer)
        other.meters, other.is_answer = run.meters, is_answer
        turns.runs[run.id] = other
        try:
            turns.take(other, command)
            found = other.value if other.error is None else Unavailable(str(other.error))
        finally:
            turns.runs[run.id] = run
            turns.after_limit.end(other)
        if not other.done:  # it is a promise
            turns.abandoned.append(run.id)
            return Unavailable("it is a promise")
        return found


def _are_pairs(value: object) -> bool:
    return type(value) is list and len(value) % 2 == 0 and {str}.issuperset(map(type, value[::2]))
