"""What a Python callable is to the guest: how it answers, its name, its parameters, and its keyword arguments.

JavaScript has no keyword arguments. Where a callable takes some, a plain object that comes last carries them; that is
found out once for each callable, and one that takes none is called as it is.
"""

from __future__ import annotations

import functools
import inspect
import weakref
from collections.abc import Callable, Hashable, Iterator
from dataclasses import dataclass
from types import FunctionType, MethodType
from typing import Any, Final, NamedTuple

from sandbox._abi import Mode
from sandbox.capabilities.base import Operation
from sandbox.functions import HostFunction

ANONYMOUS: Final = "(anonymous)"
# Of the names that are kept: functions may have names of the guest's choice.
_MOST_NAME_CHARS: Final = 100
# More than anybody stacks; some objects make up any attribute, and would go on without end.
_MOST_LAYERS: Final = 32
_Parameter = inspect.Parameter


@dataclass(slots=True, kw_only=True)
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


class _Shape(NamedTuple):
    """What is the same for all methods of one function."""

    is_asynchronous: bool
    name: str
    required: int
    takes_keywords: bool
    fixed: frozenset[str]


# Methods are made anew at each access, so that what is known of them is kept with their functions.
_shapes: weakref.WeakKeyDictionary[FunctionType, _Shape] = weakref.WeakKeyDictionary()
_method_shapes: weakref.WeakKeyDictionary[FunctionType, _Shape] = weakref.WeakKeyDictionary()


def operation_of(function: Callable[..., Any]) -> HostOperation:
    """Find out all about a callable. Runs code of the embedder, such as properties of the callable."""
    name, waits = None, False
    for layer in _layers(function, through=_given):
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


def _shape_of(function: Callable[..., Any]) -> _Shape:
    if type(function) is MethodType and type(function.__func__) is FunctionType:
        shapes, key = _method_shapes, function.__func__
    elif type(function) is FunctionType:
        shapes, key = _shapes, function
    else:
        return _find_shape(function)
    shape = shapes.get(key)
    if shape is None:
        shape = shapes[key] = _find_shape(function)
    return shape


def _find_shape(function: Callable[..., Any]) -> _Shape:
    parameters = _parameters(function)
    fixed = _fixed_keywords(function, parameters)
    return _Shape(
        is_asynchronous=is_asynchronous(function),
        name=_name_of(function),
        required=sum(p.kind in _POSITIONAL and p.default is _Parameter.empty for p in parameters),
        takes_keywords=any(
            p.kind is _Parameter.VAR_KEYWORD or (p.kind is _Parameter.KEYWORD_ONLY and p.name not in fixed)
            for p in parameters
        ),
        fixed=fixed,
    )


def key_of(function: Callable[..., Any]) -> Hashable:
    """What tells a callable from others, as long as it lives: methods and options are made anew at each access."""
    if isinstance(function, HostFunction):
        return key_of(function.function), function.name, function.wait
    if inspect.ismethod(function):
        return id(function.__self__), id(function.__func__)
    return id(function)


def _name_of(function: Callable[..., Any]) -> str:
    """The name of its own that a callable has; empty if it has none that a program could use."""
    *_, innermost = _layers(function, through=_given)
    name = getattr(innermost, "__name__", None)
    if not isinstance(name, str):
        name = type(innermost).__name__
    return name if name.isidentifier() else ""


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: an `async def`, what stands for one, an object called by one."""
    return any(
        inspect.iscoroutinefunction(layer) or any(map(inspect.iscoroutinefunction, _layers(_call_method(layer))))
        for layer in _layers(function)
    )


def _call_method(function: object) -> object:
    """What a call of an object runs."""
    return getattr(type(function), "__call__", None)  # noqa: B004 - its kind is asked, not whether it exists


def _given(layer: object) -> object:
    """What a partial or options were made from; None for anything else."""
    if isinstance(layer, functools.partial):
        return layer.func
    return layer.function if isinstance(layer, HostFunction) else None


def _inner(layer: object) -> object:
    """What a callable stands for: what it was made from, or what a decorator says it wraps."""
    if isinstance(layer, staticmethod) or inspect.ismethod(layer):
        return layer.__func__
    return _given(layer) or inspect.getattr_static(layer, "__wrapped__", None)


def _layers(function: object, through: Callable[[object], object] = _inner) -> Iterator[Any]:
    """A callable and what it stands for, from the outside in."""
    for _ in range(_MOST_LAYERS):
        if not callable(function):
            return
        yield function
        function = through(function)


_POSITIONAL: Final = (_Parameter.POSITIONAL_ONLY, _Parameter.POSITIONAL_OR_KEYWORD)


def _parameters(function: Callable[..., Any]) -> list[_Parameter]:
    try:
        return list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):  # some builtins do not tell
        return []


def _fixed_keywords(function: Callable[..., Any], parameters: list[_Parameter]) -> frozenset[str]:
    """Keywords the guest may not give: what a partial has set, and what is private by its name."""
    partials = [layer for layer in _layers(function) if isinstance(layer, functools.partial)]
    private = {p.name for p in parameters if p.kind is _Parameter.KEYWORD_ONLY and p.name.startswith("_")}
    return frozenset(private.union(*(layer.keywords for layer in partials)))


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
