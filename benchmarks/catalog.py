"""Which engines are compared, how each is installed, and what each cannot do."""

from __future__ import annotations

from dataclasses import dataclass, field
from types import MappingProxyType
from typing import TYPE_CHECKING

from benchmarks.rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Mapping

_NONE: Mapping[str, str] = MappingProxyType({})

OURS = "sandbox"

_QUICKJS_NG = "quickjs-ng==0.17.0.2"

_FORKS = ("fork", "fork_large")
_HELD = ("spawn_snapshot", "spawn_snapshot_large", "copy_large")
_SNAPSHOTS = (*_FORKS, *_HELD, "snapshot", "snapshot_large", "restore", "restore_large")
_FAN_OUT = ("fan_out", "fan_out_calls")
_BUSY = dict.fromkeys((*_FAN_OUT, "idle_rss_10000", "idle_pss_10000"), "each live runtime keeps a core busy")
_NO_SNAPSHOTS = dict.fromkeys(_SNAPSHOTS, "no snapshots of a sandbox that has run")
_NO_TOOLS = {
    "typescript": "JavaScript only",
    **dict.fromkeys(("command_help", "command_eval"), "no command"),
    "first_import": "what one's own start is measured by",
}
_NO_TEMPLATES = {"spawn_template": "nothing to begin with but an empty sandbox"}


@dataclass(frozen=True, slots=True)
class Engine:
    """One engine under measurement.

    Attributes:
        name: What `--engines` and the JSON file call it.
        title: Heading of its column.
        module: Name of its adapter in `benchmarks.engines`.
        requirements: What pip installs into its own environment; empty for the engine of this checkout, which runs in
            the environment the benchmarks run in.
        from_source: Names of distributions that pip must build, never take as a wheel.
        build_environment: Variables set while pip installs.
        live_count: How many sandboxes live at once when their memory is measured; None takes the run's own number.
        lacks: Row id to the reason why this engine cannot be measured there.
        note: How it is used here, for the foot of the report.
        limits: How it is given limits where hostile programs run; empty: it is not there.
    """

    name: str
    title: str
    module: str
    note: str
    limits: str = ""
    requirements: tuple[str, ...] = ()
    from_source: tuple[str, ...] = ()
    build_environment: Mapping[str, str] = field(default_factory=lambda: _NONE)
    live_count: int | None = None
    lacks: Mapping[str, str] = field(default_factory=lambda: _NONE)


ENGINES: tuple[Engine, ...] = (
    Engine(
        name=OURS,
        title="sandbox",
        module="portable",
        note="default limits on, fuel metering included",
        limits="`Limits(memory_bytes=, cpu_seconds=, wall_seconds=)`",
    ),
    Engine(
        name="quickjs-ng",
        title="quickjs-ng -O3",
        module="quickjs_ng",
        requirements=(_QUICKJS_NG,),
        from_source=("quickjs-ng",),
        build_environment=MappingProxyType({"CFLAGS": "-O3"}),
        note="native, built from its sdist with -O3, no limits; containers cross as JSON text",
        limits="`set_memory_limit` and `set_time_limit`, under which it cannot call host functions",
        lacks=MappingProxyType(
            {
                **_NO_SNAPSHOTS,
                **_NO_TOOLS,
                **_NO_TEMPLATES,
                **dict.fromkeys(_FAN_OUT, "no event loop"),
                "bytes_out": "bytes do not convert",
                "bytes_in": "bytes do not convert",
                "large_bytes_out": "bytes do not convert",
                "large_bytes_in": "bytes do not convert",
                "host_call_record": "host functions cannot return objects",
            }
        ),
    ),
    Engine(
        name="quickjs-ng-wheel",
        title="quickjs-ng wheel",
        module="quickjs_ng",
        requirements=(_QUICKJS_NG,),
        note="the same as PyPI has it built; only programs are measured",
        lacks=MappingProxyType({row.id: "as quickjs-ng" for row in ROWS if row.group != "compute"}),
    ),
    Engine(
        name="quickjs-rs",
        title="quickjs-rs",
        module="quickjs_rs",
        requirements=("quickjs-rs==0.2.6", "wasmtime==50.0.1"),
        note="QuickJS in wasm under wasmtime, its default limits on; its snapshots are not compressed",
        lacks=MappingProxyType(dict.fromkeys(_FORKS, "no fork") | {"fan_out": "no timers"} | _NO_TOOLS),
        limits="`Runtime(memory_limit=)` and `new_context(timeout=)`; promises by `eval_async`, whose time leaves out "
        "waits for host functions by design",
    ),
    Engine(
        name="jsrun",
        title="jsrun",
        module="jsrun",
        requirements=("jsrun==0.3.0",),
        live_count=40,
        lacks=MappingProxyType(_NO_SNAPSHOTS | _BUSY | _NO_TOOLS),
        limits="`RuntimeConfig(max_heap_size=, timeout=)`; promises by `eval_async(timeout=)`",
        note="V8, native, no limits (its default); memory at 40 live runtimes, each of which keeps a core busy",
    ),
    Engine(
        name="mini-racer",
        title="mini-racer",
        module="mini_racer",
        requirements=("mini-racer==0.14.1",),
        limits="`set_hard_memory_limit` and `eval(timeout_sec=)`; its host functions are asynchronous only",
        note="V8, native, no limits (its default); containers cross as JSON text",
        lacks=MappingProxyType(
            {
                **_NO_SNAPSHOTS,
                **_NO_TOOLS,
                **_NO_TEMPLATES,
                **dict.fromkeys(_FAN_OUT, "its adapter here has no host functions"),
                "host_calls_1": "host functions are asynchronous only",
                "host_calls_2": "host functions are asynchronous only",
                "host_call": "host functions are asynchronous only",
                "host_call_record": "host functions are asynchronous only",
            }
        ),
    ),
)

BY_NAME: dict[str, Engine] = {engine.name: engine for engine in ENGINES}


def select(engines: str | None, peers: str | None) -> tuple[Engine, ...]:
    """Pick engines by the values of `--engines` and `--peers`.

    Args:
        engines: Comma-separated names, exactly these engines; None leaves the choice to `peers`.
        peers: Comma-separated names beside our own engine; "none", "all", or None for all.

    Returns:
        The engines, in the order of the catalog.

    Raises:
        ValueError: A name is unknown, or both arguments are given.
    """
    if engines is not None and peers is not None:
        raise ValueError("give --engines or --peers, not both")
    if engines is not None:
        names = _names(engines)
    elif peers in (None, "all"):
        names = set(BY_NAME)
    else:
        names = {OURS} | (set() if peers == "none" else _names(peers or ""))
    return tuple(engine for engine in ENGINES if engine.name in names)


def _names(text: str) -> set[str]:
    names = {part.strip() for part in text.split(",")} - {""}
    unknown = names - set(BY_NAME)
    if unknown or not names:
        raise ValueError(
            f"no engine is called {', '.join(sorted(unknown)) or repr(text)}; there are: {', '.join(BY_NAME)}"
        )
    return names
