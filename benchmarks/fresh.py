"""What needs a process of its own: import and first eval, and the memory of idle sandboxes.

Run as `python -m benchmarks.fresh ADAPTER first_eval`, `... wasmtime`, `... memory COUNT` or `... command NAME`; prints
one JSON object. The module imports nothing that an interpreter has not imported anyway, so that who is measured pays
for all it needs.
"""

from __future__ import annotations

import os
import sys
from time import perf_counter

from benchmarks.engines import load

TYPE_CHECKING = False
if TYPE_CHECKING:
    from benchmarks.engines.base import Adapter, Session

_SMAPS = "/proc/self/smaps_rollup"
MAX_BYTES = 8 << 30  # what sandboxes may hold together before the machine would have to swap
_LOOK_EVERY = 100


def first_eval(adapter_name: str) -> dict[str, float]:
    """Import the engine and evaluate once.

    Returns:
        `seconds` from before the import until the value is there.
    """
    start = perf_counter()
    adapter = load(adapter_name)
    session = adapter.open_session({})
    result = session.eval("1+1")
    seconds = perf_counter() - start
    session.close()
    if result != 2:
        raise SystemExit(f"1+1 gave {result!r}")
    return {"seconds": seconds}


def wasmtime() -> dict[str, float]:
    """Import the package that an engine in WebAssembly stands on, and nothing else.

    Returns:
        `seconds` that it takes.
    """
    start = perf_counter()
    __import__("wasmtime")
    return {"seconds": perf_counter() - start}


def memory(adapter_name: str, count: int) -> dict[str, float]:
    """Open `count` sandboxes beside a first one, each with one eval behind it, and weigh them.

    Returns:
        `rss_bytes` and `pss_bytes` for one sandbox, and `count`.

    Raises:
        SystemExit: They hold more than `MAX_BYTES` before all of them live.
    """
    from pathlib import Path

    if not Path(_SMAPS).exists():
        raise SystemExit("memory is read from /proc/self/smaps_rollup, which this system lacks")
    adapter = load(adapter_name)
    live: list[Session] = []
    _open_evaluated(adapter, live)
    before = _mapped_bytes()
    for number in range(1, count + 1):
        _open_evaluated(adapter, live)
        if number % _LOOK_EVERY == 0 and _mapped_bytes()["rss_bytes"] > MAX_BYTES:
            raise SystemExit(f"{number:,} sandboxes hold more than {MAX_BYTES >> 30} GB")
    after = _mapped_bytes()
    return {name: (after[name] - before[name]) / count for name in after} | {"count": count}


def command(subject: str) -> dict[str, float]:
    """Run the command as a shell does: an interpreter that imports it.

    Returns:
        `seconds` from the start of the process to its end.

    Raises:
        SystemExit: It failed, or printed something else.
    """
    import subprocess

    from benchmarks import workloads

    words, line = workloads.COMMANDS[subject]
    start = perf_counter()
    done = subprocess.run([sys.executable, "-m", "sandbox", *words], capture_output=True, text=True, check=False)
    seconds = perf_counter() - start
    if done.returncode or not any(each.strip().startswith(line) for each in done.stdout.splitlines()):
        raise SystemExit(f"sandbox {' '.join(words)} printed {done.stdout[:60]!r} {done.stderr[-200:]!r}")
    return {"seconds": seconds}


def _open_evaluated(adapter: Adapter, live: list[Session]) -> None:
    session = adapter.open_session({})
    live.append(session)
    session.eval("1+1")


def _mapped_bytes() -> dict[str, int]:
    """Resident and proportional set size of this process."""
    from pathlib import Path

    sizes = dict.fromkeys(("rss_bytes", "pss_bytes"), 0)
    for line in Path(_SMAPS).read_text(encoding="ascii").splitlines():
        name, _, rest = line.partition(":")
        key = f"{name.lower()}_bytes"
        if key in sizes:
            sizes[key] = int(rest.split()[0]) * 1024
    return sizes


def main() -> None:
    """Do one measurement and leave without the engine's own shutdown."""
    adapter_name, mode, *rest = sys.argv[1:]
    match mode:
        case "memory":
            answer = memory(adapter_name, int(rest[0]))
        case "command":
            answer = command(rest[0])
        case "wasmtime":
            answer = wasmtime()
        case _:
            answer = first_eval(adapter_name)
    import json

    sys.stdout.write(json.dumps(answer) + "\n")
    sys.stdout.flush()
    os._exit(0)


if __name__ == "__main__":
    main()
