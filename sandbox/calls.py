"""What the guest asks of the host, one call at a time, as hooks and audit logs see it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Final, Literal

from sandbox._records import record
from sandbox.errors import JSError
from sandbox.values import Blob, JSMap, JSSet, undefined

__all__ = ["Answer", "Call", "Deny", "Hook", "HookOption", "Outcome"]

Outcome = Literal["value", "error", "denied", "replaced", "refused", "paused", "cancelled"]
"""How a call has ended: it was answered with a `value` or an `error`; a hook has `denied` it, or `replaced` its answer;
it was `refused`, before anything was done, by a limit or because its arguments have no Python form; it was `paused`, by
the function or a hook, and whoever answers it then is not recorded; or it was `cancelled`: its run has ended, was
interrupted or rolled back, a hook has failed, the program gave it up, or the sandbox was closed."""

_NUMBER_BYTES: Final = 8


@record(slots=True, eq=False, kw_only=True)
class Call:
    """One call of the host by the guest. Hooks get it while it is going on.

    Bytes are those of texts (as UTF-8) and of buffers, keys and members of containers included, and 8 for each number
    or date; so they do not depend on how a value crosses. What stays on its side (functions, iterators, objects that
    are exposed) counts nothing.

    Attributes:
        number: Counts the calls of a sandbox that are watched, from 1, in the order they are made.
        run: The number of the run in whose turn it was made, as `Usage.runs` counts them.
        name: What users call it: `"fetch"`, `"crypto.subtle.digest"`, the name of a host function.
        arguments: What the guest gave, as Python values. Of a host function a hook may change the list, before it is
            called. Where a capability describes its arguments (`Capability.show`), as all of this package do, changes
            have no effect.
        time: When it was made, in seconds since the epoch.
        bytes_in: Bytes of the arguments.
        outcome: How it has ended; None as long as it goes on.
        value: Its answer, where the outcome is `"value"` or `"replaced"`; else `undefined`.
        error: Why it has no answer; None where it has one.
        bytes_out: Bytes of the answer.
        host_seconds: Time the host worked for it; that of an asynchronous one from its start to its end.
        wall_seconds: Time from the call until its answer: hooks, and the wait for a free place, included.
    """

    number: int
    run: int
    name: str
    arguments: list[Any]
    time: float
    bytes_in: int
    outcome: Outcome | None = None
    value: Any = undefined
    error: BaseException | None = None
    bytes_out: int = 0
    host_seconds: float = 0.0
    wall_seconds: float = 0.0


@record(frozen=True, slots=True)
class Deny:
    """What a hook returns to deny a call: the program gets a `NotAllowedError` with this text.

    Attributes:
        reason: Shown to the program.
    """

    reason: str = "denied"


@record(frozen=True, slots=True)
class Answer:
    """What a hook returns to answer a call itself, in place of the host function, or of what that answered.

    Attributes:
        value: The answer.
    """

    value: Any = undefined


Decision = Answer | Deny | None
Hook = Callable[[Call], Decision | Awaitable[Decision]]
"""Something to ask about a call; plain, or `async def`."""

HookOption = Hook | Mapping[str, Hook]
"""A hook for every call, or hooks by name or pattern."""


def payload_bytes(value: object) -> int:
    """How many bytes a value carries, as `Call` says; each object counts once."""
    total = 0
    seen: set[int] = set()
    left: list[Any] = [value]
    while left:
        value = left.pop()
        if isinstance(value, str):
            total += len(value) if value.isascii() else len(value.encode("utf-8", "surrogatepass"))
        elif value is None or value is undefined or isinstance(value, bool):
            continue
        elif isinstance(value, float):
            total += _NUMBER_BYTES
        elif isinstance(value, int):
            total += max(_NUMBER_BYTES, value.bit_length() // 8 + 1)
        elif isinstance(value, bytes | bytearray):
            total += len(value)
        elif id(value) not in seen:
            seen.add(id(value))
            if isinstance(value, dict):
                left += value
                left += value.values()
            elif isinstance(value, list | tuple | set | frozenset | JSSet):
                left += value
            elif isinstance(value, Mapping | JSMap):
                for entry in value.items():
                    left += entry
            elif isinstance(value, memoryview):
                total += value.nbytes
            elif isinstance(value, Blob):
                left.append(value.data)
            elif isinstance(value, JSError):
                left += (value.message, value.properties)
            elif hasattr(value, "isoformat"):
                total += _NUMBER_BYTES
    return total
