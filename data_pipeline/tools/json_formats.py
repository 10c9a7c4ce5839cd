"""Catalogues of function schemas: OpenAI's, the rows of xlam-function-calling-60k, and ToolBench's.

One entry of each becomes one `Tool`. An OpenAI schema is taken as it is; the others describe each
parameter by a type name and are written anew.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError

from data_pipeline.core.schema import Tool, describe
from data_pipeline.tools.openapi.keywords import Schema, fit, one_line
from data_pipeline.tools.openapi.names import MAX_NAME, identifier
from data_pipeline.tools.openapi.schema import ordered
from data_pipeline.tools.schema_form import Unfit, schema_problem
from data_pipeline.tools.type_names import read_type

if TYPE_CHECKING:
    from data_pipeline.core.schema import SideEffects

_TOOLBENCH_TYPES: dict[str, Schema] = {
    "": {"type": "string"},
    "ENUM": {"type": "string"},
    "GEOPOINT": {"type": "string", "description": "latitude and longitude"},
    "DATE": {"type": "string", "format": "date"},
    "TIME": {"type": "string"},
    "MAP": {"type": "object"},
}
_UNSENDABLE = ("FILE", "BINARY", "CREDENTIALS", "CREDENTIAL")


def from_openai(entry: Any, source: str) -> Tool:
    """An OpenAI function schema, bare or wrapped in `{"type": "function", "function": ...}`.

    Raises:
        Unfit: it is none; the message names the field.
    """
    function = entry.get("function", entry) if isinstance(entry, dict) else entry
    if not isinstance(function, dict):
        raise Unfit(f"expected an object, got {type(function).__name__}")
    name, description = function.get("name"), function.get("description")
    if not isinstance(name, str) or not name:
        raise Unfit("'name' must be text")
    if not isinstance(description or "", str):
        raise Unfit("'description' must be text")
    parameters = function.get("parameters") or {"type": "object", "properties": {}}
    problem = _parameters_problem(parameters)
    if problem:
        raise Unfit(f"'parameters' {problem}")
    return _tool(name, description or "", parameters, source)


def _parameters_problem(parameters: Any) -> str | None:
    """What keeps this from being the JSON schema of a call's arguments."""
    if not isinstance(parameters, dict):
        return f"must be a JSON schema, got {type(parameters).__name__}"
    if parameters.get("type") != "object":
        return "must be a JSON schema of type 'object' with 'properties'"
    problem = schema_problem(parameters)
    return f"is no JSON schema {problem}" if problem else None


def _tool(name: str, description: str, parameters: Schema, source: str, side_effects: SideEffects = "none") -> Tool:
    try:
        return Tool(name=name, description=description, parameters=parameters, source=source, side_effects=side_effects)
    except ValidationError as error:
        raise Unfit(describe(error)) from error


def from_xlam(entry: Any, source: str) -> Tool:
    """A tool of an xLAM row: `parameters` by name, each with a Python type; or an OpenAI schema.

    A parameter is required unless its type ends in ', optional' or it has a default.

    Raises:
        Unfit: it is none; the message names the parameter.
    """
    if not isinstance(entry, dict):
        raise Unfit(f"expected an object, got {type(entry).__name__}")
    stated = entry.get("parameters")
    if "function" in entry or not isinstance(stated, dict) or not all(map(_is_parameter, stated.values())):
        return from_openai(entry, source)
    name, description = entry.get("name"), one_line(entry.get("description"))
    if not isinstance(name, str) or not name:
        raise Unfit("'name' must be text")
    if not description:
        raise Unfit("it has no description")
    properties: Schema = {}
    required = []
    for key, parameter in stated.items():
        properties[key], needed = _parameter(key, parameter)
        if needed:
            required.append(key)
    return _tool(name, description, _object(properties, required), source)


def _is_parameter(value: Any) -> bool:
    """Told from the keywords of a JSON schema by being an object with a type or a description of text."""
    return isinstance(value, dict) and (isinstance(value.get("type"), str) or "description" in value)


def _object(properties: Schema, required: list[str]) -> Schema:
    return {"type": "object", "properties": properties, "required": required}


