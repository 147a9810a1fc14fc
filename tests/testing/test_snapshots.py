"""Snapshots in files and in programs: written, compared, updated, refused."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from sandbox.testing.inline import Edit, InlineError, rewrite
from sandbox.testing.snapshots import read_snapshots, without_indent, write_snapshots
from tests.testing.conftest import outcome

if TYPE_CHECKING:
    from tests.testing.conftest import Run

VALUE = "globalThis.value ??= {a: 1};"


def test_a_new_one_is_written_and_then_compared(run: Run, tmp_path: Path) -> None:
    code = "test('a', () => { expect({a: VALUE}).toMatchSnapshot(); expect('`${x}\\\\').toMatchSnapshot('hint') })"
    path = tmp_path / "__snapshots__" / "a.test.js.snap"
    assert run(code.replace("VALUE", "1")).snapshots["written"] == 2
    kept = read_snapshots(path.read_text("utf-8"))
    assert kept == {"a 1": '{\n  "a": 1,\n}', "a: hint 1": '"`${x}\\\\"'}
    assert run(code.replace("VALUE", "1")).snapshots["matched"] == 2
    differs = run(code.replace("VALUE", "2"))
    (error,) = differs.tests[0].errors
    assert "differs from the snapshot 'a 1'" in error.message
    assert '-   "a": 1,\n+   "a": 2,' in error.render()
    assert read_snapshots(path.read_text("utf-8")) == kept
    assert run(code.replace("VALUE", "2"), snapshots="update").snapshots["updated"] == 1
    assert run(code.replace("VALUE", "2"), snapshots="check").is_ok


def test_none_is_written_where_they_are_only_checked(run: Run, tmp_path: Path) -> None:
    code = "test('a', () => { expect(1).toMatchSnapshot() }); test('b', () => { expect(1).toMatchInlineSnapshot() })"
    suite = run(code, snapshots="check")
    assert outcome(suite) == {"a": "failed", "b": "failed"}
    assert sorted(path.name for path in tmp_path.rglob("*")) == ["a.test.js"]


def test_obsolete_ones_are_counted_and_removed_by_an_update(run: Run, tmp_path: Path) -> None:
    run("test('a', () => { expect(1).toMatchSnapshot() }); test('b', () => { expect(1).toMatchSnapshot() })")
    only = "test('a', () => { expect(1).toMatchSnapshot() })"
    assert run(only).snapshots["obsolete"] == 1
    run(only, snapshots="update")
    path = tmp_path / "__snapshots__" / "a.test.js.snap"
    assert read_snapshots(path.read_text("utf-8")) == {"a 1": "1"}
    run("test('a', () => {})", snapshots="update")
    assert not path.exists()


INLINE = """test("a", () => {
  expect({ a: [1] }).toMatchInlineSnapshot();
  expect("é").toMatchInlineSnapshot(); expect(2).toMatchInlineSnapshot(`1`);
  expect({ id: 5, b: 1 })
    .toMatchInlineSnapshot({ id: expect.any(Number) });
  expect(() => { throw new Error("no") }).toThrowErrorMatchingInlineSnapshot();
});
"""
WRITTEN = """test("a", () => {
  expect({ a: [1] }).toMatchInlineSnapshot(`
    {
      "a": [
        1,
      ],
    }
  `);
  expect("é").toMatchInlineSnapshot(`"é"`); expect(2).toMatchInlineSnapshot(`2`);
  expect({ id: 5, b: 1 })
    .toMatchInlineSnapshot({ id: expect.any(Number) }, `
      {
        "b": 1,
        "id": Any<Number>,
      }
    `);
  expect(() => { throw new Error("no") }).toThrowErrorMatchingInlineSnapshot(`"no"`);
});
"""


def test_inline_ones_are_written_where_they_stand(run: Run, tmp_path: Path) -> None:
    suite = run(INLINE, snapshots="update")
    assert [error.message for error in suite.errors] == []
    assert (tmp_path / "a.test.js").read_text("utf-8") == WRITTEN
    again = run(WRITTEN, snapshots="check")
    assert again.is_ok
    assert again.snapshots["matched"] == 5


def test_an_inline_one_that_differs(run: Run, tmp_path: Path) -> None:
    code = 'test("a", () => { expect(2).toMatchInlineSnapshot(`1`) })'
    (error,) = run(code).tests[0].errors
    assert (error.expected, error.received) == ("1", "2")
    assert (tmp_path / "a.test.js").read_text("utf-8") == code


def test_an_inline_one_with_two_values(run: Run) -> None:
    suite = run("test('a', () => { for (const n of [1, 2]) expect(n).toMatchInlineSnapshot() })")
    assert "two values at the same place" in suite.tests[0].errors[0].message


@pytest.mark.parametrize(
    "code", ["expect(1).not.toMatchSnapshot()", "expect({}).toMatchSnapshot({a: 1})", "expect(1).toMatchSnapshot(5)"]
)
def test_what_cannot_be(run: Run, code: str) -> None:
    assert not run(f"test('a', () => {{ {code} }})").is_ok


@pytest.mark.parametrize(
    ("source", "edit", "result"),
    [
        ("x.toMatchInlineSnapshot()", (1, 2), "x.toMatchInlineSnapshot(`S`)"),
        ("x.toMatchInlineSnapshot( )", (1, 2), "x.toMatchInlineSnapshot(`S`)"),
        ('x.toMatchInlineSnapshot("a)b")', (1, 2), "x.toMatchInlineSnapshot(`S`)"),
        ("x.toMatchInlineSnapshot(/* ( */ `a${`)`}`, )", (1, 2), "x.toMatchInlineSnapshot(/* ( */ `S`, )"),
        ("x.toMatchInlineSnapshot({a: [')']})", (1, 2), "x.toMatchInlineSnapshot({a: [')']}, `S`)"),
        ("x.toMatchInlineSnapshot({a}, 'b')", (1, 2), "x.toMatchInlineSnapshot({a}, `S`)"),
        ("x\n  .toMatchInlineSnapshot()", (1, 1), "x\n  .toMatchInlineSnapshot(`S`)"),
    ],
)
def test_writing_into_a_program(source: str, edit: tuple[int, int], result: str) -> None:
    assert rewrite(source, [Edit(*edit, "S")]) == result


@pytest.mark.parametrize("source", ["x.toBe()", "", "x.toMatchInlineSnapshot(", "x.toMatchInlineSnapshot('a"])
def test_no_such_place(source: str) -> None:
    with pytest.raises(InlineError):
        rewrite(source, [Edit(1, 1, "S")])


@pytest.mark.parametrize("text", ["", "a\n", "`", "${a}", "\\", "\\`${", "\n`;\n\nexports[`b`] = `\nc"])
def test_files_of_snapshots_round_trip(text: str) -> None:
    kept: dict[str, Any] = {f"name {text}": text, "other": "1"}
    assert read_snapshots(write_snapshots(kept)) == kept


@pytest.mark.parametrize(
    ("text", "bare"),
    [("1", "1"), ("\n    a\n      b\n  ", "a\n  b"), ("\n  a\n b\n", "  a\n b"), ("\n  a\n\n  b\n  ", "a\n\nb")],
)
def test_indentation(text: str, bare: str) -> None:
    assert without_indent(text) == bare
