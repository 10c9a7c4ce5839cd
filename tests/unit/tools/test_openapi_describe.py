"""Operations as tools: names, words, arguments, and why some operations are not offered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator

from data_pipeline.tools.openapi.describe import describe_document
from data_pipeline.tools.openapi.document import Document
from data_pipeline.tools.openapi.schema import MAX_NODES

if TYPE_CHECKING:
    from data_pipeline.tools.openapi.describe import Described

Json = dict[str, Any]


def read(paths: Json, *, allow_write: bool = True, **more: Any) -> Described:
    data = {"openapi": "3.0.3", "info": {}, "paths": paths, **more}
    if "swagger" in more:
        del data["openapi"]
    return describe_document(Document(data, ""), "openapi:x", allow_write=allow_write, keep_base=False)


def parameters(*stated: Json, path: str = "/w", method: str = "get", **more: Any) -> Json:
    """The arguments' schema of one operation with these parameters."""
    operation = {"summary": "Does.", "parameters": list(stated), **more.pop("operation", {})}
    found = read({path: {method: operation}}, **more)
    assert found.refused == []
    Draft202012Validator.check_schema(found.tools[0].parameters)
    return found.tools[0].parameters


def query(name: str, schema: Json, **more: Any) -> Json:
    return {"name": name, "in": "query", "schema": schema, **more}


def body(schema: Json, media: str = "application/json", **more: Any) -> Json:
    return {"requestBody": {"content": {media: {"schema": schema}}, **more}}


def test_example_queries_of_an_operation_are_kept() -> None:
    found = parameters(query("city", {"type": "string"}), operation={"x-queries": ["Is it raining in {city}?", 1]})
    assert found["x-queries"] == ["Is it raining in {city}?"]
    assert "x-queries" not in parameters(query("city", {"type": "string"}), operation={"x-queries": "none"})


def test_names_are_safe_short_and_unique() -> None:
    ids = [
        "getUser",
        "get_user_by_id",
        "users/get-by name",
        "2fa",
        "get user",
        "x" * 80,
        "x" * 70,
        "名前",
        "get.user",
        "",
    ]
    paths = {f"/p{i}": {"get": {"operationId": name, "summary": "Does."}} for i, name in enumerate(ids)}
    paths["/q/{id}.json"] = {"get": {"summary": "Does."}}
    found = [tool.name for tool in read(paths).tools]
    assert found == [
        "getUser", "get_user_by_id", "users_get_by_name", "op_2fa", "get_user", "x" * 64, "x" * 62 + "_2", "get_p7",
        "get_user_2", "get_p9", "get_q_id_json",
    ]  # fmt: skip


def test_a_name_does_not_depend_on_what_is_offered() -> None:
    paths = {
        "/a": {"post": {"operationId": "do", "summary": "Does."}},
        "/b": {"get": {"operationId": "do", "summary": "Does."}},
    }
    assert [tool.name for tool in read(paths, allow_write=False).tools] == ["do_2"]
    assert [tool.name for tool in read(paths).tools] == ["do", "do_2"]


@pytest.mark.parametrize(
    ("stated", "description"),
    [
        ({"summary": "Gets it"}, "Gets it"),
        ({"description": "Gets\n  it."}, "Gets it."),
        ({"summary": "Gets it", "description": "Only when there."}, "Gets it. Only when there."),
        ({"summary": "Gets it.", "description": "Gets it, slowly."}, "Gets it, slowly."),
    ],
)
def test_the_description(stated: Json, description: str) -> None:
    assert read({"/w": {"get": stated}}).tools[0].description == description


def test_long_words_are_cut_after_a_sentence() -> None:
    found = read({"/w": {"get": {"summary": "One sentence here. " * 100}}}).tools[0].description
    assert 900 < len(found) <= 1024
    assert found.endswith("here.")


