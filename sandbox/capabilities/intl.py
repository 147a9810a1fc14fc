"""Intl: what the guest asks of locales and time zones. `sandbox.intl` answers; it is imported when first asked."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, ClassVar, Final

from sandbox.capabilities.base import Capability, Handler, Malformed

_QUESTIONS: Final = ("defaults", "locale", "likely", "zone", "describe", "format", "compare", "supported")


class Intl(Capability):
    """Serves the guest's Intl. Nothing is kept of what it asks for: a formatter is a text that it sends along."""

    stem: ClassVar[str] = "intl"
    titles: ClassVar[Mapping[str, str]] = {name: f"Intl.{name}" for name in _QUESTIONS}
    quiet: ClassVar[frozenset[str]] = frozenset(_QUESTIONS)

    def __init__(self, locale: str | None, time_zone: str, charge: Callable[[int], object]) -> None:
        """Make the capability.

        Args:
            locale: The one that holds where a program names none; None: there is no data of locales.
            time_zone: Likewise.
            charge: Gets the nanoseconds that an answer took: they are the guest's, which could compute it as well.
        """
        self._charge = charge
        self._defaults = None if locale is None else (locale, time_zone)

    def handlers(self) -> Mapping[str, Handler]:
        """See `Capability`."""
        return {
            "defaults": lambda: self._defaults,
            "locale": lambda tag: self._ask("locale", tag),
            "likely": lambda tag, add: self._ask("likely", tag, add),
            "zone": lambda name: self._ask("zone", name),
            "describe": lambda key: self._ask("describe", key),
            "format": lambda key, parts, first=None, second=None: self._ask("form", key, parts, first, second),
            "compare": lambda key, first, second: self._ask("compare", key, first, second),
            "supported": lambda key: self._ask("supported", key),
        }

    def _ask(self, question: str, *arguments: object) -> Any:  # noqa: ANN401 - any value
        if self._defaults is None:
            raise Malformed("there is no Intl")
        from sandbox.intl import service
        from sandbox.intl.schema import Refused

        answer: Callable[..., Any] = getattr(service, question)
        began = time.perf_counter_ns()
        try:
            return answer(*arguments)
        except Refused as error:
            raise Malformed(str(error)) from None
        except Exception as error:
            raise RuntimeError("the data of this locale does not have what was asked for") from error
        finally:
            self._charge(time.perf_counter_ns() - began)
