"""Tools of MCP servers: `mcp:COMMAND` starts a server on pipes, `mcp:URL` talks to one over HTTP.

The package `mcp` is imported when a source is opened, not before: it takes half a second.
"""

from data_pipeline.tools.mcp_source.opening import open_mcp

__all__ = ["open_mcp"]
