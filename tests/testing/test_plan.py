"""What a guest says of its tests is checked: a guest that owns its engine says anything."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.errors import GuestProtocolError
from sandbox.testing.plan import Hooks, read_plan
from sandbox.testing.results import read_errors

ROOT = [-1, True, "", "run", -1, -1, False, False, "", 0]
TEST = [0, False, "a", "run", -1, -1, False, False, "    at x (/a.js:3:4)", 0]


def changed(at: int, value: Any) -> list[Any]:
    return [*TEST[:at], value, *TEST[at + 1 :]]


def test_a_plan() -> None:
    plan = read_plan([ROOT, changed(4, 250), [*ROOT[:9], 5][:0] or [0, True, "s", "skip", -1, 2, False, False, "", 5]])
    test, suite = plan.nodes[1:]
    assert (test.timeout_ms, test.retries, test.place and test.place.line) == (250.0, None, 3)
    assert (suite.retries, suite.hooks) == (2, Hooks.BEFORE_ALL | Hooks.AFTER_EACH)
    assert plan.path(test) == ("a",)
    assert plan.children == {0: [test, suite], 2: []}


@pytest.mark.parametrize(
    "answer",
    [
        None,
        [],
        [TEST],
        [[0, *ROOT[1:]]],
        [ROOT, TEST[:9]],
        [ROOT, changed(0, 1)],
        [ROOT, changed(0, -1)],
        [ROOT, TEST, changed(0, 1)],
        [ROOT, changed(0, True)],
        [ROOT, changed(1, 1)],
        [ROOT, changed(2, 5)],
        [ROOT, changed(3, "other")],
        [ROOT, changed(4, float("nan"))],
        [ROOT, changed(4, float("inf"))],
        [ROOT, changed(4, "1")],
        [ROOT, changed(5, 1000)],
        [ROOT, changed(6, None)],
        [ROOT, changed(7, 1)],
        [ROOT, changed(8, None)],
        [ROOT, changed(9, 16)],
    ],
)
def test_what_is_no_plan(answer: Any) -> None:
    with pytest.raises(GuestProtocolError):
        read_plan(answer)


def test_long_names_are_cut() -> None:
    assert len(read_plan([ROOT, changed(2, "x" * 1_000_000)]).nodes[1].name) == 10_001


ERROR: list[Any] = ["Error", "m", "", None, None, None, []]


@pytest.mark.parametrize(
    "answer",
    [
        None,
        {},
        [None],
        [ERROR[:6]],
        [[1, *ERROR[1:]]],
        [[*ERROR[:3], 5, None, None, []]],
        [[*ERROR[:6], None]],
        [[*ERROR[:6], [["a", "b"]]]],
        [[*ERROR[:6], [["a", "b", 3]]]],
        [["x" * (1 << 19), *ERROR[1:]]],
    ],
)
def test_what_is_no_error(answer: Any) -> None:
    with pytest.raises(GuestProtocolError):
        read_errors(answer, {})


def test_only_so_many_errors_are_kept() -> None:
    assert len(read_errors([ERROR] * 1000, {})) == 50
    assert len(read_errors([[*ERROR[:6], [["a", "b", ""]] * 100]], {})[0].causes) == 8
