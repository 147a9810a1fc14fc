"""Sandboxes that nobody makes: each task and each thread has one of its own, from its first use until it ends."""

from __future__ import annotations

import os
import sys
import threading
import weakref
from contextlib import closing, suppress
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, Final, Unpack

from sandbox._records import record
from sandbox._sandbox import Sandbox
from sandbox.errors import SandboxBusy
from sandbox.values import JSFunction, undefined

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._driver import Steps
    from sandbox._languages import Language
    from sandbox._option_types import SandboxOptions
    from sandbox._runs import Run


def eval(
    code: str,
    *,
    filename: str | None = None,
    language: Language | None = None,
    timeout: float | None = None,
    fuel: int | None = None,
) -> Any:  # noqa: ANN401 - any value
    """Evaluate a script in the default sandbox; see `Sandbox.eval`.

    Args:
        code: The source text.
        filename: What stacks call it.
        language: What it is written in.
        timeout: Wall time in seconds, if less than the limit.
        fuel: Instructions, in place of `Limits.fuel`.

    Returns:
        The completion value, converted.

    Raises:
        BaseException: As `Sandbox.eval`.
    """
    return default_sandbox().eval(code, filename=filename, language=language, timeout=timeout, fuel=fuel)


def call(
    function: str | JSFunction,
    *args: Any,  # noqa: ANN401 - any value
    this: Any = undefined,  # noqa: ANN401 - any value
    timeout: float | None = None,
    fuel: int | None = None,
) -> Any:  # noqa: ANN401 - any value
    """Call a function in the default sandbox; see `Sandbox.call`.

    Args:
        function: A `JSFunction` of that sandbox, or a dotted path.
        *args: Arguments, converted.
        this: The `this` value for a `JSFunction`.
        timeout: As for `eval`.
        fuel: As for `eval`.

    Returns:
        What it returned, converted.

    Raises:
        BaseException: As `Sandbox.eval`.
    """
    return default_sandbox().call(function, *args, this=this, timeout=timeout, fuel=fuel)


async def eval_async(
    code: str,
    *,
    filename: str | None = None,
    language: Language | None = None,
    timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
    fuel: int | None = None,
) -> Any:  # noqa: ANN401 - any value
    """As `eval`, on a worker thread, so that the event loop stays free. Cancelling the task stops the guest.

    Host functions run on the worker thread; those that are `async def` run on the loop of blocking sandboxes.

    Raises:
        BaseException: As `Sandbox.eval`.
    """
    owned = _owned()
    command = owned.box._eval_command(code, filename, language, timeout, fuel)
    return await _perform(owned, command, timeout, fuel)


async def call_async(
    function: str | JSFunction,
    *args: Any,  # noqa: ANN401 - any value
    this: Any = undefined,  # noqa: ANN401 - any value
    timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
    fuel: int | None = None,
) -> Any:  # noqa: ANN401 - any value
    """As `call`, on a worker thread; see `eval_async`.

    Raises:
        BaseException: As `Sandbox.eval`.
    """
    owned = _owned()
    command = owned.box._call_command(function, args, this, timeout, fuel)
    return await _perform(owned, command, timeout, fuel)


def default_sandbox() -> Sandbox:
    """The sandbox of the current task, or of the current thread where no task runs.

    It is made when first asked for, with the options set then, and closed when its task or thread ends. One that was
    closed, or that a crash has left unusable, is replaced.

    Raises:
        BaseException: As the constructor of `Sandbox`.
    """
    return _owned().box


def set_default_options(**options: Unpack[SandboxOptions]) -> None:
    """Say how default sandboxes are made from now on; those that exist stay as they are.

    Args:
        **options: Those of `Sandbox`; what is not given has its default again.

    Raises:
        TypeError: `Sandbox` has no such option, or it has the wrong type.
        ValueError: An option has no such value.
        BaseException: As the constructor of `Sandbox`.
    """
    global _options
    Sandbox(**options).close()
    _options = options


def close_default_sandbox() -> None:
    """Close the default sandbox of the current task or thread, if there is one; the next use makes another.

    Raises:
        SandboxBusy: Its guest runs.
    """
    owned = _calling() or _existing(_current_task())
    if owned is not None:
        owned.box.close()


# --- who owns which ---------------------------------------------------------------------------------------------------

_options: SandboxOptions = {}


