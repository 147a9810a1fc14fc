"""Words that Babel leaves out of its data: relative days and the like, and what joins a date and a time.

They are those of CLDR (https://cldr.unicode.org, Unicode License v3), for widely spoken languages.
"""

from __future__ import annotations

from typing import Final

# In this order, of each language; empty: there is no word.
_SLOTS: Final = (
    "second0", "minute0", "hour0", "day-2", "day-1", "day0", "day1", "day2", "week-1", "week0", "week1", "month-1", "month0",
    "month1", "quarter-1", "quarter0", "quarter1", "year-1", "year0", "year1",
)  # fmt: skip
_RELATIVE: Final = {
    "ar":
        "الآن|هذه الدقيقة|الساعة الحالية|أول أمس|أمس|اليوم|غدًا|بعد الغد|الأسبوع الماضي|هذا الأسبوع|"
        "الأسبوع القادم|الشهر الماضي|هذا الشهر|الشهر القادم|الربع الأخير|هذا الربع|الربع القادم|"
        "السنة الماضية|السنة الحالية|السنة القادمة",
    "bg":
        "сега|в тази минута|в този час|онзи ден|вчера|днес|утре|вдругиден|предходната седмица|тази седмица|"
        "следващата седмица|предходен месец|този месец|следващ месец|предходно тримесечие|това тримесечие|"
        "следващо тримесечие|миналата година|тази година|следващата година",
    "ca":
        "ara|aquest minut|aquesta hora|abans-d’ahir|ahir|avui|demà|demà passat|la setmana passada|"
        "aquesta setmana|la setmana que ve|el mes passat|aquest mes|el mes que ve|el trimestre passat|"
        "aquest trimestre|el trimestre que ve|l’any passat|enguany|l’any que ve",
    "cs":
        "nyní|tuto minutu|tuto hodinu|předevčírem|včera|dnes|zítra|pozítří|minulý týden|tento týden|"
        "příští týden|minulý měsíc|tento měsíc|příští měsíc|minulé čtvrtletí|toto čtvrtletí|"
        "příští čtvrtletí|minulý rok|tento rok|příští rok",
    "da":
        "nu|dette minut|denne time|i forgårs|i går|i dag|i morgen|i overmorgen|sidste uge|denne uge|"
        "næste uge|sidste måned|denne måned|næste måned|sidste kvartal|dette kvartal|næste kvartal|"
        "sidste år|i år|næste år",
    "de":
        "jetzt|in dieser Minute|in dieser Stunde|vorgestern|gestern|heute|morgen|übermorgen|letzte Woche|"
        "diese Woche|nächste Woche|letzten Monat|diesen Monat|nächsten Monat|letztes Quartal|"
        "dieses Quartal|nächstes Quartal|letztes Jahr|dieses Jahr|nächstes Jahr",
    "el":
        "τώρα|τρέχον λεπτό|τρέχουσα ώρα|προχθές|χθες|σήμερα|αύριο|μεθαύριο|προηγούμενη εβδομάδα|"
        "τρέχουσα εβδομάδα|επόμενη εβδομάδα|προηγούμενος μήνας|τρέχων μήνας|επόμενος μήνας|"
        "προηγούμενο τρίμηνο|τρέχον τρίμηνο|επόμενο τρίμηνο|πέρσι|φέτος|επόμενο έτος",
    "en":
        "now|this minute|this hour||yesterday|today|tomorrow||last week|this week|next week|last month|"
        "this month|next month|last quarter|this quarter|next quarter|last year|this year|next year",
    "en-short":
        "now|this minute|this hour||yesterday|today|tomorrow||last wk.|this wk.|next wk.|last mo.|this mo.|next mo.|"
        "last qtr.|this qtr.|next qtr.|last yr.|this yr.|next yr.",
    "es":
        "ahora|este minuto|esta hora|anteayer|ayer|hoy|mañana|pasado mañana|la semana pasada|esta semana|"
        "la próxima semana|el mes pasado|este mes|el próximo mes|el trimestre pasado|este trimestre|"
        "el próximo trimestre|el año pasado|este año|el próximo año",
    "fa":
        "اکنون|همین دقیقه|همین ساعت|پریروز|دیروز|امروز|فردا|پس‌فردا|هفتهٔ گذشته|این هفته|هفتهٔ آینده|"
        "ماه گذشته|این ماه|ماه آینده|سه‌ماههٔ گذشته|سه‌ماههٔ کنونی|سه‌ماههٔ آینده|سال گذشته|امسال|سال آینده",
    "fi":
        "nyt|tämän minuutin aikana|tämän tunnin aikana|toissa päivänä|eilen|tänään|huomenna|ylihuomenna|"
        "viime viikolla|tällä viikolla|ensi viikolla|viime kuussa|tässä kuussa|ensi kuussa|"
        "viime neljännesvuonna|tänä neljännesvuonna|ensi neljännesvuonna|viime vuonna|tänä vuonna|"
        "ensi vuonna",
    "fr":
        "maintenant|cette minute-ci|cette heure-ci|avant-hier|hier|aujourd’hui|demain|après-demain|"
        "la semaine dernière|cette semaine|la semaine prochaine|le mois dernier|ce mois-ci|"
        "le mois prochain|le trimestre dernier|ce trimestre|le trimestre prochain|l’année dernière|"
        "cette année|l’année prochaine",
    "he":
        "עכשיו|בדקה זו|בשעה זו|שלשום|אתמול|היום|מחר|מחרתיים|השבוע שעבר|השבוע|השבוע הבא|החודש שעבר|החודש|"
        "החודש הבא|הרבעון הקודם|הרבעון הזה|הרבעון הבא|השנה שעברה|השנה|השנה הבאה",
    "hi":
        "अब|यह मिनट|यह घंटा|परसों|कल|आज|कल|परसों|पिछला सप्ताह|इस सप्ताह|अगला सप्ताह|पिछला माह|इस माह|"
        "अगला माह|अंतिम तिमाही|इस तिमाही|अगली तिमाही|पिछला वर्ष|इस वर्ष|अगला वर्ष",
    "hr":
        "sad|ova minuta|ovaj sat|prekjučer|jučer|danas|sutra|prekosutra|prošli tjedan|ovaj tjedan|"
        "sljedeći tjedan|prošli mjesec|ovaj mjesec|sljedeći mjesec|prošli kvartal|ovaj kvartal|"
        "sljedeći kvartal|prošle godine|ove godine|sljedeće godine",
    "hu":
        "most|ebben a percben|ebben az órában|tegnapelőtt|tegnap|ma|holnap|holnapután|előző hét|ez a hét|"
        "következő hét|előző hónap|ez a hónap|következő hónap|előző negyedév|ez a negyedév|"
        "következő negyedév|előző év|ez az év|következő év",
    "id":
        "sekarang|menit ini|jam ini|kemarin dulu|kemarin|hari ini|besok|lusa|minggu lalu|minggu ini|"
        "minggu depan|bulan lalu|bulan ini|bulan depan|Kuartal lalu|kuartal ini|kuartal berikutnya|"
        "tahun lalu|tahun ini|tahun depan",
    "it":
        "ora|questo minuto|quest’ora|l’altro ieri|ieri|oggi|domani|dopodomani|settimana scorsa|"
        "questa settimana|settimana prossima|mese scorso|questo mese|mese prossimo|trimestre scorso|"
        "questo trimestre|trimestre prossimo|anno scorso|quest’anno|anno prossimo",
    "ja":
        "今|1 分以内|1 時間以内|一昨日|昨日|今日|明日|明後日|先週|今週|来週|先月|今月|来月|前四半期|今四半期|翌四半期|昨年|今年|来年",
    "ko":
        "지금|현재 분|현재 시간|그저께|어제|오늘|내일|모레|지난주|이번 주|다음 주|지난달|이번 달|다음 달|지난 분기|이번 분기|다음 분기|작년|올해|내년",
    "nb":
        "nå|dette minuttet|denne timen|i forgårs|i går|i dag|i morgen|i overmorgen|forrige uke|denne uken|"
        "neste uke|forrige måned|denne måneden|neste måned|forrige kvartal|dette kvartalet|neste kvartal|"
        "i fjor|i år|neste år",
    "nl":
        "nu|binnen een minuut|binnen een uur|eergisteren|gisteren|vandaag|morgen|overmorgen|vorige week|"
        "deze week|volgende week|vorige maand|deze maand|volgende maand|vorig kwartaal|dit kwartaal|"
        "volgend kwartaal|vorig jaar|dit jaar|volgend jaar",
    "pl":
        "teraz|ta minuta|ta godzina|przedwczoraj|wczoraj|dzisiaj|jutro|pojutrze|w zeszłym tygodniu|"
        "w tym tygodniu|w przyszłym tygodniu|w zeszłym miesiącu|w tym miesiącu|w przyszłym miesiącu|"
        "w zeszłym kwartale|w tym kwartale|w przyszłym kwartale|w zeszłym roku|w tym roku|w przyszłym roku",
    "pt":
        "agora|este minuto|esta hora|anteontem|ontem|hoje|amanhã|depois de amanhã|semana passada|"
        "esta semana|próxima semana|mês passado|este mês|próximo mês|último trimestre|este trimestre|"
        "próximo trimestre|ano passado|este ano|próximo ano",
    "ro":
        "acum|minutul acesta|ora aceasta|alaltăieri|ieri|azi|mâine|poimâine|săptămâna trecută|"
        "săptămâna aceasta|săptămâna viitoare|luna trecută|luna aceasta|luna viitoare|trimestrul trecut|"
        "trimestrul acesta|trimestrul viitor|anul trecut|anul acesta|anul viitor",
    "ru":
        "сейчас|в эту минуту|в этот час|позавчера|вчера|сегодня|завтра|послезавтра|на прошлой неделе|"
        "на этой неделе|на следующей неделе|в прошлом месяце|в этом месяце|в следующем месяце|"
        "в прошлом квартале|в текущем квартале|в следующем квартале|в прошлом году|в этом году|"
        "в следующем году",
    "sk":
        "teraz|v tejto minúte|v tejto hodine|predvčerom|včera|dnes|zajtra|pozajtra|minulý týždeň|"
        "tento týždeň|budúci týždeň|minulý mesiac|tento mesiac|budúci mesiac|minulý štvrťrok|"
        "tento štvrťrok|budúci štvrťrok|minulý rok|tento rok|budúci rok",
    "sv":
        "nu|denna minut|denna timme|i förrgår|i går|i dag|i morgon|i övermorgon|förra veckan|denna vecka|"
        "nästa vecka|förra månaden|den här månaden|nästa månad|förra kvartalet|detta kvartal|nästa kvartal|"
        "förra året|i år|nästa år",
    "th":
        "ขณะนี้|นาทีนี้|ชั่วโมงนี้|เมื่อวานซืน|เมื่อวาน|วันนี้|พรุ่งนี้|มะรืนนี้|สัปดาห์ที่แล้ว|สัปดาห์นี้|"
        "สัปดาห์หน้า|เดือนที่แล้ว|เดือนนี้|เดือนหน้า|ไตรมาสที่แล้ว|ไตรมาสนี้|ไตรมาสหน้า|ปีที่แล้ว|ปีนี้|"
        "ปีหน้า",
    "tr":
        "şimdi|bu dakika|bu saat|evvelsi gün|dün|bugün|yarın|öbür gün|geçen hafta|bu hafta|gelecek hafta|"
        "geçen ay|bu ay|gelecek ay|geçen çeyrek|bu çeyrek|gelecek çeyrek|geçen yıl|bu yıl|gelecek yıl",
    "uk":
        "зараз|цієї хвилини|цієї години|позавчора|учора|сьогодні|завтра|післязавтра|минулого тижня|"
        "цього тижня|наступного тижня|минулого місяця|цього місяця|наступного місяця|минулого кварталу|"
        "цього кварталу|наступного кварталу|минулого року|цього року|наступного року",
    "vi":
        "bây giờ|phút này|giờ này|Hôm kia|Hôm qua|Hôm nay|Ngày mai|Ngày kia|tuần trước|tuần này|tuần sau|"
        "tháng trước|tháng này|tháng sau|quý trước|quý này|quý sau|năm ngoái|năm nay|năm sau",
    "zh":
        "现在|此刻|这一时间 / 此时|前天|昨天|今天|明天|后天|上周|本周|下周|上个月|本月|下个月|上季度|本季度|下季度|去年|今年|明年",
    "zh-Hant":
        "現在|這一分鐘|這一小時|前天|昨天|今天|明天|後天|上週|本週|下週|上個月|本月|下個月|上一季|這一季|下一季|去年|今年|明年",
}  # fmt: skip

