"""A worker of a daemon: a process that runs instances, as the clients behind the daemon tell it to.

It knows of an instance what its export calls and its control block are, and nothing of values. What comes in is
checked: whoever sends it can at most do to a guest what the guest could do to itself.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
import threading
import time
from collections import deque
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from queue import SimpleQueue
from typing import Any, Final, cast

from sandbox import _abi
from sandbox._abi import Control, Status
from sandbox._instance import Instance, MemoryCopy, Origin, Trap
from sandbox.errors import GuestProtocolError, MemoryLimitExceeded, SandboxError
from sandbox.limits import MAX_MEMORY_BYTES, Limits, Metering
from sandbox.remote import memory
from sandbox.remote.events import Answered, Asked, Refused
from sandbox.remote.link import Link
from sandbox.remote.protocol import MAX_BODY_BYTES, Code, Refusal, check_parameters

_STACK_BYTES: Final = 16 << 20
_GREETING_SECONDS: Final = 30.0
_MOST_COPIES: Final = 16
_FIELDS: Final[dict[str, Any]] = {each[0]: each[1] for each in Control._fields_}
# What the build of the guest calls is not for clients.
_EXPORTS: Final = {
    name: count
    for name, count in _abi.EXPORTS.items()
    if name not in ("boot", "define_module", "compile", "install", "start", "control")
}


class Worker:
    """The sandboxes of one process, by the daemon's numbers."""

    def __init__(self, sock: socket.socket, most: int) -> None:
        """Connect to the daemon.

        Args:
            sock: The connection.
            most: How many sandboxes there may be; so many may run at one time.
        """
        threading.stack_size(_STACK_BYTES)
        self._threads = ThreadPoolExecutor(most, thread_name_prefix="sandbox-remote")
        self._here = threading.local()
        self._sandboxes: dict[int, _Hosted] = {}
        self._most = most
        self.gone: SimpleQueue[None] = SimpleQueue()
        probe = Instance(Limits().memory_bytes, _nobody)
        facts = {"pid": os.getpid(), "image": probe.image.sha256, "heap_bytes": probe.control.heap_bytes}
        probe.close()
        self.link = Link(
            sock,
            facts,
            on_asked=self._on_asked,
            on_cancelled=self._on_cancelled,
            on_lost=lambda _error: self.gone.put(None),
        )
        self.link.start()

    def _on_asked(self, asked: Asked) -> None:
        """Look at a request and hand it to its sandbox; on the thread of the link, so it waits for nothing."""
        try:
            check_parameters(asked.method, asked.parameters)
            number = asked.parameters["sandbox"]
            hosted = self._sandboxes.get(number)
            if asked.method == "open":
                if hosted is not None:
                    raise Refusal(Code.BAD_PARAMETERS, "there is a sandbox of that number")
                if len(self._sandboxes) >= self._most:
                    raise Refusal(Code.FULL)
                hosted = self._sandboxes[number] = _Hosted(self, number)
                source = asked.parameters["of"]
                if len(source) == 2 and source[0] == "sandbox":  # in order with what that one does
                    other = self._sandboxes.get(source[1])
                    if other is None:
                        del self._sandboxes[number]
                        raise Refusal(Code.NO_SANDBOX)
                    hosted.hold_back()
                    other.take(lambda: hosted.open_twin(asked, other))
                    return
            elif hosted is None:
                raise Refusal(Code.NO_SANDBOX)
            if asked.method == "abandon":
                hosted.abandon()
                self.link.answer(asked.number, {})
            else:
                hosted.take(asked)
        except Refusal as refusal:
            self.link.refuse(asked.number, refusal.code, str(refusal), refusal.detail)
        except KeyError:
            self.link.refuse(asked.number, Code.UNKNOWN_METHOD)

    def _on_cancelled(self, number: int) -> None:
        for hosted in self._sandboxes.copy().values():
            if hosted.interrupt(number):
                return

    def run(self, job: Callable[[], None]) -> None:
        """Do something on a thread where guests may run: this one, if it is one that has nothing else to do."""
        found: list[Callable[[], None]] | None = getattr(self._here, "found", None)
        if found is not None and not found:
            found.append(job)
        else:
            self._threads.submit(self._run, job)

    def _run(self, job: Callable[[], None]) -> None:
        """Do something, and then what comes next, which this thread reads itself if no other one does."""
        while True:
            job()
            found: list[Callable[[], None]] = []
            self._here.found = found
            self.link.read_until(found.__len__)
            self._here.found = None
            if not found:
                return
            (job,) = found

    def forget(self, number: int) -> None:
        """A sandbox was closed."""
        self._sandboxes.pop(number, None)


