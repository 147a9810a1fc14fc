"""Attackers without a plan: scripts of random steps, one after the other in one sandbox.

Whatever they do is a value or an error of this package; the host's functions are called only by their ops, each
coroutine is run at most once for a request, and a sandbox beside it goes on. `SANDBOX_FUZZ_EXAMPLES` says how many.
"""

from __future__ import annotations

import functools
import gc
import os
import random
from collections.abc import AsyncIterator, Iterator
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from sandbox import Limits, Sandbox, expose
from sandbox._abi import CAP_FIRST_HOST_REQUEST, EXPORTS, Control, Op, Tag
from sandbox._events import State
from sandbox.errors import SandboxError
from sandbox.values import JSFunction, JSHandle, JSPromise
from tests.fake_owner import ext, packed
from tests.owned.attacks import outcome
from tests.owned.evil import CONTROL, FREE, INBOX, MEMORY_BYTES, OUTBOX, RUN, SCRIPT, Script
from tests.strategies import values
from tests.test_codec_refusals import HOSTILE

EXAMPLES = int(os.environ.get("SANDBOX_FUZZ_EXAMPLES", "60"))
LIMITS = Limits(
    memory_bytes=8 << 20,
    cpu_seconds=1,
    wall_seconds=2,
    fuel=20_000_000,
    pending_requests=20,
    handles=50,
    output_bytes=1 << 20,
)
SETTINGS = settings(max_examples=EXAMPLES, stateful_step_count=12, suppress_health_check=list(HealthCheck))

OPERATIONS = [number for name, number in vars(Op).items() if name.isupper()]
WORDS = st.one_of(
    st.integers(0, 0xFFFF_FFFF),
    st.integers(0, 300),
    st.sampled_from([FREE, INBOX, OUTBOX, CONTROL, SCRIPT, MEMORY_BYTES - 8, MEMORY_BYTES, 0x7FFF_FFFF, 0x8000_0000]),
)
OPS = st.one_of(st.sampled_from([*OPERATIONS, 256, 257, 258, 259, 260, 261]), WORDS)
NUMBERS = st.one_of(st.just(RUN), st.integers(0, 12), st.sampled_from([CAP_FIRST_HOST_REQUEST, 0xFFFF_FFFF]), WORDS)
STEPS = ("next", "return", "throw")


def _forged(number: int) -> bytes:
    kinds = (Tag.PROMISE, Tag.ITERATOR, Tag.ASYNC_ITERATOR, Tag.HOST_OBJECT, Tag.REFERENCE)
    tag = kinds[number % len(kinds)]
    return b"\0\x91" + ext(tag, packed(number % 40))


MESSAGES = st.one_of(
    st.just(b"\0\x90"),
    st.just(b"\0\xc0"),
    st.sampled_from([message for message in HOSTILE.values() if len(message) < 4096]),
    st.integers(0, 1000).map(_forged),
    st.integers(1, 60).map(lambda handle: b"\0\x91" + ext(Tag.FUNCTION, packed([handle, "f"]))),
    st.lists(
        st.one_of(st.integers(-5, 70_000), st.text(max_size=5), st.none(), st.sampled_from(STEPS)), max_size=3
    ).map(lambda items: b"\0" + packed(items)),
    st.just(b"\0" + packed([{"type": "output", "text": "x"}])),
    st.binary(max_size=40),
)
FRAMES = st.lists(st.tuples(OPS, NUMBERS, MESSAGES), max_size=5)
FIELDS = [name for name, *_ in Control._fields_]


@st.composite
def scripts(draw: st.DrawFn, at: int = SCRIPT, depth: int = 1) -> Script:
    """A few steps; now and then they say how the run ends."""
    script = Script(at)
    script._free = at + 0x4000 if at != SCRIPT else FREE
    for _ in range(draw(st.integers(0, 5))):
        match draw(st.integers(0, 11)):
            case 0 | 1 | 2:
                script.frames(*draw(FRAMES))
            case 3 | 4 | 5:
                script.call(draw(OPS), draw(MESSAGES))
            case 6:
                script.call(draw(OPS), address=draw(WORDS), length=draw(WORDS))
            case 7:
                script.control(**{draw(st.sampled_from(FIELDS)): draw(WORDS)})
            case 8:
                script.word(draw(WORDS), draw(WORDS))
            case 9:
                script.grow(draw(st.integers(0, 60)))
            case 10:
                script.dive(draw(st.sampled_from([1, 1000, 0xFFFF_FFFF])))
            case _ if depth:
                export = draw(st.sampled_from([name for name in EXPORTS if name not in ("control", "eval")]))
                slot = list(EXPORTS).index(export)
                script.install(export, draw(scripts(at=FREE + 0x8000 * (slot + 1), depth=depth - 1)))
            case _:
                script.burn(draw(st.integers(1, 1000)))
    if draw(st.booleans()):
        script.finish(draw(MESSAGES))
    elif draw(st.integers(0, 9)) == 0:
        script.give(draw(st.integers(0, 5)))
    return script


