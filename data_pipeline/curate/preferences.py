"""Preference pairs without a model: a sample's answer is the chosen one, a copy of it with one fault the rejected one.

The faults are those that small models make: the wrong tool of those on offer, a required argument forgotten, a wrong
value, a call too few or too many, no call where one was due, a call where none was. Arguments that a fault needs are
taken from other calls of the dataset, so that they look like any.
"""

from __future__ import annotations

import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from data_pipeline.core.dataset import dataset_fingerprint, read_dataset, read_shard, shard_paths
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_json, write_jsonl
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall, Trajectory, dumps
from data_pipeline.core.seeding import stream
from data_pipeline.core.staged import staged

if TYPE_CHECKING:
    import random
    from collections.abc import Callable, Iterable, Sequence
    from pathlib import Path

CALLS_PER_TOOL = 50
"""Calls of a tool that are remembered: enough for variety, and a pool of thousands of tools stays small."""

FAULTS = {
    "other_tool": "another tool on offer is called",
    "missing_argument": "a required argument is left out",
    "changed_value": "an argument has another value",
    "dropped_call": "one of several calls is left out",
    "extra_call": "a tool on offer is called that was not asked for",
    "no_call": "nothing is called, where a call was due",
    "needless_call": "a tool is called, where none should be",
}
"""What can be wrong with a rejected answer."""


@dataclass
class CallPool:
    """Calls of a dataset by the fingerprint of their tool."""

    by_tool: dict[str, list[ToolCall]] = field(default_factory=dict)

    @classmethod
    def of(cls, samples: Iterable[Trajectory]) -> CallPool:
        """Remember the first calls of each tool."""
        pool = cls()
        for sample in samples:
            tools = {tool.name: tool for tool in sample.tools}
            for call in sample.calls:
                if call.name in tools:
                    known = pool.by_tool.setdefault(tools[call.name].fingerprint, [])
                    if len(known) < CALLS_PER_TOOL and call not in known:
                        known.append(call)
        return pool

    def calls(self, tool: Tool) -> Sequence[ToolCall]:
        """What is known of a tool; its name may be another one by now."""
        return self.by_tool.get(tool.fingerprint, ())


@dataclass(frozen=True)
class _Case:
    """A sample whose last answer is to be spoilt."""

    sample: Trajectory
    pool: CallPool
    rng: random.Random

    @property
    def calls(self) -> tuple[ToolCall, ...]:
        return self.sample.calls

    def tool(self, call: ToolCall) -> Tool | None:
        return next((tool for tool in self.sample.tools if tool.name == call.name), None)

    def shuffled(self, values: Iterable[Any]) -> list[Any]:
        listed = list(values)
        self.rng.shuffle(listed)
        return listed

    def instead(self, position: int, call: ToolCall) -> tuple[ToolCall, ...]:
        return (*self.calls[:position], call, *self.calls[position + 1 :])


def corrupt(sample: Trajectory, pool: CallPool, rng: random.Random) -> Preference | None:
    """A pair of a sample's last answer and one that is wrong in one way, drawn from those that are possible.

    Args:
        sample: a conversation that ends with an answer.
        pool: calls of the dataset.
        rng: of the draws; the same one gives the same pair.

    Returns:
        None if the sample ends with no answer, or nothing is known that would be wrong.
    """
    if not sample.messages or sample.messages[-1].role != "assistant":
        return None
    case = _Case(sample, pool, rng)
    for fault in case.shuffled(_WITH_CALLS if sample.calls else _WITHOUT_CALLS):
        calls = _MAKERS[fault](case)
        if calls is not None and _meaning(calls) != _meaning(sample.calls):
            return Preference(
                id=sample.id,
                style=sample.style,
                tools=sample.tools,
                messages=sample.messages[:-1],
                chosen=sample.messages[-1],
                rejected=Message(role="assistant", tool_calls=calls),
                fault=fault,
            )
    return None


def write_preferences(dataset: Path, out: Path, seed: int) -> Counter[str]:
    """Make a pair of every sample of a dataset that can be spoilt, shard by shard.

    `out/preferences.json` says what they were made of. The same arguments write the same bytes, and all of them appear
    together: after a kill the same command begins anew.

    Returns:
        How many pairs have which fault; `skipped` counts the samples without a pair.

    Raises:
        InputError: there is no dataset, a line is broken, `out` holds a dataset, or no sample has a call.
    """
    if (out / "shards").exists():
        raise InputError(f"{out}: holds a dataset already; choose another folder, or remove it")
    pool = CallPool.of(read_dataset(dataset))
    if not pool.by_tool:
        raise InputError(f"{dataset}: no sample makes a pair, since there is no call in it; take a dataset with calls")
    counts: Counter[str] = Counter()
    with staged(out) as unfinished:
        for path in shard_paths(dataset):
            made = [corrupt(sample, pool, stream(seed, "preference", sample.id)) for sample in read_shard(path)]
            pairs = [pair for pair in made if pair is not None]
            counts.update(pair.fault for pair in pairs)
            counts["skipped"] += len(made) - len(pairs)
            write_jsonl(unfinished / "shards" / path.name, [pair.to_row() for pair in pairs])
        made_of = {"dataset": str(dataset), "dataset_sha256": dataset_fingerprint(dataset), "seed": seed}
        write_json(unfinished / "preferences.json", {**made_of, "pairs": dict(sorted(counts.items()))})
    return counts


