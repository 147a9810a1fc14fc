"""Steps down a tree of the host's directories, by descriptors that follow no link.

What is reached by them lies below the directory where they began, whoever exchanges directories for links meanwhile.
"""

from __future__ import annotations

import errno
import os
import stat
from typing import Final

AVAILABLE: Final = {os.open, os.stat} <= os.supports_dir_fd and hasattr(os, "O_NOFOLLOW")
"""Whether this platform has what it takes."""
_CLOSED_ON_EXEC: Final = getattr(os, "O_CLOEXEC", 0)
_NO_LINK: Final = getattr(os, "O_NOFOLLOW", 0)
_DIRECTORY: Final = os.O_RDONLY | _CLOSED_ON_EXEC | getattr(os, "O_DIRECTORY", 0) | _NO_LINK
# Not blocking, for a FIFO that took the place of a file; binary, for Windows.
_FILE: Final = (
    os.O_RDONLY
    | _CLOSED_ON_EXEC
    | _NO_LINK
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_NOCTTY", 0)
    | getattr(os, "O_BINARY", 0)
)
_NEW_FILE: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | _CLOSED_ON_EXEC | _NO_LINK


def open_directory(name: str, *, inside: int | None = None) -> int:
    """A descriptor of a directory that is no link; `inside` is that of the directory which holds it."""
    return os.open(name, _DIRECTORY, dir_fd=inside)


def open_file(name: str, *, inside: int | None = None) -> int:
    """A descriptor for reading a regular file. Nothing else is opened, and nothing waits.

    Raises:
        FileNotFoundError: It is no regular file.
        OSError: It cannot be opened.
    """
    file = os.open(name, _FILE, dir_fd=inside)
    if stat.S_ISREG(os.fstat(file).st_mode):
        return file
    os.close(file)
    raise nothing()


def create_file(name: str, mode: int, *, inside: int) -> int:
    """A descriptor for writing a file that was not there.

    Raises:
        FileExistsError: There is something of that name, be it a link.
    """
    return os.open(name, _NEW_FILE, mode, dir_fd=inside)


def mode_of(name: str, *, inside: int) -> int:
    """What is there, be it a link."""
    return os.stat(name, dir_fd=inside, follow_symlinks=False).st_mode


def nothing() -> OSError:
    """What is there is of no use."""
    return FileNotFoundError(errno.ENOENT, "no regular file or directory")
