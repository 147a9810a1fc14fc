"""Runs every program once and prints what came of it, for another process to compare.

python -m tests.replay.repeat blocking|asyncio|trio
"""

from __future__ import annotations

import gc
import json
import sys
from contextlib import AsyncExitStack
from typing import Any

import anyio

from sandbox import AsyncSandbox, Sandbox, SandboxError
from sandbox.cli._report import json_value
from tests.replay.programs import MODULES, PASTS, PROGRAMS, files, functions, host_globals


def options(logs: list[str]) -> dict[str, Any]:
    """Those of a sandbox in which nothing depends on when and where it runs."""
    return {
        "functions": functions(),
        "globals": host_globals(),
        "modules": MODULES,
        "files": files(),
        "console": lambda entry: logs.append(entry.text),
        "seed": 11,
        "clock": "virtual",
        "time_zone": "Europe/Berlin",
    }


async def begun(face: str, past: str, options: dict[str, Any]) -> Any:
    """A sandbox that is to run a program, restored where the program has a past."""
    if face == "blocking":
        if not past:
            return Sandbox(**options)
        with Sandbox(**options) as box:
            box.eval(past)
            return Sandbox.restore(box.snapshot(), **options)
    if not past:
        return AsyncSandbox(**options)
    async with AsyncSandbox(**options) as late:
        await late.eval(past)
        return AsyncSandbox.restore(await late.snapshot(), **options)


async def outcome(face: str, code: str, past: str) -> dict[str, Any]:
    """What a program ends with, in plain data."""
    logs: list[str] = []
    made: dict[str, Any] = options(logs)
    result: dict[str, Any] = {}
    gc.collect()
    gc.disable()  # when the host collects a handle is the host's own affair
    try:
        async with AsyncExitStack() as stack:
            box = await begun(face, past, made)
            if face == "blocking":
                stack.enter_context(box)
            else:
                await stack.enter_async_context(box)
            for name, ask in (("value", lambda: box.eval(code)), ("left", box.run_until_idle)):
                try:
                    value = ask()
                    result[name] = json_value(value if face == "blocking" else await value)
                except SandboxError as error:
                    result[name] = [type(error).__name__, str(error)]
            result["fuel"], result["turns"] = box.usage.fuel, box.usage.turns
    finally:
        gc.enable()
    return {**result, "logs": logs}


async def outcomes(face: str) -> dict[str, Any]:
    """What all of them end with."""
    return {name: await outcome(face, code, PASTS.get(name, "")) for name, code in PROGRAMS.items()}


if __name__ == "__main__":
    if sys.argv[1] == "blocking":
        try:
            outcomes("blocking").send(None)
        except StopIteration as end:
            print(json.dumps(end.value))
    else:
        print(json.dumps(anyio.run(outcomes, sys.argv[1], backend=sys.argv[1])))
