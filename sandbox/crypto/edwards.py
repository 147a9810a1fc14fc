"""Ed25519, Ed448, X25519 and X448."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ed448, ed25519, x448, x25519

from sandbox.crypto import jwk
from sandbox.crypto.agreement import public_of, shortened
from sandbox.crypto.failures import bad_usages, data_error, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages, der, of_der, pair
from sandbox.crypto.parameters import Algorithm, Content, Material, Octets, octets

_CLASSES: Final[dict[str, tuple[Any, Any]]] = {
    "Ed25519": (ed25519.Ed25519PrivateKey, ed25519.Ed25519PublicKey),
    "Ed448": (ed448.Ed448PrivateKey, ed448.Ed448PublicKey),
    "X25519": (x25519.X25519PrivateKey, x25519.X25519PublicKey),
    "X448": (x448.X448PrivateKey, x448.X448PublicKey),
}
# The points of small order on the curve of Ed25519, as they are written, without the bit for the sign of x: they verify
# signatures that nobody has made (Web Cryptography API, Ed25519, verify). Two are not reduced modulo p = 2^255 - 19.
_P: Final = (1 << 255) - 19
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _P - 1, _ORDER_8, _P - _ORDER_8, _P, _P + 1})
_LONGEST_BYTES: Final = 1 << 10  # of a key, however it is written


class Edwards(Family):
    """What all of them share: how keys are made, and their formats."""

    of_public: tuple[str, ...] = ("verify",)
    of_private: tuple[str, ...] = ("sign",)
    use = "sig"

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """See `Family`."""
        check_usages(usages, (*self.of_public, *self.of_private))
        if not any(usage in self.of_private for usage in usages):
            raise bad_usages()
        name = algorithm["name"]
        return pair({"name": name}, _CLASSES[name][0].generate(), extractable, usages, self.of_public)

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        name = algorithm["name"]
        is_private = form == "pkcs8" or (form == "jwk" and "d" in data)
        check_usages(usages, self.of_private if is_private else self.of_public)
        if form == "jwk":
            jwk.check(data, "OKP", self.use, usages, extractable=extractable)
            if data.get("crv") != name:
                raise data_error("The JWK is not of the curve that was given.")
            material = _of_jwk(data, name, is_private=is_private)
        else:
            material = _loaded(form, bytes(data), name)
        if is_private and not usages:
            raise bad_usages()
        return Key("private" if is_private else "public", {"name": name}, extractable, usages, material)

    def export_key(self, form: str, key: Key) -> Content:
        """See `Family`."""
        if form == "jwk":
            is_private = key.kind == "private"
            public = key.material.public_key() if is_private else key.material
            members = {"crv": key.name, "x": jwk.encoded(public.public_bytes_raw())}
            if is_private:
                members["d"] = jwk.encoded(key.material.private_bytes_raw())
            return jwk.exported(key, "OKP", **members)
        key.require_kind("private" if form == "pkcs8" else "public")
        return der(key.material) if form != "raw" else key.material.public_bytes_raw()


class Eddsa(Edwards):
    """Signatures."""

    def sign(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        _check_context(algorithm)
        signature: bytes = key.material.sign(data)
        return signature

    def verify(self, algorithm: Algorithm, key: Key, signature: Octets, data: Octets) -> bool:
        """See `Family`."""
        key.require_kind("public")
        _check_context(algorithm)
        if key.name == "Ed25519" and (_is_small(key.material.public_bytes_raw()) or _is_small(bytes(signature[:32]))):
            return False
        try:
            key.material.verify(bytes(signature), data)
        except InvalidSignature:
            return False
        return True


class Montgomery(Edwards):
    """Secrets that two parties agree on."""

    of_public: tuple[str, ...] = ()
    of_private: tuple[str, ...] = ("deriveKey", "deriveBits")
    use = "enc"

    def derive(self, algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        other = public_of(algorithm, key)
        try:
            secret = key.material.exchange(other)
        except ValueError:  # of a public key of small order
            raise operation_error("The keys give no secret.") from None
        return shortened(secret, bits)


def _is_small(point: bytes) -> bool:
    return int.from_bytes(point, "little") & ((1 << 255) - 1) in _SMALL_ORDER


def _check_context(algorithm: Algorithm) -> None:
    if len(octets(algorithm.get("context", b""))):
        raise unsupported("Signatures with a context are not supported.")


def _loaded(form: str, data: bytes, name: str) -> Material:
    private, public = _CLASSES[name]
    try:
        material = public.from_public_bytes(data) if form == "raw" else of_der(form, data, _LONGEST_BYTES)
    except (ValueError, UnsupportedAlgorithm):
        material = None
    if not isinstance(material, private if form == "pkcs8" else public):
        raise data_error("The data is no key of this curve.")
    return material


def _of_jwk(key: jwk.Jwk, name: str, *, is_private: bool) -> Material:
    private, public = _CLASSES[name]
    x = jwk.octets(key, "x")
    try:
        if not is_private:
            return public.from_public_bytes(x)
        material = private.from_private_bytes(jwk.octets(key, "d"))
        if material.public_key().public_bytes_raw() == x:
            return material
    except ValueError:
        pass
    raise data_error("The JWK is no key of this curve.")


FAMILIES: Final[dict[str, Callable[[], Family]]] = {
    "Ed25519": Eddsa,
    "Ed448": Eddsa,
    "X25519": Montgomery,
    "X448": Montgomery,
}
