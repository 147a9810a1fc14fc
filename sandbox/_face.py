"""What both faces are made of: the options and the checks. Each face adds how it waits."""

from __future__ import annotations

import math
import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, overload

from sandbox import _interrupts
from sandbox._clock import VirtualClock, make_clock
from sandbox._driver import Driver
from sandbox._operations import Entry, Operations, title_of
from sandbox._requests import Waiter
from sandbox.capabilities import (
    Capability,
    Console,
    ConsoleEntry,
    Crypto,
    FetchCapability,
    FilesCapability,
    Intl,
    Modules,
    Random,
    Timers,
    WebSocketCapability,
)
from sandbox.errors import ConversionError, RunInterrupted, SandboxClosed, UsageError
from sandbox.fetch import INSTALL as INSTALL_FETCH
from sandbox.fetch import has_http
from sandbox.functions import HostFunction
from sandbox.intl import DEFAULT_LOCALE, DEFAULT_ZONE, INSTALL, has_locales
from sandbox.limits import Limits, OnLimit, Usage
from sandbox.modules.mapping import finders
from sandbox.values import HandleOwner, JSFunction
from sandbox.websocket import INSTALL as INSTALL_WEBSOCKET
from sandbox.websocket import has_websockets

if TYPE_CHECKING:
    from sandbox._observer import Observer
    from sandbox._turns import Command
    from sandbox.audit import AuditLog
    from sandbox.calls import HookOption
    from sandbox.errors import ErrorDetail
    from sandbox.fetch.grant import Fetch, Handler
    from sandbox.files.contract import FileStore
    from sandbox.files.mounts import Mounts
    from sandbox.intl.zones import Zone
    from sandbox.limits import CallLimits
    from sandbox.modules.mapping import Finder
    from sandbox.modules.mapping import Modules as ModuleOption
    from sandbox.websocket.grant import Handler as Connect
    from sandbox.websocket.grant import WebSockets

F = TypeVar("F", bound=Callable[..., Any])
_DEFAULT_LIMITS: Final = Limits()
# Levels of objects in a global whose functions have names; what is deeper has its own.
_MOST_NAMED: Final = 4
# Capabilities that serve a sandbox, or did.
_serving: Final[weakref.WeakValueDictionary[int, Capability]] = weakref.WeakValueDictionary()


class Runner(Waiter, Protocol):
    """How a face takes steps."""

    def attach(self, driver: Driver) -> None:
        """Say whose runs these are."""

    def on_poll(self) -> None:
        """Called regularly while the guest runs."""

    def call_host(self, function: Callable[..., Any], arguments: Sequence[Any]) -> Any:  # noqa: ANN401 - any value
        """Call a host function in the middle of a turn."""

    def start_in_turn(self, awaitable: Awaitable[Any], done: Callable[[Any], None]) -> Callable[[], object]:
        """As `start`, in the middle of a turn and on its thread.

        Raises:
            SandboxBusy: The loop itself waits for this turn.
        """


