"""One sandbox of a worker: its instance, and what it was asked and has not done, in order.

What comes in is checked: whoever sends it can at most do to a guest what the guest could do to itself.
"""

from __future__ import annotations

import ctypes
import threading
import time
from collections import deque
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, Final, NamedTuple, Protocol, cast

from sandbox import _abi
from sandbox._abi import Control, Status
from sandbox._instance import Instance, Trap
from sandbox._trace import MOST_EXECUTED_BYTES
from sandbox.errors import GuestProtocolError, MemoryLimitExceeded, SandboxError
from sandbox.limits import MAX_MEMORY_BYTES, Metering
from sandbox.remote import memory
from sandbox.remote.events import Answered, Asked, Refused
from sandbox.remote.protocol import MAX_BODY_BYTES, Code, Refusal

if TYPE_CHECKING:
    from sandbox._memory_copy import MemoryCopy, Origin
    from sandbox.remote.link import Link

_MOST_COPIES: Final = 16
_FIELDS: Final[dict[str, Any]] = {each[0]: each[1] for each in Control._fields_}
# What the build of the guest calls is not for clients.
_EXPORTS: Final = {
    name: count
    for name, count in _abi.EXPORTS.items()
    if name not in ("boot", "define_module", "compile", "install", "start", "control")
}


class Job(NamedTuple):
    """A request, and where its answer goes."""

    link: Link
    asked: Asked

    def refuse(self, refusal: Refusal) -> None:
        """Answer it with an error."""
        self.link.refuse(self.asked.number, refusal.code, str(refusal), refusal.detail)


class Host(Protocol):
    """Whose sandbox it is."""

    def run(self, job: Callable[[], None], link: Link) -> None:
        """Do something on a thread where guests may run; `link` may bring what comes after it."""

    def forget(self, number: int) -> None:
        """A sandbox was closed."""

    def count(self, name: str, link: Link) -> None:
        """Count a call of a guest, or one of its own, over a link."""


