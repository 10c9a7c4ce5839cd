"""Out and in again: what each format keeps, and what it is known to lose."""

import json
from pathlib import Path

import pytest

from data_pipeline.convert import xlam_60k
from data_pipeline.convert.convert import convert
from data_pipeline.convert.formats import FORMATS, format_of, read_samples
from data_pipeline.convert.lines import GoodLine
from data_pipeline.convert.writers import DatasetWriter
from data_pipeline.core.dataset import read_dataset, read_rejects
from data_pipeline.core.schema import Message, ToolCall, Trajectory, Verdict


def store(folder: Path, samples: list[Trajectory]) -> Path:
    writer = DatasetWriter(folder)
    for sample in samples:
        writer.add(sample)
    writer.flush()
    return folder


def read_all(path: Path) -> list[Trajectory]:
    found = list(read_samples(path, format_of(path)))
    assert all(isinstance(line, GoodLine) for line in found), found
    return [line.sample for line in found if isinstance(line, GoodLine)]


@pytest.mark.parametrize("file", ["out.jsonl", "out.json"])
@pytest.mark.parametrize("name", ["xlam-60k", "openai"])
def test_query_calls_and_styles_stay(name: str, file: str, samples: list[Trajectory], tmp_path: Path) -> None:
    there = convert(store(tmp_path / "data", samples), "auto", tmp_path / file, name)
    assert there.written == len(samples)
    assert format_of(tmp_path / file) == name
    back = read_all(tmp_path / file)
    assert [s.query for s in back] == [s.query for s in samples]
    assert [s.style for s in back] == [s.style for s in samples]
    # As text, because to Python 1 and 1.0 and True are equal.
    assert [json.dumps([c.to_dict() for c in s.calls]) for s in back] == [
        json.dumps([c.to_dict() for c in s.calls]) for s in samples
    ]


def test_openai_messages_keep_the_schemas(samples: list[Trajectory], tmp_path: Path) -> None:
    convert(store(tmp_path / "data", samples), "dataset", tmp_path / "out.jsonl", "openai")
    for before, after in zip(samples, read_all(tmp_path / "out.jsonl"), strict=True):
        assert [t.to_openai() for t in after.tools] == [t.to_openai() for t in before.tools]
        assert {tool.source for tool in after.tools} == {"json:out.jsonl"}


def test_xlam_rows_keep_types_choices_defaults_and_what_may_be_left_out(
    samples: list[Trajectory], tmp_path: Path
) -> None:
    convert(store(tmp_path / "data", samples), "dataset", tmp_path / "out.json", "xlam-60k")
    before, after = samples[0].tools[0], read_all(tmp_path / "out.json")[0].tools[0]
    assert (after.name, after.description, after.required) == (before.name, before.description, before.required)
    assert after.properties == before.properties
    row = json.loads((tmp_path / "out.json").read_text())[0]
    assert list(row) == ["id", "query", "answers", "tools"]
    assert row["id"] == 7
    assert json.loads(row["tools"])[0]["parameters"]["days"] == {
        "description": "How far ahead",
        "type": "int, optional",
        "default": 3,
    }


def test_our_own_format_loses_nothing(samples: list[Trajectory], told_of: Trajectory, tmp_path: Path) -> None:
    data = store(tmp_path / "data", [*samples, told_of])
    assert convert(data, "auto", tmp_path / "again", "dataset").written == len(samples) + 1
    assert (tmp_path / "again/shards/0000.jsonl").read_bytes() == (data / "shards/0000.jsonl").read_bytes()
    convert(data / "shards/0000.jsonl", "auto", tmp_path / "third", "dataset")
    assert list(read_dataset(tmp_path / "third")) == [*samples, told_of]


def test_what_the_foreign_formats_lose_is_as_documented(told_of: Trajectory, tmp_path: Path) -> None:
    data = store(tmp_path / "data", [told_of])
    for name in ("xlam-60k", "openai"):
        convert(data, "dataset", tmp_path / f"{name}.jsonl", name)
        (back,) = read_all(tmp_path / f"{name}.jsonl")
        assert (back.style, back.calls) == ("irrelevance", ())
        assert (back.verdicts, back.results, back.incomplete, back.origin) == ((), (), None, None)
    assert set(FORMATS) == {"xlam-60k", "openai", "dataset"}


