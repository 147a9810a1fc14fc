"""Counting instructions: the same work gives the same count, and the command shows, saves and compares them."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from benchmarks import __main__ as command
from benchmarks.instructions import machine
from benchmarks.instructions.command import table_of
from benchmarks.instructions.counts import Count, count, count_python
from benchmarks.rows import BY_ID
from sandbox import Sandbox
from sandbox._code_cache import cache_directory


@pytest.mark.parametrize("row", ["spawn", "eval", "host_call", "nested_out", "nested_in"])
def test_the_same_work_takes_as_many_again(row: str) -> None:
    make = Sandbox.__init__
    first, second = count(BY_ID[row]), count(BY_ID[row])
    assert first.guest == second.guest > 1000
    assert first.python == pytest.approx(second.python, rel=0.01)
    assert first.python > 100
    assert first.machine is None
    assert Sandbox.__init__ is make


def test_more_work_takes_more() -> None:
    def work(times: int) -> int:
        return count_python(lambda: sum(n for n in range(times)))

    assert work(20) - work(10) == work(30) - work(20) > 20


_VALGRIND = """#!/bin/sh
# Does what it is to count, and tells whoever asks where the counts go.
for option; do case $option in --callgrind-out-file=*) echo "${option#*=}" > "$0.file" ;; esac; done
shift 3
exec "$@"
"""
_CONTROL = """#!/bin/sh
file=$(cat "${0%/*}/valgrind.file")
if [ "$1" = --dump ]; then echo "totals: $(cat "${0%/*}/total")" > "$file.1"; fi
"""


@pytest.mark.skipif(sys.platform == "win32", reason="the tools are scripts here")
def test_what_is_counted_with_nothing_is_taken_off(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, text in (("valgrind", _VALGRIND), ("callgrind_control", _CONTROL), ("total", "7000")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.setattr(machine, "cache_directory", lambda: tmp_path)
    (tmp_path / "instructions").symlink_to(cache_directory())  # where the guest is compiled already
    with machine.Machine() as counting:
        ask = counting._ask

        def asked(**request: Any) -> int:
            (tmp_path / "total").write_text(str(7000 + 30 * request.get("operations", 0)))
            return ask(**request)

        monkeypatch.setattr(counting, "_ask", asked)
        assert counting.count(BY_ID["eval"]) == 30
        assert counting.count(BY_ID["host_call"]) == 30 / 1000
        (tmp_path / "callgrind_control").write_text("#!/bin/sh\necho 'no such process' >&2; exit 1\n")
        with pytest.raises(machine.NotCountedError, match="no such process"):
            counting.count(BY_ID["eval"])
        with pytest.raises(machine.NotCountedError, match="KeyError"):
            ask(row="nothing")


@pytest.mark.skipif(
    not os.environ.get("SANDBOX_INSTRUCTIONS"), reason="compiling the guest under valgrind takes a minute"
)
@pytest.mark.timeout(300)
def test_instructions_of_the_processor() -> None:
    with machine.Machine() as counting:
        counted = counting.count(BY_ID["eval"])
    assert counted > count(BY_ID["eval"]).python


def test_what_is_not_installed_is_said(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(machine, "_VALGRIND", "no-such-tool")
    assert command.main(["instructions", "--rows", "eval"]) == 1
    assert "no-such-tool is not installed" in capsys.readouterr().err


def test_the_command_saves_and_compares(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    saved = tmp_path / "counts.json"
    arguments = ["instructions", "--no-machine", "--rows", "eval"]
    assert command.main([*arguments, "--json", str(saved)]) == 0
    counts = json.loads(saved.read_text())
    assert [each["row"] for each in counts] == ["eval"]
    counts[0]["guest"] /= 2
    saved.write_text(json.dumps(counts))
    capsys.readouterr()
    assert command.main([*arguments, "--against", str(saved)]) == 0
    shown = capsys.readouterr().out
    assert "+100.0%" in shown
    assert "n/a" in shown


@pytest.mark.parametrize(
    "wrong", [["--rows", "nothing"], ["--rows", "fan_out"], ["--against", "no such file"], ["--against", __file__]]
)
def test_wrong_usage(wrong: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as left:
        command.main(["instructions", *wrong])
    assert left.value.code == 2
    assert capsys.readouterr().err


def test_the_table() -> None:
    console = Console(width=120, record=True, quiet=False, file=None)
    with console.capture() as shown:
        console.print(table_of([Count("eval", 1234, 50.5, 10)], {"eval": Count("eval", 1000, 50.5, None)}))
    for text in ("1,234 +23.4%", "50.5 +0.0%", "10.0"):
        assert text in shown.get()
