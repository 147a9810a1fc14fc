"""TypeScript declarations of Python functions."""

from __future__ import annotations

import functools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import Any, Literal, NamedTuple, NotRequired, Optional, TypedDict, Union

import pytest

from sandbox import BigInt, HostFunction, declarations


class Color(Enum):
    RED = "red"
    BLUE = 2


@dataclass
class User:
    """Somebody.

    With friends.
    """

    name: str
    age: int | None
    friends: list[User]
    color: Color = Color.RED


class Options(TypedDict, total=False):
    query: str


class Point(NamedTuple):
    x: float
    y: float


class Row(TypedDict):
    id: int
    note: NotRequired[str]


def scalars(a: int, b: float, c: str, d: bool, e: bytes, f: datetime, g: None, h: Any, i: BigInt) -> None: ...
def containers(a: list[int], b: dict[str, float], c: set[str], d: tuple[int, str], e: tuple[int, ...]) -> list[Any]: ...  # type: ignore[empty-body]
def abstract(  # type: ignore[empty-body]
    a: Sequence[int], b: Mapping[str, list[str]], c: Iterator[int], d: AsyncIterator[str]
) -> Awaitable[int]: ...
def unions(a: int | None, b: Optional[str], c: Union[int, list[str]], d: list[int | str]) -> int | str: ...  # type: ignore[empty-body]  # noqa: UP007, UP045
def literals(a: Literal["x", 2, True, None]) -> Literal["done"]: ...  # type: ignore[empty-body]
def callables(a: Callable[[int, str], bool], b: Callable[..., Any], c: Callable[[], None] | None) -> None: ...
def optional(a: int, b: int = 1, *, c: str = "x", _secret: int = 1) -> None: ...
def keywords(a: int, *, b: str) -> None: ...
def rest(*parts: str | int) -> None: ...
def mixed(a: int, *rest: int, b: int = 1) -> None: ...
def anything(a, b=2): ...  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN201
def named(function: int, new: str) -> None: ...
def forward(a: Missing) -> int: ...  # type: ignore[name-defined,empty-body]  # noqa: F821
async def later(a: int) -> str: ...  # type: ignore[empty-body]
def rows(a: Row, b: Options, c: Point, d: Color) -> Iterator[Row]: ...  # type: ignore[empty-body]


SIGNATURES: dict[str, tuple[Callable[..., Any], str]] = {
    "scalars": (
        scalars,
        "(a: number, b: number, c: string, d: boolean, e: Uint8Array, f: Date, g: null, h: unknown, i: bigint): void",
    ),
    "containers": (
        containers,
        "(a: number[], b: Record<string, number>, c: Set<string>, d: [number, string], e: number[]): unknown[]",
    ),
    "abstract": (
        abstract,
        "(a: number[], b: Record<string, string[]>, c: Iterable<number>, d: AsyncIterable<string>): Promise<number>",
    ),
    "unions": (
        unions,
        "(a: number | null, b: string | null, c: number | string[], d: (number | string)[]): number | string",
    ),
    "literals": (literals, '(a: "x" | 2 | true | null): "done"'),
    "callables": (
        callables,
        "(a: (arg0: number, arg1: string) => boolean, b: (...args: unknown[]) => unknown, "
        "c: (() => void) | null): void",
    ),
    "defaults": (optional, "(a: number, b?: number, options?: { c?: string }): void"),
    "keywords": (keywords, "(a: number, options: { b: string }): void"),
    "rest": (rest, "(...parts: (string | number)[]): void"),
    "rest and keywords": (mixed, "(a: number, ...rest: unknown[] /* the last may be { b?: number } */): void"),
    "no annotations": (anything, "(a: unknown, b?: unknown): unknown"),
    "reserved words": (named, "(function_: number, new_: string): void"),
    "annotations that cannot be read": (forward, "(a: unknown): unknown"),
    "async": (later, "(a: number): Promise<string>"),
    "a partial": (functools.partial(optional, 1, c="y"), "(b?: number): void"),
    "waited for": (HostFunction(later, wait=True), "(a: number): string"),
    "a builtin": (len, "(obj: unknown): unknown"),
}


@pytest.mark.parametrize(("function", "signature"), SIGNATURES.values(), ids=SIGNATURES)
def test_signatures(function: Callable[..., Any], signature: str) -> None:
    assert declarations({"f": function}).splitlines()[-1] == f"declare function f{signature};"


def test_types_are_declared_once() -> None:
    def find(user: User) -> list[User]: ...  # type: ignore[empty-body]

    find.__annotations__ = {"user": User, "return": list[User]}
    assert declarations({"find": find, "rows": rows}) == (
        """\
/**
 * Somebody.
 *
 * With friends.
 */
interface User {
  name: string;
  age: number | null;
  friends: User[];
  color: Color;
}

type Color = "red" | 2;

interface Row {
  id: number;
  note?: string;
}

interface Options {
  query?: string;
}

interface Point {
  x: number;
  y: number;
}

declare function find(user: User): User[];

declare function rows(a: Row, b: Options, c: Point, d: Color): Iterable<Row>;
"""
    )


def test_comments_and_namespaces() -> None:
    def search(query: str, limit: int = 10, *, exact: bool = False) -> list[str]:
        """Search the index.

        It is */ slow.

        Args:
            query: What to look for,
                any text.
            limit: How many at most.
            exact: No stemming.

        Returns:
            Names, best first.

        Raises:
            ValueError: Never.
        """
        return []

    assert declarations({"index": {"search": search, "deep": {"len": len}}}) == (
        """\
declare namespace index {
  /**
   * Search the index.
   *
   * It is *\\/ slow.
   *
   * @param query What to look for, any text.
   * @param limit How many at most.
   * @param options.exact No stemming.
   * @returns Names, best first.
   */
  function search(query: string, limit?: number, options?: { exact?: boolean }): string[];

  namespace deep {
    /** Return the number of items in a container. */
    function len(obj: unknown): unknown;
  }
}
"""
    )


def test_functions_by_their_own_names() -> None:
    told = declarations([later, HostFunction(rest, name="join")])
    assert [line.split("(")[0] for line in told.splitlines() if line] == [
        "declare function later",
        "declare function join",
    ]
    assert declarations({}) == ""


@pytest.mark.parametrize(
    ("functions", "kind"),
    [
        ({"a b": len}, ValueError),
        ({"new": len}, ValueError),
        ({"x": 5}, TypeError),
        ([functools.partial(len)], TypeError),
    ],
    ids=["no name", "a reserved word", "no callable", "no name of its own"],
)
def test_what_cannot_be_declared(functions: Any, kind: type[Exception]) -> None:
    with pytest.raises(kind):
        declarations(functions)
