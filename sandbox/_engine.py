"""An engine of wasmtime, a module that it compiled, and the module linked to its imports. Each frees what it holds."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping
from typing import TYPE_CHECKING, Final

from sandbox import _wasmtime
from sandbox.limits import PAGE_BYTES

if TYPE_CHECKING:
    from sandbox.limits import Metering

_TYPES: Final = {"i": _wasmtime.I32, "l": _wasmtime.I64}


class EngineError(Exception):
    """wasmtime refuses something; the text is its own. Never leaves the package."""


class _Held:
    """Something of wasmtime's.

    Attributes:
        address: Where it is.
    """

    __slots__ = ("_delete", "address")

    def __init__(self, address: int, delete: Callable[[int], None]) -> None:
        self.address, self._delete = address, delete

    def __del__(self) -> None:
        self._delete(self.address)


class Engine(_Held):
    """Compiles modules and runs them. Thread-safe."""

    __slots__ = ()

    def __init__(self, metering: Metering, *, stack_bytes: int, reservation_bytes: int) -> None:
        """An engine.

        Args:
            metering: What stops its guests.
            stack_bytes: Native stack that wasm may use.
            reservation_bytes: Address space of each memory, which never moves.
        """
        config = _wasmtime.config_new()
        (_wasmtime.consume_fuel if metering == "fuel" else _wasmtime.epoch_interruption)(config, True)
        # wasmtime aborts the process when its wasm stack is larger than the stack of its (unused) fibers.
        _wasmtime.async_stack_bytes(config, 2 * stack_bytes)
        _wasmtime.wasm_stack_bytes(config, stack_bytes)
        _wasmtime.memory_may_move(config, False)
        _wasmtime.memory_reservation_bytes(config, reservation_bytes)
        super().__init__(_wasmtime.engine_new(config), _wasmtime.engine_delete)

    def compile(self, binary: bytes) -> Module:
        """Compile a wasm module.

        Raises:
            EngineError: It is none, or asks for what this engine lacks.
        """
        module = ctypes.c_void_p()
        _check(_wasmtime.module_new(self.address, binary, len(binary), ctypes.addressof(module)))
        return Module(module.value or 0, _wasmtime.module_delete)

    def load(self, path: str) -> Module:
        """Map a file of machine code, as `Module.machine_code` gave it; its maker is trusted.

        Raises:
            EngineError: It is damaged, or was made for another engine.
        """
        module = ctypes.c_void_p()
        _check(_wasmtime.module_deserialize_file(self.address, os.fsencode(path), ctypes.addressof(module)))
        return Module(module.value or 0, _wasmtime.module_delete)


class Module(_Held):
    """A compiled module."""

    __slots__ = ()

    def machine_code(self) -> bytes:
        """What `Engine.load` takes.

        Raises:
            EngineError: wasmtime cannot write it.
        """
        code = _wasmtime.Vector()
        _check(_wasmtime.module_serialize(self.address, ctypes.addressof(code)))
        return _wasmtime.take_bytes(code)

    def imports(self) -> set[tuple[str, str]]:
        """What it needs: modules, and names in them."""
        types = _wasmtime.Vector()
        _wasmtime.module_imports(self.address, ctypes.addressof(types))
        found = {(_text(_wasmtime.import_module(each)), _text(_wasmtime.import_name(each))) for each in _items(types)}
        _wasmtime.import_types_delete(ctypes.addressof(types))
        return found

    def exports(self) -> dict[str, int]:
        """What it gives: names, each with the bytes of memory it begins with, which is 0 for what is no memory."""
        types = _wasmtime.Vector()
        _wasmtime.module_exports(self.address, ctypes.addressof(types))
        found = {_text(_wasmtime.export_name(each)): _memory_bytes(each) for each in _items(types)}
        _wasmtime.export_types_delete(ctypes.addressof(types))
        return found

    def link(self, engine: Engine, functions: Mapping[tuple[str, str], tuple[str, int]]) -> Linked:
        """Resolve its imports.

        Args:
            engine: The one that made it.
            functions: C functions by module and name, with the types of their parameters ("i" is i32, "l" is i64) and
                their addresses; each returns an i32. What is not among them is WASI's.

        Raises:
            EngineError: It imports something else.
        """
        linker = _Held(_wasmtime.linker_new(engine.address), _wasmtime.linker_delete)
        _check(_wasmtime.define_wasi(linker.address))
        _wasmtime.allow_shadowing(linker.address, True)
        for (module, name), (parameters, address) in functions.items():
            _define(linker, module.encode(), name.encode(), parameters, address)
        linked = ctypes.c_void_p()
        _check(_wasmtime.instantiate_pre(linker.address, self.address, ctypes.addressof(linked)))
        return Linked(linked.value or 0, _wasmtime.instance_pre_delete)


class Linked(_Held):
    """A module with its imports resolved, of which instances are made."""

    __slots__ = ()


def _check(error: int | None) -> None:
    if error:
        raise EngineError(_wasmtime.take_error(error))


def _items(types: _wasmtime.Vector) -> Iterator[int]:
    return iter((ctypes.c_void_p * types.size).from_address(types.data) if types.size else ())


def _text(name: ctypes._Pointer[_wasmtime.Vector]) -> str:
    return ctypes.string_at(name.contents.data, name.contents.size).decode()


def _memory_bytes(export: int) -> int:
    kind = _wasmtime.export_type(export)
    if _wasmtime.extern_kind(kind) != _wasmtime.MEMORY:
        return 0
    pages: int = _wasmtime.memory_minimum(_wasmtime.memory_type(kind))
    return PAGE_BYTES * pages


def _define(linker: _Held, module: bytes, name: bytes, parameters: str, address: int) -> None:
    takes, gives = _value_types(parameters), _value_types("i")
    made = _wasmtime.function_type_new(ctypes.addressof(takes), ctypes.addressof(gives))
    signature = _Held(made, _wasmtime.function_type_delete)
    _check(
        _wasmtime.define_function(
            linker.address, module, len(module), name, len(name), signature.address, address, None, None
        )
    )


def _value_types(letters: str) -> _wasmtime.Vector:
    types = (ctypes.c_void_p * len(letters))(*(_wasmtime.value_type(_TYPES[each]) for each in letters))
    vector = _wasmtime.Vector()
    _wasmtime.value_types_new(ctypes.addressof(vector), len(letters), ctypes.addressof(types))
    return vector
