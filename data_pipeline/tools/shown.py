"""Tool sources and addresses as they may be written down: without passwords and keys."""

from __future__ import annotations


def shown_source(source: str) -> str:
    """A tool source as provenance has it: secrets in its URL or command are left out, or are `***`.

    Raises:
        InputError: it is malformed.
    """
    kind = source.partition(":")[0]
    # Imported as late as `open_source` does, because most sources need neither.
    if kind == "openapi":
        from data_pipeline.tools.openapi.location import read_location

        return read_location(source).shown
    if kind == "mcp":
        from data_pipeline.tools.mcp_source.address import parse

        return parse(source).shown
    return source


def shown_url(url: str) -> str:
    """A URL without user, password and the values of query parameters named like a secret."""
    from data_pipeline.tools.openapi.location import without_secrets

    return without_secrets(url)
