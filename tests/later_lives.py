"""How sandboxes get to their later lives."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import anyio
import pytest

from sandbox import Sandbox, Snapshot
from sandbox.errors import RunInterrupted

KEY = b"a key of the embedder's own"
SEED = 7


def same(snapshot: Snapshot) -> Snapshot:
    return snapshot


def written(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes())


def signed(snapshot: Snapshot) -> Snapshot:
    return Snapshot.from_bytes(snapshot.to_bytes(key=KEY), key=KEY)


def later(carry: Callable[[Snapshot], Snapshot], box: Sandbox, **options: Any) -> Sandbox:
    """The sandbox's next life."""
    snapshot = carry(box.snapshot())
    box.close()
    return Sandbox.restore(snapshot, **options)


async def never(*_arguments: object) -> None:
    await anyio.sleep_forever()


def waiting(code: str, functions: dict[str, Any], **options: Any) -> tuple[Snapshot, Sandbox]:
    """A snapshot that is taken while a run waits."""
    box = Sandbox(functions=functions, **options)

    def run() -> None:
        with pytest.raises(RunInterrupted):
            box.eval(code)

    thread = threading.Thread(target=run)
    thread.start()
    deadline = time.monotonic() + 20
    while not box.pending and time.monotonic() < deadline:
        time.sleep(0.001)
    snapshot = box.snapshot()
    box.interrupt()
    thread.join()
    box.close()
    return snapshot, box
