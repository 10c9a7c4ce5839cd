"""Small datasets of every kind that the recipes of the family train on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall, Trajectory

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


def questions(tool_sets: int = 6, queries: int = 4) -> list[Trajectory]:
    """One turn each; queries and answers differ in length, every fourth is refused."""
    return [_question(number, query) for number in range(tool_sets) for query in range(queries)]


def conversations(count: int = 4) -> list[Trajectory]:
    """Three answers each: a call, another one after what the first returned, and none."""
    return [_conversation(number) for number in range(count)]


def pairs(samples: Sequence[Trajectory]) -> list[Preference]:
    """The last answer of each sample, and one that calls for another place."""
    return [_pair(sample) for sample in samples]


def write_dataset(folder: Path, rows: Sequence[Trajectory] | Sequence[Preference]) -> Path:
    """A dataset folder with one shard."""
    (folder / "shards").mkdir(parents=True)
    write_jsonl(folder / "shards" / "0000.jsonl", [row.to_row() for row in rows])
    return folder


def _tools(number: int) -> tuple[Tool, ...]:
    city = {"type": "string", "description": "Name of the city."}
    days = {"type": "integer", "description": "Days from now."}
    parameters = {"type": "object", "properties": {"city": city, "days": days}, "required": ["city"]}
    names = (f"weather_{number}", f"tide_{number}")
    return tuple(Tool(name=name, description=f"Tells the {name}.", parameters=parameters) for name in names)


def _call(number: int, days: int) -> ToolCall:
    return ToolCall(name=f"weather_{number}", arguments={"city": f"Town {number}", "days": days})


def _ask(number: int, days: int) -> Message:
    return Message(role="user", content=f"Will it {'really ' * days}rain in Town {number} in {days} days?")


def _question(number: int, query: int) -> Trajectory:
    calls = () if query == 3 else tuple(_call(number, day) for day in range(1 + query % 2))
    messages = (_ask(number, query), Message(role="assistant", tool_calls=calls))
    style = "simple" if calls else "irrelevance"
    return Trajectory(id=f"q{number}-{query}", style=style, tools=_tools(number), messages=messages)


def _conversation(number: int) -> Trajectory:
    messages: list[Message] = []
    for days in range(2):
        messages += [_ask(number, days), Message(role="assistant", tool_calls=(_call(number, days),))]
        messages += [Message(role="tool", content=f'{{"rain": {days}}}')]
    messages += [Message(role="user", content="Thank you."), Message(role="assistant", content="You are welcome.")]
    return Trajectory(id=f"c{number}", style="simple", tools=_tools(number), messages=tuple(messages))


def _pair(sample: Trajectory) -> Preference:
    answer = sample.messages[-1]
    calls = answer.tool_calls or (_call(0, 9),)
    wrong = tuple(ToolCall(name=call.name, arguments={**call.arguments, "city": "Nowhere"}) for call in calls)
    return Preference(
        id=sample.id,
        style=sample.style,
        tools=sample.tools,
        messages=sample.messages[:-1],
        chosen=answer,
        rejected=Message(role="assistant", tool_calls=wrong),
    )
