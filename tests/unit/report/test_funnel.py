"""The funnel's sums, worked out by hand."""

import json
from io import StringIO

from rich.console import Console

from data_pipeline.core.schema import Message, Origin, Stage, Style, ToolCall, Trajectory, Verdict
from data_pipeline.report.funnel import Funnel

STAGES: tuple[Stage, ...] = ("format", "execution", "semantic", "curate")


def sample(style: Style, calls: int, refused: Stage | None = None, reason: str = "ok") -> Trajectory:
    """A sample with the verdicts of all stages up to the one that refused it."""
    passed = STAGES[: STAGES.index(refused)] if refused else STAGES
    verdicts = [Verdict(stage=stage, passed=True) for stage in passed]
    if refused:
        verdicts.append(Verdict(stage=refused, passed=False, reason=reason))
    answer = Message(role="assistant", tool_calls=tuple(ToolCall(name="t", arguments={}) for _ in range(calls)))
    return Trajectory(id="1", style=style, tools=(), messages=(answer,), verdicts=tuple(verdicts))


def funnel() -> Funnel:
    made = Funnel()
    made.count([sample("simple", 1), sample("parallel", 3, "format", "wrong_type"), sample("parallel", 3)])
    made.count(
        [
            sample("simple", 1, "execution", "tool_error"),
            sample("simple", 1, "execution", "timeout"),
            sample("multiple", 1, "execution", "tool_error"),
            sample("simple", 1, "curate", "duplicate_query"),
            sample("irrelevance", 0),
        ]
    )
    return made


def test_what_enters_a_stage_is_what_left_the_one_before() -> None:
    assert funnel().stages() == [("format", 8, 7), ("execution", 7, 4), ("semantic", 4, 4), ("curate", 4, 3)]


def test_plain_data_holds_every_count_in_a_stable_order() -> None:
    found = funnel().to_dict()
    assert found == {
        "drafted": 8,
        "accepted": 3,
        "stages": [
            {"stage": "format", "entered": 8, "passed": 7},
            {"stage": "execution", "entered": 7, "passed": 4},
            {"stage": "semantic", "entered": 4, "passed": 4},
            {"stage": "curate", "entered": 4, "passed": 3},
        ],
        "rejected": {
            "curate.duplicate_query": 1,
            "execution.timeout": 1,
            "execution.tool_error": 2,
            "format.wrong_type": 1,
        },
        "styles": {"irrelevance": 1, "parallel": 1, "simple": 1},
        "calls": 4,
        "not_executed": 0,
        "ran": {"format": 8, "execution": 7, "semantic": 4, "curate": 4},
        "generators": {"": {"drafted": 8, "accepted": 3, "format": 1, "execution": 3, "curate": 1}},
        "prompts": {},
        "tokens": {"input": 0.0, "output": 0.0},
        "cost": 0.0,
    }
    assert list(found["rejected"]) == sorted(found["rejected"])
    assert list(found["styles"]) == sorted(found["styles"])


def test_the_order_of_the_samples_does_not_matter() -> None:
    samples = [sample("simple", 1), sample("simple", 1, "format", "b"), sample("parallel", 2, "format", "a")]
    forth, back = Funnel(), Funnel()
    forth.count(samples)
    back.count(reversed(samples))
    assert str(forth.to_dict()) == str(back.to_dict())


def printed(made: Funnel) -> list[list[str]]:
    screen = Console(file=StringIO(), width=120)
    screen.print(made.to_table("Title"))
    assert isinstance(screen.file, StringIO)
    lines = screen.file.getvalue().splitlines()
    return [[cell.strip() for cell in line.strip("│┃").split("│")] for line in lines if line.startswith("│")]


def test_people_see_counts_shares_and_reasons_by_frequency() -> None:
    assert printed(funnel()) == [
        ["format", "8", "7", "87.5%", "wrong_type 1"],
        ["execution", "7", "4", "57.1%", "tool_error 2, timeout 1"],
        ["semantic", "4", "4", "100.0%", "-"],
        ["curate", "4", "3", "75.0%", "duplicate_query 1"],
    ]


def test_a_stage_that_did_not_run_has_no_row() -> None:
    assert printed(Funnel()) == []
    made = Funnel()
    made.count([sample("simple", 1, "format", "wrong_type")])
    assert [row[0] for row in printed(made)] == ["format"]
    unchecked = Trajectory(id="1", style="simple", tools=(), messages=())
    made.count([unchecked])
    assert made.stages() == [("format", 2, 1)]


