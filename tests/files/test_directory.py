"""Nothing leaves the directory, whatever a path says and whoever changes the disk meanwhile."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from io import BytesIO
from pathlib import Path
from typing import Any

import fsspec
import pytest

from sandbox import DirectoryFiles, FsspecFiles, JSError, Sandbox
from sandbox.files.failures import code_of

SECRET = b"outside"
RACES = int(os.environ.get("SANDBOX_RACES", "2000"))


@pytest.fixture
def inside(tmp_path: Path) -> Path:
    """A directory beside which there is a secret, with ways out of all kinds in it."""
    folder = tmp_path / "inside"
    (folder / "d").mkdir(parents=True)
    (folder / "a.txt").write_text("a")
    (folder / "d" / "b.txt").write_text("b")
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(SECRET)
    (folder / "link").symlink_to(outside / "secret")
    (folder / "inner").symlink_to(folder / "a.txt")
    (folder / "way").symlink_to(outside)
    (folder / "dangling").symlink_to(outside / "new")
    (folder / "loop").symlink_to(folder / "loop")
    os.mkfifo(folder / "fifo")
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(folder / "socket"))
    return folder


def names(folder: Path) -> list[str]:
    return sorted(each.name for each in folder.iterdir())


def code(action: Callable[[], Any]) -> str:
    with pytest.raises(OSError) as caught:
        action()
    return code_of(caught.value)


IRREGULAR = ["link", "inner", "way", "dangling", "loop", "fifo", "socket"]


@pytest.mark.parametrize("name", IRREGULAR)
@pytest.mark.parametrize(
    "action",
    [
        lambda files, name: files.stat(name),
        lambda files, name: files.read(name, 0, 10),
        lambda files, name: files.write(name, BytesIO(b"x")),
        lambda files, name: files.write(name, BytesIO(b"x"), exclusive=True),
        lambda files, name: files.remove(name),
        lambda files, name: files.rename(name, "other"),
        lambda files, name: files.rename("a.txt", name),
    ],
    ids=["stat", "read", "write", "create", "remove", "rename", "replace"],
)
def test_links_and_devices_are_left_alone(inside: Path, name: str, action: Callable[..., Any]) -> None:
    before = (inside / name).lstat()

    assert code(lambda: action(DirectoryFiles(inside, write=True), name)) == "EACCES"
    assert (inside / name).lstat() == before
    assert (inside / "a.txt").read_text() == "a"
    assert [each.name for each in (inside.parent / "outside").iterdir()] == ["secret"]


@pytest.mark.parametrize(
    "path", ["way/secret", "way/new", "inner/x", "d/../../outside/secret", "..", "../outside/secret", "d/..", ".", "d/.", "d//b.txt", "/etc/passwd", "a\0b"]
)  # fmt: skip
def test_paths_that_lead_out_lead_nowhere(inside: Path, path: str) -> None:
    files = DirectoryFiles(inside, write=True)
    for action in (
        lambda: files.stat(path),
        lambda: files.read(path, 0, 10),
        lambda: files.write(path, BytesIO(b"x")),
        lambda: files.make_directory(path),
        lambda: files.remove(path),
        lambda: files.rename("a.txt", path),
    ):
        assert code(action) in ("EINVAL", "ENOTDIR", "EACCES", "EBUSY", "ENOENT")
    assert (inside.parent / "outside" / "secret").read_bytes() == SECRET
    assert names(inside.parent / "outside") == ["secret"]


def test_what_is_listed(inside: Path) -> None:
    assert sorted(DirectoryFiles(inside).list("")) == [("a.txt", False), ("d", True)]


@pytest.mark.parametrize("write", [False, True])
def test_it_can_only_be_read_by_default(inside: Path, write: bool) -> None:
    files = DirectoryFiles(inside, write=write)
    actions: tuple[Callable[[], Any], ...] = (
        lambda: files.write("n", BytesIO(b"x")),
        lambda: files.rename("n", "m"),
        lambda: files.remove("m"),
        lambda: files.make_directory("m"),
    )
    for action in actions:
        if write:
            action()
        else:
            assert code(action) == "EROFS"


ATTACKER = """
import os
while True:
    os.rename("d", "kept")
    os.symlink("../outside", "d")
    os.unlink("d")
    os.rename("kept", "d")
