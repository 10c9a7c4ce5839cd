"""Every reason code of the checks in one table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.verify.execution import EXECUTION_REASONS
from data_pipeline.verify.format_check import FORMAT_REASONS
from data_pipeline.verify.judge import JUDGE_REASONS
from data_pipeline.verify.semantic import SEMANTIC_REASONS

if TYPE_CHECKING:
    from data_pipeline.core.schema import Stage

REASONS: dict[Stage, dict[str, str]] = {
    "format": FORMAT_REASONS,
    "execution": EXECUTION_REASONS,
    "semantic": {**SEMANTIC_REASONS, **JUDGE_REASONS},
}
"""Stage -> reason code -> its meaning; generating and curating have their own."""
