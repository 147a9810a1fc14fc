"""navigator: a name, and nothing of the machine."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from sandbox import Sandbox


def test_the_name_is_one_product_token(box: Sandbox) -> None:
    name = box.eval("navigator.userAgent")

    assert name == "quickjs-sandbox"
    assert re.fullmatch(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+", name)


def test_there_is_nothing_else(box: Sandbox) -> None:
    keys = "const keys = []; for (const key in navigator) keys.push(key); keys"

    assert box.eval(keys) == ["userAgent", "storage"]
    assert box.eval("navigator instanceof Navigator")


@pytest.mark.parametrize(
    ("code", "message"),
    [
        ("new Navigator()", "Illegal constructor"),
        ("Navigator.prototype.userAgent", "Illegal invocation"),
        ("'use strict'; navigator = {}", "no setter for property"),
    ],
)
def test_wrong_uses(refused: Callable[[str], str], code: str, message: str) -> None:
    assert refused(f"(() => {{ {code} }})()") == f"TypeError TypeError: {message}"
