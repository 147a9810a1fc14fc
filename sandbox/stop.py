"""Stops: what a host function raises to end the program there and then, with a value of the host's."""

from __future__ import annotations

from typing import Any

from sandbox._origins import Located

__all__ = ["Stop"]


class Stop(Located, BaseException):
    """Raised by a host function, or a hook, to end the run that called it.

        def answer(text: str) -> None:
            raise Stop(text)

    The program is unwound: none of its `catch` and `finally` blocks run, and it cannot learn of it. Whoever asked for
    the run gets the `Stop`, or an `Outcome` whose value is this one's. No value or error of a program can pass for it.
    It is no `Exception`, so what handles errors of functions does not take it for one. Host calls of the run that have
    no answer yet are cancelled; the sandbox can be used again.

    Attributes:
        value: What the run gives.
        reason: For whoever reads the outcome.
        stack: Where the program was, as the guest's stack: in the call, or in the `await` of it; empty: not known.
        frames: The same, parsed, innermost call first; see `JSError`.
        place: Likewise.
    """

    def __init__(self, value: Any = None, /, *, reason: str = "") -> None:  # noqa: ANN401 - any value
        """Make one.

        Raises:
            TypeError: The reason is no str.
        """
        if not isinstance(reason, str):
            raise TypeError(f"reason must be a str, not {type(reason).__name__}")
        super().__init__(reason or "a host function has stopped the run")
        self.value = value
        self.reason = reason

    def __reduce__(self) -> tuple[Any, ...]:
        self._settle_frames()
        place = {name: self.__dict__[name] for name in ("stack", "sources", "frames") if name in self.__dict__}
        return _stop, (type(self), self.value, self.reason), place


def _stop(kind: type[Stop], value: object, reason: str) -> Stop:
    stop = kind.__new__(kind)
    Stop.__init__(stop, value, reason=reason)
    return stop


def stop_in(error: object) -> Stop | None:
    """The stop that an exception is, or that is the only one in a group, as task groups raise; None: it is none."""
    while isinstance(error, BaseExceptionGroup) and len(error.exceptions) == 1:
        error = error.exceptions[0]
    return error if isinstance(error, Stop) else None
