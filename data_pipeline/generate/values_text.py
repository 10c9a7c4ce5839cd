"""Texts that look like what a parameter's words, format or pattern ask for.

What a text means is read from words only: an identifier that must exist somewhere, such as a real
customer number, cannot be guessed.
"""

from __future__ import annotations

import random
import re
import unicodedata
from collections.abc import Callable
from functools import lru_cache
from typing import Any

from data_pipeline.generate import lexicon

Make = Callable[[random.Random], str]

# Words of a text parameter's name or description -> what it holds. First match wins.
TEXT_KINDS: tuple[tuple[str, str], ...] = (
    (r"date-?time|timestamp|iso 8601", "date-time"),
    (r"yyyy-mm-dd|\bdate\b|birthday", "date"),
    (r"\bmm?:ss", "duration"),
    (r"hh:mm|\btime\b(?! ?zone)", "time"),
    (r"barcode|digits", "digits"),
    (r"e-?mail", "email"),
    (r"\bur[li]\b|website|\blink\b", "url"),
    (r"\bip\b|ip address|ipv4", "ipv4"),
    (r"uuid|guid", "uuid"),
    (r"time ?zone", "time-zone"),
    (r"currency", "currency"),
    (r"language code|\blocale\b", "language-code"),
    (r"language", "language"),
    (r"phone|\bmobile\b", "phone"),
    (r"\bzip\b|postal|postcode", "postcode"),
    (r"street|\baddress\b", "address"),
    (r"\bteams?\b|\bclubs?\b", "team"),
    (r"appliance", "appliance"),
    (r"\bunit\b", "unit"),
    (r"medic|\bdrug\b|\bpill", "medicine"),
    (r"occupation|profession|\bjob\b|\bposition title", "job"),
    (r"\bpets?\b|animal|species|\bbreed", "animal"),
    (r"\bsports?\b|\bactivit", "activity"),
    (r"\bgenre", "genre"),
    (r"\bdevice|\bsensor", "device"),
    (r"weekday|day of (the )?week", "weekday"),
    (r"hex code|hex colou?r", "hex"),
    (r"country code|iso.?3166", "country-code"),
    (r"\bids?$", "code"),
    (r"\bcity\b|cities|\bdestinations?\b|\borigins?\b|\btown\b|\bstop\b|location|\bplace\b|venue|airport", "city"),
    (r"countr|nationality", "country"),
    (r"sentence|\btext\b|paragraph|message|comment|note|headline|caption|review|phrase|content", "sentence"),
    (r"company|employer|supplier|organi[sz]ation|vendor|\bbrand\b", "company"),
    (r"\bfile\b|file ?name|\bpath\b", "file"),
    (r"user ?name|login|handle", "username"),
    (r"product|\bitem\b|items|\bsku\b|merchandise", "product"),
    (r"ingredient|\bfood\b|dish|recipe|meal", "food"),
    (r"subject|topic|course|skill|lesson|\bterm\b|concept", "subject"),
    (r"colou?r", "color"),
    (r"\bcode\b|\bids?\b|identifier|reference|\btoken\b|\bkey\b", "code"),
    (
        r"person|customer|author|student|teacher|\buser\b|player|guest|patient|participant|\bnames\b|attendee",
        "person",
    ),
    (r"title|movie|film|book|song|album|playlist|project|team|event|\bname\b|label", "title"),
    (r"\bword|letter|keyword|\btag", "word"),
)
# A description that spells a format out knows better than the name.
FORMAT_HINTS = r"yyyy-mm-dd|hh:mm|\bmm?:ss|digits|iso.?3166"
FORMATS = {
    "date": "date",
    "date-time": "date-time",
    "datetime": "date-time",
    "google-datetime": "date-time",
    "time": "clock",
    "email": "email",
    "idn-email": "email",
    "uuid": "uuid",
    "uri": "url",
    "url": "url",
    "uri-reference": "url",
    "ipv4": "ipv4",
    "ipv6": "ipv6",
    "hostname": "hostname",
    "duration": "iso-duration",
    "google-duration": "google-duration",
    "int32": "number",
    "int64": "number",
    "uint32": "number",
    "uint64": "number",
    "byte": "base64",
}


def text_kind(words: str, schema: dict[str, Any], parent: str = "") -> str | None:
    """What a text parameter of this name holds, or None if its words do not say.

    Args:
        words: of the name.
        schema: with the description and the format.
        parent: words of the name of the object that it belongs to.
    """
    form = FORMATS.get(str(schema.get("format", "")).lower())
    if form:
        return form
    description = str(schema.get("description") or "").lower()
    kind = told_by(words)
    if kind is None or kind == "title" or re.search(FORMAT_HINTS, description):
        kind = told_by(description) or kind
    if kind is None or kind == "title":
        kind = told_by(parent) or kind  # the name of an ingredient is a food
    return kind


