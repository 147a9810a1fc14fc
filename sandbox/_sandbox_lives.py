"""What the blocking face has of other lives: pauses, snapshots, twins, runs of before."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self

from sandbox._face import Face
from sandbox.values import undefined

if TYPE_CHECKING:
    from sandbox._blocking import BlockingRunner
    from sandbox._lives import OnPending
    from sandbox.outcome import Outcome
    from sandbox.snapshot import Snapshot


class SandboxLives(Face):
    """The part of `Sandbox` that is about its other lives."""

    _runner: BlockingRunner

    def resume(
        self,
        value: Any = undefined,  # noqa: ANN401 - any value
        *,
        error: Exception | None = None,
        proceed: bool = False,
        call: str | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
        max_host_calls: int | None = None,
        call_timeout: float | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Answer a call that a host function has paused, and take the run that was paused to its outcome.

        The run goes on where it stood, here or in a sandbox that was restored from the snapshot, with budgets that
        begin anew. It may be paused again. Each pause is answered once: by the sandbox, or by one that was restored
        from the snapshot in the same process. Across processes that takes a store, which knows tokens that are used.
        What becomes of the run then, a limit for example, does not take the answer back.

        Args:
            value: What the call gives.
            error: What it fails with, in place of a value.
            proceed: Have the function called, in place of an answer; hooks of `on_call` are not asked again.
            call: The token of the call, where several are paused; the run goes on waiting for the others.
            timeout: As for `eval`.
            fuel: As for `eval`.
            max_host_calls: As for `execute`, and counted from here on; None: what is left of the run's own.
            call_timeout: As for `execute`; None: the run's own.
            context: The objects that `sync="inplace"` is to change, by the names that `execute` knew them by. None:
                those that it was given, if this is the sandbox that was given them.

        Returns:
            What became of the run that `execute` has begun. Its events are those of this part; lines, variables and
            mutations are of the whole run.

        Raises:
            UsageError: No call is paused, or more than one and none was named; or it was answered already.
            SandboxBusy: The run goes on already.
            BaseException: As `execute`.
        """
        self._check_call(timeout, fuel)
        number, report = self._resumption(
            value,
            error,
            call,
            proceed=proceed,
            max_host_calls=max_host_calls,
            call_timeout=call_timeout,
            context=context,
        )
        try:
            value = self._runner.run(report.steps, timeout, fuel, number=number)
        except BaseException as failure:  # noqa: BLE001 - the report raises what is no outcome
            return report.raised(failure, self.usage)
        return report.finished(value, self.usage)

    def snapshot(self) -> Snapshot:
        """Take a snapshot: all that the program is at this moment, which any number of sandboxes can continue from.

        It waits while another thread's turn runs; runs that wait themselves, for host calls or timers, are part of it.

        Raises:
            SandboxBusy: Called by a host function of this sandbox, in the middle of a turn, or another thread's turn
                takes too long.
            SandboxClosed: The sandbox is closed.
            SandboxPoisoned: An earlier crash left it unusable.
            MemoryError: The host has no room for the copy.
        """
        self._check_call(None)
        taken: Snapshot = self._runner.run(
            lambda run: self._driver.observe(run, self._driver.lives.snapshot), observes=True
        )
        return taken

    def fork(self, *, pending: OnPending = "call") -> Self:
        """Make a twin: a sandbox of its own that goes on from here, with the same options and functions.

        Both have the same variables, timers and pending calls now, and nothing in common later. Random numbers of the
        twin are its own, unless there was a seed. Iterators and open fetches of the host stay with this one.

        Args:
            pending: What becomes of host calls that have no answer, in the twin; see `restore`.

        Raises:
            BaseException: As `snapshot`, and as the constructor.
        """
        self._check_call(None)
        twin: Self = self._runner.run(
            lambda run: self._driver.observe(run, lambda: self._make_twin(pending)), observes=True
        )
        return twin

    def finish(self, run: int, *, timeout: float | None = None, fuel: int | None = None) -> Any:  # noqa: ANN401 - any value
        """Take a run to its end that is paused, or was in progress when the snapshot was taken; return its value.

        Args:
            run: Its number; see `unfinished`.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Raises:
            UsageError: There is no such run.
            BaseException: As `eval`.
        """
        self._check_finish(run, timeout, fuel)
        return self._runner.run(self._driver.finish, timeout, fuel, number=run)
