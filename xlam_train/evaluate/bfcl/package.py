"""The leaderboard's own package: its cases and its checker, without the vendors' libraries it is made for.

`pip install --no-deps bfcl-eval` leaves a package whose checker imports every vendor's SDK through its table of
models, of which it reads one flag. That table is replaced before the import, so what judges is the published code.
"""

from __future__ import annotations

import importlib
import os
import sys
import tempfile
from collections import defaultdict
from dataclasses import dataclass
from functools import cache
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType, SimpleNamespace
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError

if TYPE_CHECKING:
    from collections.abc import Callable

INSTALL = "pip install --no-deps bfcl-eval==2026.3.23 filelock"
MODEL = "xlam"
_MODELS = "bfcl_eval.constants.model_config"
_ROOT = "BFCL_PROJECT_ROOT"


@dataclass(frozen=True)
class Package:
    """What is used of it.

    Attributes:
        version: of bfcl-eval.
        categories: all that it knows.
        load_cases: category -> cases; `include_language_specific_hint=False` leaves out the hints on the language,
            which models see and the checker must not.
        load_truth: category -> expected calls, in the cases' order.
        ast_checker: the judge of single-turn calls.
        languages: "python", "java" or "javascript" -> what the judge takes.
    """

    version: str
    categories: tuple[str, ...]
    load_cases: Callable[..., list[dict[str, Any]]]
    load_truth: Callable[[str], list[dict[str, Any]]]
    ast_checker: Callable[..., dict[str, Any]]
    languages: dict[str, Any]


@cache
def load_package() -> Package:
    """Import it, once a process.

    Raises:
        InputError: it is not installed, or has changed too much.
    """
    try:
        found = version("bfcl-eval")
    except PackageNotFoundError as error:
        raise InputError(f"eval bfcl needs the leaderboard's cases; {INSTALL}") from error
    _provide_models()
    _provide_folder()
    try:
        checker = importlib.import_module("bfcl_eval.eval_checker.ast_eval.ast_checker")
        utils = importlib.import_module("bfcl_eval.utils")
        enums = importlib.import_module("bfcl_eval.constants.enums")
        return Package(
            version=found,
            categories=tuple(utils.ALL_CATEGORIES),
            load_cases=utils.load_dataset_entry,
            load_truth=utils.load_ground_truth_entry,
            ast_checker=checker.ast_checker,
            languages={language.value: language for language in enums.Language},
        )
    except (ImportError, AttributeError) as error:
        raise InputError(f"eval bfcl: bfcl-eval {found} is not as expected ({error}); {INSTALL}") from error


def _provide_models() -> None:
    """The one flag of a model that the checker reads: whether its names of functions lost their dots; ours do not."""
    if _MODELS not in sys.modules:
        module = ModuleType(_MODELS)
        module.MODEL_CONFIG_MAPPING = defaultdict(  # type: ignore[attr-defined]
            lambda: SimpleNamespace(underscore_to_dot=False)
        )
        sys.modules[_MODELS] = module


def _provide_folder() -> None:
    """Where the package makes folders when it is imported, and locks while it reads: beside itself, unless told."""
    if _ROOT not in os.environ:
        os.environ[_ROOT] = tempfile.mkdtemp(prefix="xlam-bfcl-")
