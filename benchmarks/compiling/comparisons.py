"""Comparisons: of integers and floats where they are, of objects by identity, of the rest by the engine."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.arithmetic import both_int, raw_float, raw_int, slow_binary
from benchmarks.compiling.basics import made
from benchmarks.compiling.bytecode import numbers, opcodes
from benchmarks.compiling.code import I32, I64
from benchmarks.compiling.translate import EMITTERS, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction

_INDEX = 1 << 31  # an atom that is an index

COMPARISONS = {
    "lt": "lt",
    "lte": "le",
    "gt": "gt",
    "gte": "ge",
    "eq": "eq",
    "neq": "ne",
    "strict_eq": "eq",
    "strict_neq": "ne",
}


@emits(*COMPARISONS)
def _compare(t: Translator, i: Instruction) -> None:
    code, name = t.code, i.opcode.name
    b, a = t.pop(), t.pop()
    how = COMPARISONS[name]
    of_ints, of_floats = f"i32.{how}" + ("_s" if how[0] in "lg" else ""), f"f64.{how}"
    result = code.local(I32)
    if a.mask == b.mask == v.INT:
        raw_int(t, a)
        raw_int(t, b)
        code.op(of_ints)
        t.push(t.keep("bool", v.BOOL))
        return
    if how in ("eq", "ne") and _same(t, name, a, b):
        return
    either = (a.mask | b.mask) & ~v.NUMBER
    done = code.block()
    slow = code.block() if either else None
    if a.mask & v.INT and b.mask & v.INT:
        both_int(t, a, b)
        code.if_()
        raw_int(t, a)
        raw_int(t, b)
        code.op(of_ints)
        code.set(result)
        code.br(done)
        code.end()
    if how in ("eq", "ne") and a.mask & b.mask & v.HEAP:
        code.get(t.as_local(a))
        code.get(t.as_local(b))
        code.op("i64.and")
        code.i64(v.OBJECT_MIN)
        code.op("i64.ge_u")
        code.if_()
        t.box(a)
        t.box(b)
        code.op(f"i64.{how}")
        code.set(result)
        t.free(a)
        t.free(b)
        code.br(done)
        code.end()
    raw_float(t, a, slow)
    raw_float(t, b, slow)
    code.op(of_floats)
    code.set(result)
    if either:
        code.br(done)
        code.end()
        value = code.local(I64)
        slow_binary(t, i, a, b, value)
        code.get(value)
        code.op("i32.wrap_i64")
        code.set(result)
    code.end()
    t.push(Entry("bool", result, v.BOOL))


@emits("case_atom")
def _case(t: Translator, i: Instruction) -> None:
    """What is on the stack, compared with a text, or with a number where the operand is an index."""
    parts = ("dup", "push_atom_value", "strict_eq")
    dup, text, equal = (i._replace(opcode=opcodes()[numbers()[name]]) for name in parts)
    EMITTERS["dup"](t, dup)
    other = Entry("const", i.operand ^ _INDEX, v.INT) if i.operand & _INDEX else made(t, text)
    t.stack.append(other)  # the function has no room for it, and it needs none: it is never stored
    _compare(t, equal)


def _same(t: Translator, name: str, a: Entry, b: Entry) -> bool:
    """Compare bits where that is right: one side is undefined, null or a boolean. False: it is not."""
    code = t.code
    simple = [e for e in (a, b) if e.kind == "const" and not e.mask & ~(v.NONE | v.BOOL)]
    if not simple:
        return False
    if name in ("eq", "neq"):
        if simple[0].mask != v.NONE:
            return False
        other = b if simple[0] is a else a
        t.box(other)
        code.i64(32)
        code.op("i64.shr_u", "i32.wrap_i64")
        code.i32(1)
        code.op("i32.or")
        code.i32(3)
        code.op("i32.eq" if name == "eq" else "i32.ne")
    else:
        t.box(a)
        t.box(b)
        code.op("i64.eq" if name == "strict_eq" else "i64.ne")
    result = t.keep("bool", v.BOOL)
    t.free(a)
    t.free(b)
    t.push(result)
    return True
