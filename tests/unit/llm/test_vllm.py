"""Requests gathered into batches, with a stand-in for vLLM."""

import asyncio
import json
import time
from collections.abc import Sequence
from types import SimpleNamespace

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.llm.chat import ChatAnswer, ChatRequest
from data_pipeline.llm.settings import Vllm
from data_pipeline.llm.vllm import Engine, VllmModel, read_output

SETTINGS = Vllm(model="m", batch=4, input_price=1.0)


def request(text: str) -> ChatRequest:
    return ChatRequest(messages=(("user", text),))


class Stand:
    """An engine that repeats the question, and does not take 'long'."""

    def __init__(self) -> None:
        self.sizes: list[int] = []
        self.loaded = 0

    def load(self, settings: Vllm) -> Engine:
        self.loaded += 1
        return self.answer

    def answer(self, requests: Sequence[ChatRequest]) -> list[ChatAnswer]:
        self.sizes.append(len(requests))
        texts = [request.messages[0][1] for request in requests]
        if "long" in texts:
            raise ValueError("The prompt is longer\nthan the maximum model length")
        if "bug" in texts:
            raise KeyError("bug")
        time.sleep(0.02)
        return [ChatAnswer(text) for text in texts]


def ask(stand: Stand, *texts: str) -> list[ChatAnswer | BaseException]:
    async def go() -> list[ChatAnswer | BaseException]:
        model = VllmModel(SETTINGS, stand.load)
        asked = asyncio.gather(*(model.ask(request(text)) for text in texts), return_exceptions=True)
        found = await asyncio.wait_for(asked, 5)
        await model.close()
        return found

    return asyncio.run(go())


def test_all_who_ask_at_once_share_batches() -> None:
    stand = Stand()
    texts = [f"t{number}" for number in range(10)]
    assert ask(stand, *texts) == [ChatAnswer(text) for text in texts]
    assert (stand.sizes, stand.loaded) == ([4, 4, 2], 1)


def test_who_comes_during_a_batch_is_in_the_next() -> None:
    async def go(stand: Stand) -> None:
        model = VllmModel(SETTINGS, stand.load)
        first = asyncio.create_task(model.ask(request("a")))
        await asyncio.sleep(0.005)
        later = [asyncio.create_task(model.ask(request(text))) for text in "bc"]
        assert [answer.text for answer in await asyncio.gather(first, *later)] == ["a", "b", "c"]
        assert (await model.ask(request("d"))).text == "d"  # after all work was done

    stand = Stand()
    asyncio.run(go(stand))
    assert stand.sizes == [1, 2, 1]


def test_a_prompt_too_long_fails_alone() -> None:
    found = ask(Stand(), "a", "long", "b")
    detail = "The prompt is longer than the maximum model length"
    assert found == [ChatAnswer("a"), ChatAnswer("", "bad_request", detail), ChatAnswer("b")]


def test_a_bug_reaches_all_of_its_batch_and_nobody_else() -> None:
    found = ask(Stand(), "a", "bug", "b", "c", "d")
    assert [isinstance(answer, KeyError) for answer in found] == [True, True, True, True, False]


def test_without_vllm_it_says_what_to_install() -> None:
    async def go() -> None:
        await VllmModel(SETTINGS).ask(request("a"))

    with pytest.raises(InputError, match="pip install vllm"):
        asyncio.run(go())


@pytest.mark.parametrize(
    ("text", "finish", "failure"), [("x", "stop", ""), ("x", "length", "cut_off"), (" ", "stop", "empty_answer")]
)
def test_an_output_is_read(text: str, finish: str, failure: str) -> None:
    written = SimpleNamespace(text=text, finish_reason=finish, token_ids=[1, 2])
    output = SimpleNamespace(outputs=[written], prompt_token_ids=[1] * 1000)
    assert read_output(output, SETTINGS) == ChatAnswer(text, failure, "", 1000, 2, 0.001)


@pytest.mark.gpu
def test_a_real_engine_holds_answers_to_a_schema() -> None:
    pytest.importorskip("vllm", reason="needs vLLM and a GPU: pip install 'xlam-train[vllm]'")
    schema = {"type": "object", "properties": {"n": {"type": "integer"}}, "required": ["n"]}
    model = VllmModel(Vllm(model="HuggingFaceTB/SmolLM2-135M-Instruct"))

    async def ask() -> ChatAnswer:
        found = await model.ask(ChatRequest(messages=(("user", "Give a number."),), schema=schema, max_tokens=64))
        await model.close()
        return found

    answer = asyncio.run(ask())
    assert answer.failure == ""
    assert set(json.loads(answer.text)) == {"n"}
