"""AES-CBC, AES-CTR, AES-GCM and AES-KW."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import keywrap, padding
from cryptography.hazmat.primitives.ciphers import Cipher, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.ciphers.algorithms import AES

from sandbox.crypto import jwk
from sandbox.crypto.failures import bad_usages, data_error, operation_error, unsupported
from sandbox.crypto.family import Family
from sandbox.crypto.keys import Key, check_usages
from sandbox.crypto.parameters import Algorithm, Content, Octets, octets, small, whole

_KEY_BITS: Final = (128, 192, 256)
_BLOCK_BITS: Final = 128
_BLOCK_BYTES: Final = 16
_TAG_BITS: Final = (32, 64, 96, 104, 112, 120, 128)
_WHOLE_TAG_BYTES: Final = 16
# Those that OpenSSL is asked for through this package.
_GCM_IV_BYTES: Final = range(8, 129)
_WRAP_BYTES: Final = 8
_MOST_WRAPPED_BYTES: Final = 1 << 16  # by AES-KW, which takes its time


class Aes(Family):
    """What all of them share: keys of 128, 192 or 256 bits."""

    usages: tuple[str, ...] = ("encrypt", "decrypt", "wrapKey", "unwrapKey")

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """See `Family`."""
        check_usages(usages, self.usages)
        bits = self.key_bits(algorithm)
        if not usages:
            raise bad_usages()
        return (self._key(algorithm, os.urandom(bits // 8), extractable, usages),)

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """See `Family`."""
        check_usages(usages, self.usages)
        if form == "raw":
            material = bytes(data)
        elif form == "jwk":
            jwk.check(data, "oct", "enc", usages, extractable=extractable)
            material = jwk.octets(data, "k")
            jwk.check_alg(data, _alg(algorithm["name"], material))
        else:
            raise unsupported(f"Keys of this algorithm have no format '{form}'.")
        if len(material) * 8 not in _KEY_BITS:
            raise data_error("AES keys are 128, 192 or 256 bits long.")
        if not usages:
            raise bad_usages()
        return self._key(algorithm, material, extractable, usages)

    def _key(self, algorithm: Algorithm, material: bytes, extractable: bool, usages: tuple[str, ...]) -> Key:
        made = {"name": algorithm["name"], "length": len(material) * 8}
        return Key("secret", made, extractable, usages, material)

    def export_key(self, form: str, key: Key) -> Content:
        """See `Family`."""
        if form == "raw":
            return key.material
        if form == "jwk":
            return jwk.exported(key, "oct", alg=_alg(key.name, key.material), k=jwk.encoded(key.material))
        raise unsupported(f"Keys of this algorithm have no format '{form}'.")

    def key_bits(self, algorithm: Algorithm) -> int:
        """See `Family`."""
        bits = whole(algorithm.get("length"), 0xFFFF)
        if bits not in _KEY_BITS:
            raise operation_error("AES keys are 128, 192 or 256 bits long.")
        return bits


def _alg(name: str, material: bytes) -> str:
    return f"A{len(material) * 8}{name.removeprefix('AES-')}"


def _run(context: Any, data: Octets) -> bytes:  # noqa: ANN401 - of either direction
    made: bytes = context.update(data) + context.finalize()
    return made


class Cbc(Aes):
    """Blocks in a chain, padded as PKCS #7 says."""

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        padded = _run(padding.PKCS7(_BLOCK_BITS).padder(), data)
        return _run(self._cipher(algorithm, key).encryptor(), padded)

    def decrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        cipher = self._cipher(algorithm, key)
        if not len(data) or len(data) % _BLOCK_BYTES:
            raise operation_error("The data is not a whole number of blocks.")
        try:
            return _run(padding.PKCS7(_BLOCK_BITS).unpadder(), _run(cipher.decryptor(), data))
        except ValueError:
            raise operation_error("The data could not be decrypted.") from None

    def _cipher(self, algorithm: Algorithm, key: Key) -> Cipher[modes.CBC]:
        iv = small(algorithm.get("iv"), 1 << 30)
        if len(iv) != _BLOCK_BYTES:
            raise operation_error("The initialization vector must be 16 bytes long.")
        return Cipher(AES(key.material), modes.CBC(iv))


