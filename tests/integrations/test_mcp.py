"""`sandbox mcp`, as a client of the SDK sees it: in a process of its own, over standard input and output."""

from __future__ import annotations

import sys
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest

from sandbox import Limits, MemoryFiles, Sandbox
from sandbox.cli import main

pytest.importorskip("mcp")

from mcp import Client, StdioServerParameters

from sandbox.integrations.mcp import make_server


@asynccontextmanager
async def connected(*flags: str) -> AsyncIterator[Client]:
    server = StdioServerParameters(command=sys.executable, args=["-m", "sandbox", "mcp", *flags])
    with anyio.fail_after(50):
        async with Client(server) as client:
            yield client


async def call(client: Client, name: str, **arguments: Any) -> dict[str, Any]:
    result = await client.call_tool(name, arguments)
    assert not result.is_error, result.content
    told = result.structured_content
    assert isinstance(told, dict)
    return told


async def failure(client: Client, name: str, **arguments: Any) -> str:
    result = await client.call_tool(name, arguments)
    assert result.is_error
    return " ".join(getattr(each, "text", "") for each in result.content)


async def names(client: Client) -> Sequence[str]:
    return [tool.name for tool in (await client.list_tools()).tools]


def test_over_standard_input_and_output() -> None:
    async def talk() -> None:
        async with connected("--files", "--sessions", "2", "--cpu", "300ms", "--max-bytes", "500") as client:
            assert await names(client) == [
                "run",
                "session_create",
                "session_eval",
                "session_list",
                "session_close",
                "files_list",
                "files_read",
                "files_write",
            ]
            told = await call(
                client, "run", code="console.log('hi'); await Promise.resolve([1, {a: new Map([[1, 2]])}])"
            )
            assert told["ok"] is True
            assert told["value"] == [1, {"a": [[1, 2]]}]
            assert told["console"] == ["hi"]

            told = await call(client, "run", code="const a = 1;\nnope.x")
            assert told["ok"] is False
            assert told["error"]["type"] == "ReferenceError"
            assert "> 2 | nope.x" in told["error"]["code"]

            told = await call(client, "run", code="for (;;);")
            assert told["error"]["type"] == "CpuLimitExceeded"

            told = await call(client, "run", code="console.log('y'.repeat(5000)); 'x'.repeat(5000)")
            assert told["truncated"] is True
            assert told["value"].startswith("x" * 400)
            assert told["value"].endswith(" more characters)")

            one = (await call(client, "session_create"))["session"]
            two = (await call(client, "session_create"))["session"]
            assert "2 sessions are open" in await failure(client, "session_create")
            await call(client, "session_eval", session=one, code="let n = 41")
            assert (await call(client, "session_eval", session=one, code="n + 1"))["value"] == 42
            told = await call(client, "session_eval", session=two, code="typeof n")
            assert told["value"] == "undefined"
            listed = (await call(client, "session_list"))["sessions"]
            assert [each["session"] for each in listed] == [one, two]
            assert [each["runs"] for each in listed] == [2, 1]
            await call(client, "session_close", session=one)
            assert "there is no session" in await failure(client, "session_eval", session=one, code="1")

            assert (await call(client, "files_write", path="/files/a/b.txt", text="hello"))["bytes"] == 5
            code = "const fs = await import('node:fs/promises'); await fs.writeFile('/files/c', 'C'.repeat(800)); "
            told = await call(client, "run", code=code + "await fs.readFile('/files/a/b.txt', 'utf8')")
            assert told["value"] == "hello"
            assert (await call(client, "files_list"))["files"] == {"a/b.txt": 5, "c": 800}
            assert await call(client, "files_read", path="c") == {"text": "C" * 500, "bytes": 500, "next_offset": 500}
            assert await call(client, "files_read", path="c", offset=500) == {"text": "C" * 300, "bytes": 300}

    anyio.run(talk)


