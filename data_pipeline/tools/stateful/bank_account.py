"""The counter of a credit union for one member: payments, transfers, cards, standing orders and disputes."""

from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from data_pipeline.tools.stateful.common import look_up, money, parse_day, require
from data_pipeline.tools.stateful.state import reads, writes
from data_pipeline.tools.stateful.worlds.bank_account import (
    Account,
    DayOfMonth,
    DisputeReason,
    Kind,
    Payee,
    StandingOrder,
    Transaction,
)
from data_pipeline.tools.stateful.worlds.bank_account import State as State
from data_pipeline.tools.stateful.worlds.bank_account import initial_state as initial_state

__all__ = [
    "dispute_transaction",
    "list_accounts",
    "list_payees",
    "list_standing_orders",
    "list_transactions",
    "move_own_money",
    "pay_payees",
    "register_payee",
    "set_card_status",
    "start_standing_order",
    "stop_standing_order",
]

POLICY = """Counter of Harrow and Finch Credit Union. The tools refuse what is [enforced]; the rest is yours to keep.
1. [yours] Read every payee and amount back, and get a yes, before money leaves an account.
2. [enforced] Payments of one call are made all together or not at all.
3. [enforced] A payee registered less than three days ago receives at most 200 in one payment.
4. [enforced] Payments from an account in one day stay within its daily limit.
5. [enforced] No payment or transfer takes an account below zero by more than its overdraft.
6. [enforced] A savings account pays nobody: it only exchanges money with the other accounts of the member.
7. [enforced] A blocked card stays blocked for good.
8. [yours] Block a card that was stolen, and freeze one that is only mislaid.
9. [enforced] Only money that went out in the last 60 days can be disputed, each transaction once.
10. [enforced] Disputing a card transaction freezes the card if it is active.
11. [enforced] A standing order is started for a payee known for three days or more, once for each account and payee.
12. [yours] Give no advice on investments."""

AccountId = Annotated[str, Field(examples=["A11", "A13"])]
PayeeId = Annotated[str, Field(examples=["Y41", "Y44"])]
CardId = Annotated[str, Field(examples=["K21"])]
StandingOrderId = Annotated[str, Field(examples=["S81"])]
TransactionId = Annotated[str, Field(examples=["T5012", "T5016"])]
Amount = Annotated[float, Field(ge=0.01, le=100_000, examples=[45.5, 120.0])]

_NEW_PAYEE_DAYS, _NEW_PAYEE_MAX, _DISPUTE_DAYS = 3, 200.0, 60


class Payment(TypedDict):
    """A payment to make now."""

    payee_id: Annotated[str, Field(description="Id of the payee", examples=["Y42"])]
    amount: Annotated[float, Field(ge=0.01, le=100_000, description="Amount to pay", examples=[45.5])]
    reference: Annotated[str, Field(max_length=60, description="Words the payee sees", examples=["Invoice 118"])]


def _account(state: State, account_id: str) -> Account:
    return look_up(state.accounts, account_id, "account", "list_accounts")


def _payee(state: State, payee_id: str) -> Payee:
    return look_up(state.payees, payee_id, "payee", "list_payees")


def _is_new(state: State, payee: Payee) -> bool:
    return (parse_day(state.today) - parse_day(payee.added_on)).days < _NEW_PAYEE_DAYS


def _require_cents(amount: float) -> None:
    require(amount > 0 and money(amount) == amount, f"{amount} is not an amount above zero in whole cents.")


def _book(state: State, account_id: str, amount: float, kind: Kind, text: str) -> str:
    """Change a balance, within the overdraft, and record why."""
    account = _account(state, account_id)
    balance = money(account.balance + amount)
    low = f"Account {account_id} holds {account.balance}, and its overdraft is {account.overdraft}."
    require(amount > 0 or balance >= -account.overdraft, low)
    account.balance = balance
    transaction_id, state.next_transaction = f"T{state.next_transaction}", state.next_transaction + 1
    entry = Transaction(account_id=account_id, date=state.today, amount=amount, kind=kind, text=text)
    state.transactions[transaction_id] = entry
    return transaction_id