class Face:
    """The part that `Sandbox` and `AsyncSandbox` share."""

    _driver: Driver

    def __init__(
        self,
        *,
        limits: Limits | None = None,
        functions: Mapping[str, Callable[..., Any]] | None = None,
        globals: Mapping[str, Any] | None = None,
        modules: ModuleOption | Sequence[ModuleOption] | None = None,
        fetch: Fetch | Handler | None = None,
        websocket: WebSockets | Connect | None = None,
        files: FileStore | Mapping[str, FileStore] | None = None,
        capabilities: Iterable[Capability | Callable[[], Capability]] = (),
        console: Callable[[ConsoleEntry], object] | None = None,
        clock: Literal["real", "virtual"] = "real",
        clock_resolution_seconds: float | None = None,
        locale: str | None = None,
        time_zone: str = "UTC",
        seed: int | None = None,
        error_detail: ErrorDetail = "message",
        on_limit: OnLimit = "keep",
        on_call: HookOption | None = None,
        on_result: HookOption | None = None,
        call_limits: Mapping[str, CallLimits] | None = None,
        audit: AuditLog | Iterable[AuditLog] | None = None,
    ) -> None:
        """Make a sandbox.

        Args:
            limits: Its budgets; the defaults of `Limits` when None.
            functions: Host functions, by the name of the global that the guest calls. An `async def` gives the guest a
                promise; any other callable answers at once. `HostFunction` has options for one of them. What they
                raise becomes an Error of the guest, unless it is no `Exception`, such as `KeyboardInterrupt`: that ends
                the run.
            globals: Values to set as globals first, by name.
            modules: What `import` finds: a mapping of names to sources, a loader, which is called with a specifier and
                its `Importer` and may be an `async def`, a `ModuleResolver`, or a sequence of these, of which the first
                that knows a specifier serves it.
            fetch: Which network requests the guest may make: a `Fetch`, which needs the extra `fetch`. Or a function,
                plain or `async def`, that answers all of them: it takes a `Request` and gives a `Response`. None: the
                guest has no network.
            websocket: Which WebSockets the guest may open: a `WebSockets`, which needs the extra `websocket`. Or a
                function, plain or `async def`, that gives the connections: it takes a URL and a list of subprotocols,
                and gives a connection or None. None: every WebSocket fails.
            files: The files of the guest: a store, such as `MemoryFiles()` or `DirectoryFiles("data")`, or a mapping of
                absolute paths to stores. None: the guest has no files.
            capabilities: What else the guest may use, each a `Capability` of this sandbox alone, or a callable that
                makes one.
            console: Gets each console entry, on the thread that runs the guest; None: entries are dropped. What it
                raises ends the run.
            clock: `"real"`, or `"virtual"` for a clock that stands still while the guest runs and jumps to the next
                timer when nothing else is waited for.
            clock_resolution_seconds: Steps of every time the guest can read, and of when its timers fire: a whole
                number of milliseconds, at most an hour. It makes timing attacks harder, on a real clock. None: as fine
                as the machine's clock.
            locale: A language tag, such as `"de-DE"`: what `Intl` and `toLocaleString` use where a program names none.
                None: `"en-US"`. It needs the extra `intl`, without which there is no `Intl`.
            time_zone: The program's local time: a name of the IANA database, such as `"Europe/Berlin"`, or an offset,
                such as `"+05:30"`.
            seed: Makes `Math.random` and `crypto` repeatable; never for keys. None: real randomness.
            error_detail: What the guest sees of an exception that a host function raises: the `"class"` with a fixed
                text, the `"message"` as well, or a property `traceback` too, for code one trusts. Never a path of the
                host, except in the last case and where a message itself has one.
            on_limit: What becomes of the sandbox when a run ends with `LimitExceeded`. `"keep"`: it can be used, with
                whatever the program had changed by then; where the engine was stopped in the middle of something, as by
                `fuel`, it is poisoned. `"poison"`: it is poisoned, whichever limit it was. `"rollback"`: it is set back
                to what it was before the run, exactly, after a crash of the engine as well (`EngineCrashed`). For that
                each run begins with a copy of the guest's memory, which costs time and at most `memory_bytes`. Runs
                that are in progress at the same time are undone together. What host functions did outside stays done.
            on_call: A hook that is asked before each call of the host, with a `Call`, or hooks by the name of what is
                called, or by patterns of names (`"fetch.*"`). It may return a `Deny`, or an `Answer` to be given in
                place of the function's. It may be an `async def`, for which the call waits and others do not. What it
                raises is no answer: it ends the run and reaches the embedder.
            on_result: Likewise, asked when a call has its answer or its error, which an `Answer` replaces.
            call_limits: What the calls of one run may use, by name or by pattern of names: those that fit a pattern
                share its `CallLimits`. More ends the run with `CallLimitExceeded`.
            audit: Records the calls and how they end: an `AuditLog`, or several.

        Raises:
            ArtifactError: The compiled guest is missing or does not fit.
            LimitExceeded: The limits are too small for the guest itself and its globals.
            ValueError: An option has no such value.
            UsageError: There is no data of locales for the option `locale`, or no library for the option `fetch` or
                `websocket`; or a capability serves another sandbox.
            TypeError: An option has the wrong type.
            ConversionError: A global cannot be converted (on the asynchronous face, when it is entered).
        """
        limits = _DEFAULT_LIMITS if limits is None else limits
        _check_options(limits, functions or {}, globals or {}, console, seed, error_detail, on_limit)
        time = make_clock(clock, clock_resolution_seconds)
        zone = _zone(time_zone)
        intl = Intl(
            _locale(locale), zone.name if zone else DEFAULT_ZONE, lambda ns: self._driver.guest.instance.charge(ns)
        )
        crypto = Crypto(
            lambda ns: self._driver.guest.instance.charge(ns, ns), lambda seconds: self._driver.seconds_left(seconds)
        )
        self._first_globals: dict[str, Any] = {**(globals or {}), **(functions or {})}
        self._first_scripts: dict[str, str] = {}
        self._observer: Observer | None = None
        if on_call is not None or on_result is not None or call_limits is not None or audit is not None:
            from sandbox._observer import observer_of  # most programs do without

            self._observer = observer_of(on_call, on_result, call_limits, audit)
        self._closed = False
        runner = self._make_runner()
        entries = Console(console, limits.output_bytes)
        mounts = _mounts(files)
        sources = finders(modules) if mounts is None else (*finders(modules), _builtin())
        found = Modules(sources, lambda name, code: self._driver.add_source(name, code))
        network = FetchCapability(_grant(fetch))
        sockets = WebSocketCapability(_websocket_grant(websocket))
        built_in = (entries, Timers(), Random(seed), found, network, sockets, FilesCapability(mounts), intl, crypto)
        own = _own_capabilities(capabilities, built_in) if capabilities else ()
        with _interrupts.Deferral():
            self._operations = Operations((*built_in, *own), self._handle_owner(), limits.handles)
            self._enter(own)
            self._driver = Driver(
                limits,
                self._operations,
                entries,
                time,
                runner,
                seed=seed,
                has_locales=has_locales(),
                zone=zone.table() if zone else b"",
                error_detail=error_detail,
                on_limit=on_limit,
                observer=self._observer,
                on_poll=runner.on_poll,
                call_host=runner.call_host,
                start_in_turn=runner.start_in_turn,
            )
            runner.attach(self._driver)
            self._begin()

    def _enter(self, own: Iterable[Capability]) -> None:
        """Say what the first globals are called, and add those of the capabilities."""
        if self._observer is not None:
            for name, value in self._first_globals.items():
                self._name(name, value)
        for capability in own:
            functions = {name: HostFunction(handler, name=name) for name, handler in capability.handlers().items()}
            for name, function in functions.items():
                self._operations.enter(function, Entry(title_of(capability, name), function, capability, name))
            self._first_globals[capability.stem] = functions
            if capability.source:
                # A line of the source is the same line of the script.
                script = f"void ({capability.stem} = ({capability.source}\n)({capability.stem}))"
                self._first_scripts[capability.stem] = script

    def _name(self, name: str, value: object, depth: int = 0) -> None:
        """Say what a global is called in hooks, limits and logs, and the functions in it."""
        if callable(value):
            self._operations.enter(value, Entry(name, value))
        elif isinstance(value, Mapping) and depth < _MOST_NAMED:
            for key, member in value.items():
                self._name(f"{name}.{key}", member, depth + 1)

    def _make_runner(self) -> Runner:
        raise NotImplementedError

    def _handle_owner(self) -> HandleOwner:
        raise NotImplementedError

    def _begin(self) -> None:
        """What is left to do when all is made."""

    @property
    def limits(self) -> Limits:
        """The budgets of this sandbox."""
        return self._driver.limits

    @property
    def usage(self) -> Usage:
        """What it has used so far, as of the end of the last turn: an unchanging record. Any thread."""
        return self._driver.usage()

    @property
    def closed(self) -> bool:
        """Whether the sandbox was closed."""
        return self._closed

    def __repr__(self) -> str:
        state = "closed" if self._closed else self._driver.guest.state.value
        return f"<{type(self).__name__} {state}>"

    # --- what the methods of both faces begin with ---

    def _eval_command(self, code: str, filename: str | None, timeout: float | None, fuel: int | None) -> Command:
        self._check_code(code, filename)
        self._check_call(timeout, fuel)
        return self._driver.eval(code, filename)

    def _module_command(self, code: str, filename: str | None, timeout: float | None, fuel: int | None) -> Command:
        self._check_code(code, filename)
        self._check_call(timeout, fuel)
        return self._driver.module(code, filename)

    def _import_command(self, specifier: str, timeout: float | None, fuel: int | None) -> Command:
        if not isinstance(specifier, str):
            raise TypeError(f"specifier must be a str, not {type(specifier).__name__}")
        self._check_call(timeout, fuel)
        return self._driver.import_module(specifier)

    def _check_code(self, code: str, filename: str | None) -> None:
        if not isinstance(code, str):
            raise TypeError(f"code must be a str, not {type(code).__name__}")
        if filename is not None and not isinstance(filename, str):
            raise TypeError(f"filename must be a str or None, not {type(filename).__name__}")

    def _call_command(
        self,
        function: str | JSFunction,
        args: Sequence[Any],
        this: object,
        timeout: float | None,
        fuel: int | None,
    ) -> Command:
        if not isinstance(function, str | JSFunction):
            raise TypeError(f"function must be a dotted path or a JSFunction, not {type(function).__name__}")
        self._check_call(timeout, fuel)
        return self._driver.call(function, this, args)

    def _check_call(self, timeout: float | None, fuel: int | None = None) -> None:
        if self._closed:
            raise SandboxClosed
        if timeout is not None:
            if isinstance(timeout, bool) or not isinstance(timeout, int | float):
                raise TypeError(f"timeout must be a number of seconds or None, not {type(timeout).__name__}")
            if not 0 < timeout < math.inf:
                raise ValueError(f"timeout must be a positive number of seconds or None, not {timeout!r}")
        if fuel is not None:
            if isinstance(fuel, bool) or not isinstance(fuel, int):
                raise TypeError(f"fuel must be an int or None, not {type(fuel).__name__}")
            if not 0 < fuel < 1 << 63:
                raise ValueError(f"fuel must be a positive int below 2^63 or None, not {fuel!r}")
            if self.limits.metering != "fuel":
                raise ValueError(f'fuel is not counted with metering="{self.limits.metering}"')

    def _check_tick(self, milliseconds: float) -> None:
        self._check_call(None)
        if not isinstance(self._driver.clock, VirtualClock):
            raise TypeError('tick() needs a sandbox with clock="virtual"')
        if isinstance(milliseconds, bool) or not isinstance(milliseconds, int | float):
            raise TypeError(f"milliseconds must be a number, not {type(milliseconds).__name__}")
        if not 0 <= milliseconds < math.inf:
            raise ValueError(f"milliseconds must not be negative, and finite; not {milliseconds!r}")

    def interrupt(self) -> None:
        """End every run in progress: each raises `RunInterrupted`, and the sandbox can be used again.

        A guest that computes stops at its next poll, milliseconds later; a run that waits stops at once, and its host
        calls are cancelled. A plain function of the host is not interrupted, its run ends when it returns. Nothing
        happens when nothing runs. For a `Sandbox` any thread may call it, and signal handlers; for an `AsyncSandbox`
        the thread of its event loop, where cancelling a task ends only what that task asked for.
        """
        self._driver.stop(RunInterrupted())

    # --- functions ---

    @overload
    def function(self, function: F, /, *, name: str | None = None, wait: bool = False) -> F: ...
    @overload
    def function(self, /, *, name: str | None = None, wait: bool = False) -> Callable[[F], F]: ...
    def function(self, function: Any = None, /, *, name: str | None = None, wait: bool = False) -> Any:
        """Make a Python callable a global of the guest, under its own name or another; usable as a decorator.

        The global is there from the next evaluation or call on. It does not wait, so it is the same on both faces.

        Args:
            function: The callable; see `functions` of the constructor.
            name: The global's name.
            wait: Whether the guest waits for what an `async def` answers; see `HostFunction`.

        Returns:
            The callable, unchanged.

        Raises:
            TypeError: It cannot be called.
            ValueError: It has no name of its own, and none was given.
            SandboxClosed: The sandbox is closed.
        """

        def bind(function: F) -> F:
            _check_callable(function, "a function")
            key = name if name is not None else _global_name(function)
            if not key:
                raise ValueError("a callable without a name of its own needs name=")
            self._check_call(None)
            value = HostFunction(function, wait=True) if wait else function
            if self._observer is not None:
                self._name(key, value)
            self._driver.define_later(key, value)
            return function

        return bind if function is None else bind(function)


