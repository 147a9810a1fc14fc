"""`sandbox run` of modules: what is one, and what it may import."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import run

FILES = {
    "main.mjs": "import a from './lib/a.js'; console.log(a, import.meta.url)",
    "plain.js": "console.log(typeof import.meta)",
    "lib/a.js": "import d from '../d.json'; export default d.n",
    "d.json": '{"n": 1}',
    "c.cjs": "module.exports = 2",
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The files above, in the current directory."""
    for name, code in FILES.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(code, "utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.parametrize(
    ("arguments", "out"),
    [
        (["--modules", ".", "main.mjs"], "1 file:///main.mjs\n"),
        (["--modules", "lib", "main.mjs", "--module", "./lib/a.js=c.cjs"], "2 file:///main.mjs\n"),
        (["--module", "lib/a.js=lib/a.js", "--module", "d.json=d.json", "main.mjs"], "1 file:///main.mjs\n"),
        (["--esm", "plain.js"], "object\n"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_modules(capsys: pytest.CaptureFixture[str], arguments: list[str], out: str) -> None:
    assert run(capsys, "run", *arguments) == (0, out, "")


def test_a_file_stands_where_it_is_in_the_directory(
    capsys: pytest.CaptureFixture[str], folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder / "lib")
    (folder / "lib" / "own.mjs").write_text("import a from './a.js'; console.log(a, import.meta.filename)")
    assert run(capsys, "run", "--modules", "..", "own.mjs") == (0, "1 /lib/own.mjs\n", "")


@pytest.mark.parametrize(
    ("arguments", "status", "text"),
    [
        (["main.mjs"], 1, "cannot find module './lib/a.js': this sandbox has no modules (imported from main.mjs)"),
        (["plain.js"], 1, "SyntaxError"),
        (["--module", "a", "main.mjs"], 2, "--module: 'a' is not NAME=PATH"),
        (["--module", "=c.cjs", "main.mjs"], 2, "is not NAME=PATH"),
        (["--module", "a=none.js", "main.mjs"], 2, "none.js: No such file or directory"),
        (["--module", "a=c.cjs", "--module", "./a=c.cjs", "main.mjs"], 2, "--module: modules has '/a' twice"),
        (["--modules", "none", "main.mjs"], 2, "--modules: none: not a folder"),
    ],
)
@pytest.mark.usefixtures("folder")
def test_failures(capsys: pytest.CaptureFixture[str], arguments: list[str], status: int, text: str) -> None:
    found, out, err = run(capsys, "run", *arguments)
    assert (found, out) == (status, "")
    assert text in err
