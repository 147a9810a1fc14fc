"""Paths as a guest gives them: checked here, once."""

from __future__ import annotations

from typing import Final, TypeAlias

from sandbox.files.failures import failure

Parts: TypeAlias = tuple[str, ...]

MAX_NAME_BYTES: Final = 255
MAX_DEPTH: Final = 64
_MAX_CHARS: Final = MAX_DEPTH * (MAX_NAME_BYTES + 1)


def parse(path: object) -> Parts:
    """The components of an absolute path, such as `"/data/a.txt"`; none: the top.

    The bindings have resolved `.` and `..`. What arrives with them comes from a guest that has other plans.

    Raises:
        OSError: `EINVAL`: a component cannot name a file. `ENAMETOOLONG`: one is too long, or there are too many.
        TypeError: It is no absolute path.
    """
    if not isinstance(path, str) or path[:1] != "/":
        raise TypeError("a file is known by an absolute path")
    if path == "/":
        return ()
    if len(path) > _MAX_CHARS:
        raise failure("ENAMETOOLONG")
    parts = tuple(path[1:].split("/"))
    if len(parts) > MAX_DEPTH:
        raise failure("ENAMETOOLONG")
    for part in parts:
        check_name(part)
    return parts


def check_name(name: str) -> None:
    """Refuse what cannot name a file.

    Raises:
        OSError: `EINVAL` or `ENAMETOOLONG`.
    """
    if name in ("", ".", "..") or "\0" in name or "/" in name:
        raise failure("EINVAL")
    try:
        length = len(name.encode("utf-8"))
    except UnicodeEncodeError:
        raise failure("EINVAL") from None
    if length > MAX_NAME_BYTES:
        raise failure("ENAMETOOLONG")


def is_below(path: Parts, directory: Parts) -> bool:
    """Whether it is the directory, or in it at whatever depth."""
    return path[: len(directory)] == directory
