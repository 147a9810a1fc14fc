"""Source maps: what a place in a program was made from, in errors as Python sees them."""

from __future__ import annotations

import base64
import json
import pickle
from bisect import bisect_right
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sandbox import JSError, Sandbox, _origins, _source_maps
from sandbox._origins import Program
from sandbox._runs import Sources
from sandbox._stack import Frame
from sandbox.modules import Importer, ModuleSource, NodeModules, SourceTree

# What esbuild and TypeScript made of `cart.ts` and `shop.ts`, which are ours: a bundle with its map, a file beside its.
MADE: Final = Path(__file__).parent / "source_maps"
CART: Final = (MADE / "cart.ts").read_text("utf-8")
SHOP: Final = (MADE / "shop.ts").read_text("utf-8")
BUNDLE: Final = (MADE / "bundle.js").read_text("utf-8")
_DIGITS: Final = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"

Segment = tuple[int, ...]


def encoded(lines: Sequence[Sequence[Segment]]) -> str:
    """Mappings, as the format has them: of each segment its column, and what it stands for."""
    before = [0] * 5
    groups = []
    for line in lines:
        before[0] = 0
        group = []
        for segment in line:
            group.append("".join(digits(number - before[at]) for at, number in enumerate(segment)))
            before[: len(segment)] = segment
        groups.append(",".join(group))
    return ";".join(groups)


def digits(number: int) -> str:
    value = -number << 1 | 1 if number < 0 else number << 1
    text = ""
    while True:
        value, digit = value >> 5, value & 31
        text += _DIGITS[digit | (32 if value else 0)]
        if not value:
            return text


def a_map(lines: Sequence[Sequence[Segment]] = (((0, 0, 0, 0),),), **parts: Any) -> dict[str, Any]:
    return {"version": 3, "sources": ["a.ts"], "mappings": encoded(lines), **parts}


def carried(parts: object) -> str:
    """A comment that holds a map."""
    text = parts if isinstance(parts, str) else json.dumps(parts)
    return f"\n//# sourceMappingURL=data:application/json;base64,{base64.b64encode(text.encode()).decode()}"


def thrown(code: str, filename: str = "/out/a.js", **options: Any) -> JSError:
    with Sandbox(**options) as box, pytest.raises(JSError) as caught:
        box.eval(code, filename=filename)
    return caught.value


def places(error: JSError) -> list[Any]:
    return [(frame.file, frame.line, frame.column) for frame in error.frames]


def bytes_to(text: str, part: str) -> tuple[int, int]:
    """Line and column of a part, as frames count them."""
    before = text[: text.index(part)]
    return before.count("\n") + 1, len(before.rpartition("\n")[2].encode()) + 1


