"""`test.d.ts` and `browser.d.ts` of `bindings/types/` name what is in the modules, member by member; tsc takes them."""

from __future__ import annotations

import json
import re
import subprocess
from pathlib import Path

import pytest

from sandbox import Sandbox
from sandbox.browser import methods
from tests import npm
from tests.browser.fakes import FakePage, elsewhere

TYPES = Path(__file__).parents[2] / "bindings" / "types"
TEXT = {
    name: re.sub(r"/\*.*?\*/", "", (TYPES / f"{name}.d.ts").read_text("utf-8"), flags=re.DOTALL)
    for name in ("test", "browser")
}
OWN = "(object) => Object.getOwnPropertyNames(object).filter((name) => name !== 'constructor').sort()"
_LEVEL = re.compile(r"[{(\[]|[})\]]")


def members(name: str) -> list[str]:
    """The members of an interface, in all files."""
    found: set[str] = set()
    for text in TEXT.values():
        for head in re.finditer(rf"^  interface {name}\b.*?\{{$", text, re.MULTILINE):
            body = text[head.end() : text.index("\n  }", head.end())]
            depth = 0
            for line in body.splitlines():
                if depth == 0 and (match := re.match(r"    (?:readonly )?(\w+)\??[(<:]", line)):
                    found.add(match[1])
                depth += sum(1 if each in "{([" else -1 for each in _LEVEL.findall(line))
    return sorted(found - {"new"})


def exported(name: str) -> list[str]:
    return sorted(set(re.findall(r"^  export (?:const|function) (\w+)", TEXT[name], re.MULTILINE)))


def declared(name: str) -> list[str]:
    return re.findall(r"^declare var (\w+):", TEXT[name], re.MULTILINE)


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox(testing=True)


def test_the_module_of_tests(box: Sandbox) -> None:
    live = box.eval("const names = Object.keys(await import('sandbox:test')); names")
    assert sorted(set(live) - {"default"}) == exported("test") == sorted(declared("test"))


@pytest.mark.parametrize(
    ("name", "live", "inherited"),
    [
        ("Assertion", "Object.getPrototypeOf(expect(1))", ["Matchers"]),
        ("Expect", "expect", ["AsymmetricMatchers"]),
        ("AsymmetricMatchers", "expect.not", []),
        ("Mock", "fn()", []),
        ("MockCalls", "fn().mock", []),
        ("MockControls", "mock", []),
        ("Test", "test", []),
        ("Suite", "describe", []),
        ("AsymmetricMatcher", "Object.getPrototypeOf(expect.any(Number))", []),
    ],
)
def test_objects_of_tests(box: Sandbox, name: str, live: str, inherited: list[str]) -> None:
    words = {"length", "name", "prototype", "toString"}
    names = [member for each in (name, *inherited) for member in members(each)]
    found = box.module(
        f"import {{test, describe, expect, fn, mock}} from 'sandbox:test'; export const names = ({OWN})({live})"
    )["names"]
    assert sorted(names) == sorted(set(found) - words)


@pytest.mark.parametrize(
    ("name", "live", "inherited"),
    [
        ("Page", "Object.getPrototypeOf(page)", ["Finders", "Listening"]),
        ("BrowserContext", "Object.getPrototypeOf(context)", ["Listening"]),
        ("Browser", "Object.getPrototypeOf(browser)", []),
        ("Locator", "Object.getPrototypeOf(page.locator('a'))", ["Finders"]),
        ("FrameLocator", "Object.getPrototypeOf(page.frameLocator('a'))", ["Finders"]),
        ("Keyboard", "Object.getPrototypeOf(page.keyboard)", []),
        ("Mouse", "Object.getPrototypeOf(page.mouse)", []),
    ],
)
def test_objects_of_browsers(name: str, live: str, inherited: list[str]) -> None:
    shortcuts = TEXT["browser"].partition("type Shortcuts")[2].partition("]:")[0]
    names = {member for each in (name, *inherited) for member in members(each)}
    if name == "Page":
        names |= set(re.findall(r'"(\w+)"', shortcuts))
    with elsewhere() as there, Sandbox(browser=there.grant(FakePage())) as box:
        found = set(box.eval(f"({OWN})({live})")) | ({"keyboard", "mouse"} if name == "Page" else set())
        exports = box.eval("Object.keys(await import('sandbox:browser')).filter((name) => name !== 'default').sort()")
    assert sorted(names) == sorted(found)
    assert exports == exported("browser")


