"""What the guest's Intl asks of the host: locales by Babel, time zones by the files of zoneinfo."""

from __future__ import annotations

import importlib.util
from functools import lru_cache
from typing import Final

DEFAULT_LOCALE: Final = "en-US"
DEFAULT_ZONE: Final = "UTC"
INSTALL: Final = "pip install 'quickjs-sandbox[intl]'"


@lru_cache(maxsize=1)
def has_locales() -> bool:
    """Whether the packages with the data of locales are installed."""
    return all(importlib.util.find_spec(name) is not None for name in ("babel", "pyuca"))
