"""Joins the pages to a site, as a hook of mkdocs; the pages stay good where they are, beside the code.

The navigation is docs/README.md: its headings are sections, the rows of its tables pages. Files outside of docs/ that
pages link to come along, and links are made to fit. The reference is made of the package's names.
"""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
INDEX = ROOT / "docs" / "README.md"
# Page in the site -> its title, what it is about, and the modules whose public names it has.
REFERENCE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "reference/sandboxes.md": (
        "Sandboxes",
        "What evaluates programs: blocking, asynchronous, and without an object. All of it is in `sandbox`.",
        ("_sandbox", "_async_sandbox", "_globals", "_default", "_serving"),
    ),
    "reference/results.md": (
        "Results",
        "What is told of a run; see [programs that feed a model](../results.md).",
        ("outcome", "stream", "stop", "trace", "previews", "context", "_declarations", "capabilities.console"),
    ),
    "reference/values.md": (
        "Values of the guest",
        "What has no type of Python's own; see [values](../values.md).",
        ("_collections", "_handles", "_scalars", "http"),
    ),
    "reference/functions.md": (
        "Limits, functions and capabilities",
        "What a program may use; see [limits](../limits.md) and [functions](../functions.md).",
        ("limits", "functions", "exposure", "calls", "audit", "capabilities.base"),
    ),
    "reference/grants.md": (
        "Network, files and browsers",
        "What grants them; see [network requests](../fetch.md), [WebSockets](../websockets.md), [files](../files.md) "
        "and [browsers](../browser.md).",
        ("fetch", "websocket", "files", "browser"),
    ),
    "reference/lives.md": (
        "Pauses, snapshots and records",
        "Programs that are put aside, and runs that are done again; see [pauses](../pause.md), "
        "[snapshots](../snapshots.md) and [records](../replay.md).",
        ("pause", "snapshot", "_replay"),
    ),
    "reference/modules.md": (
        "sandbox.modules and sandbox.typescript",
        "Where imports come from, and what programs are written in; see [modules](../modules.md), "
        "[packages](../packages.md) and [TypeScript](../typescript.md).",
        ("modules", "typescript"),
    ),
    "reference/many.md": (
        "Pools, jobs and daemons",
        "Many programs; see [pools](../pools.md), [jobs](../jobs.md) and [sandboxes elsewhere](../remote.md).",
        ("pool", "jobs", "remote"),
    ),
    "reference/testing.md": ("sandbox.testing", "Tests of JavaScript, and of embedders; see [tests](../tests.md).", ()),
    "reference/integrations.md": (
        "sandbox.integrations",
        "Tools for models, spans and logs; each needs its [extra](../integrations.md).",
        (),
    ),
    "reference/errors.md": (
        "sandbox.errors",
        "All are in `sandbox.errors`, the first two in `sandbox` as well; what to do about each is in "
        "[errors](../errors.md).",
        ("errors",),
    ),
}

# What modules have of their own beside `sandbox`, by its page.
_MODULES = {
    "reference/grants.md": ("sandbox.browser",),
    "reference/modules.md": ("sandbox.modules", "sandbox.typescript"),
    "reference/testing.md": ("sandbox.testing", "sandbox.testing.remote"),
}
# Their modules cannot be imported without what they are for.
_INTEGRATIONS = (
    "langchain.SandboxTool",
    "pydantic_ai.SandboxToolset",
    "mcp.make_server",
    "opentelemetry.Traces",
    "logging.console_logger",
    "logging.audit_log",
)

_HEADING = re.compile(r"^## (.+)$", re.MULTILINE)
_ROW = re.compile(r"^\| \[[^\]]+\]\(([^)#]+)\) \|", re.MULTILINE)
_TITLE = re.compile(r"^# (.+)$", re.MULTILINE)
_LINK = re.compile(r"(!?\[[^\]]*\]\()([^)#\s]+)((?:#[^)]*)?\))")


def navigation() -> list[dict[str, list[dict[str, str]]]]:
    """Sections, each with the titles and the names of its pages, as docs/README.md has them."""
    sections = []
    _, *parts = _HEADING.split(INDEX.read_text("utf-8"))
    for heading, text in zip(parts[::2], parts[1::2], strict=True):
        pages = [_place(INDEX.parent, target) for target in _ROW.findall(text)]
        sections.append({heading: [{_title(ROOT / source): name} for source, name in pages]})
    return sections


def _title(path: Path) -> str:
    match = _TITLE.search(path.read_text("utf-8"))
    return match[1].replace("`", "") if match else path.stem


