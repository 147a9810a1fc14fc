"""What the host answers about locales: bounded, checked, and nothing without the data."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import Any

import pytest

import sandbox.intl
from sandbox import JSError, Limits, Sandbox
from sandbox.capabilities import Intl
from sandbox.capabilities.base import Malformed
from sandbox.errors import CpuLimitExceeded, UsageError
from sandbox.intl import collation, data, service

DIGITS: dict[str, Any] = {
    "minimumIntegerDigits": 1,
    "minimumFractionDigits": 0,
    "maximumFractionDigits": 3,
    "roundingIncrement": 1,
    "roundingMode": "halfExpand",
    "roundingType": "fractionDigits",
    "trailingZeroDisplay": "auto",
}
NUMBER: dict[str, Any] = {
    **DIGITS,
    "kind": "number",
    "locale": "de",
    "numberingSystem": "latn",
    "style": "decimal",
    "notation": "standard",
    "useGrouping": "auto",
    "signDisplay": "auto",
}
DATE: dict[str, Any] = {
    "kind": "date",
    "locale": "de",
    "calendar": "gregory",
    "numberingSystem": "latn",
    "timeZone": "UTC",
    "dateStyle": "full",
}


def _handlers(locale: str | None = "en-US") -> dict[str, Any]:
    return dict(Intl(locale, "UTC", lambda _: None).handlers())


def _key(options: dict[str, Any], **changes: Any) -> str:
    merged = {**options, **changes}
    return json.dumps({key: value for key, value in merged.items() if value is not ...})


@pytest.mark.parametrize(
    ("question", "arguments", "answer"),
    [
        ("defaults", (), ("en-US", "UTC")),
        ("locale", ("de-at-u-nu-latn",), ["de-AT-u-nu-latn", "de-AT", ["nu", "latn"], "latn", "h23"]),
        ("locale", ("xx",), ["xx", None, [], "latn", "h23"]),
        ("locale", ("de_AT",), None),
        ("likely", ("zh-TW", True), "zh-Hant-TW"),
        ("zone", ("europe/berlin",), "Europe/Berlin"),
        ("zone", ("Europe/Atlantis",), None),
        ("zone", ("../../../etc/passwd",), None),
        ("format", (_key(NUMBER), False, 1234.5), "1.234,5"),
        ("format", (_key(NUMBER), True, 1.5), ["integer", "1", "decimal", ",", "fraction", "5"]),
        ("format", (_key(DATE), False, 0), "Donnerstag, 1. Januar 1970"),
        ("describe", (_key(DATE, dateStyle=..., year="numeric"),), ["year", "numeric"]),
    ],
)
def test_answers(question: str, arguments: tuple[Any, ...], answer: Any) -> None:
    assert _handlers()[question](*arguments) == answer


@pytest.mark.parametrize(
    ("question", "arguments"),
    [
        ("format", ("", False, 1)),
        ("format", (5, False, 1)),
        ("format", ("{}", False, 1)),
        ("format", ("[" * 1999, False, 1)),
        ("format", (" " * 3000, False, 1)),
        ("format", (_key(NUMBER, kind="odd"), False, 1)),
        ("format", (_key(NUMBER, kind=["number"]), False, 1)),
        ("format", (_key(NUMBER, locale="root"), False, 1)),
        ("format", (_key(NUMBER, locale="../de"), False, 1)),
        ("format", (_key(NUMBER, locale=None), False, 1)),
        ("format", (_key(NUMBER, style=...), False, 1)),
        ("format", (_key(NUMBER, more=1), False, 1)),
        ("format", (_key(NUMBER, style=["decimal"]), False, 1)),
        ("format", (_key(NUMBER, unit={"a": 1}), False, 1)),
        ("format", (_key(NUMBER, unit="liter-per-parsec"), False, 1)),
        ("format", (_key(NUMBER, maximumFractionDigits=101), False, 1)),
        ("format", (_key(NUMBER, maximumFractionDigits=1e400), False, 1)),
        ("format", (_key(NUMBER, minimumIntegerDigits=True), False, 1)),
        ("format", (_key(NUMBER, numberingSystem="roman"), False, 1)),
        ("format", (_key(NUMBER, currency="€"), False, 1)),
        ("format", (_key(NUMBER), False, "1e999999999")),
        ("format", (_key(NUMBER), False, "9" * 5000)),
        ("format", (_key(NUMBER), False, "one")),
        ("format", (_key(NUMBER), False, True)),
        ("format", (_key(NUMBER), False, None)),
        ("format", (_key(NUMBER), False, [1])),
        ("format", (_key(DATE), False, 1e17)),
        ("format", (_key(DATE), False, float("nan"))),
        ("format", (_key(DATE), False, "0")),
        ("format", (_key(DATE, timeZone="/etc/passwd"), False, 0)),
        ("format", (_key({"kind": "list", "locale": "en", "type": "unit", "style": "long"}), False, [1])),
        ("format", (_key({"kind": "list", "locale": "en", "type": "unit", "style": "long"}), False, [""] * 20_000)),
        ("compare", (_key(NUMBER), "a", "b")),
        ("describe", (_key(NUMBER),)),
        ("likely", (5, True)),
        ("supported", ("colour",)),
        ("supported", ([],)),
    ],
)
def test_what_no_binding_asks(question: str, arguments: tuple[Any, ...]) -> None:
    with pytest.raises(Malformed):
        _handlers()[question](*arguments)


@pytest.mark.parametrize(
    "changes",
    [
        {"style": "currency"},
        {"style": "unit"},
        {"notation": "compact"},
        {"roundingType": "significantDigits", "minimumSignificantDigits": 9, "maximumSignificantDigits": 2},
        {"minimumFractionDigits": 100, "maximumFractionDigits": 0},
        {"roundingIncrement": 3},
    ],
)
def test_options_that_do_not_fit_together_tell_nothing(changes: dict[str, Any]) -> None:
    try:
        text = _handlers()["format"](_key(NUMBER, **changes), False, 1.5)
    except RuntimeError as error:
        assert str(error) == "the data of this locale does not have what was asked for"
    else:
        assert len(text) < 200


def test_without_data_there_is_nothing() -> None:
    handlers = _handlers(None)

    assert handlers["defaults"]() is None
    with pytest.raises(Malformed, match="no Intl"):
        handlers["locale"]("de")


@pytest.fixture
def bare(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if the extra were not installed."""
    monkeypatch.setattr("sandbox._options.has_locales", lambda: False)


