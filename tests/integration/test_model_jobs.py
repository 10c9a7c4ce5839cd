"""Data jobs with a model behind a real HTTP endpoint: rounds, judges, resuming, and what a broken endpoint comes to."""

import hashlib
import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import fault_endpoint
import pytest
from command_line import XLAM, refusal, xlam
from fault_endpoint import FaultEndpoint, completion

from data_pipeline.core.dataset import read_dataset, read_rejects

KEY = "sk-test-of-a-secret-that-must-stay-one"
TOOL = {
    "name": "query_register",
    "description": "Query an entry of the register.",
    "parameters": {"type": "object", "properties": {"entry": {"type": "integer"}}, "required": ["entry"]},
}
RECIPE = """\
tools: ["json:{tools}"]
generator: &teacher
  {{kind: endpoint, base_url: "{url}", model: teacher, concurrency: 4, input_price: 1, output_price: 2}}
judges: [*teacher, {{kind: endpoint, base_url: "{url}", model: second, concurrency: 4}}]
quorum: 2
rounds: 2
shards: 3
tool_sets_per_shard: 4
queries_per_tool_set: 3
tools_per_set: {{1: 1.0}}
styles: {{simple: 1.0}}
near_duplicates: 1.0
"""


def teach(handler: Any, body: dict[str, Any], before: int) -> None:
    """A teacher whose answers depend on the request alone; as a judge it refuses entries that end in 7."""
    time.sleep(0.02)
    schema, text = body["response_format"]["json_schema"]["schema"], json.dumps(body["messages"])
    if "problem" in schema["properties"]:
        wrong = any(f'\\"entry\\": {digits}7}}' in text.replace("\\\\", "\\") for digits in range(10_000))
        handler.send(200, completion(json.dumps({"thought": "-", "problem": "wrong_function" if wrong else "none"})))
        return
    seeds = [hashlib.sha256(f"{text}{body['seed']}{n}".encode()).hexdigest() for n in range(3)]
    entries = [int(seed[:8], 16) % 100_000 for seed in seeds]
    items = [
        {"query": f"Query entry {n} of the register.", "calls": [{"name": "query_register", "arguments": {"entry": n}}]}
        for n in entries
    ]
    handler.send(200, completion(json.dumps({"items": items})))


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultEndpoint]:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setitem(fault_endpoint.BEHAVIOURS, "teacher", teach)
    monkeypatch.setitem(fault_endpoint.BEHAVIOURS, "second", teach)
    with FaultEndpoint() as server:
        yield server


@pytest.fixture
def recipe(endpoint: FaultEndpoint, tmp_path: Path) -> Path:
    tools, path = tmp_path / "tools.json", tmp_path / "job.yaml"
    tools.write_text(json.dumps([TOOL]), encoding="utf-8")
    path.write_text(RECIPE.format(tools=tools, url=endpoint.url), encoding="utf-8")
    return path


def files(folder: Path) -> dict[str, bytes]:
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


