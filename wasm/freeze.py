"""Run the bindings once and make the heap they leave the module's initial memory.

An instance of the frozen module starts with every web API in place: nothing is evaluated at start, and the pages are
shared copy-on-write. Whatever differs between instances (limits, seeds, clock) is set by the export `start`.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final

import msgpack
import wasmtime

from wasm.errors import BuildError
from wasm.module import Export, FunctionType, Import, Module

if TYPE_CHECKING:
    from wasm.table import Table

PREFIX: Final = "sandbox:"
ENTRY: Final = "index.js"
FIXED_CLOCK_NS: Final = 10**18  # any instant will do, as long as every build sees the same
CUSTOM_SECTION: Final = 0
_IMPORT: Final = re.compile(r'(?:from|import) "(?:\./|sandbox:)([^"]+)"')


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
    bytecode = _compile(_Run(binary, table), bindings)
    # A second instance only reads bytecode: the heap that is frozen holds no source text and no remains of parsing it.
    run = _Run(binary, table)
    for name in _in_order(bindings):
        run.step("define_module", f"define bindings/{name}", PREFIX + name, bytecode[name])
    if run.step("install", f"install bindings/{ENTRY}", PREFIX + ENTRY) is None:
        raise BuildError(f"cannot install bindings/{ENTRY}: it waits for something that never comes")
    run.step("collect", "collect the garbage of the bindings")
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


def _in_order(bindings: Mapping[str, str]) -> list[str]:
    """The bindings, each after those it imports: the engine links bytecode as it reads it."""
    imports = {
        name: {found for found in _IMPORT.findall(source) if found in bindings} for name, source in bindings.items()
    }
    try:
        return list(TopologicalSorter({name: sorted(imports[name]) for name in sorted(imports)}).static_order())
    except CycleError as error:
        raise BuildError("bindings import each other in a circle: " + " -> ".join(error.args[1])) from error


def _compile(run: _Run, bindings: Mapping[str, str]) -> dict[str, bytes]:
    for name in sorted(bindings):
        run.step("define_module", f"define bindings/{name}", PREFIX + name, bindings[name])
    compiled = {}
    for name in sorted(bindings):
        message = run.step("compile", f"compile bindings/{name}", PREFIX + name)
        bytecode = None if message is None else msgpack.unpackb(message[1:])
        if not isinstance(bytecode, bytes):
            raise BuildError(f"cannot compile bindings/{name}: the guest gave no bytecode")
        compiled[name] = bytecode
    return compiled


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


class _Run:
    """An instance that is run at build time, against a host that answers nothing."""

    def __init__(self, binary: bytes, table: Table) -> None:
        self._table = table
        self._offsets = {field.name: field.offset for field in table.control}
        self._refused: int | None = None
        engine = wasmtime.Engine()
        self._store = wasmtime.Store(engine)
        linker = wasmtime.Linker(engine)
        stop = table.enums["status"]["stop"]

        def call(op: int, _address: int, _length: int) -> int:
            self._refused = op
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
        """Call an export; returns its i32 as an unsigned number, or 0 when it has no result."""
        function = self._exports[name]
        assert isinstance(function, wasmtime.Func)
        try:
            result = function(self._store, *arguments)
        except (wasmtime.WasmtimeError, wasmtime.Trap) as error:
            raise BuildError(f"the guest trapped in {name} while the bindings were frozen: {error}") from error
        return int(result or 0) & 0xFFFFFFFF

    def step(self, name: str, purpose: str, *values: str | bytes) -> bytes | None:
        """Call an export with a message of values, read what it left in the outbox and insist on success.

        Returns:
            The message of the frame that says that what was started has finished; None: there is none.
        """
        arguments = []
        if values:
            message = b"\0" + b"".join(msgpack.packb(value) for value in values)
            address = self.call("reserve", len(message))
            if not address:
                raise BuildError(f"cannot {purpose}: the guest is out of memory")
            self._memory().write(self._store, message, address)
            arguments = [len(message)]
        status = self.call(name, *arguments)
        ops = {op.id: op.name for op in self._table.ops if not op.stem}
        finished: bytes | None = None
        for op, body in self._drain():
            kind = ops.get(op, "")
            if kind in ("fail", "uncaught"):
                raise BuildError(f"cannot {purpose}: {_describe(body, self._table.tags['error']['id'])}")
            if kind != "finish":
                raise BuildError(f"cannot {purpose}: it sent op {op} to the host, which is not there yet")
            finished = body
        if self._refused is not None:
            raise BuildError(f"cannot {purpose}: it called the host (op {self._refused}), which is not there yet")
        if status != self._table.enums["status"]["ok"]:
            raise BuildError(f"cannot {purpose}: status {status}")
        return finished

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

    def _drain(self) -> list[tuple[int, bytes]]:
        """Op and message of every frame in the outbox, which is empty afterwards."""
        heap, control = self.heap(), self.call("control")
        position, size = (
            struct.unpack_from("<I", heap, control + self._offsets[name])[0] for name in ("outbox", "outbox_bytes")
        )
        end, header, frames = position + size, self._table.frame["header_bytes"], []
        while position + header <= end:
            op, _, length = struct.unpack_from("<III", heap, position)
            position += header
            frames.append((op, heap[position : position + length]))
            position += length + 3 & ~3
        self._memory().write(self._store, bytes(4), control + self._offsets["outbox_bytes"])
        return frames


def _describe(message: bytes, error_tag: int) -> str:
    """An error value of the ABI as text: name, message, stack."""

    def extension(tag: int, data: bytes) -> Any:  # noqa: ANN401 whatever the payload holds
        return decode(data) if tag == error_tag else f"<extension {tag}>"

    def decode(data: bytes) -> Any:  # noqa: ANN401
        return msgpack.unpackb(data, ext_hook=extension, strict_map_key=False, unicode_errors="surrogatepass")

    try:
        value = decode(message[1:])
    except (ValueError, msgpack.UnpackException):
        return f"an error that cannot be read ({len(message)} bytes)"
    if isinstance(value, list) and len(value) >= 4:
        _, name, text, stack, *_ = value
        return f"{name}: {text}\n{stack or ''}".rstrip()
    return repr(value)
