"""scripts/test_*.py as printed: a tiny model that knows the example by heart, and servers that cannot be used."""

from __future__ import annotations

import json
import os
import re
import runpy
import shutil
import subprocess
import sys
import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from steered import save_tiny
from transformers import AutoModelForCausalLM, AutoTokenizer

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import ToolCall
from data_pipeline.core.xlam_format import render_answer, render_prompt
from xlam_train.export.chat_template import install_template
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.agent import ENDINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

SCRIPTS = Path(__file__).resolve().parents[2] / "scripts"
EXAMPLE = runpy.run_path(str(SCRIPTS / "weather_example.py"))
ASKED = [{"role": "user", "content": EXAMPLE["QUERY"]}]
TOOLS = [EXAMPLE["WEATHER"], EXAMPLE["SEARCH"]]
ARGUMENTS = {"location": "New York", "unit": "fahrenheit"}
PROMPT = render_prompt(TOOLS, EXAMPLE["QUERY"])
STEPS = 40
ONE_THREAD = {**os.environ, "OMP_NUM_THREADS": "1"}


@pytest.fixture(scope="module")
def untrained(tmp_path_factory: pytest.TempPathFactory, smollm2_dir: Path) -> Path:
    folder = save_tiny(tmp_path_factory.mktemp("untrained") / "model", smollm2_dir)
    install_template(folder, "xlam-1", "card")
    return folder


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory, untrained: Path) -> Path:
    """The model after it has learned to answer the example's prompt."""
    folder = shutil.copytree(untrained, tmp_path_factory.mktemp("trained") / "model")
    tokenizer = AutoTokenizer.from_pretrained(folder)
    prompt = tokenizer.apply_chat_template(ASKED, tools=TOOLS, add_generation_prompt=True, return_dict=False)
    answer = render_answer([ToolCall(name="get_weather", arguments=ARGUMENTS)])
    ids = torch.tensor([[*prompt, *tokenizer.encode(answer), tokenizer.eos_token_id]])
    model = AutoModelForCausalLM.from_pretrained(folder)
    torch.set_num_threads(1)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
    for _ in range(STEPS):
        logits = model(ids[:, :-1], logits_to_keep=ids.shape[1] - len(prompt)).logits[0]
        loss = torch.nn.functional.cross_entropy(logits, ids[0, len(prompt) :])
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
    assert float(loss.detach()) < 0.01
    model.save_pretrained(folder)
    return folder


@pytest.fixture(scope="module")
def gguf(trained: Path) -> Path:
    path = trained.with_suffix(".gguf")
    write_gguf(trained, path, "f32")
    return path


@pytest.fixture(scope="module")
def port(gguf: Path) -> int:
    """Of llama.cpp's server with the trained model, which it calls `tiny`."""
    native = pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    params = native.CommonParams()
    params.model.path, params.model_alias = str(gguf), {"tiny"}
    params.n_ctx, params.n_parallel, params.use_jinja, params.verbosity = 2048, 1, True, -1
    params.cpuparams.n_threads = params.cpuparams_batch.n_threads = 1
    server = native.Server(params)
    yield int(server.listening_address.rpartition(":")[2])
    del server


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[..., tuple[int, str, str]]:
    """Runs a script in this process: exit code, stdout, stderr."""
    monkeypatch.syspath_prepend(SCRIPTS)
    monkeypatch.delenv("XLAM_API_KEY", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)  # of which llama.cpp would otherwise take all

    def run(name: str, *arguments: object) -> tuple[int, str, str]:
        monkeypatch.setattr(sys, "argv", [name, *map(str, arguments)])
        with pytest.raises(SystemExit) as ended:
            runpy.run_path(str(SCRIPTS / name), run_name="__main__")
        return int(ended.value.code or 0), *capsys.readouterr()

    return run


def called(stdout: str) -> tuple[str, Any]:
    """The call printed, as name and arguments."""
    message = json.loads(stdout.partition("answer:\n")[2].partition("\n\nfinish_reason")[0])
    [call] = message["tool_calls"]
    return call["function"]["name"], json.loads(call["function"]["arguments"])


def test_prompt_template_by_transformers_in_a_process_of_its_own(trained: Path) -> None:
    command = [sys.executable, str(SCRIPTS / "test_prompt_template.py"), "--model", str(trained)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False, env=ONE_THREAD)
    assert done.returncode == 0, done.stderr
    assert PROMPT in done.stdout
    assert called(done.stdout) == ("get_weather", ARGUMENTS)


def test_prompt_template_by_llama_cpp(run: Any, gguf: Path) -> None:
    code, stdout, stderr = run("test_prompt_template.py", "--model", gguf)
    assert (code, stderr) == (0, "")
    assert PROMPT in stdout
    assert called(stdout) == ("get_weather", ARGUMENTS)


