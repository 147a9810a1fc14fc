"""The house is in order: layers import downward only, and every capability has the same stem in every folder."""

from __future__ import annotations

import ast
import re
import tomllib
from functools import cache
from itertools import chain
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PACKAGE = ROOT / "sandbox"

# From the bottom up: a module imports only modules that stand before it. Those of the command are one unit.
LAYERS: dict[str, tuple[str, ...]] = {
    "records": ("_records",),
    "vocabulary": (
        "_abi",
        "_scalars",
        "_collections",
        "_handles",
        "values",
        "_stack",
        "_source_maps",
        "_languages",
        "_brief",
        "_portable",
        "_origins",
        "_causes",
        "pause",
        "errors",
        "_hints",
        "limits",
        "functions",
        "exposure",
        "http",
        "calls",
        "audit",
        "stop",
        "previews",
        "trace",
        "context",
    ),
    "disk": ("_descent",),
    "modules": (
        "modules.source",
        "modules.specifiers",
        "modules.addresses",
        "modules.mapping",
        "modules.builtin",
        "modules.confined",
        "modules.manifest",
        "modules.exports",
        "modules.browser",
        "modules.lookup",
        "modules.syntax",
        "modules.tree",
        "modules.node",
        "modules",
    ),
    "codec": (
        "_pace",
        "_wire",
        "_failures",
        "_leaves",
        "_encode",
        "_cursor",
        "_payloads",
        "_decode",
        "_blobs",
        "_codec",
        "_detached",
        "_labels",
    ),
    "image": ("_wasmtime", "_engine", "_code_cache", "_pages", "_pristine", "_epochs", "_faults", "_image"),
    "instance": ("_callback", "_store", "_layers", "_memory_copy", "_instance"),
    "typescript": ("typescript.module", "typescript"),
    "snapshot": ("_pausing", "_snapshot_state", "_snapshot_format", "snapshot"),
    "record": ("_replay", "_replay.entries", "_replay.files", "_replay.recorder"),
    "guest": ("_events", "_settings", "_guest"),
    "intl": (
        "intl",
        "intl.tags",
        "intl.data",
        "intl.digits",
        "intl.zones",
        "intl.plurals",
        "intl.rounding",
        "intl.patterns",
        "intl.currencies",
        "intl.units",
        "intl.numbers",
        "intl.phrases",
        "intl.skeletons",
        "intl.zone_names",
        "intl.dates",
        "intl.intervals",
        "intl.lists",
        "intl.relative",
        "intl.names",
        "intl.tailorings",
        "intl.collation",
        "intl.schema",
        "intl.service",
    ),
    "crypto": (
        "crypto",
        "crypto.failures",
        "crypto.parameters",
        "crypto.keys",
        "crypto.jwk",
        "crypto.family",
        "crypto.agreement",
        "crypto.aes",
        "crypto.mac",
        "crypto.derivation",
        "crypto.rsa",
        "crypto.curves",
        "crypto.edwards",
        "crypto.waiting",
        "crypto.service",
    ),
    "network": (
        "network",
        "network.addresses",
        "network.urls",
        "network.patterns",
        "network.grant",
        "network.backend",
        "network.tasks",
    ),
    "fetch": (
        "fetch",
        "fetch.failures",
        "fetch.grant",
        "fetch.decoding",
        "fetch.hops",
        "fetch.adapters",
        "fetch.network",
        "fetch.exchange",
        "fetch.exchanges",
    ),
    "websocket": (
        "websocket",
        "websocket.failures",
        "websocket.grant",
        "websocket.connections",
        "websocket.network",
        "websocket.socket",
        "websocket.sockets",
        "websocket.memory",
    ),
    "files": (
        "files",
        "files.failures",
        "files.contract",
        "files.paths",
        "files.memory",
        "files.directory",
        "files.filesystem",
        "files.callbacks",
        "files.mounts",
        "files.staging",
        "files.writables",
        "files.service",
        "files.asking",
    ),
    "browser": (
        "browser.installed",
        "browser.failures",
        "browser.loops",
        "browser.collected",
        "browser.grant",
        "browser.values",
        "browser.methods",
        "browser.locating",
        "browser.gate",
        "browser.proxy",
        "browser.feed",
        "browser.watch",
        "browser.routes",
        "browser.actions",
        "browser.session",
        "browser.launching",
        "browser",
    ),
    "serve": ("serve", "serve.served", "serve.sockets", "serve.websocket", "serve.asgi"),
    "capabilities": (
        "capabilities.base",
        "capabilities.browser",
        "capabilities.console",
        "capabilities.crypto",
        "capabilities.fetch",
        "capabilities.files",
        "capabilities.intl",
        "capabilities.modules",
        "capabilities.random",
        "capabilities.serve",
        "capabilities.testing",
        "capabilities.timers",
        "capabilities.websocket",
        "capabilities",
    ),
    "driver": (
        "_clock",
        "_weights",
        "_awaitables",
        "_observer",
        "_trace",
        "_watched",
        "_runs",
        "_pending",
        "_requests",
        "_signatures",
        "_callables",
        "_iterators",
        "_streams",
        "_granted",
        "_operations",
        "_holds",
        "_calls",
        "_books",
        "_checkpoint",
        "_after_limit",
        "_serving",
        "_commands",
        "_whereabouts",
        "_turns",
        "_lives",
        "_driver",
        "_execution",
        "_quiescing",
        "_interrupts",
        "_ctrl_c",
        "_native_stack",
        "_forks",
        "_threads",
        "_portal",
        "_blocking",
        "_asynchronous",
        "_dispatch",
        "_dispatch_async",
    ),
    "replay": (
        "_replay.messages",
        "_replay.timeline",
        "_replay.player",
        "_replay.moments",
        "_replay.replaying",
    ),
    "faces": (
        "outcome",
        "stream",
        "_typed",
        "_declarations",
        "_option_types",
        "_options",
        "_surface",
        "_built_in",
        "_continuing",
        "_restoring",
        "_entrances",
        "_face",
        "_globals",
        "_handle_calls",
        "_sandbox_lives",
        "_sandbox",
        "_session",
        "_async_sandbox",
        "_default",
    ),
    "jobs": (
        "jobs",
        "jobs.crossing",
        "jobs.job",
        "jobs.processes",
        "jobs.executors",
        "jobs.schedule",
        "jobs.progress",
        "jobs.mapping",
        "jobs.async_mapping",
    ),
    "pool": (
        "pool",
        "pool.template",
        "pool.admission",
        "pool.stock",
        "pool.waiting",
        "pool.pool",
        "pool.namespaces",
    ),
    "wire": ("remote", "remote.errors", "remote.protocol", "remote.events", "remote.connection", "remote.bodies"),
    "remote": (
        "remote.answers",
        "remote.link",
        "remote.memory",
        "remote.control",
        "remote.mailboxes",
        "remote.instance",
        "remote.statistics",
        "remote.hosted",
        "remote.worker",
        "remote.books",
        "remote.peers",
        "remote.workers",
        "remote.sessions",
        "remote.daemon",
        "remote.connecting",
    ),
    "testing": (
        "testing.patterns",
        "testing.diff",
        "testing.plan",
        "testing.coverage",
        "testing.points",
        "testing.results",
        "testing.inline",
        "testing.snapshots",
        "testing.measuring",
        "testing.suite",
        "testing.running",
        "testing.session",
        "testing.formats",
        "testing.coverage_pages",
        "testing.coverage_formats",
        "testing.calls",
        "testing.server",
        "testing.remote.packets",
        "testing.remote.links",
        "testing.remote.client",
        "testing.remote.server",
        "testing.remote",
        "testing.pytest_coverage",
        "testing.pytest_plugin",
        "testing",
    ),
    "names": ("",),
    "compat": (
        "compat",
        "compat._live",
        "compat._waiting",
        "compat.quickjs",
        "compat.py_mini_racer._errors",
        "compat.py_mini_racer._objects",
        "compat.py_mini_racer._racer",
        "compat.py_mini_racer",
        "compat.jsrun._errors",
        "compat.jsrun._config",
        "compat.jsrun._values",
        "compat.jsrun._modules",
        "compat.jsrun._stats",
        "compat.jsrun._runtime",
        "compat.jsrun._default",
        "compat.jsrun._snapshots",
        "compat.jsrun",
        "compat.jsrun.__main__",
    ),
    "integrations": (
        "integrations",
        "integrations._program",
        "integrations.jupyter",
        "integrations.langchain",
        "integrations.logging",
        "integrations.mcp",
        "integrations.opentelemetry",
        "integrations.pydantic_ai",
    ),
    "command": ("cli", "__main__"),
}

