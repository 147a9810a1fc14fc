"""Ctrl-C: always a KeyboardInterrupt, never a crash, and the sandbox can be used afterwards."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import textwrap
from collections.abc import AsyncIterator, Callable, Iterator
from pathlib import Path
from types import FrameType, ModuleType
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, HostFunction, JSFunction, Sandbox, _interrupts, _streams
from sandbox.errors import WallLimitExceeded

_interrupt = signal.SIGINT


def _raise_signal() -> None:
    signal.raise_signal(_interrupt)


@pytest.fixture(autouse=True)
def _python_handles_sigint() -> Iterator[None]:
    before = signal.signal(_interrupt, signal.default_int_handler)
    yield
    assert signal.getsignal(_interrupt) is signal.default_int_handler, "the handler was not put back"
    signal.signal(_interrupt, before)


def _usable(box: Sandbox) -> bool:
    return bool(box.eval("1 + 1") == 2)


class TestDelivery:
    def test_in_a_host_function_at_once(self) -> None:
        def work() -> None:
            _raise_signal()
            pytest.fail("the signal was not delivered")

        with Sandbox(functions={"work": work}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("try { work() } catch {} 'went on'")
            assert _usable(box)

    def test_in_an_asynchronous_host_function_it_ends_the_wait(self) -> None:
        cancelled: list[bool] = []

        async def work() -> None:
            os.kill(os.getpid(), _interrupt)
            try:
                await anyio.sleep_forever()
            finally:
                cancelled.append(True)

        with Sandbox(functions={"work": work}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("await work()")
            assert _usable(box)

    @pytest.mark.parametrize(
        "code", ["while (true);", "for (;;) idle()", "for (;;) try { idle() } catch {}", "for (;;) await 0"]
    )
    def test_while_the_guest_computes(self, code: str) -> None:
        def arm() -> None:
            _interrupts._main.is_open = False  # as if the signal came just after this function had returned
            _raise_signal()

        with Sandbox(functions={"arm": arm, "idle": lambda: None}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval(f"arm(); {code}")
            assert _usable(box)

    def test_while_it_waits_for_a_timer(self) -> None:
        def arm() -> None:
            _interrupts._main.is_open = False
            _raise_signal()

        with Sandbox(functions={"arm": arm}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("arm(); await new Promise(done => setTimeout(done, 1e6))")
            assert _usable(box)

    def test_even_when_the_program_is_over_before_it_is_noticed(self) -> None:
        def arm() -> None:
            _interrupts._main.is_open = False
            _raise_signal()

        with Sandbox(functions={"arm": arm}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("arm(); 5")
            assert _usable(box)

    def test_in_a_nested_call(self) -> None:
        def arm(callback: JSFunction) -> None:
            _interrupts._main.noted.append(_interrupt)
            callback()
            pytest.fail("the signal was not delivered")

        with Sandbox(functions={"arm": arm}) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("arm(() => { for (;;); })")
            assert _usable(box)

    def test_in_a_sandbox_inside_a_sandbox(self) -> None:
        def arm() -> None:
            _interrupts._main.is_open = False
            _raise_signal()

        with Sandbox(functions={"arm": arm}) as inner, Sandbox(functions={"inner": inner.eval}) as outer:
            with pytest.raises(KeyboardInterrupt):
                outer.eval("inner('arm(); for (;;);')")
            assert _usable(inner)
            assert _usable(outer)

    def test_the_console_is_not_interrupted_in_the_middle(self) -> None:
        with Sandbox(console=lambda _: _raise_signal()) as box:
            with pytest.raises(KeyboardInterrupt):
                box.eval("console.log(1); 'value'")
            assert _usable(box)


class TestOtherHandlers:
    @pytest.fixture
    def calls(self) -> Iterator[list[int]]:
        calls: list[int] = []

        def handler(number: int, frame: FrameType | None) -> None:
            calls.append(number)

        before = signal.signal(_interrupt, handler)
        yield calls
        assert signal.getsignal(_interrupt) is handler
        signal.signal(_interrupt, before)

    def test_a_handler_that_raises_nothing_lets_the_guest_go_on(self, calls: list[int]) -> None:
        def arm() -> None:
            _raise_signal()
            _interrupts._main.is_open = False
            _raise_signal()

        with Sandbox(functions={"arm": arm}) as box:
            assert box.eval("arm(); let n = 0; for (let i = 0; i < 3e6; i++) n++; n") == 3_000_000
        assert calls == [_interrupt, _interrupt]

    def test_what_a_handler_raises_ends_the_run(self) -> None:
        class MineError(Exception):
            pass

        def handler(*_: Any) -> None:
            raise MineError

        def arm() -> None:
            _interrupts._main.is_open = False
            _raise_signal()

        before = signal.signal(_interrupt, handler)
        try:
            with Sandbox(functions={"arm": arm}) as box:
                with pytest.raises(MineError):
                    box.eval("arm(); for (;;);")
                assert _usable(box)
        finally:
            signal.signal(_interrupt, before)

    @pytest.mark.parametrize("handler", [signal.SIG_IGN, signal.SIG_DFL])
    def test_no_python_handler(self, handler: Any) -> None:
        before = signal.signal(_interrupt, handler)
        try:
            with Sandbox(functions={"handler": lambda: signal.getsignal(_interrupt) is handler}) as box:
                assert box.eval("handler()") is True
        finally:
            signal.signal(_interrupt, before)

    def test_a_handler_set_by_a_host_function_stays(self) -> None:
        def mine(*_: Any) -> None:
            """Does nothing."""

        with Sandbox(functions={"set": lambda: signal.signal(_interrupt, mine) and None}) as box:
            box.eval("set()")
            assert signal.getsignal(_interrupt) is mine
            signal.signal(_interrupt, signal.default_int_handler)
            assert _usable(box)


@pytest.mark.skipif(sys.platform == "win32", reason="there are no such signals")
class TestOtherSignals:
    @pytest.fixture
    def calls(self) -> Iterator[list[int]]:
        calls: list[int] = []

        def note(number: int, frame: FrameType | None) -> None:
            calls.append(number)

        def fail(number: int, frame: FrameType | None) -> None:
            calls.append(number)
            raise OSError(number)

        handlers = {signal.SIGALRM: note, signal.SIGUSR1: fail, signal.SIGTERM: fail}
        before = {number: signal.signal(number, handler) for number, handler in handlers.items()}
        yield calls
        assert {number: signal.getsignal(number) for number in handlers} == handlers
        for number, handler in before.items():
            signal.signal(number, handler)

    @pytest.mark.parametrize(
        ("numbers", "raised"),
        [
            ([signal.SIGALRM], []),
            ([signal.SIGALRM, signal.SIGALRM], []),
            ([signal.SIGTERM], [signal.SIGTERM]),
            ([signal.SIGALRM, signal.SIGUSR1], [signal.SIGUSR1]),
            ([signal.SIGUSR1, signal.SIGTERM, signal.SIGALRM], [signal.SIGTERM, signal.SIGUSR1]),
        ],
    )
    def test_each_is_noted_once_and_reaches_its_handler(
        self, calls: list[int], numbers: list[int], raised: list[int]
    ) -> None:
        def arm() -> None:
            _interrupts._main.is_open = False
            for number in numbers:
                signal.raise_signal(number)

        with Sandbox(functions={"arm": arm}) as box:
            error: BaseException | None = None
            try:
                assert box.eval("arm(); 7") == 7
            except OSError as caught:
                error = caught
            seen: list[int] = []
            while error is not None:
                seen += error.args
                error = error.__context__
            assert seen == raised
            assert calls == list(dict.fromkeys(numbers))
            assert _usable(box)

    def test_one_that_is_handled_within_a_host_function(self, calls: list[int]) -> None:
        def outer() -> int:
            signal.signal(signal.SIGALRM, lambda *_: calls.append(-1))
            try:
                with Sandbox(functions={"alarm": lambda: signal.raise_signal(signal.SIGALRM)}) as inner:
                    inner.eval("alarm()")
            finally:
                signal.signal(signal.SIGALRM, before)
            signal.raise_signal(signal.SIGALRM)
            return len(calls)

        with Sandbox(functions={"outer": outer}) as box:
            before = signal.getsignal(signal.SIGALRM)
            assert box.eval("before = outer()") == 2
        assert calls == [-1, signal.SIGALRM]


def test_between_runs_python_handles_the_signal() -> None:
    with Sandbox() as box:
        box.eval("1")
        assert signal.getsignal(_interrupt) is signal.default_int_handler
        with pytest.raises(KeyboardInterrupt):
            _raise_signal()


def test_other_threads_leave_it_alone() -> None:
    from concurrent.futures import ThreadPoolExecutor

    with Sandbox(functions={"handler": lambda: signal.getsignal(_interrupt) is signal.default_int_handler}) as box:
        with ThreadPoolExecutor(1) as pool:
            assert pool.submit(box.eval, "handler()").result(10) is True
        assert box.eval("handler()") is False


def test_a_wait_that_is_not_interrupted_keeps_its_limit() -> None:
    with Sandbox() as box, pytest.raises(WallLimitExceeded):
        box.eval("await new Promise(done => setTimeout(done, 1e6))", timeout=0.02)


# --- signals at random instants, in processes of their own ---

_PRELUDE = """
import os, random, signal, threading, time
import anyio
from sandbox import Sandbox
from sandbox.errors import SandboxError

