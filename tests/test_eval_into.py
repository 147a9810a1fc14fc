"""`eval_into`: a completion value that stays in the guest; `limit_heap`: less memory from some moment on."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox import AsyncSandbox, JSError, JSFunction, JSPromise, Limits, Sandbox
from sandbox.errors import JSSyntaxError, MemoryLimitExceeded, SandboxClosed, UsageError, WallLimitExceeded

# What the receiver is, the program, and what comes of both.
VALUES: dict[str, tuple[str, str, Any]] = {
    "a value": ("value => value", "1 + 1", 2),
    "none": ("value => value === undefined", "if (false) 1", True),
    "an object is not read": ("value => typeof value", "({get x() { throw 1 }})", "object"),
    "what cannot cross": ("value => typeof value", "Symbol()", "symbol"),
    "a promise is not waited for": ("value => value instanceof Promise", "new Promise(() => {})", True),
    "microtasks run later": ("value => value", "var n = 0; Promise.resolve().then(() => { n = 1 }); n", 0),
    "the receiver's promise is waited for": ("async value => value + 1", "1", 2),
    "declarations stay": ("value => typeof kept", "let kept = 1", "number"),
    "no arguments but one": ("(...all) => all.length", "1", 1),
    "an await is a name": ("value => value", "var await = 3; await", 3),
}
ERRORS: dict[str, tuple[str, str, type[Exception], str]] = {
    "the program throws": ("value => value", "throw new RangeError('mine')", JSError, "RangeError: mine"),
    "the receiver throws": ("value => { throw new TypeError('its') }", "1", JSError, "TypeError: its"),
    "no JavaScript": ("value => value", "a b", JSSyntaxError, "SyntaxError"),
    "await at the top": ("value => value", "await 1", JSSyntaxError, "SyntaxError"),
    "too long": ("value => value", "for (;;) {}", WallLimitExceeded, "wall time"),
    "too long in the receiver": ("value => { for (;;) {} }", "1", WallLimitExceeded, "wall time"),
}


@pytest.mark.parametrize(("receiver", "code", "wanted"), VALUES.values(), ids=VALUES)
def test_the_receiver_gets_the_value(receiver: str, code: str, wanted: object) -> None:
    with Sandbox() as box:
        assert box.eval_into(box.eval(receiver), code) == wanted


@pytest.mark.parametrize(("receiver", "code", "kind", "text"), ERRORS.values(), ids=ERRORS)
def test_failures_are_those_of_eval(receiver: str, code: str, kind: type[Exception], text: str) -> None:
    with Sandbox() as box:
        function = box.eval(receiver)
        with pytest.raises(kind, match=text):
            box.eval_into(function, code, timeout=0.05)
        assert box.eval("1") == 1


def test_an_object_is_held() -> None:
    with Sandbox() as box:
        hold = box.eval_into(box.eval("value => () => value"), "var state = {n: 1}; state")
        assert isinstance(hold, JSFunction)
        box.eval("state.n = 2")
        assert box.call(box.eval("hold => hold().n"), hold) == 2


def test_a_long_program_and_a_filename() -> None:
    with Sandbox() as box:
        receiver = box.eval("value => value")
        assert box.eval_into(receiver, f"'{'x' * 100_000}'.length") == 100_000
        with pytest.raises(JSError) as caught:
            box.eval_into(receiver, "\nnope", filename="main.js")
        assert str(caught.value.frames[0]) == "main.js:2:1"
        assert caught.value.sources["main.js"] == "\nnope"


def test_a_receiver_of_another_sandbox_or_none() -> None:
    with Sandbox() as box, Sandbox() as other:
        with pytest.raises(UsageError):
            box.eval_into(other.eval("x => x"), "1")
        with pytest.raises(TypeError, match="receiver must be a JSFunction, not str"):
            box.eval_into("x => x", "1")  # type: ignore[arg-type] # that is what is tried
        function = box.eval("x => x")
        function.release()
        with pytest.raises(UsageError):
            box.eval_into(function, "1")


def test_in_a_host_function() -> None:
    with Sandbox() as box:
        receiver = box.eval("value => [typeof value]")
        box.function(lambda: box.eval_into(receiver, "({})"), name="f")
        assert box.eval("f()") == ["object"]


@pytest.mark.anyio
async def test_on_an_event_loop() -> None:
    async with AsyncSandbox() as box:
        receiver = await box.eval("value => [value]")
        [promise] = await box.eval_into(receiver, "(async () => 5)()")
        assert isinstance(promise, JSPromise)
        assert await promise == 5


def test_a_heap_limit_that_comes_later() -> None:
    with Sandbox(limits=Limits(memory_bytes=64 << 20)) as box:
        assert box.eval("new ArrayBuffer(20 << 20).byteLength") == 20 << 20
        box.limit_heap(box.usage.heap_bytes + (4 << 20))
        with pytest.raises(MemoryLimitExceeded):
            box.eval("const all = []; for (;;) all.push(new Array(1000).fill(1.5))")
        assert box.eval("1") == 1
        box.limit_heap(None)
        assert box.eval("new ArrayBuffer(20 << 20).byteLength") == 20 << 20


def test_a_heap_limit_is_no_more_than_the_memory() -> None:
    with Sandbox(limits=Limits(memory_bytes=8 << 20)) as box:
        box.limit_heap(1 << 30)
        with pytest.raises(MemoryLimitExceeded):
            box.eval("const all = []; for (;;) all.push(new Array(1000).fill(1.5))")


def test_a_heap_limit_that_makes_no_sense() -> None:
    with Sandbox() as box:
        for wrong, kind in ((0, ValueError), (-1, ValueError), (True, TypeError), (1.5, TypeError)):
            with pytest.raises(kind, match="heap_bytes"):
                box.limit_heap(wrong)  # type: ignore[arg-type] # that is what is tried
    with pytest.raises(SandboxClosed):
        box.limit_heap(None)
