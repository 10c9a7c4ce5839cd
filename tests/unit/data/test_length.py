"""Samples above the longest length: never a cut answer, and everything that is left out is counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Preference, Tool, ToolCall, Trajectory
from xlam_train.data.length import NAMED, LengthCounts, fit, fit_pair, shortenings
from xlam_train.data.render import Renderer
from xlam_train.model import load_tokenizer

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

TOOL = Tool(name="look", description="", parameters={"type": "object", "properties": {}})
SYSTEM = Message(role="system", content="S")


def user(text: str) -> Message:
    return Message(role="user", content=text)


def answer(number: int) -> Message:
    return Message(role="assistant", tool_calls=(ToolCall(name="look", arguments={"at": number}),))


def result(text: str) -> Message:
    return Message(role="tool", content=text)


def sample(*messages: Message) -> Trajectory:
    return Trajectory(id="s", style="simple", tools=(TOOL,), messages=messages)


CHAT = sample(
    SYSTEM,
    user("one"),
    answer(1),
    result("r1"),
    answer(2),
    user("two"),
    answer(3),
    result("r3"),
    user("three"),
    answer(4),
)
AGENT = sample(user("go"), *(m for n in range(6) for m in (answer(n), result(f"result {n}"))), answer(9))


@pytest.fixture(scope="module")
def renderer(tiny_base: Path) -> Renderer:
    return Renderer(load_tokenizer(tiny_base))


@pytest.fixture(scope="module")
def text_of(tiny_base: Path) -> Callable[..., str]:
    tokenizer: Any = load_tokenizer(tiny_base)
    return lambda row: str(tokenizer.decode(row.ids))


def lengths(renderer: Renderer, of: Trajectory) -> list[int]:
    return [len(row.ids) for row in renderer.encode_rows(of)]


def test_oldest_exchanges_go_first() -> None:
    before = CHAT.messages[:-1]
    assert list(shortenings(before)) == [
        (SYSTEM, user("two"), answer(3), result("r3"), user("three")),
        (SYSTEM, user("three")),
    ]


def test_then_the_oldest_answers_to_the_last_question() -> None:
    asked = (
        SYSTEM,
        user("one"),
        answer(1),
        user("two"),
        answer(2),
        result("r2"),
        result("s2"),
        answer(3),
        result("r3"),
    )
    assert list(shortenings(asked)) == [
        (SYSTEM, user("two"), answer(2), result("r2"), result("s2"), answer(3), result("r3")),
        (SYSTEM, user("two"), answer(3), result("r3")),
    ]


@pytest.mark.parametrize(
    "messages", [(), (user("a"),), (SYSTEM, user("a"), user("b")), (user("a"), answer(1), result("r"))]
)
def test_what_an_answer_answers_to_stays(messages: tuple[Message, ...]) -> None:
    assert list(shortenings(messages)) == []


@pytest.mark.parametrize("policy", ["error", "drop", "truncate"])
@pytest.mark.parametrize("of", [CHAT, AGENT])
def test_short_enough_is_left_alone(renderer: Renderer, policy: Any, of: Trajectory) -> None:
    counts = LengthCounts()
    assert fit(renderer, of, policy, max(lengths(renderer, of)), counts) == renderer.encode_rows(of)
    assert counts == LengthCounts()


def test_error(renderer: Renderer) -> None:
    most = max(lengths(renderer, CHAT)) - 1
    with pytest.raises(
        InputError, match=rf"sample s#4: {most + 1} tokens are more than data.max_length \({most}\); raise"
    ):
        fit(renderer, CHAT, "error", most, LengthCounts())


def test_drop_leaves_out_the_sample_and_says_so(renderer: Renderer) -> None:
    counts = LengthCounts()
    assert fit(renderer, CHAT, "drop", max(lengths(renderer, CHAT)) - 1, counts) == []
    assert counts == LengthCounts(dropped=1, dropped_ids=["s"])


def test_truncate_leaves_out_turns_and_keeps_every_answer(renderer: Renderer, text_of: Callable[..., str]) -> None:
    counts = LengthCounts()
    whole = renderer.encode_rows(AGENT)
    most = len(whole[3].ids)
    rows = fit(renderer, AGENT, "truncate", most, counts)
    assert counts == LengthCounts(truncated=1)
    assert rows[:4] == whole[:4]
    assert [row.sample_id for row in rows] == [row.sample_id for row in whole]
    assert all(len(row.ids) <= most for row in rows)
    for short, long in zip(rows, whole, strict=True):
        trained = sum(long.trainable)
        assert (short.ids[-trained:], sum(short.trainable)) == (long.ids[-trained:], trained)
    # The last row has what is newest, in order, behind the tools and the question.
    text = text_of(rows[-1])
    assert "result 0" not in text
    assert text.index('"look"') < text.index("\ngo\n") < text.index("result 4") < text.index("result 5")


def test_truncate_leaves_out_no_more_than_it_takes(renderer: Renderer) -> None:
    whole = lengths(renderer, AGENT)
    rows = fit(renderer, AGENT, "truncate", whole[-1] - 1, LengthCounts())
    assert rows[:-1] == renderer.encode_rows(AGENT)[:-1]
    one_less = sample(AGENT.messages[0], *AGENT.messages[3:])
    assert rows[-1].ids == renderer.encode_rows(one_less)[-1].ids


def test_a_single_turn_that_does_not_fit_is_left_out(renderer: Renderer) -> None:
    counts = LengthCounts()
    one = sample(user("word " * 50), answer(1))
    assert fit(renderer, one, "truncate", max(lengths(renderer, one)) - 1, counts) == []
    assert counts == LengthCounts(dropped=1, dropped_ids=["s"])


def test_a_turn_that_never_fits_does_not_take_the_others_along(renderer: Renderer) -> None:
    counts = LengthCounts()
    mixed = sample(user("a"), answer(1), result("r " * 300), answer(2), user("b"), answer(3))
    short, long, again = lengths(renderer, mixed)
    assert short < long < again
    rows = fit(renderer, mixed, "truncate", short + 20, counts)
    assert [row.sample_id for row in rows] == ["s#1", "s#3"]
    assert counts == LengthCounts(dropped=1, truncated=1, dropped_ids=["s#2"])
    counts = LengthCounts()
    rows = fit(renderer, sample(*mixed.messages[:4]), "truncate", short + 20, counts)
    assert [row.sample_id for row in rows] == ["s#1"]
    assert counts == LengthCounts(dropped=1, dropped_ids=["s#2"]), "no answer lost its oldest turns"


def test_ids_of_the_first_only() -> None:
    counts = LengthCounts()
    for number in range(NAMED + 5):
        counts.drop(f"s{number}")
    assert (counts.dropped, counts.dropped_ids) == (NAMED + 5, [f"s{number}" for number in range(NAMED)])


def pair(messages: tuple[Message, ...]) -> Preference:
    rejected = Message(role="assistant", content="No. " * 20)
    return Preference(id="p", style="simple", tools=(TOOL,), messages=messages, chosen=answer(9), rejected=rejected)


def test_a_pair_is_shortened_on_both_sides_alike(renderer: Renderer) -> None:
    whole = pair(AGENT.messages[:-1])
    chosen, rejected = renderer.encode_pair(whole)
    most = len(rejected.ids) - 1
    assert len(chosen.ids) < most, "the rejected answer alone is too long"
    counts = LengthCounts()
    with pytest.raises(InputError, match="sample p/rejected: "):
        fit_pair(renderer, whole, "error", most, counts)
    assert fit_pair(renderer, whole, "error", most + 1, counts) == (chosen, rejected)
    assert fit_pair(renderer, whole, "drop", most, counts) is None
    assert counts == LengthCounts(dropped=1, dropped_ids=["p"])
    short = fit_pair(renderer, whole, "truncate", most, counts)
    assert short == renderer.encode_pair(pair((AGENT.messages[0], *AGENT.messages[3:-1])))
    assert counts.truncated == 1
    assert fit_pair(renderer, pair((user("hi"),)), "truncate", 50, counts) is None
    assert counts.dropped == 2
