"""The thread that makes sandboxes before somebody wants them, and what goes on without it."""

from __future__ import annotations

import threading
from typing import Any

import pytest

from sandbox import Pool, Template
from sandbox.pool import stock
from tests.pool.other_threads import until


def test_the_thread_outlives_what_it_cannot_make() -> None:
    given: list[dict[str, Any]] = []

    def own() -> dict[str, Any]:
        if given:
            raise OSError("no more")
        return {}

    with Pool(Template(own=own), size=2) as pool:
        with pool.take():
            pass
        until(lambda: pool.stats().warm == 2)
        given.append({})
        with pool.take(), pool.take():
            pass
        until(lambda: not stock._keeper._pending)
        with pytest.raises(OSError, match="no more"), pool.take():
            raise AssertionError
        assert pool.stats().in_use == 0
        given.clear()
        with pool.take() as box:
            assert box.eval("1") == 1
        until(lambda: pool.stats().warm == 2)


def test_the_thread_outlives_what_would_end_one() -> None:
    makers: list[threading.Thread] = []

    def own() -> dict[str, Any]:
        makers.append(threading.current_thread())
        if len(makers) > 3 and makers[-1].name == "sandbox-pool":
            raise SystemExit
        return {}

    with Pool(Template(own=own), size=1) as pool, pool.take():
        until(lambda: makers[-1].name == "sandbox-pool")
    with Pool(size=1) as pool:
        with pool.take():
            pass
        until(lambda: pool.stats().warm == 1)


def test_where_no_thread_can_be_started_each_is_made_when_it_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """As at the interpreter's end, or when the system gives no more threads."""

    def refuse(_thread: threading.Thread) -> None:
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(stock, "_keeper", stock._Keeper())
    with Pool(size=1) as pool:
        with monkeypatch.context() as without_threads:
            without_threads.setattr(threading.Thread, "start", refuse)
            for _ in range(2):
                with pool.take() as box:
                    assert box.eval("1") == 1
            assert pool.stats().warm == 0
        with pool.take():
            pass
        until(lambda: pool.stats().warm == 1)
        stock._keeper.stop()
