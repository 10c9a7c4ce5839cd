"""The client and the generator against servers on bad days: nothing is lost, everything is counted, in time."""

from __future__ import annotations

import asyncio
import resource
import time
from collections import Counter
from typing import TYPE_CHECKING, Any

import pytest
from fault_endpoint import FaultEndpoint

from data_pipeline.core.errors import CheckFailed, InputError
from data_pipeline.core.schema import Tool
from data_pipeline.generate.llm_generator import GENERATE_REASONS, LlmGenerator
from data_pipeline.generate.plan import Plan
from data_pipeline.llm.cache import CachedModel, ResponseCache
from data_pipeline.llm.chat import ChatRequest
from data_pipeline.llm.endpoint import MOST_FAILED_IN_A_ROW, EndpointModel
from data_pipeline.llm.settings import Endpoint

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from data_pipeline.core.schema import Style, Trajectory
    from data_pipeline.llm.chat import ChatAnswer

pytestmark = pytest.mark.alone

KEY = "sk-a-very-secret-key"
STYLES: tuple[Style, ...] = ("simple", "parallel", "irrelevance", "missing-parameter")
NUMBERS = {"type": "object", "properties": {"a": {"type": "integer"}}, "required": ["a"]}
ADD = Tool(name="add", description="Add numbers.", parameters=NUMBERS)
PLANS = 8


@pytest.fixture
def endpoint(monkeypatch: pytest.MonkeyPatch) -> Iterator[FaultEndpoint]:
    monkeypatch.setenv("FAULT_KEY", KEY)
    with FaultEndpoint() as server:
        yield server


def settings(endpoint: FaultEndpoint, model: str, **changed: Any) -> Endpoint:
    chosen = {"api_key_env": "FAULT_KEY", "concurrency": 4, "timeout": 5.0, "deadline": 10.0, **changed}
    return Endpoint(base_url=endpoint.url, model=model, input_price=1.0, output_price=2.0, **chosen)


def plans(count: int = PLANS) -> list[Plan]:
    return [Plan(id=f"00-{n}", tools=(ADD,), styles=STYLES, strangers=(ADD,), seed=n) for n in range(count)]


def drafts(chosen: Endpoint, count: int = PLANS) -> list[Trajectory]:
    async def all_of_them() -> list[Trajectory]:
        model = EndpointModel(chosen)
        generator = LlmGenerator(model, chosen)
        found = await asyncio.gather(*(generator.draft(plan) for plan in plans(count)))
        await model.close()
        return [draft for part in found for draft in part]

    return asyncio.run(all_of_them())


def ask(chosen: Endpoint, *requests: ChatRequest) -> list[ChatAnswer]:
    async def all_of_them() -> list[ChatAnswer]:
        model = EndpointModel(chosen)
        try:
            return list(await asyncio.gather(*map(model.ask, requests)))
        finally:
            await model.close()

    return asyncio.run(all_of_them())


def hello(seed: int = 0) -> ChatRequest:
    return ChatRequest(messages=(("user", "hello"),), seed=seed)


IMPATIENT = {"timeout": 0.4, "deadline": 0.8}


@pytest.mark.parametrize(
    ("model", "stage", "reason", "changed"),
    [
        ("limited-always", "generate", "rate_limited", IMPATIENT),
        ("limited-an-hour", "generate", "rate_limited", IMPATIENT),
        ("error-500", "generate", "server_error", IMPATIENT),
        ("error-503", "generate", "server_error", IMPATIENT),
        ("reset", "generate", "connection", IMPATIENT),
        ("torn", "generate", "connection", IMPATIENT),
        ("hang", "generate", "timeout", {"timeout": 0.2, "deadline": 0.5}),
        ("hang", "generate", "deadline", {"timeout": 5.0, "deadline": 0.5}),
        ("html", "generate", "not_json_body", IMPATIENT),
        ("torn-json", "generate", "not_json_body", IMPATIENT),
        ("filtered", "generate", "refused", {}),
        ("refusing", "generate", "refused", {}),
        ("too-long", "generate", "bad_request", {}),
        ("cut-off", "format", "cut_off", {}),
        ("empty", "format", "empty_answer", {}),
        ("null", "format", "empty_answer", {}),
        ("not-json", "format", "not_json", {}),
        ("half-character", "format", "not_json", {}),
        ("fenced", "format", "not_json", {}),
        ("wrong-shape", "format", "wrong_shape", {}),
        ("wrong-items", "format", "wrong_shape", {}),
    ],
)
def test_what_cannot_be_written_comes_back_under_its_reason(
    endpoint: FaultEndpoint, model: str, stage: str, reason: str, changed: dict[str, float]
) -> None:
    started = time.monotonic()
    found = drafts(settings(endpoint, model, **changed))
    assert time.monotonic() - started < 6
    assert [draft.id for draft in found] == [plan.sample_id(n) for plan in plans() for n in range(len(STYLES))]
    verdicts = [draft.failed for draft in found]
    counted = Counter((verdict.stage, verdict.reason) for verdict in verdicts if verdict)
    assert counted == {(stage, reason): PLANS * len(STYLES)}
    assert reason in GENERATE_REASONS
    assert all(len(verdict.detail) <= 260 for verdict in verdicts if verdict)


