"""What the host answers about keys: checked, whatever the guest says, and charged to it."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import anyio
import pytest
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature, encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from sandbox import AsyncSandbox, JSError, Limits, Sandbox
from sandbox.capabilities import Crypto
from sandbox.capabilities.base import Malformed
from sandbox.crypto import derivation, keys, waiting
from sandbox.errors import CpuLimitExceeded, WallLimitExceeded

Handlers = Mapping[str, Callable[..., Any]]

AES: dict[str, Any] = {"name": "AES-GCM", "length": 256}
GCM: dict[str, Any] = {"name": "AES-GCM", "iv": bytes(12)}
SHA: dict[str, Any] = {"name": "SHA-256"}
HMAC: dict[str, Any] = {"name": "HMAC", "hash": SHA}
ECDSA: dict[str, Any] = {"name": "ECDSA", "namedCurve": "P-256"}
ECDH: dict[str, Any] = {"name": "ECDH", "namedCurve": "P-256"}
OAEP: dict[str, Any] = {"name": "RSA-OAEP", "modulusLength": 1024, "publicExponent": b"\1\0\1", "hash": SHA}
PBKDF2: dict[str, Any] = {"name": "PBKDF2", "hash": SHA, "salt": b"", "iterations": 1}
BOTH = ["encrypt", "decrypt"]
RSA_PARTS = ["n", "e", "d", "p", "q", "dp", "dq", "qi"]


@pytest.fixture(autouse=True)
def _threads_end() -> Iterator[None]:
    """What nobody waits for any more ends by itself, and soon."""
    yield
    for thread in threading.enumerate():
        if thread.name == "sandbox-crypto":
            thread.join(20)
            assert not thread.is_alive()


def _handlers() -> Handlers:
    return Crypto(lambda _: None, lambda _: 60.0).handlers()


@pytest.fixture
def host() -> Handlers:
    return _handlers()


@pytest.fixture
def key(host: Handlers) -> bytes:
    """An AES key that may do everything but be exported."""
    sealed: bytes = host["generate"](AES, False, [*BOTH, "wrapKey", "unwrapKey"])[0][0]
    return sealed


def test_a_key_is_described(host: Handlers) -> None:
    ((sealed, kind, algorithm, extractable, usages),) = host["generate"](AES, True, ["decrypt", "encrypt", "decrypt"])

    assert isinstance(sealed, bytes)
    assert (kind, algorithm, extractable, usages) == ("secret", AES, True, BOTH)


def test_a_pair_is_described(host: Handlers) -> None:
    public, private = host["generate"](ECDSA, False, ["sign", "verify"])

    assert public[1:] == ["public", ECDSA, True, ["verify"]]
    assert private[1:] == ["private", ECDSA, False, ["sign"]]


def test_what_the_guest_holds_tells_nothing(host: Handlers) -> None:
    secret = bytes(range(32))
    first, second = (host["import"]("raw", secret, {"name": "AES-GCM"}, True, BOTH)[0] for _ in range(2))

    assert first != second
    assert not any(secret[at : at + 4] in first for at in range(29))
    assert host["export"]("raw", first) == host["export"]("raw", second) == secret


@pytest.mark.parametrize("at", [0, 11, 12, 20, -17, -16, -1])
def test_a_key_that_was_changed_is_none(host: Handlers, key: bytes, at: int) -> None:
    changed = bytearray(key)
    changed[at] ^= 1
    with pytest.raises(Malformed):
        host["encrypt"](GCM, bytes(changed), b"")


def test_a_key_of_another_sandbox_is_none(key: bytes) -> None:
    with pytest.raises(Malformed):
        _handlers()["encrypt"](GCM, key, b"")


def test_what_a_key_may_do_is_looked_up_in_the_key(host: Handlers, key: bytes) -> None:
    only_sign = host["generate"](HMAC, False, ["sign"])[0][0]

    assert host["export"]("raw", key) == "InvalidAccessError: The key is not extractable."
    assert host["wrap"]("raw", key, key, GCM) == "InvalidAccessError: The key is not extractable."
    assert host["sign"](HMAC, only_sign, b"")
    assert (
        host["verify"](HMAC, only_sign, b"", b"") == "InvalidAccessError: The key does not permit the usage 'verify'."
    )
    assert host["encrypt"](GCM, only_sign, b"").startswith("InvalidAccessError: The requested operation")
    assert host["deriveBits"](PBKDF2, key, 8).startswith("InvalidAccessError: ")


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("digest", (SHA, "text")),
        ("digest", (SHA, None)),
        ("digest", ("SHA-256", b"")),
        ("digest", ({"name": "MD5"}, b"")),
        ("digest", ({"name": ["SHA-256"]}, b"")),
        ("digest", ({}, b"")),
        ("generate", ({"name": "AES-GCM"}, True, [])),
        ("generate", ({"name": "AES-GCM", "length": "128"}, True, BOTH)),
        ("generate", ({"name": "AES-GCM", "length": True}, True, BOTH)),
        ("generate", ({"name": "AES-GCM", "length": -128}, True, BOTH)),
        ("generate", ({"name": "AES-GCM", "length": 1 << 70}, True, BOTH)),
        ("generate", ({"name": "DES"}, True, BOTH)),
        ("generate", ({"name": "HKDF"}, True, ["deriveBits"])),
        ("generate", ({"name": "HMAC"}, True, ["sign"])),
        ("generate", ({"name": "HMAC", "hash": "SHA-256"}, True, ["sign"])),
        ("generate", ({"name": "HMAC", "hash": {"name": "MD5"}}, True, ["sign"])),
        ("generate", ({"name": "ECDSA"}, True, ["sign"])),
        ("generate", ({**OAEP, "publicExponent": 65537}, True, ["decrypt"])),
        ("generate", ({**OAEP, "modulusLength": 1024.5}, True, ["decrypt"])),
        ("generate", (AES, 1, BOTH)),
        ("generate", (AES, True, "encrypt")),
        ("generate", (AES, True, ["fly"])),
        ("generate", (AES, True, [1])),
        ("import", ("der", b"", AES, True, BOTH)),
        ("import", (["raw"], b"", AES, True, BOTH)),
        ("import", ("raw", "text", AES, True, BOTH)),
        ("import", ("raw", {}, AES, True, BOTH)),
        ("import", ("jwk", b"", AES, True, BOTH)),
        ("import", ("jwk", {"kty": 5}, AES, True, BOTH)),
        ("import", ("jwk", {"ext": "yes"}, AES, True, BOTH)),
        ("import", ("jwk", {"key_ops": [1]}, AES, True, BOTH)),
        ("import", ("jwk", {"colour": "red"}, AES, True, BOTH)),
        ("import", ("jwk", {5: "red"}, AES, True, BOTH)),
        ("export", ("raw", b"")),
        ("export", ("raw", None)),
        ("export", ("raw", 5)),
        ("export", ("raw", b"x" * 100)),
        ("encrypt", (GCM, "key", b"")),
        ("encrypt", ({"name": "AES-GCM"}, "KEY", b"")),
        ("encrypt", ({"name": "AES-GCM", "iv": "text"}, "KEY", b"")),
        ("encrypt", ({**GCM, "tagLength": 128.0}, "KEY", b"")),
        ("encrypt", ({**GCM, "tagLength": 256}, "KEY", b"")),
        ("encrypt", ({**GCM, "additionalData": 5}, "KEY", b"")),
        ("encrypt", (GCM, "KEY", ["x"])),
        ("wrap", ("raw", "KEY", b"", GCM)),
        ("unwrap", ("raw", b"", "KEY", None, AES, True, BOTH)),
    ],
)
def test_what_no_binding_asks(host: Handlers, key: bytes, question: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Malformed):
        host[question](*(key if each == "KEY" else each for each in arguments))


@pytest.mark.parametrize(("name", "usage"), [("ECDH", "deriveBits"), ("X25519", "deriveKey")])
def test_parties_that_are_no_keys(host: Handlers, key: bytes, name: str, usage: str) -> None:
    algorithm = {**ECDH, "name": name} if name == "ECDH" else {"name": name}
    own = host["generate"](algorithm, False, [usage])[1][0]

    def ask(given: dict[str, Any]) -> Any:
        if usage == "deriveBits":
            return host["deriveBits"](given, own, 8)
        return host["deriveKey"](given, own, AES, True, BOTH)

    for wrong in ({}, {"public": b"x" * 50}, {"public": 5}, {"public": {"name": "ECDH"}}):
        with pytest.raises(Malformed):
            ask({"name": name, **wrong})
    assert ask({"name": name, "public": key}) == "InvalidAccessError: The operation needs a public key."


def test_operations_that_an_algorithm_has_not(host: Handlers) -> None:
    sealed = host["import"]("raw", b"secret", {"name": "HKDF"}, False, ["deriveBits", "deriveKey"])[0]

    assert host["export"]("raw", sealed) == "NotSupportedError: Keys of this algorithm cannot be exported."
    with pytest.raises(Malformed):
        host["deriveKey"]({"name": "HKDF", "hash": SHA, "salt": b"", "info": b""}, sealed, ECDSA, True, ["sign"])
    with pytest.raises(Malformed):
        host["unwrap"]("raw", b"", host["generate"](HMAC, True, ["sign"])[0][0][:-1], HMAC, AES, True, BOTH)


@pytest.mark.parametrize("question", ["digest", "generate", "import", "export", "verify", "unwrap", "deriveKey"])
@pytest.mark.parametrize("count", [0, 1, 9])
def test_numbers_of_arguments(host: Handlers, question: str, count: int) -> None:
    with pytest.raises(TypeError):
        host[question](*[SHA] * count)


@pytest.mark.parametrize(
    ("form", "data", "algorithm", "usages", "failure"),
    [
        ("raw", b"x" * 15, AES, BOTH, "DataError"),
        ("raw", b"x" * 16, AES, [], "SyntaxError"),
        ("raw", b"x" * 16, AES, ["sign"], "SyntaxError"),
        ("spki", b"x" * 16, AES, BOTH, "NotSupportedError"),
        ("raw", b"", HMAC, ["sign"], "DataError"),
        ("raw", b"x", {**HMAC, "length": 9}, ["sign"], "DataError"),
        ("raw", b"x" * 65, ECDSA, ["verify"], "DataError"),
        ("raw", b"\4" + bytes(64), ECDSA, ["verify"], "DataError"),
        ("raw", b"", ECDSA, ["verify"], "DataError"),
        ("spki", b"x" * 100_000, ECDSA, ["verify"], "DataError"),
        ("pkcs8", b"0" * 100, ECDSA, ["sign"], "DataError"),
        ("raw", b"x" * 65, {**ECDSA, "namedCurve": "K-256"}, ["verify"], "NotSupportedError"),
        ("raw", b"x" * 31, {"name": "Ed25519"}, ["verify"], "DataError"),
        ("spki", b"x", {"name": "X448"}, [], "DataError"),
        ("raw", b"x", OAEP, ["encrypt"], "NotSupportedError"),
        ("spki", b"x", OAEP, ["encrypt"], "DataError"),
        ("pkcs8", b"x" * 100_000, OAEP, ["decrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "n": "AQAB", "e": "AQAB"}, OAEP, ["encrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "n": "AQAB", "e": "AQAB", "d": "AQAB"}, OAEP, ["decrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "n": "A" * 50_000, "e": "AQAB"}, OAEP, ["encrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "n": "_" * 600, "e": "_" * 600}, OAEP, ["encrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "n": "", "e": ""}, OAEP, ["encrypt"], "DataError"),
        ("jwk", {"kty": "RSA", **dict.fromkeys(RSA_PARTS, "")}, OAEP, ["decrypt"], "DataError"),
        ("jwk", {"kty": "RSA", **dict.fromkeys(RSA_PARTS, "AQ")}, OAEP, ["decrypt"], "DataError"),
        ("jwk", {"kty": "RSA", "d": "AQAB", "oth": []}, OAEP, ["decrypt"], "NotSupportedError"),
        ("jwk", {"kty": "EC", "crv": "P-256", "x": "AA", "y": "AA"}, ECDSA, ["verify"], "DataError"),
        ("jwk", {"kty": "EC", "crv": "P-256", "x": "A" * 43, "y": "A" * 43}, ECDSA, ["verify"], "DataError"),
        ("jwk", {"kty": "oct", "k": "ä"}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {"kty": "oct", "k": "A" * 22, "alg": "A256GCM"}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {"kty": "oct", "k": "A" * 22, "use": "sig"}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {"kty": "oct", "k": "A" * 22, "key_ops": ["encrypt"]}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {"kty": "oct", "k": "A" * 22, "key_ops": ["sign", "sign"]}, {"name": "AES-GCM"}, [], "DataError"),
        ("jwk", {"kty": "oct", "k": "A" * 22, "ext": False}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {"kty": "oct"}, {"name": "AES-GCM"}, BOTH, "DataError"),
        ("jwk", {}, {"name": "AES-GCM"}, BOTH, "DataError"),
    ],
)  # fmt: skip
def test_what_is_no_key(
    host: Handlers, form: str, data: Any, algorithm: dict[str, Any], usages: list[str], failure: str
) -> None:
    answer = host["import"](form, data, algorithm, True, usages)

    assert answer.startswith(failure + ": ")
    assert "cryptography" not in answer and "openssl" not in answer.lower()


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"5", b'{"k":"AAAA"}', b'{"kty":5}', b"\xff", b"[" * 60_000, b"[[]," * 100_000]
)
def test_what_is_unwrapped_may_be_no_key(host: Handlers, key: bytes, text: bytes) -> None:
    wrapper = host["import"]("raw", bytes(16), {"name": "AES-GCM"}, False, ["encrypt", "unwrapKey"])[0]
    wrapped = host["encrypt"](GCM, wrapper, text)

    assert host["unwrap"]("jwk", wrapped, wrapper, GCM, {"name": "AES-GCM"}, True, BOTH).startswith("DataError: ")


@pytest.mark.parametrize(
    ("changes", "failure"),
    [
        ({"modulusLength": 512}, "OperationError: The length of the modulus"),
        ({"modulusLength": 8192}, "OperationError: The length of the modulus"),
        ({"modulusLength": 4_000_000_000}, "OperationError: The length of the modulus"),
        ({"publicExponent": b"\1" * 100}, "OperationError: The public exponent"),
        ({"publicExponent": b""}, "OperationError: The public exponent"),
    ],
)
def test_rsa_keys_that_are_not_made(host: Handlers, changes: dict[str, Any], failure: str) -> None:
    assert host["generate"]({**OAEP, **changes}, True, ["decrypt"]).startswith(failure)


@pytest.mark.parametrize(
    ("changes", "bits"),
    [
        ({"iterations": 4_000_000_000}, 8),
        ({"iterations": 4_000_001}, 8),
        ({"iterations": 2_000_001}, 512),
        ({}, 4_000_000_000),
        ({"salt": bytes(10 << 20)}, 1 << 20),
        ({"iterations": 0}, 8),
        ({}, 7),
        ({}, None),
    ],
)
def test_derivations_that_are_not_begun(host: Handlers, changes: dict[str, Any], bits: int | None) -> None:
    sealed = host["import"]("raw", b"password", {"name": "PBKDF2"}, False, ["deriveBits"])[0]

    assert host["deriveBits"]({**PBKDF2, **changes}, sealed, bits).startswith("OperationError: ")


def test_what_is_hashed_again_and_again_is_short(host: Handlers) -> None:
    sealed = host["import"]("raw", b"secret", {"name": "HKDF"}, False, ["deriveBits"])[0]
    algorithm = {"name": "HKDF", "hash": SHA, "salt": bytes(1 << 20), "info": bytes(1 << 16)}

    assert len(host["deriveBits"](algorithm, sealed, 8 * 255 * 32)) == 255 * 32
    assert host["deriveBits"]({**algorithm, "info": bytes((1 << 16) + 1)}, sealed, 8).startswith("OperationError: ")


def test_what_is_wrapped_is_short(host: Handlers) -> None:
    wrapper = host["generate"]({"name": "AES-KW", "length": 128}, False, ["wrapKey", "unwrapKey"])[0][0]
    for size, fits in ((1 << 16, True), ((1 << 16) + 8, False)):
        key = host["import"]("raw", bytes(size), HMAC, True, ["sign"])[0]
        assert isinstance(host["wrap"]("raw", key, wrapper, {"name": "AES-KW"}), bytes) is fits
    failure = host["unwrap"]("raw", bytes(1 << 20), wrapper, {"name": "AES-KW"}, HMAC, True, ["sign"])
    assert failure.startswith("OperationError: ")


def test_a_long_rsa_key_is_not_imported(host: Handlers) -> None:
    private = rsa.generate_private_key(65537, 4104)
    data = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())

    assert host["import"]("pkcs8", data, OAEP, True, ["decrypt"]).startswith("DataError: ")


@pytest.mark.parametrize("part", RSA_PARTS)
def test_the_numbers_of_an_rsa_key_belong_together(host: Handlers, part: str) -> None:
    _, private = host["generate"](OAEP, True, ["encrypt", "decrypt"])
    key = host["export"]("jwk", private[0])
    other = host["export"]("jwk", host["generate"](OAEP, True, ["decrypt"])[1][0])
    other["e"] = "Aw"

    assert host["import"]("jwk", key, OAEP, True, ["decrypt"])[1] == "private"
    assert host["import"]("jwk", {**key, part: other[part]}, OAEP, True, ["decrypt"]).startswith("DataError: ")


def test_views_and_bytes_are_the_same(host: Handlers) -> None:
    digest = host["digest"](SHA, b"abcd")

    assert host["digest"](SHA, memoryview(b"abcd")) == host["digest"](SHA, memoryview(b"abcd").cast("H")) == digest


# --- against the library itself ---


def test_signatures_are_what_others_verify(host: Handlers) -> None:
    public, private = host["generate"](ECDSA, False, ["sign", "verify"])
    signature = host["sign"]({"name": "ECDSA", "hash": SHA}, private[0], b"data")
    numbers = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256R1(), host["export"]("raw", public[0]))
    r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
    numbers.verify(encode_dss_signature(r, s), b"data", ec.ECDSA(hashes.SHA256()))


def test_signatures_of_others_are_verified(host: Handlers) -> None:
    private = ec.generate_private_key(ec.SECP521R1())
    data = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    sealed = host["import"]("spki", data, {"name": "ECDSA", "namedCurve": "P-521"}, False, ["verify"])[0]
    r, s = decode_dss_signature(private.sign(b"data", ec.ECDSA(hashes.SHA384())))
    signature = r.to_bytes(66, "big") + s.to_bytes(66, "big")
    algorithm = {"name": "ECDSA", "hash": {"name": "SHA-384"}}

    assert host["verify"](algorithm, sealed, signature, b"data") is True
    assert host["verify"](algorithm, sealed, signature, b"date") is False
    assert host["verify"](algorithm, sealed, signature[1:], b"data") is False
    assert host["verify"](algorithm, sealed, bytes(132), b"data") is False


def test_rsa_with_others(host: Handlers) -> None:
    private = rsa.generate_private_key(65537, 1024)
    data = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    own = host["import"]("pkcs8", data, {"name": "RSA-OAEP", "hash": SHA}, True, ["decrypt"])[0]
    oaep = padding.OAEP(padding.MGF1(hashes.SHA256()), hashes.SHA256(), b"label")
    encrypted = private.public_key().encrypt(b"data", oaep)

    assert host["export"]("pkcs8", own) == data
    assert host["decrypt"]({"name": "RSA-OAEP", "label": b"label"}, own, encrypted) == b"data"
    assert host["decrypt"]({"name": "RSA-OAEP"}, own, encrypted) == "OperationError: The data could not be decrypted."
    assert host["decrypt"]({"name": "RSA-OAEP"}, own, b"").startswith("OperationError: ")


# --- what is kept ---


def test_as_many_keys_as_one_likes(host: Handlers) -> None:
    sealed = [host["generate"]({"name": "Ed25519"}, True, ["sign"])[1][0] for _ in range(3 * keys.MOST_OPEN)]

    assert len({host["sign"]({"name": "Ed25519"}, each, b"data") for each in sealed}) == len(sealed)


def test_keys_survive_a_rollback_and_clones() -> None:
    with Sandbox(on_limit="rollback") as box:
        box.eval("globalThis.key = await crypto.subtle.generateKey('Ed25519', false, ['sign', 'verify']); 0")
        before = box.eval("new Uint8Array(await crypto.subtle.sign('Ed25519', key.privateKey, new Uint8Array(3)))")
        with pytest.raises(WallLimitExceeded):
            box.eval("key = await crypto.subtle.generateKey('Ed25519', true, ['sign']); for (;;);", timeout=0.1)
        code = "new Uint8Array(await crypto.subtle.sign('Ed25519', structuredClone(key).privateKey, new Uint8Array(3)))"
        assert box.eval(code) == before


def test_nothing_is_imported_before_it_is_used() -> None:
    code = """
