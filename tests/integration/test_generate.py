"""`xlam data` as a real command: results, resuming, kills, and errors in one line."""

import contextlib
import errno
import json
import os
import shutil
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from command_line import XLAM, interruptible, refusal, write_spec, xlam

from data_pipeline.core.dataset import read_dataset, read_rejects
from data_pipeline.core.errors import InputError
from data_pipeline.core.lock import locked
from data_pipeline.core.settings import load_settings
from data_pipeline.curate.keywords import shown
from data_pipeline.recipe import DataRecipe
from data_pipeline.run import fresh_samples, generate, tool_pool

RECIPE = """\
tools: ["bundled:energy", "bundled:finance", "python:{picky}"]
seed: 5
shards: 3
tool_sets_per_shard: 8
queries_per_tool_set: 12
"""
# Refuses about every third call, so that the job has something to reject.
PICKY = '''
def book_locker(number: int, hours: int) -> str:
    """Book a locker of the station.

    Args:
        number: Number of the locker, from 1 to 400
        hours: Number of hours
    """
    if number % 3 == 0:
        raise ValueError("this locker is broken")
    return f"locker {number} for {hours} h"
'''
SMALL = ("shards=1", "tool_sets_per_shard=2", "queries_per_tool_set=4")


def files(folder: Path) -> dict[str, bytes]:
    """Every file below a folder but the lock, by its relative path."""
    found = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != ".lock")
    return {str(path.relative_to(folder)): path.read_bytes() for path in found}


