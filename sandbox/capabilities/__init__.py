"""What a guest may ask of its host. Nothing is granted by default beyond a console, timers and random numbers."""

from sandbox.capabilities.base import Capability, Due, Later, Operation, Service
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
