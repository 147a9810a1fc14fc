"""What is said of programs that are nearly JavaScript, once they have failed."""

from __future__ import annotations

import json
import pickle
import time
import traceback
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import JSError, Sandbox, _hints
from sandbox._stack import Frame
from sandbox.errors import JSSyntaxError

if TYPE_CHECKING:
    from sandbox._languages import Language


def error_of(code: str, language: Language | None = None, filename: str | None = None) -> JSError:
    with Sandbox(functions={"parse": lambda text: text}) as box:
        error = box.execute(code, language=language, filename=filename).error
    assert isinstance(error, JSError)
    return error


FENCED = {
    "a fence": "```js\nconst a = 1;\na + 1\n```",
    "without a language": "```\nlet a = `x${1}`;\n```",
    "after blanks": "\n\n  ```javascript\nawait x\n```",
    "what it names is looked up first": "```js\n`${missing}`\n```",
    "waves": "~~~js\nlet a = 1\n~~~",
    "prose and a fence": "Here is the program:\n\n```js\nlet a = 1\n```\nIt declares a variable.",
    "only its end": "let a = 1;\n```",
}


@pytest.mark.parametrize("code", FENCED.values(), ids=FENCED)
@pytest.mark.parametrize("language", ["js", "ts"])
def test_markdown(code: str, language: Language) -> None:
    error = error_of(code, language)
    assert error.hint.startswith("the program is in a Markdown fence: run what stands between")


TYPED = {
    "a variable": "const n: number = 1",
    "of an object type": "let a = 1;\nlet o: { x: number } = { x: 1 }",
    "an interface": "interface A { x: number }\nlet a = 1",
    "a type": "type A = { a: 1 };",
    "a generic type": "type Maybe<T> = T | null;",
    "an enum": "enum A { B }",
    "a constant enum": "let a = 1;\nconst enum A { B }",
    "a namespace": "namespace N { export const a = 1 }",
    "a declaration": "declare const x: number;",
    "a parameter": "function f(a: string) {}",
    "a second parameter": "function f(a, b: string) {}",
    "an arrow's parameter": "const f = (a: string) => a",
    "an optional parameter": "const f = async (x?: string) => 1",
    "another one": "function f(a?, b) {}",
    "what is returned": "function f(a): string { return a }",
    "what an arrow returns": "const f = (a): string => a",
    "a field": "class A { x: number = 1 }",
    "a later field": "class A {\n  y = 2;\n  x: number;\n}",
    "a private field": "class A { private x = 1 }",
    "a parameter property": "class A { constructor(private y) {} }",
    "as": "let x = y as const",
    "as, of a call": "const rows = (await f()) as Row[];",
    "satisfies": "const x = {} satisfies Y",
    "not null": "let x = a!.b",
    "an argument of a type": "const a = new Map<string, number>()",
    "a generic function": "function g<T>(x) {}",
    "a generic class": "class A<T> {}",
    "an import of types": "import type { A } from 'x'",
    "a destructured parameter": "function f({ a, b }: { a: string, b: string }) {}",
}


@pytest.mark.parametrize("code", TYPED.values(), ids=TYPED)
def test_typescript(code: str) -> None:
    assert error_of(code).hint == 'this looks like TypeScript: run it with language="ts", or write it without types'


MARKUP = ["const a = <div/>", "return <p>hi</p>", "const b = (\n  <b>x</b>\n)", "f(<></>)", "yes && <Card title='x' />"]


@pytest.mark.parametrize("code", MARKUP)
def test_jsx(code: str) -> None:
    assert error_of(code).hint.startswith('this looks like JSX: run it with language="jsx"')


