"""What both faces are made of: the options and the checks. Each face adds how it waits."""

from __future__ import annotations

import weakref
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from os import PathLike
from typing import TYPE_CHECKING, Any, Final, Literal, Protocol, TypeVar, Unpack, cast, overload

from sandbox import _interrupts
from sandbox._built_in import LATE, STEMS, BuiltIn
from sandbox._driver import Driver
from sandbox._entrances import Entrances
from sandbox._operations import Operations
from sandbox._options import (
    Options,
    browser_of,
    check_callable,
    clock_of,
    global_name,
    instances_of,
    locale_of,
    mounts_of,
    network_grant,
    observer_of,
    recording_of,
    sources_of,
    testing_of,
    websocket_grant,
    zone_of,
)
from sandbox._pending import Waiter
from sandbox._restoring import past_of
from sandbox._surface import Surface, own_capabilities
from sandbox.capabilities.console import Console
from sandbox.errors import ConversionError, RunInterrupted
from sandbox.functions import HostFunction
from sandbox.intl import DEFAULT_ZONE
from sandbox.limits import DEFAULT_LIMITS, Limits, OnLimit, Usage

if TYPE_CHECKING:
    from sandbox._option_types import SandboxOptions
    from sandbox._replay.recorder import Recording
    from sandbox._settings import Place
    from sandbox.audit import AuditLog
    from sandbox.browser.grant import Browser
    from sandbox.calls import HookOption
    from sandbox.capabilities import Capability, ConsoleEntry
    from sandbox.capabilities.serve import Serve
    from sandbox.capabilities.testing import SuiteListener
    from sandbox.errors import ErrorDetail
    from sandbox.fetch.grant import Fetch, Handler
    from sandbox.files.contract import FileStore
    from sandbox.limits import CallLimits
    from sandbox.modules.mapping import Modules as ModuleOption
    from sandbox.typescript import TypeScript
    from sandbox.values import HandleOwner
    from sandbox.websocket.grant import Handler as Connect
    from sandbox.websocket.grant import WebSockets

_DEFAULT_LIMITS: Final = DEFAULT_LIMITS
F = TypeVar("F", bound=Callable[..., Any])


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


