"""The options of a sandbox, as a type."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from os import PathLike
from typing import TYPE_CHECKING, Any, Literal, TypedDict

if TYPE_CHECKING:
    from sandbox._settings import Place
    from sandbox.audit import AuditLog
    from sandbox.browser.grant import Browser
    from sandbox.calls import HookOption
    from sandbox.capabilities import Capability, ConsoleEntry
    from sandbox.capabilities.testing import SuiteListener
    from sandbox.errors import ErrorDetail
    from sandbox.fetch.grant import Fetch, Handler
    from sandbox.files.contract import FileStore
    from sandbox.limits import CallLimits, Limits, OnLimit
    from sandbox.modules.mapping import Modules as ModuleOption
    from sandbox.typescript import TypeScript
    from sandbox.websocket.grant import Handler as Connect
    from sandbox.websocket.grant import WebSockets


class SandboxOptions(TypedDict, total=False):
    """The options of a sandbox, for what takes them all and hands them on; see `Sandbox`."""

    limits: Limits | None
    functions: Mapping[str, Callable[..., Any]] | None
    globals: Mapping[str, Any] | None
    modules: ModuleOption | Sequence[ModuleOption] | None
    fetch: Fetch | Handler | None
    websocket: WebSockets | Connect | None
    files: FileStore | Mapping[str, FileStore] | None
    browser: Browser | None
    capabilities: Iterable[Capability | Callable[[], Capability]]
    console: Callable[[ConsoleEntry], object] | None
    clock: Literal["real", "virtual"] | None
    clock_resolution_seconds: float | None
    locale: str | None
    time_zone: str | None
    seed: int | None
    error_detail: ErrorDetail
    on_limit: OnLimit
    on_call: HookOption | None
    on_result: HookOption | None
    call_limits: Mapping[str, CallLimits] | None
    audit: AuditLog | Iterable[AuditLog] | None
    record: str | PathLike[str] | None
    remote: Place | None
    testing: bool | SuiteListener | None
    typescript: TypeScript | None
