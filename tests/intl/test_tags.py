"""Language tags: their canonical form, likely subtags, and the locale that serves them."""

from __future__ import annotations

import pytest

from sandbox.intl import data, tags


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("EN-us", "en-US"),
        ("zh-hant-tw", "zh-Hant-TW"),
        ("iw", "he"),
        ("sh", "sr-Latn"),
        ("cmn", "zh"),
        ("art-lojban", "jbo"),
        ("sgn-us", "ase"),
        ("hy-su", "hy-AM"),
        ("sl-rozaj-biske-1994", "sl-1994-biske-rozaj"),
        ("ja-latn-hepburn-heploc", "ja-Latn-alalc97"),
        ("de-u-nu-latn-co-phonebk", "de-u-co-phonebk-nu-latn"),
        ("en-u-zzz-attr-kn-true", "en-u-attr-zzz-kn"),
        ("en-u-kn-yes", "en-u-kn"),
        ("en-u-ca-islamicc-ca-buddhist", "en-u-ca-islamic-civil"),
        ("ja-t-en-m0-names", "ja-t-en-m0-prprname"),
        ("en-b-second-a-first-x-a-b", "en-a-first-b-second-x-a-b"),
        ("de_DE", None),
        ("", None),
        ("a", None),
        ("abcd", None),
        ("x-private", None),
        ("i-klingon", None),
        ("de-1996-1996", None),
        ("en-u", None),
        ("en-u-u-ca", None),
        ("en-a-x", None),
        ("de-ä", None),
        ("en-" + "x-" + "a-" * 500 + "b", None),
    ],
)
def test_canonical_form(text: str, canonical: str | None) -> None:
    found = tags.parse(text)
    assert (None if found is None else str(found)) == canonical


@pytest.mark.parametrize(
    ("text", "full", "short"),
    [
        ("zh-TW", "zh-Hant-TW", "zh-TW"),
        ("en-Latn-US", "en-Latn-US", "en"),
        ("sr-Latn", "sr-Latn-RS", "sr-Latn"),
        ("und-CH", "de-Latn-CH", "de-CH"),
        ("qaa", None, "qaa"),
    ],
)
def test_likely_subtags(text: str, full: str | None, short: str) -> None:
    tag = tags.parse(text)
    assert tag is not None
    maximal = tags.maximize(tag)
    assert (None if maximal is None else str(maximal)) == full
    assert str(tags.minimize(tag)) == short


@pytest.mark.parametrize(
    ("text", "locale"),
    [("de-AT", "de-AT"), ("de-XX-1996", "de"), ("zh-TW", "zh-TW"), ("sr-RS", "sr-RS"), ("und", None), ("qaa", None)],
)
def test_the_locale_that_serves(text: str, locale: str | None) -> None:
    tag = tags.parse(text)
    assert tag is not None
    assert data.match(tag) == locale