def written(generator: str, refused: Stage | None = None, **spent: float) -> Trajectory:
    made = sample("simple", 1, refused, "r")
    return made.model_copy(update={"origin": Origin(generator=generator, prompt="apigen-1", **spent)})


def test_parts_add_up_and_survive_stats_json() -> None:
    generated = Verdict(stage="generate", passed=False, reason="not_json")
    parts = [
        [written("m", input_tokens=100 / 3, output_tokens=7.0, cost=1e-6), written("m", "semantic", cost=2e-7)],
        [written("grammar"), written("m").model_copy(update={"verdicts": (generated,)})],
        [sample("parallel", 2), sample("parallel", 2, "curate", "duplicate_query")],
    ]
    whole = Funnel()
    whole.count(one for part in parts for one in part)
    sum_of_parts, through_files = Funnel(), Funnel()
    for part in parts:
        made = Funnel()
        made.count(part)
        sum_of_parts += made
        through_files += Funnel.from_dict(json.loads(json.dumps(made.to_dict())))
    assert sum_of_parts.to_dict() == through_files.to_dict() == whole.to_dict()
    assert json.dumps(through_files.to_dict()) == json.dumps(whole.to_dict())
    assert whole.to_dict()["tokens"] == {"input": 33.333, "output": 7.0}
    assert whole.to_dict()["cost"] == 1.2e-6
    assert whole.to_dict()["prompts"] == {"apigen-1": 2}
    assert whole.stages()[0] == ("generate", 6, 5)


def test_counting_does_not_change_what_was_added() -> None:
    one, other = funnel(), funnel()
    both = one + other
    both.count([sample("simple", 1)])
    assert one.to_dict() == other.to_dict() == funnel().to_dict()


def test_the_order_of_fractions_of_tokens_does_not_show() -> None:
    samples = [written("m", input_tokens=1000 / n, cost=1 / (7e5 * n)) for n in range(1, 200)]
    forth, back = Funnel(), Funnel()
    forth.count(samples)
    back.count(reversed(samples))
    assert forth.to_dict() == back.to_dict()


def test_stats_of_earlier_versions_are_read() -> None:
    old = {key: funnel().to_dict()[key] for key in ("drafted", "accepted", "stages", "rejected", "styles", "calls")}
    assert Funnel.from_dict(old).to_dict() == funnel().to_dict() | {
        "ran": {"format": 8, "execution": 7, "semantic": 4, "curate": 4}
    }


def test_lines_that_cannot_be_read_fail_the_format() -> None:
    made = funnel()
    made.count_unreadable("not_json")
    assert made.stages()[0] == ("format", 9, 7)
    assert made.reasons("format") == [("not_json", 1), ("wrong_type", 1)]


def test_calls_that_were_not_run_are_counted() -> None:
    skipped = Verdict(stage="execution", passed=True, reason="not_executed")
    made = Funnel()
    made.count([sample("simple", 1).model_copy(update={"verdicts": (skipped,)}), sample("simple", 1)])
    assert (made.accepted, made.not_executed) == (2, 1)
    assert made.to_table("").caption == "accepted without being executed: 1"
    assert funnel().to_table("").caption is None


def test_the_pass_table_has_the_columns_of_the_paper() -> None:
    """Verified and failed samples of a generator add up to its drafts, as in table 1 of APIGen."""
    made = Funnel()
    made.count(
        written("big", stage) for stage, n in (("format", 2), ("execution", 20), ("semantic", 18)) for _ in range(n)
    )
    made.count(written("big") for _ in range(360))
    assert made.pass_rows("grammar") == [
        ("generator", "verified", "fail format", "fail execution", "fail semantic", "pass rate"),
        ("big", "360", "2", "20", "18", "90.00%"),
    ]


def test_the_pass_table_tells_what_was_not_written_or_curated_out_apart() -> None:
    heading, first = funnel().pass_rows("grammar")
    assert heading[6:] == ("curated out",)
    assert first == ("grammar", "4", "1", "3", "0", "50.00%", "1")
    made = Funnel()
    made.count([written("m").model_copy(update={"verdicts": (Verdict(stage="generate", passed=False, reason="x"),)})])
    assert made.pass_rows("")[0][6:] == ("not written",)
    assert made.to_pass_table("grammar").row_count == 1


def test_what_curation_takes_out_again_is_not_counted_as_accepted_anywhere() -> None:
    made, expected = Funnel(), Funnel()
    made.count([written("m"), written("m")])
    made.refuse_accepted([written("m", "curate")])
    expected.count([written("m"), written("m", "curate")])
    assert made.to_dict() == expected.to_dict()
    made.refuse_accepted([written("m", "curate")])
    assert made.to_dict()["prompts"] == {}