class Ctr(Aes):
    """A stream of encrypted numbers, of which the last bits count."""

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        counter = small(algorithm.get("counter"), 1 << 30)
        bits = whole(algorithm.get("length"), 0xFF)
        if len(counter) != _BLOCK_BYTES:
            raise operation_error("The counter must be 16 bytes long.")
        if not 1 <= bits <= _BLOCK_BITS:
            raise operation_error("The length of the counter must be between 1 and 128 bits.")
        count = -(-len(data) // _BLOCK_BYTES)
        if count > 1 << bits:
            raise operation_error("The data is too long for the length of the counter.")
        number = int.from_bytes(counter, "big")
        before = (1 << bits) - number % (1 << bits)  # the blocks until it begins at 0 again
        if count <= before:
            return self._stream(key, counter, data)
        again = (number >> bits << bits).to_bytes(_BLOCK_BYTES, "big")
        split = before * _BLOCK_BYTES
        return self._stream(key, counter, data[:split]) + self._stream(key, again, data[split:])

    def _stream(self, key: Key, counter: bytes, data: Octets) -> bytes:
        return _run(Cipher(AES(key.material), modes.CTR(counter)).encryptor(), data)

    decrypt = encrypt


class Gcm(Aes):
    """Encryption that notices changes."""

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        iv, more, tag_bytes = _gcm(algorithm)
        if tag_bytes == _WHOLE_TAG_BYTES:
            return AESGCM(key.material).encrypt(iv, data, more)
        context = Cipher(AES(key.material), modes.GCM(iv)).encryptor()
        context.authenticate_additional_data(more)
        return _run(context, data) + context.tag[:tag_bytes]

    def decrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        iv, more, tag_bytes = _gcm(algorithm)
        if len(data) < tag_bytes:
            raise operation_error("The data is shorter than its tag.")
        try:
            if tag_bytes == _WHOLE_TAG_BYTES:
                return AESGCM(key.material).decrypt(iv, data, more)
            tag = bytes(data[len(data) - tag_bytes :])
            context = Cipher(AES(key.material), modes.GCM(iv, tag, min_tag_length=tag_bytes)).decryptor()
            context.authenticate_additional_data(more)
            return _run(context, data[: len(data) - tag_bytes])
        except InvalidTag:
            raise operation_error("The data could not be decrypted.") from None


def _gcm(algorithm: Algorithm) -> tuple[bytes, Octets, int]:
    iv = small(algorithm.get("iv"), 1 << 30)
    bits = whole(algorithm.get("tagLength", _BLOCK_BITS), 0xFF)
    if bits not in _TAG_BITS:
        raise operation_error("The tag cannot be of this length.")
    if len(iv) not in _GCM_IV_BYTES:
        raise operation_error("The initialization vector must be between 8 and 128 bytes long.")
    return iv, octets(algorithm.get("additionalData", b"")), bits // 8


class Kw(Aes):
    """Keys wrapped as RFC 3394 says."""

    usages: tuple[str, ...] = ("wrapKey", "unwrapKey")

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        if not 2 * _WRAP_BYTES <= len(data) <= _MOST_WRAPPED_BYTES or len(data) % _WRAP_BYTES:
            raise operation_error("What AES-KW wraps is a multiple of 8 bytes long, between 16 and 65,536.")
        return keywrap.aes_key_wrap(key.material, bytes(data))

    def decrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """See `Family`."""
        if len(data) > _MOST_WRAPPED_BYTES + _WRAP_BYTES:
            raise operation_error("The data could not be unwrapped.")
        try:
            return keywrap.aes_key_unwrap(key.material, bytes(data))
        except (keywrap.InvalidUnwrap, ValueError):
            raise operation_error("The data could not be unwrapped.") from None


FAMILIES: Final[dict[str, Callable[[], Family]]] = {"AES-CBC": Cbc, "AES-CTR": Ctr, "AES-GCM": Gcm, "AES-KW": Kw}
