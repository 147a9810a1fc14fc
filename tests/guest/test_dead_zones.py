"""Uses of `let`, `const` and classes: those that may come before the declaration look, whichever way they are reached.

`wasm/src/dead_zones.h` takes the look away where no way leads around the declaration.
"""

from __future__ import annotations

import pytest

from sandbox import JSError, Sandbox

# In a function each; every one of them uses something before its declaration was evaluated.
EARLY = {
    "before": "use; let use = 1",
    "typeof": "typeof use; let use",
    "assigned before": "use = 1; let use",
    "constant": "use; const use = 1",
    "own initializer": "let use = use",
    "own initializer, later part": "let use = (1, use + 1)",
    "class": "new Use(); class Use {}",
    "class in its heritage": "class Use extends Use {}",
    "pattern's own default": "const [use = use] = []",
    "pattern's later name": "const [first = use, use] = []",
    "initializer of a pattern": "const { use } = use",
    "initializer of a list pattern": "let [use] = [use]",
    "key of a pattern": "const { [use]: use } = {}",
    "head of for-of": "for (const use of [use]) {}",
    "head of for-of with a pattern": "for (const { use } of [use]) {}",
    "head of for-in": "for (const use in { use }) {}",
    "initializer of for": "for (let use = use; ;) break",
    "another case": "switch (2) { case 1: let use; break; case 2: use }",
    "another case, assigned": "switch (2) { case 1: let use = 1; case 2: break; default: } switch (1) { case 0: let use; case 1: use = 2 }",
    "default before": "switch (3) { default: use; case 1: let use = 1 }",
    "second turn of a loop": "for (let i = 0; i < 2; i++) { if (i) use; let use = 1 }",
    "second turn of while": "let i = 0; while (i < 2) { if (i++) { use } const use = i; use }",
    "second turn, by continue": "for (let i = 0; i < 2; i++) { if (i === 0) { continue } use; let use = 1; use }",
    "after it threw": "try { let i = 0; for (;;) { if (i) use; let use = i++ } } finally { }",
    "caught": "{ let seen; try { seen = later(); } catch { throw later } let later = () => 1 }",
    "closure called too soon": "const call = () => use; call(); let use = 1",
    "closure in a loop": "const all = []; for (let i = 0; i < 2; i++) { all.push(() => use); if (i) all[1](); let use = 1 }",
    "hoisted function": "call(); let use = 1; function call() { return use }",
    "direct eval": "eval('use'); let use = 1",
    "finally": "try { return } finally { use } let use = 1",
    "label": "outer: { break outer; } use; let use = 1",
    "shadowed": "let use = 1; { use; let use = 2 }",
    "parameter after": "((first = use, use) => first)()",
    "switch in a loop": "for (const step of [1, 2]) { switch (step) { case 2: use; break; case 1: let use = 1 } }",
    "conditional declaration of a case": "switch (0) { case 0: if (true) break; let use; } switch (1) { case 0: const use = 1; default: use }",
}
# What these make, and no use of them is early.
LATE = {
    "loop": ("let total = 0; for (let i = 0; i < 5; i++) { const twice = i * 2; total += twice } return total", 20),
    "loops in loops": (
        "let total = 0; for (let i = 0; i < 3; i++) for (let j = i; j < 3; j++) { let k = i * j; k++; total += k } return total",
        13,
    ),
    "assignments": ("let a = 1; a += 2; a *= 3; a++; a -= 1; const b = a--; return [a, b].join()", "8,9"),
    "strings": ("let text = ''; for (const part of ['a', 'b']) { text += part; text += 1 } return text", "a1b1"),
    "captured by each turn": (
        "const all = []; for (let i = 0; i < 3; i++) { let own = i; all.push(() => own++ + i) } return all.map(f => f() + f()).join()",
        "1,5,9",
    ),
    "switch": ("switch (1) { case 0: let x; case 1: x = 5; return x }", "ReferenceError"),
    "try": ("let x = 1; try { x = 2; throw 0 } catch { x += 10 } finally { x += 100 } return x", 112),
    "declared in try": ("try { const x = 4; return x } finally { const x = 5; x }", 4),
    "break and continue": (
        "let n = 0; outer: for (let i = 0; i < 4; i++) { for (let j = 0; ; j++) { if (j > i) continue outer; if (i === 3) break outer; n += j } } return n",
        4,
    ),
    "pattern": ("const { a, b: [c = a] } = { a: 2, b: [] }; let [d, ...e] = [a, c, 7]; return [a, c, d, e].join()", "2,2,2,2,7"),
    "class": ("class A { static one = 1; two() { return A.one + 1 } } let a = new A(); return a.two()", 2),
    "derived": ("class A { constructor() { this.x = 1 } } class B extends A { constructor() { const y = 2; super(); this.x += y } } return new B().x", 3),
    "generator": ("function* f() { let x = 1; while (x < 4) { const y = yield x; x += y } } const g = f(); g.next(); return [g.next(1).value, g.next(1).value].join()", "2,3"),
    "direct eval": ("let x = 1; eval('x = 5'); return x", 5),
    "order of an addition": ("let x = 'a'; x += { valueOf() { x = 'b'; return 'c' } }; return x", "ac"),
    "order of an addition of numbers": ("let x = 1; x += { valueOf() { x = 10; return 2 } }; return x", 3),
    "many variables": (
        "let out = 0;" + "".join(f"let v{n} = {n}; out += v{n};" for n in range(600)) + "return out",
        sum(range(600)),
    ),
}  # fmt: skip


@pytest.mark.parametrize("code", EARLY.values(), ids=EARLY.keys())
def test_early_use_is_a_reference_error(box: Sandbox, code: str) -> None:
    with pytest.raises(JSError) as caught:
        box.eval(f"(() => {{ {code} }})()")
    assert caught.value.name == "ReferenceError"


@pytest.mark.parametrize("code", EARLY.values(), ids=EARLY.keys())
def test_early_use_is_one_in_generators_and_asynchronous_functions(box: Sandbox, code: str) -> None:
    assert (
        box.eval(f"try {{ (function* () {{ {code} }})().next() }} catch (error) {{ error.name }}") == "ReferenceError"
    )
    assert box.eval(f"(async () => {{ {code} }})().catch((error) => error.name)") == "ReferenceError"


@pytest.mark.parametrize(("code", "value"), LATE.values(), ids=LATE.keys())
def test_late_use(box: Sandbox, code: str, value: object) -> None:
    program = f"(() => {{ try {{ return (() => {{ {code} }})() }} catch (error) {{ return error.name }} }})()"
    assert box.eval(program) == value
    assert box.eval(program) == value
