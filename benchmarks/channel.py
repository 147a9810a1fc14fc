"""The parent's end of a worker: start it, ask it, stop it while others run, and end it whatever it does."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from typing import IO, TYPE_CHECKING, Any

from benchmarks.environments import CHECKOUT

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

_STOP = getattr(signal, "SIGSTOP", None)
_CONTINUE = getattr(signal, "SIGCONT", None)


class WorkerError(Exception):
    """A worker answered with an error, crashed, or did not answer in time. The text is one line."""


class WorkerEnded(WorkerError):
    """A worker's process ended before it had answered."""


class WorkerLate(WorkerError):
    """A worker did not answer in time and was killed."""


def command(python: Path, module: str, *arguments: str) -> list[str]:
    """Command line that runs a module of this package under `python`."""
    return [str(python), "-P", "-m", module, *arguments]


def environment() -> dict[str, str]:
    """Environment of every measured process: the checkout importable, hashing fixed, modules kept as bytecode."""
    variables = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PYTHONHASHSEED": "0"}
    variables.pop("PYTHONDONTWRITEBYTECODE", None)  # else a start would be measured with what no user's has
    return variables


def run_fresh(
    python: Path, arguments: Sequence[str], timeout_seconds: float, variables: Mapping[str, str]
) -> dict[str, Any]:
    """Run one fresh process, with these environment variables besides, to its end; see `benchmarks.fresh`.

    Returns:
        The object that it printed.

    Raises:
        WorkerError: It failed, printed nothing, or took longer than `timeout_seconds`.
    """
    try:
        done = subprocess.run(
            command(python, "benchmarks.fresh", *arguments),
            env={**environment(), **variables},
            capture_output=True,
            text=True,
            timeout=timeout_seconds,
            check=False,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
        )
    except subprocess.TimeoutExpired as error:
        raise WorkerError(f"no answer within {timeout_seconds:.0f} s") from error
    if done.returncode != 0 or not done.stdout.strip():
        raise WorkerError(_exit_reason(done.returncode, done.stderr))
    answer: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return answer


class Channel:
    """One worker process. It runs only while a request is under way; between requests it is stopped.

    Not thread-safe. Use as a context manager, or call `close`.
    """

    def __init__(self, arguments: Sequence[str], variables: Mapping[str, str]) -> None:
        """Start the worker.

        Args:
            arguments: Its command line.
            variables: Its environment, all of it.
        """
        self._errors: IO[str] = tempfile.TemporaryFile("w+", encoding="utf-8", errors="replace")  # noqa: SIM115
        self._process = subprocess.Popen(
            list(arguments),
            env=dict(variables),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._errors,
            text=True,
            encoding="utf-8",
            start_new_session=True,  # Ctrl-C reaches the parent only, which then ends the workers
        )
        self._answers: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._reader = threading.Thread(target=self._read, name="benchmark-answers", daemon=True)
        self._reader.start()

    def __enter__(self) -> Channel:
        return self

    def __exit__(self, *exc_info: object) -> None:
        self.close()

    @property
    def alive(self) -> bool:
        """Whether the process still runs (or is stopped)."""
        return self._process.poll() is None

    def ask(self, request: Mapping[str, Any], timeout_seconds: float) -> dict[str, Any]:
        """Send one request and wait for its answer.

        Args:
            request: See `benchmarks.worker`.
            timeout_seconds: How long the worker may take; after that it is killed.

        Raises:
            WorkerError: The worker reported an error.
            WorkerEnded: It ended.
            WorkerLate: It did not answer in time.
        """
        stdin = self._process.stdin
        if stdin is None or not self.alive:
            raise WorkerEnded(self._ended())
        self._signal(_CONTINUE)
        try:
            stdin.write(json.dumps(request) + "\n")
            stdin.flush()
            line = self._answers.get(timeout=timeout_seconds)
        except queue.Empty:
            self._process.kill()
            self._process.wait()
            raise WorkerLate(f"no answer within {timeout_seconds:.0f} s") from None
        except OSError:
            line = None
        if line is None:
            self._process.wait()
            raise WorkerEnded(self._ended())
        self._signal(_STOP)
        answer: dict[str, Any] = json.loads(line)
        if "error" in answer:
            raise WorkerError(str(answer["error"]))
        return answer

    def close(self) -> None:
        """Kill the worker and wait for it; an engine's own shutdown is never waited for. Safe to call twice."""
        self._process.kill()
        self._process.wait()
        self._reader.join()
        for stream in (self._process.stdin, self._process.stdout, self._errors):
            if stream is not None:
                try:
                    stream.close()
                except BrokenPipeError:
                    continue

    def _read(self) -> None:
        stdout = self._process.stdout
        if stdout is not None:
            for line in stdout:
                self._answers.put(line)
        self._answers.put(None)

    def _signal(self, number: int | None) -> None:
        if number is not None and sys.platform != "win32" and self.alive:
            os.kill(self._process.pid, number)

    def _ended(self) -> str:
        self._errors.seek(0)
        return _exit_reason(self._process.returncode, self._errors.read())


def _exit_reason(return_code: int | None, errors: str) -> str:
    lines = [line.strip() for line in errors.splitlines() if line.strip()]
    last = lines[-1][:200] if lines else "no message"
    if return_code is not None and return_code < 0:
        try:
            return f"ended by {signal.Signals(-return_code).name}"
        except ValueError:
            return f"ended by signal {-return_code}"
    return last if return_code else "ended early"
