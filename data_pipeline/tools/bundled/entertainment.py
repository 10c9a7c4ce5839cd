"""Entertainment: films, series, music, games and seats."""

import datetime as dt
import math
import re
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "calculate_weighted_rating",
    "check_movie_age_rating",
    "plan_series_binge",
    "schedule_movie_marathon",
    "score_word_tiles",
    "seat_theater_groups",
    "sum_playlist_duration",
]

_TILE_VALUES = {
    letter: value
    for value, letters in (
        (1, "AEIOULNSTR"),
        (2, "DG"),
        (3, "BCMP"),
        (4, "FHVWY"),
        (5, "K"),
        (8, "JX"),
        (10, "QZ"),
    )
    for letter in letters
}


class Movie(TypedDict):
    """A film to watch: its title and length in minutes."""

    title: str
    runtime_minutes: int


def calculate_weighted_rating(
    average_rating: Annotated[float, Field(ge=0, le=10)],
    vote_count: Annotated[int, Field(ge=0)],
    catalogue_average: Annotated[float, Field(ge=0, le=10)] = 6.5,
    minimum_votes: Annotated[int, Field(ge=1)] = 500,
) -> float:
    """Calculate a film's chart rating, drawn towards the average when it has few votes.

    Queries:
        What chart rating does a film get for {vote_count} votes averaging {average_rating}[ if all films together average {catalogue_average}]?
        My film got an average of {average_rating} from {vote_count} votes. What's its weighted score[ if it takes {minimum_votes} votes to weigh as much as the overall average]?
        Weigh a film's average of {average_rating} by its {vote_count} votes for the charts[, where all films average {catalogue_average}][, with half the weight at {minimum_votes} votes].
        A film has {vote_count} votes and {average_rating} on average. What's its chart rating once the number of votes is taken into account[, with {catalogue_average} as the average film]?

    Args:
        average_rating: Average of the film's own votes, from 0 to 10
        vote_count: Number of votes the film received
        catalogue_average: Average rating of all films, from 0 to 10
        minimum_votes: Number of votes at which both averages weigh the same

    Returns:
        The weighted rating, to two decimals.

    Raises:
        ValueError: If a rating is not 0 to 10, or a number of votes is too low.
    """
    if not (0 <= average_rating <= 10 and 0 <= catalogue_average <= 10):
        raise ValueError("Ratings must be between 0 and 10.")
    if vote_count < 0 or minimum_votes < 1:
        raise ValueError("The vote count cannot be negative and the minimum must be at least 1.")
    total = vote_count * average_rating + minimum_votes * catalogue_average  # Bayesian average
    return round(total / (vote_count + minimum_votes), 2)


def check_movie_age_rating(
    viewer_age: int, rating: Literal["G", "PG", "PG-13", "R", "NC-17"], with_adult: bool = False
) -> dict[str, bool | str]:
    """Check whether someone is old enough for a film's age rating in the United States.

    Queries:
        Can someone aged {viewer_age} get into a movie rated {rating}[?with_adult: if an adult comes along]?
        My cousin is {viewer_age} and wants to see a film rated {rating}. Is that OK[?with_adult: with a parent there]?
        Check whether {viewer_age} is old enough for a movie rated {rating}[?with_adult:, accompanied by a guardian].
        The film is rated {rating} and I'm {viewer_age}. Will they let me in[?with_adult: with my dad]?

    Args:
        viewer_age: Age of the viewer in years
        rating: Rating of the film by the Motion Picture Association
        with_adult: Whether a parent or adult guardian comes along

    Returns:
        Whether the viewer may enter, with the reason.

    Raises:
        ValueError: If the age is negative.
    """
    if viewer_age < 0:
        raise ValueError("The viewer's age cannot be negative.")
    if rating == "NC-17":
        return {"allowed": viewer_age >= 18, "reason": "No one 17 and under is admitted."}
    if rating == "R":
        allowed = viewer_age >= 17 or with_adult
        return {"allowed": allowed, "reason": "Viewers under 17 need a parent or adult guardian."}
    advice = {
        "G": "All ages are admitted.",
        "PG": "Some material may not suit children.",
        "PG-13": "Some material may be inappropriate for children under 13.",
    }
    return {"allowed": True, "reason": advice[rating]}


