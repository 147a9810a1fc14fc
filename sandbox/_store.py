"""wasmtime stores, each with one instance of the guest, and the few that are kept for the next sandbox.

Making an instance costs little, but every page that a fresh one touches costs a page fault. So the pages that every
program writes are made present at once. And a store whose sandbox was closed in good order is wiped, page by page as
the kernel says which were written, and serves the next sandbox. What cannot be wiped with certainty is freed instead:
after a trap, when the memory has grown, or on a system that does not tell. All of this begins with the second sandbox
of a process: to learn what a memory looks like takes longer than the one program that many processes run.
"""

from __future__ import annotations

import ctypes
import os
import threading
from functools import partial
from typing import TYPE_CHECKING, Final, Protocol

from sandbox import _wasmtime
from sandbox._abi import Control
from sandbox._callback import running
from sandbox._image import KINDS, MEMORY_RESERVATION_BYTES, Image
from sandbox.errors import ArtifactError, MemoryLimitExceeded, SandboxError
from sandbox.limits import PAGE_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable

    from sandbox._pages import Region
    from sandbox._pristine import Pristine, Wiping

KEPT_STORES: Final = 16
# Message of `eval`: flag byte, file name and source text.
_SMALLEST_PROGRAM: Final = b"\x00\xa0\xa10"
_STARTING_FUEL: Final = 1 << 40
# What an instance of the guest is made of, beside its memory. None of it grows.
_TABLE_ELEMENTS, _INSTANCES, _TABLES, _MEMORIES = 1 << 14, 1, 1, 1
_AddressSpace: Final = ctypes.c_char * MEMORY_RESERVATION_BYTES


class Trap(Exception):
    """The guest trapped; its memory is in an unknown state. Never leaves the package.

    Attributes:
        code: Name of the trap code, such as `OUT_OF_FUEL`.
    """

    def __init__(self, code: str, text: str) -> None:
        super().__init__(text)
        self.code = code


class Layer(Protocol):
    """Memory that stores begin with in the place of the image's; see `_layers`."""

    def changed(self, store: Store) -> list[Region]:
        """As `changed`."""

    def release(self, store: Store) -> None:
        """As `release`."""


