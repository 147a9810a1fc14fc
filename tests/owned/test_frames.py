"""Frames that no engine writes: what they may do is bounded, and whatever makes no sense is the end of the sandbox."""

from __future__ import annotations

import copy
import struct
import threading
import time
import tracemalloc
from typing import Any

import pytest

from sandbox import JSError, Limits, Sandbox, _requests
from sandbox._abi import CAP_FIRST_HOST_REQUEST, Op, Reason, Status, Tag
from sandbox.errors import (
    CpuLimitExceeded,
    GuestProtocolError,
    LimitExceeded,
    OutputLimitExceeded,
    SandboxBusy,
    SandboxError,
    Stalled,
    UnhandledRejection,
)
from tests.fake_owner import ext, packed
from tests.owned.attacks import TIGHT, attack, breaks, check_poisoned, outcome
from tests.owned.evil import FREE, OUTBOX, RUN, Frame, Script, encoded

NIL = b"\0\xc0"
ANY = b"\0\x90"


def header(op: int, number: int, length: int) -> bytes:
    return struct.pack("<III", op, number, length)


def raw(data: bytes) -> Script:
    """An outbox of just these bytes."""
    return Script().poke(OUTBOX, data).outbox(OUTBOX, len(data))


BROKEN: dict[str, Script] = {
    "half a header": raw(b"\1" * 11),
    "a header and a half": raw(encoded((Op.CANCEL, 1, b"")) + b"\1" * 4),
    "a message longer than the outbox": raw(header(Op.FINISH, 1, 5) + bytes(4)),
    "a message of 4 GiB": raw(header(Op.FINISH, 1, 0xFFFF_FFFF) + bytes(4)),
    "no message": raw(header(Op.FINISH, 1, 0)),
    "arguments that are no array": Script().frames((256, 1, NIL)),
    "a request under the number of another": Script().frames((Op.TIMERS_SLEEP, 7, b"\0\x91\x7f"), (9999, 7, ANY)),
    "the same request twice": Script().frames(*[(Op.TIMERS_SLEEP, 7, b"\0\x91\x7f")] * 2),
    "a request of the host": Script().frames((Op.TIMERS_SLEEP, CAP_FIRST_HOST_REQUEST, b"\0\x91\x7f")),
    "the last request of the host": Script().frames((Op.TIMERS_SLEEP, 0xFFFF_FFFF, b"\0\x91\x7f")),
    "a timer that nobody waits for": Script().frames((Op.TIMERS_SLEEP, 0, b"\0\x91\x7f")),
    "random numbers later": Script().frames((Op.RANDOM_FILL, 1, b"\0\x91\x01")),
    "random numbers that nobody waits for": Script().frames((Op.RANDOM_FILL, 0, b"\0\x91\x01")),
    "a console entry to be answered": Script().frames((Op.CONSOLE_WRITE, 1, b"\0\x91\x80")),
    "an unknown op that nobody waits for": Script().frames((9999, 0, ANY)),
    "a poll as a frame": Script().frames((Op.POLL, 0, ANY)),
    "no console entry": Script().frames((Op.CONSOLE_WRITE, 0, ANY)),
    "two console entries in one": Script().frames((Op.CONSOLE_WRITE, 0, b"\0\x92\x80\x80")),
    "a console entry with odd parts": Script().frames((Op.CONSOLE_WRITE, 0, b"\0" + packed([{"x": 1}]))),
    "an unknown reason": Script().control(reason=4).finish(),
    "another unknown reason": Script().control(reason=0xFFFF_FFFF).finish(),
}


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_breaches_poison(script: Script) -> None:
    breaks(script)


@pytest.mark.parametrize("script", BROKEN.values(), ids=BROKEN)
def test_breaches_in_the_middle_of_a_turn_call_nothing(script: Script) -> None:
    calls: list[Any] = []
    script = copy.deepcopy(script)
    for _ in range(3):
        script.call(256)

    breaks(script, functions={"f": lambda *arguments: calls.append(arguments)})
    assert calls == []


STATUSES = {
    "an unknown status": 77,
    "a message that is refused": Status.MALFORMED,
    "too deep, which it is not": Status.FAILED,
}


@pytest.mark.parametrize("status", STATUSES.values(), ids=STATUSES)
def test_statuses_that_no_guest_gives_poison(status: int) -> None:
    breaks(Script().finish().give(status))


