"""Keywords that samples do not show."""

from data_pipeline.core.schema import Tool
from data_pipeline.curate.keywords import shown


def test_keywords_go_on_every_level_and_names_stay() -> None:
    schema = {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": {"type": "string", "examples": ["a"]}, "examples": [["a"]]},
            "size": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": {"minimum": 2}},
        },
        "required": ["examples"],
    }
    found = shown(Tool(name="f", description="F.", parameters=schema), ["examples", "minimum"])
    assert found.parameters == {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": {"type": "string"}},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": {"minimum": 2}},
        },
        "required": ["examples"],
    }


def test_example_queries_are_never_shown() -> None:
    schema = {"type": "object", "properties": {"x-queries": {"type": "string"}}, "x-queries": ["Go {x-queries}."]}
    tool = Tool(name="f", description="F.", parameters=schema)
    assert shown(tool, []).parameters == {"type": "object", "properties": {"x-queries": {"type": "string"}}}
    plain = shown(tool, [])
    assert shown(plain, []) is plain
