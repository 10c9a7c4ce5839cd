"""What every stateful domain keeps to: states as text, their differences, and the shape of the tools."""

from __future__ import annotations

import inspect
import json
import os
import re
import subprocess
import sys
from random import Random
from typing import Any, get_type_hints

import pytest
from docstring_parser import parse
from pydantic import TypeAdapter, ValidationError

from data_pipeline.core.errors import InputError
from data_pipeline.tools import bundled, stateful
from data_pipeline.tools.stateful.common import look_up, money, parse_clock, parse_day, parse_moment, people
from data_pipeline.tools.stateful.state import Change, DomainState, Record, diff, reads, writes

DOMAINS = ("bank_account", "flight_desk", "meeting_calendar", "shop_orders", "smart_home", "support_tickets")
TOOLS = [(domain, name) for domain in DOMAINS for name in stateful.load(domain).functions]
READS: dict[str, dict[str, Any]] = {
    "find_common_slots": {"person_ids": ["P1", "P3"], "day": "2026-10-07", "minutes": 60},
    "list_accounts": {},
    "list_agents": {"topic": "email"},
    "list_colleagues": {"team": "design"},
    "list_customer_orders": {"customer_id": "C32"},
    "list_departures": {"origin": "GRZ", "destination": "LYS"},
    "list_devices": {"room": "kitchen"},
    "list_door_codes": {},
    "list_free_rooms": {"day": "2026-10-07", "start": "11:00", "minutes": 30, "equipment": ["screen"]},
    "list_free_seats": {"flight_id": "LR203"},
    "list_payees": {},
    "list_scenes": {},
    "list_standing_orders": {"account_id": "A11"},
    "list_transactions": {"account_id": "A11", "since": "2026-07-01"},
    "read_ticket": {"ticket_id": "TK402"},
    "search_articles": {"text": "domain"},
    "search_bookings": {"passenger": "an"},
    "search_catalog": {"text": "", "max_price": 80.0},
    "search_tickets": {"status": "solved"},
    "view_agenda": {"person_id": "P1", "day": "2026-10-05", "days": 5},
    "view_booking": {"booking_id": "B1004"},
    "view_order": {"order_id": "O7005"},
}


class Leaf(Record):
    size: float
    tags: list[str] = []


class Garden(DomainState):
    owner: str | None = None
    leaves: dict[str, Leaf] = {}
    best: Leaf | None = None
    notes: list[str] | None = None


class Pond(DomainState):
    owner: str | None = None


def garden() -> Garden:
    return Garden(owner="Wren", leaves={"b": Leaf(size=2, tags=["x", "y", "z"]), "a": Leaf(size=1.5)})


def test_snapshot_is_sorted_json_on_one_line() -> None:
    assert garden().snapshot() == (
        '{"best":null,"leaves":{"a":{"size":1.5,"tags":[]},"b":{"size":2.0,"tags":["x","y","z"]}},'
        '"notes":null,"owner":"Wren"}'
    )
    turned = Garden(owner="Wren", leaves=dict(reversed(garden().leaves.items())))
    assert turned.snapshot() == garden().snapshot()
    assert Garden(owner="Zoë").snapshot() == '{"best":null,"leaves":{},"notes":null,"owner":"Zo\\u00eb"}'


def test_restore_gives_an_equal_state_of_its_own() -> None:
    first = garden()
    again = Garden.restore(first.snapshot())
    assert again == first
    assert again.snapshot() == first.snapshot()
    again.leaves["a"].tags.append("new")
    assert first.leaves["a"].tags == []


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not a test_stateful_state state: value: invalid JSON"),
        ('{"owner":"Wren","pond":1}', "pond: extra inputs"),
        ('{"leaves":{"a":{}}}', r"leaves\.a\.size: field required"),
        ('{"leaves":{"a":{"size":"2"}}}', r"leaves\.a\.size: input should be a valid number"),
    ],
)
def test_restore_refuses(text: str, message: str) -> None:
    with pytest.raises(InputError, match=message):
        Garden.restore(text)


def test_a_field_keeps_its_type_when_assigned() -> None:
    leaf = Leaf(size=1)
    leaf.size = 3
    assert json.dumps(leaf.model_dump()["size"]) == "3.0"
    with pytest.raises(ValidationError, match="valid number"):
        leaf.size = "4"  # type: ignore[assignment]
    with pytest.raises(ValidationError, match="finite"):
        leaf.size = float("nan")