@pytest.mark.parametrize(("name", "table"), [("Locator", methods.LOCATOR), ("Dialog", methods.DIALOG)])
def test_what_the_host_answers_is_declared(name: str, table: dict[str, object]) -> None:
    assert set(table) <= set(members(name))


def test_options_of_contexts_are_declared() -> None:
    assert members("ContextOptions") == sorted(methods.BROWSER["newContext"].options or ())


def test_matchers_of_browsers_are_declared_with_them() -> None:
    own = TEXT["browser"].partition("interface Matchers")[2].partition("\n  }")[0]
    assert set(re.findall(r"^    (\w+)\(", own, re.MULTILINE)) == {*methods.MATCHERS, *methods.PAGE_MATCHERS}


# --- what tsc says ---

PROGRAM = """
import { test, expect, describe, fn, spyOn, vi } from "sandbox:test";
import { page as own, expect as other } from "sandbox:browser";

describe("a cart", () => {
  test("adds up", () => { expect({ a: 1 }).toEqual({ a: expect.any(Number) }); });
  test.each`price | total
    ${2} | ${3}`("$price is $total", ({ price, total }) => { expect(price).not.toBe(total); });
  test.each([[1, "a"]] as [number, string][])("%d %s", (n, s) => { s.at(n.valueOf()); });
  test.each([{ a: 1 }])("$a", ({ a }) => { a.toFixed(); });
  test("slow", { timeout: 100, retry: 2 }, async () => { await expect(Promise.resolve(1)).resolves.toBe(1); });
  test("never", () => {}, 100);
  test.todo("later");
  test.skip.each([1, 2])("n %d", (n) => { n.toFixed(); });
});
test("mocks", async () => {
  const add = fn((a: number, b: number) => a + b);
  add.mockReturnValueOnce(3).mockImplementation((a, b) => a * b);
  add.mock.calls[0]![0].toFixed(add(1, 2));
  const api = { async get(url: string) { return url.length; } };
  spyOn(api, "get").mockResolvedValue(3);
  await vi.advanceTimersByTimeAsync(100);
});
test("a page", async ({ page }) => {
  await page.getByRole("button", { name: /go/ }).click({ timeout: 100 });
  await page.click("#a", { button: "left" });
  await expect(page.locator("#a")).toHaveText("x");
  page.on("console", (message) => message.text().length);
  (await page.waitForResponse("**/api")).status().toFixed();
  await page.route("**/*", (route) => route.fulfill({ json: {} }));
  (await page.evaluate(() => 1)).toFixed();
  await page.getByLabel("File").setInputFiles({ name: "a", buffer: new Uint8Array(1) });
});
await other(own.locator("x")).toBeVisible();
await other(page).toHaveTitle(await context.newPage().then((made) => made.title()));
expect.extend({ toBeEven(received: number) { return { pass: received % 2 === 0, message: () => `${received}` }; } });
// @ts-expect-error - no such matcher
expect(1).toBeNice();
// @ts-expect-error - no such option
await own.click("#a", { buton: "left" });
// @ts-expect-error - no number
test("x", () => {}, "1");
// @ts-expect-error - another type
fn((a: number) => a).mockReturnValue("x");
"""


@pytest.mark.timeout(120)
def test_what_tsc_says(tmp_path: Path) -> None:
    npm.install(tmp_path, "typescript@5.9.3")
    options = {
        "lib": ["esnext"], "target": "esnext", "module": "esnext", "moduleResolution": "bundler", "types": [],
        "strict": True, "noEmit": True, "moduleDetection": "force",
    }  # fmt: skip
    (tmp_path / "program.ts").write_text(PROGRAM)
    files = [*map(str, sorted(TYPES.glob("*.d.ts"))), "program.ts"]
    (tmp_path / "tsconfig.json").write_text(json.dumps({"compilerOptions": options, "files": files}))
    command = ["node", "node_modules/typescript/bin/tsc", "-p", "."]
    checked = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
