"""The flags of `sandbox test` that measure coverage, and the table that shows it."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Final

import typer

from sandbox.cli._flags import UsageError
from sandbox.cli._terminal import harmless

if TYPE_CHECKING:
    from rich.text import Text

    from sandbox.cli._terminal import Terminal
    from sandbox.testing.coverage import Coverage, FileCoverage, Measure, Ratio
    from sandbox.testing.measuring import CoverageMode

_PANEL: Final = "Coverage"
_GOOD: Final = 80.0
_FAIR: Final = 50.0
_MOST_SHOWN: Final = 20


@dataclass(frozen=True, kw_only=True)
class CoverageFlags:
    """What is measured, where it goes, and what it must come to. Each of the flags asks for a measurement."""

    coverage: Annotated[
        bool,
        typer.Option(
            "--coverage",
            metavar="",
            rich_help_panel=_PANEL,
            help="Show which lines, statements and functions of the sources were executed.",
        ),
    ] = False
    coverage_all: Annotated[
        bool,
        typer.Option(
            "--coverage-all",
            metavar="",
            rich_help_panel=_PANEL,
            help="The same, also of sources below --root that no test loads.",
        ),
    ] = False
    coverage_dir: Annotated[
        Path | None,
        typer.Option(
            "--coverage-dir",
            metavar="DIR",
            rich_help_panel=_PANEL,
            help="Write lcov.info, coverage.json and index.html there.",
        ),
    ] = None
    coverage_min: Annotated[
        str | None,
        typer.Option(
            "--coverage-min",
            metavar="PERCENT",
            rich_help_panel=_PANEL,
            help="Fail if less was executed: 80 (of lines), or lines=80,functions=70.",
        ),
    ] = None

    @property
    def mode(self) -> CoverageMode | None:
        """What they ask for; None: nothing."""
        if self.coverage_all:
            return "all"
        is_asked = self.coverage or self.coverage_dir is not None or self.coverage_min is not None
        return "loaded" if is_asked else None

    def least(self) -> dict[Measure, float]:
        """What must be executed, in percent.

        Raises:
            UsageError: It is no percentage.
        """
        from sandbox.errors import UsageError as SandboxUsageError
        from sandbox.testing.coverage import read_minimum

        try:
            return read_minimum(self.coverage_min) if self.coverage_min is not None else {}
        except SandboxUsageError as error:
            raise UsageError(f"--coverage-min: {error}") from None

    def write(self, coverage: Coverage, root: Path) -> None:
        """Write the files that are asked for.

        Args:
            coverage: What was executed.
            root: The folder in which names of files begin.

        Raises:
            UsageError: They cannot be written.
        """
        if self.coverage_dir is None:
            return
        from sandbox.testing.coverage_formats import write_coverage

        before = os.path.relpath(root).replace(os.sep, "/")
        try:
            write_coverage(coverage, self.coverage_dir, "" if before == "." else before)
        except OSError as error:
            raise UsageError(f"--coverage-dir: {self.coverage_dir}: {error.strerror or error}") from None

    def shortfalls(self, coverage: Coverage) -> list[str]:
        """What is less than it must be, in words."""
        found = []
        for measure, percent in self.least().items():
            ratio = coverage.ratio(measure)
            if ratio.percent < percent:
                found.append(f"{ratio.percent:.2f} % of {measure} were executed; --coverage-min asks for {percent:g} %")
        return found


def show_coverage(coverage: Coverage, terminal: Terminal) -> None:
    """Write a table of files, and what of each was not executed."""
    from rich import box
    from rich.table import Table
    from rich.text import Text

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold", show_footer=True)
    totals = [coverage.ratio(measure) for measure in ("lines", "statements", "functions")]
    table.add_column("File", footer="All files", overflow="fold")
    for name, ratio in zip(("Lines", "Statements", "Functions"), totals, strict=True):
        table.add_column(name, footer=_percent(ratio), justify="right", no_wrap=True)
    table.add_column("Lines not executed", overflow="fold")
    for name, each in coverage.files.items():
        ratios = [each.ratio(measure) for measure in ("lines", "statements", "functions")]
        shown = Text(harmless(name.removeprefix("/")))
        table.add_row(shown, *map(_percent, ratios), Text(_missing(each), style="dim"))
    console = terminal.console()
    with console.capture() as drawn:
        console.print(table)
    lines = [line.rstrip() for line in drawn.get().splitlines()]
    terminal.write("\n" + "\n".join(line for line in lines if line), trusted=True)
    for name, why in coverage.unknown.items():
        terminal.write(f"{name.removeprefix('/')}: not measured, {why}")


def _percent(ratio: Ratio) -> Text:
    from rich.text import Text

    if not ratio.total:
        return Text("-", style="dim")
    style = "green" if ratio.percent >= _GOOD else "yellow" if ratio.percent >= _FAIR else "red"
    # What is not all of it is not shown as that.
    text = "99.9" if ratio.executed < ratio.total and ratio.percent > 99.9 else f"{ratio.percent:.1f}"
    return Text(f"{text} %", style=style)


def _missing(file: FileCoverage) -> str:
    """Lines that were not executed, and with a `~` those of which a part was not; the first ones."""
    places = [(first, str(first) if first == last else f"{first}-{last}") for first, last in file.missing]
    places += [(line, f"~{line}") for line in file.partial_lines]
    texts = [text for _, text in sorted(places)]
    if len(texts) > _MOST_SHOWN:
        texts[_MOST_SHOWN:] = [f"and {len(texts) - _MOST_SHOWN} more"]
    return ", ".join(texts)
