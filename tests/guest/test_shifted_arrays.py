"""Arrays whose first elements are taken away, and others put in their place, are what lists are."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

APPLY = """
const apply = (operations) => {
  const a = [], told = [];
  for (const [name, ...rest] of operations) {
    if (name === "set") a[rest[0]] = rest[1];
    else if (name === "length") a.length = rest[0];
    else if (name === "copy") told.push([...a].length, a.slice(1, 3).length, JSON.stringify(a).length);
    else if (name === "delete") delete a[rest[0]];
    else told.push(a[name](...rest) === undefined);
    if (name === "shift" && a.length % 50 === 0) told.push([a[0], a[a.length - 1], a.length]);
  }
  return JSON.stringify(a);
};
"""


def applied(model: list[Any], name: str, *rest: Any) -> None:
    if name == "push":
        model.extend(rest)
    elif name == "unshift":
        model[:0] = rest
    elif name in {"shift", "pop"}:
        model[:] = model[1:] if name == "shift" else model[:-1]
    elif name == "splice":
        model[rest[0] : rest[0] + rest[1]] = rest[2:]
    elif name == "set":
        model[rest[0] : rest[0] + 1] = [rest[1]]
    elif name == "length":
        del model[rest[0] :]
    elif name == "reverse":
        model.reverse()
    elif name == "delete":
        model[rest[0]] = None


@pytest.mark.parametrize("seed", range(12))
def test_random_operations(box: Sandbox, seed: int) -> None:
    source = random.Random(seed)
    model: list[Any] = []
    operations: list[tuple[Any, ...]] = []

    def do(*operation: Any) -> None:
        operations.append(operation)
        if len(operation) < 3 or operation[0] != "set" or operation[1] <= len(model):
            applied(model, *operation)

    for step in range(2500):
        kind = source.choices(
            ["push", "shift", "pop", "unshift", "splice", "set", "length", "reverse", "copy", "delete"],
            [60, 50 if step % 700 < 500 else 90, 5, 3, 2, 5, 0.3, 0.5, 1, 0.2 if seed > 8 else 0],
        )[0]
        if kind == "push":
            do("push", *range(step, step + source.choice([1, 1, 2, 40])))
        elif kind == "unshift":
            do("unshift", -step)
        elif kind == "splice" and model:
            at = source.randrange(len(model))
            do("splice", at, min(source.randrange(4), len(model) - at), *["s"] * source.randrange(3))
        elif kind == "set":
            do("set", source.randrange(len(model) + 1), step)
        elif kind == "length" and model:
            do("length", source.randrange(len(model)))
        elif kind == "delete" and model:
            do("delete", source.randrange(len(model)))
        elif kind in {"shift", "pop", "reverse", "copy"}:
            do(kind)
    box.eval(APPLY)
    assert json.loads(box.call("apply", operations)) == model


def test_values_are_freed_once(box: Sandbox) -> None:
    assert box.eval("""
        const refs = [], a = [];
        for (let i = 0; i < 200; i++) a.push({ i });
        for (const o of a) refs.push(new WeakRef(o));
        for (let i = 0; i < 150; i++) a.shift();
        const rest = a.map((o) => o.i);
        rest.length + "," + rest[0] + "," + a.splice(0, 20).length + "," + a.concat(a).length
    """) == "50,150,20,60"  # fmt: skip
    assert box.eval("refs.filter((ref) => ref.deref()).length") == 30


def test_a_queue_that_becomes_sparse_or_is_frozen(box: Sandbox) -> None:
    assert box.eval("""
        const queue = (n) => { const a = Array.from({ length: n }, (_, i) => i); a.shift(); a.shift(); return a };
        const sparse = queue(50); sparse[1000] = 1; sparse.shift();
        const defined = queue(50); Object.defineProperty(defined, 3, { get: () => "g" }); defined.push("p");
        const frozen = Object.freeze(queue(50));
        let told = ""; try { frozen.shift() } catch (e) { told = e.name }
        const held = queue(50); held.length = 0; held.push(1, 2); const sorted = queue(40).sort((a, b) => b - a);
        JSON.stringify([sparse.length, sparse[0], defined[3], defined.at(-1), defined[0], told, frozen.length, held,
          sorted[0], sorted.length, structuredClone(queue(40)).length, queue(40).indexOf(39), [...queue(33)].length])
    """) == '[1000,3,"g","p",2,"TypeError",48,[1,2],39,38,38,37,31]'  # fmt: skip


@pytest.mark.parametrize(
    ("made", "used", "left"),
    [
        ("[1, 2, 3]; a.pop()", "a[2] = 9", "[1,2]"),
        ("[1, 2, 3]; a.length = 5", "a[3] = 9; a[4] = 9; a[5] = 9", "[1,2,3,9,9]"),
        (
            "Array.from({ length: 20 }, (_, i) => i); a.length = 4",
            "for (let i = 0; i < 9; i++) a[i] = 2 * i",
            "[0,2,4,6]",
        ),
        ("[1, 2, 3]", "try { a.push(1) } catch (e) { a[0] = e.name }", '["TypeError",2,3]'),
        ("[1, 2, 3]", "try { a.pop() } catch (e) { a[0] = e.name }", '["TypeError",2,null]'),
        ("[1, 2, 3]; a.shift()", "a[2] = 1; a[1] = 7", "[2,7]"),
        (
            "[1, 2]; a.pop()",
            "(() => { 'use strict'; try { a[1] = 1 } catch (e) { a[0] = e.name } })()",
            '["TypeError"]',
        ),
    ],
)
def test_a_length_that_is_read_only(box: Sandbox, made: str, used: str, left: str) -> None:
    code = f"const a = {made}; Object.defineProperty(a, 'length', {{ writable: false }}); {used}; JSON.stringify(a)"
    assert box.eval(code) == left
