"""Addresses and lengths that an attacker makes up: the host stays inside the linear memory."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from sandbox import Sandbox
from sandbox._abi import Op
from sandbox._store import Store
from sandbox.errors import ArtifactError, EngineCrashed, FuelLimitExceeded, LimitExceeded, SandboxError
from tests.owned.attacks import TIGHT, attack, breaks, check_poisoned, outcome
from tests.owned.evil import CONTROL, FREE, INBOX, MEMORY_BYTES, NUMBER, OUTBOX, SCRIPT, STATE, Script

if TYPE_CHECKING:
    from sandbox._image import Image

END = MEMORY_BYTES
FAR = 0xFFFF_FFFF
RANDOM = b"\0\x91\x10"  # sixteen bytes, please


def asking(**control: int) -> Script:
    """Change the control block, then ask for what is answered with a message."""
    return Script().control(**control).call(Op.RANDOM_FILL, RANDOM)


OUTSIDE = {
    "frames after the end": Script().outbox(END, 16),
    "frames across the end": Script().outbox(END - 8, 16),
    "frames of all there is, and one byte": Script().outbox(0, END + 1),
    "frames of 2 GiB": Script().outbox(0, 1 << 31),
    "frames of 4 GiB": Script().outbox(0, FAR),
    "frames at the last address": Script().outbox(FAR, 16),
    "frames that wrap around": Script().outbox(FAR - 7, 16),
    "arguments after the end": Script().call(256, address=END, length=1),
    "arguments across the end": Script().call(256, address=END - 4, length=8),
    "arguments longer than any message": Script().call(256, address=0, length=(1 << 30) + 1),
    "arguments of 2 GiB": Script().call(256, address=FREE, length=1 << 31),
    "arguments of 4 GiB": Script().call(256, address=0, length=FAR),
    "arguments at the last address": Script().call(256, address=FAR, length=FAR),
    "a poll with arguments of 4 GiB": Script().call(Op.POLL, address=0, length=FAR),
    "an inbox after the end": asking(inbox=END),
    "an inbox across the end": asking(inbox=END - 8),
    "an inbox at the last address": asking(inbox=FAR),
    "an inbox at 2 GiB": asking(inbox=1 << 31, inbox_bytes=1 << 31),
    "room that is not there": asking(inbox=END - 4, inbox_bytes=FAR),
    "room that is promised and not made": Script()
    .install("reserve", Script(FREE + 64).give(1))
    .control(inbox_bytes=0)
    .call(Op.RANDOM_FILL, RANDOM),
}


@pytest.mark.parametrize("script", OUTSIDE.values(), ids=OUTSIDE)
def test_nothing_outside_the_memory_is_touched(script: Script) -> None:
    assert any(word in breaks(script) for word in ("does not have", "outside its memory", "no room"))


def test_what_grew_counts() -> None:
    script = Script().grow(1).poke(END, b"\0\x90").call(256, address=END, length=2).finish(b"\0\x05")

    assert attack(script) == 5
    breaks(Script().grow(1).call(256, address=END + (1 << 16), length=2))


INSIDE = {
    "over the control block": CONTROL,
    "over the state": STATE,
    "over the frames": OUTBOX,
    "over the script": SCRIPT,
    "at the beginning": 0,
    "at the very end": END - 16 - 3,
}


@pytest.mark.parametrize("address", INSIDE.values(), ids=INSIDE)
def test_an_inbox_over_something_else_is_the_guests_own_affair(address: int) -> None:
    result = attack(asking(inbox=address).finish(b"\0\x01"))

    assert result == 1 or isinstance(result, SandboxError)


@pytest.mark.parametrize("address", [NUMBER, CONTROL, OUTBOX - 12, INBOX])
def test_frames_over_something_else_are_read_as_they_are(address: int) -> None:
    result = attack(Script().outbox(address, 64))

    assert isinstance(result, SandboxError)


class TestRoom:
    """The host asks the guest for room in the middle of a call."""

    def asking(self, answer: Script) -> Script:
        return (
            Script()
            .install("reserve", answer)
            .control(inbox_bytes=0)
            .call(Op.RANDOM_FILL, RANDOM)
            .call(Op.RANDOM_FILL, RANDOM)
            .finish()
        )

    def test_a_trap(self) -> None:
        with Sandbox(limits=TIGHT) as box:
            assert isinstance(outcome(box, self.asking(Script(FREE + 64).trap())), EngineCrashed)
            check_poisoned(box)

    def test_a_trap_that_is_ignored(self) -> None:
        with Sandbox(limits=TIGHT) as box:
            script = self.asking(Script(FREE + 64).trap())
            script.jump(0)
            assert isinstance(outcome(box, script), EngineCrashed)
            check_poisoned(box)

    def test_an_endless_loop(self) -> None:
        with Sandbox(limits=TIGHT) as box:
            assert isinstance(outcome(box, self.asking(Script(FREE + 64).spin())), FuelLimitExceeded)
            check_poisoned(box)

    def test_a_stack_that_ends(self) -> None:
        with Sandbox(limits=TIGHT) as box:
            assert isinstance(outcome(box, self.asking(Script(FREE + 64).dive())), LimitExceeded)
            check_poisoned(box)

    def test_another_call_of_the_host(self) -> None:
        calls: list[int] = []
        answer = Script(FREE + 64).call(256, address=FREE, length=3).give(0)
        script = (
            Script().install("reserve", answer).poke(FREE, RANDOM).control(inbox_bytes=0).call(Op.RANDOM_FILL, RANDOM)
        )

        result = attack(script.finish(), globals={"f": calls.append})

        assert isinstance(result, SandboxError)
        assert len(calls) <= 1


def test_a_control_block_outside_the_memory_is_no_guest(evil_image: Image, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(evil_image, "control_address", None)
    monkeypatch.setattr(Store, "call", lambda self, name: END - 8)
    with pytest.raises(ArtifactError, match="outside its memory"):
        Store(evil_image, 16 << 20)


def test_the_address_of_the_control_block_is_asked_for_once(evil_image: Image) -> None:
    with Sandbox() as box:
        assert outcome(box, Script().install("control", Script(FREE + 64).give(END)).finish(b"\0\x01")) == 1
        assert outcome(box, Script().finish(b"\0\x02")) == 2
    assert evil_image.control_address == CONTROL
