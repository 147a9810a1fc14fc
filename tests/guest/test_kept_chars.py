"""A text of one character is the same text, however a program has come by it.

The engine makes each of the first 256 once, and compares it as it compares names.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from sandbox import Limits, Sandbox

# Each takes a text and an index, and gives the character there.
WAYS = [
    "text[at]",
    "text.charAt(at)",
    "text.at(at)",
    "text.slice(at, at + 1)",
    "text.substring(at, at + 1)",
    "text.substr(at, 1)",
    "text.split('')[at]",
    "Array.from({length: text.length}, (_, i) => text[i])[at]",
    "String.fromCharCode(text.charCodeAt(at))",
    "String.fromCharCode.apply(null, [text.charCodeAt(at)])",
    "/[^]/.exec(text.slice(at))[0]",
    "Object(text)[at]",
    "JSON.parse(JSON.stringify(text))[at]",
    "(text + text)[at]",
    "('\\u4e00' + text)[at + 1]",
    "('\\u4e00' + text).slice(at + 1, at + 2)",
    "Object.getOwnPropertyDescriptor(Object(text), at).value",
]

_CHECK = """
const text = Array.from({length: 0x120}, (_, code) => String.fromCharCode(code)).join("");
const of = Object.fromEntries(Array.from({length: 0x120}, (_, code) => [JSON.parse(JSON.stringify(text[code])), code]));
function check(way) {
  const wrong = [], seen = new Map();
  for (let at = 0; at < text.length; at++) {
    const char = way(text, at), code = char.charCodeAt(0);
    seen.set(char, at);
    const literal = (0, eval)("'\\\\u" + at.toString(16).padStart(4, "0") + "'");
    if (typeof char !== "string" || char.length !== 1 || code !== at || char !== literal || of[char] !== at ||
        char + "x" !== literal + "x" || (char < literal) || char.codePointAt(0) !== at ||
        !({[literal]: 1}).hasOwnProperty(char) || String(char) + char !== literal.repeat(2) ||
        (at >= 48 && at < 58 && [0, 1, 2, 3, 4, 5, 6, 7, 8, 9][char] !== at - 48))
      wrong.push(at);
  }
  return seen.size === text.length ? wrong : "some are one";
}
"""


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        box.eval(_CHECK)
        yield box


@pytest.mark.parametrize("way", WAYS)
def test_every_way_to_a_character(box: Sandbox, way: str) -> None:
    assert box.eval(f"check((text, at) => {way})") == []


def test_an_index_that_is_none_of_the_text(box: Sandbox) -> None:
    code = "['abc'[3], 'abc'[-1], 'abc'[2 ** 31], 'abc'[1.5], 'abc'['1'], 'abc'['01'], ''[0], 'abc'.length]"
    assert box.eval(f"JSON.stringify({code}, (_, value) => value === undefined ? 'none' : value)") == (
        '["none","none","none","none","b","none","none",3]'
    )


def test_a_prototype_with_indexes(box: Sandbox) -> None:
    code = "String.prototype[5] = 'p'; try { ['abc'[5], 'abc'[1]].join() } finally { delete String.prototype[5] }"
    assert box.eval(code) == "p,b"


def test_they_survive_what_is_restored_and_forked() -> None:
    with Sandbox() as box:
        box.eval("const text = 'a1\\u00e9 z'; let found = [...text]")
        with box.fork() as twin, Sandbox.restore(box.snapshot()) as other:
            for each in (box, twin, other):
                assert each.eval("found.every((char, i) => char === text[i]) && text[0] === 'a' && text[1] === '1'")


def test_none_is_lost_when_memory_runs_out() -> None:
    with Sandbox(limits=Limits(memory_bytes=16 << 20)) as box:
        box.eval(_CHECK)
        box.eval("const kept = []; try { for (;;) kept.push(new Array(1e3).fill(0)) } catch {} kept.length = 0; 0")
        assert box.eval("check((text, at) => text[at])") == []
