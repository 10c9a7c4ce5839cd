"""What the tools of the support desk do to its state, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.tools.stateful import support_tickets as support
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.support_tickets import Agent, Article, Customer, Note, Ticket, due_time

ASKED = Note(author="customer", text="Help me.", visibility="public")
ANSWERED = Note(author="desk", text="Do this.", visibility="public")
HIDDEN = Note(author="desk", text="Odd case.", visibility="internal")


def ticket(customer_id: str, opened: str, due: str, **more: Any) -> Ticket:
    fields = {"subject": "Mail", "topic": "email", "priority": "normal", "notes": [ASKED], **more}
    return Ticket(customer_id=customer_id, opened=f"2026-06-{opened}", due=f"2026-06-{due}", **fields)


def world() -> support.State:
    """It is 17 June, 10:00; G1 is full, G3 off duty."""
    held = {"status": "assigned", "agent_id": "G1"}
    return support.State(
        now="2026-06-17 10:00",
        agents={
            "G1": Agent(name="Edda Demir", skills=["email"], on_duty=True, capacity=2),
            "G2": Agent(name="Umar Juhl", skills=["billing", "email"], on_duty=True, capacity=1),
            "G3": Agent(name="Wren Rossi", skills=["email"], on_duty=False, capacity=4),
        },
        customers={
            "U1": Customer(name="Bram Okonjo", plan="starter"),
            "U2": Customer(name="Ines Sorel", plan="enterprise"),
            "U3": Customer(name="Odile Kowal", plan="team"),
        },
        tickets={
            "TK1": ticket("U1", "17 08:00", "18 08:00"),
            "TK2": ticket("U1", "17 01:00", "17 09:00", priority="high", notes=[ASKED, ANSWERED], **held),
            "TK3": ticket("U2", "17 09:00", "17 21:00", notes=[ASKED, HIDDEN], **held),
            "TK4": ticket("U1", "01 08:00", "02 08:00", status="solved", solved="2026-06-10 10:00"),
            "TK5": ticket("U2", "01 08:00", "01 20:00", status="solved", solved="2026-06-10 09:59"),
            "TK6": ticket("U1", "17 08:00", "18 08:00", status="merged", merged_into="TK1"),
            "TK7": ticket("U3", "16 00:00", "19 00:00", topic="hosting", priority="low"),
        },
        articles={
            "H1": Article(topic="email", title="Spam", text="Add the SPF record."),
            "H2": Article(topic="hosting", title="Backups", text="Restore a day."),
        },
    )


def effects(state: support.State) -> list[str]:
    return [str(change) for change in diff(world(), state)]


def note(author: str, text: str, visibility: str) -> str:
    return f'{{"author": "{author}", "text": "{text}", "visibility": "{visibility}"}}'


def test_a_ticket_is_assigned_and_passed_on() -> None:
    state = world()
    assert support.assign_ticket(state, "TK1", "G2") == {
        "ticket_id": "TK1",
        "customer_id": "U1",
        "subject": "Mail",
        "topic": "email",
        "priority": "normal",
        "due": "2026-06-18 08:00",
        "status": "assigned",
        "agent_id": "G2",
    }
    assert effects(state) == [
        'changed tickets.TK1.agent_id: null -> "G2"',
        'changed tickets.TK1.status: "new" -> "assigned"',
    ]
    state = world()
    support.assign_ticket(state, "TK2", "G2")
    assert effects(state) == ['changed tickets.TK2.agent_id: "G1" -> "G2"']
    assert support.assign_ticket(state, "TK1", "G1")["agent_id"] == "G1"  # which has a place again


@pytest.mark.parametrize(
    ("ticket_id", "agent_id", "message"),
    [
        ("TK1", "G1", "G1 has no free place"),
        ("TK1", "G3", "G3 is not on duty"),
        ("TK7", "G2", "G2 does not know about hosting; use list_agents"),
        ("TK2", "G1", "G1 has ticket TK2 already"),
        ("TK4", "G2", "TK4 is solved"),
        ("TK6", "G2", "TK6 is merged"),
        ("TK1", "G9", "no agent 'G9'; use list_agents"),
        ("TK9", "G2", "no ticket 'TK9'; use search_tickets"),
    ],
)
def test_an_assignment_is_refused(ticket_id: str, agent_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        support.assign_ticket(state, ticket_id, agent_id)
    assert effects(state) == []


def test_a_priority_changes_the_time_due() -> None:
    state = world()
    assert support.change_priority(state, "TK3", "critical", "All down")["due"] == "2026-06-17 10:00"
    assert effects(state) == [
        'changed tickets.TK3.due: "2026-06-17 21:00" -> "2026-06-17 10:00"',
        "added tickets.TK3.notes[2]: " + note("desk", "Priority critical: All down", "internal"),
        'changed tickets.TK3.priority: "normal" -> "critical"',
    ]


@pytest.mark.parametrize(
    ("customer_id", "priority", "due"),
    [
        ("U1", "low", "2026-06-20 10:00"),
        ("U1", "normal", "2026-06-18 10:00"),
        ("U1", "high", "2026-06-17 18:00"),
        ("U3", "critical", "2026-06-17 12:00"),
        ("U2", "low", "2026-06-18 22:00"),
        ("U2", "normal", "2026-06-17 22:00"),
        ("U2", "high", "2026-06-17 14:00"),
        ("U2", "critical", "2026-06-17 11:00"),
    ],
)
def test_a_new_ticket_is_due_by_priority_and_plan(customer_id: str, priority: Any, due: str) -> None:
    state = world()
    filed = support.file_ticket(state, customer_id, "Slow site", "hosting", "It is slow.", priority)
    assert (filed["ticket_id"], filed["due"]) == ("TK415", due)
    assert effects(state) == [
        "changed next_ticket: 415 -> 416",
        f'added tickets.TK415: {{"customer_id": "{customer_id}", "subject": "Slow site", "topic": "hosting", '
        f'"priority": "{priority}", "opened": "2026-06-17 10:00", "due": "{due}", '
        f'"notes": [{note("customer", "It is slow.", "public")}], "status": "new", "agent_id": null, '
        '"article_ids": [], "solved": null, "merged_into": null}',
    ]


def test_the_starter_plan_has_no_critical_priority() -> None:
    with pytest.raises(ValueError, match="starter plan of U1 has no critical priority"):
        support.file_ticket(world(), "U1", "Down", "hosting", "All is down.", "critical")
    with pytest.raises(ValueError, match="starter plan of U1 has no critical priority"):
        support.change_priority(world(), "TK1", "critical", "All down")


def test_a_priority_or_a_new_ticket_is_refused() -> None:
    with pytest.raises(ValueError, match="TK1 has normal priority already"):
        support.change_priority(world(), "TK1", "normal", "Same")
    with pytest.raises(ValueError, match="TK4 is solved"):
        support.change_priority(world(), "TK4", "high", "Late")
    with pytest.raises(ValueError, match="no customer 'U9'; ask for the customer number"):
        support.file_ticket(world(), "U9", "Down", "hosting", "All is down.")


def test_the_agents_of_a_topic() -> None:
    found = support.list_agents(world(), "email")
    assert [(agent["agent_id"], agent["free_places"]) for agent in found] == [("G1", 0), ("G2", 1), ("G3", 0)]
    assert [agent["name"] for agent in support.list_agents(world(), "billing")] == ["Umar Juhl"]
    assert len(support.list_agents(world())) == 3


def test_tickets_are_merged() -> None:
    state = world()
    merged = support.merge_tickets(state, "TK1", ["TK2"])
    # High priority: eight hours from 01:00, when the older one was opened.
    assert (merged["priority"], merged["due"], merged["notes"]) == ("high", "2026-06-17 09:00", 3)
    assert effects(state) == [
        'changed tickets.TK1.due: "2026-06-18 08:00" -> "2026-06-17 09:00"',
        "added tickets.TK1.notes[1]: " + note("customer", "Help me.", "public"),
        "added tickets.TK1.notes[2]: " + note("desk", "Do this.", "public"),
        'changed tickets.TK1.opened: "2026-06-17 08:00" -> "2026-06-17 01:00"',
        'changed tickets.TK1.priority: "normal" -> "high"',
        'changed tickets.TK2.agent_id: "G1" -> null',
        'changed tickets.TK2.merged_into: null -> "TK1"',
        "removed tickets.TK2.notes[0]: " + note("customer", "Help me.", "public"),
        "removed tickets.TK2.notes[1]: " + note("desk", "Do this.", "public"),
        'changed tickets.TK2.status: "assigned" -> "merged"',
    ]
    assert support.list_agents(state)[0]["free_places"] == 1


def test_a_merge_never_lowers_the_priority() -> None:
    state = world()
    merged = support.merge_tickets(state, "TK2", ["TK1"])
    assert (merged["priority"], merged["due"], merged["agent_id"]) == ("high", "2026-06-17 09:00", "G1")


@pytest.mark.parametrize(
    ("keep_id", "duplicate_ids", "message"),
    [
        ("TK1", [], "at least one ticket"),
        ("TK1", ["TK1"], "TK1 cannot be merged into itself"),
        ("TK1", ["TK3"], "TK3 belongs to another customer"),
        ("TK1", ["TK2", "TK2"], "TK2 is merged"),
        ("TK1", ["TK4"], "TK4 is solved"),
        ("TK4", ["TK1"], "TK4 is solved"),
        ("TK1", ["TK9"], "no ticket 'TK9'"),
    ],
)
def test_a_merge_is_refused(keep_id: str, duplicate_ids: list[str], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        support.merge_tickets(world(), keep_id, duplicate_ids)


def test_a_note_is_posted() -> None:
    state = world()
    assert support.post_note(state, "TK3", "Look at the log.", "internal") == {"ticket_id": "TK3", "notes": 3}
    assert effects(state) == ["added tickets.TK3.notes[2]: " + note("desk", "Look at the log.", "internal")]
    with pytest.raises(ValueError, match="TK4 is solved"):
        support.post_note(state, "TK4", "Too late.", "public")


def test_a_ticket_is_read() -> None:
    found = support.read_ticket(world(), "TK3")
    assert found["customer"] == {"name": "Ines Sorel", "plan": "enterprise"}
    assert [item["text"] for item in found["notes"]] == ["Help me.", "Odd case."]
    with pytest.raises(ValueError, match="no ticket 'TK9'"):
        support.read_ticket(world(), "TK9")


def test_a_ticket_is_reopened_on_the_seventh_day() -> None:
    state = world()
    assert support.reopen_ticket(state, "TK4", "It is back.")["due"] == "2026-06-18 10:00"
    assert effects(state) == [
        'changed tickets.TK4.due: "2026-06-02 08:00" -> "2026-06-18 10:00"',
        "added tickets.TK4.notes[1]: " + note("customer", "It is back.", "public"),
        'changed tickets.TK4.opened: "2026-06-01 08:00" -> "2026-06-17 10:00"',
        'changed tickets.TK4.solved: "2026-06-10 10:00" -> null',
        'changed tickets.TK4.status: "solved" -> "new"',
    ]


@pytest.mark.parametrize(
    ("ticket_id", "message"),
    [
        ("TK5", "TK5 was solved over seven days ago; file a new one"),
        ("TK1", "TK1 is new, not solved"),
        ("TK6", "TK6 is merged, not solved"),
        ("TK9", "no ticket 'TK9'"),
    ],
)
def test_reopening_is_refused(ticket_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        support.reopen_ticket(state, ticket_id, "It is back.")
    assert effects(state) == []


def test_articles_by_word() -> None:
    assert support.search_articles(world(), "sPf") == {
        "H1": {"topic": "email", "title": "Spam", "text": "Add the SPF record."},
    }
    assert [*support.search_articles(world(), "backup")] == ["H2"]
    assert support.search_articles(world(), "invoice") == {}


@pytest.mark.parametrize(
    ("wanted", "found"),
    [
        ({}, ["TK5", "TK4", "TK2", "TK3", "TK1", "TK6", "TK7"]),
        ({"customer_id": "U1"}, ["TK4", "TK2", "TK1", "TK6"]),
        ({"status": "assigned"}, ["TK2", "TK3"]),
        ({"topic": "hosting"}, ["TK7"]),
        ({"customer_id": "U2", "status": "solved", "topic": "email"}, ["TK5"]),
        ({"customer_id": "U3", "status": "solved"}, []),
    ],
)
def test_tickets_by_what_they_are(wanted: dict[str, Any], found: list[str]) -> None:
    assert [item["ticket_id"] for item in support.search_tickets(world(), **wanted)] == found


def test_a_ticket_is_solved() -> None:
    state = world()
    assert support.solve_ticket(state, "TK2", ["H2", "H1", "H2"])["status"] == "solved"
    assert effects(state) == [
        'added tickets.TK2.article_ids[0]: "H1"',
        'added tickets.TK2.article_ids[1]: "H2"',
        'changed tickets.TK2.solved: null -> "2026-06-17 10:00"',
        'changed tickets.TK2.status: "assigned" -> "solved"',
    ]
    assert support.list_agents(state)[0]["free_places"] == 1


@pytest.mark.parametrize(
    ("ticket_id", "article_ids", "message"),
    [
        ("TK1", None, "TK1 is not assigned; use assign_ticket first"),
        ("TK3", None, "No public note answers the last words of the customer on TK3; use post_note first"),
        ("TK4", None, "TK4 is solved"),
        ("TK2", ["H9"], "no article 'H9'; use search_articles"),
        ("TK9", None, "no ticket 'TK9'"),
    ],
)
def test_solving_is_refused(ticket_id: str, article_ids: list[str] | None, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        support.solve_ticket(state, ticket_id, article_ids)
    assert effects(state) == []


def test_what_a_customer_said_last_is_answered_before_solving() -> None:
    state = world()
    support.post_note(state, "TK3", "Do that.", "public")
    assert support.solve_ticket(state, "TK3")["status"] == "solved"
    support.reopen_ticket(state, "TK3", "It is back.")
    support.assign_ticket(state, "TK3", "G2")
    with pytest.raises(ValueError, match="No public note answers"):
        support.solve_ticket(state, "TK3")


def test_the_rules_hold_at_the_start() -> None:
    for seed in range(20):
        state = support.initial_state(seed)
        for agent_id, agent in state.agents.items():
            held = [item for item in state.tickets.values() if item.agent_id == agent_id]
            assert len(held) <= (agent.capacity if agent.on_duty else 0)
            assert all(item.topic in agent.skills for item in held)
        assert [key for key, agent in state.agents.items() if not agent.on_duty] == ["G3"]
        solved = [item for item in state.tickets.values() if item.status == "solved"]
        assert len(solved) == 3
        assert all(item.opened < (item.solved or "") < state.now for item in solved)
        assert all(item.due == due_time(state, item) for item in state.tickets.values())
