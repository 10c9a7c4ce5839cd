"""Random tool schemas, values that fit them, and answers spoilt in ways that models know.

Written apart from the code that makes grammars, and judged by the checks of the data alone: a drawn answer that they
refuse is a fault of this file, a spoilt one that they take is drawn again.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable
from typing import Any

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import Tool
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.schema_check import argument_errors

Json = Any
ANY_ORDER = 5
WORDS = ("city", "unit", "größe", "date", "limit", "名前", "filter", "a", "ab", "abc", 'say "hi"', "path\\to", "n_1")
ALPHABET = 'abc XYZ 019 .,-_/\\"\n\t\x00\x1f\x7fé漢😀'
PATTERNS: dict[str, Callable[[random.Random], str]] = {
    r"^[A-Z]{3}$": lambda rng: "".join(rng.choices("ABCXYZ", k=3)),
    r"^\d{3}-\d{4}$": lambda rng: f"{rng.randrange(1000):03d}-{rng.randrange(10000):04d}",
    r"^(red|green|blue)( light)?$": lambda rng: rng.choice(["red", "green light", "blue"]),
    r"^[^@\s]+@[a-z]+\.(com|org)$": lambda rng: rng.choice(["a.b@example.com", "Zoe-1@mail.org"]),
    r"ab+c": lambda rng: f"x{rng.choice(['', 'é'])}abbbc\n",
    r"^\w+$": lambda rng: "".join(rng.choices("abZ_09", k=rng.randint(1, 9))),
    r'^["\\]?\u00e9*$': lambda rng: rng.choice(['"', "\\", ""]) + "é" * rng.randrange(4),
}
FORMATS = {
    "date": "2024-02-29",
    "time": "23:59:59.5Z",
    "date-time": "1999-12-31T00:00:00+01:00",
    "uuid": "123e4567-e89b-12d3-a456-426614174000",
}


def random_tools(rng: random.Random) -> list[Tool]:
    """One to four tools with names of their own."""
    names = rng.sample(("get_weather", "search", "math.add", "größe", "send_mail", "x"), rng.randint(1, 4))
    return [Tool(name=name, description="", parameters=_parameters(rng)) for name in names]


def _parameters(rng: random.Random) -> dict[str, Json]:
    names = rng.sample(WORDS, rng.randint(0, 7))
    properties = {name: _schema(rng, 2) for name in names}
    required = [name for name in names if rng.random() < 0.5]
    return {"type": "object", "properties": properties, "required": required, "$defs": {"Node": _node(), "Id": _id()}}


def _node() -> dict[str, Json]:
    """A tree, which refers to itself."""
    below = {"type": "array", "items": {"$ref": "#/$defs/Node"}, "maxItems": 2}
    return {"type": "object", "properties": {"value": {"type": "integer"}, "below": below}, "required": ["value"]}


def _id() -> dict[str, Json]:
    return {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "string", "minLength": 1, "maxLength": 8}]}


def _schema(rng: random.Random, depth: int) -> dict[str, Json]:
    kinds = [_string, _integer, _number, _listed, _union, _reference, lambda _: {"type": "boolean"}]
    if depth:
        kinds += [lambda r: _array(r, depth), lambda r: _object(r, depth)]
    return rng.choice(kinds)(rng)


def _string(rng: random.Random) -> dict[str, Json]:
    least = rng.randrange(4)
    extra: list[dict[str, Json]] = [
        {},
        {"minLength": least, "maxLength": least + rng.randrange(5)},
        {"pattern": rng.choice(list(PATTERNS))},
        {"format": rng.choice(list(FORMATS))},
    ]
    return {"type": "string", **rng.choice(extra)}


def _integer(rng: random.Random) -> dict[str, Json]:
    low = rng.choice([0, 1, -5, -180, 17, 100, rng.randint(-(10**6), 10**6)])
    high = low + rng.choice([0, 1, 9, 100, rng.randrange(10**6)])
    extra = [
        {},
        {"minimum": low},
        {"maximum": high},
        {"minimum": low, "maximum": high},
        {"exclusiveMinimum": low, "exclusiveMaximum": high + 2},
    ]
    return {"type": "integer", **rng.choice(extra)}


def _number(rng: random.Random) -> dict[str, Json]:
    low = rng.choice([0, 0.0, -90, 0.5, 1.25, -0.05, round(rng.uniform(-1000, 1000), 3)])
    high = low + rng.choice([0.5, 1, 0.001, 180, round(rng.uniform(0.01, 1000), 2)])
    extra = [
        {},
        {"minimum": low},
        {"maximum": high},
        {"minimum": low, "maximum": high},
        {"exclusiveMinimum": low},
        {"exclusiveMinimum": low, "exclusiveMaximum": high},
    ]
    return {"type": "number", **rng.choice(extra)}


def _listed(rng: random.Random) -> dict[str, Json]:
    values: list[Json] = ["celsius", "fahrenheit", "größe", "", 'a"b', 1, 2.5, None, True, "1"]
    return rng.choice(
        [
            {"enum": rng.sample(values, rng.randint(1, 5))},
            {"const": rng.choice(values)},
            {"type": "string", "enum": ["low", "high", 3]},
        ]
    )


def _union(rng: random.Random) -> dict[str, Json]:
    parts = [{"type": "null"}, _string(rng), _integer(rng)]
    rng.shuffle(parts)
    return rng.choice(
        [
            {rng.choice(["anyOf", "oneOf"]): parts[: rng.randint(2, 3)]},
            {"type": rng.sample(["string", "integer", "null", "boolean"], 2)},
            {"allOf": [{"type": "integer", "minimum": 3}, {"maximum": 7}]},
        ]
    )


def _reference(rng: random.Random) -> dict[str, Json]:
    return {"$ref": rng.choice(["#/$defs/Node", "#/$defs/Id"])}


def _array(rng: random.Random, depth: int) -> dict[str, Json]:
    least = rng.randrange(3)
    extra = [{}, {"minItems": least}, {"minItems": least, "maxItems": least + rng.randrange(3)}]
    return {"type": "array", "items": _schema(rng, depth - 1), **rng.choice(extra)}


def _object(rng: random.Random, depth: int) -> dict[str, Json]:
    names = rng.sample(WORDS, rng.randint(1, 4))
    found: dict[str, Json] = {"type": "object", "properties": {name: _schema(rng, depth - 1) for name in names}}
    found["required"] = [name for name in names if rng.random() < 0.5]
    return found if rng.random() < 0.7 else {**found, "additionalProperties": {"type": "integer"}}


# -- values


class Values:
    """Values that fit the schemas of one tool."""

    def __init__(self, rng: random.Random, tool: Tool) -> None:
        self._rng = rng
        self._defs: Json = tool.parameters["$defs"]
        self.arguments = self._object_of(tool.parameters, 0)

    def _of(self, schema: dict[str, Json], depth: int) -> Json:
        rng = self._rng
        if "$ref" in schema:
            return self._of(self._defs[schema["$ref"].rpartition("/")[2]], depth + 1)
        if "enum" in schema or "const" in schema:
            strings = [value for value in schema.get("enum", ()) if isinstance(value, str)]
            return schema["const"] if "const" in schema else rng.choice(strings if "type" in schema else schema["enum"])
        if "allOf" in schema:
            return rng.randint(3, 7)
        for keyword in ("anyOf", "oneOf"):
            if keyword in schema:
                return self._of(rng.choice(schema[keyword]), depth)
        kind = schema["type"]
        return self._typed(rng.choice(kind) if isinstance(kind, list) else kind, schema, depth)

    def _typed(self, kind: str, schema: dict[str, Json], depth: int) -> Json:
        if kind == "array":
            least = schema.get("minItems", 0)
            most = schema.get("maxItems", least + 2) if depth < 4 else least
            return [self._of(schema["items"], depth + 1) for _ in range(self._rng.randint(least, most))]
        if kind == "object":
            return self._object_of(schema, depth)
        simple = {"null": lambda: None, "boolean": lambda: self._rng.random() < 0.5}
        scalar = {"string": self._string_of, "integer": self._integer_of, "number": self._number_of}
        return scalar[kind](schema) if kind in scalar else simple[kind]()

    def _object_of(self, schema: dict[str, Json], depth: int) -> dict[str, Json]:
        rng, listed = self._rng, schema["properties"]
        names = [name for name in listed if name in schema["required"] or rng.random() < 0.4]
        if len(listed) <= ANY_ORDER:
            rng.shuffle(names)
        found = {name: self._of(listed[name], depth + 1) for name in names}
        if schema.get("additionalProperties") and rng.random() < 0.5:
            # Near a listed name and beyond it; "a" and "ab" are listed names of some.
            found.update({name: rng.randrange(99) for name in rng.sample(("abcd", "größer", "z"), 2)})
        return found

    def _string_of(self, schema: dict[str, Json]) -> str:
        rng = self._rng
        if "pattern" in schema:
            return PATTERNS[schema["pattern"]](rng)
        if "format" in schema:
            return FORMATS[schema["format"]]
        least = schema.get("minLength", 0)
        return "".join(rng.choices(ALPHABET, k=rng.randint(least, schema.get("maxLength", least + 8))))

    def _integer_of(self, schema: dict[str, Json]) -> int:
        low = schema.get("minimum", schema.get("exclusiveMinimum", -(10**9)) + ("exclusiveMinimum" in schema))
        high = schema.get("maximum", schema.get("exclusiveMaximum", 10**18) - ("exclusiveMaximum" in schema))
        low = min(low, high - 10**9) if "maximum" in schema and "minimum" not in schema else low
        return self._rng.choice([low, high, self._rng.randint(low, high), self._rng.randint(low, min(high, low + 20))])

    def _number_of(self, schema: dict[str, Json]) -> int | float:
        rng = self._rng
        closed = [schema[key] for key in ("minimum", "maximum") if key in schema]
        low = schema.get("minimum", schema.get("exclusiveMinimum"))
        high = schema.get("maximum", schema.get("exclusiveMaximum"))
        low = low if low is not None else (high if high is not None else 0) - rng.choice([1, 1e3, 1e9])
        high = high if high is not None else low + rng.choice([1, 1e3, 1e9])
        inside = [round(rng.uniform(low, high), digits) for digits in (0, 1, 2, 6)] + [low + (high - low) * 1e-7]
        inside += [1e-7, 2.5e-5, round(low) + 1] + ([1e22, -1.7e-300, 6.02e23] if len(schema) == 1 else [])
        fitting = [value for value in inside if low < value < high or len(schema) == 1]
        return rng.choice(closed + fitting) if closed + fitting else (low + high) / 2


def answer(rng: random.Random, tools: list[Tool]) -> Json:
    """One to three calls, seldom none, whose arguments fit."""
    chosen = rng.choices(tools, k=rng.choice((0, 1, 1, 1, 2, 3)))
    return {"tool_calls": [{"name": tool.name, "arguments": Values(rng, tool).arguments} for tool in chosen]}


def is_valid(text: str, tools: list[Tool], empty: bool) -> bool:
    """Whether the checks of the data take the answer."""
    by_name = {tool.name: tool for tool in tools}
    try:
        calls = parse_calls(text)
    except FormatError:
        return False
    fits = all(call.name in by_name and not argument_errors(by_name[call.name], call.arguments) for call in calls)
    return fits and (empty or bool(calls))


# -- ways to spoil an answer: a call is changed, or the text


def _drop(rng: random.Random, call: Json, _: Tool) -> None:
    call["arguments"].pop(rng.choice([*call["arguments"]]))


def _unknown_argument(rng: random.Random, call: Json, _: Tool) -> None:
    call["arguments"][rng.choice(["extra", "abcde", "City", "unit "])] = rng.choice([1, "x", None])


def _other_value(rng: random.Random, call: Json, _: Tool) -> None:
    others = [None, True, 1.0, -7, 10**15, "", "?", "x" * 40, [], [None], {}, {"value": "1"}, 2.5]
    call["arguments"][rng.choice([*call["arguments"]])] = rng.choice(others)


def _near_value(rng: random.Random, call: Json, _: Tool) -> None:
    name = rng.choice([*call["arguments"]])
    value = call["arguments"][name]
    if isinstance(value, str):
        near: list[Json] = [value + "!", value[:-1], value.upper(), value + "\n", " " + value]
    elif isinstance(value, int | float):
        near = [value + 1, value - 1, float(value), str(value), -value, value + 0.5]
    elif isinstance(value, list):
        near = [value + value, value[1:], value[0] if value else None, [value]]
    else:
        near = [str(value), [value], {"x": value}]
    call["arguments"][name] = rng.choice(near)


def _inner(rng: random.Random, call: Json, _: Tool) -> None:
    held = [value for value in call["arguments"].values() if isinstance(value, dict) and value]
    inside = rng.choice(held)
    name = rng.choice([*inside])
    inside.update({name: rng.choice([None, "x", 1.5])}) if rng.random() < 0.5 else inside.pop(name)


def _unknown_tool(rng: random.Random, call: Json, _: Tool) -> None:
    call["name"] = rng.choice([call["name"] + "2", call["name"][:-1], call["name"].upper(), "no_such_tool"])


def _extra_key(_: random.Random, call: Json, __: Tool) -> None:
    call["id"] = "call_1"


def _no_arguments(_: random.Random, call: Json, __: Tool) -> None:
    del call["arguments"]


def _arguments_as_text(_: random.Random, call: Json, __: Tool) -> None:
    call["arguments"] = json.dumps(call["arguments"])


SPOILT_CALLS: dict[str, Callable[[random.Random, Json, Tool], None]] = {
    "missing argument": _drop,
    "unknown argument": _unknown_argument,
    "another value": _other_value,
    "a value nearby": _near_value,
    "inside an object": _inner,
    "unknown tool": _unknown_tool,
    "key beside arguments": _extra_key,
    "no arguments": _no_arguments,
    "arguments as text": _arguments_as_text,
}


def _repeated_key(text: str) -> str:
    return text.replace('"arguments": {', '"arguments": {"a": 1, "a": 1, ', 1)


def _given_twice(text: str) -> str:
    """The first argument once more, behind itself."""
    start = text.index('"arguments": {') + len('"arguments": {')
    _, end = json.JSONDecoder().raw_decode(text, start)
    _, value_end = json.JSONDecoder().raw_decode(text, end + 2)
    return f"{text[:value_end]}, {text[start:]}"


SPOILT_TEXTS: dict[str, Callable[[random.Random, str], str]] = {
    "cut short": lambda rng, text: text[: rng.randrange(len(text))],
    "text behind": lambda rng, text: text + rng.choice(["}", " Done.", "]", ","]),
    "text before": lambda rng, text: rng.choice(["Sure: ", "[", "{"]) + text,
    "code fence": lambda _, text: f"```json\n{text}\n```",
    "single quotes": lambda _, text: text.replace('"', "'"),
    "comma at the end": lambda rng, text: rng.choice([text[:-1] + ",}", text.replace("}]}", "},]}")]),
    "NaN": lambda rng, text: text.replace(": ", ": " + rng.choice(["NaN, ", "-Infinity, "]), 3).replace(", ", "", 1),
    "name given twice": lambda _, text: _repeated_key(text),
    "argument given twice": lambda _, text: _given_twice(text),
    "number too large": lambda _, text: text.replace("0", "1e999", 1),
    "a zero in front": lambda _, text: text.replace(": 1", ": 01").replace(": 2", ": 02"),
    "a bare control character": lambda _, text: text.replace("\\n", "\n").replace("\\t", "\t"),
    "broken escape": lambda rng, text: text.replace("\\u", rng.choice(["\\v", "\\u0", "\\U"]), 1),
    "no call": lambda _, __: '{"tool_calls": []}',
    "another key": lambda _, text: text.replace("tool_calls", "calls"),
}


def spoilt(rng: random.Random, kind: str, value: Json, tools: list[Tool]) -> str | None:
    """The answer spoilt in one way, as text, or None where it has nothing to be spoilt in that way."""
    calls = value["tool_calls"]
    if not calls:
        return None
    try:
        if kind in SPOILT_TEXTS:
            return SPOILT_TEXTS[kind](rng, json.dumps(value))
        call = rng.choice(calls)
        tool = next(tool for tool in tools if tool.name == call["name"])
        SPOILT_CALLS[kind](rng, call, tool)
    except (IndexError, ValueError):
        return None
    return json.dumps(value)
