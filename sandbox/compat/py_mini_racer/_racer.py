"""`MiniRacer`: a context for programs."""

from __future__ import annotations

import json
import threading
from collections.abc import AsyncGenerator, Callable, Generator, Iterable
from contextlib import asynccontextmanager, contextmanager
from datetime import UTC, datetime
from typing import Any, ClassVar, Final, NoReturn, Self

from sandbox import Limits, undefined
from sandbox.compat._live import Held, Live
from sandbox.compat._waiting import in_thread, on_loop, running_loop
from sandbox.compat.py_mini_racer._errors import (
    JSConversionException,
    JSEvalException,
    JSOOMException,
    JSValueError,
    LibAlreadyInitializedError,
    WrongReturnTypeException,
    translated,
)
from sandbox.compat.py_mini_racer._objects import (
    KINDS,
    JSFunction,
    JSObject,
    JSUndefined,
    JSUndefinedType,
    PyJsFunctionType,
)
from sandbox.errors import SandboxError

DEFAULT_V8_FLAGS: Final = ("--single-threaded",)
_MEMORY_BYTES: Final = 1 << 30
_FILENAME: Final = "<anonymous>"
_SAFE: Final = 1 << 53


class MiniRacer:
    """A context of its own, to be closed by `close` or by a `with` block.

    Attributes:
        json_impl: The module that `execute` and `call` use for JSON.
    """

    json_impl: ClassVar[Any] = json

    def __init__(self, context: None = None) -> None:
        """Make a context.

        Args:
            context: None.

        Raises:
            NotImplementedError: It is a context of V8.
        """
        if context is not None:
            _need_v8("a context of V8")
        limits = Limits(memory_bytes=_MEMORY_BYTES, cpu_seconds=None, wall_seconds=None, metering="clock")
        self._live = Live({"limits": limits}, self._shown, self._taken, JSUndefined)
        self._first_heap_bytes = self._live.box.usage.heap_bytes
        self._hard_bytes: int | None = None
        self._soft_bytes: int | None = None
        self._was_hard = self._was_soft = False

    def close(self, *_exception: object) -> None:
        """Free it; idempotent."""
        self._live.box.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.close()

    # --- programs ---

    def eval(
        self,
        code: str,
        timeout: float | None = None,
        timeout_sec: float | None = None,
        max_memory: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script.

        Args:
            code: The program.
            timeout: How long it may take, in milliseconds.
            timeout_sec: The same in seconds.
            max_memory: See `set_hard_memory_limit`.

        Returns:
            Its completion value: a plain value, a datetime, a memoryview (a copy), or a `JSObject`.

        Raises:
            JSParseException: It is no JavaScript.
            JSTimeoutException: It took too long.
            JSOOMException: It needs more memory.
            JSEvalException: It threw.
        """
        seconds = _seconds(timeout, timeout_sec)
        if max_memory is not None:
            self.set_hard_memory_limit(max_memory)
        return self.use(lambda live: live.eval(_checked(code), filename=_FILENAME, timeout=seconds))

    async def eval_cancelable(self, code: str) -> Any:  # noqa: ANN401 - any value
        """As `eval`, on a worker thread. A cancel point, which stops the program."""
        return await self.use_later(lambda live: live.eval(_checked(code), filename=_FILENAME))

    def execute(
        self,
        expr: str,
        timeout: float | None = None,
        timeout_sec: float | None = None,
        max_memory: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Evaluate an expression; its value crosses as JSON.

        Raises:
            WrongReturnTypeException: It has no JSON.
            JSEvalException: As for `eval`.
        """
        code = f"JSON.stringify((function(){{return ({expr})}})())"
        text = self.eval(code, timeout=timeout, timeout_sec=timeout_sec, max_memory=max_memory)
        if not isinstance(text, str):
            raise WrongReturnTypeException(f"Unexpected return value type {type(text)}")
        return self.json_impl.loads(text)

    def call(
        self,
        expr: str,
        *args: object,
        encoder: type[json.JSONEncoder] | None = None,
        timeout: float | None = None,
        timeout_sec: float | None = None,
        max_memory: int | None = None,
    ) -> Any:  # noqa: ANN401 - any value
        """Call the function that an expression gives; arguments and result cross as JSON.

        Args:
            expr: The expression.
            *args: The arguments.
            encoder: What makes JSON of arguments that have none.
            timeout: As for `eval`.
            timeout_sec: As for `eval`.
            max_memory: As for `eval`.

        Raises:
            TypeError: An argument has no JSON.
            WrongReturnTypeException: The result has none.
            JSEvalException: As for `eval`.
        """
        given = self.json_impl.dumps(args, separators=(",", ":"), cls=encoder)
        code = f"{expr}.apply(this, {given})"
        return self.execute(code, timeout=timeout, timeout_sec=timeout_sec, max_memory=max_memory)

    @asynccontextmanager
    async def wrap_py_function(self, func: PyJsFunctionType) -> AsyncGenerator[JSFunction, None]:
        """A function of the guest that calls an `async def`, on this event loop, for as long as the block lasts."""
        loop = running_loop()
        is_over = threading.Event()
        on_this_loop = on_loop(func, lambda: loop)

        async def host(*args: Any) -> Any:  # noqa: ANN401 - any value
            if is_over.is_set():
                raise RuntimeError("the block of wrap_py_function is over")
            return await on_this_loop(*args)

        try:
            yield self.use(lambda live: live.wrap_later(getattr(func, "__name__", ""), host))
        finally:
            is_over.set()

    # --- memory ---

    def set_hard_memory_limit(self, limit: int) -> None:
        """How many bytes the program's objects may take; 0: up to a gibibyte. Where more is needed, a run fails."""
        self._hard_bytes = limit or None
        self._live.box.limit_heap(self._first_heap_bytes + limit if limit else None)

    def set_soft_memory_limit(self, limit: int) -> None:
        """From how many bytes on `was_soft_memory_limit_reached` is true; nothing fails."""
        self._soft_bytes = limit or None

    def was_hard_memory_limit_reached(self) -> bool:
        """Whether a run failed for want of memory."""
        return self._was_hard

    def was_soft_memory_limit_reached(self) -> bool:
        """Whether there were more bytes than the soft limit after a run."""
        return self._was_soft

    def low_memory_notification(self) -> None:
        """Nothing: the engine frees what nobody refers to at once."""

    def heap_stats(self) -> dict[str, int]:
        """Bytes of memory, by V8's names."""
        usage = self._live.box.usage
        return {
            "total_physical_size": usage.memory_bytes,
            "total_heap_size_executable": 0,
            "total_heap_size": usage.memory_bytes,
            "used_heap_size": usage.heap_bytes,
            "heap_size_limit": self._live.box.limits.memory_bytes if self._hard_bytes is None else self._hard_bytes,
        }

    def heap_snapshot(self) -> NoReturn:
        """V8 alone has it.

        Raises:
            NotImplementedError: Always.
        """
        _need_v8("heap_snapshot")

    @property
    def v8_version(self) -> str:
        """V8 alone has it.

        Raises:
            NotImplementedError: Always.
        """
        _need_v8("v8_version")

    # --- for its objects ---

    def use(self, work: Callable[[Live], Any]) -> Any:  # noqa: ANN401 - any value
        """Do something in the guest; for the objects of this context.

        Raises:
            MiniRacerBaseException: It failed.
        """
        try:
            return work(self._live)
        except SandboxError as error:
            failure = translated(error)
            self._was_hard = self._was_hard or isinstance(failure, JSOOMException)
            raise failure from (error.__cause__ or error)
        finally:
            used = self._live.box.usage.heap_bytes - self._first_heap_bytes
            self._was_soft = self._was_soft or (self._soft_bytes is not None and used > self._soft_bytes)

    async def use_later(self, work: Callable[[Live], Any]) -> Any:  # noqa: ANN401 - any value
        """The same on a worker thread. A cancel point, which stops the guest.

        Raises:
            MiniRacerBaseException: It failed.
        """
        return await in_thread(self._live.box, lambda: self.use(work))

    def _shown(self, held: Held) -> Any:  # noqa: ANN401 - any value
        if held.kind == "date":
            return self._live.converted(held)
        if held.kind == "buffer":
            return memoryview(bytearray(self._live.converted(held)))
        return KINDS.get(held.kind, KINDS["object"])(self, held)

    def _taken(self, value: Any) -> Any:  # noqa: ANN401 - any value
        if isinstance(value, JSObject):
            if value._racer is not self:
                raise JSValueError("Bad handle: new_val")
            return value._held
        if isinstance(value, JSUndefinedType):
            return undefined
        if isinstance(value, datetime):
            return value.astimezone(UTC)  # one without a time zone is local time
        if value is None or isinstance(value, bool | str | float):
            return value
        if isinstance(value, int):
            return value if -_SAFE < value < _SAFE else float(value)
        raise JSConversionException(f"a {type(value).__name__} has no form in JavaScript here")


class StrictMiniRacer(MiniRacer):
    """The same: objects of the guest are let go by themselves."""


@contextmanager
def mini_racer(event_loop: object = None) -> Generator[MiniRacer, None, None]:
    """A `MiniRacer` for a block.

    Args:
        event_loop: Means nothing: any event loop may use it.
    """
    with MiniRacer() as racer:
        yield racer


_is_initialized = False


def init_mini_racer(*, flags: Iterable[str] = DEFAULT_V8_FLAGS, ignore_duplicate_init: bool = False) -> None:
    """Nothing: there is no library to initialize.

    Raises:
        LibAlreadyInitializedError: It was called before.
        NotImplementedError: There are flags of V8.
    """
    global _is_initialized
    if tuple(flags) != DEFAULT_V8_FLAGS:
        _need_v8("flags")
    if _is_initialized and not ignore_duplicate_init:
        raise LibAlreadyInitializedError
    _is_initialized = True


def _need_v8(what: str) -> NoReturn:
    raise NotImplementedError(f"{what}: only V8 has it; sandbox.compat.py_mini_racer runs QuickJS")


def _checked(code: object) -> str:
    if not isinstance(code, str):
        raise JSEvalException("code is not a string")
    return code


def _seconds(timeout: float | None, timeout_sec: float | None) -> float | None:
    """What the two ways to say it come to; 0: none."""
    if timeout is not None:
        return timeout / 1000 or None
    return timeout_sec or None
