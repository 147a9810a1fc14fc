"""Rows by engines: run the corpus, keep what was found, and say how each row ended."""

from __future__ import annotations

import contextlib
import json
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from benchmarks import channel
from benchmarks.catalog import OURS
from benchmarks.channel import Channel, WorkerEnded, WorkerError, WorkerLate
from benchmarks.environments import UnavailableError, interpreter
from benchmarks.hostile.judge import KILLED_SECONDS, SURVIVED, VERDICTS, Verdict, judge
from benchmarks.results import EngineInfo
from benchmarks.runner import describe_machine
from tests.corpus import BY_ID, CASES
from tests.corpus.case import NOT_OFFERED

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from benchmarks.catalog import Engine
    from tests.corpus.case import Case

FORMAT = 1
_START_SECONDS = 60.0
_AGAIN = frozenset({"late", "memory"})  # what is tried a second time, for the machine may have been busy


@dataclass(frozen=True, slots=True)
class Cell:
    """How one engine came through one row.

    Attributes:
        worst: The worst verdict of its cases; None where none was tried.
        kept: How many cases it survived.
        tried: How many it offers something for.
        texts: Case name to what went wrong there.
    """

    worst: str | None
    kept: int
    tried: int
    texts: dict[str, str]


@dataclass(slots=True)
class Matrix:
    """What a run found.

    Attributes:
        engines: In the order of the catalog, those that could not be installed with the reason.
        verdicts: Case id, then engine name.
        machine: Where and when.
    """

    engines: list[EngineInfo] = field(default_factory=list)
    verdicts: dict[str, dict[str, Verdict]] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)

    def cell(self, row: int, engine: str) -> Cell:
        """Sum up one engine's cases of one row."""
        found = {
            case.name: self.verdicts[case.id][engine]
            for case in CASES
            if case.row == row and engine in self.verdicts.get(case.id, {})
        }
        offered = {name: verdict for name, verdict in found.items() if verdict.name != NOT_OFFERED}
        worst = max(offered.values(), key=lambda verdict: verdict.rank, default=None)
        texts = {name: f"{v.name}: {v.text}" for name, v in offered.items() if v.name != SURVIVED}
        name = worst.name if worst else NOT_OFFERED if found else None
        return Cell(name, len(offered) - len(texts), len(offered), texts)

    def update(self, newer: Matrix) -> None:
        """Take over what another run has found, verdict by verdict."""
        known = {engine.name: engine for engine in self.engines}
        known |= {engine.name: engine for engine in newer.engines if not engine.reason or engine.name not in known}
        self.engines = list(known.values())
        self.machine = newer.machine
        for case, verdicts in newer.verdicts.items():
            self.verdicts.setdefault(case, {}).update(verdicts)

    def to_json(self) -> dict[str, Any]:
        """Plain data; `from_json` reads them back. Cases that have left the corpus are left out."""
        return {
            "format": FORMAT,
            "machine": self.machine,
            "engines": [asdict(engine) for engine in self.engines],
            "verdicts": {
                case.id: {name: [verdict.name, verdict.text] for name, verdict in self.verdicts[case.id].items()}
                for case in CASES
                if case.id in self.verdicts
            },
        }

    @classmethod
    def from_json(cls, data: object) -> Matrix:
        """Read a matrix.

        Raises:
            ValueError: The data are of another format.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"these are not results of format {FORMAT}")
        verdicts = {
            case: {name: Verdict(*verdict) for name, verdict in verdicts.items()}
            for case, verdicts in data["verdicts"].items()
            if case in BY_ID and all(name in VERDICTS for name, _ in verdicts.values())
        }
        return cls([EngineInfo(**engine) for engine in data["engines"]], verdicts, dict(data["machine"]))

    @classmethod
    def load(cls, path: Path) -> Matrix:
        """Read what `save` has written; an empty matrix where there is none."""
        with contextlib.suppress(FileNotFoundError):
            return cls.from_json(json.loads(path.read_text(encoding="utf-8")))
        return cls()

    def save(self, path: Path) -> None:
        """Write the matrix as JSON, a case a line, so that changes can be read."""
        data = self.to_json()
        lines = [f"  {json.dumps(case)}: {json.dumps(found)}" for case, found in data.pop("verdicts").items()]
        head = json.dumps(data, indent=1).removesuffix("\n}")
        path.write_text(f'{head},\n "verdicts": {{\n' + ",\n".join(lines) + "\n }\n}\n", encoding="utf-8")


def run(engines: Sequence[Engine], cases: Sequence[Case], on_step: Callable[[Engine, Case | None], None]) -> Matrix:
    """Put every engine to every case, each in a process of its own.

    Args:
        engines: Which engines; one that cannot be installed is noted with the reason.
        cases: Which cases.
        on_step: Called before an engine is made ready, and before each of its cases.
    """
    found = Matrix(machine=describe_machine())
    for engine in engines:
        on_step(engine, None)
        try:
            with _worker(engine) as worker:
                hello = worker.ask({"do": "hello"}, _START_SECONDS)
        except (UnavailableError, WorkerError) as error:
            found.engines.append(EngineInfo(engine.name, engine.title, engine.limits, reason=str(error)))
            continue
        info = EngineInfo(engine.name, engine.title, engine.limits, hello["version"], hello["python"])
        found.engines.append(info)
        for case in cases:
            on_step(engine, case)
            if case.ours and engine.name != OURS:
                continue
            found.verdicts.setdefault(case.id, {})[engine.name] = _verdict(engine, case)
    return found


def _verdict(engine: Engine, case: Case) -> Verdict:
    verdict = _once(engine, case)
    return _once(engine, case) if verdict.name in _AGAIN else verdict


def _once(engine: Engine, case: Case) -> Verdict:
    with _worker(engine) as worker:
        try:
            worker.ask({"do": "hello"}, _START_SECONDS)
            return judge(case, worker.ask({"case": case.id}, KILLED_SECONDS), strictly=False)
        except WorkerLate as late:
            return Verdict("late", str(late))
        except WorkerEnded as end:
            return Verdict("crash", str(end))
        except WorkerError as error:
            return Verdict("wrong error", str(error))


def _worker(engine: Engine) -> Channel:
    arguments = channel.command(interpreter(engine), "benchmarks.hostile.worker", engine.module)
    return Channel(arguments, channel.environment())