@writes
def dispute_transaction(state: State, transaction_id: TransactionId, reason: DisputeReason) -> dict[str, Any]:
    """Dispute money that went out, and freeze the card that paid.

    Args:
        transaction_id: Id of the transaction
        reason: Reason for the dispute

    Returns:
        The amount in dispute and the card frozen, if any.

    Raises:
        ValueError: If the transaction is unknown, brought money in, is too old or is disputed.
    """
    entry = look_up(state.transactions, transaction_id, "transaction", "list_transactions")
    require(entry.amount < 0 and entry.kind != "transfer", f"Transaction {transaction_id} paid nobody.")
    days = (parse_day(state.today) - parse_day(entry.date)).days
    require(days <= _DISPUTE_DAYS, f"Transaction {transaction_id} is {days} days old; disputes end after 60.")
    require(entry.dispute is None, f"Transaction {transaction_id} is in dispute.")
    entry.dispute = reason
    frozen = entry.card_id if entry.card_id and state.cards[entry.card_id].status == "active" else None
    if frozen:
        state.cards[frozen].status = "frozen"
    return {"transaction_id": transaction_id, "reason": reason, "amount": -entry.amount, "card_frozen": frozen}


@reads
def list_accounts(state: State) -> dict[str, Any]:
    """List the accounts of the member with their balances, limits and cards.

    Returns:
        The member, the accounts by id and the cards by id.
    """
    accounts = {key: account.model_dump() for key, account in sorted(state.accounts.items())}
    cards = {key: card.model_dump() for key, card in sorted(state.cards.items())}
    return {"member": state.member, "accounts": accounts, "cards": cards}


@reads
def list_payees(state: State) -> list[dict[str, Any]]:
    """List the payees of the member.

    Returns:
        The id, name, account number and day of registration of each payee.
    """
    return [{"payee_id": key, **payee.model_dump()} for key, payee in sorted(state.payees.items())]


@reads
def list_standing_orders(state: State, account_id: AccountId) -> list[dict[str, Any]]:
    """List the standing orders that an account pays.

    Args:
        account_id: Id of the account

    Returns:
        The standing orders, also those that were stopped.

    Raises:
        ValueError: If there is no such account.
    """
    _account(state, account_id)
    found = [(key, order) for key, order in sorted(state.standing_orders.items()) if order.account_id == account_id]
    return [
        {"standing_order_id": key, **order.model_dump(), "payee": state.payees[order.payee_id].name}
        for key, order in found
    ]


@reads
def list_transactions(
    state: State,
    account_id: AccountId,
    since: Annotated[str, Field(examples=["2026-08-01"])],
    kind: Kind | None = None,
) -> list[dict[str, Any]]:
    """List what went in and out of an account since a day.

    Args:
        account_id: Id of the account
        since: First day to list as YYYY-MM-DD
        kind: Kind of transaction, every kind unless given

    Returns:
        The transactions, the earliest first.

    Raises:
        ValueError: If there is no such account or the day is not valid.
    """
    _account(state, account_id)
    start = parse_day(since).isoformat()
    return [
        {"transaction_id": key, **entry.model_dump(exclude={"account_id"})}
        for key, entry in sorted(state.transactions.items(), key=lambda item: (item[1].date, item[0]))
        if entry.account_id == account_id and entry.date >= start and kind in (None, entry.kind)
    ]


@writes
def move_own_money(state: State, from_account: AccountId, to_account: AccountId, amount: Amount) -> dict[str, Any]:
    """Move money between two accounts of the member.

    Args:
        from_account: Id of the account to take from
        to_account: Id of the account to give to
        amount: Amount to move

    Returns:
        Both new balances.

    Raises:
        ValueError: If an account is unknown, both are the same, or the first holds too little.
    """
    require(from_account != to_account, "The two accounts must differ.")
    _account(state, to_account)
    _require_cents(amount)
    _book(state, from_account, -amount, "transfer", f"To {to_account}")
    _book(state, to_account, amount, "transfer", f"From {from_account}")
    return {"balances": {key: _account(state, key).balance for key in (from_account, to_account)}}


