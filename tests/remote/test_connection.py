"""The protocol without input and output: whatever the pieces, the same events; whatever the garbage, a typed end."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox.remote import events as wire
from sandbox.remote.bodies import Bodies
from sandbox.remote.connection import Connection
from sandbox.remote.errors import ProtocolError, RemoteError
from sandbox.remote.events import (
    Answered,
    Asked,
    Cancelled,
    Ended,
    Failed,
    Granted,
    Greeted,
    Noticed,
    Ponged,
    Received,
    Refused,
    Reset,
    Stream,
)
from sandbox.remote.protocol import (
    INLINE_BYTES,
    LENGTH,
    MAX_FRAME_BYTES,
    MAX_GREETING_BYTES,
    MAX_REQUESTS,
    MAX_STREAMS,
    METHODS,
    REASONS,
    WINDOW_BYTES,
    Code,
    Kind,
    Refusal,
    check_parameters,
    error_of,
    pack,
)


def pair(**bounds: int) -> tuple[Connection, Connection]:
    """A client and a server that have greeted each other."""
    client, server = Connection("client"), Connection("server", **bounds)
    client.hello({})
    assert isinstance(server.receive(client.take())[0], Greeted)
    server.welcome({})
    assert isinstance(client.receive(server.take())[0], Greeted)
    return client, server


def frame(*message: Any) -> bytes:
    return pack(list(message))


def refusal_of(connection: Connection, data: bytes) -> str:
    """The code with which bytes end a connection."""
    (failed,) = [event for event in connection.receive(data) if isinstance(event, Failed)]
    assert connection.state == "closed"
    assert connection.receive(frame(Kind.PING, b"")) == []
    return failed.error.code


# What goes over the wire, to the byte: other languages rely on it.
GOLDEN = [
    (
        "request",
        lambda c: c.request("close", {"sandbox": 1}, b"ab"),
        "00000017 9503 01a5636c6f7365 81a773616e64626f7801 c4026162",
    ),
    ("cancel", lambda c: (c.request("a", {}), c.take(), c.cancel(1)), "00000003 9206 01"),
    ("ping", lambda c: c.ping(b"n"), "00000005 920a c4016e"),
    ("notice", lambda c: c.notice("lost", {}), "00000008 930c a46c6f7374 80"),
    ("close", lambda c: c.close(Code.GONE, "x"), "00000007 930d cd03f3 a178"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "act", "expected"), GOLDEN, ids=[row[0] for row in GOLDEN])
def test_golden_bytes(name: str, act: Any, expected: str) -> None:
    client, _ = pair()
    act(client)
    assert client.take().hex() == expected.replace(" ", "")


def test_golden_greeting() -> None:
    client = Connection("client", max_body_bytes=7)
    client.hello({"token": "t"})
    data = client.take()
    assert data.hex() == (
        "00000026" "9201" "83" "a876657273696f6e73" "9101" "ae6d61785f626f64795f6279746573" "07" "a5746f6b656e" "a174"
    )  # fmt: skip
    server = Connection("server", max_body_bytes=9)
    assert server.receive(data) == [Greeted({"versions": [1], "max_body_bytes": 7, "token": "t"})]
    server.welcome({})
    assert server.take().hex() == "0000001c920282a776657273696f6e01ae6d61785f626f64795f627974657309"


def test_golden_stream() -> None:
    """A long body: announced, sent as far as its window goes, and on when the receiver asks."""
    client, server = pair()
    body = bytes(range(256)) * 2000
    client.request("m", {}, body)
    data = client.take()
    assert data[:17].hex() == "0000000d" "9503" "01" "a16d" "80" "9201" "ce0007d000"  # fmt: skip
    first = 17 + LENGTH.size
    assert data[17:first] == LENGTH.pack(INLINE_BYTES + 8)
    assert data[first : first + 8].hex() == "9307" "01" "c6" "00010000"  # fmt: skip
    events = server.receive(data)
    assert events[0] == Asked(1, "m", {}, Stream(1, len(body)))
    pieces = [event.data for event in events if isinstance(event, Received)]
    assert sum(map(len, pieces)) == WINDOW_BYTES
    server.grant(1, 1000)
    granted = server.take()
    assert granted.hex() == "00000006" "9308" "01" "cd03e8"  # fmt: skip
    assert client.receive(granted) == [Granted(1, 1000)]
    (more,) = server.receive(client.take())
    assert more == Received(1, body[WINDOW_BYTES : WINDOW_BYTES + 1000], False)


plain = st.recursive(
    st.none() | st.booleans() | st.integers(0, 1 << 50) | st.text(max_size=8) | st.binary(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)
facts = st.dictionaries(st.text(max_size=6), plain, max_size=3)
bodies = st.none() | st.binary(max_size=40) | st.integers(1, 5).map(lambda n: b"\7" * (n * INLINE_BYTES))
commands = st.one_of(
    st.tuples(st.just("request"), st.text(max_size=10), facts, bodies),
    st.tuples(st.just("notice"), st.text(max_size=10), facts),
    st.tuples(st.just("ping"), st.binary(max_size=32)),
)


@given(st.lists(commands, max_size=8), st.data())
def test_any_split_gives_the_same_events(told: list[Any], data: st.DataObject) -> None:
    client, server = pair()
    for name, *arguments in told:
        getattr(client, name)(*arguments)
    sent = client.take()
    _, other = pair()
    whole = other.receive(sent)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(sent)), max_size=12)))
    pieces = [sent[start:end] for start, end in zip([0, *cuts], [*cuts, len(sent)], strict=True)]
    assert [event for piece in pieces for event in server.receive(piece)] == whole
    assert server.take() == other.take()


def wholes(connection: Connection, taker: Bodies, data: bytes) -> list[wire.Event]:
    return [whole for event in connection.receive(data) for whole in taker.take(event)]


@given(st.lists(commands, max_size=6))
def test_what_is_asked_arrives(told: list[Any]) -> None:
    """Requests and their bodies, however long, and all of the answers."""
    client, server = pair()
    asked = [(method, given, body) for name, method, given, body in (each for each in told if each[0] == "request")]
    for each in asked:
        client.request(*each)
    takers = Bodies(server), Bodies(client)
    arrived: list[Asked] = []
    answered: list[Answered] = []
    for _ in range(200):
        to_server, to_client = client.take(), server.take()
        if not to_server and not to_client:
            break
        for whole in wholes(server, takers[0], to_server):
            if isinstance(whole, Asked):
                arrived.append(whole)
                assert not isinstance(whole.body, Stream)
                server.answer(whole.number, whole.parameters, whole.body)
        answered += [each for each in wholes(client, takers[1], to_client) if isinstance(each, Answered)]
    assert sorted(((each.method, each.parameters, each.body) for each in arrived), key=repr) == sorted(asked, key=repr)
    assert sorted(each.number for each in answered) == list(range(1, len(asked) + 1))
    assert all(asked[each.number - 1][2] == each.body for each in answered)


@given(st.binary(max_size=200), st.booleans(), st.sampled_from(["client", "server"]))
def test_garbage_ends_in_a_protocol_error_or_waits(data: bytes, framed: bool, role: str) -> None:
    client, server = pair()
    connection = client if role == "client" else server
    events = connection.receive((LENGTH.pack(len(data)) if framed else b"") + data)
    for event in events:
        assert isinstance(event, wire.Event)
        if isinstance(event, Failed):
            assert isinstance(event.error, ProtocolError)
            assert connection.state == "closed"
            (close,) = Connection.receive(pair()[0], connection.take())[-1:]
            assert isinstance(close, Ended)
            assert Code[event.error.code] == close.code


@given(st.lists(plain, min_size=1, max_size=6), st.integers(0, 15))
def test_any_message_is_an_event_or_a_protocol_error(items: list[Any], kind: int) -> None:
    for connection in pair():
        for event in connection.receive(
            LENGTH.pack(len(msgpack.packb([kind, *items]))) + msgpack.packb([kind, *items])
        ):
            assert isinstance(event, wire.Event)


BREACHES: list[tuple[str, bytes, Code]] = [
    ("no msgpack", LENGTH.pack(1) + b"\xc1", Code.MALFORMED),
    ("nothing", LENGTH.pack(0), Code.MALFORMED),
    ("more than one message", LENGTH.pack(2) + b"\x90\x90", Code.MALFORMED),
    ("no list", frame(Kind.PING, b"")[:4] + msgpack.packb("abc"), Code.MALFORMED),
    ("no such kind", frame(99), Code.MALFORMED),
    ("an extension", LENGTH.pack(5) + b"\x92\x0a\xd4\x01\x00", Code.MALFORMED),
    ("a time", LENGTH.pack(8) + b"\x92\x0a\xd6\xff\x00\x00\x00\x00", Code.MALFORMED),
    ("text that is no UTF-8", LENGTH.pack(5) + b"\x93\x0c\xa1\xff\x80", Code.MALFORMED),
    ("too few items", frame(Kind.REQUEST, 1, "m"), Code.MALFORMED),
    ("wrong types", frame(Kind.REQUEST, "1", "m", {}, None), Code.MALFORMED),
    ("true is no number", frame(Kind.CANCEL, True), Code.MALFORMED),
    ("a negative number", frame(Kind.CANCEL, -1), Code.MALFORMED),
    ("a number beyond 2^53", frame(Kind.CANCEL, 1 << 60), Code.MALFORMED),
    ("no body", frame(Kind.REQUEST, 1, "m", {}, "text"), Code.MALFORMED),
    ("a nonce that is too long", frame(Kind.PING, bytes(33)), Code.MALFORMED),
    ("a frame that is too long", LENGTH.pack(MAX_FRAME_BYTES + 1), Code.TOO_LARGE),
    ("a body inline that should be a stream", frame(Kind.REQUEST, 1, "m", {}, bytes(INLINE_BYTES + 1)), Code.TOO_LARGE),
    ("a body that is too long", frame(Kind.REQUEST, 1, "m", {}, [1, 5001]), Code.TOO_LARGE),
    ("a second greeting", frame(Kind.HELLO, {}), Code.UNEXPECTED),
    ("request numbers that do not grow", frame(Kind.REQUEST, 0, "m", {}, None), Code.UNEXPECTED),
    ("an answer to nothing", frame(Kind.RESULT, 1, {}, None), Code.UNEXPECTED),
    ("an error for nothing", frame(Kind.ERROR, 1, 2001, "", {}), Code.UNEXPECTED),
    ("data of no stream", frame(Kind.DATA, 1, b"x"), Code.UNEXPECTED),
    ("data of our own stream", frame(Kind.DATA, 2, b"x"), Code.UNEXPECTED),
    ("credit for no stream", frame(Kind.CREDIT, 2, 1), Code.UNEXPECTED),
    ("credit for their own stream", frame(Kind.CREDIT, 1, 1), Code.UNEXPECTED),
    ("a reset of no stream", frame(Kind.RESET, 1), Code.UNEXPECTED),
    ("a stream of the wrong side", frame(Kind.REQUEST, 1, "m", {}, [2, 9]), Code.UNEXPECTED),
    ("an empty stream", frame(Kind.REQUEST, 1, "m", {}, [1, 0]), Code.UNEXPECTED),
    ("more than was announced", frame(Kind.REQUEST, 1, "m", {}, [1, 2]) + frame(Kind.DATA, 1, b"abc"), Code.OVERRUN),
    ("an empty piece", frame(Kind.REQUEST, 1, "m", {}, [1, 2]) + frame(Kind.DATA, 1, b""), Code.OVERRUN),
]


@pytest.mark.parametrize(("data", "code"), [row[1:] for row in BREACHES], ids=[row[0] for row in BREACHES])
def test_breaches(data: bytes, code: Code) -> None:
    _, server = pair(max_body_bytes=5000)
    assert refusal_of(server, data) == code.name


def test_more_than_the_window() -> None:
    _, server = pair()
    data = frame(Kind.REQUEST, 1, "m", {}, [1, 2 * WINDOW_BYTES])
    data += frame(Kind.DATA, 1, bytes(INLINE_BYTES)) * (WINDOW_BYTES // INLINE_BYTES)
    assert not any(isinstance(event, Failed) for event in server.receive(data))
    assert refusal_of(server, frame(Kind.DATA, 1, b"x")) == "OVERRUN"


def test_credit_beyond_the_window() -> None:
    client, _ = pair()
    client.request("m", {}, bytes(2 * WINDOW_BYTES))
    assert refusal_of(client, frame(Kind.CREDIT, 1, WINDOW_BYTES + 1)) == "OVERRUN"


@pytest.mark.parametrize(
    ("message", "most"),
    [
        (lambda n: frame(Kind.REQUEST, n, "m", {}, None), MAX_REQUESTS),
        (lambda n: frame(Kind.REQUEST, n, "m", {}, [2 * n - 1, 9]), MAX_STREAMS),
    ],
    ids=["requests", "streams"],
)  # fmt: skip
def test_too_many_at_one_time(message: Any, most: int) -> None:
    _, server = pair()
    assert len(server.receive(b"".join(map(message, range(1, most + 1))))) == most
    assert refusal_of(server, message(most + 1)) == "TOO_MANY"


def test_ours_are_counted_before_they_are_sent() -> None:
    client, _ = pair()
    for _ in range(MAX_STREAMS):
        client.request("m", {}, 10)
    with pytest.raises(ValueError, match="too many streams"):
        client.request("m", {}, 10)
    for _ in range(MAX_REQUESTS - MAX_STREAMS):
        client.request("m", {})
    with pytest.raises(ValueError, match="too many requests"):
        client.request("m", {})


@pytest.mark.parametrize("body", [bytes(4000), bytes(100_000)], ids=["inline", "streams"])
def test_too_many_bytes_at_one_time(body: bytes) -> None:
    """Of requests that have no answer yet, whether their bodies are there or not. Their sender knows."""
    most = 3 * len(body)
    client, server = pair(max_open_bytes=most)
    numbers = [client.request("m", {}, body) for _ in range(3)]
    with pytest.raises(ValueError, match="at one time"):
        client.request("m", {}, b"x")
    server.receive(client.take())
    server.answer(numbers[0], {})
    client.receive(server.take())
    client.request("m", {}, body)
    assert not any(isinstance(event, Failed) for event in server.receive(client.take()))
    assert refusal_of(server, frame(Kind.REQUEST, 9, "m", {}, b"x")) == "TOO_MANY"


def test_a_body_that_the_other_side_does_not_take() -> None:
    client, _ = pair(max_body_bytes=INLINE_BYTES + 1)
    client.request("m", {}, bytes(INLINE_BYTES + 1))
    with pytest.raises(ValueError, match="takes 65,537 bytes at most"):
        client.request("m", {}, bytes(INLINE_BYTES + 2))


@pytest.mark.parametrize(
    ("data", "code"),
    [
        (frame(Kind.REQUEST, 1, "m", {}, None), "UNEXPECTED"),
        (frame(Kind.WELCOME, {}), "UNEXPECTED"),
        (frame(Kind.HELLO, {"versions": [2], "max_body_bytes": 1}), "VERSION"),
        (frame(Kind.HELLO, {"versions": 1, "max_body_bytes": 1}), "VERSION"),
        (frame(Kind.HELLO, {"versions": [1]}), "MALFORMED"),
        (frame(Kind.HELLO, {"versions": [1], "max_body_bytes": True}), "MALFORMED"),
        (LENGTH.pack(MAX_GREETING_BYTES + 1), "TOO_LARGE"),
    ],
    ids=["a request first", "a welcome", "another version", "no versions", "no bound", "no number", "too long"],
)
def test_greetings_that_are_none(data: bytes, code: str) -> None:
    assert refusal_of(Connection("server"), data) == code


def test_cancelling_resetting_and_what_comes_too_late() -> None:
    client, server = pair()
    number = client.request("m", {}, bytes(2 * WINDOW_BYTES))
    client.cancel(number)
    events = server.receive(client.take())
    assert events[-1] == Cancelled(number)
    server.reset(1)
    server.refuse(number, Code.CANCELLED, "so")
    client.push(1, b"")  # nothing
    assert client.receive(server.take()) == [Reset(1, True), Refused(number, 2010, "so", {})]
    client.cancel(number)
    assert client.take() == b""
    assert server.receive(frame(Kind.DATA, 1, b"late") + frame(Kind.CANCEL, number)) == []
    second = client.request("m", {}, bytes(2 * WINDOW_BYTES))
    client.reset(3)
    assert server.receive(client.take())[-1] == Reset(3, False)
    assert second == 2


def test_a_body_that_breaks_off_is_an_answer_all_the_same() -> None:
    client, server = pair()
    whole = Bodies(server), Bodies(client)
    number = client.request("m", {}, 2 * WINDOW_BYTES)
    client.reset(1)
    (asked,) = [each for event in server.receive(client.take()) for each in whole[0].take(event)]
    assert asked == Asked(number, "", {}, None)
    number = client.request("n", {})
    server.receive(client.take())
    server.answer(number, {}, 2 * WINDOW_BYTES)
    server.reset(2)
    (refused,) = [each for event in client.receive(server.take()) for each in whole[1].take(event)]
    assert isinstance(refused, Refused)
    assert refused.code == Code.WORKER_LOST  # nobody else breaks off an answer


def test_signs_of_life_and_the_end() -> None:
    client, server = pair()
    client.ping(b"12345678")
    assert server.receive(client.take()) == []
    assert client.receive(server.take()) == [Ponged(b"12345678")]
    server.notice("draining", {"a": 1})
    server.close(Code.DRAINING)
    server.close(Code.GONE)
    assert client.receive(server.take()) == [Noticed("draining", {"a": 1}), Ended(1009, "the daemon is about to stop")]
    assert client.state == server.state == "closed"
    client.ping(b"")
    assert client.take() == b""


def test_the_page_has_the_codes_the_kinds_and_the_methods() -> None:
    page = (Path(__file__).parents[2] / "docs" / "protocol.md").read_text("utf-8")
    rows = "\n".join(f"| {code:d} | {code.name} | {reason.text} |" for code, reason in REASONS.items())
    assert rows in page
    for kind in Kind:
        assert f"\n| {kind:d} {kind.name} |" in page
    for method in METHODS.keys() - {"abandon", "grant", "cut"}:  # which are between daemon and worker
        assert f"`{method}`" in page
    for bound in (MAX_FRAME_BYTES, MAX_GREETING_BYTES, INLINE_BYTES, WINDOW_BYTES, MAX_REQUESTS, MAX_STREAMS):
        assert f"{bound:,}" in page


def test_the_table_of_codes() -> None:
    assert set(REASONS) == set(Code)
    for code, reason in REASONS.items():
        error = error_of(code, "")
        assert type(error) is reason.error
        assert isinstance(error, RemoteError)
        assert (str(error), error.code) == (reason.text, code.name)
    unknown = error_of(4242, "")
    assert type(unknown) is RemoteError
    assert "4242" in str(unknown)


@pytest.mark.parametrize(
    ("method", "parameters", "code"),
    [
        ("close", {"sandbox": 1, "sound": True}, None),
        ("shut", {}, Code.UNKNOWN_METHOD),
        ("close", {"sandbox": 1}, Code.BAD_PARAMETERS),
        ("close", {"sandbox": True, "sound": True}, Code.BAD_PARAMETERS),
        ("close", {"sandbox": 1, "sound": 1}, Code.BAD_PARAMETERS),
        ("close", {"sandbox": -1, "sound": True}, Code.BAD_PARAMETERS),
        ("close", {"sandbox": 1, "sound": True, "more": 1}, Code.BAD_PARAMETERS),
        ("close", {b"sandbox": 1, "sound": True}, Code.BAD_PARAMETERS),
    ],
    ids=str,
)
def test_parameters(method: str, parameters: Any, code: Code | None) -> None:
    if code is None:
        check_parameters(method, parameters)
        return
    with pytest.raises(Refusal) as caught:
        check_parameters(method, parameters)
    assert caught.value.code is code
    assert len(METHODS) > 10
