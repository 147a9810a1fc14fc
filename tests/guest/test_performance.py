"""performance, on both clocks."""

from __future__ import annotations

import time

from sandbox import Sandbox

READ = "[performance.now(), performance.now(), performance.timeOrigin, Date.now()]"


def test_the_virtual_clock_stands_still_while_the_program_runs(box: Sandbox) -> None:
    first, second, origin, _ = box.eval(READ)

    assert first == second == 0
    assert box.eval("await new Promise(go => setTimeout(go, 1234)); performance.now()") == 1234
    assert box.eval("performance.timeOrigin") == origin


def test_the_virtual_clock_advances_by_ticks(box: Sandbox) -> None:
    box.tick(1.5)
    box.tick(0)

    assert box.eval("performance.now()") == 1.5


def test_the_real_clock_goes_on() -> None:
    before = time.time() * 1000
    with Sandbox() as box:
        first, second, origin, now = box.eval(READ)
        waited = box.eval(
            "const from = performance.now(); await new Promise(go => setTimeout(go, 5)); performance.now() - from"
        )
    after = time.time() * 1000

    assert 0 <= first <= second
    assert waited >= 4.9
    # A clock that the operating system sets meanwhile is allowed a second.
    assert before - 1000 <= origin <= now + 1 <= after + 1000
    assert abs(origin + second - now) < 1000


def test_json(box: Sandbox) -> None:
    assert box.eval("Object.keys(performance.toJSON())") == ["timeOrigin"]
    assert box.eval("performance.toJSON().timeOrigin === performance.timeOrigin")
    assert box.eval("JSON.parse(JSON.stringify({ performance })).performance.timeOrigin === performance.timeOrigin")
