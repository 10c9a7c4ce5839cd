"""The support desk of a hosting company: tickets, agents, priorities, notes and help articles."""

from datetime import timedelta
from typing import Annotated, Any, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import look_up, parse_moment, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.support_tickets import (
    PRIORITIES,
    Note,
    Priority,
    Status,
    Ticket,
    Topic,
    due_time,
    free_places,
)
from data_pipeline.tools.stateful.worlds.support_tickets import State as State
from data_pipeline.tools.stateful.worlds.support_tickets import initial_state as initial_state

__all__ = [
    "assign_ticket",
    "change_priority",
    "file_ticket",
    "list_agents",
    "merge_tickets",
    "post_note",
    "read_ticket",
    "reopen_ticket",
    "search_articles",
    "search_tickets",
    "solve_ticket",
]

POLICY = """Support of Pinwheel Hosting. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] Look for an article that answers a problem before you file a ticket for it.
2. [yours] Never repeat an internal note, or a ticket of another customer, to a customer.
3. [enforced] A ticket goes only to an agent on duty who knows its topic and has a free place.
4. [enforced] A ticket is due 72, 24, 8 or 2 hours after it was opened, by low, normal, high or critical priority, \
and in half that time for the enterprise plan.
5. [enforced] Critical priority is for the team and enterprise plans only.
6. [enforced] Only an assigned ticket is solved, and only once a public note answers the last words of the customer.
7. [enforced] A solved ticket is reopened within seven days, and counts as opened then; later a new one is filed.
8. [enforced] Only open tickets of one customer are merged; the one kept takes the highest priority, \
the earliest opening and all the notes.
9. [enforced] Solved and merged tickets are not changed.
10. [yours] Tell the customer until when a new ticket will be answered."""

TicketId = Annotated[str, Field(examples=["TK404", "TK411"])]
AgentId = Annotated[str, Field(examples=["G2", "G4"])]
CustomerId = Annotated[str, Field(examples=["U51", "U54"])]
TicketIds = Annotated[list[str], Field(min_length=1, examples=[["TK408"]])]
ArticleIds = Annotated[list[str], Field(examples=[["H74"]])]
Subject = Annotated[str, Field(min_length=3, max_length=100, examples=["Certificate has expired"])]
Words = Annotated[str, Field(min_length=3, examples=["The log names a missing file."])]

_REOPEN = timedelta(days=7)


def _ticket(state: State, ticket_id: str) -> Ticket:
    return look_up(state.tickets, ticket_id, "ticket", "search_tickets")


def _open_ticket(state: State, ticket_id: str) -> Ticket:
    """A ticket that may be changed."""
    ticket = _ticket(state, ticket_id)
    require(ticket.status in ("new", "assigned"), f"Ticket {ticket_id} is {ticket.status}.")
    return ticket


def _require_plan(state: State, customer_id: str, priority: Priority) -> None:
    starter = state.customers[customer_id].plan == "starter"
    require(priority != "critical" or not starter, f"The starter plan of {customer_id} has no critical priority.")


def _is_answered(ticket: Ticket) -> bool:
    """Whether a public note follows the last words of the customer."""
    public = [note for note in ticket.notes if note.visibility == "public"]
    return bool(public) and public[-1].author == "desk"


def _shown(ticket_id: str, ticket: Ticket) -> dict[str, Any]:
    fields = {"customer_id", "subject", "topic", "priority", "status", "agent_id", "due"}
    return {"ticket_id": ticket_id, **ticket.model_dump(include=fields)}


@writes
def assign_ticket(state: State, ticket_id: TicketId, agent_id: AgentId) -> dict[str, Any]:
    """Assign a ticket to an agent, or pass it on to another one.

    Args:
        ticket_id: Id of the ticket
        agent_id: Id of the agent

    Returns:
        The ticket in short.

    Raises:
        ValueError: If the ticket is not open, or the agent has it, is off duty, full or without the skill.
    """
    ticket, agent = _open_ticket(state, ticket_id), look_up(state.agents, agent_id, "agent", "list_agents")
    require(ticket.agent_id != agent_id, f"Agent {agent_id} has ticket {ticket_id} already.")
    require(agent.on_duty, f"Agent {agent_id} is not on duty.")
    require(ticket.topic in agent.skills, f"Agent {agent_id} does not know about {ticket.topic}; use list_agents.")
    require(free_places(state, agent_id) > 0, f"Agent {agent_id} has no free place for a ticket.")
    ticket.agent_id, ticket.status = agent_id, "assigned"
    return _shown(ticket_id, ticket)


