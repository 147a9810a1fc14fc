"""The functions of wasmtime's C API that this package uses, with prototypes chosen for speed.

The library is the one in the wasmtime package of Python, whose own modules are not imported: they describe the whole
API, which takes longer than a sandbox's first program, and their wrappers cost several times the calls themselves.
tests/test_wasmtime.py compares every prototype and structure with theirs. Addresses are passed as plain integers. Only
the functions that run guest code or compile it release the GIL; the others return at once.
"""

from __future__ import annotations

import ctypes
import os
import sys
from importlib.util import find_spec
from typing import Any, Final

_LIBRARIES: Final = {"win32": "_wasmtime.dll", "darwin": "_libwasmtime.dylib"}
_MACHINES: Final = {"AMD64": "x86_64", "arm64": "aarch64", "ARM64": "aarch64"}


def machine() -> str:
    """What kind of processor this is, as the system calls it."""
    return os.uname().machine if hasattr(os, "uname") else os.environ.get("PROCESSOR_ARCHITECTURE", "")


def _library() -> str:
    spec = find_spec("wasmtime")
    if spec is None or spec.origin is None:
        raise ImportError("the package wasmtime is missing", name="wasmtime")
    folder = f"{sys.platform}-{_MACHINES.get(machine(), machine())}"
    name = _LIBRARIES.get(sys.platform, "_libwasmtime.so")
    found = os.path.join(os.path.dirname(spec.origin), folder, name)
    if not os.path.isfile(found):
        raise ImportError(f"the package wasmtime has no library for {folder}", name="wasmtime", path=found)
    return found


LIBRARY: Final = _library()
_RELEASING: Final = ctypes.CDLL(LIBRARY)
_HOLDING: Final = ctypes.PyDLL(LIBRARY)


class RawValue(ctypes.Union):
    """A value of a wasm function (`wasmtime_val_raw_t`)."""

    _fields_ = (("i32", ctypes.c_int32), ("i64", ctypes.c_int64), ("v128", ctypes.c_uint64 * 2))


class Instance(ctypes.Structure):
    """An instance in a store (`wasmtime_instance_t`)."""

    _fields_ = (("store", ctypes.c_uint64), ("index", ctypes.c_size_t))


class Extern(ctypes.Structure):
    """What an instance exports (`wasmtime_extern_t`): what kind of thing, and the thing at `ITEM_OFFSET`."""

    _fields_ = (("kind", ctypes.c_uint8), ("item", ctypes.c_uint64 * 3))


class Vector(ctypes.Structure):
    """Bytes, or pointers to things (`wasm_byte_vec_t` and its like)."""

    _fields_ = (("size", ctypes.c_size_t), ("data", ctypes.c_void_p))


