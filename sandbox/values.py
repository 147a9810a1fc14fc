"""The types of values that JavaScript has and Python lacks. Everything else travels as Python's own types.

* `undefined`, `BigInt`, `RegExp`: single values.
* `JSMap`, `JSSet`: containers whose keys and members may be anything.
* `JSFunction`: a function that lives in the guest.
"""

from __future__ import annotations

import weakref
from typing import Any, NoReturn, Protocol, final

from sandbox._collections import JSMap, JSSet
from sandbox._scalars import BigInt, RegExp, Undefined, undefined

__all__ = ["BigInt", "FunctionOwner", "JSFunction", "JSMap", "JSSet", "RegExp", "Undefined", "undefined"]


class FunctionOwner(Protocol):
    """What a `JSFunction` needs of the sandbox it belongs to."""

    def call(self, handle: int, args: tuple[object, ...], this: object) -> Any:  # noqa: ANN401 - any value
        """Call the guest function behind a handle; on the async face this returns an awaitable."""

    def release(self, handle: int) -> None:
        """Note that the host no longer holds a handle.

        Called from any thread, at any moment, also while the guest runs: it may only write the handle down.
        """


@final
class JSFunction:
    """A function or class of the guest. Calling it calls into the guest, under the limits of its sandbox.

    On the blocking face a call returns the result; on the async face it returns an awaitable. The guest keeps the
    function alive until this object is collected or `release` is called. It may be called from any thread that may use
    its sandbox, and goes back into the guest as the same function.

    Attributes:
        name: The function's name in the guest; may be empty.
    """

    __slots__ = ("__weakref__", "_finalizer", "_handle", "_owner", "name")

    def __init__(self, owner: FunctionOwner, handle: int, name: str = "") -> None:
        """Wrap a handle; only a sandbox does this."""
        self._owner = owner
        self._handle = handle
        self.name = name
        # The registry of finalizers must not keep the sandbox alive, or a sandbox that holds one of its own functions
        # would never be collected.
        self._finalizer = weakref.finalize(self, _release, weakref.ref(owner), handle)
        self._finalizer.atexit = False

    def __call__(self, *args: object) -> Any:  # noqa: ANN401 - any value
        """Call the function with `this` undefined.

        Args:
            *args: Arguments, converted as every value is.

        Returns:
            What the function returned, or an awaitable of it on the async face.

        Raises:
            JSError: The function threw.
            LimitExceeded: A limit of the sandbox was reached.
            UsageError: The sandbox is closed or busy, the function was released, or a value cannot be converted.
        """
        return self._owner.call(self._handle, args, undefined)

    def call_with(self, this: object, *args: object) -> Any:  # noqa: ANN401 - any value
        """Call the function with a `this` value; otherwise as a plain call."""
        return self._owner.call(self._handle, args, this)

    @property
    def owner(self) -> FunctionOwner:
        """The sandbox this function belongs to."""
        return self._owner

    @property
    def handle(self) -> int:
        """The guest's number for this function; meaningless in any other sandbox."""
        return self._handle

    @property
    def released(self) -> bool:
        """Whether the guest was told that this object is no longer used."""
        return not self._finalizer.alive

    def release(self) -> None:
        """Let the guest free the function now. Later calls fail; a second release does nothing. Thread-safe."""
        self._finalizer()

    def __repr__(self) -> str:
        return f"<JSFunction {self.name or '(anonymous)'}>"

    def __reduce__(self) -> NoReturn:
        raise TypeError("a JSFunction lives in its sandbox and cannot be copied or pickled")


def _release(owner: weakref.ref[FunctionOwner], handle: int) -> None:
    alive = owner()
    if alive is not None:
        alive.release(handle)
