"""What a daemon counts, as numbers and as the text that Prometheus reads."""

from __future__ import annotations

import struct
import threading
from mmap import mmap
from typing import Final, Literal

# Name -> kind and what it is. The one list: what is counted, told and documented.
TABLE: Final[dict[str, tuple[Literal["gauge", "counter"], str]]] = {
    "connections": ("gauge", "Clients that are connected."),
    "connections_total": ("counter", "Clients that have been let in."),
    "connections_refused_total": ("counter", "Connections that were not let in."),
    "sandboxes": ("gauge", "Sandboxes that there are."),
    "sandboxes_total": ("counter", "Sandboxes that were made."),
    "sandboxes_lost_total": ("counter", "Sandboxes that were lost with their worker."),
    "owners": ("gauge", "Owners who have sandboxes."),
    "workers": ("gauge", "Worker processes that run."),
    "workers_lost_total": ("counter", "Worker processes that ended on their own."),
    "namespaces": ("gauge", "Namespaces that are kept."),
    "namespaces_in_use": ("gauge", "Namespaces in use."),
    "namespace_bytes": ("gauge", "What the namespaces hold."),
    "namespaces_evicted_total": ("counter", "Namespaces that were let go for want of room."),
    "namespaces_lost_total": ("counter", "Uses of namespaces that ended without being kept."),
    "calls_total": ("counter", "Calls into guests."),
    "asks_total": ("counter", "Calls of guests to their hosts."),
    "requests_refused_total": ("counter", "Requests that were answered with an error."),
    "received_bytes_total": ("counter", "Bytes of clients, lines not counted."),
    "sent_bytes_total": ("counter", "Bytes to clients, likewise."),
}


# What goes between a client and a worker directly, where the worker writes it and the daemon reads it.
OF_LINES: Final = struct.Struct("2Q")
_PLACES: Final = {"calls": 0, "asks": 1}
_lock: Final = threading.Lock()


def count_line(counts: mmap, name: str) -> None:
    """Count something that went over a line; any thread of the worker."""
    with _lock:
        values = list(OF_LINES.unpack_from(counts))
        values[_PLACES[name]] += 1
        OF_LINES.pack_into(counts, 0, *values)


def of_lines(counts: mmap) -> tuple[int, int]:
    """Calls and asks that went over the lines of a worker."""
    calls, asks = OF_LINES.unpack_from(counts)
    return calls, asks


class Statistics:
    """The counts of one daemon."""

    def __init__(self) -> None:
        """Begin at nothing."""
        self._counts = dict.fromkeys((name for name, (kind, _) in TABLE.items() if kind == "counter"), 0)

    def count(self, name: str, amount: int = 1) -> None:
        """Count something."""
        self._counts[name] += amount

    def read(self, gauges: dict[str, int]) -> dict[str, int]:
        """All of them, in the order of the table.

        Args:
            gauges: What is so at the moment.
        """
        return {name: gauges[name] if kind == "gauge" else self._counts[name] for name, (kind, _) in TABLE.items()}


def as_prometheus(counts: dict[str, int]) -> str:
    """Counts in the text format of Prometheus."""
    lines = []
    for name, value in counts.items():
        kind, text = TABLE.get(name, ("gauge", name))
        lines += [f"# HELP sandbox_{name} {text}", f"# TYPE sandbox_{name} {kind}", f"sandbox_{name} {value}"]
    return "\n".join(lines) + "\n"