def test_refused_samples_go_to_the_rejects_of_their_shard(
    samples: list[Trajectory], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("data_pipeline.convert.writers.SHARD_SAMPLES", 2)
    wrong = Verdict(stage="format", passed=False, reason="wrong_type")
    refused = [sample.model_copy(update={"verdicts": (wrong,)}) for sample in samples[:2]]
    data = store(tmp_path / "data", [refused[0], samples[2], samples[3], samples[4], refused[1]])
    assert list(read_dataset(data)) == samples[2:]
    assert list(read_rejects(data)) == refused
    assert len(list((data / "shards").iterdir())) == len(list((data / "rejects").iterdir())) == 3


def forecast(city: str) -> ToolCall:
    return ToolCall(name="forecast", arguments={"city": city, "unit": "c"})


@pytest.fixture
def talk(samples: list[Trajectory]) -> Trajectory:
    """Two turns, the first with two calls and what they returned."""
    messages = (
        Message(role="system", content="Be brief."),
        Message(role="user", content="Rome and Oslo?"),
        Message(role="assistant", tool_calls=(forecast("Rome"), forecast("Oslo"))),
        Message(role="tool", content="21"),
        Message(role="tool", content="9"),
        Message(role="user", content="And Bern?"),
        Message(role="assistant", content="On it.", tool_calls=(forecast("Bern"),)),
    )
    return samples[0].model_copy(update={"messages": messages})


def called(number: int, city: str) -> dict[str, object]:
    arguments = json.dumps({"city": city, "unit": "c"})
    return {"id": f"call_{number}", "type": "function", "function": {"name": "forecast", "arguments": arguments}}


def test_openai_messages_keep_every_turn(talk: Trajectory, tmp_path: Path) -> None:
    done = convert(store(tmp_path / "data", [talk]), "dataset", tmp_path / "out.jsonl", "openai")
    assert done.written == 1
    assert json.loads((tmp_path / "out.jsonl").read_text())["messages"] == [
        {"role": "system", "content": "Be brief."},
        {"role": "user", "content": "Rome and Oslo?"},
        {"role": "assistant", "content": None, "tool_calls": [called(0, "Rome"), called(1, "Oslo")]},
        {"role": "tool", "content": "21", "tool_call_id": "call_0"},
        {"role": "tool", "content": "9", "tool_call_id": "call_1"},
        {"role": "user", "content": "And Bern?"},
        {"role": "assistant", "content": "On it.", "tool_calls": [called(2, "Bern")]},
    ]


def test_xlam_rows_of_several_turns_are_refused_and_told(
    talk: Trajectory, samples: list[Trajectory], tmp_path: Path
) -> None:
    data = store(tmp_path / "data", [samples[0], talk])
    done = convert(data, "dataset", tmp_path / "out.jsonl", "xlam-60k")
    assert len((tmp_path / "out.jsonl").read_text().splitlines()) == done.written == 1
    assert done.reasons == {"not_single_turn": 1}
    (told,) = done.unread
    assert (told.path, told.line) == (data / "shards/0000.jsonl", 2)
    assert told.detail == "a row holds user and assistant, got user, assistant, tool, tool, user, assistant"
    led = talk.model_copy(update={"messages": (talk.messages[0], *samples[0].messages)})
    assert xlam_60k.write(led) == xlam_60k.write(samples[0])


def test_a_reject_without_an_answer_gets_none(samples: list[Trajectory], tmp_path: Path) -> None:
    wrong = Verdict(stage="generate", passed=False, reason="refused")
    asked = samples[0].model_copy(update={"messages": samples[0].messages[:1], "verdicts": (wrong,)})
    rejects = store(tmp_path / "data", [asked]) / "rejects" / "0000.jsonl"
    convert(rejects, "dataset", tmp_path / "out.jsonl", "openai")
    assert json.loads((tmp_path / "out.jsonl").read_text())["messages"] == [{"role": "user", "content": asked.query}]
    assert convert(rejects, "dataset", tmp_path / "x.jsonl", "xlam-60k").reasons == {"not_single_turn": 1}


def test_ids_that_are_no_number_to_anybody_stay_text(samples: list[Trajectory]) -> None:
    for name in ("9" * 5000, "9" * 309, "007", "x"):
        assert xlam_60k.write(samples[0].model_copy(update={"id": name}))["id"] == name
    assert xlam_60k.write(samples[0].model_copy(update={"id": "9" * 308}))["id"] == int("9" * 308)
