"""The table of what a guest may do with pages, elements and contexts: names, arguments and options.

What does not stand here cannot be asked for. Names are those of Playwright for JavaScript.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from sandbox.browser.values import (
    Check,
    anything,
    between,
    boolean,
    either,
    many,
    members,
    number,
    one_of,
    payloads,
    text,
    texts_by_name,
    words,
)

_MS: Final = between(0.0, 3_600_000.0)
_PIXELS: Final = between(1, 10_000)
_MODIFIERS: Final = many(one_of("Alt", "Control", "ControlOrMeta", "Meta", "Shift"), 5)
_POINT: Final = members({"x": number, "y": number}, needs=("x", "y"))
_BOX: Final = members(
    {"x": number, "y": number, "width": number, "height": number}, needs=("x", "y", "width", "height")
)
_SIZE: Final = members({"width": _PIXELS, "height": _PIXELS}, needs=("width", "height"))
_LOADED: Final = one_of("load", "domcontentloaded", "networkidle", "commit")
_COOKIE: Final = members(
    {
        "name": text,
        "value": text,
        "url": text,
        "domain": text,
        "path": text,
        "expires": number,
        "httpOnly": boolean,
        "secure": boolean,
        "sameSite": one_of("Strict", "Lax", "None"),
        "partitionKey": text,
    },
    needs=("name", "value"),
)

# Options mean the same wherever they are allowed.
_OPTIONS: Final[dict[str, Check]] = {
    "animations": one_of("disabled", "allow"),
    "button": one_of("left", "middle", "right"),
    "caret": one_of("hide", "initial"),
    "checked": boolean,
    "clickCount": between(0, 10),
    "clip": _BOX,
    "colorScheme": one_of("light", "dark", "no-preference"),
    "delay": between(0.0, 10_000.0),
    "exact": boolean,
    "force": boolean,
    "format": text,
    "forcedColors": one_of("active", "none"),
    "fullPage": boolean,
    "height": text,
    "landscape": boolean,
    "media": one_of("screen", "print"),
    "modifiers": _MODIFIERS,
    "name": text,
    "noWaitAfter": boolean,
    "omitBackground": boolean,
    "pageRanges": text,
    "polling": between(10.0, 60_000.0),
    "position": _POINT,
    "printBackground": boolean,
    "quality": between(0, 100),
    "reducedMotion": one_of("reduce", "no-preference"),
    "referer": text,
    "scale": one_of("css", "device"),
    "sourcePosition": _POINT,
    "state": one_of("attached", "detached", "visible", "hidden"),
    "steps": between(1, 100),
    "targetPosition": _POINT,
    "timeout": _MS,
    "trial": boolean,
    "type": one_of("png", "jpeg"),
    "waitUntil": _LOADED,
    "width": text,
}


@dataclass(frozen=True, slots=True)
class Method:
    """One of them.

    Attributes:
        needs: Checks of the arguments.
        options: The options it takes, with their checks.
        result: What the guest gets: "nothing", "value", "bytes", "response", "page" or "context".
        optional: How many of the last arguments may be missing.
    """

    needs: tuple[Check, ...] = ()
    options: dict[str, Check] | None = None
    result: str = "nothing"
    optional: int = 0


def _does(*needs: Check, options: str = "timeout", result: str = "nothing", optional: int = 0) -> Method:
    return Method(needs, {name: _OPTIONS[name] for name in options.split()}, result, optional)


_WAY: Final = "timeout waitUntil referer"
_TOUCH: Final = "timeout force noWaitAfter trial position modifiers"
_PICTURE: Final = "timeout type quality omitBackground animations caret scale"

PAGE: Final[dict[str, Method]] = {
    "goto": _does(text, options=_WAY, result="response"),
    "reload": _does(options="timeout waitUntil", result="response"),
    "goBack": _does(options="timeout waitUntil", result="response"),
    "goForward": _does(options="timeout waitUntil", result="response"),
    "setContent": _does(text, options="timeout waitUntil"),
    "title": _does(options="", result="value"),
    "content": _does(options="", result="value"),
    "waitForTimeout": _does(_MS, options=""),
    "waitForLoadState": _does(_LOADED, optional=1),
    "evaluate": _does(text, anything, options="", result="value", optional=1),
    "addInitScript": _does(text, options=""),
    "screenshot": _does(options=f"{_PICTURE} fullPage clip", result="bytes"),
    "pdf": _does(options="format landscape printBackground pageRanges width height", result="bytes"),
    "setViewportSize": _does(_SIZE, options=""),
    "emulateMedia": _does(options="media colorScheme reducedMotion forcedColors"),
    "setExtraHTTPHeaders": _does(texts_by_name, options=""),
    "bringToFront": _does(options=""),
    "close": _does(options=""),
}

KEYBOARD: Final[dict[str, Method]] = {
    "press": _does(text, options="delay"),
    "type": _does(text, options="delay"),
    "insertText": _does(text, options=""),
    "down": _does(text, options=""),
    "up": _does(text, options=""),
}

MOUSE: Final[dict[str, Method]] = {
    "move": _does(number, number, options="steps"),
    "click": _does(number, number, options="button clickCount delay"),
    "dblclick": _does(number, number, options="button delay"),
    "down": _does(options="button clickCount"),
    "up": _does(options="button clickCount"),
    "wheel": _does(number, number, options=""),
}

CONTEXT: Final[dict[str, Method]] = {
    "newPage": _does(options="", result="page"),
    "cookies": _does(many(text), options="", result="value", optional=1),
    "addCookies": _does(many(_COOKIE), options=""),
    "clearCookies": _does(options=""),
    "close": _does(options=""),
    "storageState": _does(options="", result="value"),
    "addInitScript": _does(text, options=""),
    "setExtraHTTPHeaders": _does(texts_by_name, options=""),
    "setOffline": _does(boolean, options=""),
}

_STATE: Final = members(
    {
        "cookies": many(_COOKIE, 1000),
        "origins": many(
            members({"origin": text, "localStorage": many(members({"name": text, "value": text}), 1000)}), 1000
        ),
    }
)
# What the embedder has said of its own contexts holds for these too, but for what pages have stored.
BROWSER: Final[dict[str, Method]] = {
    "newContext": Method(
        (),
        {
            "baseURL": text,
            "colorScheme": _OPTIONS["colorScheme"],
            "deviceScaleFactor": between(0.1, 10.0),
            "extraHTTPHeaders": texts_by_name,
            "forcedColors": _OPTIONS["forcedColors"],
            "hasTouch": boolean,
            "isMobile": boolean,
            "javaScriptEnabled": boolean,
            "locale": text,
            "offline": boolean,
            "reducedMotion": _OPTIONS["reducedMotion"],
            "storageState": _STATE,
            "timezoneId": text,
            "userAgent": text,
            "viewport": _SIZE,
        },
        "context",
    ),
}

_ASKED: Final = _does(result="value")
_MARKED: Final = "timeout force noWaitAfter trial position"
LOCATOR: Final[dict[str, Method]] = {
    "click": _does(options=f"{_TOUCH} button clickCount delay"),
    "dblclick": _does(options=f"{_TOUCH} button delay"),
    "hover": _does(options=_TOUCH),
    "tap": _does(options=_TOUCH),
    "check": _does(options=_MARKED),
    "uncheck": _does(options=_MARKED),
    "setChecked": _does(boolean, options=_MARKED),
    "fill": _does(text, options="timeout force noWaitAfter"),
    "clear": _does(options="timeout force noWaitAfter"),
    "type": _does(text, options="timeout delay noWaitAfter"),
    "pressSequentially": _does(text, options="timeout delay noWaitAfter"),
    "press": _does(text, options="timeout delay noWaitAfter"),
    "focus": _does(),
    "blur": _does(),
    "selectText": _does(options="timeout force"),
    "scrollIntoViewIfNeeded": _does(),
    "selectOption": _does(either(text, many(text)), options="timeout force noWaitAfter", result="value"),
    "setInputFiles": _does(payloads, options="timeout noWaitAfter"),
    "dispatchEvent": _does(text, anything, optional=1),
    "screenshot": _does(options=_PICTURE, result="bytes"),
    "waitFor": _does(options="timeout state"),
    "evaluate": _does(text, anything, result="value", optional=1),
    "evaluateAll": _does(text, anything, options="", result="value", optional=1),
    "count": _does(options="", result="value"),
    "boundingBox": _ASKED,
    "textContent": _ASKED,
    "innerText": _ASKED,
    "innerHTML": _ASKED,
    "inputValue": _ASKED,
    "getAttribute": _does(text, result="value"),
    "allTextContents": _does(options="", result="value"),
    "allInnerTexts": _does(options="", result="value"),
    "isVisible": _does(options="", result="value"),
    "isHidden": _does(options="", result="value"),
    "isEnabled": _ASKED,
    "isDisabled": _ASKED,
    "isEditable": _ASKED,
    "isChecked": _ASKED,
    "ariaSnapshot": _ASKED,
}

# Further arguments are looked at by their own code.
RESPONSE: Final[dict[str, Method]] = {
    "body": _does(options="", result="bytes"),
    "text": _does(options="", result="value"),
    "allHeaders": _does(options="", result="value"),
}
DIALOG: Final[dict[str, Method]] = {
    "accept": _does(text, options="", optional=1),
    "dismiss": _does(options=""),
}
DOWNLOAD: Final[dict[str, Method]] = {"bytes": _does(options="", result="bytes"), "cancel": _does(options="")}

_WORDS: Final = either(words, many(words))
_TEXTS: Final[dict[str, Check]] = {"timeout": _MS, "ignoreCase": boolean, "useInnerText": boolean}
_WAIT: Final[dict[str, Check]] = {"timeout": _MS}
_CASE: Final[dict[str, Check]] = {"timeout": _MS, "ignoreCase": boolean}
MATCHERS: Final[dict[str, Method]] = {
    "toBeAttached": Method((), {**_WAIT, "attached": boolean}),
    "toBeChecked": Method((), {**_WAIT, "checked": boolean, "indeterminate": boolean}),
    "toBeDisabled": Method((), _WAIT),
    "toBeEditable": Method((), {**_WAIT, "editable": boolean}),
    "toBeEmpty": Method((), _WAIT),
    "toBeEnabled": Method((), {**_WAIT, "enabled": boolean}),
    "toBeFocused": Method((), _WAIT),
    "toBeHidden": Method((), _WAIT),
    "toBeInViewport": Method((), {**_WAIT, "ratio": between(0.0, 1.0)}),
    "toBeVisible": Method((), {**_WAIT, "visible": boolean}),
    "toContainClass": Method((either(text, many(text)),), _WAIT),
    "toContainText": Method((_WORDS,), _TEXTS),
    "toHaveAccessibleDescription": Method((words,), _CASE),
    "toHaveAccessibleName": Method((words,), _CASE),
    "toHaveAttribute": Method((text, words), _CASE),
    "toHaveClass": Method((_WORDS,), _WAIT),
    "toHaveCount": Method((between(0, 1_000_000),), _WAIT),
    "toHaveCSS": Method((text, words), _WAIT),
    "toHaveId": Method((words,), _WAIT),
    "toHaveJSProperty": Method((text, anything), _WAIT),
    "toHaveRole": Method((text,), _WAIT),
    "toHaveText": Method((_WORDS,), _TEXTS),
    "toHaveValue": Method((words,), _WAIT),
    "toHaveValues": Method((many(words),), _WAIT),
}
PAGE_MATCHERS: Final[dict[str, Method]] = {
    "toHaveTitle": Method((text,), _WAIT),
    "toHaveURL": Method((text,), _CASE),
}
