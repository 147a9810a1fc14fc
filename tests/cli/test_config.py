"""`sandbox.toml`: flags win, a file that nobody named grants nothing, and mistakes are one clear line."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sandbox.cli._config import SCHEMA, read_config
from sandbox.cli._flags import UsageError
from tests.cli.command import run

NOTE = "sandbox.toml: [grants] hold with --config sandbox.toml only.\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current directory."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(text: str, path: str = "sandbox.toml") -> None:
    Path(path).write_text(text, "utf-8")


def test_a_file_here_limits(capsys: pytest.CaptureFixture[str]) -> None:
    write('[limits]\ncpu = "50ms"\nmemory = 33554432')
    status, _, err = run(capsys, "eval", "for (;;);")
    assert status == 3
    assert "limit of 0.05 s" in err
    assert "limit of 0.07 s" in run(capsys, "eval", "--cpu", "70ms", "for (;;);")[2]
    assert run(capsys, "eval", "--config", os.devnull, "1") == (0, "1\n", "")


def test_what_programs_find(capsys: pytest.CaptureFixture[str]) -> None:
    write("[program]\nseed = 5\nvirtual-clock = true")
    code = "await new Promise(done => setTimeout(done, 1e6)); Math.random()"
    assert run(capsys, "eval", code) == run(capsys, "eval", code)
    assert run(capsys, "eval", "--seed", "6", code) != run(capsys, "eval", code)


def test_grants_need_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    write('[grants]\nread = ["."]\n[limits]\ncpu = 1')
    write("text", "a.txt")
    code = "(await import('node:fs/promises')).readFile('/a.txt', 'utf8')"
    status, out, err = run(capsys, "eval", code)
    assert (status, out) == (1, "")
    assert err.startswith(NOTE)
    assert run(capsys, "eval", "--config", "sandbox.toml", code) == (0, "text\n", "")


def test_modules_need_a_flag(capsys: pytest.CaptureFixture[str]) -> None:
    write('[modules]\nfiles = {lib = "lib.js"}')
    write("export default 3", "lib.js")
    write("import lib from 'lib'; console.log(lib)", "main.mjs")
    assert run(capsys, "run", "main.mjs")[0] == 1
    assert run(capsys, "run", "--config", "sandbox.toml", "main.mjs") == (0, "3\n", "")


def test_paths_start_from_the_file(capsys: pytest.CaptureFixture[str], folder: Path) -> None:
    (folder / "project" / "data").mkdir(parents=True)
    write("text", "project/data/a.txt")
    write("export default 4", "project/lib.js")
    write('[grants]\nread = ["data", "/other=data"]\n[modules]\nfiles = {lib = "lib.js"}', "project/s.toml")
    write(
        "import fs from 'node:fs/promises'; import lib from 'lib';"
        "console.log(lib, await fs.readFile('/data/a.txt', 'utf8'), await fs.readdir('/other'))",
        "main.mjs",
    )
    assert run(capsys, "run", "--config", "project/s.toml", "main.mjs") == (0, "4 text [ 'a.txt' ]\n", "")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[limit]\ncpu = 1", "sandbox.toml: no such table: 'limit'; did you mean 'limits'?"),
        ("[xyz]", "sandbox.toml: no such table: 'xyz'; there are limits, program, typescript, grants, modules"),
        ("[limits]\ncpus = 1", "sandbox.toml: no such key in [limits]: 'cpus'; did you mean 'cpu'?"),
        ('[limits]\ncpu = "soon"', "sandbox.toml: [limits] cpu: 'soon' is not a time"),
        ("[limits]\ncpu = true", "sandbox.toml: [limits] cpu: a number or a text"),
        ("[limits]\nfuel = 1.5", "sandbox.toml: [limits] fuel: a whole number is expected"),
        ("[limits]\nmetering = 5", "sandbox.toml: [limits] metering: a text is expected"),
        ("[program]\nvirtual-clock = 1", "sandbox.toml: [program] virtual-clock: true or false is expected"),
        ('[grants]\nread = "data"', "sandbox.toml: [grants] read: a list of texts is expected"),
        ("[modules]\nfiles = [1]", "sandbox.toml: [modules] files: a table is expected"),
        ("limits = 1", "sandbox.toml: [limits] is a table"),
        ("[limits", "sandbox.toml: Expected"),
        ("[limits]\ncpu = 0", "--cpu: must be more than 0"),
    ],
)
def test_mistakes(capsys: pytest.CaptureFixture[str], text: str, message: str) -> None:
    write(text)
    status, out, err = run(capsys, "eval", "1")
    assert (status, out) == (2, "")
    assert err.startswith(f"sandbox: {message}")
    assert err.count("\n") == 1


def test_a_file_that_cannot_be_read(capsys: pytest.CaptureFixture[str]) -> None:
    assert (
        run(capsys, "eval", "--config", "no.toml", "1")[2] == "sandbox: --config: no.toml: No such file or directory\n"
    )
    Path("sandbox.toml").write_bytes(b"\xff")
    assert run(capsys, "eval", "1")[0] == 2


@pytest.mark.skipif(not hasattr(os, "getuid"), reason="permissions are others there")
def test_a_file_of_others_is_refused() -> None:
    write("[limits]\ncpu = 1")
    Path("sandbox.toml").chmod(0o666)
    with pytest.raises(UsageError, match="others may write it"):
        read_config(Path("sandbox.toml"), is_named=False)
    assert read_config(Path("sandbox.toml"), is_named=True) == {"cpu": "1"}


def test_every_key_is_documented() -> None:
    page = (Path(__file__).parents[2] / "docs" / "command.md").read_text("utf-8")
    keys = [f"| `[{table}]` `{key}` |" for table, keys in SCHEMA.items() for key in keys]
    assert [key for key in keys if f"\n{key}" not in page] == []
