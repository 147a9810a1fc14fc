"""HMAC."""

from __future__ import annotations

import os
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hmac

from sandbox.crypto import jwk
from sandbox.crypto.failures import Failure, bad_usages, data_error, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages
from sandbox.crypto.parameters import HASHES, Algorithm, Content, Octets, hash_name, whole

_USAGES: Final = ("sign", "verify")
_BLOCK_BITS: Final = {"SHA-1": 512, "SHA-256": 512, "SHA-384": 1024, "SHA-512": 1024}
# What a program may have generated; it can import longer ones.
_MOST_BITS: Final = 1 << 16


class Hmac(Family):
    """Message authentication by a hash function and a secret key."""

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """See `Family`."""
        check_usages(usages, _USAGES)
        name = hash_name(algorithm)
        bits = whole(algorithm.get("length", _BLOCK_BITS[name]), 0xFFFFFFFF)
        if not 1 <= bits <= _MOST_BITS:
            raise operation_error(f"The length of a new HMAC key must be between 1 and {_MOST_BITS:,} bits.")
        if not usages:
            raise bad_usages()
        material = os.urandom(-(-bits // 8))
        return (Key("secret", _algorithm(name, bits), extractable, usages, _shortened(material, bits)),)

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        check_usages(usages, _USAGES)
        name = hash_name(algorithm)
        if form == "raw":
            material = bytes(data)
        elif form == "jwk":
            jwk.check(data, "oct", "sig", usages, extractable=extractable)
            material = jwk.octets(data, "k")
            jwk.check_alg(data, _alg(name))
        else:
            raise unsupported(f"Keys of this algorithm have no format '{form}'.")
        bits = len(material) * 8
        if not bits:
            raise data_error("An HMAC key cannot be empty.")
        if "length" in algorithm:
            wanted = whole(algorithm["length"], 0xFFFFFFFF)
            if not bits - 8 < wanted <= bits:
                raise data_error("The key is not of the length that was given.")
            bits = wanted
        if not usages:
            raise bad_usages()
        return Key("secret", _algorithm(name, bits), extractable, usages, _shortened(material, bits))

    def export_key(self, form: str, key: Key) -> Content:
        """See `Family`."""
        if form == "raw":
            return key.material
        if form == "jwk":
            return jwk.exported(key, "oct", alg=_alg(hash_name(key.algorithm)), k=jwk.encoded(key.material))
        raise unsupported(f"Keys of this algorithm have no format '{form}'.")

    def key_bits(self, algorithm: Algorithm) -> int:
        """See `Family`."""
        bits = whole(algorithm.get("length", _BLOCK_BITS[hash_name(algorithm)]), 0xFFFFFFFF)
        if not bits:
            raise Failure("TypeError", "The length of an HMAC key cannot be 0.")
        return bits

    def sign(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        return self._context(key, data).finalize()

    def verify(self, algorithm: Algorithm, key: Key, signature: Octets, data: Octets) -> bool:
        """See `Family`."""
        try:
            self._context(key, data).verify(bytes(signature))
        except InvalidSignature:
            return False
        return True

    def _context(self, key: Key, data: Octets) -> hmac.HMAC:
        context = hmac.HMAC(key.material, HASHES[hash_name(key.algorithm)])
        context.update(data)
        return context


def _algorithm(name: str, bits: int) -> dict[str, Any]:
    return {"name": "HMAC", "hash": {"name": name}, "length": bits}


def _alg(name: str) -> str:
    return "HS" + name.removeprefix("SHA-")


def _shortened(material: bytes, bits: int) -> bytes:
    """Bytes without the bits beyond a length."""
    spare = -bits % 8
    return material[:-1] + bytes([material[-1] >> spare << spare]) if spare else material
