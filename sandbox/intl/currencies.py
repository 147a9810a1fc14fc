"""Names and symbols of currencies."""

from __future__ import annotations

from typing import Any, Final

# Babel has no narrow symbols. These are those of English that differ from the usual ones; they hold in most locales.
_NARROW: Final = {
    "$": "ARS AUD BBD BMD BND BSD BZD CAD CLP COP CUC CUP DOP FJD GYD HKD JMD KYD LRD MXN NAD NZD SBD SGD SRD TTD TWD "
         "UYU XCD USD",
    "£": "FKP GIP SHP SSP SYP GBP", "kr": "DKK ISK NOK SEK", "Rs": "LKR MUR NPR PKR", "¥": "CNY JPY", "₩": "KPW KRW",
    "؋": "AFN", "֏": "AMD", "Kz": "AOA", "₼": "AZN", "KM": "BAM", "৳": "BDT", "Bs": "BOB", "P": "BWP", "₡": "CRC",
    "Kč": "CZK", "E£": "EGP", "₾": "GEL", "GH₵": "GHS", "FG": "GNF", "Q": "GTQ", "L": "HNL", "kn": "HRK", "Ft": "HUF",
    "Rp": "IDR", "⃀": "KGS", "៛": "KHR", "CF": "KMF", "₸": "KZT", "₭": "LAK", "L£": "LBP", "Ar": "MGA", "K": "MMK",
    "₮": "MNT", "RM": "MYR", "₦": "NGN", "C$": "NIO", "zł": "PLN", "₲": "PYG", "lei": "RON", "₽": "RUB", "RF": "RWF",
    "Db": "STN", "฿": "THB", "T$": "TOP", "₺": "TRY", "₴": "UAH", "R": "ZAR", "ZK": "ZMW", "€": "EUR", "₹": "INR",
    "₪": "ILS", "₫": "VND", "₱": "PHP",
}  # fmt: skip
_NARROW_OF: Final = {code: symbol for symbol, codes in _NARROW.items() for code in codes.split()}


def symbol(data: Any, language: str, code: str, display: str) -> str:  # noqa: ANN401 - Babel's
    """How a currency is shown beside its amount; not for the display `name`."""
    if display == "code":
        return code
    own = data["currency_symbols"]
    usual = own.get(code, code)
    narrow = _NARROW_OF.get(code, "") if display == "narrowSymbol" else ""
    return narrow if narrow and not (language == "ar" and narrow in "$£¥") else str(usual)


def name(data: Any, code: str, category: str) -> str:  # noqa: ANN401 - Babel's
    """The name of a currency, for an amount of a plural category."""
    plurals = data["currency_names_plural"]
    forms = plurals.get(code, {})
    if category in forms:
        return str(forms[category])
    if "other" in forms:
        return str(forms["other"])
    names = data["currency_names"]
    return str(names[code]) if code in names else code
