"""Every reason code of every stage in one table: what rejects, funnels and dataset cards name."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.convert.lines import CONVERT_REASONS
from data_pipeline.curate.dedup import CURATE_REASONS
from data_pipeline.generate.grammar import GRAMMAR_REASONS
from data_pipeline.generate.llm_generator import GENERATE_REASONS
from data_pipeline.llm.failures import FAILURES, WRITTEN_BADLY
from data_pipeline.verify.execution import EXECUTION_REASONS
from data_pipeline.verify.format_check import FORMAT_REASONS
from data_pipeline.verify.judge import JUDGE_REASONS
from data_pipeline.verify.semantic import SEMANTIC_REASONS

if TYPE_CHECKING:
    from data_pipeline.core.schema import Stage


def _together(*tables: dict[str, str]) -> dict[str, str]:
    """One table of several; where two give a code a meaning, both stand."""
    found: dict[str, str] = {}
    for table in tables:
        for code, meaning in table.items():
            found[code] = meaning if found.get(code, meaning) == meaning else f"{found[code]}; or {meaning}"
    return found


_BADLY_WRITTEN = {code: meaning for code, meaning in GENERATE_REASONS.items() if code not in FAILURES}
_BADLY_WRITTEN |= {code: FAILURES[code] for code in WRITTEN_BADLY}

REASONS: dict[Stage, dict[str, str]] = {
    "generate": {**GRAMMAR_REASONS, **{code: FAILURES[code] for code in FAILURES if code not in WRITTEN_BADLY}},
    "format": _together(_BADLY_WRITTEN, FORMAT_REASONS, CONVERT_REASONS),
    "execution": EXECUTION_REASONS,
    "semantic": {**SEMANTIC_REASONS, **JUDGE_REASONS},
    "curate": CURATE_REASONS,
}
"""Stage -> reason code -> its meaning."""