random.seed({seed})
signal.signal(signal.{name}, signal.default_int_handler)
sending = True
ready = False

async def later(n):
    await anyio.sleep(0)
    return n

def send():
    global sending
    while not ready:
        time.sleep(0.001)
    for _ in range({signals}):
        time.sleep(random.random() * 0.008)
        os.kill(os.getpid(), signal.{name})
    sending = False

def guarded(function, levels=3):
    # Calls a function until it is not interrupted. Its own handlers may be interrupted too, so there are several.
    global caught
    while True:
        try:
            return guarded(function, levels - 1) if levels else function()
        except KeyboardInterrupt:
            caught += 1

def work():
    global ready
    ready = True
    while sending:
        try:
            {body}
        except TimeoutError:
            pass
    sender.join()
    time.sleep(0.05)

caught = 0
box = Sandbox(functions={{"f": lambda n: n + 1, "call": lambda g: g(), "later": later}})
sender = threading.Thread(target=send)
sender.start()
guarded(work)
for _ in range(3):
    assert box.eval("[1 + 1, f(1), await later(3)]", timeout=5) == [2, 2, 3]
assert not box._driver.runs
box.close()
with Sandbox() as fresh:
    assert fresh.eval("2") == 2
assert signal.getsignal(signal.{name}) is signal.default_int_handler
print(caught)
"""

# The last run may not be interrupted any more, so what would last for ever has a time limit.
_BODIES = {
    "loops": 'box.eval("while (true);", timeout=1)',
    "host calls": 'box.eval("for (let n = 0;;) n = f(n)", timeout=1)',
    "nested calls": 'box.eval("for (;;) call(() => f(1))", timeout=1)',
    "small runs": 'box.eval("f(1)")',
    "waits": 'box.eval("await new Promise(done => setTimeout(done, 1e6))", timeout=1)',
    "async calls": 'box.eval("for (let n = 0;;) n = await later(n)", timeout=1)',
    "globals": 'box.globals["x"] = {"y": [1, 2, 3]}',
    "new sandboxes": 'exec("with Sandbox(functions=dict(f=abs)) as other: other.eval(\\"f(-1)\\")")',
}


# In the midst of a finalizer Python ignores what a signal raises: the busier the machine, the more often.
@pytest.mark.alone
@pytest.mark.skipif(sys.platform == "win32", reason="os.kill() ends the process there")
@pytest.mark.parametrize(
    ("name", "body"),
    [
        *(("SIGINT", body) for body in _BODIES.values()),
        ("SIGALRM", _BODIES["host calls"]),
        ("SIGTERM", _BODIES["waits"]),
        ("SIGUSR1", _BODIES["nested calls"]),
    ],
    ids=[*_BODIES, "alarms", "terminations", "signals of users"],
)
def test_hundreds_of_signals_at_random_instants(name: str, body: str) -> None:
    program = textwrap.dedent(_PRELUDE).format(seed=1, signals=150, name=name, body=body)
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-c", program],
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (result.returncode, result.stderr) == (0, "")
    assert int(result.stdout) > 50


@pytest.mark.skipif(sys.platform == "win32", reason="os.kill() ends the process there")
@pytest.mark.parametrize("code", ["while (true);", "for (;;) f()", "await new Promise(done => setTimeout(done, 1e6))"])
def test_an_interrupted_program_ends_as_python_programs_do(code: str) -> None:
    program = f"""
