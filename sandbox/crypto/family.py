"""What algorithms can do. Each overrides what it can; the bindings ask for nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, NoReturn

from sandbox.crypto.failures import Refused, unsupported

if TYPE_CHECKING:
    from sandbox.crypto.keys import Key
    from sandbox.crypto.parameters import Algorithm, Content, Octets


def _refuse() -> NoReturn:
    raise Refused("an operation that the algorithm does not have")


class Family:
    """Algorithms of one kind. Every method may raise `Failure`, and `Refused` for parameters that no binding sends."""

    def generate(self, algorithm: Algorithm, extractable: bool, usages: tuple[str, ...]) -> tuple[Key, ...]:
        """New keys: a secret one, or a public and a private one."""
        _refuse()

    def import_key(
        self,
        form: str,
        data: Content,
        algorithm: Algorithm,
        extractable: bool,
        usages: tuple[str, ...],
    ) -> Key:
        """A key from its bytes, or from a JSON Web Key."""
        _refuse()

    def export_key(self, form: str, key: Key) -> Content:
        """A key as bytes, or as a JSON Web Key."""
        raise unsupported("Keys of this algorithm cannot be exported.")

    def key_bits(self, algorithm: Algorithm) -> int | None:
        """How many bits a derived key needs; None: as many as there are."""
        _refuse()

    def encrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """Encrypt, also to wrap a key."""
        _refuse()

    def decrypt(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """Decrypt, also to unwrap a key."""
        _refuse()

    def sign(self, algorithm: Algorithm, key: Key, data: Octets) -> bytes:
        """Sign."""
        _refuse()

    def verify(self, algorithm: Algorithm, key: Key, signature: Octets, data: Octets) -> bool:
        """Whether a signature is right."""
        _refuse()

    def derive(self, algorithm: Algorithm, key: Key, bits: int | None) -> bytes:
        """Derive bits; None: as many as there are."""
        _refuse()
