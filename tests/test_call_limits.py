"""What the calls of one run may use, and what is counted of them."""

from __future__ import annotations

import time
from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from sandbox import Blob, Call, CallLimits, HostFunction, JSError, JSMap, JSSet, Limits, Sandbox, undefined
from sandbox.calls import payload_bytes
from sandbox.errors import CallLimitExceeded
from sandbox.values import BigInt
from tests.called import FUNCTIONS, later, never
from tests.faces import evaluate

TRIED = "try { for (;;) await f('xxxxxxxxxx') } catch (e) { leak(String(e)) } finally { leak('finally') }"


@pytest.mark.parametrize("function", [lambda text: text, later], ids=["plain", "async"])
@pytest.mark.parametrize(
    ("limits", "unit", "made"),
    [
        ({"f": CallLimits(calls=3)}, "calls", 3),
        ({"*": CallLimits(calls=3)}, "calls", 3),
        ({"f": CallLimits(calls=0)}, "calls", 0),
        ({"f": CallLimits(bytes=50)}, "bytes", 3),
        ({"f": CallLimits(calls=3), "*": CallLimits(calls=2)}, "calls", 2),
        ({"other": CallLimits(calls=0), "f": CallLimits(calls=4)}, "calls", 4),
    ],
    ids=["calls", "pattern", "none", "bytes", "both", "another"],
)
def test_limits_of_calls(face: str, function: Any, limits: dict[str, CallLimits], unit: str, made: int) -> None:
    leaked: list[str] = []
    count = 0

    def on_call(call: Call) -> None:
        nonlocal count
        count += call.name == "f"

    with pytest.raises(CallLimitExceeded) as caught:
        evaluate(
            face,
            TRIED,
            functions={"f": function, "leak": leaked.append},
            call_limits=limits,
            on_call=on_call,
        )
    assert (caught.value.unit, caught.value.op) == (unit, "f")
    assert set(leaked) <= {"AbortError: the run that waited for this was ended", "finally"}
    assert caught.value.used is not None
    assert caught.value.used > caught.value.limit
    assert count == made


def test_an_answer_that_is_too_large_never_arrives(face: str) -> None:
    leaked: list[str] = []
    for code in ("f()", "await g()"):
        with pytest.raises(CallLimitExceeded, match="200 bytes"):
            evaluate(
                face,
                f"try {{ leak({code}) }} catch (e) {{ leak(String(e)) }}",
                functions={"f": lambda: "x" * 200, "g": partial(later, "x" * 200), "leak": leaked.append},
                call_limits={"[fg]": CallLimits(bytes=100)},
            )
    assert leaked in ([], ["AbortError: the run that waited for this was ended"])


def test_seconds_of_calls() -> None:
    def work() -> None:
        time.sleep(0.02)

    with (
        Sandbox(functions={"work": work}, call_limits={"work": CallLimits(seconds=0.05)}) as box,
        pytest.raises(CallLimitExceeded) as caught,
    ):
        box.eval("for (let i = 0; i < 10; i++) work()")
    assert (caught.value.unit, caught.value.limit) == ("seconds", 0.05)
    used = box.usage.calls["work"]
    assert used.calls <= 3
    assert used.host_seconds >= 0.05


def test_a_single_call_that_takes_too_long(face: str) -> None:
    code = "try { await never() } catch (e) { `${e.name}: ${e.message}` }"
    limits = {"never": CallLimits(timeout=0.02)}
    assert (
        evaluate(face, code, functions=FUNCTIONS, call_limits=limits) == "TimeoutError: never took longer than 0.02 s"
    )
    waited = {"never": HostFunction(never, wait=True)}
    assert evaluate(face, code, functions=waited, call_limits=limits) == "TimeoutError: never took longer than 0.02 s"


def test_limits_hold_for_each_run_anew() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"add": CallLimits(calls=2)}) as box:
        for _ in range(3):
            assert box.eval("add(1, add(2, 3))") == 6
        with pytest.raises(CallLimitExceeded, match=r"the host call limit of 2 calls was reached \(3 calls used\)"):
            box.eval("add(1, add(2, add(3, 4)))")
        assert box.eval("add(1, 2)") == 3


