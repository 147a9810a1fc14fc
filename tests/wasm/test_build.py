"""The build as a whole: inputs, cache, delivery, messages."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from wasm import build as builder
from wasm.build import Inputs, build
from wasm.cache import cache_directory, digest, sha256, staged_directory, write_atomically
from wasm.errors import BuildError

MODULE = b"\0asm\x01\0\0\0"


def made_before(inputs: Inputs, cache: Path) -> Path:
    """Put a finished build for these inputs into the cache, so that nothing is compiled."""
    made = cache / "modules" / inputs.key()[:32]
    (made / "licences").mkdir(parents=True)
    (made / "guest.wasm").write_bytes(MODULE)
    (made / "typescript.wasm").write_bytes(MODULE)
    facts = {"sha256": sha256(MODULE), "typescript": {"sha256": sha256(MODULE)}}
    (made / "manifest.json").write_text(json.dumps(facts), encoding="utf-8")
    (made / "licences" / "engine.txt").write_text("free", encoding="utf-8")
    return made


@pytest.fixture
def inputs(tmp_path: Path) -> Inputs:
    (tmp_path / "src").mkdir()
    (tmp_path / "src" / "a.c").write_text("int a;", encoding="utf-8")
    (tmp_path / "typescript").mkdir()
    (tmp_path / "bindings").mkdir()
    (tmp_path / "bindings" / "index.js").write_text("1", encoding="utf-8")
    return Inputs(guest=tmp_path / "src", bindings=tmp_path / "bindings", typescript=tmp_path / "typescript")


def test_unchanged_inputs_are_served_from_the_cache(tmp_path: Path, inputs: Inputs) -> None:
    made_before(inputs, tmp_path)
    lines: list[str] = []
    output = tmp_path / "out"
    (output / "licences").mkdir(parents=True)
    (output / "licences" / "old.txt").write_text("no longer a part", encoding="utf-8")
    assert build(output, inputs=inputs, cache=tmp_path, progress=lines.append) == sha256(MODULE)
    assert lines == []
    assert {path.relative_to(output).as_posix() for path in output.rglob("*") if path.is_file()} == {
        "guest.wasm",
        "typescript.wasm",
        "manifest.json",
        "licences/engine.txt",
    }
    before = (output / "guest.wasm").stat().st_mtime_ns
    build(output, inputs=inputs, cache=tmp_path)
    assert (output / "guest.wasm").stat().st_mtime_ns == before


@pytest.mark.parametrize(
    ("file", "changes"),
    [
        ("src/a.c", True),
        ("src/new.h", True),
        ("bindings/index.js", True),
        ("bindings/new/a.js", True),
        ("typescript/a.c", True),
        ("typescript/tree_sitter/a.h", True),
        ("src/notes.txt", False),
    ],
)
def test_key_follows_the_inputs(tmp_path: Path, inputs: Inputs, file: str, changes: bool) -> None:
    before = inputs.key()
    (tmp_path / file).parent.mkdir(exist_ok=True)
    (tmp_path / file).write_text("int b;", encoding="utf-8")
    assert (inputs.key() != before) is changes


@pytest.mark.parametrize("damaged", ["guest.wasm", "typescript.wasm"])
def test_damaged_cache_entry_is_not_delivered(tmp_path: Path, inputs: Inputs, damaged: str) -> None:
    unbuildable = without_sources(inputs)
    made = made_before(unbuildable, tmp_path)
    (made / damaged).write_bytes(b"damaged")
    with pytest.raises(BuildError, match=r"the compiler ziglang is .*; install ziglang==never"):
        build(tmp_path / "out", inputs=unbuildable, cache=tmp_path)
    assert not made.exists()


def without_sources(inputs: Inputs) -> Inputs:
    upstream = dataclasses.replace(inputs.upstream, sources=(), patches=(), compiler_version="never")
    return dataclasses.replace(inputs, upstream=upstream)


def test_command_ends_with_one_message(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    def fail(*_: object, **__: object) -> str:
        raise BuildError("the reason")

    monkeypatch.setattr(builder, "build", fail)
    assert builder.main([]) == 1
    captured = capsys.readouterr()
    assert captured.err == "build failed: the reason\n"
    assert captured.out == ""


def test_cache_directory_follows_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SANDBOX_BUILD_CACHE", str(tmp_path / "chosen"))
    assert cache_directory() == tmp_path / "chosen"
    monkeypatch.delenv("SANDBOX_BUILD_CACHE")
    assert cache_directory().parts[-2:] == ("quickjs-sandbox", "build")


def test_borders_count_in_a_digest() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest("ab") == digest(b"ab")


def test_write_leaves_no_scraps(tmp_path: Path) -> None:
    write_atomically(tmp_path / "new" / "file", b"one")
    write_atomically(tmp_path / "new" / "file", b"two")
    assert [path.name for path in (tmp_path / "new").iterdir()] == ["file"]
    assert (tmp_path / "new" / "file").read_bytes() == b"two"


def test_write_that_fails_says_where(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    with pytest.raises(BuildError, match=r"cannot write .*file"):
        write_atomically(tmp_path / "file" / "below", b"")


def test_staged_directory_appears_whole_or_not_at_all(tmp_path: Path) -> None:
    target = tmp_path / "made"
    with pytest.raises(ValueError, match="half"), staged_directory(target) as stage:
        (stage / "part").write_bytes(b"")
        raise ValueError("half way")
    assert list(tmp_path.iterdir()) == []
    with staged_directory(target) as stage:
        (stage / "part").write_bytes(b"1")
    with staged_directory(target) as stage:  # another process was first: its result stays
        (stage / "part").write_bytes(b"2")
    assert (target / "part").read_bytes() == b"1"
    assert [path.name for path in tmp_path.iterdir()] == ["made"]
