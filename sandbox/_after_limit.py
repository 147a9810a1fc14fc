"""What becomes of a sandbox after a limit: it is kept, poisoned, or set back to what it was before the run."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from sandbox._events import State, closed
from sandbox.errors import GuestProtocolError, LimitExceeded, RunInterrupted, SandboxError

if TYPE_CHECKING:
    from sandbox._checkpoint import Checkpoint
    from sandbox._guest import Guest
    from sandbox._runs import Run
    from sandbox.limits import OnLimit


class AfterLimit:
    """Carries out `on_limit`. Its methods are called in the place of a turn, if they do not say otherwise.

    For a rollback a checkpoint is made when a run begins while no other is in progress. The runs that begin before it
    has ended share that checkpoint, and are all undone when one of them reaches a limit.

    Attributes:
        can_undo: Whether runs can be undone.
        overdue: The runs that ended before what follows from that was done.
    """

    def __init__(
        self,
        on_limit: OnLimit,
        guest: Guest,
        make_checkpoint: Callable[[], Checkpoint],
        woken: dict[Run, None],
        give_up: Callable[[], object],
    ) -> None:
        """Make one.

        Args:
            on_limit: What becomes of the sandbox.
            guest: Its guest.
            make_checkpoint: Notes the host's half of its state.
            woken: Takes the runs that have to look at what became of them.
            give_up: Ends all runs of a guest that is poisoned.
        """
        self._on_limit = on_limit
        self.can_undo: bool = on_limit == "rollback"
        self._guest = guest
        self._make_checkpoint = make_checkpoint
        self._woken = woken
        self._give_up = give_up
        self._checkpoint: Checkpoint | None = None
        # Runs end on any thread, while others begin; reentrant, since a finalizer of the embedder may use the sandbox.
        self._lock = threading.RLock()
        self.overdue: deque[Run] = deque()

    def must_begin(self) -> bool:
        """Whether a run that has no first turn must begin like one that has; any thread."""
        return self.can_undo or self._guest.state is State.POISONED

    def begin(self, run: Run) -> None:
        """See to it that a run can be undone, where it may have to be; it fails if it cannot."""
        with self._lock:
            checkpoint = self._checkpoint
            if checkpoint is not None:
                checkpoint.runs.add(run)
                return
            checkpoint = self._checkpoint = self._make_checkpoint()
            checkpoint.runs.add(run)
        try:
            checkpoint.copy_guest()
        except MemoryError:
            self.forget()
            run.force(SandboxError("no room for the copy of the guest that a rollback needs"))

    def catch_up(self) -> bool:
        """Do what is overdue; whether the sandbox was rolled back."""
        was_rolled_back = False
        while self.overdue:
            run = self.overdue.popleft()
            was_rolled_back |= self.conclude(run)
            run.hand_over()
        return was_rolled_back

    def is_due(self, run: Run) -> bool:
        """Whether a run has reached a limit and `conclude` must follow; any thread."""
        return self._on_limit != "keep" and isinstance(run.error, LimitExceeded) and not run.concluded

    def conclude(self, run: Run) -> bool:
        """Do what follows from how a run ended, if it has; whether the sandbox was rolled back."""
        error, guest = run.error, self._guest
        if error is None:
            return False
        was_rolled_back = False
        is_limit = self.is_due(run)
        run.concluded = True
        is_crash = guest.state is State.POISONED and not isinstance(error, GuestProtocolError)
        if self.can_undo and (is_limit or is_crash):
            checkpoint = self._take_checkpoint(run)
            if checkpoint is not None:
                was_rolled_back = self._roll_back(checkpoint, run, error)
            elif is_limit and isinstance(error, SandboxError):
                error.rolled_back = True  # it has not had a turn
        elif is_limit:
            guest.poison(_reason(error))
        if guest.state is State.POISONED:
            guest.poison(_reason(error))
            self.forget()
            self._give_up()
        return was_rolled_back

    def end(self, run: Run) -> bool:
        """A run has ended, and nothing of it is left to do; any thread, while no turn of this run runs.

        Returns:
            Whether host calls may have to be cancelled now.
        """
        if run.error is not None and self.is_due(run):  # its task was cancelled meanwhile: the next run does it first
            self.overdue.append(run)
            return False
        run.hand_over()
        if not self.can_undo:
            return False
        with self._lock:
            checkpoint = self._checkpoint
            if checkpoint is None:
                return False
            checkpoint.runs.discard(run)
            if checkpoint.runs:
                return False
            self._checkpoint = None
            checkpoint.keep()
            return True

    def forget(self) -> None:
        """Let go of the checkpoint, if there is one."""
        if self._checkpoint is None:
            return
        with self._lock:
            checkpoint, self._checkpoint = self._checkpoint, None
            if checkpoint is not None:
                checkpoint.keep()

    def close(self) -> None:
        """The guest is closed: nothing will be undone any more."""
        self.forget()
        self._make_checkpoint = self._give_up = closed

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child."""
        self._lock = threading.RLock()

    def _roll_back(self, checkpoint: Checkpoint, run: Run, error: BaseException) -> bool:
        try:
            checkpoint.restore()
        except Exception as failure:  # noqa: BLE001 - whatever it is, the state is not the one that was promised
            self._guest.poison(f"{_reason(error)}, and the rollback failed ({_reason(failure)})")
            checkpoint.keep()
            return False
        if isinstance(error, SandboxError):
            error.rolled_back = True
        for other in checkpoint.runs:
            other.undone = True
            other.answers.clear()
            if other is not run and not other.done:
                interruption = RunInterrupted(
                    "another run reached a limit, and the sandbox was rolled back to before it"
                )
                interruption.rolled_back = True
                other.force(interruption)
                self._woken[other] = None
        return True

    def _take_checkpoint(self, run: Run) -> Checkpoint | None:
        """The checkpoint before a run; None: nothing of the run is in the sandbox."""
        with self._lock:
            checkpoint = self._checkpoint
            if checkpoint is None or run not in checkpoint.runs:
                return None
            self._checkpoint = None
            return checkpoint


def _reason(error: BaseException) -> str:
    """What happened, in one sentence."""
    return str(error).partition(". ")[0] or type(error).__name__
