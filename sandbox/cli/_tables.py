"""Tables and progress bars, drawn by rich where a person looks."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

from rich import box
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn
from rich.table import Table as RichTable
from rich.text import Text

if TYPE_CHECKING:
    from sandbox.cli._terminal import Terminal


class Table:
    """Rows under headings."""

    def __init__(self, *headings: str) -> None:
        """Make an empty one.

        Args:
            *headings: Of the columns; those that begin with `>` are aligned to the right.
        """
        self._table: Final = RichTable(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
        for heading in headings:
            justify = "right" if heading.startswith(">") else "left"
            self._table.add_column(heading.removeprefix(">"), justify=justify, overflow="fold")  # type: ignore[arg-type]

    def add(self, *cells: str, style: str = "") -> None:
        """Add a row; the style is that of its first cell."""
        self._table.add_row(*(Text(cell, style=style if index == 0 else "") for index, cell in enumerate(cells)))

    def write(self, terminal: Terminal) -> None:
        """Write it."""
        terminal.console().print(self._table)


@contextmanager
def working(terminal: Terminal, text: str, total: int) -> Iterator[Callable[[], None]]:
    """A bar on the error stream while something takes long, if a person looks; it vanishes afterwards.

    Args:
        terminal: Where it is shown.
        text: What is going on.
        total: How many steps it takes.

    Yields:
        A function to be called after each of them.
    """
    console = terminal.console(error=True)
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.percentage:>3.0f} %"),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as progress:
        task = progress.add_task(text, total=total)
        yield lambda: progress.advance(task)
