"""Operators of one operand."""

from __future__ import annotations

from benchmarks.compiling import values as v
from benchmarks.compiling.arithmetic import INT_LIMIT, arithmetic, ints, raw_float, set_float
from benchmarks.compiling.bits import to_int32
from benchmarks.compiling.bytecode import Instruction, opcodes
from benchmarks.compiling.code import I64
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, Translator, emits
from benchmarks.compiling.values import Entry
from benchmarks.compiling.variables import read_local, write_local


def slow_unary(t: Translator, i: Instruction, a: Entry, mask: int, name: str | None = None) -> None:
    """Push what the engine's function of an operator makes of a value that was popped."""
    code = t.code
    t.place(i)
    code.get(FRAME)
    code.i32(t.opcode(name or i.opcode.name))
    t.own(a)
    code.call(INDEX["c_unary"])
    result = t.keep("box", mask)
    t.throw_if_exception(i, result.number)
    t.push(result)


@emits("typeof", "typeof_is_undefined", "typeof_is_function", "to_object")
def _unary(t: Translator, i: Instruction) -> None:
    slow_unary(t, i, t.pop(), v.BOOL if "is" in i.opcode.name else v.HEAP)


@emits("to_propkey", "to_propkey2")
def _key(t: Translator, i: Instruction) -> None:
    if i.opcode.name == "to_propkey2":  # what has no properties is the interpreter's to refuse
        t.box(t.top(1))
        t.code.i64(32)
        t.code.op("i64.shr_u", "i32.wrap_i64")
        t.code.i32(1)
        t.code.op("i32.or")
        t.code.i32(v.TAG_UNDEFINED)
        t.code.op("i32.eq")
        t.code.if_()
        t.leave(i)
        t.code.end()
    entry = t.pop()
    if entry.mask == v.INT:
        t.push(entry)
    else:
        code, result = t.code, t.code.local(I64)
        t.own(entry)
        code.set(result)
        code.get(result)
        code.i64(INT_LIMIT)
        code.op("i64.ge_u")
        code.get(result)
        code.i64(32)
        code.op("i64.shr_u", "i32.wrap_i64")
        code.i32(v.TAG_STRING)
        code.op("i32.ne", "i32.and")
        code.if_()
        slow_unary(t, i, Entry("box", result, v.ANY), v.ANY, "to_propkey")
        code.get(t.pop().number)
        code.set(result)
        code.end()
        t.push(Entry("box", result, v.INT | v.HEAP))


@emits("not")
def _complement(t: Translator, i: Instruction) -> None:
    entry = t.pop()
    if entry.mask & ~v.NUMBER:
        slow_unary(t, i, entry, v.INT | v.HEAP)
        return
    to_int32(t, entry, None)
    t.code.i32(-1)
    t.code.op("i32.xor")
    t.push(t.keep("int", v.INT))


@emits("plus")
def _plus(t: Translator, i: Instruction) -> None:
    entry = t.pop()
    if entry.mask & ~v.NUMBER:
        _number(t, i, entry, "plus")
    else:
        t.push(entry)


def is_no_number(t: Translator, local: int) -> None:
    """Put on wasm's stack whether a JSValue is no number."""
    code = t.code
    code.get(local)
    code.i64(INT_LIMIT)
    code.op("i64.ge_u")
    code.get(local)
    code.i64(9 << 32)
    code.op("i64.add")
    code.i64(17 << 32)
    code.op("i64.lt_u", "i32.and")


def _number(t: Translator, i: Instruction, entry: Entry, name: str) -> None:
    """Push a value as a number; what is none goes through the engine's function of an operator."""
    code = t.code
    local, result = t.as_local(entry), code.local(I64)
    code.get(local)
    code.set(result)
    is_no_number(t, local)
    code.if_()
    slow_unary(t, i, entry, v.ANY, name)
    code.get(t.pop().number)
    code.set(result)
    code.end()
    t.push(Entry("box", result, v.NUMBER | v.HEAP))


@emits("neg")
def _negate(t: Translator, i: Instruction) -> None:
    code, entry = t.code, t.pop()
    if entry.mask & ~v.NUMBER:
        slow = code.block()
        result = code.local(I64)
        inner = code.block()
        raw_float(t, entry, inner)
        code.op("f64.neg")
        set_float(t, result)
        code.br(slow)
        code.end()
        slow_unary(t, i, entry, v.ANY)
        code.get(t.pop().number)
        code.set(result)
        code.end()
        t.push(Entry("box", result, v.NUMBER | v.HEAP))
        return
    if entry.mask == v.FLOAT:
        raw_float(t, entry, None)
        code.op("f64.neg")
        t.push(t.keep("float", v.FLOAT))
        return
    result = code.local(I64)
    number = t.as_local(entry)
    code.get(number)
    code.i64(1)
    code.op("i64.sub")
    code.i64((1 << 31) - 1)
    code.op("i64.lt_u")  # 1 to 2**31 - 1
    code.if_()
    code.i32(0)
    code.get(number)
    code.op("i32.wrap_i64", "i32.sub", "i64.extend_i32_u")
    code.set(result)
    code.else_()
    raw_float(t, entry, None)
    code.op("f64.neg")
    set_float(t, result)
    code.end()
    t.push(Entry("box", result, v.NUMBER))


ONE = Entry("const", 1, v.INT)


def _step(t: Translator, i: Instruction, entry: Entry, name: str) -> None:
    """Push a value plus or minus 1; strings and bigints take the engine's way."""
    code = t.code
    if not entry.mask & ~v.NUMBER:
        arithmetic(t, i, "add" if name == "inc" else "sub", entry, ONE)
        return
    result = code.local(I64)
    done = code.block()
    slow = code.block()
    t.box(entry)
    code.i64(INT_LIMIT)
    code.op("i64.lt_u")
    code.if_()
    ints(t, "add" if name == "inc" else "sub", entry, ONE, result)
    code.br(done)
    code.end()
    raw_float(t, entry, slow)
    code.f64(1.0)
    code.op("f64.add" if name == "inc" else "f64.sub")
    set_float(t, result)
    code.br(done)
    code.end()
    slow_unary(t, i, entry, v.ANY, name)
    code.get(t.pop().number)
    code.set(result)
    code.end()
    t.push(Entry("box", result, v.NUMBER | v.HEAP))


@emits("inc", "dec")
def _increment(t: Translator, i: Instruction) -> None:
    _step(t, i, t.pop(), i.opcode.name)


@emits("post_inc", "post_dec")
def _post(t: Translator, i: Instruction) -> None:
    code, entry = t.code, t.pop()
    if entry.mask & ~v.NUMBER:  # the old value is a number as well, or a bigint: the interpreter makes it
        local = t.as_local(entry)
        is_no_number(t, local)
        code.if_()
        t.push(entry)
        t.leave(i)
        t.pop()
        code.end()
        entry = Entry("box", local, v.NUMBER)
    t.push(entry)
    if entry.is_counted:
        t.count_up(entry.number)
    _step(t, i, entry, "inc" if i.opcode.name == "post_inc" else "dec")


@emits("inc_loc", "dec_loc")
def _increment_local(t: Translator, i: Instruction) -> None:
    _step(t, i, read_local(t, i.operand), i.opcode.name[:3])
    write_local(t, i.operand, t.pop())


@emits("add_loc")
def _add_local(t: Translator, i: Instruction) -> None:
    b = t.pop()
    plain = i._replace(opcode=opcodes()[t.opcode("add")])
    arithmetic(t, plain, "add", read_local(t, i.operand), b)
    write_local(t, i.operand, t.pop())
