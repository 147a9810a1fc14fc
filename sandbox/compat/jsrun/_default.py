"""The runtimes that nobody makes: each task of asyncio and each thread has one, with default options."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, Final
from weakref import WeakKeyDictionary

from sandbox.compat._waiting import current_task
from sandbox.compat.jsrun._runtime import Runtime

if TYPE_CHECKING:
    from collections.abc import Callable

_of_tasks: Final[WeakKeyDictionary[Any, Runtime]] = WeakKeyDictionary()
_of_thread: Final = threading.local()


def get_default_runtime() -> Runtime:
    """The runtime of the current task, or of the thread where no task runs; made when it is first asked for."""
    task = current_task()
    runtime: Runtime | None = getattr(_of_thread, "runtime", None) if task is None else _of_tasks.get(task)
    if runtime is None or runtime.is_closed():
        runtime = Runtime()
        if task is None:
            _of_thread.runtime = runtime
        else:
            _of_tasks[task] = runtime
            task.add_done_callback(lambda _: runtime.close())
    return runtime


def close_default_runtime() -> None:
    """Close it, if there is one; the next use makes another."""
    task = current_task()
    runtime: Runtime | None = getattr(_of_thread, "runtime", None) if task is None else _of_tasks.get(task)
    if runtime is not None:
        runtime.close()


def eval(code: str, /) -> Any:  # noqa: ANN401 - any value
    """As `Runtime.eval`, in the default runtime."""
    return get_default_runtime().eval(code)


async def eval_async(code: str, /, **options: Any) -> Any:  # noqa: ANN401 - as the method
    """As `Runtime.eval_async`, in the default runtime."""
    return await get_default_runtime().eval_async(code, **options)


def bind_function(name: str, handler: Callable[..., Any]) -> None:
    """As `Runtime.bind_function`, in the default runtime."""
    get_default_runtime().bind_function(name, handler)


def bind_object(name: str, obj: dict[str, Any]) -> None:
    """As `Runtime.bind_object`, in the default runtime."""
    get_default_runtime().bind_object(name, obj)