def plan_series_binge(
    episode_count: int, episode_minutes: float, minutes_per_day: float, start_date: str
) -> dict[str, str | float | int]:
    """Plan how many days it takes to watch a whole series, and when it ends.

    Queries:
        If I start on {start_date} and watch {minutes_per_day#} minutes a day, when do I finish {episode_count} episodes of {episode_minutes} each?
        I have {minutes_per_day#} minutes a day for a show with {episode_count} episodes of {episode_minutes}. When am I through if I begin on {start_date}?
        Plan my binge from {start_date}: {episode_count} episodes of {episode_minutes} each, and I can watch {minutes_per_day#} minutes a day.
        I'd like to know how many days {episode_count} episodes of {episode_minutes} take me at {minutes_per_day#} minutes a day, starting on {start_date}.

    Args:
        episode_count: Number of episodes to watch
        episode_minutes: Length of one episode in minutes
        minutes_per_day: Time available for watching each day in minutes
        start_date: First day of watching as YYYY-MM-DD

    Returns:
        The total hours, the number of days and the last day as YYYY-MM-DD.

    Raises:
        ValueError: If a number is not positive, a day is over 1440 minutes, or the date is not valid.
    """
    if min(episode_count, episode_minutes, minutes_per_day) <= 0:
        raise ValueError("The episodes, their length and the daily time must be greater than zero.")
    if minutes_per_day > 1440:
        raise ValueError("A day has only 1440 minutes.")
    total = episode_count * episode_minutes
    days = math.ceil(round(total / minutes_per_day, 9))
    try:
        last = dt.datetime.strptime(start_date, "%Y-%m-%d").date() + dt.timedelta(days=days - 1)
    except (OverflowError, ValueError):
        raise ValueError(f"Give a start as YYYY-MM-DD and a plan that ends by 9999: {start_date!r}.") from None
    return {"total_hours": round(total / 60, 2), "days": days, "last_day": last.isoformat()}


def schedule_movie_marathon(
    movies: list[Movie], start_time: str, break_minutes: Annotated[int, Field(ge=0)] = 15
) -> list[dict[str, str]]:
    """Schedule the start and end times of a movie marathon.

    Queries:
        If we start at {start_time}, when does each movie begin and end[, with {break_minutes} in between]: {movies}
        Friends are coming for a film marathon. Plan it from {start_time}[, with breaks of {break_minutes}]: {movies}
        Make a timetable for these films in a row, the first at {start_time}[, with a pause of {break_minutes} after each]: {movies}
        I'd like to know what runs when in our movie marathon from {start_time}[ if we stop for {break_minutes} between films]: {movies}

    Args:
        movies: Films in viewing order, each with its title and runtime
        start_time: Start of the first film as HH:MM
        break_minutes: Pause between two films in minutes

    Returns:
        The title of each film with its start and end as HH:MM on a 24-hour clock.

    Raises:
        ValueError: If a runtime is not positive, the break is negative or the time is not valid.
    """
    found = re.fullmatch(r"([01]?[0-9]|2[0-3]):([0-5][0-9])", start_time.strip())
    if not found:
        raise ValueError(f"The start time must be written as HH:MM: {start_time!r}.")
    if break_minutes < 0 or any(movie["runtime_minutes"] <= 0 for movie in movies):
        raise ValueError("Runtimes must be greater than zero and the break cannot be negative.")
    clock = 60 * int(found[1]) + int(found[2])
    schedule = []
    for movie in movies:
        end = clock + movie["runtime_minutes"]
        start_text, end_text = (f"{minute // 60 % 24:02d}:{minute % 60:02d}" for minute in (clock, end))
        schedule.append({"title": movie["title"], "start": start_text, "end": end_text})
        clock = end + break_minutes
    return schedule


