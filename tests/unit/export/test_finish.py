"""What makes a model folder behave the same everywhere: its prompt, the tokens that end an answer, its origin."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
import torch
from peft import LoraConfig, get_peft_model
from tiny_bases import save_base
from tiny_models import tiny_base as tiny_twin
from transformers import AutoModelForCausalLM, AutoTokenizer, GenerationConfig

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_json
from data_pipeline.core.schema import Message
from data_pipeline.core.turns import prompt
from xlam_train.data.render import Renderer
from xlam_train.export.finish import finish_model
from xlam_train.export.merge import merge_adapter
from xlam_train.export.origin import read_origin
from xlam_train.recipe import TrainRecipe
from xlam_train.turn_end import turn_end_id

DEEPSEEK = "deepseek-ai/deepseek-coder-1.3b-instruct"
FAMILY = ["mistralai/Mistral-7B-Instruct-v0.3", "Qwen/Qwen2.5-1.5B-Instruct", "meta-llama/Llama-3.1-8B-Instruct"]
TOOL = {
    "name": "add",
    "description": "Adds.",
    "parameters": {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]},
}


@pytest.fixture(autouse=True)
def _one_thread() -> None:
    torch.set_num_threads(1)


def prompt_of(folder: Path) -> str:
    """What the folder's own template writes."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tools = [{"type": "function", "function": TOOL}]
    asked = [{"role": "user", "content": "What is 2 + 2?"}]
    text = tokenizer.apply_chat_template(asked, tools=tools, tokenize=False, add_generation_prompt=True)
    assert isinstance(text, str)
    return text


def content_of(variant: Any, conversion: Any = "card") -> str:
    (message,) = prompt([TOOL], [Message(role="user", content="What is 2 + 2?")], variant, conversion).messages
    return str(message["content"])


def eos_of(folder: Path) -> list[int]:
    """As transformers reads it."""
    found = GenerationConfig.from_pretrained(folder).eos_token_id
    return found if isinstance(found, list) else [found]


def test_deepseek_coder_stops_at_the_end_of_its_turn(tmp_path: Path, vocab_dir: Path) -> None:
    """Also where the base's settings name the end of text only, as those of its pretrained sibling do."""
    base = tiny_twin(DEEPSEEK, tmp_path / "base", vocab_dir)
    tokenizer = AutoTokenizer.from_pretrained(base)
    end, text = tokenizer.convert_tokens_to_ids(["<|EOT|>", "<｜end▁of▁sentence｜>"])
    assert None not in (end, text)
    GenerationConfig(eos_token_id=text).save_pretrained(base)
    model = get_peft_model(AutoModelForCausalLM.from_pretrained(base), LoraConfig(r=2, target_modules=["q_proj"]))
    model.save_pretrained(tmp_path / "adapter")
    merged = merge_adapter(base, tmp_path / "adapter", tmp_path / "merged", probe_ids=[[5, 6]]).path
    assert eos_of(merged) == [end, text]
    assert json.loads((merged / "config.json").read_text())["eos_token_id"] == [end, text]
    assert content_of("xlam-1") in prompt_of(merged)


@pytest.mark.parametrize("name", FAMILY)
def test_the_end_of_the_turn_is_the_one_that_training_labels(tmp_path: Path, name: str) -> None:
    base = tiny_twin(name, tmp_path / "base")
    tokenizer = AutoTokenizer.from_pretrained(base)
    assert turn_end_id(tokenizer) == Renderer(tokenizer).end_token_id


def test_what_training_wrote_is_kept(tiny_base: Path, tmp_path: Path) -> None:
    base = save_base(tmp_path / "base", tiny_base)
    GenerationConfig(eos_token_id=[7, 2], temperature=0.5, do_sample=True).save_pretrained(base)
    assert finish_model(base).end_token_ids == [2, 7]
    assert GenerationConfig.from_pretrained(base).temperature == 0.5
    assert finish_model(base).end_token_ids == [2, 7]


def run_of(folder: Path, **data: Any) -> Path:
    """The folder of a run, with its recipe."""
    model = {"base": "/secret/place/base"}
    recipe = TrainRecipe.model_validate(
        {"model": model, "data": {"path": str(folder / "data"), **data}, "out": str(folder)}
    )
    write_json(folder / "recipe.json", {"recipe": recipe.model_dump(mode="json"), "dataset_sha256": "x"})
    stats = {"drafted": 9, "accepted": 8, "calls": 7, "styles": {"simple": 8}, "rejected": {"curate.in_benchmark": 1}}
    write_json(folder / "data" / "stats.json", stats)
    return folder


def test_a_result_of_full_training_gets_the_prompt_of_its_recipe(tiny_base: Path, tmp_path: Path) -> None:
    run = run_of(tmp_path / "run", variant="xlam-1-history", conversion="leaderboard")
    model = save_base(run / "model", tiny_base)
    finished = finish_model(model)
    assert (finished.variant, finished.conversion) == ("xlam-1-history", "leaderboard")
    assert content_of("xlam-1-history", "leaderboard") in prompt_of(model)
    moved = shutil.move(model, tmp_path / "moved")
    again = finish_model(Path(moved))
    assert (again.variant, again.conversion) == ("xlam-1-history", "leaderboard"), "it carries its recipe with it"
    origin = (Path(moved) / "provenance.json").read_text()
    assert "/secret" not in origin
    assert str(tmp_path) not in origin
    assert json.loads(origin)["data"]["in_benchmark"] == 1


def test_a_model_from_elsewhere_gets_the_prompt_that_is_asked_for(tiny_base: Path, tmp_path: Path) -> None:
    model = save_base(tmp_path / "model", tiny_base)
    assert finish_model(model, variant="xlam-1-history").variant == "xlam-1-history"
    finished = finish_model(model)
    assert (finished.variant, finished.conversion) == ("xlam-1", "card")
    assert content_of("xlam-1") in prompt_of(model)
    assert read_origin(model) == {}
    assert not (model / "provenance.json").exists()


def test_plain_chat_of_the_base_stays(tiny_base: Path, tmp_path: Path) -> None:
    """So that a merged model still serves as a base for training."""
    model = save_base(tmp_path / "model", tiny_base)
    chat = [{"role": "user", "content": "hello"}]
    before = AutoTokenizer.from_pretrained(model).apply_chat_template(chat, tokenize=False)
    finish_model(model)
    assert AutoTokenizer.from_pretrained(model).apply_chat_template(chat, tokenize=False) == before


def test_folders_that_cannot_be_finished(tiny_base: Path, tmp_path: Path) -> None:
    model = save_base(tmp_path / "model", tiny_base)
    with pytest.raises(InputError, match=r"nowhere: no config.json, so no model folder"):
        finish_model(tmp_path / "nowhere")
    with pytest.raises(InputError, match="unknown prompt variant 'xlam-9'"):
        finish_model(model, variant="xlam-9")  # type: ignore[arg-type]
    (model / "chat_template.jinja").unlink()
    with pytest.raises(InputError, match="no chat template"):
        finish_model(model)
    for path in model.glob("*token*"):
        path.unlink()
    with pytest.raises(InputError, match=r"model: its tokenizer cannot be loaded"):
        finish_model(model)
