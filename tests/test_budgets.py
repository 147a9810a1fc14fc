"""The budgets of one message, at the limit and one beyond it, both ways, with the path of what was too much."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given

from sandbox import JSError, JSMap, JSSet, Limits, Sandbox
from sandbox.errors import ConversionError
from tests.fake_owner import codec
from tests.shapes import shape
from tests.strategies import values


def refusal_of_the_host(limits: dict[str, int], value: object) -> ConversionError:
    with pytest.raises(ConversionError) as caught:
        codec(**limits).encode(value)
    return caught.value


def deep(kind: Any, depth: int) -> Any:
    """Containers inside each other; the innermost one is empty."""
    value = kind()
    for _ in range(depth - 1):
        outer = kind()
        match outer:
            case list():
                outer.append(value)
            case JSSet():
                outer.add(value)
            case JSError():
                outer.properties["k"] = value
            case _:
                outer["k"] = value
        value = outer
    return value


HOST: list[tuple[dict[str, int], object, object, str]] = [
    ({"max_nodes": 10}, [0] * 9, [0] * 10, "$"),
    ({"max_nodes": 10}, [[0] * 8], [[0] * 9], "$[0]"),
    ({"max_nodes": 10}, dict.fromkeys("abcdefghi"), dict.fromkeys("abcdefghij"), "$"),
    ({"max_nodes": 9}, JSMap([(i, i) for i in range(4)]), JSMap([(i, i) for i in range(5)]), "$"),
    ({"max_nodes": 9}, {"s": set(range(7))}, {"s": set(range(8))}, "$.s"),
    ({"max_nodes": 9}, JSError(properties={"p": [0] * 7}), JSError(properties={"p": [0] * 8}), "$.p"),
    ({"max_depth": 5}, deep(list, 5), deep(list, 6), "$[0][0][0][0][0]"),
    ({"max_depth": 5}, deep(dict, 5), deep(dict, 6), "$.k.k.k.k.k"),
    ({"max_depth": 5}, deep(JSMap, 5), deep(JSMap, 6), "$[0][0][0][0][0]"),
    ({"max_depth": 5}, deep(JSSet, 5), deep(JSSet, 6), "$[0][0][0][0][0]"),
    ({"max_depth": 5}, deep(JSError, 5), deep(JSError, 6), "$.k.k.k.k.k"),
    ({"max_depth": 1}, [b"", 1], [[]], "$[0]"),
    ({"message_bytes": 100}, "x" * 97, "x" * 98, "$"),
    ({"message_bytes": 100}, b"x" * 97, b"x" * 98, "$"),
    ({"message_bytes": 100}, ["x" * 40, "x" * 54], ["x" * 40, "x" * 55], "$"),
    ({"message_bytes": 100}, {"k": ["x" * 40], "b": b"x" * 49}, {"k": ["x" * 40], "b": b"x" * 50}, "$.b"),
]


@pytest.mark.parametrize(("limits", "within", "beyond", "path"), HOST)
def test_values_of_the_host(limits: dict[str, int], within: object, beyond: object, path: str) -> None:
    (name,) = limits

    message = codec(**limits).encode(within)
    assert len(message) == limits.get("message_bytes", len(message))
    refusal = refusal_of_the_host(limits, beyond)
    assert (refusal.path, name in refusal.reason) == (path, True)


GUEST: list[tuple[dict[str, int], str, str, str]] = [
    ({"max_nodes": 10}, "Array(9).fill(0)", "Array(10).fill(0)", "$[9]"),
    ({"max_nodes": 10}, "Array(9)", "Array(10)", "$[9]"),
    ({"max_nodes": 10}, "Array(9)", "Array(5000)", "$"),
    ({"max_nodes": 10}, "[Array(8).fill(0)]", "[Array(9).fill(0)]", "$[0][8]"),
    ({"max_nodes": 10}, "new Proxy(Array(9), {})", "new Proxy(Array(10), {})", "$[9]"),
    ({"max_nodes": 3}, "({a: 1, b: 2})", "({a: 1, b: 2, c: 3})", "$.c"),
    ({"max_nodes": 5}, "new Map([[1, 2], [3, 4]])", "new Map([[1, 2], [3, 4], [5, 6]])", "$[2]"),
    ({"max_nodes": 5}, "({s: new Set([1, 2, 3])})", "({s: new Set([1, 2, 3, 4])})", "$.s[3]"),
    ({"max_nodes": 3}, "Object.assign(Error(), {a: 1, b: 2})", "Object.assign(Error(), {a: 1, b: 2, c: 3})", "$.c"),
    ({"max_depth": 3}, "[[[]]]", "[[[[]]]]", "$[0][0][0]"),
    ({"max_depth": 3}, "({a: {a: {}}})", "({a: {a: {a: {}}}})", "$.a.a.a"),
    ({"max_depth": 3}, "new Map([[{a: {}}, 1]])", "new Map([[{a: [{}]}, 1]])", "$[0].a[0]"),
    ({"max_depth": 3}, "new Set([new Set([[]])])", "new Set([new Set([[[]]])])", "$[0][0][0]"),
    ({"max_depth": 2}, "Error('', {cause: {}})", "Error('', {cause: {a: {}}})", "$.cause.a"),
    ({"message_bytes": 1000}, "'x'.repeat(996)", "'x'.repeat(997)", "$"),
    ({"message_bytes": 1000}, "'\\u5b57'.repeat(332)", "'\\u5b57'.repeat(333)", "$"),
    ({"message_bytes": 1000}, "new Uint8Array(994)", "new Uint8Array(995)", "$"),
    ({"message_bytes": 1000}, "new ArrayBuffer(993)", "new ArrayBuffer(994)", "$"),
    ({"message_bytes": 1000}, "new Int8Array(992)", "new Int8Array(993)", "$"),
    ({"message_bytes": 1000}, "1n << 7934n", "1n << 7935n", "$"),
    ({"message_bytes": 1000}, "[0, 'x'.repeat(994)]", "[0, {a: 'x'.repeat(993)}]", "$[1].a"),
]


@pytest.mark.parametrize(("limits", "within", "beyond", "path"), GUEST)
def test_values_of_the_guest(limits: dict[str, int], within: str, beyond: str, path: str) -> None:
    (name,) = limits
    with Sandbox(limits=Limits(**limits)) as box:  # type: ignore[arg-type]
        box.eval(within)
        with pytest.raises(ConversionError, match=name) as caught:
            box.eval(beyond)
        assert caught.value.path == path
        assert box.eval("1 + 1") == 2


@given(values)
def test_every_member_counts(value: object) -> None:
    """An object met again is a reference, which is one more value."""
    count = 1 + sum(_members(node) for node in shape(value)[1:])

    assert codec(max_nodes=count).encode(value)
    assume(count > 1)
    assert "max_nodes" in refusal_of_the_host({"max_nodes": count - 1}, value).reason


def _members(node: Any) -> int:
    kind, *members = node
    if kind == "JSMap":
        return 2 * len(members)
    return {"JSError": len(members) - 3, "memoryview": 0}.get(kind, len(members))


@pytest.mark.parametrize("length", [10, 11])
def test_long_paths_show_both_ends(length: int) -> None:
    keys = [f"key{number}" for number in range(4 * length)]
    for source in ("host", "guest"):
        path = _refused_path(source, keys)
        first, last = (f".{key}" for key in (keys[0], keys[-1]))
        assert path.startswith("$" + first)
        assert path.endswith(last)
        assert path.count(".") == 40
        assert ("…" in path) is (len(keys) > 40)


def _refused_path(source: str, keys: list[str]) -> str:
    if source == "host":
        value: object = object()
        for key in reversed(keys):
            value = {key: value}
        return refusal_of_the_host({}, value).path
    with Sandbox() as box, pytest.raises(ConversionError) as caught:
        box.eval("".join(f"({{{key}: " for key in keys) + "Symbol()" + "})" * len(keys))
    return caught.value.path


@pytest.mark.parametrize(
    "key", ["odd key", "it's", 'say "it\'s"', "\n\t\\", "", "\x01", "字" * 65, "x" * 65, "a.b", "0x"]
)
def test_both_sides_write_keys_alike(key: str) -> None:
    with Sandbox(globals={"key": key}) as box, pytest.raises(ConversionError) as caught:
        box.eval("({[key]: Symbol()})")

    assert caught.value.path == refusal_of_the_host({}, {key: object()}).path


@pytest.mark.parametrize(("budget", "fits"), [(5003, True), (5002, False)])
def test_holes_of_a_sparse_array_are_values(budget: int, fits: bool) -> None:
    code = "const a = []; a[0] = 1; a[4999] = 2; [a, 3]"
    with Sandbox(limits=Limits(max_nodes=budget)) as box:
        if fits:
            (value, last) = box.eval(code)
            assert (len(value), value[0], value[4999], last) == (5000, 1, 2, 3)
        else:
            with pytest.raises(ConversionError, match="max_nodes"):
                box.eval(code)
        assert box.eval("1 + 1") == 2
