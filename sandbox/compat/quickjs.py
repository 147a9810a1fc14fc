"""The interface of the package `quickjs` (1.19) over a `Sandbox`; see `sandbox.compat`.

Any thread may use a `Context`. There are no limits of time before they are set, as there; memory is bounded by a
gibibyte.
"""

from __future__ import annotations

import json
import weakref
from collections.abc import Callable
from typing import Any, Final, NoReturn

from sandbox import JSError, Limits, Sandbox, undefined
from sandbox.compat._live import Held, Live, stack_of
from sandbox.errors import CpuLimitExceeded, LimitExceeded, MemoryLimitExceeded, SandboxError, WallLimitExceeded
from sandbox.limits import MIN_STACK_BYTES

__all__ = ["Context", "Function", "JSException", "Object", "StackOverflow", "test"]

_MEMORY_BYTES: Final = 1 << 30
_STACK_BYTES: Final = 1 << 20
_FILENAME: Final = "<input>"
_SAFE: Final = 1 << 53
_NO_OBJECTS: Final = "Unsupported type when converting a Python object to quickjs: {}."
# What this engine says where that one says "stack overflow".
_OVERFLOW: Final = ("Maximum call stack size exceeded", "stack overflow")


class JSException(Exception):
    """A program failed: what it threw and its stack, or the limit that it reached."""


class StackOverflow(JSException):
    """A program recursed too deeply."""


class Object:
    """An object of a context, which stays there: a function can be called, anything else told as JSON."""

    __slots__ = ("__weakref__", "_context", "_held")

    _context: Context | None
    _held: Held

    def __init__(self) -> None:
        self._context = None

    def __call__(self, *args: Any, **_ignored: Any) -> Any:  # noqa: ANN401 - any value
        """Call it, with `globalThis` as `this`.

        Args:
            *args: None, booleans, numbers, texts, and objects of the same context.

        Raises:
            JSException: It is no function, it threw, or a limit was reached.
            TypeError: An argument has another type.
            ValueError: An argument is an object of another context.
        """
        context, held = self._place()
        return context._run(lambda live: live.call(held, args, timeout=context._seconds))

    def json(self) -> str | None:
        """Its JSON; None for what has none, as a function.

        Raises:
            JSException: It cannot be told as JSON, as what refers to itself.
        """
        context, held = self._place()
        text: str | None = context._run(lambda live: live.json(held))
        return text

    def _place(self) -> tuple[Context, Held]:
        if self._context is None:
            raise TypeError("this Object belongs to no Context: eval and get make objects")
        return self._context, self._held


