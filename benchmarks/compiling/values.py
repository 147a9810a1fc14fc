"""What the compiler knows of the values on the operand stack while it translates."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

INT, FLOAT, BOOL, NONE, UNINITIALIZED, HEAP, CATCH = (1 << n for n in range(7))  # NONE: undefined or null
NUMBER: Final = INT | FLOAT
ANY: Final = INT | FLOAT | BOOL | NONE | HEAP
LOW32: Final = INT | BOOL | NONE  # true exactly when the low half is not 0

TAG_INT, TAG_BOOL, TAG_NULL, TAG_UNDEFINED, TAG_UNINITIALIZED, TAG_CATCH, TAG_EXCEPTION = range(7)
FIRST_TAG: Final = -9
TAG_STRING: Final = -7
FLOAT_TAG: Final = 8
ADDEND: Final = (0x7FF80000 - FIRST_TAG + 1) << 32
NAN: Final = (0x7FF8000000000000 - ADDEND) & ((1 << 64) - 1)
HEAP_MIN: Final = ((FIRST_TAG) & 0xFFFFFFFF) << 32  # unsigned, from here on values have a reference count
OBJECT_MIN: Final = 0xFFFFFFFF << 32


def boxed(tag: int, low: int = 0) -> int:
    """A JSValue."""
    return (tag & 0xFFFFFFFF) << 32 | low & 0xFFFFFFFF


UNDEFINED: Final = boxed(TAG_UNDEFINED)
NULL: Final = boxed(TAG_NULL)
EXCEPTION: Final = boxed(TAG_EXCEPTION)
UNSET: Final = boxed(TAG_UNINITIALIZED)


def mask_of(value: int) -> int:
    """The mask of a constant."""
    tag = value >> 32
    masks = {TAG_INT: INT, TAG_BOOL: BOOL, TAG_NULL: NONE, TAG_UNDEFINED: NONE, TAG_UNINITIALIZED: UNINITIALIZED}
    masks[TAG_CATCH] = CATCH
    if tag in masks:
        return masks[tag]
    return HEAP if value >= HEAP_MIN else FLOAT if ((tag + 9) & 0xFFFFFFFF) >= 17 else NONE


@dataclass(frozen=True)
class Entry:
    """A value on the operand stack.

    Attributes:
        kind: const (a JSValue), box (a JSValue in a local), int, bool (an i32 in a local), float (an f64 in one).
        number: The constant, or the local.
        mask: What it may be.
        is_owned: Whether the reference count is ours; otherwise that of a variable or argument.
        variable: Of which variable it is an alias; None: of none.
    """

    kind: str
    number: int
    mask: int
    is_owned: bool = True
    variable: int | None = None

    @property
    def is_counted(self) -> bool:
        """Whether it may have a reference count that is ours."""
        return self.is_owned and bool(self.mask & HEAP) and self.kind == "box"
