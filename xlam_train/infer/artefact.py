"""What a model's file can be told by without any skill of the model: its prompt, and the token that ends a turn."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import get_args

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Trajectory, dumps
from data_pipeline.core.variants import ToolConversion, Variant
from data_pipeline.core.xlam_format import render_answer
from xlam_train.infer.backends import SPEAKS_XLAM, Backend, Chat, Constraint, Request
from xlam_train.infer.smoke_set import openai_chat, rendered_chat

NO_XLAM = "its chat template does not speak xLAM, so the tools are lost; export the model again"
NOTED = "Noted."
NOTES = tuple({"role": role, "content": said} for role, said in (("user", "a"), ("assistant", NOTED), ("user", "b")))
MOST_TOKENS = 32
NO_END = "it ends no turn by itself"


@dataclass(frozen=True)
class Artefact:
    """What template, tokenizer and settings do.

    Attributes:
        prompts: for each sample '' or what is wrong with its prompt; None where the backend does not tell.
        end: id of the token that ends the assistant's turn in the template's conversations; None likewise.
        stop: id of the token that the model ends a turn with when it has to; None where it ends none, or is not told.
        no_stop: why `stop` is None; '' otherwise.
    """

    prompts: tuple[str, ...] | None
    end: int | None
    stop: int | None
    no_stop: str = ""


def inspect(backend: Backend, samples: Sequence[Trajectory], variant: Variant, rendered: bool) -> Artefact:
    """Look at an opened model.

    Args:
        backend: the model.
        samples: what it is asked.
        variant: prompt variant that its template should write.
        rendered: the prompt format is written out for it, so that its template need not know it.

    Raises:
        InputError: the template refuses a conversation.
    """
    # actionstudio leaves the tools to the base model's own template, so there is nothing to compare with.
    own_words = not rendered and variant != "actionstudio"
    problems = [_prompt_problem(backend, sample, variant) for sample in samples] if own_words else [None]
    told = None if None in problems else tuple(problem or "" for problem in problems)
    return Artefact(told, _end_of_turn(backend), *_forced_stop(backend, variant))


def _prompt_problem(backend: Backend, sample: Trajectory, variant: Variant) -> str | None:
    """Compare the template's own writing of a sample with core's, put into the same template as a plain message."""
    found = backend.prompt_text(openai_chat(sample))
    if found is None:
        return None
    if SPEAKS_XLAM not in found:
        return NO_XLAM
    wanted = [backend.prompt_text(rendered_chat(sample, variant, style)) for style in get_args(ToolConversion)]
    if found in wanted:
        return ""
    return f"{sample.id}: {_first_difference(found, wanted[0] or '')}"


def _first_difference(found: str, wanted: str) -> str:
    pairs = enumerate(zip(found, wanted, strict=False))
    at = next((index for index, (a, b) in pairs if a != b), min(len(found), len(wanted)))
    near = slice(max(at - 20, 0), at + 20)
    return f"its chat template writes {found[near]!r} at character {at} where the format has {wanted[near]!r}"


def _end_of_turn(backend: Backend) -> int | None:
    """What follows an answer when the conversation goes on, in the model's own template."""
    text = backend.prompt_text(Chat(NOTES))
    if text is None or NOTED not in text:
        return None
    ids = backend.tokenize(text.split(NOTED, 1)[1].lstrip())
    return ids[0] if ids else None


def _forced_stop(backend: Backend, variant: Variant) -> tuple[int | None, str]:
    """The last token of an answer behind which nothing but the end is allowed."""
    answer = render_answer((), variant)
    constraint = Constraint(grammar=f"root ::= {dumps(answer)}", schema={"const": json.loads(answer)})
    try:
        (done,) = backend.complete([Request(Chat(NOTES), MOST_TOKENS, constraint)], lambda _: None)
    except InputError as error:  # a server without grammars; one that is down says so again when it is asked
        return None, str(error)
    if not done.text.startswith(answer) or not done.tokens:
        return None, "the server does not hold an answer to a grammar, or tells no tokens"
    return (done.tokens[-1], "") if done.stopped else (None, NO_END)
