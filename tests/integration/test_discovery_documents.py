"""Every discovery document that google-api-python-client ships, read as one source."""

from __future__ import annotations

import importlib.util
import json
import time
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.tools.discovery import is_discovery, packaged_documents
from data_pipeline.tools.json_file import open_json
from data_pipeline.tools.openapi.names import MAX_NAME
from data_pipeline.tools.openapi.schema import MAX_NODES
from data_pipeline.tools.schema_form import schema_problem
from data_pipeline.tools.source import open_source

pytestmark = pytest.mark.slow


def _folder() -> Path:
    if importlib.util.find_spec("googleapiclient") is None:
        pytest.skip("needs google-api-python-client")
    return packaged_documents()


def test_all_methods_become_tools() -> None:
    folder = _folder()
    started = time.process_time()
    found = open_json(f"json:{folder}")
    read = time.process_time()
    assert all(schema_problem(tool.parameters) is None for tool in found.tools)
    checked = time.process_time()
    print(
        f"{len(found.tools)} tools, {len(found.refused)} refused: read and described in {read - started:.1f} s, "
        f"their schemas checked in {checked - read:.1f} s"
    )
    assert len(found.tools) >= 25_000
    assert checked - read < 5
    names = [tool.name for tool in found.tools]
    assert len(set(names)) == len(names)
    assert max(map(len, names)) <= MAX_NAME
    assert {refusal.reason.partition(":")[0] for refusal in found.refused} <= {
        "it has no description",
        "it holds neither OpenAI functions, xLAM rows, ToolBench tools or a Google discovery document",
    }
    assert all(tool.description and tool.side_effects in ("read", "write") for tool in found.tools)
    assert max(json.dumps(tool.parameters).count('"type"') for tool in found.tools) <= 2 * MAX_NODES
    assert found.runner is None
    assert "drive_files_list" in names


def test_one_document_by_itself() -> None:
    path = next(path for path in sorted(_folder().glob("drive.v3.json")))
    assert is_discovery(json.loads(path.read_text(encoding="utf-8")))
    found = open_json(f"json:{path}")
    tools = {tool.name: tool for tool in found.tools}
    assert found.provenance.version == "v3"
    assert tools["drive_files_get"].required == ("fileId",)
    assert tools["drive_files_get"].side_effects == "read"
    assert "pageSize" in tools["drive_files_list"].properties
    assert tools["drive_files_create"].side_effects == "write"


def test_a_service_is_a_source_of_its_own() -> None:
    path = _folder() / "drive.v3.json"
    found = open_source("discovery:drive.v3")
    assert [tool.name for tool in found.tools] == [tool.name for tool in open_json(f"json:{path}").tools]
    assert {(tool.source, tool.topic) for tool in found.tools} == {("discovery:drive.v3", "drive")}
    assert found.provenance.licence == "Apache-2.0"
    assert found.runner is None


def test_an_unknown_service_is_named() -> None:
    _folder()
    with pytest.raises(InputError, match=r"discovery:drive\.v99: no such document"):
        open_source("discovery:drive.v99")
