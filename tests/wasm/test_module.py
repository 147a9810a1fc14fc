"""The section rewriter, on small modules written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import wasmtime

from wasm.errors import BuildError
from wasm.module import (
    GRAIN_BYTES,
    PAGE_BYTES,
    Export,
    FunctionType,
    Global,
    Import,
    Module,
    Reader,
    occupied,
    signed,
    unsigned,
    vector,
)

COUNTER = """
(module
  (import "env" "tick" (func $tick (param i32 i64) (result i32)))
  (memory (export "memory") 1 9)
  (global $stack (mut i32) (i32.const 4096))
  (global i32 (i32.const -5))
  (func (export "peek") (param i32) (result i32) (i32.load8_u (local.get 0)))
  (func $poke (i32.store8 (i32.const 7) (i32.const 1)))
  (start $poke)
  (data (i32.const 1024) "hello"))
"""


def counter() -> Module:
    return Module.parse(bytes(wasmtime.wat2wasm(COUNTER)))


def test_round_trip_keeps_every_byte() -> None:
    binary = bytes(wasmtime.wat2wasm(COUNTER))
    assert Module.parse(binary).encode() == binary


def test_everything_asked_about_is_decoded() -> None:
    module = counter()
    assert module.imports() == [Import("env", "tick", "func", FunctionType(("i32", "i64"), ("i32",)))]
    assert module.exports() == [Export("memory", "memory", 0), Export("peek", "func", 1)]
    assert module.globals() == [Global("i32", True, 4096), Global("i32", False, -5)]
    assert module.memory() == (1, 9)
    assert module.data_addresses() == [1024]
    assert module.function_type(0) == FunctionType(("i32", "i64"), ("i32",))
    assert module.function_type(1) == FunctionType(("i32",), ("i32",))


def test_names_of_functions() -> None:
    entries = vector([unsigned(0) + unsigned(3) + b"one", unsigned(300) + unsigned(2) + b"\xc3\xa9"])
    other, names = b"\0" + unsigned(2) + b"\1m", b"\1" + unsigned(len(entries)) + entries
    sections = ((0, unsigned(4) + b"else" + b"?"), (0, unsigned(4) + b"name" + other + names))
    assert Module(sections).function_names() == {0: "one", 300: "\xe9"}
    assert counter().function_names() == {0: "tick", 2: "poke"}
    assert counter().without({0}).function_names() == {}


def test_frozen_heap_is_what_a_new_instance_sees() -> None:
    heap = bytearray(3 * PAGE_BYTES)
    marks = {0: 1, 5: 2, GRAIN_BYTES - 1: 3, 5 * GRAIN_BYTES: 4, 2 * PAGE_BYTES + 9: 5, 3 * PAGE_BYTES - 1: 6}
    for address, value in marks.items():
        heap[address] = value
    frozen = counter().with_heap(bytes(heap))
    assert frozen.memory() == (3, 9)

    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = wasmtime.Linker(engine)
    i32, i64 = wasmtime.ValType.i32(), wasmtime.ValType.i64()
    linker.define_func("env", "tick", wasmtime.FuncType([i32, i64], [i32]), lambda *_: 0)
    exports = linker.instantiate(store, wasmtime.Module(engine, frozen.encode())).exports(store)
    memory = exports["memory"]
    assert isinstance(memory, wasmtime.Memory)
    assert bytes(memory.read(store)) == bytes(heap)  # the old data segment and the start function left no trace


def test_renamed_exports_still_work() -> None:
    module = counter()
    changed = Module.parse(module.with_exports([Export("stack", "global", 0), *module.exports()[1:]]).encode())
    assert [entry.name for entry in changed.exports()] == ["stack", "peek"]
    wasmtime.Module.validate(wasmtime.Engine(), changed.encode())


@pytest.mark.parametrize(
    ("filled", "runs"),
    [
        ([], []),
        ([0], [(0, 1)]),
        ([0, 1, 2], [(0, 3)]),
        ([1, 3], [(1, 2), (3, 4)]),
        ([15], [(15, 16)]),
    ],
)
def test_only_occupied_grains_become_segments(filled: list[int], runs: list[tuple[int, int]]) -> None:
    heap = bytearray(16 * GRAIN_BYTES)
    for grain in filled:
        heap[grain * GRAIN_BYTES + 17] = 1
    assert occupied(bytes(heap)) == [(start * GRAIN_BYTES, end * GRAIN_BYTES) for start, end in runs]


@pytest.mark.parametrize("value", [0, 1, 63, 64, 127, 128, 16383, 16384, 2**31 - 1, 2**32 - 1])
def test_unsigned_integers_survive(value: int) -> None:
    assert Reader(unsigned(value)).unsigned() == value


@pytest.mark.parametrize("value", [0, 1, -1, 63, 64, -64, -65, 8191, 8192, -8193, 2**31 - 1, -(2**31)])
def test_signed_integers_survive(value: int) -> None:
    assert Reader(signed(value)).signed() == value


PASSIVE = '(module (memory 1) (func (memory.init 0 (i32.const 0) (i32.const 0) (i32.const 1))) (data "x"))'


@pytest.mark.parametrize(
    ("act", "complaint"),
    [
        (lambda: Module.parse(b"MZ"), "not a WebAssembly module of version 1"),
        (lambda: Module.parse(counter().encode()[:-3]), "cut short"),
        (lambda: Reader(b"\xff" * 12).unsigned(), "overlong"),
        (lambda: counter().with_heap(b"x"), "whole pages"),
        (lambda: counter().replacing(99, b""), "no section 99"),
        (lambda: Module.parse(bytes(wasmtime.wat2wasm("(module)"))).memory(), "exactly one memory"),
        (lambda: Module.parse(bytes(wasmtime.wat2wasm("(module (memory i64 1))"))).memory(), "64-bit"),
        (lambda: Module.parse(bytes(wasmtime.wat2wasm(PASSIVE))).data_addresses(), "constant address"),
    ],
)
def test_what_cannot_be_rewritten_is_refused(act: Callable[[], object], complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        act()
