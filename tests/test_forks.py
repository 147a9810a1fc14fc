"""Forks: what was idle works on both sides, what was running is refused in the child, and nothing hangs."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

from tests.child import in_child

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="the platform cannot fork")


def test_a_stream_goes_on_in_the_parent_only() -> None:
    assert (
        in_child(
            """
            import os, sys, warnings
            from sandbox import Sandbox

            async def count():
                for number in range(3):
                    yield number

            box = Sandbox(functions={"count": count})
            assert box.eval("var begun = count(), later = count(); (await begun.next()).value") == 0
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if not child:
                text = box.eval("let text; try { await begun.next() } catch (e) { text = e.message } text")
                assert text == "the process was forked while this iterator was open", text
                assert box.eval("(await later.next()).value") == 0
                box.close()
                sys.exit()
            assert os.waitpid(child, 0)[1] == 0
            assert box.eval("(await begun.next()).value") == 1
            box.close()
            print("parent")
            """
        )
        == "parent"
    )


def test_both_sides_go_on() -> None:
    assert (
        in_child(
            """
            import os, sys, warnings
            from sandbox import Sandbox
            from sandbox.errors import JSError

            async def double(n):
                return 2 * n

            inherited = Sandbox(functions={"double": double}, globals={"n": 1})
            assert inherited.eval("await double(n)") == 2
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if not child:
                assert inherited.eval("n = 5") == 5
                assert inherited.eval("await double(n)") == 10
                with Sandbox(functions={"double": double}) as fresh:
                    assert fresh.eval("await double(4)") == 8
                inherited.close()
                print("child", flush=True)
                sys.exit()
            _, status = os.waitpid(child, 0)
            assert status == 0, status
            assert inherited.eval("n") == 1
            assert inherited.eval("await double(3)") == 6
            inherited.close()
            print("parent")
            """
        )
        == "child\nparent"
    )


def test_what_the_parents_loop_worked_on_fails_in_the_child() -> None:
    assert (
        in_child(
            """
            import anyio, os, sys, threading, warnings
            from sandbox import Sandbox

            asked = threading.Event()
            answered = threading.Event()

            async def ask():
                asked.set()
                await anyio.to_thread.run_sync(answered.wait)
                return "answer"

            box = Sandbox(functions={"ask": ask})
            box.eval("let seen; ask().then(v => { seen = v }, e => { seen = e.message }); 1")
            asked.wait()
            warnings.simplefilter("ignore", DeprecationWarning)
            child = os.fork()
            if not child:
                box.run_until_idle()
                print(box.eval("seen"), flush=True)
                os._exit(0)
            os.waitpid(child, 0)
            answered.set()
            box.run_until_idle()
            print(box.eval("seen"))
            """
        )
        == "the process was forked while this was pending\nanswer"
    )


def test_what_waited_for_the_parents_loop_is_the_parents_alone() -> None:
    program = """
    asked, go_on = threading.Event(), threading.Event()

    async def ask(n):
        asked.set()
        await anyio.to_thread.run_sync(go_on.wait)
        print(n, flush=True)
        return n

    box = Sandbox(functions={"ask": ask}, limits=Limits(concurrent_calls=1))
    box.eval("const seen = []; for (const n of [1, 2]) ask(n).then(n => seen.push(n), e => seen.push(e.message)); 1")
    asked.wait()

    def look():
        go_on.set()
        box.run_until_idle()
        assert set(box.eval("seen")) == {"the process was forked while this was pending"}
        assert len(box.eval("seen")) == 2
        box.close()

    status = in_child(look)
    go_on.set()
    box.run_until_idle()
    print(status, box.eval("seen"))
    """
    assert _with_forks(program) == "1\n2\n0 [1, 2]"


_PRELUDE = """
import logging, os, sys, threading, warnings
import anyio.lowlevel
import anyio.to_thread
from sandbox import Limits, Sandbox
from sandbox.errors import SandboxPoisoned

warnings.simplefilter("ignore", DeprecationWarning)
logging.disable()  # of what takes long

async def later(n):
    await anyio.lowlevel.checkpoint()
    return n

def make():
    return Sandbox(functions={"f": lambda n: n + 1, "later": later})

def in_child(function):
    child = os.fork()
    if not child:
        try:
            status = function()
        except BaseException:
            sys.excepthook(*sys.exc_info())
            status = 1
        os._exit(status or 0)
    return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
