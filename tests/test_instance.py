"""One instance: what the host reads and writes of a guest's memory, whatever the guest says, and what exports do with
messages that break the ABI."""

from __future__ import annotations

import ctypes
import random
import struct
import threading
from collections.abc import Iterator
from typing import Any

import msgpack
import pytest

from sandbox import _abi
from sandbox._abi import Op, Reason, Status, Tag, Verb
from sandbox._events import Cancelled, Finished, Released, Requested, State, Uncaught
from sandbox._instance import Instance, Trap
from sandbox.errors import GuestProtocolError, MemoryLimitExceeded, SandboxError, SandboxPoisoned
from tests.bare_guest import FUEL, Bare
from tests.fake_owner import ext, packed

MEMORY_BYTES = 64 << 20
FAR = 0xFFFF_FFF0


@pytest.fixture
def bare() -> Iterator[Bare]:
    with Bare() as guest:
        yield guest


@pytest.fixture
def instance() -> Iterator[Instance]:
    made = Instance(MEMORY_BYTES, lambda op, message: (Status.OK, b"\0\xc0"))
    made.call("start")
    yield made
    made.close()


# --- reading and writing ---


@pytest.mark.parametrize(
    ("address", "length"),
    [
        (0, _abi.CAP_MESSAGE_BYTES + 1),
        (0, 0xFFFF_FFFF),
        (FAR, 4),
        (FAR, 0x40),
        (MEMORY_BYTES, 1),
        (1 << 31, 1 << 30),
    ],
    ids=["too long", "negative length", "negative address", "wraps around", "beyond", "two gigabytes"],
)
def test_ranges_outside_memory_are_refused(instance: Instance, address: int, length: int) -> None:
    with pytest.raises(GuestProtocolError, match="which it does not have"):
        instance.read(address, length)


def test_ranges_up_to_the_last_byte_are_read(instance: Instance) -> None:
    size = instance.memory_bytes()

    assert len(instance.read(size - 16, 16)) == 16
    with pytest.raises(GuestProtocolError):
        instance.read(size - 16, 17)


def test_memory_that_grew_is_seen(instance: Instance) -> None:
    size = instance.memory_bytes()
    instance.write(bytes(8 << 20))

    assert instance.memory_bytes() > size
    assert instance.read(instance.control.inbox, 8 << 20) == bytes(8 << 20)


@pytest.mark.parametrize(("inbox", "room"), [(FAR, 1 << 20), (MEMORY_BYTES, 4096), (0x7FFF_FFFF, 0x7FFF_FFFF)])
def test_an_inbox_outside_memory_is_not_written(instance: Instance, inbox: int, room: int) -> None:
    instance.control.inbox, instance.control.inbox_bytes = inbox, room

    with pytest.raises(GuestProtocolError, match="inbox"):
        instance.write(b"\0" * 64)


def test_a_message_that_finds_no_room_is_refused(instance: Instance) -> None:
    with pytest.raises(MemoryError):
        instance.write(bytes(MEMORY_BYTES))
    with pytest.raises(MemoryError):
        instance.write(bytes(_abi.CAP_MESSAGE_BYTES + 1))

    assert instance.call("collect") == Status.OK


# --- what the guest says about itself, made up by the host in its place ---


def frame(op: int, number: int, message: bytes, length: int | None = None) -> bytes:
    size = len(message) if length is None else length
    return struct.pack("<III", op, number, size) + message + bytes(-len(message) % 4)


def put(bare: Bare, frames: bytes) -> None:
    """Frames in the outbox that the guest has not written. They lie in what follows the message of the next turn."""
    instance = bare.guest.instance
    address = instance.control.inbox + 64
    ctypes.memmove(ctypes.addressof(instance.control) - image_control(bare) + address, frames, len(frames))
    instance.control.outbox, instance.control.outbox_bytes = address, len(frames)


def image_control(bare: Bare) -> int:
    address = bare.guest.instance.image.control_address
    assert address is not None
    return address


NIL = b"\0\xc0"


