"""No specifier, link, race or odd file leads out of a source tree; errors name no path of the host."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.modules import SourceTree
from tests.modules.folders import OUTSIDE, key, plant

posix = pytest.mark.skipif(os.name == "nt", reason="needs links, FIFOs and permissions of POSIX")


def descriptors() -> list[int]:
    """The numbers of the open files, as far as a test comes."""
    found = []
    for number in range(256):
        with contextlib.suppress(OSError):
            os.fstat(number)
            found.append(number)
    return found


@posix
@pytest.mark.parametrize(
    ("name", "target", "specifier", "found"),
    [
        ("link.js", "main.js", "./link", "/main.js"),
        ("link", "lib", "./link/x", "/lib/x.js"),
        ("link", ".", "./link/link/main", "/main.js"),
        ("lib/up", "..", "./lib/up/main", "/main.js"),
        ("lib/abs", "{root}/main.js", "./lib/abs", None),
        ("lib/abs.js", "{root}/main.js", "./lib/abs", "/main.js"),
        ("dangling.js", "absent.js", "./dangling", None),
        ("loop.js", "loop.js", "./loop", None),
        ("env.js", ".env", "./env", None),
    ],
)
def test_links_inside(root: Path, name: str, target: str, specifier: str, found: str | None) -> None:
    plant(root, {name: Path(target.format(root=root))})

    assert key(SourceTree(root), specifier) == found


@posix
@pytest.mark.parametrize(
    ("name", "target", "path"),
    [
        ("link.js", "../outside.js", "/link.js"),
        ("link.js", "{root}/../outside.js", "/link.js"),
        ("link.js", "/etc/passwd", "/link.js"),
        ("link", "..", "/link/outside.js"),
        ("link", "/", "/link/etc/hosts.js"),
        ("link.js", "../gone.js", "/link.js"),
        ("lib/link", "../..", "/lib/link/outside.js"),
        ("link.js", "../root-beside/x.js", "/link.js"),
    ],
)
def test_links_that_lead_out(root: Path, name: str, target: str, path: str) -> None:
    plant(root.parent, {"root-beside/x.js": OUTSIDE})
    plant(root, {name: Path(target.format(root=root))})
    tree = SourceTree(root)

    for attempt in (lambda: key(tree, path), lambda: tree.load(path)):
        with pytest.raises(PermissionError) as caught:
            attempt()
        assert str(caught.value) == "a symbolic link leads out of the folder of modules"


@posix
@pytest.mark.parametrize("change", ["file", "directory"])
def test_what_becomes_a_link_after_it_was_resolved(root: Path, change: str) -> None:
    tree = SourceTree(root)
    found = key(tree, "./lib/x.js")
    assert found is not None
    plant(root.parent, {"away/x.js": OUTSIDE})
    if change == "file":
        (root / "lib/x.js").unlink()
        plant(root, {"lib/x.js": root.parent / "away/x.js"})
    else:
        (root / "lib").rename(root / "old")
        plant(root, {"lib": root.parent / "away"})

    with pytest.raises(PermissionError):
        tree.load(found)


@posix
@pytest.mark.parametrize("before", ["stat", "open"])
@pytest.mark.parametrize("name", ["lib", "x.js"])
def test_what_becomes_a_link_between_two_steps(
    root: Path, before: str, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """At one step of the walk, the component that comes next is exchanged for a link that leads out, and back."""
    plant(root.parent, {"away/x.js": OUTSIDE, "away/lib/x.js": OUTSIDE})
    real: Callable[..., Any] = getattr(os, before)
    swapped = []

    def racing(path: Any, *args: Any, **options: Any) -> Any:
        place = (root / "lib" / "x.js" if name == "x.js" else root / "lib") if path == name else None
        if place is None or place.is_symlink():
            return real(path, *args, **options)
        swapped.append(path)
        aside = root / "aside"
        place.rename(aside)
        place.symlink_to(root.parent / "away" / path)
        try:
            return real(path, *args, **options)
        finally:
            place.unlink()
            aside.rename(place)

    tree = SourceTree(root)
    monkeypatch.setattr(os, before, racing)

    with pytest.raises(OSError) as caught:
        tree.load("/lib/x.js")

    assert swapped
    assert str(root) not in str(caught.value)


@posix
@pytest.mark.timeout(10)
def test_only_regular_files_are_read(root: Path) -> None:
    os.mkfifo(root / "pipe.js")
    plant(root, {"directory.js": None, "zero.js": Path("/dev/zero")})
    tree = SourceTree(root)

    assert [key(tree, "./pipe.js"), key(tree, "./directory.js")] == [None, None]
    for path in ("/pipe.js", "/directory.js"):
        with pytest.raises(FileNotFoundError):
            tree.load(path)
    with pytest.raises(PermissionError):
        key(tree, "./zero.js")


@posix
@pytest.mark.timeout(10)
def test_a_pipe_that_takes_a_files_place(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = SourceTree(root)
    before = descriptors()
    real_open = os.open

    def racing(path: Any, *args: Any, **options: Any) -> int:
        if path == "main.js":
            (root / "main.js").unlink()
            os.mkfifo(root / "main.js")
        return real_open(path, *args, **options)

    with monkeypatch.context() as patch:
        patch.setattr(os, "open", racing)
        with pytest.raises(FileNotFoundError, match=r"^cannot find the file '/main.js'$"):
            tree.load("/main.js")

    assert descriptors() == before


def test_files_have_a_size(root: Path) -> None:
    plant(root, {"exact.js": "x" * 100, "large.js": "x" * 101})
    with (root / "sparse.js").open("wb") as file:
        file.truncate(1 << 40)
    tree = SourceTree(root, max_bytes=100)

    assert len(tree.load("/exact.js").code) == 100
    for name in ("large", "sparse"):
        with pytest.raises(OSError, match=rf"^the file '/{name}.js' is larger than 100 bytes$"):
            tree.load(f"/{name}.js")


@pytest.mark.parametrize(
    "path", ["/../outside.js", "/lib/../main.js", "//main.js", "main.js", "/main.js\0", "/\ud800.js", "/.env", "/lib"]
)
def test_keys_that_resolve_never_gave(root: Path, path: str) -> None:
    with pytest.raises(FileNotFoundError) as caught:
        SourceTree(root).load(path)

    assert str(root) not in str(caught.value)


@posix
@pytest.mark.skipif(os.name != "nt" and os.geteuid() == 0, reason="root reads everything")
def test_files_that_the_host_may_not_read(root: Path) -> None:
    (root / "main.js").chmod(0)

    with pytest.raises(OSError, match=r"^cannot read '/main.js': Permission denied$"):
        SourceTree(root).load("/main.js")


def test_errors_of_the_host_name_no_path_of_it(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tree = SourceTree(root)

    def failing(*_: Any, **__: Any) -> None:
        raise OSError(5, "Input/output error", str(root))

    monkeypatch.setattr(os, "fdopen" if os.name == "nt" else "stat", failing)

    with pytest.raises(OSError) as caught:
        key(tree, "./main.js")

    assert str(caught.value) == f"cannot read '/main.js': {os.strerror(5)}"


PIECES = st.one_of(
    st.sampled_from(
        ["", ".", "..", "lib", "x", "x.js", "out", "in", "self", "outside.js", "@", "root", "...", "~", "C:"]
    ),
    st.sampled_from(["%2e%2e", "..\\", "\\..", "\0", "\ud800", "/etc", "outside", "pipe", "\uff0e\uff0e"]),
    st.text(max_size=5),
)
SPECIFIERS = st.builds(
    lambda start, pieces: start + "/".join(pieces),
    st.sampled_from(["", "/", "./", "../", "@/", "//", "file:///"]),
    st.lists(PIECES, max_size=8),
)


@posix
@pytest.mark.parametrize("by_descriptor", [True, False])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=300)
@given(specifier=SPECIFIERS, directory=SPECIFIERS)
def test_no_specifier_leads_out(root: Path, by_descriptor: bool, specifier: str, directory: str) -> None:
    if not (root / "out").is_symlink():
        plant(root, {"out": Path(".."), "in": Path("lib"), "self": Path(), "out.js": Path("../outside.js")})
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("sandbox._descent.AVAILABLE", by_descriptor)
        for prefix in ("/", "@/"):
            tree = SourceTree(root, prefix=prefix)
            for resolved in (True, False):
                try:
                    source = tree.load((key(tree, specifier, directory) or "/absent") if resolved else specifier)
                except (OSError, ValueError) as error:
                    assert str(root.parent) not in str(error)
                else:
                    assert OUTSIDE not in str(source.code)
                    assert (root / str(source.filename).removeprefix("/@").lstrip("/")).is_file()


@posix
@pytest.mark.parametrize(
    ("specifier", "found"),
    [("./main", "/main.js"), ("./in/x", "/lib/x.js"), ("./lib", "/lib/index.js"), ("./pipe", None)],
)
def test_platforms_without_descriptors_find_the_same(
    root: Path, specifier: str, found: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sandbox._descent.AVAILABLE", False)
    plant(root, {"in": Path("lib"), "out.js": Path("../outside.js")})
    os.mkfifo(root / "pipe.js")
    tree = SourceTree(root)

    assert key(tree, specifier) == found
    if found:
        assert tree.load(found).code == (root / found[1:]).read_bytes()
    with pytest.raises(PermissionError):
        key(tree, "./out")


@posix
def test_no_descriptor_stays_open(root: Path) -> None:
    plant(root, {"in": Path("lib"), "out.js": Path("../outside.js"), "loop.js": Path("loop.js")})
    tree = SourceTree(root)
    before = descriptors()
    for specifier in ("./main", "./in/x", "./absent", "./lib/x/y", "./out", "./loop"):
        try:
            tree.load(key(tree, specifier) or "/lib")
        except OSError:
            continue

    assert descriptors() == before
