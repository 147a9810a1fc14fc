"""Where the engine's structures have their fields, as the prototype's guest says in `c_layout`."""

from __future__ import annotations

from typing import NamedTuple, Protocol


class Memory(Protocol):
    """Reads of a guest's memory, each of them checked."""

    def read(self, address: int, length: int) -> bytes:
        """Bytes."""

    def u16(self, address: int) -> int:
        """A number of 16 bits."""

    def u32(self, address: int) -> int:
        """A number of 32 bits."""


class Layout(NamedTuple):
    """Offsets in bytes, and a few constants, in the order of `c_layout`."""

    reference_count: int  # before an object
    ctx_interrupt: int
    ctx_lexical: int
    ctx_global: int
    o_class: int
    o_shape: int
    o_prop: int
    o_values: int
    o_count: int
    o_function: int
    s_uid: int
    r_pvalue: int
    f_ctx: int
    f_code: int
    f_cpool: int
    f_caches: int
    f_captured: int
    f_stack: int
    f_this: int
    f_new_target: int
    f_ret: int
    f_arguments: int
    f_variables: int
    f_pc: int
    f_sp: int
    b_code: int
    b_code_length: int
    b_vardefs: int
    b_arg_count: int
    b_var_count: int
    b_stack_size: int
    b_calls: int
    b_cpool: int
    b_cpool_count: int
    vardef_bytes: int
    vardef_flags: int
    class_array: int
    class_uint8c: int
    class_float64: int
    b_filename: int
    atom_length: int
    class_function: int
    b_closure_count: int
    ctx_class_proto: int
    cache_bytes: int
    shape_epoch: int

    @property
    def b_flags(self) -> int:
        """The flags stand first in a function, after the links of the collector."""
        return 8

    @classmethod
    def read(cls, memory: Memory, address: int) -> Layout:
        """Read what `c_layout` points at."""
        return cls(*(memory.u32(address + 4 * index) for index in range(len(cls._fields))))
