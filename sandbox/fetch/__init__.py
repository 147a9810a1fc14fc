"""What the guest's fetch asks: a grant says what may be asked, an adapter answers, by the network or by a function."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Final

INSTALL: Final = "pip install 'quickjs-sandbox[fetch]'"


@lru_cache(maxsize=1)
def has_http() -> bool:
    """Whether the packages that speak HTTP are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("httpcore", "h11", "h2", "certifi"))
