"""Messages that break the ABI, at every place where the host reads one."""

from __future__ import annotations

import time
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest

from sandbox import JSError, JSFunction, JSPromise, Limits, Sandbox
from sandbox._abi import Op, Tag
from sandbox.errors import ConversionError, GuestProtocolError, LimitExceeded
from tests.fake_owner import ext, packed
from tests.owned.attacks import TIGHT, attack, breaks, check_poisoned, outcome
from tests.owned.evil import FREE, RUN, Script
from tests.test_codec_refusals import HOSTILE

PLACES: dict[str, Callable[[bytes], Script]] = {
    "a value": lambda message: Script().frames((Op.FINISH, RUN, message)),
    "a value for nobody": lambda message: Script().frames((Op.FINISH, 999, message)),
    "what was thrown": lambda message: Script().frames((Op.FAIL, RUN, message)),
    "what nobody caught": lambda message: Script().frames((Op.UNCAUGHT, 1, message)),
    "arguments of a request": lambda message: Script().frames((257, 1, message)),
    "arguments for nobody": lambda message: Script().frames((9999, 1, message)),
    "a console entry": lambda message: Script().frames((Op.CONSOLE_WRITE, 0, message)),
    "arguments of a call": lambda message: Script().call(256, message).call(256, message).finish(),
}

MESSAGES = {
    **HOSTILE,
    "a function without a handle": b"\0" + ext(Tag.FUNCTION, packed([0, "f"])),
    "a negative handle": b"\0" + ext(Tag.PROMISE, packed(-1)),
    "a handle of 33 bits": b"\0" + ext(Tag.ITERATOR, packed(1 << 32)),
    "a true handle": b"\0" + ext(Tag.ASYNC_ITERATOR, packed(True)),
    "a function of the host": b"\0" + ext(Tag.HOST_FUNCTION, packed([256, 0, "f", 0])),
    "an iterator of the host": b"\0" + ext(Tag.HOST_ITERATOR, packed([256, 0, "f", 0])),
    "a promise of the host": b"\0" + ext(Tag.HOST_PROMISE, packed(1 << 31)),
    "an object of the host that is a function": b"\0" + ext(Tag.HOST_OBJECT, packed(256)),
    "an object of the host that is the console": b"\0" + ext(Tag.HOST_OBJECT, packed(16)),
    "an object of the host that is not": b"\0" + ext(Tag.HOST_OBJECT, packed(9999)),
    "an endless bigint": b"\0\xc9" + (1 << 18).to_bytes(4, "big") + bytes((Tag.BIGINT,)) + b"\x7f" * (1 << 15),
    "a bigint of more digits than there are": b"\0\xc9\0\3\0\0" + bytes((Tag.BIGINT,)) + b"\x7f" * (3 << 16),
    "an Error of another kind": b"\0" + ext(Tag.ERROR, packed(["E", "n", "m", "s", True, {}])),
}


@pytest.mark.parametrize("place", PLACES.values(), ids=PLACES)
def test_malformed_messages_poison(place: Callable[[bytes], Script]) -> None:
    calls: list[Any] = []

    async def later(*arguments: object) -> None:
        calls.append(arguments)

    for message in MESSAGES.values():
        if len(message) < 50_000:  # a script is a program text, which has its own bound
            breaks(place(message), functions={"f": lambda *a: calls.append(a), "g": later})
    assert calls == []


def test_a_million_levels() -> None:
    script = Script().grow(32).fill(FREE, 0x91, 1 << 20).poke(FREE, b"\0")

    assert "malformed" in breaks(script.call(256, address=FREE, length=1 << 20))


@pytest.mark.parametrize("head", [b"\xdd", b"\xdf", b"\xdb", b"\xc6", b"\xc9"])
def test_lengths_of_four_gigabytes(head: bytes) -> None:
    script = Script().grow(32).poke(FREE, b"\0" + head + b"\xff\xff\xff\xff\x06")

    tracemalloc.start()
    try:
        assert "malformed" in breaks(script.call(256, address=FREE, length=1 << 20))
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert peak < 24 << 20


# --- values that are no breach, and what they may cost ---


def deep(inside: bytes, levels: int = 480) -> bytes:
    return b"\0" + b"\x91" * levels + inside


@pytest.mark.parametrize("op", [Op.FINISH, Op.FAIL])
def test_a_hundred_thousand_values_without_a_form_are_named_once(op: int) -> None:
    """Where each of them stands is 480 steps long."""
    count = 100_000
    head = deep(b"\xdd" + count.to_bytes(4, "big"))
    script = Script().grow(32).poke(FREE, head).poke(FREE + len(head), b"\xd4\x16\0")
    size = 3
    while size < 3 * count:  # each time twice as much
        more = min(size, 3 * count - size)
        script.copy(FREE + len(head) + size, FREE + len(head), more)
        size += more
    frame = FREE - 12
    script.poke(frame, int(op).to_bytes(4, "little")).copy(frame + 4, 0x800, 4)
    script.poke(frame + 8, (len(head) + size).to_bytes(4, "little")).outbox(frame, 12 + len(head) + size)

    began = time.monotonic()
    error = attack(script)

    assert isinstance(error, ConversionError | JSError)
    assert time.monotonic() - began < 4


def unfolding(tag: Tag | None, levels: int = 60) -> bytes:
    """A list that holds the next one twice, which holds the next one twice: sixty levels are 2^60 lists to some."""
    inner = b"\x90"
    for level in range(levels, 0, -1):  # the objects inside are numbered after those around them
        again = ext(Tag.REFERENCE, packed(level if tag is None else 2 * level))
        if tag is None:
            inner = b"\x92" + inner + again
            continue
        content = b"\x94\x01" + inner + b"\x02" + again if tag is Tag.MAP else b"\x91" + inner
        twice = b"\x92" + again if tag is Tag.SET else b"\x91"
        held = b"\xc8" + len(content).to_bytes(2, "big") + bytes((tag,)) + content
        inner = b"\x92" + held + ext(Tag.REFERENCE, packed(2 * level - 1)) if tag is Tag.SET else twice + held
    return b"\1" + inner