@pytest.mark.usefixtures("bare")
class TestWithoutTheExtra:
    def test_programs_find_no_intl(self) -> None:
        with Sandbox() as box:
            assert box.eval("typeof Intl + ('Intl' in globalThis)") == "undefinedfalse"

    @pytest.mark.parametrize(
        ("code", "value"),
        [
            ("(1234.5).toLocaleString('de')", "1234.5"),
            ("(12n).toLocaleString('de')", "12"),
            ("new Date(0).toLocaleString('de')", "01/01/1970, 12:00:00 AM"),
            ("[1.5, 2].toLocaleString('de')", "1.5,2"),
            ("new Uint8Array(2).toLocaleString()", "0,0"),
            ("'a'.localeCompare('b', 'sv')", -1),
            ("'I'.toLocaleLowerCase('tr')", "i"),
            ("[Number.prototype.toLocaleString.length, ''.localeCompare.length]", [0, 1]),
        ],
    )
    def test_locales_are_ignored(self, code: str, value: Any) -> None:
        with Sandbox() as box:
            assert box.eval(code) == value

    def test_time_zones_need_no_extra(self) -> None:
        with Sandbox(time_zone="Europe/Berlin") as box:
            assert box.eval("new Date(0).toLocaleTimeString()") == "01:00:00 AM"

    def test_a_locale_is_refused(self) -> None:
        with pytest.raises(UsageError, match=r"pip install 'quickjs-sandbox\[intl\]'"):
            Sandbox(locale="de")


def test_nothing_is_imported_before_it_is_used() -> None:
    code = """
import sys
from sandbox import Sandbox
with Sandbox() as box:
    box.eval("new Date(0).toString() + typeof Intl")
    before = "babel" in sys.modules, "sandbox.intl.service" in sys.modules
    box.eval("(1).toLocaleString()")
print(*before, "babel" in sys.modules)
"""
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert result.stdout.split() == ["False", "False", "True"]


def test_what_is_kept_is_bounded() -> None:
    with Sandbox(limits=Limits(cpu_seconds=60, wall_seconds=50)) as box:
        box.eval("""
          for (const tag of Intl.Collator.supportedLocalesOf(
              Array.from({ length: 676 }, (_, i) => String.fromCharCode(97 + i / 26, 97 + i % 26)))) {
            for (let digits = 0; digits < 4; digits++) {
              new Intl.NumberFormat(tag, { maximumFractionDigits: digits }).format(1.5);
            }
          }
          for (let i = 0; i < 3000; i++) new Intl.Collator("de").compare("ä" + i, "z");
        """)
    parsed, made, locales = service._parsed.cache_info(), service._made.cache_info(), data.load.cache_info()
    keys = collation._kept_key.cache_info()
    for cache, most in ((parsed, 256), (made, 4), (locales, 4), (keys, 512)):
        assert cache.maxsize is not None and cache.currsize <= cache.maxsize <= most
    assert len(service._made("de")) <= 128


def test_babels_own_cache_is_emptied() -> None:
    from babel import localedata

    for name in list(data.available())[:60]:
        data.load(name)
    assert len(localedata._cache) < 40


def test_a_loop_ends_at_the_cpu_limit() -> None:
    with Sandbox(limits=Limits(cpu_seconds=0.5, wall_seconds=30)) as box:
        box.eval("(1).toLocaleString('de')")
        with pytest.raises(CpuLimitExceeded):
            box.eval("for (;;) (1234.5).toLocaleString('de')")
        assert box.eval("(1.5).toLocaleString('de')") == "1,5"


@pytest.mark.parametrize(
    "code",
    [
        "new Intl.NumberFormat('en', { minimumFractionDigits: 100 }).format('1'.repeat(300) + '.5')",
        "new Intl.NumberFormat('en').format('1e1000000000')",
        "new Intl.Collator('vi').compare('\\u0301\\u0316'.repeat(1e5), '\\u0316\\u0301'.repeat(1e5))",
        "new Intl.ListFormat('es').format(Array(1e4).fill('x'.repeat(100))).length",
        "'Ά'.repeat(1e4).toLocaleUpperCase('el').length",
        "[...new Intl.Segmenter('en', { granularity: 'word' }).segment('a\\u0301'.repeat(1e4))].length",
        "[...new Intl.Segmenter('en', { granularity: 'sentence' }).segment('a. b'.repeat(1e3))].length",
    ],
)
def test_no_answer_takes_long(code: str) -> None:
    with Sandbox(limits=Limits(cpu_seconds=4, wall_seconds=20)) as box:
        box.eval(code)
        assert box.eval("1 + 1") == 2


def test_texts_of_the_host_stay_there(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError("/secret/path")

    monkeypatch.setattr(service, "form", fail)
    with Sandbox() as box, pytest.raises(JSError) as caught:
        box.eval("(1).toLocaleString()")
    assert "secret" not in str(caught.value)


def test_the_extra_is_what_is_looked_for() -> None:
    assert sandbox.intl.has_locales()
