"""Expressions that were gone over once more match what they matched: as Python's, or as a table says."""

from __future__ import annotations

import json
import random
import re
from typing import TYPE_CHECKING, Final

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

ONE: Final = (
    "a",
    "b",
    "c",
    "\\d",
    "\\w",
    "\\s",
    "\\S",
    ".",
    "[ab]",
    "[^ab]",
    "[a-c1]",
    "[^\\d\\s]",
    "[\\s\\S]",
    "\\n",
    "ab",
    "abc",
)
NOWHERE: Final = ("^", "$", "\\b", "\\B", "(?=a)", "(?!b)", "(?<=a)", "(?<![bc])", "(?=[ab]c)")
MANY: Final = ("*", "+", "?", "*?", "+?", "??", "{2}", "{1,3}", "{0,2}", "{2,}", "{2,}?", "{1,2}?")


def a_pattern(source: random.Random, depth: int = 0) -> str:
    """One that means the same to both: no group captures in a repetition, and what is repeated is never empty."""
    parts = []
    for _ in range(source.randrange(1, 5)):
        choice = source.random()
        if choice < 0.6 or depth > 2:
            parts.append(source.choice(ONE) + (source.choice(MANY) if source.random() < 0.45 else ""))
        elif choice < 0.7:
            parts.append(source.choice(NOWHERE))
        elif choice < 0.85 and not depth:
            parts.append("(" + "|".join(a_pattern(source, 3) for _ in range(source.randrange(1, 4))) + ")")
        else:
            inner = "|".join(source.choice(ONE) + a_pattern(source, depth + 1) for _ in range(source.randrange(1, 3)))
            parts.append("(?:" + inner + ")" + (source.choice(MANY) if source.random() < 0.6 else ""))
    return "".join(parts)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.parametrize("flags", ["", "i", "m", "s"])
def test_random_patterns_match_as_in_python(box: Sandbox, flags: str, seed: int) -> None:
    source = random.Random(f"{flags}{seed}")
    python = re.ASCII | {"": 0, "i": re.I, "m": re.M, "s": re.S}[flags]
    rows = []
    for _ in range(150):
        pattern = a_pattern(source)
        texts = ["".join(source.choices("abcA1 \n", k=source.randrange(1, 11))) for _ in range(5)]
        rows.append((pattern, texts))
    box.globals["rows"] = json.dumps(rows)
    for wide in ("", "\u0100"):
        box.globals["wide"] = wide
        found = box.eval(
            f"""JSON.parse(rows).map(([pattern, texts]) => texts.map((text) => {{
              const match = new RegExp(pattern, {json.dumps(flags)}).exec(text + wide);
              return match && [match.index, ...match];
            }}))"""
        )
        for (pattern, texts), matches in zip(rows, found, strict=True):
            other = re.compile(pattern if flags == "m" else pattern.replace("$", "\\Z"), python)
            for text, match in zip(texts, matches, strict=True):
                expected = other.search(text + wide)
                assert match == (expected and [expected.start(), expected[0], *expected.groups()]), (pattern, text)


