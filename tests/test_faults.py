"""A trap of a guest is an error, whenever `faulthandler` was enabled; a fault of the process still ends it."""

from __future__ import annotations

import signal
import subprocess
import sys
import textwrap

import pytest

pytestmark = pytest.mark.skipif(sys.platform == "win32", reason="no signals")

PRELUDE = """
import ctypes, faulthandler, wasmtime
from sandbox import Sandbox

TEXT = '''(module (memory 1)
    (func (export "ends") unreachable)
    (func (export "recurses") call 1)
    (func (export "divides") (drop (i32.div_u (i32.const 1) (i32.const 0))))
    (func (export "reads") (drop (i32.load (i32.const -1)))))'''
store = wasmtime.Store()
exports = wasmtime.Instance(store, wasmtime.Module(store.engine, TEXT), []).exports(store)

def trapped():
    told = []
    for name in ("ends", "recurses", "divides", "reads"):
        try:
            exports[name](store)
        except wasmtime.Trap as trap:
            told.append(trap.trap_code.name)
    return told

def enabled(code, box):
    faulthandler.enable()
    assert box.eval(code) == 2

TRAPS = ["UNREACHABLE", "STACK_OVERFLOW", "INTEGER_DIVISION_BY_ZERO", "MEMORY_OUT_OF_BOUNDS"]
"""


def run(program: str) -> subprocess.CompletedProcess[str]:
    code = PRELUDE + textwrap.dedent(program)
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)


@pytest.mark.parametrize(
    "program",
    [
        "with Sandbox() as box: enabled('1 + 1', box)",
        "with Sandbox() as box: box.eval('1'); enabled('1 + 1', box)",
        "with Sandbox(functions={'f': lambda: enabled('1 + 1', other)}) as box, Sandbox() as other: box.eval('f()')",
        """
        with Sandbox() as box:
            box.eval('1')
            enabled('1 + 1', box)
            faulthandler.disable()
            assert box.eval("2") == 2
            assert trapped() == TRAPS
            enabled('1 + 1', box)
        """,
    ],
    ids=["before the first run", "after it", "by a host function", "again"],
)
def test_enabled_late(program: str) -> None:
    done = run(textwrap.dedent(program) + "\nprint(trapped() == TRAPS, faulthandler.is_enabled())")
    assert (done.stdout, done.stderr, done.returncode) == ("True True\n", "", 0)


@pytest.mark.parametrize("when", ["pass", "faulthandler.enable()"])
def test_a_fault_that_is_no_trap_ends_the_process(when: str) -> None:
    done = run(
        f"with Sandbox() as box: box.eval('1'); {when}; box.eval('2'); print(trapped() == TRAPS, flush=True)\n"
        "ctypes.string_at(8)"
    )
    assert (done.stdout, done.returncode) == ("True\n", -signal.SIGSEGV)


def test_enabled_in_time_it_tells_of_it() -> None:
    code = "from sandbox import Sandbox; import ctypes; Sandbox().eval('1'); ctypes.string_at(8)"
    command = [sys.executable, "-X", "faulthandler", "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.returncode == -signal.SIGSEGV
    assert done.stderr.startswith("Fatal Python error: Segmentation fault")