# What joins a long date and a time, where it is not what joins shorter ones.
_AT: Final = {
    "{1} om {0}": "af fy nl",
    "{1} في {0}": "ar",
    "{1} at {0}": "as en",
    "{1} у {0}": "be",
    "{1} в {0}": "bg ru",
    "{1} এ {0}": "bn",
    "{1} da {0}": "br",
    "{1} u {0}": "bs hr",
    "{1}, a les {0}": "ca",
    "{1} v {0}": "cs",
    "{1} am {0}": "cy",
    "{1} kl. {0}": "da is nb nn no sv",
    "{1} um {0}": "de",
    "{1} στις {0}": "el",
    "{1} a las {0}": "es",
    "{1}, kell {0}": "et",
    "{1} ساعت {0}": "fa",
    "{1} klo {0}": "fi",
    "{1} nang {0}": "fil",
    "{1} à {0}": "fr",
    "{1} ag {0}": "ga",
    "{1} aig {0}": "gd",
    "{1} בשעה {0}": "he",
    "{1} को {0} बजे": "hi",
    "{1} pukul {0}": "id",
    "{1} alle ore {0}": "it",
    "{1} ರಂದು {0} ಸಮಯಕ್ಕೆ": "kn",
    "{1}, во {0}": "mk",
    "{1}, {0}-ന്": "ml",
    "{1} रोजी {0} वाजता": "mr",
    "{1} pada {0}": "ms",
    "{1}: {0}": "ne",
    "{1} às {0}": "pt",
    "{1} la {0}": "ro",
    "{1} දින {0}": "si",
    "{1} o {0}": "sk",
    "{1} ob {0}": "sl",
    "{1} në {0}": "sq",
    "{1}, {0}": "sw",
    "{1} அன்று {0}": "ta",
    "{1} {0}కి": "te",
    "{1} เวลา {0}": "th",
    "{1} о {0}": "uk",
    "{1} کو {0}": "ur",
    "lúc {0} {1}": "vi",
}
_AT_OF: Final = {language: pattern for pattern, languages in _AT.items() for language in languages.split()}


def relative(names: tuple[str, ...], unit: str, amount: int) -> str:
    """The word for a time near the present; empty: there is none.

    Args:
        names: Of locales, of which the first that is known counts.
        unit: Such as `day`.
        amount: How many of them from now.
    """
    words = next((_RELATIVE[name] for name in names if name in _RELATIVE), "")
    slot = f"{unit}{amount}"
    return words.split("|")[_SLOTS.index(slot)] if words and slot in _SLOTS else ""


def at(language: str, style: str) -> str | None:
    """The pattern that joins a long date, `{1}`, and a time, `{0}`."""
    return None if language == "es" and style == "full" else _AT_OF.get(language)
