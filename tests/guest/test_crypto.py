"""crypto.subtle: known answers, the order in which arguments are read, names of errors, and CryptoKey."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest
from cryptography.hazmat.primitives.asymmetric import x25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from sandbox.errors import ConversionError

if TYPE_CHECKING:
    from sandbox import Sandbox

HELPERS = """
var { subtle } = crypto;
var hex = (data) => new Uint8Array(data).toHex();
var from = (text) => Uint8Array.fromHex(text);
var utf8 = (text) => new TextEncoder().encode(text);
var raw = (data, algorithm, ...usages) => subtle.importKey("raw", data, algorithm, true, usages);
var aes = (name, ...usages) => raw(new Uint8Array(16), name, ...usages);
var hkdf = {name: "HKDF", hash: "SHA-1", salt: utf8(""), info: utf8("")};
var base = await subtle.importKey("raw", utf8(""), "HKDF", false, ["deriveKey"]);
var hmacOf = (hash) => subtle.importKey("raw", utf8("x"), {name: "HMAC", hash}, false, ["sign"]);
var gcm = (size) => ({name: "AES-GCM", iv: new Uint8Array(size)});
var ed448 = await subtle.generateKey("Ed448", true, ["sign"]);
var failure = (promise) => promise.then(() => "none", (error) => `${error.constructor.name} ${error.name}`);
"""


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    box.eval(HELPERS)
    return box


# Source, program, answer.
ANSWERS = [
    ("FIPS 180-4, SHA-1", "subtle.digest('SHA-1', utf8('abc'))", "a9993e364706816aba3e25717850c26c9cd0d89d"),
    (
        "FIPS 180-4, SHA-256",
        "subtle.digest('SHA-256', utf8(''))",
        "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    ),
    (
        "FIPS 180-4, SHA-384",
        "subtle.digest({name: 'sha-384'}, utf8('abc').buffer)",
        "cb00753f45a35e8bb5a03d699ac65007272c32ab0eded1631a8b605a43ff5bed8086072ba1e7cc2358baeca134c825a7",
    ),
    (
        "FIPS 180-4, SHA-512",
        "subtle.digest('SHA-512', new DataView(utf8('xabcx').buffer, 1, 3))",
        "ddaf35a193617abacc417349ae20413112e6fa4e89a97ea20a9eeee64b55d39a"
        "2192992a274fc1a836ba3c23a3feebbd454d4423643ce80e2a9ac94fa54ca49f",
    ),
    (
        "RFC 4231, case 2",
        "subtle.sign('HMAC', await raw(utf8('Jefe'), {name: 'HMAC', hash: 'SHA-256'}, 'sign'),"
        " utf8('what do ya want for nothing?'))",
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843",
    ),
    (
        "RFC 5869, case 1",
        "subtle.deriveBits({name: 'HKDF', hash: 'SHA-256', salt: from('000102030405060708090a0b0c'),"
        " info: from('f0f1f2f3f4f5f6f7f8f9')},"
        " await subtle.importKey('raw', new Uint8Array(22).fill(11), 'HKDF', false, ['deriveBits']), 336)",
        "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865",
    ),
    (
        "RFC 6070, case 2",
        "subtle.deriveBits({name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 2},"
        " await subtle.importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits']), 160)",
        "ea6c014dc72d6f8ccd1ed92ace1d41f0d8de8957",
    ),
    (
        "RFC 6070, case 3",
        "subtle.deriveBits({name: 'PBKDF2', hash: 'SHA-1', salt: utf8('salt'), iterations: 4096},"
        " await subtle.importKey('raw', utf8('password'), 'PBKDF2', false, ['deriveBits']), 160)",
        "4b007901b765489abead49d926f721d065a429c1",
    ),
    (
        "RFC 3394, 4.1",
        "subtle.wrapKey('raw', await raw(from('00112233445566778899aabbccddeeff'), 'AES-GCM', 'encrypt'),"
        " await raw(from('000102030405060708090a0b0c0d0e0f'), 'AES-KW', 'wrapKey'), 'AES-KW')",
        "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5",
    ),
    (
        "SP 800-38A, F.5.1, two blocks",
        "subtle.encrypt({name: 'AES-CTR', counter: from('f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff'), length: 64},"
        " await raw(from('2b7e151628aed2a6abf7158809cf4f3c'), 'AES-CTR', 'encrypt'),"
        " from('6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51'))",
        "874d6191b620e3261bef6864990db6ce9806f66b7970fdff8617187bb9fffdff",
    ),
    (
        "SP 800-38A, F.2.1, one block",
        "subtle.encrypt({name: 'AES-CBC', iv: from('000102030405060708090a0b0c0d0e0f')},"
        " await raw(from('2b7e151628aed2a6abf7158809cf4f3c'), 'AES-CBC', 'encrypt'),"
        " from('6bc1bee22e409f96e93d7e117393172a')).then((data) => data.slice(0, 16))",
        "7649abac8119b246cee98e9b12e9197d",
    ),
    (
        "GCM, case 2",
        "subtle.encrypt({name: 'AES-GCM', iv: new Uint8Array(12)},"
        " await raw(new Uint8Array(16), 'AES-GCM', 'encrypt'), new Uint8Array(16))",
        "0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf",
    ),
    (
        "GCM, case 2, a short tag",
        "subtle.encrypt({name: 'AES-GCM', iv: new Uint8Array(12), tagLength: 32},"
        " await raw(new Uint8Array(16), 'AES-GCM', 'encrypt'), new Uint8Array(16))",
        "0388dace60b6a392f328c2b971b2fe78ab6e47d4",
    ),
    (
        "RFC 8032, 7.1, test 1",
        "subtle.sign('Ed25519', await subtle.importKey('jwk', {kty: 'OKP', crv: 'Ed25519',"
        " d: 'nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A', x: '11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo'},"
        " 'Ed25519', false, ['sign']), new Uint8Array(0))",
        "e5564300c360ac729086e2cc806e828a84877f1eb8e5d974d873e06522490155"
        "5fb8821590a33bacc61e39701cf9b46bd25bf5f0595bbe24655141438e7a100b",
    ),
]


@pytest.mark.parametrize(("code", "answer"), [row[1:] for row in ANSWERS], ids=[row[0] for row in ANSWERS])
def test_known_answers(box: Sandbox, code: str, answer: str) -> None:
    assert box.eval(f"hex(await {code})") == answer


def test_agreements_are_those_of_the_library(box: Sandbox) -> None:
    own, other = x25519.X25519PrivateKey.generate(), x25519.X25519PrivateKey.generate()
    data = own.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    code = """async (own, other) => {
      const mine = await subtle.importKey("pkcs8", own, "X25519", false, ["deriveBits", "deriveKey"]);
      const theirs = await subtle.importKey("raw", other, "X25519", true, []);
      const algorithm = {name: "X25519", public: theirs};
      const key = await subtle.deriveKey(algorithm, mine, {name: "AES-GCM", length: 128}, true, ["encrypt"]);
      return [
        await subtle.deriveBits(algorithm, mine, null), await subtle.deriveBits(algorithm, mine, 12),
        await subtle.exportKey("raw", key),
      ].map(hex);
    }"""
    whole, twelve, sixteen = box.call(box.eval(code), data, other.public_key().public_bytes_raw())
    secret = own.exchange(other.public_key())

    assert bytes.fromhex(whole) == secret
    assert bytes.fromhex(twelve) == bytes([secret[0], secret[1] & 0xF0])
    assert bytes.fromhex(sixteen) == secret[:16]


# Algorithm, usages of the keys, and the parameters of what is done with them.
CIPHERS = {
    "AES-CBC": ("{length: 256}", "{iv: new Uint8Array(16)}"),
    "AES-CTR": ("{length: 192}", "{counter: new Uint8Array(16).fill(255), length: 8}"),
    "AES-GCM": ("{length: 128}", "{iv: new Uint8Array(12), additionalData: utf8('more'), tagLength: 96}"),
    "RSA-OAEP": (
        "{modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-1'}",
        "{label: utf8('label')}",
    ),
}
SIGNATURES = {
    "HMAC": ("{hash: 'SHA-512'}", "{}"),
    "ECDSA": ("{namedCurve: 'P-384'}", "{hash: 'SHA-1'}"),
    "RSA-PSS": (
        "{modulusLength: 1024, publicExponent: new Uint8Array([3]), hash: 'SHA-256'}",
        "{saltLength: 20}",
    ),
    "RSASSA-PKCS1-v1_5": ("{modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-512'}", "{}"),
    "Ed25519": ("{}", "{}"),
    "Ed448": ("{}", "{}"),
}


@pytest.mark.parametrize("name", CIPHERS)
@pytest.mark.parametrize("size", [0, 1, 16, 47])
def test_what_is_encrypted_is_decrypted(box: Sandbox, name: str, size: int) -> None:
    made, used = CIPHERS[name]
    code = f"""
      const key = await subtle.generateKey({{name: "{name}", ...{made}}}, false, ["encrypt", "decrypt"]);
      const algorithm = {{name: "{name.lower()}", ...{used}}};
      const data = crypto.getRandomValues(new Uint8Array({size}));
      const encrypted = await subtle.encrypt(algorithm, key.publicKey ?? key, data);
      const decrypted = await subtle.decrypt(algorithm, key.privateKey ?? key, encrypted);
      const damaged = new Uint8Array(encrypted);
      damaged[damaged.length - 1] ^= 1;
      [hex(decrypted) === hex(data), await failure(subtle.decrypt(algorithm, key.privateKey ?? key, damaged))]
    """
    same, failed = box.eval(code)

    assert same
    assert failed == "DOMException OperationError" or name in ("AES-CTR", "AES-CBC")


@pytest.mark.parametrize("name", SIGNATURES)
def test_what_is_signed_is_verified(box: Sandbox, name: str) -> None:
    made, used = SIGNATURES[name]
    code = f"""
      const key = await subtle.generateKey({{name: "{name}", ...{made}}}, false, ["sign", "verify"]);
      const algorithm = {{name: "{name}", ...{used}}};
      const signature = await subtle.sign(algorithm, key.privateKey ?? key, utf8("data"));
      const verify = (of, data) => subtle.verify(algorithm, key.publicKey ?? key, of, utf8(data));
      const short = signature.slice(1);
      await Promise.all([verify(signature, "data"), verify(signature, "date"), verify(short, "data"), verify(new ArrayBuffer(0), "")])
    """  # noqa: E501 - a program
    assert box.eval(code) == [True, False, False, False]


FORMATS = [
    ("{name: 'AES-GCM', length: 256}", ["encrypt", "decrypt"], ["raw", "jwk"]),
    ("{name: 'HMAC', hash: 'SHA-384', length: 9}", ["sign", "verify"], ["raw", "jwk"]),
    ("{name: 'ECDSA', namedCurve: 'P-521'}", ["sign", "verify"], ["raw", "spki", "pkcs8", "jwk"]),
    ("{name: 'ECDH', namedCurve: 'P-256'}", ["deriveBits"], ["raw", "spki", "pkcs8", "jwk"]),
    ("{name: 'Ed25519'}", ["sign", "verify"], ["raw", "spki", "pkcs8", "jwk"]),
    ("{name: 'X448'}", ["deriveKey"], ["raw", "spki", "pkcs8", "jwk"]),
    (
        "{name: 'RSA-PSS', modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: 'SHA-256'}",
        ["sign", "verify"],
        ["spki", "pkcs8", "jwk"],
    ),
]


# A public key, and signatures by its private one whose first byte is zero.
MODULUS = (
    "4gLlgNvfmWgR1ycJVJgUxZVxxGiM96YTU_hX9jvQg2vd3OsBWy8kfN_o9Rn7CxfRyRC1OafCZAdpsAn2acPIZ-2gjYEiw_wpRu9f4KVlhMYaSzws97"
    "hGi3iAQuOfmcvsy1BFtjqgZpT8wN_QozDIKT1jv9p01FYhbZAmVY5vjqk"
)
LEADING_ZEROS = [
    (
        "RSA-PSS",
        "message 104",
        "AHINQq6XZ3FnHhuHlPgIOH4bZa7t7M2TfINhEdW554_lVvlsSlgVX2Js0UaVVvJfe3Vd75nh0XcjVEad-mWlzj7LXQuCtGAMF9P3x437QLcJ4CmKICu0"
        "7gyUSHzvB2NqlBSrWD0DsTuCXud_CWveJsiCT8Y74KMhDmol76ULt3U",
    ),
    (
        "RSASSA-PKCS1-v1_5",
        "message 382",
        "ABU6meaX1EBgQqOsuqIWpykLV_yLVkNkwu2NDMs6QS2lwqCJlBRa_n14J5RTB4kDOiLDywCxbgOq_92_uEu26Vu1YAsr34gYZ2hUHeSlfmkgRmZY12Rc"
        "6A_sDujuDoLuFqt0leu2dwpsR323pBYqv2a0vt_IsTP6zF3jzSJhtL8",
    ),
]


@pytest.mark.parametrize(("name", "data", "signature"), LEADING_ZEROS, ids=[row[0] for row in LEADING_ZEROS])
def test_a_signature_is_as_long_as_its_key(box: Sandbox, name: str, data: str, signature: str) -> None:
    code = """(async (name, n, data, signature) => {
      const key = await subtle.importKey("jwk", {kty: "RSA", n, e: "AQAB"}, {name, hash: "SHA-256"}, true, ["verify"]);
      const verify = (bytes) => subtle.verify({name, saltLength: 0}, key, bytes, utf8(data));
      return Promise.all([signature, signature.slice(1), Uint8Array.of(0, ...signature)].map(verify));
    })"""
    given = base64.urlsafe_b64decode(signature + "=")
    assert box.call(box.eval(code), name, MODULUS, data, given) == [True, False, False]


@pytest.mark.parametrize(("algorithm", "usages", "formats"), FORMATS, ids=[row[0][7:16] for row in FORMATS])
@pytest.mark.parametrize("wrapper", ["", "AES-GCM", "AES-CTR", "AES-KW"])
def test_what_is_exported_is_imported(
    box: Sandbox, algorithm: str, usages: list[str], formats: list[str], wrapper: str
) -> None:
    code = """async (algorithm, usages, formats, name) => {
      const made = await subtle.generateKey(algorithm, true, usages);
      const shown = (key) => JSON.stringify([key.type, key.extractable, key.algorithm, key.usages]);
      const wrap = name && await subtle.generateKey({name, length: 256}, false, ["wrapKey", "unwrapKey"]);
      const by = {name, iv: new Uint8Array(12), counter: new Uint8Array(16), length: 32};
      const wrong = [];
      for (const format of formats) {
        for (const key of made.privateKey ? [made.publicKey, made.privateKey] : [made]) {
          if (format === "pkcs8" ? key.type !== "private" : format !== "jwk" && key.type === "private") continue;
          const data = await subtle.exportKey(format, key);
          const bytes = format === "jwk" ? utf8(JSON.stringify(data)) : data;
          if (name === "AES-KW" && bytes.byteLength % 8 !== 0) continue;
          let back;
          if (name) {
            const wrapped = await subtle.wrapKey(format, key, wrap, by);
            back = await subtle.unwrapKey(format, wrapped, wrap, by, algorithm, true, key.usages);
          } else {
            back = await subtle.importKey(format, data, algorithm, true, key.usages);
          }
          const again = await subtle.exportKey(format, back);
          const same = format === "jwk" ? JSON.stringify(again) === JSON.stringify(data) : hex(again) === hex(data);
          if (!same || shown(back) !== shown(key)) wrong.push([format, shown(back), shown(key)]);
        }
      }
      return wrong;
    }"""
    assert box.eval(f"({code})({algorithm}, {usages}, {formats}, '{wrapper}')") == []


def test_what_is_unwrapped_need_not_be_extractable(box: Sandbox) -> None:
    code = """
      const wrap = await subtle.generateKey({name: "AES-GCM", length: 256}, false, ["wrapKey", "unwrapKey"]);
      const key = await subtle.generateKey({name: "AES-CBC", length: 128}, true, ["encrypt"]);
      const by = {name: "AES-GCM", iv: new Uint8Array(12)};
      const wrapped = await subtle.wrapKey("jwk", key, wrap, by);
      const back = await subtle.unwrapKey("jwk", wrapped, wrap, by, "AES-CBC", false, ["encrypt"]);
      [back.extractable, await failure(subtle.exportKey("raw", back)), await failure(subtle.wrapKey("raw", back, wrap, by))]
    """  # noqa: E501 - a program
    assert box.eval(code) == [False, "DOMException InvalidAccessError", "DOMException InvalidAccessError"]


def test_a_counter_begins_again_within_its_bits(box: Sandbox) -> None:
    code = """
      const key = await raw(new Uint8Array(16), "AES-CTR", "encrypt");
      const counter = new Uint8Array(16).fill(9);
      const of = (last, length, size) => subtle.encrypt(
        {name: "AES-CTR", counter: counter.with(15, last), length}, key, new Uint8Array(size));
      const around = hex(await of(0xff, 4, 32));
      [around === hex(await of(0xff, 4, 16)) + hex(await of(0xf0, 4, 16)), await failure(of(0, 1, 33))]
    """
    assert box.eval(code) == [True, "DOMException OperationError"]


FAILURES = [
    ("subtle.digest('MD5', utf8(''))", "DOMException NotSupportedError"),
    ("subtle.digest('\u017fha-1', utf8(''))", "DOMException NotSupportedError"),
    ("subtle.digest({}, utf8(''))", "TypeError TypeError"),
    ("subtle.digest(5, utf8(''))", "DOMException NotSupportedError"),
    ("subtle.digest('SHA-1', 'text')", "TypeError TypeError"),
    ("subtle.digest('SHA-1', new SharedArrayBuffer(5))", "TypeError TypeError"),
    ("subtle.digest('SHA-1', new Uint8Array(new ArrayBuffer(5, {maxByteLength: 9})))", "TypeError TypeError"),
    ("subtle.digest('SHA-1')", "TypeError TypeError"),
    ("subtle.digest.call({}, 'SHA-1', utf8(''))", "TypeError TypeError"),
    ("subtle.generateKey('AES-GCM', true, ['encrypt'])", "TypeError TypeError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 100}, true, ['encrypt'])", "DOMException OperationError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 65536}, true, ['encrypt'])", "TypeError TypeError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 128}, true, [])", "DOMException SyntaxError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 128}, true, ['sign'])", "DOMException SyntaxError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 128}, true, ['fly'])", "TypeError TypeError"),
    ("subtle.generateKey({name: 'AES-GCM', length: 128}, true, 5)", "TypeError TypeError"),
    ("subtle.generateKey({name: 'ECDSA', namedCurve: 'P-1'}, true, ['sign'])", "DOMException NotSupportedError"),
    ("subtle.generateKey('PBKDF2', true, ['deriveBits'])", "DOMException NotSupportedError"),
    ("subtle.generateKey({name: 'HMAC', hash: 'SHA-1', length: 0}, true, ['sign'])", "DOMException OperationError"),
    ("subtle.importKey('raw', utf8('x'), 'PBKDF2', true, ['deriveBits'])", "DOMException SyntaxError"),
    ("subtle.importKey('der', utf8('x'), 'PBKDF2', false, ['deriveBits'])", "TypeError TypeError"),
    ("subtle.importKey('raw', {}, 'PBKDF2', false, ['deriveBits'])", "TypeError TypeError"),
    ("subtle.importKey('jwk', utf8('x'), 'AES-GCM', false, ['encrypt'])", "TypeError TypeError"),
    ("subtle.importKey('jwk', 5, 'AES-GCM', false, ['encrypt'])", "TypeError TypeError"),
    ("subtle.importKey('jwk', null, 'AES-GCM', false, ['encrypt'])", "DOMException DataError"),
    ("subtle.importKey('raw', utf8('x'), 'AES-GCM', false, ['encrypt'])", "DOMException DataError"),
    ("subtle.importKey('raw', utf8('x'), 'HMAC', false, ['sign'])", "TypeError TypeError"),
    ("hmacOf({})", "TypeError TypeError"),
    ("hmacOf('HMAC')", "DOMException NotSupportedError"),
    ("subtle.exportKey('raw', {})", "TypeError TypeError"),
    ("subtle.exportKey('raw', Object.create(CryptoKey.prototype))", "TypeError TypeError"),
    ("subtle.exportKey('spki', await raw(new Uint8Array(16), 'AES-GCM', 'encrypt'))", "DOMException NotSupportedError"),
    ("subtle.encrypt('AES-KW', await aes('AES-KW', 'wrapKey'), utf8(''))", "DOMException NotSupportedError"),
    ("subtle.sign('HMAC', await aes('AES-GCM', 'encrypt'), utf8(''))", "DOMException InvalidAccessError"),
    ("subtle.sign({name: 'Ed448', context: utf8('x')}, ed448.privateKey, utf8(''))", "DOMException NotSupportedError"),
    ("subtle.encrypt(gcm(7), await aes('AES-GCM', 'encrypt'), utf8(''))", "DOMException OperationError"),
    ("subtle.deriveKey(hkdf, base, {name: 'HMAC', hash: 'SHA-1', length: 0}, true, ['sign'])", "TypeError TypeError"),
]  # fmt: skip


@pytest.mark.parametrize(("code", "failure"), FAILURES)
def test_failures(box: Sandbox, code: str, failure: str) -> None:
    assert box.eval(f"await failure({code})") == failure


JWK = "alg crv d dp dq e ext k key_ops kty n oth p q qi use x y"
# Programs, and what they look up.
ORDERS = [
    ("subtle.digest(see('a', {name: 'SHA-1'}), utf8('x'))", "a.name a.name"),
    (
        "hmacOf(see('h', {name: 'SHA-1'}))",
        "h.name h.name",
    ),
    (
        "subtle.importKey('raw', utf8('x'), see('a', {name: 'HMAC', hash: see('h', {name: 'SHA-1'})}), 1, ['sign'])",
        "a.name a.name a.hash a.length h.name h.name",
    ),
    (
        "subtle.encrypt(see('a', {name: 'AES-GCM', iv: new Uint8Array(12), tagLength: '128'}), key, utf8('x'))",
        "a.name a.name a.additionalData a.iv a.tagLength",
    ),
    (
        "subtle.wrapKey('raw', key, key, see('a', {name: 'AES-GCM', iv: new Uint8Array(12)}))",
        "a.name a.name a.name a.additionalData a.iv a.tagLength",
    ),
    (
        "subtle.importKey('jwk', see('k', jwk), see('a', {name: 'AES-GCM'}), 1, ['encrypt'])",
        " ".join(f"k.{name}" for name in JWK.split()) + " a.name a.name",
    ),
    ("subtle.digest(see('a', {name: 'MD5'}), utf8('x')).catch(() => 0)", "a.name"),
    ("subtle.digest(see('a', {name: 'SHA-1'}), 5).catch(() => 0)", ""),
]


@pytest.mark.parametrize(("code", "seen"), ORDERS)
def test_nothing_else_is_looked_up(box: Sandbox, code: str, seen: str) -> None:
    box.eval("""
      var seen = [];
      var see = (what, object) => new Proxy(object, {
        get(target, key) { seen.push(`${what}.${String(key)}`); return target[key]; },
        has() { seen.push("has"); }, ownKeys() { seen.push("keys"); }, getPrototypeOf() { seen.push("prototype"); },
        getOwnPropertyDescriptor() { seen.push("descriptor"); },
      });
      var key = await subtle.generateKey({name: "AES-GCM", length: 128}, true, ["encrypt", "wrapKey"]);
      var jwk = {kty: "oct", k: "A".repeat(22)};
    """)
    assert box.eval(f"await {code}; seen") == seen.split()


def test_bytes_are_those_after_the_arguments_were_read(box: Sandbox) -> None:
    code = """
      const data = utf8("abc");
      const first = subtle.digest({get name() { data[0] = 0x61; return "SHA-1"; }}, data);
      data.fill(0);
      const gone = utf8("abc");
      const transfer = () => gone.buffer.detached || gone.buffer.transfer();
      const second = subtle.digest({get name() { transfer(); return "SHA-1"; }}, gone);
      [hex(await first), hex(await second)]
    """
    assert box.eval(code) == [
        "a9993e364706816aba3e25717850c26c9cd0d89d",
        "da39a3ee5e6b4b0d3255bfef95601890afd80709",
    ]


def test_results_are_fresh(box: Sandbox) -> None:
    code = """
      const key = await raw(new Uint8Array(16), "AES-GCM", "encrypt");
      const first = await subtle.exportKey("raw", key);
      new Uint8Array(first).fill(255);
      const second = await subtle.exportKey("raw", key);
      [first instanceof ArrayBuffer, second.byteLength, hex(second), subtle.digest("SHA-1", first) instanceof Promise]
    """
    assert box.eval(code) == [True, 16, "00" * 16, True]


class TestCryptoKey:
    def test_its_attributes(self, box: Sandbox) -> None:
        code = """
          const {publicKey: key} = await subtle.generateKey({
            name: "rsa-pss", modulusLength: 1024, publicExponent: new Uint8Array([1, 0, 1]), hash: "sha-256",
          }, false, ["verify", "sign", "verify"]);
          const same = key.algorithm === key.algorithm && key.usages === key.usages;
          key.usages.push("sign");
          key.algorithm.name = "none";
          delete key.algorithm.hash;
          key.type = "private";
          const copy = structuredClone(key);
          [same, key.type, key.extractable, copy.usages, copy.algorithm, Object.keys(copy.algorithm)]
        """
        algorithm = {
            "name": "RSA-PSS",
            "modulusLength": 1024,
            "publicExponent": b"\1\0\1",
            "hash": {"name": "SHA-256"},
        }
        assert box.eval(code) == [True, "public", True, ["verify"], algorithm, list(algorithm)]

    @pytest.mark.parametrize("name", ["CryptoKey", "SubtleCrypto"])
    def test_nobody_makes_one(self, refused: Callable[[str], str], name: str) -> None:
        assert refused(f"new {name}()") == "TypeError TypeError: Illegal constructor"
        assert refused(f"{name}()").startswith("TypeError TypeError: ")

    def test_a_clone_is_as_good(self, box: Sandbox) -> None:
        code = """
          const key = await subtle.generateKey({name: "HMAC", hash: "SHA-1"}, false, ["sign"]);
          const { port1, port2 } = new MessageChannel();
          const sent = new Promise((resolve) => { port2.onmessage = ({ data }) => resolve(data.key); });
          port1.postMessage({ key });
          const all = [key, structuredClone([key])[0], await sent];
          port1.close();
          const signed = await Promise.all(all.map((each) => subtle.sign("HMAC", each, utf8("data")).then(hex)));
          [new Set(all).size, new Set(signed).size, all[2] instanceof CryptoKey]
        """
        assert box.eval(code) == [3, 1, True]

    def test_it_does_not_leave_the_sandbox(self, box: Sandbox) -> None:
        with pytest.raises(ConversionError, match=r"a CryptoKey; send what exportKey gives \(at \$\.key\)"):
            box.eval("({key: await subtle.generateKey({name: 'AES-GCM', length: 128}, true, ['encrypt'])})")

    def test_the_console_shows_it(self, logged: Callable[[str], list[str]], box: Sandbox) -> None:
        code = "console.log(await raw(new Uint8Array(16), {name: 'HMAC', hash: 'SHA-1'}, 'verify', 'sign'))"
        assert logged(code) == [
            "CryptoKey {\n  type: 'secret',\n  extractable: true,\n"
            "  algorithm: { name: 'HMAC', hash: { name: 'SHA-1' }, length: 128 },\n"
            "  usages: [ 'sign', 'verify' ]\n}"
        ]

    def test_its_secret_is_nowhere_in_the_guest(self, box: Sandbox) -> None:
        box.eval("globalThis.key = await subtle.generateKey({name: 'HMAC', hash: 'SHA-256'}, true, ['sign']); 0")
        code = "const b = new Uint8Array(await subtle.exportKey('raw', key)); const first = [...b]; b.fill(0); first"
        secret = bytes(box.eval(code))
        box.eval("0")
        instance = box._driver.guest.instance
        before = bytes(instance._memory[: instance.memory_bytes()]).count(secret[8:24])
        box.eval("for (let i = 0; i < 100; i++) await subtle.sign('HMAC', key, utf8('data')); 0")
        after = bytes(instance._memory[: instance.memory_bytes()]).count(secret[8:24])
        assert after <= before


def test_wrong_order_of_the_world(box: Sandbox) -> None:
    """What a program does to promises and prototypes changes nothing but what the standard says."""
    code = """
      Promise.prototype.then = Promise.resolve = () => { throw new Error("reached"); };
      Object.defineProperty(Promise, Symbol.species, { get() { throw new Error("reached"); } });
      const promise = subtle.digest("SHA-1", new Uint8Array(0));
      Object.getPrototypeOf(promise) === Promise.prototype
    """
    assert box.eval(code) is True
