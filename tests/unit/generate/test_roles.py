"""What parameters are to a request, and where a goal speaks of them."""

from typing import Any

import pytest

from data_pipeline.generate.mentions import mentions_of, plural
from data_pipeline.generate.phrases import phrases_of
from data_pipeline.generate.roles import Role, counted, roles_of
from data_pipeline.generate.text import spoken_article
from data_pipeline.generate.values import Field

TEXT: dict[str, Any] = {"type": "string"}
WHOLE: dict[str, Any] = {"type": "integer"}
NUMBER: dict[str, Any] = {"type": "number"}
YES_NO: dict[str, Any] = {"type": "boolean"}


def roles(**properties: dict[str, Any]) -> dict[str, Role]:
    return roles_of(phrases_of({name: Field(name, schema) for name, schema in properties.items()}))


@pytest.mark.parametrize(
    ("name", "schema", "said"),
    [
        ("city", TEXT, "in X"),
        ("origin", TEXT, "from X"),
        ("to_city", TEXT, "to X"),
        ("date", TEXT, "on X"),
        ("start_date", TEXT, "starting on X"),
        ("end_date", TEXT, "until X"),
        ("check_in_date", TEXT, "checking in on X"),
        ("departure_time", TEXT, "departing at X"),
        ("time", TEXT, "at X"),
        ("term_years", WHOLE, "over X"),
        ("duration_minutes", WHOLE, "for X"),
        ("interest_rate_percent", NUMBER, "at X"),
        ("tip_percent", NUMBER, "with a X tip"),
        ("max_price_usd", NUMBER, "under X"),
        ("min_price", NUMBER, "costing at least X"),
        ("number_of_people", WHOLE, "for X people"),
        ("bedrooms", WHOLE, "with X bedrooms"),
        ("vote_count", WHOLE, "with X votes"),
        ("hours_per_day", NUMBER, "with X hours per day"),
        ("limit", WHOLE, "limited to X results"),
        ("currency", TEXT, "in X"),
        ("director", TEXT, "by X"),
        ("topic", TEXT, "about X"),
        ("order_id", TEXT, "for order X"),
        ("restaurant_name", TEXT, "at X"),
        ("from_offset_hours", NUMBER, "from an offset of X"),
        ("weight_kg", NUMBER, "weighing X"),
        ("width_cm", NUMBER, "X wide"),
    ],
)
def test_a_parameter_alone_is_said_without_its_name(name: str, schema: dict[str, Any], said: str) -> None:
    role = roles(**{name: schema})[name]
    assert said in {f"{before}X{behind}" for before, behind in role.forms}


@pytest.mark.parametrize("name", ["radius", "last_period_date", "purchase_date", "systolic_mmhg", "style", "unit_cost"])
def test_what_only_its_name_tells_has_no_role(name: str) -> None:
    schema = TEXT if name.endswith(("date", "style")) else NUMBER
    assert not roles(**{name: schema})


def test_parameters_that_would_be_mixed_up_have_no_role() -> None:
    assert not roles(city={**TEXT, "description": "City"}, town={**TEXT, "description": "Town"})
    assert not roles(patient={**TEXT, "description": "Person"}, customer={**TEXT, "description": "Person"})
    assert not roles(duration_minutes=NUMBER, buffer_minutes=NUMBER)
    assert set(roles(rate_percent=NUMBER, discount_percent=NUMBER)) == {"discount_percent"}
    assert set(roles(origin=TEXT, destination=TEXT, date=TEXT)) == {"origin", "destination", "date"}


def test_one_of_a_counted_thing_is_singular() -> None:
    assert roles(children=WHOLE)["children"].by_one == (("for ", " child"),)
    assert roles(heading_levels=WHOLE)["heading_levels"].by_one == (("with ", " heading level"),)


def test_what_is_counted() -> None:
    fields = {name: Field(name, WHOLE) for name in ("vote_count", "num_guests", "number_of_wall_panels", "radius")}
    found = {name: counted(phrase) for name, phrase in phrases_of(fields).items()}
    assert found == {
        "vote_count": "votes",
        "num_guests": "guests",
        "number_of_wall_panels": "wall panels",
        "radius": "",
    }


def replaced(rest: str, properties: dict[str, dict[str, Any]], leading: tuple[str, ...] = ()) -> str:
    phrases = phrases_of({name: Field(name, schema) for name, schema in properties.items()})
    text, at = "", 0
    for mention in mentions_of(rest, phrases, leading):
        values = " and ".join(name.upper() for name in mention.names)
        text += f"{rest[at : mention.start]}{mention.before}{values}{mention.behind}"
        at = mention.end
    return text + rest[at:]


MENU = {"type": "string", "enum": ["vegan", "thai"], "description": "Type of restaurant"}


@pytest.mark.parametrize(
    ("rest", "properties", "said"),
    [
        ("the weather for a city", {"city": TEXT}, "the weather for CITY"),
        ("the weather in a given city today", {"city": TEXT}, "the weather in a given city today"),
        ("the mayor of the specified city", {"city_name": TEXT}, "the mayor of CITY_NAME"),
        ("a city's weather", {"city": TEXT}, "CITY's weather"),
        ("an email to a customer", {"customer_email": TEXT}, "an email to CUSTOMER_EMAIL"),
        ("an email to a customer", {"email": TEXT}, "an email to a customer"),
        ("a city council", {"city": TEXT}, "a city council"),
        ("the posts of a user", {"username": TEXT}, "the posts of the user USERNAME"),
        ("restaurants nearby", {"kind": MENU}, "KIND restaurants nearby"),
        ("a wind speed on the scale", {"wind_speed": NUMBER}, "a wind speed of WIND_SPEED on the scale"),
        ("the payment of a loan", {"loan_amount": NUMBER}, "the payment of a loan of LOAN_AMOUNT"),
        ("a whole number in another base", {"number": WHOLE, "base": WHOLE}, "NUMBER in base BASE"),
        ("a month of a year", {"month": WHOLE, "year": WHOLE}, "a month of a year"),
        ("a gap between two cities", {"start_city": TEXT, "end_city": TEXT}, "a gap between START_CITY and END_CITY"),
        ("the ratio between two colors", {"front_color": TEXT, "back_color": TEXT}, "the ratio between two colors"),
        ("the areas of several countries", {"countries": {"type": "array", "items": TEXT}}, "the areas of COUNTRIES"),
        ("dew from its heat and humidity", {"heat": NUMBER, "humidity": NUMBER}, "dew"),
    ],
)  # fmt: skip
def test_a_goal_takes_the_values_it_speaks_of(rest: str, properties: dict[str, dict[str, Any]], said: str) -> None:
    assert replaced(rest, properties) == said


def test_from_one_to_another_gives_way_to_both() -> None:
    rest = "an amount from one currency to another"
    assert replaced(rest, {"from": TEXT, "to": TEXT}, ("from", "to")) == "an amount"


@pytest.mark.parametrize(("noun", "many"), [("city", "cities"), ("day", "days"), ("date", "dates")])
def test_plural(noun: str, many: str) -> None:
    assert plural(noun) == many


@pytest.mark.parametrize(
    ("text", "word"),
    [
        ("8%", "an"),
        ("eighty", "an"),
        ("18 %", "an"),
        ("180 %", "a"),
        ("11", "an"),
        ("useful life", "a"),
        ("hour", "an"),
    ],
)
def test_the_article_is_the_one_that_is_heard(text: str, word: str) -> None:
    assert spoken_article(text) == word
