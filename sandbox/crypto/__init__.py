"""What the guest's `crypto.subtle` asks of the host, answered by the package `cryptography`."""

from __future__ import annotations

import importlib.util
from functools import lru_cache


@lru_cache(maxsize=1)
def has_crypto() -> bool:
    """Whether the package that does the work is installed."""
    return importlib.util.find_spec("cryptography") is not None
