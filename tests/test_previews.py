"""Previews: text of bounded length that is valid, whatever the value."""

from __future__ import annotations

import json
import math
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import BigInt, JSMap, JSSet, RegExp, Sandbox, preview, undefined
from sandbox.previews import Style, bounded, json_ready, type_name

STYLES: tuple[Style, ...] = ("json", "js")
texts = st.text(max_size=80) | st.text(alphabet='\ud800\udc00é😀\\"\n\u2028', max_size=30)
leaves = st.none() | st.booleans() | st.integers() | st.floats() | texts
values = st.recursive(leaves, lambda each: st.lists(each) | st.dictionaries(texts, each), max_leaves=60)


@given(values, st.integers(64, 2_000))
@settings(max_examples=100)
def test_json_is_bounded_and_valid(value: Any, max_bytes: int) -> None:
    text = preview(value, max_bytes=max_bytes)
    assert len(text.encode("utf-8")) <= max_bytes
    json.loads(text)


@given(values)
@settings(max_examples=60)
def test_what_fits_is_whole(value: Any) -> None:
    text = preview(value, max_bytes=1_000_000)
    assert text == preview(value, max_bytes=max(len(text.encode("utf-8")), 64))
    assert json.loads(text) == json.loads(json.dumps(json_ready(value)))  # where surrogates that are a pair become one


@given(values, st.integers(64, 2_000))
@settings(max_examples=60)
def test_bounded_data_can_be_written_and_says_whether_it_is_whole(value: Any, max_bytes: int) -> None:
    shown, is_cut = bounded(value, max_bytes=max_bytes)
    text = json.dumps(shown, ensure_ascii=False, allow_nan=False)
    assert len(text.encode()) <= max_bytes
    assert is_cut is (shown != bounded(value, max_bytes=1_000_000)[0])


LONG = {
    "text": "'x'.repeat(1e6)",
    "list": "Array.from({length: 1e5}, (_, i) => i)",
    "keys": "({['k'.repeat(1e6)]: 1, b: 2})",
    "deep": "let d = 1; for (let i = 0; i < 400; i++) d = [d]; d",
    "shared": "let s = [1]; for (let i = 0; i < 60; i++) s = [s, s]; s",
    "cycle": "const c = {}; c.c = c; c",
}


@pytest.mark.parametrize("code", LONG.values(), ids=LONG)
def test_bounded_values_of_a_guest(code: str) -> None:
    with Sandbox() as box:
        shown, is_cut = bounded(box.eval(code), max_bytes=1_000)
    assert is_cut
    assert len(json.dumps(shown, ensure_ascii=False).encode()) <= 1_000


def test_javascript_is_bounded_and_valid() -> None:
    with Sandbox() as box:

        @given(values, st.integers(64, 1_000))
        @settings(max_examples=100)
        def check(value: Any, max_bytes: int) -> None:
            text = preview(value, max_bytes=max_bytes, style="js")
            assert len(text.encode("utf-8")) <= max_bytes
            box.eval(f"({text}\n)")

        check()


SHAPES: dict[str, tuple[Any, str, str]] = {
    "undefined": (undefined, "null", "undefined"),
    "NaN": (math.nan, '"NaN"', "NaN"),
    "-Infinity": (-math.inf, '"-Infinity"', "-Infinity"),
    "-0": (-0.0, "-0.0", "-0"),
    "bigint": (BigInt(12), '"12n"', "12n"),
    "date": (datetime(1970, 1, 1, tzinfo=UTC), '"1970-01-01T00:00:00.000Z"', 'new Date("1970-01-01T00:00:00.000Z")'),
    "regexp": (RegExp("a/b", "g"), '"/a/b/g"', "/a/b/g"),
    "map": (JSMap([(1, {"a": 2})]), '[[1, {"a": 2}]]', "new Map([[1, {a: 2}]])"),
    "set": (JSSet([1, "x"]), '[1, "x"]', 'new Set([1, "x"])'),
    "bytes": (b"abc", '"<Uint8Array of 3 bytes>"', "undefined /* Uint8Array of 3 bytes */"),
    "keys": ({"a b": 1, "c": 2}, '{"a b": 1, "c": 2}', '{"a b": 1, c: 2}'),
    "surrogates": ("\ud800", '"\\ud800"', '"\\ud800"'),
}


@pytest.mark.parametrize(("value", "as_json", "as_js"), SHAPES.values(), ids=SHAPES)
def test_shapes(value: Any, as_json: str, as_js: str) -> None:
    assert (preview(value), preview(value, style="js")) == (as_json, as_js)


CUT: dict[str, tuple[Any, int, str, str]] = {
    "text": ("x" * 1000, 64, f'"{"x" * 31}… (969 more characters)"', f'"{"x" * 24}" /* 976 more characters */'),
    "array": (
        list(range(1000)),
        64,
        '[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, "… 990 more items"]',
        "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10 /* … 989 more items */]",
    ),
}


@pytest.mark.parametrize(("value", "max_bytes", "as_json", "as_js"), CUT.values(), ids=CUT)
def test_what_is_left_out_is_said(value: Any, max_bytes: int, as_json: str, as_js: str) -> None:
    for text, style in zip((as_json, as_js), STYLES, strict=True):
        shown = preview(value, max_bytes=max_bytes, style=style)
        assert len(shown.encode()) <= max_bytes
        assert "more" in shown
        assert shown[:6] == text[:6] or not text


def test_small_parts_leave_their_room_to_others() -> None:
    shown = json.loads(preview({"a": "x" * 500, "b": 1, "c": [True]}, max_bytes=200))
    assert (shown["b"], shown["c"]) == (1, [True])
    assert len(shown["a"]) > 80


def test_values_without_end() -> None:
    circle: list[Any] = [1]
    circle.append(circle)
    wide: Any = []
    for _ in range(40):
        wide = [wide, wide]
    deep: Any = []
    for _ in range(5_000):
        deep = [deep]
    for value in (circle, wide, deep):
        for style in STYLES:
            assert len(preview(value, max_bytes=300, style=style).encode()) <= 300
    assert json_ready(circle) == [1, "<circular>"]


def test_types() -> None:
    with Sandbox() as box:
        told = box.eval(
            "[null, undefined, true, 1, 1n, 'x', [], {}, new Map, new Set, new Uint8Array, new Float32Array,"
            " new Date, /a/, () => 1, Promise.resolve(), new RangeError('x'), [].values(), new URL('a:b')]"
        )
        names = "null undefined boolean number bigint string Array Object Map Set Uint8Array TypedArray Date RegExp"
        names += " function Promise RangeError Iterator URL"
        assert [type_name(each) for each in told] == names.split()


@pytest.mark.parametrize(
    ("arguments", "kind"),
    [({"max_bytes": 63}, ValueError), ({"max_bytes": 1.5}, TypeError), ({"style": "xml"}, ValueError)],
    ids=str,
)
def test_wrong_arguments(arguments: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind):
        preview(1, **arguments)
