"""An instance of the guest in a worker of a daemon, in the place of one in this process.

All that is above an instance stays here: the guest's protocol, values, functions, grants, clocks and limits. What
crosses the wire is what crosses the boundary of an instance anyway: messages of the guest, the fields of its control
block, fuel. So there is one driver and one converter, and whoever is in between understands nothing of values.
"""

from __future__ import annotations

import math
import time
import weakref
from collections.abc import Callable, Sequence
from queue import Empty
from typing import TYPE_CHECKING, Any, Final, NoReturn, cast

from sandbox._abi import Control, Status
from sandbox._callback import host_call_address
from sandbox._image import Image, image
from sandbox._instance import HostCall, Instance, Trap
from sandbox._memory_copy import MemoryCopy, Origin
from sandbox.errors import MemoryLimitExceeded, SandboxError, UsageError
from sandbox.remote import memory
from sandbox.remote.answers import Answer, answer_of
from sandbox.remote.control import RemoteControl, RemoteDeadline
from sandbox.remote.errors import ConnectionLost, ProtocolError, RemoteError, SandboxLost
from sandbox.remote.events import Answered, Asked, Refused
from sandbox.remote.protocol import INLINE_BYTES, REASONS, Code

if TYPE_CHECKING:
    from sandbox._epochs import Deadline
    from sandbox.limits import Metering
    from sandbox.remote.link import Link
    from sandbox.remote.mailboxes import Mailbox, Sandboxes

# How long an answer may be late after the end of a run's time. Workers end their guests themselves.
PATIENCE_SECONDS = 30.0
_USES = 8  # of a sandbox, until it is worth a line
# What is asked before the first command, and whose answers nobody has to wait for.
_EARLY: Final = frozenset({"start", "zone"})
# What a worker says of the guest after each step, and what else in answers and in requests.
_TOLD: Final[dict[str, type | tuple[type, ...]]] = {"control": bytes, "memory_bytes": int, "fuel": int}
_RESULT: Final[dict[str, type | tuple[type, ...]]] = {
    "status": int,
    "trap": (list, type(None)),
    "broken": str,
    "is_full": bool,
    "outbox": int,
}
_ASKED: Final[dict[str, type | tuple[type, ...]]] = {"op": int, "outbox": int}


