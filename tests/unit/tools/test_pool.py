"""Sources merged into one pool: clashes, duplicates, health, and that renamed tools still run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools.pool import healthy, open_pool
from data_pipeline.tools.sandbox import best_level
from data_pipeline.tools.source import SourceOptions, open_source

if TYPE_CHECKING:
    from pathlib import Path

    from data_pipeline.core.schema import Tool

ANY_LEVEL = SourceOptions(require_sandbox="limits")
ONE = '''
def double(x: int) -> int:
    """Double a number.

    Args:
        x: The number
    """
    return 2 * x

def untyped(x):
    """Nobody knows."""
'''
TWO = (
    ONE.replace("Double a number", "Double what is given")
    + '''
def broken(x: int) -> int:
    """Fail always.

    Args:
        x: The number
    """
    raise ValueError("never")

def nothing() -> str:
    """Take nothing."""
    return ""
'''
)


@pytest.fixture
def sources(tmp_path: Path) -> list[str]:
    for name, text in (("one", ONE), ("two", TWO), ("three", ONE)):
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
    return [f"python:{tmp_path / name}.py" for name in ("one", "two", "three")]


def test_names_are_unique_and_nothing_is_twice(sources: list[str]) -> None:
    pool = open_pool(sources, ANY_LEVEL)
    assert [tool.name for tool in pool.tools] == ["double", "double_2", "broken", "nothing"]
    assert pool.renamed == {"double_2": (sources[1], "double")}
    reasons = {(refusal.name, refusal.reason) for refusal in pool.refused}
    assert ("double", f"{sources[2]}: the same as in {sources[0]}") in reasons
    assert ("untyped", "parameter 'x' has no type annotation") in reasons


def test_renamed_tools_run_under_the_name_their_source_knows(sources: list[str]) -> None:
    pool = open_pool(sources[:2], ANY_LEVEL)
    with pool.executor() as executor:
        results = [executor.call(tool, {"x": 4}) for tool in pool.tools[:2]]
    assert [result.result for result in results] == [8, 8]


def test_unhealthy_tools_are_out_with_the_reason(sources: list[str]) -> None:
    pool = open_pool(sources[:2], ANY_LEVEL)
    with pool.executor() as executor:
        well = healthy(pool, executor, lambda tool: [{"x": 1}, {"x": 2}] if tool.properties else [{}])
    assert [tool.name for tool in well.tools] == ["double", "double_2"]
    reasons = {refusal.name: refusal.reason for refusal in well.refused}
    assert reasons["broken"] == f"{sources[1]}: none of 2 calls worked, the last one: tool_error, ValueError: never"
    assert "it has no parameters" in reasons["nothing"]


def test_provenance_says_where_tools_came_from_and_what_stood_around_them(sources: list[str]) -> None:
    record = json.loads(json.dumps(open_pool([sources[0], "bundled:maths"], ANY_LEVEL).provenance()))
    assert [entry["source"] for entry in record["sources"]] == [sources[0], "bundled:maths"]
    assert record["sources"][1]["licence"] == "Apache-2.0"
    assert record["sandbox"]["level"] == best_level().level


def _first(source: str) -> Tool:
    return open_source(source).tools[0]


@pytest.mark.parametrize("domain", ["bank_account", "smart_home"])
def test_stateful_tools_take_and_give_their_state(domain: str) -> None:
    pool = open_pool([f"bundled:{domain}"])
    assert all("state" not in tool.properties for tool in pool.tools)
    assert {tool.side_effects for tool in pool.tools} == {"read", "write"}
    reader = next(tool for tool in pool.tools if tool.side_effects == "read" and not tool.required)
    with pool.executor() as executor:
        first = executor.call(reader, {})
        again = executor.call(reader, {}, first.state)
    assert first.status == again.status == "ok", first
    assert first.state
    assert (first.result, first.state) == (again.result, again.state)


def test_a_state_of_another_world_is_a_wrong_argument() -> None:
    pool = open_pool(["bundled:smart_home"])
    reader = next(tool for tool in pool.tools if tool.name == "list_devices")
    with pool.executor() as executor:
        done = executor.call(reader, {}, "{}")
    assert done.status == "bad_arguments"
    assert "state" in done.error


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("raise RuntimeError('not today')", "not today"),
        ("import no_such_thing", "no_such_thing"),
        ("def", "SyntaxError"),
    ],
)
def test_a_module_that_cannot_be_imported_is_told_in_one_line(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "mine.py"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match=message) as caught:
        open_source(f"python:{path}", ANY_LEVEL)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "message"), [("no_such_module.tools", "no module 'no_such_module'"), ("./none.py", "no such file")]
)
def test_python_sources_that_are_not_there(name: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        open_source(f"python:{name}", ANY_LEVEL)


def test_an_installed_module_is_described_without_importing_it_here() -> None:
    found = open_source("python:data_pipeline.tools.bundled.maths", ANY_LEVEL)
    expected: list[Any] = [tool.to_openai() for tool in open_source("bundled:maths").tools]
    assert [tool.to_openai() for tool in found.tools] == expected
    assert found.provenance.executable


def test_a_package_on_the_search_path_is_found_and_nothing_beside_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    package = tmp_path / "gardening"
    package.mkdir()
    (package / "__init__.py").write_text("FACTOR = 2\n", encoding="utf-8")
    (package / "beds.py").write_text(f"from gardening import FACTOR\n{ONE}", encoding="utf-8")
    (tmp_path / "diary.txt").write_text("private", encoding="utf-8")
    peek = f'def peek(name: str) -> str:\n    """Peek."""\n    return open({str(tmp_path)!r} + "/" + name).read()\n'
    (package / "peeking.py").write_text(peek, encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    allowed = {"beds": ({"x": 3}, {"ok"}), "peeking": ({"name": "diary.txt"}, {"denied", "tool_error"})}
    for module, (arguments, statuses) in allowed.items():
        pool = open_pool([f"python:gardening.{module}"], ANY_LEVEL)
        with pool.executor() as executor:
            assert executor.call(pool.tools[0], arguments).status in statuses, module
