"""A rollback is exact: after it nothing tells a sandbox from its twin that never ran what was undone.

Two guests of one seed live through the same random life. One of them is also made to run a program that changes all it
can and ends by a limit at a random moment. SANDBOX_ROLLBACK_LIVES sets how many lives are led.
"""

from __future__ import annotations

import contextlib
import gc
import itertools
import os
import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import JSError, Limits
from sandbox._abi import Verb
from sandbox._clock import VirtualClock
from sandbox._events import State
from sandbox.errors import (
    FuelLimitExceeded,
    LimitExceeded,
    MemoryLimitExceeded,
    OutputLimitExceeded,
    SandboxError,
)
from sandbox.values import JSFunction, JSHandle
from tests.stepped_face import SteppedFace

if TYPE_CHECKING:
    from sandbox._driver import Steps
    from sandbox._runs import Run

LIVES = int(os.environ.get("SANDBOX_ROLLBACK_LIVES", "40"))

LIMITS = Limits(memory_bytes=8 << 20, cpu_seconds=10, wall_seconds=20, output_bytes=5000, handles=300)
MODULES = {
    "counter": "export let n = 0; export const up = () => ++n",
    "lazy": "globalThis.loaded = (globalThis.loaded ?? 0) + 1; export default loaded",
    "other": "import {up} from 'counter'; export default up()",
}

BEGINNING = """
let count = 0;
const cells = new Map();
const counter = (() => { let own = 0; return { up: () => ++own, read: () => own } })();
const fired = [];
const results = [];
// No method that a program could have replaced: what fails here would end a run before its limit does.
const add = (list, item) => { list[list.length] = item };
const [wonder, log, meddling] = [ask, console.log, meddle];
const wait = key => { wonder(key).then(value => add(results, [key, value]), error => add(results, [key, error.name])) };
const timers = [];
function* squares() { for (let i = 0;; i++) yield i * i }
const walk = squares();
"""

# What programs do, before and afterwards; {} is a random number.
DEEDS = [
    "count += {}",
    "cells.set({}, {{}}).size",
    "counter.up()",
    "globalThis['g' + {}] = [{}, {}]; 0",
    "delete globalThis['g' + {}]",
    "Array.prototype['extra' + {}] = {}; 0",
    "Math.random()",
    "crypto.getRandomValues(new Uint8Array(4))",
    "add(timers, setTimeout(() => add(fired, [performance.now(), {}]), {})); 0",
    "add(timers, setInterval(() => {{ fired.length < 50 && add(fired, {}) }}, 5 + {})); 0",
    "clearTimeout(timers.pop()); 0",
    "wait({}); 0",
    "walk.next()",
    "import('lazy').then(m => {{ add(results, m.default) }}, () => 0); 0",
    "import('other').then(m => {{ add(results, m.default) }}, () => 0); 0",
    "Promise.reject({}).catch(e => {{ add(results, e) }}); 0",
    "globalThis.big = new Uint8Array({} * 1000).fill(7).length",
    "globalThis.grown = new ArrayBuffer(1e6).byteLength",
    "globalThis.o = Object.fromEntries(Array.from({{length: {}}}, (_, i) => ['name' + i, Symbol('s' + i)])); 0",
    "let fresh{} = 1",
    "globalThis.held = note; 0",
    "globalThis.held = null; 0",
    "structuredClone({{a: [{}], b: new Date({})}})",
]
# What only the undone program does as well: the host's half of the sandbox changes under it.
MISDEEDS = [
    "Array.prototype.push = Map.prototype.set = null",
    "Object.freeze(results)",
    "Math.random = () => 4",
    "globalThis.setTimeout = undefined",
    "cells.clear(); fired.length = results.length = 0; count = NaN",
    "for (const t of timers.splice(0)) clearTimeout(t)",
    "for (const n of Object.getOwnPropertyNames(globalThis)) try {{ delete globalThis[n] }} catch {{}}",
    "for (let i = 0; i < 40; i++) setTimeout(() => 0, i)",
    "for (let i = 0; i < 20; i++) wonder(i + 100)",
    "for (let i = 0; i < 100; i++) Promise.reject(i).catch(() => 0)",
    "globalThis.hoard = Array.from({{length: 3000}}, (_, i) => ({{['p' + i]: i}}))",
    "globalThis.buffer = new ArrayBuffer(2e6)",
    "meddling({}, () => {})",
    "meddling({}, {{f() {{}}, p: new Promise(() => {{}}), i: [].values()}})",
    "globalThis.made = meddling({}, counter.up)",
    "(function dive() {{ dive() }})",
    "try {{ (function dive() {{ dive() }})() }} catch {{}}",
    "await null",
]
# How it ends, and with which options.
ENDS: dict[str, tuple[str, dict[str, Any], type[Exception]]] = {
    "cpu": ("for (;;) count++", {"timeout": 0.05}, TimeoutError),
    "cpu, in the engine": ("[].indexOf.call({length: 2 ** 53 - 1}, 1)", {"timeout": 0.05}, TimeoutError),
    "wall": ("for (;;) count++", {"timeout": 0.01}, TimeoutError),
    "wall, waiting": ("await wonder('forever')", {"timeout": 0.01}, TimeoutError),
    "fuel": ("for (;;) count++", {"fuel": 0}, FuelLimitExceeded),
    "memory": ("const all = []; for (;;) all[all.length] = 'x'.repeat(1000).split('')", {}, MemoryLimitExceeded),
    "output": ("for (;;) log('line')", {}, OutputLimitExceeded),
    "handles": ("const f = []; for (;;) f[f.length] = meddling(1, () => f)", {}, LimitExceeded),
}


