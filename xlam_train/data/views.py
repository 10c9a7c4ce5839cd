"""Views of a sample: the same task under other names, so that names are read from the prompt.

A small model otherwise learns to make a function's name out of the question's words, which fails on the
first tool it has not seen. Masking names against that is the idea of Hammer (Lin et al. 2024); here
names are restyled, not made meaningless, because a run of minutes cannot learn to do without them.
"""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

from data_pipeline.core.seeding import stream

if TYPE_CHECKING:
    from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory

Restyle = Callable[[list[str], random.Random], str]
VERBS = ("get", "run", "do", "call", "fetch", "api", "tool")
SUFFIXES = ("v2", "service", "api", "tool", "action", "now")
PREFIXES = ("input", "the", "arg", "my", "given")


def _camel(words: list[str], _: random.Random) -> str:
    return words[0] + "".join(word.capitalize() for word in words[1:])


def _reversed(words: list[str], _: random.Random) -> str:
    return "_".join([*words[1:], words[0]])


def _dotted(words: list[str], _: random.Random) -> str:
    return f"{words[-1]}.{'_'.join(words[:-1]) or 'run'}"


def _prefixed(words: list[str], rng: random.Random) -> str:
    return "_".join([rng.choice(VERBS), *words])


def _suffixed(words: list[str], rng: random.Random) -> str:
    return "_".join([*words, rng.choice(SUFFIXES)])


def _shortened(words: list[str], _: random.Random) -> str:
    return "_".join(word[:4] for word in words)


def _given(words: list[str], rng: random.Random) -> str:
    return "_".join([rng.choice(PREFIXES), *words])


TOOL_STYLES: tuple[Restyle, ...] = (_camel, _reversed, _dotted, _prefixed, _suffixed, _shortened)
PARAMETER_STYLES: tuple[Restyle, ...] = (_camel, _reversed, _shortened, _given)


def restyle_names(sample: Trajectory, share: float, seed: int) -> Trajectory:
    """The sample with renamed tools and top-level parameters, in the tools and in the calls alike.

    The names depend on the offered tools and the seed alone, so that samples on one tool list keep one prompt.

    Args:
        sample: a single-turn sample.
        share: probability that a tool is renamed, and as often, on its own draw, its parameters.
        seed: of the draws.
    """
    if share == 0:
        return sample
    rng = stream(seed, "names", *(tool.fingerprint for tool in sample.tools))
    tools = {tool.name: _restyle(tool, share, rng) for tool in sample.tools}
    if len({tool.name for tool, _ in tools.values()}) < len(tools):
        return sample  # two names have become one
    return sample.model_copy(
        update={
            "tools": tuple(tool for tool, _ in tools.values()),
            "messages": tuple(_rename_calls(message, tools) for message in sample.messages),
        }
    )


def _restyle(tool: Tool, share: float, rng: random.Random) -> tuple[Tool, dict[str, str]]:
    """The renamed tool, and its parameters' old names -> new ones."""
    name = rng.choice(TOOL_STYLES)(tool.name.split("_"), rng) if rng.random() < share else tool.name
    old = list(tool.properties)
    style = rng.choice(PARAMETER_STYLES)
    new = [style(entry.split("_"), rng) for entry in old] if rng.random() < share else old
    names = dict(zip(old, new if len(set(new)) == len(old) else old, strict=True))
    parameters: dict[str, Any] = {
        **tool.parameters,
        "properties": {names[key]: schema for key, schema in tool.properties.items()},
        "required": [names.get(key, key) for key in tool.required],
    }
    return tool.model_copy(update={"name": name, "parameters": parameters}), names


def _rename_calls(message: Message, tools: dict[str, tuple[Tool, dict[str, str]]]) -> Message:
    return message.model_copy(update={"tool_calls": tuple(_rename(call, tools) for call in message.tool_calls)})


def _rename(call: ToolCall, tools: dict[str, tuple[Tool, dict[str, str]]]) -> ToolCall:
    tool, names = tools[call.name]
    arguments = {names.get(key, key): value for key, value in call.arguments.items()}
    return call.model_copy(update={"name": tool.name, "arguments": arguments})
