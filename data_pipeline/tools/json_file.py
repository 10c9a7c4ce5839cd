"""Tools from JSON: `json:PATH`, a file or a folder whose *.json and *.jsonl files are all read in order.

Formats are told by their shape, never by their name:

    OpenAI functions    `{"name", "description", "parameters"}`, bare or as the "function" of an object;
                        one, a list, an object with a list of them as "tools", or one a line
    xLAM rows           `{"query", "tools", "answers"}` with "tools" as JSON text or a list, as in the
                        dataset xlam-function-calling-60k; a list of rows or one a line
    ToolBench           `{"tool_name", "api_list": [...]}`; one, a list, or one a line
    Google discovery    `{"kind": "discovery#restDescription", ...}`

These are schemas without anything to run. Equal tools count once (a discovery method never equals
another: each has its own address). Where different tools have one name, the first keeps it; a ToolBench
API is then named after its tool too, a discovery method after its version, anything else is refused.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.collector import collector_paused
from data_pipeline.core.errors import InputError
from data_pipeline.tools.discovery import is_discovery, read_discovery
from data_pipeline.tools.json_formats import from_openai, from_toolbench, from_xlam, toolbench_owner
from data_pipeline.tools.openapi.document import finite
from data_pipeline.tools.openapi.names import unique
from data_pipeline.tools.runner import Provenance, Refusal, SourceTools
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.core.schema import Tool

PREFIX = "json:"
FORMATS = "OpenAI functions, xLAM rows, ToolBench tools or a Google discovery document"

_JSON_LINES = (".jsonl", ".ndjson")


def open_json(source: str) -> SourceTools:
    """The tools of a file or folder.

    Args:
        source: `json:PATH`.

    Raises:
        InputError: it cannot be read, or holds none of the formats; the message names file and place.
    """
    return read_tools(Path(source.removeprefix(PREFIX)), source)


def read_tools(path: Path, source: str) -> SourceTools:
    """The tools of a file or folder, under the name of any source.

    Raises:
        InputError: as `open_json`.
    """
    collector = _Collector(source)
    with collector_paused():
        if path.is_dir():
            _read_folder(path, collector)
        else:
            collector.read(_load(path), str(path))
    version = collector.versions.pop() if len(collector.versions) == 1 else ""
    return SourceTools(
        tools=tuple(collector.tools.values()),
        refused=tuple(collector.refused),
        provenance=Provenance(source, version),
        runner=None,
    )


def _read_folder(folder: Path, collector: _Collector) -> None:
    files = sorted(path for path in folder.iterdir() if path.suffix in (".json", *_JSON_LINES))
    if not files:
        raise InputError(f"{folder}: the folder has no *.json and no *.jsonl file")
    foreign = []
    for path in files:
        data = _load(path)
        try:
            collector.read(data, str(path))
        except InputError as error:
            # Such as an index beside the documents it lists.
            foreign.append(Refusal(path.name, f"it holds neither {FORMATS}"))
            if len(foreign) == len(files):
                raise InputError(f"{folder}: no file holds {FORMATS}") from error
    collector.refused.extend(foreign)


def _load(path: Path) -> Any:
    """One JSON value, or the list of those that a file holds one a line."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file; check the path") from error
    except (OSError, UnicodeDecodeError, ValueError) as error:
        raise InputError(f"{path}: cannot be read as UTF-8 JSON ({error})") from error
    if path.suffix in _JSON_LINES:
        return _lines(text, path)
    try:
        return _parse(text)
    except json.JSONDecodeError as error:
        if error.msg == "Extra data" and error.lineno > 1:
            return _lines(text, path)
        raise InputError(f"{path}:{error.lineno}: not valid JSON ({error.msg}); mend the file") from error
    except (ValueError, RecursionError) as error:
        raise InputError(f"{path}: not valid JSON ({error}); mend the file") from error


def _lines(text: str, path: Path) -> list[Any]:
    found = []
    # Not `splitlines`, which also ends a line inside JSON text, at U+2028.
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip():
            try:
                found.append(_parse(line))
            except (ValueError, RecursionError) as error:
                reason = getattr(error, "msg", error)
                raise InputError(f"{path}:{number}: not valid JSON ({reason}); mend or remove the line") from error
    return found


def _parse(text: str) -> Any:
    return json.loads(text, parse_constant=_no_constant, parse_float=finite)


def _no_constant(name: str) -> None:
    raise ValueError(f"{name} is no JSON value")


