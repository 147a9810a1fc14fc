"""A guest at build time: booted, then given the bindings, against a host that answers nothing.

The bindings are compiled in one guest and installed in another, which so holds nothing of their sources. What runs the
guest is left open: the module that is to be frozen, or the same C as a program of this machine.
"""

from __future__ import annotations

import posixpath
import re
import struct
from abc import ABC, abstractmethod
from collections.abc import Mapping
from graphlib import CycleError, TopologicalSorter
from typing import TYPE_CHECKING, Any, Final

import msgpack

from wasm.errors import BuildError

if TYPE_CHECKING:
    from wasm.table import Table

PREFIX: Final = "sandbox:"
ENTRY: Final = "index.js"
_IMPORT: Final = re.compile(r'(?:from|import) "(\.[^"]+|sandbox:[^"]+)"')


class Booted(ABC):
    """A guest that is run at build time, against a host that answers nothing; whoever makes one boots it.

    Attributes:
        refused: The op of a call of the host that was answered with `stop`.
    """

    def __init__(self, table: Table) -> None:
        self._table = table
        self._offsets = {field.name: field.offset for field in table.control}
        self.refused: int | None = None

    @abstractmethod
    def call(self, name: str, *arguments: int) -> int:
        """Call an export; returns its i32 as an unsigned number, or 0 when it has no result."""

    @abstractmethod
    def read(self, address: int, length: int) -> bytes:
        """Read memory."""

    @abstractmethod
    def write(self, address: int, data: bytes) -> None:
        """Write memory."""

    def step(self, name: str, purpose: str, *values: str | bytes) -> bytes | None:
        """Call an export with a message of values, read what it left in the outbox and insist on success.

        Returns:
            The message of the frame that says that what was started has finished; None: there is none.
        """
        arguments = []
        if values:
            message = b"\0" + b"".join(msgpack.packb(value) for value in values)
            address = self.call("reserve", len(message))
            if not address:
                raise BuildError(f"cannot {purpose}: the guest is out of memory")
            self.write(address, message)
            arguments = [len(message)]
        status = self.call(name, *arguments)
        ops = {op.id: op.name for op in self._table.ops if not op.stem}
        finished: bytes | None = None
        for op, body in self._drain():
            kind = ops.get(op, "")
            if kind in ("fail", "uncaught"):
                raise BuildError(f"cannot {purpose}: {_describe(body, self._table.tags['error']['id'])}")
            if kind != "finish":
                raise BuildError(f"cannot {purpose}: it sent op {op} to the host, which is not there yet")
            finished = body
        if self.refused is not None:
            raise BuildError(f"cannot {purpose}: it called the host (op {self.refused}), which is not there yet")
        if status != self._table.enums["status"]["ok"]:
            raise BuildError(f"cannot {purpose}: status {status}")
        return finished

    def _drain(self) -> list[tuple[int, bytes]]:
        """Op and message of every frame in the outbox, which is empty afterwards."""
        control = self.call("control")
        outbox, size = (
            struct.unpack("<I", self.read(control + self._offsets[name], 4))[0] for name in ("outbox", "outbox_bytes")
        )
        data = self.read(outbox, size)
        position, header, frames = 0, self._table.frame["header_bytes"], []
        while position + header <= size:
            op, _, length = struct.unpack_from("<III", data, position)
            position += header
            frames.append((op, data[position : position + length]))
            position += length + 3 & ~3
        self.write(control + self._offsets["outbox_bytes"], bytes(4))
        return frames


def compile_bindings(run: Booted, bindings: Mapping[str, str]) -> dict[str, bytes]:
    """File name -> bytecode. The guest that makes it is of no use afterwards.

    Raises:
        BuildError: A binding does not compile.
    """
    for name in sorted(bindings):
        run.step("define_module", f"define bindings/{name}", PREFIX + name, bindings[name])
    compiled = {}
    for name in sorted(bindings):
        message = run.step("compile", f"compile bindings/{name}", PREFIX + name)
        bytecode = None if message is None else msgpack.unpackb(message[1:])
        if not isinstance(bytecode, bytes):
            raise BuildError(f"cannot compile bindings/{name}: the guest gave no bytecode")
        compiled[name] = bytecode
    return compiled


def install_bindings(run: Booted, bytecode: Mapping[str, bytes], bindings: Mapping[str, str]) -> None:
    """Make a guest what sandboxes start from.

    Raises:
        BuildError: A binding fails.
    """
    for name in _in_order(bindings):
        run.step("define_module", f"define bindings/{name}", PREFIX + name, bytecode[name])
    if run.step("install", f"install bindings/{ENTRY}", PREFIX + ENTRY) is None:
        raise BuildError(f"cannot install bindings/{ENTRY}: it waits for something that never comes")
    run.step("collect", "collect the garbage of the bindings")


def _in_order(bindings: Mapping[str, str]) -> list[str]:
    """The bindings, each after those it imports: the engine links bytecode as it reads it."""
    imports = {
        name: {_beside(name, found) for found in _IMPORT.findall(source)} & bindings.keys()
        for name, source in bindings.items()
    }
    try:
        return list(TopologicalSorter({name: sorted(imports[name]) for name in sorted(imports)}).static_order())
    except CycleError as error:
        raise BuildError("bindings import each other in a circle: " + " -> ".join(error.args[1])) from error


def _beside(name: str, specifier: str) -> str:
    """Which binding an import of another one names; so the guest says as well, see `normalize` in modules.c."""
    if specifier.startswith(PREFIX):
        return specifier.removeprefix(PREFIX)
    return posixpath.normpath(posixpath.join(posixpath.dirname(name), specifier))


def _describe(message: bytes, error_tag: int) -> str:
    """An error value of the ABI as text: name, message, stack."""

    def extension(tag: int, data: bytes) -> Any:  # noqa: ANN401 whatever the payload holds
        return decode(data) if tag == error_tag else f"<extension {tag}>"

    def decode(data: bytes) -> Any:  # noqa: ANN401
        return msgpack.unpackb(data, ext_hook=extension, strict_map_key=False, unicode_errors="surrogatepass")

    try:
        value = decode(message[1:])
    except (ValueError, msgpack.UnpackException):
        return f"an error that cannot be read ({len(message)} bytes)"
    if isinstance(value, list) and len(value) >= 4:
        _, name, text, stack, *_ = value
        return f"{name}: {text}\n{stack or ''}".rstrip()
    return repr(value)
