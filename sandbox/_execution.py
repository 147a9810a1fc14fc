"""One `execute`: what its run is told of, given and limited by, and a look at what it leaves."""

from __future__ import annotations

import time
from collections.abc import Callable, Collection, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import Evaluation, Verb
from sandbox._driver import Turn
from sandbox._events import State
from sandbox._observer import Observer
from sandbox._runs import Run
from sandbox._trace import TRACE_OPTIONS, Trace
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
    from sandbox._turns import Turns

# Looking at variables runs getters of the program's objects, on no account but this.
_LOOK_SECONDS: Final = 1.0
_FIRST_SECONDS: Final = 0.5


class Execution:
    """What is asked of one run beyond its value.

    Attributes:
        command: What the run begins with.
        trace: What is written down of it.
        context: What it is given; None: nothing.
        variables: What the variables of its top level were in the end.
    """

    def __init__(
        self,
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
    ) -> None:
        """Prepare one; the arguments are those of `Sandbox.execute`.

        Raises:
            TypeError: One has the wrong type.
            ValueError: There is no such option, or a number is out of range.
        """
        if isinstance(trace, str) or not set(trace) <= TRACE_OPTIONS:
            raise ValueError(f"trace is a collection of {', '.join(sorted(TRACE_OPTIONS))}, not {trace!r}")
        self.context: Context | None = None if context is None else Context(context, sync)
        is_strict = bool(self.context and self.context.fixed) if strict is None else strict
        self.trace: Trace = Trace(trace)
        what = Evaluation.RETURN | self.trace.flags | (Evaluation.STRICT if is_strict else 0)
        begin = driver.eval(code, filename, what, language=language, on_compiled=self.trace.read)
        self.command: Command = begin if self.context is None else self._given(driver, self.context, begin)
        self.variables: dict[str, Any] = {}
        self._driver = driver
        self._limits = limits_of_run(max_host_calls, call_timeout)

    @staticmethod
    def _given(driver: Driver, context: Context, begin: Command) -> Command:
        def command(number: int) -> list[Event]:
            events: list[Event] = []
            for name, value in context.values.items():
                events += driver.guest.define(0, name, value, is_frozen=name in context.fixed)
                if driver.guest.state is State.POISONED:
                    return events  # the last event says why
            return events + begin(number)

        return command

    def steps(self, run: Run) -> Steps[Any]:
        """The steps of a run from its first turn to its outcome, and then of looking at what it leaves."""
        driver, turns = self._driver, self._driver.turns
        run.trace = self.trace
        if "calls" in self.trace.options or self._limits is not None:
            log = self.trace if "calls" in self.trace.options else None
            run.observer = Observer.of_run(run.observer, log, self._limits)
        try:
            value = yield from driver.drive(run, self.command)
        except GeneratorExit:
            raise
        except BaseException as error:
            if self._wants_to_look(error):
                yield Turn(lambda: self._look(turns, run))
            raise
        if self._wants_to_look(None):
            yield Turn(lambda: self._look(turns, run))
        return value

    def _wants_to_look(self, error: BaseException | None) -> bool:
        """Whether the guest is to be asked what the run leaves."""
        if isinstance(error, Paused | RunInterrupted | SandboxClosed):
            return False
        if error is not None and not isinstance(error, SandboxError) and stop_in(error) is None:
            return False
        is_named = bool(self.trace.names) and "variables" in self.trace.options
        return is_named or bool(self.context and self.context.watched)

    def _look(self, turns: Turns, run: Run) -> None:
        """Ask the guest, in the place of a turn. Nothing that it answers, or does meanwhile, changes the outcome."""
        beside = _Beside(turns, run)
        if "variables" in self.trace.options:
            self._look_at_variables(beside)
        for name in self.context.watched if self.context else ():
            found = beside.ask(partial(turns.guest.access, verb=Verb.GET, handle=0, key=name))
            if not isinstance(found, Unavailable):
                assert self.context is not None
                self.context.after[name] = found

    def _look_at_variables(self, beside: _Beside) -> None:
        names = self.trace.names
        found = beside.bindings(names, _FIRST_SECONDS)
        if not isinstance(found, Unavailable):
            self.variables = found
            return
        for name in names:  # one of them has no form here
            each = beside.bindings([name])
            self.variables |= {name: each} if isinstance(each, Unavailable) else each


class _Beside:
    """Asks a guest on the account of nobody, as the run that is over."""

    def __init__(self, turns: Turns, run: Run) -> None:
        self._turns = turns
        self._run = run
        self._ends = time.monotonic() + _LOOK_SECONDS

    def bindings(self, names: list[str], seconds: float = _LOOK_SECONDS) -> dict[str, Any] | Unavailable:
        """Variables that have a value."""
        found = self.ask(
            lambda number: self._turns.guest.access(number, Verb.BINDINGS, 0, "", names), seconds, _are_pairs
        )
        if isinstance(found, Unavailable):
            return found
        pairs: dict[str, Any] = dict(zip(found[::2], found[1::2], strict=True))
        return pairs

    def ask(
        self,
        command: Callable[[int], list[Event]],
        seconds: float = _LOOK_SECONDS,
        is_answer: Callable[[object], bool] = lambda _value: True,
    ) -> Any:  # noqa: ANN401 - any value
        """What the guest answers, or why it does not."""
        turns, run = self._turns, self._run
        left = min(self._ends - time.monotonic(), seconds)
        if left <= 0:
            return Unavailable("there was no time to read it")
        if turns.guest.state is not State.READY:
            return Unavailable("the sandbox cannot be used any more")
        other = Run(run.id, turns.limits, left, None, run.observer)
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
