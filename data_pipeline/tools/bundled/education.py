"""Education tools: grades, exam scores, quizzes, study plans, flashcards and student groups."""

import math
from datetime import date, datetime, timedelta
from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

__all__ = [
    "compute_semester_gpa",
    "curve_exam_scores",
    "find_needed_exam_score",
    "grade_quiz_answers",
    "plan_study_schedule",
    "schedule_flashcard_review",
    "split_student_groups",
]

_GRADE_POINTS = {
    "A": 4.0,
    "A-": 3.7,
    "B+": 3.3,
    "B": 3.0,
    "B-": 2.7,
    "C+": 2.3,
    "C": 2.0,
    "C-": 1.7,
    "D": 1.0,
    "F": 0.0,
}


class CourseResult(TypedDict):
    """A course a student finished."""

    course: Annotated[str, Field(description="Name of the course")]
    grade: Annotated[Literal["A", "A-", "B+", "B", "B-", "C+", "C", "C-", "D", "F"], Field(description="Letter grade")]
    credits: Annotated[float, Field(gt=0, description="Credit hours of the course")]


def _parse_date(text: str) -> date:
    """Return a date far enough from the end of the calendar to count from."""
    try:
        day = datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise ValueError(f"{text!r} is not a date as YYYY-MM-DD.") from None
    if not 1600 <= day.year <= 9000:
        raise ValueError("The year must be between 1600 and 9000.")
    return day


def compute_semester_gpa(results: list[CourseResult]) -> dict[str, float]:
    """Compute a grade point average from letter grades and credits.

    Queries:
        What is my GPA this semester with these grades: {results}
        I got my report today and wonder what average it makes, credits included: {results}
        Work out the grade point average, weighted by credits, for these courses: {results}
        GPA and total credits for: {results}

    Args:
        results: Grade and credits of each course

    Returns:
        The grade point average on the four-point scale and the total credits.

    Raises:
        ValueError: If there is no course or a course has no credits.
    """
    if not results or any(result["credits"] <= 0 for result in results):
        raise ValueError("Give at least one course, each with credits greater than zero.")
    total_credits = math.fsum(result["credits"] for result in results)
    points = math.fsum(_GRADE_POINTS[result["grade"]] * result["credits"] for result in results)
    return {"gpa": round(points / total_credits, 2), "total_credits": round(total_credits, 2)}


def curve_exam_scores(
    scores: list[Annotated[float, Field(ge=0, le=100)]],
    method: Literal["shift", "scale", "square_root"] = "shift",
) -> list[float]:
    """Curve the exam scores of a class upwards.

    Queries:
        What would my students' marks be after a curve[ by the {method} method]: {scores}
        The exam was too hard, so I want to lift the marks[ with the {method} method]. Here they are: {scores}
        Curve these exam results[ using the {method} method]: {scores}
        I need the new marks after a curve[ by the {method} method]. The old ones are {scores}

    Args:
        scores: Exam scores from 0 to 100
        method: Add points, multiply so that the best gets 100, or 10 times the root

    Returns:
        The curved scores in the same order; shift and scale both bring the best score to 100.

    Raises:
        ValueError: If there is no score, one is not 0 to 100, or all are 0 and shall be scaled.
    """
    if not scores or min(scores) < 0 or max(scores) > 100:
        raise ValueError("Give at least one score, each between 0 and 100.")
    best = max(scores)
    if method == "shift":
        return [round(score + 100 - best, 2) for score in scores]
    if method == "square_root":
        return [round(10 * math.sqrt(score), 2) for score in scores]
    if best == 0:
        raise ValueError("Scores that are all zero cannot be scaled.")
    return [round(score / best * 100, 2) for score in scores]


