"""A soak as a picture: resident memory over time, and how requests ended."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from matplotlib.figure import Figure

if TYPE_CHECKING:
    from pathlib import Path

    from tests.soak.supervisor import Result

# Okabe and Ito's palette: told apart by colour-blind readers, legible on white.
_REST, _BUSY, _ENDS = "#0072b2", "#56b4e9", ("#d55e00", "#e69f00", "#009e73", "#cc79a7", "#f0e442", "#999999")
_INK: Final = "#222222"
_MIB: Final = 1 << 20
_NO_ERRORS: Final = (
    "value",
    "answers afterwards",
    "no answer afterwards",
    "console entry",
    "cancelled",
    "end of an iterator",
)


def draw(result: Result, path: Path) -> None:
    """Draw the chart and write it to `path`, as SVG or PNG by its suffix."""
    figure = Figure(figsize=(10, 7), layout="constrained")
    memory, errors = figure.subplots(2, sharex=True)
    _draw_memory(memory, result)
    _draw_errors(errors, result)
    tally = result.tally
    programs = f"{tally['programs']:,} hostile programs in {tally['sandboxes']:,} sandboxes"
    verdict = "everything held" if result.is_good else "not everything held"
    figure.suptitle(f"{programs} on {result.order.threads} threads: {verdict}", color=_INK)
    figure.savefig(path, dpi=150, facecolor="white")


def _draw_memory(axes: Any, result: Result) -> None:
    axes.plot(
        [at for at, _ in result.busy], [size / _MIB for _, size in result.busy], color=_BUSY, lw=0.6, label="running"
    )
    axes.plot(
        [sample.seconds for sample in result.samples],
        [sample.rss_bytes / _MIB for sample in result.samples],
        color=_REST,
        lw=1.8,
        label="at rest, no hostile sandbox alive",
    )
    axes.set_ylim(bottom=0)
    axes.set_ylabel("resident memory, MiB")
    axes.legend(frameon=False, loc="upper left")


def _draw_errors(axes: Any, result: Result) -> None:
    """Errors a second by class, between one sample and the next; the most frequent classes have colours."""
    times = [sample.seconds for sample in result.samples]
    names = [name for name in result.tally["outcomes"] if name not in _NO_ERRORS]
    names.sort(key=lambda name: -result.tally["outcomes"][name])
    shown, rest = names[: len(_ENDS) - 1], names[len(_ENDS) - 1 :]
    groups = {name: [name] for name in shown} | ({"others": rest} if rest else {})
    counts = [
        [sum(tally["outcomes"].get(name, 0) for name in members) for tally in result.tallies]
        for members in groups.values()
    ]
    rates = [
        [
            0.0,
            *(
                (after - before) / max(1e-9, end - start)
                for before, after, start, end in zip(row, row[1:], times, times[1:], strict=False)
            ),
        ]
        for row in counts
    ]
    if times and rates:
        axes.stackplot(times, *(row[: len(times)] for row in rates), labels=list(groups), colors=_ENDS)
        axes.legend(frameon=False, loc="upper left", ncols=3, fontsize=8)
    axes.set_ylabel("errors a second")
    axes.set_xlabel("seconds")
