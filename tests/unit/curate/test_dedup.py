"""Duplicates: what counts as one, the same in every process, whatever the grouping into calls."""

import hashlib
import random
import subprocess
import sys

import numpy as np
import pytest

from data_pipeline.core.schema import Message, ToolCall, Trajectory, Verdict
from data_pipeline.curate.dedup import (
    BANDS,
    CURATE_REASONS,
    HASHES,
    RECALL,
    SKETCH_WORDS,
    DuplicateIndex,
    ReferenceFilter,
    UInts,
    estimated_similarity,
    normalised,
    rows_per_band,
    shingles,
    signatures,
)

WORDS = [f"{first}{second}" for first in "bdfgklmnprst" for second in ("a", "eno", "ilu", "oro", "uta")]
LONG = "please book a quiet table for four at the harbour restaurant on friday evening at half past seven"
THRESHOLD = 0.8


def asked(query: str, *calls: ToolCall) -> Trajectory:
    messages = (Message(role="user", content=query), Message(role="assistant", tool_calls=calls))
    return Trajectory(id="1", style="simple", tools=(), messages=messages)


def similarity(left: Trajectory, right: Trajectory) -> float:
    a, b = set(shingles(left)), set(shingles(right))
    return len(a & b) / len(a | b)


def edited(count: int, seed: int = 1) -> list[Trajectory]:
    """Texts of 30 words, a third of them copies of earlier ones with a few words changed, a few exact copies."""
    rng = random.Random(seed)
    texts: list[list[str]] = []
    for _ in range(count):
        words = rng.choices(WORDS, k=30) if not texts or rng.random() < 0.6 else list(rng.choice(texts))
        for _ in range(rng.choice([0, 1, 1, 2, 3])):
            words[rng.randrange(30)] = rng.choice(WORDS)
        texts.append(words)
    return [asked(" ".join(words)) for words in texts]


def admit_in_groups(rows: UInts, size: int) -> list[str | None]:
    index = DuplicateIndex(THRESHOLD)
    return [reason for start in range(0, len(rows), size) for reason in index.admit(rows[start : start + size])]


@pytest.mark.parametrize(
    ("query", "folded"),
    [("  How  HOT\tis it?\n", "how hot is it?"), ("STRASSE", "strasse"), ("Straße", "strasse"), ("", "")],
)
def test_case_and_spacing_are_folded(query: str, folded: str) -> None:
    assert normalised(query) == folded


def test_shingles_are_runs_of_words_of_query_and_calls() -> None:
    call = ToolCall(name="weather_at", arguments={"city": "Oslo"})
    assert shingles(asked("Hot?", call)) == ["hot weather_at city", "weather_at city oslo"]
    assert shingles(asked("Hot now?")) == ["hot now"]
    assert shingles(asked("")) == [""]


def test_signatures_are_the_recorded_ones() -> None:
    """Another value means that signatures kept by unfinished jobs no longer compare: pin the library again."""
    rows = signatures([asked(LONG), asked("Grüße aus Köln, 東京 and \ud800")], THRESHOLD)
    assert rows.shape == (2, 1 + BANDS + SKETCH_WORDS)
    assert rows.dtype == np.uint64
    assert hashlib.sha256(rows.astype("<u8").tobytes()).hexdigest()[:16] == "ae0ec3c2031ef764"


@pytest.mark.parametrize("kernel", ["scalar", "avx2"])
def test_signatures_do_not_depend_on_the_process(kernel: str) -> None:
    code = (
        "from tests.unit.curate.test_dedup import *; import sys;"
        "sys.stdout.buffer.write(signatures(edited(70), 0.8).tobytes())"
    )
    for seed in ("1", "2"):
        done = subprocess.run(
            [sys.executable, "-c", code],
            capture_output=True,
            check=True,
            env={"PYTHONHASHSEED": seed, "RENSA_FORCE_KERNEL": kernel, "PYTHONPATH": ":".join(sys.path)},
        )
        assert done.stdout == signatures(edited(70), 0.8).tobytes()


def test_rows_do_not_depend_on_their_company() -> None:
    samples = edited(70)
    alone = np.concatenate([signatures([sample]) for sample in samples])
    assert np.array_equal(signatures(samples), alone)
    assert signatures([]).shape == (0, 1 + BANDS + SKETCH_WORDS)


@pytest.mark.parametrize("threshold", [0.3, 0.5, 0.7, 0.8, 0.9, 0.99])
def test_bands_find_what_is_at_the_threshold(threshold: float) -> None:
    rows = rows_per_band(threshold)
    assert BANDS * rows <= HASHES
    assert 1 - (1 - threshold**rows) ** BANDS >= RECALL


def test_sketches_estimate_the_similarity() -> None:
    samples = edited(300)
    sketches = signatures(samples)[:, 1 + BANDS :]
    wrong = estimated_similarity(sketches[1:], sketches[:-1]) - [
        similarity(a, b) for a, b in zip(samples[1:], samples[:-1], strict=True)
    ]
    assert abs(wrong.mean()) < 0.01
    assert abs(wrong).max() < 0.2


