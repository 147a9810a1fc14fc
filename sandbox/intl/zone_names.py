"""What time zones are called."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from babel.core import get_global

from sandbox.intl.digits import translate

if TYPE_CHECKING:
    from sandbox.intl.data import Locale
    from sandbox.intl.zones import Local, Zone

_MINUS_SIGN: Final = frozenset({"fr", "et", "eu", "gsw", "hr", "lt", "nb", "nn", "no", "rm", "se", "sl", "sv"})
_NOT_INHERITED: Final = "∅∅∅"
_KINDS: Final = {1: "short", 4: "long"}


def zone_name(locale: Locale, system: str, zone: Zone, local: Local, letter: str, count: int) -> str:
    """A zone's name at a moment.

    Args:
        locale: In whose language.
        system: The numbering system of offsets.
        zone: The zone.
        local: What holds there at that moment.
        letter: `z`: the name of this time, `v`: of the zone, `O`: its offset.
        count: 1: short, 4: long.
    """
    width = "long" if count == 4 else "short"
    if zone.name == "UTC" and letter == "z" and width == "short":
        return "UTC"
    if letter == "z":
        variant = "daylight" if local.is_daylight else "standard"
        # French has short names for Canada, which elsewhere nobody knows.
        is_known = width == "long" or locale.language != "fr" or locale.region == "CA"
        name = _own(locale, zone, width, variant) if is_known else ""
        if name:
            return name
    elif letter == "v" and zone.name[:1] not in "+-" and zone.name != "UTC":
        name = _own(locale, zone, width, "generic")
        if not name and not _has_daylight(zone):
            name = _own(locale, zone, width, "standard")
        name = name or _place(locale, zone)
        if name:
            return name
    return offset(locale, system, local.seconds, is_long=width == "long", always=letter != "z")


def offset(locale: Locale, system: str, seconds: int, *, is_long: bool, always: bool) -> str:
    """An offset from UTC, such as `GMT+1`."""
    template = str(locale.data["zone_formats"]["gmt"])
    if not seconds and not always:
        return template.replace("%s", "").strip()
    sign = "+" if seconds >= 0 else "\u2212" if locale.language in _MINUS_SIGN else "-"
    hours, rest = divmod(abs(seconds), 3600)
    minutes, rest = divmod(rest, 60)
    text = f"{hours:02}:{minutes:02}" if is_long else str(hours) + (f":{minutes:02}" if minutes or rest else "")
    if rest:
        text += f":{rest:02}"
    return template.replace("%s", sign + translate(text, system))


def _own(locale: Locale, zone: Zone, width: str, variant: str) -> str:
    """The name that the locale has, of the zone or of those that go by the same clocks."""
    data = locale.data
    name = str(get_global("zone_aliases").get(zone.name, zone.name))
    if name == "UTC":
        name = "Etc/UTC"
    for table, key in (("time_zones", name), ("meta_zones", get_global("meta_zones").get(name))):
        info: Any = data[table][key] if key is not None and key in data[table] else {}
        names = info.get(width, {})
        if variant in names and names[variant] != _NOT_INHERITED:
            return str(names[variant])
    return ""


def _has_daylight(zone: Zone) -> bool:
    return any(local.is_daylight for local in zone.locals[-2:])


def _place(locale: Locale, zone: Zone) -> str:
    """The zone by where it is: its country, if that has no other, or its city."""
    data = locale.data
    name = str(get_global("zone_aliases").get(zone.name, zone.name))
    territory = get_global("zone_territories").get(name)
    template = str(data["zone_formats"]["region"])
    if territory is None:
        return ""
    zones = get_global("territory_zones").get(territory, ())
    if len(zones) == 1 or name in _MAIN:
        territories = data["territories"]
        place = str(territories[territory]) if territory in territories else str(territory)
    else:
        info = data["time_zones"].get(name, {})
        place = str(info["city"]) if "city" in info else name.rpartition("/")[2].replace("_", " ")
    return template.replace("%s", place)


# Of countries with several zones, those that stand for the country (CLDR's primaryZones).
_MAIN: Final = frozenset({
    "America/Guayaquil", "America/Santiago", "Asia/Kuala_Lumpur", "Asia/Shanghai", "Asia/Tashkent", "Europe/Berlin",
    "Europe/Kiev", "Europe/Kyiv", "Europe/Lisbon", "Europe/Madrid", "Pacific/Auckland", "Pacific/Majuro",
})  # fmt: skip