import sys
from sandbox import Sandbox
with Sandbox() as box:
    box.eval("crypto.randomUUID() + typeof crypto.subtle + CryptoKey.name")
    before = "cryptography" in sys.modules, "sandbox.crypto.service" in sys.modules
    box.eval("await crypto.subtle.digest('SHA-1', new Uint8Array(1))")
print(*before, "cryptography" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "False", "True"]


class TestWithoutTheExtra:
    @pytest.fixture(autouse=True)
    def _bare(self, monkeypatch: pytest.MonkeyPatch) -> None:
        """As if it were not installed."""
        monkeypatch.setattr("sandbox.capabilities.crypto.has_crypto", lambda: False)

    def test_programs_find_no_subtle(self) -> None:
        with Sandbox() as box:
            assert box.eval("typeof crypto.subtle + typeof crypto.getRandomValues") == "undefinedfunction"

    def test_who_asks_in_spite_of_that_is_told(self) -> None:
        assert _handlers()["digest"](SHA, b"").startswith("NotSupportedError: ")


# --- limits ---

SIGN = "crypto.subtle.sign('HMAC', key, new Uint8Array(1000))"
RSA = "{name: 'RSA-PSS', modulusLength: 4096, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1'}"
STRETCH = "{name: 'PBKDF2', hash: 'SHA-512', salt: new Uint8Array(8), iterations: 4_000_000}"


