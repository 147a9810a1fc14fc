"""What the tests of serving share: a program with a route for each behaviour, and every face that can ask it."""

from __future__ import annotations

from collections.abc import AsyncIterable, Awaitable, Callable
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Headers, Limits, Request, Response, Sandbox
from tests.serve.asgi import lifespan

PROGRAM = Path(__file__).with_name("program.js").read_text("utf-8")


class Client:
    """Dispatches requests to a sandbox of whatever face, and reads the answers."""

    def __init__(self, box: Sandbox | AsyncSandbox) -> None:
        self.box: Any = box

    async def ask(self, method: str, path: str, **more: Any) -> Response:
        """The response, unread."""
        headers = Headers(more.pop("headers", ()))
        budget = {name: more.pop(name) for name in ("timeout", "fuel") if name in more}
        request = Request(method, f"http://app.test{path}", headers, **more)
        answer = self.box.dispatch(request, **budget)
        return await answer if isinstance(self.box, AsyncSandbox) else answer  # type: ignore[no-any-return] # a Response

    async def text(self, method: str, path: str, **more: Any) -> str:
        return (await read(await self.ask(method, path, **more))).decode()

    async def eval(self, code: str) -> Any:
        answer = self.box.eval(code)
        return await answer if isinstance(self.box, AsyncSandbox) else answer

    async def until(self, code: str) -> bool:
        """Whether something becomes true in the guest within seconds."""
        with anyio.move_on_after(5):
            while not await self.eval(code):
                await anyio.sleep(0.005)
            return True
        return False


async def read(response: Response) -> bytes:
    return b"".join([chunk async for chunk in chunks_of(response)])


async def chunks_of(response: Response) -> AsyncIterable[bytes]:
    body = response.body
    if isinstance(body, bytes | str):
        assert isinstance(body, bytes)
        yield body
    elif isinstance(body, AsyncIterable):
        async for chunk in body:
            yield chunk
    else:
        for chunk in body:
            assert isinstance(chunk, bytes)
            yield chunk


async def first(response: Response) -> bytes:
    """The next chunk of a body that comes in chunks."""
    body: Any = response.body
    chunk: bytes = await anext(body) if hasattr(body, "__anext__") else next(body)
    return chunk


async def close(response: Response) -> None:
    body: Any = response.body
    await body.aclose() if hasattr(body, "aclose") else body.close()


@pytest.fixture
def served(face: str) -> Callable[..., Any]:
    """Run `work(client)` with a sandbox that runs the program, on each face."""

    def run(work: Callable[[Client], Awaitable[Any]], *, program: str = PROGRAM, **options: Any) -> Any:
        async def blocking() -> Any:
            with Sandbox(**options) as box:
                box.module(program, filename="program.js")
                return await work(Client(box))

        async def asynchronous() -> Any:
            async with AsyncSandbox(**options) as box:
                await box.module(program, filename="program.js")
                return await work(Client(box))

        if face == "blocking":
            return anyio.run(blocking)
        return anyio.run(asynchronous, backend=face)

    return run


@pytest.fixture
def is_blocking(face: str) -> bool:
    """Whether the face of this test is the blocking one."""
    return face == "blocking"


class App:
    """An application of the program, its sandbox, and what went wrong in it."""

    def __init__(self, program: str | None = PROGRAM, budget: dict[str, Any] | None = None, **options: Any) -> None:
        self.box = AsyncSandbox(**{"limits": Limits(cpu_seconds=0.25), **options})
        self.errors: list[BaseException] = []
        self.asgi = self.box.asgi(program, filename="program.js", on_error=self.errors.append, **(budget or {}))


async def until_guest(app: App, code: str) -> None:
    with anyio.fail_after(5):
        while not await app.box.eval(code):
            await anyio.sleep(0.005)


@pytest.fixture(params=["asyncio", "trio"])
def serving(request: pytest.FixtureRequest) -> Callable[..., None]:
    """Run `work(app)` while an application is up."""

    def run(work: Callable[[App], Awaitable[None]], **options: Any) -> None:
        async def main() -> None:
            app = App(**options)
            async with lifespan(app.asgi):
                await work(app)
            assert app.box.closed

        anyio.run(main, backend=request.param)

    return run
