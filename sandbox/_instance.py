"""One wasm instance: typed calls into it, bounded reads and writes of its memory, and the import that calls back.

Only this module and `_image` know wasmtime. The public `Func` of wasmtime-py costs 17 microseconds a call; the C API that
the same package exposes costs one. wasmtime-py keeps the exception of a callback in one variable of the process, so none
is ever let through a wasm frame: the import returns a status, and the instance keeps the exception for whoever called.
"""

from __future__ import annotations

import ctypes
import threading
from collections.abc import Callable
from typing import Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from sandbox import _abi
from sandbox._abi import Control, Status
from sandbox._image import Image, image
from sandbox.errors import GuestProtocolError, SandboxError

OUT_OF_FUEL: Final = wasmtime.TrapCode.OUT_OF_FUEL.name
STACK_OVERFLOW: Final = wasmtime.TrapCode.STACK_OVERFLOW.name

_U32: Final = 0xFFFFFFFF
_RAW_VALUES: Final = max(4, *_abi.EXPORTS.values())
_RawValues = ffi.wasmtime_val_raw_t * _RAW_VALUES
_TrapPointer = ctypes.POINTER(ffi.wasm_trap_t)

# (op, message) -> status and the encoded reply, None when there is none.
HostCall = Callable[[int, bytes], tuple[int, bytes | None]]


