"""What becomes of a sandbox after a limit: kept, poisoned, or set back to before the run."""

from __future__ import annotations

import ctypes
import gc
import threading
import weakref
from collections.abc import Callable
from typing import Any

import anyio
import anyio.to_thread
import pytest

from sandbox import AsyncSandbox, JSError, Limits, Sandbox, _store
from sandbox._abi import Tag
from sandbox._instance import Instance
from sandbox._memory_copy import MemoryCopy
from sandbox._operations import Operations
from sandbox._requests import Requests
from sandbox._runs import Run
from sandbox.errors import (
    ConversionError,
    CpuLimitExceeded,
    EngineCrashed,
    FuelLimitExceeded,
    GuestProtocolError,
    LimitExceeded,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    RunInterrupted,
    SandboxError,
    SandboxPoisoned,
    Stalled,
    UsageError,
    WallLimitExceeded,
)
from tests.fake_owner import Owner
from tests.stepped_face import SteppedFace

# Limit -> the budgets, the call's options, what reaches it, the error, whether it stops the engine where it stands.
REACHED: dict[str, tuple[dict[str, Any], dict[str, Any], str, type[LimitExceeded], bool]] = {
    "cpu": ({"cpu_seconds": 0.05}, {}, "for (;;);", CpuLimitExceeded, False),
    "wall": ({"wall_seconds": 0.05}, {}, "for (;;);", WallLimitExceeded, False),
    "a wait": ({}, {"timeout": 0.05}, "await new Promise(done => setTimeout(done, 1e6))", WallLimitExceeded, False),
    "fuel": ({"fuel": 3_000_000}, {}, "for (;;);", FuelLimitExceeded, True),
    "memory": ({"memory_bytes": 8 << 20}, {}, "globalThis.a = []; for (;;) a.push({})", MemoryLimitExceeded, False),
    "output": ({"output_bytes": 500}, {}, "for (;;) console.log('x')", OutputLimitExceeded, False),
    "handles": ({"handles": 50}, {}, "for (;;) keep(() => 0)", LimitExceeded, False),
}
# What ends a run and is no limit.
NO_LIMITS: dict[str, tuple[str, type[BaseException]]] = {
    "an error": ("throw new TypeError('x')", JSError),
    "a syntax error": ("let let", JSError),
    "a rejection": ("Promise.reject(new Error('x'))", JSError),
    "a stall": ("await new Promise(() => {})", Stalled),
    "a value that cannot cross": ("Symbol()", ConversionError),
    "an exception of the host that is none of its errors": ("stop()", KeyboardInterrupt),
    "an interrupt": ("interrupt(); for (;;);", RunInterrupted),
    "memory that ran out and was caught": ("try { new ArrayBuffer(1 << 30) } catch {} throw new Error('x')", JSError),
}


# What guests gave to `keep`.
KEPT: list[Any] = []


@pytest.fixture(autouse=True)
def nothing_kept() -> Any:
    yield
    KEPT.clear()


def make(limits: dict[str, Any] | None = None, **options: Any) -> Sandbox:
    box = Sandbox(limits=Limits(**(limits or {})), functions={"keep": KEPT.append}, **options)
    box.eval("globalThis.x = 1; let local = 1; const read = () => x + local")
    return box


def memory_of(box: Sandbox) -> bytes:
    instance = box._driver.guest.instance
    return bytes(instance.read(0, instance.memory_bytes()))


@pytest.mark.parametrize("name", REACHED)
class TestEveryLimit:
    def reach(self, box: Sandbox, name: str) -> LimitExceeded:
        _, options, code, error, _ = REACHED[name]
        with pytest.raises(error) as caught:
            box.eval(f"globalThis.x = local = 2; Array.prototype.y = 3; {code}", **options)
        return caught.value

    def test_keep(self, name: str) -> None:
        with make(REACHED[name][0]) as box:
            error = self.reach(box, name)
            assert not error.rolled_back
            if REACHED[name][4]:
                with pytest.raises(SandboxPoisoned, match=f"the {error.resource} limit of .* was reached"):
                    box.eval("1")
            else:
                KEPT.clear()
                assert box.eval("globalThis.a = null; [x, local, [].y]") == [2, 2, 3]

    def test_poison(self, name: str) -> None:
        with make(REACHED[name][0], on_limit="poison") as box:
            read = box.eval("read")
            error = self.reach(box, name)
            assert not error.rolled_back
            for use in (
                lambda: box.eval("1"),
                lambda: box.module("1"),
                lambda: box.call("read"),
                lambda: read(),
                lambda: box.globals["x"],
                box.run_until_idle,
            ):
                with pytest.raises(SandboxPoisoned, match=f"the {error.resource} limit of .* was reached"):
                    use()
            assert repr(box) == "<Sandbox poisoned>"
            assert box.usage.pending_requests == 0

    def test_rollback(self, name: str) -> None:
        with make(REACHED[name][0], on_limit="rollback") as box:
            for _ in range(3):
                before = memory_of(box)
                assert self.reach(box, name).rolled_back
                assert memory_of(box) == before
                assert box.eval("[x, local, [].y ?? 'none', read()]") == [1, 1, "none", 2]


