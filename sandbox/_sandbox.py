"""The blocking face: `Sandbox`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cache
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from sandbox import _interrupts
from sandbox._abi import Verb
from sandbox._blocking import BlockingRunner
from sandbox._entrances import DEFAULT_TRACE
from sandbox._handle_calls import HandleCalls
from sandbox._sandbox_lives import SandboxLives
from sandbox.errors import SandboxClosed
from sandbox.values import HandleOwner, JSFunction, undefined

if TYPE_CHECKING:
    from sandbox._face import Runner
    from sandbox._globals import Globals
    from sandbox._languages import Language
    from sandbox._replay.recorder import Recording
    from sandbox.context import Sync
    from sandbox.http import Request, Response
    from sandbox.outcome import Outcome
    from sandbox.stream import Stream
    from sandbox.trace import TraceOption


class Sandbox(SandboxLives):
    """A sandbox for untrusted JavaScript, for code that blocks.

    The guest runs on the calling thread. Any thread may use the sandbox; one at a time runs the guest, others wait
    until it is done or waits itself. Ctrl-C stops the guest. A host function may call back into the guest that called
    it, as long as the answer is no promise.

        with Sandbox(functions={"add": lambda a, b: a + b}) as box:
            box.eval("add(1, 2)")  # 3
    """

    def _make_runner(self) -> Runner:
        self._runner = BlockingRunner()
        self._perform = self._runner.perform
        return self._runner

    def _handle_owner(self) -> HandleOwner:
        return HandleCalls(self, self._perform, self._runner)

    def _begin(self) -> None:
        if self._surface:
            try:
                self._perform(self._driver.define(self._surface.values, self._surface.scripts, self._surface.entries))
            except BaseException:
                self.close()
                raise

    def eval(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return its completion value.

        Top-level declarations persist from one call to the next. `await` may be used at the top level; a promise is
        waited for.

        Args:
            code: The source text.
            filename: What stacks call it; by default `<eval 1>`, `<eval 2>`, ...
            language: What it is written in: `"ts"`, `"tsx"`, `"jsx"`, `"js"`; None: what its filename ends with says.
            timeout: Wall time for this call in seconds, if less than the limit.
            fuel: Instructions for this call, in place of `Limits.fuel`.

        Returns:
            The value, converted; see the table of conversions.

        Raises:
            JSError: The guest threw, or a promise was rejected and nobody handled it (`UnhandledRejection`).
            Stalled: The guest waits for what can never happen.
            LimitExceeded: A limit was reached.
            Paused: A host function has paused it; see `resume`.
            ConversionError: The value cannot be converted.
            SandboxBusy: Called by a host function of this sandbox and the answer is a promise, or another thread's
                turn takes too long.
            SandboxClosed: The sandbox is closed.
            SandboxPoisoned: An earlier crash left it unusable.
            BaseException: Whatever a host function raised that is no `Exception`.
        """
        return self._perform(self._eval_command(code, filename, language, timeout, fuel), timeout, fuel)

    def eval_into(
        self,
        receiver: JSFunction,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return what a function of the guest makes of its completion value.

        The value stays in the guest, is not converted, and not waited for: `value => () => value` keeps it there.
        Microtasks that the script left run after the function. `await` cannot be used at the top level.

        Args:
            receiver: The function, which gets the completion value.
            code: The source text; this and what follows is as for `eval`.
            filename: What stacks call it.
            language: What it is written in.
            timeout: Seconds that it may take.
            fuel: What it may burn.

        Returns:
            What the function returned, converted.

        Raises:
            BaseException: As `eval`.
        """
        return self._perform(self._eval_command(code, filename, language, timeout, fuel, receiver), timeout, fuel)

    def execute(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
        trace: Collection[TraceOption] = DEFAULT_TRACE,
        context: Mapping[str, Any] | None = None,
        sync: Sync = "none",
        strict: bool | None = None,
        max_host_calls: int | None = None,
        call_timeout: float | None = None,
    ) -> Outcome:
        """Evaluate a script and say what became of it, and how: for programs that a model has written, above all.

        The script is that of `eval`, but for `return`, which may stand at its top: what it gives is the value then.
        Called by a host function of this sandbox, in the middle of a turn, it tells nothing beyond the outcome, and
        takes no context.

        Args:
            code: The source text.
            filename: As for `eval`.
            language: As for `eval`.
            timeout: As for `eval`.
            fuel: As for `eval`.
            trace: What is written down, see `TraceOption`; by default all but lines and comments, which cost
                the program time.
            context: Values for this run, set as globals before it. `frozen(...)` makes one that cannot be changed,
                `expose(...)` an object whose attributes are written through, one by one.
            sync: What becomes of changes that the program makes to the context: `"none"`, `"diff"` or `"inplace"`; see
                `Sync`.
            strict: Whether the script is strict code; None: if something in the context is frozen.
            max_host_calls: How many calls of the host the run may make; more end it with `CallLimitExceeded`.
            call_timeout: How long the host may work on one of them, in seconds; see `CallLimits.timeout`.

        Raises:
            UsageError: As `eval`: what is the embedder's fault is not the outcome of a program.
            BaseException: Whatever a host function raised that is no `Exception`, but for `Stop`.
        """
        report = self._report(
            code,
            filename,
            language,
            timeout,
            fuel,
            trace=trace,
            context=context,
            sync=sync,
            strict=strict,
            max_host_calls=max_host_calls,
            call_timeout=call_timeout,
        )
        try:
            if self._runner.is_nested():
                return report.of_nested(self._runner.run_nested(report.command), self.usage)
            value = self._runner.run(report.steps, timeout, fuel)
        except BaseException as error:  # noqa: BLE001 - the report raises what is no outcome
            return report.raised(error, self.usage)
        return report.finished(value, self.usage)

    def stream(
        self, code: str, *, filename: str | None = None, language: Language | None = None, strict: bool = False
    ) -> Stream:
        """Evaluate a script that hands over values with `yield`, at its top, one by one.

        It runs while the next value is asked for, and stands still meanwhile: what nobody asks for is never computed.
        `yield` awaits a promise, and `return` ends it. Its declarations persist as those of `eval` do. Each step is a
        run, with budgets of its own.

        Args:
            code: The source text.
            filename: As for `eval`.
            language: As for `eval`.
            strict: Whether it is strict code.

        Returns:
            The values. Nothing happens before the first one is asked for: then a script that cannot be parsed fails.
        """
        command = self._stream_command(code, filename, language, strict=strict)
        from sandbox.stream import Stream  # most programs do without

        return Stream(lambda: self._perform(command))

    def module(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
    ) -> dict[str, Any]:
        """Evaluate a source as an ECMAScript module and return its exports.

        Each call makes a module of its own, which nothing else can import.

        Args:
            code: The source text.
            filename: What stacks and `import.meta` call it; relative imports start from its directory. By default
                `<module 1>`, `<module 2>`, ..., whose directory is the top.
            language: As for `eval`.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Returns:
            The exports by name, as they are when the module has been evaluated.

        Raises:
            BaseException: As `eval`. A module that cannot be found is a JSError.
        """
        command = self._module_command(code, filename, language, timeout, fuel)
        namespace: dict[str, Any] = self._perform(command, timeout, fuel)
        return namespace

    def import_module(self, specifier: str, *, timeout: float | None = None, fuel: int | None = None) -> dict[str, Any]:
        """Import a module from what the option `modules` gives, and return its exports.

        Args:
            specifier: As a module at the top would say it.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Returns:
            As `module`.

        Raises:
            BaseException: As `module`.
        """
        namespace: dict[str, Any] = self._perform(self._import_command(specifier, timeout, fuel), timeout, fuel)
        return namespace

    def call(
        self,
        function: str | JSFunction,
        *args: Any,  # noqa: ANN401 - any value
        this: Any = undefined,  # noqa: ANN401 - any value
        timeout: float | None = None,
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Call a function of the guest.

        Args:
            function: A `JSFunction`, or the dotted path of one, such as `"app.render"`; `this` is then its object.
            *args: Arguments, converted.
            this: The `this` value for a `JSFunction`.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Returns:
            What it returned, converted; a promise is waited for.

        Raises:
            BaseException: As `eval`.
        """
        return self._perform(self._call_command(function, args, this, timeout, fuel), timeout, fuel)

    @property
    def globals(self) -> Globals:
        """The properties of the guest's globalThis, live."""
        from sandbox._globals import Globals  # many programs do without

        return Globals(self._access, standard_names)

    def dispatch(self, request: Request, *, timeout: float | None = None, fuel: int | None = None) -> Response:
        """Have the program answer a request, by the handler it gave to `serve`, or exports as `default`.

        The request is one run, which ends with the last byte of the response, and uses one budget for all of it. Where
        the response comes in chunks, the program goes on as they are read. Other threads may dispatch meanwhile: while
        one request waits, the others are answered.

        Args:
            request: Its body is bytes, or an iterable of bytes that is asked for a chunk when the program reads one.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Returns:
            The response. Its body is bytes, or an iterator of chunks, to be read to its end or closed by `close()`,
            which aborts the request's signal and cancels the program's stream.

        Raises:
            NotServing: The program answers no requests.
            JSError: Its handler threw, or returned no Response; also while the body is read.
            TypeError: The request is none, or its body is not made of bytes.
            ValueError: Its method or its URL is none.
            BaseException: As `eval`.
        """
        from sandbox._dispatch import BlockingDispatch, check_request  # most programs serve nothing

        self._check_call(timeout, fuel)
        check_request(request, may_wait=False)
        return BlockingDispatch(self._runner, self._driver, self._serve, request).response(timeout, fuel)

    def run_until_idle(self, *, timeout: float | None = None) -> None:
        """Run what is pending, timers and host calls, until nothing is.

        Args:
            timeout: As for `eval`.

        Raises:
            JSError: A callback threw and nobody caught it; what is left can be run by another call.
            BaseException: As `eval`.
        """
        self._check_call(timeout)
        self._runner.run(self._driver.run_until_idle, timeout)

    def tick(self, milliseconds: float) -> None:
        """Move the virtual clock forward; timers that come due run in order, each at its time.

        Args:
            milliseconds: By how much; not negative.

        Raises:
            TypeError: The clock is not virtual.
            BaseException: As `run_until_idle`.
        """
        self._check_tick(milliseconds)
        self._runner.run(lambda run: self._driver.tick(run, milliseconds))

    def record(self, path: str | PathLike[str], *, max_bytes: int | None = None) -> Recording:
        """Record from now on what the guest is told and what it does, so that `sandbox.replay` can do it again.

        The file has all that crosses the boundary of the guest: programs, values, answers of host functions, times,
        random numbers, console entries. It is readable at any moment, also after a crash of the process. Only one
        record is written at a time: the one before ends. Recording costs some microseconds for each entry into the
        guest and each call of the host, and some of the time of programs that compute, until the sandbox is closed.

        Args:
            path: The file, which is emptied if it exists, and which only its owner can read.
            max_bytes: Its longest length, at which the record ends; None: a gigabyte.

        Returns:
            The record, which ends with the sandbox, or by `stop`.

        Raises:
            OSError: The file cannot be made.
            SandboxBusy: The guest runs or a run waits.
            SandboxError: The sandbox is closed or poisoned.
        """
        self._check_call(None)
        with _interrupts.Deferral():
            return self._runner.alone(lambda: self._record(path, max_bytes))

    def close(self) -> None:
        """Free the guest; idempotent. Host calls that are still pending are cancelled.

        Raises:
            SandboxBusy: The guest runs or a run waits, on this thread or another.
        """
        if self._closed:
            return
        with _interrupts.Deferral():
            self._runner.alone(self._end)

    def _end(self) -> None:
        self._driver.close()
        self._closed = True

    def __enter__(self) -> Self:
        if self._closed:
            raise SandboxClosed
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _access(self, verb: Verb, key: str, value: object = None) -> Any:  # noqa: ANN401 - any value
        self._check_call(None)
        return self._perform(self._driver.access(verb, key, value))


@cache
def standard_names() -> frozenset[str]:
    """The names of globals that every sandbox has."""
    with Sandbox() as box:
        return frozenset(box._access(Verb.KEYS, ""))
