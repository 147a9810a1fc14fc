"""Instructions on objects: properties by inline cache, elements of arrays, globals, calls; and the long tail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling import values as v
from benchmarks.compiling.code import I32, I64, Label
from benchmarks.compiling.helpers import INDEX
from benchmarks.compiling.translate import FRAME, Translator, emits
from benchmarks.compiling.values import Entry

if TYPE_CHECKING:
    from benchmarks.compiling.bytecode import Instruction


def _cache(t: Translator) -> int:
    """The offset of a new inline cache."""
    t.caches += 1
    return (t.caches - 1) * t.layout.cache_bytes


def _atom(t: Translator, i: Instruction) -> None:
    """Put the atom of an instruction on wasm's stack; from the bytecode, since atoms differ from guest to guest."""
    if i.opcode.name == "get_length":
        t.code.i32(t.layout.atom_length)
    else:
        t.code.get(t.base)
        t.code.memory("i32.load", i.at + 1)


def _address(t: Translator, offset: int) -> None:
    t.code.get(t.cache_base)
    t.code.i32(offset)
    t.code.op("i32.add")


def _object(t: Translator, local: int, slow: Label) -> int:
    """A local with the address of the object that a JSValue is; goes to `slow` when it is none."""
    code = t.code
    pointer = code.local(I32)
    code.get(local)
    code.i64(v.OBJECT_MIN)
    code.op("i64.lt_u")
    code.br_if(slow)
    code.get(local)
    code.op("i32.wrap_i64")
    code.set(pointer)
    return pointer


def _shape_is(t: Translator, pointer: int, offset: int, slow: Label) -> None:
    code, at = t.code, t.layout
    code.get(pointer)
    code.memory("i32.load", at.o_shape)
    code.memory("i32.load", at.s_uid)
    code.get(t.cache_base)
    code.memory("i32.load", offset)
    code.op("i32.ne")
    code.br_if(slow)


@emits("get_field", "get_field2", "get_length")
def _get_field(t: Translator, i: Instruction) -> None:
    code, at = t.code, t.layout
    entry = t.pop()
    local = t.as_local(entry)
    value, holder = code.local(I64), code.local(I32)
    cache = _cache(t)
    done = code.block()
    slow = code.block()
    pointer = _object(t, local, slow)
    _shape_is(t, pointer, cache, slow)
    code.get(t.cache_base)
    code.memory("i32.load", cache + 8)
    code.tee(holder)
    code.if_()
    code.i32(0)
    code.memory("i32.load", at.shape_epoch)
    code.get(t.cache_base)
    code.memory("i32.load", cache + 4)
    code.op("i32.ne")
    code.br_if(slow)
    code.get(holder)
    code.set(pointer)
    code.end()
    code.get(pointer)
    code.memory("i32.load", at.o_prop)
    code.get(t.cache_base)
    code.memory("i32.load", cache + 12)
    code.op("i32.add")
    code.memory("i64.load")
    code.set(value)
    t.count_up(value)
    code.br(done)
    code.end()
    t.place(i)
    code.get(FRAME)
    code.get(local)
    _atom(t, i)
    _address(t, cache)
    code.call(INDEX["c_get_field"])
    code.set(value)
    t.push(entry)
    t.throw_if_exception(i, value)
    code.end()
    if i.opcode.name != "get_field2":
        t.free(t.pop())
    t.push(Entry("box", value, v.ANY))


@emits("put_field")
def _put_field(t: Translator, i: Instruction) -> None:
    code, at = t.code, t.layout
    new, entry = t.pop(), t.pop()
    local = t.as_local(entry)
    cache = _cache(t)
    address, old = code.local(I32), code.local(I64)
    done = code.block()
    slow = code.block()
    pointer = _object(t, local, slow)
    _shape_is(t, pointer, cache, slow)
    code.get(pointer)
    code.memory("i32.load", at.o_prop)
    code.get(t.cache_base)
    code.memory("i32.load", cache + 12)
    code.op("i32.add")
    code.tee(address)
    code.memory("i64.load")
    code.set(old)
    code.get(address)
    t.own(new)
    code.memory("i64.store")
    t.free_local(old)
    code.br(done)
    code.end()
    t.place(i)
    code.get(FRAME)
    code.get(local)
    t.own(new)
    _atom(t, i)
    _address(t, cache)
    code.call(INDEX["c_put_field"])
    t.push(entry)
    t.throw_if(i)
    code.end()
    t.free(t.pop())


@emits("define_field")
def _define_field(t: Translator, i: Instruction) -> None:
    code = t.code
    new = t.pop()
    local = t.as_local(t.top())
    t.place(i)
    code.get(FRAME)
    code.get(local)
    t.own(new)
    _atom(t, i)
    _address(t, _cache(t))
    code.call(INDEX["c_define_field"])
    t.throw_if(i)


def _element(t: Translator, obj: int, index: Entry, slow: Label) -> tuple[int, int]:
    """Locals with the object and the element's index, when it is in an array's dense part; else goes to `slow`."""
    code, at = t.code, t.layout
    pointer = _object(t, obj, slow)
    number = code.local(I32)
    if index.mask != v.INT:
        t.box(index)
        code.i64(1 << 32)
        code.op("i64.ge_u")
        code.br_if(slow)
    t.box(index)
    code.op("i32.wrap_i64")
    code.tee(number)
    code.get(pointer)
    code.memory("i32.load", at.o_count)
    code.op("i32.ge_u")
    code.br_if(slow)
    return pointer, number


