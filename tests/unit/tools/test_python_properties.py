"""Whatever signature: its schema takes what fits, refuses what does not, and a call gets real Python values."""

from __future__ import annotations

import dataclasses
import enum
import inspect
import json
import typing
from collections.abc import Callable, Mapping, Sequence
from datetime import date, datetime, time, timezone
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from uuid import UUID

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, Field
from typing_extensions import NotRequired, Required, TypedDict

from data_pipeline.tools.python_call import call_function, encode_result
from data_pipeline.tools.python_source import tool_from_function
from data_pipeline.tools.python_types import adapter
from data_pipeline.tools.schema_check import argument_errors

Schema = dict[str, Any]
EXAMPLES = settings(
    derandomize=True, deadline=None, max_examples=120, suppress_health_check=[HealthCheck.too_slow], database=None
)


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Level(enum.IntEnum):
    LOW = 1
    HIGH = 2


@dataclasses.dataclass(frozen=True)
class Order:
    item: str
    due: date
    color: Color = Color.RED


class Record(TypedDict):
    name: str
    when: NotRequired[date]


class OldRecord(typing.TypedDict, total=False):
    name: Required[str]
    level: Level


class Point(NamedTuple):
    x: int
    color: Color = Color.RED


class Parcel(BaseModel, frozen=True):
    weight: Annotated[float, Field(gt=0, le=50)]
    to: UUID | None = None


SCALARS: list[Any] = [
    *(str, int, float, bool, Color, Level, date, datetime, time, Decimal, UUID, Path, Order, Point, Parcel),
    *(Literal["a", "b"], Literal[Color.BLUE], Annotated[int, Field(ge=3, le=9)]),
]
HASHABLE = st.sampled_from([kind for kind in SCALARS if kind is not float])
LEAVES = st.sampled_from([*SCALARS, Record, OldRecord, Any])


