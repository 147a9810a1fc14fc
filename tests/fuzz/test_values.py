"""Programs that make values of any kind, and random commands against two guests at once."""

from __future__ import annotations

import random
from collections.abc import Iterator

import pytest

from sandbox._abi import Verb
from sandbox._events import Crashed, Event, Finished, State
from sandbox.errors import ConversionError, JSError
from sandbox.values import JSFunction
from tests.bare_guest import Bare, requests


class Noise:
    """Programs that make values: plain data, classes, getters, proxies and what cannot cross, shared and nested."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)

    def value(self, depth: int = 0) -> str:
        pick = self.random.choice
        leaves = [
            "1", "-0", "1.5", "NaN", "2 ** 60", "'text'", "'\\ud800\\u4e00'", "null", "undefined", "true",
            "10n ** 25n", "-1n",
            "new Date(1e12)", "/a(b)/gi", "new Uint8Array([1, 2])", "new ArrayBuffer(3)", "new Float32Array(2)",
            "() => 1", "class A {}", "shared", "shared.list", "new DataView(new ArrayBuffer(2))", "[, 1, ,]",
            "'r'.repeat(40) + 1", "Object(1)", "new String('s')", "new URL('http://h/')",
            "(function () { return arguments })(1)",
        ]  # fmt: skip
        rare = [
            "Symbol('s')", "Promise.resolve(1)", "new WeakMap()", "new Date(NaN)",
            "{get x() { throw new Error('mine') }}",
            "Proxy.revocable({}, {}).proxy", "new Proxy(function () {}, {})", "new Array(1e6)",
        ]  # fmt: skip
        if depth > 4 or self.random.random() < 0.3:
            return f"({pick(rare if self.random.random() < 0.04 else leaves)})"
        members = [self.value(depth + 1) for _ in range(self.random.randrange(4))]
        forms = [
            lambda: "[" + ", ".join(members) + "]",
            lambda: "({" + ", ".join(f"k{i % 3}: {member}" for i, member in enumerate(members)) + "})",
            lambda: "({" + ", ".join(f"get k{i}() {{ return {member} }}" for i, member in enumerate(members)) + "})",
            lambda: "new Map([" + ", ".join(f"[{member}, {i}]" for i, member in enumerate(members)) + "])",
            lambda: "new Set([" + ", ".join(members) + "])",
            lambda: f"new Proxy([{', '.join(members)}], {{}})",
            lambda: f"new Proxy({{a: [{', '.join(members)}]}}, {{}})",
            lambda: f"Object.assign(new RangeError('m', {{cause: [{', '.join(members)}]}}), {{extra: 1}})",
            lambda: f"Object.create({{inherited: 1}}, {{own: {{value: [{', '.join(members)}], enumerable: true}}}})",
            lambda: f"(shared.list.push([{', '.join(members)}]), shared)",
            lambda: f"({{get a() {{ shared.list.length = 0; return [{', '.join(members)}] }}, b: shared}})",
            lambda: f"f([{', '.join(members)}])",
        ]  # fmt: skip
        return pick(forms)()


@pytest.mark.parametrize("seed", range(6))
def test_any_value_of_the_guest_crosses_or_says_why(seed: int) -> None:
    noise = Noise(seed)
    crossed = 0
    with Bare() as bare:
        bare.define("f", lambda value: value)
        for _ in range(150):
            bare.value("globalThis.shared = {list: [1, {}]}; 0")
            code = noise.value()
            try:
                bare.value(code)
                crossed += 1
            except JSError as error:
                # What a getter throws, and what a host function could not take.
                assert any(text in str(error) for text in ("mine", "cannot cross", "max_nodes", "revoked", "Date")), (
                    code
                )
            except ConversionError:
                pass
            assert bare.guest.state is State.READY, code
        bare.owner.released.clear()
        assert bare.value("1 + 1") == 2

    assert crossed > 75


# --- commands ---


class Script:
    """The same random commands for any guest: what they do depends on their own answers alone."""

    def __init__(self, bare: Bare, seed: int) -> None:
        self.bare = bare
        self.random = random.Random(seed)
        self.handles: list[int] = []
        self.waiting: list[int] = []
        self.run = 0
        bare.owner.queued.add(self.ask)
        bare.define("f", self.answer)
        bare.define("ask", self.ask)
        bare.eval("globalThis.state = {count: 0, list: []}")

    def ask(self) -> None: ...

    def answer(self, value: object = None) -> object:
        if self.random.random() < 0.3:
            raise ValueError("no")
        if self.random.random() < 0.3 and self.bare.guest.instance.depth < 5:
            self.run += 1
            return repr(self.bare.guest.eval(self.run, "state.count++", "nested"))
        return value

    def step(self) -> str:
        guest, pick = self.bare.guest, self.random.choice
        self.run += 1
        self.bare.arm(None, 1 << 32)
        kind = self.random.randrange(8)
        if kind < 3:
            events = guest.eval(self.run, pick(CODES), "main.js")
        elif kind == 3:
            targets: list[int | str] = ["f", "state.nothing", "Math.max", *self.handles]
            events = guest.call(self.run, pick(targets), None, [1, {"a": [2]}])
        elif kind == 4:
            events = guest.access(self.run, pick(list(Verb)), 0, pick(["state", "x", "Math"]), {"count": 1, "list": []})
        elif kind == 5:
            events = guest.settle(self._taken(self.waiting), pick([None, [1], ValueError("x"), {"deep": [[[]]]}]))
        elif kind == 6:
            events = guest.release([self._taken(self.handles), 99_999])
        else:
            events = guest.abandon(self.random.randrange(1, self.run + 1))
        self.waiting += [request.id for request in requests(events) if request.id]
        for event in events:
            assert not isinstance(event, Crashed), event
        text = repr(events)
        self.handles += [function.handle for function in _functions(events)]
        return text

    def _taken(self, numbers: list[int]) -> int:
        return numbers.pop(self.random.randrange(len(numbers))) if numbers else 12_345


CODES = [
    "++state.count",
    "state.list.push(state.count); state.list",
    "() => state",
    "[() => 1, {f() {}}]",
    "ask(state.count).then(x => { state.list.push(x) })",
    "await ask(1)",
    "new Promise(r => setTimeout(r, 5))",
    "try { f({a: 1}) } catch (error) { error.message }",
    "f()",
    "throw new Error('x' + state.count)",
    "Promise.reject(state.count); 1",
    "(",
    "(function r() { r() })()",
    "console.log(state)",
    "globalThis.state = {count: Math.random(), list: []}; 0",
    "for (let i = 0; i < 1000; i++) state['k' + i % 50] = {i}; 1",
    "Symbol()",
    "new Array(2000).fill({}).map((x, i) => [i, x])",
]


def _functions(events: list[Event]) -> Iterator[JSFunction]:
    waiting: list[object] = [event.value for event in events if isinstance(event, Finished)]
    seen: set[int] = set()
    while waiting:
        value = waiting.pop()
        if isinstance(value, JSFunction):
            yield value
        elif isinstance(value, list | dict) and id(value) not in seen:
            seen.add(id(value))
            waiting += value if isinstance(value, list) else value.values()


@pytest.mark.parametrize("seed", range(5))
def test_two_guests_with_the_same_commands_live_the_same_life(seed: int) -> None:
    with Bare() as first, Bare() as second:
        one, other = Script(first, seed), Script(second, seed)
        for step in range(250):
            assert one.step() == other.step(), step
        assert first.guest.instance.control.heap_bytes == second.guest.instance.control.heap_bytes
        assert first.guest.state is second.guest.state is State.READY
