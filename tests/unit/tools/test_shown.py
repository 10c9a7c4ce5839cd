"""What of a source or an address may be written down."""

from __future__ import annotations

import pytest

from data_pipeline.tools.shown import shown_source, shown_url


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("openapi:https://me:pw@h/spec.json?api_key=K", "openapi:https://h/spec.json?api_key=***"),
        ("openapi:spec.json@https://me:pw@h/v1", "openapi:spec.json@https://h/v1"),
        ("mcp:https://me:pw@h/mcp?key=K", "mcp:https://h/mcp?key=***"),
        ("mcp:server --token abc", "mcp:server --token '***'"),
    ],
)
def test_secrets_of_a_source_are_left_out(source: str, shown: str) -> None:
    assert shown_source(source) == shown


@pytest.mark.parametrize(
    "source",
    [
        "bundled",
        "bundled:finance",
        "composed:4000",
        "discovery:gmail.v1",
        "json:tools.json",
        "python:./tools.py",
        "openapi:spec.json",
        "openapi:https://h:8080/v1/spec.json?version=2",
        "openapi:spec.json@https://h/v1",
        "mcp:mcp-server-time --local-timezone 'Europe/Rome'",
        "mcp:https://h/mcp",
    ],
)
def test_other_sources_stay_as_they_are_written(source: str) -> None:
    assert shown_source(source) == source


def test_addresses_of_models() -> None:
    for url in ("https://api.openai.com/v1", "http://127.0.0.1:8000/v1", "http://localhost:1/v1/"):
        assert shown_url(url) == url
    assert shown_url("https://me:pw@h/v1?api-key=K") == "https://h/v1?api-key=***"
