"""Run the bindings once and make the heap they leave the module's initial memory.

An instance of the frozen module starts with every web API in place: nothing is evaluated at start, and the pages are
shared copy-on-write. Whatever differs between instances (limits, seeds, clock) is set by the export `start`.
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

import wasmtime

from wasm.boot import ENTRY, Booted, compile_bindings, install_bindings
from wasm.errors import BuildError
from wasm.module import Export, FunctionType, Import, Module

if TYPE_CHECKING:
    from wasm.table import Table

FIXED_CLOCK_NS: Final = 10**18  # any instant will do, as long as every build sees the same
CUSTOM_SECTION: Final = 0


def freeze(linked: bytes, table: Table, bindings: Mapping[str, str]) -> bytes:
    """Freeze a linked guest.

    Args:
        linked: The module as the linker made it.
        table: The boundary; the module must import and export exactly what it says.
        bindings: File name -> JavaScript source; `index.js` is the one that installs the others.

    Returns:
        The module with the heap inside, without `_initialize`, names and other custom sections.

    Raises:
        BuildError: The module's imports or exports are not those of the table, a binding fails (the text shows the
            JavaScript error with its file and line), or the guest traps or calls the host.
    """
    if ENTRY not in bindings:
        raise BuildError(f"bindings/{ENTRY} is missing")
    module = Module.parse(linked)
    check_boundary(module, table)
    exports = module.exports()
    probes = [
        Export(f"global:{index}", "global", index) for index, entry in enumerate(module.globals()) if entry.mutable
    ]
    binary = module.with_exports([*exports, *probes]).encode()
    bytecode = compile_bindings(_Run(binary, table), bindings)
    # A second instance only reads bytecode: the heap that is frozen holds no source text and no remains of parsing it.
    run = _Run(binary, table)
    install_bindings(run, bytecode, bindings)
    stack_bytes = 0
    for probe in probes:
        before, after = module.globals()[probe.number].value, run.read_global(probe.name)
        if before != after:
            raise BuildError(f"global {probe.number} of the guest is {after} after the bindings ran and was {before}")
        stack_bytes = before or 0
    heap = run.heap()
    if len(probes) == 1 and all(address >= stack_bytes for address in module.data_addresses()):
        # The one mutable global is the stack pointer, and it is back at the top: what lies below is dead.
        heap = bytes(stack_bytes) + heap[stack_bytes:]
    frozen = module.with_exports([export for export in exports if export.name != "_initialize"])
    return frozen.without({CUSTOM_SECTION}).with_heap(heap).encode()


def check_boundary(module: Module, table: Table, *, frozen: bool = False) -> None:
    """Compare a module's imports and exports, with their types, to the table.

    Args:
        module: The module.
        table: The boundary.
        frozen: Whether `_initialize` must be gone.

    Raises:
        BuildError: Something is missing, too much, or of another type; the text lists it.
    """
    imports = {
        Import(where, name, "func", FunctionType(tuple(params), tuple(results)))
        for (where, name), (params, results) in table.imports.items()
    }
    found_imports = set(module.imports())
    unknown = sorted(found_imports - imports, key=lambda entry: (entry.module, entry.name))
    complaints = [f"imports {entry.module}.{entry.name} as {_shape(entry)}" for entry in unknown]
    # An import the linker found unused is not in the module; the host provides it all the same.
    wanted: dict[str, tuple[str, int]] = {name: ("func", len(params)) for name, params in table.exports.items()}
    wanted |= {"memory": ("memory", 0)} if frozen else {"memory": ("memory", 0), "_initialize": ("func", 0)}
    found: dict[str, tuple[str, int]] = {}
    for export in module.exports():
        params: tuple[str, ...] = ()
        if export.kind == "func":
            params, results = module.function_type(export.number)
            if export.name in table.exports and (set(params) - {"i32"} or results != ("i32",)):
                complaints.append(f"exports {export.name} with the type {params} -> {results}")
        found[export.name] = (export.kind, len(params))
    complaints += [f"does not export {name}" for name in sorted(wanted.keys() - found.keys())]
    complaints += [f"exports {name}" for name in sorted(found.keys() - wanted.keys())]
    for name in sorted(wanted.keys() & found.keys()):
        if wanted[name] != found[name]:
            complaints.append(f"exports {name} as {found[name]}, not {wanted[name]}")
    if complaints:
        raise BuildError("the guest does not fit wasm/abi.toml: it " + "; ".join(complaints))


def _shape(entry: Import) -> str:
    return (
        entry.kind if entry.type is None else f"({', '.join(entry.type.params)}) -> ({', '.join(entry.type.results)})"
    )


class _Run(Booted):
    """An instance of the linked module."""

    def __init__(self, binary: bytes, table: Table) -> None:
        super().__init__(table)
        engine = wasmtime.Engine()
        self._store = wasmtime.Store(engine)
        linker = wasmtime.Linker(engine)
        stop = table.enums["status"]["stop"]

        def call(op: int, _address: int, _length: int) -> int:
            self.refused = op
            return stop

        def clock_time_get(caller: wasmtime.Caller, _clock: int, _precision: int, address: int) -> int:
            memory = caller["memory"]
            assert isinstance(memory, wasmtime.Memory)
            memory.write(caller, struct.pack("<Q", FIXED_CLOCK_NS), address & 0xFFFFFFFF)
            return 0

        i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
        linker.define_func("sandbox", "call", wasmtime.FuncType([i32, i32, i32], [i32]), call)
        clock_type = wasmtime.FuncType([i32, i64, i32], [i32])
        linker.define_func("wasi_snapshot_preview1", "clock_time_get", clock_type, clock_time_get, access_caller=True)
        try:
            module = wasmtime.Module(engine, binary)
            self._exports = linker.instantiate(self._store, module).exports(self._store)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise BuildError(f"the linked guest cannot be instantiated: {error}") from error
        self.call("_initialize")
        self.step("boot", "boot the engine")

    def call(self, name: str, *arguments: int) -> int:
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            result = function(self._store, *arguments)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise BuildError(f"the guest trapped in {name} while the bindings were frozen: {error}") from error
        return int(result or 0) & 0xFFFFFFFF

    def read(self, address: int, length: int) -> bytes:
        return bytes(self._memory().read(self._store, address, address + length))

    def write(self, address: int, data: bytes) -> None:
        self._memory().write(self._store, data, address)

    def read_global(self, name: str) -> int:
        """The value of an exported i32 global."""
        entry = self._exports[name]
        assert isinstance(entry, wasmtime.Global)
        return int(entry.value(self._store))

    def heap(self) -> bytes:
        """The whole linear memory."""
        return bytes(self._memory().read(self._store))

    def _memory(self) -> wasmtime.Memory:
        memory = self._exports["memory"]
        assert isinstance(memory, wasmtime.Memory)
        return memory
