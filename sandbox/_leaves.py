"""Values without identity and without parts, as they stand in a message."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable
from datetime import date, datetime, time
from typing import Any, Final

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


_RANKS: Final = {type(None): 0, bool: 1, int: 2, float: 2, str: 3, bytes: 4}


def in_order(members: Iterable[object]) -> list[Any]:
    """The members of a Python set, which has no order of its own.

    That of texts, bytes and None depends on the process, and the guest must not: scalars are sorted. What else there is
    follows, as it comes.
    """
    scalars: list[Any] = []
    others: list[Any] = []
    for member in members:
        (scalars if type(member) in _RANKS else others).append(member)
    scalars.sort(key=lambda member: (_RANKS[type(member)], 0 if member is None else member))
    return scalars + others


class _Elsewhere(type):
    """Tells values of a class from others; whoever has one has imported its module, which takes as long as a codec."""

    module: str

    def __instancecheck__(cls, value: object) -> bool:
        module = sys.modules.get(cls.module)
        return module is not None and isinstance(value, getattr(module, cls.__name__, ()))


class UUID(metaclass=_Elsewhere):
    """Stands for `uuid.UUID`."""

    module = "uuid"


class Decimal(metaclass=_Elsewhere):
    """Stands for `decimal.Decimal`."""

    module = "decimal"


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
