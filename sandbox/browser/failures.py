"""What a program is told when a browser has not done what it asked for."""

from __future__ import annotations

import re
from typing import Final

from sandbox.errors import JSError

_MOST_CHARS: Final = 4000
_ANSI: Final = re.compile("\x1b\\[[0-9;]*m")
# Playwright begins with the method that was called, by its name in Python.
_METHOD: Final = re.compile(r"\A[A-Za-z]+\.[a-z_]+: ")
# What it adds for people at a terminal: a picture of the page in letters.
_PICTURE: Final = re.compile(r"\n+Aria snapshot:\n.*\Z", re.DOTALL)
CLOSED: Final = "the page, or the browser, has been closed"
BLOCKED: Final = "the page went where it may not, and was emptied"


def failed(text: str, name: str = "Error") -> JSError:
    """An Error of the guest."""
    return JSError(text[:_MOST_CHARS], name=name)


def wrong(text: str) -> JSError:
    """A TypeError of the guest: arguments that are none."""
    return JSError(text[:_MOST_CHARS], name="TypeError", js_class="TypeError")


def full(text: str) -> JSError:
    """The guest has as much of something as it may have."""
    return JSError(text, name="QuotaExceededError", js_class="DOMException")


def text_of(error: BaseException) -> str:
    """Playwright's own words about a failure, without what is about Python."""
    text = _PICTURE.sub("", _ANSI.sub("", str(error)))
    return _METHOD.sub("", text).strip()


def failure_of(error: BaseException, method: str) -> JSError:
    """What a guest sees of an exception that an action has raised.

    Args:
        error: The exception. Only what Playwright itself raises has a message for the guest.
        method: The name of the action there.
    """
    if isinstance(error, JSError):
        return error
    names = {kind.__name__ for kind in type(error).__mro__ if kind.__module__.partition(".")[0] == "playwright"}
    if isinstance(error, TimeoutError):
        return failed(f"{method}: it took longer than the browser grants", "TimeoutError")
    if "TimeoutError" in names:
        return failed(f"{method}: {text_of(error)}", "TimeoutError")
    if "TargetClosedError" in names:
        return failed(f"{method}: {CLOSED}", "TargetClosedError")
    if "Error" in names:
        return failed(f"{method}: {text_of(error)}")
    return failed(f"{method}: the browser failed")
