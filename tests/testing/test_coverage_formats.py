"""Coverage as files for other programs."""

from __future__ import annotations

import json
from html.parser import HTMLParser
from pathlib import Path
from urllib.parse import unquote

from sandbox.testing import Coverage, Covered, FileCoverage, write_coverage
from sandbox.testing.coverage_formats import to_lcov

SOURCE = "if (a) b(); else c();\nfunction f() {\n  return '<b>';\n}\n"
HOSTILE = "/../../<script>\nSF:x"
COVERAGE = Coverage(
    {
        HOSTILE: FileCoverage(HOSTILE, (Covered(1, 1, 0),)),
        "/lib/a.js": FileCoverage(
            "/lib/a.js",
            (Covered(1, 1, 1234), Covered(1, 8, 0), Covered(1, 18, 2), Covered(3, 3, 0)),
            (Covered(2, 1, 0, "f"), Covered(3, 3, 1), Covered(4, 1, 1, "f")),
            SOURCE,
        ),
    },
    {"/x.ts": "SyntaxError: <no>"},
)


def test_lcov() -> None:
    assert to_lcov(Coverage({"/lib/a.js": COVERAGE.files["/lib/a.js"]}), "src").splitlines() == [
        "TN:", "SF:src/lib/a.js", "FN:2,f", "FN:3,(anonymous:3)", "FN:4,f:4:1", "FNDA:0,f", "FNDA:1,(anonymous:3)",
        "FNDA:1,f:4:1", "FNF:3", "FNH:2", "DA:1,1234", "DA:3,0", "LF:2", "LH:1", "end_of_record",
    ]  # fmt: skip
    assert to_lcov(COVERAGE).count("\nSF:") == len(COVERAGE.files)


class Page(HTMLParser):
    """The tags of a page, and the words in it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_pages(tmp_path: Path) -> None:
    folder = tmp_path / "out" / "coverage"
    write_coverage(COVERAGE, folder)
    assert {path.parent for path in tmp_path.rglob("*") if path.is_file()} == {folder}
    assert Coverage.of_plain(json.loads((folder / "coverage.json").read_text())).ratio("lines").total == 3
    index = Page((folder / "index.html").read_text("utf-8"))
    links = [attributes["href"] or "" for tag, attributes in index.tags if tag == "a"]
    assert len(links) == 2
    assert all((folder / unquote(link)).is_file() for link in links)
    assert not [tag for tag, _ in index.tags if tag in ("script", "no")]
    assert "x.ts: not measured, SyntaxError: <no>" in index.words
    page = Page((folder / links[1]).read_text("utf-8"))
    kinds = [(attributes["class"] or "").split() for _, attributes in page.tags if "id" in attributes]
    assert kinds == [["line", "part"], ["line"], ["line", "miss"], ["line"]]
    assert "1,234\u00d7" in page.words
    assert page.words[page.words.index("b();") + 1] == " else c();"
    assert "the text of this file is not known." in (folder / links[0]).read_text("utf-8").lower()
