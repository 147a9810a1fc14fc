"""ECDSA and ECDH on P-256, P-384 and P-521."""

from __future__ import annotations

from typing import Any, Final

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature

from sandbox.crypto import jwk
from sandbox.crypto.agreement import public_of, shortened
from sandbox.crypto.failures import bad_usages, data_error, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages, der, of_der, pair
from sandbox.crypto.parameters import Algorithm, Content, Material, Octets, hash_of, text

_CURVES: Final[dict[str, ec.EllipticCurve]] = {
    "P-256": ec.SECP256R1(),
    "P-384": ec.SECP384R1(),
    "P-521": ec.SECP521R1(),
}
_ALGS: Final = {"P-256": "ES256", "P-384": "ES384", "P-521": "ES512"}
_LONGEST_BYTES: Final = 1 << 10  # of a key, however it is written


def _size(curve: str) -> int:
    """Bytes of a coordinate."""
    return -(-_CURVES[curve].key_size // 8)


class Curves(Family):
    """What both share: how keys are made, and their formats."""

    of_public: tuple[str, ...] = ("verify",)
    of_private: tuple[str, ...] = ("sign",)
    use = "sig"

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """See `Family`."""
        check_usages(usages, (*self.of_public, *self.of_private))
        curve = _curve(algorithm)
        if not any(usage in self.of_private for usage in usages):
            raise bad_usages()
        private = ec.generate_private_key(_CURVES[curve])
        return pair(_algorithm(algorithm, curve), private, extractable, usages, self.of_public)

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        is_private = form == "pkcs8" or (form == "jwk" and "d" in data)
        check_usages(usages, self.of_private if is_private else self.of_public)
        curve = _curve(algorithm)
        if form == "jwk":
            jwk.check(data, "EC", self.use, usages, extractable=extractable)
            if data.get("crv") != curve:
                raise data_error("The JWK is not of the curve that was given.")
            self._check_alg(data, curve)
            material = _of_jwk(data, curve, is_private=is_private)
        else:
            material = _loaded(form, bytes(data), curve)
        if is_private and not usages:
            raise bad_usages()
        return Key("private" if is_private else "public", _algorithm(algorithm, curve), extractable, usages, material)

    def _check_alg(self, key: jwk.Jwk, curve: str) -> None:
        jwk.check_alg(key, _ALGS[curve])

    def export_key(self, form: str, key: Key) -> Content:
        """See `Family`."""
        if form == "jwk":
            return self._jwk(key)
        key.require_kind("private" if form == "pkcs8" else "public")
        if form != "raw":
            return der(key.material)
        return key.material.public_bytes(forms.Encoding.X962, forms.PublicFormat.UncompressedPoint)

    def _jwk(self, key: Key) -> dict[str, Any]:
        curve = text(key.algorithm["namedCurve"])
        is_private = key.kind == "private"
        numbers = (key.material.public_key() if is_private else key.material).public_numbers()
        members = {"x": numbers.x, "y": numbers.y}
        if is_private:
            members["d"] = key.material.private_numbers().private_value
        written = {name: jwk.encoded(number.to_bytes(_size(curve), "big")) for name, number in members.items()}
        return jwk.exported(key, "EC", crv=curve, **written)


class Ecdsa(Curves):
    """Signatures."""

    def sign(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        size = _size(key.algorithm["namedCurve"])
        signature = key.material.sign(data, ec.ECDSA(hash_of(algorithm)))
        r, s = decode_dss_signature(signature)
        return r.to_bytes(size, "big") + s.to_bytes(size, "big")

    def verify(self, algorithm: Algorithm, key: Key, signature: Octets, data: Octets) -> bool:
        """See `Family`."""
        key.require_kind("public")
        function = hash_of(algorithm)
        size = _size(key.algorithm["namedCurve"])
        if len(signature) != 2 * size:
            return False
        r, s = int.from_bytes(signature[:size], "big"), int.from_bytes(signature[size:], "big")
        try:
            key.material.verify(encode_dss_signature(r, s), data, ec.ECDSA(function))
        except InvalidSignature:
            return False
        return True


class Ecdh(Curves):
    """Secrets that two parties agree on."""

    of_public: tuple[str, ...] = ()
    of_private: tuple[str, ...] = ("deriveKey", "deriveBits")
    use = "enc"

    def _check_alg(self, key: jwk.Jwk, curve: str) -> None:
        """Any will do."""

    def derive(self, algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
        """See `Family`."""
        key.require_kind("private")
        other = public_of(algorithm, key)
        try:
            secret = key.material.exchange(ec.ECDH(), other)
        except ValueError:
            raise operation_error("The keys give no secret.") from None
        return shortened(secret, bits)


def _curve(algorithm: Algorithm) -> str:
    curve = text(algorithm.get("namedCurve"))
    if curve not in _CURVES:
        raise unsupported("There is no such named curve.")
    return curve


def _algorithm(given: Algorithm, curve: str) -> dict[str, Any]:
    return {"name": given["name"], "namedCurve": curve}


def _loaded(form: str, data: bytes, curve: str) -> Material:
    try:
        if form == "raw":
            material: Any = ec.EllipticCurvePublicKey.from_encoded_point(_CURVES[curve], data)
        else:
            material = of_der(form, data, _LONGEST_BYTES)
    except (ValueError, UnsupportedAlgorithm):
        material = None
    kind = ec.EllipticCurvePrivateKey if form == "pkcs8" else ec.EllipticCurvePublicKey
    if not isinstance(material, kind) or material.curve.name != _CURVES[curve].name:
        raise data_error("The data is no key of this curve.")
    return material


def _of_jwk(key: jwk.Jwk, curve: str, *, is_private: bool) -> Material:
    numbers = []
    for member in ("x", "y", "d") if is_private else ("x", "y"):
        part = jwk.octets(key, member)
        if len(part) != _size(curve):
            raise data_error(f"The JWK member '{member}' is not of the right length.")
        numbers.append(int.from_bytes(part, "big"))
    try:
        public = ec.EllipticCurvePublicNumbers(numbers[0], numbers[1], _CURVES[curve])
        if not is_private:
            return public.public_key()
        private = ec.EllipticCurvePrivateNumbers(numbers[2], public).private_key()
        if private.public_key().public_numbers() == public:
            return private
    except ValueError:
        pass
    raise data_error("The JWK is no key of this curve.")