class TestMappings:
    @pytest.mark.parametrize(
        ("lines", "place", "original"),
        [
            ([[(0, 0, 0, 0)]], (0, 0), (0, 0)),
            ([[(0, 0, 0, 0)]], (0, 99), (0, 0)),
            ([[(4, 0, 2, 3)]], (0, 3), None),
            ([[(4, 0, 2, 3), (9, 0, 1, 1)]], (0, 8), (2, 3)),
            ([[(4, 0, 2, 3), (9, 0, 1, 1)]], (0, 9), (1, 1)),
            ([[(4, 0, 2, 3), (9,)]], (0, 9), None),
            ([[(4, 0, 2, 3, 0)]], (0, 5), (2, 3)),
            ([[(0, 0, 7, 7)], [], [(1, 0, 3, 0)]], (2, 1), (3, 0)),
            ([[(0, 0, 7, 7)], [], [(1, 0, 3, 0)]], (1, 0), None),
            ([[(0, 0, 7, 7)]], (5, 0), None),
            ([[(9, 0, 1, 1), (4, 0, 2, 3)]], (0, 5), (2, 3)),
            ([[(0, 1, 0, 0)]], (0, 0), None),
            ([[(0, 0, 1_000_000, 1_000_000)]], (0, 0), (1_000_000, 1_000_000)),
            ([], (0, 0), None),
        ],
    )
    def test_places(self, lines: list[list[Segment]], place: tuple[int, int], original: tuple[int, int] | None) -> None:
        (found,) = _source_maps.read(json.dumps(a_map(lines)), "a.js").originals([place])
        assert (found and (found.line, found.column)) == original

    @given(
        st.lists(
            st.lists(st.tuples(*[st.integers(0, 5_000)] * 4), max_size=8, unique_by=lambda segment: segment[0]),
            max_size=6,
        ),
        st.lists(st.tuples(st.integers(0, 7), st.integers(0, 6_000)), max_size=6),
    )
    def test_any_of_them(self, lines: list[list[Segment]], asked: list[tuple[int, int]]) -> None:
        lines = [sorted((column, source % 3, line, at) for column, source, line, at in group) for group in lines]
        parts = a_map(lines, sources=["a", "b", "c"])
        found = _source_maps.read(json.dumps(parts), "x.js").originals(asked)
        for (line, column), original in zip(asked, found, strict=True):
            group = lines[line] if line < len(lines) else []
            at = bisect_right([segment[0] for segment in group], column) - 1
            expected = None if at < 0 else ("abc"[group[at][1]], *group[at][2:])
            assert (original and (original.name, original.line, original.column)) == expected

    def test_sections(self) -> None:
        first, second = a_map([[(0, 0, 5, 0)]]), a_map([[(2, 0, 0, 0)], [(1, 0, 8, 8)]], sources=["b.ts"])
        sections = [
            {"offset": {"line": 1, "column": 10}, "map": second},
            {"offset": {"line": 0, "column": 0}, "map": first},
        ]
        read = _source_maps.read(json.dumps({"version": 3, "sections": sections}), "/out/x.js")
        found = read.originals([(0, 3), (1, 9), (1, 12), (2, 1)])
        assert [(each.name, each.line) if each else None for each in found] == [
            ("/out/a.ts", 5),
            None,
            ("/out/b.ts", 0),
            ("/out/b.ts", 8),
        ]

    @pytest.mark.parametrize(
        ("program", "root", "source", "name"),
        [
            ("/out/a.js", None, "a.ts", "/out/a.ts"),
            ("/out/a.js", None, "../src/a.ts", "/src/a.ts"),
            ("/out/a.js", "../src", "a.ts", "/src/a.ts"),
            ("/out/a.js", "/src/", "./b/../a.ts", "/src/a.ts"),
            ("/out/a.js", "https://host/src", "a.ts", "https://host/src/a.ts"),
            ("/out/a.js", "src", "/a.ts", "/a.ts"),
            ("/out/a.js", None, "webpack://app/./a.ts", "webpack://app/./a.ts"),
            ("out/a.js", None, "../src/a.ts", "src/a.ts"),
            ("a.js", None, "a.ts", "a.ts"),
            ("<eval 1>", None, "a.ts", "a.ts"),
            ("https://host/out/a.js?v=1", None, "../../../a.ts", "https://host/a.ts"),
            ("https://host", None, "a.ts", "https://host/a.ts"),
            ("/out/a.js", None, None, "/out/a.js (source)"),
            ("/out/a.js", None, 5, "/out/a.js (source)"),
        ],
    )
    def test_names(self, program: str, root: str | None, source: object, name: str) -> None:
        parts = a_map(sources=[source], sourceRoot=root)
        (found,) = _source_maps.read(json.dumps(parts), program).originals([(0, 0)])
        assert found is not None
        assert found.name == name

    @pytest.mark.parametrize("before", ["", "\ufeff", ")]}'\n", ")]}' anything\n"])
    def test_what_servers_put_before_it(self, before: str) -> None:
        text = before + json.dumps(a_map())
        for given_text in (text, text.encode()):
            assert _source_maps.read(given_text, "a.js").originals([(0, 0)])[0] is not None


