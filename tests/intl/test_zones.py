"""Time zones are what zoneinfo has them to be; their table is what the guest reads."""

from __future__ import annotations

import struct
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from sandbox.intl import zones

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def test_every_zone_at_every_transition() -> None:
    for name in zones.names()[::4]:
        zone = zones.find(name)
        assert zone is not None
        info = ZoneInfo(name)
        for moment in [*zone.moments[:150:3], *zone.moments[-30:], 0, 4_000_000_000]:
            if moment > 200_000_000_000:
                continue
            for seconds in (moment - 1, moment):
                offset = (EPOCH + timedelta(seconds=seconds)).astimezone(info).utcoffset()
                assert offset is not None
                assert zone.at(seconds).seconds == offset.total_seconds(), (name, seconds)


def test_rules_hold_for_ever() -> None:
    zone = zones.find("Europe/Berlin")
    assert zone is not None
    cycle = 146_097 * 86_400
    summer = 1_720_000_000
    for cycles in (1, 20, 600):
        assert zone.at(summer + cycles * cycle) == zone.at(summer)
        assert zone.at(summer + cycles * cycle + 15_768_000).abbreviation == "CET"


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("Europe/Berlin", "Europe/Berlin"),
        ("EUROPE/BERLIN", "Europe/Berlin"),
        ("utc", "UTC"),
        ("Etc/GMT", "UTC"),
        ("+01:30", "+01:30"),
        ("-0130", "-01:30"),
        ("-00:00", "+00:00"),
        ("+24:00", None),
        ("Europe", None),
        ("Europe/../Europe/Berlin", None),
        ("/usr/share/zoneinfo/UTC", None),
        ("Europe/Berlin\0", None),
        ("tzdata.zi", None),
        ("posixrules", None),
        ("Factory", None),
        ("localtime", None),
        ("", None),
        ("A" * 500, None),
    ],
)
def test_names(name: str, found: str | None) -> None:
    for find in (zones.find, zones.named):
        zone = find(name)
        assert (None if zone is None else zone.name) == found


def test_the_table() -> None:
    zone = zones.find("Asia/Tokyo")
    assert zone is not None
    table = zone.table()
    assert struct.unpack_from("<Ii", table) == (0, zone.locals[0].seconds)
    assert len(table) == 8 + 12 * len(zone.moments)
    assert struct.unpack_from("<qi", table, 8) == (zone.moments[0], zone.locals[1].seconds)


@pytest.mark.parametrize(
    ("footer", "moment", "seconds"),
    [
        ("EST5EDT,M3.2.0,M11.1.0", 1_720_000_000, -14_400),
        ("<-03>3<-02>,M3.5.0/-2,M10.5.0/-1", 1_720_000_000, -7200),
        ("AEST-10AEDT,J274/2,J91/3", 1_720_000_000, 36_000),
        ("AEST-10AEDT,273,90/3", 1_735_000_000, 39_600),
    ],
)
def test_rules_of_every_form(footer: str, moment: int, seconds: int) -> None:
    first = zones.Local(0, False, "")
    ruled = zones._ruled("Any", footer, [], first)
    before = [local for at, local in ruled if at <= moment]
    assert before[-1].seconds == seconds
    assert [at for at, _ in ruled] == sorted(at for at, _ in ruled)


def test_a_zone_that_is_missing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("zoneinfo.TZPATH", ())
    monkeypatch.setattr("importlib.resources.files", lambda _: (_ for _ in ()).throw(ModuleNotFoundError))
    with pytest.raises(LookupError):
        zones._read("Europe/Berlin")
