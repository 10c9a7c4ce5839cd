"""The variants of the prompt; apart, so that the command line knows them without loading the rest."""

from __future__ import annotations

from typing import Literal, get_args

from data_pipeline.core.errors import InputError, nearest

Variant = Literal["xlam-1", "xlam-1-history", "xlam-1-bfcl", "actionstudio"]
VARIANTS: tuple[Variant, ...] = get_args(Variant)
ToolConversion = Literal["card", "leaderboard"]
CONVERSIONS: tuple[ToolConversion, ...] = get_args(ToolConversion)


def check_variant(variant: str) -> Variant:
    """The variant, known to be one.

    Raises:
        InputError: it is none.
    """
    if variant not in VARIANTS:
        raise InputError(f"unknown prompt variant '{variant}': {nearest(variant, VARIANTS)}")
    return variant
