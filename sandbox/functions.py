"""Options for a single host function."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox._records import field, record

__all__ = ["HostFunction"]


@record(frozen=True, slots=True)
class HostFunction:
    """A Python callable with options for the guest; it may stand wherever the callable itself may cross.

        Sandbox(functions={"query": HostFunction(query, wait=True)})

    Called from Python it does what the callable does. Two of one callable with the same options are one function to
    the guest.

    Attributes:
        function: The callable.
        name: What the guest's function is called; None: the callable's own name.
        wait: Whether the guest waits for what an `async def` answers, and gets the value instead of a promise.
            Meanwhile nothing else of this guest runs, and its CPU time stands. The wait ends, and the coroutine is
            cancelled, at the run's wall limit, on Ctrl-C, when the task that awaits the run is cancelled, and when the
            sandbox is closed. The coroutine runs where all asynchronous host functions run. It cannot use the sandbox
            that waits for it (`SandboxBusy`).

    Raises:
        TypeError: An option has the wrong type.
    """

    function: Callable[..., Any]
    name: str | None = field(default=None, kw_only=True)
    wait: bool = field(default=False, kw_only=True)

    def __post_init__(self) -> None:
        if not callable(self.function):
            raise TypeError(f"function must be callable, not {type(self.function).__name__}")
        if self.name is not None and not isinstance(self.name, str):
            raise TypeError(f"name must be a str or None, not {type(self.name).__name__}")
        if not isinstance(self.wait, bool):
            raise TypeError(f"wait must be a bool, not {type(self.wait).__name__}")

    def __call__(self, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - any value
        """Call the callable."""
        return self.function(*args, **kwargs)
