"""Instructions that read and write variables and arguments, here and in the functions around."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.code import I32, I64
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, THREW, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction


def _before_write(t: Translator, index: int) -> None:
    """Aliases of a variable become values of their own."""
    for depth, entry in enumerate(t.stack):
        if entry.variable == index:
            t.own(entry)
            t.stack[depth] = t.keep("box", entry.mask)


def write_local(t: Translator, index: int, entry: Entry) -> None:
    """Set a variable to a value that was popped, and take it over."""
    code = t.code
    if index in t.stored_variables:
        code.get(t.locals_base)
        code.i32(8 * index)
        code.op("i32.add")
        address = code.local(I32)
        code.set(address)
        _store(t, address, entry)
        return
    _before_write(t, index)
    local = t.variables[index]
    if t.masks[index] & v.HEAP:
        old = code.local(I64)
        t.own(entry)
        code.get(local)
        code.set(old)
        code.set(local)
        t.free_local(old)
    else:
        t.own(entry)
        code.set(local)
    t.masks[index] = entry.mask


def _store(t: Translator, address: int, entry: Entry) -> None:
    """Set a value in memory, whose address is in a local; takes it over."""
    code = t.code
    old = code.local(I64)
    code.get(address)
    code.memory("i64.load")
    code.set(old)
    code.get(address)
    t.own(entry)
    code.memory("i64.store")
    t.free_local(old)


def _load(t: Translator, mask: int = v.ANY) -> Entry:
    """The JSValue at the address on wasm's stack, owned."""
    t.code.memory("i64.load")
    entry = t.keep("box", mask)
    t.count_up(entry.number)
    return entry


def read_local(t: Translator, index: int) -> Entry:
    """The value of a variable."""
    if index in t.stored_variables:
        t.code.get(t.locals_base)
        t.code.i32(8 * index)
        t.code.op("i32.add")
        return _load(t, v.ANY | v.UNINITIALIZED)
    return Entry("box", t.variables[index], t.masks[index], is_owned=False, variable=index)


@emits("get_loc", "get_loc8", *(f"get_loc{n}" for n in range(4)))
def _get_loc(t: Translator, i: Instruction) -> None:
    t.push(read_local(t, i.operand))


@emits("get_loc0_loc1")
def _get_two(t: Translator, i: Instruction) -> None:
    t.push(read_local(t, 0))
    t.push(read_local(t, 1))


@emits("put_loc", "put_loc8", *(f"put_loc{n}" for n in range(4)))
def _put_loc(t: Translator, i: Instruction) -> None:
    write_local(t, i.operand, t.pop())


@emits("set_loc", "set_loc8", *(f"set_loc{n}" for n in range(4)))
def _set_loc(t: Translator, i: Instruction) -> None:
    entry = t.pop()
    if entry.is_counted:
        t.count_up(entry.number)
    write_local(t, i.operand, entry)
    t.push(entry)


@emits("set_loc_uninitialized")
def _set_uninitialized(t: Translator, i: Instruction) -> None:
    write_local(t, i.operand, Entry("const", v.UNSET, v.UNINITIALIZED))


def _check(t: Translator, i: Instruction, local: int, *, is_captured: bool, entry: Entry | None = None) -> None:
    """Throw when a JSValue is the one of variables before their declaration."""
    code = t.code
    code.get(local)
    code.i64(v.UNSET)
    code.op("i64.eq")
    code.if_()
    t.place(i)
    code.get(FRAME)
    code.i32(i.operand)
    code.i32(int(is_captured))
    code.call(INDEX["c_uninitialized"])
    t.exit_with(THREW, i.next)
    code.end()


@emits("get_loc_check")
def _get_checked(t: Translator, i: Instruction) -> None:
    entry = read_local(t, i.operand)
    if entry.mask & v.UNINITIALIZED:
        _check(t, i, entry.number, is_captured=False)
        if i.operand not in t.stored_variables:
            t.masks[i.operand] &= ~v.UNINITIALIZED
    t.push(Entry("box", entry.number, entry.mask & ~v.UNINITIALIZED, entry.is_owned, entry.variable))


@emits("put_loc_check")
def _put_checked(t: Translator, i: Instruction) -> None:
    entry = read_local(t, i.operand)
    if entry.mask & v.UNINITIALIZED:
        _check(t, i, entry.number, is_captured=False)
        t.free(entry)
    write_local(t, i.operand, t.pop())


@emits("put_loc_check_init")
def _put_this(t: Translator, i: Instruction) -> None:
    entry = read_local(t, i.operand)
    t.code.get(t.as_local(entry))
    t.code.i64(v.UNSET)
    t.code.op("i64.ne")
    t.code.if_()
    t.leave(i)
    t.code.end()
    write_local(t, i.operand, t.pop())


@emits("get_arg", *(f"get_arg{n}" for n in range(4)))
def _get_arg(t: Translator, i: Instruction) -> None:
    if i.operand in t.stored_arguments:
        t.code.get(t.arguments)
        t.code.i32(8 * i.operand)
        t.code.op("i32.add")
        t.push(_load(t))
    else:
        t.push(Entry("box", t.argument_locals[i.operand], v.ANY, is_owned=False))


@emits("put_arg", "set_arg", *(f"{verb}_arg{n}" for verb in ("put", "set") for n in range(4)))
def _put_arg(t: Translator, i: Instruction) -> None:
    entry = t.pop()
    if i.opcode.name.startswith("set"):
        if entry.is_counted:
            t.count_up(entry.number)
        t.push(entry)
    address = t.code.local(I32)
    t.code.get(t.arguments)
    t.code.i32(8 * i.operand)
    t.code.op("i32.add")
    t.code.set(address)
    _store(t, address, entry)


def _captured_address(t: Translator, index: int) -> int:
    code = t.code
    address = code.local(I32)
    code.get(t.captured)
    code.memory("i32.load", 4 * index)
    code.memory("i32.load", t.layout.r_pvalue)
    code.set(address)
    return address


@emits("get_var_ref", "get_var_ref_check", *(f"get_var_ref{n}" for n in range(4)))
def _get_captured(t: Translator, i: Instruction) -> None:
    is_checked = i.opcode.name.endswith("check")
    t.code.get(_captured_address(t, i.operand))
    t.code.memory("i64.load")
    entry = t.keep("box", v.ANY if is_checked else v.ANY | v.UNINITIALIZED)
    if is_checked:
        _check(t, i, entry.number, is_captured=True)
    t.count_up(entry.number)
    t.push(entry)


@emits(
    "put_var_ref",
    "put_var_ref_check",
    *(f"{verb}_var_ref{n}" for verb in ("put", "set") for n in range(4)),
    "set_var_ref",
)
def _put_captured(t: Translator, i: Instruction) -> None:
    address = _captured_address(t, i.operand)
    if i.opcode.name.endswith("check"):
        t.code.get(address)
        t.code.memory("i64.load")
        old = t.keep("box", v.ANY)
        _check(t, i, old.number, is_captured=True)
    entry = t.pop()
    if i.opcode.name.startswith("set"):
        if entry.is_counted:
            t.count_up(entry.number)
        t.push(entry)
    _store(t, address, entry)