@pytest.mark.parametrize("tag", [Tag.MAP, Tag.SET, None])
@pytest.mark.parametrize("op", [Op.FAIL, Op.UNCAUGHT])
def test_what_was_thrown_may_unfold_without_end(tag: Tag | None, op: int) -> None:
    error = attack(Script().frames((op, RUN if op == Op.FAIL else 1, unfolding(tag))))

    assert isinstance(error, JSError)
    assert len(str(error)) < 500


# --- forged parts ---


def error_message(key: object, **properties: object) -> bytes:
    return b"\0" + ext(Tag.ERROR, packed(["TypeError", "TypeError", "m", "", key, properties]))


def test_exceptions_of_the_host_are_those_of_this_sandbox() -> None:
    mine = ValueError("mine")

    def fail() -> None:
        raise mine

    with Sandbox(limits=TIGHT, functions={"fail": fail}) as first, Sandbox(limits=TIGHT) as second:
        assert outcome(first, Script().call(256).finish(b"\0\x01")) == 1
        for key in (1, 2, 0, -1, 1 << 40):
            for box in (first, second):
                error = outcome(box, Script().frames((Op.FAIL, RUN, error_message(key))))
                assert isinstance(error, JSError)
                assert error.__cause__ is (mine if box is first and key == 1 else None)


def test_only_so_many_exceptions_are_kept() -> None:
    def fail() -> None:
        raise ValueError("x" * 10_000)

    with Sandbox(limits=Limits(memory_bytes=16 << 20), functions={"fail": fail}) as box:
        script = Script()
        with script.times(3_000):
            script.call(256)
        assert outcome(box, script.finish(b"\0\x01")) == 1
        assert len(box._driver._operations._exceptions) <= 256


def test_a_refusal_that_is_forged_is_an_error_of_the_guest() -> None:
    body = ext(Tag.ERROR, packed(["ConversionError", "x", "y", "", None, {"path": ["$"] * 5}]))
    error = attack(Script().frames((Op.FAIL, RUN, b"\0" + body)))
    assert isinstance(error, ConversionError)
    assert error.path == "$"


FORGED = {
    "a function": (ext(Tag.FUNCTION, packed([4_000_000_000, "f"])), JSFunction),
    "a promise": (ext(Tag.PROMISE, packed(77)), JSPromise),
}


@pytest.mark.parametrize(("body", "kind"), FORGED.values(), ids=FORGED)
def test_handles_that_were_never_given_are_the_guests_own_affair(body: bytes, kind: type[Any]) -> None:
    with Sandbox(limits=TIGHT) as box:
        value: Any = outcome(box, Script().finish(b"\0" + body))
        assert type(value) is kind
        assert (value(1, [2]) if isinstance(value, JSFunction) else value.result()) is None
        value.release()
        assert outcome(box, Script().finish(b"\0\x01")) == 1


def test_the_same_handle_many_times() -> None:
    with Sandbox(limits=TIGHT) as box:
        values = outcome(box, Script().finish(b"\0\xdc\0\x64" + ext(Tag.FUNCTION, packed([5, "f"])) * 100))
        assert len(values) == 100
        del values
        assert outcome(box, Script().finish(b"\0\x01")) == 1
        assert box._driver._operations.live() == 0


@pytest.mark.parametrize("place", ["a value", "arguments of a call", "arguments for nobody"])
def test_more_handles_than_the_host_may_hold_are_never_made(place: str) -> None:
    """Ten thousand of them, of which a hundred are allowed."""
    made: list[object] = []
    message = b"\0\xdd\0\0\x27\x10" + b"".join(ext(Tag.PROMISE, packed(n)) for n in range(1, 10_001))
    limits = Limits(memory_bytes=16 << 20, handles=100)
    with Sandbox(limits=limits, functions={"f": lambda *a: made.append(a)}) as box:
        error = outcome(box, PLACES[place](message))
        assert isinstance(error, LimitExceeded)
        assert error.unit == "handles"
        assert made == []
        assert outcome(box, Script().finish(b"\0\x01")) == 1
        assert box._driver._operations.live() == 0


ANSWERS = {"nothing": b"\0\xc0", "a number": b"\0\x01", "a list": b"\0\x91\x01", "a dict in a list": b"\0\x91\x80"}


@pytest.mark.parametrize("answer", ANSWERS.values(), ids=ANSWERS)
@pytest.mark.parametrize("export", ["module", "access"])
def test_answers_of_the_wrong_kind_poison(export: str, answer: bytes) -> None:
    with Sandbox(limits=TIGHT) as box:
        outcome(box, Script().install(export, Script(FREE + 0x1000).finish(answer)).finish())
        with pytest.raises(GuestProtocolError):
            box.module("export {}") if export == "module" else len(box.globals)
        check_poisoned(box)


@pytest.mark.parametrize("answer", [*ANSWERS.values(), b"\0\x93\xc3\x01\x01", b"\0\x92\x01\x01"])
def test_steps_that_are_none_poison(answer: bytes) -> None:
    with Sandbox(limits=TIGHT) as box:
        install = Script().install("access", Script(FREE + 0x1000).finish(answer))
        steps = outcome(box, install.finish(b"\0" + ext(Tag.ITERATOR, packed(3))))
        with pytest.raises(GuestProtocolError):
            next(steps)
        check_poisoned(box)
