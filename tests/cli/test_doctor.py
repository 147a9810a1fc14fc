"""`sandbox doctor` and `sandbox bench`: what they find, and what they measure."""

from __future__ import annotations

import json
import tomllib
from pathlib import Path

import pytest

from sandbox import _code_cache, _image
from sandbox.cli._extras import EXTRAS, installed
from sandbox.cli._measuring import MEASURES, show_time
from sandbox.cli.commands import bench, doctor
from sandbox.errors import ArtifactError
from tests.cli.command import run


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A cache of this test's own."""
    directory = tmp_path / "cache"
    monkeypatch.setenv("SANDBOX_CACHE", str(directory))
    monkeypatch.setattr(doctor, "_SECONDS", 0.01)
    return directory


def found(capsys: pytest.CaptureFixture[str], *flags: str) -> tuple[int, dict[str, dict[str, str]], list[str]]:
    status, out, err = run(capsys, "doctor", "--json", *flags)
    assert err == ""
    result = json.loads(out)
    assert result["ok"] == (status == 0)
    return status, {check["name"]: check for check in result["checks"]}, [row["name"] for row in result["times"]]


def test_all_is_well(capsys: pytest.CaptureFixture[str]) -> None:
    status, checks, measured = found(capsys)
    assert (status, measured) == (0, ["spawn", "eval", "host call"])
    assert checks["quickjs-sandbox"]["found"].startswith("0.1.0 in ")
    assert _image.image_digest()[:16] in checks["guest"]["found"]
    assert checks["TypeScript"]["level"] == "ok"
    assert "is made when a sandbox is first used" in checks["cache"]["found"]
    assert {name for name in checks if name.startswith("extra ")} == {f"extra {name}" for name in EXTRAS}

    status, out, err = run(capsys, "doctor")
    assert (status, err) == (0, "")
    for text in ("wasmtime", "median", "host call", "Everything is in order."):
        assert text in out


def test_the_cache(capsys: pytest.CaptureFixture[str], cache: Path) -> None:
    cache.mkdir(mode=0o700)
    entry = Path(_code_cache.cache_entry(_image.image_digest(), "fuel"))
    entry.write_bytes(bytes(2048))
    entry.chmod(0o600)
    typescript = Path(_code_cache.cache_entry(_code_cache.manifest()["typescript"]["sha256"], "typescript"))
    typescript.write_bytes(bytes(3072))
    typescript.chmod(0o600)
    (cache / "old.cwasm").write_bytes(bytes(1024))
    checks = found(capsys)[1]
    assert checks["cache"]["found"] == f"{cache}: fuel 2 KB, typescript 3 KB"
    assert checks["cache, stale"]["found"] == "1 of other versions, 1 KB"

    entry.chmod(0o666)
    assert found(capsys)[1]["cache"]["level"] == "warning"
    assert "It works; see !!" in run(capsys, "doctor")[1]

    assert "cache, stale" not in found(capsys, "--prune")[1]
    assert {path.name for path in cache.iterdir()} == {entry.name, typescript.name}


def test_a_guest_that_is_missing(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing() -> str:
        raise ArtifactError("the compiled guest is missing")

    monkeypatch.setattr(_image, "image_digest", missing)
    status, checks, measured = found(capsys)
    assert (status, measured, checks["guest"]["level"]) == (4, [], "failure")
    assert "Something is broken" in run(capsys, "doctor")[1]


def test_a_module_of_typescript_that_is_missing(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox.typescript.module.NAME", "no-such.wasm")
    status, checks, _ = found(capsys)
    assert (status, checks["TypeScript"]["level"]) == (4, "failure")


def test_extras_are_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    text = (Path(__file__).parents[2] / "pyproject.toml").read_text("utf-8")
    assert set(EXTRAS) == set(tomllib.loads(text)["project"]["optional-dependencies"])

    monkeypatch.setitem(EXTRAS, "crypto", ("keys", {"no-such-package": "no_such_package"}))
    assert installed("crypto") == (False, "no no-such-package")


def test_bench(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "bench", "--seconds", "0.01", "--json")
    rows = json.loads(out)["rows"]
    assert (status, err) == (0, "")
    assert [row["name"] for row in rows] == [measure.name for measure in MEASURES]
    assert all(0 < row["best"] <= row["median"] < 10 and row["count"] >= 5 for row in rows)

    assert run(capsys, "bench", "--seconds", "0")[0] == 2


def test_a_table_of_measures(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bench, "MEASURES", MEASURES[:1])
    status, out, err = run(capsys, "bench", "--seconds", "0.01")
    assert (status, err) == (0, "")
    assert "spawn" in out and "a second" in out and "one thread" in out


@pytest.mark.parametrize(
    ("seconds", "text"), [(1.5, "1.5 s"), (0.01234, "12.3 ms"), (110e-6, "110 us"), (8.4e-7, "840 ns")]
)
def test_times_as_people_write_them(seconds: float, text: str) -> None:
    assert show_time(seconds) == text
