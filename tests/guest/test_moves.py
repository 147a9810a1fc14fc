"""Bytes that the engine copies, moves and fills, at every short length and beyond it: `wasm/src/memory.c`."""

from __future__ import annotations

import pytest

from sandbox import Sandbox

_LENGTHS = 140  # past where WebAssembly's own instructions take over
_PROGRAM = """
const wrong = [];
const fresh = () => Uint8Array.from({ length: 400 }, (_, i) => (i * 7 + 3) & 255);
const same = (a, b) => a.length === b.length && a.every((byte, i) => byte === b[i]);
function check(what, length, gap, made, expected) {
    if (!same(made, expected)) wrong.push(`${what} ${length} ${gap}`);
}
"""
_CASES = {
    "move": """
        for (let length = 0; length < LENGTHS; length++)
            for (const gap of [-33, -17, -16, -15, -8, -7, -4, -3, -2, -1, 0, 1, 2, 3, 4, 7, 8, 15, 16, 17, 33]) {
                const before = fresh(), expected = fresh();
                for (let i = 0; i < length; i++) expected[100 + gap + i] = before[100 + i];
                check("move", length, gap, fresh().copyWithin(100 + gap, 100, 100 + length), expected);
            }
    """,
    "copy": """
        for (let length = 0; length < LENGTHS; length++)
            for (let start = 0; start < 9; start++) {
                const expected = new Uint8Array(400), made = new Uint8Array(400), source = fresh();
                for (let i = 0; i < length; i++) expected[5 + i] = source[start + i];
                made.set(source.subarray(start, start + length), 5);
                check("copy", length, start, made, expected);
                check("slice", length, start, source.slice(start, start + length), expected.subarray(5, 5 + length));
            }
    """,
    "fill": """
        for (let length = 0; length < LENGTHS; length++)
            for (let start = 100; start < 109; start++) {
                const expected = fresh();
                for (let i = 0; i < length; i++) expected[start + i] = 0xa5;
                check("fill", length, start, fresh().fill(0xa5, start, start + length), expected);
            }
    """,
    "join": """
        const text = String.fromCharCode(...Array.from({ length: LENGTHS }, (_, i) => 33 + i % 90));
        for (let length = 0; length < LENGTHS; length++) {
            const [left, right] = [text.slice(0, length), text.slice(length)];
            if ([left, right].join("") !== text || left + right !== text) wrong.push(`join ${length}`);
            if (left.repeat(3).length !== 3 * length || !left.repeat(3).endsWith(left)) wrong.push(`repeat ${length}`);
        }
    """,
}


@pytest.mark.parametrize("case", _CASES)
def test_every_length(case: str) -> None:
    with Sandbox() as box:
        assert box.eval(_PROGRAM + _CASES[case].replace("LENGTHS", str(_LENGTHS)) + "; wrong") == []
