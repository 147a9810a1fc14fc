"""What a run found: figures, ratios and the JSON file. No measuring and no drawing here."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

from benchmarks.rows import BY_ID, COMPUTE_MEAN, PROGRAMS, Row

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

FORMAT = 1
COMPUTE_ROWS = tuple(f"compute_{name}" for name in PROGRAMS)

Status = Literal["measured", "not available", "failed"]


@dataclass(frozen=True, slots=True)
class Cell:
    """One engine's figure in one row.

    Attributes:
        status: "not available" when the engine lacks the ability or is not installed, "failed" when it should have
            worked.
        samples: Figures in the row's unit, in the order they were taken; empty unless measured.
        reason: Why there is no figure.
        loops: Operations in one sample.
    """

    status: Status
    samples: tuple[float, ...] = ()
    reason: str = ""
    loops: int = 1

    @property
    def median(self) -> float | None:
        """Median of the samples, in the row's unit."""
        return statistics.median(self.samples) if self.samples else None

    @property
    def spread(self) -> tuple[float, float] | None:
        """Lower and upper quartile of the samples, in the row's unit."""
        if not self.samples:
            return None
        if len(self.samples) < 3:
            return min(self.samples), max(self.samples)
        low, _, high = statistics.quantiles(self.samples, n=4, method="inclusive")
        return low, high


@dataclass(frozen=True, slots=True)
class EngineInfo:
    """An engine as it was in this run."""

    name: str
    title: str
    note: str
    version: str = ""
    python: str = ""
    reason: str = ""


@dataclass(slots=True)
class Report:
    """Everything one run found.

    Attributes:
        engines: In the order they took turns.
        cells: Row id, then engine name.
        machine: Processor, cores, system, and when the run began.
        settings: Rounds, budgets and the number of live sandboxes.
    """

    engines: list[EngineInfo]
    cells: dict[str, dict[str, Cell]] = field(default_factory=dict)
    machine: dict[str, Any] = field(default_factory=dict)
    settings: dict[str, Any] = field(default_factory=dict)

    @property
    def rows(self) -> list[Row]:
        """The rows of this report, in the order they were measured."""
        return [BY_ID[row_id] for row_id in self.cells]

    def median(self, row_id: str, engine: str) -> float | None:
        """Median of one engine in one row, or None where there is no figure."""
        cell = self.cells.get(row_id, {}).get(engine)
        return cell.median if cell else None

    def ratio(self, row_id: str, engine: str, baseline: str) -> float | None:
        """How many times `baseline`'s figure `engine`'s is; None where either is missing or zero.

        The median over rounds, each sample divided by the other engine's of the same round: neighbours in time, so that
        a machine that is busy for a while slows both. With fewer than three common rounds, the quotient of the medians.
        The mean's ratio is the geometric mean of its rows' ratios.
        """
        if row_id == COMPUTE_MEAN.id:
            ratios = [self.ratio(row, engine, baseline) for row in COMPUTE_ROWS]
            known = [ratio for ratio in ratios if ratio]
            return geometric_mean(known) if len(known) == len(ratios) else None
        figure, base = self.median(row_id, engine), self.median(row_id, baseline)
        if not figure or not base:
            return None
        pairs = zip(self.cells[row_id][engine].samples, self.cells[row_id][baseline].samples, strict=False)
        ratios_by_round = [sample / other for sample, other in pairs if other]
        return statistics.median(ratios_by_round) if len(ratios_by_round) >= 3 else figure / base

    def add_compute_mean(self) -> None:
        """Add the geometric mean over all programs, for engines that ran all of them."""
        if not all(row in self.cells for row in COMPUTE_ROWS):
            return
        cells = {}
        for engine in self.engines:
            medians = [self.median(row, engine.name) for row in COMPUTE_ROWS]
            known = [median for median in medians if median]
            if len(known) == len(COMPUTE_ROWS):
                cells[engine.name] = Cell("measured", (geometric_mean(known),))
            else:
                cells[engine.name] = Cell("not available", reason="not all programs have a figure")
        self.cells[COMPUTE_MEAN.id] = cells

    def to_json(self) -> dict[str, Any]:
        """The report as plain data; `from_json` reads it back."""
        rows = []
        for row in self.rows:
            cells = {
                name: asdict(cell) | {"median": cell.median, "quartiles": cell.spread}
                for name, cell in self.cells[row.id].items()
            }
            rows.append({"id": row.id, "title": row.title, "group": row.group, "unit": row.unit, "cells": cells})
        return {
            "format": FORMAT,
            "machine": self.machine,
            "settings": self.settings,
            "engines": [asdict(engine) for engine in self.engines],
            "rows": rows,
        }

    @classmethod
    def from_json(cls, data: object) -> Report:
        """Read a report.

        Raises:
            ValueError: The data are of another format.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"this is not a benchmark report of format {FORMAT}")
        cells = {
            row["id"]: {
                name: Cell(cell["status"], tuple(cell["samples"]), cell["reason"], cell["loops"])
                for name, cell in row["cells"].items()
            }
            for row in data["rows"]
            if row["id"] in BY_ID
        }
        engines = [EngineInfo(**engine) for engine in data["engines"]]
        return cls(engines, cells, dict(data["machine"]), dict(data["settings"]))

    def save(self, path: Path) -> None:
        """Write the report as JSON; missing directories are made."""
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(self.to_json(), indent=1) + "\n", encoding="utf-8")


def geometric_mean(figures: Iterable[float]) -> float:
    """Geometric mean of positive figures.

    Raises:
        ValueError: There are none, or one is not positive.
    """
    logarithms = [math.log(figure) for figure in figures]
    if not logarithms:
        raise ValueError("the geometric mean of nothing is undefined")
    return math.exp(math.fsum(logarithms) / len(logarithms))


_SCALES: dict[str, Sequence[tuple[float, str]]] = {
    "seconds": ((1, "s"), (1e-3, "ms"), (1e-6, "µs"), (1e-9, "ns")),
    "bytes": ((1e9, "GB"), (1e6, "MB"), (1e3, "KB"), (1, "B")),
}


def format_figure(figure: float, unit: str) -> str:
    """A figure with three significant digits and the unit that suits it: `1.23 ms`, `231 KB`."""
    scales = _SCALES[unit]
    scale, name = next(((scale, name) for scale, name in scales if abs(figure) >= scale * 0.9995), scales[-1])
    scaled = figure / scale
    digits = 0 if abs(scaled) >= 99.95 else 1 if abs(scaled) >= 9.995 else 2
    return f"{scaled:.{digits}f} {name}"


def format_ratio(ratio: float) -> str:
    """A ratio with two or three significant digits: `0.42x`, `12x`, `1,830x`."""
    if ratio < 0.0995:
        return f"{ratio:.2g}x"
    if ratio >= 9.95:
        return f"{float(f'{ratio:.3g}'):,.0f}x"
    return f"{ratio:.1f}x" if ratio >= 1.95 else f"{ratio:.2f}x"