def test_a_loop_ends_at_the_cpu_limit() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.5, wall_seconds=30)) as box:
        make = "await crypto.subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, false, ['sign'])"
        box.eval(f"globalThis.key = {make}; 0")
        with pytest.raises(CpuLimitExceeded):
            box.eval(f"for (;;) await {SIGN}")
        assert len(box.eval(SIGN)) == 32


@pytest.mark.parametrize(
    ("limits", "error"),
    [
        (Limits(cpu_seconds=0.3, wall_seconds=30), CpuLimitExceeded),
        (Limits(cpu_seconds=None, wall_seconds=0.3), WallLimitExceeded),
    ],
)
@pytest.mark.parametrize(
    "code",
    [
        f"for (;;) await crypto.subtle.generateKey({RSA}, true, ['sign'])",
        f"crypto.subtle.deriveBits({STRETCH}, key, 256)",
        f"crypto.subtle.deriveBits({STRETCH}, key, 256).catch(() => {{ for (;;); }})",
    ],
)
def test_what_takes_long_holds_no_limit_up(limits: Limits, error: type[Exception], code: str) -> None:
    with Sandbox(limits=limits) as box:
        make = "await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits'])"
        box.eval(f"globalThis.key = {make}; 0")
        began = time.monotonic()
        with pytest.raises(error):
            box.eval(code)
        assert time.monotonic() - began < 1.5
        assert box.eval("1 + 1") == 2


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_a_task_that_is_cancelled_waits_for_nothing(backend: str) -> None:
    async def cancel() -> float:
        async with AsyncSandbox() as box:
            make = "await crypto.subtle.importKey('raw', new Uint8Array(8), 'PBKDF2', false, ['deriveBits'])"
            await box.eval(f"globalThis.key = {make}; 0")
            began = time.monotonic()
            with anyio.move_on_after(0.1):
                await box.eval(f"crypto.subtle.deriveBits({STRETCH}, key, 256)")
            return time.monotonic() - began

    assert anyio.run(cancel, backend=backend) < 1.5


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_the_asynchronous_face(backend: str) -> None:
    async def use() -> Any:
        async with AsyncSandbox() as box:
            return await box.eval(
                "const pair = await crypto.subtle.generateKey('X25519', false, ['deriveBits']);"
                "const algorithm = {name: 'X25519', public: pair.publicKey};"
                "(await crypto.subtle.deriveBits(algorithm, pair.privateKey, 256)).byteLength"
            )

    assert anyio.run(use, backend=backend) == 32


