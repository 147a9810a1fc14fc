"""Instructions on 32-bit integers."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.arithmetic import INT_LIMIT, raw_float, raw_int, set_float, slow_binary
from benchmarks.compiling.code import F64, I32, I64, Label
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction


def to_int32(t: Translator, entry: Entry, slow: Label | None) -> None:
    """Put ToInt32 of a value on wasm's stack; go to `slow` when it is no number."""
    code = t.code
    if entry.mask == v.INT or (entry.kind == "box" and not entry.mask & ~(v.INT | v.BOOL)):
        raw_int(t, entry)
        return
    result, number = code.local(I32), code.local(F64)
    done = code.block()
    if entry.mask & v.INT:
        local = t.as_local(entry)
        code.get(local)
        code.op("i32.wrap_i64")
        code.set(result)
        code.get(local)
        code.i64(INT_LIMIT)
        code.op("i64.lt_u")
        code.br_if(done)
    raw_float(t, entry, slow)
    code.tee(number)
    code.op("f64.abs")
    code.f64(2.0**62)
    code.op("f64.lt")
    code.if_()
    code.get(number)
    code.truncate()
    code.op("i32.wrap_i64")
    code.set(result)
    code.else_()
    code.get(number)
    code.call(INDEX["c_to_int32"])
    code.set(result)
    code.end()
    code.end()
    code.get(result)


BITS = {"and": "i32.and", "or": "i32.or", "xor": "i32.xor", "shl": "i32.shl", "sar": "i32.shr_s", "shr": "i32.shr_u"}


@emits(*BITS)
def _bits(t: Translator, i: Instruction) -> None:
    code, name = t.code, i.opcode.name
    b, a = t.pop(), t.pop()
    either = (a.mask | b.mask) & ~v.NUMBER
    result = code.local(I32)
    is_unsigned = name == "shr" and not (b.kind == "const" and b.mask == v.INT and b.number & 31)
    if not either:
        to_int32(t, a, None)
        to_int32(t, b, None)
        code.op(BITS[name])
        code.set(result)
        _push_bits(t, result, is_unsigned=is_unsigned)
        return
    value = code.local(I64)
    done = code.block()
    slow = code.block()
    to_int32(t, a, slow)
    to_int32(t, b, slow)
    code.op(BITS[name])
    code.set(result)
    _push_bits(t, result, is_unsigned=is_unsigned)
    entry = t.pop()
    t.box(entry)
    code.set(value)
    code.br(done)
    code.end()
    slow_binary(t, i, a, b, value)
    code.end()
    is_big = (a.mask | b.mask) & v.HEAP
    if is_big or is_unsigned:
        t.push(Entry("box", value, v.NUMBER | v.HEAP if is_big else v.NUMBER))
    else:
        t.push(Entry("box", value, v.INT))


def _push_bits(t: Translator, result: int, *, is_unsigned: bool) -> None:
    code = t.code
    if not is_unsigned:
        t.push(Entry("int", result, v.INT))
        return
    value = code.local(I64)
    code.get(result)
    code.i32(0)
    code.op("i32.ge_s")
    code.if_()
    code.get(result)
    code.op("i64.extend_i32_u")
    code.set(value)
    code.else_()
    code.get(result)
    code.op("f64.convert_i32_u")
    set_float(t, value)
    code.end()
    t.push(Entry("box", value, v.NUMBER))
