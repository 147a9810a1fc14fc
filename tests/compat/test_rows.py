"""What the interfaces of other packages promise, row by row: each is true of ours as it is of them."""

from __future__ import annotations

import importlib
import inspect

import pytest

from tests.compat import jsrun_rows, py_mini_racer_rows, quickjs_rows
from tests.compat.rows import is_async, outcome, outcome_async

TABLES = {"quickjs": quickjs_rows, "py_mini_racer": py_mini_racer_rows, "jsrun": jsrun_rows}


BLOCK = 40


@pytest.mark.parametrize(
    ("package", "begin"),
    [(package, begin) for package, table in TABLES.items() for begin in range(0, len(table.ROWS), BLOCK)],
)
def test_rows_are_true_of_ours(package: str, begin: int) -> None:
    table = TABLES[package]
    names = vars(importlib.import_module(f"sandbox.compat.{package}"))
    wrong: dict[str, tuple[str, str]] = {}
    for program, theirs in list(table.ROWS.items())[begin : begin + BLOCK]:
        wanted = table.OTHERWISE[program][0] if program in table.OTHERWISE else theirs
        come = (outcome_async if is_async(program) else outcome)(program, names)
        if come != wanted:
            wrong[program] = come, wanted
    assert wrong == {}


@pytest.mark.parametrize("table", TABLES.values(), ids=TABLES)
def test_what_differs_is_a_row_with_a_reason(table: object) -> None:
    rows, otherwise = vars(table)["ROWS"], vars(table)["OTHERWISE"]
    assert otherwise.keys() <= rows.keys()
    assert all(ours != rows[program] and reason for program, (ours, reason) in otherwise.items())


@pytest.mark.parametrize("package", TABLES)
def test_every_public_name_has_a_docstring(package: str) -> None:
    module = importlib.import_module(f"sandbox.compat.{package}")
    for name in module.__all__:
        value = getattr(module, name)
        if isinstance(value, type) or inspect.isfunction(value):
            assert (value.__doc__ or "").strip(), name
