"""The short ways of wasm/src come to what the long ones do: numbers and texts in JSON, comparisons, shapes, searches."""

from __future__ import annotations

import json
import random
import re
import struct

import pytest

from sandbox import Sandbox

NUMBERS = [
    "0",
    "-0",
    "1",
    "-1",
    "2147483647",
    "2147483648",
    "-2147483648",
    "-2147483649",
    "0.1",
    "-0.5",
    "1e3",
    "1E-7",
    "9007199254740991",
    "9007199254740992",
    "9007199254740993",
    "123456789012345678",
    "1234567890123456789012",
    "0.1234567890123456",
    "0.12345678901234567",
    "99999999.999999999",
    "5e-324",
    "2.4e-324",
    "1.7976931348623157e308",
    "1e400",
    "-1e400",
    "0.000000000000000001",
    "123.000",
    "-0.0",
    "0e5",
    "10000000000000000000000000000000000000000.5",
]


def bits(number: float) -> bytes:
    return struct.pack("<d", number)


def test_json_numbers(box: Sandbox) -> None:
    assert [bits(x) for x in box.eval(f"[{','.join(map(json.dumps, NUMBERS))}].map((text) => new Float64Array([JSON.parse(text)])[0])")] == [
        bits(float(text)) for text in NUMBERS
    ]  # fmt: skip
    assert box.eval("Object.is(JSON.parse('-0'), -0) && Object.is(JSON.parse('0'), 0)") is True


def test_random_json_numbers(box: Sandbox) -> None:
    source = random.Random(5)
    texts = []
    for _ in range(3000):
        whole = str(source.randrange(10 ** source.randrange(1, 18)))
        places = "".join(source.choices("0123456789", k=source.randrange(19)))
        texts.append(source.choice(("", "-")) + whole + ("." + places if places else ""))
    box.globals["texts"] = texts
    values = box.eval("texts.map((text) => JSON.parse(text))")
    assert [bits(float(value)) for value in values] == [bits(float(text)) for text in texts]


@pytest.mark.parametrize("text", ["01", "-", "1.", ".5", "1e", "+1", "0x10", "1_0", "--1", "1.5.2"])
def test_what_is_no_number_in_json(box: Sandbox, text: str) -> None:
    assert box.eval(f"try {{ JSON.parse({json.dumps(text)}) }} catch (error) {{ error.name }}") == "SyntaxError"


TEXTS = ["", "a", 'say "x"', "back\\slash", "tab\tline\nzero\0", "\x1f\x20\x7f\x80\xff", "wide \u0100\u2028", "\U0001f600", "\ud800", "a" * 5000, 'b' * 5000 + '"']  # fmt: skip


@pytest.mark.parametrize("text", TEXTS, ids=range(len(TEXTS)))
def test_texts_in_json(box: Sandbox, text: str) -> None:
    written = json.dumps(text)
    expected = re.sub(
        r"\\u(?!00[01]|d[89a-f])[0-9a-f]{4}", lambda found: json.loads(f'"{found[0]}"'), written, flags=re.I
    )
    expected = re.sub(r"(?:\\ud[89ab]..\\ud[c-f]..)", lambda found: json.loads(f'"{found[0]}"'), expected)
    box.globals["text"] = text
    assert box.eval("JSON.parse(JSON.stringify(text)) === text") is True
    assert box.eval("JSON.stringify({ [text]: [text] })") == f"{{{expected}:[{expected}]}}".replace("\\u007f", "\x7f")
    assert box.eval(f"JSON.parse({json.dumps(written)}) === text") is True


CASES = ["", "a", "Z", "aZ", "@[`{", "abc123", "ABC XYZ", "é", "aé", "ß", "ÿ", "Σ", "aΣ", "ﬁ", "İ", "\u0131", "\x7f\x80", "a" * 5000 + "B"]  # fmt: skip


