"""Keeps the Berkeley Function Calling Leaderboard's questions and tools out of training data.

The rule is the usual one of n-gram overlap (Brown et al. 2020 used 13 words for documents; queries are
shorter): a query is contaminated if it shares eight words in a row with a question, or is a question of fewer
words; a sample is also contaminated if a tool on offer has the name and description of the benchmark's. Case
and punctuation do not count. The benchmark's cases are read for this comparison and for nothing else.
"""

from __future__ import annotations

import json
import re
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from data_pipeline.core.schema import Tool

PACKAGE = "bfcl-eval"
INSTALL = "pip install --no-deps bfcl-eval==2026.3.23"

NGRAM_WORDS = 8

_WORD = re.compile(r"[^\W_]+")
_SPACE = re.compile(r"\s*")
_SOLUTIONS = "possible_answer"  # folders of expected calls, which hold no questions


class Decontaminator:
    """The benchmark's n-grams and tools as sets of 64-bit hashes; one process builds and uses it."""

    def __init__(self, questions: Iterable[str], tools: Iterable[tuple[str, str]], version: str) -> None:
        """Hash what is to be found.

        Args:
            questions: the benchmark's user messages.
            tools: name and description of each of its tools.
            version: of the package they are from.
        """
        words = {tuple(_words(question)) for question in questions} - {()}
        # Python's own hash is the fastest and differs between processes, but no hash leaves this one.
        self._ngrams = {hash(ngram) for question in words for ngram in _ngrams(question)}
        self._tools = {_tool_hash(name, description) for name, description in tools}
        self._summary: dict[str, str | int] = {
            "package": f"{PACKAGE} {version}",
            "questions": len(words),
            "tools": len(self._tools),
            "ngrams": len(self._ngrams),
            "ngram_words": NGRAM_WORDS,
        }

    @classmethod
    def load(cls) -> Decontaminator:
        """Read the installed package's data files; none of its code is imported, which would need much more.

        Raises:
            InputError: the package is missing, or its data is not where it should be.
        """
        try:
            package = distribution(PACKAGE)
        except PackageNotFoundError as error:
            raise InputError(f"decontaminate: needs the leaderboard's questions; {INSTALL}") from error
        questions, tools = [], []
        for found in _objects(Path(str(package.locate_file("bfcl_eval/data")))):
            if found.get("role") == "user":
                questions.append(found["content"])
            elif _is_tool(found):
                tools.append((found["name"], found["description"]))
        if not (questions and tools):
            raise InputError(f"decontaminate: {PACKAGE} {package.version} holds no questions or tools; {INSTALL}")
        return cls(questions, tools, package.version)

    def check(self, sample: Trajectory) -> Verdict | None:
        """The refusal, or None."""
        detail = self._overlap(sample)
        return Verdict(stage="curate", passed=False, reason="in_benchmark", detail=detail) if detail else None

    def summary(self) -> dict[str, str | int]:
        """For the dataset card: `package` with version, and the numbers of `questions`, `tools` and `ngrams`."""
        return dict(self._summary)

    def _overlap(self, sample: Trajectory) -> str:
        for message in sample.messages:
            if message.role == "user" and not self._ngrams.isdisjoint(map(hash, _ngrams(_words(message.content)))):
                return f"{NGRAM_WORDS} words in a row, or all: {message.content}"
        return next((f"the tool {tool.name}" for tool in sample.tools if self._holds(tool)), "")

    def _holds(self, tool: Tool) -> bool:
        return _tool_hash(tool.name, tool.description) in self._tools


def _words(text: str) -> list[str]:
    return _WORD.findall(text.casefold())


def _ngrams(words: list[str] | tuple[str, ...]) -> Iterable[tuple[str, ...]]:
    """Every run of `NGRAM_WORDS` words; all words of a shorter text."""
    if len(words) <= NGRAM_WORDS:
        return (tuple(words),)
    return zip(*(words[start:] for start in range(NGRAM_WORDS)))  # noqa: B905


def _tool_hash(name: str, description: str) -> int:
    return hash((*_words(name), "", *_words(description)))


def _is_tool(found: dict[str, Any]) -> bool:
    texts = isinstance(found.get("name"), str) and isinstance(found.get("description"), str)
    return texts and isinstance(found.get("parameters"), dict)


def _objects(folder: Path) -> Iterator[dict[str, Any]]:
    """Every JSON object in the data files, nested ones too."""
    for path in sorted(folder.rglob("*.json")):
        if _SOLUTIONS not in path.parts:
            for value in _values(path.read_text(encoding="utf-8"), path):
                yield from _nested(value)


def _values(text: str, path: Path) -> Iterator[Any]:
    """The JSON values of a file, one or many: most hold one a line."""
    decoder, at = json.JSONDecoder(), _after_space(text, 0)
    while at < len(text):
        try:
            value, end = decoder.raw_decode(text, at)
        except ValueError as error:
            raise InputError(f"decontaminate: {path} is broken ({error}); {INSTALL}") from error
        yield value
        at = _after_space(text, end)


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    assert found is not None  # matches nothing, too
    return found.end()


def _nested(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict):
        yield value
        value = list(value.values())
    if isinstance(value, list):
        for entry in value:
            yield from _nested(entry)
