"""A program that failed for want of a flag: the last line names the flag."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.cli.command import run

ESM = "--esm makes it a module."
READ = "--allow-read DIR lets it read files."
NET = "--allow-net HOST lets it fetch from there."


@pytest.mark.parametrize(
    ("code", "flags", "last"),
    [
        ("1;\n  import fs from 'node:fs'", [], ESM),
        ("export default 1", [], ESM),
        ("import{a}from 'b'", [], ESM),
        ("importance of", [], None),
        ("JSON.parse('{')", [], None),
        ("eval('import a from 1')", [], None),
        ("await import('node:fs/promises')", [], READ),
        ("import 'fs'", ["--esm"], READ),
        ("import 'lib'", ["--esm"], "--modules DIR lets it import the files there, --module NAME=PATH a single one."),
        ("import 'lib'", ["--esm", "--modules", "."], None),
        ("await fetch('https://a.test/')", [], NET),
        ("throw 'fetch failed'", [], None),
    ],
)
def test_of_a_file(
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    code: str,
    flags: list[str],
    last: str | None,
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("program.js").write_text(code)

    status, out, err = run(capsys, "run", *flags, "program.js")

    assert (status, out) == (1, "")
    assert err.startswith("Uncaught ")
    lines = err.splitlines()
    assert lines[-1] == last if last is not None else not lines[-1].startswith("--")


def test_of_an_expression(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "eval", "import a from 'b'")[2].splitlines()[-1] == "sandbox run --esm runs modules."
    assert run(capsys, "eval", "import('lib')")[2].splitlines()[-1].startswith("Uncaught TypeError: cannot find module")
    assert run(capsys, "eval", "fetch('https://a.test/')")[2].splitlines()[-1] == NET


@pytest.mark.parametrize(
    ("code", "last"),
    [
        ("new Intl.NumberFormat()", "Intl needs the extra intl: pip install 'quickjs-sandbox[intl]'"),
        ("crypto.subtle.digest()", "crypto.subtle needs the extra crypto: pip install 'quickjs-sandbox[crypto]'"),
        ("undefined.digest()", None),
    ],
)
def test_of_what_an_extra_brings(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, code: str, last: str | None
) -> None:
    program = f"delete globalThis.Intl; Object.defineProperty(crypto, 'subtle', {{value: undefined}});\n{code}"
    monkeypatch.setattr("sandbox.cli._advice.installed", lambda extra: (False, extra))
    line = run(capsys, "eval", program)[2].splitlines()[-1]
    assert line == last if last is not None else line.startswith("    at ")
    monkeypatch.setattr("sandbox.cli._advice.installed", lambda extra: (True, extra))
    assert run(capsys, "eval", program)[2].splitlines()[-1].startswith("    at ")


def test_a_missing_library_is_wrong_usage(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sandbox.fetch.has_http", lambda: False)
    status, _, err = run(capsys, "eval", "--allow-net", "example.com", "1")
    assert (status, "quickjs-sandbox[fetch]" in err) == (2, True)
