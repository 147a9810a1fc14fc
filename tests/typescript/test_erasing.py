"""Types become blanks, and nothing else changes."""

from __future__ import annotations

import pytest

from sandbox import Sandbox
from sandbox.typescript import TypeScript, transform
from tests.typescript.erasures import ERASURES


def squeezed(text: str) -> list[str]:
    return [" ".join(line.split()) for line in text.split("\n")]


@pytest.mark.parametrize(("source", "expected"), [row[1:] for row in ERASURES], ids=[row[0] for row in ERASURES])
def test_what_is_left(source: str, expected: str) -> None:
    code, mappings = transform(source, language="ts", filename="a.ts")
    assert squeezed(code) == squeezed(expected)
    if mappings is None:
        for encoding in ("utf-8", "utf-16"):  # in the engine's columns, and in those of source maps
            assert [len(line.encode(encoding)) for line in code.split("\n")] == [
                len(line.encode(encoding)) for line in source.split("\n")
            ]
    assert code.count("\n") == source.count("\n")


@pytest.fixture(scope="module")
def box() -> Sandbox:
    return Sandbox()


@pytest.mark.parametrize("source", [row[1] for row in ERASURES], ids=[row[0] for row in ERASURES])
def test_what_is_left_can_be_parsed(box: Sandbox, source: str) -> None:
    code = transform(source, language="ts", filename="a.ts").code
    if not any(word in source for word in ("import", "export")):
        box.eval("(code) => { new Function(code) }")(f"async () => {{ {code} \n}}")


def test_imports_stay_when_they_are_asked_to() -> None:
    source = "import { A, type B } from 'a'; import C from 'c'"
    code = transform(source, language="ts", filename="a.ts", options=TypeScript(verbatim_module_syntax=True)).code
    assert code == "import { A,        } from 'a'; import C from 'c'"


def test_javascript_is_left_alone() -> None:
    assert transform("a < b > (c) /* ) */ !", language="js", filename="a.js") == ("a < b > (c) /* ) */ !", None)
    assert transform("a<b>(c)", language="jsx", filename="a.jsx").code == "a<b>(c)"
