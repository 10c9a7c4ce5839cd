"""Python functions become tools, or are refused with the reason."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import math
import sys
import typing
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time
from decimal import Decimal
from pathlib import Path
from types import ModuleType
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

import pytest
import typing_extensions
from pydantic import BaseModel, Field, WithJsonSchema
from typing_extensions import Doc, NotRequired, TypedDict

from data_pipeline.core.errors import InputError
from data_pipeline.core.queries import example_queries
from data_pipeline.tools.python_source import describe_module, tool_from_function
from data_pipeline.tools.runner import Refusal


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


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Shape(enum.Enum):
    SQUARE = (1, 1)


@dataclasses.dataclass
class Order:
    """What is ordered."""

    item: str
    color: Color = Color.RED
    tags: list[str] = dataclasses.field(default_factory=list)


class Inherited(typing.TypedDict, total=False):
    note: str


class OldRecord(Inherited):
    """A record."""

    when: date
    color: typing_extensions.NotRequired[Color]


class OldNode(typing.TypedDict):
    children: list[OldNode]


class Point(NamedTuple):
    x: int
    y: int = 0


class Cat(BaseModel):
    kind: Literal["cat"]
    limit: float = math.inf


class Dog(BaseModel):
    kind: Literal["dog"]


class Tree(BaseModel):
    children: list[Tree] = []


UserId = NewType("UserId", str)
COLORS = {"type": "string", "enum": ["red", "blue"]}
ORDER = {
    "type": "object",
    "description": "What is ordered.",
    "properties": {
        "item": {"type": "string"},
        "color": {**COLORS, "default": "red"},
        "tags": {"type": "array", "items": {"type": "string"}},
    },
    "required": ["item"],
}
CAT = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["cat"]}, "limit": {"type": "number"}}}
DOG = {"type": "object", "properties": {"kind": {"type": "string", "enum": ["dog"]}}}


def taking(annotation: Any, default: Any = ...) -> Callable[..., Any]:
    """A function of one parameter, x."""

    def function(**given: Any) -> Any:
        """Do a thing."""
        return given.get("x", default)

    kind = inspect.Parameter.KEYWORD_ONLY
    empty = inspect.Parameter.empty if default is ... else default
    parameter = inspect.Parameter("x", kind, default=empty, annotation=annotation)
    function.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    return function


def schema_of(annotation: Any, default: Any = ...) -> Any:
    return tool_from_function(taking(annotation, default), "s").properties["x"]


@pytest.mark.parametrize(
    ("annotation", "schema"),
    [
        (int | None, {"anyOf": [{"type": "integer"}, {"type": "null"}]}),
        (Color, COLORS),
        (list[Color], {"type": "array", "items": COLORS}),
        (Literal[Color.RED, "green"], {"type": "string", "enum": ["red", "green"]}),
        (tuple[int, str], {"type": "array", "maxItems": 2, "minItems": 2, "prefixItems": "is"}),
        (set[int], {"type": "array", "items": {"type": "integer"}, "uniqueItems": True}),
        (Sequence[str], {"type": "array", "items": {"type": "string"}}),
        (Iterable[Color], {"type": "array", "items": COLORS}),
        (Mapping[str, Color], {"type": "object", "additionalProperties": COLORS}),
        (dict[Color, int], {"type": "object", "propertyNames": COLORS, "additionalProperties": {"type": "integer"}}),
        (date, {"type": "string", "format": "date"}),
        (datetime, {"type": "string", "format": "date-time"}),
        (time, {"type": "string", "format": "time"}),
        (UUID, {"type": "string", "format": "uuid"}),
        (Path, {"type": "string", "format": "path"}),
        (UserId, {"type": "string"}),
        (Annotated[int, Field(ge=1, description="How many")], {"type": "integer", "description": "How many"}),
        (Annotated[int, "How many"], {"type": "integer", "description": "How many"}),
        (Annotated[int, Doc("How many")], {"type": "integer", "description": "How many"}),
        (Annotated[float, Field(le=math.inf)], {"type": "number"}),
        (Annotated[int, Field(default=3)], {"type": "integer"}),
        (Order, ORDER),
        (Order | None, {"anyOf": [ORDER, {"type": "null"}]}),
        (Point, {"type": "array", "minItems": 1, "maxItems": 2}),
        (Annotated[Cat | Dog, Field(discriminator="kind")], {"oneOf": "is"}),
        (Any, {}),
    ],
)
def test_types(annotation: Any, schema: dict[str, Any]) -> None:
    found = schema_of(annotation)
    assert {key: "is" if value == "is" else found[key] for key, value in schema.items()} == schema
    assert not {"title", "$ref", "$defs", "discriminator"} & set(keys_within(found))


def keys_within(schema: Any) -> list[str]:
    if isinstance(schema, list):
        return [key for nested in schema for key in keys_within(nested)]
    return [*schema, *keys_within(list(schema.values()))] if isinstance(schema, dict) else []


def test_branches_that_a_field_tells_apart() -> None:
    pet = schema_of(Annotated[Cat | Dog, Field(discriminator="kind")])
    assert pet == {"oneOf": [{**CAT, "required": ["kind"]}, {**DOG, "required": ["kind"]}]}


def test_typed_dicts_of_the_standard_library() -> None:
    record = {
        "type": "object",
        "description": "A record.",
        "properties": {"note": {"type": "string"}, "when": {"type": "string", "format": "date"}, "color": COLORS},
        "required": ["when"],
    }
    assert schema_of(OldRecord) == record
    assert schema_of(list[OldRecord] | None, None) == {"type": "array", "items": record}


@pytest.mark.parametrize(
    ("annotation", "default", "shown"),
    [
        (Color, Color.RED, "red"),
        (Color, "red", "red"),
        (Order, Order("pen", Color.BLUE), {"item": "pen", "color": "blue", "tags": []}),
        (date, date(2026, 1, 2), "2026-01-02"),
        (Decimal, Decimal("1.50"), "1.50"),
        (Path, Path("a/b"), "a/b"),
        (tuple[int, int], (1, 2), [1, 2]),
        (list[int], (1, 2), [1, 2]),
        (frozenset[str], frozenset({"a"}), ["a"]),
        (dict[Color, int], {Color.RED: 1}, {"red": 1}),
        (Cat, Cat(kind="cat", limit=2), {"kind": "cat", "limit": 2.0}),
        (float, 0, 0),
        (int | None, 5, 5),
    ],
)
def test_defaults_in_their_json_form(annotation: Any, default: Any, shown: Any) -> None:
    tool = tool_from_function(taking(annotation, default), "s")
    assert tool.properties["x"]["default"] == shown
    assert list(tool.properties["x"])[-1] == "default"
    assert tool.required == ()


@pytest.mark.parametrize(("annotation", "default"), [(float, math.inf), (float, math.nan), (int | None, None)])
def test_a_default_that_only_leaving_the_argument_out_can_say(annotation: Any, default: Any) -> None:
    tool = tool_from_function(taking(annotation, default), "s")
    assert "default" not in tool.properties["x"]
    assert tool.required == ()


@pytest.mark.parametrize(
    ("annotation", "default", "reason"),
    [
        (Tree, ..., "Tree contains itself"),
        (OldNode, ..., "OldNode contains itself"),
        (Callable[[], int], ..., "parameter 'x' has no JSON schema (Cannot generate a JsonSchema"),
        (Shape, ..., "the value of Shape.SQUARE is not text"),
        ("1 +", ..., "an annotation cannot be resolved"),
        ("missing.Type", ..., "under TYPE_CHECKING is not there at run time"),
        (int, Field(ge=1), "put it into Annotated"),
        (str, object(), "the default of 'x'"),
        (Annotated[int, WithJsonSchema({"type": "integer", "limit": {1, 2}})], ..., "must be JSON values"),
    ],
)
def test_refused_parameters(annotation: Any, default: Any, reason: str) -> None:
    with pytest.raises(InputError) as caught:
        tool_from_function(taking(annotation, default), "s")
    assert reason in str(caught.value)
    assert "\n" not in str(caught.value)


GOOGLE = """Do a thing.

