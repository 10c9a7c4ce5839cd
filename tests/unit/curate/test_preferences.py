"""Rejected answers that are wrong in one way, and never the chosen one again."""

from __future__ import annotations

import json
import random
from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.dataset import read_dataset, read_preferences
from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import write_jsonl
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall, Trajectory
from data_pipeline.curate.preferences import CALLS_PER_TOOL, FAULTS, CallPool, corrupt, write_preferences

if TYPE_CHECKING:
    from pathlib import Path

UNITS = ["c", "f"]


def tool(name: str, required: list[str], **properties: Any) -> Tool:
    return Tool(
        name=name,
        description=f"{name}.",
        parameters={"type": "object", "properties": properties, "required": required},
    )


WEATHER = tool("weather", ["city"], city={"type": "string"}, unit={"type": "string", "enum": UNITS})
TRAINS = tool("trains", ["city", "hour"], city={"type": "string"}, hour={"type": "integer"})
PING = tool("ping", [])


def call(name: str, **arguments: Any) -> ToolCall:
    return ToolCall(name=name, arguments=arguments)


def sample(*calls: ToolCall, tools: tuple[Tool, ...] = (WEATHER, TRAINS), **more: Any) -> Trajectory:
    messages = (Message(role="user", content="?"), Message(role="assistant", tool_calls=calls))
    return Trajectory(**{"id": "s", "style": "simple", "tools": tools, "messages": messages, **more})


POOL = CallPool.of(
    [
        sample(call("weather", city="Oslo")),
        sample(call("weather", city="Rome", unit="f")),
        sample(call("trains", city="Bern", hour=7)),
        sample(call("ping"), tools=(PING,)),
    ]
)


def all_pairs(of: Trajectory, pool: CallPool = POOL, draws: int = 150) -> dict[str, list[Preference]]:
    """By fault, what many draws give."""
    found: dict[str, list[Preference]] = {}
    for seed in range(draws):
        pair = corrupt(of, pool, random.Random(seed))
        if pair is not None:
            found.setdefault(pair.fault, []).append(pair)
    return found


def rejected(pairs: list[Preference]) -> list[list[dict[str, Any]]]:
    """The different rejected answers."""
    texts = {json.dumps([call.to_dict() for call in pair.rejected.tool_calls], sort_keys=True) for pair in pairs}
    return [json.loads(text) for text in sorted(texts)]


OSLO = sample(call("weather", city="Oslo", unit="c"))


def test_a_pair_keeps_all_but_the_answer() -> None:
    pairs = [pair for many in all_pairs(OSLO).values() for pair in many]
    for pair in pairs:
        assert (pair.id, pair.style, pair.tools, pair.messages) == ("s", "simple", OSLO.tools, OSLO.messages[:-1])
        assert pair.chosen == OSLO.messages[-1]
        assert pair.rejected.role == "assistant"
        assert pair.rejected.tool_calls != pair.chosen.tool_calls
        assert pair.fault in FAULTS


def test_one_call_has_every_fault_that_one_can_have() -> None:
    assert set(all_pairs(OSLO)) == {"other_tool", "missing_argument", "changed_value", "extra_call", "no_call"}


def test_other_tool_keeps_what_it_can_and_borrows_the_rest() -> None:
    assert rejected(all_pairs(OSLO)["other_tool"]) == [[{"name": "trains", "arguments": {"city": "Oslo", "hour": 7}}]]


def test_missing_argument_is_a_required_one() -> None:
    assert rejected(all_pairs(OSLO)["missing_argument"]) == [[{"name": "weather", "arguments": {"unit": "c"}}]]


def test_changed_value_is_of_the_list_or_of_other_calls() -> None:
    assert rejected(all_pairs(OSLO)["changed_value"]) == [
        [{"name": "weather", "arguments": {"city": "Oslo", "unit": "f"}}],
        [{"name": "weather", "arguments": {"city": "Rome", "unit": "c"}}],
    ]


def test_no_call_is_an_empty_answer() -> None:
    (pair, *_) = all_pairs(OSLO)["no_call"]
    assert pair.rejected == Message(role="assistant")


def test_extra_call_is_one_that_was_not_made() -> None:
    first = {"name": "weather", "arguments": {"city": "Oslo", "unit": "c"}}
    assert rejected(all_pairs(OSLO)["extra_call"]) == [
        [first, {"name": "trains", "arguments": {"city": "Bern", "hour": 7}}],
        [first, {"name": "weather", "arguments": {"city": "Oslo"}}],
        [first, {"name": "weather", "arguments": {"city": "Rome", "unit": "f"}}],
    ]


def test_dropped_call_is_one_of_several() -> None:
    two = sample(call("weather", city="Oslo"), call("trains", city="Oslo", hour=9))
    assert rejected(all_pairs(two)["dropped_call"]) == [
        [{"name": "trains", "arguments": {"city": "Oslo", "hour": 9}}],
        [{"name": "weather", "arguments": {"city": "Oslo"}}],
    ]
    assert "dropped_call" not in all_pairs(OSLO)


def test_needless_call_of_an_irrelevant_query() -> None:
    pairs = all_pairs(sample(style="irrelevance"))
    assert set(pairs) == {"needless_call"}
    assert len(rejected(pairs["needless_call"])) == 3


def test_needless_call_completes_what_the_query_begins() -> None:
    begun = sample(style="missing-parameter", incomplete=call("trains", city="Oslo"))
    assert rejected(all_pairs(begun)["needless_call"]) == [
        [{"name": "trains", "arguments": {"city": "Oslo", "hour": 7}}],
    ]


