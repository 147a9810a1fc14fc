"""Orders of texts, as Node has them too."""

from __future__ import annotations

from functools import cmp_to_key

import pytest

from sandbox.intl.collation import CollationRules
from sandbox.intl.tailorings import RULES

OPTIONS = {
    "collation": "default",
    "numeric": False,
    "caseFirst": "false",
    "sensitivity": "variant",
    "ignorePunctuation": False,
}


@pytest.mark.parametrize(
    ("locale", "changes", "ordered"),
    [
        ("en", {}, "_ - 0 1 10 2 a A á ab b B z"),
        ("en", {"numeric": True}, "x x1 x2 x10 x010y x11"),
        ("en", {"caseFirst": "upper"}, "A a B b"),
        ("de", {}, "a ä Ä b o ö p ss ß z"),
        ("de", {"collation": "phonebk"}, "ad ae ä af"),
        ("sv", {}, "a z å ä ö"),
        ("da", {"caseFirst": "upper"}, "A a z æ ø å aa"),
        ("fi", {}, "a v w z å ä ö"),
        ("es", {}, "n nz ñ o"),
        ("es", {"collation": "trad"}, "cz ch d lz ll m"),
        ("cs", {}, "c č d h ch i r ř s š z ž"),
        ("pl", {}, "a ą b l ł m z ź ż"),
        ("hu", {}, "c cz cs d o ö ő p"),
        ("hr", {}, "c č ć d dž đ l lj m"),
        ("lt", {}, "c č i y j"),
        ("et", {}, "s š z ž t u õ ä ö ü x"),
        ("tr", {}, "c ç h ı i o ö"),
        ("vi", {}, "a ă â b d đ"),
        ("ru", {}, "а б е ё ж я a z"),
        ("uk", {}, "а г ґ і ї й"),
        ("el", {}, "α ά β a"),
        ("zh", {}, "一 a"),
        ("ja", {}, "a あ い 一"),
        ("fr-CA", {}, "cote côte coté côté"),
        ("fr", {}, "cote coté côte côté"),
    ],
)
def test_orders(locale: str, changes: dict[str, object], ordered: str) -> None:
    rules = CollationRules({**OPTIONS, **changes, "locale": locale})
    words = ordered.split()

    shuffled = words[1:] + words[:1]
    assert sorted(shuffled, key=cmp_to_key(rules.compare)) == words


@pytest.mark.parametrize(
    ("sensitivity", "equal"),
    [("base", {"a", "A", "á"}), ("accent", {"a", "A"}), ("case", {"a", "á"}), ("variant", {"a"})],
)
def test_sensitivity(sensitivity: str, equal: set[str]) -> None:
    rules = CollationRules({**OPTIONS, "sensitivity": sensitivity, "locale": "en"})
    assert {text for text in ("a", "A", "á", "b") if rules.compare("a", text) == 0} == equal


def test_punctuation_can_be_left_out() -> None:
    rules = CollationRules({**OPTIONS, "ignorePunctuation": True, "locale": "en"})
    assert rules.compare("co-op", "coop") == 0 == rules.compare("a b", "ab")


def test_long_texts_are_ordered_by_what_follows() -> None:
    rules = CollationRules({**OPTIONS, "locale": "en"})
    long = "a" * 5000
    assert rules.compare(long + "b", long + "c") == -1 == rules.compare(long, long + "a")


def test_odd_texts_have_an_order() -> None:
    rules = CollationRules({**OPTIONS, "numeric": True, "locale": "vi"})
    odd = ["", "\ud800", "\0", "\U0010ffff", "각", "१२", "\u0301", "a\u0316\u0301", "㐀", "\u0e40\u0e01"]
    for first in odd:
        for second in odd:
            assert rules.compare(first, second) == -rules.compare(second, first)


@pytest.mark.parametrize("language", RULES)
def test_all_rules_can_be_read(language: str) -> None:
    name = {"de-phonebk": "de", "es-trad": "es", "sr-Latn": "sr-Latn"}.get(language, language)
    CollationRules({**OPTIONS, "locale": name}).compare("a", "b")