ITEM_OFFSET: Final = Extern.item.offset
RAW_VALUES: Final = 4  # more than any export takes
RawValues: Final = RawValue * RAW_VALUES
RAW_VALUE_BYTES: Final = ctypes.sizeof(RawValue)
# The same memory as `RawValues`, for values that are i32: the one of each is its first word.
RawWords: Final = ctypes.c_int32 * (ctypes.sizeof(RawValues) // ctypes.sizeof(ctypes.c_int32))
WORDS_OF_VALUES: Final = range(0, len(RawWords()), RAW_VALUE_BYTES // ctypes.sizeof(ctypes.c_int32))
# Of `wasm_valkind_t` and `wasm_externkind_t`.
I32: Final = 0
I64: Final = 1
MEMORY: Final = 3
# By number; there are more, of what no guest here can use.
TRAP_CODES: Final = (
    "STACK_OVERFLOW",
    "MEMORY_OUT_OF_BOUNDS",
    "HEAP_MISALIGNED",
    "TABLE_OUT_OF_BOUNDS",
    "INDIRECT_CALL_TO_NULL",
    "BAD_SIGNATURE",
    "INTEGER_OVERFLOW",
    "INTEGER_DIVISION_BY_ZERO",
    "BAD_CONVERSION_TO_INTEGER",
    "UNREACHABLE",
    "INTERRUPT",
    "OUT_OF_FUEL",
)

_address = ctypes.c_void_p
_size = ctypes.c_size_t


def _function(library: Any, name: str, result: Any, *arguments: Any) -> Any:  # noqa: ANN401 - ctypes has no such types
    function = library[name]
    function.restype = result
    function.argtypes = arguments
    return function


# (context, function, values, count, trap) -> error
func_call: Final = _function(
    _RELEASING, "wasmtime_func_call_unchecked", _address, _address, _address, _address, _size, _address
)
# (instance_pre, context, instance, trap) -> error
instantiate: Final = _function(
    _RELEASING, "wasmtime_instance_pre_instantiate", _address, _address, _address, _address, _address
)
# (store)
store_delete: Final = _function(_RELEASING, "wasmtime_store_delete", None, _address)
# (engine, data, finalizer) -> store
store_new: Final = _function(_HOLDING, "wasmtime_store_new", _address, _address, _address, _address)
# (store) -> context
store_context: Final = _function(_HOLDING, "wasmtime_store_context", _address, _address)
# (store, memory bytes, table elements, instances, tables, memories); -1: no limit
store_limiter: Final = _function(_HOLDING, "wasmtime_store_limiter", None, _address, *[ctypes.c_int64] * 5)
# () -> WASI configuration that grants nothing
wasi_config_new: Final = _function(_HOLDING, "wasi_config_new", _address)
# (context, WASI configuration, which is taken) -> error
set_wasi: Final = _function(_HOLDING, "wasmtime_context_set_wasi", _address, _address, _address)
# (context, instance, name, length, item) -> found
export_get: Final = _function(
    _HOLDING, "wasmtime_instance_export_get", ctypes.c_bool, _address, _address, ctypes.c_char_p, _size, _address
)
# (context, memory) -> address
memory_data: Final = _function(_HOLDING, "wasmtime_memory_data", _address, _address, _address)
# (context, memory) -> bytes
memory_data_size: Final = _function(_HOLDING, "wasmtime_memory_data_size", _size, _address, _address)
# (context, memory, pages to add, pages before) -> error
memory_grow: Final = _function(
    _HOLDING, "wasmtime_memory_grow", _address, _address, _address, ctypes.c_uint64, _address
)
# (context, fuel) -> error
set_fuel: Final = _function(_HOLDING, "wasmtime_context_set_fuel", _address, _address, ctypes.c_uint64)
# (context, fuel) -> error
get_fuel: Final = _function(_HOLDING, "wasmtime_context_get_fuel", _address, _address, _address)
# (context, ticks from now)
set_epoch_deadline: Final = _function(_HOLDING, "wasmtime_context_set_epoch_deadline", None, _address, ctypes.c_uint64)
# (engine)
increment_epoch: Final = _function(_HOLDING, "wasmtime_engine_increment_epoch", None, _address)

# --- an engine and what it compiles ---

# () -> configuration
config_new: Final = _function(_HOLDING, "wasm_config_new", _address)
# (configuration, whether)
consume_fuel: Final = _function(_HOLDING, "wasmtime_config_consume_fuel_set", None, _address, ctypes.c_bool)
epoch_interruption: Final = _function(_HOLDING, "wasmtime_config_epoch_interruption_set", None, _address, ctypes.c_bool)
memory_may_move: Final = _function(_HOLDING, "wasmtime_config_memory_may_move_set", None, _address, ctypes.c_bool)
# (configuration, bytes)
async_stack_bytes: Final = _function(_HOLDING, "wasmtime_config_async_stack_size_set", None, _address, _size)
wasm_stack_bytes: Final = _function(_HOLDING, "wasmtime_config_max_wasm_stack_set", None, _address, _size)
memory_reservation_bytes: Final = _function(
    _HOLDING, "wasmtime_config_memory_reservation_set", None, _address, ctypes.c_uint64
)
# (configuration, which is taken) -> engine
engine_new: Final = _function(_HOLDING, "wasm_engine_new_with_config", _address, _address)
engine_delete: Final = _function(_HOLDING, "wasm_engine_delete", None, _address)
# (engine, wasm, bytes, module) -> error
module_new: Final = _function(_RELEASING, "wasmtime_module_new", _address, _address, ctypes.c_char_p, _size, _address)
# (engine, path, module) -> error
module_deserialize_file: Final = _function(
    _RELEASING, "wasmtime_module_deserialize_file", _address, _address, ctypes.c_char_p, _address
)
# (module, bytes) -> error
module_serialize: Final = _function(_RELEASING, "wasmtime_module_serialize", _address, _address, _address)
module_delete: Final = _function(_HOLDING, "wasmtime_module_delete", None, _address)
# (module, types)
module_imports: Final = _function(_HOLDING, "wasmtime_module_imports", None, _address, _address)
module_exports: Final = _function(_HOLDING, "wasmtime_module_exports", None, _address, _address)
# (type) -> name
import_module: Final = _function(_HOLDING, "wasm_importtype_module", ctypes.POINTER(Vector), _address)
import_name: Final = _function(_HOLDING, "wasm_importtype_name", ctypes.POINTER(Vector), _address)
export_name: Final = _function(_HOLDING, "wasm_exporttype_name", ctypes.POINTER(Vector), _address)
# (type) -> what it is
export_type: Final = _function(_HOLDING, "wasm_exporttype_type", _address, _address)
extern_kind: Final = _function(_HOLDING, "wasm_externtype_kind", ctypes.c_uint8, _address)
memory_type: Final = _function(_HOLDING, "wasm_externtype_as_memorytype_const", _address, _address)
# (type) -> pages
memory_minimum: Final = _function(_HOLDING, "wasmtime_memorytype_minimum", ctypes.c_uint64, _address)
import_types_delete: Final = _function(_HOLDING, "wasm_importtype_vec_delete", None, _address)
export_types_delete: Final = _function(_HOLDING, "wasm_exporttype_vec_delete", None, _address)

# --- what a module is linked to ---

# (engine) -> linker
linker_new: Final = _function(_HOLDING, "wasmtime_linker_new", _address, _address)
linker_delete: Final = _function(_HOLDING, "wasmtime_linker_delete", None, _address)
# (linker) -> error
define_wasi: Final = _function(_HOLDING, "wasmtime_linker_define_wasi", _address, _address)
# (linker, whether)
allow_shadowing: Final = _function(_HOLDING, "wasmtime_linker_allow_shadowing", None, _address, ctypes.c_bool)
# (linker, module, bytes, name, bytes, type, function, data, finalizer) -> error
define_function: Final = _function(
    _HOLDING,
    "wasmtime_linker_define_func_unchecked",
    _address,
    *(_address, ctypes.c_char_p, _size, ctypes.c_char_p, _size, _address, _address, _address, _address),
)
# (linker, module, linked module) -> error
instantiate_pre: Final = _function(_HOLDING, "wasmtime_linker_instantiate_pre", _address, _address, _address, _address)
instance_pre_delete: Final = _function(_HOLDING, "wasmtime_instance_pre_delete", None, _address)
# (kind) -> type
value_type: Final = _function(_HOLDING, "wasm_valtype_new", _address, ctypes.c_uint8)
# (types, count, type pointers, which are taken)
value_types_new: Final = _function(_HOLDING, "wasm_valtype_vec_new", None, _address, _size, _address)
# (parameters, results, which are taken) -> type
function_type_new: Final = _function(_HOLDING, "wasm_functype_new", _address, _address, _address)
function_type_delete: Final = _function(_HOLDING, "wasm_functype_delete", None, _address)

# --- what went wrong ---

# (error, bytes)
error_message: Final = _function(_HOLDING, "wasmtime_error_message", None, _address, _address)
error_delete: Final = _function(_HOLDING, "wasmtime_error_delete", None, _address)
# (trap, bytes)
trap_message: Final = _function(_HOLDING, "wasm_trap_message", None, _address, _address)
# (trap, code) -> whether it has one
trap_code: Final = _function(_HOLDING, "wasmtime_trap_code", ctypes.c_bool, _address, _address)
trap_delete: Final = _function(_HOLDING, "wasm_trap_delete", None, _address)
bytes_delete: Final = _function(_HOLDING, "wasm_byte_vec_delete", None, _address)


def take_bytes(vector: Vector) -> bytes:
    """What a vector of bytes holds, which is freed."""
    try:
        return ctypes.string_at(vector.data, vector.size)
    finally:
        bytes_delete(ctypes.addressof(vector))


def take_error(error: int) -> str:
    """The first line of an error's text; the error is freed."""
    text = Vector()
    error_message(error, ctypes.addressof(text))
    error_delete(error)
    return (take_bytes(text).decode("utf-8", "replace").splitlines() or ["unknown"])[0]
