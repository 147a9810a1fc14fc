"""Intl in the guest: what programs see, compared with what Node 20 says of the same expressions."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from sandbox import Sandbox

# Expressions and what they are in Node 20.20 (ICU 78), in 18 locales; those of which CLDR 47 and 48 say the same.
CASES: dict[str, str] = json.loads(Path(__file__).with_name("intl_cases.json").read_text("utf-8"))


def test_as_in_node(box: Sandbox) -> None:
    box.globals["cases"] = list(CASES)

    found = box.eval("cases.map(code => String((0, eval)(code)))")

    assert dict(zip(CASES, found, strict=True)) == CASES


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("(1234567.891).toLocaleString()", "1,234,567.891"),
        ("(1234567.891).toLocaleString('de')", "1.234.567,891"),
        ("(12345678901234567890n).toLocaleString('de-CH')", "12’345’678’901’234’567’890"),
        ("(0.256).toLocaleString('en', { style: 'percent' })", "26%"),
        ("[1234.5, null, new Date(0)].toLocaleString('de', { timeZone: 'UTC' })", "1.234,5,,1.1.1970, 00:00:00"),
        ("new Float64Array([1.5, 2000]).toLocaleString('fr')", "1,5,2\u202f000"),
        ("new Date(0).toLocaleDateString('en-GB')", "01/01/1970"),
        ("new Date(0).toLocaleTimeString('en-US')", "12:00:00 AM"),
        ("new Date(NaN).toLocaleString('de')", "Invalid Date"),
        ("'I'.toLocaleLowerCase('tr') + 'i'.toLocaleUpperCase('az')", "ıİ"),
        ("'άΐ'.toLocaleUpperCase('el') + 'ß'.toLocaleUpperCase()", "ΑΪSS"),
        ("'Ì'.toLocaleLowerCase('lt').length", 3),
        ("'a'.localeCompare('B')", -1),
        ("'ä'.localeCompare('z', 'de') + 2 * 'ä'.localeCompare('z', 'sv')", 1),
        ("'résumé'.localeCompare('Resume', 'fr', { sensitivity: 'base' })", 0),
        ("['a10', 'a9', 'A1'].sort(new Intl.Collator('en', { numeric: true }).compare).join()", "A1,a9,a10"),
        ("['chalupa', 'cena', 'hora'].sort(new Intl.Collator('cs').compare).join()", "cena,hora,chalupa"),
        ("['Ä', 'AZ', 'Az'].sort(new Intl.Collator('de-u-co-phonebk').compare).join()", "Ä,Az,AZ"),
        ("new Intl.NumberFormat('en').format('1234567890123456789012345.5')", "1,234,567,890,123,456,789,012,345.5"),
        ("new Intl.NumberFormat('en', { maximumFractionDigits: 2 }).format(1.005)", "1.01"),
        ("new Intl.NumberFormat('en', { roundingIncrement: 5, maximumFractionDigits: 2, minimumFractionDigits: 2 })"
         ".format(1.23)", "1.25"),
        ("new Intl.NumberFormat('ar-EG').format(-1234.5)", "\u061c-١٬٢٣٤٫٥"),
        ("new Intl.NumberFormat('th-u-nu-thai').format(25)", "๒๕"),
        ("Intl.NumberFormat('en').format(-0)", "-0"),
        ("new Intl.PluralRules('en', { type: 'ordinal' }).select(22)", "two"),
        ("new Intl.PluralRules('ar').resolvedOptions().pluralCategories.join()", "zero,one,two,few,many,other"),
        ("new Intl.RelativeTimeFormat('de', { numeric: 'auto' }).format(-1, 'day')", "gestern"),
        ("new Intl.RelativeTimeFormat('en').format(3, 'quarters')", "in 3 quarters"),
        ("new Intl.ListFormat('es', { type: 'disjunction' }).format(['siete', 'ocho'])", "siete u ocho"),
        ("new Intl.DisplayNames('de', { type: 'currency' }).of('usd')", "US-Dollar"),
        ("new Intl.DisplayNames('en', { type: 'region', fallback: 'none' }).of('QQ')", "undefined"),
        ("new Intl.Locale('en-Latn-US', { hourCycle: 'h23' }).minimize().toString()", "en-u-hc-h23"),
        ("new Intl.Locale('zh').maximize().toString()", "zh-Hans-CN"),
        ("Intl.getCanonicalLocales(['EN-us', 'iw', 'en-US']).join()", "en-US,he"),
        ("Intl.NumberFormat.supportedLocalesOf(['de', 'xx', 'zh-TW']).join()", "de,zh-TW"),
        ("Intl.supportedValuesOf('unit').length", 45),
        ("Object.prototype.toString.call(Intl)", "[object Intl]"),
        ("new Intl.DateTimeFormat('en', { timeZone: '+05:30', timeStyle: 'short' }).format(0)", "5:30 AM"),
        ("new Intl.DateTimeFormat('en', { timeZone: 'asia/calcutta' }).resolvedOptions().timeZone", "Asia/Calcutta"),
        ("new Intl.DateTimeFormat('de', { dateStyle: 'full', timeStyle: 'long', timeZone: 'Europe/Berlin' }).format(0)",
         "Donnerstag, 1. Januar 1970 um 01:00:00 MEZ"),
        ("new Intl.DateTimeFormat('en-US', { hour: 'numeric', hour12: false, timeZone: 'UTC' }).format(0)", "00"),
        ("[...new Intl.Segmenter('en').segment('e\\u0301👩‍👩‍👧🇩🇪')].length", 3),
        ("[...new Intl.Segmenter('en', { granularity: 'word' }).segment(\"It can't be.\")].filter(s => s.isWordLike)"
         ".map(s => s.segment).join('|')", "It|can't|be"),
        ("[...new Intl.Segmenter('en', { granularity: 'sentence' }).segment('Mr. x left. Who?')].length", 2),
    ],
)  # fmt: skip
def test_values(box: Sandbox, code: str, value: Any) -> None:
    assert box.eval(f"(v => v === undefined ? 'undefined' : v)({code})") == value


@pytest.mark.parametrize(
    ("code", "failure"),
    [
        ("new Intl.NumberFormat('de_DE')", "RangeError RangeError: Incorrect locale information provided"),
        ("new Intl.NumberFormat(['en', 5])", "TypeError TypeError: Incorrect locale information provided"),
        ("new Intl.NumberFormat('en', null)", "TypeError TypeError: "),
        ("new Intl.NumberFormat('en', { style: 'currency' })", "TypeError TypeError: Currency code is required"),
        ("new Intl.NumberFormat('en', { style: 'odd' })", "RangeError RangeError: Value odd out of range"),
        ("new Intl.NumberFormat('en', { style: 'unit', unit: 'parsec' })", "RangeError RangeError: Invalid unit"),
        ("new Intl.NumberFormat('en', { minimumFractionDigits: 101 })", "RangeError RangeError: "),
        ("new Intl.NumberFormat('en').format(10n ** 5000n)", "RangeError RangeError: a number of more than 4000"),
        ("new Intl.NumberFormat('en').format(Symbol())", "TypeError TypeError: "),
        ("new Intl.DateTimeFormat('en', { timeZone: '../etc/passwd' })", "RangeError RangeError: Invalid time zone"),
        ("new Intl.DateTimeFormat('en', { dateStyle: 'full', day: 'numeric' })", "TypeError TypeError: "),
        ("new Intl.DateTimeFormat('en').format(NaN)", "RangeError RangeError: Invalid time value"),
        ("new Intl.DateTimeFormat('en').formatRange(1)", "TypeError TypeError: "),
        ("new Intl.RelativeTimeFormat('en').format(1, 'decade')", "RangeError RangeError: Invalid unit"),
        (
            "new Intl.ListFormat('en').format([1])",
            "TypeError TypeError: Iterable yielded a value which is not a string",
        ),
        ("new Intl.ListFormat('en').format(Array(10001).fill(''))", "RangeError RangeError: a list of more than 10000"),
        ("new Intl.DisplayNames('en', { type: 'region' }).of('xxxx')", "RangeError RangeError: "),
        ("new Intl.Locale()", "TypeError TypeError: "),
        ("Intl.PluralRules()", "TypeError TypeError: Constructor Intl.PluralRules requires 'new'"),
        ("Intl.supportedValuesOf('colour')", "RangeError RangeError: Invalid key : colour"),
        ("Intl.NumberFormat.prototype.resolvedOptions.call({})", "TypeError TypeError: Method Intl.NumberFormat"),
        ("''.localeCompare.call(null, '')", "TypeError TypeError: "),
        ("(1).toLocaleString('i')", "RangeError RangeError: "),
        ("const a = new Uint8Array(2); a.buffer.transfer(); a.toLocaleString()", "TypeError TypeError: "),
        (
            "const b = new ArrayBuffer(2, {maxByteLength: 4}), a = new Uint8Array(b, 1, 1);"
            "b.resize(1); a.toLocaleString()",
            "TypeError TypeError: ",
        ),
    ],
)
def test_refusals(refused: Callable[[str], str], code: str, failure: str) -> None:
    assert refused(code).startswith(failure)


SHAPE = """
Object.getOwnPropertyNames(Intl).map(name => {
  const value = Intl[name];
  const own = Object.getOwnPropertyDescriptor(Intl, name);
  const isClass = typeof value.prototype === "object";
  return [name, value.length, own.writable, own.enumerable, own.configurable, isClass &&
    Object.prototype.toString.call(value.prototype), isClass && Object.keys(value.prototype).length];
})
"""


def test_shape(box: Sandbox) -> None:
    shape = {name: tuple(rest) for name, *rest in box.eval(SHAPE)}

    assert {name: rest[0] for name, rest in shape.items()} == {
        "getCanonicalLocales": 1,
        "supportedValuesOf": 1,
        "Collator": 0,
        "DateTimeFormat": 0,
        "DisplayNames": 2,
        "ListFormat": 0,
        "Locale": 1,
        "NumberFormat": 0,
        "PluralRules": 0,
        "RelativeTimeFormat": 0,
        "Segmenter": 0,
    }
    assert {rest[1:4] for rest in shape.values()} == {(True, False, True)}
    assert {rest[4:] for name, rest in shape.items() if name[0].isupper()} == {
        (f"[object Intl.{name}]", 0) for name in shape if name[0].isupper()
    }


def test_the_order_in_which_options_are_read(box: Sandbox) -> None:
    code = """
      const read = [];
      new Intl.NumberFormat("en", new Proxy({}, { get(_, key) { read.push(key) } }));
      read.join(" ")
    """
    assert box.eval(code) == (
        "localeMatcher numberingSystem style currency currencyDisplay currencySign unit unitDisplay notation "
        "minimumIntegerDigits minimumFractionDigits maximumFractionDigits minimumSignificantDigits "
        "maximumSignificantDigits roundingIncrement roundingMode roundingPriority trailingZeroDisplay compactDisplay "
        "useGrouping signDisplay"
    )


@pytest.fixture
def german() -> Iterator[Sandbox]:
    with Sandbox(locale="de-DE", time_zone="Asia/Tokyo") as box:
        yield box


@pytest.mark.parametrize(
    ("code", "value"),
    [
        ("(1234.5).toLocaleString()", "1.234,5"),
        ("new Date(0).toLocaleString()", "1.1.1970, 09:00:00"),
        ("Intl.DateTimeFormat().resolvedOptions().timeZone", "Asia/Tokyo"),
        ("Intl.NumberFormat().resolvedOptions().locale", "de-DE"),
        ("Intl.NumberFormat('xx').resolvedOptions().locale", "de-DE"),
        ("new Date(0).toLocaleString('en-US', { timeZone: 'UTC', timeStyle: 'short' })", "12:00 AM"),
    ],
)
def test_defaults(german: Sandbox, code: str, value: str) -> None:
    assert german.eval(code) == value
