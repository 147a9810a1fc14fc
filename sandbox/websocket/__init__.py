"""What the guest's WebSockets reach: a grant says where to, a connector connects, by the network or by a function."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Final

INSTALL: Final = "pip install 'quickjs-sandbox[websocket]'"


@lru_cache(maxsize=1)
def has_websockets() -> bool:
    """Whether the packages that speak the protocol are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("websockets", "httpcore", "certifi"))
