"""What compiled code imports: functions of the guest, and their types."""

from __future__ import annotations

from typing import Final

from benchmarks.compiling.code import F64, I32, I64

# Name -> parameters, results.
HELPERS: Final = {
    "c_free": ((I32, I64), ()),
    "c_poll": ((I32,), (I32,)),
    "c_call": ((I32, I32, I32), (I64,)),
    "c_call_method": ((I32, I32, I32), (I64,)),
    "c_construct": ((I32, I32, I32), (I64,)),
    "c_binary": ((I32, I32, I64, I64), (I64,)),
    "c_unary": ((I32, I32, I64), (I64,)),
    "c_truth": ((I32, I64), (I32,)),
    "c_to_int32": ((F64,), (I32,)),
    "c_get_field": ((I32, I64, I32, I32), (I64,)),
    "c_put_field": ((I32, I64, I64, I32, I32), (I32,)),
    "c_define_field": ((I32, I64, I64, I32, I32), (I32,)),
    "c_get_global": ((I32, I32, I32, I32), (I64,)),
    "c_put_global": ((I32, I32, I64, I32), (I32,)),
    "c_get_element": ((I32, I64, I64), (I64,)),
    "c_put_element": ((I32, I64, I64, I64), (I32,)),
    "c_uninitialized": ((I32, I32, I32), ()),
    "c_make": ((I32, I32, I32), (I64,)),
    "c_step": ((I32, I32, I32, I32), (I32,)),
}
INDEX: Final = {name: number for number, name in enumerate(HELPERS)}
TYPES: Final = [((I32,), (I32,)), *dict.fromkeys(HELPERS.values())]
