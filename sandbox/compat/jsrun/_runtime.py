"""`Runtime`: programs with their functions, modules and limits."""

from __future__ import annotations

import inspect
import sys
import time
from collections import Counter
from collections.abc import AsyncIterable, Awaitable, Callable
from typing import TYPE_CHECKING, Any, Final, NoReturn, Self

from sandbox import JSAsyncIterator, JSError, Limits, Snapshot
from sandbox.compat._live import Held, Live
from sandbox.compat._waiting import in_thread, on_loop, running_loop, task_of
from sandbox.compat.jsrun._config import InspectorEndpoints, RuntimeConfig, seconds_of
from sandbox.compat.jsrun._errors import EvaluationTimeout, RuntimeTerminated, closed, translated
from sandbox.compat.jsrun._modules import Modules
from sandbox.compat.jsrun._stats import RuntimeStats, stats_of
from sandbox.compat.jsrun._values import JsFunction, PyStreamSource, Steps, shown, taken
from sandbox.errors import (
    JSSyntaxError,
    MemoryLimitExceeded,
    RunInterrupted,
    SandboxBusy,
    SandboxClosed,
    SandboxError,
    SnapshotError,
)

if TYPE_CHECKING:
    import asyncio

    from sandbox.capabilities import ConsoleEntry

_MEMORY_BYTES: Final = 1 << 30
_MOST_DEPTH: Final = 500
_EVALUATION: Final = "Evaluation failed"
_MODULE: Final = "Module evaluation failed"
_CALL: Final = "Function call failed"
_SPAWN: Final = "Failed to spawn runtime"


