"""The minutes of a run: who ends it, and where the schedule is by then."""

import pytest

from xlam_train.schedule import TimeBudget


def test_the_last_step_is_the_last_that_fits() -> None:
    budget = TimeBudget(10)
    shares, ends = [], []
    for minutes in (0, 2, 4, 6, 8):
        budget.begin_step(minutes)
        shares.append(budget.share)
        ends.append(budget.is_spent)
    assert shares == pytest.approx([0, 0.3, 0.5, 0.7, 0.9])
    assert ends == [False, False, False, False, True]


def test_restarts_count_together() -> None:
    budget = TimeBudget(10)
    budget.restore(6)
    assert budget.spent() == pytest.approx(6, abs=0.01)
    budget.begin_step(6)
    assert budget.share == pytest.approx(0.6)
    budget.begin_step(7)
    assert not budget.is_spent
    budget.begin_step(8.5)
    assert budget.is_spent


def test_without_a_limit_time_ends_nothing() -> None:
    budget = TimeBudget(None)
    for minutes in (0, 1e3, 1e6):
        budget.begin_step(minutes)
        assert (budget.share, budget.is_spent) == (0, False)
    assert budget.minutes == 1e6
