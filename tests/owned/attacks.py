"""What the tables of attacks are put to: one sandbox each, and what must have become of it and of the host."""

from __future__ import annotations

import gc
import time
from typing import Any, Final

from sandbox import Limits, Sandbox, _store
from sandbox.errors import GuestProtocolError, SandboxError, SandboxPoisoned
from tests.owned.evil import Script

# Fuel ends what never calls the host; of the rest the clock must be the end, and has its own tests.
TIGHT: Final = Limits(memory_bytes=16 << 20, cpu_seconds=5, wall_seconds=10, fuel=100_000_000)


def outcome(box: Sandbox, script: Script) -> Any:
    """The value of a script, or the error of this package that it ended with; no other error may come."""
    try:
        return box.eval(str(script))
    except SandboxError as error:
        return error


def attack(script: Script, limits: Limits = TIGHT, **options: Any) -> Any:
    """The outcome of a script in a sandbox of its own."""
    with Sandbox(limits=limits, **options) as box:
        return outcome(box, script)


def check_poisoned(box: Sandbox) -> None:
    """Nothing more is to be had of the sandbox, and its instance serves nobody else."""
    assert isinstance(outcome(box, Script().finish()), SandboxPoisoned)
    waiting = len(_store._shelves["fuel"].stores)
    box.close()
    assert len(_store._shelves["fuel"].stores) == waiting


def breaks(script: Script, limits: Limits = TIGHT, **options: Any) -> str:
    """Why a script is a breach of the ABI; it must be one, and be ended at once."""
    with Sandbox(limits=limits, **options) as box:
        began = time.monotonic()
        error = outcome(box, script)
        assert isinstance(error, GuestProtocolError), error
        assert time.monotonic() - began < 5
        check_poisoned(box)
        return str(error)


def resident_bytes() -> int:
    """Physical memory of this process."""
    gc.collect()
    with open("/proc/self/statm", encoding="ascii") as file:  # noqa: PTH123 - no file of ours
        return int(file.read().split()[1]) * 4096
