"""Rotary scalings of a config.json: read in every spelling, refused where llama.cpp computes something else."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from xlam_train.export.rope import Rope

YARN = {"rope_type": "yarn", "factor": 4.0, "original_max_position_embeddings": 32}


def read(**config: Any) -> Rope:
    return Rope.from_config(config, Path("model"))


def test_old_and_new_spelling_are_one() -> None:
    old = read(rope_theta=1e5, rope_scaling={"type": "linear", "factor": 4.0})
    new = read(rope_parameters={"rope_type": "linear", "rope_theta": 1e5, "factor": 4.0})
    assert (old.kind, old.theta, old.factor) == (new.kind, new.theta, new.factor) == ("linear", 1e5, 4.0)


def test_no_settings_are_the_default() -> None:
    rope = read(rope_scaling=None)
    assert (rope.kind, rope.theta, rope.factor, rope.factors(16)) == ("default", 10000.0, 1.0, None)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"rope_type": "dynamic", "factor": 2.0}, "'dynamic' changes with the length of a prompt"),
        ({"rope_type": "longrope"}, "'longrope' cannot be exported; supported: default, linear, yarn, llama3"),
        ({"rope_type": "linear"}, "'linear' without factor; add it"),
        ({"rope_type": "yarn", "factor": 4.0}, "'yarn' without original_max_position_embeddings; add it"),
        ({"rope_type": "default", "partial_rotary_factor": 0.5}, "partial_rotary_factor cannot be exported"),
        ({**YARN, "beta_fast": 16}, "yarn with beta_fast: 16; llama.cpp has 32, train with that"),
        ({**YARN, "truncate": False}, "yarn with truncate: False; llama.cpp has True, train with that"),
    ],
)
def test_what_llama_cpp_cannot_compute_is_refused(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(InputError, match=message) as caught:
        read(rope_parameters=parameters)
    assert "\n" not in str(caught.value)


def test_yarn_may_spell_out_the_defaults() -> None:
    assert read(rope_parameters={**YARN, "beta_fast": 32.0, "beta_slow": 1, "truncate": True}).kind == "yarn"
