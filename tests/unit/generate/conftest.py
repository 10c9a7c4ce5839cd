"""What the generator is tried on: every bundled tool, the examples of the docs, and schemas nobody would wish for."""

import json
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.tools.source import open_source

EXAMPLES = Path(__file__).parents[3] / "docs" / "examples"

NASTY: dict[str, dict[str, Any]] = {
    "no_properties": {"type": "object"},
    "empty": {},
    "references": {
        "type": "object",
        "properties": {
            "home": {"$ref": "#/$defs/address"},
            "other": {"$ref": "#/$defs/address", "description": "Second home"},
        },
        "required": ["home"],
        "$defs": {
            "address": {
                "type": "object",
                "properties": {"street": {"type": "string"}, "zip": {"type": "string", "pattern": "^[0-9]{5}$"}},
                "required": ["street", "zip"],
            }
        },
    },
    "recursive": {
        "type": "object",
        "properties": {"tree": {"$ref": "#/$defs/node"}},
        "required": ["tree"],
        "$defs": {
            "node": {
                "type": "object",
                "properties": {
                    "label": {"type": "string"},
                    "children": {"type": "array", "items": {"$ref": "#/$defs/node"}},
                },
                "required": ["label"],
            }
        },
    },
    "unions": {
        "type": "object",
        "properties": {
            "amount": {"anyOf": [{"type": "integer", "minimum": 3, "maximum": 9}, {"type": "null"}]},
            "target": {
                "oneOf": [
                    {"type": "object", "properties": {"email": {"format": "email", "type": "string"}}},
                    {"type": "array", "items": {"type": "string", "enum": ["north", "south"]}},
                    {"const": "everyone"},
                ]
            },
            "limit": {"type": ["null", "integer"], "minimum": 5},
        },
        "required": ["amount", "target", "limit"],
    },
    "merged": {
        "type": "object",
        "properties": {
            "level": {"allOf": [{"type": "integer"}, {"minimum": 10}, {"maximum": 12}]},
            "size": {"allOf": [{"$ref": "#/$defs/size"}], "description": "Size of the shirt"},
        },
        "required": ["level", "size"],
        "$defs": {"size": {"enum": ["S", "M", "L"]}},
    },
    "formats": {
        "type": "object",
        "properties": {
            name: {"type": "string", "format": name}
            for name in ("date", "date-time", "time", "email", "uuid", "uri", "ipv4", "ipv6", "hostname", "duration")
        },
        "required": ["date", "date-time", "email", "uuid", "uri", "ipv4", "hostname"],
    },
    "patterns": {
        "type": "object",
        "properties": {
            "code": {"type": "string", "pattern": "^[A-Z]{3}-\\d{2,4}$"},
            "path": {"type": "string", "pattern": "^projects/[^/]+/(zones|regions)/[^/]+$"},
            "flag": {"type": "string", "pattern": "^(?:on|off)$"},
            "hex": {"type": "string", "pattern": "^#?[0-9a-f]{6}$"},
        },
        "required": ["code", "path", "flag", "hex"],
    },
    "bounded": {
        "type": "object",
        "properties": {
            "pin": {"type": "string", "minLength": 4, "maxLength": 4},
            "essay": {"type": "string", "minLength": 90},
            "step": {"type": "number", "multipleOf": 0.25, "minimum": 1, "maximum": 3},
            "even": {"type": "integer", "multipleOf": 2, "minimum": 1, "maximum": 9},
            "pair": {"type": "array", "prefixItems": [{"type": "number"}, {"type": "string"}], "minItems": 2},
            "unique": {"type": "array", "items": {"type": "integer"}, "uniqueItems": True, "minItems": 3},
        },
        "required": ["pin", "essay", "step", "even", "pair", "unique"],
    },
    "free_form": {
        "type": "object",
        "properties": {
            "labels": {"type": "object", "additionalProperties": {"type": "integer"}},
            "extra": {"type": "object", "additionalProperties": True, "minProperties": 1},
            "closed": {"type": "object", "properties": {"a": {"type": "boolean"}}, "additionalProperties": False},
        },
        "required": ["labels", "extra", "closed"],
    },
    "odd_names": {
        "type": "object",
        "properties": {"_": {"type": "integer"}, "$filter": {"type": "string"}, "a.b": {"type": "boolean"}, "X": {}},
        "required": ["_", "$filter", "a.b", "X"],
    },
    "nested": {
        "type": "object",
        "properties": {
            "orders": {
                "type": "array",
                "items": {
                    "type": "object",
                    "properties": {
                        "lines": {
                            "type": "array",
                            "items": {
                                "type": "object",
                                "properties": {"sku": {"type": "string"}, "count": {"type": "integer", "minimum": 1}},
                                "required": ["sku", "count"],
                            },
                        },
                        "gift": {"type": "boolean"},
                    },
                    "required": ["lines"],
                },
            }
        },
        "required": ["orders"],
    },
}


@pytest.fixture(scope="session")
def pool() -> list[Tool]:
    return list(open_source("bundled").tools)


@pytest.fixture(scope="session")
def nasty() -> list[Tool]:
    return [
        Tool(name=f"{name}_thing", description=f"Update the {name} thing", parameters=parameters)
        for name, parameters in NASTY.items()
    ]


@pytest.fixture(scope="session")
def examples() -> list[Tool]:
    found = (json.loads(path.read_text(encoding="utf-8")) for path in sorted(EXAMPLES.glob("*.json")))
    return [Tool.from_openai(schema) for schemas in found for schema in schemas]
