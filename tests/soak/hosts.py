"""What the host gives to a random program: functions of every kind, some of which fail, wait, call back or meddle."""

from __future__ import annotations

import gc
import itertools
from array import array
from collections.abc import AsyncIterator, Awaitable, Callable, Generator, Iterator, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

import anyio
import anyio.lowlevel

from sandbox import URL, AsyncSandbox, BigInt, HostFunction, JSError, JSMap, JSSet, RegExp, Sandbox, expose, undefined
from sandbox.modules import Importer, ModuleSource

if TYPE_CHECKING:
    from random import Random

_KEPT: Final = 20
_LONGEST_NAP_SECONDS: Final = 0.02
_MODULES: Final = {
    "a": "import {x as y} from './b'; export const x = 1; export default () => y",
    "b": "import * as a from './a'; export let x = 2; export default a; globalThis.v0 = a",
    "c": ModuleSource("exports.x = require('./a'); exports.y = () => exports", kind="commonjs"),
    "d.js": "export let x = await later(1); export default class {}",
    "broken": "export let x = ;",
}


class Cut(BaseException):
    """Ends a run from inside a host function: no error of the package, and none the guest may catch."""


class _Odd(Exception):
    """Its own text cannot be read."""

    def __str__(self) -> str:
        raise ValueError("no text")