def test_a_nested_use_has_the_limits_of_its_run() -> None:
    with Sandbox(
        functions={"nest": lambda: box.eval("nest()"), "add": FUNCTIONS["add"]},
        call_limits={"nest": CallLimits(calls=3)},
    ) as box:
        with pytest.raises(CallLimitExceeded):
            box.eval("nest()")
        assert box.eval("add(1, 2)") == 3


def test_a_limit_is_a_limit_for_on_limit() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"add": CallLimits(calls=1)}, on_limit="rollback") as box:
        with pytest.raises(CallLimitExceeded) as caught:
            box.eval("globalThis.left = 1; add(1, add(1, 2))")
        assert caught.value.rolled_back
        assert box.eval("globalThis.left") is undefined


def test_usage_tells_of_calls() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"*": CallLimits(calls=4)}) as box:
        assert box.usage.calls == {}
        with pytest.raises(CallLimitExceeded):
            box.eval("add('a', 'b'); await later('cc'); try { fail() } catch {} add(1, 2); add(1, 2)")
        calls = box.usage.calls
    assert {name: (used.calls, used.failed, used.bytes_in, used.bytes_out) for name, used in calls.items()} == {
        "add": (3, 1, 34, 10),
        "later": (1, 0, 2, 2),
        "fail": (1, 1, 0, 0),
    }
    with Sandbox(functions=FUNCTIONS) as box:
        box.eval("add(1, 2)")
        assert (box.usage.calls, box.usage.host_calls) == ({}, 1)


def test_a_finalizer_may_use_the_sandbox_while_calls_are_counted() -> None:
    with Sandbox(functions=FUNCTIONS, call_limits={"*": CallLimits(calls=9)}) as box:
        observer = box._driver._observer
        assert observer is not None
        with observer._lock:  # where one may run, on this thread
            assert box.eval("add(1, 2)") == 3


def test_more_pending_calls_than_may_be_are_counted_and_refused() -> None:
    calls: list[Call] = []
    with Sandbox(functions=FUNCTIONS, on_call=calls.append, limits=Limits(pending_requests=2)) as box:
        code = "for (let i = 0; i < 5; i++) never().catch(() => {}); 0"
        box.eval(code)
        assert (len(calls), box.usage.calls["never"].failed) == (2, 3)


@pytest.mark.parametrize(
    ("value", "size"),
    [
        (None, 0),
        (True, 0),
        (1, 8),
        (1.5, 8),
        (BigInt(1 << 200), 26),
        ("abc", 3),
        ("é\ud800", 5),
        (b"abc", 3),
        (memoryview(bytes(16)).cast("d"), 16),
        ([1, "a", [b"xy"]], 11),
        ({"key": "value"}, 8),
        (JSMap([("k", "v"), (b"x", 1)]), 11),
        (JSSet(["a", "b"]), 2),
        (Blob(b"abc"), 3),
        (JSError("message", properties={"a": 1}), 16),
        (datetime(2020, 1, 1, tzinfo=UTC), 8),
        (lambda: 1, 0),
    ],
)
def test_bytes_of_a_value(value: object, size: int) -> None:
    assert payload_bytes(value) == size


def test_a_cycle_has_a_size() -> None:
    cycle: list[object] = ["x"]
    cycle.append(cycle)
    assert payload_bytes([cycle, cycle]) == 1


@pytest.mark.parametrize(
    ("fields", "kind"),
    [
        ({"calls": -1}, ValueError),
        ({"calls": 1.5}, TypeError),
        ({"calls": True}, TypeError),
        ({"bytes": 1 << 63}, ValueError),
        ({"seconds": 0}, ValueError),
        ({"timeout": float("nan")}, ValueError),
        ({"timeout": "1"}, TypeError),
    ],
)
def test_limits_are_checked(fields: dict[str, Any], kind: type[Exception]) -> None:
    with pytest.raises(kind, match=next(iter(fields))):
        CallLimits(**fields)
