"""What the domains share: leaves of a state, refusals, dates and times, money and names."""

from __future__ import annotations

from datetime import date, datetime
from typing import TYPE_CHECKING, Annotated, TypeVar

from pydantic import Field

if TYPE_CHECKING:
    from collections.abc import Mapping
    from random import Random

T = TypeVar("T")

Day = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2}$")]
"""A date in a state, as YYYY-MM-DD."""

Clock = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$")]
"""A time in a state, as HH:MM."""

Moment = Annotated[str, Field(pattern=r"^\d{4}-\d{2}-\d{2} ([01]\d|2[0-3]):[0-5]\d$")]
"""A date and time in a state, as YYYY-MM-DD HH:MM."""

Money = Annotated[float, Field(ge=0)]
"""An amount in a state that is never owed, in whole cents (see `money`)."""

_FIRST_NAMES = (
    *("Adaeze", "Bram", "Chiara", "Dilan", "Edda", "Farouk", "Greta", "Hamish", "Ines", "Jorma", "Keziah", "Lorcan"),
    *(
        "Mireille",
        "Nikhil",
        "Odile",
        "Pavel",
        "Quentin",
        "Rosalind",
        "Sanna",
        "Tomasz",
        "Umar",
        "Vesna",
        "Wren",
        "Yara",
    ),
)
_LAST_NAMES = (
    *("Abara", "Brandt", "Castellan", "Demir", "Eriksen", "Fontaine", "Gallagher", "Hollis", "Ivanova", "Juhl"),
    *("Kowal", "Lindqvist", "Moreau", "Nandakumar", "Okonjo", "Pellegrin", "Quigley", "Rossi", "Sorel", "Thackeray"),
)


def require(condition: bool, message: str) -> None:
    """Refuse a call that breaks a rule of the domain.

    Args:
        condition: what must hold.
        message: one sentence that says what is wrong and, where that helps, what to do.

    Raises:
        ValueError: the condition does not hold.
    """
    if not condition:
        raise ValueError(message)


def look_up(records: Mapping[str, T], key: str, noun: str, finder: str) -> T:
    """The record with an id.

    Args:
        records: records by id.
        key: the id wanted.
        noun: what the records are, for the message.
        finder: the tool that tells the ids, for the message.

    Returns:
        The record itself, not a copy.

    Raises:
        ValueError: no record has the id.
    """
    if key not in records:
        raise ValueError(f"There is no {noun} '{key}'; use {finder} to find the id.")
    return records[key]


def money(amount: float) -> float:
    """An amount in whole cents, so that sums stay exact and equal amounts are the same bytes.

    Args:
        amount: any amount.

    Returns:
        The amount rounded to cents, never a negative zero.
    """
    return round(amount, 2) + 0.0


def parse_day(text: str) -> date:
    """A date out of an argument.

    Args:
        text: the date as YYYY-MM-DD.

    Returns:
        The date; its `isoformat()` is the text.

    Raises:
        ValueError: the text is not such a date, or its year is not between 2000 and 2099.
    """
    return _parse(text, "%Y-%m-%d", "date as YYYY-MM-DD").date()


def parse_clock(text: str) -> int:
    """A time of day out of an argument.

    Args:
        text: the time as HH:MM.

    Returns:
        The minutes since midnight; `clock_text` gives the text back.

    Raises:
        ValueError: the text is not such a time.
    """
    time = _parse(text, "%H:%M", "time as HH:MM")
    return time.hour * 60 + time.minute


def parse_moment(text: str) -> datetime:
    """A date and time out of an argument or a state.

    Args:
        text: the moment as YYYY-MM-DD HH:MM.

    Returns:
        The moment, in the only time zone the domain knows.

    Raises:
        ValueError: the text is not such a moment, or its year is not between 2000 and 2099.
    """
    return _parse(text, "%Y-%m-%d %H:%M", "date and time as YYYY-MM-DD HH:MM")


def clock_text(minutes: int) -> str:
    """A time of day as `parse_clock` reads it.

    Args:
        minutes: minutes since midnight, below 1440.

    Returns:
        The time as HH:MM.
    """
    return f"{minutes // 60:02d}:{minutes % 60:02d}"


def _parse(text: str, pattern: str, words: str) -> datetime:
    try:
        parsed = datetime.strptime(text, pattern)
    except ValueError:
        raise ValueError(f"'{text}' is not a {words}.") from None
    # strptime also takes 2026-3-9, which would put two spellings of one day into a state.
    require(parsed.strftime(pattern) == text, f"'{text}' is not a {words}.")
    require("%Y" not in pattern or 2000 <= parsed.year < 2100, f"The year of '{text}' is not between 2000 and 2099.")
    return parsed


def people(rng: Random, count: int) -> list[str]:
    """Names of invented people for an initial state.

    Args:
        rng: where the choice comes from.
        count: how many, at most 20.

    Returns:
        Full names; no first name and no last name occurs twice.
    """
    pairs = zip(rng.sample(_FIRST_NAMES, count), rng.sample(_LAST_NAMES, count), strict=True)
    return [f"{first} {last}" for first, last in pairs]
