"""What became of a run, as a value."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from sandbox.errors import ConversionError, Paused, SandboxError, UsageError
from sandbox.limits import Usage

if TYPE_CHECKING:
    from sandbox.pause import PausedCall
    from sandbox.snapshot import Snapshot

__all__ = ["Outcome"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: it has a value, or failed, or is paused.

    Attributes:
        value: What it gave; None if it gave nothing.
        error: What it failed with: an error of the program, a limit, or a result that cannot be converted. None: it did
            not fail.
        paused: The calls whose answers it waits for; empty: it is over.
        snapshot: The sandbox as it waits for them. None: it is over.
        usage: What its sandbox has used so far, all runs of this life together.
    """

    value: Any = None
    error: SandboxError | None = None
    paused: tuple[PausedCall, ...] = ()
    snapshot: Snapshot | None = None
    usage: Usage = field(default_factory=Usage)

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None and not self.paused

    def unwrap(self) -> Any:  # noqa: ANN401 - any value
        """The value.

        Raises:
            SandboxError: The error, if there is one; `Paused`, if it is paused.
        """
        if self.error is not None:
            raise self.error
        if self.paused:
            raise Paused(self.paused, self.snapshot)
        return self.value


def failed(error: SandboxError, usage: Usage) -> Outcome:
    """The outcome of a run that has raised something.

    Raises:
        UsageError: It is the embedder's fault, and the outcome of no program.
    """
    if isinstance(error, Paused):
        return Outcome(paused=error.calls, snapshot=error.snapshot, usage=usage)
    if isinstance(error, UsageError) and not isinstance(error, ConversionError):
        raise error
    return Outcome(error=error, usage=usage)
