"""The capability of the test environment: what its host answers, and that a guest's nonsense is refused."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest

from sandbox import JSError, Sandbox
from sandbox._dispatch import enter, evaluate
from sandbox.capabilities.testing import SuiteListener, TestingCapability

TEST = "import {test, expect} from 'sandbox:test'; test('a', () => { expect(1).toMatchSnapshot('hint') })"


class Listener:
    """Notes what it is asked."""

    def __init__(self) -> None:
        self.asked: list[Any] = []

    def match(self, test: int, hint: str, text: str, inline: str | None, place: str | None) -> Any:
        self.asked.append((test, hint, text, inline, place))
        return False, "2", "it differs"

    def ended(self, test: int, errors: Sequence[Any], milliseconds: float) -> None:
        self.asked.append((test, list(errors), milliseconds >= 0))


def test_the_listener_is_asked_for_snapshots() -> None:
    listener = Listener()
    assert isinstance(listener, SuiteListener)
    with Sandbox(testing=listener) as box:
        box._perform(evaluate(box._driver, TEST, "/a.js"))
        (error,) = box._perform(enter(box._driver, "testing.piece", "body", 1, 1000))
    assert listener.asked == [(1, "hint", "1", None, None)]
    assert error[1].endswith("it differs")
    assert error[4:6] == ["2", "1"]


def test_the_listener_is_told_of_tests_beside_others() -> None:
    listener = Listener()
    with Sandbox(testing=listener) as box:
        box._perform(evaluate(box._driver, TEST.replace("test('a'", "test.concurrent('a'"), "/a.js"))
        box._perform(enter(box._driver, "testing.together", [1], 1000))
    assert listener.asked[0][0] == 1
    assert "concurrent tests" in listener.asked[0][1][0][1]


def test_without_a_listener_no_snapshot_fits() -> None:
    with Sandbox(testing=True) as box:
        box._perform(evaluate(box._driver, TEST, "/a.js"))
        (error,) = box._perform(enter(box._driver, "testing.piece", "body", 1, 1000))
    assert error[1].endswith("this sandbox keeps no snapshots")


@pytest.mark.parametrize("name", ["sandbox:test", "vitest", "@jest/globals"])
def test_names_of_the_module(name: str) -> None:
    with Sandbox(testing=True, modules={"vitest": "throw 1", "@jest/globals": "throw 1"}) as box:
        assert box.module(f"import {{expect}} from '{name}'; export default typeof expect")["default"] == "function"


@pytest.mark.parametrize("option", [1, "yes", object()])
def test_what_is_no_listener(option: Any) -> None:
    with pytest.raises(TypeError, match="testing must be a bool or a SuiteListener"):
        Sandbox(testing=option)


@pytest.mark.parametrize(
    ("operation", "arguments"),
    [
        ("match", (True, "", "", None, None)),
        ("match", ("1", "", "", None, None)),
        ("match", (1, None, "", None, None)),
        ("match", (1, "", 5, None, None)),
        ("match", (1, "", "", 5, None)),
        ("match", (1, "", "", None, 5)),
        ("match", (1, "", "x" * (1 << 21), None, None)),
        ("ended", (None, [], 1)),
        ("ended", (1, {}, 1)),
        ("ended", (1, [], "1")),
    ],
)
def test_nonsense_is_refused(operation: str, arguments: tuple[Any, ...]) -> None:
    listener = Listener()
    with pytest.raises((TypeError, ValueError)):
        TestingCapability(listener).handlers()[operation](*arguments)
    assert listener.asked == []


def test_a_sandbox_that_was_not_granted_it_does_not_have_it() -> None:
    with Sandbox() as box, pytest.raises(JSError, match="no modules"):
        box.module("import 'vitest'")
