"""How a `Runtime` is made."""

from __future__ import annotations

import math
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

_MEGABYTE: Final = 1 << 20


def seconds_of(timeout: object) -> float | None:
    """A timeout in seconds.

    Raises:
        ValueError: It is none.
    """
    if timeout is None:
        return None
    if isinstance(timeout, timedelta):
        seconds = timeout.total_seconds()
    elif isinstance(timeout, int | float):
        seconds = float(timeout)
    else:
        raise ValueError("Timeout must be a number (seconds) or datetime.timedelta object")  # noqa: TRY004 - as there
    if not math.isfinite(seconds):
        raise ValueError("Timeout must be finite")
    if seconds < 0:
        raise ValueError("Timeout cannot be negative")
    if seconds == 0:
        raise ValueError("Timeout cannot be zero")
    return seconds


@dataclass(frozen=True)
class InspectorConfig:
    """Where V8's inspector would listen. A `Runtime` refuses it: this engine has no inspector."""

    host: str = "127.0.0.1"
    port: int = 9229
    wait_for_connection: bool = False
    break_on_next_statement: bool = False
    target_url: str | None = None
    display_name: str | None = None

    def endpoint(self) -> str:
        """Host and port."""
        return f"{self.host}:{self.port}"


@dataclass(frozen=True)
class InspectorEndpoints:
    """What V8's inspector would be reached by; never made here."""

    id: str
    websocket_url: str
    devtools_frontend_url: str
    title: str
    description: str
    target_url: str
    favicon_url: str
    host: str


class RuntimeConfig:
    """Options of a `Runtime`. They are read when one is made.

    Attributes:
        max_heap_size: Bytes that the program's objects may take; None: a gibibyte.
        initial_heap_size: Means nothing to this engine; it needs `max_heap_size`, and is at most that.
        bootstrap: A script to be run first.
        inspector: See `InspectorConfig`.
        snapshot: What `SnapshotBuilder.build` gave.
        max_serialization_depth: How deeply values may be nested, at most 500.
        max_serialization_bytes: The size of a value.
    """

    bootstrap: str | None
    initial_heap_size: int | None
    inspector: InspectorConfig | None
    max_heap_size: int | None
    snapshot: bytes | None

    def __init__(
        self,
        *,
        max_heap_size: int | None = None,
        initial_heap_size: int | None = None,
        bootstrap: str | None = None,
        timeout: float | timedelta | None = None,
        enable_console: bool = False,
        inspector: InspectorConfig | None = None,
        snapshot: bytes | None = None,
        max_serialization_depth: int = 100,
        max_serialization_bytes: int = 10 * _MEGABYTE,
    ) -> None:
        """Take the options.

        Args:
            max_heap_size: See the attributes.
            initial_heap_size: Likewise.
            bootstrap: Likewise.
            timeout: How long each call may take, in seconds, unless it says so itself.
            enable_console: Whether `console` prints; otherwise it does nothing.
            inspector: See the attributes.
            snapshot: Likewise.
            max_serialization_depth: Likewise.
            max_serialization_bytes: Likewise.

        Raises:
            ValueError: An option has no such value.
        """
        if snapshot is not None and not snapshot:
            raise ValueError("Snapshot bytes cannot be empty")
        if snapshot is not None and bootstrap is not None:
            raise ValueError("snapshot and bootstrap cannot be used together")
        for name, value in (
            ("max_serialization_depth", max_serialization_depth),
            ("max_serialization_bytes", max_serialization_bytes),
        ):
            if value < 1:
                raise ValueError(f"{name} must be a positive integer")
        self.max_heap_size, self.initial_heap_size = max_heap_size, initial_heap_size
        self.bootstrap, self.inspector, self.snapshot = bootstrap, inspector, snapshot
        self.max_serialization_depth = max_serialization_depth
        self.max_serialization_bytes = max_serialization_bytes
        self._timeout = seconds_of(timeout)
        self._enable_console = bool(enable_console)

    @property
    def timeout(self) -> float | None:
        """How long each call may take, in seconds."""
        return self._timeout

    @timeout.setter
    def timeout(self, timeout: float | timedelta | None) -> None:
        self._timeout = seconds_of(timeout)

    @property
    def enable_console(self) -> bool:
        """Whether `console` prints."""
        return self._enable_console

    def __repr__(self) -> str:
        return f"RuntimeConfig(max_heap_size={self.max_heap_size}, timeout={self._timeout})"
