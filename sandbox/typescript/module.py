"""The WebAssembly module that makes JavaScript of TypeScript and JSX, and one request in an instance of it.

The parser is C, and strangers write what it reads. Therefore it runs as guests do: with a memory of its own that it
cannot leave, a limit of that memory, and fuel that grows with the source. An instance serves one request, so no source
can leave anything behind for the next one. The module imports nothing.
"""

from __future__ import annotations

import ctypes
import math
import os
import struct
import threading
from typing import Any, Final, NamedTuple

from sandbox import _faults, _wasmtime
from sandbox._code_cache import ARTIFACTS, compiled, digest_in, manifest
from sandbox._engine import Engine, Linked, Module
from sandbox._store import Trap, check, take_trap
from sandbox.errors import ArtifactError, CpuLimitExceeded, FuelLimitExceeded, MemoryLimitExceeded, SandboxError

NAME: Final = "typescript.wasm"
CACHE_KIND: Final = "typescript"
# An ordinary program takes 70 to 250 bytes for a byte of its source.
MEMORY_BYTES: Final = 1 << 30
STARTING_BYTES: Final = 64 << 20
_BYTES_OF_A_BYTE: Final = 512
# An ordinary program takes 4,000 units of fuel for a byte of its source; what a parser may need more than that is for
# sources that look like several things at once for long.
STARTING_FUEL: Final = 500_000_000
FUEL_OF_A_BYTE: Final = 40_000
# Programs burn from 4.5 to 10 thousand million units in a second.
_FUEL_OF_A_SECOND: Final = 5_000_000_000
_STACK_BYTES: Final = 1 << 20
_TABLE_ELEMENTS, _INSTANCES, _TABLES, _MEMORIES = 1 << 12, 1, 1, 1
_EXPORTS: Final = {"memory", "_initialize", "reserve", "outcome", "transform"}
_ADVICE: Final = "Give the program in smaller files."

_HEADER: Final = struct.Struct("<6I")
_RESULT: Final = struct.Struct("<9I")
_TRANSFORMED, _REFUSED, _OUT_OF_MEMORY = 1, 2, 3
_MAPPING_BYTES: Final = 16


class Refusal(NamedTuple):
    """What is wrong with a source.

    Attributes:
        message: In words.
        line: From 0.
        column_bytes: From 0, in bytes of the line's UTF-8.
    """

    message: str
    line: int
    column_bytes: int


class Answer(NamedTuple):
    """What became of a source.

    Attributes:
        code: JavaScript, in UTF-8.
        mappings: Line and column, then line and column in the source; four numbers of 32 bits each, one after another.
    """

    code: bytes
    mappings: memoryview[int]


class _Image:
    """The module, compiled and linked. Thread-safe."""

    def __init__(self, directory: str = ARTIFACTS) -> None:
        self.engine = Engine("fuel", stack_bytes=_STACK_BYTES, reservation_bytes=MEMORY_BYTES)
        _faults.remember()
        digest = digest_in(manifest(directory).get("typescript"))
        module = compiled(self.engine, NAME, digest, CACHE_KIND, directory)
        _check_boundary(module)
        self.linked: Linked = module.link(self.engine, {})


def _check_boundary(module: Module) -> None:
    odd = {f"{where}.{name}" for where, name in module.imports()} | (_EXPORTS ^ module.exports().keys())
    if odd:
        raise ArtifactError(f"{NAME} does not fit this package: {', '.join(sorted(odd))}")