@pytest.mark.parametrize("text", CASES, ids=range(len(CASES)))
def test_cases(box: Sandbox, text: str) -> None:
    box.globals["text"] = text
    one_by_one = "[...text].map((letter) => letter.to{}Case()).join('')"
    assert box.eval("text.toUpperCase()") == text.upper() == box.eval(one_by_one.format("Upper"))
    assert box.eval("text.toLowerCase()") == text.lower()


def test_who_is_told_an_index(box: Sandbox) -> None:
    box.eval(
        "globalThis.told = []; const tell = { toJSON(key) { told.push(key); return 1 } }; BigInt.prototype.toJSON = (key) => key"
    )
    assert box.eval("JSON.stringify([0, tell, 'a', 5n, [tell]])") == '[0,1,"a","3",[1]]'
    assert box.eval("told.join()") == "1,0"
    assert box.eval("JSON.stringify([5, 'x'], (key, value) => (told.push(typeof key + key), value))") == '[5,"x"]'
    assert box.eval("told.slice(2).join()") == "string,string0,string1"


COMPARISONS = ["NaN", "0", "-0", "0.5", "1", "-1.5", "Infinity", "'a'", "'b'", "'1'", "''", "null", "undefined", "true", "1n", "'a' + String.fromCharCode(98)", "'ab'"]  # fmt: skip


@pytest.mark.parametrize("operator", ["<", "<=", ">", ">=", "==", "!=", "===", "!=="])
def test_a_comparison_is_the_same_in_a_branch_and_as_a_value(box: Sandbox, operator: str) -> None:
    differing = box.eval(
        f"""
        const values = [{",".join(COMPARISONS)}], differing = [];
        const all = {{ "<": (a, b) => a < b, "<=": (a, b) => a <= b, ">": (a, b) => a > b, ">=": (a, b) => a >= b,
          "==": (a, b) => a == b, "!=": (a, b) => a != b, "===": (a, b) => a === b, "!==": (a, b) => a !== b }};
        for (const a of values) for (const b of values) {{
          let branch = false;
          if (a {operator} b) branch = true;
          const chosen = a {operator} b ? true : false, value = all["{operator}"](a, b);
          const strict = Object.is(a, b) || (a === 0 && b === 0);
          const expected = "{operator}" === "===" ? strict && a === a : "{operator}" === "!==" ? !(strict && a === a) : value;
          if (branch !== value || chosen !== value || expected !== value) differing.push([String(a), String(b)]);
        }}
        differing
        """
    )
    assert differing == []


def test_methods_are_found_where_they_are(box: Sandbox) -> None:
    assert (
        box.eval(
            "const list = [1]; list.own = 2; Array.prototype.late = 3; [list.own, list.late, list.none, list.length].join()"
        )
        == "2,3,,1"
    )
    assert box.eval("class Mine extends Array { get size() { return this.length } } new Mine(1, 2).size") == 2
    assert (
        box.eval(
            "String.prototype.shout = function () { return this + '!' }; 'a'.shout() + 'ab'.length + 'ab'[1] + ('a'.none === undefined)"
        )
        == "a!2btrue"
    )
    assert (
        box.eval(
            "Object.defineProperty(String.prototype, 'kind', { get() { 'use strict'; return typeof this } }); 'a'.kind"
        )
        == "string"
    )
    assert box.eval("delete String.prototype.shout; try { 'a'.shout() } catch (error) { error.name }") == "TypeError"
    assert (
        box.eval(
            "let rope = 'x'.repeat(300); for (let i = 0; i < 9; i++) rope += 'yz' + i; rope.length + rope.slice(-2)"
        )
        == "327z8"
    )


