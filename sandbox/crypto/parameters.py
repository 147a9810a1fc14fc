"""What the guest sends, checked part by part: a guest may have taken over its engine."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, TypeAlias

from cryptography.hazmat.primitives import hashes

from sandbox.crypto.failures import Refused

Algorithm: TypeAlias = Mapping[str, Any]
Octets: TypeAlias = bytes | memoryview
Content: TypeAlias = Any
"""What a key is imported from or exported to: bytes, or a JSON Web Key."""
Material: TypeAlias = Any
"""A key of `cryptography`, one of many classes."""

# In the order in which keys list them.
USAGES: Final = ("encrypt", "decrypt", "sign", "verify", "deriveKey", "deriveBits", "wrapKey", "unwrapKey")
FORMATS: Final = ("raw", "spki", "pkcs8", "jwk")
HASHES: Final[Mapping[str, hashes.HashAlgorithm]] = {
    "SHA-1": hashes.SHA1(),  # noqa: S303 - the standard has it
    "SHA-256": hashes.SHA256(),
    "SHA-384": hashes.SHA384(),
    "SHA-512": hashes.SHA512(),
}


def algorithm(value: object) -> dict[str, Any]:
    """A normalized algorithm, which has a name at least."""
    if type(value) is not dict or type(value.get("name")) is not str:
        raise Refused("no algorithm")
    return value


def octets(value: object) -> Octets:
    """Bytes."""
    if type(value) is bytes:
        return value
    if type(value) is memoryview:
        return value.cast("B")
    raise Refused("no bytes")


def small(value: object, most: int = 1 << 16) -> bytes:
    """Bytes of a parameter."""
    found = octets(value)
    if len(found) > most:
        raise Refused("a parameter beyond all sizes")
    return bytes(found)


def whole(value: object, most: int) -> int:
    """A number from 0 on."""
    if type(value) is not int or not 0 <= value <= most:
        raise Refused("no such number")
    return value


def flag(value: object) -> bool:
    """A boolean."""
    if type(value) is not bool:
        raise Refused("no boolean")
    return value


def text(value: object) -> str:
    """A text."""
    if type(value) is not str:
        raise Refused("no text")
    return value


def usages(value: object) -> tuple[str, ...]:
    """Usages of a key, each once, in the order of the standard."""
    if type(value) is not list or any(type(usage) is not str or usage not in USAGES for usage in value):
        raise Refused("no usages")
    return tuple(usage for usage in USAGES if usage in value)


def key_format(value: object) -> str:
    """The format of an import or export."""
    if type(value) is not str or value not in FORMATS:
        raise Refused("no format")
    return value


def hash_name(given: Algorithm) -> str:
    """The hash function that an algorithm names."""
    found = given.get("hash")
    if type(found) is not dict or type(name := found.get("name")) is not str or name not in HASHES:
        raise Refused("no hash function")
    return name


def hash_of(given: Algorithm) -> hashes.HashAlgorithm:
    """Likewise, as `cryptography` has it."""
    return HASHES[hash_name(given)]
