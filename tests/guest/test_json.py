"""JSON is read and written by short ways of our own: as by the engine's reader, by ECMA-262's steps, and by Python."""

from __future__ import annotations

import json
import random
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

REFERENCE = Path(__file__, "..", "json_reference.js").resolve().read_text(encoding="utf-8")

KEYS = [
    "a",
    "b",
    "id",
    "name",
    "__proto__",
    "1",
    "2",
    "007",
    "é",
    "—k",
    "",
    "toString",
    'a"b',
    "x\\y",
    "length",
    "a" * 70,
]
KEYS += ["4294967294", "4294967295", "constructor", "\ud800"]
TEXTS = ["", "a", "paid", "EUR", "some words, and more", "é", "日本語", "\ud800", 'a"q', "b\\", "\n\t", "\0\x1f\x7f"]
TEXTS += ["/", "x" * 200, "\U0001f600", "\udc00\ud800", "a\ud83d", "12345678", "1234567\\", 'quote at 8"', "long—" * 40]
NUMBERS = [0, -0.0, 1, -1, 2**31 - 1, 2**31, -(2**31), 2**53 - 1, 2**53, 2**53 + 2, 1.5, 0.1, 0.3, 1e21, 1e-7, 5e-324]
NUMBERS += [1.7976931348623157e308, 123456789012345678, 1e22, 1e23, 0.1 + 0.2, 1 / 3, -1e-6]
PIECES = [*'"\\{}[],:019-.eE+ut \n\0\x1fé—\ud800\x7f\ufeff', "\\u00e9", "\\uD83d\\uDE00", "\\u12", "1e400", "1" * 30]
PIECES += ["0.1e-30", '"a":1,', "1" * 130, "true", "nul", "//", "\u2028", "'"]


@pytest.fixture
def box(box: Sandbox) -> Sandbox:
    box.eval(REFERENCE)
    return box


def value(source: random.Random, depth: int) -> Any:
    """A value as in documents: records with the same keys, with some left out, added, or in another order."""
    kind = source.random()
    if depth <= 0 or kind < 0.4:
        return source.choice([None, True, False, source.random(), source.randrange(-(10**9), 10**9), *NUMBERS, *TEXTS])
    count = source.choice([0, 1, 2, 3, 5, 70, 130]) if depth > 3 else source.randrange(4)
    if kind < 0.7:
        keys = source.sample(KEYS, source.randrange(7))
        records = []
        for _ in range(count):
            mine = keys[: source.choice([len(keys), len(keys), len(keys) - 1])]
            if source.random() < 0.2:
                source.shuffle(mine)
            if source.random() < 0.2:
                mine = [*mine, source.choice(KEYS)]
            records.append({key: value(source, depth - 2) for key in mine})
        return records
    if kind < 0.8:
        return [value(source, depth - 1) for _ in range(count)]
    return {source.choice([*KEYS, f"k{i}"]): value(source, depth - 1) for i in range(count)}


def written(source: random.Random, depth: int = 5) -> str:
    separators = source.choice([None, (",", ":"), (" , ", " :\t")])
    indent, is_ascii = source.choice([None, None, 1, "\t"]), source.random() < 0.5
    return json.dumps(value(source, depth), ensure_ascii=is_ascii, indent=indent, separators=separators)


def broken(source: random.Random, text: str) -> str:
    characters = list(text)
    for _ in range(source.randrange(1, 4)):
        at = source.randrange(len(characters) + 1)
        characters[at : at + source.choice([0, 0, 1, 3])] = source.choice([[], [source.choice(PIECES)]])
    return "".join(characters)


@pytest.mark.parametrize("seed", range(6))
def test_what_is_read_and_what_is_refused_is_as_with_a_reviver(box: Sandbox, seed: int) -> None:
    source = random.Random(seed)
    texts = [text for text in (written(source, source.randrange(6)) for _ in range(60)) if len(text) < 20_000]
    texts += [broken(source, text) for text in texts for _ in range(3)]
    assert box.call("readOtherwise", texts) == []