@pytest.mark.parametrize(
    ("frames", "events"),
    [
        (frame(Op.FINISH, 999, NIL), [Finished(999, None)]),
        (frame(Op.FINISH, 1, NIL) + frame(Op.FINISH, 1, b"\0\x07"), [Finished(1, None), Finished(1, 7)]),
        (frame(Op.CANCEL, 77, b""), [Cancelled(77)]),
        (frame(Op.RELEASE, 0xFFFF_FFFF, b"junk"), [Released(0xFFFF_FFFF)]),
        (frame(0xFFFF_FFFF, 5, b"\0\x90"), [Requested(5, 0xFFFF_FFFF, [])]),
        (frame(9, 0, b"\0\x91\x01"), [Requested(0, 9, [1])]),
        (b"", []),
    ],
    ids=["unknown run", "twice", "unknown request", "unknown function", "unknown op", "free op", "nothing"],
)
def test_frames_that_name_what_does_not_exist_are_events(bare: Bare, frames: bytes, events: list[Any]) -> None:
    put(bare, frames)

    assert bare.guest._drain() == events
    assert bare.guest.state is State.READY


def test_an_uncaught_exception_of_no_kind_is_an_event(bare: Bare) -> None:
    put(bare, frame(Op.UNCAUGHT, 9, NIL))

    (event,) = bare.guest._drain()

    assert isinstance(event, Uncaught)


@pytest.mark.parametrize(
    ("frames", "text"),
    [
        (b"\x01", "half a frame"),
        (frame(Op.FINISH, 1, NIL) + b"\x01\x00\x00", "half a frame"),
        (frame(Op.FINISH, 1, b"", 4), "longer than its outbox"),
        (frame(Op.FINISH, 1, b"", 0xFFFF_FFFF), "longer than its outbox"),
        (frame(Op.FINISH, 1, b""), "malformed"),
        (frame(Op.FINISH, 1, b"\x02\xc0"), "malformed"),
        (frame(Op.FINISH, 1, b"\0\xdd\xff\xff\xff\xff"), "malformed"),
        (frame(Op.FINISH, 1, b"\0" + b"\x91" * 5000), "malformed"),
        (frame(Op.FAIL, 1, b"\0\xc1"), "malformed"),
        (frame(Op.UNCAUGHT, 0, b""), "malformed"),
        (frame(300, 1, NIL), "arguments that are no array"),
        (frame(300, 1, b"\0"), "malformed"),
        (frame(Op.FINISH, 1, b"\0" + ext(99, b"x")), "malformed"),
        (frame(Op.FINISH, 1, b"\1" + ext(Tag.REFERENCE, b"\x05")), "malformed"),
    ],
    ids=[
        "one byte",
        "half a second one",
        "longer",
        "negative length",
        "no value",
        "unknown flag",
        "a lie about a count",
        "endless nesting",
        "no msgpack",
        "nothing thrown",
        "no arguments",
        "empty arguments",
        "unknown type",
        "a reference to nothing",
    ],
)
def test_frames_that_break_the_abi_poison(bare: Bare, frames: bytes, text: str) -> None:
    put(bare, frames)

    with pytest.raises(GuestProtocolError, match=text):
        bare.guest._drain()
    with pytest.raises(SandboxPoisoned):
        bare.eval("1")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("outbox", FAR),
        ("outbox", MEMORY_BYTES),
        ("outbox_bytes", 0xFFFF_FFFF),
        ("outbox_bytes", 1 << 31),
        ("reason", 99),
        ("reason", 0xFFFF_FFFF),
    ],
)
def test_a_control_block_full_of_lies_poisons(bare: Bare, name: str, value: int) -> None:
    put(bare, frame(Op.FINISH, 1, NIL))
    setattr(bare.guest.instance.control, name, value)

    with pytest.raises(GuestProtocolError):
        bare.guest._drain()
    with pytest.raises(SandboxPoisoned):
        bare.eval("1")


def test_an_inbox_that_is_a_lie_poisons(bare: Bare) -> None:
    bare.guest.instance.control.inbox = FAR

    with pytest.raises(GuestProtocolError):
        bare.eval("1")
    with pytest.raises(SandboxPoisoned):
        bare.eval("1")


def test_a_request_outside_memory_unwinds_the_guest_and_poisons(bare: Bare) -> None:
    instance = bare.guest.instance
    original = instance.read
    bare.define("f", lambda: 1)

    def on_host_call(op: int, message: bytes | memoryview) -> tuple[int, bytes | None]:
        return Status.OK, bytes(original(FAR, 16))

    instance.on_host_call = on_host_call
    bare.arm()
    with pytest.raises(GuestProtocolError):
        bare.guest.eval(1, "try { f() } catch {} for (;;);", "main.js")
    with pytest.raises(SandboxPoisoned):
        bare.eval("1")


