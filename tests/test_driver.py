"""The parts below the faces: runs and their budgets, requests and their order, turns that raise nothing."""

from __future__ import annotations

import math
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from sandbox import BigInt, JSError, JSFunction, Limits, undefined
from sandbox._abi import Op, Tag, Verb
from sandbox._clock import VirtualClock
from sandbox._driver import Turn
from sandbox._operations import Operations
from sandbox._pending import Aborted
from sandbox._requests import Requests
from sandbox._runs import Run, Sources
from sandbox.capabilities import Timers
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    FuelLimitExceeded,
    SandboxClosed,
    Stalled,
    WallLimitExceeded,
)
from sandbox.values import Generation
from tests.fake_owner import Owner
from tests.stepped_face import SteppedFace


@pytest.fixture
def face() -> Any:
    face = SteppedFace()
    yield face
    face.close()


@pytest.fixture
def virtual() -> Any:
    face = SteppedFace(clock=VirtualClock())
    yield face
    face.close()


async def _work(*_: Any) -> None:
    """What the guest asks for; the tests answer in its place."""


class TestRun:
    def test_the_first_error_stands_and_replaces_a_value(self) -> None:
        run = Run(1, Limits(), None, None)
        run.finish(1)
        run.finish(2)
        assert run.outcome() == 1
        run.fail(JSError("first"))
        run.fail(JSError("second"))
        run.finish(3)
        with pytest.raises(JSError, match="first"):
            run.outcome()
        assert not run.forced

    def test_what_ends_it_from_outside_replaces_what_the_guest_said(self) -> None:
        run = Run(1, Limits(), None, None)
        run.fail(JSError("unwinding"))
        run.force(KeyboardInterrupt())
        run.force(SystemExit())
        run.fail(JSError("later"))
        with pytest.raises(KeyboardInterrupt):
            run.outcome()
        assert run.forced

    @pytest.mark.parametrize(
        ("limits", "timeout", "fuel", "seconds", "tank"),
        [
            (Limits(cpu_seconds=2, wall_seconds=10), None, None, 2, 2.1 * 22e9),
            (Limits(cpu_seconds=2, wall_seconds=10), 1, None, 1, 1.1 * 22e9),
            (Limits(cpu_seconds=2, wall_seconds=10), 100, None, 2, 2.1 * 22e9),
            (Limits(cpu_seconds=None, wall_seconds=3), None, None, 3, 3.1 * 22e9),
            (Limits(cpu_seconds=None, wall_seconds=None), None, None, None, 1 << 62),
            (Limits(cpu_seconds=1, fuel=50), None, None, 1, 50),
            (Limits(cpu_seconds=1, fuel=50), None, 70, 1, 70),
        ],
    )
    def test_budget(
        self, limits: Limits, timeout: float | None, fuel: int | None, seconds: float | None, tank: float
    ) -> None:
        run = Run(1, limits, timeout, fuel)
        got_seconds, got_fuel, spare = run.budget(run.started)
        assert got_seconds == (None if seconds is None else pytest.approx(seconds))
        assert got_fuel == pytest.approx(tank, rel=1e-6)
        assert spare == (0 if run.fuel_limit is not None or got_seconds is None else 4 * got_fuel)

    def test_what_is_used_is_gone(self) -> None:
        run = Run(1, Limits(cpu_seconds=2, wall_seconds=None, fuel=100), None, None)
        run.charge(1.5, 9.0, 60)
        assert run.budget(run.started) == (0.5, 40, 0)
        assert run.refusal(run.started) is None
        run.charge(0, 9.0, 40)
        assert isinstance(run.refusal(run.started), FuelLimitExceeded)
        run.charge(0.5, 9.0, 0)
        assert isinstance(run.refusal(run.started), CpuLimitExceeded)

    @pytest.mark.parametrize(
        ("told", "elapsed", "fuel", "counted"),
        [(1.5, 2.0, 0, 1.5), (0, 2.0, 22_000_000_000, 1.0), (1e9, 2.0, 0, 2.0), (0, 0.5, 22_000_000_000, 0.5)],
        ids=["a true figure", "too little", "too much", "fuel on a faster machine"],
    )
    def test_what_a_guest_tells_of_its_time(self, told: float, elapsed: float, fuel: int, counted: float) -> None:
        run = Run(1, Limits(), None, None)
        assert run.charge(told, elapsed, fuel) == run.cpu_used == counted

    def test_the_deadline(self) -> None:
        run = Run(1, Limits(wall_seconds=5), None, None)
        assert run.refusal(run.started + 4.9) is None
        refusal = run.refusal(run.started + 6)
        assert isinstance(refusal, WallLimitExceeded)
        assert refusal.limit == 5
        assert refusal.used == pytest.approx(6)


