"""What the two sides hold of each other: the operations behind each op number, kept exceptions, and guest functions."""

from __future__ import annotations

import functools
import inspect
import threading
from collections import OrderedDict, deque
from collections.abc import Callable, Hashable, Iterable
from typing import Any, Final

from sandbox import _abi
from sandbox._abi import Mode
from sandbox.capabilities.base import Capability, Operation
from sandbox.errors import ConversionError
from sandbox.values import FunctionOwner, JSFunction

_MAX_KEPT_EXCEPTIONS: Final = 256
_MODES: Final = {"call": Mode.CALL, "send": Mode.CALL, "queue": Mode.QUEUE}


class Operations:
    """The op table of one sandbox, the exceptions its guest may throw again, and the guest's functions the host holds.

    Functions are bound and dropped from any thread, the table is read by the thread that runs the turn.

    Attributes:
        dropped: Handles the host no longer holds, of which the guest has not been told yet.
        made: How many functions of the guest the host was ever given.
    """

    def __init__(self, capabilities: Iterable[Capability], function_owner: FunctionOwner) -> None:
        """Fill in the fixed ops.

        Args:
            capabilities: At most one for each stem of the ABI table.
            function_owner: What the guest's functions belong to.
        """
        self.dropped: deque[int] = deque()
        self._function_owner = function_owner
        self.made = self._taken = 0
        self._table: dict[int, Operation] = {}
        self._ops: dict[Hashable, int] = {}
        self._next_op = _abi.FIRST_DYNAMIC_OP
        self._exceptions: OrderedDict[int, BaseException] = OrderedDict()
        self._next_exception = 1
        self._lock = threading.Lock()
        for capability in capabilities:
            for name, handler in capability.handlers().items():
                op, mode = _abi.OPS[capability.stem, name]
                self._table[op] = Operation(f"{capability.stem}.{name}", _MODES[mode], handler, references=1)

    def get(self, op: int) -> Operation | None:
        """The operation behind a number; None when the guest made it up or it was released."""
        return self._table.get(op)

    def bind(self, function: Callable[..., Any]) -> tuple[int, Mode, str, int]:
        """Give a callable an op; see `EncodeOwner.bind`."""
        key = _key(function)
        with self._lock:
            op = self._ops.get(key)
            if op is None:
                op = self._next_op
                self._next_op += 1
                mode = Mode.QUEUE if is_asynchronous(function) else Mode.CALL
                self._ops[key] = op
                self._table[op] = Operation(_name(function), mode, function)
            operation = self._table[op]
            operation.references += 1
        return op, operation.mode, operation.name, _parameter_count(function)

    def release(self, op: int) -> None:
        """The guest has collected one function object of this op."""
        with self._lock:
            operation = self._table.get(op)
            if operation is None or op < _abi.FIRST_DYNAMIC_OP:
                return
            operation.references -= 1
            if operation.references == 0:
                del self._table[op]
                self._ops.pop(_key(operation.handler), None)

    def bound(self) -> int:
        """How many of the embedder's functions the guest holds."""
        return len(self._ops)

    def keep_exception(self, error: BaseException) -> int:
        """Keep an exception of the host; the oldest are forgotten when there are many."""
        number = self._next_exception
        self._next_exception += 1
        self._exceptions[number] = error
        if len(self._exceptions) > _MAX_KEPT_EXCEPTIONS:
            self._exceptions.popitem(last=False)
        return number

    def exception(self, number: int) -> BaseException | None:
        """A kept exception."""
        return self._exceptions.get(number)

    def handle_of(self, function: JSFunction) -> int:
        """The guest's number for one of its functions; see `EncodeOwner`.

        Raises:
            ConversionError: The function belongs to another sandbox, or was released.
        """
        if function.owner is not self._function_owner:
            raise ConversionError("$", "a function of another sandbox")
        if function.released:
            raise ConversionError("$", "a function that was released")
        return function.handle

    def function(self, handle: int, name: str) -> JSFunction:
        """A function of the guest; see `DecodeOwner`."""
        self.made += 1
        return JSFunction(self._function_owner, handle, name)

    def take_dropped(self) -> list[int]:
        """The handles to tell the guest of."""
        handles = [self.dropped.popleft() for _ in range(len(self.dropped))]
        self._taken += len(handles)
        return handles

    def held(self) -> int:
        """How many of the guest's functions the host holds."""
        return self.made - self._taken - len(self.dropped)


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: an `async def`, a partial or method of one, an object called that way."""
    while isinstance(function, functools.partial):
        function = function.func
    call = getattr(function, "__call__", None)  # noqa: B004 - its kind is asked, not whether it exists
    return inspect.iscoroutinefunction(function) or inspect.iscoroutinefunction(call)


def _key(function: Callable[..., Any]) -> Hashable:
    # Two accesses of one method give two equal objects: they are one function to the guest.
    if inspect.ismethod(function):
        return (id(function.__self__), function.__func__)
    return id(function)


def _name(function: Callable[..., Any]) -> str:
    while isinstance(function, functools.partial):
        function = function.func
    name = getattr(function, "__name__", None) or type(function).__name__
    return name if name.isidentifier() else ""


def _parameter_count(function: Callable[..., Any]) -> int:
    """Parameters without defaults that can be given by position, as a JavaScript function's `length` counts them."""
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return 0
    positional = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return sum(p.kind in positional and p.default is inspect.Parameter.empty for p in parameters)
