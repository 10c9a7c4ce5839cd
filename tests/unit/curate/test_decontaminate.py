"""Decontamination on planted benchmarks and on the real one."""

import json
import subprocess
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import Any

import pytest

from data_pipeline.core.errors import InputError
from data_pipeline.core.schema import Message, Tool, Trajectory
from data_pipeline.curate import decontaminate
from data_pipeline.curate.decontaminate import Decontaminator

QUESTION = "Find every lighthouse within twenty miles of the old northern harbour before noon."
SHORT = "How tall is a lighthouse?"
TOOL = ("Lighthouse.find_near", "Find lighthouses near a harbour.")
NO_PARAMETERS: dict[str, Any] = {"type": "object", "properties": {}}


def asked(query: str, *tools: tuple[str, str]) -> Trajectory:
    offered = tuple(Tool(name=name, description=about, parameters=NO_PARAMETERS) for name, about in tools)
    messages = (Message(role="user", content=query), Message(role="assistant"))
    return Trajectory(id="1", style="irrelevance", tools=offered, messages=messages)


@pytest.fixture
def planted() -> Decontaminator:
    return Decontaminator([QUESTION, SHORT, SHORT.upper(), "?!"], [TOOL], "1.0")


@pytest.fixture(scope="module")
def berkeley() -> Decontaminator:
    try:
        return Decontaminator.load()
    except InputError as error:
        pytest.skip(f"needs the leaderboard's data: {error}")


@pytest.mark.parametrize(
    "query",
    [
        QUESTION,
        "Hello! find every LIGHTHOUSE within - twenty miles of the quiet bay",
        "I wonder: miles of the old northern harbour, before noon?",
        SHORT,
        "how tall is a lighthouse",
    ],
)
def test_eight_words_in_a_row_or_a_whole_short_question_are_refused(planted: Decontaminator, query: str) -> None:
    verdict = planted.check(asked(query))
    assert verdict is not None
    assert (verdict.stage, verdict.passed, verdict.reason) == ("curate", False, "in_benchmark")
    assert query in verdict.detail


@pytest.mark.parametrize(
    "query",
    [
        "Find every lighthouse within twenty miles of Oslo",  # seven words
        "How tall is a lighthouse by the sea?",  # a short question is only refused as a whole
        "How tall is a tree?",
        "",
        "!?",
    ],
)
def test_less_is_not_refused(planted: Decontaminator, query: str) -> None:
    assert planted.check(asked(query)) is None


def test_a_tool_is_refused_by_name_and_description(planted: Decontaminator) -> None:
    name, about = TOOL
    verdict = planted.check(asked("Hi", ("other", "Another."), ("lighthouse_find_near", about.upper())))
    assert verdict is not None
    assert verdict.detail == "the tool lighthouse_find_near"
    assert planted.check(asked("Hi", (name, "Find lighthouses."), ("find_near", about))) is None


def test_earlier_messages_of_the_user_count(planted: Decontaminator) -> None:
    sample = asked("And now?")
    turns = (Message(role="user", content=QUESTION), Message(role="assistant", content="Two."), *sample.messages)
    assert planted.check(sample.model_copy(update={"messages": turns})) is not None


def test_the_summary_counts(planted: Decontaminator) -> None:
    assert planted.summary() == {
        "package": "bfcl-eval 1.0",
        "questions": 2,
        "tools": 1,
        "ngrams": 13 - 8 + 1 + 1,
        "ngram_words": 8,
    }


def test_a_missing_package_says_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def missing(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(decontaminate, "distribution", missing)
    with pytest.raises(InputError, match="pip install --no-deps bfcl-eval=="):
        Decontaminator.load()


class Installed:
    version = "9.9"

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def locate_file(self, path: str) -> Path:
        return self._folder / path


@pytest.mark.parametrize(
    ("text", "reason"),
    [("", "bfcl-eval 9.9 holds no questions or tools"), ('{"a": 1}\n{"b"', "cases.json is broken")],
)
def test_unusable_data(text: str, reason: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "bfcl_eval" / "data"
    folder.mkdir(parents=True)
    (folder / "cases.json").write_text(text, encoding="utf-8")
    monkeypatch.setattr(decontaminate, "distribution", lambda _: Installed(tmp_path))
    with pytest.raises(InputError, match=reason):
        Decontaminator.load()


def test_questions_are_found_however_deep_and_solutions_are_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    case = {
        "question": [[{"role": "system", "content": "x"}, {"role": "user", "content": QUESTION}], []],
        "function": [{"name": "f", "description": "Does f.", "parameters": {"type": "dict", "properties": {}}}],
    }
    for place in ("BFCL_v9_simple.json", "possible_answer/BFCL_v9_simple.json"):
        path = tmp_path / "bfcl_eval" / "data" / place
        path.parent.mkdir(parents=True, exist_ok=True)
        text = json.dumps(case) if path.parent.name == "data" else json.dumps({"role": "user", "content": "Solved"})
        path.write_text(f"{text}\n\n{text}\n", encoding="utf-8")
    monkeypatch.setattr(decontaminate, "distribution", lambda _: Installed(tmp_path))
    loaded = Decontaminator.load()
    assert (loaded.summary()["questions"], loaded.summary()["tools"]) == (1, 1)
    assert loaded.check(asked("Solved")) is None


def test_the_leaderboard_is_all_there(berkeley: Decontaminator) -> None:
    summary = berkeley.summary()
    assert int(summary["questions"]) > 5000
    assert int(summary["tools"]) > 2000
    assert int(summary["ngrams"]) > 100_000


def test_every_question_and_tool_of_the_leaderboard_is_refused(berkeley: Decontaminator) -> None:
    folder = Path(str(decontaminate.distribution("bfcl-eval").locate_file("bfcl_eval/data")))
    lines = [line for path in folder.glob("BFCL_*live_*.json") for line in path.read_text("utf-8").splitlines()]
    cases = [json.loads(line) for line in lines]
    assert len(cases) > 2000
    for case in cases:
        query = case["question"][0][-1]["content"]
        assert berkeley.check(asked(query)) is not None or not decontaminate._words(query), case["id"]
        if case["function"]:
            tool = case["function"][0]
            assert berkeley.check(asked("x", (tool["name"], tool["description"]))) is not None, case["id"]


@pytest.mark.parametrize(
    "query",
    [
        "Schedule the doses of Velvet Forest every 2 hours, 16 of them, from 16:20.",
        "I have to calculate wind chill at 31°C with a wind of 11.22 km/h.",
    ],
)
def test_an_ordinary_query_passes(berkeley: Decontaminator, query: str) -> None:
    assert berkeley.check(asked(query, ("schedule_medication_doses", "Schedule doses at regular intervals."))) is None


def test_loading_imports_nothing_of_the_package(berkeley: Decontaminator) -> None:
    code = (
        "import sys; from data_pipeline.curate.decontaminate import Decontaminator as D; D.load();"
        "print('bfcl_eval' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"
