"""What a Python callable is to the guest: how it answers, its name, its parameters, and its keyword arguments.

JavaScript has no keyword arguments. Where a callable takes some, a plain object that comes last carries them; that is
found out once for each callable, and one that takes none is called as it is.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Hashable
from types import FunctionType, MethodType
from typing import TYPE_CHECKING, Any, Final

from sandbox._abi import Mode
from sandbox._records import record
from sandbox.capabilities.base import Operation
from sandbox.functions import HostFunction

if TYPE_CHECKING:
    from sandbox._signatures import Shape

ANONYMOUS: Final = "(anonymous)"
# Of the names that are kept: functions may have names of the guest's choice.
_MOST_NAME_CHARS: Final = 100


@record(slots=True, kw_only=True)
class HostOperation(Operation):
    """The operation behind a callable of the embedder.

    Attributes:
        function_name: What the guest's function is called.
        parameters: Those without defaults that can be given by position, as a JavaScript function's `length` counts.
        key: See `key_of`.
        is_stateful: Whether only one guest can use it, as the steps of an iterator.
        label: By which a restored sandbox finds it again; empty: by nothing. See `_labels`.
    """

    function_name: str
    parameters: int
    key: Hashable
    label: str = ""
    is_stateful: bool = False


# Methods are made anew at each access, so that what is known of them is kept with their functions.
_shapes: weakref.WeakKeyDictionary[FunctionType, Shape] = weakref.WeakKeyDictionary()
_method_shapes: weakref.WeakKeyDictionary[FunctionType, Shape] = weakref.WeakKeyDictionary()


def operation_of(function: Callable[..., Any]) -> HostOperation:
    """Find out all about a callable. Runs code of the embedder, such as properties of the callable."""
    from sandbox._signatures import given, layers  # takes long to import

    name, waits = None, False
    for layer in layers(function, through=given):
        if isinstance(layer, HostFunction):
            name = layer.name if name is None else name
            waits = waits or layer.wait
    handler = function
    while isinstance(handler, HostFunction):
        handler = handler.function
    shape = _shape_of(handler)
    name = shape.name if name is None else name
    if shape.takes_keywords:
        handler = _with_keywords(handler, name, shape.required, shape.fixed)
    return HostOperation(
        name=name[:_MOST_NAME_CHARS] or ANONYMOUS,
        function_name=name,
        mode=Mode.QUEUE if shape.is_asynchronous and not waits else Mode.CALL,
        handler=handler,
        waits=waits,
        parameters=shape.required,
        key=key_of(function),
    )


def can_be_paused(operation: Operation | None) -> bool:
    """Whether a call may wait in a snapshot. What serves one guest only, such as an iterator, ends with its life."""
    return isinstance(operation, HostOperation) and not operation.is_stateful


def _shape_of(function: Callable[..., Any]) -> Shape:
    from sandbox._signatures import find_shape  # takes long to import

    if type(function) is MethodType and type(function.__func__) is FunctionType:
        shapes, key = _method_shapes, function.__func__
    elif type(function) is FunctionType:
        shapes, key = _shapes, function
    else:
        return find_shape(function)
    shape = shapes.get(key)
    if shape is None:
        shape = shapes[key] = find_shape(function)
    return shape


def key_of(function: Callable[..., Any]) -> Hashable:
    """What tells a callable from others, as long as it lives: methods and options are made anew at each access."""
    if isinstance(function, HostFunction):
        return key_of(function.function), function.name, function.wait
    if isinstance(function, MethodType):
        return id(function.__self__), id(function.__func__)
    return id(function)


def _with_keywords(function: Callable[..., Any], name: str, required: int, fixed: frozenset[str]) -> Callable[..., Any]:
    """A callable that takes its keyword arguments from a plain object after the positional ones."""

    def call(*arguments: Any) -> Any:  # noqa: ANN401 - any value
        if len(arguments) <= required or type(arguments[-1]) is not dict:
            return function(*arguments)
        *positional, keywords = arguments
        for key in fixed.intersection(keywords):
            raise TypeError(f"{name or 'function'}() got an unexpected keyword argument {key!r}")
        return function(*positional, **keywords)

    return call
