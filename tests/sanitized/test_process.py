"""The sanitizers see what they are for: every mistake that is made on purpose ends in a report, nothing else does."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest

from sandbox._abi import Status
from tests.sanitized.process import Ended, Mistake, Process, server
from wasm import sanitize
from wasm.errors import BuildError

try:
    sanitize.toolchain()
except BuildError as error:
    pytest.skip(str(error).splitlines()[0], allow_module_level=True)

pytestmark = pytest.mark.timeout(400)  # the program may have to be built


@pytest.fixture
def process() -> Iterator[Process]:
    made = server().guest()
    yield made
    made.abandon()


def run(process: Process, code: bytes) -> int:
    """Evaluate a script of less than 256 bytes."""
    message = b"\0\xa0\xd9" + bytes((len(code),)) + code
    assert process.control is not None
    process.write(process.control.inbox, message)
    return process.call("eval", 1, len(message))


def outbox(process: Process) -> bytes:
    control = process.control
    assert control is not None
    return process.read(control.outbox, control.outbox_bytes)


def test_a_guest_that_does_nothing_wrong(process: Process) -> None:
    assert process.call("start") == Status.OK
    assert run(process, b"[new URL('http://host/a').href, new Map([[1, {}]]), /a/g]") == Status.OK
    assert b"http://host/a" in outbox(process)
    assert process.close() is None


@pytest.mark.parametrize(
    ("mistake", "report"),
    [
        (Mistake.USE_AFTER_FREE, "heap-use-after-free"),
        (Mistake.OVERFLOW, "heap-buffer-overflow"),
        (Mistake.UNDEFINED, "shift exponent 40 is too large"),
        (Mistake.ABORT, "ABRT on unknown address"),
        (Mistake.STALE_OUTBOX, "heap-use-after-free"),
    ],
)
def test_a_mistake_ends_the_process(process: Process, mistake: Mistake, report: str) -> None:
    with pytest.raises(Ended, match=re.escape(report)):
        process.err(mistake)
        outbox(process)


@pytest.mark.parametrize(
    ("mistake", "report"),
    [
        (Mistake.LEAK, "Direct leak of 16 byte(s)"),
        (Mistake.LOST_VALUE, "Object leaks"),
        (Mistake.LOST_TEXT, "a name that nobody else knows"),
    ],
)
def test_what_was_lost_is_told_at_the_end(process: Process, mistake: Mistake, report: str) -> None:
    process.err(mistake)
    assert run(process, b"1") == Status.OK
    assert report in (process.close() or "")


def test_allocations_fail_when_they_are_told_to(process: Process) -> None:
    process.call("start")
    run(process, b"1")  # what is made once
    process.limit(0)
    run(process, b"1")
    _, count = process.allocated()
    process.limit(0, count)
    run(process, b"1")

    assert process.control is not None
    assert process.control.failed_allocations == 1
    assert process.close() is None
