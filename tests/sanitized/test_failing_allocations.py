"""Each allocation of a program fails, alone or with all that follow it, and nothing is used that was freed, nor lost.

`SANITIZED_ALLOCATIONS` is how many of them fail for each program, spread evenly; 0: every one. Unset: nothing runs.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator

import pytest

from sandbox import _guest
from sandbox._events import Crashed, State
from sandbox.exposure import expose
from tests.bare_guest import Bare
from tests.fuzz.test_out_of_memory import PROGRAMS
from tests.sanitized.instance import SanitizedInstance
from tests.sanitized.process import Process, totals
from wasm import sanitize
from wasm.errors import BuildError

if "SANITIZED_ALLOCATIONS" not in os.environ:
    pytest.skip("SANITIZED_ALLOCATIONS is not set", allow_module_level=True)
try:
    sanitize.toolchain()
except BuildError as error:
    pytest.skip(str(error).splitlines()[0], allow_module_level=True)

WANTED = int(os.environ["SANITIZED_ALLOCATIONS"])
pytestmark = pytest.mark.timeout(400 if WANTED else 0)


@pytest.fixture(autouse=True)
def _sanitized(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setattr(_guest, "Instance", SanitizedInstance)
    yield
    totals.reports.clear()


def process_of(bare: Bare) -> Process:
    instance: object = bare.guest.instance
    assert isinstance(instance, SanitizedInstance)
    return instance._living()


_THROUGH = "(async (s, b) => { const w = s.writable.getWriter(); w.write(b).catch(() => {}); w.close().catch(() => {});"
# What needs more memory than the programs that run out of it in wasm.
LARGE = {
    "compression": f"{_THROUGH} return (await s.readable.getReader().read()).value.length }})"
    "(new CompressionStream('gzip'), new Uint8Array(2e4))",
    "decompression": f"{_THROUGH} return (await s.readable.getReader().read()).value.length }})"
    "(new DecompressionStream('deflate-raw'), new Uint8Array([0x4b, 4, 0]))",
}

# What the engine loses when an allocation fails in one of its functions: memory of the guest's own, within its limit.
LOSSES = {
    "__JS_EvalInternal": "names, and places of jumps, in code that is not finished",
}
LOSS = re.compile("(Object|Atom|String) leaks:|LeakSanitizer: detected memory leaks")
DAMAGE = re.compile("runtime error|ERROR: AddressSanitizer: (?!ABRT)|Assertion (?!`list_empty.&rt->gc_obj_list)")


class Squeezed(Bare):
    """A guest whose allocations fail from `squeeze` on: called by the program, or before it is compiled."""

    def __init__(self, failing: int = 0, *, all_after: bool = False, trace: bool = False) -> None:
        super().__init__()
        self.failing, self.all_after, self.trace = failing, all_after, trace
        self.define("f", lambda *values: list(values))
        self.define("steps", lambda: iter([1, [2], {"a": 3}]))
        self.define("functions", lambda: [lambda: 1, {"a": lambda: 2}])
        self.define("object", lambda: expose(1j, "real", "conjugate"))
        self.define("squeeze", self.squeeze)

    def squeeze(self) -> None:
        process_of(self).limit(0, self.failing, all_after=self.all_after, trace=self.trace)

    def run(self, code: str, *, compiles: bool) -> int:
        """Run a program; returns how often it allocated."""
        if compiles:
            self.squeeze()
            events = self.eval(f"if (0) {{ {code} }}")
        else:
            events = self.eval(f"squeeze(); {code}")
        if totals.reports:
            return 0
        assert not any(isinstance(event, Crashed) for event in events), events
        _, count = process_of(self).allocated()
        process_of(self).limit(0)
        return count


def check(code: str, failing: int, *, all_after: bool, compiles: bool, trace: bool = False) -> bool:
    """Returns whether a program notices that an allocation fails. What the sanitizers say is in `totals`."""
    with Squeezed(failing, all_after=all_after, trace=trace) as bare:
        bare.run(code, compiles=compiles)
        if totals.reports:
            return True
        noticed: bool = bare.guest.instance.control.failed_allocations > 0
        assert bare.guest.state is State.READY
        assert bare.value("1 + 1") == 2
        return noticed


@pytest.mark.parametrize("compiles", [False, True], ids=["running", "compiling"])
@pytest.mark.parametrize("all_after", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("code", [*PROGRAMS.values(), *LARGE.values()], ids=[*PROGRAMS, *LARGE])
def test_it_fails_and_nothing_else_does(code: str, all_after: bool, compiles: bool) -> None:
    with Squeezed() as bare:
        count = bare.run(code, compiles=compiles)
    assert count > 10
    noticed = 0
    for failing in range(1, count + 1, max(1, count // WANTED) if WANTED else 1):
        noticed += check(code, failing, all_after=all_after, compiles=compiles)
        if totals.reports:
            judge(failing, code, all_after=all_after, compiles=compiles)
    assert noticed


def judge(failing: int, code: str, *, all_after: bool, compiles: bool) -> None:
    """Fail the test unless all that happened was a loss of the engine's."""
    report = "\n".join(totals.reports)
    totals.reports.clear()
    if LOSS.search(report) and not DAMAGE.search(report) and compiles:
        return  # all of it was in the compiler
    check(code, failing, all_after=all_after, compiles=compiles, trace=True)
    report = "\n".join(totals.reports)
    totals.reports.clear()
    is_known = any(f" in {function} " in report for function in LOSSES)
    if not LOSS.search(report) or DAMAGE.search(report) or not is_known:
        pytest.fail(f"allocation {failing}\n{report}")
