"""The generator of programs: repeatable, and no rule is left out."""

from __future__ import annotations

import subprocess
import sys
from random import Random

import pytest

from sandbox import Sandbox
from sandbox.errors import JSSyntaxError
from tests.soak.grammar import Grammar, Production
from tests.soak.lives import Life
from tests.soak.programs import GRAMMAR, PRELUDE, program

_PROGRAMS = 1_200
_KINDS = ("program", "attack", "module_program", "function")


def test_a_seed_gives_one_text_in_every_process() -> None:
    code = "from tests.soak.lives import Life; print([Life.from_seed(seed) for seed in range(30)])"
    here = str([Life.from_seed(seed) for seed in range(30)])
    for hash_seed in ("1", "2"):
        there = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            text=True,
            check=True,
            env={"PYTHONPATH": ":".join(sys.path), "PYTHONHASHSEED": hash_seed},
        )
        assert there.stdout.strip() == here


def test_seeds_give_different_texts() -> None:
    assert len({program(Random(seed)) for seed in range(200)}) > 190


def test_every_production_is_used() -> None:
    used: set[Production] = set()
    for seed in range(_PROGRAMS):
        program(Random(seed), _KINDS[seed % len(_KINDS)], used)
    missing = GRAMMAR.productions - used
    # The rest are choices among many words, such as the names of constructors: the chance of each is looked at alone.
    assert len(missing) < len(GRAMMAR.productions) / 4
    for kind in {kind for kind, _ in missing}:
        for seed in range(500):
            GRAMMAR.write(kind, Random(seed), depth=3, budget=3, used=used)
    assert not [GRAMMAR.text_of(production) for production in GRAMMAR.productions - used]


def test_most_programs_are_javascript() -> None:
    wrong = 0
    with Sandbox() as box:
        parse = box.eval("text => { new (async () => {}).constructor(text) }")
        for seed in range(300):
            text = program(Random(seed))
            try:
                parse(text)
            except JSSyntaxError:
                wrong += 1
    assert 5 < wrong < 60


def test_the_prelude_declares_every_variable() -> None:
    names = {GRAMMAR.text_of(("variable", index)) for kind, index in GRAMMAR.productions if kind == "variable"}
    with Sandbox() as box:
        box.eval(PRELUDE)
        assert names <= set(box.globals)


@pytest.mark.parametrize(
    ("rules", "text"),
    [
        ({"a": ["@b"]}, "no rule for b"),
        ({"a": ["x@a"], "b": ["y"]}, "without end for a"),
        ({"a": ["@b", "x"], "b": ["@c"], "c": ["@b"]}, "without end for a, b, c"),
    ],
)
def test_rules_that_cannot_be_written(rules: dict[str, list[str]], text: str) -> None:
    with pytest.raises(ValueError, match=text):
        Grammar(rules, {})


def test_every_text_ends() -> None:
    grammar = Grammar({"a": ["(@a @b)", "(@b @a)", "@b"], "b": ["[@a]", "x"]}, {})
    for seed in range(100):
        shallow = grammar.write("a", Random(seed), depth=3, budget=1_000)
        assert shallow.count("(") + shallow.count("[") <= 2**3
        short = grammar.write("a", Random(seed), depth=1_000, budget=10)
        assert len(short) < 200
