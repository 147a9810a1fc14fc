"""`sandbox types`: the declarations that come with the package."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from sandbox.cli.commands import types
from tests.cli.command import run

if TYPE_CHECKING:
    import pytest

SOURCES = Path(__file__).parents[2] / "bindings" / "types"


def test_they_are_written_and_their_place_is_told(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    target = tmp_path / "a" / "types"
    status, out, err = run(capsys, "types", str(target))
    written = {path.name: path.read_text("utf-8") for path in target.iterdir()}
    assert (status, err) == (0, "")
    assert out.splitlines() == [str(target / name) for name in sorted(written)]
    # Built with the package: `make guest` brings what was changed.
    assert written == {path.name: path.read_text("utf-8") for path in SOURCES.glob("*.d.ts")}

    status, out, _ = run(capsys, "types")
    assert status == 0
    assert {path.name for path in Path(out.strip()).iterdir()} == set(written)


def test_what_is_wrong(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _, err = run(capsys, "types", str(tmp_path / "file"))
    assert (status, "File exists" in err) == (2, True)

    monkeypatch.setattr(types, "ARTIFACTS", str(tmp_path))
    status, _, err = run(capsys, "types")
    assert (status, "the declarations are missing" in err) == (4, True)