class Store:
    """One store and the instance in it.

    Attributes:
        image: What the instance was made from.
        context: wasmtime's context, an address.
        words: Room for the arguments and the result of a call that is not nested, with its address; and of the same
            kind `trap`, for what has ended one, and `fuel_left`, for what is left in the tank.
        base: Address of the linear memory, which never moves.
        memory: The address space reserved for it; only what lies below `memory_bytes()` may be touched.
        memory_bytes: Gives the size of the linear memory now; it never shrinks.
        control: The control block, a live view of guest memory.
        functions: Addresses of exported functions, by name, as far as they were found.
        layer: What was mapped over the image before any code ran; None: nothing.
        trapped: Whether an export ended in a trap.
        was_used: Whether other sandboxes had it before: then pages are present that this one has not written.
        wiped: How it was wiped last; None: it was not.
    """

    control: Control
    image: Image
    memory: memoryview[int]
    trapped: bool
    was_used: bool

    __slots__ = (
        "_exports",
        "_instance",
        "_memory",
        "_memory_address",
        "_store",
        "base",
        "context",
        "control",
        "fuel_left",
        "fuel_left_address",
        "functions",
        "image",
        "layer",
        "memory",
        "memory_bytes",
        "trap",
        "trap_address",
        "trapped",
        "was_used",
        "wiped",
        "words",
        "words_address",
    )

    def __init__(self, image: Image, memory_bytes: int) -> None:
        self.image = image
        self.layer: Layer | None = None
        self.functions: dict[str, int] = {}
        self._exports: list[_wasmtime.Extern] = []
        self.words = _wasmtime.RawWords()
        self.words_address: int = ctypes.addressof(self.words)
        self.trap = ctypes.c_void_p()
        self.trap_address: int = ctypes.addressof(self.trap)
        self.fuel_left = ctypes.c_uint64()
        self.fuel_left_address: int = ctypes.addressof(self.fuel_left)
        self.trapped = self.was_used = False
        self.wiped: Wiping | None = None
        self._store: int | None = _wasmtime.store_new(image.engine_address, None, None)
        self.context: int = _wasmtime.store_context(self._store)
        try:
            self.limit(memory_bytes)
            check(_wasmtime.set_wasi(self.context, _wasmtime.wasi_config_new()))
            self.lift()
            self._instance = _wasmtime.Instance()
            trap = ctypes.c_void_p()
            error = _wasmtime.instantiate(
                image.pre_address, self.context, ctypes.addressof(self._instance), ctypes.addressof(trap)
            )
            if error:
                raise SandboxError(f"no room for another sandbox in this process: {_wasmtime.take_error(error)}")
            if trap.value:
                raise take_trap(trap)
            self._memory = self._export(b"memory")
            self._memory_address = ctypes.addressof(self._memory) + _wasmtime.ITEM_OFFSET
            self.memory_bytes: Callable[[], int] = partial(
                _wasmtime.memory_data_size, self.context, self._memory_address
            )
            self.base: int = _wasmtime.memory_data(self.context, self._memory_address)
            self.memory = memoryview(_AddressSpace.from_address(self.base)).cast("B")
            self.control = Control.from_address(self.base + self._control_address())
            image.heap_bytes = image.heap_bytes or self.control.heap_bytes
        except BaseException:
            self.delete()
            raise

    def limit(self, memory_bytes: int) -> None:
        """Set the most linear memory the instance may have."""
        _wasmtime.store_limiter(self._store, memory_bytes, _TABLE_ELEMENTS, _INSTANCES, _TABLES, _MEMORIES)

    def lift(self) -> None:
        """Lift what a turn was limited to, in fuel or in time."""
        if self.image.epochs is None:
            check(_wasmtime.set_fuel(self.context, _STARTING_FUEL))
        else:
            self.image.epochs.lift(self.context)

    def find(self, name: str) -> int:
        """Address of an exported function, which `functions` then has."""
        function = self._export(name.encode())
        self._exports.append(function)
        address = self.functions[name] = ctypes.addressof(function) + _wasmtime.ITEM_OFFSET
        return address

    def grow(self, memory_bytes: int) -> None:
        """Make a smaller linear memory this large.

        Raises:
            SandboxError: That is beyond its limit, or the machine has no room.
        """
        pages = (memory_bytes - self.memory_bytes()) // PAGE_BYTES
        if pages > 0:
            before = ctypes.c_uint64()
            check(_wasmtime.memory_grow(self.context, self._memory_address, pages, ctypes.addressof(before)))

    def delete(self) -> None:
        """Free the store; idempotent. Nothing frees one that is just let go: see `Instance.__del__`."""
        store, self._store = self._store, None
        if store is None:
            return
        self.functions.clear()
        self._exports.clear()
        self.wiped = None
        if _wasmtime is not None:  # at the interpreter's end modules are gone, and the process takes the memory along
            _wasmtime.store_delete(store)

    def _export(self, name: bytes) -> _wasmtime.Extern:
        item = _wasmtime.Extern()
        found = _wasmtime.export_get(
            self.context, ctypes.addressof(self._instance), name, len(name), ctypes.addressof(item)
        )
        assert found, name  # the image has checked the exports
        return item

    def call(self, name: str, first: int = 0, second: int = 0) -> int:
        """Call an export that calls no import but the clock; slower than `Instance.call`, and needs no instance.

        Raises:
            Trap: The guest trapped.
        """
        values = _wasmtime.RawValues()
        values[0].i32, values[1].i32 = first, second
        trap = ctypes.c_void_p()
        before, running.instance = running.instance, None  # a host function may make another sandbox
        try:
            error = _wasmtime.func_call(
                self.context,
                self.functions.get(name) or self.find(name),
                ctypes.addressof(values),
                _wasmtime.RAW_VALUES,
                ctypes.addressof(trap),
            )
        finally:
            running.instance = before
        check(error)
        if trap.value:
            raise take_trap(trap)
        return int(values[0].i32)

    def _control_address(self) -> int:
        image = self.image
        if image.control_address is None:
            address = self.call("control") & 0xFFFFFFFF
            self.lift()  # what that has burnt, which is told of no other store
            if address + ctypes.sizeof(Control) > self.memory_bytes():
                raise ArtifactError("the control block of the compiled guest is outside its memory")
            image.control_address = address
        return image.control_address


def check(error: int | None) -> None:
    """Raise what wasmtime reports."""
    if error:
        raise SandboxError(_wasmtime.take_error(error))


