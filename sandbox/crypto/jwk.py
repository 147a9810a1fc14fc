"""JSON Web Keys (RFC 7517): what all kinds of keys have in common."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Final

from sandbox.crypto.failures import Refused, data_error

if TYPE_CHECKING:
    from sandbox.crypto.keys import Key

_BASE64URL: Final = re.compile(r"[A-Za-z0-9_-]*")
_LONGEST_BYTES: Final = 1 << 16  # of a text: parsed, it takes many times as much
_TEXTS: Final = frozenset(
    {"alg", "crv", "d", "dp", "dq", "e", "k", "kty", "n", "p", "q", "qi", "use", "x", "y"}
)  # fmt: skip

Jwk = Mapping[str, Any]


def sent(value: object) -> Jwk:
    """A key as the binding has converted it.

    Raises:
        Refused: No binding sends that.
    """
    if type(value) is not dict or not _is_jwk(value):
        raise Refused("no JSON Web Key")
    return value


def parsed(data: bytes) -> Jwk:
    """A key from its text, which was wrapped.

    Raises:
        Failure: It is none.
    """
    if len(data) > _LONGEST_BYTES:
        raise data_error("The unwrapped JSON Web Key is too long.")
    try:
        value = json.loads(data.decode("utf-8-sig"))
    except (ValueError, RecursionError):
        raise data_error("The unwrapped data is no JSON Web Key.") from None
    if type(value) is dict and "kty" in value:
        value = {key: part for key, part in value.items() if key in _TEXTS or key in ("ext", "key_ops", "oth")}
        if _is_jwk(value):
            return value
    raise data_error("The unwrapped data is no JSON Web Key.")


def _is_jwk(value: Mapping[Any, Any]) -> bool:
    for key, part in value.items():
        if key in _TEXTS:
            is_fit = type(part) is str
        elif key == "ext":
            is_fit = type(part) is bool
        elif key == "key_ops":
            is_fit = type(part) is list and all(type(each) is str for each in part)
        else:
            is_fit = key == "oth" and type(part) is list
        if not is_fit:
            return False
    return True


def check(key: Jwk, kty: str, use: str, usages: tuple[str, ...], *, extractable: bool) -> None:
    """See that a key is of a type, and may be what it is imported as.

    Raises:
        Failure: It is not, or it may not.
    """
    if key.get("kty") != kty:
        raise data_error(f"The JWK member 'kty' is not '{kty}'.")
    if usages and "use" in key and key["use"] != use:
        raise data_error(f"The JWK member 'use' is not '{use}'.")
    operations = key.get("key_ops")
    if operations is not None and (
        len(set(operations)) < len(operations) or any(each not in operations for each in usages)
    ):
        raise data_error("The JWK member 'key_ops' does not allow these key usages.")
    if extractable and key.get("ext") is False:
        raise data_error("The JWK member 'ext' does not allow the key to be extractable.")


def check_alg(key: Jwk, name: str | None) -> None:
    """See that a key names no other algorithm.

    Raises:
        Failure: It does.
    """
    if "alg" in key and key["alg"] != name:
        raise data_error("The JWK member 'alg' is inconsistent with the algorithm.")


def octets(key: Jwk, member: str) -> bytes:
    """The bytes of a member.

    Raises:
        Failure: There is no such member, or it is no base64url.
    """
    text = key.get(member)
    if text is None or _BASE64URL.fullmatch(text) is None or len(text) % 4 == 1:
        raise data_error(f"The JWK member '{member}' is missing or malformed.")
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))


def encoded(data: bytes) -> str:
    """Bytes as base64url."""
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def exported(key: Key, kty: str, **members: str) -> dict[str, Any]:
    """A key with these members, and those that all have, in the order of the standard."""
    made = {**members, "ext": key.extractable, "key_ops": list(key.usages), "kty": kty}
    return {name: made[name] for name in sorted(made)}