def test_a_guest_with_garbage_in_all_of_its_heap_harms_nobody() -> None:
    noise = random.Random(1)
    endings = set()
    for _ in range(20):
        with Bare() as bare:
            bare.eval("globalThis.tree = {a: [1, {b: 'text'}], f() { return this.a }}")
            instance = bare.guest.instance
            start = ctypes.addressof(instance.control) - image_control(bare)
            for _ in range(200):
                at = noise.randrange(2 << 20, instance.memory_bytes() - 8)
                ctypes.memmove(start + at, noise.randbytes(8), 8)
            try:
                endings.add(repr(bare.value("JSON.stringify(tree) + tree.f()", cpu_seconds=0.1, fuel=1 << 30))[:40])
            except (SandboxError, AssertionError) as error:
                endings.add(type(error).__name__)
    with Bare() as other:
        assert other.value("1 + 1") == 2
    assert endings


# --- messages that break the ABI ---

RUN_EXPORTS = {"eval": (1,), "call": (1,), "access": (1,), "settle": (1, 0), "release": (), "module": (1,)}
VALID: dict[str, bytes] = {
    "eval": b"\0" + packed("main.js") + packed("1 + 1"),
    "call": b"\0" + packed("f") + packed(None) + packed([1, {"a": [b"x", "y"]}]),
    "access": b"\0" + packed(int(Verb.SET)) + packed(0) + packed("key") + packed({"a": [1, 2.5, None]}),
    "settle": b"\0" + packed([1, "two", {"three": 3}]),
    "release": b"\0" + packed(1) + packed(70000),
    "module": b"\0" + packed(None) + packed("export default 1") + packed("m.js"),
}
RICH = b"\1" + packed(
    [
        msgpack.ExtType(Tag.ERROR, packed(["TypeError", "N", "m", "s", None, {"cause": [1], "errors": [], "x": {}}])),
        msgpack.ExtType(Tag.MAP, packed([1, [2], "k", {}])),
        msgpack.ExtType(Tag.SET, packed([1, "a"])),
        msgpack.ExtType(Tag.DATE, packed(5.0)),
        msgpack.ExtType(Tag.REGEXP, packed(["a(b)", "gi"])),
        msgpack.ExtType(Tag.BIGINT, b"\xff\x00\x80"),
        msgpack.ExtType(Tag.ARRAY_BUFFER, b"abc"),
        msgpack.ExtType(Tag.TYPED_ARRAY, b"\x04abcd"),
        msgpack.ExtType(Tag.SPARSE_ARRAY, b"\x0a" + packed({3: [1]})),
        msgpack.ExtType(Tag.HOST_FUNCTION, packed([300, 1, "name", 2])),
        msgpack.ExtType(Tag.REFERENCE, packed(0)),
        msgpack.ExtType(Tag.HANDLE, packed(5)),
        msgpack.ExtType(Tag.UNDEFINED, b""),
        msgpack.ExtType(Tag.ERROR, packed(["DOMException", "AbortError", "m", None, 7, {}])),
    ]
)


def send(instance: Instance, export: str, message: bytes, length: int | None = None) -> int:
    instance.set_fuel(FUEL)
    instance.control.cpu_used_ns, instance.control.cpu_budget_ns = 0, 50_000_000
    instance.write(message)
    status = instance.call(export, (*RUN_EXPORTS[export], len(message) if length is None else length))
    instance.control.outbox_bytes = 0
    return status


def check_alive(instance: Instance) -> None:
    assert send(instance, "eval", VALID["eval"]) == Status.OK
    assert instance.control.reason == Reason.NONE


@pytest.mark.parametrize("export", RUN_EXPORTS)
def test_every_cut_of_a_message_is_malformed(instance: Instance, export: str) -> None:
    message = VALID[export]

    assert send(instance, export, message) == Status.OK
    for size in range(len(message)):
        ends_between_values = export == "release" and size in (1, 2)
        expected = Status.OK if ends_between_values else Status.MALFORMED
        assert send(instance, export, message[:size]) == expected, size
    check_alive(instance)


@pytest.mark.parametrize("export", sorted(set(RUN_EXPORTS) - {"release"}))
def test_bytes_after_a_message_are_malformed(instance: Instance, export: str) -> None:
    assert send(instance, export, VALID[export] + b"\xc0") == Status.MALFORMED
    check_alive(instance)


@pytest.mark.parametrize("export", RUN_EXPORTS)
@pytest.mark.parametrize("length", [-1, 1 << 30, 0x7FFF_FFFF, -(2**31)])
def test_a_length_beyond_the_inbox_is_malformed(instance: Instance, export: str, length: int) -> None:
    assert send(instance, export, VALID[export], length) == Status.MALFORMED
    check_alive(instance)


