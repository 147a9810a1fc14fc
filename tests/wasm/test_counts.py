"""What the compiler is told of how often lines run."""

from __future__ import annotations

from collections import Counter

import pytest

from wasm.build import Inputs
from wasm.counts import SHARE, SMALL, Counts, Function, parse, profile


def function(entries: int, **lines: int) -> Function:
    """`_3=5`: three lines below its name, five times."""
    return Function(entries, Counter({int(line[1:]): count for line, count in lines.items()}))


def of(**functions: Function) -> Counts:
    return {("a.c", name): each for name, each in functions.items()}


def test_each_program_counts_as_much_as_the_others() -> None:
    short = of(f=function(1, _0=1, _2=3), g=function(0, _0=0))
    long = of(f=function(0, _0=0, _2=0), g=function(1000, _0=1000))

    told = parse(profile([short, long]))

    assert told["f"] == function(SHARE // 4, _0=SHARE // 4, _2=SHARE * 3 // 4)
    assert told["g"] == function(SHARE, _0=SHARE)


def test_what_never_ran_is_not_told_of_but_lines_of_what_did_are() -> None:
    assert parse(profile([of(f=function(1, _0=1, _4=0), g=function(0, _0=0))])) == {
        "f": function(SHARE, _0=SHARE, _4=0),
    }


def test_what_ran_seldom_ran() -> None:
    counts = of(f=function(1, _0=1), g=function(SHARE, _0=SHARE * 10))
    assert parse(profile([counts]))["f"] == function(1, _0=1)


def test_functions_of_one_name_in_two_files_are_left_out() -> None:
    f = function(1, _0=1)
    assert parse(profile([{("a.c", "f"): f, ("b.c", "f"): f, ("b.c", "g"): f}])).keys() == {"g"}


@pytest.mark.parametrize("name", ["call_bytecode", "js_parse_unary"])
def test_of_some_only_which_lines_ran(name: str) -> None:
    counts = of(f=function(100, _0=100), **{name: function(50, _0=50, _1=0, _2=5000)})
    assert parse(profile([counts]))[name] == function(1, _0=1, _1=0, _2=1)


def test_a_name_may_have_colons() -> None:
    counts = {("a.cpp", "ada::url::parse(char)"): function(1, _0=1)}
    assert parse(profile([counts])).keys() == {"ada::url::parse(char)"}


@pytest.mark.parametrize("text", ["f:1", " 1: 2\n", "f:1:x\n", "f:1:1\n 1: many\n"])
def test_another_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="profile"):
        parse(text)


def test_the_profile_of_the_guest_is_one() -> None:
    """What it is told of are functions of the engine, of the libraries, and ours."""
    told = parse(Inputs().profile.read_text(encoding="utf-8"))

    assert {"call_bytecode", "json_parse_value", "lre_exec", "encode_object"} <= told.keys()
    assert all(max(each.lines.values()) <= 1 for name, each in told.items() if SMALL.fullmatch(name))
    assert max(each.lines.total() for each in told.values()) > SHARE / 10
