"""Failures of web-platform-tests are compared with the expected ones; the table of these is sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wpt import adapter, compare

_TABLE = """
[[failure]]
file = "a.any.js?x"
subtest = "one"
reason = "because"
[[failure]]
file = "b.any.js"
reason = "no such thing here"
"""


def _result(path: str, *failed: str, variant: str = "", status: str = "ok") -> dict[str, Any]:
    subtests = [("good", "pass", None), *((name, "fail", "no") for name in failed)]
    return {"path": path, "variant": variant, "status": status, "errors": [], "subtests": subtests}


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        ([_result("a.any.js", "one", variant="?x")], []),
        ([_result("a.any.js", variant="?x")], ["passed: a.any.js?x: one"]),
        ([_result("a.any.js", "one")], ["failed: a.any.js: one: no"]),
        ([_result("b.any.js", "this", "that", status="timeout")], []),
        ([_result("b.any.js")], ["passed: b.any.js: the file"]),
        ([_result("c.any.js", status="hung")], ["failed: c.any.js: the file: hung"]),
        ([_result("c.any.js")], []),
    ],
)
def test_differences(results: list[dict[str, Any]], lines: list[str]) -> None:
    assert compare.differences(results, compare.expected(_TABLE)) == lines


@pytest.mark.parametrize(
    ("text", "error"),
    [('[[failure]]\nfile = "a"', "no reason"), ('[[failure]]\nfile = "a"\nreason = "b"\n' * 2, "twice")],
)
def test_tables_that_are_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        compare.expected(text)


def test_the_table_is_sound() -> None:
    compare.expected(compare.EXPECTATIONS.read_text(encoding="utf-8"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"results": [_result("none.any.js", "one")]}), encoding="utf-8")
    assert compare.main([str(path)]) == 1
    assert "1 files, 1 differences" in capsys.readouterr().out


def test_the_adapter_runs_parts_as_scripts_of_one_realm(capsys: pytest.CaptureFixture[str]) -> None:
    adapter.run(
        "ignored\n//#WPT-SCRIPT a.js\nvar a = 1; new Promise(() => {})\n"
        "//#WPT-SCRIPT b.js\n'use strict'; c = 1\n"
        "//#WPT-SCRIPT c.js\nconsole.log('a is', a); setTimeout(() => { console.log('later'); throw new Error('x') });"
        "setTimeout(() => console.log('last'), 5)"
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("{")[0] for line in lines] == ["@@WPT@@", "a is 1", "later", "@@WPT@@", "last"]
    assert [json.loads(line[7:])["n"] for line in lines if line.startswith("@@")] == ["b.js", "c.js"]
