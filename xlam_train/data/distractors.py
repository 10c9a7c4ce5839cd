"""Tools that may join a tool set without changing any answer on it.

An added tool must be of no use to any query on the tool set. It is of another topic than the tools on offer,
and shares no telling word with a query: queries that no tool on offer can serve (`irrelevance`, or a turn of a
conversation without a call) were mostly written for some other tool, which words give away. For these, the whole
topic of the tool with most words in common is left out as well. Tool sets with such a query from a language model,
which may say the same in other words, or from an unknown writer get no distractors.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pydantic import ValidationError

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import read_jsonl
from data_pipeline.core.schema import Tool, Trajectory, describe

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

COMMON = 0.1
"""Words in more than this share of the tools, such as 'number', tell nothing about which one is asked for."""

_WORD = re.compile(r"[^\W_]+")
_STEM = 5  # letters that are compared: 'convert' is 'conversion'


@dataclass
class _ToolSet:
    """What the samples on one tool set say: bits of telling words, and topics that they may be about."""

    words: int = 0
    topics: set[str] = field(default_factory=set)
    in_doubt: bool = False


class Distractors:
    """The tools of a dataset, and for each of its tool sets, which of them are harmless there."""

    def __init__(self, tools: Iterable[Tool], samples: Iterable[Trajectory]) -> None:
        """Compare every query with every tool.

        Args:
            tools: to draw from; those without a topic, or equal in name to an earlier one, are never drawn.
            samples: all that are trained on.
        """
        self._tools = list({tool.name: tool for tool in tools if tool.topic}.values())
        stems = [_stems(f"{tool.name} {tool.description} {' '.join(tool.properties)}") for tool in self._tools]
        frequency = Counter(stem for found in stems for stem in found)
        telling = sorted(stem for stem, count in frequency.items() if count <= max(1, COMMON * len(self._tools)))
        self._bit = {stem: 1 << position for position, stem in enumerate(telling)}
        self._words = [self._bits(found) for found in stems]
        self._sets: dict[str, _ToolSet] = {}
        for sample in samples:
            self._note(sample)

    @classmethod
    def load(cls, folder: Path) -> Distractors:
        """From a dataset folder.

        Raises:
            InputError: the list of tools or the samples are missing or broken.
        """
        path = folder / "tools.jsonl"
        if not path.is_file():
            raise InputError(f"data.views.distractors: {path} is missing; set it to 0, or generate the data anew")
        try:
            tools = [Tool.model_validate(row) for row in read_jsonl(path)]
        except ValidationError as error:
            raise InputError(f"{path}: {describe(error)}; mend the line") from error
        return cls(tools, read_dataset(folder))

    def harmless(self, tools: tuple[Tool, ...]) -> list[Tool]:
        """The tools that may join a tool set of the dataset; its order counts."""
        queries = self._sets[tool_set(tools)]
        if queries.in_doubt:
            return []
        names, topics = {tool.name for tool in tools}, {tool.topic for tool in tools} | queries.topics
        return [
            tool
            for tool, words in zip(self._tools, self._words, strict=True)
            if words and not words & queries.words and tool.topic not in topics and tool.name not in names
        ]

    def _note(self, sample: Trajectory) -> None:
        noted = self._sets.setdefault(tool_set(sample.tools), _ToolSet())
        for query, refused in _queries(sample):
            words = self._bits(_stems(query))
            noted.words |= words
            if refused:
                noted.topics |= self._topics_of(words)
                noted.in_doubt |= sample.origin is None or sample.origin.generator != "grammar"

    def _topics_of(self, words: int) -> set[str]:
        """The topics of the tools that share most words with a query."""
        shared = [(words & theirs).bit_count() for theirs in self._words]
        most = max(shared, default=0)
        return {tool.topic for tool, count in zip(self._tools, shared, strict=True) if count == most > 0}

    def _bits(self, stems: set[str]) -> int:
        bits = 0
        for stem in stems:
            bits |= self._bit.get(stem, 0)
        return bits


def tool_set(tools: tuple[Tool, ...]) -> str:
    """SHA-256 of what a model sees of the tools, order included."""
    return hashlib.sha256(" ".join(tool.fingerprint for tool in tools).encode()).hexdigest()


def _queries(sample: Trajectory) -> Iterator[tuple[str, bool]]:
    """What the user says, message by message, and whether no tool on offer serves it.

    A style is that of one answer, but all are trained: where there are several, a message that is answered without a
    call counts as one that no tool serves. Behind a tool's result, such an answer only sums up.
    """
    several = sum(message.role == "assistant" for message in sample.messages) > 1
    for at, message in enumerate(sample.messages):
        if message.role == "user":
            answer = next((later for later in sample.messages[at:] if later.role == "assistant"), None)
            called = answer is not None and bool(answer.tool_calls)
            yield message.content, sample.style == "irrelevance" or (several and not called)


def _stems(text: str) -> set[str]:
    return {word[:_STEM] for word in _WORD.findall(text.casefold())}
