"""The capabilities of the package: each is made, and its module imported, when a guest first asks something of it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from sandbox._driver import Driver
    from sandbox.capabilities.base import Capability
    from sandbox.fetch.grant import Fetch
    from sandbox.files.mounts import Mounts
    from sandbox.modules.mapping import Finder
    from sandbox.websocket.grant import WebSockets

LATE: Final = frozenset({"timers", "random", "modules", "fetch", "websocket", "serve", "files", "intl", "crypto"})
STEMS: Final = frozenset({"console"}) | LATE
"""Their names, which no other capability can have."""


class BuiltIn:
    """Makes those of one sandbox, but for its console, which has a part in every turn."""

    __slots__ = ("_charge", "_driver", "_fetch", "_finders", "_locale", "_mounts", "_seed", "_websocket", "_zone")

    def __init__(
        self,
        driver: Callable[[], Driver],
        charge: Callable[[int], object],
        *,
        fetch: Fetch | None,
        finders: tuple[Finder, ...],
        locale: str | None,
        mounts: Mounts | None,
        seed: int | None,
        websocket: WebSockets | None,
        zone: str,
    ) -> None:
        """Take down what they are to be.

        Args:
            driver: Gives the driver of the sandbox, which is made later.
            charge: Counts nanoseconds as time of the guest, as long as there is one; it must not keep the sandbox.
            fetch: Which requests may be made; None: there is no network.
            finders: Who is asked for modules, in order.
            locale: The locale of programs; None: there is no data of locales.
            mounts: The files; None: there are none.
            seed: What makes random numbers repeatable; None: they are not.
            websocket: Which WebSockets may be opened; None: there are none.
            zone: The time zone of programs.
        """
        self._driver, self._charge = driver, charge
        self._fetch, self._finders, self._locale, self._mounts = fetch, finders, locale, mounts
        self._seed, self._websocket, self._zone = seed, websocket, zone

    def make(self, stem: str) -> Capability:
        """Make the one of this name, one of `LATE`."""
        make: Callable[[], Capability] = getattr(self, f"_{stem}_capability")
        return make()

    def _timers_capability(self) -> Capability:
        from sandbox.capabilities.timers import Timers

        return Timers()

    def _random_capability(self) -> Capability:
        from sandbox.capabilities.random import Random

        return Random(self._seed)

    def _modules_capability(self) -> Capability:
        from sandbox.capabilities.modules import Modules

        return Modules(self._finders, lambda *source: self._driver().compile(*source))

    def _fetch_capability(self) -> Capability:
        from sandbox.capabilities.fetch import FetchCapability

        return FetchCapability(self._fetch, self._charge)

    def _websocket_capability(self) -> Capability:
        from sandbox.capabilities.websocket import WebSocketCapability

        return WebSocketCapability(self._websocket)

    def _serve_capability(self) -> Capability:
        from sandbox.capabilities.serve import Serve

        return Serve(lambda job: self._driver().after_turn(job))

    def _files_capability(self) -> Capability:
        from sandbox.capabilities.files import FilesCapability

        return FilesCapability(self._mounts)

    def _intl_capability(self) -> Capability:
        from sandbox.capabilities.intl import Intl

        return Intl(self._locale, self._zone, lambda ns: self._driver().guest.instance.charge(ns))

    def _crypto_capability(self) -> Capability:
        from sandbox.capabilities.crypto import Crypto

        return Crypto(
            lambda ns: self._driver().guest.instance.charge(ns, ns),
            lambda seconds: self._driver().seconds_left(seconds),
        )
