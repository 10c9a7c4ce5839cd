"""Intervals and paired tests against numbers worked out elsewhere."""

from __future__ import annotations

import tracemalloc

import numpy as np
import pytest

from xlam_train.evaluate.statistics import DRAWS, bootstrap_interval, paired_p_value, wilson_interval


def test_wilson_interval_of_a_textbook_case() -> None:
    low, high = wilson_interval(81, 263)  # Newcombe 1998, table I: 0.2553 to 0.3662
    assert (round(low, 4), round(high, 4)) == (0.2553, 0.3662)
    assert wilson_interval(0, 20)[0] == 0.0
    assert wilson_interval(20, 20)[1] == pytest.approx(1.0)


def test_bootstrap_interval_holds_the_mean_about_19_times_in_20() -> None:
    generator = np.random.default_rng(7)
    hits = 0
    for seed in range(200):
        low, high = bootstrap_interval((generator.random(80) < 0.3).astype(float).tolist(), seed)
        hits += low <= 0.3 <= high
    assert 180 <= hits <= 198


def test_bootstrap_interval_is_repeatable() -> None:
    assert bootstrap_interval([0.0, 1.0, 1.0]) == bootstrap_interval([0.0, 1.0, 1.0])
    assert bootstrap_interval([1.0, 1.0]) == (1.0, 1.0)


@pytest.mark.parametrize("block", [1, 1 << 16])
@pytest.mark.parametrize("count", [1, 7, 1237])
def test_bootstrap_interval_is_that_of_one_large_draw(count: int, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("xlam_train.evaluate.statistics.BLOCK", block)
    values = np.random.default_rng(3).random(count)
    drawn = np.random.default_rng(0)
    means = values[drawn.integers(count, size=(DRAWS, count))].mean(1)
    assert bootstrap_interval(values.tolist()) == pytest.approx(np.quantile(means, [0.025, 0.975]), rel=1e-12)


def test_bootstrap_interval_needs_little_memory() -> None:
    tracemalloc.start()
    bootstrap_interval([0.0, 1.0] * 2000)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 8 << 20  # all draws at once are 64 MB


def test_paired_p_value_counts_coins() -> None:
    assert paired_p_value(0, 0) == 1.0
    assert paired_p_value(5, 0) == pytest.approx(2 / 32)
    assert paired_p_value(0, 5) == paired_p_value(5, 0)
    assert paired_p_value(10, 2) == pytest.approx(2 * (1 + 12 + 66) / 4096)
    assert paired_p_value(4, 5) == 1.0
