"""Queries and calls from a language model, one request for all samples of a plan."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from data_pipeline.core.errors import FormatError
from data_pipeline.core.schema import Message, Origin, ToolCall, Trajectory, Verdict, dumps
from data_pipeline.core.strict_json import parse
from data_pipeline.core.xlam_format import parse_calls
from data_pipeline.generate.prompts import PROMPT_VERSION, write_prompts
from data_pipeline.llm.chat import ChatRequest
from data_pipeline.llm.failures import FAILURES, WRITTEN_BADLY

if TYPE_CHECKING:
    from data_pipeline.generate.plan import Plan
    from data_pipeline.generate.prompts import Item, Prompt
    from data_pipeline.llm.chat import ChatAnswer, ChatModel
    from data_pipeline.llm.settings import Endpoint, LlamaCpp, Vllm

GENERATE_REASONS: dict[str, str] = {
    **FAILURES,
    "not_json": "the model's answer is not JSON from beginning to end",
    "wrong_shape": "the answer, or this item of it, is JSON of another shape than was asked for",
    "missing_item": "the answer has fewer items than were asked for",
}
"""Reason codes of drafts that could not be written, each with its meaning."""

DETAIL_LENGTH = 200


class _Unwritten(Exception):
    """An answer or an item that gives no draft; the reason is one of `GENERATE_REASONS`."""

    def __init__(self, reason: str, text: str, query: str = "") -> None:
        super().__init__(reason)
        self.query = query
        self.verdict = Verdict(stage=_stage(reason), passed=False, reason=reason, detail=text[:DETAIL_LENGTH])


class LlmGenerator:
    """A `Generator` that asks a model."""

    def __init__(self, model: ChatModel, settings: Endpoint | LlamaCpp | Vllm) -> None:
        """Nothing is asked yet.

        Args:
            model: who writes; not closed here.
            settings: its section of the recipe.
        """
        self._model = model
        self._settings = settings

    async def draft(self, plan: Plan) -> list[Trajectory]:
        """See `Generator.draft`. What the model wrote wrongly has the stage `format`, as in APIGen's accounts.

        Raises:
            XlamError: the model cannot be reached at all.
        """
        prompts = write_prompts(plan, self._settings)
        drafts = await asyncio.gather(*(self._ask(plan, prompt) for prompt in prompts))
        return [draft for part in drafts for draft in part]

    async def _ask(self, plan: Plan, prompt: Prompt) -> list[Trajectory]:
        request = ChatRequest(
            messages=prompt.messages,
            schema=prompt.schema,
            max_tokens=prompt.max_tokens,
            temperature=self._settings.temperature,
            seed=plan.seed & 0x7FFFFFFF,  # servers hold it in 32 bits
        )
        answer = await self._model.ask(request)
        origin = self._origin(plan, answer, len(prompt.items))
        try:
            entries = _read_entries(answer)
        except _Unwritten as unwritten:
            return [_refused(plan, item, origin, unwritten) for item in prompt.items]
        return [_draft(plan, item, origin, entries[place:]) for place, item in enumerate(prompt.items)]

    def _origin(self, plan: Plan, answer: ChatAnswer, share: int) -> Origin:
        return Origin(
            generator=self._model.name,
            prompt=PROMPT_VERSION,
            persona=plan.persona,
            locale=plan.locale,
            input_tokens=answer.input_tokens / share,
            output_tokens=answer.output_tokens / share,
            cost=answer.cost / share,
        )


def _stage(reason: str) -> Any:
    return "generate" if reason in FAILURES and reason not in WRITTEN_BADLY else "format"


def _read_entries(answer: ChatAnswer) -> list[Any]:
    if answer.failure:
        raise _Unwritten(answer.failure, answer.detail or answer.text)
    try:
        found = parse(answer.text, "the answer")
    except ValueError as error:
        raise _Unwritten("not_json", f"{error}: {answer.text}") from error
    if not isinstance(found, dict) or set(found) != {"items"} or not isinstance(found["items"], list):
        raise _Unwritten("wrong_shape", answer.text)
    return found["items"]


def _draft(plan: Plan, item: Item, origin: Origin, entries: list[Any]) -> Trajectory:
    """The sample that the first of the entries left holds; there may be none left."""
    try:
        if not entries:
            raise _Unwritten("missing_item", "")
        query, calls, incomplete = _read_entry(entries[0], item)
    except _Unwritten as unwritten:
        return _refused(plan, item, origin, unwritten)
    return Trajectory(
        id=plan.sample_id(item.number),
        style=item.style,
        tools=plan.tools,
        messages=(Message(role="user", content=query), Message(role="assistant", tool_calls=calls)),
        incomplete=incomplete,
        origin=origin,
    )


def _read_entry(entry: Any, item: Item) -> tuple[str, tuple[ToolCall, ...], ToolCall | None]:
    wanted = "incomplete" if item.style == "missing-parameter" else "calls"
    text, query = dumps(entry), entry.get("query") if isinstance(entry, dict) else None
    if not isinstance(query, str):
        raise _Unwritten("wrong_shape", text)
    if set(entry) != {"query", wanted}:
        raise _Unwritten("wrong_shape", text, query)
    try:
        calls = parse_calls(dumps([entry[wanted]] if wanted == "incomplete" else entry[wanted]))
    except FormatError as error:
        raise _Unwritten("wrong_shape", text, query) from error
    return (query, (), calls[0]) if wanted == "incomplete" else (query, tuple(calls), None)


def _refused(plan: Plan, item: Item, origin: Origin, unwritten: _Unwritten) -> Trajectory:
    known = (Message(role="user", content=unwritten.query),) if unwritten.query else ()
    return Trajectory(
        id=plan.sample_id(item.number),
        style=item.style,
        tools=plan.tools,
        messages=known,
        verdicts=(unwritten.verdict,),
        origin=origin,
    )