class Host:
    """Everything an embedder may give, and how often it was used."""

    def __init__(self) -> None:
        self.calls = 0
        self.running = 0

    def plain(self, *arguments: object) -> Any:
        self.calls += 1
        if arguments and isinstance(arguments[0], JSFunction):
            return arguments[0](1)
        return list(arguments)

    async def later(self, *arguments: object) -> object:
        self.running += 1
        return arguments[0] if arguments else None

    def numbers(self) -> Iterator[int]:
        yield from range(3)

    async def stream(self) -> AsyncIterator[int]:
        for number in range(3):
            yield number

    @expose
    def look(self) -> int:
        return 1


class Owned(RuleBasedStateMachine):
    """One sandbox of an attacker's, and one beside it."""

    @initialize(clock=st.sampled_from(["real", "virtual"]))
    def make(self, clock: Any) -> None:
        self.host = Host()
        self.entries: list[Any] = []
        self.kept: list[JSHandle] = []
        self.neighbour = Sandbox(limits=LIMITS)
        self.box = Sandbox(
            limits=LIMITS,
            functions={"plain": self.host.plain, "later": self.host.later},
            globals={"numbers": self.host.numbers(), "stream": self.host.stream(), "host": self.host},
            modules={"a": "export default 1"},
            console=self.entries.append,
            clock=clock,
            seed=1,
        )

    @rule(script=scripts())
    def evaluate(self, script: Script) -> None:
        value = outcome(self.box, script)
        if isinstance(value, JSHandle):
            self.kept.append(value)

    @rule(message=MESSAGES, path=st.sampled_from(["f", "a.b"]))
    def call(self, message: bytes, path: str) -> None:
        self._try(lambda: self.box.call(path, message))

    @rule(value=values)
    def give(self, value: object) -> None:
        self._try(lambda: self.box.globals.__setitem__("g", value))

    @rule()
    def take(self) -> None:
        self._try(lambda: len(self.box.globals))
        self._try(lambda: self.box.module("1"))

    @rule()
    def idle(self) -> None:
        self._try(lambda: self.box.run_until_idle(timeout=0.02))

    @rule()
    def use(self) -> None:
        for held in self.kept[:3]:
            if isinstance(held, JSFunction):
                self._try(functools.partial(held, 1))
            elif isinstance(held, JSPromise):
                self._try(held.result)
            else:
                self._try(functools.partial(list, held))
        self.kept.clear()

    def _try(self, use: Any) -> None:
        with suppress(SandboxError):
            use()

    @invariant()
    def the_host_is_well(self) -> None:
        if not hasattr(self, "box"):
            return
        driver = self.box._driver
        assert driver.guest.state in (State.READY, State.POISONED)
        assert driver.guest.instance.depth == 0
        assert driver.guest.instance.pending is None
        assert driver._operations.live() <= LIMITS.handles
        assert len(driver.runs) == 0
        usage = self.box.usage
        assert usage.memory_bytes <= LIMITS.memory_bytes
        assert usage.heap_bytes <= usage.memory_bytes
        assert outcome(self.neighbour, Script().finish(b"\0\x07")) == 7

    def teardown(self) -> None:
        if hasattr(self, "box"):
            self.kept.clear()
            self.box.close()
            self.neighbour.close()
            assert self.box.usage.pending_requests == 0


def test_random_steps_of_an_attacker() -> None:
    run_state_machine_as_test(Owned, settings=SETTINGS)
    gc.collect()


@settings(SETTINGS, max_examples=EXAMPLES * 2)
@given(data=st.binary(max_size=200), seed=st.integers(0, 1 << 32))
def test_random_bytes_as_a_script(data: bytes, seed: int) -> None:
    """Not even the steps make sense."""
    script = Script()
    rng = random.Random(seed)
    script.code += bytes(rng.randrange(14) if rng.random() < 0.3 else byte for byte in data)
    with Sandbox(limits=LIMITS, functions={"f": lambda *_: None}) as box:
        outcome(box, script)


@pytest.mark.parametrize("seed", range(4))
def test_random_memory(seed: int) -> None:
    """All of what the guest has in memory but its script is noise, and then it calls the host."""
    rng = random.Random(seed)
    script = Script()
    for _ in range(12):
        script.poke(rng.choice([OUTBOX, CONTROL, FREE, INBOX]), rng.randbytes(rng.randrange(1, 200)))
        script.outbox(rng.choice([OUTBOX, FREE]), rng.randrange(400)).call(rng.choice([Op.POLL, 256, Op.RANDOM_FILL]))
    with Sandbox(limits=LIMITS, functions={"f": lambda *_: None}) as box:
        outcome(box, script)
