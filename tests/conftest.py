"""What every test may rely on: nothing of it is left behind, and the guest is the one that was built from this tree."""

from __future__ import annotations

import gc
import os
import ssl
import sys
import threading
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any, get_args

import pytest
import trustme
from hypothesis import settings

from sandbox._instance import Instance
from sandbox.limits import Metering
from tests.crash_report import pytest_configure_node, pytest_sessionstart, pytest_terminal_summary
from tests.faces import FACES, evaluate
from tests.later_lives import same, signed, written
from tests.left_out import pytest_collection, pytest_collection_finish, pytest_runtest_logstart, pytest_sessionfinish
from tests.remote import everywhere

if TYPE_CHECKING:
    from sandbox import Snapshot

__all__ = [
    "pytest_collection",
    "pytest_collection_finish",
    "pytest_configure_node",
    "pytest_runtest_logstart",
    "pytest_sessionfinish",
    "pytest_sessionstart",
    "pytest_terminal_summary",
]

# Also where the environment asks for none: the tests are compiled by each worker otherwise, and this package by each of
# the many processes they start.
sys.dont_write_bytecode = False
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)

# Of all property tests: the same examples every time, and no deadline that a busy machine could miss.
settings.register_profile("deterministic", deadline=None, derandomize=True)
settings.load_profile("deterministic")

_live: set[int] = set()
_init: Callable[..., None] = Instance.__init__
_close: Callable[..., None] = Instance.close
_del: Callable[[Instance], None] = Instance.__del__


def _counting_init(self: Instance, *args: Any, **options: Any) -> None:
    _init(self, *args, **options)
    _live.add(id(self))


def _counting_close(self: Instance, **options: Any) -> None:
    _close(self, **options)
    _live.discard(id(self))


def _counting_del(self: Instance) -> None:
    _del(self)
    _live.discard(id(self))


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """With `-m alone`, import only files that have such tests: to import all of them takes as long as these do."""
    if config.option.markexpr != "alone" or collection_path.suffix != ".py":
        return None
    return None if "mark.alone" in collection_path.read_text("utf-8") else True


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Such a test in another file would never run."""
    for path in {item.path for item in items if item.get_closest_marker("alone")}:
        if "mark.alone" not in path.read_text("utf-8"):
            raise pytest.UsageError(f"{path} has tests that run alone, and does not say `mark.alone` itself")


@pytest.fixture(autouse=True, scope="session")
def _count_instances() -> Iterator[None]:
    """Count the instances that were made and not freed."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Instance, "__init__", _counting_init)
        patch.setattr(Instance, "close", _counting_close)
        patch.setattr(Instance, "__del__", _counting_del)
        yield


@pytest.fixture(autouse=True, scope="session")
def _elsewhere() -> Iterator[None]:
    """With SANDBOX_REMOTE, every sandbox is one of a daemon's."""
    if not everywhere.IS_WANTED:
        yield
        return
    with everywhere.everywhere():
        yield


@pytest.fixture(autouse=True)
def _nothing_is_left() -> Iterator[None]:
    """Fail a test that leaves an instance or a thread behind that would keep the process alive."""
    instances, threads = set(_live), set(threading.enumerate())
    yield
    if _live - instances:
        gc.collect()
    # A test's event loop may end after this fixture, and its idle threads with it.
    left = [thread for thread in threading.enumerate() if thread not in threads]
    of_loops = [thread for thread in left if thread.name.startswith("AnyIO worker")]
    if _live - instances:
        for thread in of_loops:
            thread.join(2)  # it may not have let go yet of what it did last
        gc.collect()
    assert not _live - instances, "an instance is still alive"
    assert not [thread for thread in left if not thread.daemon and thread not in of_loops], "a thread is still alive"


@pytest.fixture(params=get_args(Metering))
def metering(request: pytest.FixtureRequest) -> Metering:
    """What holds under one way of metering holds under the other."""
    way: Metering = request.param
    return way


@pytest.fixture(params=["asyncio", "trio"])
def anyio_backend(request: pytest.FixtureRequest) -> str:
    """Every asynchronous test runs on both event loops."""
    backend: str = request.param
    return backend


@pytest.fixture(params=FACES)
def face(request: pytest.FixtureRequest) -> str:
    """What holds on one face holds on the others."""
    name: str = request.param
    return name


@pytest.fixture
def run(face: str) -> Callable[..., Any]:
    """Evaluate code in a sandbox of each face."""
    return partial(evaluate, face)


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
def certificate(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A file with what a server needs that is named localhost."""
    path: Path = tmp_path_factory.mktemp("certificate") / "server.pem"
    authority.issue_cert("localhost").private_key_and_cert_chain_pem.write_to_path(str(path))
    return path


@pytest.fixture(params=[same, written, signed], ids=["kept", "bytes", "signed"])
def carry(request: pytest.FixtureRequest) -> Callable[[Snapshot], Snapshot]:
    """The ways in which a snapshot gets to where it is restored."""
    way: Callable[[Snapshot], Snapshot] = request.param
    return way
