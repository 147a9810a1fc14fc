"""What people who come from other daemons expect of namespaces: in this process, and behind a daemon."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import anyio
import pytest

import sandbox
from sandbox import Limits, Namespaces, Pool, Remote, Request, Sandbox
from sandbox.errors import JSError, NamespaceInUse, PoolTimeout, SandboxClosed, SandboxPoisoned, WallLimitExceeded
from sandbox.remote.books import Bounds
from sandbox.remote.errors import ConnectionLost, DaemonFull, NamespaceLost, RemoteError
from tests.remote.daemons import running
from tests.remote.test_daemon import until

if TYPE_CHECKING:
    from sandbox.modules import Importer

Take = Callable[..., AbstractContextManager[Sandbox]]
"""Gives the namespace of a name, for one use with some options."""


class Here:
    """Namespaces of this process, whose options are those of their pool."""

    def __init__(self, options: dict[str, Any]) -> None:
        self.pool = Pool(size=2, warm=0, **options)
        self.kept = Namespaces(self.pool, most=2)
        self.take: Take = self.kept.take

    def names(self) -> list[str]:
        return sorted(self.kept.names())


class There:
    """Namespaces of a daemon, whose options are those of each use."""

    def __init__(self, remote: Remote, options: dict[str, Any]) -> None:
        self._remote, self._options = remote, options

    def take(self, name: str) -> AbstractContextManager[Sandbox]:
        return self._remote.namespace(name, **self._options)

    def names(self) -> list[str]:
        return sorted(self._remote.names())


Spaces = Callable[..., "Here | There"]


@pytest.fixture(params=["here", "there"])
def spaces(request: pytest.FixtureRequest) -> Iterator[Spaces]:
    """Makes namespaces of which two are kept at most."""
    made: list[Here] = []

    def make_here(**options: Any) -> Here:
        made.append(Here(options))
        return made[-1]

    if request.param == "here":
        yield make_here
        for each in made:
            each.pool.close()
        return
    folder = request.getfixturevalue("tmp_path")
    with running(folder / "s", bounds=Bounds(namespaces=2)) as daemon, sandbox.connect(daemon.address) as remote:
        yield lambda **options: There(remote, options)


def test_a_namespace_goes_on_without_what_was_planned_and_counted(spaces: Spaces) -> None:
    told: list[str] = []
    kept = spaces(clock="virtual", console=lambda entry: told.append(entry.text))
    with kept.take("shop") as box:
        box.eval("""
            globalThis.stock = {tea: 3};
            globalThis.fired = 0;
            serve({fetch: (request) => new Response(`${stock.tea} left, ${request.method}`)});
            for (let i = 0; i < 3; i++) console.count("visits");
            setTimeout(() => fired++, 1000);
            0
        """)
    assert kept.names() == ["shop"]

    with kept.take("shop") as box:
        assert box.eval("stock.tea") == 3
        assert box.dispatch(Request("GET", "http://shop/")).body == b"3 left, GET"
        box.eval("console.count('visits')")
        box.run_until_idle()
        box.tick(5000)
        assert box.eval("fired") == 0
    assert told[:3] == ["visits: 1", "visits: 2", "visits: 3"]
    assert len(told) == 4


def test_modules_are_loaded_once_for_all_uses_of_a_namespace(spaces: Spaces) -> None:
    asked: list[str] = []

    def load(specifier: str, importer: Importer) -> str:
        asked.append(specifier)
        if asked.count("late") == 1 and specifier == "late":
            raise LookupError("not yet")
        return f"export let loads = {asked.count(specifier)}; export const add = () => ++loads"

    kept = spaces(modules=load)
    with kept.take("a") as box:
        assert box.module("import {add} from 'kept'; export default add()")["default"] == 2
        with pytest.raises(JSError, match="not yet"):
            box.module("import 'late'")
    with kept.take("a") as box:
        assert box.module("import {loads} from 'kept'; export default loads")["default"] == 2
        assert box.module("import {loads} from 'late'; export default loads")["default"] == 2
        assert box.module("import {loads} from 'kept?second'; export default loads")["default"] == 1
    assert asked == ["kept", "late", "late", "kept?second"]


def test_one_use_at_a_time_and_any_name(spaces: Spaces) -> None:
    kept = spaces()
    with kept.take("") as box, kept.take("b") as other:
        assert [each.eval("globalThis.n = 1") for each in (box, other)] == [1, 1]
        for name in ("", "b"):
            with pytest.raises(NamespaceInUse, match=repr(name)):
                kept.take(name).__enter__()
    with kept.take("") as box:
        assert box.eval("n") == 1
    assert kept.names() == ["", "b"]


def test_what_ran_out_of_time_is_not_used_again(spaces: Spaces) -> None:
    async def never() -> None:
        await anyio.sleep_forever()

    options: dict[str, Any] = {"functions": {"never": never}, "on_limit": "poison"}
    kept = spaces(**options, limits=Limits(wall_seconds=0.5))
    with kept.take("a") as box:
        box.eval("globalThis.n = 1")
    with kept.take("a") as box:
        with pytest.raises(WallLimitExceeded):
            box.eval("n = 2; await never()")
        with pytest.raises(SandboxPoisoned, match="make a new one"):
            box.eval("n")
    with kept.take("a") as box:
        assert box.eval("n") == 1
    with kept.take("new") as box, pytest.raises(WallLimitExceeded):
        box.eval("await never()")
    assert kept.names() == ["a"]


def test_beyond_what_is_kept_the_oldest_goes_and_begins_anew(spaces: Spaces) -> None:
    kept = spaces()
    for name in "abc":
        with kept.take(name) as box:
            box.eval("globalThis.n = 1")
    assert kept.names() == ["b", "c"]
    with kept.take("a") as box:
        assert box.eval("typeof n") == "undefined"


def test_no_more_at_a_time_than_there_is_room_for() -> None:
    pool = Pool(size=2, warm=0, timeout=0.01)
    with pool, Namespaces(pool) as kept, kept.take("a"), kept.take("b"), pytest.raises(PoolTimeout), kept.take("c"):
        raise AssertionError
    with (
        running(bounds=Bounds(sandboxes=2), tokens={"t" * 16: "ada"}) as full,
        sandbox.connect(full.address, token="t" * 16) as remote,
        remote.namespace("a") as first,
        remote.namespace("b") as second,
    ):
        assert [box.eval("1") for box in (first, second)] == [1, 1]
        with pytest.raises(DaemonFull, match="2"), remote.namespace("c") as third:
            third.eval("1")
        assert first.eval("2") == 2


def test_a_client_that_went_away_harms_nobody_afterwards(tmp_path: Path) -> None:
    with running(tmp_path / "s") as daemon, sandbox.connect(daemon.address) as other:
        with other.namespace("n") as box:
            box.eval("globalThis.n = 1")
        gone = sandbox.connect(daemon.address)
        with gone:
            plain, loan = gone.sandbox(), gone.namespace("n")
            plain.__enter__().eval("1")
            loan.__enter__().eval("n = 2")
            gone.close()
        until(lambda: not daemon.counts()["sandboxes"])
        with pytest.raises(NamespaceLost), other.namespace("n"):
            raise AssertionError
        with other.namespace("n", restore=True) as box:
            with pytest.raises(RemoteError):
                loan.__exit__(None, None, None)
            plain.__exit__(None, None, None)
            assert box.eval("++n") == 2
        with other.namespace("n") as box:
            assert box.eval("n") == 2
        with pytest.raises((ConnectionLost, SandboxClosed)), gone.namespace("n"):
            raise AssertionError
