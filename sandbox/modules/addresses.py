"""Keys of modules: absolute paths in the guest, or URLs; and how a specifier leads from one to another."""

from __future__ import annotations

import re
from typing import Final

from sandbox._origins import url_in
from sandbox.modules.specifiers import MAX_SPECIFIER, is_path, join, parent

_SCHEME: Final = r"[A-Za-z][A-Za-z0-9+.-]*:"
_ORIGIN: Final = r"([A-Za-z][A-Za-z0-9+.-]*://[^/?#]*)([^?#]*)"


def is_url(specifier: str) -> bool:
    """Whether it begins with a scheme, as `https://host/x.js` and `node:fs` do."""
    return re.match(_SCHEME, specifier) is not None


def absolute(specifier: str, directory: str) -> str:
    """The key that a specifier stands for: a relative one is joined with a directory, any other stands for itself.

    Args:
        specifier: As it stands in the program.
        directory: An absolute path in the guest, or a URL.
    """
    if not is_path(specifier):
        return specifier
    url = re.match(_ORIGIN, directory)
    origin, top = (url[1], url[2] or "/") if url else ("", directory if directory.startswith("/") else "/")
    return origin + (join(top, specifier) or "/")


def directory_of(path: str) -> str:
    """Where the relative specifiers of a module or script start: the directory that holds it.

    Args:
        path: A key, or a filename; one that is no absolute path is taken to lie below the top.
    """
    url = re.match(_ORIGIN, path)
    if url:
        return url[1] + parent(url[2])
    if is_url(path):
        return "/"
    return parent(join("/", path) or "/")


def map_of(code: str | bytes, key: str) -> str | None:
    """The key of the source map that a module names in its last comment; None: it names none, or holds it itself.

    Args:
        code: Of the module.
        key: Of the module.
    """
    if not isinstance(code, str):
        code = code[max(code.rfind(b"sourceMappingURL=") - 64, 0) :].decode("utf-8", "replace")
    url = url_in(code)
    if url is None or url[:5].lower() == "data:" or len(url) > MAX_SPECIFIER:
        return None
    return absolute(url if is_path(url) or is_url(url) else f"./{url}", directory_of(key))