class Trap(Exception):  # noqa: N818 - WebAssembly's own word
    """The guest trapped; its memory is in an unknown state. Never leaves the package.

    Attributes:
        code: Name of the trap code, such as `OUT_OF_FUEL`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class _Running(threading.local):
    """The instance whose code runs on this thread; imports find it here."""

    instance: Instance | None = None


_running = _Running()


def _host_call(_environment: object, _caller: object, values: Any, _count: int) -> int:  # noqa: ANN401 - a ctypes pointer
    instance = _running.instance
    status: int = Status.STOP
    try:
        assert instance is not None
        op, address, length = values[0].i32, values[1].i32 & _U32, values[2].i32 & _U32
        status, reply = instance.on_host_call(op, instance.read(address, length))
        if reply is not None:
            instance.write(reply)
            instance.control.reply_bytes = len(reply)
    except BaseException as error:  # noqa: BLE001 - whatever it is, it waits until the export has returned
        status = Status.STOP
        if instance is not None and instance.pending is None:
            instance.pending = error
    values[0].i32 = status
    return 0


_host_call_pointer = ffi.wasmtime_func_unchecked_callback_t(_host_call)


class Instance:
    """One instance and its store. Not thread-safe: its owner lets one thread in at a time.

    Attributes:
        control: The control block, a live view of guest memory.
        pending: The exception an import left behind; whoever called the export takes it.
        image: What the instance was made from.
    """

    __slots__ = (
        "_base",
        "_context",
        "_exports",
        "_instance",
        "_memory",
        "_size",
        "_store",
        "_values",
        "control",
        "depth",
        "image",
        "on_host_call",
        "pending",
    )

    def __init__(self, memory_bytes: int, on_host_call: HostCall) -> None:
        """Instantiate the guest.

        Args:
            memory_bytes: The most linear memory it may ever have.
            on_host_call: Answers `sandbox.call`; runs on the thread that called the export. What it raises unwinds the
                guest and is then raised by `call`.

        Raises:
            ArtifactError: The compiled guest cannot be used.
            SandboxError: The process has no address space for another instance.
        """
        self.image: Image = image(_host_call_pointer)
        self.on_host_call = on_host_call
        self.pending: BaseException | None = None
        self.depth = 0
        self._exports: dict[str, Any] = {}
        self._values = _RawValues()
        self._size = 0
        self._store: Any = ffi.wasmtime_store_new(self.image.engine.ptr(), None, _NO_FINALIZER)
        self._context = ffi.wasmtime_store_context(self._store)
        try:
            ffi.wasmtime_store_limiter(self._store, memory_bytes, -1, -1, -1, -1)
            _check(ffi.wasmtime_context_set_wasi(self._context, ffi.wasi_config_new()))
            self._instance = ffi.wasmtime_instance_t()
            trap = _TrapPointer()
            # Nothing runs at instantiation, but wasmtime wants fuel before it looks.
            self.set_fuel(1 << 40)
            error = ffi.wasmtime_instance_pre_instantiate(
                self.image.pre.ptr(), self._context, ctypes.byref(self._instance), ctypes.byref(trap)
            )
            if error:
                raise SandboxError(f"no room for another sandbox in this process: {_error_text(error)}")
            if trap:
                raise _trap(trap)
            self._memory = self._export(b"memory").of.memory
            self._base: int = ctypes.cast(
                ffi.wasmtime_memory_data(self._context, ctypes.byref(self._memory)), ctypes.c_void_p
            ).value or 0
            self.control = Control.from_address(self._base + (self.call("control") & _U32))
        except BaseException:
            self.close()
            raise

    def call(self, name: str, first: int = 0, second: int = 0, third: int = 0) -> int:
        """Call an export and return its i32.

        Raises:
            Trap: The guest trapped; the instance must not be used again.
        """
        values = self._values if self.depth == 0 else _RawValues()
        values[0].i32, values[1].i32, values[2].i32 = first, second, third
        function = self._exports.get(name) or self._function(name)
        trap = _TrapPointer()
        before = _running.instance
        _running.instance = self
        self.depth += 1
        try:
            error = ffi.wasmtime_func_call_unchecked(
                self._context, function, values, _RAW_VALUES, ctypes.byref(trap)
            )
        finally:
            self.depth -= 1
            _running.instance = before
        if error:
            raise Trap("ERROR", _error_text(error))
        if trap:
            raise _trap(trap)
        return int(values[0].i32)

    def read(self, address: int, length: int) -> bytes:
        """Copy guest memory.

        Raises:
            GuestProtocolError: The range is outside the guest's memory, or longer than any message may be.
        """
        if length > _abi.CAP_MESSAGE_BYTES or address + length > self._size and address + length > self.memory_bytes():
            raise GuestProtocolError(f"the guest named {length:,} bytes at {address:#x}, which it does not have")
        return ctypes.string_at(self._base + address, length)

    def write(self, message: bytes) -> None:
        """Copy a message into the guest's inbox.

        Raises:
            MemoryError: The guest has no room for it.
            GuestProtocolError: The guest named an inbox outside its memory.
        """
        length = len(message)
        control = self.control
        if length > control.inbox_bytes and not self.call("reserve", length):
            raise MemoryError("the guest has no room for the message")
        address = control.inbox
        if length > control.inbox_bytes or address + length > self._size and address + length > self.memory_bytes():
            raise GuestProtocolError("the guest's inbox is outside its memory")
        ctypes.memmove(self._base + address, message, length)

    def memory_bytes(self) -> int:
        """Size of the linear memory now; it never shrinks."""
        self._size = ffi.wasmtime_memory_data_size(self._context, ctypes.byref(self._memory))
        return self._size

    def set_fuel(self, fuel: int) -> None:
        """Set what is left in the tank, in wasmtime's units."""
        _check(ffi.wasmtime_context_set_fuel(self._context, fuel))

    def fuel(self) -> int:
        """What is left in the tank, in wasmtime's units."""
        left = ctypes.c_uint64()
        _check(ffi.wasmtime_context_get_fuel(self._context, ctypes.byref(left)))
        return left.value

    def close(self) -> None:
        """Free the instance; idempotent. Its owner makes sure that nothing runs in it."""
        store, self._store = self._store, None
        if store is not None:
            self._exports.clear()
            ffi.wasmtime_store_delete(store)

    def __del__(self) -> None:
        if getattr(self, "_store", None) is not None:
            self.close()

    def _export(self, name: bytes) -> Any:  # noqa: ANN401 - a ctypes structure
        item = ffi.wasmtime_extern_t()
        buffer = ctypes.create_string_buffer(name, len(name))
        found = ffi.wasmtime_instance_export_get(
            self._context, ctypes.byref(self._instance), buffer, len(name), ctypes.byref(item)
        )
        assert found, name  # the image has checked the exports
        return item

    def _function(self, name: str) -> Any:  # noqa: ANN401 - a ctypes structure
        function = self._export(name.encode()).of.func
        self._exports[name] = function
        return function


_NO_FINALIZER: Final = ctypes.cast(None, ctypes.CFUNCTYPE(None, ctypes.c_void_p))


def _check(error: Any) -> None:  # noqa: ANN401 - a ctypes pointer
    if error:
        raise SandboxError(_error_text(error))


def _error_text(error: Any) -> str:  # noqa: ANN401 - a ctypes pointer
    return str(wasmtime.WasmtimeError._from_ptr(error)).splitlines()[0]  # noqa: SLF001 - frees the pointer


def _trap(pointer: Any) -> Trap:  # noqa: ANN401 - a ctypes pointer
    trap = wasmtime.Trap._from_ptr(pointer)  # noqa: SLF001 - frees the pointer
    code = trap.trap_code
    return Trap(code.name if code is not None else "UNKNOWN", trap.message.splitlines()[0])
