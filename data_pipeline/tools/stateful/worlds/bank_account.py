"""The world of one member of a credit union: accounts, cards, payees, standing orders and transactions."""

from datetime import timedelta
from random import Random
from typing import Annotated, Literal

from pydantic import Field

from data_pipeline.tools.stateful.common import Day, Money, money, parse_day, people
from data_pipeline.tools.stateful.state import DomainState, Record

DayOfMonth = Annotated[int, Field(ge=1, le=28)]
Kind = Literal["card", "payment", "deposit", "transfer"]
DisputeReason = Literal["not_mine", "wrong_amount", "not_delivered"]

_SHOPS = ("Corner Bakery", "Northgate Fuel", "Paper Lantern Books", "Quick Fix Garage", "Saltmarsh Fish Bar")
_BILLS = ("Amber Gas", "Millbrook Water", "Tidal Mobile")


class Account(Record):
    """An account of the member; `sent_today` counts against `daily_limit`."""

    kind: Literal["everyday", "savings"]
    balance: float
    overdraft: Money
    daily_limit: Money
    sent_today: Money = 0.0


class Card(Record):
    """A card that pays from an account."""

    account_id: str
    last_digits: Annotated[str, Field(pattern=r"^\d{4}$")]
    status: Literal["active", "frozen", "blocked"] = "active"


class Payee(Record):
    """Someone the member pays."""

    name: str
    account_number: str
    added_on: Day


class StandingOrder(Record):
    """A payment that is made every month."""

    account_id: str
    payee_id: str
    amount: Money
    day_of_month: DayOfMonth
    status: Literal["running", "stopped"] = "running"


class Transaction(Record):
    """Money that came (positive) or went (negative); `card_id` is set where a card paid."""

    account_id: str
    date: Day
    amount: float
    kind: Kind
    text: str
    card_id: str | None = None
    dispute: DisputeReason | None = None


class State(DomainState):
    """Everything the member has at the credit union."""

    today: Day
    member: str
    accounts: dict[str, Account]
    cards: dict[str, Card]
    payees: dict[str, Payee]
    standing_orders: dict[str, StandingOrder]
    transactions: dict[str, Transaction]
    next_payee: int = 46
    next_standing_order: int = 83
    next_transaction: int = 5019


def initial_state(seed: int) -> State:
    """Three accounts, two cards, six payees, two standing orders and eighteen transactions.

    The last payee was added yesterday; every other one is known for long.

    Args:
        seed: what the world is drawn from.

    Returns:
        The world, the same for the same seed.
    """
    rng = Random(seed)
    names = people(rng, 4)
    state = State(
        today="2026-09-14",
        member=names[3],
        accounts={
            "A11": _account(rng, "everyday", 300, 2400),
            "A12": _account(rng, "everyday", 50, 900),
            "A13": _account(rng, "savings", 2000, 15000),
        },
        cards={f"K2{n}": Card(account_id=f"A1{n}", last_digits=f"{rng.randint(0, 9999):04d}") for n in (1, 2)},
        payees={},
        standing_orders={},
        transactions={},
    )
    for number, name in enumerate((*_BILLS, *names[:3])):
        added = _days_ago(state, 1 if number == 5 else rng.randint(90, 900))
        account_number = "".join(rng.choices("0123456789", k=10))
        state.payees[f"Y{40 + number}"] = Payee(name=name, account_number=account_number, added_on=added)
    for number in (81, 82):
        state.standing_orders[f"S{number}"] = StandingOrder(
            account_id="A11", payee_id=f"Y{number - 41}", amount=_amount(rng, 15, 80), day_of_month=rng.randint(1, 28)
        )
    for number in range(18):
        state.transactions[f"T{5001 + number}"] = _transaction(rng, state, days_ago=90 - 5 * number)
    return state


def _account(rng: Random, kind: Literal["everyday", "savings"], least: int, most: int) -> Account:
    overdraft, limit = (200.0, 1500.0) if kind == "everyday" else (0.0, 3000.0)
    return Account(kind=kind, balance=_amount(rng, least, most), overdraft=overdraft, daily_limit=limit)


def _amount(rng: Random, least: int, most: int) -> float:
    return rng.randint(least * 100, most * 100) / 100


def _days_ago(state: State, days: int) -> str:
    return (parse_day(state.today) - timedelta(days=days)).isoformat()


def _transaction(rng: Random, state: State, days_ago: int) -> Transaction:
    date, number = _days_ago(state, days_ago), rng.choice((1, 2))
    kind: Kind = rng.choice(["card", "card", "payment", "deposit"])
    text = {"card": rng.choice(_SHOPS), "payment": rng.choice(_BILLS), "deposit": "Salary", "transfer": ""}[kind]
    amount = _amount(rng, 900, 1800) if kind == "deposit" else money(-_amount(rng, 3, 140))
    card_id = f"K2{number}" if kind == "card" else None
    return Transaction(account_id=f"A1{number}", date=date, amount=amount, kind=kind, text=text, card_id=card_id)
