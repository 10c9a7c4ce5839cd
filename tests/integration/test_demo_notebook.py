"""demo.ipynb: kept without outputs, and run from top to bottom against a real server on loopback."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

NOTEBOOK = Path(__file__).resolve().parents[2] / "demo.ipynb"
MOST_BYTES = 32_000


def code_cells(notebook: Any) -> Iterator[Any]:
    return (cell for cell in notebook["cells"] if cell["cell_type"] == "code")


def test_the_notebook_is_kept_small_and_without_outputs() -> None:
    assert NOTEBOOK.stat().st_size < MOST_BYTES
    for cell in code_cells(json.loads(NOTEBOOK.read_text(encoding="utf-8"))):
        assert (cell["outputs"], cell["execution_count"]) == ([], None)


@pytest.fixture
def notebook_home(tmp_path: Path, smollm2_dir: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder to run in, where nothing of the user's is read or written and the base model is converted already."""
    cache = tmp_path / "cache"
    cache.mkdir()
    (cache / "xlam-train").symlink_to(smollm2_dir.parent)
    for name in [name for name in os.environ if name.startswith("XLAM_DEMO_")]:
        monkeypatch.delenv(name)
    places = {"XDG_CACHE_HOME": cache, "IPYTHONDIR": tmp_path / "ipython", "JUPYTER_RUNTIME_DIR": tmp_path / "jupyter"}
    for name, value in {**places, "XLAM_DEMO_THREADS": 1, "OMP_NUM_THREADS": 1}.items():
        monkeypatch.setenv(name, str(value))
    monkeypatch.chdir(tmp_path)  # the kernel's sockets are files, which both sides look for in their own folder


@pytest.mark.slow
@pytest.mark.usefixtures("notebook_home")
def test_the_notebook_goes_from_query_to_executed_call_and_answer() -> None:
    nbclient = pytest.importorskip("nbclient", reason="needs the package nbclient")
    pytest.importorskip("ipykernel", reason="needs the package ipykernel")
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    nbformat = pytest.importorskip("nbformat", reason="needs the package nbformat")
    config = pytest.importorskip("traitlets.config").Config({"KernelManager": {"transport": "ipc"}})
    notebook = nbformat.read(NOTEBOOK, as_version=4)
    nbclient.NotebookClient(notebook, timeout=300, config=config).execute()

    shown = [shown_by(cell) for cell in code_cells(notebook)]
    assert not any("error" in kinds or "stderr" in kinds for kinds, _ in shown)
    texts = [text for _, text in shown]
    call = "{'name': 'calculate_dew_point'"
    assert any(call in text and "'finish_reason': 'tool_calls'" in text for text in texts)
    assert any("'role': 'tool'" in text and "'12.0'" in text for text in texts)
    assert any("('calculate_dew_point'" in text and "'answered'" in text for text in texts)
    assert any("dew point" in text and "12" in text and "Celsius" in text for text in texts[-2:])


def shown_by(cell: Any) -> tuple[set[str], str]:
    """Kinds of a cell's outputs, and their text."""
    kinds = {output.get("name", output["output_type"]) for output in cell["outputs"]}
    return kinds, "".join(output.get("data", {}).get("text/plain", "") for output in cell["outputs"])
