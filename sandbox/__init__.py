"""Untrusted JavaScript, safely inside Python.

    from sandbox import Sandbox

    with Sandbox() as box:
        box.eval("[1, 2, 3].map(n => n * 2)")  # [2, 4, 6]

Layers, each importing only downward: faces (`_sandbox`, `cli`) - driver (`_driver`, `_blocking`, `_asynchronous`) -
guest (`_guest`, `_codec`) - instance (`_instance`) - image (`_image`).
"""

import importlib
from typing import TYPE_CHECKING, Any

from sandbox._sandbox import Sandbox
from sandbox.capabilities.base import Capability, Service
from sandbox.capabilities.console import ConsoleEntry
from sandbox.errors import JSError, SandboxError
from sandbox.functions import HostFunction
from sandbox.limits import CallLimits, CallUsage, Limits, Usage
from sandbox.values import (
    URL,
    BigInt,
    Blob,
    File,
    JSAsyncIterator,
    JSFunction,
    JSIterator,
    JSMap,
    JSPromise,
    JSSet,
    RegExp,
    Undefined,
    undefined,
)

__all__ = [
    "URL",
    "Answer",
    "AsyncGlobals",
    "AsyncSandbox",
    "AsyncStream",
    "AuditEntry",
    "AuditLog",
    "BigInt",
    "Blob",
    "Browser",
    "Call",
    "CallEvent",
    "CallLimits",
    "CallUsage",
    "CallbackFiles",
    "Capability",
    "CommentEvent",
    "ConsoleEntry",
    "ConsoleEvent",
    "Deny",
    "DirectoryFiles",
    "Fetch",
    "File",
    "FileStat",
    "FileStore",
    "FsspecFiles",
    "Globals",
    "Headers",
    "HostFunction",
    "JSAsyncIterator",
    "JSError",
    "JSFunction",
    "JSIterator",
    "JSMap",
    "JSPromise",
    "JSSet",
    "Job",
    "JobProgress",
    "JobResult",
    "Limits",
    "MemoryFiles",
    "Moment",
    "Mutation",
    "Namespaces",
    "Outcome",
    "Pause",
    "PausedCall",
    "PendingCall",
    "Pool",
    "PoolStats",
    "Recording",
    "RegExp",
    "Remote",
    "Replay",
    "ReplayEvent",
    "Replayed",
    "Request",
    "Response",
    "Sandbox",
    "SandboxError",
    "Service",
    "Snapshot",
    "Stop",
    "Stream",
    "Template",
    "Undefined",
    "Usage",
    "Variables",
    "WebSockets",
    "Workers",
    "call",
    "call_async",
    "close_default_sandbox",
    "connect",
    "declarations",
    "default_sandbox",
    "eval",
    "eval_async",
    "expose",
    "frozen",
    "map",
    "map_async",
    "preview",
    "replay",
    "set_default_options",
    "undefined",
]


if TYPE_CHECKING:
    from sandbox._async_sandbox import AsyncGlobals, AsyncSandbox
    from sandbox._declarations import declarations
    from sandbox._default import (
        call,
        call_async,
        close_default_sandbox,
        default_sandbox,
        eval,
        eval_async,
        set_default_options,
    )
    from sandbox._globals import Globals
    from sandbox._replay.moments import Moment
    from sandbox._replay.recorder import Recording
    from sandbox._replay.replaying import Replay, Replayed, replay
    from sandbox._replay.timeline import ReplayEvent
    from sandbox._serving import PendingCall
    from sandbox.audit import AuditEntry, AuditLog
    from sandbox.browser.grant import Browser
    from sandbox.calls import Answer, Call, Deny
    from sandbox.context import frozen
    from sandbox.exposure import expose
    from sandbox.fetch.grant import Fetch
    from sandbox.files.callbacks import CallbackFiles
    from sandbox.files.contract import FileStat, FileStore
    from sandbox.files.directory import DirectoryFiles
    from sandbox.files.filesystem import FsspecFiles
    from sandbox.files.memory import MemoryFiles
    from sandbox.http import Headers, Request, Response
    from sandbox.jobs.async_mapping import map_async
    from sandbox.jobs.job import Job, JobResult
    from sandbox.jobs.mapping import map
    from sandbox.jobs.processes import Workers
    from sandbox.jobs.schedule import JobProgress
    from sandbox.outcome import Outcome
    from sandbox.pause import Pause, PausedCall
    from sandbox.pool.namespaces import Namespaces
    from sandbox.pool.pool import Pool, PoolStats
    from sandbox.pool.template import Template
    from sandbox.previews import preview
    from sandbox.remote.connecting import Remote, connect
    from sandbox.snapshot import Snapshot
    from sandbox.stop import Stop
    from sandbox.stream import AsyncStream, Stream
    from sandbox.trace import CallEvent, CommentEvent, ConsoleEvent, Mutation, Variables
    from sandbox.websocket.grant import WebSockets

