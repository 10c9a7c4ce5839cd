from typing import Any

import pytest

from data_pipeline.tools.bundled import entertainment as tools


def test_weighted_rating_moves_with_votes() -> None:
    # (500 * 9 + 500 * 7) / 1000
    assert tools.calculate_weighted_rating(9, 500, 7) == 8.0
    assert tools.calculate_weighted_rating(9, 0) == 6.5
    assert tools.calculate_weighted_rating(8, 300, 6, 100) == 7.5
    with pytest.raises(ValueError, match="between 0 and 10"):
        tools.calculate_weighted_rating(11, 500)
    with pytest.raises(ValueError, match="vote count"):
        tools.calculate_weighted_rating(9, -1)


@pytest.mark.parametrize(
    ("age", "rating", "with_adult", "allowed"),
    [
        (4, "G", False, True),
        (10, "PG-13", False, True),
        (16, "R", False, False),
        (16, "R", True, True),
        (17, "R", False, True),
        (17, "NC-17", True, False),
        (18, "NC-17", False, True),
    ],
)
def test_age_rating(age: int, rating: Any, with_adult: bool, allowed: bool) -> None:
    assert tools.check_movie_age_rating(age, rating, with_adult)["allowed"] is allowed


def test_age_rating_needs_an_age() -> None:
    with pytest.raises(ValueError, match="age"):
        tools.check_movie_age_rating(-1, "G")


def test_series_binge() -> None:
    # 10 episodes of 45 min are 450 min: 4 days of 120 min, ending on leap day.
    assert tools.plan_series_binge(10, 45, 120, "2024-02-26") == {
        "total_hours": 7.5,
        "days": 4,
        "last_day": "2024-02-29",
    }
    assert tools.plan_series_binge(4, 30, 120, "2024-02-26")["last_day"] == "2024-02-26"
    with pytest.raises(ValueError, match="greater than zero"):
        tools.plan_series_binge(0, 45, 120, "2024-02-26")
    with pytest.raises(ValueError, match="1440"):
        tools.plan_series_binge(10, 45, 1500, "2024-02-26")
    for start_date in ("26/02/2024", "9999-12-31"):
        with pytest.raises(ValueError, match="YYYY-MM-DD"):
            tools.plan_series_binge(10, 45, 120, start_date)


def test_marathon_runs_past_midnight() -> None:
    movies: list[Any] = [
        {"title": "Alien", "runtime_minutes": 117},
        {"title": "Aliens", "runtime_minutes": 137},
    ]
    assert tools.schedule_movie_marathon(movies, "20:30") == [
        {"title": "Alien", "start": "20:30", "end": "22:27"},
        {"title": "Aliens", "start": "22:42", "end": "00:59"},
    ]
    assert tools.schedule_movie_marathon(movies, "9:00", 0)[1]["start"] == "10:57"
    for start_time in ("24:00", "8 pm"):
        with pytest.raises(ValueError, match="HH:MM"):
            tools.schedule_movie_marathon(movies, start_time)
    with pytest.raises(ValueError, match="Runtimes"):
        tools.schedule_movie_marathon([{"title": "Nothing", "runtime_minutes": 0}], "20:30")


def test_word_tiles() -> None:
    # Q 10 + U 1 + I 1 + Z 10
    assert tools.score_word_tiles("quiz") == 22
    assert tools.score_word_tiles("quiz", 3, "z") == 36
    # J 8 + U 1 + K 5 + E 1 + B 3 + O 1 + X 8, plus 50 for seven tiles
    assert tools.score_word_tiles("JUKEBOX", 2) == 104
    with pytest.raises(ValueError, match="blank letter"):
        tools.score_word_tiles("quiz", 1, "zz")
    with pytest.raises(ValueError, match="multiplier"):
        tools.score_word_tiles("quiz", 0)


def test_every_letter_of_the_alphabet_has_its_tile() -> None:
    assert tools.score_word_tiles("abcdefghijklmnopqrstuvwxyz") == 87 + 50


def test_groups_sit_together() -> None:
    assert tools.seat_theater_groups([2, 5, 4, 3], 2, 6) == [
        {"group_size": 2, "row": 2},
        {"group_size": 5, "row": 1},
        {"group_size": 4, "row": 2},
        {"group_size": 3, "row": None},
    ]
    with pytest.raises(ValueError, match="rows"):
        tools.seat_theater_groups([2], 0, 6)
    with pytest.raises(ValueError, match="group"):
        tools.seat_theater_groups([0], 2, 6)


def test_playlist_duration() -> None:
    # 225 + 190 + 3725 seconds
    assert tools.sum_playlist_duration(["3:45", "3:10", "1:02:05"]) == {
        "track_count": 3,
        "total_seconds": 4140,
        "total": "1:09:00",
    }
    assert tools.sum_playlist_duration(["1:00", "1:00", "1:00"], 2)["total_seconds"] == 184
    assert tools.sum_playlist_duration([])["total"] == "0:00:00"
    for length in ("3.45", "3:75", "1:75:00"):
        with pytest.raises(ValueError, match="M:SS"):
            tools.sum_playlist_duration([length])
    with pytest.raises(ValueError, match="gap"):
        tools.sum_playlist_duration(["1:00"], -1)