def test_a_model_that_does_not_know_the_format_fails(run: Any, untrained: Path) -> None:
    write_gguf(untrained, untrained.with_suffix(".gguf"), "f32")
    code, stdout, stderr = run("test_prompt_template.py", "--model", untrained.with_suffix(".gguf"))
    assert code == 1
    assert PROMPT in stdout
    assert stderr.startswith("xlam: the answer is not in the prompt format (")
    assert stderr.count("\n") == 1


@pytest.mark.parametrize("options", [(), ("--temperature", "0", "--top_p", "0.9", "--max_tokens", "100")])
def test_endpoint(run: Any, port: int, options: tuple[str, ...]) -> None:
    code, stdout, stderr = run("test_model_with_endpoint.py", "--model_name", "tiny", "--port", port, *options)
    assert (code, stderr) == (0, "")
    assert PROMPT in stdout
    assert called(stdout) == ("get_weather", ARGUMENTS)


def test_an_answer_cut_off_fails(run: Any, port: int) -> None:
    code, stdout, _ = run("test_model_with_endpoint.py", "--model_name", "tiny", "--port", port, "--max_tokens", 5)
    assert code == 1
    assert "finish_reason: length" in stdout


class _Refusing(BaseHTTPRequestHandler):
    """Answers everything with the code of its server, in HTML."""

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Keep the tests' output clean."""

    def do_GET(self) -> None:
        body = b"<html><body>\n<h1>Hello</h1>\n</body></html>"
        self.send_response(self.server.code)  # type: ignore[attr-defined]
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)


@contextmanager
def refusing(code: int) -> Iterator[int]:
    """A server on loopback that is no model's; its port."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Refusing)
    server.code = code  # type: ignore[attr-defined]
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield server.server_port
    finally:
        server.shutdown()
        server.server_close()


def refusal(done: tuple[int, str, str]) -> str:
    """The one line of a script that was refused."""
    code, stdout, stderr = done
    assert (code, stdout) == (2, "")
    assert stderr.startswith("xlam: ")
    assert stderr.count("\n") == 1
    return stderr


def test_a_server_without_the_model_is_refused(run: Any, port: int) -> None:
    assert "'big'" in refusal(run("test_model_with_endpoint.py", "--model_name", "big", "--port", port))


@pytest.mark.parametrize(("code", "says"), [(200, "no OpenAI-compatible server"), (401, "key"), (404, "address")])
def test_servers_that_cannot_be_used_are_refused(run: Any, code: int, says: str) -> None:
    with refusing(code) as other:
        assert says in refusal(run("test_model_with_endpoint.py", "--model_name", "tiny", "--port", other))


def test_no_server_is_refused(run: Any) -> None:
    with refusing(200) as gone:
        pass
    assert "cannot connect" in refusal(run("test_model_with_endpoint.py", "--model_name", "tiny", "--port", gone))


def test_no_model_is_refused(run: Any, tmp_path: Path) -> None:
    assert "no model here" in refusal(run("test_prompt_template.py", "--model", tmp_path))


def test_vllm_is_asked_for_in_one_line(run: Any, trained: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "vllm", None)  # as if it was not installed, where it is
    assert "vllm" in refusal(run("test_model_with_vllm.py", "--model", trained))


@pytest.mark.gpu
def test_vllm_answers(run: Any, trained: Path) -> None:
    pytest.importorskip("vllm", reason="needs vLLM and a GPU: pip install 'xlam-train[vllm]'")
    code, stdout, stderr = run("test_model_with_vllm.py", "--model", trained)
    assert (code, stderr) == (0, "")
    assert called(stdout) == ("get_weather", ARGUMENTS)


def test_the_documentations_examples_run_as_printed(
    trained: Path, gguf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    text = (SCRIPTS.parent / "docs" / "inference.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", text, flags=re.DOTALL)
    names: dict[str, Any] = {}
    shown = []
    for block in blocks:
        code = block.replace("runs/quickstart/merged", str(trained)).replace("model.gguf", str(gguf))
        with suppress(FormatError):  # the model knows one prompt by heart, and this is another
            exec(code, names)
        shown.append(capsys.readouterr().out)
    assert len(shown) == 4
    asked = names["tokenizer"].decode(names["prompt"]["input_ids"][0])
    assert render_prompt([names["weather"]], names["messages"][0]["content"]) in asked
    assert names["answer"]
    assert "'role': 'assistant'" in shown[1]
    assert all(text.split()[-1] in ENDINGS for text in shown[2:])


def test_the_readmes_example_runs_as_printed(
    gguf: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    [code] = re.findall(
        r"```python\n(.*?)```", (SCRIPTS.parent / "README.md").read_text(encoding="utf-8"), flags=re.DOTALL
    )
    exec(code.replace("runs/quickstart/model-q8_0.gguf", str(gguf)), {})
    assert capsys.readouterr().out.startswith("(")
