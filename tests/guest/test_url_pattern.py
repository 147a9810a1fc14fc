"""URLPattern (URL Pattern Standard)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import pytest

from sandbox import Limits, Sandbox
from sandbox.errors import CpuLimitExceeded, LimitExceeded

if TYPE_CHECKING:
    from sandbox import ConsoleEntry

COMPONENTS = ("protocol", "username", "password", "hostname", "port", "pathname", "search", "hash")
ALL = "(...given) => { const p = new URLPattern(...given); return [%s].map(name => p[name]); }"
NAMED = ALL % ", ".join(f"'{name}'" for name in COMPONENTS)


def _patterns(box: Sandbox, *given: object) -> dict[str, str]:
    """The components of a pattern that are not open."""
    values: Any = box.call(box.eval(NAMED), *given)
    return {name: value for name, value in zip(COMPONENTS, values, strict=True) if value != "*"}


@pytest.mark.parametrize(
    ("given", "patterns"),
    [
        ([], {}),
        ([{"pathname": "/a/:id"}], {"pathname": "/a/:id"}),
        (
            ["https://example.com/:category/x?q#reviews"],
            {
                "protocol": "https",
                "hostname": "example.com",
                "port": "",
                "pathname": "/:category/x",
                "search": "q",
                "hash": "reviews",
            },
        ),
        (
            ["http{s}?://{:subdomain.}?shop.example/products/:id([0-9]+)#r"],
            {
                "protocol": "http{s}?",
                "hostname": "{:subdomain.}?shop.example",
                "port": "",
                "pathname": "/products/:id([0-9]+)",
                "search": "",
                "hash": "r",
            },
        ),
        (
            ["../admin/*", "https://discussion.example/forum/?page=2"],
            {"protocol": "https", "hostname": "discussion.example", "port": "", "pathname": "/admin/*"},
        ),
        (
            ["https://u\\:p@h:*/"],
            {"protocol": "https", "username": "u", "password": "p", "hostname": "h", "pathname": "/"},
        ),
        (["data\\:text/*"], {"protocol": "data", "hostname": "", "port": "", "pathname": "text/*"}),
        (
            ["?a", "https://h/x"],
            {"protocol": "https", "hostname": "h", "port": "", "pathname": "/x", "search": "a"},
        ),
        (
            ["#a", "https://h/x?y"],
            {"protocol": "https", "hostname": "h", "port": "", "pathname": "/x", "search": "y", "hash": "a"},
        ),
        ([{"protocol": "https:", "search": "?a", "hash": "#b"}], {"protocol": "https", "search": "a", "hash": "b"}),
        ([{"pathname": "é", "hash": " "}], {"pathname": "%C3%A9", "hash": "%20"}),
        ([{"hostname": "café.com"}], {"hostname": "xn--caf-dma.com"}),
        ([{"protocol": "https", "port": "443"}], {"protocol": "https", "port": ""}),
        (
            [{"pathname": "b", "baseURL": "https://h/a+/c"}],
            {"pathname": "/a\\+/b", "protocol": "https", "hostname": "h", "port": ""},
        ),
        ([{"pathname": "/foo/../bar"}], {"pathname": "/bar"}),
        ([{"pathname": "/{a}:b{c}"}], {"pathname": "/a{:b}c"}),
        ([{"pathname": "/:a(.*)"}], {"pathname": "/:a(.*)"}),
        ([{"pathname": "([^\\/]+?)"}], {"pathname": "([^\\/]+?)"}),
        ([{"hostname": "[\\:\\:AB\\::n]"}], {"hostname": "[\\:\\:ab\\::n]"}),
    ],
)
def test_patterns_in_their_normal_form(box: Sandbox, given: list[object], patterns: dict[str, str]) -> None:
    assert _patterns(box, *given) == patterns


@pytest.mark.parametrize(
    ("pattern", "matches", "others"),
    [
        ({"pathname": "/a/:id"}, ["https://h/a/1"], ["https://h/a/", "https://h/a/1/2", "https://h/b/1"]),
        ({"pathname": "/a/:id?"}, ["https://h/a", "https://h/a/1"], ["https://h/a/"]),
        ({"pathname": "/a/:id+"}, ["https://h/a/1", "https://h/a/1/2"], ["https://h/a"]),
        ({"pathname": "/a/:id*"}, ["https://h/a", "https://h/a/1/2"], ["https://h/b"]),
        ({"pathname": "/a/*"}, ["https://h/a/", "https://h/a/1/2"], ["https://h/a"]),
        ({"pathname": "/:n(\\d+)"}, ["https://h/1"], ["https://h/x"]),
        ({"pathname": "{/a}?/b"}, ["https://h/b", "https://h/a/b"], ["https://h/a"]),
        ({"pathname": "/é"}, ["https://h/%C3%A9", "https://h/é"], ["https://h/e"]),
        ({"hostname": ":sub.h"}, ["https://a.h"], ["https://a.b.h", "https://h"]),
        ({"search": "a=:b"}, ["https://h/?a=1"], ["https://h/?b=1", "https://h/"]),
        ({"protocol": "foo-bar"}, ["foo-bar:x"], ["foo:x"]),
        ({"hostname": "[\\:\\:1]"}, ["http://[::1]/"], ["http://[::2]/"]),
        ({"pathname": "a/:b", "protocol": "data"}, ["data:a/1", "data:a/1/2"], ["data:b"]),
    ],
)
def test_what_matches(box: Sandbox, pattern: object, matches: list[str], others: list[str]) -> None:
    test = box.eval("(pattern, urls) => urls.filter(url => new URLPattern(pattern).test(url))")

    assert box.call(test, pattern, matches + others) == matches


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("new URLPattern({ pathname: '/A' }).test('https://h/a')", False),
        ("new URLPattern({ pathname: '/A' }, { ignoreCase: true }).test('https://h/a')", True),
        ("new URLPattern('/A', 'https://h', { ignoreCase: true }).test('https://h/a')", True),
        ("new URLPattern().test()", True),
        ("new URLPattern({ port: '80' }).test({ port: '8\\t0' })", True),
        ("new URLPattern().test('no URL')", False),
        ("new URLPattern().test('/x', 'https://h')", True),
        ("new URLPattern().test('/x', 'no URL')", False),
        ("new URLPattern().test({ hostname: 'a b' })", False),
        ("new URLPattern({ pathname: '/b' }).test({ pathname: 'b', baseURL: 'https://h/a' })", True),
        ("new URLPattern('https://h/a').test(new URL('https://h/a'))", True),
        ("new URLPattern({ pathname: '/:a' }).hasRegExpGroups", False),
        ("new URLPattern({ pathname: '/:a(b)' }).hasRegExpGroups", True),
        ("URLPattern.compareComponent('pathname', new URLPattern({ pathname: '/a' }), new URLPattern())", 1),
        ("URLPattern.compareComponent('hash', new URLPattern({ hash: ':a?' }), new URLPattern({ hash: ':b' }))", -1),
        ("URLPattern.compareComponent('hash', new URLPattern({ hash: ':a' }), new URLPattern({ hash: ':b' }))", 0),
        ("URLPattern.length + URLPattern.prototype.test.length", 0),
    ],
)
def test_options_and_inputs(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(code) == value


def test_exec_tells_inputs_and_groups(box: Sandbox) -> None:
    result: Any = box.eval("new URLPattern({ pathname: '/:a/:b?/*' }).exec('/1//x', 'https://h')")

    assert result["inputs"] == ["/1//x", "https://h"]
    assert result["pathname"] == {"input": "/1//x", "groups": {"a": "1", "b": box.eval("undefined"), "0": "/x"}}
    assert result["protocol"] == {"input": "https", "groups": {"0": "https"}}
    assert list(result) == ["inputs", *COMPONENTS]
    assert box.eval("new URLPattern({ pathname: '/a' }).exec({ pathname: '/b' })") is None
    assert box.eval("new URLPattern().exec({ pathname: 'b', x: 1 }).inputs") == [{"pathname": "b"}]


def test_groups_may_have_any_name(box: Sandbox) -> None:
    code = (
        "Object.entries(new URLPattern({ pathname: '/:__proto__/:constructor' }).exec('https://h/1/2').pathname.groups)"
    )

    assert box.eval(code) == [["__proto__", "1"], ["constructor", "2"]]


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new URLPattern('/a')", "A relative pattern must have a base URL."),
        ("new URLPattern({}, 'https://h')", "A base URL is given with a string only."),
        ("new URLPattern('a', 'no URL')", "Invalid base URL."),
        ("new URLPattern({ baseURL: 'no URL' })", "Invalid base URL."),
        ("new URLPattern({ pathname: '/(' })", "An invalid regular expression begins at 1."),
        ("new URLPattern({ pathname: '/(é)' })", "An invalid regular expression begins at 1."),
        ("new URLPattern({ pathname: '/(?:a)' })", "An invalid regular expression begins at 1."),
        ("new URLPattern({ pathname: '/(a(b))' })", "An invalid regular expression begins at 1."),
        ("new URLPattern({ pathname: '/()' })", "An invalid regular expression begins at 1."),
        ("new URLPattern({ pathname: '/([)' })", "A regular expression is invalid."),
        ("new URLPattern({ pathname: '/([a-b&&])' })", "A regular expression is invalid."),
        ("new URLPattern({ pathname: '/:' })", "A name is missing at 1."),
        ("new URLPattern({ pathname: '/:a/:a' })", "There are two groups 'a'."),
        ("new URLPattern({ pathname: '/\\\\' })", "Nothing follows the backslash at 1."),
        ("new URLPattern({ pathname: '/{a' })", "A closing brace is missing at 3."),
        ("new URLPattern({ pathname: '/{a{b}}' })", "A closing brace is missing at 3."),
        ("new URLPattern({ pathname: '}' })", "The pattern cannot go on as it does at 0."),
        ("new URLPattern({ pathname: '/a+' })", "The pattern cannot go on as it does at 2."),
        ("new URLPattern({ port: '100000' })", "A part of the URL is invalid."),
        ("new URLPattern({ protocol: 'a b' })", "A part of the URL is invalid."),
        ("new URLPattern({ hostname: 'a b' })", "A part of the URL is invalid."),
        ("new URLPattern({ hostname: '[x' })", "A part of the URL is invalid."),
    ],
)
def test_what_is_no_pattern(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code) == f"TypeError TypeError: Failed to construct 'URLPattern': {message}"


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("URLPattern()", "TypeError TypeError: class constructors must be invoked with 'new'"),
        ("URLPattern.prototype.protocol", "TypeError TypeError: Illegal invocation"),
        ("URLPattern.prototype.test.call({})", "TypeError TypeError: "),
        (
            "new URLPattern().test({}, 'https://h')",
            "TypeError TypeError: Failed to execute 'test' on 'URLPattern': A base URL is given with a string only.",
        ),
        (
            "URLPattern.compareComponent('x', 1, 2)",
            "TypeError TypeError: Failed to execute 'compareComponent' on 'URLPattern': The provided value 'x' is not "
            "a valid enum value of type URLPatternComponent.",
        ),
        (
            "URLPattern.compareComponent('hash', new URLPattern(), {})",
            "TypeError TypeError: Failed to execute 'compareComponent' on 'URLPattern': parameters 2 and 3 must be of "
            "type 'URLPattern'.",
        ),
        ("structuredClone(new URLPattern())", "DOMException DataCloneError: "),
    ],
)
def test_wrong_uses(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(code).startswith(message)


def test_overloads_read_their_arguments_in_order(box: Sandbox) -> None:
    code = """
        const read = [];
        const spy = (name) => new Proxy({}, { get(_, key) { read.push(name + "." + key); } });
        new URLPattern(spy("init"), spy("options"));
        read
    """

    members = ["baseURL", "hash", "hostname", "password", "pathname", "port", "protocol", "search", "username"]
    assert box.eval(code) == [f"init.{name}" for name in members] + ["options.ignoreCase"]


def test_it_is_shown(logged: Callable[[str], list[str]], entries: list[ConsoleEntry]) -> None:
    (text,) = logged("console.log(new URLPattern('https://h/:a'))")

    assert text.startswith("URLPattern {")
    assert "pathname: '/:a'" in text


@pytest.mark.parametrize(
    "code",
    [
        "new URLPattern({ pathname: '/((?:a+)+)' }).test({ pathname: '/' + 'a'.repeat(40) + 'b' })",
        "new URLPattern({ search: '*a'.repeat(200) }).test({ search: 'b' + 'a'.repeat(3000) + 'b' })",
        "for (;;) new URLPattern('https://a/:b/*?{c}?#d')",
        "new URLPattern({ pathname: '/' + '\\\\.'.repeat(1 << 20) })",
        "new URLPattern(':'.repeat(1 << 21), 'https://a')",
        "new URLPattern({ pathname: '{a}+'.repeat(1 << 18) })",
    ],
)
def test_limits_end_it(code: str) -> None:
    limits = Limits(cpu_seconds=0.3, memory_bytes=32 << 20)
    with Sandbox(limits=limits) as box:
        with pytest.raises(LimitExceeded):
            box.eval(code)
        assert box.eval("new URLPattern('https://h/:a').exec('https://h/b').pathname.groups.a") == "b"


def test_a_limit_is_no_match_that_failed() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.2)) as box, pytest.raises(CpuLimitExceeded):
        box.eval("try { new URLPattern({ hash: '((?:a+)+)b' }).test({ hash: 'a'.repeat(50) }) } catch { 'caught' }")


def test_it_needs_nothing_of_the_programs(box: Sandbox) -> None:
    code = """
        for (const key of Reflect.ownKeys(RegExp.prototype)) {
          if (key === "constructor") continue;
          Object.defineProperty(RegExp.prototype, key, { get() { throw key; } });
        }
        Object.defineProperty(Object.prototype, "pathname", { get() { throw "pathname"; }, set() { throw "set"; } });
        globalThis.RegExp = null;
        new URLPattern("https://*/:a(\\\\d+)").exec("https://h/5").pathname.groups.a
    """

    assert box.eval(code) == "5"
