"""Adapters, one an engine; each is imported only inside its engine's own environment.

An adapter module has two functions: `version()`, and `open_session(functions)`, which returns a `base.Session`.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from benchmarks.engines.base import BoundedAdapter


def load(adapter_name: str) -> BoundedAdapter:
    """Import the adapter called `adapter_name`, and with it the engine.

    It does without the contract that adapters have in common, which takes a twentieth of an engine's time to import.
    """
    from importlib import import_module

    adapter: BoundedAdapter = import_module(f"{__name__}.{adapter_name}")
    return adapter
