"""`xlam data check`, `convert`, `report` and `show` as real commands, over data made elsewhere."""

import json
import random
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from command_line import refusal, write_spec, xlam

from data_pipeline.convert.lines import CONVERT_REASONS, MAX_BYTES
from data_pipeline.core.dataset import read_dataset, read_rejects
from xlam_train.cli import main

NUMBER = {"type": "int", "description": "Whole number to write"}
BASE = {"type": "int", "description": "Base to write it in"}
IN_BASE = {
    "name": "write_integer_in_base",
    "description": "Write a whole number in another base such as binary or hexadecimal.",
    "parameters": {"number": NUMBER, "base": BASE, "min_digits": {"type": "int, optional", "description": "Digits"}},
}
PAYOFF = {
    "name": "plan_card_payoff",
    "description": "Plan how a credit card balance is paid off.",
    "parameters": {
        "balance": {"type": "float", "description": "Balance on the card"},
        "annual_rate": {"type": "float", "description": "Annual rate in percent"},
        "monthly_payment": {"type": "float", "description": "Monthly payment"},
    },
}
STRANGE = {
    "name": "water_plants",
    "description": "Water the plants in a room.",
    "parameters": {"room": {"type": "str", "description": "Room of the plants"}},
}


def row(number: int, query: str, call: dict[str, Any], *tools: dict[str, Any]) -> dict[str, Any]:
    return {"id": number, "query": query, "answers": json.dumps([call]), "tools": json.dumps(tools)}


def in_base(number: int, value: int, base: int = 16, **arguments: Any) -> dict[str, Any]:
    call = {"name": "write_integer_in_base", "arguments": {"number": value, "base": base, **arguments}}
    return row(number, f"Write the whole number {value} in base {base}.", call, IN_BASE)


def write_lines(path: Path, records: list[Any]) -> Path:
    path.write_text("".join((r if isinstance(r, str) else json.dumps(r)) + "\n" for r in records), encoding="utf-8")
    return path