@pytest.fixture(scope="module")
def recipe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("recipe") / "job.yaml"
    picky = path.with_name("picky.py")
    picky.write_text(PICKY, encoding="utf-8")
    path.write_text(RECIPE.format(picky=picky), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def finished(recipe: Path) -> tuple[Path, subprocess.CompletedProcess[str]]:
    """A dataset made without disturbance, and what the command said."""
    out = recipe.parent / "undisturbed"
    return out, xlam("data", "generate", recipe, "--out", out, "--json")


@pytest.fixture(scope="module")
def dataset(finished: tuple[Path, subprocess.CompletedProcess[str]]) -> Path:
    return finished[0]


def test_json_on_stdout_is_stats_json_and_the_funnel_is_on_stderr(
    finished: tuple[Path, subprocess.CompletedProcess[str]],
) -> None:
    out, done = finished
    assert done.returncode == 0
    stats = json.loads(done.stdout)
    assert stats == json.loads((out / "stats.json").read_text(encoding="utf-8"))
    assert f"{stats['accepted']} of 288 samples accepted" in " ".join(done.stderr.split())
    for row in stats["stages"]:
        cells = [row["stage"], str(row["entered"]), str(row["passed"])]
        assert any(line.strip("│ ").replace("│", "").split()[:3] == cells for line in done.stderr.splitlines()), cells


def test_the_counts_are_those_of_the_files(dataset: Path) -> None:
    stats = json.loads((dataset / "stats.json").read_text(encoding="utf-8"))
    accepted, rejected = list(read_dataset(dataset)), list(read_rejects(dataset))
    assert (
        (stats["drafted"], stats["accepted"]) == (288, len(accepted)) == (len(accepted) + len(rejected), len(accepted))
    )
    assert stats["calls"] == sum(len(sample.calls) for sample in accepted)
    assert stats["styles"] == Counter(sample.style for sample in accepted)
    reasons = Counter(f"{s.verdicts[-1].stage}.{s.verdicts[-1].reason}" for s in rejected)
    assert stats["rejected"] == reasons
    assert reasons, "the job refuses nothing, so it tests no reject"


def test_an_accepted_sample_passed_every_stage_and_a_rejected_one_all_but_the_last(dataset: Path) -> None:
    stages = ["format", "execution", "semantic", "curate"]
    for sample in read_dataset(dataset):
        assert [(v.stage, v.passed) for v in sample.verdicts] == [(stage, True) for stage in stages]
    for sample in read_rejects(dataset):
        passed = [verdict.passed for verdict in sample.verdicts]
        assert [v.stage for v in sample.verdicts] == stages[: len(passed)]
        assert passed == [True] * (len(passed) - 1) + [False]


def test_same_recipe_and_seed_give_the_same_bytes(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    assert xlam("data", "generate", recipe, "--out", tmp_path / "again").returncode == 0
    again = files(tmp_path / "again")
    assert again == files(dataset)
    parts = [
        f"{folder}/000{shard}.{kind}"
        for folder, kind in (("manifest", "json"), ("rejects", "jsonl"), ("shards", "jsonl"))
        for shard in range(3)
    ]
    whole = ["README.md", "provenance.json", "recipe.json", "stats.json", "tools.jsonl"]
    assert sorted(again) == sorted([*parts, *whole])


@pytest.mark.parametrize("workers", [1, 3])
def test_the_number_of_workers_changes_nothing(recipe: Path, dataset: Path, tmp_path: Path, workers: int) -> None:
    done = xlam("data", "generate", recipe, "--out", tmp_path / "out", "--workers", str(workers))
    assert done.returncode == 0
    assert files(tmp_path / "out") == files(dataset)


def test_rounds_are_more_shards_to_a_generator_that_needs_no_examples(
    recipe: Path, dataset: Path, tmp_path: Path
) -> None:
    out = tmp_path / "out"
    assert xlam("data", "generate", recipe, "--out", out, "rounds=3", "shards=1").returncode == 0
    found, expected = files(out), files(dataset)
    for shard in range(3):
        for name in (f"shards/000{shard}.jsonl", f"rejects/000{shard}.jsonl"):
            assert found[name] == expected[name]


def test_a_finished_job_is_only_looked_through(recipe: Path, dataset: Path) -> None:
    before = {path: path.stat().st_mtime_ns for path in dataset.glob("*/*")}
    done = xlam("data", "generate", recipe, "--out", dataset)
    assert done.returncode == 0
    assert "of 288 samples accepted" in " ".join(done.stderr.split())
    assert {path: path.stat().st_mtime_ns for path in dataset.glob("*/*")} == before


@pytest.mark.parametrize("part", ["shards", "rejects"])
def test_a_shard_changed_by_hand_is_named(recipe: Path, dataset: Path, tmp_path: Path, part: str) -> None:
    out = tmp_path / "out"
    shutil.copytree(dataset, out)
    path = out / part / "0001.jsonl"
    path.write_bytes(path.read_bytes().replace(b"e", b"f", 1))
    said = refusal(xlam("data", "generate", recipe, "--out", out))
    assert f"{path}: is not as it was written (checksum); delete it to have the shard made again" in said
    path.unlink()
    assert xlam("data", "generate", recipe, "--out", out).returncode == 0
    assert files(out) == files(dataset)


def test_a_second_run_on_the_same_folder_is_refused(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with locked(out):  # as the first run does from beginning to end
        said = refusal(xlam("data", "generate", recipe, "--out", out))
    assert f"{out}: another run is writing here; wait for it, or choose another --out" in said
    assert xlam("data", "generate", recipe, "--out", out).returncode == 0
    assert files(out) == files(dataset)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_read_only_folder_is_told(recipe: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir(mode=0o500)
    assert f"{out}: cannot be written (Permission denied)" in refusal(xlam("data", "generate", recipe, "--out", out))


def test_a_folder_that_cannot_be_made_is_told(recipe: Path) -> None:
    said = refusal(xlam("data", "generate", recipe, "--out", Path("/proc/no/dataset")))
    assert "/proc/no/dataset: cannot be written" in said


def test_another_seed_gives_other_queries(recipe: Path, tmp_path: Path, dataset: Path) -> None:
    done = xlam("data", "generate", recipe, "--out", tmp_path / "other", *SMALL, "seed=6")
    assert done.returncode == 0
    one, other = ({sample.query for sample in read_dataset(out)} for out in (dataset, tmp_path / "other"))
    assert other
    assert one.isdisjoint(other)


@pytest.mark.parametrize(
    "lost", [["shards/0002.jsonl"], ["shards/0002.jsonl", "rejects/0002.jsonl"], ["shards/0001.jsonl"]]
)
def test_a_lost_shard_is_made_again(recipe: Path, dataset: Path, tmp_path: Path, lost: list[str]) -> None:
    out = tmp_path / "out"
    shutil.copytree(dataset, out)
    kept = (out / "shards" / "0000.jsonl").stat().st_mtime_ns
    for name in lost:
        (out / name).unlink()
    assert xlam("data", "generate", recipe, "--out", out).returncode == 0
    assert files(out) == files(dataset)
    assert (out / "shards" / "0000.jsonl").stat().st_mtime_ns == kept


@contextlib.contextmanager
def stopped_after_first_shard(recipe: Path, out: Path, how: signal.Signals) -> Iterator[subprocess.Popen[str]]:
    """A job that got a signal once its first shard was there."""
    with interruptible():
        job = subprocess.Popen(
            [*XLAM, "data", "generate", recipe, "--out", out],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
    with job:
        while not (out / "shards" / "0000.jsonl").exists() and job.poll() is None:
            time.sleep(0.002)
        job.send_signal(how)
        yield job


def test_after_a_kill_the_same_command_ends_with_the_same_bytes(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with stopped_after_first_shard(recipe, out, signal.SIGKILL) as job:
        assert job.wait(timeout=30) == -signal.SIGKILL
    assert not (out / "stats.json").exists()
    assert xlam("data", "generate", recipe, "--out", out).returncode == 0
    assert files(out) == files(dataset)


def test_an_interrupt_says_how_to_go_on(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    with stopped_after_first_shard(recipe, out, signal.SIGINT) as job:
        stdout, stderr = job.communicate(timeout=30)
    assert (job.returncode, stdout) == (130, "")
    assert stderr == "xlam: interrupted; run the same command again to go on\n"
    found = {name: data for name, data in files(out).items() if not name.startswith("work/")}
    assert "stats.json" not in found
    assert found.items() <= files(dataset).items()
    assert xlam("data", "generate", recipe, "--out", out).returncode == 0
    assert files(out) == files(dataset)


def test_a_full_disk_is_told_in_one_line_and_the_rest_follows_later(
    recipe: Path, dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    out, job = tmp_path / "out", load_settings(DataRecipe, recipe)
    sync = os.fsync

    def full(descriptor: int) -> None:
        if (out / "manifest" / "0000.json").exists():
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        sync(descriptor)

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", full)
        with pytest.raises(InputError, match=r"0001\.npy: no space left .* run the same command") as caught:
            generate(job, out)
    assert "\n" not in str(caught.value)
    assert (out / "shards" / "0000.jsonl").exists()
    assert not (out / "shards" / "0001.jsonl").exists()
    generate(job, out)
    assert files(out) == files(dataset)


ON_A_SMALL_DISK = """
mount -t tmpfs -o size=1200k small "$1" || exit 77
shift_out=$1; shift
"$@"; echo "exit $?"
mount -o remount,size=60m small "$shift_out"
"$@"; echo "exit $?"
cp -r "$shift_out/out" "$shift_out.copy"
"""


def test_a_disk_that_is_really_full_loses_nothing(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    disk = tmp_path / "disk"
    disk.mkdir()
    command = [*XLAM, "data", "generate", str(recipe), "--out", str(disk / "out")]
    shell = ["unshare", "-Urm", "sh", "-c", ON_A_SMALL_DISK, "sh", str(disk), *command]
    done = subprocess.run(shell, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode in (1, 77):
        pytest.skip(f"this machine lets nobody mount: {done.stderr.strip()}")
    assert done.stdout == "exit 2\nexit 0\n"
    told = done.stderr.splitlines()[0]
    assert "no space left on the disk; free some and run the same command again" in told
    assert files(tmp_path / "disk.copy") == files(dataset)


def test_another_job_may_not_write_into_the_folder(recipe: Path, dataset: Path) -> None:
    before = files(dataset)
    said = refusal(xlam("data", "generate", recipe, "--out", dataset, "seed=6"))
    assert "undisturbed: holds a dataset of another recipe, tool pool or version; choose another --out" in said
    assert files(dataset) == before


def one_tool(description: str) -> dict[str, object]:
    parameters = {"type": "object", "properties": {"how": {"type": "string", "enum": ["loud"]}}, "required": ["how"]}
    return {"name": "a", "description": description, "parameters": parameters}


def test_a_resumed_job_knows_the_queries_of_finished_shards(tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    path.write_text(json.dumps([one_tool("Ask.")]), encoding="utf-8")
    styles, sizes = {"simple": 1.0}, {1: 1.0}
    job = DataRecipe(tools=[f"json:{path}"], shards=2, tool_sets_per_shard=40, styles=styles, tools_per_set=sizes)
    generate(job, tmp_path / "out")
    before = files(tmp_path / "out")
    assert b"duplicate_query" in before["rejects/0001.jsonl"]
    (tmp_path / "out" / "shards" / "0001.jsonl").unlink()
    generate(job, tmp_path / "out")
    assert files(tmp_path / "out") == before


def test_a_changed_tool_may_not_continue_the_dataset(tmp_path: Path) -> None:
    path, out = tmp_path / "tools.json", tmp_path / "out"
    job = DataRecipe(tools=[f"json:{path}"], shards=1, tool_sets_per_shard=1, queries_per_tool_set=1)
    path.write_text(json.dumps([one_tool("Ask.")]), encoding="utf-8")
    generate(job, out)
    path.write_text(json.dumps([one_tool("Tell.")]), encoding="utf-8")
    with pytest.raises(InputError, match="holds a dataset of another recipe, tool pool or version"):
        generate(job, out)


def tiny_job(folder: Path, **changes: Any) -> DataRecipe:
    """A few samples of one tool that is a schema only."""
    path = folder / "tools.json"
    path.write_text(json.dumps([one_tool("Ask.")]), encoding="utf-8")
    sizes = {"shards": 1, "tool_sets_per_shard": 1, "queries_per_tool_set": 1}
    return DataRecipe(**{"tools": [f"json:{path}"], **sizes, **changes})


def test_changed_references_may_not_continue_the_dataset(dataset: Path, tmp_path: Path) -> None:
    reference, out = tmp_path / "reference", tmp_path / "out"
    shutil.copytree(dataset / "shards", reference / "shards")
    job = tiny_job(tmp_path, distinct_from=[reference])
    generate(job, out)
    before = files(out)
    generate(job, out)
    assert files(out) == before
    (reference / "shards" / "0002.jsonl").unlink()
    with pytest.raises(InputError, match="what distinct_from names has changed since, or is not on record"):
        generate(job, out)
    assert files(out) == before


def test_a_broken_reference_is_told_before_anything_is_made_and_the_mended_recipe_goes_on(tmp_path: Path) -> None:
    broken, out = tmp_path / "broken", tmp_path / "out"
    (broken / "shards").mkdir(parents=True)
    (broken / "shards" / "0000.jsonl").write_text("{\n", encoding="utf-8")
    with pytest.raises(InputError, match=r"0000\.jsonl:1: not valid JSON"):
        generate(tiny_job(tmp_path, distinct_from=[broken]), out)
    assert [path.name for path in out.iterdir()] == [".lock"]
    generate(tiny_job(tmp_path), out)
    assert set(json.loads((out / "recipe.json").read_text())) == {"recipe", "tools", "version"}


def test_a_source_is_known_again_without_its_password_which_is_stored_nowhere(tmp_path: Path) -> None:
    pytest.importorskip("httpx", reason="calls of a REST service need it")
    spec, out = write_spec(tmp_path / "spec.json"), tmp_path / "out"

    def job(base: str) -> DataRecipe:
        return tiny_job(tmp_path, without=[f"openapi:{spec}@{base}"])

    secret = job("https://me:hunter2@127.0.0.1:9/v1?api_key=K3Y")
    generate(secret, out)
    written = files(out)
    assert not [name for name, data in written.items() if b"hunter2" in data or b"K3Y" in data]
    assert json.loads(written["recipe.json"])["recipe"]["without"] == [
        f"openapi:{spec}@https://127.0.0.1:9/v1?api_key=***"
    ]
    generate(secret, out)
    assert files(out) == written
    with pytest.raises(InputError, match=r"version \(a password or key in it is another one\); choose another --out"):
        generate(job("https://me:hunter3@127.0.0.1:9/v1?api_key=K3Y"), out)
    with pytest.raises(InputError, match="another recipe, tool pool or version; choose another --out"):
        generate(job("https://127.0.0.1:10/v1"), out)


def test_a_parameter_that_takes_anything_is_used(tmp_path: Path) -> None:
    anything = {
        "name": "leave_note",
        "description": "Leave a note for somebody.",
        "parameters": {"type": "object", "properties": {"note": True, "to": {"type": "string"}}, "required": ["note"]},
    }
    job = tiny_job(tmp_path, tool_sets_per_shard=4, queries_per_tool_set=6)
    (tmp_path / "tools.json").write_text(json.dumps([one_tool("Ask."), anything]), encoding="utf-8")
    assert [tool.takes for tool in tool_pool(job).tools] == ["scalars", "any"]
    funnel = generate(job, tmp_path / "out")
    assert funnel.drafted == 24
    samples = [*read_dataset(tmp_path / "out"), *read_rejects(tmp_path / "out")]
    assert any(call.name == "leave_note" for sample in samples for call in sample.calls)


@pytest.mark.parametrize(
    ("text", "overrides", "message"),
    [
        ("seed: 1\nshard: 3\n", (), "bad.yaml:2: unknown key 'shard'; did you mean 'shards'?"),
        ("seed: 1\nshards: 0\n", (), "bad.yaml:2: shards: input should be greater than or equal to 1"),
        ("seed: 1\nstyles: {simpel: 1}\n", (), "bad.yaml:2: styles.simpel"),
        ("styles: {simple: 0}\n", (), "styles needs shares that are not negative and not all zero"),
        ("seed: 1\n", ("sed=2",), "override 'sed': unknown key 'sed'; did you mean 'seed'?"),
        ("tools: [bundeld]\n", (), "unknown tool source 'bundeld': did you mean 'bundled'?"),
        ("tools: ['bundled:finanse']\n", (), "unknown domain 'finanse': did you mean 'finance'?"),
        ("tools: [bundled]\nwithout: [bundled]\n", (), "'tools' minus 'without' is empty"),
        ("distinct_from: [nowhere]\n", (), "nowhere: no dataset here"),
    ],
)
def test_a_wrong_recipe_is_told_in_one_line(
    tmp_path: Path, text: str, overrides: tuple[str, ...], message: str
) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(text, encoding="utf-8")
    assert message in refusal(xlam("data", "generate", path, "--out", tmp_path / "out", *overrides))
    assert not (tmp_path / "out" / "shards").exists()


def test_a_broken_tool_file_is_named_with_its_line(recipe: Path, tmp_path: Path) -> None:
    path = tmp_path / "tools.json"
    path.write_text('[\n  {"name": }\n]', encoding="utf-8")
    said = refusal(xlam("data", "generate", recipe, "--out", tmp_path / "out", f"tools=['json:{path}']"))
    assert "tools.json:2: not valid JSON" in said


def foreign_tools() -> list[dict[str, Any]]:
    city = {"type": "object", "properties": {"city": {"type": "string"}}, "required": ["city"]}
    steps = {"type": "object", "properties": {"steps": {"type": ["integer", "null"]}}, "required": ["steps"]}
    return [
        {
            "type": "function",
            "function": {"name": "air_quality", "description": "Get the air quality.", "parameters": city},
        },
        {"name": "count_steps", "description": "Estimate the distance walked.", "parameters": steps},
    ]


def test_schema_only_tools_are_generated_and_marked_as_not_executed(recipe: Path, tmp_path: Path) -> None:
    path, out = tmp_path / "tools.json", tmp_path / "out"
    path.write_text(json.dumps(foreign_tools()), encoding="utf-8")
    assert xlam("data", "generate", recipe, "--out", out, f"tools=['json:{path}']", *SMALL).returncode == 0
    samples = list(read_dataset(out))
    assert samples
    assert {sample.verdicts[1].reason for sample in samples} == {"not_executed"}


def test_a_distinct_dataset_repeats_no_query(recipe: Path, dataset: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = xlam("data", "generate", recipe, "--out", out, "--json", "shards=1", f"distinct_from=['{dataset}']")
    first_shard = (dataset / "shards" / "0000.jsonl").read_text(encoding="utf-8")
    stats = json.loads(done.stdout)
    assert stats["accepted"] == 0
    assert stats["rejected"]["curate.in_reference"] == first_shard.count("\n")


def test_fresh_samples_are_the_first_that_a_dataset_would_accept(recipe: Path, dataset: Path) -> None:
    job = load_settings(DataRecipe, recipe)
    assert fresh_samples(job, 5) == list(read_dataset(dataset))[:5]
    with pytest.raises(InputError, match="samples passed the checks; give more tools"):
        fresh_samples(job.model_copy(update={"shards": 1, "tool_sets_per_shard": 1}), 13)


@pytest.mark.parametrize(
    ("arguments", "left_out"),
    [
        ("any", set()),
        ("lists", {"measure_polygon_from_corners", "solve_linear_system"}),
        ("scalars", {"measure_polygon_from_corners", "solve_linear_system", "fit_trend_line"}),
    ],
)
def test_tools_that_take_more_than_the_recipe_says_are_left_out(arguments: str, left_out: set[str]) -> None:
    recipe = DataRecipe(tools=["bundled:maths"])
    every, some = tool_pool(recipe), tool_pool(recipe.model_copy(update={"arguments": arguments}))
    assert {tool.name for tool in every.tools} - {tool.name for tool in some.tools} == left_out


def test_tools_are_taken_out_by_what_they_are_and_by_name(tmp_path: Path) -> None:
    recipe = DataRecipe(tools=["bundled:energy"])
    first, second, *rest = tool_pool(recipe).tools
    namesake = {"name": second.name, "description": "Another.", "parameters": {"type": "object", "properties": {}}}
    held_out = tmp_path / "tools.json"
    held_out.write_text(json.dumps([first.to_openai(), namesake]))
    kept = tool_pool(recipe.model_copy(update={"without": [f"json:{held_out}"]})).tools
    assert [tool.name for tool in kept] == [tool.name for tool in rest]


def test_tools_with_long_schemas_are_left_out() -> None:
    recipe = DataRecipe(tools=["bundled:energy"])
    length = {tool.name: len(json.dumps(shown(tool, ()).to_openai())) for tool in tool_pool(recipe).tools}
    limit = sorted(length.values())[2]
    kept = {tool.name for tool in tool_pool(recipe.model_copy(update={"max_tool_chars": limit})).tools}
    assert kept == {name for name, chars in length.items() if chars <= limit}
    assert len(kept) == 3


def test_hidden_keywords_draw_values_and_are_not_shown(tmp_path: Path) -> None:
    fruit = {"type": "string", "examples": ["quince", "medlar", "damson"]}
    tool = {
        "name": "buy_fruit",
        "description": "Buy a fruit.",
        "parameters": {"type": "object", "properties": {"fruit": fruit}, "required": ["fruit"]},
    }
    (tmp_path / "tools.json").write_text(json.dumps([tool]))
    source = f"json:{tmp_path / 'tools.json'}"
    recipe = DataRecipe(tools=[source], hidden_keywords=["examples"], styles={"simple": 1}, tools_per_set={1: 1})
    samples = fresh_samples(recipe, 4)
    assert {str(sample.calls[0].arguments["fruit"]) for sample in samples} & {"quince", "medlar", "damson"}
    assert all(sample.tools[0].properties == {"fruit": {"type": "string"}} for sample in samples)


def test_show_prints_samples_in_words(dataset: Path) -> None:
    done = xlam("data", "show", dataset, "--limit", "2")
    first = next(read_dataset(dataset))
    assert done.stdout.startswith(f"{first.id} {first.style}\n  offered: {first.tools[0].name}")
    assert f"  query:   {first.query}\n" in done.stdout
    assert done.stdout.count("  answer:  {") == 2
    assert "refused" not in done.stdout


def test_show_rejects_says_why(dataset: Path) -> None:
    done = xlam("data", "show", dataset, "--rejects", "--limit", "3")
    refused = [sample.verdicts[-1] for sample in read_rejects(dataset)][:3]
    told = [line for line in done.stdout.splitlines() if line.startswith("  refused: ")]
    assert told == [f"  refused: {v.stage}: {v.reason}: {v.detail}" for v in refused]


def test_show_one_reason_as_json(dataset: Path) -> None:
    done = xlam("data", "show", dataset, "--rejects", "--reason", "tool_error", "--json", "--limit", "1000")
    expected = [sample for sample in read_rejects(dataset) if sample.verdicts[-1].reason == "tool_error"]
    assert expected
    assert done.stdout.splitlines() == [sample.to_json() for sample in expected]
    assert xlam("data", "show", dataset, "--rejects", "--reason", "no_such").stdout == ""


def test_show_of_no_dataset_is_refused(tmp_path: Path) -> None:
    assert "no dataset here (shards/*.jsonl); make one with `xlam data generate`" in refusal(
        xlam("data", "show", tmp_path)
    )


@pytest.mark.parametrize(("limit", "lines_read"), [(1000, 1), (1, 0)])
def test_show_into_a_closed_pipe_is_quiet(dataset: Path, limit: int, lines_read: int) -> None:
    command = [*XLAM, "data", "show", str(dataset), "--json", "--limit", str(limit)]
    # What is left in the buffer is what makes noise at exit, so there has to be one.
    buffered = {**os.environ, "PYTHONUNBUFFERED": ""}
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=buffered) as show:
        assert show.stdout is not None
        assert show.stderr is not None
        for _ in range(lines_read):
            assert show.stdout.readline().startswith(b'{"id"')
        show.stdout.close()
        assert show.stderr.read() == b""
    assert show.returncode == 0