HARMLESS: dict[str, tuple[Frame, ...]] = {
    "a run that is not": ((Op.FINISH, 999, NIL), (Op.FAIL, 998, NIL), (Op.FINISH, 0, NIL)),
    "a request that is not": ((Op.CANCEL, 77, b""), (Op.CANCEL, 0xFFFF_FFFF, b"junk")),
    "a function that is not": ((Op.RELEASE, 300, b""), (Op.RELEASE, 0, b""), (Op.RELEASE, 0xFFFF_FFFF, b"")),
    "what the guest was never given": tuple((Op.RELEASE, op, b"") for op in range(64)),
    "finished twice": ((Op.FINISH, RUN, b"\0\x07"), (Op.FINISH, RUN, NIL)),
}


@pytest.mark.parametrize("frames", HARMLESS.values(), ids=HARMLESS)
def test_what_does_not_exist_is_nothing(frames: tuple[Frame, ...]) -> None:
    entries: list[Any] = []
    with Sandbox(limits=TIGHT, console=entries.append) as box:
        assert outcome(box, Script().frames(*frames, (Op.FINISH, RUN, b"\0\x07"))) == 7
        log = (Op.CONSOLE_WRITE, 0, b"\0" + packed([{"type": "output", "text": "still here"}]))
        assert outcome(box, Script().frames(log, (Op.FINISH, RUN, b"\0\x08"))) == 8
        assert [entry.text for entry in entries] == ["still here"]


def test_a_failure_after_the_value_counts() -> None:
    error = attack(Script().frames((Op.FINISH, RUN, NIL), (Op.FAIL, RUN, b"\0\x05")))
    assert isinstance(error, JSError)
    assert error.value == 5


def test_a_value_after_the_failure_does_not() -> None:
    error = attack(Script().frames((Op.FAIL, RUN, b"\0\x05"), (Op.FINISH, RUN, NIL)))
    assert isinstance(error, JSError)
    assert error.value == 5


def test_a_run_that_says_nothing_stalls() -> None:
    assert isinstance(attack(Script()), Stalled)


@pytest.mark.parametrize("op", [Op.FINISH, Op.FAIL])
def test_a_run_cannot_end_one_that_has_not_begun(op: int) -> None:
    """Another thread waits for its turn; its run has a number, and the guest has not heard of it."""
    with Sandbox(limits=TIGHT) as box:
        waits = threading.Event()
        results: list[Any] = []

        def later() -> None:
            results.append(outcome(box, Script().finish(b"\0\x02")))

        thread = threading.Thread(target=later)

        def wait() -> None:
            thread.start()
            while len(box._driver.runs) < 2:
                waits.wait(0.001)

        box.function(wait, name="wait")
        outcome(box, Script().finish())  # binds the function
        error = outcome(box, Script().call(256).frames((op, 3, b"\0\x01"), (Op.FINISH, RUN, NIL)))
        thread.join()

    assert isinstance(error, GuestProtocolError)
    assert "was not told of" in str(error)
    assert isinstance(results[0], SandboxError)


class TestStopped:
    @pytest.mark.parametrize("reason", [Reason.STOP, Reason.CPU])
    def test_for_a_reason_that_is_not_so(self, reason: Reason) -> None:
        assert "without a reason" in breaks(Script().control(reason=reason, cpu_used_ns=1 << 62).finish())

    def test_without_an_interrupt(self) -> None:
        assert isinstance(attack(Script().control(reason=Reason.INTERRUPTED).finish()), SandboxBusy)

    def test_a_budget_that_was_used_up(self) -> None:
        limits = Limits(cpu_seconds=0.02, wall_seconds=None)
        script = Script().burn(100_000_000).control(reason=Reason.CPU, cpu_used_ns=1 << 62)
        error = attack(script, limits)
        assert isinstance(error, CpuLimitExceeded)


# --- floods: what is bounded, and by what ---


def flood(frames: bytes) -> Script:
    """The same frames over and over, each time read by the host, for ever."""
    script = Script().poke(FREE, frames)
    again = script.here()
    return script.outbox(FREE, len(frames)).call(Op.POLL, address=0, length=0).jump(again)


def one_large_outbox(frame: bytes) -> Script:
    """An outbox full of one frame: it is doubled until there is room no more."""
    script = Script().poke(FREE, frame)
    size = len(frame)
    while size * 2 <= 1 << 18:
        script.copy(FREE + size, FREE, size)
        size *= 2
    return script.outbox(FREE, size).call(Op.POLL, address=0, length=0).finish()


