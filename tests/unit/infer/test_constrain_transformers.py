"""The logits processor, on real vocabularies and made-up logits."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from tiny_tokenizers import deepseek_coder

from data_pipeline.core.schema import Tool
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.tools.schema_check import argument_errors
from xlam_train.infer.backends import Constraint
from xlam_train.infer.constrain import answer_constraint, transformers_processor

TOOL = Tool(
    name="book_table",
    description="Books a table.",
    parameters={
        "type": "object",
        "properties": {
            "guests": {"type": "integer", "minimum": 1, "maximum": 12},
            "name": {"type": "string", "maxLength": 5},
            "smoking": {"type": "boolean"},
        },
        "required": ["guests"],
    },
)
CONSTRAINT = answer_constraint([TOOL], empty=False)
LONGEST = 400


@pytest.fixture(scope="module", params=["smollm2", "deepseek-coder"])
def tokenizer(request: pytest.FixtureRequest) -> Any:
    if request.param == "deepseek-coder":
        return deepseek_coder(request.getfixturevalue("vocab_dir"))
    from transformers import AutoTokenizer

    return AutoTokenizer.from_pretrained(request.getfixturevalue("smollm2_dir"))


def generate(tokenizer: Any, constraints: list[Constraint | None], ends: list[int], seed: int) -> list[list[int]]:
    """Tokens by made-up logits, [rows][tokens], each row up to and with its end; as `generate` calls the processor."""
    size, dice = len(tokenizer) + 7, torch.Generator().manual_seed(seed)
    processor = transformers_processor(constraints, tokenizer, size, ends)
    ids, ended = torch.zeros(len(constraints), 3, dtype=torch.long), torch.zeros(len(constraints), dtype=torch.bool)
    for _ in range(LONGEST):
        scores = processor(ids, torch.rand(len(constraints), size, generator=dice))
        taken = scores.argmax(-1).masked_fill(ended, 0)
        ids = torch.cat([ids, taken[:, None]], dim=-1)
        ended |= torch.isin(taken, torch.tensor(ends))
        if all(done or constraint is None for done, constraint in zip(ended.tolist(), constraints, strict=True)):
            break
    rows: list[list[int]] = ids[:, 3:].tolist()
    return [row[: next((i + 1 for i, token in enumerate(row) if token in ends), None)] for row in rows]


def test_rows_end_with_a_valid_answer_whatever_the_logits(tokenizer: Any) -> None:
    end = tokenizer.eos_token_id
    complete = 0
    for row in generate(tokenizer, [CONSTRAINT] * 12, [end], seed=0):
        if row[-1] != end:
            continue  # the budget was spent
        complete += 1
        calls = parse_calls(tokenizer.decode(row[:-1]))
        assert calls
        assert all(call.name == TOOL.name and argument_errors(TOOL, call.arguments) is None for call in calls)
    assert complete >= 6


def test_a_row_without_constraint_writes_anything(tokenizer: Any) -> None:
    kept, free = generate(tokenizer, [CONSTRAINT, None], [tokenizer.eos_token_id], seed=1)
    assert tokenizer.decode(kept).startswith('{"tool_calls": [{"name": "book_table", "arguments": {')
    assert not tokenizer.decode(free).startswith("{")


def test_only_the_ends_that_are_told_end_an_answer(tokenizer: Any) -> None:
    other = tokenizer.convert_tokens_to_ids("<|endoftext|>" if "<|endoftext|>" in tokenizer.get_vocab() else "<|EOT|>")
    texts = [tokenizer.encode('{"tool_calls": [{"name": "book_table", "arguments": {"guests": 2}}]}')]
    processor = transformers_processor([CONSTRAINT], tokenizer, len(tokenizer), [other])
    ids = torch.zeros(1, 1, dtype=torch.long)
    for token in [token for token in texts[0] if token != tokenizer.bos_token_id or tokenizer.bos_token_id == other]:
        scores = processor(ids, torch.zeros(1, len(tokenizer)))
        assert scores[0, other] == -torch.inf
        assert scores[0, token] == 0
        ids = torch.cat([ids, torch.tensor([[token]])], dim=-1)
    scores = processor(ids, torch.zeros(1, len(tokenizer)))
    assert (scores[0] == 0).nonzero().flatten().tolist() == [other]
