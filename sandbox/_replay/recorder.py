"""Instances whose every input and output is written down.

What a guest does depends on nothing but what crosses the boundary of its instance. So whatever a capability, a function
of the embedder or a thread does is in the record by what the guest was told of it, and they need not know.
"""

from __future__ import annotations

import os
import time
from collections.abc import Sequence
from dataclasses import asdict
from functools import cache
from importlib.metadata import version
from typing import TYPE_CHECKING, Any, Final, Self, cast

from sandbox import _abi, _store
from sandbox._abi import Control, Status
from sandbox._callback import clock_address
from sandbox._instance import HostCall, Instance, Trap
from sandbox._memory_copy import MemoryCopy, Origin
from sandbox._replay.entries import FIELDS, U32, VERSION, Kind
from sandbox._replay.files import RecordWriter
from sandbox.errors import RecordError

if TYPE_CHECKING:
    from pathlib import Path

    from sandbox._store import Store
    from sandbox.limits import Limits, Metering

MAX_BYTES: Final = 1 << 30
"""How long a record may become, if nothing else is said."""

_MICROSECOND: Final = 1000
_NUMBERS: Final = {name: number for number, name in enumerate(FIELDS)}
_TIME_BYTES: Final = 8
_PAGE_BYTES: Final = 4096
_PIECE_BYTES: Final = 1 << 16  # of memory in one entry


@cache
def _package_version() -> str:
    return version("quickjs-sandbox")  # which searches directories


class Recording:
    """A record that is being written; see `record` of the sandbox. It is also a context that stops it.

    Attributes:
        path: The file.
    """

    path: Path

    def __init__(self, path: str | os.PathLike[str], limits: Limits, max_bytes: int = MAX_BYTES) -> None:
        """Make the file; `make_instance` makes what is recorded."""
        if isinstance(max_bytes, bool) or not isinstance(max_bytes, int):
            raise TypeError(f"max_bytes must be an int, not {type(max_bytes).__name__}")
        if max_bytes <= 0:
            raise ValueError(f"max_bytes must be positive, not {max_bytes:,}")
        self._limits = limits
        self._writer = RecordWriter(path, max_bytes)
        self.path = self._writer.path

    @property
    def bytes_written(self) -> int:
        """How long the file is."""
        return self._writer.written_bytes

    @property
    def error(self) -> Exception | None:
        """Why the record ended early: an `OSError`, or a `RecordError` that says what was in the way; None: it did not.

        No run fails for it, and what is in the file can be replayed.
        """
        return self._writer.error

    def stop(self) -> None:
        """End the record; idempotent. The sandbox goes on. Any thread, while the guest does not run."""
        self._writer.end("stopped")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_exception: object) -> None:
        self.stop()

    def __repr__(self) -> str:
        return f"<Recording {str(self.path)!r}, {self.bytes_written:,} bytes>"

    def make_instance(
        self, memory_bytes: int, on_host_call: HostCall, metering: Metering, origin: Origin | None
    ) -> Instance:
        """Make the instance that is recorded, one for each record; see `Instance`."""
        try:
            return RecordedInstance(self._writer, self._limits, memory_bytes, on_host_call, metering, origin)
        except BaseException:
            self._writer.close()
            raise


