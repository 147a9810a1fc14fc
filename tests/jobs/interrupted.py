"""A program that maps jobs which never end, in a process of its own: `python -m tests.jobs.interrupted`."""

from __future__ import annotations

import multiprocessing
import signal
import sys

import sandbox
from sandbox import Job, Limits
from tests.jobs.programs import double

FOREVER = Job("for (;;) {}", limits=Limits(cpu_seconds=50, wall_seconds=50))


def main() -> None:
    """Say which processes there are when the first result has come, then wait for what does not come."""
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell may have had it ignored
    try:
        for result in sandbox.map([FOREVER, double(1), FOREVER], workers=2, ordered=False):
            print(result.value, *[child.pid for child in multiprocessing.active_children()], flush=True)
    except KeyboardInterrupt:
        print("interrupted", flush=True)


if "unguarded" in sys.argv:
    print(list(sandbox.map([double(1)], workers=1)))
elif __name__ == "__main__":
    main()