class Context:
    """A context of its own: global variables, and limits."""

    def __init__(self, *_ignored: object) -> None:
        self._live: Live | None = None
        self._seconds: float | None = None
        self._heap_bytes: int | None = None
        self._stack_bytes: int | None = None
        self._first_heap_bytes = 0

    # --- programs ---

    def eval(self, code: str, /) -> Any:  # noqa: ANN401 - any value
        """Evaluate a script; its completion value: None, a bool, a number, a text, or an `Object`.

        Raises:
            JSException: It threw, or a limit was reached.
            TypeError: The code is no text.
        """
        _check_text(code)
        return self._run(lambda live: live.eval(code, filename=_FILENAME, timeout=self._seconds))

    def module(self, code: str, /) -> None:
        """Evaluate a text as a module, which can import nothing.

        Raises:
            JSException: As for `eval`.
            TypeError: As for `eval`.
        """
        _check_text(code)
        self._run(lambda live: live.box.module(code, filename=_FILENAME, timeout=self._seconds))

    def execute_pending_job(self) -> bool:
        """Whether there was a job to run: never, for each call runs those it leaves before it returns."""
        return False

    def parse_json(self, text: str, /) -> Any:  # noqa: ANN401 - any value
        """What `JSON.parse` makes of a text.

        Raises:
            JSException: It is no JSON.
            TypeError: It is no text.
        """
        _check_text(text)
        return self._run(lambda live: live.parse(text))

    # --- globals ---

    def get(self, name: str, /) -> Any:  # noqa: ANN401 - any value
        """The value of a property of the global object; None where there is none.

        Raises:
            JSException: Its getter threw.
            TypeError: The name is no text.
        """
        _check_text(name)
        world = self.globalThis._held
        try:
            return self._run(lambda live: live.get(world, name))
        except KeyError:
            return None

    def set(self, name: str, value: Any, /) -> None:  # noqa: ANN401 - any value
        """Set a property of the global object.

        Raises:
            JSException: Its setter threw.
            TypeError: The name is no text, or the value is nothing that `Object` takes as an argument.
        """
        _check_text(name)
        world = self.globalThis._held
        self._run(lambda live: live.set(world, name, value))

    @property
    def globalThis(self) -> Object:
        """The global object."""
        world: Object = self._run(lambda live: live.world())
        return world

    def add_callable(self, name: str, function: Callable[..., Any], /) -> None:
        """Make a Python function a global one.

        It gets what `eval` would give, and may return what `Object` takes as an argument. What it raises is an Error
        of the program, and the `__cause__` of the `JSException` when the program does not catch it.

        Raises:
            TypeError: The name is no text, or the function cannot be called.
        """
        _check_text(name)
        if not callable(function):
            raise TypeError("Argument must be callable.")
        self.set(name, self._run(lambda live: live.wrap(name, function)))

    # --- limits ---

    def set_time_limit(self, seconds: float, /) -> None:
        """How long each call may take, from now on; negative: any time.

        Raises:
            TypeError: It is no number.
        """
        if not isinstance(seconds, int | float):
            raise TypeError(f"must be real number, not {type(seconds).__name__}")
        self._seconds = None if seconds < 0 else max(float(seconds), 1e-6)

    def set_memory_limit(self, limit: int, /) -> None:
        """How many bytes the program's objects may take, from now on; negative: up to a gibibyte.

        Raises:
            TypeError: It is no int.
        """
        _check_int(limit)
        self._heap_bytes = None if limit < 0 else limit
        if self._live is not None:
            self._limit_heap(self._live.box)

    def set_max_stack_size(self, limit: int, /) -> None:
        """How many bytes of stack the program may use; 0, or more than the engine has: all there are (1.4 MiB).

        That is also what there is before it is set. Once something was evaluated the stack stays as large as it is.

        Raises:
            TypeError: It is no int.
            NotImplementedError: It is more than was set before something was evaluated.
        """
        _check_int(limit)
        wanted = None if limit <= 0 or limit >= _STACK_BYTES else max(limit, MIN_STACK_BYTES)
        if self._live is None:
            self._stack_bytes = wanted
        elif (wanted or _STACK_BYTES) > (self._stack_bytes or _STACK_BYTES):
            raise NotImplementedError("the stack can be made larger before something is evaluated, not later")

    def memory(self) -> dict[str, int]:
        """What the program takes of memory: of that package's keys, those that this engine counts.

        Returns:
            `malloc_size` and `memory_used_size`, in bytes, and `malloc_limit`, -1 where none was set.
        """
        used = self._run(lambda live: live.box.usage.heap_bytes) - self._first_heap_bytes
        limit = -1 if self._heap_bytes is None else self._heap_bytes
        return _Counts(malloc_size=max(used, 0), malloc_limit=limit, memory_used_size=max(used, 0))

    def gc(self) -> None:
        """Nothing: the engine frees what nobody refers to at once, and looks for cycles by itself."""

    # --- the sandbox below ---

    def _run(self, use: Callable[[Live], Any]) -> Any:  # noqa: ANN401 - any value
        if self._live is None:
            self._live = self._make()
        try:
            return use(self._live)
        except JSError as error:
            _raise(error)
        except (CpuLimitExceeded, WallLimitExceeded) as error:
            raise JSException("InternalError: interrupted\n") from error
        except MemoryLimitExceeded as error:
            raise JSException("InternalError: out of memory\n") from error
        except LimitExceeded as error:
            raise StackOverflow("InternalError: stack overflow\n") from error
        except SandboxError as error:
            if isinstance(error, TypeError):  # what cannot be converted
                raise TypeError(str(error)) from error
            raise JSException(f"InternalError: {error}\n") from error

    def _make(self) -> Live:
        limits = Limits(
            memory_bytes=_MEMORY_BYTES,
            cpu_seconds=None,
            wall_seconds=None,
            stack_bytes=self._stack_bytes,
            metering="clock",
        )
        me = weakref.ref(self)  # what makes objects must not keep the context

        def shown(held: Held) -> Object:
            made = Object()
            made._context, made._held = me(), held
            return made

        def taken(value: Any) -> Any:  # noqa: ANN401 - any value
            if isinstance(value, Object):
                context, held = value._place()
                if context is not me():
                    raise ValueError("Can not mix JS objects from different contexts.")
                return held
            if value is not None and not isinstance(value, bool | int | float | str):
                raise TypeError(_NO_OBJECTS.format(type(value).__name__))
            return float(value) if type(value) is int and not -_SAFE < value < _SAFE else value

        live = Live({"limits": limits}, shown, taken, None)
        self._first_heap_bytes = live.box.usage.heap_bytes
        self._limit_heap(live.box)
        return live

    def _limit_heap(self, box: Sandbox) -> None:
        box.limit_heap(None if self._heap_bytes is None else self._first_heap_bytes + self._heap_bytes)


