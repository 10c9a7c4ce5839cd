"""The world of a hosting company's support: customers, agents, tickets and articles."""

from datetime import datetime, timedelta
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Moment, parse_moment, people
from data_pipeline.tools.stateful.state import DomainState, Record

Topic = Literal["billing", "domains", "email", "hosting"]
Priority = Literal["low", "normal", "high", "critical"]
Status = Literal["new", "assigned", "solved", "merged"]

PRIORITIES: tuple[Priority, ...] = ("low", "normal", "high", "critical")
"""From the least to the most urgent."""

_HOURS: dict[Priority, int] = {"low": 72, "normal": 24, "high": 8, "critical": 2}
_TOPICS: tuple[Topic, ...] = ("billing", "domains", "email", "hosting")
_SUBJECTS: dict[Topic, tuple[str, ...]] = {
    "billing": ("Charged twice in May", "Invoice shows the old address", "Question about the yearly price"),
    "domains": ("Domain does not resolve", "Transfer is stuck", "Contact data of the domain is wrong"),
    "email": ("Mail goes to spam", "Mailbox is full", "Forwarding stopped working"),
    "hosting": ("Site answers with error 500", "Backup cannot be restored", "Upload is very slow"),
}
_ARTICLES: tuple[tuple[Topic, str, str], ...] = (
    ("billing", "When invoices are sent", "Invoices go out on the first of a month and a refund takes five days."),
    ("billing", "Changing the billing address", "The owner changes the address under Account, and invoices follow it."),
    ("domains", "How long name servers take", "A change of name servers reaches everyone within 24 hours."),
    ("domains", "Moving a domain to us", "Unlock the domain, then enter its transfer code under Domains."),
    ("email", "Keeping mail out of spam", "Add the SPF and DKIM records that the panel shows to the domain."),
    ("email", "Making a mailbox larger", "The owner sets the size under Mailboxes, up to 50 GB."),
    (
        "hosting",
        "Finding the cause of error 500",
        "The error log under Sites names the script that failed.",
    ),
    ("hosting", "Restoring a backup", "Choose a day under Backups; a restore replaces every file of the site."),
)


class Agent(Record):
    """Someone who answers tickets, at most `capacity` at a time."""

    name: str
    skills: list[Topic]
    on_duty: bool
    capacity: Annotated[int, Field(ge=1)]


class Customer(Record):
    """Someone who asks."""

    name: str
    plan: Literal["starter", "team", "enterprise"]


class Note(Record):
    """Words on a ticket; the customer sees public ones."""

    author: Literal["customer", "desk"]
    text: str
    visibility: Literal["public", "internal"]


class Ticket(Record):
    """A request of a customer; `opened` counts from the last time it was reopened."""

    customer_id: str
    subject: str
    topic: Topic
    priority: Priority
    opened: Moment
    due: Moment
    notes: list[Note]
    status: Status = "new"
    agent_id: str | None = None
    article_ids: list[str] = []
    solved: Moment | None = None
    merged_into: str | None = None


class Article(Record):
    """Help for a known problem."""

    topic: Topic
    title: str
    text: str


class State(DomainState):
    """Everything the support of the company works with."""

    now: Moment
    agents: dict[str, Agent]
    customers: dict[str, Customer]
    tickets: dict[str, Ticket]
    articles: dict[str, Article]
    next_ticket: int = 415


def initial_state(seed: int) -> State:
    """Five agents, six customers, fourteen tickets, of which three are solved, and eight articles.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    names = people(rng, 11)
    state = State(now="2026-06-17 10:00", agents={}, customers={}, tickets={}, articles={})
    for number in range(5):
        skills = sorted({_TOPICS[number % 4], rng.choice(_TOPICS)})
        state.agents[f"G{1 + number}"] = Agent(
            name=names[number], skills=skills, on_duty=number != 2, capacity=rng.randint(3, 4)
        )
    for number in range(6):
        plan: Literal["starter", "team", "enterprise"] = rng.choice(["starter", "team", "enterprise"])
        state.customers[f"U{51 + number}"] = Customer(name=names[5 + number], plan=plan)
    for number, (topic, title, text) in enumerate(_ARTICLES):
        state.articles[f"H{71 + number}"] = Article(topic=topic, title=title, text=text)
    for number in range(14):
        state.tickets[f"TK{401 + number}"] = _ticket(rng, state, number)
    return state


def _ticket(rng: Random, state: State, number: int) -> Ticket:
    hours_ago = (400, 90, 60)[number] if number < 3 else rng.randint(1, 40)
    opened = parse_moment(state.now) - timedelta(hours=hours_ago)
    topic, customer_id = rng.choice(_TOPICS), f"U{51 + number % 6}"
    subject = rng.choice(_SUBJECTS[topic])
    ticket = Ticket(
        customer_id=customer_id,
        subject=subject,
        topic=topic,
        priority=rng.choice(PRIORITIES[:3]),
        opened=_text(opened),
        due=state.now,
        notes=[Note(author="customer", text=f"Please help me: {subject.lower()}.", visibility="public")],
    )
    ticket.due = due_time(state, ticket)
    able = [key for key, agent in state.agents.items() if topic in agent.skills and free_places(state, key) > 0]
    if number < 3:
        ticket.status, ticket.solved = "solved", _text(opened + timedelta(hours=20))
        ticket.notes.append(Note(author="desk", text="This is settled now.", visibility="public"))
    elif able and rng.random() < 0.6:
        ticket.status, ticket.agent_id = "assigned", rng.choice(able)
    return ticket


def _text(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}"


def due_time(state: State, ticket: Ticket) -> str:
    """When a ticket must be solved, by its priority and the plan of its customer.

    Args:
        state: the world.
        ticket: the ticket.

    Returns:
        The moment as YYYY-MM-DD HH:MM.
    """
    hours = _HOURS[ticket.priority] / (2 if state.customers[ticket.customer_id].plan == "enterprise" else 1)
    return _text(parse_moment(ticket.opened) + timedelta(hours=hours))


def free_places(state: State, agent_id: str) -> int:
    """How many more tickets an agent can take.

    Args:
        state: the world.
        agent_id: id of the agent.

    Returns:
        The number of tickets, 0 for an agent who is not on duty.
    """
    agent = state.agents[agent_id]
    held = sum(item.agent_id == agent_id and item.status == "assigned" for item in state.tickets.values())
    return max(0, agent.capacity - held) if agent.on_duty else 0
