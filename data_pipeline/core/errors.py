"""The errors this project raises on purpose, and what each means for the exit code.

    XlamError                 anything below; never raised itself
    ├── InputError            wrong command, recipe, file or value: the user can mend it   exit 2
    ├── CheckFailed           the work ran and did not pass: a check, a bar, a smoke test  exit 1
    └── FormatError           a model's answer does not follow the prompt format (data, not a crash)

A message is one line that says what is wrong, where, and what to do next. Everything else that is
raised is a bug and keeps its traceback.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import get_close_matches


class XlamError(Exception):
    """Base of the errors that are reported in one line instead of a traceback."""

    exit_code = 1


class InputError(XlamError):
    """Something the user gave is wrong; the message says what to change."""

    exit_code = 2


class CheckFailed(XlamError):
    """The work ran to its end and its result is below the bar."""


class FormatError(XlamError):
    """Text that is not an answer in the prompt format.

    Attributes:
        reason: stable code, one of `data_pipeline.core.xlam_format.PARSE_REASONS`.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


def nearest(name: str, known: Iterable[str]) -> str:
    """A ready-made hint: the closest known name, or the list of all of them."""
    names = sorted(known)
    close = get_close_matches(name, names, n=1, cutoff=0.5)
    return f"did you mean '{close[0]}'?" if close else f"known: {', '.join(names)}"
