"""Ending a turn by force: by the host, by time, by an interrupt. The guest cannot catch it, and goes on afterwards."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, Sandbox
from sandbox._abi import Op, Reason
from sandbox._events import Requested, State, Stopped
from sandbox.errors import RunInterrupted
from tests.bare_guest import Bare, outcome, stops

pytestmark = pytest.mark.alone


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare() as guest:
        yield guest


class Stop(BaseException):
    """What a cancellation is."""


# Each may only be unwound: what is noted in `log` ran although the guest was stopped.
STOPPED = {
    "catch and finally": "try { stop() } catch { log.push(1) } finally { log.push(2) }",
    "after": "stop(); log.push(1)",
    "an async function": "(async () => { try { await stop() } catch { log.push(1) } finally { log.push(2) } })()",
    "a generator": "function* g() { try { stop() } finally { log.push(1) } } for (const x of g());",
    "an async generator": (
        "(async () => { for await (const x of (async function* () { try { stop() } finally { log.push(1) } })()); })()"
    ),
    "an executor": "new Promise(() => stop()).catch(() => log.push(1)).finally(() => log.push(2))",
    "a microtask": "queueMicrotask(() => stop()); queueMicrotask(() => log.push(1))",
    "a reaction": "Promise.resolve().then(() => stop()).catch(() => log.push(1)).then(() => log.push(2))",
    "microtasks before": "queueMicrotask(() => log.push(1)); stop()",
    "a callback": "[1, 2].map(() => { try { stop() } finally { log.push(1) } })",
    "a comparison": "[3, 2, 1].sort(() => { try { stop() } catch { log.push(1) } })",
    "a replacement": "'a'.replace(/a/, () => { try { stop() } catch { log.push(1) } })",
    "toJSON": "JSON.stringify({toJSON() { try { stop() } catch { log.push(1) } }})",
    "a reviver": "JSON.parse('[1]', () => { try { stop() } catch { log.push(1) } })",
    "an iterator": "Array.from({[Symbol.iterator]: () => ({next() { stop() }, return() { log.push(1) }})})",
    "a loop over an iterator": (
        "for (const x of {[Symbol.iterator]: () => ({next: () => ({value: 1}), return() { log.push(1) }})}) stop()"
    ),
    "a constructor": "Reflect.construct(class { constructor() { try { stop() } catch { log.push(1) } } }, [])",
    "a getter": "({get x() { try { stop() } finally { log.push(1) } }}).x",
    "a getter of the result": "({get x() { try { stop() } finally { log.push(1) } }})",
    "a proxy": "new Proxy({}, {get() { try { stop() } finally { log.push(1) } }}).x",
    "a thenable": "await {then(r) { try { stop() } finally { log.push(1) } }}",
    "eval": "eval('try { stop() } catch { log.push(1) }')",
    "toString": "`${{toString() { try { stop() } catch { log.push(1) } }}}`",
    "a getter of an error": (
        "throw Object.defineProperty(new Error(), 'message', {get() { try { stop() } catch { log.push(1) } }})"
    ),
}


@pytest.mark.parametrize("code", STOPPED.values(), ids=STOPPED)
def test_a_stop_of_the_host_cannot_be_caught(bare: Bare, code: str) -> None:
    def stop() -> None:
        raise Stop

    bare.define("stop", stop)
    bare.eval("globalThis.log = []")
    with pytest.raises(Stop):
        bare.eval(code)

    bare.guest.abandon(bare.runs)
    assert bare.value("log") == []
    assert bare.guest.state is State.READY


def test_a_stop_raises_the_original(bare: Bare) -> None:
    error = KeyboardInterrupt("mine")

    def stop() -> None:
        raise error

    bare.define("stop", stop)
    with pytest.raises(KeyboardInterrupt) as caught:
        bare.eval("stop()")
    assert caught.value is error


def test_what_happened_before_a_stop_is_heard(bare: Bare) -> None:
    def stop() -> None:
        raise Stop

    bare.define("stop", stop)
    with pytest.raises(Stop):
        bare.eval("console.log('before'); stop()")

    assert [event.op for event in bare.seen if isinstance(event, Requested)] == [Op.CONSOLE_WRITE]


LOOPS = {
    "while": "for (;;);",
    "catch": "for (;;) try { for (;;); } catch {} finally { for (;;); }",
    "microtasks": "(function f() { Promise.resolve().then(f) })()",
    "a thenable": "await {then(r) { for (;;); }}",
    "a getter": "({get x() { for (;;); }})",
    "a proxy": "new Proxy({}, {ownKeys() { for (;;); }})",
    "toString": "throw {toString() { for (;;); }, get message() { for (;;); }}",
    "a regexp": "/(a*)*b/.exec('a'.repeat(40))",
    "a generator": "[...(function* () { for (;;) yield 1 })()].length",
    "prepareStackTrace": "Error.prepareStackTrace = () => { for (;;); }; new Error()",
    "indexOf": "[].indexOf.call({length: 2 ** 53 - 1}, 1)",
}


@pytest.mark.parametrize("code", LOOPS.values(), ids=LOOPS)
def test_the_cpu_budget_ends_loops(bare: Bare, code: str) -> None:
    seconds = []
    for _ in range(3):
        assert stops(bare.eval(code, cpu_seconds=0.03)) == [Stopped(Reason.CPU)]
        seconds.append(bare.guest.cpu_seconds())

    # A busy machine may take the thread away for a while, but hardly each time.
    assert 0.03 <= min(seconds) < 0.05
    assert bare.value("1 + 1") == 2


def test_the_cpu_budget_is_that_of_the_turn_and_not_of_calls_in_it(bare: Bare) -> None:
    """Time in the host does not count; time in calls back does, on the same account."""

    def back() -> Any:
        until = time.monotonic() + 0.1
        while time.monotonic() < until:
            pass
        return outcome(bare.guest.eval(900, "let end = 0; for (let i = 0; i < 1e5; i++) end++; end", "nested"))

    bare.define("back", back)
    assert bare.value("back()", cpu_seconds=0.08) == 100_000
    (stop,) = stops(bare.eval("for (let i = 0; i < 50; i++) { let n = 0; while (n < 3e6) n++; }", cpu_seconds=0.05))
    assert stop.reason is Reason.CPU


def test_an_interrupt_from_another_thread(bare: Bare) -> None:
    started = threading.Event()

    def begin() -> None:
        started.set()

    def stop() -> None:
        started.wait()
        bare.guest.interrupt()

    bare.define("begin", begin)
    thread = threading.Thread(target=stop)
    thread.start()
    (event,) = stops(bare.eval("begin(); for (;;) try { for (;;); } catch {}", cpu_seconds=None))
    thread.join()

    assert event.reason is Reason.INTERRUPTED
    assert bare.value("1 + 1") == 2


def test_polls_let_the_host_look(bare: Bare) -> None:
    with Bare(poll_interval=5) as polled:
        polled.value("let n = 0; for (let i = 0; i < 1e6; i++) n++; n")
        assert polled.polls > 10

        def stop() -> None:
            raise Stop

        polled.on_poll = stop
        with pytest.raises(Stop):
            polled.eval("for (;;) try { for (;;); } catch {}")
        polled.on_poll = lambda: None
        assert polled.value("1 + 1") == 2
    bare.value("for (let i = 0; i < 1e5; i++); 0")
    assert bare.polls == 0


def test_a_long_output_is_drained_on_the_way() -> None:
    with Bare() as bare:
        bare.eval("for (let i = 0; i < 3000; i++) console.log('x'.repeat(2000))")

        assert bare.polls > 2
        assert sum(isinstance(event, Requested) for event in bare.seen) > 1000


RUNNING: list[tuple[str, str]] = [
    ("computes", "started(); for (;;);"),
    ("computes in a native loop", "started(); for (;;) [].indexOf.call({length: 1e5}, 1);"),
    ("waits for the host", "started(); await never()"),
    ("waits for a timer", "started(); await new Promise(done => setTimeout(done, 1e6))"),
    ("catches all it can", "started(); for (;;) try { for (;;); } catch {} finally { while (true); }"),
]


@pytest.mark.parametrize("code", [row[1] for row in RUNNING], ids=[row[0] for row in RUNNING])
def test_another_thread_ends_a_run(code: str) -> None:
    begun = threading.Event()

    async def never() -> None:
        await anyio.sleep_forever()

    with Sandbox(functions={"started": begun.set, "never": never}) as box:

        def stop() -> None:
            begun.wait(10)
            box.interrupt()

        for _ in range(3):
            begun.clear()
            thread = threading.Thread(target=stop)
            thread.start()
            with pytest.raises(RunInterrupted):
                box.eval(code)
            thread.join()
            assert box.eval("await null; 1 + 1") == 2


def test_a_host_function_ends_the_run_that_called_it() -> None:
    with Sandbox(functions={"stop": lambda: box.interrupt()}) as box:
        with pytest.raises(RunInterrupted):
            box.eval("try { stop(); for (;;); } finally { globalThis.late = 1 }")
        assert box.eval("typeof late") == "undefined"


def test_interrupting_nothing_does_nothing() -> None:
    with Sandbox() as box:
        box.interrupt()
        assert box.eval("1") == 1
    box.interrupt()


@pytest.mark.anyio
async def test_a_task_ends_the_runs_of_others() -> None:
    outcomes: list[str] = []

    async with AsyncSandbox() as box:

        async def run(code: str) -> None:
            try:
                await box.eval(code)
            except RunInterrupted as error:
                outcomes.append(str(error))

        async with anyio.create_task_group() as tasks:
            tasks.start_soon(run, "await new Promise(done => setTimeout(done, 1e6))")
            tasks.start_soon(run, "await new Promise(done => setTimeout(done, 1e6))")
            while len(box._driver.runs) < 2:
                await anyio.lowlevel.checkpoint()
            box.interrupt()
        assert outcomes == ["the run was interrupted"] * 2
        assert await box.eval("1") == 1


def test_interrupts_at_any_instant_end_runs_that_were_there() -> None:
    """A run that begins after an interrupt is not ended by it."""
    with Sandbox(functions={"tick": lambda: None}) as box:
        stop = threading.Event()

        def pester() -> None:
            while not stop.is_set():
                box.interrupt()

        thread = threading.Thread(target=pester)
        thread.start()
        for _ in range(300):
            with suppress(RunInterrupted):
                assert box.eval("tick(); 1") == 1
        stop.set()
        thread.join()
        assert box.eval("1") == 1