import os, signal, threading
from sandbox import Limits, Sandbox
box = Sandbox(functions={{"f": lambda: None}}, limits=Limits(cpu_seconds=None, wall_seconds=None))
threading.Timer(0.2, os.kill, (os.getpid(), signal.SIGINT)).start()
box.eval({code!r})
"""
    result = subprocess.run(
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        timeout=30,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert result.returncode in (-signal.SIGINT, 128 + signal.SIGINT, 1)
    assert result.stderr.strip().endswith("KeyboardInterrupt")


def test_on_a_main_thread_with_a_small_stack(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox import _threads

    def in_small_stack(use: Callable[[Sandbox], None], **functions: Callable[..., Any]) -> None:
        with Sandbox(functions=functions) as box:
            monkeypatch.setattr(_threads, "has_room", lambda: False)
            use(box)
            assert _usable(box)
            monkeypatch.undo()

    def compute(box: Sandbox) -> None:
        import threading

        timer = threading.Timer(0.05, os.kill, (os.getpid(), _interrupt))
        timer.start()
        with pytest.raises(KeyboardInterrupt):
            box.eval("for (;;);")
        timer.join()

    if sys.platform != "win32":
        in_small_stack(compute)


@pytest.mark.alone  # the signals come within the time that the work took before
@pytest.mark.skipif(sys.platform != "linux", reason="its timers are used")
def test_one_signal_at_a_random_instant_of_anything() -> None:
    """`SANDBOX_INTERRUPT_RUNS=10000` for a long one."""
    runs = os.environ.get("SANDBOX_INTERRUPT_RUNS", "150")
    result = subprocess.run(
        [sys.executable, "-X", "faulthandler", "-m", "tests.interrupt_storm", "--runs", runs, "--seed", "1"],
        capture_output=True,
        text=True,
        cwd=Path(__file__).parent.parent,
        check=False,
    )
    assert (result.returncode, result.stderr) == (0, "")
    interrupted, total = map(int, re.findall(r"(\d+) of (\d+) runs interrupted", result.stdout)[0])
    assert total == int(runs)
    assert interrupted > total / 2


@pytest.mark.parametrize("code", ["for (;;);", "for (;;) f()", "await new Promise(() => {}, f())"])
def test_under_trio_the_guest_is_stopped_before_anything_goes_on(code: str) -> None:
    """Its Ctrl-C ends what the main task waits for, such as the thread that runs the guest."""
    import trio

    async def main() -> None:
        async with AsyncSandbox(functions={"arm": _raise_signal_to_process, "f": lambda: None}) as box:
            with pytest.raises(KeyboardInterrupt):
                await box.eval(f"arm(); {code}", timeout=20)
                await trio.sleep(20)
            assert await box.eval("1 + 1") == 2
            assert not box._driver.runs

    trio.run(main)


def _raise_signal_to_process() -> None:
    os.kill(os.getpid(), _interrupt)


def test_under_trio_what_the_guest_stands_still_for_is_not_left_behind() -> None:
    """Ctrl-C as it is started: whoever waits must know what to cancel."""
    import trio

    ended = []

    async def nap() -> None:
        try:
            await trio.sleep(20)
        finally:
            ended.append("nap")

    async def main() -> None:
        async with AsyncSandbox(functions={"nap": HostFunction(nap, wait=True)}) as box:
            tasks: Any = box._runner._tasks
            start_soon = tasks.start_soon

            def start_and_interrupt(*arguments: object) -> None:
                start_soon(*arguments)
                _raise_signal()

            tasks.start_soon = start_and_interrupt
            with pytest.raises(KeyboardInterrupt):
                await box.eval("nap()", timeout=10)
                await trio.sleep(20)
            tasks.start_soon = start_soon
            await trio.lowlevel.checkpoint()
            assert ended == ["nap"]
            assert await box.eval("1 + 1") == 2

    trio.run(main)


def test_under_trio_at_every_line_of_an_async_iterators_steps() -> None:
    """In the middle of one nobody would be told that the iterator ended, and the guest would wait for ever."""
    import trio

    async def count() -> AsyncIterator[int]:
        yield 1
        yield 2

    def interrupted(at: int) -> bool:
        lines = 0

        def trace(frame: FrameType, event: str, _argument: object) -> Any:
            nonlocal lines
            if frame.f_code.co_filename != _streams.__file__:
                return None
            if event == "line":
                lines += 1
                if lines == at:
                    _raise_signal()
            return trace

        async def main() -> None:
            async with AsyncSandbox(functions={"count": count}) as box:
                await box.eval("for await (const n of count());", timeout=20)
                if lines >= at:
                    await trio.sleep(20)

        before = sys.gettrace()
        sys.settrace(trace)
        try:
            trio.run(main)
        except KeyboardInterrupt:
            assert lines >= at
        else:
            assert lines < at, "the signal was lost"
        finally:
            sys.settrace(before)
        return lines >= at

    at = 1
    while interrupted(at):
        at += 1
    assert at > 50


def test_a_loop_that_another_thread_is_importing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "trio.lowlevel", ModuleType("trio.lowlevel"))
    monkeypatch.setitem(sys.modules, "asyncio", ModuleType("asyncio"))
    _interrupts.at_checkpoints_only(_raise_signal)
    _interrupts.as_usual_in(_raise_signal)
    assert _interrupts.errors_of_a_race() == ()


def test_at_every_step_of_taking_handlers_and_giving_them_back() -> None:
    """Python looks for signals where a function begins and after each call of C."""

    def interrupted(at: int, nested: bool) -> bool:
        steps = 0

        def step(frame: FrameType, event: str, _argument: object) -> None:
            nonlocal steps
            if frame.f_code.co_filename == _interrupts.__file__ and event in {"call", "c_return"}:
                steps += 1
                if steps == at:
                    _raise_signal()

        def work() -> None:
            if nested:
                with _interrupts.Deferral(lambda: None):
                    pass

        main = _interrupts._main
        main.seen = ((), False, ())  # so that the longest way is taken each time
        sys.setprofile(step)
        try:
            with _interrupts.Deferral(lambda: None):
                _interrupts.call_open(work)
        except KeyboardInterrupt as error:
            assert error.__context__ is None
        else:
            assert steps < at
        finally:
            sys.setprofile(None)
        assert signal.getsignal(_interrupt) is signal.default_int_handler
        assert (main.is_deferring, main.is_open, main.noted, main.wake()) == (False, False, [], None)
        assert main.wake is _interrupts._nothing
        return steps >= at

    for nested in (False, True):
        at = 1
        while interrupted(at, nested):
            at += 1
        assert at > 15
