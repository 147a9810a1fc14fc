"""`--json`: one object that says everything."""

from __future__ import annotations

import json
import os
from typing import Any

import pytest

from sandbox.cli import _report
from sandbox.errors import ArtifactError
from tests.cli.command import run


def run_json(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, dict[str, Any]]:
    status, out, err = run(capsys, *arguments)
    assert err == ""
    assert out.count("\n") == 1
    assert out.isascii()
    return status, json.loads(out)


def test_json_of_a_value(capsys: pytest.CaptureFixture[str]) -> None:
    code = (
        "console.group('g'); console.warn('w\\x9b', 1); const a = [1]; a.push(a);"
        "({a, b: 2n, d: new Date(0), e: new RangeError('r'), f() {}, m: new Map([[1, 2]]), n: NaN, o: undefined,"
        " r: /x/g, s: new Set(['é']), t: new Float32Array([0.5]), u: new Uint8Array([255])})"
    )

    status, result = run_json(capsys, "eval", "--json", code)

    assert (status, result["ok"], result["error"]) == (0, True, None)
    assert result["value"].pop("e")["name"] == "RangeError"
    assert result["value"] == {
        "a": [1, "[Circular]"],
        "b": "2",
        "d": "1970-01-01T00:00:00.000Z",
        "f": "[Function: f]",
        "m": [[1, 2]],
        "n": None,
        "o": None,
        "r": "/x/g",
        "s": ["é"],
        "t": [0.5],
        "u": "/w==",
    }
    assert [(entry["type"], entry["level"], entry["text"], entry["group_depth"]) for entry in result["console"]] == [
        ("group", "log", "g", 0),
        ("output", "warn", "w\x9b 1", 1),
    ]
    assert result["usage"]["runs"] == 1
    assert result["usage"]["fuel"] > 0


def test_json_of_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    status, result = run_json(capsys, "eval", "--json", "\nnope")
    error = result["error"]

    assert (status, result["ok"], result["value"]) == (1, False, None)
    assert (error["type"], error["name"]) == ("JSError", "ReferenceError")
    assert error["message"] == "nope is not defined"
    assert error["frames"] == [{"function": None, "file": "<eval>", "line": 2, "column": 1}]
    assert "<eval>:2:1" in error["stack"]


def test_json_of_a_thrown_value(capsys: pytest.CaptureFixture[str]) -> None:
    assert run_json(capsys, "eval", "--json", "throw {a: [1n]}")[1]["error"]["value"] == {"a": ["1"]}


@pytest.mark.parametrize(
    "code",
    [
        "let a = ['x']; for (let i = 0; i < 60; i++) a = [a, a]; a",
        "let a = 'x'.repeat(1e5); for (let i = 0; i < 60; i++) a = {a, b: a}; a",
        "let a = 1; for (let i = 0; i < 480; i++) a = [a]; a",
        "let a = 1; for (let i = 0; i < 480; i++) a = new Map([[1, a]]); a",
        "2n ** 100000n",
    ],
)
def test_json_of_a_value_without_end(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    monkeypatch.setattr(_report, "_ROOM_CHARS", 1 << 20)
    status, result = run_json(capsys, "eval", "--json", code)

    assert (status, result["ok"]) == (0, True)
    assert "\u2026" in json.dumps(result["value"], ensure_ascii=False) or code.startswith("2n")


def test_json_of_a_limit(capsys: pytest.CaptureFixture[str]) -> None:
    status, result = run_json(capsys, "run", "--json", "--cpu", "50ms", os.devnull)
    assert (status, result["ok"]) == (0, True)

    status, result = run_json(capsys, "eval", "--json", "--cpu", "50ms", "for (;;);")
    error = result["error"]

    assert status == 3
    assert (error["type"], error["limit"], error["unit"]) == ("CpuLimitExceeded", 0.05, "seconds")
    assert error["used"] >= 0.05


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["eval", "--json", "--cpu", "soon", "1"], "'soon' is not a time"),
        (["run", "--json", "no.js"], "no.js: No such"),
    ],
)
def test_json_of_wrong_usage(capsys: pytest.CaptureFixture[str], arguments: list[str], message: str) -> None:
    status, result = run_json(capsys, *arguments)
    assert (status, result["ok"], result["error"]["type"], result["usage"]) == (2, False, "UsageError", None)
    assert message in result["error"]["message"]


def test_json_of_a_missing_guest(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(*_: object, **__: object) -> None:
        raise ArtifactError("the compiled guest is missing")

    monkeypatch.setattr("sandbox.cli._program.Sandbox", missing)
    status, result = run_json(capsys, "eval", "--json", "1")
    assert (status, result["error"]["type"]) == (4, "ArtifactError")
