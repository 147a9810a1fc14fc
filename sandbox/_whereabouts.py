"""Where programs were when their host ended them, or where they hang: the guest tells it, and errors are told."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox._abi import Verb
from sandbox._events import State
from sandbox.errors import Stalled
from sandbox.stop import Stop

if TYPE_CHECKING:
    from sandbox._events import Event
    from sandbox._guest import Guest
    from sandbox._runs import Run, Sources
    from sandbox.errors import JSError


class Whereabouts:
    """Keeps the stack that a guest tells in a turn, until the error of the run is there that has it, or the reverse."""

    def __init__(self, guest: Guest, sources: Sources) -> None:
        """Begin with none.

        Args:
            guest: The guest.
            sources: Its programs.
        """
        self._guest = guest
        self._sources = sources
        self._stack = ""

    def abandon(self, run: int) -> list[Event]:
        """Have the guest forget a run that waits for what can never happen, and tell first where it does."""
        events = self._guest.access(0, Verb.WHERE, 0, "", run)
        return events if self._guest.state is State.POISONED else events + self._guest.abandon(run)

    def told(self, run: Run, stack: str) -> None:
        """The guest tells a stack, in a turn of this run."""
        self._stack = stack
        if isinstance(run.error, Stop):
            self.place(run.error)

    def place(self, error: BaseException | None) -> None:
        """Tell an error where its program was, if the guest has told it."""
        stack, self._stack = self._stack, ""
        if isinstance(error, Stop | Stalled):
            error.locate(stack, self._sources.copy())

    def stalled(self) -> Stalled:
        """What a run ends with that waits for what can never happen."""
        error = Stalled()
        self.place(error)
        return error

    def explain(self, error: JSError) -> None:
        """Tell an error of a program which programs there are, and what to do about it, if that is known."""
        from sandbox._hints import explain  # most programs do not fail

        error.know(self._sources.copy())
        explain(error)
