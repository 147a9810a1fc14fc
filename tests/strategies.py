"""Hypothesis strategies for values that cross the boundary."""

from __future__ import annotations

from datetime import UTC
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st

from sandbox.values import BigInt, JSMap, JSSet, undefined

# The same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("deterministic", deadline=None, derandomize=True)
settings.load_profile("deterministic")

texts = st.text(st.characters(exclude_categories=[]), max_size=12).map(
    # Two halves of a pair become one character in the guest, as in every JavaScript string.
    lambda text: text.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
)
moments = st.datetimes(timezones=st.just(UTC)).map(
    lambda moment: moment.replace(microsecond=moment.microsecond // 1000 * 1000)
)
scalars = st.one_of(
    st.none(),
    st.just(undefined),
    st.booleans(),
    st.integers(-(2**53) + 1, 2**53 - 1),
    st.floats(),
    texts,
    st.binary(max_size=12),
    st.integers().map(BigInt),
    moments,
)
keys = st.one_of(st.booleans(), st.integers(-5, 5), texts, st.integers().map(BigInt))
values = st.recursive(
    scalars,
    lambda inner: st.one_of(
        st.lists(inner, max_size=5),
        st.dictionaries(texts, inner, max_size=5),
        st.lists(st.tuples(keys, inner), max_size=4).map(JSMap),
        st.lists(keys, max_size=4).map(JSSet),
    ),
    max_leaves=25,
)

containers = st.sampled_from([list, dict, JSMap, JSSet])


@st.composite
def graphs(draw: st.DrawFn) -> Any:
    """Containers that hold each other in any way, cycles included; the first one is the value."""
    nodes = [kind() for kind in draw(st.lists(containers, min_size=1, max_size=8))]
    edges = st.tuples(st.integers(0, len(nodes) - 1), st.integers(0, len(nodes) - 1), st.integers(0, 3))
    for index, (source, target, key) in enumerate(draw(st.lists(edges, max_size=20))):
        node: Any = nodes[source]
        match node:
            case list():
                node.append(nodes[target])
            case JSMap():
                node[nodes[key % len(nodes)]] = nodes[target]
            case JSSet():
                node.add(nodes[target])
            case _:
                node[f"k{key}"] = nodes[target]
        if isinstance(node, list):
            node.append(index)
    return nodes[0]
