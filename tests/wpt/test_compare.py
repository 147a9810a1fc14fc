"""Failures of web-platform-tests are compared with the expected ones; the table of these is sound."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.wpt import __main__ as command
from tests.wpt import adapter, compare

_TABLE = """
[[failure]]
file = "a.any.js?x"
subtest = "one"
reason = "because"
[[failure]]
file = "b.any.js"
reason = "no such thing here"
[[failure]]
file = "d.any.js"
subtests = ["one", "two"]
reason = "both for this"
"""
# What stands in the place of a runner: it passes what it is told to run, but for one subtest, and leaves out a file.
_RUNNER = """
import json, pathlib, sys
out, files = sys.argv[sys.argv.index("--out") + 1], [name for name in sys.argv if name.endswith(".any.js")]
result = {"variant": "", "status": "ok", "errors": [], "subtests": [["none", "fail", "no"]]}
results = [result | {"path": name} for name in files[1:]]
area = {"files": 1, "files_all_pass": 0, "pass": 0, "subtests": 1, "pass_rate": None}
pathlib.Path(out).write_text(json.dumps({"results": results, "areas": {"all": area}}))
"""


def _result(path: str, *failed: str, variant: str = "", status: str = "ok") -> dict[str, Any]:
    subtests = [("good", "pass", None), *((name, "fail", "no") for name in failed)]
    return {"path": path, "variant": variant, "status": status, "errors": [], "subtests": subtests}


@pytest.mark.parametrize(
    ("results", "lines"),
    [
        ([_result("a.any.js", "one", variant="?x")], []),
        ([_result("a.any.js", variant="?x")], ["passed: a.any.js?x: one"]),
        ([_result("a.any.js", "one")], ["failed: a.any.js: one: no"]),
        ([_result("b.any.js", "this", "that", status="timeout")], []),
        ([_result("b.any.js")], ["passed: b.any.js: the file"]),
        ([_result("c.any.js", status="hung")], ["failed: c.any.js: the file: hung"]),
        ([_result("c.any.js")], []),
        ([_result("d.any.js", "one", "two")], []),
        ([_result("d.any.js", "one", "three")], ["failed: d.any.js: three: no", "passed: d.any.js: two"]),
    ],
)
def test_differences(results: list[dict[str, Any]], lines: list[str]) -> None:
    assert compare.differences(results, compare.expected(_TABLE)) == lines


@pytest.mark.parametrize(
    ("text", "error"),
    [
        ('[[failure]]\nfile = "a"', "no reason"),
        ('[[failure]]\nfile = "a"\nreason = "b"\n' * 2, "twice"),
        ('[[failure]]\nfile = "a"\nsubtests = ["b", "b"]\nreason = "c"', "twice"),
        ('[[failure]]\nfile = "a"\nsubtests = []\nreason = "c"', "in none"),
        ('[[failure]]\nfile = "a"\nsubtest = "b"\nsubtests = ["c"]\nreason = "d"', "in two ways"),
    ],
)
def test_tables_that_are_refused(text: str, error: str) -> None:
    with pytest.raises(ValueError, match=error):
        compare.expected(text)


def test_the_table_is_sound_and_speaks_of_the_profiles() -> None:
    failures = compare.expected(compare.EXPECTATIONS.read_text(encoding="utf-8"))
    listed = {file for name in command.PROFILES for file in command.profile(name=name)}
    assert {failure.file.split("?")[0] for failure in failures} <= listed


def test_profiles_are_sorted_and_have_areas() -> None:
    for name in command.PROFILES:
        assert command.profile(name=name) == sorted(set(command.profile(name=name)))
    assert not set(command.profile()) & set(command.profile(name="server"))
    assert len(command.profile(["websockets"], "server")) == 61
    assert command.profile(["hr-time/", "dom/abort/event.any.js"])[0] == "dom/abort/event.any.js"
    assert len(command.profile(["hr-time"])) == 3
    assert command.profile(["hr"]) == []


def test_the_profile_is_run_and_compared(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    runner = tmp_path / "runner.py"
    runner.write_text(_RUNNER, encoding="utf-8")
    assert command.main(["--wpt", str(tmp_path), "--runner", str(runner), "hr-time"]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert lines[1:4] == [
        "not run: hr-time/basic.any.js",
        "failed: hr-time/idlharness.any.js: none: no",
        "failed: hr-time/monotonic-clock.any.js: none: no",
    ]
    assert command.main(["--wpt", str(tmp_path), "--runner", str(runner), "no/such/area"]) == 2


def test_the_runner_must_be_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.delenv("WPT_RUNNER", raising=False)
    with pytest.raises(SystemExit):
        command.main(["--wpt", "."])
    assert "WPT_RUNNER" in capsys.readouterr().err


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = tmp_path / "results.json"
    path.write_text(json.dumps({"results": [_result("none.any.js", "one")]}), encoding="utf-8")
    assert compare.main([str(path)]) == 1
    assert "1 files, 1 differences" in capsys.readouterr().out


def test_the_adapter_runs_parts_as_scripts_of_one_realm(capsys: pytest.CaptureFixture[str]) -> None:
    adapter.run(
        "ignored\n//#WPT-SCRIPT a.js\nvar a = 1; new Promise(() => {})\n"
        "//#WPT-SCRIPT b.js\n'use strict'; c = 1\n"
        "//#WPT-SCRIPT c.js\nconsole.log('a is', a); setTimeout(() => { console.log('later'); throw new Error('x') });"
        "setTimeout(() => console.log('last'), 5)"
    )
    lines = capsys.readouterr().out.splitlines()
    assert [line.split("{")[0] for line in lines] == ["@@WPT@@", "a is 1", "later", "@@WPT@@", "last"]
    assert [json.loads(line[7:])["n"] for line in lines if line.startswith("@@")] == ["b.js", "c.js"]


def test_the_adapter_has_buffers_for_those_who_ask_for_memory(capsys: pytest.CaptureFixture[str]) -> None:
    adapter.run(
        "//#WPT-SCRIPT a.js\nconst {buffer} = new WebAssembly.Memory({shared: true, initial: 1, maximum: 1});"
        "console.log(buffer.constructor.name, buffer.byteLength);"
        "try { structuredClone(0, {transfer: [new WebAssembly.Memory({initial: 1}).buffer]}) }"
        "catch (error) { console.log(error.name) }"
    )
    adapter.run("//#WPT-SCRIPT a.js\nconsole.log(typeof WebAssembly)")
    assert capsys.readouterr().out.splitlines() == ["SharedArrayBuffer 65536", "DataCloneError", "undefined"]


def test_the_adapter_has_fetch_answer_the_files_of_a_program(capsys: pytest.CaptureFixture[str]) -> None:
    files = {"/a/one.txt": {"type": "text/plain", "text": "\u00fc"}, "/two.png": {"type": "image/png", "b64": "AAE="}}
    adapter.run(
        "//#WPT-SCRIPT prelude.js\n(g => {\n  var conf = " + json.dumps({"files": files, "soft": 1}) + ";\n"
        "  g.location = {href: 'http://x.test/a/b.html', origin: 'http://x.test'};\n"
        "  console.log(JSON.stringify(conf));\n})(self)\n"
        "//#WPT-SCRIPT a.js\n(async () => {\n"
        "  const one = await fetch('one.txt'), two = await fetch(new Request('../two.png'));\n"
        "  console.log(await one.text(), one.type, (await two.bytes()).length, two.headers.get('content-type'));\n"
        "  console.log(fetch.length, await fetch('three').catch(error => error.name));\n"
        "})()"
    )
    assert capsys.readouterr().out.splitlines() == [
        '{"soft":1,"files":{}}',
        "ü basic 2 image/png",
        "1 TypeError",
    ]
