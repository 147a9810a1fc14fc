"""The guest's C as programs of this machine under the sanitizers: one process that has booted, and one for each guest.

See `wasm/harness/harness.h` for what is said on the sockets.
"""

from __future__ import annotations

import atexit
import contextlib
import mmap
import os
import shutil
import signal
import socket
import struct
import subprocess
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from enum import IntEnum
from functools import cache
from pathlib import Path
from typing import Final

from sandbox._abi import Control, Status
from wasm import sanitize
from wasm.boot import Booted, compile_bindings, install_bindings
from wasm.build import Inputs
from wasm.table import Table

_REQUEST: Final = struct.Struct("<5I")
_ANSWER: Final = struct.Struct("<4I")
_TABLE: Final = Table.load()
_NUMBERS: Final = {name: number for number, name in enumerate(_TABLE.exports)}
_U32: Final = 0xFFFFFFFF
_REPORT_SECONDS: Final = 20.0
# What the limits do not end, natively nothing else does.
_ANSWER_SECONDS: Final = 45.0

_OPTIONS: Final = {
    "ASAN_OPTIONS": "log_path={0}/asan:detect_leaks=1:leak_check_at_exit=0:detect_stack_use_after_return=1"
    ":strict_string_checks=1:check_initialization_order=1:allocator_may_return_null=1:handle_abort=1"
    ":max_allocation_size_mb=2047:malloc_context_size=12",
    "UBSAN_OPTIONS": "log_path={0}/ubsan:print_stacktrace=1",
    "LSAN_OPTIONS": "report_objects=0",
}


class _Request(IntEnum):
    CALL = 1
    RESUME = 2
    READ = 3
    WRITE = 4
    LIMIT = 5
    ALLOCATED = 6
    SERVE = 7
    CLOSE = 8
    FAIL = 9


class _Answer(IntEnum):
    HELLO = 1
    RETURNED = 2
    HOST_CALL = 3
    DATA = 4
    AMOUNT = 5
    CLOSED = 6


class Mistake(IntEnum):
    """What `wasm/harness/failures.c` does on purpose."""

    USE_AFTER_FREE = 1
    OVERFLOW = 2
    LEAK = 3
    UNDEFINED = 4
    LOST_VALUE = 5
    LOST_TEXT = 6
    ABORT = 7
    STALE_OUTBOX = 8


class Ended(Exception):
    """The process is gone: a sanitizer, an assertion of the engine or a signal ended it. The text is the report."""


@dataclass
class Totals:
    """What ran under the sanitizers, and what they said about it.

    Attributes:
        guests: Processes that were made.
        calls: Exports that were called.
        reports: What went wrong, in full; whoever expects one takes it out.
    """

    guests: int = 0
    calls: int = 0
    reports: list[str] = field(default_factory=list)


totals: Final = Totals()