@lru_cache(maxsize=20_000)
def maker_of(kind: str | None, words: str) -> Make:
    """What makes texts of this kind; nobody was born next year.

    Args:
        kind: from `text_kind`.
        words: of the parameter's name.
    """
    is_birth = kind == "date" and re.search(r"birth|\bborn\b", words)
    return TEXT_MAKERS["birth-date" if is_birth else kind or "title"]


def told_by(text: str) -> str | None:
    """What a text holds of which these words are the name or the description."""
    return next((kind for pattern, kind in TEXT_KINDS if re.search(pattern, text)), None)


def fitted(text: str, schema: dict[str, Any], rng: random.Random) -> str:
    """The text, longer or shorter, where the schema bounds its length."""
    least, most = schema.get("minLength") or 0, schema.get("maxLength")
    while len(text) < least:
        more = _sentence(rng)
        text = f"{text} {more}" if " " in text else f"{text}{more.replace(' ', '')}"
    if isinstance(most, int) and len(text) > most:
        whole_words = text[: most + 1].rpartition(" ")[0].rstrip()
        text = whole_words if len(whole_words) >= max(least, 1) else text[:most].strip().ljust(least, "x")
    return text


def _date(rng: random.Random) -> str:
    return f"{rng.randint(2023, 2028)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _birth_date(rng: random.Random) -> str:
    return f"{rng.randint(1940, 2018)}-{rng.randint(1, 12):02d}-{rng.randint(1, 28):02d}"


def _time(rng: random.Random) -> str:
    minute = rng.choice((0, 5, 10, 15, 20, 30, 40, 45, 50)) if rng.random() < 0.8 else rng.randint(1, 59)
    return f"{rng.randint(6, 22):02d}:{minute:02d}"


def _duration(rng: random.Random) -> str:
    return f"{rng.randint(1, 9)}:{rng.randint(0, 59):02d}"


def _string_of(letters: str, count: int, rng: random.Random) -> str:
    return "".join(rng.choices(letters, k=count))


def _digits(rng: random.Random) -> str:
    return _string_of("0123456789", rng.choice((8, 12, 13, 13)), rng)


def _person(rng: random.Random) -> str:
    return f"{rng.choice(lexicon.FIRST_NAMES)} {rng.choice(lexicon.LAST_NAMES)}"


def _title(rng: random.Random) -> str:
    kind = rng.random()
    adjective, noun = rng.choice(lexicon.ADJECTIVES), rng.choice(lexicon.NOUNS)
    if kind < 0.7:
        return f"{adjective} {noun}".title()
    if kind < 0.85:
        return f"The {adjective} {noun}".title()
    return f"{noun.title()} of {rng.choice(lexicon.CITIES)}" if kind < 0.9 else f"{adjective} {noun}s".title()


def _company(rng: random.Random) -> str:
    kind = rng.random()
    if kind < 0.4:
        return f"{rng.choice(lexicon.LAST_NAMES)} {rng.choice(lexicon.COMPANY_ENDINGS)}"
    if kind < 0.6:
        return f"{rng.choice(lexicon.LAST_NAMES)} & {rng.choice(lexicon.LAST_NAMES)}"
    return f"{rng.choice(lexicon.NOUNS).title()} {rng.choice(lexicon.COMPANY_ENDINGS)}"


def _word(rng: random.Random) -> str:
    return rng.choice(lexicon.NOUNS + lexicon.ADJECTIVES)


def _sentence(rng: random.Random) -> str:
    adjective = rng.choice(lexicon.ADJECTIVES)
    return rng.choice(lexicon.SENTENCES).format(
        a_adj=f"an {adjective}" if adjective[0] in "aeiou" else f"a {adjective}",
        adj=adjective,
        noun=rng.choice(lexicon.NOUNS[:22]),
        noun2=rng.choice(lexicon.NOUNS[22:]),
        name=rng.choice(lexicon.FIRST_NAMES),
        city=rng.choice(lexicon.CITIES),
        verb=rng.choice(lexicon.VERBS),
        when=rng.choice(lexicon.WHENS),
    )


def _code(rng: random.Random) -> str:
    kind = rng.random()
    letters = _string_of("ABCDEFGHKLMNPRSTVWX", rng.randint(2, 3), rng)
    if kind < 0.6:
        return f"{letters}-{rng.randint(100, 99999)}"
    if kind < 0.8:
        return f"{letters}{rng.randint(1000, 9999)}{_string_of('ABCDEFGHKLMNPRSTVWX', 2, rng)}"
    return f"{rng.choice(lexicon.NOUNS)}-{rng.randint(10, 999)}"