def find_needed_exam_score(
    current_percent: Annotated[float, Field(ge=0, le=100)],
    exam_weight_percent: Annotated[float, Field(ge=1, le=100)],
    target_percent: Annotated[float, Field(ge=0, le=100)] = 60,
) -> dict[str, float | bool]:
    """Find the final exam score needed to reach a target course grade.

    Queries:
        What do I need on a final worth {exam_weight_percent} of the grade if I'm at {current_percent#}% now[ and want to end up at {target_percent#}%]?
        I have {current_percent#}% so far and the exam counts for {exam_weight_percent} of the grade. What must I score[ to finish with {target_percent#}%]?
        Find the exam score I need[ for a course grade of {target_percent#}%] if the exam counts for {exam_weight_percent} and I'm at {current_percent#}% so far.
        The final makes up {exam_weight_percent} of my grade and I stand at {current_percent#}%. How well must I do[ to get {target_percent#}% overall]?

    Args:
        current_percent: Course grade before the exam in percent
        exam_weight_percent: Weight of the exam in the course grade in percent
        target_percent: Course grade to reach in percent

    Returns:
        The exam score needed in percent, and whether it is possible (100 or less).

    Raises:
        ValueError: If the exam weight is not between 1 and 100 percent.
    """
    if not 1 <= exam_weight_percent <= 100:
        raise ValueError("The exam weight must be between 1 and 100 percent.")
    weight = exam_weight_percent / 100
    needed = round(max(0.0, (target_percent - current_percent * (1 - weight)) / weight), 2)
    return {"needed_percent": needed, "possible": needed <= 100}


def grade_quiz_answers(
    answer_key: list[str],
    answers: list[str],
    points_per_question: float = 1,
    penalty_per_wrong: float = 0,
) -> dict[str, float]:
    """Grade the answers of a quiz against the answer key.

    Queries:
        How did I do on the quiz if the right answers are {answer_key} and mine are {answers}?
        I'm marking a quiz[ where each right answer is worth {points_per_question#}]. The key is {answer_key}, and a student wrote {answers}.
        Grade the replies {answers} against the solution {answer_key}[, taking off {penalty_per_wrong} per mistake].
        The key is {answer_key} and I put {answers}. What's my score[, with {points_per_question#} for each right answer][, minus {penalty_per_wrong#} for each wrong one]?

    Args:
        answer_key: Right answer of each question, in order
        answers: Answers given, in the same order; an empty text is no answer
        points_per_question: Points for a right answer
        penalty_per_wrong: Points taken off for a wrong answer

    Returns:
        The numbers of right, wrong and blank answers, the points and the percentage of right answers.

    Raises:
        ValueError: If the key is empty, there are more answers than questions, or points are negative.
    """
    if not answer_key or len(answers) > len(answer_key):
        raise ValueError("The answer key must not be empty, nor shorter than the answers.")
    if min(points_per_question, penalty_per_wrong) < 0:
        raise ValueError("Points and penalty must not be negative.")
    given = [answer.strip().casefold() for answer in answers]
    right = sum(answer == key.strip().casefold() for answer, key in zip(given, answer_key, strict=False) if answer)
    wrong = sum(1 for answer in given if answer) - right
    return {
        "right": right,
        "wrong": wrong,
        "blank": len(answer_key) - right - wrong,
        "points": round(max(0.0, right * points_per_question - wrong * penalty_per_wrong), 2),
        "percent_right": round(100 * right / len(answer_key), 2),
    }