@record(frozen=True, slots=True, weakref_slot=True)
class _Owned:
    """A sandbox, and what closes it when its owner goes.

    The finalizer holds on to the sandbox, or garbage that refers to it could take it along, half of it finalized.
    """

    box: Sandbox
    close: weakref.finalize[..., Any]
    process: int

    def is_usable(self) -> bool:
        """Whether it can run anything, in this process."""
        box = self.box
        return self.process == os.getpid() and not box.closed and not box._driver.is_poisoned


_lost: Final[list[Sandbox]] = []
_of_tasks: Final[weakref.WeakKeyDictionary[Any, _Owned]] = weakref.WeakKeyDictionary()
_of_thread: Final = threading.local()  # what it holds goes with the thread
# The one last used in this context, which host functions inherit on whatever thread its guest runs.
_used: ContextVar[weakref.ref[_Owned] | None] = ContextVar("_used", default=None)


class _Life:
    """Lives as long as its thread."""

    __slots__ = ("__weakref__",)


def _close(box: Sandbox, process: int) -> None:
    if process != os.getpid():
        _lost.append(box)  # of the process this one was forked from, perhaps in the middle of a turn
        return
    with suppress(SandboxBusy):  # another thread uses it; it goes when that one lets go
        box.close()


def _current_task() -> Any:  # noqa: ANN401 - a task of asyncio or trio, None outside of both
    """The task that runs on this thread. A loop that nobody has imported runs nowhere."""
    for name in ("asyncio", "trio.lowlevel"):
        module = sys.modules.get(name)
        if module is not None:
            with suppress(RuntimeError, AttributeError):  # no loop on this thread; still being imported
                if (task := module.current_task()) is not None:
                    return task
    return None


def _existing(task: object) -> _Owned | None:
    owned: _Owned | None = getattr(_of_thread, "owned", None) if task is None else _of_tasks.get(task)
    if owned is None or owned.is_usable():
        return owned
    owned.close()
    return None


def _calling() -> _Owned | None:
    """The one whose guest has called the host function that runs on this thread."""
    used = _used.get()
    owned = None if used is None else used()
    return owned if owned is not None and owned.process == os.getpid() and owned.box._runner.is_nested() else None


def _owned() -> _Owned:
    """The current owner's; made if need be."""
    owned = _calling()
    if owned is None:
        task = _current_task()
        owned = _existing(task) or _make(task)
        _used.set(weakref.ref(owned))
    return owned


def _make(task: Any) -> _Owned:  # noqa: ANN401 - see `_current_task`
    box, process = Sandbox(**_options), os.getpid()
    if task is None:
        life = _of_thread.life = _Life()
        owned = _of_thread.owned = _Owned(box, weakref.finalize(life, _close, box, process), process)
        return owned
    owned = _of_tasks[task] = _Owned(box, weakref.finalize(task, _close, box, process), process)
    if hasattr(task, "add_done_callback"):
        task.add_done_callback(lambda _: owned.close())
    else:
        sys.modules["trio.lowlevel"].add_instrument(_exits)  # does nothing when this run of trio has it already
    return owned


class _Exits:
    """An instrument of trio, whose tasks tell nobody else that they are done."""

    def task_exited(self, task: object) -> None:
        """Close the sandbox of a task; called by trio."""
        if (owned := _of_tasks.get(task)) is not None:
            owned.close()


_exits: Final = _Exits()


# --- runs on a worker thread ------------------------------------------------------------------------------------------


async def _perform(owned: _Owned, command: Command, timeout: float | None, fuel: int | None) -> Any:  # noqa: ANN401, ASYNC109 - any value
    from sandbox._asynchronous import Interrupted, no_limit, run_in_worker  # brings an event loop library

    driver = owned.box._driver
    runs: list[Run] = []
    is_stopped = threading.Event()

    def steps_of(run: Run) -> Steps[Any]:
        runs.append(run)
        with closing(driver.drive(run, command)) as steps:
            while not is_stopped.is_set():
                try:
                    step = next(steps)
                except StopIteration as end:
                    return end.value
                yield step
        raise Interrupted

    def work() -> Any:  # noqa: ANN401 - any value
        return owned.box._runner.run(steps_of, timeout, fuel)

    def stop() -> None:
        is_stopped.set()
        driver.interrupt(Interrupted())
        for run in runs:
            run.wake()

    try:
        return await run_in_worker(work, stop, no_limit())
    finally:
        if is_stopped.is_set():
            driver.turns.forget_interrupt()
