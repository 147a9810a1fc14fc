"""URL and URLSearchParams (URL Standard)."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox


@pytest.mark.parametrize(
    ("url", "base", "href"),
    [
        ("http://example.com", None, "http://example.com/"),
        ("HTTP://EXAMPLE.com:80/%7Efoo/../a b", None, "http://example.com/a%20b"),
        ("  http://a/\t\n ", None, "http://a/"),
        ("https://user:pa%20ss@host:8080/p?q#f", None, "https://user:pa%20ss@host:8080/p?q#f"),
        ("https://us er:p:w@h/", None, "https://us%20er:p%3Aw@h/"),
        ("http://a\\b\\c", None, "http://a/b/c"),
        ("http:a", "http://b/c/d", "http://b/c/a"),
        ("//h/x", "https://a/b", "https://h/x"),
        ("/x", "https://a/b/c", "https://a/x"),
        ("x", "https://a/b/c", "https://a/b/x"),
        ("../../../x", "https://a/b/c/d", "https://a/x"),
        ("?q", "https://a/b?c#d", "https://a/b?q"),
        ("#f", "https://a/b?c#d", "https://a/b?c#f"),
        ("", "https://a/b?c#d", "https://a/b?c"),
        ("./.%2e/x", "https://a/b/c", "https://a/x"),
        ("http://ex%41mple.com", None, "http://example.com/"),
        ("http://bücher.example", None, "http://xn--bcher-kva.example/"),
        ("http://☃.net/☃?☃#☃", None, "http://xn--n3h.net/%E2%98%83?%E2%98%83#%E2%98%83"),
        ("http://0x7f.1", None, "http://127.0.0.1/"),
        ("http://0300.0250.1", None, "http://192.168.0.1/"),
        ("http://3232235777", None, "http://192.168.1.1/"),
        ("http://[2001:DB8::0:1]:443/", None, "http://[2001:db8::1]:443/"),
        ("http://[::ffff:1.2.3.4]", None, "http://[::ffff:102:304]/"),
        ("https://a:443", None, "https://a/"),
        ("ws://a:80", None, "ws://a/"),
        ("ftp://a:21/", None, "ftp://a/"),
        ("https://a:00080", None, "https://a:80/"),
        ("file:///C|/x/../y", None, "file:///C:/y"),
        ("file://localhost/x", None, "file:///x"),
        ("file:x", "file:///a/b", "file:///a/x"),
        ("data:text/plain,a b#c d", None, "data:text/plain,a b#c%20d"),
        ("mailto:a@b", None, "mailto:a@b"),
        ("javascript:alert(1)", None, "javascript:alert(1)"),
        ("blob:https://a/b", None, "blob:https://a/b"),
        ("foo://HOST/%41?'#'", None, "foo://HOST/%41?'#'"),
        ("http://a/?'\"<>`{}", None, "http://a/?%27%22%3C%3E`{}"),
        ("http://a/\"<>`{}'", None, "http://a/%22%3C%3E%60%7B%7D'"),
        ("http://a/%zz%", None, "http://a/%zz%"),
        ("non-special:/.//p", None, "non-special:/.//p"),
    ],
)
def test_parsing(box: Sandbox, url: str, base: str | None, href: str) -> None:
    box.globals["args"] = [url] if base is None else [url, base]

    assert box.eval("[new URL(...args).href, URL.parse(...args).href, URL.canParse(...args)]") == [href, href, True]


@pytest.mark.parametrize(
    ("url", "base"),
    [
        ("", None),
        ("x", None),
        ("/x", None),
        ("//h", None),
        ("http://", None),
        ("http://a b/", None),
        ("http://a:65536", None),
        ("http://a:x", None),
        ("http://%00/", None),
        ("http://a%2fb", None),
        ("http://[::1", None),
        ("http://[:::1]", None),
        ("http://1.2.3.4.5", None),
        ("http://256.256.256.256", None),
        ("http://0xffffffff1", None),
        ("http://a<b", None),
        ("https://user@", None),
        ("1http://a", None),
        ("x", "mailto:a"),
        ("x", "nothing"),
        ("http://a/", "nothing"),
    ],
)
def test_what_is_no_url(box: Sandbox, refused: Callable[[str], str], url: str, base: str | None) -> None:
    box.globals["args"] = [url] if base is None else [url, base]

    assert box.eval("[URL.parse(...args), URL.canParse(...args)]") == [None, False]
    assert refused("new URL(...args)") == "TypeError TypeError: Failed to construct 'URL': Invalid URL"


PARTS = ["origin", "protocol", "username", "password", "host", "hostname", "port", "pathname", "search", "hash"]


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://u:p@h.example:8080/a/b?c=d#e",
         "https://h.example:8080 https: u p h.example:8080 h.example 8080 /a/b ?c=d #e"),
        ("http://h", "http://h http: - - h h - / - -"),
        ("http://h/?#", "http://h http: - - h h - / - -"),
        ("file:///a", "null file: - - - - - /a - -"),
        ("mailto:a?b", "null mailto: - - - - - a ?b -"),
        ("blob:https://h:1/x", "https://h:1 blob: - - - - - https://h:1/x - -"),
        ("blob:x", "null blob: - - - - - x - -"),
        ("foo://h:5/x", "null foo: - - h:5 h 5 /x - -"),
        ("ws://[::1]:9/", "ws://[::1]:9 ws: - - [::1]:9 [::1] 9 / - -"),
    ],
)  # fmt: skip
def test_components(box: Sandbox, url: str, parts: str) -> None:
    box.globals["parts"] = PARTS

    assert " ".join(part or "-" for part in box.eval(f"const u = new URL('{url}'); parts.map(p => u[p])")) == parts


@pytest.mark.parametrize(
    ("url", "part", "value", "href"),
    [
        ("http://a/b", "href", "https://c", "https://c/"),
        ("http://a/b", "protocol", "https", "https://a/b"),
        ("http://a/b", "protocol", "https:x", "https://a/b"),
        ("http://a/b", "protocol", "foo", "http://a/b"),
        ("http://a/b", "protocol", "1", "http://a/b"),
        ("https://a:80", "protocol", "http", "http://a/"),
        ("http://a/b", "username", "u@:", "http://u%40%3A@a/b"),
        ("http://u@a/b", "username", "", "http://a/b"),
        ("http://a/b", "password", "p/", "http://:p%2F@a/b"),
        ("file:///a", "username", "u", "file:///a"),
        ("http://a/b", "host", "c:8", "http://c:8/b"),
        ("http://a:7/b", "host", "c", "http://c:7/b"),
        ("http://a/b", "host", "", "http://a/b"),
        ("http://a/b", "host", "c d", "http://a/b"),
        ("http://a:7/b", "hostname", "c", "http://c:7/b"),
        ("http://a/b", "hostname", "c:8", "http://a/b"),
        ("http://a/b", "hostname", "0x7f000001", "http://127.0.0.1/b"),
        ("mailto:a", "host", "c", "mailto:a"),
        ("http://a/b", "port", "8080", "http://a:8080/b"),
        ("http://a:7/b", "port", "", "http://a/b"),
        ("http://a:7/b", "port", "80", "http://a/b"),
        ("http://a/b", "port", "9x", "http://a:9/b"),
        ("http://a:7/b", "port", "x", "http://a:7/b"),
        ("http://a:7/b", "port", "65536", "http://a:7/b"),
        ("http://a/b", "pathname", "c/../d e?f#g", "http://a/d%20e%3Ff%23g"),
        ("mailto:a", "pathname", "b", "mailto:a"),
        ("http://a/b?c", "search", "d e", "http://a/b?d%20e"),
        ("http://a/b?c", "search", "?", "http://a/b?"),
        ("http://a/b?c", "search", "", "http://a/b"),
        ("http://a/b?c", "search", "#x", "http://a/b?%23x"),
        ("http://a/b", "hash", "c d", "http://a/b#c%20d"),
        ("http://a/b#c", "hash", "", "http://a/b"),
        ("http://a/b", "origin", "https://x", "http://a/b"),
    ],
)
def test_setters(box: Sandbox, url: str, part: str, value: str, href: str) -> None:
    box.globals["args"] = [url, part, value]

    assert box.eval("const u = new URL(args[0]); u[args[1]] = args[2]; u.href") == href


def test_a_bad_href_changes_nothing(box: Sandbox, refused: Callable[[str], str]) -> None:
    box.eval("var u = new URL('http://a/?b=1'); var params = u.searchParams")

    assert refused("u.href = 'nothing'") == (
        "TypeError TypeError: Failed to set the 'href' property on 'URL': Invalid URL"
    )
    assert box.eval("[u.href, params.get('b')]") == ["http://a/?b=1", "1"]


def test_text_forms(box: Sandbox) -> None:
    assert box.eval("const u = new URL('a:b'); [`${u}`, JSON.stringify({ u }), u.toString(), u.toJSON()]") == [
        "a:b",
        '{"u":"a:b"}',
        "a:b",
        "a:b",
    ]
    assert box.eval("new URL(new URL('x', new URL('http://a/b'))).href") == "http://a/x"


# --- URLSearchParams ---


@pytest.mark.parametrize(
    ("init", "text"),
    [
        ("", ""),
        ("undefined", ""),
        ("null", "null="),
        ("''", ""),
        ("'?'", ""),
        ("'??a=1'", "%3Fa=1"),
        ("'a'", "a="),
        ("'=b'", "=b"),
        ("'='", "="),
        ("'a=b=c'", "a=b%3Dc"),
        ("'&&a=1&&'", "a=1"),
        ("'a+b=c%20d'", "a+b=c+d"),
        ("'a=%2B%26%3D'", "a=%2B%26%3D"),
        ("'a=%'", "a=%25"),
        ("'a=%4'", "a=%254"),
        ("'a=%zz'", "a=%25zz"),
        ("'a=%F0%9F%98%80'", "a=%F0%9F%98%80"),
        ("'a=%ff%C3'", "a=%EF%BF%BD%EF%BF%BD"),
        ("'é=水'", "%C3%A9=%E6%B0%B4"),
        ("'a=\\u0000'", "a=%00"),
        ("'a=*-._~!\\'()'", "a=*-._%7E%21%27%28%29"),
        ("'%EF%BB%BFa=1'", "%EF%BB%BFa=1"),
        ("[['a', 'b'], ['a', 'c']]", "a=b&a=c"),
        ("new Map([['a', 1]])", "a=1"),
        ("new Set(['ab'].map(s => [...s]))", "a=b"),
        ("{ a: 1, b: [2, 3] }", "a=1&b=2%2C3"),
        ("Object.create({ inherited: 1 })", ""),
        ("Object.defineProperty({ a: 1 }, 'hidden', { value: 1 })", "a=1"),
        ("{ '\\ud800': 1, '\\ud801': 2 }", "%EF%BF%BD=2"),
        ("new URLSearchParams('a=1&b=2')", "a=1&b=2"),
        ("(function* () { yield ['a', 'b'] })()", "a=b"),
        ("() => {}", ""),
    ],
)
def test_what_parameters_are_made_of(box: Sandbox, init: str, text: str) -> None:
    assert box.eval(f"new URLSearchParams({init}).toString()") == text


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("p.get('a')", "1"),
        ("p.get('z')", None),
        ("p.getAll('a')", ["1", "3"]),
        ("p.getAll('z')", []),
        ("p.has('b')", True),
        ("p.has('a', '3')", True),
        ("p.has('a', '2')", False),
        ("p.size", 3),
        ("p.append('c', 'd e'); `${p}`", "a=1&b=2&a=3&c=d+e"),
        ("p.set('a', 'x'); `${p}`", "a=x&b=2"),
        ("p.set('z', 'x'); `${p}`", "a=1&b=2&a=3&z=x"),
        ("p.delete('a'); `${p}`", "b=2"),
        ("p.delete('a', '3'); `${p}`", "a=1&b=2"),
        ("p.delete('a', undefined); `${p}`", "b=2"),
        ("p.delete('z'); `${p}`", "a=1&b=2&a=3"),
        ("p.sort(); `${p}`", "a=1&a=3&b=2"),
        ("[...p].join(';')", "a,1;b,2;a,3"),
        ("[...p.keys()].join() + [...p.values()].join() + [...p.entries()].length", "a,b,a1,2,33"),
        ("const seen = []; p.forEach(function (v, k, self) { seen.push(v + k + (self === p) + this) }, 7); seen.join()",
         "1atrue7,2btrue7,3atrue7"),
        ("p.entries()[Symbol.iterator]().next().value.join()", "a,1"),
        ("const i = p.keys(); const seen = []; for (const k of i) { seen.push(k); p.delete('b') } seen.join()", "a,a"),
        ("const seen = []; for (const [k] of p) { seen.push(k); if (p.size < 5) p.append('n', '') } seen.join()",
         "a,b,a,n,n"),
        ("const i = p.keys(); [...i]; const { done, value } = i.next(); done && value === undefined", True),
        ("p.sort.call(p) === undefined && p.append('a', 'b') === undefined", True),
        ("Object.prototype.toString.call(p.keys())", "[object URLSearchParams Iterator]"),
    ],
)  # fmt: skip
def test_operations_on_parameters(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(f"const p = new URLSearchParams('a=1&b=2&a=3'); {code}") == value


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("z=1&y=2&x=3", "x=3&y=2&z=1"),
        ("a=2&b=1&a=1&b=0", "a=2&a=1&b=1&b=0"),
        ("bbb&bb&aaa&aa=x&aa=y", "aa=x&aa=y&aaa=&bb=&bbb="),
        ("é&e�&e", "e=&e%EF%BF%BD=&%C3%A9="),
        ("ﬃ&🌈", "%F0%9F%8C%88=&%EF%AC%83="),
    ],
)
def test_sorting_goes_by_code_units(box: Sandbox, query: str, text: str) -> None:
    box.globals["query"] = query

    assert box.eval("const p = new URLSearchParams(query); p.sort(); p.toString()") == text


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("u.searchParams === u.searchParams", True),
        ("u.searchParams.append('c', 'd e'); u.href", "http://h/?a=1&b=+2&c=d+e"),
        ("u.searchParams.get('b')", " 2"),
        ("u.searchParams.set('a', 'é'); u.search", "?a=%C3%A9&b=+2"),
        ("u.searchParams.delete('a'); u.searchParams.delete('b'); u.href", "http://h/"),
        ("u.searchParams.sort(); u.search", "?a=1&b=+2"),
        ("const p = u.searchParams; u.search = '?x=y'; [p.get('x'), p.size].join()", "y,1"),
        ("const p = u.searchParams; u.href = 'http://z/?q=1'; p.append('r', 2); u.href", "http://z/?q=1&r=2"),
        ("const p = u.searchParams; u.hash = 'x'; p.append('c', ''); u.href", "http://h/?a=1&b=+2&c=#x"),
        ("u.searchParams = 'x'; u.href", "http://h/?a=1&b=%202"),
        ("const p = new URLSearchParams(u.searchParams); p.append('c', ''); u.search", "?a=1&b=%202"),
    ],
)
def test_the_parameters_of_a_url_are_live(box: Sandbox, code: str, value: object) -> None:
    assert box.eval(f"const u = new URL('http://h/?a=1&b=%202'); {code}") == value


def test_many_parameters(box: Sandbox) -> None:
    code = """
    const p = new URLSearchParams(Array.from({ length: 10_000 }, (_, i) => ["k" + (i * 7919) % 10_000, "v"]));
    p.sort();
    const text = p.toString();
    [new URLSearchParams(text).toString() === text, text.startsWith("k0=v&k1=v&k10=v&k100=v"), p.size]
    """
    assert box.eval(code) == [True, True, 10_000]
