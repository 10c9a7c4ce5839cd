"""Sports: races, ratings, fixtures, brackets and league tables."""

import re
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "build_league_table",
    "calculate_golf_differential",
    "convert_running_pace",
    "plan_round_robin",
    "predict_race_time",
    "seed_knockout_bracket",
    "update_elo_rating",
]

_KM_PER_MILE = 1.609344


class MatchResult(TypedDict):
    """A finished match: both teams and the goals each scored."""

    home_team: str
    away_team: str
    home_goals: int
    away_goals: int


def _clock(seconds: float) -> str:
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def _check_entrants(names: list[str]) -> None:
    if len(names) < 2:
        raise ValueError("At least two entrants are needed.")
    if len(set(names)) != len(names):
        raise ValueError("Every entrant must have a different name.")
    if len(names) > 128:
        raise ValueError("At most 128 entrants are supported.")


def build_league_table(
    results: list[MatchResult], points_per_win: Annotated[int, Field(ge=1, le=10)] = 3
) -> list[dict[str, str | int]]:
    """Build the league standings from a list of match results.

    Queries:
        What do the standings look like after these matches[, if a win is worth {points_per_win}]: {results}
        I run a small football league. Who tops the table now[, with {points_per_win} for a win]? Scores: {results}
        Draw up the league table from these scores[, counting {points_per_win} per victory]: {results}
        Rank our teams by points, then goals, from this list of games: {results}

    Args:
        results: Finished matches with the two teams and their goals
        points_per_win: Points awarded for a win; a draw gives one point

    Returns:
        One row per team, leader first: points, then goal difference, then goals scored.

    Raises:
        ValueError: If a number of goals is negative or a team plays itself.
    """
    table: dict[str, list[int]] = {}  # team: points, goal difference, goals scored, matches played
    for match in results:
        home, away = match["home_goals"], match["away_goals"]
        if home < 0 or away < 0 or match["home_team"] == match["away_team"]:
            raise ValueError("A match needs two different teams and goals that are not negative.")
        sides = ((match["home_team"], home, away), (match["away_team"], away, home))
        for team, scored, conceded in sides:
            row = table.setdefault(team, [0, 0, 0, 0])
            points = points_per_win if scored > conceded else int(scored == conceded)
            table[team] = [row[0] + points, row[1] + scored - conceded, row[2] + scored, row[3] + 1]
    order = sorted(table, key=lambda team: (*(-value for value in table[team][:3]), team))
    keys = ("points", "goal_difference", "goals_for", "played")
    return [{"team": team, **dict(zip(keys, table[team], strict=True))} for team in order]


def calculate_golf_differential(
    gross_score: int,
    course_rating: float,
    slope_rating: Annotated[int, Field(ge=55, le=155)] = 113,
) -> float:
    """Calculate the handicap score differential of a round of golf.

    Queries:
        What's my differential for a round of {gross_score} on a course rated {course_rating}[ with a slope of {slope_rating}]?
        I shot {gross_score} today from tees rated {course_rating}[, with a slope rating of {slope_rating}]. What differential goes toward my handicap?
        Calculate the handicap differential for a course rated {course_rating}[ with slope {slope_rating}] and a score of {gross_score}.
        The tees are rated {course_rating}[ with slope {slope_rating}] and I went round in {gross_score}. What differential does that give me?

    Args:
        gross_score: Adjusted gross score of the round
        course_rating: Course rating of the tees played
        slope_rating: Slope rating of the tees played

    Returns:
        The score differential, to one decimal.

    Raises:
        ValueError: If the score or the course rating is not positive, or the slope is not 55 to 155.
    """
    if gross_score <= 0 or course_rating <= 0:
        raise ValueError("The gross score and the course rating must be greater than zero.")
    if not 55 <= slope_rating <= 155:
        raise ValueError("The slope rating must be between 55 and 155.")
    # World Handicap System, without a playing conditions adjustment.
    return round(113 / slope_rating * (gross_score - course_rating), 1)


def convert_running_pace(
    pace: str, pace_unit: Literal["min_per_km", "min_per_mile"] = "min_per_km"
) -> dict[str, str | float]:
    """Convert a running pace between minutes per kilometre, minutes per mile and speed.

    Queries:
        What speed does a running pace of {pace}[ {pace_unit}] come to?
        My watch says my pace was {pace}[ in {pace_unit}]. How fast is that in km/h?
        Convert a running pace of {pace}[ {pace_unit}] so that I have it per kilometer, per mile and as a speed.
        The treadmill wants a speed, but I train by pace, usually {pace}[ {pace_unit}]. What do I set it to?

    Args:
        pace: Pace as M:SS, for example 5:30
        pace_unit: Unit in which the pace is given

    Returns:
        The pace per kilometre, the pace per mile and the speed in km/h.

    Raises:
        ValueError: If the pace is not written as M:SS or is zero.
    """
    found = re.fullmatch(r"([0-9]{1,3}):([0-5][0-9])", pace.strip())
    seconds = 60 * int(found[1]) + int(found[2]) if found else 0
    if seconds == 0:
        raise ValueError(f"The pace must be written as M:SS and be longer than zero: {pace!r}.")
    per_km = float(seconds) if pace_unit == "min_per_km" else seconds / _KM_PER_MILE
    return {
        "min_per_km": _clock(per_km),
        "min_per_mile": _clock(per_km * _KM_PER_MILE),
        "km_per_hour": round(3600 / per_km, 2),
    }


