"""A JavaScript library from Python: loaded once, used as if it were a Python function.

    python -m examples.library

The library is `markdown.mjs` beside this file; `NodeModules` finds packages of npm in the same way (docs/packages.md).
"""

from __future__ import annotations

from pathlib import Path

from sandbox import Limits, Sandbox
from sandbox.modules import SourceTree

TEXT = """# Hello

A **small** library, `imported` from a file.

- no <script>
- no Node
"""


class Markdown:
    """A renderer. What it is given may come from strangers: its sandbox has limits and reaches nothing."""

    def __init__(self) -> None:
        modules = SourceTree(Path(__file__).parent)
        self._box = Sandbox(modules=modules, limits=Limits(cpu_seconds=1, memory_bytes=32 << 20))
        self._render = self._box.import_module("./markdown.mjs")["render"]

    def __call__(self, text: str) -> str:
        return str(self._render(text))

    def close(self) -> None:
        self._box.close()


def main() -> None:
    markdown = Markdown()
    print(markdown(TEXT))
    markdown.close()


if __name__ == "__main__":
    main()
