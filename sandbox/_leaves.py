"""Values without identity and without parts, as they stand in a message."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date, datetime, time
from decimal import Decimal
from typing import Any, Final
from uuid import UUID

from sandbox._abi import Tag
from sandbox._wire import UNDEFINED, bigint_payload, date_payload, extension
from sandbox.values import URL, BigInt, RegExp, Undefined

Pack = Callable[[object], bytes]
"""Writes a scalar."""


def _bigint(value: int, _: Pack) -> bytes:
    return extension(Tag.BIGINT, bigint_payload(value))


def _date(value: datetime, _: Pack) -> bytes:
    return extension(Tag.DATE, date_payload(value))


def _regexp(value: RegExp, pack: Pack) -> bytes:
    return extension(Tag.REGEXP, b"\x92" + pack(value.source) + pack(value.flags))


def _pattern(value: re.Pattern[str], pack: Pack) -> bytes:
    return _regexp(RegExp.from_pattern(value), pack)


def _url(value: URL, pack: Pack) -> bytes:
    return extension(Tag.URL, pack(value.href))


# The first row whose types fit: the types, what writes their values, and whether the guest makes objects of them. What
# is written raises ValueError for a value that cannot cross.
LEAVES: Final[tuple[tuple[type | tuple[type, ...], Callable[[Any, Pack], bytes], bool], ...]] = (
    (Undefined, lambda _, __: UNDEFINED, False),
    (BigInt, _bigint, False),
    (datetime, _date, True),
    ((date, time), lambda value, pack: pack(value.isoformat()), False),
    ((Decimal, UUID), lambda value, pack: pack(str(value)), False),
    (RegExp, _regexp, True),
    (re.Pattern, _pattern, True),
    (URL, _url, True),
    (str, lambda value, pack: pack(str.__str__(value)), False),
    (int, lambda value, pack: pack(int.__int__(value)), False),
    (float, lambda value, pack: pack(float.__float__(value)), False),
)
