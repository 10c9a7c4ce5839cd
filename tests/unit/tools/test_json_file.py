"""Files of schemas: every format told by its shape, what is refused, and names that clash."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from data_pipeline.core.errors import InputError
from data_pipeline.tools.json_file import open_json
from data_pipeline.tools.json_formats import prefixed
from data_pipeline.tools.runner import Refusal

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.tools.runner import SourceTools

Json = dict[str, Any]

GOOD: Json = {
    "name": "look_up",
    "description": "Look a word up.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}
WRAPPED: Json = {"type": "function", "function": GOOD}
XLAM_TOOL: Json = {
    "name": "live_giveaways",
    "description": "Retrieve live giveaways.",
    "parameters": {
        "kind": {"description": "The kind.", "type": "str", "default": "game"},
        "limit": {"description": "How many.", "type": "int"},
        "tags": {"description": "Tags.", "type": "List[str], optional"},
        "depth": {"description": "Depth.", "type": "int", "default": "3"},
        "odd": {"description": "Odd.", "type": "Dict[str, int]", "default": ""},
    },
}
XLAM: Json = {"id": 1, "query": "q", "tools": json.dumps([XLAM_TOOL, GOOD]), "answers": "[]"}
TOOLBENCH: Json = {
    "tool_name": "Weather & Co",
    "tool_description": "Weather everywhere.",
    "api_list": [
        {
            "name": "Get Forecast",
            "description": "The forecast.",
            "method": "GET",
            "required_parameters": [{"name": "city", "type": "STRING", "description": "Where.", "default": "Berlin"}],
            "optional_parameters": [
                {"name": "days", "type": "NUMBER", "description": "", "default": "3"},
                {"name": "metric", "type": "BOOLEAN", "description": "", "default": ""},
                {"name": "key", "type": "CREDENTIALS", "description": "", "default": ""},
                {"name": "on", "type": "DATE (YYYY-MM-DD)", "description": "", "default": ""},
            ],
        },
        {"name": "Report", "description": "", "method": "POST", "required_parameters": [], "optional_parameters": []},
    ],
}


def read(tmp_path: Path, content: Any, name: str = "tools.json") -> SourceTools:
    path = tmp_path / name
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    found = open_json(f"json:{path}")
    for tool in found.tools:
        Draft202012Validator.check_schema(tool.parameters)
    return found


def lines(*rows: Any) -> str:
    return "".join(json.dumps(row) + "\n" for row in rows)


@pytest.mark.parametrize(
    ("content", "name"),
    [
        (GOOD, "tools.json"),
        ([GOOD], "tools.json"),
        ([WRAPPED], "tools.json"),
        ({"tools": [GOOD], "model": "x"}, "tools.json"),
        ({"tools": [WRAPPED]}, "tools.json"),
        ([{"tools": [GOOD]}, {"tools": [WRAPPED]}, GOOD], "tools.json"),
        (lines(GOOD, WRAPPED, {"tools": [GOOD]}), "tools.jsonl"),
        (lines(GOOD, GOOD), "tools.json"),
        (json.dumps(GOOD), "tools.jsonl"),
        ("\ufeff" + json.dumps([GOOD]), "tools.json"),
        ([{"query": "q", "tools": json.dumps([GOOD])}], "tools.json"),
    ],
)
def test_openai_functions_in_every_wrapping(tmp_path: Path, content: Any, name: str) -> None:
    found = read(tmp_path, content, name)
    (tool,) = found.tools
    assert tool.to_openai() == GOOD
    assert tool.source == found.provenance.source == f"json:{tmp_path / name}"
    assert (found.runner, found.provenance.executable, found.refused) == (None, False, ())


def test_openai_functions_are_taken_as_they_are(tmp_path: Path) -> None:
    odd = {
        **GOOD,
        "description": "",
        "parameters": {
            "type": "object",
            "properties": {"a": {"$ref": "#/$defs/A"}, "b": True, "c": {"type": ["string", "null"], "x-own": [1]}},
            "$defs": {"A": {"type": "integer", "minimum": 0}},
            "additionalProperties": False,
        },
    }
    assert read(tmp_path, [odd]).tools[0].to_openai() == odd
    assert read(tmp_path, [{"name": "a"}]).tools[0].parameters == {"type": "object", "properties": {}}
    assert read(tmp_path, [{**GOOD, "parameters": None}]).tools[0].properties == {}


@pytest.mark.parametrize(
    ("entry", "name", "reason"),
    [
        (3, "item 1", "expected an object, got int"),
        ({"name": "", "description": "x"}, "item 1", "'name' must be text"),
        ({"description": "x", "function": {}}, "item 1", "'name' must be text"),
        ({**GOOD, "description": 3}, "look_up", "'description' must be text"),
        ({**GOOD, "parameters": "x"}, "look_up", "'parameters' must be a JSON schema, got str"),
        ({**GOOD, "parameters": {"word": {"type": "string"}}}, "look_up", "of type 'object' with 'properties'"),
        (
            {**GOOD, "parameters": {"type": "object", "properties": {"word": {"type": "str"}}}},
            "look_up",
            "'parameters' is no JSON schema at 'properties.word.type': 'str' is no JSON type",
        ),
        (
            {**GOOD, "name": "a", "parameters": {"type": "object", "properties": {"a": {"$ref": "http://h/x"}}}},
            "a",
            "not inside this schema",
        ),
        ({**GOOD, "name": "\ud800"}, "\ud800", "name"),
        ({**GOOD, "description": "Other."}, "look_up", "a tool of this name with another schema came before"),
    ],
)
def test_what_is_no_tool_is_refused_and_the_rest_kept(tmp_path: Path, entry: Any, name: str, reason: str) -> None:
    found = read(tmp_path, [GOOD, entry, {**GOOD, "name": "last"}])
    assert [tool.name for tool in found.tools] == ["look_up", "last"]
    (refusal,) = found.refused
    assert refusal.name == name
    assert reason in refusal.reason


@pytest.mark.parametrize(
    ("content", "name", "message"),
    [
        ('[\n{"name": }\n]', "a.json", "a.json:2: not valid JSON"),
        ("", "a.json", "a.json:1: not valid JSON"),
        ('{"name": "a"}\n{"name": }\n', "a.jsonl", "a.jsonl:2: not valid JSON"),
        ('{"name": "a"}\n{"name": }\n', "a.json", "a.json:2: not valid JSON"),
        ('[{"name": "a", "x": NaN}]', "a.json", "NaN is no JSON value"),
        ('[{"name": "a", "x": 1e999}]', "a.json", "too large a number"),
        ("[" * 100_000, "a.json", "not valid JSON"),
        (
            {"functions": []},
            "a.json",
            "expected a list of tools or an object with 'tools', got an object with 'functions'",
        ),
        (3, "a.json", "got a number"),
        ([1, 2], "a.json", "item 0: expected OpenAI functions"),
        ([{"a": 1}], "a.json", "got an object with 'a'"),
    ],
)
def test_what_is_no_format_is_told_with_file_and_place(tmp_path: Path, content: Any, name: str, message: str) -> None:
    with pytest.raises(InputError) as caught:
        read(tmp_path, content, name)
    assert str(caught.value).startswith(str(tmp_path / name))
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        open_json(f"json:{tmp_path / 'none.json'}")
    (tmp_path / "latin.json").write_bytes(b'["\xff"]')
    with pytest.raises(InputError, match="cannot be read as UTF-8"):
        open_json(f"json:{tmp_path / 'latin.json'}")


def test_an_empty_list_has_no_tools(tmp_path: Path) -> None:
    assert read(tmp_path, []).tools == ()


@pytest.mark.parametrize(
    ("content", "name"), [([XLAM, XLAM], "x.json"), (lines(XLAM, XLAM), "x.jsonl"), (XLAM, "x.json")]
)
def test_xlam_rows(tmp_path: Path, content: Any, name: str) -> None:
    found = read(tmp_path, content, name)
    assert found.refused == ()
    assert [tool.name for tool in found.tools] == ["live_giveaways", "look_up"]
    assert found.tools[0].parameters == {
        "type": "object",
        "properties": {
            "kind": {"type": "string", "description": "The kind.", "default": "game"},
            "limit": {"type": "integer", "description": "How many."},
            "tags": {"type": "array", "description": "Tags.", "items": {"type": "string"}},
            "depth": {"type": "integer", "description": "Depth.", "default": 3},
            "odd": {"type": "object", "description": "Odd.", "additionalProperties": {"type": "integer"}},
        },
        "required": ["limit"],
    }
    assert found.tools[1].to_openai() == GOOD


def test_xlam_rows_that_are_broken(tmp_path: Path) -> None:
    call = {**XLAM_TOOL, "name": "call", "parameters": {"f": {"type": "Callable[[int], int]", "description": "F."}}}
    silent = {**XLAM_TOOL, "name": "silent", "description": " "}
    other = {**XLAM_TOOL, "description": "Another thing."}
    rows = [
        {**XLAM, "tools": "[{"},
        {**XLAM, "tools": "3"},
        {
            **XLAM,
            "tools": json.dumps(
                [XLAM_TOOL, call, silent, other, "x", {"name": "free", "description": "F.", "parameters": {}}]
            ),
        },
    ]
    found = read(tmp_path, rows)
    assert [tool.name for tool in found.tools] == ["live_giveaways", "free"]
    assert found.refused == (
        Refusal("item 0", "'tools' is no JSON text (Expecting property name enclosed in double quotes)"),
        Refusal("item 1, tool 0", "expected an object, got int"),
        Refusal("call", "parameter 'f': 'callable[...]' is no type that JSON has"),
        Refusal("silent", "it has no description"),
        Refusal("live_giveaways", "item 2, tool 3: a tool of this name with another schema came before"),
        Refusal("item 2, tool 4", "expected an object, got str"),
    )


@pytest.mark.parametrize("content", [TOOLBENCH, [TOOLBENCH], [TOOLBENCH, TOOLBENCH]])
def test_toolbench(tmp_path: Path, content: Any) -> None:
    found = read(tmp_path, content)
    assert found.refused == ()
    forecast, report = found.tools
    assert forecast.name == "get_forecast"
    assert forecast.side_effects == "read"
    assert forecast.parameters == {
        "type": "object",
        "properties": {
            "city": {"type": "string", "description": "Where.", "examples": ["Berlin"]},
            "days": {"type": "number", "default": 3},
            "metric": {"type": "boolean"},
            "on": {"type": "string", "format": "date"},
        },
        "required": ["city"],
    }
    assert (report.name, report.description, report.side_effects) == ("report", "Weather everywhere.", "write")


def test_toolbench_names_that_clash_get_their_tool(tmp_path: Path) -> None:
    def api(text: str, **more: Any) -> Json:
        return {"name": "Search", "description": text, **more}

    stated = [
        {"tool_name": "Books", "api_list": [api("Books."), api("More books."), api("Yet more.")]},
        {"tool_name": "Films", "api_list": [api("Films."), {**api("Songs."), "tool_name": "Songs"}]},
        {"name": "x" * 80, "api_list": [{"api_name": "Search", "api_description": "Long."}]},
        {
            "tool_name": "Bad",
            "api_list": [
                {"name": "名"},
                {"name": "silent"},
                3,
                api("F.", required_parameters=[{"name": "f", "type": "FILE"}]),
            ],
        },
    ]
    found = read(tmp_path, stated)
    assert {tool.name: tool.description for tool in found.tools} == {
        "search": "Books.",
        "books_search": "More books.",
        "books_search_2": "Yet more.",
        "films_search": "Films.",
        "songs_search": "Songs.",
        "x" * 57 + "_search": "Long.",
    }
    assert [refusal.reason for refusal in found.refused] == [
        "its name has no letters or digits",
        "it has no description",
        "expected an object, got int",
        "parameter 'f' is a file, which no argument can be",
    ]


def test_a_prefix_makes_room_for_the_name() -> None:
    assert prefixed("a", "b") == "a_b"
    assert prefixed("", "b") == "b"
    assert prefixed("a" * 60, "b" * 60) == "aaa_" + "b" * 60
    assert prefixed("a", "b" * 64) == "b" * 64


def test_folders(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no \*.json"):
        open_json(f"json:{tmp_path}")
    (tmp_path / "b.json").write_text(json.dumps({**GOOD, "name": "b"}), encoding="utf-8")
    (tmp_path / "a.jsonl").write_text(lines({**GOOD, "name": "a"}, GOOD), encoding="utf-8")
    assert [tool.name for tool in open_json(f"json:{tmp_path}").tools] == ["a", "look_up", "b"]
    (tmp_path / "c.json").write_text("{", encoding="utf-8")
    with pytest.raises(InputError, match=r"c.json:1: not valid JSON"):
        open_json(f"json:{tmp_path}")
    for name in ("a.jsonl", "b.json", "c.json"):
        (tmp_path / name).write_text('{"x": 1}', encoding="utf-8")
    with pytest.raises(InputError, match="no file holds"):
        open_json(f"json:{tmp_path}")


@pytest.mark.alone
def test_fifteen_thousand_openai_functions_are_read_in_three_seconds(tmp_path: Path) -> None:
    properties = {
        f"p{i}": {"type": "string", "description": "A parameter.", "enum": ["a", "b"], "pattern": f"^{i}"}
        for i in range(5)
    }
    nested = {"type": "array", "items": {"type": "object", "properties": properties, "required": ["p1"]}}
    parameters = {"type": "object", "properties": {**properties, "n": nested}, "required": ["p0"]}
    tools = [{"name": f"tool_{i}", "description": "Does.", "parameters": parameters} for i in range(15_000)]
    path = tmp_path / "tools.json"
    path.write_text(json.dumps(tools), encoding="utf-8")
    # Of the processor, because the wall clock tells how busy the machine is.
    started = time.process_time()
    found = open_json(f"json:{path}")
    seconds = time.process_time() - started
    print(f"{len(found.tools)} tools of {path.stat().st_size >> 20} MB in {seconds:.2f} s")
    assert len(found.tools) == 15_000
    assert seconds < 3
