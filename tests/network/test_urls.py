"""The host's own parser of URLs agrees with the guest's, or refuses."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sandbox import Sandbox
from sandbox.network.urls import BadURL, parse

BASE = "https://example.com:8443/a/b/c?d"
URLS = [
    "https://example.com", "HTTPS://EXAMPLE.com:443/A/../b", "http://example.com:80/?", "http://h:8080/x?y#z",
    "http://h//a//b", "http:example.com", "http:/example.com", "http:///example.com", "http:\\\\example.com\\a",
    "https:x", "https:/x", "https:?q", "//other.org/x", "\\\\other.org", "/\\other.org/x", "/abs", "rel", "./rel",
    "../rel", "../../../../rel", "?q", "?", "#f", "", ".", "..", "../", "a/./b", "a/%2e%2E/b", "a/.%2e/", "%2e",
    "a\\b", " \t/x\n ", "/a b", "/a\"b<c>`{}|^[]'", "?a b\"'<>`{}|^", "/%zz%", "/é?é", "http://h/\u2028",
    "http://[::1]/", "http://[::FFFF:1.2.3.4]:99/", "http://[1::0:2]", "http://127.1/", "http://2130706433/",
    "http://0x7f000001/", "http://0177.0.0.1/", "http://017700000001/", "http://0x7f.0.0.0x1/", "http://0/",
    "http://1.2.3.4./", "http://1.2.3/", "http://h%41st/", "http://%31%32%37.0.0.1/", "http://ex%2eample.com/",
    "http://bücher.example/", "http://FULLWIDTH.example/", "http://\uff11\uff12\uff17.0.0.1/", "http://a_b.c/",
    "http://a..b/", "http://h:/", "http://h:0/", "http://h:65535/", "http://h:00080/", "http://a.b./",
    "https://h?q?r", "https://h\\x", "http://h/a?b\\c",
]  # fmt: skip
REFUSED = [
    "ftp://h/", "data:,x", "javascript:0", "http://", "http://u@h/", "http://u:p@h/", "http://@h/", "http://h:65536/",
    "http://h:x/", "http://h:-1/", "http://[::1", "http://[::1]x/", "http://[fe80::1%25eth0]/", "http://a b/",
    "http://a%00b/", "http://a%2fb/", "http://a%40b/", "http://a<b/", "http://1.2.3.4.5/", "http://0x1ffffffff/",
    "http://256.1/", "http://1.2.3.256/", "http://08.1/", "http://h/" + "a" * 70_000, "http://\ud800/",
    "http://h/\ud800", "http://%ff/", "http://x.0x/\udfff",
]  # fmt: skip


@pytest.fixture(scope="module")
def box() -> Iterator[Sandbox]:
    with Sandbox() as box:
        box.eval("""
            function read(url, base) {
              const parsed = URL.parse(url, base);
              if (!parsed || !/^https?:$/.test(parsed.protocol) || parsed.username || parsed.password) return null;
              parsed.hash = "";
              return parsed.href;
            }
        """)
        yield box


@pytest.mark.parametrize("url", URLS)
def test_it_reads_what_the_guest_reads(box: Sandbox, url: str) -> None:
    assert str(parse(url, parse(BASE))) == box.call("read", url, BASE)


@pytest.mark.parametrize("url", REFUSED)
def test_what_it_refuses(url: str) -> None:
    with pytest.raises(BadURL):
        parse(url, parse(BASE))


def test_without_a_base() -> None:
    with pytest.raises(BadURL):
        parse("/x")


@settings(max_examples=400)
@given(st.text("abz019.:/\\?#@%[]-_ \t\u00e9\u3002xX", max_size=24), st.sampled_from(["", "http://", "https:", "//"]))
def test_it_agrees_or_refuses(box: Sandbox, text: str, before: str) -> None:
    try:
        mine = str(parse(before + text, parse(BASE)))
    except BadURL:
        return
    assert mine == box.call("read", before + text, BASE)
