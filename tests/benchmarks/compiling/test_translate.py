"""Whatever bytes a guest passes for bytecode: they are refused, or make a module that wasmtime finds valid."""

from __future__ import annotations

import random

import pytest
import wasmtime

from benchmarks.compiling import session
from benchmarks.compiling.bytecode import Function, Opcode, Refused, opcodes
from benchmarks.compiling.layout import Layout
from benchmarks.compiling.linking import encode
from benchmarks.compiling.translate import EMITTERS, MAX_OUTPUT_BYTES, Translator

LAYOUT = Layout(*range(8, 8 + 8 * len(Layout._fields), 8))
VARIABLES, ARGUMENTS, STACK = 3, 2, 8
CONSTANTS = (5, 1 << 32, 2 << 32, 3 << 32, (3 << 62) - 7, 0xFFFFFFF9 << 32)
ENGINE = wasmtime.Engine()


# From the first test either to the head of the loop or past it.
MIDDLE = ("push_true", "if_false8", 3, "nop", "nop", "nop", "push_true", "if_true8", 0xFC, "return_undef")


def function(code: bytes, captured: frozenset[int] = frozenset()) -> Function:
    """A function of these instructions."""
    return Function(0, code, ARGUMENTS, VARIABLES, captured, STACK, bool(len(code) % 2), CONSTANTS)


def assemble(*parts: str | int) -> bytes:
    """Names of instructions, each with the bytes of its operand."""
    known = {opcode.name: opcode.number for opcode in opcodes()}
    return bytes(known[part] if isinstance(part, str) else part & 0xFF for part in parts)


def instruction(chance: random.Random, opcode: Opcode) -> bytes:
    """One instruction with an operand that often makes sense."""
    size = opcode.size - 1
    if opcode.format.startswith("label"):
        operand = chance.randint(-40, 40)
        return bytes([opcode.number]) + (operand & (1 << 8 * size) - 1).to_bytes(size, "little")
    return bytes([opcode.number]) + chance.choice((0, 0, 1, 1, 2, 200)).to_bytes(4, "little")[:size]


def is_valid(code: bytes, captured: frozenset[int] = frozenset()) -> bool:
    """Whether it was translated; what comes of it must be valid."""
    try:
        body, _ = Translator(function(code, captured), LAYOUT).translate()
    except Refused:
        return False
    assert len(body) <= MAX_OUTPUT_BYTES
    wasmtime.Module.validate(ENGINE, encode([body]))
    return True


def test_all_emitters_name_instructions() -> None:
    assert EMITTERS.keys() <= {opcode.name for opcode in opcodes()}
    assert len(session._EMITTERS) == 8


@pytest.mark.parametrize("seed", range(3))
def test_bytes_without_sense(seed: int) -> None:
    chance = random.Random(seed)
    for _ in range(60):
        is_valid(chance.randbytes(chance.randint(1, 60)))


@pytest.mark.parametrize("seed", range(6))
def test_instructions_without_sense(seed: int) -> None:
    chance = random.Random(f"instructions {seed}")
    table = [opcode for opcode in opcodes() if opcode.name in EMITTERS]
    pushes = [opcode for opcode in table if not opcode.pops and opcode.pushes]
    translated = 0
    for _ in range(60):
        parts = [instruction(chance, chance.choice(pushes)) for _ in range(chance.randint(0, 6))]
        further = chance.randint(1, 25)
        parts += [instruction(chance, chance.choice(chance.choice((table, pushes)))) for _ in range(further)]
        code = b"".join(parts) + assemble("return_undef") * 40
        translated += is_valid(code, frozenset(chance.sample(range(ARGUMENTS + VARIABLES), chance.randint(0, 3))))
    assert translated  # so that something was shown


@pytest.mark.parametrize(
    ("parts", "reason"),
    [
        (("drop", "return_undef"), "an operand is missing"),
        (("get_loc", 9, 0, "return"), "operands that are not there"),
        (("push_const8", 99, "return"), "operands that are not there"),
        (("goto8", 100), "jumps that lead nowhere"),
        (("push_0",), "it runs over its end"),
        (("push_0",) * 9 + ("if_true8", 1, "return_undef"), "more operands than the function says"),
        (("push_true", "if_false8", 2, "push_1", "push_2", "return"), "operands that differ"),
        (MIDDLE, "a loop that is entered in its middle"),
        ((255,), "no bytecode"),
        (("push_true", "if_false8", 1) * 1001 + ("return_undef",), "too many blocks"),
        (("get_arg0", "get_arg1", "add", "put_loc0") * 2000 + ("return_undef",), "too much code"),
    ],
)
def test_what_is_refused(parts: tuple[str | int, ...], reason: str) -> None:
    with pytest.raises(Refused, match=reason):
        Translator(function(assemble(*parts)), LAYOUT).translate()


def test_loops_in_any_order() -> None:
    # for (;;) with the test behind the body, as `for of` has it
    code = assemble("goto8", 4, "get_loc0", "drop", "nop", "push_true", "if_true8", 0xFB, "return_undef")
    assert is_valid(code)
