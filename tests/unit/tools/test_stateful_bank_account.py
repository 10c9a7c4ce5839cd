"""What the tools of the bank counter do to its state, and what they refuse."""

from __future__ import annotations

from typing import Any

import pytest

from data_pipeline.tools.stateful import bank_account as bank
from data_pipeline.tools.stateful.state import diff
from data_pipeline.tools.stateful.worlds.bank_account import Account, Card, Payee, StandingOrder, Transaction


def entry(date: str, amount: float, kind: Any, account_id: str = "A1", card_id: str | None = None) -> Transaction:
    return Transaction(account_id=account_id, date=date, amount=amount, kind=kind, text="x", card_id=card_id)


def world() -> bank.State:
    """Today is 14 September; Y2 was registered two days ago, Y3 three days ago."""
    return bank.State(
        today="2026-09-14",
        member="Ines Sorel",
        accounts={
            "A1": Account(kind="everyday", balance=500, overdraft=200, daily_limit=650, sent_today=50),
            "A2": Account(kind="savings", balance=1000, overdraft=0, daily_limit=3000),
        },
        cards={
            "K1": Card(account_id="A1", last_digits="1537"),
            "K2": Card(account_id="A1", last_digits="7993", status="frozen"),
            "K3": Card(account_id="A1", last_digits="0042", status="blocked"),
        },
        payees={
            "Y1": Payee(name="Amber Gas", account_number="1111111111", added_on="2025-01-01"),
            "Y2": Payee(name="Wren Rossi", account_number="2222222222", added_on="2026-09-12"),
            "Y3": Payee(name="Umar Juhl", account_number="3333333333", added_on="2026-09-11"),
        },
        standing_orders={
            "S1": StandingOrder(account_id="A1", payee_id="Y1", amount=40, day_of_month=3),
            "S2": StandingOrder(account_id="A1", payee_id="Y3", amount=15, day_of_month=9, status="stopped"),
        },
        transactions={
            "T1": entry("2026-07-16", -30.5, "card", card_id="K1"),  # 60 days ago
            "T2": entry("2026-07-15", -31, "card", card_id="K1"),  # 61 days ago
            "T3": entry("2026-09-01", 1500, "deposit"),
            "T4": entry("2026-09-02", -20, "payment"),
            "T5": entry("2026-09-03", -10, "transfer"),
            "T6": entry("2026-09-03", 10, "transfer", "A2"),
            "T7": entry("2026-09-04", -5, "card", card_id="K2"),
        },
    )


def effects(state: bank.State) -> list[str]:
    return [str(change) for change in diff(world(), state)]


def pay(payee_id: str, amount: float) -> bank.Payment:
    return {"payee_id": payee_id, "amount": amount, "reference": "Bill 7"}


def booked(amount: float, kind: str, text: str, account_id: str = "A1") -> str:
    head = f'{{"account_id": "{account_id}", "date": "2026-09-14", "amount": {amount}, "kind": "{kind}", '
    return head + f'"text": "{text}", "card_id": null, "dispute": null}}'


def test_a_dispute_freezes_an_active_card() -> None:
    state = world()
    assert bank.dispute_transaction(state, "T1", "not_mine") == {
        "transaction_id": "T1",
        "reason": "not_mine",
        "amount": 30.5,
        "card_frozen": "K1",
    }
    assert effects(state) == [
        'changed cards.K1.status: "active" -> "frozen"',
        'changed transactions.T1.dispute: null -> "not_mine"',
    ]


@pytest.mark.parametrize("transaction_id", ["T4", "T7"])  # no card, and a card that is frozen
def test_a_dispute_without_a_card_to_freeze(transaction_id: str) -> None:
    state = world()
    assert bank.dispute_transaction(state, transaction_id, "wrong_amount")["card_frozen"] is None
    assert effects(state) == [f'changed transactions.{transaction_id}.dispute: null -> "wrong_amount"']


