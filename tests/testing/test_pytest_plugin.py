"""The plugin of pytest, in a pytest of its own."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FILE = """
import { answer } from "./answer.js";
let n = 0;
beforeAll(() => { n = 10 });
describe("math", () => {
  test("adds", () => { expect(1 + 1).toBe(2) });
  test("fails", () => { console.log("said"); expect({ a: 1 }).toEqual({ a: 2 }) });
  test("spins", () => { for (;;); }, 100);
});
test("after", () => { expect(n).toBe(10); expect(answer).toBe(42); expect(hosted()).toBe("python") });
test.skip("not", () => {}); test.todo("later");
test("same", () => {}); test("same", () => {});
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "answer.js").write_text("export const answer = 42")
    (tmp_path / "a.test.js").write_text(FILE)
    (tmp_path / "conftest.py").write_text(
        "def pytest_sandbox_options(config):\n    return {'functions': {'hosted': lambda: 'python'}}\n"
    )
    (tmp_path / "test_b.py").write_text("def test_python():\n    pass\n")
    return tmp_path


def run(project: Path, *arguments: str, finds_plugins: bool = False) -> tuple[int, str]:
    plugins = ["-p", "sandbox.testing.pytest_plugin", "-p", "xdist"]
    command = [sys.executable, "-m", "pytest", *plugins, *arguments]
    environment = {
        "PYTHONPATH": str(ROOT),
        "PATH": "",
        "HOME": str(Path.home()),
        "COLUMNS": "100",
    }
    if not finds_plugins:  # others take longer to import than these tests to run
        environment["PYTEST_DISABLE_PLUGIN_AUTOLOAD"] = "1"
    done = subprocess.run(
        command, cwd=project, env=environment, capture_output=True, text=True, timeout=50, check=False
    )
    return done.returncode, done.stdout + done.stderr


def test_each_test_is_an_item(project: Path) -> None:
    status, text = run(project, "-v", "-p", "no:langsmith_plugin", finds_plugins=True)
    assert status == 1
    for line in (
        "a.test.js::math::adds PASSED",
        "a.test.js::math::fails FAILED",
        "a.test.js::math::spins FAILED",
        "a.test.js::after PASSED",
        "a.test.js::not SKIPPED (skip)",
        "a.test.js::later SKIPPED (todo)",
        "a.test.js::same [2] PASSED",
        "test_b.py::test_python PASSED",
        "2 failed, 5 passed, 2 skipped",
    ):
        assert line in text
    assert '-   "a": 2,\n+   "a": 1,' in text
    assert '> 7 |   test("fails"' in text
    assert "Captured console call" in text or "said" in text
    assert "Traceback" not in text
    assert "sandbox/" not in text


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["-k", "adds or after"], 0, "2 passed, 7 deselected"),
        (["-x"], 1, "1 failed, 1 passed"),
        (["a.test.js::math::adds"], 0, "1 passed"),
    ],
)
def test_choosing_and_stopping(project: Path, arguments: list[str], status: int, text: str) -> None:
    found, printed = run(project, "-q", *arguments)
    assert (found, text in printed) == (status, True), printed


def test_the_last_failures(project: Path) -> None:
    assert run(project, "-q", "-x")[0] == 1
    status, text = run(project, "-q", "--lf")
    assert (status, "1 failed" in text, "passed" in text) == (1, True, False)


def test_a_file_that_cannot_be_loaded(project: Path) -> None:
    (project / "a.test.js").write_text("test('a', () => {\n  let = ;\n})")
    status, text = run(project, "-q")
    assert status == 2
    assert "> 2 |   let = ;" in text
    assert "Traceback" not in text


def test_coverage_of_all_workers(project: Path) -> None:
    (project / "m.js").write_text("export const f = (x) => {\n  if (x)\n    return 1;\n  return 2;\n};\n")
    (project / "a.test.js").write_text("import { f } from './m.js'; test('a', () => { f(0) })")
    (project / "b.test.js").write_text("import { f } from './m.js'; test('b', () => { f(1) })")
    status, text = run(project, "-n", "2", "--dist", "loadfile", "--sandbox-coverage=out")
    assert status == 0, text
    assert "m.js" in text
    assert "All files    100.0 %    100.0 %" in text
    assert "DA:4,1\n" in (project / "out" / "lcov.info").read_text()


def test_nothing_is_imported_where_no_file_matches(project: Path) -> None:
    (project / "a.test.js").unlink()
    (project / "test_b.py").write_text(
        "import sys\ndef test_python():\n    assert 'sandbox.testing.session' not in sys.modules\n"
    )
    assert run(project, "-q")[0] == 0