# Which layers each of them uses, all of them but that of records, which stand for a part of the language.
MATRIX: dict[str, set[str]] = {
    "records": set(),
    "vocabulary": set(),
    "disk": set(),
    "modules": {"vocabulary", "disk"},
    "intl": set(),
    "crypto": set(),
    "network": {"vocabulary"},
    "fetch": {"vocabulary", "network"},
    "websocket": {"vocabulary", "network"},
    "files": {"disk"},
    "browser": {"vocabulary", "network"},
    "serve": {"vocabulary"},
    "codec": {"vocabulary"},
    "image": {"vocabulary"},
    "instance": {"vocabulary", "image"},
    "typescript": {"vocabulary", "image", "instance"},
    "snapshot": {"vocabulary", "codec", "image", "instance"},
    "record": {"vocabulary", "instance"},
    "guest": {"vocabulary", "codec", "instance"},
    "driver": {
        "vocabulary",
        "typescript",
        "codec",
        "fetch",
        "serve",
        "capabilities",
        "guest",
        "image",
        "instance",
        "snapshot",
    },
    "capabilities": {
        "vocabulary",
        "modules",
        "intl",
        "crypto",
        "fetch",
        "network",
        "websocket",
        "files",
        "browser",
        "serve",
    },
    "replay": {"vocabulary", "codec", "image", "instance", "record", "driver"},
    "faces": {
        "vocabulary",
        "typescript",
        "modules",
        "intl",
        "fetch",
        "websocket",
        "files",
        "browser",
        "serve",
        "capabilities",
        "snapshot",
        "record",
        "guest",
        "driver",
    },
    "jobs": {"vocabulary", "codec", "capabilities", "snapshot", "driver", "faces"},
    "pool": {"vocabulary", "capabilities", "snapshot", "driver", "faces"},
    "wire": {"vocabulary"},
    "remote": {"vocabulary", "image", "instance", "snapshot", "guest", "driver", "faces", "wire"},
    "testing": {"vocabulary", "modules", "serve", "capabilities", "driver", "snapshot", "faces"},
    "names": {
        "vocabulary",
        "fetch",
        "websocket",
        "files",
        "browser",
        "capabilities",
        "snapshot",
        "record",
        "driver",
        "replay",
        "faces",
        "jobs",
        "pool",
        "remote",
    },
    "command": {
        "vocabulary",
        "typescript",
        "modules",
        "files",
        "serve",
        "image",
        "capabilities",
        "faces",
        "names",
        "remote",
        "integrations",
        "testing",
    },
    "compat": {"vocabulary", "modules", "capabilities", "faces", "names"},
    "integrations": {"vocabulary", "names", "compat", "faces"},
}

