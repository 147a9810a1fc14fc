"""No binding reaches anything that a program can replace."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox

SCRIPT = Path(__file__).with_name("poisoned_globals.js").read_text(encoding="utf-8")


def test_bindings_reach_nothing_of_the_program(box: Sandbox) -> None:
    assert box.eval(SCRIPT) == []


@pytest.mark.parametrize(
    ("careless", "reached"),
    [
        ("console.table = () => [1].join()", "join"),
        ("structuredClone = value => { for (const each of [1]) ; return value }", "Symbol.iterator"),
        ("performance.now = () => new Date() * 0", "Date"),
        ("btoa = value => `${value}=`", "concat"),
        ("console.count = () => { const options = {}; return options.depth }", "Object.prototype.depth"),
    ],
)
def test_the_script_notices_a_careless_binding(box: Sandbox, careless: str, reached: str) -> None:
    box.eval(careless)

    assert reached in box.eval(SCRIPT)
