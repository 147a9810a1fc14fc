"""How file operations fail: one of a few codes, which is all that a guest is told."""

from __future__ import annotations

import errno
from typing import Final

CODES: Final = frozenset({
    "EACCES", "EBADF", "EBUSY", "EDQUOT", "EEXIST", "EFBIG", "EINVAL", "EIO", "EISDIR", "EMFILE", "ENAMETOOLONG",
    "ENOENT", "ENOSPC", "ENOTDIR", "ENOTEMPTY", "ENOTSUP", "EOVERFLOW", "EPERM", "EROFS", "ESTALE", "EXDEV",
})  # fmt: skip
# Those of Python's classes, where an error has no number.
_BY_CLASS: Final = (
    (FileNotFoundError, "ENOENT"),
    (FileExistsError, "EEXIST"),
    (IsADirectoryError, "EISDIR"),
    (NotADirectoryError, "ENOTDIR"),
    (PermissionError, "EACCES"),
)
# What links and devices give, that took the place of a directory or a file.
_IRREGULAR: Final = {errno.ELOOP: "EACCES", errno.ENXIO: "EACCES", errno.EOPNOTSUPP: "ENOTSUP"}


def failure(code: str) -> OSError:
    """An error of that code."""
    number = getattr(errno, code)
    return OSError(number, code)


def code_of(error: OSError) -> str:
    """What the guest is told of an error; never its text."""
    if error.errno is not None:
        code = _IRREGULAR.get(error.errno) or errno.errorcode.get(error.errno, "EIO")
        return code if code in CODES else "EIO"
    return next((code for kind, code in _BY_CLASS if isinstance(error, kind)), "EIO")