def test_so_many_threads_at_one_time() -> None:
    release = threading.Event()
    try:
        for _ in range(waiting._MOST_AT_ONCE):
            with pytest.raises(Exception, match="OperationError"):
                waiting.call(release.wait, iter([1.0, 0.01, 0.0]).__next__)
        with pytest.raises(Exception, match="OperationError"):
            waiting.call(lambda: 1, iter([0.01, 0.01, 0.0]).__next__)
    finally:
        release.set()
    assert waiting.call(lambda: 1, lambda: 10.0) == 1


def test_what_fails_on_its_thread_fails_here() -> None:
    with pytest.raises(ZeroDivisionError):
        waiting.call(lambda: 1 // 0, lambda: 10.0)


# --- what the guest sees, and what it cannot do ---


def test_no_text_of_the_library_gets_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("/secret/path of OpenSSL")

    monkeypatch.setattr(derivation.Hkdf, "derive", fail)
    code = """
      const key = await crypto.subtle.importKey("raw", new Uint8Array(8), "HKDF", false, ["deriveBits"]);
      await crypto.subtle.deriveBits({name: "HKDF", hash: "SHA-1", salt: key, info: key}, key, 8).catch(e => 0);
      const none = new Uint8Array(0);
      await crypto.subtle.deriveBits({name: "HKDF", hash: "SHA-1", salt: none, info: none}, key, 8)
    """
    with Sandbox() as box, pytest.raises(JSError) as caught:
        box.eval(code)
    assert caught.value.name == "OperationError"
    assert "secret" not in str(caught.value)


def test_a_panic_of_the_library_is_a_failure(monkeypatch: pytest.MonkeyPatch, host: Handlers) -> None:
    panic = type("PanicException", (BaseException,), {})
    key = host["generate"](AES, True, BOTH)[0][0]

    def fail(*_: object) -> None:
        raise panic("at src/x.rs")

    monkeypatch.setattr("sandbox.crypto.aes.Gcm.encrypt", fail)
    assert host["encrypt"](GCM, key, b"") == "OperationError: The operation failed."


def test_descriptions_are_messages(host: Handlers) -> None:
    """What is answered is what the codec can send."""
    public, private = host["generate"](OAEP, True, ["encrypt", "decrypt"])

    assert json.loads(json.dumps(host["export"]("jwk", private[0])))["kty"] == "RSA"
    assert public[2]["publicExponent"] == b"\1\0\1"
