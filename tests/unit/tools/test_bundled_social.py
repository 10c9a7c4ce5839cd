from collections.abc import Callable
from typing import Any

import pytest

from data_pipeline.tools.bundled import social as tools

Arguments = tuple[Any, ...]


def test_age_gap_both_ways() -> None:
    # From 19 July 1984 to 19 March 1996 are 11 years and 8 months, and to 18 March one month less.
    # Days: 4261 = 11 * 365 + 3 leap days (1988, 1992, 1996) + 243 days from 19 July to 19 March.
    assert tools.calculate_age_gap("1984-07-19", "1996-03-19") == {
        "years": 11,
        "months": 8,
        "total_days": 4261,
        "older": "first",
    }
    assert tools.calculate_age_gap("1996-03-18", "1984-07-19") == {
        "years": 11,
        "months": 7,
        "total_days": 4260,
        "older": "second",
    }
    # Ten days apart across the new year is no whole month.
    assert tools.calculate_age_gap("1999-12-27", "2000-01-06") == {
        "years": 0,
        "months": 0,
        "total_days": 10,
        "older": "first",
    }
    assert tools.calculate_age_gap("2000-02-29", "2000-02-29") == {
        "years": 0,
        "months": 0,
        "total_days": 0,
        "older": "same age",
    }


@pytest.mark.parametrize("dates", [("1990-02-30", "1990-01-01"), ("1990-01-01", "May 1990")])
def test_age_gap_refuses(dates: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="is not a date as YYYY-MM-DD"):
        tools.calculate_age_gap(*dates)


def test_engagement_rate_and_its_rating() -> None:
    # (120 + 30 + 10) / 8000 = 2 %
    assert tools.calculate_engagement_rate(120, 30, 8000, 10) == {
        "interactions": 160,
        "engagement_percent": 2.0,
        "rating": "average",
    }
    # 10 of 1000 are 1 %, 9 are 0.9 %, 35 are 3.5 %, 34 are 3.4 %
    ratings = [tools.calculate_engagement_rate(likes, 0, 1000)["rating"] for likes in (9, 10, 34, 35)]
    assert ratings == ["low", "average", "average", "high"]
    # 1 of 3000 is 0.0333 %.
    assert tools.calculate_engagement_rate(1, 0, 3000)["engagement_percent"] == 0.03


def test_engagement_rate_refuses() -> None:
    for likes, comments, shares in ((-1, 0, 0), (0, -1, 0), (0, 0, -1)):
        with pytest.raises(ValueError, match="cannot be negative"):
            tools.calculate_engagement_rate(likes, comments, 1000, shares)
    for followers in (499, 10_000_001):
        with pytest.raises(ValueError, match="500 to 10000000 followers"):
            tools.calculate_engagement_rate(1, 1, followers)


def test_poll_margin_by_confidence() -> None:
    # sqrt(0.5 * 0.5 / 2500) = 0.01, times 1.645, 1.96 and 2.576
    margins = {level: tools.calculate_poll_margin(2500, 50, level)["margin_points"] for level in ("90", "95", "99")}
    assert margins == {"90": 1.6, "95": 2.0, "99": 2.6}
    # sqrt(0.6 * 0.4 / 600) = 0.02; 1.96 * 2 = 3.92
    assert tools.calculate_poll_margin(600, 60) == {
        "margin_points": 3.9,
        "lowest_percent": 56.1,
        "highest_percent": 63.9,
        "sure_majority": True,
    }
    # 52 % of 600: 1.96 * sqrt(0.52 * 0.48 / 600) = 1.96 * 2.04 % = 4.0, and 48 is no majority.
    assert tools.calculate_poll_margin(600, 52)["sure_majority"] is False
    # 52.5 % of 2500: 1.96 * sqrt(0.525 * 0.475 / 2500) = 1.96 * 0.9987 % = 1.96, and 50.5 is one.
    assert tools.calculate_poll_margin(2500, 52.5)["sure_majority"] is True