def test_what_is_refused_and_why() -> None:
    external = {"$ref": "other.yaml#/X"}
    paths = {
        "/silent": {"get": {"operationId": "silent"}},
        "/write": {"delete": {"operationId": "write", "summary": "Does."}},
        "/out": {"get": {"operationId": "out", "summary": "Does.", "parameters": [query("q", external)]}},
        "/out2": {"get": {"operationId": "out2", "summary": "Does.", "parameters": [external]}},
        "/lost": {"get": {"operationId": "lost", "summary": "Does.", "parameters": [query("q", {"$ref": "#/no"})]}},
        "/odd": {"get": {"operationId": "odd", "summary": "Does.", "parameters": [query("q", {"type": "spam"})]}},
        "/style": {"get": {"operationId": "style", "summary": "Does.", "parameters": [query("q", {}, style="matrix")]}},
        "/item": {"$ref": "https://h/item.yaml"},
        "/fine": {"get": {"operationId": "fine", "summary": "Does."}},
    }
    found = read(paths, allow_write=False)
    assert [tool.name for tool in found.tools] == ["fine"]
    assert {refusal.name: refusal.reason for refusal in found.refused} == {
        "silent": "it has no description",
        "write": "DELETE may change something: it is offered only with allow_write",
        "out": "it refers to another document: 'other.yaml#/X'",
        "out2": "it refers to another document: 'other.yaml#/X'",
        "lost": "it refers to '#/no', which is not in the document",
        "odd": "a schema has the type 'spam', which JSON does not have",
        "style": "parameter 'q' has the style 'matrix', which is not supported in the query",
        "/item": "it refers to another document: 'https://h/item.yaml'",
    }


def test_side_effects() -> None:
    item = {method: {"summary": "Does."} for method in ("get", "head", "post", "put", "patch", "delete")}
    found = {tool.name: tool.side_effects for tool in read({"/w": item}).tools}
    assert found == {"get_w": "read", "head_w": "read"} | dict.fromkeys(
        ("post_w", "put_w", "patch_w", "delete_w"), "write"
    )


def test_arguments_of_all_places_in_one_list() -> None:
    found = parameters(
        {"name": "X-Trace", "in": "header", "schema": {"type": "string"}},
        query("id", {"type": "integer"}, required=True, description="Which."),
        {"name": "id", "in": "path", "required": True, "schema": {"type": "string"}},
        {"name": "c", "in": "cookie", "schema": {"type": "string"}},
        path="/w/{id}/{other}",
        method="post",
        operation=body({"type": "object", "properties": {"id": {}, "id_body": {"type": "string"}}, "required": ["id"]}),
    )
    assert found == {
        "type": "object",
        "properties": {
            "id": {"type": "string"},
            "other": {"type": "string"},
            "id_query": {"type": "integer", "description": "Which."},
            "X-Trace": {"type": "string"},
            "c": {"type": "string"},
            "id_body_2": {},
            "id_body": {"type": "string"},
        },
        "required": ["id", "other", "id_query", "id_body_2"],
    }


def test_parameters_of_the_path_item_and_by_reference() -> None:
    shared = {"parameters": {"page": query("page", {"type": "integer"})}}
    item = {
        "parameters": [query("q", {"type": "string"}), query("r", {"type": "string"})],
        "get": {
            "summary": "Does.",
            "parameters": [query("q", {"type": "integer"}), {"$ref": "#/components/parameters/page"}],
        },
    }
    (tool,) = read({"/w": item}, components=shared).tools
    assert {name: schema["type"] for name, schema in tool.properties.items()} == {
        "q": "integer",
        "r": "string",
        "page": "integer",
    }


def test_what_carries_credentials_is_no_argument() -> None:
    schemes = {
        "k": {"type": "apiKey", "in": "header", "name": "X-My-Key"},
        "q": {"type": "apiKey", "in": "query", "name": "appid"},
        "c": {"type": "apiKey", "in": "cookie", "name": "sid"},
    }
    hidden = [
        ("header", n) for n in ("Authorization", "x-my-key", "Accept", "Content-Type", "Host", "Cookie", "X-API-Key")
    ]
    stated = [
        {"name": name, "in": place, "schema": {}} for place, name in [*hidden, ("query", "APPID"), ("cookie", "sid")]
    ]
    found = parameters(*stated, query("q", {"type": "string"}), components={"securitySchemes": schemes})
    assert list(found["properties"]) == ["q"]