HOSTILE: Final[dict[str, str]] = {
    "no JSON": "{",
    "empty": "",
    "null": "null",
    "a list": "[]",
    "no version": "{}",
    "an old version": json.dumps(a_map() | {"version": 2}),
    "no mappings": json.dumps({"version": 3, "sources": []}),
    "no sources": json.dumps({"version": 3, "mappings": ""}),
    "sources that are none": json.dumps(a_map(sources={})),
    "no digits": json.dumps(a_map() | {"mappings": "A!AA"}),
    "two numbers": json.dumps(a_map() | {"mappings": "AA"}),
    "six numbers": json.dumps(a_map() | {"mappings": "AAAAAA"}),
    "a number without an end": json.dumps(a_map() | {"mappings": "AAAg"}),
    "an empty segment": json.dumps(a_map() | {"mappings": ",AAAA"}),
    "an enormous number": json.dumps(a_map() | {"mappings": "A" + "g" * 1_000_000 + "A"}),
    "nested deeply": "[" * 100_000,
    "nested deeply in a map": '{"version": 3, "x": ' + "[" * 100_000,
    "many parts": json.dumps(a_map() | {"x": [[]] * 500_000}),
    "a text without an end": '"' + '\\"' * 500_000,
    "a text that ends in a backslash": '"' + '\\"' * 500_000 + "\\",
    "too large": " " * (_source_maps.MAX_MAP_CHARS + 1),
    "too many mappings": json.dumps(a_map() | {"mappings": "," * 2_100_000}),
    "sections that are none": json.dumps({"version": 3, "sections": {}}),
    "a section that is none": json.dumps({"version": 3, "sections": [1]}),
    "a section without a place": json.dumps({"version": 3, "sections": [{"map": a_map(), "offset": {}}]}),
    "a section before the beginning": json.dumps(
        {"version": 3, "sections": [{"map": a_map(), "offset": {"line": -1, "column": 0}}]}
    ),
    "sections in sections": json.dumps(
        {"version": 3, "sections": [{"map": {"version": 3, "sections": []}, "offset": {"line": 0, "column": 0}}]}
    ),
    "a section by URL": json.dumps(
        {"version": 3, "sections": [{"url": "file:///etc/passwd", "offset": {"line": 0, "column": 0}}]}
    ),
}


class TestHostileMaps:
    @pytest.mark.parametrize("name", HOSTILE)
    def test_they_are_refused(self, name: str) -> None:
        with pytest.raises(ValueError):
            _source_maps.read(HOSTILE[name], "a.js").originals([(0, 0), (3, 3)])

    @pytest.mark.parametrize("name", [name for name, text in HOSTILE.items() if len(text) < 500_000])
    def test_errors_are_shown_without_them(self, name: str) -> None:
        error = thrown("throw new Error('x')" + carried(HOSTILE[name]))
        assert places(error) == [("/out/a.js", 1, 7)]
        assert "> 1 | throw new Error('x')" in error.render()

    @pytest.mark.parametrize(
        "lines",
        [[[(0, 0, -1, 0)]], [[(0, 0, 0, -1)]], [[(0, -1, 0, 0)]], [[(0, 9, 0, 0)]]],
        ids=["line", "column", "source below", "source above"],
    )
    def test_places_that_cannot_be(self, lines: list[list[Segment]]) -> None:
        assert places(thrown("throw new Error('x')" + carried(a_map(lines)))) == [("/out/a.js", 1, 7)]

    def test_a_place_behind_the_end_of_its_source(self) -> None:
        error = thrown("throw new Error('x')" + carried(a_map([[(0, 0, 9_999, 9_999)]], sourcesContent=["short"])))
        assert places(error) == [("/out/a.ts", 10_000, 10_000)]
        assert error.render() == "Error: x\n    at /out/a.ts:10000:10000"

    def test_names_cannot_steer_a_terminal(self) -> None:
        parts = a_map(sources=["/\x1b[2J\n.ts"], sourcesContent=["\x1b[2J"])
        assert "\x1b" not in thrown("throw new Error('x')" + carried(parts)).render()

    def test_the_text_of_another_program_stays(self) -> None:
        parts = a_map(sources=["/lib.js"], sourcesContent=["something else"])
        code = "import 'lib.js'; throw new Error('x')" + carried(parts)
        with Sandbox(modules={"lib.js": "export const what = 'the library'"}) as box:
            with pytest.raises(JSError) as caught:
                box.module(code, filename="/out/a.js")
            assert "the library" in caught.value.render()
            assert "something else" not in caught.value.render()


