"""One program with all it needs, as a value; running it gives another value."""

from __future__ import annotations

import os
import pickle
import platform
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import KW_ONLY
from inspect import signature
from typing import TYPE_CHECKING, Any, Final

from sandbox._face import Face, check_options
from sandbox._portable import portable_error
from sandbox._records import field, record
from sandbox._sandbox import Sandbox
from sandbox.errors import JSError, Paused, RunInterrupted, SandboxError
from sandbox.jobs.crossing import from_message, to_message, unsendable
from sandbox.limits import DEFAULT_LIMITS, Limits, Usage
from sandbox.snapshot import Snapshot
from sandbox.values import JSFunction

if TYPE_CHECKING:
    from sandbox.capabilities import ConsoleEntry
    from sandbox.pause import PausedCall

_FIELDS: Final = ("code", "module", "snapshot", "answer", "function", "filename", "modules", "limits", "options")
_ANSWERS: Final = {"value", "error", "proceed", "call"}
# A job's sandbox ends with it, and what it writes to the console is part of the result.
_NO_OPTIONS: Final = {"limits", "modules", "console", "on_limit"}
_OPTIONS: Final = frozenset(signature(Face).parameters) - _NO_OPTIONS


@record(frozen=True, slots=True)
class Job:
    """A program, what to call in it, and the sandbox to run it in: a value that can be pickled, and run anywhere.

        Job("function total(order) { ... }", function="total", args=[order]).run().unwrap()

    Each run has a sandbox of its own, which ends with it. A job with a `seed` and `clock="virtual"` has the same result
    wherever it runs. `dataclasses.replace` makes another job of one.

    Attributes:
        code: A script. This, or `module`, or `snapshot`.
        module: The source of an ECMAScript module.
        snapshot: A program that a host function has paused; the job resumes it. Where it was resumed before in the same
            process, the result is a `UsageError`.
        answer: How, as arguments of `Sandbox.resume`: `value`, `error` or `proceed`, and `call` if several calls are
            paused.
        function: What to call then: the dotted path of a function of the script, or an export of the module. None: the
            result is the script's completion value, or the module's exports.
        args: Arguments of the function. They are converted when the job is made: what becomes of them later changes
            nothing.
        filename: What stacks call the program.
        modules: What `import` finds; see `Sandbox`.
        limits: The budgets. The program and the call are two runs.
        options: More options of `Sandbox`: `functions`, `globals`, `fetch`, `seed`, `clock`,
            `clock_resolution_seconds`, `locale`, `time_zone`, `error_detail`. To reach another process, functions must
            be such as can be pickled.

    Raises:
        TypeError: A field has the wrong type, or there is no such option.
        ValueError: A field or an option has no such value; there is no program, or two, or arguments for no function.
        UsageError: As the constructor of `Sandbox`.
        ConversionError: An argument cannot cross, or needs the sandbox or the process it comes from.
    """

    code: str | None = None
    _: KW_ONLY
    module: str | None = None
    snapshot: Snapshot | None = field(default=None, repr=False)
    answer: Mapping[str, Any] = field(default_factory=dict)
    function: str | None = None
    args: Sequence[Any] = ()
    filename: str | None = None
    modules: Any = field(default=None, repr=False)
    limits: Limits = DEFAULT_LIMITS
    options: Mapping[str, Any] = field(default_factory=dict)
    _args: bytes = field(init=False, repr=False, compare=False)  # as a message

    def __post_init__(self) -> None:
        for name in ("code", "module", "function", "filename"):
            text = getattr(self, name)
            if text is not None and not isinstance(text, str):
                raise TypeError(f"{name} must be a str or None, not {type(text).__name__}")
        self._check_program()
        if isinstance(self.args, str | bytes) or not isinstance(self.args, Sequence):
            raise TypeError(f"args must be a list or tuple, not {type(self.args).__name__}")
        if self.args and self.function is None:
            raise ValueError("args need a function that takes them")
        if not isinstance(self.options, Mapping):
            raise TypeError(f"options must be a mapping of names, not {type(self.options).__name__}")
        unknown = [name for name in self.options if name not in _OPTIONS]
        if unknown:
            why = " (it has a field of its own)" if unknown[0] in _FIELDS else ""
            raise TypeError(f"options has {unknown[0]!r}{why}; a job takes {', '.join(sorted(_OPTIONS))}")
        check_options(limits=self.limits, modules=self.modules, **self.options)
        object.__setattr__(self, "args", tuple(self.args))
        object.__setattr__(self, "options", dict(self.options))
        object.__setattr__(self, "answer", dict(self.answer))
        to_message(self.answer.get("value"), self.limits)
        object.__setattr__(self, "_args", to_message(list(self.args), self.limits))

    def _check_program(self) -> None:
        if (self.code is not None) + (self.module is not None) + (self.snapshot is not None) != 1:
            raise ValueError("a job has code or a module, and not both; or it has neither, and a snapshot")
        if self.snapshot is not None and not isinstance(self.snapshot, Snapshot):
            raise TypeError(f"snapshot must be a Snapshot or None, not {type(self.snapshot).__name__}")
        if self.snapshot is not None and not self.snapshot.paused:
            raise ValueError("nothing in the snapshot is paused")
        answer: object = self.answer
        if not isinstance(answer, Mapping) or not _ANSWERS.issuperset(answer):
            raise TypeError(f"answer must be a mapping of {', '.join(sorted(_ANSWERS))}")
        if self.snapshot is None and self.answer:
            raise ValueError("an answer needs a snapshot with a call that is paused")
        if self.snapshot is not None and self.function is not None:
            raise ValueError("a job that resumes a program calls no function")

    def __reduce__(self) -> tuple[Any, ...]:
        return _job, (tuple(getattr(self, name) for name in _FIELDS), self._args)

    def run(self) -> JobResult:
        """Run it here, on the calling thread, in a sandbox of its own.

        Returns:
            What came of it. What the program does wrong, a limit it reaches or an `Exception` of a host function is the
            `error` of the result and is not raised.

        Raises:
            BaseException: Whatever a host function raised that is no `Exception`, such as `KeyboardInterrupt`.
        """
        return _run(self, None)

    def _sandbox(self, entries: list[ConsoleEntry]) -> Sandbox:
        options: dict[str, Any] = {"limits": self.limits, "modules": self.modules, "console": entries.append}
        if self.snapshot is not None:
            return Sandbox.restore(self.snapshot, **options, **self.options)
        return Sandbox(**options, **self.options)

    def _answer(self, box: Sandbox) -> Any:  # noqa: ANN401 - any value
        if self.snapshot is not None:
            return box.resume(**self.answer).unwrap()
        args = from_message(self._args)
        if self.module is None:
            assert self.code is not None
            value = box.eval(self.code, filename=self.filename)
            return value if self.function is None else box.call(self.function, *args)
        exports = box.module(self.module, filename=self.filename)
        if self.function is None:
            return exports
        function = exports.get(self.function)
        if not isinstance(function, JSFunction):
            text = f"the module exports no function {self.function!r}"
            raise JSError(text, name="TypeError", js_class="TypeError")
        return function(*args)


