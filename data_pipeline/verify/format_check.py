"""The first check: the sample is well formed and its calls fit the tools on offer."""

from __future__ import annotations

import json
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.core.errors import FormatError, nearest
from data_pipeline.core.schema import Verdict
from data_pipeline.core.xlam_format import parse_calls, render_answer
from data_pipeline.tools.schema_check import ARGUMENT_REASONS, ArgumentCheck

if TYPE_CHECKING:
    from collections.abc import Callable

    from data_pipeline.core.schema import Style, ToolCall, Trajectory

FORMAT_REASONS = {
    "wrong_messages": "the messages are not one of the user followed by one of the assistant",
    "blank_query": "the user message has no text",
    "duplicate_tool": "two tools on offer have the same name",
    "wrong_tool_count": "the style asks for another number of tools on offer",
    "unknown_tool": "a call names a tool that is not on offer",
    "wrong_call_count": "the style asks for another number of calls, or of different tools called",
    "repeated_call": "two calls are identical",
    "unparseable_answer": "the rendered answer does not parse back to the same calls",
    "incomplete_missing": "a missing-parameter sample does not say which call it is that the query begins",
    "incomplete_unexpected": "a sample of another style says that its call is incomplete",
    "nothing_missing": "the call of a missing-parameter sample has all required arguments",
    "unreadable": "the arguments or a tool's schema are nested too deeply, or hold a number too long to write",
    **ARGUMENT_REASONS,
}
"""Reason codes of `check_format`, each with its meaning."""


class _Rule(NamedTuple):
    """What a style asks for: (least, most) of each; None is no upper bound."""

    offered: tuple[int, int | None]
    calls: tuple[int, int | None]
    called: tuple[int, int | None]


_RULES: dict[Style, _Rule] = {
    "simple": _Rule(offered=(1, 1), calls=(1, 1), called=(1, 1)),
    "multiple": _Rule(offered=(2, None), calls=(1, 1), called=(1, 1)),
    "parallel": _Rule(offered=(1, None), calls=(2, None), called=(1, 1)),
    "parallel-multiple": _Rule(offered=(2, None), calls=(2, None), called=(2, None)),
    "irrelevance": _Rule(offered=(1, None), calls=(0, 0), called=(0, 0)),
    "missing-parameter": _Rule(offered=(1, None), calls=(0, 0), called=(0, 0)),
}

MAX_DETAIL = 300

_Problem = tuple[str, str] | None


def check_format(sample: Trajectory, errors_in: ArgumentCheck | None = None) -> Verdict:
    """Whether the sample is well formed; the reason is one of `FORMAT_REASONS`.

    Args:
        sample: what to check.
        errors_in: checks arguments; one for many samples knows their tools already.
    """
    try:
        problem = next(filter(None, (rule(sample) for rule in _CHECKS)), None)
        problem = problem or _arguments(sample, errors_in or ArgumentCheck()) or _answer(sample)
    except (RecursionError, ValueError):
        problem = "unreadable", "nested too deeply, or a number of thousands of digits"
    if problem:
        return Verdict(stage="format", passed=False, reason=problem[0], detail=problem[1])
    return Verdict(stage="format", passed=True)


def _messages(sample: Trajectory) -> _Problem:
    roles = [message.role for message in sample.messages]
    if roles != ["user", "assistant"]:
        return "wrong_messages", f"expected user and assistant, got {', '.join(roles) or 'none'}"
    if sample.messages[0].tool_calls:
        return "wrong_messages", "the user message holds tool calls"
    return None if sample.query.strip() else ("blank_query", "the user message has no text")


def _offered_tools(sample: Trajectory) -> _Problem:
    counts = Counter(tool.name for tool in sample.tools)
    twice = next((name for name, count in counts.items() if count > 1), None)
    if twice is not None:
        return "duplicate_tool", f"'{twice}' is offered {counts[twice]} times"
    return _counted("wrong_tool_count", sample.style, "tools on offer", len(counts))


def _called_tools(sample: Trajectory) -> _Problem:
    offered = {tool.name for tool in sample.tools}
    for call in _told_calls(sample):
        if call.name not in offered:
            hint = nearest(call.name, offered) if offered else "no tool is on offer"
            return "unknown_tool", f"'{call.name}' is not on offer; {hint}"[:MAX_DETAIL]
    return None


def _told_calls(sample: Trajectory) -> tuple[ToolCall, ...]:
    """The calls of the answer, or the one that the query only begins."""
    return sample.calls if sample.incomplete is None else (*sample.calls, sample.incomplete)


def _incomplete(sample: Trajectory) -> _Problem:
    """A call is incomplete where the style says so, and only there; the tool is on offer by now."""
    if (sample.incomplete is not None) != (sample.style == "missing-parameter"):
        if sample.incomplete is None:
            return "incomplete_missing", "the sample lacks the call as far as the query gives it"
        return "incomplete_unexpected", f"the style is '{sample.style}', and yet a call is given as incomplete"
    if sample.incomplete is None:
        return None
    tool = next(tool for tool in sample.tools if tool.name == sample.incomplete.name)
    if all(name in sample.incomplete.arguments for name in tool.required):
        return "nothing_missing", f"'{tool.name}' has all {len(tool.required)} required arguments"[:MAX_DETAIL]
    return None


def _call_count(sample: Trajectory) -> _Problem:
    called = len({call.name for call in sample.calls})
    return _counted("wrong_call_count", sample.style, "calls", len(sample.calls)) or _counted(
        "wrong_call_count", sample.style, "different tools called", called
    )


def _counted(reason: str, style: Style, what: str, count: int) -> _Problem:
    rule = _RULES[style]
    bounds = {"tools on offer": rule.offered, "calls": rule.calls, "different tools called": rule.called}
    least, most = bounds[what]
    if count >= least and (most is None or count <= most):
        return None
    wanted = f"at least {least}" if most is None else str(least)
    return reason, f"style '{style}' asks for {wanted} {what}, got {count}"


def _arguments(sample: Trajectory, errors_in: ArgumentCheck) -> _Problem:
    tools = {tool.name: tool for tool in sample.tools}
    for call in sample.calls:
        problem = errors_in(tools[call.name], call.arguments)
        if problem:
            return problem
    given = sample.incomplete
    return errors_in.of_given(tools[given.name], given.arguments) if given is not None else None


def _answer(sample: Trajectory) -> _Problem:
    """The answer as text: it parses back, and says nothing twice."""
    try:
        text = render_answer(sample.calls)
        parsed = parse_calls(text)
    except (FormatError, ValueError, RecursionError) as error:
        return "unparseable_answer", str(error)
    # Compared as text, because to Python 1 and 1.0 and True are equal.
    if render_answer(parsed) != text:
        return "unparseable_answer", "the answer parses to other calls"
    if len(sample.calls) < 2:
        return None
    counts = Counter((call.name, _canonical(call.arguments)) for call in sample.calls)
    twice = next((name for (name, _), count in counts.items() if count > 1), None)
    return None if twice is None else ("repeated_call", f"'{twice}' is called twice with the same arguments")


def _canonical(value: object) -> str:
    return json.dumps(value, sort_keys=True)


_CHECKS: tuple[Callable[[Trajectory], _Problem], ...] = (
    _messages,
    _offered_tools,
    _called_tools,
    _call_count,
    _incomplete,
)
