"""Many tenants behind FastAPI: each has a script, and each request a fresh sandbox that begins with it loaded.

    python -m examples.tenants

It serves itself for a moment on a port of this machine, asks itself, and ends. `app` is an ordinary application.
"""

from __future__ import annotations

import json
import threading
import time
import urllib.error
import urllib.request
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager
from typing import Any

import uvicorn
from fastapi import FastAPI, HTTPException

from sandbox import JSError, Limits, Pool, SandboxError, Template

SCRIPTS = {
    "acme": "function quote(order) { return {total: order.count * 4.25 * (order.count >= 10 ? 0.9 : 1)} }",
    "globex": "let calls = 0; function quote(order) { calls++; return {total: order.count * 5, calls} }",
    "initech": "function quote(order) { for (;;); }",
}
LIMITS = Limits(cpu_seconds=0.1, wall_seconds=1, memory_bytes=16 << 20)


@asynccontextmanager
async def lifespan(app: FastAPI) -> AsyncIterator[None]:
    with ExitStack() as stack:
        app.state.pools = {
            tenant: stack.enter_context(Pool(Template(script, limits=LIMITS), size=8))
            for tenant, script in SCRIPTS.items()
        }
        yield


app = FastAPI(lifespan=lifespan)


@app.post("/{tenant}/quote")
async def quote(tenant: str, order: dict[str, Any]) -> Any:  # noqa: ANN401 - what a tenant's script gives
    pool = app.state.pools.get(tenant)
    if pool is None:
        raise HTTPException(404, "no such tenant")
    try:
        async with pool.take() as box:
            return await box.call("quote", order)
    except JSError as error:
        raise HTTPException(422, f"the script of {tenant} failed: {error.message}") from None
    except SandboxError as error:
        raise HTTPException(503, f"the script of {tenant} was stopped: {type(error).__name__}") from None


def ask(port: int, tenant: str, count: int) -> str:
    request = urllib.request.Request(
        f"http://127.0.0.1:{port}/{tenant}/quote",
        json.dumps({"count": count}).encode(),
        {"Content-Type": "application/json"},
    )
    try:
        with urllib.request.urlopen(request) as response:  # noqa: S310 - likewise
            return f"{response.status} {response.read().decode()}"
    except urllib.error.HTTPError as error:
        with error:
            return f"{error.code} {error.read().decode()}"


def main() -> None:
    server = uvicorn.Server(uvicorn.Config(app, host="127.0.0.1", port=0, log_level="error"))
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    port = server.servers[0].sockets[0].getsockname()[1]
    for tenant, count in [("acme", 2), ("acme", 20), ("globex", 3), ("globex", 3), ("initech", 1), ("nobody", 1)]:
        print(f"{tenant} {count}: {ask(port, tenant, count)}")
    server.should_exit = True
    thread.join()


if __name__ == "__main__":
    main()
