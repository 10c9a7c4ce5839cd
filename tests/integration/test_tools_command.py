"""`xlam tools` as a real command, and commands that are incomplete."""

import json
from typing import Any

import pytest
from command_line import refusal, xlam


def test_tools_list() -> None:
    done = xlam("tools", "list", "bundled:maths")
    assert done.returncode == 0
    assert [line.split()[:2] for line in done.stdout.splitlines()][-1] == ["maths", "write_integer_in_base"]
    assert len(json.loads(xlam("tools", "list", "bundled:maths", "--json").stdout)) == done.stdout.count("\n")


def test_tools_show_prints_the_schema() -> None:
    schema = json.loads(xlam("tools", "show", "bundled:maths", "write_integer_in_base").stdout)
    assert set(schema) == {"name", "description", "parameters"}
    assert schema["parameters"]["required"] == ["number", "base"]


def test_tools_call_prints_the_result() -> None:
    done = xlam("tools", "call", "bundled", "write_integer_in_base", '{"number": 10, "base": 2}')
    assert (done.returncode, json.loads(done.stdout), done.stderr) == (0, "1010", "")
    told = json.loads(
        xlam("tools", "call", "bundled", "write_integer_in_base", '{"number": 7, "base": 2}', "--json").stdout
    )
    assert (told["status"], told["result"], told["error"]) == ("ok", "111", "")


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("list", "bundeld"), "unknown tool source 'bundeld': did you mean 'bundled'?"),
        (
            ("show", "bundled:maths", "fit_trend"),
            "no tool 'fit_trend' in bundled:maths; did you mean 'fit_trend_line'?",
        ),
        (("call", "bundled:maths", "fit_trend", "{}"), "did you mean 'fit_trend_line'?"),
        (("call", "bundled:maths", "fit_trend_line", "{"), "arguments: not valid JSON"),
        (("call", "bundled:maths", "fit_trend_line", "[]"), "arguments: expected a JSON object"),
    ],
)
def test_wrong_tools_commands_are_refused(command: tuple[str, ...], message: str) -> None:
    assert message in refusal(xlam("tools", *command))


@pytest.mark.parametrize(
    ("arguments", "reason"),
    [
        ({"number": 10}, "missing_argument"),
        ({"number": 10, "base": "2"}, "wrong_type"),
        ({"number": 10, "base": 1}, "out_of_range"),
        ({"number": 10, "bse": 2}, "unknown_argument"),
    ],
)
def test_wrong_arguments_are_wrong_input(arguments: dict[str, Any], reason: str) -> None:
    done = xlam("tools", "call", "bundled", "write_integer_in_base", json.dumps(arguments), "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (2, "bad_arguments")
    assert done.stderr.startswith(f"xlam: write_integer_in_base: {reason}: ")
    assert done.stderr.count("\n") == 1


def test_a_tool_that_raises_is_a_failure() -> None:
    arguments = {"balance": 2000, "annual_rate": 11, "monthly_payment": 7}
    done = xlam("tools", "call", "bundled:finance", "plan_card_payoff", json.dumps(arguments), "--json")
    assert (done.returncode, json.loads(done.stdout)["status"]) == (1, "tool_error")
    reason = "monthly_payment does not cover the monthly interest"
    assert done.stderr == f"xlam: plan_card_payoff: tool_error: ValueError: {reason}\n"


@pytest.mark.parametrize("command", [(), ("data",), ("data", "generate"), ("tools", "list"), ("no-such",)])
def test_an_incomplete_command_shows_how_it_is_used(command: tuple[str, ...]) -> None:
    done = xlam(*command)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("usage: xlam")
