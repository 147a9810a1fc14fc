"""What programs call in the tests of hooks, call limits and logs."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any

import anyio
import anyio.lowlevel
import anyio.to_thread

from sandbox import HostFunction, expose


async def later(value: Any = 1) -> Any:
    await anyio.lowlevel.checkpoint()
    return value


async def fail_later() -> None:
    await anyio.lowlevel.checkpoint()
    raise ValueError("no")


async def never(*_: object) -> None:
    await anyio.sleep_forever()


def fail() -> None:
    raise ValueError("no")


def rows() -> Iterator[int]:
    yield from (1, 2)


async def stream() -> AsyncIterator[int]:
    yield 1


class Thing:
    @expose
    def touch(self) -> int:
        return 5


FUNCTIONS: dict[str, Any] = {
    "add": lambda a, b: a + b,
    "later": later,
    "waited": HostFunction(later, wait=True),
    "fail": fail,
    "failLater": fail_later,
    "never": never,
    "rows": rows,
    "stream": stream,
    "make": lambda: lambda: 1,
}