class Life:
    """One of the twins."""

    def __init__(self) -> None:
        self.heard: list[Any] = []
        self.held: list[JSHandle] = []
        self.undone: list[JSHandle] = []
        self.asked: dict[int, Callable[[Any], None]] = {}
        self.questions = itertools.count()
        self.meddling: Callable[[Any, Any], Any] = lambda *_: None
        self.clock = VirtualClock()
        self.face = SteppedFace(clock=self.clock, limits=LIMITS, on_limit="rollback", modules=MODULES)
        self.driver = self.face.driver
        functions = {"note": self.heard.append, "ask": self.ask, "meddle": lambda *given: self.meddling(*given)}
        self.take(self.driver.define(functions))
        self.eval(BEGINNING)

    async def ask(self, key: Any) -> None:
        """What the guest waits for; the test answers in its place."""

    def take(self, command: Any, **options: Any) -> Any:
        run = self.driver.begin(**options)
        return self.lead(run, self.driver.drive(run, command))

    def lead(self, run: Run, steps: Steps[Any]) -> Any:
        """Take all steps of a run, and what came of it in a form that can be compared."""
        try:
            while self.face.step(steps) is not None:
                if run.wall_limit > 1:  # else time passes until it is up
                    pytest.fail("nothing that lasts is waited for")
            return shown(run.outcome())
        except JSError as error:
            return repr(error)
        finally:
            self.latest = run.value
            self.driver.end(run)
            self.collect_questions()

    def eval(self, code: str, **options: Any) -> Any:
        return self.take(self.driver.eval(code, "life.js"), **options)

    def collect_questions(self) -> None:
        """Take over what the guest waits for now."""
        for awaitable, done in self.face.started:
            self.asked[next(self.questions)] = done
            awaitable.close()  # type: ignore[attr-defined] # a coroutine
        self.face.started.clear()

    def memory(self) -> bytes:
        instance = self.driver.guest.instance
        return bytes(instance.read(0, instance.memory_bytes()))

    def facts(self) -> dict[str, Any]:
        """All that can be seen of the guest without changing it."""
        usage = self.driver.usage()
        return {
            "memory": usage.memory_bytes,
            "heap": usage.heap_bytes,
            "live handles": self.driver.guest.instance.control.live_handles,
            "pending": usage.pending_requests,
            "bound": self.face.operations.bound(),
            "sources": self.driver.turns.sources.copy(),
            "now": self.clock.now_ms(),
            "abandoned": len(self.driver.turns.abandoned),
            "heard": self.heard,
        }

    def close(self) -> None:
        self.face.close()


def shown(value: Any) -> Any:
    if isinstance(value, JSHandle):
        return type(value).__name__
    return repr(value)


def live_on(life: Life, chance: random.Random) -> Any:
    """One random deed, the same for both of them."""
    driver, number = life.driver, chance.randrange(1, 30)
    kind = chance.choice(["eval"] * 6 + ["call", "hold", "drop", "set", "later", "answer", "tick", "idle", "import"])
    match kind:
        case "eval":
            code = chance.choice(DEEDS)
            return life.eval(code.format(*(chance.randrange(1, 30) for _ in range(code.count("{}")))))
        case "call":
            functions = [held for held in life.held if isinstance(held, JSFunction)]
            return life.take(driver.call(chance.choice(functions), None, [number])) if functions else None
        case "hold":
            code = chance.choice(["counter.up", "() => count++", "[1, 2].values()", "({p: new Promise(() => {})})"])
            run = driver.begin()
            life.lead(run, driver.drive(run, driver.eval(code, "life.js")))
            life.held.append(life.latest["p"] if isinstance(life.latest, dict) else life.latest)
            return None
        case "drop":
            if life.held:
                life.held.pop(chance.randrange(len(life.held))).release()
            return None
        case "set":
            return life.take(driver.access(Verb.SET, f"g{number}", [number]))
        case "later":
            return driver.define_later(f"g{number}", lambda: number)
        case "answer":
            if life.asked:
                key = chance.choice(list(life.asked))
                life.asked.pop(key)(ValueError(str(number)) if number % 3 == 0 else number)
            return None
        case "tick":
            run = driver.begin()
            return life.lead(run, driver.tick(run, number))
        case "idle":
            return life.eval("JSON.stringify([fired, results, count, counter.read()])")
        case _:
            return life.take(driver.import_module("counter"))