@pytest.mark.parametrize(
    ("transaction_id", "message"),
    [
        ("T2", "T2 is 61 days old; disputes end after 60"),
        ("T3", "T3 paid nobody"),
        ("T5", "T5 paid nobody"),
        ("T9", "no transaction 'T9'; use list_transactions"),
    ],
)
def test_a_dispute_is_refused(transaction_id: str, message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        bank.dispute_transaction(state, transaction_id, "not_mine")
    assert effects(state) == []


def test_a_transaction_is_disputed_once() -> None:
    state = world()
    bank.dispute_transaction(state, "T4", "not_delivered")
    with pytest.raises(ValueError, match="T4 is in dispute"):
        bank.dispute_transaction(state, "T4", "not_mine")


def test_the_accounts_and_cards() -> None:
    found = bank.list_accounts(world())
    assert found["member"] == "Ines Sorel"
    assert found["accounts"]["A1"] == {
        "kind": "everyday",
        "balance": 500.0,
        "overdraft": 200.0,
        "daily_limit": 650.0,
        "sent_today": 50.0,
    }
    assert {key: card["status"] for key, card in found["cards"].items()} == {
        "K1": "active",
        "K2": "frozen",
        "K3": "blocked",
    }


def test_the_payees() -> None:
    found = bank.list_payees(world())
    assert found[0] == {
        "payee_id": "Y1",
        "name": "Amber Gas",
        "account_number": "1111111111",
        "added_on": "2025-01-01",
    }
    assert [payee["payee_id"] for payee in found] == ["Y1", "Y2", "Y3"]


def test_the_standing_orders() -> None:
    found = bank.list_standing_orders(world(), "A1")
    assert [(order["standing_order_id"], order["payee"], order["status"]) for order in found] == [
        ("S1", "Amber Gas", "running"),
        ("S2", "Umar Juhl", "stopped"),
    ]
    assert bank.list_standing_orders(world(), "A2") == []
    with pytest.raises(ValueError, match="no account 'A9'; use list_accounts"):
        bank.list_standing_orders(world(), "A9")


def test_the_transactions_since_a_day() -> None:
    found = bank.list_transactions(world(), "A1", "2026-09-02")
    assert [(item["transaction_id"], item["amount"]) for item in found] == [("T4", -20.0), ("T5", -10.0), ("T7", -5.0)]
    cards = bank.list_transactions(world(), "A1", "2026-01-01", "card")
    assert [item["transaction_id"] for item in cards] == ["T2", "T1", "T7"]
    with pytest.raises(ValueError, match="no account 'A9'"):
        bank.list_transactions(world(), "A9", "2026-09-02")
    with pytest.raises(ValueError, match="not a date"):
        bank.list_transactions(world(), "A1", "September")


def test_money_moves_between_own_accounts() -> None:
    state = world()
    # Down to the overdraft, and past the daily limit, which is for payments.
    assert bank.move_own_money(state, "A1", "A2", 700) == {"balances": {"A1": -200.0, "A2": 1700.0}}
    assert effects(state) == [
        "changed accounts.A1.balance: 500.0 -> -200.0",
        "changed accounts.A2.balance: 1000.0 -> 1700.0",
        "changed next_transaction: 5019 -> 5021",
        "added transactions.T5019: " + booked(-700.0, "transfer", "To A2"),
        "added transactions.T5020: " + booked(700.0, "transfer", "From A1", "A2"),
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("A1", "A1", 5), "two accounts must differ"),
        (("A1", "A9", 5), "no account 'A9'"),
        (("A9", "A1", 5), "no account 'A9'"),
        (("A1", "A2", 700.01), "A1 holds 500.0, and its overdraft is 200.0"),
        (("A2", "A1", 1000.01), "A2 holds 1000.0, and its overdraft is 0.0"),
        (("A1", "A2", 0.005), "0.005 is not an amount above zero in whole cents"),
        (("A1", "A2", -5), "-5 is not an amount above zero"),
        (("A1", "A2", 0), "0 is not an amount above zero"),
    ],
)
def test_moving_money_is_refused(args: tuple[str, str, float], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bank.move_own_money(world(), *args)


def test_payees_are_paid() -> None:
    state = world()
    paid = bank.pay_payees(state, "A1", [pay("Y1", 300.25), pay("Y2", 200)])
    assert paid == {"transaction_ids": ["T5019", "T5020"], "balance": -0.25}
    assert effects(state) == [
        "changed accounts.A1.balance: 500.0 -> -0.25",
        "changed accounts.A1.sent_today: 50.0 -> 550.25",
        "changed next_transaction: 5019 -> 5021",
        "added transactions.T5019: " + booked(-300.25, "payment", "Amber Gas: Bill 7"),
        "added transactions.T5020: " + booked(-200.0, "payment", "Wren Rossi: Bill 7"),
    ]


def test_a_payee_known_for_three_days_gets_more_up_to_the_limit() -> None:
    state = world()
    assert bank.pay_payees(state, "A1", [pay("Y3", 600)])["balance"] == -100.0
    with pytest.raises(ValueError, match=r"pass the daily limit 650\.0 of account A1"):
        bank.pay_payees(state, "A1", [pay("Y3", 0.01)])


@pytest.mark.parametrize(
    ("account_id", "payments", "message"),
    [
        ("A9", [("Y1", 5)], "no account 'A9'"),
        ("A2", [("Y1", 5)], "A2 is a savings account; move the money with move_own_money first"),
        ("A1", [], "at least one payment"),
        ("A1", [("Y9", 5)], "no payee 'Y9'; use list_payees"),
        ("A1", [("Y1", 5.001)], "whole cents"),
        ("A1", [("Y2", 200.01)], "Y2 is new; a payment in its first three days is at most 200"),
        ("A1", [("Y1", 300), ("Y1", 300.01)], "daily limit"),
    ],
)
def test_a_payment_is_refused(account_id: str, payments: list[tuple[str, float]], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        bank.pay_payees(world(), account_id, [pay(*payment) for payment in payments])


def test_a_payment_stays_within_the_overdraft() -> None:
    state = world()
    state.accounts["A1"].daily_limit = 5000.0
    with pytest.raises(ValueError, match=r"A1 holds 100\.0, and its overdraft is 200\.0"):
        bank.pay_payees(state, "A1", [pay("Y1", 400), pay("Y1", 300.01)])


def test_a_payee_is_registered() -> None:
    state = world()
    assert bank.register_payee(state, "Edda Demir", "4410082735") == {"payee_id": "Y46", "name": "Edda Demir"}
    assert effects(state) == [
        "changed next_payee: 46 -> 47",
        'added payees.Y46: {"name": "Edda Demir", "account_number": "4410082735", "added_on": "2026-09-14"}',
    ]
    with pytest.raises(ValueError, match="belongs to payee Y46"):
        bank.register_payee(state, "Edda D", "4410082735")
    for number in ("441008273", "44100827351", "44100 8273", "٤٤١٠٠٨٢٧٣٥"):
        with pytest.raises(ValueError, match="ten digits"):
            bank.register_payee(state, "Edda", number)
    with pytest.raises(ValueError, match="Y46 is new; a payment"):
        bank.pay_payees(state, "A1", [pay("Y46", 201)])


@pytest.mark.parametrize(
    ("card_id", "status", "old"),
    [("K1", "frozen", "active"), ("K1", "blocked", "active"), ("K2", "active", "frozen")],
)
def test_a_card_changes_its_status(card_id: str, status: Any, old: str) -> None:
    state = world()
    assert bank.set_card_status(state, card_id, status)["status"] == status
    assert effects(state) == [f'changed cards.{card_id}.status: "{old}" -> "{status}"']


def test_a_card_keeps_its_status() -> None:
    with pytest.raises(ValueError, match="K3 is blocked for good"):
        bank.set_card_status(world(), "K3", "active")
    with pytest.raises(ValueError, match="K2 is frozen"):
        bank.set_card_status(world(), "K2", "frozen")
    with pytest.raises(ValueError, match="no card 'K9'; use list_accounts"):
        bank.set_card_status(world(), "K9", "frozen")


def test_a_standing_order_starts_again_for_a_payee() -> None:
    state = world()
    assert bank.start_standing_order(state, "A1", "Y3", 25, 28)["standing_order_id"] == "S83"
    assert effects(state) == [
        "changed next_standing_order: 83 -> 84",
        'added standing_orders.S83: {"account_id": "A1", "payee_id": "Y3", "amount": 25.0, "day_of_month": 28, '
        '"status": "running"}',
    ]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (("A2", "Y3", 5), "A2 is a savings account and pays nobody"),
        (("A1", "Y2", 5), "Y2 is new; wait until"),
        (("A1", "Y1", 5), "A1 has a standing order for Y1; stop it first"),
        (("A1", "Y9", 5), "no payee 'Y9'"),
        (("A9", "Y3", 5), "no account 'A9'"),
        (("A1", "Y3", 0.001), "whole cents"),
    ],
)
def test_a_standing_order_is_refused(args: tuple[str, str, float], message: str) -> None:
    state = world()
    with pytest.raises(ValueError, match=message):
        bank.start_standing_order(state, *args, 1)
    assert effects(state) == []


