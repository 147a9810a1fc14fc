"""Instructions that move values, read and write variables, and go elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.code import I32
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction

# --- constants ---

CONSTANTS = {
    "undefined": v.UNDEFINED,
    "null": v.NULL,
    "push_false": v.boxed(v.TAG_BOOL),
    "push_true": v.boxed(v.TAG_BOOL, 1),
}


@emits(*CONSTANTS)
def _constant(t: Translator, i: Instruction) -> None:
    value = CONSTANTS[i.opcode.name]
    t.push(Entry("const", value, v.mask_of(value)))


@emits("push_i32", "push_i8", "push_i16", "push_minus1", *(f"push_{n}" for n in range(8)))
def _integer(t: Translator, i: Instruction) -> None:
    t.push(Entry("const", i.operand & 0xFFFFFFFF, v.INT))


@emits("push_const", "push_const8")
def _pooled(t: Translator, i: Instruction) -> None:
    value = t.function.constants[i.operand]
    mask = v.mask_of(value)
    if not mask & v.HEAP:
        t.push(Entry("const", value, mask))
        return
    t.code.get(FRAME)
    t.code.memory("i32.load", t.layout.f_cpool)
    t.code.memory("i64.load", 8 * i.operand)
    entry = t.keep("box", mask)
    t.push(Entry("box", entry.number, mask, is_owned=False))  # the pool owns it


@emits("push_this")
def _this(t: Translator, i: Instruction) -> None:
    code = t.code
    code.get(FRAME)
    code.memory("i64.load", t.layout.f_this)
    entry = t.keep("box", v.ANY | v.UNINITIALIZED)
    if not t.function.is_strict:
        code.get(entry.number)
        code.i64(v.OBJECT_MIN)
        code.op("i64.lt_u")
        code.if_()
        t.place(i)
        code.get(FRAME)
        code.i32(i.opcode.number)
        code.get(t.base)
        code.call(INDEX["c_make"])
        code.set(entry.number)
        t.throw_if_exception(i, entry.number)
        code.else_()
        t.count_up(entry.number)
        code.end()
        t.push(Entry("box", entry.number, v.HEAP))
        return
    t.push(Entry("box", entry.number, entry.mask, is_owned=False))  # the caller owns it


@emits("fclosure", "fclosure8", "push_atom_value", "push_empty_string", "object", "special_object", "rest")
def _make(t: Translator, i: Instruction) -> None:
    t.push(made(t, i))


def made(t: Translator, i: Instruction) -> Entry:
    """A value that the engine makes; it is not pushed."""
    code = t.code
    t.place(i)
    code.get(FRAME)
    code.i32(i.opcode.number)
    code.get(t.base)
    code.i32(i.at + 1)
    code.op("i32.add")
    code.call(INDEX["c_make"])
    entry = t.keep("box", v.ANY if i.opcode.name == "special_object" else v.HEAP)
    t.throw_if_exception(i, entry.number)
    return entry


# --- the operand stack: results as indices of what is popped, the deepest being 0 ---

ORDERS = {
    "nip": (2, (1,)), "nip1": (3, (1, 2)), "dup": (1, (0, 0)), "dup1": (2, (0, 0, 1)), "dup2": (2, (0, 1, 0, 1)),
    "dup3": (3, (0, 1, 2, 0, 1, 2)), "insert2": (2, (1, 0, 1)), "insert3": (3, (2, 0, 1, 2)),
    "insert4": (4, (3, 0, 1, 2, 3)), "perm3": (3, (1, 0, 2)), "perm4": (4, (2, 0, 1, 3)), "perm5": (5, (3, 0, 1, 2, 4)),
    "swap": (2, (1, 0)), "swap2": (4, (2, 3, 0, 1)), "rot3l": (3, (1, 2, 0)), "rot3r": (3, (2, 0, 1)),
    "rot4l": (4, (1, 2, 3, 0)), "rot5l": (5, (1, 2, 3, 4, 0)), "drop": (1, ()),
}  # fmt: skip


@emits(*ORDERS)
def _order(t: Translator, i: Instruction) -> None:
    count, order = ORDERS[i.opcode.name]
    popped = [t.pop() for _ in range(count)][::-1]
    seen: set[int] = set()
    for index in order:
        if index in seen and popped[index].is_counted:
            t.count_up(popped[index].number)
        seen.add(index)
        t.push(popped[index])
    for index, entry in enumerate(popped):
        if index not in seen:
            t.free(entry)


@emits("nip_catch")
def _nip_catch(t: Translator, i: Instruction) -> None:
    result = t.pop()
    dropped = t.pop()
    while dropped.mask != v.CATCH:
        t.free(dropped)
        dropped = t.pop()
    t.push(result)


@emits("catch")
def _catch(t: Translator, i: Instruction) -> None:
    t.push(Entry("const", v.boxed(v.TAG_CATCH, i.operand), v.CATCH))


@emits("nop")
def _nop(t: Translator, i: Instruction) -> None:
    pass


# --- where to go on ---


@emits("goto", "goto8", "goto16")
def _goto(t: Translator, i: Instruction) -> None:
    t.settle()
    t.jump(i, t.at[i.operand])


def truth(t: Translator, entry: Entry) -> None:
    """Put 1 or 0, or another number for true, on wasm's stack; gives up the value."""
    code = t.code
    if entry.kind in ("int", "bool"):
        code.get(entry.number)
        return
    if entry.kind == "float":
        code.get(entry.number)
        code.f64(0.0)
        code.op("f64.lt")
        code.get(entry.number)
        code.f64(0.0)
        code.op("f64.gt", "i32.or")
        return
    local = t.as_local(entry)
    if not entry.mask & ~v.LOW32:
        code.get(local)
        code.op("i32.wrap_i64")
        return
    result = code.local(I32)
    code.get(local)
    code.i64(4 << 32)
    code.op("i64.lt_u")
    code.if_()
    code.get(local)
    code.op("i32.wrap_i64")
    code.set(result)
    code.else_()
    code.get(local)
    code.i64(v.OBJECT_MIN)
    code.op("i64.ge_u")
    code.if_()
    code.i32(1)
    code.set(result)
    t.free(entry)
    code.else_()
    code.get(FRAME)
    t.own(entry)
    code.call(INDEX["c_truth"])
    code.set(result)
    code.end()
    code.end()
    code.get(result)


