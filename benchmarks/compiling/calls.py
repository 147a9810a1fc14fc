"""Calls, and the instructions that seldom decide how fast a program is: their operands go through the frame."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.bytecode import Refused
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, THREW, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction


def _call(t: Translator, i: Instruction, helper: str, count: int) -> None:
    """Call with the `count` topmost operands in memory; the callee borrows them."""
    code = t.code
    first = len(t.stack) - count
    if first < 0:
        raise Refused("an operand is missing")
    for depth in range(first, len(t.stack)):
        code.get(t.stack_base)
        t.box(t.stack[depth])
        code.memory("i64.store", 8 * depth)
    t.place(i)
    code.get(FRAME, t.stack_base)
    code.i32(8 * first)
    code.op("i32.add")
    code.i32(count - (1 if helper == "c_call" else 2))
    code.call(INDEX[helper])
    result = t.keep("box", v.ANY)
    t.throw_if_exception(i, result.number)
    for _ in range(count):
        t.free(t.pop())
    t.push(result)


@emits("call", "call0", "call1", "call2", "call3")
def _call_function(t: Translator, i: Instruction) -> None:
    _call(t, i, "c_call", i.operand + 1)


@emits("call_method")
def _call_method(t: Translator, i: Instruction) -> None:
    _call(t, i, "c_call_method", i.operand + 2)


@emits("call_constructor")
def _construct(t: Translator, i: Instruction) -> None:
    _call(t, i, "c_construct", i.operand + 2)


@emits("tail_call")
def _tail_call(t: Translator, i: Instruction) -> None:
    _call(t, i, "c_call", i.operand + 1)
    t.done(t.pop())


@emits("tail_call_method")
def _tail_call_method(t: Translator, i: Instruction) -> None:
    _call(t, i, "c_call_method", i.operand + 2)
    t.done(t.pop())


# --- the long tail: operands go through the frame ---

# How many operands are read, and what comes in their place.
STEPS: dict[str, tuple[int, tuple[int, ...]]] = {
    "define_array_el": (3, (v.ANY, v.ANY)), "append": (3, (v.ANY, v.ANY)),
    "apply": (3, (v.ANY,)), "regexp": (2, (v.HEAP,)), "get_super": (1, (v.ANY,)), "set_name": (1, (v.ANY,)),
    "for_in_start": (1, (v.ANY,)), "for_in_next": (1, (v.ANY, v.ANY, v.BOOL)),
    "for_of_start": (1, (v.ANY, v.ANY, v.CATCH)), "iterator_close": (3, ()), "get_private_field": (2, (v.ANY,)),
    "put_private_field": (3, ()), "close_loc": (0, ()),
}  # fmt: skip


@emits(*STEPS, "array_from", "for_of_next", "throw")
def _stepwise(t: Translator, i: Instruction) -> None:
    code, name = t.code, i.opcode.name
    results: tuple[int, ...] = ()
    if name == "array_from":
        reads, results = i.operand, (v.HEAP,)
    elif name == "for_of_next":
        reads = 3 + i.operand
        results = (
            *(entry.mask | (v.NONE if entry.mask != v.CATCH else 0) for entry in t.stack[-reads:]),
            v.ANY,
            v.BOOL,
        )
    elif name == "throw":
        reads = 1
    else:
        reads, results = STEPS[name]
    first = len(t.stack) - reads
    popped = [t.pop() for _ in range(reads)][::-1]
    for number, entry in enumerate(popped):
        code.get(t.stack_base)
        t.own(entry)
        code.memory("i64.store", 8 * (first + number))
    t.place(i)
    code.get(FRAME)
    code.i32(i.opcode.number)
    code.get(t.base)
    code.i32(i.at + 1)
    code.op("i32.add")
    code.get(t.stack_base)
    code.i32(8 * len(popped) + 8 * first)
    code.op("i32.add")
    code.call(INDEX["c_step"])
    code.i32(-1000)
    code.op("i32.eq")
    code.if_()
    _fail(t, i, first, reads)
    code.end()
    for number, mask in enumerate(results):
        if mask == v.CATCH:
            t.push(Entry("const", v.boxed(v.TAG_CATCH), v.CATCH))
            continue
        code.get(t.stack_base)
        code.memory("i64.load", 8 * (first + number))
        t.push(t.keep("box", mask))
    if name == "throw":
        code.op("unreachable")


def _fail(t: Translator, i: Instruction, first: int, reads: int) -> None:
    """Leave with the exception; the operands from `first` on are in the frame, as many as the step has left there."""
    code, at = t.code, t.layout
    t.move()
    for depth in range(first, min(first + reads, len(t.slots))):
        code.get(t.stack_base)
        code.memory("i64.load", 8 * depth)
        code.set(t.slots[depth])
    code.i32(THREW)
    code.set(t.exit_status)
    code.i32(i.next)
    code.set(t.exit_pc)
    code.get(FRAME)
    code.memory("i32.load", at.f_sp)
    code.get(t.stack_base)
    code.op("i32.sub")
    code.set(t.exit_depth)
    code.br(t.exit)
