"""Every reason a check can give is in the table, and the table is in the documentation."""

import ast
import re
from pathlib import Path
from typing import get_args

import pytest

from data_pipeline.core.schema import Stage
from data_pipeline.reasons import REASONS

ROOT = Path(__file__).parents[1]
DOCUMENTED = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")


def test_every_stage_has_its_reasons() -> None:
    assert set(REASONS) == set(get_args(Stage))
    codes = {code: meaning for table in REASONS.values() for code, meaning in table.items()}
    assert all(re.fullmatch("[a-z0-9_]+", code) and meaning for code, meaning in codes.items())


@pytest.mark.parametrize("stage", REASONS)
def test_the_documentation_holds_the_table(stage: Stage) -> None:
    rows = [f"| {stage} | `{code}` | {meaning} |" for code, meaning in REASONS[stage].items()]
    assert [row for row in rows if row not in DOCUMENTED] == []


def test_every_code_in_a_verdict_of_the_source_is_in_the_table() -> None:
    """Codes that are written as `Verdict(..., reason="code")`."""
    known = {code for codes in REASONS.values() for code in codes} | {"ok"}
    written = {
        keyword.value.value
        for path in (ROOT / "data_pipeline").rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Verdict"
        for keyword in node.keywords
        if keyword.arg == "reason" and isinstance(keyword.value, ast.Constant)
    }
    assert written <= known