def test_a_standing_order_stops() -> None:
    state = world()
    assert bank.stop_standing_order(state, "S1")["status"] == "stopped"
    assert effects(state) == ['changed standing_orders.S1.status: "running" -> "stopped"']
    with pytest.raises(ValueError, match="S1 is stopped"):
        bank.stop_standing_order(state, "S1")
    with pytest.raises(ValueError, match="no standing order 'S9'; use list_standing_orders"):
        bank.stop_standing_order(state, "S9")
    # The account may pay the payee every month again.
    assert bank.start_standing_order(state, "A1", "Y1", 40, 3)["standing_order_id"] == "S83"


def test_only_the_last_payee_is_new_at_the_start() -> None:
    for seed in range(20):
        state = bank.initial_state(seed)
        ages = sorted(payee.added_on for payee in state.payees.values())
        assert ages[-1] == state.payees["Y45"].added_on == "2026-09-13"
        assert ages[-2] < "2026-07-01"
        assert all(account.balance >= 0 for account in state.accounts.values())
        assert {(account.kind, account.overdraft) for account in state.accounts.values()} == {
            ("everyday", 200.0),
            ("savings", 0.0),
        }
        for item in state.transactions.values():
            assert (item.amount > 0) == (item.kind == "deposit")
            assert (item.card_id is not None) == (item.kind == "card")
