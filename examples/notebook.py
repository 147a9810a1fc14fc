"""Cells of a notebook: JavaScript and Python take turns, and the variables stay.

    python -m examples.notebook

`sandbox.eval` has one sandbox for the thread, as a notebook's kernel has one namespace for its cells.
"""

from __future__ import annotations

import sandbox
from sandbox import JSError

CELLS = [
    "var rows = [{city: 'Bern', t: 21}, {city: 'Oslo', t: 14}, {city: 'Rome', t: 29}]; rows.length",
    "rows.toSorted((a, b) => b.t - a.t).map(row => row.city)",
    "rows.reduce((sum, row) => sum + row.temp, 0) / rows.lenght.x",
    "var mean = rows.reduce((sum, row) => sum + row.t, 0) / rows.length; mean.toFixed(1)",
]


def main() -> None:
    for number, cell in enumerate(CELLS, 1):
        try:
            print(f"[{number}] {sandbox.eval(cell, filename=f'cell {number}')!r}")
        except JSError as error:
            print(f"[{number}] {error.render()}")
    box = sandbox.default_sandbox()
    print("in Python:", {row["city"]: row["t"] - round(box.globals["mean"]) for row in box.globals["rows"]})
    sandbox.close_default_sandbox()


if __name__ == "__main__":
    main()
