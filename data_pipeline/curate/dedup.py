"""Exact duplicates by normalised query."""

from __future__ import annotations

from collections.abc import Iterable

from data_pipeline.core.schema import Trajectory, Verdict

CURATE_REASONS = {
    "duplicate_query": "the same query, up to case and spacing, was accepted before",
    "in_reference": "the query occurs in a dataset this one must be distinct from",
}


def normalised(query: str) -> str:
    """The query as two people would call it the same: case and spacing folded."""
    return " ".join(query.casefold().split())


class QueryFilter:
    """Lets each query pass once, and none that a reference dataset holds."""

    def __init__(self, reference: Iterable[str] = ()) -> None:
        self._reference = {normalised(query) for query in reference}
        self._seen: set[str] = set()

    def check(self, sample: Trajectory) -> Verdict:
        """Passes a query the first time only; a passed query counts as seen."""
        query = normalised(sample.query)
        if query in self._reference:
            return Verdict(stage="curate", passed=False, reason="in_reference", detail=sample.query)
        if query in self._seen:
            return Verdict(stage="curate", passed=False, reason="duplicate_query", detail=sample.query)
        self._seen.add(query)
        return Verdict(stage="curate", passed=True)
