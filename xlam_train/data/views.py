"""Other looks of the same samples, drawn anew for every epoch: order, distractors, names, conversion.

The answer stays right under every view. A view belongs to a tool set, not to a sample: it is drawn from a
stream named by seed, epoch and tool set, so that samples on one tool set still share their prompt, which is
what prefix-tree packing lives on. Masked names are Hammer's (Lin et al. 2024): a model that cannot rely on
names reads descriptions. A tool set keeps its names where an answer's text says one, as a thought does: only calls
are renamed.
"""

from __future__ import annotations

import re
import string
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.core.seeding import stream
from xlam_train.data.distractors import Distractors, tool_set

if TYPE_CHECKING:
    import random
    from collections.abc import Mapping

    from data_pipeline.core.variants import ToolConversion, Variant
    from xlam_train.recipe import DataSection

OTHER: Mapping[ToolConversion, ToolConversion] = {"card": "leaderboard", "leaderboard": "card"}

NAME_LENGTHS = (6, 12)
"""Shortest and longest masked name, in characters."""

_WITH_TEXT: tuple[Variant, ...] = ("xlam-1-history", "actionstudio")  # the others leave out what is said beside calls
_LETTERS = string.ascii_letters
_RENAMABLE = {"type", "properties", "required", "additionalProperties", "title", "description", "$schema"}


@dataclass(frozen=True)
class Names:
    """What a tool and its parameters are called instead; parameters that keep their names are left out."""

    tool: str
    parameters: Mapping[str, str]

    def of(self, call: ToolCall) -> ToolCall:
        """The same call by the other names."""
        arguments = {self.parameters.get(name, name): value for name, value in call.arguments.items()}
        return ToolCall(name=self.tool, arguments=arguments)


@dataclass(frozen=True)
class View:
    """How the samples on one tool set look.

    Attributes:
        tools: on offer, in the order of the prompt.
        conversion: how their schemas stand in the prompt.
        names: original tool name -> other names; tools that keep theirs are left out.
    """

    tools: tuple[Tool, ...]
    conversion: ToolConversion
    names: Mapping[str, Names] = field(default_factory=dict)

    def apply(self, sample: Trajectory) -> Trajectory:
        """The sample as it looks: the same query, other tools, and an answer that calls them by their names."""
        changed: dict[str, Any] = {"tools": self.tools}
        if self.names:
            changed["messages"] = tuple(map(self._renamed, sample.messages))
            changed["incomplete"] = sample.incomplete and self._by_other_names(sample.incomplete)
        if sample.style == "simple" and len(self.tools) > 1:
            changed["style"] = "multiple"  # a distractor makes it a choice
        return sample.model_copy(update=changed)

    def _renamed(self, message: Message) -> Message:
        return message.model_copy(update={"tool_calls": tuple(map(self._by_other_names, message.tool_calls))})

    def _by_other_names(self, call: ToolCall) -> ToolCall:
        return self.names[call.name].of(call) if call.name in self.names else call