def containers(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    keys = st.sampled_from([str, int, Color])
    return st.one_of(
        inner.map(lambda kind: list[kind]),
        inner.map(lambda kind: Sequence[kind]),
        inner.map(lambda kind: kind | None if kind is not Any else Any),
        inner.map(lambda kind: Mapping[str, kind]),
        inner.map(lambda kind: tuple[kind, ...]),
        st.tuples(inner, inner).map(lambda kinds: tuple[kinds]),
        st.tuples(keys, inner).map(lambda kinds: dict[kinds]),
        HASHABLE.map(lambda kind: set[kind]),
        HASHABLE.map(lambda kind: frozenset[kind]),
    )


TYPES = st.recursive(LEAVES, containers, max_leaves=4)
SIGNATURES = st.dictionaries(st.sampled_from("abcde"), st.tuples(TYPES, st.booleans()), min_size=1, max_size=4)


def echo_of(signature: dict[str, tuple[Any, bool]]) -> Callable[..., Any]:
    """A function with these parameters, some of them optional, that returns its arguments."""

    def function(**given: Any) -> Any:
        """Do a thing."""
        return given

    function.__signature__ = inspect.Signature(  # type: ignore[attr-defined]
        [
            inspect.Parameter(
                name,
                inspect.Parameter.KEYWORD_ONLY,
                annotation=kind | None if optional and kind is not Any else kind,
                default=None if optional else inspect.Parameter.empty,
            )
            for name, (kind, optional) in signature.items()
        ]
    )
    return function


FORMATS: dict[str, st.SearchStrategy[str]] = {
    "date": st.dates().map(date.isoformat),
    "date-time": st.datetimes(timezones=st.just(timezone.utc)).map(datetime.isoformat),
    "time": st.times().map(time.isoformat),
    "uuid": st.uuids().map(str),
    "path": st.text("abc/.", min_size=1),
}


def values(schema: Schema) -> st.SearchStrategy[Any]:
    """Values that fit a schema of the keywords pydantic uses for these types."""
    if "enum" in schema:
        return st.sampled_from(schema["enum"])
    if "anyOf" in schema:
        # Decimals are numbers or text, but not any text.
        numeric = [option for option in schema["anyOf"] if option.get("type") == "number"]
        return st.one_of(*map(values, numeric or schema["anyOf"]))
    kinds: dict[str | None, Callable[[], st.SearchStrategy[Any]]] = {
        None: lambda: st.none() | st.booleans() | st.integers() | st.text() | st.lists(st.integers()),
        "null": st.none,
        "boolean": st.booleans,
        "integer": lambda: st.integers(schema.get("minimum", -99), schema.get("maximum", 99)),
        # Never 1.0 beside 1, which are one number to a schema that wants unique items.
        "number": lambda: st.integers(1, 50) | st.integers(1, 49).map(lambda whole: whole + 0.25),
        "string": lambda: FORMATS.get(schema.get("format", ""), st.text(max_size=5)),
        "array": lambda: arrays(schema),
        "object": lambda: objects(schema),
    }
    return kinds[schema.get("type")]()


def arrays(schema: Schema) -> st.SearchStrategy[list[Any]]:
    if "prefixItems" in schema:
        return st.tuples(*map(values, schema["prefixItems"])).map(list)
    key = json.dumps if schema.get("uniqueItems") else None
    return st.lists(values(schema["items"]), max_size=3, unique_by=key)


def objects(schema: Schema) -> st.SearchStrategy[dict[str, Any]]:
    if "properties" not in schema:
        names = values(schema["propertyNames"]) if "propertyNames" in schema else st.integers(0, 99).map(str)
        return st.dictionaries(names, values(schema.get("additionalProperties", {})), max_size=3)
    fields = {name: values(nested) for name, nested in schema["properties"].items()}
    required = {name: fields.pop(name) for name in schema.get("required", ())}
    return st.fixed_dictionaries(required, optional=fields)


def json_types(schema: Schema) -> set[str]:
    """The JSON types a schema lets through."""
    if "anyOf" in schema:
        return set().union(*map(json_types, schema["anyOf"]))
    if "enum" in schema:
        return {kind_of(value) for value in schema["enum"]}
    found = {schema["type"]} if "type" in schema else {"null", "boolean", "integer", "number", "string", "array"}
    return found | {"integer"} if "number" in found else found


def kind_of(value: Any) -> str:
    names = {type(None): "null", bool: "boolean", int: "integer", float: "number", str: "string", list: "array"}
    return names.get(type(value), "object")


@EXAMPLES
@given(signature=SIGNATURES, data=st.data())
def test_what_fits_the_schema_is_accepted_and_arrives(signature: dict[str, Any], data: st.DataObject) -> None:
    function = echo_of(signature)
    tool = tool_from_function(function, "s")
    json.dumps(tool.to_openai(), allow_nan=False)
    assert set(tool.required) == {name for name, (_, optional) in signature.items() if not optional}
    arguments = data.draw(objects(tool.parameters))
    assert argument_errors(tool, arguments) is None
    received = call_function(function, arguments)
    assert received.keys() == arguments.keys()
    for name, value in received.items():
        # Strict: nothing is left that pydantic would still have to convert.
        adapter(signature[name][0]).validate_python(value, strict=True)
    again = json.loads(encode_result(received))
    assert call_function(function, again) == received


@EXAMPLES
@given(signature=SIGNATURES, data=st.data())
def test_what_does_not_fit_is_refused(signature: dict[str, Any], data: st.DataObject) -> None:
    tool = tool_from_function(echo_of(signature), "s")
    arguments = data.draw(objects(tool.parameters))
    unknown = argument_errors(tool, {**arguments, "no_such": 1})
    assert unknown is not None
    assert unknown.reason == "unknown_argument"
    for name in tool.required:
        missing = argument_errors(tool, {key: value for key, value in arguments.items() if key != name})
        assert missing is not None
        assert missing.reason == "missing_argument"
    name = data.draw(st.sampled_from(sorted(tool.properties)))
    wrong = [
        value for value in (None, True, 1, 1.5, "?", []) if kind_of(value) not in json_types(tool.properties[name])
    ]
    assume(wrong)
    assert argument_errors(tool, {**arguments, name: data.draw(st.sampled_from(wrong))}) is not None


@EXAMPLES
@given(signature=SIGNATURES, data=st.data())
def test_a_default_is_shown_as_a_call_would_give_it(signature: dict[str, Any], data: st.DataObject) -> None:
    for name, (kind, _) in signature.items():
        function = echo_of({name: (kind, False)})
        given = data.draw(objects(tool_from_function(function, "s").parameters))
        default = call_function(function, given)[name]
        parameter = inspect.Parameter(name, inspect.Parameter.KEYWORD_ONLY, annotation=kind, default=default)
        function.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
        tool = tool_from_function(function, "s")
        if default is not None:
            shown = {name: tool.properties[name]["default"]}
            assert argument_errors(tool, shown) is None
            assert call_function(echo_of({name: (kind, False)}), shown)[name] == default
