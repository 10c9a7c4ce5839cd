"""Preference pairs on a prefix tree: a pair's answers share their prompt, pairs on one tool set their tools."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from typing_extensions import NotRequired

from xlam_train.data.collate import Nodes, collate_nodes
from xlam_train.data.pack import IntArray, merge_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from xlam_train.data.render import Encoded


@dataclass(frozen=True)
class PairTree:
    """A window of P pairs as a token trie of T nodes, with the M labels of each answer, in depth-first order.

    Answers are numbered pair by pair, 2 p the chosen and 2 p + 1 the rejected one.

    Attributes:
        input_ids: [T] token of each node.
        depth: [T] distance from the root, which is the token's position id.
        subtree_end: [T] one past the last node below; query q sees key k iff k <= q < subtree_end[k].
        multiplicity: [T] number of answers through each node.
        label_position: [M] node whose hidden state predicts the label.
        label_target: [M] token id to be predicted.
        label_answer: [M] number of the answer; a label that both answers of a pair begin with stands there twice.
        sample_ids: [2 P] ids of the answers, in the order of their numbers.
    """

    input_ids: IntArray
    depth: IntArray
    subtree_end: IntArray
    multiplicity: IntArray
    label_position: IntArray
    label_target: IntArray
    label_answer: IntArray
    sample_ids: tuple[str, ...]

    @property
    def samples(self) -> int:
        """Answers, two a pair."""
        return len(self.sample_ids)

    @property
    def tokens_before(self) -> int:
        """Tokens of the answers and their prompts one by one."""
        return int(self.multiplicity.sum())

    @property
    def tokens_packed(self) -> int:
        """Nodes."""
        return len(self.input_ids)

    @property
    def label_tokens(self) -> int:
        """Labels, counted once for each answer."""
        return len(self.label_target)


def build_pair_tree(window: Sequence[Sequence[Encoded]]) -> PairTree:
    """Merge pairs into one trie.

    Args:
        window: for each pair, the rows of the chosen and of the rejected answer.

    Raises:
        InputError: a row trains its first token, which nothing comes before.
    """
    rows = [row for chosen, rejected in window for row in (chosen, rejected)]
    trie = merge_rows(rows)
    return PairTree(
        input_ids=trie.input_ids,
        depth=trie.depth,
        subtree_end=trie.subtree_end,
        multiplicity=trie.multiplicity,
        label_position=trie.label_position,
        label_target=trie.input_ids[trie.label_node],
        label_answer=trie.label_row,
        sample_ids=tuple(row.sample_id for row in rows),
    )


class PairBatch(Nodes):
    """One tree with P pairs and M labels, each of one answer.

    Keys:
        target: [M] token id to be predicted.
        answer: [M] number of the answer: 2 p for the chosen one of pair p, 2 p + 1 for the rejected one.
        answer_tokens: [P, 2] labels of each answer, fp32.
        weight: [P] how often the pair counts, fp32.
        reference: [P, 2] log-probability of each answer under the reference model, fp32; absent where the model
            without its adapter is the reference.
    """

    target: torch.Tensor
    answer: torch.Tensor
    answer_tokens: torch.Tensor
    weight: torch.Tensor
    reference: NotRequired[torch.Tensor]


def collate_pairs(tree: PairTree, reference: Mapping[str, float] | None = None) -> PairBatch:
    """Tensors of one tree.

    Args:
        tree: of a window.
        reference: log-probability of each answer under the reference model, by the answer's id.
    """
    tokens = np.bincount(tree.label_answer, minlength=tree.samples).astype(np.float32)
    batch = PairBatch(
        **collate_nodes(tree),  # type: ignore[typeddict-item]  # Nodes never hold a reference
        target=torch.from_numpy(tree.label_target),
        answer=torch.from_numpy(tree.label_answer),
        answer_tokens=torch.from_numpy(tokens).view(-1, 2),
        weight=torch.ones(tree.samples // 2),
    )
    if reference is not None:
        batch["reference"] = torch.tensor([reference[answer] for answer in tree.sample_ids]).view(-1, 2)
    return batch
