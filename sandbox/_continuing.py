"""What a face does to begin with a snapshot, or with another sandbox."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from sandbox._lives import OnPending, Past, by_label
from sandbox._options import check_pending
from sandbox._records import NamedTuple
from sandbox.snapshot import Snapshot

if TYPE_CHECKING:
    from sandbox.limits import Limits


class Continued(NamedTuple):
    """A snapshot as the option of a sandbox, and what becomes of host calls that were pending."""

    snapshot: Snapshot
    pending: OnPending


def past_of(given: object, values: Mapping[str, Any], limits: Limits) -> Past:
    """What a sandbox continues from.

    Args:
        given: A `Continued` or a `Past`.
        values: The functions and globals that it is given.
        limits: Its limits.

    Raises:
        SnapshotError: It does not fit.
    """
    if isinstance(given, Past):
        return given
    assert isinstance(given, Continued)
    snapshot = given.snapshot
    return Past(
        origin=snapshot.memory,
        state=snapshot._state,
        secrets=snapshot._secrets,
        find=by_label(snapshot._state, values, limits),
        pending=given.pending,
        claims=snapshot._claims,
    )


def continued(snapshot: object, pending: object) -> Continued:
    """The options of `restore`, checked."""
    if not isinstance(snapshot, Snapshot):
        hint = "; Snapshot.from_bytes reads one" if isinstance(snapshot, bytes | bytearray | memoryview) else ""
        raise TypeError(f"snapshot must be a Snapshot, not {type(snapshot).__name__}{hint}")
    return Continued(snapshot, check_pending(pending))