class Hosted:
    """One sandbox."""

    def __init__(self, host: Host, number: int) -> None:
        """Begin with no instance.

        Args:
            host: Where it is.
            number: Its number there.
        """
        self._host, self._number = host, number
        self._lock = threading.Lock()
        self._jobs: deque[Job | Callable[[], None]] = deque()
        self._is_busy = False
        self._inner: SimpleQueue[Job | Answered | Refused | SandboxError | None] = SimpleQueue()
        self._stack: list[Job] = []  # the calls in progress, each inside a call of its guest's own
        self._is_abandoned = False
        self._instance: Instance | None = None
        self._home: Link | None = None
        self._copies: dict[int, MemoryCopy] = {}

    # --- on the thread of the link ---

    def hold_back(self) -> None:
        """Do nothing before `open_twin`."""
        self._is_busy = True

    def take(self, job: Job | Callable[[], None], link: Link) -> None:
        """Do something when all before it is done; or at once, where a guest waits for its host.

        Args:
            job: What.
            link: Where it came from.
        """
        with self._lock:
            if self._stack and isinstance(job, Job):
                if job.asked.method != "close":
                    self._put(job)
                    return
                self._stop()
            self._jobs.append(job)
            if self._is_busy:
                return
            self._is_busy = True
        self._host.run(self._work, link)

    def _put(self, item: Job | None) -> None:
        """Give something to the thread on which the guest waits for its host; it may read another connection."""
        self._inner.put(item)
        for job in self._stack[-1:]:
            job.link.nudge()

    def interrupt(self, link: Link, request: int) -> bool:
        """Stop the call of that number at its next poll; whether it is here."""
        if not any(job.link is link and job.asked.number == request for job in self._stack.copy()):
            return False
        if self._instance is not None:
            self._instance.control.interrupt = 1
        return True

    def abandon(self, link: Link) -> None:
        """Nobody is there any more who would hear of it: stop what runs, and close it."""
        self._stop()
        self.take(lambda: self._close(sound=True), link)

    def _stop(self) -> None:
        self._is_abandoned = True
        if self._instance is not None:
            self._instance.control.interrupt = 1
        self._put(None)

    # --- on a thread of its own ---

    def _work(self) -> None:
        while True:
            with self._lock:
                if not self._jobs:
                    self._is_busy = False
                    return
                job = self._jobs.popleft()
            if isinstance(job, Job):
                self._do(job)
            else:
                job()

    def open_twin(self, job: Job, other: Hosted) -> None:
        """Begin as a copy of another sandbox, on its thread."""
        try:
            if other._instance is None:
                raise Refusal(Code.NO_SANDBOX)
            self._open(job, other._instance.view())
        except Refusal as refusal:
            job.refuse(refusal)
            self._host.forget(self._number)
        with self._lock:
            self._is_busy = bool(self._jobs)
            if not self._is_busy:
                return
        self._host.run(self._work, job.link)

    def _do(self, job: Job) -> None:
        asked = job.asked
        try:
            if asked.method == "open":
                self._open(job, self._origin_of(asked))
            elif self._instance is None:
                raise Refusal(Code.NO_SANDBOX)
            else:
                _DO[asked.method](self, job, asked.parameters, self._instance)
        except Refusal as refusal:
            job.refuse(refusal)
            if asked.method == "open":
                self._host.forget(self._number)
        except MemoryError:
            job.refuse(Refusal(Code.NO_ROOM))
        except SandboxError as error:
            job.refuse(Refusal(Code.FAILED, str(error)))
        except Exception as error:  # noqa: BLE001 - whoever asked must hear of it
            job.refuse(Refusal(Code.FAILED, type(error).__name__))

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

    def _open(self, job: Job, origin: Origin | None) -> None:
        given = job.asked.parameters
        if given["metering"] not in ("fuel", "clock"):
            raise Refusal(Code.BAD_PARAMETERS, "open: there is no such metering")
        metering = cast("Metering", given["metering"])
        try:
            instance = Instance(min(given["memory_bytes"], MAX_MEMORY_BYTES), self._on_host_call, metering, origin)
        except MemoryLimitExceeded as error:
            raise Refusal(Code.LIMIT, str(error)) from None
        except SandboxError as error:
            raise Refusal(Code.NO_ROOM, str(error)) from None
        self._instance, self._home = instance, job.link
        _write(instance, given["control"])
        if origin is None:
            instance.call("start")
        job.link.answer(job.asked.number, {})

    def _do_call(self, job: Job, given: dict[str, Any], instance: Instance) -> None:
        export, numbers = given["export"], given["numbers"]
        if _EXPORTS.get(export) != len(numbers):
            raise Refusal(Code.BAD_PARAMETERS, "call: there is no such export")
        if not all(isinstance(each, int) and -(1 << 31) <= each < 1 << 32 for each in numbers):
            raise Refusal(Code.BAD_PARAMETERS, "call: a number is none of 32 bits")
        _write(instance, given["control"])
        _limit(instance, given["fuel"], given["seconds"])
        result: dict[str, Any] = {"status": 0, "trap": None, "broken": "", "is_full": False}
        self._stack.append(job)
        self._host.count("calls", job.link)
        try:
            if job.asked.body is not None:
                instance.write(cast("bytes", job.asked.body))
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
                    self._jobs.extend([late] if isinstance(late, Job) else [])
        if instance.pending is not None and not self._stack:
            left, instance.pending = instance.pending, None
            if isinstance(left, GuestProtocolError):
                result["broken"] = result["broken"] or str(left)
        told, frames = _tell(instance)
        frames = frames or b""
        job.link.answer(
            job.asked.number, {**result, "outbox": len(frames), **told}, (frames + _executed(instance)) or None
        )

    def _do_checkpoint(self, job: Job, given: dict[str, Any], instance: Instance) -> None:
        if len(self._copies) >= _MOST_COPIES:
            raise Refusal(Code.LIMIT, f"a sandbox has {_MOST_COPIES} copies at most")
        self._copies[given["copy"]] = instance.checkpoint()
        job.link.answer(job.asked.number, {})

    def _do_restore(self, job: Job, given: dict[str, Any], instance: Instance) -> None:
        copy = self._copies.get(given["copy"])
        if copy is None:
            raise Refusal(Code.BAD_PARAMETERS, "restore: there is no such copy")
        instance.restore(copy)
        told, _ = _tell(instance)
        job.link.answer(job.asked.number, told)

    def _do_forget(self, job: Job, given: dict[str, Any], _instance: Instance) -> None:
        self._copies.pop(given["copy"], None)
        job.link.answer(job.asked.number, {})

    def _do_memory(self, job: Job, _given: dict[str, Any], instance: Instance) -> None:
        body = memory.pack(instance.copy())
        try:
            job.link.answer(job.asked.number, {}, body)
        except ValueError as error:
            raise Refusal(Code.LIMIT, str(error)) from None

    def _do_close(self, job: Job, given: dict[str, Any], _instance: Instance) -> None:
        self._close(sound=given["sound"])
        job.link.answer(job.asked.number, {})

    def _close(self, *, sound: bool) -> None:
        instance, self._instance = self._instance, None
        self._copies.clear()
        self._host.forget(self._number)
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
        assert self._home is not None
        link = self._stack[-1].link if self._stack else self._home  # whoever called the guest answers it
        self._host.count("asks", link)
        try:
            link.send(
                "ask",
                {"sandbox": self._number, "op": op & 0xFFFFFFFF, "outbox": len(frames), **told},
                frames + bytes(message),
                self._inner,
            )
        except (SandboxError, ValueError):
            instance.halt()
            return Status.STOP, None
        while True:
            item = link.wait(self._inner)
            if isinstance(item, Job):
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


def _executed(instance: Instance) -> bytes:
    """Which lines traced runs have executed so far; empty: none, or the guest names memory that it does not have."""
    control = instance.control
    if not control.executed_bytes:
        return b""
    try:
        return bytes(instance.read(control.executed, min(control.executed_bytes, MOST_EXECUTED_BYTES)))
    except GuestProtocolError:
        return b""


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


_DO: Final[dict[str, Callable[[Hosted, Job, dict[str, Any], Instance], None]]] = {
    "call": Hosted._do_call,
    "checkpoint": Hosted._do_checkpoint,
    "restore": Hosted._do_restore,
    "forget": Hosted._do_forget,
    "memory": Hosted._do_memory,
    "close": Hosted._do_close,
}
