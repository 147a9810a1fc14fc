"""Compiles functions of a live sandbox, and puts the code into its instance."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import time
from typing import TYPE_CHECKING, Any, Final

import wasmtime
from wasmtime import _ffi as ffi

from benchmarks.compiling import arithmetic, basics, bits, build, calls, comparisons, objects, unary, variables
from benchmarks.compiling.bytecode import Function, Refused, read
from benchmarks.compiling.helpers import HELPERS
from benchmarks.compiling.layout import Layout
from benchmarks.compiling.linking import encode
from benchmarks.compiling.translate import Translator
from sandbox import Sandbox, _callback, _image, _store, _wasmtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sandbox._engine import Module

MAX_FUNCTIONS: Final = 4000
MAX_MODULE_BYTES: Final = 1 << 20  # of one batch: what Cranelift may be given at once
TABLE_ELEMENTS: Final = 1 << 14
INSTANCES: Final = 4000
_EMITTERS: Final = (arithmetic, basics, bits, calls, comparisons, objects, unary, variables)  # they register themselves


@dataclasses.dataclass
class Compiled:
    """What became of one batch of functions.

    Attributes:
        functions: How many were compiled.
        refused: Reason -> how many were not.
        left: Instruction -> how many functions go back to the interpreter there.
        bytecode_bytes: Of those that were compiled.
        wasm_bytes: What was made of it.
        native_bytes: What wasmtime made of that.
        translate_seconds: Processor time of this compiler, in Python.
        compile_seconds: Of wasmtime's.
        link_seconds: To put the code into the instance.
    """

    functions: int = 0
    refused: dict[str, int] = dataclasses.field(default_factory=dict)
    left: dict[str, int] = dataclasses.field(default_factory=dict)
    bytecode_bytes: int = 0
    wasm_bytes: int = 0
    native_bytes: int = 0
    translate_seconds: float = 0.0
    compile_seconds: float = 0.0
    link_seconds: float = 0.0


@dataclasses.dataclass(frozen=True)
class _Installed:
    """A compiled function: where it is in memory and in the table, and what `c_install` is told."""

    address: int
    code: bytes
    slot: int
    caches: int
    copies: int


@contextlib.contextmanager
def prototype() -> Iterator[None]:
    """Let the sandboxes that are made meanwhile be of the prototype's guest, metered by fuel.

    Raises:
        BuildError: It cannot be built.
    """
    directory = build.build()
    check, before = _image._check_boundary, _image._loaded.get("fuel")
    shelf = _store._shelves["fuel"]
    _store._shelves["fuel"] = _store._Shelf()
    _image._check_boundary = lambda module: module.exports()  # it has more exports than the table
    try:
        _image._loaded["fuel"] = _image.Image(_callback.host_call_address, str(directory), "fuel")
        _image._check_boundary = check
        yield
    finally:
        _image._check_boundary = check
        _store._shelves["fuel"] = shelf
        if before is None:
            _image._loaded.pop("fuel", None)
        else:
            _image._loaded["fuel"] = before


class _GuestMemory:
    """Checked reads."""

    def __init__(self, instance: Any) -> None:  # noqa: ANN401
        self._instance = instance

    def read(self, address: int, length: int) -> bytes:
        return bytes(self._instance.read(address, length))

    def u16(self, address: int) -> int:
        return int.from_bytes(self.read(address, 2), "little")

    def u32(self, address: int) -> int:
        return int.from_bytes(self.read(address, 4), "little")


class Session:
    """The compiler of one sandbox; nothing may run in it meanwhile."""

    def __init__(self, box: Sandbox) -> None:
        """Take a sandbox of the prototype's guest (see `prototype`)."""
        self._instance = box._driver.guest.instance
        store = self._instance._store
        assert store is not None
        self._store: Any = store
        self._memory = _GuestMemory(self._instance)
        # Its store has a larger table and further instances, so that no other sandbox may have it.
        _wasmtime.store_limiter(store._store, self._instance._limit_bytes, TABLE_ELEMENTS, INSTANCES, 1, 1)
        store.trapped = True
        self._layout = Layout.read(self._memory, self._call("c_layout"))
        self._seen: set[int] = set()
        self._installed: list[_Installed] = []
        self._modules: list[Module] = []

    def _call(self, name: str, *arguments: int) -> int:
        return self._instance.call(name, arguments) & 0xFFFFFFFF

    def functions(self) -> list[tuple[int, int]]:
        """Addresses of all functions with bytecode, and how often the interpreter has begun each."""
        found: list[tuple[int, int]] = []
        address = self._call("c_next_function", 0)
        while address and len(found) < MAX_FUNCTIONS:
            found.append((address, self._memory.u32(address + self._layout.b_calls)))
            address = self._call("c_next_function", address)
        return found

    def compile(self, minimum_calls: int = 1) -> Compiled:
        """Compile every function of the program that was called so often, as one module, and let it be called."""
        result = Compiled()
        ready: list[tuple[Function, bytes, int, bool]] = []
        total = 0
        begun = time.process_time()
        for address, count in self.functions():
            if count < minimum_calls or address in self._seen:
                continue
            if not self._memory.u32(address + self._layout.b_filename):
                continue  # the bindings
            self._seen.add(address)
            try:
                function = read(self._memory, self._layout, address)
                translator = Translator(function, self._layout)
                body, caches = translator.translate()
                total += len(body)
                if total > MAX_MODULE_BYTES:
                    raise Refused("too much code at once")
            except Refused as error:
                result.refused[str(error)] = result.refused.get(str(error), 0) + 1
                continue
            for name in translator.left:
                result.left[name] = result.left.get(name, 0) + 1
            result.bytecode_bytes += len(function.code)
            ready.append((function, body, caches, translator.copies))
        result.translate_seconds = time.process_time() - begun
        if not ready:
            return result
        binary = encode([body for _, body, _, _ in ready])
        begun = time.process_time()
        module: Module = self._store.image._engine.compile(binary)
        result.compile_seconds = time.process_time() - begun
        result.functions, result.wasm_bytes = len(ready), len(binary)
        result.native_bytes = len(module.machine_code())
        begun = time.process_time()
        self._link(module, [(function, caches, int(copies)) for function, _, caches, copies in ready])
        result.link_seconds = time.process_time() - begun
        return result

    def _link(self, module: Module, ready: list[tuple[Function, int, int]]) -> None:
        store = self._store
        names = ["memory", *HELPERS]
        imports = (_wasmtime.Extern * len(names))(*(store._export(name.encode()) for name in names))
        instance, trap = ffi.wasmtime_instance_t(), ctypes.POINTER(ffi.wasm_trap_t)()
        context = ctypes.cast(store.context, ctypes.POINTER(ffi.wasmtime_context_t))
        _check(
            ffi.wasmtime_instance_new(
                context,
                ctypes.cast(module.address, ctypes.POINTER(ffi.wasmtime_module_t)),
                ctypes.cast(imports, ctypes.POINTER(ffi.wasmtime_extern_t)),
                len(names),
                ctypes.byref(instance),
                ctypes.byref(trap),
            )
        )
        self._modules.append(module)
        table = ffi.wasmtime_extern_t.from_buffer(store._export(build.TABLE.encode())).of.table
        for number, (function, caches, copies) in enumerate(ready):
            item = ffi.wasmtime_extern_t()
            name = b"f%d" % number
            found = _wasmtime.export_get(
                store.context, ctypes.addressof(instance), name, len(name), ctypes.addressof(item)
            )
            assert found
            value: Any = ffi.wasmtime_val_t()
            value.kind = ffi.WASMTIME_FUNCREF
            value.of.funcref = item.of.func
            slot = ctypes.c_uint64()
            _check(ffi.wasmtime_table_grow(context, ctypes.byref(table), 1, ctypes.byref(value), ctypes.byref(slot)))
            self._installed.append(_Installed(function.address, function.code, slot.value, caches, copies))
            self._install(self._installed[-1])

    def _install(self, one: _Installed) -> None:
        if not self._call("c_install", one.address, one.slot, one.caches, one.copies):
            raise MemoryError("no room for inline caches")

    @contextlib.contextmanager
    def interpreted(self) -> Iterator[None]:
        """Let no function be compiled meanwhile: so a snapshot names no slot that its copies would not have."""
        present = {address for address, _ in self.functions()}
        for one in self._installed:
            if one.address in present:
                self._call("c_install", one.address, 0, 0, 0)
        try:
            yield
        finally:
            present = {address for address, _ in self.functions()}
            for one in self._installed:
                if one.address in present and read(self._memory, self._layout, one.address).code == one.code:
                    self._install(one)


def _check(error: Any) -> None:  # noqa: ANN401 - a ctypes pointer
    if error:
        raise wasmtime.WasmtimeError._from_ptr(error)