def misbehave(life: Life, chance: random.Random, deeds_to_share: list[Callable[[Life], None]]) -> str:
    """Run a program that changes all it can and reaches a limit; returns which."""
    driver = life.driver
    end = chance.choice(list(ENDS))
    ending, options, errors = ENDS[end]
    deeds = [chance.choice(DEEDS + MISDEEDS * 2) for _ in range(chance.randrange(12))]
    numbers = [chance.randrange(1, 30) for _ in range(100)]
    is_timed = bool(options.get("timeout"))
    if is_timed:
        deeds.insert(chance.randrange(len(deeds) + 1), "await new Promise(done => setTimeout(done, {}))")
    elif "fuel" in options:
        options = {"fuel": chance.randrange(20_000, 3_000_000)}
    code = "\n".join(f"try {{ {deed.format(*numbers)} }} catch {{}}" for deed in deeds)
    may_answer = list(life.asked)

    def meddle(number: Any, given: Any) -> Any:
        """A host function changes what the sandbox has of the host, and of what it holds of the guest."""
        life.undone += given.values() if isinstance(given, dict) else [given]
        match chance.randrange(6):
            case 0:
                driver.define_later(f"later{number}", lambda: number)
            case 1 if may_answer:
                key = may_answer.pop()
                life.asked.pop(key)(number)
                deeds_to_share.append(lambda twin: twin.asked.pop(key)(number))
            case 2 if life.held:
                index = chance.randrange(len(life.held))
                life.held.pop(index).release()
                deeds_to_share.append(lambda twin: twin.held.pop(index).release())
            case 3:
                return lambda: number
            case 4:
                driver.add_source("undone.js", "code")
                return iter([number])
            case _ if isinstance(given, JSFunction):
                with contextlib.suppress(SandboxError):
                    driver.nested(driver.call(given, None, []))
        return None

    life.meddling = meddle
    run = driver.begin(**options)
    if is_timed:  # for this one only: what the twins do takes as long as the machine likes
        run.cpu_limit = 0.02
    is_waiting = end == "wall, waiting"
    steps = driver.drive(run, driver.eval(f"{code}\n{ending}", "undone.js"))
    with pytest.raises(LimitExceeded) as caught:
        try:
            while life.face.step(steps) is not None:
                for key in may_answer[: chance.randrange(3)] if is_waiting else ():
                    value = chance.randrange(100)
                    may_answer.remove(key)
                    life.asked.pop(key)(value)
                    deeds_to_share.append(lambda twin, key=key, value=value: twin.asked.pop(key)(value))  # type: ignore[misc]
            run.outcome()
        finally:
            driver.end(run)
            for awaitable, _done in life.face.started:
                awaitable.close()  # type: ignore[attr-defined] # a coroutine
    assert isinstance(caught.value, (errors, MemoryLimitExceeded))
    assert is_timed or not isinstance(caught.value, TimeoutError)  # else it is not the limit that was meant
    assert caught.value.rolled_back
    life.face.started.clear()
    life.meddling = lambda *_: None
    return end


@pytest.mark.parametrize("seed", range(LIVES))
def test_a_rollback_leaves_nothing(seed: int) -> None:
    chance = random.Random(seed)
    one, other = Life(), Life()
    try:
        for _ in range(chance.randrange(1, 4)):
            for _ in range(chance.randrange(12)):
                deed = chance.random()
                assert live_on(one, random.Random(deed)) == live_on(other, random.Random(deed))
            assert one.facts() == other.facts()
            before = one.memory()
            shared: list[Callable[[Life], None]] = []
            misbehave(one, chance, shared)

            assert one.memory() == before
            assert one.driver.guest.state is State.READY
            for deed_of_the_host in shared:
                deed_of_the_host(other)
            one.asked = {key: one.asked[key] for key in other.asked}
            for held in one.undone:
                with pytest.raises(SandboxError):
                    one.driver._operations.handle_of(held)
            facts = [life.facts() for life in (one, other)]
            assert facts[0] == facts[1]
            for _ in range(chance.randrange(4, 16)):
                deed = chance.random()
                assert live_on(one, random.Random(deed)) == live_on(other, random.Random(deed))
            one.undone.clear()  # their numbers have been given to others by now
            gc.collect()
            assert one.eval("0") == other.eval("0")
            assert one.facts() == other.facts()
        for code in ("[Math.random(), performance.now()]", "JSON.stringify([fired, results, count])"):
            assert one.eval(code) == other.eval(code)
    finally:
        one.close()
        other.close()
