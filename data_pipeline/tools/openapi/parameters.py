"""Path, query, header and cookie parameters of an operation, in the words of OpenAPI 3 and Swagger 2."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from data_pipeline.tools.openapi.keywords import Schema, one_line, read_examples
from data_pipeline.tools.openapi.request import Place, Slot, template_names
from data_pipeline.tools.openapi.schema import ordered, without_null
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from collections.abc import Iterable

    from data_pipeline.tools.openapi.document import References

_PLACES = ("path", "query", "header", "cookie")
_STYLES = {
    "path": ("simple",),
    "query": ("form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"),
    "header": ("simple",),
    "cookie": ("form",),
}
_COLLECTIONS = {
    "csv": ("form", False),
    "ssv": ("spaceDelimited", False),
    "tsv": ("tabDelimited", False),
    "pipes": ("pipeDelimited", False),
    "multi": ("form", True),
}
_OWN_HEADERS = frozenset(
    {
        # What the client itself writes: as arguments they would contradict the request.
        "accept", "accept-encoding", "connection", "content-length", "content-type", "cookie", "expect", "host",
        "te", "trailer", "transfer-encoding", "upgrade",
        # What carries credentials, whether or not the document declares it so.
        "api-key", "apikey", "authorization", "proxy-authorization", "x-access-token", "x-api-key", "x-auth-token",
    }
)  # fmt: skip
_TOKEN = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
_SAYS_TYPE = {"type", "enum", "anyOf", "oneOf", "allOf"}


class Parameter(NamedTuple):
    """One parameter.

    Attributes:
        node: its schema as the document has it.
        stated: the parameter object around it.
        slot: where it goes, its argument's name still to be given.
    """

    name: str
    place: Place
    required: bool
    node: Any
    stated: Schema
    slot: Slot

    def finish(self, written: Schema) -> Schema:
        """The schema as that of an argument: with the parameter's own words, and a type."""
        found = without_null(written)
        description = one_line(self.stated.get("description"))
        if description:
            found["description"] = description
        examples = read_examples(self.stated)
        if examples:
            found["examples"] = examples
        if not (_SAYS_TYPE & found.keys() or self.slot.as_json):
            found["type"] = "string"
        return ordered(found)


def read_parameters(
    path: str,
    item: Schema,
    operation: Schema,
    is_swagger: bool,
    references: References,
    hidden: Iterable[tuple[str, str]],
) -> list[Parameter]:
    """The parameters of an operation and of its path, those of the path first.

    Args:
        path: the template, whose parameters are known even where nothing describes them.
        item: the path item.
        operation: the operation; what it says of a parameter replaces what the path item says.
        is_swagger: whether the document is Swagger 2.0.
        references: of the document.
        hidden: (place, lower-case name) of what carries credentials.

    Raises:
        Unfit: a parameter cannot be given, or is written in a way that is not supported.
    """
    hidden = frozenset(hidden)
    stated: dict[tuple[str, str], Schema] = {}
    for level in (item, operation):
        for parameter in parameter_objects(level, references):
            stated[(str(parameter.get("in")), parameter["name"])] = parameter
    in_path = template_names(path)
    found = [_read(name, "path", stated.get(("path", name), {}), is_swagger) for name in in_path]
    for (place, name), parameter in stated.items():
        if place not in _PLACES or place == "path" or (place, name.lower()) in hidden:
            continue
        if place == "header" and name.lower() in _OWN_HEADERS:
            continue
        found.append(_read(name, cast("Place", place), parameter, is_swagger))
    return sorted(found, key=lambda parameter: _PLACES.index(parameter.place))


def parameter_objects(level: Schema, references: References) -> list[Schema]:
    """The parameters that a path item or an operation lists, as far as they have a name.

    Raises:
        Unfit: a reference leads nowhere or out of the document.
    """
    entries = level.get("parameters")
    found = [references.follow(entry) for entry in (entries if isinstance(entries, list) else ())]
    return [parameter for parameter in found if isinstance(parameter.get("name"), str)]


def _read(name: str, place: Place, stated: Schema, is_swagger: bool) -> Parameter:
    if place in ("header", "cookie") and not _TOKEN.fullmatch(name):
        raise Unfit(f"a {place} cannot have the name '{name[:40]}'")
    style, explode = _collection(stated) if is_swagger and "style" not in stated else _style(place, stated)
    if style not in _STYLES[place] and is_swagger:
        style = _STYLES[place][0]
    if style not in _STYLES[place]:
        raise Unfit(f"parameter '{name}' has the style '{style}', which is not supported in the {place}")
    node, as_json = _schema(name, stated, is_swagger)
    slot = Slot(
        argument=name,
        name=name,
        place=place,
        style=style,
        explode=explode,
        reserved=stated.get("allowReserved") is True,
        as_json=as_json,
    )
    return Parameter(name, place, place == "path" or stated.get("required") is True, node, stated, slot)


def _style(place: str, stated: Schema) -> tuple[str, bool]:
    style = str(stated.get("style") or _STYLES[place][0])
    explode = stated.get("explode")
    return style, explode if isinstance(explode, bool) else style == "form"


def _collection(stated: Schema) -> tuple[str, bool]:
    """Swagger's `collectionFormat` in OpenAPI's words; an object, which Swagger lacks, is exploded."""
    if isinstance(stated.get("schema"), dict):
        return "form", True
    return _COLLECTIONS.get(str(stated.get("collectionFormat") or "csv"), ("form", False))


def _schema(name: str, stated: Schema, is_swagger: bool) -> tuple[Any, bool]:
    """The schema of a parameter, and whether its value is sent as JSON text."""
    if "schema" in stated:
        return stated["schema"], False
    content = stated.get("content")
    if isinstance(content, dict) and content:
        media, entry = next(iter(content.items()))
        if "json" not in media.lower():
            raise Unfit(f"parameter '{name}' is sent as {media}, which is not supported")
        return (entry.get("schema", {}) if isinstance(entry, dict) else {}), True
    return (stated if is_swagger else {}), False
