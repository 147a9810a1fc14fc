"""The compiled guest: an engine and a pre-linked module for each way of metering, checked against the ABI table.

Compiling takes most of a second, so the machine code is cached for the user. A cache entry is native code: it is only
taken from a directory and a file that nobody else can write.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import json
import os
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from sandbox import _abi, _faults
from sandbox._epochs import Epochs
from sandbox.errors import ArtifactError
from sandbox.limits import PAGE_BYTES

if TYPE_CHECKING:
    from sandbox.limits import Metering

ARTIFACTS: Final = Path(__file__).parent / "_artifacts"

# The engine's own check sees the stack in linear memory, of which it uses 1.4 MiB; wasmtime's native stack must not end
# before that one. The hungriest recursion that is known takes 6.5 MiB of it with the clock as meter, 6.4 MiB with fuel;
# tests/test_recursion.py fails from 6.75 MiB on.
NATIVE_STACK_BYTES: Final = 7 << 20
# A memory that never moves lets the host keep its address; 4 GiB of address space is what that costs an instance.
MEMORY_RESERVATION_BYTES: Final = 4 << 30

# By what stops an instance, and whether the host tells its time.
KINDS: Final = ("fuel", "clock", "fuel, told", "clock, told")

_lock = threading.Lock()


def kind_of(metering: Metering, clock: int) -> str:
    """The kind of image with this way of metering, and with a function that tells the time or 0."""
    return f"{metering}, told" if clock else metering


class Image:
    """The guest, compiled and linked to its imports; instances are made from it. Thread-safe.

    Attributes:
        sha256: Of the wasm module, in hex: equal images make equal programs.
        metering: How its instances are stopped: see `Limits`.
        kind: One of `KINDS`.
        epochs: What moves the engine's epoch; None: it has none, instances have fuel.
        engine_address: The wasmtime engine.
        pre_address: The module with its imports resolved.
        memory_bytes: Linear memory that every instance has from its start.
        control_address: Of the control block in every instance; None until the first one was asked.
        heap_bytes: What the engine's heap holds from the start; likewise.
    """

    def __init__(
        self, host_call: int, directory: Path = ARTIFACTS, metering: Metering = "fuel", clock: int = 0
    ) -> None:
        """Load the guest.

        Args:
            host_call: The address of the function behind the import `sandbox.call`.
            directory: Where `guest.wasm` and `manifest.json` are.
            metering: How instances are to be stopped.
            clock: The address of the function that tells the time; 0: it is the machine's.

        Raises:
            ArtifactError: The guest is missing, damaged, or made for another ABI.
        """
        binary, self.sha256 = _read_artifact(directory)
        self.metering = metering
        self.kind = kind_of(metering, clock)
        self._engine = wasmtime.Engine(_config(metering))
        _faults.remember()
        module = _compiled(self._engine, binary, self.sha256, metering)
        _check_boundary(module)
        linker = wasmtime.Linker(self._engine)
        linker.define_wasi()  # only the clock of it can be reached: the module imports nothing else
        _define(linker, "sandbox", "call", "iii", host_call)
        if clock:
            linker.allow_shadowing = True
            _define(linker, "wasi_snapshot_preview1", "clock_time_get", "ili", clock)
        self._pre = linker.instantiate_pre(module)
        self.memory_bytes = _memory_bytes(module)
        self.control_address: int | None = None
        self.heap_bytes = 0
        self.engine_address = _address_of(self._engine.ptr())
        self.epochs = Epochs(self.engine_address, self._engine) if metering == "clock" else None
        self.pre_address = _address_of(self._pre.ptr())


def _address_of(pointer: Any) -> int:  # noqa: ANN401 - a ctypes pointer
    return ctypes.addressof(pointer.contents)


def image_digest(directory: Path = ARTIFACTS) -> str:
    """The hash of the compiled guest, as `Image.sha256`.

    Raises:
        ArtifactError: It cannot be used.
    """
    return _read_artifact(directory)[1]


def _read_artifact(directory: Path) -> tuple[bytes, str]:
    advice = "build it with `python -m wasm.build`, or install a wheel"
    try:
        binary = (directory / "guest.wasm").read_bytes()
        manifest = json.loads((directory / "manifest.json").read_text("utf-8"))
        expected, abi_version = manifest["sha256"], manifest["abi_version"]
    except FileNotFoundError:
        raise ArtifactError(f"the compiled guest is missing; {advice}") from None
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise ArtifactError(f"the compiled guest cannot be read ({error}); {advice}") from error
    if abi_version != _abi.VERSION:
        raise ArtifactError(f"the compiled guest speaks ABI {abi_version}, this package {_abi.VERSION}; {advice}")
    digest = hashlib.sha256(binary).hexdigest()
    if digest != expected:
        raise ArtifactError(f"the compiled guest is damaged: its hash is not that of its manifest; {advice}")
    return binary, digest


def _config(metering: Metering) -> wasmtime.Config:
    config = wasmtime.Config()
    if metering == "fuel":
        config.consume_fuel = True
    else:
        config.epoch_interruption = True
    pointer = config.ptr()
    # wasmtime aborts the process when its wasm stack is larger than the stack of its (unused) fibers.
    ffi.wasmtime_config_async_stack_size_set(pointer, 2 * NATIVE_STACK_BYTES)
    ffi.wasmtime_config_max_wasm_stack_set(pointer, NATIVE_STACK_BYTES)
    ffi.wasmtime_config_memory_may_move_set(pointer, False)
    ffi.wasmtime_config_memory_reservation_set(pointer, MEMORY_RESERVATION_BYTES)
    return config


def _compiled(engine: wasmtime.Engine, binary: bytes, sha256: str, metering: Metering) -> wasmtime.Module:
    # wasmtime itself refuses code of another version or CPU; its library's size keeps versions apart.
    library_bytes = Path(ffi.dll._name).stat().st_size
    key = hashlib.sha256(f"{library_bytes} {sys.platform} {_cpu()} {sha256} {metering}".encode()).hexdigest()
    entry = _cache_directory() / f"{key[:40]}.cwasm"
    if _is_private(entry):
        # What wasmtime refuses, a damaged file for one, is compiled again.
        with contextlib.suppress(wasmtime.WasmtimeError):
            return wasmtime.Module.deserialize_file(engine, str(entry))
    try:
        module = wasmtime.Module(engine, binary)
    except wasmtime.WasmtimeError as error:
        reason = str(error).splitlines()[0]
        raise ArtifactError(f"the compiled guest cannot be compiled for this machine: {reason}") from None
    with contextlib.suppress(OSError):  # a cache that cannot be written costs time, not correctness
        _write_private(entry, module.serialize())
    return module


def _cpu() -> str:
    return os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")


def _cache_directory() -> Path:
    configured = os.environ.get("SANDBOX_CACHE")
    if configured:
        return Path(configured)
    if sys.platform == "win32":
        base = Path(os.environ.get("LOCALAPPDATA") or Path("~/AppData/Local").expanduser())
    elif sys.platform == "darwin":
        base = Path("~/Library/Caches").expanduser()
    else:
        base = Path(os.environ.get("XDG_CACHE_HOME") or Path("~/.cache").expanduser())
    return base / "quickjs-sandbox"


def _is_private(entry: Path) -> bool:
    """Whether nobody but this user could have written the file: it is machine code that will be run."""
    if not hasattr(os, "getuid"):
        return entry.is_file()
    try:
        states = [entry.lstat(), entry.parent.stat()]
    except OSError:
        return False
    return all(state.st_uid in (os.getuid(), 0) and not state.st_mode & 0o022 for state in states)


def _write_private(entry: Path, code: bytes | bytearray) -> None:
    import tempfile  # with all that it imports, a tenth of what this package takes: only the first process needs it

    entry.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(dir=entry.parent, prefix=".", suffix=".tmp")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(code)
        Path(name).replace(entry)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise


def _check_boundary(module: wasmtime.Module) -> None:
    imports = {(entry.module, entry.name or "") for entry in module.imports}
    exports = {entry.name for entry in module.exports}
    wanted = {"memory", *_abi.EXPORTS}
    if imports - set(_abi.IMPORTS) or wanted - exports or exports - wanted:
        odd = sorted([f"{where}.{name}" for where, name in imports - set(_abi.IMPORTS)] + sorted(wanted ^ exports))
        raise ArtifactError(f"the compiled guest does not fit this package's ABI: {', '.join(odd)}")


def _memory_bytes(module: wasmtime.Module) -> int:
    types = [entry.type for entry in module.exports if isinstance(entry.type, wasmtime.MemoryType)]
    return PAGE_BYTES * sum(each.limits.min for each in types)


_TYPES: Final = {"i": wasmtime.ValType.i32, "l": wasmtime.ValType.i64}


def _define(linker: wasmtime.Linker, module: str, function: str, parameters: str, address: int) -> None:
    """Define an import as a C function, which takes these parameters and returns an i32."""
    signature = wasmtime.FuncType([_TYPES[each]() for each in parameters], [wasmtime.ValType.i32()])
    where, name = module.encode(), function.encode()
    error = ffi.wasmtime_linker_define_func_unchecked(
        linker.ptr(),
        ctypes.create_string_buffer(where, len(where)),
        len(where),
        ctypes.create_string_buffer(name, len(name)),
        len(name),
        signature.ptr(),
        ctypes.cast(address, ffi.wasmtime_func_unchecked_callback_t),
        None,
        ctypes.CFUNCTYPE(None, ctypes.c_void_p)(),  # null: there is nothing to finalize
    )
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)


_loaded: dict[str, Image] = {}


def _forget_lock() -> None:
    """Whatever thread held the lock, it is not in a forked child."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


def image(host_call: int, metering: Metering, clock: int = 0) -> Image:
    """The process's image of one kind, loaded at the first call with that call's functions. Thread-safe.

    Raises:
        ArtifactError: See `Image`.
    """
    key = kind_of(metering, clock)
    found = _loaded.get(key)
    if found is None:
        with _lock:
            found = _loaded.get(key)
            if found is None:
                found = _loaded[key] = Image(host_call, metering=metering, clock=clock)
    return found
