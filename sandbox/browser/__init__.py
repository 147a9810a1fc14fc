"""What a guest asks of a browser of the embedder's: what it may reach, what it may do there, and what is seen of it."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.browser.collected import Collected, PageFailure, PageMessage, PageRecord, PageRequest
    from sandbox.browser.launching import launch

__all__ = ["Collected", "PageFailure", "PageMessage", "PageRecord", "PageRequest", "launch"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - of a module
    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    home = "launching" if name == "launch" else "collected"
    return getattr(importlib.import_module(f"sandbox.browser.{home}"), name)