class Function:
    """A function of a program, in a context of its own. Any thread may call it."""

    def __init__(self, name: str, code: str, *, own_executor: bool = False) -> None:
        """Evaluate a program.

        Args:
            name: Of its function.
            code: The program.
            own_executor: Means nothing: no thread is needed.

        Raises:
            JSException: As for `Context.eval`.
        """
        self._context = Context()
        self._context.eval(code)
        self._f = self._context.get(name)

    def __call__(self, *args: Any, run_gc: bool = True) -> Any:  # noqa: ANN401 - any value
        """Call it. Arguments and results that are no plain values go through JSON.

        Raises:
            JSException: As for `Context.eval`.
            TypeError: There is no such function, an argument is nothing that JSON has, or the result is a function.
        """
        plain = (type(None), str, bool, float, int)
        given = [arg if isinstance(arg, plain) else self._context.parse_json(json.dumps(arg)) for arg in args]
        result = self._f(*given)
        if not isinstance(result, Object):
            return result
        text = result.json()
        if text is None:
            raise TypeError("the JSON object must be str, bytes or bytearray, not NoneType")
        return json.loads(text)

    def set_memory_limit(self, limit: int) -> None:
        """See `Context.set_memory_limit`."""
        self._context.set_memory_limit(limit)

    def set_time_limit(self, limit: float) -> None:
        """See `Context.set_time_limit`."""
        self._context.set_time_limit(limit)

    def set_max_stack_size(self, limit: int) -> None:
        """See `Context.set_max_stack_size`."""
        self._context.set_max_stack_size(limit)

    def memory(self) -> dict[str, int]:
        """See `Context.memory`."""
        return self._context.memory()

    def add_callable(self, global_name: str, callable: Callable[..., Any]) -> None:
        """See `Context.add_callable`."""
        self._context.add_callable(global_name, callable)

    def gc(self) -> None:
        """See `Context.gc`."""
        self._context.gc()

    def execute_pending_job(self) -> bool:
        """See `Context.execute_pending_job`."""
        return self._context.execute_pending_job()

    @property
    def globalThis(self) -> Object:
        """The global object."""
        return self._context.globalThis


def test() -> int:
    """42."""
    return 42


class _Counts(dict[str, int]):
    def __missing__(self, key: str) -> NoReturn:
        raise KeyError(f"{key}: this engine counts malloc_size, malloc_limit and memory_used_size")


def _raise(error: JSError) -> NoReturn:
    if error.value is not error:
        thrown = "undefined" if error.value is undefined else error.message
        raise JSException(f"{thrown}\n" if error.value in (None, undefined) else f"{thrown}\nundefined") from error
    kind = (
        StackOverflow if error.name in ("RangeError", "InternalError") and error.message in _OVERFLOW else JSException
    )
    raise kind(f"{error}\n{stack_of(error.stack)}") from (error.__cause__ or error)


def _check_text(value: object) -> None:
    if not isinstance(value, str):
        raise TypeError(f"argument 1 must be str, not {type(value).__name__}")


def _check_int(value: object) -> None:
    if not isinstance(value, int):
        raise TypeError(f"'{type(value).__name__}' object cannot be interpreted as an integer")