class RecordedInstance(Instance):
    """An instance that writes down what it is told and what it does."""

    __slots__ = ("_copies", "_is_asking", "_is_wanted", "_noted", "_writer")

    clock_address = clock_address

    def __init__(
        self,
        writer: RecordWriter,
        limits: Limits,
        memory_bytes: int,
        on_host_call: HostCall,
        metering: Metering,
        origin: Origin | None,
    ) -> None:
        """Instantiate the guest; the arguments are those of `Instance`."""
        self._writer = writer
        self._is_asking = self._is_wanted = False
        self._noted: BaseException | None = None
        self._copies = 0, 0
        super().__init__(memory_bytes, on_host_call, metering, origin)
        writer.add(
            Kind.HEAD,
            {
                "version": VERSION,
                "image": self.image.sha256,
                "abi": _abi.VERSION,
                "package": _package_version(),
                "began_ns": time.time_ns(),
                "limits": asdict(limits),
            },
        )
        if origin is not None:
            self._describe_memory()
        writer.flush()

    def _describe_memory(self) -> None:
        assert self._store is not None
        self._writer.add(Kind.GROW, self.memory_bytes())
        pristine = _store.pristine(self.image, self.image.memory_bytes)
        parts = MemoryCopy.view(self._store).parts
        for start, pages in pristine.differences(parts, _PAGE_BYTES):
            for at in range(0, len(pages), _PIECE_BYTES):
                self._writer.add(Kind.PAGES, start + at, bytes(pages[at : at + _PIECE_BYTES]))

    def _take(self, store: Store) -> None:
        super()._take(store)
        self.control = cast("Control", RecordedControl(store.control, self))

    # --- what the host does ---

    def call(self, name: str, arguments: Sequence[int] = ()) -> int:
        """See `Instance`."""
        writer, is_turn = self._writer, self.depth == 0
        writer.add(Kind.CALL, name, list(arguments))
        if is_turn:
            writer.flush()  # what the guest crashes the process with is in the file
        try:
            status = super().call(name, arguments)
        except Trap as trap:
            writer.add(Kind.TRAP, trap.code)
            raise
        except BaseException as error:
            self._lose_track(error)
            raise
        else:
            control = self.control
            burnt = max(self.burnt(), 0)
            writer.add(Kind.RETURN, status & U32, self.fuel_left(), burnt, control.reason, control.outbox_bytes)
        finally:
            if self.pending is not None and self.pending is not self._noted:
                self._lose_track(self.pending)
            if is_turn:
                writer.flush()
        return status

    def _lose_track(self, error: BaseException) -> None:
        """An exception came where nothing was written down: from a signal handler, or another thread."""
        self._writer.abandon(RecordError(f"a {type(error).__name__} came in the middle of a call of the host"))

    def write(self, message: bytes) -> None:
        """See `Instance`."""
        super().write(message)
        self._writer.add(Kind.WRITE, bytes(message))

    def read(self, address: int, length: int) -> bytes | memoryview:
        """See `Instance`."""
        data = super().read(address, length)
        if self._is_asking:
            self._is_asking = False  # it is part of the entry of the import
        else:
            self._writer.add(Kind.READ, address, bytes(data))
        return data

    def set_fuel(self, fuel: int) -> None:
        """See `Instance`."""
        super().set_fuel(fuel)
        self._writer.add(Kind.FUEL, fuel)

    def checkpoint(self) -> MemoryCopy:
        """See `Instance`."""
        copy = super().checkpoint()
        self._copies = self._copies[0] + 1, id(copy)
        self._writer.add(Kind.COPY, self._copies[0])
        return copy

    def restore(self, copy: MemoryCopy) -> None:
        """See `Instance`."""
        super().restore(copy)
        number, last = self._copies
        if id(copy) == last:
            self._writer.add(Kind.RESTORE, number)
        else:
            self._writer.abandon(RecordError("the sandbox was set back to before its record"))

    def close(self, *, is_sound: bool = True) -> None:
        """See `Instance`."""
        super().close(is_sound=is_sound)
        self._writer.end("closed")

    # --- what the guest does ---

    def serve(self, op: int, address: int, length: int) -> int:
        """See `Instance`."""
        status: int = Status.STOP
        end = address + length
        is_there = length <= _abi.CAP_MESSAGE_BYTES and (end <= self._size or end <= self.memory_bytes())
        message = bytes(self._memory[address:end]) if is_there else b""
        self._writer.add(Kind.IMPORT, op & U32, address, length, message)
        self._is_asking = True
        try:
            status = super().serve(op, address, length)
        except BaseException as error:
            self._noted = self.pending or error
            raise
        finally:
            self._is_asking = False
            self.deliver()
            self._writer.add(Kind.REPLY, status)
        return status

    def tell_time(self, clock: int, address: int) -> None:
        """See `Instance`. The clock that counts the guest's own time is told in microseconds, which is a byte each."""
        clock = 1 if clock else 0
        now = time.monotonic_ns() // _MICROSECOND * _MICROSECOND if clock else time.time_ns()
        self._writer.add_time(clock, now)
        end = address + _TIME_BYTES
        if end > self._size and end > self.memory_bytes():
            self._noted = error = self._broken("the guest wants the time outside its memory")
            raise error
        self._memory[address:end] = now.to_bytes(_TIME_BYTES, "little")
        if self._is_wanted:
            self.deliver()

    # --- the interrupt flag: any thread sets it, so it becomes visible where the guest can be found again ---

    def want_interrupt(self, *, is_wanted: bool) -> None:
        """Set the flag when the guest is told the time next, as it is at every poll; or forget that. Any thread."""
        self._is_wanted = is_wanted

    def is_interrupt_wanted(self) -> bool:
        """Whether the flag is yet to be set."""
        return self._is_wanted

    def deliver(self) -> None:
        """Set the flag, if it is wanted."""
        if self._is_wanted:
            self._is_wanted = False
            assert self._store is not None
            self._store.control.interrupt = 1
            self._writer.add(Kind.INTERRUPT)

    def note(self, name: str, value: object) -> None:
        """Write down what was written to the control block."""
        self._writer.add(Kind.CONTROL, _NUMBERS[name], int(value) if isinstance(value, bool) else value)


class RecordedControl:
    """The control block of a recorded instance."""

    __slots__ = ("_control", "_instance")

    def __init__(self, control: Control, instance: RecordedInstance) -> None:
        """Stand in for a control block."""
        object.__setattr__(self, "_control", control)
        object.__setattr__(self, "_instance", instance)

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - any field
        if name == "interrupt" and self._instance.is_interrupt_wanted():
            return 1
        return getattr(self._control, name)

    def __setattr__(self, name: str, value: Any) -> None:  # noqa: ANN401 - any field
        if name == "interrupt":
            self._instance.want_interrupt(is_wanted=bool(value))
            if value:
                return
        setattr(self._control, name, value)
        self._instance.note(name, value)
