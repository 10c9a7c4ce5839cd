from __future__ import annotations

import pytest

from data_pipeline.tools.bundled import education as tools


def test_compute_semester_gpa() -> None:
    # (4.0*4 + 3.3*3 + 2.0*1) / 8 = 27.9 / 8 = 3.4875
    results: list[tools.CourseResult] = [
        {"course": "Chemistry", "grade": "A", "credits": 4},
        {"course": "History", "grade": "B+", "credits": 3},
        {"course": "Choir", "grade": "C", "credits": 1},
    ]
    assert tools.compute_semester_gpa(results) == {"gpa": 3.49, "total_credits": 8}
    with pytest.raises(ValueError, match="at least one course"):
        tools.compute_semester_gpa([])
    with pytest.raises(ValueError, match="greater than zero"):
        tools.compute_semester_gpa([{"course": "Gym", "grade": "A", "credits": 0}])


def test_find_needed_exam_score() -> None:
    # 80 * 0.75 + 92 * 0.25 = 83
    assert tools.find_needed_exam_score(80, 25, 83) == {"needed_percent": 92.0, "possible": True}
    assert tools.find_needed_exam_score(50, 20, 90) == {"needed_percent": 250.0, "possible": False}
    assert tools.find_needed_exam_score(95, 30) == {"needed_percent": 0.0, "possible": True}
    with pytest.raises(ValueError, match="between 1 and 100"):
        tools.find_needed_exam_score(80, 0, 90)


def test_curve_exam_scores() -> None:
    assert tools.curve_exam_scores([64, 80, 49]) == [84, 100, 69]
    assert tools.curve_exam_scores([64, 80, 49], "scale") == [80, 100, 61.25]
    assert tools.curve_exam_scores([64, 81, 49], "square_root") == [80, 90, 70]
    with pytest.raises(ValueError, match="between 0 and 100"):
        tools.curve_exam_scores([64, 120])
    with pytest.raises(ValueError, match="at least one score"):
        tools.curve_exam_scores([])
    with pytest.raises(ValueError, match="cannot be scaled"):
        tools.curve_exam_scores([0, 0], "scale")


def test_plan_study_schedule() -> None:
    assert tools.plan_study_schedule(["Cells", "Genes"], "2024-02-27", 4, hours_per_day=1.5) == [
        {"date": "2024-02-27", "topics": ["Cells"], "hours": 1.5},
        {"date": "2024-02-28", "topics": ["Cells"], "hours": 1.5},
        {"date": "2024-02-29", "topics": ["Genes"], "hours": 1.5},
        {"date": "2024-03-01", "topics": ["Genes"], "hours": 1.5},
    ]
    crowded = tools.plan_study_schedule(["a", "b", "c", "d"], "2024-05-01", 2)
    assert [day["topics"] for day in crowded] == [["a", "b"], ["c", "d"]]
    shared = tools.plan_study_schedule(["a", "b", "c"], "2024-05-01", 2)
    assert [day["topics"] for day in shared] == [["a", "b"], ["b", "c"]]
    with pytest.raises(ValueError, match="at least one topic"):
        tools.plan_study_schedule([], "2024-05-01", 2)
    with pytest.raises(ValueError, match="1 to 366 study days"):
        tools.plan_study_schedule(["a"], "2024-05-03", 0)
    with pytest.raises(ValueError, match="at most 24 hours"):
        tools.plan_study_schedule(["a"], "2024-05-01", 2, hours_per_day=25)
    with pytest.raises(ValueError, match="not a date"):
        tools.plan_study_schedule(["a"], "today", 2)
    with pytest.raises(ValueError, match="year must be"):
        tools.plan_study_schedule(["a"], "9999-12-31", 2)


def test_schedule_flashcard_review() -> None:
    # SM-2: quality 5 raises the ease by 0.1, 4 leaves it, 3 lowers it by 0.14; first 1, then 6 days.
    first = tools.schedule_flashcard_review(5)
    assert first == {"interval_days": 1, "successful_reviews": 1, "ease_factor": 2.6}
    assert tools.schedule_flashcard_review(4, 1, 1)["interval_days"] == 6
    third = tools.schedule_flashcard_review(3, 2, 6, 2.5)
    assert third == {"interval_days": 15, "successful_reviews": 3, "ease_factor": 2.36}  # 6 * 2.36 = 14.16
    assert tools.schedule_flashcard_review(4, 5, 10, 2.5)["interval_days"] == 25
    assert tools.schedule_flashcard_review(3, 2, 6, 1.3)["ease_factor"] == 1.3
    failed = tools.schedule_flashcard_review(2, 7, 40, 2.2)
    assert failed == {"interval_days": 1, "successful_reviews": 0, "ease_factor": 2.2}
    with pytest.raises(ValueError, match="must be 0 to 5"):
        tools.schedule_flashcard_review(6)
    with pytest.raises(ValueError, match="not be negative"):
        tools.schedule_flashcard_review(4, -1)


def test_split_student_groups() -> None:
    assert tools.split_student_groups(["Ana", "Ben", "Cy", "Dee", "Eve", "Flo", "Gus"], 3) == [
        ["Ana", "Dee", "Gus"],
        ["Ben", "Eve"],
        ["Cy", "Flo"],
    ]
    assert tools.split_student_groups(["Ana"], 4) == [["Ana"]]
    assert tools.split_student_groups([], 4) == []
    with pytest.raises(ValueError, match="at least 1"):
        tools.split_student_groups(["Ana"], 0)


def test_grade_quiz_answers() -> None:
    graded = tools.grade_quiz_answers(
        ["A", "Paris", "C", "True", "B"],
        ["a", " paris ", "D", ""],
        points_per_question=2,
        penalty_per_wrong=0.5,
    )
    assert graded == {"right": 2, "wrong": 1, "blank": 2, "points": 3.5, "percent_right": 40.0}
    assert tools.grade_quiz_answers(["A"], ["B"], penalty_per_wrong=1)["points"] == 0
    with pytest.raises(ValueError, match="must not be empty"):
        tools.grade_quiz_answers([], [])
    with pytest.raises(ValueError, match="nor shorter"):
        tools.grade_quiz_answers(["A"], ["A", "B"])
    with pytest.raises(ValueError, match="not be negative"):
        tools.grade_quiz_answers(["A"], ["A"], points_per_question=-1)