class TestTheComment:
    @pytest.mark.parametrize(
        ("code", "url"),
        [
            ("x\n//# sourceMappingURL=a.map", "a.map"),
            ("x\n//@ sourceMappingURL=a.map\n\n", "a.map"),
            ("x\n//#\tsourceMappingURL=a.map  \n// more", "a.map"),
            ("x /*# sourceMappingURL=a.map */", "a.map"),
            ("x //# sourceMappingURL=one\n//# sourceMappingURL=two", "two"),
            ("//# sourceMappingURL=a.map\nx", None),
            ("x\n/*# sourceMappingURL=a.map", None),
            ("x\n//# sourceMappingURL=", None),
            ("x\n// sourceMappingURL=a.map", None),
            ("'sourceMappingURL=a.map'", None),
            ("sourceMappingURL=a.map", None),
            ("", None),
        ],
    )
    def test_urls(self, code: str, url: str | None) -> None:
        assert _origins.url_in(code) == url

    @pytest.mark.parametrize(
        "url",
        [
            "data:application/json," + quote(json.dumps(a_map())),
            "data:application/json;charset=utf-8," + quote(json.dumps(a_map()), safe="{}[]:,\"'*"),
            "DATA:application/json;charset=utf-8;BASE64," + base64.b64encode(json.dumps(a_map()).encode()).decode(),
        ],
    )
    def test_maps_in_urls(self, url: str) -> None:
        error = thrown(f"throw new Error('x')\n//# sourceMappingURL={url.replace(' ', '%20')}")
        assert places(error) == [("/out/a.ts", 1, 1)]

    @pytest.mark.parametrize("url", ["data:", "data:;base64,###", "data:x", "https://host/a.map", "file:///etc/passwd"])
    def test_others_are_nothing(self, url: str) -> None:
        assert places(thrown(f"throw new Error('x')\n//# sourceMappingURL={url}")) == [("/out/a.js", 1, 7)]


