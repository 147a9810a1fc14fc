"""`Workers`: processes that run jobs, as an executor. One that is lost takes along what it ran, and is replaced.

Each process has a thread that hands it one call at a time and waits for the answer, so that it is always known which
call a process that ended was busy with. `ProcessPoolExecutor` does not tell, and is broken for good.
"""

from __future__ import annotations

import multiprocessing
import os
import pickle
import queue
import threading
from collections.abc import Callable
from concurrent.futures import BrokenExecutor, Executor, Future
from contextlib import suppress
from multiprocessing import resource_tracker
from multiprocessing.connection import wait
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from sandbox import _ctrl_c
from sandbox._records import record
from sandbox._sandbox import Sandbox
from sandbox.errors import WorkerLost
from sandbox.jobs.crossing import unsendable

if TYPE_CHECKING:
    from multiprocessing.connection import Connection
    from multiprocessing.context import SpawnProcess

_P = ParamSpec("_P")
_T = TypeVar("_T")

# A process that was killed while it started is made again; one that cannot start fails each time.
_STARTS: Final = 3
_EXIT_SECONDS: Final = 5.0
_NO_START: Final = "the worker processes end before they are ready"
_ADVICE: Final = (
    "What they say is on standard error. The main module of a program that starts them is guarded by "
    '`if __name__ == "__main__":`'
)


@record(frozen=True, slots=True)
class _Call:
    data: bytes
    future: Future[Any]


class Workers(Executor):
    """Processes that run jobs, for `map` and whatever takes an executor. Each has a sandbox ready when it begins.

    They are spawned when there is something to do, so the main module of a program that uses them is guarded by
    `if __name__ == "__main__":`. When one is lost, the call that it was busy with fails with `WorkerLost`, and another
    takes its place. They do not outlive the process that made them, and leave Ctrl-C to it. Threads may share one.

        with Workers(4) as workers:
            for result in sandbox.map(jobs, executor=workers): ...
    """

    def __init__(self, count: int | None = None) -> None:
        """Make an executor; no process is started yet.

        Args:
            count: How many processes; None: as many as this process may use processors.

        Raises:
            TypeError: The count is no int.
            ValueError: It is not positive.
        """
        if count is not None and (isinstance(count, bool) or not isinstance(count, int)):
            raise TypeError(f"the number of workers must be an int or None, not {type(count).__name__}")
        if count is not None and count < 1:
            raise ValueError(f"the number of workers must be positive, not {count}")
        self._count = count or processors()
        self._calls: queue.SimpleQueue[_Call | None] = queue.SimpleQueue()
        self._lock = threading.Lock()
        self._threads: list[threading.Thread] = []
        self._processes: set[SpawnProcess] = set()
        self._is_closed = self._is_killed = False
        self._broken: BrokenExecutor | None = None

    @property
    def count(self) -> int:
        """How many processes there are at most."""
        return self._count

    @property
    def pids(self) -> list[int]:
        """The numbers of the processes that there are at this moment."""
        with self._lock:
            return sorted(process.pid for process in self._processes if process.pid is not None)

    def submit(self, fn: Callable[_P, _T], /, *args: _P.args, **kwargs: _P.kwargs) -> Future[_T]:
        """Have a process call a function; see `concurrent.futures.Executor`.

        Returns:
            A future of what it returns. It fails with `UsageError` when the function, an argument or the answer cannot
            be pickled, or not be read there.

        Raises:
            BrokenExecutor: The processes cannot be started.
            RuntimeError: The executor was shut down.
        """
        future: Future[_T] = Future()
        try:
            data = pickle.dumps((fn, args, kwargs))
        except Exception as error:  # noqa: BLE001 - objects are pickled by code of their own
            future.set_exception(unsendable("the call cannot be sent to a worker process", error))
            return future
        with self._lock:
            if self._broken is not None:
                raise self._broken
            if self._is_closed:
                raise RuntimeError("cannot schedule new futures after shutdown")
            self._calls.put(_Call(data, future))
            if len(self._threads) < self._count:
                thread = threading.Thread(target=self._serve, name=f"sandbox worker {len(self._threads)}", daemon=True)
                self._threads.append(thread)
                thread.start()
        return future

    def shutdown(self, wait: bool = True, *, cancel_futures: bool = False) -> None:
        """End the processes when they have done what was asked of them; idempotent.

        Args:
            wait: Return when they have ended.
            cancel_futures: Cancel what no process has begun.
        """
        with self._lock:
            self._is_closed = True
            threads = list(self._threads)
        if cancel_futures:
            self._drop()
        for _ in threads:
            self._calls.put(None)
        if wait:
            for thread in threads:
                thread.join()

    def kill(self) -> None:
        """End the processes at once, whatever they do; what they were asked for fails or is cancelled."""
        with self._lock:
            self._is_closed = self._is_killed = True
            for process in self._processes:
                process.kill()
        self.shutdown(cancel_futures=True)

    def _drop(self) -> None:
        with suppress(queue.Empty):
            while True:
                call = self._calls.get_nowait()
                if call is not None:
                    call.future.cancel()

    # --- on the thread of one process ---

    def _serve(self) -> None:
        worker: _Worker | None = None
        while (call := self._calls.get()) is not None:
            if call.future.set_running_or_notify_cancel():
                worker = worker or self._start()
                if worker is None:
                    call.future.set_exception(self._broken or WorkerLost())
                else:
                    worker = self._ask(worker, call)
            del call
        if worker is not None:
            self._end(worker)

    def _ask(self, worker: _Worker, call: _Call) -> _Worker | None:
        """Have a call answered; returns the process, if there still is one."""
        try:
            is_value, answer = worker.ask(call.data)
        except (EOFError, OSError):
            self._end(worker)
            call.future.set_exception(WorkerLost())
            return None
        (call.future.set_result if is_value else call.future.set_exception)(answer)
        return worker

    def _start(self) -> _Worker | None:
        """A process that is ready; None: there will be none any more."""
        reason = ""
        for _ in range(_STARTS):
            if self._is_killed or self._broken is not None:
                return None
            try:
                worker = _Worker()
            except Exception as error:  # noqa: BLE001 - whatever keeps this process from having children
                reason = f"{type(error).__name__}: {error}"
                break
            with self._lock:
                self._processes.add(worker.process)
                if self._is_killed:
                    worker.process.kill()
            try:
                worker.connection.recv_bytes()  # it is ready
            except (EOFError, OSError):
                self._end(worker)
                reason = f"exit status {worker.process.exitcode}"
            else:
                return worker
        with self._lock:
            if not self._is_killed:
                self._broken = BrokenExecutor(f"{_NO_START} ({reason}). {_ADVICE}")
        return None

    def _end(self, worker: _Worker) -> None:
        worker.end()
        with self._lock:
            self._processes.discard(worker.process)


