"""A server's list of tools, as sent, becomes `Tool`s; what cannot is refused with a reason."""

from __future__ import annotations

import re
import time
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Tool, dumps
from data_pipeline.tools.mcp_source.text import one_line
from data_pipeline.tools.runner import Refusal

if TYPE_CHECKING:
    from collections.abc import Iterable

NAME = re.compile(r"[A-Za-z0-9_.-]{1,64}")

MAX_TOOL_BYTES = 64 * 1024
"""Largest description of a tool: all of it goes into the prompt, and checking a schema takes 7 ms a kB."""


def describe_tools(listed: Iterable[object], source: str, deadline: float) -> tuple[list[Tool], list[Refusal]]:
    """The tools and the refusals, each in the order of the list.

    Args:
        listed: entries of `tools/list`, as decoded from JSON.
        source: what each tool's `source` is to be.
        deadline: of `time.monotonic`; a list of thousands of large schemas takes minutes to check.

    Raises:
        InputError: the deadline has passed.
    """
    tools: dict[str, Tool] = {}
    refused = []
    for index, entry in enumerate(listed):
        if time.monotonic() > deadline:
            raise InputError(f"{source}: checking its tools takes too long (at number {index + 1})")
        fields: dict[str, Any] = entry if isinstance(entry, dict) else {}
        reason = _problem(fields, tools)
        if reason:
            refused.append(Refusal(one_line(fields.get("name") or f"number {index + 1}", 64), reason))
        else:
            tools[fields["name"]] = _tool(fields, source)
    return list(tools.values()), refused


def _problem(entry: dict[str, Any], known: dict[str, Tool]) -> str:
    """Why the entry does not become a tool; '' if it does."""
    name, description = entry.get("name"), entry.get("description")
    if not isinstance(name, str) or not NAME.fullmatch(name):
        return "its name is not 1 to 64 letters, digits or any of _ . -"
    if name in known:
        return "the server has another tool of this name"
    if not isinstance(description, str) or not description.strip():
        return "it has no description"
    execution = entry.get("execution")
    if isinstance(execution, dict) and execution.get("taskSupport") == "required":
        return "it runs only as a task that is asked for later"
    # The size first, because checking a large schema is slow.
    return _size_problem(entry) or _schema_problem(entry.get("inputSchema"))


def _schema_problem(schema: object) -> str:
    # Imported here because it is slow to import.
    from jsonschema import Draft202012Validator
    from jsonschema.exceptions import SchemaError

    if not isinstance(schema, dict) or schema.get("type") != "object":
        return "its inputSchema is not a JSON schema of type 'object'"
    if not isinstance(schema.get("properties", {}), dict):
        return "its inputSchema has 'properties' that are no object"
    try:
        Draft202012Validator.check_schema(schema)
    except SchemaError as error:
        place = ".".join(str(part) for part in error.absolute_path)
        return one_line(f"its inputSchema is no JSON schema at '{place}': {error.message}")
    except RecursionError:
        return "its inputSchema is nested too deeply"
    return ""


def _size_problem(entry: dict[str, Any]) -> str:
    try:
        size = len(dumps(entry))
    except (ValueError, RecursionError):
        return "its description holds NaN, Infinity or is nested too deeply"
    return f"its description takes more than {MAX_TOOL_BYTES // 1024} kB" if size > MAX_TOOL_BYTES else ""


def _tool(entry: dict[str, Any], source: str) -> Tool:
    annotations, returns = entry.get("annotations"), entry.get("outputSchema")
    reads_only = isinstance(annotations, dict) and annotations.get("readOnlyHint") is True
    return Tool(
        name=entry["name"],
        description=entry["description"].strip(),
        parameters=entry["inputSchema"],
        returns=returns if isinstance(returns, dict) else None,
        source=source,
        # The specification's default of the hint is false, so silence means that the tool may write.
        side_effects="read" if reads_only else "write",
    )
