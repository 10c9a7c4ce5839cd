"""Renamed tools and parameters: the same task, consistently, and one prompt a tool list."""

import pytest

from data_pipeline.core.schema import Trajectory
from data_pipeline.generate.sampler import draft_shard
from data_pipeline.recipe import DataRecipe
from data_pipeline.tools.source import load_tools
from data_pipeline.verify.format_check import check_format
from xlam_train.data.views import restyle_names


@pytest.fixture(scope="module")
def samples() -> list[Trajectory]:
    recipe = DataRecipe(tool_sets_per_shard=150, queries_per_tool_set=2)
    return list(draft_shard(recipe, load_tools(["bundled"]), 0))


def test_calls_still_fit_their_renamed_tools(samples: list[Trajectory]) -> None:
    for sample in samples:
        verdict = check_format(restyle_names(sample, 1.0, seed=3))
        assert verdict.passed, (sample.id, verdict)


def test_values_queries_and_descriptions_stay(samples: list[Trajectory]) -> None:
    for sample in samples:
        renamed = restyle_names(sample, 1.0, seed=3)
        assert renamed.query == sample.query
        assert [tool.description for tool in renamed.tools] == [tool.description for tool in sample.tools]
        assert [list(c.arguments.values()) for c in renamed.calls] == [list(c.arguments.values()) for c in sample.calls]


def test_samples_on_one_tool_list_keep_one_prompt(samples: list[Trajectory]) -> None:
    lists: dict[tuple[str, ...], set[str]] = {}
    for sample in samples:
        shown = "".join(tool.to_json() for tool in restyle_names(sample, 0.7, seed=3).tools)
        lists.setdefault(tuple(tool.name for tool in sample.tools), set()).add(shown)
    assert {len(shown) for shown in lists.values()} == {1}


def test_share_and_seed_decide_what_is_renamed(samples: list[Trajectory]) -> None:
    assert all(restyle_names(sample, 0.0, seed=3) is sample for sample in samples)

    def names(share: float, seed: int) -> list[str]:
        return [tool.name for sample in samples for tool in restyle_names(sample, share, seed).tools]

    original = names(0.0, 3)
    changed = sum(a != b for a, b in zip(original, names(0.5, 3), strict=True)) / len(original)
    assert 0.42 < changed < 0.58
    assert names(0.5, 3) == names(0.5, 3) != names(0.5, 4)
