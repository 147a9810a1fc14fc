"""What a forked child inherits: sandboxes that were idle, and those whose host function forked.

Only the thread that forked lives on in the child. A guest that was running on another one stands still in the middle of
something, with its locks taken and its books half written: it is given up, and whoever uses it is told so.
"""

from __future__ import annotations

import os
import weakref
from typing import Final, Protocol


class Runner(Protocol):
    """What drives a sandbox on some thread."""

    def after_fork(self) -> None:
        """Called in the child, on the only thread there is."""


_runners: Final[weakref.WeakSet[Runner]] = weakref.WeakSet()


def watch(runner: Runner) -> None:
    """Tell a runner of forks, as long as it lives."""
    _runners.add(runner)


def _tell() -> None:
    for runner in list(_runners):
        runner.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_tell)
