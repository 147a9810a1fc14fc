"""Lives of sandboxes: one whole number says how a sandbox is made, what is asked of it, and how it ends."""

from __future__ import annotations

from dataclasses import dataclass, fields
from random import Random
from typing import TYPE_CHECKING, Any, Final, Literal

from sandbox import Limits
from tests.soak import programs

if TYPE_CHECKING:
    from sandbox.limits import Metering, OnLimit

Kind = Literal["eval", "module", "import", "call", "set", "get", "delete", "idle", "tick", "twin"]
Face = Literal["blocking", "asyncio", "trio"]

# What a sandbox is asked for, and how often compared with the others.
_KINDS: Final[dict[Kind, int]] = {
    "eval": 60,
    "module": 10,
    "import": 3,
    "call": 10,
    "set": 5,
    "get": 8,
    "delete": 2,
    "idle": 4,
    "tick": 3,
    "twin": 4,
}
_FACES: Final[dict[Face, int]] = {"blocking": 76, "asyncio": 12, "trio": 12}
_ON_LIMIT: Final[dict[OnLimit, int]] = {"keep": 5, "poison": 1, "rollback": 3}
_NAMES: Final = ["v0", "v1", "o0", "a0", "f0", "x", "host", "echo", "Object", "then", "", "\ud800", "constructor"]
_PATHS: Final = ["f0", "f1", "o0.x", "Derived.x", "console.log", "Array.from", "host.add", "missing.x", "a0.push", ""]
_SPECIFIERS: Final = ["a", "b", "./c", "d.js", "slow", "broken", "missing", "../a", ""]


@dataclass(frozen=True, slots=True)
class Step:
    """One request of the embedder.

    Attributes:
        kind: What is asked for.
        text: A program, or a name.
        seed: Decides everything else about it.
        cancel_seconds: After how long its task is cancelled; None: never. Only on the asynchronous face.
    """

    kind: Kind
    text: str
    seed: int
    cancel_seconds: float | None = None


@dataclass(frozen=True, slots=True)
class Life:
    """The plan of one sandbox.

    Attributes:
        seed: The number it was made from.
        face: Which of the faces is used, on which event loop.
        limits: Its budgets.
        on_limit: What a limit does to it.
        clock: Its clock.
        host_seed: Decides what its host functions do.
        is_closed: Whether it is closed at the end, or left to the garbage collector.
        steps: What is asked of it, in order.
    """

    seed: int
    face: Face
    limits: Limits
    on_limit: OnLimit
    clock: Literal["real", "virtual"]
    host_seed: int
    is_closed: bool
    steps: tuple[Step, ...]

    @classmethod
    def from_seed(cls, seed: int) -> Life:
        """The plan that a number stands for."""
        random = Random(seed)
        count = random.choice([1, 2, 3, 4, 6, 8])
        return cls(
            seed=seed,
            face=random.choices(list(_FACES), list(_FACES.values()))[0],
            limits=_limits(random),
            on_limit=random.choices(list(_ON_LIMIT), list(_ON_LIMIT.values()))[0],
            clock=random.choice(["real", "virtual"]),
            host_seed=random.getrandbits(32),
            is_closed=random.random() < 0.7,
            steps=tuple(_step(random) for _ in range(count)),
        )

    def describe(self) -> str:
        """The life as a text for whoever has to understand a failure."""
        given = {each.name: getattr(self.limits, each.name) for each in fields(Limits)}
        changed = {name: value for name, value in given.items() if value != getattr(Limits(), name)}
        lines = [f"life {self.seed}: {self.face}, {self.clock} clock, on_limit={self.on_limit}, {changed}"]
        lines += [f"  {number}. {step.kind}: {step.text}" for number, step in enumerate(self.steps)]
        return "\n".join(lines).encode("utf-8", "backslashreplace").decode()


def _limits(random: Random) -> Limits:
    """Small budgets; most of them ample for small programs, some for nothing at all."""

    def rarely(share: float, *values: int) -> int | None:
        return random.choice(values) if random.random() < share else None

    metering: Metering = random.choice(["fuel", "fuel", "clock"])
    given: dict[str, Any] = {
        "fuel": None if metering == "clock" else rarely(0.1, 100_000, 3_000_000, 30_000_000, 1_000_000_000),
        "stack_bytes": rarely(0.2, 32 << 10, 64 << 10, 256 << 10),
        "output_bytes": rarely(0.3, 10, 1_000, 100_000),
        "max_nodes": rarely(0.2, 100, 1_000, 100_000),
        "max_depth": rarely(0.1, 10, 50),
        "message_bytes": rarely(0.1, 2_000, 100_000, 1 << 20),
        "pending_requests": rarely(0.3, 1, 10, 1_000),
        "concurrent_calls": rarely(0.2, 1, 10, 100),
        "handles": rarely(0.4, 20, 100, 1_000),
    }
    return Limits(
        memory_bytes=random.choice([4, 5, 5, 6, 7, 8, 16, 32, 64]) << 20,
        cpu_seconds=random.choice([0.005, 0.01, 0.02, 0.05, 0.1, 0.2]),
        wall_seconds=random.choice([0.05, 0.1, 0.2, 0.5]),
        metering=metering,
        **{name: value for name, value in given.items() if value is not None},
    )


def _step(random: Random) -> Step:
    kind = random.choices(list(_KINDS), list(_KINDS.values()))[0]
    match kind:
        case "eval":
            text = programs.program(random)
        case "module":
            text = programs.program(random, "module_program")
        case "call":
            text = random.choice(_PATHS) if random.random() < 0.3 else programs.program(random, "function")
        case "import":
            text = random.choice(_SPECIFIERS)
        case "set" | "get" | "delete":
            text = random.choice(_NAMES)
        case _:
            text = ""
    cancel_seconds = random.choice([0.0, 0.001, 0.01, 0.03]) if random.random() < 0.15 else None
    return Step(kind, text, random.getrandbits(32), cancel_seconds)
