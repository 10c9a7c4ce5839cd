"""Each query once, and none of a reference dataset."""

import pytest

from data_pipeline.core.schema import Message, Trajectory, Verdict
from data_pipeline.curate.dedup import CURATE_REASONS, QueryFilter, normalised


def asked(query: str) -> Trajectory:
    return Trajectory(id="1", style="irrelevance", tools=(), messages=(Message(role="user", content=query),))


@pytest.mark.parametrize(
    ("query", "folded"),
    [("  How  HOT\tis it?\n", "how hot is it?"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("", "")],
)
def test_case_and_spacing_are_folded(query: str, folded: str) -> None:
    assert normalised(query) == folded


def test_the_second_of_two_equal_queries_is_refused() -> None:
    queries = QueryFilter()
    assert queries.check(asked("Is it hot?")) == Verdict(stage="curate", passed=True)
    assert queries.check(asked("is  it HOT?")) == Verdict(
        stage="curate", passed=False, reason="duplicate_query", detail="is  it HOT?"
    )
    assert queries.check(asked("Is it hot")).passed


def test_a_query_of_the_reference_is_refused_every_time() -> None:
    queries = QueryFilter(["Is it HOT?"])
    verdicts = [queries.check(asked("Is it hot?")) for _ in range(2)]
    assert [(v.passed, v.reason) for v in verdicts] == [(False, "in_reference")] * 2
    assert queries.check(asked("Is it cold?")).passed


def test_every_reason_is_explained() -> None:
    queries = QueryFilter(["a"])
    found = {queries.check(asked(query)).reason for query in ("a", "b", "b")}
    assert found - {"ok"} == set(CURATE_REASONS)
