"""How stores are asked: on the thread of the turn, or on worker threads while the guest goes on."""

from __future__ import annotations

import inspect
from functools import partial
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.to_thread

from sandbox.files.failures import failure

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from sandbox.files.mounts import Mounts, Place
    from sandbox.files.writables import Writables

_MOST_THREADS: Final = 8
# What moves more bytes than these, or may move any number, is not done in a turn.
_PROMPT_BYTES: Final = 1 << 20
_TWO_PATHS: Final = frozenset({"rename", "copy"})


async def ask_at_once(place: Place, method: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 - any
    """Ask a store that is prompt; see `Ask`."""
    return _call(place, method, *arguments, **options)()


class Asker:
    """Asks stores on the event loop: those that are not asynchronous on worker threads."""

    def __init__(self) -> None:
        self._threads: anyio.CapacityLimiter | None = None

    async def ask(self, place: Place, method: str, *arguments: object, **options: object) -> Any:  # noqa: ANN401 - any
        """See `Ask`. When it is cancelled a thread is left alone with what it does, which is then of no use."""
        call = _call(place, method, *arguments, **options)
        if inspect.iscoroutinefunction(call.func):
            return await call()
        self._threads = self._threads or anyio.CapacityLimiter(_MOST_THREADS)
        answer = await anyio.to_thread.run_sync(call, abandon_on_cancel=True, limiter=self._threads)
        return await answer if inspect.isawaitable(answer) else answer


def is_prompt(operation: str, arguments: tuple[Any, ...], mounts: Mounts, writables: Writables) -> bool:
    """Whether an operation is done in about a millisecond, by stores that do not wait.

    Raises:
        OSError: A path is none, or nothing of that number is being written.
        TypeError: Likewise.
    """
    if operation in ("write", "truncate", "discard"):
        return True
    if operation == "commit":
        staged = writables.use(*arguments)
        return staged.size <= _PROMPT_BYTES and _has_prompt_store(staged.place)
    paths = arguments[: 2 if operation in _TWO_PATHS else 1]
    if not all(_has_prompt_store(mounts.find(path)) for path in paths):
        return False
    if operation == "store":
        return arguments[2] != "append" and len(arguments[1]) <= _PROMPT_BYTES
    moves_more = operation == "copy" or (operation in ("begin", "remove") and arguments[1])
    return not moves_more


def finished(work: Coroutine[Any, Any, Any]) -> object:
    """What a coroutine gives that waits for nothing."""
    try:
        work.send(None)
    except StopIteration as end:
        return end.value
    work.close()
    raise RuntimeError("a store that calls itself prompt has waited")


def _call(place: Place, method: str, *arguments: object, **options: object) -> partial[Any]:
    if place.store is None:
        raise failure("EROFS")
    return partial(getattr(place.store, method), place.path, *arguments, **options)


def _has_prompt_store(place: Place) -> bool:
    return place.store is None or getattr(place.store, "is_prompt", False) is True