class Runtime:
    """A runtime of its own, to be closed by `close` or a `with` block. Any thread may use it."""

    def __init__(self, config: RuntimeConfig | None = None) -> None:
        """Make a runtime.

        Args:
            config: Its options.

        Raises:
            JavaScriptError: The bootstrap script threw.
            RuntimeError: An option has no such value, or the snapshot is none.
            NotImplementedError: It is to have V8's inspector.
        """
        config = RuntimeConfig() if config is None else config
        if config.inspector is not None:
            raise NotImplementedError("inspector: only V8 has it; sandbox.compat.jsrun runs QuickJS")
        if config.initial_heap_size is not None and config.max_heap_size is None:
            raise RuntimeError(f"{_SPAWN}: initial_heap_size requires max_heap_size to be set as well")
        if config.initial_heap_size is not None and config.initial_heap_size > (config.max_heap_size or 0):
            raise RuntimeError(f"{_SPAWN}: initial_heap_size must not exceed max_heap_size")
        self._seconds = config.timeout
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_terminated = ""
        self._is_blocking = False  # whether a module is waited for on the loop's own thread
        self._counts: Counter[str] = Counter()
        self._last: tuple[str | None, float] = (None, 0.0)
        self._handlers: list[Callable[..., Any]] = []
        self._modules = Modules(self._on_loop)
        self._live = self._make(config)
        if config.max_heap_size is not None:
            self._live.box.limit_heap(self._live.box.usage.heap_bytes + config.max_heap_size)
        if config.bootstrap is not None:
            bootstrap = config.bootstrap
            self._use(_SPAWN, "", lambda seconds: self._live.eval(bootstrap, filename="<bootstrap>", timeout=seconds))

    def _make(self, config: RuntimeConfig) -> Live:
        limits = Limits(
            memory_bytes=_MEMORY_BYTES,
            cpu_seconds=None,
            wall_seconds=None,
            max_depth=min(config.max_serialization_depth, _MOST_DEPTH),
            message_bytes=config.max_serialization_bytes,
            metering="clock",
        )
        try:
            snapshot = None if config.snapshot is None else Snapshot.from_bytes(config.snapshot)
        except SnapshotError as error:
            raise RuntimeError(f"{_SPAWN}: the snapshot is none of sandbox.compat.jsrun: {error}") from error
        console = _print if config.enable_console else None
        return Live(
            {"limits": limits, "modules": self._modules, "console": console},
            lambda held: held,
            taken,
            snapshot=snapshot,
        )

    # --- programs ---

    def eval(self, code: str) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script; its completion value. A promise is given as a `JSPromise`, and not waited for.

        Raises:
            JavaScriptError: It threw.
            RuntimeError: It took too long, or its value cannot cross.
            RuntimeTerminated: The runtime was terminated, or has reached its heap limit.
        """
        return self._use(
            _EVALUATION,
            "eval_sync",
            lambda seconds: self._copy(self._live.eval(code, filename="<eval>", timeout=seconds)),
        )

    def eval_async(self, code: str, /, *, timeout: object = None) -> asyncio.Future[Any]:
        """Evaluate a script and wait for the promise that is its value. Cancelling the future stops it.

        Args:
            code: The program.
            timeout: How long it may take, in seconds, or as a timedelta.

        Raises:
            ValueError: The timeout is none.
            RuntimeError: No event loop runs; as `eval`.
        """
        return self._later(
            _EVALUATION,
            "eval_async",
            lambda seconds: self._settled(
                lambda left: self._live.eval(code, filename="<eval_async>", timeout=left), seconds
            ),
            timeout,
        )

    def eval_module(self, specifier: str, /) -> dict[str, Any]:
        """Evaluate a module; its exports, sorted by name.

        Raises:
            RuntimeError: It cannot be found or linked; as `eval`.
        """
        self._is_blocking = running_loop() is not None
        try:
            exports: dict[str, Any] = self._use(
                _MODULE, "eval_module_sync", lambda seconds: self._exports(specifier, seconds)
            )
            return exports
        finally:
            self._is_blocking = False

    def eval_module_async(self, specifier: str, /, *, timeout: object = None) -> asyncio.Future[dict[str, Any]]:
        """The same, to be awaited."""
        return self._later(_MODULE, "eval_module_async", lambda seconds: self._exports(specifier, seconds), timeout)

    # --- functions ---

    def bind_function(self, name: str, handler: Callable[..., Any]) -> None:
        """Make a function a global one. An `async def` gives the program a promise.

        Raises:
            TypeError: It cannot be called.
        """
        if not callable(handler):
            raise TypeError("handler must be callable")
        self._use(_EVALUATION, "", lambda _: self._live.box.globals.__setitem__(name, self._host(handler)))

    def bind(self, handler: Any = None, /, *, name: str | None = None) -> Any:  # noqa: ANN401 - a decorator too
        """The same, also as a decorator; the name is that of the function.

        Raises:
            TypeError: It cannot be called.
            ValueError: It has no name.
        """

        def bound(handler: Any) -> Any:  # noqa: ANN401 - a callable
            if not callable(handler):
                raise TypeError("runtime.bind expects a callable or to be used as a decorator")
            key = name or getattr(handler, "__name__", None)
            if not key:
                raise ValueError("a function without a name needs name=")
            self.bind_function(key, handler)
            return handler

        return bound if handler is None else bound(handler)

    def bind_object(self, name: str, obj: dict[str, Any]) -> None:
        """Make a global object of values and functions; one that is there gets them in addition.

        Raises:
            RuntimeError: It is no dict.
            TypeError: A key is no text.
        """
        if not isinstance(obj, dict):
            raise RuntimeError("bind_object expects a dict with string keys")  # noqa: TRY004 - as there
        for key in obj:
            if not isinstance(key, str):
                raise TypeError(f"'{type(key).__name__}' object cannot be cast as 'str'")
        self._use(_EVALUATION, "", lambda _: self._define(name, obj))

    def register_op(self, name: str, handler: Callable[..., Any], /, *, mode: str = "sync") -> int:
        """Number a function, for `__host_op_sync__(id, ...)` or `__host_op_async__(id, ...)`.

        Raises:
            RuntimeError: The mode is none, or not that of the function.
        """
        if mode not in ("sync", "async"):
            raise RuntimeError(f"Invalid mode '{mode}', expected 'sync' or 'async'")
        kind = "async" if _is_async(handler) else "sync"
        if kind != mode:
            raise RuntimeError(f"Handler is {kind} but mode='{mode}'; use mode='{kind}'")
        if not self._handlers:
            self._use(_EVALUATION, "", lambda _: self._open_ops())
        self._handlers.append(self._host(handler))
        return len(self._handlers) - 1

    # --- modules and streams ---

    def set_module_resolver(self, resolver: Callable[[str, str], str | None]) -> None:
        """Say which URL a specifier and its referrer name; None: it is a static module."""
        self._check()
        self._modules.resolver = resolver

    def set_module_loader(self, loader: Callable[[str], str | Awaitable[str]]) -> None:
        """Say what the source behind a URL is; may be an `async def`."""
        self._check()
        self._modules.loader = loader

    def add_static_module(self, name: str, source: str) -> None:
        """Give the source of a module by its name."""
        self._check()
        self._modules.static[name] = source

    def stream_from_async_iterable(self, iterable: AsyncIterable[Any], /) -> PyStreamSource:
        """What becomes a `ReadableStream` wherever it is given to the program.

        Raises:
            RuntimeError: No event loop runs.
        """
        loop = _needed_loop()

        def on_this_loop(step: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
            return on_loop(step, lambda: loop)

        async def given() -> Any:  # noqa: ANN401 - an async generator
            async for each in Steps(iterable, on_this_loop):
                yield taken(each)

        self._counts["py_streams"] += 1
        held = self._use(_EVALUATION, "", lambda _: self._live.stream(given()))
        steps = self._use(_EVALUATION, "", lambda _: self._live.converted(held))
        assert isinstance(steps, JSAsyncIterator)
        return PyStreamSource(steps)

    # --- its life ---

    def get_stats(self) -> RuntimeStats:
        """What it has done so far."""
        self._check()
        return stats_of(self._live.box.usage, self._counts, self._last)

    def inspector_endpoints(self) -> InspectorEndpoints | None:
        """None: there is no inspector."""
        self._check()
        return None

    def terminate(self) -> None:
        """End what runs, and refuse everything from now on; idempotent, from any thread."""
        self._is_terminated = self._is_terminated or "Terminated by host request"
        self._live.box.interrupt()
        self._free()

    def close(self) -> None:
        """Free it; idempotent."""
        self._live.box.close()

    def is_closed(self) -> bool:
        """Whether it was closed or terminated."""
        return self._live.box.closed or bool(self._is_terminated)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # --- for snapshots and functions ---

    def execute_script(self, name: str, source: str) -> None:
        """Run a script for what it leaves; see `SnapshotBuilder`."""
        self._use(_EVALUATION, "", lambda seconds: self._live.eval(source, filename=name, timeout=seconds))

    def snapshot_bytes(self) -> bytes:
        """What `SnapshotBuilder.build` gives."""
        return self._live.snapshot().to_bytes()

    def call_function(self, function: JsFunction, args: tuple[Any, ...], timeout: object) -> Any:  # noqa: ANN401 - any value
        """Call a function of the program; see `JsFunction`."""
        return self._use(
            _CALL, "call_function_sync", lambda seconds: self._called(function, args, seconds), seconds_of(timeout)
        )

    def call_function_later(self, function: JsFunction, args: tuple[Any, ...], timeout: object) -> Awaitable[Any]:
        """The same on a worker thread; see `JsFunction`."""

        def work(seconds: float | None) -> Any:  # noqa: ANN401 - any value
            return self._settled(lambda left: self._call(function, args, left), seconds)

        return self._later(_CALL, "call_function_async", work, timeout)

    def future(self, work: Awaitable[Any]) -> asyncio.Future[Any]:
        """A future of the running loop.

        Raises:
            RuntimeError: No event loop runs.
        """
        return task_of(_needed_loop(), work)

    # --- how it is done ---

    def _call(self, function: JsFunction, args: tuple[Any, ...], seconds: float | None) -> Any:  # noqa: ANN401 - any value
        if function.is_closed:
            raise RuntimeError("Function has been closed")
        owner = function.owner
        for key in function.path[:-1]:
            owner = self._live.get(owner, key) if owner is not None else None
        return self._live.call(self._live.hold(function.js), args, this=owner, timeout=seconds)

    def _called(self, function: JsFunction, args: tuple[Any, ...], seconds: float | None) -> Any:  # noqa: ANN401 - any value
        result = self._call(function, args, seconds)
        if not isinstance(result, Held) or result.kind != "promise":
            return self._copy(result)
        state = self._live.state(result)
        if state is not None:
            return self._value(*state)
        return self._later(
            _CALL, "", lambda left: self._value(*self._live.settled(result, left)), None if seconds is None else seconds
        )

    def _settled(self, begin: Callable[[float | None], Any], seconds: float | None) -> Any:  # noqa: ANN401 - any value
        until = None if seconds is None else time.monotonic() + seconds
        result = begin(seconds)
        if not isinstance(result, Held) or result.kind not in ("promise", "object", "function"):
            return self._copy(result)
        left = None if until is None else max(until - time.monotonic(), 1e-3)
        return self._value(*self._live.settled(result, left))

    def _value(self, fulfilled: bool, value: Any) -> Any:  # noqa: ANN401 - as it is told
        if fulfilled:
            return self._copy(value)
        if isinstance(value, Held):
            self._live.rethrow(value)
        raise translated(JSError.from_thrown(value), _EVALUATION)

    def _copy(self, value: Any) -> Any:  # noqa: ANN401 - any value
        if not isinstance(value, Held):
            return shown(value, self)
        return shown(self._live.converted(value), self, value)

    def _exports(self, specifier: str, seconds: float | None) -> dict[str, Any]:
        exports = self._live.box.import_module(specifier, timeout=seconds)
        return {name: shown(exports[name], self) for name in sorted(exports)}

    def _define(self, name: str, values: dict[str, Any]) -> None:
        world = self._live.world()
        try:
            there = self._live.get(world, name)
        except KeyError:
            there = None
        if not isinstance(there, Held):
            there = self._live.parse("{}")
            self._live.set(world, name, there)
        for key, value in values.items():
            self._live.set(there, key, self._host(value) if callable(value) and not _is_value(value) else value)

    def _open_ops(self) -> None:
        def call(number: int, *args: Any) -> Any:  # noqa: ANN401 - any value
            return self._handlers[number](*args)

        async def call_later(number: int, *args: Any) -> Any:  # noqa: ANN401 - any value
            return await self._handlers[number](*args)

        self._live.box.globals["__host_op_sync__"] = call
        self._live.box.globals["__host_op_async__"] = call_later

    def _host(self, handler: Callable[..., Any]) -> Callable[..., Any]:
        """A function as the guest calls it: its values are converted, and its failures are TypeErrors."""
        if not _is_async(handler):

            def called(*args: Any) -> Any:  # noqa: ANN401 - any value
                try:
                    return taken(handler(*[shown(arg, self) for arg in args]))
                except Exception as error:
                    raise TypeError(f"{type(error).__name__}: {error}") from error

            return called
        there = self._on_loop(handler)

        async def awaited(*args: Any) -> Any:  # noqa: ANN401 - any value
            try:
                return taken(await there(*[shown(arg, self) for arg in args]))
            except Exception as error:
                raise TypeError(f"Python coroutine failed: {type(error).__name__}: {error}") from error

        return awaited

    def _on_loop(self, handler: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        return on_loop(handler, self._free_loop)

    def _free_loop(self) -> asyncio.AbstractEventLoop | None:
        if self._is_blocking:
            raise RuntimeError(
                "An async function cannot be used with a synchronous evaluation (eval_module) on the thread of its "
                "event loop. Use eval_module_async() instead."
            )
        return self._loop

    def _check(self) -> None:
        if self._is_terminated:
            raise RuntimeTerminated(f"{_EVALUATION}: {self._is_terminated}")
        if self._live.box.closed:
            raise closed()

    def _use(self, prefix: str, kind: str, work: Callable[[float | None], Any], seconds: float | None = None) -> Any:  # noqa: ANN401 - any value
        self._check()
        self._loop = running_loop() or self._loop
        return self._run(prefix, kind, work, seconds or self._seconds)

    def _later(
        self, prefix: str, kind: str, work: Callable[[float | None], Any], timeout: object
    ) -> asyncio.Future[Any]:
        seconds = seconds_of(timeout) or self._seconds
        loop = _needed_loop()
        self._check()
        self._loop = loop
        return task_of(loop, in_thread(self._live.box, lambda: self._run(prefix, kind, work, seconds)))

    def _run(self, prefix: str, kind: str, work: Callable[[float | None], Any], seconds: float | None) -> Any:  # noqa: ANN401 - any value
        begun = time.monotonic()
        try:
            return work(seconds)
        except JSError as error:
            if prefix == _MODULE and (isinstance(error, JSSyntaxError) or not error.stack):
                raise RuntimeError(f"{prefix}: {error}") from (error.__cause__ or error)
            raise translated(error, prefix) from (error.__cause__ or error)
        except SandboxError as error:
            self._fail(prefix, error, seconds)
        except RecursionError:
            raise RuntimeError(f"{prefix}: Circular reference detected while converting a Python value") from None
        finally:
            if kind:
                self._counts[kind] += 1
                self._last = kind, time.monotonic() - begun

    def _fail(self, prefix: str, error: SandboxError, seconds: float | None) -> NoReturn:
        if self._is_terminated and isinstance(error, RunInterrupted | SandboxClosed):
            raise RuntimeTerminated(f"{prefix}: {self._is_terminated}") from error
        if isinstance(error, SandboxClosed):
            raise closed() from error
        if isinstance(error, MemoryLimitExceeded):
            self._is_terminated = "Heap limit exceeded"
            self._free()
            raise RuntimeTerminated(f"{prefix}: {self._is_terminated}") from error
        if isinstance(error, TimeoutError):
            raise EvaluationTimeout(f"{prefix}: timed out after {round((seconds or 0) * 1000)}ms") from error
        raise RuntimeError(f"{prefix}: {error}") from error

    def _free(self) -> None:
        try:
            self._live.box.close()
        except SandboxBusy:  # what runs was interrupted, and is collected when it is over
            return


def _is_async(handler: Any) -> bool:  # noqa: ANN401 - a callable
    return inspect.iscoroutinefunction(handler) or inspect.iscoroutinefunction(type(handler).__call__)


def _is_value(value: object) -> bool:
    return isinstance(value, JsFunction)


def _needed_loop() -> asyncio.AbstractEventLoop:
    loop = running_loop()
    if loop is None:
        raise RuntimeError("no running event loop")
    return loop


def _print(entry: ConsoleEntry) -> None:
    print(entry, file=sys.stderr if entry.level in ("warn", "error") else sys.stdout)
