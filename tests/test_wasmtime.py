"""The prototypes and structures of wasmtime's C API agree with those of the wasmtime package, which has all of them."""

from __future__ import annotations

import ctypes
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import wasmtime
from wasmtime import _bindings
from wasmtime import _ffi as ffi

from sandbox import _wasmtime

_CFuncPtr = ctypes.CFUNCTYPE(None).__base__
FUNCTIONS = {each.__name__: each for each in vars(_wasmtime).values() if hasattr(each, "argtypes")}
ADDRESSES = (ctypes.c_void_p, ctypes.c_char_p)
INTEGERS = (
    *(ctypes.c_bool, ctypes.c_uint8, ctypes.c_int32, ctypes.c_uint32),
    *(ctypes.c_int64, ctypes.c_uint64, ctypes.c_size_t),
)


def kind(type_: Any) -> object:
    """How a value of a C type is passed."""
    if type_ is None:
        return None
    if type_ in INTEGERS:
        return ctypes.sizeof(type_), type_(-1).value  # the same for signed ones of one size
    assert type_ in ADDRESSES or issubclass(type_, ctypes._Pointer | _CFuncPtr), type_
    return "address"


def test_there_are_functions() -> None:
    assert {"wasmtime_func_call_unchecked", "wasmtime_module_new", "wasmtime_store_delete"} <= FUNCTIONS.keys()
    assert len(FUNCTIONS) > 40


@pytest.mark.parametrize("name", sorted(FUNCTIONS))
def test_prototypes(name: str) -> None:
    ours, theirs = FUNCTIONS[name], getattr(_bindings, f"_{name}")

    assert [kind(each) for each in ours.argtypes] == [kind(each) for each in theirs.argtypes]
    assert kind(ours.restype) == kind(theirs.restype)


@pytest.mark.parametrize(
    ("ours", "theirs"),
    [
        (_wasmtime.RawValue, ffi.wasmtime_val_raw_t),
        (_wasmtime.Instance, ffi.wasmtime_instance_t),
        (_wasmtime.Extern, ffi.wasmtime_extern_t),
        (_wasmtime.Vector, ffi.wasm_byte_vec_t),
        (_wasmtime.Vector, ffi.wasm_importtype_vec_t),
        (_wasmtime.Vector, ffi.wasm_exporttype_vec_t),
        (_wasmtime.Vector, ffi.wasm_valtype_vec_t),
    ],
    ids=lambda each: each.__name__,
)
def test_structures(ours: Any, theirs: Any) -> None:
    assert (ctypes.sizeof(ours), ctypes.alignment(ours)) == (ctypes.sizeof(theirs), ctypes.alignment(theirs))
    offsets = [[getattr(each, name).offset for name, *_ in each._fields_] for each in (ours, theirs)]
    assert offsets[0] == offsets[1][: len(offsets[0])]


def test_numbers() -> None:
    assert Path(_wasmtime.LIBRARY).samefile(ffi.dll._name)
    assert (ffi.WASM_I32.value, ffi.WASM_I64.value) == (_wasmtime.I32, _wasmtime.I64)
    memory = wasmtime.MemoryType(wasmtime.Limits(1, None))
    kind_of_memory: Any = _bindings.wasm_externtype_kind(_bindings.wasm_memorytype_as_externtype(memory.ptr()))
    assert kind_of_memory == _wasmtime.MEMORY
    assert dict(enumerate(_wasmtime.TRAP_CODES)) == {
        code.value: code.name for code in wasmtime.TrapCode if code.value < len(_wasmtime.TRAP_CODES)
    }


@pytest.mark.parametrize(
    ("change", "text"),
    [
        ("importlib.util.find_spec = lambda name: None", "the package wasmtime is missing"),
        ("sys.platform = 'plan9'", "no library for plan9-"),
    ],
)
def test_a_package_without_the_library(change: str, text: str) -> None:
    program = f"import importlib.util, sys; {change}; import sandbox._wasmtime"
    ended = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert "ImportError" in ended.stderr
    assert text in ended.stderr


def test_programs_need_nothing_else_of_the_package() -> None:
    """Importing it takes longer than a sandbox and its first program."""
    program = "import sandbox, sys; sandbox.eval('1 + 1'); sys.exit('wasmtime' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
