"""JSON arguments reach a function as its annotations say, and its result comes back as JSON."""

from __future__ import annotations

import dataclasses
import enum
import functools
import inspect
import json
import subprocess
import sys
import typing
from collections import Counter, deque
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import date, datetime, time, timedelta, timezone
from decimal import Decimal
from pathlib import Path, PurePosixPath
from types import MappingProxyType, SimpleNamespace
from typing import Annotated, Any, Literal, NamedTuple, NewType
from uuid import UUID

import pytest
from pydantic import AfterValidator, BaseModel, ConfigDict, Field
from typing_extensions import NotRequired, Required, TypedDict

from data_pipeline.tools.python_call import ConversionError, call_function, encode_result, json_default
from data_pipeline.tools.python_hints import is_plain


class Color(enum.Enum):
    RED = "red"
    BLUE = "blue"


class Size(enum.IntEnum):
    SMALL = 1
    LARGE = 2


@dataclasses.dataclass(frozen=True)
class Order:
    item: str
    due: date
    color: Color = Color.RED

    def __post_init__(self) -> None:
        if not self.item:
            raise ValueError("an order needs an item")


class Plain(TypedDict):
    name: str
    counts: NotRequired[list[int]]


class OldPlain(typing.TypedDict, total=False):
    name: Required[str]
    inner: OldPlain


class OldDated(typing.TypedDict, total=False):
    when: date
    color: Color


class Point(NamedTuple):
    x: int
    color: Color = Color.RED


class Strict(BaseModel):
    model_config = ConfigDict(strict=True, extra="forbid")
    born: date
    tags: frozenset[str] = Field(default=frozenset(), alias="labels")


UserId = NewType("UserId", str)
DAY = date(2026, 1, 2)
UUID_TEXT = "12345678-1234-5678-1234-567812345678"


def echo_of(annotation: Any) -> Callable[..., Any]:
    """A function of one parameter, x, that returns it."""

    def function(**given: Any) -> Any:
        return given["x"]

    parameter = inspect.Parameter("x", inspect.Parameter.KEYWORD_ONLY, annotation=annotation)
    function.__signature__ = inspect.Signature([parameter])  # type: ignore[attr-defined]
    return function


@pytest.mark.parametrize(
    ("annotation", "given", "received"),
    [
        (Color, "red", Color.RED),
        (Size, 2, Size.LARGE),
        (Color | None, None, None),
        (Literal[Color.RED, "green"], "red", Color.RED),
        (list[Literal[Color.RED]] | None, ["red"], [Color.RED]),
        (date, "2026-01-02", DAY),
        (datetime, "2026-01-02T03:04:05Z", datetime(2026, 1, 2, 3, 4, 5, tzinfo=timezone.utc)),
        (time, "03:04", time(3, 4)),
        (timedelta, "P1DT2H", timedelta(days=1, hours=2)),
        (Decimal, 1.1, Decimal("1.1")),
        (UUID, UUID_TEXT, UUID(UUID_TEXT)),
        (Path, "a/b", Path("a/b")),
        (bytes, "ab", b"ab"),
        (set[int], [1, 2, 2], {1, 2}),
        (frozenset[Color], ["red"], frozenset({Color.RED})),
        (tuple[int, ...], [1, 2], (1, 2)),
        (tuple[int, Color], [1, "red"], (1, Color.RED)),
        (Sequence[date], ["2026-01-02"], [DAY]),
        (Iterable[date], ["2026-01-02"], [DAY]),
        (Mapping[str, Color], {"a": "red"}, {"a": Color.RED}),
        (dict[int, str], {"1": "a"}, {1: "a"}),
        (dict[Color, int], {"red": 1}, {Color.RED: 1}),
        (Order, {"item": "pen", "due": "2026-01-02", "color": "blue"}, Order("pen", DAY, Color.BLUE)),
        (list[Order], [{"item": "pen", "due": "2026-01-02"}], [Order("pen", DAY)]),
        (Point, [1, "blue"], Point(1, Color.BLUE)),
        (OldDated, {"when": "2026-01-02"}, {"when": DAY}),
        (dict[str, OldDated], {"a": {"color": "red"}}, {"a": {"color": Color.RED}}),
        (Strict, {"born": "2026-01-02", "labels": ["a"]}, Strict(born=DAY, labels=frozenset({"a"}))),
        (Annotated[str, AfterValidator(str.upper)], "a", "A"),
        ("date", "2026-01-02", DAY),
    ],
)
def test_arguments_become_what_the_annotation_says(annotation: Any, given: Any, received: Any) -> None:
    found = call_function(echo_of(annotation), {"x": given})
    assert found == received
    assert type(found) is type(received)


