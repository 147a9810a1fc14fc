"""What both faces have of other lives: how a sandbox begins with a snapshot or as a twin, and what it waits for."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Self, Unpack

from sandbox._options import Options, check_pending
from sandbox.errors import UsageError

if TYPE_CHECKING:
    from sandbox._driver import Driver
    from sandbox._lives import OnPending, Past
    from sandbox._options import SandboxOptions
    from sandbox._serving import PendingCall
    from sandbox.limits import Limits
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
        """Numbers of the runs that were in progress when the snapshot was taken; `finish` gives their outcomes."""
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
                `pending`.
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

    def _take_snapshot(self) -> Snapshot:
        from sandbox.snapshot import Snapshot  # most programs do without

        instance = self._driver.guest.instance
        state, secrets = self._driver.lives.save()
        return Snapshot(instance.image, instance.copy(), state, secrets)

    def _make_twin(self, pending: OnPending) -> Self:
        twin = type(self).__new__(type(self))
        twin._make(self._options.of_twin(), self._driver.lives.twin(check_pending(pending)))
        return twin


def past_of(given: object, values: Mapping[str, Any], limits: Limits) -> Past:
    """What a sandbox continues from; see `_continuing`."""
    from sandbox import _continuing  # most sandboxes are new ones

    return _continuing.past_of(given, values, limits)
