"""The engine's bytecode, read out of the memory of a live guest, which is hostile: it is all checked and capped."""

from __future__ import annotations

import functools
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from benchmarks.compiling.build import upstream
from wasm.cache import cache_directory
from wasm.sources import unpack

if TYPE_CHECKING:
    from benchmarks.compiling.layout import Layout, Memory

MAX_CODE_BYTES: Final = 1 << 15
MAX_VARIABLES: Final = 1 << 10
MAX_STACK: Final = 1 << 8

_DEFINITION = re.compile(r"^DEF\(\s*(\w+),\s*(\d+),\s*(\d+),\s*(\d+),\s*(\w+)\)", re.MULTILINE)
_JUMPS: Final = ("label", "label8", "label16")


class Refused(Exception):
    """The function stays interpreted; the text says why."""


class Opcode(NamedTuple):
    """One kind of instruction, as the engine's table has it."""

    number: int
    name: str
    size: int
    pops: int
    pushes: int
    format: str


class Instruction(NamedTuple):
    """One instruction: where it is, where the next one is, and its operand."""

    at: int
    next: int
    opcode: Opcode
    operand: int


@dataclass(frozen=True)
class Function:
    """What the compiler wants to know of a function."""

    address: int
    code: bytes
    arguments: int
    variables: int
    captured: frozenset[int]  # of arguments, then variables
    stack: int
    is_strict: bool
    constants: tuple[int, ...]


@functools.cache
def opcodes() -> tuple[Opcode, ...]:
    """The engine's table of instructions, from its pinned source."""
    directory = unpack(upstream(), cache_directory())["quickjs-ng"]
    text = (directory / "quickjs-opcode.h").read_text(encoding="utf-8")
    return tuple(
        Opcode(number, name, int(size), int(pops), int(pushes), kind)
        for number, (name, size, pops, pushes, kind) in enumerate(_DEFINITION.findall(text))
    )


@functools.cache
def numbers() -> dict[str, int]:
    """Name -> number."""
    return {opcode.name: opcode.number for opcode in opcodes()}


def read(memory: Memory, layout: Layout, address: int) -> Function:
    """Read a function.

    Raises:
        Refused: It is none, too large, or of a kind that is not compiled.
    """
    arguments = memory.u16(address + layout.b_arg_count)
    variables = memory.u16(address + layout.b_var_count)
    stack = memory.u16(address + layout.b_stack_size)
    length = memory.u32(address + layout.b_code_length)
    count = memory.u32(address + layout.b_cpool_count)
    if length > MAX_CODE_BYTES or arguments + variables > MAX_VARIABLES or stack > MAX_STACK or count > MAX_CODE_BYTES:
        raise Refused("too large")
    flags = memory.u16(address + layout.b_flags)
    if flags >> 5 & 3:
        raise Refused("a generator or an async function")
    table = memory.u32(address + layout.b_vardefs)
    captured = frozenset(
        index
        for index in range(arguments + variables)
        if memory.u16(table + index * layout.vardef_bytes + layout.vardef_flags) & 4
    )
    pool = memory.u32(address + layout.b_cpool)
    constants = struct.unpack(f"<{count}Q", memory.read(pool, 8 * count))
    code = memory.read(memory.u32(address + layout.b_code), length)
    return Function(address, code, arguments, variables, captured, stack, bool(flags & 1), constants)


def decode(code: bytes) -> list[Instruction]:
    """Take bytecode apart.

    Raises:
        Refused: It makes no sense.
    """
    table, found, at = opcodes(), [], 0
    while at < len(code):
        if code[at] >= len(table):
            raise Refused("no bytecode")
        opcode = table[code[at]]
        end = at + opcode.size
        if end > len(code):
            raise Refused("no bytecode")
        found.append(Instruction(at, end, opcode, _operand(opcode, code, at)))
        at = end
    return found


def check_operands(function: Function, instructions: list[Instruction]) -> None:
    """See that instructions name only what the function has.

    Raises:
        Refused: One does not.
    """
    for entry in instructions:
        kind, name = entry.opcode.format, entry.opcode.name
        count = {
            "loc": function.variables, "loc8": function.variables, "none_loc": function.variables,
            "arg": function.arguments, "none_arg": function.arguments,
            "const": len(function.constants), "const8": len(function.constants),
        }.get(kind)  # fmt: skip
        if count is not None and (entry.operand >= count or (name == "get_loc0_loc1" and count < 2)):
            raise Refused("operands that are not there")


def _operand(opcode: Opcode, code: bytes, at: int) -> int:
    raw = code[at + 1 : at + opcode.size]
    match opcode.format:
        case "none" | "none_int" | "none_loc" | "none_arg" | "none_var_ref" | "npopx":
            if opcode.name == "push_minus1":
                return -1
            return int(opcode.name[-1]) if opcode.name[-1].isdigit() else 0
        case "i8" | "i16" | "i32":
            return int.from_bytes(raw, "little", signed=True)
        case "label" | "label8" | "label16":
            return at + 1 + int.from_bytes(raw, "little", signed=True)
        case "atom_u8" | "atom_u16" | "npop_u16" | "u32x2" | "atom_label_u8":
            return int.from_bytes(raw[:4] if opcode.format.startswith("atom") else raw[:2], "little")
        case _:
            return int.from_bytes(raw, "little")


def is_jump(opcode: Opcode) -> bool:
    """Whether the operand is the address of an instruction."""
    return opcode.format in _JUMPS