def _job(fields: tuple[Any, ...], args: bytes) -> Job:
    """A job that was checked where it was made."""
    job = object.__new__(Job)
    for name, value in zip(_FIELDS, fields, strict=True):
        object.__setattr__(job, name, value)
    object.__setattr__(job, "args", tuple(from_message(args)))
    object.__setattr__(job, "_args", args)
    return job


@record(frozen=True, slots=True)
class JobResult:
    """What came of a job: a value that can be pickled.

    Attributes:
        value: What the program gave, None when it failed.
        error: Why there is no value: the program's error, the limit it reached, `Paused`, `WorkerLost`, a `UsageError`
            for a job that cannot be sent. It carries all it says about the program; None: there is a value.
        console: What it wrote to the console.
        usage: What its sandbox had used in the end.
        worker: Where it ran: the machine's name and the number of the process; empty when that is not known.
        attempts: How often it was begun: more than once when workers were lost.
        index: Its place among the jobs, from 0.
        job: The job, where it came from `map`.
    """

    value: Any = None
    error: Exception | None = None
    console: tuple[ConsoleEntry, ...] = ()
    usage: Usage = field(default_factory=Usage)
    worker: str = ""
    attempts: int = 1
    index: int = 0
    job: Job | None = field(default=None, repr=False)
    _message: bytes | None = field(default=None, repr=False, compare=False)  # the value, until it has arrived

    @property
    def ok(self) -> bool:
        """Whether there is a value."""
        return self.error is None

    @property
    def paused(self) -> tuple[PausedCall, ...]:
        """The calls whose answers the program waits for, if a host function has paused it."""
        return self.error.calls if isinstance(self.error, Paused) else ()

    @property
    def snapshot(self) -> Snapshot | None:
        """What another job resumes then."""
        snapshot: Snapshot | None = self.error.snapshot if isinstance(self.error, Paused) else None
        return snapshot

    def unwrap(self) -> Any:  # noqa: ANN401 - any value
        """The value.

        Raises:
            Exception: The error, if there is one.
        """
        if self.error is not None:
            raise self.error
        return self.value

    def __reduce__(self) -> tuple[Any, ...]:
        message = self._message or to_message(self.value)
        error = (
            None if self.error is None else (portable_error(self.error), f"{type(self.error).__name__}: {self.error}")
        )
        facts = (error, self.console, self.usage, self.worker, self.attempts, self.index, self.job)
        return _result, (message, *facts)


