"""Replies of servers, read."""

import json
from typing import Any

import pytest

from data_pipeline.core.strict_json import BadRecord, parse
from data_pipeline.llm.chat import ChatAnswer, ChatRequest
from data_pipeline.llm.failures import FAILURES
from data_pipeline.llm.settings import Sampling
from data_pipeline.llm.wire import read_completion, read_refusal, request_body, retry_after

PRICES = Sampling(input_price=1.0, output_price=10.0)
NOON = 1_700_000_000.0


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        (None, None),
        ("", None),
        ("2", 2.0),
        ("0.25", 0.25),
        ("-3", 0.0),
        ("Tue, 14 Nov 2023 22:13:50 GMT", 30.0),
        ("Tue, 14 Nov 2023 22:13:10 GMT", 0.0),
        ("soon", None),
        ("inf", None),
        ("nan", None),
    ],
)
def test_retry_after_in_all_its_forms(value: str | None, seconds: float | None) -> None:
    assert retry_after(value, NOON) == seconds


@pytest.mark.parametrize(
    ("status", "failure", "again", "busy"),
    [
        (429, "rate_limited", True, True),
        (408, "timeout", True, True),
        (500, "server_error", True, False),
        (502, "server_error", True, False),
        (503, "server_error", True, True),
        (529, "server_error", True, True),
        (409, "server_error", True, False),
        (400, "bad_request", False, False),
        (422, "bad_request", False, False),
        (302, "bad_request", False, False),
    ],
)
def test_http_codes(status: int, failure: str, again: bool, busy: bool) -> None:
    found = read_refusal(status, {"retry-after": "3"}, "why")
    assert (found.answer.failure, found.again, found.busy) == (failure, again, busy)
    assert found.wait == (3.0 if again else None)
    assert found.answer.detail == f"HTTP {status}: why"


def body(choice: dict[str, Any], **more: Any) -> bytes:
    return json.dumps({"choices": [choice], **more}).encode()


def test_a_completion_is_counted_and_priced() -> None:
    usage = {"prompt_tokens": 1000, "completion_tokens": 200}
    found = read_completion(body({"message": {"content": "hi"}, "finish_reason": "stop"}, usage=usage), PRICES)
    assert found.answer == ChatAnswer("hi", "", "", 1000, 200, 0.003)
    assert not found.again


@pytest.mark.parametrize("usage", [None, {}, {"prompt_tokens": None}])
def test_a_server_that_counts_nothing(usage: Any) -> None:
    found = read_completion(body({"message": {"content": "hi"}}, usage=usage), PRICES)
    assert found.answer == ChatAnswer("hi")


@pytest.mark.parametrize(
    "reply",
    [
        b"",
        b"<html>",
        b"null",
        b"[]",
        b'{"choices": []}',
        b'{"choices": null}',
        b'{"choices": ["x"]}',
        b'{"choices": [{"message": null}]}',
        b'{"choices": [{"message": {"content": ["a"]}}]}',
        b'{"error": {"message": "overloaded"}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": "many"}}',
        b'{"choices": [{"message": {"content": "x"}}], "usage": {"prompt_tokens": Infinity}}',
        b"\xff\xfe",
        b"[" * 100_000,
    ],
)
def test_bodies_that_are_no_completion(reply: bytes) -> None:
    found = read_completion(reply, PRICES)
    assert (found.answer.failure, found.again) == ("not_json_body", True)
    assert len(found.answer.detail) <= 200


@pytest.mark.parametrize(
    ("message", "finish", "failure", "text"),
    [
        ({"content": "half"}, "length", "cut_off", "half"),
        ({"content": ""}, "length", "cut_off", ""),
        ({"content": " \n"}, "stop", "empty_answer", ""),
        ({"content": None}, "stop", "empty_answer", ""),
        ({"content": "x"}, "content_filter", "refused", ""),
        ({"content": None, "refusal": "no"}, "stop", "refused", ""),
    ],
)
def test_answers_not_worth_reading(message: dict[str, Any], finish: str, failure: str, text: str) -> None:
    found = read_completion(body({"message": message, "finish_reason": finish}), PRICES)
    assert (found.answer.failure, found.answer.text, found.again) == (failure, text, False)
    assert failure in FAILURES


def test_half_a_character_becomes_an_escape_that_no_reader_takes() -> None:
    text = read_completion(body({"message": {"content": '{"query": "\ud83d"}'}}), PRICES).answer.text
    assert text == '{"query": "\\ud83d"}'
    with pytest.raises(BadRecord, match="lone_surrogate"):
        parse(text)
    refused = read_completion(body({"message": {"content": None, "refusal": "no \ud83d"}}), PRICES).answer
    assert refused.detail == "no \\ud83d"
    whole = read_completion(body({"message": {"content": "\U0001f600"}}), PRICES).answer
    assert whole.text == "\U0001f600"


@pytest.mark.parametrize(
    "reply", [b"x" * 195 + b"a-secret", body({"message": {"content": None, "refusal": "x" * 195 + "a-secret"}})]
)
def test_of_what_is_hidden_a_cut_leaves_no_part(reply: bytes) -> None:
    found = read_completion(reply, PRICES, lambda text: text.replace("a-secret", "***"))
    assert found.answer.detail == "x" * 195 + "***"


def test_what_is_sent() -> None:
    request = ChatRequest(messages=(("user", "hi"),), schema={"type": "object"}, max_tokens=5, temperature=0, seed=9)
    sent = request_body(request, "m", "json_schema")
    assert sent["response_format"]["json_schema"]["schema"] == {"type": "object"}
    assert request_body(request, "m", "json_object")["response_format"] == {"type": "json_object"}
    del sent["response_format"]
    assert request_body(request, "m", "text") == sent
    assert sent["messages"] == [{"role": "user", "content": "hi"}]
    assert (sent["max_tokens"], sent["temperature"], sent["seed"]) == (5, 0, 9)