At length.

Args:
    x (int, optional): The x,
        on two lines: like this. Defaults to 3.
    y: The y

Returns:
    str: text
"""
RAISES_WITHOUT_COLON = GOOGLE + "\nRaises:\n    ValueError if it must\n"
NUMPY = """Do a thing.

At length.

Parameters
----------
x, y : int
    The x,
    on two lines: like this. Defaults to 3.
**more
    The rest.
"""
SPHINX = """Do a thing.

At length.

:param x: The x,
    on two lines: like this. Defaults to 3.
:type x: int
:param int y: The y
:returns: text
"""
EPYDOC = """Do a thing.

At length.

@param x: The x,
    on two lines: like this. Defaults to 3.
@type x: int
@param y: The y
@return: text
"""


@pytest.mark.parametrize("text", [GOOGLE, RAISES_WITHOUT_COLON, NUMPY, SPHINX, EPYDOC])
def test_docstring_styles(text: str) -> None:
    def function(x: int, y: str, z: bool = False) -> None: ...

    function.__doc__ = text
    tool = tool_from_function(function, "s")
    assert tool.description == "Do a thing. At length."
    assert tool.properties["x"]["description"] == "The x, on two lines: like this. Defaults to 3."
    assert tool.properties["y"]["description"] == (tool.properties["x"]["description"] if text == NUMPY else "The y")
    assert tool.properties["z"] == {"type": "boolean", "default": False}


def test_example_queries_are_no_description() -> None:
    def function(x: int, y: str = "") -> None: ...

    function.__doc__ = """Do a thing.

    Queries:
        How is {x}[ with {y}]?

        Do {x}: now

    Args:
        x: The x
    """
    tool = tool_from_function(function, "s")
    assert tool.description == "Do a thing."
    assert tool.parameters["x-queries"] == ["How is {x}[ with {y}]?", "Do {x}: now"]
    assert tool.properties["x"]["description"] == "The x"
    assert len(example_queries(tool.parameters)) == 2


def test_sections_that_cannot_be_read_are_no_description() -> None:
    def function(x: int) -> None: ...

    function.__doc__ = "Do a thing.\n\nArgs:\n    x the x\n    y: the y\n\nReturns:\n    text\n"
    assert tool_from_function(function, "s").description == "Do a thing."


MODULE = '''
"""What an engineer may have in a module."""
from __future__ import annotations

import contextlib, functools, math, typing
from dataclasses import dataclass
from os.path import join
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from elsewhere import Result, State

LIMIT = 3

@dataclass
class Place:
    name: str
    near: Place2 | None = None

@dataclass
class Place2:
    name: str

def zebra(place: Place) -> Result:
    """Go to the zebra."""

def _private(x: int) -> int:
    """Hidden."""

async def wait(seconds: float) -> str:
    """Wait."""

@functools.cache
def cached(x: int) -> int:
    """Do it once."""

def logged(function):
    """Decorate."""
    @functools.wraps(function)
    def wrapper(*args, **kwargs):
        return function(*args, **kwargs)
    return wrapper

@logged
def decorated(x: int, y: str = "a") -> int:
    """Do it and say so."""

def passes_on(x: int, **options: Any) -> int:
    """Take anything."""

def typed_rest(x: int, **options: int) -> int:
    """Take numbers."""

def with_state(x: int, state: State) -> int:
    """Change the state."""
with_state.side_effects = "write"

def odd_effects() -> int:
    """Do it."""
odd_effects.side_effects = "some"

alias = cached
double = lambda x: 2 * x
bound = functools.partial(decorated, y="b")

def numbers() -> typing.Iterator[int]:
    """Count."""
    yield 1

@contextlib.contextmanager
def opened() -> typing.Iterator[int]:
    """Open."""
    yield 1

def documented_type_only(x):
    """Do a thing.

    Args:
        x (int): The x
    """

def breaks(x: LIMIT.nothing) -> int:
    """Break."""

def only_sections(x: int) -> int:
    """
    :param x: The x
    """
'''


@pytest.fixture
def module(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    made = ModuleType("engineers_module")
    monkeypatch.setitem(sys.modules, made.__name__, made)
    exec(MODULE, vars(made))
    return made


def test_public_functions_of_a_module(module: ModuleType) -> None:
    tools, refused = describe_module(module, "python:mine", skip=frozenset({"state"}))
    assert [tool.name for tool in tools] == ["zebra", "wait", "cached", "decorated", "passes_on", "with_state"]
    assert {tool.source for tool in tools} == {"python:mine"}
    by_name = {tool.name: tool for tool in tools}
    assert by_name["decorated"].properties == {"x": {"type": "integer"}, "y": {"type": "string", "default": "a"}}
    assert by_name["zebra"].returns is None
    assert by_name["wait"].returns == {"type": "string"}
    assert list(by_name["passes_on"].properties) == ["x"]
    assert list(by_name["with_state"].properties) == ["x"]
    assert {name: tool.side_effects for name, tool in by_name.items() if tool.side_effects != "none"} == {
        "with_state": "write"
    }
    reasons = {refusal.name: refusal.reason for refusal in refused}
    assert list(reasons) == [
        "logged",
        "typed_rest",
        "odd_effects",
        "double",
        "numbers",
        "opened",
        "documented_type_only",
        "breaks",
        "only_sections",
    ]
    assert reasons["logged"] == "parameter 'function' has no type annotation"
    assert reasons["typed_rest"].startswith("parameter '**options: 'int'' cannot be given by name")
    assert reasons["odd_effects"] == "its attribute side_effects is 'some', not one of none, read, write"
    assert reasons["double"].startswith("it is a lambda")
    assert reasons["numbers"] == reasons["opened"] == "it is a generator, and a call has one result; return a list"
    assert reasons["documented_type_only"] == "parameter 'x' has no type annotation"
    assert "an annotation cannot be resolved ('int' object has no attribute 'nothing')" in reasons["breaks"]
    assert reasons["only_sections"].startswith("its docstring does not say what it does")


def test_a_parameter_that_is_not_skipped_needs_its_type(module: ModuleType) -> None:
    reasons = {refusal.name: refusal.reason for refusal in describe_module(module, "s")[1]}
    assert "name 'State' is not defined" in reasons["with_state"]


def test_names_listed_by_a_module(module: ModuleType) -> None:
    listed = ["bound", "zebra", "zebra", "Place", "LIMIT", "join", "math", "gone", "_private", "alias", "failing"]

    def compute(name: str) -> Any:
        if name == "failing":
            raise RuntimeError("not\ntoday")
        raise AttributeError(name)

    vars(module).update(__all__=listed, __getattr__=compute)
    tools, refused = describe_module(module, "s")
    assert [tool.name for tool in tools] == ["bound", "zebra", "_private", "alias"]
    assert tools[0].description == "Do it and say so."
    assert tools[0].properties["y"] == {"type": "string", "default": "b"}
    assert refused == [
        Refusal("Place", "it is not a function (class)"),
        Refusal("LIMIT", "it is not a function (int)"),
        Refusal("join", "parameter 'a' has no type annotation"),
        Refusal("math", "it is not a function (module)"),
        Refusal("gone", "__all__ lists it, but the module does not have it"),
        Refusal("failing", "reading it raises RuntimeError: not today"),
    ]


def test_a_partial_has_the_name_of_its_function() -> None:
    assert tool_from_function(functools.partial(plan, city="Rome"), "s").name == "plan"
    assert tool_from_function(plan, "s", name="trip", skip=frozenset({"days"})).required == ("city",)


class Explodes:
    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: Any) -> Any:
        raise RuntimeError("no\nway")


def test_foreign_code_that_fails_costs_one_function(module: ModuleType) -> None:
    def fails(x: Explodes) -> int:
        """Do a thing."""
        return 0

    fails.__module__ = module.__name__
    vars(module).update(fails=fails)
    tools, refused = describe_module(module, "s")
    assert "zebra" in [tool.name for tool in tools]
    assert refused[-1] == Refusal("fails", "parameter 'x' has no JSON schema (no way)")
