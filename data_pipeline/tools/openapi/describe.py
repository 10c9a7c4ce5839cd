"""The operations of an OpenAPI or Swagger document as tools, and what each does on the wire."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from pydantic import ValidationError

from data_pipeline.core.queries import KEYWORD
from data_pipeline.core.schema import Tool, describe
from data_pipeline.tools.openapi.body import Content, read_content
from data_pipeline.tools.openapi.document import Document, References
from data_pipeline.tools.openapi.keywords import Schema, one_line
from data_pipeline.tools.openapi.location import server_url
from data_pipeline.tools.openapi.names import argument_names, identifier, unique
from data_pipeline.tools.openapi.parameters import Parameter, read_parameters
from data_pipeline.tools.openapi.request import Body, Operation, Slot
from data_pipeline.tools.openapi.schema import Schemas, without_null
from data_pipeline.tools.openapi.security import Scheme, hidden_parameters, read_schemes, read_security
from data_pipeline.tools.runner import Refusal
from data_pipeline.tools.schema_form import Unfit, schema_problem

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

METHODS = ("get", "head", "post", "put", "patch", "delete", "options", "trace")
_READING = ("get", "head")


class Described(NamedTuple):
    """What a document holds.

    Attributes:
        tools: in the document's order.
        operations: what each tool does, by its name.
        refused: the operations that did not become tools.
        schemes: how requests show who sends them.
    """

    tools: list[Tool]
    operations: dict[str, Operation]
    refused: list[Refusal]
    schemes: dict[str, Scheme]


class Argument(NamedTuple):
    """One argument of a tool: its schema, and its name and place in the request."""

    name: str
    place: str
    schema: Schema
    required: bool


def describe_document(document: Document, source: str, *, allow_write: bool, keep_base: bool) -> Described:
    """All operations of a document.

    Args:
        document: read, its version known.
        source: for the tools' `source`.
        allow_write: whether to offer more than GET and HEAD.
        keep_base: whether all operations are below one base URL, whatever servers they name.
    """
    reader = _Reader(document, source, allow_write=allow_write, keep_base=keep_base)
    found = Described([], {}, [], reader.schemes)
    taken: set[str] = set()
    for path, method, item, stated in reader.operations():
        # Named before anything is refused, so that names do not depend on the options.
        name = unique(_name(stated, method, path), taken)
        taken.add(name)
        try:
            tool, operation = reader.read(name, path, method, item, stated)
        except Unfit as error:
            found.refused.append(Refusal(name, str(error)))
        except RecursionError:
            found.refused.append(Refusal(name, "its schemas are nested too deep"))
        else:
            found.tools.append(tool)
            found.operations[name] = operation
    found.refused.extend(reader.broken_paths)
    return found


def _name(stated: Schema, method: str, path: str) -> str:
    own = stated.get("operationId")
    return (identifier(own) if isinstance(own, str) else "") or identifier(f"{method} {path}")


def words(stated: Schema) -> str:
    """The summary and the description in one, without saying the same twice."""
    summary, long = one_line(stated.get("summary")), one_line(stated.get("description"))
    if not summary or long.lower().startswith(summary.lower().rstrip(".")):
        return long
    return one_line(f"{summary}{'' if summary.endswith(('.', '!', '?')) else '.'} {long}") if long else summary


def parameters_schema(arguments: Sequence[Argument]) -> tuple[Schema, list[str]]:
    """The flat schema of a tool's arguments, and the name that each got."""
    names = argument_names([(argument.name, argument.place) for argument in arguments])
    properties = {
        name: argument.schema if argument.required else without_null(argument.schema)
        for name, argument in zip(names, arguments, strict=True)
    }
    required = [name for name, argument in zip(names, arguments, strict=True) if argument.required]
    return {"type": "object", "properties": properties, "required": required}, names


def make_tool(name: str, description: str, parameters: Schema, source: str, *, reads: bool) -> Tool:
    """A tool whose schema is known to be one.

    Raises:
        Unfit: it is none, or holds what JSON text cannot.
    """
    problem = schema_problem(parameters)
    if problem:
        raise Unfit(f"its arguments have no JSON schema {problem}")
    try:
        return Tool(
            name=name,
            description=description,
            parameters=parameters,
            source=source,
            side_effects="read" if reads else "write",
        )
    except ValidationError as error:
        raise Unfit(describe(error)) from error


