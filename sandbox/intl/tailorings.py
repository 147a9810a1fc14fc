"""How languages order letters otherwise than Unicode does by default.

Rules are written as in UTS 35, part 5: `&a` is a place, `<` another letter behind it, `<<` another accent, `<<<` another
case; `&[before 1]a` is the place before a letter. Of the languages CLDR knows, these are the ones with short rules.
"""

from __future__ import annotations

from typing import Final

_NORDIC: Final = "&D<<đ<<<Đ<<ð<<<Ð&Y<<ü<<<Ü<<ű<<<Ű"
_DANISH: Final = _NORDIC + "&[before 1]ǀ<æ<<<Æ<<ä<<<Ä<ø<<<Ø<<ö<<<Ö<<ő<<<Ő<å<<<Å<<aa<<<Aa<<<AA"
_SWEDISH: Final = _NORDIC + "&[before 1]ǀ<å<<<Å<ä<<<Ä<<æ<<<Æ<<ę<<<Ę<ö<<<Ö<<ø<<<Ø<<ő<<<Ő<<œ<<<Œ<<ô<<<Ô"
_CROATIAN: Final = (
    "&C<č<<<Č<ć<<<Ć&D<dž<<<Dž<<<DŽ<đ<<<Đ&L<lj<<<Lj<<<LJ&N<nj<<<Nj<<<NJ&S<š<<<Š&Z<ž<<<Ž"
)  # fmt: skip
_TURKISH: Final = "&C<ç<<<Ç&G<ğ<<<Ğ&[before 1]i<ı<<<I&i<<<İ&O<ö<<<Ö&S<ş<<<Ş&U<ü<<<Ü"

