"""The adapter of ECMAScript's suite tells outcomes apart; what fails is compared with what should."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from sandbox import Limits
from tests.test262 import __main__ as command
from tests.test262 import adapter

# What stands in the place of a runner: one test passes in one mode and fails in the other.
_RUNNER = """
import json, pathlib, sys
results = [{"path": "test/a.js", "strict": strict, "pass": strict, "reason": "no"} for strict in (False, True)]
areas = {"TOTAL": {"runs": 2, "pass": 1, "fail": 1}}
outcome = {"results": results, "areas": areas, "skipped": 3, "skipped_by": {"feature Temporal": 3}}
pathlib.Path(sys.argv[sys.argv.index("--out") + 1]).write_text(json.dumps(outcome))
"""


@pytest.mark.parametrize(
    ("parts", "outcome"),
    [
        (["var a = 1", "print(a)"], (True, None, "1")),
        (["let a = 1; Promise.reject(1); Promise.reject(2)", "print(a); a // no more"], (True, None, "1")),
        (["new Promise(() => {})"], (True, None, "")),
        (["({get x() { throw 1 }})"], (True, None, "")),
        (
            ["setTimeout(() => print('late'), 5); Promise.resolve().then(() => print('soon'))"],
            (True, None, "soon\nlate"),
        ),
        (["delete globalThis.console; delete globalThis.String", "print(1)"], (True, None, "1")),
        (["/*---\nnegative:\n---*/ if (1)"], (False, "SyntaxError", "unexpected token in expression: ''")),
        (["null.x"], (False, "TypeError", "cannot read property 'x' of null")),
        (["function Test262Error() { this.message = 'm' }", "throw new Test262Error()"], (False, "Test262Error", None)),
        (["for (;;) new Array(1e6).fill(1)"], (False, "CpuLimitExceeded", None)),
        (["$262.evalScript('let b = 3'); print(b)"], (True, None, "3")),
        (["try { $262.evalScript('}') } catch (e) { print(e instanceof SyntaxError) }"], (True, None, "true")),
        (["const c = new ArrayBuffer(1); $262.detachArrayBuffer(c); print(c.detached)"], (True, None, "true")),
    ],
)
def test_scripts(monkeypatch: pytest.MonkeyPatch, parts: list[str], outcome: tuple[bool, str, str | None]) -> None:
    monkeypatch.setattr(adapter, "_LIMITS", Limits(cpu_seconds=1))
    ok, name, message = adapter.run_parts(parts, False)
    assert (ok, name) == outcome[:2]
    assert outcome[2] in (None, message)


def test_modules_are_those_of_the_tree(tmp_path: Path) -> None:
    folder = tmp_path / "test" / "language"
    folder.mkdir(parents=True)
    (folder / "part.js").write_text("export * from './main.js'; export default 2", "utf-8")
    (tmp_path / "test" / "data.json").write_text("[3]", "utf-8")
    (tmp_path / "secret.js").write_text("export default 4", "utf-8")
    source = """
        import two, {one as same} from './part.js';
        import data from '../data.json' with {type: 'json'};
        export const one = 1;
        print([one, same, two, data, await import('../../secret.js').catch(() => 'none')]);
    """
    path = str(folder / "main.js")
    assert adapter.run_path(["var first = 1", source], True, path) == (True, None, "1,1,2,3,none")
    assert adapter.run_path(["throw new RangeError('x')"], True, path) == (False, "RangeError", "x")


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        ([("a", True), ("b", False)], []),
        ([("a", False)], ["failed: a: no"]),
        ([("b", True)], ["passed: b"]),
        ([("b", True), ("b", False)], []),
    ],
)
def test_differences(results: list[tuple[str, bool]], lines: list[str]) -> None:
    found: list[dict[str, Any]] = [{"path": path, "pass": passed, "reason": "no"} for path, passed in results]
    assert command.differences(found, {"b": "because"}) == lines


@pytest.mark.parametrize(
    "text",
    [
        '[[failure]]\ntests = ["a"]',
        '[[failure]]\nreason = "a"',
        '[[failure]]\ntests = ["a", "a"]\nreason = "b"',
    ],
)
def test_tables_that_are_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"needs tests|twice"):
        command.expected(text)


def test_the_table_is_sound() -> None:
    assert command.expected(command.EXPECTATIONS.read_text(encoding="utf-8"))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner = tmp_path / "runner.py"
    runner.write_text(_RUNNER, encoding="utf-8")
    kept = tmp_path / "kept.json"
    arguments = ["--test262", str(tmp_path), "--runner", str(runner), "--both", "--out", str(kept)]
    assert command.main(arguments) == 1
    assert capsys.readouterr().out.splitlines() == [
        "2 runs, 1 passed, 1 failed; 3 tests skipped",
        "      3 feature Temporal",
        "failed: test/a.js: no",
        "1 differences",
    ]
    assert json.loads(kept.read_text("utf-8"))["skipped"] == 3


def test_the_runner_must_be_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("TEST262_RUNNER", raising=False)
    with pytest.raises(SystemExit):
        command.main(["--test262", "."])
    assert "TEST262_RUNNER" in capsys.readouterr().err