@pytest.mark.parametrize(
    "annotation",
    [
        *(str, int, float, bool, None, Any, object, list, dict, typing.List, typing.Dict),  # noqa: UP006
        *(list[int], dict[str, list[float]], dict[Literal["a"], int], int | None, Sequence[str], Mapping[str, Any]),
        *(Iterable[int], Literal["a", 1, None], Plain, OldPlain, list[Plain], UserId),
        Annotated[int, Field(ge=1)],
        typing.Optional[list[Annotated[str, "words"]]],  # noqa: UP045
    ],
)
def test_plain_types_are_not_converted(annotation: Any) -> None:
    assert is_plain(annotation)
    value = {"any": ["thing"]}
    assert call_function(echo_of(annotation), {"x": value}) is value


def test_a_default_is_left_to_the_function() -> None:
    def function(x: date = DAY, y: int = 2) -> tuple[date, int]:
        return x, y

    assert call_function(function, {}) == (DAY, 2)
    assert call_function(function, {"y": 3}) == (DAY, 3)


@pytest.mark.parametrize(
    ("annotation", "given", "message"),
    [
        (date, "2026-02-30", "x: Input should be a valid date"),
        (list[Color], ["red", "pink"], "x.1: Input should be 'red' or 'blue'"),
        (Order, {"item": "", "due": "2026-01-02"}, "x: Value error, an order needs an item"),
        (Strict, {"born": "2026-01-02", "other": 1}, "x.other: Extra inputs are not permitted"),
    ],
)
def test_what_cannot_be_converted_is_not_called_with(annotation: Any, given: Any, message: str) -> None:
    with pytest.raises(ConversionError, match="^" + message) as caught:
        call_function(echo_of(annotation), {"x": given})
    assert "\n" not in str(caught.value)


def test_an_error_of_the_function_is_its_own() -> None:
    def function(x: date) -> None:
        raise ValueError(f"closed on {x}")

    with pytest.raises(ValueError, match=r"^closed on 2026-01-02$") as caught:
        call_function(function, {"x": "2026-01-02"})
    assert not isinstance(caught.value, ConversionError)


def test_hidden_values_are_handed_over_untouched() -> None:
    def plain(x: int, state: SimpleNamespace) -> Any:
        return x, state

    def converted(x: date, state: dict[str, Order]) -> Any:
        return x, state

    state: dict[str, Any] = {}
    assert call_function(plain, {"x": 1}, {"state": state})[1] is state
    day, same = call_function(converted, {"x": "2026-01-02"}, {"state": state})
    assert day == DAY
    assert same is state


def test_coroutines_are_run_to_their_end() -> None:
    async def wait(x: date) -> date:
        return x

    async def fail() -> None:
        raise KeyError("gone")

    @functools.wraps(wait)
    def wrapped(*args: Any, **kwargs: Any) -> Any:
        return wait(*args, **kwargs)

    assert call_function(wait, {"x": "2026-01-02"}) == DAY
    assert call_function(wrapped, {"x": "2026-01-02"}) == DAY
    with pytest.raises(KeyError, match="gone"):
        call_function(fail, {})


