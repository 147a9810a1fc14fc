"""WebAssembly instructions of one function, as they are appended; labels are kept as objects, not as depths."""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import Final

from wasm.module import signed, unsigned

I32, I64, F64 = 0x7F, 0x7E, 0x7C
VOID: Final = 0x40
MASK64: Final = (1 << 64) - 1

# Those that take no immediate.
PLAIN: Final = {
    "unreachable": 0x00, "return": 0x0F, "drop": 0x1A, "select": 0x1B,
    "i32.eqz": 0x45, "i32.eq": 0x46, "i32.ne": 0x47, "i32.lt_s": 0x48, "i32.lt_u": 0x49, "i32.gt_s": 0x4A,
    "i32.gt_u": 0x4B, "i32.le_s": 0x4C, "i32.le_u": 0x4D, "i32.ge_s": 0x4E, "i32.ge_u": 0x4F,
    "i64.eqz": 0x50, "i64.eq": 0x51, "i64.ne": 0x52, "i64.lt_s": 0x53, "i64.lt_u": 0x54, "i64.gt_s": 0x55,
    "i64.gt_u": 0x56, "i64.le_s": 0x57, "i64.le_u": 0x58, "i64.ge_s": 0x59, "i64.ge_u": 0x5A,
    "f64.eq": 0x61, "f64.ne": 0x62, "f64.lt": 0x63, "f64.gt": 0x64, "f64.le": 0x65, "f64.ge": 0x66,
    "i32.add": 0x6A, "i32.sub": 0x6B, "i32.mul": 0x6C, "i32.rem_s": 0x6F, "i32.and": 0x71, "i32.or": 0x72,
    "i32.xor": 0x73, "i32.shl": 0x74, "i32.shr_s": 0x75, "i32.shr_u": 0x76,
    "i64.add": 0x7C, "i64.sub": 0x7D, "i64.mul": 0x7E, "i64.and": 0x83, "i64.or": 0x84, "i64.xor": 0x85,
    "i64.shl": 0x86, "i64.shr_s": 0x87, "i64.shr_u": 0x88,
    "f64.abs": 0x99, "f64.neg": 0x9A, "f64.trunc": 0x9D, "f64.add": 0xA0, "f64.sub": 0xA1, "f64.mul": 0xA2,
    "f64.div": 0xA3,
    "i32.wrap_i64": 0xA7, "i64.extend_i32_s": 0xAC, "i64.extend_i32_u": 0xAD,
    "f64.convert_i32_s": 0xB7, "f64.convert_i32_u": 0xB8, "f64.convert_i64_s": 0xB9,
    "i64.reinterpret_f64": 0xBD, "f64.reinterpret_i64": 0xBF,
}  # fmt: skip
MEMORY: Final = {
    "i32.load": 0x28, "i64.load": 0x29, "f64.load": 0x2B, "f32.load": 0x2A, "i32.load8_s": 0x2C, "i32.load8_u": 0x2D,
    "i32.load16_s": 0x2E, "i32.load16_u": 0x2F, "i32.store": 0x36, "i64.store": 0x37, "f64.store": 0x39,
    "i32.store8": 0x3A,
}  # fmt: skip


@dataclass(eq=False)
class Label:
    """Where a branch goes; `level` counts from the outside."""

    level: int


@dataclass
class Code:
    """The body of one function of `parameters` i32 parameters."""

    parameters: int = 1
    body: bytearray = field(default_factory=bytearray)
    locals: list[int] = field(default_factory=list)
    level: int = 0
    read: set[int] = field(default_factory=set)  # the locals that anything reads

    def local(self, kind: int) -> int:
        """A new local of a type; it is 0 at first."""
        self.locals.append(kind)
        return self.parameters + len(self.locals) - 1

    def op(self, *names: str) -> None:
        """Append instructions without immediates."""
        for name in names:
            self.body.append(PLAIN[name])

    def get(self, *indices: int) -> None:
        """Append `local.get`."""
        self.read.update(indices)
        for index in indices:
            self.body += b"\x20" + unsigned(index)

    def set(self, index: int) -> None:
        """Append `local.set`."""
        self.body += b"\x21" + unsigned(index)

    def tee(self, index: int) -> None:
        """Append `local.tee`."""
        self.body += b"\x22" + unsigned(index)

    def i32(self, value: int) -> None:
        """Append a constant."""
        self.body += b"\x41" + signed(value - (1 << 32) if value >= 1 << 31 else value)

    def i64(self, value: int) -> None:
        """Append a constant, signed or not."""
        value &= MASK64
        self.body += b"\x42" + signed(value - (1 << 64) if value >> 63 else value)

    def f64(self, value: float) -> None:
        """Append a constant."""
        self.body += b"\x44" + struct.pack("<d", value)

    def memory(self, name: str, offset: int = 0) -> None:
        """Append a load or store at an address on the stack, plus an offset."""
        self.body += bytes((MEMORY[name], 0)) + unsigned(offset)

    def call(self, function: int) -> None:
        """Append a call."""
        self.body += b"\x10" + unsigned(function)

    def truncate(self) -> None:
        """Append `i64.trunc_sat_f64_s`."""
        self.body += b"\xfc\x06"

    def _open(self, opcode: int, kind: int) -> Label:
        self.body += bytes((opcode, kind))
        self.level += 1
        return Label(self.level)

    def block(self) -> Label:
        """Begin a block, whose label is at its end."""
        return self._open(0x02, VOID)

    def loop(self) -> Label:
        """Begin a block, whose label is at its beginning."""
        return self._open(0x03, VOID)

    def if_(self) -> Label:
        """Begin what is done when the i32 on the stack is not 0."""
        return self._open(0x04, VOID)

    def else_(self) -> None:
        """Go on with what is done when it is 0."""
        self.body.append(0x05)

    def end(self) -> None:
        """End the innermost block."""
        self.body.append(0x0B)
        self.level -= 1

    def br(self, label: Label) -> None:
        """Go to a label."""
        self.body += b"\x0c" + unsigned(self.level - label.level)

    def br_if(self, label: Label) -> None:
        """Go to a label when the i32 on the stack is not 0."""
        self.body += b"\x0d" + unsigned(self.level - label.level)

    def encode(self) -> bytes:
        """The entry of the code section."""
        groups: list[list[int]] = []
        for kind in self.locals:
            if groups and groups[-1][1] == kind:
                groups[-1][0] += 1
            else:
                groups.append([1, kind])
        data = unsigned(len(groups)) + b"".join(unsigned(n) + bytes((kind,)) for n, kind in groups)
        data += bytes(self.body) + b"\x0b"
        return unsigned(len(data)) + data