class _Hosted:
    """One sandbox: its instance, and what it was asked and has not done, in order."""

    def __init__(self, worker: Worker, number: int) -> None:
        self._worker, self._number = worker, number
        self._link = worker.link
        self._lock = threading.Lock()
        self._jobs: deque[Asked | Callable[[], None]] = deque()
        self._is_busy = False
        self._inner: SimpleQueue[Asked | Answered | Refused | SandboxError | None] = SimpleQueue()
        self._stack: list[int] = []
        self._is_abandoned = False
        self._instance: Instance | None = None
        self._copies: dict[int, MemoryCopy] = {}

    # --- on the thread of the link ---

    def hold_back(self) -> None:
        """Do nothing before `open_twin`."""
        self._is_busy = True

    def take(self, job: Asked | Callable[[], None]) -> None:
        """Do something when all before it is done; or at once, where a guest waits for its host."""
        with self._lock:
            if self._stack and isinstance(job, Asked):
                if job.method != "close":
                    self._inner.put(job)
                    return
                self._stop()
            self._jobs.append(job)
            if self._is_busy:
                return
            self._is_busy = True
        self._worker.run(self._work)

    def interrupt(self, request: int) -> bool:
        """Stop the call of that number at its next poll; whether it is here."""
        if request not in self._stack:
            return False
        if self._instance is not None:
            self._instance.control.interrupt = 1
        return True

    def abandon(self) -> None:
        """Nobody is there any more who would hear of it: stop what runs, and close it."""
        self._stop()
        self.take(lambda: self._close(sound=True))

    def _stop(self) -> None:
        self._is_abandoned = True
        if self._instance is not None:
            self._instance.control.interrupt = 1
        self._inner.put(None)

    # --- on a thread of its own ---

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_busy = False
                    return
                job = self._jobs.popleft()
            if isinstance(job, Asked):
                self._do(job)
            else:
                job()

    def open_twin(self, asked: Asked, other: _Hosted) -> None:
        """Begin as a copy of another sandbox, on its thread."""
        try:
            if other._instance is None:
                raise Refusal(Code.NO_SANDBOX)
            self._open(asked, other._instance.view())
        except Refusal as refusal:
            self._link.refuse(asked.number, refusal.code, str(refusal), refusal.detail)
            self._worker.forget(self._number)
        with self._lock:
            self._is_busy = bool(self._jobs)
            if not self._is_busy:
                return
        self._worker.run(self._work)

    def _do(self, asked: Asked) -> None:
        try:
            if asked.method == "open":
                self._open(asked, self._origin_of(asked))
            elif self._instance is None:
                raise Refusal(Code.NO_SANDBOX)
            else:
                getattr(self, f"_do_{asked.method}")(asked, asked.parameters, self._instance)
        except Refusal as refusal:
            self._link.refuse(asked.number, refusal.code, str(refusal), refusal.detail)
            if asked.method == "open":
                self._worker.forget(self._number)
        except MemoryError:
            self._link.refuse(asked.number, Code.NO_ROOM)
        except SandboxError as error:
            self._link.refuse(asked.number, Code.FAILED, str(error))
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it
            self._link.refuse(asked.number, Code.FAILED, type(error).__name__)

    def _origin_of(self, asked: Asked) -> Origin | None:
        of, limit_bytes = asked.parameters["of"], asked.parameters["memory_bytes"]
        if of == ["image"]:
            return None
        if of != ["memory"] or not isinstance(asked.body, bytes):
            raise Refusal(Code.BAD_PARAMETERS, "open: `of` is none of image, memory and sandbox")
        try:
            copy = memory.unpack(asked.body, min(limit_bytes, MAX_MEMORY_BYTES))
        except SandboxError as error:
            raise Refusal(Code.BAD_PARAMETERS, str(error)) from None
        return lambda _image, _limit_bytes: copy

    def _open(self, asked: Asked, origin: Origin | None) -> None:
        given = asked.parameters
        if given["metering"] not in ("fuel", "clock"):
            raise Refusal(Code.BAD_PARAMETERS, "open: there is no such metering")
        metering = cast("Metering", given["metering"])
        try:
            instance = Instance(min(given["memory_bytes"], MAX_MEMORY_BYTES), self._on_host_call, metering, origin)
        except MemoryLimitExceeded as error:
            raise Refusal(Code.LIMIT, str(error)) from None
        except SandboxError as error:
            raise Refusal(Code.NO_ROOM, str(error)) from None
        self._instance = instance
        _write(instance, given["control"])
        if origin is None:
            instance.call("start")
        self._link.answer(asked.number, {})

    def _do_call(self, asked: Asked, given: dict[str, Any], instance: Instance) -> None:
        export, numbers = given["export"], given["numbers"]
        if _EXPORTS.get(export) != len(numbers):
            raise Refusal(Code.BAD_PARAMETERS, "call: there is no such export")
        if not all(isinstance(each, int) and -(1 << 31) <= each < 1 << 32 for each in numbers):
            raise Refusal(Code.BAD_PARAMETERS, "call: a number is none of 32 bits")
        _write(instance, given["control"])
        _limit(instance, given["fuel"], given["seconds"])
        result: dict[str, Any] = {"status": 0, "trap": None, "broken": "", "is_full": False}
        self._stack.append(asked.number)
        try:
            if asked.body is not None:
                instance.write(cast("bytes", asked.body))
            if self._is_abandoned:
                instance.control.interrupt = 1
            result["status"] = instance.call(export, numbers)
        except Trap as trap:
            result["trap"] = [trap.code, str(trap)]
        except MemoryError:
            result["is_full"] = True
        except GuestProtocolError as error:
            result["broken"] = str(error)
        finally:
            with self._lock:
                self._stack.pop()
                while not (self._stack or self._inner.empty()):  # what came too late for the guest's last question
                    late = self._inner.get()
                    self._jobs.extend([late] if isinstance(late, Asked) else [])
        if instance.pending is not None and not self._stack:
            left, instance.pending = instance.pending, None
            if isinstance(left, GuestProtocolError):
                result["broken"] = result["broken"] or str(left)
        told, frames = _tell(instance)
        self._link.answer(asked.number, {**result, **told}, frames)

    def _do_checkpoint(self, asked: Asked, given: dict[str, Any], instance: Instance) -> None:
        if len(self._copies) >= _MOST_COPIES:
            raise Refusal(Code.LIMIT, f"a sandbox has {_MOST_COPIES} copies at most")
        self._copies[given["copy"]] = instance.checkpoint()
        self._link.answer(asked.number, {})

    def _do_restore(self, asked: Asked, given: dict[str, Any], instance: Instance) -> None:
        copy = self._copies.get(given["copy"])
        if copy is None:
            raise Refusal(Code.BAD_PARAMETERS, "restore: there is no such copy")
        instance.restore(copy)
        told, _ = _tell(instance)
        self._link.answer(asked.number, told)

    def _do_forget(self, asked: Asked, given: dict[str, Any], _instance: Instance) -> None:
        self._copies.pop(given["copy"], None)
        self._link.answer(asked.number, {})

    def _do_memory(self, asked: Asked, _given: dict[str, Any], instance: Instance) -> None:
        body = memory.pack(instance.copy())
        try:
            self._link.answer(asked.number, {}, body)
        except ValueError as error:
            raise Refusal(Code.LIMIT, str(error)) from None

    def _do_close(self, asked: Asked, given: dict[str, Any], _instance: Instance) -> None:
        self._close(sound=given["sound"])
        self._link.answer(asked.number, {})

    def _close(self, *, sound: bool) -> None:
        instance, self._instance = self._instance, None
        self._copies.clear()
        self._worker.forget(self._number)
        if instance is not None:
            instance.close(is_sound=sound)

    # --- what the guest asks ---

    def _on_host_call(self, op: int, message: bytes | memoryview) -> tuple[int, bytes | None]:
        """Ask the client, and do what it wants of the guest meanwhile."""
        instance = self._instance
        assert instance is not None
        if self._is_abandoned:
            instance.halt()
            return Status.STOP, None
        told, frames = _tell(instance)
        frames = frames or b""
        try:
            self._link.send(
                "ask",
                {"sandbox": self._number, "op": op & 0xFFFFFFFF, "outbox": len(frames), **told},
                frames + bytes(message),
                self._inner,
            )
        except (SandboxError, ValueError):
            instance.halt()
            return Status.STOP, None
        while True:
            item = self._link.wait(self._inner)
            if isinstance(item, Asked):
                self._do(item)
            elif isinstance(item, Answered):
                return self._take_answer(item, instance)
            else:  # refused, or there is nobody any more
                instance.halt()
                return Status.STOP, None

    def _take_answer(self, answer: Answered, instance: Instance) -> tuple[int, bytes | None]:
        result, reply = answer.result, answer.body
        try:
            _write(instance, result["control"])
            _limit(instance, result["fuel"], [])
            status = int(result["status"])
            if result["halt"]:
                instance.halt()
        except (KeyError, TypeError, ValueError, Refusal):
            instance.halt()
            return Status.STOP, None
        assert reply is None or isinstance(reply, bytes)
        return status & 0xFF, reply


