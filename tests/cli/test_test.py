"""The command `test`."""

from __future__ import annotations

import json
import os
import subprocess
import time
from pathlib import Path

import pytest

from tests.cli.command import COMMAND, run

PASSES = "test('passes', () => { expect(1).toBe(1) })"
FAILS = "describe('s', () => { test('fails\\x1b[2J', () => { expect({a: 1}).toEqual({a: 2}) }) })"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("NO_COLOR", "1")
    (tmp_path / "a.test.js").write_text(PASSES)
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "b.spec.mjs").write_text(FAILS)
    (tmp_path / "node_modules").mkdir()
    (tmp_path / "node_modules" / "c.test.js").write_text("throw 1")
    return tmp_path


def test_what_people_see(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "test")
    assert (status, err) == (1, "")
    assert "✓ /a.test.js (1 test)" in out
    assert "✗ /sub/b.spec.mjs (1 test, 1 failed)" in out
    assert '-   "a": 2,' in out
    assert "  --> /sub/b.spec.mjs:1:" in out
    assert "Tests  1 failed, 1 passed (2)" in out
    assert "\x1b" not in out
    assert str(folder) not in out


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["a.test.js"], 0, "✓ passes"),
        (["none.test.js"], 2, "no such file or folder"),
        (["node_modules/.."], 1, ""),
        (["--filter", "("], 2, "no regular expression"),
        (["--filter", "passes"], 0, "Files  1 passed (1)"),
        (["--filter", "passes", "--shard", "2/2"], 0, "0 (0)"),
        (["--filter", "nothing"], 2, "--filter: no test has a full name in which 'nothing' is found"),
        (["--shard", "1/2"], 0, "(1)"),
        (["--shard", "2/2"], 1, "(1)"),
        (["--shard", "3/2"], 2, "a shard is"),
        (["--reporter", "dots"], 2, "is none of"),
        (["--isolate", "file"], 2, "neither suite nor test"),
        (["--update", "--ci"], 2, "contradict"),
        (["--coverage-min", "most"], 2, "--coverage-min: 'most': a percentage is expected"),
        (["--timeout", "soon"], 2, "is not a time"),
        (["--seed", "5"], 1, "Seed  5"),
        (["--bail", "1", "--workers", "1"], 1, "1 failed"),
        (["--root", "sub"], 2, "is not below"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_flags(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, text: str) -> None:
    found, out, err = run(capsys, "test", *arguments)
    assert (found, text in out + " ".join(err.split())) == (status, True), err


def test_a_folder_without_tests(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, _, err = run(capsys, "test", str(tmp_path))
    assert (status, "there are no files of tests" in err) == (2, True)


def test_a_file_that_cannot_be_run(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "a.test.js").write_text("throw new Error('at the top')")
    status, out, _ = run(capsys, "test")
    assert (status, "at the top" in out) == (2, True)


def test_reports_into_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys, "test", "--reporter", "json", "--output", "out.json")
    assert (status, out) == (1, "")
    data = json.loads((folder / "out.json").read_text())
    assert [suite["file"] for suite in data["suites"]] == ["/a.test.js", "/sub/b.spec.mjs"]
    assert run(capsys, "test", "--reporter", "tap")[1].startswith("TAP version 14\nok 1 - ")
    assert "<testsuites" in run(capsys, "test", "--reporter", "junit")[1]


def test_coverage(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "m.js").write_text("export const f = (x) => {\n  if (x) return 1;\n  return 2;\n};\n")
    (folder / "other.js").write_text("1;\n")
    (folder / "a.test.js").write_text("import { f } from './m.js'; test('f', () => { f(0) })")
    status, out, _ = run(capsys, "test", "a.test.js", "--coverage")
    assert status == 0
    assert [line.split() for line in out.splitlines() if "%" in line] == [
        ["m.js", "100.0", "%", "75.0", "%", "100.0", "%", "~2"],
        ["All", "files", "100.0", "%", "75.0", "%", "100.0", "%"],
    ]
    status, out, err = run(capsys, "test", "a.test.js", "--coverage-all", "--coverage-min", "lines=70,statements=90")
    assert (status, "other.js" in out) == (1, True)
    assert err == "60.00 % of statements were executed; --coverage-min asks for 90 %\n"


def test_coverage_files(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "sub" / "m.js").write_text("export const f = () => 1;\n")
    (folder / "sub" / "b.spec.mjs").write_text("import { f } from './m.js'; test('f', () => { f() })")
    status, out, _ = run(
        capsys, "test", "sub", "--root", "sub", "--reporter", "json", "--coverage-dir", "out", "--coverage-min", "100"
    )
    assert (status, json.loads(out)["coverage"]["totals"]["lines"]["percent"]) == (0, 100)
    assert "SF:sub/m.js\n" in (folder / "out" / "lcov.info").read_text()
    assert (folder / "out" / "index.html").is_file()
    (folder / "out" / "file").write_text("")
    status, _, err = run(capsys, "test", "sub", "--root", "sub", "--coverage-dir", "out/file")
    assert (status, "--coverage-dir: out/file" in err) == (2, True)


def test_watching_runs_what_has_changed(folder: Path) -> None:
    (folder / "dep.js").write_text("export const n = 1")
    (folder / "a.test.js").write_text("import {n} from './dep.js'; test('is ' + n, () => {})")
    (folder / "lacks.test.js").write_text("import {n} from './made_later.js'; test('has ' + n, () => {})")
    environment = {**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"}
    command = [*COMMAND, "test", "--watch", "--verbose"]
    out = folder / "out.txt"
    with (
        out.open("w") as stream,
        subprocess.Popen(command, cwd=folder, env=environment, stdout=stream, stderr=stream) as process,
    ):
        try:
            _wait_for(out, "Waiting for changes", 1)
            (folder / "dep.js").write_text("export const n = 22")
            _wait_for(out, "Waiting for changes", 2)
            (folder / "new.test.js").write_text("test('is new', () => {})")
            _wait_for(out, "Waiting for changes", 3)
            (folder / "made_later.js").write_text("export const n = 333")
            _wait_for(out, "Waiting for changes", 4)
        finally:
            process.kill()
    text = out.read_text()
    assert "is 22" in text
    assert "is new" in text
    assert "has 333" in text
    assert text.count("/sub/b.spec.mjs (1 test") == 1


def _wait_for(path: Path, text: str, times: int) -> None:
    end = time.monotonic() + 40
    while path.read_text().count(text) < times:
        assert time.monotonic() < end, path.read_text()
        time.sleep(0.05)
