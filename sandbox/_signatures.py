"""What a Python callable says of itself: whether it is asynchronous, its name, and its parameters.

Apart from `sandbox/_callables.py`, because `inspect` takes long to import and most programs bind no function.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterator
from typing import Any, Final

from sandbox._records import NamedTuple
from sandbox.functions import HostFunction

# More than anybody stacks; some objects make up any attribute, and would go on without end.
_MOST_LAYERS: Final = 32
_Parameter = inspect.Parameter


class Shape(NamedTuple):
    """What is the same for all methods of one function."""

    is_asynchronous: bool
    name: str
    required: int
    takes_keywords: bool
    fixed: frozenset[str]


def find_shape(function: Callable[..., Any]) -> Shape:
    """Ask a callable. Runs code of the embedder, such as properties of the callable."""
    parameters = _parameters(function)
    fixed = _fixed_keywords(function, parameters)
    return Shape(
        is_asynchronous=is_asynchronous(function),
        name=_name_of(function),
        required=sum(p.kind in _POSITIONAL and p.default is _Parameter.empty for p in parameters),
        takes_keywords=any(
            p.kind is _Parameter.VAR_KEYWORD or (p.kind is _Parameter.KEYWORD_ONLY and p.name not in fixed)
            for p in parameters
        ),
        fixed=fixed,
    )


def _name_of(function: Callable[..., Any]) -> str:
    """The name of its own that a callable has; empty if it has none that a program could use."""
    *_, innermost = layers(function, through=given)
    name = getattr(innermost, "__name__", None)
    if not isinstance(name, str):
        name = type(innermost).__name__
    return name if name.isidentifier() else ""


def is_asynchronous(function: Callable[..., Any]) -> bool:
    """Whether calling it gives a coroutine: an `async def`, what stands for one, an object called by one."""
    return any(
        inspect.iscoroutinefunction(layer) or any(map(inspect.iscoroutinefunction, layers(_call_method(layer))))
        for layer in layers(function)
    )


def _call_method(function: object) -> object:
    """What a call of an object runs."""
    return getattr(type(function), "__call__", None)  # noqa: B004 - its kind is asked, not whether it exists


def given(layer: object) -> object:
    """What a partial or options were made from; None for anything else."""
    if isinstance(layer, functools.partial):
        return layer.func
    return layer.function if isinstance(layer, HostFunction) else None


def _inner(layer: object) -> object:
    """What a callable stands for: what it was made from, or what a decorator says it wraps."""
    if isinstance(layer, staticmethod) or inspect.ismethod(layer):
        return layer.__func__
    return given(layer) or inspect.getattr_static(layer, "__wrapped__", None)


def layers(function: object, through: Callable[[object], object] = _inner) -> Iterator[Any]:
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
    partials = [layer for layer in layers(function) if isinstance(layer, functools.partial)]
    private = {p.name for p in parameters if p.kind is _Parameter.KEYWORD_ONLY and p.name.startswith("_")}
    return frozenset(private.union(*(layer.keywords for layer in partials)))