def at_value(error: ConversionError) -> ConversionError:
    """What cannot cross of an iterator's step is named as seen from the value."""
    return ConversionError("$" + error.path.removeprefix("$[1]"), error.reason) if error.path[:4] == "$[1]" else error


def _check_options(
    limits: object,
    functions: Mapping[str, object],
    values: Mapping[str, object],
    console: object,
    seed: object,
    error_detail: object,
    on_limit: object,
) -> None:
    if not isinstance(limits, Limits):
        raise TypeError(f"limits must be Limits or None, not {type(limits).__name__}")
    for option, names in (("functions", functions), ("globals", values)):
        if not isinstance(names, Mapping):
            raise TypeError(f"{option} must be a mapping of names, not {type(names).__name__}")
        _check_names(option, names)
    for name, function in functions.items():
        _check_callable(function, f"functions[{name!r}]", "; give objects and namespaces as globals")
    if console is not None:
        _check_callable(console, "console")
    if error_detail not in ("class", "message", "traceback"):
        raise ValueError(f'error_detail must be "class", "message" or "traceback", not {error_detail!r}')
    if on_limit not in ("keep", "poison", "rollback"):
        raise ValueError(f'on_limit must be "keep", "poison" or "rollback", not {on_limit!r}')
    if seed is not None and (isinstance(seed, bool) or not isinstance(seed, int)):
        raise TypeError(f"seed must be an int or None, not {type(seed).__name__}")


