"""The request body of an operation: which of its content types to send, and the schema of it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

from data_pipeline.tools.openapi.keywords import Schema, one_line
from data_pipeline.tools.openapi.parameters import parameter_objects
from data_pipeline.tools.schema_form import Unfit

if TYPE_CHECKING:
    from data_pipeline.tools.openapi.document import References

_JSON = "application/json"
_FORM = "application/x-www-form-urlencoded"
_MULTIPART = "multipart/form-data"
_MEDIA = re.compile(r"[\w!#$&^.+-]+/[\w!#$&^.+-]+(; ?[\w-]+=[\w.-]+)*", re.ASCII)

Form = Literal["json", "form", "multipart", "text"]


class Content(NamedTuple):
    """What a body is.

    Attributes:
        media: content type that is sent.
        form: how it is written.
        node: its schema as the document has it.
        required: whether a body must be sent.
        needs_properties: whether the properties its schema requires are required of a call.
        description: of the body as a whole.
    """

    media: str
    form: Form
    node: Any
    required: bool
    needs_properties: bool
    description: str = ""

    def finish(self, written: Schema) -> Schema:
        """The schema with the body's own words where it has none."""
        if self.description and "description" not in written:
            return {**written, "description": self.description}
        return written


def read_content(
    operation: Schema, method: str, data: Schema, is_swagger: bool, references: References
) -> Content | None:
    """The body of an operation; None if it has none, or one that can be left out and cannot be written.

    Raises:
        Unfit: it needs a body that cannot be written from JSON arguments, such as a file.
    """
    if is_swagger:
        return _swagger(operation, data, references)
    stated = references.follow(operation.get("requestBody"))
    content = stated.get("content")
    if not isinstance(content, dict) or not content:
        return None
    required = stated.get("required") is True
    chosen = _choose(list(content))
    if chosen is None:
        if required:
            raise Unfit(f"its body is {' or '.join(content)}, which cannot be written from arguments")
        return None
    name, media, form = chosen
    entry = content[name]
    node = entry.get("schema", {}) if isinstance(entry, dict) else {}
    if form in ("form", "multipart"):
        node = _without_files(node, references)
    # Where the document does not say, a body that has required properties is meant to be sent.
    unsaid = "required" not in stated and method in ("post", "put", "patch")
    return Content(media, form, node, required, required or unsaid, one_line(stated.get("description")))


def _choose(medias: list[str]) -> tuple[str, str, Form] | None:
    """Of the content types, the one to send: as the document writes it, as it is sent, and its form."""

    def plain(media: str) -> str:
        return media.partition(";")[0].strip().lower()

    for media in medias:
        if plain(media) == _JSON or plain(media).endswith("+json"):
            return media, (media if _MEDIA.fullmatch(media) else _JSON), "json"
    for media in medias:
        if plain(media) in ("*/*", "application/*"):
            return media, _JSON, "json"
    for wanted, form in ((_FORM, "form"), (_MULTIPART, "multipart"), ("text/plain", "text")):
        for media in medias:
            if plain(media) == wanted:
                return media, wanted, form  # type: ignore[return-value]
    return None


def _without_files(node: Any, references: References) -> Any:
    """A form's schema without the fields that are files.

    Raises:
        Unfit: a file is required.
    """
    stated = references.follow(node)
    properties = stated.get("properties")
    if not isinstance(properties, dict):
        return node
    files = [name for name, child in properties.items() if _is_file(references.follow(child))]
    if not files:
        return node
    required = stated.get("required")
    if any(name in (required if isinstance(required, list) else ()) for name in files) or len(files) == len(properties):
        raise Unfit(f"it sends a file ('{files[0]}')")
    return {**stated, "properties": {name: child for name, child in properties.items() if name not in files}}


def _is_file(schema: Schema) -> bool:
    """Whether the value is bytes, or a list of such."""
    items = schema.get("items")
    if isinstance(items, dict) and _is_file(items):
        return True
    binary = schema.get("format") == "binary" or schema.get("contentMediaType") == "application/octet-stream"
    return schema.get("type") == "file" or (binary and "contentEncoding" not in schema)


def _swagger(operation: Schema, data: Schema, references: References) -> Content | None:
    parameters = parameter_objects(operation, references)
    consumes = operation.get("consumes") or data.get("consumes") or []
    medias = [media for media in consumes if isinstance(media, str)] if isinstance(consumes, list) else []
    body = next((parameter for parameter in parameters if parameter.get("in") == "body"), None)
    if body is not None:
        required = body.get("required") is True
        chosen = _choose(medias or [_JSON])
        if chosen is None or chosen[2] in ("form", "multipart"):
            if required:
                raise Unfit(f"its body is {' or '.join(medias)}, which cannot be written from arguments")
            return None
        unsaid = "required" not in body
        words = one_line(body.get("description"))
        return Content(chosen[1], chosen[2], body.get("schema", {}), required, required or unsaid, words)
    fields = {p["name"]: p for p in parameters if p.get("in") == "formData"}
    return _swagger_form(fields, medias) if fields else None


def _swagger_form(fields: dict[str, Schema], medias: list[str]) -> Content | None:
    files = [name for name, field in fields.items() if field.get("type") == "file"]
    needed = [name for name, field in fields.items() if field.get("required") is True]
    if any(name in needed for name in files) or len(files) == len(fields):
        raise Unfit(f"it sends a file ('{files[0]}')")
    properties = {name: field for name, field in fields.items() if name not in files}
    node = {"type": "object", "properties": properties, "required": needed}
    form: Form = "multipart" if _MULTIPART in medias and _FORM not in medias else "form"
    return Content(_MULTIPART if form == "multipart" else _FORM, form, node, bool(needed), True)