READ = [
    '[{"a":{"b":1},"a":1,"c":{"b":2}},{"a":{"b":1},"a":1,"c":{"b":2}}]',
    '{"a":{"x":1},"a":2,"b":{"x":1}}',
    '[{"a":"x","b":"y"},{"a":"x","b":"y"},{"a":"x"},{"a":"x","b":"y","c":1},{"b":"y","a":"x"},{}]',
    r'[{"a":1},{"\u0061":2},{"a\\":3},{"a\"":4}]',
    r'[{"a\"b":1},{"a\"b":2},{"a":3}]',
    r'[{"a\\":1},{"a\\":2},{"a\":3}]',
    '[{"__proto__":{"x":1}},{"__proto__":{"x":2}},{"__proto__":null}]',
    '[{"1":1,"0":2},{"1":1,"0":2},{"0":1}]',
    "[[1,[2,[3]]],[1,[2,[3]]],[[[[]]]],[{}],[{}]]",
    '[["é"],["é"],["—"],["é"]]',
    '[{"é":1},{"é":2},{"—":1,"é":2},{"é":3}]',
    '["a","a","\\u0061",["a"],"a"]',
    "[" + ",".join(f'{{"id":{i},"list":[{",".join(map(str, range(i)))}]}}' for i in range(70)) + "]",
    "[" + ",".join("{" + ",".join(f'"k{j}":{j}' for j in range(i)) + "}" for i in (63, 63, 64, 64, 65, 65, 2)) + "]",
    "[" * 300 + "]" * 300,
    '{"a":' * 300 + "1" + "}" * 300,
    "[" * 120 + "1,2,3" + "]" * 120,
    " \t\r\n[ \n1 ,\t2 ] \n",
    "",
    " ",
    "[1,]",
    '{"a":1,}',
    '{"a" 1}',
    '{"a":1 "b":2}',
    "[1 2]",
    "[1]]",
    "tru",
    "truex",
    "nullnull",
    '"\\u12"',
    '"\\',
    '"\\u',
    '["a',
    '{"a',
    '{"a":',
    "\ufeff1",
    "\x00",
    "1" * 200,
    f"[{'1' * 200}]",
    "-",
    "[-]",
    "1.",
    "1.e1",
    "1e",
    "1e+",
    "00",
    "-01",
    "1e22",
    "9007199254740993",
    "123e-22",
    "1.5e-400",
    f"0.{'0' * 100}1",
    f"0.{'0' * 9999}1e100001",
    f"0.{'0' * 9999}1e10000",
    f"1{'0' * 100}e-{'0' * 40}100",
]


def test_cases_of_reading(box: Sandbox) -> None:
    assert box.call("readOtherwise", READ) == []


def test_what_is_read_is_what_python_reads(box: Sandbox) -> None:
    source = random.Random(7)
    for _ in range(40):
        text = written(source, 4)
        if "__proto__" not in text and "\\ud800" not in text and "\ud800" not in text and "-0.0" not in text:
            assert box.call("JSON.parse", text) == json.loads(text)


def test_shared_texts_and_shapes_are_each_record_s_own(box: Sandbox) -> None:
    assert box.eval("""
        const rows = JSON.parse('[{"a":"x","b":["y"]},{"a":"x","b":["y"]},{"a":"x","b":["y"]}]');
        rows[0].a += "!"; rows[1].c = 1; delete rows[2].a; rows[0].b.push("z");
        JSON.stringify(rows)
    """) == '[{"a":"x!","b":["y","z"]},{"a":"x","b":["y"],"c":1},{"b":["y"]}]'  # fmt: skip


def test_the_argument_becomes_a_text_once(box: Sandbox) -> None:
    box.eval("const text = { toString() { told.push('asked'); return '[1' } }; told.length = 0")
    assert box.eval("try { JSON.parse(text) } catch {} told") == ["asked"]


REPLACERS = ["none", "a tracing one", "one that drops", "one that changes the holder", "one that replaces"]
REPLACERS += ["a list", "an empty list"]


@pytest.mark.parametrize("replacer", REPLACERS)
def test_what_is_written_and_asked_is_as_ecma_262_says(box: Sandbox, replacer: str) -> None:
    assert box.call("writtenOtherwise", replacer) == []


def test_a_replacer_s_first_holder(box: Sandbox) -> None:
    code = "JSON.stringify(5, function (key) { return [key, ...Object.entries(this)].join() })"
    assert box.eval(code) == '",,5"'


def test_raw_json(box: Sandbox) -> None:
    assert (
        box.eval("JSON.stringify({ a: JSON.rawJSON('1e1000'), b: [JSON.rawJSON('\"x\"')] })")
        == '{"a":1e1000,"b":["x"]}'
    )


@pytest.mark.parametrize("seed", range(3))
def test_what_was_read_is_written_as_python_writes_it(box: Sandbox, seed: int) -> None:
    source = random.Random(seed)
    box.eval("const again = (text, space) => JSON.stringify(JSON.parse(text), null, space)")
    for _ in range(40):
        text = json.dumps(value(source, 4))
        made = json.loads(text, parse_int=float)
        assert json.loads(box.call("again", text), parse_int=float) == made
        assert json.loads(box.call("again", text, source.choice([1, "\t"])), parse_int=float) == made
