"""Jobs that the tests run, and functions of the host that can be sent to other processes."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path
from typing import Any, NoReturn

from sandbox import Job

DOUBLE = "function double(n) { return n * 2 }"


def double(number: int, **options: Any) -> Job:
    return Job(DOUBLE, function="double", args=[number], **options)


def calling(function: Any, *args: object) -> Job:
    """A job whose guest calls a function of the host."""
    return Job(
        "function run(...args) { return f(...args) }", function="run", args=args, options={"functions": {"f": function}}
    )


def die() -> NoReturn:
    """End this process as the kernel does when memory has run out."""
    os.kill(os.getpid(), signal.SIGKILL)
    raise AssertionError


def die_once(mark: str) -> str:
    """The first process that comes here dies."""
    try:
        os.close(os.open(mark, os.O_CREAT | os.O_EXCL))
    except FileExistsError:
        return "lived"
    die()


def hang_once(mark: str) -> str:
    """The first process that comes here says who it is, and stays until it is killed."""
    path = Path(mark)
    if path.exists():
        return "lived"
    path.with_suffix(".new").write_text(str(os.getpid()))
    path.with_suffix(".new").rename(path)
    time.sleep(60)
    raise AssertionError("nobody killed this process")


def pid_in(mark: Path) -> int:
    """Wait until a process says in a file who it is."""
    deadline = time.monotonic() + 30
    while not mark.exists():
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return int(mark.read_text())


def refuse() -> NoReturn:
    raise ValueError("the card was refused", 402)


def interrupt() -> NoReturn:
    raise KeyboardInterrupt


class Unreadable:
    """It can be pickled, and not be read."""

    def __reduce__(self) -> tuple[Any, ...]:
        return _fail, ()

    def __call__(self) -> None: ...


def _fail() -> NoReturn:
    raise RuntimeError("not here")
