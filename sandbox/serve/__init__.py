"""Requests that the guest answers: one of them, its WebSockets, and the ASGI application in front of them."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Final

INSTALL: Final = "pip install 'quickjs-sandbox[serve]'"


@lru_cache(maxsize=1)
def has_server() -> bool:
    """Whether the server of the command `sandbox serve` is installed."""
    return importlib.util.find_spec("hypercorn") is not None