def test_diff_of_equal_states_is_empty() -> None:
    assert diff(garden(), garden()) == []


def test_diff_tells_added_removed_and_changed_apart() -> None:
    before, after = garden(), garden()
    after.owner = None
    after.leaves["b"].size = 2.5
    del after.leaves["a"]
    after.leaves["c"] = Leaf(size=9)
    assert diff(before, after) == [
        Change("leaves.a", {"size": 1.5, "tags": []}, None, "removed"),
        Change("leaves.b.size", 2.0, 2.5, "changed"),
        Change("leaves.c", None, {"size": 9.0, "tags": []}, "added"),
        Change("owner", "Wren", None, "changed"),
    ]


@pytest.mark.parametrize(
    ("tags", "changes"),
    [
        (["x", "y", "z", "w"], [Change("leaves.b.tags[3]", None, "w", "added")]),
        (["x", "z"], [Change("leaves.b.tags[1]", "y", None, "removed")]),
        (["x", "q", "z"], [Change("leaves.b.tags[1]", "y", "q", "changed")]),
        (
            ["v", "x", "y"],
            [Change("leaves.b.tags[0]", None, "v", "added"), Change("leaves.b.tags[2]", "z", None, "removed")],
        ),
    ],
)
def test_diff_of_lists_matches_what_stayed(tags: list[str], changes: list[Change]) -> None:
    after = garden()
    after.leaves["b"].tags = tags
    assert diff(garden(), after) == changes


def test_diff_of_what_was_not_there_is_one_change() -> None:
    before, after = garden(), garden()
    after.best, after.notes = Leaf(size=1), ["x"]
    assert diff(before, after) == [
        Change("best", None, {"size": 1.0, "tags": []}, "changed"),
        Change("notes", None, ["x"], "changed"),
    ]
    assert [change.after for change in diff(after, before)] == [None, None]


def test_a_change_reads_like_a_sentence() -> None:
    assert str(Change("a.b", None, "x", "changed")) == 'changed a.b: null -> "x"'
    assert str(Change("a.b", None, 1, "added")) == "added a.b: 1"
    assert str(Change("a.b", [1], None, "removed")) == "removed a.b: [1]"


def test_states_of_two_domains_cannot_be_compared() -> None:
    with pytest.raises(TypeError, match="cannot compare"):
        diff(garden(), Pond())


def test_marks_leave_the_function_as_it_is() -> None:
    def tool() -> int:
        return 3

    assert reads(tool) is tool
    assert vars(tool) == {"side_effects": "read"}
    assert vars(writes(tool)) == {"side_effects": "write"}


def test_arguments_are_read_or_refused() -> None:
    assert parse_day("2028-02-29").isoformat() == "2028-02-29"
    assert parse_clock("23:45") == 1425
    assert parse_moment("2026-01-02 03:04").minute == 4
    assert [money(0.1 + 0.2), money(12), money(19.999)] == [0.3, 12.0, 20.0]
    assert str(money(-0.001)) == "0.0"
    for text in ("2027-02-29", "2026-3-09", "9 March"):
        with pytest.raises(ValueError, match=f"'{text}' is not a date as YYYY-MM-DD"):
            parse_day(text)
    assert [parse_day(f"{year}-01-01").year for year in (2000, 2099)] == [2000, 2099]
    for text in ("1999-12-31", "2100-01-01"):
        with pytest.raises(ValueError, match="between 2000 and 2099"):
            parse_day(text)
    for text in ("24:00", "9:00"):
        with pytest.raises(ValueError, match="not a time as HH:MM"):
            parse_clock(text)
    with pytest.raises(ValueError, match="no pear 'x'; use list_pears to find the id"):
        look_up({"y": 1}, "x", "pear", "list_pears")


def test_names_of_people_do_not_repeat() -> None:
    names = people(Random(1), 20)
    assert len({name.split()[0] for name in names}) == 20
    assert len({name.split()[1] for name in names}) == 20


