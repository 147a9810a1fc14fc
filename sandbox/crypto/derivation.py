"""HKDF and PBKDF2."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from cryptography.hazmat.primitives.kdf.pbkdf2 import PBKDF2HMAC

from sandbox.crypto.failures import Failure, bad_usages, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages
from sandbox.crypto.parameters import Algorithm, Content, hash_of, octets, whole

_USAGES: Final = ("deriveKey", "deriveBits")
_MOST_BLOCKS: Final = 255  # of HKDF (RFC 5869)
# Iterations of one call, for all blocks together: two seconds of the slowest hash function. And what they may make.
_MOST_ROUNDS: Final = 4_000_000
_MOST_BITS: Final = 1 << 23
_LONGEST_INFO_BYTES: Final = 1 << 16  # which HKDF hashes for each block
_BLOCK_BYTES: Final = 64  # of the salt, which PBKDF2 hashes for each block, as much as an iteration
# Fewer are done before a thread has begun.
_FEW_ROUNDS: Final = 20_000

Long = Callable[[Callable[[], Any]], Any]


class Derivation(Family):
    """What both share: their keys are any bytes, and stay inside."""

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        if form != "raw":
            raise unsupported(f"Keys of this algorithm have no format '{form}'.")
        check_usages(usages, _USAGES)
        if extractable:
            raise Failure("SyntaxError", "Keys of this algorithm cannot be extractable.")
        if not usages:
            raise bad_usages()
        return Key("secret", {"name": algorithm["name"]}, False, usages, bytes(data))

    def key_bits(self, algorithm: Algorithm) -> None:
        """See `Family`."""


def _bytes_wanted(bits: int | None) -> int:
    if bits is None or bits % 8:
        raise operation_error("The length must be a multiple of 8 bits.")
    return bits // 8


class Hkdf(Derivation):
    """From a secret that is random enough (RFC 5869)."""

    def derive(self, algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
        """See `Family`."""
        function = hash_of(algorithm)
        salt, info = bytes(octets(algorithm.get("salt"))), bytes(octets(algorithm.get("info")))
        wanted = _bytes_wanted(bits)
        if wanted > _MOST_BLOCKS * function.digest_size or len(info) > _LONGEST_INFO_BYTES:
            raise operation_error("HKDF cannot derive so many bits, or from so long an info.")
        return HKDF(function, wanted, salt, info).derive(key.material) if wanted else b""


class Pbkdf2(Derivation):
    """From a password (RFC 8018)."""

    def __init__(self, long: Long) -> None:
        """Make one.

        Args:
            long: Calls what may take long.
        """
        self._long = long

    def derive(self, algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
        """See `Family`."""
        function = hash_of(algorithm)
        salt, rounds = bytes(octets(algorithm.get("salt"))), whole(algorithm.get("iterations"), 0xFFFFFFFF)
        wanted = _bytes_wanted(bits)
        if not rounds:
            raise operation_error("PBKDF2 needs one iteration at least.")
        if not wanted:
            return b""
        all_rounds = (rounds + len(salt) // _BLOCK_BYTES) * -(-wanted // function.digest_size)
        if all_rounds > _MOST_ROUNDS or wanted * 8 > _MOST_BITS:
            raise operation_error(f"PBKDF2 does {_MOST_ROUNDS:,} iterations at most, for each block of the hash.")
        work = PBKDF2HMAC(function, wanted, salt, rounds)
        if all_rounds <= _FEW_ROUNDS:
            return work.derive(key.material)
        derived: bytes = self._long(lambda: work.derive(key.material))
        return derived
