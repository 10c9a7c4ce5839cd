"""Google API discovery documents: every method as a tool, named service_resource_method.

Path and query parameters and the properties of the request become one flat list of arguments. What
every method of a service takes (`alt`, `fields`, `key`, ...) is left out: it shapes the answer or carries
credentials. Methods cannot be called through this; the documents serve as a catalogue of schemas.
"""

from __future__ import annotations

import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi.describe import Argument, make_tool, parameters_schema
from data_pipeline.tools.openapi.keywords import Schema, one_line
from data_pipeline.tools.openapi.names import MAX_NAME, identifier
from data_pipeline.tools.openapi.schema import Schemas
from data_pipeline.tools.runner import Refusal
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from data_pipeline.core.schema import Tool

KIND = "discovery#restDescription"
MAX_RESOURCES = 20
"""How deep resources may hold resources."""
PACKAGE = "google-api-python-client"
"""Carries the documents of some 600 services."""


class Method(NamedTuple):
    """A method as a tool, and the name it takes where another version of the service has its own."""

    tool: Tool
    other_name: str


def packaged_documents(service: str = "") -> Path:
    """The folder of the installed package's documents, or the document of a service in it.

    Args:
        service: name and version, such as `calendar.v3`.

    Raises:
        InputError: the package is not installed, or has no such service.
    """
    found = importlib.util.find_spec("googleapiclient")
    if found is None or found.origin is None:
        raise InputError(f"discovery: needs the documents of {PACKAGE}: pip install {PACKAGE}")
    folder = Path(found.origin).parent / "discovery_cache" / "documents"
    path = folder / f"{service}.json"
    if service and not path.is_file():
        raise InputError(f"discovery:{service}: no such document; known are the names of the files in {folder}")
    return path if service else folder


def is_discovery(data: Any) -> bool:
    """Whether a JSON value is a discovery document."""
    return isinstance(data, dict) and data.get("kind") == KIND


def read_discovery(data: Schema, source: str) -> Iterator[Method | Refusal]:
    """The methods of a document, in its order, each as a tool or as the reason why not."""
    schemas = data.get("schemas")
    named = schemas if isinstance(schemas, dict) else {}

    def resolve(ref: str) -> Any:
        if ref not in named:
            raise Unfit(f"it refers to the schema '{ref}', which is not in the document")
        return named[ref]

    reader = _Reader(Schemas(resolve), source, str(data.get("version") or ""))
    for method in _methods(data, 0):
        name = str(method.get("id") or "")
        try:
            yield reader.read(method)
        except Unfit as error:
            yield Refusal(identifier(name) or "method", str(error))
        except RecursionError:
            yield Refusal(identifier(name) or "method", "its schemas are nested too deep")


def _methods(level: Any, depth: int) -> Iterator[Schema]:
    if not isinstance(level, dict) or depth > MAX_RESOURCES:
        return
    for method in _values(level.get("methods")):
        if isinstance(method, dict):
            yield method
    for resource in _values(level.get("resources")):
        yield from _methods(resource, depth + 1)


def _values(value: Any) -> list[Any]:
    return list(value.values()) if isinstance(value, dict) else []


class _Reader:
    def __init__(self, schemas: Schemas, source: str, version: str) -> None:
        self._schemas = schemas
        self._source = source
        self._version = identifier(version)

    def read(self, method: Schema) -> Method:
        """One method.

        Raises:
            Unfit: it has no id or no description, or a reference in it leads nowhere.
        """
        words = identifier(str(method.get("id") or "")) and str(method["id"]).split(".")
        if not words:
            raise Unfit("it has no id")
        description = one_line(method.get("description"))
        if not description:
            raise Unfit("it has no description")
        schema, _ = parameters_schema(self._arguments(method))
        reads = str(method.get("httpMethod")).upper() in ("GET", "HEAD")
        tool = make_tool(_short(words), description, schema, self._source, reads=reads)
        tool = tool.model_copy(update={"category": words[0]})
        return Method(tool, _short([words[0], self._version, *words[1:]]))

    def _arguments(self, method: Schema) -> list[Argument]:
        parameters = _in_order(method)
        request = method.get("request")
        nodes = [_listed(parameter) for parameter in parameters.values()]
        levels = self._schemas.levels([*nodes, request])
        found = [
            Argument(name, str(parameter.get("location")), self._schemas.write(node, levels), _is_needed(parameter))
            for (name, parameter), node in zip(parameters.items(), nodes, strict=True)
        ]
        if not isinstance(request, dict):
            return found
        # What a request says of itself beside its reference names the parameter that holds it.
        body = self._schemas.write({"$ref": request["$ref"]} if "$ref" in request else request, levels)
        properties = body.get("properties")
        if not isinstance(properties, dict):
            return [*found, Argument("body", "body", body, False)]
        needed = self._needed(request, str(method["id"]))
        return [*found, *(Argument(name, "body", schema, name in needed) for name, schema in properties.items())]

    def _needed(self, request: Schema, method: str) -> set[str]:
        """The properties that this method needs: documents say so at the property, for each method."""
        stated = self._schemas.target(request)
        properties = stated.get("properties")
        return {
            name
            for name, child in (properties.items() if isinstance(properties, dict) else ())
            if isinstance(child, dict)
            and isinstance(child.get("annotations"), dict)
            and method in (child["annotations"].get("required") or ())
        }


def _in_order(method: Schema) -> dict[str, Schema]:
    """The parameters, those first whose order the document fixes."""
    stated = method.get("parameters")
    known = {name: p for name, p in stated.items() if isinstance(p, dict)} if isinstance(stated, dict) else {}
    order = method.get("parameterOrder")
    first = [name for name in order if name in known] if isinstance(order, list) else []
    return {name: known[name] for name in dict.fromkeys([*first, *known])}


def _listed(parameter: Schema) -> Schema:
    """A parameter's schema; one that can be repeated takes a list."""
    if parameter.get("repeated") is not True:
        return parameter
    item = {key: value for key, value in parameter.items() if key not in ("repeated", "description", "default")}
    return {"type": "array", "description": parameter.get("description"), "items": item}


def _is_needed(parameter: Schema) -> bool:
    return parameter.get("required") is True or parameter.get("location") == "path"


def _short(words: list[str]) -> str:
    """The words as a name; too long a one keeps the service and as many of the last words as fit."""
    parts = [part for word in words if (part := identifier(word))]
    while len("_".join(parts)) > MAX_NAME and len(parts) > 2:
        del parts[1]
    return identifier("_".join(parts))
