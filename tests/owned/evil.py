"""A guest that belongs to an attacker: a module with the exports and imports of the ABI table that does whatever the
program text says, and no engine behind it.

`follow.wat` is its code. `Script` writes the program texts: `box.eval(str(script))`.
"""

from __future__ import annotations

import hashlib
import json
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final, Self

import wasmtime

from sandbox import _abi
from sandbox._abi import Control, Op

PAGE_BYTES: Final = 1 << 16
MEMORY_BYTES: Final = 32 * PAGE_BYTES  # of a new instance

# Where things are in its memory.
CONTROL: Final = 0x400
STATE: Final = 0x800
SLOTS: Final = 0xC00
OUTBOX: Final = 0x1000
SCRIPT: Final = 0x1_0000
INBOX: Final = 0x4_0000
INBOX_BYTES: Final = 0x4_0000
FREE: Final = INBOX + INBOX_BYTES  # from here to the end the scripts do as they like

# What an export was called with, what the host answered, what `grow` answered; then words for scripts to count in.
NUMBER, LENGTH, STATUS, GROWN = STATE, STATE + 4, STATE + 8, STATE + 12
COUNTERS: Final = STATE + 64

RUN: Final = -1
"""As the number of a frame: the run of the turn."""

_TURNS: Final = ("eval", "module", "call", "access")


def _export(slot: int, name: str, count: int) -> str:
    if name == "eval":
        body = f"(call $evaluate (i32.const {slot}) (local.get 0) (local.get 1))"
    elif name == "control":
        body = f"(i32.const {CONTROL})"
    else:
        first = "(local.get 0)" if count else "(i32.const 0)"
        last = f"(local.get {count - 1})" if count else "(i32.const 0)"
        body = f"(call $enter (i32.const {slot}) {first} {last} (i32.const {int(name in _TURNS)}))"
        if name == "reserve":  # a script for it answers with a status as all do; without one, what there is must do
            slot_of = f"(i32.load (i32.const {SLOTS + 4 * slot}))"
            fits = f"(i32.le_u (local.get 0) (i32.const {INBOX_BYTES}))"
            body = f"(if (result i32) {slot_of} (then {body}) (else (i32.mul {fits} (i32.const {INBOX}))))"
    return f'(func (export "{name}") {"(param i32) " * count}(result i32) {body})'


def module_text() -> str:
    """The whole module, as WebAssembly text."""
    control: Any = Control  # its fields are descriptors
    addresses = {
        "state": STATE,
        "slots": SLOTS,
        "outbox": OUTBOX,
        "script": SCRIPT,
        "control_outbox": CONTROL + control.outbox.offset,
        "control_outbox_bytes": CONTROL + control.outbox_bytes.offset,
        "control_inbox": CONTROL + control.inbox.offset,
    }
    block = "".join(map("\\{:02x}".format, bytes(Control(inbox=INBOX, inbox_bytes=INBOX_BYTES))))
    lines = [
        '(import "sandbox" "call" (func $host (param i32 i32 i32) (result i32)))',
        '(import "wasi_snapshot_preview1" "clock_time_get" (func $clock_time (param i32 i64 i32) (result i32)))',
        f'(memory (export "memory") {MEMORY_BYTES // PAGE_BYTES})',
        *(f"(global ${name} i32 (i32.const {address}))" for name, address in addresses.items()),
        f'(data (i32.const {CONTROL}) "{block}")',
        (Path(__file__).parent / "follow.wat").read_text("utf-8"),
        *(_export(slot, name, count) for slot, (name, count) in enumerate(_abi.EXPORTS.items())),
    ]
    return "(module\n" + "\n".join(lines) + ")"


def write_artifact(directory: Path) -> None:
    """Make a directory that an `Image` can be loaded from."""
    binary = bytes(wasmtime.wat2wasm(module_text()))
    (directory / "guest.wasm").write_bytes(binary)
    manifest = {"sha256": hashlib.sha256(binary).hexdigest(), "abi_version": _abi.VERSION}
    (directory / "manifest.json").write_text(json.dumps(manifest), "utf-8")


