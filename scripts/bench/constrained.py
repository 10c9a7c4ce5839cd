"""Does the grammar admit every valid answer and refuse every other one?

Draws random tool sets with valid answers, as many spoilt ones, and texts that the grammar itself lets out, byte by
byte. What is valid the checks of the data say, and what the grammar admits xgrammar's matcher says. Prints admitted and
refused by kind, how large the grammars are, and how long those of bundled tools take to write and to compile. Exits 1
unless all are admitted or refused as they should be.

    python scripts/bench/constrained.py [--answers 10000] [--spoilt 10000] [--walks 1000] [--seed 0] [--json]
"""

from __future__ import annotations

import argparse
import json
import random
import sys
import time
from collections import Counter
from dataclasses import dataclass, field

from constrained_cases import SPOILT_CALLS, SPOILT_TEXTS, answer, is_valid, random_tools, spoilt
from constrained_matcher import Matcher

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import Tool
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.source import open_source
from xlam_train.infer.constrain import answer_constraint, not_enforced

PER_SET = 40
"""Answers of each sort for one tool set."""

WALKS_PER_SET = 5

TRIES = 4000
"""Draws for one tool set; some have little that can be spoilt."""

REPEATED = "duplicate_key"
"""The one fault a grammar cannot see: names that the schema does not list, and that come twice."""


@dataclass
class Found:
    """What was seen.

    Attributes:
        admitted: valid answers that the grammar admits.
        refused: kind -> spoilt answers that it refuses.
        walked: texts that the grammar lets out, and that are valid.
        wrong: (what, grammar's tools as JSON, text) of each that it judges otherwise than the checks.
    """

    tool_sets: int = 0
    admitted: int = 0
    refused: Counter[str] = field(default_factory=Counter)
    wrong: list[tuple[str, str, str]] = field(default_factory=list)
    walked: int = 0
    grammar_bytes: int = 0


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--answers", type=int, default=10_000)
    parser.add_argument("--spoilt", type=int, default=10_000)
    parser.add_argument("--walks", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--json", action="store_true", help="the counts alone, on one line")
    arguments = parser.parse_args()
    found = measure(random.Random(arguments.seed), arguments.answers, arguments.spoilt, arguments.walks)
    counts = {
        "tool_sets": found.tool_sets,
        "admitted": found.admitted,
        "refused": found.refused.total(),
        "walked": found.walked,
        "wrong": len(found.wrong),
        "kinds": dict(found.refused),
    }
    if arguments.json:
        print(json.dumps(counts))
    else:
        show(found)
        show_bundled()
    for what, tools, text in found.wrong[:5]:
        print(f"{what}\n  tools {tools}\n  text {text!r}", file=sys.stderr)
    return 1 if found.wrong else 0


def measure(rng: random.Random, answers: int, spoilt_answers: int, walks: int) -> Found:
    found = Found()
    while found.admitted < answers or found.refused.total() < spoilt_answers or found.walked < walks:
        tools, empty = random_tools(rng), rng.random() < 0.5
        grammar = answer_constraint(tools, empty=empty).grammar
        found.tool_sets += 1
        found.grammar_bytes += len(grammar)
        matcher = Matcher(grammar)
        judge_valid(rng, tools, empty, matcher, found, min(PER_SET, answers - found.admitted))
        judge_spoilt(rng, tools, empty, matcher, found, min(PER_SET, spoilt_answers - found.refused.total()))
        judge_walks(rng, tools, empty, matcher, found, min(WALKS_PER_SET, walks - found.walked))
    return found


def judge_valid(
    rng: random.Random, tools: list[Tool], empty: bool, matcher: Matcher, found: Found, wanted: int
) -> None:
    for _ in range(wanted):
        value = answer(rng, tools)
        text = json.dumps(value, ensure_ascii=rng.random() < 0.5)
        if not value["tool_calls"] and not empty:
            continue
        assert is_valid(text, tools, empty), f"drawn as valid, and is not: {text} for {tools}"
        if matcher.admits(text):
            found.admitted += 1
        else:
            found.wrong.append(("valid, and refused", told(tools), text))


def judge_spoilt(
    rng: random.Random, tools: list[Tool], empty: bool, matcher: Matcher, found: Found, wanted: int
) -> None:
    kinds, done = [*SPOILT_CALLS, *SPOILT_TEXTS], 0
    for _ in range(TRIES):
        if done >= wanted:
            return
        kind = rng.choice(kinds)
        text = spoilt(rng, kind, answer(rng, tools), tools)
        if text is None or is_valid(text, tools, empty):
            continue
        done += 1
        if matcher.admits(text):
            found.wrong.append((f"{kind}, and admitted", told(tools), text))
        else:
            found.refused[kind] += 1


def judge_walks(
    rng: random.Random, tools: list[Tool], empty: bool, matcher: Matcher, found: Found, wanted: int
) -> None:
    can_repeat = bool(not_enforced(tools))
    for _ in range(wanted):
        text = matcher.random_text(rng)
        if text is None:
            continue
        if is_valid(text, tools, empty):
            found.walked += 1
        elif not (can_repeat and is_repeated(text)):
            found.wrong.append(("let out, and not valid", told(tools), text))


def is_repeated(text: str) -> bool:
    try:
        parse_calls(text)
    except FormatError as error:
        return error.reason == REPEATED
    return False


def told(tools: list[Tool]) -> str:
    return json.dumps([tool.to_openai() for tool in tools])


def show(found: Found) -> None:
    print(
        f"{found.tool_sets} random tool sets, grammars of {found.grammar_bytes // found.tool_sets:,} bytes on average"
    )
    print(f"valid answers admitted: {found.admitted:,}; spoilt ones refused: {found.refused.total():,}; ", end="")
    print(f"let out and valid: {found.walked:,}; ", end="")
    print(f"judged wrongly: {len(found.wrong)}")
    for kind, count in found.refused.most_common():
        print(f"  {kind:<26} {count:>6,} refused")


def show_bundled() -> None:
    tools = open_source("bundled").tools
    print(f"{len(tools)} bundled tools; what their grammars cannot say: {', '.join(not_enforced(tools)) or 'nothing'}")
    for count in (1, 4, 16, 64):
        started = time.perf_counter()
        grammar = answer_constraint(tools[:count]).grammar
        written = time.perf_counter()
        Matcher(grammar)
        compiled = time.perf_counter() - written
        print(f"  {count:>2} tools: {len(grammar):>7,} bytes, written in {written - started:.3f} s, ", end="")
        print(f"compiled for a vocabulary of bytes in {compiled:.3f} s")


if __name__ == "__main__":
    sys.exit(main())