def _own_capabilities(given: object, built_in: Iterable[Capability]) -> tuple[Capability, ...]:
    if not isinstance(given, Iterable):
        raise TypeError(f"capabilities must be a collection of Capability objects, not {type(given).__name__}")
    taken = {capability.stem for capability in built_in}
    own: list[Capability] = []
    for each in given:
        capability = each if isinstance(each, Capability) or not callable(each) else each()
        if not isinstance(capability, Capability):
            raise TypeError(f"capabilities must be Capability objects, or make some, not {type(capability).__name__}")
        stem = getattr(capability, "stem", None)
        if not isinstance(stem, str) or not stem.isidentifier():
            raise ValueError(f"the stem of a capability must be an identifier, not {stem!r}")
        if stem in taken:
            raise ValueError(f"there is another capability of the name {stem!r}")
        if _serving.get(id(capability)) is capability:
            raise UsageError(f"the capability {stem!r} serves another sandbox; each needs one of its own")
        taken.add(stem)
        own.append(capability)
    _serving.update({id(capability): capability for capability in own})
    return tuple(own)


def _grant(option: object) -> Fetch | None:
    """The grant of an option; None: there is no network."""
    if option is None:
        return None
    from sandbox.fetch.grant import grant_of  # most programs do without

    grant = grant_of(option)
    if grant.transport is None and not has_http():
        raise UsageError(f"fetch needs an HTTP library: {INSTALL_FETCH}")
    return grant