def test_partials_methods_and_cached_functions() -> None:
    class Shop:
        def sell(self, x: Color, count: int = 1) -> tuple[Color, int]:
            return x, count

    @functools.cache
    def cached(x: Color) -> Color:
        return x

    shop = Shop()
    assert call_function(shop.sell, {"x": "red"}) == (Color.RED, 1)
    assert call_function(functools.partial(shop.sell, count=3), {"x": "red"}) == (Color.RED, 3)
    assert call_function(cached, {"x": "red"}) is Color.RED


class Number:
    """As numpy's scalars and arrays: no Python number, but knows one."""

    def __init__(self, value: Any) -> None:
        self.value = value

    def tolist(self) -> Any:
        return self.value


@pytest.mark.parametrize(
    ("result", "written"),
    [
        ({"a": [1, 2.5, None, True, "b"]}, {"a": [1, 2.5, None, True, "b"]}),
        (Color.RED, "red"),
        (Size.LARGE, 2),
        (DAY, "2026-01-02"),
        (datetime(2026, 1, 2, tzinfo=timezone.utc), "2026-01-02T00:00:00+00:00"),
        (time(3, 4), "03:04:00"),
        (timedelta(days=1), "P1D"),
        (Decimal("1.50"), "1.50"),
        (UUID(UUID_TEXT), UUID_TEXT),
        (PurePosixPath("a/b"), "a/b"),
        (b"ab", "ab"),
        ({10, 9}, [9, 10]),
        ({Color.RED, Color.BLUE}, ["blue", "red"]),
        (Order("pen", DAY), {"item": "pen", "due": "2026-01-02", "color": "red"}),
        (Point(1), [1, "red"]),
        (Strict(born=DAY, labels=frozenset({"a"})), {"born": "2026-01-02", "labels": ["a"]}),
        (deque([1]), [1]),
        (range(2), [0, 1]),
        ({"b": 1, "a": 2}.keys(), ["b", "a"]),
        (Counter("aa"), {"a": 2}),
        (MappingProxyType({"a": DAY}), {"a": "2026-01-02"}),
        ([Number([1, 2]), Number(0.5)], [[1, 2], 0.5]),
        ({DAY: {Color.RED: [(1, {2})]}, 3: None}, {"2026-01-02": {"red": [[1, [2]]]}, "3": None}),
    ],
)
def test_results_as_json(result: Any, written: Any) -> None:
    assert json.loads(encode_result(result)) == written


def test_the_hook_alone_writes_values() -> None:
    assert json.dumps([DAY, {Color.RED}], default=json_default) == '["2026-01-02", ["red"]]'


@pytest.mark.parametrize(
    ("result", "message"),
    [
        (object(), "a result of type object has no JSON form"),
        (iter([1]), "a result of type list_iterator has no JSON form; return a list"),
        (Order, "a result of type type has no JSON form"),
        (b"\xff", "a result of type bytes has no JSON form"),
        ({(1, 2): 3}, "a key of type tuple has no JSON form"),
        ({Order("pen", DAY): 3}, "a key of type Order has no JSON form"),
    ],
)
def test_results_that_json_cannot_hold(result: Any, message: str) -> None:
    with pytest.raises(TypeError, match=message) as caught:
        encode_result(result)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("result", [float("nan"), [float("inf")], {Color.RED: float("nan")}])
def test_results_that_are_no_number(result: Any) -> None:
    with pytest.raises(ValueError, match="not JSON compliant"):
        encode_result(result)


def test_plain_calls_need_no_pydantic() -> None:
    code = """
import sys
from dataclasses import dataclass
from data_pipeline.tools.python_call import call_function, encode_result
@dataclass
class Point:
    x: int
def double(x: int, unit: str = "m") -> Point:
    return Point(2 * x)
assert encode_result([call_function(double, {"x": 2}), {3}]) == '[{"x": 4}, [3]]'
assert not {"pydantic", "pydantic_core", "asyncio"} & set(sys.modules)
"""
    subprocess.run([sys.executable, "-c", code], check=True)
