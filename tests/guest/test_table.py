"""console.table."""

from __future__ import annotations

from collections.abc import Callable
from textwrap import dedent
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import ConsoleEntry, Sandbox


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        (
            "[{ a: 1, b: 'x' }, { a: 2, c: true }]",
            """\
            ┌─────────┬───┬─────┬──────┐
            │ (index) │ a │ b   │ c    │
            ├─────────┼───┼─────┼──────┤
            │ 0       │ 1 │ 'x' │      │
            │ 1       │ 2 │     │ true │
            └─────────┴───┴─────┴──────┘""",
        ),
        (
            "[{ a: 1, b: 2 }], ['b', 'z']",
            """\
            ┌─────────┬───┬───┐
            │ (index) │ b │ z │
            ├─────────┼───┼───┤
            │ 0       │ 2 │   │
            └─────────┴───┴───┘""",
        ),
        (
            "['a', { k: 1 }]",
            """\
            ┌─────────┬───┬────────┐
            │ (index) │ k │ Values │
            ├─────────┼───┼────────┤
            │ 0       │   │ 'a'    │
            │ 1       │ 1 │        │
            └─────────┴───┴────────┘""",
        ),
        (
            "{ first: [1, 2], second: [3] }",
            """\
            ┌─────────┬───┬───┐
            │ (index) │ 0 │ 1 │
            ├─────────┼───┼───┤
            │ first   │ 1 │ 2 │
            │ second  │ 3 │   │
            └─────────┴───┴───┘""",
        ),
        (
            "new Map([['k', { v: 1 }]])",
            """\
            ┌───────────────────┬─────┬──────────┐
            │ (iteration index) │ Key │ Values   │
            ├───────────────────┼─────┼──────────┤
            │ 0                 │ 'k' │ { v: 1 } │
            └───────────────────┴─────┴──────────┘""",
        ),
        (
            "new Set(['漢'])",
            """\
            ┌───────────────────┬────────┐
            │ (iteration index) │ Values │
            ├───────────────────┼────────┤
            │ 0                 │ '漢'   │
            └───────────────────┴────────┘""",
        ),
        (
            "[]",
            """\
            ┌─────────┐
            │ (index) │
            ├─────────┤
            └─────────┘""",
        ),
        (
            "[{ get a() { throw 1 }, b: { c: { d: 1 } } }]",
            """\
            ┌─────────┬──────────┬─────────────────┐
            │ (index) │ a        │ b               │
            ├─────────┼──────────┼─────────────────┤
            │ 0       │ [Getter] │ { c: [Object] } │
            └─────────┴──────────┴─────────────────┘""",
        ),
    ],
)
def test_tables(box: Sandbox, entries: list[ConsoleEntry], arguments: str, text: str) -> None:
    box.eval(f"console.table({arguments})")

    assert [(entry.type, entry.text) for entry in entries] == [("table", dedent(text))]


def test_large_tables_are_cut(logged: Callable[[str], list[str]]) -> None:
    rows = logged("console.table(Array.from({ length: 5000 }, () => ({ a: 1 })))")[0].count("\n") + 1
    columns = logged("console.table([Object.fromEntries(Array(500).entries())])")[0].split("\n")[0].count("┬")

    assert rows == 1000 + 4
    assert columns == 50
