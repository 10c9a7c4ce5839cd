"""From query to answer: real llama.cpp held to the calls of the test, real tools, real states."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from steered import SteeredBackend, save_tiny

from data_pipeline.tools.executor import Executor
from data_pipeline.tools.source import open_source
from xlam_train.export.gguf import write_gguf
from xlam_train.infer.agent import AgentRun, run_agent
from xlam_train.infer.handler import ChatHandler

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

WEATHER = tuple(tool for tool in open_source("bundled:weather").tools if tool.name == "calculate_wind_chill")
HOME = tuple(tool for tool in open_source("bundled:smart_home").tools if tool.name in ("dim_lamp", "list_devices"))
CHILL = {"name": "calculate_wind_chill", "arguments": {"temperature_c": -5, "wind_speed_kmh": 20}}
COLDER = {"name": "calculate_wind_chill", "arguments": {"temperature_c": -10, "wind_speed_kmh": 30}}
NO_CALL = '{"tool_calls": []}'
QUERY = "What is the wind chill at -5 degrees?"


def calls(*made: dict[str, Any]) -> str:
    return json.dumps({"tool_calls": list(made)})


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory, smollm2_dir: Path) -> Iterator[SteeredBackend]:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    folder = save_tiny(tmp_path_factory.mktemp("agent") / "model", smollm2_dir)
    write_gguf(folder, folder.with_suffix(".gguf"), "f32")
    with SteeredBackend(folder.with_suffix(".gguf")) as backend:
        yield backend


@pytest.fixture(scope="module")
def executor() -> Iterator[Executor]:
    with Executor() as running:
        yield running


@pytest.fixture
def run(model: SteeredBackend, executor: Executor) -> Any:
    def run(*texts: str, tools: Any = WEATHER, variant: Any = "xlam-1", **given: Any) -> AgentRun:
        model.texts, model.asked = list(texts), []
        done = run_agent(ChatHandler(model, variant), tools, executor, [{"role": "user", "content": QUERY}], **given)
        assert model.texts == []
        return done

    return run


def told(done: AgentRun) -> list[Any]:
    """What the model was told of its calls, as JSON values."""
    return [json.loads(message["content"]) for message in done.messages if message["role"] == "tool"]


def test_calls_are_executed_told_and_put_in_words(run: Any, model: SteeredBackend) -> None:
    done = run(calls(CHILL, COLDER), NO_CALL, "It feels like -11.6 degrees.")
    assert done.answer == "It feels like -11.6 degrees."
    assert done.ending == "answered"
    assert [step.result.status for step in done.steps] == ["ok", "ok"]
    assert told(done) == [step.result.result for step in done.steps]
    assert [message["role"] for message in done.messages] == ["user", "assistant", "tool", "tool", "assistant"]
    second = model.asked[1].prompt
    assert second.count("[BEGIN OF TOOL RESULT]") == 2
    words = model.asked[2].prompt
    assert "[BEGIN" not in words
    assert f"{CHILL['name']}({json.dumps(CHILL['arguments'])}) returned {done.steps[0].text}" in words


def test_failures_are_told_to_the_model(run: Any) -> None:
    bad = {"name": "calculate_wind_chill", "arguments": {"temperature_c": "cold", "wind_speed_kmh": 20}}
    unknown = {"name": "get_wind_chill", "arguments": {}}
    done = run(calls(bad, unknown), calls(CHILL), NO_CALL, "It is cold.")
    assert [step.result.status for step in done.steps] == ["bad_arguments", "unavailable", "ok"]
    first, second, third = told(done)
    assert first["error"].startswith("bad_arguments: ")
    assert "get_wind_chill" in second["error"]
    assert third == done.steps[2].result.result


def test_each_call_meets_the_state_that_the_last_one_left(run: Any) -> None:
    dim = {"name": "dim_lamp", "arguments": {"device_id": "L1", "brightness": 37}}
    listed = {"name": "list_devices", "arguments": {"kind": "lamp"}}
    done = run(calls(listed, dim), calls(listed), NO_CALL, "Done.", tools=HOME)
    before, _, after = told(done)
    assert [step.result.status for step in done.steps] == ["ok", "ok", "ok"]
    assert '"brightness": 37' not in json.dumps(before)
    assert '"brightness": 37' in json.dumps(after)


def test_the_same_calls_again_end_the_run(run: Any) -> None:
    done = run(calls(CHILL), calls(CHILL), "Cold.")
    assert (done.ending, len(done.steps), done.answer) == ("repeated", 1, "Cold.")


def test_rounds_are_bounded(run: Any) -> None:
    done = run(calls(CHILL), calls(COLDER), calls(CHILL), "Cold.", max_rounds=2)
    assert (done.ending, len(done.steps), done.answer) == ("rounds", 2, "Cold.")


def test_what_is_no_answer_in_the_format_ends_the_run_as_it_is(run: Any) -> None:
    done = run(calls(CHILL), "It feels like -11.6.")
    assert (done.ending, done.answer, len(done.steps)) == ("format_error", "It feels like -11.6.", 1)


def test_without_calls_nothing_is_made_up(run: Any) -> None:
    done = run(NO_CALL)
    assert (done.ending, done.answer, done.steps) == ("answered", "", ())


@pytest.mark.parametrize(
    ("variant", "last"),
    [("xlam-1-history", '{"thought": "It feels colder.", "tool_calls": []}'), ("actionstudio", "It feels colder.")],
)
def test_variants_with_words_answer_themselves(run: Any, variant: str, last: str) -> None:
    first = calls(CHILL) if variant == "xlam-1-history" else json.dumps([CHILL])
    done = run(first, last, variant=variant)
    assert (done.ending, done.answer, len(done.steps)) == ("answered", "It feels colder.", 1)
