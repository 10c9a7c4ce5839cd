"""What a server answers to a call becomes a status and a JSON value."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from data_pipeline.core.schema import dumps
from data_pipeline.tools.mcp_source.text import one_line
from data_pipeline.tools.runner import MAX_RESULT_BYTES, Status

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import JsonValue

Outcome = tuple[Status, "JsonValue", str]
"""Status, result and error of a call, as in `ExecutionResult`."""


def outcome_of(answer: Mapping[str, Any]) -> Outcome:
    """Read a `CallToolResult`, decoded from JSON and known to be well-formed."""
    if answer.get("isError"):
        return "tool_error", None, _error_text(answer) or "the tool failed without saying why"
    # Some servers send null for "none", though the key should then be absent.
    structured = answer.get("structuredContent")
    result = _content(answer.get("content") or []) if structured is None else structured
    try:
        size = len(dumps(result))
    except (ValueError, RecursionError) as error:
        return "tool_error", None, f"the result is not JSON: {one_line(error)}"
    if size > MAX_RESULT_BYTES:
        return "output_too_large", None, f"the result takes {size} bytes of JSON, {MAX_RESULT_BYTES} are allowed"
    return "ok", result, ""


def _content(blocks: list[dict[str, Any]]) -> JsonValue:
    """The value of unstructured content: of one block that block, of several their list, of none null.

    Text stays text, also where it would parse as JSON: the server had a way to send a value and did
    not use it, `02134` and `1e5` are not numbers, and text is what a model is shown later.
    """
    values = [_block(block) for block in blocks]
    if len(values) == 1:
        return values[0]
    return values or None


def _block(block: dict[str, Any]) -> JsonValue:
    kind = str(block.get("type"))
    if kind == "text":
        return str(block.get("text", ""))
    found = block.get("resource")
    data: dict[str, Any] = found if isinstance(found, dict) else block
    return {"type": kind, "mimeType": str(data.get("mimeType") or ""), "bytes": _bytes(data)}


def _bytes(data: Mapping[str, Any]) -> int:
    """How large the thing is that a placeholder stands for."""
    if isinstance(data.get("text"), str):
        return len(data["text"].encode(errors="replace"))
    encoded = data.get("data") or data.get("blob")
    if isinstance(encoded, str):
        return len(encoded.rstrip("=")) * 3 // 4
    size = data.get("size")
    return size if isinstance(size, int) else 0


def _error_text(answer: Mapping[str, Any]) -> str:
    texts = [str(block.get("text")) for block in answer.get("content") or () if block.get("type") == "text"]
    return one_line(" ".join(texts) or answer.get("structuredContent") or "")