def test_a_message_that_fills_the_inbox_is_not_written_past(instance: Instance) -> None:
    room = instance.control.inbox_bytes
    head = b"\0" + packed("f") + b"\xda" + struct.pack(">H", room - 6)
    message = head + b" " * (room - len(head))

    assert len(message) == room
    assert send(instance, "eval", message) == Status.OK
    assert send(instance, "eval", message, room + 1) == Status.MALFORMED


@pytest.mark.parametrize(
    "value",
    [
        b"\x91" * 499 + b"\xc0",
        b"\x91" * 501,
        b"\x81\xa1a" * 100_000,
        b"\xdd\xff\xff\xff\xff",
        b"\xdd\x20\x00\x00\x00" + b"\xc0" * 100,
        b"\xdf\xff\xff\xff\xff",
        b"\xdb\xff\xff\xff\xff",
        b"\xc6\xff\xff\xff\xff",
        b"\xc9\xff\xff\xff\xff\x01",
        ext(Tag.ERROR, b"\x96"),
        ext(Tag.ERROR, packed(["E", {}, {}, {}, {}, {}])),
        ext(Tag.MAP, packed([1])),
        ext(Tag.DATE, b"\xcb"),
        ext(Tag.TYPED_ARRAY, b"\x05abc"),
        ext(Tag.TYPED_ARRAY, b"\x7f"),
        ext(Tag.TYPED_ARRAY, b""),
        ext(Tag.REFERENCE, b"\x00"),
        ext(Tag.HOST_FUNCTION, packed([300, 99, "f", 0])),
        ext(Tag.FUNCTION, packed([1, "f"])),
        ext(0, b""),
        ext(255, b"xyz"),
        b"\xc1",
        b"\x81\x01\x02",
    ],
    ids=lambda value: value[:8].hex(),
)
def test_values_no_host_would_send(instance: Instance, value: bytes) -> None:
    for flags in (0, 1):
        status = send(instance, "settle", bytes((flags,)) + value)

        assert status == (Status.OK if value.startswith(b"\x91" * 499 + b"\xc0") else Status.MALFORMED)
    check_alive(instance)


def test_a_handle_of_nothing_is_an_error_of_the_run(instance: Instance) -> None:
    assert send(instance, "call", b"\0" + packed(5) + packed(None) + packed([])) == Status.OK
    assert send(instance, "access", b"\0" + packed(0) + packed(99) + packed("k") + packed(None)) == Status.OK
    assert send(instance, "settle", b"\0" + ext(Tag.HANDLE, b"\x63")) == Status.OK
    check_alive(instance)


def test_an_unknown_verb_is_malformed(instance: Instance) -> None:
    message = b"\0" + packed(len(Verb)) + packed(0) + packed("k") + packed(None)

    assert send(instance, "access", message) == Status.MALFORMED
    check_alive(instance)


@pytest.mark.parametrize(
    "first",
    [
        packed({"a": [1]})[:-3] + packed("a") + packed([1]),
        b"\x82" + packed("a") + packed([1]) + packed("a") + packed([2]),
        ext(Tag.MAP, b"\x94" + packed(1) + packed([1]) + packed(1) + packed([2])),
        ext(Tag.SPARSE_ARRAY, b"\x0a\x82" + packed(3) + packed([1]) + packed(3) + packed([2])),
    ],
    ids=["keys", "the same key", "the same Map key", "the same index"],
)
def test_an_object_that_a_later_key_replaced_can_still_be_referred_to(instance: Instance, first: bytes) -> None:
    """The references name every number there is: one of them is the replaced array."""
    references = b"".join(ext(Tag.REFERENCE, bytes((number,))) for number in range(4))
    message = b"\1" + packed(int(Verb.SET)) + packed(0) + packed("key") + b"\x97" + first + packed([0]) * 2 + references

    for _ in range(50):
        assert send(instance, "access", message) in (Status.OK, Status.MALFORMED)
        assert instance.call("collect") == Status.OK
    check_alive(instance)


@pytest.mark.parametrize("seed", range(4))
def test_noise_into_every_export(instance: Instance, seed: int) -> None:
    noise = random.Random(seed)
    exports = list(RUN_EXPORTS)
    for _ in range(400):
        export = noise.choice(exports)
        kind = noise.randrange(4)
        if kind == 0:
            message = noise.randbytes(noise.randrange(1, 200))
        elif kind == 1:
            message = bytes((noise.randrange(2),)) + noise.randbytes(noise.randrange(200))
        else:
            source = bytearray(RICH if kind == 2 else VALID[export])
            for _ in range(noise.randrange(1, 4)):
                source[noise.randrange(len(source))] = noise.randrange(256)
            message = bytes(source)
            if kind == 2:
                prefix = {"call": packed("f") + packed(None), "access": packed(1) + packed(0) + packed("key")}
                message = message[:1] + prefix.get(export, b"") + message[1:]
        assert send(instance, export, message) in (Status.OK, Status.MALFORMED)
        if noise.randrange(20) == 0:
            assert instance.call("collect") == Status.OK
    check_alive(instance)


