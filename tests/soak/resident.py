"""What a process holds: samples of it, and whether they grow."""

from __future__ import annotations

import ctypes
import gc
import os
import threading
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import Final

_PAGE_BYTES: Final = os.sysconf("SC_PAGE_SIZE")
# Lives until the process has its shape: threads, arenas of the allocator, kept stores, caches.
_WARM_UP_SHARE: Final = 0.2
_WINDOW_SHARE: Final = 0.25
_FEWEST_SAMPLES: Final = 8
_TOLERANCES: Final = {"rss_bytes": 16 << 20, "objects": 5_000, "threads": 4, "descriptors": 4, "mappings": 100}
_TOLERANCE_SHARE: Final = 0.05


@dataclass(frozen=True, slots=True)
class Sample:
    """What the process held at one moment, when no hostile sandbox was alive.

    Attributes:
        seconds: When, since the beginning.
        rss_bytes: Resident memory, when the C library has given back what it keeps for later.
        objects: Containers that Python's collector knows.
        threads: Threads of Python.
        descriptors: Open files.
        mappings: Ranges of the address space.
        programs: Programs run so far.
    """

    seconds: float
    rss_bytes: int
    objects: int
    threads: int
    descriptors: int
    mappings: int
    programs: int

    @classmethod
    def take(cls, seconds: float, programs: int) -> Sample:
        """Collect garbage, then look."""
        gc.collect()
        with suppress(AttributeError):  # only glibc has it
            ctypes.CDLL(None).malloc_trim(0)
        return cls(
            seconds=round(seconds, 3),
            rss_bytes=rss_bytes(),
            objects=len(gc.get_objects()),
            threads=threading.active_count(),
            descriptors=len(os.listdir("/proc/self/fd")),  # noqa: PTH208 - names are enough
            mappings=Path("/proc/self/maps").read_bytes().count(b"\n"),
            programs=programs,
        )


def rss_bytes(pid: int | str = "self") -> int:
    """Resident memory of a process; Linux only."""
    return int(Path(f"/proc/{pid}/statm").read_text("ascii").split()[1]) * _PAGE_BYTES


def growth(samples: list[Sample]) -> list[str]:
    """What has grown, in words; none: all is flat, or there are too few samples to tell.

    The median of the last quarter is compared with that of a quarter after the warm-up. Memory may differ by 16 MiB or
    a twentieth, whichever is more: an allocator does not give back every page. Python's objects, threads and files must
    be as many, give or take a few that come and go.
    """
    if len(samples) < _FEWEST_SAMPLES:
        return []
    first = int(len(samples) * _WARM_UP_SHARE)
    window = max(2, int(len(samples) * _WINDOW_SHARE))
    grown = []
    for name, most in _TOLERANCES.items():
        values = [getattr(sample, name) for sample in samples]
        early, late = median(values[first : first + window]), median(values[-window:])
        if late - early > max(most, early * _TOLERANCE_SHARE):
            grown.append(f"{name} grew from {early:,.0f} to {late:,.0f}")
    return grown
