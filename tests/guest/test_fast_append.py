"""A text that grows where it is: nobody who has the old one sees it, and what it costs is what is appended."""

from __future__ import annotations

from typing import Final

import pytest

from sandbox import Limits, Sandbox

# Each is a function that appends to a text in another way, `pieces` in order.
WAYS: Final = {
    "a variable": "let text = ''; for (const piece of pieces) text += piece; return text",
    "an old variable": "var text = ''; for (var piece of pieces) text = text + piece; return text",
    "a closure's variable": "let text = ''; const add = (piece) => { text += piece }; pieces.forEach(add); return text",
    "its owner": "let text = ''; const get = () => text; for (const piece of pieces) text += piece; return get()",
    "a parameter": "return ((text) => { for (const piece of pieces) text += piece; return text })('')",
    "a property": "const o = { text: '' }; for (const piece of pieces) o.text += piece; return o.text",
    "many variables": f"{' '.join(f'let v{i} = {i};' for i in range(300))} let text = ''; for (const piece of pieces) text += piece + ''; return text",
    "an expression": "let text = ''; for (const piece of pieces) { const other = (text += piece); if (other !== text) throw 1 } return text",
    "a generator": "function* all() { let text = ''; for (const piece of pieces) { text += piece; yield text } } let last = ''; for (const one of all()) last = one; return last",
    "several at once": "let text = ''; for (let i = 0; i < pieces.length; i += 2) text += `${pieces[i]}` + (pieces[i + 1] ?? ''); return text",
    "a name of the script": "globalThis.grown = ''; for (const piece of pieces) grown += piece; return grown",
}  # fmt: skip
PIECES: Final = {
    "narrow": "Array.from({ length: 3000 }, (_, i) => String.fromCharCode(97 + i % 26))",
    "wide later": "Array.from({ length: 400 }, (_, i) => i === 200 ? '\\u4e00' : 'ab')",
    "wide": "Array.from({ length: 400 }, (_, i) => i % 3 ? '\\u4e00' + i : 'a\\xe9')",
    "long": "Array.from({ length: 40 }, (_, i) => 'xyz'.repeat(i * 300))",
    "parts of texts": "Array.from({ length: 60 }, (_, i) => 'abcdefgh'.repeat(600).slice(i, 4000 - i))",
    "numbers": "Array.from({ length: 200 }, (_, i) => i * 7)",
    "empty": "Array.from({ length: 50 }, (_, i) => i % 2 ? '' : 'q')",
}  # fmt: skip


@pytest.mark.parametrize("way", WAYS)
def test_it_is_the_text_that_the_pieces_are(box: Sandbox, way: str) -> None:
    for pieces in PIECES.values():
        assert box.eval(f"((pieces) => {{ {WAYS[way]} }})({pieces}) === ({pieces}).join('')") is True


OWNERS: Final = [
    "let text = 'a'.repeat(200); const old = text; text += 'b'; [old.length, text.length]",
    "let text = 'a'.repeat(200); const old = [text, text.slice(1), text.slice(0)]; text += 'b'; text += 'c'; [...old.map((one) => one.length), text.length]",
    "let text = 'a'.repeat(200), all = []; for (let i = 0; i < 3; i++) { all.push(text); text += i } all.map((one) => one.length).concat(text.slice(-3))",
    "let text = 'a'.repeat(2000); const part = text.slice(0, 1500); text += 'b'; [part.length, part.at(-1), text.at(-1)]",
    "let text = 'key' + Math.random(); const o = { [text]: 1 }; text += 'b'; [Object.keys(o)[0].length, text.length - Object.keys(o)[0].length, text in o]".replace("Math.random()", "7"),
    "let text = 'ab'.repeat(50); text += text; text += text; [text.length, text === 'ab'.repeat(200)]",
    "let text = 'ab'.repeat(50); text += { toString() { text = 'z'; return 'c' } }; [text.length, text.at(-1)]",
    "let text = 'ab'.repeat(50); text = text + text + (text += 'c'); text.length",
    "let text = 'ab'.repeat(50), other = 'x'; other = text + 'c'; [text.length, other.length]",
    "let text = 'ab'.repeat(50); const map = new Map([[text, 1]]); text += 'c'; [map.has(text), map.get(text.slice(0, -1))]",
    "let text = 'ab'.repeat(50); const re = new RegExp(text); text += 'c'; [re.source.length, re.test(text)]",
    "let text = ''; for (let i = 0; i < 150; i++) text += 'a'; const o = {}; o[text] = 1; text += 'b'; o[text] = 2; Object.keys(o).map((key) => key.length)",
    "const f = (text) => { const old = text; text += 'b'; arguments_ = text; return [old.length, text.length] }; var arguments_; f('a'.repeat(100))",
    "(function (text) { text += 'b'; return [arguments[0].length, text.length] })('a'.repeat(100))",
    "let text = 'a'.repeat(100); try { text += Symbol() } catch (error) { [error.name, text.length] }",
    "let text = 'a'.repeat(100); try { text += (() => { throw new EvalError() })() } catch (error) { [error.name, text.length] }",
]  # fmt: skip
SEEN: Final = [
    [200, 201], [200, 199, 200, 202], [200, 201, 202, "012"], [1500, "a", "b"], [4, 1, False], [400, True], [101, "c"], 301, [100, 101],
    [False, 1], [100, True], [150, 151], [100, 101], [101, 101], ["TypeError", 100], ["EvalError", 100],
]  # fmt: skip


@pytest.mark.parametrize(("code", "seen"), list(zip(OWNERS, SEEN, strict=True)), ids=range(len(OWNERS)))
def test_who_has_the_old_text_keeps_it(box: Sandbox, code: str, seen: object) -> None:
    assert box.eval(f"{{ {code} }}") == seen


@pytest.mark.parametrize("way", ["a variable", "a closure's variable", "its owner"])
def test_it_costs_what_is_appended(box: Sandbox, way: str) -> None:
    fuel = []
    for count in (1000, 7000):
        box.eval(f"globalThis.pieces = Array.from({{ length: {count} }}, () => 'a')")
        before = box.usage.fuel
        assert box.eval(f"(() => {{ {WAYS[way]} }})().length") == count
        fuel.append(box.usage.fuel - before)
    assert fuel[1] < 8.5 * fuel[0]


def test_what_has_no_room_is_put_together_otherwise() -> None:
    with Sandbox(limits=Limits(memory_bytes=32 << 20)) as box:
        assert box.eval("let text = ''; for (let i = 0; i < 600; i++) text += 'abcdefgh'.repeat(1000); text.length") == 4_800_000  # fmt: skip
        assert box.eval("text.slice(2_400_000, 2_400_008) + text.at(-1)") == "abcdefghh"
