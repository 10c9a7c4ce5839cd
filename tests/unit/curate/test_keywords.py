"""Keywords that samples do not show."""

from data_pipeline.core.schema import Tool
from data_pipeline.curate.keywords import without_keywords


def test_keywords_go_on_every_level_and_names_stay() -> None:
    schema = {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": {"type": "string", "examples": ["a"]}, "examples": [["a"]]},
            "size": {"anyOf": [{"type": "integer", "minimum": 1}, {"type": "null"}], "default": {"minimum": 2}},
        },
        "required": ["examples"],
    }
    shown = without_keywords(Tool(name="f", description="F.", parameters=schema), ["examples", "minimum"])
    assert shown.parameters == {
        "type": "object",
        "properties": {
            "examples": {"type": "array", "items": {"type": "string"}},
            "size": {"anyOf": [{"type": "integer"}, {"type": "null"}], "default": {"minimum": 2}},
        },
        "required": ["examples"],
    }