class _Worker:
    """A process and the way to it."""

    def __init__(self) -> None:
        context = multiprocessing.get_context("spawn")
        self.connection, theirs = context.Pipe()
        self.process = context.Process(target=_work, args=(theirs,), name="sandbox worker", daemon=True)
        try:
            if _ctrl_c.HAS_MASKS:
                resource_tracker.ensure_running()  # else the first start would do it, and unblock SIGINT at that
            with _ctrl_c.withheld():
                self.process.start()
        except BaseException:
            self.connection.close()
            raise
        finally:
            theirs.close()

    def ask(self, data: bytes) -> tuple[bool, Any]:
        """Have a call answered.

        Raises:
            EOFError, OSError: The process has ended.
        """
        self.connection.send_bytes(data)
        answer = self.connection.recv_bytes()
        try:
            is_value, value = pickle.loads(answer)  # noqa: S301 - from a process of our own
        except Exception as error:  # noqa: BLE001 - objects are read by code of their own
            return False, unsendable("the answer of a worker process cannot be read", error)
        return is_value, value

    def end(self) -> None:
        """Let the process end, and wait for it."""
        self.connection.close()
        self.process.join(_EXIT_SECONDS)
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def processors() -> int:
    """How many processors this process may use."""
    affinity = getattr(os, "sched_getaffinity", None)
    return len(affinity(0)) if affinity is not None else os.cpu_count() or 1


# --- in the process ---------------------------------------------------------------------------------------------------


def _work(calls: Connection) -> None:
    _ctrl_c.leave_to_parent()
    threading.Thread(target=_follow, daemon=True).start()
    Sandbox().close()  # what is made once in a process is made
    with suppress(EOFError, OSError):
        calls.send_bytes(b"ready")
        while True:
            calls.send_bytes(_answer(calls.recv_bytes()))


def _follow() -> None:
    """End with the process that made this one, in the middle of whatever is going on."""
    parent = multiprocessing.parent_process()
    assert parent is not None
    wait([parent.sentinel])
    os._exit(1)


def _answer(data: bytes) -> bytes:
    try:
        function, args, kwargs = pickle.loads(data)  # noqa: S301 - from the process that made this one
    except Exception as error:  # noqa: BLE001 - objects are read by code of their own
        return pickle.dumps((False, unsendable("the call cannot be read in a worker process", error)))
    try:
        answer = True, function(*args, **kwargs)
    except BaseException as error:  # noqa: BLE001 - it is the answer
        answer = False, error
    try:
        return pickle.dumps(answer)
    except Exception as error:  # noqa: BLE001 - as above
        return pickle.dumps((False, unsendable("the answer cannot be sent by a worker process", error)))
