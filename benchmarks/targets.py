"""What the project aims at, beside what a run measured. Information only: nothing here makes a run fail."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.catalog import OURS
from benchmarks.results import Report, format_figure, format_ratio
from benchmarks.rows import BY_ID


@dataclass(frozen=True, slots=True)
class Target:
    """One aim.

    Attributes:
        row: Row id.
        peer: Our figure is divided by this engine's; None compares the figure itself.
        row_below: Our figure is divided by our own of this row.
        at_most: Upper bound of the quotient, or of the figure in the row's unit.
    """

    row: str
    peer: str | None
    at_most: float
    row_below: str = ""

    @property
    def text(self) -> str:
        """The aim in words."""
        title = BY_ID[self.row].title
        if BY_ID[self.row].group == "compute":
            title = f"compute, {title}"
        if self.row_below and self.at_most > 1:
            return f"{title}: at most {self.at_most:g} times {BY_ID[self.row_below].title}"
        if self.row_below:
            return f"{title}: {1 / self.at_most:.1f} times the work of {BY_ID[self.row_below].title}"
        if self.peer is None:
            return f"{title}: at most {format_figure(self.at_most, BY_ID[self.row].unit)}"
        if self.at_most == 1:
            return f"{title}: below {self.peer}"
        if self.at_most < 1:
            return f"{title}: at most 1/{1 / self.at_most:.0f} of {self.peer}"
        return f"{title}: at most {self.at_most:g} times {self.peer}"


TARGETS: tuple[Target, ...] = (
    Target("spawn", "quickjs-rs", 1 / 8),
    Target("spawn", "jsrun", 1 / 60),
    Target("spawn_template", "jsrun", 1 / 30),
    Target("idle_rss", None, 600_000),
    Target("idle_pss_10000", None, 300_000),
    Target("eval", "jsrun", 1),
    Target("host_call", "quickjs-rs", 1 / 30),
    Target("host_call", "jsrun", 1 / 3),
    Target("guest_work_2", None, 1 / 1.8, "guest_work_1"),
    Target("host_calls_2", None, 1 / 1.2, "host_calls_1"),
    Target("records_out", "quickjs-rs", 1 / 300),
    Target("records_out", "jsrun", 1 / 3),
    Target("many_records_out", "jsrun", 1 / 2),
    Target("many_records_in", "jsrun", 1 / 2),
    Target("large_bytes_out", None, 0.01),
    Target("large_bytes_in", None, 0.01),
    Target("typescript", None, 1.0),
    Target("first_eval", "quickjs-rs", 1 / 3),
    Target("first_eval", None, 1.2, "first_import"),
    Target("compute_mean", "quickjs-ng", 1.35),
    Target("compute_mean", "quickjs-ng-wheel", 1),
    Target("compute_mean", "quickjs-rs", 1),
)


@dataclass(frozen=True, slots=True)
class Verdict:
    """One aim beside the measurement.

    Attributes:
        target: The aim.
        measured: Our figure, or our share of the peer's, as text.
        met: None when a figure is missing.
    """

    target: Target
    measured: str
    met: bool | None


def compare(report: Report) -> list[Verdict]:
    """Set every target beside the report; targets whose row was not measured are left out."""
    verdicts = []
    for target in TARGETS:
        if target.row not in report.cells:
            continue
        if target.row_below:
            figure, base = report.median(target.row, OURS), report.median(target.row_below, OURS)
            figure = figure / base if figure and base else None
            share = figure if figure is None or target.at_most > 1 else 1 / figure
            text = "" if share is None else f"{share:.2f} times"
        elif target.peer is None:
            figure = report.median(target.row, OURS)
            text = "" if figure is None else format_figure(figure, BY_ID[target.row].unit)
        else:
            figure = report.ratio(target.row, OURS, target.peer)
            text = "" if figure is None else _share(figure)
        verdicts.append(Verdict(target, text or "no figure", None if figure is None else figure <= target.at_most))
    return verdicts


def _share(figure: float) -> str:
    """Our share of a peer's figure: `1/31` below one half, else a ratio."""
    return f"1/{format_ratio(1 / figure).removesuffix('x')}" if figure < 0.5 else format_ratio(figure)
