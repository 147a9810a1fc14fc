"""Keys, and how the guest holds them: sealed, under a secret of its sandbox that never leaves the host."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Any, Final, Literal

import msgpack
from cryptography.exceptions import InvalidTag, UnsupportedAlgorithm
from cryptography.hazmat.primitives import serialization as forms
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sandbox._records import record
from sandbox.crypto.failures import Refused, access_error, bad_usages, operation_error
from sandbox.crypto.parameters import USAGES, Material

Kind = Literal["secret", "private", "public"]

_NONCE_BYTES: Final = 12
_SECRET_BYTES: Final = 32
_LOST: Final = "The key was made before the sandbox was restored from a snapshot that has no keys."
# Keys are opened once, and kept open, as many of them as this; long ones, which are rare, each time.
MOST_OPEN: Final = 64
_LONGEST_OPEN_BYTES: Final = 1 << 14


@record(frozen=True, slots=True)
class Key:
    """What a CryptoKey stands for.

    Attributes:
        kind: Its `type`.
        algorithm: As the program sees it.
        extractable: Whether it may be exported.
        usages: What it may be used for, in the order of the standard.
        material: The bytes of a secret key; else a key of `cryptography`.
    """

    kind: Kind
    algorithm: Mapping[str, Any]
    extractable: bool
    usages: tuple[str, ...]
    material: Any

    @property
    def name(self) -> str:
        """Of its algorithm."""
        name: str = self.algorithm["name"]
        return name

    def require(self, usage: str, algorithm: str) -> None:
        """See that the key may be used so.

        Raises:
            Failure: It may not.
        """
        if self.name != algorithm:
            raise access_error("The requested operation is not valid for the algorithm of the key.")
        if usage not in self.usages:
            raise access_error(f"The key does not permit the usage '{usage}'.")

    def require_kind(self, kind: Kind) -> None:
        """See that it is a private or public one.

        Raises:
            Failure: It is not.
        """
        if self.kind != kind:
            raise access_error(f"The operation needs a {kind} key.")


def check_usages(usages: tuple[str, ...], allowed: tuple[str, ...]) -> None:
    """See that the usages of a new key fit its algorithm.

    Raises:
        Failure: One does not.
    """
    if any(usage not in allowed for usage in usages):
        raise bad_usages()


def pair(
    algorithm: Mapping[str, Any],
    private: Material,
    extractable: bool,
    usages: tuple[str, ...],
    public: tuple[str, ...],
) -> tuple[Key, Key]:
    """The public and the private key of a pair.

    Args:
        algorithm: Of both.
        private: The private key of `cryptography`.
        extractable: Whether the private one may be exported; the other one may.
        usages: Of both.
        public: Those among them that can be the public key's.
    """
    of_public = tuple(usage for usage in usages if usage in public)
    of_private = tuple(usage for usage in usages if usage not in public)
    return (
        Key("public", algorithm, True, of_public, private.public_key()),
        Key("private", algorithm, extractable, of_private, private),
    )


def der(material: Material) -> bytes:
    """A private key as PKCS #8, or a public one as SubjectPublicKeyInfo."""
    if hasattr(material, "private_bytes"):
        written = material.private_bytes(forms.Encoding.DER, forms.PrivateFormat.PKCS8, forms.NoEncryption())
    else:
        written = material.public_bytes(forms.Encoding.DER, forms.PublicFormat.SubjectPublicKeyInfo)
    return bytes(written)


def of_der(form: str, data: bytes, most_bytes: int) -> Material | None:
    """A key of any algorithm, as `der` writes it; None: there is none. Numbers of an RSA key may not fit together."""
    if len(data) > most_bytes:
        return None
    try:
        if form == "pkcs8":
            return forms.load_der_private_key(data, None, unsafe_skip_rsa_key_validation=True)
        return forms.load_der_public_key(data)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        return None


class Vault:
    """Seals keys and opens them again. Nothing is kept but the secret, and some keys that are open.

    Attributes:
        secret: What keys are sealed under.
    """

    secret: bytes

    def __init__(self, secret: bytes | None = None, *, has_lost: bool = False) -> None:
        """Make one.

        Args:
            secret: That of an earlier life of the sandbox; None: one of its own.
            has_lost: Whether the guest may have keys of an earlier life whose secret is not there.
        """
        self.secret = os.urandom(_SECRET_BYTES) if secret is None else secret
        self._has_lost = has_lost
        self._seal = AESGCM(self.secret)
        self._open: dict[bytes, Key] = {}

    def seal(self, key: Key) -> bytes:
        """What the guest holds of a key: nothing can be learned from it or changed in it."""
        material = key.material if key.kind == "secret" else der(key.material)
        usages = sum(1 << USAGES.index(usage) for usage in key.usages)
        content = msgpack.packb([key.kind, key.algorithm, key.extractable, usages, material])
        nonce = os.urandom(_NONCE_BYTES)
        sealed = nonce + self._seal.encrypt(nonce, content, None)
        self._keep(sealed, key)
        return sealed

    def open(self, sealed: object) -> Key:
        """The key that was sealed.

        Raises:
            Refused: This sandbox has sealed no such key.
            Failure: Perhaps it has, in an earlier life.
        """
        if type(sealed) is not bytes or len(sealed) < _NONCE_BYTES:
            raise Refused("no key")
        key = self._open.pop(sealed, None)
        if key is None:
            try:
                content = self._seal.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], None)
            except InvalidTag:
                if self._has_lost:
                    raise operation_error(_LOST) from None
                raise Refused("a key that was not made here") from None
            key = _unpacked(content)
        self._keep(sealed, key)
        return key

    def _keep(self, sealed: bytes, key: Key) -> None:
        if len(sealed) <= _LONGEST_OPEN_BYTES:
            self._open[sealed] = key  # the one that was used last stands last
            if len(self._open) > MOST_OPEN:
                del self._open[next(iter(self._open))]


def _unpacked(content: bytes) -> Key:
    kind, algorithm, extractable, usages, material = msgpack.unpackb(content)
    if kind == "private":  # it was checked when it was imported
        material = forms.load_der_private_key(material, None, unsafe_skip_rsa_key_validation=True)
    elif kind == "public":
        material = forms.load_der_public_key(material)
    return Key(kind, algorithm, extractable, tuple(each for i, each in enumerate(USAGES) if usages >> i & 1), material)
