"""Stands in for `sandbox._instance.Instance`: the guest is a process under the sanitizers instead of wasm.

There is no linear memory here, no fuel and no trap. A report of a sanitizer ends the process, and is a trap for whoever
called; it is kept in `totals.reports` as well, which fails the test.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Final

import sandbox._guest
import sandbox._instance
from sandbox import _abi
from sandbox._abi import Control, Status
from sandbox._callback import host_call_address
from sandbox._image import image
from sandbox._instance import HostCall, Instance, Trap
from sandbox.errors import GuestProtocolError
from tests.sanitized.process import Ended, Process, server, totals

if TYPE_CHECKING:
    from sandbox._memory_copy import MemoryCopy, Origin
    from sandbox.limits import Metering

_I32: Final = 1 << 31
_PAGE_BYTES: Final = 1 << 16
# What the image of the module takes of its memory before anything is allocated.
_IMAGE_BYTES: Final = 3 << 20
_NOBODYS_CONTROL: Final = Control()


class SanitizedInstance(Instance):
    """One guest in a process of its own; see `Instance` for what is promised.

    Attributes:
        program: What it is a process of; None: the guest under the sanitizers.

    Nothing ends it but its answers to polls: there is no tank to empty. Copies of its memory there are none.
    """

    __slots__ = ("_booted_bytes", "_fuel", "_process")

    program: ClassVar[Path | None] = None

    def __init__(
        self, memory_bytes: int, on_host_call: HostCall, metering: Metering = "fuel", origin: Origin | None = None
    ) -> None:
        assert origin is None
        self._process: Process | None = None
        self._store = None
        self._limit_bytes = memory_bytes
        self.on_host_call = on_host_call
        self.pending: BaseException | None = None
        self.depth = 0
        self.is_broken = self.is_reserving = False
        self.deadline = None
        self._fuel = self._filled = 0
        self.image = image(host_call_address, metering)  # which says what options go with it
        process = self._process = server(self.program).guest()
        process.on_host_call = self._host_call
        assert process.control is not None
        self.control: Control = process.control
        self._booted_bytes, _ = process.allocated()
        process.limit(max(memory_bytes - _IMAGE_BYTES + self._booted_bytes, 1))
        self._size = _IMAGE_BYTES

    def call(self, name: str, arguments: Sequence[int] = ()) -> int:
        self.depth += 1
        try:
            status = self._living().call(name, *arguments)
        except Ended as error:
            raise self._ended(error) from None
        finally:
            self.depth -= 1
        return status - 2 * _I32 if status >= _I32 else status

    def read(self, address: int, length: int) -> bytes:
        if length > _abi.CAP_MESSAGE_BYTES:
            raise GuestProtocolError(f"the guest named {length:,} bytes at {address:#x}, which it does not have")
        try:
            return self._living().read(address, length) if length else b""
        except Ended as error:
            raise self._ended(error) from None

    def reserve(self, length: int) -> bool:
        return length <= self.control.inbox_bytes or bool(self.call("reserve", (length,)))

    def write(self, message: bytes) -> None:
        if not self.reserve(len(message)):
            raise MemoryError("the guest has no room for the message")
        try:
            self._living().write(self.control.inbox, bytes(message))
        except Ended as error:
            raise self._ended(error) from None

    def memory_bytes(self) -> int:
        """As large as linear memory would have to be at least; like that it never shrinks."""
        if self._process is not None:
            allocated = max(0, self._process.allocated()[0] - self._booted_bytes)
            pages = -(-(_IMAGE_BYTES + allocated) // _PAGE_BYTES)
            self._size = max(self._size, pages * _PAGE_BYTES)
        return self._size

    def arm(self, fuel: int, cpu_seconds: float | None, wall: float, spare_fuel: int = 0) -> None:
        self._filled = self._fuel = fuel

    def top_up(self) -> None:
        pass

    def halt(self) -> None:
        self._fuel = 0

    def set_fuel(self, fuel: int) -> None:
        self._fuel = fuel

    def fuel(self) -> int:
        return self._fuel

    def copy(self) -> MemoryCopy:
        raise MemoryError("a process cannot be copied")

    def restore(self, copy: MemoryCopy) -> None:
        raise NotImplementedError

    def lose(self) -> None:
        self._process = None

    def close(self, *, is_sound: bool = True) -> None:
        process, self._process = self._process, None
        self.control = _NOBODYS_CONTROL
        if process is not None:
            report = process.close()
            if report is not None:
                totals.reports.append(report)

    def __del__(self) -> None:
        process, self._process = getattr(self, "_process", None), None
        if process is not None:
            process.abandon()

    def _living(self) -> Process:
        assert self._process is not None
        return self._process

    def _ended(self, error: Ended) -> Trap:
        process, self._process = self._process, None
        control = Control.from_buffer_copy(self.control)  # the file behind it goes with the process
        self.control = control
        if process is not None:
            totals.reports.append(str(error))
        return Trap("UNKNOWN", "a sanitizer ended the guest")

    def _host_call(self, op: int, message: bytes) -> int:
        status: int = Status.STOP
        if self.pending is not None:
            return status
        try:
            status, reply = self.on_host_call(op, message)
            if reply is not None:
                self.write(reply)
                self.control.reply_bytes = len(reply)
        except BaseException as error:  # noqa: BLE001 - whatever it is, it waits until the export has returned
            status = Status.STOP
            if self.pending is None:
                self.pending = error
        return status


def instead_of_wasm() -> None:
    """Make every guest of this Python process such an instance, from now on."""
    for module in (sandbox._instance, sandbox._guest):
        vars(module)["Instance"] = SanitizedInstance
