"""What the options of a sandbox mean, and what is wrong with them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal

from sandbox._abi import Clock as ClockKind
from sandbox._clock import Clock, make_clock
from sandbox._records import record, replace
from sandbox.errors import SnapshotError, UsageError
from sandbox.functions import HostFunction
from sandbox.intl import DEFAULT_LOCALE, DEFAULT_ZONE, INSTALL, has_locales
from sandbox.limits import Limits

if TYPE_CHECKING:
    from sandbox._lives import OnPending, Past
    from sandbox._observer import Observer
    from sandbox._replay.recorder import Recording
    from sandbox._settings import MakeInstance, Place
    from sandbox.audit import AuditLog
    from sandbox.browser.grant import Browser
    from sandbox.calls import HookOption
    from sandbox.capabilities import Capability, ConsoleEntry
    from sandbox.capabilities.browser import BrowserCapability
    from sandbox.capabilities.testing import SuiteListener, TestingCapability
    from sandbox.errors import ErrorDetail
    from sandbox.fetch.grant import Fetch, Handler
    from sandbox.files.contract import FileStore
    from sandbox.files.mounts import Mounts
    from sandbox.intl.zones import Zone
    from sandbox.limits import CallLimits, OnLimit
    from sandbox.modules.mapping import Finder
    from sandbox.modules.mapping import Modules as ModuleOption
    from sandbox.typescript import TypeScript
    from sandbox.websocket.grant import Handler as Connect
    from sandbox.websocket.grant import WebSockets


@record(slots=True, kw_only=True)
class Options:
    """The options of a sandbox as they were given; see `Sandbox`."""

    limits: Limits | None = None
    functions: Mapping[str, Callable[..., Any]] | None = None
    globals: Mapping[str, Any] | None = None
    modules: ModuleOption | Sequence[ModuleOption] | None = None
    fetch: Fetch | Handler | None = None
    websocket: WebSockets | Connect | None = None
    files: FileStore | Mapping[str, FileStore] | None = None
    browser: Browser | None = None
    capabilities: Iterable[Capability | Callable[[], Capability]] = ()
    console: Callable[[ConsoleEntry], object] | None = None
    clock: Literal["real", "virtual"] | None = None
    clock_resolution_seconds: float | None = None
    locale: str | None = None
    time_zone: str | None = None
    seed: int | None = None
    error_detail: ErrorDetail = "message"
    on_limit: OnLimit = "keep"
    on_call: HookOption | None = None
    on_result: HookOption | None = None
    call_limits: Mapping[str, CallLimits] | None = None
    audit: AuditLog | Iterable[AuditLog] | None = None
    record: str | PathLike[str] | None = None
    remote: Place | None = None
    testing: bool | SuiteListener | None = None
    typescript: TypeScript | None = None

    def checked_values(self, limits: Limits) -> dict[str, Any]:
        """The globals and functions, after a look at this and other options.

        Raises:
            TypeError: An option has the wrong type.
            ValueError: An option has no such value.
        """
        if not isinstance(limits, Limits):
            raise TypeError(f"limits must be Limits or None, not {type(limits).__name__}")
        functions, values = self.functions or {}, self.globals or {}
        if functions or values:
            for option, names in (("functions", functions), ("globals", values)):
                if not isinstance(names, Mapping):
                    raise TypeError(f"{option} must be a mapping of names, not {type(names).__name__}")
                check_names(option, names)
            for name, function in functions.items():
                check_callable(function, f"functions[{name!r}]", "; give objects and namespaces as globals")
        if self.console is not None:
            check_callable(self.console, "console")
        if self.error_detail not in ("class", "message", "traceback"):
            raise ValueError(f'error_detail must be "class", "message" or "traceback", not {self.error_detail!r}')
        if self.on_limit not in ("keep", "poison", "rollback"):
            raise ValueError(f'on_limit must be "keep", "poison" or "rollback", not {self.on_limit!r}')
        if self.typescript is not None:
            from sandbox.typescript import TypeScript

            if not isinstance(self.typescript, TypeScript):
                raise TypeError(f"typescript must be TypeScript or None, not {type(self.typescript).__name__}")
        if self.seed is not None and (isinstance(self.seed, bool) or not isinstance(self.seed, int)):
            raise TypeError(f"seed must be an int or None, not {type(self.seed).__name__}")
        return {**values, **functions}

    def of_twin(self) -> Options:
        """Those that a twin is not born with."""
        return replace(
            self,
            functions=None,
            globals=None,
            capabilities=(),
            clock=None,
            clock_resolution_seconds=None,
            locale=None,
            time_zone=None,
            seed=None,
            record=None,
        )


Options.__init__.__qualname__ = "Sandbox"  # as its constructor, for `restore` and whatever else takes them all


def network_grant(option: object) -> Fetch | None:
    """The grant of an option; None: there is no network."""
    if option is None:
        return None
    from sandbox.fetch import INSTALL, has_http  # most programs do without
    from sandbox.fetch.grant import grant_of

    grant = grant_of(option)
    if grant.transport is None and not has_http():
        raise UsageError(f"fetch needs an HTTP library: {INSTALL}")
    return grant


def websocket_grant(option: object) -> WebSockets | None:
    """Likewise of WebSockets."""
    if option is None:
        return None
    from sandbox.websocket import INSTALL, has_websockets
    from sandbox.websocket.grant import grant_of

    grant = grant_of(option)
    if grant.transport is None and not has_websockets():
        raise UsageError(f"websocket needs a library: {INSTALL}")
    return grant


def mounts_of(option: object) -> Mounts | None:
    """The stores of an option; None: there are no files."""
    if option is None:
        return None
    from sandbox.files import mounts  # most programs do without

    return mounts.mounts_of(option)


def sources_of(
    option: ModuleOption | Sequence[ModuleOption] | None, *, has_files: bool, has_tests: bool, has_browser: bool
) -> tuple[Finder, ...]:
    """What finds modules: the embedder's, before those of the bindings that a guest with files may import.

    Before all of them those of the test environment, since a runner that is installed as a package is none for a guest,
    and of the browser.
    """
    found = () if option is None else _finders_of(option)
    if not has_files and not has_tests and not has_browser:
        return found
    from sandbox.modules.builtin import BROWSER, FILES, TESTING, builtin  # most programs do without

    first = (builtin(TESTING),) * has_tests + (builtin(BROWSER),) * has_browser
    last = (builtin(FILES),) if has_files else ()
    return *first, *found, *last


def _finders_of(option: ModuleOption | Sequence[ModuleOption]) -> tuple[Finder, ...]:
    from sandbox.modules.mapping import finders  # many programs have no modules

    return tuple(finders(option))


def browser_of(option: object) -> BrowserCapability | None:
    """What serves a browser; None: there is none."""
    if option is None:
        return None
    from sandbox.browser.grant import grant_of  # most programs do without
    from sandbox.capabilities.browser import BrowserCapability

    return BrowserCapability(grant_of(option))


def testing_of(option: object) -> TestingCapability | None:
    """What serves the test environment; None: there is none."""
    if option is None or option is False:
        return None
    from sandbox.capabilities.testing import SuiteListener, TestingCapability  # most programs do without

    if option is not True and not isinstance(option, SuiteListener):
        raise TypeError(f"testing must be a bool or a SuiteListener, not {type(option).__name__}")
    return TestingCapability(None if option is True else option)


def observer_of(options: Options) -> Observer | None:
    """What watches the calls of the host; None: nothing does."""
    on_call, on_result, call_limits, audit = options.on_call, options.on_result, options.call_limits, options.audit
    if on_call is None and on_result is None and call_limits is None and audit is None:
        return None
    from sandbox import _observer  # most programs do without

    return _observer.observer_of(on_call, on_result, call_limits, audit)


def recording_of(path: str | PathLike[str], limits: Limits, max_bytes: int | None = None) -> Recording:
    """A record in a file, which is made."""
    from sandbox._replay import recorder  # most programs do without

    return recorder.Recording(path, limits, recorder.MAX_BYTES if max_bytes is None else max_bytes)


def instances_of(options: Options, limits: Limits) -> MakeInstance | None:
    """What makes the instance; None: it is an ordinary one."""
    if options.remote is None:
        return None if options.record is None else recording_of(options.record, limits).make_instance
    if options.record is not None:
        raise UsageError("the guest of a remote sandbox cannot be recorded here")
    if not callable(getattr(options.remote, "instances", None)):
        raise TypeError(f"remote must be what connect() gives, or None, not {type(options.remote).__name__}")
    return options.remote.instances()


def check_pending(pending: Any) -> OnPending:  # noqa: ANN401 - what is checked
    """The option of that name.

    Raises:
        ValueError: There is no such value.
    """
    if pending not in ("call", "hold"):
        raise ValueError(f'pending must be "call" or "hold", not {pending!r}')
    return pending  # type: ignore[no-any-return] # it is one of them


def clock_of(past: Past | None, kind: object, resolution_seconds: object) -> Clock:
    """The clock of the options, or the one of the past, at its time."""
    if past is None:
        return make_clock("real" if kind is None else kind, resolution_seconds)
    if kind is None:
        kind = "real" if past.state.clock == ClockKind.REAL else "virtual"
    if resolution_seconds is None and kind == "real" and past.state.resolution_ms:
        resolution_seconds = past.state.resolution_ms / 1000
    return make_clock(kind, resolution_seconds, past.state.now_ms)


def zone_of(past: Past | None, name: object) -> Zone | None:
    """The time zone of an option, or the one of the past, which the guest has in its memory; None: UTC."""
    if past is None:
        return zone_named(DEFAULT_ZONE if name is None else name)
    try:
        before = zone_named(past.state.time_zone)
    except ValueError:
        from sandbox._brief import brief

        raise SnapshotError(f"its time zone is not known here: {brief(past.state.time_zone)}") from None
    if name is not None and zone_named(name) != before:
        raise ValueError(f"a restored sandbox stays in its time zone, {past.state.time_zone!r}")
    return before


def locale_of(past: Past | None, tag: object) -> str | None:
    """The locale of an option, or the one of the past."""
    if past is None or tag is not None or not has_locales():
        return locale_named(tag)
    try:
        return locale_named(past.state.locale)
    except ValueError:
        from sandbox._brief import brief

        raise SnapshotError(f"its locale is not known here: {brief(past.state.locale)}") from None


def zone_named(name: object) -> Zone | None:
    """The time zone of an option; None: UTC."""
    if name == DEFAULT_ZONE:
        return None
    if not isinstance(name, str):
        raise TypeError(f"time_zone must be a str, not {type(name).__name__}")
    from sandbox.intl import zones

    zone = zones.named(name)
    if zone is None:
        advice = "" if zones.names() else f"; the system has no time zones: {INSTALL}"
        raise ValueError(f"time_zone must be an IANA name or an offset such as '+05:30', not {name!r}{advice}")
    return None if zone is zones.UTC else zone


def locale_named(tag: object) -> str | None:
    """The locale of an option, in its canonical form; None: there is no data of locales."""
    if tag is None:
        return DEFAULT_LOCALE if has_locales() else None
    if not isinstance(tag, str):
        raise TypeError(f"locale must be a str or None, not {type(tag).__name__}")
    if not has_locales():
        raise UsageError(f"locale needs the data of locales: {INSTALL}")
    from sandbox.intl import data, tags

    parsed = tags.parse(tag)
    if parsed is None or data.match(parsed) is None:
        raise ValueError(f"locale must be a language tag that there is data for, such as 'de-DE', not {tag!r}")
    return str(parsed)


def check_names(option: str, names: Iterable[object]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"the names in {option} must be str, not {type(name).__name__}")


def global_name(function: Callable[..., Any]) -> str:
    """The name a callable goes by in its own program; what was made from another callable has none."""
    if isinstance(function, HostFunction):
        return function.name or global_name(function.function)
    name = getattr(function, "__name__", "")
    return name if isinstance(name, str) and name != "<lambda>" else ""


def check_callable(function: object, what: str, advice: str = "") -> None:
    if not callable(function):
        raise TypeError(f"{what} must be callable, not {type(function).__name__}{advice}")
