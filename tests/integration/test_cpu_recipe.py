"""`make bfcl-cpu` in small: what it trains on is apart from what it is developed and judged by."""

from __future__ import annotations

import json
import re
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.schema import Tool, Trajectory
from data_pipeline.core.settings import load_settings
from data_pipeline.curate.decontaminate import Decontaminator
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import fresh_samples, tool_pool
from data_pipeline.verify.format_check import check_format
from xlam_train.recipe import TrainRecipe

ROOT = Path(__file__).parents[2]
pytest.importorskip("googleapiclient", reason="needs google-api-python-client for its discovery documents")


@cache
def trained_tools() -> tuple[Tool, ...]:
    return tool_pool(recipe("cpu_135m.yaml")).tools


def recipe(name: str) -> DataRecipe:
    return load_settings(DataRecipe, ROOT / "recipes" / "data" / name)


def test_no_development_tool_is_trained_on() -> None:
    trained, held_out = trained_tools(), tool_pool(recipe("cpu_135m_dev.yaml")).tools
    assert len(trained) > 3_500
    assert {tool.name for tool in trained}.isdisjoint(tool.name for tool in held_out)
    assert {tool.description for tool in trained}.isdisjoint(tool.description for tool in held_out)
    assert {tool.topic for tool in trained}.isdisjoint(tool.topic for tool in held_out)


def test_the_questions_of_people_are_sound_and_held_out() -> None:
    samples = list(read_dataset(ROOT / "recipes" / "data" / "people_dev"))
    assert Counter(sample.style for sample in samples) == {
        "simple": 40, "multiple": 30, "parallel": 20, "parallel-multiple": 14, "irrelevance": 16,
    }  # fmt: skip
    check_held_out(samples)


def test_the_questions_that_no_tool_answers_are_sound_and_held_out() -> None:
    samples = list(read_dataset(ROOT / "recipes" / "data" / "people_refusals"))
    assert Counter(sample.style for sample in samples) == {"irrelevance": 100}
    assert Counter(len(sample.tools) for sample in samples) == {1: 80, 2: 12, 3: 8}
    benchmark = Decontaminator.load()
    assert not [sample.id for sample in samples if benchmark.check(sample)]
    check_held_out(samples)


def check_held_out(samples: list[Trajectory]) -> None:
    """Sound, different, with tools and questions that nothing trains on."""
    assert all(check_format(sample).passed for sample in samples)
    assert len({sample.query.casefold() for sample in samples}) == len(samples)
    trained = trained_tools()
    held_out = {tool.fingerprint: tool for sample in samples for tool in sample.tools}.values()
    assert {tool.name for tool in trained}.isdisjoint(tool.name for tool in held_out)
    asked = {query for tool in trained for query in tool.parameters.get("x-queries", ())}
    assert asked.isdisjoint(sample.query for sample in samples)


def test_samples_are_decontaminated_and_show_no_examples() -> None:
    small = recipe("cpu_135m.yaml").model_copy(update={"tool_sets_per_shard": 20})
    samples = fresh_samples(small, 500)
    benchmark = Decontaminator.load()
    assert not [sample.id for sample in samples if benchmark.check(sample)]
    shown = [json.dumps(tool.to_openai()) for sample in samples for tool in sample.tools]
    assert not [text for text in shown if '"minimum": ' in text or '"examples": [' in text]
    assert max(map(len, shown)) <= (small.max_tool_chars or 0) * 1.1  # what is not ASCII is longer here
    kinds = {tool.source.partition(":")[0] for sample in samples for tool in sample.tools}
    assert kinds == {"bundled", "composed", "discovery"}


def test_make_runs_the_recipes_that_are_shipped() -> None:
    target = re.search(r"^bfcl-cpu:.*?(?=\n\n)", (ROOT / "Makefile").read_text(), re.DOTALL | re.MULTILINE)
    assert target is not None
    named = re.findall(r"recipes/\S+\.yaml", target[0])
    assert named == [
        "recipes/data/cpu_135m.yaml",
        "recipes/data/cpu_135m_dev.yaml",
        "recipes/lora/smollm2-135m-cpu.yaml",
    ]
    training = load_settings(TrainRecipe, ROOT / named[2])
    assert training.optim.max_minutes == 90
    assert f"{training.data.path}".replace("runs/bfcl-cpu", "$(CPU)") in target[0]
