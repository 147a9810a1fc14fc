"""What the servers of the conformance suite do, over whatever connection: the path says what."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlsplit

SUBPROTOCOLS = ["chat", "superchat"]


def choose(_connection: object, offered: Sequence[str]) -> Any:
    """The subprotocol that a server of `websockets` speaks with a client."""
    return next((each for each in SUBPROTOCOLS if each in offered), None)


async def application(connection: Any) -> None:
    """Serve one connection: of `websockets`, or in memory."""
    target = connection.request.path if hasattr(connection, "request") else urlsplit(connection.url).path
    path = target.partition("?")[0]
    if path == "/close":  # after the first message: code and reason
        code, _, reason = str(await connection.recv()).partition(" ")
        await connection.close(int(code), reason)
    elif path == "/lose":
        await connection.recv()
        if hasattr(connection, "lose"):
            connection.lose()
        else:
            connection.transport.abort()
    elif path == "/count":  # so many messages
        count = int(str(await connection.recv()))
        for number in range(count):
            await connection.send(str(number))
    elif path == "/big":
        await connection.recv()
        await connection.send("x" * 1001)
        await connection.recv()
    elif path == "/kinds":
        async for message in connection:
            await connection.send(f"{type(message).__name__} {len(message)}")
    elif path == "/sum":  # of lengths, at the end
        total = 0
        while (message := await connection.recv()) != "end":
            total += len(message)
        await connection.send(str(total))
    else:
        async for message in connection:
            await connection.send(message)
