"""The attack corpus: 40 ideas of attacks, with the programs and the hosts that try them, and how each must end.

Data only. `benchmarks.hostile` puts an engine to a case and judges what became of it; `tests/test_corpus.py` does so
with this project's sandbox, and `python -m benchmarks hostile` with its peers as well.
"""

from __future__ import annotations

from itertools import chain
from typing import TYPE_CHECKING

from tests.corpus import cpu, engine, errors, host, memory, reach, stack, values

if TYPE_CHECKING:
    from tests.corpus.case import Case, Row

_THEMES = (stack, cpu, memory, values, errors, host, reach, engine)

ROWS: tuple[Row, ...] = tuple(sorted(chain.from_iterable(theme.ROWS for theme in _THEMES), key=lambda row: row.number))
CASES: tuple[Case, ...] = tuple(
    sorted(chain.from_iterable(theme.CASES for theme in _THEMES), key=lambda case: case.row)
)
BY_ID: dict[str, Case] = {case.id: case for case in CASES}
