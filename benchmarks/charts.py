"""Drawing charts into files, where matplotlib is installed."""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from rich.console import Console


def draw_charts(module: str, measured: object, paths: Sequence[Path], notes: Console) -> None:
    """Draw what was measured to each of these files, or say that it cannot be drawn.

    Args:
        module: Whose `draw(measured, path)` does it; it imports matplotlib.
        measured: What that takes.
        paths: `.svg` or `.png`.
        notes: Gets one line for each.
    """
    if not paths:
        return
    try:
        draw = import_module(module).draw
    except ImportError:
        notes.print("no chart: matplotlib is not installed", style="yellow")
        return
    for path in paths:
        draw(measured, path)
        notes.print(f"chart: {path}", markup=False)
