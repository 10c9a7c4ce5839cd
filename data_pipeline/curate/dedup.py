"""Exact and near duplicates: workers compute signatures in parallel, one index decides in order.

A sample's signature is one row of 64-bit integers: a hash of its normalised query, then band hashes and
a compact sketch of the word n-grams of query and calls (MinHash, Broder 1997; b-bit MinHash, Li and
König 2010). Bands find candidates, the sketch says how similar they are. Equal text gives equal rows in
every process, on every platform and under every PYTHONHASHSEED.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterable, Sequence
from itertools import islice

import numpy as np
import numpy.typing as npt
from rensa import RMinHash  # type: ignore[import-untyped]

from data_pipeline.core.schema import Trajectory, Verdict, dumps

UInts = npt.NDArray[np.uint64]

CURATE_REASONS = {
    "duplicate_query": "the same query, up to case and spacing, was accepted before",
    "near_duplicate": "query and calls share nearly all word n-grams with a sample accepted before",
    "in_reference": "the query occurs in a dataset this one must be distinct from",
    "in_benchmark": "the query or a tool on offer overlaps with a benchmark",
}

SHINGLE_WORDS = 3
"""Words of an n-gram: one changed value in a short query already changes three of them."""

HASHES = 128
"""MinHash values of a sample; a similarity of 0.8 is estimated to within 0.035 (one standard deviation)."""

BANDS = 12
"""Groups of MinHash values, of which one must agree for two samples to be compared."""

RECALL = 0.94
"""Least probability that two samples exactly at the threshold are compared; more similar ones are more certain."""

MOST_CANDIDATES = 8
"""Earlier samples that one is compared with a band."""

SKETCH_WORDS = HASHES * 4 // 64
"""Integers that hold the lowest four bits of every MinHash value."""

_SEED = 20240626  # any fixed number; another one gives signatures that do not compare with these
_BATCH = 64  # samples a call of the library, few enough for it to start no threads in a worker
_WORD = re.compile(r"\w+")
_ROW = np.uint64((1 << 28) - 1)  # the bits of a band's entry that number the sample; the others are of its hash
# Of the eight bits of two 4-bit values' XOR, how many of the two values are equal.
_EQUAL_IN_BYTE = np.array([(byte & 15 == 0) + (byte >> 4 == 0) for byte in range(256)], np.uint8)


def normalised(query: str) -> str:
    """The query as two people would call it the same: case and spacing folded."""
    return " ".join(query.casefold().split())


def shingles(sample: Trajectory) -> list[str]:
    """The word n-grams of query and calls, with repetitions; the whole text if it has fewer words."""
    calls = (f"{call.name} {dumps(call.arguments)}" for call in sample.calls)
    words = _WORD.findall(" ".join((sample.query, *calls)).casefold())
    if len(words) < SHINGLE_WORDS:
        return [" ".join(words)]
    return list(map(" ".join, zip(*(islice(words, start, None) for start in range(SHINGLE_WORDS)))))  # noqa: B905


def rows_per_band(threshold: float) -> int:
    """The most values a band can have and still find `RECALL` of the pairs at the threshold.

    The probability is 1 - (1 - threshold^rows)^BANDS. Longer bands give fewer candidates to compare; there is
    no need to balance wrong ones against missed ones, because the sketches tell wrong ones.
    """
    enough = 1 - (1 - RECALL) ** (1 / BANDS)
    return max((rows for rows in range(1, HASHES // BANDS + 1) if threshold**rows >= enough), default=1)


def signatures(samples: Sequence[Trajectory], threshold: float = 0.8) -> UInts:
    """What the index needs to know of samples; a pure function of each sample's query and calls.

    Args:
        samples: in any number; rows do not depend on each other.
        threshold: Jaccard similarity from which samples are duplicates; 1 only finds equal queries.

    Returns:
        [n, 1 + BANDS + SKETCH_WORDS], or [n, 1] for a threshold of 1.
    """
    exact: UInts = np.array([_hash(normalised(sample.query)) for sample in samples], np.uint64)[:, None]
    if threshold >= 1:
        return exact
    values = _min_hashes(samples)
    parts = (exact, _band_hashes(values, rows_per_band(threshold)), _sketches(values))
    return np.concatenate(parts, axis=1)


def _hash(text: str) -> int:
    digest = hashlib.blake2b(text.encode("utf-8", "surrogatepass"), digest_size=8).digest()
    return int.from_bytes(digest, "little")


def _min_hashes(samples: Sequence[Trajectory]) -> UInts:
    values = np.empty((len(samples), HASHES), np.uint64)
    for start in range(0, len(samples), _BATCH):
        sets = [shingles(sample) for sample in samples[start : start + _BATCH]]
        found = RMinHash.digest_matrix_from_token_sets(sets, num_perm=HASHES, seed=_SEED)
        values[start : start + _BATCH] = found.to_rows()
    return values


def _band_hashes(values: UInts, rows: int) -> UInts:
    """[n, BANDS] one integer a band; unlike between bands, so that all bands fit one table."""
    bands = values[:, : BANDS * rows].reshape(-1, BANDS, rows)
    mixed: UInts = np.tile(np.arange(BANDS, dtype=np.uint64), (len(values), 1))
    for row in range(rows):
        mixed = _mix(mixed ^ bands[:, :, row])
    return mixed


def _mix(value: UInts) -> UInts:
    """A permutation of 64-bit integers in which every bit depends on every other (splitmix64, Steele et al. 2014)."""
    value = value + np.uint64(0x9E3779B97F4A7C15)
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    mixed: UInts = value ^ (value >> np.uint64(31))
    return mixed


def _sketches(values: UInts) -> UInts:
    """[n, SKETCH_WORDS] the lowest four bits of every value, sixteen to an integer."""
    low = (values & np.uint64(15)).reshape(-1, SKETCH_WORDS, 16)
    shifts = np.arange(0, 64, 4, dtype=np.uint64)
    packed: UInts = np.bitwise_or.reduce(low << shifts, axis=2)
    return packed


def estimated_similarity(left: UInts, right: UInts) -> npt.NDArray[np.float64]:
    """Jaccard similarity of sketches, row by row; unlike values agree in four bits once in sixteen times."""
    differing = np.ascontiguousarray(left ^ right).view(np.uint8)
    equal = _EQUAL_IN_BYTE[differing].sum(axis=-1, dtype=np.int64)
    similarity: npt.NDArray[np.float64] = (equal / HASHES - 1 / 16) / (1 - 1 / 16)
    return similarity


def _band_keys(signatures: UInts) -> UInts:
    keys: UInts = signatures[:, 1 : 1 + BANDS] & ~_ROW
    return keys


def _sketch_part(signatures: UInts) -> UInts:
    return signatures[:, 1 + BANDS :]


class ReferenceFilter:
    """Refuses the queries that a reference dataset holds."""

    def __init__(self, queries: Iterable[str]) -> None:
        """Keep a 64-bit hash of each query."""
        self._known = {_hash(normalised(query)) for query in queries}

    def check(self, sample: Trajectory) -> Verdict | None:
        """The refusal, or None."""
        if _hash(normalised(sample.query)) not in self._known:
            return None
        return Verdict(stage="curate", passed=False, reason="in_reference", detail=sample.query)


class DuplicateIndex:
    """The samples admitted so far, in some 170 bytes each.

    A sample is compared with at most `MOST_CANDIDATES` earlier ones a band, the oldest, so that wording that
    thousands of samples share costs no more than any other: time grows with the number of samples.
    What is decided depends on the order of the samples alone, not on how they are grouped into calls.
    """

    def __init__(self, threshold: float) -> None:
        """Nothing admitted yet.

        Args:
            threshold: what the signatures were made with.
        """
        self._threshold = threshold
        self._queries = _SortedRuns()
        self._bands = _SortedRuns()
        self._sketches = np.empty((0, SKETCH_WORDS), np.uint64)
        self._count = 0

    def add(self, signatures: UInts) -> None:
        """Count samples as admitted that were decided on before, such as those of shards finished earlier."""
        self._queries.add(signatures[:, 0])
        if signatures.shape[1] > 1:
            self._add_bands(_band_keys(signatures), _sketch_part(signatures))

    def admit(self, signatures: UInts) -> list[str | None]:
        """Decide on samples one after another.

        Returns:
            for each, None if it is admitted, else why not: `duplicate_query` or `near_duplicate`.
        """
        decided: list[str | None] = [None] * len(signatures)
        fresh = _Fresh(signatures, self._threshold)
        if signatures.shape[1] > 1:
            for index in self._near(signatures, fresh):
                decided[index] = "near_duplicate"
        for index in np.flatnonzero(self._queries.contain(signatures[:, 0])):
            decided[index] = "duplicate_query"
        for index, reason in enumerate(decided):
            decided[index] = reason or fresh.admit(index)
        self.add(signatures[[reason is None for reason in decided]])
        return decided

    def _near(self, signatures: UInts, fresh: _Fresh) -> npt.NDArray[np.int64]:
        """Positions of the samples that are near to one of an earlier call; takes those off what is still compared."""
        keys = _band_keys(signatures).ravel()
        order = np.argsort(keys)  # neighbouring look-ups find the same memory in the cache
        entries, of, found = self._bands.first_from(keys[order], keys[order] | _ROW, MOST_CANDIDATES)
        fresh.room.reshape(-1)[order] -= found
        sample = order[of] // BANDS
        similar = estimated_similarity(_sketch_part(signatures)[sample], self._sketches[entries & _ROW])
        return np.unique(sample[similar >= self._threshold])

    def _add_bands(self, keys: UInts, sketches: UInts) -> None:
        end = self._count + len(keys)
        if end > len(self._sketches):
            grown = np.empty((end + end // 4, SKETCH_WORDS), np.uint64)
            grown[: self._count] = self._sketches[: self._count]
            self._sketches = grown
        rows = np.arange(self._count, end, dtype=np.uint64)
        self._bands.add((keys | rows[:, None]).ravel())
        self._sketches[self._count : end] = sketches
        self._count = end


class _Fresh:
    """The samples of one call, which are compared with each other one by one.

    Attributes:
        room: [n, BANDS] earlier samples that each may still be compared with.
    """

    def __init__(self, signatures: UInts, threshold: float) -> None:
        self._queries: list[int] = signatures[:, 0].tolist()
        self._keys: list[list[int]] = _band_keys(signatures).tolist()
        self._sketches = _sketch_part(signatures)
        self._threshold = threshold
        self._seen: set[int] = set()
        self._owners: dict[int, list[int]] = {}
        self.room = np.full((len(signatures), BANDS), MOST_CANDIDATES)

    def admit(self, index: int) -> str | None:
        """As `DuplicateIndex.admit`, for one."""
        if self._queries[index] in self._seen:
            return "duplicate_query"
        if self._is_near(index):
            return "near_duplicate"
        self._seen.add(self._queries[index])
        for key in self._keys[index]:
            self._owners.setdefault(key, []).append(index)
        return None

    def _is_near(self, index: int) -> bool:
        sharing = [(band, owners) for band, key in enumerate(self._keys[index]) if (owners := self._owners.get(key))]
        room = self.room[index].tolist() if sharing else []
        candidates = sorted({owner for band, owners in sharing for owner in owners[: room[band]]})
        similar = estimated_similarity(self._sketches[index], self._sketches[candidates])
        return bool((similar >= self._threshold).any())


class _SortedRuns:
    """A growing multiset of integers as sorted arrays, each over four times as long as the next."""

    def __init__(self) -> None:
        self._runs: list[UInts] = []

    def add(self, values: UInts) -> None:
        if not len(values):
            return
        self._runs.append(np.sort(values))
        while len(self._runs) > 1 and len(self._runs[-2]) <= 4 * len(self._runs[-1]):
            merged = np.concatenate([self._runs.pop(-2), self._runs.pop()])
            merged.sort(kind="stable")  # merges what is sorted already
            self._runs.append(merged)

    def contain(self, values: UInts) -> npt.NDArray[np.bool_]:
        """For each value, whether it was added."""
        found = np.zeros(len(values), np.bool_)
        for run in self._runs:
            at = np.searchsorted(run, values)
            found |= run[np.minimum(at, len(run) - 1)] == values
        return found

    def first_from(
        self, low: UInts, high: UInts, most: int
    ) -> tuple[UInts, npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """For each range, the `most` values in it that were added first.

        Returns:
            the values; for each, the position of its range; for each range, how many were found.
        """
        found = np.zeros(len(low), np.int64)
        values, of = [np.empty(0, np.uint64)], [np.empty(0, np.int64)]
        for run in self._runs:
            start, stop = np.searchsorted(run, low), np.searchsorted(run, high, side="right")
            take = np.minimum(stop - start, most - found)
            found += take
            position = np.repeat(np.arange(len(low)), take)
            offset = np.arange(len(position)) - np.repeat(np.cumsum(take) - take, take)
            values.append(run[start[position] + offset])
            of.append(position)
        return np.concatenate(values), np.concatenate(of), found