def test_domains_by_name() -> None:
    assert stateful.domains() == DOMAINS
    with pytest.raises(InputError, match=r"unknown domain 'smart_hom': did you mean 'smart_home'\?"):
        stateful.load("smart_hom")


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_enough_tools_of_both_kinds(domain: str) -> None:
    loaded = stateful.load(domain)
    effects = [function.side_effects for function in loaded.functions.values()]  # type: ignore[attr-defined]
    assert loaded.name == domain
    assert 8 <= len(effects) <= 12
    assert effects.count("read") >= 3
    assert effects.count("write") >= 4
    assert effects.count("read") + effects.count("write") == len(effects)
    assert list(loaded.functions) == sorted(loaded.functions)


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_policy_is_numbered_and_says_what_is_enforced(domain: str) -> None:
    title, *rules = stateful.load(domain).policy.splitlines()
    assert title.endswith("The tools refuse what is [enforced]; the rest is yours to keep.")
    assert 6 <= len(rules) <= 15
    for number, rule in enumerate(rules, start=1):
        assert re.fullmatch(rf"{number}\. \[(enforced|yours)\] [A-Z].*\.", rule), rule
    assert {"[enforced]", "[yours]"} == {rule.split()[1] for rule in rules}


def test_no_tool_has_the_name_of_another() -> None:
    names = [name for _, name in TOOLS]
    names += [name for domain in bundled.domains() for name in bundled.functions(domain)]
    assert sorted(names) == sorted({*names})


@pytest.mark.parametrize(("domain", "name"), TOOLS)
def test_a_tool_is_described(domain: str, name: str) -> None:
    loaded = stateful.load(domain)
    function = loaded.functions[name]
    hints = get_type_hints(function, include_extras=True)
    first, *rest = inspect.signature(function).parameters
    words = parse(inspect.getdoc(function) or "")
    assert (first, hints["state"]) == ("state", loaded.state_type)
    assert [entry.arg_name for entry in words.params] == rest
    assert words.returns is not None
    assert re.fullmatch(r"[a-z]+(_[a-z]+)+", name)
    assert all(TypeAdapter(hints[parameter]).json_schema() for parameter in rest)


def _schema(kind: Any) -> dict[str, Any]:
    return TypeAdapter(kind).json_schema()


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_domain_has_a_tool_with_a_list_or_an_object(domain: str) -> None:
    functions = stateful.load(domain).functions.values()
    hints = [get_type_hints(function, include_extras=True) for function in functions]
    kinds = [kind for found in hints for name, kind in found.items() if name not in ("state", "return")]
    assert any("items" in schema or "properties" in schema for schema in map(_schema, kinds))


@pytest.mark.parametrize("domain", DOMAINS)
def test_the_same_seed_gives_the_same_world(domain: str) -> None:
    loaded = stateful.load(domain)
    texts = [loaded.initial_state(seed).snapshot() for seed in range(10)]
    assert texts == [loaded.initial_state(seed).snapshot() for seed in range(10)]
    assert len({*texts}) == 10


def test_another_process_makes_the_same_worlds() -> None:
    code = "from data_pipeline.tools.stateful import domains, load\n"
    code += "for domain in domains(): print(load(domain).initial_state(7).snapshot())"
    texts = {
        subprocess.run(
            [sys.executable, "-c", code], env={**os.environ, "PYTHONHASHSEED": seed}, capture_output=True, check=True
        ).stdout
        for seed in ("1", "2", "3")
    }
    assert texts == {"".join(f"{stateful.load(d).initial_state(7).snapshot()}\n" for d in DOMAINS).encode()}


@pytest.mark.parametrize("domain", DOMAINS)
def test_a_world_survives_being_written(domain: str) -> None:
    loaded = stateful.load(domain)
    for seed in range(10):
        state = loaded.initial_state(seed)
        again = loaded.state_type.restore(state.snapshot())
        assert again == state
        assert again.snapshot() == state.snapshot()
        assert diff(state, again) == []


@pytest.mark.parametrize(
    ("domain", "name"),
    [
        (domain, name)
        for domain, name in TOOLS
        if stateful.load(domain).functions[name].side_effects == "read"  # type: ignore[attr-defined]
    ],
)
def test_a_reading_tool_leaves_the_state_as_it_is(domain: str, name: str) -> None:
    loaded = stateful.load(domain)
    function = loaded.functions[name]
    found = []
    for seed in range(5):
        state = loaded.initial_state(seed)
        before = state.snapshot()
        result = json.dumps(function(state, **READS[name]))
        assert state.snapshot() == before
        # The order of a restored state must not show in a result.
        assert json.dumps(function(loaded.state_type.restore(before), **READS[name])) == result
        found.append(result)
    assert any(len(result) > 20 for result in found)
