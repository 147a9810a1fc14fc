"""MIME types, as Content-Type headers and data: URLs show them (MIME Sniffing, section 4; Fetch, section 2.2.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox


@pytest.mark.parametrize(
    ("header", "kind"),
    [
        ("text/html", "text/html"),
        (" \tText/HTML ", "text/html"),
        ("text/html;Charset=UTF-8", "text/html;charset=UTF-8"),
        ("text/html ; charset=a;charset=b", "text/html;charset=a"),
        ('text/html;a="b c";d=""', 'text/html;a="b c";d=""'),
        ('text/html;a="b\\"c\\\\d"', 'text/html;a="b\\"c\\\\d"'),
        ('text/html;a="b";c', "text/html;a=b"),
        ('text/html;a="never closed', 'text/html;a="never closed"'),
        ('text/html;a="\\', 'text/html;a="\\\\"'),
        ("text/html;=a;b=;c=d", "text/html;c=d"),
        ("text/html;a b=c;d=\x80", 'text/html;d="\x80"'),
        ("text", ""),
        ("/", ""),
        ("text/", ""),
        ("/html", ""),
        ("te xt/html", ""),
        ("text/ html", ""),
        ("text/html/x", ""),
        # Several headers: the last one counts, with the charset of one before it if the essence is the same.
        ("text/html, text/plain", "text/plain"),
        ("text/html;charset=a, text/html", "text/html;charset=a"),
        ("text/html;charset=a, text/plain;b=c, text/plain", "text/plain"),
        ("text/html;charset=a, */*, nonsense, text/html;d=e", "text/html;d=e;charset=a"),
        ('text/html;a="b,c"', 'text/html;a="b,c"'),
        ("text/html,", "text/html"),
        (",text/html", "text/html"),
    ],
)
def test_what_a_header_says(box: Sandbox, header: str, kind: str) -> None:
    box.globals["header"] = header

    assert box.eval("(await new Response(null, {headers: {'content-type': header}}).blob()).type") == kind
