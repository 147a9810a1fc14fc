"""Whether what speaks to browsers is installed."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Final

INSTALL: Final = "pip install 'quickjs-sandbox[browser]'"


@lru_cache(maxsize=1)
def has_playwright() -> bool:
    """Whether the package is."""
    return importlib.util.find_spec("playwright") is not None
