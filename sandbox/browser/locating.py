"""Locators, as a guest describes them: steps from a page, which mean elements only when something is done with them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sandbox.browser.failures import wrong
from sandbox.browser.values import Check, between, boolean, number, options_of, snake, text, words

_MOST_STEPS: Final = 64
_MOST_NESTED: Final = 4

_EXACT: Final[dict[str, Check]] = {"exact": boolean}
_ROLE: Final[dict[str, Check]] = {
    "checked": boolean,
    "disabled": boolean,
    "exact": boolean,
    "expanded": boolean,
    "includeHidden": boolean,
    "level": between(1, 100),
    "name": words,
    "pressed": boolean,
    "selected": boolean,
}
_BY: Final[dict[str, tuple[Check, dict[str, Check]]]] = {
    "getByRole": (text, _ROLE),
    "getByText": (words, _EXACT),
    "getByLabel": (words, _EXACT),
    "getByPlaceholder": (words, _EXACT),
    "getByAltText": (words, _EXACT),
    "getByTitle": (words, _EXACT),
    "getByTestId": (words, {}),
    "frameLocator": (text, {}),
    "nth": (number, {}),
}
_FILTERS: Final[dict[str, Check]] = {"hasText": words, "hasNotText": words, "visible": boolean}
# Playwright's names in Python are those in snake case, but for these; what is not called is a property.
_PROPERTIES: Final = frozenset({"first", "last", "contentFrame"})


def locate(page: Any, steps: object, *, nested: int = 0) -> Any:  # noqa: ANN401 - Playwright's objects
    """Make the locator that some steps describe.

    Args:
        page: What it begins at.
        steps: A list of `[name, argument, options]`, as the guest sent it.
        nested: How many locators it is part of.

    Raises:
        JSError: They describe none.
    """
    if not isinstance(steps, list) or not 0 < len(steps) <= _MOST_STEPS or nested > _MOST_NESTED:
        raise wrong(f"a locator has 1 to {_MOST_STEPS} steps, and {_MOST_NESTED} locators in it")
    at = page
    for step in steps:
        if not isinstance(step, list) or len(step) != 3 or not isinstance(step[0], str):
            raise wrong("a step of a locator has a name, an argument and options")
        name, argument, options = step
        at = _step(page, at, name, argument, options, nested)
    return at


def _step(page: Any, at: Any, name: str, argument: object, options: object, nested: int) -> Any:  # noqa: ANN401 - the same
    if name in _PROPERTIES:
        if not hasattr(at, snake(name)):
            raise wrong(f"{name} is not of this object")
        return getattr(at, snake(name))
    if name in ("and", "or"):
        return getattr(at, snake(name))(locate(page, argument, nested=nested + 1))
    if name in ("locator", "filter"):
        taken = _filters(page, options, name, nested)
        if name == "filter":
            return at.filter(**taken)
        taken.pop("visible", None)
        inner = locate(page, argument, nested=nested + 1) if isinstance(argument, list) else text(argument, name)
        return at.locator(inner, **taken)
    known = _BY.get(name)
    if known is None or not hasattr(at, snake(name)):
        raise wrong(f"there is no locator {name[:50]!r} of this object")
    check, allowed = known
    given = check(argument, name)
    return getattr(at, snake(name))(int(given) if name == "nth" else given, **options_of(options, allowed, name))


def _filters(page: Any, options: object, method: str, nested: int) -> dict[str, Any]:  # noqa: ANN401 - the same
    if not isinstance(options, Mapping):
        return {}
    plain = {key: value for key, value in options.items() if key not in ("has", "hasNot")}
    taken = options_of(plain, _FILTERS, method)
    for key in ("has", "hasNot"):
        if key in options:
            taken[snake(key)] = locate(page, options[key], nested=nested + 1)
    return taken
