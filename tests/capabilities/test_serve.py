"""serve, the host's side: what no binding says, and what one that has taken over its engine may say."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import pytest

from sandbox.capabilities import Later, Serve
from sandbox.capabilities.base import Malformed
from sandbox.serve.sockets import GONE, HIGH_WATER_BYTES, MOST_QUEUED_BYTES, NO_ROOM, SENT_LATER


def _serve() -> Serve:
    def at_once(job: Callable[[], object]) -> None:
        job()

    return Serve(at_once)


@pytest.mark.parametrize(
    "said",
    [
        (),
        (1, 200, "", [], None, None),
        ("1", 200, "", [], None),
        (True, 200, "", [], None),
        (1, "200", "", [], None),
        (1, True, "", [], None),
        (1, 99, "", [], None),
        (1, 100, "", [], None),
        (1, 101, "", [], None),  # it was no request for a WebSocket
        (1, 600, "", [], None),
        (1, 200, None, [], None),
        (1, 200, "a\r\nb", [], None),
        (1, 200, "", ["a"], None),
        (1, 200, "", ["a", 1], None),
        (1, 200, "", {}, None),
        (1, 200, "", ["a b", "c"], None),
        (1, 200, "", ["a", "b\r\nc: d"], None),
        (1, 200, "", ["a", "\N{SNOWMAN}"], None),
        (1, 200, "", [], "text"),
        (1, 200, "", [], False),
    ],
)
def test_responses_that_cannot_be(said: Any) -> None:
    serve = _serve()
    served = serve.begin()
    assert served.number == 1
    with pytest.raises(Malformed):
        serve.handlers()["respond"](*said)
    assert served.head is None


def test_a_second_response() -> None:
    serve = _serve()
    serve.begin()
    serve.handlers()["respond"](1, 200, "", [], None)
    with pytest.raises(Malformed):
        serve.handlers()["respond"](1, 200, "", [], None)


def test_what_is_said_of_a_request_that_is_over_is_not_heard() -> None:
    serve = _serve()
    serve.end(serve.begin(), None, 0)
    serve.handlers()["respond"](1, 200, "", [], None)
    for name, arguments in (("read", (1,)), ("write", (1, b"x")), ("closed", (1,))):
        with pytest.raises(LookupError):
            serve.handlers()[name](*arguments)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("read", (None,)),
        ("write", (1.5, b"")),
        ("write", (1, "text")),
        ("closed", ([],)),
        ("send", (1, None)),
        ("send", ("1", "x")),
        ("close", (1, 1000)),
        ("close", (1, 999, "")),
        ("close", (1, 5000, "")),
        ("close", (1, True, "")),
        ("close", (1, 1000, "x" * 124)),
        ("close", (1, 1000, "\N{SNOWMAN}" * 42)),
        ("close", (1, 1000, None)),
        ("close", ({}, 1000, "")),
    ],
)
def test_what_no_binding_says(name: str, said: Any) -> None:
    serve = _serve()
    serve.begin()
    with pytest.raises((TypeError, Malformed)):
        serve.handlers()[name](*said)


def test_one_chunk_at_a_time() -> None:
    serve = _serve()
    served = serve.begin()
    answers: list[tuple[str, Any]] = []
    serve.handlers()["respond"](1, 200, "", [], True)
    for name in ("first", "second"):
        later: Any = serve.handlers()["write"](1, name.encode())
        assert isinstance(later, Later)
        later.begin(partial(lambda name, value: answers.append((name, value)), name))
    assert answers == [("second", False)], "nobody waits for a second one"
    assert served.take() == b"first"
    assert answers == [("second", False), ("first", True)]


def test_an_abort_is_told_once() -> None:
    serve = _serve()
    served = serve.begin()
    told: list[Any] = []
    handlers: Any = serve.handlers()
    handlers["closed"](1).begin(told.append)
    for _ in range(3):
        served.abort()
    handlers["closed"](1).begin(told.append)
    assert told == [None, None], "once for each question"
    serve.handlers()["respond"](1, 200, "", [], None)
    assert served.head is None, "nobody wants it"


def test_what_is_queued_is_bounded() -> None:
    serve = _serve()
    sockets = [serve.sockets.open(number) for number in range(1, 4)]
    send = serve.handlers()["send"]
    message = "x" * 100_000
    answers = [send(1, message) for _ in range(MOST_QUEUED_BYTES // 100_100 + 1)]
    assert answers.index(SENT_LATER) == HIGH_WATER_BYTES // 100_100
    assert answers[-1] == NO_ROOM
    assert send(2, message) == NO_ROOM, "the room is for all of them"
    assert send(9, message) == GONE
    assert not sockets[0].has_drained()
    sockets[0].drop()
    assert sockets[1].has_drained()
    assert send(2, message) == 100_000
    assert send(1, message) == GONE
    sockets[2].close(1000, "")
    assert send(3, message) == GONE


def test_a_message_of_any_size_may_be_sent() -> None:
    serve = _serve()
    serve.sockets.open(1)
    assert serve.handlers()["send"](1, bytes(MOST_QUEUED_BYTES)) == SENT_LATER
    assert serve.handlers()["send"](1, b"") == NO_ROOM


def test_a_rollback_loses_what_was_opened_since() -> None:
    serve = _serve()
    before = serve.sockets.open(1)
    undo = serve.checkpoint()
    since = serve.sockets.open(2)
    undo()
    assert (before.is_lost, since.is_lost) == (False, True)