@pytest.mark.parametrize("model", ["good", "flaky", "limited-seconds", "limited-date", "limited-silent"])
def test_what_a_second_attempt_can_mend_is_written(endpoint: FaultEndpoint, model: str) -> None:
    found = drafts(settings(endpoint, model))
    assert [draft.failed for draft in found] == [None] * PLANS * len(STYLES)
    assert [len(draft.calls) for draft in found] == [1, 2, 0, 0] * PLANS
    assert [draft.incomplete is not None for draft in found] == [False, False, False, True] * PLANS
    origin = found[0].origin
    assert origin is not None
    assert (origin.generator, origin.input_tokens, origin.output_tokens) == (model, 25.0, 12.5)
    assert origin.cost == pytest.approx(200e-6 / 4)


@pytest.mark.parametrize(("model", "seconds"), [("limited-seconds", 0.6), ("limited-date", 0.02)])
def test_retry_after_is_waited_for(endpoint: FaultEndpoint, model: str, seconds: float) -> None:
    started = time.monotonic()
    (answer,) = ask(settings(endpoint, model), hello())
    assert answer.failure == ""
    assert seconds <= time.monotonic() - started < 5
    assert endpoint.seen[model] == 3


def test_a_missing_item_costs_no_other(endpoint: FaultEndpoint) -> None:
    found = drafts(settings(endpoint, "fewer"), 1)
    reasons = [draft.failed.reason if draft.failed else "" for draft in found]
    assert reasons == ["", "missing_item", "missing_item", "missing_item"]


@pytest.mark.parametrize("model", ["huge", "huge-error"])
def test_an_answer_of_100_megabytes_is_not_read(endpoint: FaultEndpoint, model: str) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    found = drafts(settings(endpoint, model))
    assert {draft.failed.reason for draft in found if draft.failed} == {"too_large"}
    assert len(found) == PLANS * len(STYLES)
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 50 << 10  # KiB


def test_a_compressed_answer_does_not_swell(endpoint: FaultEndpoint) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    (answer,) = ask(settings(endpoint, "swelling", **IMPATIENT), hello())
    assert answer.failure in ("not_json_body", "timeout")  # the server takes its time to compress
    assert endpoint.headers[0]["accept-encoding"] == "identity"
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 200 << 10  # the server's own 100 MB


def test_a_server_without_schemas_is_told_once(endpoint: FaultEndpoint, caplog: pytest.LogCaptureFixture) -> None:
    chosen = settings(endpoint, "no-schema", concurrency=1)
    found = drafts(chosen, 3)
    assert {draft.failed.reason for draft in found if draft.failed} == {"missing_item"}
    forms = [body.get("response_format", {}).get("type") for body in endpoint.bodies]
    assert forms == ["json_schema", "json_object", "json_object", "json_object"]
    assert [record.getMessage() for record in caplog.records if "data_pipeline" in record.name] == [
        f"{endpoint.url} does not accept response_format json_schema; from now on it is asked for json_object"
    ]


@pytest.mark.parametrize("model", ["wrong-key", "no-such-model", "quota"])
def test_what_no_request_can_mend_ends_the_job_and_keeps_the_key(endpoint: FaultEndpoint, model: str) -> None:
    with pytest.raises(InputError) as caught:
        ask(settings(endpoint, model), *map(hello, range(40)))
    assert KEY not in str(caught.value)
    # Those that were on their way, and one that tells whether the fault is theirs alone; nobody tries after them.
    assert endpoint.seen[model] <= 5
    if model == "wrong-key":
        assert "FAULT_KEY" in str(caught.value)
        assert "***" in str(caught.value)


@pytest.mark.parametrize("others", [0, 30])
def test_a_prompt_that_is_not_allowed_is_refused_alone(endpoint: FaultEndpoint, others: int) -> None:
    forbidden = ChatRequest(messages=(("user", "something forbidden"),))
    first, *rest = ask(settings(endpoint, "moderated"), forbidden, *map(hello, range(others)))
    assert (first.failure, first.detail[:8]) == ("bad_request", "HTTP 403")
    assert [answer.failure for answer in rest] == [""] * others
    assert endpoint.seen["moderated"] <= others + 2  # and one that tells whether the fault is its own