NEITHER: dict[str, str] = {
    "an unfinished program": "if (true) {",
    "JSON": '{"a": 1, "b": "x"}',
    "an object without parentheses": "{a: 1, b: 'x'}",
    "another object": "{a: x, b: y}",
    "declared twice": "const a = 1;\nconst a = 2",
    "a conditional": "const a = b ? c : : d",
    "a missing bracket": "f(a, b",
    "a comparison": "if (a < b { c }",
    "too many": "const a = 1 < < 2",
    "words": "this is no program",
    "an import": "import x from 'y'",
    "a renaming": "import * as fs from 'fs'",
    "an own variable": "let let = 1",
    "a label": "case x: y",
    "negation": "let a = !;",
    "a text with a fence": "const a = '```js'; let b = ;",
    "thrown": "throw new SyntaxError('const n: number')",
    "of eval": "eval('const n: number = 1')",
    "of JSON.parse": "JSON.parse('{a: 1}')",
    "of a regular expression": "new RegExp('(')",
    "another error": "null.x",
    "no function": "const a = 1; a()",
}


@pytest.mark.parametrize("code", NEITHER.values(), ids=NEITHER)
def test_nothing_is_said_of_others(code: str) -> None:
    assert error_of(code).hint == ""


RIGHT: list[tuple[str, Any]] = [
    ("``", ""),
    ("String.raw`\n```\n` ", None),
    ("const s = '```js\\nlet a: number\\n```'; s.length", 23),
    ("/*\n```js\nconst n: number = 1\n```\n*/ 7", 7),
]


@pytest.mark.parametrize(("code", "value"), RIGHT)
def test_programs_that_run_are_run_as_they_are(code: str, value: Any) -> None:
    with Sandbox() as box:
        found = box.execute(code)
    if value is None:
        assert found.error is not None  # its text ends at the first of them
    else:
        assert (found.error, found.value) == (None, value)


def test_languages_that_were_said_are_not_guessed_again() -> None:
    for code, language in (("const n: number = ;", "ts"), ("const a = <div", "jsx"), ("let x = y as", "tsx")):
        assert error_of(code, language).hint == ""  # type: ignore[arg-type]
    assert error_of("const n: = 1", filename="a.ts").hint == ""


def test_where_it_is_told() -> None:
    with Sandbox() as box:
        with pytest.raises(JSSyntaxError) as caught:
            box.eval("const n: number = 1", filename="p.js")
        found = box.execute("const n: number = 1", filename="p.js")
    error = caught.value
    assert str(error) == "SyntaxError: missing initializer for variable"
    assert error.render().endswith(f"hint: {error.hint}")
    assert error.hint in "".join(traceback.format_exception(error))
    assert found.to_dict()["error"]["hint"] == error.hint
    assert json.loads(found.preview())["error"]["hint"] == error.hint
    copy: JSSyntaxError = pickle.loads(pickle.dumps(error))
    assert (copy.hint, copy.__notes__) == (error.hint, [error.hint])
    with Sandbox() as box:
        assert "hint" not in box.execute("null.x").to_dict()["error"]


def test_modules_are_told_likewise() -> None:
    with Sandbox(modules={"./a.js": "```js\nexport const a = 1\n```", "./b.js": "export const n: number = 1"}) as box:
        for name in ("./a.js", "./b.js"):
            with pytest.raises(JSError) as caught:
                box.import_module(name)
            assert caught.value.hint, name
        with pytest.raises(JSError) as caught:
            box.module("export const n: number = 1")
        assert "TypeScript" in caught.value.hint


def test_long_lines_cost_little() -> None:
    for line in ("(" * 100_000, "a" * 1_000_000 + ": x", "<" * 100_000, "let " + "x " * 200_000 + ": number"):
        assert isinstance(error_of(line), JSError)


@pytest.mark.parametrize(
    "before",
    [
        "(" * 250 + "a" * 249 + "!",
        "(" * 160 + "a" * 160 + " " * 160 + "!",
        "(a," * 160,
        "{" * 250 + "a " * 120 + "!",
        "{" + "a " * 240,
        "function " * 60,
        "new a<" * 80 + ">" * 20,
        "a" + " " * 490 + "!",
    ],
    ids=lambda text: text[:6],
)
def test_what_a_hostile_line_takes_to_be_looked_at(before: str) -> None:
    frame = Frame(function="<eval>", file="a.js", line=1, column=len(before) + 1)
    began = time.process_time()
    for rest in ("x" * 500, ": n", " " * 500, "!" + " " * 499):
        _hints._of_code(before + rest, frame)
    assert time.process_time() - began < 0.3  # seconds, where two parts of a pattern can take the same text