class TestErrors:
    def test_of_a_bundle(self) -> None:
        error = thrown(BUNDLE, "/dist/bundle.js")
        line, column = bytes_to(CART, "new RangeError")
        assert places(error)[:2] == [("/src/cart.ts", line, column), ("/src/shop.ts", *bytes_to(SHOP, "total(names"))]
        assert error.place == Frame("t", "/src/cart.ts", line, 48)
        assert error.render().splitlines()[:6] == [
            "RangeError: 😀😀 empty €",
            "  --> /src/cart.ts:7:48",
            '  5 | // "ß" and "😀": columns are not bytes',
            "  6 | export function total(items: Item[], 币: string): number {",
            '> 7 |   const label = "😀😀"; if (!items.length) throw new RangeError(`${label} empty ${币}`);',
            "    |                                                  ^",
        ]
        assert error.sources["/src/cart.ts"] == CART
        assert "/dist/bundle.js:1" in error.stack  # which is the guest's own text

    def test_they_are_pickled_with_what_is_shown(self) -> None:
        source = ModuleSource((MADE / "cart.js").read_text("utf-8"), source_map=(MADE / "cart.js.map").read_bytes())
        with Sandbox(modules={"dist/cart.js": source}) as box, pytest.raises(JSError) as caught:
            box.module("import {total} from 'dist/cart.js'; total([], '')")
        read = pickle.loads(pickle.dumps(caught.value))
        assert read.frames[0].file == "/src/cart.ts"
        assert read.render() == caught.value.render()
        assert {type(text) for text in read.sources.values()} == {str}

    def test_causes_too(self) -> None:
        parts = a_map([[(0, 0, 0, 0)], [(0, 0, 4, 0)]], sourcesContent=["first\n2\n3\n4\nlast"])
        code = "const inner = new Error('b');\nthrow new Error('a', {cause: new AggregateError([inner], 'c')})"
        error = thrown(code + carried(parts))
        assert places(error) == [("/out/a.ts", 5, 1)]
        assert places(error.cause) == [("/out/a.ts", 5, 1)]
        assert places(error.cause.properties["errors"][0]) == [("/out/a.ts", 1, 1)]
        assert error.render().count("> 5 | last") == 2

    def test_of_programs_that_cannot_be_parsed(self) -> None:
        error = thrown("let x = ;" + carried(a_map([[(0, 0, 2, 4)]], sourcesContent=["\n\nlet x: T = ;"])))
        assert places(error) == [("/out/a.ts", 3, 5)]

    def test_outcomes(self) -> None:
        with Sandbox() as box:
            outcome = box.execute(BUNDLE, filename="/dist/bundle.js")
        told = outcome.to_dict()["error"]
        assert (told["file"], told["line"], told["column"]) == ("/src/cart.ts", 7, 48)
        assert "> 7 |" in outcome.preview()

    def test_what_has_no_source_in_the_map(self) -> None:
        error = thrown("throw new Error('x')" + carried(a_map([[(0, 0, 6, 2)]])))
        assert error.render() == "Error: x\n    at /out/a.ts:7:3"

    def test_what_was_made_of_a_program_here(self) -> None:
        """As types are erased: a place is where it was, in characters; in bytes it may be another one."""
        program = Program("let a: 'ß😀'; x.y", generated="let a        ; x.y", mappings=None)
        frames = (Frame(None, "a.ts", 1, 15), Frame(None, "a.ts", 1, None), Frame(None, "b.ts", 1, 1))
        traced = _origins.trace(frames, {"a.ts": program})
        assert [frame.column for frame in traced.frames] == [18, None, 1]

    def test_what_was_moved_here(self) -> None:
        program = Program(
            "enum A { B }\nthrow 1", generated="var A=f();throw 1", mappings=((0, 0, 0, 0), (0, 10, 1, 0))
        )
        traced = _origins.trace((Frame("f", "a.ts", 1, 17), Frame("g", "a.ts", 1, 7)), {"a.ts": program})
        assert [str(frame) for frame in traced.frames] == ["f (a.ts:2:7)", "g (a.ts:1:7)"]

    def test_what_was_made_here_of_what_was_made_elsewhere(self) -> None:
        text = "enum A { B }; throw 1" + carried(a_map([[(0, 0, 0, 0), (14, 0, 9, 4)]]))
        program = Program(text, generated="var A=f();throw 1", mappings=((0, 0, 0, 0), (0, 10, 0, 14)))
        traced = _origins.trace((Frame(None, "a.ts", 1, 11),), {"a.ts": program})
        assert [(frame.file, frame.line, frame.column) for frame in traced.frames] == [("a.ts", 10, 5)]


def test_programs_count_with_what_was_made_of_them() -> None:
    sources = Sources()
    for number in range(5):
        sources.add(str(number), Program("x" * (1 << 20), generated="y" * (2 << 20)))
    assert list(sources.copy()) == ["3", "4"]