def _slot(t: Translator, pointer: int, number: int, shift: int = 3) -> None:
    """Put the address of an array's element on wasm's stack."""
    code = t.code
    code.get(pointer)
    code.memory("i32.load", t.layout.o_values)
    code.get(number)
    if shift:
        code.i32(shift)
        code.op("i32.shl")
    code.op("i32.add")


# The typed arrays that programs use most, by their distance from the first class: shift, load.
TYPED = {
    11: (3, "f64.load"),
    5: (2, "i32.load"),
    2: (0, "i32.load8_u"),
    0: (0, "i32.load8_u"),
    4: (1, "i32.load16_u"),
    6: (2, "i32.load"),
}


def _typed_element(t: Translator, pointer: int, number: int, kind: int, value: int, done: Label) -> None:
    """The element of a typed array, if it is one of these; the index is within it."""
    code = t.code
    for distance, (shift, load) in TYPED.items():
        code.get(kind)
        code.i32(t.layout.class_uint8c + distance)
        code.op("i32.eq")
        code.if_()
        _slot(t, pointer, number, shift)
        code.memory(load)
        if distance == 11:
            t.box(t.keep("float", v.FLOAT))
        elif distance == 6:
            raw = t.keep("int", v.INT)
            code.get(raw.number)
            code.i32(0)
            code.op("i32.lt_s")
            code.if_()
            code.get(raw.number)
            code.op("f64.convert_i32_u")
            t.box(t.keep("float", v.FLOAT))
            code.set(value)
            code.br(done)
            code.end()
            t.box(raw)
        else:
            code.op("i64.extend_i32_u")
        code.set(value)
        code.br(done)
        code.end()


def _class_is(t: Translator, pointer: int, number: int, slow: Label) -> None:
    code = t.code
    code.get(pointer)
    code.memory("i32.load16_u", t.layout.o_class)
    code.i32(number)
    code.op("i32.ne")
    code.br_if(slow)


@emits("get_array_el", "get_array_el2")
def _get_element(t: Translator, i: Instruction) -> None:
    code = t.code
    index, entry = t.pop(), t.pop()
    local = t.as_local(entry)
    value = code.local(I64)
    done = code.block()
    slow = code.block()
    if index.mask & v.INT:
        pointer, number = _element(t, local, index, slow)
        kind = code.local(I32)
        code.get(pointer)
        code.memory("i32.load16_u", t.layout.o_class)
        code.tee(kind)
        code.i32(t.layout.class_array)
        code.op("i32.eq")
        code.if_()
        _slot(t, pointer, number, 3)
        code.memory("i64.load")
        code.set(value)
        t.count_up(value)
        code.br(done)
        code.end()
        _typed_element(t, pointer, number, kind, value, done)
    code.end()
    t.place(i)
    code.get(FRAME)
    code.get(local)
    t.own(index)
    code.call(INDEX["c_get_element"])
    code.set(value)
    t.push(entry)
    t.throw_if_exception(i, value)
    code.end()
    if i.opcode.name != "get_array_el2":
        t.free(t.pop())
    t.push(Entry("box", value, v.ANY))


@emits("put_array_el")
def _put_element(t: Translator, i: Instruction) -> None:
    code = t.code
    new, index, entry = t.pop(), t.pop(), t.pop()
    local = t.as_local(entry)
    address, old = code.local(I32), code.local(I64)
    done = code.block()
    slow = code.block()
    if index.mask & v.INT:
        pointer, number = _element(t, local, index, slow)
        _class_is(t, pointer, t.layout.class_array, slow)
        _slot(t, pointer, number)
        code.tee(address)
        code.memory("i64.load")
        code.set(old)
        code.get(address)
        t.own(new)
        code.memory("i64.store")
        t.free_local(old)
        code.br(done)
    code.end()
    t.place(i)
    code.get(FRAME)
    code.get(local)
    t.own(index)
    t.own(new)
    code.call(INDEX["c_put_element"])
    t.push(entry)
    t.throw_if(i)
    code.end()
    t.free(t.pop())


# --- globals ---


@emits("get_var", "get_var_undef")
def _get_global(t: Translator, i: Instruction) -> None:
    code, at = t.code, t.layout
    cache = _cache(t)
    value = code.local(I64)
    done = code.block()
    slow = code.block()
    for offset, place in ((at.ctx_lexical, cache), (at.ctx_global, cache + 4)):
        code.get(t.ctx)
        code.memory("i32.load", offset)
        code.memory("i32.load", at.o_shape)
        code.memory("i32.load", at.s_uid)
        code.get(t.cache_base)
        code.memory("i32.load", place)
        code.op("i32.ne")
        code.br_if(slow)
    code.get(t.cache_base)
    code.memory("i32.load", cache + 12)
    code.memory("i64.load")
    code.set(value)
    t.count_up(value)
    code.br(done)
    code.end()
    t.place(i)
    code.get(FRAME)
    _atom(t, i)
    code.i32(int(i.opcode.name == "get_var"))
    _address(t, cache)
    code.call(INDEX["c_get_global"])
    code.set(value)
    t.throw_if_exception(i, value)
    code.end()
    t.push(Entry("box", value, v.ANY))


@emits("put_var", "put_var_init")
def _put_global(t: Translator, i: Instruction) -> None:
    code = t.code
    entry = t.pop()
    t.place(i)
    code.get(FRAME)
    _atom(t, i)
    t.own(entry)
    code.i32(int(i.opcode.name == "put_var_init"))
    code.call(INDEX["c_put_global"])
    t.throw_if(i)
