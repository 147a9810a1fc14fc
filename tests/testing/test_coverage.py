"""Coverage: what is counted of programs, what is not, and that no end of a test loses it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Sandbox
from sandbox._abi import CAP_COVERED_POINTS
from sandbox._dispatch import enter
from sandbox.errors import UsageError
from sandbox.testing import Coverage, Covered, FileCoverage, run_suites
from sandbox.testing.coverage import read_minimum
from sandbox.testing.measuring import start_telling
from sandbox.testing.points import Points
from sandbox.testing.snapshots import Snapshots

if TYPE_CHECKING:
    from collections.abc import Mapping


def covered(code: str, program: str = "await import('m')") -> FileCoverage:
    """What a program executes of the module `m`."""
    points = Points()
    with Sandbox(testing=Snapshots(executed=points), modules={"m": code}) as box:
        start_telling(box)
        box.eval(program)
        (found,) = points.coverage(box._driver.source_texts()).files.values()
        return found


LINES: dict[str, tuple[str, dict[int, int]]] = {
    "statements": ("let a = 1;\na += 1;\n\n// no\n;\n{\n}\n", {1: 1, 2: 1}),
    "a loop": ("for (let i = 0; i < 5; i++) {\n  i;\n}", {1: 1, 2: 5}),
    "branches": ("if (false)\n  1\nelse\n  2\nswitch (1) {\n  case 1:\n    3\n  default:\n    4\n}", {
        1: 1, 2: 0, 4: 1, 5: 1, 7: 1, 9: 1,
    }),
    "functions that nobody calls": ("function f() {\n  return 1;\n}\nconst g = () => {\n  2;\n};", {2: 0, 4: 1, 5: 0}),
    "asynchronous ones": ("async function f() {\n  await 0;\n  return 1;\n}\nawait f();", {2: 1, 3: 1, 5: 1}),
    "generators": ("function* g() {\n  yield 1;\n  yield 2;\n}\ng().next();", {2: 1, 3: 0, 5: 1}),
    "classes": ("class A {\n  x = 1;\n  m() {\n    return 2;\n  }\n  static {\n    3;\n  }\n}", {1: 1, 4: 0, 7: 1}),
    "what is exported": ("export const a = 1;\nexport { a as b };\nexport default 1 + 1;\nexport function f() {}", {
        1: 1, 3: 1,
    }),
    "what follows a return": ("function f() {\n  return 1;\n  2;\n}\nf();", {2: 1, 3: 0, 5: 1}),
    "what throws": ("try {\n  null.x;\n  1;\n} catch {\n  2;\n} finally {\n  3;\n}", {1: 1, 2: 1, 3: 0, 5: 1, 7: 1}),
    "what is evaluated": ("eval('1;\\n2;\\n3');\nnew Function('4;\\n5')();", {1: 1, 2: 1}),
    "other line ends": ("1;\r\n2;\u20283;", {1: 1, 2: 1, 3: 1}),
}  # fmt: skip


@pytest.mark.parametrize(("code", "lines"), LINES.values(), ids=LINES)
def test_lines(code: str, lines: dict[int, int]) -> None:
    assert covered(code).lines == lines


def test_statements_of_one_line_are_told_apart() -> None:
    found = covered("/* ä */ const f = (x) => { if (x) return 1; return 2; };\nf(0);")
    assert [(each.line, each.column, each.count) for each in found.statements] == [
        (1, 10, 1), (1, 29, 1), (1, 36, 0), (1, 46, 1), (2, 1, 1),
    ]  # fmt: skip
    assert (found.partial_lines, found.missing) == ((1,), ())


def test_missing_lines_that_follow_each_other_are_one_range() -> None:
    found = covered("function f() {\n  1;\n\n  2;\n}\n3;\nfunction g() {\n  4;\n}")
    assert found.missing == ((2, 4), (8, 8))


FUNCTIONS: dict[str, list[tuple[str, int]]] = {
    "function named() {}\nnamed();": [("named", 1)],
    "async function* both() {}": [("both", 0)],
    "const given = () => 1; given(); given();": [("given", 2)],
    "[1, 2, 3].map((x) => x);": [("", 3)],
    "const o = { m() {}, p: function () {}, get g() { return 1 }, async *x() {} }; o.g;": [
        ("m", 0), ("p", 0), ("g", 1), ("x", 0),
    ],
    "class A { constructor() {} #p() {} static s() {} q = () => 1 }\nnew A();": [
        ("constructor", 1), ("#p", 0), ("s", 0), ("q", 0),
    ],
    "class B {}\nclass C extends B {}\nnew C();": [],
    "export default function () {}": [("", 0)],
}  # fmt: skip


@pytest.mark.parametrize(("code", "functions"), FUNCTIONS.items(), ids=range(len(FUNCTIONS)))
def test_functions(code: str, functions: list[tuple[str, int]]) -> None:
    assert [(each.name, each.count) for each in covered(code).functions] == functions


def test_only_a_guest_that_was_asked_tells() -> None:
    points = Points()
    with Sandbox(testing=Snapshots(executed=points), modules={"m": "1"}) as box:
        box.eval("await import('m')")
    assert points.coverage({}).files == {}


def test_a_module_that_is_no_program_has_no_points() -> None:
    points = Points()
    with Sandbox(testing=Snapshots(executed=points), modules={"m": "let a = ;", "n": "1"}) as box:
        start_telling(box)
        box.eval("await import('m').catch(() => {}); await import('n')")
    assert {name: each.lines for name, each in points.coverage({}).files.items()} == {"/n": {1: 1}}


# --- files of tests ---


def write(folder: Path, files: Mapping[str, str]) -> None:
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")


def lines_of(folder: Path, **options: Any) -> dict[str, dict[int, int]]:
    report = run_suites([folder], root=folder, coverage=options.pop("coverage", "loaded"), **options)
    assert report.coverage is not None
    return {name: each.lines for name, each in report.coverage.files.items()}


def test_files_and_workers_are_joined(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m.js": "export const f = (x) => {\n  if (x)\n    return 1;\n  return 2;\n};",
            "a.test.js": "import { f } from './m.js'; test('a', () => { f(0) })",
            "b.test.js": "import { f } from './m.js'; test('b', () => { f(1); f(1) })",
        },
    )
    assert lines_of(tmp_path, workers=2) == {"/m.js": {1: 2, 2: 3, 3: 2, 4: 1}}


def test_neither_tests_nor_packages_count(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m.cjs": "#!/usr/bin/env node\nmodule.exports = require('pack');\n",
            "tests/helper.spec.js": "export const a = 1; test('h', () => {})",
            "own.js": "import './tests/helper.spec.js'; import './m.cjs'; test('x', () => {})",
            "node_modules/pack/package.json": '{"name": "pack", "main": "i.js"}',
            "node_modules/pack/i.js": "module.exports = 1",
            "data.json": "{}",
        },
    )
    report = run_suites([tmp_path / "own.js"], root=tmp_path, coverage="loaded")
    assert report.exit_code == 0
    assert report.coverage is not None
    assert {name: each.lines for name, each in report.coverage.files.items()} == {"/m.cjs": {2: 1}}
    (statement,) = report.coverage.files["/m.cjs"].statements
    assert statement.column == 1


@pytest.mark.parametrize("isolate", ["suite", "test"])
def test_what_a_limit_undoes_was_executed(tmp_path: Path, isolate: str) -> None:
    from sandbox.testing.session import Session, find_files
    from sandbox.testing.suite import Settings

    write(
        tmp_path,
        {
            "m.js": "export const f = () => {\n  1;\n};\nexport const g = () => {\n  2;\n};",
            "late.js": "3;\n4;",
            "later.js": "5;",
            "a.test.js": """
                import { f, g } from "./m.js";
                test("spins", async () => { f(); await import("./late.js"); for (;;); }, 100);
                test("goes on", async () => { g(); await import("./later.js"); });
                test.concurrent("one", async () => { f(); });
                test.concurrent("two", async () => { f(); for (;;); }, 100);
            """,
        },
    )
    session = Session(tmp_path, Settings(isolate=isolate), coverage="loaded")  # type: ignore[arg-type]
    found = session.run(find_files([tmp_path])).coverage
    assert found is not None
    lines = {name: each.lines for name, each in found.files.items()}
    assert lines["/late.js"] == {1: 1, 2: 1}
    assert lines["/later.js"] == {1: 1}
    assert lines["/m.js"][5] == 1
    assert lines["/m.js"][2] >= 3


def test_sources_that_no_test_loads(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "a.test.js": "import './m.js'; test('a', () => {})",
            "m.js": "1;",
            "lib/unused.cjs": "exports.f = () => {\n  never();\n};\nprocess.exit(1);",
            "broken.js": "let = ;",
            ".hidden/x.js": "1;",
            "node_modules/pack/x.js": "1;",
        },
    )
    report = run_suites([tmp_path], root=tmp_path, coverage="all")
    assert report.coverage is not None
    assert {name: each.lines for name, each in report.coverage.files.items()} == {
        "/lib/unused.cjs": {1: 0, 2: 0, 4: 0},
        "/m.js": {1: 1},
    }
    assert list(report.coverage.unknown) == ["/broken.js"]
    assert report.coverage.unknown["/broken.js"].startswith("SyntaxError")


def test_results_are_those_without(tmp_path: Path) -> None:
    write(
        tmp_path,
        {
            "m.js": "export function f(n) { return n < 2 ? n : f(n - 1) + f(n - 2) }\n"
            "export const at = () => new Error().stack",
            "a.test.js": "import { f, at } from './m.js'; test('a', () => { console.log(f(12), at(), String(f)) })",
        },
    )
    plain = run_suites([tmp_path], root=tmp_path)
    told = run_suites([tmp_path], root=tmp_path, coverage="loaded")
    assert plain.suites[0].console == told.suites[0].console
    assert plain.coverage is None


# --- what a guest may say ---


def _pairs(*numbers: int) -> bytes:
    return b"".join(number.to_bytes(4, "little") for number in numbers)


def test_numbers_that_are_given_once_more() -> None:
    points = Points()
    points.add("a", 0, _pairs(1, 0, 2, 5))
    points.add("b", 2, _pairs(1, 0))
    points.count(_pairs(0, 1, 2, 7, 99, 5))
    points.add("c", 2, _pairs(1, 0))
    points.count(_pairs(1, 1, 2, 3))
    points.add("gap", 9, _pairs(1, 0))
    found = points.coverage({})
    assert {name: each.lines for name, each in found.files.items()} == {"a": {1: 1, 2: 1}, "b": {1: 7}, "c": {1: 3}}


def test_a_guest_cannot_fill_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    from sandbox.testing import points as module

    monkeypatch.setattr(module, "MOST_FILES", 3)
    monkeypatch.setattr(module, "MOST_KEPT_POINTS", 4)
    points = Points()
    for number in range(100):
        points.add(f"f{number}", 0, _pairs(number + 1, 0))
    points.add("large", 0, _pairs(1, 0) * 100)
    assert len(points.coverage({}).files) == 3


def test_files_that_do_not_fit_are_not_half_measured() -> None:
    points = Points()
    points.add("a", 0, _pairs(1, 0))
    points.add("large", 1, _pairs(1, 0) * (CAP_COVERED_POINTS - 1))
    points.add("next", CAP_COVERED_POINTS, b"")
    found = points.coverage({})
    assert list(found.files) == ["a"]
    assert list(found.unknown) == ["large", "next"]


@pytest.mark.parametrize(
    ("name", "arguments"),
    [
        ("points", [1, 0, b""]),
        ("points", ["a", -1, b""]),
        ("points", ["a", True, b""]),
        ("points", ["a", 0, b"1234"]),
        ("points", ["a", 1 << 30, b"12345678"]),
        ("points", ["a" * ((1 << 20) + 1), 0, b""]),
        ("counts", ["x"]),
        ("counts", [b"1234567"]),
    ],
)
def test_what_makes_no_sense_is_refused(name: str, arguments: list[Any]) -> None:
    from sandbox.capabilities.base import Malformed
    from sandbox.capabilities.testing import TestingCapability

    with pytest.raises(Malformed):
        TestingCapability(Snapshots(executed=Points())).handlers()[name](*arguments)


def test_programs_cannot_reach_it() -> None:
    with Sandbox(testing=True, modules={"m": "1"}) as box:
        start_telling(box)
        with pytest.raises(Exception, match="cannot find module 'sandbox:native'"):
            box.eval("await import('sandbox:native')")
        box._perform(enter(box._driver, "testing.coverModule", "m"))


# --- the record ---


def test_records_are_joined_and_written_down() -> None:
    one = Coverage({"a": FileCoverage("a", (Covered(1, 1, 2), Covered(2, 1, 0)), (Covered(1, 5, 0, "f"),), "x")})
    other = Coverage({"a": FileCoverage("a", (Covered(2, 1, 3),)), "b": FileCoverage("b")}, {"c": "why", "a": "not"})
    both = one | other
    assert both.files["a"].lines == {1: 2, 2: 3}
    assert both.files["a"].source == "x"
    assert both.unknown == {"c": "why"}
    assert Coverage.of_plain(both.plain(), {"a": "x"}) == both
    assert both.summary()["totals"] == {
        "lines": {"covered": 2, "total": 2, "percent": 100.0},
        "statements": {"covered": 2, "total": 2, "percent": 100.0},
        "functions": {"covered": 0, "total": 1, "percent": 0.0},
    }
    assert both.ratio("functions").percent == 0
    assert Coverage().ratio("lines").percent == 100
    for wrong in ({}, {"files": {"a": {"statementCounts": [[1]], "functionCounts": []}}, "unknown": {}}):
        with pytest.raises(UsageError):
            Coverage.of_plain(wrong)


@pytest.mark.parametrize(
    ("text", "least"),
    [
        ("80", {"lines": 80}),
        ("lines=80,functions=7.5", {"lines": 80, "functions": 7.5}),
        ("", None),
        ("101", None),
        ("nan", None),
        ("branches=5", None),
        ("=5", None),
    ],
)
def test_what_must_be_executed(text: str, least: dict[str, float] | None) -> None:
    if least is None:
        with pytest.raises(UsageError, match="a percentage is expected"):
            read_minimum(text)
    else:
        assert read_minimum(text) == least