class TestModules:
    def thrown(self, modules: Any, name: str = "dist/cart.js") -> JSError:
        with Sandbox(modules=modules) as box, pytest.raises(JSError) as caught:
            box.module(f"import {{total}} from {name!r}; total([], '€')")
        return caught.value

    def check(self, error: JSError) -> None:
        assert error.frames[0].file == "/src/cart.ts"
        assert (error.frames[0].line, error.frames[0].column) == bytes_to(CART, "new RangeError")
        assert "--> /src/cart.ts:7:48" in error.render()

    def test_a_mapping_has_the_map_beside_the_module(self) -> None:
        files = {f"dist/{name}": (MADE / name).read_bytes() for name in ("cart.js", "cart.js.map")}
        self.check(self.thrown(files))
        del files["dist/cart.js.map"]
        assert self.thrown(files).frames[0].file == "/dist/cart.js"

    def test_a_source_has_its_map(self) -> None:
        self.check(
            self.thrown({"dist/cart.js": ModuleSource((MADE / "cart.js").read_bytes(), source_map=self.content)})
        )

    def content(self) -> bytes:
        return (MADE / "cart.js.map").read_bytes()

    def test_a_loader_is_asked_when_somebody_looks(self) -> None:
        asked: list[str] = []

        def source_map() -> bytes:
            asked.append("map")
            return self.content()

        async def load(specifier: str, _importer: Importer) -> ModuleSource | None:
            return ModuleSource((MADE / "cart.js").read_bytes(), filename=f"/{specifier}", source_map=source_map)

        error = self.thrown(load)
        assert not asked
        self.check(error)
        self.check(error)
        assert asked == ["map"]

    @pytest.mark.parametrize("given_map", [lambda: 1 / 0, lambda: None, lambda: 5, "no map", b"\xff"])
    def test_a_map_that_is_none(self, given_map: Any) -> None:
        error = self.thrown({"dist/cart.js": ModuleSource((MADE / "cart.js").read_bytes(), source_map=given_map)})
        assert error.frames[0].file == "/dist/cart.js"

    @pytest.mark.parametrize("kind", ["tree", "packages"])
    def test_folders(self, tmp_path: Path, kind: str) -> None:
        dist = tmp_path / "shop" / "dist"
        dist.mkdir(parents=True)
        for name in ("cart.js", "cart.js.map"):
            (dist / name).write_bytes((MADE / name).read_bytes())
        if kind == "tree":
            self.check(self.thrown(SourceTree(tmp_path / "shop"), "/dist/cart.js"))
        else:
            error = self.thrown(NodeModules(tmp_path), "shop/dist/cart.js")
            assert error.frames[0].file == "/node_modules/shop/src/cart.ts"

    @pytest.mark.parametrize(
        ("url", "plant"),
        [
            (
                "../secret.map",
                lambda root: (root.parent / "secret.map").write_bytes((MADE / "cart.js.map").read_bytes()),
            ),
            ("/etc/secret.map", lambda _root: None),
            ("file:///etc/passwd", lambda _root: None),
            ("private.json", lambda root: (root / "private.json").write_bytes((MADE / "cart.js.map").read_bytes())),
            ("out.map", lambda root: (root / "out.map").symlink_to(MADE / "cart.js.map")),
            (
                "in.map",
                lambda root: (
                    (root / "private.json").write_bytes((MADE / "cart.js.map").read_bytes()),
                    (root / "in.map").symlink_to(root / "private.json"),
                ),
            ),
            ("folder.map", lambda root: (root / "folder.map").mkdir()),
        ],
    )
    def test_nothing_else_of_the_host_is_read(self, tmp_path: Path, url: str, plant: Callable[[Path], object]) -> None:
        root = tmp_path / "root"
        root.mkdir()
        code = (MADE / "cart.js").read_text("utf-8").replace("cart.js.map", url)
        (root / "cart.js").write_text(code, "utf-8")
        plant(root)
        assert self.thrown(SourceTree(root), "/cart.js").frames[0].file == "/cart.js"