def test_a_job_with_a_teacher_and_judges(endpoint: FaultEndpoint, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = xlam("data", "generate", recipe, "--out", out, "--json", "--workers", "1")
    assert done.returncode == 0, done.stderr
    stats = json.loads(done.stdout)
    accepted, rejected = list(read_dataset(out)), list(read_rejects(out))
    assert stats["drafted"] == len(accepted) + len(rejected) == 2 * 3 * 4 * 3
    refused = Counter(sample.verdicts[-1].reason for sample in rejected)
    assert set(refused) <= {"judge_wrong_function", "duplicate_query"}
    sevens = [sample for sample in rejected if sample.calls[0].arguments["entry"] % 10 == 7]
    assert len(sevens) == refused["judge_wrong_function"] > 0
    assert all(sample.calls[0].arguments["entry"] % 10 != 7 for sample in accepted)
    # A request is for three samples, and 100 tokens of prompt and 50 of answer are shared out among them; the first
    # judge has the generator's prices, the second none.
    origin = accepted[0].origin
    assert origin is not None
    assert (origin.generator, origin.prompt) == ("teacher", "apigen-1")
    assert origin.input_tokens == pytest.approx(100 / 3 + 2 * 100)
    assert origin.cost == pytest.approx(200 / 3 / 1e6 + 200 / 1e6)
    assert stats["cost"] == pytest.approx((24 + 72) * 200 / 1e6, rel=1e-4)  # shares are rounded to 1e-9
    card = (out / "README.md").read_text(encoding="utf-8")
    assert "| teacher | " in card
    assert "Judged by: `teacher`, `second`; 2 must say yes." in card


def test_the_second_round_shows_what_the_first_accepted(endpoint: FaultEndpoint, recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    tools = [{**TOOL, "name": name, "description": f"Query an entry of the {name}."} for name in ("ledger", "atlas")]
    recipe.with_name("tools.json").write_text(json.dumps([TOOL, *tools]), encoding="utf-8")
    assert xlam("data", "generate", recipe, "--out", out, "--workers", "1").returncode == 0
    first = {sample.query for sample in read_dataset(out) if sample.id < "0003"}
    shown = [text for body in endpoint.bodies for text in first if text in json.dumps(body["messages"])]
    asked = [body for body in endpoint.bodies if "items" in json.dumps(body["response_format"])]
    assert len(asked) == 24
    assert shown


def test_killed_on_the_way_it_asks_nothing_twice_and_ends_with_the_same_bytes(
    endpoint: FaultEndpoint, recipe: Path, tmp_path: Path
) -> None:
    assert xlam("data", "generate", recipe, "--out", tmp_path / "undisturbed", "--workers", "1").returncode == 0
    once = len(endpoint.bodies)
    out = tmp_path / "out"
    for moment in (10, 40, 70):
        command = [*XLAM, "data", "generate", str(recipe), "--out", str(out), "--workers", "1"]
        with subprocess.Popen(command, stderr=subprocess.DEVNULL, start_new_session=True) as job:
            while len(endpoint.bodies) < once + moment and job.poll() is None:
                time.sleep(0.002)
            assert job.poll() is None
            os.killpg(job.pid, signal.SIGKILL)
    assert xlam("data", "generate", recipe, "--out", out, "--workers", "1").returncode == 0
    assert files(out) == files(tmp_path / "undisturbed")
    # Lost is no more than what was on its way when the job was killed.
    assert len(endpoint.bodies) - 2 * once <= 3 * (4 + 4)


def test_the_key_is_in_no_file_and_on_no_stream(endpoint: FaultEndpoint, recipe: Path, tmp_path: Path) -> None:
    done = xlam("data", "generate", recipe, "--out", tmp_path / "out", "--json", "rounds=1")
    assert done.returncode == 0
    assert KEY not in done.stdout + done.stderr
    assert [name for name, data in files(tmp_path / "out").items() if KEY.encode() in data] == []
    assert all(headers["authorization"] == f"Bearer {KEY}" for headers in endpoint.headers)


def test_an_endpoint_that_is_not_there_ends_the_job_in_one_line(recipe: Path, tmp_path: Path) -> None:
    gone = "{kind: endpoint, base_url: 'http://127.0.0.1:9/v1', model: teacher, deadline: 2}"
    done = xlam("data", "generate", recipe, "--out", tmp_path / "out", f"generator={gone}", "judges=[]", "quorum=null")
    assert "http://127.0.0.1:9/v1" in refusal(done, done.returncode)
    assert done.returncode in (1, 2)
    assert not list((tmp_path / "out").glob("shards/*"))


def test_without_a_key_the_variable_is_named(recipe: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY")
    assert "OPENAI_API_KEY" in refusal(xlam("data", "generate", recipe, "--out", tmp_path / "out"))


def test_a_wrong_address_locks_no_folder_and_its_password_is_stored_nowhere(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    gone = "{kind: endpoint, base_url: 'http://me:hunter2@127.0.0.1:9/v1', model: teacher, deadline: 2}"
    done = xlam("data", "generate", recipe, "--out", out, f"generator={gone}", "judges=[]", "quorum=null")
    assert done.returncode in (1, 2)
    assert json.loads((out / "recipe.json").read_text())["recipe"]["generator"]["base_url"] == "http://127.0.0.1:9/v1"
    assert [name for name, data in files(out).items() if b"hunter2" in data] == []
    done = xlam("data", "generate", recipe, "--out", out, "rounds=1", "--workers", "1")
    assert done.returncode == 0, done.stderr
    assert len(list(read_dataset(out))) > 0
