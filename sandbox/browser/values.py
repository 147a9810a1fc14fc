"""Arguments of the guest, checked one by one, as Playwright's methods take them."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final, TypeAlias

from sandbox.browser.failures import wrong
from sandbox.values import URL, BigInt, RegExp, Undefined

MOST_TEXT_CHARS: Final = 1 << 20
_MOST_PATTERN_CHARS: Final = 2000
_MOST_ITEMS: Final = 10_000
_MOST_DEPTH: Final = 32
_MOST_ANSWER_DEPTH: Final = 100
_MOST_FILE_BYTES: Final = 50 << 20

# What Playwright calls otherwise in Python.
_NAMES: Final = {"extraHTTPHeaders": "extra_http_headers"}

Check: TypeAlias = Callable[[Any, str], Any]
"""Takes a value of the guest and what it is called; gives what Playwright takes."""


def text(value: object, what: str) -> str:
    """A text."""
    if not isinstance(value, str) or len(value) > MOST_TEXT_CHARS:
        raise wrong(f"{what} must be a string")
    return value


def boolean(value: object, what: str) -> bool:
    """A boolean."""
    if not isinstance(value, bool):
        raise wrong(f"{what} must be a boolean")
    return value


def number(value: object, what: str) -> float:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise wrong(f"{what} must be a number")
    return value


def between(least: float, most: float) -> Check:
    """A number in a range, whole where both ends are."""

    def check(value: object, what: str) -> float:
        given = number(value, what)
        if not least <= given <= most or (isinstance(least, int) and given != int(given)):
            raise wrong(f"{what} must be a number from {least:g} to {most:g}")
        return int(given) if isinstance(least, int) else given

    return check


def one_of(*values: str) -> Check:
    """One of some texts."""

    def check(value: object, what: str) -> str:
        if not isinstance(value, str) or value not in values:
            raise wrong(f"{what} must be one of {', '.join(values)}")
        return value

    return check


def many(each: Check, most: int = 100) -> Check:
    """A list."""

    def check(value: object, what: str) -> list[Any]:
        if not isinstance(value, list) or len(value) > most:
            raise wrong(f"{what} must be an array of at most {most} items")
        return [each(item, what) for item in value]

    return check


def either(one: Check, other: Check) -> Check:
    """One or a list of what `other` says, where the value is a list."""
    return lambda value, what: (other if isinstance(value, list) else one)(value, what)


def members(checks: Mapping[str, Check], *, needs: tuple[str, ...] = ()) -> Check:
    """An object with no other members than these."""

    def check(value: object, what: str) -> dict[str, Any]:
        if not isinstance(value, Mapping) or not set(value) <= set(checks) or not set(needs) <= set(value):
            raise wrong(f"{what} must be an object of {', '.join(checks)}")
        return {key: checks[key](item, f"{what}.{key}") for key, item in value.items()}

    return check


def texts_by_name(value: object, what: str) -> dict[str, str]:
    """An object of texts, such as headers."""
    if not isinstance(value, Mapping) or len(value) > 200:
        raise wrong(f"{what} must be an object of strings")
    return {text(key, what): text(item, what) for key, item in value.items()}


def words(value: object, what: str) -> str | re.Pattern[str]:
    """A text or a regular expression, which runs in the page.

    Playwright takes it as a pattern of Python and hands on its source and flags; it is compiled here, never matched.
    """
    if not isinstance(value, RegExp):
        return text(value, what)
    flags = re.NOFLAG
    for letter in value.flags:
        if letter not in "imsgdy":
            raise wrong(f"{what} must be a regular expression without the flag {letter}")
        flags |= {"i": re.IGNORECASE, "m": re.MULTILINE, "s": re.DOTALL}.get(letter, re.NOFLAG)
    try:
        if len(value.source) > _MOST_PATTERN_CHARS:
            raise wrong(f"{what} must be a shorter regular expression")
        return re.compile(value.source, flags)
    except (re.error, OverflowError, RecursionError):
        raise wrong(f"{what} must be a regular expression in the syntax that JavaScript shares with Python") from None


def anything(value: object, what: str) -> Any:  # noqa: ANN401 - plain data
    """Plain data for a function of the page."""
    left = [_MOST_ITEMS]
    return _plain(value, what, 0, left)


def _plain(value: object, what: str, depth: int, left: list[int]) -> Any:  # noqa: ANN401 - the same
    left[0] -= 1
    if left[0] < 0 or depth > _MOST_DEPTH:
        raise wrong(f"{what} must have at most {_MOST_ITEMS:,} parts, {_MOST_DEPTH} deep")
    if value is None or (isinstance(value, bool | int | float | datetime) and not isinstance(value, BigInt)):
        return value
    if isinstance(value, str):
        return text(value, what)
    if isinstance(value, Undefined):
        return None
    if isinstance(value, URL):
        return str(value)
    if isinstance(value, list):
        return [_plain(item, what, depth + 1, left) for item in value]
    if type(value) is dict:
        return {text(key, what): _plain(item, what, depth + 1, left) for key, item in value.items()}
    raise wrong(f"{what} must be plain data: strings, numbers, booleans, null, dates, arrays and objects")


def payloads(value: object, what: str) -> list[dict[str, Any]]:
    """Files for an input of a page, by value: none is ever named by a path of the host."""
    if not isinstance(value, list) or len(value) > 100:
        raise wrong(f"{what} must be a list of files")
    files = []
    for file in value:
        if not isinstance(file, list) or len(file) != 3 or not isinstance(file[2], bytes):
            raise wrong(f"{what} must be files with name, mimeType and buffer")
        files.append({"name": text(file[0], what), "mimeType": text(file[1], what), "buffer": file[2]})
    if sum(len(file["buffer"]) for file in files) > _MOST_FILE_BYTES:
        raise wrong(f"{what} must be smaller files")
    return files


def options_of(given: object, allowed: Mapping[str, Check], method: str) -> dict[str, Any]:
    """The options of a call, by their names in Python.

    Raises:
        JSError: One of them does not exist, or has no such value.
    """
    if given is None:
        return {}
    if not isinstance(given, Mapping):
        raise wrong(f"{method}: options must be an object")
    taken = {}
    for name, value in given.items():
        if name not in allowed:
            raise wrong(f"{method}: there is no option {str(name)[:50]!r} here")
        taken[_NAMES.get(name) or snake(name)] = allowed[name](value, f"{method}: {name}")
    return taken


def snake(name: str) -> str:
    """A name as Playwright's methods have it in Python."""
    text = re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", name).lower()
    return f"{text}_" if text in ("and", "or", "continue") else text


class TooLarge(Exception):
    """A result is larger than the grant allows."""


def answer(value: Any, most_bytes: int) -> Any:  # noqa: ANN401 - what a page gave
    """A result as the guest gets it; a page may be as hostile as a guest.

    Raises:
        TooLarge: It is too large.
    """
    left = [most_bytes]

    def plain(value: Any, depth: int) -> Any:  # noqa: ANN401 - the same
        left[0] -= 8 + (len(value) if isinstance(value, str | bytes | bytearray) else 0)
        if left[0] < 0 or depth > _MOST_ANSWER_DEPTH:
            raise TooLarge
        if isinstance(value, dict):
            return {plain(str(key), depth): plain(item, depth + 1) for key, item in value.items()}
        if isinstance(value, list):
            return [plain(item, depth + 1) for item in value]
        if value is None or isinstance(value, str | bytes | bool | int | float | datetime):
            return value
        return plain(value.geturl() if hasattr(value, "geturl") else str(value), depth + 1)

    return plain(value, 0)
