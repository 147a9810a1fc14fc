"""The operations of SubtleCrypto. Arguments come from the guest; keys are checked here, whatever it says of them."""

from __future__ import annotations

import json
from collections.abc import Callable
from functools import partial
from typing import Any

from cryptography.hazmat.primitives import hashes

from sandbox.crypto import aes, edwards, jwk, waiting
from sandbox.crypto.curves import Ecdh, Ecdsa
from sandbox.crypto.derivation import Hkdf, Pbkdf2
from sandbox.crypto.failures import Refused, access_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, Vault
from sandbox.crypto.mac import Hmac
from sandbox.crypto.parameters import HASHES, Algorithm, Content, algorithm, flag, key_format, octets, usages, whole
from sandbox.crypto.rsa import Oaep, Pss, Rsa


class Service:
    """What one sandbox can ask. Every method raises `Failure` or, for what no binding sends, `Refused`."""

    vault: Vault

    def __init__(
        self, seconds_left: Callable[[], float], secret: bytes | None = None, *, has_lost: bool = False
    ) -> None:
        """Make one.

        Args:
            seconds_left: How long the guest may wait for an answer.
            secret: See `Vault`.
            has_lost: Likewise.
        """
        self.vault = Vault(secret, has_lost=has_lost)
        long = partial(waiting.call, seconds_left=seconds_left)
        self._families: dict[str, Family] = {
            **{name: make() for name, make in (aes.FAMILIES | edwards.FAMILIES).items()},
            "HMAC": Hmac(),
            "RSASSA-PKCS1-v1_5": Rsa(long),
            "RSA-PSS": Pss(long),
            "RSA-OAEP": Oaep(long),
            "ECDSA": Ecdsa(),
            "ECDH": Ecdh(),
            "HKDF": Hkdf(),
            "PBKDF2": Pbkdf2(long),
        }

    def _family(self, name: str) -> Family:
        try:
            return self._families[name]
        except KeyError:
            raise Refused("no such algorithm") from None

    def _describe(self, key: Key) -> list[Any]:
        """What the guest is told of a key."""
        return [self.vault.seal(key), key.kind, dict(key.algorithm), key.extractable, list(key.usages)]

    def digest(self, given: object, data: object) -> bytes:
        """The hash of bytes."""
        function = HASHES.get(algorithm(given)["name"])
        if function is None:
            raise Refused("no such algorithm")
        context = hashes.Hash(function)
        context.update(octets(data))
        return context.finalize()

    def generate(self, given: object, extractable: object, wanted: object) -> list[list[Any]]:
        """A new key, or a public and a private one."""
        found = algorithm(given)
        keys = self._family(found["name"]).generate(found, flag(extractable), usages(wanted))
        return [self._describe(key) for key in keys]

    def import_key(self, form: object, data: object, given: object, extractable: object, wanted: object) -> list[Any]:
        """A key from what the program has."""
        form = key_format(form)
        content = jwk.sent(data) if form == "jwk" else octets(data)
        return self._describe(self._imported(form, content, algorithm(given), flag(extractable), usages(wanted)))

    def _imported(self, form: str, data: Content, given: Algorithm, extractable: bool, wanted: tuple[str, ...]) -> Key:
        return self._family(given["name"]).import_key(form, data, given, extractable, wanted)

    def export_key(self, form: object, sealed: object) -> Content:
        """What the program may have of a key."""
        return self._exported(key_format(form), self.vault.open(sealed))

    def _exported(self, form: str, key: Key) -> Content:
        family = self._family(key.name)
        if type(family).export_key is Family.export_key:
            raise unsupported("Keys of this algorithm cannot be exported.")
        if not key.extractable:
            raise access_error("The key is not extractable.")
        return family.export_key(form, key)

    def encrypt(self, given: object, sealed: object, data: object) -> bytes:
        """Bytes, encrypted."""
        found, key = self._with_key(given, sealed, "encrypt")
        return self._family(key.name).encrypt(found, key, octets(data))

    def decrypt(self, given: object, sealed: object, data: object) -> bytes:
        """Bytes, decrypted."""
        found, key = self._with_key(given, sealed, "decrypt")
        return self._family(key.name).decrypt(found, key, octets(data))

    def sign(self, given: object, sealed: object, data: object) -> bytes:
        """The signature of bytes."""
        found, key = self._with_key(given, sealed, "sign")
        return self._family(key.name).sign(found, key, octets(data))

    def verify(self, given: object, sealed: object, signature: object, data: object) -> bool:
        """Whether a signature is that of bytes."""
        found, key = self._with_key(given, sealed, "verify")
        return self._family(key.name).verify(found, key, octets(signature), octets(data))

    def derive_bits(self, given: object, sealed: object, bits: object) -> bytes:
        """Bits from a key."""
        found, key = self._with_key(given, sealed, "deriveBits")
        return self._derived(found, key, None if bits is None else whole(bits, 0xFFFFFFFF))

    def derive_key(self, given: object, sealed: object, kind: object, extractable: object, wanted: object) -> list[Any]:
        """A key from a key."""
        found, key = self._with_key(given, sealed, "deriveKey")
        made = algorithm(kind)
        secret = self._derived(found, key, self._family(made["name"]).key_bits(made))
        return self._describe(self._imported("raw", secret, made, flag(extractable), usages(wanted)))

    def _derived(self, found: dict[str, Any], key: Key, bits: int | None) -> bytes:
        if "public" in found:
            found["public"] = self.vault.open(found["public"])
        return self._family(key.name).derive(found, key, bits)

    def wrap(self, form: object, sealed: object, wrapping: object, given: object) -> bytes:
        """A key, exported and encrypted."""
        form = key_format(form)
        found, wrapper = self._with_key(given, wrapping, "wrapKey")
        content = self._exported(form, self.vault.open(sealed))
        if form == "jwk":
            content = json.dumps(content, separators=(",", ":")).encode()
        return self._family(wrapper.name).encrypt(found, wrapper, content)

    def unwrap(
        self,
        form: object,
        data: object,
        unwrapping: object,
        given: object,
        kind: object,
        extractable: object,
        wanted: object,
    ) -> list[Any]:
        """A key, decrypted and imported: the program never sees what it is made of."""
        form = key_format(form)
        found, wrapper = self._with_key(given, unwrapping, "unwrapKey")
        content: Any = self._family(wrapper.name).decrypt(found, wrapper, octets(data))
        if form == "jwk":
            content = jwk.parsed(content)
        return self._describe(self._imported(form, content, algorithm(kind), flag(extractable), usages(wanted)))

    def _with_key(self, given: object, sealed: object, usage: str) -> tuple[dict[str, Any], Key]:
        found = algorithm(given)
        key = self.vault.open(sealed)
        key.require(usage, found["name"])
        return found, key
