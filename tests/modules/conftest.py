"""A source tree on disk."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.modules.folders import OUTSIDE, plant

FILES = {
    "main.js": "main",
    "lib/x.js": "x",
    "lib/x.json": "{}",
    "lib/y.mjs": "y",
    "lib/z.cjs": "z",
    "lib/index.js": "index",
    "lib/both.js": "file",
    "lib/both/index.js": "directory",
    "deep/er/index.mjs": "deep",
    "only/data.json": "{}",
    "index.mjs": "top",
    ".env": "SECRET=1",
    "notes.txt": "text",
    "shared/a.js": "a",
    "sharedness.js": "b",
}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    (tmp_path / "outside.js").write_text(OUTSIDE, "utf-8")
    return plant(tmp_path / "root", FILES)
