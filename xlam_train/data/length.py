"""Samples above the longest length: an error, left out, or without their oldest turns. An answer is never cut."""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal, TypeVar

from xlam_train.data.render import checked

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from data_pipeline.core.schema import Message, Preference, Trajectory
    from data_pipeline.core.variants import ToolConversion
    from xlam_train.data.render import Encoded, Renderer

TooLong = Literal["error", "drop", "truncate"]
Rows = TypeVar("Rows", bound="Sequence[Encoded]")

NAMED = 10
"""Samples and answers that are remembered by their ids."""


@dataclass
class LengthCounts:
    """What length did to samples so far.

    Attributes:
        dropped: samples that were left out, and single answers of others, which no shortening makes fit.
        truncated: samples of which an answer stays without its oldest turns.
        dropped_ids: ids of the first that were left out; an answer's is that of its row.
    """

    dropped: int = 0
    truncated: int = 0
    dropped_ids: list[str] = field(default_factory=list)

    def drop(self, name: str) -> None:
        """Count a sample, or one of its answers, that is left out."""
        self.dropped += 1
        if len(self.dropped_ids) < NAMED:
            self.dropped_ids.append(name)


def fit(
    renderer: Renderer,
    sample: Trajectory,
    policy: TooLong,
    max_length: int,
    counts: LengthCounts,
    conversion: ToolConversion | None = None,
) -> list[Encoded]:
    """The rows of a sample that are short enough; [] where it is left out. What is left out is counted.

    `drop` leaves out a sample with a row that is too long. `truncate` leaves out a row's oldest turns, as far as it
    takes, and the row if that is not enough.

    Args:
        renderer: for tokenizer and variant.
        sample: as it looks in this epoch.
        policy: `data.too_long`.
        max_length: most tokens of a row.
        counts: is added to.
        conversion: of the schemas, if not the renderer's.

    Raises:
        InputError: as `Renderer.encode_rows`, or the policy is `error` and a row is too long.
    """
    rows = renderer.encode_rows(sample, conversion)
    if policy == "error" or _short(rows, max_length):
        return [checked(row, max_length) for row in rows]
    if policy == "drop":
        counts.drop(sample.id)
        return []
    shortened = _shortened_rows(renderer, sample, rows, max_length, conversion)
    kept = [row for row in shortened if row is not None]
    lost = [row.sample_id for row, left in zip(rows, shortened, strict=True) if left is None]
    for name in lost if kept else [sample.id]:
        counts.drop(name)
    counts.truncated += any(row not in rows for row in kept)
    return kept


def fit_pair(
    renderer: Renderer, preference: Preference, policy: TooLong, max_length: int, counts: LengthCounts
) -> tuple[Encoded, Encoded] | None:
    """The two rows of a pair, both short enough and on the same prompt; None where it is left out, which is counted.

    Raises:
        InputError: as `Renderer.encode_pair`, or the policy is `error` and a row is too long.
    """
    rows = renderer.encode_pair(preference)
    if policy == "error" or _short(rows, max_length):
        return checked(rows[0], max_length), checked(rows[1], max_length)

    def encode(messages: tuple[Message, ...]) -> tuple[Encoded, Encoded]:
        return renderer.encode_pair(preference.model_copy(update={"messages": messages}))

    kept = _longest_fitting(encode, preference.messages, max_length) if policy == "truncate" else None
    if kept is None:
        counts.drop(preference.id)
    else:
        counts.truncated += 1
    return kept


def shortenings(messages: Sequence[Message]) -> Iterator[tuple[Message, ...]]:
    """A prompt with its oldest turns left out, one after the other.

    What the system says stays. First go whole exchanges, each with what a user said and all that followed; then, of
    the last exchange, the assistant's oldest answers with their results, down to the newest one: without its results,
    nobody could tell the answer that is asked for.
    """
    start = next((at for at, message in enumerate(messages) if message.role != "system"), len(messages))
    system, rest = tuple(messages[:start]), tuple(messages[start:])
    asked = [at for at in range(1, len(rest)) if rest[at].role == "user" and rest[at - 1].role != "user"]
    for at in asked:
        yield system + rest[at:]
    last = rest[asked[-1] :] if asked else rest
    answers = [at for at, message in enumerate(last) if message.role == "assistant"]
    for at in answers[1:]:
        yield system + last[: answers[0]] + last[at:]


def _shortened_rows(
    renderer: Renderer,
    sample: Trajectory,
    rows: Sequence[Encoded],
    max_length: int,
    conversion: ToolConversion | None,
) -> list[Encoded | None]:
    """Each row as it is, or without as many of its oldest turns as it takes; None where that is not enough."""
    answers = [at for at, message in enumerate(sample.messages) if message.role == "assistant"]
    shortened: list[Encoded | None] = []
    for at, row in zip(answers, rows, strict=True):

        def encode(before: tuple[Message, ...], at: int = at, name: str = row.sample_id) -> list[Encoded]:
            return [renderer.encode_answer(sample, (*before, sample.messages[at]), name, conversion)]

        if len(row.ids) <= max_length:
            shortened.append(row)
        else:
            found = _longest_fitting(encode, sample.messages[:at], max_length)
            shortened.append(found[0] if found else None)
    return shortened


def _longest_fitting(
    encode: Callable[[tuple[Message, ...]], Rows], messages: Sequence[Message], max_length: int
) -> Rows | None:
    """The rows with the fewest turns left out that are short enough."""
    shorter = list(shortenings(messages))
    first = bisect_left(shorter, True, key=lambda few: _short(encode(few), max_length))
    return encode(shorter[first]) if first < len(shorter) else None


def _short(rows: Sequence[Encoded], max_length: int) -> bool:
    return all(len(row.ids) <= max_length for row in rows)
