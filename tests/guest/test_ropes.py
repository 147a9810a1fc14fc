"""A long text that was put together piece by piece is the text that it would be in one piece.

Inside the engine it is of a kind of its own until somebody looks at its characters.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import Sandbox

_TEXTS = """
const pieces = (...all) => { let made = all[0]; for (const one of all.slice(1)) made += one; return made };
const whole = text => JSON.parse(JSON.stringify(text));
const a = 'x'.repeat(9000), b = 'y\\u00ff'.repeat(4500), c = '\\u4e00'.repeat(9000), d = '1'.repeat(9000), e = '2'.repeat(9000);
const W = whole(pieces(a, b, c)), D = whole(pieces(d, e));
"""

# P is put together and W the same in one piece; so are Q and D, of digits.
EXPRESSIONS = [
    "P == W", "W == P", "P != W", "P === W", "Object.is(P, W)", "P == pieces(a + b, c)", "P == Object(W)", "Object(P) == W", "P == a",
    "Q == D", "Q == BigInt(Q)", "BigInt(Q) == Q", "BigInt(D) < Q", "BigInt(D) <= Q", "Q >= BigInt(D)", "Q < BigInt(D) + 1n", "P < 1n",
    "1n > P", "P == 1n", "Q == 1e300", "Q < 1e300", "+Q", "P < W", "P <= W", "W > pieces(a, b, b)", "typeof P", "P.length", "P[9001]",
    "[W].includes(P)", "[P].indexOf(W)", "(() => { switch (P) { case W: return 1 } return 2 })()", "({[P]: 1})[W]", "P in {[W]: 1}",
    "new Set([W, P, pieces(a + b, c), pieces(a, b + c)]).size", "new Map([[P, 1]]).get(W)", "new Map([[W, 1]]).delete(P)",
    "Object(P).length", "Object(P)[9001]", "0 in Object(P)", "JSON.stringify([P, {[P]: P}]) === JSON.stringify([W, {[W]: W}])",
    "`${P}` === W", "Symbol.for(P) === Symbol.for(W)", "new RegExp(P).test(W)", "structuredClone({P}).P === W", "P.indexOf(W)",
    "new Set([W]).union(new Set([P])).size", "new Set([W]).isSubsetOf(new Set([P]))", "Map.groupBy([P, W], x => x).size",
    "(() => { let x = P; x += 'a'; return x == W + 'a' })()", "P ? 1 : 2", "isNaN(P)", "[...P].length", "Object.hasOwn({[W]: 1}, P)",
]  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        box.eval(_TEXTS)
        yield box


@pytest.mark.parametrize("expression", EXPRESSIONS)
def test_it_is_the_same_text(box: Sandbox, expression: str) -> None:
    code = "String((() => {{ const P = {}, Q = {}; return {} }})())"
    assert box.eval(code.format("pieces(a, b, c)", "pieces(d, e)", expression)) == box.eval(
        code.format("W", "D", expression)
    )


@pytest.mark.parametrize("count", [1, 4, 100])
def test_collections_find_it_among_many(box: Sandbox, count: int) -> None:
    code = f"""
        const map = new Map(), set = new Set();
        let found = 0;
        for (let i = 0; i < {count}; i++) map.set(pieces(a, i + a), i), set.add(whole(pieces(a, i + a)));
        for (let i = 0; i < {count}; i++) {{
          found += map.get(whole(pieces(a, i + a))) === i && map.get(pieces(a + i, a)) === i;
          found += set.has(pieces(a, i + a)) && set.has(pieces(a + i, a));
          set.add(pieces(a + i, a));
        }}
        [found, map.size, set.size].join()"""
    assert box.eval(f"{{{code}}}") == f"{2 * count},{count},{count}"