Frame = tuple[int, int, bytes]
"""Op, number and message."""


def encoded(*frames: Frame) -> bytes:
    """Frames as they stand in an outbox."""
    return b"".join(
        struct.pack("<III", op, 0 if number == RUN else number, len(message)) + message + bytes(-len(message) % 4)
        for op, number, message in frames
    )


class Script:
    """What the guest shall do, one step after the other; each method adds one and returns the script."""

    def __init__(self, at: int = SCRIPT) -> None:
        self._at = at
        self._free = FREE
        self.code = bytearray()

    def __str__(self) -> str:
        return "~" + (bytes(self.code) + b"\0" * 5).hex()

    def _add(self, code: int, *operands: int) -> Self:
        self.code += struct.pack(f"<B{len(operands)}I", code, *(operand & 0xFFFF_FFFF for operand in operands))
        return self

    def here(self) -> int:
        """This place, for `jump`."""
        return len(self.code)

    def give(self, status: int) -> Self:
        """Return from the export."""
        return self._add(0, status)

    def poke(self, address: int, data: bytes) -> Self:
        self._add(1, address, len(data))
        self.code += data
        return self

    def word(self, address: int, value: int) -> Self:
        return self.poke(address, struct.pack("<I", value & 0xFFFF_FFFF))

    def control(self, **fields: int) -> Self:
        """Write fields of the control block."""
        for name, value in fields.items():
            field = getattr(Control, name)
            self.poke(CONTROL + field.offset, (value & (1 << 8 * field.size) - 1).to_bytes(field.size, "little"))
        return self

    def call(
        self, op: int, message: bytes = b"\0\x90", *, address: int | None = None, length: int | None = None
    ) -> Self:
        """Call the host; the message is written first unless it is said where it is."""
        if address is None:
            address = self._free
            self.poke(address, message)
        return self._add(2, op, address, len(message) if length is None else length)

    def copy(self, to: int, source: int, length: int) -> Self:
        return self._add(3, to, source, length)

    def fill(self, address: int, value: int, length: int) -> Self:
        return self._add(4, address, value, length)

    def grow(self, pages: int) -> Self:
        return self._add(5, pages)

    def add(self, address: int, number: int) -> Self:
        return self._add(6, address, number)

    @contextmanager
    def times(self, count: int, counter: int = COUNTERS) -> Iterator[None]:
        """Do what is added inside so often; loops inside each other need counters of their own."""
        self.word(counter, count)
        place = self.here()
        yield
        self._add(7, counter, place)

    def jump(self, place: int) -> Self:
        return self._add(8, place)

    def spin(self) -> Self:
        return self._add(9)

    def dive(self, frames: int = -1) -> Self:
        """Do the rest that many calls further down; by default until the stack ends."""
        return self._add(10, frames)

    def trap(self) -> Self:
        return self._add(11)

    def clock(self, number: int, address: int) -> Self:
        return self._add(12, number, address)

    def burn(self, rounds: int) -> Self:
        return self._add(13, rounds)

    def outbox(self, address: int, length: int) -> Self:
        """Say where the frames are."""
        return self.control(outbox=address, outbox_bytes=length)

    def frames(self, *frames: Frame, address: int = OUTBOX) -> Self:
        """Put frames into the outbox, in place of those that are there."""
        data = encoded(*frames)
        self.poke(address, data)
        at = address
        for op, number, message in frames:
            if number == RUN:
                self.copy(at + 4, NUMBER, 4)
            at += len(encoded((op, number, message)))
        return self.outbox(address, len(data))

    def finish(self, message: bytes = b"\0\xc0") -> Self:
        return self.frames((Op.FINISH, RUN, message))

    def install(self, export: str, script: Script) -> Self:
        """Have another export follow a script of its own from now on."""
        code = bytes(script.code) + b"\0" * 16
        self.poke(script._at, code)
        return self.word(SLOTS + 4 * list(_abi.EXPORTS).index(export), script._at)
