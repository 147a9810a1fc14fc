"""The extras of the package, and whether they are here."""

from __future__ import annotations

from importlib import metadata
from importlib.util import find_spec
from typing import Final

# Extra -> what it is for, and distributions with a module of each.
EXTRAS: Final[dict[str, tuple[str, dict[str, str]]]] = {
    "intl": ("Intl, toLocaleString", {"babel": "babel", "pyuca": "pyuca"}),
    "crypto": ("crypto.subtle", {"cryptography": "cryptography"}),
    "fetch": ("requests over the network", {"httpcore": "httpcore", "h2": "h2", "certifi": "certifi"}),
    "websocket": ("WebSockets over the network", {"websockets": "websockets", "httpcore": "httpcore"}),
    "browser": ("pages of a real browser", {"playwright": "playwright"}),
    "fsspec": ("files of archives, object stores and servers", {"fsspec": "fsspec"}),
    "dask": ("jobs on a cluster", {"distributed": "distributed"}),
    "repl": (
        "history, completion and colors in sandbox repl",
        {"prompt-toolkit": "prompt_toolkit", "pygments": "pygments"},
    ),
    "mcp": ("the command sandbox mcp", {"mcp": "mcp"}),
    "pydantic-ai": ("a toolset of pydantic-ai", {"pydantic-ai-slim": "pydantic_ai"}),
    "langchain": ("tools of LangChain", {"langchain-core": "langchain_core"}),
    "jupyter": ("magics of notebooks", {"ipython": "IPython"}),
    "opentelemetry": ("spans of OpenTelemetry", {"opentelemetry-api": "opentelemetry"}),
    "serve": ("the command sandbox serve", {"hypercorn": "hypercorn"}),
}


def installed(extra: str) -> tuple[bool, str]:
    """Whether an extra is here, and the versions of its parts or the names of those that are missing."""
    parts = EXTRAS[extra][1]
    missing = [name for name, module in parts.items() if find_spec(module) is None]
    if missing:
        return False, f"no {', '.join(missing)}"
    return True, ", ".join(f"{name} {_version(name)}" for name in parts)


def _version(name: str) -> str:
    try:
        return metadata.version(name)
    except metadata.PackageNotFoundError:
        return "of unknown version"
