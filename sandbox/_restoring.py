"""What both faces have of other lives: how a sandbox begins with a snapshot or as a twin, and what it waits for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, Unpack

from sandbox._options import Options, check_pending
from sandbox.errors import UsageError
from sandbox.limits import limits_of_run
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._driver import Driver, Steps
    from sandbox._lives import OnPending, Past
    from sandbox._option_types import SandboxOptions
    from sandbox._runs import Run
    from sandbox._serving import PendingCall
    from sandbox.limits import Limits
    from sandbox.outcome import Report
    from sandbox.snapshot import Snapshot


class Restoring:
    """The part of a face that is about its other lives."""

    _driver: Driver
    _options: Options
    _closed: bool

    @abstractmethod
    def _make(self, options: Options, given: object) -> None:
        """Make the sandbox, a new one or a later life of another."""

    @abstractmethod
    def _check_call(self, timeout: float | None, fuel: int | None = None) -> None:
        """Refuse what a closed sandbox cannot do, and budgets that are none."""

    @property
    def pending(self) -> tuple[PendingCall, ...]:
        """The host calls that the program waits for, in the order in which it made them; of functions only."""
        return () if self._closed else self._driver.lives.pending_calls()

    @property
    def unfinished(self) -> tuple[int, ...]:
        """Numbers of the runs that are paused, or were in progress when the snapshot was taken; see `finish`."""
        return self._driver.lives.unfinished()

    @classmethod
    def restore(
        cls,
        snapshot: Snapshot,
        *,
        pending: OnPending = "call",
        **options: Unpack[SandboxOptions],
    ) -> Self:
        """Make a sandbox that continues where a snapshot was taken.

        What is the host's comes from the options: limits above all, and functions, which take the places of those of
        the same name. Of `functions` and `globals` only names that are new to the program are set, the others are bound
        again. Random numbers are new ones, unless there was a seed; the clock goes on from where it stood.

        Args:
            snapshot: The snapshot.
            pending: What becomes of host calls that had no answer. `"call"`: the functions are called again with the
                same arguments, in the first run. `"hold"`: nothing, until the embedder answers them; see the attribute
                `pending`. Those that are paused are held in any case; see `resume`.
            **options: Those of the constructor. `clock`, `clock_resolution_seconds`, `locale`, `time_zone` and `seed`
                are the snapshot's when None.

        Raises:
            SnapshotMismatch: It was taken of another build of the guest.
            SnapshotError: Host functions are missing: see its attribute `missing`.
            SnapshotCorrupt: What it says cannot be.
            LimitExceeded: The limits are too small for it.
            ValueError: An option has no such value, or the time zone is another one.
            BaseException: As the constructor.
        """
        from sandbox._continuing import continued  # most sandboxes are new ones

        life = cls.__new__(cls)
        life._make(Options(**options), continued(snapshot, pending))
        return life

    def _check_finish(self, run: int, timeout: float | None, fuel: int | None) -> None:
        self._check_call(timeout, fuel)
        if run not in self._driver.lives.unfinished():
            raise UsageError(f"there is no unfinished run {run!r}")

    def _resumption(
        self,
        value: object,
        error: Exception | None,
        call: str | None,
        *,
        proceed: bool,
        max_host_calls: int | None,
        call_timeout: float | None,
        context: Mapping[str, Any] | None,
    ) -> tuple[int | None, Report]:
        """How to answer a paused call: the number of the run that goes on, and its steps; None: no run waits for it."""
        from sandbox._execution import Execution, answering  # most programs are not paused
        from sandbox.outcome import Report

        paused = {each.pause.token: each for each in self.pending if each.pause is not None}
        if call is None and len(paused) > 1:
            raise UsageError(f"{len(paused)} calls are paused: say by its token which one this is the answer of")
        found = paused.get(call) if call is not None else next(iter(paused.values()), None)
        if found is None or found.pause is None:
            raise UsageError("no call is paused" if call is None else "no such call is paused, or it was answered")
        if (value is not undefined) + (error is not None) + proceed > 1:
            raise UsageError("a call is answered with a value, or with an error, or it proceeds")
        if error is not None and not isinstance(error, Exception):
            raise TypeError(f"error must be an Exception, not {type(error).__name__}")
        limits = limits_of_run(max_host_calls, call_timeout)
        if context is not None:
            from sandbox.context import Context

            Context(context, "none")  # which sees what it is
        driver = self._driver
        known = {*driver.lives.unfinished(), *driver.runs}  # one that is in progress is refused when it is begun
        number = next((run for run in (found.pause.run, driver.lives.paused_run()) if run in known), None)
        go = answering(driver, found, value, error, proceed=proceed, is_unfinished=number is not None)
        watched = driver.lives.watched(number)
        if watched is not None:
            execution = Execution.of_pause(
                driver, watched, go, context=context, max_host_calls=max_host_calls, call_timeout=call_timeout
            )
            return number, Report(execution.steps, execution)

        from sandbox._observer import Observer

        def steps(run: Run) -> Steps[Any]:
            run.observer = Observer.of_run(run.observer, None, limits)
            return go(run)

        return number, Report(steps)

    def _make_twin(self, pending: OnPending) -> Self:
        twin = type(self).__new__(type(self))
        twin._make(self._options.of_twin(), self._driver.lives.twin(check_pending(pending)))
        return twin


def past_of(given: object, values: Mapping[str, Any], limits: Limits) -> Past:
    """What a sandbox continues from; see `_continuing`."""
    from sandbox import _continuing  # most sandboxes are new ones

    return _continuing.past_of(given, values, limits)
