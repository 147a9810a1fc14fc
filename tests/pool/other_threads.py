"""What other threads are waited for."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(is_so: Callable[[], object]) -> None:
    """Wait for another thread."""
    end = time.monotonic() + 20
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.001)
