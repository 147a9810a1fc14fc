"""Tests that are run elsewhere, over TCP, in the protocol of xJet (`@remotex-labs/xjet` 1.1)."""

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from sandbox.testing.remote.server import RunnerServer

__all__ = ["RunnerServer"]


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever has the name
    if name != "RunnerServer":
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return importlib.import_module("sandbox.testing.remote.server").RunnerServer