def score_word_tiles(word: str, word_multiplier: Annotated[int, Field(ge=1, le=9)] = 1, blank_letters: str = "") -> int:
    """Score a word laid with English letter tiles on a crossword board.

    Queries:
        How many points is {word} worth in letter tiles[ with the word score times {word_multiplier#}][, using blank tiles for {blank_letters}]?
        I laid {word} on the board[ with blanks for {blank_letters}]. What do I score[ if the squares multiply the word by {word_multiplier#}]?
        Score the word {word} in letter tiles[, with a word multiplier of {word_multiplier#}][, with blank tiles for {blank_letters}].
        I'm thinking of playing {word} in our tile game[, on squares that count it {word_multiplier#} times]. What would it bring me?

    Args:
        word: Word laid on the board
        word_multiplier: Bonus of the squares, such as 2 for a double word
        blank_letters: Letters of the word laid with blank tiles, worth nothing

    Returns:
        The points for the word, with 50 more when seven or more tiles are laid.

    Raises:
        ValueError: If a blank letter is not in the word or the multiplier is not 1 to 9.
    """
    if not 1 <= word_multiplier <= 9:
        raise ValueError("The word multiplier must be between 1 and 9.")
    letters = [letter for letter in word.upper() if letter.isalpha()]
    tile_count = len(letters)
    for blank in blank_letters.upper():
        if blank not in letters:
            raise ValueError(f"The blank letter {blank!r} is not in the word often enough.")
        letters.remove(blank)
    points = sum(_TILE_VALUES.get(letter, 0) for letter in letters)
    return points * word_multiplier + (50 if tile_count >= 7 else 0)


def seat_theater_groups(
    group_sizes: list[int],
    row_count: Annotated[int, Field(ge=1, le=100)],
    seats_per_row: Annotated[int, Field(ge=1)],
) -> list[dict[str, int | None]]:
    """Seat groups of theatre guests in rows so that each group stays together.

    Queries:
        Where do I put these groups in a hall with {row_count} rows of {seats_per_row} seats: {group_sizes}
        My theater has {row_count} rows with {seats_per_row} seats in each. Which row does each party get: {group_sizes}
        Seat these parties so nobody is split up, {seats_per_row} seats a row and {row_count} rows: {group_sizes}
        With {seats_per_row} seats in each of {row_count} rows, keep every group together. Group sizes: {group_sizes}

    Args:
        group_sizes: Number of people in each group
        row_count: Number of rows in the theatre
        seats_per_row: Number of seats in each row

    Returns:
        The row of each group, in the order given; null when no row has room.

    Raises:
        ValueError: If a group is empty, or there are no seats or more than 100 rows.
    """
    if not 1 <= row_count <= 100 or seats_per_row < 1:
        raise ValueError("There must be 1 to 100 rows, with at least one seat each.")
    if any(size < 1 for size in group_sizes):
        raise ValueError("Every group must have at least one person.")
    free = [seats_per_row] * row_count
    rows: list[int | None] = [None] * len(group_sizes)
    for group in sorted(range(len(group_sizes)), key=lambda i: -group_sizes[i]):  # first fit decreasing
        size = group_sizes[group]
        row = next((i for i, seats in enumerate(free) if seats >= size), None)
        if row is not None:
            free[row] -= size
            rows[group] = row + 1
    return [{"group_size": size, "row": row} for size, row in zip(group_sizes, rows, strict=True)]


def sum_playlist_duration(
    track_lengths: list[str], gap_seconds: Annotated[int, Field(ge=0)] = 0
) -> dict[str, str | int]:
    """Add up the total playing time of a music playlist.

    Queries:
        How long does my playlist run with these tracks[ and {gap_seconds} between songs]: {track_lengths}
        I'm burning a CD[ with gaps of {gap_seconds}]. What's the total time of these tracks: {track_lengths}
        Add up these song lengths[, plus {gap_seconds} of silence between each]: {track_lengths}
        Songs of {track_lengths} in a row[, {gap_seconds} apart]: how much music is that in all?

    Args:
        track_lengths: Length of each track as M:SS or H:MM:SS
        gap_seconds: Silence between two tracks in seconds

    Returns:
        The number of tracks, the total in seconds and the total as H:MM:SS.

    Raises:
        ValueError: If a track length is not written as M:SS or H:MM:SS, or the gap is negative.
    """
    if gap_seconds < 0:
        raise ValueError("The gap between tracks cannot be negative.")
    total = gap_seconds * max(len(track_lengths) - 1, 0)
    for length in track_lengths:
        found = re.fullmatch(r"(?:([0-9]{1,3}):(?=[0-5][0-9]:))?([0-9]{1,3}):([0-5][0-9])", length.strip())
        if not found:
            raise ValueError(f"A track length must be written as M:SS or H:MM:SS: {length!r}.")
        total += 3600 * int(found[1] or 0) + 60 * int(found[2]) + int(found[3])
    clock = f"{total // 3600}:{total // 60 % 60:02d}:{total % 60:02d}"
    return {"track_count": len(track_lengths), "total_seconds": total, "total": clock}