LARGE = {
    "uncaught": encoded((Op.UNCAUGHT, 0, NIL)),
    "failures of nobody": encoded((Op.FAIL, 99, NIL)),
    "values for nobody": encoded((Op.FINISH, 99, b"\0\x93\x80\x80\x80")),
    "errors for nobody": encoded((Op.FINISH, 99, b"\0" + ext(Tag.ERROR, b"\x96\xa0\xc0\xc0\xc0\xc0\x80"))),
    "cancelled": encoded((Op.CANCEL, 5, b"")),
    "released": encoded((Op.RELEASE, 5, b"")),
}


@pytest.mark.parametrize("frame", LARGE.values(), ids=LARGE)
def test_an_outbox_full_of_small_frames_costs_little_more_than_itself(frame: bytes) -> None:
    script = one_large_outbox(frame)
    limits = Limits(memory_bytes=16 << 20, cpu_seconds=5, wall_seconds=20)
    tracemalloc.start()
    try:
        result = attack(script, limits)
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()

    assert result is None or isinstance(result, UnhandledRejection | JSError | LimitExceeded)
    assert peak < 10 << 20


def requests_without_end(take_back: bool = False) -> Script:
    """A thousand requests of numbers that are all new, read by the host, again and again."""
    count = 1000
    frames: list[Frame] = []
    for number in range(1, count + 1):
        frames.append((9999, number, ANY))
        if take_back:
            frames.append((Op.CANCEL, number, b"abcd"))
    data = encoded(*frames)
    size = len(data)
    script = Script().poke(FREE, data)
    again = script.here()
    script.outbox(FREE, size).call(Op.POLL, address=0, length=0)
    for at in range(0, size, 16):
        if not take_back:
            script.add(FREE + at + 4, count)
    return script.jump(again)


@pytest.mark.parametrize("take_back", [False, True])
def test_requests_have_an_end(take_back: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each is answered after the turn, and the turn goes on and on."""
    monkeypatch.setattr(_requests, "_MOST_REFUSED", 5_000)
    error = attack(requests_without_end(take_back), Limits(memory_bytes=16 << 20, pending_requests=100))

    assert isinstance(error, LimitExceeded)
    assert (error.limit, error.used, error.unit) == (100, 5_201, "pending requests")


@pytest.mark.parametrize(
    "script",
    [
        flood(encoded((Op.CANCEL, 5, b""))),
        flood(encoded((Op.UNCAUGHT, 0, NIL))),
        Script().call(Op.POLL).jump(0),
        Script().call(Op.RANDOM_FILL, b"\0\x91\x10").jump(0),
        Script().call(256).jump(0),
        Script().call(9999).jump(0),
        Script().call(257).jump(0),
        Script().call(256, b"\0\x91" + ext(Tag.DATE, b"\xcb\x7f\xf8\0\0\0\0\0\0")).jump(0),
        Script().call(256, b"\0\xdc\x03\xe8" + ext(Tag.PROMISE, b"\x05") * 1000).jump(0),
    ],
    ids=[
        "cancels",
        "uncaught",
        "polls",
        "random numbers",
        "a function",
        "a function that is not",
        "one that fails",
        "arguments that cannot cross",
        "more handles than there may be",
    ],
)
def test_a_guest_that_never_lets_go_of_the_host_is_ended_by_the_clock(script: Script) -> None:
    def fail(*_: object) -> None:
        raise ValueError("no")

    limits = Limits(memory_bytes=16 << 20, cpu_seconds=None, wall_seconds=0.3, handles=100)
    with Sandbox(limits=limits, functions={"f": lambda *_: None, "fail": fail}) as box:
        began = time.monotonic()
        error = outcome(box, script)
        assert isinstance(error, LimitExceeded), error
        assert time.monotonic() - began < 3
        assert len(box._driver._operations.dropped) < 5_000
        check_poisoned(box)


def test_output_is_counted_and_ends_the_guest() -> None:
    entries: list[Any] = []
    log = encoded((Op.CONSOLE_WRITE, 0, b"\0" + packed([{"type": "output", "text": "x" * 100}])))
    limits = Limits(memory_bytes=16 << 20, output_bytes=10_000, wall_seconds=20)
    with Sandbox(limits=limits, console=entries.append) as box:
        assert isinstance(outcome(box, flood(log * 10)), OutputLimitExceeded)
        check_poisoned(box)
    assert len(entries) == 10_000 // (256 + 100)