"""


def test_while_a_directory_is_exchanged_for_a_link(inside: Path) -> None:
    """The race that a check of real paths loses: thousands of times, and never once."""
    outside = inside.parent / "outside"
    (outside / "b.txt").write_bytes(SECRET)
    files = DirectoryFiles(inside, write=True)
    seen: dict[str, int] = {}
    with subprocess.Popen([sys.executable, "-c", ATTACKER], cwd=inside) as attacker:
        ends = time.monotonic() + 10
        while (seen.get("ENOTDIR", 0) < RACES or seen.get("b", 0) < 3) and time.monotonic() < ends:
            try:
                found = files.read("d/b.txt", 0, 10).decode()
                files.write("d/b.txt", BytesIO(b"b"))
                files.write("d/new", BytesIO(b"n"))
            except OSError as error:
                found = code_of(error)
            seen[found] = seen.get(found, 0) + 1
        attacker.kill()
    assert set(seen) <= {"b", "ENOENT", "ENOTDIR", "EACCES"}
    assert seen["ENOTDIR"] > 0  # it met the link
    assert seen["b"] > 0
    assert names(outside) == ["b.txt", "secret"]
    assert (outside / "b.txt").read_bytes() == SECRET


def test_a_hard_link_keeps_its_other_name(inside: Path) -> None:
    os.link(inside.parent / "outside" / "secret", inside / "hard")

    DirectoryFiles(inside, write=True).write("hard", BytesIO(b"mine"))

    assert (inside / "hard").read_bytes() == b"mine"
    assert (inside.parent / "outside" / "secret").read_bytes() == SECRET


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(inside: Path) -> None:
    class Broken(BytesIO):
        def read(self, size: int | None = -1) -> bytes:
            raise OSError(errno.EIO, "the disk of what is copied")

        read1 = read

    before = names(inside)

    assert code(lambda: DirectoryFiles(inside, write=True).write("a.txt", Broken(b"x"))) == "EIO"
    assert (inside / "a.txt").read_text() == "a"
    assert names(inside) == before


def test_permissions_of_a_file_are_kept(inside: Path) -> None:
    (inside / "a.txt").chmod(0o640)
    DirectoryFiles(inside, write=True, fsync=True).write("a.txt", BytesIO(b"x"))

    assert (inside / "a.txt").stat().st_mode & 0o777 == 0o640


@pytest.mark.parametrize(
    ("options", "actions", "expected"),
    [
        ({"max_file_bytes": 3}, [lambda f: f.write("n", BytesIO(b"1234"))], "EFBIG"),
        ({"quota_bytes": 3}, [lambda f: f.write("n", BytesIO(b"1234"))], "ENOSPC"),
        (
            {"quota_bytes": 3},
            [lambda f: f.write("n", BytesIO(b"123")), lambda f: f.write("m", BytesIO(b"1"))],
            "ENOSPC",
        ),
        ({"max_entries": 1}, [lambda f: f.make_directory("n"), lambda f: f.make_directory("m")], "ENOSPC"),
        ({"max_entries": 0}, [lambda f: f.write("n", BytesIO(b""))], "ENOSPC"),
        ({}, [lambda f: f.make_directory(".sandbox-0.tmp")], "EACCES"),
    ],
)
def test_caps(inside: Path, options: dict[str, Any], actions: list[Callable[..., Any]], expected: str) -> None:
    files = DirectoryFiles(inside, write=True, **options)
    before = names(inside)
    for action in actions[:-1]:
        action(files)

    assert code(lambda: actions[-1](files)) == expected
    assert len(names(inside)) == len(before) + len(actions) - 1


def test_room_comes_back(inside: Path) -> None:
    files = DirectoryFiles(inside, write=True, quota_bytes=4, max_entries=1)
    for _ in range(5):
        files.write("n", BytesIO(b"1234"))
        files.write("n", BytesIO(b"12"))
        files.rename("n", "m")
        files.remove("m")


def test_what_it_cannot_be_made_of(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("")
    for path in (tmp_path / "a", tmp_path / "nothing"):
        with pytest.raises(NotADirectoryError):
            DirectoryFiles(path)
    with pytest.raises(ValueError, match="has a name"):  # a variable that nobody has set grants nothing
        DirectoryFiles("")


def test_without_the_system_calls_there_is_none(inside: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox._descent.AVAILABLE", False)
    with pytest.raises(NotImplementedError, match=r"openat\(\)"):
        DirectoryFiles(inside)


def test_fsspec_is_not_for_directories_of_this_machine() -> None:
    with pytest.raises(ValueError, match="use DirectoryFiles"):
        FsspecFiles(fsspec.filesystem("file"), "/")
    with pytest.raises(TypeError, match=r"must be one of fsspec.* not str"):
        FsspecFiles("memory://")


def test_nothing_of_the_host_is_told(inside: Path) -> None:
    with Sandbox(files={"/data": DirectoryFiles(inside)}) as box:
        box.eval("globalThis.fs = await import('node:fs/promises'); 0")
        for code in (
            "await fs.readFile('/data/link')",
            "await fs.readFile('/data/way/secret')",
            "await fs.writeFile('/data/x', '')",
            "await (await getDirectory('/data')).getFileHandle('fifo')",
            "await fs.readdir('/data/a.txt')",
        ):
            with pytest.raises(JSError) as caught:
                box.eval(code)
            assert str(inside.parent) not in f"{caught.value}{caught.value.stack}"


def test_a_tree_deeper_than_paths_may_be(inside: Path) -> None:
    deep = inside
    for _ in range(70):
        deep = deep / "x"
        deep.mkdir()
    (deep / "file").write_text("")
    with Sandbox(files=DirectoryFiles(inside, write=True)) as box:
        names = box.eval("await (await import('fs/promises')).readdir('/x').then(each => each.length)")
        told = box.eval(
            "await (await import('fs/promises')).rm('/x', {recursive: true}).then(() => 'gone', error => error.code)"
        )
    assert (names, told) == (1, "gone")