WRONG_PATHS = ["", "/", "../x", "a/../b", "a//b", "a\0b", "x" * 300, "/files", "\ud800", "missing"]


def test_in_process() -> None:
    async def talk() -> None:
        server = make_server({"limits": Limits(cpu_seconds=1)}, files=MemoryFiles(quota_bytes=1000), max_sessions=0)
        async with Client(server) as client:
            assert await names(client) == ["run", "files_list", "files_read", "files_write"]
            for path in WRONG_PATHS[:-2]:
                assert await failure(client, "files_read", path=path)
                assert await failure(client, "files_write", path=path, text="x")
            assert "missing" in await failure(client, "files_read", path="missing")
            assert "ENOSPC" in await failure(client, "files_write", path="a", text="x" * 2000)
            assert (await call(client, "files_list"))["files"] == {}

    anyio.run(talk)


def test_without_grants_there_are_none() -> None:
    async def talk() -> None:
        async with Client(make_server(max_sessions=0)) as client:
            assert await names(client) == ["run"]
            told = await call(client, "run", code="await import('node:fs/promises')")
            assert told["ok"] is False
            told = await call(client, "run", code="await fetch('https://example.com/')")
            assert told["error"]["type"] == "TypeError"

    anyio.run(talk)


def test_programs_may_be_typescript() -> None:
    async def talk() -> None:
        async with Client(make_server(language="ts")) as client:
            [run, *_] = (await client.list_tools()).tools
            assert "Run TypeScript in a sandbox" in (run.description or "")
            assert (await call(client, "run", code="const a: number = 2; a as any"))["value"] == 2
            told = await call(client, "run", code="let a: number = 1;\n(a as any).b.c")
            assert "program.ts:2:" in told["error"]["code"]
            session = (await call(client, "session_create"))["session"]
            assert (await call(client, "session_eval", session=session, code="1 as number"))["value"] == 1

    anyio.run(talk)


def test_a_session_that_computes_can_be_closed() -> None:
    async def talk() -> None:
        async with Client(make_server({"limits": Limits(cpu_seconds=30)})) as client:
            session = (await call(client, "session_create"))["session"]
            results: list[Any] = []

            async def compute() -> None:
                results.append(await client.call_tool("session_eval", {"session": session, "code": "for (;;);"}))

            async with anyio.create_task_group() as tasks:
                tasks.start_soon(compute)
                while True:
                    listed = (await call(client, "session_list"))["sessions"]
                    if listed and listed[0]["runs"]:
                        break
                await call(client, "session_close", session=session)
            assert (await call(client, "session_list"))["sessions"] == []
            assert results[0].is_error or results[0].structured_content["error"]["type"] == "RunInterrupted"

    with anyio.from_thread.start_blocking_portal() as portal:
        portal.call(talk)


@pytest.mark.parametrize(
    ("options", "kind", "text"),
    [
        ({"options": {"console": print}}, TypeError, "console"),
        ({"options": {"nope": 1}}, TypeError, "nope"),
        ({"max_sessions": -1}, ValueError, "max_sessions"),
        ({"max_bytes": 5}, ValueError, "max_bytes"),
        ({"language": "c"}, ValueError, "language"),
        ({"options": {"files": {"/files": MemoryFiles()}}, "files": MemoryFiles()}, ValueError, "/files"),
        ({"options": {"files": MemoryFiles()}, "files": MemoryFiles()}, TypeError, "mapping"),
    ],
)
def test_options_that_make_no_sense(options: dict[str, Any], kind: type[Exception], text: str) -> None:
    with pytest.raises(kind, match=text):
        make_server(**options)


def test_without_the_library(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delitem(sys.modules, "sandbox.integrations.mcp")
    monkeypatch.setitem(sys.modules, "mcp.server", None)
    assert main(["mcp"]) == 2
    assert "pip install 'quickjs-sandbox[mcp]'" in capsys.readouterr().err
    with Sandbox() as box:
        assert box.eval("1") == 1
