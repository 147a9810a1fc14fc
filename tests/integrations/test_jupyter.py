"""`%load_ext sandbox` and its magics, in a real shell of IPython and in a notebook."""

from __future__ import annotations

import atexit
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("IPython")

from IPython.core.interactiveshell import InteractiveShell
from IPython.utils.capture import capture_output

ROOT = Path(__file__).parents[2]


@pytest.fixture
def shell(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[InteractiveShell]:
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    # The shell takes the place of the main module, which processes that are started later look for.
    monkeypatch.setitem(sys.modules, "__main__", sys.modules["__main__"])
    for hook in ("displayhook", "excepthook"):
        monkeypatch.setattr(sys, hook, getattr(sys, hook))
    InteractiveShell.clear_instance()
    shell = InteractiveShell.instance()
    assert shell.history_manager is not None
    shell.history_manager.enabled = False
    shell.run_cell("%load_ext sandbox")
    yield shell
    shell.run_cell("%unload_ext sandbox")
    atexit.unregister(shell.atexit_operations)
    shell.atexit_operations()
    InteractiveShell.clear_instance()


def run(shell: InteractiveShell, cell: str) -> Any:
    result = shell.run_cell(cell)
    result.raise_error()
    return result.result


def test_values_and_variables(shell: InteractiveShell) -> None:
    assert run(shell, "%%js\nlet total = 1 + 1\ntotal") == 2
    assert run(shell, "%js total * 2") == 4
    assert run(shell, "%%js\nundefined") is None
    run(shell, "prices = [1, 2, 3]")
    assert (
        run(shell, "%%js -i prices -o sum -o label\nconst sum = prices.reduce((a, b) => a + b)\nvar label = 'x'")
        is None
    )
    assert run(shell, "(sum, label)") == (6, "x")
    assert run(shell, "%%js\nawait Promise.resolve({a: [1]})") == {"a": [1]}


def test_typescript(shell: InteractiveShell) -> None:
    assert run(shell, "%%js -l ts -o total\nconst total: number = 2 as any\ntotal * 2") == 4
    assert run(shell, "total") == 2


def test_console(shell: InteractiveShell) -> None:
    with capture_output() as captured:
        run(shell, "%%js\nconsole.log('out'); console.error('err')")
    assert captured.stdout == "out\n"
    assert captured.stderr == "err\n"


@pytest.mark.parametrize(
    ("cell", "shown"),
    [
        ("%%js\nconst a = 1\nnope.x", "> 2 | nope.x"),
        ("%%js --timeout 0.05\nfor (;;);", "WallLimitExceeded"),
        ("%%js -o missing\n1", "missing is not defined"),
        ("%%js -i absent\n1", "no Python variable absent"),
        ("%%js -o a-b\n1", "a-b is no variable"),
        ("%%js -l ts\nlet a: = 1", "unexpected '='"),
        ("%%js --language c\n1", "invalid choice"),
        ("%%js 1 + 1\n2", "begins on the next line"),
        ("%js_reset --memory-bytes 1", "memory_bytes"),
    ],
)
def test_failures_are_shown(shell: InteractiveShell, cell: str, shown: str) -> None:
    with capture_output() as captured:
        result = shell.run_cell(cell)
    assert not result.success
    assert shown in re.sub(r"\x1b\[[\d;]*m", "", captured.stdout + captured.stderr)
    assert "Traceback" not in captured.stdout
    assert run(shell, "%js 1 + 1") == 2


def test_reset_begins_anew(shell: InteractiveShell) -> None:
    run(shell, "%%js\nglobalThis.kept = 1")
    assert run(shell, "%js typeof kept") == "number"
    run(shell, "%js_reset --cpu-seconds 0.05")
    assert run(shell, "%js typeof kept") == "undefined"
    assert not shell.run_cell("%js for (;;);").success


def test_unload_takes_the_magics_away(shell: InteractiveShell) -> None:
    run(shell, "%unload_ext sandbox")
    assert "js" not in shell.magics_manager.magics["cell"]
    run(shell, "%load_ext sandbox")
    assert run(shell, "%js 1") == 1


def test_in_a_notebook(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    nbclient = pytest.importorskip("nbclient")
    nbformat = pytest.importorskip("nbformat")
    pytest.importorskip("ipykernel")
    monkeypatch.setenv("IPYTHONDIR", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    cells = [
        "%load_ext sandbox\nn = 20",
        "%%js -i n -o twice\nvar twice = n * 2\nconsole.log('ran');\n({twice})",
        "twice + 2",
    ]
    book = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nbclient.NotebookClient(book, timeout=50, kernel_name="python3").execute()
    assert [output["text"] for output in book.cells[1].outputs if output.output_type == "stream"] == ["ran\n"]
    assert book.cells[1].outputs[-1].data["text/plain"] == "{'twice': 40}"
    assert book.cells[2].outputs[0].data["text/plain"] == "42"
