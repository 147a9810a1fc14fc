"""Format specifiers in the first argument of `console.log`."""

from __future__ import annotations

from collections.abc import Callable

import pytest


@pytest.mark.parametrize(
    ("arguments", "text"),
    [
        # What is not a specifier, or has no argument, stays.
        ("'100%'", "100%"),
        ("'%s'", "%s"),
        ("'%s %s', 'a'", "a %s"),
        ("'%%'", "%%"),
        ("'%% %s', 'a'", "% a"),
        ("'%%s', 'a'", "%s a"),
        ("'%x %s', 'a'", "%x a"),
        ("'a%', 'b'", "a% b"),
        ("1, '%s', 'a'", "1 %s a"),
        ("'a', 'b', 1, {}", "a b 1 {}"),
        ("'%s', 'a', 'b', [1]", "a b [ 1 ]"),
        ("'', 'a'", " a"),
        # %s
        ("'%s', 'text'", "text"),
        ("'%s', 1.5", "1.5"),
        ("'%s', -0", "-0"),
        ("'%s', 10n", "10n"),
        ("'%s', Symbol('a')", "Symbol(a)"),
        ("'%s', undefined", "undefined"),
        ("'%s', null", "null"),
        ("'%s', { a: { b: 1 } }", "{ a: [Object] }"),
        ("'%s', [1, [2]]", "[ 1, [Array] ]"),
        ("'%s', new Date(0)", "1970-01-01T00:00:00.000Z"),
        ("'%s', function f(a) { return a }", "function f(a) { return a }"),
        ("'%s', class A {}", "class A {}"),
        # %d, %i, %f
        ("'%d', 1.5", "1.5"),
        ("'%d', '42'", "42"),
        ("'%d', '4x'", "NaN"),
        ("'%d', -0", "-0"),
        ("'%d', 10n", "10n"),
        ("'%d', true", "1"),
        ("'%d', null", "0"),
        ("'%d', undefined", "NaN"),
        ("'%d', Symbol()", "NaN"),
        ("'%d', { valueOf: () => 1 }", "NaN"),
        ("'%i', 42.9", "42"),
        ("'%i', '42px'", "42"),
        ("'%i', 10n", "10n"),
        ("'%i', []", "NaN"),
        ("'%f', '1.5px'", "1.5"),
        ("'%f', 2", "2"),
        ("'%f', Symbol()", "NaN"),
        # %j: data properties only
        ("'%j', { a: [1, 'b', null, undefined, NaN], c: undefined }", '{"a":[1,"b",null,null,null]}'),
        ("'%j', 'q\"'", '"q\\""'),
        ("'%j', new Date(0)", '"1970-01-01T00:00:00.000Z"'),
        ("'%j', new Date(NaN)", "null"),
        ("'%j', undefined", "undefined"),
        ("'%j', () => {}", "undefined"),
        ("'%j', [() => {}, Symbol()]", "[null,null]"),
        ("'%j', { toJSON() { return 1 }, a: true }", '{"a":true}'),
        ("'%j', (() => { const o = {}; o.o = o; return o })()", '{"o":"[Circular]"}'),
        ("'%j', new Proxy({ a: 1 }, {})", '"..."'),
        # %o, %O, %c
        ("'%O', { a: { b: { c: { d: 1 } } } }", "{ a: { b: { c: [Object] } } }"),
        ("'%o', { a: { b: { c: { d: 1 } } } }", "{\n  a: { b: { c: { d: 1 } } }\n}"),
        ("'%o', 'text'", "'text'"),
        ("'%c%s%c!', 'color: red', 'a', ''", "a!"),
        ("'%s%d%i%f%j%o%O%c%%', 1, 2, 3, 4, 5, 6, 7, 8", "1234567%"),
    ],
)
def test_specifiers(logged: Callable[[str], list[str]], arguments: str, text: str) -> None:
    assert logged(f"console.log({arguments})") == [text]


def test_json_is_bounded(logged: Callable[[str], list[str]]) -> None:
    deep = "let o = {}; for (let i = 0; i < 5000; i++) o = { o }; "

    assert logged(deep + "console.log('%j', o)")[0].count("o") == 101
    assert len(logged("console.log('%j', Array(1e6).fill('text'))")[0]) <= 65_536
    assert len(logged("console.log('%j', 'a'.repeat(1e6))")[0]) <= 65_536
