"""Specifiers and virtual paths: how a guest names modules, as plain text."""

from __future__ import annotations

from typing import Final

MAX_SPECIFIER: Final = 4096


def check(specifier: str) -> None:
    """Refuse what cannot name a file, before anything is made of it.

    Raises:
        ValueError: It is too long, or has a character that no path has. The text repeats nothing of it.
    """
    if len(specifier) > MAX_SPECIFIER:
        raise ValueError(f"module specifier is too long: {len(specifier):,} characters of {MAX_SPECIFIER:,}")
    if "\0" in specifier:
        raise ValueError("module specifier contains a null character")
    if not is_well_formed(specifier):
        raise ValueError("module specifier contains a lone surrogate")


def is_well_formed(text: str) -> bool:
    """Whether no surrogate stands alone in it."""
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        return False
    return True


def is_path(specifier: str) -> bool:
    """Whether it is relative (`./x`, `..`) or absolute (`/x`), in contrast to a bare name or a URL."""
    return specifier.startswith(("/", "./", "../")) or specifier in (".", "..")


def names_directory(specifier: str) -> bool:
    """Whether it can mean no file, by its end: `x/`, `.`, `../..`."""
    return specifier.rpartition("/")[2] in ("", ".", "..")


def join(directory: str, specifier: str) -> str | None:
    """The absolute path, without `.`, `..`, doubled or closing slashes; None when nothing absolute comes out.

    A `..` above the top stays at the top, as in URLs.
    """
    path = specifier if specifier.startswith("/") else f"{directory}/{specifier}"
    if not path.startswith("/"):
        return None
    parts: list[str] = []
    for part in path.split("/"):
        if part == "..":
            if parts:
                parts.pop()
        elif part not in ("", "."):
            parts.append(part)
    return "/" + "/".join(parts)


def below(path: str, directory: str) -> str | None:
    """What follows the directory in a path inside it, `""` for the directory itself; None: not inside."""
    if path == directory:
        return ""
    start = directory if directory.endswith("/") else f"{directory}/"
    return path[len(start) :] if path.startswith(start) else None


def parent(path: str) -> str:
    """The directory that holds a path; that of the top is the top."""
    return path.rpartition("/")[0] or "/"


def suffix(path: str) -> str:
    """The extension with its dot, `""` if there is none or the name is all extension, as in `.env`."""
    stem, dot, extension = path.rpartition("/")[2].rpartition(".")
    return dot + extension if stem.strip(".") else ""
