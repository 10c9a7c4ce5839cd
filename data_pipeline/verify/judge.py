"""Language models that judge whether calls and their results serve the query: APIGen's semantic check.

Five rules say when a sample fails (Liu et al. 2024). Several judges vote, each asked alone. A judge that cannot be
understood or reached is a reason to refuse a sample, never a vote.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from typing import TYPE_CHECKING, NamedTuple

from data_pipeline.core.queries import shown_schema
from data_pipeline.core.schema import Verdict, dumps
from data_pipeline.core.strict_json import parse
from data_pipeline.llm.chat import ChatRequest
from data_pipeline.llm.failures import WRITTEN_BADLY

if TYPE_CHECKING:
    from collections.abc import Sequence

    from data_pipeline.core.schema import Trajectory
    from data_pipeline.llm.chat import ChatAnswer, ChatModel

JUDGE_REASONS: dict[str, str] = {
    "judge_wrong_objective": "judges: the calls do not aim at what the query asks, or their arguments are wrong",
    "judge_wrong_function": "judges: of the tools on offer, others would have been right",
    "judge_wrong_count": "judges: more or fewer calls than the query asks for",
    "judge_irrelevant_results": "judges: the results have nothing to do with what the query asks",
    "judge_error_results": "judges: the results hold an error, or show that a call did not work",
    "judge_unparseable": "a judge's answer was of another form than asked for, three times",
    "judge_unavailable": "a judge could not be asked",
}
"""Reason codes of `Committee.judge`, each with its meaning."""

YES = "none"
PROBLEMS = tuple(code.removeprefix("judge_") for code in JUDGE_REASONS)[:5]
TRIES = 3
RETRY_TEMPERATURE = 0.5
MAX_TOKENS = 512
"""Most tokens of an answer unless the recipe says; one in the form asked for has some 200."""

NOT_RUN = "(not run: the tool is a schema only)"
"""What a judge reads in place of a result."""

SYSTEM = "You check training data for an assistant that calls tools. You answer with one JSON object and no other text."
RULES = """\
Decide whether the calls and their results serve the query. Name the first problem that applies:
- wrong_objective: the calls do not aim at what the query asks, or an argument is not what the query says.
- wrong_function: of the tools on offer, other ones should have been called.
- wrong_count: there are more or fewer calls than the query asks for.
- irrelevant_results: the results do not have to do with what the query asks.
- error_results: a result is an error, or shows that the call did not work.
- none: the sample is right.
No calls are right, and only right, where no tool can do what the query asks or the query leaves out a value that a \
tool requires.
Answer: {"thought": "one or two sentences", "problem": "one of the names above"}"""

SCHEMA = {
    "type": "object",
    "properties": {
        "thought": {"type": "string", "maxLength": 600},
        "problem": {"enum": [YES, *PROBLEMS]},
    },
    "required": ["thought", "problem"],
    "additionalProperties": False,
}


class _NoVote(Exception):
    """A judge that gave none; the reason is one of `JUDGE_REASONS`."""

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(reason)
        self.verdict = Verdict(stage="semantic", passed=False, reason=reason, detail=detail[:300])


class Judgement(NamedTuple):
    """What a committee says of a sample, and what asking it took.

    Attributes:
        verdict: of the stage `semantic`; its detail holds the votes.
        input_tokens: of all prompts.
        output_tokens: written by all judges.
        cost: of both, at the recipe's prices.
    """

    verdict: Verdict
    input_tokens: int
    output_tokens: int
    cost: float


class Committee:
    """Judges that vote."""

    def __init__(self, judges: Sequence[ChatModel], quorum: int | None = None) -> None:
        """Nobody is asked yet.

        Args:
            judges: at least one; not closed here.
            quorum: how many must say yes; more than half unless given.
        """
        self._judges = judges
        self._quorum = quorum or len(judges) // 2 + 1

    async def judge(self, sample: Trajectory) -> Judgement:
        """The vote; judges are asked in order, no further than it takes to decide.

        Raises:
            XlamError: a judge cannot be reached at all.
        """
        answers: list[ChatAnswer] = []
        verdict = await self._vote(judge_prompt(sample), answers)
        return Judgement(
            verdict,
            input_tokens=sum(answer.input_tokens for answer in answers),
            output_tokens=sum(answer.output_tokens for answer in answers),
            cost=sum(answer.cost for answer in answers),
        )

    async def _vote(self, text: str, answers: list[ChatAnswer]) -> Verdict:
        votes: list[tuple[str, str]] = []
        for judge in self._judges:
            try:
                votes.append((judge.name, await _ask(judge, text, answers)))
            except _NoVote as none:
                return none.verdict
            yes = sum(problem == YES for _, problem in votes)
            if yes >= self._quorum or yes + len(self._judges) - len(votes) < self._quorum:
                break
        return _decided(votes, yes >= self._quorum)

    async def judge_many(self, samples: Sequence[Trajectory]) -> list[Judgement]:
        """The votes on several samples, asked side by side."""
        return list(await asyncio.gather(*(self.judge(sample) for sample in samples)))


def judge_prompt(sample: Trajectory) -> str:
    """All that a judge is told of a sample."""
    tools = "\n".join(dumps(shown_schema(tool)) for tool in sample.tools)
    calls = dumps([call.to_dict() for call in sample.calls])
    # Samples keep no result beyond a few hundred characters, one for each call, and none at all if no call was run.
    kept = sample.results or ("",) * len(sample.calls)
    results = "\n".join(result or NOT_RUN for result in kept) or "(no call, no result)"
    return f"Tools on offer:\n{tools}\n\nQuery: {sample.query}\n\nCalls: {calls}\n\nResults:\n{results}\n\n{RULES}"


async def _ask(judge: ChatModel, text: str, answers: list[ChatAnswer]) -> str:
    """One of `PROBLEMS` or `YES`; what it took is added to `answers`."""
    written = ""
    for number in range(TRIES):
        request = ChatRequest(
            messages=(("system", SYSTEM), ("user", text)),
            schema=SCHEMA,
            max_tokens=judge.max_tokens or MAX_TOKENS,
            temperature=RETRY_TEMPERATURE if number else 0.0,  # at 0 it would write the same again
            seed=number,
        )
        answer = await judge.ask(request)
        answers.append(answer)
        if answer.failure and answer.failure not in WRITTEN_BADLY:
            raise _NoVote("judge_unavailable", f"{judge.name}: {answer.failure} ({answer.detail})")
        problem = _read_problem(answer.text)
        if problem is not None:
            return problem
        written = answer.text or answer.failure
    raise _NoVote("judge_unparseable", f"{judge.name}: {written}")


def _read_problem(text: str) -> str | None:
    try:
        found = parse(text, "the answer")
    except ValueError:
        return None
    problem = found.get("problem") if isinstance(found, dict) else None
    return problem if problem in (YES, *PROBLEMS) else None


def _decided(votes: Sequence[tuple[str, str]], passed: bool) -> Verdict:
    detail = ", ".join(f"{name}: {'yes' if problem == YES else problem}" for name, problem in votes)
    if passed:
        return Verdict(stage="semantic", passed=True, detail=detail)
    against = Counter(problem for _, problem in votes if problem != YES)
    # Of equally many, the one that the rules name first.
    reason = max(PROBLEMS, key=lambda problem: against[problem])
    return Verdict(stage="semantic", passed=False, reason=f"judge_{reason}", detail=detail)