class _Reader:
    def __init__(self, document: Document, source: str, *, allow_write: bool, keep_base: bool) -> None:
        self._document = document
        self._source = source
        self._allow_write = allow_write
        self._keep_base = keep_base
        self._references = References(document.data)
        self._schemas = Schemas(self._references.resolve)
        self.schemes = read_schemes(document.data, self._references)
        self._hidden = hidden_parameters(self.schemes)
        self.broken_paths: list[Refusal] = []

    def operations(self) -> Iterator[tuple[str, str, Schema, Schema]]:
        """Path, method, path item and operation of each."""
        paths = self._document.data.get("paths")
        for path, stated in (paths if isinstance(paths, dict) else {}).items():
            if path.startswith("x-"):
                continue
            try:
                item = self._references.follow(stated)
            except Unfit as error:
                self.broken_paths.append(Refusal(path, str(error)))
                continue
            for method in METHODS:
                if isinstance(item.get(method), dict):
                    yield path, method, item, item[method]

    def read(self, name: str, path: str, method: str, item: Schema, stated: Schema) -> tuple[Tool, Operation]:
        """One operation.

        Raises:
            Unfit: it cannot be offered; says why.
        """
        description = words(stated)
        if not description:
            raise Unfit("it has no description")
        if method not in _READING and not self._allow_write:
            raise Unfit(f"{method.upper()} may change something: it is offered only with allow_write")
        data = self._document.data
        parameters = read_parameters(path, item, stated, self._document.is_swagger, self._references, self._hidden)
        content = read_content(stated, method, data, self._document.is_swagger, self._references)
        arguments, body = self._arguments(parameters, content)
        schema, names = parameters_schema(arguments)
        if isinstance(stated.get(KEYWORD), list):
            schema[KEYWORD] = [query for query in stated[KEYWORD] if isinstance(query, str)]
        slots = tuple(
            _slot(argument, given, parameters[index] if index < len(parameters) else None)
            for index, (argument, given) in enumerate(zip(arguments, names, strict=True))
        )
        if body and body.whole:
            body = body._replace(whole=names[-1])
        operation = Operation(
            method=method.upper(),
            path=path if path.startswith("/") else f"/{path}",
            slots=slots,
            body=body,
            base=self._base(item, stated),
            security=read_security(stated.get("security", data.get("security"))),
        )
        tool = make_tool(name, description, schema, self._source, reads=method in _READING)
        return tool.model_copy(update={"category": _first_tag(stated)}), operation

    def _base(self, item: Schema, stated: Schema) -> str:
        if self._keep_base or self._document.is_swagger:
            return ""
        servers = (server_url(place.get("servers"), self._document.url) for place in (stated, item))
        return next(filter(None, servers), "")

    def _arguments(self, parameters: list[Parameter], content: Content | None) -> tuple[list[Argument], Body | None]:
        """The arguments, those of the body last, and how the body is written."""
        nodes = [parameter.node for parameter in parameters]
        levels = self._schemas.levels(nodes + ([content.node] if content else []))
        found = [
            Argument(p.name, p.place, p.finish(self._schemas.write(p.node, levels)), p.required) for p in parameters
        ]
        if content is None:
            return found, None
        written = content.finish(self._schemas.write(content.node, levels))
        body = Body(content.media, content.form, required=content.required)
        properties = written.get("properties")
        if written.get("type") == "object" and isinstance(properties, dict) and not _OPTIONS & written.keys():
            required = written.get("required", ()) if content.needs_properties else ()
            found += [Argument(name, "body", schema, name in required) for name, schema in properties.items()]
            return found, body
        if content.form in ("form", "multipart"):
            raise Unfit("the fields of its form are not listed")
        return [*found, Argument("body", "body", written, content.required)], body._replace(whole="body")


def _first_tag(stated: Schema) -> str:
    tags = stated.get("tags")
    return tags[0] if isinstance(tags, list) and tags and isinstance(tags[0], str) else ""


_OPTIONS = {"anyOf", "oneOf", "allOf"}


def _slot(argument: Argument, given: str, parameter: Parameter | None) -> Slot:
    if parameter is None:
        return Slot(given, argument.name, "body")
    return parameter.slot._replace(argument=given)
