"""The few functions of wasmtime's C API that every turn uses, with prototypes chosen for speed.

wasmtime-py's own wrappers cost several times the calls themselves. Addresses are passed as plain integers. Only the
functions that run guest code release the GIL; the others return at once.
"""

from __future__ import annotations

import ctypes
from typing import Any, Final

from wasmtime import _ffi as ffi

_RELEASING: Final = ctypes.CDLL(ffi.dll._name)
_HOLDING: Final = ctypes.PyDLL(ffi.dll._name)

RAW_VALUES: Final = 4  # more than any export takes
RawValues: Final = ffi.wasmtime_val_raw_t * RAW_VALUES
RAW_VALUE_BYTES: Final = ctypes.sizeof(ffi.wasmtime_val_raw_t)

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
