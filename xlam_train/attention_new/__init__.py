"""Attention over prefix trees, known to transformers as `tree_sdpa` and `tree_flex`."""

from xlam_train.attention_new.plan import TreePlan
from xlam_train.attention_new.register import NAME, attention_name, check_config, register

__all__ = ["NAME", "TreePlan", "attention_name", "check_config", "register"]
