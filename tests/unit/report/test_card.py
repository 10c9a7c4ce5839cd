"""The dataset card: what it says, and that `datasets` loads a folder by it."""

from pathlib import Path
from typing import Any

import pytest
import yaml

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_json, write_json, write_jsonl
from data_pipeline.core.schema import Message, Origin, Tool, ToolCall, Trajectory, Verdict
from data_pipeline.report.card import write_card
from data_pipeline.report.funnel import Funnel

TOOL = Tool(name="f", description="Does it.", parameters={"type": "object", "properties": {}})
RECIPE = {"generator": {"kind": "grammar"}, "locales": ["en-GB", "de-DE"], "near_duplicates": 0.8}
SOURCE = {"source": "bundled", "version": "0.1.0", "licence": "Apache-2.0", "executable": True}


def make(number: int, *, refused: bool = False) -> Trajectory:
    call = ToolCall(name="f", arguments={"x": [1.0, number, None, {"ключ": True}]})
    verdicts = [Verdict(stage=stage, passed=True) for stage in ("format", "execution", "semantic")]
    verdicts.append(Verdict(stage="curate", passed=not refused, reason="in_benchmark" if refused else "ok"))
    return Trajectory(
        id=str(number),
        style="simple",
        tools=(TOOL,),
        messages=(Message(role="user", content=f"do {number}"), Message(role="assistant", tool_calls=(call,))),
        verdicts=tuple(verdicts),
        origin=Origin(generator="grammar"),
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A dataset of two shards, one of them empty, with everything beside it."""
    samples, refused = [make(number) for number in range(3)], [make(9, refused=True)]
    write_jsonl(tmp_path / "shards/0000.jsonl", (sample.to_row() for sample in samples))
    write_jsonl(tmp_path / "shards/0001.jsonl", ())
    write_jsonl(tmp_path / "rejects/0000.jsonl", (sample.to_row() for sample in refused))
    write_jsonl(tmp_path / "rejects/0001.jsonl", ())
    funnel = Funnel()
    funnel.count([*samples, *refused])
    write_json(tmp_path / "stats.json", funnel.to_dict())
    write_json(tmp_path / "recipe.json", {"recipe": RECIPE, "tools": [], "version": "1.2.3"})
    write_json(tmp_path / "provenance.json", {"sources": [SOURCE], "sandbox": {"level": "strict"}})
    return tmp_path


def card(folder: Path, **changed: Any) -> str:
    """The card's text after changing files of the folder."""
    for name, value in changed.items():
        write_json(folder / f"{name}.json", value)
    return write_card(folder).read_text(encoding="utf-8")


def header(text: str) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load(text.split("---\n")[1])
    return found


def test_the_header_is_what_the_hub_reads(folder: Path) -> None:
    assert header(card(folder)) == {
        "license": "apache-2.0",
        "language": ["de", "en"],
        "task_categories": ["text-generation"],
        "tags": ["function-calling", "tool-use", "synthetic", "xlam"],
        "size_categories": ["n<1K"],
        "configs": [{"config_name": "default", "data_files": "shards/*.jsonl"}],
    }


def test_nobody_knows_the_language_of_data_made_elsewhere(folder: Path) -> None:
    checked = {"file": "theirs.jsonl", "sha256": "0", "format": "openai", "tools": []}
    assert "language" not in header(card(folder, recipe={"check": checked, "version": "1"}))
    (folder / "recipe.json").unlink()
    assert "language" not in header(card(folder))


def test_it_says_that_secrets_are_left_out_where_there_were_any(folder: Path) -> None:
    note = "Passwords and keys in its addresses and commands are left out."
    assert note not in card(folder)
    assert note in card(folder, recipe={"recipe": RECIPE, "version": "1", "secrets_sha256": "0"})


@pytest.mark.parametrize(
    ("licences", "expected"),
    [
        (["MIT", "MIT"], {"license": "mit"}),
        (["MIT", "Apache-2.0"], {"license": "other", "license_name": "MIT, Apache-2.0"}),
        (["House rules: no"], {"license": "other", "license_name": "House rules: no"}),
        (["MIT", ""], {"license": "unknown"}),
        ([], {"license": "unknown"}),
    ],
)
def test_the_licence_is_that_of_all_sources(folder: Path, licences: list[str], expected: dict[str, str]) -> None:
    found = header(card(folder, provenance={"sources": [{**SOURCE, "licence": licence} for licence in licences]}))
    assert {key: value for key, value in found.items() if key.startswith("license")} == expected


def test_it_says_how_the_data_was_made_and_checked(folder: Path) -> None:
    text = card(folder)
    for line in (
        "3 samples of function calling with 3 calls, generated and verified with xlam-train. 4 were drafted.",
        "Written by: rules, no language model. No language model judged them.",
        "| grammar | 4 | 0 | 0 | 0 | 100.00% | 1 |",
        "| curate | 4 | 3 | in_benchmark 1 |",
        "| bundled | 0.1.0 | Apache-2.0 | yes |",
        "Calls ran in a sandbox of level `strict`; provenance.json lists its layers and what was left out.",
        "Near-duplicate from a similarity of 0.8 of word n-grams. NOT checked against any benchmark.",
        "With xlam-train 1.2.3:",
        "xlam data generate recipe.yaml --out FOLDER",
    ):
        assert line in text


def test_it_says_who_wrote_and_who_judged(folder: Path) -> None:
    judges = [{"kind": "endpoint", "model": "one"}, {"kind": "llama_cpp", "path": "two.gguf"}]
    recipe = {**RECIPE, "generator": {"kind": "vllm", "model": "big"}, "judges": judges}
    stats = {**read_json(folder / "stats.json"), "prompts": {"apigen-1": 3}, "tokens": {"input": 1e4, "output": 5}}
    text = card(folder, recipe={"recipe": recipe, "version": "1"}, stats=stats)
    assert "Tokens: 10,000 of prompts, 5 written; cost 0.0000 at the recipe's prices." in text
    assert "Written by: `big`, asked with the prompt `apigen-1`. Judged by: `one`, `two.gguf`; 2 must say yes." in text


def test_it_says_what_the_samples_were_compared_with(folder: Path) -> None:
    benchmark = {"package": "bench 1.0", "questions": 6106, "tools": 2957, "ngrams": 140_789, "ngram_words": 8}
    text = card(folder, provenance={"sources": [SOURCE], "benchmark": benchmark})
    assert (
        "Compared with the 6,106 questions and 2,957 tools of bench 1.0: 1 samples shared a question, 8 words" in text
    )
    assert "NOT checked" not in text


def test_cells_cannot_break_out_of_their_table(folder: Path) -> None:
    text = card(folder, provenance={"sources": [{**SOURCE, "source": "mcp:a | b\n# c"}], "sandbox": {"level": "x"}})
    assert "| mcp:a \\| b # c | 0.1.0 |" in text


@pytest.mark.parametrize("sources", [[], [{**SOURCE, "source": "json:a.json", "executable": False}]])
def test_it_does_not_claim_that_schemas_were_executed(folder: Path, sources: list[dict[str, Any]]) -> None:
    text = card(folder, provenance={"sources": sources, "sandbox": {"level": "strict"}})
    assert "No call was executed." in text
    assert "sandbox of level" not in text


def test_samples_alone_are_enough(folder: Path) -> None:
    for name in ("stats", "recipe", "provenance"):
        (folder / f"{name}.json").unlink()
    text = card(folder)
    assert "| curate | 4 | 3 | in_benchmark 1 |" in text
    assert "How it was made is not on record." in text
    with pytest.raises(InputError, match="no dataset here"):
        write_card(folder / "shards")


def test_datasets_loads_the_accepted_samples_unchanged(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    datasets = pytest.importorskip("datasets")
    write_card(folder)
    datasets.disable_progress_bars()
    monkeypatch.setattr(datasets.config, "HF_HUB_OFFLINE", True)
    cache = str(folder / "cache")
    by_card = datasets.load_dataset(str(folder), split="train", cache_dir=cache)
    by_name = datasets.load_dataset(
        "json", data_files=str(folder / "shards" / "*.jsonl"), split="train", cache_dir=cache
    )
    for rows in (by_card, by_name):
        assert [Trajectory.from_row(row) for row in rows] == [make(number) for number in range(3)]