def plan_round_robin(team_names: list[str], home_and_away: bool = False) -> list[list[str]]:
    """Plan the fixtures of a tournament in which every team meets every other team.

    Queries:
        Which games go in which round if {team_names} all play each other[?home_and_away:, once at home and once away]?
        I'm organizing a league with {team_names}. Can you make the schedule[?home_and_away:, with home and away games]?
        Draw up fixtures where everyone meets everyone[?home_and_away: twice, home and away] for {team_names}.
        Everybody against everybody: {team_names}. Who plays whom, round by round?

    Args:
        team_names: Names of the teams taking part
        home_and_away: Whether each pair meets twice, once on each side

    Returns:
        The matches of each round, written as "home vs away".

    Raises:
        ValueError: If there are fewer than 2 or more than 128 teams, or a name is repeated.
    """
    _check_entrants(team_names)
    ring: list[str | None] = [*team_names]
    if len(ring) % 2:
        ring.append(None)  # the team drawn against nobody rests
    pairings: list[list[tuple[str, str]]] = []
    for _ in range(len(ring) - 1):  # circle method: the first team stays, the others rotate
        half = len(ring) // 2
        facing = zip(ring[:half], reversed(ring[half:]), strict=True)
        pairings.append([(a, b) for a, b in facing if a is not None and b is not None])
        ring = [ring[0], ring[-1], *ring[1:-1]]
    if home_and_away:
        pairings += [[(b, a) for a, b in games] for games in pairings]
    return [[f"{home} vs {away}" for home, away in games] for games in pairings]


def predict_race_time(
    known_distance_km: float, known_time_minutes: float, target_distance_km: float
) -> dict[str, str | float]:
    """Predict a runner's finishing time for a race from a result over another distance.

    Queries:
        If I ran {known_distance_km} in {known_time_minutes}, how long will {target_distance_km} take me?
        I'm training to run {target_distance_km}. I did {known_distance_km} in {known_time_minutes}. What can I expect?
        Predict my finish over {target_distance_km} from a time of {known_time_minutes} for {known_distance_km}.
        It took me {known_time_minutes} to race {known_distance_km}. What would I clock over {target_distance_km}?

    Args:
        known_distance_km: Distance of the race already run, in kilometres
        known_time_minutes: Time taken for that race, in minutes
        target_distance_km: Distance of the race to come, in kilometres

    Returns:
        The predicted time in minutes and as H:MM:SS.

    Raises:
        ValueError: If a distance or the time is not positive.
    """
    if min(known_distance_km, known_time_minutes, target_distance_km) <= 0:
        raise ValueError("The distances and the time must be greater than zero.")
    # Riegel's formula.
    minutes = known_time_minutes * (target_distance_km / known_distance_km) ** 1.06
    return {"minutes": round(minutes, 2), "time": _clock(60 * minutes)}


def seed_knockout_bracket(seeded_players: list[str]) -> list[str]:
    """Draw up the first round of a seeded knockout tournament, with byes for top seeds.

    Queries:
        Who meets whom in the opening round of a knockout seeded like this, best first: {seeded_players}
        Our club is holding a knockout cup. From strongest to weakest: {seeded_players}. Who plays whom first?
        Set up the first round of an elimination tournament for {seeded_players}, listed from the top seed down.
        I need an opening bracket, with byes if there have to be any. Seeds in order: {seeded_players}

    Args:
        seeded_players: Players or teams from the top seed to the lowest seed

    Returns:
        The first-round pairings in bracket order; a top seed may have a bye.

    Raises:
        ValueError: If there are fewer than 2 or more than 128 entrants, or a name is repeated.
    """
    _check_entrants(seeded_players)
    seeds = [1]
    while len(seeds) < len(seeded_players):
        total = 2 * len(seeds) + 1  # in each pair the two seeds add up to this
        seeds = [seed for high in seeds for seed in (high, total - high)]
    slots = [seeded_players[seed - 1] if seed <= len(seeded_players) else "" for seed in seeds]
    return [
        " vs ".join(pair) if all(pair) else f"{''.join(pair)} (bye)"
        for pair in zip(slots[::2], slots[1::2], strict=True)
    ]


def update_elo_rating(
    player_rating: float,
    opponent_rating: float,
    outcome: Literal["win", "draw", "loss"],
    k_factor: Annotated[float, Field(gt=0, le=100)] = 32,
) -> dict[str, float]:
    """Update a player's Elo rating after a game.

    Queries:
        What's my Elo after a {outcome} if I was at {player_rating} and my rival at {opponent_rating}[, with a K-factor of {k_factor}]?
        I'm rated {player_rating} and played somebody rated {opponent_rating}. It ended in a {outcome} for me. What's my new rating?
        Update an Elo of {player_rating} for a {outcome} against an opponent on {opponent_rating}[, using a K-factor of {k_factor}].
        A {outcome} for me! My Elo was {player_rating} and my opponent's was {opponent_rating}. How far does mine move[ if K is {k_factor}]?

    Args:
        player_rating: Rating of the player before the game
        opponent_rating: Rating of the opponent before the game
        outcome: Result of the game for the player
        k_factor: Largest number of points one game can move

    Returns:
        The expected score, the new rating and the change.

    Raises:
        ValueError: If a rating is negative or the k-factor is not positive.
    """
    if player_rating < 0 or opponent_rating < 0 or k_factor <= 0:
        raise ValueError("Ratings cannot be negative and the k-factor must be greater than zero.")
    gap = max(-4000.0, min(4000.0, opponent_rating - player_rating))
    expected = 1 / (1 + 10 ** (gap / 400))
    change = k_factor * ({"win": 1.0, "draw": 0.5, "loss": 0.0}[outcome] - expected)
    return {
        "expected_score": round(expected, 3),
        "new_rating": round(player_rating + change, 1),
        "change": round(change, 1),
    }
