"""What programs do with regular expressions comes to the same on short ways and as the standard describes it."""

from __future__ import annotations

from typing import Final

import pytest

from sandbox import Sandbox

# A subclass whose `exec` is its own takes the long way everywhere.
LONG: Final = "class Long extends RegExp { exec(text) { return super.exec(text) } }"

PATTERNS: Final = (
    "a", "", "a*", "(a)|(b)", "(?<x>a)(?<y>b)?", "(?<x>a)|(?<x>b)", "^", "$", "\\b", "(?=b)", "(?<=a)", "x*?", "[^]", "(a)(b)(c)(\\d)",
    "\\ud83d", "(?:)", "zz", "((((((((((((a))))))))))))", "\\s+", "(b)\\1",
)  # fmt: skip
FLAGS: Final = ("", "g", "y", "gy", "gu", "u", "v", "d", "gi")
TEXTS: Final = (
    "", "a", "abab", "aab bb\na", "b", "\U0001f600a\U0001f600", "abc1 abc2", "\u4e00a\u4e00b", "zz top", "\ud83d", "aA\xe9"
)  # fmt: skip
PUT: Final = (
    "''", "'-'", "'[$&]'", "'$1$2'", "'$01$10$00$3'", "'$$$`$\\'$'", "'$<x>$<z>$<'", "'\\u4e00'", "(...all) => JSON.stringify(all)",
    "() => '$&'", "() => undefined", "5",
)  # fmt: skip


@pytest.mark.parametrize("flags", FLAGS)
def test_both_ways_come_to_the_same(box: Sandbox, flags: str) -> None:
    for name, value in {"patterns": PATTERNS, "texts": TEXTS, "flags": flags}.items():
        box.globals[name] = value
    differing = box.eval(
        f"""
        {LONG}
        const puts = [{",".join(PUT)}], differing = [];
        const uses = {{
          match: (re, text) => text.match(re), search: (re, text) => text.search(re), test: (re, text) => [re.test(text), re.test(text)],
          exec: (re, text) => [re.exec(text), re.exec(text)], all: (re, text) => [...text.matchAll(re)],
          split: (re, text) => text.split(re), some: (re, text) => [0, 1, 2, -1].map((limit) => text.split(re, limit)),
        }};
        for (const put of puts) {{
          uses["replace " + put] = (re, text) => text.replace(re, put);
          uses["replaceAll " + put] = (re, text) => text.replaceAll(re, put);
        }}
        const shown = (value) => JSON.stringify(value, (key, x) =>
          Array.isArray(x) && "index" in x ? {{ all: [...x], index: x.index, groups: x.groups, input: x.input, indices: x.indices }} : x);
        const outcome = (use, re, text, at) => {{
          re.lastIndex = at;
          try {{ return shown([use(re, text), re.lastIndex]) }} catch (error) {{ return error.name }}
        }};
        for (const pattern of patterns) for (const text of texts) for (const [name, use] of Object.entries(uses))
          for (const at of [0, 1, 9]) {{
            const short = outcome(use, new RegExp(pattern, flags), text, at), long = outcome(use, new Long(pattern, flags), text, at);
            if (short !== long) differing.push([pattern, text, name, at, short, long]);
          }}
        differing.slice(0, 5)
        """
    )
    assert differing == []


CHANGES: Final = {
    "exec of the prototype": "RegExp.prototype.exec = function () { return null }",
    "exec of the expression": "re.exec = () => null",
    "exec, once more": "const exec = RegExp.prototype.exec; RegExp.prototype.exec = function (text) { seen = true; return exec.call(this, text) }",
    "no exec": "delete RegExp.prototype.exec",
    "a flag": "Object.defineProperty(RegExp.prototype, 'global', { get() { seen = true; return false } })",
    "a flag of the expression": "Object.defineProperty(re, 'unicode', { get() { seen = true; return true } })",
    "no flag": "delete RegExp.prototype.sticky",
    "flags": "Object.defineProperty(RegExp.prototype, 'flags', { get() { seen = true; return '' } })",
    "the species": "Object.defineProperty(RegExp, Symbol.species, { get() { seen = true; return RegExp } })",
    "the constructor": "RegExp.prototype.constructor = class Own extends RegExp { constructor(...all) { super(...all); seen = true } }",
    "a frozen expression": "Object.freeze(re)",
    "an index that is read": "re.lastIndex = { valueOf() { seen = true; return 0 } }",
    "a negative index": "re.lastIndex = -5",
    "another prototype": "Object.setPrototypeOf(re, Object.create(RegExp.prototype, { exec: { value() { seen = true; return null } } }))",
    "what is a match": "RegExp.prototype[Symbol.match] = function () { seen = true; return 7 }",
    "what replaces": "RegExp.prototype[Symbol.replace] = function () { seen = true; return 7 }",
}
USES: Final = ("'abab'.match(re)", "'abab'.search(re)", "re.test('abab')", "[...'abab'.matchAll(re)]", "'abab'.split(re)", "'abab'.replace(re, '-')", "'abab'.replace(re, (x) => x + x)")  # fmt: skip
OTHER_WAY: Final = "Object.defineProperty(RegExp.prototype, 'hasIndices', { get() { return false } });"


@pytest.mark.parametrize("change", CHANGES)
def test_what_a_program_has_changed_is_asked(change: str) -> None:
    """The other spelling replaces one more getter by one that gives the same, which alone keeps to the long way."""
    for use in USES:
        outcomes = []
        for before in ("", OTHER_WAY):
            with Sandbox() as box:
                code = f"let seen = false; const re = /b/g; {before} {CHANGES[change]}; let out; try {{ out = {use} }} catch (error) {{ out = error.name }} JSON.stringify([out, seen])"
                outcomes.append(box.eval(code))
        assert outcomes[0] == outcomes[1], use


def test_all_is_found_before_a_function_is_called(box: Sandbox) -> None:
    assert box.eval("const re = /a(?<n>.)/g; 'a1a2a3'.replace(re, (m, n, at, text, groups) => { re.compile('x'); re.lastIndex = 99; text = ''; return n + groups.n })") == "112233"  # fmt: skip
    assert box.eval("const all = []; 'a1a2'.replace(/(?<n>\\d)/g, (...x) => { x.at(-1).own = 1; all.push(x.at(-1)); return '' }); JSON.stringify(all)") == '[{"n":"1","own":1},{"n":"2","own":1}]'  # fmt: skip
    assert box.eval("try { 'aaa'.replace(/a/g, () => { throw new EvalError('no') }) } catch (error) { error.message }") == "no"  # fmt: skip


def test_pieces_cost_what_the_text_is_long(box: Sandbox) -> None:
    """An expression is tried once for each piece, and not at each character."""
    box.eval("const text = 'abcdefghi'.repeat(20000)")
    before = box.usage.fuel
    assert box.eval("text.split(/z/).length + text.split(/i/).length") == 20002
    assert box.usage.fuel - before < 60_000_000  # at each character, it would be ten times that
