"""crypto: formats, quotas, and repeatability with a seed."""

from __future__ import annotations

import re
from collections.abc import Callable

import pytest

from sandbox import Sandbox

UUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}")
INTEGERS = [
    "Int8Array", "Uint8Array", "Uint8ClampedArray", "Int16Array", "Uint16Array", "Int32Array", "Uint32Array",
    "BigInt64Array", "BigUint64Array",
]  # fmt: skip


@pytest.mark.parametrize("kind", INTEGERS)
def test_integer_arrays_are_filled(box: Sandbox, kind: str) -> None:
    code = f"const a = new {kind}(8); [crypto.getRandomValues(a) === a, new Set(a).size, a.length]"

    same, distinct, length = box.eval(code)
    assert same and distinct > 4 and length == 8


def test_only_the_view_is_filled(box: Sandbox) -> None:
    code = "const b = new Uint8Array(64); crypto.getRandomValues(b.subarray(16, 48)); [...b]"
    filled = box.eval(code)

    assert not any(filled[:16]) and not any(filled[48:])
    assert len(set(filled[16:48])) > 16


def test_an_array_may_be_of_a_subclass_or_empty(box: Sandbox) -> None:
    assert box.eval("crypto.getRandomValues(new (class extends Uint8Array {})(32)).some(Boolean)") is True
    assert box.eval("crypto.getRandomValues(new Uint8Array(0)).length") == 0


@pytest.mark.parametrize(
    ("argument", "failure"),
    [
        ("new Float16Array(1)", "DOMException TypeMismatchError: "),
        ("new Float32Array(1)", "DOMException TypeMismatchError: "),
        ("new Float64Array(1)", "DOMException TypeMismatchError: "),
        ("new DataView(new ArrayBuffer(1))", "DOMException TypeMismatchError: "),
        ("new Uint8Array(65_537)", "DOMException QuotaExceededError: "),
        ("new Uint32Array(16_385)", "DOMException QuotaExceededError: "),
        ("new ArrayBuffer(1)", "TypeError TypeError: "),
        ("[1]", "TypeError TypeError: "),
        ("null", "TypeError TypeError: "),
        ("undefined", "TypeError TypeError: "),
        ("new Proxy(new Uint8Array(1), {})", "TypeError TypeError: "),
        ("", "TypeError TypeError: Failed to execute 'getRandomValues' on 'Crypto': 1 argument required"),
    ],
)
def test_refused_arrays(refused: Callable[[str], str], argument: str, failure: str) -> None:
    assert refused(f"crypto.getRandomValues({argument})").startswith(failure)


def test_the_quota_itself_may_be_used(box: Sandbox) -> None:
    assert box.eval("new Set(crypto.getRandomValues(new Uint8Array(65_536))).size") == 256


def test_uuids(box: Sandbox) -> None:
    uuids = box.eval("Array.from({ length: 100 }, () => crypto.randomUUID())")

    assert all(UUID.fullmatch(uuid) for uuid in uuids)
    assert len(set(uuids)) == 100
    assert {uuid[19] for uuid in uuids} == set("89ab")


DRAW = "[crypto.randomUUID(), ...crypto.getRandomValues(new Uint32Array(4)), Math.random(), crypto.randomUUID()]"


def _draw(seed: int | None) -> object:
    with Sandbox(seed=seed) as box:
        return box.eval(DRAW)


def test_a_seed_repeats_everything() -> None:
    assert _draw(7) == _draw(7)
    assert _draw(7) != _draw(8)


def test_without_a_seed_nothing_repeats() -> None:
    first, second = _draw(None), _draw(None)

    assert isinstance(first, list) and isinstance(second, list)
    assert not set(first) & set(second)
