"""What a guest that says whatever it likes can do with the operations of files."""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from sandbox import DirectoryFiles, FileStore, MemoryFiles
from sandbox.capabilities import FilesCapability
from sandbox.files import writables
from sandbox.files.mounts import mounts_of
from sandbox.files.service import MOST_READ_BYTES


class Guest:
    """Asks as a guest would."""

    def __init__(self, option: object) -> None:
        self.capability = FilesCapability(mounts_of(option))
        self._handlers = self.capability.handlers()

    def __call__(self, name: str, *arguments: Any) -> Any:
        return self._handlers[name](*arguments)

    def close(self) -> None:
        self.capability.close()


@pytest.fixture(params=["memory", "directory"])
def store(request: pytest.FixtureRequest, tmp_path: Path) -> FileStore:
    if request.param == "directory":
        (tmp_path / "a").write_bytes(b"abc")
        return DirectoryFiles(tmp_path, write=True)
    return MemoryFiles({"a": b"abc"})


@pytest.fixture
def guest(store: FileStore) -> Any:
    made = Guest({"/": store, "/m": MemoryFiles({"b": b"b"})})
    yield made
    made.close()


def test_without_a_grant() -> None:
    guest = Guest(None)

    assert guest("granted") is None
    assert {guest(name, *["/"] * count) for name, count in COUNTS.items()} == {"EPERM"}


COUNTS = {
    "stat": 1, "list": 1, "open": 3, "read": 4, "readNow": 4, "store": 3, "begin": 3, "write": 3, "truncate": 2,
    "commit": 1, "discard": 1, "make": 2, "remove": 2, "rename": 3, "copy": 3,
}  # fmt: skip


@pytest.mark.parametrize("name", COUNTS)
def test_a_wrong_number_of_arguments(guest: Guest, name: str) -> None:
    with pytest.raises(TypeError):
        guest(name, *["/"] * (COUNTS[name] + 1))


def path_of(kind: str) -> str:
    """Paths that no program can give: the bindings resolve them."""
    return {
        "above": "/../a",
        "here": "/./a",
        "empty": "//a",
        "closing": "/a/",
        "null": "/a\0b",
        "surrogate": "/\ud800",
        "long name": "/" + "x" * 256,
        "long name in bytes": "/" + "ü" * 128,
        "deep": "/x" * 65,
        "huge": "/" + "x" * 10_000_000,
    }[kind]


@pytest.mark.parametrize("name", ["stat", "list", "open", "read", "store", "begin", "make", "remove", "rename", "copy"])
@pytest.mark.parametrize(
    "kind",
    ["above", "here", "empty", "closing", "null", "surrogate", "long name", "long name in bytes", "deep", "huge"],
)
def test_paths_that_are_none(guest: Guest, name: str, kind: str) -> None:
    rest: Any = {"read": [0, 1, None], "store": [b"", "write"]}.get(name, [True] * (COUNTS[name] - 1))

    assert guest(name, path_of(kind), *rest) in ("EINVAL", "ENAMETOOLONG")


@pytest.mark.parametrize("path", ["a", "", 1, None, b"/a", ["/a"], True])
def test_what_is_no_path_at_all(guest: Guest, path: Any) -> None:
    with pytest.raises(TypeError):
        guest("stat", path)


@pytest.mark.parametrize(
    ("name", "arguments", "expected"),
    [
        ("read", ["/a", 1 << 53, 1, None], "EINVAL"),
        ("read", ["/a", 5, 1 << 52, None], b""),
        ("read", ["/a", 0, 10, "of another"], "ESTALE"),
        ("read", ["/m", 0, 10, None], "EISDIR"),
        ("write", [77, 0, b""], "EBADF"),
        ("truncate", [77, 0], "EBADF"),
        ("commit", [77], "EBADF"),
        ("discard", [77], None),
        ("begin", ["/m", False, True], "EISDIR"),
        ("begin", ["/c", False, False], "ENOENT"),
        ("rename", ["/", "/c", True], "EBUSY"),
        ("rename", ["/m", "/c", True], "EBUSY"),
        ("rename", ["/a", "/m", True], "EBUSY"),
        ("rename", ["/a", "/m/a", True], "EXDEV"),
        ("remove", ["/m", False], "EBUSY"),
        ("remove", ["/", False], "EBUSY"),
        ("make", ["/m", False], "EEXIST"),
    ],
)
def test_odd_requests(guest: Guest, name: str, arguments: list[Any], expected: Any) -> None:
    assert guest(name, *arguments) == expected


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("read", ["/a", -1, 1, None]),
        ("read", ["/a", 0.5, 1, None]),
        ("read", ["/a", True, 1, None]),
        ("store", ["/a", "text", "write"]),
        ("store", ["/a", None, "write"]),
        ("write", ["1", 0, b""]),
        ("commit", [None]),
        ("truncate", [1, -1]),
    ],
)
def test_arguments_of_a_wrong_type(guest: Guest, name: str, arguments: list[Any]) -> None:
    with pytest.raises(TypeError):
        guest(name, *arguments)


