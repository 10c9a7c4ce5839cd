"""The leaderboard's categories, and its single-turn cases as chats with tools."""

from __future__ import annotations

import random
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, TypeVar

from data_pipeline.core.errors import InputError, nearest

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlam_train.evaluate.bfcl.package import Package

T = TypeVar("T")

NO_CALL = ("irrelevance", "live_irrelevance")
ANY_CALL = ("live_relevance",)
OTHER_LANGUAGES = ("simple_java", "simple_javascript")  # than Python
AST = (
    "simple_python",
    *OTHER_LANGUAGES,
    "multiple",
    "parallel",
    "parallel_multiple",
    "live_simple",
    "live_multiple",
    "live_parallel",
    "live_parallel_multiple",
)
SINGLE_TURN = (*AST, *NO_CALL, *ANY_CALL)
MULTI_TURN = ("multi_turn_base", "multi_turn_miss_func", "multi_turn_miss_param", "multi_turn_long_context")
CATEGORIES = (*SINGLE_TURN, *MULTI_TURN)
GROUPS: Mapping[str, tuple[str, ...]] = MappingProxyType(
    {
        "all": CATEGORIES,
        # Also the rows of July 2024 that can still be measured.
        "non_live": tuple(name for name in SINGLE_TURN if not name.startswith("live_")),
        "live": tuple(name for name in SINGLE_TURN if name.startswith("live_")),
        "multi_turn": MULTI_TURN,
        # What `xlam eval bfcl` asks unless told: Python alone, one of each kind.
        "core": ("simple_python", "multiple", "parallel", "parallel_multiple", "irrelevance"),
    }
)

# The leaderboard's names of types -> JSON schema's, as its own handlers translate them for models.
_TYPES = MappingProxyType(
    {
        "float": "number",
        "double": "number",
        "bool": "boolean",
        "list": "array",
        "tuple": "array",
        "ArrayList": "array",
        "Array": "array",
        "Queue": "array",
        "Stack": "array",
        "dict": "object",
        "HashMap": "object",
        "Hashtable": "object",
        "any": "string",
        "Any": "string",
        "String": "string",
        "char": "string",
        "byte": "integer",
        "short": "integer",
        "long": "integer",
        "Bigint": "integer",
    }
)


@dataclass(frozen=True)
class Case:
    """One question.

    Attributes:
        id: the leaderboard's.
        category: its category.
        messages: of the user, on the live board also of the system.
        tools: OpenAI function schemas, types in JSON schema's words.
        functions: the descriptions as the checker wants them.
        truth: expected calls; None where only calling or not calling counts.
    """

    id: str
    category: str
    messages: tuple[dict[str, str], ...]
    tools: tuple[dict[str, Any], ...]
    functions: list[dict[str, Any]]
    truth: list[dict[str, Any]] | None

    @property
    def language(self) -> str:
        """Of the functions."""
        return {"simple_java": "java", "simple_javascript": "javascript"}.get(self.category, "python")


def choose_categories(names: Sequence[str]) -> tuple[str, ...]:
    """Categories and groups of them -> categories, each once, in the order of `CATEGORIES`.

    Raises:
        InputError: a name is neither.
    """
    wanted: set[str] = set()
    for name in names:
        if name not in GROUPS and name not in CATEGORIES:
            raise InputError(f"--category: no '{name}'; {nearest(name, (*GROUPS, *CATEGORIES))}")
        wanted.update(GROUPS.get(name, (name,)))
    return tuple(name for name in CATEGORIES if name in wanted)


def load_cases(package: Package, category: str, sample: int | None = None) -> list[Case]:
    """The cases of a category, in the leaderboard's order.

    Args:
        package: the leaderboard's.
        category: one of `SINGLE_TURN`.
        sample: only so many, always the same ones, drawn without looking at them.
    """
    shown = package.load_cases(category)
    checked = package.load_cases(category, include_language_specific_hint=False)
    truths = package.load_truth(category) if category in AST else [{}] * len(shown)
    return draw([_case(*entries, category) for entries in zip(shown, checked, truths, strict=True)], category, sample)


def draw(cases: list[T], category: str, sample: int | None) -> list[T]:
    """So many of the cases, always the same ones, in their order; all if there are no more or none is asked."""
    if sample is None or sample >= len(cases):
        return cases
    chosen = random.Random(category).sample(range(len(cases)), sample)
    return [cases[index] for index in sorted(chosen)]


def _case(shown: dict[str, Any], checked: dict[str, Any], truth: dict[str, Any], category: str) -> Case:
    (turn,) = shown["question"]
    return Case(
        id=shown["id"],
        category=category,
        messages=tuple({"role": m["role"], "content": m["content"]} for m in turn),
        tools=tuple(tool_schema(function) for function in shown["function"]),
        functions=checked["function"],
        truth=truth.get("ground_truth"),
    )


def tool_schema(function: dict[str, Any]) -> dict[str, Any]:
    """A function as the leaderboard describes it -> OpenAI function schema."""
    parameters = {**_schema(function["parameters"]), "type": "object"}
    return {"name": function["name"], "description": function["description"], "parameters": parameters}


def _schema(schema: dict[str, Any]) -> dict[str, Any]:
    """A parameter's description in JSON schema's words, at every depth."""
    found = dict(schema)
    if isinstance(found.get("type"), str):
        found["type"] = _TYPES.get(found["type"], found["type"])
    if isinstance(found.get("properties"), dict):
        found["properties"] = {name: _schema(part) for name, part in found["properties"].items()}
    for key in ("items", "additionalProperties"):
        if isinstance(found.get(key), dict):
            found[key] = _schema(found[key])
    return found
