"""The site of the documentation, as far as it can be known without building it: `make docs` does that."""

from __future__ import annotations

import importlib.util
import re
from pathlib import Path
from types import ModuleType

import pytest

import sandbox
from sandbox import browser, errors, modules, testing, typescript

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def site() -> ModuleType:
    spec = importlib.util.spec_from_file_location("docs_site", ROOT / "docs" / "_site.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_page_is_in_the_navigation_once(site: ModuleType) -> None:
    entries = [entry for section in site.navigation() for pages in section.values() for entry in pages]
    pages = [page for entry in entries for page in entry.values()]

    assert len(pages) == len(set(pages))
    assert {page.name for page in (ROOT / "docs").glob("*.md")} - {"README.md"} <= set(pages)
    for page in pages:
        assert (ROOT / "docs" / page).is_file() or (ROOT / page).is_file()


def test_what_pages_link_to_is_in_the_navigation(site: ModuleType) -> None:
    entries = [entry for section in site.navigation() for pages in section.values() for entry in pages]
    pages = {page for entry in entries for page in entry.values()}

    assert {name for name in site._outside() if name.endswith(".md")} - pages == {"README.md"}
    assert "\nnot_in_nav: about.md\n" in (ROOT / "mkdocs.yml").read_text("utf-8")


def test_pages_have_titles_of_their_own(site: ModuleType) -> None:
    titles = [
        title for section in site.navigation() for pages in section.values() for entry in pages for title in entry
    ]

    assert len(titles) == len(set(titles))
    assert not [title for title in titles if title.islower() and title.isidentifier()]


def test_the_reference_has_every_public_name(site: ModuleType) -> None:
    pages = site.reference()
    named = [path for text in pages.values() for path in re.findall(r"^::: ([\w.]+)$", text, re.MULTILINE)]
    names = {path.rpartition(".")[2] for path in named}

    assert len(named) == len(set(named))
    listed: set[str] = set()
    for module in (sandbox, errors, testing, modules, typescript, browser):
        listed |= set(module.__all__)
    for path in (ROOT / "sandbox" / "integrations").glob("[a-z]*.py"):
        listed |= set(re.findall(r"\w+", path.read_text("utf-8").partition("__all__ = ")[2].partition("]")[0]))
    # Notebooks load by their magics what is theirs.
    notebooks = {"JavaScriptFailed", "load_ipython_extension", "unload_ipython_extension"}
    assert listed - names == {"undefined", "Frame"} | notebooks
    assert named[0] == "sandbox._sandbox.Sandbox"
    assert list(pages) == list(site.REFERENCE)
    assert all(1 < text.count("\n::: ") <= 40 for text in pages.values())