def _websocket_grant(option: object) -> WebSockets | None:
    """Likewise of WebSockets."""
    if option is None:
        return None
    from sandbox.websocket.grant import grant_of

    grant = grant_of(option)
    if grant.transport is None and not has_websockets():
        raise UsageError(f"websocket needs a library: {INSTALL_WEBSOCKET}")
    return grant


def _mounts(option: object) -> Mounts | None:
    """The stores of an option; None: there are no files."""
    if option is None:
        return None
    from sandbox.files.mounts import mounts_of  # most programs do without

    return mounts_of(option)


def _builtin() -> Finder:
    """What finds the modules of the bindings that a guest with files may import."""
    from sandbox.modules.builtin import builtin  # most programs do without

    return builtin({"node:fs/promises", "fs/promises", "node:fs", "fs"})


def _zone(name: object) -> Zone | None:
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


def _locale(tag: object) -> str | None:
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


def _check_names(option: str, names: Iterable[object]) -> None:
    for name in names:
        if not isinstance(name, str):
            raise TypeError(f"the names in {option} must be str, not {type(name).__name__}")


def _global_name(function: Callable[..., Any]) -> str:
    """The name a callable goes by in its own program; what was made from another callable has none."""
    if isinstance(function, HostFunction):
        return function.name or _global_name(function.function)
    name = getattr(function, "__name__", "")
    return name if isinstance(name, str) and name != "<lambda>" else ""


def _check_callable(function: object, what: str, advice: str = "") -> None:
    if not callable(function):
        raise TypeError(f"{what} must be callable, not {type(function).__name__}{advice}")
