from typing import Any

import pytest

from data_pipeline.tools.bundled import sports as tools


def test_golf_differential() -> None:
    # 113 / 117 * (85 - 69.3) = 15.163
    assert tools.calculate_golf_differential(85, 69.3, 117) == 15.2
    assert tools.calculate_golf_differential(80, 72.0) == 8.0
    with pytest.raises(ValueError, match="slope"):
        tools.calculate_golf_differential(85, 69.3, 40)
    with pytest.raises(ValueError, match="gross score"):
        tools.calculate_golf_differential(0, 69.3)


def test_running_pace_in_every_unit() -> None:
    # 300 s/km is 482.8 s/mile.
    assert tools.convert_running_pace("5:00") == {
        "min_per_km": "5:00",
        "min_per_mile": "8:03",
        "km_per_hour": 12.0,
    }
    # 480 s/mile is 298.26 s/km.
    assert tools.convert_running_pace("8:00", "min_per_mile")["min_per_km"] == "4:58"
    for pace in ("five", "5:60", "0:00"):
        with pytest.raises(ValueError, match="M:SS"):
            tools.convert_running_pace(pace)


def test_league_table_orders_by_points_then_goals() -> None:
    table = tools.build_league_table(
        [
            {"home_team": "Reds", "away_team": "Blues", "home_goals": 2, "away_goals": 0},
            {"home_team": "Blues", "away_team": "Greens", "home_goals": 1, "away_goals": 1},
            {"home_team": "Greens", "away_team": "Reds", "home_goals": 4, "away_goals": 1},
        ]
    )
    assert table == [
        {"team": "Greens", "points": 4, "goal_difference": 3, "goals_for": 5, "played": 2},
        {"team": "Reds", "points": 3, "goal_difference": -1, "goals_for": 3, "played": 2},
        {"team": "Blues", "points": 1, "goal_difference": -2, "goals_for": 1, "played": 2},
    ]
    one_win: list[Any] = [{"home_team": "A", "away_team": "B", "home_goals": 1, "away_goals": 0}]
    assert tools.build_league_table(one_win, 2)[0]["points"] == 2
    for away_team, goals in (("A", 1), ("B", -1)):
        with pytest.raises(ValueError, match="two different teams"):
            tools.build_league_table([{"home_team": "A", "away_team": away_team, "home_goals": goals, "away_goals": 0}])


@pytest.mark.parametrize("count", [2, 5, 6])
def test_round_robin_pairs_everyone_once(count: int) -> None:
    names = [f"T{number}" for number in range(count)]
    rounds = tools.plan_round_robin(names)
    assert len(rounds) == (count - 1 if count % 2 == 0 else count)
    for games in rounds:
        playing = [name for game in games for name in game.split(" vs ")]
        assert len(playing) == len(set(playing))
    pairs = {frozenset(game.split(" vs ")) for games in rounds for game in games}
    assert len(pairs) == count * (count - 1) // 2 == sum(map(len, rounds))


def test_round_robin_home_and_away() -> None:
    assert tools.plan_round_robin(["Lions", "Bears"], home_and_away=True) == [
        ["Lions vs Bears"],
        ["Bears vs Lions"],
    ]
    with pytest.raises(ValueError, match="two entrants"):
        tools.plan_round_robin(["Lions"])
    with pytest.raises(ValueError, match="different name"):
        tools.plan_round_robin(["Lions", "Lions"])
    with pytest.raises(ValueError, match="128"):
        tools.plan_round_robin([str(number) for number in range(129)])


def test_race_time_by_riegel() -> None:
    # 50 * 2.10975 ** 1.06 = 110.32 min; doubling a distance takes 2 ** 1.06 = 2.0849 times as long.
    predicted = tools.predict_race_time(10, 50, 21.0975)
    assert predicted["time"] == "1:50:19"
    assert tools.predict_race_time(5, 20, 10) == {"minutes": 41.7, "time": "41:42"}
    with pytest.raises(ValueError, match="greater than zero"):
        tools.predict_race_time(0, 50, 21)


def test_bracket_keeps_top_seeds_apart() -> None:
    assert tools.seed_knockout_bracket(["A", "B", "C", "D", "E", "F", "G", "H"]) == [
        "A vs H",
        "D vs E",
        "B vs G",
        "C vs F",
    ]
    assert tools.seed_knockout_bracket(["A", "B", "C"]) == ["A (bye)", "B vs C"]
    with pytest.raises(ValueError, match="two entrants"):
        tools.seed_knockout_bracket([])


def test_elo_moves_half_the_factor_between_equals() -> None:
    assert tools.update_elo_rating(1500, 1500, "win") == {
        "expected_score": 0.5,
        "new_rating": 1516.0,
        "change": 16.0,
    }
    # A gap of 400 points means odds of ten to one.
    assert tools.update_elo_rating(1400, 1800, "draw", 22) == {
        "expected_score": 0.091,
        "new_rating": 1409.0,
        "change": 9.0,
    }
    assert tools.update_elo_rating(0, 1e9, "loss")["change"] == pytest.approx(0)
    with pytest.raises(ValueError, match="Ratings"):
        tools.update_elo_rating(-1, 1500, "win")