def _tell(instance: Instance) -> tuple[dict[str, Any], bytes | None]:
    """What the guest says after each step: its control block, memory, fuel; and its frames."""
    control = instance.control
    frames: bytes | None = None
    if control.outbox_bytes:
        try:
            frames = bytes(instance.read(control.outbox, min(control.outbox_bytes, MAX_BODY_BYTES)))
        except GuestProtocolError:
            frames = None  # the client reads them in vain, and says so
    told = {
        "control": ctypes.string_at(ctypes.addressof(control), ctypes.sizeof(control)),
        "memory_bytes": instance.memory_bytes(),
        "fuel": instance.fuel_left() if instance.deadline is None else 0,
    }
    return told, frames


def _write(instance: Instance, fields: dict[str, Any]) -> None:
    """Write fields of the control block.

    Raises:
        Refusal: There is no such field, or no such value.
    """
    for name, value in fields.items():
        kind = _FIELDS.get(name)
        if kind is None or not isinstance(value, int | float):
            raise Refusal(Code.BAD_PARAMETERS, "there is no such field of the control block")
        try:
            setattr(instance.control, name, float(value) if kind is ctypes.c_double else value)
        except TypeError:
            raise Refusal(Code.BAD_PARAMETERS, "there is no such value of that field") from None


def _limit(instance: Instance, fuel: int | None, seconds: list[Any]) -> None:
    if fuel is not None and instance.deadline is None:
        instance.set_fuel(min(max(fuel, 0), (1 << 63) - 1))
    if seconds and instance.deadline is not None:
        if len(seconds) != 2 or not all(each is None or isinstance(each, int | float) for each in seconds):
            raise Refusal(Code.BAD_PARAMETERS, "call: seconds are two numbers")
        cpu, wall = seconds
        instance.deadline.arm(cpu, float("inf") if wall is None else time.monotonic() + wall)


def _nobody(_op: int, _message: bytes | memoryview) -> tuple[int, bytes | None]:
    raise AssertionError


def main() -> None:
    """Run a worker: `python -m sandbox.remote.worker DESCRIPTOR MOST`, over a socket that was inherited."""
    descriptor, most = map(int, sys.argv[1:3])
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the daemon ends its workers when it is done with them
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    worker = Worker(socket.socket(fileno=descriptor), most)
    worker.gone.get()
    os._exit(0)  # guests may still run, and nobody wants them


if __name__ == "__main__":
    main()
