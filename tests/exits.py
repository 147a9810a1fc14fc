"""Ends of interpreters: each program below is a process of its own, which must end by itself, silent, with its status.

The processes are forked off one that has imported the package and made nothing of it yet, so that they cost little.

    python -m tests.exits --repeat 100
"""

from __future__ import annotations

import argparse
import os
import signal
import sys
import tempfile
import time
from typing import Any, Final

_HANG_SECONDS: Final = 30

_PRELUDE: Final = """
import asyncio, atexit, gc, os, sys, threading, time
import anyio, trio
import sandbox
from sandbox import AsyncSandbox, HostFunction, Limits, Sandbox as _Sandbox

running = threading.Event()
UNLIMITED = Limits(cpu_seconds=None, wall_seconds=None)

async def forever():
    running.set()
    await anyio.sleep_forever()

async def soon():
    await anyio.sleep(0)
    return 1

async def leave():
    sys.exit(4)

def Sandbox(**options):
    functions = {"started": running.set, "forever": forever, "soon": soon, "leave": leave, "exit": sys.exit}
    functions |= {"sleep": time.sleep, "idle": lambda: None, **options.pop("functions", {})}
    return _Sandbox(functions=functions, limits=UNLIMITED, **options)

def thread(*call, daemon=True):
    threading.Thread(target=call[0], args=call[1:], daemon=daemon).start()
    running.wait()

def again(box):
    while True:
        box.eval("started()")
"""

# Program -> the status it ends with.
PROGRAMS: Final[dict[str, int]] = {
    # sandboxes that nobody closed
    "box = Sandbox(); box.eval('1')": 0,
    "box = Sandbox(); f = box.eval('[() => 1, (function* () {})(), new Promise(() => {})]')": 0,
    "box = Sandbox(); box.eval('setTimeout(() => {}, 1e9)')": 0,
    "box = Sandbox(); box.me = box; box.globals['f'] = lambda: box": 0,
    "sandbox.eval('() => 1')": 0,
    "AsyncSandbox()": 0,
    # what is pending
    "box = Sandbox(); box.eval('forever(); 1'); running.wait()": 0,
    "box = Sandbox(); p = box.eval('[forever(), soon()]')": 0,
    "box = Sandbox(); box.eval('for (let i = 0; i < 300; i++) soon(); 1')": 0,
    # what runs, on daemon threads
    "box = Sandbox(); thread(box.eval, 'started(); while (true);')": 0,
    "box = Sandbox(); thread(box.eval, 'started(); while (true) idle()')": 0,
    "box = Sandbox(); thread(box.eval, 'started(); for (;;) try { idle() } catch {} finally { continue }')": 0,
    "box = Sandbox(); thread(box.eval, 'started(); for (;;) await soon()')": 0,
    "box = Sandbox(); thread(box.eval, 'await forever()')": 0,
    "box = Sandbox(); thread(box.eval, 'started(); sleep(60)')": 0,
    "box = Sandbox(); thread(again, box)": 0,
    "for _ in range(8): thread(Sandbox().eval, 'started(); for (;;) idle()')": 0,
    "threading.stack_size(1 << 18); thread(Sandbox().eval, 'started(); while (true);')": 0,
    "box = Sandbox(); thread(box.eval, 'started(); while (true);'); os._exit(3)": 3,
    "box = Sandbox(); thread(box.eval, 'started(); while (true);'); sys.exit(9)": 9,
    # what runs, on threads that are waited for
    "box = Sandbox(); thread(box.eval, 'started(); sleep(0.05); for (let i = 0; i < 1e5; i++);', daemon=False)": 0,
    "box = Sandbox(); thread(box.eval, 'started(); sleep(0.05); await soon()', daemon=False)": 0,
    # the end begins in the middle of a turn
    "Sandbox().eval('try { exit(3) } catch {} for (;;);')": 3,
    "Sandbox().eval('await leave()')": 4,
    "Sandbox(functions={'leave': HostFunction(leave, wait=True)}).eval('try { leave() } catch {} for (;;);')": 4,
    "Sandbox(console=lambda _: sys.exit(5)).eval('console.log(1)')": 5,
    "Sandbox(modules=lambda *_: sys.exit(6)).eval('import(1)')": 6,
    "Sandbox(functions={'f': lambda: iter(lambda: sys.exit(7), 1)}).eval('[...f()]')": 7,
    # uses at the very end
    "atexit.register(lambda: Sandbox().eval('await soon()'))": 0,
    "box = Sandbox(); atexit.register(lambda: box.eval('await soon()'))": 0,
    "box = Sandbox(); atexit.register(box.close); box.eval('forever(); 1')": 0,
    "class A: __del__ = lambda self: self.box.close()\na = A(); a.box = Sandbox(); a.box.eval('() => 1')": 0,
    "class A: __del__ = lambda self: self.box.eval('1')\na = A(); a.box = Sandbox(); a.box.eval('1')": 0,
    # asynchronous ones
    "async def main():\n    global box\n    box = await AsyncSandbox().__aenter__()\nasyncio.run(main())": 0,
    "async def main():\n"
    "    async with AsyncSandbox(functions={'exit': sys.exit, 'forever': forever}) as box:\n"
    "        await box.eval('forever(); exit(3)')\nasyncio.run(main())": 3,
    "async def main():\n"
    "    async with AsyncSandbox(limits=UNLIMITED) as box:\n"
    "        task = asyncio.ensure_future(box.eval('while (true);'))\n"
    "        task.add_done_callback(lambda task: task.cancelled() or task.exception())\n"
    "        await asyncio.sleep(0.02)\n"
    "        sys.exit(2)\nasyncio.run(main())": 2,
    "async def main():\n"
    "    async with AsyncSandbox(functions={'exit': sys.exit}) as box:\n"
    "        await box.eval('exit(3)')\ntrio.run(main)": 3,
    "async def main():\n"
    "    task = asyncio.ensure_future(sandbox.eval_async('while (true);'))\n"
    "    await asyncio.sleep(0.02)\nasyncio.run(main())": 0,
}


def _end(program: str) -> tuple[Any, str]:
    """Status and standard error of a program, in a child; a status of None: it did not end."""
    with tempfile.TemporaryFile() as said:
        child = os.fork()
        if not child:
            os.dup2(said.fileno(), 2)
            signal.alarm(_HANG_SECONDS)
            exec(compile(program, "<program>", "exec"), vars(sys.modules["__main__"]))
            sys.exit()  # all the way through the end of the interpreter
        status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
        said.seek(0)
        return status, said.read().decode()


def main() -> None:
    """Run every program as often as was asked, and tell what did not end as it should."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--repeat", type=int, default=1)
    repeat = parser.parse_args().repeat
    sys.argv = [""]
    exec(_PRELUDE, vars(sys.modules["__main__"]))
    began, bad = time.monotonic(), 0
    for program, status in PROGRAMS.items():
        for _ in range(repeat):
            if (ended := _end(program)) != (status, ""):
                bad += 1
                print(f"{program}\n  ended with {ended[0]}, not {status}\n{ended[1]}")
    print(f"{repeat * len(PROGRAMS)} ends, {bad} bad, in {time.monotonic() - began:.0f} s")
    sys.exit(bool(bad))


if __name__ == "__main__":
    main()
