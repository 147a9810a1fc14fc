"""What garbage collection leaves out: the tests themselves, and what has come to stay. A plugin of pytest.

Many tests ask for a collection. With all tests and what they import it would take most of a second each time.
"""

from __future__ import annotations

import gc
import time
from collections.abc import Generator
from typing import Any, Final

import pytest

_LONG_SECONDS: Final = 0.04  # of CPU time

_began: float = 0.0
_was_long: bool = False


def _on_collection(phase: str, facts: dict[str, int]) -> None:
    global _began, _was_long
    if facts["generation"] < 2:
        return
    if phase == "start":
        _began = time.thread_time()
    elif time.thread_time() - _began > _LONG_SECONDS:
        _was_long = True


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, Any, Any]:
    """Look for no garbage meanwhile: little of what is made then is any, and looking takes a quarter of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


def pytest_collection_finish() -> None:
    """Leave the tests out."""
    gc.collect()
    gc.freeze()
    gc.callbacks.append(_on_collection)


def pytest_runtest_logstart() -> None:
    """Between two tests, where a collection has taken long: leave out what is there."""
    global _was_long
    if _was_long:
        gc.collect()
        gc.freeze()
        _was_long = False


@pytest.hookimpl(tryfirst=True)
def pytest_sessionfinish() -> None:
    """Put all of it back: plugins look at what refers to what."""
    if _on_collection in gc.callbacks:
        gc.callbacks.remove(_on_collection)
    gc.unfreeze()
