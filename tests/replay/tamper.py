"""Records that say something else than what happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

from sandbox._replay.files import RecordWriter, read
from sandbox.errors import RecordTruncated

if TYPE_CHECKING:
    from sandbox._replay.entries import Entry


def entries(path: Path) -> list[Entry]:
    """All entries of a record, as far as it goes."""
    found: list[Entry] = []
    with suppress(RecordTruncated):
        found.extend(read(path))
    return found


def write(path: Path, changed: Iterable[Entry]) -> Path:
    """Make a record of some entries."""
    writer = RecordWriter(path, 1 << 30)
    for entry in changed:
        for clock, nanoseconds in entry.times:
            writer._times.add(clock, nanoseconds)
        writer.add(entry.kind, *entry.values)
    writer.flush()
    writer.close()
    return path


def tampered(path: Path, change: Callable[[int, Entry], Entry | None]) -> Path:
    """A copy of a record in which each entry is what `change` makes of it; None: it is not there."""
    changed = (change(index, entry) for index, entry in enumerate(entries(path)))
    return write(path.with_suffix(".tampered"), (entry for entry in changed if entry is not None))