def _result(message: bytes, error: tuple[Exception | None, str] | None, *facts: Any) -> JobResult:  # noqa: ANN401 - see JobResult.__reduce__
    arrived = None if error is None else error[0] or SandboxError(error[1])
    return JobResult(from_message(message), arrived, *facts)


class Stop:
    """Ends jobs that run in this process; any thread may do it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._running: set[Sandbox] = set()
        self._is_set = False

    @contextmanager
    def watch(self, box: Sandbox) -> Iterator[None]:
        """Let a sandbox be interrupted within the block.

        Raises:
            RunInterrupted: All is stopped already.
        """
        with self._lock:
            if self._is_set:
                raise RunInterrupted
            self._running.add(box)
        try:
            yield
        finally:
            with self._lock:
                self._running.discard(box)

    def set(self) -> None:
        """Interrupt what runs, and let nothing begin."""
        with self._lock:
            self._is_set = True
            for box in self._running:
                box.interrupt()


def perform(jobs: bytes | Sequence[Job], stop: Stop | None = None) -> list[JobResult]:
    """Run jobs one after the other: what executors are given to do.

    Args:
        jobs: The jobs, or a pickle of them.
        stop: What may end them, in this process.

    Raises:
        UsageError: The pickle cannot be read here.
    """
    if isinstance(jobs, bytes):
        try:
            unpacked: Sequence[Job] = pickle.loads(jobs)  # noqa: S301 - from the embedder
        except Exception as error:  # noqa: BLE001 - objects are read by code of their own
            raise unsendable("the job cannot be read where it should run", error) from None
    else:
        unpacked = jobs
    return [_run(job, stop) for job in unpacked]


def _run(job: Job, stop: Stop | None) -> JobResult:
    entries: list[ConsoleEntry] = []
    value, message, error, usage = None, None, None, Usage()
    try:
        with job._sandbox(entries) as box, stop.watch(box) if stop else nullcontext():
            try:
                answer = job._answer(box)
                message = to_message(answer)
                value = answer
            finally:
                usage = box.usage
    except Exception as failure:  # noqa: BLE001 - it is the outcome
        error = failure.with_traceback(None)  # whose frames hold the sandbox
    worker = f"{platform.node()}:{os.getpid()}"
    return JobResult(value, error, tuple(entries), usage, worker, _message=message)
