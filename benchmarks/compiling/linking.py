"""The module around compiled functions."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchmarks.compiling.helpers import HELPERS, TYPES
from wasm.module import MAGIC, unsigned, vector

if TYPE_CHECKING:
    from collections.abc import Sequence


def _text(name: str) -> bytes:
    return unsigned(len(name)) + name.encode()


def _section(number: int, payload: bytes) -> bytes:
    return bytes((number,)) + unsigned(len(payload)) + payload


def encode(bodies: Sequence[bytes]) -> bytes:
    """A module that imports the guest's memory and helpers, and exports these functions as f0, f1 and so on."""
    types = [
        b"\x60" + vector(bytes((one,)) for one in parameters) + vector(bytes((one,)) for one in results)
        for parameters, results in TYPES
    ]
    numbers = {shape: TYPES.index(shape) for shape in TYPES}
    imports = [_text("guest") + _text("memory") + b"\x02\x00\x00"]
    imports += [_text("guest") + _text(name) + b"\x00" + unsigned(numbers[shape]) for name, shape in HELPERS.items()]
    exports = [_text(f"f{number}") + b"\x00" + unsigned(len(HELPERS) + number) for number in range(len(bodies))]
    return MAGIC + b"".join(
        (
            _section(1, vector(types)),
            _section(2, vector(imports)),
            _section(3, vector(b"\x00" for _ in bodies)),
            _section(7, vector(exports)),
            _section(10, vector(bodies)),
        )
    )
