"""From a query to executed calls and an answer: ask, run what is called, give the results back, until no call comes."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from data_pipeline.core.schema import Tool, ToolCall, dumps
from data_pipeline.tools.executor import ExecutionResult, Executor
from xlam_train.infer.handler import ChatHandler

Ending = Literal["answered", "repeated", "rounds", "format_error"]
ENDINGS: dict[Ending, str] = {
    "answered": "the model called nothing more",
    "repeated": "the model made the same calls twice in a row; models trained on single turns do",
    "rounds": "the model still called after the last round",
    "format_error": "the model wrote something that is no answer in the prompt format",
}
"""How a run can end."""

IN_WORDS = "Question: {query}\n\nResults:\n{results}\n\nAnswer the question in one sentence with these results."
"""Asked in plain chat, without tools, of a model whose prompt format has calls only."""


@dataclass(frozen=True)
class Step:
    """An executed call.

    Attributes:
        call: as the model wrote it.
        result: what came of it.
    """

    call: ToolCall
    result: ExecutionResult

    @property
    def text(self) -> str:
        """The result as the model is told: its JSON, or {"error": ...}."""
        failed = {"error": f"{self.result.status}: {self.result.error}"}
        return dumps(self.result.result if self.result.status == "ok" else failed)


@dataclass(frozen=True)
class AgentRun:
    """What came of a query.

    Attributes:
        answer: for the user; '' where the model called nothing and said nothing.
        steps: the executed calls, in order.
        messages: the whole conversation, as OpenAI's API has it.
        ending: one of `ENDINGS`.
    """

    answer: str
    steps: tuple[Step, ...]
    messages: tuple[Mapping[str, Any], ...]
    ending: Ending


def run_agent(
    handler: ChatHandler,
    tools: Sequence[Tool],
    executor: Executor,
    messages: Sequence[Mapping[str, Any]],
    *,
    max_rounds: int = 4,
    max_tokens: int = 512,
) -> AgentRun:
    """Answer a query with tools.

    `xlam-1` has no words for an answer, only calls. If the model says nothing at the end, it is asked once more in its
    plain chat to put the results into words.

    Args:
        handler: of the model.
        tools: on offer; a name that is none of theirs comes back to the model as an error.
        executor: runs the calls; those on a stateful domain one after another, each on the state the last one left.
        messages: the conversation so far, as OpenAI's API has it; the last one is the user's query.
        max_rounds: answers with calls that are executed, each at the price of one more prompt.
        max_tokens: most tokens of each answer.

    Raises:
        InputError: the backend cannot answer, or a tool schema is broken.
    """
    desk = _Desk(tools, executor)
    said = list(messages)
    for round_number in range(max_rounds + 1):
        choice = handler.chat(said, tools, max_tokens=max_tokens)["choices"][0]
        ending = desk.ending(choice, last=round_number == max_rounds)
        if ending is not None:
            break
        said += [choice["message"], *desk.run(choice["message"]["tool_calls"])]
    assert ending is not None
    answer = choice["message"]["content"] or "" if ending in ("answered", "format_error") else ""
    if not answer and desk.steps:
        answer = _in_words(handler, messages[-1]["content"], desk.steps, max_tokens)
    return AgentRun(answer, tuple(desk.steps), (*said, {"role": "assistant", "content": answer}), ending)


class _Desk:
    """Executes calls and remembers them."""

    def __init__(self, tools: Sequence[Tool], executor: Executor) -> None:
        self.steps: list[Step] = []
        self._tools = {tool.name: tool for tool in tools}
        self._executor = executor
        self._states: dict[str, str] = {}
        self._last: list[ToolCall] = []

    def ending(self, choice: Mapping[str, Any], last: bool) -> Ending | None:
        """How the run ends with this choice; None if its calls are to be executed."""
        if choice["format_error"]:
            return "format_error"
        calls = list(map(_read, choice["message"].get("tool_calls") or ()))
        if not calls:
            return "answered"
        if calls == self._last:
            return "repeated"
        return "rounds" if last else None

    def run(self, openai_calls: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
        """The results as messages for the model."""
        self._last = list(map(_read, openai_calls))
        steps = [Step(call, self._execute(call)) for call in self._last]
        self.steps += steps
        return [
            {"role": "tool", "tool_call_id": entry["id"], "content": step.text}
            for entry, step in zip(openai_calls, steps, strict=True)
        ]

    def _execute(self, call: ToolCall) -> ExecutionResult:
        tool = self._tools.get(call.name)
        if tool is None:
            return ExecutionResult("unavailable", error=f"no tool '{call.name}' is on offer")
        result = self._executor.call(tool, call.arguments, self._states.get(tool.source))
        if result.state is not None:
            self._states[tool.source] = result.state
        return result


def _read(entry: Mapping[str, Any]) -> ToolCall:
    function = entry["function"]
    return ToolCall(name=function["name"], arguments=json.loads(function["arguments"]))


def _in_words(handler: ChatHandler, query: str, steps: Sequence[Step], max_tokens: int) -> str:
    results = "\n".join(f"- {step.call.name}({dumps(step.call.arguments)}) returned {step.text}" for step in steps)
    asked = [{"role": "user", "content": IN_WORDS.format(query=query, results=results)}]
    return str(handler.chat(asked, max_tokens=max_tokens)["choices"][0]["message"]["content"])
