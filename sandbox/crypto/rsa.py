"""RSASSA-PKCS1-v1_5, RSA-PSS and RSA-OAEP."""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric import padding, rsa

from sandbox.crypto import jwk
from sandbox.crypto.failures import bad_usages, data_error, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages, der, of_der, pair
from sandbox.crypto.parameters import HASHES, Algorithm, Content, Material, Octets, hash_name, octets, small, whole

_EXPONENTS: Final = (3, 65537)
_LEAST_BITS: Final = 1024
# Longer ones take so long, to be made and to be checked, that no limit of a run would hold.
_MOST_BITS: Final = 4096
_LONGEST_BYTES: Final = 1 << 13  # of a key, however it is written
_PARTS: Final = ("p", "q", "dp", "dq", "qi")

Long = Callable[[Callable[[], Any]], Any]


class Rsa(Family):
    """What all of them share: how keys are made, and their formats."""

    of_public: tuple[str, ...] = ("verify",)
    of_private: tuple[str, ...] = ("sign",)
    use = "sig"
    alg = "RS"

    def __init__(self, long: Long) -> None:
        """Make one.

        Args:
            long: Calls what may take long.
        """
        self._long = long

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """See `Family`."""
        check_usages(usages, (*self.of_public, *self.of_private))
        bits = whole(algorithm.get("modulusLength"), 0xFFFFFFFF)
        exponent = int.from_bytes(small(algorithm.get("publicExponent"), 1 << 30), "big")
        hash_name(algorithm)
        if exponent not in _EXPONENTS:
            raise operation_error("The public exponent must be 3 or 65537.")
        if not _LEAST_BITS <= bits <= _MOST_BITS:
            raise operation_error(f"The length of the modulus must be between {_LEAST_BITS} and {_MOST_BITS} bits.")
        if not any(usage in self.of_private for usage in usages):
            raise bad_usages()
        private = self._long(lambda: rsa.generate_private_key(exponent, bits))
        return pair(_algorithm(algorithm, private), private, extractable, usages, self.of_public)

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        if form == "raw":
            raise unsupported("RSA keys have no format 'raw'.")
        is_private = form == "pkcs8" or (form == "jwk" and "d" in data)
        check_usages(usages, self.of_private if is_private else self.of_public)
        if form == "jwk":
            jwk.check(data, "RSA", self.use, usages, extractable=extractable)
            jwk.check_alg(data, self._alg(hash_name(algorithm)))
            material = _private_of(data) if is_private else _public_of(data)
        else:
            material = _loaded(form, bytes(data))
        if is_private and not usages:
            raise bad_usages()
        return Key(
            "private" if is_private else "public", _algorithm(algorithm, material), extractable, usages, material
        )

    def export_key(self, form: str, key: Key) -> Content:
        """See `Family`."""
        if form == "raw":
            raise unsupported("RSA keys have no format 'raw'.")
        if form != "jwk":
            key.require_kind("private" if form == "pkcs8" else "public")
            return der(key.material)
        alg = self._alg(hash_name(key.algorithm))
        if key.kind == "public":
            numbers = key.material.public_numbers()
            return jwk.exported(key, "RSA", alg=alg, n=_written(numbers.n), e=_written(numbers.e))
        parts = key.material.private_numbers()
        members = {
            "n": parts.public_numbers.n, "e": parts.public_numbers.e, "d": parts.d, "p": parts.p, "q": parts.q,
            "dp": parts.dmp1, "dq": parts.dmq1, "qi": parts.iqmp,
        }  # fmt: skip
        return jwk.exported(key, "RSA", alg=alg, **{name: _written(number) for name, number in members.items()})

    def _alg(self, name: str) -> str:
        return self.alg + name.removeprefix("SHA-")

    def _signing(self, algorithm: Algorithm, key: Key) -> padding.AsymmetricPadding:
        return padding.PKCS1v15()

    def sign(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        try:
            signature: bytes = key.material.sign(data, self._signing(algorithm, key), HASHES[hash_name(key.algorithm)])
        except ValueError:
            raise operation_error("The key is too short for this hash function and salt.") from None
        return signature

    def verify(self, algorithm: Algorithm, key: Key, signature: Octets, data: Octets) -> bool:
        """See `Family`."""
        key.require_kind("public")
        # A signature is as long as the key (RFC 8017, 8.1.2 and 8.2.2); the library takes a PSS one without its zeros.
        if len(signature) != -(-key.material.key_size // 8):
            return False
        try:
            key.material.verify(bytes(signature), data, self._signing(algorithm, key), HASHES[hash_name(key.algorithm)])
        except (InvalidSignature, ValueError):
            return False
        return True


class Pss(Rsa):
    """With a salt in each signature."""

    alg = "PS"

    def _signing(self, algorithm: Algorithm, key: Key) -> padding.AsymmetricPadding:
        salt_bytes = whole(algorithm.get("saltLength"), 0xFFFFFFFF)
        if salt_bytes > _LONGEST_BYTES:
            raise operation_error("The key is too short for this hash function and salt.")
        return padding.PSS(padding.MGF1(HASHES[hash_name(key.algorithm)]), salt_bytes)


class Oaep(Rsa):
    """To encrypt what is short."""

    of_public: tuple[str, ...] = ("encrypt", "wrapKey")
    of_private: tuple[str, ...] = ("decrypt", "unwrapKey")
    use = "enc"
    alg = "RSA-OAEP"

    def _alg(self, name: str) -> str:
        return self.alg if name == "SHA-1" else f"{self.alg}-{name.removeprefix('SHA-')}"

    def _padding(self, algorithm: Algorithm, key: Key) -> padding.OAEP:
        function = HASHES[hash_name(key.algorithm)]
        label = bytes(octets(algorithm.get("label", b"")))
        return padding.OAEP(padding.MGF1(function), function, label or None)

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        key.require_kind("public")
        try:
            encrypted: bytes = key.material.encrypt(bytes(data), self._padding(algorithm, key))
        except ValueError:
            raise operation_error("The data is too long for the key.") from None
        return encrypted

    def decrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        try:
            decrypted: bytes = key.material.decrypt(bytes(data), self._padding(algorithm, key))
        except ValueError:
            raise operation_error("The data could not be decrypted.") from None
        return decrypted


def _algorithm(given: Algorithm, material: rsa.RSAPrivateKey | rsa.RSAPublicKey) -> dict[str, Any]:
    public = material.public_key() if isinstance(material, rsa.RSAPrivateKey) else material
    exponent = public.public_numbers().e
    return {
        "name": given["name"],
        "modulusLength": material.key_size,
        "publicExponent": exponent.to_bytes(-(-exponent.bit_length() // 8), "big"),
        "hash": {"name": hash_name(given)},
    }


def _loaded(form: str, data: bytes) -> Material:
    material = of_der(form, data, _LONGEST_BYTES)
    with suppress(ValueError):
        if form == "pkcs8" and isinstance(material, rsa.RSAPrivateKey):
            _check(material.private_numbers())
            return material
        if form == "spki" and isinstance(material, rsa.RSAPublicKey):
            return material
    raise data_error("The data is no RSA key, or one that is too long.")


def _read(key: jwk.Jwk, member: str) -> int:
    data = jwk.octets(key, member)
    if len(data) > _LONGEST_BYTES:
        raise data_error("The RSA key is too long.")
    return int.from_bytes(data, "big")


def _written(number: int) -> str:
    return jwk.encoded(number.to_bytes(-(-number.bit_length() // 8), "big"))


def _public_of(key: jwk.Jwk) -> rsa.RSAPublicKey:
    try:
        return rsa.RSAPublicNumbers(_read(key, "e"), _read(key, "n")).public_key()
    except ValueError:
        raise data_error("The JWK is no RSA key.") from None


def _private_of(key: jwk.Jwk) -> rsa.RSAPrivateKey:
    if "oth" in key:
        raise unsupported("RSA keys of more than two primes are not supported.")
    p, q, dmp1, dmq1, iqmp = (_read(key, part) for part in _PARTS)
    public = rsa.RSAPublicNumbers(_read(key, "e"), _read(key, "n"))
    numbers = rsa.RSAPrivateNumbers(p, q, _read(key, "d"), dmp1, dmq1, iqmp, public)
    try:
        _check(numbers)
        return numbers.private_key(unsafe_skip_rsa_key_validation=True)
    except ValueError:
        raise data_error("The JWK is no RSA key, or one that is too long.") from None


def _check(numbers: rsa.RSAPrivateNumbers) -> None:
    """See that the numbers of a private key belong together.

    Whether the primes are such is not looked at, which takes a third of a second: whoever makes up a key may as well
    publish it.

    Raises:
        ValueError: They do not.
    """
    p, q, d, public = numbers.p, numbers.q, numbers.d, numbers.public_numbers
    least = 1 << _LEAST_BITS // 4
    if not (
        public.n.bit_length() <= _MOST_BITS
        and p > least < q
        and p & q & public.e & 1
        and public.e > 1
        and 0 < d < public.n == p * q
        and d * public.e % math.lcm(p - 1, q - 1) == 1
        and (numbers.dmp1, numbers.dmq1) == (d % (p - 1), d % (q - 1))
        and 0 < numbers.iqmp < p
        and numbers.iqmp * q % p == 1
    ):
        raise ValueError("no RSA key")
