"""Why a chat with a model brought nothing worth reading, and what each reason means."""

from __future__ import annotations

FAILURES: dict[str, str] = {
    "rate_limited": "the server said up to the deadline that requests come too fast",
    "server_error": "the server failed at this request every time it was asked",
    "connection": "the connection could not be made, or broke off, up to the deadline",
    "timeout": "no attempt was answered within its time",
    "deadline": "the time for all attempts together ended during one of them",
    "cut_off": "the answer reached its most tokens before it was complete",
    "empty_answer": "the model wrote nothing",
    "not_json_body": "the server's body is no chat completion, such as a proxy's HTML page or a torn JSON",
    "too_large": "the answer is larger than any chat completion should be",
    "refused": "a content filter, or the model by way of its refusal field, declined",
    "bad_request": "the server does not accept the request, such as a prompt beyond the model's context",
}
"""Codes of `ChatAnswer.failure`, each with its meaning."""

WRITTEN_BADLY = frozenset({"cut_off", "empty_answer"})
"""Failures of the model's writing; all others happened on the way to the model and back."""

ANSWERED = WRITTEN_BADLY | {"", "refused"}
"""What an answer says of itself that the model gave, '' for a good one: it was paid for, and is not asked for again."""
