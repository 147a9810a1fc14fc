"""Going through arrays without an iterator comes to what going through one does, which another object gives."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox import Sandbox

PROGRAMS = Path(__file__, "..", "iteration_programs.js").resolve().read_text(encoding="utf-8")


@pytest.mark.parametrize("name", re.findall(r'^  "(.+)": \(it\)', PROGRAMS, re.MULTILINE))
def test_it_is_as_with_an_iterator(name: str) -> None:
    seen = []
    for is_direct in (True, False):
        with Sandbox() as box:
            box.eval(PROGRAMS)
            seen.append(box.call("seen", name, is_direct))
    assert seen[0] == seen[1]
    assert seen[0]


def test_asynchronous_functions(box: Sandbox) -> None:
    assert box.eval("""
        const told = [];
        for (const x of [1, Promise.resolve(2)]) told.push(await x);
        for await (const x of [3, Promise.resolve(4)]) told.push(x);
        const [a, b = await 6] = [5];
        async function* g() { yield* [7, 8]; for (const x of [9]) yield x }
        for await (const x of g()) told.push(x);
        [...told, a, b].join()
    """) == "1,2,3,4,7,8,9,5,6"  # fmt: skip


PRISTINE = {
    "Array.prototype[Symbol.iterator] = function* () { yield 'own' }": "own",
    "Object.defineProperty(Array.prototype, Symbol.iterator, { get: () => function* () { yield 'got' } })": "got",
    "array[Symbol.iterator] = function* () { yield 'its' }": "its",
    "Object.setPrototypeOf(array, { *[Symbol.iterator]() { yield 'other' } })": "other",
    "Object.setPrototypeOf(array, null); array[Symbol.iterator] = [].keys": "0,1",
    "Array.prototype[Symbol.iterator] = Array.prototype.keys": "0,1",
    "Object.getPrototypeOf([].values()).next = () => ({ done: true })": "",
}


@pytest.mark.parametrize("change", PRISTINE)
def test_what_a_program_has_changed_is_used(box: Sandbox, change: str) -> None:
    box.eval(f"const array = [5, 6]; const text = (list) => Array.prototype.join.call(list); {change}")
    told = "const told = []; for (const x of array) told[told.length] = x; text(told)"
    assert box.eval(told) == PRISTINE[change]
    assert box.eval("text([...array])") == PRISTINE[change]
    assert box.eval("const [a] = array; String(a)") == (PRISTINE[change].split(",")[0] or "undefined")


@pytest.mark.parametrize("change", ["delete Array.prototype[Symbol.iterator]", "Array.prototype[Symbol.iterator] = 5"])
def test_arrays_that_cannot_be_iterated_over(box: Sandbox, change: str) -> None:
    box.eval(change)
    for code in ("for (const x of [1]);", "const [a] = [1]", "[...[1]]"):
        assert (
            box.eval(f"try {{ {code} }} catch (error) {{ error.name + error.message }}")
            == "TypeErrorvalue is not iterable"
        )