@pytest.fixture(scope="module")
def theirs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One sample for each thing that may happen to one."""
    payoff = {"balance": 2000, "annual_rate": 11, "monthly_payment": 7}
    plants = {"name": "water_plants", "arguments": {"room": "kitchen"}}
    base_only = {**IN_BASE, "parameters": {"number": NUMBER, "base": BASE}}
    different = row(6, "Write the whole number 99 in base 8.", json.loads(in_base(6, 99, 8)["answers"])[0], base_only)
    records = [
        in_base(1, 255),
        row(2, "Pay off a card balance of 2000 at an annual rate of 11 with a monthly payment of 7.",
            {"name": "plan_card_payoff", "arguments": payoff}, PAYOFF),
        '{"id": 3, "query": ',
        row(4, "Water the plants in the kitchen.", plants, STRANGE),
        in_base(5, 255) | {"query": "Write the whole number 254 in base 16."},
        different,
        in_base(7, 31, base=99),
        in_base(8, 31, base="16"),  # type: ignore[arg-type]
    ]  # fmt: skip
    return write_lines(tmp_path_factory.mktemp("theirs") / "theirs.jsonl", records)


TOOLS = ("--tools", "bundled:maths", "--tools", "bundled:finance")


@pytest.fixture(scope="module")
def checked(theirs: Path) -> Path:
    """The dataset that checking made."""
    out = theirs.parent / "checked"
    done = xlam("data", "check", theirs, *TOOLS, "--out", out)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    # Where the sample's schema and the tool's agree, the tool's limits count as well.
    assert [line.split(": ")[:3] for line in lines] == [
        [f"{theirs}:2", "execution", "tool_error"],
        [f"{theirs}:3", "format", "not_json"],
        [f"{theirs}:5", "semantic", "value_not_grounded"],
        [f"{theirs}:7", "format", "out_of_range"],
        [f"{theirs}:8", "format", "wrong_type"],
    ]
    assert "3 of 8 samples accepted" in " ".join(done.stderr.split())  # the table's title breaks where the path is long
    assert "accepted without being executed: 1" in done.stderr
    assert "executed with another schema than the samples' (samples): write_integer_in_base 1" in done.stderr
    return out


def test_accepted_and_refused_are_a_dataset(checked: Path) -> None:
    accepted, refused = list(read_dataset(checked)), list(read_rejects(checked))
    assert [sample.id for sample in accepted] == ["1", "4", "6"]
    assert [sample.id for sample in refused] == ["2", "5", "7", "8"]
    assert accepted[0].results == ('"ff"',)
    assert accepted[0].tools[0].source == "json:theirs.jsonl"
    assert accepted[1].verdicts[1].reason == "not_executed"
    assert accepted[2].verdicts[1].detail == "executed with another schema than the sample's: write_integer_in_base"
    told = [json.loads(line) for line in (checked / "refused.jsonl").read_text().splitlines()]
    assert [(entry["line"], entry["id"]) for entry in told] == [(2, "2"), (3, ""), (5, "5"), (7, "7"), (8, "8")]


def test_the_folder_says_what_was_checked(checked: Path, theirs: Path) -> None:
    stats = json.loads((checked / "stats.json").read_text())
    assert (stats["drafted"], stats["accepted"], stats["not_executed"], stats["format"]) == (8, 3, 1, "xlam-60k")
    assert stats["schema_differs"] == {"write_integer_in_base": 1}
    card = (checked / "README.md").read_text()
    assert "xlam data check theirs.jsonl --from xlam-60k --tools bundled:maths --tools bundled:finance --out" in card
    assert "license: unknown" in card
    assert str(theirs.parent) not in card
    assert "holds a dataset already" in refusal(xlam("data", "check", theirs, "--out", checked))


def test_report_writes_the_same_card_again(checked: Path) -> None:
    before = (checked / "README.md").read_bytes()
    (checked / "README.md").unlink()
    done = xlam("data", "report", checked, "--json")
    assert (done.returncode, json.loads(done.stdout)["accepted"]) == (0, 3)
    assert (checked / "README.md").read_bytes() == before


def test_show_tells_results_and_reasons(checked: Path) -> None:
    shown = xlam("data", "show", checked, "--limit", "1").stdout
    assert '  result:  "ff"' in shown.splitlines()
    refused = xlam("data", "show", checked, "--rejects", "--reason", "tool_error").stdout
    assert "refused: execution: tool_error: plan_card_payoff" in refused


def test_without_tools_nothing_is_executed(theirs: Path) -> None:
    done = xlam("data", "check", theirs, "--json", "--limit", "2", "--from", "xlam-60k")
    report = json.loads(done.stdout)
    assert (done.returncode, report["accepted"], report["not_executed"]) == (0, 5, 5)
    assert [entry["reason"] for entry in report["refused"]] == ["not_json", "value_not_grounded"]


def test_a_dataset_is_checked_anew_whatever_it_says_of_itself(checked: Path) -> None:
    report = json.loads(xlam("data", "check", checked, *TOOLS, "--json").stdout)
    assert (report["format"], report["accepted"], report["drafted"]) == ("dataset", 3, 3)


def test_secrets_of_a_source_are_written_nowhere(theirs: Path, tmp_path: Path) -> None:
    pytest.importorskip("httpx", reason="calls of a REST service need it")
    spec, out = write_spec(tmp_path / "spec.json"), tmp_path / "out"
    source = f"openapi:{spec}@https://me:hunter2@127.0.0.1:9/v1?api_key=K3Y"
    assert xlam("data", "check", theirs, "--tools", source, "--out", out).returncode == 0
    written = [path.read_bytes() for path in out.rglob("*") if path.is_file()]
    assert not [data for data in written if b"hunter2" in data or b"K3Y" in data]
    shown = f"openapi:{spec}@https://127.0.0.1:9/v1?api_key=***"
    assert json.loads((out / "recipe.json").read_text())["check"]["tools"] == [shown]
    assert f"--tools {shown} --out" in (out / "README.md").read_text()


def test_wrong_input_is_one_line(tmp_path: Path) -> None:
    bad = write_lines(tmp_path / "bad.jsonl", [in_base(1, 255) | {"query": "Hello there."}])
    done = xlam("data", "check", bad)
    assert (done.returncode, done.stderr.splitlines()[-1]) == (1, f"xlam: {bad}: none of 1 samples was accepted")
    assert "no such file; check the path" in refusal(xlam("data", "check", tmp_path / "missing.json"))
    other = write_lines(tmp_path / "other.jsonl", [{"prompt": "x"}])
    assert "none of its first records is of a known format" in refusal(xlam("data", "check", other))
    assert "did you mean 'bundled'" in refusal(xlam("data", "check", bad, "--tools", "bundeld"))


def test_convert_there_and_back(checked: Path, tmp_path: Path) -> None:
    there = xlam("data", "convert", "--from", "dataset", "--to", "openai", checked, tmp_path / "o.jsonl")
    assert (there.returncode, there.stderr) == (0, f"3 samples written to {tmp_path / 'o.jsonl'}\n")
    assert xlam("data", "convert", "--to", "xlam-60k", tmp_path / "o.jsonl", tmp_path / "x.json").returncode == 0
    back = xlam("data", "convert", "--to", "dataset", tmp_path / "x.json", tmp_path / "back", "--json")
    assert json.loads(back.stdout)["written"] == 3
    first, again = list(read_dataset(checked)), list(read_dataset(tmp_path / "back"))
    assert [(s.query, s.calls) for s in first] == [(s.query, s.calls) for s in again]
    empty = write_lines(tmp_path / "e.jsonl", ["{", "[]"])
    done = xlam("data", "convert", "--from", "openai", "--to", "dataset", empty, tmp_path / "none")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == f"xlam: {empty}: no sample could be read"


Mutation = Callable[[bytes, random.Random], bytes]


def _flip(line: bytes, rng: random.Random) -> bytes:
    changed = bytearray(line)
    for _ in range(rng.randint(1, 4)):
        changed[rng.randrange(len(changed))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def _cut(line: bytes, rng: random.Random) -> bytes:
    return line[: rng.randrange(1, len(line) - 1)]


def _invalid_utf8(line: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(1, len(line))
    return line[:place] + rng.choice([b"\xff", b"\xc0\xaf", b"\xed\xa0\x80", b"\x80"]) + line[place:]


def _swap_type(line: bytes, rng: random.Random) -> bytes:
    """Another value in place of one anywhere, inside the JSON text of a field too."""
    record = json.loads(line)
    odd = rng.choice([None, True, -1, 1e300, 10**400, "", "text", [], [[]], {}, {"a": {}}, "\x00", "\ud800", [None]])
    field = rng.choice(list(record))
    inside = record[field]
    if isinstance(inside, str) and inside[:1] in "[{" and rng.random() < 0.8:
        inside = json.loads(inside)
        _replace(inside, odd, rng)
        record[field] = json.dumps(inside)
    elif isinstance(inside, list) and inside and rng.random() < 0.8:
        _replace(inside, odd, rng)
    else:
        record[field] = odd
    return json.dumps(record).encode()


def _replace(value: Any, odd: Any, rng: random.Random) -> None:
    """Put `odd` somewhere below a list or object."""
    key = rng.randrange(len(value)) if isinstance(value, list) else rng.choice(list(value))
    if isinstance(value[key], (list, dict)) and value[key] and rng.random() < 0.8:
        _replace(value[key], odd, rng)
    else:
        value[key] = odd


def _nest(line: bytes, rng: random.Random) -> bytes:
    levels = rng.choice([65, 900, 10_000])
    opened, closed = rng.choice([(b"[", b"]"), (b'{"a":', b"}")])
    deep = opened * levels + (b"" if rng.random() < 0.3 else b"1" + closed * levels)
    return b'{"deep": ' + deep + b", " + line[1:]


def _giant(line: bytes, rng: random.Random) -> bytes:
    return line[:-1] + b', "more": "' + b"x" * (MAX_BYTES + rng.randrange(10_000)) + b'"}'


def _nan(line: bytes, rng: random.Random) -> bytes:
    return b'{"n": ' + rng.choice([b"NaN", b"Infinity", b"-Infinity", b"1e999", b"9" * 400]) + b", " + line[1:]


def _twice(line: bytes, rng: random.Random) -> bytes:
    return b'{"tools": [], ' + line[1:]


MUTATIONS: tuple[tuple[Mutation, int, bool], ...] = (
    (_flip, 300, False),
    (_cut, 150, True),
    (_invalid_utf8, 100, True),
    (_swap_type, 300, False),
    (_nest, 60, True),
    (_giant, 10, True),
    (_nan, 50, True),
    (_twice, 30, True),
)
"""Mutation, how often, and whether a line is certainly broken by it: a flipped byte may give another good sample."""


def openai(record: dict[str, Any]) -> dict[str, Any]:
    """A row as OpenAI messages."""
    (call,) = json.loads(record["answers"])
    schema = {
        "type": "object",
        "properties": {n: {"type": "integer"} for n in ("number", "base")},
        "required": ["number"],
    }
    function = {"name": call["name"], "arguments": json.dumps(call["arguments"])}
    answer = {"role": "assistant", "content": None, "tool_calls": [{"type": "function", "function": function}]}
    tools = [{"type": "function", "function": {**IN_BASE, "parameters": schema}}]
    return {"messages": [{"role": "user", "content": record["query"]}, answer], "tools": tools}


@pytest.mark.parametrize("shape", ["xlam-60k", "openai"])
def test_a_thousand_mutated_lines_hurt_none_of_the_good_ones_around(
    shape: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    rng = random.Random(20260101)
    kinds = [(mutate, broken) for mutate, times, broken in MUTATIONS for _ in range(times)]
    assert len(kinds) == 1000
    rng.shuffle(kinds)
    lines: list[bytes] = []
    good, broken_lines = set(), set()
    for number, (mutate, broken) in enumerate(kinds):
        record = in_base(number, rng.randrange(40, 10_000), rng.choice([2, 8, 16]))
        line = json.dumps(record if shape == "xlam-60k" else openai(record)).encode()
        if number % 3 == 0:
            lines.append(line)
            good.add(len(lines))
        lines.append(mutate(line, rng).replace(b"\n", b" "))
        if broken:
            broken_lines.add(len(lines))
    path = tmp_path / "mutated.jsonl"
    path.write_bytes(b"\n".join(lines))
    out = tmp_path / "out"
    command = ["data", "check", str(path), "--from", shape, "--tools", "bundled:maths", "--out", str(out)]
    assert main(command) == 0
    assert "samples accepted" in capsys.readouterr().err
    refused = [json.loads(line) for line in (out / "refused.jsonl").read_text().splitlines()]
    numbers = [entry["line"] for entry in refused]
    stats = json.loads((out / "stats.json").read_text())
    assert numbers == sorted(set(numbers))
    assert stats["drafted"] == len(lines) == stats["accepted"] + len(refused)
    assert good.isdisjoint(numbers)
    assert broken_lines <= set(numbers)
    assert all(entry["reason"] and entry["detail"] for entry in refused)
    reasons = {entry["reason"] for entry in refused}
    assert reasons >= {"not_json", "not_utf8", "too_long", "too_deep", "duplicate_key", "not_finite", "wrong_type"}
    assert reasons & set(CONVERT_REASONS) > {"missing_field", "bad_tool", "bad_call", "lone_surrogate"} - (
        {"missing_field"} if shape == "openai" else set()
    )
