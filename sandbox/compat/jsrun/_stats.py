"""What a `Runtime` has done so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox import Usage

_COUNTED: Final = (
    "eval_sync",
    "eval_async",
    "eval_module_sync",
    "eval_module_async",
    "call_function_sync",
    "call_function_async",
)


@dataclass(frozen=True, kw_only=True)
class RuntimeStats:
    """Counters of a runtime. Bytes are those of the guest, times are its wall time.

    What V8 has and this engine has not is 0: memory outside of the heap, and streams, whose chunks are not counted.
    """

    heap_total_bytes: int = 0
    heap_used_bytes: int = 0
    external_memory_bytes: int = 0
    physical_total_bytes: int = 0
    total_execution_time_ms: int = 0
    last_execution_time_ms: int = 0
    last_execution_kind: str | None = None
    eval_sync_count: int = 0
    eval_async_count: int = 0
    eval_module_sync_count: int = 0
    eval_module_async_count: int = 0
    call_function_sync_count: int = 0
    call_function_async_count: int = 0
    active_async_ops: int = 0
    open_resources: int = 0
    active_timers: int = 0
    active_intervals: int = 0
    active_js_streams: int = 0
    active_py_streams: int = 0
    total_js_streams: int = 0
    total_py_streams: int = 0
    bytes_streamed_js_to_py: int = 0
    bytes_streamed_py_to_js: int = 0


def stats_of(usage: Usage, counts: Mapping[str, int], last: tuple[str | None, float]) -> RuntimeStats:
    """The counters of a runtime.

    Args:
        usage: What its sandbox has used.
        counts: How often what was done.
        last: What was done last, and how many seconds it took.
    """
    return RuntimeStats(
        heap_total_bytes=usage.memory_bytes,
        heap_used_bytes=usage.heap_bytes,
        physical_total_bytes=usage.memory_bytes,
        total_execution_time_ms=round(usage.wall_seconds * 1000),
        last_execution_time_ms=round(last[1] * 1000),
        last_execution_kind=last[0],
        active_async_ops=usage.pending_requests,
        total_py_streams=counts.get("py_streams", 0),
        **{f"{key}_count": counts.get(key, 0) for key in _COUNTED},
    )
