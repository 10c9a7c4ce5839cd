"""Tools that are put together from word banks: `composed:COUNT`, schemas of hand-written functions of every field."""

from __future__ import annotations

from importlib.metadata import version

from data_pipeline.core.errors import InputError
from data_pipeline.tools.composed.compose import compose
from data_pipeline.tools.runner import Provenance, SourceTools


def open_composed(source: str, count: str) -> SourceTools:
    """The first tools of the one sequence that the banks give; there is nothing to run.

    Args:
        source: `composed:COUNT`.
        count: how many, as it is written.

    Raises:
        InputError: the count is no whole number above 0, or more than can be composed.
    """
    wanted = int(count) if count.isascii() and count.isdigit() else 0
    if wanted == 0:
        raise InputError(f"{source}: '{count}' is no number of tools; write a whole number above 0, as composed:3000")
    tools = compose(source, wanted)
    if len(tools) < wanted:
        raise InputError(f"{source}: no more than {len(tools)} tools can be composed; ask for fewer")
    return SourceTools(tools, (), Provenance(source, version("xlam-train"), "Apache-2.0"), runner=None)
