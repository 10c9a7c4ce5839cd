"""Answers in the prompt format as they grow: which calls are complete so far, and what is plain text."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import ToolCall
from data_pipeline.core.xlam_format import parse_calls

# With the white space taken out, every answer begins like one of these.
_BEGINNINGS = ('{"tool_calls":[', '{"thought":"', "[{", "[]")
_LIST = re.compile(r'\s*(?:\{\s*(?:"thought"\s*:\s*(?P<thought>"(?:[^"\\]|\\.)*")\s*,\s*)?"tool_calls"\s*:\s*)?\[\s*')
_SPACE, _COMMA = re.compile(r"\s*"), re.compile(r"\s*,\s*")
_DECODER = json.JSONDecoder()


@dataclass(frozen=True)
class Answer:
    """What an answer says, or what is new in it.

    Attributes:
        text: for the user: a thought beside calls, or text that is no answer in the format.
        calls: in their order.
    """

    text: str = ""
    calls: tuple[ToolCall, ...] = ()


def read_answer(text: str) -> Answer:
    """A whole answer: an object with `tool_calls` and perhaps a `thought`, or a bare list of calls.

    Text that is anything else is for the user as it is; nothing is guessed or repaired.
    """
    try:
        calls = parse_calls(text, "xlam-1-history")
    except FormatError:
        return Answer(text)
    value = json.loads(text)
    return Answer(value.get("thought", "") if isinstance(value, dict) else "", tuple(calls))


class AnswerStream:
    """Tells the parts of one growing answer, each once: a call as soon as its JSON is complete.

    What went before cannot be taken back: an answer that goes wrong behind a complete call has told that call, where
    `read_answer` takes all of it for text. One that breaks off within its first call tells nothing.
    """

    def __init__(self) -> None:
        """Nothing is read yet."""
        self._told = 0  # characters of plain text
        self._calls = 0
        self._thought = False
        self._next: int | None = None  # where the next call begins in the text

    def feed(self, text: str) -> Answer:
        """What is new.

        Args:
            text: the answer so far, from its beginning.
        """
        if not self._may_be_answer(text):
            told, self._told = self._told, len(text)
            return Answer(text[told:])
        calls = self._new_calls(text)
        due = not self._calls and not self._thought and (calls or _is_json(text))
        thought = _thought(text) if due else ""
        self._thought = self._thought or bool(thought)
        self._calls += len(calls)
        return Answer(thought, tuple(calls))

    def _may_be_answer(self, text: str) -> bool:
        if self._told or self._calls:
            return not self._told
        head = "".join(text.split())
        begun = any(start.startswith(head) or head.startswith(start) for start in _BEGINNINGS)
        return begun and not (_is_json(text) and read_answer(text) == Answer(text))

    def _new_calls(self, text: str) -> list[ToolCall]:
        if self._next is None:
            start = _LIST.match(text)
            self._next = start.end() if start else None
        found: list[ToolCall] = []
        while self._next is not None:
            between = (_COMMA if self._calls or found else _SPACE).match(text, self._next)
            try:
                begin = between.end() if between else len(text)
                _, end = _DECODER.raw_decode(text, begin)
                found += parse_calls(f"[{text[begin:end]}]")
            except (ValueError, RecursionError, FormatError):
                break  # to be continued, or wrong for good
            self._next = end
        return found


def _thought(text: str) -> str:
    start = _LIST.match(text)
    return str(json.loads(start["thought"])) if start and start["thought"] else ""


def _is_json(text: str) -> bool:
    """Whether the text begins with a whole JSON value."""
    try:
        _DECODER.raw_decode(text.lstrip())
    except (ValueError, RecursionError):
        return False
    return True
