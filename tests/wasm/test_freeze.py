"""Freezing, with a guest written by hand that speaks the ABI but runs no JavaScript."""

from __future__ import annotations

import re
import struct

import msgpack
import pytest
import wasmtime

from wasm.errors import BuildError
from wasm.freeze import check_boundary, freeze
from wasm.module import Module
from wasm.table import Table

TABLE = Table.load()
CONTROL, OUTBOX, INBOX, LOG = 1024, 2048, 4096, 65536
OFFSETS = {field.name: field.offset for field in TABLE.control}
OPS = {op.constant: op.id for op in TABLE.ops}


def escape(data: bytes) -> str:
    return "".join(f"\\{byte:02x}" for byte in data)


def frame(op: str, message: bytes = b"\0\xc0") -> bytes:
    return struct.pack("<III", OPS[op], 0, len(message)) + message + bytes(-len(message) % 4)


def type_error() -> bytes:
    parts: list[object] = ["TypeError", "TypeError", "x is not a function", "    at sandbox:index.js:3:7", None, {}]
    return b"\0" + bytes(msgpack.packb(msgpack.ExtType(TABLE.tags["error"]["id"], msgpack.packb(parts))))


# What an export can leave in the outbox, one kind after the other at fixed places.
FRAMES = {
    "finish": frame("FINISH"),
    "bytecode": frame("FINISH", b"\0" + msgpack.packb(b"compiled")),
    "fail": frame("FAIL", type_error()),
    "uncaught": frame("UNCAUGHT", b"\0" + msgpack.packb("only text")),
    "garbage": frame("FAIL", b"\0\xc1"),
    "output": frame("FINISH") + frame("CONSOLE_WRITE"),
}
PLACES = {name: OUTBOX + 256 * index for index, name in enumerate(FRAMES)}


def leave(kind: str, status: int = 0) -> str:
    """Body of an export that leaves these frames and returns this status."""
    return f"""
        (i32.store (i32.const {CONTROL + OFFSETS["outbox"]}) (i32.const {PLACES[kind]}))
        (i32.store (i32.const {CONTROL + OFFSETS["outbox_bytes"]}) (i32.const {len(FRAMES[kind])}))
        (i32.const {status})"""


def guest(bodies: dict[str, str]) -> bytes:
    """A guest whose exports return 0, except those given; `define_module` copies its message to the log."""
    bodies = {
        "control": f"(i32.const {CONTROL})",
        "reserve": f"(i32.const {INBOX})",
        "define_module": f"""
            (memory.copy (i32.const {LOG}) (i32.const {INBOX}) (local.get 0))
            (i32.store (i32.const {LOG - 4}) (local.get 0))
            (i32.const 0)""",
        "boot": "(drop (call $now (i32.const 0) (i64.const 0) (i32.const 1608))) (i32.const 0)",
        "compile": leave("bytecode"),
        "install": leave("finish"),
    } | bodies
    functions = ""
    for name, params in TABLE.exports.items():
        signature = " ".join(["(param i32)"] * len(params))
        functions += f'(func (export "{name}") {signature} (result i32) {bodies.get(name, "(i32.const 0)")})\n'
    data = "".join(f'(data (i32.const {PLACES[kind]}) "{escape(frames)}")\n' for kind, frames in FRAMES.items())
    text = f"""
    (module
      (import "sandbox" "call" (func $call (param i32 i32 i32) (result i32)))
      (import "wasi_snapshot_preview1" "clock_time_get" (func $now (param i32 i64 i32) (result i32)))
      (memory (export "memory") 2)
      (global $stack (mut i32) (i32.const 900))
      (func (export "_initialize")
        (i32.store (i32.const 1600) (i32.const 77))
        (i32.store (i32.const 40) (i32.const 88)))
      {functions}
      {data})
    """
    return bytes(wasmtime.wat2wasm(text))


def heap_of(binary: bytes) -> bytes:
    engine = wasmtime.Engine()
    store = wasmtime.Store(engine)
    linker = wasmtime.Linker(engine)
    module = wasmtime.Module(engine, binary)
    linker.define_unknown_imports_as_traps(module)
    memory = linker.instantiate(store, module).exports(store)["memory"]
    assert isinstance(memory, wasmtime.Memory)
    return bytes(memory.read(store))


