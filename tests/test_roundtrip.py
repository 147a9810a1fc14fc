"""Values of any shape through the real guest and back: from Python, and from a generator that lives in the guest."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from sandbox import BigInt, JSError, JSMap, JSSet, Limits, RegExp, Sandbox, undefined
from sandbox.errors import ConversionError
from tests.shapes import guest_order, shape
from tests.strategies import graphs, keys, values

GRAPHS = (Path(__file__).parent / "guest" / "graphs.js").read_text("utf-8")


@pytest.fixture(scope="module")
def echo() -> Iterator[Callable[[object], Any]]:
    """A function of a guest that gives back what it is given."""
    with Sandbox() as box:
        yield box.eval("value => value")


@settings(max_examples=300)
@given(values)
@example(["\ud83d", "\udc00b", {"\ud800": "__proto__"}])
@example({"b": 1, "4294967294": 2, "4294967295": 3, "10": 4, "9": 5, "-1": 6, "01": 7, "a": 8})
@example({"b": 1, "2147483648": 2, "2147483647": 3})
@example(JSMap([(b"", 1), (b"x", 2), (2**53 + 0.0, 3), (BigInt(2**53), 4)]))
def test_values_come_back_as_they_went(echo: Callable[[object], Any], value: object) -> None:
    assert shape(echo(value)) == shape(value, as_guest_orders=True)


@pytest.mark.parametrize("odd", ["z", "\x7f", "\x80", "\xff", "\u0100", "\ud800", "\U0001f600"])
def test_short_texts_come_back_as_they_went(echo: Callable[[object], Any], odd: str) -> None:
    texts = ["".join(chr(97 + i % 26) for i in range(length)) for length in range(40)]
    texts += [text[:at] + odd + text[at + 1 :] for text in texts for at in range(len(text))]
    assert echo(texts) == texts
    assert list(echo(dict.fromkeys(texts, 1))) == list(dict.fromkeys(texts))


@pytest.mark.parametrize("length", [0, 1, 7, 8, 9, 30, 31, 32, 33])
def test_a_short_text_at_the_limit_of_a_message(length: int) -> None:
    text = "a" * length
    for room in range(-3, 4):
        with Sandbox(limits=Limits(message_bytes=1100 + room)) as box:
            box.eval(f"const texts = [...Array(10).fill('b'.repeat(99)), 'c'.repeat(64), '{text}']; 0")
            expected = ["b" * 99] * 10 + ["c" * 64, text]
            size = 1 + 1 + 10 * 101 + 66 + length + (2 if length >= 32 else 1)
            if size <= 1100 + room:
                assert box.eval("texts") == expected
            else:
                with pytest.raises(ConversionError, match="message_bytes limit"):
                    box.eval("texts")


@settings(max_examples=300)
@given(graphs())
def test_graphs_come_back_as_they_went(echo: Callable[[object], Any], value: object) -> None:
    assert shape(echo(value)) == shape(value, as_guest_orders=True)
    twice = echo([value, value])
    assert twice[0] is twice[1]


@given(st.dictionaries(keys, st.integers(0, 9), max_size=12))
def test_keys_come_in_the_order_of_the_guest(echo: Callable[[object], Any], value: dict[str, int]) -> None:
    assert list(echo(value)) == guest_order(value)


@pytest.mark.parametrize("bits", [63, 64, 65, 4096, (1 << 20) - 2])
def test_bigints_of_any_size_the_engine_has(echo: Callable[[object], Any], bits: int) -> None:
    for value in (BigInt(1 << bits), BigInt(-(1 << bits)), BigInt((1 << bits) - 1)):
        assert shape(echo(value)) == shape(value)


@pytest.mark.parametrize(
    "value",
    [[1 << (1 << 20)], [BigInt(-1 << (1 << 20))], [{}, BigInt(1 << (1 << 20))]],
    ids=["int", "BigInt", "general"],
)
def test_larger_ones_are_refused(echo: Callable[[object], Any], value: list[object]) -> None:
    with pytest.raises(ConversionError, match="bits") as caught:
        echo(value)

    assert caught.value.path == f"$[0][{len(value) - 1}]"


def test_errors_keep_their_stack(echo: Callable[[object], Any]) -> None:
    error = JSError("m", stack="    at f (main.js:1:2)\n", properties={"cause": JSError("c", stack="    at g\n")})

    back = echo(error)
    assert (back.stack, back.cause.stack) == (error.stack, error.cause.stack)


def test_what_is_too_deep_for_recursion_in_python_comes_back(echo: Callable[[object], Any]) -> None:
    value: Any = undefined
    for kind in (list, JSSet, JSMap, dict) * 110:
        value = {"k": value} if kind is dict else JSMap([("k", value)]) if kind is JSMap else kind([value])

    assert shape(echo(value)) == shape(value)


# --- from the guest ---------------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def graphs_of_the_guest() -> Iterator[Sandbox]:
    with Sandbox(functions={"echo": lambda value: value}) as box:
        box.eval(GRAPHS, filename="graphs.js")
        yield box


@pytest.mark.parametrize("seeds", [range(start, start + 100) for start in range(0, 600, 100)], ids=str)
def test_values_of_the_guest_come_back_as_they_went(graphs_of_the_guest: Sandbox, seeds: range) -> None:
    box = graphs_of_the_guest
    for seed in seeds:
        value = box.eval(f"var original = [make({seed})]; original")
        assert box.call("difference", value) is None, f"as an argument: [make({seed})]"
        assert box.eval("difference(echo(original))") is None, f"through a host function: [make({seed})]"


@pytest.mark.parametrize(
    ("left", "right", "path"),
    [
        ("[1, 2]", "[1, 3]", "$[1]"),
        ("[0]", "[-0]", "$[0]"),
        ("({a: 1, b: 2})", "({b: 2, a: 1})", "$"),
        ("(one => [one, one])({})", "[{}, {}]", "$[1]"),
        ("[[], []]", "(one => [one, one])([])", "$[1]"),
        ("new Map([[1, 'a']])", "new Map([[1, 'b']])", "$<value 0>"),
        ("new Set([1])", "new Set(['1'])", "$<0>"),
        ("new Error('a')", "new Error('b')", "$.message"),
        ("new RangeError('a')", "new TypeError('a')", "$"),
        ("new Date(1)", "new Date(2)", "$"),
        ("/a/g", "/a/i", "$"),
        ("new Int8Array([1])", "new Uint8Array([1])", "$"),
        ("new Int8Array([1])", "new Int8Array([2])", "$"),
        ("1", "1n", "$"),
        ("({a: null})", "({a: undefined})", "$.a"),
    ],
)
def test_the_comparison_in_the_guest_tells_values_apart(
    graphs_of_the_guest: Sandbox, left: str, right: str, path: str
) -> None:
    assert graphs_of_the_guest.eval(f"original = {left}; difference({right})") == path
    assert graphs_of_the_guest.eval("difference(original)") is None


def test_the_shape_tells_values_apart() -> None:
    shared: list[object] = []
    pairs: list[tuple[object, object]] = [
        ([shared, shared], [[], []]),
        (1, True),
        (1, 1.0),
        (0, -0.0),
        (BigInt(1), 1),
        (JSMap([(1, 2)]), {"1": 2}),
        ("1", 1),
        (undefined, None),
        (RegExp("a", ""), RegExp("a", "g")),
        ({"a": 1, "b": 2}, {"b": 2, "a": 1}),
        (JSSet([1]), JSSet([2])),
        (JSError("a"), JSError("a", properties={"b": 1})),
        (b"a", memoryview(b"a")),
    ]
    for left, right in pairs:
        assert shape(left) != shape(right)
