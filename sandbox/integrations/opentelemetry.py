"""Spans of OpenTelemetry (the extra `opentelemetry`): one for each run, and below it one for each call of the host.

from sandbox import Sandbox
from sandbox.integrations.opentelemetry import Traces

traces = Traces()
with Sandbox(audit=traces.audit, functions=tools) as box:
with traces.run(box, "answer"):
box.eval(code)
"""

from __future__ import annotations

import threading
from collections import OrderedDict
from collections.abc import Generator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, Final

from sandbox import AuditEntry, AuditLog, JSError
from sandbox.integrations._program import missing

try:
    from opentelemetry import context, trace
except ImportError as _error:
    raise missing("opentelemetry-api", "opentelemetry") from _error

if TYPE_CHECKING:
    from sandbox import AsyncSandbox, Sandbox

__all__ = ["Traces"]

_MOST_OPEN: Final = 10_000
_MOST_CHARS: Final = 200
_NANOSECONDS: Final = 1_000_000_000


class Traces:
    """Makes spans of what one sandbox does. Any thread.

    Arguments and answers are no part of them, only names, sizes and how each call has ended.

    Attributes:
        audit: For the option `audit` of the sandbox.
    """

    audit: AuditLog

    def __init__(self, provider: Any = None, *, label: str = "") -> None:  # noqa: ANN401 - a TracerProvider
        """Make them.

        Args:
            provider: A `TracerProvider`; None: the global one.
            label: The attribute `sandbox.label` of each span.
        """
        self._tracer = trace.get_tracer("sandbox", tracer_provider=provider)
        self._label = {"sandbox.label": label} if label else {}
        self._lock = threading.Lock()
        self._open: OrderedDict[int, trace.Span] = OrderedDict()
        self._parent: context.Context | None = None
        self.audit = AuditLog(self._hear, keep=0)

    @contextmanager
    def run(self, box: Sandbox | AsyncSandbox, name: str = "run") -> Generator[trace.Span, None, None]:
        """A span for what is run in a block; calls of the host that begin meanwhile are its children.

        Args:
            box: The sandbox.
            name: The span's name, after `sandbox `.

        Yields:
            The span, for attributes of your own. What is raised in the block is its status.
        """
        before = box.usage
        with self._tracer.start_as_current_span(
            f"sandbox {name}", attributes=self._label, record_exception=False, set_status_on_exception=False
        ) as span:
            outer, self._parent = self._parent, context.get_current()
            try:
                yield span
            except BaseException as error:
                # The message may be the guest's own text, of any length.
                span.set_status(trace.StatusCode.ERROR, type(error).__name__)
                kind = error.name if isinstance(error, JSError) else type(error).__name__
                span.set_attribute("error.type", kind[:_MOST_CHARS] or "Error")
                raise
            finally:
                self._parent = outer
                usage = box.usage
                span.set_attribute("sandbox.cpu_seconds", usage.cpu_seconds - before.cpu_seconds)
                span.set_attribute("sandbox.fuel", usage.fuel - before.fuel)
                span.set_attribute("sandbox.memory_bytes", usage.memory_bytes)
                span.set_attribute("sandbox.host_calls", usage.host_calls - before.host_calls)

    def _hear(self, entry: AuditEntry) -> None:
        at = int(entry.time * _NANOSECONDS)
        if entry.event == "call":
            span = self._tracer.start_span(
                f"sandbox call {entry.name}"[:_MOST_CHARS],
                context=self._parent,
                kind=trace.SpanKind.CLIENT,
                attributes={**self._label, "sandbox.op": entry.name, "sandbox.bytes_in": entry.bytes_in},
                start_time=at,
            )
            with self._lock:
                self._open[entry.call] = span
                oldest = self._open.popitem(last=False)[1] if len(self._open) > _MOST_OPEN else None
            if oldest is not None:
                oldest.end()
            return
        with self._lock:
            ended = self._open.pop(entry.call, None)
        if ended is None:
            return
        ended.set_attribute("sandbox.outcome", entry.outcome or "")
        ended.set_attribute("sandbox.bytes_out", entry.bytes_out)
        if entry.error:
            ended.set_attribute("error.type", entry.error)
            ended.set_status(trace.StatusCode.ERROR, entry.error)
        ended.end(at)
