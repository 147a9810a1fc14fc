"""Templates: what sandboxes begin with, what they have for themselves, and that they go where snapshots go."""

from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import anyio
import pytest

from sandbox import AsyncSandbox, Capability, Limits, MemoryFiles, Sandbox, Snapshot, Template
from sandbox.errors import JSError, SnapshotError


def shout(text: str) -> str:
    return text.upper() + "!"


def test_each_sandbox_begins_anew() -> None:
    template = Template("let count = 0; const next = () => ++count; globalThis.list = []")

    for _ in range(5):
        with template.spawn() as box:
            assert [box.call("next"), box.call("next")] == [1, 2]
            assert box.eval("list.push(1)") == 1


def test_the_set_up_runs_once() -> None:
    ran: list[str] = []
    template = Template("note('set up')", functions={"note": ran.append})

    for _ in range(3):
        with template.spawn() as box:
            box.eval("note('use')")

    assert ran == ["set up", "use", "use", "use"]


@pytest.mark.parametrize("backend", ["asyncio", "trio"])
def test_on_the_asynchronous_face(backend: str) -> None:
    async def answer() -> str:
        return "later"

    template = Template("const ask = async () => 'it is ' + await answer()", functions={"answer": answer})

    async def main() -> None:
        async with template.spawn_async() as box, template.spawn_async() as other:
            assert isinstance(box, AsyncSandbox)
            assert await box.call("ask") == await other.call("ask") == "it is later"

    anyio.run(main, backend=backend)


def test_a_function_that_sets_up() -> None:
    def set_up(box: Sandbox) -> None:
        box.globals["table"] = [1, 2, 3]
        box.module("import {double} from 'lib'; globalThis.double = double")

    template = Template(set_up, modules={"lib": "export const double = n => 2 * n"})

    with template.spawn() as box:
        assert box.eval("table.map(double)") == [2, 4, 6]
        assert box.module("import {double} from 'lib'; export default double === globalThis.double")["default"] is True


def test_a_set_up_that_fails() -> None:
    with pytest.raises(JSError, match="no such") as caught:
        Template("\nthrow new Error('no such thing')", filename="lib.js")

    assert caught.value.frames[0].file == "lib.js"
    assert caught.value.frames[0].line == 2


def test_what_each_has_for_itself() -> None:
    entries: list[list[str]] = []

    def own() -> dict[str, Any]:
        mine: list[str] = []
        entries.append(mine)
        return {"files": MemoryFiles(), "console": lambda entry: mine.append(entry.text)}

    template = Template(own=own, limits=Limits(cpu_seconds=1))
    entries.clear()
    program = "console.log('here'); const {writeFile, readdir} = await import('node:fs/promises');"
    for _ in range(2):
        with template.spawn() as box:
            assert box.eval(program + "await writeFile('/a' + Math.random(), 'x'); (await readdir('/')).length") == 1
            assert box.limits.cpu_seconds == 1

    assert entries == [["here"], ["here"]]


def test_options_that_only_one_sandbox_can_have(tmp_path: Path) -> None:
    class Clock(Capability):
        stem = "watch"

        def handlers(self) -> dict[str, Any]:
            return {"look": lambda: 12}

    with pytest.raises(TypeError, match="each file records one sandbox"):
        Template(record=tmp_path / "record")
    with pytest.raises(TypeError, match="each serves one sandbox"):
        Template(capabilities=[Clock()])
    with pytest.raises(TypeError, match="each serves one sandbox"):
        Template(own=lambda: {"capabilities": [Clock()]})
    template = Template("const hour = () => watch.look()", capabilities=iter([Clock]))
    for _ in range(2):
        with template.spawn() as box:
            assert box.call("hour") == 12


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ({"setup": 1}, "setup must be"),
        ({"filename": "a.js"}, "filename"),
        ({"own": 1}, "own must be callable"),
        ({"nonsense": 1}, "nonsense"),
        ({"limits": 1}, "limits must be"),
    ],
    ids=str,
)
def test_arguments_that_are_none(arguments: dict[str, Any], error: str) -> None:
    with pytest.raises(TypeError, match=error):
        Template(**arguments)


def test_it_goes_where_its_options_can() -> None:
    template = Template("const greet = name => shout('hello ' + name)", functions={"shout": shout})

    copy = pickle.loads(pickle.dumps(template))

    with copy.spawn() as box:
        assert box.call("greet", "you") == "HELLO YOU!"


def test_from_a_snapshot_and_back() -> None:
    with Sandbox(functions={"shout": shout}) as box:
        box.eval("const greet = name => shout(name)")
        taken = Snapshot.from_bytes(box.snapshot().to_bytes())

    with pytest.raises(SnapshotError, match="shout"):
        Template(taken)
    with Template(taken, functions={"shout": str.title}).spawn() as box:
        assert box.call("greet", "ada") == "Ada"
    other = Template("let a = 1", functions={"shout": shout}).at(taken, functions={"more": len})
    with other.spawn() as box:
        assert box.eval("greet('you') + more('four')") == "YOU!4"
    assert "bytes, image" in repr(other)


def test_random_numbers_are_their_own() -> None:
    template = Template("Math.random()")
    drawn = set()
    for _ in range(20):
        with template.spawn() as box:
            drawn.add(box.eval("Math.random() + crypto.randomUUID()"))

    assert len(drawn) == 20


def test_a_seed_makes_them_the_same() -> None:
    template = Template(seed=7)
    drawn = set()
    for _ in range(3):
        with template.spawn() as box:
            drawn.add(box.eval("Math.random() + crypto.randomUUID()"))

    assert len(drawn) == 1
