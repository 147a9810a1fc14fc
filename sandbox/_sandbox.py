"""`Sandbox` and `AsyncSandbox`: one set of options and methods, blocking or awaitable."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, MutableMapping
from typing import Any, Final, Literal, Self, TypeVar, overload

from sandbox import _interrupts
from sandbox._abi import Verb
from sandbox._asynchronous import AsyncRunner
from sandbox._blocking import BlockingRunner
from sandbox._clock import RealClock, VirtualClock
from sandbox._driver import Command, Driver, Run, Steps
from sandbox._operations import Operations
from sandbox.capabilities import Console, ConsoleEntry, Random, Timers
from sandbox.errors import SandboxBusy, SandboxClosed, UsageError
from sandbox.limits import Limits, Usage
from sandbox.values import FunctionOwner, JSFunction, undefined

_F = TypeVar("_F", bound=Callable[..., Any])
_DEFAULT_LIMITS: Final = Limits()


class _Options:
    """What both faces are made of; each adds how it waits."""

    _driver: Driver
    _runner: BlockingRunner | AsyncRunner

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,  # noqa: A002 - JavaScript's own word, and ours
        console: Callable[[ConsoleEntry], object] | None = None,
        clock: Literal["real", "virtual"] = "real",
        seed: int | None = None,
    ) -> None:
        """Make a sandbox.

        Args:
            limits: Its budgets; the defaults of `Limits` when None.
            functions: Host functions, by the name of the global that the guest calls. An `async def` gives the guest a
                promise; any other callable answers at once.
            globals: Values to set as globals first, by name.
            console: Gets each console entry, on the thread that runs the guest; None: entries are dropped.
            clock: `"real"`, or `"virtual"` for a clock that stands still while the guest runs and jumps to the next
                timer when nothing else is waited for.
            seed: Makes `Math.random` and `crypto` repeatable; never for keys. None: real randomness.

        Raises:
            ArtifactError: The compiled guest is missing or does not fit.
            ValueError: An option has no such value.
            TypeError: An option has the wrong type.
        """
        if clock not in ("real", "virtual"):
            raise ValueError(f'clock must be "real" or "virtual", not {clock!r}')
        if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
            raise TypeError(f"seed must be an int or None, not {type(seed).__name__}")
        for name, function in (functions or {}).items():
            if not callable(function):
                raise TypeError(f"functions[{name!r}] must be callable, not {type(function).__name__}")
        limits = limits if limits is not None else _DEFAULT_LIMITS
        entries = Console(console, limits.output_bytes)
        self._first_globals: dict[str, Any] = {**(globals or {}), **(functions or {})}
        self._closed = False
        self._driver = Driver(
            limits,
            Operations([entries, Timers(), Random(seed)]),
            entries,
            RealClock() if clock == "real" else VirtualClock(),
            self._runner,
            self._function_owner(),
            seed=seed,
            on_poll=_nothing,
            around_host_call=self._runner.around_host_call,
        )
        self._runner.attach(self._driver)

    def _function_owner(self) -> FunctionOwner:
        raise NotImplementedError

    @property
    def limits(self) -> Limits:
        """The budgets of this sandbox."""
        return self._driver.limits

    @property
    def usage(self) -> Usage:
        """What it has used so far; a snapshot."""
        return self._driver.usage()

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def _new_run(self, timeout: float | None = None, fuel: int | None = None) -> Run:
        if self._closed:
            raise SandboxClosed
        if timeout is not None and not _is_positive(timeout):
            raise ValueError(f"timeout must be a positive number of seconds or None, not {timeout!r}")
        if fuel is not None and (isinstance(fuel, bool) or not isinstance(fuel, int) or fuel < 1):
            raise ValueError(f"fuel must be a positive int or None, not {fuel!r}")
        return self._driver.new_run(timeout, fuel)

    def __repr__(self) -> str:
        state = "closed" if self._closed else self._driver.guest.state.value
        return f"<{type(self).__name__} {state}>"


class Sandbox(_Options):
    """A sandbox for untrusted JavaScript, for code that blocks.

    A guest runs on the calling thread. Any thread may use the sandbox, one at a time: others wait. Ctrl-C stops the guest.

        with Sandbox(functions={"add": lambda a, b: a + b}) as box:
            box.eval("add(1, 2)")  # 3
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the options of _Options, which documents them
        self._runner = self._blocking = BlockingRunner()
        super().__init__(**options)
        self._counted = _interrupts.install()
        try:
            for name, value in self._first_globals.items():
                self._access(Verb.SET, name, value)
        except BaseException:
            self.close()
            raise

    __init__.__doc__ = _Options.__init__.__doc__

    def _function_owner(self) -> FunctionOwner:
        return _BlockingFunctions(self)

    def eval(
        self, code: str, *, filename: str | None = None, timeout: float | None = None, fuel: int | None = None
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return its completion value.

        Top-level declarations persist from one call to the next. `await` may be used at the top level; a promise is
        waited for.

        Args:
            code: The source text.
            filename: What stacks call it; by default `<eval 1>`, `<eval 2>`, ...
            timeout: Wall time for this call in seconds, if less than the limit.
            fuel: Instructions for this call, in place of `Limits.fuel`.

        Returns:
            The value, converted; see the table of conversions.

        Raises:
            JSError: The guest threw, or a promise was rejected and nobody handled it (`UnhandledRejection`).
            Stalled: The guest waits for what can never happen.
            LimitExceeded: A limit was reached.
            ConversionError: The value cannot be converted.
            SandboxBusy: Called by a host function that this sandbox's guest called, or another thread runs too long.
            SandboxClosed: The sandbox is closed.
            SandboxPoisoned: An earlier crash left it unusable.
            BaseException: Whatever a host function raised that is no `Exception`.
        """
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        if self._blocking.is_nested():
            run = self._new_run(timeout, fuel)
            return self._nested(run, lambda: self._driver.guest.eval(run.id, code, filename or f"<eval {run.id}>"))
        run = self._new_run(timeout, fuel)
        return self._run(run, self._driver.eval(run, code, filename))

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
        target = function if isinstance(function, str) else self._driver.handle_of(function)
        run = self._new_run(timeout, fuel)
        if self._blocking.is_nested():
            return self._nested(run, lambda: self._driver.guest.call(run.id, target, this, args))
        return self._run(run, self._driver.call(run, target, this, args))

    @overload
    def function(self, function: _F, /) -> _F: ...
    @overload
    def function(self, /, *, name: str) -> Callable[[_F], _F]: ...
    def function(self, function: Any = None, /, *, name: str | None = None) -> Any:
        """Make a Python callable a global of the guest, under its own name or another; usable as a decorator.

        Args:
            function: The callable.
            name: The global's name.

        Returns:
            The callable, unchanged.
        """
        return _bind(function, name, lambda key, value: self._access(Verb.SET, key, value))

    @property
    def globals(self) -> Globals:
        """The properties of the guest's globalThis, live."""
        return Globals(self)

    def run_until_idle(self, *, timeout: float | None = None) -> None:
        """Run what is pending, timers and host calls, until nothing is.

        Raises:
            BaseException: As `eval`.
        """
        run = self._new_run(timeout)
        self._run(run, self._driver.run_until_idle(run))

    def tick(self, milliseconds: float) -> None:
        """Move the virtual clock forward; timers that come due run in order, each at its time.

        Raises:
            TypeError: The clock is not virtual.
            BaseException: As `eval`.
        """
        run = self._new_run()
        self._run(run, self._driver.tick(run, milliseconds))

    def close(self) -> None:
        """Free the guest; idempotent.

        Raises:
            SandboxBusy: The guest runs, on this thread or another.
        """
        if self._closed:
            return
        with self._blocking.alone():
            self._driver.close()
        self._closed = True
        if self._counted:
            _interrupts.uninstall()

    def __enter__(self) -> Self:
        if self._closed:
            raise SandboxClosed
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    def _run(self, run: Run, steps: Steps[Any]) -> Any:  # noqa: ANN401 - any value
        return self._blocking.run(run, steps)

    def _nested(self, run: Run, command: Command) -> Any:  # noqa: ANN401 - any value
        return self._blocking.run_nested(run, command)

    def _access(self, verb: Verb, key: str, value: object = None) -> Any:  # noqa: ANN401 - any value
        run = self._new_run()
        if self._blocking.is_nested():
            return self._nested(run, lambda: self._driver.guest.access(run.id, verb, 0, key, value))
        return self._run(run, self._driver.access(run, verb, key, value))


class Globals(MutableMapping[str, Any]):
    """The properties of a blocking sandbox's globalThis. Each use is one entry into the guest, under its limits.

    Iteration and length count the enumerable ones: what programs and embedders put there, not the built-ins.
    """

    def __init__(self, sandbox: Sandbox) -> None:
        """A view of one sandbox."""
        self._sandbox = sandbox

    def __getitem__(self, key: str) -> Any:  # noqa: ANN401 - any value
        value = self._sandbox._access(Verb.GET, key)  # noqa: SLF001 - a part of the same face
        if value is undefined and key not in self:
            raise KeyError(key)
        return value

    def __setitem__(self, key: str, value: Any) -> None:  # noqa: ANN401 - any value
        self._sandbox._access(Verb.SET, key, value)  # noqa: SLF001

    def __delitem__(self, key: str) -> None:
        if key not in self:
            raise KeyError(key)
        if not self._sandbox._access(Verb.DELETE, key):  # noqa: SLF001
            raise UsageError(f"the global {key!r} cannot be deleted")

    def __contains__(self, key: object) -> bool:
        return isinstance(key, str) and bool(self._sandbox._access(Verb.HAS, key))  # noqa: SLF001

    def __iter__(self) -> Iterator[str]:
        return iter(self._sandbox._access(Verb.KEYS, ""))  # noqa: SLF001

    def __len__(self) -> int:
        return len(self._sandbox._access(Verb.KEYS, ""))  # noqa: SLF001


class AsyncSandbox(_Options):
    """A sandbox for untrusted JavaScript, for asyncio and trio.

    Used inside `async with`, on one event loop. The guest runs on a worker thread, so the loop stays free; while it waits
    it holds no thread. Several tasks may use it: their guest code takes turns. Cancelling a task stops its guest code.
    Host functions that are `async def` run as tasks of the `async with` block; others run on the worker thread.

        async with AsyncSandbox(functions={"fetch_row": fetch_row}) as box:
            await box.eval("(await fetch_row(1)).name")
    """

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - the options of _Options, which documents them
        self._runner = self._asynchronous = AsyncRunner()
        super().__init__(**options)

    __init__.__doc__ = _Options.__init__.__doc__

    def _function_owner(self) -> FunctionOwner:
        return _AsyncFunctions(self)

    async def __aenter__(self) -> Self:
        if self._closed:
            raise SandboxClosed
        await self._asynchronous.enter()
        try:
            for name, value in self._first_globals.items():
                await self._access(Verb.SET, name, value)
        except BaseException as error:
            await self._asynchronous.exit(type(error), error, error.__traceback__)
            self._close()
            raise
        return self

    async def __aexit__(self, *exception: object) -> bool | None:
        try:
            return await self._asynchronous.exit(*exception)
        finally:
            self._close()

    async def eval(
        self, code: str, *, filename: str | None = None, timeout: float | None = None, fuel: int | None = None
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script and return its completion value; see `Sandbox.eval`. A cancel point."""
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        run = self._new_run(timeout, fuel)
        return await self._run(self._driver.eval(run, code, filename))

    async def call(
        self,
        function: str | JSFunction,
        *args: Any,  # noqa: ANN401 - any value
        this: Any = undefined,  # noqa: ANN401 - any value
        timeout: float | None = None,
        fuel: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Call a function of the guest; see `Sandbox.call`. A cancel point."""
        target = function if isinstance(function, str) else self._driver.handle_of(function)
        run = self._new_run(timeout, fuel)
        return await self._run(self._driver.call(run, target, this, args))

    async def set_function(self, function: _F, *, name: str | None = None) -> _F:
        """Make a Python callable a global of the guest; see `Sandbox.function`."""
        setters: list[tuple[str, Any]] = []
        _bind(function, name, lambda key, value: setters.append((key, value)))
        for key, value in setters:
            await self._access(Verb.SET, key, value)
        return function

    @property
    def globals(self) -> AsyncGlobals:
        """The properties of the guest's globalThis, live."""
        return AsyncGlobals(self)

    async def run_until_idle(self, *, timeout: float | None = None) -> None:
        """Run what is pending until nothing is; see `Sandbox.run_until_idle`. A cancel point."""
        run = self._new_run(timeout)
        await self._run(self._driver.run_until_idle(run))

    async def tick(self, milliseconds: float) -> None:
        """Move the virtual clock forward; see `Sandbox.tick`. A cancel point."""
        run = self._new_run()
        await self._run(self._driver.tick(run, milliseconds))

    async def aclose(self) -> None:
        """Free the guest before the `async with` block ends; idempotent.

        Raises:
            SandboxBusy: The guest runs.
        """
        self._close()

    def _close(self) -> None:
        if not self._closed:
            self._asynchronous.check_idle()
            self._driver.close()
            self._closed = True

    async def _run(self, steps: Steps[Any]) -> Any:  # noqa: ANN401 - any value
        return await self._asynchronous.run(steps)

    async def _access(self, verb: Verb, key: str, value: object = None) -> Any:  # noqa: ANN401 - any value
        run = self._new_run()
        return await self._run(self._driver.access(run, verb, key, value))

    def _new_run(self, timeout: float | None = None, fuel: int | None = None) -> Run:
        if not self._closed and not self._asynchronous.entered:
            raise UsageError("an AsyncSandbox is used inside `async with`")
        return super()._new_run(timeout, fuel)


class AsyncGlobals:
    """The properties of an asynchronous sandbox's globalThis. Every method is a cancel point."""

    def __init__(self, sandbox: AsyncSandbox) -> None:
        """A view of one sandbox."""
        self._sandbox = sandbox

    async def get(self, key: str) -> Any:  # noqa: ANN401 - any value
        """A global's value; `undefined` when there is none."""
        return await self._sandbox._access(Verb.GET, key)  # noqa: SLF001 - a part of the same face

    async def set(self, key: str, value: Any) -> None:  # noqa: ANN401 - any value
        """Set a global."""
        await self._sandbox._access(Verb.SET, key, value)  # noqa: SLF001

    async def delete(self, key: str) -> bool:
        """Delete a global; whether it is gone."""
        return bool(await self._sandbox._access(Verb.DELETE, key))  # noqa: SLF001

    async def has(self, key: str) -> bool:
        """Whether there is such a global."""
        return bool(await self._sandbox._access(Verb.HAS, key))  # noqa: SLF001

    async def keys(self) -> list[str]:
        """The names of the enumerable globals."""
        return list(await self._sandbox._access(Verb.KEYS, ""))  # noqa: SLF001


class _BlockingFunctions:
    """What a `JSFunction` of a blocking sandbox calls."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._sandbox = sandbox

    def call(self, handle: int, args: tuple[object, ...], this: object) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        run = sandbox._new_run()  # noqa: SLF001 - a part of the same face
        driver = sandbox._driver  # noqa: SLF001
        if sandbox._blocking.is_nested():  # noqa: SLF001
            return sandbox._nested(run, lambda: driver.guest.call(run.id, handle, this, args))  # noqa: SLF001
        return sandbox._run(run, driver.call(run, handle, this, args))  # noqa: SLF001

    def release(self, handle: int) -> None:
        self._sandbox._driver.release(handle)  # noqa: SLF001


class _AsyncFunctions:
    """What a `JSFunction` of an asynchronous sandbox calls."""

    def __init__(self, sandbox: AsyncSandbox) -> None:
        self._sandbox = sandbox

    async def call(self, handle: int, args: tuple[object, ...], this: object) -> Any:  # noqa: ANN401 - any value
        sandbox = self._sandbox
        run = sandbox._new_run()  # noqa: SLF001 - a part of the same face
        return await sandbox._run(sandbox._driver.call(run, handle, this, args))  # noqa: SLF001

    def release(self, handle: int) -> None:
        self._sandbox._driver.release(handle)  # noqa: SLF001


def _bind(function: Any, name: str | None, assign: Callable[[str, Any], object]) -> Any:  # noqa: ANN401 - a callable
    def bind(function: Any) -> Any:  # noqa: ANN401 - a callable
        key = name if name is not None else getattr(function, "__name__", "")
        if not callable(function):
            raise TypeError(f"a function must be callable, not {type(function).__name__}")
        if not key or key == "<lambda>":
            raise ValueError("a callable without a name of its own needs name=")
        assign(key, function)
        return function

    return bind if function is None else bind(function)


def _is_positive(number: object) -> bool:
    return isinstance(number, int | float) and not isinstance(number, bool) and 0 < number < math.inf


def _nothing() -> None:
    """A poll has nothing to do here: signals are looked at on the way, by Python itself."""


__all__ = ["AsyncGlobals", "AsyncSandbox", "Globals", "Sandbox", "SandboxBusy"]