RULES: Final[dict[str, str]] = {
    "az": "&C<ç<<<Ç&E<ə<<<Ə&G<ğ<<<Ğ&H<x<<<X&[before 1]i<ı<<<I&i<<<İ&K<q<<<Q&O<ö<<<Ö&S<ş<<<Ş&U<ü<<<Ü",
    "bs": _CROATIAN,
    "cs": "&c<č<<<Č&h<ch<<<cH<<<Ch<<<CH&r<ř<<<Ř&s<š<<<Š&z<ž<<<Ž",
    "cy": "&C<ch<<<Ch<<<CH&D<dd<<<Dd<<<DD&F<ff<<<Ff<<<FF&G<ng<<<Ng<<<NG&L<ll<<<Ll<<<LL&P<ph<<<Ph<<<PH&R<rh<<<Rh<<<RH"
          "&T<th<<<Th<<<TH",
    "da": _DANISH,
    "de-phonebk": "&AE<<ä<<<Ä&OE<<ö<<<Ö&UE<<ü<<<Ü",
    "eo": "&C<ĉ<<<Ĉ&G<ĝ<<<Ĝ&H<ĥ<<<Ĥ&J<ĵ<<<Ĵ&S<ŝ<<<Ŝ&U<ŭ<<<Ŭ",
    "es": "&N<ñ<<<Ñ",
    "es-trad": "&C<ch<<<Ch<<<CH&N<ñ<<<Ñ&l<ll<<<Ll<<<LL",
    "et": "&[before 1]T<š<<<Š<z<<<Z<ž<<<Ž&[before 1]X<õ<<<Õ<ä<<<Ä<ö<<<Ö<ü<<<Ü",
    "fi": "&D<<đ<<<Đ&N<<ŋ<<<Ŋ&T<<ŧ<<<Ŧ&Y<<ü<<<Ü&Z<<ʒ<<<Ʒ&[before 1]ǀ<å<<<Å<ä<<<Ä<<æ<<<Æ<ö<<<Ö<<ø<<<Ø",
    "fil": "&N<ñ<<<Ñ<ng<<<Ng<<<NG",
    "fo": _DANISH,
    "gl": "&N<ñ<<<Ñ",
    "hr": _CROATIAN,
    "hu": "&C<cs<<<Cs<<<CS&D<dz<<<Dz<<<DZ<dzs<<<Dzs<<<DZS&G<gy<<<Gy<<<GY&L<ly<<<Ly<<<LY&N<ny<<<Ny<<<NY"
          "&O<ö<<<Ö<<ő<<<Ő&S<sz<<<Sz<<<SZ&T<ty<<<Ty<<<TY&U<ü<<<Ü<<ű<<<Ű&Z<zs<<<Zs<<<ZS",
    "is": "&[before 1]b<á<<<Á&d<<đ<<<Đ<ð<<<Ð&[before 1]f<é<<<É&[before 1]j<í<<<Í&[before 1]p<ó<<<Ó&[before 1]v<ú<<<Ú"
          "&[before 1]z<ý<<<Ý&[before 1]ǀ<æ<<<Æ<<ä<<<Ä<ö<<<Ö<<ø<<<Ø<å<<<Å",
    "lt": "&c<č<<<Č&I<<y<<<Y&s<š<<<Š&z<ž<<<Ž",
    "lv": "&[before 1]D<č<<<Č&[before 1]H<ģ<<<Ģ&I<<y<<<Y&[before 1]L<ķ<<<Ķ&[before 1]M<ļ<<<Ļ&[before 1]O<ņ<<<Ņ"
          "&[before 1]S<ŗ<<<Ŗ&[before 1]T<š<<<Š&[before 1]ʒ<ž<<<Ž",
    "nb": _DANISH,
    "nn": _DANISH,
    "no": _DANISH,
    "pl": "&a<ą<<<Ą&c<ć<<<Ć&e<ę<<<Ę&l<ł<<<Ł&n<ń<<<Ń&o<ó<<<Ó&s<ś<<<Ś&z<ź<<<Ź<ż<<<Ż",
    "ro": "&A<ă<<<Ă<â<<<Â&D<đ<<<Đ&I<î<<<Î&S<ș<<<Ș&T<ț<<<Ț&Z<ż<<<Ż",
    "sk": "&a<ä<<<Ä&c<č<<<Č&h<ch<<<cH<<<Ch<<<CH&o<ô<<<Ô&r<ř<<<Ř&s<š<<<Š&z<ž<<<Ž",
    "sl": "&C<č<<<Č<ć<<<Ć&D<đ<<<Đ&S<š<<<Š&Z<ž<<<Ž",
    "sq": "&C<ç<<<Ç&D<dh<<<Dh<<<DH&E<ë<<<Ë&G<gj<<<Gj<<<GJ&L<ll<<<Ll<<<LL&N<nj<<<Nj<<<NJ&R<rr<<<Rr<<<RR&S<sh<<<Sh<<<SH"
          "&T<th<<<Th<<<TH&X<xh<<<Xh<<<XH&Z<zh<<<Zh<<<ZH",
    "sr-Latn": _CROATIAN,
    "sv": _SWEDISH,
    "tr": _TURKISH,
    "uk": "&і<ї<<<Ї",
    "vi": "&A<ă<<<Ă<â<<<Â&D<đ<<<Đ&E<ê<<<Ê&O<ô<<<Ô<ơ<<<Ơ&U<ư<<<Ư",
}  # fmt: skip

# Scripts whose letters come before all others, by a letter at the beginning and one at the end of each in Unicode's order.
SCRIPTS_FIRST: Final[dict[str, tuple[str, str]]] = {
    "ar fa ur ps sd ug ks": ("ء", "ۓ"),
    "bg be kk ky mk mn ru sr tg uk tt ce cv os": ("а", "ӏ"),
    "el": ("α", "ω"),
    "he yi": ("א", "ת"),
    "hy": ("ա", "ֆ"),
    "ka": ("ა", "ჿ"),
    "hi mr ne kok sa mai doi": ("ॐ", "ह"),
    "th": ("ก", "ไ"),
    "ko": ("ᄀ", "ᇿ"),
    "zh yue": ("一", "\U00030000"),
}
