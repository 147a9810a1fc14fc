"""Capabilities of the package: made when they are first asked for, and as good as if they had been there before."""

from __future__ import annotations

import pytest

from sandbox import MemoryFiles, Sandbox
from sandbox._built_in import LATE
from sandbox.errors import SandboxError

USES = {
    "timers": "await new Promise(done => setTimeout(done, 1)); 1",
    "random": "crypto.getRandomValues(new Uint8Array(4)).length",
    "modules": "(await import('a')).default",
    "fetch": "await fetch('http://a.test/').catch(() => 1)",
    "websocket": "await new Promise(done => { new WebSocket('ws://a.test/').onerror = done }); 1",
    "files": "(await (await getDirectory('/')).getFileHandle('a', {create: true})).name",
    "intl": "(1).toLocaleString('de')",
    "crypto": "(await crypto.subtle.generateKey('Ed25519', true, ['sign'])).privateKey.type",
}


def made(box: Sandbox) -> set[str]:
    return {each.stem for each in box._operations.granted._made}


@pytest.mark.parametrize("stem", sorted(LATE))
def test_each_goes_by_its_name(stem: str) -> None:
    with Sandbox() as box:
        capability = box._operations.granted.of(stem)
        assert capability is not None
        assert capability.stem == stem
        assert box._operations.granted.of(stem) is capability


@pytest.mark.parametrize("stem", USES)
def test_what_is_used_is_made(stem: str) -> None:
    with Sandbox(modules={"a": "export default 1"}, files=MemoryFiles()) as box:
        box.eval("1 + 1")
        assert made(box) == {"console"}
        box.eval(USES[stem])
        assert stem in made(box)


@pytest.mark.parametrize("stem", USES)
def test_what_was_made_in_a_run_is_set_back_with_it(stem: str) -> None:
    with Sandbox(modules={"a": "export default 1"}, files=MemoryFiles(), on_limit="rollback") as box:
        with pytest.raises(SandboxError) as caught:
            box.eval(f"globalThis.x = 1; {USES[stem]}; for (;;);", fuel=100_000_000)
        assert caught.value.rolled_back
        assert box.eval("typeof x") == "undefined"
        assert box.eval(USES[stem]) is not None


def test_none_is_made_when_all_are_closed() -> None:
    box = Sandbox()
    box.close()
    assert box._operations.granted.of("fetch") is None


def test_snapshots_say_the_same_whatever_was_made() -> None:
    with Sandbox(seed=1) as box, Sandbox(seed=1) as other:
        for stem in LATE:
            other._operations.granted.of(stem)
        assert list(box._operations.save({})["capabilities"].items()) == list(
            other._operations.save({})["capabilities"].items()
        )