class Views:
    """Draws the views of a dataset; the same recipe, data and epoch give the same ones."""

    def __init__(self, data: DataSection, seed: int) -> None:
        """Read what distractors can be drawn from, if any are wanted, and which names have to stay, if any are masked.

        Args:
            data: the dataset and its settings.
            seed: of the draws.

        Raises:
            InputError: distractors are wanted, but the dataset's list of tools is missing or broken; or names are
                masked where answers have text, and the dataset is missing or broken.
        """
        self._settings = data.views
        self._conversion: ToolConversion = data.conversion
        self._seed = seed
        self._distractors = Distractors.load(data.path) if data.views.distractors else None
        self._named: frozenset[str] = frozenset()
        if data.views.mask_names and data.variant in _WITH_TEXT:
            self._named = frozenset(tool_set(sample.tools) for sample in read_dataset(data.path) if _says_name(sample))
        self._last: tuple[tuple[int, str], View] | None = None

    def of(self, sample: Trajectory, epoch: int) -> View:
        """The view of the sample's tool set in an epoch, counted from 0."""
        key = (epoch, tool_set(sample.tools))
        if self._last is None or self._last[0] != key:  # neighbours mostly share their tools
            self._last = (key, self._draw(sample.tools, *key))
        return self._last[1]

    def _draw(self, tools: tuple[Tool, ...], epoch: int, fingerprint: str) -> View:
        """One stream for each kind of change, so that turning one off leaves the others as they are."""
        settings = self._settings

        def rng(name: str) -> random.Random:
            return stream(self._seed, "view", epoch, fingerprint, name)

        shown, conversion = list(tools), self._conversion
        names: dict[str, Names] = {}
        shuffling, masking, converting = rng("shuffle"), rng("mask"), rng("conversion")
        if shuffling.random() < settings.shuffle_tools:
            shuffling.shuffle(shown)
        if self._distractors is not None:
            _insert(shown, self._distractors.harmless(tools), settings.distractors, rng("distractors"))
        if masking.random() < settings.mask_names and fingerprint not in self._named:
            shown, names = _masked(shown, masking)
        if converting.random() < settings.other_conversion:
            conversion = OTHER[conversion]
        return View(tuple(shown), conversion, names)


def _insert(shown: list[Tool], harmless: list[Tool], most: int, rng: random.Random) -> None:
    """Add up to `most` tools, anywhere: were they the last ones, their place would give them away."""
    for tool in rng.sample(harmless, min(rng.randint(0, most), len(harmless))):
        shown.insert(rng.randint(0, len(shown)), tool)


def _says_name(sample: Trajectory) -> bool:
    """Whether the text of an answer has the name of a tool on offer, or of a parameter that is no plain word.

    A text that has the word `city` need not mean the parameter.
    """
    names = {tool.name for tool in sample.tools}
    names |= {name for tool in sample.tools for name in tool.properties if not (name.isalpha() and name.islower())}
    said = [message.content for message in sample.messages if message.role == "assistant" and message.content]
    found = ((name, text) for name in names for text in said if name and name in text)
    return any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", text) for name, text in found)


def _masked(tools: list[Tool], rng: random.Random) -> tuple[list[Tool], dict[str, Names]]:
    """The tools by random names; those without a description would not be recognised and keep theirs."""
    shown, names = list(tools), {}
    taken = {tool.name for tool in tools}
    for index, tool in enumerate(tools):
        if tool.description:
            given = Names(_new_name(rng, taken), _parameter_names(tool, rng))
            shown[index], names[tool.name] = _renamed(tool, given), given
    return shown, names


def _parameter_names(tool: Tool, rng: random.Random) -> dict[str, str]:
    """Other names for described parameters; none where the schema may speak of parameters in other places."""
    if not _RENAMABLE.issuperset(tool.parameters) or '"#/properties/' in tool.json_text:
        return {}
    taken = set(tool.properties)
    described = [
        name for name, schema in tool.properties.items() if isinstance(schema, dict) and schema.get("description")
    ]
    return {name: _new_name(rng, taken) for name in described}


def _renamed(tool: Tool, names: Names) -> Tool:
    parameters: dict[str, Any] = dict(tool.parameters)
    if names.parameters:
        parameters["properties"] = {names.parameters.get(name, name): s for name, s in tool.properties.items()}
    if "required" in parameters:
        parameters["required"] = [names.parameters.get(name, name) for name in tool.required]
    # Built anew, because a copy would keep the text and fingerprint that are cached in the tool.
    fields = {name: getattr(tool, name) for name in Tool.model_fields}
    return Tool(**{**fields, "name": names.tool, "parameters": parameters})


def _new_name(rng: random.Random, taken: set[str]) -> str:
    """A random identifier that was not taken; it is now."""
    while True:
        rest = rng.choices(_LETTERS + string.digits, k=rng.randint(*NAME_LENGTHS) - 1)
        name = "".join([rng.choice(_LETTERS), *rest])
        if name not in taken:
            taken.add(name)
            return name