def test_assignments_ask_setters_and_what_may_not_be_written(box: Sandbox) -> None:
    assert (
        box.eval(
            "const base = { set x(value) { this.y = value } }; const heir = Object.create(base); heir.x = 4; Object.keys(heir).join() + heir.y"
        )
        == "y4"
    )
    assert (
        box.eval("const fixed = Object.freeze({ z: 1 }); const below = Object.create(fixed); below.z = 2; below.z") == 1
    )
    assert (
        box.eval("'use strict'; try { Object.preventExtensions({}).a = 1 } catch (error) { error.name }") == "TypeError"
    )


def test_an_assignment_that_a_proxy_below_makes_again_ends_in_an_error(box: Sandbox) -> None:
    assert (
        box.eval(
            "const proxied = Object.create(new Proxy({}, { set(t, key, value, r) { r['p_' + key] ??= 0; return true } })); try { proxied.q = 1 } catch (error) { error.name }"
        )
        == "RangeError"
    )


def test_flags_are_asked_of_getters_that_a_program_has_replaced(box: Sandbox) -> None:
    assert box.eval("[/a/dgimsuy.flags, /a/v.flags, /a/.flags].join()") == "dgimsuy,v,"
    assert (
        box.eval(
            "const own = /a/g; Object.defineProperty(own, 'global', { value: false }); own.flags + 'aa'.replace(own, 'b')"
        )
        == "ba"
    )
    assert box.eval("Object.defineProperty(RegExp.prototype, 'sticky', { get: () => true }); /a/i.flags") == "iy"
    assert (
        box.eval(
            "const ignore = Object.getOwnPropertyDescriptor(RegExp.prototype, 'ignoreCase').get; Object.defineProperty(RegExp.prototype, 'global', { get: ignore }); /a/i.flags + /a/g.flags"
        )
        == "giyy"
    )


def test_searches(box: Sandbox) -> None:
    source = random.Random(9)
    patterns = [
        "b",
        "b+c",
        r"\bb",
        "[bc]a",
        r"\d+",
        "(c)(a)?",
        r"^c",
        r"(?:b|c)d",
        r"\s[a-c]",
        "é",
        "[^a]d",
        r"(\bc)\1?",
        "$",
        "[bc]?$",
        "^$|d",
    ]
    texts = ["".join(source.choices("abcd 1\n", k=source.randrange(60))) for _ in range(60)] + [
        "",
        "a" * 40000 + "bc",
        "é" * 30 + "b",
    ]
    for suffix in ("", "\u0100"):
        for text in texts:
            for pattern in patterns:
                box.globals["text"] = text + suffix
                found = box.eval(
                    f"[...text.matchAll(new RegExp({json.dumps(pattern)}, 'gm'))].map((match) => [match.index, match[0]])"
                )
                expected = [
                    [match.start(), match[0]] for match in re.finditer(pattern, text + suffix, re.MULTILINE | re.ASCII)
                ]
                assert found == expected, (pattern, text)


@pytest.mark.parametrize("key", ["i", "i * 4096", "i + 0.5", "{}", "Symbol()", "'k' + i", "-i"])
def test_keys_of_maps_are_spread(key: str) -> None:
    with Sandbox() as box:
        fuel = []
        for count in (2000, 16000):
            before = box.usage.fuel
            assert (
                box.eval(f"{{ const map = new Map(); for (let i = 0; i < {count}; i++) map.set({key}, i); map.size }}")
                == count
            )
            fuel.append(box.usage.fuel - before)
        assert fuel[1] < 12 * fuel[0]


def test_shapes_that_are_held_let_their_classes_go(box: Sandbox) -> None:
    box.eval(
        """
        globalThis.gone = 0;
        globalThis.registry = new FinalizationRegistry(() => gone++);
        for (let i = 0; i < 200; i++) {
          const Made = class { constructor() { this.a = 1; this["b" + i % 3] = 2 } };
          registry.register(Made.prototype);
          new Made();
        }
        """
    )
    box.eval("for (let i = 0; i < 50000; i++) { const cycle = {}; cycle.own = cycle }")  # so that garbage is collected
    assert box.eval("gone") == 200