_LATE = {
    "Answer": "sandbox.calls",
    "AsyncGlobals": "sandbox._async_sandbox",
    "AsyncSandbox": "sandbox._async_sandbox",
    "AsyncStream": "sandbox.stream",
    "AuditEntry": "sandbox.audit",
    "AuditLog": "sandbox.audit",
    "Browser": "sandbox.browser.grant",
    "Call": "sandbox.calls",
    "CallEvent": "sandbox.trace",
    "CommentEvent": "sandbox.trace",
    "ConsoleEvent": "sandbox.trace",
    "Deny": "sandbox.calls",
    "CallbackFiles": "sandbox.files.callbacks",
    "DirectoryFiles": "sandbox.files.directory",
    "Fetch": "sandbox.fetch.grant",
    "FileStat": "sandbox.files.contract",
    "FileStore": "sandbox.files.contract",
    "FsspecFiles": "sandbox.files.filesystem",
    "Globals": "sandbox._globals",
    "Headers": "sandbox.http",
    "MemoryFiles": "sandbox.files.memory",
    "Moment": "sandbox._replay.moments",
    "Mutation": "sandbox.trace",
    "Namespaces": "sandbox.pool.namespaces",
    "PendingCall": "sandbox._serving",
    "Pool": "sandbox.pool.pool",
    "PoolStats": "sandbox.pool.pool",
    "Recording": "sandbox._replay.recorder",
    "Remote": "sandbox.remote.connecting",
    "Replay": "sandbox._replay.replaying",
    "ReplayEvent": "sandbox._replay.timeline",
    "Replayed": "sandbox._replay.replaying",
    "Request": "sandbox.http",
    "Job": "sandbox.jobs.job",
    "JobProgress": "sandbox.jobs.schedule",
    "JobResult": "sandbox.jobs.job",
    "Outcome": "sandbox.outcome",
    "Pause": "sandbox.pause",
    "PausedCall": "sandbox.pause",
    "Response": "sandbox.http",
    "Snapshot": "sandbox.snapshot",
    "Stop": "sandbox.stop",
    "Stream": "sandbox.stream",
    "Template": "sandbox.pool.template",
    "Variables": "sandbox.trace",
    "WebSockets": "sandbox.websocket.grant",
    "Workers": "sandbox.jobs.processes",
    "call": "sandbox._default",
    "call_async": "sandbox._default",
    "close_default_sandbox": "sandbox._default",
    "default_sandbox": "sandbox._default",
    "eval": "sandbox._default",
    "eval_async": "sandbox._default",
    "set_default_options": "sandbox._default",
    "connect": "sandbox.remote.connecting",
    "declarations": "sandbox._declarations",
    "expose": "sandbox.exposure",
    "frozen": "sandbox.context",
    "preview": "sandbox.previews",
    "map": "sandbox.jobs.mapping",
    "map_async": "sandbox.jobs.async_mapping",
    "replay": "sandbox._replay.replaying",
}
# What IPython asks a package for that it loads as an extension.
_EXTENSION = frozenset({"load_ipython_extension", "unload_ipython_extension"})


def __getattr__(name: str) -> Any:  # noqa: ANN401 - some class
    """Load what many programs do without when it is first used; the asynchronous face brings an event loop library."""
    if name in _LATE:
        globals()[name] = value = getattr(importlib.import_module(_LATE[name]), name)
        return value
    if name in _EXTENSION:  # `%load_ext sandbox`
        return getattr(importlib.import_module("sandbox.integrations.jupyter"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
