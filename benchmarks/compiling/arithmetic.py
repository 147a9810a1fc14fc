"""Instructions on numbers: fast paths for integers and floats, the engine's own functions for the rest."""

from __future__ import annotations

import struct
from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.code import F64, I64, MASK64, Label
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction

INT_LIMIT = 1 << 32  # JSValues below it are integers


def raw_int(t: Translator, entry: Entry) -> None:
    """Put an integer on wasm's stack as an i32."""
    if entry.kind == "const":
        t.code.i32(entry.number & 0xFFFFFFFF)
    elif entry.kind == "int":
        t.code.get(entry.number)
    else:
        t.box(entry)
        t.code.op("i32.wrap_i64")


def raw_float(t: Translator, entry: Entry, slow: Label | None) -> None:
    """Put a number on wasm's stack as an f64; go to `slow` when it is none."""
    code = t.code
    if entry.kind == "float":
        code.get(entry.number)
        return
    if entry.kind == "const" and entry.mask == v.FLOAT:
        bits = (entry.number + v.ADDEND) & MASK64
        code.f64(struct.unpack("<d", bits.to_bytes(8, "little"))[0])
        return
    if entry.mask == v.INT:
        raw_int(t, entry)
        code.op("f64.convert_i32_s")
        return
    local, result = t.as_local(entry), code.local(F64)
    if entry.mask != v.FLOAT:
        done = code.block()
        code.get(local)
        code.op("i32.wrap_i64", "f64.convert_i32_s")
        code.set(result)
        code.get(local)
        code.i64(INT_LIMIT)
        code.op("i64.lt_u")
        code.br_if(done)
        if entry.mask & ~v.NUMBER:
            assert slow is not None
            code.get(local)
            code.i64(9 << 32)
            code.op("i64.add")
            code.i64(17 << 32)
            code.op("i64.lt_u")
            code.br_if(slow)
        code.get(local)
        code.i64(v.ADDEND)
        code.op("i64.add", "f64.reinterpret_i64")
        code.set(result)
        code.end()
    else:
        code.get(local)
        code.i64(v.ADDEND)
        code.op("i64.add", "f64.reinterpret_i64")
        code.set(result)
    code.get(result)


def both_int(t: Translator, a: Entry, b: Entry) -> None:
    """Put on wasm's stack whether both are integers; not for those that are known to be."""
    code = t.code
    rest = [entry for entry in (a, b) if entry.mask != v.INT]
    t.box(rest[0])
    if len(rest) == 2:
        t.box(rest[1])
        code.op("i64.or")
    code.i64(INT_LIMIT)
    code.op("i64.lt_u")


def slow_binary(t: Translator, i: Instruction, a: Entry, b: Entry, result: int, name: str | None = None) -> None:
    """Call the engine's function of an operator, which takes both operands; they were popped."""
    code = t.code
    t.place(i)
    code.get(FRAME)
    code.i32(t.opcode(name or i.opcode.name))
    t.own(a)
    t.own(b)
    code.call(INDEX["c_binary"])
    code.set(result)
    t.throw_if_exception(i, result)


def set_float(t: Translator, result: int) -> None:
    """Box the f64 on wasm's stack into a local."""
    t.box(t.keep("float", v.FLOAT))
    t.code.set(result)


def ints(t: Translator, name: str, a: Entry, b: Entry, result: int) -> None:
    """The result for two integers."""
    code = t.code
    wide = code.local(I64)
    raw_int(t, a)
    code.op("i64.extend_i32_s")
    raw_int(t, b)
    code.op("i64.extend_i32_s", {"add": "i64.add", "sub": "i64.sub", "mul": "i64.mul"}[name])
    code.tee(wide)
    code.get(wide)
    code.op("i32.wrap_i64", "i64.extend_i32_s", "i64.eq")
    if name == "mul":  # zero may be -0
        code.get(wide)
        code.op("i64.eqz", "i32.eqz", "i32.and")
    code.if_()
    code.get(wide)
    code.i64(0xFFFFFFFF)
    code.op("i64.and")
    code.set(result)
    code.else_()
    if name == "mul":
        raw_int(t, a)
        code.op("f64.convert_i32_s")
        raw_int(t, b)
        code.op("f64.convert_i32_s", "f64.mul")
    else:
        code.get(wide)
        code.op("f64.convert_i64_s")
    set_float(t, result)
    code.end()


def arithmetic(t: Translator, i: Instruction, name: str, a: Entry, b: Entry) -> None:
    """Push the sum, difference, product or quotient of two values that were popped."""
    code = t.code
    operation = {"add": "f64.add", "sub": "f64.sub", "mul": "f64.mul", "div": "f64.div"}[name]
    either = (a.mask | b.mask) & ~v.NUMBER
    is_float = not either and (name == "div" or v.FLOAT in (a.mask, b.mask))
    if is_float:
        raw_float(t, a, None)
        raw_float(t, b, None)
        code.op(operation)
        t.push(t.keep("float", v.FLOAT))
        return
    result = code.local(I64)
    if a.mask == b.mask == v.INT:
        ints(t, name, a, b, result)
        t.push(Entry("box", result, v.NUMBER))
        return
    may_be_int = bool(a.mask & v.INT and b.mask & v.INT) and name != "div"
    done = code.block()
    slow = code.block() if either else None
    if may_be_int:
        both_int(t, a, b)
        code.if_()
        ints(t, name, a, b, result)
        code.br(done)
        code.end()
    raw_float(t, a, slow)
    raw_float(t, b, slow)
    code.op(operation)
    set_float(t, result)
    if either:
        code.br(done)
        code.end()
        slow_binary(t, i, a, b, result)
    code.end()
    t.push(Entry("box", result, v.NUMBER | v.HEAP if either else v.NUMBER))


@emits("add", "sub", "mul", "div")
def _arithmetic(t: Translator, i: Instruction) -> None:
    b, a = t.pop(), t.pop()
    arithmetic(t, i, i.opcode.name, a, b)


@emits("mod")
def _mod(t: Translator, i: Instruction) -> None:
    code = t.code
    b, a = t.pop(), t.pop()
    result = code.local(I64)
    done = code.block()
    slow = code.block()
    if a.mask != v.INT or b.mask != v.INT:
        both_int(t, a, b)
        code.op("i32.eqz")
        code.br_if(slow)
    raw_int(t, a)
    code.i32(0)
    code.op("i32.lt_s")
    raw_int(t, b)
    code.i32(0)
    code.op("i32.le_s", "i32.or")
    code.br_if(slow)
    raw_int(t, a)
    raw_int(t, b)
    code.op("i32.rem_s", "i64.extend_i32_u")
    code.set(result)
    code.br(done)
    code.end()
    slow_binary(t, i, a, b, result)
    code.end()
    t.push(Entry("box", result, v.NUMBER | (v.HEAP if (a.mask | b.mask) & v.HEAP else 0)))


@emits("pow", "in", "instanceof", "delete")
def _called(t: Translator, i: Instruction) -> None:
    b, a = t.pop(), t.pop()
    result = t.code.local(I64)
    slow_binary(t, i, a, b, result)
    t.push(Entry("box", result, v.NUMBER | v.HEAP if i.opcode.name == "pow" else v.BOOL))
