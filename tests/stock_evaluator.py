"""The leaderboard's own evaluator, for tests that count beside it."""

from __future__ import annotations

import sys
from types import ModuleType
from typing import TYPE_CHECKING, Any

from xlam_train.evaluate.bfcl.package import load_package
from xlam_train.evaluate.bfcl.stock_handler import decode_ast, decode_execute

if TYPE_CHECKING:
    import pytest


def stock_runner(monkeypatch: pytest.MonkeyPatch) -> Any:
    """The stock evaluator's own module; what it imports for other people's models is left out."""
    load_package()
    for name, content in {
        "bfcl_eval.model_handler.base_handler": {"BaseHandler": object},
        "bfcl_eval.model_handler.utils": {"parse_prompt_variation_params": None},
        "dotenv": {"load_dotenv": None},
    }.items():
        module = ModuleType(name)
        module.__dict__.update(content)
        monkeypatch.setitem(sys.modules, name, module)
    from bfcl_eval.eval_checker import eval_runner

    return eval_runner


class Handler:
    """What the registered handler decodes by."""

    def decode_ast(self, result: str, language: Any, has_tool_call_tag: bool) -> Any:
        return decode_ast(result, "xlam-1")

    def decode_execute(self, result: str, has_tool_call_tag: bool) -> Any:
        return decode_execute(result, "xlam-1")
