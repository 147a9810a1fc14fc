"""`switch` on texts and numbers, whose cases the engine goes through in one instruction."""

from __future__ import annotations

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import CpuLimitExceeded

TEXTS = (
    "switch (v) { case 'a': return 1; case 'bc': return 2; "
    "case '': return 3; case '1': return 4; case 'é€': return 5; default: return 0 }"
)
NUMBERS = (
    "switch (v) { case 0: return 1; case 7: return 2; "
    "case -1: return 3; case 2147483647: return 4; case 1.5: return 5; default: return 0 }"
)
MIXED = (
    "switch (v) { case 'a': return 1; case 1: return 2; case '1': return 3; "
    "case null: return 4; case NaN: return 5; case 2: return 6; default: return 0 }"
)
FALLING = (
    "let r = ''; switch (v) { case 'a': r += 'a'; case 'b': case 'c': r += 'c'; break; "
    "default: r += 'd'; case 'e': r += 'e' } return r"
)
EMPTY = (
    "let r = 0; switch (v) { case 1: var f; default: var f }"
    "switch (v) { case 'a': } switch (v) { case 'b': case 2: } return r"
)
MIDDLE = "switch (v) { case 'a': return 1; default: return 0; case 'b': return 2; case 'c': return 3 }"

ROWS = [
    (TEXTS, "'a'", 1),
    (TEXTS, "'bc'", 2),
    (TEXTS, "'b' + 'c'.slice()", 2),
    (TEXTS, "'xbcx'.slice(1, 3)", 2),
    (TEXTS, "''", 3),
    (TEXTS, "'1'", 4),
    (TEXTS, "1", 0),
    (TEXTS, "'é' + '€'", 5),
    (TEXTS, "'é'", 0),
    (TEXTS, "'b'", 0),
    (TEXTS, "new String('a')", 0),
    (TEXTS, "Symbol('a')", 0),
    (TEXTS, "undefined", 0),
    (TEXTS, "{ toString: () => 'a' }", 0),
    (TEXTS, "'b'.repeat(5000) + 'c'.repeat(5000)", 0),
    (NUMBERS, "0", 1),
    (NUMBERS, "-0", 1),
    (NUMBERS, "7", 2),
    (NUMBERS, "3.5 * 2", 2),
    (NUMBERS, "-1", 3),
    (NUMBERS, "2147483647", 4),
    (NUMBERS, "2147483648", 0),
    (NUMBERS, "4294967296", 0),
    (NUMBERS, "1.5", 5),
    (NUMBERS, "NaN", 0),
    (NUMBERS, "7n", 0),
    (NUMBERS, "'7'", 0),
    (NUMBERS, "true", 0),
    (NUMBERS, "null", 0),
    (MIXED, "'a'", 1),
    (MIXED, "1", 2),
    (MIXED, "'1'", 3),
    (MIXED, "null", 4),
    (MIXED, "NaN", 0),
    (MIXED, "2", 6),
    (MIXED, "3", 0),
    (FALLING, "'a'", "ac"),
    (FALLING, "'b'", "c"),
    (FALLING, "'c'", "c"),
    (FALLING, "'e'", "e"),
    (FALLING, "'x'", "de"),
    (EMPTY, "1", 0),
    (EMPTY, "'a'", 0),
    (EMPTY, "'b'", 0),
    (MIDDLE, "'a'", 1),
    (MIDDLE, "'c'", 3),
    (MIDDLE, "'x'", 0),
]


@pytest.mark.parametrize(("body", "value", "expected"), ROWS)
def test_the_case_that_is_meant_is_taken(body: str, value: str, expected: object) -> None:
    with Sandbox() as box:
        box.eval(
            f"var f = (v) => {{ {body} }}; var g = function* (v) {{ {body} }}; var h = async (v) => {{ {body} }}; 0"
        )
        value = f"({value})"
        assert box.eval(f"f({value})") == expected
        assert box.eval(f"g({value}).next().value") == expected
        assert box.eval(f"await h({value})") == expected


def test_cases_whose_jumps_are_long() -> None:
    cases = "".join(f"case 't{i}': r = {i}; {'r += 1;' * 100} break;" for i in range(300))
    with Sandbox() as box:
        box.eval(f"var f = (v) => {{ let r = -1; switch (v) {{ {cases} }} return r }}; 0")
        for i in (0, 1, 150, 299):
            assert box.eval(f"f('t{i}')") == i + 100
        assert box.eval("f('t300')") == -1
        assert box.eval("f('t3' + '00'.slice(1))") == 130


def test_an_assignment_and_a_comparison_that_look_like_cases() -> None:
    with Sandbox() as box:
        assert box.eval("let a, b = 0; for (const t of ['x', 'y', 'x']) if ((a = t) === 'x') b++; [a, b]") == ["x", 2]
        assert (
            box.eval("let c = 'q', n = 0; while (c === 'q' || (c = 'r') === 'r') { if (n++ > 2) break; c = 'z' } n")
            == 4
        )
        assert (
            box.eval(
                "const o = { k: 'x' }; let s = (o.k ?? 'y') === 'x' ? 1 : 2; s += (o.k &&= 'w') === 'w' ? 10 : 20; s"
            )
            == 11
        )


def test_a_loop_of_cases_looks_at_the_limits() -> None:
    cases = "".join(f"case 't{i}': break;" for i in range(3000))
    with Sandbox(limits=Limits(cpu_seconds=0.1)) as box:
        with pytest.raises(CpuLimitExceeded) as caught:
            box.eval(f"for (;;) switch ('none') {{ {cases} }}")
        assert caught.value.used is not None
        assert caught.value.used < 0.2
        assert box.eval("1") == 1


def test_cases_are_compared_in_order_and_only_until_one_fits() -> None:
    with Sandbox() as box:
        code = (
            "const seen = []; const at = (v) => (seen.push(v), v);"
            "switch ('b') { case at('a'): case 'b': seen.push('!'); break; case at('c'): }"
        )
        assert box.eval(f"{code} seen") == ["a", "!"]
