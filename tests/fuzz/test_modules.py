"""Random programs of random modules, some of which fail, wait, call back or are cut off: none may break the sandbox."""

from __future__ import annotations

import random
from collections import Counter

import anyio.lowlevel
import pytest

from sandbox import JSError, Limits, Sandbox
from sandbox.errors import ConversionError, MemoryLimitExceeded, SandboxBusy, SandboxError, Stalled
from sandbox.modules import Importer, ModuleSource

_EXPECTED = (JSError, Stalled, ConversionError, MemoryLimitExceeded, SandboxBusy)
_REQUESTS = [
    "import './m{0}';",
    "import {{x as x{1}}} from './m{0}';",
    "export * from './m{0}';",
    "import * as all{1} from './m{0}';",
    "export * as part{1} from './m{0}';",
]
# A statement, and how often a module has it.
_STATEMENTS = [
    ("import {{none}} from './m{0}';", 0.15),
    ("let let = 1;", 0.08),
    ("import './missing';", 0.1),
    ("maybe();", 1.0),
    ("await 0;", 0.2),
    ("await new Promise(done => setTimeout(done, 1));", 0.1),
    ("throw new Error('mine');", 0.1),
    ("import('./m{0}').catch(() => {{}});", 0.1),
    ("import.meta.x = 1;", 0.2),
    ("later.push(() => import('./m{0}').catch(() => {{}}));", 0.5),
    ("export let x = 1;", 0.9),
    ("export default class {{}};", 0.3),
    ("export {{whole as 'module.exports'}}; const whole = 1;", 0.1),
    ("try {{ require('./m{0}'); }} catch {{}}", 0.3),
]


class _Cut(BaseException):
    """Ends a turn wherever it is."""


class _Modules:
    """Sources that are new each time they are asked for, and the callback of the programs."""

    def __init__(self, seed: int) -> None:
        self.random = random.Random(seed)
        self.count = self.random.randrange(4, 14)
        self.is_slow = self.random.random() < 0.4
        self.box: Sandbox | None = None

    def name(self) -> int:
        return self.random.randrange(self.count)

    def loader(self, specifier: str, importer: Importer) -> object:
        chance = self.random.random()
        if specifier == "./missing":
            return None
        if chance < 0.05:
            raise OSError("no such disk")
        if chance < 0.07:
            raise _Cut
        source = self._source()
        return self._later(source) if self.is_slow and self.random.random() < 0.5 else source

    async def _later(self, source: ModuleSource) -> ModuleSource:
        await anyio.lowlevel.checkpoint()
        return source

    def _source(self) -> ModuleSource:
        names = [self.name() for _ in range(self.random.randrange(4))]
        if self.random.random() < 0.2:
            requires = "".join(f"try {{ require('./m{name}') }} catch {{}};" for name in names)
            ending = self.random.choice(["", "", "", "throw new Error('mine')"])
            code = f"globalThis.require = require; {requires} maybe(); exports.x = 1; {ending}"
            return ModuleSource(code, kind="commonjs")
        requests = [self.random.choice(_REQUESTS).format(name, i) for i, name in enumerate(names)]
        chosen = [text.format(self.name()) for text, often in _STATEMENTS if self.random.random() < often]
        return ModuleSource("".join(requests + chosen))

    def maybe(self) -> None:
        chance = self.random.random()
        if chance < 0.03:
            raise _Cut
        if chance < 0.15:
            assert self.box is not None
            self.box.import_module(f"./m{self.name()}")

    def step(self, box: Sandbox) -> None:
        one, two = self.name(), self.name()
        match self.random.randrange(5):
            case 0:
                box.import_module(f"./m{one}")
            case 1:
                box.module(f"import * as a from './m{one}'; export * as b from './m{two}'; export default () => a")
            case 2:
                box.eval(f"Promise.allSettled([import('./m{one}'), import('./m{two}')]).then(() => 0)")
            case 3:
                box.eval("later.splice(0, 5).map(f => f()); 0")
            case _:
                box.module("export default await 1; maybe()")


@pytest.mark.parametrize("seed", range(25))
def test_no_modules_break_a_sandbox(seed: int) -> None:
    modules, outcomes = _Modules(seed), Counter[str]()
    options = {"functions": {"maybe": modules.maybe}, "limits": Limits(cpu_seconds=2, memory_bytes=8 << 20)}
    with Sandbox(modules=modules.loader, clock="virtual", **options) as box:  # type: ignore[arg-type] # any source
        modules.box = box
        box.eval("globalThis.later = []; 0")
        for _ in range(30):
            try:
                modules.step(box)
            except (_Cut, *_EXPECTED) as error:
                outcomes[type(error).__name__] += 1
            except SandboxError as error:
                pytest.fail(f"{type(error).__name__}: {error}")
            else:
                outcomes["value"] += 1
        assert box.eval("1 + 1") == 2
        assert box.module("export default 2") == {"default": 2}
    assert outcomes["value"] > 5