def test_poll_margin_ends_at_nothing_and_everything() -> None:
    # 1.96 * sqrt(0.01 * 0.99 / 10) = 1.96 * 3.146 % = 6.2
    low, high = tools.calculate_poll_margin(10, 1), tools.calculate_poll_margin(10, 99)
    assert (low["lowest_percent"], low["highest_percent"]) == (0.0, 7.2)
    assert (high["lowest_percent"], high["highest_percent"]) == (92.8, 100.0)


def test_poll_margin_refuses() -> None:
    with pytest.raises(ValueError, match="at least 10 respondents"):
        tools.calculate_poll_margin(9, 50)
    for support in (-1, 101):
        with pytest.raises(ValueError, match="between 0 and 100"):
            tools.calculate_poll_margin(100, support)


def test_post_length_at_the_limit() -> None:
    assert tools.check_post_length("x" * 300, "bluesky") == {
        "fits": True,
        "characters": 300,
        "limit": 300,
        "characters_left": 0,
    }
    too_long = tools.check_post_length("x" * 502, "mastodon")
    assert (too_long["fits"], too_long["characters_left"]) == (False, -2)
    # Spaces around the post do not count.
    assert tools.check_post_length(" héllo \n", "linkedin")["characters"] == 5


def test_post_length_refuses() -> None:
    with pytest.raises(ValueError, match="empty"):
        tools.check_post_length(" \n", "threads")


@pytest.mark.parametrize("names", [["Ana", "Ben", "Cleo"], [f"guest {number}" for number in range(40)]])
def test_gift_exchange_is_one_circle(names: list[str]) -> None:
    for draw_number in range(1, 20):
        gives_to = {pair["giver"]: pair["receiver"] for pair in tools.draw_gift_exchange(names, draw_number)}
        assert list(gives_to) == names
        passed_on = [names[0]]
        while gives_to[passed_on[-1]] != names[0]:
            passed_on.append(gives_to[passed_on[-1]])
        assert sorted(passed_on) == sorted(names)


def test_gift_exchange_depends_on_names_and_number_alone() -> None:
    names = ["Ana", "Ben", "Cleo", "Dan", "Eva"]
    draws = [{pair["giver"]: pair["receiver"] for pair in tools.draw_gift_exchange(names, n)} for n in range(1, 11)]
    assert len({tuple(draw.items()) for draw in draws}) > 5
    backwards = tools.draw_gift_exchange([f" {name} " for name in reversed(names)])
    assert {pair["giver"]: pair["receiver"] for pair in backwards} == draws[0]


