"""Packages: links, wrong package files and hostile specifiers; nothing outside of the folders is ever read."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from sandbox.modules import NodeModules
from tests.modules.folders import CJS, ESM, OUTSIDE, key, plant, short

posix = pytest.mark.skipif(os.name == "nt", reason="needs symbolic links")

NOTHING = "/node_modules/.nothing.cjs"


STORE = {
    ".pnpm/foo@1.0.0/node_modules/foo/package.json": {"name": "foo"},
    ".pnpm/foo@1.0.0/node_modules/foo/index.js": "",
    ".pnpm/foo@1.0.0/node_modules/bar": Path("../../bar@2.0.0/node_modules/bar"),
    ".pnpm/bar@2.0.0/node_modules/bar/index.js": "",
    ".pnpm/node_modules/hoisted/index.js": "",
    "foo": Path(".pnpm/foo@1.0.0/node_modules/foo"),
    "top/index.js": "",
}
FOO, BAR = ".pnpm/foo@1.0.0/node_modules/foo", ".pnpm/bar@2.0.0/node_modules/bar"


@posix
@pytest.mark.parametrize(
    ("specifier", "directory", "found"),
    [
        ("foo", "", f"{FOO}/index.js"),
        ("bar", "", None),
        ("bar", FOO, f"{BAR}/index.js"),
        ("foo", FOO, f"{FOO}/index.js"),
        ("foo", BAR, f"{FOO}/index.js"),
        ("hoisted", FOO, ".pnpm/node_modules/hoisted/index.js"),
        ("hoisted", "", None),
        ("top", FOO, "top/index.js"),
    ],
)
def test_a_store_of_linked_packages(tmp_path: Path, specifier: str, directory: str, found: str | None) -> None:
    packages = NodeModules(plant(tmp_path, STORE))

    assert short(key(packages, specifier, f"/node_modules/{directory}".rstrip("/"))) == found


WORKSPACE = {
    "packages/one/package.json": {"name": "@w/one", "main": "main.js"},
    "packages/one/main.js": "",
    "packages/one/node_modules/own/index.js": "",
    "packages/two/index.js": "",
    "node_modules/@w/one": Path("../../packages/one"),
    "node_modules/@w/two": Path("../../packages/two"),
    "node_modules/top/index.js": "",
    "secret/index.js": OUTSIDE,
    "elsewhere/one/index.js": "",
    "node_modules/other": Path("../elsewhere/one"),
    "hoisted/node_modules/far/index.js": "",
    "hoisted/node_modules/beside.js": "",
    "node_modules/far": Path("../hoisted/node_modules/far"),
}


@posix
@pytest.mark.parametrize(
    ("allow", "specifier", "directory", "found"),
    [
        (["packages/one"], "@w/one", "/", ".linked/one/main.js"),
        (["packages"], "@w/one", "/", ".linked/packages/one/main.js"),
        (["packages"], "@w/two", "/", ".linked/packages/two/index.js"),
        (["packages"], "@w/two", "/node_modules/.linked/packages/one", ".linked/packages/two/index.js"),
        (["packages"], "own", "/node_modules/.linked/packages/one", ".linked/packages/one/node_modules/own/index.js"),
        (["packages"], "own", "/", None),
        (["packages"], "top", "/node_modules/.linked/packages/one", "top/index.js"),
        (["packages/one"], "own", "/node_modules/.linked/one/lib", ".linked/one/node_modules/own/index.js"),
        (["packages"], "../two", "/node_modules/.linked/packages/one", ".linked/packages/two/index.js"),
        (["."], "top", "/", "top/index.js"),
        (["."], "top", "/node_modules/.linked/repository/packages/one", "top/index.js"),
        (["."], "@w/one", "/", ".linked/repository/packages/one/main.js"),
        (["hoisted/node_modules"], "far", "/", ".linked/node_modules/far/index.js"),
        (
            ["hoisted/node_modules"],
            "beside",
            "/node_modules/.linked/node_modules/far",
            ".linked/node_modules/beside.js",
        ),
        (["hoisted/node_modules"], "top", "/node_modules/.linked/node_modules/far", "top/index.js"),
        (["packages/one", "elsewhere/one"], "other", "/", ".linked/one-2/index.js"),
        (["packages/one", "elsewhere/one"], "@w/one", "/", ".linked/one/main.js"),
    ],
)
def test_workspaces(tmp_path: Path, allow: list[str], specifier: str, directory: str, found: str | None) -> None:
    root = plant(tmp_path / "repository", WORKSPACE)
    packages = NodeModules(root / "node_modules", allow=[root / folder for folder in allow])

    resolved = key(packages, specifier, directory)

    assert short(resolved) == found
    assert resolved is None or packages.load(resolved).kind == "commonjs"


@posix
@pytest.mark.parametrize("allow", [[], ["packages/two"]])
@pytest.mark.parametrize("conditions", [ESM, CJS])
def test_workspaces_that_are_not_allowed(tmp_path: Path, allow: list[str], conditions: tuple[str, ...]) -> None:
    root = plant(tmp_path / "repository", WORKSPACE)
    packages = NodeModules(root / "node_modules", allow=[root / folder for folder in allow])

    with pytest.raises(PermissionError) as caught:
        key(packages, "@w/one", conditions=conditions)

    assert str(caught.value) == "a symbolic link leads out of the folder of modules"


# --- attacks ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("where", ["package.json", "inner/package.json"])
@pytest.mark.parametrize(
    ("content", "text"),
    [
        ("{", "is not valid JSON"),
        ("", "is not valid JSON"),
        (b"\xff\xfe", "is not valid JSON"),
        ("[" * 100_000, "is not valid JSON"),
        ('{"a":' * 100_000, "is not valid JSON"),
        ("[]", "is not a JSON object"),
        ("null", "is not a JSON object"),
        ("7", "is not a JSON object"),
    ],
)
def test_bad_package_files(tmp_path: Path, where: str, content: str | bytes, text: str) -> None:
    packages = NodeModules(plant(tmp_path, {f"@s/p/{where}": content, "@s/p/index.js": "", "@s/p/inner/x.js": ""}))

    with pytest.raises(ValueError, match=rf"^package '[^']+': '/node_modules/@s/p/{where}' {text}$") as caught:
        key(packages, "@s/p/inner")
        packages.load("/node_modules/@s/p/inner/x.js")

    assert ("'@s/p'" in str(caught.value)) == (where == "package.json")


def test_a_package_file_may_have_a_byte_order_mark(tmp_path: Path) -> None:
    packages = NodeModules(plant(tmp_path, {"p/package.json": b'\xef\xbb\xbf{"main": "m.js"}', "p/m.js": ""}))

    assert key(packages, "p") == "/node_modules/p/m.js"


def test_package_files_are_read_once(tmp_path: Path) -> None:
    packages = NodeModules(plant(tmp_path, {"p/package.json": {"main": "a.js"}, "p/a.js": "", "p/b.js": ""}))
    first = key(packages, "p")
    plant(tmp_path, {"p/package.json": {"main": "b.js"}})

    assert (first, key(packages, "p"), key(NodeModules(tmp_path), "p")) == (
        "/node_modules/p/a.js",
        "/node_modules/p/a.js",
        "/node_modules/p/b.js",
    )


def test_large_package_files(tmp_path: Path) -> None:
    packages = NodeModules(plant(tmp_path, {"p/package.json": '"' + "x" * 200 + '"'}), max_bytes=100)

    with pytest.raises(OSError, match=r"^the file '/node_modules/p/package.json' is larger than 100 bytes$"):
        key(packages, "p")


@pytest.mark.parametrize(
    "specifier", ["x" * 1_000_000, "a/" * 10_000, "#" * 10_000, "a\0", "./\0", "a/\ud800", "#\udc00", "@a/b/\ud83d"]
)
def test_specifiers_that_are_refused(tmp_path: Path, specifier: str) -> None:
    with pytest.raises(ValueError, match=r"^module specifier "):
        key(NodeModules(tmp_path), specifier)


@posix
def test_what_becomes_a_link_after_it_was_resolved(tmp_path: Path) -> None:
    plant(tmp_path / "away", {"lib/main.js": OUTSIDE})
    root = plant(tmp_path / "root", {"a/package.json": {"main": "lib/main"}, "a/lib/main.js": ""})
    packages = NodeModules(root)
    found = key(packages, "a")
    assert found is not None
    (root / "a").rename(root / "moved")
    plant(root, {"a": tmp_path / "away"})

    with pytest.raises(PermissionError, match=r"^a symbolic link leads out of the folder of modules$"):
        packages.load(found)


PIECES = st.one_of(
    st.sampled_from(["", ".", "..", "p", "@s", "out", "in", "outside.js", "index", "sub", "node_modules", ".linked"]),
    st.sampled_from(
        ["x", "x.js", "%2e%2e", "%2f", "..\\", "\0", "\ud800", "*", "linked", "fs", "gone", "evil", "browse"]
    ),
    st.text(max_size=4),
)
SPECIFIERS = st.builds(
    lambda start, pieces: start + "/".join(pieces),
    st.sampled_from(["", "/", "./", "../", "#", "/node_modules/", "node:", "p/", "p/sub/", "./../"]),
    st.lists(PIECES, max_size=6),
)
HOSTILE = {
    "p/package.json": {
        "name": "p",
        "exports": {".": "./index.js", "./sub/*": "./*", "./x": "./out/outside.js", "./*.js": ["../*", "./*.js"]},
        "imports": {"#*": "./*", "#x/*": "*", "#out": "./out/outside.js"},
    },
    "p/index.js": "",
    "p/out": Path("../.."),
    "evil/package.json": {"main": "../../outside.js", "module": "/outside.js", "browser": "./../../outside.js"},
    "browse/package.json": {
        "main": "a.js",
        "browser": {"./a.js": "../../outside.js", "x": "../../outside", "fs": "evil"},
    },
    "browse/a.js": "",
    "in": Path("p"),
    "out": Path(".."),
    "linked": Path("../allowed"),
    "outside": Path("../outside.js"),
}


@posix
@pytest.mark.parametrize("conditions", [ESM, CJS])
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=400)
@given(specifier=SPECIFIERS, directory=SPECIFIERS)
def test_no_specifier_leads_out(tmp_path: Path, conditions: tuple[str, ...], specifier: str, directory: str) -> None:
    root, allowed = tmp_path / "root", tmp_path / "allowed"
    if not root.exists():
        plant(tmp_path, {"outside.js": OUTSIDE, "package.json": {"main": "outside.js"}, "allowed/index.js": ""})
        plant(root, HOSTILE)
    packages = NodeModules(root, allow=[allowed])
    for asked in (directory, "/node_modules/p", "/node_modules/browse"):
        try:
            found = key(packages, specifier, asked, conditions)
            source = packages.load(found or specifier)
        except (OSError, ValueError, LookupError) as error:
            assert str(tmp_path) not in str(error)
        else:
            assert OUTSIDE not in str(source.code)
            if found != NOTHING:
                filename = str(source.filename)
                below = filename.removeprefix("/node_modules/.linked/allowed/")
                home = root if below == filename else allowed
                assert (home / below.removeprefix("/node_modules/")).is_file()


@posix
@pytest.mark.parametrize("specifier", ["evil", "browse", "browse/a.js", "evil/../../outside.js"])
def test_fields_that_lead_out_name_nothing(tmp_path: Path, specifier: str) -> None:
    plant(tmp_path, {"outside.js": OUTSIDE})

    assert key(NodeModules(plant(tmp_path / "root", HOSTILE)), specifier) is None
