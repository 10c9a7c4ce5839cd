"""A reference pass and one step of preference training, on the ranks that torchrun started.

torchrun --nproc-per-node 2 tests/invariant/dpo_ranks_worker.py FOLDER
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import torch
from accelerate import PartialState
from tiny_pairs import adapted_model, base_model, trees
from torch.nn.parallel import DistributedDataParallel

from xlam_train.data.pairs import collate_pairs
from xlam_train.data.stream import FixedFeed, TreeStream
from xlam_train.dpo_objective import DpoObjective
from xlam_train.preference import reference_log_probabilities

KEY = {"dataset": "tiny"}


def run(folder: Path, ranks: int, rank: int, wrap: Any) -> dict[str, Any]:
    """What a rank knows in the end: the reference, the step's numbers, and the norm of its gradient.

    Args:
        folder: for the reference.
        ranks: processes.
        rank: this one.
        wrap: a model -> the model as it is trained.
    """
    stream = TreeStream(FixedFeed(trees(5)), collate_pairs, ranks, ranks, rank)
    reference = reference_log_probabilities(wrap(base_model()), stream, folder / "reference.json", KEY)
    model, objective = wrap(adapted_model()), DpoObjective(beta=0.5)
    # One step of all trees, an odd number: the second rank gets a filler.
    for batch, *_ in TreeStream(FixedFeed(trees(5)), collate_pairs, 6, ranks, rank):
        (objective(model, batch) * ranks / 9).backward()
    norm = torch.nn.utils.clip_grad_norm_([weight for weight in model.parameters() if weight.requires_grad], 1e9)
    return {"reference": reference, "metrics": objective.metrics(), "norm": norm.item()}


if __name__ == "__main__":
    torch.set_num_threads(1)
    state, target = PartialState(cpu=True), Path(sys.argv[1])
    assert state.num_processes == 2
    result = run(target, state.num_processes, state.process_index, DistributedDataParallel)
    (target / f"rank{state.process_index}.json").write_text(json.dumps(result))
    state.destroy_process_group()
