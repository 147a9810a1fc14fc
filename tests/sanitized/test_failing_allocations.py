"""Every allocation of a program fails once, and then that one and all that follow it: nothing is used that was freed.

`SANITIZED_ALLOCATIONS` is how many of the allocations of each program fail, spread evenly; 0: every one of them. Without
it nothing runs here.
"""

from __future__ import annotations

import os
from collections.abc import Iterator

import pytest

from sandbox import _guest
from sandbox._events import Crashed
from sandbox._guest import State
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


class Squeezed(Bare):
    """A guest whose programs say by `squeeze` when allocations begin to fail."""

    def __init__(self, failing: int = 0, *, all_after: bool = False, trace: bool = False) -> None:
        super().__init__()
        process = process_of(self)
        self.define("f", lambda *values: list(values))
        self.define("steps", lambda: iter([1, [2], {"a": 3}]))
        self.define("functions", lambda: [lambda: 1, {"a": lambda: 2}])
        self.define("object", lambda: expose(1j, "real", "conjugate"))
        self.define("squeeze", lambda: process.limit(0, failing, all_after=all_after, trace=trace))


def allocations_of(code: str) -> int:
    with Squeezed() as bare:
        bare.eval(f"squeeze(); {code}")
        return process_of(bare).allocated()[1]


def check(code: str, failing: int, *, all_after: bool, trace: bool = False) -> bool:
    """Run a program; returns whether it noticed. What the sanitizers say is in `totals`."""
    with Squeezed(failing, all_after=all_after, trace=trace) as bare:
        events = bare.eval(f"squeeze(); {code}")
        if totals.reports:
            return True
        assert not any(isinstance(event, Crashed) for event in events), (failing, events)
        process_of(bare).limit(0)
        noticed: bool = bare.guest.instance.control.failed_allocations > 0
        assert bare.guest.state is State.READY
        assert bare.value("1 + 1") == 2
        return noticed


@pytest.mark.parametrize("all_after", [False, True], ids=["one", "all"])
@pytest.mark.parametrize("code", PROGRAMS.values(), ids=PROGRAMS)
def test_it_fails_and_nothing_else_does(code: str, all_after: bool) -> None:
    count = allocations_of(code)
    assert count > 10
    noticed = 0
    for failing in range(1, count + 1, max(1, count // WANTED) if WANTED else 1):
        noticed += check(code, failing, all_after=all_after)
        if totals.reports:
            totals.reports.clear()
            check(code, failing, all_after=all_after, trace=True)
            pytest.fail(f"allocation {failing}\n" + "\n".join(totals.reports))
    assert noticed