def test_sources_are_bounded() -> None:
    sources = Sources()
    for number in range(100):
        sources.add(f"{number}.js", "x")
    assert list(sources.copy()) == [f"{number}.js" for number in range(36, 100)]
    sources.add("99.js", "new")
    assert sources.copy()["99.js"] == "new"
    sources.add("large.js", "x" * (7 << 20))
    sources.add("other.js", "x" * (7 << 20))
    assert list(sources.copy()) == ["other.js"]
    sources.add("too large.js", "x" * (9 << 20))
    assert sources.copy() == {}


class TestOperations:
    def test_a_callable_has_one_number(self) -> None:
        operations = _operations()
        one, other = operations.bind(abs), operations.bind(_work)
        assert operations.bind(abs)[0] == one[0] != other[0]
        assert one[2:] == ("abs", 1)
        for _ in range(2):
            operations.unbind(one[0])
        assert operations.get(one[0]) is None
        assert operations.get(other[0]) is not None

    def test_the_guest_cannot_release_what_is_fixed(self) -> None:
        operations = _operations()
        for _ in range(5):
            operations.unbind(24)
            operations.unbind(9999)
        assert operations.get(24) is not None

    def test_exceptions_are_kept_for_a_while(self) -> None:
        operations = _operations()
        errors = [ValueError(str(number)) for number in range(300)]
        numbers = [operations.keep_exception(error) for error in errors]
        assert operations.exception(numbers[-1]) is errors[-1]
        assert operations.exception(numbers[0]) is None

    def test_functions_the_host_holds(self) -> None:
        owner = Owner()
        operations = Operations([], owner)
        functions = [operations.held(Tag.FUNCTION, handle, "f") for handle in (1, 2, 3)]
        assert operations.live() == 3
        operations.dropped.append((functions[0].handle, Generation()))
        assert operations.live() == 2
        assert operations.take_dropped() == [1]
        assert operations.live() == 2
        assert operations.handle_of(functions[1]) == 2
        with pytest.raises(ConversionError, match="another sandbox"):
            operations.handle_of(JSFunction(Owner(), 1, "f"))


def _operations() -> Operations:
    return Operations([Timers()], Owner())


