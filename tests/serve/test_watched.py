"""Requests to the guest under hooks, call limits and logs: what a program says and asks of them are calls."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any

import anyio
import anyio.lowlevel
import pytest

from sandbox import AsyncSandbox, AuditLog, Call, CallLimits, Deny, JSError, Limits
from sandbox.errors import CallLimitExceeded, WallLimitExceeded
from tests.serve.asgi import ask, lifespan, session, until, websocket
from tests.serve.conftest import PROGRAM, Client, close, first, read

Served = Callable[..., Any]


def plain(_call: Call) -> None:
    """A hook that lets everything be."""


async def slow(_call: Call) -> None:
    await anyio.lowlevel.checkpoint()


HOOKS: dict[str, dict[str, Any]] = {
    "before": {"on_call": plain},
    "before, later": {"on_call": slow},
    "after": {"on_result": plain},
    "after, later": {"on_result": slow},
    "all": {"on_call": {"*": slow, "serve.closed": slow}, "on_result": {"*": slow, "serve.closed": slow}},
}


def test_calls_have_names(served: Served) -> None:
    seen: list[tuple[int, str, list[Any]]] = []

    async def work(client: Client) -> None:
        assert await client.text("POST", "/echo", body=iter([b"ab", b"c"])) == "abc"
        assert await client.text("GET", "/stream") == "onetwothree"
        await client.text("GET", "/cookies")

    served(work, on_call=lambda call: seen.append((call.run, call.name, call.arguments)))
    runs = list(dict.fromkeys(run for run, _, _ in seen))
    calls = [[(name, arguments[1:]) for each, name, arguments in seen if each == run] for run in runs]
    assert [Counter(name for name, _ in each) for each in calls] == [
        {"serve.read": 3, "serve.respond": 1},
        {"serve.respond": 1, "serve.write": 4},
        {"serve.respond": 1},
    ]
    assert calls[1] == [
        ("serve.respond", [{"status": 200, "statusText": "", "headers": {}, "body": True}]),
        *(("serve.write", [chunk]) for chunk in (b"one", b"two", b"three", None)),
    ]
    assert calls[2][0][1][0]["headers"]["set-cookie"] == "a=1, b=2, c=3"


@pytest.mark.parametrize("hooks", HOOKS.values(), ids=HOOKS)
def test_the_same_as_without(served: Served, hooks: dict[str, Any]) -> None:
    async def work(client: Client) -> list[Any]:
        answers: list[Any] = [
            await client.text("POST", "/count", body=iter([bytes(10_000)] * 7)),
            await client.text("POST", "/later", body=iter([b"a", b"b"])),
            await client.text("GET", "/stream"),
            await client.text("GET", "/slow?10"),
        ]
        response = await client.ask("GET", "/breaks")
        with pytest.raises(JSError, match="broken off"):
            await read(response)
        response = await client.ask("GET", "/endless")
        await first(response)
        await close(response)
        # What is left of a run is told in the turns of the next one that waits.
        answers.append(
            await client.until("await new Promise(done => setTimeout(done, 1)); seen.cancelled === 'AbortError'")
        )
        return answers

    plainly = served(work)
    assert served(work, **hooks) == plainly
    assert plainly == ['{"bytes":70000,"largest":10000}', "ab", "onetwothree", "10", True]


def test_what_is_plumbing_is_seen_by_its_name_only(served: Served) -> None:
    seen: list[str] = []
    everything: list[str] = []

    async def work(client: Client) -> None:
        response = await client.ask("GET", "/endless")
        await first(response)
        await close(response)
        assert await client.until("seen.cancelled === 'AbortError'")

    served(
        work,
        on_call={"serve.closed": lambda call: seen.append(call.name), "*": lambda call: everything.append(call.name)},
    )
    assert seen == ["serve.closed"]
    assert set(everything) == {"serve.respond", "serve.write"}


@pytest.mark.parametrize(
    ("name", "path", "body"), [("respond", "/hello", b""), ("read", "/echo", True), ("respond", "/stream", b"")]
)
def test_a_denial_is_the_programs(served: Served, name: str, path: str, body: Any) -> None:
    async def work(client: Client) -> None:
        with pytest.raises(JSError, match=f"serve.{name}: not here") as caught:
            await client.ask("POST", path, body=iter([b"x"]) if body else b"")
        assert caught.value.name == "NotAllowedError"

    served(work, on_call={f"serve.{name}": lambda call: Deny("not here")})


def test_a_denied_chunk_breaks_a_response_off(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        assert await first(response) == b"one"
        with pytest.raises(JSError, match=r"serve.write: no two"):
            await read(response)
        assert await client.text("GET", "/counter") == "1"

    served(work, on_call={"serve.write": lambda call: Deny("no two") if call.arguments[1] == b"two" else None})


def test_what_a_hook_raises_is_the_embedders(served: Served) -> None:
    def refuse(call: Call) -> None:
        if call.outcome == "value":
            raise KeyError("of the embedder")

    async def refuse_later(call: Call) -> None:
        refuse(call)

    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        with pytest.raises(KeyError, match="of the embedder"):
            await read(response)
        assert await client.text("GET", "/counter") == "1"

    for hook in (refuse, refuse_later):
        served(work, on_result={"serve.write": hook})


def test_limits_of_calls(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        with pytest.raises(CallLimitExceeded, match="write") as caught:
            await read(response)
        assert (caught.value.limit, caught.value.used, caught.value.op) == (2, 3, "serve.write")
        response = await client.ask("GET", "/stream")
        assert await first(response) == b"one", "each request has its own"

    served(work, call_limits={"serve.write": CallLimits(calls=2)})


def test_time_spent_waiting_for_the_client_is_none_of_the_hosts(served: Served) -> None:
    seen: list[Call] = []

    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        await anyio.sleep(0.05)
        assert await read(response) == b"onetwothree"

    served(work, on_result={"serve.write": seen.append}, call_limits={"*": CallLimits(seconds=0.02, timeout=0.02)})
    assert max(call.wall_seconds for call in seen) >= 0.05
    assert sum(call.host_seconds for call in seen) < 0.02


@pytest.mark.parametrize("hooks", HOOKS.values(), ids=HOOKS)
def test_every_call_has_an_end(served: Served, hooks: dict[str, Any]) -> None:
    log = AuditLog(ops=["*", "serve.closed", "serve.lost"], keep=10_000)

    async def work(client: Client) -> None:
        response = await client.ask("GET", "/endless")
        await first(response)
        await close(response)
        response = await client.ask("GET", "/paused", timeout=0.08)
        with pytest.raises(WallLimitExceeded):
            await read(response)
        with pytest.raises(JSError):
            await client.ask("GET", "/throws")
        await client.ask("GET", "/stream")

    served(work, audit=log, **hooks)
    entries = list(log)
    begun = {entry.call for entry in entries if entry.event == "call" and entry.name.startswith("serve.")}
    ended = Counter(entry.call for entry in entries if entry.event == "result" and entry.name.startswith("serve."))
    assert begun
    assert ended == dict.fromkeys(begun, 1)


def test_a_rollback(served: Served) -> None:
    async def work(client: Client) -> None:
        response = await client.ask("GET", "/stream")
        assert await first(response) == b"one"
        with pytest.raises(Exception, match="CPU"):
            await client.text("GET", "/spins")
        with pytest.raises(Exception, match=r"rolled back|undone"):
            await read(response)
        assert await client.text("POST", "/echo", body=iter([b"ab"])) == "ab"

    served(work, limits=Limits(cpu_seconds=0.2), on_limit="rollback", **HOOKS["all"])


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_an_application(backend: str) -> None:
    log = AuditLog()

    async def main() -> None:
        app = AsyncSandbox(audit=log, **HOOKS["all"]).asgi(PROGRAM)
        async with lifespan(app):
            status, _, body = await ask(app, "POST", "/echo", b"a", b"b")
            assert (status, body) == (200, b"ab")
            async with session(app, websocket()) as one:
                await one.say("websocket.connect")
                assert (await one.hear())["type"] == "websocket.accept"
                await one.say("websocket.receive", text="hi")
                assert await one.hear() == {"type": "websocket.send", "text": "hi"}
                await one.say("websocket.receive", text="close")
                assert (await one.hear())["code"] == 4001
                await until(lambda: one.is_done)

    anyio.run(main, backend=backend)
    names = Counter(entry.name for entry in log if entry.event == "call")
    assert {name: names[name] for name in ("serve.respond", "serve.send", "serve.close")} == {
        "serve.respond": 2,
        "serve.send": 1,
        "serve.close": 1,
    }
    assert names["serve.read"] >= 2
    assert "serve.lost" not in names
