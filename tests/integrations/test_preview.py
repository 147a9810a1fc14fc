"""Values as JSON of bounded size: the structure stays valid, whatever the guest made of it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from sandbox import Sandbox
from sandbox.integrations._preview import preview

VALUES: dict[str, tuple[str, Any]] = {
    "plain": ("[1, 1.5, true, null, 'x']", [1, 1.5, True, None, "x"]),
    "undefined": ("undefined", None),
    "not finite": ("[NaN, Infinity]", ["nan", "inf"]),
    "bigint": ("10n", "10n"),
    "date": ("new Date(0)", "1970-01-01T00:00:00+00:00"),
    "bytes": ("new Uint8Array(3)", "[3 bytes]"),
    "map": ("new Map([[1, {a: 2}]])", [[1, {"a": 2}]]),
    "set": ("new Set([1, 'a'])", [1, "a"]),
    "function": ("[function f() {}, () => 1]", ["[function f]", "[function (anonymous)]"]),
    "error": ("new TypeError('no')", "TypeError: no"),
    "regexp": ("[/a/]", ["[RegExp]"]),
    "half a pair": ("'a\\ud83d'", "a?"),
}
LONG = {
    "text": "'x'.repeat(1e6)",
    "wide text": "'\\u20ac'.repeat(1e5)",
    "list": "Array.from({length: 1e5}, (_, i) => i)",
    "object": "Object.fromEntries(Array.from({length: 1e4}, (_, i) => ['key' + i, i]))",
    "keys": "({['k'.repeat(1e6)]: 1, b: 2})",
    "deep": "let d = 1; for (let i = 0; i < 400; i++) d = [d]; d",
    "shared": "let s = [1]; for (let i = 0; i < 60; i++) s = [s, s]; s",
    "cycle": "const c = {}; c.c = c; c",
}


@pytest.mark.parametrize(("code", "wanted"), VALUES.values(), ids=VALUES)
def test_values(code: str, wanted: object) -> None:
    with Sandbox() as box:
        assert preview(box.eval(code), 1000) == (wanted, False)


@pytest.mark.parametrize("max_bytes", [100, 1000, 16_000])
@pytest.mark.parametrize("code", LONG.values(), ids=LONG)
def test_what_is_long_is_cut_and_valid(code: str, max_bytes: int) -> None:
    with Sandbox() as box:
        shown, is_cut = preview(box.eval(code), max_bytes)
    assert is_cut
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False)
    assert json.loads(text) == shown
    assert len(text.encode()) < 2 * max_bytes + 200


def test_what_is_left_out_is_told() -> None:
    assert preview(list(range(100)), 100)[0][-1] == "… 90 more"
    assert preview({f"k{i}": "x" * 20 for i in range(10)}, 100)[0]["…"] == "6 more"
    assert preview("x" * 200, 100) == ("x" * 100 + "…", True)
