"""Exceptions that come before the callback's first statement: no crash, and the sandbox works afterwards."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from types import FrameType

import pytest

from sandbox import JSFunction, Sandbox, _callback
from sandbox.errors import SandboxError

_STORM = """
import ctypes, queue, random, threading, time
from sandbox import Sandbox

class Stop(BaseException):
    pass

def send():
    while expects.get():
        time.sleep(random.random() * 0.003)
        ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread.ident), ctypes.py_object(Stop))

def work():
    global caught
    try:
        while caught < 300:
            try:
                expects.put(True)
                box.eval("for (;;) f(1)")
            except Stop:
                caught += 1
    finally:
        expects.put(False)

random.seed(1)
caught = 0
expects = queue.SimpleQueue()
box = Sandbox(functions={"f": lambda n: n})
thread = threading.Thread(target=work)
thread.start()
send()
thread.join()
assert [box.eval("f(1)", timeout=5) for _ in range(3)] == [1, 1, 1]
box.close()
print(caught)
"""


def test_hundreds_of_exceptions_that_another_thread_raises() -> None:
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(_STORM)],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout) == 300


def test_what_escapes_ends_the_turn_softly(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(_callback._host_call, "__code__", _fails.__code__)
    with Sandbox(functions={"f": lambda: 1}) as box:
        with pytest.raises(ArithmeticError):
            box.eval("try { f() } catch {} finally { globalThis.seen = 1 } for (;;);")
        monkeypatch.undo()
        assert box.eval("[typeof seen, f()]") == ["undefined", 1]


def _fails(_environment: object, _caller: object, values: object, _count: int) -> int:
    raise ArithmeticError


@pytest.mark.parametrize(
    "code", ["f()", "for (let i = 0; i < 1e5; i++);", "call(() => f())", "await new Promise(done => setTimeout(done))"]
)
def test_near_the_recursion_limit(code: str) -> None:
    def call(callback: JSFunction) -> object:
        return callback()

    def descend(levels: int) -> object:
        return descend(levels - 1) if levels else box.eval(code)

    outcomes = set()
    with Sandbox(functions={"f": lambda: None, "call": call}) as box:
        depth = len(list(_frames()))
        for left in range(1, 180):
            try:
                descend(sys.getrecursionlimit() - depth - left)
                outcomes.add("value")
            except (RecursionError, SandboxError) as error:
                outcomes.add(type(error).__name__)
            assert box.eval("f()") is None, left
    assert outcomes in ({"RecursionError", "value"}, {"RecursionError", "JSError", "value"})


def _frames() -> Iterator[FrameType]:
    frame: FrameType | None = sys._getframe()
    while frame is not None:
        yield frame
        frame = frame.f_back