def _ascii(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower().replace(" ", "")


def _email(rng: random.Random) -> str:
    second = rng.choice(lexicon.LAST_NAMES if rng.random() < 0.6 else lexicon.NOUNS)
    return f"{_ascii(rng.choice(lexicon.FIRST_NAMES))}.{_ascii(second)}@example.com"


def _url(rng: random.Random) -> str:
    return f"https://{rng.choice(lexicon.NOUNS)}.example.org/{rng.choice(lexicon.ADJECTIVES)}"


def _product(rng: random.Random) -> str:
    return rng.choice(lexicon.PRODUCT_TRAITS) + rng.choice(lexicon.PRODUCT_KINDS)


def _address(rng: random.Random) -> str:
    street = f"{rng.choice(lexicon.NOUNS).title()} {rng.choice(lexicon.STREETS)}"
    return f"{rng.randint(1, 180)} {street}, {rng.choice(lexicon.CITIES)}"


def _moment(rng: random.Random) -> str:
    return f"{_date(rng)}T{_time(rng)}:00Z"


def _uuid(rng: random.Random) -> str:
    digits = f"{rng.getrandbits(128):032x}"
    return f"{digits[:8]}-{digits[8:12]}-4{digits[13:16]}-a{digits[17:20]}-{digits[20:]}"


def _username(rng: random.Random) -> str:
    return f"{_ascii(rng.choice(lexicon.FIRST_NAMES))}_{rng.choice(lexicon.NOUNS)}"


TEXT_MAKERS: dict[str, Make] = {
    "date": _date,
    "birth-date": _birth_date,
    "time": _time,
    "clock": lambda rng: f"{_time(rng)}:00Z",
    "date-time": _moment,
    "duration": _duration,
    "iso-duration": lambda rng: f"PT{rng.randint(5, 90)}M",
    "google-duration": lambda rng: f"{rng.randint(5, 900)}s",
    "digits": _digits,
    "number": lambda rng: str(rng.randint(1, 90_000)),
    "base64": lambda rng: _string_of("ABCDEFGHabcdefgh0123456789", 12, rng),
    "email": _email,
    "url": _url,
    "hostname": lambda rng: f"{rng.choice(lexicon.NOUNS)}.example.org",
    "ipv4": lambda rng: f"192.0.2.{rng.randint(1, 254)}",
    "ipv6": lambda rng: f"2001:db8::{rng.randint(1, 65_535):x}",
    "uuid": _uuid,
    "time-zone": lambda rng: rng.choice(lexicon.TIME_ZONES),
    "currency": lambda rng: rng.choice(lexicon.CURRENCIES),
    "language": lambda rng: rng.choice(lexicon.LANGUAGES),
    "language-code": lambda rng: rng.choice(lexicon.LANGUAGE_CODES),
    "phone": lambda rng: f"+1-555-01{rng.randint(10, 99)}",
    "postcode": lambda rng: _string_of("0123456789", 5, rng),
    "address": _address,
    "weekday": lambda rng: rng.choice(lexicon.WEEKDAYS),
    "hex": lambda rng: f"#{rng.getrandbits(24):06x}" if rng.random() < 0.5 else rng.choice(lexicon.COLORS),
    "city": lambda rng: rng.choice(lexicon.CITIES),
    "country": lambda rng: rng.choice(lexicon.COUNTRIES),
    "country-code": lambda rng: rng.choice(lexicon.COUNTRY_CODES),
    "team": lambda rng: f"{rng.choice(lexicon.CITIES)} {rng.choice(lexicon.NOUNS).title()}s",
    "appliance": lambda rng: rng.choice(lexicon.APPLIANCES),
    "unit": lambda rng: rng.choice(lexicon.UNIT_WORDS),
    "medicine": lambda rng: rng.choice(lexicon.MEDICINES),
    "job": lambda rng: rng.choice(lexicon.JOBS),
    "animal": lambda rng: rng.choice(lexicon.ANIMALS),
    "activity": lambda rng: rng.choice(lexicon.ACTIVITIES),
    "genre": lambda rng: rng.choice(lexicon.GENRES),
    "device": lambda rng: f"{rng.choice(lexicon.ROOMS)} {rng.choice(lexicon.DEVICES)}",
    "sentence": _sentence,
    "company": _company,
    "file": lambda rng: (
        f"{rng.choice(lexicon.ADJECTIVES)}_{rng.choice(lexicon.NOUNS)}.{rng.choice(lexicon.FILE_ENDINGS)}"
    ),
    "username": _username,
    "product": _product,
    "food": lambda rng: rng.choice(lexicon.FOODS),
    "subject": lambda rng: rng.choice(lexicon.SUBJECTS),
    "color": lambda rng: rng.choice(lexicon.COLORS),
    "code": _code,
    "person": _person,
    "title": _title,
    "word": _word,
}