def plan_study_schedule(
    topics: list[str],
    start_date: str,
    study_days: Annotated[int, Field(ge=1, le=366)],
    hours_per_day: Annotated[float, Field(gt=0, le=24)] = 2,
) -> list[dict[str, str | float | list[str]]]:
    """Plan which exam topics to study on each day.

    Queries:
        How should I spread {topics} over {study_days} starting on {start_date}[, at {hours_per_day#} h a day]?
        I have {study_days} from {start_date} on to study[, {hours_per_day#} h a day]. When do I do {topics}?
        Make a study plan from {start_date} that lasts {study_days} and covers {topics}[, {hours_per_day#} h daily].
        What do I study when if I start on {start_date} and need to get through {topics} in {study_days}?

    Args:
        topics: Topics to study, in order
        start_date: First day of study as YYYY-MM-DD
        study_days: Number of days in a row to study
        hours_per_day: Hours to study each day

    Returns:
        The topics and hours of each day; every topic gets an equal share of the whole time.

    Raises:
        ValueError: If there is no topic, the date is not valid, or a number is out of range.
    """
    if not topics or not 1 <= study_days <= 366 or not 0 < hours_per_day <= 24:
        raise ValueError("Give at least one topic, 1 to 366 study days and at most 24 hours per day.")
    first, count = _parse_date(start_date), len(topics)
    return [
        {
            "date": (first + timedelta(days=day)).isoformat(),
            # All topics whose equal share of the time touches this day.
            "topics": topics[day * count // study_days : -(-(day + 1) * count // study_days)],
            "hours": hours_per_day,
        }
        for day in range(study_days)
    ]


def schedule_flashcard_review(
    recall_quality: Annotated[int, Field(ge=0, le=5)],
    successful_reviews: Annotated[int, Field(ge=0)] = 0,
    last_interval_days: Annotated[int, Field(ge=0)] = 0,
    ease_factor: Annotated[float, Field(ge=1.3, le=5)] = 2.5,
) -> dict[str, float]:
    """Schedule the next review of a flashcard by spaced repetition.

    Queries:
        When should I see a flashcard again if I rate my recall {recall_quality}[ and my streak of successful reviews was at {successful_reviews}]?
        I graded my memory of this flashcard {recall_quality}[, {last_interval_days} after the review before]. When is it due next?
        Schedule the next review of a card I recalled with quality {recall_quality}[, {last_interval_days} after the last review][, at an ease factor of {ease_factor}].
        My recall of this card was a {recall_quality}[, its ease factor is {ease_factor}][, its streak of good reviews is {successful_reviews}]. In how many days do I see it again?

    Args:
        recall_quality: How well the card was recalled, 0 (not at all) to 5 (perfectly)
        successful_reviews: Number of successful reviews in a row before this one
        last_interval_days: Days between the last two reviews
        ease_factor: Ease factor of the card so far

    Returns:
        The days until the next review, the new count of successful reviews and the new ease factor.

    Raises:
        ValueError: If the quality is not 0 to 5 or a count is negative.
    """
    if not 0 <= recall_quality <= 5 or min(successful_reviews, last_interval_days) < 0:
        raise ValueError("The recall quality must be 0 to 5, and counts must not be negative.")
    # SM-2 algorithm (Wozniak, 1990).
    if recall_quality < 3:
        return {"interval_days": 1, "successful_reviews": 0, "ease_factor": round(ease_factor, 2)}
    miss = 5 - recall_quality
    ease = max(1.3, ease_factor + 0.1 - miss * (0.08 + miss * 0.02))
    if successful_reviews < 2:
        interval = (1, 6)[successful_reviews]
    else:
        interval = math.ceil(round(max(1, last_interval_days) * ease, 6))
    return {
        "interval_days": interval,
        "successful_reviews": successful_reviews + 1,
        "ease_factor": round(ease, 2),
    }


def split_student_groups(students: list[str], group_size: Annotated[int, Field(ge=1)]) -> list[list[str]]:
    """Split a class into groups of nearly equal size.

    Queries:
        How can I divide {students} into groups of at most {group_size}?
        I teach {students} and want teams of no more than {group_size} for a project. Who works with whom?
        Split {students} up evenly, with {group_size} or fewer in each group.
        Teams of up to {group_size} from this class, please: {students}

    Args:
        students: Names of the students
        group_size: Largest number of students in a group

    Returns:
        The groups, whose sizes differ by one at most; students are dealt out in turn.

    Raises:
        ValueError: If the group size is below 1.
    """
    if group_size < 1:
        raise ValueError("The group size must be at least 1.")
    groups = math.ceil(len(students) / group_size)
    return [students[index::groups] for index in range(groups)]
