"""What Linux tells and does about pages of this process: which were written, many made present, a file mapped over.

Everything here is an optimisation: on other systems and older kernels the functions say that they cannot.
"""

from __future__ import annotations

import ctypes
import mmap
import os
import struct
import sys
from collections.abc import Sequence
from typing import Final

# Start and end of a run of pages, counted from the beginning of their memory.
Region = tuple[int, int]

_MAX_REGIONS: Final = 256
_WORDS_PER_REGION: Final = 3  # of a `struct page_region`: start, end, categories
_WORD_BYTES: Final = 8
_Regions: Final = ctypes.c_uint64 * (_WORDS_PER_REGION * _MAX_REGIONS)
_PAGEMAP_SCAN: Final = 0xC060_6610  # _IOWR('f', 16, struct pm_scan_arg); Linux 6.7
_PAGE_IS_FILE, _PAGE_IS_PRESENT, _PAGE_IS_SWAPPED = 1 << 2, 1 << 3, 1 << 4
_PROCESS_MADVISE: Final = 440  # the same number on every architecture
_MADV_HUGEPAGE: Final = 14
_PROT_READ_WRITE, _MAP_PRIVATE, _MAP_FIXED = 3, 2, 16
_MADV_POPULATE_WRITE: Final = 23  # for oneself through process_madvise: Linux 6.13


class _ScanArguments(ctypes.Structure):
    """`struct pm_scan_arg`."""

    _fields_ = tuple(
        (name, ctypes.c_uint64)
        for name in (
            "size",
            "flags",
            "start",
            "end",
            "walk_end",
            "vec",
            "vec_len",
            "max_pages",
            "category_inverted",
            "category_mask",
            "category_anyof_mask",
            "return_mask",
        )
    )


_WRITTEN: Final = bytes(
    _ScanArguments(
        size=ctypes.sizeof(_ScanArguments),
        vec_len=_MAX_REGIONS,
        category_inverted=_PAGE_IS_FILE,
        category_mask=_PAGE_IS_FILE,
        category_anyof_mask=_PAGE_IS_PRESENT | _PAGE_IS_SWAPPED,
        return_mask=_PAGE_IS_PRESENT,
    )
)


class _Vector(ctypes.Structure):
    """`struct iovec`."""

    _fields_ = (("base", ctypes.c_uint64), ("length", ctypes.c_uint64))


_Vectors: Final = _Vector * _MAX_REGIONS


class _Process:
    """Open descriptors of this process; -1: not open, None: there is no such thing here."""

    def __init__(self) -> None:
        linux = sys.platform == "linux" and sys.maxsize > 1 << 32
        self.pagemap: int | None = -1 if linux else None
        self.pidfd: int | None = -1 if linux else None
        self.library = ctypes.CDLL(None, use_errno=True) if linux else None
        if self.library is not None:
            self.library.mmap.restype = ctypes.c_void_p


_process: Final = _Process()


def written(base: int, size: int) -> list[Region] | None:
    """The pages of a private mapping that differ from what was mapped.

    A page of a file that was written is no page of the file any more; anonymous memory is not there until touched.

    Args:
        base: Address of the first page.
        size: Of all of them, in bytes.

    Returns:
        Runs of pages that were written, as offsets; some of them may only have been read. None: the kernel does not
        tell, or there are very many.
    """
    found = scan(base, size)
    return None if found is None else regions(found, base)


def regions(found: bytes, base: int) -> list[Region]:
    """What `scan` has found, as offsets."""
    words = struct.unpack(f"{len(found) // _WORD_BYTES}Q", found)
    return [(words[i] - base, words[i + 1] - base) for i in range(0, len(words), _WORDS_PER_REGION)]


def scan(base: int, size: int) -> bytes | None:
    """As `written`, in the kernel's own words: the same ones if the same pages were written of the same memory."""
    if _process.pagemap is None or _process.library is None:
        return None
    if _process.pagemap < 0:
        try:
            _process.pagemap = os.open("/proc/self/pagemap", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            _process.pagemap = None
            return None
    room = _Regions()
    arguments = _ScanArguments.from_buffer_copy(_WRITTEN)
    arguments.start, arguments.end, arguments.vec = base, base + size, ctypes.addressof(room)
    found = _process.library.ioctl(_process.pagemap, ctypes.c_ulong(_PAGEMAP_SCAN), ctypes.byref(arguments))
    if found < 0:
        _process.pagemap = None
        return None
    if arguments.walk_end != base + size:
        return None
    return ctypes.string_at(arguments.vec, _WORDS_PER_REGION * _WORD_BYTES * found)


def populate(base: int, regions: Sequence[Region]) -> None:
    """Make pages present and writable in one call, as if they had been written. Where that is impossible: nothing.

    Args:
        base: What the regions count from.
        regions: Runs of whole pages, as offsets; not more are made present than `written` tells at once.
    """
    if _process.pidfd is None or _process.library is None or not regions:
        return
    if _process.pidfd < 0:
        try:
            _process.pidfd = os.pidfd_open(os.getpid())
        except OSError:
            _process.pidfd = None
            return
    first = regions[:_MAX_REGIONS]
    vector = _Vectors(*[_Vector(base + start, end - start) for start, end in first])
    done = _process.library.syscall(
        _PROCESS_MADVISE, _process.pidfd, ctypes.byref(vector), len(first), _MADV_POPULATE_WRITE, 0
    )
    if done < 0:
        os.close(_process.pidfd)
        _process.pidfd = None


def prefer_huge(start: int, end: int) -> None:
    """Have memory that is about to be written all over come in large pages, where the system has such."""
    if _process.library is not None:
        start = -(-start // mmap.PAGESIZE) * mmap.PAGESIZE
        _process.library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), _MADV_HUGEPAGE)


def map_over(start: int, descriptor: int, length: int) -> bool:
    """Map a file over writable memory, privately: a page is copied when it is written. False: that is impossible.

    Args:
        start: Address of the first page.
        descriptor: Of the file, which is mapped from its beginning.
        length: Whole pages, in bytes.
    """
    if _process.library is None:
        return False
    mapped = _process.library.mmap(
        ctypes.c_void_p(start),
        ctypes.c_size_t(length),
        _PROT_READ_WRITE,
        _MAP_PRIVATE | _MAP_FIXED,
        descriptor,
        ctypes.c_int64(0),
    )
    return bool(mapped == start)


def _forget() -> None:
    """Descriptors that speak of the parent are of no use after a fork."""
    for name in ("pagemap", "pidfd"):
        descriptor = getattr(_process, name)
        if descriptor is not None and descriptor >= 0:
            os.close(descriptor)
            setattr(_process, name, -1)


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget)