def test_a_key_that_is_taken_back_ends_the_job(endpoint: FaultEndpoint) -> None:
    with pytest.raises(CheckFailed, match=r"last 20 requests failed.*HTTP 403.*same command again goes on"):
        ask(settings(endpoint, "taken-back"), *map(hello, range(80)))
    assert endpoint.seen["taken-back"] < 80


def test_a_server_that_is_not_there_ends_the_job(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FAULT_KEY", KEY)
    with FaultEndpoint() as gone:
        pass
    with pytest.raises(InputError, match=r"cannot connect.*the same command again goes on"):
        ask(settings(gone, "good"), hello())


@pytest.mark.parametrize("model", ["error-500", "html", "too-long"])
def test_a_server_that_serves_nobody_ends_the_job(endpoint: FaultEndpoint, model: str) -> None:
    chosen = settings(endpoint, model, timeout=0.1, deadline=0.2, concurrency=8)
    with pytest.raises(CheckFailed, match=r"last 20 requests failed.*same command again goes on"):
        ask(chosen, *map(hello, range(MOST_FAILED_IN_A_ROW + 10)))


def test_the_deadline_is_of_all_forms_together(endpoint: FaultEndpoint) -> None:
    request = ChatRequest(messages=(("user", "hello"),), schema=NUMBERS)
    (answer,) = ask(settings(endpoint, "slow-refusal", deadline=0.7), request)
    assert answer.failure == "deadline"
    assert endpoint.seen["slow-refusal"] == 2  # of three forms, each of which is refused after 0.4 s


@pytest.mark.parametrize(("model", "failure"), [("quoting", "not_json_body"), ("refusing-with-key", "refused")])
def test_a_key_that_an_answer_quotes_is_not_passed_on(endpoint: FaultEndpoint, model: str, failure: str) -> None:
    (answer,) = ask(settings(endpoint, model, **IMPATIENT), hello())
    assert answer.failure == failure
    assert answer.detail.startswith("x" * 190 + "***")


def test_a_key_that_is_not_set_is_told_by_its_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("FAULT_KEY", raising=False)
    with pytest.raises(InputError, match="FAULT_KEY"):
        EndpointModel(Endpoint(base_url="http://127.0.0.1:1/v1", model="m", api_key_env="FAULT_KEY"))


def test_the_key_is_sent_and_shown_nowhere(
    endpoint: FaultEndpoint, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    async def go() -> str:
        model = EndpointModel(settings(endpoint, "flaky"))
        cached = CachedModel(model, ("endpoint",), ResponseCache(tmp_path))
        answer = await cached.ask(hello())
        await cached.close()
        return f"{answer!r} {model!r} {cached!r}"

    with caplog.at_level("DEBUG"):
        shown = asyncio.run(go())
    assert endpoint.headers[0]["authorization"] == f"Bearer {KEY}"
    assert KEY not in shown
    assert KEY not in caplog.text
    assert all(KEY not in path.read_text() for path in tmp_path.rglob("*.json"))


def test_a_server_without_keys_gets_none(endpoint: FaultEndpoint, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    monkeypatch.setenv("OPENAI_ADMIN_KEY", KEY)
    (answer,) = ask(settings(endpoint, "good", api_key_env=""), hello())
    assert answer.failure == ""
    assert KEY not in str(endpoint.headers)


def test_nothing_is_asked_twice(endpoint: FaultEndpoint, tmp_path: Path) -> None:
    def run(count: int) -> list[Trajectory]:
        async def go() -> list[Trajectory]:
            chosen = settings(endpoint, "good")
            model = CachedModel(EndpointModel(chosen), ("endpoint", chosen.model), ResponseCache(tmp_path))
            found = await asyncio.gather(*(LlmGenerator(model, chosen).draft(plan) for plan in plans(count)))
            await model.close()
            return [draft for part in found for draft in part]

        return asyncio.run(go())

    first = run(3)  # as far as a killed run came
    assert run(6)[: len(first)] == first
    assert endpoint.seen["good"] == 6


def test_concurrency_is_kept_to(endpoint: FaultEndpoint) -> None:
    started = time.monotonic()
    answers = ask(settings(endpoint, "slow", concurrency=5), *map(hello, range(20)))
    assert [answer.failure for answer in answers] == [""] * 20
    assert time.monotonic() - started >= 4 * 0.05


def test_a_crowd_finds_out_how_many_a_server_takes(endpoint: FaultEndpoint) -> None:
    answers = ask(settings(endpoint, "eight-slots", concurrency=64), *map(hello, range(400)))
    assert [answer.failure for answer in answers] == [""] * 400
    assert endpoint.refused < 350  # some 150, most of them at the start; 600 where the bound stays
