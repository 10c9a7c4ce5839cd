"""transformers and llama.cpp on the same small model: same prompts, same tokens, same probabilities."""

import math
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import torch

from xlam_train.export.gguf import write_gguf
from xlam_train.infer.backends import Backend, Chat, Completion, Constraint, Request, RequestRefused
from xlam_train.infer.llama_cpp import CONTEXT, LlamaCppBackend
from xlam_train.infer.opening import open_backend
from xlam_train.infer.transformers_backend import TransformersBackend

CHATS = [Chat(({"role": "user", "content": f"[BEGIN OF QUERY]\nWhat is {n} plus 17, Zoë?\n"},)) for n in range(3)]
MAX_TOKENS = 6
REQUESTS = [Request(chat, MAX_TOKENS) for chat in CHATS]
YES_OR_NO = Constraint('root ::= "yes" | "no"', {"enum": ["yes", "no"]})


def silent(_: int) -> None:
    """Nobody watches."""


@pytest.fixture(scope="module")
def gguf(smollm2_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    pytest.importorskip("xllamacpp", reason="needs the package xllamacpp")
    path = tmp_path_factory.mktemp("gguf") / "model.gguf"
    write_gguf(smollm2_dir, path, "f32")
    return path


@pytest.fixture(scope="module")
def transformers(smollm2_dir: Path) -> Iterator[Backend]:
    torch.set_num_threads(1)
    with open_backend(str(smollm2_dir), threads=1) as backend:
        yield backend


@pytest.fixture(scope="module")
def llama_cpp(gguf: Path) -> Iterator[Backend]:
    with open_backend(str(gguf), threads=1) as backend:
        yield backend


@pytest.fixture(scope="module")
def answers(transformers: Backend, llama_cpp: Backend) -> dict[str, list[Completion]]:
    """Greedy answers of the real SmolLM2-135M on both backends."""
    found = {}
    for backend in (transformers, llama_cpp):
        heard: list[int] = []
        found[backend.name.split()[0]] = backend.complete(REQUESTS, heard.append)
        assert sum(heard) == len(REQUESTS)
    return found


def test_prompt_texts_and_ids_are_the_same(transformers: Backend, llama_cpp: Backend) -> None:
    for chat in CHATS:
        text = transformers.prompt_text(chat)
        assert text == llama_cpp.prompt_text(chat)
        assert text is not None
        assert text.endswith("<|im_start|>assistant\n")
        assert transformers.tokenize(text) == llama_cpp.tokenize(text)


def test_names_tell_library_weights_and_model(transformers: Backend, llama_cpp: Backend, smollm2_dir: Path) -> None:
    assert transformers.name == f"transformers fp32 {smollm2_dir.name}"
    assert llama_cpp.name == "llama.cpp model.gguf"


def test_greedy_tokens_and_probabilities_are_the_same(answers: dict[str, list[Completion]]) -> None:
    for ours, theirs in zip(answers["transformers"], answers["llama.cpp"], strict=True):
        assert (ours.tokens, ours.text, ours.stopped) == (theirs.tokens, theirs.text, theirs.stopped)
        assert ours.margins == pytest.approx(theirs.margins, abs=2e-2)
        assert ours.logprobs == pytest.approx(theirs.logprobs, abs=2e-2)


def test_answers_come_back_in_the_order_of_the_prompts(answers: dict[str, list[Completion]]) -> None:
    assert len({completion.tokens for completion in answers["llama.cpp"]}) > 1


def test_times_begin_with_the_request(answers: dict[str, list[Completion]]) -> None:
    for completion in answers["transformers"] + answers["llama.cpp"]:
        assert 0 < completion.first_token_seconds <= completion.seconds


def test_a_budget_that_ends_too_early_is_no_stop(answers: dict[str, list[Completion]]) -> None:
    for completion in answers["transformers"] + answers["llama.cpp"]:
        assert completion.stopped == (len(completion.tokens) < MAX_TOKENS or completion.tokens[-1] == 2)


def test_batched_answers_are_those_of_one_alone(transformers: Backend, answers: dict[str, list[Completion]]) -> None:
    """Left padding, shared prefixes and rows that leave early change nothing."""
    requests = [replace(request, max_tokens=1 + 2 * index) for index, request in enumerate(REQUESTS)]
    together = transformers.complete(requests, silent)
    for request, whole, ours in zip(requests, answers["transformers"], together, strict=True):
        assert ours.tokens == whole.tokens[: request.max_tokens]
        (alone,) = transformers.complete([request], silent)
        assert ours.tokens == alone.tokens
        assert ours.logprobs == pytest.approx(alone.logprobs, abs=1e-3)


def test_transformers_own_generate_writes_the_same(
    transformers: TransformersBackend, answers: dict[str, list[Completion]]
) -> None:
    ids = transformers.tokenize(transformers.prompt_text(CHATS[0]))
    with torch.inference_mode():
        found = transformers._model.generate(torch.tensor([ids]), max_new_tokens=MAX_TOKENS, do_sample=False)
    assert tuple(found[0, len(ids) :].tolist()) == answers["transformers"][0].tokens


def test_drafts_change_no_answer(
    transformers: TransformersBackend, answers: dict[str, list[Completion]], smollm2_dir: Path
) -> None:
    expected = answers["transformers"]
    ids = [tuple(transformers.tokenize(transformers.prompt_text(chat))) for chat in CHATS]
    whole = {row: list(done.tokens) for row, done in zip(ids, expected, strict=True)}
    begun = {row: tokens[:3] for row, tokens in whole.items()}
    spoilt = {row: [*tokens[:place], 7, *tokens[place:]] for place, (row, tokens) in enumerate(whole.items())}
    drafts: dict[tuple[int, ...], list[int]] = {}
    with TransformersBackend(smollm2_dir, threads=1, drafts=drafts) as backend:
        for given in (whole, begun, spoilt, {ids[1]: whole[ids[1]], ids[2]: []}):
            drafts.clear()
            drafts.update(given)
            for ours, theirs in zip(backend.complete(REQUESTS, silent), expected, strict=True):
                assert (ours.text, ours.tokens, ours.stopped) == (theirs.text, theirs.tokens, theirs.stopped)
                assert ours.margins == pytest.approx(theirs.margins, abs=1e-3)


def test_given_answers_have_the_probabilities_they_were_written_with(
    transformers: Backend, llama_cpp: Backend, answers: dict[str, list[Completion]]
) -> None:
    for backend in (transformers, llama_cpp):
        given = answers[backend.name.split()[0]]
        found = backend.score(CHATS, [completion.tokens for completion in given])
        for scored, completion in zip(found, given, strict=True):
            assert scored == pytest.approx(completion.logprobs, abs=1e-2)


def test_unlikely_answers_are_scored_alike(transformers: Backend, llama_cpp: Backend) -> None:
    """Tokens that no model would write, the two that end a text or a turn, and no token at all."""
    given = [[28, 9906, 339], [28, 9906, 0], [339, 2], [2], [1, 345, 346], []]
    chats = [*CHATS, *CHATS]
    ours, theirs = transformers.score(chats, given), llama_cpp.score(chats, given)
    for row, one, other in zip(given, ours, theirs, strict=True):
        assert len(one) == len(row)
        assert one == pytest.approx(other, abs=3e-2)


@pytest.mark.parametrize("kind", ["transformers", "llama_cpp"])
def test_samples_follow_seed_temperature_and_top_p(
    kind: str, request: pytest.FixtureRequest, answers: dict[str, list[Completion]]
) -> None:
    backend = request.getfixturevalue(kind)
    hot = Request(CHATS[0], 4, temperature=1.5)
    # The first fills llama.cpp's cache, and numbers in the last place decide at such a temperature.
    wanted = [replace(hot, seed=seed) for seed in (0, 1, 1, 2)] + [replace(hot, top_p=1e-6)]
    _, first, again, *others, narrow = backend.complete(wanted, silent)
    assert first.tokens == again.tokens
    assert len({first.tokens, *(other.tokens for other in others)}) > 1
    assert narrow.tokens == answers["llama.cpp"][0].tokens[:4]
    (scored,) = backend.score([CHATS[0]], [first.tokens])
    assert first.logprobs == pytest.approx(scored, abs=1e-2)
    assert any(margin < 0 for done in (first, *others) for margin in done.margins)


@pytest.mark.parametrize("kind", ["transformers", "llama_cpp"])
def test_a_constraint_lets_nothing_else_out(kind: str, request: pytest.FixtureRequest) -> None:
    backend = request.getfixturevalue(kind)
    requests = [replace(REQUESTS[0], constraint=YES_OR_NO), REQUESTS[1], replace(REQUESTS[2], constraint=YES_OR_NO)]
    bound, free, other = backend.complete(requests, silent)
    for done in (bound, other):
        assert done.text in ("yes", "no")
        assert done.stopped
        assert done.logprobs[0] < math.log(0.5)  # it would have begun otherwise: told before the constraint
    assert free.text == backend.complete([REQUESTS[1]], silent)[0].text


def test_a_prompt_beyond_the_context_is_refused_and_the_next_is_answered(
    llama_cpp: Backend, answers: dict[str, list[Completion]]
) -> None:
    with pytest.raises(RequestRefused, match=r"llama\.cpp refused /completion: .*context") as caught:
        llama_cpp.complete([Request("word " * (CONTEXT + 1), MAX_TOKENS)], silent)
    assert "\n" not in str(caught.value)
    assert llama_cpp.complete(REQUESTS[:1], silent)[0].tokens == answers["llama.cpp"][0].tokens


def test_an_answer_that_llama_cpp_breaks_off_is_refused(tmp_path: Path) -> None:
    backend = LlamaCppBackend(tmp_path / "model.gguf")
    lines = [b'data: {"content": "Hel"}\n', b'data: {"error": {"message": "no\\nroom"}}\n']
    with pytest.raises(RequestRefused, match="no room"):
        list(backend._events(lines))


def test_a_conversation_that_its_template_does_not_take_is_refused(transformers: Backend) -> None:
    with pytest.raises(RequestRefused, match="its chat template cannot write this conversation"):
        transformers.complete([Request(Chat(({"role": "user"},)))], silent)


def test_an_answer_ends_where_no_more_of_it_is_wanted(answers: dict[str, list[Completion]], gguf: Path) -> None:
    expected = answers["llama.cpp"]
    with LlamaCppBackend(gguf, threads=1, go_on=lambda text: len(text) < 6) as backend:
        found = backend.complete(REQUESTS, silent)
    assert any(len(done.tokens) < MAX_TOKENS for done in found)
    for ours, whole in zip(found, expected, strict=True):
        assert ours.tokens == whole.tokens[: len(ours.tokens)]
        assert ours.stopped or len(ours.tokens) == MAX_TOKENS or len(ours.text) >= 6