@emits("if_false", "if_false8", "if_true", "if_true8")
def _branch(t: Translator, i: Instruction) -> None:
    code = t.code
    truth(t, t.pop())
    condition = code.local(I32)
    code.set(condition)
    t.settle()
    target = t.at[i.operand]
    t.join(target)
    code.get(condition)
    if i.opcode.name.startswith("if_false"):
        code.op("i32.eqz")
    if not t.is_back(target):
        code.br_if(t.ends[target])
    else:
        code.if_()
        t.poll(i)
        code.br(t.heads[target])
        code.end()


@emits("check_ctor")
def _check_constructor(t: Translator, i: Instruction) -> None:
    code = t.code
    code.get(FRAME)
    code.memory("i64.load", t.layout.f_new_target)
    code.i64(v.UNDEFINED)
    code.op("i64.eq")
    code.if_()
    t.leave(i)
    code.end()


@emits("return")
def _return(t: Translator, i: Instruction) -> None:
    t.done(t.pop())


@emits("return_undef")
def _return_undefined(t: Translator, i: Instruction) -> None:
    t.done(Entry("const", v.UNDEFINED, v.NONE))


@emits("lnot")
def _not(t: Translator, i: Instruction) -> None:
    truth(t, t.pop())
    t.code.op("i32.eqz")
    t.push(t.keep("bool", v.BOOL))


@emits("is_undefined_or_null", "is_undefined", "is_null")
def _is_nothing(t: Translator, i: Instruction) -> None:
    code = t.code
    entry = t.pop()
    t.box(entry)
    code.i64(32)
    code.op("i64.shr_u", "i32.wrap_i64")
    if i.opcode.name == "is_undefined_or_null":
        code.i32(1)
        code.op("i32.or")
    code.i32(v.TAG_NULL if i.opcode.name == "is_null" else v.TAG_UNDEFINED)
    code.op("i32.eq")
    result = t.keep("bool", v.BOOL)
    t.free(entry)
    t.push(result)