@pytest.mark.parametrize("name", NO_LIMITS)
@pytest.mark.parametrize("on_limit", ["poison", "rollback"])
def test_what_is_no_limit_changes_nothing(name: str, on_limit: Any) -> None:
    def stop() -> None:
        raise KeyboardInterrupt

    code, error = NO_LIMITS[name]
    with make(on_limit=on_limit) as box:
        box.function(stop)
        box.function(box.interrupt)
        with pytest.raises(error) as caught:
            box.eval(f"x = 2; {code}" if "let let" not in code else code)
        assert not getattr(caught.value, "rolled_back", False)
        assert box.eval("x") == (1 if "let let" in code else 2)


def test_the_option_has_three_values() -> None:
    for on_limit in ("keep", "poison", "rollback"):
        Sandbox(on_limit=on_limit).close()
    for wrong in ("Keep", None, True):
        with pytest.raises(ValueError, match="on_limit"):
            Sandbox(on_limit=wrong)  # type: ignore[arg-type]


class TestWhatTheHostKnows:
    """The host's half of a sandbox goes back with the guest's."""

    def undo(self, box: Sandbox, code: str, **options: Any) -> None:
        with pytest.raises(FuelLimitExceeded) as caught:
            box.eval(f"{code}; for (;;);", fuel=5_000_000, **options)
        assert caught.value.rolled_back

    def test_an_answer_is_given_again(self) -> None:
        release = threading.Event()

        async def later(value: int) -> int:
            await anyio.to_thread.run_sync(release.wait)
            return value

        with make(on_limit="rollback") as box:
            box.function(later)
            box.eval("globalThis.got = []; later(7).then(v => got.push(v)); 0")
            release.set()
            with pytest.raises(FuelLimitExceeded):
                box.eval("while (!got.length) await new Promise(done => setTimeout(done, 1)); for (;;);", fuel=1 << 29)
            assert box.usage.pending_requests == 1
            box.run_until_idle()
            assert box.eval("got") == [7]

    def test_what_was_asked_for_is_cancelled(self) -> None:
        begun, cancelled = threading.Event(), threading.Event()

        async def later() -> None:
            begun.set()
            try:
                await anyio.sleep(60)
            except BaseException:
                cancelled.set()
                raise

        with make(on_limit="rollback") as box:
            box.function(later)
            with pytest.raises(WallLimitExceeded):
                box.eval("await later()", timeout=0.2)
            assert begun.is_set()
            assert cancelled.wait(5)
            assert box.usage.pending_requests == 0
            assert box.eval("1") == 1

    def test_handles_of_the_run_are_dead_and_release_nothing(self) -> None:
        held: list[Any] = []
        with make(on_limit="rollback") as box:
            box.function(held.append, name="hold")
            self.undo(box, "hold([() => 'undone', new Promise(() => {}), [1].values()])")
            again = box.eval("[() => 1, () => 2, () => 3]")
            assert {item.handle for item in held[0]} & {item.handle for item in again}, "no number was given again"
            uses: list[Callable[[], Any]] = [
                lambda: held[0][0](),
                lambda: held[0][0].new(),
                lambda: held[0][1].result(),
                lambda: next(held[0][2]),
                lambda: box.call(held[0][0]),
                lambda: box.call("read", held[0][0]),
            ]
            for use in uses:
                with pytest.raises(ConversionError, match="rolled back"):
                    use()
            assert held[0][0].undone
            assert not again[0].undone
            held.clear()
            gc.collect()
            assert [call() for call in again] == [1, 2, 3]
            assert box.usage.live_handles == 3

    def test_handles_of_before_live_on_and_are_released_once_more(self) -> None:
        with make(on_limit="rollback") as box:
            kept, dropped = box.eval("[() => 'kept', () => 'dropped']")
            box.function(dropped.release, name="drop")
            box.eval("0")
            self.undo(box, "drop()")
            assert kept() == "kept"
            assert box.usage.live_handles == 1

    def test_functions_that_were_bound_and_collected(self) -> None:
        def first() -> str:
            return "first"

        with make(on_limit="rollback") as box:
            operations = box._driver._operations
            box.globals["first"] = first
            box.function(lambda: lambda: "second", name="make_second")
            wait = "await new Promise(done => setTimeout(done, 1))"  # the host hears of it when the turn is over
            box.eval(wait)  # the operation of timers is there from now on
            bound, table = operations.bound(), len(operations._table)
            self.undo(box, f"globalThis.second = make_second(); first = null; make_second = null; {wait}")
            assert (operations.bound(), len(operations._table)) == (bound, table)
            assert box.eval("first() + make_second()()") == "firstsecond"
            box.eval("first = null; make_second = null; 0")
            assert operations.bound() == bound - 2, "they are collected when the guest lets go of them"

    def test_an_iterator_goes_on_where_it_is(self) -> None:
        """What is outside cannot be undone, but the guest does not lose hold of it."""
        with make(on_limit="rollback") as box:
            box.globals["numbers"] = iter(range(10))
            assert box.eval("numbers.next().value") == 0
            self.undo(box, "numbers.next()")
            assert box.eval("numbers.next().value") == 2

    def test_an_async_iterator_of_before_is_not_closed(self) -> None:
        async def numbers() -> Any:
            for number in range(10):
                yield number

        with make(on_limit="rollback") as box:
            box.globals["numbers"] = numbers()
            assert box.eval("numbers.next().then(step => step.value)") == 0
            with pytest.raises(FuelLimitExceeded):
                box.eval("await numbers.next(); numbers = null; for (;;);", fuel=5_000_000)
            assert box.eval("numbers.next().then(step => step.value)") == 2

    def test_an_async_iterator_of_the_run_is_closed(self) -> None:
        closed = threading.Event()

        async def numbers() -> Any:
            try:
                yield 1
                yield 2
            finally:
                closed.set()

        with make(on_limit="rollback") as box:
            box.function(lambda: numbers(), name="numbers")
            with pytest.raises(FuelLimitExceeded):
                box.eval("const s = numbers(); await s.next(); for (;;);", fuel=5_000_000)
            assert closed.wait(5)
            assert box._driver._requests.services() == 0

    def test_globals_that_wait_for_the_next_turn(self) -> None:
        with make(on_limit="rollback") as box:
            box.function(lambda: 5, name="five")
            box.function(lambda: box.function(lambda: 6, name="six"), name="bind")
            self.undo(box, "five(); bind(); five = null")
            assert box.eval("five() + typeof six") == "5undefined"

    def test_kept_exceptions(self) -> None:
        error = ValueError("the first")

        def fail(which: int) -> None:
            raise error if which == 0 else KeyError(which)

        with make(on_limit="rollback") as box:
            box.function(fail)
            box.eval("let caught; try { fail(0) } catch (e) { caught = e }")
            self.undo(box, "for (let i = 1; i < 400; i++) try { fail(i) } catch {}")
            with pytest.raises(JSError) as thrown:
                box.eval("throw caught")
            assert thrown.value.__cause__ is error

    def test_random_numbers_and_time(self) -> None:
        code = "[Math.random(), [...crypto.getRandomValues(new Uint8Array(8))], performance.now()]"
        with make(on_limit="rollback", seed=3, clock="virtual") as box, make(seed=3, clock="virtual") as twin:
            self.undo(box, f"{code}; await new Promise(done => setTimeout(done, 500)); {code}")
            assert box.eval(code) == twin.eval(code)

    def test_sources(self) -> None:
        with make(on_limit="rollback") as box:
            sources = box._driver.turns.sources
            before = sources.copy()
            self.undo(box, "0", filename="undone.js")
            assert sources.copy() == before

    def test_modules(self) -> None:
        modules = {"state": "export let n = 0; export const up = () => ++n"}
        with make(on_limit="rollback", modules=modules) as box:
            box.module("import {up} from 'state'; up()")
            self.undo(box, "const {up} = await import('state'); up(); up()")
            assert box.module("import {up} from 'state'; export const n = up()") == {"n": 2}

    def test_what_was_used_stays_counted(self) -> None:
        with make(on_limit="rollback") as box:
            before = box.usage
            self.undo(box, "globalThis.big = new ArrayBuffer(8 << 20)")
            after = box.usage
            assert after.fuel >= before.fuel + 5_000_000
            assert after.runs == before.runs + 1
            assert after.turns > before.turns
            assert (after.memory_bytes, after.heap_bytes) == (before.memory_bytes, before.heap_bytes)
            assert after.peak_memory_bytes >= before.memory_bytes

    def test_the_copy_is_freed_when_the_run_ends(self, monkeypatch: pytest.MonkeyPatch) -> None:
        copies: list[weakref.ref[MemoryCopy]] = []
        copy = Instance.checkpoint

        class Watched(MemoryCopy):
            __slots__ = ("__weakref__",)

        def watching(instance: Instance) -> MemoryCopy:
            made = copy(instance)
            watched = Watched(made.memory_bytes, made.parts)
            copies.append(weakref.ref(watched))
            return watched

        monkeypatch.setattr(Instance, "checkpoint", watching)
        with make(on_limit="rollback") as box:
            box.eval("1")
            self.undo(box, "0")
            assert len(copies) >= 3
            assert [ref for ref in copies if ref() is not None] == []

    def test_nothing_is_copied_without_being_asked_for(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.delattr(Instance, "checkpoint")
        for on_limit in ("keep", "poison"):
            with make(on_limit=on_limit) as box:
                assert box.eval("x") == 1


def test_a_step_that_was_undone_can_be_taken_again() -> None:
    with make({"cpu_seconds": 0.05}, on_limit="rollback") as box:
        iterator = box.eval("globalThis.slow = true; (function* () { while (slow); yield 1 })()")
        with pytest.raises(CpuLimitExceeded):
            next(iterator)
        box.globals["slow"] = False
        assert list(iterator) == [1]


def test_a_tick_that_was_undone_took_no_time() -> None:
    with make({"cpu_seconds": 0.05}, on_limit="rollback", clock="virtual") as box:
        box.eval("globalThis.seen = []; for (const t of [10, 20, 30]) setTimeout(() => seen.push(t), t)")
        box.eval("setTimeout(() => { for (;;); }, 25); 0")
        with pytest.raises(CpuLimitExceeded):
            box.tick(100)
        assert box.eval("[performance.now(), seen.length]") == [0, 0]
        box.tick(20)
        assert box.eval("seen") == [10, 20]
        with pytest.raises(CpuLimitExceeded):
            box.run_until_idle()
        assert box.eval("[performance.now(), seen.length]") == [20, 2]


@pytest.mark.parametrize("catches", [True, False])
def test_nested_runs_belong_to_the_outer_one(catches: bool) -> None:
    def inner() -> None:
        try:
            box.eval("x = 2; new ArrayBuffer(1 << 30)")
        except MemoryLimitExceeded:
            if not catches:
                box.eval("for (;;);")

    with make({"cpu_seconds": 0.05}, on_limit="rollback") as box:
        box.function(inner)
        if catches:
            assert box.eval("inner(); x") == 2
        else:
            with pytest.raises(CpuLimitExceeded):
                box.eval("inner()")
        assert box.eval("x") == (2 if catches else 1)


class TestCrashes:
    @pytest.mark.parametrize("on_limit", ["keep", "poison", "rollback"])
    def test_a_crash(self, on_limit: Any) -> None:
        def spoil() -> None:
            """Overwrite what the engine is found by."""
            store = box._driver.guest.instance._store
            assert store is not None
            after = ctypes.addressof(store.control) - store.base
            store.memory[after - 8 : after] = b"\xff" * 8

        with make(on_limit=on_limit) as box:
            box.function(spoil)
            box.eval("0")
            before = memory_of(box)
            with pytest.raises(EngineCrashed) as caught:
                box.eval("x = 2; spoil(); [{}, []].map(x => ({...x}))")
            assert caught.value.rolled_back == (on_limit == "rollback")
            if on_limit == "rollback":
                assert memory_of(box) == before
                assert box.eval("x") == 1
            else:
                with pytest.raises(SandboxPoisoned, match="the engine trapped"):
                    box.eval("x")

    def test_a_guest_that_breaks_the_rules_is_not_saved(self) -> None:
        def forge() -> None:
            box._driver.guest.instance.control.inbox = 0xFFFF0000

        with make(on_limit="rollback") as box:
            box.function(forge)
            with pytest.raises(GuestProtocolError):
                box.eval("x = 2; forge()")
            with pytest.raises(SandboxPoisoned, match="inbox"):
                box.eval("x")


class TestFailures:
    def test_a_rollback_that_fails(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(*_: object) -> None:
            raise SandboxError("no room for another sandbox in this process: 4 GiB")

        with make(on_limit="rollback") as box:
            monkeypatch.setattr(_store, "acquire", full)
            with pytest.raises(FuelLimitExceeded) as caught:
                box.eval("for (;;);", fuel=1_000_000)
            assert not caught.value.rolled_back
            with pytest.raises(SandboxPoisoned, match=r"fuel limit .* the rollback failed \(no room"):
                box.eval("1")
            assert box.usage.memory_bytes > 0

    def test_a_memory_that_cannot_grow_again(self, monkeypatch: pytest.MonkeyPatch) -> None:
        with make(on_limit="rollback") as box:
            box.eval("globalThis.big = new ArrayBuffer(8 << 20); 0")
            box._driver.guest.instance._limit_bytes = 4 << 20
            with pytest.raises(FuelLimitExceeded):
                box.eval("for (;;);", fuel=1_000_000)
            with pytest.raises(SandboxPoisoned, match="the rollback failed"):
                box.eval("1")

    def test_no_room_for_the_copy(self, monkeypatch: pytest.MonkeyPatch) -> None:
        def full(_instance: Instance) -> MemoryCopy:
            raise MemoryError

        with make(on_limit="rollback") as box:
            with monkeypatch.context() as patch:
                patch.setattr(Instance, "checkpoint", full)
                with pytest.raises(SandboxError, match="no room for the copy"):
                    box.eval("x = 2")
                with pytest.raises(SandboxError, match="no room for the copy"):
                    box.run_until_idle()
            assert box.eval("x") == 1


class TestTheBooks:
    """Of requests and operations, where a test can say what happens when."""

    def test_what_the_guest_gave_up_is_stopped_only_when_that_stands(self) -> None:
        for undone in (True, False):
            face = SteppedFace.__new__(SteppedFace)
            face.started, face.cancelled = [], []
            requests = Requests(face, lambda: None, Limits())
            run = Run(1, Limits(), None, None)

            async def work() -> None: ...

            coroutine = work()
            requests.add(1, run)
            requests.answer_later(1, coroutine)
            requests.attend()
            requests.mark()
            requests.discard(1)
            requests.attend()
            assert face.cancelled == []
            if undone:
                requests.undo()
                face.started[0][1]("value")
                requests.sort(lambda: 0.0)
                assert requests.next_answer(run) == (1, "value")
            else:
                requests.keep()
                requests.attend()
                assert face.cancelled == [coroutine]
            coroutine.close()

    def test_a_late_answer_is_not_taken_for_that_of_the_same_number(self) -> None:
        face = SteppedFace.__new__(SteppedFace)
        face.started, face.cancelled = [], []
        requests = Requests(face, lambda: None, Limits())
        run = Run(1, Limits(), None, None)

        async def work() -> None: ...

        for value in ("undone", "right"):
            requests.mark()
            requests.add(1, run)
            requests.answer_later(1, work())
            requests.attend()
            if value == "undone":
                requests.undo()
        face.started[0][1]("undone")
        face.started[1][1]("right")
        requests.sort(lambda: 0.0)
        assert requests.next_answer(run) == (1, "right")
        assert requests.next_answer(run) is None
        for awaitable, _ in face.started:
            awaitable.close()  # type: ignore[attr-defined] # a coroutine

    def test_a_handle_that_is_dropped_during_the_rollback(self) -> None:
        operations = Operations([], Owner())
        before = operations.held(Tag.FUNCTION, 1, "f")
        operations.mark()
        undone = operations.held(Tag.FUNCTION, 2, "g")
        generations = before._generation, undone._generation
        operations.undo()
        again = operations.held(Tag.FUNCTION, 2, "h")
        operations.dropped.extend([(2, generations[1]), (1, generations[0])])
        assert operations.take_dropped() == [1]
        assert operations.live() == 1
        assert operations.handle_of(again) == 2

    def test_a_call_that_is_due_is_rolled_back_before_anything_else(self) -> None:
        """The task that waited is cancelled in the moment its limit is reached: the next run does what is left."""
        face = SteppedFace(on_limit="rollback")
        try:
            face.finish(*face.begin("globalThis.x = 1"))
            run, steps = face.begin("x = 2; new Promise(done => setTimeout(done, 1e9))")
            other, other_steps = face.begin("0")
            assert face.step(steps) is not None
            run.force(WallLimitExceeded(0.01, 0.02))
            steps.close()
            face.driver.end(run)
            assert face.finish(other, other_steps) == 0
            assert face.finish(*face.begin("x")) == 1
        finally:
            face.close()


@pytest.mark.anyio
class TestAsync:
    @pytest.mark.parametrize("name", ["cpu", "a wait", "fuel"])
    async def test_rollback(self, name: str) -> None:
        limits, options, code, error, _ = REACHED[name]
        async with AsyncSandbox(limits=Limits(**limits), on_limit="rollback") as box:
            await box.eval("globalThis.x = 1")
            with pytest.raises(error) as caught:
                await box.eval(f"x = 2; {code}", **options)
            assert caught.value.rolled_back
            assert await box.eval("x") == 1

    async def test_poison(self) -> None:
        async with AsyncSandbox(on_limit="poison") as box:
            with pytest.raises(WallLimitExceeded):
                await box.eval("await new Promise(done => setTimeout(done, 1e6))", timeout=0.02)
            with pytest.raises(SandboxPoisoned, match="wall time limit"):
                await box.eval("1")

    async def test_runs_in_progress_are_undone_together(self) -> None:
        """Those that wait are told; one that has not begun goes on; the next has a state of its own to go back to."""
        outcomes: dict[str, Any] = {}

        async def run(name: str, code: str, **options: Any) -> None:
            try:
                outcomes[name] = await box.eval(code, **options)
            except SandboxError as error:
                outcomes[name] = error

        async def later() -> None:
            await anyio.sleep(60)

        async with AsyncSandbox(on_limit="rollback", functions={"later": later}) as box:
            await box.eval("globalThis.log = ['before']")
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(run, "first", "log.push('first'); await later()")
                await anyio.wait_all_tasks_blocked()
                await run("ended", "log.push('ended'); log.length")
                tasks.start_soon(lambda: run("limited", "log.push('limited'); for (;;);", fuel=5_000_000))
            assert isinstance(outcomes["first"], RunInterrupted)
            assert outcomes["first"].rolled_back
            assert outcomes["ended"] == 3, "it had ended before, and cannot be told"
            assert isinstance(outcomes["limited"], FuelLimitExceeded)
            assert outcomes["limited"].rolled_back
            assert await box.eval("log.join()") == "before"
            assert box.usage.pending_requests == 0

    async def test_a_call_of_an_undone_function_that_waits_for_its_turn(self) -> None:
        held: list[Any] = []
        async with AsyncSandbox(on_limit="rollback", functions={"hold": held.append}) as box:
            await box.eval("0")
            with pytest.raises(FuelLimitExceeded):
                await box.eval("hold(() => 'undone'); for (;;);", fuel=5_000_000)
            call = held[0]()
            again = await box.eval("() => 'again'")
            with pytest.raises(ConversionError, match="rolled back"):
                await call
            assert await again() == "again"

    async def test_cancellation_is_no_limit(self) -> None:
        async with AsyncSandbox(on_limit="rollback") as box:
            await box.eval("globalThis.x = 1")
            with anyio.move_on_after(0.05):
                await box.eval("x = 2; for (;;);")
            assert await box.eval("x") == 2

    async def test_a_cancelled_wait_whose_limit_is_reached(self) -> None:
        """Whichever comes first, the sandbox is usable and is either as before or as the program left it."""
        async with AsyncSandbox(on_limit="rollback") as box:
            await box.eval("globalThis.x = 1")
            for _ in range(10):
                with anyio.move_on_after(0.01) as scope:
                    with pytest.raises(WallLimitExceeded):
                        await box.eval("x = 2; await new Promise(done => setTimeout(done, 1e6))", timeout=0.01)
                    assert await box.eval("x") == 1
                if scope.cancelled_caught:
                    assert await box.eval("x") in (1, 2)
                await box.eval("x = 1")


def test_threads_that_overlap() -> None:
    """Runs of several threads share a state to go back to; none is lost, and the sandbox stays usable."""
    errors: list[BaseException] = []
    with make(on_limit="rollback") as box:

        def work(number: int) -> None:
            for turn in range(15):
                try:
                    if (number + turn) % 3 == 0:
                        with pytest.raises(FuelLimitExceeded):
                            box.eval("x = 'bad'; for (;;);", fuel=2_000_000)
                    else:
                        box.eval("await new Promise(done => setTimeout(done, 1)); 0")
                except RunInterrupted as error:
                    assert error.rolled_back
                except UsageError as error:
                    errors.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert errors == []
        assert box.eval("x") == 1
        assert box._driver.turns.after_limit._checkpoint is None
