"""The command line: wrong usage is one clear line, help is there."""

from __future__ import annotations

import io
import os
import subprocess
import sys
from pathlib import Path

import pytest

from sandbox.cli import commands
from sandbox.cli._commands import COMMANDS
from tests.cli.command import COMMAND, run


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["eval", "--memory", "64XB", "1"], ["--memory", "'64XB' is not a size", "64MB"]),
        (["eval", "--memory", "5", "1"], ["--memory: must be between 2,097,152 and"]),
        (["eval", "--memory", "1TB", "1"], ["--memory: must be between"]),
        (["eval", "--memory", "none", "1"], ["--memory", "'none' is not a size"]),
        (["eval", "--cpu", "soon", "1"], ["--cpu", "'soon' is not a time", "500ms"]),
        (["eval", "--wall", "0", "1"], ["--wall: must be more than 0"]),
        (["eval", "--stack", "1KB", "1"], ["--stack: must be between"]),
        (["eval", "--fuel", "0", "1"], ["--fuel"]),
        (["eval", "--fuel", "much", "1"], ["--fuel", "integer"]),
        (["eval", "--metering", "time", "1"], ['--metering: must be "fuel" or "clock", not']),
        (["eval", "--metering", "clock", "--fuel", "9", "1"], ['--fuel: is not counted with metering="clock"']),
        (["eval", "--clock-resolution", "soon", "1"], ["--clock-resolution", "'soon' is not a time"]),
        (["eval", "--clock-resolution", "0", "1"], ["--clock-resolution: must be more than 0"]),
        (["eval", "--clock-resolution", "1.5ms", "1"], ["--clock-resolution: must be a whole number of milliseconds"]),
        (["eval", "--clock-resolution", "1s", "--virtual-clock", "1"], ['--clock-resolution: needs clock="real"']),
        (["eval", "--seed", "x", "1"], ["--seed"]),
        (["eval", "--bogus", "1"], ["--bogus"]),
        (["eval"], ["CODE"]),
        (["run"], ["FILE"]),
        (["run", "a.js", "b.js"], ["b.js"]),
        (["frobnicate"], ["frobnicate"]),
        (["evla", "1"], ["No such command 'evla'. Did you mean 'eval'?"]),
        (["shop.js", "--cpu", "1"], ["No such command 'shop.js'.", "sandbox run shop.js runs a file."]),
        (["run", "no/such/file.js"], ["no/such/file.js: No such file"]),
        (["run", "\x1b[31m\n"], ["No such file"]),
        (["run", "a\0b"], ["null"]),
        (["run", "."], [".: "]),
    ],
    ids=lambda value: (
        " ".join(value).replace("\x1b", "ESC").replace("\0", "NUL")[:30] if isinstance(value, list) else ""
    ),
)
def test_wrong_usage_is_one_clear_line(
    capsys: pytest.CaptureFixture[str], arguments: list[str], words: list[str]
) -> None:
    status, out, err = run(capsys, *arguments)

    assert (status, out) == (2, "")
    assert err.startswith("sandbox: ")
    assert err.count("\n") == 1
    for word in words:
        assert word in err


def test_files_must_be_text(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "binary.js"
    path.write_bytes(b"let a;\xff")

    assert run(capsys, "run", str(path)) == (2, "", f"sandbox: {path}: not UTF-8 text (byte 6)\n")


@pytest.mark.parametrize("arguments", [["--help"], ["-h"], ["run", "--help"], ["eval", "--help"]])
def test_help(capsys: pytest.CaptureFixture[str], arguments: list[str]) -> None:
    status, out, err = run(capsys, *arguments)

    assert (status, err) == (0, "")
    assert ("--wall" in out) == (len(arguments) == 2)
    assert "Examples" in out


def test_without_a_command_the_help_is_shown(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, _ = run(capsys)

    assert status == 2
    assert "Examples" in out


def test_each_file_is_a_command_and_each_command_has_help(capsys: pytest.CaptureFixture[str]) -> None:
    files = {path.stem for path in Path(commands.__file__).parent.glob("*.py")} - {"__init__"}

    assert files == set(COMMANDS)
    overview = run(capsys, "--help")[1]
    for name in COMMANDS:
        assert f" {name} " in overview
        assert f"Usage: sandbox {name} " in run(capsys, name, "--help")[1]


@pytest.mark.parametrize("arguments", [[], *([name] for name in COMMANDS)], ids=lambda given: " ".join(given) or "all")
def test_help_fits_a_terminal_of_80_columns(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, arguments: list[str]
) -> None:
    monkeypatch.setenv("COLUMNS", "200")
    shown = run(capsys, *arguments, "--help")[1]

    assert "<bool>" not in shown
    for line in shown[shown.index(" Examples") :].splitlines():
        assert len(line.rstrip()) <= 80


def test_a_command_imports_no_other() -> None:
    code = "import sys; from sandbox.cli import main; main(['eval', '1']); print('\\n'.join(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    imported = set(done.stdout.splitlines())
    assert "sandbox.cli.commands.eval" in imported
    assert not imported & {*(f"sandbox.cli.commands.{name}" for name in COMMANDS if name != "eval"), "trio", "anyio"}


@pytest.mark.parametrize(
    ("words", "some"),
    [
        ("sandbox re", ["repl", "replay"]),
        ("sandbox run --allow-r", ["--allow-read"]),
        ("sandbox eval --language t", ["ts", "tsx"]),
        ("sandbox eval --metering c", ["clock"]),
        ("sandbox run --jsx c", ["classic"]),
    ],
)
def test_the_shell_completes(words: str, some: list[str]) -> None:
    variables = {"_SANDBOX_COMPLETE": "complete_bash", "COMP_WORDS": words, "COMP_CWORD": str(words.count(" "))}
    done = subprocess.run([*COMMAND], env={**os.environ, **variables}, capture_output=True, text=True, check=False)
    assert done.stdout.split() == some


def test_standard_input_is_evaluated(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.stdin", io.TextIOWrapper(io.BytesIO(b"await 6 * 7")))
    assert run(capsys, "eval", "-") == (0, "42\n", "")


def test_the_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, "sandbox 0.1.0\n", "")


def test_a_missing_guest_is_one_clear_line(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.errors import ArtifactError

    def missing(*_: object, **__: object) -> None:
        raise ArtifactError("the compiled guest is missing")

    monkeypatch.setattr("sandbox.cli._program.Sandbox", missing)

    assert run(capsys, "eval", "1") == (4, "", "sandbox: the compiled guest is missing\n")


def test_a_limit_that_no_program_fits_in(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "eval", "--memory", "4MB", "1")
    assert (status, out) == (3, "")
    assert err.startswith("sandbox: MemoryLimitExceeded: The memory limit of 4 MB was reached")
    assert "--memory raises it" in err
    status, out, err = run(capsys, "eval", "--json", "--memory", "4MB", "1")
    assert (status, '"type": "MemoryLimitExceeded"' in out, err) == (3, True, "")
