"""The progress bar of `map`, for a person at a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    Task,
    TextColumn,
    TimeRemainingColumn,
)
from rich.text import Text

if TYPE_CHECKING:
    from sandbox.jobs.schedule import JobProgress


class ProgressBar:
    """A line on standard error that is redrawn a few times a second; nothing where that is no terminal."""

    def __init__(self, console: Console | None = None) -> None:
        """Show it.

        Args:
            console: Where; None: on standard error.
        """
        console = console or Console(stderr=True)
        self._bar = Progress(
            TextColumn("jobs"),
            BarColumn(bar_width=None),
            MofNCompleteColumn(),
            _Rate(),
            TimeRemainingColumn(elapsed_when_finished=True),
            TextColumn("{task.fields[trouble]}"),
            console=console,
            disable=not console.is_terminal,
            expand=True,
        )
        self._task = self._bar.add_task("jobs", total=None, trouble="")
        self._bar.start()

    def __call__(self, progress: JobProgress) -> None:
        """Show how far it has come."""
        counts = ((progress.failed, "red", "failed"), (progress.retried, "yellow", "retried"))
        trouble = ", ".join(f"[{color}]{count:,} {what}[/]" for count, color, what in counts if count)
        self._bar.update(self._task, completed=progress.done, total=progress.total, trouble=trouble)

    def close(self) -> None:
        """Leave the line as it is."""
        self._bar.stop()


class _Rate(ProgressColumn):
    """Jobs in a second, of late."""

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text("" if speed is None else f"{speed:,.1f}/s" if speed < 10 else f"{speed:,.0f}/s", style="cyan")
