"""The funnel's sums, worked out by hand."""

from io import StringIO

from rich.console import Console

from data_pipeline.core.schema import Message, Stage, Style, ToolCall, Trajectory, Verdict
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


def test_an_empty_job_has_a_table_too() -> None:
    assert printed(Funnel()) == [[stage, "0", "0", "0.0%", "-"] for stage in STAGES]
