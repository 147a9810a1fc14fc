"""Random bytes: from the operating system or from a seed, a bounded number of them."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import JSError, Sandbox
from sandbox.capabilities import Random


@pytest.mark.parametrize("count", [0, 1, 16, 65_536])
def test_so_many_bytes(count: int) -> None:
    for source in (Random(), Random(seed=1)):
        drawn = source.handlers()["fill"](count)
        assert isinstance(drawn, bytes)
        assert len(drawn) == count


@pytest.mark.parametrize("count", [-1, 65_537, 1.0, "1", None, True])
def test_what_is_no_count(count: Any) -> None:
    with pytest.raises(ValueError, match="between 0 and 65536"):
        Random().handlers()["fill"](count)


def test_a_seed_repeats() -> None:
    def draw(seed: int | None) -> bytes:
        fill: Any = Random(seed).handlers()["fill"]
        return bytes(fill(8) + fill(8))

    assert draw(7) == draw(7)
    assert draw(7) != draw(8)
    assert draw(None) != draw(None)


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("crypto.getRandomValues(new Uint8Array(4)).length", 4),
        ("crypto.getRandomValues(new BigUint64Array(2)).length", 2),
        ("/^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/.test(crypto.randomUUID())", True),
        ("crypto.randomUUID() === crypto.randomUUID()", False),
        ("new Set(Array.from({length: 20}, () => Math.random())).size", 20),
    ],
)
def test_in_the_guest(code: str, value: Any) -> None:
    with Sandbox() as box:
        assert box.eval(code) == value


@pytest.mark.parametrize(
    ("code", "name"),
    [
        ("crypto.getRandomValues(new Uint8Array(65537))", "QuotaExceededError"),
        ("crypto.getRandomValues(new Float32Array(1))", "TypeMismatchError"),
        ("crypto.getRandomValues([])", "TypeError"),
    ],
)
def test_refusals(code: str, name: str) -> None:
    with Sandbox() as box:
        with pytest.raises(JSError) as caught:
            box.eval(code)
        assert caught.value.name == name
