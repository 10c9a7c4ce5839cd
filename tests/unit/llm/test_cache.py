"""Answers on disk: whole or not there, each under all that was asked."""

import asyncio
import json
import multiprocessing
import os
import signal
import time
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.jsonl import PARTIAL
from data_pipeline.llm.cache import CachedModel, ResponseCache
from data_pipeline.llm.chat import ChatAnswer, ChatRequest

REQUEST = ChatRequest(messages=(("system", "s"), ("user", "u")), schema={"type": "object"})
ANSWER = ChatAnswer("text \u00e9", input_tokens=3, output_tokens=4, cost=0.5)


def only_file(folder: Path) -> Path:
    (found,) = folder.rglob("*.json")
    return found


def test_an_answer_comes_back_as_it_was(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path)
    key = cache.key(("m",), REQUEST)
    assert cache.get(key) is None
    cache.put(key, ANSWER)
    assert ResponseCache(tmp_path).get(key) == ANSWER
    assert only_file(tmp_path).relative_to(tmp_path) == Path(key[:2]) / f"{key}.json"


@pytest.mark.parametrize(
    "change",
    [
        {"messages": (("system", "s"), ("user", "U"))},
        {"messages": (("user", "s"), ("user", "u"))},
        {"schema": None},
        {"schema": {"type": "array"}},
        {"max_tokens": 1},
        {"temperature": 0.1},
        {"seed": 1},
    ],
)
def test_another_request_has_another_key(change: dict[str, Any]) -> None:
    assert ResponseCache.key(("m",), replace(REQUEST, **change)) != ResponseCache.key(("m",), REQUEST)


def test_another_model_has_another_key() -> None:
    keys = {ResponseCache.key(identity, REQUEST) for identity in (("a", "b"), ("a", "c"), ("ab",))}
    assert len(keys) == 3


@pytest.mark.parametrize("length", [0, 1, 40, -1])
def test_a_torn_entry_is_none(tmp_path: Path, length: int) -> None:
    cache = ResponseCache(tmp_path)
    key = cache.key(("m",), REQUEST)
    cache.put(key, ANSWER)
    path = only_file(tmp_path)
    path.write_bytes(path.read_bytes()[:length])
    assert cache.get(key) is None
    cache.put(key, ANSWER)
    assert cache.get(key) == ANSWER


@pytest.mark.parametrize("text", ["[]", '"x"', "null", '{"sha256": 1}', '{"sha256": "x", "answer": {"no": 1}}'])
def test_an_entry_of_another_shape_is_none(tmp_path: Path, text: str) -> None:
    cache = ResponseCache(tmp_path)
    key = cache.key(("m",), REQUEST)
    cache.put(key, ANSWER)
    only_file(tmp_path).write_text(text)
    assert cache.get(key) is None


def test_an_altered_entry_and_one_of_another_key_are_none(tmp_path: Path) -> None:
    cache = ResponseCache(tmp_path)
    key, other = cache.key(("m",), REQUEST), cache.key(("other",), REQUEST)
    cache.put(key, ANSWER)
    path = only_file(tmp_path)
    copied = tmp_path / other[:2] / f"{other}.json"
    copied.parent.mkdir(exist_ok=True)
    copied.write_bytes(path.read_bytes())
    assert cache.get(other) is None
    entry = json.loads(path.read_text())
    entry["answer"]["text"] = "forged"
    path.write_text(json.dumps(entry))
    assert cache.get(key) is None


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be written"):
        ResponseCache(tmp_path / "file").put("ab" * 32, ANSWER)


def _write_for_ever(folder: Path) -> None:
    cache = ResponseCache(folder)
    number = 0
    while True:
        cache.put(f"{number % 4:064x}", replace(ANSWER, text=str(number) * 20_000))
        number += 1


def test_writers_that_are_killed_leave_whole_entries(tmp_path: Path) -> None:
    context = multiprocessing.get_context("fork")
    writers = [context.Process(target=_write_for_ever, args=(tmp_path,)) for _ in range(2)]
    for writer in writers:
        writer.start()
    cache = ResponseCache(tmp_path)
    until = time.monotonic() + 5
    while not all(cache.get(f"{number:064x}") for number in range(4)) and time.monotonic() < until:
        time.sleep(0.01)
    time.sleep(0.05)
    for writer in writers:
        assert writer.pid is not None
        os.kill(writer.pid, signal.SIGKILL)
        writer.join()
    assert all(cache.get(f"{number:064x}") for number in range(4))
    assert all(path.name.endswith((".json", PARTIAL)) for path in tmp_path.rglob("*") if path.is_file())


class Scripted:
    """A model that gives what it was told to."""

    name = "scripted"
    max_tokens: int | None = None

    def __init__(self, *answers: ChatAnswer) -> None:
        self.answers = list(answers)

    async def ask(self, request: ChatRequest) -> ChatAnswer:
        return self.answers.pop(0)

    async def close(self) -> None:
        self.answers = []


@pytest.mark.parametrize(
    ("failure", "kept"),
    [
        *(("", True), ("cut_off", True), ("empty_answer", True), ("refused", True)),
        *(("timeout", False), ("bad_request", False)),
    ],
)
def test_what_is_kept(tmp_path: Path, failure: str, kept: bool) -> None:
    first, second = replace(ANSWER, failure=failure), replace(ANSWER, text="second")
    model = CachedModel(Scripted(first, second), ("m",), ResponseCache(tmp_path))

    async def go() -> list[ChatAnswer]:
        return [await model.ask(REQUEST), await model.ask(REQUEST)]

    assert asyncio.run(go()) == [first, first if kept else second]
