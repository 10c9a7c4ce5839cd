"""Who writes the prompt of a question; apart, so that the command line knows it without loading the rest."""

from __future__ import annotations

from typing import Literal, get_args

Prompting = Literal["xlam-1", "xlam-1-bfcl", "template"]
PROMPTINGS: tuple[Prompting, ...] = get_args(Prompting)