class TestRequests:
    def test_answers_go_to_the_run_that_asked(self) -> None:
        requests = _requests()
        one, other = Run(1, Limits(), None, None), Run(2, Limits(), None, None)
        for number, run in ((1, one), (2, other), (3, one)):
            requests.add(number, run)
            requests.answer(number, f"answer {number}")
        assert requests.any_answer()
        assert requests.sort(lambda: 0.0) == [one, other]
        assert requests.next_answer(one) == (1, "answer 1")
        assert requests.next_answer(other) == (2, "answer 2")
        assert not requests.has_answer(other)
        assert requests.next_answer(one) == (3, "answer 3")
        assert requests.next_answer(one) is None
        assert not requests.any_answer()
        assert len(requests) == 0

    def test_only_the_first_answer_counts(self) -> None:
        requests = _requests()
        run = Run(1, Limits(), None, None)
        requests.add(1, run)
        requests.answer(1, "first")
        requests.answer(1, "second")
        requests.answer(77, "nobody asked")
        requests.sort(lambda: 0.0)
        assert requests.next_answer(run) == (1, "first")
        assert requests.next_answer(run) is None

    def test_what_an_ended_run_asked_for_goes_to_any_other(self) -> None:
        requests = _requests()
        gone, other = Run(1, Limits(), None, None), Run(2, Limits(), None, None)
        for number in (1, 2, 3):
            requests.add(number, gone)
        requests.answer(1, "before")
        requests.sort(lambda: 0.0)
        gone.ended = True
        requests.disown(gone, abort=False)
        requests.answer(2, "after")
        requests.sort(lambda: 0.0)
        assert requests.next_answer(other) == (1, "before")
        assert requests.next_answer(other) == (2, "after")
        assert len(requests) == 1

    def test_a_discarded_request_is_cancelled(self) -> None:
        cancelled: list[int] = []

        class Waiter(SteppedFace):
            def start(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
                awaitable.close()  # type: ignore[attr-defined] # a coroutine
                return lambda: cancelled.append(1)

        requests = Requests(Waiter.__new__(Waiter), lambda: None, Limits())
        run = Run(1, Limits(), None, None)
        requests.add(1, run)
        requests.answer_later(1, _work())
        requests.add(2, run)
        requests.answer_later(2, _work())
        requests.discard(2)  # before it was started: its coroutine is closed
        requests.attend()
        assert requests.any_host_call()
        requests.discard(1)
        requests.discard(1)
        assert cancelled == []
        requests.attend()
        assert cancelled == [1]
        assert not requests.any_host_call()

    def test_alarms(self) -> None:
        requests = _requests()
        run, other = Run(1, Limits(), None, None), Run(2, Limits(), None, None)
        requests.add(1, run)
        requests.answer_at(1, 5.0, "ring")
        assert requests.next_alarm_ms(run) == 5
        assert requests.next_alarm_ms(other) == math.inf
        assert requests.sort(lambda: 4.0) == []
        assert requests.sort(lambda: 5.0) == [run]
        assert requests.next_answer(run) == (1, "ring")


def _requests() -> Requests:
    return Requests(SteppedFace.__new__(SteppedFace), lambda: None, Limits())


class TestSteps:
    def test_a_run_that_never_began_is_nothing_to_the_guest(self, face: SteppedFace) -> None:
        run, steps = face.begin("1 + 1", timeout=10)
        run.deadline = 0.0
        with pytest.raises(WallLimitExceeded):
            face.step(steps)
        face.driver.end(run)
        assert not face.driver.turns.abandoned

    def test_a_run_without_waits(self, face: SteppedFace) -> None:
        run, steps = face.begin("1 + 1")
        assert not run.entered
        assert face.finish(run, steps) == 2
        assert face.driver.runs == {}

    def test_a_wait_lasts_until_the_next_alarm_or_the_deadline(self, face: SteppedFace) -> None:
        run, steps = face.begin("await new Promise(done => setTimeout(done, 50))", timeout=10)
        wait = face.step(steps)
        assert wait is not None
        assert 0 < wait.seconds <= 0.06
        face.driver.define_later("work", _work)
        other, other_steps = face.begin("await work()", timeout=10)
        wait = face.step(other_steps)
        assert wait is not None
        assert 9 < wait.seconds <= 10
        for ended in (run, other):
            face.driver.end(ended)
            face.driver.end(ended)

    def test_answers_end_waits(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        woken: list[int] = []
        run, steps = face.begin("await work() + await work()")
        run.wake = lambda: woken.append(1)
        assert face.step(steps) is not None
        face.started[0][1](20)
        assert len(woken) == 1
        assert face.step(steps) is not None
        face.started[1][1](BigInt(22) - 0)
        assert face.finish(run, steps) == 42

    def test_a_run_that_left_is_answered_by_the_next(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("let seen; work().then(v => { seen = v }); 1")
        assert face.finish(run, steps) == 1
        face.started[0][1]("late")
        idle = face.driver.begin()
        assert face.step(face.driver.run_until_idle(idle)) is None
        face.driver.end(idle)
        assert face.finish(*face.begin("seen")) == "late"

    def test_a_forced_end_cancels_and_tells_the_guest(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("let seen; try { await work() } catch (e) { seen = e.name }")
        assert face.step(steps) is not None
        steps.close()
        face.driver.end(run)
        assert face.cancelled == [face.started[0][0]]
        face.started[0][1]("too late")
        assert face.driver.usage().pending_requests == 1
        idle = face.driver.begin()
        face.step(face.driver.run_until_idle(idle))
        face.driver.end(idle)
        assert face.finish(*face.begin("seen")) == "AbortError"

    def test_a_forced_end_also_stops_what_was_just_answered(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        for answered in ("noted", "sorted"):
            run, steps = face.begin("var turns = 0; for (;;) { await work(); turns++ }")
            assert face.step(steps) is not None
            face.started[-1][1](None)
            if answered == "sorted":
                assert isinstance(next(steps), Turn)
            steps.close()
            face.driver.end(run)
            idle = face.driver.begin()
            assert face.step(face.driver.run_until_idle(idle)) is None
            face.driver.end(idle)
            assert face.finish(*face.begin("turns")) == 0

    def test_a_quiet_end_cancels_nothing(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("work(); throw new Error('x')")
        with pytest.raises(JSError, match="x"):
            face.step(steps)
        face.driver.end(run)
        assert face.cancelled == []
        assert face.driver.usage().pending_requests == 1

    def test_a_run_waits_for_one_that_has_not_begun(self, face: SteppedFace) -> None:
        first, first_steps = face.begin("await new Promise(done => { globalThis.go = done })")
        second, second_steps = face.begin("go(7)")
        assert face.step(first_steps) is not None
        assert face.finish(second, second_steps) is undefined
        assert face.finish(first, first_steps) == 7

    def test_nothing_left_to_wait_for(self, face: SteppedFace) -> None:
        first, first_steps = face.begin("await new Promise(() => {})")
        second, second_steps = face.begin("1")
        assert face.step(first_steps) is not None
        woken: list[int] = []
        first.wake = lambda: woken.append(1)
        face.finish(second, second_steps)
        assert woken
        with pytest.raises(Stalled):
            face.step(first_steps)
        face.driver.end(first)

    def test_the_deadline_passes_while_it_waits(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("await work()", timeout=10)
        assert face.step(steps) is not None
        run.deadline = time.monotonic() - 1
        with pytest.raises(WallLimitExceeded):
            face.step(steps)
        face.driver.end(run)
        assert face.cancelled == [face.started[0][0]]

    def test_no_answer_is_lost_when_a_run_may_have_no_more_turns(self, virtual: SteppedFace) -> None:
        run, steps = virtual.begin("let n = 0; setInterval(() => n++, 10); 1")
        virtual.finish(run, steps)
        idle = virtual.driver.begin()
        idle_steps = virtual.driver.run_until_idle(idle)
        step = next(idle_steps)
        assert isinstance(step, Turn)
        idle.deadline = 0.0
        step()
        with pytest.raises(WallLimitExceeded):
            next(idle_steps)
        virtual.driver.end(idle)
        tick = virtual.driver.begin()
        assert virtual.step(virtual.driver.tick(tick, 20)) is None
        virtual.driver.end(tick)
        assert virtual.finish(*virtual.begin("n > 0")) is True

    def test_virtual_time_waits_for_the_host(self, virtual: SteppedFace) -> None:
        virtual.driver.define_later("work", _work)
        code = "const seen = []; setTimeout(() => seen.push('timer'), 5); work().then(() => seen.push('work')); "
        run, steps = virtual.begin(code + "await new Promise(done => setTimeout(done, 10)); seen")
        wait = virtual.step(steps)
        assert wait is not None
        assert wait.seconds > 1
        assert virtual.driver.clock.now_ms() == 0
        virtual.started[0][1](None)
        assert virtual.finish(run, steps) == ["work", "timer"]
        assert virtual.driver.clock.now_ms() == 10

    def test_an_answer_that_is_no_exception_ends_the_run(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("try { await work() } catch {} 'went on'")
        face.step(steps)
        face.started[0][1](KeyboardInterrupt())
        with pytest.raises(KeyboardInterrupt):
            face.step(steps)
        face.driver.end(run)

    def test_an_interrupt_that_comes_before_the_turn_counts(self, face: SteppedFace) -> None:
        run, steps = face.begin("while (true);")
        step = next(steps)
        assert isinstance(step, Turn)
        face.driver.interrupt(SystemExit())
        step()
        with pytest.raises(SystemExit):
            next(steps)
        face.driver.end(run)
        face.driver.interrupt(SystemExit())
        face.driver.turns.forget_interrupt()
        assert face.finish(*face.begin("1")) == 1

    def test_every_event_of_a_turn_is_heard_although_a_handler_fails(self) -> None:
        def fail(*_: Any) -> None:
            raise ValueError("sink")

        face = SteppedFace()
        write = face.operations.get(Op.CONSOLE_WRITE)
        assert write is not None
        write.handler = fail
        face.driver.define_later("work", _work)
        run, steps = face.begin("console.log(1); work(); 5")
        with pytest.raises(ValueError, match="sink"):
            face.step(steps)
        assert face.driver.usage().pending_requests == 1
        face.driver.end(run)
        face.close()

    def test_closing_ends_the_runs(self, face: SteppedFace) -> None:
        face.driver.define_later("work", _work)
        run, steps = face.begin("await work()")
        face.step(steps)
        face.driver.fail_all(SandboxClosed())
        face.driver.close()
        with pytest.raises(SandboxClosed):
            face.step(steps)
        late, late_steps = face.begin("1")
        with pytest.raises(SandboxClosed):
            face.step(late_steps)
        for ended in (run, late):
            face.driver.end(ended)
        assert face.cancelled == [face.started[0][0]]


def test_an_aborted_call_looks_like_one_to_the_guest() -> None:
    error = Aborted()
    assert (error.name, error.js_class) == ("AbortError", "DOMException")


def test_access_to_globals_is_a_command(face: SteppedFace) -> None:
    for command, value in [
        (face.driver.define({"a": 1, "b": [2]}), undefined),
        (face.driver.access(Verb.GET, "b"), [2]),
        (face.driver.call("Math.max", undefined, [1, 3]), 3),
    ]:
        run = face.driver.begin()
        assert face.finish(run, face.driver.drive(run, command)) == value
