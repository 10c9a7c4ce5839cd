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
from data_pipeline.tools.source import load_tools

if TYPE_CHECKING:
    from pathlib import Path

GOOD: dict[str, Any] = {
    "name": "look_up",
    "description": "Look a word up.",
    "parameters": {"type": "object", "properties": {"word": {"type": "string"}}, "required": ["word"]},
}


def _file(tmp_path: Path, content: Any) -> str:
    path = tmp_path / "tools.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content), encoding="utf-8")
    return f"json:{path}"


def test_bundled_holds_every_domain() -> None:
    tools = load_tools(["bundled"])
    assert {tool.source for tool in tools} == {f"bundled:{domain}" for domain in bundled.domains()}
    assert len({tool.name for tool in tools}) == len(tools)
    assert all(is_executable(tool) for tool in tools)


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
    [
        ('[\n{"name": }\n]', ":2: not valid JSON"),
        ({"functions": []}, "expected a list of tools"),
        ([GOOD, 3], "tool 1: expected an object, got int"),
        ([GOOD, {"description": "x"}], "tool 1: 'name' must be text"),
        ([{**GOOD, "description": 3}], "tool 0 ('look_up'): 'description' must be text"),
        ([{**GOOD, "parameters": []}], None),
        ([{**GOOD, "parameters": "x"}], "'parameters' must be a JSON schema, got str"),
        ([{**GOOD, "parameters": {"word": {"type": "string"}}}], "of type 'object' with 'properties'"),
        (
            [{**GOOD, "parameters": {"type": "object", "properties": {"word": {"type": "str"}}}}],
            "'parameters' is no JSON schema at 'properties.word.type'",
        ),
    ],
)
def test_wrong_file_names_place_and_field(tmp_path: Path, content: Any, message: str | None) -> None:
    source = _file(tmp_path, content)
    if message is None:
        assert load_tools([source])[0].properties == {}
        return
    with pytest.raises(InputError) as caught:
        load_tools([source])
    assert str(caught.value).startswith(str(tmp_path))
    assert message in str(caught.value)


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        load_tools([f"json:{tmp_path / 'none.json'}"])


def test_a_name_in_two_sources_names_both(tmp_path: Path) -> None:
    name = load_tools(["bundled:finance"])[0].name
    source = _file(tmp_path, [{**GOOD, "name": name}])
    with pytest.raises(InputError) as caught:
        load_tools(["bundled:finance", source])
    assert f"tool '{name}' is in 'bundled:finance' and again in '{source}'" in str(caught.value)


def test_importing_brings_in_nothing_slow() -> None:
    code = (
        "import sys, data_pipeline.tools.source, data_pipeline.tools.executor; "
        "print([m for m in ('torch', 'transformers', 'jsonschema', 'docstring_parser') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"
