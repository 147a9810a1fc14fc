"""Language tags: BCP 47 with Unicode's extensions (UTS 35), parsed and brought into their canonical form."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

from babel.core import get_global

from sandbox._records import field, record, replace

_MAX_CHARS: Final = 400
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}|[a-z]{5,8}")
_SCRIPT: Final = re.compile(r"[a-z]{4}")
_REGION: Final = re.compile(r"[a-z]{2}|[0-9]{3}")
_VARIANT: Final = re.compile(r"[a-z0-9]{5,8}|[0-9][a-z0-9]{3}")
_KEY: Final = re.compile(r"[a-z0-9][a-z]")
_FIELD: Final = re.compile(r"[a-z][0-9]")
_TYPE: Final = re.compile(r"[a-z0-9]{3,8}")
_OTHER: Final = re.compile(r"[a-z0-9]{2,8}")
_PRIVATE: Final = re.compile(r"[a-z0-9]{1,8}")
_ALPHANUMERIC: Final = re.compile(r"[a-z0-9]+")
_LIKELY_CHARS: Final = re.compile(r"[A-Za-z0-9_]{2,40}")

# Values of keywords that have been given others; from the registry of UTS 35.
_TYPE_ALIASES: Final = {
    "ca": {"islamicc": "islamic-civil", "ethiopic-amete-alem": "ethioaa", "gregorian": "gregory"},
    "kb": {"yes": ""},
    "kc": {"yes": ""},
    "kh": {"yes": ""},
    "kk": {"yes": ""},
    "kn": {"yes": ""},
    "ks": {"primary": "level1", "tertiary": "level3"},
    "ms": {"imperial": "uksystem"},
    "tz": {"cnckg": "cnsha", "eire": "iedub", "est": "papty", "gmt0": "gmt", "uct": "utc", "zulu": "utc"},
}
# Tags of before there was a rule for them, and other identifiers of several parts that have been given one.
_WHOLE: Final = {
    "art-lojban": "jbo", "cel-gaulish": "xtg", "zh-guoyu": "zh", "zh-hakka": "hak", "zh-xiang": "hsn",
    "hy-arevela": "hy", "hy-arevmda": "hyw", "aa-saaho": "ssy", "sgn-BR": "bzs", "sgn-CO": "csn", "sgn-DE": "gsg",
    "sgn-DK": "dsl", "sgn-ES": "ssp", "sgn-FR": "fsl", "sgn-GB": "bfi", "sgn-GR": "gss", "sgn-IE": "isg",
    "sgn-IT": "ise", "sgn-JP": "jsl", "sgn-MX": "mfs", "sgn-NI": "ncs", "sgn-NL": "dse", "sgn-NO": "nsi",
    "sgn-PT": "psr", "sgn-SE": "swl", "sgn-US": "ase", "sgn-ZA": "sfs",
}  # fmt: skip
_FIELD_ALIASES: Final = {"m0": {"names": "prprname"}}


@record(frozen=True, slots=True)
class Tag:
    """A language tag, in its canonical form.

    Attributes:
        language: In lower case.
        script: In title case; empty: none.
        region: In upper case; empty: none.
        variants: In lower case, sorted.
        attributes: Of the Unicode extension.
        keywords: Of it: key and type, sorted; an empty type means true.
        extensions: The others, whole, sorted by their letters.
        private: What is for private use, whole; empty: nothing.
    """

    language: str
    script: str = ""
    region: str = ""
    variants: tuple[str, ...] = ()
    attributes: tuple[str, ...] = ()
    keywords: tuple[tuple[str, str], ...] = ()
    extensions: tuple[str, ...] = field(default=())
    private: str = ""

    @property
    def base(self) -> str:
        """The tag without extensions."""
        return "-".join(part for part in (self.language, self.script, self.region, *self.variants) if part)

    def __str__(self) -> str:
        extensions = list(self.extensions)
        if self.attributes or self.keywords:
            words = [part for keyword in self.keywords for part in keyword if part]
            extensions.append("-".join(("u", *self.attributes, *words)))
        return "-".join([self.base, *sorted(extensions), *([self.private] if self.private else [])])


@lru_cache(maxsize=256)
def parse(text: str) -> Tag | None:
    """The canonical form of a language tag; None: it is no tag."""
    if len(text) > _MAX_CHARS or not text.isascii():
        return None
    parts = text.lower().split("-")
    reader = _Reader(parts)
    tag = reader.tag()
    if tag is None or reader.parts:
        return None
    return _aliased(tag)


class _Reader:
    """Takes subtags from the front."""

    def __init__(self, parts: list[str]) -> None:
        self.parts = parts

    def take(self, form: re.Pattern[str]) -> str:
        return self.parts.pop(0) if self.parts and form.fullmatch(self.parts[0]) else ""

    def take_all(self, form: re.Pattern[str]) -> list[str]:
        found = []
        while part := self.take(form):
            found.append(part)
        return found

    def identifier(self) -> Tag | None:
        language = self.take(_LANGUAGE)
        if not language:
            return None
        script, region, variants = self.take(_SCRIPT), self.take(_REGION), self.take_all(_VARIANT)
        if len(set(variants)) != len(variants):
            return None
        return Tag(language, script.title(), region.upper(), tuple(sorted(variants)))

    def tag(self) -> Tag | None:
        tag = self.identifier()
        if tag is None:
            return None
        seen: set[str] = set()
        extensions: list[str] = []
        while self.parts and len(self.parts[0]) == 1 and self.parts[0] != "x":
            letter = self.parts.pop(0)
            if letter in seen or not _ALPHANUMERIC.fullmatch(letter):
                return None
            seen.add(letter)
            if letter == "u":
                attributes = self.take_all(_TYPE)
                keywords = self._keywords()
                if not attributes and not keywords:
                    return None
                tag = replace(tag, attributes=tuple(sorted(set(attributes))), keywords=tuple(sorted(keywords.items())))
                continue
            text = self._transformed() if letter == "t" else "-".join(self.take_all(_OTHER))
            if not text:
                return None
            extensions.append(f"{letter}-{text}")
        tag = replace(tag, extensions=tuple(sorted(extensions)))
        if self.parts[:1] == ["x"]:
            self.parts.pop(0)
            private = self.take_all(_PRIVATE)
            if not private:
                return None
            tag = replace(tag, private="-".join(("x", *private)))
        return tag

    def _keywords(self) -> dict[str, str]:
        keywords: dict[str, str] = {}
        while key := self.take(_KEY):
            value = "-".join(self.take_all(_TYPE))
            value = _TYPE_ALIASES.get(key, {}).get(value, value)
            keywords.setdefault(key, "" if value == "true" else value)
        return keywords

    def _transformed(self) -> str:
        source = None
        if self.parts and _LANGUAGE.fullmatch(self.parts[0]):
            source = self.identifier()
        fields = {}
        while key := self.take(_FIELD):
            values = self.take_all(_TYPE)
            if not values or key in fields:
                return ""
            value = "-".join(values)
            fields[key] = _FIELD_ALIASES.get(key, {}).get(value, value)
        head = [_aliased(source).base.lower()] if source else []
        return "-".join([*head, *(f"{key}-{value}" for key, value in sorted(fields.items()))])


def _aliased(tag: Tag) -> Tag:
    """Replace what has been given another name."""
    for old, new in _WHOLE.items():
        language, part = old.split("-")
        if tag.language == language and (part == tag.region or part in tag.variants):
            others = tuple(variant for variant in tag.variants if variant != part)
            tag = replace(tag, language=new, region="" if part == tag.region else tag.region, variants=others)
    # The global data of Babel speaks of identifiers with underscores.
    language = tag.language
    if (known := get_global("language_aliases").get(language)) is not None:
        parts = str(known).replace("_", "-").lower().split("-")
        other = _Reader(parts).identifier()
        if other is not None:
            tag = replace(
                tag, language=other.language, script=tag.script or other.script, region=tag.region or other.region
            )
    if (script := get_global("script_aliases").get(tag.script)) is not None:
        tag = replace(tag, script=str(script))
    if tag.region and (regions := get_global("territory_aliases").get(tag.region)) is not None:
        tag = replace(tag, region=_region_of(tag, [regions] if isinstance(regions, str) else list(regions)))
    aliases = get_global("variant_aliases")
    if "heploc" in tag.variants:  # it was said with another
        tag = replace(tag, variants=tuple(variant for variant in tag.variants if variant != "hepburn"))
    variants = (str(aliases.get(variant, variant)).lower() for variant in tag.variants)
    return replace(tag, variants=tuple(sorted(set(variants))))


def _region_of(tag: Tag, regions: list[str]) -> str:
    """Of several regions that have taken a region's place, the one where the language is spoken."""
    if len(regions) > 1:
        likely = maximize(replace(tag, region=""))
        if likely is not None and likely.region in regions:
            return likely.region
    return regions[0]


def maximize(tag: Tag) -> Tag | None:
    """A tag with the likely subtags added; None: nothing is known of it."""
    if tag.language != "und" and tag.script and tag.region:
        return tag
    table = get_global("likely_subtags")
    for key in (
        (tag.language, tag.script, tag.region),
        (tag.language, tag.region),
        (tag.language, tag.script),
        (tag.language,),
    ):
        if not all(key):
            continue
        found = table.get("_".join(key))
        if found is not None:
            language, script, region, *_ = str(found).split("_")
            return replace(
                tag,
                language=language if tag.language == "und" else tag.language,
                script=tag.script or script,
                region=tag.region or region,
            )
    return None


def minimize(tag: Tag) -> Tag:
    """A tag without the subtags that are likely."""
    full = maximize(tag)
    if full is None:
        return tag
    for trial in (
        replace(full, script="", region=""),
        replace(full, script=""),
        replace(full, region=""),
    ):
        again = maximize(trial)
        if again is not None and again.base == full.base:
            return trial
    return full