@writes
def change_priority(state: State, ticket_id: TicketId, priority: Priority, reason: Words) -> dict[str, Any]:
    """Change the priority of a ticket and so the time it is due.

    Args:
        ticket_id: Id of the ticket
        priority: Priority from now on
        reason: Reason, kept as an internal note

    Returns:
        The ticket in short.

    Raises:
        ValueError: If the ticket is not open or has the priority, or the plan does not include it.
    """
    ticket = _open_ticket(state, ticket_id)
    require(ticket.priority != priority, f"Ticket {ticket_id} has {priority} priority already.")
    _require_plan(state, ticket.customer_id, priority)
    ticket.priority = priority
    ticket.due = due_time(state, ticket)
    ticket.notes.append(Note(author="desk", text=f"Priority {priority}: {reason}", visibility="internal"))
    return _shown(ticket_id, ticket)


@writes
def file_ticket(
    state: State, customer_id: CustomerId, subject: Subject, topic: Topic, details: Words, priority: Priority = "normal"
) -> dict[str, Any]:
    """File a new ticket for a customer.

    Args:
        customer_id: Id of the customer
        subject: Subject in a few words
        topic: Topic the problem belongs to
        details: Words of the customer, kept as a public note
        priority: Priority of the ticket

    Returns:
        The new ticket in short.

    Raises:
        ValueError: If the customer is unknown or the plan does not include the priority.
    """
    require(customer_id in state.customers, f"There is no customer '{customer_id}'; ask for the customer number.")
    _require_plan(state, customer_id, priority)
    ticket_id, state.next_ticket = f"TK{state.next_ticket}", state.next_ticket + 1
    ticket = Ticket(
        customer_id=customer_id,
        subject=subject,
        topic=topic,
        priority=priority,
        opened=state.now,
        due=state.now,
        notes=[Note(author="customer", text=details, visibility="public")],
    )
    ticket.due = due_time(state, ticket)
    state.tickets[ticket_id] = ticket
    return _shown(ticket_id, ticket)


@reads
def list_agents(state: State, topic: Topic | None = None) -> list[dict[str, Any]]:
    """List the agents with their skills and free places.

    Args:
        topic: Topic the agents must know, any unless given

    Returns:
        The agents; one who is not on duty has no free places.
    """
    return [
        {"agent_id": agent_id, **agent.model_dump(), "free_places": free_places(state, agent_id)}
        for agent_id, agent in sorted(state.agents.items())
        if topic is None or topic in agent.skills
    ]


@writes
def merge_tickets(state: State, keep_id: TicketId, duplicate_ids: TicketIds) -> dict[str, Any]:
    """Merge tickets about the same problem into one of them.

    Args:
        keep_id: Id of the ticket to keep
        duplicate_ids: Ids of the tickets to merge into it

    Returns:
        The ticket kept, in short, and the number of its notes.

    Raises:
        ValueError: If a ticket is not open, is named twice or belongs to another customer.
    """
    kept = _open_ticket(state, keep_id)
    require(bool(duplicate_ids), "Name at least one ticket to merge.")
    require(keep_id not in duplicate_ids, f"Ticket {keep_id} cannot be merged into itself.")
    for ticket_id in duplicate_ids:
        ticket = _open_ticket(state, ticket_id)
        require(ticket.customer_id == kept.customer_id, f"Ticket {ticket_id} belongs to another customer.")
        kept.priority = max(kept.priority, ticket.priority, key=PRIORITIES.index)
        kept.opened = min(kept.opened, ticket.opened)
        kept.notes = [*kept.notes, *ticket.notes]
        ticket.status, ticket.merged_into, ticket.agent_id, ticket.notes = "merged", keep_id, None, []
    kept.due = due_time(state, kept)
    return {**_shown(keep_id, kept), "notes": len(kept.notes)}