def test_bodies() -> None:
    properties = {
        "a": {"type": "string", "readOnly": True},
        "b": {"type": "integer"},
        "c": {"$ref": "#/components/schemas/R"},
    }
    schema = {"type": "object", "properties": properties, "required": ["a", "b"]}
    components = {"schemas": {"R": {"type": "string", "readOnly": True}}}
    more: Json = {"method": "post", "components": components}
    flat = {"b": {"type": "integer"}}
    assert parameters(operation=body(schema), **more)["properties"] == flat
    assert parameters(operation=body(schema), **more)["required"] == ["b"]
    assert parameters(operation=body(schema, required=False), **more)["required"] == []
    assert parameters(operation=body(schema, required=True), **more)["required"] == ["b"]
    assert parameters(operation=body(schema), **{**more, "method": "delete"})["required"] == []
    listed = parameters(operation=body({"type": "array", "items": {"type": "string"}}, required=True), **more)
    assert listed["properties"] == {"body": {"type": "array", "items": {"type": "string"}}}
    assert listed["required"] == ["body"]
    free = parameters(operation=body({"type": "object"}), **more)
    assert free == {"type": "object", "properties": {"body": {"type": "object"}}, "required": []}
    either = {"type": "object", "properties": {"a": {}, "b": {}}, "anyOf": [{"required": ["a"]}, {"required": ["b"]}]}
    assert list(parameters(operation=body(either), **more)["properties"]) == ["a", "b"]


def test_bodies_that_are_files_or_of_another_language() -> None:
    file = {"type": "string", "format": "binary"}
    form = {"type": "object", "properties": {"file": file, "note": {"type": "string"}}}
    found = parameters(operation=body(form, "multipart/form-data"), method="post")
    assert list(found["properties"]) == ["note"]
    cases = {
        "a": body({**form, "required": ["file"]}, "multipart/form-data"),
        "b": body({"type": "string"}, "application/xml", required=True),
        "c": body({"type": "object"}, "application/x-www-form-urlencoded"),
        "d": body({"type": "object", "properties": {"files": {"type": "array", "items": file}}}, "multipart/form-data"),
    }
    paths = {
        f"/{name}": {"post": {"operationId": name, "summary": "Does.", **stated}} for name, stated in cases.items()
    }
    assert {refusal.name: refusal.reason for refusal in read(paths).refused} == {
        "a": "it sends a file ('file')",
        "b": "its body is application/xml, which cannot be written from arguments",
        "c": "the fields of its form are not listed",
        "d": "it sends a file ('files')",
    }


def test_swagger() -> None:
    stated: list[Json] = [
        {"name": "id", "in": "path", "type": "int", "required": True},
        {"name": "tags", "in": "query", "type": "array", "items": {"type": "string"}, "collectionFormat": "multi"},
        {"name": "least", "in": "query", "type": "number", "minimum": 0, "exclusiveMinimum": True, "default": "2"},
        {"name": "pet", "in": "body", "required": True, "schema": {"$ref": "#/definitions/Pet"}},
    ]
    pet = {"type": "object", "properties": {"name": {"type": "string", "x-nullable": True}}, "required": ["name"]}
    more: Json = {"swagger": "2.0", "definitions": {"Pet": pet}, "method": "post", "path": "/w/{id}"}
    found = parameters(*stated, **more)
    assert found == {
        "type": "object",
        "properties": {
            "id": {"type": "integer"},
            "tags": {"type": "array", "items": {"type": "string"}},
            "least": {"type": "number", "exclusiveMinimum": 0, "default": 2},
            "name": {"type": ["string", "null"]},
        },
        "required": ["id", "name"],
    }
    form: list[Json] = [
        {"name": "a", "in": "formData", "type": "string", "required": True},
        {"name": "f", "in": "formData", "type": "file"},
    ]
    found = parameters(*form, swagger="2.0", method="post", operation={"consumes": ["multipart/form-data"]})
    assert found == {"type": "object", "properties": {"a": {"type": "string"}}, "required": ["a"]}


def test_too_many_arguments_are_refused() -> None:
    many = [query(f"q{i}", {"type": "string"}) for i in range(MAX_NODES + 1)]
    found = read({"/w": {"get": {"summary": "Does.", "parameters": many}}})
    assert "its arguments are too many" in found.refused[0].reason


def test_operations_keep_their_own_servers_unless_told_otherwise() -> None:
    own = [{"url": "https://other.example/v2"}]
    data = {"openapi": "3.1.0", "paths": {"/w": {"get": {"summary": "Does.", "servers": own}}}}
    found = describe_document(Document(data, ""), "s", allow_write=True, keep_base=False)
    assert found.operations["get_w"].base == "https://other.example/v2"
    found = describe_document(Document(data, ""), "s", allow_write=True, keep_base=True)
    assert found.operations["get_w"].base == ""
