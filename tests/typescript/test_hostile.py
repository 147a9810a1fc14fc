"""Whatever the source is, the end is JavaScript or an error of ours, soon, and nothing of it is left behind."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from sandbox.errors import JSSyntaxError, LimitExceeded
from sandbox.typescript import module, transform

# What may come of each: something, a syntax error, or a limit.
SOURCES: dict[str, str] = {
    "parentheses": "(" * 100_000 + ")" * 100_000,
    "unbalanced": "(" * 100_000,
    "objects": "x = " + '{"a":' * 20_000 + "1" + "}" * 20_000,
    "arrows": "x = " + "() => " * 20_000 + "1",
    "types": "let x: " + "A<" * 20_000 + "B" + ">" * 20_000,
    "elements": "<a>" * 20_000 + "</a>" * 20_000,
    "namespaces": "namespace N {" * 5_000 + "}" * 5_000,
    "dotted namespace": "namespace " + ".".join(["N"] * 1_000) + " { export const a = 1 }",
    "properties": "class A { constructor(" + ", ".join(f"private a{number}" for number in range(1_000)) + ") {} }",
    "sum": "x = " + " + ".join(["a"] * 50_000),
    "enum": "enum A { " + ", ".join(f"a{number}" for number in range(20_000)) + " }",
    "token": "x = " + "a" * 1_000_000,
    "string": "x = '" + "a" * 1_000_000 + "'",
    "comment": "/*" + ",/*" * 100_000,
    "NULs": "\0" * 1_000 + "let x: number\0 = 1",
    "surrogates": "let \ud800x: number = '\udc00'",
    "marks": "<" * 50_000,
    "type arguments": "f<a, " * 20_000 + ">" * 20_000 + "`t`",
    "templates": "f<a<b>>`t`," * 10_000,
    "ampersands": "<a>" + "&amp" * 50_000 + "</a>",
    "keyof": "x as keyof " + ".".join(["a"] * 500),
    "decorators": "@" * 10_000,
}


@pytest.mark.parametrize("name", SOURCES)
@pytest.mark.parametrize("language", ["ts", "tsx"])
def test_hostile_sources(monkeypatch: pytest.MonkeyPatch, name: str, language: str) -> None:
    monkeypatch.setattr(module, "STARTING_FUEL", 50_000_000)
    monkeypatch.setattr(module, "FUEL_OF_A_BYTE", 10_000)
    source = SOURCES[name]
    try:
        code = transform(source, language=language, filename="a.ts").code  # type: ignore[arg-type] # one of them
    except (JSSyntaxError, LimitExceeded) as error:
        assert str(error)
    else:
        assert code.count("\n") == source.count("\n")


def test_fuel_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "STARTING_FUEL", 100_000)
    monkeypatch.setattr(module, "FUEL_OF_A_BYTE", 10)
    with pytest.raises(LimitExceeded, match="fuel limit"):
        transform("let x: number = 1;" * 1_000, language="ts", filename="a.ts")
    monkeypatch.undo()
    assert transform("let x: A", language="ts", filename="a.ts").code == "let x   "


def test_memory_ends_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MEMORY_BYTES", 8 << 20)
    with pytest.raises(LimitExceeded, match="memory limit"):
        transform("let x: number = [1, 2];" * 20_000, language="ts", filename="a.ts")
    with pytest.raises(LimitExceeded, match="memory limit"):
        transform(" " * (4 << 20), language="ts", filename="a.ts")


def test_threads() -> None:
    def one(number: int) -> str:
        return transform(f"let x{number}: number = {number}", language="ts", filename="a.ts").code

    with ThreadPoolExecutor(4) as threads:
        assert list(threads.map(one, range(40))) == [f"let x{number}         = {number}" for number in range(40)]


def test_instances_are_freed(monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[object] = []
    close = module._Instance.close

    def counted(instance: module._Instance) -> None:
        closed.append(instance)
        close(instance)

    monkeypatch.setattr(module._Instance, "close", counted)
    transform("1", language="ts", filename="a.ts")
    with pytest.raises(JSSyntaxError):
        transform("(", language="ts", filename="a.ts")
    assert len(closed) == 2