def test_one_read_gives_so_much() -> None:
    guest = Guest(MemoryFiles({"big": bytes(2 * MOST_READ_BYTES)}))

    assert len(guest("read", "/big", 0, 1 << 50, None)) == MOST_READ_BYTES


def test_more_writables_than_there_may_be(guest: Guest) -> None:
    numbers = [guest("begin", "/a", False, False)[0] for _ in range(writables.MOST_OPEN + 1)]

    assert guest("write", numbers[0], 0, b"x") == "EBADF"
    assert {guest("write", number, 0, b"x") for number in numbers[1:]} == {None}
    assert len(set(numbers)) == len(numbers)


@pytest.mark.parametrize(
    "grow",
    [
        lambda guest, number: guest("write", number, 1 << 52, b"x"),
        lambda guest, number: guest("truncate", number, 1 << 52),
        lambda guest, number: guest("write", number, (1 << 30) + 1, b""),
    ],
)
def test_what_is_written_has_an_end(guest: Guest, grow: Callable[[Guest, int], Any]) -> None:
    number, _ = guest("begin", "/a", False, False)

    assert grow(guest, number) == "ENOSPC"
    assert guest("write", number, 0, b"x") is None
    assert guest("commit", number) is None
    assert guest("read", "/a", 0, 9, None) == b"x"


def test_together_they_have_an_end_too(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writables, "MOST_STAGED_BYTES", 10)
    first, second = (guest("begin", "/a", False, False)[0] for _ in range(2))

    assert guest("write", first, 0, b"123456") is None
    assert guest("truncate", second, 5) == "ENOSPC"
    assert guest("discard", first) is None
    assert guest("truncate", second, 5) is None


def test_a_forked_child_does_not_write_what_its_parent_does(guest: Guest, monkeypatch: pytest.MonkeyPatch) -> None:
    number, _ = guest("begin", "/a", False, False)
    monkeypatch.setattr("sandbox.capabilities.files.os.getpid", lambda: -1)

    assert guest("commit", number) == "EBADF"
    assert guest("begin", "/a", False, False)[0] > number
    assert guest("read", "/a", 0, 9, None) == b"abc"


def test_a_store_that_lies() -> None:
    """Names that no guest can say are not told; too many are refused; bytes beyond what was asked for are cut."""

    class Liar(MemoryFiles):
        def list(self, path: str) -> Any:
            return [("..", True), ("a/b", False), ("", False), ("ok", False), ("\ud800", False)]

        def read(self, path: str, start: int, size: int) -> bytes:
            return bytes(size + 100)

    guest = Guest(Liar({"ok": b"x"}))

    assert guest("list", "/") == ["ok", False]
    assert len(guest("read", "/ok", 0, 5, None)) == 5


@pytest.mark.parametrize(
    ("option", "error", "text"),
    [
        (1, TypeError, "files must be a FileStore, or a mapping of paths to some; int has no stat()"),
        ({"/": "data"}, TypeError, "str has no stat(). DirectoryFiles(path) is the store of a directory"),
        ({"data": MemoryFiles()}, ValueError, "files cannot be mounted at 'data'"),
        ({"/a/../b": MemoryFiles()}, ValueError, "files cannot be mounted at '/a/../b'"),
        ({1: MemoryFiles()}, ValueError, "files cannot be mounted at 1"),
    ],
)
def test_options_that_say_nothing(option: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=re.escape(text)):
        mounts_of(option)


def test_directories_above_mounts() -> None:
    guest = Guest({"/x/y": MemoryFiles({"a": b""}), "/x/z": MemoryFiles()})

    assert guest("granted") is False
    assert guest("list", "/") == ["x", True]
    assert guest("list", "/x") == ["y", True, "z", True]
    assert guest("stat", "/x")[0] is True
    assert guest("open", "/x/new", False, True) == "ENOENT"
    assert guest("store", "/x", b"", "write") == "EROFS"
    assert guest("remove", "/x", False) == "EBUSY"
    assert guest("stat", "/q") == "ENOENT"