@writes
def pay_payees(state: State, account_id: AccountId, payments: list[Payment]) -> dict[str, Any]:
    """Pay one or more payees today.

    Args:
        account_id: Id of the account that pays
        payments: Payments to make, all or none

    Returns:
        The ids of the transactions and the new balance.

    Raises:
        ValueError: If the account or a payee may not be used so, or a limit is passed; then nothing is paid.
    """
    account = _account(state, account_id)
    require(account.kind != "savings", f"{account_id} is a savings account; move the money with move_own_money first.")
    require(bool(payments), "Name at least one payment.")
    booked = []
    for payment in payments:
        payee, amount = _payee(state, payment["payee_id"]), payment["amount"]
        _require_cents(amount)
        small = amount <= _NEW_PAYEE_MAX or not _is_new(state, payee)
        require(small, f"{payment['payee_id']} is new; a payment in its first three days is at most 200.")
        account.sent_today = money(account.sent_today + amount)
        limit = f"The payments would pass the daily limit {account.daily_limit} of account {account_id}."
        require(account.sent_today <= account.daily_limit, limit)
        booked.append(_book(state, account_id, -amount, "payment", f"{payee.name}: {payment['reference']}"))
    return {"transaction_ids": booked, "balance": account.balance}


@writes
def register_payee(
    state: State,
    name: Annotated[str, Field(min_length=2, examples=["Wren Sorel"])],
    account_number: Annotated[str, Field(pattern=r"^[0-9]{10}$", examples=["4410082735"])],
) -> dict[str, Any]:
    """Register someone whom the member wants to pay.

    Args:
        name: Name of the payee
        account_number: Account number of the payee, ten digits

    Returns:
        The id of the payee.

    Raises:
        ValueError: If the number is not ten digits or registered.
    """
    digits = account_number.isascii() and account_number.isdigit() and len(account_number) == 10
    require(digits, "An account number has ten digits.")
    known = [key for key, payee in sorted(state.payees.items()) if payee.account_number == account_number]
    require(not known, f"The account number belongs to payee {' '.join(known)}.")
    payee_id, state.next_payee = f"Y{state.next_payee}", state.next_payee + 1
    state.payees[payee_id] = Payee(name=name, account_number=account_number, added_on=state.today)
    return {"payee_id": payee_id, "name": name}


@writes
def set_card_status(state: State, card_id: CardId, status: Literal["active", "frozen", "blocked"]) -> dict[str, Any]:
    """Freeze a card, make it active again, or block it for good.

    Args:
        card_id: Id of the card
        status: Status from now on

    Returns:
        The card and its status.

    Raises:
        ValueError: If the card is unknown or blocked, or has the status.
    """
    card = look_up(state.cards, card_id, "card", "list_accounts")
    require(card.status != "blocked", f"Card {card_id} is blocked for good.")
    require(card.status != status, f"Card {card_id} is {status}.")
    card.status = status
    return {"card_id": card_id, "last_digits": card.last_digits, "status": status}


@writes
def start_standing_order(
    state: State, account_id: AccountId, payee_id: PayeeId, amount: Amount, day_of_month: DayOfMonth
) -> dict[str, Any]:
    """Start paying a payee every month.

    Args:
        account_id: Id of the account that pays
        payee_id: Id of the payee
        amount: Amount of each payment
        day_of_month: Day of the month to pay on

    Returns:
        The id of the standing order.

    Raises:
        ValueError: If the account or the payee may not be used so, or a standing order runs between them.
    """
    account, payee = _account(state, account_id), _payee(state, payee_id)
    require(account.kind != "savings", f"{account_id} is a savings account and pays nobody.")
    require(not _is_new(state, payee), f"{payee_id} is new; wait until it was registered three days ago.")
    _require_cents(amount)
    running = [item for item in state.standing_orders.values() if item.status == "running"]
    twice = any((item.account_id, item.payee_id) == (account_id, payee_id) for item in running)
    require(not twice, f"{account_id} has a standing order for {payee_id}; stop it first.")
    order_id, state.next_standing_order = f"S{state.next_standing_order}", state.next_standing_order + 1
    order = StandingOrder(account_id=account_id, payee_id=payee_id, amount=amount, day_of_month=day_of_month)
    state.standing_orders[order_id] = order
    return {"standing_order_id": order_id, **order.model_dump()}


@writes
def stop_standing_order(state: State, standing_order_id: StandingOrderId) -> dict[str, Any]:
    """Stop a standing order.

    Args:
        standing_order_id: Id of the standing order

    Returns:
        The standing order as it is now.

    Raises:
        ValueError: If the standing order is unknown or stopped.
    """
    order = look_up(state.standing_orders, standing_order_id, "standing order", "list_standing_orders")
    require(order.status == "running", f"Standing order {standing_order_id} is stopped.")
    order.status = "stopped"
    return {"standing_order_id": standing_order_id, **order.model_dump()}