# Who may import what from outside; a package that is not listed may be imported by anyone.
OUTSIDE: dict[str, set[str]] = {
    "wasmtime": {"_wasmtime", "_image", "_store", "_instance"},
    "_cffi_backend": {"_callback"},
    "babel": {"intl.tags", "intl.data", "intl.service", "intl.zone_names"},
    "pyuca": set(),
    "zoneinfo": {"intl.zones"},
    "cryptography": set(LAYERS["crypto"]),
    "msgpack": {
        "_wire",
        "_encode",
        "_decode",
        "_codec",
        "_snapshot_format",
        "crypto.keys",
        "_replay.files",
        "_replay.messages",
        "_replay.player",
        "remote.protocol",
    },
    "anyio": {
        "testing.remote.client",
        "_portal",
        "_asynchronous",
        "_awaitables",
        "_streams",
        "network.backend",
        "network.tasks",
        "fetch.adapters",
        "fetch.network",
        "fetch.exchange",
        "fetch.exchanges",
        "websocket.connections",
        "websocket.network",
        "websocket.socket",
        "websocket.sockets",
        "websocket.memory",
        "files.asking",
        "browser.loops",
        "jobs.async_mapping",
        "pool.waiting",
        "_dispatch_async",
        "serve.asgi",
        "serve.websocket",
        "compat._waiting",
    },
    "distributed": {"jobs.executors"},
    "multiprocessing": {"jobs.processes"},
    "trio": {"cli", "testing.server", "remote.peers", "remote.workers", "remote.daemon"},
    "hypercorn": {"cli", "testing.server"},
    "asyncio": {
        "browser.loops",
        "browser.gate",
        "browser.proxy",
        "browser.feed",
        "browser.watch",
        "browser.routes",
        "browser.actions",
        "browser.session",
        "browser.launching",
        "compat._waiting",
        "compat.jsrun._runtime",
    },
    "playwright": {"browser.actions", "browser.launching"},
    "typer": {"cli"},
    "rich": {"cli", "jobs.progress"},
    "prompt_toolkit": {"cli"},
    "pygments": {"cli"},
    "httpcore": {"network.backend", "fetch.network", "websocket.network"},
    "websockets": {"websocket.network"},
    "certifi": {"network.backend"},
    "idna": {"network.urls"},
    "socket": {
        "network.backend",
        "browser.gate",
        "browser.proxy",
        "testing.server",
        "testing.remote.client",
        "testing.remote.links",
        "testing.remote.server",
        "cli",
        "remote.link",
        "remote.worker",
        "remote.workers",
        "remote.daemon",
        "remote.connecting",
    },
    "fsspec": {"files.filesystem"},
    "IPython": {"integrations.jupyter"},
    "langchain_core": {"integrations.langchain"},
    "mcp": {"integrations.mcp"},
    "opentelemetry": {"integrations.opentelemetry"},
    "pydantic": {"integrations.langchain"},
    "pydantic_ai": {"integrations.pydantic_ai"},
}
# What the first line of a generated file says.
GENERATED = "Generated from"
# The guest is sans-IO: nothing at its layer or in the codec may wait, look at a clock or start a thread.
SANS_IO = {"time", "threading", "asyncio", "anyio", "trio", "concurrent", "select", "selectors", "socket", "queue"}


