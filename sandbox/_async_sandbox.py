"""The asynchronous face: `AsyncSandbox`."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from functools import cached_property
from os import PathLike
from typing import TYPE_CHECKING, Any, Self

from sandbox import _interrupts
from sandbox._abi import Verb
from sandbox._asynchronous import AsyncRunner
from sandbox._entrances import DEFAULT_TRACE
from sandbox._face import Face, Runner, at_value
from sandbox._globals import own_names
from sandbox._sandbox import standard_names
from sandbox.errors import ConversionError, SandboxBusy, SandboxClosed, UsageError
from sandbox.stream import AsyncStream
from sandbox.values import Generation, HandleOwner, JSFunction, JSHandle, Question, undefined

if TYPE_CHECKING:
    from sandbox._commands import Command
    from sandbox._dispatch_async import AsyncDispatches, AsyncServed
    from sandbox._languages import Language
    from sandbox._lives import OnPending
    from sandbox._replay.recorder import Recording
    from sandbox.context import Sync
    from sandbox.http import Request, Response
    from sandbox.outcome import Outcome
    from sandbox.serve.asgi import Application
    from sandbox.snapshot import Snapshot
    from sandbox.trace import TraceOption


class AsyncSandbox(Face):
    """A sandbox for untrusted JavaScript, for asyncio and trio.

    Used inside `async with`, on one event loop. The guest runs on a worker thread, so the loop stays free; while it
    waits it holds no thread. Several tasks may use it: their guest code takes turns. Cancelling a task stops its guest
    code. Runs of other tasks that are in progress when the block ends fail with `SandboxClosed`.

    Host functions that are `async def` run as tasks of the `async with` block and are cancelled at its end; others run
    on the worker thread. In these, calling a `JSFunction` returns its value at once, as in `Sandbox`.

        async with AsyncSandbox(functions={"fetch_row": fetch_row}) as box:
            await box.eval("(await fetch_row(1)).name")
    """

    _runner: AsyncRunner

    @cached_property
    def _dispatches(self) -> AsyncDispatches:
        from sandbox._dispatch_async import AsyncDispatches  # most programs serve nothing

        return AsyncDispatches(self._runner, self._driver, self._serve)

    def _make_runner(self) -> Runner:
        self._runner = AsyncRunner()
        return self._runner

    def _handle_owner(self) -> HandleOwner:
        return _Handles(self)

    async def __aenter__(self) -> Self:
        _interrupts.at_checkpoints_only(AsyncSandbox.__aenter__, AsyncSandbox.__aexit__, AsyncSandbox.aclose)
        if self._closed:
            raise SandboxClosed
        if self._runner.entered:
            raise UsageError("this sandbox is inside its `async with` already")
        await self._runner.enter()
        try:
            surface = self._surface
            if surface:
                await self._perform(self._driver.define(surface.values, surface.scripts, surface.entries))
        except BaseException:
            await self.__aexit__()
            raise
        return self

    async def __aexit__(self, *_exception: object) -> None:
        self._closed = True
        await self._runner.exit()

    async def eval(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return its completion value; see `Sandbox.eval`. A cancel point.

        Raises:
            BaseException: As `Sandbox.eval`.
        """
        return await self._perform(self._eval_command(code, filename, language, timeout, fuel), timeout, fuel)

    async def eval_into(
        self,
        receiver: JSFunction,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return what a guest function makes of its value; see `Sandbox.eval_into`.

        A cancel point.

        Raises:
            BaseException: As `Sandbox.eval_into`.
        """
        return await self._perform(self._eval_command(code, filename, language, timeout, fuel, receiver), timeout, fuel)

    async def execute(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
        trace: Collection[TraceOption] = DEFAULT_TRACE,
        context: Mapping[str, Any] | None = None,
        sync: Sync = "none",
        strict: bool | None = None,
        max_host_calls: int | None = None,
        call_timeout: float | None = None,
    ) -> Outcome:
        """Evaluate a script and say what became of it, and how; see `Sandbox.execute`. A cancel point.

        Raises:
            BaseException: As `Sandbox.execute`.
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
            value = await self._runner.run(report.steps, timeout, fuel)
        except BaseException as error:  # noqa: BLE001 - the report raises what is no outcome
            return report.raised(error, self.usage)
        return report.finished(value, self.usage)

    def stream(
        self, code: str, *, filename: str | None = None, language: Language | None = None, strict: bool = False
    ) -> AsyncStream:
        """Evaluate a script that hands over values with `yield`; see `Sandbox.stream`.

        Returns:
            The values, for `async for`.
        """
        command = self._stream_command(code, filename, language, strict=strict)
        return AsyncStream(lambda: self._perform(command))

    async def resume(
        self,
        value: Any = undefined,  # noqa: ANN401 - any value
        *,
        error: Exception | None = None,
        proceed: bool = False,
        call: str | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
        max_host_calls: int | None = None,
        call_timeout: float | None = None,
        context: Mapping[str, Any] | None = None,
    ) -> Outcome:
        """Answer a paused call and take the paused run to its outcome; see `Sandbox.resume`. A cancel point.

        Raises:
            BaseException: As `Sandbox.resume`.
        """
        self._check_call(timeout, fuel)
        number, report = self._resumption(
            value,
            error,
            call,
            proceed=proceed,
            max_host_calls=max_host_calls,
            call_timeout=call_timeout,
            context=context,
        )
        try:
            value = await self._runner.run(report.steps, timeout, fuel, number=number)
        except BaseException as failure:  # noqa: BLE001 - the report raises what is no outcome
            return report.raised(failure, self.usage)
        return report.finished(value, self.usage)

    async def module(
        self,
        code: str,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> dict[str, Any]:
        """Evaluate a source as an ECMAScript module and return its exports; see `Sandbox.module`. A cancel point.

        Raises:
            BaseException: As `Sandbox.module`.
        """
        namespace: dict[str, Any] = await self._perform(
            self._module_command(code, filename, language, timeout, fuel), timeout, fuel
        )
        return namespace

    async def import_module(
        self,
        specifier: str,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> dict[str, Any]:
        """Import a module and return its exports; see `Sandbox.import_module`. A cancel point.

        Raises:
            BaseException: As `Sandbox.module`.
        """
        namespace: dict[str, Any] = await self._perform(self._import_command(specifier, timeout, fuel), timeout, fuel)
        return namespace

    async def call(
        self,
        function: str | JSFunction,
        *args: Any,  # noqa: ANN401 - any value
        this: Any = undefined,  # noqa: ANN401 - any value
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Call a function of the guest; see `Sandbox.call`. A cancel point.

        Raises:
            BaseException: As `Sandbox.eval`.
        """
        return await self._perform(self._call_command(function, args, this, timeout, fuel), timeout, fuel)

    @property
    def globals(self) -> AsyncGlobals:
        """The properties of the guest's globalThis, live."""
        return AsyncGlobals(self)

    async def dispatch(
        self,
        request: Request,
        *,
        timeout: float | None = None,  # noqa: ASYNC109 - the run's wall time
        fuel: int | None = None,
    ) -> Response:
        """Have the program answer a request; see `Sandbox.dispatch`. A cancel point.

        The program goes on while nobody waits. Cancelling the task aborts the request's signal, and so does `aclose()`
        of a body, which cancels the program's stream too; what it answers then is dropped.

        Args:
            request: Its body may give its chunks asynchronously too.
            timeout: As for `eval`.
            fuel: As for `eval`.

        Returns:
            The response. Its body is bytes, or an asynchronous iterator of chunks.

        Raises:
            BaseException: As `Sandbox.dispatch`.
        """
        from sandbox._dispatch import check_request  # most programs serve nothing

        self._check_call(timeout, fuel)
        check_request(request, may_wait=True)
        return await self._dispatches.dispatch(request, timeout, fuel)

    def asgi(
        self,
        program: str | None = None,
        *,
        filename: str | None = None,
        language: Language | None = None,
        timeout: float | None = None,
        fuel: int | None = None,
        on_error: Callable[[BaseException], object] | None = None,
    ) -> Application[AsyncServed]:
        """The program as an ASGI 3 application: lifespan, http and websocket, under asyncio and trio.

        If the sandbox was not entered, the application enters it when the server starts, and leaves it when that ends,
        so that it can be a global of a module: `app = AsyncSandbox().asgi(program)`. It answers timers too.

        Each request is a run of its own, and each event of a WebSocket, with the limits of the sandbox.

        Args:
            program: The source of an ECMAScript module to evaluate first; None: the sandbox has its program.
            filename: What stacks call that.
            language: What it is written in; None: what its filename ends with says.
            timeout: Wall time for each request in seconds, if less than the limit.
            fuel: Instructions for each request, in place of `Limits.fuel`.
            on_error: Gets each exception that a request or an event ends with; None: the logger `sandbox.serve`.

        Returns:
            The application. Clients are told of failures by a status and no more: 501 where no handler is, 504 for
            the wall time, 503 where the sandbox is closed, poisoned or was rolled back, else 500.

        Raises:
            TypeError: An argument has the wrong type.
            ValueError: `timeout` or `fuel` is out of range.
            SandboxClosed: The sandbox is closed.
        """
        from sandbox._dispatch_async import AsgiServer
        from sandbox.serve.asgi import Application

        if program is not None:
            self._check_code(program, filename, language)
        self._check_call(timeout, fuel)
        entry = None if program is None else (program, filename, language)
        return Application(AsgiServer(self, self._dispatches, entry, timeout, fuel), on_error)

    async def run_until_idle(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109 - the run's wall time
        """Run what is pending until nothing is; see `Sandbox.run_until_idle`. A cancel point.

        Raises:
            BaseException: As `Sandbox.run_until_idle`.
        """
        self._check_call(timeout)
        await self._runner.run(self._driver.run_until_idle, timeout)

    async def tick(self, milliseconds: float) -> None:
        """Move the virtual clock forward; see `Sandbox.tick`. A cancel point.

        Raises:
            BaseException: As `Sandbox.tick`.
        """
        self._check_tick(milliseconds)
        await self._runner.run(lambda run: self._driver.tick(run, milliseconds))

    async def snapshot(self) -> Snapshot:
        """Take a snapshot; see `Sandbox.snapshot`. A cancel point.

        Raises:
            BaseException: As `Sandbox.snapshot`.
        """
        self._check_call(None)
        taken: Snapshot = await self._runner.run(
            lambda run: self._driver.observe(run, self._driver.lives.snapshot), observes=True
        )
        return taken

    async def fork(self, *, pending: OnPending = "call") -> Self:
        """Make a twin, to be used in an `async with` of its own; see `Sandbox.fork`. A cancel point.

        Raises:
            BaseException: As `Sandbox.fork`.
        """
        self._check_call(None)
        twin: Self = await self._runner.run(
            lambda run: self._driver.observe(run, lambda: self._make_twin(pending)), observes=True
        )
        return twin

    async def finish(self, run: int, *, timeout: float | None = None, fuel: int | None = None) -> Any:  # noqa: ANN401, ASYNC109 - any value; the run's wall time
        """Take a run of the snapshot to its end; see `Sandbox.finish`. A cancel point.

        Raises:
            BaseException: As `Sandbox.finish`.
        """
        self._check_finish(run, timeout, fuel)
        return await self._runner.run(self._driver.finish, timeout, fuel, number=run)

    def record(self, path: str | PathLike[str], *, max_bytes: int | None = None) -> Recording:
        """Record from now on what the guest is told and what it does; see `Sandbox.record`. It does not wait.

        Raises:
            BaseException: As `Sandbox.record`.
        """
        self._check_call(None)
        self._runner.check_idle()
        return self._record(path, max_bytes)

    async def aclose(self) -> None:
        """Free the guest before the `async with` block ends; idempotent. No cancel point.

        Raises:
            SandboxBusy: The guest runs, or a run waits.
        """
        if not self._closed:
            self._runner.check_idle()
            self._driver.close()
            self._closed = True

    async def _perform(self, command: Command, timeout: float | None = None, fuel: int | None = None) -> Any:  # noqa: ANN401, ASYNC109 - any value
        return await self._runner.run(lambda run: self._driver.drive(run, command), timeout, fuel)

    async def _access(self, verb: Verb, key: str, value: object = None) -> Any:  # noqa: ANN401 - any value
        self._check_call(None)
        return await self._perform(self._driver.access(verb, key, value))


class AsyncGlobals:
    """The properties of an asynchronous sandbox's globalThis. Every method is a cancel point."""

    def __init__(self, sandbox: AsyncSandbox) -> None:
        """A view of one sandbox."""
        self._access = sandbox._access

    async def get(self, key: str) -> Any:  # noqa: ANN401 - any value
        """A global's value; `undefined` when there is none."""
        return await self._access(Verb.GET, key)

    async def set(self, key: str, value: Any) -> None:  # noqa: ANN401 - any value
        """Set a global."""
        await self._access(Verb.SET, key, value)

    async def delete(self, key: str) -> bool:
        """Delete a global; whether it is gone."""
        return bool(await self._access(Verb.DELETE, key))

    async def has(self, key: str) -> bool:
        """Whether there is such a global."""
        return bool(await self._access(Verb.HAS, key))

    async def keys(self) -> list[str]:
        """The names of the globals that not every sandbox has."""
        return own_names(await self._access(Verb.KEYS, ""), standard_names())


class _Handles:
    """What the handles of an asynchronous sandbox ask; where the guest waits for a host function, at once."""

    def __init__(self, sandbox: AsyncSandbox) -> None:
        self._sandbox = sandbox

    def call(
        self, held: JSHandle, args: tuple[object, ...], this: object, timeout: float | None, fuel: int | None
    ) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        sandbox._check_call(timeout, fuel)
        return self._answer(sandbox._driver.call(held, this, args), timeout, fuel)

    def construct(self, held: JSHandle, args: tuple[object, ...], timeout: float | None, fuel: int | None) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        sandbox._check_call(timeout, fuel)
        return self._answer(sandbox._driver.construct(held, args), timeout, fuel)

    def _answer(self, command: Command, timeout: float | None, fuel: int | None) -> Any:  # noqa: ANN401 - any value
        if self._sandbox._runner.is_nested():
            return self._sandbox._runner.run_nested(command)
        # Whoever awaits may have nothing but this: the command keeps the handle until the guest has used it.
        return self._sandbox._perform(command, timeout, fuel)

    def ask(self, held: JSHandle, question: Question, value: object, timeout: float | None) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        sandbox._check_call(timeout)
        if not sandbox._runner.is_nested():
            raise SandboxBusy("an AsyncSandbox is waited for with `await` and `async for`")
        try:
            return sandbox._runner.run_nested(sandbox._driver.ask(held, question, value))
        except ConversionError as error:
            raise at_value(error) from None

    async def ask_later(self, held: JSHandle, question: Question, value: object) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        sandbox._check_call(None)
        try:
            return await sandbox._perform(sandbox._driver.ask(held, question, value))
        except ConversionError as error:
            raise at_value(error) from None

    def release(self, handle: int, generation: Generation) -> None:
        self._sandbox._operations.release(handle, generation)
