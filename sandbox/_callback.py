"""The import `sandbox.call`: the one way from guest code into Python. And the clock, for guests whose time is recorded.

An exception may come before the first statement of a Python function: from a signal handler, from another thread, for
want of stack. A callback of ctypes then returns whatever lies in memory, which wasmtime takes for the address of a
trap. cffi hands such an exception to another function and returns what it was told to, so none can reach a wasm frame.
"""

from __future__ import annotations

import threading
from typing import Any, Final, Protocol

from _cffi_backend import FFI

from sandbox import _wasmtime
from sandbox._abi import Status

_NO_TRAP: Final = 0
_STOP: Final = int(Status.STOP)
# The slots of wasmtime's values in an array of 32-bit words.
_OP, _ADDRESS, _LENGTH = (i * _wasmtime.RAW_VALUE_BYTES // 4 for i in range(3))
_STATUS: Final = _OP
_CLOCK, _TIME_ADDRESS = _OP, _LENGTH  # of the clock: which one, a precision, and where the time goes


class Running(Protocol):
    """An instance whose code runs.

    Attributes:
        pending: What an import raised; whoever called the export takes it.
    """

    pending: BaseException | None

    def serve(self, op: int, address: int, length: int) -> int:
        """Answer; returns the status."""

    def tell_time(self, clock: int, address: int) -> None:
        """Write what a clock shows into the guest's memory, where the image leaves that to the host."""


class _Thread(threading.local):
    """The instance whose code runs on this thread; imports find it here."""

    instance: Running | None = None


running: Final = _Thread()


def _host_call(_environment: object, _caller: object, values: Any, _count: int) -> int:  # noqa: ANN401 - cffi's uint32_t *
    instance = running.instance
    status = _STOP
    try:
        assert instance is not None
        status = instance.serve(values[_OP], values[_ADDRESS], values[_LENGTH])
    except BaseException as error:  # noqa: BLE001 - whatever it is, it waits until the export has returned
        _keep(error)
    values[_STATUS] = status
    return _NO_TRAP


def _tell_time(_environment: object, _caller: object, values: Any, _count: int) -> int:  # noqa: ANN401 - cffi's uint32_t *
    instance = running.instance
    try:
        if instance is not None:
            instance.tell_time(values[_CLOCK], values[_TIME_ADDRESS])
    except BaseException as error:  # noqa: BLE001 - as above
        _keep(error)
    values[_STATUS] = 0
    return _NO_TRAP


def _on_escape(_class: object, error: BaseException, _traceback: object) -> int:
    # The status is not set; what is in its place is no status, so the guest takes it for `stop`.
    _keep(error)
    return _NO_TRAP


def _keep(error: BaseException) -> None:
    instance = running.instance
    if instance is not None and instance.pending is None:
        instance.pending = error


_ffi: Final = FFI()
_TYPE: Final = "uintptr_t(void *, void *, uint32_t *, size_t)"
_callback: Final = _ffi.callback(_TYPE, _host_call, error=_NO_TRAP, onerror=_on_escape)
_clock: Final = _ffi.callback(_TYPE, _tell_time, error=_NO_TRAP, onerror=_on_escape)
host_call_address: Final = int(_ffi.cast("uintptr_t", _callback))
clock_address: Final = int(_ffi.cast("uintptr_t", _clock))
