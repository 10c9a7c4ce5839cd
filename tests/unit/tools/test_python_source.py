"""Python functions become tools, or are refused with the reason."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from pydantic import Field
from typing_extensions import NotRequired, TypedDict

from data_pipeline.core.errors import InputError
from data_pipeline.tools.python_source import tool_from_function


class Item(TypedDict):
    title: str
    price: Annotated[float, Field(ge=0)]
    note: NotRequired[str]


class Node(TypedDict):
    children: list[Node]


def plan(
    city: str,
    days: Annotated[int, Field(ge=1, le=30)],
    unit: Literal["km", "miles"] = "km",
    items: list[Item] | None = None,
    budget: Annotated[float, Field(gt=0)] | None = None,
    verbose: bool = False,
) -> list[str]:
    """Plan a trip.

    Looks at every
    item.

    Args:
        city: Name of the city,
            as people write it
        days: Length of the trip
        unit: Unit of distance
        items: Things to carry
        budget: Money to spend
        verbose: Say more
    """
    return [city]


def test_schema_of_a_function() -> None:
    tool = tool_from_function(plan, "bundled:travel")
    assert tool.name == "plan"
    assert tool.description == "Plan a trip. Looks at every item."
    assert tool.source == "bundled:travel"
    assert tool.required == ("city", "days")
    assert tool.returns == {"type": "array", "items": {"type": "string"}}
    assert tool.properties == {
        "city": {"type": "string", "description": "Name of the city, as people write it"},
        "days": {"type": "integer", "description": "Length of the trip", "maximum": 30, "minimum": 1},
        "unit": {
            "type": "string",
            "description": "Unit of distance",
            "enum": ["km", "miles"],
            "default": "km",
        },
        "items": {
            "type": "array",
            "description": "Things to carry",
            "items": {
                "type": "object",
                "properties": {
                    "title": {"type": "string"},
                    "price": {"type": "number", "minimum": 0},
                    "note": {"type": "string"},
                },
                "required": ["title", "price"],
            },
        },
        "budget": {"type": "number", "description": "Money to spend", "exclusiveMinimum": 0},
        "verbose": {"type": "boolean", "description": "Say more", "default": False},
    }


def test_keys_stand_in_reading_order() -> None:
    properties = tool_from_function(plan, "s").properties
    assert list(properties["unit"]) == ["type", "description", "enum", "default"]
    assert list(properties["items"]) == ["type", "description", "items"]


def single(kind: Literal["only"], key: int | str, table: dict[str, float]) -> dict[str, Any]:
    """Look something up."""
    return {kind: key, "table": table}


def test_unusual_types() -> None:
    properties = tool_from_function(single, "s").properties
    assert properties["kind"] == {"type": "string", "enum": ["only"]}
    assert properties["key"] == {"anyOf": [{"type": "integer"}, {"type": "string"}]}
    assert properties["table"] == {"type": "object", "additionalProperties": {"type": "number"}}


def no_docstring(a: int) -> int:
    return a


def no_annotation(a) -> int:  # type: ignore[no-untyped-def]
    """Do a thing."""
    return int(a)


def with_star(*values: int) -> int:
    """Do a thing."""
    return sum(values)


def positional(a: int, /) -> int:
    """Do a thing."""
    return a


def unresolved(a: Missing) -> int:  # type: ignore[name-defined]  # noqa: F821
    """Do a thing."""
    return 0


def no_schema(a: pytest.Module) -> int:
    """Do a thing."""
    return 0


def recursive(a: Node) -> int:
    """Do a thing."""
    return 0


def odd_default(a: str = b"x") -> int:  # type: ignore[assignment]
    """Do a thing."""
    return 0


@pytest.mark.parametrize(
    ("function", "reason"),
    [
        (no_docstring, "it has no docstring"),
        (no_annotation, "parameter 'a' has no type annotation"),
        (with_star, "cannot be given by name"),
        (positional, "cannot be given by name"),
        (unresolved, "an annotation cannot be resolved"),
        (no_schema, "parameter 'a' has no JSON schema"),
        (recursive, "Node contains itself"),
        (odd_default, "must be JSON values"),
    ],
)
def test_refused_with_name_and_reason(function: Any, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        tool_from_function(function, "s")
    assert f"function '{function.__name__}' cannot become a tool: " in str(caught.value)
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)
