"""What the generator is tried on: every bundled tool."""

import pytest

from data_pipeline.core.schema import Tool
from data_pipeline.tools.source import open_source


@pytest.fixture(scope="session")
def pool() -> list[Tool]:
    return list(open_source("bundled").tools)
