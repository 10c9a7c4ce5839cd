"""Attention over prefix trees, known to transformers as `tree_sdpa` and `tree_flex`."""

from xlam_train.attention.plan import TreePlan
from xlam_train.attention.register import FLEX, NAME, attention_name, check_model, register

__all__ = ["FLEX", "NAME", "TreePlan", "attention_name", "check_model", "register"]