class _Instance:
    """One instance in a store of its own; freed by `close`."""

    def __init__(self, image: _Image, fuel: int, memory_bytes: int) -> None:
        self._fuel = fuel
        self._store: int = _wasmtime.store_new(image.engine.address, None, None)
        self._context: int = _wasmtime.store_context(self._store)
        try:
            _wasmtime.store_limiter(self._store, memory_bytes, _TABLE_ELEMENTS, _INSTANCES, _TABLES, _MEMORIES)
            check(_wasmtime.set_wasi(self._context, _wasmtime.wasi_config_new()))
            check(_wasmtime.set_fuel(self._context, fuel))
            self._instance = _wasmtime.Instance()
            trap = ctypes.c_void_p()
            error = _wasmtime.instantiate(
                image.linked.address, self._context, ctypes.addressof(self._instance), ctypes.addressof(trap)
            )
            if error:
                raise SandboxError(f"no room for the TypeScript module: {_wasmtime.take_error(error)}")
            if trap.value:
                raise take_trap(trap)
            self._memory = self._export("memory")
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Free everything."""
        _wasmtime.store_delete(self._store)

    def call(self, name: str, argument: int = 0) -> int:
        """Call an export.

        Raises:
            Trap: The module trapped.
        """
        function = self._export(name)
        values = _wasmtime.RawValues()
        values[0].i32 = argument
        trap = ctypes.c_void_p()
        _faults.put_in_front()
        check(
            _wasmtime.func_call(
                self._context,
                ctypes.addressof(function) + _wasmtime.ITEM_OFFSET,
                ctypes.addressof(values),
                _wasmtime.RAW_VALUES,
                ctypes.addressof(trap),
            )
        )
        if trap.value:
            raise take_trap(trap)
        return int(values[0].i32) & 0xFFFFFFFF

    def write(self, address: int, data: bytes) -> None:
        """Write into its memory."""
        ctypes.memmove(self._place(address, len(data)), data, len(data))

    def read(self, address: int, length: int) -> bytes:
        """Read from its memory."""
        return ctypes.string_at(self._place(address, length), length)

    def _place(self, address: int, length: int) -> int:
        item = ctypes.addressof(self._memory) + _wasmtime.ITEM_OFFSET
        if address + length > _wasmtime.memory_data_size(self._context, item):
            raise SandboxError("the TypeScript module named memory that it does not have")
        return int(_wasmtime.memory_data(self._context, item)) + address

    def _export(self, name: str) -> Any:  # noqa: ANN401 - a structure of ctypes
        item = _wasmtime.Extern()
        text = name.encode()
        found = _wasmtime.export_get(
            self._context, ctypes.addressof(self._instance), text, len(text), ctypes.addressof(item)
        )
        assert found, name  # the image has checked the exports
        return item


_image: _Image | None = None
_lock = threading.Lock()


def _forget_lock() -> None:
    """Whatever thread held the lock, it is not in a forked child."""
    global _lock
    _lock = threading.Lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_lock)


def _loaded() -> _Image:
    global _image
    if _image is None:
        with _lock:
            if _image is None:
                _image = _Image()
    return _image


def request(
    language: int, flags: int, texts: tuple[bytes, bytes, bytes], source: bytes, seconds: float | None = None
) -> Answer | Refusal:
    """Make JavaScript of one source. Thread-safe; other threads run meanwhile.

    Args:
        language: The number of the grammar, see `wasm/typescript/transform.h`.
        flags: Likewise.
        texts: What JSX calls, what fragments are, and where both are imported from.
        source: In UTF-8.
        seconds: The CPU time that there is for it; None: as much as it may need.

    Raises:
        ArtifactError: The module is missing, damaged, or not this package's.
        MemoryLimitExceeded: The source needs more memory than any source of its length should, or than `MEMORY_BYTES`.
        CpuLimitExceeded: It takes longer than there is time.
        FuelLimitExceeded: It takes longer than any source of its length should.
        SandboxError: The module has failed; or the process has no room for another instance.
    """
    message = b"".join(
        [
            _HEADER.pack(language, flags, *(len(text) for text in texts), len(source)),
            *(text + b"\0" for text in texts),
            source,
            b"\0",
        ]
    )
    if len(message) > MEMORY_BYTES // 4:
        raise MemoryLimitExceeded(MEMORY_BYTES, advice=_ADVICE)
    fuel = STARTING_FUEL + FUEL_OF_A_BYTE * len(source)
    affordable = math.inf if seconds is None else seconds * _FUEL_OF_A_SECOND
    is_hurried = affordable < fuel
    if is_hurried:
        fuel = int(affordable)
    memory_bytes = min(STARTING_BYTES + _BYTES_OF_A_BYTE * len(source), MEMORY_BYTES)
    instance = _Instance(_loaded(), fuel, memory_bytes)
    try:
        try:
            address = instance.call("reserve", len(message))
            instance.write(address, message)
            instance.call("transform", address)
        except Trap as trap:
            if trap.code == "OUT_OF_FUEL":
                if is_hurried:
                    raise CpuLimitExceeded(seconds or 0.0) from None
                raise FuelLimitExceeded(fuel, advice=_ADVICE) from None
            return _after_trap(instance, trap, memory_bytes)
        status, code, code_bytes, mappings, count, *_ = _result(instance)
        if status != _TRANSFORMED:
            raise SandboxError("the TypeScript module has not finished")
        found = memoryview(instance.read(mappings, count * _MAPPING_BYTES)).cast("I")
        return Answer(instance.read(code, code_bytes), found)
    finally:
        instance.close()


def _result(instance: _Instance) -> tuple[int, ...]:
    return _RESULT.unpack(instance.read(instance.call("outcome"), _RESULT.size))


def _after_trap(instance: _Instance, trap: Trap, memory_bytes: int) -> Refusal:
    """What ends a request early is a trap, after which its memory can still be read."""
    status, *_, message, message_bytes, line, column_bytes = _result(instance)
    if status == _OUT_OF_MEMORY:
        raise MemoryLimitExceeded(memory_bytes, advice=_ADVICE) from None
    if status != _REFUSED:
        raise SandboxError(f"the TypeScript module failed: {trap}") from None
    return Refusal(instance.read(message, message_bytes).decode("utf-8", "replace"), line, column_bytes)