@pytest.mark.parametrize("export", ["compile", "install", "define_module"])
def test_exports_of_the_build_do_nothing_in_a_guest(instance: Instance, export: str) -> None:
    instance.write(b"\0" + packed("sandbox:native"))
    try:
        status = instance.call(export, (16,))
    except Trap:
        return
    assert status == Status.MALFORMED


# --- traps ---


def test_a_trap_has_a_code_and_ends_the_instance(instance: Instance) -> None:
    instance.write(VALID["eval"])
    instance.set_fuel(10)

    with pytest.raises(Trap) as caught:
        instance.call("eval", (1, len(VALID["eval"])))

    assert caught.value.code == "OUT_OF_FUEL"
    assert str(caught.value) == "all fuel consumed by WebAssembly"
    assert instance.depth == 0


def test_memory_limit_of_a_message(bare: Bare) -> None:
    small = Bare(memory_bytes=8 << 20, message_bytes=32 << 20)
    with small:
        small.arm()
        with pytest.raises(MemoryLimitExceeded):
            small.guest.eval(1, " " * (12 << 20), "main.js")
        assert small.value("1 + 1") == 2


# --- exceptions of the host ---


class Stop(BaseException):
    """What a cancellation is."""


def test_an_exception_in_the_import_never_crosses_the_guest(instance: Instance) -> None:
    def fail(op: int, message: bytes | memoryview) -> tuple[int, bytes | None]:
        raise Stop

    instance.on_host_call = fail
    message = b"\0" + packed("main.js") + packed("crypto.getRandomValues(new Uint8Array(4))")
    send(instance, "eval", message)

    assert isinstance(instance.pending, Stop)
    assert instance.depth == 0
    instance.pending = None
    check_alive(instance)


def test_the_first_exception_of_a_turn_is_the_one_that_is_kept(instance: Instance) -> None:
    errors = iter([Stop(1), Stop(2)])

    def fail(op: int, message: bytes | memoryview) -> tuple[int, bytes | None]:
        raise next(errors)

    instance.on_host_call = fail
    code = "const a = new Uint8Array(4); crypto.getRandomValues(a); crypto.getRandomValues(a)"
    send(instance, "eval", b"\0" + packed("main.js") + packed(code))

    assert isinstance(instance.pending, Stop)
    assert instance.pending.args == (1,)
    instance.pending = None


def test_a_reply_that_breaks_the_abi_is_an_error_of_the_guest(instance: Instance) -> None:
    instance.on_host_call = lambda op, message: (Status.OK, b"\0\xdd\xff\xff\xff\xff")
    code = "try { crypto.getRandomValues(new Uint8Array(4)) } catch (error) { globalThis.seen = error.name }"

    assert send(instance, "eval", b"\0" + packed("main.js") + packed(code)) == Status.OK
    check_alive(instance)


def test_exceptions_of_two_threads_stay_apart() -> None:
    """Every import fails with an exception of its own thread, a thousand times."""
    wrong: list[object] = []

    def work(number: int) -> None:
        with Bare() as bare:
            for turn in range(250):
                mine = Stop(number, turn)

                def fail(mine: Stop = mine) -> None:
                    raise mine

                bare.owner.bound.clear()
                bare.define("f", fail)
                bare.arm()
                try:
                    bare.guest.eval(1, "f()", "main.js")
                except Stop as error:
                    if error is not mine:
                        wrong.append((mine, error))
                else:
                    wrong.append(mine)

    threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()

    assert wrong == []


# --- closing ---


def test_close_twice(instance: Instance) -> None:
    instance.close()
    instance.close()


def test_a_closed_instance_shows_nobody_elses_memory(bare: Bare) -> None:
    old = bare.guest.instance
    before = old.control
    bare.guest.close()
    with Bare() as other:
        assert ctypes.addressof(before) == ctypes.addressof(other.guest.instance.control)

        bare.guest.set_virtual_now(12345.0)
        old.control.interrupt = 1

        assert other.guest.instance.control.interrupt == 0
        assert other.guest.instance.control.virtual_now_ms == 0
        assert old.read(0, 16) == b""
