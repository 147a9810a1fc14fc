"""Who holds an object is found, however far away."""

from __future__ import annotations

import gc
import threading
import weakref
from collections.abc import Iterator
from queue import SimpleQueue

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import CpuLimitExceeded
from tests.soak.canary import Canary
from tests.soak.holders import holders, threads


@pytest.fixture(autouse=True)
def _modules_are_seen() -> Iterator[None]:
    """What tests/left_out.py leaves out of garbage collection refers to nothing, as far as Python can tell."""
    gc.unfreeze()
    yield
    gc.freeze()


class _Held:
    """Something to hold."""


_kept: list[object] = []


def test_a_module() -> None:
    held = _Held()
    _kept.append({"a key": [held, held]})
    try:
        said = holders(held)
    finally:
        _kept.clear()
    assert "module 'tests.soak.test_holders'" in said
    assert "under ['a key']" in said


def test_a_thread() -> None:
    def waits(held: object) -> None:
        assert held
        inbox.get()

    inbox, held = SimpleQueue[None](), _Held()
    thread = threading.Thread(target=waits, args=({"it": held},))
    thread.start()
    try:
        said = holders(held)
    finally:
        inbox.put(None)
        thread.join()
    assert "waits" in said
    assert "under ['it']" in said


def test_a_finalizer_that_keeps_the_collector() -> None:
    begun, done = threading.Event(), threading.Event()

    class Keeps:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            begun.set()
            done.wait()

    def collects() -> None:
        Keeps()
        gc.collect()

    assert not threads().startswith("the collector")
    thread = threading.Thread(target=collects)
    thread.start()
    try:
        begun.wait()
        said = threads()
    finally:
        done.set()
        thread.join()
    assert said.startswith("the collector is at work on another thread")
    assert "in __del__" in said


def test_an_exception_that_is_raised_no_more() -> None:
    """Its frames hold what was at work, and whoever holds it is told of."""

    def works(held: object) -> None:
        raise ValueError("kept")

    def kept() -> Iterator[Exception]:
        try:
            works(_Held())
        except ValueError as error:
            yield error

    error = next(kept())
    assert error.__traceback__ is not None
    assert error.__traceback__.tb_next is not None
    said = holders(error.__traceback__.tb_next.tb_frame.f_locals["held"])
    assert "ValueError('kept')" in said
    assert "test_an_exception_that_is_raised_no_more" in said


def test_a_canary_that_rests_holds_nobody() -> None:
    canary = Canary()
    try:
        with pytest.raises(CpuLimitExceeded) as caught, Sandbox(limits=Limits(cpu_seconds=0.01)) as box:
            box.eval("for (;;);")
        who = weakref.ref(box)
        canary._carry([caught.value])
        del box, caught
        assert "CpuLimitExceeded" in holders(who())
        canary.rest()
        gc.collect()
        assert who() is None
    finally:
        canary.close()
