"""What programs of the command are written in: flags, names of files, and `sandbox.toml`."""

from __future__ import annotations

import io
import sys
from pathlib import Path

import pytest

from tests.cli.command import run

CART = """export interface Item { price: number }

export function total(items: Item[], 币: string = "ß"): number {
  if (!items.length) throw new RangeError(`empty ${币 as string}`);
  return items.reduce((sum, item) => sum + item.price, 0);
}
"""
SHOP = """import { total, type Item } from "./cart.js";

const items: Item[] = [{ price: 3 }];
console.log(total(items));
console.log(total([] as Item[]));
"""
TESTS = """import { expect, test } from "sandbox:test";
import { total, type Item } from "./cart.js";

test("sums", () => { const items: Item[] = [{ price: 3 }]; expect(total(items) as number).toBe(4); });

test("kept", () => { const x: { \"ß币\": number } = { "ß币": 1 }; expect(x["ß币"] as any).toMatchInlineSnapshot(); });
"""


@pytest.fixture
def shop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    for name, text in (("cart.ts", CART), ("shop.ts", SHOP), ("cart.test.ts", TESTS)):
        (tmp_path / name).write_text(text, "utf-8")
    return tmp_path


@pytest.mark.usefixtures("shop")
def test_a_file(capsys: pytest.CaptureFixture[str]) -> None:
    status, out, err = run(capsys, "run", "--modules", ".", "shop.ts")
    assert (status, out) == (1, "3\n")
    assert err.splitlines() == [
        "Uncaught RangeError: empty ß",
        "  --> /cart.ts:4:28",
        "  2 |",
        '  3 | export function total(items: Item[], 币: string = "ß"): number {',
        "> 4 |   if (!items.length) throw new RangeError(`empty ${币 as string}`);",
        "    |                            ^",
        "  5 |   return items.reduce((sum, item) => sum + item.price, 0);",
        "  6 | }",
        "    at total (/cart.ts:4:28)",
        "    at /shop.ts:5:13",
    ]


@pytest.mark.parametrize(
    ("name", "code", "is_module"),
    [
        ("a.ts", "import type { A } from './a'; console.log(typeof this)", True),
        ("a.mts", "console.log(typeof this)", True),
        ("a.ts", "console.log(typeof this)", False),
        ("a.cts", "const x = 'import'; console.log(typeof this)", False),
        ("a.jsx", "export {}; console.log(typeof this)", True),
        ("a.js", "console.log(typeof this)", False),
    ],
)
def test_which_files_are_modules(
    capsys: pytest.CaptureFixture[str], shop: Path, name: str, code: str, is_module: bool
) -> None:
    (shop / name).write_text(code)
    assert run(capsys, "run", name) == (0, "undefined\n" if is_module else "object\n", "")


@pytest.mark.usefixtures("shop")
def test_code(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "eval", "--language", "ts", "const a: number = 1; a as any") == (0, "1\n", "")
    assert run(capsys, "eval", "const a: number = 1")[0] == 1
    status, _, err = run(capsys, "eval", "--language", "rust", "1")
    assert status == 2
    assert """must be "js", "jsx", "ts" or "tsx", not 'rust'""" in err


def test_standard_input(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(b"console.log(1 as number)")))
    assert run(capsys, "run", "--language", "ts", "-") == (0, "1\n", "")


def test_a_session(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    code = "const a: number =\n 1\na as any\nfunction f(x: string) {\n return x as any }\nf('x')\n"
    monkeypatch.setattr(sys, "stdin", io.StringIO(code))
    assert run(capsys, "repl", "--language", "ts") == (0, "1\n'x'\n", "")


@pytest.mark.parametrize(
    ("flags", "text"),
    [
        (("--jsx", "none"), "--jsx is 'classic' or 'automatic', not 'none'"),
        (("--jsx-factory", "1+1"), "--jsx-factory is a name"),
        (("--jsx-import-source", "'"), "--jsx-import-source is a module specifier"),
    ],
)
def test_flags_that_make_no_sense(capsys: pytest.CaptureFixture[str], flags: tuple[str, str], text: str) -> None:
    status, _, err = run(capsys, "eval", *flags, "1")
    assert status == 2
    assert text in err


def test_a_file_of_flags(capsys: pytest.CaptureFixture[str], shop: Path) -> None:
    (shop / "sandbox.toml").write_text("[program]\nlanguage = 'ts'\n[typescript]\njsx-factory = 'h'")
    assert run(capsys, "eval", "1 as number") == (0, "1\n", "")
    (shop / "sandbox.toml").write_text("[typescript]\njsx-factory = '1'")
    assert run(capsys, "eval", "1")[0] == 2


@pytest.mark.usefixtures("shop")
def test_a_file_beside_the_modules(capsys: pytest.CaptureFixture[str], shop: Path) -> None:
    (shop / "main.mjs").write_text("import { total } from 'cart'; console.log(total([{price: 2}]))")
    assert run(capsys, "run", "--module", "cart=cart.ts", "main.mjs") == (0, "2\n", "")


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("cart.js.map", "/src/cart.ts:7:48"),
        ("private.json", "dist/cart.js:5:15"),
        ("./cart.js.map", "dist/cart.js:5:15"),
        ("../cart.js.map", "dist/cart.js:5:15"),
        ("absent.map", "dist/cart.js:5:15"),
    ],
)
def test_a_map_beside_the_file(capsys: pytest.CaptureFixture[str], shop: Path, url: str, shown: str) -> None:
    made = Path(__file__).parents[1] / "source_maps"
    (shop / "dist").mkdir()
    for name in ("dist/cart.js.map", "cart.js.map", "dist/private.json"):
        (shop / name).write_bytes((made / "cart.js.map").read_bytes())
    code = (made / "cart.js").read_text("utf-8").replace("cart.js.map", url)
    (shop / "dist" / "cart.js").write_text(code.replace("\n//#", " total([], '€');\n//#"), "utf-8")
    status, _, err = run(capsys, "run", "--esm", str(shop / "dist" / "cart.js"))
    assert status == 1
    assert shown in err


def test_tests(capsys: pytest.CaptureFixture[str], shop: Path) -> None:
    status, out, _ = run(capsys, "test", "--no-color", ".")
    assert status == 1
    place = TESTS.splitlines()[3].index("toBe") + 1
    assert f"--> /cart.test.ts:4:{place}" in out
    assert "1 failed, 1 passed" in out
    assert (shop / "cart.test.ts").read_text("utf-8") == TESTS.replace("Snapshot()", "Snapshot(`1`)")