def _meaning(calls: Iterable[ToolCall]) -> list[str]:
    """What is called, whatever the order of calls and arguments."""
    return sorted(
        dumps([call.name, sorted((name, dumps(value)) for name, value in call.arguments.items())]) for call in calls
    )


def _other_tool(case: _Case) -> tuple[ToolCall, ...] | None:
    for position in case.shuffled(range(len(case.calls))):
        call = case.calls[position]
        others = [tool for tool in case.sample.tools if tool.name != call.name]
        if others:
            tool = case.rng.choice(others)
            return case.instead(position, ToolCall(name=tool.name, arguments=_arguments(case, tool, call)))
    return None


def _arguments(case: _Case, tool: Tool, call: ToolCall) -> dict[str, Any]:
    """Arguments for a tool: what the call says under the same names, the rest of what is required from the pool."""
    known = case.pool.calls(tool)
    lent = case.rng.choice(known).arguments if known else {}
    names = [name for name in tool.properties if name in call.arguments or (name in lent and name in tool.required)]
    return {name: call.arguments.get(name, lent.get(name)) for name in names}


def _missing_argument(case: _Case) -> tuple[ToolCall, ...] | None:
    for position in case.shuffled(range(len(case.calls))):
        call = case.calls[position]
        tool = case.tool(call)
        given = [name for name in tool.required if name in call.arguments] if tool else []
        if given:
            forgotten = case.rng.choice(given)
            rest = {name: value for name, value in call.arguments.items() if name != forgotten}
            return case.instead(position, ToolCall(name=call.name, arguments=rest))
    return None


def _changed_value(case: _Case) -> tuple[ToolCall, ...] | None:
    for position in case.shuffled(range(len(case.calls))):
        call = case.calls[position]
        for name in case.shuffled(call.arguments):
            others = _other_values(case, call, name)
            if others:
                changed = {**call.arguments, name: case.rng.choice(others)}
                return case.instead(position, ToolCall(name=call.name, arguments=changed))
    return None


def _other_values(case: _Case, call: ToolCall, name: str) -> list[Any]:
    """Values that could be meant, but are not: of the schema's list, or of other calls and a little off."""
    old, tool = call.arguments[name], case.tool(call)
    schema = tool.properties.get(name) if tool else None
    listed = schema.get("enum") if isinstance(schema, dict) else None
    if isinstance(listed, list):
        values = listed
    else:
        known = case.pool.calls(tool) if tool else ()
        values = [other.arguments[name] for other in known if name in other.arguments] + _near(old)
    return [value for value in values if type(value) is type(old) and _folded(value) != _folded(old)]


def _near(value: Any) -> list[Any]:
    if isinstance(value, bool):
        return [not value]
    if isinstance(value, (int, float)):
        near = [value + 1, value * 10] if value else [value + 1]
        # Ten times a very large number is infinite, or too long to write.
        return [other for other in near if abs(other) <= sys.float_info.max]
    return [value[:-1]] if isinstance(value, list) and value else []


def _folded(value: Any) -> str:
    """A value as text, without the differences that need not be mistakes."""
    return "".join(dumps(value).casefold().split())


def _dropped_call(case: _Case) -> tuple[ToolCall, ...] | None:
    if len(case.calls) < 2:
        return None
    left_out = case.rng.randrange(len(case.calls))
    return case.calls[:left_out] + case.calls[left_out + 1 :]


def _extra_call(case: _Case) -> tuple[ToolCall, ...] | None:
    known = _offered_calls(case)
    return (*case.calls, case.rng.choice(known)) if known else None


def _offered_calls(case: _Case) -> list[ToolCall]:
    """Calls of the tools on offer that the answer does not make."""
    wanted = {text for call in case.calls for text in _meaning([call])}
    found = [
        ToolCall(name=tool.name, arguments=call.arguments)
        for tool in case.sample.tools
        for call in case.pool.calls(tool)
    ]
    return [call for call in found if not wanted.intersection(_meaning([call]))]


def _no_call(case: _Case) -> tuple[ToolCall, ...]:
    return ()


def _needless_call(case: _Case) -> tuple[ToolCall, ...] | None:
    """The call that the query begins, with what is missing made up, or any of the tools on offer."""
    begun = case.sample.incomplete
    tool = case.tool(begun) if begun else None
    if begun and tool:
        made_up = _arguments(case, tool, begun)
        if all(name in made_up for name in tool.required):
            return (ToolCall(name=tool.name, arguments=made_up),)
    known = _offered_calls(case)
    return (case.rng.choice(known),) if known else None


_MAKERS: dict[str, Callable[[_Case], tuple[ToolCall, ...] | None]] = {
    "other_tool": _other_tool,
    "missing_argument": _missing_argument,
    "changed_value": _changed_value,
    "dropped_call": _dropped_call,
    "extra_call": _extra_call,
    "no_call": _no_call,
    "needless_call": _needless_call,
}
_WITHOUT_CALLS = ("needless_call",)
_WITH_CALLS = tuple(fault for fault in _MAKERS if fault not in _WITHOUT_CALLS)