class _Soon:
    """An awaitable that asks for nothing when it is not awaited: whoever passes one may find it refused."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __await__(self) -> Generator[Any, Any, object]:
        yield from anyio.lowlevel.checkpoint().__await__()
        return self._value


class _Shifty(Mapping[str, object]):
    """A mapping that says something else each time."""

    def __init__(self) -> None:
        self._counter = itertools.count()

    def __getitem__(self, key: str) -> object:
        if next(self._counter) % 5 == 4:
            raise KeyError(key)
        return key

    def __iter__(self) -> Iterator[str]:
        return iter("abc" * (next(self._counter) % 3))

    def __len__(self) -> int:
        return next(self._counter) % 4


# What runs on an event loop knows nothing of the sandbox: whoever drops one would otherwise never lose it.


def fail(which: object = 0, *_: object) -> None:
    """Raise something."""
    errors: list[BaseException] = [
        ValueError("no"),
        KeyError("\ud800"),
        _Odd(),
        TypeError(),
        OSError(2, "No such file", "/secret/path"),
        RecursionError(),
        MemoryError(),
        JSError("forged", name="TypeError", properties={"x": [1, {"y": undefined}]}),
        ExceptionGroup("group", [ValueError("x")]),
        StopIteration(1),
        Cut(),
    ]
    raise errors[(which if isinstance(which, int) else len(str(which)[:20])) % len(errors)]


async def later(value: object = None, *_: object) -> object:
    """Answer in a moment."""
    await anyio.lowlevel.checkpoint()
    return value


async def nap(milliseconds: object = 1, *_: object) -> object:
    """Answer after some milliseconds."""
    seconds = milliseconds / 1000 if isinstance(milliseconds, int) else 0.0
    await anyio.sleep(max(0.0, min(_LONGEST_NAP_SECONDS, seconds)))
    return milliseconds


async def failing(value: object = None, *_: object) -> None:
    """Fail in a moment."""
    await anyio.lowlevel.checkpoint()
    fail(value)


async def ticks(most: object = 3, *_: object) -> AsyncIterator[object]:
    """Count, and wait before each number."""
    for number in range(min(most, 10**9) if isinstance(most, int) else 3):
        await anyio.lowlevel.checkpoint()
        yield number


def torn(most: object = 2, *_: object) -> Iterator[object]:
    """Count, and fail in the middle, and again at the end."""
    try:
        for number in range(most if isinstance(most, int) else 2):
            if number == 3:
                raise ValueError("torn")
            yield number
    finally:
        fail(most)


class Host:
    """The functions and modules of one sandbox.

    Args:
        random: Decides what they do.
    """

    def __init__(self, random: Random) -> None:
        self._random = random
        self._kept: list[Any] = []
        self._count = 0
        self.box: Sandbox | AsyncSandbox | None = None

    def functions(self) -> dict[str, Callable[..., Any]]:
        """What the guest may call, by name."""
        return {
            "echo": lambda *args: args[0] if len(args) == 1 else list(args),
            "fail": fail,
            "later": later,
            "nap": nap,
            "failing": failing,
            "wait": HostFunction(later, wait=True),
            "count": self.numbers,
            "ticks": ticks,
            "torn": torn,
            "back": lambda function, *args: function(*args),
            "nested": self.nested,
            "keep": self.keep,
            "again": self.again,
            "made": self.made,
            "rich": self.rich,
            "meddle": self.meddle,
        }

    def globals(self) -> dict[str, object]:
        """Objects of the host, by name."""
        return {"host": expose(self, "count", "add", "later", "self", "made", writable=["count"])}

    # --- the exposed object ---

    @property
    def count(self) -> int:
        """A number that the guest may set."""
        return self._count

    @count.setter
    def count(self, value: object) -> None:
        if not isinstance(value, int):
            raise TypeError("a number, please")
        self._count = value

    @property
    def self(self) -> object:
        """The object again."""
        return self.globals()["host"]

    def later(self, value: object = None) -> Awaitable[object]:
        """Answer in a moment."""
        return later(value)

    def add(self, value: object) -> object:
        """Answer with what was given, and more."""
        return [value, self._count, later]

    # --- functions ---

    def numbers(self, most: object = 3, *_: object) -> Iterator[object]:
        """Count."""
        for number in range(min(most, 10**9) if isinstance(most, int) else 3):
            yield number if number % 7 else [number, {"x": number}]

    def nested(self, code: object, *_: object) -> object:
        """Evaluate in the guest that calls."""
        assert isinstance(self.box, Sandbox)
        return self.box.eval(str(code))

    def keep(self, function: object, *_: object) -> int:
        """Hold what the guest gave; the oldest is dropped when there are many."""
        self._kept.append(function)
        if len(self._kept) > _KEPT:
            self._kept.pop(0)
        return len(self._kept)

    def again(self, *args: object) -> list[object]:
        """Call what was kept."""
        return [kept(*args) for kept in self._kept[-2:]]

    def made(self, which: object = 0, *_: object) -> Callable[..., Any]:
        """A function of its own."""
        functions: list[Callable[..., Any]] = [
            lambda *args: list(args),
            self.made,
            later,
            lambda x=None, *, y=1: [x, y],
            dict,
            ticks,
        ]
        return functions[which % len(functions) if isinstance(which, int) else 0]

    def rich(self, which: object = 0, *_: object) -> object:
        """A value that is hard to carry."""
        return self.value(which if isinstance(which, int) else 0)

    def value(self, which: int) -> object:
        """One of the values that the host may send, or cannot."""
        shared: list[object] = [1]
        shared.append(shared)
        deep: list[object] = []
        for _ in range(self._random.choice([3, 400, 600, 5000])):
            deep = [deep]
        makers: list[Callable[[], object]] = [
            lambda: [shared, shared, {"m": {1, 2}, "e": ValueError("x"), "u": undefined, "n": 2**70}],
            lambda: deep,
            lambda: JSMap([({}, 1), ([], shared)]) if which % 2 else JSSet([1, "1", None]),
            lambda: [b"bytes", bytearray(3), memoryview(array("d", [1.5, float("nan")])), array("i", [1])],
            lambda: [BigInt(5), RegExp("(", "g"), URL("http://h/?q"), datetime.max.replace(tzinfo=UTC), float("-inf")],
            lambda: _Soon(which),
            lambda: {"__proto__": 1, "then": lambda *_: None, "\ud800": "\ud800\udc00", "constructor": None, "0": 0},
            lambda: self.numbers(which),
            lambda: [ticks(2), _Soon(1), self.made(which)],
            lambda: object(),
            lambda: _Shifty(),
            lambda: "x" * self._random.choice([10, 10_000, 3_000_000]),
            lambda: list(range(self._random.choice([10, 20_000]))),
            lambda: JSError("m", name="then", properties={"cause": shared, "stack": 1}),
            lambda: iter([1, object()]),
            lambda: (value for value in [Cut]),
        ]
        return makers[which % len(makers)]()

    def meddle(self, which: object = 0, *_: object) -> object:
        """Use the sandbox as a host function must not, or hardly should."""
        box = self.box
        assert isinstance(box, Sandbox)
        acts: list[Callable[[], object]] = [
            box.close,
            box.interrupt,
            box.run_until_idle,
            lambda: box.usage.fuel,
            gc.collect,
            lambda: box.globals.get("x"),
            lambda: box.globals.update(x=self.made()),
            lambda: box.call("f0", self.made()),
            lambda: box.module("export default 1"),
            lambda: box.import_module("b"),
            lambda: list(box.globals),
            self._kept.clear,
            lambda: box.eval("for (;;);", timeout=0.01),
            lambda: box.eval("1", fuel=1_000),
            lambda: box.eval("Promise.resolve(1)"),
        ]
        answer = acts[which % len(acts) if isinstance(which, int) else 0]()
        return answer if isinstance(answer, int | str | list) else None

    # --- modules ---

    def load(self, specifier: str, _importer: Importer) -> Any:
        """Give a module; some come late, some fail."""
        name = specifier.removeprefix("./").partition("?")[0]
        if name == "slow":
            return self._load_slowly()
        if name == "missing" and self._random.random() < 0.3:
            raise OSError("no such disk")
        return _MODULES.get(name)

    async def _load_slowly(self) -> str:
        await anyio.lowlevel.checkpoint()
        return "import 'a'; export let x = 3; export {x as default}"