def test_the_heap_of_the_run_becomes_the_initial_memory() -> None:
    frozen = freeze(guest({}), TABLE, {"index.js": "install()"})
    check_boundary(Module.parse(frozen), TABLE, frozen=True)
    heap = heap_of(frozen)
    assert struct.unpack_from("<I", heap, 1600) == (77,)  # `_initialize` has run
    assert struct.unpack_from("<Q", heap, 1608) == (10**18,)  # at the fixed time
    assert heap[:900] == bytes(900)  # nothing of the stack is left
    message = b"\0" + msgpack.packb("sandbox:index.js") + msgpack.packb(b"compiled")
    assert struct.unpack_from("<I", heap, LOG - 4) == (len(message),)
    assert heap[LOG : LOG + len(message)] == message
    assert struct.unpack_from("<I", heap, CONTROL + OFFSETS["outbox_bytes"]) == (0,)  # nobody reads the build's frames


def test_two_runs_give_the_same_bytes() -> None:
    bindings = {"index.js": "import './a.js'", "a.js": "1"}
    assert freeze(guest({}), TABLE, bindings) == freeze(guest({}), TABLE, dict(reversed(bindings.items())))


@pytest.mark.parametrize(
    ("bodies", "complaint"),
    [
        (
            {"install": leave("fail")},
            "cannot install bindings/index.js: TypeError: x is not a function\n    at sandbox:index.js:3:7",
        ),
        ({"install": leave("uncaught")}, "cannot install bindings/index.js: 'only text'"),
        ({"install": leave("garbage")}, "cannot install bindings/index.js: an error that cannot be read"),
        ({"install": leave("output")}, "cannot install bindings/index.js: it sent op 16 to the host"),
        ({"install": "(i32.const 0)"}, "it waits for something that never comes"),
        ({"compile": leave("finish")}, "cannot compile bindings/index.js: the guest gave no bytecode"),
        ({"compile": leave("fail")}, "cannot compile bindings/index.js: TypeError"),
        ({"define_module": leave("fail", 1)}, "cannot define bindings/index.js: TypeError"),
        ({"boot": "(i32.const 3)"}, "cannot boot the engine: status 3"),
        ({"reserve": "(i32.const 0)"}, "cannot define bindings/index.js: the guest is out of memory"),
        ({"install": "(unreachable)"}, "the guest trapped in install"),
        ({"install": "(call $call (i32.const 16) (i32.const 0) (i32.const 0))"}, "it called the host (op 16)"),
        (
            {"install": "(global.set $stack (i32.const 884))" + leave("finish")},
            "global 0 of the guest is 884 after the bindings ran and was 900",
        ),
    ],
)
def test_failure_while_freezing_is_one_clear_error(bodies: dict[str, str], complaint: str) -> None:
    with pytest.raises(BuildError, match=re.escape(complaint)):
        freeze(guest(bodies), TABLE, {"index.js": ""})


@pytest.mark.parametrize(
    ("old", "new", "complaint"),
    [
        (b"\x07collect", b"\x07corrupt", "does not export collect; exports corrupt"),
        (b"\x07sandbox\x04call", b"\x07sandbox\x04cull", "imports sandbox.cull as (i32, i32, i32) -> (i32)"),
    ],
)
def test_boundary_that_differs_is_refused(old: bytes, new: bytes, complaint: str) -> None:
    binary = guest({})
    assert binary.count(old) == 1
    with pytest.raises(BuildError, match=re.escape(complaint)):
        check_boundary(Module.parse(binary.replace(old, new)), TABLE)


@pytest.mark.parametrize(
    "bindings",
    [
        {"index.js": 'import "./a.js"', "a.js": 'import { x } from "./index.js"'},
        {"index.js": 'import "./b/a.js"', "b/a.js": 'import { x } from "../index.js"'},
        {"index.js": "", "b/a.js": 'import "./c.js"', "b/c.js": 'import "sandbox:b/a.js"'},
    ],
)
def test_bindings_in_a_circle_are_refused(bindings: dict[str, str]) -> None:
    with pytest.raises(BuildError, match=r"import each other in a circle: "):
        freeze(guest({}), TABLE, bindings)


def test_bindings_without_an_index_are_refused() -> None:
    with pytest.raises(BuildError, match=r"bindings/index.js is missing"):
        freeze(guest({}), TABLE, {"abi.js": ""})
