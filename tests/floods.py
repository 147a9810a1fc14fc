"""Floods: very many of everything a guest can make, with what each takes of the host's time and memory.

python -m tests.floods --count 100000
"""

from __future__ import annotations

import argparse
import gc
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import anyio
import anyio.lowlevel

from sandbox import Limits, Sandbox, expose
from sandbox.errors import LimitExceeded, SandboxError

# The memory limit of the guest, the slack that is promised beside it, and what Python takes for values of that size.
_PEAK_BYTES: Final = (64 + 32 + 128) << 20
_LEFT_BYTES: Final = 32 << 20
# A quarter of the work in less than that part of the time would not be linear.
_LEAST_SHARE: Final = 1 / 12


@dataclass(frozen=True)
class Flood:
    """Programs with `N` in them.

    Attributes:
        code: The program.
        outcome: What it may end in: a value, or an error.
        limits: Other limits.
    """

    code: str
    outcome: Callable[[int, Any], bool]
    limits: dict[str, Any] | None = None


def _is_n(count: int, outcome: Any) -> bool:
    return bool(outcome == count)


def _is_n_or_limit(count: int, outcome: Any) -> bool:
    return bool(outcome == count) or isinstance(outcome, LimitExceeded)


def _is_n_or_refusal(count: int, outcome: Any) -> bool:
    return bool(outcome == count) or isinstance(outcome, SandboxError)


FLOODS: Final[dict[str, Flood]] = {
    "timers": Flood(
        "let n = 0; for (let i = 0; i < N; i++) setTimeout(() => n++); await new Promise(r => setTimeout(r)); n",
        _is_n,
    ),
    "intervals that are cleared": Flood(
        "for (let i = 0; i < N; i++) clearInterval(setInterval(() => {}, 1)); N", _is_n
    ),
    "pending host calls": Flood("for (let i = 0; i < N; i++) never(); N", _is_n_or_limit),
    "answered host calls": Flood("let n = 0; for (let i = 0; i < N / 10; i++) n += await later(10); n", _is_n),
    "streams": Flood("for (let i = 0; i < N / 10; i++) stream().next(); N", _is_n_or_limit),
    "console lines": Flood("for (let i = 0; i < N; i++) console.log(i); N", _is_n, {"output_bytes": None}),
    "ten times as many lines": Flood("for (let i = 0; i < 10 * N; i++) console.log('line'); N", _is_n_or_limit),
    "a line of 1 GB": Flood("console.log('x'.repeat(2 ** 30 - 1)); N", _is_n_or_refusal),
    "promises for the host": Flood("Array.from({length: N}, () => new Promise(() => {}))", _is_n_or_limit),
    "functions for the host": Flood("for (let i = 0; i < N; i++) keep(() => i); N", _is_n_or_limit),
    "functions of the host": Flood("const k = []; for (let i = 0; i < N; i++) k.push(make()); N", _is_n_or_refusal),
    "exposed objects": Flood("const k = []; for (let i = 0; i < N; i++) k.push(thing()); N", _is_n_or_refusal),
    "microtasks": Flood(
        "let n = 0; for (let i = 0; i < N; i++) queueMicrotask(() => { n += call(1) }); await null; n", _is_n
    ),
    "exceptions": Flood("for (let i = 0; i < N; i++) try { fail(i) } catch {} N", _is_n),
    "large arguments": Flood("const s = 'x'.repeat(1e6); for (let i = 0; i < N / 100; i++) never(s + i); N", _is_n),
    "large exceptions": Flood(
        "const s = 'x'.repeat(1e6); for (let i = 0; i < N / 100; i++) try { fail(s + i) } catch {} N", _is_n
    ),
    "rejections": Flood("for (let i = 0; i < N; i++) Promise.reject(i).catch(() => {}); N", _is_n),
}


class _Thing:
    def act(self) -> int:
        return 1


def _memory_bytes(field: str) -> int:
    for line in Path("/proc/self/status").read_text("utf-8").splitlines():
        if line.startswith(field):
            return int(line.split()[1]) << 10
    raise LookupError(field)


async def _never(*_: object) -> None:
    await anyio.sleep_forever()


async def _later(n: int) -> int:
    await anyio.lowlevel.checkpoint()
    return n


async def _stream() -> Any:
    yield 1


def _fail(*_: object) -> None:
    raise ValueError("no")


def run(flood: Flood, count: int) -> tuple[Any, float, int, int]:
    """Outcome, CPU seconds, and by how many bytes the process had grown at its peak and at the end."""
    kept: list[Any] = []
    functions: dict[str, Callable[..., Any]] = {
        "never": _never,
        "later": _later,
        "stream": _stream,
        "keep": kept.append,
        "make": lambda: lambda: 1,
        "thing": lambda: expose(_Thing(), "act"),
        "call": lambda n: n,
        "fail": _fail,
    }
    gc.collect()
    before = _memory_bytes("VmRSS")
    Path("/proc/self/clear_refs").write_text("5", "utf-8")  # the peak begins anew
    began = time.process_time()
    limits = Limits(cpu_seconds=None, wall_seconds=None, **(flood.limits or {}))
    with Sandbox(functions=functions, console=lambda _: None, limits=limits) as box:
        outcome: Any
        try:
            outcome = box.eval(f"const N = {count}; {flood.code}")
        except SandboxError as error:
            outcome = error
        outcome = len(outcome) if isinstance(outcome, list) else outcome
        seconds = time.process_time() - began
        kept.clear()
        assert box.eval("1 + 1") == 2
    with Sandbox(functions=functions) as other:  # what was cancelled has ended before this is answered
        other.eval("await later(1)")
    gc.collect()
    return outcome, seconds, _memory_bytes("VmHWM") - before, _memory_bytes("VmRSS") - before


def main() -> None:
    """Run all floods, and tell which have taken more than they may."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--count", type=int, default=100_000)
    count = parser.parse_args().count
    run(FLOODS["answered host calls"], 100)
    bad = []
    for name, flood in FLOODS.items():
        outcome, seconds, peak, _ = run(flood, count)
        _, quarter, _, left = run(flood, count // 4)  # what the first has freed is there to be used again
        text = outcome if isinstance(outcome, int) else type(outcome).__name__
        print(f"{name:28} {seconds:7.2f} s {peak >> 20:5} MB peak {left >> 20:5} MB left  {text}")
        if not flood.outcome(count, outcome) or peak > _PEAK_BYTES or left > _LEFT_BYTES:
            bad.append(name)
        if seconds > 1 and quarter < seconds * _LEAST_SHARE:
            bad.append(f"{name}: {quarter:.2f} s for a quarter of it")
    sys.exit(f"too much: {bad}" if bad else 0)


if __name__ == "__main__":
    main()
