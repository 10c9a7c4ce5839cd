"""Documents with any part replaced by something else."""

from __future__ import annotations

import json
import tempfile
from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from data_pipeline.core.errors import InputError
from data_pipeline.tools.openapi import open_openapi

Json = dict[str, Any]

JUNK: st.SearchStrategy[Any] = st.sampled_from(
    [None, True, False, 0, -1, 1.5, "", "x", "#/", [], {}, [None], {"$ref": 3}, {"$ref": "#/paths"}, [[]]]
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [place]
    if isinstance(value, dict):
        found += [p for key, nested in value.items() for p in _places(nested, (*place, key))]
    elif isinstance(value, list):
        found += [p for index, nested in enumerate(value) for p in _places(nested, (*place, index))]
    return found


WHOLE: Json = {
    "openapi": "3.0.3",
    "info": {"title": "T", "version": "1", "license": {"name": "MIT"}},
    "servers": [{"url": "https://{h}/v1", "variables": {"h": {"default": "h"}}}],
    "security": [{"k": []}],
    "components": {
        "securitySchemes": {"k": {"type": "apiKey", "in": "header", "name": "K"}},
        "schemas": {
            "N": {
                "type": "object",
                "nullable": True,
                "required": ["next"],
                "properties": {
                    "next": {"$ref": "#/components/schemas/N"},
                    "any": {"anyOf": [{"type": "integer", "minimum": 0, "exclusiveMinimum": True}, {"type": "string"}]},
                    "all": {"allOf": [{"$ref": "#/components/schemas/N"}, {"enum": [1, "a", None], "default": 1}]},
                },
                "additionalProperties": {"type": "array", "items": {"type": "string", "pattern": "^a"}},
            }
        },
    },
    "paths": {
        "/w/{id}": {
            "parameters": [{"name": "id", "in": "path", "required": True, "schema": {"type": "string"}}],
            "post": {
                "operationId": "w",
                "summary": "Does.",
                "parameters": [
                    {"name": "f", "in": "query", "content": {"application/json": {"schema": {"type": "object"}}}},
                    {"name": "g", "in": "query", "explode": False, "schema": {"type": "array", "items": {}}},
                ],
                "requestBody": {"content": {"application/json": {"schema": {"$ref": "#/components/schemas/N"}}}},
                "security": [{"k": []}],
                "servers": [{"url": "/x"}],
            },
        }
    },
}
SWAGGER: Json = {
    "swagger": "2.0",
    "host": "h",
    "basePath": "/b",
    "schemes": ["https"],
    "consumes": ["application/json"],
    "securityDefinitions": {"o": {"type": "oauth2", "flow": "implicit"}},
    "paths": {
        "/w/{id}": {
            "put": {
                "summary": "Does.",
                "consumes": ["application/x-www-form-urlencoded"],
                "parameters": [
                    {"name": "id", "in": "path", "type": "integer", "required": True},
                    {
                        "name": "l",
                        "in": "query",
                        "type": "array",
                        "items": {"type": "string"},
                        "collectionFormat": "ssv",
                    },
                    {"name": "x", "in": "formData", "type": "string", "enum": ["a"], "default": "a"},
                    {"name": "y", "in": "formData", "type": "file"},
                ],
            }
        }
    },
}
PLACES = [(document, place) for document in (WHOLE, SWAGGER) for place in _places(document)]


@settings(derandomize=True, max_examples=500, deadline=None)
@given(where=st.sampled_from(range(len(PLACES))), junk=JUNK)
def test_no_document_is_broken_enough_to_raise(where: int, junk: Any) -> None:
    """Any part of a document replaced by something else: a refusal or one line, and no schema that is none."""
    stated, place = PLACES[where]
    data = json.loads(json.dumps(stated))
    if not place:
        data = junk
    else:
        parent = data
        for key in place[:-1]:
            parent = parent[key]
        parent[place[-1]] = junk
    _open(data)


def _open(data: Any) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "api.json"
        path.write_text(json.dumps(data), encoding="utf-8")
        try:
            found = open_openapi(f"openapi:{path}", allow_write=True)
        except InputError:
            return
    for tool in found.tools:
        Draft202012Validator.check_schema(tool.parameters)
        assert tool.description
