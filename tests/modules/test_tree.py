"""Source trees: which file a specifier means, and what kind it is."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from sandbox.modules import ModuleResolver, SourceTree
from tests.modules.folders import key, plant


@pytest.mark.parametrize(
    ("specifier", "directory", "found"),
    [
        ("./main.js", "/", "/main.js"),
        ("/main.js", "/lib", "/main.js"),
        ("./x.js", "/lib", "/lib/x.js"),
        ("../main", "/lib", "/main.js"),
        ("./lib/x", "/", "/lib/x.js"),
        ("./lib/x.json", "/", "/lib/x.json"),
        ("./lib/y", "/", "/lib/y.mjs"),
        ("./lib/z", "/", "/lib/z.cjs"),
        ("./only/data", "/", "/only/data.json"),
        ("./lib", "/", "/lib/index.js"),
        ("./lib/", "/", "/lib/index.js"),
        (".", "/lib", "/lib/index.js"),
        ("./", "/lib", "/lib/index.js"),
        ("..", "/lib/deeper", "/lib/index.js"),
        ("./deep/er", "/", "/deep/er/index.mjs"),
        ("./both", "/lib", "/lib/both.js"),
        ("./both/", "/lib", "/lib/both/index.js"),
        ("./main.js/", "/", None),
        ("/", "/lib", "/index.mjs"),
        (".//lib/./x.js", "/", "/lib/x.js"),
        ("../../../main.js", "/lib", "/main.js"),
        ("./absent", "/", None),
        ("./main.js/x", "/", None),
        ("./lib/x.mjs", "/", None),
        ("./.env", "/", None),
        ("./notes.txt", "/", None),
        ("main.js", "/", None),
        ("lib/x", "/", None),
        ("https://host/main.js", "/", None),
        ("node:fs", "/", None),
        ("./main.js", "https://host/", None),
        ("", "/", None),
    ],
)
def test_a_tree_at_the_top(root: Path, specifier: str, directory: str, found: str | None) -> None:
    assert key(SourceTree(root), specifier, directory) == found


@pytest.mark.parametrize("prefix", ["@/", "@"])
@pytest.mark.parametrize(
    ("specifier", "directory", "found"),
    [
        ("@/shared/a", "/", "/@/shared/a.js"),
        ("@/shared/a.js", "https://host/", "/@/shared/a.js"),
        ("@/shared/../main", "/", "/@/main.js"),
        ("@/", "/", "/@/index.mjs"),
        ("@", "/", "/@/index.mjs"),
        ("@shared", "/", None),
        ("@shared/a", "/", None),
        ("@/sharedness", "/", "/@/sharedness.js"),
        ("@/shared", "/", None),
        ("/@/main.js", "/", "/@/main.js"),
        ("./@/main.js", "/", "/@/main.js"),
        ("./x", "/@/lib", "/@/lib/x.js"),
        ("../../main.js", "/@/lib", None),
        ("/main.js", "/@/lib", None),
        ("/@shared/a.js", "/", None),
        ("main", "/", None),
    ],
)
def test_a_tree_behind_a_bare_prefix(
    root: Path, prefix: str, specifier: str, directory: str, found: str | None
) -> None:
    assert key(SourceTree(root, prefix=prefix), specifier, directory) == found


@pytest.mark.parametrize(
    ("prefix", "specifier", "found"),
    [
        ("@/shared", "@/shared/a", "/@/shared/main.js"),
        ("@/shared", "@/sharedness", None),
        ("@/shared", "@/shared", "/@/shared/index.mjs"),
        ("/src", "/src/main", "/src/main.js"),
        ("/src", "src/main", None),
        ("/src", "/srcmain", None),
        ("src", "src/main", "/src/main.js"),
        ("", "/main.js", "/main.js"),
    ],
)
def test_prefixes_end_at_a_slash(root: Path, prefix: str, specifier: str, found: str | None) -> None:
    specifier = specifier.replace("shared/a", "shared/main")
    assert key(SourceTree(root, prefix=prefix), specifier) == found


@pytest.mark.parametrize("prefix", ["../x", "a/../b", "./a", "a//b", "/..", "a\0"])
def test_a_prefix_is_a_plain_path(root: Path, prefix: str) -> None:
    with pytest.raises(ValueError):
        SourceTree(root, prefix=prefix)


@pytest.mark.parametrize("name", ["main.js", "absent"])
def test_the_root_is_a_directory(root: Path, name: str) -> None:
    with pytest.raises(NotADirectoryError):
        SourceTree(root / name)


@pytest.mark.parametrize(
    ("specifier", "error", "text"),
    [
        ("@/../secret", PermissionError, "module specifier escapes the source tree"),
        ("@/..", PermissionError, "module specifier escapes the source tree"),
        ("@/lib/../../outside.js", PermissionError, "module specifier escapes the source tree"),
        ("@/x\0.js", ValueError, "module specifier contains a null character"),
        ("./x\ud800", ValueError, "module specifier contains a lone surrogate"),
        ("x" * 1_000_000, ValueError, "module specifier is too long: 1,000,000 characters of 4,096"),
        ("./" + "a/" * 10_000, ValueError, "module specifier is too long: 20,002 characters of 4,096"),
    ],
)
def test_specifiers_that_are_refused(root: Path, specifier: str, error: type[Exception], text: str) -> None:
    with pytest.raises(error) as caught:
        key(SourceTree(root, prefix="@/"), specifier)

    assert str(caught.value) == text


@pytest.mark.parametrize(
    "specifier", ["./" + "a/" * 2_000, "./" + "a" * 4_000, "./" + "../" * 1_000 + "x", "./\n", "./%2e%2e/x"]
)
def test_odd_specifiers_that_name_nothing(root: Path, specifier: str) -> None:
    assert key(SourceTree(root), specifier) is None


@pytest.mark.parametrize(
    ("files", "name", "kind"),
    [
        ({"a.js": ""}, "a.js", "module"),
        ({"a.mjs": "", "package.json": {"type": "commonjs"}}, "a.mjs", "module"),
        ({"a.cjs": ""}, "a.cjs", "commonjs"),
        ({"a.json": "1"}, "a.json", "json"),
        ({"a.txt": "1"}, "a.txt", "text"),
        ({"a.js": "", "package.json": {"type": "commonjs"}}, "a.js", "commonjs"),
        ({"a.js": "", "package.json": {"type": "module"}}, "a.js", "module"),
        ({"a.js": "", "package.json": {}}, "a.js", "module"),
        ({"a.js": "", "package.json": {"type": 7}}, "a.js", "module"),
        ({"d/a.js": "", "package.json": {"type": "commonjs"}}, "d/a.js", "commonjs"),
        ({"d/a.js": "", "d/package.json": {}, "package.json": {"type": "commonjs"}}, "d/a.js", "module"),
        ({"a.js": "", "../package.json": {"type": "commonjs"}}, "a.js", "module"),
    ],
)
def test_kinds(tmp_path: Path, files: dict[str, Any], name: str, kind: str) -> None:
    tree = SourceTree(plant(tmp_path / "root", files), extensions=(".js", ".mjs", ".cjs", ".json", ".txt"))

    found = key(tree, f"./{name}")

    assert found == f"/{name}"
    source = tree.load(found)
    assert (source.kind, source.filename, source.resolve_dir) == (kind, found, None)


@pytest.mark.parametrize(
    ("name", "content", "code"),
    [
        ("a.js", b"\xef\xbb\xbfexport {}", b"export {}"),
        ("a.json", b"\xef\xbb\xbf{}", b"{}"),
        ("a.cjs", b"#!/bin/node\n1", b"///bin/node\n1"),
        ("a.cjs", b"\xef\xbb\xbf#!x\n1", b"//x\n1"),
        ("a.mjs", b"#!/bin/node\n1", b"#!/bin/node\n1"),
        ("a.js", b"\xff\0", b"\xff\0"),
        ("a.js", b"", b""),
    ],
)
def test_contents(tmp_path: Path, name: str, content: bytes, code: bytes) -> None:
    assert SourceTree(plant(tmp_path, {name: content})).load(f"/{name}").code == code


def test_a_bad_package_file_is_named(tmp_path: Path) -> None:
    tree = SourceTree(plant(tmp_path / "root", {"a.js": "", "package.json": "{"}), prefix="/src")

    with pytest.raises(ValueError, match=r"^package 'src': '/src/package.json' is not valid JSON$"):
        tree.load("/src/a.js")


def test_files_are_read_when_they_are_loaded(root: Path) -> None:
    tree = SourceTree(root)
    assert tree.load("/main.js").code == b"main"
    plant(root, {"main.js": "changed", "new.js": "new"})

    assert (tree.load("/main.js").code, key(tree, "./new")) == (b"changed", "/new.js")


def test_trees_are_resolvers(root: Path) -> None:
    assert isinstance(SourceTree(root), ModuleResolver)
