"""Loading the guest: what is checked of the artifacts, and when cached machine code is taken."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
import wasmtime

from sandbox import _abi, _callback, _code_cache, _image
from sandbox._engine import Engine, Module
from sandbox._image import Image
from sandbox.errors import ArtifactError
from sandbox.limits import Metering

ARTIFACTS = Path(_code_cache.ARTIFACTS)
EXPORTS = {
    "memory",
    "boot",
    "define_module",
    "compile",
    "install",
    "start",
    "zone",
    "control",
    "reserve",
    "eval",
    "module",
    "call",
    "access",
    "settle",
    "abandon",
    "release",
    "resume",
    "collect",
}
IMPORTS = {("sandbox", "call"), ("wasi_snapshot_preview1", "clock_time_get")}


def load(directory: Path = ARTIFACTS, metering: Metering = "fuel") -> Image:
    return Image(_callback.host_call_address, str(directory), metering)


@pytest.fixture
def artifacts(tmp_path: Path) -> Path:
    directory = tmp_path / "artifacts"
    directory.mkdir()
    for name in ("guest.wasm", "manifest.json"):
        shutil.copy(ARTIFACTS / name, directory / name)
    return directory


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    directory = tmp_path / "cache"
    monkeypatch.setenv("SANDBOX_CACHE", str(directory))
    return directory


@pytest.fixture
def compilations(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """The binaries that were compiled; what is compiled is a stand-in, to be quick."""
    seen: list[bytes] = []
    compile_module = Engine.compile

    def compile_stand_in(engine: Engine, binary: bytes) -> Module:
        seen.append(binary)
        return compile_module(engine, SMALL)

    monkeypatch.setattr(Engine, "compile", compile_stand_in)
    monkeypatch.setattr(_image, "_check_boundary", lambda module: {})
    return seen


SMALL = bytes(wasmtime.wat2wasm("(module)"))


# --- the boundary ---


def test_exactly_the_pinned_imports_and_exports() -> None:
    module = wasmtime.Module(wasmtime.Engine(), (ARTIFACTS / "guest.wasm").read_bytes())

    assert {entry.name for entry in module.exports} == EXPORTS
    assert {(entry.module, entry.name) for entry in module.imports} == IMPORTS
    assert {"memory", *_abi.EXPORTS} == EXPORTS
    assert set(_abi.IMPORTS) == IMPORTS


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ('(module (memory (export "memory") 1))', "eval"),
        ('(module (import "env" "system" (func)))', "env.system"),
        (
            '(module (import "wasi_snapshot_preview1" "fd_write" (func (result i32))))',
            "wasi_snapshot_preview1.fd_write",
        ),
        ('(module (func (export "backdoor")))', "backdoor"),
    ],
    ids=["exports are missing", "an unknown import", "an ambient import", "one export too many"],
)
def test_a_module_with_another_boundary_is_refused(
    artifacts: Path, cache: Path, metering: Metering, text: str, named: str
) -> None:
    replace_guest(artifacts, bytes(wasmtime.wat2wasm(text)))

    with pytest.raises(ArtifactError, match="does not fit this package's ABI") as caught:
        load(artifacts, metering)

    assert named in str(caught.value)


# --- the artifacts ---


def replace_guest(directory: Path, binary: bytes) -> None:
    (directory / "guest.wasm").write_bytes(binary)
    change_manifest(directory, sha256=hashlib.sha256(binary).hexdigest())


def change_manifest(directory: Path, **changes: object) -> None:
    path = directory / "manifest.json"
    path.write_text(json.dumps(json.loads(path.read_text("utf-8")) | changes, indent=2), "utf-8")


def damage(path: Path, position: int = 5000) -> None:
    content = bytearray(path.read_bytes())
    content[position] ^= 0xFF
    path.write_bytes(content)


@pytest.mark.parametrize("indent", [None, 2, 4])
def test_a_manifest_may_be_written_in_any_way(artifacts: Path, indent: int | None) -> None:
    path = artifacts / "manifest.json"
    facts = json.loads(path.read_text("utf-8"))
    path.write_text(json.dumps(dict(reversed(facts.items())), indent=indent), "utf-8")

    assert _image.image_digest(str(artifacts)) == facts["sha256"]


@pytest.mark.parametrize(
    ("spoil", "text"),
    [
        (lambda at: (at / "guest.wasm").unlink(), "is missing"),
        (lambda at: (at / "manifest.json").unlink(), "is missing"),
        (lambda at: damage(at / "guest.wasm"), "is damaged"),
        (lambda at: (at / "guest.wasm").write_bytes(b""), "is damaged"),
        (lambda at: change_manifest(at, abi_version=_abi.VERSION + 1), f"speaks ABI {_abi.VERSION + 1}, this package"),
        (lambda at: change_manifest(at, abi_version=None), "speaks ABI None"),
        (lambda at: change_manifest(at, sha256=None), "cannot be read"),
        (lambda at: change_manifest(at, sha256="../.."), "cannot be read"),
        (lambda at: change_manifest(at, sha256="00"), "cannot be read"),
        (lambda at: change_manifest(at, sha256="00" * 33), "cannot be read"),
        (lambda at: change_manifest(at, sha256="../" * 21 + "."), "cannot be read"),
        (lambda at: (at / "manifest.json").write_text("{}", "utf-8"), "speaks ABI None"),
        (lambda at: (at / "manifest.json").write_text("[1]", "utf-8"), "cannot be read"),
        (lambda at: (at / "manifest.json").write_bytes(b"\xff\xfe"), "cannot be read"),
    ],
    ids=[
        "no module",
        "no manifest",
        "one byte",
        "empty",
        "a newer ABI",
        "no ABI",
        "no hash",
        "a path for a hash",
        "half a hash",
        "more than a hash",
        "a path as long as a hash",
        "no entries",
        "no object",
        "no text",
    ],
)
def test_spoilt_artifacts_are_refused(artifacts: Path, cache: Path, spoil: Callable[[Path], object], text: str) -> None:
    spoil(artifacts)

    with pytest.raises(ArtifactError, match=text) as caught:
        load(artifacts)

    assert "install a wheel" in str(caught.value)
    assert not cache.exists()


def test_a_module_that_is_no_wasm_is_refused(artifacts: Path, cache: Path) -> None:
    replace_guest(artifacts, b"\0asm no module")

    with pytest.raises(ArtifactError, match="cannot be compiled"):
        load(artifacts)


# --- the cache ---


def entry_of(cache: Path) -> Path:
    (entry,) = cache.iterdir()
    return entry


def test_a_second_load_compiles_nothing(cache: Path, compilations: list[bytes]) -> None:
    load()
    load()

    assert len(compilations) == 1
    assert entry_of(cache).suffix == ".cwasm"


def test_each_way_of_metering_has_an_entry_of_its_own(cache: Path, compilations: list[bytes]) -> None:
    for metering in get_args(Metering) * 2:
        load(metering=metering)

    assert len(compilations) == len(list(cache.iterdir())) == 2


def test_the_cache_belongs_to_its_user_alone(cache: Path, compilations: list[bytes]) -> None:
    load()

    assert cache.stat().st_mode & 0o077 == 0
    assert entry_of(cache).stat().st_mode & 0o077 == 0


@pytest.mark.parametrize(
    "expose",
    [
        lambda entry: entry.chmod(0o620),
        lambda entry: entry.chmod(0o602),
        lambda entry: entry.parent.chmod(0o770),
        lambda entry: entry.parent.chmod(0o707),
        lambda entry: entry.rename(entry.with_suffix(".other")) and entry.symlink_to(entry.with_suffix(".other")),
    ],
    ids=["group", "others", "directory for the group", "directory for others", "a link"],
)
def test_an_entry_that_others_could_have_written_is_not_run(
    cache: Path, compilations: list[bytes], expose: Callable[[Path], object]
) -> None:
    load()
    expose(entry_of(cache))
    load()

    assert len(compilations) == 2


@pytest.mark.skipif(os.getuid() != 0, reason="only root can give a file away")
def test_an_entry_of_another_user_is_not_run(cache: Path, compilations: list[bytes]) -> None:
    load()
    os.chown(entry_of(cache), 12345, 12345)
    load()

    assert len(compilations) == 2


@pytest.mark.parametrize(
    "spoil",
    [
        lambda entry: damage(entry, 0),
        lambda entry: entry.write_bytes(b""),
        lambda entry: entry.write_bytes(entry.read_bytes()[:100]),
        lambda entry: entry.write_bytes(bytes(entry.stat().st_size)),
    ],
    ids=["no machine code", "empty", "cut", "zeros"],
)
def test_a_damaged_entry_is_compiled_again(
    cache: Path, compilations: list[bytes], spoil: Callable[[Path], object]
) -> None:
    load()
    content = entry_of(cache).read_bytes()
    spoil(entry_of(cache))
    load()

    assert len(compilations) == 2
    assert len(entry_of(cache).read_bytes()) == len(content)


def test_a_cache_that_cannot_be_made_costs_only_time(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, compilations: list[bytes]
) -> None:
    (tmp_path / "file").write_text("no directory", "utf-8")
    monkeypatch.setenv("SANDBOX_CACHE", str(tmp_path / "file" / "cache"))

    load()
    load()

    assert len(compilations) == 2


def test_no_half_written_entry_stays(cache: Path, monkeypatch: pytest.MonkeyPatch, compilations: list[bytes]) -> None:
    def full(_: object, __: object) -> None:
        raise OSError("no space left on device")

    monkeypatch.setattr(os, "replace", full)
    load()

    assert list(cache.iterdir()) == []