@writes
def post_note(
    state: State, ticket_id: TicketId, text: Words, visibility: Literal["public", "internal"]
) -> dict[str, Any]:
    """Post a note on a ticket.

    Args:
        ticket_id: Id of the ticket
        text: Text of the note
        visibility: Whether the customer sees the note, which is then public

    Returns:
        The number of notes on the ticket.

    Raises:
        ValueError: If the ticket is not open.
    """
    ticket = _open_ticket(state, ticket_id)
    ticket.notes.append(Note(author="desk", text=text, visibility=visibility))
    return {"ticket_id": ticket_id, "notes": len(ticket.notes)}


@reads
def read_ticket(state: State, ticket_id: TicketId) -> dict[str, Any]:
    """Read everything about a ticket, its customer and its notes.

    Args:
        ticket_id: Id of the ticket

    Returns:
        The ticket, and its customer by name and plan.

    Raises:
        ValueError: If there is no such ticket.
    """
    ticket = _ticket(state, ticket_id)
    customer = state.customers[ticket.customer_id].model_dump()
    return {"ticket_id": ticket_id, **ticket.model_dump(), "customer": customer}


@writes
def reopen_ticket(state: State, ticket_id: TicketId, reason: Words) -> dict[str, Any]:
    """Reopen a ticket that turned out not to be solved.

    Args:
        ticket_id: Id of the ticket
        reason: Words of the customer, kept as a public note

    Returns:
        The ticket in short, to be assigned again.

    Raises:
        ValueError: If the ticket is not solved, or was solved more than seven days ago.
    """
    ticket = _ticket(state, ticket_id)
    require(ticket.solved is not None, f"Ticket {ticket_id} is {ticket.status}, not solved.")
    age = parse_moment(state.now) - parse_moment(ticket.solved or "")
    require(age <= _REOPEN, f"Ticket {ticket_id} was solved over seven days ago; file a new one.")
    ticket.status, ticket.solved, ticket.agent_id, ticket.opened = "new", None, None, state.now
    ticket.due = due_time(state, ticket)
    ticket.notes.append(Note(author="customer", text=reason, visibility="public"))
    return _shown(ticket_id, ticket)


@reads
def search_articles(state: State, text: Annotated[str, Field(min_length=2, examples=["backup"])]) -> dict[str, Any]:
    """Search the help articles for a word.

    Args:
        text: Word, or part of one, in the title or the text

    Returns:
        The articles found, by id.
    """
    wanted = text.casefold()
    articles = sorted(state.articles.items())
    return {key: item.model_dump() for key, item in articles if wanted in f"{item.title} {item.text}".casefold()}


@reads
def search_tickets(
    state: State, customer_id: CustomerId | None = None, status: Status | None = None, topic: Topic | None = None
) -> list[dict[str, Any]]:
    """Search for tickets by customer, status and topic.

    Args:
        customer_id: Id of the customer
        status: Status of the tickets
        topic: Topic of the tickets

    Returns:
        The tickets in short, the one due first at the top.
    """
    return [
        _shown(ticket_id, ticket)
        for ticket_id, ticket in sorted(state.tickets.items(), key=lambda item: (item[1].due, item[0]))
        if customer_id in (None, ticket.customer_id)
        and status in (None, ticket.status)
        and topic in (None, ticket.topic)
    ]


@writes
def solve_ticket(state: State, ticket_id: TicketId, article_ids: ArticleIds | None = None) -> dict[str, Any]:
    """Mark a ticket as solved, with the articles that helped.

    Args:
        ticket_id: Id of the ticket
        article_ids: Ids of the articles that helped

    Returns:
        The ticket in short.

    Raises:
        ValueError: If the ticket is not assigned, nothing tells the customer how, or an article is unknown.
    """
    ticket = _open_ticket(state, ticket_id)
    require(ticket.status == "assigned", f"Ticket {ticket_id} is not assigned; use assign_ticket first.")
    answer = f"No public note answers the last words of the customer on {ticket_id}; use post_note first."
    require(_is_answered(ticket), answer)
    for article_id in article_ids or ():
        look_up(state.articles, article_id, "article", "search_articles")
    ticket.status, ticket.solved, ticket.article_ids = "solved", state.now, sorted({*(article_ids or ())})
    return _shown(ticket_id, ticket)
