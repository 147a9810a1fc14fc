"""The tables `exports` and `imports` of a package: which target a subpath has under some conditions.

Targets are only read here; no file is looked at.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from sandbox.modules.manifest import Manifest

_MAX_DEPTH: Final = 32
# A component that goes up, stays, or enters another package, also when some of its characters are percent-encoded.
_UP_OR_ELSEWHERE: Final = re.compile(
    r"(?:^|[\\/])(?:(?:\.|%2e){1,2}|(?:n|%[46]e)(?:o|%[46]f)(?:d|%[46]4)(?:e|%[46]5)_(?:m|%[46]d)(?:o|%[46]f)"
    r"(?:d|%[46]4)(?:u|%[57]5)(?:l|%[46]c)(?:e|%[46]5)(?:s|%[57]3))(?:[\\/]|$)",
    re.IGNORECASE,
)
_ENCODED_SEPARATOR: Final = re.compile(r"%2f|%5c", re.IGNORECASE)
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_UNDEFINED: Final = object()


class _InvalidTarget(ValueError):
    """A target that no package may have. In a list, the next one is tried."""


def export_target(manifest: Manifest, subpath: str, conditions: Collection[str]) -> str:
    """The file that a package exports under a subpath, as `./` and a path inside the package.

    Args:
        manifest: Of the package; it has `exports`.
        subpath: `"."` or `"./"` and more.
        conditions: Those that hold, besides `default`.

    Raises:
        LookupError: The package does not export it.
        ValueError: The package's table is wrong, or the subpath is no path inside of a package.
    """
    exports = manifest.exports
    if isinstance(exports, dict):
        dotted = {key.startswith(".") for key in exports}
        if len(dotted) > 1:
            raise ValueError(f"package {manifest.name!r}: exports mix subpaths with conditions")
        table = exports if dotted == {True} else {".": exports}
    else:
        table = {".": exports}
    target = _match(manifest, table, subpath, conditions, internal=False)
    if target is None:
        raise LookupError(f"package {manifest.name!r} does not export {subpath!r}")
    return target


def import_target(manifest: Manifest, specifier: str, conditions: Collection[str]) -> str:
    """What a package's own `#name` stands for: `./` and a path inside the package, or a bare specifier.

    Raises:
        LookupError: The package has no such name.
        ValueError: The package's table is wrong.
    """
    target = _match(manifest, manifest.imports, specifier, conditions, internal=True)
    if target is None:
        raise LookupError(f"package {manifest.name!r} does not define the import {specifier!r}")
    return target


def refuse_encoded_separators(package: str, path: str) -> None:
    """Refuse what would be another path for those who decode it.

    Raises:
        ValueError: There is an encoded slash or backslash.
    """
    if _ENCODED_SEPARATOR.search(path):
        raise ValueError(f"package {package!r}: {path!r} contains an encoded path separator")


def _match(
    manifest: Manifest, table: Mapping[str, Any], name: str, conditions: Collection[str], *, internal: bool
) -> str | None:
    if name in table and "*" not in name and not name.endswith("/"):
        target = _target(manifest, name, table[name], None, conditions, internal, _MAX_DEPTH)
        return target if isinstance(target, str) else None
    patterns = [(key, *key.split("*")) for key in table if key.count("*") == 1]
    fitting = [
        (len(head), len(key), key, name[len(head) : len(name) - len(tail)])
        for key, head, tail in patterns
        if name.startswith(head) and name.endswith(tail) and len(name) >= len(key)
    ]
    if not fitting:
        return None
    _, _, key, middle = max(fitting)
    target = _target(manifest, name, table[key], middle, conditions, internal, _MAX_DEPTH)
    return target if isinstance(target, str) else None


def _target(
    manifest: Manifest,
    name: str,
    target: Any,  # noqa: ANN401 - JSON
    middle: str | None,
    conditions: Collection[str],
    internal: bool,
    depth: int,
) -> object:
    """The target as text; None: there is none on purpose; undefined: no condition holds."""
    if depth == 0:
        raise ValueError(f"package {manifest.name!r}: the conditions of {name!r} are nested too deeply")
    if isinstance(target, str):
        return _text(manifest, name, target, middle, internal=internal)
    if isinstance(target, dict):
        if any(key.isascii() and key.isdigit() for key in target):
            raise ValueError(f"package {manifest.name!r}: {name!r} has a number as a condition")
        for condition, inner in target.items():
            if condition == "default" or condition in conditions:
                found = _target(manifest, name, inner, middle, conditions, internal, depth - 1)
                if found is not _UNDEFINED:
                    return found
        return _UNDEFINED
    if isinstance(target, list):
        last: object = _UNDEFINED if target else None
        for inner in target:
            try:
                found = _target(manifest, name, inner, middle, conditions, internal, depth - 1)
            except _InvalidTarget as error:
                last = error
                continue
            if isinstance(found, str):
                return found
            last = last if found is _UNDEFINED else found
        if isinstance(last, _InvalidTarget):
            raise last
        return last
    if target is None:
        return None
    raise _invalid(manifest, name, target)


def _text(manifest: Manifest, name: str, target: str, middle: str | None, *, internal: bool) -> str:
    full = target if middle is None else target.replace("*", middle)
    if not target.startswith("./"):
        if not internal or target.startswith(("../", "/")) or _URL.match(target):
            raise _invalid(manifest, name, target)
        return full
    if _UP_OR_ELSEWHERE.search(target[2:]):
        raise _invalid(manifest, name, target)
    if middle is not None and _UP_OR_ELSEWHERE.search(middle):
        raise ValueError(f"package {manifest.name!r}: {name!r} is no path inside the package")
    refuse_encoded_separators(manifest.name, full)
    return full


def _invalid(manifest: Manifest, name: str, target: object) -> _InvalidTarget:
    return _InvalidTarget(f"package {manifest.name!r}: {name!r} has an invalid target, {str(target)[:100]!r}")
