"""Modules, the host's side: which source answers for a specifier, and what is refused."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import anyio
import pytest

from sandbox.capabilities import Modules
from sandbox.modules import Importer, ModuleSource
from sandbox.modules.addresses import absolute, directory_of
from sandbox.modules.mapping import finders

Host = Mapping[str, Callable[..., Any]]


def _host(modules: Any, sources: dict[str, str] | None = None) -> Host:
    def compile(name: str, code: str, *_how: object) -> str:
        if sources is not None:
            sources[name] = code
        return code

    return Modules(finders(modules), compile).handlers()


def _load(host: Host, specifier: str, path: str = "/main.js", directory: str | None = None, kind: str = "") -> Any:
    return host["load"](specifier, path, directory, "import", kind, True)


@pytest.mark.parametrize(
    ("specifier", "directory", "key"),
    [
        ("./a.js", "/lib", "/lib/a.js"),
        ("../a.js", "/lib", "/a.js"),
        ("../../../a.js", "/lib", "/a.js"),
        ("/a//b/./c.js", "/lib", "/a/b/c.js"),
        (".", "/lib", "/lib"),
        ("..", "/lib/x", "/lib"),
        ("lodash", "/lib", "lodash"),
        ("lodash/fp.js", "/lib", "lodash/fp.js"),
        ("node:fs", "/lib", "node:fs"),
        ("https://h/x.js", "/lib", "https://h/x.js"),
        ("./a.js", "https://h/x/y", "https://h/x/y/a.js"),
        ("../../../a.js", "https://h/x", "https://h/a.js"),
        ("/a.js", "https://h/x", "https://h/a.js"),
        ("./a.js", "lib", "/a.js"),
        ("", "/lib", ""),
    ],
)
def test_keys(specifier: str, directory: str, key: str) -> None:
    assert absolute(specifier, directory) == key


@pytest.mark.parametrize(
    ("path", "directory"),
    [
        ("/lib/a.js", "/lib"),
        ("/a.js", "/"),
        ("lib/a.js", "/lib"),
        ("./lib/a.js", "/lib"),
        ("<module 1>", "/"),
        ("", "/"),
        ("https://h/x/y.js?v=a/b", "https://h/x"),
        ("https://h", "https://h/"),
        ("node:fs/promises", "/"),
    ],
)
def test_directories(path: str, directory: str) -> None:
    assert directory_of(path) == directory


@pytest.mark.parametrize("name", ["lib/math.js", "./lib/math.js", "/lib/math.js", "/lib/./x/../math.js"])
@pytest.mark.parametrize("specifier", ["lib/math.js", "/lib/math.js", "./math.js"])
def test_a_name_of_a_mapping_is_a_path(name: str, specifier: str) -> None:
    host = _host({name: "1"})
    assert host["resolve"](specifier, "/lib/other.js", None, "import") == "/lib/math.js"
    assert _load(host, specifier, "/lib/other.js") == ["/lib/math.js", "1", "/lib/math.js", None, "module"]


@pytest.mark.parametrize(
    ("source", "kind", "answer"),
    [
        ("x", "", ["x", "module"]),
        (b"\xef\xbb\xbfx", "", ["x", "module"]),
        ("{}", "json", ["{}", "json"]),
        ("é", "text", ["é", "text"]),
        ("é", "bytes", [b"\xc3\xa9", "bytes"]),
        (b"\xff", "bytes", [b"\xff", "bytes"]),
        (ModuleSource("{}", kind="json"), "", ["{}", "json"]),
        (ModuleSource("x", kind="commonjs"), "", ["x", "commonjs"]),
        (ModuleSource("x", kind="commonjs"), "text", ["x", "text"]),
        (ModuleSource(b"\xff", kind="bytes"), "", [b"\xff", "bytes"]),
    ],
)
def test_kinds(source: Any, kind: str, answer: list[Any]) -> None:
    _, code, _, _, found = _load(_host({"a": source}), "a", kind=kind)
    assert [code, found] == answer


@pytest.mark.parametrize(
    ("source", "place"),
    [
        (ModuleSource("", filename="/x/y.js"), ["/k", "", "/x/y.js", None, "module"]),
        (ModuleSource("", resolve_dir="x/./y"), ["/k", "", "/k", "/x/y", "module"]),
        (ModuleSource("", resolve_dir="/../.."), ["/k", "", "/k", "/", "module"]),
        (ModuleSource("", resolve_dir="https://h/x"), ["/k", "", "/k", "https://h/x", "module"]),
    ],
)
def test_places(source: ModuleSource, place: list[Any]) -> None:
    assert _load(_host({"k": source}), "k") == place


def test_the_first_that_knows_a_specifier_serves_it() -> None:
    asked: list[str] = []

    def loader(specifier: str, importer: Importer) -> str | None:
        asked.append(specifier)
        return "loaded" if specifier == "b" else None

    host = _host([{"a": "first"}, loader, {"a": "never", "c": "last"}])
    assert [_load(host, name) and _load(host, name)[:2] for name in "abcd"] == [
        ["/a", "first"],
        ["b", "loaded"],
        ["/c", "last"],
        None,
    ]
    assert "a" not in asked


def test_a_resolver_is_asked_once_for_one_import() -> None:
    asked: list[Any] = []

    class Resolver:
        def resolve(self, specifier: str, importer: Importer, /, *, conditions: tuple[str, ...]) -> str | None:
            asked.append((specifier, importer, conditions))
            return None if specifier == "no" else "/key"

        def load(self, key: str, /) -> ModuleSource:
            asked.append(key)
            return ModuleSource("x")

    host = _host(Resolver())
    assert host["resolve"]("no", "a", "/d", "require") is None
    assert host["resolve"]("x", "a", "/d", "require") == "/key"
    assert host["load"]("x", "a", "/d", "require", "", False)[0] == "/key"
    importer = Importer("a", "/d")
    assert asked == [("no", importer, ("require",)), ("x", importer, ("require",)), "/key"]
    assert host["load"]("x", "a", "/d", "require", "", False)[0] == "/key"
    assert len(asked) == 5


def test_sources_are_remembered_for_errors() -> None:
    sources: dict[str, str] = {}
    host = _host({"a": ModuleSource("code", filename="/x.js"), "b": ModuleSource(b"\xff", kind="bytes")}, sources)
    _load(host, "a")
    _load(host, "b")
    assert sources == {"/x.js": "code"}


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        ((1, "/m", None, "import"), TypeError),
        (("a", 1, None, "import"), TypeError),
        (("a", "/m", 1, "import"), TypeError),
        (("a", "/m", None, "other"), TypeError),
        (("a", "/m", None, []), TypeError),
    ],
)
def test_questions_that_no_guest_of_ours_asks(arguments: tuple[Any, ...], error: type[Exception]) -> None:
    host = _host({"a": ""})
    with pytest.raises(error):
        host["resolve"](*arguments)
    with pytest.raises(error):
        host["load"](*arguments, "", True)


@pytest.mark.parametrize("kind", ["css", "module", None, []])
def test_types_that_do_not_exist(kind: Any) -> None:
    with pytest.raises((ValueError, TypeError)):
        _load(_host({"a": ""}), "a", kind=kind)


@pytest.mark.parametrize(
    ("modules", "error", "text"),
    [
        (5, TypeError, "not int"),
        ("text", TypeError, "not str"),
        ([{}, b""], TypeError, "not bytes"),
        ({1: ""}, TypeError, "must be str, not int"),
        ({"a": 1}, TypeError, "must be str, bytes or ModuleSource, not int"),
        ({"a": "", "./a": ""}, ValueError, "'/a' twice"),
    ],
)
def test_options_that_are_refused(modules: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        finders(modules)


@pytest.mark.parametrize(
    ("source", "error", "text"),
    [
        (5, TypeError, "not int"),
        (b"ab\xff", ValueError, r"'/a' is not UTF-8 text \(byte 2\)"),
        (ModuleSource("", kind="css"), ValueError, "of the kind 'css'"),  # type: ignore[arg-type] # wrong on purpose
    ],
)
def test_sources_that_are_refused(source: Any, error: type[Exception], text: str) -> None:
    with pytest.raises(error, match=text):
        _load(_host(lambda specifier, importer: source), "./a")


def test_without_modules() -> None:
    assert _host(None)["resolve"]("a", "/m", None, "import") is False
    assert _host([])["resolve"]("a", "/m", None, "import") is False
    assert _host({})["resolve"]("a", "/m", None, "import") is None


# --- sources that take time ---


async def _later(specifier: str, importer: Importer) -> str | None:
    await anyio.lowlevel.checkpoint()
    return None if specifier == "b" else f"source of {specifier}"


def _returns_awaitable(specifier: str, importer: Importer) -> Awaitable[str | None]:
    return _later(specifier, importer)


@pytest.mark.anyio
@pytest.mark.parametrize("loader", [_later, _returns_awaitable])
async def test_a_source_is_fetched_by_its_number(loader: Any) -> None:
    host = _host([loader, {"b": "other"}])
    number = _load(host, "a")
    assert isinstance(number, int)
    assert await host["fetch"](number) == ["a", "source of a", "a", None, "module"]
    with pytest.raises(LookupError):
        await host["fetch"](number)
    assert (await host["fetch"](_load(host, "b")))[:2] == ["/b", "other"]


@pytest.mark.anyio
@pytest.mark.parametrize("number", [1, "1", None])
async def test_a_source_that_was_not_begun(number: Any) -> None:
    with pytest.raises(LookupError):
        await _host(_later)["fetch"](number)


@pytest.mark.anyio
@pytest.mark.parametrize("loader", [_later, _returns_awaitable])
async def test_nobody_waits_for_what_is_required(loader: Any) -> None:
    host = _host(loader)
    assert host["load"]("a", "/main.js", None, "require", "", False) == 0
    with pytest.raises(LookupError):
        await host["fetch"](0)


@pytest.mark.anyio
async def test_sources_that_are_never_fetched_are_forgotten() -> None:
    host = _host(_returns_awaitable)
    numbers = [_load(host, "a") for _ in range(200)]
    with pytest.raises(LookupError):
        await host["fetch"](numbers[0])
    for number in numbers[-64:]:
        await host["fetch"](number)