def test_the_second_of_two_equal_queries_is_refused() -> None:
    index = DuplicateIndex(THRESHOLD)
    first = signatures([asked("Is it hot?"), asked("is  it HOT?"), asked("Is it cold?")])
    assert index.admit(first) == [None, "duplicate_query", None]
    assert index.admit(first) == ["duplicate_query"] * 3


def test_a_query_with_one_word_changed_is_a_near_duplicate() -> None:
    index = DuplicateIndex(THRESHOLD)
    almost, other = LONG.replace("please", "kindly"), LONG.replace("four", "nine").replace("friday", "monday")
    assert index.admit(signatures([asked(LONG), asked(almost), asked(other)])) == [None, "near_duplicate", None]
    assert index.admit(signatures([asked(LONG + " thanks")])) == ["near_duplicate"]


def test_calls_tell_like_queries_apart() -> None:
    index = DuplicateIndex(THRESHOLD)
    book = ToolCall(name="book_table", arguments={"seats": 4, "place": "harbour restaurant", "time": "19:30"})
    assert index.admit(signatures([asked(LONG, book), asked(LONG + " thanks")])) == [None, None]


def test_a_threshold_of_one_only_knows_equal_queries() -> None:
    rows = signatures([asked(LONG), asked(LONG + " thanks"), asked(LONG.upper())], 1)
    assert rows.shape == (3, 1)
    assert DuplicateIndex(1).admit(rows) == [None, None, "duplicate_query"]


def test_grouping_changes_nothing() -> None:
    rows = signatures(edited(1200))
    expected = admit_in_groups(rows, 1)
    assert {reason: expected.count(reason) > 20 for reason in set(expected)} == {
        None: True,
        "near_duplicate": True,
        "duplicate_query": True,
    }
    for size in (7, 100, 1200):
        assert admit_in_groups(rows, size) == expected


def test_many_samples_that_share_their_wording_change_nothing_about_grouping() -> None:
    """More candidates a band than are compared: the oldest count, whether of this call or of an earlier one."""
    rng = random.Random(2)
    head = rng.choices(WORDS, k=30)
    rows = signatures([asked(" ".join([*head, *rng.choices(WORDS, k=rng.choice([3, 12]))])) for _ in range(300)])
    expected = admit_in_groups(rows, 1)
    assert 20 < expected.count(None) < 300
    for size in (9, 300):
        assert admit_in_groups(rows, size) == expected


def test_finished_shards_count_as_if_they_had_just_been_admitted() -> None:
    rows = signatures(edited(600))
    index, again = DuplicateIndex(THRESHOLD), DuplicateIndex(THRESHOLD)
    first = index.admit(rows[:400])
    again.add(rows[:400][[reason is None for reason in first]])
    assert again.admit(rows[400:]) == index.admit(rows[400:])


def test_a_refused_sample_refuses_no_other() -> None:
    index = DuplicateIndex(THRESHOLD)
    words = LONG.split()
    third = " ".join([*words[:-3], "a", "quarter", "to", "six"])
    second = " ".join([*words[:-1], "six"])
    pairs = [similarity(asked(a), asked(b)) for a, b in ((LONG, second), (second, third), (LONG, third))]
    assert pairs[0] > 0.85
    assert pairs[2] < 0.75
    assert index.admit(signatures([asked(LONG), asked(second), asked(third)])) == [None, "near_duplicate", None]


def test_what_is_found_against_exact_similarities() -> None:
    rng = random.Random(5)
    found: dict[bool, list[bool]] = {True: [], False: []}
    for base in (rng.choices(WORDS, k=40) for _ in range(150)):
        copy = list(base)
        for _ in range(rng.choice([1, 4])):
            copy[rng.randrange(40)] = rng.choice(WORDS)
        pair = [asked(" ".join(base)), asked(" ".join(copy))]
        jaccard = similarity(*pair)
        refused = DuplicateIndex(THRESHOLD).admit(signatures(pair))[1] is not None
        if jaccard >= 0.85 or jaccard < 0.7:
            found[jaccard >= 0.85].append(refused)
    assert len(found[True]) > 50
    assert sum(found[True]) / len(found[True]) > 0.95
    assert len(found[False]) > 30
    assert not any(found[False])


def test_a_query_of_the_reference_is_refused() -> None:
    reference = ReferenceFilter(["Is it HOT?"])
    assert reference.check(asked("is it  hot?")) == Verdict(
        stage="curate", passed=False, reason="in_reference", detail="is it  hot?"
    )
    assert reference.check(asked("Is it cold?")) is None


def test_every_reason_is_explained() -> None:
    assert list(CURATE_REASONS) == ["duplicate_query", "near_duplicate", "in_reference", "in_benchmark"]