class Process:
    """One guest. Not thread-safe, except for the control block.

    Attributes:
        control: The control block, shared with the process; None in the one that boots.
        on_host_call: Answers `sandbox.call`: op and message in, status out.
    """

    def __init__(self, connection: socket.socket, reports: Path) -> None:
        self._socket = connection
        self._reports = reports
        self._open = True
        self._calls = 0
        connection.settimeout(_ANSWER_SECONDS)
        self.control: Control | None = None
        self.on_host_call: Callable[[int, bytes], int] = lambda op, message: Status.STOP
        self.pid, file, offset = self._expect(_Answer.HELLO)
        if file:
            # A descriptor of the other process, by the name the system gives it.
            with Path(f"/proc/{self.pid}/fd/{file}").open("r+b") as shared:
                self._mapping = mmap.mmap(shared.fileno(), 0)
            self.control = Control.from_buffer(self._mapping, offset)

    def call(self, name: str, *arguments: int) -> int:
        """Call an export and return its i32, unsigned.

        Raises:
            Ended: The process did not survive it.
        """
        totals.calls += 1
        self._calls += 1
        self._send(_Request.CALL, _NUMBERS[name], *arguments)
        while True:
            kind, first, second, _ = self._answer()
            if kind == _Answer.RETURNED:
                self._calls -= 1
                return first
            if kind != _Answer.HOST_CALL:
                raise AssertionError(f"answer {kind} to a call")
            message = self._receive(second)
            self._send(_Request.RESUME, self.on_host_call(first, message))

    def read(self, address: int, length: int) -> bytes:
        """Read memory of the guest; what is no block of it ends the process."""
        self._send(_Request.READ, address, length)
        self._expect(_Answer.DATA)
        return self._receive(length)

    def write(self, address: int, data: bytes) -> None:
        """Write memory of the guest; what is no block of it ends the process."""
        self._send(_Request.WRITE, address, len(data), data=data)

    def limit(self, most_bytes: int, failing: int = 0, *, all_after: bool = False, trace: bool = False) -> None:
        """Bound what may be allocated.

        Args:
            most_bytes: All of it; 0: no bound.
            failing: Which allocation from now on fails, the first is 1; 0: none.
            all_after: Whether all that follow it fail as well.
            trace: Whether a report is to say where that one was, which takes seconds.
        """
        self._send(_Request.LIMIT, most_bytes, failing, all_after, trace)

    def allocated(self) -> tuple[int, int]:
        """Bytes that are allocated, and how often something was since the last `limit`."""
        self._send(_Request.ALLOCATED)
        amount, count, _ = self._expect(_Answer.AMOUNT)
        return amount, count

    def serve(self, listening: int) -> None:
        """From now on make a process of each connection to this socket, that is as this one is now."""
        self._send(_Request.SERVE, listening)

    def err(self, mistake: Mistake) -> None:
        """Have it do something that a sanitizer must see.

        Raises:
            Ended: One saw it at once.
        """
        self._send(_Request.FAIL, mistake)
        self.allocated()

    def close(self) -> str | None:
        """Free what the guest holds and end the process; idempotent. Returns the report if something was lost."""
        if not self._open:
            return None
        if self._calls:  # a call was left by an exception, such as the one for a test's time
            self.abandon()
            return None
        try:
            self._send(_Request.CLOSE)
            lost, _, _ = self._expect(_Answer.CLOSED)
        except Ended as error:
            return str(error)
        self.abandon()
        return self._report() if lost or self._output() else None

    def abandon(self) -> None:
        """End the process without looking for leaks."""
        if self._open:
            self._open = False
            self._socket.close()
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, signal.SIGKILL)

    def _send(self, kind: _Request, *numbers: int, data: bytes = b"") -> None:
        words = [number & _U32 for number in (*numbers, 0, 0, 0, 0)[:4]]
        try:
            self._socket.sendall(_REQUEST.pack(kind, *words) + data)
        except OSError:
            raise self._ended() from None

    def _receive(self, length: int) -> bytes:
        data = bytearray()
        while len(data) < length:
            try:
                part = self._socket.recv(length - len(data))
            except TimeoutError:
                os.kill(self.pid, signal.SIGKILL)
                part = b""
            except OSError:
                part = b""
            if not part:
                raise self._ended()
            data += part
        return bytes(data)

    def _answer(self) -> tuple[int, int, int, int]:
        kind, first, second, third = _ANSWER.unpack(self._receive(_ANSWER.size))
        return kind, first, second, third

    def _expect(self, kind: _Answer) -> tuple[int, int, int]:
        found, *numbers = self._answer()
        assert found == kind, (found, kind)
        return numbers[0], numbers[1], numbers[2]

    def _ended(self) -> Ended:
        """The process is ending, or dead: it may still be writing its report."""
        report = self._report()
        self.abandon()
        return Ended(report)

    def _output(self) -> str:
        with contextlib.suppress(FileNotFoundError):
            return (self._reports / f"output.{self.pid}").read_text("utf-8", "replace")
        return ""

    def _is_alive(self) -> bool:
        with contextlib.suppress(OSError):
            return bool(Path(f"/proc/{self.pid}/cmdline").read_bytes())  # that of a zombie is empty
        return False

    def _report(self) -> str:
        """What the sanitizers, the C library and the engine have said, once the process is gone."""
        end = time.monotonic() + _REPORT_SECONDS
        while self._is_alive() and time.monotonic() < end:
            time.sleep(0.01)
        texts = [
            path.read_text("utf-8", "replace") for path in sorted(self._reports.glob(f"*.{self.pid}")) if path.is_file()
        ]
        return "\n".join(text for text in texts if text) or "the process ended without a word, or did not answer"


class _Booting(Booted):
    """A process while it is booted."""

    def __init__(self, process: Process) -> None:
        super().__init__(_TABLE)
        self._process = process
        process.on_host_call = self._refuse
        self.step("boot", "boot the engine")

    def _refuse(self, op: int, _message: bytes) -> int:
        self.refused = op
        return Status.STOP

    def call(self, name: str, *arguments: int) -> int:
        return self._process.call(name, *arguments)

    def read(self, address: int, length: int) -> bytes:
        return self._process.read(address, length)

    def write(self, address: int, data: bytes) -> None:
        self._process.write(address, data)


class Server:
    """The process that has booted, and makes the others."""

    def __init__(self, program: Path) -> None:
        self._reports = Path(tempfile.mkdtemp(prefix="sandbox-sanitized-"))
        self._program = program
        self._children: list[subprocess.Popen[bytes]] = []
        self._path = str(self._reports / "socket")
        sources = Inputs().binding_sources()
        compiling = self._start()
        bytecode = compile_bindings(_Booting(compiling), sources)
        compiling.abandon()
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(self._path)
            listening.listen(64)
            self._booted = self._start(listening.fileno())
            install_bindings(_Booting(self._booted), bytecode, sources)
            self._booted.serve(listening.fileno())

    def guest(self) -> Process:
        """A guest whose bindings are in place, and which has not been started. Thread-safe."""
        connection = socket.socket(socket.AF_UNIX)
        connection.connect(self._path)
        totals.guests += 1
        return Process(connection, self._reports)

    def close(self) -> None:
        """End it, and forget the reports."""
        for child in self._children:
            child.kill()
            child.wait()
        shutil.rmtree(self._reports, ignore_errors=True)

    def _start(self, *files: int) -> Process:
        ours, theirs = socket.socketpair()
        with theirs:
            environment = os.environ | {name: text.format(self._reports) for name, text in _OPTIONS.items()}
            command = [str(self._program), str(theirs.fileno()), str(self._reports)]
            kept = (theirs.fileno(), *files)
            self._children.append(subprocess.Popen(command, pass_fds=kept, env=environment))
        return Process(ours, self._reports)


@cache
def server(program: Path | None = None) -> Server:
    """The one of this test run, built and booted when it is first asked for.

    Args:
        program: What it runs; by default the guest under the sanitizers.

    Raises:
        BuildError: The program cannot be built; the text says why.
    """
    made = Server(program or sanitize.build())
    atexit.register(made.close)
    return made
