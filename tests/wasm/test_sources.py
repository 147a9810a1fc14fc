"""Third-party sources: pins, patches, archives."""

from __future__ import annotations

import dataclasses
import io
import subprocess
import tarfile
from pathlib import Path
from typing import Any

import pytest

from wasm import sources
from wasm.cache import sha256
from wasm.errors import BuildError
from wasm.sources import Patch, Source, Upstream

PATCH = Patch("engine", "engine.c", "int answer = 41;", "replace", "int answer = 42;", "why", "what it gains")
LICENCE = "/*\n * The Engine\n *\n * Copyright someone\n */\n"
ENGINE = LICENCE + "int answer = 41;\n"


def archive(files: dict[str, str], *, link: str | None = None) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w:gz") as tar:
        for name, text in files.items():
            member = tarfile.TarInfo(f"engine-1.0/{name}")
            member.size = len(text.encode())
            tar.addfile(member, io.BytesIO(text.encode()))
        if link:
            member = tarfile.TarInfo(f"engine-1.0/{link}")
            member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
            tar.addfile(member)
    return buffer.getvalue()


def pinned(data: bytes, cache: Path, **changes: Any) -> Source:  # the cache then holds the archive, so pip is not asked
    source = Source(
        "engine", "1.0", sha256(data), "src", ("engine.c",), ("engine.c",), "MIT", licence_header="engine.c"
    )
    source = dataclasses.replace(source, **changes)
    path = cache / "sdists" / f"engine-1.0-{source.sha256[:16]}.tar.gz"
    path.parent.mkdir(parents=True)
    path.write_bytes(data)
    return source


def upstream(source: Source, *patches: Patch) -> Upstream:
    return Upstream("ziglang", "0", {}, (source,), patches)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [
        ("replace", "a\nint answer = 42;\nb"),
        ("before", "a\nint answer = 42;int answer = 41;\nb"),
        ("after", "a\nint answer = 41;int answer = 42;\nb"),
    ],
)
def test_patch_modes(mode: Any, expected: str) -> None:
    assert dataclasses.replace(PATCH, mode=mode).apply("a\nint answer = 41;\nb") == expected


@pytest.mark.parametrize(
    ("changes", "content", "complaint"),
    [
        ({}, "nothing", "patch of engine engine.c: the anchor 'int answer = 41;' occurs 0 times, not once"),
        ({}, PATCH.anchor * 2, "occurs 2 times, not once"),
        ({"mode": "around"}, PATCH.anchor, "mode 'around' is none of replace, before, after"),
    ],
)
def test_patch_that_does_not_fit_is_refused(changes: dict[str, Any], content: str, complaint: str) -> None:
    with pytest.raises(BuildError, match=complaint):
        dataclasses.replace(PATCH, **changes).apply(content)


def test_named_files_are_unpacked_and_patched(tmp_path: Path) -> None:
    data = archive({"src/engine.c": ENGINE, "src/other.c": "int other;", "setup.py": "raise SystemExit"})
    directory = sources.unpack(upstream(pinned(data, tmp_path), PATCH), tmp_path)["engine"]
    texts = {path.name: path.read_text(encoding="utf-8") for path in directory.iterdir()}
    assert texts == {
        "engine.c": LICENCE + "int answer = 42;\n",
        "LICENCE.txt": "The Engine\n\nCopyright someone\n",
    }


def test_a_misfit_patch_leaves_nothing_behind(tmp_path: Path) -> None:
    source = pinned(archive({"src/engine.c": LICENCE}), tmp_path)
    with pytest.raises(BuildError, match="occurs 0 times"):
        sources.unpack(upstream(source, PATCH), tmp_path)
    assert list((tmp_path / "sources").iterdir()) == []


@pytest.mark.parametrize(
    ("data", "changes", "complaint"),
    [
        (archive({"src/else.c": ""}), {}, "engine 1.0: the archive has no usable file src/engine.c"),
        (archive({}, link="src/engine.c"), {}, "no usable file src/engine.c"),
        (archive({"src/engine.c": ENGINE})[:60], {}, "the archive cannot be read"),
        (archive({"src/engine.c": "int x;"}), {}, "does not open with a comment"),
        (
            archive({"src/engine.c": ENGINE}),
            {"sha256": "0" * 64},
            "sha256 is [0-9a-f]{64}, wasm/upstream.toml pins 000",
        ),
    ],
    ids=["another file", "a link", "cut off", "no comment", "another hash"],
)
def test_archive_that_is_not_right_is_refused(
    tmp_path: Path, data: bytes, changes: dict[str, Any], complaint: str
) -> None:
    source = pinned(data, tmp_path, **changes)
    with pytest.raises(BuildError, match=complaint):
        sources.unpack(upstream(source), tmp_path)


@pytest.mark.parametrize(
    ("stderr", "complaint"),
    [
        (
            "ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE.\n"
            "        Expected sha256 aaaa\n             Got        bbbb\n",
            "cannot obtain engine 1.0 with pip: the archive is not the pinned one: Expected sha256 aaaa, Got bbbb",
        ),
        (
            "WARNING: Retrying\nERROR: No matching distribution found\n",
            r"with pip: No matching distribution found \(is a package index reachable\?",
        ),
        ("", "pip gave no reason"),
    ],
)
def test_failed_download_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, stderr: str, complaint: str) -> None:
    def run(command: list[str], **_: Any) -> subprocess.CompletedProcess[str]:
        assert {"--require-hashes", "--no-deps", "--no-binary"} <= set(command)
        return subprocess.CompletedProcess(command, 1, "", stderr)

    monkeypatch.setattr(subprocess, "run", run)
    source = Source("engine", "1.0", "0" * 64, "src", (), (), "MIT")
    with pytest.raises(BuildError, match=complaint):
        sources.obtain(source, tmp_path)


def test_the_table_itself_is_sound() -> None:
    loaded = sources.load()
    for source in loaded.sources:
        assert set(source.compile) <= set(source.files)
        assert source.licence_file or source.licence_header
    assert all(patch.reason and patch.gain for patch in loaded.patches)


def test_files_in_folders_stay_there(tmp_path: Path) -> None:
    data = archive({"src/engine.c": ENGINE, "src/arch/generic/part.c": "int part;"})
    source = pinned(data, tmp_path, files=("engine.c", "arch/generic/part.c"))
    directory = sources.unpack(upstream(source), tmp_path)["engine"]

    assert (directory / "arch" / "generic" / "part.c").read_text(encoding="utf-8") == "int part;"


def test_patch_of_a_file_that_is_not_unpacked_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "upstream.toml"
    text = sources.TABLE.read_text(encoding="utf-8")
    path.write_text(text.replace('source = "quickjs-ng"\nfile = "quickjs.c"', 'source = "quickjs-ng"\nfile = "x.c"', 1))
    with pytest.raises(BuildError, match=r"upstream.toml: a patch names quickjs-ng x.c, which is not unpacked"):
        sources.load(path)
