"""Questions that ask a model for nothing but to copy a word into its answer, as a held-out set.

A word in a sentence is mostly one token with its space (" Ghana"), and behind a quotation mark of JSON it is spelt
in others ("Gh", "ana"). So even plain copying asks a small model to know how its tokens are spelt. Every question is
the same sentence for the same tool, around another word:

    invented     words put together from syllables, which no training set has
    asked        texts that the questions of `recipes/data/people_dev` state and expect as an argument

    python scripts/copying_questions.py invented > runs/invented.jsonl
    xlam data convert --to dataset runs/invented.jsonl runs/invented
    xlam eval heldout MODEL runs/invented --compare OTHER_MODEL
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

from data_pipeline.core.dataset import read_dataset

SYLLABLES = (
    *("an", "ar", "bel", "bri", "dor", "fim", "ghi", "khu"),
    *("lith", "mon", "och", "qua", "ste", "tor", "vin", "wex"),
)
PARAMETERS = {
    "type": "object",
    "properties": {"name": {"type": "string", "description": "Name of the entry"}},
    "required": ["name"],
}
TOOL = {"name": "find_entry", "description": "Find an entry in the catalog.", "parameters": PARAMETERS}


def main() -> None:
    """Write one line of xLAM-60k's form a word."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("kind", choices=("invented", "asked"))
    parser.add_argument("--words", type=int, default=100, help="different ones, at most; default: %(default)s")
    told = parser.parse_args()
    words = dict.fromkeys(invented() if told.kind == "invented" else asked())
    for number, word in enumerate(islice(words, told.words)):
        sys.stdout.write(json.dumps(_row(number, word)) + "\n")


def invented() -> Iterator[str]:
    """Words, the same ones every time; a few come twice."""
    rng = random.Random(5)
    return ("".join(rng.sample(SYLLABLES, rng.randint(2, 4))).capitalize() for _ in range(10_000))


def asked() -> Iterator[str]:
    """Texts that stand in a question as its answer has them, in the order of the questions."""
    for sample in read_dataset(Path(__file__).parent.parent / "recipes/data/people_dev"):
        for call in sample.messages[-1].tool_calls or ():
            yield from (text for text in _texts(call.arguments) if f" {text}" in sample.query)


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _row(number: int, word: str) -> dict[str, Any]:
    answers = [{"name": TOOL["name"], "arguments": {"name": word}}]
    query = f"Find the entry {word} in the catalog, please."
    return {"id": number, "query": query, "tools": json.dumps([TOOL]), "answers": json.dumps(answers)}


if __name__ == "__main__":
    main()
