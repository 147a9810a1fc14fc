"""Codes of exceptions: what programs compare."""

from __future__ import annotations

import enum
from typing import TYPE_CHECKING

import pytest

from sandbox import JSError, Sandbox, undefined

if TYPE_CHECKING:
    from sandbox.errors import ErrorDetail


class Coded(Exception):
    """An exception with a code, as many libraries have them."""

    def __init__(self, code: object) -> None:
        super().__init__("no")
        self.code = code


class Broken(Exception):
    @property
    def code(self) -> str:
        raise RuntimeError("broken")


class Level(enum.IntEnum):
    HIGH = 7


class Word(enum.StrEnum):
    LATE = "late"


# What an exception has, and what the program sees.
CODES: dict[str, tuple[BaseException, object]] = {
    "a word": (Coded("ENOENT"), "ENOENT"),
    "with all that may be in one": (Coded("ns:a.b-c_D9"), "ns:a.b-c_D9"),
    "a number": (Coded(429), 429),
    "zero": (Coded(0), 0),
    "a member of an enumeration": (Coded(Level.HIGH), 7),
    "a word of one": (Coded(Word.LATE), "late"),
    "a truth": (Coded(True), undefined),
    "a fraction": (Coded(1.5), undefined),
    "a sentence": (Coded("not today"), undefined),
    "a path": (Coded("/etc/passwd"), undefined),
    "nothing": (Coded(""), undefined),
    "a long text": (Coded("x" * 65), undefined),
    "a large number": (Coded(1 << 60), undefined),
    "a function": (Coded(len), undefined),
    "a broken one": (Broken(), undefined),
    "none": (ValueError("no"), undefined),
    "a number of the system's": (OSError(2, "No such file"), undefined),
}


@pytest.mark.parametrize(("raised", "code"), CODES.values(), ids=CODES)
@pytest.mark.parametrize("detail", ["class", "message", "traceback"])
def test_codes_of_exceptions(raised: Exception, code: object, detail: ErrorDetail) -> None:
    def fail() -> None:
        raise raised

    async def fail_later() -> None:
        raise raised

    with Sandbox(functions={"fail": fail, "failLater": fail_later}, error_detail=detail) as box:
        for call in ("fail()", "await failLater()"):
            seen = box.eval(f"try {{ {call} }} catch (error) {{ [Object.hasOwn(error, 'code'), error.code] }}")
            is_seen = code is not undefined and detail != "class"
            assert seen[0] is is_seen
            assert not is_seen or seen[1] == code


def test_a_code_goes_on_with_its_error() -> None:
    def fail() -> None:
        raise Coded("E_PAY")

    with Sandbox(functions={"fail": fail}) as box, pytest.raises(JSError) as caught:
        box.eval("fail()")
    assert caught.value.properties["code"] == "E_PAY"
    assert isinstance(caught.value.__cause__, Coded)
