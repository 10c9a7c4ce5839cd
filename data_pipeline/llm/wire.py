"""Chat completions as they go over the wire: what is sent, and what each reply means."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, replace
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

from data_pipeline.llm.chat import ChatAnswer

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from data_pipeline.llm.chat import ChatRequest
    from data_pipeline.llm.settings import Sampling

FORMS = ("json_schema", "json_object", "text")
"""How an answer's form is asked for, from the strictest to none; each server knows some of them."""

WRONG_ADDRESS = frozenset({401, 403, 404})
"""HTTP codes of a wrong key, model or URL, which no other request would fare better with."""

PERHAPS_OWN = frozenset({403, 404})
"""Those of them that may be meant for one request alone: a gateway's 403 to a prompt, a router's 404 to a form."""

_BUSY = frozenset({429, 503, 504, 529})
_PASSING = frozenset({409, 425})
DETAIL_LENGTH = 200


@dataclass(frozen=True)
class Outcome:
    """What came of one attempt.

    Attributes:
        answer: as it would be given if this was the last attempt.
        again: whether another attempt may do better.
        busy: whether the server had too much to do.
        wait: seconds the server asks to wait; None where it does not say.
    """

    answer: ChatAnswer
    again: bool = False
    busy: bool = False
    wait: float | None = None


def failed(code: str, detail: str = "", again: bool = False, busy: bool = False, wait: float | None = None) -> Outcome:
    """An attempt without a text."""
    return Outcome(ChatAnswer("", code, detail), again, busy, wait)


def request_body(request: ChatRequest, model: str, form: str) -> dict[str, Any]:
    """The JSON of a request.

    Args:
        request: what to ask.
        model: the server's name of the model.
        form: one of `FORMS`.
    """
    body: dict[str, Any] = {
        "model": model,
        "messages": [{"role": role, "content": text} for role, text in request.messages],
        "max_tokens": request.max_tokens,
        "temperature": request.temperature,
        "seed": request.seed,
    }
    if form == "json_schema":
        body["response_format"] = {"type": form, "json_schema": {"name": "answer", "schema": request.schema}}
    elif form == "json_object":
        body["response_format"] = {"type": form}
    return body


def read_completion(body: bytes, prices: Sampling, hide: Callable[[str], str] = str) -> Outcome:
    """What a body that came with HTTP 200 says.

    Args:
        body: all of it.
        prices: of its tokens.
        hide: takes out of a detail what nobody may see; before it is cut, which could leave half of that.
    """
    try:
        completion = json.loads(body)
        choice = completion["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        text, refusal = message.get("content") or "", message.get("refusal")
        usage = completion.get("usage") or {}
        counted = _counted(usage, prices)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError, OverflowError, RecursionError):
        return failed("not_json_body", hide(body.decode(errors="replace"))[:DETAIL_LENGTH], again=True)
    if not isinstance(text, str):
        return failed("not_json_body", "the message's content is no text", again=True)
    answer = replace(counted, text=_escaped(text))
    if refusal or finish == "content_filter":
        why = hide(_escaped(str(refusal or finish)))[:DETAIL_LENGTH]
        return Outcome(replace(answer, text="", failure="refused", detail=why))
    if finish == "length":
        return Outcome(replace(answer, failure="cut_off", detail=f"after {answer.output_tokens} tokens"))
    if not text.strip():
        return Outcome(replace(answer, text="", failure="empty_answer"))
    return Outcome(answer)


def _escaped(text: str) -> str:
    """The text with each half of a character as its escape, which strict JSON refuses and UTF-8 can hold."""
    return text.encode(errors="backslashreplace").decode()


def _counted(usage: Mapping[str, Any], prices: Sampling) -> ChatAnswer:
    asked, written = int(usage.get("prompt_tokens") or 0), int(usage.get("completion_tokens") or 0)
    return ChatAnswer("", "", "", asked, written, prices.cost(asked, written))


def read_refusal(status: int, headers: Mapping[str, str], detail: str) -> Outcome:
    """What an HTTP code other than 200 means if it is meant for the request, as `WRONG_ADDRESS` mostly is not."""
    detail = f"HTTP {status}: {detail}"[:DETAIL_LENGTH]
    busy, wait = status in _BUSY, retry_after(headers.get("retry-after"))
    if status == 429:
        return failed("rate_limited", detail, again=True, busy=busy, wait=wait)
    if status == 408:
        return failed("timeout", detail, again=True, busy=True, wait=wait)
    if status >= 500 or status in _PASSING:
        return failed("server_error", detail, again=True, busy=busy, wait=wait)
    return failed("bad_request", detail)


def retry_after(value: str | None, now: float | None = None) -> float | None:
    """Seconds to wait by a Retry-After header, which holds seconds or a date; None where it says neither.

    Args:
        value: of the header.
        now: the time as seconds since 1970, for a date; the clock's unless given.
    """
    if not value:
        return None
    try:
        seconds = float(value)
    except ValueError:
        try:
            seconds = parsedate_to_datetime(value).timestamp() - (time.time() if now is None else now)
        except (ValueError, TypeError):
            return None
    return max(0.0, seconds) if seconds < float("inf") else None