def _place(directory: Path, target: str) -> tuple[str, str]:
    """A link's file, from the root of the repository, and its name in the site: those of docs/ are the top there."""
    source = (directory / target).resolve().relative_to(ROOT).as_posix()
    return source, source.removeprefix("docs/")


def _outside() -> dict[str, str]:
    """Files outside of docs/ that pages link to: name in the site -> file."""
    found: dict[str, str] = {}
    waiting = sorted((ROOT / "docs").glob("*.md"))
    while waiting:
        page = waiting.pop()
        for _, target, _ in _LINK.findall(page.read_text("utf-8")):
            if "://" in target or not (page.parent / target).is_file():
                continue
            source, name = _place(page.parent, target)
            if name == source and name not in found:
                found[name] = source
                if source.endswith(".md"):
                    waiting.append(ROOT / source)
    return found


def on_config(config: Any) -> Any:  # noqa: ANN401 - mkdocs's
    """Set the navigation."""
    config.nav = [
        {"Home": "README.md"},
        *navigation(),
        {"Reference": [{title: page} for page, (title, _, _) in REFERENCE.items()]},
    ]
    return config


def on_files(files: Any, config: Any) -> Any:  # noqa: ANN401 - mkdocs's
    """Add what is not in docs/."""
    from mkdocs.structure.files import File

    for name, source in sorted(_outside().items()):
        # The top's README would be the site's first page.
        place = "about.md" if name == "README.md" else name
        files.append(File.generated(config, place, abs_src_path=str(ROOT / source)))
    for name, text in reference().items():
        files.append(File.generated(config, name, content=text))
    return files


def on_page_markdown(markdown: str, page: Any, config: Any, files: Any) -> str:  # noqa: ANN401 - mkdocs's
    """Have the links of a page lead to where the site has their targets."""
    if page.file.src_uri in REFERENCE:
        return markdown
    source = Path(page.file.abs_src_path)
    if source == INDEX:
        markdown = _ROW.sub(lambda match: f"| [{_title(INDEX.parent / match[1])}]({match[1]}) |", markdown)

    def placed(match: re.Match[str]) -> str:
        before, target, after = match.groups()
        if "://" in target:
            return match[0]
        name = _place(source.parent, target)[1]
        if (ROOT / _place(source.parent, target)[0]).is_dir():
            return match[0].partition("](")[0].lstrip("![")  # there is no page of it
        name = "about.md" if _place(source.parent, target)[0] == "README.md" else name
        return f"{before}{name}{after}"

    return _LINK.sub(placed, markdown)


def reference() -> dict[str, str]:
    """The pages of all public names, from their docstrings: the name of each in the site, and its text."""
    import importlib
    import inspect

    import sandbox
    from sandbox import errors

    found: dict[str, list[str]] = {page: [] for page in REFERENCE}
    for name in sandbox.__all__:
        value = getattr(sandbox, name)
        home = getattr(value, "__module__", "sandbox")
        if inspect.isclass(value) or callable(value):
            found[_page_of(home)].append(f"{home}.{name}")
    for paths in found.values():
        paths.sort(key=_order)
    for page, modules in _MODULES.items():
        for module in map(importlib.import_module, modules):
            found[page] += [_path(module.__name__, name, getattr(module, name)) for name in sorted(module.__all__)]
    found["reference/integrations.md"] = [f"sandbox.integrations.{path}" for path in _INTEGRATIONS]
    listed = set(sandbox.__all__)
    found["reference/errors.md"] += [
        f"sandbox.errors.{name}" for name in errors.__all__ if name not in listed and name != "Frame"
    ]
    return {
        page: "\n".join([f"# {title}", "", about, "", *(f"::: {path}\n" for path in found[page])])
        for page, (title, about, _) in REFERENCE.items()
    }


def _path(module: str, name: str, value: object) -> str:
    """Where something is defined; names of types have no such place."""
    home = str(getattr(value, "__module__", module))
    return f"{home if home.startswith('sandbox.') else module}.{name}"


def _page_of(home: str) -> str:
    for page, (_, _, modules) in REFERENCE.items():
        if any(_is_in(home, module) for module in modules):
            return page
    raise LookupError(f"{home} stands in no area of the reference")


def _is_in(home: str, module: str) -> bool:
    return f"{home}.".startswith(f"sandbox.{module}.")


def _order(path: str) -> tuple[int, str]:
    """Names in the order of the modules that their page names, so that what matters most comes first."""
    home, _, name = path.rpartition(".")
    modules = REFERENCE[_page_of(home)][2]
    return next(index for index, module in enumerate(modules) if _is_in(home, module)), name
