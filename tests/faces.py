"""The faces of a sandbox: the blocking one, and the asynchronous one on each event loop."""

from __future__ import annotations

from typing import Any

import anyio

from sandbox import AsyncSandbox, Sandbox

FACES = ("blocking", "asyncio", "trio")


def evaluate(face: str, code: str, **options: Any) -> Any:
    """The value of a program, in a sandbox of its own."""
    if face == "blocking":
        with Sandbox(**options) as box:
            return box.eval(code)

    async def main() -> Any:
        async with AsyncSandbox(**options) as box:
            return await box.eval(code)

    return anyio.run(main, backend=face)
