"""What the tests of fetch share: a server, its certificate, and sandboxes on every face."""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import anyio
import pytest
import trustme

from sandbox import AsyncSandbox, Sandbox
from tests.fetch.servers import hypercorn

FACES = ("blocking", "asyncio", "trio")


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    """A certificate authority that nobody else trusts."""
    return trustme.CA()


@pytest.fixture(scope="session")
def trusting(authority: trustme.CA) -> ssl.SSLContext:
    """What trusts it."""
    context = ssl.create_default_context()
    authority.configure_trust(context)
    return context


@pytest.fixture(scope="session")
def plain_server() -> Iterator[int]:
    """The port of a server for HTTP/1.1."""
    with hypercorn() as port:
        yield port


@pytest.fixture(scope="session")
def secure_server(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """The port of a server for HTTP/2, named localhost."""
    path: Path = tmp_path_factory.mktemp("certificate") / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
    with hypercorn(path) as port:
        yield port


@pytest.fixture(params=FACES)
def run(request: pytest.FixtureRequest) -> Callable[..., Any]:
    """Evaluate code in a sandbox of each face."""
    face: str = request.param

    def evaluate(code: str, **options: Any) -> Any:
        if face == "blocking":
            with Sandbox(**options) as box:
                return box.eval(code)

        async def main() -> Any:
            async with AsyncSandbox(**options) as box:
                return await box.eval(code)

        return anyio.run(main, backend=face)

    return evaluate