def _parameter(name: str, stated: Schema) -> tuple[Schema, bool]:
    """The schema of a parameter, and whether a call must give it."""
    try:
        schema, optional = read_type(str(stated.get("type") or "Any"))
    except Unfit as error:
        raise Unfit(f"parameter '{name}': {error}") from error
    words = one_line(stated.get("description"))
    if words:
        schema["description"] = words
    if stated.get("default") is not None:
        schema.update(_default(schema, stated["default"]))
    return ordered(schema), not optional and "default" not in stated


def _default(schema: Schema, value: Any) -> Schema:
    """The default, if it is or can be made a value of the schema's type."""
    kind = schema.get("type", [])
    fitted = fit(value, kind if isinstance(kind, list) else [kind])
    if not fitted or ("enum" in schema and fitted[0] not in schema["enum"]):
        return {}
    return {"default": fitted[0]}


def from_toolbench(api: Any, owner: Schema, source: str) -> tuple[Tool, str]:
    """An API of a ToolBench tool, and the name it takes where another tool has an API of this name.

    Args:
        api: one of the tool's `api_list`.
        owner: the tool around it, whose name and description serve where the API has none.
        source: for the tool's `source`.

    Raises:
        Unfit: it has no name or no description, or needs what JSON cannot hold.
    """
    if not isinstance(api, dict):
        raise Unfit(f"expected an object, got {type(api).__name__}")
    stated = api.get("name") or api.get("api_name")
    name = identifier(stated).lower() if isinstance(stated, str) else ""
    if not name:
        raise Unfit("its name has no letters or digits")
    description = one_line(api.get("description") or api.get("api_description"))
    description = description or one_line(owner.get("tool_description") or owner.get("description"))
    if not description:
        raise Unfit("it has no description")
    properties: Schema = {}
    required: list[str] = []
    for key in ("required_parameters", "optional_parameters"):
        for parameter in api[key] if isinstance(api.get(key), list) else ():
            _add_toolbench(parameter, key == "required_parameters", properties, required)
    method = api.get("method")
    side_effects: SideEffects = "none"
    if isinstance(method, str) and method:
        side_effects = "read" if method.upper() in ("GET", "HEAD") else "write"
    tool = _tool(name, description, _object(properties, required), source, side_effects)
    return tool, prefixed(toolbench_owner(api, owner), name)


def toolbench_owner(api: Schema, owner: Schema) -> str:
    """The name of the tool that an API belongs to, as part of a name; '' if nothing says."""
    stated = api.get("tool_name") or owner.get("tool_name") or owner.get("name")
    return identifier(stated).lower() if isinstance(stated, str) else ""


def prefixed(prefix: str, name: str) -> str:
    """The name with what it belongs to before it, the prefix cut where both are too long."""
    room = max(MAX_NAME - len(name) - 1, 0)
    return f"{prefix[:room].rstrip('_')}_{name}"[:MAX_NAME].strip("_") if prefix and room else name


def _add_toolbench(stated: Any, needed: bool, properties: Schema, required: list[str]) -> None:
    """Put one parameter of a ToolBench API among the others; the first of a name counts."""
    name = stated.get("name") if isinstance(stated, dict) else None
    if not isinstance(name, str) or not name or name in properties:
        return
    kind = str(stated.get("type") or "").partition("(")[0].strip().upper()
    if kind in _UNSENDABLE:
        if needed:
            raise Unfit(f"parameter '{name}' is a {kind.lower()}, which no argument can be")
        return
    try:
        schema = dict(_TOOLBENCH_TYPES[kind]) if kind in _TOOLBENCH_TYPES else read_type(kind.lower())[0]
    except Unfit as error:
        raise Unfit(f"parameter '{name}': {error}") from error
    words = one_line(stated.get("description"))
    if words:
        schema["description"] = words
    # ToolBench writes '' for no default, and for a required parameter an example.
    default = _default(schema, stated["default"]) if stated.get("default") not in (None, "") else {}
    if default:
        schema.update({"examples": [default["default"]]} if needed else default)
    properties[name] = ordered(schema)
    if needed:
        required.append(name)