class Face(Entrances):
    """The part that `Sandbox` and `AsyncSandbox` share."""

    _surface: Surface
    _operations: Operations

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
        browser: Browser | None = None,
        capabilities: Iterable[Capability | Callable[[], Capability]] = (),
        console: Callable[[ConsoleEntry], object] | None = None,
        clock: Literal["real", "virtual"] | None = None,
        clock_resolution_seconds: float | None = None,
        locale: str | None = None,
        time_zone: str | None = None,
        seed: int | None = None,
        error_detail: ErrorDetail = "message",
        on_limit: OnLimit = "keep",
        on_call: HookOption | None = None,
        on_result: HookOption | None = None,
        call_limits: Mapping[str, CallLimits] | None = None,
        audit: AuditLog | Iterable[AuditLog] | None = None,
        record: str | PathLike[str] | None = None,
        remote: Place | None = None,
        testing: bool | SuiteListener | None = None,
        typescript: TypeScript | None = None,
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
            browser: Pages that the guest may use, with Playwright's interface: a `Browser`, which needs the extra
                `browser`. None: there are none.
            capabilities: What else the guest may use, each a `Capability` of this sandbox alone, or a callable that
                makes one.
            console: Gets each console entry, on the thread that runs the guest; None: entries are dropped. What it
                raises ends the run.
            clock: `"real"`, or `"virtual"` for a clock that stands still while the guest runs and jumps to the next
                timer when nothing else is waited for. None: a real one.
            clock_resolution_seconds: Steps of every time the guest can read, and of when its timers fire: a whole
                number of milliseconds, at most an hour. It makes timing attacks harder, on a real clock. None: as fine
                as the machine's clock.
            locale: A language tag, such as `"de-DE"`: what `Intl` and `toLocaleString` use where a program names none.
                None: `"en-US"`. It needs the extra `intl`, without which there is no `Intl`.
            time_zone: The program's local time: a name of the IANA database, such as `"Europe/Berlin"`, or an offset,
                such as `"+05:30"`. None: `"UTC"`.
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
            record: A file to record the sandbox's whole life in; see the method `record`.
            remote: A daemon in one of whose workers the guest runs, as `connect` gives it. None: it runs here.
            testing: Whether programs may import the test environment, as `sandbox:test`; a `SuiteListener` says what
                snapshots are compared with. `sandbox.testing` runs what they declare.
            typescript: How programs and modules in TypeScript and JSX become JavaScript; None: as `TypeScript()` says.

        Raises:
            ArtifactError: The compiled guest is missing or does not fit.
            LimitExceeded: The limits are too small for the guest itself and its globals.
            ValueError: An option has no such value.
            UsageError: There is no data of locales for the option `locale`, or no library for the option `fetch` or
                `websocket`; or a capability serves another sandbox.
            TypeError: An option has the wrong type.
            OSError: The file of `record` cannot be made.
            ConversionError: A global cannot be converted (on the asynchronous face, when it is entered).
        """
        options = Options(
            limits=limits,
            functions=functions,
            globals=globals,
            modules=modules,
            fetch=fetch,
            websocket=websocket,
            files=files,
            browser=browser,
            capabilities=capabilities,
            console=console,
            clock=clock,
            clock_resolution_seconds=clock_resolution_seconds,
            locale=locale,
            time_zone=time_zone,
            seed=seed,
            error_detail=error_detail,
            on_limit=on_limit,
            on_call=on_call,
            on_result=on_result,
            call_limits=call_limits,
            audit=audit,
            record=record,
            remote=remote,
            testing=testing,
            typescript=typescript,
        )
        self._make(options, None)

    __init__.__qualname__ = "Sandbox"  # in Python's own words about options that do not exist

    def _make(self, options: Options, given: object) -> None:
        """Make the sandbox, a new one or a later life of another."""
        limits = _DEFAULT_LIMITS if options.limits is None else options.limits
        surface, observer = Surface(options.checked_values(limits)), observer_of(options)
        if observer is not None:
            surface.name()
        own = own_capabilities(options.capabilities, STEMS) if options.capabilities else ()
        for capability in own:
            surface.add(capability)
        make_instance = instances_of(options, limits)
        past = None if given is None else past_of(given, surface.values, limits)
        time = clock_of(past, options.clock, options.clock_resolution_seconds)
        zone, tag = zone_of(past, options.time_zone), locale_of(past, options.locale)
        zone_name = zone.name if zone else DEFAULT_ZONE
        self._surface, self._is_observed = surface, observer is not None
        self._options = options
        self._closed = False
        entries = Console(options.console, limits.output_bytes)
        mounts = mounts_of(options.files)
        tests, shown = testing_of(options.testing), browser_of(options.browser)
        if shown is not None:
            surface.entries["<browser>"] = "browser.expose"
        if past is not None:
            surface.leave_out(past.state.names)
        face = weakref.ref(self)  # what answers fetches goes on on the event loop, and must not keep the sandbox
        built_in = BuiltIn(
            lambda: self._driver,
            lambda ns: _charge(face(), ns),
            fetch=network_grant(options.fetch),
            finders=sources_of(
                options.modules,
                has_files=mounts is not None,
                has_tests=tests is not None,
                has_browser=shown is not None,
            ),
            locale=tag,
            mounts=mounts,
            seed=options.seed,
            websocket=websocket_grant(options.websocket),
            zone=zone_name,
        )
        runner = self._make_runner()
        with _interrupts.Deferral():
            optional = (*(() if tests is None else (tests,)), *(() if shown is None else (shown,)))
            self._operations = operations = Operations(
                (entries, *optional, *own), self._handle_owner(), limits.handles, LATE, built_in.make
            )
            surface.enter(operations)
            self._driver = Driver(
                limits,
                operations,
                entries,
                time,
                runner,
                seed=options.seed,
                has_locales=tag is not None,
                locale=tag,
                zone_name=zone_name,
                past=past,
                zone=zone.table() if zone else b"",
                error_detail=options.error_detail,
                on_limit=options.on_limit,
                observer=observer,
                on_poll=runner.on_poll,
                call_host=runner.call_host,
                start_in_turn=runner.start_in_turn,
                make_instance=make_instance,
            )
            self._driver.typescript = options.typescript
            runner.attach(self._driver)
            self._begin()

    @property
    def _serve(self) -> Serve:
        """The requests that the guest answers."""
        return cast("Serve", self._operations.granted.of("serve"))

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
        state = "closed" if self._closed else self._driver.guest.state
        return f"<{type(self).__name__} {state}>"

    def interrupt(self) -> None:
        """End every run in progress: each raises `RunInterrupted`, and the sandbox can be used again.

        A guest that computes stops at its next poll, milliseconds later; a run that waits stops at once, and its host
        calls are cancelled. A plain function of the host is not interrupted, its run ends when it returns. Nothing
        happens when nothing runs. For a `Sandbox` any thread may call it, and signal handlers; for an `AsyncSandbox`
        the thread of its event loop, where cancelling a task ends only what that task asked for.
        """
        self._driver.stop(RunInterrupted())

    def limit_heap(self, heap_bytes: int | None) -> None:
        """Hold the guest's heap, from its next allocation on, to less than `Limits.memory_bytes` has room for.

        Args:
            heap_bytes: What the engine's heap may hold, as `Usage.heap_bytes` counts it; less than there is in use
                fails the next allocation. None: all that there is room for.

        Raises:
            TypeError: It is no int.
            ValueError: It is less than 1.
            SandboxClosed: The sandbox is closed.
        """
        self._check_call(None)
        if heap_bytes is not None:
            if isinstance(heap_bytes, bool) or not isinstance(heap_bytes, int):
                raise TypeError(f"heap_bytes must be an int or None, not {type(heap_bytes).__name__}")
            if heap_bytes < 1:
                raise ValueError(f"heap_bytes must be at least 1, not {heap_bytes:,}")
        self._driver.guest.instance.limit_heap(heap_bytes)

    def _record(self, path: str | PathLike[str], max_bytes: int | None) -> Recording:
        recording = recording_of(path, self.limits, max_bytes)
        try:
            self._driver.move(recording.make_instance)
        except BaseException:
            recording.stop()
            raise
        return recording

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
            check_callable(function, "a function")
            key = name if name is not None else global_name(function)
            if not key:
                raise ValueError("a callable without a name of its own needs name=")
            self._check_call(None)
            value = HostFunction(function, wait=True) if wait else function
            if self._is_observed:
                surface = Surface({key: value})
                surface.name()
                surface.enter(self._operations)
            self._driver.define_later(key, value)
            return function

        return bind if function is None else bind(function)


class _Checked(Exception):
    """All options are right."""


class _Check(Face):
    """Goes as far as to check its options."""

    def _make_runner(self) -> Runner:
        raise _Checked


def check_options(**options: Unpack[SandboxOptions]) -> None:
    """Check options as a sandbox does, without making one.

    Raises:
        BaseException: As the constructor, but for what only the guest can tell: whether the limits are too small for
            it, and whether the globals can be converted.
    """
    with suppress(_Checked):
        _Check(**options)


def _charge(face: Face | None, nanoseconds: int) -> None:
    """Count as time of the guest what the host has computed for it."""
    if face is not None:
        face._driver.guest.instance.charge(nanoseconds, nanoseconds)


def at_value(error: ConversionError) -> ConversionError:
    """What cannot cross of an iterator's step is named as seen from the value."""
    return ConversionError("$" + error.path.removeprefix("$[1]"), error.reason) if error.path[:4] == "$[1]" else error