class RemoteInstance(Instance):
    """An instance elsewhere. It holds no memory here, and a thread only while its guest runs."""

    __slots__ = (
        "__weakref__",
        "_calling",
        "_early",
        "_ends",
        "_error",
        "_executed",
        "_frames",
        "_fuel",
        "_has_opened",
        "_mailbox",
        "_message",
        "_new_fuel",
        "_opening",
        "_sandboxes",
        "_there",
        "_uses",
        "_way",
    )

    def __init__(
        self,
        sandboxes: Sandboxes,
        memory_bytes: int,
        on_host_call: HostCall,
        metering: Metering,
        origin: Origin | None,
    ) -> None:
        """Ask for the instance; whether there is one shows when it is used first. Waits for nothing.

        Args:
            sandboxes: Those of the connection.
            memory_bytes: As for `Instance`, and what follows.
            on_host_call: See there.
            metering: See there.
            origin: See there.

        Raises:
            MemoryLimitExceeded: Every guest has more memory from its start.
            SandboxError: The connection has ended.
        """
        self._store = None
        self._limit_bytes = memory_bytes
        self.image: Image = image(host_call_address, metering)
        self.image.heap_bytes = self.image.heap_bytes or sandboxes.heap_bytes
        if memory_bytes < self.image.memory_bytes:
            raise MemoryLimitExceeded(memory_bytes, self.image.memory_bytes)
        self.on_host_call = on_host_call
        self.pending: BaseException | None = None
        self.depth: int = 0
        self.is_broken = self.is_reserving = False
        self._withheld_fuel = self._tank = self._filled = self._spare_fuel = 0
        self._sandboxes = sandboxes
        self._mailbox: Mailbox = sandboxes.enter()
        self._message: bytes | None = None
        self._frames: tuple[int, bytes] = (0, b"")
        self._executed = b""
        self._ends = math.inf
        self._fuel = 0
        self._new_fuel: int | None = None
        self._size = self.image.memory_bytes
        self._calling: list[int] = []
        self._early: set[int] = set()
        self._opening = 0
        self._error: SandboxError | None = None
        self._way: Link | None = None  # a line to the worker
        self._there, self._uses = self._mailbox.number, 0
        self.deadline: Deadline | None = None if metering == "fuel" else cast("Deadline", RemoteDeadline())
        self.control: Control = cast("Control", RemoteControl(_interrupter(self)))
        self._has_opened = False
        if origin is not None:
            given: Any = origin(self.image, memory_bytes)
            if isinstance(given, LiveMemory):
                self._open(given.of_connection(sandboxes))
            else:
                self._size = given.memory_bytes
                self._open(["memory"], memory.pack(given))

    def _open(self, of: list[Any], body: bytes | None = None) -> None:
        self._has_opened = True
        number = self._link.send(
            "open",
            {
                "sandbox": self._mailbox.number,
                "memory_bytes": self._limit_bytes,
                "metering": self.image.metering,
                "control": self._remote_control.take(),
                "of": of,
            },
            body,
            self._mailbox,
        )
        self._early.add(number)
        self._opening = number if body is not None and len(body) > INLINE_BYTES else 0

    def _wait_until_open(self) -> None:
        """A request is done when its body is there: what follows must not come before a long one."""
        while self._opening in self._early:
            item = self._link.wait(self._mailbox)
            if isinstance(item, Answered | Refused):
                self._early.discard(item.number)
                self._check_early(item)
            elif isinstance(item, SandboxError):
                self._lose(item)

    @property
    def _link(self) -> Link:
        return self._sandboxes.link

    @property
    def _remote_control(self) -> RemoteControl:
        return cast("RemoteControl", self.control)

    # --- calls ---

    def arm(self, fuel: int, cpu_seconds: float | None, wall: float, spare_fuel: int = 0) -> None:
        """See `Instance`."""
        super().arm(fuel, cpu_seconds, wall, spare_fuel)
        self._ends = wall

    def call(self, name: str, arguments: Sequence[int] = ()) -> int:
        """See `Instance`. On whatever thread; it waits for the answer.

        Raises:
            RemoteError: The connection or the worker is lost. What became of the call nobody knows.
        """
        if self._error is not None:
            raise self._error
        if not self._has_opened:
            self._open(["image"])  # which starts the guest
            if name == "start":
                return Status.OK
        self._wait_until_open()
        if not (self._way or self._early or self._calling):
            self._look_for_line()
        deadline = cast("RemoteDeadline | None", self.deadline)
        fuel, self._new_fuel = self._new_fuel, None
        message, self._message = self._message, None
        try:
            number = (self._way or self._link).send(
                "call",
                {
                    "sandbox": self._there,
                    "export": name,
                    "numbers": list(arguments),
                    "control": self._remote_control.take(),
                    "fuel": fuel,
                    "seconds": [] if deadline is None else deadline.take(),
                },
                message,
                self._mailbox,
            )
        except ValueError as error:
            raise RemoteError(str(error)) from None
        except SandboxError as error:
            self._lose(error)
        if name in _EARLY:
            self._early.add(number)
            return Status.OK
        return self._wait(number)

    def _look_for_line(self) -> None:
        """Who is used again and again gets a line, while nothing is under way."""
        self._uses += 1
        if self._uses == _USES and (found := self._sandboxes.line(self._mailbox)) is not None:
            self._way, self._there = found

    def _wait(self, number: int) -> int:
        way = self._way or self._link
        self.depth += 1
        self._calling.append(number)
        try:
            while True:
                item = way.wait(self._mailbox, max(self._ends, time.monotonic()) + PATIENCE_SECONDS)
                if isinstance(item, Asked):
                    self._on_asked(item)
                elif isinstance(item, Answered | Refused) and item.number in self._early:
                    self._early.remove(item.number)
                    self._check_early(item)
                elif isinstance(item, Answered | Refused) and item.number != number:
                    continue  # of what was given up
                else:
                    return self._result(item)
        except Empty:
            way.cancel(number)
            self._lose(
                SandboxLost("the worker did not answer long after the run's time was over", Code.WORKER_LOST.name)
            )
        except BaseException as error:
            if not isinstance(error, Trap | SandboxError):
                # A signal handler raised it while the guest ran on: nobody waits for its answer any more.
                self._error = RemoteError("the call was left while the guest ran")
                way.cancel(number)
            raise
        finally:
            self._calling.pop()
            self.depth -= 1

    def _check_early(self, answer: Answered | Refused) -> None:
        if isinstance(answer, Refused):
            try:
                answer_of(answer)
            except SandboxError as error:
                self._lose(error)
            return
        if answer.result.get("status", Status.OK) != Status.OK:
            raise self._broken("the guest refused its time zone")

    def _result(self, answer: Answer) -> int:
        try:
            result, body = answer_of(answer)
        except SandboxError as error:
            self._lose(error)
        self._check(result, _RESULT)
        told, split = body or b"", result["outbox"]
        self._learn(result, told[:split])
        self._executed = told[split:]
        if result["trap"]:
            raise Trap(*map(str, [*result["trap"], "", ""][:2]))
        if result["broken"]:
            raise self._broken(result["broken"])
        if result["is_full"]:
            raise MemoryLimitExceeded(self._limit_bytes, self._size)
        status: int = result["status"]
        return status

    def _check(self, told: dict[str, Any], expected: dict[str, type | tuple[type, ...]]) -> None:
        """Refuse what no worker says: the daemon is believed no more than a guest."""
        for name, kind in expected.items():
            if not isinstance(told.get(name, self), kind):
                self._lose(ProtocolError(f"the daemon has said no {name}", Code.MALFORMED.name))

    def _learn(self, told: dict[str, Any], frames: bytes) -> None:
        self._check(told, _TOLD)
        self._remote_control.learn(told["control"])
        self._size = told["memory_bytes"]
        self._fuel = told["fuel"]
        self._frames = self.control.outbox, frames

    def _lose(self, error: SandboxError) -> NoReturn:
        if self._way is not None and isinstance(error, ConnectionLost) and not self._link.is_ending:
            error = SandboxLost(REASONS[Code.WORKER_LOST].text, Code.WORKER_LOST.name)  # a line ends with its worker
        self._error = self._error or error
        raise error

    def _on_asked(self, asked: Asked) -> None:
        """The guest calls the host; as `Instance.serve`, and what cffi does around it."""
        told, body = asked.parameters, asked.body
        assert body is None or isinstance(body, bytes)
        data = body or b""
        status, reply = int(Status.STOP), None
        try:
            self._check(told, _ASKED)
            split = told["outbox"]
            self._learn(told, data[:split])
            status, reply = self._serve_message(told["op"], data[split:])
        except BaseException as error:  # noqa: BLE001 - it waits until the export has returned
            if self.pending is None:
                self.pending = error
        fuel, self._new_fuel = self._new_fuel, None
        deadline = cast("RemoteDeadline | None", self.deadline)
        result = {
            "status": int(status),
            "control": self._remote_control.take(),
            "fuel": fuel,
            "halt": deadline is not None and deadline.has_expired,
        }
        try:
            (self._way or self._link).answer(asked.number, result, reply)
        except ValueError as error:
            if self.pending is None:
                self.pending = RemoteError(str(error))
            (self._way or self._link).answer(asked.number, {**result, "status": int(Status.STOP)})

    def _serve_message(self, op: int, message: bytes) -> tuple[int, bytes | None]:
        if self.pending is not None:
            self.halt()
            return Status.STOP, None
        if self.is_reserving:
            self.halt()
            raise self._broken("the guest called the host when it was asked for room")
        return self.on_host_call(op, message)

    # --- memory ---

    def read(self, address: int, length: int) -> bytes | memoryview:
        """See `Instance`: the frames of the outbox, or the lines of traced runs, as they came with the last word."""
        at, frames = self._frames
        if address == self.control.executed and self._executed:
            at, frames = address, self._executed
        if address != at or length > len(frames):
            raise self._broken(f"the guest named {length:,} bytes at {address:#x}, which it does not have")
        return frames[:length]

    def reserve(self, length: int) -> bool:
        """See `Instance`. Before a command nobody has to ask: the worker does, and says if there was no room."""
        return True if not self.depth else super().reserve(length)

    def write(self, message: bytes) -> None:
        """See `Instance`: it goes along with the call that follows."""
        if not self.reserve(len(message)):
            raise MemoryError("the guest has no room for the message")
        self._message = bytes(message)

    def memory_bytes(self) -> int:
        """See `Instance`; as of the guest's last word."""
        return self._size

    # --- fuel ---

    def set_fuel(self, fuel: int) -> None:
        """See `Instance`; it is told with what follows."""
        self._withheld_fuel = 0
        self._fuel = self._new_fuel = fuel

    def fuel(self) -> int:
        """See `Instance`; as of the guest's last word."""
        return self._fuel + self._withheld_fuel

    # --- copies ---

    def _opened(self) -> Link:
        if not self._has_opened:
            self._open(["image"])
        self._wait_until_open()
        return self._link

    def copy(self) -> MemoryCopy:
        """See `Instance`: it is fetched."""
        _, body = self._opened().request("memory", {"sandbox": self._mailbox.number})
        return memory.unpack(body or b"", self._limit_bytes)

    def checkpoint(self) -> MemoryCopy:
        """See `Instance`: it stays where the memory is."""
        copy = memory.RemoteCopy(self._opened(), self._mailbox.number, self._size)
        self._link.request("checkpoint", {"sandbox": self._mailbox.number, "copy": copy.number})
        return copy

    def restore(self, copy: MemoryCopy) -> None:
        """See `Instance`."""
        assert isinstance(copy, memory.RemoteCopy)
        result, _ = self._link.request("restore", {"sandbox": self._mailbox.number, "copy": copy.number})
        self._remote_control.writes.clear()
        self._learn(result, b"")

    def view(self) -> Origin:
        """See `Instance`: a copy that the worker makes."""
        self._opened()
        live = LiveMemory(self._sandboxes, self._mailbox, self._size)
        return lambda _image, _limit_bytes: live

    def hand_over(self, _make_instance: object) -> Instance:
        """A guest elsewhere does not move here.

        Raises:
            UsageError: Always.
        """
        raise UsageError("the guest of a remote sandbox cannot be recorded here")

    # --- the end ---

    def close(self, *, is_sound: bool = True) -> None:
        """See `Instance`; nothing is waited for. From finalizers as well."""
        if self._limit_bytes:
            self._limit_bytes = 0
            if self._has_opened:
                self._link.tell("close", {"sandbox": self._mailbox.number, "sound": is_sound and not self.is_broken})
            self._error = self._error or RemoteError("the sandbox is closed")
            self._frames = 0, b""

    def lose(self) -> None:
        """See `Instance`: the connection is the parent's."""
        self._limit_bytes = self.depth = 0

    def __del__(self) -> None:
        if hasattr(self, "_has_opened"):
            self.close()

    def interrupt(self) -> None:
        """Set the interrupt flag where the guest runs, if it does. Any thread, and signal handlers."""
        if self._calling:
            (self._way or self._link).cancel(self._calling[0])


def _interrupter(instance: RemoteInstance) -> Callable[[], None]:
    """Interrupts an instance, and does not keep it."""
    known = weakref.ref(instance)

    def interrupt() -> None:
        if (found := known()) is not None:
            found.interrupt()

    return interrupt


class LiveMemory(MemoryCopy):
    """The memory of a sandbox elsewhere, for another one there to begin with."""

    __slots__ = ("_mailbox", "_sandboxes")

    def __init__(self, sandboxes: Sandboxes, mailbox: Mailbox, memory_bytes: int) -> None:
        """Name it."""
        super().__init__(memory_bytes, ())
        self._sandboxes, self._mailbox = sandboxes, mailbox

    def of_connection(self, sandboxes: Sandboxes) -> list[Any]:
        """How to ask for it.

        Raises:
            UsageError: It is on another connection.
        """
        if sandboxes is not self._sandboxes:
            raise UsageError("a twin lives on the same connection")
        return ["sandbox", self._mailbox.number]

    def acquire(self, _image: Image, _limit_bytes: int) -> NoReturn:
        """It is not here.

        Raises:
            UsageError: Always.
        """
        raise UsageError("the guest of a remote sandbox cannot be moved here")
