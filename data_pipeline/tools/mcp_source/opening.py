"""Opens an MCP server as a source of tools."""

from __future__ import annotations

import logging
import time
from typing import TYPE_CHECKING

from data_pipeline.core.errors import InputError
from data_pipeline.tools.mcp_source.address import Address, parse
from data_pipeline.tools.reading import only_reading
from data_pipeline.tools.runner import Provenance, SourceTools

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.tools.mcp_source.connection import Link


def open_mcp(
    source: str,
    *,
    allow_write: bool = False,
    wrap: Callable[[list[str]], list[str]] = lambda command: command,
    start_seconds: float = 30.0,
) -> SourceTools:
    """Start or reach an MCP server and read which tools it has; the runner keeps it going.

    Args:
        source: `mcp:COMMAND`, words as in a shell but without one, or `mcp:URL`, http or https. A URL is
            sent `Authorization: Bearer $XLAM_MCP_TOKEN` where that variable is set.
        allow_write: run all tools; only those that say of themselves that they only read otherwise.
        wrap: turns the words of the command into those that run it in a sandbox.
        start_seconds: how long the server may take to start and to list its tools.

    Raises:
        InputError: the package mcp is missing, the source is malformed, or the server does not start,
            does not speak MCP or does not list its tools, in time.
    """
    address = parse(source)
    _load_sdk()
    # These import asyncio, so only now.
    from data_pipeline.tools.mcp_source.calling import McpRunner
    from data_pipeline.tools.mcp_source.connection import StartError
    from data_pipeline.tools.mcp_source.listing import describe_tools

    deadline = time.monotonic() + start_seconds
    runner = McpRunner(lambda: _link(address, wrap), start_seconds)
    try:
        version, listed = runner.describe()
        tools, refused = describe_tools(listed, address.shown, deadline)
    except StartError as error:
        runner.close()
        hint = "check the address" if address.url else "check that the command starts an MCP server on its pipes"
        raise InputError(f"{address.shown}: {error}; {hint}") from error
    except BaseException:
        runner.close()
        raise
    provenance = Provenance(address.shown, version=version, executable=True)
    found = SourceTools(tuple(tools), tuple(refused), provenance, runner)
    return found if allow_write else only_reading(found)


def _link(address: Address, wrap: Callable[[list[str]], list[str]]) -> Link:
    from data_pipeline.tools.mcp_source.http import HttpLink
    from data_pipeline.tools.mcp_source.stdio import StdioLink

    return HttpLink(address.url) if address.url else StdioLink(wrap(list(address.command)))


def _load_sdk() -> None:
    """Import what takes half a second, so that no server's time is spent on it."""
    try:
        import mcp.client.session
        import mcp.shared.jsonrpc_dispatcher  # noqa: F401 - since version 2
    except ImportError as error:
        raise InputError('mcp tools need the package mcp; pip install "xlam-train[tools]"') from error
    # The SDK logs what servers send, and logging prints it to the terminal where nobody configured it.
    for name in ("mcp", "client", "httpx2", "httpcore2"):
        logger = logging.getLogger(name)
        if logger.level == logging.NOTSET:
            logger.setLevel(logging.CRITICAL)
