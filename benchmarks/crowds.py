"""Inside a worker: many sandboxes at once, on threads of one process or awaiting on one event loop."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Any, cast

from benchmarks import workloads

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from benchmarks.engines.base import Adapter, CrowdAdapter, HostFunctions, Session
    from benchmarks.rows import Row

_PROGRAM = "properties"
_EVALS = 200  # of a thread, between two meetings of all threads
_HOST_CALLS = 5 * workloads.HOST_CALLS_PER_EVAL
_MEETING_SECONDS = 120.0

# What each of many sandboxes evaluates: `number` is its own, `host(n)` awaits a moment and gives `n + 1`.
_CALLS = "let total = number; for (let i = 0; i < 3; i++) total += await host(i);"
_FAN_OUT = {
    "calls": f"(async () => {{ {_CALLS} return total; }})()",
    "timers": f"(async () => {{ const rest = ms => new Promise(done => setTimeout(done, ms));"
    f" await rest(number % 5); {_CALLS} await rest(1); return total; }})()",
}


class Crew:
    """Threads that have a sandbox each, made and closed by the thread that uses it, and work when they are told to.

    Args:
        count: How many threads.
        open_session: Makes a thread's sandbox.
        work: A thread's share; gives a result.
    """

    def __init__(self, count: int, open_session: Callable[[], Session], work: Callable[[Session], object]) -> None:
        self._open_session = open_session
        self._work = work
        self._meeting = threading.Barrier(count + 1)
        self._results: list[object] = [None] * count
        self._failures: list[BaseException] = []
        self._threads = [threading.Thread(target=self._live, args=(place,), daemon=True) for place in range(count)]
        for thread in self._threads:
            thread.start()
        self._meet()

    def work(self) -> Sequence[object]:
        """Let every thread do its share at the same time, and wait for all.

        Raises:
            BaseException: What the first thread that failed has raised.
        """
        self._meet()
        self._meet()
        return self._results

    def close(self) -> None:
        """Let every thread close its sandbox and end. Safe to call after a failure."""
        self._meeting.abort()
        for thread in self._threads:
            thread.join()

    def _meet(self) -> None:
        try:
            self._meeting.wait(_MEETING_SECONDS)
        except threading.BrokenBarrierError:
            self.close()
            raise (self._failures or [TimeoutError("a thread did not come back")])[0] from None

    def _live(self, place: int) -> None:
        try:
            session = self._open_session()
            try:
                self._meeting.wait()
                while True:
                    self._meeting.wait()
                    self._results[place] = self._work(session)
                    self._meeting.wait()
            finally:
                session.close()
        except threading.BrokenBarrierError:
            return
        except BaseException as error:  # noqa: BLE001  the thread that waits for this one raises it
            self._failures.append(error)
            self._meeting.abort()


def _next_number(number: int) -> int:
    return number + 1


def prepare_threads(adapter: Adapter, row: Row) -> tuple[Crew, object, int]:
    """A crew for a row.

    Returns:
        The crew, the result that each of its threads must have, and how many units of work a thread does.
    """
    match row.subject:
        case "evals":
            return Crew(row.crowd, lambda: adapter.open_session({}), _evals), 2 * _EVALS, _EVALS
        case "host_calls":
            functions: HostFunctions = {"host": _next_number}
            code = workloads.summed("host(i)", _HOST_CALLS)
            total = _HOST_CALLS * (_HOST_CALLS + 1) // 2
            return (
                Crew(row.crowd, lambda: adapter.open_session(functions), lambda box: box.eval(code)),
                total,
                _HOST_CALLS,
            )
        case "guest_work":

            def open_session() -> Session:
                session = adapter.open_session({})
                session.eval(workloads.program(_PROGRAM) + "\n0;")
                return session

            return Crew(row.crowd, open_session, lambda box: box.eval("run()")), workloads.CHECKSUMS[_PROGRAM], 1
    raise ValueError(f"no work of threads is called {row.subject!r}")


def _evals(session: Session) -> object:
    total: Any = 0
    for _ in range(_EVALS):
        total += session.eval("1+1")
    return total


def prepare_fan_out(adapter: Adapter, row: Row) -> tuple[Callable[[], list[object]], list[object]]:
    """Opens, runs and closes `row.crowd` sandboxes on one event loop, all of them waiting at the same time.

    Returns:
        What does it and gives their results, and what these have to be.
    """
    codes = fan_out_of(row.subject, row.crowd)
    return (lambda: cast("CrowdAdapter", adapter).fan_out(codes)), [number + 6 for number in range(row.crowd)]


def fan_out_of(subject: str, count: int) -> list[str]:
    """So many programs that wait, "calls" for host calls alone, "timers" for timers too; they give 6, 7, 8, ..."""
    return [_FAN_OUT[subject].replace("number", str(number)) for number in range(count)]
