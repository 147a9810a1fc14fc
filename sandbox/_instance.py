"""One wasm instance: typed calls into it, bounded reads and writes of its memory, and the import that calls back.

wasmtime-py keeps the exception of a callback in one variable of the process, so none is ever let through a wasm frame:
the import returns a status, and the instance keeps the exception for whoever called.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from sandbox import _abi, _faults, _store, _wasmtime
from sandbox._abi import Control, Status
from sandbox._callback import host_call_address, running
from sandbox._image import Image, image
from sandbox._store import Store, Trap
from sandbox._wasmtime import RAW_VALUES, WORDS_OF_VALUES, func_call
from sandbox.errors import GuestProtocolError, MemoryLimitExceeded

if TYPE_CHECKING:
    from sandbox._epochs import Deadline
    from sandbox._memory_copy import MemoryCopy, Origin
    from sandbox.limits import Metering

__all__ = ["OUT_OF_BUDGET", "STACK_OVERFLOW", "HostCall", "Instance", "MakeInstance", "Trap"]

# The hard stops of both ways of metering.
OUT_OF_BUDGET: Final = frozenset({"OUT_OF_FUEL", "INTERRUPT"})
STACK_OVERFLOW: Final = "STACK_OVERFLOW"

_RESERVE_BYTES: Final = 1 << 20  # below the wall of linear memory, so that the guest can report that it ran out
_NOBODYS_CONTROL: Final = Control()
_NO_MEMORY: Final = memoryview(bytearray())
_EVERYTHING: Final = 1 << 32  # of what is not there, any part can be read, and is empty

_lost: Final[list[Store]] = []

# Up to this length a copy costs less than a view does.
_SHORT_BYTES: Final = 1 << 14
_MOST_CHARGED_NS: Final = 5_000_000  # of one answer

# (op, message) -> status and the encoded reply, None when there is none.
HostCall = Callable[[int, bytes | memoryview], tuple[int, bytes | None]]


class Instance:
    """One instance. Not thread-safe: its owner lets one thread in at a time.

    Attributes:
        control: The control block, a live view of guest memory.
        deadline: What ends a turn by the clock; None: fuel does.
        depth: Exports on the stack.
        is_broken: Whether the guest has named memory that it does not have.
        pending: The exception an import left behind; whoever called the export takes it. Until then no import does
            anything.
        image: What the instance was made from.
        is_reserving: Whether the guest was asked for room for a message, and has not answered.
    """

    control: Control
    depth: int
    is_broken: bool
    is_reserving: bool
    on_host_call: HostCall

    __slots__ = (
        "_context",
        "_filled",
        "_fuel_left",
        "_fuel_left_address",
        "_limit_bytes",
        "_memory",
        "_size",
        "_spare_fuel",
        "_store",
        "_tank",
        "_trap",
        "_trap_address",
        "_withheld_fuel",
        "_words",
        "_words_address",
        "control",
        "deadline",
        "depth",
        "image",
        "is_broken",
        "is_reserving",
        "on_host_call",
        "pending",
    )

    # The function that tells the time; 0: wasmtime does.
    clock_address: ClassVar[int] = 0

    def __init__(
        self,
        memory_bytes: int,
        on_host_call: HostCall,
        metering: Metering = "fuel",
        origin: Origin | None = None,
    ) -> None:
        """Instantiate the guest.

        Args:
            memory_bytes: The most linear memory it may ever have.
            on_host_call: Answers `sandbox.call`; runs on the thread that called the export. What it raises unwinds the
                guest and is then left in `pending`.
            metering: What ends its turns; see `Limits`.
            origin: Gives the memory it continues from, for an image and as many bytes at most; None: a new one.

        Raises:
            ArtifactError: The compiled guest cannot be used.
            MemoryLimitExceeded: It has more memory from its start.
            SandboxError: The process has no address space for another instance.
        """
        self._store: Store | None = None
        self._limit_bytes = memory_bytes
        self.image: Image = image(host_call_address, metering, self.clock_address)
        self.on_host_call = on_host_call
        self.pending: BaseException | None = None
        self.depth = 0
        self.is_broken = self.is_reserving = False
        self._withheld_fuel = 0
        self._tank = self._filled = self._spare_fuel = 0
        self._take(
            _store.acquire(self.image, memory_bytes)
            if origin is None
            else origin(self.image, memory_bytes).acquire(self.image, memory_bytes)
        )

    def _take(self, store: Store) -> None:
        self._store = store
        self._size = 0
        self._context = store.context
        self._memory = store.memory
        self._words, self._words_address = store.words, store.words_address
        self._trap, self._trap_address = store.trap, store.trap_address
        self._fuel_left, self._fuel_left_address = store.fuel_left, store.fuel_left_address
        self.control = store.control
        epochs = self.image.epochs
        self.deadline: Deadline | None = None if epochs is None else epochs.deadline(store.context)

    def call(self, name: str, arguments: Sequence[int] = ()) -> int:
        """Call an export and return its i32.

        Args:
            name: The export.
            arguments: Its i32 parameters.

        Raises:
            Trap: The guest trapped; the instance must not be used again.
            SandboxError: Nobody would watch its time; it was not entered.
        """
        store, deadline = self._store, self.deadline
        assert store is not None
        if deadline is not None:
            deadline.resume()
        depth = self.depth
        if depth:  # the outer call's values are in use
            words = _wasmtime.RawWords()
            address = ctypes.addressof(words)
        else:
            words, address = self._words, self._words_address
        for at, argument in zip(WORDS_OF_VALUES, arguments):  # noqa: B905 - no export takes more
            words[at] = argument
        function = store.functions.get(name) or store.find(name)
        _faults.put_in_front()
        before = running.instance
        running.instance = self
        self.depth = depth + 1
        try:
            error = func_call(self._context, function, address, RAW_VALUES, self._trap_address)
        finally:
            self.depth = depth
            running.instance = before
            if deadline is not None:
                deadline.pause()
        if error:
            store.trapped = True
            raise Trap("ERROR", _wasmtime.take_error(error))
        if self._trap.value:
            store.trapped = True
            raise _store.take_trap(self._trap)
        status: int = words[0]
        return status

    def tell_time(self, clock: int, address: int) -> None:
        """Answer the clock, where the host does: see `clock_address`."""
        raise NotImplementedError

    def serve(self, op: int, address: int, length: int) -> int:
        """Answer the import; returns the status. Whoever called the export gets what it raises.

        Args:
            op: What the guest asks for.
            address: Of its message.
            length: Of its message, in bytes.
        """
        deadline = self.deadline
        if deadline is not None:
            deadline.pause()
        try:
            if self.pending is not None:
                self.halt()  # it was told to stop, and a guest that is being unwound asks for nothing
                return Status.STOP
            if self.is_reserving:
                self.halt()
                raise self._broken("the guest called the host when it was asked for room")
            status, reply = self.on_host_call(op, self.read(address, length))
            if reply is not None:
                self.write(reply)
                self.control.reply_bytes = len(reply)
            return status
        finally:
            if deadline is not None:
                deadline.resume()

    def read(self, address: int, length: int) -> bytes | memoryview:
        """Guest memory: a copy, or, when it is long, a view of what is there until the guest runs again.

        Raises:
            GuestProtocolError: The range is outside the guest's memory, or longer than any message may be.
        """
        end = address + length
        if length > _abi.CAP_MESSAGE_BYTES or (end > self._size and end > self.memory_bytes()):
            raise self._broken(f"the guest named {length:,} bytes at {address:#x}, which it does not have")
        data = self._memory[address:end]
        return bytes(data) if length <= _SHORT_BYTES else data

    def reserve(self, length: int) -> bool:
        """Make room for a message; False: the guest has none.

        Raises:
            GuestProtocolError: The guest says that it has made room, and has not.
            Trap: See `call`.
        """
        if length <= self.control.inbox_bytes:
            return True
        self.is_reserving = True
        try:
            if not self.call("reserve", (length,)):
                return False
        finally:
            self.is_reserving = False
        if length > self.control.inbox_bytes:
            raise self._broken("the guest has made no room for a message")
        return True

    def write(self, message: bytes) -> None:
        """Copy a message into the guest's inbox.

        Raises:
            MemoryError: The guest has no room for it.
            GuestProtocolError: The guest named an inbox outside its memory.
        """
        length, control = len(message), self.control
        if length > control.inbox_bytes and not self.reserve(length):
            raise MemoryError("the guest has no room for the message")
        address = control.inbox
        end = address + length
        if end > self._size and end > self.memory_bytes():
            raise self._broken("the guest's inbox is outside its memory")
        self._memory[address:end] = message

    def set_zone(self, message: bytes) -> None:
        """Give the guest its time zone, before it runs any program.

        Raises:
            MemoryLimitExceeded: It has no room for that.
            GuestProtocolError: It refuses.
        """
        try:
            self.write(message)
        except MemoryError:
            raise MemoryLimitExceeded(self._limit_bytes, self.memory_bytes()) from None
        if self.call("zone", (len(message),)) != Status.OK:
            raise self._broken("the guest refused its time zone")

    def charge(self, nanoseconds: int, most: int = _MOST_CHARGED_NS) -> None:
        """Count work of the host as time of the guest, which waits for it; but for what was loaded first.

        Args:
            nanoseconds: How long it took.
            most: How much of that is counted.
        """
        self.control.cpu_used_ns += min(nanoseconds, most)

    def _broken(self, text: str) -> GuestProtocolError:
        self.is_broken = True
        return GuestProtocolError(text)

    def limit_heap(self, heap_bytes: int | None) -> None:
        """Bound what the engine's heap may hold; None, or more than there is room for: as much as there is."""
        held = self.image.heap_bytes
        most = max(held + self._limit_bytes - self.image.memory_bytes - _RESERVE_BYTES, held // 2)
        self.control.heap_limit_bytes = most if heap_bytes is None else min(heap_bytes, most)

    def memory_bytes(self) -> int:
        """Size of the linear memory now; it never shrinks."""
        assert self._store is not None
        self._size = self._store.memory_bytes()
        return self._size

    def arm(self, fuel: int, cpu_seconds: float | None, wall: float, spare_fuel: int = 0) -> None:
        """Set the hard stop of what runs next: the fuel, or by the clock the times; see `Deadline.arm`.

        Args:
            fuel: What the tank holds.
            cpu_seconds: Time in the guest; None: any.
            wall: The end of its time in all.
            spare_fuel: What `top_up` may add.
        """
        if self.deadline is None:
            self._tank = self._filled = fuel
            self._spare_fuel = spare_fuel
            self.set_fuel(fuel)
        else:
            self.deadline.arm(cpu_seconds, wall)

    def top_up(self) -> None:
        """Fill the tank again as far as there is spare fuel: the guest has shown that it looks at its limits."""
        if self._spare_fuel and not self._withheld_fuel:
            left = self.fuel()
            added = min(self._tank - left, self._spare_fuel)
            self._spare_fuel -= added
            self._filled += added
            self.set_fuel(left + added)

    def halt(self) -> None:
        """Let guest code that is on the stack trap as soon as it goes on. On the thread that runs it."""
        if self.deadline is None:
            left = self.fuel()
            self.set_fuel(0)
            self._withheld_fuel = left
        else:
            self.deadline.expire()

    def burnt(self) -> int:
        """Fuel that was burnt since `arm`, in wasmtime's units; by the clock it is not counted."""
        return self._filled - self.fuel() if self.deadline is None else 0

    def set_fuel(self, fuel: int) -> None:
        """Set what is left in the tank, in wasmtime's units."""
        assert self._store is not None
        self._withheld_fuel = 0
        if error := _wasmtime.set_fuel(self._context, fuel):
            _store.check(error)

    def fuel(self) -> int:
        """What is left in the tank, in wasmtime's units."""
        assert self._store is not None
        if error := _wasmtime.get_fuel(self._context, self._fuel_left_address):
            _store.check(error)
        return self._fuel_left.value + self._withheld_fuel

    def fuel_left(self) -> int:
        """What the guest could burn now, which is nothing after `halt`, in wasmtime's units; 0 by the clock."""
        return self.fuel() - self._withheld_fuel if self.deadline is None else 0

    def copy(self) -> MemoryCopy:
        """Copy the memory; nothing runs in it.

        Raises:
            MemoryError: The host has no room for the copy.
        """
        assert self._store is not None
        from sandbox._memory_copy import MemoryCopy  # most memories are never copied

        return MemoryCopy.of(self._store)

    def checkpoint(self) -> MemoryCopy:
        """As `copy`, for this instance to be set back to.

        Raises:
            MemoryError: The host has no room for the copy.
        """
        assert self._store is not None
        from sandbox._memory_copy import MemoryCopy

        return MemoryCopy.of(self._store, is_kept=False)

    def view(self) -> Origin:
        """The memory itself, for one other instance to continue from while nothing runs in this one."""
        assert self._store is not None
        from sandbox._memory_copy import MemoryCopy

        view = MemoryCopy.view(self._store)
        return lambda _image, _limit_bytes: view

    def restore(self, copy: MemoryCopy) -> None:
        """Continue from a checkpoint, whatever has happened to the instance since; nothing runs in it.

        Raises:
            SandboxError: The process has no room for it. The instance has no memory then, and can only be closed.
        """
        self._give_back()  # first: two of them may be more than there is room for
        self._take(copy.acquire(self.image, self._limit_bytes))

    def hand_over(self, make_instance: MakeInstance) -> Instance:
        """Make an instance that continues from this one, which is closed; nothing runs in it.

        Raises:
            BaseException: It cannot be made; nothing has happened.
        """
        other = make_instance(self._limit_bytes, self.on_host_call, self.image.metering, self.view())
        self.close()
        return other

    def close(self, *, is_sound: bool = True) -> None:
        """Give the instance back; idempotent. Its owner makes sure that nothing runs in it.

        Args:
            is_sound: Whether its memory may be wiped and serve another sandbox.
        """
        self._give_back(is_sound=is_sound)

    def _give_back(self, *, is_sound: bool = True) -> None:
        store, self._store = self._store, None
        if store is not None:
            # The memory may serve another sandbox at once: whoever still looks here sees one that belongs to nobody.
            self.control = _NOBODYS_CONTROL
            self._memory, self._size = _NO_MEMORY, _EVERYTHING
            if is_sound and not self.is_broken:
                _store.release(store)
            else:
                store.delete()

    def lose(self) -> None:
        """Let go of the store without freeing it: a thread was in it that is not in this forked process."""
        store, self._store = self._store, None
        if store is not None:
            _lost.append(store)
            self.control, self._memory = _NOBODYS_CONTROL, _NO_MEMORY
        self.depth = 0

    def __del__(self) -> None:
        # The store has no finalizer of its own: one of the embedder's that closes the sandbox may run in the same
        # collection, and what it has given back for the next sandbox must not be freed.
        store, self._store = self._store, None
        if store is not None:
            store.delete()


MakeInstance = Callable[[int, HostCall, "Metering", "Origin | None"], Instance]
"""Makes an instance, as `Instance` does."""
