"""Pairs of parameters said together."""

from typing import Any

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.core.seeding import stream
from data_pipeline.generate.phrases import Phrase, phrases_of
from data_pipeline.generate.spans import Span, only_span
from data_pipeline.generate.values import Field
from data_pipeline.generate.voice import Voice
from data_pipeline.generate.wording import Wording


def span_of(**properties: dict[str, Any]) -> Span | None:
    return only_span(phrases_of({name: Field(name, schema) for name, schema in properties.items()}))


DATE = {"type": "string", "format": "date"}
NUMBER = {"type": "number"}


@pytest.mark.parametrize(
    ("properties", "span"),
    [
        ({"start_date": DATE, "end_date": DATE}, Span("start_date", "end_date", "date", True)),
        ({"min_price": NUMBER, "max_price": NUMBER}, Span("min_price", "max_price", "price", False)),
        ({"from_city": {}, "to_city": {}}, Span("from_city", "to_city", "city", True)),
        ({"start_date": DATE, "end_time": {}}, None),
        ({"min_price": NUMBER, "max_weight": NUMBER}, None),
        ({"min_price": NUMBER, "max_price": {"type": "integer"}}, None),
        ({"from_id": {}, "to_id": {}}, None),
        ({"from_lat": NUMBER, "to_lat": NUMBER, "from_lon": NUMBER, "to_lon": NUMBER}, None),
    ],
)
def test_only_one_pair_of_a_sort_is_a_span(properties: dict[str, dict[str, Any]], span: Span | None) -> None:
    assert span_of(**properties) == span


def test_both_values_are_said_in_order_or_one_by_one() -> None:
    parameters = {"type": "object", "properties": {"min_price": NUMBER, "max_price": NUMBER}}
    wording = Wording(Tool(name="find_rooms", description="Find rooms.", parameters=parameters))
    arguments = {"min_price": 20, "max_price": 50}

    def said(arguments: dict[str, Any], wide: bool) -> set[str]:
        voices = (Voice(stream(seed), wide=wide) for seed in range(300))
        return {" and ".join(wording.parts(arguments, Phrase.argument, voice)) for voice in voices}

    assert {"price between 20 and 50", "price of 20 to 50", "price from 20 up to 50"} <= said(arguments, True)
    assert all("20" in text and "50" in text for text in said(arguments, True))
    assert not any("between" in text for text in said(arguments, False) | said({"min_price": 20}, True))