@pytest.mark.parametrize(
    ("value", "others"),
    [
        *((5, [6, 50]), (0, [1]), (2.5, [3.5, 25.0]), (True, [False])),
        *(([1, 2], [[1]]), ("x", []), ([], []), (None, [])),
        (1e308, []),
        pytest.param(10**308, [10**308 + 1], id="a whole number of 309 digits"),
    ],
)
def test_values_without_others_are_a_little_off(value: Any, others: list[Any]) -> None:
    set_ = tool("set", [], level={})
    pairs = all_pairs(sample(call("set", level=value), tools=(set_,)), CallPool())
    found = [answer[0]["arguments"]["level"] for answer in rejected(pairs.get("changed_value", []))]
    assert sorted(found, key=str) == sorted(others, key=str)
    assert [type(one) for one in found] == [type(value)] * len(found)


def test_a_value_that_differs_in_case_only_is_not_taken_for_wrong() -> None:
    pool = CallPool.of([sample(call("weather", city="OSLO")), sample(call("weather", city=" oslo"))])
    assert "changed_value" not in all_pairs(sample(call("weather", city="Oslo")), pool)


def test_the_order_of_calls_and_arguments_is_no_fault() -> None:
    """The only other call known is the one made, so nothing can be added."""
    pool = CallPool.of([sample(call("ping"), tools=(PING,))])
    assert set(all_pairs(sample(call("ping"), tools=(PING,)), pool)) == {"no_call"}


def test_nothing_to_spoil() -> None:
    assert corrupt(sample(style="irrelevance"), CallPool(), random.Random(0)) is None
    asked = sample().model_copy(update={"messages": (Message(role="user", content="?"),)})
    assert corrupt(asked, POOL, random.Random(0)) is None


def test_a_later_turn_is_spoilt_at_its_end_only() -> None:
    talk = (Message(role="user", content="?"), Message(role="assistant", tool_calls=(call("weather", city="Bern"),)))
    longer = OSLO.model_copy(update={"messages": (*talk, Message(role="tool", content="1"), *OSLO.messages)})
    pair = corrupt(longer, POOL, random.Random(0))
    assert pair is not None
    assert (pair.messages, pair.chosen) == (longer.messages[:-1], longer.messages[-1])


def test_the_same_draws_give_the_same_pair() -> None:
    assert corrupt(OSLO, POOL, random.Random(3)) == corrupt(OSLO, POOL, random.Random(3))


def test_a_pool_is_bounded_and_knows_tools_by_what_they_are() -> None:
    many = [sample(call("weather", city=f"City {number}")) for number in range(CALLS_PER_TOOL + 9)]
    assert len(CallPool.of(many).calls(WEATHER)) == CALLS_PER_TOOL
    assert CallPool.of(many).calls(WEATHER.model_copy(update={"description": "Another."})) == ()


@pytest.fixture
def dataset(tmp_path: Path) -> Path:
    samples = [
        sample(call("weather", city=f"City {number}"), id=f"a{number}") if number % 4 else sample(id=f"a{number}")
        for number in range(40)
    ]
    for shard in range(2):
        rows = [one.to_row() for one in samples[shard * 20 : shard * 20 + 20]]
        write_jsonl(tmp_path / "data" / "shards" / f"{shard:04d}.jsonl", rows)
    return tmp_path / "data"


def test_a_dataset_becomes_pairs(dataset: Path, tmp_path: Path) -> None:
    counts = write_preferences(dataset, tmp_path / "pairs", seed=1)
    pairs = list(read_preferences(tmp_path / "pairs"))
    assert [pair.id for pair in pairs] == [one.id for one in read_dataset(dataset)]
    assert counts.total() == 40
    assert counts["skipped"] == 0
    assert counts["needless_call"] == 10
    assert len(counts) > 4
    notes = json.loads((tmp_path / "pairs" / "preferences.json").read_text())
    assert (notes["seed"], notes["pairs"]["needless_call"]) == (1, 10)


def test_the_same_seed_writes_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    def written(name: str, seed: int) -> list[bytes]:
        write_preferences(dataset, tmp_path / name, seed)
        return [path.read_bytes() for path in sorted((tmp_path / name / "shards").iterdir())]

    assert written("a", 1) == written("b", 1)
    assert written("c", 2) != written("a2", 1)


def test_what_is_there_is_not_overwritten(dataset: Path) -> None:
    with pytest.raises(InputError, match="holds a dataset already; choose another folder"):
        write_preferences(dataset, dataset, seed=0)


def test_a_dataset_without_calls(tmp_path: Path) -> None:
    write_jsonl(tmp_path / "data" / "shards" / "0000.jsonl", [sample(style="irrelevance").to_row()])
    with pytest.raises(InputError, match="data: no sample makes a pair, since there is no call in it"):
        write_preferences(tmp_path / "data", tmp_path / "pairs", seed=0)
    assert not (tmp_path / "pairs").exists()


def test_pairs_of_a_run_that_was_broken_off_are_made_anew(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken_off(path: Path, rows: list[dict[str, Any]]) -> None:
        if path.name == "0001.jsonl":
            raise KeyboardInterrupt
        write_jsonl(path, rows)

    with monkeypatch.context() as patched:
        patched.setattr("data_pipeline.curate.preferences.write_jsonl", broken_off)
        with pytest.raises(KeyboardInterrupt):
            write_preferences(dataset, tmp_path / "pairs", seed=1)
    assert not (tmp_path / "pairs" / "shards").exists()
    write_preferences(dataset, tmp_path / "pairs", seed=1)
    assert [pair.id for pair in read_preferences(tmp_path / "pairs")] == [one.id for one in read_dataset(dataset)]
