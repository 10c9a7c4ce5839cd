"""Where tools come from: the bundled domains, or a JSON file of OpenAI function schemas."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError, nearest
from data_pipeline.core.jsonl import read_json
from data_pipeline.core.schema import Tool
from data_pipeline.tools import bundled
from data_pipeline.tools.python_source import tool_from_function

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

BUNDLED = "bundled"
SOURCES = {
    "bundled": "every bundled tool",
    "bundled:DOMAIN": "the bundled tools of one domain",
    "json:FILE": "OpenAI function schemas, bare or wrapped: a list, or an object with 'tools'",
}
"""How a source is written, and what it holds."""


def load_tools(sources: Sequence[str]) -> list[Tool]:
    """The tools of all sources, in the order given.

    Raises:
        InputError: an unknown source or domain, a file that cannot be read, an entry that is no
            tool, or a name that two tools share.
    """
    found: dict[str, tuple[str, Tool]] = {}
    for source in sources:
        for tool in _load(source):
            if tool.name in found:
                raise InputError(
                    f"tool '{tool.name}' is in '{found[tool.name][0]}' and again in '{source}'; "
                    "rename one or leave a source out"
                )
            found[tool.name] = (source, tool)
    return [tool for _, tool in found.values()]


def _load(source: str) -> Iterable[Tool]:
    kind, _, rest = source.partition(":")
    if kind == BUNDLED:
        return _from_bundled((rest,) if ":" in source else bundled.domains())
    if kind == "json" and rest:
        return _from_json(Path(rest), source)
    kinds = (BUNDLED, "json")
    hint = f"write it as {' | '.join(SOURCES)}" if kind in kinds else nearest(kind, kinds)
    raise InputError(f"unknown tool source '{source}': {hint}")


def _from_bundled(domains: Iterable[str]) -> list[Tool]:
    return [
        tool_from_function(function, f"{BUNDLED}:{domain}")
        for domain in domains
        for function in bundled.functions(domain).values()
    ]


def _from_json(path: Path, source: str) -> list[Tool]:
    entries = read_json(path)
    if isinstance(entries, dict) and "tools" in entries:
        entries = entries["tools"]
    if not isinstance(entries, list):
        raise InputError(f"{path}: expected a list of tools, or an object with the key 'tools'")
    return [_read_entry(entry, f"{path}: tool {index}", source) for index, entry in enumerate(entries)]


def _read_entry(entry: Any, where: str, source: str) -> Tool:
    """One OpenAI function schema, checked field by field so that the message can name the field."""
    function = entry.get("function", entry) if isinstance(entry, dict) else entry
    if not isinstance(function, dict):
        raise InputError(f"{where}: expected an object, got {type(function).__name__}")
    name = function.get("name")
    if not isinstance(name, str) or not name:
        raise InputError(f"{where}: 'name' must be text")
    if not isinstance(function.get("description") or "", str):
        raise InputError(f"{where} ('{name}'): 'description' must be text")
    problem = _parameters_problem(function.get("parameters") or {})
    if problem:
        raise InputError(f"{where} ('{name}'): 'parameters' {problem}")
    return Tool.from_openai(function, source=source)


def _parameters_problem(parameters: Any) -> str | None:
    """What keeps this from being the JSON schema of a call's arguments."""
    # Imported here because only JSON sources need it, and it is slow to import.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not isinstance(parameters, dict):
        return f"must be a JSON schema, got {type(parameters).__name__}"
    if parameters and parameters.get("type") != "object":
        return "must be a JSON schema of type 'object' with 'properties'"
    try:
        Draft202012Validator.check_schema(parameters)
    except SchemaError as error:
        place = ".".join(str(part) for part in error.absolute_path)
        return f"is no JSON schema at '{place}': {error.message}"
    return None
