"""Google discovery documents as tools."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from jsonschema import Draft202012Validator

from data_pipeline.tools.json_file import open_json
from data_pipeline.tools.runner import Refusal

if TYPE_CHECKING:
    from pathlib import Path

Json = dict[str, Any]

DISCOVERY: Json = {
    "kind": "discovery#restDescription",
    "name": "drive",
    "version": "v3",
    "schemas": {
        "File": {
            "id": "File",
            "type": "object",
            "properties": {
                "name": {"type": "string", "description": "Its name."},
                "fileId": {"type": "string"},
                "size": {"type": "string", "format": "int64", "readOnly": True},
                "parent": {"$ref": "File"},
                "labels": {"type": "object", "additionalProperties": {"type": "any"}},
                "mime": {"type": "string", "annotations": {"required": ["drive.files.update"]}},
            },
        }
    },
    "resources": {
        "files": {
            "methods": {
                "update": {
                    "id": "drive.files.update",
                    "httpMethod": "PATCH",
                    "description": "Updates a file.",
                    "parameterOrder": ["fileId"],
                    "parameters": {
                        "addParents": {
                            "type": "string",
                            "location": "query",
                            "repeated": True,
                            "description": "Which.",
                        },
                        "fileId": {"type": "string", "location": "path", "required": True},
                        "limit": {"type": "integer", "location": "query", "minimum": "1", "default": "100"},
                    },
                    "request": {"$ref": "File"},
                },
                "silent": {"id": "drive.files.silent", "httpMethod": "GET"},
                "lost": {"id": "drive.files.lost", "description": "L.", "request": {"$ref": "None"}},
            },
            "resources": {
                "deep": {"methods": {"get": {"id": "drive.files.deep.get", "httpMethod": "GET", "description": "G."}}}
            },
        }
    },
}


def test_discovery(tmp_path: Path) -> None:
    path = tmp_path / "drive.json"
    path.write_text(json.dumps(DISCOVERY), encoding="utf-8")
    found = open_json(f"json:{path}")
    for tool in found.tools:
        Draft202012Validator.check_schema(tool.parameters)
    update, deep = found.tools
    assert found.provenance.version == "v3"
    assert (update.name, update.side_effects, deep.name, deep.side_effects) == (
        "drive_files_update",
        "write",
        "drive_files_deep_get",
        "read",
    )
    assert update.parameters == {
        "type": "object",
        "properties": {
            "fileId": {"type": "string"},
            "addParents": {"type": "array", "description": "Which.", "items": {"type": "string"}},
            "limit": {"type": "integer", "minimum": 1, "default": 100},
            "name": {"type": "string", "description": "Its name."},
            "fileId_body": {"type": "string"},
            "parent": {"type": "object"},
            "labels": {"type": "object", "additionalProperties": {}},
            "mime": {"type": "string"},
        },
        "required": ["fileId", "mime"],
    }
    assert found.refused == (
        Refusal("drive_files_silent", "it has no description"),
        Refusal("drive_files_lost", "it refers to the schema 'None', which is not in the document"),
    )


def test_versions_of_one_service_get_their_version(tmp_path: Path) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    for version in ("v1", "v2", "v2 beta"):
        text = json.dumps({**DISCOVERY, "version": version})
        (folder / f"drive.{version}.json").write_text(text, encoding="utf-8")
    (folder / "index.json").write_text('{"kind": "discovery#directoryList"}', encoding="utf-8")
    (folder / "notes.txt").write_text("no JSON", encoding="utf-8")
    found = open_json(f"json:{folder}")
    assert found.provenance.version == ""
    assert [tool.name for tool in found.tools if tool.name.endswith("update")] == [
        "drive_files_update",
        "drive_v2_beta_files_update",
        "drive_v2_files_update",
    ]
    assert [refusal.name for refusal in found.refused].count("index.json") == 1