@pytest.mark.parametrize(
    ("names", "draw_number", "message"),
    [
        (["Ana", "Ben"], 1, "3 to 100 people"),
        ([str(number) for number in range(101)], 1, "3 to 100 people"),
        (["Ana", "Ben", "ana "], 1, "more than once"),
        (["Ana", "Ben", " "], 1, "empty"),
        (["Ana", "Ben", "Cleo"], 0, "number of the draw"),
        (["Ana", "Ben", "Cleo"], 1001, "number of the draw"),
    ],
)
def test_gift_exchange_refuses(names: list[str], draw_number: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.draw_gift_exchange(names, draw_number)


def test_follower_growth_compounds() -> None:
    # 1000 * 1.1^2 = 1210; 1000 * 0.5^3 = 125; 1000 * 1.01^12 = 1126.8
    assert tools.estimate_follower_growth(1000, 10, 2) == {"expected_followers": 1210, "change": 210}
    assert tools.estimate_follower_growth(1000, -50, 3) == {"expected_followers": 125, "change": -875}
    assert tools.estimate_follower_growth(1000, 1)["expected_followers"] == 1127


@pytest.mark.parametrize(
    ("followers", "growth", "months", "message"),
    [
        (0, 5, 12, "followers"),
        (100_000_001, 5, 12, "followers"),
        (100, -51, 12, "growth"),
        (100, 51, 12, "growth"),
        (100, 5, 0, "months"),
        (100, 5, 61, "months"),
    ],
)
def test_follower_growth_refuses(followers: int, growth: float, months: int, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.estimate_follower_growth(followers, growth, months)


def test_party_attendance() -> None:
    # 20 * 0.9 + 6 / 2 + 30 / 5 = 18 + 3 + 6
    assert tools.estimate_party_attendance(20, 6, 30, 10) == {"expected_guests": 27, "most_guests": 56}
    # 2000 less the usual 5 %
    assert tools.estimate_party_attendance(2000) == {"expected_guests": 1900, "most_guests": 2000}
    assert tools.estimate_party_attendance(40, absence_percent=100)["expected_guests"] == 0


def test_party_attendance_refuses() -> None:
    for replies in ((-1, 0, 0), (0, -1, 0), (0, 0, -1)):
        with pytest.raises(ValueError, match="cannot be negative"):
            tools.estimate_party_attendance(*replies)
    for absence in (-1, 101):
        with pytest.raises(ValueError, match="absence"):
            tools.estimate_party_attendance(10, absence_percent=absence)


def test_group_expenses_with_someone_who_paid_nothing() -> None:
    expenses: list[Any] = [
        {"person": "Ana", "amount": 60},
        {"person": "Ben", "amount": 15},
        {"person": "Ana", "amount": 15},
    ]
    # 90 for three are 30 each: Ana paid 45 too much, Ben 15 too little, Cleo 30.
    assert tools.settle_group_expenses(expenses, ["Cleo"]) == {
        "total": 90.0,
        "share": 30.0,
        "payments": [
            {"from": "Cleo", "to": "Ana", "amount": 30.0},
            {"from": "Ben", "to": "Ana", "amount": 15.0},
        ],
    }
    # For two they are 45 each.
    assert tools.settle_group_expenses(expenses)["payments"] == [{"from": "Ben", "to": "Ana", "amount": 30.0}]


def test_group_expenses_leave_no_cent_over() -> None:
    # 10.00 for three is 3.34, 3.33 and 3.33, so Ana gets 6.66 back.
    settled = tools.settle_group_expenses([{"person": "Ana", "amount": 10}], ["Ben", "Cleo"])
    assert settled["payments"] == [
        {"from": "Ben", "to": "Ana", "amount": 3.33},
        {"from": "Cleo", "to": "Ana", "amount": 3.33},
    ]
    assert settled["share"] == 3.33
    assert tools.settle_group_expenses([{"person": "Ana", "amount": 10}])["payments"] == []
    # 10.00 for two are 5.00 each.
    uneven = tools.settle_group_expenses([{"person": "Ana", "amount": 5.01}, {"person": "Ben", "amount": 4.99}])
    assert uneven["payments"] == [{"from": "Ben", "to": "Ana", "amount": 0.01}]


@pytest.mark.parametrize(
    ("expenses", "others", "message"),
    [
        ([], ["Ana"], "At least one expense"),
        ([{"person": "Ana", "amount": 0}], [], "above 0"),
        ([{"person": "Ana", "amount": 10_001}], [], "at most 10000"),
        ([{"person": "", "amount": 5}], [], "empty"),
        ([{"person": "Ana", "amount": 5}], ["Ana"], "more than once"),
    ],
)
def test_group_expenses_refuses(expenses: list[Any], others: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        tools.settle_group_expenses(expenses, others)


@pytest.mark.parametrize(
    ("tool", "lowest", "highest"),
    [
        (tools.calculate_engagement_rate, (0, 0, 500, 0), (1, 1, 10_000_000, 1)),
        (tools.calculate_poll_margin, (10, 0), (10, 100)),
        (tools.draw_gift_exchange, (["Ana", "Ben", "Cleo"], 1), ([str(number) for number in range(100)], 1000)),
        (tools.estimate_follower_growth, (1, -50, 1), (100_000_000, 50, 60)),
        (tools.estimate_party_attendance, (0, 0, 0, 0), (1, 1, 1, 100)),
        (tools.settle_group_expenses, ([{"person": "Ana", "amount": 0.5}],), ([{"person": "Ana", "amount": 10_000}],)),
    ],
)
def test_the_limits_belong_to_the_range(tool: Callable[..., Any], lowest: Arguments, highest: Arguments) -> None:
    for limits in (lowest, highest):
        tool(*limits)