def _module(path: Path) -> str:
    parts = path.relative_to(PACKAGE).with_suffix("").parts
    if parts[0] == "cli":
        return "cli"
    return ".".join(part for part in parts if part != "__init__")


MODULES: dict[str, list[Path]] = {}
for _path in sorted(PACKAGE.rglob("*.py")):
    MODULES.setdefault(_module(_path), []).append(_path)
ORDER = list(chain.from_iterable(LAYERS.values()))
LAYER_OF = {module: layer for layer, modules in LAYERS.items() for module in modules}


@cache
def _imports(path: Path) -> set[str]:
    """Dotted names of everything a file imports, wherever in it."""
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path.name}: imports are absolute"
            names.update(f"{node.module}.{alias.name}" for alias in node.names)
    return names


def _inner_imports(path: Path) -> set[str]:
    """The package's own modules that a file imports."""
    found: set[str] = set()
    for name in _imports(path):
        first, *rest = name.split(".")
        if first == "sandbox":
            candidates = [".".join(rest[:length]) for length in range(len(rest), -1, -1)]
            found.add(
                "cli" if rest[:1] == ["cli"] else next(candidate for candidate in candidates if candidate in MODULES)
            )
    return found


def test_every_module_stands_in_a_layer() -> None:
    assert sorted(MODULES) == sorted(ORDER)


@pytest.mark.parametrize("module", ORDER)
def test_imports_go_downward(module: str) -> None:
    allowed = {*ORDER[: ORDER.index(module)], *({"cli"} if module == "cli" else ())}
    for path in MODULES[module]:
        assert _inner_imports(path) - {module if module == "" else "-"} <= allowed, path.name


@pytest.mark.parametrize("layer", LAYERS)
def test_layers_use_exactly_these(layer: str) -> None:
    used = {
        LAYER_OF[imported] for module in LAYERS[layer] for path in MODULES[module] for imported in _inner_imports(path)
    }
    assert used - {layer, "records"} == MATRIX[layer]


@pytest.mark.parametrize("package", OUTSIDE)
def test_who_knows_what_from_outside(package: str) -> None:
    users = {
        module
        for module, paths in MODULES.items()
        for path in paths
        if any(name.split(".")[0] == package for name in _imports(path))
    }
    assert users <= OUTSIDE[package]


@pytest.mark.parametrize("module", [*LAYERS["codec"], *LAYERS["guest"], *LAYERS["wire"], "remote.books"])
def test_the_guest_does_no_io(module: str) -> None:
    for path in MODULES[module]:
        assert not {name.split(".")[0] for name in _imports(path)} & SANS_IO


OPS: dict[str, dict[str, object]] = {
    stem: table
    for stem, table in tomllib.loads((ROOT / "wasm" / "abi.toml").read_text("utf-8"))["op"].items()
    if isinstance(table, dict) and stem != "protocol"
}


@pytest.mark.parametrize("stem", OPS)
@pytest.mark.parametrize("place", ["bindings/{}.js", "sandbox/capabilities/{}.py", "tests/capabilities/test_{}.py"])
def test_a_capability_has_one_stem_in_every_folder(stem: str, place: str) -> None:
    assert (ROOT / place.format(stem)).is_file()


@pytest.mark.parametrize(
    ("folder", "pattern"),
    [("sandbox/capabilities", r"(?!__init__|base)(\w+)\.py"), ("tests/capabilities", r"test_(\w+)\.py")],
)
def test_nothing_else_is_called_a_capability(folder: str, pattern: str) -> None:
    files = [
        path.name for path in (ROOT / folder).glob("*.py") if path.name not in ("__init__.py", "base.py", "conftest.py")
    ]
    assert sorted(re.fullmatch(pattern, name)[1] for name in files) == sorted(OPS)  # type: ignore[index] # fails as well


@pytest.mark.parametrize("stem", OPS)
def test_only_its_own_binding_uses_a_capabilitys_ops(stem: str) -> None:
    users = {
        path.stem
        for path in (ROOT / "bindings").rglob("*.js")
        if re.search(rf"\bop\.{stem}\b", path.read_text("utf-8"))
    }
    assert users == {stem}


def test_files_are_small() -> None:
    texts = {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    lengths = {name: len(text.splitlines()) for name, text in texts.items() if GENERATED not in text.partition("\n")[0]}
    assert sorted(texts.keys() - lengths.keys()) == ["_abi.py"]
    assert {name: length for name, length in lengths.items() if length > 500} == {}
