"""What the tests of the bindings share: a sandbox whose clock and randomness repeat, and the console it writes to."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from sandbox import ConsoleEntry, Sandbox

# What `refused` gives for code that fails: the class it was made by, its name and its message.
_CATCH = """
(() => {
  try {
    %s;
  } catch (error) {
    return error.constructor.name + " " + error.name + ": " + error.message;
  }
  return "nothing was thrown";
})()
"""


@pytest.fixture
def entries() -> list[ConsoleEntry]:
    """What `box` has written to its console."""
    return []


@pytest.fixture
def box(entries: list[ConsoleEntry]) -> Iterator[Sandbox]:
    """A sandbox on the virtual clock, with a seed."""
    with Sandbox(clock="virtual", seed=1, console=entries.append) as box:
        yield box


@pytest.fixture
def refused(box: Sandbox) -> Callable[[str], str]:
    """Run statements that must fail; the failure as text."""

    def run(code: str) -> str:
        text: Any = box.eval(_CATCH % code)
        assert isinstance(text, str)
        return text

    return run


@pytest.fixture
def logged(box: Sandbox, entries: list[ConsoleEntry]) -> Callable[[str], list[str]]:
    """Run code; the text of each entry it writes."""

    def run(code: str) -> list[str]:
        del entries[:]
        box.eval(code)
        return [entry.text for entry in entries]

    return run