ALL_SETS: Final = "".join(f"[{chr(0x100 + i)}{chr(97 + i % 26)}{i % 10}-9]?" for i in range(90))
TABLE: Final = [
    ("a*a", "aaa", "", "aaa"),
    ("a*ab", "aaac aab", "", "aab"),
    ("[ab]*b[ab]", "aabaa", "", "aaba"),
    ("[ab]{2,3}b", "aaabb", "", "aaab"),
    ("(?:a*?b){2}", "aabab", "", "aabab"),
    ("x*$", "axx", "", "xx"),
    ("x*?$", "axx", "", "xx"),
    ("[^]*?$", "a\nb", "", "a\nb"),
    ("^b", "ab", "", None),
    ("^b|c", "abc", "", "c"),
    ("(?:^|,)b", "a,b", "", ",b"),
    ("^", "", "", ""),
    ("\\w+(?=!)", "abc!", "", "abc"),
    ("\\w+(?!!)\\w", "ab!", "", "ab"),
    ("(?<=a+)b", "aab", "", "b"),
    ("(?<=(?:ab|c)*)d", "ababcd", "", "d"),
    ("(a+)\\1", "aaaaa", "", "aaaa"),
    ("(?:a|ab)(?:c|bcd)", "abcd", "", "abcd"),
    ("\u017f+", "SſS", "iu", "SſS"),
    ("[k-s]+", "\u212aſK", "iu", "\u212aſK"),
    ("[k-s]+", "\u212aK", "i", "K"),
    ("\u00e9+", "ÉÉ", "i", "ÉÉ"),
    ("\u03c3*\u03c2", "ΣΣς", "i", "ΣΣς"),
    (".+", "\U0001f600\U0001f601", "u", "\U0001f600\U0001f601"),
    (".{2}", "\U0001f600\U0001f601", "", "\U0001f600"),
    (".", "\ud83d\U0001f600", "u", "\ud83d"),
    ("[^x]*\U0001f601", "\U0001f600\U0001f601\U0001f602", "u", "\U0001f600\U0001f601"),
    ("\ude00", "\U0001f600", "u", None),
    ("\ude00", "\U0001f600", "", "\ude00"),
    ("(?:)+?a", "ba", "", "a"),
    ("a{0}b", "ab", "", "b"),
    ("[]|a", "ba", "", "a"),
    ("[]", "a", "", None),
    ("^a$", "b\r\na\r\n", "m", "a"),
    ("$", "a\u2028", "m", ""),
    ("^\\s*b", "a\u2029 b", "m", " b"),
    ("(?:a?){3}b", "aab", "", "aab"),
    ("(?i:A+)B", "aaB", "", "aaB"),
    (ALL_SETS, "abcdef", "", "abcdef"),
    ("(?:" + "ab|" * 40 + "x)y", "abababy", "", "aby"),
    ("(?:a|[b-d]|z)+", "xadzbe", "", "adzb"),
    ("(?:a|b|a|B)+", "xabBA", "", "abB"),
    ("(?:k|\u017f)+", "KSs\u212a", "iu", "KSs\u212a"),
    ("(?:a|[^b])+", "acb", "", "ac"),
    ("(?:a|b?)+c", "abac", "", "abac"),
    ("(?:a|)b", "a ab", "", "ab"),
    ("(?:a|)b", "a b", "", "b"),
    ("(?:a|[b-d]|)x", "a d", "", None),
    ("(?:(?:a|)b|)c", "a b abc", "", "abc"),
    ("(?:a|)(?:b|)c", "a b c", "", "c"),
    ("(?:a|)b|c", "a b", "", "b"),
    ("((?:a|)b|c)d", "ad bd", "", "bd"),
    ("(?:a|b)|(?:c|)d", "c d", "", "d"),
    ("(?:a|)b", "A B", "i", "B"),
    ("(a|b)\\1", "abb", "", "bb"),
    ("(?<=(?:a|b)+)c", "abc", "", "c"),
    ("(?:\u4e00|b|\U0001f600)+", "\U0001f600b\u4e00", "u", "\U0001f600b\u4e00"),
    ("|".join(chr(0x100 + 2 * i) for i in range(80)), "\u0101\u0102", "", "\u0102"),
    ("q" * 300, "q" * 301, "", "q" * 300),
    ("a|" * 20000 + "b", "ccb", "", "b"),
    ("(?:z+)+y", "zzzy", "", "zzzy"),
    ("\\d{1,3}(?:\\.\\d{1,3}){3}", "at 10.0.255.1:", "", "10.0.255.1"),
]  # fmt: skip


@pytest.mark.parametrize(("pattern", "text", "flags", "expected"), TABLE, ids=range(len(TABLE)))
def test_a_table(box: Sandbox, pattern: str, text: str, flags: str, expected: str | None) -> None:
    found = f"({json.dumps(text)}.match(new RegExp({json.dumps(pattern)}, '{flags}')) ?? [null])[0]"
    assert box.eval(f"{found} === {json.dumps(expected)}") is True


LINEAR: Final = {
    "a class to an end that it lacks": ("/\\{\\{[^}]*\\}\\}/g", "'{{name}} '"),
    "repeated groups": ("/(?:\\w+\\s)+/", "'ab c '"),
    "alternatives": ("/(?:info|error|warn)x/g", "'info error '"),
    "to the end of the line": ("/a.*$/gm", "'abc\\n'"),
    "the beginning of the text": ("/^z/g", "'abc '"),
    "a text": ("/needle/g", "'haystack '"),
}


@pytest.mark.parametrize("case", LINEAR)
def test_what_can_be_told_by_one_character_costs_what_the_text_is_long(box: Sandbox, case: str) -> None:
    pattern, piece = LINEAR[case]
    fuel = []
    for count in (1000, 8000):
        box.eval(f"globalThis.text = {piece}.repeat({count}); text.charCodeAt(0)")
        before = box.usage.fuel
        box.eval(f"(text.match({pattern}) ?? []).length")
        fuel.append(box.usage.fuel - before)
    assert fuel[1] < 10 * fuel[0]
