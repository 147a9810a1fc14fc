"""Hypothesis strategies for values that cross the boundary and come back as they went, to the type."""

from __future__ import annotations

import math
from array import array
from datetime import UTC
from typing import Any

from hypothesis import strategies as st

from sandbox.errors import JSError
from sandbox.values import BigInt, JSMap, JSSet, RegExp, undefined


def _as_number(value: float) -> float:
    """JavaScript has one type of numbers: whole ones, but for -0, are ints here."""
    is_int = value.is_integer() and abs(value) < 2**53 and (value or math.copysign(1, value) > 0)
    return int(value) if is_int else value


texts = st.text(st.characters(exclude_categories=[]), max_size=12).map(
    # Two halves of a pair become one character in the guest, as in every JavaScript string.
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
keys = st.one_of(
    texts,
    st.integers(-2, 2**33).map(str),
    st.sampled_from(["__proto__", "constructor", "toString", "length", "then", "toJSON", "0", "00", "1e3", ""]),
)
numbers = st.one_of(st.integers(-(2**53) + 1, 2**53 - 1), st.floats().map(_as_number))
bigints = st.one_of(
    st.integers(),
    st.builds(
        lambda bits, near, sign: sign * ((1 << bits) + near),
        st.integers(0, 4096),
        st.integers(-2, 2),
        st.sampled_from([1, -1]),
    ),
).map(BigInt)
moments = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
patterns = st.builds(
    RegExp,
    st.sampled_from(["", "a+", "[/]", "(?<n>x)\\k<n>", "\\u{1F600}", "\n", "/"]),
    st.lists(st.sampled_from("dgimsy"), unique=True).map("".join),
)
primitives = st.one_of(st.none(), st.just(undefined), st.booleans(), numbers, bigints, texts)
scalars = st.one_of(primitives, st.binary(max_size=12), moments, patterns)
# A Map has one key for both zeros.
map_keys = scalars.map(lambda key: 0 if isinstance(key, float) and key == 0 else key)


@st.composite
def views(draw: st.DrawFn) -> memoryview[Any]:
    """Elements of every type that a memoryview and a typed array have in common."""
    code = draw(st.sampled_from("bhHiIqQfd"))
    wide = st.floats(width=32) if code == "f" else st.floats()
    whole = st.integers(0, 127)
    return memoryview(array(code, draw(st.lists(wide if code in "fd" else whole, max_size=5))))


ERROR_CLASSES = [
    *("Error", "EvalError", "RangeError", "ReferenceError", "SyntaxError", "TypeError", "URIError", "InternalError"),
    *("AggregateError", "DOMException"),
]
property_keys = keys.filter(lambda key: key not in ("name", "message", "stack", "cause", "errors", "length", "code"))


@st.composite
def errors(draw: st.DrawFn, inner: st.SearchStrategy[Any]) -> JSError:
    """An Error with its own properties; the two that are not enumerable come last."""
    kind = draw(st.sampled_from(ERROR_CLASSES))
    properties = draw(st.dictionaries(property_keys, inner, max_size=3))
    if draw(st.booleans()):
        properties["cause"] = draw(inner)
    if kind == "AggregateError":
        properties["errors"] = draw(st.lists(inner, max_size=3))
    return JSError(draw(texts), name=draw(st.one_of(st.just(kind), texts)), js_class=kind, properties=properties)


values = st.recursive(
    st.one_of(scalars, views()),
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(keys, inner, max_size=5),
        st.lists(st.tuples(st.one_of(map_keys, inner.map(lambda item: [item])), inner), max_size=4).map(JSMap),
        st.lists(st.one_of(map_keys, inner.map(lambda item: [item])), max_size=4).map(JSSet),
        errors(inner),
    ),
    max_leaves=25,
)


containers = st.sampled_from([list, dict, JSMap, JSSet, JSError])


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """Containers that hold each other in any way, cycles included; the first one is the value."""
    nodes = [kind() for kind in draw(st.lists(containers, min_size=1, max_size=8))]
    edges = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1), st.integers(0, 3))
    for index, (source, target, key) in enumerate(draw(st.lists(edges, max_size=20))):
        node: Any = nodes[source]
        match node:
            case list():
                node += [nodes[target], index]
            case JSMap():
                node[nodes[key % len(nodes)]] = nodes[target]
            case JSSet():
                node.add(nodes[target])
            case JSError():
                node.properties[f"k{key}"] = nodes[target]
            case _:
                node[f"k{key}"] = nodes[target]
    return nodes[0]
