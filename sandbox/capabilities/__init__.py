"""What a guest may ask of its host. Nothing is granted by default beyond a console, timers and random numbers."""

import importlib
from typing import TYPE_CHECKING, Any

from sandbox.capabilities.base import Capability, Due, Later, Operation, Service

if TYPE_CHECKING:
    from sandbox.capabilities.console import Console, ConsoleEntry
    from sandbox.capabilities.crypto import Crypto
    from sandbox.capabilities.fetch import FetchCapability
    from sandbox.capabilities.files import FilesCapability
    from sandbox.capabilities.intl import Intl
    from sandbox.capabilities.modules import Modules
    from sandbox.capabilities.random import Random
    from sandbox.capabilities.serve import Serve
    from sandbox.capabilities.timers import Timers
    from sandbox.capabilities.websocket import WebSocketCapability

__all__ = [
    "Capability",
    "Console",
    "ConsoleEntry",
    "Crypto",
    "Due",
    "FetchCapability",
    "FilesCapability",
    "Intl",
    "Later",
    "Modules",
    "Operation",
    "Random",
    "Serve",
    "Service",
    "Timers",
    "WebSocketCapability",
]

_LATE = {
    "Console": "console",
    "ConsoleEntry": "console",
    "Crypto": "crypto",
    "FetchCapability": "fetch",
    "FilesCapability": "files",
    "Intl": "intl",
    "Modules": "modules",
    "Random": "random",
    "Serve": "serve",
    "Timers": "timers",
    "WebSocketCapability": "websocket",
}


def __getattr__(name: str) -> Any:  # noqa: ANN401 - some class
    """Load what few programs use when it is first used."""
    if name not in _LATE:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    globals()[name] = value = getattr(importlib.import_module(f"{__name__}.{_LATE[name]}"), name)
    return value


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