def take_trap(pointer: ctypes.c_void_p) -> Trap:
    """The trap behind a pointer, which is freed and cleared."""
    address, pointer.value = pointer.value, None
    code, message = ctypes.c_uint8(), _wasmtime.Vector()
    has_code = _wasmtime.trap_code(address, ctypes.addressof(code))
    _wasmtime.trap_message(address, ctypes.addressof(message))
    _wasmtime.trap_delete(address)
    text = _wasmtime.take_bytes(message).rstrip(b"\0").decode("utf-8", "replace")
    # The message begins with where it happened, a list of functions without names, and ends with why.
    why = text.rpartition("wasm trap: ")[2].splitlines()[0]
    is_known = has_code and code.value < len(_wasmtime.TRAP_CODES)
    return Trap(_wasmtime.TRAP_CODES[code.value] if is_known else "UNKNOWN", why)


class _Shelf:
    """The stores of one image that wait for their next sandbox."""

    def __init__(self) -> None:
        self.stores: list[Store] = []
        self.pristine: Pristine | None = None
        self.has_served = False
        self._lock = threading.Lock()

    def look(self, image: Image, memory_bytes: int) -> Pristine:
        if self.pristine is None:
            with self._lock:
                if self.pristine is None:
                    self.pristine = _look(image, memory_bytes)
        return self.pristine

    def after_fork(self) -> None:
        """Whatever thread held the lock, it is not in the child."""
        self._lock = threading.Lock()


def _look(image: Image, memory_bytes: int) -> Pristine:
    """Look at stores made for the purpose: reading all of a memory makes all of its pages present."""
    from sandbox import _pages  # not for the first sandbox
    from sandbox._pristine import Pristine

    store = Store(image, memory_bytes)
    memory = ctypes.string_at(store.base, store.memory_bytes())
    store.delete()
    store = Store(image, memory_bytes)
    try:
        _run_smallest(store)
        return Pristine(memory, _pages.written(store.base, len(memory)) or [])
    finally:
        store.delete()


def _run_smallest(store: Store) -> None:
    store.call("start")
    length = len(_SMALLEST_PROGRAM)
    inbox = store.control.inbox
    store.memory[inbox : inbox + length] = _SMALLEST_PROGRAM
    store.call("eval", 1, length)


_shelves: Final[dict[str, _Shelf]] = {kind: _Shelf() for kind in KINDS}


def _forget_locks() -> None:
    for shelf in _shelves.values():
        shelf.after_fork()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forget_locks)


def pristine(image: Image, memory_bytes: int) -> Pristine:
    """What the memory of a new instance is. Thread-safe."""
    return _shelves[image.kind].look(image, memory_bytes)


def acquire(image: Image, memory_bytes: int) -> Store:
    """A store with a pristine instance. Thread-safe.

    Raises:
        MemoryLimitExceeded: `memory_bytes` is less than an instance has from its start.
        SandboxError: The process has no address space for another instance.
    """
    if memory_bytes < image.memory_bytes:
        raise MemoryLimitExceeded(memory_bytes, image.memory_bytes)
    shelf = _shelves[image.kind]
    try:
        store = shelf.stores.pop()
    except IndexError:  # also where another thread has taken the last one
        pass
    else:
        store.limit(memory_bytes)
        store.lift()
        return store
    pristine = shelf.look(image, memory_bytes) if shelf.has_served else None
    shelf.has_served = True
    store = Store(image, memory_bytes)
    if pristine is not None:
        pristine.populate(store)
    return store


def changed(store: Store) -> list[Region]:
    """The parts of its memory that may differ from what `acquire` gives, as offsets; whole pages."""
    if store.layer is not None:
        return store.layer.changed(store)
    pristine = _shelves[store.image.kind].pristine
    return [(0, store.memory_bytes())] if pristine is None else pristine.changed(store)


def release(store: Store) -> None:
    """Take a store back from a closed sandbox. Thread-safe."""
    if store.layer is not None:
        store.layer.release(store)
        return
    shelf = _shelves[store.image.kind]
    pristine = shelf.pristine
    room = len(shelf.stores) < KEPT_STORES
    if pristine is not None and room and not store.trapped and pristine.restore(store):
        store.was_used = True
        shelf.stores.append(store)
    else:
        store.delete()
