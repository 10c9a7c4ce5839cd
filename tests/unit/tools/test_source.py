"""Tools by source, and what is said about a source that cannot be read."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools import bundled
from data_pipeline.tools.executor import is_executable
from data_pipeline.tools.pool import open_pool
from data_pipeline.tools.source import open_source

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.core.schema import Tool

GOOD: dict[str, Any] = {
    "name": "look_up",
    "description": "Look a word up.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}


def load_tools(sources: list[str]) -> list[Tool]:
    return list(open_pool(sources).tools)


def _file(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "tools.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return f"json:{path}"


def test_bundled_holds_every_domain() -> None:
    tools = load_tools(["bundled"])
    assert {tool.source for tool in tools} == {f"bundled:{domain}" for domain in bundled.domains()}
    assert len({tool.name for tool in tools}) == len(tools)
    assert all(is_executable(tool) for tool in tools)
    assert len(tools) >= 150
    assert {tool.category for tool in tools} == set(bundled.domains())
    assert len(bundled.domains()) == 21


def test_one_domain_in_listed_order() -> None:
    domain = bundled.domains()[0]
    assert [tool.name for tool in load_tools([f"bundled:{domain}"])] == list(bundled.functions(domain))


@pytest.mark.parametrize("content", [[GOOD], [{"type": "function", "function": GOOD}], {"tools": [GOOD], "model": "x"}])
def test_json_bare_wrapped_or_inside_an_object(tmp_path: Path, content: Any) -> None:
    source = _file(tmp_path, content)
    (tool,) = load_tools([source])
    assert tool.to_openai() == GOOD
    assert tool.source == source
    assert not is_executable(tool)


@pytest.mark.parametrize(
    ("source", "hint"),
    [
        ("bundled:finanse", "did you mean 'finance'?"),
        ("bundeld", "did you mean 'bundled'?"),
        ("json", "json:FILE"),
        ("bundled:", "unknown domain ''"),
    ],
)
def test_unknown_source_names_the_nearest(source: str, hint: str) -> None:
    with pytest.raises(InputError, match="unknown") as caught:
        load_tools([source])
    assert hint in str(caught.value)


@pytest.mark.parametrize(
    ("content", "message"),
    [('[\n{"name": }\n]', ":2: not valid JSON"), ({"functions": []}, "expected a list of tools")],
)
def test_wrong_file_names_place(tmp_path: Path, content: Any, message: str) -> None:
    source = _file(tmp_path, content)
    with pytest.raises(InputError) as caught:
        open_source(source)
    assert str(caught.value).startswith(str(tmp_path))
    assert message in str(caught.value)


@pytest.mark.parametrize(
    ("entry", "name", "reason"),
    [
        (3, "item 1", "expected an object, got int"),
        ({"name": 7, "description": "x"}, "item 1", "'name' must be text"),
        ({**GOOD, "name": "x", "description": 3}, "x", "'description' must be text"),
        ({**GOOD, "name": "x", "parameters": "x"}, "x", "'parameters' must be a JSON schema, got str"),
        ({**GOOD, "name": "x", "parameters": {"word": {"type": "string"}}}, "x", "of type 'object' with 'properties'"),
        (
            {**GOOD, "name": "x", "parameters": {"type": "object", "properties": {"word": {"type": "str"}}}},
            "x",
            "'parameters' is no JSON schema at 'properties.word.type'",
        ),
    ],
)
def test_a_wrong_entry_is_refused_and_costs_the_others_nothing(
    tmp_path: Path, entry: Any, name: str, reason: str
) -> None:
    found = open_source(_file(tmp_path, [GOOD, entry]))
    assert [tool.to_openai() for tool in found.tools] == [GOOD]
    ((refusal),) = found.refused
    assert refusal.name == name
    assert reason in refusal.reason


def test_empty_parameters_are_none(tmp_path: Path) -> None:
    assert load_tools([_file(tmp_path, [{**GOOD, "parameters": []}])])[0].properties == {}


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_tools([f"json:{tmp_path / 'none.json'}"])


def test_importing_brings_in_nothing_slow() -> None:
    code = (
        "import sys, data_pipeline.tools.source, data_pipeline.tools.executor; "
        "print([m for m in ('torch', 'transformers', 'jsonschema', 'docstring_parser') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