class _Collector:
    """Gathers the tools of a source under names of their own."""

    def __init__(self, source: str) -> None:
        self._source = source
        self._seen: set[str] = set()
        self.tools: dict[str, Tool] = {}
        self.refused: list[Refusal] = []
        self.versions: set[str] = set()

    def read(self, data: Any, path: str) -> None:
        """Add what a file holds.

        Raises:
            InputError: it holds none of the formats.
        """
        if isinstance(data, list):
            if data and not any(map(_is_known, data)):
                raise InputError(f"{path}: item 0: expected {FORMATS}, got {_kind(data[0])}")
            for index, item in enumerate(data):
                self._item(item, f"item {index}")
        elif _is_known(data):
            self._item(data, "tool 0")
        else:
            raise InputError(f"{path}: expected a list of tools or an object with 'tools', got {_kind(data)}")

    def _item(self, item: Any, where: str) -> None:
        if is_discovery(item):
            self._discovery(item)
        elif isinstance(item, dict) and isinstance(item.get("api_list"), list):
            for index, api in enumerate(item["api_list"]):
                self._toolbench(api, item, f"{where}, api {index}")
        elif isinstance(item, dict) and isinstance(item.get("tools"), (str, list)):
            self._row(item["tools"], where)
        else:
            self._entry(item, where, from_openai)

    def _row(self, tools: str | list[Any], where: str) -> None:
        read = from_openai
        if isinstance(tools, str):
            read = from_xlam
            try:
                tools = _parse(tools)
            except (ValueError, RecursionError) as error:
                self.refused.append(Refusal(where, f"'tools' is no JSON text ({getattr(error, 'msg', error)})"))
                return
        for index, entry in enumerate(tools if isinstance(tools, list) else [tools]):
            if not self._is_again(entry):
                self._entry(entry, f"{where}, tool {index}", read)

    def _entry(self, entry: Any, where: str, read: Callable[[Any, str], Tool]) -> None:
        try:
            tool = read(entry, self._source)
        except Unfit as error:
            self.refused.append(Refusal(_label(entry, where), str(error)))
            return
        if tool.name not in self.tools:
            self.tools[tool.name] = tool
        elif tool.fingerprint != self.tools[tool.name].fingerprint:
            reason = f"{where}: a tool of this name with another schema came before"
            self.refused.append(Refusal(tool.name, reason))

    def _toolbench(self, api: Any, owner: dict[str, Any], where: str) -> None:
        if self._is_again([toolbench_owner(api, owner) if isinstance(api, dict) else "", api]):
            return
        try:
            tool, other_name = from_toolbench(api, owner, self._source)
        except Unfit as error:
            self.refused.append(Refusal(_label(api, where), str(error)))
            return
        self._add(tool, other_name)

    def _discovery(self, document: dict[str, Any]) -> None:
        self.versions.add(str(document.get("version") or ""))
        for found in read_discovery(document, self._source):
            if isinstance(found, Refusal):
                self.refused.append(found)
            else:
                self._add(*found)

    def _add(self, tool: Tool, other_name: str) -> None:
        if tool.name in self.tools:
            tool = tool.model_copy(update={"name": unique(other_name, self.tools)})
        self.tools[tool.name] = tool

    def _is_again(self, entry: Any) -> bool:
        """Whether this very entry came before: rows of one dataset repeat their tools."""
        text = json.dumps(entry, sort_keys=True)
        if text in self._seen:
            return True
        self._seen.add(text)
        return False


def _is_known(item: Any) -> bool:
    """Whether this looks like one of the formats, right or wrong inside."""
    if not isinstance(item, dict):
        return False
    if is_discovery(item) or isinstance(item.get("api_list"), list) or isinstance(item.get("tools"), (str, list)):
        return True
    return "name" in item or isinstance(item.get("function"), dict)


def _kind(value: Any) -> str:
    if isinstance(value, dict):
        names = ", ".join(f"'{name}'" for name in list(value)[:4])
        return f"an object with {names}" if names else "an empty object"
    return {list: "a list", str: "text", type(None): "null", bool: "a boolean"}.get(type(value), "a number")


def _label(entry: Any, where: str) -> str:
    """The name an entry would have had, or where it stands."""
    function = entry.get("function", entry) if isinstance(entry, dict) else None
    stated = function.get("name") or function.get("api_name") if isinstance(function, dict) else None
    return stated if isinstance(stated, str) and stated else where
