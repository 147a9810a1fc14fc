"""What key agreements share."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sandbox.crypto.failures import Refused, access_error, operation_error
from sandbox.crypto.keys import Key

if TYPE_CHECKING:
    from sandbox.crypto.parameters import Algorithm, Material


def public_of(algorithm: Algorithm, key: Key) -> Material:
    """The other party's key.

    Raises:
        Failure: It is no public key, or one of another kind.
        Refused: There is none.
    """
    other = algorithm.get("public")
    if not isinstance(other, Key):
        raise Refused("no public key")
    other.require_kind("public")
    if other.algorithm != key.algorithm:
        raise access_error("The public key is of another algorithm or curve.")
    return other.material


def shortened(secret: bytes, bits: int | None) -> bytes:
    """The first bits of a secret; None: all of them.

    Raises:
        Failure: It has not so many.
    """
    if bits is None:
        return secret
    if bits > len(secret) * 8:
        raise operation_error("The secret has not so many bits.")
    wanted = secret[: -(-bits // 8)]
    spare = -bits % 8
    return wanted[:-1] + bytes([wanted[-1] >> spare << spare]) if spare else wanted
