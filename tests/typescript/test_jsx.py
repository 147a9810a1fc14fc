"""JSX becomes calls."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from sandbox.errors import JSSyntaxError
from sandbox.typescript import TypeScript, transform

# What elements call here: an array of type, properties and children.
H = "const h = (...all) => all, Fragment = 'fragment', Foo = { Bar: 'bar' }, c = { p: 1 }, x = 'x', y = [1, 2];"
RUNTIME = (
    "export const Fragment = 'fragment', jsx = (type, { children, ...rest }, key) => [type, rest, children ?? [], key ?? null],"
    " jsxs = (type, { children, ...rest }, key) => [type, rest, ...children, key ?? null];"
)

# A name, an element, and the call with its arguments: those of the classic factory.
ELEMENTS: list[tuple[str, str, list[object]]] = [
    ("empty", "<a></a>", ["a", None]),
    ("self-closing", "<a/>", ["a", None]),
    ("component", "<Foo.Bar/>", ["bar", None]),
    ("attributes", "<a b='c' d={1} e f-g='h' i:j='k'/>", ["a", {"b": "c", "d": 1, "e": True, "f-g": "h", "i:j": "k"}]),
    ("spread", "<a b='c' {...c} d/>", ["a", {"b": "c", "p": 1, "d": True}]),
    ("element as an attribute", "<a b=<i/>/>", ["a", {"b": ["i", None]}]),
    ("lists", "<a b={1, 2}>{3, 4}</a>", ["a", {"b": 2}, 4]),
    ("entities", "<a b='&lt;&#65;&#x1F600;&nope;&amp'>&copy;&quot;</a>", ["a", {"b": "<A😀&nope;&amp"}, '©"']),
    ("ampersands", "<a b='?c=1&d=2&e'>f & g &h{1&x}</a>", ["a", {"b": "?c=1&d=2&e"}, "f & g &h", 0]),
    ("backslashes", "<a b='\\n'>\\n</a>", ["a", {"b": "\\n"}, "\\n"]),
    ("lines in an attribute", "<a b='c\nd'/>", ["a", {"b": "c\nd"}]),
    ("text", "<a> b  c </a>", ["a", None, " b  c "]),
    ("lines", "<a>\n  b\n\n  c {x}\n</a>", ["a", None, "b c ", "x"]),
    ("lines alone", "<a>\n  <b/>\n</a>", ["a", None, ["b", None]]),
    ("blank between", "<a><b/> {x}</a>", ["a", None, ["b", None], " ", "x"]),
    ("nothing in braces", "<a>{}{/* c */}{\n// d\n}</a>", ["a", None]),
    ("children spread", "<a>{...y}</a>", ["a", None, 1, 2]),
    ("comments", "<a // b='c'\n /* d */ e={1 /* f */}\n>{x /* g */}</a>", ["a", {"e": 1}, "x"]),
    ("slashes in text", "<a>http://b.c /* d */</a>", ["a", None, "http://b.c /* d */"]),
    ("fragment", "<><b/>c</>", ["fragment", None, ["b", None], "c"]),
    ("nested", "<a>{y.map(z => <b k={z}>{z}</b>)}</a>", ["a", None, [["b", {"k": 1}, 1], ["b", {"k": 2}, 2]]]),
    ("types", "<Foo.Bar<T> a={(x as string)!}>{(y as any)[0]}</Foo.Bar>", ["bar", {"a": "x"}, 1]),
    ("prototype", "<a __proto__='b'/>", ["a", {"__proto__": "b"}]),
]  # fmt: skip


@pytest.mark.parametrize(("element", "expected"), [row[1:] for row in ELEMENTS], ids=[row[0] for row in ELEMENTS])
def test_classic(element: str, expected: list[object]) -> None:
    source = f"({element})"
    options = TypeScript(jsx_factory="h", jsx_fragment="Fragment")
    code, _ = transform(source, language="tsx", filename="a.tsx", options=options)
    assert code.count("\n") == source.count("\n")
    with Sandbox() as box:
        assert box.eval(f"{H} JSON.parse(JSON.stringify({code}))") == expected


@pytest.mark.parametrize(
    ("element", "imports", "expected"),
    [
        ("<a/>", "jsx as _jsx", ["a", {}, [], None]),
        ("<a b='c'>d</a>", "jsx as _jsx", ["a", {"b": "c"}, "d", None]),
        ("<a>{x}b</a>", "jsxs as _jsxs", ["a", {}, "x", "b", None]),
        ("<a>{...y}</a>", "jsxs as _jsxs", ["a", {}, 1, 2, None]),
        ("<></>", "jsx as _jsx, Fragment as _Fragment", ["fragment", {}, [], None]),
        ("<a b={1} key={x}>c</a>", "jsx as _jsx", ["a", {"b": 1}, "c", "x"]),
        ("<a key='k'><b key={1}/>d</a>", "jsx as _jsx, jsxs as _jsxs", ["a", {}, ["b", {}, [], 1], "d", "k"]),
    ],
)
def test_automatic(element: str, imports: str, expected: list[object]) -> None:
    source = f"#!/bin/sandbox\n// a comment\n\nconst x = 'x', y = [1, 2]; export default {element}"
    options = TypeScript(jsx="automatic", jsx_import_source="lib")
    code = transform(source, language="jsx", filename="a.jsx", options=options).code
    lines = code.split("\n")
    assert lines[3].startswith(f'import {{ {imports}, }} from "lib/jsx-runtime"; ')
    assert len(lines) == 4
    with Sandbox(modules={"lib/jsx-runtime": RUNTIME, "main": code}) as box:
        assert box.eval("const { default: it } = await import('main'); JSON.parse(JSON.stringify(it))") == expected


def test_a_script_imports_nothing() -> None:
    options = TypeScript(jsx="automatic")
    with pytest.raises(JSSyntaxError, match=r"only a module can do; a script needs 'classic' JSX"):
        transform("<a/>", language="jsx", filename="a.jsx", options=options, is_module=False)
    assert transform("1", language="jsx", filename="a.jsx", options=options, is_module=False) == ("1", None)


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import React, { A } from 'react'; <a/>", "import React from 'react';"),
        ("import * as React from 'react'; 1", ""),
        ("import { B } from 'b'; <B/>", "import { B } from 'b';"),
    ],
)
def test_imports_that_jsx_uses(source: str, expected: str) -> None:
    code = transform(source, language="tsx", filename="a.tsx").code
    assert " ".join(code.partition(";")[0].split()) == expected.rstrip(";") or not expected


@pytest.mark.parametrize(
    "options",
    [
        {"jsx": "preserve"},
        {"jsx_factory": "a b"},
        {"jsx_factory": "f("},
        {"jsx_fragment": ""},
        {"jsx_import_source": "a'b"},
        {"jsx_import_source": "a\n"},
    ],
)
def test_options_are_checked(options: dict[str, str]) -> None:
    with pytest.raises(ValueError, match=next(iter(options))):
        TypeScript(**options)  # type: ignore[arg-type] # that is the point