"""


def _with_forks(program: str, timeout: float = 50) -> str:
    return in_child(_PRELUDE + textwrap.dedent(program), timeout)


def test_while_other_threads_run_make_free_and_wait() -> None:
    """`SANDBOX_FORKS=1000` for a long one."""
    program = """
    idle, busy, waiting = make(), [make(), make()], make()
    assert waiting.eval("await later(1)") == 1
    stop = threading.Event()

    def use(box):
        while not stop.is_set():
            box.eval("for (let i = 0; i < 1000; i++) f(i)")

    def wait():
        while not stop.is_set():
            waiting.eval("await later(1)")

    def open_and_close():
        while not stop.is_set():
            with Sandbox() as box:
                box.eval("new ArrayBuffer(1 << 23)")  # freed, not kept

    def look():
        assert idle.eval("f(1)") == 2
        idle.close()
        with make() as fresh:
            assert fresh.eval("await later(2)") == 2
        for box in (*busy, waiting):
            try:
                assert box.eval("f(1)", timeout=20) == 2
            except SandboxPoisoned as error:
                assert "forked" in str(error)
                assert box.usage.memory_bytes
            box.close()

    threads = [threading.Thread(target=use, args=(box,)) for box in busy]
    threads += [threading.Thread(target=function) for function in (wait, open_and_close, open_and_close)]
    for thread in threads:
        thread.start()
    statuses = {in_child(look) for _ in range(int(os.environ.get("SANDBOX_FORKS", "8")))}
    stop.set()
    for thread in threads:
        thread.join()
    print(statuses, [box.eval("f(1)") for box in busy])
    """
    assert _with_forks(program, timeout=1000) == "{0} [2, 2]"


@pytest.mark.parametrize("options", ["", "limits=Limits(metering='clock')", "on_limit='rollback'"])
def test_what_was_running_is_refused_at_once(options: str) -> None:
    program = f"""
    inside, go_on = threading.Event(), threading.Event()
    box = Sandbox(functions={{"hold": lambda: (inside.set(), go_on.wait())[0]}}, {options})
    function = box.eval("() => 1")
    thread = threading.Thread(target=box.eval, args=("hold()",))
    thread.start()
    inside.wait()

    def look():
        for use in (lambda: box.eval("1"), function, lambda: box.globals["x"], lambda: box.call("f")):
            try:
                use()
            except SandboxPoisoned as error:
                assert "forked" in str(error), error
            else:
                return 2
        function.release()
        box.close()

    status = in_child(look)
    go_on.set()
    thread.join()
    print(status, box.eval("1"))
    """
    assert _with_forks(program) == "0 1"


def test_a_run_that_waits_on_another_thread_is_the_parents() -> None:
    program = """
    asked = threading.Event()

    async def never():
        asked.set()
        await anyio.sleep_forever()

    box = Sandbox(functions={"never": never})
    threading.Thread(target=box.eval, args=("await never()",), daemon=True).start()
    asked.wait()
    while box._runner._turn.locked():
        pass

    def look():
        assert box.eval("1 + 1") == 2
        box.run_until_idle()
        box.close()

    print(in_child(look), box.eval("1"))
    os._exit(0) if sys.stdout.flush() else os._exit(0)
    """
    assert _with_forks(program) == "0 1"


@pytest.mark.parametrize(
    ("stack", "end", "status"),
    [
        ("", "return 'child'", 0),
        ("", "sys.exit(7)", 7),
        ("", "os._exit(5)", 5),
        ("threading.stack_size(1 << 18)", "return 'child'", 0),
        ("threading.stack_size(1 << 18)", "sys.exit(7)", 0),  # as on any thread
        ("threading.stack_size(1 << 18)", "os._exit(5)", 5),
    ],
)
@pytest.mark.parametrize("options", ["", "limits=Limits(metering='clock'), on_limit='rollback'"])
def test_in_a_host_function(stack: str, end: str, status: int, options: str) -> None:
    """The guest goes on in both; where it ran on a thread of ours, the child ends with the turn."""
    program = f"""
    def fork():
        child = os.fork()
        if not child:
            {end}
        return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    box = Sandbox(functions={{"fork": fork}}, {options})
    parent = os.getpid()

    def use():
        answer = box.eval("fork()")
        if os.getpid() == parent:
            print(answer)
        else:
            assert box.eval("1 + 1") == 2
            box.close()

    if {bool(stack)}:
        {stack or "pass"}
        thread = threading.Thread(target=use)
        thread.start()
        thread.join()
    else:
        use()
    """
    assert _with_forks(program) == str(status)


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_an_event_loop(backend: str) -> None:
    """It does not survive: a child that comes back to where a turn ends leaves, and nothing is said."""
    program = f"""
    import anyio
    from sandbox import AsyncSandbox

    def fork(status):
        child = os.fork()
        if not child and status is not None:
            os._exit(status)
        return child and os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])

    async def main():
        async with AsyncSandbox(functions={{"fork": fork, "never": anyio.sleep_forever}}) as box:
            print(await box.eval("never(); [fork(3), fork(null)]"))
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(box.eval, "await never()")
                await anyio.wait_all_tasks_blocked()
                print(await box.eval("[fork(3), fork(null)]"), fork(4))
                tasks.cancel_scope.cancel()

    anyio.run(main, backend="{backend}")
    """
    assert _with_forks(program) == "[3, 0]\n[3, 0] 4"


@pytest.mark.parametrize("method", ["fork", "forkserver", "spawn"])
def test_multiprocessing(tmp_path: Path, method: str) -> None:
    program = f"""
    import multiprocessing
    from sandbox import Sandbox

    inherited = Sandbox(functions={{"f": lambda n: n + 1}})

    def work(n):
        with Sandbox(functions={{"f": lambda n: n * 2}}) as box:
            return inherited.eval(f"f({{n}})"), box.eval(f"f({{n}})")

    if __name__ == "__main__":
        inherited.eval("1")
        with multiprocessing.get_context("{method}").Pool(2) as pool:
            print(pool.map(work, range(4)))
    """
    path = tmp_path / "pool.py"
    path.write_text(textwrap.dedent(program))
    done = subprocess.run(
        [sys.executable, str(path)],
        capture_output=True,
        text=True,
        timeout=50,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)},
    )
    assert (done.returncode, done.stderr, done.stdout) == (0, "", "[(1, 0), (2, 2), (3, 4), (4, 6)]\n")
